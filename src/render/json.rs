//! The JSON report, version 1. Its structs are its own: what other programs read doesn't move with ours.

use std::io::{self, Write};

use serde::Serialize;

use super::position::Positions;
use crate::finding::Subject;
use crate::report::{Fingerprinted, Report};
use crate::rules::{LintedEdge, Reported};

pub const VERSION: u32 = 1;

/// One line per report would be shorter; people read this too.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &ReportJson::new(report)).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Debug, Serialize)]
pub struct ReportJson<'a> {
    version: u32,
    tool: Tool,
    summary: SummaryJson,
    edges: Vec<EdgeJson<'a>>,
    findings: Vec<FindingJson<'a>>,
    undecided: Vec<UndecidedJson<'a>>,
    /// Of a change: what it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<Vec<FindingJson<'a>>>,
}

impl<'a> ReportJson<'a> {
    pub fn new(report: &'a Report) -> Self {
        let mut positions = Positions::default();
        Self {
            version: VERSION,
            tool: Tool::this(),
            summary: SummaryJson::new(report),
            edges: report.edges.iter().map(EdgeJson::new).collect(),
            findings: report
                .findings
                .iter()
                .map(|finding| FindingJson::new(finding, &mut positions))
                .collect(),
            undecided: report.undecided.iter().map(UndecidedJson::new).collect(),
            repaired: report.repaired.as_ref().map(|repaired| {
                let told = repaired
                    .iter()
                    .map(|finding| FindingJson::new(finding, &mut positions));
                told.collect()
            }),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct SummaryJson {
    buckets: usize,
    edges: usize,
    error: usize,
    warning: usize,
    note: usize,
    undecided: usize,
    suppressed: usize,
    baseline: usize,
    /// Of a change: how many findings it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    repaired: Option<usize>,
    /// Questions that hang on what the given files don't hold.
    #[serde(skip_serializing_if = "is_zero")]
    unread: usize,
    /// Null where AWS was not asked.
    api_calls: Option<u64>,
    verdicts: VerdictsJson,
}

/// How many edges end how. Beyond the contract's example.
#[derive(Debug, Serialize)]
struct VerdictsJson {
    delivers: usize,
    blocked: usize,
    unreadable: usize,
    loops: usize,
    unknown: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl SummaryJson {
    pub fn new(report: &Report) -> Self {
        use crate::rules::EdgeVerdict as Verdict;
        let summary = &report.summary;
        let count = |verdict| summary.verdicts.get(&verdict).copied().unwrap_or_default();
        Self {
            buckets: summary.buckets,
            edges: summary.edges,
            error: summary.error,
            warning: summary.warning,
            note: summary.note,
            undecided: summary.undecided,
            suppressed: summary.suppressed,
            baseline: summary.baseline,
            repaired: report.repaired.as_ref().map(Vec::len),
            unread: summary.unread,
            api_calls: summary.api_calls,
            verdicts: VerdictsJson {
                delivers: count(Verdict::Delivers),
                blocked: count(Verdict::Blocked),
                unreadable: count(Verdict::Unreadable),
                loops: count(Verdict::Loops),
                unknown: count(Verdict::Unknown),
            },
        }
    }
}

/// Whom an entry is about; what isn't known is left out.
#[derive(Debug, Serialize)]
struct AccountJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
}

impl<'a> AccountJson<'a> {
    fn new(subject: &'a Subject) -> Self {
        Self {
            account: subject.account.as_ref().map(|account| account.as_str()),
            region: subject.region.as_ref().map(|region| region.as_str()),
        }
    }
}

/// Said only where it is false: the name is an address, until the deploy gives one.
fn is_true(name_known: &bool) -> bool {
    *name_known
}

#[derive(Debug, Serialize)]
pub struct EdgeJson<'a> {
    #[serde(flatten)]
    place: AccountJson<'a>,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_format: Option<&'static str>,
    grant: &'static str,
    verdict: &'static str,
    causes: &'a [&'static str],
    #[serde(skip_serializing_if = "is_true")]
    name_known: bool,
}

impl<'a> EdgeJson<'a> {
    pub fn new(edge: &'a LintedEdge) -> Self {
        Self {
            place: AccountJson::new(&edge.subject),
            source: &edge.subject.bucket,
            target: edge.subject.target.as_deref(),
            prefix: edge.prefix.as_deref(),
            key_format: edge.key_format.map(|format| format.word()),
            grant: edge.grant,
            verdict: edge.verdict.word(),
            causes: &edge.causes,
            name_known: edge.subject.name_known,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct FindingJson<'a> {
    code: &'static str,
    rule: &'static str,
    severity: &'static str,
    #[serde(flatten)]
    place: AccountJson<'a>,
    bucket: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    fixable: bool,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cycle: &'a [String],
    #[serde(skip_serializing_if = "is_true")]
    name_known: bool,
    places: Vec<PlaceJson<'a>>,
}

impl<'a> FindingJson<'a> {
    pub fn new(all: &'a Fingerprinted, positions: &mut Positions) -> Self {
        let Reported { rule, subject, said } = &all.finding;
        let places = said
            .labels
            .iter()
            .map(|label| {
                let located = positions.locate(&label.place);
                PlaceJson {
                    document: label.place.document.title.to_string(),
                    pointer: &label.place.pointer,
                    line: located.as_ref().map(|at| at.line),
                    column: located.as_ref().map(|at| at.column),
                    end_line: located.as_ref().map(|at| at.end_line),
                    end_column: located.as_ref().map(|at| at.end_column),
                    label: &label.text,
                }
            })
            .collect();
        Self {
            code: rule.code,
            rule: rule.name,
            severity: all.severity.word(),
            place: AccountJson::new(subject),
            bucket: &subject.bucket,
            target: subject.target.as_deref(),
            message: &said.message,
            help: said.help.as_deref(),
            fixable: said.fix.is_some(),
            fingerprint: &all.fingerprint,
            cycle: &said.cycle,
            name_known: subject.name_known,
            places,
        }
    }
}

#[derive(Debug, Serialize)]
struct PlaceJson<'a> {
    document: String,
    pointer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    label: &'a str,
}

#[derive(Debug, Serialize)]
pub struct UndecidedJson<'a> {
    code: &'static str,
    rule: &'static str,
    #[serde(flatten)]
    place: AccountJson<'a>,
    bucket: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<&'a str>,
    #[serde(skip_serializing_if = "is_true")]
    name_known: bool,
}

impl<'a> UndecidedJson<'a> {
    pub fn new(undecided: &'a Reported<crate::finding::Undecided>) -> Self {
        let Reported { rule, subject, said } = undecided;
        Self {
            code: rule.code,
            rule: rule.name,
            place: AccountJson::new(subject),
            bucket: &subject.bucket,
            target: subject.target.as_deref(),
            why: said.why.word(),
            needs: said.needs.as_deref(),
            name_known: subject.name_known,
        }
    }
}
