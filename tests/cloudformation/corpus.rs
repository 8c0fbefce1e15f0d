//! The real templates and the cloud assemblies of the corpus.

use std::fs;
use std::path::{Path, PathBuf};

use s3log_lint::collect::cloudformation::{self, Hints, Source};
use s3log_lint::collect::deployment::{Deployment, Fate, Said};
use s3log_lint::collect::overlay;
use s3log_lint::graph::{LogGraph, Target};
use s3log_lint::inventory::Fact;

/// The corpus is not part of the repository. Where it isn't there, these tests say so and pass.
fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/cloudformation");
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn load(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("a file of the corpus");
    crate::source(&path.display().to_string(), text)
}

fn read(sources: &[Source]) -> Deployment {
    cloudformation::read(sources, &Hints::default(), &mut load).unwrap_or_else(|error| panic!("{error}"))
}

#[derive(serde::Deserialize)]
struct Row {
    file: String,
    buckets: usize,
    with_logging: usize,
    conditions: bool,
}

fn index(corpus: &Path) -> Vec<Row> {
    let text = fs::read_to_string(corpus.join("index.json")).expect("the index");
    serde_json::from_str(&text).expect("the index is a list of rows")
}

#[test]
fn every_real_template_is_read_and_no_bucket_and_no_logging_is_lost() {
    let Some(corpus) = corpus() else { return };
    let (mut edges, mut open) = (0, 0);
    for row in index(&corpus) {
        let deployment = read(&[source(&corpus.join(&row.file))]);
        let buckets: Vec<_> = deployment
            .declared
            .iter()
            .filter(|declared| declared.fate == Fate::Created)
            .collect();
        let logged = buckets
            .iter()
            .filter(|declared| matches!(&*declared.configuration.logging, Said::Sets(_)))
            .count();
        if !row.conditions {
            assert_eq!(buckets.len(), row.buckets, "{}", row.file);
            assert_eq!(logged, row.with_logging, "{}", row.file);
        }
        assert!(
            buckets.len() <= row.buckets && logged <= row.with_logging,
            "{}",
            row.file
        );
        for declared in buckets {
            match &*declared.configuration.logging {
                Said::Sets(Fact::Known(logging)) if logging.target.known().is_some() => edges += 1,
                Said::Sets(_) => {
                    open += 1;
                    assert!(!deployment.remarks.is_empty(), "{}: nothing says why", row.file);
                }
                Said::Silent | Said::Unchanged(_) | Said::Removes | Said::LeftOut { .. } => {}
            }
        }
    }
    // All but those that hang on accounts, regions, lookups and conditions that no template tells.
    assert_eq!((edges, open), (178, 26));
}

/// Every edge of an inventory: source, target, and how well that is known.
fn edges(deployment: &Deployment) -> Vec<(String, String, &'static str)> {
    let inventory = overlay::alone(std::slice::from_ref(deployment));
    let graph = LogGraph::new(&inventory);
    graph
        .edges()
        .map(|(_, edge)| {
            let found = match &edge.target {
                Target::Bucket(_) => "here",
                Target::Foreign { .. } => "foreign",
                Target::Missing => "missing",
                Target::NotABucket(_) => "no name",
                Target::Unknown(_) => "unknown",
            };
            let target = edge.target_text().unwrap_or("?").to_owned();
            (edge.source.label.to_string(), target, found)
        })
        .collect()
}

#[test]
fn a_cloud_assembly_gives_all_its_edges_across_stacks_stages_and_nested_stacks() {
    let Some(corpus) = corpus() else { return };
    for assembly in ["cdk-out-acl", "cdk-out-policy"] {
        let deployment = read(&[source(&corpus.join(assembly).join("manifest.json"))]);
        let mut found = edges(&deployment);
        found.sort();
        let of_stack = |stack: &str, logs: &str| {
            [
                ("CrossStackDF144C08", logs, "here"),
                ("ImportVal0972865C", "?", "unknown"),
                ("Imported4F5B38B1", "central-logs-111122223333", "unknown"),
                ("Part3C4CC938", "Local66FFCFA6", "here"),
                ("SelfTarget823EED6C", "SelfTarget823EED6C", "here"),
                ("Simple1409AF30", "Local66FFCFA6", "here"),
            ]
            .map(|(source, target, found)| {
                let target = match target {
                    "Local66FFCFA6" | "SelfTarget823EED6C" => format!("{stack}/{target}"),
                    target => target.to_owned(),
                };
                (format!("{stack}/{source}"), target, found)
            })
        };
        let mut expected = Vec::new();
        expected.extend(of_stack("DataStack", "LogStack/LogBucketCC3B17E8"));
        expected.extend(of_stack("Prod-D", "Prod-L/LogBucketCC3B17E8"));
        expected.push((
            "Parent/ChildNestedStackChildNestedStackResourceC40294CA/InNested6B37C741".to_owned(),
            "Parent/ParentLogs2BFAB00D".to_owned(),
            "here",
        ));
        expected.push(("ParamStack/B".to_owned(), "param-logs".to_owned(), "unknown"));
        expected.sort();
        assert_eq!(found, expected, "{assembly}");
        let of_import = deployment
            .remarks
            .iter()
            .filter(|remark| remark.contains("SharedLogBucket"));
        assert_eq!(of_import.count(), 1, "{:?}", deployment.remarks);
    }
}
