//! A group of findings as one of miette's diagnostics.

use std::fmt::{self, Display};
use std::sync::Arc;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use super::Style;
use super::numbers::{count, join_some};
use super::wrap::wrap_prose;
use crate::finding::{Label, Severity};
use crate::inventory::Title;
use crate::render::escape::{visible, visible_in_place, visible_lines};
use crate::render::position::Positions;
use crate::report::Fingerprinted;
use crate::rules::Rule;

/// One fault, as it is told: once, however many buckets share it.
#[derive(Debug)]
pub struct Told {
    rule: &'static Rule,
    severity: Severity,
    message: String,
    help: Option<String>,
    links: bool,
    source: Option<IndexedSource>,
    labels: Vec<LabeledSpan>,
    /// What the finding says of places in other documents.
    pub notes: Vec<String>,
}

impl Told {
    pub fn new(group: &[&Fingerprinted], style: Style, positions: &mut Positions) -> Option<Self> {
        let first = group.first()?;
        let finding = &first.finding;
        let said = &finding.said;
        let message = match (&said.shared, group.len()) {
            (Some(shared), n) if n > 1 => {
                let buckets = group.iter().map(|each| each.finding.subject.bucket.as_str());
                format!(
                    "{}\n({}: {})",
                    shared.message,
                    count(n, "bucket"),
                    join_some(buckets, 3)
                )
            }
            _ => said.message.clone(),
        };
        let document = said.labels.first().map(|label| &label.place.document);
        let is_shown =
            |label: &Label| document.is_some_and(|shown| Arc::ptr_eq(shown, &label.place.document));
        let mut told = Self {
            rule: finding.rule,
            severity: first.severity,
            message: wrap_prose(&visible_lines(&message), style.width.saturating_sub(4)),
            help: said
                .help
                .as_deref()
                .map(|help| wrap_prose(&visible_lines(help), style.width.saturating_sub(8))),
            links: style.links,
            source: document.map(|document| IndexedSource {
                title: visible(&document.title.to_string()).into_owned(),
                text: visible_in_place(&positions.text(document)).into(),
                lines: positions.line_starts(document),
            }),
            labels: Vec::new(),
            notes: Vec::new(),
        };
        for label in &said.labels {
            match is_shown(label) {
                true => told.add(label, positions),
                false => told.notes.push(note(label, positions)),
            }
        }
        Some(told)
    }

    /// AWS's page, to be written under the rest where it can't be a link.
    pub fn page(&self) -> Option<&'static str> {
        self.rule.aws_page().filter(|_| !self.links)
    }

    fn add(&mut self, label: &Label, positions: &mut Positions) {
        let Some(at) = positions.locate(&label.place) else {
            return;
        };
        let text = Some(visible(&label.text).into_owned());
        let span = SourceSpan::from((at.span.start, at.span.len()));
        self.labels.push(match self.labels.is_empty() {
            true => LabeledSpan::new_primary_with_span(text, span),
            false => LabeledSpan::new_with_span(text, span),
        });
    }
}

/// `GetBucketLogging app-data, line 3: it logs here`.
fn note(label: &Label, positions: &mut Positions) -> String {
    let title = &label.place.document.title;
    let place = match (positions.locate(&label.place), title) {
        (None, title) => title.to_string(),
        (Some(at), Title::Answer { .. }) => format!("{title}, line {}", at.line),
        (Some(at), Title::File { .. } | Title::Embedded { .. }) => {
            format!("{title}:{}:{}", at.line, at.column)
        }
    };
    visible(&format!("{place}: {}", label.text)).into_owned()
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Told {}

impl Diagnostic for Told {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let rule = self.rule;
        Some(Box::new(format!(
            "{}[{}] {}",
            self.severity, rule.code, rule.name
        )))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn url<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        let page = self.rule.aws_page().filter(|_| self.links);
        page.map(|page| Box::new(page) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A text with an index of its lines. miette's own sources scan from the first byte for every label, and count the
/// lines of an excerpt from the start of the file, which runs distant labels together into one long excerpt.
#[derive(Debug)]
struct IndexedSource {
    title: String,
    text: Arc<str>,
    lines: Arc<[usize]>,
}

impl SourceCode for IndexedSource {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let line_of = |at: usize| self.lines.partition_point(|line| *line <= at).saturating_sub(1);
        let last_byte = if span.is_empty() { end } else { end - 1 };
        let first = line_of(start).saturating_sub(context_lines_before);
        let last = line_of(last_byte)
            .saturating_add(context_lines_after)
            .min(self.lines.len().saturating_sub(1));
        let from = self.lines.get(first).copied().unwrap_or_default();
        let to = self.lines.get(last + 1).copied().unwrap_or(self.text.len());
        let data = self
            .text
            .as_bytes()
            .get(from..to)
            .ok_or(MietteError::OutOfBounds)?;
        // miette wants the column of the excerpt's first byte only where it starts within a line.
        Ok(Box::new(MietteSpanContents::new_named(
            self.title.clone(),
            data,
            (from, to - from).into(),
            first,
            0,
            last - first + 1,
        )))
    }
}
