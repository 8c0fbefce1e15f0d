//! Laws that hold for every rule, on accounts that nobody thought of.
//!
//! The accounts are generated as snapshots: what the rules meet is what a recording gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proptest::prelude::*;
use s3log_lint::collect::snapshot;
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::Call;
use s3log_lint::report::{Report, Scale, Settings};
use s3log_lint::rules::{self, Check, EdgeVerdict, Rule};
use serde_json::{Map, Value, json};

const NAMES: [&str; 6] = ["app-data", "app-images", "logs", "logs-a", "logs-b", "site"];
const ACCOUNT: &str = "111122223333";

/// A bucket of a generated account: its answers.
type Bucket = Map<String, Value>;

fn policy(name: &str, kind: u8) -> Value {
    let grant = |resource: &str, condition: Value| {
        json!({"Sid": "S3LogDelivery", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
               "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{name}/{resource}"), "Condition": condition})
    };
    let account = json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}});
    let deny = |condition: Value| {
        json!({"Sid": "Closed", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
               "Resource": format!("arn:aws:s3:::{name}/*"), "Condition": condition})
    };
    let statements = match kind {
        0 => json!([grant("*", account)]),
        1 => json!([grant("app-data/*", account)]),
        2 => json!([grant(
            "*",
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::app-*"}})
        )]),
        3 => json!([grant("*", json!({}))]),
        4 => json!([
            grant("*", account),
            deny(json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}))
        ]),
        5 => json!([grant(
            "*",
            json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}})
        )]),
        6 => json!([grant("*", account), {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                    "Resource": format!("arn:aws:s3:::{name}/*")}]),
        7 => json!([grant("*", json!({"StringEqual": {"aws:SourceAccount": ACCOUNT}}))]),
        _ => json!([grant(
            "*",
            json!({"ForAllValues:StringEquals": {"aws:SourceAccount": ACCOUNT}})
        )]),
    };
    json!({"Policy": json!({"Version": "2012-10-17", "Statement": statements}).to_string()})
}

