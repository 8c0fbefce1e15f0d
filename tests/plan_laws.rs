//! The laws of plans, over generated accounts: what a plan promises, it keeps, wherever it is interrupted.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use s3log_lint::apply::{Applied, Cloud, CloudError, Event, Observer, Pace, Presence, Stop, apply};
use s3log_lint::collect::snapshot;
use s3log_lint::finding::{Severity, Subject};
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::{Inventory, KeyFormat};
use s3log_lint::name::{AccountId, BucketName, Region};
use s3log_lint::plan::{
    self, Change, Consequences, Enable, Left, Plan, Put, Refusal, Repair, Repairs, Setting, Sources,
    TargetChoice, current, project_into,
};
use s3log_lint::rules;

const ACCOUNT: &str = "111122223333";
const NAMES: [&str; 5] = ["app-data", "web-assets", "old-logs", "logs", "audit"];

// --- generated accounts ---

fn region() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("eu-west-1"), 1 => Just("us-east-1")]
}

fn logging() -> impl Strategy<Value = Value> {
    let target = prop_oneof![proptest::sample::select(NAMES.to_vec()), Just("gone")];
    let format = prop_oneof![
        Just(Value::Null),
        Just(json!({ "PartitionedPrefix": { "PartitionDateSource": "EventTime" } })),
        Just(json!({ "PartitionedPrefix": { "PartitionDateSource": "DeliveryTime" } })),
    ];
    let grants = prop_oneof![
        Just(Value::Null),
        Just(
            json!([{ "Grantee": { "Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery" }, "Permission": "READ" }])
        ),
    ];
    prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({ "error": { "code": "AccessDenied", "status": 403 } })),
        4 => (target, "[a-z]{0,3}/?", format, grants).prop_map(|(target, prefix, format, grants)| {
            let mut enabled = json!({ "TargetBucket": target, "TargetPrefix": prefix });
            if !format.is_null() {
                enabled["TargetObjectKeyFormat"] = format;
            }
            if !grants.is_null() {
                enabled["TargetGrants"] = grants;
            }
            json!({ "LoggingEnabled": enabled })
        }),
    ]
}

