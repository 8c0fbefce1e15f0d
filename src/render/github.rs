//! Annotations of GitHub Actions. GitHub shows ten of each kind per step and drops the rest, so the rest is counted.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::anchor::Occasion;
use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::finding::Severity;
use crate::report::Report;

const SHOWN_OF_A_KIND: usize = 10;

pub fn render(report: &Report, occasion: &Occasion, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for all in &report.findings {
        let kind = kind(all.severity);
        let times = shown.entry(kind).or_insert(0);
        *times += 1;
        if *times > SHOWN_OF_A_KIND {
            continue;
        }
        let finding = &all.finding;
        let mut properties = Vec::new();
        let anchor = occasion.anchor(all, &mut positions);
        if !anchor.is_stand_in {
            properties.push(format!("file={}", property(&anchor.path)));
            properties.push(format!("line={}", anchor.line));
            properties.push(format!("endLine={}", anchor.end_line));
            // Columns are shown only within one line.
            if anchor.line == anchor.end_line {
                properties.push(format!("col={}", anchor.column));
                properties.push(format!("endColumn={}", anchor.end_column));
            }
        }
        let title = format!("{} {}", finding.rule.code, finding.rule.name);
        properties.push(format!("title={}", property(&title)));
        let mut message = visible(&finding.said.message).into_owned();
        if let Some(help) = &finding.said.help {
            message.push('\n');
            message.push_str(&super::escape::visible_lines(help));
        }
        writeln!(out, "::{kind} {}::{}", properties.join(","), data(&message))?;
    }
    if !report.undecided.is_empty() {
        let times = shown.entry("notice").or_insert(0);
        *times += 1;
        if *times <= SHOWN_OF_A_KIND {
            let first = report.undecided.first().map(told::undecided).unwrap_or_default();
            let message = format!("{} undecided; the first {first}", report.undecided.len());
            writeln!(out, "::notice title=s3log-lint::{}", data(&message))?;
        }
    }
    if let Some(unjudged) = told::unjudged(report) {
        let unread = report.unread_in_words().map(|unread| format!("; {unread}"));
        let message = format!("{unjudged}{}", unread.unwrap_or_default());
        writeln!(out, "::notice title=s3log-lint::{}", data(&message))?;
    }
    for (kind, times) in shown {
        if let Some(more) = times.checked_sub(SHOWN_OF_A_KIND).filter(|more| *more > 0) {
            writeln!(
                out,
                "{more} more of kind {kind} are not annotated; the job summary has what fits into it"
            )?;
        }
    }
    writeln!(out, "s3log-lint: {}", told::sums(report))
}

fn kind(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

/// A message: it ends with its line, so it may hold none.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: colons and commas end it too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_but_its_own_end() {
        assert_eq!(data("a\n::error::b%"), "a%0A::error::b%25");
        assert_eq!(property("a,line=1::b"), "a%2Cline=1%3A%3Ab");
    }
}
