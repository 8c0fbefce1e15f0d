//! S3L203: a default retention on the target.

use super::context::{place_of, quoted, setting_place};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Severity, Undecided, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L203",
    name: "object-lock-retention",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a default retention of Object Lock on the target: it stops delivery",
    effect: Effect::Blocks,
    reads: &[Call::ObjectLock],
    check: Check::Edge(check),
    document: include_str!("../../rules/object_lock_retention.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some(target) = context.edge.reachable_target() else {
        return Ok(None);
    };
    let lock = target.settings().object_lock.answer();
    let lock = lock.map_err(|why| Undecided::without(Call::ObjectLock, why).on(&target.label))?;
    let Some(retention) = lock.and_then(|lock| lock.default_retention.as_deref()) else {
        return Ok(None);
    };
    let (source, name) = (context.source(), &target.label);
    let command = format!(
        "put-object-lock-configuration --bucket {} --object-lock-configuration '{{\"ObjectLockEnabled\":\"Enabled\"}}'",
        quoted(name)
    );
    Ok(Some(
        Finding::new(format!(
            "`{source}` logs to `{name}`, whose Object Lock retains every object by default: S3 delivers no log there"
        ))
        .shared(
            format!("retention {name}"),
            format!("logs go to `{name}`, whose Object Lock retains every object by default: S3 delivers no log there"),
        )
        .label_at(
            setting_place(target.settings(), Call::ObjectLock, "/Rule/DefaultRetention").as_ref(),
            format!("a default retention ({retention}) stops log delivery"),
        )
        .label(&place_of(context.edge.logging, "/TargetBucket"), format!("`{source}` logs to `{name}`"))
        .help(context.advice_on(
            target,
            "log to a bucket without Object Lock, which can't be switched off again (suppress Security Hub S3.15 for log \
             targets, which doesn't know that); the least that helps is to drop the default retention",
            &command,
        )),
    ))
}
