//! References, followed through the configuration: which bucket, which document is meant where the value is unknown.
//!
//! A plan says `{"references": ["aws_s3_bucket.logs[0].id", …]}` and not what is done with them. So every reference is
//! a candidate, and only a single one is an answer; `coalesce(var.a, var.b)` with two of them is none.
//!
//! What stands around a single reference isn't in a plan either: `aws_s3_bucket.logs.id` and `"${aws_s3_bucket.logs.id}-eu"`
//! are one, and so are `[count.index]` and `[count.index + 1]`. The first of each is what nearly everybody writes; it is
//! taken for that, unless something in the plan speaks against it.

use std::cell::RefCell;
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
    /// An attribute was met that is no name: an ARN, a domain.
    pub elsewhere: bool,
    /// One of several instances was chosen by the own key of the resource that refers to it.
    pub by_own_key: bool,
}

impl Found {
    /// The only thing that can be meant.
    pub fn only(&self) -> Option<&Candidate> {
        let mut candidates = self.candidates.iter();
        match (candidates.next(), candidates.next()) {
            (Some(only), None) if self.is_clear() => Some(only),
            _ => None,
        }
    }

    pub fn is_clear(&self) -> bool {
        !self.unclear && !self.elsewhere
    }
}

/// The resources and the configuration of one file, to look things up in.
pub(super) struct Index<'d, 'a> {
    rows: &'d [Row<'a>],
    /// The numbers of the rows, in the order of their scopes and of their addresses without a key.
    by_name: Vec<usize>,
    calls: BTreeMap<(Vec<Call>, String), Vec<Option<Key>>>,
    /// The calls that have an instance of which the deploy leaves nothing.
    losing: BTreeSet<(Vec<Call>, String)>,
    modules: BTreeMap<Vec<&'d str>, Module<'d, 'a>>,
    variables: BTreeMap<String, Value>,
    /// Whether the instances of one thing can go by the keys of another: scope and names of both.
    alike: RefCell<BTreeMap<(Scope, String, String), bool>>,
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
    /// Which resource or call it is: its address without its key.
    name: String,
    for_each: Option<Value>,
}

