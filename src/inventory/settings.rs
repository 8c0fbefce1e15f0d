//! The settings of a bucket that decide whether logs arrive in it, with AWS's names.

use std::sync::Arc;

use super::{Document, Fact, Places, Why};

/// What is known of a bucket beyond its logging. Asked only of log targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bucket policy's exact text.
    pub policy: Fact<Arc<Document>>,
    pub acl: Fact<Acl>,
    /// Absent means that ACLs are in force: a bucket from before the feature, or whose controls were deleted.
    pub object_ownership: Fact<ObjectOwnership>,
    /// Absent means SSE-S3, which has been the default of every bucket since January 2023.
    pub encryption: Fact<Encryption>,
    pub object_lock: Fact<ObjectLock>,
    pub payer: Fact<Payer>,
    pub lifecycle: Fact<Vec<LifecycleRule>>,
    pub versioning: Fact<Versioning>,
    pub public_access_block: Fact<PublicAccessBlock>,
    /// Where each of them is written.
    pub places: Places,
}

impl Settings {
    /// Nothing was asked.
    pub fn unknown(why: &Why) -> Self {
        fn unknown<T>(why: &Why) -> Fact<T> {
            Fact::Unknown(why.clone())
        }
        Self {
            policy: unknown(why),
            acl: unknown(why),
            object_ownership: unknown(why),
            encryption: unknown(why),
            object_lock: unknown(why),
            payer: unknown(why),
            lifecycle: unknown(why),
            versioning: unknown(why),
            public_access_block: unknown(why),
            places: Places::default(),
        }
    }

    /// What AWS answers of a bucket made today on which nothing was configured.
    pub fn of_a_fresh_bucket() -> Self {
        Self {
            policy: Fact::Absent,
            acl: Fact::Known(Acl::default()),
            object_ownership: Fact::Known(ObjectOwnership::BucketOwnerEnforced),
            encryption: Fact::Absent,
            object_lock: Fact::Absent,
            payer: Fact::Known(Payer::BucketOwner),
            lifecycle: Fact::Absent,
            versioning: Fact::Absent,
            public_access_block: Fact::Known(PublicAccessBlock {
                block_public_acls: true,
                ignore_public_acls: true,
                block_public_policy: true,
                restrict_public_buckets: true,
            }),
            places: Places::default(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl {
    pub owner: Option<String>,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub grantee: Grantee,
    pub permission: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grantee {
    Group { uri: String },
    CanonicalUser { id: String },
    Email,
    Other,
}

impl Grantee {
    pub const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";
    pub const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
    pub const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

    /// Everyone, or everyone with any AWS account.
    pub fn is_public(&self) -> bool {
        matches!(self, Grantee::Group { uri } if uri == Self::ALL_USERS || uri == Self::AUTHENTICATED_USERS)
    }

    pub fn is_log_delivery(&self) -> bool {
        matches!(self, Grantee::Group { uri } if uri == Self::LOG_DELIVERY)
    }
}

impl Acl {
    /// Whether the LogDelivery group holds this permission; `FULL_CONTROL` is every permission.
    pub fn lets_log_delivery(&self, permission: &str) -> bool {
        self.grants.iter().any(|grant| {
            grant.grantee.is_log_delivery()
                && (grant.permission == permission || grant.permission == "FULL_CONTROL")
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectOwnership {
    BucketOwnerEnforced,
    BucketOwnerPreferred,
    ObjectWriter,
}

impl ObjectOwnership {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "BucketOwnerEnforced" => Some(Self::BucketOwnerEnforced),
            "BucketOwnerPreferred" => Some(Self::BucketOwnerPreferred),
            "ObjectWriter" => Some(Self::ObjectWriter),
            _ => None,
        }
    }
}

/// Default encryption: `AES256`, `aws:kms`, `aws:kms:dsse`, or what AWS adds next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    pub algorithm: String,
    pub key: Option<String>,
}

impl Encryption {
    pub fn is_sse_s3(&self) -> bool {
        self.algorithm == "AES256"
    }

    pub fn is_kms(&self) -> bool {
        matches!(self.algorithm.as_str(), "aws:kms" | "aws:kms:dsse")
    }

    /// The AWS managed key `aws/s3`, which is also what no key means. Nobody else can use it to read.
    pub fn uses_aws_managed_key(&self) -> bool {
        match self.key.as_deref() {
            None | Some("") => true,
            Some(key) => key == "alias/aws/s3" || key.ends_with(":alias/aws/s3"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectLock {
    pub enabled: bool,
    /// The default retention in words, like `GOVERNANCE, 30 days`.
    pub default_retention: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    BucketOwner,
    Requester,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    Enabled,
    Suspended,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

/// A lifecycle rule, with what bears on log objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifecycleRule {
    pub id: Option<String>,
    pub enabled: bool,
    /// Empty for the whole bucket.
    pub prefix: String,
    /// Delivered log objects carry no tags: a rule that asks for one never meets them.
    pub needs_tag: bool,
    /// Bytes that an object must exceed.
    pub larger_than: Option<u64>,
    /// Bytes that an object must stay below.
    pub smaller_than: Option<u64>,
    /// Current objects expire, after days or at a date.
    pub expires: bool,
    pub expires_noncurrent: bool,
    pub transitions: bool,
    /// The transitions meet objects below 128 KB too: AWS leaves these where they are unless a size filter, or
    /// `varies_by_storage_class` with a Glacier class, says otherwise.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html>
    pub transitions_small: bool,
    pub aborts_uploads: bool,
}
