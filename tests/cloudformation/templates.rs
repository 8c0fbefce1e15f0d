//! What small templates come to, one question each.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use s3log_lint::collect::cloudformation::{self, Hints, Kind, Parameter, TemplateError};
use s3log_lint::collect::deployment::{BucketKey, Declared, Deployment, Fate, Said};
use s3log_lint::inventory::{
    Document, Fact, Grantee, KeyFormat, Logging, ObjectOwnership, Place, TargetRef, Why,
};
use s3log_lint::name::{AccountId, Region};
use s3log_lint::policy::open;

use crate::{read, source, try_read};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/cloudformation")
        .join(name);
    std::fs::read_to_string(path).expect("a fixture")
}

/// A template with these resources, in YAML, each line as it is.
fn with(sections: &str, resources: &str) -> Deployment {
    let indented: String = resources.lines().map(|line| format!("  {line}\n")).collect();
    read(&[("t.yaml", &format!("{sections}\nResources:\n{indented}"))])
}

fn declared<'d>(deployment: &'d Deployment, address: &str) -> &'d Declared {
    let found = deployment
        .declared
        .iter()
        .find(|declared| declared.address == address);
    found.unwrap_or_else(|| panic!("{address} is not declared: {deployment:#?}"))
}

fn logging<'d>(deployment: &'d Deployment, address: &str) -> &'d Logging {
    match &*declared(deployment, address).configuration.logging {
        Said::Sets(Fact::Known(logging)) => logging,
        other => panic!("{address}: {other:?}"),
    }
}

fn policy<'d>(deployment: &'d Deployment, address: &str) -> &'d Arc<Document> {
    match &*declared(deployment, address).configuration.policy {
        Said::Sets(Fact::Known(document)) => document,
        other => panic!("{address}: {other:?}"),
    }
}

fn shown(place: &Place) -> &str {
    let span = place.span.clone().expect("a span");
    &place.document.text[span]
}

fn name(text: &str) -> Fact<TargetRef> {
    Fact::Known(TargetRef::Name(text.to_owned()))
}

fn address(text: &str) -> Fact<TargetRef> {
    Fact::Known(TargetRef::Address(text.to_owned()))
}

/// Everything but the places.
fn said(deployment: &Deployment) -> Vec<String> {
    let place = |_: &Place| "";
    deployment
        .declared
        .iter()
        .map(|declared| {
            let all = &declared.configuration;
            let logging = match &*all.logging {
                Said::Sets(Fact::Known(logging)) => format!(
                    "{:?} {:?} {:?} {}",
                    logging.target,
                    logging.prefix,
                    logging.key_format,
                    place(&logging.place)
                ),
                other => format!("{other:?}"),
            };
            let policy = match &*all.policy {
                Said::Sets(Fact::Known(document)) => document.text.to_string(),
                other => format!("{other:?}"),
            };
            let allowances: Vec<_> = declared
                .allowances
                .iter()
                .map(|allowance| (&allowance.rule, &allowance.reason, &allowance.expires))
                .collect();
            format!(
                "{} {:?} {:?} {:?} {:?} | {logging} | {policy} | {:?} {:?} {:?} {:?} {:?} {:?} {:?} | {allowances:?}",
                declared.address,
                declared.bucket,
                declared.fate,
                declared.region,
                declared.owner,
                all.acl,
                all.object_ownership,
                all.encryption,
                all.object_lock,
                all.lifecycle,
                all.versioning,
                all.public_access_block,
            )
        })
        .collect()
}

#[test]
fn one_template_in_json_and_in_yaml_is_one_deployment() {
    let yaml = read(&[("app.yaml", &fixture("app.yaml"))]);
    let json = read(&[("app.json", &fixture("app.json"))]);
    assert_eq!(said(&yaml), said(&json));
    assert_eq!(yaml.remarks, json.remarks);
    assert_eq!(yaml.declared.len(), 4);
}

