//! The reads: what a bucket answers, and the error that means that nothing is configured.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Fault};
use super::operation::Operation;
use super::request::Request;
use super::world::{self, Bucket, World};
use super::xml;

/// A read of one setting of a bucket that the caller owns.
pub fn setting(world: &mut World, operation: &Operation, name: &str) -> Result<Answer, Fault> {
    let owner = world.buckets.get(name).map(|bucket| bucket.owner.clone());
    let canonical_id = world.canonical_id(&owner.unwrap_or_default());
    let bucket = world
        .buckets
        .get_mut(name)
        .ok_or_else(|| Fault::no_such_bucket(name))?;
    if let Some(refusal) = bucket.refusals.get(operation.key) {
        return Err(recorded(refusal));
    }
    let value = bucket.read(operation.key);
    let absent = |code: &str, message: &str| Err(Fault::new(404, code, message).with("BucketName", name));
    match (operation.key, value) {
        ("location", _) => Ok(location(bucket)),
        ("policy", None) => absent("NoSuchBucketPolicy", "The bucket policy does not exist"),
        ("policy", Some(policy)) => {
            let text = policy["Policy"].as_str().unwrap_or_default().to_owned();
            Ok(Answer::text(200, "application/json", text))
        }
        // An owner-enforced bucket hides the grants that it still keeps.
        ("acl", _) if bucket.is_owner_enforced() => Ok(Answer::xml(
            "AccessControlPolicy",
            &world::private_acl(&canonical_id),
        )),
        ("acl", acl) => Ok(Answer::xml(
            "AccessControlPolicy",
            &acl.unwrap_or_else(|| world::private_acl(&canonical_id)),
        )),
        ("ownership_controls", None) => absent(
            "OwnershipControlsNotFoundError",
            "The bucket ownership controls were not found",
        ),
        ("object_lock", None) => absent(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
        ("lifecycle", None) => absent(
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        ),
        ("public_access_block", None) => absent(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
        ("tagging", None) => absent("NoSuchTagSet", "The TagSet does not exist"),
        ("ownership_controls", Some(value)) => Ok(inner("OwnershipControls", &value)),
        // After DeleteBucketEncryption AWS answers 200 without a rule.
        ("encryption", value) => Ok(inner(
            "ServerSideEncryptionConfiguration",
            &value.unwrap_or_default(),
        )),
        ("object_lock", Some(value)) => Ok(inner("ObjectLockConfiguration", &value)),
        ("public_access_block", Some(value)) => Ok(inner("PublicAccessBlockConfiguration", &value)),
        ("logging", value) => Ok(Answer::xml(
            "BucketLoggingStatus",
            &value.unwrap_or_else(|| json!({})),
        )),
        ("request_payment", value) => Ok(Answer::xml(
            "RequestPaymentConfiguration",
            &value.unwrap_or_else(|| json!({"Payer": "BucketOwner"})),
        )),
        ("versioning", value) => Ok(Answer::xml("VersioningConfiguration", &versioning(value))),
        ("lifecycle", Some(value)) => Ok(lifecycle(value)),
        ("tagging", Some(value)) => Ok(Answer::xml("Tagging", &value)),
        (_, _) => Err(Fault::new(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        )),
    }
}

/// The document is one level inside of its JSON form.
fn inner(root: &str, value: &Value) -> Answer {
    Answer::xml(root, value.get(root).unwrap_or(&json!({})))
}

/// `MfaDelete` in XML, `MFADelete` in the CLI's JSON.
fn versioning(value: Option<Value>) -> Value {
    let mut told = Map::new();
    for (key, value) in value.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let key = if key == "MFADelete" { "MfaDelete" } else { key };
        told.insert(key.to_owned(), value.clone());
    }
    Value::Object(told)
}

const SMALLEST: &str = "TransitionDefaultMinimumObjectSize";

fn lifecycle(mut value: Value) -> Answer {
    let smallest = value.as_object_mut().and_then(|members| members.remove(SMALLEST));
    let smallest = smallest
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or("all_storage_classes_128K");
    Answer::xml("LifecycleConfiguration", &value)
        .header("x-amz-transition-default-minimum-object-size", smallest)
}

/// us-east-1 has no name here, and eu-west-1 sometimes its old one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
fn location(bucket: &Bucket) -> Answer {
    let constraint = match (&bucket.location, bucket.region.as_str()) {
        (Some(old), _) => old.as_str(),
        (None, "us-east-1") => "",
        (None, region) => region,
    };
    Answer::text(
        200,
        "application/xml",
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"{}\">{}</LocationConstraint>",
            xml::NAMESPACE,
            xml::escape(constraint)
        ),
    )
}

