//! Markdown for a comment on a pull request and for GitHub's job summary. Names are shown, never rendered.

use std::io::{self, Write};

use super::escape::{visible, visible_lines};
use super::position::Positions;
use super::told;
use crate::finding::Severity;
use crate::report::{Fingerprinted, Report};

/// A comment on GitHub holds 65,536 characters.
pub const COMMENT_BYTES: usize = 60_000;

/// A job summary holds a mebibyte, and a step may write more than one.
pub const SUMMARY_BYTES: usize = 500_000;

/// How many buckets are named where a fault is shared.
const NAMED: usize = 5;

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    render_within(report, COMMENT_BYTES, out)
}

/// No longer than this; what is left out is counted.
pub fn render_within(report: &Report, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::new();
    // By this line a bot finds its own comment again.
    text.push_str("<!-- s3log-lint -->\n");
    text.push_str(&format!("## Access logging: {}\n\n", told::sums(report)));
    text.push_str(&edges(report));
    if let Some(unjudged) = told::unjudged(report) {
        text.push_str(&format!(
            "❔ Whether logs arrive isn't known: {}.\n\n",
            prose(&unjudged)
        ));
    }
    if let Some(unread) = report.unread_in_words() {
        text.push_str(&format!("{}.\n\n", prose(&unread)));
    }
    let mut left_out = 0;
    let mut positions = Positions::default();
    for group in report.groups() {
        let block = finding(&group, &mut positions);
        if text.len() + block.len() > limit {
            left_out += group.len();
        } else {
            text.push_str(&block);
        }
    }
    let mut open = 0;
    for each in &report.undecided {
        let line = format!(
            "- {} {} {}\n",
            each.rule.code,
            code(&told::edge(&each.subject)),
            prose(&told::undecided(each))
        );
        if text.len() + line.len() > limit {
            left_out += 1;
        } else {
            if open == 0 {
                text.push_str("### Could not be decided\n\n");
            }
            open += 1;
            text.push_str(&line);
        }
    }
    if left_out > 0 {
        text.push_str(&format!("\n{left_out} more are left out here.\n"));
    }
    out.write_all(text.as_bytes())
}

fn edges(report: &Report) -> String {
    let summary = &report.summary;
    if summary.edges == 0 {
        return format!("Buckets: {}, {}.\n\n", summary.buckets, told::unlogged(report));
    }
    let verdicts: Vec<String> = summary
        .verdicts
        .iter()
        .map(|(verdict, n)| format!("{n} {}", verdict.word()))
        .collect();
    format!(
        "Buckets: {}. Logging edges: {} ({}).\n\n",
        summary.buckets,
        summary.edges,
        verdicts.join(", ")
    )
}

fn finding(group: &[&Fingerprinted], positions: &mut Positions) -> String {
    let Some(first) = group.first() else {
        return String::new();
    };
    let finding = &first.finding;
    let said = &finding.said;
    let sign = match first.severity {
        Severity::Error => "🛑",
        Severity::Warning => "⚠️",
        Severity::Note => "ℹ️",
    };
    let mut text = format!(
        "### {sign} {} {} {}\n\n",
        first.severity, finding.rule.code, finding.rule.name
    );
    match (&said.shared, group.len()) {
        (Some(shared), n) if n > 1 => {
            let named: Vec<String> = group
                .iter()
                .take(NAMED)
                .map(|each| code(&each.finding.subject.bucket))
                .collect();
            let more = match n.saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text.push_str(&format!(
                "{}  \n{n} buckets: {}{more}\n\n",
                prose(&shared.message),
                named.join(", ")
            ));
        }
        _ => text.push_str(&format!("{}\n\n", prose(&said.message))),
    }
    let part = told::part(&finding.subject);
    if !part.is_empty() {
        text.push_str(&format!("- in {}\n", code(&part)));
    }
    for label in &said.labels {
        let at = positions
            .locate(&label.place)
            .map(|at| format!(":{}:{}", at.line, at.column));
        let title = format!("{}{}", label.place.document.title, at.unwrap_or_default());
        text.push_str(&format!("- {}: {}\n", code(&title), prose(&label.text)));
    }
    if let Some(help) = &said.help {
        text.push_str("\n<details><summary>What to do</summary>\n\n");
        text.push_str(&fenced(help));
        text.push_str("\n</details>\n");
    }
    text.push('\n');
    text
}

/// A sentence with names in backticks. Between them, nothing is markup.
pub fn prose(text: &str) -> String {
    let text = visible(text);
    let pieces: Vec<&str> = text.split('`').collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (index, piece) in pieces.iter().enumerate() {
        let (is_inside, is_last) = (index % 2 == 1, index + 1 == pieces.len());
        match (is_inside, is_last) {
            (true, false) => out.push_str(&code(piece)),
            // A backtick without its other half.
            (true, true) => out.push_str(&plain(&format!("`{piece}"))),
            (false, _) => out.push_str(&plain(piece)),
        }
    }
    out
}

/// A name as code. What could end the code, or mean something in a table, is written as an entity.
pub fn code(text: &str) -> String {
    let text = visible(text);
    let harmless = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '.' | '_' | '/' | ':' | ' ' | '*' | '[' | ']' | '"' | '>')
    };
    let spaced = text.starts_with(' ') || text.ends_with(' ') || text.is_empty();
    match text.chars().all(harmless) && !spaced {
        true => format!("`{text}`"),
        false => format!("<code>{}</code>", entities(&text)),
    }
}

/// A text of which no sign means anything.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&'
            | '@' | '$' => out.push_str(&format!("&#{};", u32::from(c))),
            // `www.` and `https:` make links by themselves.
            '/' | ':' if out.ends_with(':') || out.ends_with('/') => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match c.is_ascii_alphanumeric() || matches!(c, ' ' | '-') || !c.is_ascii() {
            true => out.push(c),
            false => out.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    out
}

/// A block of text as it is; the fence is longer than any in it.
fn fenced(text: &str) -> String {
    let text = visible_lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_code_whatever_it_holds() {
        assert_eq!(prose("`app-data` logs to `logs`"), "`app-data` logs to `logs`");
        assert_eq!(
            prose("`<img src=x>` logs"),
            "<code>&#60;img src&#61;x&#62;</code> logs"
        );
        assert_eq!(code("a`b|c"), "<code>a&#96;b&#124;c</code>");
        assert_eq!(prose("a ` @everyone"), "a &#96; &#64;everyone");
        assert_eq!(fenced("a\n````\nb"), "`````text\na\n````\nb\n`````\n");
    }
}