fn bucket(name: &'static str) -> impl Strategy<Value = Bucket> {
    let absent = |code: &str| json!({"error": {"code": code, "status": 404}});
    let logging = prop_oneof![
        2 => Just(json!({})),
        5 => (
            prop::sample::select(vec!["app-data", "logs", "logs-a", "logs-b", "gone", "foreign", "arn:aws:s3:::logs", ""]),
            prop::sample::select(vec!["", "logs", "logs/", "app-data/", "app-"]),
            0..3u8,
            0..4u8,
        )
            .prop_map(|(target, prefix, format, grants)| {
                let mut enabled = json!({"TargetBucket": target, "TargetPrefix": prefix});
                if format > 0 {
                    let source = if format == 1 { "EventTime" } else { "DeliveryTime" };
                    enabled["TargetObjectKeyFormat"] = json!({"PartitionedPrefix": {"PartitionDateSource": source}});
                }
                if grants == 0 {
                    enabled["TargetGrants"] = json!([{"Grantee": {"Type": "Group",
                        "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}]);
                }
                json!({ "LoggingEnabled": enabled })
            }),
    ];
    let region = prop::sample::select(vec!["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1"]);
    let policy = prop_oneof![
        2 => Just(absent("NoSuchBucketPolicy")),
        7 => (0..9u8).prop_map(move |kind| policy(name, kind)),
    ];
    let acl = prop::sample::subsequence(vec!["WRITE", "READ_ACP"], 0..=2).prop_map(|permissions| {
        let grants: Vec<Value> = permissions
            .iter()
            .map(|permission| {
                json!({"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"},
                       "Permission": permission})
            })
            .collect();
        json!({"Owner": {"ID": "owner"}, "Grants": grants})
    });
    let ownership = prop::sample::select(vec!["BucketOwnerEnforced", "BucketOwnerEnforced", "ObjectWriter"])
        .prop_map(|setting| json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": setting}]}}));
    let encryption = prop_oneof![
        6 => Just(json!({"SSEAlgorithm": "AES256"})),
        1 => Just(json!({"SSEAlgorithm": "aws:kms"})),
        1 => Just(json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "1234abcd-12ab-34cd-56ef-1234567890ab"})),
    ]
    .prop_map(|rule| {
        json!({"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}})
    });
    let lock = prop_oneof![
        6 => Just(absent("ObjectLockConfigurationNotFoundError")),
        1 => Just(json!({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}})),
        1 => Just(json!({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled",
                 "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}})),
    ];
    let payer = prop::sample::select(vec!["BucketOwner", "BucketOwner", "BucketOwner", "Requester"])
        .prop_map(|payer| json!({ "Payer": payer }));
    let lifecycle = prop_oneof![
        Just(absent("NoSuchLifecycleConfiguration")),
        (prop::sample::select(vec!["", "logs/", "app-data/"]), 0..3u8).prop_map(|(prefix, kind)| {
            let mut rule = json!({"Status": "Enabled", "Filter": {"Prefix": prefix}});
            match kind {
                0 => rule["Expiration"] = json!({"Days": 30}),
                1 => rule["Transitions"] = json!([{"Days": 30, "StorageClass": "GLACIER"}]),
                _ => {
                    rule["Expiration"] = json!({"Days": 30});
                    rule["NoncurrentVersionExpiration"] = json!({"NoncurrentDays": 1});
                }
            }
            json!({"Rules": [rule]})
        }),
    ];
    let versioning = prop::sample::select(vec![json!({}), json!({"Status": "Enabled"})]);
    let block = any::<bool>().prop_map(|on| {
        json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": on, "IgnorePublicAcls": on,
               "BlockPublicPolicy": on, "RestrictPublicBuckets": on}})
    });
    let first = (region, logging, policy, acl, ownership);
    let second = (encryption, lock, payer, lifecycle, versioning, block);
    (first, second).prop_map(
        |(
            (region, logging, policy, acl, ownership),
            (encryption, lock, payer, lifecycle, versioning, block),
        )| {
            let answers = [
                ("region", json!(region)),
                (Call::Logging.key(), logging),
                (Call::Policy.key(), policy),
                (Call::Acl.key(), acl),
                (Call::OwnershipControls.key(), ownership),
                (Call::Encryption.key(), encryption),
                (Call::ObjectLock.key(), lock),
                (Call::RequestPayment.key(), payer),
                (Call::Lifecycle.key(), lifecycle),
                (Call::Versioning.key(), versioning),
                (Call::PublicAccessBlock.key(), block),
            ];
            answers
                .into_iter()
                .map(|(key, answer)| (key.to_owned(), answer))
                .collect()
        },
    )
}

type Account = BTreeMap<String, Bucket>;

fn account() -> impl Strategy<Value = Account> {
    let one =
        |name: &'static str| prop::option::weighted(0.8, bucket(name)).prop_map(move |found| (name, found));
    NAMES.map(one).prop_map(|found| {
        found
            .into_iter()
            .filter_map(|(name, bucket)| Some((name.to_owned(), bucket?)))
            .collect()
    })
}

fn text(account: &Account) -> String {
    json!({"version": 1, "unasked": "unknown", "accounts": [{
        "id": ACCOUNT, "buckets": account,
        "elsewhere": {
            "gone": {"head": {"error": {"code": "404", "status": 404}}},
            "foreign": {"head": {"error": {"code": "403", "status": 403}}},
        },
    }]})
    .to_string()
}

/// What was said, in words that can be compared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    /// Code, bucket, target.
    findings: BTreeSet<(String, String, Option<String>)>,
    messages: BTreeSet<String>,
    undecided: BTreeSet<(String, String)>,
    /// By source.
    verdicts: BTreeMap<String, (EdgeVerdict, Vec<String>)>,
}

fn lint(text: &str) -> Said {
    let inventory = snapshot::read(text).expect("what is generated is a snapshot");
    let graph = LogGraph::new(&inventory);
    let all: Vec<&Rule> = rules::ALL.iter().collect();
    let report = Report::new(
        rules::run(&graph, &all),
        Scale::of(&inventory),
        &Settings::default(),
    );
    let mut said = Said::default();
    for all in &report.findings {
        let (rule, subject) = (all.finding.rule, &all.finding.subject);
        let key = (
            rule.code.to_owned(),
            subject.bucket.clone(),
            subject.target.clone(),
        );
        assert!(
            said.findings.insert(key),
            "{} is said twice of {}",
            rule.code,
            subject.bucket
        );
        said.messages.insert(all.finding.said.message.clone());
    }
    for all in &report.undecided {
        said.undecided
            .insert((all.rule.code.to_owned(), all.subject.bucket.clone()));
    }
    for edge in &report.edges {
        let causes = edge.causes.iter().map(|code| (*code).to_owned()).collect();
        said.verdicts
            .insert(edge.subject.bucket.clone(), (edge.verdict, causes));
    }
    said
}

fn denied() -> Value {
    json!({"error": {"code": "AccessDenied", "status": 403}})
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a verdict says, its causes say too.
    #[test]
    fn a_verdict_has_its_causes(account in account()) {
        let said = lint(&text(&account));
        for (source, (verdict, causes)) in &said.verdicts {
            match verdict {
                EdgeVerdict::Delivers => prop_assert!(causes.is_empty(), "{source} delivers, and {causes:?}"),
                EdgeVerdict::Blocked | EdgeVerdict::Unreadable | EdgeVerdict::Loops => {
                    prop_assert!(!causes.is_empty(), "{source} is {verdict:?}, and nothing says why");
                }
                EdgeVerdict::Unknown => {
                    let open = said.undecided.iter().any(|(_, bucket)| bucket == source)
                        || !said.undecided.is_empty();
                    prop_assert!(open || !causes.is_empty(), "{source} is unknown, and nothing says why");
                }
            }
        }
    }

    /// What is delivered stays so whatever is not asked; what isn't known is never called healthy or broken.
    #[test]
    fn a_refused_answer_makes_no_new_finding_and_hides_none_silently(
        account in account(),
        name in prop::sample::select(NAMES.to_vec()),
        call in prop::sample::select(Call::OF_TARGETS.into_iter().chain([Call::Logging]).collect::<Vec<_>>()),
    ) {
        prop_assume!(account.contains_key(name));
        let before = lint(&text(&account));
        let mut hidden = account;
        hidden.entry(name.to_owned()).or_default().insert(call.key().to_owned(), denied());
        let after = lint(&text(&hidden));
        for new in after.findings.difference(&before.findings) {
            // S3 refuses a target of another region: whoever is hidden there is not asked for.
            let far = hidden.get(&new.1).and_then(|bucket| bucket.get("region")) != hidden[name].get("region");
            if matches!(new.0.as_str(), "S3L009" | "S3L010") && call == Call::Logging && far {
                continue;
            }
            prop_assert!(false, "{new:?} is said once {} of {name} is refused", call.operation());
        }
        for gone in before.findings.difference(&after.findings) {
            let (code, bucket, _) = gone;
            let open = after.undecided.iter().any(|(other, about)| {
                // The same rule is open about the same bucket; or the bucket whose logging is hidden is open itself.
                (other == code && about == bucket) || (call == Call::Logging && about == name)
            });
            prop_assert!(open, "{gone:?} is silent once {} of {name} is refused", call.operation());
        }
        for (source, (verdict, _)) in &after.verdicts {
            let was = before.verdicts.get(source).map(|(verdict, _)| *verdict);
            prop_assert!(
                was == Some(*verdict) || *verdict == EdgeVerdict::Unknown || was == Some(EdgeVerdict::Blocked)
                    || *verdict == EdgeVerdict::Loops && was == Some(EdgeVerdict::Unreadable),
                "{source} was {was:?} and is {verdict:?} once {} of {name} is refused", call.operation()
            );
            prop_assert!(
                *verdict != EdgeVerdict::Delivers || was == Some(EdgeVerdict::Delivers),
                "{source} delivers once {} of {name} is refused, and was {was:?}", call.operation()
            );
        }
    }

    /// Every name replaced by another: every name replaced in what is said, and nothing else. The other names keep the
    /// order, for of several buckets the first is told.
    #[test]
    fn a_name_is_only_a_name(account in account()) {
        let rename = |text: &str| {
            let mut text = text.to_owned();
            // Longer names first: `logs` is the start of others.
            for (old, new) in [("app-images", "bpp-jmages"), ("app-data", "bpp-eata"), ("logs-a", "mogs-a"), ("logs-b", "mogs-b")] {
                text = text.replace(old, new);
            }
            text
        };
        let plain = text(&account).replace("app-*", "?pp-*");
        let (before, after) = (lint(&plain), lint(&rename(&plain)));
        let renamed: BTreeSet<String> = before.messages.iter().map(|message| rename(message)).collect();
        prop_assert_eq!(renamed, after.messages);
        let verdicts: BTreeMap<String, _> =
            before.verdicts.into_iter().map(|(source, verdict)| (rename(&source), verdict)).collect();
        prop_assert_eq!(verdicts, after.verdicts);
    }

    /// The order of the buckets in a file says nothing.
    #[test]
    fn the_order_of_buckets_does_not_matter(account in account(), turn in 0..6usize) {
        let mut buckets: Vec<String> = account
            .iter()
            .map(|(name, bucket)| format!("{}:{}", json!(name), json!(bucket)))
            .collect();
        let whole = |buckets: &[String]| {
            let mut text = String::new();
            write!(text, r#"{{"version":1,"accounts":[{{"id":"{ACCOUNT}","buckets":{{{}}}}}]}}"#, buckets.join(","))
                .expect("a string takes everything");
            text
        };
        let before = lint(&whole(&buckets));
        let turn = turn.min(buckets.len());
        buckets.rotate_left(turn);
        buckets.reverse();
        prop_assert_eq!(before, lint(&whole(&buckets)));
    }

    /// A bucket that the run is not asked about is looked at all the same: what is said of the others doesn't change.
    #[test]
    fn the_scope_changes_whom_it_is_said_of_and_not_what(account in account(), name in prop::sample::select(NAMES.to_vec())) {
        prop_assume!(account.contains_key(name));
        let before = lint(&text(&account));
        let mut narrowed = account;
        narrowed.entry(name.to_owned()).or_default().insert("out_of_scope".to_owned(), json!(true));
        let after = lint(&text(&narrowed));
        for finding in &after.findings {
            prop_assert!(before.findings.contains(finding), "{finding:?} is new");
        }
        prop_assert!(!after.verdicts.contains_key(name));
        for (source, verdict) in &after.verdicts {
            prop_assert_eq!(Some(verdict), before.verdicts.get(source));
        }
    }

    /// No answer of any shape is a reason to stop.
    #[test]
    fn no_rule_panics(
        account in account(),
        name in "\\PC{0,12}",
        prefix in "\\PC{0,20}",
        policy in "[\\[\\]{}\":,*?$a-z0-9 ]{0,60}",
    ) {
        let mut account = account;
        let odd = json!({"LoggingEnabled": {"TargetBucket": name, "TargetPrefix": prefix}});
        account.insert(name, Map::from_iter([
            (Call::Logging.key().to_owned(), odd),
            (Call::Policy.key().to_owned(), json!({"Policy": policy})),
        ]));
        let inventory = snapshot::read(&text(&account)).expect("what is generated is a snapshot");
        let graph = LogGraph::new(&inventory);
        let all: Vec<&Rule> = rules::ALL.iter().collect();
        let _ = rules::run(&graph, &all);
    }
}

#[test]
fn the_generated_accounts_meet_every_rule() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..400 {
        let account = account().new_tree(&mut runner).expect("an account").current();
        met.extend(lint(&text(&account)).findings.into_iter().map(|(code, ..)| code));
    }
    let never: Vec<&str> = rules::ALL
        .iter()
        .filter(|rule| !matches!(rule.check, Check::Report) && !met.contains(rule.code))
        .map(|rule| rule.code)
        .collect();
    // A prefix of a kilobyte stands in its rule's document, and only a plan replaces a target.
    assert_eq!(never, ["S3L012", "S3L013"], "the laws never see these rules");
}

#[test]
fn the_list_of_rules_is_as_it_was() {
    let list: Vec<String> = rules::ALL
        .iter()
        .map(|rule| format!("{} {} {} {:?}", rule.code, rule.name, rule.severity, rule.effect))
        .collect();
    insta::assert_snapshot!("rules", list.join("\n"));
}

#[test]
fn codes_and_names_are_well_formed_and_unique() {
    let codes: Vec<&str> = rules::ALL.iter().map(|rule| rule.code).collect();
    let names: BTreeSet<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    assert!(codes.is_sorted(), "the list is not ordered by code");
    assert_eq!(
        codes.iter().collect::<BTreeSet<_>>().len(),
        codes.len(),
        "a code stands twice"
    );
    assert_eq!(names.len(), codes.len(), "a name stands twice");
    for rule in rules::ALL {
        let digits = rule.code.strip_prefix("S3L").expect("a code starts with S3L");
        assert!(
            digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()),
            "{}",
            rule.code
        );
        assert!(
            rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
            "{}",
            rule.name
        );
        assert!(
            !rule.summary.ends_with('.') && rule.summary.len() < 120,
            "{}",
            rule.code
        );
    }
}
