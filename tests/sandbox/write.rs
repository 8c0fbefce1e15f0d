//! The writes, and what AWS refuses of them.

use serde_json::{Value, json};

use super::account::REGIONS;
use super::answer::{Answer, Fault};
use super::operation::Operation;
use super::request::Request;
use super::world::{Bucket, Object, World, now, private_acl};
use super::{acl, policy, setting, tags, xml};

/// CreateBucket asks for more than one action where its headers say more.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
pub fn actions_of_create(request: &Request) -> Vec<&'static str> {
    let mut actions = vec!["s3:CreateBucket"];
    let has = |name: &str| request.header(name).is_some();
    if has("x-amz-acl")
        || request
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("x-amz-grant-"))
    {
        actions.push("s3:PutBucketAcl");
    }
    if wants_object_lock(request) {
        actions.extend(["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]);
    }
    if has("x-amz-object-ownership") {
        actions.push("s3:PutBucketOwnershipControls");
    }
    if document(request, "CreateBucketConfiguration").is_ok_and(|body| body.child("Tags").is_some()) {
        actions.push("s3:TagResource");
    }
    actions
}

fn wants_object_lock(request: &Request) -> bool {
    request
        .header("x-amz-bucket-object-lock-enabled")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The body of a request as a document with this root.
pub fn document(request: &Request, root: &str) -> Result<xml::Node, Fault> {
    let body = request.payload();
    std::str::from_utf8(&body)
        .ok()
        .and_then(xml::read)
        .filter(|node| node.name == root)
        .ok_or_else(Fault::malformed_xml)
}

pub fn create_bucket(
    world: &mut World,
    request: &Request,
    name: &str,
    account: &str,
    region: &str,
) -> Result<Answer, Fault> {
    let body = if request.payload().is_empty() {
        xml::Node::default()
    } else {
        document(request, "CreateBucketConfiguration")?
    };
    check_name(name, request, account, region)?;
    let constraint = body.text_of("LocationConstraint").filter(|text| !text.is_empty());
    let place = located(constraint, region)?;
    let tags = match body.child("Tags") {
        None => Vec::new(),
        Some(given) => tags::of_create(given)?,
    };
    let ownership = ownership_header(request)?;
    let acl = acl::of_create(request, &world.canonical_id(account))?;
    if ownership == "BucketOwnerEnforced" && acl.is_some() {
        return Err(acl_with_ownership());
    }
    let partition = world.partition(account).to_owned();
    let created = |place: &str| {
        let location = if place == "us-east-1" {
            format!("/{name}")
        } else {
            format!("http://{name}.{}/", request.host)
        };
        Answer::empty(200)
            .header("location", location)
            .header("x-amz-bucket-arn", format!("arn:{partition}:s3:::{name}"))
    };
    let canonical_id = world.canonical_id(account);
    if let Some(bucket) = world.buckets.get_mut(name) {
        if bucket.owner != account {
            return Err(Fault::new(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
            )
            .with("BucketName", name));
        }
        // The trap: in us-east-1 it succeeds, and resets the ACL.
        if region == "us-east-1" && bucket.region == "us-east-1" && constraint.is_none() && tags.is_empty() {
            bucket.put("acl", Some(private_acl(&canonical_id)), 0);
            return Ok(created("us-east-1"));
        }
        return Err(Fault::new(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .with("BucketName", name));
    }
    let mut bucket = Bucket::fresh(account, place, &canonical_id);
    if constraint == Some("EU") {
        bucket.location = Some("EU".to_owned());
    }
    bucket.put(
        "ownership_controls",
        Some(json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]}})),
        0,
    );
    if let Some(acl) = acl {
        bucket.put("acl", Some(acl), 0);
    }
    if !tags.is_empty() {
        bucket.put("tagging", Some(json!({"TagSet": tags})), 0);
    }
    if wants_object_lock(request) {
        bucket.put(
            "object_lock",
            Some(json!({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}})),
            0,
        );
        bucket.put("versioning", Some(json!({"Status": "Enabled"})), 0);
    }
    world.buckets.insert(name.to_owned(), bucket);
    Ok(created(place))
}

fn acl_with_ownership() -> Fault {
    Fault::new(
        400,
        "InvalidBucketAclWithObjectOwnership",
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    )
}

fn ownership_header(request: &Request) -> Result<&str, Fault> {
    match request.header("x-amz-object-ownership") {
        None => Ok("BucketOwnerEnforced"),
        Some(value @ ("BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter")) => Ok(value),
        Some(other) => Err(Fault::invalid_argument(
            "x-amz-object-ownership",
            None,
            format!("Invalid x-amz-object-ownership header: {other}"),
        )),
    }
}

