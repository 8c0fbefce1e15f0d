//! How close collecting comes to what the network allows: the calls, spread over the concurrency, times the latency.
//!
//! `cargo bench --bench collect` reads 1,000 buckets with 20 targets from a sandbox that waits 40 ms before every
//! answer, and prints the ratio of the wall time to that ideal. It fails above 1.3. Client and sandbox share the
//! machine, so a busy one is slower than the network would be; of three rounds the best counts.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::json;

#[path = "../tests/sandbox/mod.rs"]
mod sandbox;

use sandbox::Sandbox;
use sandbox::faults::Faults;

const BUCKETS: usize = 1000;
const TARGETS: usize = 20;
const LATENCY: Duration = Duration::from_millis(40);
const CONCURRENCY: [usize; 3] = [8, 16, 32];
const ROUNDS: usize = 3;
const MOST: f64 = 1.3;

fn main() -> ExitCode {
    let sandbox = Sandbox::start(&account());
    sandbox.set_faults(Faults {
        latency: LATENCY,
        ..Faults::default()
    });
    let mut holds = true;
    for concurrency in CONCURRENCY {
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            sandbox.forget_calls();
            let started = Instant::now();
            collect(&sandbox, concurrency);
            let wall = started.elapsed();
            let calls = sandbox.total();
            let ideal = LATENCY.mul_f64(calls as f64 / concurrency as f64);
            let ratio = wall.as_secs_f64() / ideal.as_secs_f64();
            println!(
                "{BUCKETS} buckets, {TARGETS} targets: {calls} calls, {concurrency} at once: {:.2} s, ideal {:.2} s, ratio {ratio:.2}",
                wall.as_secs_f64(),
                ideal.as_secs_f64(),
            );
            best = best.min(ratio);
        }
        println!("{concurrency} at once: best ratio {best:.2}, {MOST} allowed");
        holds &= best <= MOST;
    }
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The program as its user runs it, its start included.
fn collect(sandbox: &Sandbox, concurrency: usize) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s3log-lint"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("AWS_") || text.starts_with("S3LOG_LINT_") || text.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["audit", "--format", "json", "--exit-zero", "--concurrency"])
        .arg(concurrency.to_string())
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
        .envs(sandbox.environment())
        .output()
        .expect("the program starts");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["summary"]["buckets"], BUCKETS);
    assert_eq!(report["summary"]["api_calls"], sandbox.total());
}

/// Two regions, each source with a target of its region.
fn account() -> String {
    let region = |number: usize| {
        if number.is_multiple_of(2) {
            "eu-west-1"
        } else {
            "us-east-2"
        }
    };
    let target = |number: usize| format!("amzn-s3-demo-logs-{number:02}");
    let mut buckets = serde_json::Map::new();
    for number in 0..TARGETS {
        buckets.insert(target(number), json!({"region": region(number), "logging": {}}));
    }
    for number in TARGETS..BUCKETS {
        let logging = json!({"LoggingEnabled": {
            "TargetBucket": target(number % TARGETS), "TargetPrefix": format!("app-{number}/"),
        }});
        buckets.insert(
            format!("app-{number:05}"),
            json!({"region": region(number % TARGETS), "logging": logging}),
        );
    }
    json!({"version": 1, "accounts": [{"id": "111122223333", "buckets": buckets}]}).to_string()
}
