//! What the user wants of a report, settled: every name is a rule's, every pattern compiles.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Baseline, Suppression};
use crate::finding::Severity;
use crate::rules::{self, Rule};

/// What is shown, and what makes a report fail.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The least severity that fails; none for never.
    pub fail_on: Option<Severity>,
    pub unknown: Unknown,
    /// Severities other than the rules' own, by code.
    pub severities: BTreeMap<&'static str, Severity>,
    /// The codes that nobody wants to see. Their rules run all the same: an edge that is blocked stays blocked.
    pub ignored: BTreeSet<&'static str>,
    pub suppressions: Vec<Suppression>,
    /// The codes that nobody may suppress.
    pub unsuppressible: BTreeSet<&'static str>,
    pub baseline: Option<Baseline>,
    /// The day of the run, which suppressions may outlive. Without it, none expires.
    pub today: Option<Date>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fail_on: Some(Severity::Error),
            unknown: Unknown::Fail,
            severities: BTreeMap::new(),
            ignored: BTreeSet::new(),
            suppressions: Vec::new(),
            unsuppressible: BTreeSet::new(),
            baseline: None,
            today: None,
        }
    }
}

impl Settings {
    /// Shows these rules alone, beside those that nobody may silence.
    pub fn select(&mut self, codes: &BTreeSet<&'static str>) {
        let every = rules::ALL.iter().map(|rule| rule.code);
        self.ignored = every
            .filter(|code| !codes.contains(code) && !self.unsuppressible.contains(code))
            .collect();
    }

    /// How bad a finding of this rule is, for this user.
    pub fn severity(&self, rule: &Rule) -> Severity {
        self.severities.get(rule.code).copied().unwrap_or(rule.severity)
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