#[test]
fn places_are_the_templates_own() {
    for path in ["app.yaml", "app.json"] {
        let deployment = read(&[(path, &fixture(path))]);
        let app = logging(&deployment, "app/App");
        assert!(
            shown(&app.place).contains("LogFilePrefix"),
            "{}",
            shown(&app.place)
        );
        assert!(!shown(&app.place).contains("Loop"));
        let place = declared(&deployment, "app/App").place.as_ref().expect("a place");
        assert_eq!(shown(place).trim_matches('"'), "App");
        // A place in the policy that was made of the template's parts is shown in the template.
        let document = policy(&deployment, "app/LogsPolicy");
        let at = |pointer: &str| Place::new(document, pointer).as_written();
        assert!(shown(&at("/Statement/0")).contains("LetS3WriteLogs"));
        assert!(shown(&at("/Statement/0/Resource")).contains("${Logs.Arn}/${Prefix}*"));
        assert!(shown(&at("/Statement/0/Condition/ArnLike/aws:SourceArn")).contains("App"));
        assert_eq!(
            shown(&at("/Statement/0/Action")).trim_matches('"'),
            "s3:PutObject"
        );
        assert_eq!(at("/Statement/0/NotThere"), at("/Statement/0"));
        assert_eq!(at("/Statement/0").document.path(), Some(path));
    }
}

