//! Files that hold values of parameters, in the three shapes that the tools of AWS take.

use std::collections::BTreeMap;

use miette::Diagnostic;
use thiserror::Error;

use super::tree::{self, Malformed, Node, Value};

/// What a deploy passes for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    Value(String),
    /// `UsePreviousValue`: the deployed stack knows it, nobody here does.
    Previous,
}

/// Why a text holds no parameters.
#[derive(Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum ParameterError {
    #[error("{0}")]
    #[diagnostic(code(parameters::malformed))]
    Malformed(
        #[source]
        #[diagnostic_source]
        Malformed,
    ),
    #[error("line {line}, column {column}: {reason}")]
    #[diagnostic(
        code(parameters::shape),
        help(
            "write `[{{\"ParameterKey\": \"Name\", \"ParameterValue\": \"value\"}}]`, \
             `{{\"Parameters\": {{\"Name\": \"value\"}}}}`, or `{{\"Name\": \"value\"}}`"
        )
    )]
    Shape {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("`{given}` is no parameter: it has no `=`")]
    #[diagnostic(code(parameters::argument), help("write `--parameter Name=value`"))]
    Argument { given: String },
}

/// `Name=value`, as on a command line. The value may hold more `=`.
pub fn argument(given: &str) -> Result<(String, Parameter), ParameterError> {
    match given.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), Parameter::Value(value.to_owned())))
        }
        Some(_) | None => Err(ParameterError::Argument {
            given: given.to_owned(),
        }),
    }
}

/// The list of the AWS CLI, the map of CodePipeline, or a plain map.
pub fn read(text: &str) -> Result<BTreeMap<String, Parameter>, ParameterError> {
    let tree = tree::read(text).map_err(ParameterError::Malformed)?;
    let wrong = |node: &Node, reason: &str| {
        let Malformed { line, column, reason } = Malformed::at(text, node.span.start, reason);
        ParameterError::Shape { line, column, reason }
    };
    let mut all = BTreeMap::new();
    match &tree.root.value {
        Value::List(entries) => {
            for entry in entries {
                // `Name=value`, as `--parameter-overrides` takes it too.
                if let Value::Text(given) = &entry.value {
                    let (name, value) = argument(given)?;
                    all.insert(name, value);
                    continue;
                }
                let part = |key: &str| entry.get(key);
                let Some(name) = part("ParameterKey").and_then(Node::text) else {
                    return Err(wrong(entry, "an entry has a `ParameterKey`"));
                };
                let previous = part("UsePreviousValue").and_then(Node::text);
                let value = match (part("ParameterValue"), previous) {
                    (_, Some("true")) => Parameter::Previous,
                    (Some(node), _) => value(node).ok_or_else(|| wrong(node, "a value is text"))?,
                    (None, _) => return Err(wrong(entry, "an entry has a `ParameterValue`")),
                };
                all.insert(name.to_owned(), value);
            }
        }
        Value::Map(_) => {
            let inner = tree
                .root
                .get("Parameters")
                .filter(|node| matches!(node.value, Value::Map(_)));
            for member in inner.unwrap_or(&tree.root).members() {
                let node = &member.value;
                all.insert(
                    member.key.clone(),
                    value(node).ok_or_else(|| wrong(node, "a value is text"))?,
                );
            }
        }
        Value::Null | Value::Bool(_) | Value::Word { .. } | Value::Number(_) | Value::Text(_) => {
            return Err(wrong(&tree.root, "parameters stand in a list or a map"));
        }
    }
    Ok(all)
}

fn value(node: &Node) -> Option<Parameter> {
    match &node.value {
        Value::List(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Node::name).collect();
            items.map(|items| Parameter::Value(items.join(",")))
        }
        Value::Null | Value::Map(_) => None,
        Value::Bool(_) | Value::Word { .. } | Value::Number(_) | Value::Text(_) => {
            node.name().map(|text| Parameter::Value(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_shapes_say_the_same() {
        let expected = BTreeMap::from([
            ("A".to_owned(), Parameter::Value("1".to_owned())),
            ("B".to_owned(), Parameter::Value("x,y".to_owned())),
        ]);
        for text in [
            r#"[{"ParameterKey": "A", "ParameterValue": "1"}, {"ParameterKey": "B", "ParameterValue": ["x", "y"]}]"#,
            r#"{"Parameters": {"A": 1, "B": "x,y"}, "Tags": {"t": "u"}}"#,
            "A: 1\nB: [x, y]\n",
            r#"["A=1", "B=x,y"]"#,
        ] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn a_previous_value_is_not_known() {
        let text = r#"[{"ParameterKey": "A", "UsePreviousValue": true}]"#;
        assert_eq!(
            read(text),
            Ok(BTreeMap::from([("A".to_owned(), Parameter::Previous)]))
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |text: &str| read(text).expect_err(text).to_string();
        assert_eq!(
            wrong("[\n  {\"a\": 1}]"),
            "line 2, column 3: an entry has a `ParameterKey`"
        );
        assert_eq!(wrong("{\"A\": {\"B\": 1}}"), "line 1, column 7: a value is text");
        assert_eq!(
            wrong("7"),
            "line 1, column 1: parameters stand in a list or a map"
        );
        assert!(wrong("{").starts_with("line 1, column"));
        assert!(argument("A").is_err() && argument("=x").is_err());
        assert_eq!(
            argument("A=b=c"),
            Ok(("A".to_owned(), Parameter::Value("b=c".to_owned())))
        );
    }
}
