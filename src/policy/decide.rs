//! The decision: may the log service write all keys of this edge?
//!
//! A deny that matches wins over any allow; without an allow nothing is granted; the order of statements never
//! matters. The service has no policy of its own, so the bucket's policy, or its ACL, must grant alone.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use super::delivery::Delivery;
use super::facts::{Facts, Question};
use super::fault::Fault;
use super::nearest::{Nearest, nearest};
use super::parse::Parsed;
use super::prepare::{self, PreparedStatement, Request};
use super::syntax::{Effect, Policy, Version};
use super::trace::{self, Decider};
use super::truth::Truth;

/// The word of the decision, which is the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    Allowed,
    Denied,
    NotGranted,
    Unknown,
    /// S3 would refuse the policy, or it can be read in two ways.
    Malformed,
}

impl Grant {
    pub fn word(self) -> &'static str {
        match self {
            Grant::Allowed => "allowed",
            Grant::Denied => "denied",
            Grant::NotGranted => "not-granted",
            Grant::Unknown => "unknown",
            Grant::Malformed => "malformed",
        }
    }
}

/// What a policy and an ACL come to, for one edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub grant: Grant,
    /// The statements that decide, in their order, each with the element that tips it. All denies that match; or all
    /// that are unknown; or all allows that match. Empty where nothing grants.
    pub deciders: Vec<Decider>,
    /// What can't be known and would settle it.
    pub unknown: Vec<UnknownKey>,
    /// Where nothing grants: what comes nearest to it.
    pub nearest: Option<Nearest>,
    /// What the ACL alone comes to.
    pub acl: Truth,
    /// The ACL grants, and no statement does.
    pub via_acl: bool,
    /// For a malformed policy: what it would come to, were it in force as it stands.
    pub if_evaluated_anyway: Option<Grant>,
}

impl Decision {
    /// The pointers of the deciding statements; `acl` where it is the ACL that decides.
    pub fn statements(&self) -> Vec<&str> {
        let acl = self.via_acl.then_some("acl");
        self.deciders
            .iter()
            .map(|decider| decider.statement.as_str())
            .chain(acl)
            .collect()
    }
}

/// A key, or another question, that leaves a statement open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// `s3:x-amz-acl`, or in words what is no condition key: `Principal {"AWS":"*"}`.
    pub key: String,
    /// The statement; empty for the ACL.
    pub statement: String,
    /// The element.
    pub element: String,
    pub settle: String,
    pub settled_by: SettledBy,
}

/// Who knows what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettledBy {
    /// The policy itself leaves it open until the deploy.
    Deploy,
    /// Whoever asks: something about the edge that wasn't said.
    Input(Unsaid),
    /// It is known: some of the edge's keys are covered, and others aren't.
    Keys,
    /// Nobody outside AWS.
    Nobody,
}

/// What may be left unsaid about an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unsaid {
    Source,
    SourceAccount,
    Target,
    TargetAccount,
    Region,
    Prefix,
    KeyFormat,
    Organization,
    Encryption,
    Ownership,
    Acl,
    Time,
}

impl Unsaid {
    pub fn words(self) -> &'static str {
        match self {
            Unsaid::Source => "the source's name",
            Unsaid::SourceAccount => "the source's account",
            Unsaid::Target => "the target's name",
            Unsaid::TargetAccount => "the target's account",
            Unsaid::Region => "the region",
            Unsaid::Prefix => "the prefix",
            Unsaid::KeyFormat => "the key format",
            Unsaid::Organization => "the account's organization",
            Unsaid::Encryption => "the target's default encryption",
            Unsaid::Ownership => "the target's object ownership",
            Unsaid::Acl => "the target's ACL",
            Unsaid::Time => "the time",
        }
    }
}

/// A policy and what is known, ready to decide many edges.
#[derive(Debug, Clone)]
pub struct Prepared {
    policy: Policy,
    statements: Vec<PreparedStatement>,
    facts: Facts,
    /// For which S3 would refuse it, as far as it bears on log delivery.
    faults: Vec<Fault>,
    /// With the first of two equal keys, where there are such.
    first_wins: Option<Vec<PreparedStatement>>,
    /// Of the text that is no policy at all.
    unreadable: bool,
}

