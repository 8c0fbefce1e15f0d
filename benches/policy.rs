//! How long a decision takes: a typical log bucket policy, and a policy as large as S3 takes, asked by many sources.
//!
//! A policy is prepared once and asked many times; `prepare` measures the first, the rest the second.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use s3log_lint::name::{AccountId, Region};
use s3log_lint::policy::{AclRoute, DefaultEncryption, Delivery, Facts, Grant, Prepared, parse};

const TARGET: &str = "amzn-s3-demo-logs";

fn delivery(source: &str) -> Delivery {
    let mut delivery = Delivery::between(source, TARGET);
    delivery.source_account = AccountId::parse("111122223333").ok();
    delivery.target_account.clone_from(&delivery.source_account);
    delivery.region = Region::parse("eu-west-1").ok();
    delivery.prefix = Some(format!("{source}/").into());
    delivery.default_encryption = Some(DefaultEncryption::SseS3);
    delivery.now = Some("2026-11-22T07:00:00Z".into());
    delivery.acl = AclRoute::CLOSED;
    delivery
}

/// A grant by account and name pattern, TLS only, and a deny that spares services.
const TYPICAL: &str = r#"{"Version":"2012-10-17","Statement":[
{"Sid":"S3LogDelivery","Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject",
"Resource":"arn:aws:s3:::amzn-s3-demo-logs/*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"},
"ArnLike":{"aws:SourceArn":"arn:aws:s3:::app-*"}}},
{"Sid":"OnlyTls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::amzn-s3-demo-logs",
"arn:aws:s3:::amzn-s3-demo-logs/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
{"Sid":"OnlyOurOrganization","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::amzn-s3-demo-logs/*",
"Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"},
"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]}"#;

/// As many statements as 20 KB hold, each for one source.
fn large() -> String {
    let statements: Vec<String> = (0..200)
        .map(|n| {
            format!(
                r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::app-logs/source-{n}/*"}}"#
            )
        })
        .collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    )
}

fn typical(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("typical policy");
    group.throughput(Throughput::Elements(1));
    let prepared = Prepared::new(&parse(TYPICAL), &Facts::default());
    let allowed = delivery("app-data");
    assert_eq!(prepared.decide(&allowed).grant, Grant::Allowed);
    group.bench_function("allowed", |bencher| {
        bencher.iter(|| prepared.decide(black_box(&allowed)))
    });
    let missed = delivery("web-data");
    assert_eq!(prepared.decide(&missed).grant, Grant::NotGranted);
    group.bench_function("not granted", |bencher| {
        bencher.iter(|| prepared.decide(black_box(&missed)))
    });
    group.bench_function("prepare", |bencher| {
        bencher.iter(|| Prepared::new(&parse(black_box(TYPICAL)), &Facts::default()));
    });
    group.finish();
}

fn many_sources(criterion: &mut Criterion) {
    let text = large();
    assert!((18_000..=20_480).contains(&text.len()), "{} bytes", text.len());
    let deliveries: Vec<Delivery> = (0..1000)
        .map(|n| {
            let mut delivery = delivery(&format!("source-{n}"));
            delivery.target_bucket = Some("app-logs".into());
            delivery
        })
        .collect();
    let mut group = criterion.benchmark_group("20 KB, 200 statements");
    group.sample_size(20);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000 sources", |bencher| {
        bencher.iter(|| {
            let prepared = Prepared::new(&parse(black_box(&text)), &Facts::default());
            deliveries
                .iter()
                .filter(|delivery| prepared.decide(delivery).grant == Grant::Allowed)
                .count()
        });
    });
    let plain: Vec<Delivery> = (0..1000).map(|n| delivery(&format!("app-aaaa-{n}"))).collect();
    let stars = TYPICAL.replace(
        "amzn-s3-demo-logs/*",
        &format!("amzn-s3-demo-logs/{}", "*a".repeat(2500)),
    );
    group.bench_function("1000 sources, patterns of stars", |bencher| {
        bencher.iter(|| {
            let prepared = Prepared::new(&parse(black_box(&stars)), &Facts::default());
            plain
                .iter()
                .filter(|delivery| prepared.decide(delivery).grant == Grant::Allowed)
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, typical, many_sources);
criterion_main!(benches);
