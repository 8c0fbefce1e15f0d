//! For people: each fault with the text it stands in, then the sums at a glance.

mod diagnostic;
mod numbers;
mod wrap;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use miette::{GraphicalReportHandler, GraphicalTheme};

use self::diagnostic::Told;
use self::numbers::{count, join_some, number};
use self::wrap::wrap;
use super::escape::visible;
use super::position::Positions;
use crate::finding::Severity;
use crate::inventory::Why;
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
        let Some(told) = Told::new(&group, style.width, &mut positions) else {
            continue;
        };
        let mut text = String::new();
        handler
            .render_report(&mut text, &told)
            .map_err(io::Error::other)?;
        writeln!(out, "{}", text.trim_end().trim_start_matches('\n'))?;
        writeln!(out)?;
    }
    render_undecided(report, style, out)?;
    render_summary(report, style, out)
}

fn render_undecided(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if report.undecided.is_empty() {
        return Ok(());
    }
    #[derive(Default)]
    struct Missing<'a> {
        rules: BTreeSet<&'a str>,
        buckets: BTreeSet<&'a str>,
    }
    let mut grouped: BTreeMap<(Option<&str>, &Why), Missing<'_>> = BTreeMap::new();
    for undecided in &report.undecided {
        let said = &undecided.said;
        let missing = grouped.entry((said.needs.as_deref(), &said.why)).or_default();
        missing.rules.insert(undecided.rule.code);
        missing.buckets.insert(&undecided.subject.bucket);
    }
    writeln!(out, "{}", style.bold("Could not be decided:"))?;
    for ((needs, why), Missing { rules, buckets }) in grouped {
        let reason = match (why, needs) {
            (Why::Denied { .. }, Some(needs)) => format!("{needs} was denied"),
            (Why::Denied { action }, None) => format!("{action} was denied"),
            (Why::NotRead, Some(needs)) => format!("not in the input; {needs} would tell"),
            (Why::NotRead, None) => "not in the input".to_owned(),
            (Why::AfterApply, _) => "known only after the deploy".to_owned(),
            (Why::Sensitive, _) => "marked as sensitive in its file".to_owned(),
            (Why::Failed { code }, Some(needs)) => format!("the call failed with {code} ({needs})"),
            (Why::Failed { code }, None) => format!("the call failed with {code}"),
        };
        let rules: Vec<&str> = rules.into_iter().collect();
        let bucket_count = count(buckets.len(), "bucket");
        let text = format!(
            "{reason}: {} for {bucket_count}: {}",
            rules.join(" "),
            join_some(buckets.iter().copied(), 3)
        );
        for (index, line) in wrap(&visible(&text), style.width.saturating_sub(4))
            .iter()
            .enumerate()
        {
            writeln!(out, "{}{line}", if index == 0 { "  ? " } else { "    " })?;
        }
    }
    writeln!(out)
}

fn render_summary(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let of = |verdict| summary.verdicts.get(&verdict).copied().unwrap_or_default();
    let told = [
        (EdgeVerdict::Delivers, "delivers", "deliver", "32"),
        (EdgeVerdict::Blocked, "is blocked", "are blocked", "31"),
        (
            EdgeVerdict::Unreadable,
            "arrives unreadable",
            "arrive unreadable",
            "31",
        ),
        (EdgeVerdict::Loops, "loops", "loop", "31"),
        (EdgeVerdict::Unknown, "is unknown", "are unknown", "33"),
    ];
    let parts: Vec<String> = told
        .iter()
        .filter(|(verdict, ..)| of(*verdict) > 0)
        .map(|(verdict, one, many, colour)| {
            let n = of(*verdict);
            style.paint(
                &format!("{} {}", number(n), if n == 1 { one } else { many }),
                colour,
            )
        })
        .collect();
    let buckets = count(summary.buckets, "bucket");
    match summary.edges {
        0 => writeln!(out, "{buckets}, none with server access logging.")?,
        edges => writeln!(
            out,
            "{buckets}, {}: {}.",
            count(edges, "logging edge"),
            parts.join(", ")
        )?,
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
    ] {
        if n > 0 {
            counts.push(format!("{} {word}", number(n)));
        }
    }
    let mut last = match counts.is_empty() {
        true => style.paint("Nothing to report.", "32"),
        false => format!("{}.", counts.join(", ")),
    };
    if let Some(calls) = summary.api_calls {
        let calls = usize::try_from(calls).unwrap_or(usize::MAX);
        last.push_str(&format!(" {} to AWS.", count(calls, "call")));
    }
    writeln!(out, "{last}")?;
    if report.conclusion == Conclusion::Undecided {
        writeln!(
            out,
            "No finding fails the run, but not everything could be decided (exit 3; `--unknown warn` allows it)."
        )?;
    }
    Ok(())
}

impl Style {
    fn paint(self, text: &str, colour: &str) -> String {
        match self.colour {
            true => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn bold(self, text: &str) -> String {
        self.paint(text, "1")
    }
}