impl Prepared {
    pub fn new(parsed: &Parsed, facts: &Facts) -> Self {
        let empty = || Policy {
            version: Version::Missing,
            id: None,
            statements: Vec::new(),
        };
        let policy = parsed.policy.clone().unwrap_or_else(empty);
        let statements = prepare::statements(&policy, facts);
        let statement_of = |fault: &Fault| {
            policy.statements.iter().zip(&statements).find(|(statement, _)| {
                let below = fault.pointer.strip_prefix(statement.pointer.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        // Of a statement that only the deploy tells, nobody knows that S3 will meet it.
        let is_met = |fault: &&Fault| {
            statement_of(fault).is_none_or(|(statement, ready)| {
                let may_concern = ready.principal != Truth::False && !statement.names_somebody_later();
                statement.is_surely_there() && (may_concern || !fault.kind.counts_only_for_log_delivery())
            })
        };
        let faults = parsed
            .faults
            .iter()
            .filter(|fault| !(facts.stored && fault.kind.rests_on_a_list()))
            .filter(is_met)
            .cloned()
            .collect();
        Self {
            statements,
            first_wins: parsed
                .first_wins
                .as_ref()
                .map(|policy| prepare::statements(policy, facts)),
            unreadable: parsed.policy.is_none(),
            facts: facts.clone(),
            faults,
            policy,
        }
    }

    /// A bucket without a policy: only its ACL can grant.
    pub fn without_policy(facts: &Facts) -> Self {
        Self {
            policy: Policy {
                version: Version::Of2012,
                id: None,
                statements: Vec::new(),
            },
            statements: Vec::new(),
            facts: facts.clone(),
            faults: Vec::new(),
            first_wins: None,
            unreadable: false,
        }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(super) fn prepared(&self) -> &[PreparedStatement] {
        &self.statements
    }

    /// For which S3 would refuse the policy, or it can be read in two ways: without those of statements that have
    /// nothing to do with log delivery, where S3's refusal says all that is to be said.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Decides one edge.
    pub fn decide(&self, delivery: &Delivery) -> Decision {
        let request = Request::new(delivery, &self.facts);
        let mut decision = self.decide_anyway(&request);
        if !self.faults.is_empty() {
            decision.if_evaluated_anyway = match (&self.first_wins, self.unreadable) {
                (_, true) => None,
                (None, false) => Some(decision.grant),
                (Some(first_wins), false) => {
                    let first = grant(
                        first_wins,
                        &request,
                        delivery.acl.grants(self.facts.to(Question::WriteWithoutReadAcp)),
                    );
                    Some(if first == decision.grant {
                        first
                    } else {
                        Grant::Unknown
                    })
                }
            };
            decision.grant = Grant::Malformed;
        }
        decision
    }

    fn decide_anyway(&self, request: &Request<'_>) -> Decision {
        let acl = request
            .delivery
            .acl
            .grants(self.facts.to(Question::WriteWithoutReadAcp));
        let mut tally = Tally::default();
        for (index, statement) in self.statements.iter().enumerate() {
            tally.count(index, statement.effect, request.statement(statement));
        }
        let grant = tally.grant(acl);
        let mut decision = Decision {
            grant,
            deciders: Vec::new(),
            unknown: Vec::new(),
            nearest: None,
            acl,
            via_acl: false,
            if_evaluated_anyway: None,
        };
        let decide = |index: &usize| trace::decider(self, *index, request);
        match grant {
            Grant::Denied => decision.deciders = tally.denies.iter().map(decide).collect(),
            Grant::Allowed => {
                decision.deciders = tally.allows.iter().map(decide).collect();
                decision.via_acl = tally.allows.is_empty();
            }
            Grant::Unknown => {
                // Where an allow is certain, only what may deny is open.
                let certain = !tally.allows.is_empty() || acl == Truth::True;
                let mut open = tally.maybe_denies.clone();
                if !certain {
                    open.extend(&tally.maybe_allows);
                    open.sort_unstable();
                    if acl == Truth::Unknown {
                        decision.unknown.push(trace::unknown_acl(request.delivery));
                    }
                }
                for index in &open {
                    decision.deciders.push(decide(index));
                    decision
                        .unknown
                        .extend(trace::unknown_keys(self, *index, request));
                }
            }
            Grant::NotGranted => decision.nearest = nearest(self, request),
            Grant::Malformed => {}
        }
        decision
    }
}

/// The statements that matter, by what they do.
#[derive(Debug, Default)]
struct Tally {
    denies: Vec<usize>,
    maybe_denies: Vec<usize>,
    allows: Vec<usize>,
    maybe_allows: Vec<usize>,
    /// A statement with an effect that there isn't is about this delivery.
    neither: bool,
}

impl Tally {
    fn count(&mut self, index: usize, effect: Effect, truth: Truth) {
        match (effect, truth) {
            (_, Truth::False) => {}
            (Effect::Deny, Truth::True) => self.denies.push(index),
            (Effect::Deny, Truth::Unknown) => self.maybe_denies.push(index),
            (Effect::Allow, Truth::True) => self.allows.push(index),
            (Effect::Allow, Truth::Unknown) => self.maybe_allows.push(index),
            (Effect::Neither, _) => self.neither = true,
        }
    }

    fn grant(&self, acl: Truth) -> Grant {
        let nothing = self.allows.is_empty() && self.maybe_allows.is_empty() && acl == Truth::False;
        if !self.denies.is_empty() {
            Grant::Denied
        } else if self.neither {
            Grant::Unknown
        } else if nothing {
            Grant::NotGranted
        } else if !self.maybe_denies.is_empty() {
            Grant::Unknown
        } else if !self.allows.is_empty() || acl == Truth::True {
            Grant::Allowed
        } else {
            Grant::Unknown
        }
    }
}

fn grant(statements: &[PreparedStatement], request: &Request<'_>, acl: Truth) -> Grant {
    let mut tally = Tally::default();
    for (index, statement) in statements.iter().enumerate() {
        tally.count(index, statement.effect, request.statement(statement));
    }
    tally.grant(acl)
}
