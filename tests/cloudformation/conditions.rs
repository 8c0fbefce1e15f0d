//! Conditions that the input doesn't settle. What is said of a resource is said of the world in which it exists: there
//! its condition holds, and so does all that follows from it.

use s3log_lint::collect::cloudformation::{self, Hints, Parameter, TemplateError};
use s3log_lint::collect::deployment::{BucketKey, Deployment, Said};
use s3log_lint::collect::overlay;
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::{Fact, Why};
use s3log_lint::rules;

use crate::{read, source, try_read};

const PARAMETERS: &str = "Parameters:
  Stage: {Type: String, AllowedValues: [dev, test, prod]}
  On: {Type: String, AllowedValues: ['true', 'false']}
  Free: {Type: String}
";

/// The prefix that the bucket under the condition `This` gets, with these conditions.
fn prefix(conditions: &str, value: &str) -> Option<String> {
    let template = format!(
        "{PARAMETERS}Conditions:\n{conditions}Resources:
  App:
    Type: AWS::S3::Bucket
    Condition: This
    Properties: {{LoggingConfiguration: {{DestinationBucketName: logs, LogFilePrefix: {value}}}}}
"
    );
    let deployment = read(&[("t.yaml", &template)]);
    match &*deployment.declared[0].configuration.logging {
        Said::Sets(Fact::Known(logging)) => logging.prefix.known().cloned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_condition_is_made_of_holds_with_it() {
    let prod = "  Prod: !Equals [!Ref Stage, prod]\n  Free: !Equals [!Ref Free, x]\n";
    for (this, value, expected) in [
        ("!Condition Prod", "!If [Prod, a/, b/]", Some("a/")),
        ("!Not [!Condition Prod]", "!If [Prod, a/, b/]", Some("b/")),
        (
            "!And [!Condition Free, !Condition Prod]",
            "!If [Prod, a/, b/]",
            Some("a/"),
        ),
        (
            "!Not [!Or [!Condition Free, !Condition Prod]]",
            "!If [Prod, a/, b/]",
            Some("b/"),
        ),
        ("!Not [!Not [!Condition Prod]]", "!If [Prod, a/, b/]", Some("a/")),
        // One of two, and the first isn't.
        (
            "!And [!Or [!Condition Free, !Condition Prod], !Not [!Condition Free]]",
            "!If [Prod, a/, b/]",
            Some("a/"),
        ),
        (
            "!And [!Not [!And [!Condition Free, !Condition Prod]], !Condition Free]",
            "!If [Prod, a/, b/]",
            Some("b/"),
        ),
        // One of two, and nothing says which.
        (
            "!Or [!Condition Free, !Condition Prod]",
            "!If [Prod, a/, b/]",
            None,
        ),
        (
            "!Not [!And [!Condition Free, !Condition Prod]]",
            "!If [Prod, a/, b/]",
            None,
        ),
        // What is compared is the same in that world.
        ("!Condition Prod", "!Sub '${Stage}/'", Some("prod/")),
        ("!Equals [prod, !Ref Stage]", "!Sub '${Stage}/'", Some("prod/")),
        ("!Not [!Condition Prod]", "!Sub '${Stage}/'", None),
        ("!Condition Free", "!Join ['', [!Ref Free, /]]", Some("x/")),
    ] {
        let conditions = format!("{prod}  This: {this}\n");
        assert_eq!(prefix(&conditions, value).as_deref(), expected, "{this} {value}");
    }
}

#[test]
fn conditions_that_exclude_each_other_are_told_apart() {
    let all = "  Prod: !Equals [!Ref Stage, prod]\n  Dev: !Equals [!Ref Stage, dev]\n  Test: !Equals [!Ref Stage, test]\n\
               \x20 Odd: !Equals [!Ref Stage, odd]\n  Yes: !Equals [!Ref On, 'true']\n  No: !Equals [!Ref On, 'false']\n";
    for (this, value, expected) in [
        ("!Condition Prod", "!If [Dev, a/, b/]", Some("b/")),
        ("!Condition Yes", "!If [No, a/, b/]", Some("b/")),
        // Two values are allowed, and it isn't the one.
        ("!Not [!Condition Yes]", "!If [No, a/, b/]", Some("a/")),
        (
            "!Not [!Or [!Condition Prod, !Condition Dev]]",
            "!If [Test, a/, b/]",
            Some("a/"),
        ),
        ("!Not [!Condition Prod]", "!If [Dev, a/, b/]", None),
        // Not allowed at all.
        ("!Condition Yes", "!If [Odd, a/, b/]", Some("b/")),
        ("!Condition Yes", "!If [Prod, a/, b/]", None),
    ] {
        let conditions = format!("{all}  This: {this}\n");
        assert_eq!(prefix(&conditions, value).as_deref(), expected, "{this} {value}");
    }
}

/// The codes of what is found.
fn codes(deployment: Deployment) -> Vec<&'static str> {
    let inventory = overlay::alone(&[deployment]);
    let graph = LogGraph::new(&inventory);
    let outcome = rules::run(&graph, &rules::ALL.iter().collect::<Vec<_>>());
    outcome.findings.iter().map(|each| each.rule.code).collect()
}

#[test]
fn two_buckets_that_are_never_there_together_share_no_prefix() {
    let twins = |one: &str, other: &str| {
        let bucket = |condition: &str| {
            format!(
                "{{Type: 'AWS::S3::Bucket', Condition: {condition}, Properties: {{LoggingConfiguration: \
                 {{DestinationBucketName: !Ref Logs, LogFilePrefix: app/}}}}}}"
            )
        };
        let template = format!(
            "{PARAMETERS}Conditions:
  Encrypted: !Equals [!Ref Free, '']
  Plain: !Not [!Condition Encrypted]
  Prod: !Equals [!Ref Stage, prod]
Resources:
  Logs: {{Type: 'AWS::S3::Bucket'}}
  One: {}
  Other: {}
",
            bucket(one),
            bucket(other)
        );
        codes(read(&[("t.yaml", &template)])).contains(&"S3L007")
    };
    assert!(!twins("Encrypted", "Plain"));
    assert!(twins("Encrypted", "Prod"));
    assert!(twins("Plain", "Plain"));
}

#[test]
fn a_log_arrives_only_where_the_log_bucket_is_there_whenever_its_source_is() {
    let verdict = |of_source: &str, of_target: &str, parameters: &[(&str, &str)]| {
        let template = format!(
            "{PARAMETERS}Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Audited: !And [!Condition Prod, !Equals [!Ref Free, x]]
Resources:
  App:
    Type: AWS::S3::Bucket
    {of_source}
    Properties: {{LoggingConfiguration: {{DestinationBucketName: logs, LogFilePrefix: app/}}}}
  Logs: {{Type: 'AWS::S3::Bucket', {of_target} Properties: {{BucketName: logs}}}}
  Policy:
    Type: AWS::S3::BucketPolicy
    {}
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {{Service: logging.s3.amazonaws.com}}
            Action: s3:PutObject
            Resource: 'arn:aws:s3:::logs/*'
",
            of_target.trim_end_matches(',')
        );
        let hints = Hints {
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Parameter::Value((*value).to_owned())))
                .collect(),
            account: s3log_lint::name::AccountId::parse("111122223333").ok(),
            region: s3log_lint::name::Region::parse("eu-west-1").ok(),
            ..Hints::default()
        };
        let deployment = try_read(&[("t.yaml", &template)], &hints).unwrap_or_else(|error| panic!("{error}"));
        let inventory = overlay::alone(&[deployment]);
        let graph = LogGraph::new(&inventory);
        let outcome = rules::run(&graph, &rules::ALL.iter().collect::<Vec<_>>());
        let missing = outcome.undecided.iter().find(|each| each.rule.code == "S3L004");
        let needs = missing.and_then(|each| each.said.needs.clone());
        (outcome.edges[0].verdict.word(), needs)
    };
    let (none, prod, audited) = ("", "Condition: Prod", "Condition: Audited");
    let targets = ["", "Condition: Prod,", "Condition: Audited,"];
    for source in [none, prod, audited] {
        assert_eq!(verdict(source, targets[0], &[]).0, "delivers", "{source}");
    }
    let (word, needs) = verdict(none, targets[1], &[]);
    assert_eq!(word, "unknown");
    assert_eq!(
        needs.as_deref(),
        Some("a `--parameter` that decides the condition `Prod`")
    );
    assert_eq!(verdict(prod, targets[2], &[]).0, "unknown");
    for (source, target) in [(prod, targets[1]), (audited, targets[2]), (audited, targets[1])] {
        assert_eq!(
            verdict(source, target, &[]),
            ("delivers", None),
            "{source} {target}"
        );
    }
    assert_eq!(
        verdict(none, targets[1], &[("Stage", "prod")]),
        ("delivers", None)
    );
}

