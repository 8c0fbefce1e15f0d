//! What a file marks as sensitive. It is compared where it must be, and never told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rows::{Loaded, Row, Side};
use super::{TerraformError, Text};

/// Shorter texts are sensitive only where they are marked: `eu` and `a/` stand everywhere.
const SHORTEST: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Secrets {
    texts: BTreeSet<String>,
    /// The buckets whose name is sensitive, by that name: their address.
    buckets: BTreeMap<String, String>,
}

impl Secrets {
    /// Every text in a value that is sensitive as a whole.
    pub fn add(&mut self, value: &Value) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) if text.len() >= SHORTEST => {
                    self.texts.insert(text.clone());
                }
                Value::Array(items) => open.extend(items),
                Value::Object(members) => open.extend(members.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }

    /// Whatever is marked in the values of a resource.
    pub fn add_row(&mut self, text: &Text<'_>, row: &Row<'_>) -> Result<(), TerraformError> {
        for side in row.sides().filter(|side| side.may_be_sensitive()) {
            let loaded = side.load(text)?;
            for (value, mark) in pairs(&loaded) {
                if *mark == Value::Bool(true) {
                    self.add(value);
                }
            }
            if row.is_managed("aws_s3_bucket")
                && loaded.node().get("bucket").is_sensitive()
                && let Some(name) = loaded.node().get("bucket").raw().as_str()
            {
                self.buckets.insert(name.to_owned(), row.text.to_string());
            }
        }
        Ok(())
    }

    pub fn holds(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// The address of the bucket that has this sensitive name.
    pub fn bucket(&self, name: &str) -> Option<&str> {
        self.buckets.get(name).map(String::as_str)
    }

    /// A text in which the buckets whose name is sensitive go by something else. Their other attributes are made of the
    /// name, and aren't marked.
    pub fn renamed(&self, text: &str, other: impl Fn(&str) -> String) -> Option<String> {
        let mut renamed = None;
        for (name, address) in &self.buckets {
            let text = renamed.as_deref().unwrap_or(text);
            if let Some(text) = replaced(text, name, &other(address)) {
                renamed = Some(text);
            }
        }
        renamed
    }

    /// The address of the bucket that is named where the name is sensitive.
    pub fn bucket_of(&self, text: &Text<'_>, side: &Side<'_>) -> Option<String> {
        let loaded = side.load(text).ok()?;
        let name = loaded.node().get("bucket").raw().as_str()?.to_owned();
        self.bucket(&name).map(str::to_owned)
    }
}

/// A text with another in place of a name, wherever it isn't a part of a longer one.
fn replaced(text: &str, name: &str, other: &str) -> Option<String> {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(name) {
        let end = at + name.len();
        if text[..at].ends_with(goes_on) || text[end..].starts_with(goes_on) {
            continue;
        }
        out.push_str(&text[done..at]);
        out.push_str(other);
        done = end;
    }
    (done > 0).then(|| out + &text[done..])
}

/// Each part of the values with its mark, down to where something is marked.
fn pairs(loaded: &Loaded) -> Vec<(&Value, &Value)> {
    let mut found = Vec::new();
    let mut open = vec![(loaded.value(), &loaded.sensitive)];
    while let Some((value, mark)) = open.pop() {
        match (value, mark) {
            (Value::Object(members), Value::Object(marks)) => {
                open.extend(
                    marks
                        .iter()
                        .filter_map(|(key, mark)| Some((members.get(key)?, mark))),
                );
            }
            (Value::Array(items), Value::Array(marks)) => open.extend(items.iter().zip(marks)),
            _ => found.push((value, mark)),
        }
    }
    found
}

/// The arguments of which it is told that the deploy brings them; the rest of what is unknown is only computed.
const TOLD: [&str; 6] = [
    "bucket",
    "target_bucket",
    "target_prefix",
    "policy",
    "kms_master_key_id",
    "payer",
];

/// The values as they are shown: without what is sensitive, and without what is not set.
pub(super) fn shown(loaded: &Loaded, secrets: &Secrets) -> Value {
    let mut shown = loaded.value().clone();
    let mut open = vec![(&mut shown, &loaded.unknown, &loaded.sensitive)];
    const NOTHING: &Value = &Value::Null;
    while let Some((value, unknown, mark)) = open.pop() {
        match value {
            value if *mark == Value::Bool(true) => *value = Value::from("(sensitive)"),
            Value::Object(members) => {
                if let Value::Object(unknown) = unknown {
                    for name in TOLD {
                        if unknown.get(name) == Some(&Value::Bool(true)) {
                            members.insert(name.to_owned(), Value::from("(known after the deploy)"));
                        }
                    }
                }
                members.retain(|_, value| !is_unset(value));
                open.extend(members.iter_mut().map(|(key, value)| {
                    let unknown = unknown.get(key).unwrap_or(NOTHING);
                    (value, unknown, mark.get(key).unwrap_or(NOTHING))
                }));
            }
            Value::Array(items) => open.extend(items.iter_mut().enumerate().map(|(index, value)| {
                let unknown = unknown.get(index).unwrap_or(NOTHING);
                (value, unknown, mark.get(index).unwrap_or(NOTHING))
            })),
            Value::String(text) => {
                if let Some(renamed) = secrets.renamed(text, |_| "(sensitive)".to_owned()) {
                    *text = renamed;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    shown
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