impl<'d, 'a> Index<'d, 'a> {
    pub fn new(
        rows: &'d [Row<'a>],
        configuration: Option<&'d Configuration<'a>>,
        variables: BTreeMap<String, Value>,
    ) -> Self {
        let mut by_name: Vec<usize> = (0..rows.len()).collect();
        by_name.sort_by_key(|number| named(&rows[*number]));
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
            losing: rows::losing(rows),
            modules,
            variables,
            alike: RefCell::default(),
        }
    }

    /// What an argument of a resource refers to, as it is written.
    pub fn names_in(&self, text: &Text<'_>, address: &Address, path: &[&str]) -> Vec<String> {
        let expression = self.argument(text, address, path);
        let names = expression.as_ref().and_then(references);
        names.unwrap_or_default().into_iter().map(str::to_owned).collect()
    }

    /// The number of a row, which its address in memory tells.
    pub fn number_of(&self, row: &Row<'a>) -> Option<usize> {
        let (first, one) = (self.rows.as_ptr() as usize, std::ptr::from_ref(row) as usize);
        let number = one.checked_sub(first)? / size_of::<Row<'a>>();
        (number < self.rows.len()).then_some(number)
    }

    pub fn rows(&self) -> &'d [Row<'a>] {
        self.rows
    }

    /// Where the resource stands in the configuration.
    pub fn configured(&self, address: &Address) -> Option<&'d ConfigResource<'a>> {
        self.declared(&address.scope, address.is_data, &address.kind, &address.name)
    }

    /// The same, of a resource that may have no instance.
    pub fn declared(
        &self,
        scope: &Scope,
        is_data: bool,
        kind: &str,
        name: &str,
    ) -> Option<&'d ConfigResource<'a>> {
        let module = self.modules.get(&names(scope))?;
        module.resources.get(&(is_data, kind, name)).copied()
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

    /// Whether the attribute is the bucket's name alone.
    /// <https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/s3>
    pub fn names_bucket(&self, text: &Text<'_>, number: usize, attribute: Option<&str>) -> bool {
        if attribute == Some("bucket") {
            return true;
        }
        let row = &self.rows[number];
        let is_plain = matches!(
            row.address.kind.as_str(),
            "aws_s3_bucket"
                | "aws_s3_bucket_accelerate_configuration"
                | "aws_s3_bucket_cors_configuration"
                | "aws_s3_bucket_lifecycle_configuration"
                | "aws_s3_bucket_logging"
                | "aws_s3_bucket_notification"
                | "aws_s3_bucket_object_lock_configuration"
                | "aws_s3_bucket_ownership_controls"
                | "aws_s3_bucket_policy"
                | "aws_s3_bucket_public_access_block"
                | "aws_s3_bucket_replication_configuration"
                | "aws_s3_bucket_request_payment_configuration"
                | "aws_s3_bucket_server_side_encryption_configuration"
                | "aws_s3_bucket_versioning"
                | "aws_s3_bucket_website_configuration"
        );
        // With an expected owner, an id is `BUCKET,OWNER`.
        let owner = || {
            let side = row.after.as_ref().or(row.before.as_ref())?;
            let loaded = side.load(text).ok()?;
            Some(loaded.node().get("expected_bucket_owner").name())
        };
        is_plain && owner().is_none_or(|owner| owner == Fact::Absent)
    }

    /// Whether the key of a resource can be the key in what it refers to: each of its instances finds one there. With
    /// numbers, as many as there are: `[count.index + 1]` needs one more.
    fn go_by_keys(&self, site: &Site, other: &str) -> bool {
        let question = (site.scope.clone(), site.name.clone(), other.to_owned());
        if let Some(answer) = self.alike.borrow().get(&question) {
            return *answer;
        }
        let keys = |name: &str| -> BTreeSet<&Key> {
            let of_call = name
                .strip_prefix("module.")
                .and_then(|name| self.calls.get(&(site.scope.clone(), name.to_owned())));
            let (is_data, of_mode) = match name.strip_prefix("data.") {
                Some(rest) => (true, rest),
                None => (false, name),
            };
            let (kind, name) = of_mode.split_once('.').unwrap_or_default();
            let of_resource = self.instances(&site.scope, is_data, kind, name).iter();
            of_call
                .into_iter()
                .flatten()
                .chain(of_resource.map(|number| &self.rows[*number].address.key))
                .flatten()
                .collect()
        };
        let (own, others) = (keys(&site.name), keys(other));
        let is_counted = own.iter().any(|key| matches!(key, Key::Number(_)));
        let answer = match is_counted {
            true => own == others,
            false => own.is_subset(&others),
        };
        self.alike.borrow_mut().insert(question, answer);
        answer
    }

    /// The value of a variable of the root module, unless it is sensitive.
    pub fn root_variable(&self, text: &Text<'_>, name: &str) -> Option<Value> {
        let root = self.modules.get(&Vec::new())?;
        match root.module.variables.get(name) {
            Some(variable) if !variable.sensitive => self.variable(text, name),
            Some(_) | None => None,
        }
    }

    pub fn is_sensitive(&self, scope: &[Call], variable: &str) -> bool {
        let module = self.modules.get(&names(scope));
        let variable = module.and_then(|module| module.module.variables.get(variable));
        variable.is_some_and(|variable| variable.sensitive)
    }

    /// What a variable of a module is where its caller gives nothing.
    pub fn default(&self, text: &Text<'_>, scope: &[Call], name: &str) -> Option<Value> {
        let variable = self.modules.get(&names(scope))?.module.variables.get(name)?;
        match variable.default {
            Some(default) if !variable.sensitive => text.parse_owned(default).ok(),
            Some(_) | None => None,
        }
    }

    /// Whether an instance of a call holds nothing that is there after the deploy.
    pub fn may_lose_instances(&self, scope: &Scope, name: &str) -> bool {
        self.losing.contains(&(scope.clone(), name.to_owned()))
    }

    pub fn instances_of_call(&self, scope: &Scope, name: &str) -> &[Option<Key>] {
        let instances = self.calls.get(&(scope.clone(), name.to_owned()));
        instances.map_or(&[], Vec::as_slice)
    }

    pub fn instances(&self, scope: &Scope, is_data: bool, kind: &str, name: &str) -> &[usize] {
        let wanted = (scope.as_slice(), is_data, kind, name);
        let before = |number: &usize| named(&self.rows[*number]) < wanted;
        let within = |number: &usize| named(&self.rows[*number]) == wanted;
        let rest = &self.by_name[self.by_name.partition_point(before)..];
        &rest[..rest.partition_point(within)]
    }
}

