//! JSON → tree. The syntax is serde_json's; a raw value borrows from the text, so its address is its offset.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{DEEPEST, Malformed, Member, Node, Value, keep_last};

/// The tree, and the keys that stand twice.
pub(super) fn read(text: &str) -> Result<(Node, Vec<Repeated>), Malformed> {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let body = &text[start..];
    let raw: &RawValue = serde_json::from_str(body).map_err(|error| located(text, body, &error))?;
    let mut repeated = Vec::new();
    let root = node(text, raw, 0, &mut repeated)?;
    Ok((root, repeated))
}

type Repeated = (String, Range<usize>);

fn located(text: &str, part: &str, error: &serde_json::Error) -> Malformed {
    let part_start = offset(text, part);
    let line_start: usize = part
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // serde_json counts the bytes of a line from 1, and appends the place to its sentence.
    let at = part_start + line_start + error.column().saturating_sub(1);
    let whole = error.to_string();
    let reason = whole
        .rsplit_once(" at line ")
        .map_or(whole.as_str(), |(reason, _)| reason);
    Malformed::at(text, at, reason)
}

fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize)
        .saturating_sub(text.as_ptr() as usize)
        .min(text.len())
}

fn span(text: &str, part: &str) -> Range<usize> {
    let start = offset(text, part);
    start..(start + part.len()).min(text.len())
}

fn node(text: &str, raw: &RawValue, depth: usize, repeated: &mut Vec<Repeated>) -> Result<Node, Malformed> {
    let part = raw.get();
    let span = span(text, part);
    if depth > DEEPEST {
        return Err(Malformed::at(
            text,
            span.start,
            format!("this is nested more than {DEEPEST} levels deep"),
        ));
    }
    let wrong = |error: serde_json::Error| located(text, part, &error);
    let value = match part.as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(part).map_err(wrong)?;
            let mut all = Vec::with_capacity(members.0.len());
            for (key, value) in members.0 {
                all.push(Member {
                    key: serde_json::from_str(key.get()).map_err(|error| located(text, key.get(), &error))?,
                    key_span: self::span(text, key.get()),
                    value: node(text, value, depth + 1, repeated)?,
                });
            }
            Value::Map(keep_last(all, repeated))
        }
        Some(b'[') => {
            let items: Items<'_> = serde_json::from_str(part).map_err(wrong)?;
            let items = items
                .0
                .into_iter()
                .map(|item| node(text, item, depth + 1, repeated));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(part).map_err(wrong)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        Some(_) => Value::Number(part.to_owned()),
    };
    Ok(Node { value, span })
}

/// One level of an object, in order, duplicates kept.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry::<&RawValue, &RawValue>()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(Level)
    }
}

/// One level of an array.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level;
        impl<'de> Visitor<'de> for Level {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = seq.next_element::<&RawValue>()? {
                    all.push(item);
                }
                Ok(Items(all))
            }
        }
        deserializer.deserialize_seq(Level)
    }
}
