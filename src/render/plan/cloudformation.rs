//! A plan as a CloudFormation template of one region.
//!
//! A template can switch logging on only for buckets that it owns itself. The sources exist already, so that their
//! property stands in the metadata, to be put where the bucket is declared.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::name::Region;
use crate::plan::{Change, Plan, Put, Setting};
use crate::render::terminal::numbers::join_some;

pub fn render(plan: &Plan, region: &Region, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &template(plan, region)).map_err(io::Error::from)?;
    writeln!(out)
}

/// What the template of a plan leaves to be done, for whoever deploys it.
pub fn remarks(plan: &Plan, region: &Region) -> Vec<String> {
    let template = template(plan, region);
    let mut remarks = Vec::new();
    let by_hand = template.pointer("/Metadata/PropertiesOfExistingBuckets");
    let by_hand: Vec<&str> = by_hand
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|buckets| buckets.keys().map(String::as_str))
        .collect();
    if !by_hand.is_empty() {
        remarks.push(format!(
            "Not done by this template: the settings of {}, since a template sets properties of its own buckets alone. \
             `Metadata.PropertiesOfExistingBuckets` holds them, the logging itself among them: put them where each \
             bucket is declared, or run `s3log-lint enable` without `--emit` after the deploy.",
            join_some(by_hand.into_iter(), 3)
        ));
    }
    let resources = template["Resources"].as_object().into_iter().flatten();
    let to_import: Vec<&str> = resources
        .filter_map(|(_, resource)| resource.pointer("/Metadata/ImportFirst")?.as_str())
        .collect();
    if !to_import.is_empty() {
        remarks.push(format!(
            "`ImportFirst`: {} has a policy already, and CloudFormation puts none over a policy that it doesn't manage. \
             Import that policy into the stack as it is now (`--change-set-type IMPORT`), then deploy this template.",
            join_some(to_import.into_iter(), 3)
        ));
    }
    remarks
}

/// The regions of a plan: each takes a template of its own.
pub fn regions(plan: &Plan) -> Vec<&Region> {
    let mut regions: Vec<&Region> = plan.changes.iter().map(Change::region).collect();
    regions.sort();
    regions.dedup();
    regions
}

fn template(plan: &Plan, region: &Region) -> Value {
    let mut names = Names::default();
    let mut resources = Map::new();
    let mut by_hand = Map::new();
    let changes = || plan.changes.iter().filter(|change| change.region() == region);
    for change in changes() {
        if let Change::CreateBucket(new) = change {
            let tags: Vec<Value> = new
                .tags
                .iter()
                .map(|(key, value)| json!({ "Key": key, "Value": value }))
                .collect();
            let bucket = json!({
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "BucketName": new.bucket.as_str(),
                    "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
                    "Tags": tags,
                },
            });
            resources.insert(names.of(new.bucket.as_str(), "Bucket"), bucket);
        }
    }
    for change in changes() {
        let Change::Put(put) = change else { continue };
        let id = names.of(put.bucket.as_str(), "Bucket");
        let created = resources.get_mut(&id);
        match (put.setting, property(put), created) {
            (Setting::Policy, Some((_, document)), created) => {
                let bucket = match created {
                    Some(_) => json!({ "Ref": id }),
                    None => json!(put.bucket.as_str()),
                };
                let mut policy = json!({
                    "Type": "AWS::S3::BucketPolicy",
                    "Properties": { "Bucket": bucket, "PolicyDocument": document },
                });
                if put.before.is_some() {
                    // CloudFormation doesn't put a policy over one that it doesn't know.
                    policy["DeletionPolicy"] = json!("Retain");
                    policy["UpdateReplacePolicy"] = json!("Retain");
                    policy["Metadata"] = json!({ "ImportFirst": put.bucket.as_str() });
                }
                resources.insert(names.of(put.bucket.as_str(), "BucketPolicy"), policy);
            }
            (_, Some((name, value)), Some(bucket)) => bucket["Properties"][name] = value,
            (_, Some((name, value)), None) => {
                let properties = by_hand.entry(put.bucket.as_str()).or_insert_with(|| json!({}));
                properties[name] = value;
            }
            (_, None, _) => {
                let properties = by_hand.entry(put.bucket.as_str()).or_insert_with(|| json!({}));
                properties["Remove"] = json!(put.setting.title());
            }
        }
    }
    if resources.is_empty() {
        // A template without a resource is none.
        resources.insert(
            "Nothing".to_owned(),
            json!({ "Type": "AWS::CloudFormation::WaitConditionHandle" }),
        );
    }
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("S3 server access logging in {region}"),
        "Resources": resources,
    });
    if !by_hand.is_empty() {
        template["Metadata"] = json!({ "PropertiesOfExistingBuckets": by_hand });
    }
    template
}

