//! What the lint says before and after: the findings that disappear, that remain and that come.

use std::collections::BTreeSet;

use super::{Change, Plan};
use crate::finding::{Finding, Undecided};
use crate::graph::LogGraph;
use crate::inventory::Inventory;
use crate::rules::{self, LintedEdge, Outcome, Reported, Rule};

/// Of the buckets that a plan touches, and of no others.
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
        Self::between(plan, inventory, &plan.project(inventory))
    }

    /// Of two states of an account, seen or projected.
    pub fn between(plan: &Plan, before: &Inventory, after: &Inventory) -> Self {
        let touched = touched(plan);
        let concerns = |bucket: &str, target: Option<&str>| {
            touched.contains(bucket) || target.is_some_and(|target| touched.contains(target))
        };
        let (before, after) = (lint(before, &touched), lint(after, &touched));
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
        let about = |reported: &Reported<Finding>| {
            concerns(&reported.subject.bucket, reported.subject.target.as_deref())
        };
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
                .filter(|reported| concerns(&reported.subject.bucket, reported.subject.target.as_deref()))
                .collect(),
            edges: after
                .edges
                .into_iter()
                .filter(|edge| concerns(&edge.subject.bucket, edge.subject.target.as_deref()))
                .collect(),
        }
    }
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
