//! The resources of a plan or a state, one row each, with their values still as they stand in the file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::address::{Address, Call, Key};
use super::shape::{Actions, Change, ResourceChange, StateFileResource, StateModule};
use super::strict::Strict;
use super::value::Node;
use super::{TerraformError, Text};
use crate::inventory::{Fact, Why};

/// What the deploy does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Keep,
    Create,
    Update,
    Delete,
    /// No longer managed; it stays in AWS.
    Forget,
    /// The new one is made before the old one is destroyed, or after.
    Replace {
        create_first: bool,
    },
    /// The old one stays in AWS, no longer managed, next to a new one.
    Succeed,
    /// A data source.
    Read,
}

impl Verb {
    fn of(actions: &[impl AsRef<str>]) -> Self {
        let actions: Vec<&str> = actions.iter().map(AsRef::as_ref).collect();
        match actions.as_slice() {
            ["no-op"] | [] => Verb::Keep,
            ["create"] => Verb::Create,
            ["read"] => Verb::Read,
            ["delete"] => Verb::Delete,
            ["forget"] => Verb::Forget,
            ["create", "delete"] => Verb::Replace { create_first: true },
            ["delete", "create"] => Verb::Replace { create_first: false },
            ["create", "forget"] | ["forget", "create"] => Verb::Succeed,
            // What a later version adds writes something.
            _ => Verb::Update,
        }
    }
}

/// A resource, before and after.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub address: Address,
    /// As Terraform writes it.
    pub text: Cow<'a, str>,
    pub verb: Verb,
    /// The deploy deletes it, or forgets it: no expression meets it. Told of every kind.
    pub is_gone: bool,
    pub before: Option<Box<Side<'a>>>,
    pub after: Option<Box<Side<'a>>>,
}

impl<'a> Row<'a> {
    pub fn is_managed(&self, kind: &str) -> bool {
        !self.address.is_data && self.address.kind == kind
    }

    /// Whether the deploy does nothing with it, and says of it nothing else than before.
    pub fn is_kept_as_it_was(&self) -> bool {
        match (self.verb, &self.before, &self.after) {
            (Verb::Keep, Some(before), Some(after)) => {
                before.value.get() == after.value.get() && before.sensitive.is_alike(&after.sensitive)
            }
            (_, _, _) => false,
        }
    }

    pub fn sides(&self) -> impl Iterator<Item = &Side<'a>> {
        self.before.iter().chain(&self.after).map(Box::as_ref)
    }
}

/// The values of a resource at one time.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub value: &'a RawValue,
    unknown: Unknown<'a>,
    sensitive: Sensitive<'a>,
    pointer: Pointer,
    /// The name of the bucket that it is, or that it configures.
    pub bucket: Fact<String>,
}

/// Where the values stand in the file. A plan has many: of those it isn't spelt out before it is wanted.
#[derive(Debug, Clone)]
enum Pointer {
    Change { number: usize, name: &'static str },
    Text(Box<str>),
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Pointer::Change { number, name } => write!(f, "/resource_changes/{number}/change/{name}"),
            Pointer::Text(text) => f.write_str(text),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Unknown<'a> {
    Tree(Option<&'a RawValue>),
    /// The file doesn't tell: what is missing may be unknown.
    Missing,
}

#[derive(Debug, Clone)]
enum Sensitive<'a> {
    Tree(Option<&'a RawValue>),
    Parsed(Box<Value>),
}

impl Sensitive<'_> {
    fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tree(one), Self::Tree(other)) => one.map(RawValue::get) == other.map(RawValue::get),
            (Self::Parsed(one), Self::Parsed(other)) => one == other,
            (Self::Tree(_), Self::Parsed(_)) | (Self::Parsed(_), Self::Tree(_)) => false,
        }
    }
}

/// The values of one side, parsed.
#[derive(Debug)]
pub(super) struct Loaded {
    value: Value,
    pub unknown: Value,
    pub sensitive: Value,
    missing_is_unknown: bool,
}

impl Loaded {
    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn node(&self) -> Node<'_> {
        let node = Node::new(&self.value, &self.unknown, &self.sensitive);
        match self.missing_is_unknown {
            true => node.where_missing_is_unknown(),
            false => node,
        }
    }
}

impl<'a> Side<'a> {
    fn new(
        text: &Text<'_>,
        value: &'a RawValue,
        unknown: Unknown<'a>,
        sensitive: Sensitive<'a>,
        pointer: Pointer,
        is_read: bool,
    ) -> Result<Box<Self>, TerraformError> {
        let mut side = Box::new(Self {
            value,
            unknown,
            sensitive,
            pointer,
            bucket: Fact::Unknown(Why::NotRead),
        });
        if is_read {
            side.bucket = side.load(text)?.node().get("bucket").name();
        }
        Ok(side)
    }

    /// Where the values stand in the file.
    pub fn pointer(&self) -> String {
        self.pointer.to_string()
    }

