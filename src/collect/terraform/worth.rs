//! What an expression can come to.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::address::Scope;
use crate::policy::open::{self, Open};

/// Values in values, and expressions in expressions, no deeper than this.
pub(super) const DEEPEST: usize = 40;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Worth {
    Unknown,
    Null,
    Bool(bool),
    Number(i64),
    /// With its open parts.
    Text(String),
    /// What `jsonencode` made, with its open parts.
    Json(Value),
    List(Vec<Worth>),
    Map(BTreeMap<String, Worth>),
    /// A resource, by the number of its row.
    Resource(usize),
    /// An instance of a module.
    Module(Scope),
    /// The text of a policy document that is read during the deploy, by the number of its row.
    Document(usize),
}

/// A text of which nothing is known.
pub(super) fn unknown_text() -> String {
    Open::Missing("known after the deploy".to_owned()).written()
}

/// A text that is known as a whole.
pub(super) fn plain(value: &Worth) -> Option<String> {
    value.text().filter(|text| !open::is_in(text))
}

impl Worth {
    /// How many parts it has, a text by its length; none where they are nested too deeply. The recursion is bounded by
    /// that.
    pub fn weight(&self, depth: usize) -> Option<usize> {
        if depth > DEEPEST {
            return None;
        }
        let inside = |mut parts: Box<dyn Iterator<Item = &Worth> + '_>| {
            parts.try_fold(1_usize, |sum, part| sum.checked_add(part.weight(depth + 1)?))
        };
        match self {
            Worth::List(items) => inside(Box::new(items.iter())),
            Worth::Map(members) => inside(Box::new(members.values())),
            Worth::Text(text) => Some(1 + text.len() / 16),
            // It was made of what was weighed.
            Worth::Json(_) => Some(1),
            Worth::Unknown
            | Worth::Null
            | Worth::Bool(_)
            | Worth::Number(_)
            | Worth::Resource(_)
            | Worth::Module(_)
            | Worth::Document(_) => Some(1),
        }
    }

    /// As it stands in a text, with its open parts.
    pub fn text(&self) -> Option<String> {
        match self {
            Worth::Text(text) => Some(text.clone()),
            Worth::Number(number) => Some(number.to_string()),
            Worth::Bool(flag) => Some(flag.to_string()),
            Worth::Unknown
            | Worth::Null
            | Worth::Json(_)
            | Worth::List(_)
            | Worth::Map(_)
            | Worth::Resource(_)
            | Worth::Module(_)
            | Worth::Document(_) => None,
        }
    }

    /// As `jsonencode` writes it; what is unknown is an open text.
    pub fn json(&self) -> Option<Value> {
        Some(match self {
            Worth::Null => Value::Null,
            Worth::Bool(flag) => (*flag).into(),
            Worth::Number(number) => (*number).into(),
            Worth::Text(text) => text.as_str().into(),
            Worth::Unknown | Worth::Json(_) | Worth::Document(_) => unknown_text().into(),
            Worth::List(items) => items.iter().map(Worth::json).collect::<Option<Value>>()?,
            Worth::Map(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| Some((key.clone(), value.json()?)))
                    .collect::<Option<Map<_, _>>>()?,
            ),
            Worth::Resource(_) | Worth::Module(_) => return None,
        })
    }
}
