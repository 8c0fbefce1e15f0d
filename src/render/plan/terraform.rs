//! A plan as Terraform for the AWS provider, version 6: formatted as `terraform fmt` would.
//!
//! What exists is imported before it is changed, so that Terraform shows the same difference as the plan.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::Value;

use crate::name::{BucketName, Region};
use crate::plan::{Change, NewBucket, Plan, Put, Setting};

pub fn render(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "# For account {}, with the AWS provider 6 or later.",
        plan.account
    )?;
    let mut labels = Labels::default();
    for change in &plan.changes {
        match change {
            Change::CreateBucket(new) => create(new, &mut labels, out)?,
            Change::DeleteBucket(new) => {
                writeln!(out, "\n# Remove the bucket {}, if it is empty.", new.bucket)?
            }
            Change::Put(put) => {
                let label = labels.of(put.bucket.as_str());
                match resource(put, plan, &mut labels) {
                    Some(resource) => {
                        if put.before.is_some() {
                            import(resource.kind, &label, &put.bucket, &put.region, out)?;
                        }
                        writeln!(out, "\nresource \"{}\" \"{label}\" {{", resource.kind)?;
                        resource.body.write(2, out)?;
                        writeln!(out, "}}")?;
                    }
                    None => writeln!(
                        out,
                        "\n# Remove the {} of the bucket {}.",
                        put.setting.title(),
                        put.bucket
                    )?,
                }
            }
        }
    }
    Ok(())
}

fn import(
    kind: &str,
    label: &str,
    bucket: &BucketName,
    region: &Region,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "\nimport {{")?;
    writeln!(out, "  to = {kind}.{label}")?;
    writeln!(out, "  id = {}", quoted(&format!("{bucket}@{region}")))?;
    writeln!(out, "}}")
}

fn create(new: &NewBucket, labels: &mut Labels, out: &mut dyn Write) -> io::Result<()> {
    let label = labels.created(new.bucket.as_str());
    let mut body = Body::default()
        .with("bucket", quoted(new.bucket.as_str()))
        .with("region", quoted(new.region.as_str()));
    if !new.tags.is_empty() {
        let width = new
            .tags
            .keys()
            .map(|key| quoted_key(key).len())
            .max()
            .unwrap_or(0);
        let tags: Vec<String> = new
            .tags
            .iter()
            .map(|(key, value)| format!("    {:<width$} = {}", quoted_key(key), quoted(value)))
            .collect();
        body.apart
            .push(("tags".to_owned(), format!("{{\n{}\n  }}", tags.join("\n"))));
    }
    writeln!(out, "\nresource \"aws_s3_bucket\" \"{label}\" {{")?;
    body.write(2, out)?;
    writeln!(out, "}}")?;
    let ownership = Body::default()
        .with("bucket", labels.reference(new.bucket.as_str()))
        .with("region", quoted(new.region.as_str()))
        .block(
            "rule",
            Body::default().with("object_ownership", quoted("BucketOwnerEnforced")),
        );
    writeln!(
        out,
        "\nresource \"aws_s3_bucket_ownership_controls\" \"{label}\" {{"
    )?;
    ownership.write(2, out)?;
    writeln!(out, "}}")
}

struct Resource {
    kind: &'static str,
    body: Body,
}

