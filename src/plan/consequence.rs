//! What the lint says before and after: the findings that disappear, that remain and that come.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Change, Plan, Refusal, Setting};
use crate::finding::{Finding, Severity, Subject, Undecided};
use crate::graph::LogGraph;
use crate::inventory::Inventory;
use crate::rules::{self, LintedEdge, Outcome, Reported, Rule};

/// Of the buckets that a plan touches, and of those that it sends logs to.
#[derive(Debug)]
pub struct Consequences {
    pub gone: Vec<Reported<Finding>>,
    pub remaining: Vec<Reported<Finding>>,
    pub new: Vec<Reported<Finding>>,
    /// What can't be decided once the plan is applied.
    pub undecided: Vec<Reported<Undecided>>,
    /// The edges that leave or reach a touched bucket, once the plan is applied.
    pub edges: Vec<LintedEdge>,
}

impl Consequences {
    pub fn of(plan: &Plan, inventory: &Inventory) -> Self {
        Self::about(&[], plan, inventory)
    }

    /// The same, with buckets that are meant although nothing of them changes.
    pub fn about(buckets: &[String], plan: &Plan, inventory: &Inventory) -> Self {
        let mut touched = touched(plan);
        touched.extend(buckets.iter().map(String::as_str));
        Self::compare(&touched, plan, inventory, &plan.project(inventory))
    }

    /// Of two states of an account, seen or projected.
    pub fn between(plan: &Plan, before: &Inventory, after: &Inventory) -> Self {
        Self::compare(&touched(plan), plan, before, after)
    }

    fn compare(touched: &BTreeSet<&str>, plan: &Plan, before: &Inventory, after: &Inventory) -> Self {
        let targets = targets(plan);
        let concerns = |bucket: &str, target: Option<&str>| {
            touched.contains(bucket) || target.is_some_and(|target| touched.contains(target))
        };
        // What is wrong with a log bucket itself; what is wrong with the logs of others is theirs.
        let is_targets_own =
            |bucket: &str, target: Option<&str>| target.is_none() && targets.contains(bucket);
        let scope: BTreeSet<&str> = touched.union(&targets).copied().collect();
        let (before, after) = (lint(before, &scope), lint(after, &scope));
        let key = |reported: &Reported<Finding>| {
            (
                reported.rule.code,
                reported.subject.bucket.clone(),
                reported.subject.target.clone(),
                reported.said.message.clone(),
            )
        };
        let (then, now): (BTreeSet<_>, BTreeSet<_>) = (
            before.findings.iter().map(key).collect(),
            after.findings.iter().map(key).collect(),
        );
        let is_about = |subject: &Subject| {
            let (bucket, target) = (subject.bucket.as_str(), subject.target.as_deref());
            concerns(bucket, target) || is_targets_own(bucket, target)
        };
        let about = |reported: &Reported<Finding>| is_about(&reported.subject);
        let gone = before
            .findings
            .into_iter()
            .filter(|reported| about(reported) && !now.contains(&key(reported)))
            .collect();
        let (remaining, new) = after
            .findings
            .into_iter()
            .filter(about)
            .partition(|reported| then.contains(&key(reported)));
        Self {
            gone,
            remaining,
            new,
            undecided: after
                .undecided
                .into_iter()
                .filter(|reported| is_about(&reported.subject))
                .collect(),
            edges: after
                .edges
                .into_iter()
                .filter(|edge| concerns(&edge.subject.bucket, edge.subject.target.as_deref()))
                .collect(),
        }
    }
}

impl Consequences {
    /// A fault that wasn't there before, and that no other one of the same edge hid.
    pub fn worse(&self) -> Option<&Reported<Finding>> {
        self.new.iter().find(|finding| {
            let hid = |gone: &Reported<Finding>| {
                gone.rule.severity == Severity::Error && gone.subject == finding.subject
            };
            finding.rule.severity == Severity::Error && !self.gone.iter().any(hid)
        })
    }

    /// Why no logs are to be sent where this plan sends them: anyone may read them there, or may not be kept from it.
    pub fn exposures(&self, plan: &Plan) -> Vec<Refusal> {
        let targets = new_targets(plan);
        let is_exposed = |rule: &Rule, subject: &Subject| {
            rule.code == "S3L109" && targets.contains(subject.bucket.as_str())
        };
        let told = self.new.iter().chain(&self.remaining);
        let exposed = told
            .filter(|reported| is_exposed(reported.rule, &reported.subject))
            .map(|reported| Refusal::Exposed {
                target: reported.subject.bucket.clone(),
                message: reported.said.message.clone(),
            });
        let undecided = self.undecided.iter();
        let perhaps = undecided
            .filter(|reported| is_exposed(reported.rule, &reported.subject))
            .map(|reported| Refusal::PerhapsExposed {
                target: reported.subject.bucket.clone(),
                needs: reported.said.needs.clone(),
                why: reported.said.why.clone(),
            });
        exposed.chain(perhaps).collect()
    }
}

/// The buckets to which a plan sends logs.
fn targets(plan: &Plan) -> BTreeSet<&str> {
    routes(plan).map(|(_, target)| target).collect()
}

/// Those to which the source didn't log before.
fn new_targets(plan: &Plan) -> BTreeSet<&str> {
    routes(plan)
        .filter(|(before, after)| before.is_none_or(|before| before != *after))
        .map(|(_, after)| after)
        .collect()
}

/// Where the sources logged before, and where they log now.
fn routes(plan: &Plan) -> impl Iterator<Item = (Option<&str>, &str)> {
    fn target(document: Option<&Value>) -> Option<&str> {
        document?.pointer("/LoggingEnabled/TargetBucket")?.as_str()
    }
    plan.changes.iter().filter_map(|change| match change {
        Change::Put(put) if put.setting == Setting::Logging => {
            Some((target(put.before.as_ref()), target(put.after.as_ref())?))
        }
        Change::Put(_) | Change::CreateBucket(_) | Change::DeleteBucket(_) => None,
    })
}

fn touched(plan: &Plan) -> BTreeSet<&str> {
    plan.changes
        .iter()
        .map(Change::bucket)
        .map(AsRef::as_ref)
        .collect()
}

/// The run is about what is touched, whatever it was asked to look at.
fn lint(inventory: &Inventory, touched: &BTreeSet<&str>) -> Outcome {
    let mut inventory = inventory.clone();
    for bucket in inventory
        .accounts
        .iter_mut()
        .flat_map(|account| &mut account.buckets)
    {
        bucket.in_scope |= touched.contains(bucket.label.as_ref());
    }
    let graph = LogGraph::new(&inventory);
    let all: Vec<&'static Rule> = rules::ALL.iter().collect();
    rules::run(&graph, &all)
}
