//! `enable` against moto, an implementation of S3 that is not ours: from nothing to a clean audit, and back.
//!
//! moto forgets `TargetObjectKeyFormat`, so the clean audit is reached with simple keys, and another test sees that what
//! moto forgot is not called done. Runs where `S3LOG_LINT_PYTHON` names a Python that has `moto[server]`, as it does in
//! CI; skips elsewhere and says so.
#![cfg(feature = "aws")]

use std::process::{Output, Stdio};

use serde_json::{Value, json};

#[path = "moto/server.rs"]
mod server;

use server::{Server, python};

struct Moto {
    server: Server,
    folder: tempfile::TempDir,
}

/// A moto that holds these buckets, none of them logged.
fn unlogged(buckets: &[&str]) -> Option<Moto> {
    let python = python()?;
    let server = Server::start(&python);
    server.seed(&python, "sources.py", buckets);
    Some(Moto {
        server,
        folder: tempfile::tempdir().expect("a folder"),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(moto: &Moto, arguments: &[&str]) -> Output {
    moto.server
        .program()
        .args(arguments)
        .current_dir(moto.folder.path())
        .stdin(Stdio::null())
        .env("HOME", moto.folder.path())
        .env_remove("XDG_STATE_HOME")
        .output()
        .expect("the program starts")
}

fn ended(moto: &Moto, arguments: &[&str], code: i32) -> (String, String) {
    let output = run(moto, arguments);
    let (printed, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}:\n{printed}{told}"
    );
    (printed, told)
}

fn audited(moto: &Moto) -> Value {
    let (report, _) = ended(moto, &["audit", "--format", "json"], 0);
    serde_json::from_str(&report).expect("a report")
}

#[test]
fn from_nothing_to_a_clean_audit_and_back() {
    let Some(moto) = unlogged(&["app-data", "web-assets"]) else {
        return;
    };
    assert_eq!(audited(&moto)["edges"], json!([]));
    let goal = ["enable", "--all-unlogged", "--create", "--key-format", "simple"];
    let apply = [&goal[..], &["--yes", "--undo-file", "undo.jsonl"]].concat();
    let (printed, _) = ended(&moto, &apply, 0);
    assert!(printed.contains("Applied: 6 written, 0 found done."), "{printed}");
    assert!(
        printed.contains("Verified: 2 of 2 touched logging edges will deliver"),
        "{printed}"
    );

    let report = audited(&moto);
    assert_eq!(report["findings"], json!([]), "{report:#}");
    assert_eq!(report["undecided"], json!([]), "{report:#}");
    assert_eq!(report["summary"]["verdicts"]["delivers"], 2, "{report:#}");
    let (printed, _) = ended(&moto, &[&goal[..], &["--check"]].concat(), 0);
    assert!(printed.contains("Nothing to change"), "{printed}");

    // moto has written a log object for every request by now, so the log bucket must stay.
    let (_, told) = ended(&moto, &["enable", "--undo", "undo.jsonl", "--yes"], 2);
    assert!(
        told.contains("`123456789012-eu-west-1-s3-access-logs` holds objects"),
        "{told}"
    );
    let report = audited(&moto);
    assert_eq!(report["edges"], json!([]), "{report:#}");
    assert_eq!(report["summary"]["buckets"], 3, "{report:#}");
}

#[test]
fn what_moto_forgets_is_not_called_done() {
    let Some(moto) = unlogged(&["app-data"]) else {
        return;
    };
    let apply = ["enable", "app-data", "--create", "--yes"];
    let (printed, told) = ended(&moto, &apply, 2);
    assert!(!printed.contains("Applied"), "{printed}");
    assert!(told.contains("the logging of `app-data`"), "{told}");
    assert!(told.contains("To take back what was written"), "{told}");
}
