//! The sandbox keeps its promises. What AWS was recorded to answer is in `sandbox_recorded.rs`.

#[path = "sandbox/mod.rs"]
mod sandbox;

use std::io::ErrorKind;
use std::time::Duration;

use sandbox::Sandbox;
use sandbox::client::{Caller, Reply};
use sandbox::documents::{create, logging, ownership};
use sandbox::faults::{Fail, Faults, Kind};
use serde_json::{Value, json};

const MINE: &str = "111122223333";
const OTHER: &str = "444455556666";

/// An account with a source and a target in Ireland, a bucket in Virginia, and somebody else's bucket.
fn furnished() -> Sandbox {
    Sandbox::start(
        &json!({"version": 1, "accounts": [
            {"id": MINE, "buckets": {
                "app-data": {"region": "eu-west-1"},
                "app-logs": {"region": "eu-west-1"},
                "app-virginia": {"region": "us-east-1"},
            }},
            {"id": OTHER, "buckets": {"not-mine": {"region": "eu-west-1"}}},
        ]})
        .to_string(),
    )
}

#[test]
fn a_region_is_left_out_of_the_list_unless_something_is_asked() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    assert!(!caller.get("/").body.contains("BucketRegion"));
    assert!(
        caller
            .get("/?max-buckets=1000")
            .body
            .contains("<BucketRegion>eu-west-1</BucketRegion>")
    );
    assert_eq!(caller.get("/?max-buckets=0").code(), "InvalidArgument");
    assert!(
        !caller.get("/").body.contains("not-mine"),
        "another account's bucket is not listed"
    );
}

#[test]
fn a_wrong_region_is_told_but_not_where_to_go() {
    let sandbox = furnished();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    let reply = virginia.get("/app-data?logging");
    assert_eq!((reply.status, reply.code().as_str()), (301, "PermanentRedirect"));
    assert_eq!(reply.header("x-amz-bucket-region"), Some("eu-west-1"));
    assert_eq!(reply.header("location"), None);
    assert!(!reply.text("Endpoint").is_empty());

    let reply = virginia.head("/app-data");
    assert_eq!((reply.status, reply.body.as_str()), (301, ""));
    assert_eq!(reply.header("x-amz-bucket-region"), Some("eu-west-1"));
    // Any region tells where a bucket is.
    assert_eq!(virginia.get("/app-data?location").xml().text, "eu-west-1");

    sandbox.set_faults(Faults {
        malformed_scope: true,
        ..Faults::default()
    });
    let reply = virginia.get("/app-data?logging");
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (400, "AuthorizationHeaderMalformed")
    );
    assert_eq!(reply.text("Region"), "eu-west-1");
}

#[test]
fn both_addresses_of_a_bucket_are_understood() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    for (target, host) in [
        ("/app-data?logging", "127.0.0.1"),
        ("/app-data/?logging", "127.0.0.1"),
        ("/?logging", "app-data.localhost:4566"),
        ("/?logging", "app-data.s3.eu-west-1.amazonaws.com"),
    ] {
        let reply = caller.ask("GET", target, &[("host", host)], "");
        assert_eq!(
            (reply.status, reply.xml().name.as_str()),
            (200, "BucketLoggingStatus"),
            "{target} {host}"
        );
    }
}

#[test]
fn a_key_says_who_asks() {
    let sandbox = furnished();
    let unknown = Caller::with_key(&sandbox, "AKIAUNKNOWN", "eu-west-1");
    assert_eq!(
        (unknown.get("/").status, unknown.get("/").code().as_str()),
        (403, "InvalidAccessKeyId")
    );
    let expired = Caller::with_key(&sandbox, "ASIAEXPIRED", "eu-west-1");
    assert_eq!(
        (expired.get("/").status, expired.get("/").code().as_str()),
        (400, "ExpiredToken")
    );
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(expired.ask("POST", "/", &[], identity).status, 403);
    assert!(
        expired
            .ask("POST", "/", &[], identity)
            .body
            .contains("<Code>ExpiredToken</Code>")
    );
    assert!(
        unknown
            .ask("POST", "/", &[], identity)
            .body
            .contains("<Code>InvalidClientTokenId</Code>")
    );

    let mine = Caller::of(&sandbox, MINE, "eu-west-1");
    assert!(
        mine.ask("POST", "/", &[], identity)
            .body
            .contains("<Account>111122223333</Account>")
    );
    assert_eq!(mine.get("/not-mine?policy").code(), "AccessDenied");
    assert_eq!(mine.head("/not-mine").status, 403);
    assert_eq!(
        mine.head("/not-mine").header("x-amz-bucket-region"),
        Some("eu-west-1")
    );
    assert_eq!(mine.head("/nobodys").status, 404);

    let role = |role: &str| {
        let form = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=audit&Version=2011-06-15");
        mine.ask("POST", "/", &[], &form)
    };
    assert_eq!(
        role("arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fforbidden").status,
        403
    );
    assert_eq!(
        role("arn%3Aaws%3Aiam%3A%3A999988887777%3Arole%2Faudit").status,
        403
    );
    let reply = role("arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Faudit");
    let key = reply
        .body
        .split_once("<AccessKeyId>")
        .and_then(|(_, rest)| rest.split_once('<'))
        .map(|(key, _)| key.to_owned());
    let other = Caller::with_key(&sandbox, &key.expect("a key"), "eu-west-1");
    assert_eq!(other.head("/not-mine").status, 200);
    assert_eq!(other.head("/app-data").status, 403);
}

