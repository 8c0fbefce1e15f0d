//! How long a large account takes: a snapshot's text → the report as JSON.
//!
//! `cargo bench --bench report` measures 10,000 and 100,000 buckets with 200 targets. To see the memory of the whole
//! program, write the snapshot (`SNAPSHOT=FILE cargo bench --bench report`) and audit it with a release build.

use std::fmt::Write;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use s3log_lint::collect::snapshot;
use s3log_lint::graph::LogGraph;
use s3log_lint::render::json;
use s3log_lint::report::{Report, Scale, Settings};
use s3log_lint::rules::{self, Rule};

const TARGETS: usize = 200;

/// An account as it might be: every source logs under its own name, some grants forget a source, some targets have KMS.
fn account(buckets: usize) -> String {
    let mut text = String::with_capacity(buckets * 160);
    text.push_str(r#"{"version":1,"unasked":"absent","accounts":[{"id":"111122223333","buckets":{"#);
    for target in 0..TARGETS {
        let name = format!("amzn-s3-demo-logs-{target:03}");
        let pattern = if target % 50 == 7 { "archive-*" } else { "app-*" };
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "S3LogDelivery", "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{name}/*"),
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "111122223333"},
                "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{pattern}")},
            },
        }, {
            "Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }]});
        let encryption = match target % 40 {
            3 => {
                r#","encryption":{"ServerSideEncryptionConfiguration":{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"}}]}}"#
            }
            _ => "",
        };
        write!(
            text,
            r#""{name}":{{"region":"eu-west-1","logging":{{}},"policy":{{"Policy":{}}}{encryption},"lifecycle":{{"Rules":[{{"ID":"expire","Status":"Enabled","Filter":{{"Prefix":""}},"Expiration":{{"Days":365}}}}]}}}},"#,
            serde_json::json!(policy.to_string())
        )
        .expect("a string takes everything");
    }
    for source in TARGETS..buckets {
        let comma = if source == TARGETS { "" } else { "," };
        let target = source % TARGETS;
        write!(
            text,
            r#"{comma}"app-{source:06}":{{"region":"eu-west-1","logging":{{"LoggingEnabled":{{"TargetBucket":"amzn-s3-demo-logs-{target:03}","TargetPrefix":"app-{source:06}/"}}}}}}"#
        )
        .expect("a string takes everything");
    }
    text.push_str("}}]}");
    text
}

fn audit(text: &str) -> usize {
    let inventory = snapshot::read(text).expect("the generated snapshot is one");
    let graph = LogGraph::new(&inventory);
    let all: Vec<&'static Rule> = rules::ALL.iter().collect();
    let report = Report::new(rules::run(&graph, &all), Scale::default(), &Settings::default());
    let mut out = Vec::new();
    json::render(&report, &mut out).expect("a vector takes everything");
    out.len()
}

fn measure(criterion: &mut Criterion) {
    if let Some(path) = std::env::var_os("SNAPSHOT") {
        std::fs::write(path, account(100_000)).expect("the file can be written");
    }
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10);
    for buckets in [10_000, 100_000] {
        let text = account(buckets);
        group.throughput(Throughput::Elements(buckets as u64));
        group.bench_with_input(BenchmarkId::from_parameter(buckets), &text, |bencher, text| {
            bencher.iter(|| audit(text));
        });
    }
    group.finish();
}

criterion_group!(benches, measure);
criterion_main!(benches);
