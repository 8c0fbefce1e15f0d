//! JSON with positions, duplicate keys kept, numbers as they are written.
//!
//! `serde_json::Value` loses all three. The reader is linear and keeps its own stack, so depth costs none of the
//! program's.

use std::ops::Range;

/// A JSON text, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json {
    /// Children stand before their parents; the last one is the root.
    nodes: Vec<Node>,
}

/// The number of a value in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(usize);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub value: Value,
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<NodeId>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: NodeId,
}

/// Where and why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    pub at: usize,
    pub reason: &'static str,
}

impl Value {
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

impl Json {
    pub fn read(text: &str) -> Result<Self, JsonError> {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
            nodes: Vec::new(),
        }
        .read()
    }

    pub fn root(&self) -> NodeId {
        NodeId(self.nodes.len().saturating_sub(1))
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    pub fn value(&self, id: NodeId) -> &Value {
        &self.node(id).value
    }

    pub fn span(&self, id: NodeId) -> Range<usize> {
        self.node(id).span.clone()
    }

    /// The bytes of what a pointer leads to (RFC 6901); of a key that stands twice, the last.
    pub fn find(&self, pointer: &str) -> Option<Range<usize>> {
        let mut at = self.root();
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            at = match self.value(at) {
                Value::Object(members) => members.iter().rev().find(|m| m.key == segment)?.value,
                Value::List(items) => *items.get(segment.parse::<usize>().ok()?)?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => return None,
            };
        }
        Some(self.span(at))
    }

    /// The same values in another layout: indented by two, or in one line without a space.
    pub fn print(&self, indented: bool) -> String {
        enum Step<'j> {
            Value(NodeId),
            Text(&'static str),
            Key(&'j str),
            Line(usize),
        }
        let mut out = String::new();
        let mut steps = vec![(Step::Value(self.root()), 0usize)];
        while let Some((step, depth)) = steps.pop() {
            match step {
                Step::Text(text) => out.push_str(text),
                Step::Key(key) => {
                    quote(key, &mut out);
                    out.push_str(if indented { ": " } else { ":" });
                }
                Step::Line(depth) if indented => {
                    out.push('\n');
                    out.extend(std::iter::repeat_n("  ", depth.min(40)));
                }
                Step::Line(_) => {}
                Step::Value(id) => match self.value(id) {
                    Value::Null => out.push_str("null"),
                    Value::Bool(true) => out.push_str("true"),
                    Value::Bool(false) => out.push_str("false"),
                    Value::Number(number) => out.push_str(number),
                    Value::Text(text) => quote(text, &mut out),
                    Value::List(items) => {
                        out.push('[');
                        steps.push((Step::Text("]"), depth));
                        if !items.is_empty() {
                            steps.push((Step::Line(depth), depth));
                        }
                        for (number, item) in items.iter().enumerate().rev() {
                            steps.push((Step::Value(*item), depth + 1));
                            steps.push((Step::Line(depth + 1), depth));
                            if number > 0 {
                                steps.push((Step::Text(","), depth));
                            }
                        }
                    }
                    Value::Object(members) => {
                        out.push('{');
                        steps.push((Step::Text("}"), depth));
                        if !members.is_empty() {
                            steps.push((Step::Line(depth), depth));
                        }
                        for (number, member) in members.iter().enumerate().rev() {
                            steps.push((Step::Value(member.value), depth + 1));
                            steps.push((Step::Key(&member.key), depth));
                            steps.push((Step::Line(depth + 1), depth));
                            if number > 0 {
                                steps.push((Step::Text(","), depth));
                            }
                        }
                    }
                },
            }
        }
        out
    }
}

/// A JSON string.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    nodes: Vec<Node>,
}

/// A list or an object that is not closed yet.
enum Open {
    List {
        start: usize,
        items: Vec<NodeId>,
    },
    Object {
        start: usize,
        members: Vec<Member>,
        key: Option<(String, Range<usize>)>,
    },
}

