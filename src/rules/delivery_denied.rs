//! S3L102: a deny that hits log delivery.

use super::bucket_policy::{decided, missing_answer};
use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::inventory::Call;
use crate::policy::Grant;

pub const RULE: Rule = Rule {
    code: "S3L102",
    name: "delivery-denied",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "an explicit deny that provably matches log delivery",
    effect: Effect::Blocks,
    reads: &[Call::Policy, Call::Acl, Call::OwnershipControls, Call::Encryption],
    check: Check::Edge(check),
    document: include_str!("../../rules/delivery_denied.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some((policy, decision)) = decided(context)? else {
        return Ok(None);
    };
    if decision.grant != Grant::Denied {
        return match missing_answer(context.edge, policy.bucket, decision) {
            Some(missing) => Err(missing),
            None => Ok(None),
        };
    }
    let Some(first) = decision.deciders.first() else {
        return Ok(None);
    };
    let (source, target) = (context.source(), &policy.bucket.label);
    let name = policy.name(&first.statement);
    let more = match decision.deciders.len() {
        1 => String::new(),
        2 => ", and so does another statement".to_owned(),
        n => format!(", and so do {} other statements", n - 1),
    };
    let mut finding = Finding::new(format!(
        "`{name}` in the policy of `{target}` denies the delivery of the logs of `{source}`{more}"
    ))
    .shared(
        format!("{target} {} {}", first.statement, decision.deciders.len()),
        format!("`{name}` in the policy of `{target}` denies the delivery of logs{more}"),
    )
    .evidence(policy.content(&first.statement))
    .help(first.edit.clone());
    for decider in &decision.deciders {
        finding = finding.label_at(policy.place(&decider.element).as_ref(), decider.because.clone());
    }
    if first.element.contains("/Condition/") {
        finding = finding.fix(Goal::ExemptFromDeny {
            target: target.to_string(),
            statement: first.statement.clone(),
        });
    }
    Ok(Some(finding.label(
        &place_of(context.edge.logging, "/TargetBucket"),
        format!("`{source}` logs to `{target}`"),
    )))
}
