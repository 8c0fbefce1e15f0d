//! Reviewdog's diagnostics. Columns count bytes.
//! <https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>

use std::io::{self, Write};

use serde::Serialize;

use super::anchor::{Anchor, Occasion};
use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::finding::Severity;
use crate::report::Report;
use crate::rules::Rule;

#[derive(Debug, Serialize)]
struct Result<'a> {
    source: Source,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Debug, Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Diagnostic<'a> {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code<'a>,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    range: Range,
}

#[derive(Debug, Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Debug, Serialize)]
struct Position {
    line: usize,
    column: usize,
}

#[derive(Debug, Serialize)]
struct Code<'a> {
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'static str>,
}

pub fn render(report: &Report, occasion: &Occasion, out: &mut dyn Write) -> io::Result<()> {
    // Reviewdog sets the working folder before each path by itself.
    let occasion = &occasion.from_working_folder();
    let mut positions = Positions::default();
    let mut diagnostics = Vec::new();
    for all in &report.findings {
        diagnostics.push(Diagnostic {
            message: visible(&all.finding.said.message).into_owned(),
            location: Location::new(occasion.anchor(all, &mut positions)),
            severity: match all.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Note => "INFO",
            },
            code: Code::new(all.finding.rule),
        });
    }
    for each in &report.undecided {
        diagnostics.push(Diagnostic {
            message: format!("{}: {}", told::edge(&each.subject), told::undecided(each)),
            location: Location::new(occasion.stand_in()),
            severity: "INFO",
            code: Code::new(each.rule),
        });
    }
    let result = Result {
        source: Source {
            name: env!("CARGO_PKG_NAME"),
        },
        diagnostics,
    };
    serde_json::to_writer_pretty(&mut *out, &result).map_err(io::Error::from)?;
    writeln!(out)
}

impl Location {
    fn new(anchor: Anchor) -> Self {
        Self {
            path: anchor.path,
            range: Range {
                start: Position {
                    line: anchor.line,
                    column: anchor.byte_columns.0,
                },
                end: Position {
                    line: anchor.end_line,
                    column: anchor.byte_columns.1,
                },
            },
        }
    }
}

impl Code<'_> {
    fn new(rule: &'static Rule) -> Self {
        Self {
            value: rule.code,
            url: rule.aws_page(),
        }
    }
}
