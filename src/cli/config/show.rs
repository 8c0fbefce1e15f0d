//! What `config show` and `config schema` print.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Config;
use super::file::{FailOn, File, Severity, Unknown, Values};
use crate::finding;
use crate::plan::Namespace;
use crate::policy::SWITCHES;
use crate::report;
use crate::rules;

/// The settings file again, with every default in its place.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Shown<'a> {
    fail_on: FailOn,
    unknown: Unknown,
    ignore: Vec<&'static str>,
    unsuppressible: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a str>,
    concurrency: u16,
    bucket_tags: bool,
    severity: BTreeMap<&'static str, Severity>,
    facts: ShownFacts<'a>,
    targets: ShownTargets<'a>,
    allow: Vec<ShownAllow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ShownFacts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    condition_keys: &'a BTreeMap<String, Values>,
    switches: BTreeMap<&'a str, bool>,
}

#[derive(Serialize)]
struct ShownTargets<'a> {
    template: &'a str,
    /// Without one, a source keeps the prefix that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownAllow<'a> {
    rule: &'a str,
    bucket: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

pub fn settings(config: &Config) -> String {
    let Config {
        path, settings, file, ..
    } = config;
    let codes = |set: &std::collections::BTreeSet<&'static str>| set.iter().copied().collect();
    let shown = Shown {
        fail_on: match settings.fail_on {
            Some(finding::Severity::Error) => FailOn::Error,
            Some(finding::Severity::Warning) => FailOn::Warning,
            Some(finding::Severity::Note) => FailOn::Note,
            None => FailOn::Never,
        },
        unknown: match settings.unknown {
            report::Unknown::Fail => Unknown::Fail,
            report::Unknown::Warn => Unknown::Warn,
            report::Unknown::Ignore => Unknown::Ignore,
        },
        ignore: codes(&settings.ignored),
        unsuppressible: codes(&settings.unsuppressible),
        baseline: file.baseline.as_deref(),
        concurrency: file
            .concurrency
            .as_ref()
            .map_or(crate::cli::arguments::CONCURRENCY, |n| *n.get_ref()),
        bucket_tags: file.bucket_tags,
        severity: rules::ALL
            .iter()
            .map(|rule| {
                let severity = match settings.severity(rule) {
                    finding::Severity::Error => Severity::Error,
                    finding::Severity::Warning => Severity::Warning,
                    finding::Severity::Note => Severity::Note,
                };
                (rule.name, severity)
            })
            .collect(),
        facts: ShownFacts {
            organization: file.facts.organization.as_ref().map(|o| o.get_ref().as_str()),
            condition_keys: &file.facts.condition_keys,
            switches: file
                .facts
                .switches
                .iter()
                .map(|(name, on)| (name.get_ref().as_str(), *on))
                .collect(),
        },
        targets: ShownTargets {
            template: config
                .target_template()
                .unwrap_or(Namespace::Global.default_template()),
            prefix: config.prefix_template(),
        },
        allow: file
            .allow
            .iter()
            .zip(&settings.suppressions)
            .map(|(allow, settled)| ShownAllow {
                rule: allow.rule.get_ref(),
                bucket: allow.bucket.get_ref(),
                account: allow.account.as_ref().map(|account| account.get_ref().as_str()),
                reason: allow.reason.get_ref(),
                expires: settled.expires.map(|day| day.to_string()),
            })
            .collect(),
    };
    let heading = match path {
        Some(path) => format!("# from {path}"),
        None => "# no settings file: these are the defaults".to_owned(),
    };
    let text = toml::to_string(&shown).unwrap_or_default();
    let mut questions =
        String::from("\n# What [facts.switches] can answer, since AWS's documentation doesn't:\n");
    for switch in SWITCHES {
        questions.push_str(&format!("#   {}: {}\n", switch.name, switch.asks));
    }
    format!("{heading}\n{text}{questions}")
}

pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
