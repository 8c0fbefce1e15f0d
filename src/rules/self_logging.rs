//! S3L001: a bucket that logs to itself.

use super::context::{place_of, stop_logging};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Fact};

pub const RULE: Rule = Rule {
    code: "S3L001",
    name: "self-logging",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a bucket whose log target is itself",
    effect: Effect::Loops,
    reads: &[],
    check: Check::Bucket(check),
    document: include_str!("../../rules/self_logging.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let bucket = context.bucket();
    if let Fact::Unknown(why) = &bucket.logging {
        return Err(Undecided::without(Call::Logging, why));
    }
    let Some(edge) = context.outgoing() else {
        return Ok(None);
    };
    if !edge.is_self_loop() {
        return Ok(None);
    }
    let name = &bucket.label;
    Ok(Some(
        Finding::new(format!(
            "`{name}` logs to itself: every delivered log causes another log"
        ))
        .label(
            &place_of(edge.logging, "/TargetBucket"),
            "the target is this very bucket",
        )
        .help(context.advice(
            "give it another target in its region and account, or switch its logging off",
            &stop_logging(name),
        ))
        .fix(Goal::ProperTarget {
            bucket: name.to_string(),
        }),
    ))
}
