//! Expiry of delivered logs: whether a rule meets them, and a rule that does.

use serde_json::{Value, json};

use crate::inventory::LifecycleRule;

/// S3's limit of lifecycle rules in a bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html>
pub(super) const MOST_RULES: usize = 1000;

/// Days after which an upload that was never completed is given up.
const ABORT_UPLOADS_AFTER: u32 = 7;

/// Whether some enabled rule expires every key that starts with this.
pub(super) fn expires(rules: &[LifecycleRule], key_start: &str) -> bool {
    rules.iter().any(|rule| {
        rule.enabled
            && rule.expires
            && !rule.needs_tag
            && rule.larger_than.is_none()
            && rule.smaller_than.is_none()
            && key_start.starts_with(&rule.prefix)
    })
}

/// The document with one more rule; the others stay as they are.
pub(super) fn with_rule(document: Option<&Value>, rule: Value) -> Value {
    let mut document = document.cloned().unwrap_or_else(|| json!({}));
    match document.get_mut("Rules") {
        Some(Value::Array(rules)) => rules.push(rule),
        _ => document["Rules"] = json!([rule]),
    }
    document
}

pub(super) fn rule_count(document: Option<&Value>) -> usize {
    document
        .and_then(|document| document.get("Rules"))
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

/// A rule that expires these keys, their noncurrent versions too where there are any.
pub(super) fn rule(document: Option<&Value>, key_start: &str, days: u32, is_versioned: bool) -> Value {
    let mut rule = json!({
        "ID": free_id(document, key_start),
        "Status": "Enabled",
        "Filter": { "Prefix": key_start },
        "Expiration": { "Days": days },
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": ABORT_UPLOADS_AFTER },
    });
    if is_versioned {
        rule["NoncurrentVersionExpiration"] = json!({ "NoncurrentDays": NONCURRENT_DAYS });
    }
    rule
}

/// A rule for the noncurrent versions of these keys alone.
pub(super) fn noncurrent_rule(document: Option<&Value>, key_start: &str) -> Value {
    json!({
        "ID": free_id(document, key_start),
        "Status": "Enabled",
        "Filter": { "Prefix": key_start },
        "NoncurrentVersionExpiration": { "NoncurrentDays": NONCURRENT_DAYS },
    })
}

/// Days that a noncurrent version of a log is kept; a log is written once, so that one is there by mistake.
pub(super) const NONCURRENT_DAYS: u32 = 30;

/// An id that says what the rule is for, within S3's 255 characters, and that no other rule has.
fn free_id(document: Option<&Value>, key_start: &str) -> String {
    let taken: Vec<&str> = document
        .and_then(|document| document.get("Rules"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.get("ID")?.as_str())
        .collect();
    let stem: String = match key_start {
        "" => "expire-access-logs".to_owned(),
        prefix => format!("expire-access-logs-{}", prefix.trim_end_matches('/')),
    };
    let stem: String = stem.chars().take(200).collect();
    let mut id = stem.clone();
    let mut number = 2;
    while taken.contains(&id.as_str()) {
        id = format!("{stem}-{number}");
        number += 1;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_added_beside_the_others() {
        let before = json!({ "Rules": [{ "ID": "expire-access-logs-app", "Status": "Disabled" }] });
        let after = with_rule(Some(&before), rule(Some(&before), "app/", 30, false));
        assert_eq!(after["Rules"][0], before["Rules"][0]);
        assert_eq!(after["Rules"][1]["ID"], "expire-access-logs-app-2");
        assert_eq!(rule_count(Some(&after)), 2);
    }

    #[test]
    fn a_rule_for_other_keys_expires_nothing_here() {
        let rule = LifecycleRule {
            enabled: true,
            expires: true,
            prefix: "app/".to_owned(),
            ..LifecycleRule::default()
        };
        assert!(expires(std::slice::from_ref(&rule), "app/2026"));
        assert!(!expires(std::slice::from_ref(&rule), "web/"));
        let tagged = LifecycleRule {
            needs_tag: true,
            ..rule
        };
        assert!(!expires(&[tagged], "app/2026"));
    }
}
