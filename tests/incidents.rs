//! What happened to others, and what AWS shows as right.
//!
//! Each published incident is rebuilt as its source tells it and is reported by the rule that is about it; each example
//! policy of AWS for a log bucket delivers.

use std::collections::BTreeSet;

use s3log_lint::collect::snapshot;
use s3log_lint::graph::LogGraph;
use s3log_lint::report::{Report, Scale, Settings};
use s3log_lint::rules::{self, EdgeVerdict, Rule};
use serde_json::{Value, json};

const LOGS: &str = "amzn-s3-demo-logs";

/// One source and its log bucket, with these answers of the log bucket.
fn account(answers: Value) -> Value {
    let mut logs = json!({"region": "eu-west-1", "logging": {},
        "lifecycle": {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}}]}});
    for (key, answer) in answers.as_object().expect("answers are an object") {
        logs[key] = answer.clone();
    }
    json!({
        "app-data": {"region": "eu-west-1",
            "logging": {"LoggingEnabled": {"TargetBucket": LOGS, "TargetPrefix": "app-data/"}}},
        LOGS: logs,
    })
}

fn with_policy(statements: Value) -> Value {
    account(json!({"policy": {"Version": "2012-10-17", "Statement": statements}}))
}

fn grant() -> Value {
    json!({"Sid": "S3ServerAccessLogsPolicy", "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": ["s3:PutObject"],
        "Resource": format!("arn:aws:s3:::{LOGS}/app-data*"),
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::app-data"},
                      "StringEquals": {"aws:SourceAccount": "111122223333"}}})
}

