//! What can go wrong in a run, each with what to do about it.

use std::io;

use miette::Diagnostic;
use thiserror::Error;

use super::config::ConfigError;
use crate::collect::cloudformation::{ParameterError, TemplateError};
use crate::collect::encoding::EncodingError;
use crate::collect::kind::KindError;
use crate::collect::snapshot::SnapshotError;
use crate::collect::terraform::TerraformError;
use crate::report::BaselineError;

#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    #[error("can't read {path}: {source}")]
    #[diagnostic(help(
        "give the path of a file that exists and that you may read, or `-` for standard input"
    ))]
    Read { path: String, source: io::Error },
    #[error("{path} is not text: it has a byte that no UTF-8 text has, at offset {offset}")]
    #[diagnostic(help("give a text file"))]
    NotText { path: String, offset: usize },
    #[error("can't write {path}: {source}")]
    #[diagnostic(help("give a path in a folder that exists and that you may write to"))]
    Write { path: String, source: io::Error },
    #[error("two reports are to be written to {path}")]
    #[diagnostic(help("give each `--output` and `--write-baseline` a path of its own"))]
    SamePath { path: String },
    #[error("a report is to be written to {path}, which the run reads")]
    #[diagnostic(help("give the report a path of its own"))]
    OverItsInput { path: String },
    #[error("can't write to standard output: {0}")]
    Output(#[source] io::Error),
    #[error("{path}, {source}")]
    Snapshot {
        path: String,
        #[diagnostic_source]
        source: SnapshotError,
    },
    #[error("{path}, {source}")]
    Terraform {
        path: String,
        #[diagnostic_source]
        source: TerraformError,
    },
    #[error("{path} can't be read: {source}")]
    Encoding {
        path: String,
        #[diagnostic_source]
        source: EncodingError,
    },
    #[error("{path} can't be checked: {source}")]
    Kind {
        path: String,
        #[diagnostic_source]
        source: KindError,
    },
    #[error("{path} is a folder without a `manifest.json`")]
    #[diagnostic(help(
        "give a `cdk.out` folder, or the files themselves; a Terraform configuration is checked by its plan: \
         `terraform show -json tfplan > plan.json`"
    ))]
    Folder { path: String },
    #[error("`--new-only` compares the time after a change with the time before, and no change is given")]
    #[diagnostic(help("give the change: `--with plan.json`"))]
    NoChange,
    #[error(
        "`--new-only` compares the time after a change with the time before, of which these files say nothing"
    )]
    #[diagnostic(help(
        "lay them onto what is there: `--onto SNAPSHOT`; or give a Terraform plan or a change set, which say both"
    ))]
    NoBefore,
    #[error("{given} says something of a template, and none of the files is one")]
    #[diagnostic(help("leave the option out, or give the template"))]
    NoTemplate { given: &'static str },
    #[error("{0}")]
    Config(#[diagnostic_source] ConfigError),
    #[error("{path} is no baseline: {source}")]
    #[diagnostic(help("give a file that `--write-baseline` wrote"))]
    Baseline { path: String, source: BaselineError },
    #[error("`{glob}` is no pattern for bucket names: {reason}")]
    #[diagnostic(help("`*` stands for any characters, `?` for one, `[ab]` for one of these"))]
    Glob { glob: String, reason: String },
    #[error("there is no bucket `{name}`")]
    #[diagnostic(help(
        "look at the spelling and at the account (`--profile`, `--snapshot`); `*` stands for any characters"
    ))]
    NoBucket { name: String },
    #[error("no bucket matches `{pattern}`")]
    #[diagnostic(help(
        "look at the spelling and at the account (`--profile`, `--snapshot`); `*` stands for any characters"
    ))]
    NoMatch { pattern: String },
    #[error("`{given}` is no region: {reason}")]
    #[diagnostic(help("{}", match suggestion {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "give a region's code, such as eu-west-1".to_owned(),
    }))]
    Region {
        given: String,
        reason: String,
        suggestion: Option<&'static str>,
    },
    #[error("no bucket is selected: none of those that are asked for is in {}", regions.join(" or "))]
    #[diagnostic(help("look at `--region`, and at the account (`--profile`, `--snapshot`)"))]
    NothingSelected { regions: Vec<String> },
    #[error("`{bucket}` is in {region}, which `--region` leaves out")]
    #[diagnostic(help("add `--region {region}`, or leave `--region` out"))]
    OtherRegion { bucket: String, region: String },
    #[error("`{given}` is no partition: {reason}")]
    #[diagnostic(help("give a partition, such as aws, aws-cn or aws-us-gov"))]
    Partition { given: String, reason: String },
    #[error("`{given}` says nothing of a condition key")]
    #[diagnostic(help("write a key and its value, such as `--fact aws:SourceOrgID=o-exampleorgid`"))]
    Fact { given: String },
    #[error("there is no bucket `{given}` in what was read")]
    #[diagnostic(help("{}", match similar.as_slice() {
        [] => "give the name of a bucket of the account, or of the recording".to_owned(),
        similar => format!("did you mean {}?", similar.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", or ")),
    }))]
    NoSource { given: String, similar: Vec<String> },
    #[error("several accounts have a bucket `{given}`: {}", accounts.join(", "))]
    #[diagnostic(help("say which with `--account ID`"))]
    SeveralAccounts { given: String, accounts: Vec<String> },
    #[error("`{given}` logs to no bucket yet")]
    #[diagnostic(help("say to which it would, with `--target BUCKET`"))]
    NoTarget { given: String },
    #[error("`{given}` is no account: {reason}")]
    #[diagnostic(help("give the twelve digits of the account's id"))]
    Account { given: String, reason: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Template(TemplateError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Parameter(ParameterError),
    #[error("{path}, {source}")]
    ParameterFile {
        path: String,
        #[diagnostic_source]
        source: ParameterError,
    },
    #[error("there is no rule `{given}`")]
    #[diagnostic(help("{}", match suggestion {
        Some(name) => format!("did you mean `{name}`? `s3log-lint rules` lists them all"),
        None => "`s3log-lint rules` lists them all".to_owned(),
    }))]
    NoRule {
        given: String,
        suggestion: Option<&'static str>,
    },
    #[error("a recording is made of a live account: {given} can't be recorded")]
    #[diagnostic(help("leave the option out, or copy the file"))]
    NothingToRecord { given: &'static str },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Refused(#[from] crate::plan::Refusal),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stopped(#[from] crate::apply::Stop),
    #[error("the {setting} of `{bucket}` changed since it was planned")]
    #[diagnostic(help(
        "nothing was written over it: write a new plan with `--out`, which starts from what is there now"
    ))]
    MovedSincePlanned { bucket: String, setting: &'static str },
    #[error("the {setting} of `{bucket}` changed since the plan was applied")]
    #[diagnostic(help(
        "nothing was written over it: `before` in the undo file holds what stood there, to be put back by hand where it \
         is still wanted"
    ))]
    MovedSinceApplied { bucket: String, setting: &'static str },
    #[error("{path} is no undo file: {reason}")]
    #[diagnostic(help(
        "give the file that an applied plan left: its path was told then, and such files lie in \
         `~/.local/state/s3log-lint`"
    ))]
    UndoFile { path: String, reason: String },
    #[error("{path} is there already, and {reason}")]
    #[diagnostic(help("give another `--undo-file`; nothing was written"))]
    UndoFileTaken { path: String, reason: &'static str },
    #[error("{path} is no plan: {source}")]
    PlanFile {
        path: String,
        #[diagnostic_source]
        source: crate::plan::PlanFileError,
    },
    #[error("a CloudFormation template is of one region; the plan is for {}", regions.join(", "))]
    #[diagnostic(help("name the buckets of one region at a time, or choose another `--emit`"))]
    SeveralRegions { regions: Vec<String> },
    #[error("the repairs would bring another fault: {message} ({code})")]
    #[diagnostic(help("choose fewer of them with `--select` or `--bucket`"))]
    Worse { code: &'static str, message: String },
    #[error("to be asked for each finding takes a terminal")]
    #[diagnostic(help("leave out `--interactive`, and choose with `--select` and `--bucket`"))]
    NoTerminal,
    #[error("simple keys have no partitions, and so no date of theirs")]
    #[diagnostic(help("leave out `--date-source`, or say `--key-format partitioned`"))]
    DateOfSimpleKeys,
    #[error("a grant for the organization needs its id")]
    #[diagnostic(help("name it with `--organization o-…`"))]
    NoOrganization,
    #[cfg(feature = "aws")]
    #[error("whose account this is can't be told: GetCallerIdentity failed with {code}")]
    #[diagnostic(help(
        "nothing is written to an account that isn't known; try `aws sts get-caller-identity`"
    ))]
    NoIdentity { code: String },
    #[cfg(feature = "aws")]
    #[error("what arrives can only be seen in a live account")]
    #[diagnostic(help("leave out `--snapshot` or `--demo`; `s3log-lint audit` reads these"))]
    NothingToSee,
    #[cfg(feature = "aws")]
    #[error(transparent)]
    #[diagnostic(transparent)]
    Aws(#[from] crate::aws::Error),
    #[cfg(feature = "aws")]
    #[error("can't start the work: {0}")]
    Runtime(#[source] io::Error),
    #[cfg(feature = "aws")]
    #[error("interrupted before the end")]
    #[diagnostic(help("run it again; what was asked so far is forgotten"))]
    Interrupted,
    #[cfg(not(feature = "aws"))]
    #[error("this build of s3log-lint can't talk to AWS")]
    #[diagnostic(help("read a recording with `--snapshot FILE`, or build with the feature `aws`"))]
    NoAws,
}

impl Error {
    /// What to do about it.
    pub fn help_text(&self) -> Option<String> {
        let own = self.help().map(|help| help.to_string());
        own.or_else(|| self.diagnostic_source()?.help().map(|help| help.to_string()))
    }
}
