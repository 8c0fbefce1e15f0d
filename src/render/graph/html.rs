//! One page that needs nothing else: a card for each log bucket, its sources in rows, an arrow where a log bucket is
//! itself logged.
//!
//! Drawn by hand: no general layout helps a graph in which one bucket has a thousand sources.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Key, account, bucket_label, colour, target};
use crate::render::escape::visible;
use crate::report::Report;
use crate::rules::{EdgeVerdict, LintedEdge};

/// A card shows so many sources by name; the rest is counted.
const ROWS: usize = 25;
const ROW: usize = 22;
const HEADER: usize = 40;
const GAP: usize = 24;
const LEFT: usize = 16;
const WIDTH: usize = 660;

const VERDICTS: [EdgeVerdict; 5] = [
    EdgeVerdict::Blocked,
    EdgeVerdict::Loops,
    EdgeVerdict::Unreadable,
    EdgeVerdict::Unknown,
    EdgeVerdict::Delivers,
];

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::new(report);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Where S3 access logs go</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Where S3 access logs go</h1>\n"
    )?;
    writeln!(
        out,
        "<p>{} buckets, {} logging edges.</p>",
        report.summary.buckets, report.summary.edges
    )?;
    writeln!(out, "<ul class=\"legend\">")?;
    for verdict in VERDICTS {
        let count = report.summary.verdicts.get(&verdict).copied().unwrap_or_default();
        writeln!(
            out,
            "<li><span style=\"background:{}\"></span>{} {}</li>",
            colour(verdict),
            count,
            verdict.word()
        )?;
    }
    writeln!(out, "</ul>")?;
    page.draw(out)?;
    writeln!(out, "</body>\n</html>")
}

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#1f2328;background:#fff}\
    h1{font-size:1.3rem}.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:1rem}\
    .legend span{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em}\
    svg{max-width:100%;height:auto}text{font:13px system-ui,sans-serif;fill:#1f2328}\
    .name{font-weight:600}.dim{fill:#59636e}.card{fill:#f6f8fa;stroke:#d1d9e0}\
    @media(prefers-color-scheme:dark){body{background:#0d1117;color:#f0f6fc}text{fill:#f0f6fc}\
    .dim{fill:#9198a1}.card{fill:#151b23;stroke:#3d444d}}";

/// Where everything is.
struct Page<'a> {
    several: bool,
    cards: Vec<Card<'a>>,
    /// The card of each target, by its number.
    numbers: BTreeMap<Key<'a>, usize>,
    height: usize,
}

struct Card<'a> {
    key: Key<'a>,
    top: usize,
    /// The worst first, then by name; only those that are shown by name.
    rows: Vec<&'a LintedEdge>,
    hidden: usize,
    sources: usize,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report) -> Self {
        let mut by_target: BTreeMap<Key<'a>, Vec<&'a LintedEdge>> = BTreeMap::new();
        for edge in &report.edges {
            by_target
                .entry((account(edge), target(edge)))
                .or_default()
                .push(edge);
        }
        let accounts: std::collections::BTreeSet<_> = by_target.keys().map(|(account, _)| *account).collect();
        let numbers: BTreeMap<Key<'a>, usize> = by_target.keys().copied().zip(0..).collect();
        let mut page = Self {
            several: accounts.len() > 1,
            cards: Vec::new(),
            height: 0,
            numbers,
        };
        for (key, mut edges) in by_target {
            let is_card = |edge: &LintedEdge| {
                page.numbers
                    .contains_key(&(account(edge), edge.subject.bucket.as_str()))
            };
            // What has an arrow is shown by name.
            edges.sort_by_key(|edge| (!is_card(edge), rank(edge.verdict), edge.subject.bucket.as_str()));
            let sources = edges.len();
            // To hide a single name behind "1 more" saves nothing.
            let shown = if sources <= ROWS + 1 { sources } else { ROWS };
            edges.truncate(shown);
            let card = Card {
                key,
                top: page.height,
                rows: edges,
                hidden: sources - shown,
                sources,
            };
            page.height += card.height() + GAP;
            page.cards.push(card);
        }
        page
    }

    fn draw(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\">",
            LEFT + WIDTH + 120,
            self.height + GAP
        )?;
        writeln!(
            out,
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"context-stroke\"/></marker></defs>"
        )?;
        for card in &self.cards {
            self.draw_card(card, out)?;
        }
        writeln!(out, "</svg>")
    }

    fn draw_card(&self, card: &Card<'a>, out: &mut dyn Write) -> io::Result<()> {
        let name = match card.key.1 {
            "" => "(known after the deploy)".to_owned(),
            _ => bucket_label(card.key, self.several),
        };
        let sources = if card.sources == 1 {
            "1 source".to_owned()
        } else {
            format!("{} sources", card.sources)
        };
        let (top, height, name_shown) = (card.top, card.height(), escaped(&name));
        let (line, left, right) = (card.top + 25, LEFT + 12, LEFT + WIDTH - 12);
        writeln!(
            out,
            "<rect class=\"card\" x=\"{LEFT}\" y=\"{top}\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>"
        )?;
        writeln!(
            out,
            "<text class=\"name\" x=\"{left}\" y=\"{line}\">{name_shown}</text>\
             <text class=\"dim\" x=\"{right}\" y=\"{line}\" text-anchor=\"end\">{sources}</text>"
        )?;
        for (row, edge) in card.rows.iter().enumerate() {
            let y = card.row(row);
            let from = (account(edge), edge.subject.bucket.as_str());
            let said = match edge.causes.is_empty() {
                true => edge.verdict.word().to_owned(),
                false => format!("{} {}", edge.verdict.word(), edge.causes.join(" ")),
            };
            let title = format!(
                "{} → {name}: {said}, prefix {:?}",
                from.1,
                edge.prefix.as_deref().unwrap_or("?")
            );
            writeln!(
                out,
                "<g><title>{}</title><circle cx=\"{}\" cy=\"{}\" r=\"5\" fill=\"{}\"/>\
                 <text x=\"{}\" y=\"{y}\">{}</text><text class=\"dim\" x=\"{}\" y=\"{y}\" text-anchor=\"end\">{}</text></g>",
                escaped(&title),
                LEFT + 20,
                y - 4,
                colour(edge.verdict),
                LEFT + 34,
                escaped(from.1),
                LEFT + WIDTH - 12,
                escaped(&said),
            )?;
            if let Some(number) = self.numbers.get(&from) {
                self.draw_arrow(&self.cards[*number], card, row, edge, out)?;
            }
        }
        if card.hidden > 0 {
            writeln!(
                out,
                "<text class=\"dim\" x=\"{}\" y=\"{}\">+ {} more</text>",
                LEFT + 34,
                card.row(card.rows.len()),
                card.hidden
            )?;
        }
        Ok(())
    }

    /// From the log bucket that is logged itself, round the right side, to its row.
    fn draw_arrow(
        &self,
        from: &Card<'a>,
        to: &Card<'a>,
        row: usize,
        edge: &LintedEdge,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let right = LEFT + WIDTH;
        let (start, end) = (from.top + HEADER / 2, to.row(row) - 4);
        let bend = right + 30 + (start.abs_diff(end) / 12).min(80);
        writeln!(
            out,
            "<path d=\"M{right} {start}C{bend} {start} {bend} {end} {right} {end}\" fill=\"none\" stroke=\"{}\" \
             stroke-width=\"2\" marker-end=\"url(#tip)\"/>",
            colour(edge.verdict)
        )
    }
}

impl Card<'_> {
    fn height(&self) -> usize {
        HEADER + (self.rows.len() + usize::from(self.hidden > 0)) * ROW + 8
    }

    /// The base line of a row.
    fn row(&self, row: usize) -> usize {
        self.top + HEADER + row * ROW + 14
    }
}

fn rank(verdict: EdgeVerdict) -> usize {
    VERDICTS
        .iter()
        .position(|other| *other == verdict)
        .unwrap_or_default()
}

/// For HTML and SVG, in text and in attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place() {
        assert_eq!(
            escaped("</text><script>alert('x')\u{1b}\"&"),
            "&lt;/text&gt;&lt;script&gt;alert(&#39;x&#39;)\\u{1b}&quot;&amp;"
        );
    }
}
