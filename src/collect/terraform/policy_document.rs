//! `data.aws_iam_policy_document` → the policy that it renders.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>
//!
//! A document that is read only during the deploy has in the plan all that is known of it, with nothing in place of the
//! rest. Such a leaf alone is open, and the document is decided where it doesn't matter: whoever else may write, a
//! document without the log service grants it nothing. What text stands around a reference is never in a plan:
//! `"${aws_s3_bucket.logs.arn}/access/*"` and the ARN alone are one, so a leaf is open as a whole.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Reader;
use super::references::{Candidate, Want};
use super::rows::Row;
use super::value::Node;
use crate::inventory::{Fact, Why};
use crate::policy::open::Open;

/// Documents take up documents: no deeper than this.
const DEEPEST: usize = 8;

/// The JSON text, with its open parts.
pub(super) fn render(reader: Reader<'_, '_>, row: &Row<'_>) -> Fact<String> {
    match document(reader, row, 0) {
        Ok(Rendered::Text(text)) => Fact::Known(text),
        Ok(Rendered::Document(document)) => Fact::Known(document.into_json().to_string()),
        Err(why) => Fact::Unknown(why),
    }
}

/// A document as it is known: its text, or what it is made of.
enum Rendered {
    Text(String),
    Document(Document),
}

#[derive(Default)]
struct Document {
    version: Option<String>,
    id: Option<String>,
    statements: Vec<Statement>,
}

struct Statement {
    sid: Option<String>,
    elements: Map<String, Value>,
    /// Whether it is in the document is known only after the deploy.
    is_perhaps: bool,
}

impl Document {
    /// The document of a text; nothing where it is none.
    fn of_text(text: &str) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
            return None;
        };
        let mut text_of = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (version, id) = (text_of("Version"), text_of("Id"));
        let statements = match members.remove("Statement") {
            Some(Value::Array(items)) => items,
            Some(one @ Value::Object(_)) => vec![one],
            Some(_) | None => Vec::new(),
        };
        let statements = statements
            .into_iter()
            .map(|statement| match statement {
                Value::Object(elements) => Some(Statement {
                    sid: elements.get("Sid").and_then(Value::as_str).map(str::to_owned),
                    elements,
                    is_perhaps: false,
                }),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            version,
            id,
            statements,
        })
    }

    /// Takes another document up: a statement replaces the one of the same `Sid`.
    fn take_up(&mut self, other: Document, is_perhaps: bool) {
        if !is_perhaps {
            self.version = other.version.or(self.version.take());
            self.id = other.id.or(self.id.take());
        }
        for mut statement in other.statements {
            statement.is_perhaps |= is_perhaps;
            let same = self
                .statements
                .iter_mut()
                .find(|own| own.sid.is_some() && own.sid == statement.sid);
            match same {
                Some(own) if !statement.is_perhaps => *own = statement,
                Some(own) => {
                    own.is_perhaps = true;
                    self.statements.push(statement);
                }
                None => self.statements.push(statement),
            }
        }
    }

    fn into_json(self) -> Value {
        let mut document = Map::new();
        let version = self.version.unwrap_or_else(|| "2012-10-17".to_owned());
        document.insert("Version".to_owned(), version.into());
        if let Some(id) = self.id {
            document.insert("Id".to_owned(), id.into());
        }
        let statements = self.statements.into_iter().map(|mut statement| {
            if statement.is_perhaps {
                open_condition(&mut statement.elements);
            }
            Value::Object(statement.elements)
        });
        document.insert("Statement".to_owned(), statements.collect());
        Value::Object(document)
    }
}

/// Adds a condition of which nothing is known.
fn open_condition(elements: &mut Map<String, Value>) {
    let conditions = elements
        .entry("Condition")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(operators) = conditions {
        let keys = operators
            .entry("StringEquals")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(keys) = keys {
            keys.insert(Open::condition(), "".into());
        }
    }
}

