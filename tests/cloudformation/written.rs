//! How templates are written in the wild: loops in every section, macros inside, stacks in stacks, odd destinations.

use s3log_lint::collect::cloudformation::{self, Hints};
use s3log_lint::collect::deployment::{BucketKey, Declared, Deployment, Said};
use s3log_lint::collect::overlay;
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::{Fact, TargetRef, Why};
use s3log_lint::name::AccountId;
use s3log_lint::rules;

use crate::{read, source, try_read};

fn declared<'d>(deployment: &'d Deployment, address: &str) -> &'d Declared {
    let found = deployment.declared.iter().find(|each| each.address == address);
    found.unwrap_or_else(|| panic!("{address} is not declared: {deployment:#?}"))
}

/// Target and prefix of a bucket's logging, as far as they are known.
fn logging(deployment: &Deployment, address: &str) -> (Option<String>, Option<String>) {
    match &*declared(deployment, address).configuration.logging {
        Said::Sets(Fact::Known(logging)) => {
            let target = logging.target.known().map(|target| target.text().to_owned());
            (target, logging.prefix.known().cloned())
        }
        other => panic!("{address}: {other:?}"),
    }
}

fn known(target: &str, prefix: &str) -> (Option<String>, Option<String>) {
    (Some(target.to_owned()), Some(prefix.to_owned()))
}

/// Source, target and verdict of each edge.
fn verdicts(deployment: Deployment) -> Vec<(String, Option<String>, &'static str)> {
    let inventory = overlay::alone(&[deployment]);
    let graph = LogGraph::new(&inventory);
    let outcome = rules::run(&graph, &rules::ALL.iter().collect::<Vec<_>>());
    graph
        .edges()
        .zip(outcome.edges)
        .map(|((_, edge), linted)| {
            let target = edge.target_text().map(str::to_owned);
            (edge.source.label.to_string(), target, linted.verdict.word())
        })
        .collect()
}

#[test]
fn loops_make_conditions_properties_and_outputs_too() {
    let deployment = read(&[(
        "t.yaml",
        "Transform: AWS::LanguageExtensions
Parameters: {Stage: {Type: String, Default: prod}}
Conditions:
  Fn::ForEach::Stages: [S, [dev, prod], {'Is${S}': !Equals [!Ref Stage, !Ref S]}]
Resources:
  Fn::ForEach::Buckets:
    - S
    - [dev, prod]
    - App${S}:
        Type: AWS::S3::Bucket
        Condition: Is${S}
        Properties:
          LoggingConfiguration:
            DestinationBucketName: !If [Isprod, logs-prod, logs-dev]
            LogFilePrefix: !Sub '&{S}/'
  Written:
    Type: AWS::S3::Bucket
    Properties:
      Fn::ForEach::Each:
        - Name
        - [Logging]
        - ${Name}Configuration: {DestinationBucketName: !Sub 'logs-${Name}', LogFilePrefix: a/}
  Imports:
    Type: AWS::S3::Bucket
    Properties: {LoggingConfiguration: {DestinationBucketName: !ImportValue exported-dev, LogFilePrefix: b/}}
Outputs:
  Fn::ForEach::Out: [S, [dev, prod], {'Out${S}': {Value: !Sub 'logs-${S}', Export: {Name: !Sub 'exported-${S}'}}}]
",
    )]);
    assert_eq!(deployment.remarks, [""; 0]);
    let addresses: Vec<&str> = deployment
        .declared
        .iter()
        .map(|each| each.address.as_str())
        .collect();
    assert_eq!(addresses, ["t/Appprod", "t/Written", "t/Imports"]);
    assert_eq!(logging(&deployment, "t/Appprod"), known("logs-prod", "prod/"));
    assert_eq!(logging(&deployment, "t/Written"), known("logs-Logging", "a/"));
    assert_eq!(logging(&deployment, "t/Imports"), known("logs-dev", "b/"));
}

