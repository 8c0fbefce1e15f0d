//! The logging graph: which bucket sends its access logs where.
//!
//! Over `petgraph`, behind the words of the domain. Every question is linear in buckets and edges.

mod cycle;

use std::collections::BTreeMap;

use petgraph::Direction;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

pub use cycle::Cycle;

use crate::inventory::{Account, Bucket, Existence, Fact, Inventory, Listing, Logging, Why};
use crate::name::{NameError, Region};

/// One bucket logs to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge<'a> {
    pub account: &'a Account,
    pub source: &'a Bucket,
    pub logging: &'a Logging,
    pub target: Target<'a>,
}

/// What is at the far end of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// A bucket of the same account.
    Bucket(&'a Bucket),
    /// A bucket of somebody else: of an account that was read too, or of nobody knows whom.
    Foreign {
        owner: Option<(&'a Account, &'a Bucket)>,
        region: Option<&'a Region>,
    },
    /// Nobody has a bucket of this name.
    Missing,
    /// The configuration names no bucket.
    NotABucket(NameError),
    /// It can't be told.
    Unknown(Why),
}

impl<'a> Edge<'a> {
    /// The condition on which it hangs whether the target is there when the source is.
    pub fn hangs_on(&self) -> Option<&'a str> {
        let hangs_on = self.target_bucket()?.hangs_on.as_deref()?;
        let is_there = hangs_on.there_with.contains(&self.source.label);
        (!is_there).then_some(hangs_on.condition.as_str())
    }

    /// The target's bucket, where it is one of this account.
    pub fn target_bucket(&self) -> Option<&'a Bucket> {
        match &self.target {
            Target::Bucket(bucket) => Some(bucket),
            Target::Foreign { .. } | Target::Missing | Target::NotABucket(_) | Target::Unknown(_) => None,
        }
    }

    /// The target's name as it is written; none where only the deploy will tell.
    pub fn target_text(&self) -> Option<&'a str> {
        self.logging.target.known().map(|target| target.text())
    }

    /// The regions of source and target, where both are known and differ.
    pub fn crossing(&self) -> Option<(&'a Region, &'a Region)> {
        let (source, target) = (self.source.region.known()?, self.target_bucket()?.region.known()?);
        (source != target).then_some((source, target))
    }

    /// The target's bucket, where it is one that S3 may deliver to at all: of this account, and of no other region as
    /// far as is known.
    pub fn reachable_target(&self) -> Option<&'a Bucket> {
        self.target_bucket().filter(|_| self.crossing().is_none())
    }

    pub fn is_self_loop(&self) -> bool {
        self.target_bucket()
            .is_some_and(|target| std::ptr::eq(target, self.source))
    }
}

#[derive(Debug)]
pub struct LogGraph<'a> {
    inventory: &'a Inventory,
    graph: DiGraph<Node<'a>, Edge<'a>>,
    /// The node of each bucket, by the indices of its account and of itself.
    nodes: Vec<Vec<NodeIndex>>,
}

#[derive(Debug, Clone)]
enum Node<'a> {
    Bucket {
        account: usize,
        bucket: &'a Bucket,
    },
    /// The far end of an edge that leaves the account, or leads nowhere.
    Outside,
}

/// The number of an edge: a place in the order of [`LogGraph::edges`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeNumber(usize);

impl EdgeNumber {
    pub fn index(self) -> usize {
        self.0
    }
}

impl<'a> LogGraph<'a> {
    pub fn new(inventory: &'a Inventory) -> Self {
        let buckets: usize = inventory
            .accounts
            .iter()
            .map(|account| account.buckets.len())
            .sum();
        let mut graph = DiGraph::with_capacity(buckets, buckets);
        let nodes: Vec<Vec<NodeIndex>> = inventory
            .accounts
            .iter()
            .enumerate()
            .map(|(account, all)| {
                all.buckets
                    .iter()
                    .map(|bucket| graph.add_node(Node::Bucket { account, bucket }))
                    .collect()
            })
            .collect();
        let names = names_by_partition(inventory);
        let mut outside: BTreeMap<(usize, &str), NodeIndex> = BTreeMap::new();
        for (number, account) in inventory.accounts.iter().enumerate() {
            for (position, source) in account.buckets.iter().enumerate() {
                let Fact::Known(logging) = &source.logging else {
                    continue;
                };
                let target = find_target(inventory, &names, number, logging);
                let text = logging.target.known().map_or("", |target| target.text());
                let node = match &target {
                    Target::Bucket(_) => account.bucket_index(text).map(|index| nodes[number][index]),
                    _ => None,
                };
                let node = node.unwrap_or_else(|| {
                    *outside
                        .entry((number, text))
                        .or_insert_with(|| graph.add_node(Node::Outside))
                });
                graph.add_edge(
                    nodes[number][position],
                    node,
                    Edge {
                        account,
                        source,
                        logging,
                        target,
                    },
                );
            }
        }
        Self {
            inventory,
            graph,
            nodes,
        }
    }

