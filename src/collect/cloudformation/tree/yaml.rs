//! YAML → tree, from granit's events. Scalars are typed here, and carefully: a date or an account id stays text, unless
//! CloudFormation, which reads YAML 1.1, takes it for something else: `012345670123` without quotes is an octal number
//! (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/745>), and `no` is false
//! (<https://github.com/aws/aws-cli/pull/5257>).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use granit_parser::{Event, Parser, Placement, ScalarStyle, Span, Tag};

use super::{Comment, DEEPEST, MOST_COPIED_NODES, Malformed, Member, Node, Tree, Value, keep_last};

pub(super) fn read(text: &str) -> Result<Tree, Malformed> {
    let mut builder = Builder {
        text,
        open: Vec::new(),
        root: None,
        anchors: BTreeMap::new(),
        copied: 0,
        comments: Vec::new(),
        documents: 0,
        repeated: Vec::new(),
        octal: Vec::new(),
    };
    let options = granit_parser::options! {
        max_buffered_comment_events: 10_000,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(text.len());
            Malformed::at(text, at, error.info())
        })?;
        builder.take(event, &span)?;
    }
    let root = builder.root.unwrap_or(Node {
        value: Value::Null,
        span: 0..0,
    });
    Ok(Tree {
        root,
        comments: builder.comments,
        repeated: builder.repeated,
        octal: builder.octal,
    })
}

struct Builder<'a> {
    text: &'a str,
    /// The collections that are open, outermost first.
    open: Vec<Open>,
    root: Option<Node>,
    /// Anchored nodes, with their size and depth.
    anchors: BTreeMap<usize, (Node, usize, usize)>,
    copied: usize,
    comments: Vec<Comment>,
    documents: usize,
    repeated: Vec<(String, Range<usize>)>,
    octal: Vec<(String, Range<usize>)>,
}

struct Open {
    start: usize,
    anchor: usize,
    tag: Option<(String, Range<usize>)>,
    items: Vec<Node>,
    /// A mapping: its nodes come in pairs.
    is_map: bool,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, span: &Span) -> Result<(), Malformed> {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.wrong(range.start, "a second document starts here"));
                }
            }
            Event::Scalar(value, style, anchor, tag) => {
                let tag = tag.as_deref();
                let value = scalar(&value, style, tag);
                if let Value::Number(number) = &value
                    && self
                        .text
                        .get(range.clone())
                        .is_some_and(|written| octal(written).is_some())
                {
                    self.octal.push((number.clone(), range.clone()));
                }
                let node = Node { value, span: range };
                let node = long_form(node, function(tag).zip(tag_range(span)));
                self.anchor(anchor, &node);
                self.push(node)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.enter(range.start, anchor, tag.as_deref(), span, false)?
            }
            Event::MappingStart(_, anchor, tag) => {
                self.enter(range.start, anchor, tag.as_deref(), span, true)?
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(range.end)?,
            Event::Alias(id) => {
                let Some((node, size, depth)) = self.anchors.get(&id) else {
                    return Err(self.wrong(range.start, "this alias stands inside what it repeats"));
                };
                if self.open.len() + depth > DEEPEST {
                    return Err(self.wrong(range.start, too_deep()));
                }
                self.copied += size;
                if self.copied > MOST_COPIED_NODES {
                    return Err(self.wrong(
                        range.start,
                        format!("the aliases up to this one repeat more than {MOST_COPIED_NODES} values"),
                    ));
                }
                let node = node.clone();
                self.push(node)?;
            }
            Event::Comment(text, placement) => self.comments.push(Comment {
                text: text.into_owned(),
                span: range,
                trailing: matches!(placement, Placement::Right),
            }),
            // `Event` may grow; what carries no value is passed over.
            _ => {}
        }
        Ok(())
    }

    fn wrong(&self, at: usize, reason: impl Into<String>) -> Malformed {
        Malformed::at(self.text, at, reason)
    }

    fn enter(
        &mut self,
        start: usize,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Span,
        is_map: bool,
    ) -> Result<(), Malformed> {
        if self.open.len() >= DEEPEST {
            return Err(self.wrong(start, too_deep()));
        }
        self.open.push(Open {
            start,
            anchor,
            tag: function(tag).zip(tag_range(span)),
            items: Vec::new(),
            is_map,
        });
        Ok(())
    }

    fn leave(&mut self, end: usize) -> Result<(), Malformed> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        // A block ends where the next token starts: what lies between is not its own.
        let inside = self.text.get(open.start..end).unwrap_or_default();
        let last = open.items.last().map_or(open.start, |item| item.span.end);
        let end = match inside.trim_end() {
            inside if inside.ends_with([']', '}']) => open.start + inside.len(),
            _ => last.clamp(open.start, end.max(open.start)),
        };
        let value = match open.is_map {
            false => Value::List(open.items),
            true => Value::Map(self.members(open.items)?),
        };
        let node = Node {
            value,
            span: open.start..end,
        };
        let node = long_form(node, open.tag);
        self.anchor(open.anchor, &node);
        self.push(node)
    }

    fn members(&mut self, items: Vec<Node>) -> Result<Vec<Member>, Malformed> {
        let mut members = Vec::with_capacity(items.len() / 2);
        let mut merged = Vec::new();
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            let Some(name) = key.name().map(str::to_owned).or_else(|| null_key(&key)) else {
                return Err(self.wrong(key.span.start, "a key is text, not a list or a mapping"));
            };
            if name == "<<" {
                merged.extend(match value.value {
                    Value::Map(inner) => inner,
                    Value::List(all) => all
                        .into_iter()
                        .rev()
                        .flat_map(|one| match one.value {
                            Value::Map(inner) => inner,
                            _ => Vec::new(),
                        })
                        .collect(),
                    Value::Null | Value::Bool(_) | Value::Word { .. } | Value::Number(_) | Value::Text(_) => {
                        return Err(self.wrong(key.span.start, "only a mapping can be merged with `<<`"));
                    }
                });
                continue;
            }
            members.push(Member {
                key: name,
                key_span: key.span,
                value,
            });
        }
        let members = keep_last(members, &mut self.repeated);
        if merged.is_empty() {
            return Ok(members);
        }
        // A key that is written wins over one that is merged; of those merged, the first mapping's, which is last here.
        let mut seen: BTreeSet<&str> = members.iter().map(|own| own.key.as_str()).collect();
        let mut all: Vec<Member> = Vec::with_capacity(merged.len() + members.len());
        for member in merged.iter().rev() {
            if seen.insert(&member.key) {
                all.push(member.clone());
            }
        }
        all.reverse();
        all.extend(members);
        Ok(all)
    }

    fn anchor(&mut self, anchor: usize, node: &Node) {
        if anchor != 0 {
            let (size, depth) = measure(node);
            self.anchors.insert(anchor, (node.clone(), size, depth));
        }
    }

    fn push(&mut self, node: Node) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}

