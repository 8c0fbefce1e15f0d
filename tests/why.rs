//! `why` and `policy test` as a user meets them: the same verdicts as the audit, exit codes, one clear error.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

#[path = "program/mod.rs"]
mod program;

use program::{code, feed, program};

fn run(arguments: &[&str], input: &str) -> Output {
    feed(program().args(arguments).arg("--isolated"), input.as_bytes())
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn said(output: &Output) -> String {
    program::stderr(output)
}

#[test]
fn why_says_of_each_edge_what_the_audit_says() {
    let audit = answer(&run(&["audit", "--demo", "--format", "json", "--exit-zero"], ""));
    let edges = audit["edges"].as_array().expect("a list");
    assert!(edges.len() >= 5, "{} edges", edges.len());
    for edge in edges {
        let source = edge["source"].as_str().expect("a name");
        let output = run(&["why", source, "--demo", "--format", "json"], "");
        let why = answer(&output);
        for key in ["source", "target", "grant", "verdict", "causes"] {
            assert_eq!(why[key], edge[key], "{source}: {key}");
        }
        let expected = match edge["verdict"].as_str() {
            Some("delivers") => 0,
            Some("unknown") => 3,
            _ => 1,
        };
        assert_eq!(code(&output), expected, "{source}");
        let text = why["text"].as_str().expect("a text");
        assert!(text.lines().any(|line| line.starts_with("verdict: ")), "{text}");
    }
}

#[test]
fn an_edge_that_is_not_there_yet_is_weighed_too() {
    let output = run(
        &[
            "why",
            "shop-payments",
            "--demo",
            "--format",
            "json",
            "--target",
            "amzn-s3-demo-logs",
        ],
        "",
    );
    let why = answer(&output);
    assert_eq!(why["target"], "amzn-s3-demo-logs");
    assert_eq!(
        (why["grant"].as_str(), why["verdict"].as_str()),
        (Some("not-granted"), Some("blocked"))
    );
    assert_eq!(why["causes"], json!(["S3L101"]));
    assert_eq!(code(&output), 1);
    let granted = run(
        &[
            "why",
            "shop-images",
            "--demo",
            "--format",
            "json",
            "--target",
            "amzn-s3-demo-logs",
            "--prefix",
            "new/",
        ],
        "",
    );
    assert_eq!(answer(&granted)["prefix"], "new/");
    assert_eq!(answer(&granted)["grant"], "allowed");
}

#[test]
fn a_source_that_is_not_there_is_one_clear_error() {
    let output = run(&["why", "shop-imges", "--demo"], "");
    assert_eq!(code(&output), 2);
    assert!(said(&output).contains("`shop-images`"), "{}", said(&output));
    assert!(output.stdout.is_empty());
    let unlogged = run(&["why", "amzn-s3-demo-logs", "--demo"], "");
    assert_eq!(code(&unlogged), 1);
    assert!(String::from_utf8_lossy(&unlogged.stdout).contains("no server access logging"));
}

#[test]
fn of_several_accounts_why_asks_which() {
    let account = |id: &str, partition: &str| json!({"id": id, "partition": partition, "buckets": {"app-data": {"region": "eu-west-1", "logging": {}}}});
    let snapshot = json!({"version": 1, "unasked": "absent", "accounts": [
        account("111122223333", "aws"), account("444455556666", "aws-us-gov")]})
    .to_string();
    let output = run(&["why", "app-data", "--snapshot", "-"], &snapshot);
    assert_eq!(code(&output), 2);
    assert!(said(&output).contains("--account"), "{}", said(&output));
    let output = run(
        &[
            "why",
            "app-data",
            "--snapshot",
            "-",
            "--account",
            "444455556666",
            "--format",
            "json",
        ],
        &snapshot,
    );
    assert_eq!(answer(&output)["account"], "444455556666");
}

fn test(policy: &str, more: &[&str]) -> (i32, Value) {
    let mut arguments = vec![
        "policy",
        "test",
        "-",
        "--source",
        "app-data",
        "--source-account",
        "111122223333",
        "--target",
        "amzn-s3-demo-logs",
        "--format",
        "json",
    ];
    arguments.extend(more);
    let output = run(&arguments, policy);
    assert!(code(&output) != 2, "{}", said(&output));
    (code(&output), answer(&output))
}

#[test]
fn a_policy_alone_can_be_asked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/log-bucket-policy.json");
    let policy = std::fs::read_to_string(path).expect("the example is there");
    let (code, allowed) = test(&policy, &["--prefix", "logs/"]);
    assert_eq!((code, allowed["grant"].as_str()), (0, Some("allowed")));
    assert_eq!(allowed["statements"], json!(["/Statement/0"]));
    let (code, missed) = test(&policy, &["--prefix", "app-data/"]);
    assert_eq!((code, missed["grant"].as_str()), (1, Some("not-granted")));
    // As AWS answers it, and behind a byte order mark.
    let wrapped = json!({"Policy": policy}).to_string();
    for text in [wrapped.clone(), format!("\u{feff}{wrapped}")] {
        let (code, answer) = test(&text, &["--prefix", "logs/"]);
        assert_eq!((code, &answer["grant"]), (0, &json!("allowed")));
    }
    let (code, open) = test(&policy, &[]);
    assert_eq!((code, open["grant"].as_str()), (3, Some("unknown")));
    let (code, partitioned) = test(
        &policy,
        &[
            "--prefix",
            "logs/",
            "--key-format",
            "partitioned",
            "--region",
            "eu-west-1",
        ],
    );
    assert_eq!(
        (code, partitioned["key_format"].as_str()),
        (0, Some("partitioned"))
    );
}

