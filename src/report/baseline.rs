//! The findings that are known already, by fingerprint: never by a line, which moves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Coverage, Fingerprinted};
use crate::finding::Undecided;
use crate::rules::Reported;

const VERSION: u32 = 1;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<String, Entry>,
}

/// A finding as the file tells it: the fingerprint decides, the rest is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub fingerprint: String,
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub bucket: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u32,
    findings: Vec<Entry>,
}

#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("line {line}, column {column}: {reason}")]
    Malformed {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("it is of version {0}, and this release reads version {VERSION}")]
    Version(u32),
}

impl Baseline {
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: File = serde_json::from_str(text).map_err(|error| {
            let told = error.to_string();
            let at = format!(" at line {} column {}", error.line(), error.column());
            BaselineError::Malformed {
                line: error.line(),
                column: error.column(),
                reason: told.strip_suffix(&at).unwrap_or(&told).to_owned(),
            }
        })?;
        if file.version != VERSION {
            return Err(BaselineError::Version(file.version));
        }
        let entries = file.findings.into_iter();
        Ok(Self {
            entries: entries.map(|entry| (entry.fingerprint.clone(), entry)).collect(),
        })
    }

    /// A baseline of these findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Fingerprinted>) -> Self {
        let entry = |all: &Fingerprinted| {
            let subject = &all.finding.subject;
            let entry = Entry {
                fingerprint: all.fingerprint.clone(),
                code: all.finding.rule.code.to_owned(),
                account: subject.account.as_ref().map(ToString::to_string),
                bucket: subject.bucket.clone(),
                target: subject.target.clone(),
            };
            (all.fingerprint.clone(), entry)
        };
        Self {
            entries: findings.into_iter().map(entry).collect(),
        }
    }

    /// The text of its file, ordered for people and for diffs.
    pub fn to_text(&self) -> String {
        let mut findings: Vec<Entry> = self.entries.values().cloned().collect();
        findings.sort_by(|a, b| {
            (&a.account, &a.code, &a.bucket, &a.target, &a.fingerprint).cmp(&(
                &b.account,
                &b.code,
                &b.bucket,
                &b.target,
                &b.fingerprint,
            ))
        });
        let file = File {
            version: VERSION,
            findings,
        };
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text.push('\n');
        text
    }

    pub fn holds(&self, fingerprint: &str) -> bool {
        self.entries.contains_key(fingerprint)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that this run looked at and found no more.
    pub(super) fn stale<'a>(
        &self,
        findings: impl Iterator<Item = &'a Fingerprinted>,
        undecided: &[Reported<Undecided>],
        coverage: &Coverage,
    ) -> Vec<Entry> {
        let found: BTreeSet<&str> = findings.map(|all| all.fingerprint.as_str()).collect();
        let is_stale = |entry: &&Entry| {
            let same_account = |account: Option<&str>| entry.account.as_deref() == account;
            let found = found.contains(entry.fingerprint.as_str());
            let open = undecided.iter().any(|each| {
                each.rule.code == entry.code
                    && each.subject.bucket == entry.bucket
                    && same_account(each.subject.account.as_ref().map(|account| account.as_str()))
            });
            let looked_at = coverage.buckets.iter().any(|covered| {
                *covered.label == *entry.bucket
                    && same_account(covered.account.as_ref().map(|account| account.as_str()))
            });
            let gone = coverage.complete && coverage.accounts().any(same_account);
            !found && !open && (looked_at || gone)
        };
        self.entries.values().filter(is_stale).cloned().collect()
    }
}
