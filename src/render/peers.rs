//! What to tell other tools about a log bucket, in their own words.
//!
//! They ask of every bucket whether it is logged, locked and encrypted with a key of one's own. A log bucket that
//! works is none of this: its logging would make logs of logs, and through locks and such keys S3 delivers nothing.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use super::escape::visible;
use super::position::Positions;
use crate::graph::{LogGraph, Vertex};
use crate::inventory::{Fact, Place, Title};
use crate::name::{Arn, Partition};

/// The tools that flag a healthy log bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Checkov,
    Trivy,
    CdkNag,
    CfnGuard,
    Prowler,
    SecurityHub,
}

impl Peer {
    pub const ALL: [Peer; 6] = [
        Peer::Checkov,
        Peer::Trivy,
        Peer::CdkNag,
        Peer::CfnGuard,
        Peer::Prowler,
        Peer::SecurityHub,
    ];

    fn heading(self) -> &'static str {
        match self {
            Peer::Checkov => "checkov: into the bucket's block in Terraform, to its Type in CloudFormation",
            Peer::Trivy => "Trivy: .trivyignore.yaml (--ignorefile)",
            Peer::CdkNag => "cdk-nag: after the bucket is made",
            Peer::CfnGuard => "cfn-guard: beside the bucket's Type in CloudFormation",
            Peer::Prowler => "Prowler: mutelist.yaml (--mutelist-file)",
            Peer::SecurityHub => {
                "Security Hub: aws securityhub create-automation-rule --cli-input-json file://rule.json"
            }
        }
    }
}

/// What a tool wants and a log bucket must not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    Logging,
    CustomerKey,
    ObjectLock,
}

impl Demand {
    fn reason(self, sources: usize) -> String {
        let for_whom = match sources {
            1 => "Log bucket of 1 bucket".to_owned(),
            n => format!("Log bucket of {n} buckets"),
        };
        let why = match self {
            Demand::Logging => "AWS advises against logging it, since each delivered log would cause another",
            Demand::CustomerKey => "S3 delivers access logs only into SSE-S3 default encryption",
            Demand::ObjectLock => "S3 delivers no access logs into default Object Lock retention",
        };
        format!("{for_whom}: {why}")
    }

    /// The identifiers of a tool's checks; several where its releases disagree.
    fn checks(self, peer: Peer) -> &'static [&'static str] {
        match (peer, self) {
            (Peer::Checkov, Demand::Logging) => &["CKV_AWS_18"],
            (Peer::Checkov, Demand::CustomerKey) => &["CKV_AWS_145"],
            // Trivy dropped the prefix from its names in 2026, and ignores what it doesn't know.
            (Peer::Trivy, Demand::Logging) => &["AWS-0089", "AVD-AWS-0089"],
            (Peer::Trivy, Demand::CustomerKey) => &["AWS-0132", "AVD-AWS-0132"],
            (Peer::CdkNag, Demand::Logging) => &["AwsSolutions-S1"],
            (Peer::CfnGuard, Demand::Logging) => &["S3_BUCKET_LOGGING_ENABLED"],
            (Peer::CfnGuard, Demand::CustomerKey) => &["S3_DEFAULT_ENCRYPTION_KMS"],
            (Peer::CfnGuard, Demand::ObjectLock) => &["S3_BUCKET_DEFAULT_LOCK_ENABLED"],
            (Peer::Prowler, Demand::Logging) => &["s3_bucket_server_access_logging_enabled"],
            (Peer::Prowler, Demand::CustomerKey) => &["s3_bucket_kms_encryption"],
            (Peer::Prowler, Demand::ObjectLock) => &["s3_bucket_object_lock"],
            (Peer::SecurityHub, Demand::Logging) => &["S3.9"],
            (Peer::SecurityHub, Demand::CustomerKey) => &["S3.17"],
            (Peer::SecurityHub, Demand::ObjectLock) => &["S3.15"],
            (Peer::Checkov | Peer::Trivy | Peer::CdkNag, Demand::ObjectLock)
            | (Peer::CdkNag, Demand::CustomerKey) => &[],
        }
    }
}

/// A log bucket, and what the tools will demand of it in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBucket {
    name: String,
    name_known: bool,
    account: Option<String>,
    region: Option<String>,
    partition: Partition,
    sources: usize,
    declared: Option<Declaration>,
    demands: Vec<Demand>,
}

/// Where a bucket is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Declaration {
    file: String,
    language: Language,
    /// The resource, where the file alone doesn't say it.
    resource: Option<String>,
    line: Option<usize>,
    /// Where the program that wrote the file made it.
    made_at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Terraform,
    CloudFormation,
}

