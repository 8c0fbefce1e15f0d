//! One edge, explained step by step. Nothing is judged here: verdict, causes and faults are the runner's.

use std::collections::BTreeSet;

use super::grants::{TargetPolicy, delivery, now};
use super::run::{EdgeVerdict, LintedEdge, Outcome};
use crate::finding::{Finding, Undecided};
use crate::graph::{Edge, LogGraph, Target};
use crate::inventory::{Fact, ObjectLock, Payer, Why};
use crate::policy::{
    Decision, Delivery, Effect, ElementKind, Facts, Fault, Grant, Mark, Miss, Prepared, StatementTrace, Truth,
};

/// What is told of one edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub source: String,
    pub account: Option<String>,
    /// None where it isn't known.
    pub target: Option<String>,
    pub prefix: Option<String>,
    pub key_format: Option<&'static str>,
    /// The decision of the target's policy and ACL alone, in the contract's word.
    pub grant: &'static str,
    pub verdict: EdgeVerdict,
    pub causes: Vec<&'static str>,
    pub steps: Vec<Step>,
    pub policy: PolicyExplanation,
}

/// What is told of a policy's decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyExplanation {
    /// The pointers of the deciding statements.
    pub deciding: Vec<String>,
    pub unknown_keys: Vec<String>,
    pub if_evaluated_anyway: Option<&'static str>,
    pub statements: Vec<StatementStep>,
    /// What it comes to, and what would change it.
    pub conclusion: Vec<Step>,
    pub caveats: Vec<String>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Good,
    Bad,
    Open,
    /// A risk that stops nothing, or a remark.
    Plain,
    /// What to do.
    Advice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub sign: Sign,
    pub name: String,
    pub text: String,
}

impl Step {
    fn new(sign: Sign, name: &str, text: impl Into<String>) -> Self {
        Self {
            sign,
            name: name.to_owned(),
            text: text.into(),
        }
    }
}

/// A statement of the policy, and its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementStep {
    pub sign: Sign,
    /// Its place in the policy.
    pub pointer: String,
    pub headline: String,
    pub elements: Vec<Step>,
}

/// Explains the edge that leaves this bucket; the outcome is that of a run over the same graph.
pub fn explain(
    graph: &LogGraph<'_>,
    edge: &Edge<'_>,
    linted: &LintedEdge,
    outcome: &Outcome,
    facts: &Facts,
) -> Explanation {
    let said = Said { edge, outcome };
    let delivery = delivery(edge, now(graph, facts));
    let policy = match &edge.target {
        Target::Bucket(bucket) => TargetPolicy::of(bucket, facts),
        Target::Foreign { owner, .. } => owner.and_then(|(_, bucket)| TargetPolicy::of(bucket, facts)),
        Target::Missing | Target::NotABucket(_) | Target::Unknown(_) => None,
    };
    let decision = policy.as_ref().map(|policy| policy.prepared.decide(&delivery));
    Explanation {
        source: edge.source.label.to_string(),
        account: edge.account.id.known().map(ToString::to_string),
        target: edge.target_text().map(str::to_owned),
        prefix: linted.prefix.clone(),
        key_format: linted.key_format.map(|format| format.word()),
        grant: linted.grant,
        verdict: linted.verdict,
        causes: linted.causes.clone(),
        steps: said.steps(linted.grant),
        policy: match (&policy, &decision) {
            (Some(policy), Some(decision)) => explain_policy(&policy.prepared, &delivery, decision),
            _ => PolicyExplanation::default(),
        },
    }
}

/// What the rules said of this edge, by what it is about.
struct Said<'s, 'a> {
    edge: &'s Edge<'a>,
    outcome: &'s Outcome,
}

