//! `data.aws_iam_policy_document` → the policy that it renders, where all of it is known.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>

use serde_json::{Map, Value};

use super::value::Node;
use crate::inventory::{Fact, Why};

/// The JSON text. A document that takes up others is known only where these are.
pub(super) fn render(node: Node<'_>) -> Fact<String> {
    if let Fact::Known(json) = node.get("json").name() {
        return Fact::Known(json);
    }
    match document(node) {
        Ok(document) => Fact::Known(document.to_string()),
        Err(why) => Fact::Unknown(why),
    }
}

fn document(node: Node<'_>) -> Result<Value, Why> {
    for others in [
        "source_json",
        "override_json",
        "source_policy_documents",
        "override_policy_documents",
    ] {
        let others = node.get(others);
        let none = match others.raw() {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        if others.is_unknown() || !none {
            return Err(Why::AfterApply);
        }
    }
    let mut document = Map::new();
    let version = answered(node.get("version").name())?;
    document.insert(
        "Version".to_owned(),
        version.unwrap_or_else(|| "2012-10-17".to_owned()).into(),
    );
    if let Some(id) = answered(node.get("policy_id").name())? {
        document.insert("Id".to_owned(), id.into());
    }
    let statements = answered(node.get("statement").list())?.unwrap_or_default();
    let statements: Result<Vec<Value>, Why> = statements.into_iter().map(statement).collect();
    document.insert("Statement".to_owned(), statements?.into());
    Ok(Value::Object(document))
}

fn statement(node: Node<'_>) -> Result<Value, Why> {
    let mut statement = Map::new();
    if let Some(sid) = answered(node.get("sid").name())? {
        statement.insert("Sid".to_owned(), sid.into());
    }
    let effect = answered(node.get("effect").name())?.unwrap_or_else(|| "Allow".to_owned());
    statement.insert("Effect".to_owned(), effect.into());
    for (argument, element) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        let texts = texts(node.get(argument))?;
        if !texts.is_empty() {
            statement.insert(element.to_owned(), one_or_many(texts));
        }
    }
    for (argument, element) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        if let Some(principals) = principals(node.get(argument))? {
            statement.insert(element.to_owned(), principals);
        }
    }
    let conditions = answered(node.get("condition").list())?.unwrap_or_default();
    let mut operators = Map::new();
    for condition in conditions {
        let (Some(test), Some(variable)) = (
            answered(condition.get("test").name())?,
            answered(condition.get("variable").name())?,
        ) else {
            continue;
        };
        let mut values = texts(condition.get("values"))?;
        let keys = operators.entry(test).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(keys) = keys {
            // The same key twice in one operator is one list.
            match keys.remove(&variable) {
                Some(Value::String(earlier)) => values.insert(0, earlier),
                Some(Value::Array(earlier)) => {
                    values.splice(0..0, earlier.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                _ => {}
            }
            keys.insert(variable, one_or_many(values));
        }
    }
    if !operators.is_empty() {
        statement.insert("Condition".to_owned(), Value::Object(operators));
    }
    Ok(Value::Object(statement))
}

fn principals(node: Node<'_>) -> Result<Option<Value>, Why> {
    let all = answered(node.list())?.unwrap_or_default();
    let mut types: Map<String, Value> = Map::new();
    for principal in all {
        let kind = answered(principal.get("type").name())?.unwrap_or_default();
        let identifiers = texts(principal.get("identifiers"))?;
        if kind == "*" {
            return Ok(Some("*".into()));
        }
        let mut whole: Vec<String> = match types.remove(&kind) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        whole.extend(identifiers);
        types.insert(kind, one_or_many(whole));
    }
    Ok((!types.is_empty()).then_some(Value::Object(types)))
}

/// The texts of a list. `&{` is how Terraform lets a policy variable through.
fn texts(node: Node<'_>) -> Result<Vec<String>, Why> {
    let items = answered(node.list())?.unwrap_or_default();
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        texts.extend(answered(item.text())?.map(|text| text.replace("&{", "${")));
    }
    Ok(texts)
}

fn one_or_many(mut texts: Vec<String>) -> Value {
    match texts.len() {
        1 => texts.swap_remove(0).into(),
        _ => texts.into(),
    }
}

fn answered<T>(fact: Fact<T>) -> Result<Option<T>, Why> {
    match fact {
        Fact::Known(value) => Ok(Some(value)),
        Fact::Absent => Ok(None),
        Fact::Unknown(why) => Err(why),
    }
}
