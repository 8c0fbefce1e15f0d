//! A report → a writer, one file per format. A renderer never filters, sorts or decides.

pub mod anchor;
pub mod asff;
pub mod azure;
pub mod csv;
pub mod escape;
pub mod github;
pub mod gitlab;
pub mod graph;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod markdown;
pub mod ocsf;
pub mod peers;
pub mod plan;
pub mod position;
pub mod rdjson;
pub mod sarif;
pub mod short;
pub mod terminal;
mod told;
pub mod why;
