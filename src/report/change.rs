//! A report of a change: what it makes worse, and what it repairs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fingerprinted, Report, Settings, conclude};
use crate::finding::{Severity, Subject, Undecided};
use crate::inventory::{Call, Why};
use crate::rules::Reported;

impl Report {
    /// Only what was not there before. What was, and is no more, is repaired.
    ///
    /// A fault whose statement was edited and that is still there is the same fault, neither new nor repaired. A bucket
    /// that has no name yet was never there: what is found on it is new.
    pub fn only_new(mut self, before: &Report, settings: &Settings) -> Self {
        let was_there: BTreeSet<&str> = fingerprints(before).collect();
        let is_there: BTreeSet<&str> = fingerprints(&self).collect();
        // What stands in both reports word for word is set aside; of the rest, one of before stands for one of after.
        let mut edited: BTreeMap<Fault<'_>, (usize, usize)> = BTreeMap::new();
        for all in before.findings.iter().chain(&before.known) {
            if !is_there.contains(all.fingerprint.as_str()) {
                edited.entry(fault(all)).or_default().0 += 1;
            }
        }
        let is_new: Vec<bool> = self
            .findings
            .iter()
            .map(|all| {
                if !all.finding.subject.name_known {
                    return true;
                }
                if was_there.contains(all.fingerprint.as_str()) {
                    return false;
                }
                match edited.get_mut(&fault(all)) {
                    Some((were, are)) if *are < *were => {
                        *are += 1;
                        false
                    }
                    Some(_) | None => true,
                }
            })
            .collect();
        let open: BTreeSet<(&str, &str)> = self
            .undecided
            .iter()
            .map(|each| (each.rule.code, each.subject.bucket.as_str()))
            .collect();
        let mut repaired = Vec::new();
        for all in &before.findings {
            let finding = &all.finding;
            if is_there.contains(all.fingerprint.as_str())
                || open.contains(&(finding.rule.code, finding.subject.bucket.as_str()))
            {
                continue;
            }
            match edited.get_mut(&fault(all)) {
                Some((_, are)) if *are > 0 => *are -= 1,
                Some(_) | None => repaired.push(all.clone()),
            }
        }
        let was_open: BTreeSet<(&str, &Subject)> = before.undecided.iter().map(question).collect();
        let mut is_new = is_new.into_iter();
        self.findings.retain(|_| is_new.next().unwrap_or(true));
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

/// What a finding is about, whatever its statement says by now.
type Fault<'r> = (&'static str, &'r Subject, &'r [String]);

fn fault(all: &Fingerprinted) -> Fault<'_> {
    let finding = &all.finding;
    (finding.rule.code, &finding.subject, &finding.said.cycle)
}

fn question(each: &Reported<Undecided>) -> (&str, &Subject) {
    (each.rule.code, &each.subject)
}
