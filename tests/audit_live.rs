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

// --- a change onto a live account ---

/// Fourteen buckets log to one, three to another, and one in another region; one logs to a bucket that isn't there.
fn in_use() -> Value {
    let source = |region: &str, target: &str, name: &str| {
        json!({"region": region, "logging": {"LoggingEnabled": {
            "TargetBucket": target, "TargetPrefix": format!("{name}/")}}})
    };
    let expiring = json!({"Rules": [{"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""},
        "Expiration": {"Days": 30}}]});
    let target = |region: &str, name: &str| json!({"region": region, "logging": {}, "lifecycle": expiring, "policy": grant(name)});
    let mut buckets = serde_json::Map::new();
    for name in FOURTEEN {
        buckets.insert(name.to_owned(), source("eu-west-1", "amzn-s3-demo-logs", name));
    }
    for name in ["idle-1", "idle-2", "idle-3"] {
        buckets.insert(name.to_owned(), source("eu-west-1", "other-logs", name));
    }
    for name in ["amzn-s3-demo-logs", "spare-logs"] {
        buckets.insert(name.to_owned(), target("eu-west-1", name));
    }
    // Its logs never expire.
    let mut other = target("eu-west-1", "other-logs");
    other.as_object_mut().expect("an object").remove("lifecycle");
    buckets.insert("other-logs".to_owned(), other);
    buckets.insert("far-logs".to_owned(), target("us-east-1", "far-logs"));
    buckets.insert("far-data".to_owned(), source("us-east-1", "far-logs", "far-data"));
    buckets.insert(
        "dangling".to_owned(),
        source("us-east-1", "logs-to-be", "dangling"),
    );
    json!({"version": 1, "unasked": "absent", "accounts": [
        {"id": MINE, "organization_id": null, "buckets": buckets},
        {"id": OTHER, "organization_id": null, "buckets": {"theirs-logs": {"region": "eu-west-1", "logging": {}}}},
    ]})
}

const FOURTEEN: [&str; 14] = [
    "app-01", "app-02", "app-03", "app-04", "app-05", "app-06", "app-07", "app-08", "app-09", "app-10",
    "app-11", "app-12", "app-13", "app-14",
];

