//! S3L009: a bucket whose requests nobody logs.

use super::log_bucket::{no_hidden_source, sign_of_log_bucket};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Fact};

pub const RULE: Rule = Rule {
    code: "S3L009",
    name: "unlogged-bucket",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "no logging by any route; never for a log target",
    effect: Effect::None,
    reads: &[],
    check: Check::Bucket(check),
    document: include_str!("../../rules/unlogged_bucket.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let bucket = context.bucket();
    match &bucket.logging {
        Fact::Known(_) => return Ok(None),
        Fact::Unknown(why) => return Err(Undecided::without(Call::Logging, why)),
        Fact::Absent => {}
    }
    // A log bucket needs no logging of its own.
    if context.vertex.is_target() || context.tallies.is_named_from_afar(bucket) {
        return Ok(None);
    }
    if sign_of_log_bucket(context)?.is_some() {
        return Ok(None);
    }
    no_hidden_source(context)?;
    let name = context.name();
    let command = format!(
        "put-bucket-logging --bucket {0} --bucket-logging-status \
         '{{\"LoggingEnabled\":{{\"TargetBucket\":\"LOG-BUCKET\",\"TargetPrefix\":\"{name}/\"}}}}'",
        super::context::quoted(name)
    );
    Ok(Some(
        Finding::new(format!("`{name}` has no server access logging"))
            .shared("unlogged", "these buckets have no server access logging")
            .label_at(bucket.place.as_ref(), "nobody logs the requests to this bucket")
            .help(context.advice(
                "log it to a log bucket of its region and account, for example",
                &command,
            ))
            .fix(Goal::ProperTarget {
                bucket: name.to_owned(),
            }),
    ))
}
