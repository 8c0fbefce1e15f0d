//! What kind of file a text is, told by what stands at its top.

use miette::Diagnostic;
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Answers of AWS, recorded.
    Snapshot,
    /// `terraform show -json PLAN`.
    TerraformPlan,
    /// `terraform show -json`, of a state.
    TerraformState,
    /// `terraform.tfstate`, version 4.
    TerraformStateFile,
    /// A template of CloudFormation, in JSON.
    CloudFormationTemplate,
    /// The answer of `aws cloudformation describe-change-set`.
    CloudFormationChangeSet,
    /// The `manifest.json` of a cloud assembly (`cdk.out`).
    CloudAssembly,
    /// Text that isn't JSON: a template in YAML, or nothing that is known.
    NotJson,
}

/// The JSON document in a text, with its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    pub kind: Kind,
    /// The bytes of the document; a wrapper may have printed lines around it.
    pub start: usize,
    pub end: usize,
}

/// Why a text is nothing that can be read.
#[derive(Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum KindError {
    #[error("it is empty")]
    #[diagnostic(
        code(input::empty),
        help("give a snapshot, a Terraform plan in JSON, a CloudFormation template or a change set")
    )]
    Empty,
    #[error("it is the stream of events that `terraform plan -json` prints, not the plan")]
    #[diagnostic(
        code(input::event_stream),
        help(
            "write the plan to a file and give its JSON: `terraform plan -out=tfplan && terraform show -json tfplan > plan.json`"
        )
    )]
    EventStream,
    #[error("it is what `terraform plan` prints for people, not the plan")]
    #[diagnostic(
        code(input::plan_for_people),
        help(
            "write the plan to a file and give its JSON: `terraform plan -out=tfplan && terraform show -json tfplan > plan.json`"
        )
    )]
    PlanForPeople,
    #[error("it is a configuration of Terraform, and what it comes to, only the plan tells")]
    #[diagnostic(
        code(input::configuration),
        help(
            "plan it and give the plan's JSON: `terraform plan -out=tfplan && terraform show -json tfplan > plan.json`; \
             `--source DIR` then points findings into the configuration"
        )
    )]
    Configuration,
    #[error("several JSON documents stand in it one after another; the second starts in line {line}")]
    #[diagnostic(
        code(input::concatenated),
        help(
            "write one file per module and give them all, with Terragrunt: \
             `terragrunt run --all --json-out-dir plans -- plan`, then `s3log-lint check $(find plans -name '*.json')`"
        )
    )]
    Concatenated { line: usize },
    #[error("it is an encrypted state of OpenTofu")]
    #[diagnostic(
        code(input::encrypted_state),
        help("give its JSON: `tofu show -json > state.json`")
    )]
    EncryptedState,
    #[error("it is a report of this program, not something to check")]
    #[diagnostic(code(input::report), help("give what the report was made of"))]
    Report,
    #[error("line {line}, column {column}: {reason}")]
    #[diagnostic(
        code(input::malformed),
        help("it starts like JSON; write the file again, or mend it at this place")
    )]
    Malformed {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("it is JSON of no kind that is known")]
    #[diagnostic(
        code(input::unrecognised),
        help(
            "give a snapshot (`s3log-lint snapshot`), a Terraform plan or state (`terraform show -json`), \
             a CloudFormation template, or a change set (`aws cloudformation describe-change-set`)"
        )
    )]
    Unrecognised,
}

/// The keys that tell the kinds apart. Their values are read by whoever reads that kind.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Top {
    version: Option<serde_json::Value>,
    accounts: Option<IgnoredAny>,
    format_version: Option<IgnoredAny>,
    terraform_version: Option<IgnoredAny>,
    lineage: Option<IgnoredAny>,
    serial: Option<IgnoredAny>,
    planned_values: Option<IgnoredAny>,
    resource_changes: Option<IgnoredAny>,
    configuration: Option<IgnoredAny>,
    prior_state: Option<IgnoredAny>,
    encrypted_data: Option<IgnoredAny>,
    findings: Option<IgnoredAny>,
    artifacts: Option<IgnoredAny>,
    #[serde(rename = "@level")]
    level: Option<IgnoredAny>,
    #[serde(rename = "Resources")]
    resources: Option<IgnoredAny>,
    #[serde(rename = "AWSTemplateFormatVersion")]
    template_version: Option<IgnoredAny>,
    #[serde(rename = "Changes")]
    changes: Option<IgnoredAny>,
    #[serde(rename = "ChangeSetName")]
    change_set: Option<IgnoredAny>,
}

