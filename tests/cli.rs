//! The program as a whole: exit codes, streams, hostile input.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

#[path = "program/mod.rs"]
mod program;

use program::{code, feed, program, run, stderr, stdout};

fn run_on(snapshot: &str, arguments: &[&str]) -> Output {
    feed(
        program().args(["audit", "--snapshot", "-"]).args(arguments),
        snapshot.as_bytes(),
    )
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// One account with these buckets, each with the JSON of its answers; what isn't there is as on a fresh bucket.
fn account(buckets: &[(&str, &str)]) -> String {
    let mut text =
        String::from(r#"{"version":1,"unasked":"absent","accounts":[{"id":"111122223333","buckets":{"#);
    for (index, (name, answers)) in buckets.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{}:{{"region":"eu-west-1",{answers}}}"#,
            serde_json::json!(name)
        )
        .expect("a string takes everything");
    }
    text.push_str("}}]}");
    text
}

const SELF_LOGGING: (&str, &str) = (
    "loops",
    r#""logging":{"LoggingEnabled":{"TargetBucket":"loops","TargetPrefix":"logs/"}}"#,
);

#[test]
fn a_clean_account_exits_0() {
    let output = run_on(
        r#"{"version":1,"accounts":[{"id":"111122223333","buckets":{}}]}"#,
        &[],
    );
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stdout(&output).contains("Nothing to report."),
        "{}",
        stdout(&output)
    );
}

#[test]
fn an_error_exits_1_and_exit_zero_forgives_it() {
    let snapshot = account(&[SELF_LOGGING]);
    assert_eq!(code(&run_on(&snapshot, &[])), 1);
    assert_eq!(
        code(&run_on(&snapshot, &["--fail-on", "never", "--unknown", "warn"])),
        0
    );
    assert_eq!(code(&run_on(&snapshot, &["--exit-zero"])), 0);
}

#[test]
fn what_could_not_be_decided_exits_3_unless_it_may() {
    let snapshot = r#"{"version":1,"accounts":[{"id":"111122223333","buckets":{
        "secret":{"region":"eu-west-1","logging":{"error":{"code":"AccessDenied","status":403}}}}}]}"#;
    let output = run_on(snapshot, &[]);
    assert_eq!(code(&output), 3, "{}", stdout(&output));
    assert!(
        stdout(&output).contains("s3:GetBucketLogging was denied"),
        "{}",
        stdout(&output)
    );
    assert_eq!(code(&run_on(snapshot, &["--unknown", "warn"])), 0);
    let hidden = run_on(snapshot, &["--unknown", "ignore"]);
    assert_eq!(code(&hidden), 0);
    assert!(!stdout(&hidden).contains("GetBucketLogging"));
}

