//! `audit`: collects, lints, reports.

use super::Exit;
use super::arguments::AuditArguments;
use super::config::ConfigArguments;
use super::emit::Reporting;
use super::error::Error;
use super::output::Console;
use super::{iam_policy, input};

pub use super::emit::lint;

pub fn run(arguments: &AuditArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    if arguments.print_iam_policy {
        return iam_policy::print(&arguments.account, console);
    }
    let reporting = Reporting::new(&arguments.report, config)?;
    let account = reporting.config.complete(&arguments.account);
    let inventory = input::read(&account, console)?;
    reporting.emit(&reporting.lint(&inventory), console)
}
