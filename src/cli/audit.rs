//! `audit`: collects, lints, reports.

use super::Exit;
use super::arguments::AuditArguments;
use super::emit::Reporting;
use super::error::Error;
use super::input;
use super::output::Console;

pub use super::emit::lint;

pub fn run(arguments: &AuditArguments, console: &Console) -> Result<Exit, Error> {
    let reporting = Reporting::new(&arguments.report)?;
    let inventory = input::read(&arguments.account, console)?;
    reporting.emit(&reporting.lint(&inventory), console)
}
