//! From findings to the changes that repair them, through the same planner. What has no safe repair is left, and why.

use std::collections::BTreeSet;

use miette::Diagnostic;
use serde_json::{Value, json};

use super::delivery::{Delivery, Question, TargetPolicy};
use super::draft::Draft;
use super::enable::{Enable, Sources, enable, logging_document};
use super::grant::{self, Reach, Wanted};
use super::{Change, Plan, Put, Refusal, Setting, lifecycle, statement};
use crate::finding::Goal;
use crate::graph::LogGraph;
use crate::inventory::{Fact, Inventory, KeyFormat, LifecycleRule};
use crate::name::{AccountId, Region};
use crate::rules;

/// How repairs are to be made.
#[derive(Debug, Clone, Default)]
pub struct Repairs {
    /// What a bucket is given that needs another target. Its sources are put in for each.
    pub setup: Enable,
    /// Loops are switched off instead of led elsewhere.
    pub disable_loops: bool,
}

/// A finding to repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    pub code: &'static str,
    pub goal: Goal,
}

/// A finding that is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    pub code: &'static str,
    pub bucket: String,
    pub why: String,
}

/// The plan that repairs what can be, and what it leaves.
pub fn repair(
    inventory: &Inventory,
    account: &AccountId,
    repairs: &[Repair],
    how: &Repairs,
) -> (Plan, Vec<Left>) {
    let position = inventory
        .accounts
        .iter()
        .position(|other| other.id.known() == Some(account));
    let Some(position) = position else {
        let nothing = Plan {
            account: account.clone(),
            partition: Default::default(),
            changes: Vec::new(),
            remarks: Vec::new(),
        };
        return (nothing, Vec::new());
    };
    let mut draft = Draft::new(inventory, position, account.clone());
    let mut remarks = Vec::new();
    let mut left = Vec::new();
    for Repair { code, goal } in repairs {
        if let Err(why) = one(&mut draft, code, goal, how, &mut remarks) {
            left.push(Left {
                code,
                bucket: goal.bucket().to_owned(),
                why,
            });
        }
    }
    let partition = draft.account().partition.clone();
    let mut changes = draft.changes;
    // Whatever lets logs in comes before what sends them.
    changes.sort_by_key(|change| matches!(change, Change::Put(put) if put.setting == Setting::Logging));
    let plan = Plan {
        account: draft.account,
        partition,
        changes,
        remarks,
    };
    (plan, left)
}

/// A refusal in the words that stand in a list, with what to do about it.
fn told(refusal: Refusal) -> String {
    match refusal.help() {
        Some(help) => format!("{refusal}; {help}"),
        None => refusal.to_string(),
    }
}