#[test]
fn a_policy_that_holds_wherever_its_bucket_does_is_its_policy() {
    let policy = |of_policy: &str| {
        let template = format!(
            "{PARAMETERS}Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Audited: !And [!Condition Prod, !Equals [!Ref Free, x]]
Resources:
  Logs: {{Type: 'AWS::S3::Bucket', Condition: Audited}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Condition: {of_policy}
    Properties: {{Bucket: !Ref Logs, PolicyDocument: {{Version: '2012-10-17', Statement: []}}}}
"
        );
        read(&[("t.yaml", &template)]).declared[1]
            .configuration
            .policy
            .clone()
    };
    assert!(matches!(*policy("Audited"), Said::Sets(Fact::Known(_))));
    assert!(matches!(*policy("Prod"), Said::Sets(Fact::Known(_))));
    let open = "Audited\n    DependsOn: Logs";
    assert!(matches!(*policy(open), Said::Sets(Fact::Known(_))));
}

#[test]
fn a_policy_of_a_nested_stack_that_may_be_missing_is_not_known() {
    let outer = |condition: &str| {
        format!(
            "{PARAMETERS}Conditions: {{Prod: !Equals [!Ref Stage, prod]}}
Resources:
  Logs: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: logs}}}}
  Inner: {{Type: 'AWS::CloudFormation::Stack', {condition} Properties: {{TemplateURL: inner.yaml, Parameters: {{Stage: !Ref Stage}}}}}}
