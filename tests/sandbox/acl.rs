//! ACLs: canned, in headers, or as a document; and who else than the owner is granted anything.

use serde_json::{Value, json};

use super::answer::Fault;
use super::request::Request;
use super::world::{World, private_acl};
use super::xml::{self, Node};

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

const HEADERS: &[(&str, &str)] = &[
    ("x-amz-grant-full-control", "FULL_CONTROL"),
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
];

fn malformed() -> Fault {
    Fault::new(
        400,
        "MalformedACLError",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// The ACL that PutBucketAcl would set.
pub fn checked(world: &World, request: &Request, bucket: &str, canonical_id: &str) -> Result<Value, Fault> {
    let bucket = &world.buckets[bucket];
    let acl = asked(request, canonical_id)?;
    if bucket.is_owner_enforced() {
        return Err(Fault::new(
            400,
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        ));
    }
    let public = acl["Grants"].as_array().into_iter().flatten().any(|grant| {
        let group = grant.pointer("/Grantee/URI").and_then(Value::as_str);
        matches!(group, Some(ALL_USERS | AUTHENTICATED))
    });
    if public && bucket.blocks("BlockPublicAcls") {
        return Err(Fault::access_denied());
    }
    Ok(acl)
}

/// The ACL that a CreateBucket asks for; `private` is none.
pub fn of_create(request: &Request, canonical_id: &str) -> Result<Option<Value>, Fault> {
    let acl = match request.header("x-amz-acl") {
        Some(name) => canned(name, canonical_id)?,
        None => match granted_in_headers(request)? {
            Some(grants) => json!({"Owner": {"ID": canonical_id}, "Grants": grants}),
            None => return Ok(None),
        },
    };
    Ok(grants_others(&acl, canonical_id).then_some(acl))
}

fn asked(request: &Request, canonical_id: &str) -> Result<Value, Fault> {
    let body = request.payload();
    let canned_name = request.header("x-amz-acl");
    let in_headers = granted_in_headers(request)?;
    if canned_name.is_some() && in_headers.is_some() {
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "Specifying both Canned ACLs and Header Grants is not allowed",
        ));
    }
    if (canned_name.is_some() || in_headers.is_some()) && !body.is_empty() {
        return Err(Fault::new(
            400,
            "UnexpectedContent",
            "This request does not support content",
        ));
    }
    if let Some(name) = canned_name {
        return canned(name, canonical_id);
    }
    if let Some(grants) = in_headers {
        return Ok(json!({"Owner": {"ID": canonical_id}, "Grants": grants}));
    }
    if body.is_empty() {
        return Err(Fault::new(
            400,
            "MissingSecurityHeader",
            "Your request was missing a required header",
        )
        .with("MissingHeaderName", "x-amz-acl"));
    }
    let document = std::str::from_utf8(&body)
        .ok()
        .and_then(xml::read)
        .filter(|node| node.name == "AccessControlPolicy")
        .ok_or_else(malformed)?;
    let owner = document
        .child("Owner")
        .and_then(|owner| owner.text_of("ID"))
        .ok_or_else(malformed)?;
    if owner != canonical_id {
        return Err(Fault::invalid_argument(
            "CanonicalUser/ID",
            Some(owner),
            "Invalid id",
        ));
    }
    let grants = document.child("AccessControlList").ok_or_else(malformed)?;
    check_grants(grants)?;
    let mut value = xml::value(&document);
    value["Owner"] = json!({"ID": owner});
    Ok(value)
}

/// The grants of an ACL, or of a logging configuration.
pub fn check_grants(grants: &Node) -> Result<(), Fault> {
    for grant in &grants.children {
        let grantee = grant.child("Grantee").ok_or_else(malformed)?;
        let permission = grant.text_of("Permission");
        if !HEADERS.iter().any(|(_, known)| permission == Some(known)) {
            return Err(malformed());
        }
        match grantee.kind.as_deref() {
            Some("CanonicalUser") => {
                let id = grantee.text_of("ID").ok_or_else(malformed)?;
                if !is_canonical(id) {
                    return Err(Fault::invalid_argument(
                        "CanonicalUser/ID",
                        Some(id),
                        "Invalid id",
                    ));
                }
            }
            Some("Group") => {
                let group = grantee.text_of("URI").ok_or_else(malformed)?;
                if !is_group(group) {
                    return Err(Fault::invalid_argument(
                        "Group/URI",
                        Some(group),
                        "Invalid group uri",
                    ));
                }
            }
            // Since October 2025. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Grantee.html>
            Some("AmazonCustomerByEmail") => return Err(Fault::of_code("MethodNotAllowed", None)),
            _ => return Err(malformed()),
        }
    }
    Ok(())
}

/// AWS's are 64 hexadecimal digits; a snapshot that was written by hand may have another word.
fn is_canonical(id: &str) -> bool {
    id != "wrong-id" && !id.is_empty()
}

fn is_group(uri: &str) -> bool {
    matches!(uri, ALL_USERS | AUTHENTICATED | LOG_DELIVERY)
}

fn canned(name: &str, canonical_id: &str) -> Result<Value, Fault> {
    let mut acl = private_acl(canonical_id);
    let groups: &[(&str, &str)] = match name {
        "private" | "bucket-owner-read" | "bucket-owner-full-control" | "aws-exec-read" => &[],
        "public-read" => &[(ALL_USERS, "READ")],
        "public-read-write" => &[(ALL_USERS, "READ"), (ALL_USERS, "WRITE")],
        "authenticated-read" => &[(AUTHENTICATED, "READ")],
        "log-delivery-write" => &[(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
        other => return Err(Fault::invalid_argument("x-amz-acl", Some(other), "")),
    };
    if let Some(grants) = acl["Grants"].as_array_mut() {
        grants.extend(groups.iter().map(|(uri, permission)| group(uri, permission)));
    }
    Ok(acl)
}

fn group(uri: &str, permission: &str) -> Value {
    json!({"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission})
}

/// `x-amz-grant-write: uri="…", id="…"`.
fn granted_in_headers(request: &Request) -> Result<Option<Vec<Value>>, Fault> {
    let mut grants = None;
    for (header, permission) in HEADERS {
        let Some(value) = request.header(header) else {
            continue;
        };
        for grantee in value.split(',') {
            let (kind, content) = grantee.trim().split_once('=').unwrap_or((grantee, ""));
            let content = content.trim_matches('"');
            let grant = match kind {
                "uri" if is_group(content) => group(content, permission),
                "uri" => {
                    return Err(Fault::invalid_argument("uri", Some(content), "Invalid group uri"));
                }
                "id" if is_canonical(content) => json!({
                    "Grantee": {"Type": "CanonicalUser", "ID": content}, "Permission": permission,
                }),
                "id" => return Err(Fault::invalid_argument("id", Some(content), "Invalid id")),
                "emailAddress" => return Err(Fault::of_code("MethodNotAllowed", None)),
                _ => {
                    return Err(Fault::invalid_argument(
                        header,
                        Some(value),
                        "Argument format not recognized",
                    ));
                }
            };
            grants.get_or_insert_with(Vec::new).push(grant);
        }
    }
    Ok(grants)
}

/// Whether anyone but the owner is granted anything.
pub fn grants_others(acl: &Value, canonical_id: &str) -> bool {
    acl["Grants"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|grant| grant.pointer("/Grantee/ID").and_then(Value::as_str) != Some(canonical_id))
}
