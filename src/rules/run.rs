//! The runner: every rule over everything in its scope, each finding stamped with who found it and about what.

use super::tallies::Tallies;
use super::{BucketContext, Check, CycleContext, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Subject, Undecided, Verdict};
use crate::graph::{Cycle, Edge, EdgeNumber, LogGraph, Target, Vertex};
use crate::inventory::{Account, Bucket, Call, Fact, KeyFormat, TargetRef};
use crate::policy::{Facts, Grant};

/// Everything that the rules said.
#[derive(Debug, Default)]
pub struct Outcome {
    pub findings: Vec<Reported<Finding>>,
    pub undecided: Vec<Reported<Undecided>>,
    /// The edges of the buckets that the run was asked about.
    pub edges: Vec<LintedEdge>,
}

/// What a rule said, with the rule and the subject.
#[derive(Debug, Clone)]
pub struct Reported<T> {
    pub rule: &'static Rule,
    pub subject: Subject,
    /// Apart from the rest: reports are sorted, and large accounts have many findings.
    pub said: Box<T>,
}

/// An edge, and what will become of its logs.
#[derive(Debug, Clone)]
pub struct LintedEdge {
    pub subject: Subject,
    pub prefix: Option<String>,
    pub key_format: Option<KeyFormat>,
    /// The decision of the target's policy and ACL alone.
    pub grant: &'static str,
    pub verdict: EdgeVerdict,
    /// The codes that say why, ordered.
    pub causes: Vec<&'static str>,
}

/// Will a log arrive, all things considered?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeVerdict {
    Delivers,
    Blocked,
    Unreadable,
    Loops,
    Unknown,
}

impl EdgeVerdict {
    pub fn word(self) -> &'static str {
        match self {
            EdgeVerdict::Delivers => "delivers",
            EdgeVerdict::Blocked => "blocked",
            EdgeVerdict::Unreadable => "unreadable",
            EdgeVerdict::Loops => "loops",
            EdgeVerdict::Unknown => "unknown",
        }
    }
}

/// Runs these rules over the graph.
pub fn run(graph: &LogGraph<'_>, rules: &[&'static Rule]) -> Outcome {
    run_knowing(graph, rules, &Facts::default())
}

/// Runs these rules over the graph, with what the user knows of the policies' open ends.
pub fn run_knowing(graph: &LogGraph<'_>, rules: &[&'static Rule], facts: &Facts) -> Outcome {
    let cycles = graph.cycles();
    let tallies = Tallies::count(graph, &cycles, facts);
    let mut desk = Desk {
        outcome: Outcome::default(),
        edges: vec![EdgeNotes::default(); graph.edge_count()],
    };
    for rule in rules.iter().copied() {
        match rule.check {
            Check::Report => {}
            Check::Bucket(check) => {
                for vertex in graph.buckets().filter(|vertex| vertex.bucket.in_scope) {
                    let own = vertex.outgoing().filter(|_| rule.effect != Effect::None);
                    let subject = match own {
                        Some((_, edge)) => edge_subject(edge),
                        None => bucket_subject(vertex.account, vertex.bucket),
                    };
                    let verdict = check(&BucketContext {
                        graph,
                        vertex,
                        tallies: &tallies,
                    });
                    desk.take(rule, subject, verdict, own.map(|(number, _)| number));
                }
            }
            Check::Target(check) => {
                for vertex in graph.buckets().filter(Vertex::is_target) {
                    let incoming = vertex.incoming();
                    if vertex.bucket.in_scope || incoming.iter().any(|(_, edge)| edge.source.in_scope) {
                        let verdict = check(&BucketContext {
                            graph,
                            vertex,
                            tallies: &tallies,
                        });
                        let subject = bucket_subject(vertex.account, vertex.bucket);
                        // What a policy allows or denies in any case, no rule about the whole policy touches.
                        let open = |number: &EdgeNumber| {
                            !matches!(
                                tallies.decision(*number).map(|decision| decision.grant),
                                Some(Grant::Allowed | Grant::Denied)
                            )
                        };
                        let touched = incoming.iter().map(|(number, _)| *number).filter(open);
                        desk.take(rule, subject, verdict, touched);
                    }
                }
            }
            Check::Edge(check) => {
                for (number, edge) in graph.edges().filter(|(_, edge)| edge.source.in_scope) {
                    let verdict = check(&EdgeContext {
                        graph,
                        edge,
                        number,
                        tallies: &tallies,
                    });
                    desk.take(rule, edge_subject(edge), verdict, [number]);
                }
            }
            Check::Cycle(check) => {
                for cycle in cycles
                    .iter()
                    .filter(|cycle| cycle.buckets.iter().any(|bucket| bucket.in_scope))
                {
                    let edges = cycle_edges(graph, cycle);
                    let Some(first) = edges.first() else { continue };
                    let subject = edge_subject(graph.edge(*first));
                    desk.take(rule, subject, check(&CycleContext { graph, cycle }), edges);
                }
                desk.leave_open_ends_undecided(rule, graph);
            }
        }
    }
    super::losses::name_causes(&mut desk.outcome.findings, graph);
    desk.conclude(graph, &tallies)
}

