//! SARIF 2.1.0, by GitHub's rules: every result stands in a file, and its fingerprint is ours.
//!
//! One run for each account and region, since GitHub keeps the alerts of a category apart. What a code scanning
//! service would refuse or drop is left out by the limits below, and said in a notification.
//! <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning>

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use self::model::{
    ArtifactLocation, AutomationDetails, CodeFlow, Configuration, Descriptor, DescriptorProperties, Driver,
    Help, Id, Invocation, Location, Log, LogicalLocation, Markdown, Notification, Physical, Properties,
    Region, RelatedLocation, Run, SarifResult, Text, ThreadFlow, ThreadFlowLocation, Tool,
};
use super::anchor::{Anchor, Occasion};
use super::escape::visible;
use super::position::Positions;
use super::told;
use crate::finding::{Severity, Subject};
use crate::name::{Arn, Partition};
use crate::report::{Fingerprinted, Part, Report};
use crate::rules::{self, Rule};

const RUNS: usize = 20;
const RESULTS_OF_A_RUN: usize = 25_000;
const RELATED_LOCATIONS: usize = 100;
const STEPS_OF_A_FLOW: usize = 1_000;
const NOTIFICATIONS: usize = 1_000;
/// Characters in a description.
const DESCRIPTION: usize = 1_024;

pub fn render(report: &Report, occasion: &Occasion, out: &mut dyn Write) -> io::Result<()> {
    let mut positions = Positions::default();
    let runs = cut(report)
        .iter()
        .map(|(category, share)| run(category, share, report, occasion, &mut positions))
        .collect();
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs,
    };
    serde_json::to_writer_pretty(&mut *out, &log).map_err(io::Error::from)?;
    writeln!(out)
}

/// What stands in one run.
#[derive(Default)]
struct Share<'a> {
    findings: Vec<&'a Fingerprinted>,
    undecided: Vec<(&'a Rule, String)>,
}

/// The runs by their category: an account and a region each, coarser where there would be too many.
fn cut(report: &Report) -> BTreeMap<String, Share<'_>> {
    let of_subject = |subject: &Subject| -> Part { (subject.account.clone(), subject.region.clone()) };
    let mut parts: BTreeSet<Part> = report.parts.clone();
    parts.extend(report.findings.iter().map(|all| of_subject(&all.finding.subject)));
    parts.extend(report.undecided.iter().map(|each| of_subject(&each.subject)));
    let fine = |(account, region): &Part| -> String {
        let account = account.as_ref().map(|account| account.as_str());
        let region = region.as_ref().map(|region| region.as_str());
        category(account.into_iter().chain(region))
    };
    let by_account = |(account, _): &Part| category(account.as_ref().map(|account| account.as_str()));
    let all_in_one = |_: &Part| category(None);
    let levels: [&dyn Fn(&Part) -> String; 3] = [&fine, &by_account, &all_in_one];
    let few = |name: &&dyn Fn(&Part) -> String| parts.iter().map(name).collect::<BTreeSet<_>>().len() <= RUNS;
    let name = levels.into_iter().find(few).unwrap_or(&all_in_one);
    let mut runs: BTreeMap<String, Share<'_>> =
        parts.iter().map(|part| (name(part), Share::default())).collect();
    if runs.is_empty() {
        // A run without results is what closes the alerts of the run before.
        runs.insert(category(None), Share::default());
    }
    for all in &report.findings {
        let share = runs.entry(name(&of_subject(&all.finding.subject))).or_default();
        share.findings.push(all);
    }
    for each in &report.undecided {
        let text = format!("{}: {}", told::edge(&each.subject), told::undecided(each));
        let share = runs.entry(name(&of_subject(&each.subject))).or_default();
        share.undecided.push((each.rule, text));
    }
    runs
}

/// The category is what stands before the last slash.
fn category<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut id = format!("{}/", env!("CARGO_PKG_NAME"));
    for part in parts {
        id.push_str(part);
        id.push('/');
    }
    id
}

