//! For people: each fault with the text it stands in, then the sums at a glance.

mod command;
mod diagnostic;
pub(super) mod numbers;
pub(super) mod wrap;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use miette::{GraphicalReportHandler, GraphicalTheme};

use self::diagnostic::Told;
use self::numbers::{count, join_some, number};
use self::wrap::wrap;
use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::finding::Severity;
use crate::inventory::{Call, Why};
use crate::report::{Conclusion, Report};
use crate::rules::EdgeVerdict;

/// How the terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
    /// Characters in a line.
    pub width: usize,
    /// Whether links can be clicked.
    pub links: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            colour: false,
            width: 80,
            links: false,
        }
    }
}

pub fn render(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let theme = match style.colour {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width)
        .with_links(style.links)
        // A command must stay in one line to be copied; prose is wrapped before.
        .with_wrap_lines(false)
        .with_context_lines(1);
    let mut positions = Positions::default();
    for group in report.groups() {
        let Some(told) = Told::new(&group, style, &mut positions) else {
            continue;
        };
        let mut text = String::new();
        handler
            .render_report(&mut text, &told)
            .map_err(io::Error::other)?;
        writeln!(out, "{}", text.trim_end().trim_start_matches('\n'))?;
        render_notes(&told, style, out)?;
        writeln!(out)?;
    }
    render_undecided(report, style, out)?;
    render_repaired(report, style, out)?;
    render_summary(report, style, out)
}

/// What a change ends, one line each.
fn render_repaired(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    const SHOWN: usize = 12;
    let repaired = report.repaired.as_deref().unwrap_or_default();
    if repaired.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.bold("Repaired by this change:"))?;
    for all in repaired.iter().take(SHOWN) {
        let finding = &all.finding;
        let text = format!("{}: {}", finding.rule.code, visible(&finding.said.message));
        for (index, line) in wrap(&text, style.width.saturating_sub(4)).iter().enumerate() {
            let start = if index == 0 { "  ✓ " } else { "    " };
            writeln!(out, "{}{line}", style.paint(start, "32"))?;
        }
    }
    if repaired.len() > SHOWN {
        writeln!(out, "    and {} more", number(repaired.len() - SHOWN))?;
    }
    writeln!(out)
}

/// What stands elsewhere, and where to read on.
fn render_notes(told: &Told, style: Style, out: &mut dyn Write) -> io::Result<()> {
    /// More than these tell nothing new.
    const SHOWN: usize = 6;
    for note in told.notes.iter().take(SHOWN) {
        for (index, line) in wrap(note, style.width.saturating_sub(8)).iter().enumerate() {
            let start = if index == 0 { "  also: " } else { "        " };
            writeln!(out, "{}{line}", style.paint(start, "36"))?;
        }
    }
    if told.notes.len() > SHOWN {
        writeln!(out, "        and {} more", number(told.notes.len() - SHOWN))?;
    }
    if let Some(page) = told.page() {
        writeln!(out, "{}{page}", style.paint("   see: ", "36"))?;
    }
    Ok(())
}

fn render_undecided(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.undecided.is_empty() {
        return Ok(());
    }
    #[derive(Default)]
    struct Missing<'a> {
        /// The buckets whose answers are missing.
        on: BTreeSet<&'a str>,
        rules: BTreeSet<&'a str>,
        buckets: BTreeSet<&'a str>,
    }
    let mut grouped: BTreeMap<(&Why, Option<&str>, Option<Call>), Missing<'_>> = BTreeMap::new();
    for undecided in &report.undecided {
        let (said, subject) = (&undecided.said, &undecided.subject);
        // Where an action would tell, it says which answer it is.
        let call = said.call.filter(|_| said.needs.is_none());
        let missing = grouped
            .entry((&said.why, said.needs.as_deref(), call))
            .or_default();
        missing.on.insert(said.on.as_deref().unwrap_or(&subject.bucket));
        missing.rules.insert(undecided.rule.code);
        missing.buckets.insert(&subject.bucket);
    }
    writeln!(out, "{}", style.bold("Could not be decided:"))?;
    let mut denied = false;
    for ((why, needs, call), Missing { on, rules, buckets }) in grouped {
        let reason = match (why, needs) {
            (Why::Denied { action }, needs) => format!("{} was denied", needs.unwrap_or(action)),
            (Why::NotRead, Some(needs)) => format!("not in the input; {needs} would tell"),
            (Why::NotRead, None) => "not in the input".to_owned(),
            (Why::AfterApply, _) => "known only after the deploy".to_owned(),
            (Why::LeftOut, _) => {
                "left out of the template, and the one before may have had it; a change set \
                                 (`describe-change-set --include-property-values`) would tell"
                    .to_owned()
            }
            (Why::Sensitive, _) => "marked as sensitive in its file".to_owned(),
            (Why::Failed { code }, Some(needs)) => format!("{code} ({needs})"),
            (Why::Failed { code }, None) => code.clone(),
        };
        denied |= matches!(why, Why::Denied { .. });
        let of = call.map_or_else(String::new, |call| format!("{} of ", call.tells()));
        let lines = [
            format!("{reason}: {of}{}", join_some(on.iter().copied(), 3)),
            format!(
                "leaves {} open for {}",
                join_some(rules.iter().copied(), rules.len()),
                match (on == buckets, buckets.len()) {
                    (true, 1) => "it".to_owned(),
                    (true, _) => "them".to_owned(),
                    (false, 1) => join_some(buckets.iter().copied(), 1),
                    (false, n) => format!(
                        "{}: {}",
                        count(n, "bucket"),
                        join_some(buckets.iter().copied(), 3)
                    ),
                }
            ),
        ];
        for (index, line) in lines
            .iter()
            .flat_map(|line| wrap(&visible(line), style.width.saturating_sub(4)))
            .enumerate()
        {
            let start = if index == 0 { "  ? " } else { "    " };
            writeln!(out, "{}{line}", style.paint(start, "33"))?;
        }
    }
    if denied {
        let line = "`s3log-lint audit --print-iam-policy` prints what a run needs";
        writeln!(out, "{}{line}", style.paint("  help: ", "36"))?;
    }
    writeln!(out)
}