/// Where what is said is put down.
struct Desk {
    outcome: Outcome,
    edges: Vec<EdgeNotes>,
}

#[derive(Debug, Clone, Default)]
struct EdgeNotes {
    causes: Vec<&'static str>,
    blocks: bool,
    unreadable: bool,
    loops: bool,
    uncertain: bool,
}

impl Desk {
    fn take(
        &mut self,
        rule: &'static Rule,
        subject: Subject,
        verdict: Verdict,
        edges: impl IntoIterator<Item = EdgeNumber>,
    ) {
        match verdict {
            Ok(None) => {}
            Ok(Some(finding)) => {
                if rule.effect != Effect::None {
                    for number in edges {
                        let notes = &mut self.edges[number.index()];
                        notes.causes.push(rule.code);
                        match rule.effect {
                            Effect::None => {}
                            Effect::Blocks => notes.blocks = true,
                            Effect::Unreadable => notes.unreadable = true,
                            Effect::Loops => notes.loops = true,
                            Effect::Uncertain => notes.uncertain = true,
                        }
                    }
                }
                self.outcome.findings.push(Reported {
                    rule,
                    subject,
                    said: Box::new(finding),
                });
            }
            Err(undecided) => {
                if rule.effect != Effect::None {
                    for number in edges {
                        self.edges[number.index()].uncertain = true;
                    }
                }
                self.outcome.undecided.push(Reported {
                    rule,
                    subject,
                    said: Box::new(undecided),
                });
            }
        }
    }

    /// A log target whose own logging is unknown may close a cycle.
    fn leave_open_ends_undecided(&mut self, rule: &'static Rule, graph: &LogGraph<'_>) {
        for vertex in graph.buckets().filter(Vertex::is_target_of_another) {
            let Fact::Unknown(why) = &vertex.bucket.logging else {
                continue;
            };
            let incoming = vertex.incoming();
            if incoming.iter().any(|(_, edge)| edge.source.in_scope) {
                let subject = bucket_subject(vertex.account, vertex.bucket);
                let undecided = Undecided::without(Call::Logging, why);
                self.take(
                    rule,
                    subject,
                    Err(undecided),
                    incoming.iter().map(|(number, _)| *number),
                );
            }
        }
    }

    fn conclude(mut self, graph: &LogGraph<'_>, tallies: &Tallies<'_>) -> Outcome {
        let notes = std::mem::take(&mut self.edges);
        for ((number, edge), mut notes) in graph.edges().zip(notes) {
            if !edge.source.in_scope {
                continue;
            }
            notes.causes.sort_unstable();
            notes.causes.dedup();
            let grant = tallies.grant(number);
            notes.blocks |= tallies.blocks_as_malformed(number);
            self.outcome.edges.push(LintedEdge {
                subject: edge_subject(edge),
                prefix: edge.logging.prefix.known().cloned(),
                key_format: edge.logging.key_format.known().copied(),
                grant,
                verdict: conclude_edge(edge, &notes, grant),
                causes: notes.causes,
            });
        }
        self.outcome
    }
}

/// What blocks comes first: a loop through which nothing is delivered doesn't turn.
fn conclude_edge(edge: &Edge<'_>, notes: &EdgeNotes, grant: &str) -> EdgeVerdict {
    if notes.blocks {
        EdgeVerdict::Blocked
    } else if notes.loops {
        EdgeVerdict::Loops
    } else if notes.unreadable {
        EdgeVerdict::Unreadable
    } else if notes.uncertain
        || grant != "allowed"
        || !matches!(edge.target, Target::Bucket(_))
        || edge.hangs_on().is_some()
    {
        EdgeVerdict::Unknown
    } else {
        EdgeVerdict::Delivers
    }
}

fn cycle_edges(graph: &LogGraph<'_>, cycle: &Cycle<'_>) -> Vec<EdgeNumber> {
    cycle
        .buckets
        .iter()
        .filter_map(|bucket| graph.vertex(cycle.account, bucket)?.outgoing())
        .map(|(n, _)| n)
        .collect()
}

fn bucket_subject(account: &Account, bucket: &Bucket) -> Subject {
    Subject {
        account: account.id.known().cloned(),
        region: bucket.region.known().cloned(),
        bucket: bucket.label.to_string(),
        target: None,
        name_known: bucket.name_known,
    }
}

fn edge_subject(edge: &Edge<'_>) -> Subject {
    let mut subject = bucket_subject(edge.account, edge.source);
    subject.target = edge.target_text().map(str::to_owned);
    subject.name_known &= !matches!(edge.logging.target, Fact::Known(TargetRef::Address(_)));
    subject
}
