//! The JSON report cut into lines: a summary first, then each edge, finding and undecided rule.

use std::io::{self, Write};

use serde::Serialize;

use super::json::{EdgeJson, FindingJson, SummaryJson, Tool, UndecidedJson, VERSION};
use super::position::Positions;
use crate::report::Report;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Summary {
        version: u32,
        tool: Tool,
        #[serde(flatten)]
        summary: SummaryJson,
    },
    Edge(EdgeJson<'a>),
    Finding(FindingJson<'a>),
    Undecided(UndecidedJson<'a>),
}

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    let mut line = |line: &Line<'_>| {
        serde_json::to_writer(&mut *out, line).map_err(io::Error::from)?;
        out.write_all(b"\n")
    };
    line(&Line::Summary {
        version: VERSION,
        tool: Tool::this(),
        summary: SummaryJson::new(report),
    })?;
    for edge in &report.edges {
        line(&Line::Edge(EdgeJson::new(edge)))?;
    }
    for finding in &report.findings {
        line(&Line::Finding(FindingJson::new(finding, &mut positions)))?;
    }
    for undecided in &report.undecided {
        line(&Line::Undecided(UndecidedJson::new(undecided)))?;
    }
    Ok(())
}