struct Said {
    codes: BTreeSet<&'static str>,
    /// Of the edges, ordered by source.
    verdicts: Vec<(String, EdgeVerdict, Vec<&'static str>)>,
    undecided: usize,
}

fn audit(buckets: &Value) -> Said {
    audit_with(buckets, json!({}))
}

fn audit_with(buckets: &Value, more: Value) -> Said {
    let mut account = json!({"id": "111122223333", "organization_id": "o-exampleorgid", "buckets": buckets});
    for (key, value) in more.as_object().expect("more is an object") {
        account[key] = value.clone();
    }
    let text = json!({"version": 1, "unasked": "absent", "accounts": [account]}).to_string();
    let inventory = snapshot::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let graph = LogGraph::new(&inventory);
    let all: Vec<&Rule> = rules::ALL.iter().collect();
    let report = Report::new(
        rules::run(&graph, &all),
        Scale::of(&inventory),
        &Settings::default(),
    );
    Said {
        codes: report.findings.iter().map(|all| all.finding.rule.code).collect(),
        verdicts: report
            .edges
            .iter()
            .map(|edge| (edge.subject.bucket.clone(), edge.verdict, edge.causes.clone()))
            .collect(),
        undecided: report.undecided.len(),
    }
}

/// This incident is this rule's and nobody else's, and its edges end so.
#[track_caller]
fn is_told(source: &str, buckets: &Value, code: &'static str, verdict: EdgeVerdict) {
    let said = audit(buckets);
    assert_eq!(said.codes, BTreeSet::from([code]), "{source}");
    for (bucket, told, causes) in &said.verdicts {
        assert_eq!(
            (*told, causes.as_slice()),
            (verdict, [code].as_slice()),
            "{source}: {bucket}"
        );
    }
    assert!(!said.verdicts.is_empty(), "{source}: no edge");
    assert_eq!(said.undecided, 0, "{source}");
}

#[track_caller]
fn delivers(source: &str, buckets: &Value) {
    let said = audit(buckets);
    assert_eq!(said.codes, BTreeSet::new(), "{source}");
    for (bucket, verdict, _) in &said.verdicts {
        assert_eq!(*verdict, EdgeVerdict::Delivers, "{source}: {bucket}");
    }
    assert!(!said.verdicts.is_empty(), "{source}: no edge");
    assert_eq!(said.undecided, 0, "{source}");
}

#[test]
fn the_statement_that_aws_recommends_delivers() {
    delivers(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
        &with_policy(json!([grant()])),
    );
}

#[test]
fn the_log_bucket_of_the_policy_examples_delivers() {
    delivers(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
        &with_policy(json!([
            grant(),
            {"Sid": "RestrictToS3ServerAccessLogs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
             "Resource": format!("arn:aws:s3:::{LOGS}/*"),
             "Condition": {"ForAllValues:StringNotEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}},
        ])),
    );
}

#[test]
fn the_canned_acl_of_the_legacy_way_delivers_and_is_noted() {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl: log-delivery-write.
    let group = json!({"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"});
    let said = audit(&account(json!({
        "acl": {"Owner": {"ID": "owner"}, "Grants": [
            {"Grantee": group, "Permission": "WRITE"}, {"Grantee": group, "Permission": "READ_ACP"}]},
        "ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
    })));
    assert_eq!(said.codes, BTreeSet::from(["S3L105"]));
    assert_eq!(said.verdicts[0].1, EdgeVerdict::Delivers);
}

#[test]
fn denies_that_aws_prescribes_do_not_block() {
    let deny = |sid: &str, condition: Value| {
        with_policy(
            json!([grant(), {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [format!("arn:aws:s3:::{LOGS}"), format!("arn:aws:s3:::{LOGS}/*")], "Condition": condition}]),
        )
    };
    delivers(
        "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html, S3.5",
        &deny("OnlyTls", json!({"Bool": {"aws:SecureTransport": "false"}})),
    );
    delivers(
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html, TLS 1.2",
        &deny("OnlyNewTls", json!({"NumericLessThan": {"s3:TlsVersion": 1.2}})),
    );
    delivers(
        "https://github.com/aws-samples/data-perimeter-policy-examples, identity perimeter",
        &deny(
            "OnlyOurOrganization",
            json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"},
                   "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
        ),
    );
    delivers(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, aws:SourceVpc",
        &deny(
            "OnlyFromOurNetwork",
            json!({"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-111bbb22"},
                   "BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}}),
        ),
    );
}

#[test]
fn the_module_that_most_people_use_delivers() {
    // https://github.com/terraform-aws-modules/terraform-aws-s3-bucket, attach_access_log_delivery_policy.
    delivers(
        "terraform-aws-modules/terraform-aws-s3-bucket",
        &with_policy(json!([
            {"Sid": "AWSAccessLogDeliveryWrite", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
             "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{LOGS}/*"),
             "Condition": {"ForAnyValue:ArnLike": {"aws:SourceArn": ["arn:aws:s3:::app-data"]},
                           "StringEquals": {"aws:SourceAccount": "111122223333"}}},
            {"Sid": "AWSAccessLogDeliveryAclCheck", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
             "Action": "s3:GetBucketAcl", "Resource": format!("arn:aws:s3:::{LOGS}")},
        ])),
    );
}

#[test]
fn numbers_and_booleans_are_taken_as_text() {
    // "The quotation marks are optional": a number with all its digits names the account.
    let with = |condition: Value| {
        let mut grant = grant();
        grant["Condition"] = condition;
        with_policy(json!([grant]))
    };
    delivers(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        &with(json!({"StringEquals": {"aws:SourceAccount": 111_122_223_333_u64}})),
    );
    delivers(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
        &with(
            json!({"StringEquals": {"aws:SourceAccount": [444_455_556_666_u64, 111_122_223_333_u64]},
                     "Bool": {"aws:SecureTransport": true}}),
        ),
    );
    is_told(
        "https://github.com/aws/aws-cli/issues/2934",
        &with(json!({"StringEquals": {"aws:SourceAccount": 11_122_223_333_u64}})),
        "S3L101",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn a_deny_of_uploads_without_an_encryption_header_is_told() {
    let deny = |sid: &str, condition: Value| {
        with_policy(
            json!([grant(), {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": format!("arn:aws:s3:::{LOGS}/*"), "Condition": condition}]),
        )
    };
    let cases = [
        (
            "https://github.com/aws-quickstart/quickstart-compliance-common/issues/29",
            deny(
                "DenyUnEncryptedObjectUploads",
                json!({"Null": {"s3:x-amz-server-side-encryption": "true"}}),
            ),
        ),
        (
            "https://github.com/aws-quickstart/quickstart-compliance-common/issues/29",
            deny(
                "DenyIncorrectEncryptionHeader",
                json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}),
            ),
        ),
        (
            "https://github.com/cloud-custodian/cloud-custodian/pull/2916",
            deny(
                "RequireEncryptedPutObject",
                json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": ["AES256", "aws:kms"]}}),
            ),
        ),
    ];
    for (source, buckets) in cases {
        is_told(source, &buckets, "S3L102", EdgeVerdict::Blocked);
    }
}

#[test]
fn a_deny_of_other_organizations_and_networks_is_told() {
    let deny = |condition: Value| {
        with_policy(
            json!([grant(), {"Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": format!("arn:aws:s3:::{LOGS}/*"), "Condition": condition}]),
        )
    };
    let cases = [
        (
            "https://github.com/awsdocs/aws-cloudtrail-user-guide/pull/16",
            deny(json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}})),
        ),
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-server-access-logging.html",
            deny(json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}})),
        ),
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-server-access-logging.html",
            deny(json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
        ),
    ];
    for (source, buckets) in cases {
        is_told(source, &buckets, "S3L102", EdgeVerdict::Blocked);
    }
}

#[test]
fn a_deny_where_an_allow_was_meant_is_told() {
    let mut statement = grant();
    statement["Effect"] = json!("Deny");
    is_told(
        "https://github.com/govuk-one-login/life-events-platform/pull/1021",
        &with_policy(json!([statement])),
        "S3L102",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn a_missing_grant_is_told() {
    is_told(
        "https://github.com/runs-on/runs-on/issues/241",
        &account(json!({})),
        "S3L101",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn a_grant_to_another_service_is_told() {
    for (source, service) in [
        (
            "https://github.com/awsdocs/amazon-s3-developer-guide/pull/38",
            "s3.amazonaws.com",
        ),
        (
            "https://github.com/aws/aws-cdk/issues/26832",
            "logs.s3.amazonaws.com",
        ),
        (
            "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-S3.html",
            "delivery.logs.amazonaws.com",
        ),
    ] {
        let mut statement = grant();
        statement["Principal"] = json!({ "Service": service });
        is_told(
            source,
            &with_policy(json!([statement])),
            "S3L101",
            EdgeVerdict::Blocked,
        );
    }
}

#[test]
fn a_source_arn_that_names_the_log_bucket_is_told() {
    let mut statement = grant();
    statement["Condition"]["ArnLike"]["aws:SourceArn"] = json!(format!("arn:aws:s3:::{LOGS}"));
    is_told(
        "https://github.com/ministryofjustice/modernisation-platform/pull/10927",
        &with_policy(json!([statement])),
        "S3L101",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn a_grant_that_asks_a_service_for_its_organization_is_told() {
    let mut statement = grant();
    statement["Condition"] = json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorgid/*"},
                                    "StringEquals": {"aws:SourceAccount": "111122223333"}});
    is_told(
        "https://github.com/ministryofjustice/modernisation-platform/pull/8000",
        &with_policy(json!([statement])),
        "S3L101",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn two_source_arns_in_one_object_are_told() {
    // The policy's own text: a JSON value can't hold the same key twice.
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"logging.s3.amazonaws.com"}},
        "Action":"s3:PutObject","Resource":"arn:aws:s3:::{LOGS}","Condition":{{"ArnLike":{{
        "aws:SourceArn":"arn:aws:s3:::app-data","aws:SourceArn":"arn:aws:s3:::app-images"}}}}}}]}}"#
    );
    is_told(
        "https://github.com/ministryofjustice/cloud-platform-environments/pull/15458",
        &account(json!({"policy": {"Policy": policy}})),
        "S3L106",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn an_acl_on_a_bucket_without_acls_is_told() {
    let group = json!({"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"});
    for source in [
        "https://github.com/gruntwork-io/terragrunt/issues/6875",
        "https://github.com/aws/aws-cdk/issues/25455",
    ] {
        is_told(
            source,
            &account(json!({
                "acl": {"Owner": {"ID": "owner"}, "Grants": [
                    {"Grantee": group, "Permission": "WRITE"}, {"Grantee": group, "Permission": "READ_ACP"}]},
                "ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
            })),
            "S3L101",
            EdgeVerdict::Blocked,
        );
    }
}

#[test]
fn a_grant_on_an_acl_header_is_uncertain() {
    let mut statement = grant();
    statement["Condition"]["StringEquals"]["s3:x-amz-acl"] = json!("bucket-owner-full-control");
    is_told(
        "https://github.com/cloudposse/terraform-aws-vpc-flow-logs-s3-bucket/pull/101",
        &with_policy(json!([statement])),
        "S3L103",
        EdgeVerdict::Unknown,
    );
}

#[test]
fn kms_on_the_log_bucket_is_told() {
    let encrypted = |rule: Value| {
        account(json!({
            "policy": {"Version": "2012-10-17", "Statement": [grant()]},
            "encryption": {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}},
        }))
    };
    is_told(
        "https://github.com/aws/aws-cdk/issues/23513",
        &encrypted(json!({"SSEAlgorithm": "aws:kms"})),
        "S3L201",
        EdgeVerdict::Unreadable,
    );
    for source in [
        "https://github.com/aws-cloudformation/cloudformation-cli/pull/986",
        "https://github.com/airbnb/binaryalert/pull/122",
    ] {
        let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        is_told(
            source,
            &encrypted(json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key})),
            "S3L202",
            EdgeVerdict::Blocked,
        );
    }
}

#[test]
fn object_lock_and_requester_pays_are_told() {
    let policy = json!({"Version": "2012-10-17", "Statement": [grant()]});
    let page =
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-server-access-logging.html";
    is_told(
        page,
        &account(
            json!({"policy": policy, "object_lock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}}}}),
        ),
        "S3L203",
        EdgeVerdict::Blocked,
    );
    is_told(
        page,
        &account(json!({"policy": policy, "request_payment": {"Payer": "Requester"}})),
        "S3L205",
        EdgeVerdict::Blocked,
    );
}

#[test]
fn buckets_that_log_to_themselves_are_told() {
    for (source, bucket, prefix) in [
        (
            "https://github.com/gruntwork-io/terragrunt/issues/1333",
            "terraform-state",
            "TFStateLogs/",
        ),
        (
            "https://github.com/aws-samples/generative-ai-use-cases/issues/681",
            "file-bucket",
            "AccessLogs/",
        ),
        (
            "https://github.com/aws-samples/sample-demo-of-nova-mme/issues/2",
            "data-bucket",
            "access-logs/",
        ),
        (
            "https://github.com/defenseunicorns/delivery-aws-iac/issues/106",
            "state-bucket",
            "log/",
        ),
        (
            "https://github.com/cloud-custodian/cloud-custodian, toggle-logging on the log bucket",
            "log-ok",
            "log-ok/",
        ),
    ] {
        let mut statement = grant();
        statement["Resource"] = json!(format!("arn:aws:s3:::{bucket}/{prefix}*"));
        statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
        let buckets = json!({bucket: {"region": "eu-west-1",
            "logging": {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": prefix}},
            "policy": {"Version": "2012-10-17", "Statement": [statement]},
            "lifecycle": {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}]}}});
        is_told(source, &buckets, "S3L001", EdgeVerdict::Loops);
    }
}

#[test]
fn a_circle_of_two_is_told() {
    let one = |name: &str, target: &str| {
        json!({"region": "eu-west-1",
            "logging": {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": format!("{name}/")}},
            "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
                "Resource": format!("arn:aws:s3:::{name}/*"),
                "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]},
            "lifecycle": {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}]}})
    };
    is_told(
        "https://github.com/duo-labs/cloudmapper/issues/419",
        &json!({"logs-a": one("logs-a", "logs-b"), "logs-b": one("logs-b", "logs-a")}),
        "S3L002",
        EdgeVerdict::Loops,
    );
}

#[test]
fn targets_that_cannot_be_are_told() {
    let source = |target: &str, region: &str| json!({"region": region, "logging": {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "app-data/"}}});
    is_told(
        "https://github.com/hashicorp/terraform-provider-aws/issues/23498",
        &json!({"app-data": source("arn:aws:s3:::amzn-s3-demo-logs", "eu-west-1")}),
        "S3L011",
        EdgeVerdict::Blocked,
    );
    let mut across = with_policy(json!([grant()]));
    across["app-data"] = source(LOGS, "us-east-1");
    is_told(
        "https://github.com/ministryofjustice/analytical-platform/pull/10624",
        &across,
        "S3L005",
        EdgeVerdict::Blocked,
    );
    for (page, status, code) in [
        (
            "https://github.com/zalando-stups/sevenseconds/issues/29",
            403,
            "S3L006",
        ),
        (
            "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
            404,
            "S3L004",
        ),
    ] {
        let head = json!({"head": {"error": {"code": status.to_string(), "status": status}}});
        let said = audit_with(
            &json!({"app-data": source("elsewhere-logs", "eu-west-1")}),
            json!({"elsewhere": {"elsewhere-logs": head}}),
        );
        assert_eq!(said.codes, BTreeSet::from([code]), "{page}");
        assert_eq!(said.verdicts[0].1, EdgeVerdict::Blocked, "{page}");
    }
}
