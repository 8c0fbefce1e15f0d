//! Addresses and references: `module.a["x"].data.aws_iam_policy_document.logs[0].json`, cut into their steps.

use serde_json::Value;

/// The key of one instance of a resource or a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Of `count`.
    Number(u64),
    /// Of `for_each`.
    Text(String),
}

impl Key {
    /// As a state file writes it.
    pub fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Key::Text(text.clone())),
            Value::Number(number) => number.as_u64().map(Key::Number),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Number(number) => write!(f, "[{number}]"),
            Key::Text(text) => write!(f, "[{}]", Value::from(text.as_str())),
        }
    }
}

/// A step of a traversal: `.name` or `[key]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Key(Key),
}

/// Cuts a traversal into its steps. Nothing where it is none.
pub(super) fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = match inside.starts_with('"') {
                true => quoted(inside)?,
                false => {
                    let (number, after) = inside.split_once(']')?;
                    let key = number.parse().map_or(Key::Text(number.to_owned()), Key::Number);
                    steps.push(Step::Key(key));
                    rest = after;
                    first = false;
                    continue;
                }
            };
            steps.push(Step::Key(Key::Text(key)));
            rest = after.strip_prefix(']')?;
        } else {
            let inside = match first {
                true => rest,
                false => rest.strip_prefix('.')?,
            };
            let end = inside.find(['.', '[']).unwrap_or(inside.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Name(inside[..end].to_owned()));
            rest = &inside[end..];
        }
        first = false;
    }
    Some(steps)
}

/// The text in quotation marks at the start, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match stream.next() {
        Some(Ok(key)) => {
            let end = stream.byte_offset();
            Some((key, &text[end..]))
        }
        // HCL escapes what JSON doesn't (`$${`): as it stands, then.
        Some(Err(_)) | None => {
            let inside = text.strip_prefix('"')?;
            let end = inside.find("\"]")?;
            Some((inside[..end].to_owned(), &inside[end + 1..]))
        }
    }
}

/// One call of a module on the way to a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub name: String,
    pub key: Option<Key>,
}

/// Where something stands: the calls that lead to its module. Empty for the root module.
pub(super) type Scope = Vec<Call>;

/// The address of one instance of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    pub scope: Scope,
    pub is_data: bool,
    pub kind: String,
    pub name: String,
    pub key: Option<Key>,
}

impl Address {
    pub fn parse(text: &str) -> Option<Self> {
        let steps = steps(text)?;
        let (address, rest) = Self::leading(&steps)?;
        rest.is_empty().then_some(address)
    }

    /// How the block that declares it starts, without quotation marks.
    pub fn block_name(&self) -> String {
        let kind = match self.is_data {
            true => "data",
            false => "resource",
        };
        format!("{kind} {} {}", self.kind, self.name)
    }

    /// The address at the start of a traversal, and the steps that follow it.
    fn leading(steps: &[Step]) -> Option<(Self, &[Step])> {
        let mut scope = Scope::new();
        let mut rest = steps;
        while let [Step::Name(word), Step::Name(name), after @ ..] = rest
            && word == "module"
        {
            let (key, after) = leading_key(after);
            scope.push(Call {
                name: name.clone(),
                key,
            });
            rest = after;
        }
        let is_data = matches!(rest.first(), Some(Step::Name(word)) if word == "data");
        if is_data {
            rest = &rest[1..];
        }
        let [Step::Name(kind), Step::Name(name), after @ ..] = rest else {
            return None;
        };
        let (key, after) = leading_key(after);
        let address = Self {
            scope,
            is_data,
            kind: kind.clone(),
            name: name.clone(),
            key,
        };
        Some((address, after))
    }
}

pub(super) fn leading_key(steps: &[Step]) -> (Option<Key>, &[Step]) {
    match steps {
        [Step::Key(key), after @ ..] => (Some(key.clone()), after),
        _ => (None, steps),
    }
}

/// The names of the calls, without their keys: where the configuration says it.
pub(super) fn names(scope: &[Call]) -> Vec<&str> {
    scope.iter().map(|call| call.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, key: Option<Key>) -> Call {
        Call {
            name: name.to_owned(),
            key,
        }
    }

    #[test]
    fn an_address_is_cut_into_its_parts() {
        let address = Address::parse(r#"module.a["x.y"].module.b.data.aws_iam_policy_document.logs[0]"#)
            .expect("an address");
        assert_eq!(
            address.scope,
            [call("a", Some(Key::Text("x.y".to_owned()))), call("b", None)]
        );
        assert!(address.is_data);
        assert_eq!(address.kind, "aws_iam_policy_document");
        assert_eq!(address.key, Some(Key::Number(0)));
        let odd = Address::parse(r#"aws_s3_bucket.data["we.ird \"key\"]"]"#).expect("an address");
        assert_eq!(odd.key, Some(Key::Text("we.ird \"key\"]".to_owned())));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "module.a",
            "aws_s3_bucket",
            "a..b",
            "a[",
            "a.b[\"",
            "a.b[0",
            "[0]",
            "a.b.c",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_written_as_terraform_writes_it() {
        assert_eq!(Key::Number(3).to_string(), "[3]");
        assert_eq!(Key::Text("a\"b".to_owned()).to_string(), r#"["a\"b"]"#);
    }
}
