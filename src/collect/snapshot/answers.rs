//! The shapes of AWS's answers, with the field names that the AWS CLI prints. Only what a rule reads.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Head {
    pub version: Option<serde_json::Number>,
}

#[derive(Deserialize)]
pub(super) struct File<'a> {
    pub taken_at: Option<String>,
    #[serde(default)]
    pub unasked: Unasked,
    pub api_calls: Option<u64>,
    #[serde(borrow)]
    pub accounts: Vec<Account<'a>>,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unasked {
    #[default]
    Unknown,
    Absent,
}

#[derive(Deserialize)]
pub(super) struct Account<'a> {
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub partition: Option<&'a RawValue>,
    /// `null` (in no organization) and missing (unknown) are two answers.
    #[serde(borrow, default, deserialize_with = "present")]
    pub organization_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub list_buckets: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub buckets: BTreeMap<Cow<'a, str>, Bucket<'a>>,
    #[serde(borrow, default)]
    pub elsewhere: BTreeMap<Cow<'a, str>, Bucket<'a>>,
}

/// Keeps `null` apart from a missing key.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
pub(super) struct Bucket<'a> {
    #[serde(borrow)]
    pub region: Option<&'a RawValue>,
    #[serde(default)]
    pub out_of_scope: bool,
    #[serde(borrow)]
    pub head: Option<&'a RawValue>,
    #[serde(borrow)]
    pub location: Option<&'a RawValue>,
    #[serde(borrow)]
    pub logging: Option<&'a RawValue>,
    #[serde(borrow)]
    pub policy: Option<&'a RawValue>,
    #[serde(borrow)]
    pub acl: Option<&'a RawValue>,
    #[serde(borrow)]
    pub ownership_controls: Option<&'a RawValue>,
    #[serde(borrow)]
    pub encryption: Option<&'a RawValue>,
    #[serde(borrow)]
    pub object_lock: Option<&'a RawValue>,
    #[serde(borrow)]
    pub request_payment: Option<&'a RawValue>,
    #[serde(borrow)]
    pub lifecycle: Option<&'a RawValue>,
    #[serde(borrow)]
    pub versioning: Option<&'a RawValue>,
    #[serde(borrow)]
    pub public_access_block: Option<&'a RawValue>,
    #[serde(borrow)]
    pub tagging: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketTagging {
    #[serde(default)]
    pub tag_set: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

#[derive(Deserialize)]
pub(super) struct Refusal {
    pub error: Option<AwsError>,
}

#[derive(Deserialize)]
pub(super) struct AwsError {
    pub code: Option<String>,
    pub status: Option<u16>,
    /// `x-amz-bucket-region`, which AWS sends with every answer to HeadBucket.
    pub region: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ListBuckets {
    #[serde(default)]
    pub partial: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HeadBucket {
    pub bucket_region: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BucketLocation {
    #[serde(rename = "LocationConstraint")]
    pub constraint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketLogging {
    pub logging_enabled: Option<LoggingEnabled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoggingEnabled {
    #[serde(default)]
    pub target_bucket: String,
    #[serde(default)]
    pub target_prefix: Option<String>,
    #[serde(default)]
    pub target_grants: Option<Vec<Grant>>,
    pub target_object_key_format: Option<TargetObjectKeyFormat>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TargetObjectKeyFormat {
    pub partitioned_prefix: Option<PartitionedPrefix>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PartitionedPrefix {
    pub partition_date_source: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grant {
    pub grantee: Option<Grantee>,
    #[serde(default)]
    pub permission: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Grantee {
    #[serde(rename = "ID")]
    pub id: Option<String>,
    #[serde(rename = "URI")]
    pub uri: Option<String>,
    pub email_address: Option<String>,
    pub r#type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketAcl {
    pub owner: Option<Owner>,
    #[serde(default)]
    pub grants: Vec<Grant>,
}

#[derive(Deserialize)]
pub(super) struct Owner {
    #[serde(rename = "ID")]
    pub id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Ownership {
    #[serde(rename = "OwnershipControls")]
    pub controls: Option<OwnershipControls>,
}

#[derive(Deserialize)]
pub(super) struct OwnershipControls {
    #[serde(rename = "Rules", default)]
    pub rules: Vec<OwnershipRule>,
}

#[derive(Deserialize)]
pub(super) struct OwnershipRule {
    #[serde(rename = "ObjectOwnership")]
    pub object_ownership: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BucketEncryption {
    #[serde(rename = "ServerSideEncryptionConfiguration")]
    pub configuration: Option<EncryptionConfiguration>,
}

#[derive(Deserialize)]
pub(super) struct EncryptionConfiguration {
    #[serde(rename = "Rules", default)]
    pub rules: Vec<EncryptionRule>,
}

#[derive(Deserialize)]
pub(super) struct EncryptionRule {
    #[serde(rename = "ApplyServerSideEncryptionByDefault")]
    pub by_default: Option<EncryptionByDefault>,
}

#[derive(Deserialize)]
pub(super) struct EncryptionByDefault {
    #[serde(rename = "SSEAlgorithm")]
    pub algorithm: String,
    #[serde(rename = "KMSMasterKeyID")]
    pub key: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ObjectLockAnswer {
    #[serde(rename = "ObjectLockConfiguration")]
    pub configuration: Option<ObjectLockConfiguration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ObjectLockConfiguration {
    pub object_lock_enabled: Option<String>,
    pub rule: Option<ObjectLockRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ObjectLockRule {
    pub default_retention: Option<DefaultRetention>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DefaultRetention {
    pub mode: Option<String>,
    pub days: Option<u64>,
    pub years: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RequestPayment {
    pub payer: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BucketVersioning {
    pub status: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct PublicAccess {
    #[serde(rename = "PublicAccessBlockConfiguration")]
    pub configuration: Option<PublicAccessBlock>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub(super) struct PublicAccessBlock {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

#[derive(Deserialize)]
pub(super) struct Lifecycle {
    #[serde(rename = "Rules", default)]
    pub rules: Vec<LifecycleRule>,
    #[serde(rename = "TransitionDefaultMinimumObjectSize")]
    pub minimum_size: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LifecycleRule {
    #[serde(rename = "ID")]
    pub id: Option<String>,
    pub status: Option<String>,
    pub prefix: Option<String>,
    pub filter: Option<LifecycleFilter>,
    pub expiration: Option<Expiration>,
    pub noncurrent_version_expiration: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    pub transitions: Vec<Transition>,
    pub transition: Option<Transition>,
    pub abort_incomplete_multipart_upload: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LifecycleFilter {
    pub prefix: Option<String>,
    pub tag: Option<serde::de::IgnoredAny>,
    pub object_size_greater_than: Option<u64>,
    pub object_size_less_than: Option<u64>,
    pub and: Option<LifecycleAnd>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LifecycleAnd {
    pub prefix: Option<String>,
    #[serde(default)]
    pub tags: Vec<serde::de::IgnoredAny>,
    pub object_size_greater_than: Option<u64>,
    pub object_size_less_than: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Expiration {
    pub days: Option<u64>,
    pub date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Transition {
    pub storage_class: Option<String>,
}