#[test]
fn logging_is_taken_where_it_can_not_work_and_refused_where_aws_refuses() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    let put = |body: &str| caller.put("/app-data?logging", body);
    for (key, broken) in [
        (
            "encryption",
            json!({"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}),
        ),
        (
            "object_lock",
            json!({"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}}),
        ),
        ("request_payment", json!({"Payer": "Requester"})),
    ] {
        sandbox.visit(|visitor| visitor.set("app-logs", key, Some(broken)));
        assert_eq!(put(&logging("app-logs", "x/", "")).status, 200, "{key}");
    }
    assert_eq!(put(&logging("app-data", "x/", "")).status, 200, "a loop");

    let reply = put(&logging("not-mine", "x/", ""));
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (400, "InvalidTargetBucketForLogging")
    );
    assert_eq!(
        reply.message(),
        "The owner for the bucket to be logged and the target bucket must be the same."
    );
    let grants = "<TargetGrants><Grant><Grantee xmlns:xsi=\"x\" xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee><Permission>READ</Permission></Grant></TargetGrants>";
    let reply = put(&logging("app-logs", "x/", grants));
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (400, "Target grants not allowed for bucket owner enforced buckets")
    );
    let without_prefix = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>app-logs</TargetBucket></LoggingEnabled></BucketLoggingStatus>";
    assert_eq!(put(without_prefix).code(), "MalformedXML");

    let partitioned = "<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>DeliveryTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>";
    assert_eq!(put(&logging("app-logs", "a&amp;b/ ", partitioned)).status, 200);
    let kept = sandbox.dump();
    assert_eq!(
        kept["accounts"][0]["buckets"]["app-data"]["logging"],
        json!({"LoggingEnabled": {
            "TargetBucket": "app-logs", "TargetPrefix": "a&b/ ",
            "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}},
        }})
    );
    assert!(
        caller
            .get("/app-data?logging")
            .body
            .contains("<TargetPrefix>a&amp;b/ </TargetPrefix>")
    );
}

#[test]
fn creating_your_own_bucket_again_in_virginia_resets_its_acl() {
    let sandbox = furnished();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    virginia.put("/app-virginia?ownershipControls", &ownership("ObjectWriter"));
    let reply = virginia.ask(
        "PUT",
        "/app-virginia?acl",
        &[("x-amz-acl", "log-delivery-write")],
        "",
    );
    assert_eq!(reply.status, 200);
    assert!(virginia.get("/app-virginia?acl").body.contains("LogDelivery"));
    assert_eq!(create(&virginia, "app-virginia", None).status, 200);
    assert!(!virginia.get("/app-virginia?acl").body.contains("LogDelivery"));

    assert_eq!(create(&virginia, "not-mine", None).code(), "BucketAlreadyExists");
    assert_eq!(create(&virginia, "No_Name", None).code(), "InvalidBucketName");
    let regional = [("x-amz-bucket-namespace", "account-regional")];
    assert_eq!(
        virginia.ask("PUT", "/plain-name", &regional, "").code(),
        "InvalidBucketName"
    );
    assert_eq!(
        virginia
            .ask("PUT", "/logs-111122223333-us-east-1-an", &regional, "")
            .status,
        200
    );
}

#[test]
fn acls_and_enforced_owners_exclude_each_other() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    let delivery = [("x-amz-acl", "log-delivery-write")];
    let reply = caller.ask("PUT", "/app-logs?acl", &delivery, "");
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (400, "AccessControlListNotSupported")
    );
    assert_eq!(caller.delete("/app-logs?ownershipControls").status, 204);
    assert_eq!(caller.ask("PUT", "/app-logs?acl", &delivery, "").status, 200);
    let reply = caller.put("/app-logs?ownershipControls", &ownership("BucketOwnerEnforced"));
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (400, "InvalidBucketAclWithObjectOwnership")
    );
    let public = [("x-amz-acl", "public-read")];
    assert_eq!(
        caller.ask("PUT", "/app-logs?acl", &public, "").code(),
        "AccessDenied",
        "BlockPublicAcls"
    );
}