fn one(
    draft: &mut Draft,
    code: &str,
    goal: &Goal,
    how: &Repairs,
    remarks: &mut Vec<String>,
) -> Result<(), String> {
    match goal {
        Goal::ProperTarget { bucket } if how.disable_loops && matches!(code, "S3L001" | "S3L002") => {
            draft.put(bucket, Setting::Logging, None).map_err(told)
        }
        Goal::ProperTarget { bucket } => {
            proper_target(draft, bucket, how, remarks).map_err(|why| match code {
                "S3L001" | "S3L002" => format!("{why}; or `--disable-loops` switches its logging off"),
                _ => why,
            })
        }
        Goal::SeparatePrefix { bucket } => separate_prefix(draft, bucket, how),
        Goal::Grant { source, target } => grant_to(draft, target, &[source.as_str()]),
        Goal::PolicyInsteadOfAcl { target } => {
            let sources = sources_of(draft, target);
            let sources: Vec<&str> = sources.iter().map(|edge| edge.source.as_str()).collect();
            grant_to(draft, target, &sources)
        }
        Goal::ExemptFromDeny { target, statement } => {
            exempt_from_denies(draft, target, statement)?;
            // A deny hides that nothing granted either.
            let ungranted: Vec<String> = sources_of(draft, target)
                .iter()
                .filter(|edge| decide(draft, target, edge) == Delivery::NotGranted)
                .map(|edge| edge.source.clone())
                .collect();
            let ungranted: Vec<&str> = ungranted.iter().map(String::as_str).collect();
            grant_to(draft, target, &ungranted)
        }
        Goal::ScopeGrant { target, statement } => {
            let sources = sources_of(draft, target);
            let partition = draft.account().partition.clone();
            let arns: Vec<String> = sources
                .iter()
                .map(|edge| format!("arn:{partition}:s3:::{}", edge.source))
                .collect();
            if arns.is_empty() {
                return Err(
                    "no bucket logs to it: which source the grant is for, a person must say".to_owned(),
                );
            }
            let account = draft.account.clone();
            edit_policy(draft, target, |text| {
                statement::scope(text, statement, account.as_str(), &arns)
                    .ok_or("the statement grants more than log delivery: how far, a person must say")
            })
        }
        Goal::DropTargetGrants { bucket } => {
            let mut document = draft
                .current(bucket, Setting::Logging)
                .map_err(told)?
                .unwrap_or_else(|| json!({}));
            if let Some(Value::Object(enabled)) = document.get_mut("LoggingEnabled") {
                enabled.remove("TargetGrants");
            }
            draft.put(bucket, Setting::Logging, Some(document)).map_err(told)
        }
        Goal::SseS3 { target } => sse_s3(draft, target),
        Goal::OwnerPays { target } => draft
            .put(
                target,
                Setting::RequestPayment,
                Some(json!({ "Payer": "BucketOwner" })),
            )
            .map_err(told),
        Goal::ExpireLogs { target } => expire(draft, target, how, remarks),
        Goal::ExpireNoncurrentLogs { target } => expire_noncurrent(draft, target),
    }
}

/// Takes the log service out of a deny, and out of those that it hid from the same sources.
fn exempt_from_denies(draft: &mut Draft, target: &str, statement: &str) -> Result<(), String> {
    let denied: BTreeSet<String> = denials(draft, target)
        .into_iter()
        .filter(|(_, by)| by.as_deref() == Some(statement))
        .map(|(source, _)| source)
        .collect();
    let mut statement = statement.to_owned();
    let mut exempted = BTreeSet::new();
    // Each statement is exempted once, and a policy holds no more of them than bytes.
    while exempted.insert(statement.clone()) {
        edit_policy(draft, target, |text| {
            statement::exempt_log_service(text, &statement).ok_or(
                "the deny has no condition to add an exemption to: whom it is to hit, a person must say",
            )
        })?;
        let next = denials(draft, target)
            .into_iter()
            .find(|(source, _)| denied.contains(source));
        match next {
            None => return Ok(()),
            Some((_, Some(next))) => statement = next,
            Some((_, None)) => break,
        }
    }
    Err(format!("another statement denies it too; {}", why_not("S3L102")))
}

/// Whose logs the policy denies, and the statement that an exemption would mend.
fn denials(draft: &Draft, target: &str) -> Vec<(String, Option<String>)> {
    let rule = rules::find("S3L102").into_iter().collect::<Vec<_>>();
    rules::run(&LogGraph::new(&draft.inventory), &rule)
        .findings
        .into_iter()
        .filter(|finding| finding.subject.target.as_deref() == Some(target))
        .map(|finding| {
            let statement = match finding.said.fix {
                Some(Goal::ExemptFromDeny { statement, .. }) => Some(statement),
                _ => None,
            };
            (finding.subject.bucket, statement)
        })
        .collect()
}

/// What `enable` would do for it.
fn proper_target(
    draft: &mut Draft,
    bucket: &str,
    how: &Repairs,
    remarks: &mut Vec<String>,
) -> Result<(), String> {
    let setup = Enable {
        sources: Sources::Named(vec![bucket.to_owned()]),
        replace: true,
        ..how.setup.clone()
    };
    let plan = enable(&draft.inventory, &setup).map_err(|refusals| {
        let texts: Vec<String> = refusals.into_iter().map(told).collect();
        texts.join("; ")
    })?;
    take_over(draft, plan, remarks)
}

