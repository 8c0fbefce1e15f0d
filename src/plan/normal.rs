//! The normal form of a setting: equal exactly where two documents mean the same to S3.
//!
//! AWS gives back what it was given in other words: defaults written out, lists of one as scalars, rules in another
//! order. A reading is compared with a plan in this form, never as text.

use serde_json::{Map, Value, json};

use super::Setting;

/// `Null` where nothing is configured.
pub(super) fn form(setting: Setting, document: Option<&Value>) -> Value {
    let Some(document) = document else {
        return Value::Null;
    };
    match setting {
        Setting::Policy => policy(document),
        Setting::Logging => logging(document),
        Setting::OwnershipControls => document
            .pointer("/OwnershipControls/Rules/0/ObjectOwnership")
            .cloned()
            .unwrap_or_default(),
        Setting::PublicAccessBlock => public_access_block(document),
        Setting::Encryption => encryption(document),
        Setting::RequestPayment => match document.get("Payer").and_then(Value::as_str) {
            Some("Requester") => json!("Requester"),
            _ => Value::Null,
        },
        Setting::Lifecycle => lifecycle(document),
        Setting::Acl => acl(document),
    }
}

/// As JSON where it is JSON: a value and a list of it are one, lists are sets, statements keep their order.
fn policy(document: &Value) -> Value {
    let parsed = match document {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(parsed) => parsed,
            Err(_) => return document.clone(),
        },
        other => other.clone(),
    };
    let Value::Object(mut policy) = parsed else {
        return parsed;
    };
    if let Some(statements) = policy.remove("Statement") {
        let statements = match statements {
            Value::Array(all) => all,
            one => vec![one],
        };
        policy.insert(
            "Statement".to_owned(),
            statements.into_iter().map(statement).collect(),
        );
    }
    Value::Object(policy)
}

fn statement(statement: Value) -> Value {
    let Value::Object(parts) = statement else {
        return statement;
    };
    let part = |(name, value): (String, Value)| {
        let value = match name.as_str() {
            "Sid" | "Effect" => value,
            "Condition" => over_values(value, &|operator| over_values(operator, &set)),
            "Principal" | "NotPrincipal" => match value {
                Value::Object(_) => over_values(value, &set),
                other => other,
            },
            _ => set(value),
        };
        (name, value)
    };
    Value::Object(parts.into_iter().map(part).collect())
}

fn over_values(value: Value, each: &dyn Fn(Value) -> Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, each(value))).collect()),
        other => other,
    }
}

/// A value or a list of values, as an ordered list of texts.
fn set(value: Value) -> Value {
    let all = match value {
        Value::Array(all) => all,
        one => vec![one],
    };
    let mut texts: Vec<String> = all
        .into_iter()
        .map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts.into_iter().map(Value::String).collect()
}

fn logging(document: &Value) -> Value {
    let Some(enabled) = document
        .get("LoggingEnabled")
        .filter(|enabled| !enabled.is_null())
    else {
        return Value::Null;
    };
    let text = |key| enabled.get(key).and_then(Value::as_str).unwrap_or_default();
    let partitioned = enabled
        .pointer("/TargetObjectKeyFormat/PartitionedPrefix")
        .filter(|partitioned| !partitioned.is_null());
    // "PartitionDateSource defaults to EventTime"
    let format = match partitioned {
        None => "simple",
        Some(by) => match by.get("PartitionDateSource").and_then(Value::as_str) {
            Some("DeliveryTime") => "DeliveryTime",
            _ => "EventTime",
        },
    };
    json!({
        "target": text("TargetBucket"),
        "prefix": text("TargetPrefix"),
        "format": format,
        "grants": sorted(enabled.get("TargetGrants").map(without_nulls)),
    })
}

fn public_access_block(document: &Value) -> Value {
    let block = document
        .get("PublicAccessBlockConfiguration")
        .cloned()
        .unwrap_or_default();
    let names = [
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ];
    let on: Vec<Value> = names
        .into_iter()
        .filter(|name| block.get(name).and_then(Value::as_bool) == Some(true))
        .map(Value::from)
        .collect();
    match on.is_empty() {
        true => Value::Null,
        false => Value::Array(on),
    }
}

/// SSE-S3 is what a bucket has on which nothing is configured.
fn encryption(document: &Value) -> Value {
    let Some(rule) = document.pointer("/ServerSideEncryptionConfiguration/Rules/0") else {
        return Value::Null;
    };
    let by_default = rule
        .get("ApplyServerSideEncryptionByDefault")
        .map(without_nulls)
        .unwrap_or_default();
    let bucket_key = rule.get("BucketKeyEnabled").and_then(Value::as_bool) == Some(true);
    let is_sse_s3 = matches!(
        by_default.get("SSEAlgorithm").and_then(Value::as_str),
        None | Some("AES256")
    );
    match is_sse_s3 {
        // A bucket key means nothing without a key.
        true => Value::Null,
        false => json!({ "default": by_default, "bucket_key": bucket_key }),
    }
}

