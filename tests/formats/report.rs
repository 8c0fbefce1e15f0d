//! Reports made by hand, so that what a format looks like doesn't move with the rules.

use std::io::{self, Write};
use std::sync::Arc;

use s3log_lint::finding::{Finding, Goal, Severity, Subject, Undecided};
use s3log_lint::inventory::{Call, Document, KeyFormat, Place, Title, Why};
use s3log_lint::name::{AccountId, Region};
use s3log_lint::render;
use s3log_lint::render::anchor::Occasion;
use s3log_lint::render::terminal::Style;
use s3log_lint::report::{Coverage, Covered, Report, Scale, Settings};
use s3log_lint::rules::{self, EdgeVerdict, LintedEdge, Outcome, Reported, Rule};

pub const NOW: &str = "2026-11-22T07:00:00Z";

/// Every format, as the command line calls it.
pub const FORMATS: [&str; 14] = [
    "human", "short", "json", "jsonl", "sarif", "junit", "github", "gitlab", "rdjson", "azure", "markdown",
    "csv", "ocsf", "asff",
];

pub fn render(report: &Report, format: &str) -> Vec<u8> {
    let occasion = Occasion {
        settings_path: None,
        folder: Some("/repository".to_owned()),
        within: String::new(),
    };
    let mut bytes = Vec::new();
    let out: &mut dyn Write = &mut bytes;
    let rendered: io::Result<()> = match format {
        "human" => render::terminal::render(report, Style::default(), out),
        "short" => render::short::render(report, out),
        "json" => render::json::render(report, out),
        "jsonl" => render::jsonl::render(report, out),
        "sarif" => render::sarif::render(report, &occasion, out),
        "junit" => render::junit::render(report, &occasion, out),
        "github" => render::github::render(report, &occasion, out),
        "gitlab" => render::gitlab::render(report, &occasion, out),
        "rdjson" => render::rdjson::render(report, &occasion, out),
        "azure" => render::azure::render(report, &occasion, out),
        "markdown" => render::markdown::render(report, out),
        "csv" => render::csv::render(report, out),
        "ocsf" => render::ocsf::render(report, NOW, out),
        "asff" => render::asff::render(report, NOW, out),
        other => panic!("there is no format {other}"),
    };
    rendered.expect("a vector takes everything");
    bytes
}

fn rule(code: &str) -> &'static Rule {
    rules::find(code).expect("the rule exists")
}

fn subject(account: Option<&str>, region: &str, bucket: &str, target: Option<&str>) -> Subject {
    Subject {
        account: account.map(|id| AccountId::parse(id).expect("an account id")),
        region: Some(Region::parse(region).expect("a region")),
        bucket: bucket.to_owned(),
        target: target.map(str::to_owned),
        name_known: true,
    }
}

fn answer(bucket: &str, call: Call, text: &str) -> Arc<Document> {
    Arc::new(Document {
        title: Title::Answer {
            bucket: bucket.into(),
            call,
        },
        text: text.into(),
        host: None,
    })
}

fn file(path: &str, text: &str) -> Arc<Document> {
    Arc::new(Document {
        title: Title::File {
            path: path.to_owned(),
        },
        text: text.into(),
        host: None,
    })
}

