//! A template laid onto a recorded account. CloudFormation takes away what the template before had and this one lacks,
//! and leaves alone what none ever had; the template alone can't tell the two apart.

use std::collections::{BTreeMap, BTreeSet};

use s3log_lint::collect::cloudformation::{self, Hints, There};
use s3log_lint::collect::deployment::{BucketKey, Deployment};
use s3log_lint::collect::{overlay, snapshot};
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::{
    Acl, Bucket, Encryption, Fact, Inventory, LifecycleRule, ObjectLock, ObjectOwnership, Payer,
    PublicAccessBlock, Versioning, Why,
};
use s3log_lint::name::{AccountId, Region};
use s3log_lint::rules::{self, Rule};
use serde_json::{Value, json};

use crate::{source, try_read};

/// `app-data` logs to `logs`; what else `logs` has is given.
fn account(logs: Value) -> Inventory {
    let mut target = json!({"region": "eu-west-1", "logging": {}});
    for (key, answer) in logs.as_object().expect("answers") {
        target[key] = answer.clone();
    }
    let text = json!({"version": 1, "unasked": "absent", "accounts": [{"id": "111122223333", "buckets": {
        "app-data": {"region": "eu-west-1", "logging":
            {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "app-data/"}}},
        "logs": target,
    }}]});
    snapshot::read(&text.to_string()).expect("a snapshot")
}

fn grant() -> Value {
    json!({"Policy": {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]}})
}

fn laid(template: &str, base: &Inventory) -> Inventory {
    let deployment =
        try_read(&[("t.yaml", template)], &Hints::default()).unwrap_or_else(|error| panic!("{error}"));
    overlay::onto(base, &[deployment])
}

/// The template declares `logs`, with these properties besides its name.
fn after(properties: &str, base: &Inventory) -> Bucket {
    let template = format!(
        "Resources:\n  Logs:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: logs\n{properties}"
    );
    let inventory = laid(&template, base);
    inventory.accounts[0]
        .bucket("logs")
        .expect("it is declared")
        .clone()
}

#[test]
fn a_bucket_whose_name_is_open_may_be_the_one_that_is_there() {
    let said = |name: &str, prefix: &str| {
        let template = format!(
            "Parameters: {{Env: {{Type: String}}}}
Resources:
  App:
    Type: AWS::S3::Bucket
    Properties:
      {name}
      LoggingConfiguration: {{DestinationBucketName: logs, LogFilePrefix: {prefix}/}}
"
        );
        let inventory = laid(&template, &account(json!({})));
        let graph = LogGraph::new(&inventory);
        let outcome = rules::run(&graph, &rules::ALL.iter().collect::<Vec<_>>());
        (
            outcome.findings.iter().any(|each| each.rule.code == "S3L007"),
            outcome.undecided.iter().any(|each| each.rule.code == "S3L007"),
        )
    };
    assert_eq!(said("BucketName: !Sub '${Env}-data'", "app-data"), (false, true));
    assert_eq!(said("BucketName: !Sub '${Env}-data'", "other"), (false, false));
    assert_eq!(said("BucketName: other-data", "app-data"), (true, false));
    assert_eq!(said("BucketName: app-data", "app-data"), (false, false));
}

const LEFT_OUT: Why = Why::LeftOut;

