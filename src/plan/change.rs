//! A change: one bucket, or one setting of one, from a whole value to a whole value.
//!
//! S3's puts replace the whole document, so a change holds whole documents: `before` is what must stand there when
//! it is applied and what its inverse writes back, `after` is what stands there then. A missing document means that
//! nothing is configured.

use std::collections::BTreeMap;

use serde_json::Value;

use super::normal;
use crate::inventory::Call;
use crate::name::{BucketName, Region};

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    CreateBucket(NewBucket),
    /// Only the inverse of a creation; done only to an empty bucket.
    DeleteBucket(NewBucket),
    Put(Put),
}

/// A bucket that doesn't exist yet. It is owner-enforced and tagged from its first moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBucket {
    pub bucket: BucketName,
    pub region: Region,
    pub namespace: Namespace,
    pub tags: BTreeMap<String, String>,
}

/// Whose the names are: everybody's, or the account's alone, where nobody else can take a deleted one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Namespace {
    #[default]
    Global,
    AccountRegional,
}

/// One setting is replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    pub bucket: BucketName,
    pub region: Region,
    pub setting: Setting,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The settings that can be changed, in the form that the AWS CLI prints them; a policy is its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    OwnershipControls,
    PublicAccessBlock,
    Encryption,
    RequestPayment,
    Lifecycle,
    Policy,
    Acl,
    Logging,
}

impl Setting {
    pub const ALL: [Setting; 8] = [
        Setting::OwnershipControls,
        Setting::PublicAccessBlock,
        Setting::Encryption,
        Setting::RequestPayment,
        Setting::Lifecycle,
        Setting::Policy,
        Setting::Acl,
        Setting::Logging,
    ];

    /// The call that reads it.
    pub fn call(self) -> Call {
        match self {
            Setting::OwnershipControls => Call::OwnershipControls,
            Setting::PublicAccessBlock => Call::PublicAccessBlock,
            Setting::Encryption => Call::Encryption,
            Setting::RequestPayment => Call::RequestPayment,
            Setting::Lifecycle => Call::Lifecycle,
            Setting::Policy => Call::Policy,
            Setting::Acl => Call::Acl,
            Setting::Logging => Call::Logging,
        }
    }

    /// Its name in a plan file.
    pub fn word(self) -> &'static str {
        self.call().key()
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.word() == word)
    }

    /// What it is called when a person reads it.
    pub fn title(self) -> &'static str {
        match self {
            Setting::OwnershipControls => "object ownership",
            Setting::PublicAccessBlock => "public access block",
            Setting::Encryption => "default encryption",
            Setting::RequestPayment => "request payment",
            Setting::Lifecycle => "lifecycle",
            Setting::Policy => "policy",
            Setting::Acl => "ACL",
            Setting::Logging => "logging",
        }
    }

    /// The operation that writes a value, or that takes the configuration away.
    pub fn write_operation(self, writes: bool) -> &'static str {
        match (self, writes) {
            (Setting::OwnershipControls, true) => "PutBucketOwnershipControls",
            (Setting::OwnershipControls, false) => "DeleteBucketOwnershipControls",
            (Setting::PublicAccessBlock, true) => "PutPublicAccessBlock",
            (Setting::PublicAccessBlock, false) => "DeletePublicAccessBlock",
            (Setting::Encryption, true) => "PutBucketEncryption",
            (Setting::Encryption, false) => "DeleteBucketEncryption",
            (Setting::RequestPayment, _) => "PutBucketRequestPayment",
            (Setting::Lifecycle, true) => "PutBucketLifecycleConfiguration",
            (Setting::Lifecycle, false) => "DeleteBucketLifecycle",
            (Setting::Policy, true) => "PutBucketPolicy",
            (Setting::Policy, false) => "DeleteBucketPolicy",
            (Setting::Acl, _) => "PutBucketAcl",
            (Setting::Logging, _) => "PutBucketLogging",
        }
    }

    /// The IAM action that allows it. Most deletions have the action of the put.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
    pub const fn write_action(self, writes: bool) -> &'static str {
        match (self, writes) {
            (Setting::OwnershipControls, _) => "s3:PutBucketOwnershipControls",
            (Setting::PublicAccessBlock, _) => "s3:PutBucketPublicAccessBlock",
            (Setting::Encryption, _) => "s3:PutEncryptionConfiguration",
            (Setting::RequestPayment, _) => "s3:PutBucketRequestPayment",
            (Setting::Lifecycle, _) => "s3:PutLifecycleConfiguration",
            (Setting::Policy, true) => "s3:PutBucketPolicy",
            (Setting::Policy, false) => "s3:DeleteBucketPolicy",
            (Setting::Acl, _) => "s3:PutBucketAcl",
            (Setting::Logging, _) => "s3:PutBucketLogging",
        }
    }

    /// Whether two documents mean the same to S3, however they are written.
    pub fn same(self, a: Option<&Value>, b: Option<&Value>) -> bool {
        normal::form(self, a) == normal::form(self, b)
    }

    /// AWS's answer that says this.
    pub fn answer(self, document: Option<&Value>) -> Value {
        match (self, document) {
            (Setting::Policy, Some(text)) => serde_json::json!({ "Policy": text }),
            (_, Some(document)) => document.clone(),
            (Setting::RequestPayment, None) => serde_json::json!({ "Payer": "BucketOwner" }),
            (_, None) => match self.call().absent_code() {
                Some(code) => serde_json::json!({ "error": { "code": code, "status": 404 } }),
                None => serde_json::json!({}),
            },
        }
    }
}

impl Change {
    pub fn bucket(&self) -> &BucketName {
        match self {
            Change::CreateBucket(new) | Change::DeleteBucket(new) => &new.bucket,
            Change::Put(put) => &put.bucket,
        }
    }

    pub fn region(&self) -> &Region {
        match self {
            Change::CreateBucket(new) | Change::DeleteBucket(new) => &new.region,
            Change::Put(put) => &put.region,
        }
    }

    /// What takes it back.
    pub fn inverse(&self) -> Self {
        match self {
            Change::CreateBucket(new) => Change::DeleteBucket(new.clone()),
            Change::DeleteBucket(new) => Change::CreateBucket(new.clone()),
            Change::Put(put) => Change::Put(Put {
                before: put.after.clone(),
                after: put.before.clone(),
                ..put.clone()
            }),
        }
    }

    /// The operation that carries it out.
    pub fn operation(&self) -> &'static str {
        match self {
            Change::CreateBucket(_) => "CreateBucket",
            Change::DeleteBucket(_) => "DeleteBucket",
            Change::Put(put) => put.setting.write_operation(put.after.is_some()),
        }
    }

    /// The IAM actions that it needs, its reading before and after included.
    pub fn actions(&self) -> Vec<&'static str> {
        match self {
            Change::CreateBucket(_) => vec![
                "s3:ListBucket",
                "s3:CreateBucket",
                "s3:PutBucketOwnershipControls",
                "s3:TagResource",
            ],
            Change::DeleteBucket(_) => vec!["s3:ListBucket", "s3:DeleteBucket"],
            Change::Put(put) => vec![
                put.setting.call().action(),
                put.setting.write_action(put.after.is_some()),
            ],
        }
    }
}
