//! S3L901: a suppression that holds nothing back.

use super::{Check, Effect, Rule};
use crate::finding::{Finding, Severity};
use crate::inventory::Place;

pub const RULE: Rule = Rule {
    code: "S3L901",
    name: "unused-suppression",
    severity: Severity::Note,
    since: "0.1.0",
    summary: "a suppression that holds nothing back",
    effect: Effect::None,
    reads: &[],
    check: Check::Report,
    document: include_str!("../../rules/unused_suppression.md"),
};

/// These codes are suppressed for so many buckets, and none of them has such a finding.
pub fn finding(codes: &str, matched: usize, place: &Place) -> Finding {
    let message = match matched {
        0 => format!("{codes} is suppressed for no bucket that exists"),
        1 => format!("{codes} is suppressed for a bucket that has no such finding"),
        n => format!("{codes} is suppressed for {n} buckets that have no such finding"),
    };
    Finding::new(message)
        .label(place, "this holds nothing back")
        .evidence(codes)
        .help("take it out; if it is meant for another account, say so with `account`")
}