/// Tells what a text is, and where its document stands.
pub fn recognise(text: &str) -> Result<Recognised, KindError> {
    let Some(start) = start_of_json(text) else {
        return match text.trim().is_empty() {
            true => Err(KindError::Empty),
            false if is_plan_for_people(text) => Err(KindError::PlanForPeople),
            false => Ok(Recognised {
                kind: Kind::NotJson,
                start: 0,
                end: text.len(),
            }),
        };
    };
    let document = &text[start..];
    if document.starts_with('[') {
        return Err(KindError::Unrecognised);
    }
    let mut stream = serde_json::Deserializer::from_str(document).into_iter::<Top>();
    let top = match stream.next() {
        Some(Ok(top)) => top,
        Some(Err(error)) => return Err(malformed(text, start, &error)),
        None => return Err(KindError::Empty),
    };
    let end = start + stream.byte_offset();
    if top.level.is_some() {
        return Err(KindError::EventStream);
    }
    check_rest(text, start, end)?;
    let kind = kind(&top)?;
    Ok(Recognised { kind, start, end })
}

fn kind(top: &Top) -> Result<Kind, KindError> {
    if top.encrypted_data.is_some() {
        return Err(KindError::EncryptedState);
    }
    if top.format_version.is_some() {
        let of_plan = [
            &top.planned_values,
            &top.resource_changes,
            &top.configuration,
            &top.prior_state,
        ];
        return Ok(match of_plan.iter().any(|key| key.is_some()) {
            true => Kind::TerraformPlan,
            false => Kind::TerraformState,
        });
    }
    if top.accounts.is_some() {
        return Ok(Kind::Snapshot);
    }
    if top.version.is_some()
        && (top.lineage.is_some() || top.serial.is_some() || top.terraform_version.is_some())
    {
        return Ok(Kind::TerraformStateFile);
    }
    if top.resources.is_some() || top.template_version.is_some() {
        return Ok(Kind::CloudFormationTemplate);
    }
    if top.changes.is_some() && top.change_set.is_some() {
        return Ok(Kind::CloudFormationChangeSet);
    }
    if top.version.is_some() && top.artifacts.is_some() {
        return Ok(Kind::CloudAssembly);
    }
    if top.findings.is_some() {
        return Err(KindError::Report);
    }
    // A snapshot that lacks its accounts is told better by who reads snapshots.
    match top.version {
        Some(serde_json::Value::Number(_)) => Ok(Kind::Snapshot),
        Some(_) | None => Err(KindError::Unrecognised),
    }
}

/// Where the document starts: at once, or at the first line that starts with a brace after what a wrapper printed
/// (`[command]/…/terraform-bin show -json tfplan`).
fn start_of_json(text: &str) -> Option<usize> {
    let first = text.len() - text.trim_start().len();
    match text.as_bytes().get(first) {
        Some(b'{') => return Some(first),
        // A list is JSON too, of no kind that is known; but a wrapper's line starts with a bracket as well.
        Some(b'[') if !text[first..].starts_with("[command]") => return Some(first),
        _ => {}
    }
    let start = text.find("\n{")? + 1;
    is_wrapper(&text[..start]).then_some(start)
}

fn is_wrapper(before: &str) -> bool {
    before
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .all(|line| line.starts_with("[command]") || line.starts_with("::") || line.contains("show -json"))
}

/// After the document, a wrapper may speak; another document may not follow.
fn check_rest(text: &str, start: usize, end: usize) -> Result<(), KindError> {
    let rest = &text[end..];
    let Some(first) = rest.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return Ok(());
    };
    let at = end + (rest.len() - rest.trim_start().len());
    if first.starts_with('{') || first.starts_with('[') && !first.starts_with("[command]") {
        return Err(KindError::Concatenated {
            line: position(text, at).0,
        });
    }
    if start > 0 || first.starts_with("::") || first.starts_with("[command]") {
        return Ok(());
    }
    let (line, column) = position(text, at);
    Err(KindError::Malformed {
        line,
        column,
        reason: "something follows the document".to_owned(),
    })
}

fn is_plan_for_people(text: &str) -> bool {
    text.contains("Terraform will perform the following actions")
        || text.contains("OpenTofu will perform the following actions")
        || text.contains("Terraform used the selected providers")
        || text.contains("OpenTofu used the selected providers")
}

