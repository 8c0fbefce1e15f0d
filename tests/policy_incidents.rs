//! Published incidents, each with its source: what kept logs from arriving is reported with the right rule. And AWS's
//! own example policies for log buckets: they deliver.

use s3log_lint::collect::snapshot;
use s3log_lint::graph::LogGraph;
use s3log_lint::rules::{self, EdgeVerdict, Rule};
use serde_json::{Value, json};

const TARGET: &str = "amzn-s3-demo-destination-bucket-logs";
const SOURCE: &str = "amzn-s3-demo-source-bucket";
const ACCOUNT: &str = "111122223333";

/// How an account with one edge looks to the rules: grant, verdict, causes.
fn audit(target: Value, target_name: &str, prefix: &str) -> (String, EdgeVerdict, Vec<&'static str>) {
    let text = json!({
        "version": 1,
        "taken_at": "2026-11-22T07:00:00Z",
        "unasked": "absent",
        "accounts": [{
            "id": ACCOUNT,
            "buckets": {
                SOURCE: {
                    "region": "us-east-1",
                    "logging": {"LoggingEnabled": {"TargetBucket": target_name, "TargetPrefix": prefix}},
                },
                TARGET: target,
            },
        }],
    })
    .to_string();
    let inventory = snapshot::read(&text).expect("a snapshot");
    let graph = LogGraph::new(&inventory);
    let every: Vec<&'static Rule> = rules::ALL.iter().collect();
    let outcome = rules::run(&graph, &every);
    let edge = outcome
        .edges
        .iter()
        .find(|edge| edge.subject.bucket == SOURCE)
        .expect("the edge is there");
    (edge.grant.to_owned(), edge.verdict, edge.causes.clone())
}

fn target(policy: Option<Value>, more: Value) -> Value {
    let mut target = json!({"region": "us-east-1"});
    if let Some(policy) = policy {
        target["policy"] = json!({"Policy": policy.to_string()});
    }
    for (key, value) in more.as_object().expect("an object") {
        target[key] = value.clone();
    }
    target
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The statement that AWS recommends.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>
fn recommended() -> Value {
    json!({
        "Sid": "S3ServerAccessLogsPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": ["s3:PutObject"],
        "Resource": format!("arn:aws:s3:::{TARGET}/logs*"),
        "Condition": {
            "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{SOURCE}")},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        },
    })
}

