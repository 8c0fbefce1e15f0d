//! `graph`: draws what was read.

use super::Exit;
use super::arguments::{GraphArguments, GraphFormat};
use super::error::Error;
use super::output::Console;
use super::{audit, input};
use crate::render::graph::{Drawing, dot, html, json, mermaid};
use crate::report::Settings;

pub fn run(arguments: &GraphArguments, console: &Console) -> Result<Exit, Error> {
    let inventory = input::read(&arguments.account, console)?;
    let report = audit::lint(&inventory, &Settings::default());
    console.write(|out| match arguments.format {
        GraphFormat::Dot => dot::render(&Drawing::new(&report), out),
        GraphFormat::Mermaid => mermaid::render(&Drawing::new(&report), out),
        GraphFormat::Json => json::render(&report, out),
        GraphFormat::Html => html::render(&report, out),
    })?;
    Ok(Exit::Clean)
}