impl Declaration {
    fn of(place: &Place, positions: &mut Positions) -> Option<Self> {
        let made_at = place.made_at.as_deref().map(|at| visible(at).into_owned());
        let declared = |path: &str, language, resource: Option<&str>, line| Self {
            file: path.to_owned(),
            language,
            resource: resource.map(|resource| visible(resource).into_owned()),
            line,
            made_at,
        };
        match &place.document.title {
            Title::Answer { .. } => None,
            Title::Embedded { path, address } => {
                Some(declared(path, Language::Terraform, Some(address), None))
            }
            Title::File { path } => {
                let line = positions.locate(place).map(|at| at.line);
                let of_a_template = place
                    .pointer
                    .strip_prefix("/Resources/")
                    .and_then(|rest| rest.split('/').next());
                Some(match of_a_template {
                    Some(resource) => declared(path, Language::CloudFormation, Some(resource), line),
                    None => declared(path, Language::Terraform, None, line),
                })
            }
        }
    }
}

impl std::fmt::Display for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(resource) = &self.resource {
            write!(f, "{resource} in ")?;
        }
        f.write_str(&visible(&self.file))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.made_at {
            Some(made_at) => write!(f, ", made at {made_at}"),
            None => Ok(()),
        }
    }
}

impl LogBucket {
    /// The log buckets of the graph that are right to lack what the tools demand. What is unknown of one is not excused.
    pub fn of(graph: &LogGraph<'_>) -> Vec<Self> {
        let mut positions = Positions::default();
        graph
            .buckets()
            .filter(|vertex| vertex.is_target_of_another() && vertex.bucket.in_scope)
            .map(|vertex| Self::new(&vertex, &mut positions))
            .filter(|bucket| !bucket.demands.is_empty())
            .collect()
    }

    fn new(vertex: &Vertex<'_, '_>, positions: &mut Positions) -> Self {
        let bucket = vertex.bucket;
        let settings = bucket.settings();
        let mut demands = Vec::new();
        if bucket.logging == Fact::Absent {
            demands.push(Demand::Logging);
        }
        let own_key = match &settings.encryption {
            Fact::Known(encryption) => encryption.algorithm.starts_with("aws:kms"),
            Fact::Absent => false,
            Fact::Unknown(_) => true,
        };
        if !own_key {
            demands.push(Demand::CustomerKey);
        }
        let locked = match &settings.object_lock {
            Fact::Known(lock) => lock.enabled,
            Fact::Absent => false,
            Fact::Unknown(_) => true,
        };
        if !locked {
            demands.push(Demand::ObjectLock);
        }
        let place = bucket.place.as_ref();
        let declared = place.and_then(|place| Declaration::of(place, positions));
        let region = bucket.region.known();
        Self {
            name: visible(&bucket.label).into_owned(),
            name_known: bucket.name_known,
            account: vertex.account.id.known().map(ToString::to_string),
            region: region.map(ToString::to_string),
            partition: region.map_or_else(Partition::default, |region| region.partition()),
            sources: vertex.incoming().len(),
            declared,
            demands,
        }
    }

    /// Whether a tool that reads this language meets the bucket. One that was read of an account may be declared in any.
    fn may_be_in(&self, language: Language) -> bool {
        self.declared
            .as_ref()
            .is_none_or(|declared| declared.language == language)
    }

    /// The bucket, and where it is declared.
    fn heading(&self) -> String {
        match &self.declared {
            Some(declared) => format!("{}: {declared}", self.name),
            None => self.name.clone(),
        }
    }

    /// Each check of a tool that will fail, with the reason why it may.
    fn checks(&self, peer: Peer) -> impl Iterator<Item = (&'static str, String)> {
        self.demands.iter().flat_map(move |demand| {
            let reason = demand.reason(self.sources);
            demand
                .checks(peer)
                .iter()
                .map(move |check| (*check, reason.clone()))
        })
    }
}

/// The suppressions of one tool alone, ready to be its file.
pub fn render(buckets: &[LogBucket], peer: Peer, out: &mut dyn Write) -> io::Result<()> {
    match peer {
        Peer::Checkov => checkov(buckets, out),
        Peer::Trivy => trivy(buckets, out),
        Peer::CdkNag => cdk_nag(buckets, out),
        Peer::CfnGuard => cfn_guard(buckets, out),
        Peer::Prowler => prowler(buckets, out),
        Peer::SecurityHub => security_hub(buckets, out),
    }
}

