//! References, followed through the configuration: which bucket, which document is meant where the value is unknown.
//!
//! A plan says `{"references": ["aws_s3_bucket.logs[0].id", …]}` and not what is done with them. So every reference is
//! a candidate, and only a single one is an answer; `coalesce(var.a, var.b)` with two of them is none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serde_json::value::RawValue;

use super::Text;
use super::address::{Address, Call, Key, Scope, Step, leading_key, names, steps};
use super::rows::{self, Row};
use super::shape::{ConfigModule, ConfigResource, Configuration, ModuleCall};
use crate::inventory::Fact;

/// More than this many expressions are followed for no value.
const MOST_EXPRESSIONS: usize = 2_000;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Bucket,
    Policy,
    KmsKey,
}

/// What a value may come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Candidate {
    /// A resource, by the number of its row.
    Row(usize),
    /// A text of the configuration or of the state.
    Text(String),
}

/// What following the references came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub candidates: BTreeSet<Candidate>,
    /// Something was met that leads nowhere: the value may come from there.
    pub unclear: bool,
}

/// The resources and the configuration of one file, to look things up in.
pub(super) struct Index<'d, 'a> {
    rows: &'d [Row<'a>],
    /// By scope, then by the address without its key.
    by_name: BTreeMap<Scope, BTreeMap<String, Vec<usize>>>,
    calls: BTreeMap<(Vec<Call>, String), Vec<Option<Key>>>,
    modules: BTreeMap<Vec<&'d str>, Module<'d, 'a>>,
    variables: BTreeMap<String, Value>,
}

struct Module<'d, 'a> {
    /// The call that makes it; none for the root.
    call: Option<&'d ModuleCall<'a>>,
    module: &'d ConfigModule<'a>,
    resources: BTreeMap<(bool, &'d str, &'d str), &'d ConfigResource<'a>>,
}

/// Where an expression stands.
#[derive(Debug, Clone)]
struct Site {
    scope: Scope,
    /// The own key of the resource or call that holds the expression.
    key: Option<Key>,
    for_each: Option<Value>,
}

