//! A document's transcripts: blocks in which a line `$ command` is run, and what follows is what it printed.
//! `UPDATE_README=1` writes the output anew, to be read in the diff.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A shell that finds the program, in this folder; both of its streams are one.
pub fn shell(command: &str, folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_s3log-lint"));
    let programs = program.parent().expect("a program stands in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("exec 2>&1; {command}"))
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env_remove("NO_COLOR");
    shell
}

/// Runs every command of the README's blocks that begin with this fence, holds what it prints against what is shown,
/// and gives the commands.
pub fn hold(fence: &str, run: impl Fn(&str) -> Command) -> Vec<String> {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README is there");
    let (mut renewed, mut commands) = (String::new(), Vec::new());
    let (mut in_block, mut skipping) = (false, false);
    for line in readme.lines() {
        if line.starts_with("```") {
            in_block = line == fence;
            skipping = false;
        } else if in_block && let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
            renewed.push_str(line);
            renewed.push('\n');
            let output = run(command).output().expect("the shell starts");
            let printed = String::from_utf8(output.stdout).expect("the output is UTF-8");
            for shown in printed.lines() {
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
    commands
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