fn render_summary(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let buckets = count(summary.buckets, "bucket");
    match summary.edges {
        0 => {
            for line in wrap(&format!("{buckets}, {}.", told::unlogged(report)), style.width) {
                writeln!(out, "{line}")?;
            }
        }
        edges => {
            writeln!(out, "{buckets}, {}:", count(edges, "logging edge"))?;
            render_verdicts(report, style, out)?;
        }
    }
    let mut counts = Vec::new();
    for (severity, n, colour) in [
        (Severity::Error, summary.error, "31"),
        (Severity::Warning, summary.warning, "33"),
        (Severity::Note, summary.note, "36"),
    ] {
        if n > 0 {
            counts.push(style.paint(&count(n, severity.word()), colour));
        }
    }
    if summary.undecided > 0 {
        counts.push(format!("{} undecided", number(summary.undecided)));
    }
    for (n, word) in [
        (summary.suppressed, "suppressed"),
        (summary.baseline, "in the baseline"),
        (summary.repaired, "repaired"),
    ] {
        if n > 0 {
            counts.push(format!("{} {word}", number(n)));
        }
    }
    let unjudged = told::unjudged(report);
    let mut last = match counts.is_empty() {
        true if unjudged.is_some() => style.paint("No fault was found.", "33"),
        true if report.repaired.is_some() => style.paint("The change brings nothing to report.", "32"),
        true => style.paint("Nothing to report.", "32"),
        false => format!("{}.", counts.join(", ")),
    };
    if let Some(calls) = summary.api_calls {
        let calls = usize::try_from(calls).unwrap_or(usize::MAX);
        last.push_str(&format!(" {} to AWS.", count(calls, "call")));
    }
    writeln!(out, "{last}")?;
    if let Some(unjudged) = unjudged {
        let remark = format!("Whether logs arrive isn't known: {unjudged}.");
        for line in wrap(&remark, style.width) {
            writeln!(out, "{}", style.paint(&line, "33"))?;
        }
    }
    if let Some(unread) = report.unread_in_words() {
        for line in wrap(&format!("{unread}."), style.width) {
            writeln!(out, "{line}")?;
        }
    }
    if report.conclusion == Conclusion::Undecided {
        let remark = "No finding fails the run, but not everything could be decided \
                      (exit 3; `--unknown warn` allows it).";
        for line in wrap(remark, style.width) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// A line for each way that edges end: how many, and how much of the whole that is.
fn render_verdicts(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    const BAR: usize = 30;
    let verdicts = &report.summary.verdicts;
    let told = [
        (EdgeVerdict::Delivers, "deliver", "32"),
        (EdgeVerdict::Blocked, "blocked", "31"),
        (EdgeVerdict::Unreadable, "unreadable", "31"),
        (EdgeVerdict::Loops, "loop", "35"),
        (EdgeVerdict::Unknown, "unknown", "33"),
    ];
    let widest = verdicts
        .values()
        .map(|n| number(*n).len())
        .max()
        .unwrap_or_default();
    for (verdict, word, colour) in told {
        let Some(n) = verdicts.get(&verdict).copied().filter(|n| *n > 0) else {
            continue;
        };
        // Something is never shown as nothing.
        let filled = (n * BAR / report.summary.edges.max(1)).clamp(1, BAR);
        let line = format!("{:>widest$} {word:<10} {}", number(n), "█".repeat(filled));
        writeln!(out, "  {}", style.paint(&line, colour))?;
    }
    Ok(())
}

/// Prose from one column on, its further lines from another.
pub(super) fn wrap_indented(text: &str, width: usize, first: usize, hang: usize) -> String {
    // Wide enough for a word or two, however deep.
    let room = width.saturating_sub(hang).max(30);
    let (name, rest) = text.split_at(
        text.char_indices()
            .nth(hang.saturating_sub(first))
            .map_or(text.len(), |(at, _)| at),
    );
    let lines = wrap(rest, room);
    let next = format!("\n{}", " ".repeat(hang));
    format!("{name}{}", lines.join(&next))
}

impl Style {
    pub(super) fn paint(self, text: &str, colour: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint(text, "1")
    }
}
