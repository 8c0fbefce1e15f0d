//! A value of a plan with its shadows: what is unknown before the deploy, and what must not be shown.

use serde_json::Value;

use crate::inventory::{Fact, Why};

static NULL: Value = Value::Null;
static TRUE: Value = Value::Bool(true);

/// A value, and the same place in `after_unknown` and `after_sensitive`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'v> {
    value: &'v Value,
    unknown: &'v Value,
    sensitive: &'v Value,
    missing_is_unknown: bool,
}

impl<'v> Node<'v> {
    pub fn new(value: &'v Value, unknown: &'v Value, sensitive: &'v Value) -> Self {
        Self {
            value,
            unknown,
            sensitive,
            missing_is_unknown: false,
        }
    }

    /// `planned_values` leave out what is unknown, and don't say so.
    pub fn where_missing_is_unknown(self) -> Self {
        Self {
            missing_is_unknown: true,
            ..self
        }
    }

    pub fn get(self, key: &str) -> Self {
        let value = self.value.get(key);
        Self {
            value: value.unwrap_or(&NULL),
            unknown: match value {
                None if self.missing_is_unknown => &TRUE,
                _ => inherited(self.unknown, |tree| tree.get(key)),
            },
            sensitive: inherited(self.sensitive, |tree| tree.get(key)),
            ..self
        }
    }

    fn at(self, index: usize) -> Self {
        Self {
            value: self.value.get(index).unwrap_or(&NULL),
            unknown: inherited(self.unknown, |tree| tree.get(index)),
            sensitive: inherited(self.sensitive, |tree| tree.get(index)),
            ..self
        }
    }

    pub fn has(self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    /// Not known, and so missing or null in the value.
    pub fn is_unknown(self) -> bool {
        *self.unknown == TRUE
    }

    pub fn is_sensitive(self) -> bool {
        *self.sensitive == TRUE
    }

    /// What it has besides its value, told only after the deploy.
    pub fn unknown_members(self) -> impl Iterator<Item = &'v String> {
        let members = self.unknown.as_object().into_iter().flatten();
        let is_open = |(_, unknown): &(&String, &Value)| **unknown != Value::Bool(false);
        let value = self.value;
        members
            .filter(is_open)
            .map(|(key, _)| key)
            .filter(move |key| value.get(key.as_str()).is_none())
    }

    pub fn raw(self) -> &'v Value {
        self.value
    }

    fn why(self) -> Option<Why> {
        match (self.is_unknown(), self.is_sensitive()) {
            (true, _) => Some(Why::AfterApply),
            (false, true) => Some(Why::Sensitive),
            (false, false) => None,
        }
    }

    /// A text; numbers and booleans are texts to Terraform too. An empty one is a text.
    pub fn text(self) -> Fact<String> {
        match (self.why(), self.value) {
            (Some(why), _) => Fact::Unknown(why),
            (None, Value::String(text)) => Fact::Known(text.clone()),
            (None, Value::Number(number)) => Fact::Known(number.to_string()),
            (None, Value::Bool(flag)) => Fact::Known(flag.to_string()),
            (None, Value::Null | Value::Array(_) | Value::Object(_)) => Fact::Absent,
        }
    }

    /// A text where an empty one means that there is none.
    pub fn name(self) -> Fact<String> {
        match self.text() {
            Fact::Known(text) if text.is_empty() => Fact::Absent,
            other => other,
        }
    }

    pub fn flag(self) -> Fact<bool> {
        match self.text() {
            Fact::Known(text) => match text.as_str() {
                "true" => Fact::Known(true),
                "false" => Fact::Known(false),
                _ => Fact::Absent,
            },
            Fact::Absent => Fact::Absent,
            Fact::Unknown(why) => Fact::Unknown(why),
        }
    }

    pub fn number(self) -> Fact<u64> {
        match self.text() {
            Fact::Known(text) => text.parse().map_or(Fact::Absent, Fact::Known),
            Fact::Absent => Fact::Absent,
            Fact::Unknown(why) => Fact::Unknown(why),
        }
    }

    /// The elements of a list or set.
    pub fn list(self) -> Fact<Vec<Self>> {
        match (self.why(), self.value) {
            (Some(why), _) => Fact::Unknown(why),
            (None, Value::Array(items)) => {
                Fact::Known((0..items.len()).map(|index| self.at(index)).collect())
            }
            (None, _) => Fact::Absent,
        }
    }

    /// A nested block of which there is at most one. Older providers write an empty one as `[null]`.
    pub fn block(self) -> Fact<Self> {
        match (self.why(), self.value) {
            (Some(why), _) => Fact::Unknown(why),
            (None, Value::Array(items)) => match items.first() {
                None => Fact::Absent,
                Some(_) => Fact::Known(self.at(0)),
            },
            // A single nested attribute, as newer providers have them.
            (None, Value::Object(_)) => Fact::Known(self),
            (None, _) => Fact::Absent,
        }
    }
}

/// `true` holds for everything inside.
fn inherited<'v>(tree: &'v Value, inside: impl FnOnce(&'v Value) -> Option<&'v Value>) -> &'v Value {
    match tree {
        Value::Bool(true) => &TRUE,
        tree => inside(tree).unwrap_or(&NULL),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_unset_only_where_it_is_known() {
        let (value, unknown) = (
            json!({"a": null, "l": [null, "x"], "b": [{}]}),
            json!({"k": true, "l": [true, false], "b": [{"inner": true}], "whole": true}),
        );
        let node = Node::new(&value, &unknown, &NULL);
        assert_eq!(node.get("a").text(), Fact::Absent);
        assert_eq!(node.get("k").text(), Fact::Unknown(Why::AfterApply));
        let list = node.get("l").list();
        let list = list.known().expect("a list");
        assert_eq!(list[0].text(), Fact::Unknown(Why::AfterApply));
        assert_eq!(list[1].text(), Fact::Known("x".to_owned()));
        let block = node.get("b").block();
        let inner = block.known().expect("a block").get("inner");
        assert!(inner.is_unknown());
        assert!(node.get("whole").get("deep").block().why().is_some());
    }

    #[test]
    fn what_is_sensitive_is_never_read_out() {
        let (value, sensitive) = (json!({"a": "secret", "b": ["c"]}), json!({"a": true, "b": true}));
        let node = Node::new(&value, &NULL, &sensitive);
        assert_eq!(node.get("a").text(), Fact::Unknown(Why::Sensitive));
        assert!(matches!(node.get("b").list(), Fact::Unknown(Why::Sensitive)));
    }
}
