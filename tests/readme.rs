//! The README is true: every `console` block in it is run, and prints what is shown.
//!
//! A line `$ command` is given to a shell; what follows is its output. `UPDATE_README=1` writes the output anew, to be
//! read in the diff.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a shell prints for this command, in a folder that holds the examples.
fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_s3log-lint"));
    let programs = program.parent().expect("a program stands in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("exec 2>&1; {command}"))
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .env_remove("NO_COLOR")
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .output()
        .expect("the shell starts");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

#[test]
fn every_console_block_prints_what_is_shown() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README is there");
    let folder = tempfile::tempdir().expect("a folder");
    for example in std::fs::read_dir(root().join("testdata")).expect("the examples are there") {
        let example = example.expect("an entry").path();
        if example.is_file() {
            std::fs::copy(&example, folder.path().join(example.file_name().expect("a name")))
                .expect("a copy");
        }
    }
    let mut renewed = String::new();
    let (mut in_block, mut commands, mut skipping) = (false, 0, false);
    for line in readme.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
            skipping = false;
        } else if in_block && let Some(command) = line.strip_prefix("$ ") {
            commands += 1;
            renewed.push_str(line);
            renewed.push('\n');
            for shown in run(command, folder.path()).lines() {
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
    assert!(commands >= 3, "the README shows {commands} commands");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &renewed).expect("the README can be written");
    }
    assert!(
        renewed == readme,
        "the README shows other output than the program prints; UPDATE_README=1 writes it anew:\n{}",
        difference(&readme, &renewed)
    );
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