/// HeadBucket of a bucket that the caller may see.
pub fn head(world: &World, name: &str, bucket: &Bucket) -> Result<Answer, Fault> {
    if let Some(refusal) = bucket.refusals.get("head") {
        return Err(recorded(refusal).header("x-amz-bucket-region", bucket.region.clone()));
    }
    Ok(Answer::text(200, "application/xml", "")
        .header("x-amz-bucket-region", bucket.region.clone())
        .header(
            "x-amz-bucket-arn",
            format!("arn:{}:s3:::{name}", world.partition(&bucket.owner)),
        )
        .header("x-amz-access-point-alias", "false"))
}

/// An error that a snapshot tells of.
pub fn recorded(error: &Value) -> Fault {
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    let status = error
        .get("status")
        .and_then(Value::as_u64)
        .and_then(|status| u16::try_from(status).ok());
    Fault::new(
        status.unwrap_or(403),
        text("code").unwrap_or("AccessDenied"),
        text("message").unwrap_or("Access Denied"),
    )
}

/// ListObjectsV2: keys in order, paged, folded at a delimiter.
pub fn list_objects(name: &str, bucket: &Bucket, request: &Request) -> Result<Answer, Fault> {
    let prefix = request.parameter("prefix").unwrap_or("");
    let delimiter = request.parameter("delimiter").filter(|text| !text.is_empty());
    let most = match request.parameter("max-keys") {
        None => 1000,
        Some(text) => text.parse::<usize>().map(|most| most.min(1000)).map_err(|_| {
            Fault::invalid_argument(
                "max-keys",
                Some(text),
                "Provided max-keys not an integer or within integer range",
            )
        })?,
    };
    let token = request.parameter("continuation-token");
    let after = match token {
        None => request.parameter("start-after").unwrap_or("").to_owned(),
        Some(token) => token
            .strip_prefix("after:")
            .ok_or_else(|| {
                Fault::invalid_argument(
                    "continuation-token",
                    Some(token),
                    "The continuation token provided is incorrect",
                )
            })?
            .to_owned(),
    };
    let encode = request.parameter("encoding-type") == Some("url");
    let shown = |text: &str| {
        if encode {
            percent_encoded(text)
        } else {
            text.to_owned()
        }
    };
    let (mut contents, mut folders) = (Vec::new(), Vec::<String>::new());
    let mut last = String::new();
    let mut truncated = false;
    for (key, object) in &bucket.objects {
        if !key.starts_with(prefix) || key.as_str() <= after.as_str() {
            continue;
        }
        let folder = delimiter.and_then(|delimiter| {
            let rest = &key[prefix.len()..];
            rest.find(delimiter)
                .map(|at| key[..prefix.len() + at + delimiter.len()].to_owned())
        });
        if let Some(folder) = &folder
            && (folders.last() == Some(folder) || after.starts_with(folder.as_str()))
        {
            last.clone_from(key);
            continue;
        }
        if contents.len() + folders.len() >= most {
            truncated = true;
            break;
        }
        last.clone_from(key);
        match folder {
            Some(folder) => folders.push(folder),
            None => contents.push(json!({
                "Key": shown(key),
                "LastModified": object.modified,
                "ETag": "\"00000000000000000000000000000000\"",
                "Size": object.body.len(),
                "StorageClass": "STANDARD",
            })),
        }
    }
    let mut answer = json!({
        "Name": name,
        "Prefix": shown(prefix),
        "KeyCount": contents.len() + folders.len(),
        "MaxKeys": most,
        "IsTruncated": truncated,
        "Contents": contents,
        "CommonPrefixes": folders.iter().map(|folder| json!({"Prefix": shown(folder)})).collect::<Vec<_>>(),
    });
    if encode {
        answer["EncodingType"] = "url".into();
    }
    if let Some(delimiter) = delimiter {
        answer["Delimiter"] = shown(delimiter).into();
    }
    if let Some(token) = token {
        answer["ContinuationToken"] = token.into();
    }
    if truncated {
        answer["NextContinuationToken"] = format!("after:{last}").into();
    }
    Ok(Answer::xml("ListBucketResult", &answer))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.*/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// GetObject and HeadObject.
pub fn object(bucket: &Bucket, key: &str, head: bool) -> Result<Answer, Fault> {
    let object = bucket
        .objects
        .get(key)
        .ok_or_else(|| Fault::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key))?;
    let mut answer = Answer::empty(200)
        .header("content-type", "binary/octet-stream")
        .header("etag", "\"00000000000000000000000000000000\"")
        .header("last-modified", http_date(&object.modified));
    if head {
        answer = answer.header("content-length", object.body.len().to_string());
    } else {
        answer.body = object.body.clone();
    }
    Ok(answer)
}

fn http_date(timestamp: &str) -> String {
    timestamp.parse::<jiff::Timestamp>().map_or_else(
        |_| "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(),
        |time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    )
}