/// Puts another plan's changes behind these; what both put is put once.
fn take_over(draft: &mut Draft, plan: Plan, remarks: &mut Vec<String>) -> Result<(), String> {
    for change in plan.changes {
        match change {
            Change::CreateBucket(new) => draft.create(new),
            Change::DeleteBucket(_) => {}
            Change::Put(Put {
                bucket,
                setting,
                after,
                ..
            }) => draft.put(bucket.as_str(), setting, after).map_err(told)?,
        }
    }
    remarks.extend(plan.remarks);
    Ok(())
}

/// An edge that ends in a bucket.
struct Incoming {
    source: String,
    region: Option<Region>,
    prefix: String,
    key_format: KeyFormat,
}

impl Incoming {
    fn key_start(&self, account: &AccountId) -> String {
        match (&self.region, self.key_format.is_partitioned()) {
            (Some(region), true) => format!("{}{account}/{region}/{}/", self.prefix, self.source),
            _ => self.prefix.clone(),
        }
    }
}

fn sources_of(draft: &Draft, target: &str) -> Vec<Incoming> {
    let graph = LogGraph::new(&draft.inventory);
    let edges = graph.edges();
    edges
        .filter(|(_, edge)| {
            edge.account.id.known() == Some(&draft.account)
                && edge
                    .target_bucket()
                    .is_some_and(|bucket| bucket.label.as_ref() == target)
        })
        .map(|(_, edge)| Incoming {
            source: edge.source.label.to_string(),
            region: edge.source.region.known().cloned(),
            prefix: edge.logging.prefix.known().cloned().unwrap_or_default(),
            key_format: edge
                .logging
                .key_format
                .known()
                .copied()
                .unwrap_or(KeyFormat::Simple),
        })
        .collect()
}

