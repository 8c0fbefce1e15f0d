//! `audit`: collects, lints, reports.

use super::Exit;
use super::arguments::{AuditArguments, FailArguments, ReportFormat};
use super::error::Error;
use super::input;
use super::output::Console;
use crate::graph::LogGraph;
use crate::inventory::Inventory;
use crate::render;
use crate::report::{Conclusion, Report, Scale, Settings};
use crate::rules::{self, Rule};

pub fn run(arguments: &AuditArguments, console: &Console) -> Result<Exit, Error> {
    let inventory = input::read(&arguments.account, console)?;
    let report = lint(&inventory, &arguments.fail.settings());
    print(&report, arguments.format, console)?;
    Ok(conclude(&report, &arguments.fail))
}

/// Every rule over everything that was read.
pub fn lint(inventory: &Inventory, settings: &Settings) -> Report {
    let graph = LogGraph::new(inventory);
    let rules: Vec<&'static Rule> = rules::ALL.iter().collect();
    Report::new(rules::run(&graph, &rules), Scale::of(inventory), settings)
}

fn print(report: &Report, format: ReportFormat, console: &Console) -> Result<(), Error> {
    console.write(|out| match format {
        ReportFormat::Human => render::terminal::render(report, console.style, out),
        ReportFormat::Short => render::short::render(report, out),
        ReportFormat::Json => render::json::render(report, out),
    })
}

fn conclude(report: &Report, arguments: &FailArguments) -> Exit {
    match report.conclusion {
        _ if arguments.exit_zero => Exit::Clean,
        Conclusion::Clean => Exit::Clean,
        Conclusion::Findings => Exit::Findings,
        Conclusion::Undecided => Exit::Undecided,
    }
}
