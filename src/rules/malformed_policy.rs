//! S3L106: a policy that S3 would refuse.

use super::bucket_policy::of_target;
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Severity, Verdict};
use crate::inventory::Call;
use crate::policy::{FaultKind, Grant};

pub const RULE: Rule = Rule {
    code: "S3L106",
    name: "malformed-policy",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a policy that S3 would refuse, or that is ambiguous",
    effect: Effect::Uncertain,
    reads: &[Call::Policy],
    check: Check::Target(check),
    document: include_str!("../../rules/malformed_policy.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some(target) = of_target(context)? else {
        return Ok(None);
    };
    let policy = target.policy;
    let faults = policy.policy.prepared.faults();
    let Some(first) = faults.first() else {
        return Ok(None);
    };
    let name = context.name();
    let more = match faults.len() {
        1 => String::new(),
        n => format!(", and {} more", n - 1),
    };
    let message = &first.message;
    let mut finding = Finding::new(match first.kind {
        FaultKind::DuplicateKey | FaultKind::DuplicateConditionKey => {
            format!("the policy of `{name}` can be read in two ways: {message}{more}")
        }
        _ => format!("S3 would refuse the policy of `{name}`: {message}{more}"),
    })
    .help(match as_it_stands(&target.edges) {
        Some(anyway) => format!("{} (as it stands, delivery would be {anyway})", first.help),
        None => first.help.clone(),
    })
    .evidence(policy.content(""));
    for fault in faults {
        let Some(mut place) = policy.place(&fault.pointer) else {
            continue;
        };
        // What stands twice has one pointer and two places.
        place.span = Some(fault.span.clone());
        finding = finding.label(&place, fault.message.clone());
        if let Some(other) = &fault.other {
            place.span = Some(other.clone());
            finding = finding.label(&place, "here is the first");
        }
    }
    Ok(Some(finding))
}

/// What the policy would come to, were it in force as it is, if that is one thing for every source.
fn as_it_stands(edges: &[(&crate::graph::Edge<'_>, &crate::policy::Decision)]) -> Option<&'static str> {
    let mut anyway = edges.iter().map(|(_, decision)| decision.if_evaluated_anyway);
    let first = anyway.next()??;
    let word = match first {
        Grant::Allowed => "allowed",
        Grant::Denied => "denied",
        Grant::NotGranted => "not granted",
        Grant::Unknown | Grant::Malformed => "unknown",
    };
    anyway.all(|other| other == Some(first)).then_some(word)
}
