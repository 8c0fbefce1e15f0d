//! One line per finding, for `grep` and for the examples in the rules' documents.

use std::io::{self, Write};

use super::escape::visible;
use super::told;
use crate::finding::Subject;
use crate::report::Report;

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for all in &report.findings {
        let finding = &all.finding;
        let (severity, code) = (all.severity, finding.rule.code);
        writeln!(
            out,
            "{severity}[{code}] {}: {}",
            place(&finding.subject),
            visible(&finding.said.message)
        )?;
    }
    for undecided in &report.undecided {
        let rule = undecided.rule;
        write!(
            out,
            "undecided[{}] {}: {}",
            rule.code,
            place(&undecided.subject),
            undecided.said.why.word()
        )?;
        match &undecided.said.needs {
            Some(needs) => writeln!(out, ", needs {}", visible(needs))?,
            None => writeln!(out)?,
        }
    }
    // No line at all would say that logs arrive.
    if let Some(unjudged) = told::unjudged(report) {
        let unread = report.unread_in_words().map(|unread| format!("; {unread}"));
        writeln!(out, "unknown: {unjudged}{}", unread.unwrap_or_default())?;
    }
    Ok(())
}

/// `111122223333/eu-west-1/app-data -> logs`, without what isn't known.
fn place(subject: &Subject) -> String {
    let mut text = String::new();
    let parts = [
        subject.account.as_ref().map(|account| account.as_str()),
        subject.region.as_ref().map(|region| region.as_str()),
    ];
    for part in parts.into_iter().flatten() {
        text.push_str(part);
        text.push('/');
    }
    text.push_str(&visible(&subject.bucket));
    if let Some(target) = &subject.target {
        text.push_str(" -> ");
        text.push_str(&visible(target));
    }
    text
}