fn too_deep() -> String {
    format!("this is nested more than {DEEPEST} levels deep")
}

fn null_key(key: &Node) -> Option<String> {
    matches!(key.value, Value::Null).then(|| "null".to_owned())
}

/// How many nodes, and how deep. Bounded by `DEEPEST`, which holds for every node that was built.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.value {
        Value::List(items) => items.iter().collect(),
        Value::Map(members) => members.iter().map(|member| &member.value).collect(),
        Value::Null | Value::Bool(_) | Value::Word { .. } | Value::Number(_) | Value::Text(_) => Vec::new(),
    };
    children
        .into_iter()
        .map(measure)
        .fold((1, 1), |(size, depth), (inner, below)| {
            (size + inner, depth.max(below + 1))
        })
}

fn tag_range(span: &Span) -> Option<Range<usize>> {
    span.tag_span()?.byte_range()
}

/// The intrinsic function that a short tag stands for.
fn function(tag: Option<&Tag>) -> Option<String> {
    let tag = tag?;
    let name = match (tag.handle(), tag.suffix()) {
        ("!", name) => name,
        (_, _) => return None,
    };
    Some(match name {
        "" => return None,
        "Ref" | "Condition" => name.to_owned(),
        name => format!("Fn::{name}"),
    })
}

/// `!Ref x` → `{"Ref": "x"}`; `!GetAtt a.b` → `{"Fn::GetAtt": ["a", "b"]}`.
fn long_form(node: Node, tag: Option<(String, Range<usize>)>) -> Node {
    let Some((key, key_span)) = tag else {
        return node;
    };
    let whole = key_span.start.min(node.span.start)..node.span.end.max(key_span.end);
    let argument = match node.value {
        Value::Text(text) if key == "Fn::GetAtt" => {
            let (resource, attribute) = text.split_once('.').unwrap_or((&text, ""));
            let part = |text: &str| Node {
                value: Value::Text(text.to_owned()),
                span: node.span.clone(),
            };
            Node {
                value: Value::List(vec![part(resource), part(attribute)]),
                span: node.span,
            }
        }
        value => Node {
            value,
            span: node.span,
        },
    };
    Node {
        value: Value::Map(vec![Member {
            key,
            key_span,
            value: argument,
        }]),
        span: whole,
    }
}

/// Types a scalar as JSON would have it. A plain one is a number only if it reads back the same.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let plain = matches!(style, ScalarStyle::Plain);
    // A short tag's argument is a name or a text, never a quantity.
    if !plain || tag.is_some() {
        return Value::Text(text.to_owned());
    }
    let word = |truth| Value::Word {
        truth,
        written: text.to_owned(),
    };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => word(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => word(false),
        text if is_number(text) => Value::Number(text.to_owned()),
        text => match octal(text) {
            Some(number) => Value::Number(number.to_string()),
            None => Value::Text(text.to_owned()),
        },
    }
}

/// The number that YAML 1.1 takes this for. With an 8 or a 9 in it, it is none, and keeps its zero.
fn octal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('0').filter(|digits| !digits.is_empty())?;
    match digits.bytes().all(|digit| matches!(digit, b'0'..=b'7')) {
        true => u64::from_str_radix(digits, 8).ok(),
        false => None,
    }
}

/// JSON's grammar of numbers. `012345678901` is none, and keeps its zero.
fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && serde_json::from_str::<serde_json::Number>(text).is_ok()
}
