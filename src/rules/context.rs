//! What a rule sees: a bucket, an edge or a cycle, and the graph around it.

use crate::graph::{Cycle, Edge, EdgeNumber, LogGraph, Vertex};
use crate::inventory::{Account, Bucket};
use crate::name::Region;

/// A bucket, with what leads to it and from it.
#[derive(Clone, Copy)]
pub struct BucketContext<'c, 'a> {
    pub graph: &'c LogGraph<'a>,
    pub vertex: Vertex<'c, 'a>,
    /// Numbers over the whole inventory, counted once.
    pub tallies: &'c Tallies,
}

/// One edge.
#[derive(Clone, Copy)]
pub struct EdgeContext<'c, 'a> {
    pub graph: &'c LogGraph<'a>,
    pub edge: &'c Edge<'a>,
    pub number: EdgeNumber,
    pub tallies: &'c Tallies,
}

/// One cycle of two or more buckets.
#[derive(Clone, Copy)]
pub struct CycleContext<'c, 'a> {
    pub graph: &'c LogGraph<'a>,
    pub cycle: &'c Cycle<'a>,
}

/// What rules about one thing need to know of all things, so that none of them has to look twice.
#[derive(Debug, Default)]
pub struct Tallies {}

impl Tallies {
    pub fn count(_graph: &LogGraph<'_>) -> Self {
        Self {}
    }

    /// The decision of the target's policy and ACL, in the contract's word.
    pub fn grant(&self, _edge: EdgeNumber) -> &'static str {
        "unknown"
    }
}

impl<'c, 'a> BucketContext<'c, 'a> {
    pub fn bucket(&self) -> &'a Bucket {
        self.vertex.bucket
    }

    pub fn account(&self) -> &'a Account {
        self.vertex.account
    }

    /// The edge that leaves the bucket.
    pub fn outgoing(&self) -> Option<&'c Edge<'a>> {
        self.vertex.outgoing().map(|(_, edge)| edge)
    }

    /// A command of the AWS CLI, with the bucket's region.
    pub fn cli(&self, command: &str) -> String {
        cli(command, self.bucket().region.known())
    }
}

impl EdgeContext<'_, '_> {
    pub fn source(&self) -> &str {
        &self.edge.source.label
    }

    pub fn cli(&self, command: &str) -> String {
        cli(command, self.edge.source.region.known())
    }

    pub fn sse_s3_command(&self, target: &str) -> String {
        self.cli(&format!(
            "put-bucket-encryption --bucket {target} --server-side-encryption-configuration \
             '{{\"Rules\":[{{\"ApplyServerSideEncryptionByDefault\":{{\"SSEAlgorithm\":\"AES256\"}}}}]}}'"
        ))
    }
}

impl CycleContext<'_, '_> {
    pub fn cli(&self, command: &str) -> String {
        cli(
            command,
            self.cycle
                .buckets
                .first()
                .and_then(|bucket| bucket.region.known()),
        )
    }
}

fn cli(command: &str, region: Option<&Region>) -> String {
    match region {
        Some(region) => format!("aws s3api {command} --region {region}"),
        None => format!("aws s3api {command}"),
    }
}
