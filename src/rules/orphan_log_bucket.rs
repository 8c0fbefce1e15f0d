//! S3L010: a log bucket to which nothing logs.

use super::log_bucket::{Sign, no_hidden_source, sign_of_log_bucket};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Severity, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L010",
    name: "orphan-log-bucket",
    severity: Severity::Note,
    since: "0.1.0",
    summary: "grants log delivery, but no bucket logs to it",
    effect: Effect::None,
    reads: &[Call::Policy, Call::Acl, Call::OwnershipControls],
    check: Check::Bucket(check),
    document: include_str!("../../rules/orphan_log_bucket.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let bucket = context.bucket();
    if context.vertex.is_target() || context.tallies.is_named_from_afar(bucket) {
        return Ok(None);
    }
    let Some(sign) = sign_of_log_bucket(context)? else {
        return Ok(None);
    };
    no_hidden_source(context)?;
    let name = context.name();
    let finding = Finding::new(format!("`{name}` lets S3 deliver logs, and no bucket logs to it"));
    let finding = match sign {
        Sign::Policy { place, content } => finding
            .label_at(place.as_ref(), "S3 may write logs here")
            .evidence(content),
        Sign::Acl => finding.label_at(
            bucket.settings().places.get(&Call::Acl),
            "the LogDelivery group may write here",
        ),
    };
    Ok(Some(finding.help(
        "take the grant out if nothing logs here any more; or look whether a bucket should log here and doesn't",
    )))
}
