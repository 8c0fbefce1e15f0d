//! `enable`, interrupted: every scenario, failed at every call in every way, then run again.
//!
//! The second run has to end in the very state that an undisturbed run ends in, and that state has to hold what was
//! there before: foreign statements, lifecycle rules, tags, grants.
#![cfg(feature = "aws")]

#[path = "sandbox/mod.rs"]
mod sandbox;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use sandbox::Sandbox;
use sandbox::faults::{Faults, Kind};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

// --- the scenarios ---

struct Scenario {
    name: &'static str,
    buckets: fn() -> Value,
    /// What is given to `enable`, besides `--yes`.
    arguments: &'static [&'static str],
    /// What was there and has to remain: bucket, setting, and a piece of its text.
    kept: &'static [(&'static str, &'static str, &'static str)],
}

fn plain(region: &str) -> Value {
    json!({"region": region, "logging": {}})
}

fn logged(region: &str, target: &str, more: &Value) -> Value {
    let mut enabled = json!({"TargetBucket": target, "TargetPrefix": "old/"});
    for (key, value) in more.as_object().into_iter().flatten() {
        enabled[key] = value.clone();
    }
    json!({"region": region, "logging": {"LoggingEnabled": enabled}})
}

/// A log bucket that others use too: a statement of theirs, a lifecycle rule, a tag.
fn shared_log_bucket(name: &str, region: &str, statements: &[Value]) -> Value {
    let mut all = vec![json!({
        "Sid": "ForeignReaders", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/shared/*"),
    })];
    all.extend(statements.iter().cloned());
    let policy = json!({"Version": "2012-10-17", "Statement": all});
    json!({
        "region": region,
        "logging": {},
        "policy": {"Policy": policy.to_string()},
        "lifecycle": {"Rules": [{
            "ID": "foreign-rule", "Status": "Enabled", "Filter": {"Prefix": "shared/"}, "Expiration": {"Days": 30},
        }]},
        "tagging": {"TagSet": [{"Key": "team", "Value": "foreign"}]},
    })
}

fn grant(name: &str, sources: &[&str]) -> Value {
    let arns: Vec<String> = sources
        .iter()
        .map(|source| format!("arn:aws:s3:::{source}"))
        .collect();
    json!({
        "Sid": "S3LogDelivery", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{name}/*"),
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": arns}},
    })
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "from nothing",
        buckets: || json!({"app-data": plain("eu-west-1"), "web-assets": plain("eu-west-1")}),
        arguments: &[
            "app-data",
            "web-assets",
            "--target",
            "amzn-s3-demo-logs",
            "--create",
        ],
        kept: &[],
    },
    Scenario {
        name: "from nothing in us-east-1",
        buckets: || json!({"app-data": plain("us-east-1")}),
        arguments: &["app-data", "--target", "amzn-s3-demo-logs", "--create"],
        kept: &[],
    },
    Scenario {
        name: "into a log bucket of others",
        buckets: || {
            json!({
                "app-data": plain("eu-west-1"),
                "web-assets": plain("eu-west-1"),
                "amzn-s3-demo-logs": shared_log_bucket("amzn-s3-demo-logs", "eu-west-1", &[]),
            })
        },
        arguments: &["app-data", "web-assets", "--target", "amzn-s3-demo-logs"],
        kept: &[
            ("amzn-s3-demo-logs", "policy", "ForeignReaders"),
            ("amzn-s3-demo-logs", "lifecycle", "foreign-rule"),
            ("amzn-s3-demo-logs", "tagging", "foreign"),
        ],
    },
    Scenario {
        name: "beside a source that is logged already",
        buckets: || {
            let grants = [grant("amzn-s3-demo-logs", &["first"])];
            json!({
                "first": logged("eu-west-1", "amzn-s3-demo-logs", &json!({})),
                "app-data": plain("eu-west-1"),
                "amzn-s3-demo-logs": shared_log_bucket("amzn-s3-demo-logs", "eu-west-1", &grants),
            })
        },
        arguments: &["app-data", "--target", "amzn-s3-demo-logs"],
        kept: &[
            ("amzn-s3-demo-logs", "policy", "ForeignReaders"),
            ("amzn-s3-demo-logs", "policy", "arn:aws:s3:::first"),
            ("amzn-s3-demo-logs", "lifecycle", "foreign-rule"),
            ("amzn-s3-demo-logs", "tagging", "foreign"),
            ("first", "logging", "old/"),
        ],
    },
    Scenario {
        name: "in two regions",
        buckets: || json!({"app-data": plain("eu-west-1"), "web-assets": plain("us-east-2")}),
        arguments: &["app-data", "web-assets", "--create"],
        kept: &[],
    },
    Scenario {
        name: "into a bucket that was begun and left",
        buckets: || {
            json!({
                "app-data": plain("eu-west-1"),
                "amzn-s3-demo-logs": {
                    "region": "eu-west-1",
                    "logging": {},
                    "ownership_controls": {"error": {"code": "OwnershipControlsNotFoundError", "status": 404}},
                    "public_access_block": {"error": {"code": "NoSuchPublicAccessBlockConfiguration", "status": 404}},
                },
            })
        },
        arguments: &["app-data", "--target", "amzn-s3-demo-logs", "--create"],
        kept: &[],
    },
    Scenario {
        name: "into a log bucket whose ACL counts",
        buckets: || {
            let mut logs = shared_log_bucket("amzn-s3-demo-logs", "eu-west-1", &[]);
            logs["ownership_controls"] =
                json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}});
            logs["acl"] = json!({"Owner": {"ID": "exampleowner"}, "Grants": [{
                "Grantee": {"Type": "CanonicalUser", "ID": "exampleowner"}, "Permission": "FULL_CONTROL",
            }]});
            // Else what the ACL says would be shut out.
            logs["public_access_block"] =
                json!({"error": {"code": "NoSuchPublicAccessBlockConfiguration", "status": 404}});
            json!({"app-data": plain("eu-west-1"), "amzn-s3-demo-logs": logs})
        },
        arguments: &["app-data", "--target", "amzn-s3-demo-logs"],
        kept: &[("amzn-s3-demo-logs", "acl", "exampleowner")],
    },
    Scenario {
        name: "away from another target",
        buckets: || {
            let grants = [grant("old-logs", &["app-data", "first"])];
            json!({
                "app-data": logged("eu-west-1", "old-logs", &json!({})),
                "first": logged("eu-west-1", "old-logs", &json!({})),
                "old-logs": shared_log_bucket("old-logs", "eu-west-1", &grants),
                "amzn-s3-demo-logs": shared_log_bucket("amzn-s3-demo-logs", "eu-west-1", &[]),
            })
        },
        arguments: &["app-data", "--target", "amzn-s3-demo-logs", "--replace"],
        kept: &[
            ("old-logs", "policy", "arn:aws:s3:::first"),
            ("old-logs", "policy", "ForeignReaders"),
            ("amzn-s3-demo-logs", "policy", "ForeignReaders"),
            ("amzn-s3-demo-logs", "lifecycle", "foreign-rule"),
            ("first", "logging", "old-logs"),
        ],
    },
];

impl Scenario {
    fn start(&self) -> Sandbox {
        Sandbox::start(
            &json!({"version": 1, "unasked": "absent", "accounts": [
                {"id": ACCOUNT, "organization_id": null, "buckets": (self.buckets)()},
                {"id": "444455556666", "buckets": {}},
            ]})
            .to_string(),
        )
    }

    fn sources(&self) -> Vec<&'static str> {
        self.arguments
            .iter()
            .copied()
            .take_while(|argument| !argument.starts_with("--"))
            .collect()
    }
}

// --- the program ---

fn program(sandbox: &Sandbox, folder: &Path) -> Command {
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
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME")
        .envs(sandbox.environment())
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

fn enable(sandbox: &Sandbox, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program(sandbox, folder);
    command.arg("enable").args(arguments).arg("--yes");
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn said(output: &Output) -> String {
    format!(
        "exit {:?}\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Each source's verdict, from a live audit.
fn verdicts(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let folder = folder();
    let output = program(sandbox, folder.path())
        .args(["audit", "--format", "json"])
        .output()
        .expect("the program starts");
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["edges"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|edge| (text(&edge["source"]), text(&edge["verdict"])))
        .collect()
}

fn kept(scenario: &Scenario, state: &Value) -> Result<(), String> {
    for (bucket, key, piece) in scenario.kept {
        let setting = &state["accounts"][0]["buckets"][bucket][key];
        if !setting.to_string().contains(piece) {
            return Err(format!("`{piece}` is lost from the {key} of {bucket}: {setting}"));
        }
    }
    Ok(())
}

/// What an undisturbed run ends in, and what it asked on the way.
struct Reference {
    state: Value,
    calls: u64,
    first_write: u64,
    writes: u64,
}

fn reference(scenario: &Scenario) -> Reference {
    let sandbox = scenario.start();
    let folder = folder();
    let output = enable(&sandbox, folder.path(), scenario.arguments)
        .output()
        .expect("the program starts");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}: {}",
        scenario.name,
        said(&output)
    );
    let log = sandbox.log();
    let first_write = log
        .iter()
        .position(|call| call.writes)
        .expect("something is written");
    let reference = Reference {
        state: sandbox.dump(),
        calls: log.len() as u64,
        first_write: first_write as u64 + 1,
        writes: sandbox.writes(),
    };
    for call in log
        .iter()
        .filter(|call| call.writes && call.operation != "CreateBucket")
    {
        assert_eq!(
            call.expected_owner.as_deref(),
            Some(ACCOUNT),
            "{}: {call:?}",
            scenario.name
        );
    }
    kept(scenario, &reference.state).unwrap_or_else(|lost| panic!("{}: {lost}", scenario.name));
    let verdicts = verdicts(&sandbox);
    for source in scenario.sources() {
        assert_eq!(
            verdicts.get(source).map(String::as_str),
            Some("delivers"),
            "{}: {source}",
            scenario.name
        );
    }
    // Once more: nothing is left to do.
    sandbox.forget_calls();
    let again = enable(&sandbox, folder.path(), scenario.arguments)
        .output()
        .expect("the program starts");
    assert_eq!(
        again.status.code(),
        Some(0),
        "{}: {}",
        scenario.name,
        said(&again)
    );
    assert_eq!(sandbox.writes(), 0, "{}: {}", scenario.name, said(&again));
    assert_eq!(sandbox.dump(), reference.state, "{}", scenario.name);
    reference
}

/// Does the work for each item, most of which is waiting; tells what failed.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(failure) = work(item) {
                        failures.lock().expect("nobody panicked with it").push(failure);
                    }
                }
            });
        }
    });
    failures.into_inner().expect("nobody panicked with it")
}

/// The references of all scenarios, each made once.
fn references() -> &'static [Reference] {
    static REFERENCES: OnceLock<Vec<Reference>> = OnceLock::new();
    REFERENCES.get_or_init(|| SCENARIOS.iter().map(reference).collect())
}

// --- the matrix ---

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// AccessDenied, once.
    Refused,
    /// The connection breaks once; the client tries again by itself.
    ResetBefore,
    ResetAfter,
    /// The network is gone from here on, before the effect of this call or after it.
    LostBefore,
    LostAfter,
    /// 503 from here on.
    Storm,
    /// kill -9, before the effect of this call or after it.
    KilledBefore,
    KilledAfter,
}

const FAULTS: [Fault; 8] = [
    Fault::Refused,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::Storm,
    Fault::KilledBefore,
    Fault::KilledAfter,
];

/// Which call is hit.
#[derive(Debug, Clone, Copy)]
enum At {
    Write(u64),
    Call(u64),
}

fn plan(sandbox: &Sandbox, at: At, fault: Fault, process: &Arc<AtomicU32>) {
    let fail = |kind: Kind, lasting: u64| match at {
        At::Write(k) => sandbox.fail_write(k, lasting, kind),
        At::Call(k) => sandbox.fail_call(k, lasting, kind),
    };
    let kill = || {
        let process = Arc::clone(process);
        let hook = move || {
            // The call comes from that process, so that it is about to be known.
            let mut id = process.load(Ordering::SeqCst);
            while id == 0 {
                std::thread::yield_now();
                id = process.load(Ordering::SeqCst);
            }
            let status = Command::new("kill").args(["-9", &id.to_string()]).status();
            assert!(
                status.is_ok_and(|status| status.success()),
                "the process is killed"
            );
        };
        match at {
            At::Write(k) => sandbox.before_write(k, move |_| hook()),
            At::Call(k) => sandbox.before_call(k, move |_| hook()),
        }
    };
    match fault {
        Fault::Refused => fail(Kind::Refused, 1),
        Fault::ResetBefore => fail(Kind::ResetBefore, 1),
        Fault::ResetAfter => fail(Kind::ResetAfter, 1),
        Fault::LostBefore => sandbox.lose(at.write(), at.number(), false),
        Fault::LostAfter => sandbox.lose(at.write(), at.number(), true),
        Fault::Storm => sandbox.storm(at.write(), at.number()),
        Fault::KilledAfter => kill(),
        Fault::KilledBefore => {
            fail(Kind::ResetBefore, u64::MAX);
            kill();
        }
    }
}

impl At {
    fn number(self) -> u64 {
        match self {
            At::Write(k) | At::Call(k) => k,
        }
    }

    fn write(self) -> bool {
        matches!(self, At::Write(_))
    }
}

/// One cell: fail there, run again, compare.
fn cell(scenario: &Scenario, reference: &Reference, at: At, fault: Fault) -> Result<(), String> {
    let sandbox = scenario.start();
    let folder = folder();
    let process = Arc::new(AtomicU32::new(0));
    plan(&sandbox, at, fault, &process);
    let child = enable(&sandbox, folder.path(), scenario.arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    process.store(child.id(), Ordering::SeqCst);
    let first = child.wait_with_output().expect("the program ends");
    let place = format!("{}, {at:?}, {fault:?}", scenario.name);
    let stopped = !matches!(fault, Fault::ResetBefore | Fault::ResetAfter);
    if stopped && first.status.success() && at.write() {
        return Err(format!(
            "{place}: the run that failed says it didn't\n{}",
            said(&first)
        ));
    }
    sandbox.clear_plans();
    kept(scenario, &sandbox.dump()).map_err(|lost| format!("{place}, after the first run: {lost}"))?;
    let second = enable(&sandbox, folder.path(), scenario.arguments)
        .output()
        .expect("the program starts");
    if second.status.code() != Some(0) {
        return Err(format!(
            "{place}: the second run fails\nfirst: {}\nsecond: {}",
            said(&first),
            said(&second)
        ));
    }
    let state = sandbox.dump();
    if state != reference.state {
        return Err(format!(
            "{place}: another state\nfirst: {}\nsecond: {}\n{}",
            said(&first),
            said(&second),
            difference(&state, &reference.state)
        ));
    }
    Ok(())
}

fn difference(state: &Value, wanted: &Value) -> String {
    let buckets = |value: &Value| value["accounts"][0]["buckets"].clone();
    let (state, wanted) = (buckets(state), buckets(wanted));
    let mut told = String::new();
    let names: BTreeSet<String> = [&state, &wanted]
        .iter()
        .flat_map(|buckets| {
            buckets
                .as_object()
                .into_iter()
                .flat_map(|all| all.keys().cloned())
        })
        .collect();
    for name in names {
        let keys: BTreeSet<String> = [&state[&name], &wanted[&name]]
            .iter()
            .flat_map(|bucket| bucket.as_object().into_iter().flat_map(|all| all.keys().cloned()))
            .collect();
        for key in keys {
            let (is, should) = (&state[&name][&key], &wanted[&name][&key]);
            if is != should {
                told.push_str(&format!("{name} {key}:\n  is     {is}\n  should {should}\n"));
            }
        }
    }
    told
}

#[test]
fn whatever_fails_wherever_the_next_run_finishes_the_job() {
    // Every write in every way. Of the calls that read, some from the first write on; `S3LOG_LINT_FAULTS=all` takes
    // each, from the very first.
    let all = std::env::var("S3LOG_LINT_FAULTS").is_ok_and(|faults| faults == "all");
    let mut cells = Vec::new();
    for (scenario, reference) in SCENARIOS.iter().zip(references()) {
        for fault in FAULTS {
            for k in 1..=reference.writes {
                cells.push((scenario, reference, At::Write(k), fault));
            }
        }
        for k in 1..=reference.calls {
            let faults: &[Fault] = match all {
                true => &FAULTS,
                false if k < reference.first_write || k % 4 != 0 => &[],
                false if k % 8 == 0 => &[Fault::Refused],
                false => &[Fault::KilledAfter],
            };
            cells.extend(
                faults
                    .iter()
                    .map(|fault| (scenario, reference, At::Call(k), *fault)),
            );
        }
    }
    let failures = in_parallel(&cells, |(scenario, reference, at, fault)| {
        cell(scenario, reference, *at, *fault)
    });
    println!(
        "{} scenarios, {} faults: {} cells",
        SCENARIOS.len(),
        FAULTS.len(),
        cells.len()
    );
    assert!(
        failures.is_empty(),
        "{} of {} cells fail:\n{}",
        failures.len(),
        cells.len(),
        failures
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n---\n")
    );
}

// --- others at the same time ---

fn scenario(name: &str) -> &'static Scenario {
    SCENARIOS
        .iter()
        .find(|scenario| scenario.name == name)
        .expect("a scenario of that name")
}

#[test]
fn two_runs_at_once_on_one_target_lose_nothing() {
    let scenario = scenario("into a log bucket of others");
    let rounds: Vec<u64> = (0..6).collect();
    let failures = in_parallel(&rounds, |&round| {
        let sandbox = scenario.start();
        sandbox.set_faults(Faults {
            latency: std::time::Duration::from_millis(2 * round),
            ..Faults::default()
        });
        let (one, two) = (folder(), folder());
        let sources = [("app-data", one.path()), ("web-assets", two.path())];
        let run = |(source, folder): (&str, &Path)| {
            enable(&sandbox, folder, &[source, "--target", "amzn-s3-demo-logs"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the program starts")
        };
        let children = sources.map(run);
        let outputs = children.map(|child| child.wait_with_output().expect("the program ends"));
        kept(scenario, &sandbox.dump()).unwrap_or_else(|lost| panic!("round {round}: {lost}"));
        let told = verdicts(&sandbox);
        for ((source, _), output) in sources.iter().zip(&outputs) {
            let verdict = told.get(*source).map(String::as_str);
            if output.status.code() == Some(0) {
                assert_eq!(
                    verdict,
                    Some("delivers"),
                    "round {round}, {source}: {}\n{:#}",
                    said(output),
                    sandbox.dump()["accounts"][0]["buckets"]["amzn-s3-demo-logs"]["policy"]
                );
            } else {
                // One clear refusal; the same command again does it.
                let text = String::from_utf8_lossy(&output.stderr);
                assert!(
                    text.contains("amzn-s3-demo-logs"),
                    "round {round}, {source}: {text}"
                );
            }
        }
        for source in sources {
            let output = run(source).wait_with_output().expect("the program ends");
            assert_eq!(output.status.code(), Some(0), "round {round}: {}", said(&output));
        }
        let told = verdicts(&sandbox);
        for (source, _) in sources {
            assert_eq!(
                told.get(source).map(String::as_str),
                Some("delivers"),
                "round {round}: {source}"
            );
        }
        Ok(())
    });
    assert!(failures.is_empty(), "{failures:?}");
}

/// A statement that somebody adds to the policy of a log bucket.
fn added(policy: Option<Value>, sid: &str) -> Option<Value> {
    let text = policy?.get("Policy")?.as_str()?.to_owned();
    let mut policy: Value = serde_json::from_str(&text).ok()?;
    policy["Statement"].as_array_mut()?.push(json!({
        "Sid": sid, "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::amzn-s3-demo-logs/late/*",
    }));
    Some(json!({"Policy": policy.to_string()}))
}

#[test]
fn a_policy_that_changes_between_plan_and_write_is_not_written_over() {
    let scenario = scenario("into a log bucket of others");
    // The second reading of the policy is the check just before the write, the third the one after it.
    for reading in [2, 3] {
        let sandbox = scenario.start();
        let folder = folder();
        sandbox.before_operation(reading, "GetBucketPolicy", Some("amzn-s3-demo-logs"), |visitor| {
            let policy = added(visitor.get("amzn-s3-demo-logs", "policy"), "LateComer");
            visitor.set("amzn-s3-demo-logs", "policy", policy);
        });
        let output = enable(&sandbox, folder.path(), scenario.arguments)
            .output()
            .expect("the program starts");
        let policy = sandbox.dump()["accounts"][0]["buckets"]["amzn-s3-demo-logs"]["policy"].to_string();
        assert!(policy.contains("LateComer"), "reading {reading}: {policy}");
        assert!(policy.contains("ForeignReaders"), "reading {reading}: {policy}");
        if reading == 2 {
            assert_ne!(output.status.code(), Some(0), "{}", said(&output));
            assert!(
                String::from_utf8_lossy(&output.stderr).contains("policy"),
                "{}",
                said(&output)
            );
            assert!(!policy.contains("logging.s3.amazonaws.com"), "{policy}");
        }
        let again = enable(&sandbox, folder.path(), scenario.arguments)
            .output()
            .expect("the program starts");
        assert_eq!(again.status.code(), Some(0), "{}", said(&again));
        let policy = sandbox.dump()["accounts"][0]["buckets"]["amzn-s3-demo-logs"]["policy"].to_string();
        assert!(
            policy.contains("LateComer") && policy.contains("ForeignReaders"),
            "{policy}"
        );
        let told = verdicts(&sandbox);
        for source in scenario.sources() {
            assert_eq!(told.get(source).map(String::as_str), Some("delivers"));
        }
    }
}

#[test]
fn a_log_configuration_that_appears_meanwhile_is_not_written_over() {
    let scenario = scenario("into a log bucket of others");
    let sandbox = scenario.start();
    let folder = folder();
    sandbox.before_operation(2, "GetBucketLogging", Some("app-data"), |visitor| {
        let theirs = json!({"LoggingEnabled": {"TargetBucket": "web-assets", "TargetPrefix": "theirs/"}});
        visitor.set("app-data", "logging", Some(theirs));
    });
    let output = enable(&sandbox, folder.path(), scenario.arguments)
        .output()
        .expect("the program starts");
    assert_ne!(output.status.code(), Some(0), "{}", said(&output));
    let logging = sandbox.dump()["accounts"][0]["buckets"]["app-data"]["logging"].to_string();
    assert!(logging.contains("theirs/"), "{logging}");
}

#[test]
fn reads_that_lag_behind_writes_are_waited_for() {
    let scenarios: Vec<_> = SCENARIOS.iter().zip(references()).collect();
    let failures = in_parallel(&scenarios, |(scenario, reference)| {
        let sandbox = scenario.start();
        sandbox.set_faults(Faults {
            stale_reads: 2,
            ..Faults::default()
        });
        let folder = folder();
        let output = enable(&sandbox, folder.path(), scenario.arguments)
            .output()
            .expect("the program starts");
        let state = sandbox.dump();
        match output.status.code() == Some(0) && state == reference.state {
            true => Ok(()),
            false => Err(format!(
                "{}: {}\n{}",
                scenario.name,
                said(&output),
                difference(&state, &reference.state)
            )),
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n---\n"));
}

// --- permissions ---

fn printed_actions(sandbox: &Sandbox, arguments: &[&str]) -> BTreeSet<String> {
    let folder = folder();
    let output = program(sandbox, folder.path())
        .arg("enable")
        .args(arguments)
        .arg("--print-iam-policy")
        .output()
        .expect("the program starts");
    let policy: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
    policy["Statement"]
        .as_array()
        .expect("statements")
        .iter()
        .flat_map(|statement| match &statement["Action"] {
            Value::String(one) => vec![one.clone()],
            many => many
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        })
        .collect()
}

/// Whether the text names just this action, and not one that begins like it.
fn names(text: &str, action: &str) -> bool {
    text.split(|character: char| !character.is_alphanumeric() && character != ':')
        .any(|word| word == action)
}

#[test]
fn the_printed_permissions_are_enough_and_each_is_needed() {
    let printed: Vec<BTreeSet<String>> = SCENARIOS
        .iter()
        .map(|scenario| printed_actions(&scenario.start(), scenario.arguments))
        .collect();
    // Each scenario with all that is printed for it, and without each of it.
    let mut runs: Vec<(usize, Option<&str>)> = Vec::new();
    for (index, actions) in printed.iter().enumerate() {
        runs.push((index, None));
        runs.extend(actions.iter().map(|action| (index, Some(action.as_str()))));
    }
    let needed = Mutex::new(BTreeSet::new());
    let failures = in_parallel(&runs, |(index, without)| {
        let (scenario, reference) = (&SCENARIOS[*index], &references()[*index]);
        let sandbox = scenario.start();
        let allowed = printed[*index]
            .iter()
            .filter(|action| Some(action.as_str()) != *without);
        sandbox.allow_only(allowed.cloned());
        let folder = folder();
        let output = enable(&sandbox, folder.path(), scenario.arguments)
            .output()
            .expect("the program starts");
        let (state, words) = (sandbox.dump(), said(&output));
        let told = format!("{} without {without:?}: {words}", scenario.name);
        kept(scenario, &state).map_err(|lost| format!("{lost}, {told}"))?;
        match without {
            // Not needed here; then it has to be in another scenario.
            _ if output.status.code() == Some(0) => match state == reference.state {
                true => Ok(()),
                false => Err(format!(
                    "another state, {told}\n{}",
                    difference(&state, &reference.state)
                )),
            },
            Some(action) if names(&words, action) => {
                needed
                    .lock()
                    .expect("nobody panicked with it")
                    .insert((*action).to_owned());
                Ok(())
            }
            _ => Err(told),
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n---\n"));
    let printed: BTreeSet<String> = printed.iter().flatten().cloned().collect();
    let needed = needed.into_inner().expect("nobody panicked with it");
    assert_eq!(printed, needed, "printed, and needed in no scenario");
}

#[test]
fn the_permissions_that_an_undo_file_needs_are_enough_and_each_is_needed() {
    let scenario = scenario("from nothing");
    // Takes a setup back that was just made, with what is printed for it but this.
    let taken_back = |without: Option<&str>| {
        let sandbox = scenario.start();
        let (before, folder) = (sandbox.dump(), folder());
        let undo_file = folder.path().join("undo.jsonl");
        let undo_file = undo_file.to_str().expect("a path of letters");
        let applied = program(&sandbox, folder.path())
            .arg("enable")
            .args(scenario.arguments)
            .args(["--yes", "--undo-file", undo_file])
            .output()
            .expect("the program starts");
        assert_eq!(applied.status.code(), Some(0), "{}", said(&applied));
        let printed = printed_actions(&sandbox, &["--undo", undo_file]);
        sandbox.allow_only(
            printed
                .iter()
                .filter(|action| Some(action.as_str()) != without)
                .cloned(),
        );
        let output = program(&sandbox, folder.path())
            .args(["enable", "--undo", undo_file, "--yes"])
            .output()
            .expect("the program starts");
        (printed, output, sandbox.dump()["accounts"] == before["accounts"])
    };
    let (printed, output, as_before) = taken_back(None);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(as_before, "{}", said(&output));
    assert!(printed.contains("s3:DeleteBucketPolicy"), "{printed:?}");
    for without in &printed {
        let (_, output, _) = taken_back(Some(without));
        let words = said(&output);
        assert_eq!(output.status.code(), Some(2), "without {without}: {words}");
        assert!(names(&words, without), "without {without}: {words}");
    }
}

// --- many sources ---

#[test]
fn the_calls_grow_with_the_sources_and_one_policy_holds_them_all() {
    let calls = [100, 200, 500].map(|count| {
        let names: Vec<String> = (0..count)
            .map(|number| format!("amzn-s3-demo-source-{number:04}"))
            .collect();
        let buckets: serde_json::Map<String, Value> = names
            .iter()
            .map(|name| (name.clone(), plain("eu-west-1")))
            .collect();
        let sandbox = Sandbox::start(
            &json!({"version": 1, "unasked": "absent", "accounts": [
                {"id": ACCOUNT, "organization_id": null, "buckets": buckets},
            ]})
            .to_string(),
        );
        let folder = folder();
        let arguments = ["--all-unlogged", "--target", "amzn-s3-demo-logs", "--create"];
        let output = enable(&sandbox, folder.path(), &arguments)
            .output()
            .expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let calls = sandbox.total();
        assert_eq!(sandbox.calls()["PutBucketPolicy"], 1);
        assert_eq!(sandbox.calls()["PutBucketLogging"], count);
        let told = verdicts(&sandbox);
        assert_eq!(told.len() as u64, count);
        assert!(told.values().all(|verdict| verdict == "delivers"), "{told:?}");
        println!("{count} sources: {calls} calls");
        calls as i64
    });
    let [hundred, two, five] = calls;
    // The list of buckets is read in pages, so that a few calls more are no more per source.
    assert!((five - two - 3 * (two - hundred)).abs() <= 3, "{calls:?}");
}
