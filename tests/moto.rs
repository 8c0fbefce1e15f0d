//! The whole program against moto, an implementation of S3 that is not ours.
//!
//! Runs where `S3LOG_LINT_PYTHON` names a Python that has `moto[server]`, as it does in CI; skips elsewhere and says so.
#![cfg(feature = "aws")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Output;

use serde_json::Value;

#[path = "moto/server.rs"]
mod server;

use server::{Server, python};

fn seeded(python: &OsString) -> Server {
    let moto = Server::start(python);
    moto.seed(python, "seed.py", &[]);
    moto
}

fn run(moto: &Server, arguments: &[&str]) -> Output {
    moto.program()
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Each source's verdict and its causes.
fn verdicts(report: &Value) -> BTreeMap<&str, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = BTreeMap::new();
    for edge in report["edges"].as_array().expect("a list of edges") {
        let causes: Vec<String> = edge["causes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect();
        let told = format!("{} {}", text(&edge["verdict"]), causes.join(" "));
        found.insert(
            edge["source"].as_str().expect("a source"),
            told.trim_end().to_owned(),
        );
    }
    found
}

#[test]
fn every_fault_is_found_live_and_nothing_else_is() {
    let Some(python) = python() else { return };
    let moto = seeded(&python);
    let live = run(&moto, &["audit", "--format", "json"]);
    assert_eq!(
        live.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&live.stderr)
    );
    let live = report(&live);

    let expected = BTreeMap::from([
        ("good-one", "delivers"),
        ("good-two", "delivers"),
        ("good-us", "delivers"),
        ("loop", "loops S3L001"),
        ("cycle-a", "loops S3L002"),
        ("cycle-b", "loops S3L002"),
        ("gone-source", "blocked S3L004"),
        ("moved-source", "blocked S3L005"),
        ("ungranted-source", "blocked S3L101"),
        ("other-source", "blocked S3L101"),
        ("other-account", "blocked S3L101"),
        ("denied-source", "blocked S3L102"),
        ("aws-key-source", "unreadable S3L201"),
        ("customer-key-source", "blocked S3L202"),
        ("locked-source", "blocked S3L203"),
    ]);
    let found = verdicts(&live);
    let found: BTreeMap<&str, &str> = found
        .iter()
        .map(|(source, told)| (*source, told.as_str()))
        .collect();
    assert_eq!(found, expected);

    // Beyond the causes: what is unlogged, and the cycle's other half.
    let mut others: Vec<String> = live["findings"]
        .as_array()
        .expect("a list of findings")
        .iter()
        .filter(|finding| {
            let (code, bucket) = (finding["code"].as_str(), finding["bucket"].as_str());
            !bucket
                .and_then(|bucket| expected.get(bucket))
                .is_some_and(|told| told.contains(code.unwrap_or("-")))
        })
        .map(|finding| {
            format!(
                "{} {}",
                finding["code"].as_str().unwrap_or(""),
                finding["bucket"].as_str().unwrap_or("")
            )
        })
        .collect();
    others.sort();
    assert_eq!(others, ["S3L009 unlogged"]);
    assert_eq!(live["undecided"], serde_json::json!([]));

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("account.json");
    let path = file.to_str().expect("the path is text");
    let recording = run(&moto, &["snapshot", "-o", path]);
    assert_eq!(
        recording.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&recording.stderr)
    );
    let recorded = report(&run(&moto, &["audit", "--snapshot", path, "--format", "json"]));
    assert_eq!(
        recorded, live,
        "the recording tells another story than the account"
    );
}
