//! What an expression of the configuration's own files comes to, as far as the plan tells.
//!
//! A plan holds the values that are known before the deploy, and of the others what they refer to. The files hold how
//! they are put together: `"${aws_s3_bucket.logs.arn}/access/*"`. Here the two are joined. A bucket that has no name yet
//! stands in a text as one that is open; whatever isn't understood is unknown, and makes unknown what is made of it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hcl_edit::expr::{Expression, ForExpr, FuncCall, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::structure::Block;
use hcl_edit::template::{Element, Strip, Template};
use serde_json::Value;

use super::Reader;
use super::address::{Address, Call, Key, Scope};
use super::conversion::converted;
use super::functions::{binary, function};
use super::references::Candidate;
use super::source::{Folder, Sources};
use super::value::Node;
use super::worth::{DEEPEST, Worth, plain, unknown_text};
use crate::collect::deployment::BucketKey;
use crate::inventory::Fact;
use crate::policy::open::Open;

/// More than this many expressions are evaluated for no value.
const MOST_EXPRESSIONS: usize = 20_000;

/// More parts than this are put together for no value.
const HEAVIEST: usize = 2_000_000;

/// A module that is counted has no more instances than this.
const MOST_INSTANCES: i64 = 1_000;

/// What was evaluated already: the values of `for_each`, of locals and of outputs, by scope and name.
#[derive(Default)]
pub(super) struct Known {
    values: RefCell<BTreeMap<(Scope, String), Rc<Worth>>>,
    /// The rows whose bucket is being looked for.
    open: RefCell<BTreeSet<usize>>,
    /// How many expressions may still be evaluated for the value that is asked for.
    budget: Cell<usize>,
    /// And how much may still be made.
    weight: Cell<usize>,
    /// Values asked for within values: these share one budget.
    nested: Cell<usize>,
}

/// Buckets that are named after buckets: no longer a chain than this.
const LONGEST_CHAIN: usize = 4;

impl Known {
    /// What is told of a row's bucket; nothing where that asks for itself.
    pub fn once<T>(&self, row: usize, make: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.open.borrow().len() >= LONGEST_CHAIN || !self.open.borrow_mut().insert(row) {
            return None;
        }
        let made = make();
        self.open.borrow_mut().remove(&row);
        made
    }
}

/// Where an expression stands.
#[derive(Clone)]
struct Site<'s> {
    scope: Scope,
    /// The own key of the resource or call that holds the expression.
    key: Option<Key>,
    /// The block that holds the expression.
    block: Option<&'s Block>,
    /// What `for` and dynamic blocks name.
    bound: Vec<(String, Worth)>,
}

pub(super) struct Evaluator<'r, 'a> {
    reader: Reader<'r, 'a>,
    sources: &'r Sources<'r>,
}

impl<'r, 'a> Evaluator<'r, 'a> {
    /// None where the files weren't given.
    pub fn new(reader: Reader<'r, 'a>) -> Option<Self> {
        Some(Self {
            reader,
            sources: reader.sources?,
        })
    }

    /// The argument of a resource: `["logging", "0", "target_bucket"]`. None where it isn't found in the files.
    pub fn argument(&self, address: &Address, path: &[&str]) -> Option<Worth> {
        self.asked(|| self.written(address, path))
    }

    fn written(&self, address: &Address, path: &[&str]) -> Option<Worth> {
        let folder = self.sources.folder_of(&address.scope)?;
        let block = folder.block(&address.block_name())?;
        let mut site = self.site(address, block);
        let mut body = &block.body;
        let mut path = path;
        while let [name, number, rest @ ..] = path {
            let inner = self.nested(body, name, number.parse().ok()?, &mut site)?;
            body = &inner.body;
            path = rest;
        }
        let [name] = path else { return None };
        let attribute = body.get_attribute(name)?;
        Some(self.value(&attribute.value, &site, 0))
    }

