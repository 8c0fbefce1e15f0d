//! Plans made by hand, one oddity each, and what `check` says of them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// A plan, made resource by resource.
#[derive(Default)]
struct Plan {
    changes: Vec<Value>,
    resources: Vec<Value>,
    /// What else stands in the configuration's root module.
    root: serde_json::Map<String, Value>,
}

impl Plan {
    /// A resource that is created: its values, what of them is unknown, and its expressions.
    fn creates(mut self, address: &str, after: Value, unknown: Value, expressions: Value) -> Self {
        self.changes.push(change(address, "create", after, unknown));
        if !address.starts_with("module.") {
            self.resources.push(configured(address, expressions));
        }
        self
    }

    /// A bucket of a name, of which the deploy tells the rest.
    fn bucket(self, name: &str, bucket: &str) -> Self {
        let unknown = json!({"id": true, "arn": true, "logging": true});
        let address = format!("aws_s3_bucket.{name}");
        let expressions = json!({"bucket": {"constant_value": bucket}});
        self.creates(&address, json!({"bucket": bucket}), unknown, expressions)
    }

    /// Logging from and to what is referred to.
    fn logging(self, name: &str, bucket: &[&str], target: &[&str]) -> Self {
        self.creates(
            &format!("aws_s3_bucket_logging.{name}"),
            json!({"target_prefix": "app/"}),
            json!({"bucket": true, "target_bucket": true}),
            json!({"bucket": {"references": bucket}, "target_bucket": {"references": target}}),
        )
    }

