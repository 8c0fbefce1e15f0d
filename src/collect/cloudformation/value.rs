//! What a part of a template comes to: values, with what isn't known kept apart.

use std::ops::Range;

use super::text::{Text, Token};
use crate::inventory::Why;

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub value: Resolved,
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    Null,
    /// `AWS::NoValue`: as if it wasn't written.
    Nothing,
    Bool(bool),
    Number(String),
    Text(Text),
    List(Vec<Item>),
    Map(Vec<(String, Item)>),
    Unknown(Unknown),
}

/// Why something isn't known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unknown {
    /// It hangs on this, which the input doesn't hold.
    Missing(String),
    /// It is there or it isn't: that hangs on this.
    Maybe(String),
    /// Only the deploy makes it.
    Made(String),
}

impl Unknown {
    pub fn why(&self) -> Why {
        match self {
            Unknown::Missing(_) | Unknown::Maybe(_) => Why::NotRead,
            Unknown::Made(_) => Why::AfterApply,
        }
    }

    pub fn token(&self) -> Token {
        match self {
            Unknown::Missing(what) | Unknown::Maybe(what) => Token::Missing(what.clone()),
            Unknown::Made(what) => Token::Made(what.clone()),
        }
    }

    fn maybe(&self) -> Self {
        match self {
            Unknown::Missing(what) | Unknown::Maybe(what) | Unknown::Made(what) => {
                Unknown::Maybe(what.clone())
            }
        }
    }

    pub fn of_token(token: Token) -> Self {
        match token {
            Token::Missing(what) => Unknown::Missing(what),
            Token::Made(what) => Unknown::Made(what),
            Token::BucketName(address) => Unknown::Made(address),
            Token::Account => Unknown::Missing("AWS::AccountId".to_owned()),
            Token::Region(_) => Unknown::Missing("AWS::Region".to_owned()),
            Token::Partition => Unknown::Missing("AWS::Partition".to_owned()),
        }
    }
}

impl Resolved {
    pub fn text(text: &str) -> Self {
        Resolved::Text(Text::literal(text))
    }

    pub fn missing(what: impl Into<String>) -> Self {
        Resolved::Unknown(Unknown::Missing(what.into()))
    }

    /// The value as a text, as CloudFormation makes one of a scalar; a value that isn't known becomes a token.
    pub fn as_text(&self) -> Option<Text> {
        match self {
            Resolved::Text(text) => Some(text.clone()),
            Resolved::Number(text) => Some(Text::literal(text)),
            Resolved::Bool(value) => Some(Text::literal(if *value { "true" } else { "false" })),
            Resolved::Unknown(unknown) => Some(Text::token(&unknown.token())),
            Resolved::Null | Resolved::Nothing | Resolved::List(_) | Resolved::Map(_) => None,
        }
    }

    /// The known text of a scalar.
    pub fn known_text(&self) -> Option<String> {
        self.as_text()?.known().map(str::to_owned)
    }

    pub fn get(&self, key: &str) -> Option<&Item> {
        match self {
            Resolved::Map(members) => members
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, item)| item),
            Resolved::Null
            | Resolved::Nothing
            | Resolved::Bool(_)
            | Resolved::Number(_)
            | Resolved::Text(_)
            | Resolved::List(_)
            | Resolved::Unknown(_) => None,
        }
    }

    /// Every part of it is known; a token is not.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Resolved::Null | Resolved::Nothing | Resolved::Bool(_) | Resolved::Number(_) => true,
            Resolved::Text(text) => text.is_known(),
            Resolved::List(items) => items.iter().all(|item| item.value.is_wholly_known()),
            Resolved::Map(members) => members.iter().all(|(_, item)| item.value.is_wholly_known()),
            Resolved::Unknown(_) => false,
        }
    }

    /// The same, wherever it is written.
    pub fn is_same(&self, other: &Resolved) -> bool {
        match (self, other) {
            (Resolved::Null | Resolved::Nothing, Resolved::Null | Resolved::Nothing) => true,
            (Resolved::List(a), Resolved::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value.is_same(&b.value))
            }
            (Resolved::Map(a), Resolved::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, item)| other.get(key).is_some_and(|b| item.value.is_same(&b.value)))
            }
            (Resolved::List(_) | Resolved::Map(_), _) | (_, Resolved::List(_) | Resolved::Map(_)) => false,
            (Resolved::Null | Resolved::Nothing, _) | (_, Resolved::Null | Resolved::Nothing) => false,
            (a, b) => a.as_text() == b.as_text(),
        }
    }

    /// One of two, and it isn't known which: what they agree on, the rest unknown.
    pub fn either(self, other: Resolved, unknown: &Unknown) -> Resolved {
        if self.is_same(&other) {
            return self;
        }
        match (self, other) {
            (Resolved::Map(a), Resolved::Map(b)) => {
                let mut merged: Vec<(String, Item)> = Vec::with_capacity(a.len());
                for (key, item) in a {
                    let there = b.iter().rev().find(|(name, _)| *name == key);
                    let value = match there {
                        Some((_, other)) => item.value.either(other.value.clone(), unknown),
                        None => Resolved::Unknown(unknown.maybe()),
                    };
                    merged.push((
                        key,
                        Item {
                            value,
                            span: item.span,
                        },
                    ));
                }
                for (key, item) in b {
                    if !merged.iter().any(|(name, _)| *name == key) {
                        let value = Resolved::Unknown(unknown.maybe());
                        merged.push((
                            key,
                            Item {
                                value,
                                span: item.span,
                            },
                        ));
                    }
                }
                Resolved::Map(merged)
            }
            (Resolved::Null | Resolved::Nothing, _) | (_, Resolved::Null | Resolved::Nothing) => {
                Resolved::Unknown(unknown.maybe())
            }
            (_, _) => Resolved::Unknown(unknown.clone()),
        }
    }

    pub fn is_maybe(&self) -> bool {
        matches!(self, Resolved::Unknown(Unknown::Maybe(_)))
    }
}

/// True, false, or it hangs on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown(Unknown),
}

impl Truth {
    pub fn not(self) -> Self {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown(unknown) => Truth::Unknown(unknown),
        }
    }

    /// False as soon as one is.
    pub fn all(parts: impl IntoIterator<Item = Truth>) -> Self {
        let mut whole = Truth::True;
        for part in parts {
            match part {
                Truth::False => return Truth::False,
                Truth::Unknown(unknown) => whole = Truth::Unknown(unknown),
                Truth::True => {}
            }
        }
        whole
    }

    pub fn any(parts: impl IntoIterator<Item = Truth>) -> Self {
        Self::all(parts.into_iter().map(Truth::not)).not()
    }
}
