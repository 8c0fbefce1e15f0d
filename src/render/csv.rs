//! One row per finding and per undecided rule, for spreadsheets.
//!
//! A spreadsheet takes a cell that starts with `=`, `+`, `-` or `@` for a formula and runs it: such a cell gets a `'`.
//! <https://owasp.org/www-community/attacks/CSV_Injection>

use std::borrow::Cow;
use std::io::{self, Write};

use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::report::Report;

const HEADER: [&str; 15] = [
    "code",
    "rule",
    "severity",
    "account",
    "region",
    "bucket",
    "target",
    "message",
    "help",
    "fixable",
    "fingerprint",
    "document",
    "pointer",
    "line",
    "column",
];

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    let mut table = csv::Writer::from_writer(out);
    table.write_record(HEADER)?;
    for all in &report.findings {
        let finding = &all.finding;
        let subject = &finding.subject;
        let label = finding.said.labels.first();
        let at = label.and_then(|label| positions.locate(&label.place));
        let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
        table.write_record([
            finding.rule.code.to_owned(),
            finding.rule.name.to_owned(),
            all.severity.word().to_owned(),
            text(subject.account.as_ref()),
            text(subject.region.as_ref()),
            cell(&subject.bucket),
            cell(subject.target.as_deref().unwrap_or_default()),
            cell(&finding.said.message),
            cell(finding.said.help.as_deref().unwrap_or_default()),
            finding.said.fix.is_some().to_string(),
            all.fingerprint.clone(),
            cell(
                &label
                    .map(|label| label.place.document.title.to_string())
                    .unwrap_or_default(),
            ),
            cell(label.map_or("", |label| &label.place.pointer)),
            number(at.as_ref().map(|at| at.line)),
            number(at.as_ref().map(|at| at.column)),
        ])?;
    }
    for each in &report.undecided {
        let subject = &each.subject;
        let mut row = vec![String::new(); HEADER.len()];
        let told = [
            each.rule.code.to_owned(),
            each.rule.name.to_owned(),
            "undecided".to_owned(),
            text(subject.account.as_ref()),
            text(subject.region.as_ref()),
            cell(&subject.bucket),
            cell(subject.target.as_deref().unwrap_or_default()),
            cell(&told::undecided(each)),
        ];
        for (place, value) in row.iter_mut().zip(told) {
            *place = value;
        }
        table.write_record(row)?;
    }
    table.flush()
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// A text that comes from an account or a file. Newlines become visible: a row is a line.
fn cell(text: &str) -> String {
    let text = match text.contains('\n') {
        true => Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        false => Cow::Borrowed(text),
    };
    let text = visible(&text);
    match text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_a_text() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(cell("  @SUM(A1)"), "'  @SUM(A1)");
        assert_eq!(cell("\t=1"), "\\u{9}=1");
        assert_eq!(cell("a\n=1"), "a =1");
        assert_eq!(cell("logs-2026"), "logs-2026");
    }
}