#[test]
fn what_the_user_knows_settles_a_policy() {
    let policy = |condition: &Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*", "Condition": condition}]})
        .to_string()
    };
    let acl = policy(&json!({"StringEquals": {"s3:x-amz-acl": "private"}}));
    let (code, open) = test(&acl, &["--prefix", "logs/"]);
    assert_eq!((code, &open["unknown_keys"]), (3, &json!(["s3:x-amz-acl"])));
    assert_eq!(
        test(&acl, &["--prefix", "logs/", "--fact", "s3:x-amz-acl=private"]).0,
        0
    );
    assert_eq!(test(&acl, &["--prefix", "logs/", "--fact", "s3:x-amz-acl="]).0, 1);
    let organization = policy(&json!({"StringEquals": {"aws:SourceOrgID": "o-exampleorgid"}}));
    assert_eq!(test(&organization, &["--prefix", "logs/"]).0, 3);
    assert_eq!(
        test(
            &organization,
            &["--prefix", "logs/", "--organization", "o-exampleorgid"]
        )
        .0,
        0
    );
    assert_eq!(
        test(&organization, &["--prefix", "logs/", "--organization", "none"]).0,
        1
    );
    let (code, refused) = test("{\"Version\":\"2012-10-17\",}", &["--prefix", "logs/"]);
    assert_eq!((code, refused["grant"].as_str()), (1, Some("malformed")));
}