#[test]
fn a_bucket_without_a_name_goes_by_its_address_on_both_sides() {
    let deployment = read(&[("app.yaml", &fixture("app.yaml"))]);
    assert_eq!(
        declared(&deployment, "app/App").bucket,
        BucketKey::Address("app/App".to_owned())
    );
    assert_eq!(logging(&deployment, "app/App").target, address("app/Logs"));
    assert_eq!(
        logging(&deployment, "app/App").prefix,
        Fact::Known("app/".to_owned())
    );
    let policy = policy(&deployment, "app/LogsPolicy");
    let text = open::shown(&policy.text);
    assert!(text.contains(r#""arn:aws:s3:::${app/Logs}/app/*""#), "{text}");
    assert!(text.contains(r#""arn:aws:s3:::${app/App}""#), "{text}");
    assert!(
        policy.text.contains(r#""Version":"2012-10-17""#),
        "{}",
        policy.text
    );
}

#[test]
fn logging_without_a_destination_is_self_logging() {
    let deployment = with(
        "",
        "Named:\n  Type: AWS::S3::Bucket\n  Properties: {BucketName: amzn-s3-demo-a, LoggingConfiguration: {LogFilePrefix: x/}}\n\
         Unnamed:\n  Type: AWS::S3::Bucket\n  Properties: {LoggingConfiguration: {}}\n",
    );
    assert_eq!(logging(&deployment, "t/Named").target, name("amzn-s3-demo-a"));
    assert_eq!(logging(&deployment, "t/Unnamed").target, address("t/Unnamed"));
    assert_eq!(
        logging(&deployment, "t/Unnamed").prefix,
        Fact::Known(String::new())
    );
}

#[test]
fn a_condition_that_hangs_on_nothing_known_leaves_open_only_what_differs() {
    let sections = "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, x]}";
    let deployment = with(
        sections,
        "A:\n  Type: AWS::S3::Bucket\n  Properties:\n    BucketName: amzn-s3-demo-a\n    \
         LoggingConfiguration: !If [C, {DestinationBucketName: logs, LogFilePrefix: a/}, {DestinationBucketName: logs, LogFilePrefix: b/}]\n\
         B:\n  Type: AWS::S3::Bucket\n  Properties:\n    LoggingConfiguration: !If [C, {DestinationBucketName: logs}, !Ref AWS::NoValue]\n\
         D:\n  Type: AWS::S3::Bucket\n  Condition: C\n  Properties:\n    LoggingConfiguration: !If [C, {DestinationBucketName: logs}, !Ref AWS::NoValue]\n",
    );
    let a = logging(&deployment, "t/A");
    assert_eq!(a.target, name("logs"));
    assert_eq!(a.prefix, Fact::Unknown(Why::NotRead));
    assert_eq!(
        declared(&deployment, "t/B").configuration.logging,
        Said::Sets(Fact::Unknown(Why::NotRead))
    );
    // Where the bucket itself hangs on the condition, the condition holds wherever the bucket is.
    assert_eq!(logging(&deployment, "t/D").target, name("logs"));
    let about = |text: &str| {
        deployment
            .remarks
            .iter()
            .filter(|remark| remark.contains(text))
            .count()
    };
    assert_eq!(about("`t/D` is deployed hangs on the condition `C`"), 1);
    assert_eq!(about("--parameter P=VALUE"), 1, "{:?}", deployment.remarks);
}

#[test]
fn a_parameter_is_given_or_has_a_default_or_is_unknown() {
    let template = "Parameters:\n  T: {Type: String, Default: from-default}\n  S: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /path}\n  \
                    N: {Type: String, Default: hush-hush, NoEcho: true}\n  L: {Type: CommaDelimitedList, Default: 'a, b'}\n\
                    Resources:\n  A: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Ref T}}}\n  \
                    B: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Ref S}}}\n  \
                    C: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Ref N}}}\n  \
                    D: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Select [1, !Ref L]}}}\n  \
                    E: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: '{{resolve:ssm:/x}}-logs'}}}\n";
    let default = read(&[("t.yaml", template)]);
    assert_eq!(logging(&default, "t/A").target, name("from-default"));
    assert_eq!(logging(&default, "t/B").target, Fact::Unknown(Why::NotRead));
    assert_eq!(logging(&default, "t/C").target, Fact::Unknown(Why::NotRead));
    assert_eq!(logging(&default, "t/D").target, name("b"));
    assert_eq!(logging(&default, "t/E").target, Fact::Unknown(Why::NotRead));
    assert!(!format!("{:?} {:?}", said(&default), default.remarks).contains("hush-hush"));
    let hints = |parameter: &str| Hints {
        parameters: BTreeMap::from([(parameter.to_owned(), Parameter::Value("given".to_owned()))]),
        ..Hints::default()
    };
    let given = try_read(&[("t.yaml", template)], &hints("T")).expect("a template");
    assert_eq!(logging(&given, "t/A").target, name("given"));
    let error = try_read(&[("t.yaml", template)], &hints("Tt")).expect_err("no such parameter");
    assert!(matches!(error, TemplateError::NoSuchParameter { .. }), "{error}");
}

#[test]
fn two_references_to_a_name_that_is_known_in_part_are_one_bucket() {
    let resources = "Logs:\n  Type: AWS::S3::Bucket\n  Properties: {BucketName: !Sub 'logs-${AWS::AccountId}-${AWS::Region}'}\n\
                     A:\n  Type: AWS::S3::Bucket\n  Properties:\n    LoggingConfiguration:\n      DestinationBucketName: !Join ['-', [logs, !Ref AWS::AccountId, !Ref AWS::Region]]\n\
                     P:\n  Type: AWS::S3::BucketPolicy\n  Properties:\n    Bucket: !Sub 'logs-${AWS::AccountId}-${AWS::Region}'\n    PolicyDocument:\n      Statement:\n        Effect: Allow\n        Resource: !Sub 'arn:${AWS::Partition}:s3:::logs-${AWS::AccountId}-${AWS::Region}/*'\n";
    let deployment = with("", resources);
    assert_eq!(logging(&deployment, "t/A").target, address("t/Logs"));
    assert_eq!(
        declared(&deployment, "t/P").bucket,
        BucketKey::Address("t/Logs".to_owned())
    );
    assert!(open::shown(&policy(&deployment, "t/P").text).contains("arn:aws:s3:::${t/Logs}/*"));
    let indented: String = resources.lines().map(|line| format!("  {line}\n")).collect();
    let hints = Hints {
        account: AccountId::parse("111122223333").ok(),
        region: Region::parse("eu-west-1").ok(),
        ..Hints::default()
    };
    let known = try_read(&[("t.yaml", &format!("Resources:\n{indented}"))], &hints).expect("a template");
    assert_eq!(logging(&known, "t/A").target, name("logs-111122223333-eu-west-1"));
    let logs = declared(&known, "t/Logs");
    assert_eq!(
        logs.bucket,
        BucketKey::Name("logs-111122223333-eu-west-1".to_owned())
    );
    assert_eq!(
        logs.region,
        Fact::Known(Region::parse("eu-west-1").expect("a region"))
    );
}

#[test]
fn every_setting_is_read() {
    let deployment = with(
        "",
        "A:\n  Type: AWS::S3::Bucket\n  Properties:\n    AccessControl: LogDeliveryWrite\n    OwnershipControls: {Rules: [{ObjectOwnership: ObjectWriter}]}\n    \
         BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: !GetAtt Key.Arn}}]}\n    \
         ObjectLockEnabled: true\n    ObjectLockConfiguration: {ObjectLockEnabled: Enabled, Rule: {DefaultRetention: {Mode: GOVERNANCE, Days: 30}}}\n    \
         VersioningConfiguration: {Status: Enabled}\n    PublicAccessBlockConfiguration: {BlockPublicAcls: true}\n    \
         LifecycleConfiguration: {Rules: [{Id: a, Status: Enabled, Prefix: x/, NoncurrentVersionExpiration: {NoncurrentDays: 3}, Transitions: [{StorageClass: GLACIER, TransitionInDays: 3}]}]}\n    \
         LoggingConfiguration: {DestinationBucketName: logs, TargetObjectKeyFormat: {PartitionedPrefix: {PartitionDateSource: DeliveryTime}}}\n\
         Key: {Type: 'AWS::KMS::Key'}\n\
         Old: {Type: 'AWS::S3::Bucket', Properties: {AccessControl: LogDeliveryWrite}}\n",
    );
    let all = &declared(&deployment, "t/A").configuration;
    let Said::Sets(Fact::Known(acl)) = &*all.acl else {
        panic!("{:?}", all.acl)
    };
    let granted: Vec<_> = acl.grants.iter().map(|grant| grant.permission.as_str()).collect();
    assert_eq!(granted, ["WRITE", "READ_ACP"]);
    assert!(acl.grants.iter().all(|grant| grant.grantee.is_log_delivery()));
    assert!(matches!(&acl.grants[0].grantee, Grantee::Group { .. }));
    assert_eq!(
        all.object_ownership,
        Said::Sets(Fact::Known(ObjectOwnership::ObjectWriter))
    );
    let Said::Sets(Fact::Known(encryption)) = &*all.encryption else {
        panic!("{:?}", all.encryption)
    };
    assert!(encryption.is_kms() && !encryption.uses_aws_managed_key());
    let Said::Sets(Fact::Known(lock)) = &*all.object_lock else {
        panic!("{:?}", all.object_lock)
    };
    assert_eq!(
        (lock.enabled, lock.default_retention.as_deref()),
        (true, Some("GOVERNANCE, 30 days"))
    );
    let Said::Sets(Fact::Known(rules)) = &*all.lifecycle else {
        panic!("{:?}", all.lifecycle)
    };
    let rule = &rules[0];
    assert!(rule.enabled && rule.transitions && rule.expires_noncurrent && !rule.expires);
    assert_eq!(rule.prefix, "x/");
    let Said::Sets(Fact::Known(block)) = &*all.public_access_block else {
        panic!("{:?}", all.public_access_block)
    };
    assert!(block.block_public_acls && !block.ignore_public_acls);
    assert_eq!(
        logging(&deployment, "t/A").key_format,
        Fact::Known(KeyFormat::PartitionedByDeliveryTime)
    );
    // A canned ACL without controls: refused by a new bucket, obeyed by an old one.
    let old = &declared(&deployment, "t/Old").configuration;
    let refused = Said::LeftOut {
        on_a_new_bucket: Some(Fact::Unknown(Why::NotRead)),
    };
    assert_eq!(old.object_ownership, refused);
    assert!(deployment.remarks.iter().any(|remark| remark.contains("`t/Old`")));
}

#[test]
fn what_one_template_exports_another_imports() {
    let logs = "Resources: {Logs: {Type: 'AWS::S3::Bucket'}}\nOutputs: {Name: {Value: !Ref Logs, Export: {Name: central-logs}}}\n";
    let app = "Resources: {App: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: {'Fn::ImportValue': !Sub 'central-${X}'}}}}}\nParameters: {X: {Type: String, Default: logs}}\n";
    let both = read(&[("app.yaml", app), ("logs.yaml", logs)]);
    assert_eq!(logging(&both, "app/App").target, address("logs/Logs"));
    let alone = read(&[("app.yaml", app)]);
    assert_eq!(logging(&alone, "app/App").target, Fact::Unknown(Why::NotRead));
    assert!(
        alone
            .remarks
            .iter()
            .any(|remark| remark.contains("`central-logs` is imported"))
    );
    // Two that export the same name: neither is guessed.
    let twice = read(&[("app.yaml", app), ("logs.yaml", logs), ("more/logs.yaml", logs)]);
    assert_eq!(logging(&twice, "app/App").target, Fact::Unknown(Why::NotRead));
}

#[test]
fn a_nested_stack_gets_its_parameters_and_gives_its_outputs() {
    let parent = "Resources:\n  Inner:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: ./inner.yaml\n      Parameters: {Target: !Ref Logs}\n  \
                  Logs: {Type: 'AWS::S3::Bucket'}\n  Outer: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !GetAtt Inner.Outputs.More}}}\n";
    let inner = "Parameters: {Target: {Type: String}}\nResources:\n  A: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Ref Target}}}\n  \
                 More: {Type: 'AWS::S3::Bucket'}\nOutputs: {More: {Value: !Ref More}}\n";
    let sources = [
        source("stacks/parent.yaml", parent),
        source("stacks/inner.yaml", inner),
    ];
    let mut load = |path: &str| (path == "stacks/inner.yaml").then(|| inner.to_owned());
    let deployment = cloudformation::read(&sources, &Hints::default(), &mut load).expect("templates");
    assert_eq!(
        logging(&deployment, "parent/Inner/A").target,
        address("parent/Logs")
    );
    assert_eq!(
        logging(&deployment, "parent/Outer").target,
        address("parent/Inner/More")
    );
    assert_eq!(
        deployment.declared.len(),
        4,
        "the inner template is not read a second time"
    );
    // A template that nests itself is no reason to stop.
    let circle = "Resources: {Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: circle.yaml}}, B: {Type: 'AWS::S3::Bucket'}}";
    let sources = [source("outer.yaml", circle)];
    let mut load = |_: &str| Some(circle.to_owned());
    let deployment = cloudformation::read(&sources, &Hints::default(), &mut load).expect("templates");
    assert!(deployment.declared.len() > 1);
    assert!(
        deployment
            .remarks
            .iter()
            .any(|remark| remark.contains("is not read"))
    );
}

#[test]
fn a_loop_is_unrolled() {
    let deployment = with(
        "Transform: AWS::LanguageExtensions\nMappings: {M: {x: {Names: [One, Two]}}}",
        "Fn::ForEach::Buckets:\n  - Name\n  - !FindInMap [M, x, Names]\n  - Bucket${Name}:\n      Type: AWS::S3::Bucket\n      \
         Properties: {LoggingConfiguration: {DestinationBucketName: logs, LogFilePrefix: !Sub '${Name}/'}}\n\
         Fn::ForEach::More:\n  - X\n  - !Ref Nowhere\n  - B${X}: {Type: 'AWS::S3::Bucket'}\n\
         Last: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Ref BucketTwo}}}\n",
    );
    assert_eq!(
        logging(&deployment, "t/BucketOne").prefix,
        Fact::Known("One/".to_owned())
    );
    assert_eq!(
        logging(&deployment, "t/BucketTwo").prefix,
        Fact::Known("Two/".to_owned())
    );
    assert_eq!(logging(&deployment, "t/Last").target, address("t/BucketTwo"));
    assert!(!deployment.complete);
    assert!(
        deployment
            .remarks
            .iter()
            .any(|remark| remark.contains("the loop `More`"))
    );
}

#[test]
fn functions_come_to_what_they_say() {
    let sections = "Mappings: {M: {a: {b: from-map}}}\nConditions: {Yes: !Not [!Equals [a, b]], No: !And [!Condition Yes, !Or [!Equals [a, b], !Equals [c, d]]]}";
    for (function, expected) in [
        ("!Join ['-', [a, b, !Sub 'c${!x}']]", Some("a-b-c${x}")),
        (
            "!Select [1, !Split ['.', 'x.amzn-s3-demo.y']]",
            Some("amzn-s3-demo"),
        ),
        (
            "!Select [5, !Split [':', !GetAtt Named.Arn]]",
            Some("amzn-s3-demo-named"),
        ),
        ("!FindInMap [M, a, b]", Some("from-map")),
        (
            "!FindInMap [M, a, c, {DefaultValue: from-default}]",
            Some("from-default"),
        ),
        ("!FindInMap [M, a, c]", None),
        ("!If [Yes, a-bucket, b-bucket]", Some("a-bucket")),
        ("!If [No, a-bucket, b-bucket]", Some("b-bucket")),
        (
            "!Sub ['${x}-${Named}', {x: !Ref Named}]",
            Some("amzn-s3-demo-named-amzn-s3-demo-named"),
        ),
        ("!Base64 logs", Some("bG9ncw==")),
        ("!Sub 'n${n}'", None),
        ("!Select [9, [a, b]]", None),
        ("!Cidr [a, b]", None),
        ("!Select [0, !GetAZs '']", None),
        ("{'Fn::Length': [a, b, c]}", Some("3")),
        ("{'Fn::ToJsonString': {a: [1, true]}}", Some(r#"{"a":[1,true]}"#)),
        ("{'Fn::Transform': {Name: 'Own', Parameters: {}}}", None),
        ("12", Some("12")),
        ("012345678901", Some("012345678901")),
    ] {
        let deployment = with(
            sections,
            &format!(
                "Named: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: amzn-s3-demo-named}}}}\n\
                 A:\n  Type: AWS::S3::Bucket\n  Properties:\n    LoggingConfiguration:\n      DestinationBucketName: {function}\n"
            ),
        );
        let target = &logging(&deployment, "t/A").target;
        match expected {
            Some(expected) => assert_eq!(*target, name(expected), "{function}"),
            None => assert!(target.why().is_some(), "{function}: {target:?}"),
        }
    }
}

#[test]
fn a_policy_under_a_condition_of_its_own_may_be_missing() {
    let sections = "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, x]}";
    let policy = |condition: &str, of_bucket: &str| {
        let deployment = with(
            sections,
            &format!(
                "Logs:\n  Type: AWS::S3::Bucket\n{of_bucket}Policy:\n  Type: AWS::S3::BucketPolicy\n{condition}  Properties: {{Bucket: !Ref Logs, PolicyDocument: {{Statement: []}}}}\n"
            ),
        );
        match &*declared(&deployment, "t/Policy").configuration.policy {
            Said::Sets(Fact::Known(_)) => "known",
            Said::Sets(Fact::Unknown(_)) => "unknown",
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(policy("", ""), "known");
    assert_eq!(policy("  Condition: C\n", ""), "unknown");
    assert_eq!(policy("  Condition: C\n", "  Condition: C\n"), "known");
    assert_eq!(policy("", "  Condition: C\n"), "known");
}

#[test]
fn buckets_that_exclude_each_other_say_nothing_for_sure() {
    let deployment = with(
        "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, x], D: !Not [!Condition C]}",
        "A: {Type: 'AWS::S3::Bucket', Condition: C, Properties: {BucketName: amzn-s3-demo-a, LoggingConfiguration: {DestinationBucketName: x-logs}}}\n\
         B: {Type: 'AWS::S3::Bucket', Condition: D, Properties: {BucketName: amzn-s3-demo-a}}\n",
    );
    for address in ["t/A", "t/B"] {
        assert_eq!(
            declared(&deployment, address).configuration.logging,
            Said::Sets(Fact::Unknown(Why::NotRead))
        );
    }
}

#[test]
fn comments_and_metadata_allow() {
    let deployment = with(
        "# s3log-lint: allow S3L009 at no resource",
        "# s3log-lint: allow S3L001 above, until it is gone\n# another comment\nA:\n  Type: AWS::S3::Bucket\n\
         B: # s3log-lint: allow S3L003 behind\n  Type: AWS::S3::Bucket\n  # s3log-lint: allow S3L007 until 2027-01-31 inside\n  Properties: {}\n\
         C:\n  Type: AWS::S3::Bucket\n  Metadata: {s3log-lint: {allow: [{rule: S3L009, reason: public data, until: 2027-01-31}, S3L008 short]}}\n\
         D: {Type: AWS::S3::Bucket} # s3log-lint: allow S3L010 at the end\n",
    );
    let allowed = |address: &str| -> Vec<(String, String, Option<String>)> {
        declared(&deployment, address)
            .allowances
            .iter()
            .map(|one| {
                assert_eq!(one.fault, None);
                (
                    one.rule.clone(),
                    one.reason.clone(),
                    one.expires.map(|date| date.to_string()),
                )
            })
            .collect()
    };
    let one = |rule: &str, reason: &str, date: Option<&str>| {
        (rule.to_owned(), reason.to_owned(), date.map(str::to_owned))
    };
    assert_eq!(allowed("t/A"), [one("S3L001", "above, until it is gone", None)]);
    assert_eq!(
        allowed("t/B"),
        [
            one("S3L003", "behind", None),
            one("S3L007", "inside", Some("2027-01-31"))
        ]
    );
    assert_eq!(
        allowed("t/C"),
        [
            one("S3L009", "public data", Some("2027-01-31")),
            one("S3L008", "short", None)
        ]
    );
    assert_eq!(allowed("t/D"), [one("S3L010", "at the end", None)]);
    assert_eq!(
        deployment
            .remarks
            .iter()
            .filter(|remark| remark.contains("t.yaml:1"))
            .count(),
        1,
        "{:?}",
        deployment.remarks
    );
}

#[test]
fn a_change_set_tells_before_and_after() {
    let deployment = read(&[("change-set.json", &fixture("change-set.json"))]);
    let app = declared(&deployment, "app/App");
    assert_eq!(app.bucket, BucketKey::Name("amzn-s3-demo-app".to_owned()));
    assert_eq!(app.fate, Fate::Updated);
    assert_eq!(
        app.owner.account.as_ref().map(AccountId::as_str),
        Some("111122223333")
    );
    assert_eq!(
        app.region,
        Fact::Known(Region::parse("eu-west-1").expect("a region"))
    );
    assert_eq!(
        logging(&deployment, "app/App").prefix,
        Fact::Known("application/".to_owned())
    );
    assert_eq!(app.configuration.versioning, Said::Removes);
    let policy = declared(&deployment, "app/LogsPolicy");
    assert_eq!(policy.configuration.policy, Said::Removes);
    assert_eq!(policy.bucket, BucketKey::Name("amzn-s3-demo-logs".to_owned()));
    assert_eq!(
        logging(&deployment, "app/Audit").target,
        Fact::Unknown(Why::AfterApply)
    );
    assert_eq!(declared(&deployment, "app/Audit").fate, Fate::Created);
    let fates: Vec<_> = deployment
        .declared
        .iter()
        .filter(|declared| declared.address == "app/Archive")
        .map(|declared| (declared.bucket.clone(), declared.fate))
        .collect();
    assert_eq!(
        fates,
        [
            (
                BucketKey::Name("amzn-s3-demo-archive".to_owned()),
                Fate::Forgotten
            ),
            (
                BucketKey::Name("amzn-s3-demo-archive-2".to_owned()),
                Fate::Created
            )
        ]
    );
    assert_eq!(declared(&deployment, "app/Old").fate, Fate::Forgotten);
    assert_eq!(deployment.before.len(), 4);
    let before = deployment
        .before
        .iter()
        .find(|declared| declared.address == "app/LogsPolicy");
    assert!(matches!(
        before.map(|declared| &*declared.configuration.policy),
        Some(Said::Sets(Fact::Known(_)))
    ));
}

#[test]
fn what_is_no_file_of_cloudformation_is_refused_with_a_reason() {
    let refused = |text: &str| {
        try_read(&[("x", text)], &Hints::default())
            .expect_err(text)
            .to_string()
    };
    assert!(refused("{\"a\": ").contains("line 1, column"));
    assert!(refused("a: 1").contains("no `Resources`"));
    assert!(refused("").contains("no `Resources`"));
    assert!(refused("{\"Changes\": [], \"NextToken\": \"x\"}").contains("NextToken"));
    let valueless = "{\"Changes\": [{\"ResourceChange\": {\"ResourceType\": \"AWS::S3::Bucket\"}}]}";
    assert!(refused(valueless).contains("AfterContext"));
    let manifest = "{\"version\": \"1\", \"artifacts\": {\"A\": {\"type\": \"aws:cloudformation:stack\", \"properties\": {\"templateFile\": \"a.json\"}}}}";
    assert!(refused(manifest).contains("`a.json`"));
}

#[test]
fn a_file_is_told_by_what_it_says() {
    let kind = |text: &str| cloudformation::recognise(text).map_err(|error| error.line);
    assert_eq!(kind("Resources: {}"), Ok(Some(Kind::Template)));
    assert_eq!(kind("{\"Changes\": []}"), Ok(Some(Kind::ChangeSet)));
    assert_eq!(
        kind("{\"version\": \"55.0.0\", \"artifacts\": {}}"),
        Ok(Some(Kind::Manifest))
    );
    assert_eq!(kind("{\"version\": 1, \"accounts\": []}"), Ok(None));
    assert_eq!(kind("- a\n- b\n"), Ok(None));
    assert_eq!(kind("{"), Err(1));
    assert_eq!(kind("a: 1\nb: ]\n"), Err(2));
}
