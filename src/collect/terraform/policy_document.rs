//! `data.aws_iam_policy_document` → the policy that it renders.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>
//!
//! A document that is read only during the deploy has in the plan all that is known of it, with nothing in place of the
//! rest. Such a leaf alone is open, and the document is decided where it doesn't matter: whoever else may write, a
//! document without the log service grants it nothing. What text stands around a reference is never in a plan:
//! `"${aws_s3_bucket.logs.arn}/access/*"` and the ARN alone are one, so a leaf is open as a whole, unless the files of
//! the configuration tell.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Reader;
use super::evaluate::Evaluator;
use super::references::{Candidate, Want};
use super::rows::Row;
use super::value::Node;
use super::worth::Worth;
use crate::inventory::{Fact, Why};
use crate::policy::open::{self, Open};

/// Documents take up documents: no deeper than this.
const DEEPEST: usize = 8;

/// The version of a document that names none.
const VERSION: &str = "2012-10-17";

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
    /// The version of what is taken up perhaps.
    perhaps: Option<String>,
}

struct Statement {
    /// An empty one is none.
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
                    sid: elements
                        .get("Sid")
                        .and_then(Value::as_str)
                        .filter(|sid| !sid.is_empty())
                        .map(str::to_owned),
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
            perhaps: None,
        })
    }

    /// Takes another document up: a statement replaces the one of the same `Sid`, and the later version is taken.
    fn take_up(&mut self, other: Document, is_perhaps: bool) {
        match is_perhaps {
            true => self.perhaps = self.perhaps.take().max(other.version),
            false => {
                self.version = self.version.take().max(other.version);
                self.id = other.id.or(self.id.take());
            }
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
        let version = self.version.unwrap_or_else(|| VERSION.to_owned());
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

/// The JSON text of a policy that the files of the configuration put together. None where what makes it a policy is
/// open.
pub(super) fn of_value(value: &Worth) -> Option<String> {
    let (text, parsed) = match value {
        Worth::Json(value) => (value.to_string(), value.clone()),
        Worth::Text(text) => {
            let text = quoted(text);
            let parsed = serde_json::from_str(&text).ok()?;
            (text, parsed)
        }
        _ => return None,
    };
    if !open::is_in(&text) {
        return Some(text);
    }
    let settled = settled(parsed.clone())?;
    // As it is written, where nothing had to be moved: S3 meets a key that stands twice.
    match settled == parsed {
        true => Some(text),
        false => Some(settled.to_string()),
    }
}

/// An open bucket goes by its address, and that may have quotation marks: `aws_s3_bucket.logs["eu"]`.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = open::position(rest) {
        out.push_str(&rest[..at]);
        let end = Open::leading(&rest[at..]).map_or(rest.len(), |(_, after)| rest.len() - after.len());
        let mut before = ' ';
        for c in rest[at..end].chars() {
            if c == '"' && before != '\\' {
                out.push('\\');
            }
            out.push(c);
            before = c;
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Moves what is open to where a policy can be judged with it.
fn settled(document: Value) -> Option<Value> {
    let Value::Object(mut document) = document else {
        return None;
    };
    let is_open = |value: &Value| value.as_str().is_some_and(open::is_in);
    if document.keys().any(|key| open::is_in(key)) || document.get("Version").is_some_and(is_open) {
        return None;
    }
    if document.get("Id").is_some_and(is_open) {
        document.remove("Id");
    }
    match document.get_mut("Statement") {
        Some(Value::Array(statements)) => {
            for statement in statements {
                settle(statement)?;
            }
        }
        Some(statement @ Value::Object(_)) => settle(statement)?,
        Some(Value::String(text)) if open::is_in(text) => return None,
        Some(_) | None => {}
    }
    Some(Value::Object(document))
}

fn settle(statement: &mut Value) -> Option<()> {
    let elements = match statement {
        Value::Object(elements) => elements,
        Value::String(text) if open::is_in(text) => return None,
        _ => return Some(()),
    };
    let is_open = |value: &Value| value.as_str().is_some_and(open::is_in);
    if elements.keys().any(|key| open::is_in(key)) || elements.get("Effect").is_some_and(is_open) {
        return None;
    }
    if elements.get("Sid").is_some_and(is_open) {
        elements.remove("Sid");
    }
    for name in ["Principal", "NotPrincipal"] {
        if let Some(principal) = elements.get_mut(name).filter(|principal| is_open(principal)) {
            *principal = Value::Object(Map::from_iter([("AWS".to_owned(), principal.take())]));
        }
    }
    let mut has_open = false;
    match elements.get_mut("Condition") {
        Some(Value::Object(operators)) => {
            let count = operators.len();
            operators.retain(|_, keys| !is_open(keys));
            has_open |= operators.len() < count;
            for (operator, keys) in operators.iter_mut() {
                let Value::Object(keys) = keys else { continue };
                if open::is_in(operator) || keys.keys().any(|key| open::is_in(key)) {
                    return None;
                }
                // What is wholly unknown may be a list of none.
                let is_wholly_open = |value: &Value| {
                    let text = value.as_str().unwrap_or_default();
                    matches!(Open::leading(text), Some((Open::Missing(_), "")))
                };
                let count = keys.len();
                keys.retain(|_, values| !is_wholly_open(values));
                has_open |= keys.len() < count;
            }
        }
        Some(condition) if is_open(condition) => {
            *condition = Value::Object(Map::new());
            has_open = true;
        }
        Some(_) | None => {}
    }
    if has_open {
        open_condition(elements);
    }
    Some(())
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
    let within = Within {
        reader,
        row,
        files: Evaluator::new(reader),
    };
    let mut document = Document::default();
    for argument in ["source_json", "source_policy_documents"] {
        within.take_up(&mut document, node, argument, depth)?;
    }
    document.take_up(within.own(node)?, false);
    for argument in ["override_json", "override_policy_documents"] {
        within.take_up(&mut document, node, argument, depth)?;
    }
    // A policy variable is one only in the later version.
    match document.perhaps > document.version {
        true => Err(Why::AfterApply),
        false => Ok(Rendered::Document(document)),
    }
}

/// One data source, in its configuration.
struct Within<'w, 'r, 'a> {
    reader: Reader<'r, 'a>,
    row: &'w Row<'a>,
    /// None where they weren't given.
    files: Option<Evaluator<'r, 'a>>,
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
        let is_told = items
            .iter()
            .flatten()
            .all(|item| !matches!(item.name(), Fact::Unknown(Why::AfterApply)));
        if !(items.is_some() && is_told)
            && let Some(parts) = self.parts(argument)
        {
            for part in parts {
                document.take_up(self.part(&part, depth)?, false);
            }
            return Ok(());
        }
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

    /// The documents that the files put into an argument, where all of them are understood.
    fn parts(&self, argument: &str) -> Option<Vec<Worth>> {
        let mut parts = match self.files.as_ref()?.argument(&self.row.address, &[argument])? {
            Worth::List(parts) => parts,
            one => vec![one],
        };
        parts.retain(|part| *part != Worth::Null && *part != Worth::Text(String::new()));
        let is_document = |part: &Worth| matches!(part, Worth::Document(_) | Worth::Json(_) | Worth::Text(_));
        parts.iter().all(is_document).then_some(parts)
    }

    fn part(&self, part: &Worth, depth: usize) -> Result<Document, Why> {
        let text = match part {
            Worth::Document(number) => {
                let row = &self.reader.index.rows()[*number];
                match document(self.reader, row, depth + 1)? {
                    Rendered::Document(document) => return Ok(document),
                    Rendered::Text(text) => text,
                }
            }
            other => of_value(other).ok_or(Why::AfterApply)?,
        };
        Document::of_text(&text).ok_or(Why::AfterApply)
    }

    /// Which of the blocks in the files is the one that has this number in the plan. Blocks of a set are in any order:
    /// they are told apart by an argument.
    fn block(&self, path: &[&str], count: usize, number: usize, told: &[(&str, String)]) -> Option<usize> {
        let files = self.files.as_ref()?;
        let Some(blocks) = files.static_blocks(&self.row.address, path) else {
            // Dynamic blocks; those of a set are in any order.
            return (told.is_empty() || count == 1).then_some(number);
        };
        if told.is_empty() {
            return (blocks == count).then_some(number);
        }
        let mut found = (0..blocks).filter(|block| {
            let block = block.to_string();
            told.iter().all(|(argument, text)| {
                let path = [path, &[&block, argument]].concat();
                let written = files.argument(&self.row.address, &path);
                written.and_then(|written| written.text()).as_ref() == Some(text)
            })
        });
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    fn own(&self, node: Node<'_>) -> Result<Document, Why> {
        let statements = answered(node.get("statement").list())?.unwrap_or_default();
        let count = statements.len();
        let statements = statements
            .into_iter()
            .enumerate()
            .map(|(number, statement)| (number, self.block(&["statement"], count, number, &[]), statement));
        Ok(Document {
            version: Some(answered(node.get("version").name())?.unwrap_or_else(|| VERSION.to_owned())),
            id: node.get("policy_id").name().known().cloned(),
            statements: statements
                .map(|(number, block, statement)| self.statement(statement, number, block))
                .collect::<Result<_, _>>()?,
            perhaps: None,
        })
    }

    fn statement(&self, node: Node<'_>, number: usize, block: Option<usize>) -> Result<Statement, Why> {
        let number = number.to_string();
        let block = block.map(|block| block.to_string());
        let block = block.as_deref();
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
            let written = block.map(|block| ["statement", block, argument]);
            let texts = self.texts(node.get(argument), &path, written.as_ref().map(|path| &path[..]))?;
            if !texts.is_empty() {
                elements.insert(element.to_owned(), one_or_many(texts));
            }
        }
        for (argument, element) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            if let Some(principals) = self.principals(node.get(argument), &number, block, argument)? {
                elements.insert(element.to_owned(), principals);
            }
        }
        self.conditions(node.get("condition"), &number, block, &mut elements)?;
        Ok(Statement {
            sid,
            elements,
            is_perhaps: false,
        })
    }

    fn principals(
        &self,
        node: Node<'_>,
        number: &str,
        block: Option<&str>,
        argument: &str,
    ) -> Result<Option<Value>, Why> {
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
        let count = all.len();
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
            let within = block.map(|block| ["statement", block, argument]);
            let inner = within
                .as_ref()
                .and_then(|within| self.block(within, count, 0, &[("type", kind.clone())]))
                .map(|inner| inner.to_string());
            let written = block
                .zip(inner.as_deref())
                .map(|(block, inner)| ["statement", block, argument, inner, "identifiers"]);
            let identifiers = match is_open {
                true => vec![open(None)],
                false => {
                    let written = written.as_ref().map(|path| &path[..]);
                    self.texts(principal.get("identifiers"), &path, written)?
                }
            };
            let whole = types.entry(kind).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(whole) = whole {
                whole.extend(identifiers.into_iter().map(Value::from));
            }
        }
        Ok((!types.is_empty()).then_some(Value::Object(types)))
    }

    fn conditions(
        &self,
        node: Node<'_>,
        number: &str,
        block: Option<&str>,
        elements: &mut Map<String, Value>,
    ) -> Result<(), Why> {
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
        let count = conditions.len();
        for (position, condition) in conditions.into_iter().enumerate() {
            let position = position.to_string();
            let path = ["statement", number, "condition", &position, "values"];
            let (test, variable) = (condition.get("test").name(), condition.get("variable").name());
            let values = condition.get("values");
            if [&test, &variable].contains(&&Fact::Unknown(Why::AfterApply)) {
                has_open = true;
                continue;
            }
            let (Some(test), Some(variable)) = (answered(test)?, answered(variable)?) else {
                continue;
            };
            let told = [("test", test.clone()), ("variable", variable.clone())];
            let within = block.map(|block| ["statement", block, "condition"]);
            let inner = within
                .as_ref()
                .and_then(|within| self.block(within, count, 0, &told))
                .map(|inner| inner.to_string());
            let written = block
                .zip(inner.as_deref())
                .map(|(block, inner)| ["statement", block, "condition", inner, "values"]);
            let written = written.as_ref().map(|path| &path[..]);
            // Nobody knows how many values there are, and none at all is another condition.
            if values.is_unknown() && written.and_then(|path| self.written(path)).is_none() {
                has_open = true;
                continue;
            }
            let mut values = self.texts(values, &path, written)?;
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
    fn texts(&self, node: Node<'_>, path: &[&str], written: Option<&[&str]>) -> Result<Vec<String>, Why> {
        let later = Fact::Unknown(Why::AfterApply);
        let items = match node.list() {
            Fact::Known(items) => Some(items),
            Fact::Absent => return Ok(Vec::new()),
            Fact::Unknown(Why::AfterApply) => None,
            Fact::Unknown(why) => return Err(why),
        };
        let is_told = items
            .as_ref()
            .is_some_and(|items| items.iter().all(|item| item.text() != later));
        if !is_told && let Some(written) = written.and_then(|path| self.written(path)) {
            let texts = written.iter().filter(|text| **text != Worth::Null);
            return Ok(texts
                .map(|text| text.text().unwrap_or_else(|| self.open(path)).replace("&{", "${"))
                .collect());
        }
        let Some(items) = items else {
            return Ok(vec![self.open(path)]);
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

    /// The list that the files put together, where it is known how many there are.
    fn written(&self, path: &[&str]) -> Option<Vec<Worth>> {
        match self.files.as_ref()?.argument(&self.row.address, path)? {
            Worth::List(items) => Some(items),
            _ => None,
        }
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
