//! S3L003: a log bucket that is logged itself.

use super::context::{place_of, stop_logging};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Severity, Undecided, Verdict};
use crate::inventory::{Call, Fact};

pub const RULE: Rule = Rule {
    code: "S3L003",
    name: "logged-log-bucket",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a log target that is itself logged elsewhere",
    effect: Effect::None,
    reads: &[],
    check: Check::Target(check),
    document: include_str!("../../rules/logged_log_bucket.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    if !context.vertex.is_target_of_another() {
        return Ok(None);
    }
    if let Fact::Unknown(why) = &context.bucket().logging {
        return Err(Undecided::without(Call::Logging, why));
    }
    let Some(edge) = context.outgoing() else {
        return Ok(None);
    };
    // A loop is told by the rules about loops.
    if edge.is_self_loop() || context.tallies.is_in_cycle(context.bucket()) {
        return Ok(None);
    }
    // A way that is lost from sight may lead back, and then it is a loop.
    if let Some(end) = context.tallies.open_end(context.bucket()) {
        return Err(Undecided::without(Call::Logging, end.why).on(&end.bucket.label));
    }
    let name = context.name();
    let onward = edge
        .target_text()
        .unwrap_or("a bucket that only the deploy will name");
    let mut finding = Finding::new(format!(
        "`{name}` takes the logs of other buckets and is logged itself: each log delivered to it causes one in `{onward}`"
    ))
    .label(&place_of(edge.logging, "/TargetBucket"), format!("`{name}` logs to `{onward}`"))
    .help(context.advice(
        "switch the logging of the log bucket off; if it must be logged, for instance because a trail of CloudTrail \
         is kept in it too, allow it",
        &stop_logging(name),
    ));
    let source = context
        .vertex
        .incoming()
        .into_iter()
        .find(|(_, edge)| !edge.is_self_loop());
    if let Some((_, incoming)) = source {
        let source = &incoming.source.label;
        finding = finding.label(
            &place_of(incoming.logging, "/TargetBucket"),
            format!("`{source}` logs to `{name}`"),
        );
    }
    Ok(Some(finding))
}