impl Said<'_, '_> {
    fn steps(&self, grant: &str) -> Vec<Step> {
        let edge = self.edge;
        let mut steps = self.step(
            "target",
            &["S3L001", "S3L002", "S3L003", "S3L004", "S3L011"],
            match &edge.target {
                Target::Bucket(bucket) => {
                    Some(format!("`{}` is a bucket of the source's account", bucket.label))
                }
                Target::Foreign { .. } | Target::Missing | Target::NotABucket(_) | Target::Unknown(_) => None,
            },
        );
        let target = edge.target_bucket();
        steps.extend(self.step(
            "region",
            &["S3L005"],
            match (
                edge.source.region.known(),
                target.and_then(|target| target.region.known()),
            ) {
                (Some(own), Some(other)) if own == other => Some(format!("both are in {own}")),
                _ => None,
            },
        ));
        steps.extend(self.step(
            "owner",
            &["S3L006"],
            target.map(|_| match edge.account.id.known() {
                Some(id) => format!("both belong to account {id}"),
                None => "both belong to the same account".to_owned(),
            }),
        ));
        let settings = target.map(|target| target.settings());
        steps.extend(self.step(
            "encryption",
            &["S3L201", "S3L202"],
            settings.and_then(|settings| match &settings.encryption {
                Fact::Known(encryption) => Some(format!("default encryption is `{}`", encryption.algorithm)),
                Fact::Absent => Some("default encryption is `AES256`".to_owned()),
                Fact::Unknown(_) => None,
            }),
        ));
        steps.extend(self.step(
            "lock",
            &["S3L203", "S3L204"],
            settings.and_then(|settings| match &settings.object_lock {
                Fact::Known(ObjectLock { enabled: true, .. }) => None,
                Fact::Known(ObjectLock { enabled: false, .. }) | Fact::Absent => {
                    Some("no Object Lock".to_owned())
                }
                Fact::Unknown(_) => None,
            }),
        ));
        steps.extend(self.step(
            "payer",
            &["S3L205"],
            settings.and_then(|settings| match &settings.payer {
                Fact::Known(Payer::BucketOwner) | Fact::Absent => Some("the bucket owner pays".to_owned()),
                Fact::Known(Payer::Requester) | Fact::Unknown(_) => None,
            }),
        ));
        steps.extend(
            self.step("prefix", &["S3L007", "S3L012"], None)
                .into_iter()
                .filter(|step| step.sign != Sign::Open),
        );
        let (sign, text) = match (target, grant) {
            (_, "allowed") => (Sign::Good, "lets the log service write these keys".to_owned()),
            (_, "denied") => (Sign::Bad, "denies the log service these keys".to_owned()),
            (_, "not-granted") => (
                Sign::Bad,
                "doesn't let the log service write these keys".to_owned(),
            ),
            (_, "malformed") => (Sign::Bad, "S3 would refuse this policy".to_owned()),
            (Some(target), _) => match target.settings().policy.why() {
                Some(why) => (Sign::Open, unread("s3:GetBucketPolicy", why)),
                None => (Sign::Open, "can't be told".to_owned()),
            },
            (None, _) => (
                Sign::Open,
                "there is no target whose policy could be read".to_owned(),
            ),
        };
        steps.push(Step::new(sign, "policy", text));
        steps
    }

    /// What the rules of these codes said; else what is so; else that it isn't known.
    fn step(&self, name: &str, codes: &[&str], otherwise: Option<String>) -> Vec<Step> {
        let findings = self
            .outcome
            .findings
            .iter()
            .filter(|found| codes.contains(&found.rule.code));
        let mut steps: Vec<Step> = findings
            .map(|found| {
                let sign = match found.rule.effect {
                    super::Effect::None => Sign::Plain,
                    super::Effect::Blocks | super::Effect::Unreadable | super::Effect::Loops => Sign::Bad,
                    super::Effect::Uncertain => Sign::Open,
                };
                let Finding { message, .. } = &*found.said;
                Step::new(sign, name, format!("{message} ({})", found.rule.code))
            })
            .collect();
        let undecided: BTreeSet<String> = self
            .outcome
            .undecided
            .iter()
            .filter(|open| codes.contains(&open.rule.code))
            .map(|open| {
                let Undecided { why, needs, .. } = &*open.said;
                unread(needs.as_deref().unwrap_or("more"), why)
            })
            .collect();
        steps.extend(
            undecided
                .into_iter()
                .map(|text| Step::new(Sign::Open, name, text)),
        );
        if steps.is_empty() {
            steps.push(match otherwise {
                Some(text) => Step::new(Sign::Good, name, text),
                None => Step::new(Sign::Open, name, "not known"),
            });
        }
        steps
    }
}

