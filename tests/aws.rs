//! The program against a live account: over HTTP, with everything that goes wrong between a client and S3.
#![cfg(feature = "aws")]

#[path = "sandbox/mod.rs"]
mod sandbox;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use s3log_lint::aws::{self, Access, Keys, Options, Request, Session};
use s3log_lint::collect::snapshot;
use s3log_lint::inventory::Call;
use s3log_lint::name::Region;
use sandbox::Sandbox;
use sandbox::faults::{Faults, Kind};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";
const GRANTED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::NAME/*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}"#;

fn bucket(region: &str, target: Option<&str>) -> Value {
    let logging = match target {
        None => json!({}),
        Some(target) => json!({"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/"}}),
    };
    json!({"region": region, "logging": logging})
}

fn log_bucket(name: &str, region: &str) -> Value {
    json!({"region": region, "logging": {}, "policy": {"Policy": GRANTED.replace("NAME", name)}})
}

fn account(buckets: &Value) -> String {
    let others = json!({
        "somebody-elses-logs": {"region": "eu-west-1"},
        "far-foreign-logs": {"region": "sa-east-1"},
    });
    json!({"version": 1, "unasked": "absent", "accounts": [
        {"id": ACCOUNT, "buckets": buckets},
        {"id": OTHER, "buckets": others},
    ]})
    .to_string()
}

/// Three regions, and one of everything that leads out of the ordinary.
fn seed() -> String {
    account(&json!({
        "app-data": bucket("eu-west-1", Some("central-logs")),
        "app-images": bucket("eu-west-1", Some("central-logs")),
        "central-logs": log_bucket("central-logs", "eu-west-1"),
        "ring-one": bucket("eu-central-1", Some("ring-two")),
        "ring-two": bucket("eu-central-1", Some("ring-three")),
        "ring-three": bucket("eu-central-1", Some("ring-one")),
        "mirror": bucket("us-east-1", Some("mirror")),
        "to-nowhere": bucket("us-east-1", Some("deleted-logs")),
        "to-a-stranger": bucket("eu-west-1", Some("somebody-elses-logs")),
        "to-a-far-stranger": bucket("eu-west-1", Some("far-foreign-logs")),
        "over-the-border": bucket("us-east-1", Some("central-logs")),
        "silent": bucket("us-east-1", None),
    }))
}

/// So many buckets in two regions, every tenth group of them with a log bucket of its own.
fn large_seed(buckets: usize, targets: usize) -> String {
    let mut all = serde_json::Map::new();
    for number in 0..targets {
        let name = format!("logs-{number:02}");
        all.insert(name.clone(), log_bucket(&name, region_of(number)));
    }
    for number in 0..buckets - targets {
        let group = number % targets;
        all.insert(
            format!("data-{number:05}"),
            bucket(region_of(group), Some(&format!("logs-{group:02}"))),
        );
    }
    account(&Value::Object(all))
}

fn region_of(group: usize) -> &'static str {
    if group.is_multiple_of(2) {
        "eu-west-1"
    } else {
        "us-east-2"
    }
}

/// The program with an environment that knows this sandbox and nothing else.
fn program(environment: &[(&str, String)]) -> Command {
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
        .env("AWS_EC2_METADATA_DISABLED", "true");
    for (name, value) in environment {
        command.env(name, value);
    }
    command
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    program(&sandbox.environment())
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("the program was not killed")
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn report(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = vec!["audit", "--format", "json"];
    all.extend(arguments);
    parsed(&run(sandbox, &all))
}

fn recording(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = vec!["snapshot"];
    all.extend(arguments);
    parsed(&run(sandbox, &all))
}

fn audit_of(text: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("account.json");
    std::fs::write(&path, text).expect("a file");
    let output = program(&[])
        .args(["audit", "--format", "json", "--snapshot"])
        .arg(&path)
        .output()
        .expect("the program starts");
    parsed(&output)
}

/// Where two reports tell another story, in few words.
fn assert_same(one: &Value, other: &Value) {
    for part in ["edges", "findings", "undecided"] {
        let list = |report: &Value| -> BTreeSet<String> {
            let list = report[part].as_array().expect("a list");
            list.iter().map(Value::to_string).collect()
        };
        let (one, other) = (list(one), list(other));
        let differences: Vec<_> = one.symmetric_difference(&other).take(4).collect();
        assert!(differences.is_empty(), "{part}: {differences:#?}");
    }
}

/// Each source's verdict with its causes.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["edges"]
        .as_array()
        .expect("a list of edges")
        .iter()
        .map(|edge| {
            let causes: Vec<String> = edge["causes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(text)
                .collect();
            (
                text(&edge["source"]),
                format!("{} {}", text(&edge["verdict"]), causes.join(" ")),
            )
        })
        .collect()
}

fn findings(report: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["findings"]
        .as_array()
        .expect("a list of findings")
        .iter()
        .map(|finding| (text(&finding["code"]), text(&finding["bucket"])))
        .collect()
}

fn names(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|name| (*name).to_owned()).collect()
}

/// The buckets of a recording that were asked this.
fn asked(recording: &Value, key: &str) -> BTreeSet<String> {
    recording["accounts"][0]["buckets"]
        .as_object()
        .expect("the buckets")
        .iter()
        .filter(|(_, answers)| answers.get(key).is_some())
        .map(|(name, _)| name.clone())
        .collect()
}

// --- what is asked, and what comes of it ---

#[test]
fn a_live_account_its_recording_and_the_truth_tell_one_story() {
    let sandbox = Sandbox::start(&seed());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("account.json");
    let path = file.to_str().expect("the path is text");
    let recorded = run(&sandbox, &["snapshot", "-o", path]);
    assert_eq!(code(&recorded), 0, "{}", stderr(&recorded));
    assert!(recorded.stdout.is_empty());
    for format in ["json", "human", "short"] {
        let live = run(&sandbox, &["audit", "--format", format]);
        let replayed = run(&sandbox, &["audit", "--format", format, "--snapshot", path]);
        assert_eq!(
            String::from_utf8_lossy(&live.stdout),
            String::from_utf8_lossy(&replayed.stdout),
            "{format}"
        );
        assert_eq!(code(&live), code(&replayed), "{format}");
    }
    // What the sandbox was seeded with, audited without any call.
    let mut truth: Value = serde_json::from_str(&seed()).expect("the seed is JSON");
    truth["accounts"].as_array_mut().expect("accounts").truncate(1);
    truth["accounts"][0]["elsewhere"] = json!({
        "deleted-logs": {"head": {"error": {"code": "404", "status": 404}}},
        "somebody-elses-logs": {"head": {"error": {"code": "403", "status": 403, "region": "eu-west-1"}}},
        "far-foreign-logs": {"head": {"error": {"code": "403", "status": 403, "region": "sa-east-1"}}},
    });
    let truth = audit_of(&truth.to_string());
    let live = report(&sandbox, &[]);
    assert_eq!(verdicts(&live), verdicts(&truth));
    assert_eq!(findings(&live), findings(&truth));
    assert_eq!(live["undecided"], truth["undecided"]);
    assert_eq!(sandbox.writes(), 0);
}

#[test]
fn little_is_asked_of_every_bucket_and_much_of_targets_alone() {
    let sandbox = Sandbox::start(&seed());
    let report = report(&sandbox, &[]);
    let calls = sandbox.calls();
    assert_eq!(calls["ListBuckets"], 1);
    assert_eq!(calls["GetCallerIdentity"], 1);
    assert_eq!(calls["GetBucketLogging"], 12);
    let targets = names(&["central-logs", "mirror", "ring-one", "ring-three", "ring-two"]);
    for call in Call::OF_TARGETS {
        assert_eq!(calls[call.operation()], 5, "{}", call.operation());
        let meant: BTreeSet<String> = sandbox
            .log()
            .into_iter()
            .filter(|made| made.operation == call.operation())
            .filter_map(|made| made.bucket)
            .collect();
        assert_eq!(meant, targets, "{}", call.operation());
    }
    // Three strangers; the one that is in another region is asked there again, the missing one a second time.
    assert_eq!(calls["HeadBucket"], 5);
    assert!(!calls.contains_key("GetBucketLocation"));
    assert_eq!(report["summary"]["api_calls"], sandbox.total());
}

#[test]
fn the_calls_stay_within_their_budget() {
    for (buckets, targets) in [(1, 1), (60, 1), (200, 12)] {
        let sandbox = Sandbox::start(&large_seed(buckets, targets));
        let report = report(&sandbox, &[]);
        let most = 1 + buckets + 9 * targets + 3;
        assert!(
            sandbox.total() <= most as u64,
            "{} calls, {most} allowed",
            sandbox.total()
        );
        assert_eq!(report["summary"]["api_calls"], sandbox.total());
        assert_eq!(report["summary"]["buckets"], buckets);
    }
}

#[test]
fn only_what_is_asked_about_a_target_names_the_expected_owner() {
    let sandbox = Sandbox::start(&seed());
    report(&sandbox, &[]);
    for call in sandbox.log() {
        let about_a_target = Call::OF_TARGETS
            .iter()
            .any(|known| known.operation() == call.operation);
        let expected = about_a_target.then(|| ACCOUNT.to_owned());
        assert_eq!(call.expected_owner, expected, "{}", call.operation);
    }
}

#[test]
fn every_call_goes_to_the_region_of_its_bucket() {
    let sandbox = Sandbox::start(&seed());
    report(&sandbox, &[]);
    let state = sandbox.dump();
    for call in sandbox.log() {
        let Some(name) = call.bucket.filter(|_| call.operation != "HeadBucket") else {
            continue;
        };
        let region = &state["accounts"][0]["buckets"][&name]["region"];
        assert_eq!(
            call.region.as_deref(),
            region.as_str(),
            "{} {name}",
            call.operation
        );
    }
}

/// The library itself, where the command line has no option for it.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(future)
}

async fn session(sandbox: &Sandbox, access: Access) -> Session {
    let environment: BTreeMap<&str, String> = sandbox.environment().into_iter().collect();
    let options = Options {
        endpoint_url: Some(sandbox.endpoint()),
        region: Some(Region::parse("eu-west-1").expect("a region")),
        keys: Some(Keys {
            id: environment["AWS_ACCESS_KEY_ID"].clone(),
            secret: environment["AWS_SECRET_ACCESS_KEY"].clone(),
        }),
        access,
        ..Options::default()
    };
    Session::open(&options).await.expect("the options are right")
}

#[test]
fn a_long_list_is_read_to_its_end() {
    let sandbox = Sandbox::start(&large_seed(25, 2));
    let fetched = block_on(async {
        let session = session(&sandbox, Access::ReadOnly).await;
        let request = Request {
            selects: &|_, _| true,
            names: None,
            concurrency: 4,
            tags: false,
            page_size: 4,
            outlook: aws::Outlook::default(),
        };
        let fetched = aws::fetch(&session, &request, &mut |_| {}).await;
        fetched.expect("the sandbox answers")
    });
    assert_eq!(sandbox.calls()["ListBuckets"], 7);
    assert_eq!(fetched.snapshot.accounts[0].buckets.len(), 25);
}

// --- it never writes ---

#[test]
fn a_write_never_leaves_a_reading_session() {
    let sandbox = Sandbox::start(&seed());
    let region = Region::parse("eu-west-1").expect("a region");
    let refused = block_on(async {
        let deleted = |session: Session| {
            let region = region.clone();
            async move {
                let client = session.client(&region);
                client.delete_bucket_policy().bucket("central-logs").send().await
            }
        };
        let reading = deleted(session(&sandbox, Access::ReadOnly).await).await;
        let before = sandbox.total();
        assert_eq!(before, 0, "the guard let a request through");
        // The same call through a session that may write does arrive, whatever becomes of it there.
        let _ = deleted(session(&sandbox, Access::ReadWrite).await).await;
        reading
    });
    let refused = refused.expect_err("the guard refuses");
    let text = format!("{:?}", aws::Refusal::of(&refused));
    assert!(text.contains("only reads tried to send a DELETE"), "{text}");
    assert_eq!(sandbox.writes(), 1);
}

// --- the scope ---

#[test]
fn a_cycle_that_leaves_the_scope_is_seen_all_the_same() {
    let sandbox = Sandbox::start(&seed());
    let report = report(&sandbox, &["--bucket", "ring-one"]);
    assert_eq!(report["summary"]["buckets"], 1);
    assert!(
        findings(&report).contains(&("S3L002".to_owned(), "ring-one".to_owned())),
        "{report:#}"
    );
    let told = recording(&sandbox, &["--bucket", "ring-one"]);
    // Its own region is read, since only that tells who else logs to whom; the others are not.
    assert_eq!(
        asked(&told, "logging"),
        names(&["ring-one", "ring-three", "ring-two"])
    );
    let scope = asked(&told, "out_of_scope");
    assert_eq!(scope.len(), 11, "{scope:?}");
}

#[test]
fn a_log_bucket_that_is_asked_for_alone_is_no_unlogged_bucket() {
    let sandbox = Sandbox::start(&seed());
    let report = report(&sandbox, &["--bucket", "central-logs"]);
    assert!(
        !findings(&report).iter().any(|(code, _)| code == "S3L009"),
        "{report:#}"
    );
}

#[test]
fn a_bucket_that_is_named_and_not_there_does_not_pass() {
    let sandbox = Sandbox::start(&seed());
    fails_with(
        &run(&sandbox, &["audit", "--bucket", "app-dat"]),
        "there is no bucket `app-dat`",
        "spelling",
    );
    let output = run(&sandbox, &["audit", "--bucket", "nothing-*"]);
    assert_eq!(code(&output), 0);
    assert!(
        stderr(&output).contains("no bucket matches `nothing-*`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_region_is_read_without_the_others() {
    let sandbox = Sandbox::start(&seed());
    let report = report(&sandbox, &["--region", "us-east-1"]);
    assert!(
        findings(&report).contains(&("S3L009".to_owned(), "silent".to_owned())),
        "{report:#}"
    );
    let told = recording(&sandbox, &["--region", "us-east-1"]);
    let expected = [
        "central-logs",
        "mirror",
        "over-the-border",
        "silent",
        "to-nowhere",
    ];
    assert_eq!(asked(&told, "logging"), names(&expected));
}

// --- refusals ---

#[test]
fn the_printed_policy_is_enough_and_each_of_its_actions_is_needed() {
    let sandbox = Sandbox::start(&seed());
    let whole = report(&sandbox, &[]);
    let printed = run(&sandbox, &["audit", "--print-iam-policy"]);
    let policy = parsed(&printed);
    sandbox
        .allow_policy(&String::from_utf8_lossy(&printed.stdout))
        .expect("it is a policy");
    let allowed = report(&sandbox, &[]);
    assert_same(&allowed, &whole);

    let actions: Vec<&str> = policy["Statement"]
        .as_array()
        .expect("statements")
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"))
        .filter_map(Value::as_str)
        .collect();
    for missing in &actions {
        sandbox.allow_only(actions.iter().copied().filter(|action| action != missing));
        sandbox.forget_calls();
        let output = run(&sandbox, &["snapshot"]);
        if *missing == "s3:ListAllMyBuckets" {
            assert_eq!(code(&output), 2);
            assert!(
                stderr(&output).contains("s3:ListAllMyBuckets is denied"),
                "{}",
                stderr(&output)
            );
            continue;
        }
        let refused: BTreeSet<&str> = sandbox
            .log()
            .iter()
            .filter(|call| call.status == Some(403))
            .map(|call| call.operation)
            .collect();
        let expected = Call::ALL.into_iter().find(|call| call.action() == *missing);
        let expected = expected.expect("a call needs it");
        let mut expected = BTreeSet::from([expected.operation()]);
        // Where a bucket is, the list tells.
        expected.remove("GetBucketLocation");
        // Without the logging there are no targets; and a stranger's bucket is refused in any case.
        if *missing != "s3:GetBucketLogging" {
            expected.insert("HeadBucket");
        }
        assert_eq!(refused, expected, "{missing}");
    }
}

#[test]
fn a_refusal_stands_in_the_recording_without_the_callers_name() {
    let sandbox = Sandbox::start(&seed());
    sandbox.allow_only(
        Call::ALL
            .into_iter()
            .filter(|call| *call != Call::Policy)
            .map(Call::action),
    );
    let output = run(&sandbox, &["snapshot"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = &parsed(&output)["accounts"][0]["buckets"]["central-logs"]["policy"]["error"];
    assert_eq!(error["code"], "AccessDenied");
    assert_eq!(error["status"], 403);
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("because no identity-based policy allows the s3:GetBucketPolicy action"),
        "{message}"
    );
    for (name, value) in sandbox.environment() {
        if name.contains("KEY") {
            assert!(!text.contains(&value), "{name} stands in the recording");
        }
    }
    assert!(
        !text.contains(":user/") && !text.contains("arn:aws:sts"),
        "the caller stands in the recording"
    );

    let report = audit_of(&text);
    let needs: BTreeSet<&str> = report["undecided"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|undecided| undecided["needs"].as_str())
        .collect();
    assert!(
        needs.is_subset(&BTreeSet::from(["s3:GetBucketPolicy"])),
        "{needs:?}"
    );
    assert_eq!(verdicts(&report)["app-data"], "unknown ");
}

#[test]
fn without_a_list_the_named_buckets_are_read() {
    let sandbox = Sandbox::start(&seed());
    sandbox.allow_only(
        Call::ALL
            .into_iter()
            .filter(|call| *call != Call::List)
            .map(Call::action),
    );
    let refused = run(&sandbox, &["audit", "--bucket", "app-*"]);
    assert_eq!(code(&refused), 2);
    assert!(
        stderr(&refused).contains("without a wildcard"),
        "{}",
        stderr(&refused)
    );

    let arguments = [
        "--bucket",
        "app-data",
        "--bucket",
        "to-nowhere",
        "--bucket",
        "to-a-stranger",
    ];
    let report = report(&sandbox, &arguments);
    let verdicts = verdicts(&report);
    assert_eq!(verdicts.len(), 3, "{report:#}");
    assert!(verdicts["app-data"].starts_with("delivers"), "{report:#}");
    // The target was found to be the account's own, and read.
    assert_eq!(
        asked(&recording(&sandbox, &arguments), "policy"),
        names(&["central-logs"])
    );
    // Missing, or not this account's: without a list nobody can tell.
    assert!(verdicts["to-nowhere"].starts_with("unknown"), "{report:#}");
    assert!(verdicts["to-a-stranger"].starts_with("unknown"), "{report:#}");
    let needs = report["undecided"]
        .as_array()
        .expect("a list")
        .iter()
        .any(|undecided| undecided["needs"] == "s3:ListAllMyBuckets");
    assert!(needs, "{report:#}");
}

#[test]
fn an_account_without_an_id_is_audited_and_said_so() {
    let faults = Faults {
        fail: vec!["GetCallerIdentity=AccessDenied".parse().expect("a failure")],
        ..Faults::default()
    };
    let sandbox = Sandbox::start_on(&seed(), 0, faults).expect("it starts");
    let output = run(&sandbox, &["audit", "--format", "json"]);
    assert!(
        stderr(&output).contains("the account's id is unknown"),
        "{}",
        stderr(&output)
    );
    let verdicts = verdicts(&parsed(&output));
    assert!(verdicts["mirror"].contains("S3L001"), "{verdicts:?}");
    // The grant is for one account, and nobody knows whether it is this one.
    assert!(!verdicts["app-data"].starts_with("delivers") && !verdicts["app-data"].starts_with("blocked"));
}

// --- weather ---

#[test]
fn throttling_resets_and_spurious_absence_change_nothing_but_the_count() {
    let seed = large_seed(150, 6);
    let calm = report(&Sandbox::start(&seed), &[]);
    let faults = Faults {
        throttle: 0.05,
        reset: 0.025,
        reset_after: 0.025,
        spurious_no_such_bucket: 0.02,
        ..Faults::default()
    };
    let sandbox = Sandbox::start_on(&seed, 0, faults).expect("it starts");
    let stormy = report(&sandbox, &[]);
    assert_same(&stormy, &calm);
    assert!(stormy["summary"]["api_calls"].as_u64() > calm["summary"]["api_calls"].as_u64());
}

#[test]
fn what_was_not_read_is_neither_healthy_nor_broken() {
    let seed = large_seed(150, 6);
    let calm = report(&Sandbox::start(&seed), &[]);
    let mut denied_anything = false;
    for number in 0..4 {
        let faults = Faults {
            throttle: 0.05,
            reset: 0.05,
            denied: 0.04,
            seed: number,
            ..Faults::default()
        };
        let sandbox = Sandbox::start_on(&seed, 0, faults).expect("it starts");
        let output = run(&sandbox, &["audit", "--format", "json"]);
        if code(&output) == 2 {
            assert!(
                stderr(&output).contains("s3:ListAllMyBuckets"),
                "{}",
                stderr(&output)
            );
            continue;
        }
        let stormy = parsed(&output);
        let refused: BTreeSet<(String, String)> = sandbox
            .log()
            .into_iter()
            .filter(|call| call.status == Some(403))
            .map(|call| (call.operation.to_owned(), call.bucket.unwrap_or_default()))
            .collect();
        denied_anything |= !refused.is_empty();
        assert!(findings(&stormy).is_subset(&findings(&calm)), "{number}");
        let truth = verdicts(&calm);
        for (source, verdict) in verdicts(&stormy) {
            assert!(
                verdict == truth[&source] || verdict.starts_with("unknown"),
                "{number}: {source} is called {verdict}, and is {}",
                truth[&source]
            );
        }
        // Each refused logging configuration is told, with what would settle it.
        for (_, bucket) in refused
            .iter()
            .filter(|(operation, _)| operation == "GetBucketLogging")
        {
            let told = stormy["undecided"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|undecided| {
                    undecided["bucket"] == bucket.as_str() && undecided["needs"] == "s3:GetBucketLogging"
                });
            assert!(told, "{number}: {bucket} was refused and nobody says so");
        }
    }
    assert!(denied_anything, "the weather was fine");
}

#[test]
fn a_long_burst_of_throttling_is_sat_out() {
    let seed = large_seed(40, 2);
    let sandbox = Sandbox::start(&seed);
    sandbox.fail_call(3, 60, Kind::Throttled);
    let report = report(&sandbox, &[]);
    assert_eq!(report["undecided"], json!([]), "{report:#}");
    assert_eq!(report["summary"]["buckets"], 40);
}

/// Passes on what it gets to the sandbox, and hangs up on whoever asks for one region.
fn deaf_to(region: &'static str, sandbox: &Sandbox) -> String {
    let behind = sandbox.endpoint().replace("http://", "");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let behind = behind.clone();
            std::thread::spawn(move || pass_on(stream, &behind, region));
        }
    });
    format!("http://{address}")
}

/// One request of one connection. Whatever breaks here breaks for the client too.
fn pass_on(mut client: TcpStream, behind: &str, deaf_to: &str) -> Option<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).ok()?;
    if head.contains(&format!("/{deaf_to}/s3/")) {
        return None;
    }
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body).ok()?;
    let mut server = TcpStream::connect(behind).ok()?;
    let head = head.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    server.write_all(head.as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    std::io::copy(&mut server, &mut client).ok()?;
    Some(())
}

#[test]
fn a_region_that_does_not_answer_is_given_up_and_the_rest_is_told() {
    let sandbox = Sandbox::start(&large_seed(80, 4));
    let mut environment = sandbox.environment();
    environment.retain(|(name, _)| *name != "AWS_ENDPOINT_URL");
    environment.push(("AWS_ENDPOINT_URL", deaf_to("us-east-2", &sandbox)));
    let output = program(&environment)
        .args(["snapshot"])
        .output()
        .expect("the program starts");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let told = parsed(&output);
    let mut given_up = 0;
    for (name, answers) in told["accounts"][0]["buckets"].as_object().expect("the buckets") {
        let error = &answers["logging"]["error"];
        if answers["region"] == "us-east-2" {
            let code = error["code"].as_str().expect("a code");
            assert!(
                ["RegionUnreachable", "ConnectionFailed"].contains(&code),
                "{name}: {code}"
            );
            given_up += usize::from(code == "RegionUnreachable");
        } else {
            assert!(error.is_null(), "{name}: {error}");
        }
    }
    assert!(given_up > 20, "only {given_up} of 40 were given up");
}

// --- what makes a run pointless ---

/// One sentence, a way out, nothing on standard output, and none of the SDK's words.
fn fails_with(output: &Output, sentence: &str, way_out: &str) {
    let told = stderr(output);
    assert_eq!(code(output), 2, "{told}");
    assert!(told.contains(sentence), "{told}");
    assert!(told.contains("help: ") && told.contains(way_out), "{told}");
    assert!(output.stdout.is_empty());
    for word in [
        "SdkError",
        "DispatchFailure",
        "ConnectorError",
        "HttpResponse",
        "Some(",
        "{ ",
    ] {
        assert!(!told.contains(word), "{told}");
    }
    assert!(told.lines().count() <= 3, "{told}");
}

#[test]
fn what_makes_a_run_pointless_is_one_sentence_with_a_way_out() {
    let sandbox = Sandbox::start(&seed());
    let endpoint = ("AWS_ENDPOINT_URL", sandbox.endpoint());
    let with = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut all = vec![endpoint.clone(), ("AWS_REGION", "eu-west-1".to_owned())];
        all.extend(
            environment
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let mut command = program(&all);
        command
            .arg("audit")
            .args(arguments)
            .output()
            .expect("the program starts")
    };
    let key = ("AWS_ACCESS_KEY_ID", "AKIASAND111122223333");
    let secret = ("AWS_SECRET_ACCESS_KEY", "sandbox");

    fails_with(&with(&[], &[]), "there are no AWS credentials", "aws sso login");
    fails_with(
        &with(&[("AWS_ACCESS_KEY_ID", "AKIAEXPIRED"), secret], &[]),
        "the AWS credentials have expired",
        "sign in again",
    );
    fails_with(
        &with(&[("AWS_ACCESS_KEY_ID", "AKIANOBODY"), secret], &[]),
        "AWS doesn't accept these credentials (InvalidAccessKeyId)",
        "aws sts get-caller-identity",
    );
    fails_with(
        &with(&[key, secret], &["--profile", "nope"]),
        "there is no AWS profile `nope`",
        "AWS_CONFIG_FILE",
    );
    fails_with(
        &with(&[key, secret, ("AWS_PROFILE", "nope")], &[]),
        "there is no AWS profile `nope`",
        "AWS_CONFIG_FILE",
    );
    fails_with(
        &with(&[key, secret, ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")], &[]),
        "nothing answers at http://127.0.0.1:1",
        "AWS_ENDPOINT_URL",
    );
    fails_with(
        &with(&[key, secret, ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")], &[]),
        "nothing answers at http://127.0.0.1:1",
        "AWS_ENDPOINT_URL",
    );
    fails_with(
        &with(&[key, secret], &["--endpoint-url", "http://no-such-host.invalid"]),
        "the name of http://no-such-host.invalid can't be resolved",
        "--region",
    );
    fails_with(
        &with(&[key, secret], &["--endpoint-url", "127.0.0.1:9"]),
        "`127.0.0.1:9` is no address",
        "http://",
    );
    fails_with(
        &with(&[key, secret, ("AWS_ENDPOINT_URL", "s3.example.com")], &[]),
        "`s3.example.com` is no address",
        "http://",
    );

    sandbox.set_faults(Faults {
        fail: vec!["ListBuckets=RequestTimeTooSkewed".parse().expect("a failure")],
        ..Faults::default()
    });
    fails_with(
        &with(&[key, secret], &[]),
        "the clock of this machine is wrong",
        "NTP",
    );
    sandbox.set_faults(Faults {
        fail: vec!["ListBuckets=InternalError".parse().expect("a failure")],
        ..Faults::default()
    });
    fails_with(
        &with(&[key, secret], &[]),
        "can't be listed: InternalError",
        "aws s3api list-buckets",
    );
}

#[test]
fn credentials_that_end_on_the_way_end_the_run() {
    let faults = Faults {
        fail: vec!["GetBucketPolicy=ExpiredToken".parse().expect("a failure")],
        ..Faults::default()
    };
    let sandbox = Sandbox::start_on(&seed(), 0, faults).expect("it starts");
    fails_with(
        &run(&sandbox, &["audit"]),
        "the AWS credentials have expired",
        "sign in again",
    );
}

#[test]
fn profiles_are_read_and_a_wrong_one_is_told_its_neighbours() {
    let sandbox = Sandbox::start(&seed());
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    let text = format!(
        "[profile prod]\nregion = eu-west-1\nendpoint_url = {}\naws_access_key_id = AKIASAND{ACCOUNT}\naws_secret_access_key = sandbox\n",
        sandbox.endpoint()
    );
    std::fs::write(&config, text).expect("a file");
    let with = |arguments: &[&str]| {
        program(&[])
            .env("AWS_CONFIG_FILE", &config)
            .args(arguments)
            .output()
            .expect("the program starts")
    };
    let told = parsed(&with(&["snapshot", "--profile", "prod"]));
    assert_eq!(told["accounts"][0]["id"], ACCOUNT);
    fails_with(
        &with(&["audit", "--profile", "prd"]),
        "there is no AWS profile `prd`",
        "name these: prod",
    );
    std::fs::write(&config, "[profile prod\nregion").expect("a file");
    fails_with(
        &with(&["audit"]),
        "the AWS configuration files can't be read",
        "~/.aws/config",
    );
}

#[test]
fn a_role_of_another_account_is_assumed() {
    let sandbox = Sandbox::start(&seed());
    let arn = |name: &str| format!("arn:aws:iam::{OTHER}:role/{name}");
    let told = recording(&sandbox, &["--role-arn", &arn("audit"), "--external-id", "abc"]);
    assert_eq!(told["accounts"][0]["id"], OTHER);
    let buckets = told["accounts"][0]["buckets"].as_object().expect("the buckets");
    assert_eq!(buckets.len(), 2);
    let refused = run(&sandbox, &["audit", "--role-arn", &arn("forbidden")]);
    fails_with(
        &refused,
        "AssumeRole gave AccessDenied (User: (the caller) is not",
        "trust the caller",
    );
    fails_with(
        &run(&sandbox, &["audit", "--role-arn", "audit"]),
        "`audit` is no ARN of a role",
        "role/NAME",
    );
}

// --- the end ---

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_what_was_there() {
    let faults = Faults {
        latency: Duration::from_secs(60),
        ..Faults::default()
    };
    let sandbox = Sandbox::start_on(&seed(), 0, faults).expect("it starts");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("account.json");
    std::fs::write(&file, "what was there").expect("a file");
    let child = program(&sandbox.environment())
        .args(["snapshot", "-o"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Once it has asked, it listens.
    while sandbox.total() == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.expect("kill is there").success());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("interrupted"), "{}", stderr(&output));
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        "what was there"
    );
    assert_eq!(files_in(folder.path()), 1);
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn a_recording_can_be_read_by_the_library() {
    let sandbox = Sandbox::start(&seed());
    let output = run(&sandbox, &["snapshot"]);
    let inventory = snapshot::read(&String::from_utf8_lossy(&output.stdout)).expect("it is a snapshot");
    assert_eq!(inventory.api_calls, Some(sandbox.total()));
    assert_eq!(inventory.accounts[0].buckets.len(), 12);
}

// --- verify ---

/// A log bucket with logs of now, one with old logs, one with something else under the prefix.
fn delivering() -> Sandbox {
    let partitioned = json!({"region": "eu-west-1", "logging": {"LoggingEnabled": {
        "TargetBucket": "central-logs", "TargetPrefix": "p/",
        "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}}}});
    let simple = |prefix: &str| {
        json!({"region": "eu-west-1", "logging": {"LoggingEnabled": {
            "TargetBucket": "central-logs", "TargetPrefix": prefix}}})
    };
    let sandbox = Sandbox::start(&account(&json!({
        "central-logs": log_bucket("central-logs", "eu-west-1"),
        "busy": simple("busy/"),
        "parted": partitioned,
        "idle": simple("idle/"),
        "mixed": simple("mixed/"),
        "to-nowhere": bucket("eu-west-1", Some("deleted-logs")),
    })));
    let now = jiff::Timestamp::now();
    let earlier = |hours: i64| now - jiff::SignedDuration::from_hours(hours);
    let name = |time: jiff::Timestamp| format!("{}-AFE06B33E63A3E35", time.strftime("%Y-%m-%d-%H-%M-%S"));
    let folder = |time: jiff::Timestamp| {
        time.strftime("%Y/%m/%d/%Y-%m-%d-00-00-00-AFE06B33E63A3E35")
            .to_string()
    };
    let of_hours = [
        (format!("busy/{}", name(earlier(3))), 3),
        (
            format!("p/{ACCOUNT}/eu-west-1/parted/{}", folder(earlier(20))),
            20,
        ),
        (format!("idle/{}", name(earlier(24 * 30))), 24 * 30),
        (format!("mixed/{}-part", name(earlier(1))), 1),
    ];
    sandbox.visit(|account| {
        for (key, hours) in of_hours {
            account.put_object("central-logs", &key, "a log", &earlier(hours).to_string());
        }
    });
    sandbox
}

fn seen(report: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["edges"]
        .as_array()
        .expect("a list of edges")
        .iter()
        .map(|edge| (text(&edge["source"]), text(&edge["seen"])))
        .collect()
}

#[test]
fn verify_sees_what_arrived_and_calls_nothing_else_blocked() {
    let sandbox = delivering();
    let output = run(&sandbox, &["verify", "--format", "json"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let report = parsed(&output);
    let expected = [
        ("busy", "arrived"),
        ("idle", "not-seen"),
        ("mixed", "not-seen"),
        ("parted", "arrived"),
        ("to-nowhere", "not-looked"),
    ];
    let expected: BTreeMap<String, String> = expected
        .into_iter()
        .map(|(source, seen)| (source.to_owned(), seen.to_owned()))
        .collect();
    assert_eq!(seen(&report), expected, "{report:#}");
    let human = run(&sandbox, &["verify", "--bucket", "idle"]);
    let told = String::from_utf8_lossy(&human.stdout).into_owned();
    assert!(
        told.contains("proves nothing") && !told.contains("blocked"),
        "{told}"
    );
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    // Further back there is something.
    let longer = run(&sandbox, &["verify", "--bucket", "idle", "--days", "31"]);
    assert_eq!(code(&longer), 0, "{}", String::from_utf8_lossy(&longer.stdout));
    assert_eq!(sandbox.writes(), 0);
    assert!(!sandbox.calls().contains_key("GetObject"));
    assert!(
        !sandbox
            .log()
            .iter()
            .any(|call| { call.operation == "HeadBucket" && call.bucket.as_deref() != Some("deleted-logs") })
    );
}

#[test]
fn verify_says_what_it_may_not_see_and_probes_only_when_told_to() {
    let sandbox = delivering();
    sandbox.allow_only(
        Call::ALL
            .into_iter()
            .filter(|call| *call != Call::Head)
            .map(Call::action),
    );
    let blind = parsed(&run(
        &sandbox,
        &["verify", "--format", "json", "--bucket", "busy"],
    ));
    assert_eq!(blind["edges"][0]["seen"], "not-looked");
    assert_eq!(blind["edges"][0]["needs"], "s3:ListBucket");
    sandbox.allow_everything();
    let probed = run(&sandbox, &["verify", "--probe", "--bucket", "busy"]);
    assert_eq!(code(&probed), 0, "{}", stderr(&probed));
    assert!(stderr(&probed).contains("probed busy"), "{}", stderr(&probed));
    let probes: Vec<_> = sandbox
        .log()
        .into_iter()
        .filter(|call| call.operation == "HeadBucket")
        .map(|call| call.bucket)
        .collect();
    assert_eq!(probes, [Some("busy".to_owned())]);
    assert_eq!(sandbox.writes(), 0);
}
