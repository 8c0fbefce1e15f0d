//! The sandbox as a program: a local S3 account to try things out on.

#[path = "mod.rs"]
mod sandbox;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use sandbox::Sandbox;
use sandbox::faults::{Fail, Faults};

/// A local S3 account, seeded from a snapshot. It answers as AWS does, on 127.0.0.1 only, and forgets everything at
/// the end (Ctrl-C). It reads whose key a request is signed with, and doesn't check the signature: any secret key will do.
#[derive(Debug, Parser)]
#[command(name = "sandbox", max_term_width = 100)]
struct Arguments {
    /// The snapshot to begin with
    #[arg(long, value_name = "FILE")]
    seed: String,
    /// The port; any free one by default
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// More accounts, with nothing in them; repeatable
    #[arg(long, value_name = "ID")]
    account: Vec<String>,
    /// Wait before every answer: `40ms`, `1s`
    #[arg(long, value_name = "TIME", value_parser = duration)]
    latency: Option<Duration>,
    /// Answer this share of the calls with 503 SlowDown: `5%`
    #[arg(long, value_name = "SHARE", value_parser = share)]
    throttle: Option<f64>,
    /// Reset this share of the connections before anything happens
    #[arg(long, value_name = "SHARE", value_parser = share)]
    reset: Option<f64>,
    /// Reset this share of the connections after the effect, before the answer
    #[arg(long, value_name = "SHARE", value_parser = share)]
    reset_after: Option<f64>,
    /// Refuse this share of the calls, by name and bucket, with AccessDenied
    #[arg(long, value_name = "SHARE", value_parser = share)]
    denied: Option<f64>,
    /// Say now and then that a bucket that exists does not
    #[arg(long, value_name = "SHARE", value_parser = share)]
    spurious_no_such_bucket: Option<f64>,
    /// Answer a call with an error, on every bucket or on one: `GetBucketPolicy:logs=AccessDenied`; repeatable
    #[arg(long, value_name = "CALL[:BUCKET]=CODE")]
    fail: Vec<Fail>,
    /// So many reads after a write still see what was there before
    #[arg(long, value_name = "N", default_value_t = 0)]
    stale: u32,
    /// Allow only these IAM actions, separated by commas
    #[arg(long, value_name = "ACTION", value_delimiter = ',')]
    allow: Vec<String>,
    /// Allow only what this IAM policy allows
    #[arg(long, value_name = "FILE", conflicts_with = "allow")]
    policy: Option<String>,
    /// At the end, write the state to this file, as a snapshot
    #[arg(long, value_name = "FILE")]
    dump: Option<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time like `40ms` or `1s`");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').ok_or_else(wrong)?, 1000),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_millis(number.saturating_mul(unit)))
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no share like `5%` or `0.05`");
    let share = match text.strip_suffix('%') {
        Some(number) => number.parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    share
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(wrong)
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("sandbox: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let file = |path: &str| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let seed = file(&arguments.seed)?;
    let faults = Faults {
        latency: arguments.latency.unwrap_or_default(),
        throttle: arguments.throttle.unwrap_or_default(),
        reset: arguments.reset.unwrap_or_default(),
        reset_after: arguments.reset_after.unwrap_or_default(),
        spurious_no_such_bucket: arguments.spurious_no_such_bucket.unwrap_or_default(),
        denied: arguments.denied.unwrap_or_default(),
        fail: arguments.fail.clone(),
        stale_reads: arguments.stale,
        ..Faults::default()
    };
    let sandbox = Sandbox::start_on(&seed, arguments.port, faults)
        .map_err(|error| format!("{}: {error}", arguments.seed))?;
    for account in &arguments.account {
        sandbox.add_account(account);
    }
    if !arguments.allow.is_empty() {
        sandbox.allow_only(arguments.allow.iter().cloned());
    }
    if let Some(path) = &arguments.policy {
        sandbox
            .allow_policy(&file(path)?)
            .map_err(|error| format!("{path}: {error}"))?;
    }
    for (number, account) in sandbox.accounts().iter().enumerate() {
        let comment = if number == 0 { "" } else { "# " };
        println!("# account {account}");
        for (name, value) in sandbox.environment_of(account) {
            println!("{comment}export {name}={value}");
        }
    }
    eprintln!(
        "a sandbox listens on {}; its state is at {0}/_sandbox/snapshot; Ctrl-C ends it",
        sandbox.endpoint()
    );
    wait_for_the_end()?;
    if let Some(path) = &arguments.dump {
        std::fs::write(path, format!("{:#}\n", sandbox.dump()))
            .map_err(|error| format!("{path}: {error}"))?;
    }
    eprintln!("{} calls", sandbox.total());
    Ok(())
}

fn wait_for_the_end() -> Result<(), String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(tokio::signal::ctrl_c()))
        .map_err(|error| format!("Ctrl-C can't be waited for: {error}"))
}
