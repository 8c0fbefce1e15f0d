//! The AWS Security Finding Format, to be imported into Security Hub, a hundred findings a call.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>
//!
//! Security Hub files a finding under an account and a region. What names none (a suppression of the settings, a
//! template) has no place there and is left out; [`can_hold`] tells the caller, who says so.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::escape::{visible, visible_lines};
use super::told;
use crate::finding::{Severity, Subject};
use crate::name::{AccountId, Arn, Region};
use crate::report::{self, Report};
use crate::rules::Rule;

const TITLE: usize = 256;
const DESCRIPTION: usize = 1_024;
const RECOMMENDATION: usize = 512;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    schema_version: &'static str,
    id: String,
    product_arn: String,
    generator_id: String,
    aws_account_id: String,
    types: [&'static str; 1],
    created_at: String,
    updated_at: String,
    severity: SeverityLabel,
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
    product_fields: BTreeMap<&'static str, String>,
    resources: Vec<Resource>,
    compliance: Compliance,
    record_state: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SeverityLabel {
    label: &'static str,
    original: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Remediation {
    recommendation: Recommendation,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Recommendation {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: &'static str,
    id: String,
    partition: String,
    region: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Compliance {
    status: &'static str,
}

/// Whether Security Hub has a place for a finding about this.
pub fn can_hold(subject: &Subject) -> bool {
    home(subject).is_some()
}

fn home(subject: &Subject) -> Option<(&AccountId, &Region)> {
    subject
        .account
        .as_ref()
        .zip(subject.region.as_ref())
        .filter(|_| subject.name_known)
}

/// `now` is when the report is made, in RFC 3339.
pub fn render(report: &Report, now: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut findings = Vec::new();
    for all in &report.findings {
        let (rule, subject) = (all.finding.rule, &all.finding.subject);
        let Some((account, region)) = home(subject) else {
            continue;
        };
        let said = &all.finding.said;
        let mut finding = Finding::new(rule, subject, (account, region), &all.fingerprint, now);
        finding.severity = SeverityLabel {
            label: match all.severity {
                Severity::Error => "HIGH",
                Severity::Warning => "MEDIUM",
                Severity::Note => "LOW",
            },
            original: all.severity.word(),
        };
        finding.description = cut(&visible(&said.message), DESCRIPTION);
        finding.remediation = said.help.as_deref().map(|help| Remediation {
            recommendation: Recommendation {
                text: cut(&visible_lines(help), RECOMMENDATION),
                url: rule.aws_page(),
            },
        });
        findings.push(finding);
    }
    for each in &report.undecided {
        let Some(home) = home(&each.subject) else { continue };
        let fingerprint = report::undecided_fingerprint(each);
        let mut finding = Finding::new(each.rule, &each.subject, home, &fingerprint, now);
        finding.description = cut(&told::undecided(each), DESCRIPTION);
        finding.compliance = Compliance {
            status: "NOT_AVAILABLE",
        };
        findings.push(finding);
    }
    serde_json::to_writer_pretty(&mut *out, &findings).map_err(io::Error::from)?;
    writeln!(out)
}

impl Finding {
    fn new(
        rule: &'static Rule,
        subject: &Subject,
        (account, region): (&AccountId, &Region),
        fingerprint: &str,
        now: &str,
    ) -> Self {
        let partition = region.partition();
        let buckets = std::iter::once(&subject.bucket).chain(&subject.target);
        let mut resources: Vec<Resource> = buckets
            .map(|bucket| Resource {
                r#type: "AwsS3Bucket",
                id: Arn::of_bucket(&partition, &visible(bucket)).to_string(),
                partition: partition.to_string(),
                region: region.to_string(),
            })
            .collect();
        // A bucket that logs to itself is one resource.
        resources.dedup_by(|a, b| a.id == b.id);
        Self {
            schema_version: "2018-10-08",
            id: format!("s3log-lint/{account}/{region}/{fingerprint}"),
            product_arn: format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
            generator_id: format!("s3log-lint/{}", rule.code),
            aws_account_id: account.to_string(),
            types: ["Software and Configuration Checks/AWS Security Best Practices"],
            created_at: now.to_owned(),
            updated_at: now.to_owned(),
            severity: SeverityLabel {
                label: "INFORMATIONAL",
                original: "undecided",
            },
            title: cut(
                &format!("{} {}: {}", rule.code, rule.name, told::edge(subject)),
                TITLE,
            ),
            description: String::new(),
            remediation: None,
            product_fields: BTreeMap::from([
                ("s3log-lint/Fingerprint", fingerprint.to_owned()),
                ("s3log-lint/Rule", rule.name.to_owned()),
                ("s3log-lint/Version", env!("CARGO_PKG_VERSION").to_owned()),
            ]),
            resources,
            compliance: Compliance { status: "FAILED" },
            record_state: "ACTIVE",
        }
    }
}

/// No more than so many characters.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}