/// Those of every tool, one after the other.
pub fn render_all(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    for (index, peer) in Peer::ALL.into_iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "# {}", peer.heading())?;
        render(buckets, peer, out)?;
    }
    Ok(())
}

fn checkov(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    for bucket in buckets {
        writeln!(out, "# {}", bucket.heading())?;
        if bucket.may_be_in(Language::Terraform) {
            for (check, reason) in bucket.checks(Peer::Checkov) {
                writeln!(out, "# checkov:skip={check}:{reason}")?;
            }
            continue;
        }
        writeln!(out, "Metadata:\n  checkov:\n    skip:")?;
        for (check, reason) in bucket.checks(Peer::Checkov) {
            writeln!(out, "      - id: {check}\n        comment: {}", quoted(&reason))?;
        }
    }
    Ok(())
}

/// Trivy can't tell one bucket from another in a file, so a suppression without a file would be for every bucket.
fn trivy(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    let placed: Vec<_> = buckets
        .iter()
        .filter_map(|bucket| Some((bucket, bucket.declared.as_ref()?.file.as_str())))
        .collect();
    if placed.is_empty() {
        return writeln!(
            out,
            "# Trivy reads files, and these buckets were not read from one: put a comment above each bucket's block,\n\
             # trivy:ignore:AWS-0089 trivy:ignore:AWS-0132\nmisconfigurations: []"
        );
    }
    writeln!(
        out,
        "# By file: it excuses every bucket that is declared in the same one."
    )?;
    writeln!(out, "misconfigurations:")?;
    for (bucket, file) in placed {
        for (check, reason) in bucket.checks(Peer::Trivy) {
            writeln!(out, "  - id: {check}")?;
            writeln!(out, "    paths: [{}]", quoted(file))?;
            writeln!(
                out,
                "    statement: {}",
                quoted(&format!("{}: {reason}", bucket.name))
            )?;
        }
    }
    Ok(())
}

fn cdk_nag(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    for bucket in buckets
        .iter()
        .filter(|bucket| bucket.may_be_in(Language::CloudFormation))
    {
        for (id, reason) in bucket.checks(Peer::CdkNag) {
            let suppression = json!({"id": id, "reason": reason});
            writeln!(out, "// {}", bucket.heading())?;
            writeln!(out, "Validations.of(logBucket).acknowledge({suppression});")?;
            writeln!(out, "// before cdk-nag 3:")?;
            writeln!(
                out,
                "// NagSuppressions.addResourceSuppressions(logBucket, [{suppression}]);"
            )?;
        }
    }
    Ok(())
}

fn cfn_guard(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    for bucket in buckets
        .iter()
        .filter(|bucket| bucket.may_be_in(Language::CloudFormation))
    {
        writeln!(out, "# {}", bucket.heading())?;
        writeln!(out, "Metadata:\n  guard:\n    SuppressedRules:")?;
        for (check, reason) in bucket.checks(Peer::CfnGuard) {
            writeln!(out, "      - {check} # {reason}")?;
        }
    }
    Ok(())
}

