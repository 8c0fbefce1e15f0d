//! A report of a change: what it makes worse, and what it repairs.

use std::collections::BTreeSet;

use super::{Fingerprinted, Report, Settings, conclude};
use crate::finding::{Severity, Subject, Undecided};
use crate::inventory::{Call, Why};
use crate::rules::Reported;

impl Report {
    /// Only what was not there before. What was, and is no more, is repaired.
    ///
    /// A bucket that has no name yet was never there: what is found on it is new.
    pub fn only_new(mut self, before: &Report, settings: &Settings) -> Self {
        let was_there: BTreeSet<&str> = fingerprints(before).collect();
        let is_there: BTreeSet<&str> = fingerprints(&self).collect();
        let is_open = |all: &Fingerprinted| {
            let finding = &all.finding;
            self.undecided.iter().any(|each| {
                each.rule.code == finding.rule.code && each.subject.bucket == finding.subject.bucket
            })
        };
        let repaired: Vec<Fingerprinted> = before
            .findings
            .iter()
            .filter(|all| !is_there.contains(all.fingerprint.as_str()) && !is_open(all))
            .cloned()
            .collect();
        let was_open: BTreeSet<(&str, &Subject)> = before.undecided.iter().map(question).collect();
        self.findings
            .retain(|all| !was_there.contains(all.fingerprint.as_str()) || !all.finding.subject.name_known);
        self.undecided
            .retain(|each| !was_open.contains(&question(each)) || !each.subject.name_known);
        self.summary.repaired = repaired.len();
        self.repaired = Some(repaired);
        self.recount(settings);
        self
    }

    /// Takes out what hangs on what the input doesn't hold, and only counts it: files by themselves say nothing of
    /// most things, and saying so of each would bury the rest.
    ///
    /// What was given already, and didn't tell, isn't asked for again.
    pub fn without_unread(mut self, settings: &Settings, account_given: bool) -> Self {
        let is_read = |each: &Reported<Undecided>| each.said.why != Why::NotRead;
        let (read, unread): (Vec<_>, Vec<_>) = self.undecided.into_iter().partition(is_read);
        self.undecided = read;
        self.summary.unread = unread.len();
        self.summary.told_by = unread.iter().map(told_by).collect();
        if account_given {
            self.summary.told_by.remove(ACCOUNT);
        }
        self.recount(settings);
        self
    }

    /// How many questions are counted only, and what would tell them: in the same words in every format.
    pub fn unread_in_words(&self) -> Option<String> {
        let questions = match self.summary.unread {
            0 => return None,
            1 => "1 question hangs on what is not in these files, and doesn't fail the run".to_owned(),
            n => format!("{n} questions hang on what is not in these files, and don't fail the run"),
        };
        let by: Vec<&str> = self.summary.told_by.iter().copied().collect();
        Some(match by.is_empty() {
            true => questions,
            false => format!("{questions}; `{}` would tell", by.join("` and `")),
        })
    }

    fn recount(&mut self, settings: &Settings) {
        let count = |severity| {
            self.findings
                .iter()
                .filter(|all| all.severity == severity)
                .count()
        };
        self.summary.error = count(Severity::Error);
        self.summary.warning = count(Severity::Warning);
        self.summary.note = count(Severity::Note);
        self.summary.undecided = self.undecided.len();
        self.conclusion = conclude(&self.findings, &self.undecided, settings);
    }
}

/// How the account is given.
const ACCOUNT: &str = "--account ID";

/// What the user can give that would tell.
fn told_by(each: &Reported<Undecided>) -> &'static str {
    match each.said.call {
        // Whose the buckets are, no recording of other buckets says.
        Some(Call::List) => ACCOUNT,
        Some(_) | None => "--onto SNAPSHOT",
    }
}

fn fingerprints(report: &Report) -> impl Iterator<Item = &str> {
    let all = report.findings.iter().chain(&report.known);
    all.map(|all| all.fingerprint.as_str())
}

fn question(each: &Reported<Undecided>) -> (&str, &Subject) {
    (each.rule.code, &each.subject)
}
