//! What a settings file means: its names as rules, its patterns compiled.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use toml::Spanned;

use super::file::{self, File};
use super::{ConfigError, Fault};
use crate::finding::Severity;
use crate::inventory::{Document, Place, Title};
use crate::name::{AccountId, BucketName, check_organization};
use crate::plan;
use crate::policy::{Facts, SWITCHES, Truth};
use crate::report::{Settings, Suppression, Unknown, bucket_pattern};
use crate::rules::{self, GROUPS, Rule};

/// The rules that a word means: a code, the beginning of codes, a name, a group, or `all`.
pub fn rules_of(word: &str) -> Option<Vec<&'static Rule>> {
    let word = word.trim();
    if let Some(rule) = rules::find(word) {
        return Some(vec![rule]);
    }
    let group = GROUPS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    let start = match group {
        Some((_, start)) => (*start).to_owned(),
        None if word.eq_ignore_ascii_case("all") => String::new(),
        None => word.to_ascii_uppercase(),
    };
    let found: Vec<&Rule> = rules::ALL
        .iter()
        .filter(|rule| rule.code.starts_with(&start))
        .collect();
    // A group that has no rules yet is a group all the same.
    let is_known = group.is_some() || (start.is_empty() && !word.is_empty()) || start.starts_with("S3L");
    (is_known && (group.is_some() || !found.is_empty())).then_some(found)
}

impl File {
    /// The settings that the file asks for.
    pub fn settle(&self, document: &Arc<Document>) -> Result<Settings, ConfigError> {
        let settle = Settle { document };
        let mut settings = Settings::default();
        if let Some(fail_on) = self.fail_on {
            settings.fail_on = match fail_on {
                file::FailOn::Error => Some(Severity::Error),
                file::FailOn::Warning => Some(Severity::Warning),
                file::FailOn::Note => Some(Severity::Note),
                file::FailOn::Never => None,
            };
        }
        if let Some(unknown) = self.unknown {
            settings.unknown = match unknown {
                file::Unknown::Fail => Unknown::Fail,
                file::Unknown::Warn => Unknown::Warn,
                file::Unknown::Ignore => Unknown::Ignore,
            };
        }
        settings.unsuppressible = settle.codes(&self.unsuppressible)?;
        if let Some(select) = &self.select {
            settings.select(&settle.codes(select)?);
        }
        for word in &self.ignore {
            let codes: BTreeSet<&'static str> = settle.rules(word)?.iter().map(|rule| rule.code).collect();
            if let Some(code) = codes.intersection(&settings.unsuppressible).next() {
                return Err(settle.wrong(word.span(), Fault::Unsuppressible(code)));
            }
            settings.ignored.extend(codes);
        }
        let mut severities = Vec::new();
        for (word, severity) in &self.severity {
            let severity = match severity {
                file::Severity::Error => Severity::Error,
                file::Severity::Warning => Severity::Warning,
                file::Severity::Note => Severity::Note,
            };
            severities.push((settle.rules(word)?, severity));
        }
        // The narrower word goes last, and so wins.
        severities.sort_by_key(|(rules, _)| std::cmp::Reverse(rules.len()));
        for (rules, severity) in severities {
            settings
                .severities
                .extend(rules.iter().map(|rule| (rule.code, severity)));
        }
        for allow in &self.allow {
            let suppression = settle.suppression(allow, &settings.unsuppressible)?;
            settings.suppressions.push(suppression);
        }
        if let Some(concurrency) = &self.concurrency
            && !(1..=512).contains(concurrency.get_ref())
        {
            return Err(settle.wrong(concurrency.span(), Fault::Concurrency));
        }
        if let Some(template) = &self.targets.template {
            let name = settle.filled(template, &["account", "region"])?;
            if let Err(reason) = BucketName::parse(&name) {
                return Err(settle.wrong(template.span(), Fault::TargetName { name, reason }));
            }
        }
        if let Some(template) = &self.targets.prefix {
            settle.filled(template, &["source", "account", "region"])?;
        }
        if let Some(organization) = &self.facts.organization {
            let text = organization.get_ref();
            if let Err(reason) = check_organization(text) {
                return Err(settle.wrong(organization.span(), Fault::Organization(text.clone(), reason)));
            }
        }
        Ok(settings)
    }
}

