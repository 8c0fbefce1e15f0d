//! Symbolic places → byte spans, lines and columns, once something is shown.
//!
//! AWS answers in one line; shown is the same text, indented. Places in an answer count in what is shown.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::inventory::{Document, Place, Title};

/// Where a place stands in the text that is shown. Lines and columns start at 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub span: Range<usize>,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

/// Finds one place. For many, [`Positions`] looks at each document once.
pub fn locate(place: &Place) -> Option<Located> {
    Positions::default().locate(place)
}

/// So many documents are kept.
const MOST_SHOWN: usize = 512;

/// The documents that were looked at, so that many places in one document cost little more than one.
#[derive(Debug, Default)]
pub struct Positions {
    /// By the address of the document, which the kept `Arc` holds in place.
    shown: BTreeMap<usize, (Arc<Document>, Shown)>,
}

impl Positions {
    /// The place; the nearest place around it where the pointer leads to nothing.
    pub fn locate(&mut self, place: &Place) -> Option<Located> {
        let shown = self.shown(&place.document);
        let span = match &place.span {
            Some(span) if shown.as_written => span.clone(),
            Some(_) | None => shown.find(&place.pointer),
        };
        shown.describe(span)
    }

    /// The text of a document as it is shown.
    pub fn text(&mut self, document: &Arc<Document>) -> Arc<str> {
        Arc::clone(&self.shown(document).text)
    }

    /// Where each line of the shown text starts.
    pub fn line_starts(&mut self, document: &Arc<Document>) -> Arc<[usize]> {
        Arc::clone(&self.shown(document).lines)
    }

    fn shown(&mut self, document: &Arc<Document>) -> &mut Shown {
        let address = Arc::as_ptr(document) as usize;
        // A plan has a document for each of its resources: what was looked at long ago is let go.
        if self.shown.len() >= MOST_SHOWN && !self.shown.contains_key(&address) {
            self.shown.clear();
        }
        &mut self
            .shown
            .entry(address)
            .or_insert_with(|| (Arc::clone(document), Shown::new(document)))
            .1
    }
}

#[derive(Debug)]
struct Shown {
    text: Arc<str>,
    as_written: bool,
    lines: Arc<[usize]>,
    /// How many characters stand before each block of bytes: a minified template is one long line.
    before: Vec<usize>,
    /// The members of the objects and arrays that were entered, by where these start.
    entered: BTreeMap<usize, BTreeMap<String, Range<usize>>>,
}

impl Shown {
    fn new(document: &Document) -> Self {
        let written = document.text.trim_end();
        let as_written = match document.title {
            Title::Answer { .. } => false,
            Title::Embedded { .. } => written.contains('\n'),
            Title::File { .. } => true,
        };
        let text = match as_written {
            true => Arc::clone(&document.text),
            false => Arc::from(indent(written)),
        };
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let before = text
            .as_bytes()
            .chunks(BLOCK)
            .scan(0, |sum, block| {
                Some(std::mem::replace(sum, *sum + characters(block)))
            })
            .collect();
        Self {
            text,
            as_written,
            lines,
            before,
            entered: BTreeMap::new(),
        }
    }

    fn find(&mut self, pointer: &str) -> Range<usize> {
        let mut at = value_at(&self.text, 0).unwrap_or(0..self.text.len());
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let text = &self.text;
            let members = self
                .entered
                .entry(at.start)
                .or_insert_with(|| members(text, at.clone()));
            match members.get(&segment) {
                Some(span) => at = span.clone(),
                None => break,
            }
        }
        at
    }

    fn describe(&self, span: Range<usize>) -> Option<Located> {
        let (line, column) = self.line_and_column(span.start)?;
        let (end_line, end_column) = self.line_and_column(span.end)?;
        Some(Located {
            span,
            line,
            column,
            end_line,
            end_column,
        })
    }

    fn line_and_column(&self, at: usize) -> Option<(usize, usize)> {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = *self.lines.get(line.checked_sub(1)?)?;
        match self.text.is_char_boundary(at) {
            true => Some((
                line,
                self.characters_before(at) - self.characters_before(start) + 1,
            )),
            false => None,
        }
    }

    fn characters_before(&self, at: usize) -> usize {
        // The end of the text may be the end of its last block.
        let block = (at / BLOCK).min(self.before.len().saturating_sub(1));
        let before = self.before.get(block).copied().unwrap_or_default();
        before + characters(&self.text.as_bytes()[block * BLOCK..at])
    }
}

const BLOCK: usize = 4096;

/// How many characters start in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