#[test]
fn wrong_usage_and_unreadable_input_exit_2_with_a_way_out() {
    let cases: [(&[&str], &str, &str); 10] = [
        (
            &["audit", "--snapshot", "/no/such/file"],
            "can't read /no/such/file",
            "help:",
        ),
        (
            &["audit", "--demo", "--bucket", "a[b"],
            "`a[b` is no pattern",
            "help:",
        ),
        (
            &["audit", "--demo", "--region", "Frankfurt"],
            "`Frankfurt` is no region",
            "help:",
        ),
        (
            &["audit", "--demo", "--region", "eu-wset-1"],
            "`eu-wset-1` is no region",
            "did you mean `eu-west-1`?",
        ),
        (
            &["audit", "--demo", "--region", "eu-west-1", "--region", ""],
            "`` is no region",
            "help:",
        ),
        (
            &["audit", "--demo", "--organization", "foo"],
            "the id of an organization starts with `o-`",
            "--help",
        ),
        (
            &[
                "policy",
                "test",
                "-",
                "--source",
                "app-data",
                "--target",
                "logs",
                "--organization",
                "exampleorgid",
            ],
            "the id of an organization starts with `o-`",
            "--help",
        ),
        (
            &["explain", "S3L999"],
            "there is no rule `S3L999`",
            "s3log-lint rules",
        ),
        (&["audit", "--no-such-option"], "--no-such-option", "--help"),
        (&["snapshot", "--demo"], "can't be recorded", "help:"),
    ];
    for (arguments, sentence, help) in cases {
        let output = run(arguments);
        let told = stderr(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {told}");
        assert!(told.contains(sentence), "{arguments:?}: {told}");
        assert!(told.contains(help), "{arguments:?}: {told}");
        assert!(stdout(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_malformed_snapshot_is_refused_with_its_place() {
    let output = run_on("{\"version\": 1,\n \"accounts\": [}]}", &[]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("standard input, line 2, column 15"),
        "{}",
        stderr(&output)
    );
    let future = run_on(r#"{"version": 2, "accounts": []}"#, &[]);
    assert!(stderr(&future).contains("version 2"), "{}", stderr(&future));
}

#[test]
fn every_truncation_of_a_snapshot_is_an_error_and_no_panic() {
    let whole = std::fs::read_to_string(testdata("demo.json")).expect("the example is there");
    let step = whole.len() / 40;
    for end in (0..whole.len() - 3).step_by(step) {
        let output = run_on(&whole[..end], &[]);
        assert_eq!(code(&output), 2, "cut at {end}: {}", stderr(&output));
        assert!(
            stderr(&output).starts_with("error: "),
            "cut at {end}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn deep_nesting_neither_hangs_nor_overflows() {
    for opening in ["[", "{\"a\":", "[{\"version\":"] {
        let output = run_on(&opening.repeat(300_000), &[]);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
    }
    let deep = format!(
        r#""logging":{{}},"policy":{{"Policy":{}}}"#,
        serde_json::json!("[".repeat(15_000))
    );
    let output = run_on(
        &account(&[
            ("logs", &deep),
            (
                "app-data",
                r#""logging":{"LoggingEnabled":{"TargetBucket":"logs","TargetPrefix":"a/"}}"#,
            ),
        ]),
        &[],
    );
    assert!([0, 1, 3].contains(&code(&output)), "{}", stderr(&output));
}

#[test]
fn no_escape_sequence_of_a_name_reaches_the_terminal() {
    let hostile = "evil\u{1b}[31m\u{7}\u{202e}\nname";
    let logging = format!(
        r#""logging":{{"LoggingEnabled":{{"TargetBucket":{0},"TargetPrefix":{0}}}}}"#,
        serde_json::json!(hostile)
    );
    let snapshot = account(&[(hostile, &logging), ("plain", &logging)]);
    for format in ["human", "short"] {
        let output = run_on(&snapshot, &["--format", format]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let told = stdout(&output);
        assert!(
            !told.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{format}: {told:?}"
        );
        assert!(told.contains("evil\\u{1b}[31m"), "{format}: {told}");
    }
    for format in ["dot", "mermaid", "html"] {
        let mut child = program()
            .args(["graph", "--snapshot", "-", "--format", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        child
            .stdin
            .take()
            .expect("standard input is piped")
            .write_all(snapshot.as_bytes())
            .expect("the program reads");
        let told = stdout(&child.wait_with_output().expect("the program ends"));
        assert!(
            !told.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{format}: {told:?}"
        );
    }
}

#[test]
fn a_chain_of_a_million_edges_is_read_to_its_end() {
    const LENGTH: usize = 1_000_000;
    let mut snapshot = String::with_capacity(LENGTH * 120);
    snapshot.push_str(r#"{"version":1,"unasked":"absent","accounts":[{"id":"111122223333","buckets":{"#);
    for n in 0..LENGTH {
        let next = (n + 1) % LENGTH;
        let comma = if n == 0 { "" } else { "," };
        write!(
            snapshot,
            r#"{comma}"b{n:07}":{{"region":"eu-west-1","logging":{{"LoggingEnabled":{{"TargetBucket":"b{next:07}","TargetPrefix":"a/"}}}}}}"#
        )
        .expect("a string takes everything");
    }
    snapshot.push_str("}}]}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.json");
    std::fs::write(&path, snapshot).expect("a file");
    // The chain closes: one cycle of a million buckets, found without recursion. Asked about one bucket, the run
    // follows the whole, and says it once.
    let output = program()
        .args(["audit", "--format", "short", "--bucket", "b0000000", "--snapshot"])
        .arg(&path)
        .output()
        .expect("the program starts");
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).contains("S3L002"), "the cycle is not found");
}

#[test]
fn two_runs_are_byte_identical() {
    for format in ["json", "human", "short"] {
        let first = run(&["audit", "--demo", "--format", format]);
        let second = run(&["audit", "--demo", "--format", format]);
        assert!(!first.stdout.is_empty());
        assert_eq!(first.stdout, second.stdout, "{format}");
    }
}

#[test]
fn colour_is_asked_for_or_not_given() {
    let plain = run(&["audit", "--demo"]);
    assert!(!stdout(&plain).contains('\u{1b}'));
    let coloured = run(&["audit", "--demo", "--color", "always"]);
    assert!(stdout(&coloured).contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = program()
        .args(["audit", "--demo", "--exit-zero"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
}

#[test]
fn the_scope_hides_other_buckets_and_still_looks_at_them() {
    let output = run(&["audit", "--demo", "--bucket", "shop-orders", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["summary"]["buckets"], 1);
    assert_eq!(report["edges"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["edges"][0]["target"], "amzn-s3-demo-logs");
    assert!(
        report["findings"].as_array().expect("a list").is_empty(),
        "{}",
        report["findings"]
    );
}

#[test]
fn what_nobody_outside_can_tell_is_a_warning_and_no_missing_answer() {
    let policy = r#"{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"logging.s3.amazonaws.com\"},\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::logs/*\",\"Condition\":{\"StringEquals\":{\"aws:SourceAccount\":\"111122223333\",\"s3:x-amz-acl\":\"bucket-owner-full-control\"}}}]}"}"#;
    let snapshot = account(&[
        (
            "app-data",
            r#""logging":{"LoggingEnabled":{"TargetBucket":"logs","TargetPrefix":"app-data/"}}"#,
        ),
        ("logs", &format!(r#""logging":{{}},"policy":{policy}"#)),
    ]);
    let report = run_on(&snapshot, &["--format", "json"]);
    assert!(stdout(&report).contains("\"S3L103\""), "{}", stdout(&report));
    assert!(
        stdout(&report).contains("\"verdict\": \"unknown\""),
        "{}",
        stdout(&report)
    );
    assert_eq!(code(&report), 0);
    assert_eq!(code(&run_on(&snapshot, &["--fail-on", "warning"])), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("account.json");
    std::fs::write(&path, &snapshot).expect("it can be written");
    let path = path.to_str().expect("a path of letters");
    assert_eq!(code(&run(&["why", "app-data", "--snapshot", path])), 3);
}

#[test]
fn what_a_run_needs_is_printed_for_every_command_that_asks_more() {
    let actions = |arguments: &[&str]| {
        let output = run(&[arguments, &["--print-iam-policy"]].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        let policy: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("a policy");
        policy["Statement"][1]["Action"].to_string()
    };
    assert!(!actions(&["audit"]).contains("Put"));
    let fix = actions(&["fix"]);
    for action in [
        "s3:PutBucketLogging",
        "s3:PutEncryptionConfiguration",
        "s3:GetBucketAcl",
    ] {
        assert!(fix.contains(action), "{action} is missing in {fix}");
    }
    assert!(!fix.contains("s3:CreateBucket"), "{fix}");
    assert!(actions(&["fix", "--create"]).contains("s3:CreateBucket"));
    let enable = run(&["enable", "--create", "--print-iam-policy"]);
    assert!(
        stderr(&enable).contains("s3:DeleteBucketPolicy and s3:DeleteBucket"),
        "{}",
        stderr(&enable)
    );
}

#[test]
fn a_region_without_a_bucket_is_named() {
    let output = run(&[
        "audit",
        "--demo",
        "--exit-zero",
        "--region",
        "eu-west-1",
        "--region",
        "eu-west-2",
    ]);
    let told = stderr(&output);
    assert!(
        told.contains("no bucket that was read is in `eu-west-2`"),
        "{told}"
    );
    assert!(!told.contains("eu-west-1"), "{told}");
    let silent = run(&["audit", "--demo", "--exit-zero", "--region", "eu-west-1"]);
    assert!(stderr(&silent).is_empty(), "{}", stderr(&silent));
}

#[test]
fn rules_are_listed_and_explained_by_code_and_by_name() {
    let listed = run(&["rules", "--json"]);
    let rules: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("the list is JSON");
    for rule in rules.as_array().expect("a list") {
        let (code_given, name) = (
            rule["code"].as_str().expect("text"),
            rule["name"].as_str().expect("text"),
        );
        let by_code = run(&["explain", code_given]);
        assert_eq!(code(&by_code), 0);
        assert!(
            stdout(&by_code).starts_with(&format!("# {code_given} ")),
            "{code_given}"
        );
        assert_eq!(by_code.stdout, run(&["explain", name]).stdout, "{name}");
    }
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let manual = stdout(&run(&["man"]));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = stdout(&run(&["completions", shell]));
        for command in ["audit", "graph", "snapshot", "rules", "explain"] {
            assert!(completions.contains(command), "{shell} lacks {command}");
            assert!(manual.contains(command), "the manual lacks {command}");
        }
    }
}
