//! Laws of laying a deploy over an inventory.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use s3log_lint::collect::deployment::{BucketKey, Declared, Deployment, Fate, Owner, Said};
use s3log_lint::collect::{overlay, snapshot};
use s3log_lint::graph::{LogGraph, Target};
use s3log_lint::inventory::{
    Call, Document, Encryption, Existence, Fact, Inventory, KeyFormat, Logging, Lost, ObjectOwnership, Payer,
    Place, TargetRef, Title, Why,
};
use s3log_lint::name::AccountId;

fn document(text: &str) -> Arc<Document> {
    Arc::new(Document {
        title: Title::File {
            path: "plan.json".to_owned(),
        },
        text: text.into(),
        host: None,
    })
}

fn logging_to(target: TargetRef, prefix: &str) -> Logging {
    Logging {
        target: Fact::Known(target),
        prefix: Fact::Known(prefix.to_owned()),
        key_format: Fact::Known(KeyFormat::Simple),
        target_grants: Vec::new(),
        place: Place::new(&document("{}"), ""),
        prefix_place: None,
    }
}

fn named(name: &str, fate: Fate) -> Declared {
    Declared::new(
        BucketKey::Name(name.to_owned()),
        format!("aws_s3_bucket.{name}"),
        fate,
    )
}

fn deployment(declared: Vec<Declared>) -> Deployment {
    Deployment {
        title: "plan.json".to_owned(),
        complete: true,
        declared,
        before: Vec::new(),
        remarks: Vec::new(),
    }
}

const NAMES: [&str; 4] = ["app-data", "images", "logs", "more-logs"];

