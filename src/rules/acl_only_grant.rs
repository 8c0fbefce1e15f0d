//! S3L105: a grant by ACL alone.

use super::bucket_policy::{missing_acl, of_target};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::inventory::Call;
use crate::policy::Grant;

pub const RULE: Rule = Rule {
    code: "S3L105",
    name: "acl-only-grant",
    severity: Severity::Note,
    since: "0.1.0",
    summary: "delivery works only through the legacy ACL",
    effect: Effect::None,
    reads: &[Call::Policy, Call::Acl, Call::OwnershipControls, Call::Encryption],
    check: Check::Target(check),
    document: include_str!("../../rules/acl_only_grant.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some(target) = of_target(context)? else {
        return Ok(None);
    };
    let by_acl = |grant: Grant, via_acl: bool| grant == Grant::Allowed && via_acl;
    let mut edges = target.edges.iter();
    let Some((edge, _)) = edges.find(|(_, decision)| by_acl(decision.grant, decision.via_acl)) else {
        let missing = target
            .edges
            .iter()
            .find_map(|(_, decision)| missing_acl(context.bucket(), decision));
        return missing.map_or(Ok(None), Err);
    };
    let (name, source) = (context.name(), &edge.source.label);
    Ok(Some(
        Finding::new(format!(
            "`{name}` takes the logs of `{source}` only because of its ACL: no statement of its policy grants it"
        ))
        .label_at(
            context.bucket().settings().places.get(&Call::Acl),
            "the LogDelivery group may write: the way from before 2021",
        )
        .help(
            "grant it in the bucket policy, then switch ACLs off with `BucketOwnerEnforced`; in that order, or no log \
             arrives in between",
        )
        .fix(Goal::PolicyInsteadOfAcl {
            target: name.to_owned(),
        }),
    ))
}
