//! The main job over HTTP: what a live account says is what its recording says, and what it was made from.
#![cfg(feature = "aws")]

#[path = "sandbox/mod.rs"]
mod sandbox;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use sandbox::Sandbox;
use serde_json::{Value, json};

const MINE: &str = "111122223333";
const OTHER: &str = "444455556666";

/// The program, with nothing of this machine's AWS configuration.
fn program(environment: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s3log-lint"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_") || text.starts_with("S3LOG_LINT_") || text.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().cloned());
    command
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn live(sandbox: &Sandbox, account: &str) -> Value {
    let output = program(&sandbox.environment_of(account))
        .args(["audit", "--format", "json"])
        .output()
        .expect("the program starts");
    parsed(&output)
}

/// Audits a snapshot without any call.
fn offline(snapshot: &Value) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("account.json");
    std::fs::write(&file, snapshot.to_string()).expect("a file");
    let output = program(&[])
        .args(["audit", "--format", "json", "--snapshot"])
        .arg(&file)
        .output()
        .expect("the program starts");
    parsed(&output)
}

/// A report without what only a live run has: how many calls it made.
fn story(mut report: Value) -> Value {
    if let Some(summary) = report["summary"].as_object_mut() {
        summary.remove("api_calls");
    }
    // The places show AWS's text, and the sandbox writes it in its own order.
    for finding in report["findings"].as_array_mut().into_iter().flatten() {
        for place in finding["places"].as_array_mut().into_iter().flatten() {
            if let Some(place) = place.as_object_mut() {
                for position in ["line", "column", "end_line", "end_column"] {
                    place.remove(position);
                }
            }
        }
    }
    report
}

#[test]
fn every_setting_of_an_account_survives_the_way_over_http() {
    let demo: Value = serde_json::from_str(include_str!("../testdata/demo.json")).expect("the demo is JSON");
    for account in demo["accounts"].as_array().expect("accounts") {
        let mut alone = demo.clone();
        alone["accounts"] = json!([account]);
        let sandbox = Sandbox::start(&alone.to_string());
        let id = account["id"].as_str().expect("an id");
        let mut truth = story(offline(&alone));
        let mut told = story(live(&sandbox, id));
        // S3 doesn't say which organization an account is in; the demo does.
        for report in [&mut truth, &mut told] {
            report["undecided"]
                .as_array_mut()
                .expect("a list")
                .retain(|undecided| undecided["why"] != "not-read");
            report["summary"]["undecided"] = Value::Null;
        }
        assert_eq!(told["edges"], truth["edges"], "{id}");
        assert_eq!(told["findings"], truth["findings"], "{id}");
        assert_eq!(told, truth, "{id}");
        assert!(told["findings"].as_array().is_some_and(|all| !all.is_empty()));
        assert_eq!(sandbox.writes(), 0);
    }
}

/// Two accounts that log into each other's buckets, which AWS refuses to set up but which can come about: a target
/// was deleted, and somebody else took its name.
fn entangled() -> Value {
    let bucket = |region: &str, target: Option<&str>| {
        let logging = match target {
            None => json!({}),
            Some(target) => json!({"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/"}}),
        };
        json!({"region": region, "logging": logging})
    };
    json!({"version": 1, "accounts": [
        {"id": MINE, "organization_id": null, "buckets": {
            "mine-data": bucket("eu-west-1", Some("mine-logs")),
            "mine-logs": bucket("eu-west-1", None),
            "mine-lost": bucket("eu-west-1", Some("theirs-logs")),
            "mine-virginia": bucket("us-east-1", Some("mine-virginia")),
        }},
        {"id": OTHER, "organization_id": null, "buckets": {
            "theirs-data": bucket("eu-west-1", Some("theirs-logs")),
            "theirs-logs": bucket("eu-west-1", Some("mine-logs")),
        }},
    ]})
}

#[test]
fn each_of_two_accounts_tells_its_own_story() {
    let sandbox = Sandbox::start(&entangled().to_string());
    let dump = sandbox.dump();
    for (index, account) in [MINE, OTHER].into_iter().enumerate() {
        let mut truth = dump.clone();
        truth["accounts"] = json!([dump["accounts"][index]]);
        let (told, truth) = (story(live(&sandbox, account)), story(offline(&truth)));
        assert_eq!(told["edges"], truth["edges"], "{account}");
        let codes = |report: &Value| -> BTreeSet<(String, String)> {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            report["findings"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|finding| (text(&finding["code"]), text(&finding["bucket"])))
                .collect()
        };
        assert_eq!(codes(&told), codes(&truth), "{account}");
        let crossed = |bucket: &str| codes(&told).contains(&("S3L006".to_owned(), bucket.to_owned()));
        assert_eq!(crossed("mine-lost"), account == MINE);
        assert_eq!(crossed("theirs-logs"), account == OTHER);
    }
}

#[test]
fn a_role_in_another_account_is_assumed_and_audited() {
    let sandbox = Sandbox::start(&entangled().to_string());
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    let credentials = folder.path().join("credentials");
    std::fs::write(
        &config,
        format!(
            "[profile audit]\nrole_arn = arn:aws:iam::{OTHER}:role/audit\nsource_profile = base\nregion = us-east-1\n[profile forbidden]\nrole_arn = arn:aws:iam::{OTHER}:role/forbidden\nsource_profile = base\nregion = us-east-1\n"
        ),
    )
    .expect("a file");
    let environment = sandbox.environment_of(MINE);
    let key = &environment
        .iter()
        .find(|(name, _)| *name == "AWS_ACCESS_KEY_ID")
        .expect("a key")
        .1;
    std::fs::write(
        &credentials,
        format!("[base]\naws_access_key_id = {key}\naws_secret_access_key = sandbox\n"),
    )
    .expect("a file");
    let audit = |profile: &str, config: &Path, credentials: &Path| {
        program(&[("AWS_ENDPOINT_URL", sandbox.endpoint())])
            .args(["audit", "--format", "json", "--profile", profile])
            .env("AWS_CONFIG_FILE", config)
            .env("AWS_SHARED_CREDENTIALS_FILE", credentials)
            .output()
            .expect("the program starts")
    };
    let report = parsed(&audit("audit", &config, &credentials));
    assert_eq!(report["edges"][0]["account"], OTHER);
    assert_eq!(report["summary"]["buckets"], 2);
    assert_eq!(sandbox.calls()["AssumeRole"], 1);

    let refused = audit("forbidden", &config, &credentials);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("role/forbidden") || said.contains("forbidden"),
        "{said}"
    );
    assert!(said.lines().count() < 15, "a dump instead of a sentence: {said}");
}