/// Lets these sources' logs in by the policy.
fn grant_to(draft: &mut Draft, target: &str, sources: &[&str]) -> Result<(), String> {
    let edges = sources_of(draft, target);
    let edges: Vec<&Incoming> = edges
        .iter()
        .filter(|edge| sources.contains(&edge.source.as_str()))
        .collect();
    let before = match draft.current(target, Setting::Policy).map_err(told)? {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let missing: Vec<(&str, &str)> = edges
        .iter()
        .filter(|edge| decide(draft, target, edge) != Delivery::Allowed)
        .map(|edge| (edge.source.as_str(), edge.prefix.as_str()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let merged = grant::merge(
        before.as_deref(),
        &Wanted {
            partition: &draft.account().partition.clone(),
            account: &draft.account.clone(),
            target,
            sources: missing,
            reach: &Reach::Sources,
            only_tls: false,
        },
    )
    .map_err(told)?;
    // A malformed policy is not written to, and neither is one that would deny all the same.
    for edge in &edges {
        match decide(draft, target, edge) {
            Delivery::Malformed { reason } => {
                return Err(format!(
                    "its policy is malformed ({reason}): a person must mend it first"
                ));
            }
            Delivery::Allowed
            | Delivery::NotGranted
            | Delivery::Denied { .. }
            | Delivery::Uncertain { .. } => {}
        }
    }
    draft
        .put(target, Setting::Policy, Some(Value::String(merged.text)))
        .map_err(told)
}

fn decide(draft: &Draft, target: &str, edge: &Incoming) -> Delivery {
    let Some(region) = &edge.region else {
        return Delivery::NotGranted;
    };
    TargetPolicy::of(draft.account(), target).decide(&Question {
        source: &edge.source,
        region,
        prefix: &edge.prefix,
        key_format: edge.key_format,
    })
}

fn edit_policy(
    draft: &mut Draft,
    target: &str,
    edit: impl FnOnce(&str) -> Result<String, &'static str>,
) -> Result<(), String> {
    let policy = draft.current(target, Setting::Policy).map_err(told)?;
    let Some(Value::String(text)) = policy else {
        return Err("it has no policy".to_owned());
    };
    let edited = edit(&text)?;
    if edited.len() > crate::policy::MOST_BYTES {
        return Err(format!(
            "the policy would hold {} bytes, more than S3 allows",
            edited.len()
        ));
    }
    draft
        .put(target, Setting::Policy, Some(Value::String(edited)))
        .map_err(told)
}

/// A slash where one is missing; the source's name where another source writes the same keys.
fn separate_prefix(draft: &mut Draft, bucket: &str, how: &Repairs) -> Result<(), String> {
    let Some(Fact::Known(logging)) = draft.bucket(bucket).map(|bucket| &bucket.logging) else {
        return Err("its logging is not known".to_owned());
    };
    let (Some(target), Some(prefix), Some(key_format)) = (
        logging.target.known().map(|target| target.text().to_owned()),
        logging.prefix.known().cloned(),
        logging.key_format.known().copied(),
    ) else {
        return Err("its logging is not known".to_owned());
    };
    let separate = match prefix.is_empty() || prefix.ends_with('/') {
        true => format!("{prefix}{bucket}/"),
        false => format!("{prefix}/"),
    };
    let mut document = logging_document(&target, &separate, key_format);
    // Everything else about it stays.
    if let Ok(Some(before)) = draft.current(bucket, Setting::Logging)
        && let Some(grants) = before.pointer("/LoggingEnabled/TargetGrants")
    {
        document["LoggingEnabled"]["TargetGrants"] = grants.clone();
    }
    let of_bucket = |draft: &Draft| {
        sources_of(draft, &target)
            .into_iter()
            .find(|edge| edge.source == bucket)
    };
    let edge = of_bucket(draft);
    let was_allowed = edge
        .as_ref()
        .is_some_and(|edge| decide(draft, &target, edge) == Delivery::Allowed);
    let is_expired = |draft: &Draft, edge: &Incoming| {
        lifecycle::expires(&lifecycle_of(draft, &target), &edge.key_start(&draft.account))
    };
    let was_expired = edge.as_ref().is_some_and(|edge| is_expired(draft, edge));
    draft
        .put(bucket, Setting::Logging, Some(document))
        .map_err(told)?;
    if was_allowed {
        // Under the new prefix, too.
        grant_to(draft, &target, &[bucket])?;
    }
    if let (Some(edge), Some(days)) = (of_bucket(draft), how.setup.expire_after)
        && was_expired
        && !is_expired(draft, &edge)
    {
        expire_keys(draft, &target, &[edge.key_start(&draft.account)], days)?;
    }
    Ok(())
}

fn lifecycle_of(draft: &Draft, target: &str) -> Vec<LifecycleRule> {
    draft
        .bucket(target)
        .and_then(|bucket| bucket.settings().lifecycle.known().cloned())
        .unwrap_or_default()
}

fn sse_s3(draft: &mut Draft, target: &str) -> Result<(), String> {
    let is_source = draft
        .bucket(target)
        .is_some_and(|bucket| !matches!(bucket.logging, Fact::Absent));
    if is_source {
        return Err(
            "it may hold more than logs, since it is logged itself: whether its data may do without KMS, a person must say"
                .to_owned(),
        );
    }
    let mut document = draft
        .current(target, Setting::Encryption)
        .map_err(told)?
        .unwrap_or_else(|| json!({}));
    let by_default = json!({ "SSEAlgorithm": "AES256" });
    match document.pointer_mut("/ServerSideEncryptionConfiguration/Rules/0") {
        Some(rule) => {
            rule["ApplyServerSideEncryptionByDefault"] = by_default;
            rule["BucketKeyEnabled"] = json!(false);
        }
        None => {
            document = json!({ "ServerSideEncryptionConfiguration": { "Rules": [
                { "ApplyServerSideEncryptionByDefault": by_default },
            ] } });
        }
    }
    draft
        .put(target, Setting::Encryption, Some(document))
        .map_err(told)
}

fn expire(draft: &mut Draft, target: &str, how: &Repairs, remarks: &mut Vec<String>) -> Result<(), String> {
    let Some(days) = how.setup.expire_after else {
        return Err("`--expire-after never` keeps them".to_owned());
    };
    let rules = lifecycle_of(draft, target);
    let starts: BTreeSet<String> = sources_of(draft, target)
        .iter()
        .map(|edge| edge.key_start(&draft.account))
        .filter(|start| !lifecycle::expires(&rules, start))
        .collect();
    if starts.contains("") {
        return Err(
            "logs come without a prefix: a rule that expires them would expire everything else in the bucket too, so a person must say"
                .to_owned(),
        );
    }
    let starts: Vec<String> = starts.into_iter().collect();
    expire_keys(draft, target, &starts, days)?;
    if !starts.is_empty() {
        remarks.push(format!(
            "the new lifecycle rules of `{target}` also expire what is there already under the same keys"
        ));
    }
    Ok(())
}

/// A rule for each of these beginnings of keys.
fn expire_keys(draft: &mut Draft, target: &str, starts: &[String], days: u32) -> Result<(), String> {
    let is_versioned = match draft.bucket(target).map(|bucket| &bucket.settings().versioning) {
        Some(Fact::Absent) => false,
        Some(Fact::Known(_)) => true,
        Some(Fact::Unknown(_)) | None => return Err("whether it is versioned is not known".to_owned()),
    };
    let mut document = draft.current(target, Setting::Lifecycle).map_err(told)?;
    if lifecycle::rule_count(document.as_ref()) + starts.len() > lifecycle::MOST_RULES {
        return Err("it can't hold that many more lifecycle rules".to_owned());
    }
    for start in starts {
        let rule = lifecycle::rule(document.as_ref(), start, days, is_versioned);
        document = Some(lifecycle::with_rule(document.as_ref(), rule));
    }
    draft.put(target, Setting::Lifecycle, document).map_err(told)
}

fn expire_noncurrent(draft: &mut Draft, target: &str) -> Result<(), String> {
    let mut document = draft.current(target, Setting::Lifecycle).map_err(told)?;
    let starts: BTreeSet<String> = sources_of(draft, target)
        .iter()
        .map(|edge| edge.key_start(&draft.account))
        .collect();
    if starts.contains("") {
        return Err(
            "logs come without a prefix: a rule for their old versions would be one for everything in the bucket, so a person must say"
                .to_owned(),
        );
    }
    let rules = draft
        .bucket(target)
        .and_then(|bucket| bucket.settings().lifecycle.known().cloned())
        .unwrap_or_default();
    for start in &starts {
        let covered = rules
            .iter()
            .any(|rule| rule.enabled && rule.expires_noncurrent && start.starts_with(&rule.prefix));
        if !covered {
            let rule = lifecycle::noncurrent_rule(document.as_ref(), start);
            document = Some(lifecycle::with_rule(document.as_ref(), rule));
        }
    }
    draft.put(target, Setting::Lifecycle, document).map_err(told)
}

/// What a person must decide, where a rule has no repair.
pub fn why_not(code: &str) -> &'static str {
    match code {
        "S3L003" => {
            "whether the log bucket's own logging is wanted, a person must say; to switch it off loses a trail"
        }
        "S3L010" => "whether the grant is still needed, only its owner knows: a source may be in the making",
        "S3L012" => "a shorter prefix moves the logs: choose one, and run `s3log-lint enable --prefix`",
        "S3L102" => "the deny hits delivery on purpose or by accident: a person must say which",
        "S3L103" => {
            "the outcome hangs on what can't be known from outside; take that condition out, or exempt the log service"
        }
        "S3L104" => "which sources the grant is for, a person must say",
        "S3L106" => "what the policy was meant to say, only its author knows",
        "S3L109" => "who may read the logs, a person must say; public access is never taken away unasked",
        "S3L110" => "what the condition was meant to do, only its author knows",
        "S3L203" | "S3L204" => {
            "Object Lock can't be taken from a bucket: the logs need another target, `s3log-lint enable --target`"
        }
        "S3L901" | "S3L902" | "S3L903" => "it stands in the settings file or in a tag: correct it there",
        _ => "no repair of it is safe without a person's decision",
    }
}
