//! The command line: arguments in, an exit code out. One file per command.

#[cfg(feature = "aws")]
mod account;
mod arguments;
mod audit;
#[cfg(feature = "aws")]
mod carry_out;
mod change;
mod check;
mod config;
mod emit;
mod enable;
mod error;
mod facts;
mod file;
mod fix;
mod generate;
mod given;
mod graph;
mod iam_policy;
mod input;
mod journal;
mod output;
mod policy;
#[cfg(feature = "aws")]
mod progress;
mod region;
mod rules;
mod snapshot;
mod suppress_peers;
#[cfg(feature = "aws")]
mod target;
#[cfg(not(feature = "aws"))]
#[path = "target_offline.rs"]
mod target;
pub mod template;
mod touched;
mod verify;
mod why;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};
use self::output::Console;

pub use self::arguments::command;
pub use self::config::Config;

/// How a run ends. The numbers are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Clean = 0,
    Findings = 1,
    Failed = 2,
    Undecided = 3,
}

/// Runs one command.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too, and are no errors. A closed pipe is nobody's fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Failed as u8 } else { 0 });
        }
    };
    let console = Console::new(&arguments.console);
    let exit = match arguments.command {
        Command::Audit(command) => audit::run(&command, &arguments.config, &console),
        Command::Check(command) => check::run(&command, &arguments.config, &console),
        Command::Why(command) => why::run(&command, &arguments.config, &console),
        Command::Policy(command) => policy::run(&command, &arguments.config, &console),
        Command::Graph(arguments) => graph::run(&arguments, &console),
        Command::Snapshot(arguments) => snapshot::run(&arguments, &console),
        Command::Verify(arguments) => verify::run(&arguments, &console),
        Command::Fix(command) => fix::run(&command, &arguments.config, &console),
        Command::Enable(command) => enable::run(&command, &arguments.config, &console),
        Command::Rules(arguments) => rules::list(&arguments, &console),
        Command::Explain(arguments) => rules::explain(&arguments, &console),
        Command::SuppressPeers(command) => suppress_peers::run(&command, &arguments.config, &console),
        Command::Config(command) => config::run(&command, &arguments.config, &console),
        Command::Completions(arguments) => generate::completions(&arguments, &console),
        Command::Man => generate::manual(&console),
    };
    let exit = exit.unwrap_or_else(|error| {
        console.error(&error);
        Exit::Failed
    });
    ExitCode::from(exit as u8)
}
