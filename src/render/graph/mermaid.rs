//! Mermaid, as GitHub and GitLab draw it in Markdown.

use std::io::{self, Write};

use super::{Drawing, NodeKind, colour};
use crate::render::escape::visible;

pub fn render(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for (number, node) in drawing.nodes.iter().enumerate() {
        let label = quoted(&node.label);
        match node.kind {
            NodeKind::Bucket => writeln!(out, "  n{number}[{label}]")?,
            NodeKind::LogBucket => writeln!(out, "  n{number}[({label})]")?,
            NodeKind::Folded => writeln!(out, "  n{number}[[{label}]]")?,
        }
    }
    for arrow in &drawing.arrows {
        writeln!(
            out,
            "  n{} -->|{}| n{}",
            arrow.from,
            quoted(&arrow.label),
            arrow.to
        )?;
    }
    for (number, arrow) in drawing.arrows.iter().enumerate() {
        writeln!(out, "  linkStyle {number} stroke:{}", colour(arrow.verdict))?;
    }
    Ok(())
}

/// Mermaid escapes by the character's number; whatever could end a string, start a tag or a directive is so written.
fn quoted(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for c in visible(text).chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '-' | '_' | '.' | '/' | ':' | '(' | ')' => out.push(c),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}
