//! A plan as a file, version 1: what was shown is written, and what is read is applied.

use std::collections::BTreeMap;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::{Change, Namespace, NewBucket, Plan, Put, Setting};
use crate::name::{AccountId, BucketName, NameError, Partition, Region};

pub const VERSION: u64 = 1;

/// Why a text is no plan that can be applied.
#[derive(Debug, Clone, Error, Diagnostic, PartialEq, Eq)]
pub enum PlanFileError {
    #[error("line {line}, column {column}: {reason}")]
    #[diagnostic(
        code(plan::file),
        help("write it again with `--out`; a plan is not edited by hand")
    )]
    Malformed {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("this is a plan of version {found}; this program reads version {VERSION}")]
    #[diagnostic(code(plan::file_version), help("use a release of s3log-lint that reads it"))]
    Version { found: u64 },
    #[error("`{given}`: {reason}")]
    #[diagnostic(
        code(plan::file_name),
        help("write it again with `--out`; a plan is not edited by hand")
    )]
    Name { given: String, reason: NameError },
    #[error("`{given}` is no setting of a bucket that can be changed")]
    #[diagnostic(code(plan::file_setting), help("use the release of s3log-lint that wrote it"))]
    Setting { given: String },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanJson {
    version: u64,
    tool: String,
    account: String,
    partition: String,
    changes: Vec<ChangeJson>,
    #[serde(default)]
    remarks: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum ChangeJson {
    CreateBucket {
        bucket: String,
        region: String,
        namespace: NamespaceJson,
        tags: BTreeMap<String, String>,
    },
    DeleteBucket {
        bucket: String,
        region: String,
        namespace: NamespaceJson,
        tags: BTreeMap<String, String>,
    },
    Put {
        bucket: String,
        region: String,
        setting: String,
        before: Option<Value>,
        after: Option<Value>,
    },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NamespaceJson {
    Global,
    AccountRegional,
}

#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl Plan {
    /// The text that `--out` writes: for people to read, too.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&PlanJson::of(self))
            .expect("because it is made of texts and of JSON alone");
        text.push('\n');
        text
    }

    /// The same in one line.
    pub fn to_line(&self) -> String {
        serde_json::to_string(&PlanJson::of(self)).expect("because it is made of texts and of JSON alone")
    }

    pub fn parse(text: &str) -> Result<Self, PlanFileError> {
        let head: Head = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        if head.version != VERSION {
            return Err(PlanFileError::Version { found: head.version });
        }
        let file: PlanJson = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        Ok(Self {
            account: name(&file.account, AccountId::parse)?,
            partition: name(&file.partition, Partition::parse)?,
            changes: file
                .changes
                .into_iter()
                .map(ChangeJson::read)
                .collect::<Result<_, _>>()?,
            remarks: file.remarks,
        })
    }
}

fn malformed(error: &serde_json::Error) -> PlanFileError {
    let whole = error.to_string();
    let reason = whole
        .rsplit_once(" at line ")
        .map_or(whole.as_str(), |(reason, _)| reason);
    PlanFileError::Malformed {
        line: error.line(),
        column: error.column(),
        reason: reason.to_owned(),
    }
}

fn name<T>(given: &str, parse: impl Fn(&str) -> Result<T, NameError>) -> Result<T, PlanFileError> {
    parse(given).map_err(|reason| PlanFileError::Name {
        given: given.to_owned(),
        reason,
    })
}

impl PlanJson {
    fn of(plan: &Plan) -> Self {
        Self {
            version: VERSION,
            tool: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            account: plan.account.to_string(),
            partition: plan.partition.to_string(),
            changes: plan.changes.iter().map(ChangeJson::of).collect(),
            remarks: plan.remarks.clone(),
        }
    }
}

impl ChangeJson {
    fn of(change: &Change) -> Self {
        match change {
            Change::CreateBucket(new) => Self::CreateBucket {
                bucket: new.bucket.to_string(),
                region: new.region.to_string(),
                namespace: NamespaceJson::of(new.namespace),
                tags: new.tags.clone(),
            },
            Change::DeleteBucket(new) => Self::DeleteBucket {
                bucket: new.bucket.to_string(),
                region: new.region.to_string(),
                namespace: NamespaceJson::of(new.namespace),
                tags: new.tags.clone(),
            },
            Change::Put(put) => Self::Put {
                bucket: put.bucket.to_string(),
                region: put.region.to_string(),
                setting: put.setting.word().to_owned(),
                before: put.before.clone(),
                after: put.after.clone(),
            },
        }
    }

    fn read(self) -> Result<Change, PlanFileError> {
        let new = |bucket: &str, region: &str, namespace: NamespaceJson, tags| {
            Ok(NewBucket {
                bucket: name(bucket, BucketName::parse)?,
                region: name(region, Region::parse)?,
                namespace: namespace.read(),
                tags,
            })
        };
        Ok(match self {
            Self::CreateBucket {
                bucket,
                region,
                namespace,
                tags,
            } => Change::CreateBucket(new(&bucket, &region, namespace, tags)?),
            Self::DeleteBucket {
                bucket,
                region,
                namespace,
                tags,
            } => Change::DeleteBucket(new(&bucket, &region, namespace, tags)?),
            Self::Put {
                bucket,
                region,
                setting,
                before,
                after,
            } => Change::Put(Put {
                bucket: name(&bucket, BucketName::parse)?,
                region: name(&region, Region::parse)?,
                setting: Setting::from_word(&setting).ok_or(PlanFileError::Setting { given: setting })?,
                before,
                after,
            }),
        })
    }
}

impl NamespaceJson {
    fn of(namespace: Namespace) -> Self {
        match namespace {
            Namespace::Global => Self::Global,
            Namespace::AccountRegional => Self::AccountRegional,
        }
    }

    fn read(self) -> Namespace {
        match self {
            Self::Global => Namespace::Global,
            Self::AccountRegional => Namespace::AccountRegional,
        }
    }
}