fn prowler(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    let buckets: Vec<&LogBucket> = buckets.iter().filter(|bucket| bucket.name_known).collect();
    let mut accounts: Vec<&str> = buckets.iter().map(|bucket| account(bucket)).collect();
    accounts.sort_unstable();
    accounts.dedup();
    writeln!(
        out,
        "Mutelist:\n  Accounts:{}",
        if accounts.is_empty() { " {}" } else { "" }
    )?;
    for own in accounts {
        writeln!(out, "    {}:\n      Checks:", quoted(own))?;
        for demand in [Demand::Logging, Demand::CustomerKey, Demand::ObjectLock] {
            let meant: Vec<&LogBucket> = buckets
                .iter()
                .copied()
                .filter(|bucket| account(bucket) == own && bucket.demands.contains(&demand))
                .collect();
            for check in demand.checks(Peer::Prowler).iter().filter(|_| !meant.is_empty()) {
                let mut regions: Vec<&str> = meant
                    .iter()
                    .map(|bucket| bucket.region.as_deref().unwrap_or("*"))
                    .collect();
                regions.sort_unstable();
                regions.dedup();
                let resources: Vec<String> = meant
                    .iter()
                    .map(|bucket| quoted(&format!("^{}$", escaped(&bucket.name))))
                    .collect();
                let regions: Vec<String> = regions.into_iter().map(quoted).collect();
                let sources = meant.iter().map(|bucket| bucket.sources).sum();
                writeln!(out, "        {}:", quoted(check))?;
                writeln!(out, "          Regions: [{}]", regions.join(", "))?;
                writeln!(out, "          Resources: [{}]", resources.join(", "))?;
                writeln!(out, "          Description: {}", quoted(&demand.reason(sources)))?;
            }
        }
    }
    Ok(())
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AutomationRule {
    rule_name: &'static str,
    rule_order: u32,
    rule_status: &'static str,
    is_terminal: bool,
    description: String,
    criteria: serde_json::Value,
    actions: serde_json::Value,
}

/// How many values a criterion of Security Hub takes.
const VALUES: usize = 100;

/// One rule, or as many as Security Hub's limits make of it, in an array. It can't tell why for each bucket.
fn security_hub(buckets: &[LogBucket], out: &mut dyn Write) -> io::Result<()> {
    let mut rules = Vec::new();
    for demand in [Demand::Logging, Demand::CustomerKey, Demand::ObjectLock] {
        let meant: Vec<&LogBucket> = buckets
            .iter()
            .filter(|bucket| bucket.name_known && bucket.demands.contains(&demand))
            .collect();
        for some in meant.chunks(VALUES) {
            let sources = some.iter().map(|bucket| bucket.sources).sum();
            let reason = demand.reason(sources);
            let equals = |value: &str| json!({"Value": value, "Comparison": "EQUALS"});
            let controls: Vec<_> = demand
                .checks(Peer::SecurityHub)
                .iter()
                .map(|id| equals(id))
                .collect();
            let resources: Vec<_> = some
                .iter()
                .map(|bucket| equals(&Arn::of_bucket(&bucket.partition, &bucket.name).to_string()))
                .collect();
            rules.push(AutomationRule {
                rule_name: match demand {
                    Demand::Logging => "s3-log-buckets-logging",
                    Demand::CustomerKey => "s3-log-buckets-customer-key",
                    Demand::ObjectLock => "s3-log-buckets-object-lock",
                },
                rule_order: 1,
                rule_status: "ENABLED",
                is_terminal: false,
                description: reason.clone(),
                criteria: json!({
                    "ComplianceSecurityControlId": controls,
                    "ResourceId": resources,
                    "RecordState": [equals("ACTIVE")],
                }),
                actions: json!([{
                    "Type": "FINDING_FIELDS_UPDATE",
                    "FindingFieldsUpdate": {
                        "Workflow": {"Status": "SUPPRESSED"},
                        "Note": {"Text": reason, "UpdatedBy": env!("CARGO_PKG_NAME")},
                    },
                }]),
            });
        }
    }
    serde_json::to_writer_pretty(&mut *out, &rules).map_err(io::Error::from)?;
    writeln!(out)
}

fn account(bucket: &LogBucket) -> &str {
    bucket.account.as_deref().unwrap_or("*")
}

/// A string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A name that a regular expression matches as it is.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if !(c.is_alphanumeric() || matches!(c, '-' | '_')) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, language: Option<Language>) -> String {
        let declared = language.map(|language| Declaration {
            file: name.to_owned(),
            language,
            resource: Some(visible(name).into_owned()),
            line: Some(7),
            made_at: Some(visible(name).into_owned()),
        });
        let bucket = LogBucket {
            name: visible(name).into_owned(),
            name_known: true,
            account: Some("111122223333".to_owned()),
            region: None,
            partition: Partition::default(),
            sources: 2,
            declared,
            demands: vec![Demand::Logging, Demand::CustomerKey, Demand::ObjectLock],
        };
        let mut out = Vec::new();
        render_all(&[bucket], &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn a_name_makes_no_line_and_no_end_of_a_string() {
        for language in [None, Some(Language::Terraform), Some(Language::CloudFormation)] {
            let lines = shown("logs", language).lines().count();
            for name in [
                "a\n- id: b",
                "a\"]\nb: [\"",
                "a\r\nb",
                "a\u{2028}b",
                "'); evil();//",
                "a\\",
            ] {
                assert_eq!(shown(name, language).lines().count(), lines, "{name:?}");
            }
        }
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
    }

    #[test]
    fn a_pattern_matches_its_name_alone() {
        assert_eq!(escaped("logs.example-1"), "logs\\.example-1");
        assert_eq!(escaped("logs[0]"), "logs\\[0\\]");
    }

    #[test]
    fn every_tool_has_something_to_be_told() {
        for peer in Peer::ALL {
            assert!(!Demand::Logging.checks(peer).is_empty(), "{peer:?}");
        }
    }
}