/// Where the bucket is to be, or why it can't be there.
fn located<'a>(constraint: Option<&'a str>, region: &'a str) -> Result<&'a str, Fault> {
    let incompatible = |constraint: &str| {
        Fault::new(
            400,
            "IllegalLocationConstraintException",
            format!(
                "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
            ),
        )
    };
    match (constraint, region) {
        (None, "us-east-1") => Ok("us-east-1"),
        (None, _) => Err(incompatible("unspecified")),
        (Some("EU"), "eu-west-1") => Ok("eu-west-1"),
        // us-east-1 is the endpoint that makes buckets anywhere, but has no name of its own here.
        (Some(constraint), "us-east-1") if constraint != "us-east-1" && REGIONS.contains(&constraint) => {
            Ok(constraint)
        }
        (Some(constraint), "us-east-1") => Err(Fault::new(
            400,
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
        )
        .with("LocationConstraint", constraint)),
        (Some(constraint), region) if constraint == region => Ok(region),
        (Some(constraint), _) => Err(incompatible(constraint)),
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn check_name(name: &str, request: &Request, account: &str, region: &str) -> Result<(), Fault> {
    let invalid = || {
        Fault::new(400, "InvalidBucketName", "The specified bucket is not valid.").with("BucketName", name)
    };
    let edge =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    let well_formed = (3..=63).contains(&bytes.len())
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(byte))
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err();
    if !well_formed {
        return Err(invalid());
    }
    match request.header("x-amz-bucket-namespace") {
        None | Some("global") => Ok(()),
        Some("account-regional") if name.ends_with(&format!("-{account}-{region}-an")) => Ok(()),
        Some("account-regional") => Err(invalid()),
        Some(other) => Err(Fault::invalid_argument(
            "x-amz-bucket-namespace",
            Some(other),
            "Invalid x-amz-bucket-namespace header",
        )),
    }
}

/// Any write to a bucket that the caller owns.
pub fn apply(
    world: &mut World,
    operation: &Operation,
    request: &Request,
    name: &str,
    account: &str,
    stale_reads: u32,
) -> Result<Answer, Fault> {
    let canonical_id = world.canonical_id(account);
    let value = match operation.name {
        "DeleteBucket" => return delete_bucket(world, name),
        "PutBucketLogging" => logging(world, request, name)?,
        "PutBucketPolicy" => Some(policy::checked(world, request, name, account)?),
        "PutBucketAcl" => Some(acl::checked(world, request, name, &canonical_id)?),
        "PutBucketOwnershipControls" => {
            let value = setting::ownership(request)?;
            let enforced = value.pointer("/OwnershipControls/Rules/0/ObjectOwnership")
                == Some(&Value::from("BucketOwnerEnforced"));
            let acl = world.buckets.get(name).and_then(|bucket| bucket.get("acl"));
            if enforced && acl.is_some_and(|acl| acl::grants_others(acl, &canonical_id)) {
                return Err(acl_with_ownership());
            }
            Some(value)
        }
        "PutBucketEncryption" => Some(setting::encryption(request)?),
        "PutObjectLockConfiguration" => Some(setting::object_lock(request, &world.buckets[name])?),
        "PutBucketRequestPayment" => Some(setting::request_payment(request)?),
        "PutBucketLifecycleConfiguration" => Some(setting::lifecycle(request)?),
        "PutBucketVersioning" => Some(setting::versioning(request, &world.buckets[name])?),
        "PutPublicAccessBlock" => Some(setting::public_access_block(request)?),
        "PutBucketTagging" => Some(tags::of_put(request)?),
        "PutObject" | "DeleteObject" => return object(world, operation, request, name),
        _ if operation.method == "DELETE" => None,
        _ => {
            return Err(Fault::new(
                501,
                "NotImplemented",
                "The sandbox does not know this write",
            ));
        }
    };
    let bucket = world
        .buckets
        .get_mut(name)
        .ok_or_else(|| Fault::no_such_bucket(name))?;
    let Some(key) = super::world::SETTINGS.iter().find(|key| **key == operation.key) else {
        return Err(Fault::new(
            501,
            "NotImplemented",
            "The sandbox does not keep this",
        ));
    };
    // What is written is not what the seed refused to tell.
    bucket.refusals.remove(*key);
    let smallest = value
        .as_ref()
        .and_then(|value| value.get("TransitionDefaultMinimumObjectSize"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    bucket.put(key, value, stale_reads);
    let answer = Answer::empty(match operation.name {
        "PutBucketPolicy" => 204,
        "PutBucketTagging" => 204,
        _ if operation.method == "DELETE" => 204,
        _ => 200,
    });
    Ok(match smallest {
        None => answer,
        Some(smallest) => answer.header("x-amz-transition-default-minimum-object-size", smallest),
    })
}

fn delete_bucket(world: &mut World, name: &str) -> Result<Answer, Fault> {
    if world
        .buckets
        .get(name)
        .is_some_and(|bucket| !bucket.objects.is_empty())
    {
        return Err(Fault::new(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty",
        )
        .with("BucketName", name));
    }
    world.buckets.remove(name);
    Ok(Answer::empty(204))
}

/// What AWS checks: that the target exists, who owns it, where it is, and target grants. Not whether a log can arrive.
fn logging(world: &World, request: &Request, source: &str) -> Result<Option<Value>, Fault> {
    let body = document(request, "BucketLoggingStatus")?;
    let Some(enabled) = body.child("LoggingEnabled") else {
        return Ok(None);
    };
    let (Some(target_name), Some(_)) = (enabled.text_of("TargetBucket"), enabled.text_of("TargetPrefix"))
    else {
        return Err(Fault::malformed_xml());
    };
    let invalid = |message: &str| {
        Fault::new(400, "InvalidTargetBucketForLogging", message).with("TargetBucket", target_name)
    };
    let source = &world.buckets[source];
    let target = world
        .buckets
        .get(target_name)
        .ok_or_else(|| invalid("The target bucket for logging does not exist"))?;
    if target.owner != source.owner {
        return Err(invalid(
            "The owner for the bucket to be logged and the target bucket must be the same.",
        ));
    }
    if target.region != source.region {
        // The spelling and the trailing blank are AWS's.
        let mut fault = Fault::new(
            403,
            "CrossLocationLoggingProhibitted",
            "Cross S3 location logging not allowed. ",
        );
        if source.region != "us-east-1" {
            fault = fault.with("SourceBucketLocation", source.region.clone());
        }
        return Err(fault.with("TargetBucketLocation", target.region.clone()));
    }
    let grants = enabled
        .child("TargetGrants")
        .filter(|grants| !grants.children.is_empty());
    if let Some(grants) = grants {
        acl::check_grants(grants)?;
        if target.is_owner_enforced() {
            return Err(invalid(
                "Target grants not allowed for bucket owner enforced buckets",
            ));
        }
    }
    let mut value = xml::value(&body);
    let kept = &mut value["LoggingEnabled"];
    if grants.is_none()
        && let Some(kept) = kept.as_object_mut()
    {
        kept.remove("TargetGrants");
    }
    match enabled.child("TargetObjectKeyFormat") {
        None => {}
        Some(format) => kept["TargetObjectKeyFormat"] = key_format(format)?,
    }
    Ok(Some(value))
}

/// One format at most; the date source of a partitioned prefix is the time of the event unless it says otherwise.
fn key_format(format: &xml::Node) -> Result<Value, Fault> {
    match (format.child("SimplePrefix"), format.child("PartitionedPrefix")) {
        (Some(_), None) => Ok(json!({"SimplePrefix": {}})),
        (None, Some(partitioned)) => {
            match partitioned.text_of("PartitionDateSource").unwrap_or("EventTime") {
                source @ ("EventTime" | "DeliveryTime") => {
                    Ok(json!({"PartitionedPrefix": {"PartitionDateSource": source}}))
                }
                _ => Err(Fault::malformed_xml()),
            }
        }
        (None, None) | (Some(_), Some(_)) => Err(Fault::malformed_xml()),
    }
}

fn object(world: &mut World, operation: &Operation, request: &Request, name: &str) -> Result<Answer, Fault> {
    let key = request.key.clone().unwrap_or_default();
    if key.len() > 1024 {
        return Err(Fault::new(400, "KeyTooLongError", "Your key is too long"));
    }
    let bucket = world
        .buckets
        .get_mut(name)
        .ok_or_else(|| Fault::no_such_bucket(name))?;
    if operation.name == "DeleteObject" {
        bucket.objects.remove(&key);
        return Ok(Answer::empty(204));
    }
    let has_checksum = request.headers.iter().any(|(name, _)| {
        name == "content-md5" || name.starts_with("x-amz-checksum-") || name == "x-amz-trailer"
    });
    let retained = bucket
        .get("object_lock")
        .is_some_and(|lock| lock.pointer("/ObjectLockConfiguration/Rule").is_some());
    if retained && !has_checksum {
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
        ));
    }
    let kept = Object {
        body: request.payload(),
        modified: now(),
        headers: Vec::new(),
    };
    bucket.objects.insert(key, kept);
    Ok(Answer::empty(200)
        .header("etag", "\"00000000000000000000000000000000\"")
        .header("x-amz-server-side-encryption", "AES256"))
}