/// What `policy test` advises people to do.
fn advice(policy: &Value, more: &[&str]) -> String {
    let mut arguments = vec![
        "policy",
        "test",
        "-",
        "--source",
        "app-data",
        "--target",
        "amzn-s3-demo-logs",
    ];
    arguments.extend(more);
    let output = run(&arguments, &policy.to_string());
    assert!(code(&output) != 2, "{}", said(&output));
    // However it is broken into lines.
    let text = String::from_utf8(output.stdout).expect("the answer is text");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn where_the_question_lacks_something_the_advice_is_to_say_it() {
    let grant = |condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::amzn-s3-demo-logs/logs/*", "Condition": condition}]})
    };
    let account = grant(json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}));
    let text = advice(&account, &["--prefix", "logs/"]);
    assert!(
        text.contains("give `--source-account`, which would tell"),
        "{text}"
    );
    let text = advice(&account, &["--source-account", "111122223333"]);
    assert!(text.contains("give `--prefix`, which would tell"), "{text}");
    let organization = grant(json!({"StringEquals": {"aws:SourceOrgID": "o-exampleorgid"}}));
    let text = advice(&organization, &["--prefix", "logs/"]);
    assert!(text.contains("give `--organization`, which would tell"), "{text}");
    for text in [text, advice(&account, &[])] {
        assert!(!text.contains("out of the condition"), "{text}");
    }
    // What nobody can say is another matter.
    let text = advice(
        &grant(json!({"StringEquals": {"s3:x-amz-acl": "private"}})),
        &["--prefix", "logs/"],
    );
    assert!(
        text.contains("take `s3:x-amz-acl` out of the condition"),
        "{text}"
    );
}

#[test]
fn what_misses_is_told_in_a_sentence() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]});
    let text = advice(
        &policy,
        &["--source-account", "444455556666", "--prefix", "logs/"],
    );
    assert!(
        text.contains(
            "it says StringEquals `111122223333`; `aws:SourceAccount` of this delivery is `444455556666` → help write \
             `444455556666`"
        ),
        "{text}"
    );
    let fact = [
        "--source-account",
        "111122223333",
        "--prefix",
        "logs/",
        "--fact",
        "aws:SourceAccount=1",
    ];
    let text = advice(&policy, &fact);
    assert!(
        text.contains("`aws:SourceAccount` of this delivery is `1`, as you say → help write `1`"),
        "{text}"
    );
}

#[test]
fn a_grant_for_a_time_is_weighed_at_the_time_of_the_run() {
    let policy = |operator: &str, key: &str, value: Value| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}, operator: {key: value}}}]})
    };
    let (past, future) = ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z");
    for (policy, allowed) in [
        (policy("DateLessThan", "aws:CurrentTime", json!(past)), false),
        (policy("DateLessThan", "aws:CurrentTime", json!(future)), true),
        (policy("DateGreaterThan", "aws:CurrentTime", json!(past)), true),
        (policy("DateGreaterThan", "aws:CurrentTime", json!(future)), false),
        (
            policy("DateLessThan", "aws:EpochTime", json!(1_577_836_800)),
            false,
        ),
        (
            policy("NumericLessThan", "aws:EpochTime", json!(1_577_836_800)),
            false,
        ),
        (
            policy("NumericLessThan", "aws:EpochTime", json!(32_472_144_000_i64)),
            true,
        ),
    ] {
        let (code, told) = test(&policy.to_string(), &["--prefix", "logs/"]);
        assert_eq!(code == 0, allowed, "{policy}\n{told}");
        assert_ne!(code, 3, "{policy}\n{told}");
        // A plan or a hand-written snapshot knows no time of its own either.
        let snapshot = json!({"version": 1, "unasked": "absent", "accounts": [{"id": "111122223333", "buckets": {
            "app-data": {"region": "eu-west-1", "logging": {"LoggingEnabled": {
                "TargetBucket": "amzn-s3-demo-logs", "TargetPrefix": "logs/"}}},
            "amzn-s3-demo-logs": {"region": "eu-west-1", "logging": {}, "policy": policy}}}]});
        let output = run(
            &["audit", "--snapshot", "-", "--format", "json"],
            &snapshot.to_string(),
        );
        let grant = &answer(&output)["edges"][0]["grant"];
        assert_eq!(grant == "allowed", allowed, "{policy}\n{grant}");
        assert_ne!(grant, "unknown", "{policy}");
    }
    let text = advice(
        &policy("DateLessThan", "aws:CurrentTime", json!(future)),
        &["--source-account", "111122223333", "--prefix", "logs/"],
    );
    assert!(
        text.contains("only for a time: DateLessThan `2999-01-01T00:00:00Z`"),
        "{text}"
    );
}