/// The members of the object or array at this span; of a key that stands twice, the first.
fn members(text: &str, span: Range<usize>) -> BTreeMap<String, Range<usize>> {
    let mut found = BTreeMap::new();
    let bytes = text.as_bytes();
    let is_object = match bytes.get(span.start) {
        Some(b'{') => true,
        Some(b'[') => false,
        _ => return found,
    };
    let (mut at, mut number) = (span.start + 1, 0usize);
    while at < span.end {
        let key = match is_object {
            false => number.to_string(),
            true => {
                let Some(key) = value_at(text, at) else { break };
                let Some(colon) = text[key.end..span.end].find(':') else {
                    break;
                };
                at = key.end + colon + 1;
                let Ok(key) = serde_json::from_str::<String>(&text[key]) else {
                    break;
                };
                key
            }
        };
        let Some(value) = value_at(text, at) else { break };
        at = value.end;
        found.entry(key).or_insert(value);
        number += 1;
        match text[at..span.end].find([',', ']', '}']) {
            Some(next) if bytes[at + next] == b',' => at += next + 1,
            Some(_) | None => break,
        }
    }
    found
}

/// The span of the JSON value that starts at or after this byte. Counts depth instead of recursing.
fn value_at(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let start = from
        + bytes.get(from..)?.iter().position(|byte| {
            !byte.is_ascii_whitespace() && *byte != 0xef && *byte != 0xbb && *byte != 0xbf
        })?;
    let (mut depth, mut at) = (0usize, start);
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += 1;
                loop {
                    match bytes.get(at)? {
                        b'\\' => at += 2,
                        b'"' => break,
                        _ => at += 1,
                    }
                }
                at += 1;
            }
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            _ if depth > 0 => {
                at += 1;
                continue;
            }
            b',' | b':' => return None,
            _ => {
                // A number or a word.
                while bytes.get(at).is_some_and(|byte| {
                    !byte.is_ascii_whitespace() && !matches!(byte, b',' | b'}' | b']' | b':')
                }) {
                    at += 1;
                }
            }
        }
        if depth == 0 {
            return text.is_char_boundary(at).then_some(start..at);
        }
    }
}

/// Indents a JSON text, token by token: nothing is parsed, so nothing can be lost, not even a key that stands twice.
fn indent(text: &str) -> String {
    /// Deeper texts are shown, but not indented further.
    const DEEPEST: usize = 40;
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let mut characters = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
    };
    while let Some(c) = characters.next() {
        if in_string {
            out.push(c);
            (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Call;

    fn answer(text: &str) -> Arc<Document> {
        Arc::new(Document {
            title: Title::Answer {
                bucket: "logs".into(),
                call: Call::Policy,
            },
            text: text.into(),
            host: None,
        })
    }

    fn found(text: &str, pointer: &str) -> (String, usize, usize) {
        let document = answer(text);
        let mut positions = Positions::default();
        let located = positions
            .locate(&Place::new(&document, pointer))
            .expect("a place");
        let shown = positions.text(&document);
        (shown[located.span].to_owned(), located.line, located.column)
    }

    #[test]
    fn a_pointer_finds_its_value_in_the_indented_answer() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Sid":"é"},{"Condition":{"ArnLike":{"aws:SourceArn":["x","y"]}}}]}"#;
        assert_eq!(found(text, "/Statement/0/Sid"), ("\"é\"".to_owned(), 5, 14));
        assert_eq!(
            found(text, "/Statement/1/Condition/ArnLike/aws:SourceArn/1").0,
            "\"y\""
        );
    }

    #[test]
    fn columns_count_characters_in_lines_of_any_length() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let text: String = "é\nab☃𝄞".chars().cycle().take(length).chain(['ü'; 2]).collect();
            let long = format!("{}\n{}", text.replace('\n', ""), text);
            let document = Document {
                title: Title::File { path: "a".to_owned() },
                text: long.as_str().into(),
                host: None,
            };
            let shown = Shown::new(&document);
            let (mut line, mut column) = (1, 1);
            for (at, character) in long.char_indices() {
                assert_eq!(shown.line_and_column(at), Some((line, column)), "{length} {at}");
                (line, column) = match character {
                    '\n' => (line + 1, 1),
                    _ => (line, column + 1),
                };
            }
            assert_eq!(
                shown.line_and_column(long.len()),
                Some((line, column)),
                "{length}"
            );
        }
    }

    #[test]
    fn escaped_pointers_and_keys_meet() {
        assert_eq!(found(r#"{"a/b~":{"q\"":1}}"#, "/a~1b~0/q\"").0, "1");
    }

    #[test]
    fn what_leads_nowhere_finds_what_is_around_it() {
        assert_eq!(found("{\"a\":[1,2]}", "/a/7").0, "[\n    1,\n    2\n  ]");
    }

    #[test]
    fn indenting_loses_no_duplicate_and_no_character_of_a_string() {
        assert_eq!(
            indent(r#"{"a":" {\",[:","a":[],"b":{ }}"#),
            "{\n  \"a\": \" {\\\",[:\",\n  \"a\": [],\n  \"b\": {}\n}"
        );
    }

    #[test]
    fn broken_text_is_no_reason_to_stop() {
        for text in [
            "",
            "{",
            "[1,",
            "{\"a\"",
            "\"\\",
            "}{",
            ":::",
            "{\"a\":,}",
            "[\u{feff}",
        ] {
            let document = answer(text);
            let _ = locate(&Place::new(&document, "/a/0"));
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let text = "[".repeat(200_000);
        let _ = found(&format!("{}{}", text, "]".repeat(200_000)), "/0/0/0");
    }
}
