//! A stack: a template, where it goes, and the values of its parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::tree::{Comment, Member, Node, Value};
use super::value::Resolved;
use crate::inventory::Document;

/// What loops may make of a template, in resources.
const MOST_RESOURCES: usize = 10_000;

/// CloudFormation allows five levels of loops.
const DEEPEST_LOOP: usize = 5;

/// Where a stack is deployed, as far as somebody said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Environment {
    pub account: Option<String>,
    pub region: Option<String>,
    pub partition: Option<String>,
    /// The name of the stack, where it isn't only guessed from the file's.
    pub stack_name: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Stack {
    /// What its resources' addresses start with.
    pub name: String,
    pub document: Arc<Document>,
    /// The document is the one resource, not a template around it.
    pub is_one_resource: bool,
    pub root: Arc<Node>,
    pub comments: Arc<[Comment]>,
    pub environment: Environment,
    /// Values given from outside.
    pub given: BTreeMap<String, Resolved>,
    /// The stack that has this one as a resource.
    pub parent: Option<Parent>,
    /// Nested stacks by logical id, by their number.
    pub nested: BTreeMap<String, usize>,
    /// Where the program that wrote the template made each resource, by logical id.
    pub made_at: BTreeMap<String, String>,
}

/// The resource of another stack that a stack is.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    /// That stack, by its number: smaller than the number of this one.
    pub stack: usize,
    pub id: String,
    pub parameters: Option<Node>,
    pub condition: Option<String>,
}

/// The values of the loops around a resource.
pub(super) type Loops = Vec<(String, String)>;

/// A resource as it stands in a template; one for each turn of a loop.
#[derive(Debug, Clone)]
pub(super) struct Resource<'a> {
    pub id: String,
    pub key_span: std::ops::Range<usize>,
    pub node: &'a Node,
    pub loops: Loops,
    /// Where it stands: its place in the section, or in the bodies of the loops around it, from the outside in.
    path: Vec<usize>,
    condition: Option<String>,
}

impl<'a> Resource<'a> {
    fn new(member: &'a Member, loops: Loops, path: Vec<usize>) -> Self {
        let node = &member.value;
        let condition = node.get("Condition").and_then(Node::name);
        Self {
            condition: condition.map(|name| put_in(name, &loops)),
            id: put_in(&member.key, &loops),
            key_span: member.key_span.clone(),
            node,
            loops,
            path,
        }
    }

    pub fn kind(&self) -> &str {
        self.node.get("Type").and_then(Node::text).unwrap_or_default()
    }

    pub fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }
}

/// Where a resource was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    path: Vec<usize>,
    loops: Loops,
}

impl Found {
    pub fn at(resource: &Resource<'_>) -> Self {
        Self {
            path: resource.path.clone(),
            loops: resource.loops.clone(),
        }
    }
}

/// The resources of a template, and what of them can't be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Resources<'a> {
    pub all: Vec<Resource<'a>>,
    /// Loops over what isn't known, by name.
    pub opaque: BTreeSet<String>,
}

impl Stack {
    pub fn section(&self, name: &str) -> Option<&Node> {
        self.root.get(name)
    }

    pub fn address(&self, id: &str) -> String {
        format!("{}/{id}", self.name)
    }

    /// Every resource, loops unrolled. `collection` gives the values that a loop runs over.
    pub fn resources(&self, collection: &dyn Fn(&Node, &Loops) -> Option<Vec<String>>) -> Resources<'_> {
        let mut found = Resources::default();
        if let Some(section) = self.section("Resources") {
            unroll(section, &Vec::new(), collection, &mut found, &[]);
        }
        found
    }

    /// The resources that stand outside of loops, by their logical ids.
    pub fn written(&self) -> BTreeMap<String, Found> {
        let members = self.section("Resources").map(Node::members).unwrap_or_default();
        let found = |(position, member): (usize, &Member)| {
            let found = Found {
                path: vec![position],
                loops: Loops::new(),
            };
            (member.key.clone(), found)
        };
        members.iter().enumerate().map(found).collect()
    }

    /// A resource where it was found before.
    pub fn resource(&self, found: &Found) -> Option<Resource<'_>> {
        let mut section = self.section("Resources")?;
        let (last, outer) = found.path.split_last()?;
        for position in outer {
            section = loop_parts(&section.members().get(*position)?.value)?.2;
        }
        let member = section.members().get(*last)?;
        Some(Resource::new(member, found.loops.clone(), found.path.clone()))
    }
}

/// One level of loops; the depth of the tree bounds them.
fn unroll<'a>(
    section: &'a Node,
    loops: &Loops,
    collection: &dyn Fn(&Node, &Loops) -> Option<Vec<String>>,
    found: &mut Resources<'a>,
    path: &[usize],
) {
    for (position, member) in section.members().iter().enumerate() {
        let path = [path, &[position]].concat();
        let Some(name) = member.key.strip_prefix("Fn::ForEach") else {
            found.all.push(Resource::new(member, loops.clone(), path));
            continue;
        };
        let name = name.trim_start_matches("::");
        let turns = loop_parts(&member.value)
            .and_then(|(identifier, over, body)| Some((identifier, collection(over, loops)?, body)));
        match turns {
            Some((identifier, values, body)) if path.len() <= DEEPEST_LOOP => {
                for value in values {
                    if found.all.len() >= MOST_RESOURCES {
                        found.opaque.insert(name.to_owned());
                        break;
                    }
                    let mut inner = loops.clone();
                    inner.push((identifier.to_owned(), value));
                    unroll(body, &inner, collection, found, &path);
                }
            }
            Some(_) | None => _ = found.opaque.insert(name.to_owned()),
        }
    }
}

/// `[identifier, collection, {key: value}]`
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html>
pub(super) fn loop_parts(node: &Node) -> Option<(&str, &Node, &Node)> {
    match node.list()? {
        [identifier, over, body] => Some((identifier.text()?, over, body)),
        _ => None,
    }
}

/// Puts the loops' values into a key. `&{x}` leaves out what a logical id can't hold.
pub(super) fn put_in(text: &str, loops: &Loops) -> String {
    let mut text = put_in_bare(text, loops);
    for (identifier, value) in loops {
        text = text.replace(&format!("${{{identifier}}}"), value);
    }
    text
}

/// Only the form that leaves out what a logical id can't hold.
pub(super) fn put_in_bare(text: &str, loops: &Loops) -> String {
    let mut text = text.to_owned();
    for (identifier, value) in loops {
        let bare: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        text = text.replace(&format!("&{{{identifier}}}"), &bare);
    }
    text
}

/// Whether a text is a template at all, and not just any JSON or YAML.
pub(super) fn is_template(root: &Node) -> bool {
    let resources = root
        .get("Resources")
        .is_some_and(|node| matches!(node.value, Value::Map(_)));
    resources
        || root.get("AWSTemplateFormatVersion").is_some()
        || root
            .get("Transform")
            .is_some_and(|node| matches!(node.value, Value::Text(_) | Value::List(_)))
}