fn lifecycle(document: &Value) -> Value {
    let rules: Vec<Value> = match document.get("Rules") {
        Some(Value::Array(rules)) => rules.iter().map(lifecycle_rule).collect(),
        _ => Vec::new(),
    };
    if rules.is_empty() {
        return Value::Null;
    }
    let size = document
        .get("TransitionDefaultMinimumObjectSize")
        .and_then(Value::as_str)
        .unwrap_or("all_storage_classes_128K");
    json!({ "rules": sorted(Some(Value::Array(rules))), "size": size })
}

fn lifecycle_rule(rule: &Value) -> Value {
    let Value::Object(mut rule) = without_nulls(rule) else {
        return rule.clone();
    };
    // The old way to write a prefix, the new way, and no prefix at all.
    let old = rule.remove("Prefix");
    let filter = match rule.remove("Filter") {
        Some(Value::Object(filter)) => filter,
        _ => Map::new(),
    };
    let alone = |filter: &Map<String, Value>| filter.keys().all(|key| key == "Prefix");
    let filter = match (old, alone(&filter)) {
        (Some(prefix), true) => prefix,
        (None, true) => filter.get("Prefix").cloned().unwrap_or_else(|| json!("")),
        (_, false) => Value::Object(filter),
    };
    rule.insert("Filter".to_owned(), filter);
    Value::Object(rule)
}

fn acl(document: &Value) -> Value {
    sorted(document.get("Grants").map(|grants| {
        let Value::Array(grants) = grants else {
            return Value::Null;
        };
        grants
            .iter()
            .map(|grant| {
                let mut grant = without_nulls(grant);
                if let Some(Value::Object(grantee)) = grant.get_mut("Grantee") {
                    grantee.remove("DisplayName");
                    grantee.remove("Type");
                }
                grant
            })
            .collect()
    }))
}

/// A list without its order; an empty or missing one is `Null`.
fn sorted(list: Option<Value>) -> Value {
    match list {
        Some(Value::Array(mut list)) if !list.is_empty() => {
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        _ => Value::Null,
    }
}

/// The SDKs write what is missing as `null`, at any depth. The depth is bounded by the JSON reader.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(setting: Setting, a: &str, b: &str) {
        let read = |text: &str| -> Option<Value> {
            (!text.is_empty()).then(|| serde_json::from_str(text).expect("the example is JSON"))
        };
        let (a, b) = (read(a), read(b));
        assert_eq!(form(setting, a.as_ref()), form(setting, b.as_ref()));
    }

    #[track_caller]
    fn differ(setting: Setting, a: &str, b: &str) {
        let read = |text: &str| -> Option<Value> {
            (!text.is_empty()).then(|| serde_json::from_str(text).expect("the example is JSON"))
        };
        let (a, b) = (read(a), read(b));
        assert_ne!(form(setting, a.as_ref()), form(setting, b.as_ref()));
    }

    #[test]
    fn what_aws_writes_out_is_what_was_left_out() {
        same(
            Setting::Encryption,
            r#"{"ServerSideEncryptionConfiguration": {"Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": null}, "BucketKeyEnabled": false}]}}"#,
            "",
        );
        same(Setting::RequestPayment, r#"{"Payer": "BucketOwner"}"#, "");
        same(Setting::Logging, "{}", "");
        same(
            Setting::Logging,
            r#"{"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "", "TargetObjectKeyFormat": {"PartitionedPrefix": {}}}}"#,
            r#"{"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "", "TargetGrants": [],
                "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}}}"#,
        );
        same(
            Setting::Lifecycle,
            r#"{"Rules": [{"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}],
                "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"}"#,
            r#"{"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]}"#,
        );
        same(
            Setting::Policy,
            r#""{\"Statement\": {\"Action\": \"s3:PutObject\", \"Condition\": {\"StringEquals\": {\"k\": [\"b\", \"a\"]}}}}""#,
            r#""{\"Statement\":[{\"Action\":[\"s3:PutObject\"],\"Condition\":{\"StringEquals\":{\"k\":[\"a\",\"b\"]}}}]}""#,
        );
    }

    #[test]
    fn what_differs_stays_different() {
        differ(
            Setting::Encryption,
            r#"{"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}"#,
            "",
        );
        differ(
            Setting::Logging,
            r#"{"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "a"}}"#,
            r#"{"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "a/"}}"#,
        );
        differ(
            Setting::Policy,
            r#""{\"Statement\": [{\"Effect\": \"Allow\"}, {\"Effect\": \"Deny\"}]}""#,
            r#""{\"Statement\": [{\"Effect\": \"Allow\"}]}""#,
        );
        differ(Setting::Policy, r#""not JSON""#, r#""nor this""#);
        differ(
            Setting::PublicAccessBlock,
            r#"{"PublicAccessBlockConfiguration": {"BlockPublicAcls": true}}"#,
            "",
        );
        differ(
            Setting::Acl,
            r#"{"Grants": [{"Grantee": {"URI": "x", "Type": "Group"}, "Permission": "WRITE"}]}"#,
            r#"{"Grants": [{"Grantee": {"URI": "x", "Type": "Group"}, "Permission": "READ"}]}"#,
        );
    }
}
