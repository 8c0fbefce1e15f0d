//! S3's XML, and the JSON form of the same value that the AWS CLI prints and a snapshot holds.
//!
//! The two differ in little: how a list is wrapped, how its members are called, and that JSON has numbers.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};

pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Deeper than any document of S3; a request that goes deeper is malformed.
const DEPTH: usize = 24;

/// A list in JSON, and how XML writes it.
struct List {
    json: &'static str,
    wrapper: Option<&'static str>,
    member: &'static str,
}

#[rustfmt::skip]
const LISTS: &[List] = &[
    List { json: "Grants", wrapper: Some("AccessControlList"), member: "Grant" },
    List { json: "TargetGrants", wrapper: Some("TargetGrants"), member: "Grant" },
    List { json: "TagSet", wrapper: Some("TagSet"), member: "Tag" },
    List { json: "Buckets", wrapper: Some("Buckets"), member: "Bucket" },
    List { json: "Rules", wrapper: None, member: "Rule" },
    List { json: "Tags", wrapper: None, member: "Tag" },
    List { json: "Transitions", wrapper: None, member: "Transition" },
    List { json: "NoncurrentVersionTransitions", wrapper: None, member: "NoncurrentVersionTransition" },
    List { json: "Contents", wrapper: None, member: "Contents" },
    List { json: "CommonPrefixes", wrapper: None, member: "CommonPrefixes" },
];

/// What is one thing in one place and a list in another.
fn is_single(parent: &str, member: &str) -> bool {
    matches!(
        (parent, member),
        ("ObjectLockConfiguration", "Rule") | ("Filter", "Tag")
    )
}

/// The XML document of a JSON value.
pub fn write(root: &str, value: &Value) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    element(&mut text, root, Some(NAMESPACE), value, 0);
    text
}

fn element(text: &mut String, name: &str, namespace: Option<&str>, value: &Value, depth: usize) {
    text.push('<');
    text.push_str(name);
    if let Some(namespace) = namespace {
        text.push_str(&format!(" xmlns=\"{namespace}\""));
    }
    if name == "Grantee"
        && let Some(kind) = value.get("Type").and_then(Value::as_str)
    {
        text.push_str(&format!(
            " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{}\"",
            escape(kind)
        ));
    }
    text.push('>');
    match value {
        Value::Object(members) if depth < DEPTH => {
            for (key, member) in members {
                if name == "Grantee" && key == "Type" {
                    continue;
                }
                match (member, LISTS.iter().find(|list| list.json == key)) {
                    (Value::Array(items), Some(list)) => {
                        if let Some(wrapper) = list.wrapper {
                            text.push_str(&format!("<{wrapper}>"));
                        }
                        for item in items {
                            element(text, list.member, None, item, depth + 1);
                        }
                        if let Some(wrapper) = list.wrapper {
                            text.push_str(&format!("</{wrapper}>"));
                        }
                    }
                    _ => element(text, key, None, member, depth + 1),
                }
            }
        }
        Value::String(content) => text.push_str(&escape(content)),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {}
    }
    text.push_str(&format!("</{name}>"));
}

/// Text as XML writes it.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// One element of a document that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    /// `xsi:type`, the one attribute that S3 reads.
    pub kind: Option<String>,
    pub children: Vec<Node>,
    pub text: String,
}

impl Node {
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn count(&self, name: &str) -> usize {
        self.children.iter().filter(|child| child.name == name).count()
    }

    pub fn has_only(&self, names: &[&str]) -> bool {
        self.children
            .iter()
            .all(|child| names.contains(&child.name.as_str()))
    }

