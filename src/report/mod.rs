//! What is to be shown: settings applied, everything in order and counted.
//!
//! A renderer takes a report as it is; whatever filters, sorts, counts or decides stands here.

mod baseline;
mod change;
mod settings;
mod suppression;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::baseline::{Baseline, BaselineError, Entry as BaselineEntry};
pub use self::settings::{Settings, Unknown};
use self::suppression::Sifted;
pub use self::suppression::{Suppression, bucket_pattern};
use crate::finding::{Finding, Severity, Subject, Undecided};
use crate::inventory::{Allowance, Inventory, Listing};
use crate::name::{AccountId, Region};
use crate::rules::{EdgeVerdict, LintedEdge, Outcome, Reported, Rule};

/// What the rules don't know of the run.
#[derive(Debug, Clone, Default)]
pub struct Scale {
    pub buckets: usize,
    pub api_calls: Option<u64>,
    /// When AWS was asked (RFC 3339).
    pub taken_at: Option<String>,
    pub coverage: Coverage,
}

impl Scale {
    pub fn of(inventory: &Inventory) -> Self {
        let coverage = Coverage::of(inventory);
        Self {
            buckets: coverage.buckets.len(),
            api_calls: inventory.api_calls,
            taken_at: inventory.taken_at.clone(),
            coverage,
        }
    }
}

/// What the run looked at, so that what it didn't look at is not said to be gone.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    pub buckets: Vec<Covered>,
    /// Of how many of them it isn't known whether they log, and where.
    pub open_logging: usize,
    /// Accounts without a bucket are looked at too.
    pub empty_accounts: Vec<AccountId>,
    /// Every bucket of each account that it names.
    pub complete: bool,
}

/// A bucket that the run was asked about.
#[derive(Debug, Clone)]
pub struct Covered {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub label: Arc<str>,
    pub allowances: Vec<Allowance>,
}

impl Coverage {
    pub fn of(inventory: &Inventory) -> Self {
        let mut coverage = Self {
            complete: true,
            ..Self::default()
        };
        for account in &inventory.accounts {
            coverage.complete &= account.listing == Listing::Complete;
            for bucket in &account.buckets {
                coverage.complete &= bucket.in_scope;
                if bucket.in_scope {
                    coverage.open_logging += usize::from(bucket.logging.why().is_some());
                    coverage.buckets.push(Covered {
                        account: account.id.known().cloned(),
                        region: bucket.region.known().cloned(),
                        label: Arc::clone(&bucket.label),
                        allowances: bucket.allowances.clone(),
                    });
                }
            }
            if account.buckets.is_empty() {
                coverage.empty_accounts.extend(account.id.known().cloned());
            }
        }
        coverage
    }

    fn accounts(&self) -> impl Iterator<Item = Option<&str>> {
        let of_buckets = self.buckets.iter().map(|covered| covered.account.as_ref());
        of_buckets
            .chain(self.empty_accounts.iter().map(Some))
            .map(|account| account.map(|account| account.as_str()))
    }

    fn holds(&self, account: &AccountId) -> bool {
        self.accounts().any(|other| other == Some(account.as_str()))
    }

    /// The accounts and regions that were looked at, ordered.
    fn parts(&self) -> BTreeSet<Part> {
        let of_buckets = self
            .buckets
            .iter()
            .map(|covered| (covered.account.clone(), covered.region.clone()));
        let empty = self
            .empty_accounts
            .iter()
            .map(|account| (Some(account.clone()), None));
        of_buckets.chain(empty).collect()
    }
}

/// An account and a region, as far as they are known.
pub type Part = (Option<AccountId>, Option<Region>);

#[derive(Debug, Clone)]
pub struct Report {
    pub summary: Summary,
    pub edges: Vec<LintedEdge>,
    /// Ordered by account (none last), severity (worst first), code, bucket, target.
    pub findings: Vec<Fingerprinted>,
    /// Ordered by account, code, bucket, target.
    pub undecided: Vec<Reported<Undecided>>,
    /// The findings that the baseline holds, in the same order.
    pub known: Vec<Fingerprinted>,
    /// The findings of the time before that a change ends; nothing where no change was looked at.
    pub repaired: Option<Vec<Fingerprinted>>,
    /// The entries of the baseline that match nothing any more.
    pub stale: Vec<baseline::Entry>,
    /// The accounts and regions that were looked at, with or without a finding.
    pub parts: BTreeSet<Part>,
    /// How bad each rule's findings are, by code, where that isn't the rule's own severity.
    pub severities: BTreeMap<&'static str, Severity>,
    /// When AWS was asked (RFC 3339), where that is known.
    pub taken_at: Option<String>,
    pub conclusion: Conclusion,
}

