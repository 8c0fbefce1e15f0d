//! The SDK's answers in the form that the AWS CLI prints: what a snapshot holds.
//!
//! Everything that S3 answered is kept, but for two kinds of things that no rule reads and that don't belong into a
//! file that is passed around: display names of accounts and request ids.

use aws_sdk_s3::operation::get_bucket_acl::GetBucketAclOutput;
use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_logging::GetBucketLoggingOutput;
use aws_sdk_s3::operation::get_bucket_tagging::GetBucketTaggingOutput;
use aws_sdk_s3::operation::get_bucket_versioning::GetBucketVersioningOutput;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::{
    Grantee, LifecycleRule, LifecycleRuleFilter, ObjectLockConfiguration, OwnershipControls,
    PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration, Tag, TargetObjectKeyFormat,
};
use serde_json::{Map, Value};

/// A JSON object whose missing members are left out.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn with(mut self, key: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
        self
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object.0)
    }
}

fn object() -> Object {
    Object::default()
}

fn list<T>(items: Option<&[T]>, one: impl Fn(&T) -> Value) -> Option<Value> {
    items.map(|items| Value::Array(items.iter().map(one).collect()))
}

fn date(date: &DateTime) -> Option<String> {
    date.fmt(DateTimeFormat::DateTime).ok()
}

pub fn head(answer: &HeadBucketOutput) -> Value {
    object().with("BucketRegion", answer.bucket_region()).into()
}

pub fn location(constraint: Option<&str>) -> Value {
    let mut answer = Map::new();
    // The AWS CLI prints the `null` that means us-east-1.
    answer.insert(
        "LocationConstraint".to_owned(),
        constraint.map_or(Value::Null, Value::from),
    );
    Value::Object(answer)
}

pub fn logging(answer: &GetBucketLoggingOutput) -> Value {
    let enabled = answer.logging_enabled().map(|enabled| {
        let grants = enabled
            .target_grants
            .as_deref()
            .filter(|grants| !grants.is_empty());
        object()
            .with("TargetBucket", Some(enabled.target_bucket()))
            .with(
                "TargetGrants",
                list(grants, |grant| {
                    object()
                        .with("Grantee", grant.grantee().map(grantee))
                        .with(
                            "Permission",
                            grant.permission().map(|permission| permission.as_str()),
                        )
                        .into()
                }),
            )
            .with("TargetPrefix", Some(enabled.target_prefix()))
            .with(
                "TargetObjectKeyFormat",
                enabled.target_object_key_format().map(key_format),
            )
    });
    object().with("LoggingEnabled", enabled).into()
}

fn key_format(format: &TargetObjectKeyFormat) -> Value {
    object()
        .with("SimplePrefix", format.simple_prefix().map(|_| object()))
        .with(
            "PartitionedPrefix",
            format.partitioned_prefix().map(|prefix| {
                object().with(
                    "PartitionDateSource",
                    prefix.partition_date_source().map(|source| source.as_str()),
                )
            }),
        )
        .into()
}