impl File {
    /// What the user knows of the policies' open ends.
    pub fn knowledge(&self, document: &Arc<Document>) -> Result<Facts, ConfigError> {
        let mut facts = Facts::default();
        for (key, values) in &self.facts.condition_keys {
            facts = match values {
                file::Values::One(value) => facts.know(key, [value.clone()]),
                file::Values::Many(values) if values.is_empty() => facts.know_absent(key),
                file::Values::Many(values) => facts.know(key, values.iter().cloned()),
            };
        }
        for (name, answer) in &self.facts.switches {
            let Some(switch) = SWITCHES.iter().find(|switch| switch.name == name.get_ref()) else {
                let fault = Fault::NoSwitch(name.get_ref().clone());
                return Err(ConfigError::at(document, name.span(), fault));
            };
            let answer = match answer {
                true => Truth::True,
                false => Truth::False,
            };
            facts = facts.answer(switch.question, answer);
        }
        Ok(facts)
    }
}

struct Settle<'a> {
    document: &'a Arc<Document>,
}

impl Settle<'_> {
    fn wrong(&self, span: Range<usize>, fault: Fault) -> ConfigError {
        ConfigError::at(self.document, span, fault)
    }

    fn rules(&self, word: &Spanned<String>) -> Result<Vec<&'static Rule>, ConfigError> {
        rules_of(word.get_ref()).ok_or_else(|| {
            let fault = Fault::NoRule {
                given: word.get_ref().clone(),
                suggestion: crate::cli::rules::nearest(word.get_ref()),
            };
            self.wrong(word.span(), fault)
        })
    }

    /// What a template may become.
    fn filled(
        &self,
        template: &Spanned<String>,
        known: &'static [&'static str],
    ) -> Result<String, ConfigError> {
        let values: Vec<(&str, &str)> = known
            .iter()
            .map(|name| match *name {
                "account" => (*name, "111122223333"),
                "region" => (*name, "eu-west-1"),
                _ => (*name, "app-data"),
            })
            .collect();
        plan::fill(template.get_ref(), &values)
            .map_err(|placeholder| self.wrong(template.span(), Fault::Placeholder { placeholder, known }))
    }

    fn codes(&self, words: &[Spanned<String>]) -> Result<BTreeSet<&'static str>, ConfigError> {
        let mut codes = BTreeSet::new();
        for word in words {
            codes.extend(self.rules(word)?.iter().map(|rule| rule.code));
        }
        Ok(codes)
    }

    fn suppression(
        &self,
        allow: &file::Allow,
        unsuppressible: &BTreeSet<&'static str>,
    ) -> Result<Suppression, ConfigError> {
        let rules: BTreeSet<&'static str> = self.rules(&allow.rule)?.iter().map(|rule| rule.code).collect();
        if let Some(code) = rules.intersection(unsuppressible).next() {
            return Err(self.wrong(allow.rule.span(), Fault::Unsuppressible(code)));
        }
        let reason = allow.reason.get_ref().trim();
        if reason.is_empty() {
            return Err(self.wrong(allow.reason.span(), Fault::NoReason));
        }
        let buckets = bucket_pattern(allow.bucket.get_ref()).map_err(|error| {
            let fault = Fault::Pattern {
                given: allow.bucket.get_ref().clone(),
                reason: error.kind().to_string(),
            };
            self.wrong(allow.bucket.span(), fault)
        })?;
        let account = match &allow.account {
            None => None,
            Some(account) => Some(AccountId::parse(account.get_ref()).map_err(|error| {
                self.wrong(account.span(), Fault::Account(account.get_ref().clone(), error))
            })?),
        };
        let expires = match &allow.expires {
            None => None,
            Some(date) => {
                Some(day(date.get_ref()).map_err(|text| self.wrong(date.span(), Fault::Date(text)))?)
            }
        };
        // The rule's word is where an unused suppression is shown.
        let mut place = Place::new(self.document, "");
        place.span = Some(allow.rule.span());
        Ok(Suppression {
            rules,
            buckets,
            account,
            reason: reason.to_owned(),
            expires,
            place,
        })
    }
}

/// A day, as TOML's own date or in quotes; what it is instead.
fn day(value: &toml::Value) -> Result<Date, String> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(date) => date.to_string(),
        other => other.to_string(),
    };
    text.trim().parse().map_err(|_| text)
}

/// The text of a settings file as a document that findings can point into.
pub fn document(path: &str, text: &str) -> Arc<Document> {
    Arc::new(Document {
        title: Title::File {
            path: path.to_owned(),
        },
        text: text.into(),
        host: None,
    })
}
