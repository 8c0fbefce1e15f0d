//! How long it takes to check all the real templates of the corpus in one run: the whole program, `check FILE...`.
//!
//! `cargo bench --bench templates` fails above three seconds, and does nothing where the corpus isn't beside the
//! repository. Of five rounds the best counts: a busy machine is no slower program.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const MOST: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    // `cargo test` runs benchmarks too, of a program that isn't optimised.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/cloudformation");
    let Ok(index) = std::fs::read_to_string(corpus.join("index.json")) else {
        println!("no corpus at {}: nothing is measured", corpus.display());
        return ExitCode::SUCCESS;
    };
    let rows: Vec<serde_json::Value> = serde_json::from_str(&index).expect("the index is a list");
    let files: Vec<&str> = rows.iter().filter_map(|row| row["file"].as_str()).collect();
    let best = (0..ROUNDS)
        .map(|_| check(&corpus, &files))
        .min()
        .unwrap_or_default();
    println!(
        "{} templates in one run: {:.2} s, {} s allowed",
        files.len(),
        best.as_secs_f64(),
        MOST.as_secs()
    );
    match best <= MOST {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The program as its user runs it, its start included.
fn check(corpus: &Path, files: &[&str]) -> Duration {
    let started = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_s3log-lint"))
        .args(["check", "--isolated", "--exit-zero", "--format", "json"])
        .args(files)
        .current_dir(corpus)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(status.success(), "the templates are read: {status}");
    started.elapsed()
}
