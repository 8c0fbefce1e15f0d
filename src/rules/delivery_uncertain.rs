//! S3L103: a delivery of which nobody outside AWS can tell.

use super::bucket_policy::{decided, hangs_on_partial_acl, missing_answer};
use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Severity, Verdict};
use crate::inventory::Call;
use crate::policy::{Grant, SettledBy, UnknownKey};

pub const RULE: Rule = Rule {
    code: "S3L103",
    name: "delivery-uncertain",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "whether logs arrive hangs on a key that can't be known from outside",
    effect: Effect::Uncertain,
    reads: &[Call::Policy, Call::Acl, Call::OwnershipControls, Call::Encryption],
    check: Check::Edge(check),
    document: include_str!("../../rules/delivery_uncertain.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some((policy, decision)) = decided(context)? else {
        return Ok(None);
    };
    if decision.grant != Grant::Unknown {
        return Ok(None);
    }
    if let Some(missing) = missing_answer(context.edge, policy.bucket, decision) {
        return Err(missing);
    }
    // An ACL of which AWS's pages disagree is another rule's, where no statement is open as well.
    let Some(first) = decision.deciders.first() else {
        return match hangs_on_partial_acl(policy.bucket, decision) {
            true => Ok(None),
            false => Ok(Some(unexplained(context, &policy.bucket.label))),
        };
    };
    let (source, target) = (context.source(), &policy.bucket.label);
    let unknown = decision.unknown.iter();
    let open: Vec<&UnknownKey> = unknown.filter(|key| key.statement == first.statement).collect();
    let name = policy.name(&first.statement);
    let keys = hangs_on(&open);
    // Nothing is unknown here: the policy is for some keys and not for others.
    let is_partial = !open.is_empty() && open.iter().all(|key| key.settled_by == SettledBy::Keys);
    let (told, shared) = match is_partial {
        true => {
            let covers = format!("`Resource` in `{name}` covers some of their keys and not others");
            (
                format!("only some of the logs of `{source}` reach `{target}`: {covers}"),
                format!("only some of the logs reach `{target}`: {covers}"),
            )
        }
        false => (
            format!("whether the logs of `{source}` reach `{target}` hangs on {keys}: see `{name}`"),
            format!("whether logs reach `{target}` hangs on {keys}: see `{name}`"),
        ),
    };
    let mut finding = Finding::new(told)
        .shared(format!("{target} {} {}", first.statement, keys), shared)
        .evidence(policy.content(&first.statement))
        .help(first.edit.clone());
    for decider in &decision.deciders {
        finding = finding.label_at(policy.place(&decider.element).as_ref(), decider.because.clone());
    }
    Ok(Some(finding.label(
        &place_of(context.edge.logging, "/TargetBucket"),
        format!("`{source}` logs to `{target}`"),
    )))
}

fn hangs_on(open: &[&UnknownKey]) -> String {
    let mut keys: Vec<String> = open.iter().map(|unknown| format!("`{}`", unknown.key)).collect();
    keys.dedup();
    let is_unsaid = |unknown: &&UnknownKey| matches!(unknown.settled_by, SettledBy::Input(_));
    let why = match open.iter().all(is_unsaid) {
        true => "which the input doesn't tell",
        false => "which can't be known from outside",
    };
    match keys.is_empty() {
        true => "what can't be known from outside".to_owned(),
        false => format!("{}, {why}", keys.join(" and ")),
    }
}

fn unexplained(context: &EdgeContext<'_, '_>, target: &str) -> Finding {
    let source = context.source();
    Finding::new(format!(
        "whether the logs of `{source}` reach `{target}` can't be known from outside"
    ))
    .label(
        &place_of(context.edge.logging, "/TargetBucket"),
        format!("`{source}` logs to `{target}`"),
    )
}