/// An account in which some of the names exist, some with logging.
fn account() -> impl Strategy<Value = Inventory> {
    vec((any::<bool>(), 0..NAMES.len() + 2, any::<bool>()), NAMES.len()).prop_map(|buckets| {
        let mut answers = serde_json::Map::new();
        for (name, (exists, target, asked)) in NAMES.into_iter().zip(buckets) {
            let mut bucket = serde_json::json!({"region": "eu-west-1", "logging": {}});
            if let Some(target) = NAMES.get(target) {
                bucket["logging"] =
                    serde_json::json!({"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "a/"}});
            }
            if asked {
                bucket["request_payment"] = serde_json::json!({"Payer": "Requester"});
            }
            if exists {
                answers.insert(name.to_owned(), bucket);
            }
        }
        let text =
            serde_json::json!({"version": 1, "accounts": [{"id": "111122223333", "buckets": answers}]});
        snapshot::read(&text.to_string()).expect("a snapshot")
    })
}

fn key() -> impl Strategy<Value = BucketKey> {
    prop_oneof![
        (0..NAMES.len()).prop_map(|n| BucketKey::Name(NAMES[n].to_owned())),
        (0..3_usize).prop_map(|n| BucketKey::Address(format!("aws_s3_bucket.new[{n}]"))),
    ]
}

fn said_logging() -> impl Strategy<Value = Said<Logging>> {
    let target = prop_oneof![
        (0..NAMES.len()).prop_map(|n| TargetRef::Name(NAMES[n].to_owned())),
        (0..4_usize).prop_map(|n| TargetRef::Address(format!("aws_s3_bucket.new[{n}]"))),
    ];
    prop_oneof![
        Just(Said::Silent),
        Just(Said::Removes),
        Just(Said::Sets(Fact::Unknown(Why::AfterApply))),
        target.prop_map(|target| Said::Sets(Fact::Known(logging_to(target, "a/")))),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::NotSaid),
        Just(Fate::Kept),
        Just(Fate::Created),
        Just(Fate::Updated),
        Just(Fate::Deleted),
        Just(Fate::Forgotten),
        Just(Fate::Replaced),
    ]
}

fn declared() -> impl Strategy<Value = Declared> {
    (key(), fate(), said_logging(), any::<bool>()).prop_map(|(bucket, fate, logging, payer)| {
        let mut declared = Declared::new(bucket, "aws_s3_bucket.any", fate);
        declared.configuration.logging = logging.into();
        if payer {
            declared.configuration.payer = Said::Sets(Fact::Known(Payer::BucketOwner)).into();
        }
        declared
    })
}

fn file() -> impl Strategy<Value = Deployment> {
    (vec(declared(), 0..6), any::<bool>(), 0..1000_u32).prop_map(|(declared, complete, number)| Deployment {
        title: format!("plan-{number}.json"),
        complete,
        ..deployment(declared)
    })
}

proptest! {
    #[test]
    fn deploying_nothing_changes_nothing(base in account()) {
        prop_assert_eq!(overlay::onto(&base, &[]), base.clone());
        prop_assert_eq!(overlay::onto(&base, &[deployment(Vec::new())]), base);
    }

    #[test]
    fn what_stays_as_it_is_changes_nothing(base in account()) {
        let kept = base.accounts[0].buckets.iter().map(|bucket| {
            let mut kept = named(&bucket.label, Fate::Kept);
            // What the file last read is older than what AWS answered.
            kept.configuration.logging = Said::Unchanged(Fact::Known(logging_to(TargetRef::Name("old".to_owned()), ""))).into();
            kept
        });
        prop_assert_eq!(overlay::onto(&base, &[deployment(kept.collect())]), base);
    }

    #[test]
    fn forgetting_changes_nothing(base in account()) {
        let forgotten = base.accounts[0].buckets.iter().map(|bucket| named(&bucket.label, Fate::Forgotten));
        prop_assert_eq!(overlay::onto(&base, &[deployment(forgotten.collect())]), base);
    }

    #[test]
    fn deploying_twice_is_deploying_once(base in account(), file in file()) {
        let files = [file];
        let once = overlay::onto(&base, &files);
        let names: Vec<_> = files[0].declared.iter().filter(|each| matches!(each.bucket, BucketKey::Name(_))).cloned().collect();
        let again = [Deployment { declared: names, ..files[0].clone() }];
        // A bucket without a name would be a second one. And what is created anew over nothing starts fresh once.
        let fresh = again[0].declared.iter().any(|each| matches!(each.fate, Fate::Created | Fate::Deleted | Fate::Replaced));
        prop_assume!(!fresh && again[0].declared.len() == files[0].declared.len());
        prop_assert_eq!(overlay::onto(&once, &again), once);
    }

    #[test]
    fn the_order_of_the_files_does_not_matter(base in account(), a in file(), b in file()) {
        prop_assume!(a.title != b.title);
        let one = overlay::onto(&base, &[a.clone(), b.clone()]);
        let other = overlay::onto(&base, &[b, a]);
        let told = |inventory: &Inventory| -> Vec<_> {
            let mut all: Vec<_> = inventory.accounts.iter().flat_map(|account| &account.buckets).cloned().collect();
            for bucket in &mut all {
                bucket.place = None;
            }
            all
        };
        prop_assert_eq!(told(&one), told(&other));
    }

    #[test]
    fn two_buckets_without_a_name_are_never_one(a in file(), b in file()) {
        prop_assume!(a.title != b.title);
        let mut addresses = std::collections::BTreeSet::new();
        for (number, file) in [&a, &b].into_iter().enumerate() {
            for each in &file.declared {
                if let BucketKey::Address(address) = &each.bucket {
                    let deleted = file.declared.iter().any(|other| other.bucket == each.bucket && other.fate == Fate::Deleted);
                    let made = file.declared.iter().any(|other| other.bucket == each.bucket && matches!(other.fate, Fate::Created | Fate::Replaced));
                    if !deleted || made {
                        addresses.insert((number, address.clone()));
                    }
                }
            }
        }
        let inventory = overlay::alone(&[a, b]);
        let unnamed = inventory.accounts.iter().flat_map(|account| &account.buckets).filter(|bucket| !bucket.name_known);
        prop_assert_eq!(unnamed.count(), addresses.len());
    }

    #[test]
    fn a_deleted_bucket_is_missing_to_everyone(base in account(), n in 0..NAMES.len()) {
        let after = overlay::onto(&base, &[deployment(vec![named(NAMES[n], Fate::Deleted)])]);
        prop_assert!(after.accounts[0].bucket(NAMES[n]).is_none());
        let graph = LogGraph::new(&after);
        for (_, edge) in graph.edges() {
            if edge.target_text() == Some(NAMES[n]) {
                prop_assert_eq!(&edge.target, &Target::Missing);
            }
        }
        prop_assert_eq!(after.accounts[0].losses[NAMES[n]][0].of, Lost::Bucket);
    }

    #[test]
    fn buckets_stay_in_order_and_no_target_dangles(base in account(), files in vec(file(), 0..3)) {
        let after = overlay::onto(&base, &files);
        for account in &after.accounts {
            let labels: Vec<_> = account.buckets.iter().map(|bucket| &bucket.label).collect();
            let mut sorted = labels.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(labels, sorted);
            for bucket in &account.buckets {
                if let Fact::Known(logging) = &bucket.logging
                    && let Fact::Known(TargetRef::Address(address)) = &logging.target
                {
                    let told = account.bucket(address).is_some() || account.elsewhere.contains_key(address);
                    prop_assert!(told, "{}", address);
                }
            }
        }
    }
}

#[test]
fn a_created_bucket_starts_fresh_and_an_incomplete_plan_proves_nothing() {
    let created = vec![named("logs", Fate::Created)];
    let whole = overlay::alone(&[deployment(created.clone())]);
    let bucket = whole.accounts[0].bucket("logs").expect("it is created");
    assert_eq!(bucket.logging, Fact::Absent);
    assert_eq!(
        bucket.settings().object_ownership,
        Fact::Known(ObjectOwnership::BucketOwnerEnforced)
    );
    let part = overlay::alone(&[Deployment {
        complete: false,
        ..deployment(created)
    }]);
    let bucket = part.accounts[0].bucket("logs").expect("it is created");
    assert_eq!(bucket.logging, Fact::Unknown(Why::NotRead));
    assert_eq!(bucket.settings().policy, Fact::Unknown(Why::NotRead));
}

#[test]
fn three_files_make_one_bucket_of_one_name() {
    let mut source = Declared::new(
        BucketKey::Name("app-data".to_owned()),
        "aws_s3_bucket_logging.app",
        Fate::NotSaid,
    );
    source.configuration.logging =
        Said::Sets(Fact::Known(logging_to(TargetRef::Name("logs".to_owned()), "a/"))).into();
    let mut encrypted = Declared::new(
        BucketKey::Name("logs".to_owned()),
        "aws_s3_bucket_server_side_encryption_configuration.logs",
        Fate::NotSaid,
    );
    encrypted.configuration.encryption = Said::Sets(Fact::Known(Encryption {
        algorithm: "aws:kms".to_owned(),
        key: None,
    }))
    .into();
    let files = [
        deployment(vec![source]),
        deployment(vec![named("logs", Fate::Created)]),
        deployment(vec![encrypted]),
    ];
    let inventory = overlay::alone(&files);
    let graph = LogGraph::new(&inventory);
    let (_, edge) = graph.edges().next().expect("an edge");
    let target = edge.target_bucket().expect("the target of the other file");
    assert!(matches!(&target.settings().encryption, Fact::Known(encryption) if encryption.is_kms()));
    assert_eq!(edge.source.settings().encryption, Fact::Unknown(Why::NotRead));
}

#[test]
fn two_resources_that_disagree_leave_it_open() {
    let payer = |address: &str, payer: Said<Payer>| {
        let mut declared = Declared::new(BucketKey::Name("logs".to_owned()), address, Fate::NotSaid);
        declared.configuration.payer = payer.into();
        declared
    };
    let after = |second| {
        let first = payer("a", Said::Sets(Fact::Known(Payer::Requester)));
        let inventory = overlay::alone(&[deployment(vec![first, payer("b", second)])]);
        inventory.accounts[0].buckets[0].settings().payer.clone()
    };
    assert_eq!(
        after(Said::Sets(Fact::Known(Payer::BucketOwner))),
        Fact::Unknown(Why::AfterApply)
    );
    assert_eq!(after(Said::Removes), Fact::Unknown(Why::AfterApply));
    assert_eq!(
        after(Said::Sets(Fact::Known(Payer::Requester))),
        Fact::Known(Payer::Requester)
    );
    assert_eq!(
        after(Said::Unchanged(Fact::Known(Payer::BucketOwner))),
        Fact::Known(Payer::Requester)
    );
}

#[test]
fn what_may_mean_another_bucket_leaves_each_of_them_open() {
    let mut open = Declared::new(
        BucketKey::OneOf(Vec::new()),
        "aws_s3_bucket_policy.any",
        Fate::NotSaid,
    );
    open.configuration.policy = Said::Sets(Fact::Known(document("{}"))).into();
    let mut clear = Declared::new(
        BucketKey::Name("images".to_owned()),
        "aws_s3_bucket_policy.images",
        Fate::NotSaid,
    );
    clear.configuration.policy = Said::Removes.into();
    let inventory = overlay::alone(&[deployment(vec![
        named("images", Fate::Created),
        named("logs", Fate::Created),
        clear,
        open,
    ])]);
    let policy = |name: &str| {
        let bucket = inventory.accounts[0].bucket(name).expect("it is created");
        bucket.settings().policy.clone()
    };
    assert_eq!(policy("images"), Fact::Absent);
    assert_eq!(policy("logs"), Fact::Unknown(Why::AfterApply));
}

#[test]
fn an_edge_of_an_unclear_source_is_an_edge() {
    let mut open = Declared::new(
        BucketKey::OneOf(Vec::new()),
        "aws_s3_bucket_logging.any",
        Fate::NotSaid,
    );
    open.configuration.logging =
        Said::Sets(Fact::Known(logging_to(TargetRef::Name("logs".to_owned()), "a/"))).into();
    let inventory = overlay::alone(&[deployment(vec![named("logs", Fate::Created), open])]);
    let graph = LogGraph::new(&inventory);
    let (_, edge) = graph.edges().next().expect("an edge");
    assert_eq!(&*edge.source.label, "aws_s3_bucket_logging.any");
    assert!(!edge.source.name_known);
    // It may be the target's own: then it would log to itself, and nobody can tell.
    assert_eq!(
        inventory.accounts[0]
            .bucket("logs")
            .map(|bucket| bucket.logging.clone()),
        Some(Fact::Unknown(Why::AfterApply))
    );
}

#[test]
fn a_replaced_bucket_starts_again_and_its_absence_is_told() {
    let base = snapshot::read(
        r#"{"version":1,"accounts":[{"id":"111122223333","buckets":{
            "logs":{"region":"eu-west-1","logging":{},"policy":{"Policy":"{}"}}}}]}"#,
    )
    .expect("a snapshot");
    let after = overlay::onto(&base, &[deployment(vec![named("logs", Fate::Replaced)])]);
    assert_eq!(after.accounts[0].buckets[0].settings().policy, Fact::Absent);
    assert_eq!(after.accounts[0].losses["logs"][0].of, Lost::BucketForAWhile);
}

