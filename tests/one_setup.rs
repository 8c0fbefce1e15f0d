//! One setup, written four ways: as the plan of a Terraform configuration, as a CloudFormation template, as what the
//! CDK puts out, and as a live account's answers. What is found must be the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use s3log_lint::collect::cloudformation::{self, Hints, Source};
use s3log_lint::collect::{kind, overlay, snapshot, terraform};
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::Inventory;
use s3log_lint::name::{AccountId, Region};
use s3log_lint::rules::{self, Rule};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/one-setup")
        .join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).expect("a file of the setup")
}

fn account() -> AccountId {
    AccountId::parse("111122223333").expect("an account")
}

fn plan() -> Inventory {
    let text = text("plan.json");
    let recognised = kind::recognise(&text).expect("a plan");
    let mut deployment = terraform::read("plan.json", &text, recognised).expect("a plan");
    // No plan says whose account it is for; who runs it knows.
    for declared in &mut deployment.declared {
        assert_eq!(declared.owner.account, None);
        declared.owner.account = Some(account());
    }
    overlay::alone(&[deployment])
}

fn template(name: &str) -> Inventory {
    let source = Source {
        path: path(name).display().to_string(),
        text: text(name).into(),
    };
    let mut load = |path: &str| fs::read_to_string(path).ok();
    // The CDK says where its stacks go; a template doesn't.
    let hints = Hints {
        account: Some(account()),
        region: Region::parse("eu-west-1").ok(),
        ..Hints::default()
    };
    let deployment = cloudformation::read(&[source], &hints, &mut load).expect("a template");
    assert_eq!(deployment.remarks, [""; 0], "nothing in it is unknown");
    overlay::alone(&[deployment])
}

fn live() -> Inventory {
    snapshot::read(&text("account.json")).expect("a recording")
}

/// An edge's grant, verdict and causes.
type Fate = (&'static str, &'static str, Vec<&'static str>);

/// What each rule found, and what becomes of each edge's logs.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    findings: Vec<(&'static str, String, Option<String>)>,
    edges: BTreeMap<(String, Option<String>), Fate>,
}

fn said(inventory: &Inventory) -> Said {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static Rule> = rules::ALL.iter().collect();
    let outcome = rules::run(&graph, &all);
    let mut findings: Vec<_> = outcome
        .findings
        .into_iter()
        .map(|found| (found.rule.code, found.subject.bucket, found.subject.target))
        .collect();
    findings.sort();
    let edges = outcome
        .edges
        .into_iter()
        .map(|edge| {
            let ends = (edge.subject.bucket, edge.subject.target);
            (ends, (edge.grant, edge.verdict.word(), edge.causes))
        })
        .collect();
    Said { findings, edges }
}

#[test]
fn a_bucket_of_the_cdk_is_shown_where_the_program_made_it() {
    let inventory = template("cdk.out/manifest.json");
    let graph = LogGraph::new(&inventory);
    let all: Vec<&'static Rule> = rules::ALL.iter().collect();
    let outcome = rules::run(&graph, &all);
    let labels: Vec<String> = outcome
        .findings
        .iter()
        .filter(|found| found.rule.code == "S3L009")
        .flat_map(|found| &found.said.labels)
        .map(|label| {
            assert!(
                label
                    .place
                    .document
                    .path()
                    .is_some_and(|path| path.ends_with("App.template.json"))
            );
            label.text.clone()
        })
        .collect();
    assert!(
        labels
            .iter()
            .any(|text| text.ends_with("(made at lib/storage.ts:18:5)")),
        "{labels:?}"
    );
}

#[test]
fn the_same_is_found_however_it_is_written() {
    let live = said(&live());
    let found = |code: &str, bucket: &str| {
        live.findings
            .iter()
            .any(|(found, about, _)| *found == code && about == bucket)
    };
    assert!(found("S3L001", "amzn-s3-demo-loop"), "{live:#?}");
    assert!(found("S3L101", "amzn-s3-demo-web"), "{live:#?}");
    assert!(
        found("S3L201", "amzn-s3-demo-kms-logs") || found("S3L201", "amzn-s3-demo-pay"),
        "{live:#?}"
    );
    assert!(found("S3L009", "amzn-s3-demo-bare"), "{live:#?}");
    assert_eq!(live.edges.len(), 4);
    for (form, inventory) in [
        ("the template", template("template.yaml")),
        ("what the CDK puts out", template("cdk.out/manifest.json")),
        ("the plan", plan()),
    ] {
        assert_eq!(said(&inventory), live, "{form}");
    }
}