    /// Evaluates within the budget of one value.
    fn asked<T>(&self, evaluate: impl FnOnce() -> T) -> T {
        let known = self.reader.known;
        let nested = known.nested.get();
        if nested == 0 {
            known.budget.set(MOST_EXPRESSIONS);
            known.weight.set(HEAVIEST);
        }
        known.nested.set(nested + 1);
        let value = evaluate();
        known.nested.set(nested);
        value
    }

    /// Whether the files make blocks of this name, or may do so.
    pub fn may_have_blocks(&self, address: &Address, name: &str) -> bool {
        let Some(folder) = self.sources.folder_of(&address.scope) else {
            return false;
        };
        let Some(block) = folder.written_block(&address.block_name()) else {
            return false;
        };
        let site = self.site(address, block);
        let is_made = |inner: &Block| match inner.body.get_attribute("for_each") {
            Some(for_each) => self.length(&self.value(&for_each.value, &site, 0)) != Some(0),
            None => true,
        };
        self.asked(|| {
            block.body.blocks().any(|inner| match is_dynamic(inner, name) {
                true => is_made(inner),
                false => inner.ident.as_str() == name,
            })
        })
    }

    /// How many static blocks of this name there are; none where others are made of a value.
    pub fn static_blocks(&self, address: &Address, path: &[&str]) -> Option<usize> {
        let folder = self.sources.folder_of(&address.scope)?;
        let block = folder.block(&address.block_name())?;
        let mut body = &block.body;
        let mut path = path;
        while let [name, number, rest @ ..] = path {
            let number: usize = number.parse().ok()?;
            body = &body.get_blocks(name).nth(number)?.body;
            path = rest;
        }
        let [name] = path else { return None };
        let has_dynamic = body.blocks().any(|block| is_dynamic(block, name));
        (!has_dynamic).then(|| body.get_blocks(name).count())
    }