#[test]
fn files_find_their_account_by_id_by_their_buckets_or_by_being_alone() {
    let base = snapshot::read(
        r#"{"version":1,"accounts":[
            {"id":"111122223333","buckets":{"app-data":{"region":"eu-west-1","logging":{}}}},
            {"id":"444455556666","buckets":{"logs":{"region":"eu-west-1","logging":{}}}}]}"#,
    )
    .expect("a snapshot");
    let home = |declared: Vec<Declared>| {
        let after = overlay::onto(&base, &[deployment(declared)]);
        let holder = after
            .accounts
            .iter()
            .find(|account| account.bucket("new").is_some());
        holder.and_then(|account| account.id.known().cloned())
    };
    assert_eq!(
        home(vec![named("new", Fate::Created), named("logs", Fate::Kept)]),
        AccountId::parse("444455556666").ok()
    );
    let mut owned = named("new", Fate::Created);
    owned.owner.account = AccountId::parse("111122223333").ok();
    assert_eq!(home(vec![owned]), AccountId::parse("111122223333").ok());
    assert_eq!(home(vec![named("new", Fate::Created)]), None);
}

#[test]
fn other_credentials_may_be_the_same_account_or_not() {
    let mut source = named("app-data", Fate::Created);
    source.configuration.logging =
        Said::Sets(Fact::Known(logging_to(TargetRef::Name("logs".to_owned()), "a/"))).into();
    let mut target = named("logs", Fate::Created);
    target.owner = Owner {
        credentials: "profile=audit".to_owned(),
        ..Owner::default()
    };
    let inventory = overlay::alone(&[deployment(vec![source, target])]);
    let graph = LogGraph::new(&inventory);
    let (_, edge) = graph.edges().next().expect("an edge");
    assert_eq!(edge.target, Target::Unknown(Why::NotRead));
}

