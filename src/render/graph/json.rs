//! The graph for programs: every edge, nothing folded.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::render::json::{EdgeJson, Tool, VERSION};
use crate::report::Report;

#[derive(Debug, Serialize)]
struct GraphJson<'a> {
    version: u32,
    tool: Tool,
    buckets: Vec<BucketJson<'a>>,
    edges: Vec<EdgeJson<'a>>,
}

#[derive(Debug, Serialize)]
struct BucketJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    bucket: &'a str,
    /// How many buckets log to it.
    sources: usize,
}

pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut buckets: BTreeMap<(Option<&str>, &str), usize> = BTreeMap::new();
    for edge in &report.edges {
        let account = edge.subject.account.as_ref().map(|account| account.as_str());
        buckets.entry((account, &edge.subject.bucket)).or_default();
        if let Some(target) = &edge.subject.target {
            *buckets.entry((account, target)).or_default() += 1;
        }
    }
    let graph = GraphJson {
        version: VERSION,
        tool: Tool::this(),
        buckets: buckets
            .into_iter()
            .map(|((account, bucket), sources)| BucketJson {
                account,
                bucket,
                sources,
            })
            .collect(),
        edges: report.edges.iter().map(EdgeJson::new).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &graph).map_err(io::Error::from)?;
    writeln!(out)
}