#[derive(Debug, Clone)]
pub struct Fingerprinted {
    pub finding: Reported<Finding>,
    pub fingerprint: String,
    /// The rule's, unless the settings say otherwise.
    pub severity: Severity,
    /// It is at or above the threshold.
    pub fails: bool,
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
    /// Findings of the time before that the change ends.
    pub repaired: usize,
    /// Questions that hang on what was not in the input, and that are not listed one by one.
    pub unread: usize,
    /// Buckets of which it isn't known whether they log.
    pub open_logging: usize,
    /// What would tell them, as the user gives it.
    pub told_by: BTreeSet<&'static str>,
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
        let coverage = &scale.coverage;
        undecided.sort_by(|a, b| {
            (&a.subject.account, a.rule.code, &a.subject).cmp(&(&b.subject.account, b.rule.code, &b.subject))
        });
        undecided.retain(|each| !settings.ignored.contains(each.rule.code));
        let Sifted { findings, suppressed } = suppression::sift(findings, &undecided, coverage, settings);
        let findings = settings.weigh(findings);
        let (known, findings): (Vec<_>, Vec<_>) = match &settings.baseline {
            Some(baseline) => findings
                .into_iter()
                .partition(|all| settings.may_be_known(all) && baseline.holds(&all.fingerprint)),
            None => (Vec::new(), findings),
        };
        let stale = match &settings.baseline {
            Some(baseline) => baseline.stale(known.iter().chain(&findings), &undecided, coverage),
            None => Vec::new(),
        };
        if settings.unknown == Unknown::Ignore {
            undecided.clear();
        }
        let count = |severity| findings.iter().filter(|all| all.severity == severity).count();
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
            suppressed,
            baseline: known.len(),
            repaired: 0,
            unread: 0,
            open_logging: coverage.open_logging,
            told_by: BTreeSet::new(),
            api_calls: scale.api_calls,
            verdicts,
        };
        let conclusion = conclude(&findings, &undecided, settings);
        Self {
            summary,
            edges,
            findings,
            undecided,
            known,
            repaired: None,
            stale,
            parts: coverage.parts(),
            severities: settings.severities.clone(),
            taken_at: scale.taken_at,
            conclusion,
        }
    }

    /// How many edges can't be judged, where nothing else in the report says so: whoever reads that there is nothing
    /// to report takes the logs to arrive.
    pub fn silently_unknown(&self) -> usize {
        let summary = &self.summary;
        // Of a change, what was unknown before is no news.
        let is_silent = self.findings.is_empty() && self.undecided.is_empty() && self.repaired.is_none();
        let unknown = summary.verdicts.get(&EdgeVerdict::Unknown).copied();
        unknown
            .filter(|_| is_silent || summary.unread > 0)
            .unwrap_or_default()
    }

    /// How bad a finding of this rule is, for this user.
    pub fn severity(&self, rule: &Rule) -> Severity {
        self.severities.get(rule.code).copied().unwrap_or(rule.severity)
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

fn conclude(
    findings: &[Fingerprinted],
    undecided: &[Reported<Undecided>],
    settings: &Settings,
) -> Conclusion {
    if findings.iter().any(|all| all.fails) {
        Conclusion::Findings
    } else if !undecided.is_empty() && settings.unknown == Unknown::Fail {
        Conclusion::Undecided
    } else {
        Conclusion::Clean
    }
}

impl Settings {
    /// Whether a baseline may hold it back: not what nobody may suppress.
    pub fn may_be_known(&self, all: &Fingerprinted) -> bool {
        !self.unsuppressible.contains(all.finding.rule.code)
    }

    /// In order, each with its severity and a fingerprint of its own.
    fn weigh(&self, findings: Vec<Reported<Finding>>) -> Vec<Fingerprinted> {
        let mut findings: Vec<Fingerprinted> = findings
            .into_iter()
            .filter(|finding| !self.ignored.contains(finding.rule.code))
            .map(|finding| {
                let severity = self.severity(finding.rule);
                Fingerprinted {
                    fingerprint: fingerprint(&finding, 0),
                    severity,
                    fails: self.fail_on.is_some_and(|least| severity >= least),
                    finding,
                }
            })
            .collect();
        findings.sort_by(|a, b| {
            let (left, right) = (&a.finding, &b.finding);
            // The worst first: severity counts the other way round. What is about no account goes last.
            let (one, other) = (&left.subject.account, &right.subject.account);
            (one.is_none(), one, b.severity, left.rule.code)
                .cmp(&(other.is_none(), other, a.severity, right.rule.code))
                .then_with(|| left.subject.cmp(&right.subject))
                .then_with(|| left.said.message.cmp(&right.said.message))
                .then_with(|| a.fingerprint.cmp(&b.fingerprint))
        });
        // Two buckets of one address in two files are two: readers merge what has one fingerprint.
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for all in &mut findings {
            let times = seen.entry(all.fingerprint.clone()).or_insert(0);
            if *times > 0 {
                all.fingerprint = fingerprint(&all.finding, *times);
            }
            *times += 1;
        }
        findings
    }
}

/// Stable over runs and over lines moving: code, account, source, target and the statement's content; no position.
fn fingerprint(finding: &Reported<Finding>, ordinal: u64) -> String {
    let evidence = finding.said.evidence.as_deref().unwrap_or_default();
    let mut parts = identity(finding.rule, &finding.subject);
    parts.push(evidence);
    parts.extend(finding.said.cycle.iter().map(String::as_str));
    let ordinal = ordinal.to_string();
    if ordinal != "0" {
        parts.push(&ordinal);
    }
    hash(&parts)
}

/// The same for what could not be decided.
pub fn undecided_fingerprint(undecided: &Reported<Undecided>) -> String {
    let mut parts = identity(undecided.rule, &undecided.subject);
    parts.push("undecided");
    parts.push(undecided.said.why.word());
    parts.extend(undecided.said.needs.as_deref());
    hash(&parts)
}

fn identity<'a>(rule: &Rule, subject: &'a Subject) -> Vec<&'a str> {
    vec![
        rule.code,
        subject.account.as_ref().map_or("", |account| account.as_str()),
        &subject.bucket,
        subject.target.as_deref().unwrap_or_default(),
    ]
}

fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps `ab`+`c` and `a`+`bc` apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    let mut text = String::with_capacity(32);
    for byte in bytes.iter().take(16) {
        use fmt::Write;
        let _ = write!(text, "{byte:02x}");
    }
    text
}
