//! A plan's documents, from the AWS CLI's form into the SDK's. Whatever can't be carried over is an error, never lost.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a document can't be written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    #[error("{0}")]
    Incomplete(#[from] BuildError),
    #[error("{0} is no date")]
    Date(String),
}

type Read<T> = Result<T, DocumentError>;

fn shape<T: DeserializeOwned>(document: &Value) -> Read<T> {
    Ok(serde_json::from_value(document.clone())?)
}

// --- logging ---

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct Logging {
    logging_enabled: Option<LoggingEnabled>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct LoggingEnabled {
    target_bucket: String,
    #[serde(default)]
    target_prefix: String,
    target_grants: Option<Vec<Grant>>,
    target_object_key_format: Option<KeyFormat>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct KeyFormat {
    simple_prefix: Option<Empty>,
    partitioned_prefix: Option<Partitioned>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Partitioned {
    partition_date_source: Option<String>,
}

pub fn logging(document: Option<&Value>) -> Read<types::BucketLoggingStatus> {
    let status = types::BucketLoggingStatus::builder();
    let Some(document) = document else {
        return Ok(status.build());
    };
    let Some(enabled) = shape::<Logging>(document)?.logging_enabled else {
        return Ok(status.build());
    };
    let grants = enabled
        .target_grants
        .map(|grants| {
            grants
                .into_iter()
                .map(|grant| {
                    Ok(types::TargetGrant::builder()
                        .set_grantee(grant.grantee.map(grantee).transpose()?)
                        .permission(types::BucketLogsPermission::from(grant.permission.as_str()))
                        .build())
                })
                .collect::<Read<Vec<_>>>()
        })
        .transpose()?;
    let format = enabled.target_object_key_format.map(|format| {
        types::TargetObjectKeyFormat::builder()
            .set_simple_prefix(
                format
                    .simple_prefix
                    .map(|Empty {}| types::SimplePrefix::builder().build()),
            )
            .set_partitioned_prefix(format.partitioned_prefix.map(|partitioned| {
                types::PartitionedPrefix::builder()
                    .set_partition_date_source(
                        partitioned
                            .partition_date_source
                            .map(|source| types::PartitionDateSource::from(source.as_str())),
                    )
                    .build()
            }))
            .build()
    });
    let enabled = types::LoggingEnabled::builder()
        .target_bucket(enabled.target_bucket)
        .target_prefix(enabled.target_prefix)
        .set_target_grants(grants)
        .set_target_object_key_format(format)
        .build()?;
    Ok(status.logging_enabled(enabled).build())
}

// --- ACL ---

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Acl {
    owner: Option<Owner>,
    #[serde(default)]
    grants: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "DisplayName")]
    _display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Grant {
    grantee: Option<Grantee>,
    permission: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Grantee {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "URI")]
    uri: Option<String>,
    email_address: Option<String>,
    #[serde(rename = "DisplayName")]
    _display_name: Option<String>,
    r#type: Option<String>,
}

fn grantee(grantee: Grantee) -> Read<types::Grantee> {
    let kind = grantee.r#type.as_deref().unwrap_or(match &grantee.uri {
        Some(_) => "Group",
        None => "CanonicalUser",
    });
    Ok(types::Grantee::builder()
        .r#type(types::Type::from(kind))
        .set_id(grantee.id)
        .set_uri(grantee.uri)
        .set_email_address(grantee.email_address)
        .build()?)
}

pub fn acl(document: &Value) -> Read<types::AccessControlPolicy> {
    let acl: Acl = shape(document)?;
    let grants = acl
        .grants
        .into_iter()
        .map(|grant| {
            Ok(types::Grant::builder()
                .set_grantee(grant.grantee.map(grantee).transpose()?)
                .permission(types::Permission::from(grant.permission.as_str()))
                .build())
        })
        .collect::<Read<Vec<_>>>()?;
    Ok(types::AccessControlPolicy::builder()
        .set_owner(
            acl.owner
                .map(|owner| types::Owner::builder().set_id(owner.id).build()),
        )
        .set_grants(Some(grants))
        .build())
}

