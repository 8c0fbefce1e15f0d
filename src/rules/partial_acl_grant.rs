//! S3L107: an ACL that grants half.

use super::bucket_policy::{hangs_on_partial_acl, missing_acl, of_target};
use super::context::quoted;
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L107",
    name: "partial-acl-grant",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "the LogDelivery group has WRITE without READ_ACP",
    effect: Effect::Uncertain,
    reads: &[Call::Policy, Call::Acl, Call::OwnershipControls, Call::Encryption],
    check: Check::Target(check),
    document: include_str!("../../rules/partial_acl_grant.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some(target) = of_target(context)? else {
        return Ok(None);
    };
    let bucket = context.bucket();
    if !target
        .edges
        .iter()
        .any(|(_, decision)| hangs_on_partial_acl(bucket, decision))
    {
        let missing = target
            .edges
            .iter()
            .find_map(|(_, decision)| missing_acl(bucket, decision));
        return missing.map_or(Ok(None), Err);
    }
    let name = context.name();
    let command = format!(
        "put-bucket-acl --bucket {} --acl log-delivery-write",
        quoted(name)
    );
    Ok(Some(
        Finding::new(format!(
            "the ACL of `{name}` gives the LogDelivery group WRITE without READ_ACP: AWS asks for both"
        ))
        .label_at(
            bucket.settings().places.get(&Call::Acl),
            "READ_ACP is missing here",
        )
        .help(context.advice(
            "grant log delivery in the bucket policy instead; or give the group both (this replaces the ACL)",
            &command,
        ))
        .fix(Goal::PolicyInsteadOfAcl {
            target: name.to_owned(),
        }),
    ))
}