impl<'d, 'a> Index<'d, 'a> {
    pub fn new(
        rows: &'d [Row<'a>],
        configuration: Option<&'d Configuration<'a>>,
        variables: BTreeMap<String, Value>,
    ) -> Self {
        let mut by_name: BTreeMap<Scope, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        for (number, row) in rows.iter().enumerate() {
            let address = &row.address;
            let in_scope = match by_name.get_mut(&address.scope) {
                Some(in_scope) => in_scope,
                None => by_name.entry(address.scope.clone()).or_default(),
            };
            in_scope
                .entry(name_of(address.is_data, &address.kind, &address.name))
                .or_default()
                .push(number);
        }
        let mut modules = BTreeMap::new();
        let root = configuration.and_then(|configuration| configuration.root_module.as_ref());
        let mut open: Vec<(Vec<&'d str>, Option<&'d ModuleCall<'a>>, &'d ConfigModule<'a>)> =
            root.map(|root| (Vec::new(), None, root)).into_iter().collect();
        while let Some((path, call, module)) = open.pop() {
            for (name, call) in &module.module_calls {
                if let Some(child) = &call.module {
                    let mut inner = path.clone();
                    inner.push(name);
                    open.push((inner, Some(call), child));
                }
            }
            let resources = module
                .resources
                .iter()
                .map(|resource| {
                    let key = (resource.mode == "data", &*resource.kind, &*resource.name);
                    (key, resource)
                })
                .collect();
            modules.insert(
                path,
                Module {
                    call,
                    module,
                    resources,
                },
            );
        }
        Self {
            rows,
            by_name,
            calls: rows::calls(rows),
            modules,
            variables,
        }
    }

    /// What an argument of a resource refers to, as it is written.
    pub fn names_in(&self, text: &Text<'_>, address: &Address, path: &[&str]) -> Vec<String> {
        let expression = self.argument(text, address, path);
        let names = expression.as_ref().and_then(references);
        names.unwrap_or_default().into_iter().map(str::to_owned).collect()
    }

    pub fn rows(&self) -> &'d [Row<'a>] {
        self.rows
    }

    /// Where the resource stands in the configuration.
    pub fn configured(&self, address: &Address) -> Option<&'d ConfigResource<'a>> {
        let module = self.modules.get(&names(&address.scope))?;
        let key = (address.is_data, address.kind.as_str(), address.name.as_str());
        module.resources.get(&key).copied()
    }

    /// The expression of an argument of a resource: `["logging", "0", "target_bucket"]`.
    pub fn argument(&self, text: &Text<'_>, address: &Address, path: &[&str]) -> Option<Value> {
        let expressions: Value = text.parse_owned(self.configured(address)?.expressions?).ok()?;
        path.iter().try_fold(expressions, |inside, segment| match inside {
            Value::Object(mut members) => members.remove(*segment),
            Value::Array(mut items) => {
                let index: usize = segment.parse().ok()?;
                (index < items.len()).then(|| items.swap_remove(index))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// What the argument of a resource may come from.
    pub fn follow(&self, text: &Text<'_>, address: &Address, path: &[&str], want: Want) -> Found {
        let Some(expression) = self.argument(text, address, path) else {
            return Found {
                unclear: true,
                ..Found::default()
            };
        };
        let mut search = Search {
            index: self,
            text,
            want,
            found: Found::default(),
            budget: MOST_EXPRESSIONS,
        };
        let site = search.site_of(address);
        search.expression(&expression, &site, &[], 0);
        search.found
    }

    /// A constant, or a variable that is one: the region of a provider.
    pub fn constant(&self, text: &Text<'_>, expression: &Value, scope: &[Call]) -> Option<Value> {
        if let Some(constant) = expression.get("constant_value") {
            return Some(constant.clone());
        }
        let references = references(expression)?;
        let [reference] = references.as_slice() else {
            return None;
        };
        let all = steps(reference)?;
        let [Step::Name(word), Step::Name(name), rest @ ..] = all.as_slice() else {
            return None;
        };
        if word != "var" {
            return None;
        }
        let value = match scope.split_last() {
            None => self.variable(text, name)?,
            Some((last, parent)) => {
                let module = self.modules.get(&names(scope))?;
                let given = module
                    .call
                    .and_then(|call| call.expressions)
                    .and_then(|raw| text.parse_owned::<BTreeMap<String, Value>>(raw).ok())
                    .and_then(|mut given| given.remove(name));
                match given {
                    // Each parent is one call shorter: the recursion ends at the root.
                    Some(given) if last.key.is_none() => self.constant(text, &given, parent)?,
                    Some(_) => return None,
                    None => text
                        .parse_owned(module.module.variables.get(name.as_str())?.default?)
                        .ok()?,
                }
            }
        };
        descend(&value, rest).cloned()
    }

    /// The value of a variable of the root module.
    fn variable(&self, text: &Text<'_>, name: &str) -> Option<Value> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        let root = self.modules.get(&Vec::new())?;
        text.parse_owned(root.module.variables.get(name)?.default?).ok()
    }

    fn instances(&self, scope: &Scope, is_data: bool, kind: &str, name: &str) -> &[usize] {
        self.by_name
            .get(scope)
            .and_then(|in_scope| in_scope.get(&name_of(is_data, kind, name)))
            .map_or(&[], Vec::as_slice)
    }
}

fn name_of(is_data: bool, kind: &str, name: &str) -> String {
    match is_data {
        true => format!("data.{kind}.{name}"),
        false => format!("{kind}.{name}"),
    }
}

struct Search<'s, 'd, 'a> {
    index: &'s Index<'d, 'a>,
    text: &'s Text<'s>,
    want: Want,
    found: Found,
    budget: usize,
}

/// References lead on, and modules may pass them round: no further than this.
const DEEPEST: usize = 40;

impl Search<'_, '_, '_> {
    fn site_of(&self, address: &Address) -> Site {
        let for_each = self
            .index
            .configured(address)
            .and_then(|resource| resource.for_each_expression);
        Site {
            scope: address.scope.clone(),
            key: address.key.clone(),
            for_each: self.parsed(for_each),
        }
    }

    fn parsed(&self, raw: Option<&RawValue>) -> Option<Value> {
        raw.and_then(|raw| self.text.parse_owned(raw).ok())
    }

    /// `path` is what is picked out of the expression's value.
    fn expression(&mut self, expression: &Value, site: &Site, path: &[Step], depth: usize) {
        let Some(budget) = self.budget.checked_sub(1).filter(|_| depth < DEEPEST) else {
            self.found.unclear = true;
            return;
        };
        self.budget = budget;
        if let Some(constant) = expression.get("constant_value") {
            self.constant(constant, path);
        } else if let Some(references) = references(expression) {
            self.references(&references, site, path, depth);
        } else {
            self.found.unclear = true;
        }
    }

    fn constant(&mut self, constant: &Value, path: &[Step]) {
        match descend(constant, path) {
            // Nothing, a switch or a number is no name: it only chooses among the others.
            None | Some(Value::Null | Value::Bool(_) | Value::Number(_)) => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(text)) => {
                self.found.candidates.insert(Candidate::Text(text.clone()));
            }
            Some(Value::Array(_) | Value::Object(_)) => self.found.unclear = true,
        }
    }

    fn references(&mut self, references: &[&str], site: &Site, path: &[Step], depth: usize) {
        let by_own_key = references
            .iter()
            .any(|reference| matches!(*reference, "each.key" | "count.index"));
        for reference in references {
            let Some(mut all) = steps(reference) else {
                self.found.unclear = true;
                continue;
            };
            // Of several references nobody knows which one the path goes through.
            if references.len() == 1 {
                all.extend_from_slice(path);
            }
            self.reference(&all, site, by_own_key, depth);
        }
    }

    fn reference(&mut self, all: &[Step], site: &Site, by_own_key: bool, depth: usize) {
        let [Step::Name(head), rest @ ..] = all else {
            self.found.unclear = true;
            return;
        };
        match (head.as_str(), rest) {
            ("count" | "path" | "terraform", _) => {}
            ("each", [Step::Name(key), ..]) if key == "key" => {}
            ("each", [Step::Name(value), rest @ ..]) if value == "value" => {
                match (&site.for_each, &site.key) {
                    (Some(for_each), Some(key)) => {
                        let mut path = vec![Step::Key(key.clone())];
                        path.extend_from_slice(rest);
                        let outside = Site {
                            for_each: None,
                            ..site.clone()
                        };
                        self.expression(for_each, &outside, &path, depth + 1);
                    }
                    _ => self.found.unclear = true,
                }
            }
            ("var", [Step::Name(name), rest @ ..]) => self.variable(name, rest, site, depth),
            ("module", [Step::Name(name), rest @ ..]) => self.output(name, rest, site, by_own_key, depth),
            ("data", [Step::Name(kind), Step::Name(name), rest @ ..]) => {
                self.resource(true, kind, name, rest, site, by_own_key, depth);
            }
            ("local" | "self" | "each" | "var" | "module" | "data", _) => self.found.unclear = true,
            (kind, [Step::Name(name), rest @ ..]) => {
                self.resource(false, kind, name, rest, site, by_own_key, depth);
            }
            (_, _) => self.found.unclear = true,
        }
    }

    fn variable(&mut self, name: &str, rest: &[Step], site: &Site, depth: usize) {
        let Some((last, parent)) = site.scope.split_last() else {
            match self.index.variable(self.text, name) {
                Some(value) => self.constant(&value, rest),
                None => self.found.unclear = true,
            }
            return;
        };
        let Some(module) = self.index.modules.get(&names(&site.scope)) else {
            self.found.unclear = true;
            return;
        };
        let given = module
            .call
            .and_then(|call| call.expressions)
            .and_then(|raw| self.text.parse_owned::<BTreeMap<String, Value>>(raw).ok())
            .and_then(|mut given| given.remove(name));
        match given {
            Some(given) => {
                let caller = Site {
                    scope: parent.to_vec(),
                    key: last.key.clone(),
                    for_each: self.parsed(module.call.and_then(|call| call.for_each_expression)),
                };
                self.expression(&given, &caller, rest, depth + 1);
            }
            None => match module.module.variables.get(name) {
                Some(variable) => {
                    let default = self.parsed(variable.default).unwrap_or(Value::Null);
                    self.constant(&default, rest);
                }
                None => self.found.unclear = true,
            },
        }
    }

    fn output(&mut self, name: &str, rest: &[Step], site: &Site, by_own_key: bool, depth: usize) {
        let (key, rest) = leading_key(rest);
        let mut path = names(&site.scope);
        path.push(name);
        let (Some(module), [Step::Name(output), rest @ ..]) = (self.index.modules.get(&path), rest) else {
            self.found.unclear = true;
            return;
        };
        let instances = self.index.calls.get(&(site.scope.clone(), name.to_owned()));
        let instances = instances.map_or(&[][..], Vec::as_slice);
        let is_many = module
            .call
            .is_some_and(|call| call.count_expression.is_some() || call.for_each_expression.is_some());
        let chosen = match (key, is_many) {
            (Some(key), _) => Some(key),
            (None, false) => None,
            (None, true) if by_own_key && instances.contains(&site.key) => site.key.clone(),
            (None, true) => match instances {
                // No instance at all: whatever uses it isn't reached.
                [] => return,
                [only] => only.clone(),
                _ => {
                    self.found.unclear = true;
                    return;
                }
            },
        };
        let mut scope = site.scope.clone();
        scope.push(Call {
            name: name.to_owned(),
            key: chosen,
        });
        let expression = module.module.outputs.get(output.as_str());
        match self.parsed(expression.and_then(|output| output.expression)) {
            Some(expression) => {
                let inside = Site {
                    scope,
                    key: None,
                    for_each: None,
                };
                self.expression(&expression, &inside, rest, depth + 1);
            }
            None => self.found.unclear = true,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of one reference")]
    fn resource(
        &mut self,
        is_data: bool,
        kind: &str,
        name: &str,
        rest: &[Step],
        site: &Site,
        by_own_key: bool,
        depth: usize,
    ) {
        let (key, rest) = leading_key(rest);
        let instances = self.index.instances(&site.scope, is_data, kind, name);
        let key_of = |number: &usize| &self.index.rows[*number].address.key;
        let own = || instances.iter().find(|number| *key_of(number) == site.key);
        let chosen = match (&key, instances) {
            (Some(_), _) => instances.iter().find(|number| *key_of(number) == key),
            (None, [only]) => Some(only),
            (None, [_, ..]) if by_own_key && own().is_some() => own(),
            (None, [_, ..]) => {
                self.found.unclear = true;
                return;
            }
            (None, []) => None,
        };
        let attribute = rest.iter().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Key(_) => None,
        });
        match chosen {
            Some(number) => self.instance(*number, attribute, depth),
            None => {
                let address = Address {
                    scope: site.scope.clone(),
                    is_data,
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                    key: None,
                };
                let is_many = self.index.configured(&address).is_some_and(|resource| {
                    resource.count_expression.is_some() || resource.for_each_expression.is_some()
                });
                // A resource without an instance is a branch that isn't taken.
                self.found.unclear |= !is_many;
            }
        }
    }

    fn instance(&mut self, number: usize, attribute: Option<&str>, depth: usize) {
        let row = &self.index.rows[number];
        let address = &row.address;
        let is_name = matches!(attribute, None | Some("id" | "bucket"));
        match (self.want, address.is_data, address.kind.as_str()) {
            (Want::Bucket, false, "aws_s3_bucket") if is_name => {
                self.found.candidates.insert(Candidate::Row(number));
            }
            (Want::Bucket, _, kind) if is_name && kind.starts_with("aws_s3_bucket") => {
                // What configures a bucket, or looks it up, hands its name on.
                match row.after.as_ref().map(|after| &after.bucket) {
                    Some(Fact::Known(name)) => {
                        self.found.candidates.insert(Candidate::Text(name.clone()));
                    }
                    _ => match self.index.argument(self.text, address, &["bucket"]) {
                        Some(expression) => {
                            let site = self.site_of(address);
                            self.expression(&expression, &site, &[], depth + 1);
                        }
                        None => self.found.unclear = true,
                    },
                }
            }
            (Want::Policy, true, "aws_iam_policy_document")
                if matches!(attribute, None | Some("json" | "minified_json")) =>
            {
                self.found.candidates.insert(Candidate::Row(number));
            }
            (Want::KmsKey, false, "aws_kms_key" | "aws_kms_alias" | "aws_kms_external_key") => {
                self.found.candidates.insert(Candidate::Row(number));
            }
            _ => self.found.unclear = true,
        }
    }
}

