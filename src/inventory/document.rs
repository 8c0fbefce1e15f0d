//! The texts that findings point into, and the places in them.
//!
//! A place is symbolic: a document and a JSON pointer. Lines and columns are found when something is shown.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Call;

/// A text that a finding can show: an answer of AWS, a policy, or a file of the user.
#[derive(Debug, PartialEq, Eq)]
pub struct Document {
    pub title: Title,
    pub text: Arc<str>,
    /// Where this text is written, inside another document (a policy inside a plan or a template).
    pub host: Option<Host>,
}

/// The outer place of a document, and where its parts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub place: Place,
    /// Where each part is written, by its pointer: for a text that is made of a template's parts and stands nowhere
    /// as it is. Empty for one that does.
    pub origins: BTreeMap<String, Range<usize>>,
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
    /// Where the program that wrote the file made this, as `app.js:3:75`.
    pub made_at: Option<Arc<str>>,
}

impl Place {
    pub fn new(document: &Arc<Document>, pointer: impl Into<String>) -> Self {
        Self {
            document: Arc::clone(document),
            pointer: pointer.into(),
            span: None,
            made_at: None,
        }
    }

    /// The place in the user's file, where this one is in a text that was made of the file's parts.
    pub fn as_written(&self) -> Self {
        let Some(host) = &self.document.host else {
            return self.clone();
        };
        let mut pointer = self.pointer.as_str();
        loop {
            if let Some(span) = host.origins.get(pointer) {
                return Self {
                    document: Arc::clone(&host.place.document),
                    pointer: host.place.pointer.clone(),
                    span: Some(span.clone()),
                    made_at: host.place.made_at.clone(),
                };
            }
            match pointer.rsplit_once('/') {
                Some((outer, _)) => pointer = outer,
                None => return self.clone(),
            }
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
            made_at: self.made_at.clone(),
        }
    }
}