fn resource(put: &Put, plan: &Plan, labels: &mut Labels) -> Option<Resource> {
    let after = put.after.as_ref()?;
    let body = Body::default()
        .with("bucket", labels.reference(put.bucket.as_str()))
        .with("region", quoted(put.region.as_str()));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(quoted);
    Some(match put.setting {
        Setting::Policy => {
            let policy = match after {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let mut body = body;
            body.apart.push(("policy".to_owned(), heredoc(&policy)));
            Resource {
                kind: "aws_s3_bucket_policy",
                body,
            }
        }
        Setting::Logging => {
            let enabled = after.get("LoggingEnabled")?;
            let target = enabled.get("TargetBucket")?.as_str()?;
            let prefix = enabled
                .get("TargetPrefix")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let mut body = body
                .with("target_bucket", labels.reference(target))
                .with("target_prefix", quoted(prefix));
            let format = enabled.get("TargetObjectKeyFormat");
            let format = match format.and_then(|format| format.get("PartitionedPrefix")) {
                Some(partitioned) => Body::default().block(
                    "partitioned_prefix",
                    Body::default().with(
                        "partition_date_source",
                        text(partitioned.get("PartitionDateSource")).unwrap_or_else(|| quoted("EventTime")),
                    ),
                ),
                None => Body::default().block("simple_prefix", Body::default()),
            };
            body = body.block("target_object_key_format", format);
            // Delivery is allowed before logging is switched on.
            let grants = plan.changes.iter().any(|change| {
                matches!(change, Change::Put(other) if other.setting == Setting::Policy && other.bucket.as_str() == target)
            });
            if grants {
                let label = labels.of(target);
                body.last
                    .push(("depends_on".to_owned(), format!("[aws_s3_bucket_policy.{label}]")));
            }
            Resource {
                kind: "aws_s3_bucket_logging",
                body,
            }
        }
        Setting::OwnershipControls => Resource {
            kind: "aws_s3_bucket_ownership_controls",
            body: body.block(
                "rule",
                Body::default().with(
                    "object_ownership",
                    text(after.pointer("/OwnershipControls/Rules/0/ObjectOwnership"))?,
                ),
            ),
        },
        Setting::PublicAccessBlock => {
            let block = after.get("PublicAccessBlockConfiguration")?;
            let on = |key: &str| (block.get(key).and_then(Value::as_bool) == Some(true)).to_string();
            Resource {
                kind: "aws_s3_bucket_public_access_block",
                body: body
                    .with("block_public_acls", on("BlockPublicAcls"))
                    .with("ignore_public_acls", on("IgnorePublicAcls"))
                    .with("block_public_policy", on("BlockPublicPolicy"))
                    .with("restrict_public_buckets", on("RestrictPublicBuckets")),
            }
        }
        Setting::Encryption => {
            let rule = after.pointer("/ServerSideEncryptionConfiguration/Rules/0")?;
            let by_default = rule.get("ApplyServerSideEncryptionByDefault");
            let mut default = Body::default().with(
                "sse_algorithm",
                text(by_default.and_then(|default| default.get("SSEAlgorithm")))
                    .unwrap_or_else(|| quoted("AES256")),
            );
            if let Some(key) = text(by_default.and_then(|default| default.get("KMSMasterKeyID"))) {
                default = default.with("kms_master_key_id", key);
            }
            let mut body_of_rule = Body::default();
            if let Some(enabled) = rule.get("BucketKeyEnabled").and_then(Value::as_bool) {
                body_of_rule = body_of_rule.with("bucket_key_enabled", enabled.to_string());
            }
            Resource {
                kind: "aws_s3_bucket_server_side_encryption_configuration",
                body: body.block(
                    "rule",
                    body_of_rule.block("apply_server_side_encryption_by_default", default),
                ),
            }
        }
        Setting::RequestPayment => Resource {
            kind: "aws_s3_bucket_request_payment_configuration",
            body: body.with(
                "payer",
                text(after.get("Payer")).unwrap_or_else(|| quoted("BucketOwner")),
            ),
        },
        Setting::Lifecycle => {
            let mut body = body;
            if let Some(size) = text(after.get("TransitionDefaultMinimumObjectSize")) {
                body = body.with("transition_default_minimum_object_size", size);
            }
            for rule in after.get("Rules")?.as_array()? {
                body = body.block("rule", lifecycle_rule(rule));
            }
            Resource {
                kind: "aws_s3_bucket_lifecycle_configuration",
                body,
            }
        }
        Setting::Acl => return None,
    })
}

fn lifecycle_rule(rule: &Value) -> Body {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(quoted);
    let number = |value: Option<&Value>| value.and_then(Value::as_i64).map(|number| number.to_string());
    let mut body = Body::default();
    body.set("id", text(rule.get("ID")));
    body.set("status", text(rule.get("Status")));
    body = body.block("filter", filter(rule));
    if let Some(expiration) = rule.get("Expiration") {
        let mut inner = Body::default();
        inner.set("days", number(expiration.get("Days")));
        inner.set("date", text(expiration.get("Date")));
        let marker = expiration
            .get("ExpiredObjectDeleteMarker")
            .and_then(Value::as_bool);
        inner.set(
            "expired_object_delete_marker",
            marker.map(|marker| marker.to_string()),
        );
        body = body.block("expiration", inner);
    }
    for transition in rule
        .get("Transitions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mut inner = Body::default();
        inner.set("days", number(transition.get("Days")));
        inner.set("date", text(transition.get("Date")));
        inner.set("storage_class", text(transition.get("StorageClass")));
        body = body.block("transition", inner);
    }
    for transition in rule
        .get("NoncurrentVersionTransitions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mut inner = Body::default();
        inner.set("noncurrent_days", number(transition.get("NoncurrentDays")));
        inner.set(
            "newer_noncurrent_versions",
            number(transition.get("NewerNoncurrentVersions")),
        );
        inner.set("storage_class", text(transition.get("StorageClass")));
        body = body.block("noncurrent_version_transition", inner);
    }
    if let Some(expiration) = rule.get("NoncurrentVersionExpiration") {
        let mut inner = Body::default();
        inner.set("noncurrent_days", number(expiration.get("NoncurrentDays")));
        inner.set(
            "newer_noncurrent_versions",
            number(expiration.get("NewerNoncurrentVersions")),
        );
        body = body.block("noncurrent_version_expiration", inner);
    }
    if let Some(abort) = rule.get("AbortIncompleteMultipartUpload") {
        let mut inner = Body::default();
        inner.set("days_after_initiation", number(abort.get("DaysAfterInitiation")));
        body = body.block("abort_incomplete_multipart_upload", inner);
    }
    body
}

fn filter(rule: &Value) -> Body {
    let filter = rule.get("Filter");
    let conditions = |value: &Value| {
        let mut body = Body::default();
        body.set("prefix", value.get("Prefix").and_then(Value::as_str).map(quoted));
        for (key, name) in [
            ("ObjectSizeGreaterThan", "object_size_greater_than"),
            ("ObjectSizeLessThan", "object_size_less_than"),
        ] {
            body.set(
                name,
                value
                    .get(key)
                    .and_then(Value::as_i64)
                    .map(|size| size.to_string()),
            );
        }
        body
    };
    let tag = |tag: &Value| {
        let mut body = Body::default();
        body.set("key", tag.get("Key").and_then(Value::as_str).map(quoted));
        body.set("value", tag.get("Value").and_then(Value::as_str).map(quoted));
        body
    };
    let Some(filter) = filter else {
        return conditions(rule);
    };
    let mut body = conditions(filter);
    if let Some(one) = filter.get("Tag") {
        body = body.block("tag", tag(one));
    }
    if let Some(and) = filter.get("And") {
        let mut inner = conditions(and);
        let tags: Vec<String> = and
            .get("Tags")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|tag| {
                let (key, value) = (tag.get("Key")?.as_str()?, tag.get("Value")?.as_str()?);
                Some(format!("{} = {}", quoted(key), quoted(value)))
            })
            .collect();
        if !tags.is_empty() {
            inner.set("tags", Some(format!("{{ {} }}", tags.join(", "))));
        }
        body = body.block("and", inner);
    }
    body
}