    /// Whether anything is marked; mostly nothing is, and nothing need be parsed to see it.
    pub fn may_be_sensitive(&self) -> bool {
        match &self.sensitive {
            Sensitive::Tree(raw) => raw.is_some_and(|raw| raw.get().contains("true")),
            Sensitive::Parsed(value) => value.as_object().is_none_or(|marks| !marks.is_empty()),
        }
    }

    pub fn load(&self, text: &Text<'_>) -> Result<Loaded, TerraformError> {
        let tree = |raw: Option<&RawValue>| raw.map_or(Ok(Value::Null), |raw| text.parse(raw));
        let (unknown, missing_is_unknown) = match self.unknown {
            Unknown::Tree(raw) => (tree(raw)?, false),
            Unknown::Missing => (Value::Null, true),
        };
        Ok(Loaded {
            value: text.parse::<Strict>(self.value)?.0,
            unknown,
            sensitive: match &self.sensitive {
                Sensitive::Tree(raw) => tree(*raw)?,
                Sensitive::Parsed(value) => (**value).clone(),
            },
            missing_is_unknown,
        })
    }
}

/// The kinds whose values are looked into.
pub(super) fn is_read(address: &Address) -> bool {
    match address.is_data {
        false => address.kind == "aws_s3_bucket" || address.kind.starts_with("aws_s3_bucket_"),
        true => matches!(
            address.kind.as_str(),
            "aws_iam_policy_document" | "aws_s3_bucket" | "aws_caller_identity" | "aws_partition"
        ),
    }
}

/// The rows of `resource_changes`.
pub(super) fn of_changes<'a>(
    text: &Text<'_>,
    changes: Vec<ResourceChange<'a>>,
) -> Result<Vec<Row<'a>>, TerraformError> {
    let mut rows = Vec::with_capacity(changes.len());
    for (number, each) in changes.into_iter().enumerate() {
        let Some(address) = address(&each.address, &each.mode, &each.kind) else {
            continue;
        };
        let read = is_read(&address);
        let mut row = Row {
            address,
            text: each.address,
            verb: Verb::Keep,
            is_gone: each.deposed.is_some() || is_gone(each.change),
            before: None,
            after: None,
        };
        if read {
            let change: Change<'a> = text.parse(each.change)?;
            let side = |value: Option<&'a RawValue>, unknown, sensitive, name| {
                let pointer = Pointer::Change { number, name };
                let value = value.filter(|value| value.get() != "null");
                value
                    .map(|value| {
                        let unknown = Unknown::Tree(unknown);
                        Side::new(text, value, unknown, Sensitive::Tree(sensitive), pointer, true)
                    })
                    .transpose()
            };
            row.verb = Verb::of(&change.actions);
            row.before = side(change.before, None, change.before_sensitive, "before")?;
            row.after = side(
                change.after,
                change.after_unknown,
                change.after_sensitive,
                "after",
            )?;
        }
        if each.deposed.is_some() {
            row.verb = Verb::Delete;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Whether a change leaves nothing that is managed. Most delete nothing, and needn't be parsed to see it.
fn is_gone(change: &RawValue) -> bool {
    let raw = change.get();
    let may_be = ["\"delete\"", "\"forget\""].iter().any(|word| raw.contains(word));
    let actions =
        || serde_json::from_str::<Actions<'_>>(raw).map_or_else(|_| Vec::new(), |change| change.actions);
    may_be && matches!(Verb::of(&actions()), Verb::Delete | Verb::Forget)
}

/// The rows of a state, or of `planned_values`, where what is missing may be unknown.
pub(super) fn of_values<'a>(
    text: &Text<'_>,
    root: &StateModule<'a>,
    pointer: &str,
    missing_is_unknown: bool,
) -> Result<Vec<Row<'a>>, TerraformError> {
    let mut rows = Vec::new();
    let mut open = vec![(root, pointer.to_owned())];
    while let Some((module, pointer)) = open.pop() {
        for (number, each) in module.resources.iter().enumerate() {
            let Some(address) = address(&each.address, &each.mode, &each.kind) else {
                continue;
            };
            let unknown = match missing_is_unknown {
                true => Unknown::Missing,
                false => Unknown::Tree(None),
            };
            let after = each
                .values
                .map(|values| {
                    let pointer = Pointer::Text(format!("{pointer}/resources/{number}/values").into());
                    let sensitive = Sensitive::Tree(each.sensitive_values);
                    Side::new(text, values, unknown, sensitive, pointer, is_read(&address))
                })
                .transpose()?;
            rows.push(Row {
                verb: kept(&address),
                is_gone: false,
                address,
                text: each.address.clone(),
                before: None,
                after,
            });
        }
        let children = module.child_modules.iter().enumerate().rev();
        open.extend(children.map(|(number, child)| (child, format!("{pointer}/child_modules/{number}"))));
    }
    Ok(rows)
}

