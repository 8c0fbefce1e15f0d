//! The README's transcript of `enable` is true: the `console sandbox` block is run, command after command, against a
//! sandbox that is seeded from `testdata/unlogged.json`, and prints what is shown.
//!
//! A line `$ command` is given to a shell; what follows is its output. `UPDATE_README=1` writes the output anew, to be
//! read in the diff.
#![cfg(feature = "aws")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "sandbox/mod.rs"]
mod sandbox;

use sandbox::Sandbox;

const FENCE: &str = "```console sandbox";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a shell prints for this command, with credentials for the sandbox.
fn run(command: &str, sandbox: &Sandbox, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_s3log-lint"));
    let programs = program.parent().expect("a program stands in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("exec 2>&1; {command}"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME")
        .env_remove("NO_COLOR")
        .envs(sandbox.environment())
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("the shell starts");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

#[test]
fn the_transcript_from_nothing_to_a_clean_audit_is_what_happens() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README is there");
    let seed = std::fs::read_to_string(root().join("testdata/unlogged.json")).expect("the seed is there");
    let sandbox = Sandbox::start(&seed);
    let before = sandbox.dump();
    let folder = tempfile::tempdir().expect("a folder");

    let (mut renewed, mut commands) = (String::new(), Vec::new());
    let (mut in_block, mut skipping) = (false, false);
    for line in readme.lines() {
        if line.starts_with("```") {
            in_block = line == FENCE;
            skipping = false;
        } else if in_block && let Some(command) = line.strip_prefix("$ ") {
            commands.push(command);
            renewed.push_str(line);
            renewed.push('\n');
            for shown in run(command, &sandbox, folder.path()).lines() {
                renewed.push_str(shown.trim_end());
                renewed.push('\n');
            }
            skipping = true;
            continue;
        }
        if !skipping {
            renewed.push_str(line);
            renewed.push('\n');
        }
    }
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &renewed).expect("the README can be written");
    }
    assert!(
        renewed == readme,
        "the README shows other output than the program prints; UPDATE_README=1 writes it anew:\n{}",
        difference(&readme, &renewed)
    );
    // Whatever the words are: logging was switched on, an audit was clean, and it was all taken back.
    assert!(
        readme.contains("\n$ s3log-lint audit\n3 buckets, 2 logging edges:\n  2 deliver "),
        "{commands:?}"
    );
    assert!(sandbox.calls().contains_key("PutBucketLogging"), "{commands:?}");
    assert_eq!(sandbox.dump()["accounts"], before["accounts"], "{commands:?}");
}

fn difference(shown: &str, printed: &str) -> String {
    let at = shown.lines().zip(printed.lines()).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| shown.lines().count().min(printed.lines().count()));
    let around = |text: &str| text.lines().skip(at).take(8).collect::<Vec<_>>().join("\n");
    format!(
        "line {}\n--- shown\n{}\n--- printed\n{}",
        at + 1,
        around(shown),
        around(printed)
    )
}