/// The property of `AWS::S3::Bucket`, and its value.
fn property(put: &Put) -> Option<(&'static str, Value)> {
    let after = put.after.as_ref()?;
    Some(match put.setting {
        Setting::Policy => {
            let document = match after {
                Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
                other => other.clone(),
            };
            ("PolicyDocument", document)
        }
        Setting::Logging => {
            let enabled = after.get("LoggingEnabled")?;
            let mut logging = json!({
                "DestinationBucketName": enabled.get("TargetBucket")?,
                "LogFilePrefix": enabled.get("TargetPrefix").cloned().unwrap_or_else(|| json!("")),
            });
            if let Some(format) = enabled.get("TargetObjectKeyFormat") {
                logging["TargetObjectKeyFormat"] = format.clone();
            }
            ("LoggingConfiguration", logging)
        }
        Setting::OwnershipControls => (
            "OwnershipControls",
            after.get("OwnershipControls").cloned().unwrap_or_default(),
        ),
        Setting::PublicAccessBlock => (
            "PublicAccessBlockConfiguration",
            after
                .get("PublicAccessBlockConfiguration")
                .cloned()
                .unwrap_or_default(),
        ),
        Setting::Encryption => {
            let rules = after.pointer("/ServerSideEncryptionConfiguration/Rules")?;
            let rules: Vec<Value> = rules.as_array()?.iter().map(encryption_rule).collect();
            (
                "BucketEncryption",
                json!({ "ServerSideEncryptionConfiguration": rules }),
            )
        }
        Setting::Lifecycle => {
            let rules: Vec<Value> = after
                .get("Rules")?
                .as_array()?
                .iter()
                .map(lifecycle_rule)
                .collect();
            ("LifecycleConfiguration", json!({ "Rules": rules }))
        }
        // CloudFormation has no property for it.
        Setting::RequestPayment | Setting::Acl => return None,
    })
}

fn encryption_rule(rule: &Value) -> Value {
    let mut out = json!({});
    if let Some(by_default) = rule.get("ApplyServerSideEncryptionByDefault") {
        out["ServerSideEncryptionByDefault"] = by_default.clone();
    }
    if let Some(key) = rule.get("BucketKeyEnabled") {
        out["BucketKeyEnabled"] = key.clone();
    }
    out
}

/// CloudFormation's names of the same things.
fn lifecycle_rule(rule: &Value) -> Value {
    let mut out = Map::new();
    let copy = |out: &mut Map<String, Value>, from: Option<&Value>, to: &str| {
        if let Some(value) = from.filter(|value| !value.is_null()) {
            out.insert(to.to_owned(), value.clone());
        }
    };
    copy(&mut out, rule.get("ID"), "Id");
    copy(&mut out, rule.get("Status"), "Status");
    let filter = rule.get("Filter");
    let and = filter.and_then(|filter| filter.get("And"));
    let inner = and.or(filter);
    let prefix = inner
        .and_then(|inner| inner.get("Prefix"))
        .or_else(|| rule.get("Prefix"))
        .filter(|prefix| prefix.as_str() != Some(""));
    copy(&mut out, prefix, "Prefix");
    copy(
        &mut out,
        inner.and_then(|inner| inner.get("ObjectSizeGreaterThan")),
        "ObjectSizeGreaterThan",
    );
    copy(
        &mut out,
        inner.and_then(|inner| inner.get("ObjectSizeLessThan")),
        "ObjectSizeLessThan",
    );
    if let Some(tags) = and.and_then(|and| and.get("Tags")) {
        out.insert("TagFilters".to_owned(), tags.clone());
    } else if let Some(tag) = filter.and_then(|filter| filter.get("Tag")) {
        out.insert("TagFilters".to_owned(), json!([tag]));
    }
    copy(&mut out, rule.pointer("/Expiration/Days"), "ExpirationInDays");
    copy(&mut out, rule.pointer("/Expiration/Date"), "ExpirationDate");
    copy(
        &mut out,
        rule.pointer("/Expiration/ExpiredObjectDeleteMarker"),
        "ExpiredObjectDeleteMarker",
    );
    copy(
        &mut out,
        rule.get("AbortIncompleteMultipartUpload"),
        "AbortIncompleteMultipartUpload",
    );
    copy(
        &mut out,
        rule.get("NoncurrentVersionExpiration"),
        "NoncurrentVersionExpiration",
    );
    let transitions = |key: &str, days: &str, written: &str| -> Option<Value> {
        let all = rule.get(key)?.as_array()?;
        Some(
            all.iter()
                .map(|transition| {
                    let mut out = Map::new();
                    copy(&mut out, transition.get("StorageClass"), "StorageClass");
                    copy(&mut out, transition.get(days), written);
                    copy(&mut out, transition.get("Date"), "TransitionDate");
                    copy(
                        &mut out,
                        transition.get("NewerNoncurrentVersions"),
                        "NewerNoncurrentVersions",
                    );
                    Value::Object(out)
                })
                .collect(),
        )
    };
    copy(
        &mut out,
        transitions("Transitions", "Days", "TransitionInDays").as_ref(),
        "Transitions",
    );
    copy(
        &mut out,
        transitions(
            "NoncurrentVersionTransitions",
            "NoncurrentDays",
            "TransitionInDays",
        )
        .as_ref(),
        "NoncurrentVersionTransitions",
    );
    Value::Object(out)
}

/// Logical ids: letters and digits alone, and no two alike.
#[derive(Default)]
struct Names {
    given: BTreeMap<(String, &'static str), String>,
}

impl Names {
    fn of(&mut self, bucket: &str, kind: &'static str) -> String {
        if let Some(name) = self.given.get(&(bucket.to_owned(), kind)) {
            return name.clone();
        }
        let mut stem = String::from(kind);
        for word in bucket.split(|c: char| !c.is_ascii_alphanumeric()) {
            let mut letters = word.chars();
            stem.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            stem.extend(letters);
        }
        let mut name = stem.clone();
        let mut number = 2;
        while self.given.values().any(|taken| *taken == name) {
            name = format!("{stem}x{number}");
            number += 1;
        }
        self.given.insert((bucket.to_owned(), kind), name.clone());
        name
    }
}