#[test]
fn a_policy_is_refused_with_the_words_of_s3() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    let grant = json!({
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::app-logs/*",
    });
    let changed = |key: &str, value: Value| {
        let mut statement = grant.clone();
        match value {
            Value::Null => drop(statement.as_object_mut().and_then(|fields| fields.remove(key))),
            value => statement[key] = value,
        }
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    let put = |policy: &str| {
        let reply = caller.put("/app-logs?policy", policy);
        (reply.status, reply.message())
    };
    assert_eq!(put(&changed("Sid", "ok".into())).0, 204);
    for (policy, message) in [
        (
            "[]".to_owned(),
            "Policies must be valid JSON and the first byte must be '{'",
        ),
        (
            " {\"Statement\":[]}".to_owned(),
            "Policies must be valid JSON and the first byte must be '{'",
        ),
        (
            "{\"Statement\":[]}".to_owned(),
            "Could not parse the policy: Statement is empty!",
        ),
        ("{\"Statements\":[]}".to_owned(), "Unknown field Statements"),
        (
            changed("Principal", Value::Null),
            "Missing required field Principal",
        ),
        (changed("Effect", Value::Null), "Missing required field Effect"),
        (changed("Action", Value::Null), "Missing required field Action"),
        (
            changed("Resource", Value::Null),
            "Missing required field Resource",
        ),
        (
            changed("Resource", "arn:aws:s3:::app-data/*".into()),
            "Policy has invalid resource",
        ),
        (
            changed("Resource", "arn:aws-cn:s3:::app-logs/*".into()),
            "Policy has invalid resource",
        ),
        (
            changed("Resource", "arn:aws:s3:::app-logs".into()),
            "Action does not apply to any resource(s) in statement",
        ),
        (
            changed("Action", "ec2:RunInstances".into()),
            "Policy has invalid action",
        ),
        (
            changed("Principal", json!({"AWS": "nobody"})),
            "Invalid principal in policy",
        ),
        (
            changed(
                "Condition",
                json!({"ArnLike": {"aws:SourceArn": vec!["arn:aws:s3:::a-long-name-of-a-bucket"; 600]}}),
            ),
            "Normalized policy document exceeds the maximum allowed size of 20480 bytes.",
        ),
    ] {
        assert_eq!(put(&policy), (400, message.to_owned()), "{policy:.200}");
    }
    let reply = caller.put("/app-logs?policy", &changed("Principal", "*".into()));
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (403, "AccessDenied"),
        "BlockPublicPolicy"
    );
    let held = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::app-logs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": MINE}},
    }]});
    assert_eq!(put(&held.to_string()).0, 204, "held to an account, so not public");
}

#[test]
fn objects_can_be_put_listed_and_deleted_and_keep_a_bucket_alive() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    for key in ["a/1", "a/2", "b/1", "c%20d"] {
        assert_eq!(caller.put(&format!("/app-logs/{key}"), "text").status, 200);
    }
    let framed = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ];
    let body = "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    assert_eq!(caller.ask("PUT", "/app-logs/framed", &framed, body).status, 200);
    assert_eq!(caller.get("/app-logs/framed").body, "hello world");
    let listed = caller.get("/app-logs?list-type=2&delimiter=%2F&encoding-type=url&max-keys=2");
    assert!(
        listed
            .body
            .contains("<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"),
        "{}",
        listed.body
    );
    let token = listed.text("NextContinuationToken");
    let rest = caller.get(&format!(
        "/app-logs?list-type=2&delimiter=%2F&encoding-type=url&continuation-token={token}"
    ));
    assert!(rest.body.contains("<Key>c%20d</Key>"), "{}", rest.body);
    assert!(
        !rest.body.contains("<Prefix>b/</Prefix></CommonPrefixes>"),
        "{}",
        rest.body
    );
    assert_eq!(caller.delete("/app-logs").code(), "BucketNotEmpty");
    for key in ["a/1", "a/2", "b/1", "c%20d", "framed"] {
        assert_eq!(caller.delete(&format!("/app-logs/{key}")).status, 204);
    }
    assert_eq!(caller.delete("/app-logs").status, 204);
    assert_eq!(caller.head("/app-logs").status, 404);
}

#[test]
fn it_does_not_answer_another_question() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    for target in [
        "/app-data?replication",
        "/app-data?notification",
        "/app-data?policyStatus",
    ] {
        assert_eq!(caller.get(target).status, 501, "{target}");
        assert_eq!(caller.put(target, "").status, 501, "{target}");
    }
}

#[test]
fn faults_come_as_often_as_they_are_told() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    let ask = || caller.try_ask("GET", "/app-data?logging", &[], "");
    let shares = |faults: Faults| {
        sandbox.set_faults(faults);
        (0..400)
            .filter(|_| !ask().is_ok_and(|reply| reply.status == 200))
            .count()
    };
    for (name, faults) in [
        (
            "throttle",
            Faults {
                throttle: 0.1,
                ..Faults::default()
            },
        ),
        (
            "reset",
            Faults {
                reset: 0.1,
                ..Faults::default()
            },
        ),
        (
            "reset after",
            Faults {
                reset_after: 0.1,
                ..Faults::default()
            },
        ),
        (
            "spurious",
            Faults {
                spurious_no_such_bucket: 0.1,
                ..Faults::default()
            },
        ),
    ] {
        let count = shares(faults);
        assert!((20..=70).contains(&count), "{name}: {count} of 400");
    }
    assert_eq!(shares(Faults::default()), 0);
    let count = shares(Faults {
        denied: 0.5,
        ..Faults::default()
    });
    assert!(
        count == 0 || count == 400,
        "a call is always refused or never: {count}"
    );

    let fail: Fail = "GetBucketLogging:app-data=ServiceUnavailable"
        .parse()
        .expect("a right one");
    sandbox.set_faults(Faults {
        fail: vec![fail],
        ..Faults::default()
    });
    assert_eq!(ask().expect("an answer").status, 503);
    assert_eq!(caller.get("/app-logs?logging").status, 200);
    assert!("GetBucketLoging=AccessDenied".parse::<Fail>().is_err());

    let started = std::time::Instant::now();
    sandbox.set_faults(Faults {
        latency: Duration::from_millis(30),
        ..Faults::default()
    });
    ask().expect("an answer");
    assert!(started.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_planned_failure_hits_its_call_and_leaves_the_effect_that_it_says() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    let put =
        |prefix: &str| caller.try_ask("PUT", "/app-data?logging", &[], &logging("app-logs", prefix, ""));
    let prefix = || {
        sandbox
            .visit(|visitor| visitor.get("app-data", "logging"))
            .and_then(|logging| {
                logging
                    .pointer("/LoggingEnabled/TargetPrefix")?
                    .as_str()
                    .map(str::to_owned)
            })
    };
    let broken = |result: std::io::Result<Reply>| {
        let kind = result.expect_err("the connection is reset").kind();
        assert!(
            matches!(
                kind,
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe
            ),
            "{kind}"
        );
    };
    sandbox.fail_write(2, 1, Kind::ResetBefore);
    caller.get("/app-data?logging");
    assert_eq!(put("one").expect("an answer").status, 200);
    broken(put("two"));
    assert_eq!(prefix().as_deref(), Some("one"));
    assert_eq!(put("three").expect("an answer").status, 200);

    sandbox.fail_call(1, 1, Kind::ResetAfter);
    broken(put("four"));
    assert_eq!(prefix().as_deref(), Some("four"));

    sandbox.fail_call(1, 2, Kind::Refused);
    assert_eq!(put("five").expect("an answer").status, 403);
    assert_eq!(put("five").expect("an answer").status, 403);
    assert_eq!(put("six").expect("an answer").status, 200);

    sandbox.fail_call(1, u64::MAX, Kind::Throttled);
    assert_eq!(put("seven").expect("an answer").code(), "SlowDown");
    sandbox.clear_plans();
    assert_eq!(prefix().as_deref(), Some("six"));
}

#[test]
fn somebody_else_can_change_the_account_between_two_calls() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    sandbox.before_operation(2, "GetBucketLogging", Some("app-data"), |visitor| {
        visitor.delete_bucket("app-data")
    });
    assert_eq!(caller.get("/app-logs?logging").status, 200);
    assert_eq!(caller.get("/app-data?logging").status, 200);
    assert_eq!(caller.get("/app-data?logging").code(), "NoSuchBucket");
}

#[test]
fn a_read_after_a_write_may_see_what_was_before() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    sandbox.set_faults(Faults {
        stale_reads: 2,
        ..Faults::default()
    });
    caller.put("/app-data?logging", &logging("app-logs", "x/", ""));
    let seen: Vec<bool> = (0..4)
        .map(|_| caller.get("/app-data?logging").body.contains("app-logs"))
        .collect();
    assert_eq!(seen, [false, false, true, true]);
}

#[test]
fn only_what_is_allowed_is_allowed() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    sandbox.allow_only(["s3:GetBucketLogging", "s3:GetLifecycle*"]);
    assert_eq!(caller.get("/app-data?logging").status, 200);
    assert_eq!(
        caller.get("/app-data?lifecycle").code(),
        "NoSuchLifecycleConfiguration"
    );
    let reply = caller.get("/app-data?policy");
    assert_eq!(reply.status, 403);
    assert!(
        reply
            .message()
            .contains("s3:GetBucketPolicy on resource: \"arn:aws:s3:::app-data\""),
        "{}",
        reply.body
    );
    assert_eq!(caller.get("/").code(), "AccessDenied");
    assert_eq!(caller.head("/app-data").status, 403);

    let policy = r#"{"Statement": {"Effect": "Allow", "Action": "s3:GetBucketPolicy", "Resource": "arn:aws:s3:::app-l*"}}"#;
    sandbox
        .allow_policy(policy)
        .expect("a policy that can be enforced");
    assert_eq!(caller.get("/app-logs?policy").status, 404);
    assert_eq!(caller.get("/app-data?policy").status, 403);
    assert!(
        sandbox
            .allow_policy(
                r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {}}]}"#
            )
            .is_err()
    );
    sandbox.allow_everything();
    assert_eq!(caller.get("/app-data?policy").status, 404);
}

#[test]
fn it_counts_what_it_was_asked() {
    let sandbox = furnished();
    let caller = Caller::of(&sandbox, MINE, "eu-west-1");
    caller.get("/app-data?logging");
    caller.get("/app-data?policy");
    caller.put("/app-data?logging", &logging("app-logs", "", ""));
    assert_eq!(sandbox.total(), 3);
    assert_eq!(sandbox.writes(), 1);
    assert_eq!(
        sandbox.calls().into_iter().collect::<Vec<_>>(),
        [
            ("GetBucketLogging", 1),
            ("GetBucketPolicy", 1),
            ("PutBucketLogging", 1)
        ]
    );
    let statuses: Vec<Option<u16>> = sandbox.log().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(404), Some(200)]);
    sandbox.forget_calls();
    assert_eq!(sandbox.total(), 0);
}

#[test]
fn what_it_dumps_is_a_seed_of_the_same_account() {
    let first = Sandbox::start(include_str!("../testdata/demo.json")).dump();
    let second = Sandbox::start(&first.to_string()).dump();
    assert_eq!(first, second);
    s3log_lint::collect::snapshot::read(&first.to_string()).expect("the program reads it");
}

#[test]
fn a_seed_that_is_none_is_said_to_be_none() {
    for (seed, said) in [
        ("", "no snapshot"),
        ("{\"version\": 2, \"accounts\": []}", "version 2"),
        ("{\"version\": 1, \"accounts\": []}", "no account"),
        (
            "{\"version\": 1, \"accounts\": [{\"buckets\": {\"app-data\": {}}}]}",
            "no region",
        ),
        (
            "{\"version\": 1, \"accounts\": [{\"id\": \"1\", \"buckets\": {\"a\": {\"region\": \"eu-west-1\"}}}, {\"id\": \"2\", \"buckets\": {\"a\": {\"region\": \"eu-west-1\"}}}]}",
            "twice",
        ),
    ] {
        let error = Sandbox::start_on(seed, 0, Faults::default())
            .map(|_| ())
            .expect_err(seed);
        assert!(error.to_string().contains(said), "{error}");
    }
}

// --- as a program ---

/// The example, where it is built: `cargo test` builds it, `cargo test --test sandbox` doesn't.
fn example() -> Option<std::path::PathBuf> {
    let test = std::env::current_exe().ok()?;
    let path = test.parent()?.parent()?.join("examples/sandbox");
    let built = path.exists();
    if !built {
        eprintln!("skipped: {} is not built", path.display());
    }
    built.then_some(path)
}

#[test]
fn the_program_says_how_to_reach_it_and_dumps_what_became_of_it() {
    use std::io::{BufRead, BufReader};
    let Some(example) = example() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (seed, dump) = (folder.path().join("seed.json"), folder.path().join("dump.json"));
    std::fs::write(&seed, furnished().dump().to_string()).expect("a file");
    let mut child = std::process::Command::new(example)
        .args([
            "--latency",
            "1ms",
            "--fail",
            "GetBucketPolicy:app-logs=AccessDenied",
        ])
        .arg("--seed")
        .arg(&seed)
        .arg("--dump")
        .arg(&dump)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the example starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut environment = std::collections::BTreeMap::new();
    while environment.len() < 4 {
        let line = lines.next().expect("four lines").expect("text");
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|pair| pair.split_once('=')) {
            environment.insert(name.to_owned(), value.to_owned());
        }
    }
    let caller = Caller::at(
        &environment["AWS_ENDPOINT_URL"],
        &environment["AWS_ACCESS_KEY_ID"],
        "eu-west-1",
    );
    assert_eq!(caller.get("/app-logs?policy").code(), "AccessDenied");
    assert_eq!(
        caller
            .put("/app-data?logging", &logging("app-logs", "told/", ""))
            .status,
        200
    );
    assert!(caller.get("/_sandbox/calls").body.contains("\"total\": 2"));
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(interrupted.success());
    assert!(child.wait().expect("it ends").success());
    let dumped = std::fs::read_to_string(&dump).expect("a dump");
    assert!(dumped.contains("told/"));
    Sandbox::start(&dumped);
}

// --- laws ---

/// Methods, targets and bodies that are near enough to S3's to get far.
fn request() -> impl proptest::strategy::Strategy<Value = (String, String, String)> {
    use proptest::prelude::*;
    let method = prop::sample::select(vec!["GET", "HEAD", "PUT", "DELETE", "POST"]);
    let bucket = prop::sample::select(vec![
        "", "app-data", "app-logs", "not-mine", "nobodys", "%", "a%00b", "..%2f",
    ]);
    let key = prop::sample::select(vec!["", "/", "/key", "/%E2%82", "/a/b"]);
    let queries: Vec<&str> = sandbox::operation::OPERATIONS
        .iter()
        .filter_map(|operation| operation.query)
        .chain([
            "",
            "list-type=2&max-keys=x",
            "max-buckets=-1",
            "continuation-token=%",
            "prefix=%FF",
            "&&=&",
        ])
        .collect();
    let body = prop_oneof![
        Just(logging("app-logs", "x/", "")),
        Just(
            "{\"Statement\":[{\"Effect\":[],\"Principal\":{\"AWS\":{}},\"Action\":null,\"Resource\":0}]}"
                .to_owned()
        ),
        "<(Rule|TagSet|Tag|And|Filter|LoggingEnabled|AccessControlPolicy){0,3}/?>.{0,20}",
        "\\PC{0,60}",
        Just("<a>".repeat(5000)),
    ];
    (method, bucket, key, prop::sample::select(queries), body).prop_map(
        |(method, bucket, key, query, body)| (method.to_owned(), format!("/{bucket}{key}?{query}"), body),
    )
}

/// Text that XML can carry.
fn text() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::string::string_regex("[ -~\\n\\räß€😀]{0,20}").expect("a regular expression")
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 128, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_request_is_answered_by_silence(requests in proptest::collection::vec(request(), 1..8)) {
        let sandbox = furnished();
        let caller = Caller::of(&sandbox, MINE, "eu-west-1");
        for (method, target, body) in requests {
            let reply = caller.try_ask(&method, &target, &[], &body).expect("an answer");
            proptest::prop_assert!((200..=503).contains(&reply.status), "{method} {target}: {}", reply.status);
        }
        s3log_lint::collect::snapshot::read(&sandbox.dump().to_string()).expect("the state stays a snapshot");
    }

    #[test]
    fn what_is_written_as_xml_is_read_as_it_was(prefix in text(), key in text(), value in text()) {
        let document = json!({
            "LoggingEnabled": {
                "TargetBucket": "app-logs",
                "TargetPrefix": prefix,
                "TargetGrants": [{"Grantee": {"Type": "Group", "URI": key}, "Permission": value}],
            },
        });
        let written = sandbox::xml::write("BucketLoggingStatus", &document);
        let read = sandbox::xml::read(&written).expect("XML");
        proptest::prop_assert_eq!(sandbox::xml::value(&read), document);
    }
}
