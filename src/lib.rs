//! Will every S3 access log really arrive?

pub mod name;

pub mod policy;

pub mod inventory;

pub mod collect;

pub mod graph;

pub mod finding;

pub mod rules;

pub mod report;

pub mod plan;

pub mod render;

pub mod apply;

#[cfg(feature = "aws")]
pub mod aws;

pub mod cli;