#[test]
fn a_created_bucket_is_missing_no_longer() {
    let base = snapshot::read(
        r#"{"version":1,"accounts":[{"id":"111122223333",
            "buckets":{"app-data":{"region":"eu-west-1","logging":{"LoggingEnabled":{"TargetBucket":"logs","TargetPrefix":""}}}},
            "elsewhere":{"logs":{"head":{"error":{"code":"404","status":404}}}}}]}"#,
    )
    .expect("a snapshot");
    assert_eq!(base.accounts[0].elsewhere["logs"], Existence::Missing);
    let after = overlay::onto(&base, &[deployment(vec![named("logs", Fate::Created)])]);
    assert!(after.accounts[0].elsewhere.is_empty());
}

#[test]
fn the_file_tells_what_aws_was_not_asked() {
    let base = snapshot::read(
        r#"{"version":1,"accounts":[{"id":"111122223333","buckets":{"logs":{"region":"eu-west-1","logging":{}}}}]}"#,
    )
    .expect("a snapshot");
    let mut kept = named("logs", Fate::Kept);
    kept.configuration.payer = Said::Unchanged(Fact::Known(Payer::Requester)).into();
    kept.configuration
        .places
        .insert(Call::RequestPayment, Place::new(&document("{}"), "/payer"));
    let after = overlay::onto(&base, &[deployment(vec![kept])]);
    let settings = after.accounts[0].buckets[0].settings();
    assert_eq!(settings.payer, Fact::Known(Payer::Requester));
    let place = settings.places.get(&Call::RequestPayment);
    assert_eq!(place.map(|place| place.pointer.as_str()), Some("/payer"));
}

