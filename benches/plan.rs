//! What a plan of 100 MB takes: the whole program, `check PLAN`, in time and in memory.
//!
//! `cargo bench --bench plan` writes three plans of about 100 MB (as Terraform writes one, of nothing but S3; the same
//! with only its changes; one of other things, with some S3 in it), checks each, and fails where the memory is more
//! than three times the file. The memory is what Linux says of the process at its highest (`VmHWM`); elsewhere only
//! the time is shown. `MEGABYTES=10` makes smaller ones; below a few megabytes the program itself is most of it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The memory may be this many times the file.
const BOUND: f64 = 3.0;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Whole,
    Changes,
    Mixed,
}

/// The plan in pieces: what Terraform says of each resource, three times over.
struct Plan {
    shape: Shape,
    changes: Vec<u8>,
    planned: Vec<u8>,
    configured: Vec<u8>,
}

impl Plan {
    fn of(shape: Shape, bytes: usize) -> Vec<u8> {
        let mut plan = Self {
            shape,
            changes: Vec::new(),
            planned: Vec::new(),
            configured: Vec::new(),
        };
        plan.add_log_bucket();
        let mut number = 0;
        while plan.len() < bytes {
            number += 1;
            plan.add_source(number);
            if shape == Shape::Mixed {
                for machine in 0..20 {
                    plan.add_machine(number * 100 + machine);
                }
            }
        }
        plan.into_text()
    }

    fn len(&self) -> usize {
        self.changes.len() + self.planned.len() + self.configured.len()
    }

    fn add_log_bucket(&mut self) {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "S3ServerAccessLogsPolicy", "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
        }]});
        self.add(
            "aws_s3_bucket",
            "logs",
            &Value::Null,
            &fresh("amzn-s3-demo-logs"),
            &unknown_of_a_bucket(),
            &json!({"bucket": {"constant_value": "amzn-s3-demo-logs"}}),
        );
        self.add(
            "aws_s3_bucket_policy",
            "logs",
            &Value::Null,
            &json!({"bucket": "amzn-s3-demo-logs", "policy": policy.to_string()}),
            &json!({"id": true}),
            &json!({"bucket": {"references": ["aws_s3_bucket.logs.bucket", "aws_s3_bucket.logs"]}, "policy": {}}),
        );
    }

    /// Every other one is there already.
    fn add_source(&mut self, number: usize) {
        let name = format!("app-{number:06}");
        let label = format!("app_{number:06}");
        let reference =
            json!({"references": [format!("aws_s3_bucket.{label}.id"), format!("aws_s3_bucket.{label}")]});
        let is_there = number.is_multiple_of(2);
        let (before, after, unknown) = match is_there {
            true => (there(&name), there(&name), json!({})),
            false => (Value::Null, fresh(&name), unknown_of_a_bucket()),
        };
        let constant = json!({"bucket": {"constant_value": name}});
        self.add("aws_s3_bucket", &label, &before, &after, &unknown, &constant);
        let mut after = json!({
            "expected_bucket_owner": null, "target_grant": [], "target_object_key_format": [],
            "target_bucket": "amzn-s3-demo-logs", "target_prefix": format!("{name}/"),
        });
        let mut unknown = json!({"id": true, "target_grant": [], "target_object_key_format": []});
        // Without the configuration, an unknown name is nobody's.
        if is_there || self.shape == Shape::Changes {
            after["bucket"] = name.clone().into();
        } else {
            unknown["bucket"] = true.into();
        }
        let expressions = json!({
            "bucket": reference,
            "target_bucket": {"references": ["aws_s3_bucket.logs.bucket", "aws_s3_bucket.logs"]},
            "target_prefix": {"constant_value": format!("{name}/")},
        });
        self.add(
            "aws_s3_bucket_logging",
            &label,
            &Value::Null,
            &after,
            &unknown,
            &expressions,
        );
    }

    fn add_machine(&mut self, number: usize) {
        let values = json!({
            "ami": "ami-0abcdef1234567890", "instance_type": "t3.micro",
            "user_data": "#!/bin/sh\necho made by the plan\n".repeat(20),
            "tags": {"Name": format!("machine-{number}"), "team": "payments"},
        });
        let expressions = json!({"ami": {"constant_value": "ami-0abcdef1234567890"}});
        self.add(
            "aws_instance",
            &format!("m{number}"),
            &values,
            &values,
            &json!({}),
            &expressions,
        );
    }

    fn add(
        &mut self,
        kind: &str,
        name: &str,
        before: &Value,
        after: &Value,
        unknown: &Value,
        expressions: &Value,
    ) {
        let actions = match (before, before == after) {
            (Value::Null, _) => ["create"],
            (_, true) => ["no-op"],
            (_, false) => ["update"],
        };
        let resource = json!({
            "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "provider_name": "registry.terraform.io/hashicorp/aws",
        });
        let with = |more: Value| {
            let mut resource = resource.clone();
            if let (Value::Object(all), Value::Object(more)) = (&mut resource, more) {
                all.extend(more);
            }
            resource
        };
        write(
            &mut self.changes,
            &with(json!({"change": {
                "actions": actions, "before": before, "after": after, "after_unknown": unknown,
                "before_sensitive": if before.is_null() { json!(false) } else { json!({}) }, "after_sensitive": {},
            }})),
        );
        if self.shape != Shape::Changes {
            let values = json!({"schema_version": 0, "values": after, "sensitive_values": {}});
            write(&mut self.planned, &with(values));
            let configured =
                json!({"provider_config_key": "aws", "schema_version": 0, "expressions": expressions});
            write(&mut self.configured, &with(configured));
        }
    }

    fn into_text(self) -> Vec<u8> {
        let mut text =
            br#"{"format_version":"1.2","terraform_version":"1.11.4","complete":true,"errored":false"#
                .to_vec();
        let mut part = |before: &str, items: &[u8], after: &str| {
            text.extend_from_slice(before.as_bytes());
            text.extend_from_slice(items);
            text.extend_from_slice(after.as_bytes());
        };
        part(
            r#","planned_values":{"root_module":{"resources":["#,
            &self.planned,
            "]}}",
        );
        part(r#","resource_changes":["#, &self.changes, "]");
        part(
            r#","configuration":{"provider_config":{"aws":{"name":"aws","full_name":"registry.terraform.io/hashicorp/aws","expressions":{"region":{"constant_value":"eu-west-1"}}}},"root_module":{"resources":["#,
            &self.configured,
            "]}}}",
        );
        text
    }
}