fn run<'a>(
    category: &str,
    share: &Share<'a>,
    report: &Report,
    occasion: &Occasion,
    positions: &mut Positions,
) -> Run<'a> {
    let shown = share.findings.iter().take(RESULTS_OF_A_RUN);
    let mut notifications: Vec<Notification> = share
        .undecided
        .iter()
        .take(NOTIFICATIONS)
        .map(|(rule, text)| Notification {
            level: "warning",
            message: Text::new(text),
            associated_rule: Some(Id { id: rule.code }),
        })
        .collect();
    for (n, of_what, limit) in [
        (share.findings.len(), "findings", RESULTS_OF_A_RUN),
        (share.undecided.len(), "undecided rules", NOTIFICATIONS),
    ] {
        if n > limit {
            notifications.push(Notification {
                level: "warning",
                message: Text::new(&format!("{n} {of_what}; {limit} of them are in this file")),
                associated_rule: None,
            });
        }
    }
    Run {
        tool: Tool {
            driver: Driver {
                name: env!("CARGO_PKG_NAME"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: rules::ALL.iter().map(|rule| descriptor(rule, report)).collect(),
            },
        },
        automation_details: AutomationDetails {
            id: category.to_owned(),
        },
        column_kind: "unicodeCodePoints",
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: notifications,
        }],
        results: shown.map(|all| result(all, occasion, positions)).collect(),
    }
}

fn descriptor(rule: &'static Rule, report: &Report) -> Descriptor {
    let severity = report.severity(rule);
    // GitHub reads the severity of a security rule as a number in a string.
    let (score, problem) = match severity {
        Severity::Error => ("7.5", "error"),
        Severity::Warning => ("5.0", "warning"),
        Severity::Note => ("2.0", "recommendation"),
    };
    let mut summary: String = rule.summary.chars().take(DESCRIPTION - 1).collect();
    if let Some(first) = summary.get(..1) {
        summary.replace_range(..1, &first.to_ascii_uppercase());
    }
    Descriptor {
        id: rule.code,
        name: rule.name,
        short_description: Text::verbatim(&summary),
        full_description: Text::verbatim(&format!("{summary}.")),
        help: Help {
            text: format!("{summary}. `s3log-lint explain {}` says more.", rule.code),
            markdown: rule.document,
        },
        help_uri: rule.aws_page(),
        default_configuration: Configuration {
            level: severity.word(),
        },
        properties: DescriptorProperties {
            tags: ["security", "aws", "s3", "access-logging"],
            precision: "high",
            problem_severity: problem,
            security_severity: score,
        },
    }
}

fn result<'a>(all: &'a Fingerprinted, occasion: &Occasion, positions: &mut Positions) -> SarifResult<'a> {
    let finding = &all.finding;
    let subject = &finding.subject;
    let anchor = occasion.anchor(all, positions);
    let mut related = Vec::new();
    if let Some(target) = &subject.target {
        related.push(RelatedLocation {
            id: related.len() + 1,
            message: Text::new(&format!("the log target `{target}`")),
            physical_location: Physical::new(&target_anchor(all, target, occasion, positions)),
            logical_locations: vec![bucket(target, subject)],
        });
    }
    for label in finding.said.labels.iter().take(RELATED_LOCATIONS) {
        let place = &label.place;
        let text = format!("{} ({} {})", label.text, place.document.title, place.pointer);
        related.push(RelatedLocation {
            id: related.len() + 1,
            message: Text::new(text.trim_end()),
            physical_location: Physical::new(&occasion.of_label(label, positions)),
            logical_locations: Vec::new(),
        });
    }
    SarifResult {
        rule_id: finding.rule.code,
        rule_index: rules::ALL.iter().position(|rule| rule.code == finding.rule.code),
        level: all.severity.word(),
        message: Markdown::new(&finding.said.message),
        locations: [Location {
            physical_location: Physical::new(&anchor),
            logical_locations: vec![bucket(&subject.bucket, subject)],
        }],
        related_locations: related,
        code_flows: flow(all, occasion, positions).into_iter().collect(),
        // GitHub reads this key alone, and merges results of one file with one value.
        partial_fingerprints: BTreeMap::from([(
            "primaryLocationLineHash",
            format!("{}:{}", all.fingerprint, fingerprint_part(&subject.bucket)),
        )]),
        properties: Properties {
            account: subject.account.as_ref().map(|account| account.as_str()),
            region: subject.region.as_ref().map(|region| region.as_str()),
            bucket: &subject.bucket,
            target: subject.target.as_deref(),
            help: finding.said.help.as_deref(),
            fixable: finding.said.fix.is_some(),
        },
    }
}