fn unread(needs: &str, why: &Why) -> String {
    match why {
        Why::Denied { action } => format!("not known: {action} was denied"),
        Why::NotRead => format!("not in the input; {needs} would tell"),
        Why::AfterApply => "known only after the deploy".to_owned(),
        Why::LeftOut => {
            "left out of the template, and the one before may have had it; a change set would tell".to_owned()
        }
        Why::Sensitive => "the file says that this is secret".to_owned(),
        Why::Failed { code } => format!("not known: the call failed with {code} ({needs})"),
    }
}

/// Explains a policy's decision about one delivery.
pub fn explain_policy(prepared: &Prepared, delivery: &Delivery, decision: &Decision) -> PolicyExplanation {
    let mut unknown_keys: Vec<String> = Vec::new();
    for unknown in &decision.unknown {
        if !unknown_keys.contains(&unknown.key) {
            unknown_keys.push(unknown.key.clone());
        }
    }
    let traces = prepared.trace(delivery);
    let mut caveats = Vec::new();
    if decision.grant == Grant::Allowed {
        caveats.extend(
            prepared
                .caveats(delivery)
                .into_iter()
                .map(|caveat| format!("this rests on something that AWS doesn't document: {caveat}")),
        );
        caveats.extend(prepared.passing(delivery));
        caveats.push(
            "a resource control policy of the organization could still deny it; that can't be seen from the bucket"
                .to_owned(),
        );
    }
    PolicyExplanation {
        deciding: decision
            .statements()
            .iter()
            .map(|pointer| (*pointer).to_owned())
            .collect(),
        unknown_keys,
        if_evaluated_anyway: decision.if_evaluated_anyway.map(Grant::word),
        conclusion: conclusion(prepared, delivery, decision, &traces),
        statements: traces.iter().map(statement).collect(),
        caveats,
    }
}

fn statement(trace: &StatementTrace) -> StatementStep {
    let effect = match trace.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::Neither => "no effect",
    };
    let (sign, does) = match (trace.effect, trace.truth) {
        (Effect::Allow, Truth::True) => (Sign::Good, "matches"),
        (Effect::Deny, Truth::True) => (Sign::Bad, "matches"),
        (_, Truth::Unknown) | (Effect::Neither, Truth::True) => (Sign::Open, "may match"),
        (_, Truth::False) => (Sign::Plain, "doesn't match"),
    };
    StatementStep {
        sign,
        pointer: trace.statement.clone(),
        headline: format!("{}, {effect}: {does}", trace.name),
        elements: trace
            .elements
            .iter()
            .map(|element| {
                let name = match &element.kind {
                    ElementKind::Principal => "principal",
                    ElementKind::Action => "action",
                    ElementKind::Resource => "resource",
                    ElementKind::Condition(key) => key,
                };
                let mark = match element.mark {
                    Mark::Evidence | Mark::Inferred | Mark::Told => format!(" ({})", element.mark.words()),
                    Mark::Given | Mark::Documented | Mark::Open => String::new(),
                };
                let sign = match element.truth {
                    Truth::True => Sign::Good,
                    Truth::False => Sign::Bad,
                    Truth::Unknown => Sign::Open,
                };
                let text = match (element.truth, &element.kind) {
                    (Truth::True, ElementKind::Principal | ElementKind::Action | ElementKind::Resource) => {
                        element.wants.clone()
                    }
                    (Truth::False | Truth::Unknown, ElementKind::Principal) => {
                        format!("{}; the delivery comes from {}", element.wants, element.finds)
                    }
                    (Truth::False | Truth::Unknown, ElementKind::Action) => {
                        format!("{}; the delivery needs {}", element.wants, element.finds)
                    }
                    (Truth::False | Truth::Unknown, ElementKind::Resource) => {
                        format!("{}; the keys are {}", element.wants, element.finds)
                    }
                    (_, ElementKind::Condition(_)) => {
                        format!("{}; a delivery carries {}{mark}", element.wants, element.finds)
                    }
                };
                Step::new(sign, name, text)
            })
            .collect(),
    }
}

