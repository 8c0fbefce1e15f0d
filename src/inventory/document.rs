//! The texts that findings point into, and the places in them.
//!
//! A place is symbolic: a document and a JSON pointer. Lines and columns are found when something is shown.

use std::ops::Range;
use std::sync::Arc;

use super::Call;

/// A text that a finding can show: an answer of AWS, a policy, or a file of the user.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    pub title: Title,
    pub text: Arc<str>,
    /// The outer place, where this text is written inside another document (a policy inside a plan).
    pub host: Option<Place>,
}

/// What a document is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Title {
    /// What AWS answered about a bucket.
    Answer { bucket: Arc<str>, call: Call },
    /// A file, as the user named it.
    File { path: String },
    /// A policy that stands inside a file, named by the resource that holds it.
    Embedded { path: String, address: String },
}

impl Document {
    /// The path of the user's file, where there is one.
    pub fn path(&self) -> Option<&str> {
        match &self.title {
            Title::Answer { .. } => None,
            Title::File { path } | Title::Embedded { path, .. } => Some(path),
        }
    }
}

impl std::fmt::Display for Title {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Title::Answer { bucket, call } => write!(f, "{} {bucket}", call.operation()),
            Title::File { path } => f.write_str(path),
            Title::Embedded { path, address } => write!(f, "{path}#{address}"),
        }
    }
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub document: Arc<Document>,
    /// A JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// The bytes, where the pointer alone can't say it (a YAML file, a Terraform source file).
    pub span: Option<Range<usize>>,
}

impl Place {
    pub fn new(document: &Arc<Document>, pointer: impl Into<String>) -> Self {
        Self {
            document: Arc::clone(document),
            pointer: pointer.into(),
            span: None,
        }
    }

    /// A place further inside.
    pub fn inside(&self, pointer: &str) -> Self {
        let mut whole = self.pointer.clone();
        whole.push_str(pointer);
        Self {
            document: Arc::clone(&self.document),
            pointer: whole,
            span: None,
        }
    }
}
