//! The documents of the settings, checked as S3 checks them, in their JSON form.

use serde_json::{Value, json};

use super::answer::Fault;
use super::request::Request;
use super::world::Bucket;
use super::write::document;
use super::xml::{Node, value};

/// Exactly one rule with a value that exists.
pub fn ownership(request: &Request) -> Result<Value, Fault> {
    let body = document(request, "OwnershipControls")?;
    let ownership = match body.children.as_slice() {
        [rule] if rule.name == "Rule" => rule.text_of("ObjectOwnership"),
        _ => None,
    };
    match ownership {
        Some("BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter") => {
            Ok(json!({"OwnershipControls": value(&body)}))
        }
        _ => Err(Fault::malformed_xml()),
    }
}

pub fn encryption(request: &Request) -> Result<Value, Fault> {
    let body = document(request, "ServerSideEncryptionConfiguration")?;
    let [rule] = body.children.as_slice() else {
        return Err(Fault::malformed_xml());
    };
    let by_default = rule.child("ApplyServerSideEncryptionByDefault");
    if let Some(by_default) = by_default {
        let key = by_default.text_of("KMSMasterKeyID");
        match by_default.text_of("SSEAlgorithm") {
            Some("AES256") if key.is_some() => {
                return Err(Fault::invalid_argument(
                    "ApplyServerSideEncryptionByDefault",
                    None,
                    "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                ));
            }
            Some("AES256" | "aws:kms" | "aws:kms:dsse") => {}
            _ => return Err(Fault::malformed_xml()),
        }
    }
    let mut value = value(&body);
    if let Some(Value::Object(rule)) = value.pointer_mut("/Rules/0") {
        rule.entry("BucketKeyEnabled").or_insert(false.into());
    }
    Ok(json!({"ServerSideEncryptionConfiguration": value}))
}

pub fn object_lock(request: &Request, bucket: &Bucket) -> Result<Value, Fault> {
    let body = document(request, "ObjectLockConfiguration")?;
    if body.text_of("ObjectLockEnabled") != Some("Enabled") {
        return Err(Fault::malformed_xml());
    }
    if let Some(rule) = body.child("Rule") {
        let retention = rule.child("DefaultRetention").ok_or_else(Fault::malformed_xml)?;
        let moded = matches!(retention.text_of("Mode"), Some("GOVERNANCE" | "COMPLIANCE"));
        if !moded || retention.count("Days") + retention.count("Years") != 1 {
            return Err(Fault::malformed_xml());
        }
    }
    if !bucket.is_versioned() {
        return Err(Fault::new(
            409,
            "InvalidBucketState",
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        ));
    }
    Ok(json!({"ObjectLockConfiguration": value(&body)}))
}

pub fn request_payment(request: &Request) -> Result<Value, Fault> {
    let body = document(request, "RequestPaymentConfiguration")?;
    match body.text_of("Payer") {
        Some(payer @ ("Requester" | "BucketOwner")) => Ok(json!({"Payer": payer})),
        _ => Err(Fault::malformed_xml()),
    }
}

pub fn versioning(request: &Request, bucket: &Bucket) -> Result<Value, Fault> {
    let body = document(request, "VersioningConfiguration")?;
    match body.text_of("Status") {
        Some("Suspended") if bucket.has_object_lock() => Err(Fault::new(
            409,
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        )),
        Some(status @ ("Enabled" | "Suspended")) => Ok(json!({"Status": status})),
        _ => Err(Fault::malformed_xml()),
    }
}

pub fn public_access_block(request: &Request) -> Result<Value, Fault> {
    const SWITCHES: &[&str] = &[
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ];
    let body = document(request, "PublicAccessBlockConfiguration")?;
    if body.children.is_empty() || !body.has_only(SWITCHES) {
        return Err(Fault::malformed_xml());
    }
    let mut block = json!({});
    for switch in SWITCHES {
        block[*switch] = match body.text_of(switch) {
            None | Some("false" | "FALSE") => false.into(),
            Some("true" | "TRUE") => true.into(),
            Some(_) => return Err(Fault::malformed_xml()),
        };
    }
    Ok(json!({"PublicAccessBlockConfiguration": block}))
}

pub fn lifecycle(request: &Request) -> Result<Value, Fault> {
    let body = document(request, "LifecycleConfiguration")?;
    if body.children.is_empty() || body.children.len() > 1000 || !body.has_only(&["Rule"]) {
        return Err(Fault::malformed_xml());
    }
    for rule in &body.children {
        check_rule(rule)?;
    }
    let mut value = value(&body);
    let mut ids = std::collections::BTreeSet::new();
    let rules = value["Rules"].as_array_mut().into_iter().flatten();
    for (number, rule) in rules.enumerate() {
        let id = match rule.get("ID").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => id.to_owned(),
            // S3 gives a rule an ID where it has none.
            _ => format!("sandbox-rule-{number}"),
        };
        if !ids.insert(id.clone()) {
            return Err(Fault::invalid_argument(
                "ID",
                Some(&id),
                "Rule ID must be unique. Found same ID for more than one rule",
            ));
        }
        rule["ID"] = id.into();
    }
    let smallest = request
        .header("x-amz-transition-default-minimum-object-size")
        .unwrap_or("all_storage_classes_128K");
    value["TransitionDefaultMinimumObjectSize"] = smallest.into();
    Ok(value)
}

fn check_rule(rule: &Node) -> Result<(), Fault> {
    let malformed = || Err(Fault::malformed_xml());
    if !matches!(rule.text_of("Status"), Some("Enabled" | "Disabled")) {
        return malformed();
    }
    match (rule.child("Filter"), rule.child("Prefix")) {
        (None, None) | (Some(_), Some(_)) => return malformed(),
        (Some(filter), None) if filter.children.len() > 1 => return malformed(),
        (Some(_), None) | (None, Some(_)) => {}
    }
    if let Some(expiration) = rule.child("Expiration") {
        if expiration.children.len() != 1
            || !expiration.has_only(&["Days", "Date", "ExpiredObjectDeleteMarker"])
        {
            return malformed();
        }
        if let Some(date) = expiration.text_of("Date")
            && !date.contains("T00:00:00")
        {
            return Err(Fault::invalid_argument(
                "Date",
                Some(date),
                "'Date' must be at midnight GMT",
            ));
        }
        if let Some(days) = expiration.text_of("Days")
            && !days.parse::<u32>().is_ok_and(|days| days > 0)
        {
            return Err(Fault::invalid_argument(
                "Days",
                Some(days),
                "'Days' for Expiration action must be a positive integer",
            ));
        }
    }
    if let Some(noncurrent) = rule.child("NoncurrentVersionExpiration")
        && noncurrent.child("NoncurrentDays").is_none()
    {
        return malformed();
    }
    if let Some(and) = rule.child("Filter").and_then(|filter| filter.child("And")) {
        let mut keys = std::collections::BTreeSet::new();
        for tag in and.children.iter().filter(|child| child.name == "Tag") {
            if !keys.insert(tag.text_of("Key")) {
                return Err(Fault::new(
                    400,
                    "InvalidRequest",
                    "Duplicate Tag Keys are not allowed.",
                ));
            }
        }
    }
    let actions = [
        "Expiration",
        "Transition",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionTransition",
        "AbortIncompleteMultipartUpload",
    ];
    if !actions.iter().any(|action| rule.child(action).is_some()) {
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "At least one action needs to be specified in a rule",
        ));
    }
    Ok(())
}
