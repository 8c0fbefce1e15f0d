//! Which names S3 takes in a policy: principals, actions, resources, and what goes with what.

use super::fault::FaultKind;
use super::open;
use super::pattern::Pattern;

/// What is wrong with a value of `AWS`, as far as its syntax tells. Whether the role exists can't be known.
pub fn check_aws_principal(text: &str) -> Option<(FaultKind, &'static str)> {
    const ODD: (FaultKind, &str) = (
        FaultKind::OddPrincipal,
        "write an account id, the ARN of a user or role, or `\"*\"`",
    );
    if text == "*" || is_account(text) || is_unique_id(text) || open::is_in(text) {
        return None;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return Some(ODD);
    };
    if text.contains(['*', '?']) {
        return Some((
            FaultKind::Principal,
            "a principal's ARN takes no wildcard; use `\"*\"` with a condition on `aws:PrincipalArn`",
        ));
    }
    let good = *arn == "arn"
        && partition.starts_with("aws")
        && matches!(*service, "iam" | "sts")
        && region.is_empty()
        && (is_account(account) || matches!(*account, "cloudfront" | "aws"))
        && !resource.is_empty();
    (!good).then_some(ODD)
}

/// What is wrong with a value of `Service`.
pub fn check_service_principal(text: &str) -> Option<(FaultKind, &'static str)> {
    if open::is_in(text) {
        return None;
    }
    if text.contains(['*', '?']) {
        return Some((
            FaultKind::Principal,
            "a service principal takes no wildcard: name the service, such as `logging.s3.amazonaws.com`",
        ));
    }
    (!text.contains('.')).then_some((
        FaultKind::OddPrincipal,
        "a service principal is a name like `logging.s3.amazonaws.com`",
    ))
}

pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// What S3 shows in place of the ARN of a user or role that was deleted; and canonical user ids.
fn is_unique_id(text: &str) -> bool {
    let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let unique = text.len() >= 16 && text.starts_with('A') && text.bytes().all(upper);
    unique || (text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What is wrong with an action in a bucket policy.
pub fn check_action(text: &str) -> Option<(FaultKind, String)> {
    if text == "*" || open::is_in(text) {
        return None;
    }
    let wrong = "an action in a bucket policy starts with `s3:`, like `s3:PutObject`".to_owned();
    let Some((service, name)) = text.split_once(':') else {
        return Some((FaultKind::Action, wrong));
    };
    if !service.eq_ignore_ascii_case("s3") || name.is_empty() {
        return Some((FaultKind::Action, wrong));
    }
    if name.contains(['*', '?']) || is_listed(name) {
        return None;
    }
    let meant = OBJECT_ACTIONS.iter().chain(BUCKET_ACTIONS).find(|known| {
        let known = known.to_ascii_lowercase();
        let name = name.to_ascii_lowercase();
        known.strip_suffix('s') == Some(&name) || name.strip_suffix('s') == Some(&known)
    });
    Some((
        FaultKind::UnknownAction,
        match meant {
            Some(meant) => format!("S3 has no action `{text}`; did you mean `s3:{meant}`?"),
            None => format!("S3 has no action `{text}`"),
        },
    ))
}

/// What is wrong with a resource of a bucket policy, whatever the bucket.
pub fn check_resource(text: &str) -> Option<String> {
    let wrong = |what: &str| {
        Some(format!(
            "{what}: the objects of a bucket are `arn:aws:s3:::BUCKET/*`, the bucket itself `arn:aws:s3:::BUCKET`"
        ))
    };
    // The rest of such an ARN can't be judged.
    if open::position(text).is_some_and(|at| text[..at].matches(':').count() < 5) {
        return None;
    }
    if text == "*" {
        return wrong("S3 takes no bare `*` here");
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return wrong("this is no ARN");
    };
    if *arn != "arn" || partition.is_empty() {
        return wrong("this is no ARN");
    }
    if *service != "s3" {
        return wrong("this is no ARN of S3");
    }
    let empty = |part: &str| part.chars().all(|c| c == '*');
    if !empty(region) || !empty(account) {
        return wrong("the ARN of a bucket has neither region nor account");
    }
    if resource.is_empty() {
        return wrong("this ARN names no bucket");
    }
    None
}

/// How an operator that there isn't was meant, perhaps.
pub fn operator_help(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("foranyvalues:") {
        return "write `ForAnyValue:`, without an s".to_owned();
    }
    if lower.starts_with("forallvalue:") {
        return "write `ForAllValues:`, with an s".to_owned();
    }
    if lower == "nullifexists" {
        return "`Null` already asks whether the key exists".to_owned();
    }
    "operators are `StringEquals`, `StringLike`, `ArnLike`, `Bool`, `Null`, … and their negations".to_owned()
}

/// An action, without wildcards, that is done to objects.
pub fn is_object_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, name)| {
        OBJECT_ACTIONS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Whether an action, with its wildcards, can be one of these.
pub fn could_be_one_of(text: &str, actions: &[&str]) -> bool {
    let pattern = Pattern::new(&text.to_ascii_lowercase());
    actions
        .iter()
        .any(|action| pattern.matches(&action.to_ascii_lowercase()))
}

/// The actions without which a condition key makes no sense: only for keys where this is beyond doubt.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
pub fn only_with(key: &str) -> Option<&'static [&'static str]> {
    match key.to_ascii_lowercase().as_str() {
        "s3:prefix" | "s3:delimiter" | "s3:max-keys" => Some(&["s3:ListBucket", "s3:ListBucketVersions"]),
        "s3:versionid" => Some(&[
            "s3:DeleteObjectVersion",
            "s3:DeleteObjectVersionTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionAttributes",
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionTagging",
            "s3:GetObjectVersionTorrent",
            "s3:PutObjectVersionAcl",
            "s3:PutObjectVersionTagging",
        ]),
        _ => None,
    }
}

fn is_listed(name: &str) -> bool {
    OBJECT_ACTIONS
        .iter()
        .chain(BUCKET_ACTIONS)
        .any(|known| known.eq_ignore_ascii_case(name))
}

const OBJECT_ACTIONS: &[&str] = &[
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionTagging",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetObjectVersion",
    "GetObjectVersionAcl",
    "GetObjectVersionAttributes",
    "GetObjectVersionForReplication",
    "GetObjectVersionTagging",
    "GetObjectVersionTorrent",
    "InitiateReplication",
    "ListMultipartUploadParts",
    "ObjectOwnerOverrideToBucketOwner",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionTagging",
    "RenameObject",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateTags",
    "RestoreObject",
    "UpdateObjectEncryption",
];

/// What is done to buckets and accounts; the latter make no sense in a bucket policy, and S3 knows them all the same.
const BUCKET_ACTIONS: &[&str] = &[
    "CreateAccessPoint",
    "CreateJob",
    "DeleteAccessPoint",
    "GetAccessPoint",
    "GetAccountPublicAccessBlock",
    "ListAccessPoints",
    "ListAllMyBuckets",
    "PutAccessPointPolicy",
    "PutAccountPublicAccessBlock",
    "CreateBucket",
    "CreateBucketMetadataTableConfiguration",
    "CreateSession",
    "DeleteBucket",
    "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketPublicAccessBlock",
    "DeleteBucketWebsite",
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAbac",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetadataTableConfiguration",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetLifecycleConfiguration",
    "GetMetricsConfiguration",
    "GetReplicationConfiguration",
    "HeadBucket",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "ListTagsForResource",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAbac",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutLifecycleConfiguration",
    "PutMetricsConfiguration",
    "PutReplicationConfiguration",
    "TagResource",
    "UntagResource",
    "UpdateBucketMetadataInventoryTableConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration",
];
