//! Where data and remarks go: data to standard output, everything else to standard error.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};

use super::arguments::{ColorChoice, ConsoleArguments};
use super::error::Error;
use crate::render::escape::{visible_in_place, visible_lines};
use crate::render::terminal::Style;
use miette::Diagnostic;

/// How this process may speak.
#[derive(Debug)]
pub struct Console {
    pub quiet: bool,
    verbose: bool,
    pub style: Style,
    error_colour: bool,
}

impl Console {
    pub fn new(arguments: &ConsoleArguments) -> Self {
        let wanted = |is_terminal: bool| match arguments.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // https://no-color.org: present and not empty.
            ColorChoice::Auto => {
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        let is_terminal = io::stdout().is_terminal();
        let width = terminal_size::terminal_size()
            .filter(|_| is_terminal)
            .map_or(80, |(width, _)| usize::from(width.0).clamp(40, 120));
        Self {
            quiet: arguments.quiet,
            verbose: arguments.verbose,
            style: Style {
                colour: wanted(is_terminal),
                width,
                links: is_terminal && wanted(is_terminal),
            },
            error_colour: wanted(io::stderr().is_terminal()),
        }
    }

    /// Writes data to standard output. A reader that went away ends it quietly.
    pub fn write(&self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let mut out = BufWriter::new(io::stdout().lock());
        match render(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A remark for who asked for more of them.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            self.remark(text);
        }
    }

    /// A remark for the person at the terminal.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            // Nobody can be told that nobody listens.
            let _ = writeln!(io::stderr(), "{}", visible_lines(text));
        }
    }

    pub fn error(&self, error: &Error) {
        let mut text = self.paint("error:", "1;31");
        text.push(' ');
        text.push_str(&visible_lines(&error.to_string()));
        if let Some(excerpt) = self.excerpt(error) {
            text.push('\n');
            text.push_str(&excerpt);
        }
        if let Some(help) = error.help_text() {
            text.push_str("\n  ");
            text.push_str(&self.paint("help:", "36"));
            text.push(' ');
            text.push_str(&visible_lines(&help));
        }
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// The text that the error stands in, where it is in a file.
    fn excerpt(&self, error: &Error) -> Option<String> {
        let source = error.diagnostic_source()?;
        let code = source.source_code()?;
        let label = source.labels()?.next()?;
        // With a line around it, since without one the text begins at the label.
        let contents = code.read_span(label.inner(), 1, 1).ok()?;
        let text = std::str::from_utf8(contents.data()).ok()?;
        let at = label.offset().checked_sub(contents.span().offset())?;
        let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(start..)?.lines().next().unwrap_or_default();
        let number = (contents.line() + text.get(..start)?.matches('\n').count() + 1).to_string();
        let before = text.get(start..at)?.chars().count();
        let rest = line.chars().count().saturating_sub(before);
        let marked = label.inner().len().clamp(1, rest.max(1));
        let (gutter, space) = (" ".repeat(number.len()), " ".repeat(before));
        let marks = self.paint(&"^".repeat(marked), "1;31");
        let shown = visible_in_place(line).replace('\t', " ");
        Some(format!("  {number} | {shown}\n  {gutter} | {space}{marks}"))
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        match self.error_colour {
            true => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}