    fn site<'s>(&self, address: &Address, block: &'s Block) -> Site<'s> {
        Site {
            scope: address.scope.clone(),
            key: address.key.clone(),
            block: Some(block),
            bound: Vec::new(),
        }
    }

    /// A block in a body, static or made of an element of a value.
    fn nested<'b>(
        &self,
        body: &'b hcl_edit::structure::Body,
        name: &str,
        number: usize,
        site: &mut Site<'_>,
    ) -> Option<&'b Block> {
        let mut dynamic = body.blocks().filter(|block| is_dynamic(block, name));
        let Some(made) = dynamic.next() else {
            return body
                .blocks()
                .filter(|block| block.ident.as_str() == name)
                .nth(number);
        };
        if dynamic.next().is_some() || body.get_blocks(name).next().is_some() {
            return None;
        }
        let for_each = self.value(&made.body.get_attribute("for_each")?.value, site, 0);
        let (key, value) = match for_each {
            Worth::List(items) => {
                let value = items.into_iter().nth(number)?;
                // The key of a list is a number, and that of a set its value.
                (Worth::Unknown, value)
            }
            Worth::Map(items) => {
                let (key, value) = items.into_iter().nth(number)?;
                (Worth::Text(key), value)
            }
            _ => (Worth::Unknown, Worth::Unknown),
        };
        let iterator = match made.body.get_attribute("iterator").map(|it| &it.value) {
            Some(Expression::Variable(name)) => name.as_str().to_owned(),
            Some(_) => return None,
            None => name.to_owned(),
        };
        let each = [("key".to_owned(), key), ("value".to_owned(), value)];
        site.bound
            .push((iterator, Worth::Map(each.into_iter().collect())));
        made.body.get_blocks("content").next()
    }

    /// The recursion is bounded by [`DEEPEST`].
    fn value(&self, expression: &Expression, site: &Site<'_>, depth: usize) -> Worth {
        let left = &self.reader.known.budget;
        let Some(budget) = left.get().checked_sub(1).filter(|_| depth < DEEPEST) else {
            return Worth::Unknown;
        };
        left.set(budget);
        let depth = depth + 1;
        let value = match expression {
            Expression::Null(_) => Worth::Null,
            Expression::Bool(flag) => Worth::Bool(*flag.value()),
            Expression::Number(number) => number.value().as_i64().map_or(Worth::Unknown, Worth::Number),
            Expression::String(text) => Worth::Text(text.value().clone()),
            Expression::Array(items) => {
                Worth::List(items.iter().map(|item| self.value(item, site, depth)).collect())
            }
            Expression::Object(members) => {
                let mut map = BTreeMap::new();
                for (key, value) in members.iter() {
                    let key = match key {
                        ObjectKey::Ident(name) => Worth::Text(name.as_str().to_owned()),
                        ObjectKey::Expression(Expression::Variable(name)) => {
                            Worth::Text(name.as_str().to_owned())
                        }
                        ObjectKey::Expression(key) => self.value(key, site, depth),
                    };
                    let Some(key) = plain(&key) else {
                        return Worth::Unknown;
                    };
                    map.insert(key, self.value(value.expr(), site, depth));
                }
                Worth::Map(map)
            }
            Expression::StringTemplate(template) => {
                // `"${x}"` is x.
                let mut elements = template.iter();
                if let (Some(Element::Interpolation(only)), None) = (elements.next(), elements.next()) {
                    return self.value(&only.expr, site, depth);
                }
                self.text(template.iter(), site, depth)
            }
            Expression::HeredocTemplate(heredoc) => {
                let template: &Template = &heredoc.template;
                self.text(template.iter(), site, depth)
            }
            Expression::Parenthesis(inner) => self.value(inner.inner(), site, depth),
            Expression::Variable(name) => self.named(name.as_str(), site),
            Expression::Conditional(choice) => match self.value(&choice.cond_expr, site, depth) {
                Worth::Bool(true) => self.value(&choice.true_expr, site, depth),
                Worth::Bool(false) => self.value(&choice.false_expr, site, depth),
                _ => {
                    let one = self.value(&choice.true_expr, site, depth);
                    let other = self.value(&choice.false_expr, site, depth);
                    if one == other { one } else { Worth::Unknown }
                }
            },
            Expression::FuncCall(call) => self.call(call, site, depth),
            Expression::Traversal(traversal) => {
                let root = match &traversal.expr {
                    Expression::Variable(name) => name.as_str(),
                    inner => {
                        let root = self.value(inner, site, depth);
                        return self.walk(root, &operators(&traversal.operators), site, depth);
                    }
                };
                self.traversal(root, &operators(&traversal.operators), site, depth)
            }
            Expression::UnaryOp(operation) => {
                match (
                    operation.operator.value(),
                    self.value(&operation.expr, site, depth),
                ) {
                    (UnaryOperator::Not, Worth::Bool(flag)) => Worth::Bool(!flag),
                    (UnaryOperator::Neg, Worth::Number(number)) => {
                        number.checked_neg().map_or(Worth::Unknown, Worth::Number)
                    }
                    _ => Worth::Unknown,
                }
            }
            Expression::BinaryOp(operation) => binary(
                *operation.operator.value(),
                &self.value(&operation.lhs_expr, site, depth),
                &self.value(&operation.rhs_expr, site, depth),
            ),
            Expression::ForExpr(each) => self.for_each(each, site, depth),
        };
        match value {
            Worth::List(_) | Worth::Map(_) | Worth::Text(_) | Worth::Json(_) => self.weighed(value),
            plain => plain,
        }
    }

    /// The value, unless it and those before it are too much to hold: `[local.a, local.a]` doubles with each level.
    fn weighed(&self, value: Worth) -> Worth {
        let left = &self.reader.known.weight;
        match value.weight(0).and_then(|weight| left.get().checked_sub(weight)) {
            Some(rest) => {
                left.set(rest);
                value
            }
            None => Worth::Unknown,
        }
    }

    /// A copy, as [`Self::weighed`].
    fn copied(&self, value: &Worth) -> Worth {
        let left = &self.reader.known.weight;
        match value.weight(0).and_then(|weight| left.get().checked_sub(weight)) {
            Some(rest) => {
                left.set(rest);
                value.clone()
            }
            None => Worth::Unknown,
        }
    }

    fn text<'e>(&self, elements: impl Iterator<Item = &'e Element>, site: &Site<'_>, depth: usize) -> Worth {
        let mut text = String::new();
        for element in elements {
            match element {
                Element::Literal(literal) => text.push_str(literal.value()),
                Element::Interpolation(inner) => {
                    let value = self.value(&inner.expr, site, depth);
                    if inner.strip != Strip::None {
                        return Worth::Unknown;
                    }
                    match (value.text(), value) {
                        (Some(part), _) => text.push_str(&part),
                        (None, Worth::Json(value)) => text.push_str(&value.to_string()),
                        (None, _) => text.push_str(&unknown_text()),
                    }
                }
                Element::Directive(_) => return Worth::Unknown,
            }
        }
        Worth::Text(text)
    }

    fn named(&self, name: &str, site: &Site<'_>) -> Worth {
        let bound = site.bound.iter().rev().find(|(bound, _)| bound == name);
        bound.map_or(Worth::Unknown, |(_, value)| self.copied(value))
    }

    fn traversal(&self, root: &str, steps: &[&TraversalOperator], site: &Site<'_>, depth: usize) -> Worth {
        if site.bound.iter().any(|(bound, _)| bound == root) {
            return self.walk(self.named(root, site), steps, site, depth);
        }
        let (name, rest) = match steps {
            [TraversalOperator::GetAttr(name), rest @ ..] => (name.as_str(), rest),
            _ => return Worth::Unknown,
        };
        let value = match root {
            "var" => self.variable(name, site, depth),
            "local" => self.local(name, site, depth),
            "each" => self.each(name, site, depth),
            "count" => match (name, &site.key) {
                ("index", Some(Key::Number(number))) => {
                    i64::try_from(*number).map_or(Worth::Unknown, Worth::Number)
                }
                _ => Worth::Unknown,
            },
            "module" => self.module(name, site, depth),
            "data" => {
                let [TraversalOperator::GetAttr(own), rest @ ..] = rest else {
                    return Worth::Unknown;
                };
                let found = self.resources(true, name, own.as_str(), site);
                return self.walk(found, rest, site, depth);
            }
            "path" | "terraform" | "self" => Worth::Unknown,
            kind => {
                // One instance of many is found without the others.
                if let [TraversalOperator::Index(index), after @ ..] = rest
                    && let Some(one) = self.instance(kind, name, &self.value(index, site, depth), site)
                {
                    return self.walk(one, after, site, depth);
                }
                self.resources(false, kind, name, site)
            }
        };
        self.walk(value, rest, site, depth)
    }

    fn walk(&self, root: Worth, steps: &[&TraversalOperator], site: &Site<'_>, depth: usize) -> Worth {
        let mut value = root;
        let mut rest = steps;
        while let [step, after @ ..] = rest {
            rest = after;
            let key = match step {
                TraversalOperator::GetAttr(name) => Worth::Text(name.as_str().to_owned()),
                TraversalOperator::Index(index) => self.value(index, site, depth),
                TraversalOperator::LegacyIndex(number) => {
                    i64::try_from(*number.value()).map_or(Worth::Unknown, Worth::Number)
                }
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    let is_full = matches!(step, TraversalOperator::FullSplat(_));
                    let inner = match is_full {
                        true => after.len(),
                        false => after
                            .iter()
                            .take_while(|step| matches!(step, TraversalOperator::GetAttr(_)))
                            .count(),
                    };
                    let (each, after) = after.split_at(inner);
                    rest = after;
                    let items = match value {
                        Worth::List(items) => items,
                        Worth::Null => Vec::new(),
                        Worth::Resource(_) | Worth::Module(_) => vec![value],
                        // A map is one thing; and it may be a set, whose order nobody knows.
                        _ => return Worth::Unknown,
                    };
                    let items = items.into_iter().map(|item| self.walk(item, each, site, depth));
                    value = Worth::List(items.collect());
                    continue;
                }
            };
            value = self.inside(value, &key, depth);
        }
        value
    }

    fn inside(&self, value: Worth, key: &Worth, depth: usize) -> Worth {
        match (value, key) {
            (Worth::Map(mut map), key) => match plain(key) {
                // An attribute that is missing may have a default.
                Some(key) => map.remove(&key).unwrap_or(Worth::Unknown),
                None => Worth::Unknown,
            },
            (Worth::List(mut items), Worth::Number(number)) => match usize::try_from(*number) {
                Ok(number) if number < items.len() => items.swap_remove(number),
                Ok(_) | Err(_) => Worth::Unknown,
            },
            (Worth::Resource(number), Worth::Text(name)) => self.attribute(number, name),
            (Worth::Module(scope), Worth::Text(name)) => self.output(&scope, name, depth),
            _ => Worth::Unknown,
        }
    }

    fn remembered(&self, scope: &Scope, name: String, make: impl FnOnce() -> Worth) -> Rc<Worth> {
        let question = (scope.clone(), name);
        if let Some(known) = self.reader.known.values.borrow().get(&question) {
            return Rc::clone(known);
        }
        let made = Rc::new(make());
        // What the budget cut off is no answer to keep.
        if self.reader.known.budget.get() > 0 {
            let mut values = self.reader.known.values.borrow_mut();
            values.insert(question, Rc::clone(&made));
        }
        made
    }

    fn variable(&self, name: &str, site: &Site<'_>, depth: usize) -> Worth {
        let Some((last, parent)) = site.scope.split_last() else {
            return match self.reader.index.root_variable(self.reader.text, name) {
                Some(value) => self.declared(name, site, self.of_json(&value)),
                None => Worth::Unknown,
            };
        };
        let Some(folder) = self.sources.folder_of(parent) else {
            return Worth::Unknown;
        };
        let Some(block) = folder.block(&format!("module {}", last.name)) else {
            return Worth::Unknown;
        };
        if self.reader.index.is_sensitive(&site.scope, name) {
            return Worth::Unknown;
        }
        match block.body.get_attribute(name) {
            Some(given) => {
                let caller = Site {
                    scope: parent.to_vec(),
                    key: last.key.clone(),
                    block: Some(block),
                    bound: Vec::new(),
                };
                let given = self.value(&given.value, &caller, depth);
                self.declared(name, site, given)
            }
            None => match self.reader.index.default(self.reader.text, &site.scope, name) {
                Some(value) => self.declared(name, site, self.of_json(&value)),
                None => Worth::Unknown,
            },
        }
    }

    /// A value as the declaration of its variable makes it.
    fn declared(&self, name: &str, site: &Site<'_>, value: Worth) -> Worth {
        let folder = self.sources.folder_of(&site.scope);
        let block = folder
            .as_deref()
            .and_then(|folder: &Folder| folder.block(&format!("variable {name}")));
        let Some(block) = block else {
            return Worth::Unknown;
        };
        if block.body.has_attribute("nullable") && value == Worth::Null {
            return Worth::Unknown;
        }
        match block.body.get_attribute("type") {
            Some(declared) => converted(value, &declared.value, 0),
            None => value,
        }
    }

    fn local(&self, name: &str, site: &Site<'_>, depth: usize) -> Worth {
        let value = self.remembered(&site.scope, format!("local.{name}"), || {
            let folder = self.sources.folder_of(&site.scope);
            let Some(expression) = folder.as_deref().and_then(|folder: &Folder| folder.local(name)) else {
                return Worth::Unknown;
            };
            self.value(expression, &within(&site.scope), depth)
        });
        self.copied(&value)
    }

    fn each(&self, name: &str, site: &Site<'_>, depth: usize) -> Worth {
        let (Some(Key::Text(key)), Some(block)) = (&site.key, site.block) else {
            return Worth::Unknown;
        };
        match name {
            "key" => Worth::Text(key.clone()),
            "value" => {
                let Some(for_each) = block.body.get_attribute("for_each") else {
                    return Worth::Unknown;
                };
                let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
                let question = format!("{} {}", block.ident.as_str(), labels.join(" "));
                let all = self.remembered(&site.scope, question, || {
                    self.value(&for_each.value, &within(&site.scope), depth)
                });
                match &*all {
                    Worth::Map(map) => map.get(key).map_or(Worth::Unknown, |value| self.copied(value)),
                    // A set.
                    Worth::List(_) => Worth::Text(key.clone()),
                    _ => Worth::Unknown,
                }
            }
            _ => Worth::Unknown,
        }
    }

    /// The instances of a module.
    fn module(&self, name: &str, site: &Site<'_>, depth: usize) -> Worth {
        let instance = |key: &Option<Key>| {
            let mut scope = site.scope.clone();
            scope.push(Call {
                name: name.to_owned(),
                key: key.clone(),
            });
            Worth::Module(scope)
        };
        let folder = self.sources.folder_of(&site.scope);
        let Some(block) = folder
            .as_deref()
            .and_then(|folder: &Folder| folder.block(&format!("module {name}")))
        else {
            return Worth::Unknown;
        };
        let is_counted = block.body.has_attribute("count");
        let Some(many) = ["count", "for_each"]
            .iter()
            .find_map(|name| block.body.get_attribute(name))
        else {
            return instance(&None);
        };
        // As `each.value` asks for it.
        let many = self.remembered(&site.scope, format!("module {name}"), || {
            self.value(&many.value, &within(&site.scope), depth)
        });
        let numbered = |number| instance(&Some(Key::Number(number)));
        let named = |key: String| {
            let made = instance(&Some(Key::Text(key.clone())));
            (key, made)
        };
        let index = self.reader.index;
        match &*many {
            Worth::Number(count @ 0..=MOST_INSTANCES) if is_counted => {
                Worth::List((0..count.unsigned_abs()).map(numbered).collect())
            }
            Worth::Map(members) if !is_counted => Worth::Map(members.keys().cloned().map(named).collect()),
            Worth::List(texts) if !is_counted => match texts.iter().map(plain).collect::<Option<Vec<_>>>() {
                Some(texts) => Worth::Map(texts.into_iter().map(named).collect()),
                None => Worth::Unknown,
            },
            // What isn't understood is told by what there is in each. Where all of that goes, nobody says whether the
            // instance goes too.
            _ if index.may_lose_instances(&site.scope, name) => Worth::Unknown,
            _ => {
                let keys = index.instances_of_call(&site.scope, name).iter();
                collected(keys.map(|key| (key.clone(), instance(key)))).unwrap_or(Worth::Unknown)
            }
        }
    }

    fn output(&self, scope: &Scope, name: &str, depth: usize) -> Worth {
        let value = self.remembered(scope, format!("output.{name}"), || {
            let folder = self.sources.folder_of(scope);
            let block = folder
                .as_deref()
                .and_then(|folder: &Folder| folder.block(&format!("output {name}")));
            let block = block.filter(|block| !block.body.has_attribute("sensitive"));
            match block.and_then(|block| block.body.get_attribute("value")) {
                Some(value) => self.value(&value.value, &within(scope), depth),
                None => Worth::Unknown,
            }
        });
        self.copied(&value)
    }

    fn instance(&self, kind: &str, name: &str, key: &Worth, site: &Site<'_>) -> Option<Worth> {
        let key = match key {
            Worth::Number(number) => Key::Number(u64::try_from(*number).ok()?),
            key => Key::Text(plain(key)?),
        };
        let index = self.reader.index;
        let found = self
            .stay(false, kind, name, site)
            .find(|number| index.rows()[*number].address.key.as_ref() == Some(&key));
        found.map(Worth::Resource)
    }

    /// The rows of a resource's instances that are there after the deploy.
    fn stay(&self, is_data: bool, kind: &str, name: &str, site: &Site<'_>) -> impl Iterator<Item = usize> {
        let index = self.reader.index;
        let numbers = index.instances(&site.scope, is_data, kind, name);
        let rows = index.rows();
        numbers.iter().copied().filter(|number| !rows[*number].is_gone)
    }

    /// The instances of a resource.
    fn resources(&self, is_data: bool, kind: &str, name: &str, site: &Site<'_>) -> Worth {
        let index = self.reader.index;
        let all = self
            .stay(is_data, kind, name, site)
            .map(|number| (index.rows()[number].address.key.clone(), Worth::Resource(number)));
        match collected(all) {
            Some(found) => found,
            // A resource without an instance.
            None => match index.declared(&site.scope, is_data, kind, name) {
                Some(resource) if resource.count_expression.is_some() => Worth::List(Vec::new()),
                Some(resource) if resource.for_each_expression.is_some() => Worth::Map(BTreeMap::new()),
                Some(_) | None => Worth::Unknown,
            },
        }
    }

    fn attribute(&self, number: usize, name: &str) -> Worth {
        let row = &self.reader.index.rows()[number];
        let Some(side) = &row.after else {
            return Worth::Unknown;
        };
        let is_bucket = row.is_managed("aws_s3_bucket");
        let of_bucket = match (is_bucket, name) {
            (true, "id" | "bucket") => Some(""),
            (true, "arn") => Some("arn"),
            (false, "id" | "bucket")
                if row.address.kind.starts_with("aws_s3_bucket_")
                    && !row.address.is_data
                    && self
                        .reader
                        .index
                        .names_bucket(self.reader.text, number, Some(name)) =>
            {
                Some("")
            }
            _ => None,
        };
        if let Some(what) = of_bucket {
            let text = match self.reader.key_of(&Candidate::Row(number)) {
                BucketKey::Name(name) => name,
                BucketKey::Address(address) => Open::Bucket(address).written(),
                BucketKey::OneOf(_) | BucketKey::Any => return Worth::Unknown,
            };
            return Worth::Text(match what {
                "arn" => {
                    let (owner, _) = self.reader.owners.of(self.reader.index, &row.address);
                    // Where nobody said which partition, it is the usual one.
                    let partition = owner.partition.unwrap_or_default();
                    format!("arn:{partition}:s3:::{text}")
                }
                _ => text,
            });
        }
        let Ok(loaded) = side.load(self.reader.text) else {
            return Worth::Unknown;
        };
        let node = loaded.node().get(name);
        let is_document = row.address.is_data && row.address.kind == "aws_iam_policy_document";
        match is_document && node.is_unknown() && matches!(name, "json" | "minified_json") {
            true => Worth::Document(number),
            false => self.of_node(node, 0),
        }
    }

    /// The recursion is bounded by the depth that the reader of JSON allows.
    fn of_node(&self, node: Node<'_>, depth: usize) -> Worth {
        if node.is_unknown() || node.is_sensitive() || depth > DEEPEST {
            return Worth::Unknown;
        }
        match node.raw() {
            // What a data source hasn't read is missing.
            Value::Null => Worth::Unknown,
            Value::Array(_) => match node.list() {
                Fact::Known(items) => Worth::List(
                    items
                        .into_iter()
                        .map(|item| self.of_node(item, depth + 1))
                        .collect(),
                ),
                Fact::Absent | Fact::Unknown(_) => Worth::Unknown,
            },
            // A member that is unknown is missing in the value.
            Value::Object(members) => Worth::Map(
                members
                    .keys()
                    .chain(node.unknown_members())
                    .map(|key| (key.clone(), self.of_node(node.get(key), depth + 1)))
                    .collect(),
            ),
            plain @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => self.of_json(plain),
        }
    }

    /// The recursion is bounded by the depth that the reader of JSON allows.
    fn of_json(&self, value: &Value) -> Worth {
        match value {
            Value::Null => Worth::Null,
            Value::Bool(flag) => Worth::Bool(*flag),
            Value::Number(number) => number.as_i64().map_or(Worth::Unknown, Worth::Number),
            Value::String(text) if self.reader.secrets.holds(text) => Worth::Unknown,
            Value::String(text) => Worth::Text(text.clone()),
            Value::Array(items) => Worth::List(items.iter().map(|item| self.of_json(item)).collect()),
            Value::Object(members) => Worth::Map(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), self.of_json(value)))
                    .collect(),
            ),
        }
    }

    fn for_each(&self, each: &ForExpr, site: &Site<'_>, depth: usize) -> Worth {
        let items: Vec<(Worth, Worth)> = match self.value(&each.intro.collection_expr, site, depth) {
            Worth::List(items) => {
                // The key of a list is its number, that of a set the value itself.
                let is_list = matches!(each.intro.collection_expr, Expression::Array(_));
                let key = |number| {
                    if is_list {
                        Worth::Number(number)
                    } else {
                        Worth::Unknown
                    }
                };
                (0..).map(key).zip(items).collect()
            }
            Worth::Map(items) => items
                .into_iter()
                .map(|(key, value)| (Worth::Text(key), value))
                .collect(),
            _ => return Worth::Unknown,
        };
        if each.grouping {
            return Worth::Unknown;
        }
        let (mut list, mut map) = (Vec::new(), BTreeMap::new());
        for (key, value) in items {
            let mut inner = site.clone();
            if let Some(name) = &each.intro.key_var {
                inner.bound.push((name.as_str().to_owned(), key));
            }
            inner
                .bound
                .push((each.intro.value_var.as_str().to_owned(), value));
            if let Some(condition) = &each.cond {
                match self.value(&condition.expr, &inner, depth) {
                    Worth::Bool(true) => {}
                    Worth::Bool(false) => continue,
                    _ => return Worth::Unknown,
                }
            }
            let value = self.value(&each.value_expr, &inner, depth);
            match &each.key_expr {
                None => list.push(value),
                Some(key) => match plain(&self.value(key, &inner, depth)) {
                    Some(key) => {
                        map.insert(key, value);
                    }
                    None => return Worth::Unknown,
                },
            }
        }
        match each.key_expr {
            Some(_) => Worth::Map(map),
            None => Worth::List(list),
        }
    }

    fn call(&self, call: &FuncCall, site: &Site<'_>, depth: usize) -> Worth {
        if call.name.is_namespaced() || call.args.expand_final() {
            return Worth::Unknown;
        }
        let arguments: Vec<Worth> = call
            .args
            .iter()
            .map(|argument| self.value(argument, site, depth))
            .collect();
        function(call.name.name.as_str(), arguments)
    }

    fn length(&self, value: &Worth) -> Option<usize> {
        match value {
            Worth::List(items) => Some(items.len()),
            Worth::Map(items) => Some(items.len()),
            _ => None,
        }
    }
}

