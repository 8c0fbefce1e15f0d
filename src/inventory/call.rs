//! The questions that can be put to S3 about a bucket, and what each needs.

/// A read call of the S3 API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    List,
    Head,
    Location,
    Logging,
    Policy,
    Acl,
    OwnershipControls,
    Encryption,
    ObjectLock,
    RequestPayment,
    Lifecycle,
    Versioning,
    PublicAccessBlock,
    Tagging,
}

impl Call {
    /// Every call that a run makes by itself. Tags are read only where the user wants it.
    pub const ALL: [Call; 13] = [
        Call::List,
        Call::Head,
        Call::Location,
        Call::Logging,
        Call::Policy,
        Call::Acl,
        Call::OwnershipControls,
        Call::Encryption,
        Call::ObjectLock,
        Call::RequestPayment,
        Call::Lifecycle,
        Call::Versioning,
        Call::PublicAccessBlock,
    ];

    /// What is asked of a log target, and of no other bucket.
    pub const OF_TARGETS: [Call; 9] = [
        Call::Policy,
        Call::Acl,
        Call::OwnershipControls,
        Call::Encryption,
        Call::ObjectLock,
        Call::RequestPayment,
        Call::Lifecycle,
        Call::Versioning,
        Call::PublicAccessBlock,
    ];

    /// Whether it names a bucket; the others are about the account.
    pub fn is_about_a_bucket(self) -> bool {
        self != Call::List
    }

    /// The name of the operation in the S3 API.
    pub fn operation(self) -> &'static str {
        match self {
            Call::List => "ListBuckets",
            Call::Head => "HeadBucket",
            Call::Location => "GetBucketLocation",
            Call::Logging => "GetBucketLogging",
            Call::Policy => "GetBucketPolicy",
            Call::Acl => "GetBucketAcl",
            Call::OwnershipControls => "GetBucketOwnershipControls",
            Call::Encryption => "GetBucketEncryption",
            Call::ObjectLock => "GetObjectLockConfiguration",
            Call::RequestPayment => "GetBucketRequestPayment",
            Call::Lifecycle => "GetBucketLifecycleConfiguration",
            Call::Versioning => "GetBucketVersioning",
            Call::PublicAccessBlock => "GetPublicAccessBlock",
            Call::Tagging => "GetBucketTagging",
        }
    }

    /// The key of its answer in a snapshot.
    pub fn key(self) -> &'static str {
        match self {
            Call::List => "list_buckets",
            Call::Head => "head",
            Call::Location => "location",
            Call::Logging => "logging",
            Call::Policy => "policy",
            Call::Acl => "acl",
            Call::OwnershipControls => "ownership_controls",
            Call::Encryption => "encryption",
            Call::ObjectLock => "object_lock",
            Call::RequestPayment => "request_payment",
            Call::Lifecycle => "lifecycle",
            Call::Versioning => "versioning",
            Call::PublicAccessBlock => "public_access_block",
            Call::Tagging => "tagging",
        }
    }

    /// What it tells, as a sentence names it.
    pub fn tells(self) -> &'static str {
        match self {
            Call::List => "the account",
            Call::Head => "the region",
            Call::Location => "the location",
            Call::Logging => "the logging configuration",
            Call::Policy => "the policy",
            Call::Acl => "the ACL",
            Call::OwnershipControls => "the object ownership",
            Call::Encryption => "the default encryption",
            Call::ObjectLock => "the Object Lock configuration",
            Call::RequestPayment => "who pays for requests",
            Call::Lifecycle => "the lifecycle configuration",
            Call::Versioning => "the versioning",
            Call::PublicAccessBlock => "the public access block",
            Call::Tagging => "the tags",
        }
    }

    /// The IAM action that allows it. Several differ from the operation's name.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>
    pub fn action(self) -> &'static str {
        match self {
            Call::List => "s3:ListAllMyBuckets",
            Call::Head => "s3:ListBucket",
            Call::Location => "s3:GetBucketLocation",
            Call::Logging => "s3:GetBucketLogging",
            Call::Policy => "s3:GetBucketPolicy",
            Call::Acl => "s3:GetBucketAcl",
            Call::OwnershipControls => "s3:GetBucketOwnershipControls",
            Call::Encryption => "s3:GetEncryptionConfiguration",
            Call::ObjectLock => "s3:GetBucketObjectLockConfiguration",
            Call::RequestPayment => "s3:GetBucketRequestPayment",
            Call::Lifecycle => "s3:GetLifecycleConfiguration",
            Call::Versioning => "s3:GetBucketVersioning",
            Call::PublicAccessBlock => "s3:GetBucketPublicAccessBlock",
            Call::Tagging => "s3:GetBucketTagging",
        }
    }

    /// The error code that means "nothing is configured", where there is one.
    pub fn absent_code(self) -> Option<&'static str> {
        match self {
            Call::Policy => Some("NoSuchBucketPolicy"),
            Call::OwnershipControls => Some("OwnershipControlsNotFoundError"),
            Call::Encryption => Some("ServerSideEncryptionConfigurationNotFoundError"),
            Call::ObjectLock => Some("ObjectLockConfigurationNotFoundError"),
            Call::Lifecycle => Some("NoSuchLifecycleConfiguration"),
            Call::PublicAccessBlock => Some("NoSuchPublicAccessBlockConfiguration"),
            Call::Tagging => Some("NoSuchTagSet"),
            Call::List
            | Call::Head
            | Call::Location
            | Call::Logging
            | Call::Acl
            | Call::RequestPayment
            | Call::Versioning => None,
        }
    }
}