#[test]
fn what_a_macro_may_write_is_not_known() {
    let include =
        "Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://amzn-s3-demo-bucket/x.yaml'}}";
    let template = format!(
        "Resources:
  Inside:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: app-data
      {include}
  Around:
    Type: AWS::S3::Bucket
    {include}
    Properties: {{BucketName: images}}
  Rewritten:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: logs
      Fn::Transform: {{Name: Own, Parameters: {{}}}}
  Plain: {{Type: 'AWS::S3::Bucket'}}
"
    );
    let deployment = read(&[("t.yaml", &template)]);
    let unknown = Said::Sets(Fact::Unknown(Why::NotRead));
    for address in ["t/Inside", "t/Around", "t/Rewritten"] {
        assert_eq!(
            declared(&deployment, address).configuration.logging,
            unknown,
            "{address}"
        );
    }
    // What is included stands beside what is written; a macro of one's own may change that too.
    assert_eq!(
        declared(&deployment, "t/Inside").bucket,
        BucketKey::Name("app-data".to_owned())
    );
    assert_eq!(
        declared(&deployment, "t/Rewritten").bucket,
        BucketKey::Address("t/Rewritten".to_owned())
    );
    assert!(matches!(
        *declared(&deployment, "t/Plain").configuration.logging,
        Said::LeftOut { .. }
    ));
    assert!(
        deployment.complete && deployment.remarks.len() == 2,
        "{:?}",
        deployment.remarks
    );

    let among = read(&[(
        "t.yaml",
        &format!("Resources:\n  {include}\n  A: {{Type: 'AWS::S3::Bucket'}}\n"),
    )]);
    assert!(!among.complete && among.remarks.len() == 1, "{:?}", among.remarks);
}

#[test]
fn a_choice_between_properties_is_a_choice_for_each() {
    let template = |parameter: &str| {
        format!(
            "Parameters: {{P: {{Type: String{parameter}}}}}
Conditions: {{On: !Equals [!Ref P, x]}}
Resources:
  A:
    Type: AWS::S3::Bucket
    Properties: !If [On, {{LoggingConfiguration: {{DestinationBucketName: logs, LogFilePrefix: a/}}}}, {{}}]
"
        )
    };
    let on = read(&[("t.yaml", &template(", Default: x"))]);
    assert_eq!(logging(&on, "t/A"), known("logs", "a/"));
    let off = read(&[("t.yaml", &template(", Default: y"))]);
    assert!(matches!(
        *declared(&off, "t/A").configuration.logging,
        Said::LeftOut { .. }
    ));
    let open = read(&[("t.yaml", &template(""))]);
    assert_eq!(
        declared(&open, "t/A").configuration.logging,
        Said::Sets(Fact::Unknown(Why::NotRead))
    );
}

#[test]
fn an_arn_is_no_name_whatever_it_turns_out_to_be() {
    for (destination, expected) in [
        ("!GetAtt Logs.Arn", Some("arn:${AWS::Partition}:s3:::t/Logs")),
        ("!Sub 's3://${Logs}/'", Some("s3://t/Logs/")),
        ("!Sub '${AWS::AccountId}/logs'", Some("${AWS::AccountId}/logs")),
        ("!Sub 'logs-${AWS::AccountId}'", None),
        ("!GetAtt Logs.DomainName", None),
    ] {
        let template = format!(
            "Resources:
  Logs: {{Type: 'AWS::S3::Bucket'}}
  App: {{Type: 'AWS::S3::Bucket', Properties: {{LoggingConfiguration: {{DestinationBucketName: {destination}}}}}}}
"
        );
        let deployment = read(&[("t.yaml", &template)]);
        assert_eq!(
            logging(&deployment, "t/App").0.as_deref(),
            expected,
            "{destination}"
        );
    }
}

#[test]
fn what_is_made_elsewhere_is_said() {
    let deployment = read(&[(
        "t.yaml",
        "Resources:
  Far: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://amzn-s3-demo-bucket.s3.amazonaws.com/x.yaml'}}
  Many: {Type: 'AWS::CloudFormation::StackSet'}
  Module: {Type: 'Own::S3::Buckets::MODULE'}
  Fn::ForEach::Nested: [N, [a, b], {'In${N}': {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: in.yaml}}}]
",
    )]);
    for address in ["t/Far", "t/Many", "t/Module", "t/Ina", "t/Inb"] {
        let is_told = deployment
            .remarks
            .iter()
            .any(|remark| remark.contains(&format!("`{address}`")));
        assert!(is_told, "{address}: {:?}", deployment.remarks);
    }
}

const GRANT: &str = "  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: logging.s3.amazonaws.com}
            Action: s3:PutObject
            Resource: !Sub '${Logs.Arn}/*'
            Condition: {StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}
";