"
        )
    };
    let inner = "Parameters: {Stage: {Type: String}}
Resources:
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties: {Bucket: logs, PolicyDocument: {Version: '2012-10-17', Statement: []}}
  App: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub 'app-${Stage}'}}
";
    let read = |condition: &str| {
        let mut load = |path: &str| (path == "inner.yaml").then(|| inner.to_owned());
        let files = [source("outer.yaml", outer(condition))];
        cloudformation::read(&files, &Hints::default(), &mut load).unwrap_or_else(|error| panic!("{error}"))
    };
    let always = read("");
    assert!(matches!(
        *always.declared[1].configuration.policy,
        Said::Sets(Fact::Known(_))
    ));
    let maybe = read("Condition: Prod,");
    assert_eq!(
        maybe.declared[1].configuration.policy,
        Said::Sets(Fact::Unknown(Why::NotRead))
    );
    assert!(
        maybe
            .remarks
            .iter()
            .any(|remark| remark.contains("`outer/Inner`")),
        "{:?}",
        maybe.remarks
    );
    // What is passed to it is passed where the condition holds.
    assert_eq!(maybe.declared[2].bucket, BucketKey::Name("app-prod".to_owned()));
}

#[test]
fn the_name_of_a_stack_is_given_like_a_parameter() {
    let hints = |name: &str| Hints {
        parameters: [(name.to_owned(), Parameter::Value("shop".to_owned()))].into(),
        ..Hints::default()
    };
    let template = "Resources: {Logs: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Sub '${AWS::StackName}-logs'}}}";
    let named =
        try_read(&[("t.yaml", template)], &hints("AWS::StackName")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(named.declared[0].bucket, BucketKey::Name("shop-logs".to_owned()));
    assert_eq!(named.declared[0].address, "shop/Logs");
    let unnamed = read(&[("t.yaml", template)]);
    assert!(
        unnamed
            .remarks
            .iter()
            .any(|remark| remark.contains("--parameter AWS::StackName=NAME"))
    );
    let two = [("t.yaml", template), ("u.yaml", template)];
    assert!(matches!(
        try_read(&two, &hints("AWS::StackName")),
        Err(TemplateError::StackNameOfMany)
    ));
    let error = try_read(&[("t.yaml", template)], &hints("AWS::Region")).expect_err("it is no parameter");
    assert!(
        matches!(
            error,
            TemplateError::PseudoParameter {
                option: "--region REGION",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_hangs_on_one_condition_is_said_once() {
    let remark = |buckets: usize| {
        let buckets: String = (0..buckets)
            .map(|n| format!("  B{n}: {{Type: 'AWS::S3::Bucket', Condition: Prod}}\n"))
            .collect();
        let template =
            format!("{PARAMETERS}Conditions: {{Prod: !Equals [!Ref Stage, prod]}}\nResources:\n{buckets}");
        let mut remarks = read(&[("t.yaml", &template)]).remarks;
        remarks.retain(|remark| remark.contains("is read as if") || remark.contains("are read as if"));
        assert_eq!(remarks.len(), 1, "{remarks:?}");
        remarks.remove(0)
    };
    assert!(remark(1).starts_with("whether `t/B0` is deployed hangs on the condition `Prod`"));
    assert!(remark(3).starts_with("whether `t/B0`, `t/B1` and `t/B2` are deployed"));
    assert!(remark(1_000).starts_with("whether `t/B0`, `t/B1`, `t/B2` and 997 more are deployed"));
}
