//! What the resources of S3 say, one function per kind: their arguments, with Terraform's names.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/s3_bucket_logging>

use std::sync::Arc;

use super::value::Node;
use crate::collect::deployment::{Configuration, Said, Stated};
use crate::inventory::{
    Acl, Document, Encryption, Fact, Grant, Grantee, KeyFormat, LifecycleRule, Logging, ObjectLock,
    ObjectOwnership, Payer, Place, PublicAccessBlock, TargetRef, Versioning, Why,
};

/// What is behind a value that isn't known: followed through the references of the resource.
pub(super) trait Behind {
    fn target(&self, path: &[&str], node: Node<'_>) -> Fact<TargetRef>;
    /// The prefix; an empty one where there is none.
    fn prefix(&self, path: &[&str], node: Node<'_>) -> Fact<String>;
    /// The key, where it is certain that it is one of the customer's.
    fn customer_key(&self, path: &[&str]) -> Option<String>;
    /// Whether the configuration has this argument.
    fn is_configured(&self, path: &[&str]) -> bool;
    fn policy(&self, node: Node<'_>) -> Fact<Arc<Document>>;
    /// The place of an argument.
    fn place(&self, pointer: &str) -> Place;
    /// The same, where the file isn't so large that one place of each resource must do.
    fn further_place(&self, pointer: &str) -> Option<Place>;
}

/// `aws_s3_bucket_logging`, and the deprecated block `logging` of a bucket, which has the same arguments.
pub(super) fn logging(node: Node<'_>, path: &[&str], behind: &dyn Behind) -> Fact<Logging> {
    let inside = |name| path.iter().copied().chain([name]).collect::<Vec<_>>();
    let pointer = |name: &str| {
        path.iter()
            .chain([&name])
            .map(|segment| format!("/{segment}"))
            .collect::<String>()
    };
    let target = node.get("target_bucket");
    let prefix = behind.prefix(&inside("target_prefix"), node.get("target_prefix"));
    Fact::Known(Logging {
        target: behind.target(&inside("target_bucket"), target),
        prefix,
        key_format: key_format(node),
        target_grants: grants(node.get("target_grant"))
            .known()
            .cloned()
            .unwrap_or_default(),
        place: behind.place(&pointer("target_bucket")),
        prefix_place: behind.further_place(&pointer("target_prefix")).map(Box::new),
    })
}

fn key_format(node: Node<'_>) -> Fact<KeyFormat> {
    let format = match node.get("target_object_key_format").block() {
        Fact::Known(format) => format,
        Fact::Absent => return Fact::Known(KeyFormat::Simple),
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    match format.get("partitioned_prefix").block() {
        Fact::Absent => Fact::Known(KeyFormat::Simple),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::Known(partitioned) => match partitioned.get("partition_date_source").text() {
            Fact::Known(source) if source == "DeliveryTime" => {
                Fact::Known(KeyFormat::PartitionedByDeliveryTime)
            }
            // "PartitionDateSource defaults to EventTime"
            Fact::Known(_) | Fact::Absent => Fact::Known(KeyFormat::PartitionedByEventTime),
            Fact::Unknown(why) => Fact::Unknown(why),
        },
    }
}

/// `target_grant`, and the grants of an access control policy.
fn grants(node: Node<'_>) -> Fact<Vec<Grant>> {
    let items = match node.list() {
        Fact::Known(items) => items,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    let mut grants = Vec::new();
    for item in items {
        let grantee = match item.get("grantee").block() {
            Fact::Known(grantee) => grantee,
            Fact::Absent => item,
            Fact::Unknown(why) => return Fact::Unknown(why),
        };
        match (grantee_of(grantee), item.get("permission").text()) {
            (Fact::Known(grantee), Fact::Known(permission)) => grants.push(Grant { grantee, permission }),
            (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => return Fact::Unknown(why),
            (Fact::Absent, _) | (_, Fact::Absent) => {}
        }
    }
    Fact::Known(grants)
}

fn grantee_of(node: Node<'_>) -> Fact<Grantee> {
    match (
        node.get("uri").name(),
        node.get("email_address").name(),
        node.get("id").name(),
    ) {
        (Fact::Known(uri), ..) => Fact::Known(Grantee::Group { uri }),
        (Fact::Unknown(why), ..) => Fact::Unknown(why),
        (_, Fact::Known(_), _) => Fact::Known(Grantee::Email),
        (_, _, Fact::Known(id)) => Fact::Known(Grantee::CanonicalUser { id }),
        (_, Fact::Unknown(_), _) => Fact::Known(Grantee::Email),
        // An id that the deploy brings is nobody's group.
        (_, _, Fact::Unknown(_) | Fact::Absent) => Fact::Known(Grantee::Other),
    }
}

/// `aws_s3_bucket_acl`.
pub(super) fn acl(node: Node<'_>) -> Fact<Acl> {
    match node.get("acl").name() {
        Fact::Known(canned) => canned_acl(&canned),
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::Absent => match node.get("access_control_policy").block() {
            Fact::Known(policy) => {
                let owner = match policy.get("owner").block() {
                    Fact::Known(owner) => owner.get("id").name().known().cloned(),
                    Fact::Absent | Fact::Unknown(_) => None,
                };
                grants(policy.get("grant")).map(|grants| Acl { owner, grants })
            }
            Fact::Absent => Fact::Absent,
            Fact::Unknown(why) => Fact::Unknown(why),
        },
    }
}

/// What a canned ACL grants to others than the owner.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>
fn canned_acl(name: &str) -> Fact<Acl> {
    let to = |uri: &str, permissions: &[&str]| {
        let grants = permissions.iter().map(|permission| Grant {
            grantee: Grantee::Group { uri: uri.to_owned() },
            permission: (*permission).to_owned(),
        });
        Fact::Known(Acl {
            owner: None,
            grants: grants.collect(),
        })
    };
    match name {
        "private" | "bucket-owner-read" | "bucket-owner-full-control" | "aws-exec-read" => {
            Fact::Known(Acl::default())
        }
        "log-delivery-write" => to(Grantee::LOG_DELIVERY, &["WRITE", "READ_ACP"]),
        "public-read" => to(Grantee::ALL_USERS, &["READ"]),
        "public-read-write" => to(Grantee::ALL_USERS, &["READ", "WRITE"]),
        "authenticated-read" => to(Grantee::AUTHENTICATED_USERS, &["READ"]),
        other => Fact::Unknown(Why::Failed {
            code: format!("unknown canned ACL {other}"),
        }),
    }
}

/// The attribute `grant` of a bucket: what was read back of its ACL, or what is set.
fn bucket_grants(node: Node<'_>) -> Fact<Acl> {
    let items = match node.get("grant").list() {
        Fact::Known(items) if items.is_empty() => return Fact::Absent,
        Fact::Known(items) => items,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    let mut grants = Vec::new();
    for item in items {
        let (grantee, permissions) = match (grantee_of(item), item.get("permissions").list()) {
            (Fact::Known(grantee), Fact::Known(permissions)) => (grantee, permissions),
            (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => return Fact::Unknown(why),
            (Fact::Absent, _) | (_, Fact::Absent) => continue,
        };
        for permission in permissions {
            match permission.text() {
                Fact::Known(permission) => grants.push(Grant {
                    grantee: grantee.clone(),
                    permission,
                }),
                Fact::Absent => {}
                Fact::Unknown(why) => return Fact::Unknown(why),
            }
        }
    }
    Fact::Known(Acl { owner: None, grants })
}

/// `aws_s3_bucket_ownership_controls`.
pub(super) fn object_ownership(node: Node<'_>) -> Fact<ObjectOwnership> {
    flat(node.get("rule").block(), |rule| {
        flat(
            rule.get("object_ownership").name(),
            |text| match ObjectOwnership::parse(&text) {
                Some(ownership) => Fact::Known(ownership),
                None => Fact::Unknown(Why::Failed {
                    code: format!("unknown ObjectOwnership {text}"),
                }),
            },
        )
    })
}

/// `aws_s3_bucket_server_side_encryption_configuration`, and the block of the same name of a bucket.
pub(super) fn encryption(node: Node<'_>, path: &[&str], behind: &dyn Behind) -> Fact<Encryption> {
    let at: Vec<&str> = path
        .iter()
        .copied()
        .chain([
            "rule",
            "0",
            "apply_server_side_encryption_by_default",
            "0",
            "kms_master_key_id",
        ])
        .collect();
    flat(node.get("rule").block(), |rule| {
        flat(
            rule.get("apply_server_side_encryption_by_default").block(),
            |by_default| {
                flat(by_default.get("sse_algorithm").name(), |algorithm| {
                    let key = match by_default.get("kms_master_key_id").name() {
                        Fact::Known(key) => Some(key),
                        Fact::Absent => None,
                        Fact::Unknown(Why::AfterApply) if algorithm != "AES256" => {
                            match behind.customer_key(&at) {
                                Some(key) => Some(key),
                                None => return Fact::Unknown(Why::AfterApply),
                            }
                        }
                        Fact::Unknown(Why::AfterApply) => None,
                        Fact::Unknown(why) => return Fact::Unknown(why),
                    };
                    Fact::Known(Encryption { algorithm, key })
                })
            },
        )
    })
}

/// `aws_s3_bucket_object_lock_configuration`, and the block of the same name of a bucket.
pub(super) fn object_lock(node: Node<'_>) -> Fact<ObjectLock> {
    let retention = flat(node.get("rule").block(), |rule| {
        flat(rule.get("default_retention").block(), |retention| {
            let mode = match retention.get("mode").name() {
                Fact::Known(mode) => mode,
                Fact::Absent | Fact::Unknown(_) => "retention".to_owned(),
            };
            // Zero is how an older provider writes that it isn't set.
            let span = |name: &str| {
                retention
                    .get(name)
                    .number()
                    .known()
                    .copied()
                    .filter(|span| *span > 0)
            };
            Fact::Known(match (span("days"), span("years")) {
                (Some(days), _) => format!("{mode}, {days} days"),
                (None, Some(years)) => format!("{mode}, {years} years"),
                (None, None) => mode,
            })
        })
    });
    match retention {
        Fact::Known(retention) => Fact::Known(ObjectLock {
            enabled: true,
            default_retention: Some(retention),
        }),
        Fact::Absent => Fact::Known(ObjectLock {
            // The argument defaults to `Enabled`, its only value.
            enabled: true,
            default_retention: None,
        }),
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

/// `aws_s3_bucket_request_payment_configuration`; of a bucket, `request_payer`.
fn payer(node: Node<'_>) -> Fact<Payer> {
    node.name().map(|payer| match payer.as_str() {
        "Requester" => Payer::Requester,
        _ => Payer::BucketOwner,
    })
}

/// `aws_s3_bucket_versioning`.
pub(super) fn versioning(node: Node<'_>) -> Fact<Versioning> {
    flat(node.get("versioning_configuration").block(), |versioning| {
        flat(versioning.get("status").name(), |status| match status.as_str() {
            "Enabled" => Fact::Known(Versioning::Enabled),
            "Suspended" => Fact::Known(Versioning::Suspended),
            _ => Fact::Absent,
        })
    })
}

/// `aws_s3_bucket_public_access_block`.
pub(super) fn public_access_block(node: Node<'_>) -> Fact<PublicAccessBlock> {
    let mut block = PublicAccessBlock::default();
    for (name, flag) in [
        ("block_public_acls", &mut block.block_public_acls),
        ("ignore_public_acls", &mut block.ignore_public_acls),
        ("block_public_policy", &mut block.block_public_policy),
        ("restrict_public_buckets", &mut block.restrict_public_buckets),
    ] {
        match node.get(name).flag() {
            Fact::Known(set) => *flag = set,
            Fact::Absent => {}
            Fact::Unknown(why) => return Fact::Unknown(why),
        }
    }
    Fact::Known(block)
}

/// `aws_s3_bucket_lifecycle_configuration`.
pub(super) fn lifecycle(node: Node<'_>) -> Fact<Vec<LifecycleRule>> {
    let least = node.get("transition_default_minimum_object_size").name();
    let varies = least
        .known()
        .is_some_and(|least| least == "varies_by_storage_class");
    flat(node.get("rule").list(), |rules| {
        let mut all = Vec::new();
        for rule in rules {
            match lifecycle_rule(rule, varies) {
                Ok(rule) => all.push(rule),
                Err(why) => return Fact::Unknown(why),
            }
        }
        Fact::Known(all)
    })
}

fn lifecycle_rule(rule: Node<'_>, varies_by_class: bool) -> Result<LifecycleRule, Why> {
    let filter = answered(rule.get("filter").block())?;
    let and = match filter {
        Some(filter) => answered(filter.get("and").block())?,
        None => None,
    };
    let in_filter = |name: &str| -> Result<Option<String>, Why> {
        for part in [filter, and].into_iter().flatten() {
            if let Some(text) = answered(part.get(name).name())? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    };
    let size =
        |name: &str| -> Result<Option<u64>, Why> { Ok(in_filter(name)?.and_then(|text| text.parse().ok())) };
    let has = |name: &str| -> Result<bool, Why> { Ok(answered(rule.get(name).block())?.is_some()) };
    let prefix = match answered(rule.get("prefix").name())? {
        Some(prefix) => Some(prefix),
        None => in_filter("prefix")?,
    };
    let needs_tag = match (filter, and) {
        (Some(filter), and) => {
            answered(filter.get("tag").block())?.is_some()
                || and.is_some_and(|and| {
                    and.get("tags")
                        .raw()
                        .as_object()
                        .is_some_and(|tags| !tags.is_empty())
                })
        }
        (None, _) => false,
    };
    let larger_than = size("object_size_greater_than")?.filter(|size| *size > 0);
    let mut to_glacier = false;
    for transition in answered(rule.get("transition").list())?.unwrap_or_default() {
        let class = answered(transition.get("storage_class").name())?;
        to_glacier |= matches!(class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"));
    }
    Ok(LifecycleRule {
        id: answered(rule.get("id").name())?,
        enabled: answered(rule.get("status").name())?.as_deref() == Some("Enabled"),
        prefix: prefix.unwrap_or_default(),
        needs_tag,
        transitions_small: larger_than.is_some() || (varies_by_class && to_glacier),
        larger_than,
        smaller_than: size("object_size_less_than")?.filter(|size| *size > 0),
        expires: expires(rule)?,
        expires_noncurrent: has("noncurrent_version_expiration")?,
        transitions: has("transition")?,
        aborts_uploads: has("abort_incomplete_multipart_upload")?,
    })
}

fn expires(rule: Node<'_>) -> Result<bool, Why> {
    let Some(expiration) = answered(rule.get("expiration").block())? else {
        return Ok(false);
    };
    let days = answered(expiration.get("days").number())?.is_some_and(|days| days > 0);
    Ok(days || answered(expiration.get("date").name())?.is_some())
}

/// The deprecated block `lifecycle_rule` of a bucket.
fn bucket_lifecycle(node: Node<'_>) -> Fact<Vec<LifecycleRule>> {
    let rules = match node.get("lifecycle_rule").list() {
        Fact::Known(rules) if rules.is_empty() => return Fact::Absent,
        Fact::Known(rules) => rules,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    let mut all = Vec::new();
    for rule in rules {
        let read = || -> Result<LifecycleRule, Why> {
            let has = |name: &str| -> Result<bool, Why> { Ok(answered(rule.get(name).block())?.is_some()) };
            let days = answered(rule.get("abort_incomplete_multipart_upload_days").number())?;
            Ok(LifecycleRule {
                id: answered(rule.get("id").name())?,
                enabled: answered(rule.get("enabled").flag())?.unwrap_or_default(),
                prefix: answered(rule.get("prefix").name())?.unwrap_or_default(),
                needs_tag: rule
                    .get("tags")
                    .raw()
                    .as_object()
                    .is_some_and(|tags| !tags.is_empty()),
                larger_than: None,
                smaller_than: None,
                transitions_small: false,
                expires: expires(rule)?,
                expires_noncurrent: has("noncurrent_version_expiration")?,
                transitions: has("transition")?,
                aborts_uploads: days.is_some_and(|days| days > 0),
            })
        };
        match read() {
            Ok(rule) => all.push(rule),
            Err(why) => return Fact::Unknown(why),
        }
    }
    Fact::Known(all)
}

/// What a bucket's own resource says, the deprecated arguments included. Nearly all of them are computed too: not
/// set, they are unknown before the deploy, which says nothing but that the provider will read them back.
pub(super) fn bucket(node: Node<'_>, behind: &dyn Behind) -> Configuration {
    let said = |name: &str| match node.get(name) {
        inside if inside.is_unknown() && !behind.is_configured(&[name]) => None,
        // A provider that doesn't know the argument says nothing of it.
        inside if !inside.is_unknown() && !node.has(name) => None,
        inside => Some(inside),
    };
    fn sets<T>(fact: Fact<T>) -> Stated<T> {
        Said::Sets(fact).into()
    }
    let mut all = Configuration::default();
    if let Some(block) = said("logging") {
        all.logging = sets(flat(block.block(), |block| {
            logging(block, &["logging", "0"], behind)
        }));
    }
    // What was read back outweighs the canned name of it.
    let grants = said("grant").map_or(Fact::Absent, |_| bucket_grants(node));
    all.acl = match (grants, said("acl").map(Node::name)) {
        (Fact::Absent, Some(Fact::Known(canned))) => sets(canned_acl(&canned)),
        (Fact::Absent, Some(Fact::Unknown(why))) => sets(Fact::Unknown(why)),
        (Fact::Absent, Some(Fact::Absent) | None) => Stated::default(),
        (grants, _) => sets(grants),
    };
    if let Some(block) = said("server_side_encryption_configuration") {
        let path = ["server_side_encryption_configuration", "0"];
        all.encryption = sets(flat(block.block(), |block| encryption(block, &path, behind)));
    }
    let lock =
        said("object_lock_configuration").map_or(Fact::Absent, |block| flat(block.block(), object_lock));
    let enabled = said("object_lock_enabled").map_or(Fact::Absent, Node::flag);
    all.object_lock = match (lock, enabled) {
        (Fact::Known(lock), _) => sets(Fact::Known(lock)),
        (Fact::Unknown(why), _) | (Fact::Absent, Fact::Unknown(why)) => sets(Fact::Unknown(why)),
        (Fact::Absent, Fact::Known(true)) => sets(Fact::Known(ObjectLock {
            enabled: true,
            default_retention: None,
        })),
        (Fact::Absent, Fact::Known(false)) => sets(Fact::Absent),
        (Fact::Absent, Fact::Absent) => Stated::default(),
    };
    if let Some(node) = said("request_payer")
        && let fact @ (Fact::Known(_) | Fact::Unknown(_)) = payer(node)
    {
        all.payer = sets(fact);
    }
    if let Some(block) = said("versioning") {
        all.versioning = sets(flat(block.block(), |block| {
            flat(block.get("enabled").flag(), |enabled| match enabled {
                true => Fact::Known(Versioning::Enabled),
                // Off, or suspended: the older resource doesn't tell them apart.
                false => Fact::Absent,
            })
        }));
    }
    if let Some(node) = said("policy") {
        all.policy = sets(behind.policy(node));
    }
    if said("lifecycle_rule").is_some() {
        all.lifecycle = sets(bucket_lifecycle(node));
    }
    all
}

/// What a resource that configures a bucket sets; nothing for a kind that doesn't bear on delivery.
pub(super) fn configures(kind: &str, node: Node<'_>, behind: &dyn Behind) -> Option<Configuration> {
    let mut all = Configuration::default();
    match kind {
        "aws_s3_bucket_logging" => all.logging = Said::Sets(logging(node, &[], behind)).into(),
        "aws_s3_bucket_policy" => all.policy = Said::Sets(behind.policy(node.get("policy"))).into(),
        "aws_s3_bucket_acl" => all.acl = Said::Sets(acl(node)).into(),
        "aws_s3_bucket_ownership_controls" => {
            all.object_ownership = Said::Sets(object_ownership(node)).into()
        }
        "aws_s3_bucket_server_side_encryption_configuration" => {
            all.encryption = Said::Sets(encryption(node, &[], behind)).into();
        }
        "aws_s3_bucket_object_lock_configuration" => all.object_lock = Said::Sets(object_lock(node)).into(),
        "aws_s3_bucket_request_payment_configuration" => {
            all.payer = Said::Sets(payer(node.get("payer"))).into()
        }
        "aws_s3_bucket_lifecycle_configuration" => all.lifecycle = Said::Sets(lifecycle(node)).into(),
        "aws_s3_bucket_versioning" => all.versioning = Said::Sets(versioning(node)).into(),
        "aws_s3_bucket_public_access_block" => {
            all.public_access_block = Said::Sets(public_access_block(node)).into()
        }
        _ => return None,
    }
    Some(all)
}

/// What is left once a resource that configures a bucket is destroyed; nothing for a kind that doesn't bear on
/// delivery. Each kind has its own way.
/// <https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/s3>
pub(super) fn removes(kind: &str) -> Option<Configuration> {
    let mut all = Configuration::default();
    match kind {
        // An empty logging status is put: logging is off.
        "aws_s3_bucket_logging" => all.logging = Said::Removes.into(),
        "aws_s3_bucket_policy" => all.policy = Said::Removes.into(),
        // Destroying it calls nothing: the ACL stays.
        "aws_s3_bucket_acl" => {}
        "aws_s3_bucket_ownership_controls" => all.object_ownership = Said::Removes.into(),
        "aws_s3_bucket_server_side_encryption_configuration" => all.encryption = Said::Removes.into(),
        "aws_s3_bucket_object_lock_configuration" => all.object_lock = Said::Removes.into(),
        "aws_s3_bucket_request_payment_configuration" => all.payer = Said::Removes.into(),
        "aws_s3_bucket_lifecycle_configuration" => all.lifecycle = Said::Removes.into(),
        "aws_s3_bucket_versioning" => all.versioning = Said::Removes.into(),
        "aws_s3_bucket_public_access_block" => all.public_access_block = Said::Removes.into(),
        _ => return None,
    }
    Some(all)
}

fn flat<T, U>(fact: Fact<T>, known: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
    match fact {
        Fact::Known(value) => known(value),
        Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

fn answered<T>(fact: Fact<T>) -> Result<Option<T>, Why> {
    match fact {
        Fact::Known(value) => Ok(Some(value)),
        Fact::Absent => Ok(None),
        Fact::Unknown(why) => Err(why),
    }
}