    /// A policy that is a document which is read during the deploy.
    fn policy(self, statements: Value, unknown: Value, expressions: Value) -> Self {
        let document = "data.aws_iam_policy_document.logs";
        let mut plan = self.creates(
            "aws_s3_bucket_policy.logs",
            json!({}),
            json!({"bucket": true, "policy": true}),
            json!({
                "bucket": {"references": ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"]},
                "policy": {"references": [format!("{document}.json"), document]},
            }),
        );
        plan.changes.push(change(
            document,
            "read",
            json!({"statement": statements}),
            json!({"json": true, "statement": unknown}),
        ));
        plan.resources.push(configured(document, expressions));
        plan
    }

    fn text(self) -> String {
        let mut root = self.root;
        root.insert("resources".to_owned(), self.resources.into());
        json!({
            "format_version": "1.2",
            "resource_changes": self.changes,
            "configuration": {"root_module": root},
        })
        .to_string()
    }

    fn report(self) -> Value {
        check(&self.text(), &[])
    }
}

/// The kind and the name of an address without a module.
fn parts(address: &str) -> (&str, String, String) {
    let (mode, rest) = match address.strip_prefix("data.") {
        Some(rest) => ("data", rest),
        None => ("managed", address),
    };
    let rest = match rest.starts_with("module.") {
        true => rest.splitn(3, '.').nth(2).expect("a resource in a module"),
        false => rest,
    };
    let (kind, name) = rest.split_once('.').expect("a kind and a name");
    let name = name.split('[').next().expect("a name");
    (mode, kind.to_owned(), name.to_owned())
}

fn change(address: &str, action: &str, after: Value, unknown: Value) -> Value {
    let (mode, kind, name) = parts(address);
    json!({
        "address": address, "mode": mode, "type": kind, "name": name,
        "change": {"actions": [action], "before": null, "after": after, "after_unknown": unknown},
    })
}

fn configured(address: &str, expressions: Value) -> Value {
    let (mode, kind, name) = parts(address);
    json!({"mode": mode, "type": kind, "name": name, "expressions": expressions})
}

fn check(plan: &str, arguments: &[&str]) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_s3log-lint"))
        .args(["check", "--isolated", "-", "--format", "json"])
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(plan.as_bytes()).expect("it is read");
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The only edge's grant, and the codes of the findings and of what is undecided.
fn told(report: &Value) -> (String, Vec<String>, Vec<String>) {
    let codes = |list: &str| -> Vec<String> {
        let all = report[list].as_array().expect("a list");
        all.iter()
            .map(|each| each["code"].as_str().expect("a code").to_owned())
            .collect()
    };
    let grant = report["edges"][0]["grant"].as_str().expect("a grant").to_owned();
    (grant, codes("findings"), codes("undecided"))
}

/// Two buckets, and logging from one to the other.
fn app_to_logs() -> Plan {
    Plan::default()
        .bucket("app", "app-data")
        .bucket("logs", "amzn-s3-demo-logs")
        .logging(
            "app",
            &["aws_s3_bucket.app.id", "aws_s3_bucket.app"],
            &["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"],
        )
}

/// A statement whose resource the deploy tells.
fn open_resource(service: &str, condition: Value) -> (Value, Value, Value) {
    let statement = json!([{
        "effect": "Allow", "actions": ["s3:PutObject"], "resources": [null],
        "principals": [{"type": "Service", "identifiers": [service]}], "condition": condition,
    }]);
    let unknown = json!([{"resources": [true], "principals": [{"identifiers": [false]}]}]);
    let references = ["aws_s3_bucket.logs.arn", "aws_s3_bucket.logs"];
    let expressions = json!({"statement": [{"resources": {"references": references}}]});
    (statement, unknown, expressions)
}

#[test]
fn a_resource_that_the_deploy_tells_leaves_the_grant_open_and_is_no_fault() {
    let account =
        json!([{"test": "ArnLike", "variable": "aws:SourceArn", "values": ["arn:aws:s3:::app-data"]}]);
    let (statement, unknown, expressions) = open_resource("logging.s3.amazonaws.com", account);
    let report = app_to_logs().policy(statement, unknown, expressions).report();
    let (grant, findings, undecided) = told(&report);
    assert_eq!(grant, "unknown");
    // The most usual way to write it right is not flagged.
    assert_eq!(findings, ["S3L206"], "{report}");
    assert!(undecided.contains(&"S3L101".to_owned()), "{report}");
}

#[test]
fn what_no_deploy_can_repair_is_told_before_it() {
    let (other, unknown, expressions) = open_resource("delivery.logs.amazonaws.com", json!([]));
    let (grant, findings, _) = told(&app_to_logs().policy(other, unknown, expressions).report());
    assert_eq!((grant.as_str(), findings[0].as_str()), ("not-granted", "S3L101"));

    let elsewhere =
        json!([{"test": "ArnLike", "variable": "aws:SourceArn", "values": ["arn:aws:s3:::another"]}]);
    let (statement, unknown, expressions) = open_resource("logging.s3.amazonaws.com", elsewhere);
    let (grant, findings, _) = told(&app_to_logs().policy(statement, unknown, expressions).report());
    assert_eq!((grant.as_str(), findings[0].as_str()), ("not-granted", "S3L101"));
}

#[test]
fn a_role_that_the_deploy_makes_is_no_service() {
    let statement = json!([{
        "effect": "Allow", "actions": ["s3:*"], "resources": ["arn:aws:s3:::amzn-s3-demo-logs/*"],
        "principals": [{"type": "AWS", "identifiers": [null]}],
    }]);
    let unknown = json!([{"principals": [{"identifiers": [true]}]}]);
    let of = |reference: &str| {
        let expressions =
            json!({"statement": [{"principals": [{"identifiers": {"references": [reference]}}]}]});
        let report = app_to_logs()
            .policy(statement.clone(), unknown.clone(), expressions)
            .report();
        told(&report).0
    };
    assert_eq!(of("aws_iam_role.reader.arn"), "not-granted");
    assert_eq!(of("var.readers"), "unknown");
}

#[test]
fn a_grant_that_is_taken_up_perhaps_is_open() {
    let take_up = |parts: &[&str]| {
        let mut plan = app_to_logs().policy(json!([]), json!([]), json!({}));
        let names: Vec<String> = parts
            .iter()
            .map(|name| format!("data.aws_iam_policy_document.{name}[0].json"))
            .collect();
        for change in &mut plan.changes {
            if change["address"] == "data.aws_iam_policy_document.logs" {
                change["change"]["after_unknown"]["source_policy_documents"] = json!(true);
            }
        }
        for resource in &mut plan.resources {
            if resource["type"] == "aws_iam_policy_document" {
                resource["expressions"] = json!({"source_policy_documents": {"references": names}});
            }
        }
        for name in parts {
            let service = match *name {
                "grant" => "logging.s3.amazonaws.com",
                _ => "cloudtrail.amazonaws.com",
            };
            let (statement, unknown, _) = open_resource(service, json!([]));
            let address = format!("data.aws_iam_policy_document.{name}[0]");
            plan.changes.push(change(
                &address,
                "read",
                json!({"statement": statement}),
                json!({"json": true, "statement": unknown}),
            ));
            let mut resource = configured(&address, json!({}));
            resource["count_expression"] = json!({"constant_value": 1});
            plan.resources.push(resource);
        }
        told(&plan.report())
    };
    let (grant, findings, undecided) = take_up(&["grant", "trail"]);
    assert_eq!(grant, "unknown");
    // Nobody knows whether the statement without a source will be there.
    assert!(undecided.contains(&"S3L104".to_owned()), "{undecided:?}");
    assert_eq!(findings, ["S3L206"]);
    // Whichever of these is taken up, none grants.
    assert_eq!(take_up(&["trail", "config"]).0, "not-granted");
}
