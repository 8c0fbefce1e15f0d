//! Suppressions: what is allowed, on which buckets, why, and until when. None of them can rot unseen.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use jiff::civil::Date;

use super::{Coverage, Settings};
use crate::finding::{Finding, Subject, Undecided};
use crate::inventory::{Allowance, Place};
use crate::name::AccountId;
use crate::rules::{self, Reported, Rule, expired_suppression, invalid_suppression, unused_suppression};

/// A suppression of the settings, its names checked.
#[derive(Debug, Clone)]
pub struct Suppression {
    pub rules: BTreeSet<&'static str>,
    pub buckets: GlobMatcher,
    /// Only in this account.
    pub account: Option<AccountId>,
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    pub place: Place,
}

/// One suppression at work, wherever it was written.
struct Entry<'a> {
    codes: BTreeSet<&'static str>,
    whom: Whom<'a>,
    expires: Option<Date>,
    place: &'a Place,
    used: bool,
}

/// Whose findings it holds back.
enum Whom<'a> {
    /// Every bucket whose name matches.
    Matching(&'a GlobMatcher, Option<&'a AccountId>),
    /// The bucket that it stands next to.
    Declared(&'a str, Option<&'a AccountId>),
}

/// What is left once suppressions are applied.
pub(super) struct Sifted {
    pub findings: Vec<Reported<Finding>>,
    pub suppressed: usize,
}

/// Holds back what is allowed, and adds what is wrong with the allowing.
pub(super) fn sift(
    findings: Vec<Reported<Finding>>,
    undecided: &[Reported<Undecided>],
    coverage: &Coverage,
    settings: &Settings,
) -> Sifted {
    let mut about = Vec::new();
    let mut entries = Vec::new();
    for suppression in &settings.suppressions {
        entries.push(Entry {
            codes: suppression.rules.clone(),
            whom: Whom::Matching(&suppression.buckets, suppression.account.as_ref()),
            expires: suppression.expires,
            place: &suppression.place,
            used: false,
        });
    }
    for covered in &coverage.buckets {
        for allowance in &covered.allowances {
            let whom = Whom::Declared(&covered.label, covered.account.as_ref());
            match declared(allowance, settings) {
                Ok(code) => entries.push(Entry {
                    codes: BTreeSet::from([code]),
                    whom,
                    expires: allowance.expires,
                    place: &allowance.place,
                    used: false,
                }),
                Err(fault) => about.push(Reported {
                    rule: &invalid_suppression::RULE,
                    subject: whom.subject(),
                    said: Box::new(invalid_suppression::finding(
                        &allowance.rule,
                        &fault,
                        &allowance.place,
                    )),
                }),
            }
        }
    }
    if entries.is_empty() && about.is_empty() {
        return Sifted {
            findings,
            suppressed: 0,
        };
    }
    let before = findings.len();
    let mut findings: Vec<_> = findings
        .into_iter()
        .filter(|finding| !is_held_back(finding, &mut entries, settings))
        .collect();
    let suppressed = before - findings.len();
    about.extend(
        entries
            .iter()
            .flat_map(|entry| entry.complain(undecided, coverage, settings)),
    );
    findings.append(&mut about);
    Sifted { findings, suppressed }
}

/// The code that an allowance in a file means.
fn declared(allowance: &Allowance, settings: &Settings) -> Result<&'static str, String> {
    if let Some(fault) = &allowance.fault {
        return Err(fault.to_string());
    }
    let Some(rule) = rules::find(&allowance.rule) else {
        return Err(format!("there is no rule `{}`", allowance.rule));
    };
    if settings.unsuppressible.contains(rule.code) {
        return Err(format!("the settings say that {} can't be suppressed", rule.code));
    }
    Ok(rule.code)
}

fn is_held_back(finding: &Reported<Finding>, entries: &mut [Entry<'_>], settings: &Settings) -> bool {
    let mut held = false;
    // Every entry that fits is used: of two that fit, dropping one changes nothing, and nobody can say which.
    for entry in entries.iter_mut() {
        if !entry.is_expired(settings) && entry.fits(finding) {
            entry.used = true;
            held = true;
        }
    }
    held
}

impl Whom<'_> {
    fn fits(&self, account: Option<&AccountId>, bucket: &str) -> bool {
        match self {
            Whom::Matching(glob, only) => {
                only.is_none_or(|only| account == Some(only)) && glob.is_match(bucket)
            }
            Whom::Declared(label, own) => *own == account && *label == bucket,
        }
    }

    fn subject(&self) -> Subject {
        let (account, bucket) = match self {
            Whom::Matching(glob, account) => (account, glob.glob().glob()),
            Whom::Declared(label, account) => (account, *label),
        };
        Subject {
            account: account.cloned(),
            region: None,
            bucket: bucket.to_owned(),
            target: None,
            name_known: true,
        }
    }
}

impl Entry<'_> {
    fn is_expired(&self, settings: &Settings) -> bool {
        matches!((self.expires, settings.today), (Some(last), Some(today)) if last < today)
    }

    fn fits(&self, finding: &Reported<Finding>) -> bool {
        let subject = &finding.subject;
        let account = subject.account.as_ref();
        let own = std::iter::once(&subject.bucket);
        self.codes.contains(finding.rule.code)
            && own
                .chain(&finding.said.cycle)
                .any(|bucket| self.whom.fits(account, bucket))
    }

    /// What is wrong with it, as far as this run can know.
    fn complain(
        &self,
        undecided: &[Reported<Undecided>],
        coverage: &Coverage,
        settings: &Settings,
    ) -> Option<Reported<Finding>> {
        let said = |rule: &'static Rule, said: Finding| {
            Some(Reported {
                rule,
                subject: self.whom.subject(),
                said: Box::new(said),
            })
        };
        let codes: Vec<&str> = self.codes.iter().copied().collect();
        let codes = codes.join(", ");
        if let Some(last) = self.expires.filter(|_| self.is_expired(settings)) {
            let finding = expired_suppression::finding(&codes, &last.to_string(), self.place);
            return said(&expired_suppression::RULE, finding);
        }
        let open = undecided.iter().any(|each| {
            self.codes.contains(each.rule.code)
                && self
                    .whom
                    .fits(each.subject.account.as_ref(), &each.subject.bucket)
        });
        if self.used || open {
            return None;
        }
        let matched = coverage
            .buckets
            .iter()
            .filter(|covered| self.whom.fits(covered.account.as_ref(), &covered.label))
            .count();
        // A pattern that matches nothing here may be meant for what this run didn't look at.
        let elsewhere = match &self.whom {
            Whom::Matching(_, Some(account)) => !coverage.holds(account),
            Whom::Matching(_, None) | Whom::Declared(..) => false,
        };
        if matched == 0 && (elsewhere || !coverage.complete) {
            return None;
        }
        let finding = unused_suppression::finding(&codes, matched, self.place);
        said(&unused_suppression::RULE, finding)
    }
}

/// A pattern for bucket names: `*`, `?`, `[ab]`, `{a,b}`.
pub fn bucket_pattern(text: &str) -> Result<GlobMatcher, globset::Error> {
    Glob::new(text).map(|glob| glob.compile_matcher())
}