/// The references of an expression, each once: Terraform lists behind each its own beginnings
/// (`a.b[0].id`, `a.b[0]`, `a.b`), which say nothing more.
fn references(expression: &Value) -> Option<Vec<&str>> {
    let all: Vec<&str> = expression
        .get("references")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut kept = Vec::new();
    let mut rest = all.as_slice();
    while let [first, after @ ..] = rest {
        kept.push(*first);
        let mut last = *first;
        let mut beginnings = 0;
        for next in after {
            if !is_beginning(next, last) {
                break;
            }
            last = next;
            beginnings += 1;
        }
        rest = &after[beginnings..];
    }
    Some(kept)
}

fn is_beginning(short: &str, long: &str) -> bool {
    long.strip_prefix(short)
        .is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn descend<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |inside, step| match step {
        Step::Name(name) | Step::Key(Key::Text(name)) => inside.get(name.as_str()),
        Step::Key(Key::Number(number)) => inside.get(usize::try_from(*number).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_beginnings_of_a_reference_say_nothing_more() {
        let expression = json!({"references": [
            "aws_s3_bucket.logs", "count.index",
            "aws_s3_bucket.logs[0].id", "aws_s3_bucket.logs[0]", "aws_s3_bucket.logs",
            "aws_s3_bucket.logs_too.id", "aws_s3_bucket.logs_too",
        ]});
        assert_eq!(
            references(&expression),
            Some(vec![
                "aws_s3_bucket.logs",
                "count.index",
                "aws_s3_bucket.logs[0].id",
                "aws_s3_bucket.logs_too.id"
            ])
        );
    }
}