// --- the small ones ---

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Ownership {
    ownership_controls: OwnershipControls,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OwnershipControls {
    rules: Vec<OwnershipRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OwnershipRule {
    object_ownership: String,
}

pub fn ownership(document: &Value) -> Read<types::OwnershipControls> {
    let ownership: Ownership = shape(document)?;
    let rules = ownership
        .ownership_controls
        .rules
        .into_iter()
        .map(|rule| {
            types::OwnershipControlsRule::builder()
                .object_ownership(types::ObjectOwnership::from(rule.object_ownership.as_str()))
                .build()
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(types::OwnershipControls::builder()
        .set_rules(Some(rules))
        .build()?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PublicAccess {
    public_access_block_configuration: PublicAccessBlock,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
struct PublicAccessBlock {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

pub fn public_access_block(document: &Value) -> Read<types::PublicAccessBlockConfiguration> {
    let block = shape::<PublicAccess>(document)?.public_access_block_configuration;
    Ok(types::PublicAccessBlockConfiguration::builder()
        .block_public_acls(block.block_public_acls)
        .ignore_public_acls(block.ignore_public_acls)
        .block_public_policy(block.block_public_policy)
        .restrict_public_buckets(block.restrict_public_buckets)
        .build())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Encryption {
    server_side_encryption_configuration: EncryptionConfiguration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EncryptionConfiguration {
    rules: Vec<EncryptionRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EncryptionRule {
    apply_server_side_encryption_by_default: Option<EncryptionByDefault>,
    bucket_key_enabled: Option<bool>,
    blocked_encryption_types: Option<BlockedEncryptionTypes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EncryptionByDefault {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
    #[serde(rename = "KMSMasterKeyID")]
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BlockedEncryptionTypes {
    encryption_type: Vec<String>,
}

pub fn encryption(document: &Value) -> Read<types::ServerSideEncryptionConfiguration> {
    let rules = shape::<Encryption>(document)?
        .server_side_encryption_configuration
        .rules
        .into_iter()
        .map(|rule| {
            let by_default = rule
                .apply_server_side_encryption_by_default
                .map(|by_default| {
                    types::ServerSideEncryptionByDefault::builder()
                        .sse_algorithm(types::ServerSideEncryption::from(by_default.algorithm.as_str()))
                        .set_kms_master_key_id(by_default.key)
                        .build()
                })
                .transpose()?;
            let blocked = rule.blocked_encryption_types.map(|blocked| {
                let kinds = blocked.encryption_type.iter();
                types::BlockedEncryptionTypes::builder()
                    .set_encryption_type(Some(
                        kinds
                            .map(|kind| types::EncryptionType::from(kind.as_str()))
                            .collect(),
                    ))
                    .build()
            });
            Ok(types::ServerSideEncryptionRule::builder()
                .set_apply_server_side_encryption_by_default(by_default)
                .set_bucket_key_enabled(rule.bucket_key_enabled)
                .set_blocked_encryption_types(blocked)
                .build())
        })
        .collect::<Read<Vec<_>>>()?;
    Ok(types::ServerSideEncryptionConfiguration::builder()
        .set_rules(Some(rules))
        .build()?)
}

pub fn request_payment(document: Option<&Value>) -> Read<types::RequestPaymentConfiguration> {
    let payer = document
        .and_then(|document| document.get("Payer"))
        .and_then(Value::as_str)
        .unwrap_or("BucketOwner");
    Ok(types::RequestPaymentConfiguration::builder()
        .payer(types::Payer::from(payer))
        .build()?)
}

// --- lifecycle ---

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Lifecycle {
    #[serde(default)]
    rules: Vec<Rule>,
    transition_default_minimum_object_size: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Rule {
    #[serde(rename = "ID")]
    id: Option<String>,
    status: String,
    prefix: Option<String>,
    filter: Option<Filter>,
    expiration: Option<Expiration>,
    transitions: Option<Vec<Transition>>,
    noncurrent_version_transitions: Option<Vec<NoncurrentTransition>>,
    noncurrent_version_expiration: Option<NoncurrentExpiration>,
    abort_incomplete_multipart_upload: Option<AbortUpload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    prefix: Option<String>,
    tag: Option<Tag>,
    object_size_greater_than: Option<i64>,
    object_size_less_than: Option<i64>,
    and: Option<And>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct And {
    prefix: Option<String>,
    tags: Option<Vec<Tag>>,
    object_size_greater_than: Option<i64>,
    object_size_less_than: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Expiration {
    date: Option<String>,
    days: Option<i32>,
    expired_object_delete_marker: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Transition {
    date: Option<String>,
    days: Option<i32>,
    storage_class: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NoncurrentTransition {
    noncurrent_days: Option<i32>,
    storage_class: Option<String>,
    newer_noncurrent_versions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NoncurrentExpiration {
    noncurrent_days: Option<i32>,
    newer_noncurrent_versions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AbortUpload {
    days_after_initiation: Option<i32>,
}

/// The rules, and the size below which no object is moved.
pub fn lifecycle(
    document: &Value,
) -> Read<(
    types::BucketLifecycleConfiguration,
    Option<types::TransitionDefaultMinimumObjectSize>,
)> {
    let lifecycle: Lifecycle = shape(document)?;
    let rules = lifecycle.rules.into_iter().map(rule).collect::<Read<Vec<_>>>()?;
    let size = lifecycle
        .transition_default_minimum_object_size
        .map(|size| types::TransitionDefaultMinimumObjectSize::from(size.as_str()));
    let configuration = types::BucketLifecycleConfiguration::builder()
        .set_rules(Some(rules))
        .build()?;
    Ok((configuration, size))
}

#[expect(
    deprecated,
    reason = "old lifecycle rules have no `Filter`, and are written back as they are"
)]
fn rule(rule: Rule) -> Read<types::LifecycleRule> {
    let expiration = rule
        .expiration
        .map(|expiration| {
            Ok::<_, DocumentError>(
                types::LifecycleExpiration::builder()
                    .set_date(date(expiration.date)?)
                    .set_days(expiration.days)
                    .set_expired_object_delete_marker(expiration.expired_object_delete_marker)
                    .build(),
            )
        })
        .transpose()?;
    let transitions = rule
        .transitions
        .map(|all| {
            all.into_iter()
                .map(|transition| {
                    Ok(types::Transition::builder()
                        .set_date(date(transition.date)?)
                        .set_days(transition.days)
                        .set_storage_class(storage_class(transition.storage_class))
                        .build())
                })
                .collect::<Read<Vec<_>>>()
        })
        .transpose()?;
    let noncurrent_transitions = rule.noncurrent_version_transitions.map(|all| {
        all.into_iter()
            .map(|transition| {
                types::NoncurrentVersionTransition::builder()
                    .set_noncurrent_days(transition.noncurrent_days)
                    .set_storage_class(storage_class(transition.storage_class))
                    .set_newer_noncurrent_versions(transition.newer_noncurrent_versions)
                    .build()
            })
            .collect()
    });
    let noncurrent_expiration = rule.noncurrent_version_expiration.map(|expiration| {
        types::NoncurrentVersionExpiration::builder()
            .set_noncurrent_days(expiration.noncurrent_days)
            .set_newer_noncurrent_versions(expiration.newer_noncurrent_versions)
            .build()
    });
    let abort = rule.abort_incomplete_multipart_upload.map(|abort| {
        types::AbortIncompleteMultipartUpload::builder()
            .set_days_after_initiation(abort.days_after_initiation)
            .build()
    });
    Ok(types::LifecycleRule::builder()
        .set_id(rule.id)
        .status(types::ExpirationStatus::from(rule.status.as_str()))
        .set_prefix(rule.prefix)
        .set_filter(rule.filter.map(filter).transpose()?)
        .set_expiration(expiration)
        .set_transitions(transitions)
        .set_noncurrent_version_transitions(noncurrent_transitions)
        .set_noncurrent_version_expiration(noncurrent_expiration)
        .set_abort_incomplete_multipart_upload(abort)
        .build()?)
}

fn filter(filter: Filter) -> Read<types::LifecycleRuleFilter> {
    let and = filter
        .and
        .map(|and| {
            let tags = and
                .tags
                .map(|tags| tags.into_iter().map(tag).collect::<Read<Vec<_>>>())
                .transpose()?;
            Ok::<_, DocumentError>(
                types::LifecycleRuleAndOperator::builder()
                    .set_prefix(and.prefix)
                    .set_tags(tags)
                    .set_object_size_greater_than(and.object_size_greater_than)
                    .set_object_size_less_than(and.object_size_less_than)
                    .build(),
            )
        })
        .transpose()?;
    Ok(types::LifecycleRuleFilter::builder()
        .set_prefix(filter.prefix)
        .set_tag(filter.tag.map(tag).transpose()?)
        .set_object_size_greater_than(filter.object_size_greater_than)
        .set_object_size_less_than(filter.object_size_less_than)
        .set_and(and)
        .build())
}

fn tag(tag: Tag) -> Read<types::Tag> {
    Ok(types::Tag::builder().key(tag.key).value(tag.value).build()?)
}

fn storage_class(class: Option<String>) -> Option<types::TransitionStorageClass> {
    class.map(|class| types::TransitionStorageClass::from(class.as_str()))
}

fn date(text: Option<String>) -> Read<Option<DateTime>> {
    text.map(|text| {
        DateTime::from_str(&text, DateTimeFormat::DateTimeWithOffset).map_err(|_| DocumentError::Date(text))
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
    use serde_json::json;

    #[test]
    fn a_lifecycle_is_written_back_as_it_was_read() {
        let document = json!({
            "Rules": [
                { "ID": "old", "Status": "Disabled", "Prefix": "tmp/",
                  "Expiration": { "Date": "2027-01-01T00:00:00Z" } },
                { "ID": "new", "Status": "Enabled",
                  "Filter": { "And": { "Prefix": "logs/", "Tags": [{ "Key": "a", "Value": "b" }], "ObjectSizeGreaterThan": 5 } },
                  "Transitions": [{ "Days": 30, "StorageClass": "GLACIER" }],
                  "NoncurrentVersionTransitions": [{ "NoncurrentDays": 5, "StorageClass": "GLACIER" }],
                  "NoncurrentVersionExpiration": { "NoncurrentDays": 9, "NewerNoncurrentVersions": 2 },
                  "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 } },
            ],
            "TransitionDefaultMinimumObjectSize": "varies_by_storage_class",
        });
        let (configuration, size) = lifecycle(&document).expect("it can be written");
        let answer = GetBucketLifecycleConfigurationOutput::builder()
            .set_rules(Some(configuration.rules().to_vec()))
            .set_transition_default_minimum_object_size(size)
            .build();
        assert_eq!(crate::aws::answer::lifecycle(&answer), document);
    }

    #[test]
    fn what_is_not_known_is_refused_and_not_lost() {
        let document = json!({ "Rules": [{ "Status": "Enabled", "Filter": {}, "SomethingNew": {} }] });
        assert!(matches!(lifecycle(&document), Err(DocumentError::Shape(_))));
        let document =
            json!({ "LoggingEnabled": { "TargetBucket": "logs", "TargetPrefix": "", "SomethingNew": 1 } });
        assert!(matches!(logging(Some(&document)), Err(DocumentError::Shape(_))));
    }
}