#[test]
fn what_is_left_out_stays_only_where_nothing_would_be_taken_away() {
    let silent = |answers: Value| after("", &account(answers));
    let nothing = silent(json!({}));
    let settings = nothing.settings();
    assert_eq!(nothing.logging, Fact::Absent);
    assert_eq!(settings.policy, Fact::Absent);
    assert_eq!(settings.acl, Fact::Known(Acl::default()));
    assert_eq!(settings.encryption, Fact::Absent);
    assert_eq!(settings.object_lock, Fact::Absent);
    assert_eq!(settings.lifecycle, Fact::Absent);
    assert_eq!(settings.versioning, Fact::Absent);
    // Taken away, these leave ACLs in force and the public let in: not what a bucket of today has.
    assert_eq!(settings.object_ownership, Fact::Unknown(LEFT_OUT));
    assert_eq!(settings.public_access_block, Fact::Unknown(LEFT_OUT));

    let at_rest = silent(json!({
        "acl": {"Owner": {"ID": "abc"}, "Grants": [
            {"Grantee": {"Type": "CanonicalUser", "ID": "abc"}, "Permission": "FULL_CONTROL"}]},
        "ownership_controls": {"error": {"code": "OwnershipControlsNotFoundError", "status": 404}},
        "encryption": {"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}},
        "object_lock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
        "versioning": {"Status": "Suspended"},
        "public_access_block": {"error": {"code": "NoSuchPublicAccessBlockConfiguration", "status": 404}},
    }));
    let settings = at_rest.settings();
    assert!(settings.acl.known().is_some());
    assert_eq!(settings.object_ownership, Fact::Absent);
    assert!(settings.encryption.known().is_some_and(Encryption::is_sse_s3));
    assert!(settings.object_lock.known().is_some_and(|lock| lock.enabled));
    assert_eq!(settings.versioning, Fact::Known(Versioning::Suspended));
    assert_eq!(settings.public_access_block, Fact::Absent);

    let configured = silent(json!({
        "logging": {"LoggingEnabled": {"TargetBucket": "app-data", "TargetPrefix": "logs/"}},
        "policy": grant(),
        "acl": {"Owner": {"ID": "abc"}, "Grants": [{"Permission": "WRITE", "Grantee":
            {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}}]},
        "ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        "encryption": {"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}},
        "object_lock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}},
        "request_payment": {"Payer": "Requester"},
        "lifecycle": {"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 30}}]},
        "versioning": {"Status": "Enabled"},
        "public_access_block": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": true,
            "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false}},
    }));
    let settings = configured.settings();
    assert_eq!(configured.logging, Fact::Unknown(LEFT_OUT));
    assert_eq!(settings.policy, Fact::Unknown(LEFT_OUT));
    assert_eq!(settings.acl, Fact::Unknown(LEFT_OUT));
    // Without controls the writer owns the object too.
    assert_eq!(
        settings.object_ownership,
        Fact::Known(ObjectOwnership::ObjectWriter)
    );
    assert_eq!(settings.encryption, Fact::Unknown(LEFT_OUT));
    assert_eq!(settings.object_lock, Fact::Unknown(LEFT_OUT));
    assert_eq!(settings.lifecycle, Fact::<Vec<LifecycleRule>>::Unknown(LEFT_OUT));
    assert_eq!(settings.versioning, Fact::Unknown(LEFT_OUT));
    assert_eq!(
        settings.public_access_block,
        Fact::<PublicAccessBlock>::Unknown(LEFT_OUT)
    );
    // No template can say who pays: it stays.
    assert_eq!(settings.payer, Fact::Known(Payer::Requester));
}

#[test]
fn what_was_not_read_stays_unread() {
    let base = snapshot::read(
        r#"{"version":1,"accounts":[{"id":"111122223333","buckets":{"logs":{"region":"eu-west-1","logging":{}}}}]}"#,
    )
    .expect("a snapshot");
    let logs = after("", &base);
    assert_eq!(logs.settings().policy, Fact::Unknown(Why::NotRead));
    assert_eq!(logs.settings().encryption, Fact::Unknown(Why::NotRead));
}

#[test]
fn a_new_bucket_has_what_new_buckets_have() {
    let base = account(json!({"policy": grant()}));
    let template = "Resources: {New: {Type: 'AWS::S3::Bucket', Properties: {BucketName: new}}}";
    let inventory = laid(template, &base);
    let new = inventory.accounts[0].bucket("new").expect("it is declared");
    assert_eq!(
        new.settings().object_ownership,
        Fact::Known(ObjectOwnership::BucketOwnerEnforced)
    );
    assert_eq!(new.settings().policy, Fact::Absent);
    assert_eq!(new.logging, Fact::Absent);
}

#[test]
fn a_canned_acl_without_controls_is_honoured_where_acls_are_in_force() {
    let acl = "      AccessControl: LogDeliveryWrite\n";
    let old =
        json!({"ownership_controls": {"error": {"code": "OwnershipControlsNotFoundError", "status": 404}}});
    assert_eq!(
        after(acl, &account(old)).settings().object_ownership,
        Fact::Absent
    );
    let enforced = after(acl, &account(json!({})));
    assert_eq!(enforced.settings().object_ownership, Fact::Unknown(LEFT_OUT));
}

