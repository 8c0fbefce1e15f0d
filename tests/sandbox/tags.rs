//! Tags of a bucket, and what can't be one.

use serde_json::{Value, json};

use super::answer::Fault;
use super::request::Request;
use super::write::document;
use super::xml::{Node, value};

/// The tags in a CreateBucket.
pub fn of_create(tags: &Node) -> Result<Vec<Value>, Fault> {
    // Recorded: CreateBucket with the same key twice is an internal error of AWS.
    checked(tags, Fault::of_code("InternalError", None))
}

/// The document of PutBucketTagging.
pub fn of_put(request: &Request) -> Result<Value, Fault> {
    let body = document(request, "Tagging")?;
    let set = body.child("TagSet").ok_or_else(Fault::malformed_xml)?;
    let twice = Fault::new(
        400,
        "InvalidTag",
        "Cannot provide multiple Tags with the same key",
    );
    Ok(json!({"TagSet": checked(set, twice)?}))
}

fn checked(tags: &Node, twice: Fault) -> Result<Vec<Value>, Fault> {
    let mut keys = std::collections::BTreeSet::new();
    let mut checked = Vec::new();
    for tag in &tags.children {
        let (Some(key), Some(content)) = (tag.text_of("Key"), tag.text_of("Value")) else {
            return Err(Fault::malformed_xml());
        };
        let invalid = |message: &str| Fault::new(400, "InvalidTag", message);
        if key.starts_with("aws:") {
            return Err(invalid(
                "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove \"aws:\" from your tag keys and try again.",
            ));
        }
        if key.is_empty() || key.chars().count() > 128 || !key.chars().all(may_stand) {
            return Err(invalid("The TagKey you have provided is invalid").with("TagKey", key));
        }
        if content.chars().count() > 256 || !content.chars().all(may_stand) {
            return Err(invalid("The TagValue you have provided is invalid")
                .with("TagKey", key)
                .with("TagValue", content));
        }
        if !keys.insert(key) {
            return Err(twice);
        }
        checked.push(value(tag));
    }
    Ok(checked)
}

fn may_stand(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
}
