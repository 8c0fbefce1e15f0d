//! S3L110: a condition that misleads.

use super::bucket_policy::of_target_in_force;
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Severity, Verdict};
use crate::inventory::Call;
use crate::policy::{Decision, Misleading};

pub const RULE: Rule = Rule {
    code: "S3L110",
    name: "misleading-condition",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a condition that can't do what it says for log delivery",
    effect: Effect::None,
    reads: &[Call::Policy],
    check: Check::Target(check),
    document: include_str!("../../rules/misleading_condition.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some(target) = of_target_in_force(context)? else {
        return Ok(None);
    };
    let policy = target.policy;
    let mut misleading = policy.policy.prepared.misleading();
    // What already decides an edge is told there.
    misleading.retain(|each| !target.edges.iter().any(|(_, decision)| is_told(decision, each)));
    let Some(first) = misleading.first() else {
        return Ok(None);
    };
    let (name, statement) = (context.name(), policy.name(&first.statement));
    let mut finding = Finding::new(format!(
        "`{}` in `{statement}` of the policy of `{name}` can't do what it says: {}",
        first.written, first.because
    ))
    .evidence(policy.content(&first.statement))
    .help(first.edit.clone());
    for each in &misleading {
        finding = finding.label_at(policy.place(&each.element).as_ref(), each.because.clone());
    }
    Ok(Some(finding))
}

fn is_told(decision: &Decision, misleading: &Misleading) -> bool {
    let meets = |element: &str| {
        let (short, long) = match element.len() < misleading.element.len() {
            true => (element, misleading.element.as_str()),
            false => (misleading.element.as_str(), element),
        };
        long.strip_prefix(short)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let nearest = decision.nearest.iter().map(|nearest| nearest.element.as_str());
    let deciders = decision
        .deciders
        .iter()
        .filter(|_| decision.grant != crate::policy::Grant::Allowed)
        .map(|decider| decider.element.as_str());
    nearest
        .chain(deciders)
        .any(|element| !element.is_empty() && meets(element))
}
