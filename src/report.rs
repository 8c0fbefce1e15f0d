//! What is to be shown: settings applied, everything in order and counted.
//!
//! A renderer takes a report as it is; whatever filters, sorts, counts or decides stands here.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::finding::{Finding, Severity, Undecided};
use crate::rules::{EdgeVerdict, LintedEdge, Outcome, Reported};

/// What makes a report fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The least severity that fails; none for never.
    pub fail_on: Option<Severity>,
    pub unknown: Unknown,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fail_on: Some(Severity::Error),
            unknown: Unknown::Fail,
        }
    }
}

/// What an undecided rule does to the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unknown {
    #[default]
    Fail,
    Warn,
    Ignore,
}

/// Numbers of the run that the rules don't know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scale {
    pub buckets: usize,
    pub api_calls: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct Report {
    pub summary: Summary,
    pub edges: Vec<LintedEdge>,
    /// Ordered by account, severity (worst first), code, bucket, target.
    pub findings: Vec<Fingerprinted>,
    /// Ordered by account, code, bucket, target.
    pub undecided: Vec<Reported<Undecided>>,
    pub conclusion: Conclusion,
}

#[derive(Debug, Clone)]
pub struct Fingerprinted {
    pub finding: Reported<Finding>,
    pub fingerprint: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub buckets: usize,
    pub edges: usize,
    pub error: usize,
    pub warning: usize,
    pub note: usize,
    pub undecided: usize,
    pub suppressed: usize,
    pub baseline: usize,
    pub api_calls: Option<u64>,
    /// How many edges end how.
    pub verdicts: BTreeMap<EdgeVerdict, usize>,
}

/// What the run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    Clean,
    /// At least one finding at or above the threshold.
    Findings,
    /// No such finding, but something could not be decided.
    Undecided,
}

impl Report {
    pub fn new(outcome: Outcome, scale: Scale, settings: &Settings) -> Self {
        let Outcome {
            findings,
            mut undecided,
            edges,
        } = outcome;
        let mut findings: Vec<Fingerprinted> = findings
            .into_iter()
            .map(|finding| Fingerprinted {
                fingerprint: fingerprint(&finding),
                finding,
            })
            .collect();
        findings.sort_by(|a, b| {
            let (a, b) = (&a.finding, &b.finding);
            (
                &a.subject.account,
                b.rule.severity,
                a.rule.code,
                &a.subject,
                &a.said.message,
            )
                .cmp(&(
                    &b.subject.account,
                    a.rule.severity,
                    b.rule.code,
                    &b.subject,
                    &b.said.message,
                ))
        });
        undecided.sort_by(|a, b| {
            (&a.subject.account, a.rule.code, &a.subject).cmp(&(&b.subject.account, b.rule.code, &b.subject))
        });
        if settings.unknown == Unknown::Ignore {
            undecided.clear();
        }
        let count = |severity| {
            findings
                .iter()
                .filter(|all| all.finding.rule.severity == severity)
                .count()
        };
        let mut verdicts = BTreeMap::new();
        for edge in &edges {
            *verdicts.entry(edge.verdict).or_insert(0) += 1;
        }
        let summary = Summary {
            buckets: scale.buckets,
            edges: edges.len(),
            error: count(Severity::Error),
            warning: count(Severity::Warning),
            note: count(Severity::Note),
            undecided: undecided.len(),
            suppressed: 0,
            baseline: 0,
            api_calls: scale.api_calls,
            verdicts,
        };
        let fails = |all: &Fingerprinted| {
            settings
                .fail_on
                .is_some_and(|least| all.finding.rule.severity >= least)
        };
        let conclusion = if findings.iter().any(fails) {
            Conclusion::Findings
        } else if !undecided.is_empty() && settings.unknown == Unknown::Fail {
            Conclusion::Undecided
        } else {
            Conclusion::Clean
        };
        Self {
            summary,
            edges,
            findings,
            undecided,
            conclusion,
        }
    }

    /// Findings that are one fault of a shared target stand together; the order stays.
    pub fn groups(&self) -> Vec<Vec<&Fingerprinted>> {
        let mut groups: Vec<Vec<&Fingerprinted>> = Vec::new();
        let mut by_key: BTreeMap<(Option<&str>, &str, &str), usize> = BTreeMap::new();
        for all in &self.findings {
            let finding = &all.finding;
            let Some(shared) = &finding.said.shared else {
                groups.push(vec![all]);
                continue;
            };
            let account = finding.subject.account.as_ref().map(|account| account.as_str());
            let position = *by_key
                .entry((account, finding.rule.code, &shared.key))
                .or_insert(groups.len());
            match groups.get_mut(position) {
                Some(group) => group.push(all),
                None => groups.push(vec![all]),
            }
        }
        groups
    }
}

/// Stable over runs and over lines moving: code, account, source, target and the statement's content; no position.
fn fingerprint(finding: &Reported<Finding>) -> String {
    let subject = &finding.subject;
    let mut hash = Sha256::new();
    let account = subject.account.as_ref().map_or("", |account| account.as_str());
    let target = subject.target.as_deref().unwrap_or_default();
    let evidence = finding.said.evidence.as_deref().unwrap_or_default();
    for part in [finding.rule.code, account, &subject.bucket, target, evidence] {
        // The length in front keeps `ab`+`c` and `a`+`bc` apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    for bucket in &finding.said.cycle {
        hash.update((bucket.len() as u64).to_be_bytes());
        hash.update(bucket.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(16)
        .fold(String::with_capacity(32), |mut text, byte| {
            use fmt::Write;
            let _ = write!(text, "{byte:02x}");
            text
        })
}
