//! Change sets: what CloudFormation itself says it will do.

use miette::Diagnostic as _;
use s3log_lint::collect::cloudformation::Hints;
use s3log_lint::collect::deployment::{BucketKey, Deployment, Fate, Said};
use s3log_lint::collect::overlay;
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::Fact;
use s3log_lint::rules;
use serde_json::{Value, json};

use crate::{read, try_read};

fn change_set(changes: Value) -> Deployment {
    let changes: Vec<Value> = changes
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| json!({"Type": "Resource", "ResourceChange": change}))
        .collect();
    let text = json!({
        "ChangeSetName": "next", "StackName": "shop", "Changes": changes,
        "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b",
    });
    read(&[("next.json", &text.to_string())])
}

fn context(properties: Value) -> String {
    json!({"Properties": properties}).to_string()
}

#[test]
fn a_bucket_that_is_removed_is_known_without_its_properties() {
    let removed = |policy: Option<&str>| {
        let mut change = json!({"Action": "Remove", "LogicalResourceId": "Logs", "ResourceType": "AWS::S3::Bucket",
            "PhysicalResourceId": "amzn-s3-demo-logs"});
        if let Some(policy) = policy {
            change["PolicyAction"] = policy.into();
        }
        let other = json!({"Action": "Add", "LogicalResourceId": "App", "ResourceType": "AWS::S3::Bucket",
            "AfterContext": context(json!({"BucketName": "app-data"}))});
        let deployment = change_set(json!([change, other]));
        assert_eq!(deployment.remarks, [""; 0]);
        (deployment.declared[0].bucket.clone(), deployment.declared[0].fate)
    };
    let logs = BucketKey::Name("amzn-s3-demo-logs".to_owned());
    assert_eq!(removed(None), (logs.clone(), Fate::Deleted));
    assert_eq!(removed(Some("Delete")), (logs.clone(), Fate::Deleted));
    assert_eq!(removed(Some("Retain")), (logs, Fate::Forgotten));
}

#[test]
fn what_neither_side_has_is_left_alone_and_what_an_import_finds_too() {
    let modified = change_set(json!([{
        "Action": "Modify", "LogicalResourceId": "App", "ResourceType": "AWS::S3::Bucket", "Replacement": "False",
        "PhysicalResourceId": "app-data",
        "BeforeContext": context(json!({"VersioningConfiguration": {"Status": "Enabled"}})),
        "AfterContext": context(json!({})),
    }]));
    let configuration = &modified.declared[0].configuration;
    assert_eq!(configuration.versioning, Said::Removes);
    assert_eq!(configuration.policy, Said::Silent);
    assert_eq!(configuration.logging, Said::Silent);
    let imported = change_set(json!([{
        "Action": "Import", "LogicalResourceId": "App", "ResourceType": "AWS::S3::Bucket",
        "PhysicalResourceId": "app-data",
        "AfterContext": context(json!({"LoggingConfiguration": {"DestinationBucketName": "logs"}})),
    }]));
    assert_eq!(imported.declared[0].fate, Fate::Updated);
    assert!(matches!(
        *imported.declared[0].configuration.logging,
        Said::Unchanged(Fact::Known(_))
    ));
}

#[test]
fn a_finding_points_into_the_resource_as_it_will_be() {
    let deployment = change_set(json!([
        {"Action": "Add", "LogicalResourceId": "Logs", "ResourceType": "AWS::S3::Bucket",
         "AfterContext": context(json!({"BucketName": "amzn-s3-demo-logs"}))},
        {"Action": "Add", "LogicalResourceId": "App", "ResourceType": "AWS::S3::Bucket",
         "AfterContext": context(json!({"BucketName": "app-data",
            "LoggingConfiguration": {"DestinationBucketName": "amzn-s3-demo-logs", "LogFilePrefix": "app/"}}))},
        {"Action": "Add", "LogicalResourceId": "Policy", "ResourceType": "AWS::S3::BucketPolicy",
         "AfterContext": context(json!({"Bucket": "amzn-s3-demo-logs", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Resource": "arn:aws:s3:::amzn-s3-demo-logs/web/*"}]}}))},
    ]));
    let inventory = overlay::alone(&[deployment]);
    let graph = LogGraph::new(&inventory);
    let outcome = rules::run(&graph, &rules::ALL.iter().collect::<Vec<_>>());
    let denied = outcome
        .findings
        .iter()
        .find(|each| each.rule.code == "S3L101")
        .expect("the prefix doesn't match");
    let places: Vec<_> = denied
        .said
        .labels
        .iter()
        .map(|label| {
            (
                label.place.document.title.to_string(),
                label.place.pointer.as_str(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("next.json#shop/Policy".to_owned(), "/Statement/0/Resource"),
            (
                "next.json#shop/App".to_owned(),
                "/Properties/LoggingConfiguration/LogFilePrefix"
            ),
        ]
    );
    // For tools that know only files and lines, both are where the change set holds the resource.
    let hosts: Vec<_> = denied
        .said
        .labels
        .iter()
        .map(|label| {
            let host = label
                .place
                .document
                .host
                .as_ref()
                .expect("it stands in the change set");
            assert_eq!(host.place.document.title.to_string(), "next.json");
            host.place.span.clone().expect("it is known where").start
        })
        .collect();
    assert_ne!(hosts[0], hosts[1]);
}

#[test]
fn a_change_set_without_values_is_answered_with_the_command_that_gives_them() {
    let help = |name: &str| {
        let text = json!({"ChangeSetName": name, "StackName": "shop", "Changes": [
            {"ResourceChange": {"Action": "Modify", "ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "Logs"}}]});
        let error =
            try_read(&[("x.json", &text.to_string())], &Hints::default()).expect_err("it has no values");
        error.help().map(|help| help.to_string()).unwrap_or_default()
    };
    let command = "aws cloudformation describe-change-set --include-property-values --change-set-name next --stack-name shop";
    assert!(help("next").contains(command), "{}", help("next"));
    // A name that a shell would take apart isn't put into a command.
    assert!(help("a b; x").contains("--change-set-name CHANGE-SET"));
}
