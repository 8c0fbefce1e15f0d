//! A plan as commands of the AWS CLI, for a shell. Each names the bucket's owner; the first that fails ends it.

use std::io::{self, Write};

use serde_json::Value;

use crate::plan::{Change, Namespace, NewBucket, Plan, Put, Setting};

pub fn render(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "#!/bin/sh")?;
    writeln!(
        out,
        "# For account {}. Each document is written whole.",
        plan.account
    )?;
    writeln!(out, "set -eu")?;
    for change in &plan.changes {
        writeln!(out)?;
        match change {
            Change::CreateBucket(new) => create(new, out)?,
            Change::DeleteBucket(new) => writeln!(
                out,
                "aws s3api delete-bucket --bucket {} --region {} --expected-bucket-owner {}",
                quoted(new.bucket.as_str()),
                new.region,
                plan.account
            )?,
            Change::Put(put) => {
                let command = command(put);
                writeln!(
                    out,
                    "aws s3api {} --bucket {} --region {} --expected-bucket-owner {}{}",
                    command.name,
                    quoted(put.bucket.as_str()),
                    put.region,
                    plan.account,
                    command.options
                )?;
            }
        }
    }
    Ok(())
}

fn create(new: &NewBucket, out: &mut dyn Write) -> io::Result<()> {
    let bucket = quoted(new.bucket.as_str());
    let mut configuration = serde_json::Map::new();
    // us-east-1 is the one region that may not be named.
    if new.region.as_str() != "us-east-1" {
        configuration.insert("LocationConstraint".to_owned(), new.region.as_str().into());
    }
    let tags: Vec<Value> = new
        .tags
        .iter()
        .map(|(key, value)| serde_json::json!({ "Key": key, "Value": value }))
        .collect();
    if !tags.is_empty() {
        configuration.insert("Tags".to_owned(), tags.into());
    }
    let namespace = match new.namespace {
        Namespace::Global => "",
        Namespace::AccountRegional => " --bucket-namespace account-regional",
    };
    // In us-east-1, to create one's own bucket again answers 200 and resets its ACL.
    writeln!(
        out,
        "aws s3api head-bucket --bucket {bucket} --region {} 2>/dev/null ||",
        new.region
    )?;
    writeln!(
        out,
        "aws s3api create-bucket --bucket {bucket} --region {} --object-ownership BucketOwnerEnforced{namespace} --create-bucket-configuration {}",
        new.region,
        quoted(&Value::Object(configuration).to_string())
    )
}

struct Command {
    name: &'static str,
    options: String,
}

fn command(put: &Put) -> Command {
    let with = |name, option: &str, value: String| Command {
        name,
        options: format!(" --{option} {}", quoted(&value)),
    };
    let alone = |name| Command {
        name,
        options: String::new(),
    };
    // What a call answers holds the document under a name of its own; what the call takes is the inside.
    let inside = |document: &Value, key: &str| document.get(key).unwrap_or(document).to_string();
    match (put.setting, &put.after) {
        (Setting::Logging, after) => with(
            "put-bucket-logging",
            "bucket-logging-status",
            after.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string),
        ),
        (Setting::Policy, Some(Value::String(text))) => with("put-bucket-policy", "policy", text.clone()),
        (Setting::Policy, Some(other)) => with("put-bucket-policy", "policy", other.to_string()),
        (Setting::Policy, None) => alone("delete-bucket-policy"),
        (Setting::Acl, after) => with(
            "put-bucket-acl",
            "access-control-policy",
            after.as_ref().map_or_else(|| "{}".to_owned(), Value::to_string),
        ),
        (Setting::OwnershipControls, Some(after)) => with(
            "put-bucket-ownership-controls",
            "ownership-controls",
            inside(after, "OwnershipControls"),
        ),
        (Setting::OwnershipControls, None) => alone("delete-bucket-ownership-controls"),
        (Setting::PublicAccessBlock, Some(after)) => with(
            "put-public-access-block",
            "public-access-block-configuration",
            inside(after, "PublicAccessBlockConfiguration"),
        ),
        (Setting::PublicAccessBlock, None) => alone("delete-public-access-block"),
        (Setting::Encryption, Some(after)) => with(
            "put-bucket-encryption",
            "server-side-encryption-configuration",
            inside(after, "ServerSideEncryptionConfiguration"),
        ),
        (Setting::Encryption, None) => alone("delete-bucket-encryption"),
        (Setting::RequestPayment, after) => with(
            "put-bucket-request-payment",
            "request-payment-configuration",
            after
                .as_ref()
                .map_or_else(|| r#"{"Payer":"BucketOwner"}"#.to_owned(), Value::to_string),
        ),
        (Setting::Lifecycle, Some(after)) => {
            let rules = serde_json::json!({ "Rules": after.get("Rules").cloned().unwrap_or_default() });
            let mut command = with(
                "put-bucket-lifecycle-configuration",
                "lifecycle-configuration",
                rules.to_string(),
            );
            if let Some(size) = after
                .get("TransitionDefaultMinimumObjectSize")
                .and_then(Value::as_str)
            {
                command
                    .options
                    .push_str(" --transition-default-minimum-object-size ");
                command.options.push_str(&quoted(size));
            }
            command
        }
        (Setting::Lifecycle, None) => alone("delete-bucket-lifecycle"),
    }
}

/// For a shell: a plain word as it is, everything else in single quotes.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        assert_eq!(quoted("logs"), "logs");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
