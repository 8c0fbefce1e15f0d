//! S3L204: Object Lock on the target.

use super::context::{place_of, setting_place};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Severity, Undecided, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L204",
    name: "object-lock-target",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "Object Lock without a default retention on the target: AWS's pages disagree whether logs arrive",
    effect: Effect::Uncertain,
    reads: &[Call::ObjectLock],
    check: Check::Edge(check),
    document: include_str!("../../rules/object_lock_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some(target) = context.edge.reachable_target() else {
        return Ok(None);
    };
    let lock = target.settings().object_lock.answer();
    let lock = lock.map_err(|why| Undecided::without(Call::ObjectLock, why).on(&target.label))?;
    // With a default retention it is certain, and another rule's.
    if !lock.is_some_and(|lock| lock.enabled && lock.default_retention.is_none()) {
        return Ok(None);
    }
    let (source, name) = (context.source(), &target.label);
    Ok(Some(
        Finding::new(format!(
            "`{source}` logs to `{name}`, which has Object Lock: AWS's pages disagree whether logs arrive"
        ))
        .shared(
            format!("lock {name}"),
            format!("logs go to `{name}`, which has Object Lock: AWS's pages disagree whether logs arrive"),
        )
        .label_at(
            setting_place(target.settings(), Call::ObjectLock, "/ObjectLockEnabled").as_ref(),
            "Object Lock, without a default retention",
        )
        .label(&place_of(context.edge.logging, "/TargetBucket"), format!("`{source}` logs to `{name}`"))
        .help(
            "log to a bucket without Object Lock: it can't be switched off again; until then, look whether logs arrive: \
             `s3log-lint verify`",
        ),
    ))
}
