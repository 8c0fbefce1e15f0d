//! S3L203: a default retention on the target.

use super::context::quoted;
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
            target.settings().places.get(&Call::ObjectLock),
            format!("a default retention ({retention}) stops log delivery"),
        )
        .label(&context.edge.logging.place, format!("`{source}` logs to `{name}`"))
        .help(context.advice_on(
            target,
            "log to a bucket without Object Lock, which can't be switched off again; at the least drop the default \
             retention (Security Hub S3.15 doesn't know that, suppress it here)",
            &command,
        )),
    ))
}
