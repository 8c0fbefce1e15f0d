//! `audit`: collects, lints, reports.

use super::Exit;
use super::arguments::AuditArguments;
use super::config::ConfigArguments;
use super::emit::Reporting;
use super::error::Error;
use super::output::Console;
use super::template::TemplateArguments;
use super::touched::Touched;
use super::{check, given, iam_policy, input};
use crate::collect::overlay;

pub use super::emit::lint;

pub fn run(arguments: &AuditArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    if arguments.print_iam_policy {
        return iam_policy::print(&arguments.account, console);
    }
    let inputs: Vec<&String> = arguments.with.iter().chain(&arguments.account.snapshot).collect();
    let reporting = Reporting::new(&arguments.report, config, &inputs)?;
    let account = reporting.config.complete(&arguments.account);
    if arguments.with.is_empty() {
        if arguments.change.new_only {
            return Err(Error::NoChange);
        }
        let inventory = input::read(&account, console)?;
        return reporting.emit(&reporting.lint(&inventory), console);
    }
    let template = TemplateArguments {
        parameter: arguments.parameter.clone(),
        parameter_file: arguments.parameter_file.clone(),
        ..TemplateArguments::default()
    };
    let mut given = given::read(&arguments.with, &template, &arguments.change)?;
    let touched = Touched::of(&given.deployments, arguments.change.new_only);
    let mut before = input::read_for(touched.clone(), &account, console)?;
    given.learn(&before, &template)?;
    // The account's id may be part of a name that a template gives.
    let now = Touched::of(&given.deployments, arguments.change.new_only);
    if !touched.names_all_of(&now) {
        before = input::read_for(now, &account, console)?;
    }
    given.say(console);
    let after = overlay::onto(&before, &given.deployments);
    let before = arguments.change.new_only.then_some(before);
    check::conclude(&reporting, check::Change::new(before, after), None, console)
}
