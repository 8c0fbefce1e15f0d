//! GitLab's code quality report. Of findings with one fingerprint it shows the first alone.
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::io::{self, Write};

use serde::Serialize;

use super::anchor::Occasion;
use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::finding::Severity;
use crate::report::{self, Report};

#[derive(Debug, Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

pub fn render(report: &Report, occasion: &Occasion, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    let mut issues = Vec::new();
    for all in &report.findings {
        let rule = all.finding.rule;
        let anchor = occasion.anchor(all, &mut positions);
        issues.push(Issue {
            description: format!("{}: {}", rule.code, visible(&all.finding.said.message)),
            check_name: rule.name,
            fingerprint: all.fingerprint.clone(),
            severity: match all.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Note => "info",
            },
            location: Location {
                path: anchor.path,
                lines: Lines {
                    begin: anchor.line,
                    end: anchor.end_line,
                },
            },
        });
    }
    for each in &report.undecided {
        let stand_in = occasion.stand_in();
        let edge = told::edge(&each.subject);
        issues.push(Issue {
            description: format!("{}: {edge}: {}", each.rule.code, told::undecided(each)),
            check_name: each.rule.name,
            fingerprint: report::undecided_fingerprint(each),
            severity: "info",
            location: Location {
                path: stand_in.path,
                lines: Lines {
                    begin: stand_in.line,
                    end: stand_in.end_line,
                },
            },
        });
    }
    serde_json::to_writer_pretty(&mut *out, &issues).map_err(io::Error::from)?;
    writeln!(out)
}