/// Statements that people have in policies, each as it is written.
fn statement(bucket: &'static str) -> impl Strategy<Value = String> {
    let arn = format!("arn:aws:s3:::{bucket}");
    proptest::sample::select(vec![
        format!(
            r#"{{"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["{arn}","{arn}/*"],"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}"#
        ),
        format!(
            r#"{{ "Effect": "Allow", "Principal": {{ "AWS": "arn:aws:iam::111122223333:root" }}, "Action": [ "s3:GetObject" ], "Resource": "{arn}/*" }}"#
        ),
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"logging.s3.amazonaws.com"}},"Action":"s3:PutObject","Resource":"{arn}/*","Condition":{{"StringEquals":{{"aws:SourceAccount":"111122223333"}},"ArnLike":{{"aws:SourceArn":"arn:aws:s3:::audit"}}}}}}"#
        ),
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":["logging.s3.amazonaws.com"]}},"Action":["s3:PutObject"],"Resource":["{arn}/*"],"Condition":{{"StringEquals":{{"aws:SourceAccount":["111122223333"]}},"ArnLike":{{"aws:SourceArn":["arn:aws:s3:::app-data","arn:aws:s3:::x"]}}}}}}"#
        ),
        format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"logging.s3.amazonaws.com"}},"Action":"s3:PutObject","Resource":"{arn}/*","Condition":{{"StringEquals":{{"aws:SourceAccount":"111122223333"}}}}}}"#
        ),
        format!(
            r#"{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"{arn}/*","Condition":{{"StringNotEquals":{{"aws:SourceVpce":"vpce-1"}}}}}}"#
        ),
        format!(r#"{{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"{arn}/*"}}"#),
    ])
}

fn policy(bucket: &'static str) -> impl Strategy<Value = Value> {
    let written = |statements: Vec<String>, style: u8| {
        let list = match style {
            0 => format!("[{}]", statements.join(",")),
            1 => format!("[\n    {}\n  ]", statements.join(",\n    ")),
            _ => statements[0].clone(),
        };
        let text = match style {
            1 => format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": {list}\n}}"),
            _ => format!(r#"{{"Version":"2012-10-17","Statement":{list}}}"#),
        };
        json!({ "Policy": text })
    };
    prop_oneof![
        2 => Just(json!({ "error": { "code": "NoSuchBucketPolicy", "status": 404 } })),
        5 => (proptest::collection::vec(statement(bucket), 1..4), 0u8..3).prop_map(move |(all, style)| written(all, style)),
        1 => Just(json!({ "Policy": "{\"Statement\": [" })),
        1 => Just(json!({ "error": { "code": "AccessDenied", "status": 403 } })),
    ]
}

fn bucket(name: &'static str) -> impl Strategy<Value = (String, Value)> {
    let encryption = prop_oneof![
        5 => Just(json!({ "ServerSideEncryptionConfiguration": { "Rules": [
            { "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" }, "BucketKeyEnabled": false }] } })),
        1 => Just(json!({ "ServerSideEncryptionConfiguration": { "Rules": [
            { "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" } }] } })),
    ];
    let lifecycle = prop_oneof![
        Just(json!({ "error": { "code": "NoSuchLifecycleConfiguration", "status": 404 } })),
        Just(
            json!({ "Rules": [{ "ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": { "Days": 30 } }] })
        ),
        Just(
            json!({ "Rules": [{ "ID": "tmp", "Status": "Enabled", "Filter": { "Prefix": "tmp/" }, "Expiration": { "Days": 1 } }] })
        ),
    ];
    let lock = prop_oneof![
        9 => Just(json!({ "error": { "code": "ObjectLockConfigurationNotFoundError", "status": 404 } })),
        1 => Just(json!({ "ObjectLockConfiguration": { "ObjectLockEnabled": "Enabled" } })),
    ];
    let ownership = prop_oneof![
        4 => Just(json!({ "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] } })),
        1 => Just(json!({ "OwnershipControls": { "Rules": [{ "ObjectOwnership": "ObjectWriter" }] } })),
        1 => Just(json!({ "error": { "code": "OwnershipControlsNotFoundError", "status": 404 } })),
    ];
    let payer = prop_oneof![9 => Just("BucketOwner"), 1 => Just("Requester")];
    let versioning = prop_oneof![Just(json!({})), Just(json!({ "Status": "Enabled" }))];
    (
        region(),
        logging(),
        policy(name),
        encryption,
        lifecycle,
        lock,
        ownership,
        payer,
        versioning,
    )
        .prop_map(
            move |(region, logging, policy, encryption, lifecycle, lock, ownership, payer, versioning)| {
                let answers = json!({
                    "region": region,
                    "logging": logging,
                    "policy": policy,
                    "acl": { "Owner": { "ID": "owner" }, "Grants": [] },
                    "encryption": encryption,
                    "lifecycle": lifecycle,
                    "object_lock": lock,
                    "ownership_controls": ownership,
                    "request_payment": { "Payer": payer },
                    "versioning": versioning,
                    "public_access_block": { "PublicAccessBlockConfiguration": { "BlockPublicAcls": true } },
                });
                (name.to_owned(), answers)
            },
        )
}

fn account() -> impl Strategy<Value = Inventory> {
    let buckets = NAMES.map(|name| proptest::option::weighted(0.85, bucket(name)).boxed());
    let [a, b, c, d, e] = buckets;
    (a, b, c, d, e).prop_map(|(a, b, c, d, e)| {
        let buckets: serde_json::Map<String, Value> = [a, b, c, d, e].into_iter().flatten().collect();
        // A target that the account lacks is asked for, as a run does.
        let elsewhere: serde_json::Map<String, Value> = NAMES
            .into_iter()
            .chain(["gone"])
            .filter(|name| !buckets.contains_key(*name))
            .map(|name| {
                (
                    name.to_owned(),
                    json!({ "head": { "error": { "code": "404", "status": 404 } } }),
                )
            })
            .collect();
        let text = json!({ "version": 1, "accounts": [{
            "id": ACCOUNT, "buckets": buckets, "elsewhere": elsewhere,
        }] });
        snapshot::read(&text.to_string()).expect("a generated account is a snapshot")
    })
}

fn goal() -> impl Strategy<Value = Enable> {
    let sources = prop_oneof![
        2 => proptest::sample::subsequence(vec!["app-data", "web-assets", "audit"], 1..=3)
            .prop_map(|names| Sources::Named(names.into_iter().map(str::to_owned).collect())),
        1 => Just(Sources::AllUnlogged),
    ];
    let target = prop_oneof![
        3 => Just(TargetChoice::Named("logs".to_owned())),
        1 => Just(TargetChoice::Named("new-logs".to_owned())),
        2 => Just(TargetChoice::Default),
    ];
    let format = proptest::option::of(prop_oneof![
        Just(KeyFormat::Simple),
        Just(KeyFormat::PartitionedByDeliveryTime)
    ]);
    let prefix = proptest::option::of(Just("logs/{source}/".to_owned()));
    (
        sources,
        target,
        format,
        prefix,
        proptest::option::weighted(0.8, Just(365)),
        proptest::bool::weighted(0.7),
        any::<bool>(),
    )
        .prop_map(
            |(sources, target, key_format, prefix, expire_after, replace, empty)| Enable {
                sources,
                target,
                create: true,
                key_format,
                prefix,
                expire_after,
                replace,
                empty: match empty {
                    true => BTreeSet::from(["logs".to_owned()]),
                    false => BTreeSet::new(),
                },
                ..Enable::default()
            },
        )
}

/// An account and a goal that can be reached in it.
fn planned() -> impl Strategy<Value = (Inventory, Enable, Plan)> {
    (account(), goal()).prop_filter_map("refused", |(inventory, mut goal)| {
        // What doesn't exist yet is empty once it is made.
        let targets = plan::targets(&inventory, &goal);
        let missing = |name: &String| inventory.accounts[0].bucket(name).is_none();
        goal.empty.extend(targets.into_keys().filter(missing));
        let plan = plan::enable(&inventory, &goal).ok()?;
        Some((inventory, goal, plan))
    })
}

// --- what is compared ---

fn id() -> AccountId {
    AccountId::parse(ACCOUNT).expect("twelve digits")
}

/// Every setting of every bucket, in words.
fn state(inventory: &Inventory) -> Vec<(String, Vec<String>)> {
    inventory.accounts[0]
        .buckets
        .iter()
        .map(|bucket| {
            let settings = Setting::ALL
                .map(|setting| match current(bucket, setting) {
                    Ok(document) => document
                        .filter(|document| !setting.same(None, Some(document)))
                        .map_or_else(String::new, |document| document.to_string()),
                    Err(why) => format!("{why:?}"),
                })
                .to_vec();
            (bucket.label.to_string(), settings)
        })
        .collect()
}

/// As [`state`], each document in the words of the other where both mean the same.
fn assert_same_state(a: &Inventory, b: &Inventory) {
    let (left, right) = (&a.accounts[0].buckets, &b.accounts[0].buckets);
    let names = |all: &[s3log_lint::inventory::Bucket]| -> Vec<String> {
        all.iter().map(|bucket| bucket.label.to_string()).collect()
    };
    assert_eq!(names(left), names(right));
    for (left, right) in left.iter().zip(right) {
        for setting in Setting::ALL {
            match (current(left, setting), current(right, setting)) {
                (Ok(left_document), Ok(right_document)) => assert!(
                    setting.same(left_document.as_ref(), right_document.as_ref()),
                    "{} of {}: {left_document:?} or {right_document:?}",
                    setting.title(),
                    left.label
                ),
                (left, right) => assert_eq!(left, right),
            }
        }
    }
}

/// Whom which rule accuses, from a warning upwards.
fn findings(inventory: &Inventory) -> BTreeSet<(String, String, Option<String>)> {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static rules::Rule> = rules::ALL.iter().collect();
    rules::run(&graph, &all)
        .findings
        .into_iter()
        .filter(|finding| finding.rule.severity > Severity::Note)
        .map(|finding| {
            (
                finding.rule.code.to_owned(),
                finding.subject.bucket,
                finding.subject.target,
            )
        })
        .collect()
}

/// Three warnings say only that the plan isn't done. A source that was hidden among the log targets until the last bucket
/// stopped logging to it shows as unlogged until its turn comes; a cycle that is half undone is a chain until the other
/// half is; a log bucket that was missing, and to which somebody logged all the same, has no lifecycle in the moment
/// after it is made.
fn waits_for_its_step((code, bucket, _): &(String, String, Option<String>), rest: &[Change]) -> bool {
    let puts = || {
        rest.iter().filter_map(|change| match change {
            Change::Put(put) => Some(put),
            Change::CreateBucket(_) | Change::DeleteBucket(_) => None,
        })
    };
    let is_put = |setting| puts().any(|put| put.setting == setting && put.bucket.as_str() == bucket);
    match code.as_str() {
        "S3L009" => is_put(Setting::Logging),
        "S3L206" => is_put(Setting::Lifecycle),
        "S3L003" => puts().any(|put| {
            let target = put
                .before
                .as_ref()
                .and_then(|before| before.pointer("/LoggingEnabled/TargetBucket"));
            put.setting == Setting::Logging && target == Some(&json!(bucket))
        }),
        _ => false,
    }
}

/// Of an edge that led to a missing bucket nothing else could be said; in the moment after the bucket is made it is as
/// blocked as before, for the next reason.
fn led_nowhere(
    (_, bucket, target): &(String, String, Option<String>),
    start: &BTreeSet<(String, String, Option<String>)>,
) -> bool {
    start.contains(&("S3L004".to_owned(), bucket.clone(), target.clone()))
}

fn after(inventory: &Inventory, changes: &[Change]) -> Inventory {
    let mut inventory = inventory.clone();
    for change in changes {
        project_into(&mut inventory, &id(), change);
    }
    inventory
}

// --- a cloud that is its own projection ---

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    BeforeTheEffect,
    AfterTheEffect,
}

struct Projected {
    inventory: RefCell<Inventory>,
    /// Fails at this call, in this way.
    fault: Option<(usize, Fault)>,
    calls: Cell<usize>,
}

impl Projected {
    fn new(inventory: &Inventory, fault: Option<(usize, Fault)>) -> Self {
        Self {
            inventory: RefCell::new(inventory.clone()),
            fault,
            calls: Cell::new(0),
        }
    }

    fn fault(&self) -> Option<Fault> {
        let call = self.calls.get();
        self.calls.set(call + 1);
        self.fault.filter(|(at, _)| *at == call).map(|(_, fault)| fault)
    }

    fn failed() -> CloudError {
        CloudError::Failed {
            operation: "a call",
            bucket: String::new(),
            code: "ServiceUnavailable".to_owned(),
            message: "slow down".to_owned(),
        }
    }
}

impl Cloud for Projected {
    async fn presence(&self, bucket: &BucketName, _region: &Region) -> Result<Presence, CloudError> {
        if self.fault().is_some() {
            return Err(Self::failed());
        }
        Ok(
            match self.inventory.borrow().accounts[0].bucket(bucket.as_str()) {
                Some(_) => Presence::Ours,
                None => Presence::Missing,
            },
        )
    }

    async fn is_empty(&self, _bucket: &BucketName, _region: &Region) -> Result<bool, CloudError> {
        Ok(true)
    }

    async fn read(
        &self,
        bucket: &BucketName,
        _region: &Region,
        setting: Setting,
    ) -> Result<Option<Value>, CloudError> {
        if self.fault().is_some() {
            return Err(Self::failed());
        }
        let inventory = self.inventory.borrow();
        let bucket = inventory.accounts[0]
            .bucket(bucket.as_str())
            .expect("a plan names what is there");
        Ok(current(bucket, setting).expect("a plan touches only what was read"))
    }

    async fn write(&self, change: &Change) -> Result<(), CloudError> {
        match self.fault() {
            Some(Fault::BeforeTheEffect) => Err(Self::failed()),
            fault => {
                project_into(&mut self.inventory.borrow_mut(), &id(), change);
                fault.map_or(Ok(()), |_| Err(Self::failed()))
            }
        }
    }

    async fn pause(&self, _time: Duration) {}
}

#[derive(Default)]
struct Silent;

impl Observer for Silent {
    fn note(&self, _change: usize, _event: Event) -> Result<(), Stop> {
        Ok(())
    }

    fn is_interrupted(&self) -> bool {
        false
    }
}

fn carry_out(plan: &Plan, cloud: &Projected) -> Applied {
    let pace = Pace {
        concurrency: 4,
        patience: 2,
        pause: Duration::ZERO,
        settle: Duration::ZERO,
    };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(apply(plan, cloud, &Silent, pace))
}

// --- the laws ---

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_global_rejects: 200_000, rng_seed: proptest::test_runner::RngSeed::Fixed(20261122), ..ProptestConfig::default() })]

    #[test]
    fn planning_on_what_a_plan_leads_to_plans_nothing((inventory, goal, plan) in planned()) {
        let projected = plan.project(&inventory);
        let again = plan::enable(&projected, &goal);
        prop_assert_eq!(again.map(|plan| plan.changes), Ok(Vec::new()));
    }

    #[test]
    fn undo_undoes((inventory, _goal, plan) in planned()) {
        let projected = plan.project(&inventory);
        let back = plan.inverse().project(&projected);
        assert_same_state(&inventory, &back);
    }

    #[test]
    fn no_part_of_a_plan_brings_a_finding_that_neither_start_nor_end_has((inventory, _goal, plan) in planned()) {
        let (start, end) = (findings(&inventory), findings(&plan.project(&inventory)));
        for steps in 1..plan.changes.len() {
            let part = findings(&after(&inventory, &plan.changes[..steps]));
            let rest = &plan.changes[steps..];
            let new: Vec<_> = part
                .iter()
                .filter(|found| !start.contains(*found) && !end.contains(*found))
                .filter(|found| !waits_for_its_step(found, rest) && !led_nowhere(found, &start))
                .collect();
            prop_assert!(new.is_empty(), "after {} of {} steps: {:?}\nat the start: {:?}\n{}", steps, plan.changes.len(), new, start, plan.to_text());
        }
    }

    #[test]
    fn no_plan_brings_an_error((inventory, _goal, plan) in planned()) {
        // An edge that led nowhere may lead into a bucket of another region once that is made: a fault all the same.
        let errors = |inventory: &Inventory| -> BTreeSet<_> {
            findings(inventory)
                .into_iter()
                .filter(|(code, _, _)| rules::find(code).is_some_and(|rule| rule.severity == Severity::Error))
                .map(|(_, bucket, target)| (bucket, target))
                .collect()
        };
        let (start, end) = (errors(&inventory), errors(&plan.project(&inventory)));
        let new: Vec<_> = end.difference(&start).collect();
        prop_assert!(new.is_empty(), "{:?}", new);
    }

    #[test]
    fn planning_again_after_some_steps_gives_the_rest((inventory, goal, plan) in planned()) {
        for steps in 0..=plan.changes.len() {
            let rest = plan::enable(&after(&inventory, &plan.changes[..steps]), &goal);
            prop_assert_eq!(rest.map(|plan| plan.changes), Ok(plan.changes[steps..].to_vec()), "after {} steps", steps);
        }
    }

    #[test]
    fn an_applied_plan_is_taken_back_change_by_change((inventory, _goal, plan) in planned()) {
        let cloud = Projected::new(&plan.project(&inventory), None);
        prop_assert_eq!(carry_out(&plan.inverse(), &cloud).stop, None);
        assert_same_state(&cloud.inventory.into_inner(), &inventory);
    }

    #[test]
    fn statements_that_are_not_ours_keep_every_byte((_inventory, _goal, plan) in planned()) {
        for change in &plan.changes {
            let Change::Put(put) = change else { continue };
            let (Setting::Policy, Some(Value::String(before)), Some(Value::String(after))) = (put.setting, &put.before, &put.after) else {
                continue;
            };
            let old: Value = serde_json::from_str(before).expect("a policy that is merged is JSON");
            let new: Value = serde_json::from_str(after).expect("what is written is JSON");
            let list = |policy: &Value| match &policy["Statement"] {
                Value::Array(all) => all.clone(),
                one => vec![one.clone()],
            };
            let (old, new) = (list(&old), list(&new));
            prop_assert!(new.len() >= old.len() && new.len() <= old.len() + 1);
            for (old, new) in old.iter().zip(&new) {
                let is_grant = old.to_string().contains("logging.s3.amazonaws.com");
                prop_assert!(is_grant || old == new, "{} became {}", old, new);
            }
        }
    }
}

// Every call of every plan fails in two ways: fewer plans are enough.
proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_global_rejects: 200_000, rng_seed: proptest::test_runner::RngSeed::Fixed(20261122), ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_fails_anywhere_is_finished_by_the_next((inventory, goal, plan) in planned()) {
        let whole = Projected::new(&inventory, None);
        let applied = carry_out(&plan, &whole);
        prop_assert_eq!(applied.stop, None);
        let end = whole.inventory.into_inner();
        assert_same_state(&end, &plan.project(&inventory));
        for call in 0..whole.calls.get() {
            for fault in [Fault::BeforeTheEffect, Fault::AfterTheEffect] {
                let failing = Projected::new(&inventory, Some((call, fault)));
                carry_out(&plan, &failing);
                let left = failing.inventory.into_inner();
                let rest = plan::enable(&left, &goal).expect("what was planned once is planned again");
                let next = Projected::new(&left, None);
                prop_assert_eq!(carry_out(&rest, &next).stop, None);
                assert_same_state(&next.inventory.into_inner(), &end);
            }
        }
    }
}

// --- what is refused ---

fn read(accounts: &Value) -> Inventory {
    let text = json!({ "version": 1, "unasked": "absent", "accounts": [accounts] }).to_string();
    snapshot::read(&text).expect("the example is a snapshot")
}

fn refused(buckets: Value, change: impl FnOnce(&mut Enable)) -> Vec<Refusal> {
    let inventory = read(&json!({ "id": ACCOUNT, "buckets": buckets }));
    let mut goal = Enable {
        sources: Sources::Named(vec!["app-data".to_owned()]),
        target: TargetChoice::Named("logs".to_owned()),
        ..Enable::default()
    };
    change(&mut goal);
    plan::enable(&inventory, &goal).expect_err("it is refused")
}

fn in_ireland(more: Value) -> Value {
    let mut bucket = json!({ "region": "eu-west-1" });
    for (key, value) in more.as_object().into_iter().flatten() {
        bucket[key] = value.clone();
    }
    bucket
}

#[test]
fn what_can_not_work_is_refused_before_anything_is_written() {
    let app = || in_ireland(json!({}));
    let logs = |more| json!({ "app-data": app(), "logs": in_ireland(more) });
    let first = |buckets, change: fn(&mut Enable)| refused(buckets, change).remove(0);
    let named = |buckets: Value| first(buckets, |_| {});

    assert!(matches!(
        first(logs(json!({})), |goal| goal.target =
            TargetChoice::Named("app-data".to_owned())),
        Refusal::SelfLogging { .. }
    ));
    assert!(matches!(
        named(logs(json!({ "logging": { "LoggingEnabled": { "TargetBucket": "app-data", "TargetPrefix": "" } } }))),
        Refusal::Cycle { path } if path == ["app-data", "logs", "app-data"]
    ));
    assert!(matches!(
        named(json!({ "app-data": app(), "logs": { "region": "us-east-1" } })),
        Refusal::OtherRegion { .. }
    ));
    let kms = json!({ "encryption": { "ServerSideEncryptionConfiguration": { "Rules": [
        { "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" } }] } } });
    assert!(matches!(named(logs(kms)), Refusal::Encryption { .. }));
    let lock = json!({ "object_lock": { "ObjectLockConfiguration": { "ObjectLockEnabled": "Enabled" } } });
    assert!(matches!(named(logs(lock)), Refusal::ObjectLock { .. }));
    let payer = json!({ "request_payment": { "Payer": "Requester" } });
    assert!(matches!(named(logs(payer)), Refusal::RequesterPays { .. }));
    let deny = json!({ "policy": { "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*",
        "Condition": { "StringNotEquals": { "aws:SourceVpce": "vpce-1" } } }] } });
    assert!(matches!(
        named(logs(deny)),
        Refusal::Denied { statement, .. } if statement.starts_with("/Statement/0")
    ));
    let malformed = json!({ "policy": { "Policy": "{\"Statement\": [" } });
    assert!(matches!(named(logs(malformed)), Refusal::MalformedPolicy { .. }));
    let denied = json!({ "error": { "code": "AccessDenied", "status": 403 } });
    assert!(matches!(
        named(logs(json!({ "policy": denied }))),
        Refusal::Unreadable { .. }
    ));
    assert!(matches!(
        named(json!({ "app-data": in_ireland(json!({ "logging": denied })), "logs": app() })),
        Refusal::Unreadable { .. }
    ));
    let elsewhere =
        json!({ "logging": { "LoggingEnabled": { "TargetBucket": "other", "TargetPrefix": "" } } });
    assert!(matches!(
        named(json!({ "app-data": in_ireland(elsewhere), "logs": app() })),
        Refusal::AlreadyLogged { .. }
    ));
    assert!(matches!(
        named(json!({ "app-data": app() })),
        Refusal::MissingTarget { .. }
    ));
    assert!(matches!(
        first(json!({ "app-data": app() }), |goal| {
            goal.create = true;
            goal.target = TargetChoice::Named("No_Name".to_owned());
        }),
        Refusal::TargetName { .. }
    ));
    assert!(matches!(
        first(json!({ "app-data": app() }), |goal| {
            goal.create = true;
            goal.namespace = plan::Namespace::AccountRegional;
        }),
        Refusal::TargetNamespace { .. }
    ));
    assert!(matches!(
        named(json!({ "logs": app() })),
        Refusal::NoSource { .. }
    ));
}

#[test]
fn a_name_of_somebody_else_is_not_created() {
    let inventory = read(&json!({
        "id": ACCOUNT,
        "buckets": { "app-data": in_ireland(json!({})) },
        "elsewhere": { "logs": { "head": { "error": { "code": "403", "status": 403 } } } },
    }));
    let goal = Enable {
        sources: Sources::Named(vec!["app-data".to_owned()]),
        target: TargetChoice::Named("logs".to_owned()),
        create: true,
        ..Enable::default()
    };
    let refusals = plan::enable(&inventory, &goal).expect_err("it is refused");
    assert!(matches!(refusals[0], Refusal::ForeignTarget { .. }));
}

#[test]
fn what_nobody_changed_in_words_is_the_state() {
    // The comparison itself: two accounts that differ are told apart.
    let one = read(&json!({ "id": ACCOUNT, "buckets": { "a-bucket": in_ireland(json!({})) } }));
    let other = read(
        &json!({ "id": ACCOUNT, "buckets": { "a-bucket": in_ireland(json!({
        "logging": { "LoggingEnabled": { "TargetBucket": "logs", "TargetPrefix": "" } } })) } }),
    );
    assert_ne!(state(&one), state(&other));
}

// --- repairs ---

/// What `fix` would be asked for, and how.
fn repairs(inventory: &Inventory) -> Vec<(Subject, Repair)> {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static rules::Rule> = rules::ALL.iter().collect();
    let mut repairs: Vec<(Subject, Repair)> = Vec::new();
    for finding in rules::run(&graph, &all).findings {
        // To switch logging on is another decision than to repair it.
        if let Some(goal) = finding.said.fix.clone()
            && finding.rule.code != "S3L009"
            && !repairs.iter().any(|(_, repair)| repair.goal == goal)
        {
            let code = finding.rule.code;
            repairs.push((finding.subject, Repair { code, goal }));
        }
    }
    repairs
}

fn delivering(inventory: &Inventory) -> BTreeSet<String> {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static rules::Rule> = rules::ALL.iter().collect();
    rules::run(&graph, &all)
        .edges
        .into_iter()
        .filter(|edge| edge.verdict == rules::EdgeVerdict::Delivers)
        .map(|edge| edge.subject.bucket)
        .collect()
}

/// A faulty account, the repairs that it needs, and the plan that `fix` would show.
fn repaired() -> impl Strategy<Value = (Inventory, Vec<(Subject, Repair)>, Plan, Vec<Left>)> {
    let setup = goal().prop_map(|goal| Enable {
        sources: Sources::default(),
        // Else the logs of a new target never expire, as is wanted and found.
        expire_after: Some(365),
        empty: BTreeSet::new(),
        ..goal
    });
    (account(), setup, any::<bool>()).prop_filter_map(
        "nothing to repair, or refused",
        |(inventory, setup, disable_loops)| {
            let wanted = repairs(&inventory);
            let goals: Vec<Repair> = wanted.iter().map(|(_, repair)| repair.clone()).collect();
            let how = Repairs { setup, disable_loops };
            let (plan, left) = plan::repair(&inventory, &id(), &goals, &how);
            let consequences = Consequences::of(&plan, &inventory);
            let is_shown = !plan.is_empty() && consequences.worse().is_none();
            is_shown.then_some((inventory, wanted, plan, left))
        },
    )
}

proptest! {
    #[test]
    fn what_is_repaired_is_found_no_more((inventory, wanted, plan, left) in repaired()) {
        let found = findings_of_every_severity(&plan.project(&inventory));
        for (subject, repair) in wanted {
            let is_left = left.iter().any(|left| left.code == repair.code && left.bucket == repair.goal.bucket());
            let stands = found.contains(&(repair.code.to_owned(), subject.bucket.clone(), subject.target.clone()));
            prop_assert!(
                is_left || !stands,
                "{} of {:?} stands, and isn't left: {:#?}\n{left:#?}", repair.code, subject, plan.changes
            );
        }
    }

    #[test]
    fn repairs_never_stop_a_delivery_on_the_way((inventory, _, plan, _) in repaired()) {
        let before = delivering(&inventory);
        for steps in 0..=plan.changes.len() {
            let now = delivering(&after(&inventory, &plan.changes[..steps]));
            let lost: Vec<&String> = before.difference(&now).collect();
            prop_assert!(lost.is_empty(), "after {steps} of {:#?}: {lost:?}", plan.changes);
        }
    }

    #[test]
    fn repairs_bring_no_other_finding((inventory, _, plan, _) in repaired()) {
        let (start, end) = (findings(&inventory), findings(&plan.project(&inventory)));
        let was_faulty = |bucket: &str| start.iter().any(|(code, faulty, _)| faulty == bucket && is_error(code));
        // The targets before, and the targets after.
        let targets = |of: fn(&Put) -> Option<&Value>| -> BTreeSet<String> {
            let puts = plan.changes.iter().filter_map(|change| match change {
                Change::Put(put) if put.setting == Setting::Logging => Some(put),
                Change::Put(_) | Change::CreateBucket(_) | Change::DeleteBucket(_) => None,
            });
            puts.filter_map(|put| of(put)?.pointer("/LoggingEnabled/TargetBucket")?.as_str())
                .map(str::to_owned)
                .collect()
        };
        let (left, chosen) = (targets(|put| put.before.as_ref()), targets(|put| put.after.as_ref()));
        for new in end.difference(&start) {
            let (code, bucket, target) = new;
            // Behind a fault of an edge another one may show; a loop that is switched off is a bucket without logging, and
            // so is one that is no log bucket any more; what is left of a cycle is a chain, and so is a log bucket whose
            // own logs arrive now, or an existing one that was chosen and is logged itself.
            let shows = match target {
                Some(_) => was_faulty(bucket),
                None => match code.as_str() {
                    "S3L009" => was_faulty(bucket) || left.contains(bucket),
                    "S3L003" => {
                        let was_cycle = start.iter().any(|(code, ..)| code == "S3L002");
                        was_faulty(bucket) || chosen.contains(bucket) || was_cycle
                    }
                    _ => false,
                },
            };
            prop_assert!(shows, "{new:?} comes of {:#?}\nfrom {start:?}", plan.changes);
        }
    }

    #[test]
    fn repairs_are_undone((inventory, _, plan, _) in repaired()) {
        assert_same_state(&inventory, &plan.inverse().project(&plan.project(&inventory)));
    }
}

fn findings_of_every_severity(inventory: &Inventory) -> BTreeSet<(String, String, Option<String>)> {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static rules::Rule> = rules::ALL.iter().collect();
    let found = rules::run(&graph, &all).findings.into_iter();
    found
        .map(|finding| {
            (
                finding.rule.code.to_owned(),
                finding.subject.bucket,
                finding.subject.target,
            )
        })
        .collect()
}

fn is_error(code: &str) -> bool {
    rules::find(code).is_some_and(|rule| rule.severity == Severity::Error)
}
