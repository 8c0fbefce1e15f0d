//! The semantics of policies, row by row: each case a policy and what it must come to.

use s3log_lint::name::{AccountId, Region};
use s3log_lint::policy::open::Open;
use s3log_lint::policy::{
    AclRoute, DefaultEncryption, Delivery, Facts, Grant, KeyLayout, Ownership, Prepared, Question, Told,
    Truth, parse,
};
use serde_json::{Value, json};

use Grant::{Allowed, Denied, Malformed, NotGranted, Unknown};

fn delivery() -> Delivery {
    let mut delivery = Delivery::between("app-data", "amzn-s3-demo-logs");
    delivery.source_account = AccountId::parse("111122223333").ok();
    delivery.target_account.clone_from(&delivery.source_account);
    delivery.region = Region::parse("eu-west-1").ok();
    delivery.prefix = Some("logs/".into());
    delivery.default_encryption = Some(DefaultEncryption::SseS3);
    delivery.now = Some("2026-06-01T00:00:00Z".into());
    delivery.acl = AclRoute::CLOSED;
    delivery
}

fn decide(text: &str) -> Grant {
    Prepared::new(&parse(text), &Facts::default())
        .decide(&delivery())
        .grant
}

/// A statement that would match, but for what is put in its place.
fn statement(effect: &str, changes: &Value) -> Value {
    let mut statement = json!({
        "Effect": effect,
        "Principal": if effect == "Deny" { json!("*") } else { json!({"Service": "logging.s3.amazonaws.com"}) },
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
    });
    for (key, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(statement.as_object_mut().expect("an object").remove(key)),
            value => statement[key] = value.clone(),
        }
    }
    statement
}