/// The bucket within a fingerprint: for people, the hash before it says it all.
fn fingerprint_part(bucket: &str) -> String {
    bucket
        .chars()
        .map(
            |c| match c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') {
                true => c,
                false => '_',
            },
        )
        .take(100)
        .collect()
}

/// Where a document about the target stands, if one is labelled.
fn target_anchor(
    all: &Fingerprinted,
    target: &str,
    occasion: &Occasion,
    positions: &mut Positions,
) -> Anchor {
    let labels = &all.finding.said.labels;
    let about = labels.iter().find(|label| {
        let title = &label.place.document.title;
        matches!(title, crate::inventory::Title::Embedded { address, .. } if address.contains(target))
    });
    match about.or(labels.first()) {
        Some(label) => occasion.of_label(label, positions),
        None => occasion.stand_in(),
    }
}

/// A cycle, step by step.
fn flow(all: &Fingerprinted, occasion: &Occasion, positions: &mut Positions) -> Option<CodeFlow> {
    let said = &all.finding.said;
    let subject = &all.finding.subject;
    if said.cycle.is_empty() {
        return None;
    }
    let steps = said.cycle.windows(2).take(STEPS_OF_A_FLOW).enumerate();
    let locations = steps
        .map(|(index, step)| {
            let anchor = match said.labels.get(index) {
                Some(label) => occasion.of_label(label, positions),
                None => occasion.stand_in(),
            };
            let [from, to] = [&step[0], &step[1]];
            ThreadFlowLocation {
                location: RelatedLocation {
                    id: index + 1,
                    message: Text::new(&format!("`{from}` logs to `{to}`")),
                    physical_location: Physical::new(&anchor),
                    logical_locations: vec![bucket(from, subject)],
                },
            }
        })
        .collect();
    Some(CodeFlow {
        message: Text::new(&said.message),
        thread_flows: [ThreadFlow { locations }],
    })
}

fn bucket(name: &str, subject: &Subject) -> LogicalLocation {
    let partition = match &subject.region {
        Some(region) => region.partition(),
        None => Partition::default(),
    };
    let name = visible(name).into_owned();
    let full = match subject.name_known {
        true => Arn::of_bucket(&partition, &name).to_string(),
        false => name.clone(),
    };
    LogicalLocation {
        name,
        fully_qualified_name: full,
        kind: "resource",
    }
}

impl Physical {
    fn new(anchor: &Anchor) -> Self {
        Self {
            artifact_location: ArtifactLocation {
                uri: uri(&anchor.path),
            },
            region: Region {
                start_line: anchor.line,
                start_column: anchor.column,
                end_line: anchor.end_line,
                end_column: anchor.end_column,
            },
        }
    }
}

/// A relative path as a URI.
fn uri(path: &str) -> String {
    use std::fmt::Write;
    let mut uri = String::with_capacity(path.len());
    // What stands before the first colon would be read as a scheme.
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_scheme_and_no_query() {
        assert_eq!(uri("a b/ü:x?#.tf"), "a%20b/%C3%BC%3Ax%3F%23.tf");
    }

    #[test]
    fn a_category_ends_with_a_slash() {
        assert_eq!(
            category(["111122223333", "eu-west-1"]),
            "s3log-lint/111122223333/eu-west-1/"
        );
        assert_eq!(category(None), "s3log-lint/");
    }
}