#[test]
fn buckets_of_one_stack_are_in_one_region_whichever_it_is() {
    let app = "  App: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: DESTINATION, LogFilePrefix: a/}}}\n";
    let one = format!(
        "Resources:\n  Logs: {{Type: 'AWS::S3::Bucket'}}\n{GRANT}{}",
        app.replace("DESTINATION", "!Ref Logs")
    );
    let edge =
        |source: &str, target: &str, verdict| vec![(source.to_owned(), Some(target.to_owned()), verdict)];
    assert_eq!(
        verdicts(read(&[("t.yaml", &one)])),
        edge("t/App", "t/Logs", "delivers")
    );

    // Two stacks may go to two regions; one that imports from the other doesn't.
    let logs = format!(
        "Resources:\n  Logs: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: amzn-s3-demo-logs}}}}\n{GRANT}Outputs:\n  \
         Name: {{Value: !Ref Logs, Export: {{Name: !Sub '${{AWS::Region}}-logs'}}}}\n"
    );
    let importing = format!(
        "Resources:\n{}",
        app.replace("DESTINATION", "!ImportValue {'Fn::Sub': '${AWS::Region}-logs'}")
    );
    assert_eq!(
        verdicts(read(&[("app.yaml", &importing), ("logs.yaml", &logs)])),
        edge("app/App", "amzn-s3-demo-logs", "delivers")
    );
    let naming = format!("Resources:\n{}", app.replace("DESTINATION", "amzn-s3-demo-logs"));
    assert_eq!(
        verdicts(read(&[("app.yaml", &naming), ("logs.yaml", &logs)])),
        edge("app/App", "amzn-s3-demo-logs", "unknown")
    );
}

#[test]
fn a_nested_stack_is_in_the_region_of_the_one_around_it() {
    let outer = format!(
        "Resources:\n  Logs: {{Type: 'AWS::S3::Bucket'}}\n{GRANT}  \
         In: {{Type: 'AWS::CloudFormation::Stack', Properties: {{TemplateURL: ./in.yaml, Parameters: {{Logs: !Ref Logs}}}}}}\n"
    );
    let inner = "Parameters: {Logs: {Type: String}}
Resources:
  App: {Type: 'AWS::S3::Bucket', Properties: {LoggingConfiguration: {DestinationBucketName: !Ref Logs, LogFilePrefix: a/}}}
";
    let mut load = |path: &str| (path == "in.yaml").then(|| inner.to_owned());
    let deployment = cloudformation::read(&[source("t.yaml", outer)], &Hints::default(), &mut load)
        .unwrap_or_else(|error| panic!("{error}"));
    let target = TargetRef::Address("t/Logs".to_owned());
    assert_eq!(
        verdicts(deployment),
        [("t/In/App".to_owned(), Some(target.text().to_owned()), "delivers")]
    );
}

#[test]
fn a_nested_stack_of_an_assembly_is_found_by_what_is_uploaded() {
    let manifest = r#"{"version": "55.0.0", "artifacts": {
        "Shop.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Shop.assets.json"}},
        "Shop": {"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-west-1",
                 "properties": {"templateFile": "Shop.template.json"}}}}"#;
    let assets = |path: &str| {
        format!(
            r#"{{"version": "55.0.0", "files": {{"0a1b": {{"source": {{"path": "{path}"}}, "destinations": {{
            "here": {{"bucketName": "assets", "objectKey": "0a1b.json"}}}}}}}}}}"#
        )
    };
    let outer = r#"{"Resources": {"In": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL":
        {"Fn::Join": ["", ["https://s3.eu-west-1.", {"Ref": "AWS::URLSuffix"}, "/assets/0a1b.json"]]}}}}}"#;
    let inner =
        r#"{"Resources": {"App": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "app-data"}}}}"#;
    let read = |asset: &str| {
        let assets = assets(asset);
        let mut load = |path: &str| match path {
            "cdk.out/Shop.assets.json" => Some(assets.clone()),
            "cdk.out/Shop.template.json" => Some(outer.to_owned()),
            "cdk.out/In.nested.template.json" | "/In.nested.template.json" => Some(inner.to_owned()),
            _ => None,
        };
        cloudformation::read(
            &[source("cdk.out/manifest.json", manifest)],
            &Hints::default(),
            &mut load,
        )
        .unwrap_or_else(|error| panic!("{error}"))
    };
    let found = read("In.nested.template.json");
    assert_eq!(found.remarks, [""; 0]);
    assert_eq!(
        declared(&found, "Shop/In/App").bucket,
        BucketKey::Name("app-data".to_owned())
    );
    // A file from anywhere is no file of the assembly.
    let outside = read("/In.nested.template.json");
    assert!(
        outside.declared.is_empty() && outside.remarks.len() == 1,
        "{outside:?}"
    );
}