    /// The text of a child.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Reads a document, or says nothing where it isn't well-formed.
pub fn read(text: &str) -> Option<Node> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= DEPTH || root.is_some() {
                    return None;
                }
                open.push(opened(&start)?);
            }
            Event::Empty(start) => {
                let node = opened(&start)?;
                close(&mut open, &mut root, node)?;
            }
            Event::End(_) => {
                let mut node = open.pop()?;
                if !node.children.is_empty() {
                    node.text.clear();
                }
                close(&mut open, &mut root, node)?;
            }
            Event::Text(content) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&content);
                }
            }
            Event::CData(content) => {
                if let Some(node) = open.last_mut() {
                    node.text.push_str(&content);
                }
            }
            Event::GeneralRef(reference) => {
                let resolved = if let Some(character) = reference.resolve_char_ref().ok()? {
                    character
                } else {
                    match &*reference {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return None,
                    }
                };
                if let Some(node) = open.last_mut() {
                    node.text.push(resolved);
                }
            }
            Event::Eof => return if open.is_empty() { root } else { None },
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn opened(start: &quick_xml::events::BytesStart<'_>) -> Option<Node> {
    let mut node = Node {
        name: start.local_name().into_inner().to_owned(),
        ..Node::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        if attribute.key.local_name().into_inner() == "type" {
            node.kind = Some(attribute.value.to_string());
        }
    }
    Some(node)
}

fn close(open: &mut [Node], root: &mut Option<Node>, node: Node) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None if root.is_none() => *root = Some(node),
        None => return None,
    }
    Some(())
}

/// The JSON form of what an element holds.
pub fn value(node: &Node) -> Value {
    value_below(node, 0)
}

fn value_below(node: &Node, depth: usize) -> Value {
    if node.children.is_empty() && node.kind.is_none() {
        return scalar(&node.name, &node.text);
    }
    let mut members = Map::new();
    if let Some(kind) = &node.kind {
        members.insert("Type".to_owned(), kind.as_str().into());
    }
    if depth >= DEPTH {
        return Value::Object(members);
    }
    for child in &node.children {
        let wrapped = LISTS
            .iter()
            .find(|list| list.wrapper == Some(child.name.as_str()));
        if let Some(list) = wrapped {
            let items = child
                .children
                .iter()
                .filter(|item| item.name == list.member)
                .map(|item| value_below(item, depth + 1))
                .collect();
            members.insert(list.json.to_owned(), Value::Array(items));
            continue;
        }
        let content = value_below(child, depth + 1);
        let flat = LISTS
            .iter()
            .find(|list| list.wrapper.is_none() && list.member == child.name);
        match flat {
            Some(list) if !is_single(&node.name, &child.name) => {
                if let Value::Array(items) = members
                    .entry(list.json)
                    .or_insert_with(|| Value::Array(Vec::new()))
                {
                    items.push(content);
                }
            }
            _ => {
                members.insert(child.name.clone(), content);
            }
        }
    }
    Value::Object(members)
}

/// Elements that may be empty and are still structures.
const STRUCTURES: &[&str] = &[
    "Filter",
    "And",
    "SimplePrefix",
    "PartitionedPrefix",
    "LoggingEnabled",
    "BucketLoggingStatus",
    "VersioningConfiguration",
    "Rule",
    "DefaultRetention",
    "PublicAccessBlockConfiguration",
    "ServerSideEncryptionConfiguration",
    "OwnershipControls",
    "ObjectLockConfiguration",
    "LifecycleConfiguration",
    "Tagging",
    "AccessControlPolicy",
];

fn scalar(name: &str, text: &str) -> Value {
    if text.trim().is_empty() && STRUCTURES.contains(&name) {
        return Value::Object(Map::new());
    }
    let numeric = name.ends_with("Days")
        || matches!(
            name,
            "Years"
                | "DaysAfterInitiation"
                | "NewerNoncurrentVersions"
                | "ObjectSizeGreaterThan"
                | "ObjectSizeLessThan"
        );
    if numeric && let Ok(number) = text.trim().parse::<u64>() {
        return number.into();
    }
    let flag = name.starts_with("Block")
        || matches!(
            name,
            "IgnorePublicAcls" | "RestrictPublicBuckets" | "BucketKeyEnabled" | "ExpiredObjectDeleteMarker"
        );
    match text.trim() {
        "true" | "TRUE" if flag => true.into(),
        "false" | "FALSE" if flag => false.into(),
        _ => text.into(),
    }
}
