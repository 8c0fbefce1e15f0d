//! The settings file as it is written. Each name keeps its place, so that an error can point at it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// Settings of s3log-lint. Every key is optional.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "s3log-lint.toml")]
pub struct File {
    /// The least severity that makes a run fail.
    pub fail_on: Option<FailOn>,
    /// What an undecided rule does: fail the run (exit 3), be shown, or be hidden.
    pub unknown: Option<Unknown>,
    /// The rules whose findings are shown: codes (`S3L003`), beginnings of codes (`S3L1`), names
    /// (`self-logging`), groups (`graph`, `grant`, `target`, `trail`, `arrival`, `suppression`) or `all`.
    #[schemars(with = "Option<Vec<String>>")]
    pub select: Option<Vec<Spanned<String>>>,
    /// The rules whose findings are not shown, in the same words. An edge that they say is blocked stays blocked.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub ignore: Vec<Spanned<String>>,
    /// The rules that nobody may suppress, in the same words.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub unsuppressible: Vec<Spanned<String>>,
    /// A severity other than the rule's own, by code, name or group. What names a rule goes before what names many.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Severity>")]
    pub severity: BTreeMap<Spanned<String>, Severity>,
    /// A file of known findings, which are counted and not reported; seen from the folder of this file.
    pub baseline: Option<String>,
    /// How many calls to AWS run at once, at most.
    #[schemars(range(min = 1, max = 512))]
    #[schemars(with = "Option<u16>")]
    pub concurrency: Option<Spanned<u16>>,
    /// Whether suppressions are read from the buckets' tags too (`s3log-lint:allow:S3L003` = the reason): one more
    /// call for each bucket.
    #[serde(default)]
    pub bucket_tags: bool,
    /// What you know and AWS doesn't tell.
    #[serde(default)]
    pub facts: Facts,
    /// How log buckets are expected to be named; `enable` and `fix` take their defaults from here.
    #[serde(default)]
    pub targets: Targets,
    /// What is allowed, on which buckets, and why.
    #[serde(default)]
    pub allow: Vec<Allow>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    Fail,
    Warn,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Facts {
    /// The organization of the accounts (`o-…`), or `none`.
    #[schemars(with = "Option<String>")]
    pub organization: Option<Spanned<String>>,
    /// What a log delivery carries under a condition key: a value or several; an empty list for nothing at all.
    #[serde(default)]
    pub condition_keys: BTreeMap<String, Values>,
    /// Your answers to questions that AWS's documentation leaves open; `config show` lists the questions.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, bool>")]
    pub switches: BTreeMap<Spanned<String>, bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Targets {
    /// The name of a log bucket, with `{account}` and `{region}`.
    #[schemars(with = "Option<String>")]
    pub template: Option<Spanned<String>>,
    /// The prefix of a source's logs, with `{source}`, `{account}` and `{region}`.
    #[schemars(with = "Option<String>")]
    pub prefix: Option<Spanned<String>>,
}

/// One suppression.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Allow {
    /// A code, the beginning of codes, a name or a group.
    #[schemars(with = "String")]
    pub rule: Spanned<String>,
    /// A pattern for the names of buckets: `*`, `?`, `[ab]`, `{a,b}`.
    #[schemars(with = "String")]
    pub bucket: Spanned<String>,
    /// Only in this account.
    #[schemars(with = "Option<String>")]
    pub account: Option<Spanned<String>>,
    /// Why. It can't be empty.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
    /// The last day on which it holds, like 2027-01-31.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Spanned<toml::Value>>,
}
