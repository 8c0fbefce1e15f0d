//! Logging commands of Azure Pipelines.
//! <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>

use std::io::{self, Write};

use super::anchor::Occasion;
use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::finding::Severity;
use crate::report::Report;

pub fn render(report: &Report, occasion: &Occasion, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    for all in &report.findings {
        let kind = match all.severity {
            Severity::Error => "error",
            // There are only these two.
            Severity::Warning | Severity::Note => "warning",
        };
        let mut command = format!("##vso[task.logissue type={kind};");
        let anchor = occasion.anchor(all, &mut positions);
        if !anchor.is_stand_in {
            let (line, column) = (anchor.line, anchor.column);
            let path = property(&visible(&anchor.path));
            command.push_str(&format!(
                "sourcepath={path};linenumber={line};columnnumber={column};"
            ));
        }
        let finding = &all.finding;
        let message = data(&visible(&finding.said.message));
        writeln!(out, "{command}code={};]{message}", finding.rule.code)?;
    }
    for each in &report.undecided {
        let text = format!("{}: {}", told::edge(&each.subject), told::undecided(each));
        let code = each.rule.code;
        writeln!(
            out,
            "##vso[task.logissue type=warning;code={code};]{}",
            data(&text)
        )?;
    }
    writeln!(out, "s3log-lint: {}", told::sums(report))
}

fn data(text: &str) -> String {
    text.replace('%', "%AZP25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(']', "%5D").replace(';', "%3B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_but_its_own_end() {
        assert_eq!(property("a;type=error]b\n%"), "a%3Btype=error%5Db%0A%AZP25");
    }
}