    pub fn inventory(&self) -> &'a Inventory {
        self.inventory
    }

    /// Every edge, ordered by account and source.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeNumber, &Edge<'a>)> {
        self.graph
            .edge_references()
            .map(|edge| (EdgeNumber(edge.id().index()), edge.weight()))
    }

    pub fn edge_count(&self) -> usize {
        self.graph.edge_count()
    }

    pub fn edge(&self, number: EdgeNumber) -> &Edge<'a> {
        &self.graph[EdgeIndex::new(number.0)]
    }

    /// Every bucket with its account and the key to ask for its edges, ordered by account and name.
    pub fn buckets(&self) -> impl Iterator<Item = Vertex<'_, 'a>> {
        self.nodes
            .iter()
            .flatten()
            .filter_map(|node| match &self.graph[*node] {
                Node::Bucket { account, bucket } => Some(Vertex {
                    graph: self,
                    node: *node,
                    account: &self.inventory.accounts[*account],
                    bucket,
                }),
                Node::Outside => None,
            })
    }

    /// A bucket of this account in the graph.
    pub fn vertex(&self, account: &Account, bucket: &Bucket) -> Option<Vertex<'_, 'a>> {
        let number = self
            .inventory
            .accounts
            .iter()
            .position(|other| std::ptr::eq(other, account))?;
        let account = &self.inventory.accounts[number];
        let position = account.bucket_index(&bucket.label)?;
        let node = *self.nodes.get(number)?.get(position)?;
        Some(Vertex {
            graph: self,
            node,
            account,
            bucket: &account.buckets[position],
        })
    }

    /// Cycles of two or more buckets, ordered by their first bucket.
    pub fn cycles(&self) -> Vec<Cycle<'a>> {
        let bucket = |node: NodeIndex| match &self.graph[node] {
            Node::Bucket { account, bucket } => Some((*account, *bucket)),
            Node::Outside => None,
        };
        cycle::find(&self.graph)
            .into_iter()
            .map(|path| {
                Cycle::new(
                    &self.inventory.accounts,
                    path.into_iter().filter_map(bucket).collect(),
                )
            })
            .collect()
    }
}

/// A bucket in the graph.
#[derive(Clone, Copy)]
pub struct Vertex<'g, 'a> {
    graph: &'g LogGraph<'a>,
    node: NodeIndex,
    pub account: &'a Account,
    pub bucket: &'a Bucket,
}

impl<'g, 'a> Vertex<'g, 'a> {
    /// The edges that end here, ordered by source. Fan-in.
    pub fn incoming(&self) -> Vec<(EdgeNumber, &'g Edge<'a>)> {
        let mut edges: Vec<_> = self
            .graph
            .graph
            .edges_directed(self.node, Direction::Incoming)
            .map(|edge| (EdgeNumber(edge.id().index()), edge.weight()))
            .collect();
        edges.sort_by_key(|(number, _)| *number);
        edges
    }

    /// Whether another bucket logs here.
    pub fn is_target_of_another(&self) -> bool {
        self.graph
            .graph
            .edges_directed(self.node, Direction::Incoming)
            .any(|edge| edge.source() != edge.target())
    }

    pub fn is_target(&self) -> bool {
        self.graph
            .graph
            .edges_directed(self.node, Direction::Incoming)
            .next()
            .is_some()
    }

    /// The edge that leaves it.
    pub fn outgoing(&self) -> Option<(EdgeNumber, &'g Edge<'a>)> {
        self.graph
            .graph
            .edges_directed(self.node, Direction::Outgoing)
            .next()
            .map(|edge| (EdgeNumber(edge.id().index()), edge.weight()))
    }
}

/// Bucket names are unique in a partition: in which account of the inventory each is.
type Names<'a> = BTreeMap<(&'a str, &'a str), (usize, usize)>;

fn names_by_partition(inventory: &Inventory) -> Names<'_> {
    let mut names = BTreeMap::new();
    if inventory.accounts.len() < 2 {
        return names;
    }
    for (number, account) in inventory.accounts.iter().enumerate() {
        for (position, bucket) in account.buckets.iter().enumerate() {
            if bucket.name_known {
                names.insert(
                    (account.partition.as_str(), bucket.label.as_ref()),
                    (number, position),
                );
            }
        }
    }
    names
}

fn find_target<'a>(
    inventory: &'a Inventory,
    names: &Names<'a>,
    number: usize,
    logging: &'a Logging,
) -> Target<'a> {
    let account = &inventory.accounts[number];
    let reference = match &logging.target {
        Fact::Known(reference) => reference,
        Fact::Absent => return Target::Unknown(Why::NotRead),
        Fact::Unknown(why) => return Target::Unknown(why.clone()),
    };
    if let Err(error) = reference.check() {
        return Target::NotABucket(error);
    }
    let text = reference.text();
    if let Some(bucket) = account.bucket(text) {
        return Target::Bucket(bucket);
    }
    if let Some((owner, position)) = names.get(&(account.partition.as_str(), text)) {
        let owner = &inventory.accounts[*owner];
        let bucket = &owner.buckets[*position];
        if is_nobody_knows_whose(account) || is_nobody_knows_whose(owner) {
            return Target::Unknown(Why::NotRead);
        }
        return Target::Foreign {
            owner: Some((owner, bucket)),
            region: bucket.region.known(),
        };
    }
    match (&account.listing, account.elsewhere.get(text)) {
        (Listing::Unknown(why), _) => Target::Unknown(why.clone()),
        (Listing::Complete | Listing::Partial, Some(Existence::Missing)) => Target::Missing,
        (Listing::Complete, Some(Existence::Exists { region })) => Target::Foreign {
            owner: None,
            region: region.as_ref(),
        },
        (_, Some(Existence::Unknown(why))) => Target::Unknown(why.clone()),
        (Listing::Partial, Some(Existence::Exists { .. })) | (_, None) => Target::Unknown(Why::NotRead),
    }
}

/// A file that doesn't tell its account: it may be any of the others.
fn is_nobody_knows_whose(account: &Account) -> bool {
    account.id.known().is_none() && account.listing == Listing::Partial
}