fn grantee(grantee: &Grantee) -> Value {
    object()
        .with("EmailAddress", grantee.email_address())
        .with("ID", grantee.id())
        .with("Type", Some(grantee.r#type().as_str()))
        .with("URI", grantee.uri())
        .into()
}

pub fn policy(text: Option<&str>) -> Value {
    object().with("Policy", text).into()
}

pub fn acl(answer: &GetBucketAclOutput) -> Value {
    object()
        .with(
            "Owner",
            answer.owner().map(|owner| object().with("ID", owner.id())),
        )
        .with(
            "Grants",
            list(Some(answer.grants()), |grant| {
                object()
                    .with("Grantee", grant.grantee().map(grantee))
                    .with(
                        "Permission",
                        grant.permission().map(|permission| permission.as_str()),
                    )
                    .into()
            }),
        )
        .into()
}

pub fn ownership_controls(controls: Option<&OwnershipControls>) -> Value {
    let controls = controls.map(|controls| {
        object().with(
            "Rules",
            list(Some(controls.rules()), |rule| {
                object()
                    .with("ObjectOwnership", Some(rule.object_ownership().as_str()))
                    .into()
            }),
        )
    });
    object().with("OwnershipControls", controls).into()
}

pub fn encryption(configuration: Option<&ServerSideEncryptionConfiguration>) -> Value {
    let configuration = configuration.map(|configuration| {
        object().with(
            "Rules",
            list(Some(configuration.rules()), |rule| {
                let by_default = rule.apply_server_side_encryption_by_default().map(|default| {
                    object()
                        .with("SSEAlgorithm", Some(default.sse_algorithm().as_str()))
                        .with("KMSMasterKeyID", default.kms_master_key_id())
                });
                let blocked = rule.blocked_encryption_types().map(|blocked| {
                    object().with(
                        "EncryptionType",
                        list(Some(blocked.encryption_type()), |kind| kind.as_str().into()),
                    )
                });
                object()
                    .with("ApplyServerSideEncryptionByDefault", by_default)
                    .with("BucketKeyEnabled", rule.bucket_key_enabled())
                    .with("BlockedEncryptionTypes", blocked)
                    .into()
            }),
        )
    });
    object()
        .with("ServerSideEncryptionConfiguration", configuration)
        .into()
}

pub fn object_lock(configuration: Option<&ObjectLockConfiguration>) -> Value {
    let configuration = configuration.map(|configuration| {
        let rule = configuration.rule().map(|rule| {
            let retention = rule.default_retention().map(|retention| {
                object()
                    .with("Mode", retention.mode().map(|mode| mode.as_str()))
                    .with("Days", retention.days())
                    .with("Years", retention.years())
                    .with(
                        "DefaultEventHold",
                        retention
                            .default_event_hold()
                            .map(|hold| object().with("Days", hold.days()).with("Years", hold.years())),
                    )
            });
            object().with("DefaultRetention", retention)
        });
        object()
            .with(
                "ObjectLockEnabled",
                configuration
                    .object_lock_enabled()
                    .map(|enabled| enabled.as_str()),
            )
            .with("Rule", rule)
    });
    object().with("ObjectLockConfiguration", configuration).into()
}

pub fn request_payment(payer: Option<&str>) -> Value {
    object().with("Payer", payer).into()
}

pub fn versioning(answer: &GetBucketVersioningOutput) -> Value {
    object()
        .with("Status", answer.status().map(|status| status.as_str()))
        .with("MFADelete", answer.mfa_delete().map(|status| status.as_str()))
        .into()
}

pub fn tagging(answer: &GetBucketTaggingOutput) -> Value {
    let tags: Vec<Value> = answer
        .tag_set()
        .iter()
        .map(|tag| {
            object()
                .with("Key", Some(tag.key()))
                .with("Value", Some(tag.value()))
                .into()
        })
        .collect();
    object().with("TagSet", Some(tags)).into()
}

pub fn public_access_block(configuration: Option<&PublicAccessBlockConfiguration>) -> Value {
    let configuration = configuration.map(|block| {
        object()
            .with("BlockPublicAcls", block.block_public_acls())
            .with("IgnorePublicAcls", block.ignore_public_acls())
            .with("BlockPublicPolicy", block.block_public_policy())
            .with("RestrictPublicBuckets", block.restrict_public_buckets())
    });
    object()
        .with("PublicAccessBlockConfiguration", configuration)
        .into()
}

pub fn lifecycle(answer: &GetBucketLifecycleConfigurationOutput) -> Value {
    object()
        .with("Rules", list(Some(answer.rules()), lifecycle_rule))
        .with(
            "TransitionDefaultMinimumObjectSize",
            answer
                .transition_default_minimum_object_size()
                .map(|size| size.as_str()),
        )
        .into()
}

fn lifecycle_rule(rule: &LifecycleRule) -> Value {
    let expiration = rule.expiration().map(|expiration| {
        object()
            .with("Date", expiration.date().and_then(date))
            .with("Days", expiration.days())
            .with(
                "ExpiredObjectDeleteMarker",
                expiration.expired_object_delete_marker(),
            )
    });
    let transitions = list(rule.transitions.as_deref(), |transition| {
        object()
            .with("Date", transition.date().and_then(date))
            .with("Days", transition.days())
            .with(
                "StorageClass",
                transition.storage_class().map(|class| class.as_str()),
            )
            .into()
    });
    let noncurrent_transitions = list(rule.noncurrent_version_transitions.as_deref(), |transition| {
        object()
            .with("NoncurrentDays", transition.noncurrent_days())
            .with(
                "StorageClass",
                transition.storage_class().map(|class| class.as_str()),
            )
            .with("NewerNoncurrentVersions", transition.newer_noncurrent_versions())
            .into()
    });
    let noncurrent_expiration = rule.noncurrent_version_expiration().map(|expiration| {
        object()
            .with("NoncurrentDays", expiration.noncurrent_days())
            .with("NewerNoncurrentVersions", expiration.newer_noncurrent_versions())
    });
    let abort = rule
        .abort_incomplete_multipart_upload()
        .map(|abort| object().with("DaysAfterInitiation", abort.days_after_initiation()));
    object()
        .with("ID", rule.id())
        .with("Status", Some(rule.status().as_str()))
        .with("Prefix", prefix_of_a_rule(rule))
        .with("Filter", rule.filter().map(lifecycle_filter))
        .with("Expiration", expiration)
        .with("Transitions", transitions)
        .with("NoncurrentVersionTransitions", noncurrent_transitions)
        .with("NoncurrentVersionExpiration", noncurrent_expiration)
        .with("AbortIncompleteMultipartUpload", abort)
        .into()
}

/// The member that `Filter` replaced. The SDK marks it as out of date; buckets still answer with it.
#[expect(
    deprecated,
    reason = "old lifecycle rules have no `Filter`, and this is where their prefix is"
)]
fn prefix_of_a_rule(rule: &LifecycleRule) -> Option<&str> {
    rule.prefix()
}

fn lifecycle_filter(filter: &LifecycleRuleFilter) -> Value {
    let and = filter.and().map(|and| {
        object()
            .with("Prefix", and.prefix())
            .with("Tags", list(and.tags.as_deref(), tag))
            .with("ObjectSizeGreaterThan", and.object_size_greater_than())
            .with("ObjectSizeLessThan", and.object_size_less_than())
    });
    object()
        .with("Prefix", filter.prefix())
        .with("Tag", filter.tag().map(tag))
        .with("ObjectSizeGreaterThan", filter.object_size_greater_than())
        .with("ObjectSizeLessThan", filter.object_size_less_than())
        .with("And", and)
        .into()
}

fn tag(tag: &Tag) -> Value {
    object()
        .with("Key", Some(tag.key()))
        .with("Value", Some(tag.value()))
        .into()
}
