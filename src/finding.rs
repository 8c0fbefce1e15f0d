//! What a rule can say: a finding, nothing, or that it could not decide.

use std::fmt;

use crate::inventory::{Call, Place, Why};
use crate::name::{AccountId, Region};

/// How bad a finding is. Ordered: an error is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Hygiene.
    Note,
    /// A risk.
    Warning,
    /// Logs do not arrive, arrive unreadable, or loop.
    Error,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// `?` on an unknown fact leaves the rule undecided, and nobody can forget it.
pub type Verdict = Result<Option<Finding>, Undecided>;

/// What a rule found. Who found it and about which bucket is stamped on by the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One sentence, names in backticks.
    pub message: String,
    /// What to do, as a command where one exists.
    pub help: Option<String>,
    /// The first is the primary one. Empty only where no document exists.
    pub labels: Vec<Label>,
    /// The same fault of a shared target, met by many sources: told once, with a count.
    pub shared: Option<Shared>,
    /// The path of a cycle, the first bucket repeated at the end.
    pub cycle: Vec<String>,
    /// The content of the statement at fault, for a fingerprint that survives lines moving.
    pub evidence: Option<String>,
    /// What the planner could repair. Never an action.
    pub fix: Option<Goal>,
}

impl Finding {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: plain(message.into()),
            help: None,
            labels: Vec::new(),
            shared: None,
            cycle: Vec::new(),
            evidence: None,
            fix: None,
        }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(plain(help.into()));
        self
    }

    /// Adds a label that says what this place does.
    pub fn label(mut self, place: &Place, text: impl Into<String>) -> Self {
        let place = place.as_written();
        let mut text = plain(text.into());
        if let Some(made_at) = &place.made_at {
            text.push_str(&format!(" (made at {made_at})"));
        }
        self.labels.push(Label { place, text });
        self
    }

    /// Adds a label where the place is known.
    pub fn label_at(self, place: Option<&Place>, text: impl Into<String>) -> Self {
        match place {
            Some(place) => self.label(place, text),
            None => self,
        }
    }

    /// Findings of one rule with the same key are one fault; `message` tells it without naming a source.
    pub fn shared(mut self, key: impl Into<String>, message: impl Into<String>) -> Self {
        self.shared = Some(Shared {
            key: key.into(),
            message: plain(message.into()),
        });
        self
    }

    pub fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    pub fn fix(mut self, goal: Goal) -> Self {
        self.fix = Some(goal);
        self
    }
}

/// Without the invisible marks by which the policy of a template says what only the deploy tells.
fn plain(text: String) -> String {
    let is_mark = |c: char| ('\u{2061}'..='\u{2064}').contains(&c);
    match text.contains(is_mark) {
        true => text.replace(is_mark, ""),
        false => text,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub place: Place,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    pub key: String,
    pub message: String,
}

/// What the planner can be asked for, by a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goal {
    /// Give this bucket a log target that works.
    ProperTarget { bucket: String },
    /// End the bucket's prefix with a slash.
    SeparatePrefix { bucket: String },
    /// Let S3 write this edge's keys by the target's policy.
    Grant { source: String, target: String },
    /// Take the log service out of a deny that hits it only because it sends no such key.
    ExemptFromDeny { target: String, statement: String },
    /// Scope an open grant to the sources that log here.
    ScopeGrant { target: String, statement: String },
    /// Grant by policy what works by ACL alone.
    PolicyInsteadOfAcl { target: String },
    /// Drop target grants that S3 no longer honours.
    DropTargetGrants { bucket: String },
    /// Default encryption with SSE-S3.
    SseS3 { target: String },
    /// The bucket owner pays.
    OwnerPays { target: String },
    /// Expire the delivered keys.
    ExpireLogs { target: String },
    /// Expire the noncurrent versions of the delivered keys.
    ExpireNoncurrentLogs { target: String },
}

impl Goal {
    /// The bucket whose finding asks for it.
    pub fn bucket(&self) -> &str {
        match self {
            Goal::ProperTarget { bucket }
            | Goal::SeparatePrefix { bucket }
            | Goal::DropTargetGrants { bucket } => bucket,
            Goal::Grant { source, .. } => source,
            Goal::ExemptFromDeny { target, .. }
            | Goal::ScopeGrant { target, .. }
            | Goal::PolicyInsteadOfAcl { target }
            | Goal::SseS3 { target }
            | Goal::OwnerPays { target }
            | Goal::ExpireLogs { target }
            | Goal::ExpireNoncurrentLogs { target } => target,
        }
    }
}

/// A rule that could not read what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    pub why: Why,
    /// The answer that is missing, where it is one.
    pub call: Option<Call>,
    /// What would settle it: an IAM action, mostly.
    pub needs: Option<String>,
    /// The bucket whose answer is missing, where that isn't the one that the rule was asked about.
    pub on: Option<String>,
}

impl Undecided {
    /// This answer is missing; the call's permission would settle it.
    pub fn without(call: Call, why: &Why) -> Self {
        let needs = match why {
            Why::Denied { action } => Some((*action).to_owned()),
            Why::NotRead | Why::Failed { .. } => Some(call.action().to_owned()),
            Why::LeftOut => Some("cloudformation:DescribeChangeSet".to_owned()),
            Why::AfterApply | Why::Sensitive => None,
        };
        Self {
            why: why.clone(),
            call: Some(call),
            needs,
            on: None,
        }
    }

    /// It is another bucket's answer that is missing.
    pub fn on(mut self, bucket: &str) -> Self {
        self.on = Some(bucket.to_owned());
        self
    }
}

/// Whom a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    /// The bucket whose logging is concerned; a log bucket itself, then without a target.
    pub bucket: String,
    pub target: Option<String>,
    pub name_known: bool,
}
