//! What rules about one thing need to know of all things, counted once so that none of them has to look twice.

use std::collections::{BTreeMap, BTreeSet};

use super::grants::{Grants, TargetPolicy};
use crate::graph::{Cycle, Edge, EdgeNumber, LogGraph, Target, Vertex};
use crate::inventory::{Account, Bucket, Fact, KeyFormat, Why};
use crate::name::Region;
use crate::policy::{Decision, Facts, Grant};

#[derive(Debug, Default)]
pub struct Tallies<'a> {
    /// What the user knows of the policies' open ends.
    pub facts: Facts,
    grants: Grants,
    /// By edge: another edge that writes the same keys into the same target.
    same_keys: BTreeMap<EdgeNumber, EdgeNumber>,
    /// By edge: one that writes the same keys, unless both are of one bucket, which has a name there and none yet here.
    same_keys_perhaps: BTreeSet<EdgeNumber>,
    /// How many edges lead to a target, by account and the target's text.
    fans: BTreeMap<(usize, &'a str), usize>,
    /// The buckets of cycles, by address.
    in_cycles: BTreeSet<usize>,
    /// The buckets that a bucket of another account names as its target, by address.
    named_from_afar: BTreeSet<usize>,
    /// By the address of a bucket: one that names it as its target, and nobody knows whether its account is the same.
    named_perhaps: BTreeMap<usize, &'a Bucket>,
    /// By the address of a bucket: the bucket at the end of the way that leads from it, whose own target isn't known.
    open_ends: BTreeMap<usize, Hidden<'a>>,
    /// By the address of the account, then by region: a bucket that may log to any other, and why nobody knows.
    hidden: BTreeMap<usize, BTreeMap<Option<&'a Region>, Hidden<'a>>>,
}

/// A bucket whose target isn't known.
#[derive(Debug, Clone, Copy)]
pub struct Hidden<'a> {
    pub bucket: &'a Bucket,
    pub why: &'a Why,
}

impl<'a> Tallies<'a> {
    pub fn count(graph: &LogGraph<'a>, cycles: &[Cycle<'a>], facts: &Facts) -> Self {
        let same = same_keys(graph);
        let mut tallies = Self {
            facts: facts.clone(),
            grants: Grants::decide(graph, facts),
            same_keys: same.certain,
            same_keys_perhaps: same.perhaps,
            in_cycles: cycles
                .iter()
                .flat_map(|cycle| &cycle.buckets)
                .map(|bucket| address(*bucket))
                .collect(),
            ..Self::default()
        };
        let by_name = by_name(graph);
        for (_, edge) in graph.edges() {
            if let Some(target) = edge.target_text() {
                *tallies.fans.entry((address(edge.account), target)).or_default() += 1;
            }
            if let (Target::Unknown(_), Some(target)) = (&edge.target, edge.target_text()) {
                let named = by_name.get(&(edge.account.partition.as_str(), target));
                for bucket in named.into_iter().flatten() {
                    tallies.named_perhaps.entry(*bucket).or_insert(edge.source);
                }
            }
            if let Target::Foreign {
                owner: Some((_, bucket)),
                ..
            } = &edge.target
            {
                tallies.named_from_afar.insert(address(*bucket));
            }
        }
        let mut open: Vec<(Vertex<'_, 'a>, Hidden<'a>)> = Vec::new();
        for vertex in graph.buckets() {
            let bucket = vertex.bucket;
            let why = match &bucket.logging {
                Fact::Unknown(why) => why,
                Fact::Known(logging) => match &logging.target {
                    Fact::Unknown(why) => why,
                    Fact::Known(_) | Fact::Absent => continue,
                },
                Fact::Absent => continue,
            };
            tallies
                .hidden
                .entry(address(vertex.account))
                .or_default()
                .entry(bucket.region.known())
                .or_insert(Hidden { bucket, why });
            open.push((vertex, Hidden { bucket, why }));
        }
        // Backwards from each open end. A bucket has one way out, so none is met twice but in a loop.
        while let Some((vertex, end)) = open.pop() {
            for (_, edge) in vertex.incoming() {
                if tallies.open_ends.insert(address(edge.source), end).is_none() {
                    open.extend(
                        graph
                            .vertex(edge.account, edge.source)
                            .map(|source| (source, end)),
                    );
                }
            }
        }
        tallies
    }

    /// Another edge whose log keys look the same in the same target.
    pub fn same_keys(&self, edge: EdgeNumber) -> Option<EdgeNumber> {
        self.same_keys.get(&edge).copied()
    }

    /// Whether there is no such edge but one whose source may be this very bucket.
    pub fn is_same_keys_perhaps(&self, edge: EdgeNumber) -> bool {
        self.same_keys_perhaps.contains(&edge)
    }

    /// Whether this edge's target is named by another edge too.
    pub fn shares_target(&self, edge: &Edge<'_>) -> bool {
        let target = edge.target_text().unwrap_or_default();
        self.fans
            .get(&(address(edge.account), target))
            .is_some_and(|n| *n > 1)
    }

    pub fn is_in_cycle(&self, bucket: &Bucket) -> bool {
        self.in_cycles.contains(&address(bucket))
    }

    /// Where the way from this bucket is lost from sight: it may lead back.
    pub fn open_end(&self, bucket: &Bucket) -> Option<Hidden<'a>> {
        self.open_ends.get(&address(bucket)).copied()
    }

    /// A bucket that names this one as its target, from an account that may be another.
    pub fn named_perhaps(&self, bucket: &Bucket) -> Option<&'a Bucket> {
        self.named_perhaps.get(&address(bucket)).copied()
    }

    pub fn is_named_from_afar(&self, bucket: &Bucket) -> bool {
        self.named_from_afar.contains(&address(bucket))
    }

    /// A bucket that may log to this one, since nobody knows where it logs to. S3 refuses targets of another region.
    pub fn hidden_source(&self, account: &Account, bucket: &Bucket) -> Option<Hidden<'a>> {
        let by_region = self.hidden.get(&address(account))?;
        let found = match bucket.region.known() {
            None => by_region.values().next(),
            region => by_region.get(&region).or_else(|| by_region.get(&None)),
        };
        found.copied()
    }

    /// The decision of the target's policy and ACL, in the contract's word.
    pub fn grant(&self, edge: EdgeNumber) -> &'static str {
        self.decision(edge)
            .map_or("unknown", |decision| decision.grant.word())
    }

    /// The decision of the target's policy and ACL; none where there is no target, or its policy isn't known.
    pub fn decision(&self, edge: EdgeNumber) -> Option<&Decision> {
        self.grants.decision(edge)
    }

    /// A malformed policy that grants nothing however it is read; or one of a file, that S3 will refuse to store. What
    /// S3 has stored it has accepted once: where it would allow as it stands, nobody can tell.
    pub fn blocks_as_malformed(&self, edge: EdgeNumber) -> bool {
        let Some(decision) = self
            .decision(edge)
            .filter(|decision| decision.grant == Grant::Malformed)
        else {
            return false;
        };
        let stored = self
            .policy(edge)
            .is_some_and(|policy| policy.prepared.facts().stored);
        match decision.if_evaluated_anyway {
            None | Some(Grant::Denied | Grant::NotGranted | Grant::Malformed) => true,
            Some(Grant::Allowed | Grant::Unknown) => !stored,
        }
    }

    /// The policy of the edge's target, read and prepared; none where it isn't known.
    pub fn policy(&self, edge: EdgeNumber) -> Option<&TargetPolicy> {
        self.grants.policy(edge)
    }
}