impl Reader<'_> {
    fn read(mut self) -> Result<Json, JsonError> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.skip_space();
            let mut done = match self.bytes.get(self.at) {
                Some(b'{') => {
                    let start = self.at;
                    self.at += 1;
                    self.skip_space();
                    if self.take(b'}') {
                        Some(self.node(Value::Object(Vec::new()), start))
                    } else {
                        let key = Some(self.key()?);
                        open.push(Open::Object {
                            start,
                            members: Vec::new(),
                            key,
                        });
                        None
                    }
                }
                Some(b'[') => {
                    let start = self.at;
                    self.at += 1;
                    self.skip_space();
                    if self.take(b']') {
                        Some(self.node(Value::List(Vec::new()), start))
                    } else {
                        open.push(Open::List {
                            start,
                            items: Vec::new(),
                        });
                        None
                    }
                }
                _ => Some(self.scalar()?),
            };
            // What is complete closes what it stands in, as far out as that is complete too.
            while let Some(value) = done.take() {
                let Some(around) = open.last_mut() else {
                    self.skip_space();
                    return match self.bytes.get(self.at) {
                        None => Ok(Json { nodes: self.nodes }),
                        Some(_) => Err(self.error("something stands after the end of the document")),
                    };
                };
                self.skip_space();
                let next = self.bytes.get(self.at).copied();
                match around {
                    Open::List { items, .. } => items.push(value),
                    Open::Object { members, key, .. } => {
                        if let Some((key, key_span)) = key.take() {
                            members.push(Member { key, key_span, value });
                        }
                    }
                }
                let closing = match around {
                    Open::List { .. } => b']',
                    Open::Object { .. } => b'}',
                };
                match next {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        if self.bytes.get(self.at) == Some(&closing) {
                            return Err(self.error("a comma stands before the end of a list or object"));
                        }
                        if closing == b'}' {
                            let found = self.key()?;
                            if let Some(Open::Object { key, .. }) = open.last_mut() {
                                *key = Some(found);
                            }
                        }
                    }
                    Some(byte) if byte == closing => {
                        self.at += 1;
                        done = match open.pop() {
                            Some(Open::List { start, items }) => Some(self.node(Value::List(items), start)),
                            Some(Open::Object { start, members, .. }) => {
                                Some(self.node(Value::Object(members), start))
                            }
                            None => None,
                        };
                    }
                    Some(_) => return Err(self.error("a comma or a closing bracket is missing")),
                    None => return Err(self.error("the text ends before its brackets are closed")),
                }
            }
        }
    }

    fn error(&self, reason: &'static str) -> JsonError {
        JsonError { at: self.at, reason }
    }

    fn node(&mut self, value: Value, start: usize) -> NodeId {
        self.nodes.push(Node {
            value,
            span: start..self.at,
        });
        NodeId(self.nodes.len() - 1)
    }

    fn skip_space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    fn key(&mut self) -> Result<(String, Range<usize>), JsonError> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.error("a key in double quotes is missing"));
        }
        let start = self.at;
        let key = self.string()?;
        let span = start..self.at;
        self.skip_space();
        if !self.take(b':') {
            return Err(self.error("a colon is missing after a key"));
        }
        Ok((key, span))
    }

    fn scalar(&mut self) -> Result<NodeId, JsonError> {
        let start = self.at;
        let value = match self.bytes.get(self.at) {
            None => return Err(self.error("the text ends where a value should stand")),
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b'/' | b'#') => return Err(self.error("JSON has no comments")),
            Some(b'\'') => return Err(self.error("a string stands in double quotes")),
            Some(_) => {
                let words = [
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("null", Value::Null),
                ];
                let rest = &self.bytes[self.at..];
                let word = words
                    .into_iter()
                    .find(|(word, _)| rest.starts_with(word.as_bytes()));
                let Some((word, value)) = word else {
                    return Err(self.error("no value starts like this"));
                };
                self.at += word.len();
                value
            }
        };
        Ok(self.node(value, start))
    }

    fn number(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.take(b'-');
        let digits = |reader: &mut Self| {
            let before = reader.at;
            while matches!(reader.bytes.get(reader.at), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
            reader.at > before
        };
        if self.take(b'0') {
            if matches!(self.bytes.get(self.at), Some(b'0'..=b'9')) {
                return Err(self.error("a number has no leading zero"));
            }
        } else if !digits(self) {
            return Err(self.error("a digit is missing"));
        }
        if self.take(b'.') && !digits(self) {
            return Err(self.error("a digit is missing"));
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            if !digits(self) {
                return Err(self.error("a digit is missing"));
            }
        }
        Ok(self.text[start..self.at].to_owned())
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while self
                .bytes
                .get(self.at)
                .is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))
            {
                self.at += 1;
            }
            out.push_str(&self.text[start..self.at]);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    let escaped = self.escaped()?;
                    out.push(escaped);
                }
                Some(_) => return Err(self.error("a control character stands in a string")),
                None => return Err(self.error("a string is not closed")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let plain = match self.bytes.get(self.at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            Some(_) | None => return Err(self.error("no such escape in a string")),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff if self.bytes[self.at..].starts_with(b"\\u") => {
                self.at += 1;
                match self.four_digits()? {
                    second @ 0xdc00..=0xdfff => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => return Err(self.error("half a character stands in a string")),
                }
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.error("half a character stands in a string"))
    }

    /// The four digits after `u`, on which the reader stands.
    fn four_digits(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let digits = self.bytes.get(self.at..self.at + 4);
        let code = digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let Some(code) = code else {
            return Err(self.error("four hexadecimal digits are missing"));
        };
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_printed() {
        for text in [
            "null",
            "true",
            "-0.5e+3",
            "\"a\\\"\\\\\\u0001é\"",
            "[]",
            "{}",
            "[[],{},[1,\"x\"]]",
            "{\"a\":1,\"a\":[{\"b\":null}]}",
        ] {
            let json = Json::read(text).expect("it is JSON");
            assert_eq!(json.print(false), text);
            let again = Json::read(&json.print(true)).expect("it is JSON");
            assert_eq!(again.print(false), text);
        }
    }

    #[test]
    fn serde_json_agrees_on_what_is_json() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "01",
            "1.",
            ".5",
            "1e",
            "-",
            "+1",
            "tru",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\ud83d\\ude00\"",
            "\"\n\"",
            "1 2",
            "[1 2]",
            "{\"a\" 1}",
            "{\"a\":}",
            "[,1]",
            "\"",
            "\"\\",
            "// x\n{}",
            "{} // x",
            "\u{feff}{}",
            "nulll",
            "[1}",
            "{\"a\":1]",
            "{\"a\":1 \"b\":2}",
            "\u{a0}1",
            "1e400",
            "{\"a\":1,,}",
            "[\"\u{7f}\"]",
        ] {
            let ours = Json::read(text).is_ok();
            let theirs: Result<&serde_json::value::RawValue, _> = serde_json::from_str(text);
            // RawValue doesn't look at the pairs of a surrogate, and neither at what a number comes to.
            let theirs = theirs.is_ok() && !text.contains("\\ud800\"") && !text.contains("\\ud800\\u0041");
            assert_eq!(ours, theirs, "{text:?}");
        }
    }

    #[test]
    fn a_pointer_finds_its_bytes() {
        let text = "{\"a/b\": [1, {\"c\": \"é\"}], \"d\": 1, \"d\": 2}";
        let json = Json::read(text).expect("it is JSON");
        let found = |pointer: &str| json.find(pointer).map(|span| &text[span]);
        assert_eq!(found("/a~1b/1/c"), Some("\"é\""));
        assert_eq!(found("/d"), Some("2"));
        assert_eq!(found(""), Some(text));
        assert_eq!(found("/a~1b/7"), None);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        let json = Json::read(&deep).expect("it is JSON");
        assert_eq!(json.print(false), deep);
        assert!(Json::read(&"{\"a\":".repeat(500_000)).is_err());
    }
}