/// The rows of a `terraform.tfstate`.
pub(super) fn of_state_file<'a>(
    text: &Text<'_>,
    resources: &[StateFileResource<'a>],
) -> Result<Vec<Row<'a>>, TerraformError> {
    let mut rows = Vec::new();
    for (number, resource) in resources.iter().enumerate() {
        for (position, instance) in resource.instances.iter().enumerate() {
            if instance.deposed.is_some() {
                continue;
            }
            let mut whole = match &resource.module {
                Some(module) => format!("{module}."),
                None => String::new(),
            };
            if resource.mode == "data" {
                whole.push_str("data.");
            }
            whole.push_str(&format!("{}.{}", resource.kind, resource.name));
            if let Some(key) = instance.index_key.as_ref().and_then(Key::of_value) {
                whole.push_str(&key.to_string());
            }
            let Some(address) = address(&whole, &resource.mode, &resource.kind) else {
                continue;
            };
            let sensitive = sensitive_tree(
                instance
                    .sensitive_attributes
                    .iter()
                    .map(|path| path.iter().map(|step| &step.value)),
            );
            let after = instance
                .attributes
                .map(|attributes| {
                    let pointer = format!("/resources/{number}/instances/{position}/attributes");
                    let pointer = Pointer::Text(pointer.into());
                    let sensitive = Sensitive::Parsed(Box::new(sensitive));
                    let unknown = Unknown::Tree(None);
                    Side::new(text, attributes, unknown, sensitive, pointer, is_read(&address))
                })
                .transpose()?;
            rows.push(Row {
                verb: kept(&address),
                is_gone: false,
                address,
                text: whole.into(),
                before: None,
                after,
            });
        }
    }
    Ok(rows)
}

fn kept(address: &Address) -> Verb {
    match address.is_data {
        true => Verb::Read,
        false => Verb::Keep,
    }
}

fn address(text: &str, mode: &str, kind: &str) -> Option<Address> {
    let mut address = Address::parse(text)?;
    // The mode and the type say it for sure.
    address.is_data = mode == "data";
    (address.kind == kind).then_some(address)
}

/// Paths to sensitive attributes, in the form that plans have: `{"target_bucket": true}`. A path that can't be
/// followed makes the whole resource sensitive.
fn sensitive_tree<'p>(paths: impl Iterator<Item = impl Iterator<Item = &'p Value>>) -> Value {
    let mut tree: BTreeMap<String, Value> = BTreeMap::new();
    for mut path in paths {
        match path.next() {
            // Deeper than an attribute is not told apart: the attribute as a whole is sensitive.
            Some(Value::String(attribute)) => tree.insert(attribute.clone(), Value::Bool(true)),
            Some(_) | None => return Value::Bool(true),
        };
    }
    Value::Object(tree.into_iter().collect())
}

/// Which instances of each call there are, by the scope of the caller.
pub(super) fn calls(rows: &[Row<'_>]) -> BTreeMap<(Vec<Call>, String), Vec<Option<Key>>> {
    let mut calls: BTreeMap<(Vec<Call>, String), Vec<Option<Key>>> = BTreeMap::new();
    for row in rows {
        for (depth, call) in row.address.scope.iter().enumerate() {
            let keys = calls
                .entry((row.address.scope[..depth].to_vec(), call.name.clone()))
                .or_default();
            if !keys.contains(&call.key) {
                keys.push(call.key.clone());
            }
        }
    }
    calls
}

/// The calls that have an instance of which no row stays.
pub(super) fn losing(rows: &[Row<'_>]) -> BTreeSet<(Vec<Call>, String)> {
    let goes: BTreeSet<&[Call]> = scopes(rows.iter().filter(|row| row.is_gone)).collect();
    if goes.is_empty() {
        return BTreeSet::new();
    }
    let stays: BTreeSet<&[Call]> = scopes(rows.iter().filter(|row| !row.is_gone)).collect();
    let parent = |scope: &&[Call]| {
        let (last, parent) = scope.split_last()?;
        Some((parent.to_vec(), last.name.clone()))
    };
    goes.difference(&stays).filter_map(parent).collect()
}

/// The modules around these rows.
fn scopes<'r, 'a: 'r>(rows: impl Iterator<Item = &'r Row<'a>>) -> impl Iterator<Item = &'r [Call]> {
    rows.flat_map(|row| (1..=row.address.scope.len()).map(|depth| &row.address.scope[..depth]))
}

impl Text<'_> {
    /// Parses a part of the file; what is wrong with it is told with its place in the whole.
    pub fn parse<'a, T: serde::Deserialize<'a>>(&self, raw: &'a RawValue) -> Result<T, TerraformError> {
        serde_json::from_str(raw.get()).map_err(|error| self.misplaced(raw, &error))
    }

    /// The same, of a value that holds nothing of the file.
    pub fn parse_owned<T: DeserializeOwned>(&self, raw: &RawValue) -> Result<T, TerraformError> {
        serde_json::from_str(raw.get()).map_err(|error| self.misplaced(raw, &error))
    }
}
