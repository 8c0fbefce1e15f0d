//! The Open Cybersecurity Schema Framework: a Detection Finding (class 2004) for each finding.
//! <https://schema.ocsf.io/1.5.0/classes/detection_finding>

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::escape::{visible, visible_lines};
use super::told;
use crate::finding::{Severity, Subject};
use crate::name::{Arn, Partition};
use crate::report::{self, Report};
use crate::rules::Rule;

#[derive(Debug, Serialize)]
struct Event {
    activity_id: u32,
    activity_name: &'static str,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    type_name: &'static str,
    time: i64,
    time_dt: String,
    severity_id: u32,
    severity: &'static str,
    status_id: u32,
    status: &'static str,
    status_code: &'static str,
    message: String,
    metadata: Metadata,
    finding_info: Info,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
    resources: Vec<Resource>,
    cloud: Cloud,
}

#[derive(Debug, Serialize)]
struct Metadata {
    version: &'static str,
    event_code: &'static str,
    product: Product,
    profiles: [&'static str; 2],
}

#[derive(Debug, Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Info {
    uid: String,
    title: String,
    desc: String,
    types: [&'static str; 1],
    created_time: i64,
}

#[derive(Debug, Serialize)]
struct Remediation {
    desc: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Resource {
    uid: String,
    name: String,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    cloud_partition: String,
    group: Group,
}

#[derive(Debug, Serialize)]
struct Group {
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Cloud {
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
}

#[derive(Debug, Serialize)]
struct Account {
    uid: String,
    /// Readers demand a name; AWS doesn't tell one to a reader of buckets.
    name: String,
    r#type: &'static str,
    type_id: u32,
}

/// `now` is when the report is made, in RFC 3339.
pub fn render(report: &Report, now: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut events = Vec::new();
    for all in &report.findings {
        let said = &all.finding.said;
        let (severity_id, severity) = match all.severity {
            Severity::Error => (4, "High"),
            Severity::Warning => (3, "Medium"),
            Severity::Note => (2, "Low"),
        };
        let rule = all.finding.rule;
        let message = visible(&said.message).into_owned();
        let mut event = Event::new(rule, &all.finding.subject, &all.fingerprint, message, now);
        event.severity_id = severity_id;
        event.severity = severity;
        event.remediation = said.help.as_deref().map(|help| Remediation {
            desc: visible_lines(help).into_owned(),
            references: rule.aws_page().into_iter().collect(),
        });
        events.push(event);
    }
    for each in &report.undecided {
        let fingerprint = report::undecided_fingerprint(each);
        let message = format!("{}: {}", told::edge(&each.subject), told::undecided(each));
        let mut event = Event::new(each.rule, &each.subject, &fingerprint, message, now);
        event.status_code = "UNDECIDED";
        events.push(event);
    }
    serde_json::to_writer_pretty(&mut *out, &events).map_err(io::Error::from)?;
    writeln!(out)
}

impl Event {
    fn new(rule: &'static Rule, subject: &Subject, fingerprint: &str, message: String, now: &str) -> Self {
        let time = now.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond);
        let region = subject.region.as_ref().map(ToString::to_string);
        let partition = match &subject.region {
            Some(region) => region.partition(),
            None => Partition::default(),
        };
        let buckets = std::iter::once(&subject.bucket).chain(&subject.target);
        let mut resources: Vec<Resource> = buckets
            .map(|bucket| Resource {
                uid: match subject.name_known {
                    true => Arn::of_bucket(&partition, &visible(bucket)).to_string(),
                    false => visible(bucket).into_owned(),
                },
                name: visible(bucket).into_owned(),
                r#type: "AwsS3Bucket",
                region: region.clone(),
                cloud_partition: partition.to_string(),
                group: Group { name: "s3" },
            })
            .collect();
        resources.dedup_by(|a, b| a.uid == b.uid);
        Self {
            activity_id: 1,
            activity_name: "Create",
            category_uid: 2,
            category_name: "Findings",
            class_uid: 2004,
            class_name: "Detection Finding",
            type_uid: 200_401,
            type_name: "Detection Finding: Create",
            time,
            time_dt: now.to_owned(),
            severity_id: 1,
            severity: "Informational",
            status_id: 1,
            status: "New",
            status_code: "FAIL",
            metadata: Metadata {
                version: "1.5.0",
                event_code: rule.code,
                product: Product {
                    name: env!("CARGO_PKG_NAME"),
                    vendor_name: env!("CARGO_PKG_NAME"),
                    version: env!("CARGO_PKG_VERSION"),
                },
                profiles: ["cloud", "datetime"],
            },
            finding_info: Info {
                uid: fingerprint.to_owned(),
                title: format!("{} {}: {}", rule.code, rule.name, told::edge(subject)),
                desc: message.clone(),
                types: ["Misconfiguration"],
                created_time: time,
            },
            message,
            remediation: None,
            resources,
            cloud: Cloud {
                provider: "AWS",
                region,
                account: subject.account.as_ref().map(|account| Account {
                    uid: account.to_string(),
                    name: account.to_string(),
                    r#type: "AWS Account",
                    type_id: 10,
                }),
            },
        }
    }
}
