//! The operations that the sandbox knows: how a request names each, and which IAM action allows it.

/// Where an operation acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Account,
    Bucket,
    Object,
    Sts,
}

/// One operation of S3 or STS.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    pub name: &'static str,
    pub method: &'static str,
    pub level: Level,
    /// The subresource in the query that names it.
    pub query: Option<&'static str>,
    /// The IAM action that allows it; several differ from the operation's name.
    pub action: &'static str,
    /// The key of what it reads or writes in a snapshot.
    pub key: &'static str,
}

impl Operation {
    pub fn writes(&self) -> bool {
        self.level != Level::Sts && !matches!(self.method, "GET" | "HEAD")
    }
}

const fn bucket(
    name: &'static str,
    method: &'static str,
    query: &'static str,
    action: &'static str,
    key: &'static str,
) -> Operation {
    Operation {
        name,
        method,
        level: Level::Bucket,
        query: Some(query),
        action,
        key,
    }
}

const fn plain(name: &'static str, method: &'static str, level: Level, action: &'static str) -> Operation {
    Operation {
        name,
        method,
        level,
        query: None,
        action,
        key: "",
    }
}

/// Every operation. A subresource that isn't here is refused with 501: an answer to another question would be worse.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    plain("ListBuckets", "GET", Level::Account, "s3:ListAllMyBuckets"),
    plain("HeadBucket", "HEAD", Level::Bucket, "s3:ListBucket"),
    plain("CreateBucket", "PUT", Level::Bucket, "s3:CreateBucket"),
    plain("DeleteBucket", "DELETE", Level::Bucket, "s3:DeleteBucket"),
    bucket("GetBucketLocation", "GET", "location", "s3:GetBucketLocation", "location"),
    bucket("GetBucketLogging", "GET", "logging", "s3:GetBucketLogging", "logging"),
    bucket("PutBucketLogging", "PUT", "logging", "s3:PutBucketLogging", "logging"),
    bucket("GetBucketPolicy", "GET", "policy", "s3:GetBucketPolicy", "policy"),
    bucket("PutBucketPolicy", "PUT", "policy", "s3:PutBucketPolicy", "policy"),
    bucket("DeleteBucketPolicy", "DELETE", "policy", "s3:DeleteBucketPolicy", "policy"),
    bucket("GetBucketAcl", "GET", "acl", "s3:GetBucketAcl", "acl"),
    bucket("PutBucketAcl", "PUT", "acl", "s3:PutBucketAcl", "acl"),
    bucket("GetBucketOwnershipControls", "GET", "ownershipControls", "s3:GetBucketOwnershipControls", "ownership_controls"),
    bucket("PutBucketOwnershipControls", "PUT", "ownershipControls", "s3:PutBucketOwnershipControls", "ownership_controls"),
    bucket("DeleteBucketOwnershipControls", "DELETE", "ownershipControls", "s3:PutBucketOwnershipControls", "ownership_controls"),
    bucket("GetBucketEncryption", "GET", "encryption", "s3:GetEncryptionConfiguration", "encryption"),
    bucket("PutBucketEncryption", "PUT", "encryption", "s3:PutEncryptionConfiguration", "encryption"),
    bucket("DeleteBucketEncryption", "DELETE", "encryption", "s3:PutEncryptionConfiguration", "encryption"),
    bucket("GetObjectLockConfiguration", "GET", "object-lock", "s3:GetBucketObjectLockConfiguration", "object_lock"),
    bucket("PutObjectLockConfiguration", "PUT", "object-lock", "s3:PutBucketObjectLockConfiguration", "object_lock"),
    bucket("GetBucketRequestPayment", "GET", "requestPayment", "s3:GetBucketRequestPayment", "request_payment"),
    bucket("PutBucketRequestPayment", "PUT", "requestPayment", "s3:PutBucketRequestPayment", "request_payment"),
    bucket("GetBucketLifecycleConfiguration", "GET", "lifecycle", "s3:GetLifecycleConfiguration", "lifecycle"),
    bucket("PutBucketLifecycleConfiguration", "PUT", "lifecycle", "s3:PutLifecycleConfiguration", "lifecycle"),
    bucket("DeleteBucketLifecycle", "DELETE", "lifecycle", "s3:PutLifecycleConfiguration", "lifecycle"),
    bucket("GetBucketVersioning", "GET", "versioning", "s3:GetBucketVersioning", "versioning"),
    bucket("PutBucketVersioning", "PUT", "versioning", "s3:PutBucketVersioning", "versioning"),
    bucket("GetPublicAccessBlock", "GET", "publicAccessBlock", "s3:GetBucketPublicAccessBlock", "public_access_block"),
    bucket("PutPublicAccessBlock", "PUT", "publicAccessBlock", "s3:PutBucketPublicAccessBlock", "public_access_block"),
    bucket("DeletePublicAccessBlock", "DELETE", "publicAccessBlock", "s3:PutBucketPublicAccessBlock", "public_access_block"),
    bucket("GetBucketTagging", "GET", "tagging", "s3:GetBucketTagging", "tagging"),
    bucket("PutBucketTagging", "PUT", "tagging", "s3:PutBucketTagging", "tagging"),
    bucket("DeleteBucketTagging", "DELETE", "tagging", "s3:PutBucketTagging", "tagging"),
    bucket("ListObjectsV2", "GET", "list-type", "s3:ListBucket", ""),
    plain("PutObject", "PUT", Level::Object, "s3:PutObject"),
    plain("GetObject", "GET", Level::Object, "s3:GetObject"),
    plain("HeadObject", "HEAD", Level::Object, "s3:GetObject"),
    plain("DeleteObject", "DELETE", Level::Object, "s3:DeleteObject"),
    plain("GetCallerIdentity", "POST", Level::Sts, "sts:GetCallerIdentity"),
    plain("AssumeRole", "POST", Level::Sts, "sts:AssumeRole"),
];

/// The operation of this name.
pub fn named(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

/// The operation that a request to S3 names, or nothing where the sandbox doesn't know it.
pub fn asked(method: &str, level: Level, query: &[(String, String)]) -> Option<&'static Operation> {
    // Parameters that name no subresource, and so choose no operation.
    const PLAIN: &[&str] = &[
        "max-buckets",
        "continuation-token",
        "prefix",
        "bucket-region",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "max-keys",
        "start-after",
        "versionId",
        "x-id",
    ];
    let subresource = query
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| !PLAIN.contains(name));
    OPERATIONS.iter().find(|operation| {
        operation.method == method && operation.level == level && operation.query == subresource
    })
}