/// The address of a row without its key.
fn named<'r>(row: &'r Row<'_>) -> (&'r [Call], bool, &'r str, &'r str) {
    let address = &row.address;
    (&address.scope, address.is_data, &address.kind, &address.name)
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
            name: name_of(address.is_data, &address.kind, &address.name),
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
            // Nothing and a switch are no names: they only choose among the others.
            None | Some(Value::Null | Value::Bool(_)) => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(text)) => {
                self.found.candidates.insert(Candidate::Text(text.clone()));
            }
            // A number may be a part of a name.
            Some(Value::Number(_) | Value::Array(_) | Value::Object(_)) => self.found.unclear = true,
        }
    }

    fn references(&mut self, references: &[&str], site: &Site, path: &[Step], depth: usize) {
        let is_key = |reference: &&str| matches!(*reference, "each.key" | "count.index");
        let by_own_key = references.iter().any(is_key);
        // An index that isn't known before hides what follows it. Where nothing is hidden, the key is no index: it is
        // a part of the text, or chooses.
        let hides = |reference: &&str| steps(reference).is_some_and(|steps| is_cut_off(&steps));
        if by_own_key && !references.iter().filter(|each| !is_key(each)).any(hides) {
            self.found.unclear = true;
            return;
        }
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
            ("count", _) => {}
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
            ("local" | "self" | "each" | "var" | "module" | "data" | "path" | "terraform", _) => {
                self.found.unclear = true;
            }
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
                    name: format!("module.{}", last.name),
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
        let index = self.index;
        let Some(module) = index.modules.get(&path) else {
            self.found.unclear = true;
            return;
        };
        let instances = index.calls.get(&(site.scope.clone(), name.to_owned()));
        let instances = instances.map_or(&[][..], Vec::as_slice);
        let is_many = module
            .call
            .is_some_and(|call| call.count_expression.is_some() || call.for_each_expression.is_some());
        let chosen = match (key, is_many) {
            (Some(key), _) => Some(key),
            (None, false) => None,
            (None, true)
                if by_own_key
                    && instances.contains(&site.key)
                    && index.go_by_keys(site, &format!("module.{name}")) =>
            {
                self.found.by_own_key |= instances.len() > 1;
                site.key.clone()
            }
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
        let inside = Site {
            scope,
            key: None,
            name: String::new(),
            for_each: None,
        };
        match rest {
            [] => self.any_output(module, &inside, depth),
            [Step::Name(output), rest @ ..] => {
                let expression = module.module.outputs.get(output.as_str());
                let Some(expression) = self.parsed(expression.and_then(|output| output.expression)) else {
                    self.found.unclear = true;
                    return;
                };
                let mut rest = rest.to_vec();
                // `module.a.buckets[each.key]`
                if rest.is_empty() && by_own_key && !is_many {
                    rest.extend(site.key.clone().map(Step::Key));
                }
                self.expression(&expression, &inside, &rest, depth + 1);
            }
            [Step::Key(_), ..] => self.found.unclear = true,
        }
    }

    /// Which output is meant was lost with the index: `module.a[each.key].bucket_id`. It is told where all that can be
    /// a name come to the same.
    fn any_output(&mut self, module: &Module<'_, '_>, inside: &Site, depth: usize) {
        for output in module.module.outputs.values() {
            let Some(expression) = self.parsed(output.expression) else {
                self.found.unclear = true;
                continue;
            };
            let before = std::mem::take(&mut self.found);
            self.expression(&expression, inside, &[], depth + 1);
            let mut found = std::mem::replace(&mut self.found, before);
            // An output that is no name isn't the one that is meant.
            if !found.elsewhere {
                self.found.unclear |= found.unclear;
                self.found.by_own_key |= found.by_own_key;
                self.found.candidates.append(&mut found.candidates);
            }
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
            (None, [_, ..])
                if by_own_key
                    && own().is_some()
                    && self.index.go_by_keys(site, &name_of(is_data, kind, name)) =>
            {
                self.found.by_own_key = true;
                own()
            }
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
            // A splat loses its attribute: `[*].arn` and `[*].id` are the same reference.
            Some(number) if attribute.is_none() && !by_own_key && self.is_bucket(*number) => {
                self.found.unclear = true;
            }
            Some(number) => self.instance(*number, attribute, depth),
            None => {
                let resource = self.index.declared(&site.scope, is_data, kind, name);
                let is_many = resource.is_some_and(|resource| {
                    resource.count_expression.is_some() || resource.for_each_expression.is_some()
                });
                // A resource without an instance is a branch that isn't taken.
                self.found.unclear |= !is_many;
            }
        }
    }

    fn is_bucket(&self, number: usize) -> bool {
        self.want == Want::Bucket && self.index.rows[number].is_managed("aws_s3_bucket")
    }

    fn instance(&mut self, number: usize, attribute: Option<&str>, depth: usize) {
        let row = &self.index.rows[number];
        let address = &row.address;
        let is_name = matches!(attribute, None | Some("id" | "bucket"));
        match (self.want, address.is_data, address.kind.as_str()) {
            (Want::Bucket, false, "aws_s3_bucket") if is_name => {
                self.found.candidates.insert(Candidate::Row(number));
            }
            (Want::Bucket, _, kind)
                if is_name
                    && kind.starts_with("aws_s3_bucket")
                    && self.index.names_bucket(self.text, number, attribute) =>
            {
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
            (Want::Bucket, _, kind) if attribute.is_some() && !is_name && kind.starts_with("aws_") => {
                self.found.elsewhere = true;
            }
            _ => self.found.unclear = true,
        }
    }
}

/// Whether a reference ends before an attribute or an output, or right behind an output: what follows hangs on an index.
fn is_cut_off(steps: &[Step]) -> bool {
    let rest = match steps {
        [Step::Name(head), Step::Name(_), Step::Name(_), rest @ ..] if head == "data" => rest,
        [Step::Name(head), Step::Name(_), rest @ ..] if head == "module" => {
            let (_, rest) = leading_key(rest);
            return rest.len() <= 1;
        }
        [Step::Name(head), Step::Name(_), rest @ ..]
            if head == "var" || head == "local" || head == "each" =>
        {
            return rest.is_empty();
        }
        [Step::Name(_), Step::Name(_), rest @ ..] => rest,
        _ => return false,
    };
    rest.is_empty()
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
