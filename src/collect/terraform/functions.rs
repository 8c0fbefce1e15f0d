//! The operators and functions of HCL that are understood: those that choose, collect, compare or put texts together.
//! <https://developer.hashicorp.com/terraform/language/functions>

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::expr::BinaryOperator;

use super::conversion::are_alike;
use super::worth::{Worth, plain};

pub(super) fn binary(operator: BinaryOperator, left: &Worth, right: &Worth) -> Worth {
    let numbers = match (left, right) {
        (Worth::Number(left), Worth::Number(right)) => Some((*left, *right)),
        _ => None,
    };
    let counted = |result: Option<i64>| result.map_or(Worth::Unknown, Worth::Number);
    match (operator, numbers) {
        (BinaryOperator::Plus, Some((left, right))) => counted(left.checked_add(right)),
        (BinaryOperator::Minus, Some((left, right))) => counted(left.checked_sub(right)),
        (BinaryOperator::Mul, Some((left, right))) => counted(left.checked_mul(right)),
        (BinaryOperator::Mod, Some((left, right))) => counted(left.checked_rem(right)),
        (BinaryOperator::Less, Some((left, right))) => Worth::Bool(left < right),
        (BinaryOperator::LessEq, Some((left, right))) => Worth::Bool(left <= right),
        (BinaryOperator::Greater, Some((left, right))) => Worth::Bool(left > right),
        (BinaryOperator::GreaterEq, Some((left, right))) => Worth::Bool(left >= right),
        (BinaryOperator::Eq, _) => equal(left, right).map_or(Worth::Unknown, Worth::Bool),
        (BinaryOperator::NotEq, _) => equal(left, right).map_or(Worth::Unknown, |same| Worth::Bool(!same)),
        (BinaryOperator::And, _) => match (left, right) {
            (Worth::Bool(false), _) | (_, Worth::Bool(false)) => Worth::Bool(false),
            (Worth::Bool(true), Worth::Bool(true)) => Worth::Bool(true),
            _ => Worth::Unknown,
        },
        (BinaryOperator::Or, _) => match (left, right) {
            (Worth::Bool(true), _) | (_, Worth::Bool(true)) => Worth::Bool(true),
            (Worth::Bool(false), Worth::Bool(false)) => Worth::Bool(false),
            _ => Worth::Unknown,
        },
        _ => Worth::Unknown,
    }
}

fn equal(left: &Worth, right: &Worth) -> Option<bool> {
    match (left, right) {
        (Worth::Null, Worth::Null) => Some(true),
        (Worth::Null, other) | (other, Worth::Null) => match other {
            Worth::Unknown => None,
            _ => Some(false),
        },
        (Worth::Bool(left), Worth::Bool(right)) => Some(left == right),
        (Worth::Number(left), Worth::Number(right)) => Some(left == right),
        (Worth::Text(_), Worth::Text(_)) => match (plain(left), plain(right)) {
            (Some(left), Some(right)) => Some(left == right),
            _ => None,
        },
        _ => None,
    }
}

/// The functions that only choose, collect or turn into text.
pub(super) fn function(name: &str, arguments: Vec<Worth>) -> Worth {
    match name {
        "toset" | "concat" | "compact" | "flatten" | "one" | "element" => of_lists(name, arguments),
        "merge" | "keys" | "values" | "lookup" => of_maps(name, arguments),
        "jsonencode" | "tostring" | "join" | "lower" | "replace" | "format" => of_texts(name, arguments),
        _ => of_any(name, arguments),
    }
}

fn of_lists(name: &str, mut arguments: Vec<Worth>) -> Worth {
    let is_known = |value: &Worth| !matches!(value, Worth::Unknown);
    match (name, arguments.len()) {
        // A set goes through its texts in their order; what else it holds becomes of one type first.
        ("toset", 1) => match arguments.swap_remove(0) {
            Worth::List(items) if matches!(items.as_slice(), [Worth::Text(_)]) => Worth::List(items),
            Worth::List(items) if items.iter().all(|item| matches!(item, Worth::Text(_))) => {
                let texts: Option<BTreeSet<String>> = items.iter().map(plain).collect();
                texts.map_or(Worth::Unknown, |texts| {
                    Worth::List(texts.into_iter().map(Worth::Text).collect())
                })
            }
            _ => Worth::Unknown,
        },
        ("concat", _) => {
            let mut all = Vec::new();
            for argument in arguments {
                match argument {
                    Worth::List(items) => all.extend(items),
                    _ => return Worth::Unknown,
                }
            }
            Worth::List(all)
        }
        ("compact", 1) => match arguments.swap_remove(0) {
            Worth::List(items) if items.iter().all(is_known) => Worth::List(
                items
                    .into_iter()
                    .filter(|item| *item != Worth::Null && *item != Worth::Text(String::new()))
                    .collect(),
            ),
            _ => Worth::Unknown,
        },
        ("flatten", 1) => {
            let mut flat = Vec::new();
            let mut open = vec![arguments.swap_remove(0)];
            while let Some(next) = open.pop() {
                match next {
                    Worth::List(items) => open.extend(items.into_iter().rev()),
                    Worth::Unknown => return Worth::Unknown,
                    other => flat.push(other),
                }
            }
            Worth::List(flat)
        }
        ("one", 1) => match arguments.swap_remove(0) {
            Worth::List(mut items) if items.len() == 1 => items.swap_remove(0),
            Worth::List(items) if items.is_empty() => Worth::Null,
            _ => Worth::Unknown,
        },
        ("element", 2) => match (arguments.swap_remove(0), arguments.swap_remove(0)) {
            (Worth::List(mut items), Worth::Number(number)) if !items.is_empty() => {
                match usize::try_from(number) {
                    Ok(number) => {
                        let place = number % items.len();
                        items.swap_remove(place)
                    }
                    Err(_) => Worth::Unknown,
                }
            }
            _ => Worth::Unknown,
        },
        _ => Worth::Unknown,
    }
}