/// What `serde_json` says, with the place in the whole text, said once.
pub(super) fn malformed(text: &str, start: usize, error: &serde_json::Error) -> KindError {
    let told = error.to_string();
    let reason = told
        .rsplit_once(" at line ")
        .map_or(told.as_str(), |(reason, _)| reason);
    let (start_line, start_column) = position(text, start);
    KindError::Malformed {
        line: start_line + error.line().saturating_sub(1),
        column: match error.line() {
            0 | 1 => start_column + error.column().saturating_sub(1),
            _ => error.column(),
        },
        reason: reason.to_owned(),
    }
}

/// Line and column of a byte, counted from 1.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> Result<Kind, KindError> {
        recognise(text).map(|recognised| recognised.kind)
    }

    #[test]
    fn each_kind_is_told_by_its_top() {
        for (text, kind) in [
            (r#"{"version": 1, "accounts": []}"#, Kind::Snapshot),
            (r#"{"version": 1}"#, Kind::Snapshot),
            (
                r#"{"format_version": "1.2", "planned_values": {}}"#,
                Kind::TerraformPlan,
            ),
            (r#"{"format_version": "1.2", "values": {}}"#, Kind::TerraformState),
            (r#"{"format_version": "1.0"}"#, Kind::TerraformState),
            (
                r#"{"version": 4, "serial": 1, "lineage": ""}"#,
                Kind::TerraformStateFile,
            ),
            (r#"{"Resources": {}}"#, Kind::CloudFormationTemplate),
            (
                r#"{"ChangeSetName": "c", "Changes": []}"#,
                Kind::CloudFormationChangeSet,
            ),
            (r#"{"version": "55.0.0", "artifacts": {}}"#, Kind::CloudAssembly),
            ("Resources:\n  A: {}\n", Kind::NotJson),
        ] {
            assert_eq!(kind_of(text), Ok(kind), "{text}");
        }
    }

    #[test]
    fn what_is_the_wrong_file_is_told_by_its_name() {
        let stream = "{\"@level\":\"info\",\"type\":\"version\"}\n{\"@level\":\"info\"}\n";
        assert_eq!(kind_of(stream), Err(KindError::EventStream));
        let two = "{\"format_version\":\"1.2\"}\n{\"format_version\":\"1.2\"}";
        assert_eq!(kind_of(two), Err(KindError::Concatenated { line: 2 }));
        let people = "\nTerraform used the selected providers to generate the following plan.\n";
        assert_eq!(kind_of(people), Err(KindError::PlanForPeople));
        assert_eq!(kind_of(" \n"), Err(KindError::Empty));
        assert_eq!(kind_of("{}"), Err(KindError::Unrecognised));
        assert_eq!(
            kind_of(r#"{"version": "tree-0.1"}"#),
            Err(KindError::Unrecognised)
        );
        assert_eq!(kind_of("[1, 2]"), Err(KindError::Unrecognised));
        assert_eq!(
            kind_of(r#"{"meta":{},"encrypted_data":"x","encryption_version":"v0"}"#),
            Err(KindError::EncryptedState)
        );
    }

    #[test]
    fn what_a_wrapper_prints_around_the_document_is_left_out() {
        let text = "[command]/opt/terraform-bin show -json tfplan\n{\"format_version\":\"1.2\",\"planned_values\":{}}\n::debug::exit 0\n";
        let recognised = recognise(text).expect("a plan");
        assert_eq!(recognised.kind, Kind::TerraformPlan);
        assert!(text[recognised.start..recognised.end].starts_with("{\"format"));
        assert!(text[recognised.start..recognised.end].ends_with("}}"));
    }

    #[test]
    fn a_fault_is_told_with_its_place_in_the_whole_file() {
        let told = kind_of("[command]terraform show -json\n{\"a\": }");
        assert_eq!(
            told,
            Err(KindError::Malformed {
                line: 2,
                column: 7,
                reason: "expected value".to_owned()
            })
        );
        assert!(matches!(
            kind_of("{} x"),
            Err(KindError::Malformed { column: 4, .. })
        ));
    }

    #[test]
    fn depth_costs_no_stack() {
        for opening in ["[", "{\"a\":"] {
            assert!(kind_of(&opening.repeat(300_000)).is_err());
        }
    }
}