#[test]
fn what_may_mean_a_bucket_that_is_there_leaves_it_open() {
    let base = snapshot::read(
        r#"{"version":1,"unasked":"absent","accounts":[{"id":"111122223333","buckets":{
            "app":{"region":"eu-west-1","logging":{"LoggingEnabled":{"TargetBucket":"logs","TargetPrefix":"a/"}}},
            "logs":{"region":"eu-west-1"},"other":{"region":"eu-west-1"}}}]}"#,
    )
    .expect("a snapshot");
    let policy_of = |bucket: BucketKey| {
        let mut open = Declared::new(bucket, "aws_s3_bucket_policy.open", Fate::NotSaid);
        open.configuration.policy = Said::Sets(Fact::Known(document("{}"))).into();
        let after = overlay::onto(&base, &[deployment(vec![open])]);
        let account = &after.accounts[0];
        ["app", "logs", "other"].map(|name| {
            let bucket = account.bucket(name).expect("it is still there");
            bucket.settings().policy.why().is_some()
        })
    };
    let one_of = |names: &[&str]| {
        BucketKey::OneOf(
            names
                .iter()
                .map(|name| BucketKey::Name((*name).to_owned()))
                .collect(),
        )
    };
    assert_eq!(policy_of(one_of(&["logs", "nowhere"])), [false, true, false]);
    assert_eq!(policy_of(BucketKey::Any), [true, true, true]);
    // What a plan tells only after the deploy isn't there before it.
    assert_eq!(policy_of(one_of(&[])), [false, false, false]);
}

#[test]
fn a_state_is_of_the_account_that_what_is_laid_onto_it_names() {
    let owned = |account: Option<&str>, credentials: &str| {
        let mut declared = named("logs", Fate::Kept);
        declared.owner.account = account.map(|id| AccountId::parse(id).expect("an account id"));
        declared.owner.credentials = credentials.to_owned();
        declared
    };
    let state = || overlay::alone(&[deployment(vec![owned(None, "")])]);
    let identified = |declared: Vec<Declared>| {
        let (mut base, files) = (state(), [deployment(declared)]);
        overlay::identify(&mut base, &files);
        let after = overlay::onto(&base, &files);
        (base.accounts[0].id.known().is_some(), after.accounts.len())
    };
    assert_eq!(identified(vec![owned(Some("111122223333"), "")]), (true, 1));
    assert_eq!(identified(vec![owned(None, "")]), (false, 1));
    let two = vec![
        owned(Some("111122223333"), ""),
        owned(Some("444455556666"), "role"),
    ];
    assert!(!identified(two).0);
}

#[test]
fn credentials_of_their_own_are_not_taken_for_the_only_account() {
    let base = snapshot::read(
        r#"{"version":1,"accounts":[{"id":"111122223333","buckets":{"app":{"region":"eu-west-1"}}}]}"#,
    )
    .expect("a snapshot");
    let created = |name: &str, account: Option<&str>, credentials: &str| {
        let mut declared = named(name, Fate::Created);
        declared.owner.account = account.map(|id| AccountId::parse(id).expect("an account id"));
        declared.owner.credentials = credentials.to_owned();
        declared
    };
    let accounts = |declared| overlay::onto(&base, &[deployment(declared)]).accounts.len();
    let alias = || created("logs", None, "assume_role");
    assert_eq!(accounts(vec![alias()]), 1);
    assert_eq!(
        accounts(vec![created("app-b", Some("111122223333"), ""), alias()]),
        2
    );
}
