//! What Terraform makes of a value where a type is declared: an object loses what its type doesn't name, and a number
//! becomes a text. <https://developer.hashicorp.com/terraform/language/expressions/type-constraints>
//!
//! Only what stays as it is, or plainly becomes what is declared, is known; the rest is unknown.

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey};

use super::functions::function;
use super::worth::{DEEPEST, Worth};

/// What a resource says as texts.
const TEXTS: [&str; 3] = ["arn", "bucket", "id"];

/// A value as the type makes it. The recursion is bounded by [`DEEPEST`].
pub(super) fn converted(value: Worth, declared: &Expression, depth: usize) -> Worth {
    if depth > DEEPEST || value == Worth::Unknown {
        return Worth::Unknown;
    }
    match declared {
        Expression::Variable(name) => primitive(value, name.as_str()),
        // As it was written before Terraform 0.12.
        Expression::String(name) => primitive(value, name.value()),
        Expression::Parenthesis(inner) => converted(value, inner.inner(), depth + 1),
        // Nothing is no list and no object: it stays nothing.
        Expression::FuncCall(_) if value == Worth::Null => Worth::Null,
        Expression::FuncCall(call) => collection(value, call, depth),
        _ => Worth::Unknown,
    }
}

fn primitive(value: Worth, name: &str) -> Worth {
    match (name, value) {
        ("any", value) | (_, value @ Worth::Null) => value,
        ("string", value @ (Worth::Text(_) | Worth::Json(_) | Worth::Document(_)))
        | ("number", value @ Worth::Number(_))
        | ("bool", value @ Worth::Bool(_)) => value,
        ("string", value @ (Worth::Number(_) | Worth::Bool(_))) => {
            value.text().map_or(Worth::Unknown, Worth::Text)
        }
        _ => Worth::Unknown,
    }
}

fn collection(value: Worth, call: &FuncCall, depth: usize) -> Worth {
    let mut arguments = call.args.iter();
    let (Some(inside), None) = (arguments.next(), arguments.next()) else {
        return Worth::Unknown;
    };
    let is_any = matches!(inside, Expression::Variable(name) if name.as_str() == "any");
    let each = |item| converted(item, inside, depth + 1);
    match (call.name.name.as_str(), value) {
        ("list", Worth::List(items)) if !is_any || are_alike(items.iter()) => {
            Worth::List(items.into_iter().map(each).collect())
        }
        ("map", Worth::Map(members)) if !is_any || are_alike(members.values()) => Worth::Map(
            members
                .into_iter()
                .map(|(key, value)| (key, each(value)))
                .collect(),
        ),
        ("set", Worth::List(items)) => {
            let items = items.into_iter().map(each).collect();
            function("toset", vec![Worth::List(items)])
        }
        ("object", value) => match inside {
            Expression::Object(members) => object(value, members, depth),
            _ => Worth::Unknown,
        },
        _ => Worth::Unknown,
    }
}

fn object(value: Worth, declared: &Object, depth: usize) -> Worth {
    let mut types = Vec::new();
    for (key, member) in declared.iter() {
        let name = match key {
            ObjectKey::Ident(name) => name.as_str(),
            ObjectKey::Expression(Expression::Variable(name)) => name.as_str(),
            ObjectKey::Expression(Expression::String(name)) => name.value().as_str(),
            ObjectKey::Expression(_) => return Worth::Unknown,
        };
        types.push((name, member.expr()));
    }
    let is_text =
        |declared: &Expression| matches!(declared, Expression::Variable(name) if name.as_str() == "string");
    match value {
        Worth::Map(mut members) => {
            let each = |(name, declared): (&str, &Expression)| {
                let value = member(members.remove(name), declared, depth);
                (name.to_owned(), value)
            };
            Worth::Map(types.into_iter().map(each).collect::<BTreeMap<_, _>>())
        }
        // Only what is declared can be asked for.
        resource @ Worth::Resource(_)
            if types
                .iter()
                .all(|(name, declared)| TEXTS.contains(name) && is_text(declared)) =>
        {
            resource
        }
        _ => Worth::Unknown,
    }
}

fn member(value: Option<Worth>, declared: &Expression, depth: usize) -> Worth {
    let optional = match declared {
        Expression::FuncCall(call) if call.name.name.as_str() == "optional" => call.args.iter().next(),
        _ => None,
    };
    match (value, optional) {
        // In place of nothing a default may stand.
        (None, _) | (Some(Worth::Null), Some(_)) => Worth::Unknown,
        (Some(value), Some(declared)) => converted(value, declared, depth + 1),
        (Some(value), None) => converted(value, declared, depth + 1),
    }
}

/// Whether values stay as they are where they have to be of one type: else all become texts, or there is no such type.
pub(super) fn are_alike<'w>(mut values: impl Iterator<Item = &'w Worth>) -> bool {
    let Some(first) = values.next() else {
        return true;
    };
    values.all(|other| is_alike(first, other, 0))
}

/// The recursion is bounded by [`DEEPEST`].
fn is_alike(one: &Worth, other: &Worth, depth: usize) -> bool {
    // What is unknown may be a text, and texts stay what they are.
    let is_text = |value: &Worth| {
        matches!(
            value,
            Worth::Text(_) | Worth::Json(_) | Worth::Document(_) | Worth::Unknown
        )
    };
    match (one, other) {
        (Worth::Number(_), Worth::Number(_))
        | (Worth::Bool(_), Worth::Bool(_))
        | (Worth::Resource(_), Worth::Resource(_))
        | (Worth::Module(_), Worth::Module(_)) => true,
        (Worth::Map(one), Worth::Map(other)) if depth < DEEPEST => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|((key, one), (same, other))| key == same && is_alike(one, other, depth + 1))
        }
        (Worth::List(one), Worth::List(other)) => one.iter().chain(other).all(is_text),
        (one, other) => is_text(one) && is_text(other),
    }
}
