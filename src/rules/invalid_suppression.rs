//! S3L903: a suppression in a file that can't be obeyed: no such rule, no reason, not allowed.

use super::{Check, Effect, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Place;

pub const RULE: Rule = Rule {
    code: "S3L903",
    name: "invalid-suppression",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a suppression in a file that can't be obeyed: no such rule, no reason, not allowed",
    effect: Effect::None,
    reads: &[],
    check: Check::Report,
    document: include_str!("../../rules/invalid_suppression.md"),
};

/// This rule, as written, can't be suppressed here.
pub fn finding(rule: &str, fault: &str, place: &Place) -> Finding {
    Finding::new(format!("a suppression can't be obeyed: {fault}"))
        .label(place, "this holds nothing back")
        .evidence(format!("{rule} {fault}"))
        .help(
            "write `s3log-lint: allow RULE REASON`, with a last day as `allow RULE until 2027-01-31 REASON`",
        )
}
