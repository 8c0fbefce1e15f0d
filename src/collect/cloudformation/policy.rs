//! A policy document of a template → the JSON text that S3 would get, and where each part of it is written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::evaluate::World;
use super::text::{Part, Text, Token};
use super::value::{Item, Resolved, Unknown};
use crate::inventory::{Document, Fact, Host, Place, Title};
use crate::policy::open::Open;

/// The document, as far as it is known.
pub(super) fn document(world: &World, item: &Item, place: &Place, address: &str) -> Fact<Arc<Document>> {
    let mut printer = Printer {
        world,
        out: String::new(),
        origins: BTreeMap::new(),
        unknown: None,
    };
    // A policy may be written as a text that holds JSON.
    if let Resolved::Text(text) = &item.value {
        printer.raw_text(text);
        printer.origins.insert(String::new(), item.span.clone());
    } else {
        printer.item(item, &mut String::new());
    }
    if let Some(unknown) = printer.unknown {
        return Fact::Unknown(unknown.why());
    }
    let host = match &place.document.host {
        // A change set has every value in its place: the policy is shown as it will be, and stands where the resource
        // does.
        Some(host) => Host {
            place: host.place.clone(),
            origins: BTreeMap::new(),
        },
        None => Host {
            place: Place {
                document: Arc::clone(&place.document),
                pointer: place.pointer.clone(),
                span: Some(item.span.clone()),
                made_at: place.made_at.clone(),
            },
            origins: printer.origins,
        },
    };
    let path = place.document.path().unwrap_or_default().to_owned();
    Fact::Known(Arc::new(Document {
        title: Title::Embedded {
            path,
            address: address.to_owned(),
        },
        text: printer.out.into(),
        host: Some(host),
    }))
}

/// Whether a policy can be judged with an open part here: not in what makes it a policy.
fn may_be_open(pointer: &str) -> bool {
    let element = match pointer.strip_prefix("/Statement/") {
        // A single statement stands without a list.
        Some(rest) => match rest.split_once('/') {
            Some((number, inner)) if number.bytes().all(|b| b.is_ascii_digit()) => inner,
            Some(_) | None => rest,
        },
        None => return pointer == "/Id",
    };
    let first = element.split('/').next().unwrap_or_default();
    matches!(
        first,
        "Sid" | "Principal" | "NotPrincipal" | "Resource" | "NotResource" | "Condition"
    )
}

/// A token without the braces that a person would put around it.
fn bare(token: &Token) -> String {
    token
        .to_string()
        .trim_start_matches("${")
        .trim_end_matches('}')
        .to_owned()
}

/// The JSON text of a value of which everything is known.
pub(super) fn print_known(value: &Resolved) -> Option<String> {
    value.is_wholly_known().then(|| to_json(value).to_string())
}

/// Recursion is bounded by the depth of a template.
fn to_json(value: &Resolved) -> serde_json::Value {
    match value {
        Resolved::Null | Resolved::Nothing | Resolved::Unknown(_) => serde_json::Value::Null,
        Resolved::Bool(value) => (*value).into(),
        Resolved::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Resolved::Text(text) => text.to_string().into(),
        Resolved::List(items) => items.iter().map(|item| to_json(&item.value)).collect(),
        Resolved::Map(members) => serde_json::Value::Object(
            members
                .iter()
                .map(|(key, item)| (key.clone(), to_json(&item.value)))
                .collect(),
        ),
    }
}

struct Printer<'w> {
    world: &'w World,
    out: String,
    origins: BTreeMap<String, Range<usize>>,
    /// The first part that isn't known and can't be said in a policy's text.
    unknown: Option<Unknown>,
}

impl Printer<'_> {
    /// Recursion is bounded by the depth of a template.
    fn item(&mut self, item: &Item, pointer: &mut String) {
        self.origins.insert(pointer.clone(), item.span.clone());
        match &item.value {
            Resolved::Null | Resolved::Nothing => self.out.push_str("null"),
            Resolved::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Resolved::Number(text) => self.out.push_str(text),
            Resolved::Text(text) => self.text(text, may_be_open(pointer)),
            Resolved::Unknown(unknown @ (Unknown::Missing(_) | Unknown::Made(_))) if may_be_open(pointer) => {
                self.text(&Text::token(&unknown.token()), true);
            }
            Resolved::Unknown(unknown) => {
                self.unknown.get_or_insert(unknown.clone());
                self.out.push_str("null");
            }
            Resolved::List(items) => {
                self.out.push('[');
                for (position, inner) in items.iter().enumerate() {
                    if position > 0 {
                        self.out.push(',');
                    }
                    self.inside(inner, pointer, &position.to_string());
                }
                self.out.push(']');
            }
            Resolved::Map(members) => {
                self.out.push('{');
                for (position, (key, inner)) in members.iter().enumerate() {
                    if position > 0 {
                        self.out.push(',');
                    }
                    self.quoted(key);
                    self.out.push(':');
                    self.inside(inner, pointer, key);
                }
                self.out.push('}');
            }
        }
    }

    fn inside(&mut self, item: &Item, pointer: &mut String, segment: &str) {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        self.item(item, pointer);
        pointer.truncate(length);
    }

    fn text(&mut self, text: &Text, may_be_open: bool) {
        let text = self.said(text, may_be_open);
        self.quoted(&text);
    }

    fn raw_text(&mut self, text: &Text) {
        let text = self.said(text, true);
        self.out.push_str(&text);
    }

    /// A bucket without a name goes by its address, which is how it is called everywhere else.
    fn said(&mut self, text: &Text, may_be_open: bool) -> String {
        let mut out = String::new();
        for part in self.world.recognise(text).parts() {
            match part {
                Part::Literal(text) => out.push_str(text),
                // Every bucket's ARN starts with the partition; where nobody said which, it is the usual one.
                Part::Token(Token::Partition) => out.push_str("aws"),
                Part::Token(token) => {
                    let open = match &token {
                        Token::BucketName(address) => Open::Bucket(address.clone()),
                        Token::Account => Open::Account,
                        Token::Made(what) => Open::Made(what.clone()),
                        Token::Missing(_) | Token::Region(_) | Token::Partition => {
                            Open::Missing(bare(&token))
                        }
                    };
                    out.push_str(&open.written());
                    if !may_be_open {
                        self.unknown.get_or_insert(Unknown::of_token(token));
                    }
                }
            }
        }
        out
    }

    fn quoted(&mut self, text: &str) {
        self.out.push_str(&serde_json::Value::from(text).to_string());
    }
}
