//! S3L902: a suppression whose last day has passed.

use super::{Check, Effect, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Place;

pub const RULE: Rule = Rule {
    code: "S3L902",
    name: "expired-suppression",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a suppression whose last day has passed",
    effect: Effect::None,
    reads: &[],
    check: Check::Report,
    document: include_str!("../../rules/expired_suppression.md"),
};

/// These codes were suppressed up to and with this day.
pub fn finding(codes: &str, last: &str, place: &Place) -> Finding {
    Finding::new(format!(
        "the suppression of {codes} has expired: {last} was its last day"
    ))
    .label(place, "this holds nothing back any more")
    .evidence(format!("{codes} {last}"))
    .help("repair what it excused and take it out, or give it a later day with a reason that still holds")
}