fn write(items: &mut Vec<u8>, item: &Value) {
    if !items.is_empty() {
        items.push(b',');
    }
    serde_json::to_writer(items, item).expect("a vector takes everything");
}

fn fresh(name: &str) -> Value {
    json!({
        "bucket": name, "bucket_prefix": null, "force_destroy": false, "timeouts": null,
        "tags": {"team": "payments", "env": "prod"}, "tags_all": {"team": "payments", "env": "prod"},
    })
}

fn unknown_of_a_bucket() -> Value {
    json!({
        "acceleration_status": true, "acl": true, "arn": true, "bucket_domain_name": true,
        "bucket_regional_domain_name": true, "cors_rule": true, "grant": true, "hosted_zone_id": true, "id": true,
        "lifecycle_rule": true, "logging": true, "object_lock_configuration": true, "object_lock_enabled": true,
        "policy": true, "region": true, "replication_configuration": true, "request_payer": true,
        "server_side_encryption_configuration": true, "tags": {}, "tags_all": {}, "versioning": true, "website": true,
        "website_domain": true, "website_endpoint": true,
    })
}

fn there(name: &str) -> Value {
    let mut bucket = fresh(name);
    let read = json!({
        "id": name, "arn": format!("arn:aws:s3:::{name}"), "acl": null, "policy": "", "logging": [],
        "request_payer": "BucketOwner", "region": "eu-west-1", "hosted_zone_id": "Z1BKCTXD74EZPE",
        "bucket_domain_name": format!("{name}.s3.amazonaws.com"),
        "bucket_regional_domain_name": format!("{name}.s3.eu-west-1.amazonaws.com"),
        "server_side_encryption_configuration": [{"rule": [{"bucket_key_enabled": false,
            "apply_server_side_encryption_by_default": [{"kms_master_key_id": "", "sse_algorithm": "AES256"}]}]}],
        "versioning": [{"enabled": true, "mfa_delete": false}], "grant": [], "cors_rule": [], "lifecycle_rule": [],
        "object_lock_configuration": [], "object_lock_enabled": false, "replication_configuration": [], "website": [],
        "website_domain": null, "website_endpoint": null, "acceleration_status": "",
    });
    if let (Value::Object(bucket), Value::Object(read)) = (&mut bucket, read) {
        bucket.extend(read);
    }
    bucket
}

/// Checks one plan: how long it took, and its memory at its highest, in bytes.
fn check(plan: &Path) -> Result<(Duration, Option<u64>), String> {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_s3log-lint"))
        .args(["--isolated", "check", "--format", "short", "--exit-zero"])
        .arg(plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut highest = None;
    loop {
        // It only grows, so that the last one that is seen is the highest.
        highest = highest.max(high_water(child.id()));
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok((start.elapsed(), highest)),
            Some(status) => return Err(format!("check ended with {status}")),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn main() -> ExitCode {
    // `cargo test` runs benchmarks too: there is nothing to see in one small run.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let megabytes = std::env::var("MEGABYTES").ok().and_then(|text| text.parse().ok());
    let bytes = megabytes.unwrap_or(100) << 20;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut is_within = true;
    for (name, shape) in [
        ("S3 alone, as Terraform writes it", Shape::Whole),
        ("S3 alone, its changes only", Shape::Changes),
        ("other things, some S3", Shape::Mixed),
    ] {
        let path = folder.path().join("plan.json");
        let text = Plan::of(shape, bytes);
        std::fs::File::create(&path)
            .and_then(|mut file| file.write_all(&text))
            .expect("the plan can be written");
        let size = text.len() as f64;
        drop(text);
        match check(&path) {
            Err(error) => {
                println!("{name}: {error}");
                is_within = false;
            }
            Ok((time, highest)) => {
                let ratio = highest.map(|highest| highest as f64 / size);
                is_within &= ratio.is_none_or(|ratio| ratio < BOUND);
                let memory = ratio.map_or("memory not known here".to_owned(), |ratio| {
                    format!("memory {ratio:.2} times the file")
                });
                println!(
                    "{name}: {:.0} MB, {:.2} s, {memory} (allowed: {BOUND})",
                    size / 1e6,
                    time.as_secs_f64()
                );
            }
        }
    }
    match is_within {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