#[test]
fn object_lock_that_is_switched_on_keeps_a_retention_that_it_may_have() {
    let on = "      ObjectLockEnabled: true\n";
    let lock = |answers: Value| after(on, &account(answers)).settings().object_lock.clone();
    let enabled = Fact::Known(ObjectLock {
        enabled: true,
        default_retention: None,
    });
    assert_eq!(lock(json!({})), enabled);
    let retained = json!({"object_lock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}}});
    assert_eq!(lock(retained), Fact::Unknown(LEFT_OUT));
}

/// The codes of what was found, and of what stayed open, each with its bucket.
fn told(inventory: &Inventory) -> (BTreeSet<String>, BTreeSet<String>) {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static Rule> = rules::ALL.iter().collect();
    let outcome = rules::run(&graph, &all);
    let name = |code: &str, bucket: &str| format!("{code} {bucket}");
    (
        outcome
            .findings
            .iter()
            .map(|each| name(each.rule.code, &each.subject.bucket))
            .collect(),
        outcome
            .undecided
            .iter()
            .map(|each| name(each.rule.code, &each.subject.bucket))
            .collect(),
    )
}

#[test]
fn a_whole_template_leaves_nothing_open_and_a_silent_one_no_more_than_it_must() {
    let base = account(json!({"policy": grant(), "lifecycle": {"Rules": [
        {"ID": "a", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 30}}]}}));
    let (found, open) = told(&base);
    assert_eq!((found.len(), open.len()), (0, 0), "{found:?} {open:?}");
    let both = "Resources:
  App:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: app-data
      LoggingConfiguration: {DestinationBucketName: logs, LogFilePrefix: app-data/}
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: logs
      LifecycleConfiguration: {Rules: [{Status: Enabled, ExpirationInDays: 30}]}
";
    let policy = "  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: logs
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          Effect: Allow
          Principal: {Service: logging.s3.amazonaws.com}
          Action: s3:PutObject
          Resource: arn:aws:s3:::logs/*
          Condition: {StringEquals: {'aws:SourceAccount': '111122223333'}}
";
    let (found, open) = told(&laid(&format!("{both}{policy}"), &base));
    assert_eq!((found.len(), open.len()), (0, 0), "{found:?} {open:?}");
    // The policy may have been the stack's: then its logs arrive no more.
    let (found, open) = told(&laid(both, &base));
    assert_eq!(found.len(), 0, "{found:?}");
    assert!(open.contains("S3L101 app-data"), "{open:?}");
    // A template that only names the bucket never held its policy.
    let source = both.split("  Logs:").next().expect("the first resource");
    let (found, open) = told(&laid(source, &base));
    assert_eq!((found.len(), open.len()), (0, 0), "{found:?} {open:?}");
}

#[test]
fn logging_that_is_left_out_makes_no_finding_of_the_bucket_or_its_target() {
    let base = account(json!({"policy": grant()}));
    let (before, _) = told(&base);
    let template = "Resources: {App: {Type: 'AWS::S3::Bucket', Properties: {BucketName: app-data}}}";
    let after = laid(template, &base);
    let (found, open) = told(&after);
    let new: Vec<_> = found.difference(&before).collect();
    assert!(new.is_empty(), "{new:?}");
    assert!(open.contains("S3L009 app-data"), "{open:?}");
    let undecided = |inventory: &Inventory| {
        let graph = LogGraph::new(inventory);
        let all: Vec<&'static Rule> = rules::ALL.iter().collect();
        let outcome = rules::run(&graph, &all);
        let open = outcome.undecided.into_iter();
        open.map(|each| (each.said.why, each.said.needs))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        undecided(&after),
        BTreeSet::from([(LEFT_OUT, Some("cloudformation:DescribeChangeSet".to_owned()))])
    );
}

/// What a template declares, where each of these accounts holds these buckets in these regions.
fn told_by(template: &str, accounts: &[(&str, &[(&str, &str)])]) -> Deployment {
    let accounts: Vec<Value> = accounts
        .iter()
        .map(|(id, buckets)| {
            let answers: BTreeMap<_, _> = buckets
                .iter()
                .map(|(name, region)| (*name, json!({"region": region, "logging": {}})))
                .collect();
            json!({"id": id, "buckets": answers})
        })
        .collect();
    let text = json!({"version": 1, "accounts": accounts});
    let hints = Hints {
        there: There::of(&snapshot::read(&text.to_string()).expect("a snapshot")),
        ..Hints::default()
    };
    try_read(&[("t.yaml", template)], &hints).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_is_there_tells_the_account_and_the_region() {
    let template = "Conditions: {Never: !Equals [a, b]}
Resources:
  Named: {Type: 'AWS::S3::Bucket', Properties: {BucketName: logs}}
  Left: {Type: 'AWS::S3::Bucket', Condition: Never, Properties: {BucketName: images}}
  New: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub 'new-${AWS::AccountId}-${AWS::Region}'}}
";
    let new = |accounts: &[(&str, &[(&str, &str)])]| {
        let deployment = told_by(template, accounts);
        let new = deployment
            .declared
            .iter()
            .find(|declared| declared.address == "t/New")
            .expect("it is declared");
        let name = match &new.bucket {
            BucketKey::Name(name) => Some(name.clone()),
            BucketKey::Address(_) | BucketKey::OneOf(_) | BucketKey::Any => None,
        };
        let account = new.owner.account.as_ref().map(ToString::to_string);
        (name, account, deployment.remarks.len())
    };
    let (ours, theirs) = ("111122223333", "444455556666");
    let name = |text: &str| Some(text.to_owned());
    // The bucket that the template names says both, whatever else is there.
    assert_eq!(
        new(&[
            (ours, &[("images", "us-east-1"), ("logs", "eu-west-1")]),
            (theirs, &[("other", "us-east-1")])
        ]),
        (name("new-111122223333-eu-west-1"), name(ours), 0)
    );
    // One account with buckets in one region: that is taken, and said.
    assert_eq!(
        new(&[(ours, &[("a", "eu-west-1"), ("b", "eu-west-1")])]),
        (name("new-111122223333-eu-west-1"), name(ours), 1)
    );
    // Two regions, and no bucket that tells which.
    let (bucket, account, _) = new(&[(ours, &[("a", "eu-west-1"), ("b", "us-east-1")])]);
    assert_eq!((bucket, account), (None, name(ours)));
    // Two accounts.
    let (bucket, account, _) = new(&[(ours, &[("a", "eu-west-1")]), (theirs, &[("b", "eu-west-1")])]);
    assert_eq!((bucket, account), (None, None));
}

#[test]
fn what_the_user_says_goes_before_what_is_there() {
    let base = account(json!({}));
    let hints = Hints {
        account: AccountId::parse("444455556666").ok(),
        region: Region::parse("us-east-1").ok(),
        there: There::of(&base),
        ..Hints::default()
    };
    let template = "Resources: {New: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub 'new-${AWS::AccountId}-${AWS::Region}'}}}";
    let deployment = try_read(&[("t.yaml", template)], &hints).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        deployment.declared[0].bucket,
        BucketKey::Name("new-444455556666-us-east-1".to_owned())
    );
}

#[test]
fn a_nested_stack_goes_where_the_one_around_it_goes() {
    let outer = "Resources:
  Logs: {Type: 'AWS::S3::Bucket', Properties: {BucketName: logs}}
  Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: inner.yaml}}
";
    let inner =
        "Resources: {New: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub 'new-${AWS::Region}'}}}";
    let hints = Hints {
        there: There::of(&account(json!({}))),
        ..Hints::default()
    };
    let mut load = |path: &str| (path == "inner.yaml").then(|| inner.to_owned());
    let deployment = cloudformation::read(&[source("outer.yaml", outer)], &hints, &mut load)
        .unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<_> = deployment
        .declared
        .iter()
        .map(|declared| &declared.bucket)
        .collect();
    assert!(
        names.contains(&&BucketKey::Name("new-eu-west-1".to_owned())),
        "{names:?}"
    );
}