fn of_maps(name: &str, mut arguments: Vec<Worth>) -> Worth {
    match (name, arguments.len()) {
        ("merge", _) => {
            let mut all = BTreeMap::new();
            for argument in arguments {
                match argument {
                    Worth::Map(members) => all.extend(members),
                    Worth::Null => {}
                    _ => return Worth::Unknown,
                }
            }
            Worth::Map(all)
        }
        ("keys", 1) => match arguments.swap_remove(0) {
            Worth::Map(members) => Worth::List(members.into_keys().map(Worth::Text).collect()),
            _ => Worth::Unknown,
        },
        ("values", 1) => match arguments.swap_remove(0) {
            Worth::Map(members) => Worth::List(members.into_values().collect()),
            _ => Worth::Unknown,
        },
        ("lookup", 2 | 3) => {
            let key = plain(&arguments[1]);
            match (arguments.swap_remove(0), key) {
                (Worth::Map(mut members), Some(key)) => members.remove(&key).unwrap_or(Worth::Unknown),
                _ => Worth::Unknown,
            }
        }
        _ => Worth::Unknown,
    }
}

fn of_texts(name: &str, mut arguments: Vec<Worth>) -> Worth {
    match (name, arguments.len()) {
        ("jsonencode", 1) => arguments[0].json().map_or(Worth::Unknown, Worth::Json),
        ("tostring", 1) => arguments[0].text().map_or(Worth::Unknown, Worth::Text),
        ("join", 2) => {
            let separator = plain(&arguments[0]);
            match (separator, arguments.swap_remove(1)) {
                (Some(separator), Worth::List(items)) => {
                    let texts: Option<Vec<String>> = items.iter().map(Worth::text).collect();
                    texts.map_or(Worth::Unknown, |texts| Worth::Text(texts.join(&separator)))
                }
                _ => Worth::Unknown,
            }
        }
        ("lower", 1) => plain(&arguments[0]).map_or(Worth::Unknown, |text| Worth::Text(text.to_lowercase())),
        ("replace", 3) => match (plain(&arguments[0]), plain(&arguments[1]), plain(&arguments[2])) {
            // Between slashes stands a regular expression.
            (Some(text), Some(from), Some(to)) if !from.starts_with('/') => {
                Worth::Text(text.replace(&from, &to))
            }
            _ => Worth::Unknown,
        },
        ("format", 1..) => formatted(&arguments),
        _ => Worth::Unknown,
    }
}

fn of_any(name: &str, mut arguments: Vec<Worth>) -> Worth {
    match (name, arguments.len()) {
        ("tolist" | "tomap", 1) => match arguments.swap_remove(0) {
            Worth::List(items) if are_alike(items.iter()) => Worth::List(items),
            Worth::Map(members) if are_alike(members.values()) => Worth::Map(members),
            _ => Worth::Unknown,
        },
        ("length", 1) => {
            let count = match &arguments[0] {
                Worth::List(items) => items.len(),
                Worth::Map(members) => members.len(),
                _ => return Worth::Unknown,
            };
            i64::try_from(count).map_or(Worth::Unknown, Worth::Number)
        }
        ("coalesce", _) => {
            for argument in arguments {
                match argument {
                    Worth::Null => {}
                    Worth::Text(text) if text.is_empty() => {}
                    other => return other,
                }
            }
            Worth::Unknown
        }
        // What fails is unknown here, and so is what comes after it.
        ("try", 1..) => arguments.swap_remove(0),
        _ => Worth::Unknown,
    }
}

fn formatted(arguments: &[Worth]) -> Worth {
    let [pattern, values @ ..] = arguments else {
        return Worth::Unknown;
    };
    let Some(pattern) = plain(pattern) else {
        return Worth::Unknown;
    };
    let mut values = values.iter();
    let mut text = String::new();
    let mut rest = pattern.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        match after.strip_prefix('s') {
            Some(after) => {
                match values.next().and_then(Worth::text) {
                    Some(value) => text.push_str(&value),
                    None => return Worth::Unknown,
                }
                rest = after;
            }
            None => return Worth::Unknown,
        }
    }
    text.push_str(rest);
    Worth::Text(text)
}
