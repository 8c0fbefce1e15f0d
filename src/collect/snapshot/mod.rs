//! The recorded answers of AWS, raw and without a judgement: a live run and its recording are the same text.
//!
//! [`Snapshot`] is what a run writes; [`read`] makes an inventory of it, from memory or from a file alike.

mod answers;
mod read;
mod renew;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

pub use read::{SnapshotError, read};
pub use renew::renew;

use crate::inventory::Call;

/// The version of the format that is written, and the only one that is read.
pub const VERSION: u64 = 1;

/// Every answer of one run.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    pub version: u64,
    pub taken_at: String,
    pub unasked: &'static str,
    pub api_calls: u64,
    pub accounts: Vec<AccountAnswers>,
}

impl Snapshot {
    /// A recording: what was not asked is unknown.
    pub fn recorded(taken_at: String, api_calls: u64, accounts: Vec<AccountAnswers>) -> Self {
        Self {
            version: VERSION,
            taken_at,
            unasked: "unknown",
            api_calls,
            accounts,
        }
    }
}

/// The answers about one account.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AccountAnswers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub partition: String,
    /// Written only where the listing of buckets is not complete: its error, or `{"partial": true}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_buckets: Option<Value>,
    pub buckets: BTreeMap<String, BucketAnswers>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub elsewhere: BTreeMap<String, BucketAnswers>,
}

/// The answers about one bucket, by the key of the call.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BucketAnswers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The run was not asked to look at this bucket; it stands here because others may log to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub out_of_scope: bool,
    #[serde(flatten)]
    pub calls: BTreeMap<&'static str, Value>,
}

impl BucketAnswers {
    pub fn record(&mut self, call: Call, answer: Value) {
        self.calls.insert(call.key(), answer);
    }
}

/// An error of AWS as it is written in a snapshot.
pub fn error_answer(code: &str, message: Option<&str>, status: Option<u16>) -> Value {
    let mut error = serde_json::Map::new();
    error.insert("code".to_owned(), code.into());
    if let Some(message) = message {
        error.insert("message".to_owned(), message.into());
    }
    if let Some(status) = status {
        error.insert("status".to_owned(), status.into());
    }
    serde_json::json!({ "error": error })
}