#[test]
fn what_has_the_wrong_shape_says_nothing() {
    let unknown = |properties: &str| {
        let template = format!("Resources: {{A: {{Type: 'AWS::S3::Bucket', Properties: {properties}}}}}");
        let deployment = read(&[("t.yaml", &template)]);
        let all = declared(&deployment, "t/A").configuration.clone();
        (all, deployment.remarks)
    };
    fn is_open<T>(said: &Said<T>) -> bool {
        matches!(said, Said::Sets(Fact::Unknown(Why::NotRead)))
    }
    for shape in ["text", "7", "true", "[a]", "[{DestinationBucketName: logs}]"] {
        let (all, remarks) = unknown(&format!(
            "{{LoggingConfiguration: {shape}, OwnershipControls: {shape}, BucketEncryption: {shape}, \
             ObjectLockConfiguration: {shape}, LifecycleConfiguration: {shape}, VersioningConfiguration: {shape}, \
             PublicAccessBlockConfiguration: {shape}}}"
        ));
        assert!(
            is_open(&all.logging) && is_open(&all.object_ownership),
            "{shape}: {all:?}"
        );
        assert!(
            is_open(&all.encryption) && is_open(&all.object_lock),
            "{shape}: {all:?}"
        );
        assert!(
            is_open(&all.lifecycle) && is_open(&all.versioning),
            "{shape}: {all:?}"
        );
        assert!(is_open(&all.public_access_block), "{shape}: {all:?}");
        assert!(
            remarks
                .iter()
                .any(|remark| remark.contains("`LoggingConfiguration` of `t/A`")),
            "{remarks:?}"
        );
    }
    let (all, _) = unknown("{AccessControl: {a: b}, ObjectLockEnabled: [x]}");
    assert!(is_open(&all.acl) && is_open(&all.object_lock), "{all:?}");
    let (all, _) = unknown(
        "{OwnershipControls: {Rules: [x]}, BucketEncryption: {ServerSideEncryptionConfiguration: \
         [{ServerSideEncryptionByDefault: x}]}, LifecycleConfiguration: {Rules: [x]}, \
         ObjectLockConfiguration: {Rule: x}}",
    );
    assert!(
        is_open(&all.object_ownership) && is_open(&all.encryption),
        "{all:?}"
    );
    assert!(is_open(&all.lifecycle) && is_open(&all.object_lock), "{all:?}");
    let (all, _) = unknown("[a]");
    assert!(is_open(&all.logging), "{all:?}");
    for format in ["x", "{PartitionedPrefix: x}", "[x]"] {
        let (all, _) = unknown(&format!(
            "{{LoggingConfiguration: {{DestinationBucketName: logs, TargetObjectKeyFormat: {format}}}}}"
        ));
        let Said::Sets(Fact::Known(logging)) = &*all.logging else {
            panic!("{all:?}")
        };
        assert_eq!(logging.key_format, Fact::Unknown(Why::NotRead), "{format}");
    }
}

/// A grant for the account 012345670123, in which its id or the transport is written like this.
fn granted(account: &str, transport: &str) -> Deployment {
    let template = format!(
        "Resources:
  Logs: {{Type: 'AWS::S3::Bucket'}}
  App:
    Type: AWS::S3::Bucket
    Properties: {{LoggingConfiguration: {{DestinationBucketName: !Ref Logs, LogFilePrefix: app/}}}}
{}
          - Effect: Deny
            Principal: '*'
            Action: 's3:*'
            Resource: !Sub '${{Logs.Arn}}/*'
            Condition: {{Bool: {{'aws:SecureTransport': {transport}}}}}
",
        GRANT.replace("!Ref AWS::AccountId", account).trim_end()
    );
    let hints = Hints {
        account: Some(AccountId::parse("012345670123").expect("an account id")),
        ..Hints::default()
    };
    try_read(&[("t.yaml", &template)], &hints).expect("a template")
}

#[test]
fn an_id_without_quotes_is_the_number_that_cloudformation_takes_it_for() {
    let verdict = |deployment: &Deployment| verdicts(deployment.clone())[0].2;
    let octal = granted("012345670123", "false");
    assert_eq!(verdict(&octal), "blocked");
    let remark = "t.yaml:17:61: CloudFormation reads `012345670123` without quotes as the octal number 1402433619; \
                  write `\"012345670123\"`";
    assert!(
        octal.remarks.iter().any(|told| told == remark),
        "{:?}",
        octal.remarks
    );
    let quoted = granted("'012345670123'", "false");
    assert_eq!(verdict(&quoted), "delivers");
    assert!(
        !quoted.remarks.iter().any(|told| told.contains("octal")),
        "{:?}",
        quoted.remarks
    );
}

#[test]
fn a_word_without_quotes_is_the_truth_that_cloudformation_takes_it_for() {
    for no in ["no", "off", "False"] {
        assert_eq!(verdicts(granted("'012345670123'", no))[0].2, "delivers", "{no}");
    }
    assert_eq!(verdicts(granted("'012345670123'", "yes"))[0].2, "blocked");
}
