//! The program, as the tests start it: with nothing of the caller's environment that bears on it.
#![allow(dead_code, reason = "each test that shares this needs a part of it")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s3log-lint"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_ours = ["AWS_", "GITHUB_", "S3LOG_LINT_"]
            .iter()
            .any(|start| text.starts_with(start));
        if is_ours || text == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command
}

pub fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program starts")
}

/// Gives it this on standard input.
pub fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The program may answer before it has read all: then the pipe breaks, which is no failure of the test.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    child.wait_with_output().expect("the program ends")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("the program was not killed")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the output is UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("the output is UTF-8")
}
