//! S3L207: a lifecycle that moves what it can't move.

use super::log_keys::{first_kept, meets};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L207",
    name: "transition-only-lifecycle",
    severity: Severity::Note,
    since: "0.1.0",
    summary: "lifecycle transitions that small log objects never make, and no expiry",
    effect: Effect::None,
    reads: &[Call::Lifecycle],
    check: Check::Target(check),
    document: include_str!("../../rules/transition_only_lifecycle.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some((edge, rules)) = first_kept(context)? else {
        return Ok(None);
    };
    let settings = context.bucket().settings();
    let position = rules
        .iter()
        .position(|rule| rule.enabled && rule.transitions && meets(rule, edge));
    let Some(position) = position.filter(|position| !rules[*position].transitions_small) else {
        return Ok(None);
    };
    let name = context.name();
    Ok(Some(
        Finding::new(format!(
            "the lifecycle of `{name}` only moves logs to another storage class, and objects below 128 KB are not moved"
        ))
        .label_at(
            settings
                .places
                .get(&Call::Lifecycle)
                .map(|rules| rules.inside(&format!("/{position}")))
                .as_ref(),
            "most log objects are smaller than 128 KB and stay",
        )
        .help("expire the logs instead of moving them: a log object is mostly too small for another storage class")
        .fix(Goal::ExpireLogs {
            target: name.to_owned(),
        }),
    ))
}