/// The addresses of the buckets of a name, by partition and name. One account alone knows its own.
fn by_name<'a>(graph: &LogGraph<'a>) -> BTreeMap<(&'a str, &'a str), Vec<usize>> {
    let mut all: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let accounts = &graph.inventory().accounts;
    for account in accounts.iter().filter(|_| accounts.len() > 1) {
        for bucket in account.buckets.iter().filter(|bucket| bucket.name_known) {
            let name = (account.partition.as_str(), bucket.label.as_ref());
            all.entry(name).or_default().push(address(bucket));
        }
    }
    all
}

/// What is known of edges that write the same keys.
#[derive(Default)]
struct SameKeys {
    certain: BTreeMap<EdgeNumber, EdgeNumber>,
    perhaps: BTreeSet<EdgeNumber>,
}

/// Whether two may be one bucket: one is declared and gets its name with the deploy, the other was there before.
fn may_be_one(one: &Bucket, other: &Bucket) -> bool {
    let is_declared = |bucket: &Bucket| !bucket.name_known;
    let was_there = |bucket: &Bucket| bucket.name_known && bucket.place.is_none();
    is_declared(one) && was_there(other) || was_there(one) && is_declared(other)
}

/// Edges whose keys can't be told apart: the same target, the same prefix, and nothing after it that names the source.
/// Keys of the simple format have one length after the prefix, so that of two prefixes, one the start of the other, no
/// key of the one can be a key of the other.
fn same_keys(graph: &LogGraph<'_>) -> SameKeys {
    let mut writers: BTreeMap<(usize, &str, &str), Vec<EdgeNumber>> = BTreeMap::new();
    for (number, edge) in graph.edges() {
        let arrives = match &edge.target {
            Target::Bucket(_) => edge.crossing().is_none(),
            Target::Unknown(_) => true,
            Target::Foreign { .. } | Target::Missing | Target::NotABucket(_) => false,
        };
        let logging = edge.logging;
        let (Some(target), Some(prefix), Some(KeyFormat::Simple)) = (
            edge.target_text().filter(|_| arrives),
            logging.prefix.known(),
            logging.key_format.known(),
        ) else {
            continue;
        };
        let key = (address(edge.account), target, prefix.as_str());
        writers.entry(key).or_default().push(number);
    }
    let mut same = SameKeys::default();
    for writers in writers.values() {
        for number in writers {
            let source = graph.edge(*number).source;
            let meets = |other: &&EdgeNumber| {
                *other != number && !source.never_with.contains(&graph.edge(**other).source.label)
            };
            let is_another = |other: &&EdgeNumber| !may_be_one(source, graph.edge(**other).source);
            let mut others = writers.iter().filter(meets);
            if let Some(other) = others.clone().find(is_another) {
                same.certain.insert(*number, *other);
            } else if others.next().is_some() {
                same.perhaps.insert(*number);
            }
        }
    }
    same
}

/// Two things of the inventory are the same where they stand in the same place.
fn address<T>(thing: &T) -> usize {
    std::ptr::from_ref(thing) as usize
}