fn within(scope: &[Call]) -> Site<'static> {
    Site {
        scope: scope.to_vec(),
        key: None,
        block: None,
        bound: Vec::new(),
    }
}

fn is_dynamic(block: &Block, name: &str) -> bool {
    block.ident.as_str() == "dynamic" && block.labels.first().is_some_and(|label| label.as_str() == name)
}

fn operators(all: &[hcl_edit::Decorated<TraversalOperator>]) -> Vec<&TraversalOperator> {
    all.iter().map(|operator| operator.value()).collect()
}

/// Instances by their keys: one, a list, or a map. None where there is none.
fn collected(all: impl Iterator<Item = (Option<Key>, Worth)>) -> Option<Worth> {
    let (mut list, mut map) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in all {
        match key {
            None => return Some(value),
            Some(Key::Number(number)) => {
                list.insert(number, value);
            }
            Some(Key::Text(key)) => {
                map.insert(key, value);
            }
        }
    }
    match (list.is_empty(), map.is_empty()) {
        (true, true) => None,
        (true, false) => Some(Worth::Map(map)),
        // A hole is an instance that is left as it is, or not told.
        (false, true) if list.keys().copied().eq(0..list.len() as u64) => {
            Some(Worth::List(list.into_values().collect()))
        }
        (false, _) => Some(Worth::Unknown),
    }
}