fn deny(condition: Value) -> Value {
    json!({
        "Sid": "TheDeny",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{TARGET}"), format!("arn:aws:s3:::{TARGET}/*")],
        "Condition": condition,
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut statement = recommended();
    change(&mut statement);
    statement
}

#[test]
fn every_example_of_aws_delivers() {
    let only_logs = json!({
        "Sid": "RestrictToS3ServerAccessLogs",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{TARGET}/*"),
        "Condition": {"ForAllValues:StringNotEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}},
    });
    let perimeter = deny(json!({
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }));
    for (source, statements) in [
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
            vec![recommended()],
        ),
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
            vec![
                with(|s| s["Resource"] = json!(format!("arn:aws:s3:::{TARGET}/*"))),
                only_logs,
            ],
        ),
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html (TLS only)",
            vec![
                recommended(),
                deny(json!({"Bool": {"aws:SecureTransport": "false"}})),
            ],
        ),
        (
            "https://github.com/aws-samples/data-perimeter-policy-examples (identity perimeter)",
            vec![recommended(), perimeter],
        ),
    ] {
        let (grant, verdict, causes) = audit(target(Some(policy(statements)), json!({})), TARGET, "logs/");
        assert_eq!(
            (grant.as_str(), verdict),
            ("allowed", EdgeVerdict::Delivers),
            "{source}: {causes:?}"
        );
        assert!(causes.is_empty(), "{source}: {causes:?}");
    }
    // The older way, by ACL.
    let acl = json!({
        "ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
        "acl": {"Owner": {"ID": "exampleowner"}, "Grants": [
            {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "WRITE"},
            {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "READ_ACP"},
        ]},
    });
    let (grant, verdict, _) = audit(target(None, acl), TARGET, "logs/");
    assert_eq!((grant.as_str(), verdict), ("allowed", EdgeVerdict::Delivers));
}

#[test]
fn denies_that_stopped_delivery() {
    let not_in = |key: &str, value: &str| {
        let mut condition = json!({});
        condition["StringNotEquals"][key] = json!(value);
        deny(condition)
    };
    for (source, statement) in [
        (
            "https://github.com/aws-quickstart/quickstart-compliance-common/issues/29 (DenyUnEncryptedObjectUploads)",
            not_in("s3:x-amz-server-side-encryption", "AES256"),
        ),
        (
            "https://github.com/cloud-custodian/cloud-custodian/pull/2916 (encrypted uploads only)",
            deny(json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": ["AES256", "aws:kms"]}})),
        ),
        (
            "https://github.com/ministryofjustice/modernisation-platform/pull/8000 (PrincipalOrgPaths)",
            deny(
                json!({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": ["o-exampleorgid/*/ou-example/*"]}}),
            ),
        ),
        (
            "https://github.com/ministryofjustice/modernisation-platform/pull/11445 (an organization's principals only)",
            not_in("aws:PrincipalOrgID", "o-exampleorgid"),
        ),
        (
            "https://github.com/awsdocs/aws-cloudtrail-user-guide/pull/16 (PrincipalOrgID of a service)",
            deny(json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}})),
        ),
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-server-access-logging.html (a Deny)",
            not_in("aws:SourceVpce", "vpce-1a2b3c4d"),
        ),
        (
            "https://github.com/govuk-one-login/life-events-platform/pull/1021 (Deny, where Allow was meant)",
            with(|s| s["Effect"] = json!("Deny")),
        ),
    ] {
        let (grant, verdict, causes) = audit(
            target(Some(policy(vec![recommended(), statement])), json!({})),
            TARGET,
            "logs/",
        );
        assert_eq!(
            (grant.as_str(), verdict),
            ("denied", EdgeVerdict::Blocked),
            "{source}"
        );
        assert_eq!(causes, ["S3L102"], "{source}");
    }
}

#[test]
fn grants_that_missed() {
    let service = |name: &str| {
        let name = name.to_owned();
        with(move |s| s["Principal"]["Service"] = json!(name))
    };
    for (source, statements, prefix) in [
        (
            "https://github.com/runs-on/runs-on/issues/241 (no statement)",
            vec![deny(json!({"Bool": {"aws:SecureTransport": "false"}}))],
            "logs/",
        ),
        (
            "https://github.com/runs-on/runs-on/issues/241 (one source of several)",
            vec![with(|s| {
                s["Condition"]["ArnLike"]["aws:SourceArn"] = json!(["arn:aws:s3:::amzn-s3-demo-cache"])
            })],
            "logs/",
        ),
        (
            "https://github.com/cisagov/crossfeed/issues/1885 (no statement)",
            vec![service("cloudtrail.amazonaws.com")],
            "logs/",
        ),
        (
            "delivery.logs.amazonaws.com, which delivers other logs",
            vec![service("delivery.logs.amazonaws.com")],
            "logs/",
        ),
        (
            "https://github.com/aws/aws-cdk/issues/26832 (logs.s3)",
            vec![service("logs.s3.amazonaws.com")],
            "logs/",
        ),
        (
            "https://github.com/awsdocs/amazon-s3-developer-guide/issues/38 (s3.amazonaws.com)",
            vec![service("s3.amazonaws.com")],
            "logs/",
        ),
        (
            "https://github.com/getmoto/moto/issues/10073 (another prefix)",
            vec![recommended()],
            "access/",
        ),
        (
            "a prefix that is glued on",
            vec![with(|s| {
                s["Resource"] = json!(format!("arn:aws:s3:::{TARGET}/logs/*"))
            })],
            "logs",
        ),
        (
            "the source's objects",
            vec![with(|s| {
                s["Condition"]["ArnLike"]["aws:SourceArn"] = json!(format!("arn:aws:s3:::{SOURCE}/*"))
            })],
            "logs/",
        ),
        (
            "another account",
            vec![with(|s| {
                s["Condition"]["StringEquals"]["aws:SourceAccount"] = json!("444455556666")
            })],
            "logs/",
        ),
        (
            "another partition",
            vec![with(|s| {
                s["Condition"]["ArnLike"]["aws:SourceArn"] = json!(format!("arn:aws-us-gov:s3:::{SOURCE}"))
            })],
            "logs/",
        ),
        (
            "https://github.com/cloudposse/terraform-aws-vpc-flow-logs-s3-bucket/pull/101 (a header that is never sent)",
            vec![with(|s| {
                s["Condition"]["StringEquals"]["s3:x-amz-server-side-encryption"] = json!("AES256")
            })],
            "logs/",
        ),
    ] {
        let (grant, verdict, causes) = audit(target(Some(policy(statements)), json!({})), TARGET, prefix);
        assert_eq!(
            (grant.as_str(), verdict),
            ("not-granted", EdgeVerdict::Blocked),
            "{source}"
        );
        assert_eq!(causes, ["S3L101"], "{source}");
    }
    // https://github.com/aws/aws-cdk/issues/25455: an ACL that the bucket's ownership setting switches off.
    let dead = json!({
        "ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        "acl": {"Owner": {"ID": "exampleowner"}, "Grants": [
            {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}, "Permission": "FULL_CONTROL"},
        ]},
    });
    let (grant, verdict, causes) = audit(target(None, dead), TARGET, "logs/");
    assert_eq!((grant.as_str(), verdict), ("not-granted", EdgeVerdict::Blocked));
    assert_eq!(causes, ["S3L101"]);
}

#[test]
fn what_nobody_can_know_is_said_to_be_unknown() {
    for (source, statements) in [
        (
            "https://github.com/aws-samples/data-perimeter-policy-examples before commit 95a3cae ({\"AWS\":\"*\"})",
            vec![
                recommended(),
                json!({
                    "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:PutObject",
                    "Resource": format!("arn:aws:s3:::{TARGET}/*"),
                    "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}},
                }),
            ],
        ),
        (
            "a grant that asks for x-amz-acl",
            vec![with(|s| {
                s["Condition"]["StringEquals"]["s3:x-amz-acl"] = json!("bucket-owner-full-control")
            })],
        ),
        (
            "a grant to the account that once delivered logs",
            vec![with(|s| {
                s["Principal"] = json!({"AWS": "arn:aws:iam::858827067514:root"})
            })],
        ),
    ] {
        let (grant, verdict, causes) = audit(target(Some(policy(statements)), json!({})), TARGET, "logs/");
        assert_eq!(
            (grant.as_str(), verdict),
            ("unknown", EdgeVerdict::Unknown),
            "{source}"
        );
        assert_eq!(causes, ["S3L103"], "{source}");
    }
}

#[test]
fn settings_that_stopped_delivery_although_the_policy_grants() {
    let kms = |key: Value| {
        json!({"encryption": {"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": key}]}}})
    };
    for (source, settings, code, verdict) in [
        (
            "https://github.com/aws/aws-cdk/issues/23513 (the AWS managed key)",
            kms(json!({"SSEAlgorithm": "aws:kms"})),
            "S3L201",
            EdgeVerdict::Unreadable,
        ),
        (
            "https://github.com/aws-cloudformation/cloudformation-cli/issues/986 (a key of one's own)",
            kms(
                json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:us-east-1:111122223333:key/example"}),
            ),
            "S3L202",
            EdgeVerdict::Blocked,
        ),
    ] {
        let (grant, found, causes) = audit(
            target(Some(policy(vec![recommended()])), settings),
            TARGET,
            "logs/",
        );
        assert_eq!(grant, "allowed", "{source}");
        assert!(causes.contains(&code), "{source}: {causes:?}");
        assert_eq!(found, verdict, "{source}");
    }
    // https://github.com/hashicorp/terraform-provider-aws/issues/23498: an ARN, where a name belongs.
    let arn = format!("arn:aws:s3:::{TARGET}");
    let (_, verdict, causes) = audit(
        target(Some(policy(vec![recommended()])), json!({})),
        &arn,
        "logs/",
    );
    assert_eq!(
        (verdict, causes.as_slice()),
        (EdgeVerdict::Blocked, ["S3L011"].as_slice())
    );
    // https://github.com/ministryofjustice/cloud-platform-environments/pull/15458: one key twice.
    let doubled = recommended().to_string().replace(
        "\"ArnLike\":{",
        "\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:s3:::amzn-s3-demo-another\",",
    );
    let mut twice = target(None, json!({}));
    twice["policy"] = json!({"Policy": format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{doubled}]}}")});
    let (grant, verdict, causes) = audit(twice, TARGET, "logs/");
    assert_eq!(grant, "malformed");
    assert_ne!(verdict, EdgeVerdict::Delivers);
    assert!(causes.contains(&"S3L106"), "{causes:?}");
}