fn edge(subject: &Subject, verdict: EdgeVerdict, causes: &[&'static str]) -> LintedEdge {
    LintedEdge {
        subject: subject.clone(),
        prefix: Some(format!("{}/", subject.bucket)),
        key_format: Some(KeyFormat::Simple),
        grant: "allowed",
        verdict,
        causes: causes.to_vec(),
    }
}

fn scale(subjects: &[&Subject]) -> Scale {
    Scale {
        buckets: subjects.len(),
        api_calls: Some(12),
        taken_at: Some(NOW.to_owned()),
        coverage: Coverage {
            open_logging: 0,
            buckets: subjects
                .iter()
                .map(|subject| Covered {
                    account: subject.account.clone(),
                    region: subject.region.clone(),
                    label: subject.bucket.as_str().into(),
                    allowances: Vec::new(),
                })
                .collect(),
            empty_accounts: Vec::new(),
            complete: true,
        },
    }
}

/// A fault in each severity, a cycle, a fault in a file, an undecided rule and an edge that delivers.
pub fn fixed() -> Report {
    let account = Some("111122223333");
    let looping = subject(account, "eu-west-1", "app-data", Some("app-data"));
    let cycle = subject(account, "eu-west-1", "cycle-a", Some("cycle-b"));
    let encrypted = subject(account, "us-east-1", "amzn-s3-demo-logs", None);
    let planned = subject(None, "eu-west-1", "planned", Some("planned"));
    let open = subject(account, "us-east-1", "open", None);
    let good = subject(account, "eu-west-1", "good", Some("good-logs"));
    let logging = answer(
        "app-data",
        Call::Logging,
        r#"{"LoggingEnabled":{"TargetBucket":"app-data","TargetPrefix":"logs/"}}"#,
    );
    let encryption = answer(
        "amzn-s3-demo-logs",
        Call::Encryption,
        r#"{"ServerSideEncryptionConfiguration":{"Rules":[]}}"#,
    );
    let source =
        "# ünïcode\nresource \"aws_s3_bucket_logging\" \"planned\" {\n  target_bucket = \"planned\"\n}\n";
    let module = file("storage/main.tf", source);
    let target = "target_bucket = \"planned\"";
    let start = source.find(target).expect("it stands there");
    let in_file = Place {
        document: Arc::clone(&module),
        pointer: String::new(),
        span: Some(start..start + target.len()),
        made_at: None,
    };
    let found = |rule, subject: &Subject, said| Reported {
        rule,
        subject: subject.clone(),
        said: Box::new(said),
    };
    let steps = [("cycle-a", "cycle-b"), ("cycle-b", "cycle-a")];
    let mut round = Finding::new("`cycle-a` → `cycle-b` → `cycle-a`: each log causes another");
    for (from, to) in steps {
        let text = format!(r#"{{"LoggingEnabled":{{"TargetBucket":"{to}"}}}}"#);
        let document = answer(from, Call::Logging, &text);
        round = round.label(
            &Place::new(&document, "/LoggingEnabled"),
            format!("{from} logs to {to}"),
        );
    }
    round.cycle = ["cycle-a", "cycle-b", "cycle-a"].map(str::to_owned).to_vec();
    let outcome = Outcome {
        findings: vec![
            found(
                rule("S3L001"),
                &looping,
                Finding::new("`app-data` logs to itself: every delivered log causes another log")
                    .label(
                        &Place::new(&logging, "/LoggingEnabled"),
                        "the target is this very bucket",
                    )
                    .help("give it another target:\naws s3api put-bucket-logging --bucket app-data")
                    .fix(Goal::ProperTarget {
                        bucket: "app-data".to_owned(),
                    }),
            ),
            found(rule("S3L002"), &cycle, round.help("point one of them elsewhere")),
            found(
                rule("S3L001"),
                &planned,
                Finding::new("`planned` logs to itself").label(&in_file, "the target is this very bucket"),
            ),
            found(
                rule("S3L201"),
                &encrypted,
                Finding::new("`amzn-s3-demo-logs` encrypts with a key that the log service can't use")
                    .label(&Place::new(&encryption, ""), "the default encryption"),
            ),
            found(
                rule("S3L901"),
                &open,
                Finding::new("S3L001 is suppressed for a bucket that has no such finding"),
            ),
        ],
        undecided: vec![Reported {
            rule: rule("S3L201"),
            subject: open.clone(),
            said: Box::new(Undecided::without(
                Call::Encryption,
                &Why::Denied {
                    action: Call::Encryption.action(),
                },
            )),
        }],
        edges: vec![
            edge(&looping, EdgeVerdict::Loops, &["S3L001"]),
            edge(&cycle, EdgeVerdict::Loops, &["S3L002"]),
            edge(&good, EdgeVerdict::Delivers, &[]),
            edge(&planned, EdgeVerdict::Loops, &["S3L001"]),
        ],
    };
    let settings = Settings {
        severities: [("S3L201", Severity::Warning)].into(),
        ..Settings::default()
    };
    let scale = scale(&[&looping, &cycle, &encrypted, &open, &good]);
    Report::new(outcome, scale, &settings)
}

/// A finding and an undecided rule in which every text that can come from outside is this one.
pub fn hostile(text: &str) -> Report {
    let account = Some("111122223333");
    let bad = subject(account, "eu-west-1", text, Some(text));
    let document = Arc::new(Document {
        title: Title::Embedded {
            path: format!("a/{text}"),
            address: text.to_owned(),
        },
        text: text.into(),
        host: None,
    });
    let mut said = Finding::new(format!("`{text}` logs to `{text}`"))
        .label(
            &Place::new(&document, format!("/{text}")),
            format!("names `{text}`"),
        )
        .help(format!("run\naws s3api put-bucket-logging --bucket {text}"))
        .evidence(text);
    said.cycle = vec![text.to_owned(), "b".to_owned(), text.to_owned()];
    let outcome = Outcome {
        findings: vec![Reported {
            rule: rule("S3L002"),
            subject: bad.clone(),
            said: Box::new(said),
        }],
        undecided: vec![Reported {
            rule: rule("S3L201"),
            subject: bad.clone(),
            said: Box::new(Undecided {
                why: Why::Failed {
                    code: text.to_owned(),
                },
                call: None,
                needs: Some(text.to_owned()),
                on: None,
            }),
        }],
        edges: vec![edge(&bad, EdgeVerdict::Loops, &["S3L002"])],
    };
    let scale = scale(&[&bad]);
    Report::new(outcome, scale, &Settings::default())
}

/// Nothing at all.
#[allow(dead_code, reason = "the tests of the formats themselves have no use for it")]
pub fn empty() -> Report {
    Report::new(Outcome::default(), scale(&[]), &Settings::default())
}

/// More than any service shows, in more accounts and regions than SARIF has runs for, with texts that are too long.
#[allow(dead_code, reason = "the tests of the formats themselves have no use for it")]
pub fn many(findings: usize) -> Report {
    const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "cn-north-1"];
    let long = "a very long sentence ".repeat(100);
    let subjects: Vec<Subject> = (0..findings)
        .map(|number| {
            let account = format!("{:012}", 111_122_223_333_usize + number % 9);
            let bucket = format!("bucket-{number}-{}", "x".repeat(number % 300));
            subject(
                Some(&account),
                REGIONS[number % REGIONS.len()],
                &bucket,
                (number % 2 == 0).then_some("logs"),
            )
        })
        .collect();
    let codes = ["S3L001", "S3L009", "S3L010", "S3L101"];
    let outcome = Outcome {
        findings: subjects
            .iter()
            .enumerate()
            .map(|(number, subject)| Reported {
                rule: rule(codes[number % codes.len()]),
                subject: subject.clone(),
                said: Box::new(Finding::new(format!("`{}`: {long}", subject.bucket)).help(&long)),
            })
            .collect(),
        undecided: subjects
            .iter()
            .step_by(7)
            .map(|subject| Reported {
                rule: rule("S3L203"),
                subject: subject.clone(),
                said: Box::new(Undecided::without(Call::ObjectLock, &Why::NotRead)),
            })
            .collect(),
        edges: Vec::new(),
    };
    let subjects: Vec<&Subject> = subjects.iter().collect();
    Report::new(outcome, scale(&subjects), &Settings::default())
}

/// What a hostile name might try.
pub const HOSTILE: [&str; 16] = [
    "\"},{\"a\":\"b",
    "]]><failure/><![CDATA[",
    "<script>alert(1)</script>&lt;",
    "a\n::error file=x::injected",
    "a\r\n##vso[task.complete result=Succeeded;]",
    "]x;type=error##vso[task.setvariable variable=a]b",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "a|b`c``d```e\n```\n# heading",
    "![x](https://example.com/x.png) [y](javascript:alert(1)) <img src=x onerror=y>",
    "@everyone #1 https://example.com www.example.com",
    "\u{1b}[31mred\u{1b}]8;;https://example.com\u{7}link",
    "\u{202e}gnp.exe\u{200f}\u{feff}",
    "\u{0}\u{1}\u{b}\u{fffe}\u{ffff}",
    "a,b;c%0A::error::d%25",
    "<!-- s3log-lint --> </details><details>",
];
