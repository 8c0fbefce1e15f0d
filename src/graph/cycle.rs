//! Cycles of two or more buckets.

use std::collections::{BTreeMap, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::inventory::{Account, Bucket};

/// A cycle, told from its bucket that comes first in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle<'a> {
    pub account: &'a Account,
    /// Each bucket once.
    pub buckets: Vec<&'a Bucket>,
}

impl<'a> Cycle<'a> {
    pub(super) fn new(accounts: &'a [Account], path: Vec<(usize, &'a Bucket)>) -> Self {
        let account = path.first().map_or(0, |(account, _)| *account);
        Self {
            account: &accounts[account],
            buckets: path.into_iter().map(|(_, bucket)| bucket).collect(),
        }
    }

    /// The way round, the first bucket repeated at the end.
    pub fn path(&self) -> Vec<String> {
        self.buckets
            .iter()
            .chain(self.buckets.first())
            .map(|bucket| bucket.label.to_string())
            .collect()
    }
}

/// The shortest cycle of each strongly connected component. Kosaraju's algorithm, since petgraph's Tarjan recurses:
/// a chain of a million buckets would end on the stack.
pub(super) fn find<N, E>(graph: &DiGraph<N, E>) -> Vec<Vec<NodeIndex>> {
    let mut cycles: Vec<Vec<NodeIndex>> = kosaraju_scc(graph)
        .into_iter()
        .filter(|component| component.len() > 1)
        .filter_map(|component| {
            // The index order of nodes is the order of the inventory: by account, then by name.
            let first = component.iter().copied().min()?;
            shortest_way_round(graph, first, &component.into_iter().collect())
        })
        .collect();
    cycles.sort();
    cycles
}

fn shortest_way_round<N, E>(
    graph: &DiGraph<N, E>,
    start: NodeIndex,
    component: &std::collections::BTreeSet<NodeIndex>,
) -> Option<Vec<NodeIndex>> {
    let mut came_from: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.neighbors(node).filter(|next| component.contains(next)) {
            if next == start && node != start {
                let mut path = vec![node];
                let mut at = node;
                while let Some(previous) = came_from.get(&at) {
                    path.push(*previous);
                    at = *previous;
                }
                path.reverse();
                return Some(path);
            }
            if next != start && !came_from.contains_key(&next) {
                came_from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}