fn grant(target: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{target}/*"),
        "Condition": {"StringEquals": {"aws:SourceAccount": MINE}}}]})
}

/// One resource of a plan: its type, its name, and what it is before and after.
fn resource(kind: &str, name: &str, before: &Value, after: &Value) -> Value {
    let actions = match (before, after) {
        (Value::Null, _) => json!(["create"]),
        (_, Value::Null) => json!(["delete"]),
        (before, after) if before == after => json!(["no-op"]),
        _ => json!(["update"]),
    };
    json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": actions, "before": before, "after": after, "after_unknown": {},
            "before_sensitive": {}, "after_sensitive": {}}})
}

fn bucket_of(name: &str) -> Value {
    json!({"bucket": name, "id": name, "region": "eu-west-1", "force_destroy": true})
}

fn logging_of(name: &str, target: &str) -> Value {
    json!({"bucket": name, "id": name, "expected_bucket_owner": "", "target_bucket": target,
        "target_prefix": format!("{name}/"), "target_grant": [], "target_object_key_format": []})
}

fn policy_of(name: &str) -> Value {
    json!({"bucket": name, "id": name, "policy": grant(name).to_string()})
}

/// The logging of a bucket turned from one target to another.
fn turned(name: &str, from: &str, to: &str) -> Value {
    resource(
        "aws_s3_bucket_logging",
        name,
        &logging_of(name, from),
        &logging_of(name, to),
    )
}

/// An audit of the account with a plan laid over it.
struct Change {
    sandbox: Sandbox,
    output: Output,
}

impl Change {
    fn of(resources: &[Value], arguments: &[&str]) -> Self {
        Self::onto(Sandbox::start(&in_use().to_string()), resources, arguments)
    }

    fn onto(sandbox: Sandbox, resources: &[Value], arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = json!({"format_version": "1.2", "terraform_version": "1.11.4", "complete": true,
            "applyable": true, "errored": false, "resource_changes": resources});
        let file = folder.path().join("plan.json");
        std::fs::write(&file, plan.to_string()).expect("a file");
        let output = program(&sandbox.environment_of(MINE))
            .args(["audit", "--isolated", "--format", "json", "--with"])
            .arg(&file)
            .args(arguments)
            .output()
            .expect("the program starts");
        assert_eq!(sandbox.writes(), 0);
        Self { sandbox, output }
    }

    fn code(&self) -> i32 {
        self.output.status.code().expect("the program was not killed")
    }

    fn report(&self) -> Value {
        parsed(&self.output)
    }

    /// The code and the bucket of each finding, or of each repaired one.
    fn told(&self, of: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let report = self.report();
        let all = report[of].as_array().unwrap_or_else(|| panic!("{report}"));
        all.iter()
            .map(|finding| (text(&finding["code"]), text(&finding["bucket"])))
            .collect()
    }

    /// The buckets of which anything was asked.
    fn asked(&self) -> BTreeSet<String> {
        let calls = self.sandbox.log().into_iter();
        calls.filter_map(|call| call.bucket).collect()
    }

    /// The buckets of which more was asked than where they log.
    fn asked_much(&self) -> BTreeSet<String> {
        let calls = self.sandbox.log().into_iter();
        calls
            .filter(|call| call.operation != "GetBucketLogging")
            .filter_map(|call| call.bucket)
            .collect()
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn each(code: &str, buckets: &[&str]) -> Vec<(String, String)> {
    let told = buckets
        .iter()
        .map(|bucket| (code.to_owned(), (*bucket).to_owned()));
    told.collect()
}

#[test]
fn a_plan_that_removes_a_grant_names_the_fourteen_buckets_that_need_it() {
    let logs = bucket_of("amzn-s3-demo-logs");
    let kept = resource("aws_s3_bucket", "logs", &logs, &logs);
    let removed = resource(
        "aws_s3_bucket_policy",
        "logs",
        &policy_of("amzn-s3-demo-logs"),
        &Value::Null,
    );
    let change = Change::of(&[kept, removed], &["--new-only"]);
    assert_eq!(change.code(), 1);
    assert_eq!(change.told("findings"), each("S3L101", &FOURTEEN));
    for finding in change.report()["findings"].as_array().expect("a list") {
        let said = finding["message"].as_str().expect("a text");
        assert!(
            said.contains("this deploy removes the policy (`aws_s3_bucket_policy.logs`)"),
            "{said}"
        );
    }
    assert_eq!(change.told("repaired"), []);
    // Who logs to it is asked of its region; all else of it alone.
    assert_eq!(change.asked_much(), names(&["amzn-s3-demo-logs"]));
    assert!(!change.asked().contains("far-data"), "{:?}", change.asked());
    assert_eq!(change.sandbox.calls()["GetBucketLogging"], 20);
}

#[test]
fn the_tags_of_a_source_that_a_change_cuts_off_are_read_too() {
    let mut account = in_use();
    account["accounts"][0]["buckets"]["app-03"]["tagging"] =
        json!({"TagSet": [{"Key": "s3log-lint:allow:S3L101", "Value": "it is emptied this week"}]});
    let removed = resource(
        "aws_s3_bucket_policy",
        "logs",
        &policy_of("amzn-s3-demo-logs"),
        &Value::Null,
    );
    let sandbox = Sandbox::start(&account.to_string());
    let change = Change::onto(sandbox, &[removed], &["--new-only", "--bucket-tags"]);
    let others: Vec<&str> = FOURTEEN.into_iter().filter(|name| *name != "app-03").collect();
    assert_eq!(change.told("findings"), each("S3L101", &others));
    assert!(!change.asked_much().contains("idle-1"));
}

#[test]
fn a_plan_that_deletes_a_target_in_use_names_every_edge_that_dangles() {
    let logs = bucket_of("amzn-s3-demo-logs");
    let change = Change::of(
        &[resource("aws_s3_bucket", "logs", &logs, &Value::Null)],
        &["--new-only"],
    );
    assert_eq!(change.code(), 1);
    assert_eq!(change.told("findings"), each("S3L004", &FOURTEEN));
    assert_eq!(change.asked_much(), names(&["amzn-s3-demo-logs"]));
    assert!(!change.asked().contains("far-data"));
}

#[test]
fn a_plan_that_replaces_a_target_warns_of_the_gap() {
    let replaced = |kind: &str, value: &Value| {
        let mut row = resource(kind, "logs", value, value);
        row["change"]["actions"] = json!(["delete", "create"]);
        row
    };
    let bucket = replaced("aws_s3_bucket", &bucket_of("amzn-s3-demo-logs"));
    let policy = replaced("aws_s3_bucket_policy", &policy_of("amzn-s3-demo-logs"));
    // With its policy it delivers again once the deploy is done.
    let whole = Change::of(&[bucket.clone(), policy], &["--new-only"]);
    let gap = ("S3L013".to_owned(), "amzn-s3-demo-logs".to_owned());
    assert!(whole.told("findings").contains(&gap), "{}", whole.report());
    assert!(!whole.told("findings").iter().any(|(code, _)| code == "S3L101"));
    assert_eq!(whole.code(), 0, "a gap is a warning");
    // Without it, it comes back with no policy.
    let bare = Change::of(&[bucket], &["--new-only"]);
    let ungranted = bare
        .told("findings")
        .into_iter()
        .filter(|(code, _)| code == "S3L101");
    assert_eq!(ungranted.collect::<Vec<_>>(), each("S3L101", &FOURTEEN));
    assert_eq!(bare.code(), 1);
}

#[test]
fn a_plan_that_adds_a_self_logging_bucket_is_stopped() {
    let bucket = resource("aws_s3_bucket", "loop", &Value::Null, &bucket_of("brand-new"));
    let logging = logging_of("brand-new", "brand-new");
    let logging = resource("aws_s3_bucket_logging", "loop", &Value::Null, &logging);
    let change = Change::of(&[bucket, logging], &["--new-only"]);
    assert_eq!(
        change.code(),
        1,
        "{}",
        String::from_utf8_lossy(&change.output.stderr)
    );
    let told = change.told("findings");
    assert!(
        told.contains(&("S3L001".to_owned(), "brand-new".to_owned())),
        "{told:?}"
    );
    assert!(told.iter().all(|(_, bucket)| bucket == "brand-new"), "{told:?}");
    assert_eq!(change.asked_much(), names(&[]));
}

#[test]
fn a_target_that_nobody_logs_to_yet_is_asked_about_too() {
    let turned = |target: &str| {
        let change = Change::of(&[turned("app-01", "amzn-s3-demo-logs", target)], &["--new-only"]);
        (change.code(), change.told("findings"), change.asked_much())
    };
    let asked = names(&["amzn-s3-demo-logs", "spare-logs"]);
    assert_eq!(turned("spare-logs"), (0, vec![], asked));
    let asked = names(&["amzn-s3-demo-logs", "nobodys-logs"]);
    assert_eq!(turned("nobodys-logs"), (1, each("S3L004", &["app-01"]), asked));
    let asked = names(&["amzn-s3-demo-logs", "theirs-logs"]);
    assert_eq!(turned("theirs-logs"), (1, each("S3L006", &["app-01"]), asked));
    let asked = names(&["amzn-s3-demo-logs", "far-logs"]);
    assert_eq!(turned("far-logs"), (1, each("S3L005", &["app-01"]), asked));
}

#[test]
fn what_a_change_leaves_behind_is_not_repaired() {
    // The logs in `other-logs` never expire, whoever logs to it.
    let leaves = turned("idle-1", "other-logs", "amzn-s3-demo-logs");
    let left = Change::of(&[leaves], &["--new-only"]);
    assert_eq!(
        (left.code(), left.told("findings"), left.told("repaired")),
        (0, vec![], vec![])
    );
    // And where the new target has had the fault for long, it is not new.
    let joins = turned("app-01", "amzn-s3-demo-logs", "other-logs");
    let joined = Change::of(&[joins], &["--new-only"]);
    assert_eq!((joined.code(), joined.told("findings")), (0, vec![]));
}

#[test]
fn a_bucket_that_a_source_waits_for_repairs_it() {
    let mut bucket = bucket_of("logs-to-be");
    bucket["region"] = json!("us-east-1");
    let policy = policy_of("logs-to-be");
    let policy = resource("aws_s3_bucket_policy", "logs", &Value::Null, &policy);
    let created = |bucket: &Value| {
        let bucket = resource("aws_s3_bucket", "logs", &Value::Null, bucket);
        Change::of(&[bucket, policy.clone()], &["--new-only"])
    };
    let placed = created(&bucket);
    assert_eq!(placed.told("repaired"), each("S3L004", &["dangling"]));
    assert_eq!(placed.code(), 0, "{}", placed.report());
    assert!(!placed.asked().contains("app-01"), "{:?}", placed.asked());
    // Where the plan doesn't tell the region, anybody may wait for it.
    bucket.as_object_mut().expect("an object").remove("region");
    let anywhere = created(&bucket);
    assert!(anywhere.asked().contains("app-01") && anywhere.asked().contains("dangling"));
}

#[test]
fn a_plan_that_changes_nothing_asks_nothing() {
    let (logs, logging) = (
        bucket_of("amzn-s3-demo-logs"),
        logging_of("app-01", "amzn-s3-demo-logs"),
    );
    let resources = [
        resource("aws_s3_bucket", "logs", &logs, &logs),
        resource("aws_s3_bucket_logging", "app", &logging, &logging),
    ];
    let new = Change::of(&resources, &["--new-only"]);
    assert_eq!((new.code(), new.told("findings")), (0, vec![]));
    assert_eq!(new.asked(), names(&[]));
    // Whoever wants to hear of all that the plan holds hears of it.
    let all = Change::of(&resources, &[]);
    assert_eq!(all.report()["edges"].as_array().map(Vec::len), Some(14));
    assert_eq!(all.asked_much(), names(&["amzn-s3-demo-logs"]));
}

#[test]
fn a_change_is_judged_without_the_list_of_buckets() {
    let sandbox = Sandbox::start(&in_use().to_string());
    sandbox.allow_only(
        [
            "s3:GetBucketLogging",
            "s3:GetBucketPolicy",
            "s3:GetBucketAcl",
            "s3:GetBucketOwnershipControls",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketRequestPayment",
            "s3:GetLifecycleConfiguration",
            "s3:GetBucketVersioning",
            "s3:GetBucketPublicAccessBlock",
            "s3:ListBucket",
        ]
        .map(str::to_owned),
    );
    let change = Change::onto(
        sandbox,
        &[turned("app-01", "amzn-s3-demo-logs", "spare-logs")],
        &["--new-only"],
    );
    assert_eq!(change.told("findings"), []);
    assert_eq!(change.report()["edges"][0]["verdict"], "delivers");
}

#[test]
fn who_is_a_log_target_is_open_where_the_list_was_refused() {
    let sandbox = Sandbox::start(&in_use().to_string());
    sandbox.allow_only(["s3:GetBucketLogging".to_owned(), "s3:ListBucket".to_owned()]);
    let output = program(&sandbox.environment_of(MINE))
        .args([
            "audit",
            "--isolated",
            "--format",
            "json",
            "--bucket",
            "amzn-s3-demo-logs",
        ])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(3));
    let report = parsed(&output);
    assert_eq!(report["findings"], json!([]));
    let undecided = &report["undecided"][0];
    assert_eq!(
        (&undecided["code"], &undecided["needs"]),
        (&json!("S3L009"), &json!("s3:ListAllMyBuckets"))
    );
}

#[test]
fn a_bucket_of_the_plan_that_the_account_lacks_is_said() {
    let change = Change::of(
        &[turned("not-here", "amzn-s3-demo-logs", "spare-logs")],
        &["--new-only"],
    );
    let said = String::from_utf8_lossy(&change.output.stderr).into_owned();
    assert!(said.contains("there is no bucket `not-here`"), "{said}");
}
