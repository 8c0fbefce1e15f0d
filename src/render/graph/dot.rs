//! Graphviz.

use std::io::{self, Write};

use super::{Drawing, NodeKind, colour};
use crate::render::escape::visible;

pub fn render(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph access_logs {{")?;
    writeln!(out, "  rankdir=LR;")?;
    writeln!(out, "  node [shape=box, fontname=\"sans-serif\"];")?;
    writeln!(out, "  edge [fontname=\"sans-serif\", fontsize=10];")?;
    for (number, node) in drawing.nodes.iter().enumerate() {
        let shape = match node.kind {
            NodeKind::Bucket => "",
            NodeKind::LogBucket => ", shape=cylinder",
            NodeKind::Folded => ", shape=box3d",
        };
        writeln!(out, "  n{number} [label={}{shape}];", quoted(&node.label))?;
    }
    for arrow in &drawing.arrows {
        writeln!(
            out,
            "  n{} -> n{} [label={}, color=\"{}\"];",
            arrow.from,
            arrow.to,
            quoted(&arrow.label),
            colour(arrow.verdict)
        )?;
    }
    writeln!(out, "}}")
}

/// A quoted string of DOT, in which only a quote and a backslash mean something.
fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(text).replace('\\', "\\\\").replace('"', "\\\""))
}
