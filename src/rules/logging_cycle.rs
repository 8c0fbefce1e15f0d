//! S3L002: buckets that log to one another in a circle.

use super::context::{place_of, stop_logging};
use super::{Check, CycleContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};

pub const RULE: Rule = Rule {
    code: "S3L002",
    name: "logging-cycle",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a cycle of two or more buckets that log to one another",
    effect: Effect::Loops,
    reads: &[],
    check: Check::Cycle(check),
    document: include_str!("../../rules/logging_cycle.md"),
};

fn check(context: &CycleContext<'_, '_>) -> Verdict {
    let path = context.cycle.path();
    let first = &path[0];
    let mut finding = Finding::new(format!(
        "{} buckets log to one another in a circle: {}",
        path.len() - 1,
        in_words(&path)
    ))
    .help(context.advice(
        "break the circle at one bucket: give it a target that is not logged itself, or switch its logging off",
        &stop_logging(first),
    ))
    .fix(Goal::ProperTarget { bucket: first.clone() });
    let steps = context.cycle.buckets.iter().zip(path.iter().skip(1));
    for (bucket, next) in steps.take(MOST_TOLD) {
        let place = bucket
            .logging
            .known()
            .map(|logging| place_of(logging, "/TargetBucket"));
        finding = finding.label_at(place.as_ref(), format!("`{}` logs to `{next}`", bucket.label));
    }
    finding.cycle = path;
    Ok(Some(finding))
}

/// A circle that is longer than any that a person made is told in part; the finding's `cycle` has all of it.
const MOST_TOLD: usize = 16;

fn in_words(path: &[String]) -> String {
    let quoted = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(" → ")
    };
    match path {
        [start @ .., last] if path.len() > MOST_TOLD + 1 => {
            let hidden = start.len() - MOST_TOLD;
            format!("{} → … {hidden} more … → `{last}`", quoted(&start[..MOST_TOLD]))
        }
        path => quoted(path),
    }
}