fn policy(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// What an allow with these changes comes to, alone.
fn allow(changes: Value) -> Grant {
    decide(&policy(&[statement("Allow", &changes)]))
}

/// What a deny with these changes makes of a grant.
fn deny(changes: Value) -> Grant {
    decide(&policy(&[
        statement("Allow", &json!({})),
        statement("Deny", &changes),
    ]))
}

/// What conditions make of an allow, and of a deny beside a grant.
fn condition(condition: Value) -> (Grant, Grant) {
    let changes = json!({"Condition": condition});
    (allow(changes.clone()), deny(changes))
}

const HOLDS: (Grant, Grant) = (Allowed, Denied);
const FAILS: (Grant, Grant) = (NotGranted, Allowed);
const OPEN: (Grant, Grant) = (Unknown, Unknown);

#[test]
fn principals() {
    for (principal, expected) in [
        (json!("*"), Allowed),
        (json!({"AWS": "*"}), Unknown),
        (json!({"AWS": ["*"]}), Unknown),
        (json!({"Service": "logging.s3.amazonaws.com"}), Allowed),
        (
            json!({"Service": ["cloudtrail.amazonaws.com", "logging.s3.amazonaws.com"]}),
            Allowed,
        ),
        (
            json!({"AWS": "111122223333", "Service": "logging.s3.amazonaws.com"}),
            Allowed,
        ),
        (json!({"Service": "Logging.S3.amazonaws.com"}), NotGranted),
        (json!({"Service": "delivery.logs.amazonaws.com"}), NotGranted),
        (json!({"Service": "s3.amazonaws.com"}), NotGranted),
        (json!({"Service": "*"}), Malformed),
        (json!({"Service": "*.amazonaws.com"}), Malformed),
        (json!({"AWS": "111122223333"}), NotGranted),
        (json!({"AWS": "arn:aws:iam::111122223333:root"}), NotGranted),
        (json!({"AWS": "858827067514"}), Unknown),
        (json!({"AWS": "arn:aws:iam::858827067514:root"}), Unknown),
        (json!({"AWS": "AIDAEXAMPLEEXAMPLE12"}), NotGranted),
        (json!({"AWS": "arn:aws:iam::111122223333:role/*"}), Malformed),
        (
            json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
            NotGranted,
        ),
        (json!({"Federated": "cognito-identity.amazonaws.com"}), NotGranted),
        (json!({"Servicez": "logging.s3.amazonaws.com"}), Malformed),
        (json!("logging.s3.amazonaws.com"), Malformed),
        (json!(["*"]), Malformed),
        (json!({}), Malformed),
        (json!({"Service": []}), Malformed),
        (Value::Null, Malformed),
    ] {
        assert_eq!(allow(json!({"Principal": principal})), expected, "{principal}");
    }
    let not = |who: Value| deny(json!({"Principal": null, "NotPrincipal": who}));
    assert_eq!(not(json!({"AWS": "arn:aws:iam::111122223333:root"})), Denied);
    assert_eq!(not(json!({"Service": "logging.s3.amazonaws.com"})), Allowed);
    assert_eq!(
        not(json!({"AWS": "111122223333", "Service": ["logging.s3.amazonaws.com"]})),
        Allowed
    );
    assert_eq!(not(json!({"AWS": "*"})), Unknown);
    assert_eq!(not(json!("*")), Allowed);
    assert_eq!(deny(json!({"NotPrincipal": {"AWS": "111122223333"}})), Malformed);
}

#[test]
fn actions() {
    for (action, expected) in [
        (json!("s3:PutObject"), Allowed),
        (json!("S3:putobject"), Allowed),
        (json!(["s3:GetObject", "s3:Put*"]), Allowed),
        (json!("s3:?utObject"), Allowed),
        (json!("s3:*"), Allowed),
        (json!("*"), Allowed),
        (json!("s3:PutObject?"), NotGranted),
        (json!("s3:PutObjectAcl"), NotGranted),
        (json!("s3:Get*"), NotGranted),
        (json!("PutObject"), Malformed),
        (json!("ec2:*"), Malformed),
        (json!("s3:PutObjectz"), Malformed),
        (json!([]), Malformed),
        (Value::Null, Malformed),
    ] {
        assert_eq!(allow(json!({"Action": action})), expected, "{action}");
    }
    let not = |what: Value| deny(json!({"Action": null, "NotAction": what}));
    assert_eq!(not(json!("s3:GetObject")), Denied);
    assert_eq!(not(json!(["s3:GetObject", "s3:Put*"])), Allowed);
}

#[test]
fn resources_against_every_key_of_the_edge() {
    let arn = |rest: &str| format!("arn:aws:s3:::{rest}");
    for (resource, expected) in [
        (arn("amzn-s3-demo-logs/*"), Allowed),
        (arn("amzn-s3-demo-logs/logs/*"), Allowed),
        (arn("amzn-s3-demo-logs/logs*"), Allowed),
        (arn("amzn-s3-demo-l?gs/l*"), Allowed),
        (arn("*"), Allowed),
        (arn("amzn-s3-demo-logs*"), Allowed),
        (arn("*/logs/*-*"), Allowed),
        (
            arn("amzn-s3-demo-logs/logs/????-??-??-??-??-??-????????????????"),
            Allowed,
        ),
        (arn("amzn-s3-demo-logs/logs/????-*"), Allowed),
        // Only some keys.
        (arn("amzn-s3-demo-logs/logs/2026-*"), Unknown),
        (arn("amzn-s3-demo-logs/*A"), Unknown),
        (
            arn("amzn-s3-demo-logs/logs/2026-11-22-07-30-00-0123456789ABCDEF"),
            Unknown,
        ),
        // None.
        (arn("amzn-s3-demo-logs/log/*"), NotGranted),
        (arn("amzn-s3-demo-logs/Logs/*"), NotGranted),
        (arn("amzn-s3-demo-logs/logs/"), NotGranted),
        (arn("amzn-s3-demo-logs/"), NotGranted),
        (arn("amzn-s3-demo-logs/logs/app-data/*"), NotGranted),
        (arn("amzn-s3-demo-logs/*/app-data/*"), NotGranted),
        (arn("amzn-s3-demo-logs/*.gz"), NotGranted),
        (
            arn("amzn-s3-demo-logs/logs/????-??-??-??-??-??-???????????????"),
            NotGranted,
        ),
        (arn("other/*"), NotGranted),
        ("arn:aws-cn:s3:::amzn-s3-demo-logs/*".to_owned(), NotGranted),
        ("arn:aws:s3:*:*:amzn-s3-demo-logs/*".to_owned(), Allowed),
        ("arn:*:s3:::amzn-s3-demo-logs/*".to_owned(), Allowed),
        // What S3 refuses.
        ("*".to_owned(), Malformed),
        ("amzn-s3-demo-logs/*".to_owned(), Malformed),
        ("arn:aws:s3:::".to_owned(), Malformed),
        (
            "arn:aws:s3:eu-west-1:111122223333:amzn-s3-demo-logs/*".to_owned(),
            Malformed,
        ),
        ("arn:aws:sqs:::amzn-s3-demo-logs/*".to_owned(), Malformed),
        (arn("amzn-s3-demo-logs"), Malformed),
    ] {
        assert_eq!(allow(json!({"Resource": resource})), expected, "{resource}");
    }
    let not = |what: Value| deny(json!({"Resource": null, "NotResource": what}));
    assert_eq!(not(json!(arn("amzn-s3-demo-logs/logs/*"))), Allowed);
    assert_eq!(not(json!(arn("amzn-s3-demo-logs/other/*"))), Denied);
    assert_eq!(not(json!(arn("amzn-s3-demo-logs/logs/2026*"))), Unknown);
}

#[test]
fn the_prefix_is_glued_on_and_partitions_follow_it() {
    let grant = |resource: &str, prefix: &str, layout: KeyLayout| {
        let text = policy(&[statement(
            "Allow",
            &json!({"Resource": format!("arn:aws:s3:::amzn-s3-demo-logs/{resource}")}),
        )]);
        let mut delivery = delivery();
        delivery.prefix = Some(prefix.into());
        delivery.layout = Some(layout);
        Prepared::new(&parse(&text), &Facts::default())
            .decide(&delivery)
            .grant
    };
    use KeyLayout::{Partitioned, Simple};
    assert_eq!(grant("logs/*", "logs", Simple), NotGranted);
    assert_eq!(grant("logs/*", "logs", Partitioned), NotGranted);
    assert_eq!(grant("logs*", "logs", Simple), Allowed);
    assert_eq!(grant("*/app-data/*", "", Partitioned), Allowed);
    assert_eq!(grant("*/app-data/*", "", Simple), NotGranted);
    assert_eq!(
        grant("111122223333/eu-west-1/app-data/*", "", Partitioned),
        Allowed
    );
    assert_eq!(grant("logs111122223333/*", "logs", Partitioned), Allowed);
    assert_eq!(
        grant("logs/${aws:SourceAccount}/*", "logs/", Partitioned),
        Allowed
    );
    assert_eq!(grant("logs/${aws:SourceAccount}/*", "logs/", Simple), NotGranted);
    assert_eq!(grant("*", "a*?${aws:SourceAccount}", Simple), Allowed);
    assert_eq!(grant("a${*}/*", "a*/", Simple), Allowed);
    assert_eq!(grant("a${*}/*", "ab/", Simple), NotGranted);
}

#[test]
fn variables_by_version() {
    let grant = |version: Option<&str>, resource: &str| {
        let mut document = json!({"Statement": [statement("Allow", &json!({"Resource": format!("arn:aws:s3:::amzn-s3-demo-logs/{resource}")}))]});
        if let Some(version) = version {
            document["Version"] = json!(version);
        }
        let mut delivery = delivery();
        delivery.prefix = Some("111122223333/".into());
        Prepared::new(&parse(&document.to_string()), &Facts::default())
            .decide(&delivery)
            .grant
    };
    assert_eq!(grant(Some("2012-10-17"), "${aws:SourceAccount}/*"), Allowed);
    assert_eq!(grant(Some("2008-10-17"), "${aws:SourceAccount}/*"), NotGranted);
    assert_eq!(grant(None, "${aws:SourceAccount}/*"), NotGranted);
    assert_eq!(grant(Some("2012-10-17"), "${AWS:sourceaccount}/*"), Allowed);
    assert_eq!(
        grant(Some("2012-10-17"), "${aws:PrincipalTag/team, '111122223333'}/*"),
        Allowed
    );
    assert_eq!(
        grant(Some("2012-10-17"), "${aws:PrincipalTag/team}/*"),
        NotGranted
    );
    assert_eq!(grant(Some("2012-10-17"), "${aws:PrincipalTag/team}*"), NotGranted);
    assert_eq!(grant(Some("2012-10-17"), "${aws:UserAgent}/*"), Unknown);
    assert_eq!(grant(Some("2012-10-17"), "x${aws:UserAgent}/*"), NotGranted);
    assert_eq!(grant(Some("2012-10-17"), "${aws:SourceAccount/*"), Malformed);
    assert_eq!(grant(Some("2012-10-17"), "${}/*"), Malformed);
    assert_eq!(grant(Some("2013-10-17"), "*"), Malformed);
    assert_eq!(
        condition(json!({"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}})),
        HOLDS
    );
    assert_eq!(
        condition(json!({"StringEquals": {"aws:SourceAccount": "${aws:PrincipalTag/account}"}})),
        FAILS
    );
    assert_eq!(
        condition(json!({"StringNotEquals": {"aws:SourceAccount": "${aws:PrincipalTag/account}"}})),
        HOLDS
    );
    assert_eq!(
        condition(json!({"StringEquals": {"aws:SourceAccount": "${aws:UserAgent}"}})),
        OPEN
    );
    assert_eq!(
        condition(json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:PrincipalTag/x, 'app'}-*"}})),
        HOLDS
    );
}

#[test]
fn what_a_delivery_is_about() {
    for (test, expected) in [
        (
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::app-data"}}),
            HOLDS,
        ),
        (
            json!({"ArnEquals": {"AWS:SOURCEARN": "arn:aws:s3:::app-*"}}),
            HOLDS,
        ),
        (
            json!({"StringLike": {"aws:SourceArn": "arn:aws:s3:::app-*"}}),
            HOLDS,
        ),
        (json!({"StringLike": {"aws:SourceArn": "arn:*app-data"}}), HOLDS),
        (json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*"}}), FAILS),
        (
            json!({"StringEquals": {"aws:SourceArn": "arn:aws:s3:::app-*"}}),
            FAILS,
        ),
        (
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::app-data/*"}}),
            FAILS,
        ),
        (
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3::111122223333:app-data"}}),
            FAILS,
        ),
        (
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:app-data"}}),
            HOLDS,
        ),
        (
            json!({"ArnLike": {"aws:SourceArn": "arn:aws-us-gov:s3:::app-data"}}),
            FAILS,
        ),
        (json!({"ArnLike": {"aws:SourceArn": "*"}}), OPEN),
        (json!({"ArnLike": {"aws:SourceArn": "app-data"}}), FAILS),
        (json!({"ArnNotLike": {"aws:SourceArn": "app-data"}}), HOLDS),
        (
            json!({"StringEquals": {"aws:SourceAccount": 111_122_223_333_u64}}),
            HOLDS,
        ),
        (
            json!({"StringEquals": {"aws:SourceAccount": ["444455556666", "111122223333"]}}),
            HOLDS,
        ),
        (
            json!({"StringNotEquals": {"aws:SourceAccount": ["444455556666", "111122223333"]}}),
            FAILS,
        ),
        (
            json!({"StringEquals": {"aws:SourceAccount": "444455556666"}}),
            FAILS,
        ),
        (
            json!({"StringEqualsIgnoreCase": {"aws:RequestedRegion": "EU-WEST-1"}}),
            HOLDS,
        ),
        (
            json!({"StringEquals": {"aws:ResourceAccount": "111122223333", "s3:ResourceAccount": "111122223333"}}),
            HOLDS,
        ),
        (json!({"Null": {"aws:SourceArn": "true"}}), FAILS),
        (json!({"Null": {"aws:SourceArn": false}}), HOLDS),
        (
            json!({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}),
            HOLDS,
        ),
        (
            json!({"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}}),
            FAILS,
        ),
        (
            json!({"DateGreaterThan": {"aws:EpochTime": 1_577_836_800}}),
            HOLDS,
        ),
        (
            json!({"StringEquals": {"aws:SourceOrgID": "o-exampleorgid"}}),
            OPEN,
        ),
        (
            json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-exampleorgid/*"}}),
            OPEN,
        ),
        (json!({}), HOLDS),
    ] {
        assert_eq!(condition(test.clone()), expected, "{test}");
    }
}

#[test]
fn who_delivers() {
    for (test, expected) in [
        (json!({"Bool": {"aws:PrincipalIsAWSService": "true"}}), HOLDS),
        (json!({"Bool": {"aws:PrincipalIsAWSService": true}}), HOLDS),
        (
            json!({"BoolIfExists": {"aws:PrincipalIsAWSService": "False"}}),
            FAILS,
        ),
        (
            json!({"StringNotEquals": {"aws:PrincipalServiceName": "logging.s3.amazonaws.com"}}),
            FAILS,
        ),
        (
            json!({"StringNotEqualsIfExists": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}}),
            HOLDS,
        ),
        (
            json!({"ForAllValues:StringNotEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}),
            FAILS,
        ),
        (
            json!({"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}),
            HOLDS,
        ),
        (
            json!({"ForAllValues:StringEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}),
            OPEN,
        ),
        (
            json!({"StringEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}),
            OPEN,
        ),
        (json!({"Bool": {"aws:ViaAWSService": "false"}}), HOLDS),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), FAILS),
        (json!({"NumericLessThan": {"s3:TlsVersion": 1.2}}), FAILS),
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.3"}}), OPEN),
        (
            json!({"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}}),
            HOLDS,
        ),
        // Whose identity is AWS's own.
        (
            json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}),
            HOLDS,
        ),
        (
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}),
            FAILS,
        ),
        (
            json!({"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}),
            OPEN,
        ),
        (
            json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::858827067514:*"}}),
            OPEN,
        ),
        (
            json!({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}),
            HOLDS,
        ),
        (
            json!({"StringNotLike": {"aws:userid": ["AROAEXAMPLEID:*", "111122223333"]}}),
            HOLDS,
        ),
        (
            json!({"StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}}),
            OPEN,
        ),
        (json!({"Null": {"aws:PrincipalArn": "true"}}), OPEN),
        (json!({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), HOLDS),
        (
            json!({"NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]}}),
            HOLDS,
        ),
        (json!({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), FAILS),
        (json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}), OPEN),
        (json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), OPEN),
        (
            json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
            HOLDS,
        ),
        (json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}), OPEN),
        (json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}), FAILS),
    ] {
        assert_eq!(condition(test.clone()), expected, "{test}");
    }
}

#[test]
fn keys_that_are_not_there() {
    for key in [
        "aws:PrincipalOrgID",
        "aws:SourceVpce",
        "AWS:sourcevpc",
        "aws:PrincipalTag/team",
        "s3:x-amz-server-side-encryption",
        "s3:ExistingObjectTag/stage",
        "s3:DataAccessPointAccount",
        "aws:NoSuchKey",
    ] {
        let with = |operator: &str, value: &str| {
            let mut test = json!({});
            test[operator][key] = json!(value);
            condition(test)
        };
        assert_eq!(with("StringEquals", "x"), FAILS, "{key}");
        assert_eq!(with("StringLike", "*"), FAILS, "{key}");
        assert_eq!(with("StringNotEquals", "x"), HOLDS, "{key}");
        assert_eq!(with("StringEqualsIfExists", "x"), HOLDS, "{key}");
        assert_eq!(with("StringNotEqualsIfExists", "x"), HOLDS, "{key}");
        assert_eq!(with("Null", "true"), HOLDS, "{key}");
        assert_eq!(with("Null", "false"), FAILS, "{key}");
        assert_eq!(with("ForAllValues:StringEquals", "x"), HOLDS, "{key}");
        assert_eq!(with("ForAllValues:StringNotEquals", "x"), HOLDS, "{key}");
        assert_eq!(with("ForAnyValue:StringEquals", "x"), FAILS, "{key}");
        assert_eq!(with("ForAnyValue:StringNotEquals", "x"), FAILS, "{key}");
        assert_eq!(with("ForAllValues:Null", "false"), HOLDS, "{key}");
        assert_eq!(with("ForAnyValue:Null", "true"), FAILS, "{key}");
    }
}

#[test]
fn keys_of_which_nobody_knows() {
    for test in [
        json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}),
        json!({"StringNotEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}),
        json!({"Null": {"s3:x-amz-acl": "true"}}),
        json!({"StringEquals": {"aws:UserAgent": "x"}}),
        json!({"StringLike": {"s3:x-amz-storage-class": "*"}}),
        json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}),
        json!({"StringEquals": {"s3:authType": "REST-HEADER"}}),
        json!({"StringEquals": {"aws:SourceAccount": []}}),
        json!({"NumericLessThan": {"s3:TlsVersion": "new"}}),
    ] {
        assert_eq!(condition(test.clone()), OPEN, "{test}");
    }
    // Whatever the key is, these are so.
    assert_eq!(
        condition(json!({"StringLikeIfExists": {"s3:x-amz-storage-class": "*"}})),
        HOLDS
    );
    // What is false for another reason doesn't hang on it.
    let both = json!({"StringEquals": {"s3:x-amz-acl": "private"}, "Bool": {"aws:SecureTransport": "false"}});
    assert_eq!(condition(both), FAILS);
    // An IfExists without its key holds, so this denies.
    assert_eq!(
        deny(json!({"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}}})),
        Denied
    );
}

#[test]
fn what_s3_refuses_is_malformed() {
    for text in [
        "",
        "[]",
        "\"x\"",
        "{",
        "{}",
        "{\"Version\":\"2012-10-17\"}",
        "{\"Version\":\"2012-10-17\",\"Statement\":[]}",
        "{\"Version\":\"2012-10-17\",\"Statement\":{}}",
        "{\"Version\":\"2012-10-17\",\"Statement\":\"x\"}",
        "{\"Version\":\"2012-10-17\",\"Statement\":[1]}",
        "// comment\n{}",
        "{\"Version\":\"2012-10-17\",\"Statement\":[],}",
    ] {
        assert_eq!(decide(text), Malformed, "{text}");
    }
    let good = policy(&[statement("Allow", &json!({}))]);
    assert_eq!(decide(&good), Allowed);
    assert_eq!(decide(&good.replace("[{", "{").replace("}]", "}")), Allowed);
    assert_eq!(decide(&format!("  \n{good}\n")), Allowed);
    assert_eq!(decide(&format!("\u{feff}{good}")), Malformed);
    for (from, to) in [
        ("\"Effect\":\"Allow\"", "\"Effect\":\"allow\""),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Effect\":\"Allow\"",
        ),
        ("\"Effect\":\"Allow\"", "\"Efect\":\"Allow\""),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"NotAction\":\"s3:GetObject\"",
        ),
        ("\"Effect\":\"Allow\"", "\"Effect\":\"Allow\",\"Condition\":[]"),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"StringEquals\":\"x\"}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"StringIs\":{\"aws:SourceAccount\":\"1\"}}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"NullIfExists\":{\"aws:SourceAccount\":\"true\"}}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"StringEquals\":{\"SourceAccount\":\"1\"}}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"StringEquals\":{\"s3:NoSuchKey\":\"1\"}}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"300.1.1.1\"}}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"StringEquals\":{\"s3:prefix\":\"x\"}}",
        ),
        (
            "\"Effect\":\"Allow\"",
            "\"Effect\":\"Allow\",\"Condition\":{\"StringEquals\":{\"aws:SourceAccount\":\"1\",\"AWS:SourceAccount\":\"2\"}}",
        ),
        ("\"s3:PutObject\"", "null"),
        ("\"2012-10-17\"", "20121017"),
    ] {
        let text = good.replace(from, to);
        assert_ne!(text, good);
        assert_eq!(decide(&text), Malformed, "{text}");
    }
    let large = good.replace(
        "\"Effect\"",
        &format!("\"Sid\":\"{}\",\"Effect\"", "x".repeat(21_000)),
    );
    assert_eq!(decide(&large), Malformed);
    assert_eq!(
        decide(&good.replace("\"Effect\"", &format!("{}\"Effect\"", " ".repeat(21_000)))),
        Allowed
    );
}

#[test]
fn a_malformed_policy_is_weighed_all_the_same() {
    let anyway = |text: &str| {
        Prepared::new(&parse(text), &Facts::default())
            .decide(&delivery())
            .if_evaluated_anyway
    };
    let good = policy(&[statement("Allow", &json!({}))]);
    assert_eq!(anyway(&good), None);
    assert_eq!(anyway(&good.replace("\"Allow\"", "\"allow\"")), Some(Allowed));
    assert_eq!(
        anyway(&good.replace("\"Effect\":\"Allow\"", "\"Effect\":\"Allow\",\"Effect\":\"Deny\"")),
        Some(Unknown)
    );
    assert_eq!(
        anyway(&good.replace("\"Effect\":\"Allow\"", "\"Effect\":\"Deny\",\"Effect\":\"Deny\"")),
        Some(Denied)
    );
    assert_eq!(anyway("no policy"), None);
}

#[test]
fn the_acl_is_a_way_of_its_own() {
    let none = Prepared::without_policy(&Facts::default());
    let with = |ownership, write, read_acp| {
        let mut delivery = delivery();
        delivery.acl = AclRoute {
            ownership,
            write,
            read_acp,
        };
        none.decide(&delivery)
    };
    let (enforced, count) = (Some(Ownership::BucketOwnerEnforced), Some(Ownership::AclsCount));
    assert_eq!(with(count, Some(true), Some(true)).grant, Allowed);
    assert!(with(count, Some(true), Some(true)).via_acl);
    assert_eq!(with(count, Some(false), Some(true)).grant, NotGranted);
    assert_eq!(with(count, Some(true), Some(false)).grant, Unknown);
    assert_eq!(with(enforced, Some(true), Some(true)).grant, NotGranted);
    assert_eq!(with(None, Some(true), Some(true)).grant, Unknown);
    assert_eq!(with(count, None, None).grant, Unknown);
    assert_eq!(with(enforced, None, None).grant, NotGranted);
    let denying = Prepared::new(
        &parse(&policy(&[statement("Deny", &json!({}))])),
        &Facts::default(),
    );
    let mut delivery = delivery();
    delivery.acl = AclRoute {
        ownership: count,
        write: Some(true),
        read_acp: Some(true),
    };
    assert_eq!(denying.decide(&delivery).grant, Denied);
}

#[test]
fn each_open_question_is_one_switch() {
    let text = policy(&[statement("Allow", &json!({"Principal": {"AWS": "*"}}))]);
    let decide = |answer| {
        let facts = Facts::default().answer(Question::AwsStar, answer);
        Prepared::new(&parse(&text), &facts).decide(&delivery()).grant
    };
    assert_eq!(decide(Truth::True), Allowed);
    assert_eq!(decide(Truth::False), NotGranted);
    assert_eq!(decide(Truth::Unknown), Unknown);
}

#[test]
fn what_the_user_knows_goes_before_the_table() {
    let text = policy(&[statement(
        "Allow",
        &json!({"Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}}),
    )]);
    let decide = |facts: Facts| Prepared::new(&parse(&text), &facts).decide(&delivery()).grant;
    assert_eq!(decide(Facts::default()), Unknown);
    assert_eq!(
        decide(Facts::default().know("S3:X-Amz-Acl", ["private".to_owned()])),
        Allowed
    );
    assert_eq!(decide(Facts::default().know_absent("s3:x-amz-acl")), NotGranted);
    let organization = policy(&[statement(
        "Allow",
        &json!({"Condition": {"StringEquals": {"aws:SourceOrgID": "o-exampleorgid"}}}),
    )]);
    let decide = |told| {
        let mut delivery = delivery();
        delivery.organization = told;
        Prepared::new(&parse(&organization), &Facts::default())
            .decide(&delivery)
            .grant
    };
    assert_eq!(decide(Told::Known("o-exampleorgid".to_owned())), Allowed);
    assert_eq!(decide(Told::Known("o-another".to_owned())), NotGranted);
    assert_eq!(decide(Told::Absent), NotGranted);
}

/// Whether everybody reads the logs by these statements; unknown where the deploy tells.
fn public(statements: &[Value]) -> Truth {
    let prepared = Prepared::new(&parse(&policy(statements)), &Facts::default());
    match (
        prepared.public_reads(&delivery()).is_empty(),
        prepared.is_public_perhaps(&delivery()),
    ) {
        (false, _) => Truth::True,
        (true, true) => Truth::Unknown,
        (true, false) => Truth::False,
    }
}

#[test]
fn an_action_that_the_deploy_tells_may_be_reading() {
    let open = Open::Missing("Action".to_owned()).written();
    for (actions, expected) in [
        (json!({"Action": "s3:Get*"}), Truth::True),
        (json!({"Action": open}), Truth::Unknown),
        (json!({"Action": format!("s3:Get{open}")}), Truth::Unknown),
        (json!({"Action": format!("s3:Put{open}")}), Truth::False),
        (json!({"Action": ["s3:GetObject", open]}), Truth::True),
        (json!({"Action": ["s3:PutObject", open]}), Truth::Unknown),
        (json!({"Action": null, "NotAction": open}), Truth::Unknown),
        (
            json!({"Action": null, "NotAction": ["s3:Get*", open]}),
            Truth::False,
        ),
    ] {
        let mut changes = actions;
        changes["Principal"] = json!("*");
        assert_eq!(public(&[statement("Allow", &changes)]), expected, "{changes}");
    }
}

#[test]
fn a_deny_that_the_deploy_tells_may_keep_the_world_out() {
    let open = Open::Missing("P".to_owned()).written();
    let somebody = json!({"AWS": "arn:aws:iam::111122223333:root"});
    for (changes, expected) in [
        (json!({}), Truth::False),
        (json!({"Principal": somebody}), Truth::True),
        (json!({"Principal": null, "NotPrincipal": somebody}), Truth::False),
        (
            json!({"Principal": null, "NotPrincipal": {"AWS": open}}),
            Truth::Unknown,
        ),
        (json!({"Principal": {"AWS": open}}), Truth::Unknown),
        (json!({"Action": open}), Truth::Unknown),
        (json!({"Resource": open}), Truth::Unknown),
        (
            json!({"Condition": {"StringEquals": {Open::condition(): "x"}}}),
            Truth::Unknown,
        ),
        (
            json!({"Condition": {"StringNotEquals": {"aws:SourceVpce": open}}}),
            Truth::False,
        ),
    ] {
        let mut all = json!({"Action": "s3:GetObject*"});
        for (key, value) in changes.as_object().expect("an object") {
            all[key] = value.clone();
        }
        let read = json!({"Principal": "*", "Action": "s3:GetObject"});
        let statements = [statement("Allow", &read), statement("Deny", &all)];
        assert_eq!(public(&statements), expected, "{changes}");
    }
}