/// The recursion is bounded: documents take up documents no deeper than [`DEEPEST`].
fn document(reader: Reader<'_, '_>, row: &Row<'_>, depth: usize) -> Result<Rendered, Why> {
    let loaded = match &row.after {
        Some(side) if depth < DEEPEST => side.load(reader.text).map_err(|_| Why::AfterApply)?,
        Some(_) | None => return Err(Why::AfterApply),
    };
    let node = loaded.node();
    match node.get("json").name() {
        Fact::Known(json) => return Ok(Rendered::Text(json)),
        Fact::Unknown(Why::AfterApply) | Fact::Absent => {}
        Fact::Unknown(why) => return Err(why),
    }
    let within = Within { reader, row };
    let mut document = Document::default();
    for argument in ["source_json", "source_policy_documents"] {
        within.take_up(&mut document, node, argument, depth)?;
    }
    document.take_up(within.own(node)?, false);
    for argument in ["override_json", "override_policy_documents"] {
        within.take_up(&mut document, node, argument, depth)?;
    }
    Ok(Rendered::Document(document))
}

/// One data source, in its configuration.
struct Within<'w, 'r, 'a> {
    reader: Reader<'r, 'a>,
    row: &'w Row<'a>,
}

impl Within<'_, '_, '_> {
    /// Takes up the documents that an argument names.
    fn take_up(
        &self,
        document: &mut Document,
        node: Node<'_>,
        argument: &str,
        depth: usize,
    ) -> Result<(), Why> {
        let node = node.get(argument);
        let items = match (argument.ends_with("_json"), node.list()) {
            (true, _) => Some(vec![node]),
            (false, Fact::Known(items)) => Some(items),
            (false, Fact::Absent) => return Ok(()),
            (false, Fact::Unknown(Why::AfterApply)) => None,
            (false, Fact::Unknown(why)) => return Err(why),
        };
        let mut known = BTreeSet::new();
        let mut unknown = 0;
        for item in items.iter().flatten() {
            match item.name() {
                Fact::Known(text) => {
                    document.take_up(Document::of_text(&text).ok_or(Why::AfterApply)?, false);
                    known.insert(text);
                }
                Fact::Absent => {}
                Fact::Unknown(Why::AfterApply) => unknown += 1,
                Fact::Unknown(why) => return Err(why),
            }
        }
        if items.is_some() && unknown == 0 {
            return Ok(());
        }
        let (index, text) = (self.reader.index, self.reader.text);
        let found = index.follow(text, &self.row.address, &[argument], Want::Policy);
        if !found.is_clear() {
            return Err(Why::AfterApply);
        }
        let mut more = Vec::new();
        for candidate in &found.candidates {
            let rendered = match candidate {
                Candidate::Text(text) => Rendered::Text(text.clone()),
                Candidate::Row(number) => self::document(self.reader, &index.rows()[*number], depth + 1)?,
            };
            match rendered {
                Rendered::Text(text) if known.contains(&text) => {}
                Rendered::Text(text) => more.push(Document::of_text(&text).ok_or(Why::AfterApply)?),
                Rendered::Document(document) => more.push(document),
            }
        }
        // As many documents as places: each is in one. Else they are chosen from.
        let is_perhaps = items.is_none() || more.len() != unknown;
        for other in more {
            document.take_up(other, is_perhaps);
        }
        Ok(())
    }

    fn own(&self, node: Node<'_>) -> Result<Document, Why> {
        let statements = answered(node.get("statement").list())?.unwrap_or_default();
        let statements = statements.into_iter().enumerate();
        Ok(Document {
            version: answered(node.get("version").name())?,
            id: node.get("policy_id").name().known().cloned(),
            statements: statements
                .map(|(number, statement)| self.statement(statement, number))
                .collect::<Result<_, _>>()?,
        })
    }

    fn statement(&self, node: Node<'_>, number: usize) -> Result<Statement, Why> {
        let number = number.to_string();
        let mut elements = Map::new();
        let sid = node.get("sid").name().known().cloned();
        if let Some(sid) = &sid {
            elements.insert("Sid".to_owned(), sid.as_str().into());
        }
        let effect = answered(node.get("effect").name())?.unwrap_or_else(|| "Allow".to_owned());
        elements.insert("Effect".to_owned(), effect.into());
        for (argument, element) in [
            ("actions", "Action"),
            ("not_actions", "NotAction"),
            ("resources", "Resource"),
            ("not_resources", "NotResource"),
        ] {
            let path = ["statement", &number, argument];
            let texts = self.texts(node.get(argument), &path)?;
            if !texts.is_empty() {
                elements.insert(element.to_owned(), one_or_many(texts));
            }
        }
        for (argument, element) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            if let Some(principals) = self.principals(node.get(argument), &number, argument)? {
                elements.insert(element.to_owned(), principals);
            }
        }
        self.conditions(node.get("condition"), &number, &mut elements)?;
        Ok(Statement {
            sid,
            elements,
            is_perhaps: false,
        })
    }

    fn principals(&self, node: Node<'_>, number: &str, argument: &str) -> Result<Option<Value>, Why> {
        let all = match node.list() {
            Fact::Known(all) => all,
            Fact::Absent => return Ok(None),
            Fact::Unknown(Why::AfterApply) => {
                return Ok(Some(Value::Object(Map::from_iter([(
                    "AWS".to_owned(),
                    open(None).into(),
                )]))));
            }
            Fact::Unknown(why) => return Err(why),
        };
        let mut types: Map<String, Value> = Map::new();
        for (position, principal) in all.into_iter().enumerate() {
            // Of an account or a service: the open value may be either.
            let (kind, is_open) = match principal.get("type").name() {
                Fact::Known(kind) => (kind, false),
                Fact::Absent => (String::new(), false),
                Fact::Unknown(Why::AfterApply) => ("AWS".to_owned(), true),
                Fact::Unknown(why) => return Err(why),
            };
            if kind == "*" {
                return Ok(Some("*".into()));
            }
            let position = position.to_string();
            let path = ["statement", number, argument, &position, "identifiers"];
            let identifiers = match is_open {
                true => vec![open(None)],
                false => self.texts(principal.get("identifiers"), &path)?,
            };
            let whole = types.entry(kind).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(whole) = whole {
                whole.extend(identifiers.into_iter().map(Value::from));
            }
        }
        Ok((!types.is_empty()).then_some(Value::Object(types)))
    }

    fn conditions(&self, node: Node<'_>, number: &str, elements: &mut Map<String, Value>) -> Result<(), Why> {
        let conditions = match node.list() {
            Fact::Known(conditions) => conditions,
            Fact::Absent => return Ok(()),
            Fact::Unknown(Why::AfterApply) => {
                open_condition(elements);
                return Ok(());
            }
            Fact::Unknown(why) => return Err(why),
        };
        let mut operators = Map::new();
        let mut has_open = false;
        for (position, condition) in conditions.into_iter().enumerate() {
            let position = position.to_string();
            let path = ["statement", number, "condition", &position, "values"];
            let (test, variable) = (condition.get("test").name(), condition.get("variable").name());
            let values = condition.get("values");
            // Nobody knows how many values there are, and none at all is another condition.
            if [&test, &variable].contains(&&Fact::Unknown(Why::AfterApply)) || values.is_unknown() {
                has_open = true;
                continue;
            }
            let (Some(test), Some(variable)) = (answered(test)?, answered(variable)?) else {
                continue;
            };
            let mut values = self.texts(values, &path)?;
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
            elements.insert("Condition".to_owned(), Value::Object(operators));
        }
        if has_open {
            open_condition(elements);
        }
        Ok(())
    }

    /// The texts of a list. `&{` is how Terraform lets a policy variable through.
    fn texts(&self, node: Node<'_>, path: &[&str]) -> Result<Vec<String>, Why> {
        let items = match node.list() {
            Fact::Known(items) => items,
            Fact::Absent => return Ok(Vec::new()),
            Fact::Unknown(Why::AfterApply) => return Ok(vec![self.open(path)]),
            Fact::Unknown(why) => return Err(why),
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.text() {
                Fact::Known(text) => texts.push(text.replace("&{", "${")),
                Fact::Absent => {}
                Fact::Unknown(Why::AfterApply) => texts.push(self.open(path)),
                Fact::Unknown(why) => return Err(why),
            }
        }
        Ok(texts)
    }

    /// What stands for a text that isn't known: it tells what it is made of.
    fn open(&self, path: &[&str]) -> String {
        let (index, text) = (self.reader.index, self.reader.text);
        let references = index.names_in(text, &self.row.address, path);
        // An identity that the deploy makes is neither everyone nor a service.
        let is_identity = |reference: &String| {
            let reference = reference.as_str();
            (reference.starts_with("aws_iam_role.") || reference.starts_with("aws_iam_user."))
                && reference.ends_with(".arn")
        };
        if path.last() == Some(&"identifiers") && !references.is_empty() && references.iter().all(is_identity)
        {
            return Open::Made(references.join(" or ")).written();
        }
        open(references.first().filter(|_| references.len() == 1))
    }
}

fn open(of: Option<&String>) -> String {
    let what = match of {
        Some(reference) => format!("made of {reference}"),
        None => "known after the deploy".to_owned(),
    };
    Open::Missing(what).written()
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
