//! The logging graph as a picture: edges coloured by verdict, big fans folded.

pub mod dot;
pub mod html;
pub mod json;
pub mod mermaid;

use std::collections::{BTreeMap, BTreeSet};

use crate::report::Report;
use crate::rules::{EdgeVerdict, LintedEdge};

/// A target with more sources than this, alike in verdict and with no other part in the graph, shows them as one.
const FOLD_ABOVE: usize = 12;

/// What is drawn, the same for every format.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// In the order of their numbers.
    pub nodes: Vec<Node>,
    pub arrows: Vec<Arrow>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    pub label: String,
    pub kind: NodeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    Bucket,
    LogBucket,
    /// Many buckets drawn as one.
    Folded,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    pub verdict: EdgeVerdict,
    pub label: String,
}

/// One account's bucket.
type Key<'a> = (Option<&'a str>, &'a str);

impl Drawing {
    pub fn new(report: &Report) -> Self {
        let mut drawing = Self::default();
        let accounts: BTreeSet<Option<&str>> = report.edges.iter().map(account).collect();
        let several = accounts.len() > 1;
        let targets: BTreeSet<Key<'_>> = report
            .edges
            .iter()
            .map(|edge| (account(edge), target(edge)))
            .collect();
        let mut fans: BTreeMap<(Key<'_>, EdgeVerdict), Vec<&LintedEdge>> = BTreeMap::new();
        for edge in &report.edges {
            let to = (account(edge), target(edge));
            let plain = !targets.contains(&(account(edge), edge.subject.bucket.as_str()));
            // A bucket that is a target too keeps its own place: nothing else shows a chain or a cycle.
            if plain {
                fans.entry((to, edge.verdict)).or_default().push(edge);
            }
        }
        fans.retain(|_, fan| fan.len() > FOLD_ABOVE);
        let mut numbers: BTreeMap<(Key<'_>, Option<EdgeVerdict>), usize> = BTreeMap::new();
        for edge in &report.edges {
            let to_key = (account(edge), target(edge));
            let from_key = (account(edge), edge.subject.bucket.as_str());
            let fan = fans
                .get(&(to_key, edge.verdict))
                .filter(|_| !targets.contains(&from_key));
            let to = *numbers.entry((to_key, None)).or_insert_with(|| {
                let label = match edge.subject.target {
                    Some(_) => bucket_label(to_key, several),
                    None => "(known after the deploy)".to_owned(),
                };
                drawing.node(label, NodeKind::LogBucket)
            });
            let from = match fan {
                Some(fan) => {
                    if numbers.contains_key(&(to_key, Some(edge.verdict))) {
                        continue;
                    }
                    let label = format!("{} buckets", fan.len());
                    let number = drawing.node(label, NodeKind::Folded);
                    numbers.insert((to_key, Some(edge.verdict)), number);
                    number
                }
                None => {
                    let kind = match targets.contains(&from_key) {
                        true => NodeKind::LogBucket,
                        false => NodeKind::Bucket,
                    };
                    *numbers
                        .entry((from_key, None))
                        .or_insert_with(|| drawing.node(bucket_label(from_key, several), kind))
                }
            };
            let mut label = edge.verdict.word().to_owned();
            if !edge.causes.is_empty() {
                label.push_str(": ");
                label.push_str(&edge.causes.join(" "));
            }
            drawing.arrows.push(Arrow {
                from,
                to,
                verdict: edge.verdict,
                label,
            });
        }
        drawing
    }

    fn node(&mut self, label: String, kind: NodeKind) -> usize {
        self.nodes.push(Node { label, kind });
        self.nodes.len() - 1
    }
}

fn account(edge: &LintedEdge) -> Option<&str> {
    edge.subject.account.as_ref().map(|account| account.as_str())
}

fn target(edge: &LintedEdge) -> &str {
    edge.subject.target.as_deref().unwrap_or_default()
}

fn bucket_label((account, bucket): Key<'_>, several: bool) -> String {
    match account.filter(|_| several) {
        Some(account) => format!("{account}/{bucket}"),
        None => bucket.to_owned(),
    }
}

/// The colour of an arrow, the same in every format.
fn colour(verdict: EdgeVerdict) -> &'static str {
    match verdict {
        EdgeVerdict::Delivers => "#1a7f37",
        EdgeVerdict::Blocked => "#cf222e",
        EdgeVerdict::Unreadable => "#bc4c00",
        EdgeVerdict::Loops => "#8250df",
        EdgeVerdict::Unknown => "#6e7781",
    }
}