fn conclusion(
    prepared: &Prepared,
    delivery: &Delivery,
    decision: &Decision,
    traces: &[StatementTrace],
) -> Vec<Step> {
    let name = |pointer: &str| {
        traces
            .iter()
            .find(|trace| trace.statement == pointer)
            .map_or_else(|| "the ACL".to_owned(), |trace| trace.name.clone())
    };
    let mut steps = Vec::new();
    match decision.grant {
        Grant::Malformed => {
            for Fault { message, help, .. } in prepared.faults() {
                steps.push(Step::new(Sign::Bad, "malformed", format!("S3 says: {message}")));
                steps.push(Step::new(Sign::Advice, "help", help.clone()));
            }
            if let Some(anyway) = decision.if_evaluated_anyway {
                steps.push(Step::new(
                    Sign::Plain,
                    "anyway",
                    format!(
                        "were it in force as it stands, it would come to {}",
                        anyway.word()
                    ),
                ));
            }
        }
        Grant::Denied | Grant::Allowed | Grant::NotGranted | Grant::Unknown => {}
    }
    for decider in &decision.deciders {
        let (sign, does) = match (
            decision.if_evaluated_anyway.unwrap_or(decision.grant),
            decider.effect,
        ) {
            (Grant::Denied, _) => (Sign::Bad, "denies it"),
            (Grant::Allowed, _) => (Sign::Good, "allows it"),
            (_, Effect::Deny) => (Sign::Open, "may deny it"),
            (_, Effect::Allow | Effect::Neither) => (Sign::Open, "may allow it"),
        };
        let text = format!("{} {does}: {}", name(&decider.statement), decider.because);
        steps.push(Step::new(sign, "policy", text));
        if !decider.edit.is_empty() {
            steps.push(Step::new(Sign::Advice, "help", decider.edit.clone()));
        }
    }
    if decision.via_acl {
        steps.push(Step::new(
            Sign::Good,
            "acl",
            "the bucket's ACL lets the LogDelivery group write",
        ));
    }
    for unknown in decision
        .unknown
        .iter()
        .filter(|unknown| unknown.statement.is_empty())
    {
        steps.push(Step::new(
            Sign::Open,
            "acl",
            format!("hangs on {}: {}", unknown.key, unknown.settle),
        ));
    }
    match &decision.nearest {
        Some(nearest) => {
            let also: Vec<String> = nearest.also.iter().map(|miss| miss.words()).collect();
            let needed = match nearest.misses {
                Miss::Principal
                | Miss::Action
                | Miss::Partition
                | Miss::Bucket
                | Miss::Prefix
                | Miss::DeadAcl => format!(", and needed is {}", nearest.needed),
                // These say it as a sentence.
                Miss::SourceArn | Miss::SourceAccount | Miss::SourceOrganization | Miss::Condition(_) => {
                    format!("; {}", nearest.needed)
                }
            };
            let mut text = format!(
                "nothing grants it; nearest is {}, where {} misses: it says {}{needed}",
                nearest.name,
                nearest.misses.words(),
                nearest.written,
            );
            if !also.is_empty() {
                text.push_str(&format!("; {} too", also.join(" and ")));
            }
            steps.push(Step::new(Sign::Bad, "policy", text));
            steps.push(Step::new(Sign::Advice, "help", nearest.edit.clone()));
        }
        None if decision.grant == Grant::NotGranted => {
            steps.push(Step::new(
                Sign::Bad,
                "policy",
                "no statement and no ACL grants anything to anyone that includes the log service",
            ));
            steps.push(Step::new(
                Sign::Advice,
                "help",
                format!(
                    "allow `{}` to do `s3:PutObject` on `arn:{}:s3:::{}/{}*`",
                    delivery.service(),
                    delivery.partition,
                    delivery.target_bucket.as_deref().unwrap_or("TARGET"),
                    delivery.prefix.as_deref().unwrap_or_default(),
                ),
            ));
        }
        None => {}
    }
    steps
}