/// The inside of a block: attributes with their signs in line, then blocks, each apart.
#[derive(Default)]
struct Body {
    attributes: Vec<(String, String)>,
    /// Attributes of several lines.
    apart: Vec<(String, String)>,
    blocks: Vec<(&'static str, Body)>,
    last: Vec<(String, String)>,
}

impl Body {
    fn with(mut self, name: &str, value: String) -> Self {
        self.attributes.push((name.to_owned(), value));
        self
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.attributes.push((name.to_owned(), value));
        }
    }

    fn block(mut self, name: &'static str, body: Body) -> Self {
        self.blocks.push((name, body));
        self
    }

    fn is_empty(&self) -> bool {
        self.attributes.is_empty() && self.apart.is_empty() && self.blocks.is_empty() && self.last.is_empty()
    }

    fn write(&self, depth: usize, out: &mut dyn Write) -> io::Result<()> {
        let indent = " ".repeat(depth);
        let width = self
            .attributes
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        for (name, value) in &self.attributes {
            writeln!(out, "{indent}{name:<width$} = {value}")?;
        }
        let mut started = !self.attributes.is_empty();
        let mut apart = |out: &mut dyn Write| -> io::Result<()> {
            if started {
                writeln!(out)?;
            }
            started = true;
            Ok(())
        };
        for (name, value) in &self.apart {
            apart(out)?;
            writeln!(out, "{indent}{name} = {value}")?;
        }
        for (name, body) in &self.blocks {
            apart(out)?;
            if body.is_empty() {
                writeln!(out, "{indent}{name} {{}}")?;
            } else {
                writeln!(out, "{indent}{name} {{")?;
                body.write(depth + 2, out)?;
                writeln!(out, "{indent}}}")?;
            }
        }
        for (name, value) in &self.last {
            apart(out)?;
            writeln!(out, "{indent}{name} = {value}")?;
        }
        Ok(())
    }
}

/// `${` and `%{` begin templates; policies have variables of their own that begin so.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    escaped(&json)
}

fn quoted_key(key: &str) -> String {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match plain {
        true => key.to_owned(),
        false => quoted(key),
    }
}

/// The text as it is, between two lines that don't occur in it.
fn heredoc(text: &str) -> String {
    let mut end = "JSON".to_owned();
    while text.lines().any(|line| line.trim() == end) {
        end.push('_');
    }
    format!("<<{end}\n{}\n{end}", escaped(text))
}

/// Names of resources: no two buckets have the same.
#[derive(Default)]
struct Labels {
    given: BTreeMap<String, String>,
    created: Vec<String>,
}

impl Labels {
    fn of(&mut self, bucket: &str) -> String {
        if let Some(label) = self.given.get(bucket) {
            return label.clone();
        }
        let mut stem: String = bucket
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        if !stem.starts_with(|c: char| c.is_ascii_alphabetic()) {
            stem.insert_str(0, "bucket-");
        }
        let mut label = stem.clone();
        let mut number = 2;
        while self.given.values().any(|taken| *taken == label) {
            label = format!("{stem}-{number}");
            number += 1;
        }
        self.given.insert(bucket.to_owned(), label.clone());
        label
    }

    fn created(&mut self, bucket: &str) -> String {
        self.created.push(bucket.to_owned());
        self.of(bucket)
    }

    /// A bucket of this text by its resource, every other by its name.
    fn reference(&mut self, bucket: &str) -> String {
        match self.created.iter().any(|created| created == bucket) {
            true => format!("aws_s3_bucket.{}.id", self.of(bucket)),
            false => quoted(bucket),
        }
    }
}
