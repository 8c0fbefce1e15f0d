//! The sandbox answers as real AWS was recorded to answer: status, code, message, every field, and no field more.
//!
//! The recordings stand beside the repository; where they aren't, the test skips and says so.

#[path = "sandbox/mod.rs"]
mod sandbox;

use std::collections::BTreeSet;
use std::sync::Mutex;

use sandbox::Sandbox;
use sandbox::client::{Caller, Reply};
use sandbox::documents::{PUBLIC_ACCESS, create, logging, ownership};
use serde_json::{Map, Value, json};

const MINE: &str = "111122223333";
const OTHER: &str = "444455556666";

fn empty() -> Sandbox {
    Sandbox::start(
        &json!({"version": 1, "accounts": [{"id": MINE, "buckets": {}}, {"id": OTHER, "buckets": {}}]})
            .to_string(),
    )
}

/// The recordings, and which of their answers were looked at.
struct Recordings {
    all: Value,
    held: Mutex<BTreeSet<(String, String)>>,
}

impl Recordings {
    fn read() -> Option<Self> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/corpus/aws-recorded/s3-control-plane.json"
        );
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: the recorded answers of AWS are not at {path}");
            return None;
        };
        Some(Self {
            all: serde_json::from_str(&text).expect("the recordings are JSON"),
            held: Mutex::new(BTreeSet::new()),
        })
    }

    fn answers(&self, test: &str) -> &Map<String, Value> {
        self.all
            .as_object()
            .expect("an object by test")
            .iter()
            .find(|(name, _)| name.ends_with(&format!("::{test}")))
            .unwrap_or_else(|| panic!("no recording of {test}"))
            .1["recorded-content"]
            .as_object()
            .expect("an object by step")
    }

    /// The reply tells just what AWS told: status, code, message, every field, and no field more.
    fn hold(&self, test: &str, step: &str, reply: &Reply) {
        let recorded = self
            .answers(test)
            .get(step)
            .unwrap_or_else(|| panic!("no {step} in {test}"));
        let told = told(reply, recorded);
        if let Err(difference) = same(&told, recorded, "") {
            panic!(
                "{test}, {step}: {difference}\n  sandbox: {told}\n  AWS:     {recorded}\n  {}",
                reply.body
            );
        }
        self.held
            .lock()
            .expect("nobody panicked with it")
            .insert((test.to_owned(), step.to_owned()));
    }
}

/// The reply as the recording's client writes it down.
fn told(reply: &Reply, recorded: &Value) -> Value {
    let mut told = json!({});
    if let Some(status) = recorded.pointer("/ResponseMetadata/HTTPStatusCode") {
        told["ResponseMetadata"] = json!({"HTTPHeaders": {}, "HTTPStatusCode": reply.status});
        assert!(status.is_u64(), "a status is a number");
    }
    for (header, name) in [
        ("x-amz-bucket-arn", "BucketArn"),
        ("x-amz-bucket-region", "BucketRegion"),
        ("location", "Location"),
        (
            "x-amz-transition-default-minimum-object-size",
            "TransitionDefaultMinimumObjectSize",
        ),
    ] {
        if let Some(value) = reply.header(header)
            && reply.status == 200
        {
            told[name] = value.into();
        }
    }
    if let Some(alias) = reply.header("x-amz-access-point-alias") {
        told["AccessPointAlias"] = (alias == "true").into();
    }
    if reply.body.is_empty() {
        if reply.status >= 400 {
            // An answer to HEAD has no body: the client makes an error of the status.
            let reason = if reply.status == 404 {
                "Not Found"
            } else {
                "Forbidden"
            };
            told["Error"] = json!({"Code": reply.status.to_string(), "Message": reason});
        }
        return told;
    }
    if reply.body.starts_with('{') {
        told["Policy"] = serde_json::from_str(&reply.body).expect("a policy is JSON");
        return told;
    }
    let document = reply.xml();
    let value = sandbox::xml::value(&document);
    match document.name.as_str() {
        "Error" => {
            let mut error = value;
            let raw = recorded.pointer("/Error/RequestId").is_some();
            if let Some(error) = error.as_object_mut().filter(|_| !raw) {
                error.remove("RequestId");
                error.remove("HostId");
            }
            if error["Message"] == "" {
                error["Message"] = Value::Null;
            }
            told["Error"] = error;
            if recorded.get("LocationConstraint").is_some() {
                // This client adds it to every answer of GetBucketLocation.
                told["LocationConstraint"] = Value::Null;
            }
        }
        "LocationConstraint" => {
            told["LocationConstraint"] = Some(document.text)
                .filter(|text| !text.is_empty())
                .map_or(Value::Null, Value::from);
        }
        payload @ ("OwnershipControls"
        | "ServerSideEncryptionConfiguration"
        | "ObjectLockConfiguration"
        | "PublicAccessBlockConfiguration") => {
            // No rule at all is recorded as nothing.
            if value != json!({}) {
                told[payload] = value;
            }
        }
        _ => {
            for (key, value) in value.as_object().expect("an answer is a structure") {
                told[key] = value.clone();
            }
        }
    }
    told
}

/// Equal, where `<…>` in a recording stands for any text, and a number is the same as its text.
fn same(told: &Value, recorded: &Value, at: &str) -> Result<(), String> {
    match (told, recorded) {
        (Value::Object(told), Value::Object(recorded)) => {
            for key in told.keys().chain(recorded.keys()) {
                match (told.get(key), recorded.get(key)) {
                    (Some(told), Some(recorded)) => same(told, recorded, &format!("{at}/{key}"))?,
                    (None, _) => return Err(format!("AWS tells {at}/{key}")),
                    (_, None) => return Err(format!("AWS doesn't tell {at}/{key}")),
                }
            }
            Ok(())
        }
        (Value::Array(told), Value::Array(recorded)) if told.len() == recorded.len() => {
            for (index, (told, recorded)) in told.iter().zip(recorded).enumerate() {
                same(told, recorded, &format!("{at}/{index}"))?;
            }
            Ok(())
        }
        (_, Value::String(text)) if text == "datetime" || text == "owner-id" || text == "<expiration>" => {
            Ok(())
        }
        (told, recorded) => {
            let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let mut pattern = String::new();
            let mut depth = 0_u32;
            for character in shown(recorded).chars() {
                match character {
                    '<' => {
                        depth += 1;
                        pattern.push('*');
                    }
                    '>' => depth = depth.saturating_sub(1),
                    other if depth == 0 => pattern.push(other),
                    _ => {}
                }
            }
            if sandbox::permission::matches(&pattern, &shown(told)) {
                Ok(())
            } else {
                Err(format!("{at}: {told} where AWS says {recorded}"))
            }
        }
    }
}

#[test]
fn it_answers_as_aws_was_recorded_to_answer() {
    let Some(recordings) = Recordings::read() else {
        return;
    };
    let parts: &[fn(&Recordings)] = &[
        recorded_creation,
        recorded_locations,
        recorded_listing,
        recorded_logging,
        recorded_policies,
        recorded_acls,
        recorded_ownership,
        recorded_encryption,
        recorded_lifecycle,
        recorded_object_lock,
        recorded_public_access,
        recorded_tags,
    ];
    for part in parts {
        part(&recordings);
    }
    let held = recordings.held.lock().expect("nobody panicked with it");
    // Objects, multipart uploads and other subresources are not the sandbox's matter.
    let foreign = [
        "_copy_",
        "multipart",
        "bucket_operation_between_regions",
        "object_expiry",
        "ObjectLockLegalHold",
        "ObjectLockRetention",
        "SSECEncryption",
        "delete_object_with_no_locking",
        "NotificationsToEventBridge",
        "test_s3_copy_object",
    ];
    let step_of_objects = |step: &str| {
        ["head-obj", "get-obj", "put-obj", "managed-kms-key"]
            .iter()
            .any(|start| step.starts_with(start))
    };
    let mut missed = Vec::new();
    for (name, recorded) in recordings.all.as_object().expect("an object by test") {
        let test = name.split_once("::").map_or(name.as_str(), |(_, test)| test);
        if foreign.iter().any(|part| test.contains(part)) {
            continue;
        }
        for step in recorded["recorded-content"]
            .as_object()
            .expect("an object by step")
            .keys()
        {
            let is_control = step.starts_with("put-object-lock") || step.starts_with("get-object-lock");
            if (!step_of_objects(step) || is_control) && !held.contains(&(test.to_owned(), step.clone())) {
                missed.push(format!("{test} {step}"));
            }
        }
    }
    assert_eq!(
        missed,
        Vec::<String>::new(),
        "recorded answers that nothing is held against"
    );
    println!("{} recorded answers of AWS are the sandbox's too", held.len());
    assert!(held.len() > 150, "only {} answers were looked at", held.len());
}

fn recorded_creation(recordings: &Recordings) {
    let sandbox = empty();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    let ohio = Caller::of(&sandbox, MINE, "us-east-2");
    let california = Caller::of(&sandbox, MINE, "us-west-1");
    let ireland = Caller::of(&sandbox, MINE, "eu-west-1");

    let test = "TestS3::test_create_bucket_aws_global";
    let nowhere = Caller::of(&sandbox, MINE, "aws-global");
    recordings.hold(test, "xml-error-create-bucket", &create(&nowhere, "global", None));
    recordings.hold(test, "create-bucket-global", &create(&virginia, "global", None));
    recordings.hold(test, "head-bucket-global", &virginia.head("/global"));
    recordings.hold(test, "get-location-1", &virginia.get("/global?location"));
    recordings.hold(test, "list-buckets", &virginia.get("/?prefix=global"));

    let test = "TestS3::test_create_bucket_head_bucket";
    recordings.hold(test, "create_bucket", &create(&virginia, "first", None));
    recordings.hold(
        test,
        "create_bucket_location_constraint",
        &create(&ohio, "second", Some("us-east-2")),
    );
    recordings.hold(test, "head_bucket", &virginia.head("/first"));
    recordings.hold(test, "head_bucket_2", &ohio.head("/second"));
    recordings.hold(test, "head_bucket_not_exist", &virginia.head("/neither"));
    for (step, reply) in [
        ("head_bucket_filtered_header", virginia.head("/first")),
        ("head_bucket_2_filtered_header", ohio.head("/second")),
    ] {
        for (name, _) in recordings.answers(test)[step].as_object().expect("headers") {
            assert!(reply.header(name).is_some(), "AWS sends {name}");
        }
        recordings
            .held
            .lock()
            .expect("nobody panicked with it")
            .insert((test.to_owned(), step.to_owned()));
    }

    let test = "TestS3::test_create_bucket_with_existing_name";
    recordings.hold(
        test,
        "create-bucket-us-east-2",
        &create(&ohio, "second", Some("us-east-2")),
    );
    recordings.hold(
        test,
        "create-bucket-us-west-1",
        &create(&california, "second", Some("us-west-1")),
    );

    let test = "TestS3::test_create_bucket_with_invalid_location_constraint[eu-west-1-bar]";
    recordings.hold(
        test,
        "eu-west-1-location-constraint-bar-error",
        &create(&ireland, "third", Some("bar")),
    );
    let test = "TestS3::test_create_bucket_with_invalid_location_constraint[us-east-1-foo]";
    recordings.hold(
        test,
        "us-east-1-location-constraint-foo-error",
        &create(&virginia, "third", Some("foo")),
    );
    let test = "TestS3::test_create_bucket_with_invalid_location_constraint[us-east-1-us-east-1]";
    let reply = create(&virginia, "third", Some("us-east-1"));
    recordings.hold(test, "us-east-1-location-constraint-us-east-1-error", &reply);

    let test = "TestS3::test_region_header_exists_outside_us_east_1";
    recordings.hold(test, "head_bucket", &ohio.head("/second"));
    recordings.hold(
        test,
        "list_objects_v2",
        &ohio.get("/second?list-type=2&encoding-type=url"),
    );
}

fn recorded_locations(recordings: &Recordings) {
    let sandbox = empty();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    let ohio = Caller::of(&sandbox, MINE, "us-east-2");
    let california = Caller::of(&sandbox, MINE, "us-west-1");
    let ireland = Caller::of(&sandbox, MINE, "eu-west-1");

    let test = "TestS3::test_create_bucket_with_eu_location_constraint";
    assert_eq!(create(&ireland, "old-name", Some("EU")).status, 200);
    recordings.hold(test, "get-bucket-location", &ireland.get("/old-name?location"));
    recordings.hold(test, "list-bucket-response", &ireland.get("/?prefix=old-name"));
    let test = "TestS3::test_create_bucket_with_eu_location_constraint_raises";
    recordings.hold(
        test,
        "eu-location-constraint-error",
        &create(&ohio, "new-name", Some("EU")),
    );

    let test = "TestS3::test_different_location_constraint";
    let hold = |step: &str, reply: Reply| recordings.hold(test, step, &reply);
    hold(
        "create-bucket-constraint-us-east-1",
        create(&virginia, "here", Some("us-east-1")),
    );
    hold(
        "create-bucket-constraint-us-east-1-with-None",
        create(&virginia, "here", None),
    );
    hold(
        "get-bucket-location-bucket-us-east-1",
        virginia.get("/here?location"),
    );
    hold(
        "create-bucket-constraint-us-east-2-with-None",
        create(&ohio, "there", None),
    );
    hold(
        "create-bucket-us-east-2-no-constraint-exc",
        create(&ohio, "there", Some("")),
    );
    hold(
        "create-bucket-us-east-2-constraint-to-us-west-1",
        create(&ohio, "there", Some("us-west-1")),
    );
    hold(
        "create-bucket-us-west-1-constraint-to-us-east-1",
        create(&california, "there", Some("us-east-1")),
    );
    hold(
        "create-bucket-us-west-1-constraint-to-us-east-2",
        create(&california, "there", Some("us-east-2")),
    );
    assert_eq!(create(&ohio, "there", Some("us-east-2")).status, 200);
    hold(
        "get-bucket-location-bucket-us-east-2",
        ohio.get("/there?location"),
    );
    hold(
        "get-bucket-location-non-existent-bucket",
        virginia.get("/nowhere?location"),
    );
}

fn recorded_listing(recordings: &Recordings) {
    let sandbox = empty();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    let ohio = Caller::of(&sandbox, MINE, "us-east-2");
    create(&virginia, "alpha-one", None);
    create(&virginia, "alpha-two", None);
    create(&ohio, "beta", Some("us-east-2"));

    let test = "TestS3ListBuckets::test_list_buckets_by_bucket_region";
    let reply = ohio.get("/?bucket-region=us-east-2&prefix=beta");
    recordings.hold(test, "list-objects-by-bucket-region-not-empty", &reply);
    let reply = virginia.get("/?bucket-region=us-east-1&prefix=beta");
    recordings.hold(test, "list-objects-by-bucket-region-empty", &reply);
    let test = "TestS3ListBuckets::test_list_buckets_by_prefix_with_case_sensitivity";
    recordings.hold(
        test,
        "list-objects-by-prefix-empty",
        &virginia.get("/?prefix=ALPHA"),
    );
    recordings.hold(
        test,
        "list-objects-by-prefix-not-empty",
        &virginia.get("/?prefix=alpha-o"),
    );
    let test = "TestS3ListBuckets::test_list_buckets_region_validation";
    recordings.hold(test, "bad-region", &virginia.get("/?bucket-region=eu-east-1"));
    let test = "TestS3ListBuckets::test_list_buckets_when_continuation_token_is_empty";
    let reply = virginia.get("/?continuation-token=&max-buckets=1");
    recordings.hold(test, "list-objects-with-empty-continuation-token", &reply);
    let test = "TestS3ListBuckets::test_list_buckets_with_max_buckets";
    let first = virginia.get("/?max-buckets=1");
    recordings.hold(test, "list-objects-with-max-buckets", &first);
    let test = "TestS3ListBuckets::test_list_buckets_with_continuation_token";
    let token = first.text("ContinuationToken");
    let second = virginia.get(&format!("/?max-buckets=1&continuation-token={token}"));
    recordings.hold(test, "list-objects-with-continuation", &second);
}

fn recorded_logging(recordings: &Recordings) {
    let sandbox = empty();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    let ohio = Caller::of(&sandbox, MINE, "us-east-2");
    let ireland = Caller::of(&sandbox, MINE, "eu-west-1");
    create(&virginia, "source", None);
    create(&virginia, "target", None);
    create(&ohio, "ohio", Some("us-east-2"));
    create(&ireland, "ireland", Some("eu-west-1"));

    // The target grants nothing to anyone, and AWS takes it.
    let test = "TestS3BucketLogging::test_put_bucket_logging";
    recordings.hold(
        test,
        "get-bucket-logging-default",
        &virginia.get("/source?logging"),
    );
    recordings.hold(test, "get-bucket-default-acl", &virginia.get("/target?acl"));
    recordings.hold(
        test,
        "put-bucket-logging",
        &virginia.put("/source?logging", &logging("target", "log", "")),
    );
    recordings.hold(test, "get-bucket-logging", &virginia.get("/source?logging"));
    let off = "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
    recordings.hold(
        test,
        "put-bucket-logging-delete",
        &virginia.put("/source?logging", off),
    );
    assert_eq!(virginia.get("/source?logging").xml().children, []);

    let test = "TestS3BucketLogging::test_put_bucket_logging_accept_wrong_grants";
    assert_eq!(
        virginia
            .put("/target?ownershipControls", &ownership("ObjectWriter"))
            .status,
        200
    );
    let grant = |permission: &str| {
        format!(
            "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI></Grantee><Permission>{permission}</Permission></Grant>"
        )
    };
    let grants = format!(
        "<TargetGrants>{}{}</TargetGrants>",
        grant("WRITE"),
        grant("READ_ACP")
    );
    let reply = virginia.put("/source?logging", &logging("target", "log", &grants));
    recordings.hold(test, "put-bucket-logging", &reply);
    recordings.hold(test, "get-bucket-logging", &virginia.get("/source?logging"));

    let test = "TestS3BucketLogging::test_put_bucket_logging_cross_locations";
    let reply = virginia.put("/source?logging", &logging("ireland", "log", ""));
    recordings.hold(test, "put-bucket-logging-cross-us-east-1", &reply);
    let reply = ohio.put("/ohio?logging", &logging("ireland", "log", ""));
    recordings.hold(test, "put-bucket-logging-different-regions", &reply);

    let test = "TestS3BucketLogging::test_put_bucket_logging_wrong_target";
    let reply = virginia.put("/source?logging", &logging("ohio", "log", ""));
    recordings.hold(test, "put-bucket-logging-different-regions", &reply);
    let reply = virginia.put("/source?logging", &logging("nothing-there", "log", ""));
    recordings.hold(test, "put-bucket-logging-non-existent-bucket", &reply);
}

const READABLE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}]}"#;

fn recorded_policies(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    create(&caller, "data", None);
    assert_eq!(caller.put("/data?publicAccessBlock", PUBLIC_ACCESS).status, 200);
    let put = || caller.put("/data?policy", READABLE);
    let get = || caller.get("/data?policy");
    let delete = || caller.delete("/data?policy");

    let test = "TestS3BucketPolicy::test_bucket_policy_crud";
    recordings.hold(test, "get-bucket-default-policy", &get());
    recordings.hold(test, "put-bucket-policy", &put());
    recordings.hold(test, "get-bucket-policy", &get());
    assert_eq!(get().body, READABLE, "the policy's text is kept to the letter");
    recordings.hold(test, "delete-bucket-policy", &delete());
    recordings.hold(test, "get-bucket-policy-after-delete", &get());
    recordings.hold(test, "delete-bucket-policy-after-delete", &delete());

    let test = "TestS3BucketPolicy::test_bucket_policy_exc";
    recordings.hold(test, "put-empty-bucket-policy", &caller.put("/data?policy", ""));
    recordings.hold(
        test,
        "put-bucket-policy-randomstring",
        &caller.put("/data?policy", "invalid json"),
    );
    recordings.hold(
        test,
        "put-bucket-policy-empty-json",
        &caller.put("/data?policy", "{}"),
    );

    let test = "TestS3::test_delete_bucket_policy";
    put();
    recordings.hold(test, "delete-bucket-policy", &delete());
    recordings.hold(test, "get-bucket-policy-no-such-bucket-policy", &get());
    let test = "TestS3::test_get_bucket_policy";
    recordings.hold(test, "get-bucket-policy-no-such-bucket-policy", &get());
    put();
    recordings.hold(test, "get-bucket-policy", &get());
    let test = "TestS3::test_put_bucket_policy";
    recordings.hold(test, "put-bucket-policy", &put());
    recordings.hold(test, "get-bucket-policy", &get());

    let expecting = |method: &str, owner: &str| {
        let body = if method == "PUT" { READABLE } else { "" };
        caller.ask(
            method,
            "/data?policy",
            &[("x-amz-expected-bucket-owner", owner)],
            body,
        )
    };
    let hold =
        |test: &str, step: &str, reply: Reply| recordings.hold(&format!("TestS3::{test}"), step, &reply);
    hold(
        "test_get_bucket_policy",
        "get-bucket-policy-with-expected-bucket-owner",
        expecting("GET", MINE),
    );
    hold(
        "test_get_bucket_policy",
        "get-bucket-policy-with-expected-bucket-owner-error",
        expecting("GET", OTHER),
    );
    let test = "test_put_bucket_policy_expected_bucket_owner";
    hold(
        test,
        "put-bucket-policy-with-expected-bucket-owner-error",
        expecting("PUT", OTHER),
    );
    hold(
        test,
        "put-bucket-policy-with-expected-bucket-owner",
        expecting("PUT", MINE),
    );
    for wrong in ["0000", "0000000000020", "abcd", "aa000000000$"] {
        let step = "get-bucket-policy-invalid-bucket-owner";
        hold(
            &format!("test_get_bucket_policy_invalid_account_id[{wrong}]"),
            step,
            expecting("GET", wrong),
        );
        let step = "put-bucket-policy-invalid-bucket-owner";
        hold(
            &format!("test_put_bucket_policy_invalid_account_id[{wrong}]"),
            step,
            expecting("PUT", wrong),
        );
    }
    let test = "test_delete_bucket_policy_expected_bucket_owner";
    hold(
        test,
        "delete-bucket-policy-invalid-bucket-owner",
        expecting("DELETE", "invalid"),
    );
    hold(
        test,
        "delete-bucket-policy-with-expected-bucket-owner-error",
        expecting("DELETE", OTHER),
    );
    hold(
        test,
        "delete-bucket-policy-with-expected-bucket-owner",
        expecting("DELETE", MINE),
    );
}

fn recorded_acls(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    create(&caller, "data", None);
    caller.put("/data?publicAccessBlock", PUBLIC_ACCESS);
    caller.put("/data?ownershipControls", &ownership("ObjectWriter"));
    let owner = caller
        .get("/data?acl")
        .xml()
        .child("Owner")
        .and_then(|owner| owner.text_of("ID").map(str::to_owned))
        .expect("an owner");
    let grantee = |kind: &str, content: &str| {
        format!(
            "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\">{content}</Grantee>"
        )
    };
    let user = |id: &str| grantee("CanonicalUser", &format!("<ID>{id}</ID>"));
    let group = |uri: &str| grantee("Group", &format!("<URI>{uri}</URI>"));
    let grant = |grantee: &str, permission: &str| {
        format!("<Grant>{grantee}<Permission>{permission}</Permission></Grant>")
    };
    let acl = |owner: &str, grants: &str| {
        format!(
            "<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
        )
    };
    let put = |headers: &[(&str, &str)], body: &str| caller.ask("PUT", "/data?acl", headers, body);
    let log_delivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";

    let test = "TestS3::test_s3_bucket_acl";
    assert_eq!(put(&[("x-amz-acl", "public-read")], "").status, 200);
    recordings.hold(test, "get-bucket-acl", &caller.get("/data?acl"));
    assert_eq!(put(&[("x-amz-acl", "private")], "").status, 200);
    recordings.hold(test, "get-bucket-canned-acl", &caller.get("/data?acl"));
    let header = format!("uri=\"{log_delivery}\"");
    assert_eq!(put(&[("x-amz-grant-read", &header)], "").status, 200);
    recordings.hold(test, "get-bucket-grant-acl", &caller.get("/data?acl"));
    let both = format!(
        "{}{}",
        grant(&user(&owner), "FULL_CONTROL"),
        grant(&group(log_delivery), "WRITE")
    );
    assert_eq!(put(&[], &acl(&owner, &both)).status, 200);
    recordings.hold(test, "get-bucket-acp-acl", &caller.get("/data?acl"));

    let test = "TestS3::test_s3_bucket_acl_exceptions";
    let hold = |step: &str, reply: Reply| recordings.hold(test, step, &reply);
    let fake = "http://acs.amazonaws.com/groups/s3/FakeGroup";
    hold("put-bucket-canned-acl", put(&[("x-amz-acl", "fake-acl")], ""));
    hold(
        "put-bucket-grant-acl-fake-uri",
        put(&[("x-amz-grant-write", &format!("uri=\"{fake}\""))], ""),
    );
    hold(
        "put-bucket-grant-acl-fake-key",
        put(&[("x-amz-grant-write", "fakekey=\"1234\"")], ""),
    );
    hold(
        "put-bucket-grant-acl-wrong-id",
        put(&[("x-amz-grant-write", "id=\"wrong-id\"")], ""),
    );
    hold(
        "put-bucket-acp-acl-1",
        put(
            &[],
            "<AccessControlPolicy><AccessControlList/></AccessControlPolicy>",
        ),
    );
    hold(
        "put-bucket-acp-acl-2",
        put(&[], &acl(&owner, &grant(&user(&owner), "OWN"))),
    );
    hold(
        "put-bucket-acp-acl-3",
        put(&[], &acl(&owner, &grant(&user("wrong-id"), "WRITE"))),
    );
    hold(
        "put-bucket-acp-acl-4",
        put(&[], &acl(&owner, &grant(&group(fake), "WRITE"))),
    );
    hold("put-bucket-acp-acl-5", put(&[], &acl("wrong-id", &both)));
    hold(
        "put-bucket-acp-acl-6",
        put(&[], &acl(&owner, &grant(&grantee("Robot", ""), "WRITE"))),
    );
    hold("put-bucket-empty", put(&[], ""));
    hold("put-bucket-empty-acp", put(&[], "<AccessControlPolicy/>"));
    let two = [("x-amz-acl", "private"), ("x-amz-grant-read", header.as_str())];
    hold("put-bucket-two-type-acl", put(&two, ""));
    hold("put-bucket-two-type-acl-acp", put(&two[..1], &acl(&owner, &both)));
}

fn recorded_ownership(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    create(&caller, "data", None);
    let get = || caller.get("/data?ownershipControls");
    let put = |body: &str| caller.put("/data?ownershipControls", body);
    let with = |name: &str, value: &str| {
        caller.ask(
            "PUT",
            &format!("/{name}"),
            &[("x-amz-object-ownership", value)],
            "",
        )
    };

    let test = "TestS3BucketOwnershipControls::test_crud_bucket_ownership_controls";
    recordings.hold(test, "default-ownership", &get());
    recordings.hold(test, "put-ownership", &put(&ownership("ObjectWriter")));
    recordings.hold(test, "get-ownership", &get());
    recordings.hold(
        test,
        "delete-ownership",
        &caller.delete("/data?ownershipControls"),
    );
    recordings.hold(test, "get-ownership-after-delete", &get());
    recordings.hold(
        test,
        "delete-ownership-after-delete",
        &caller.delete("/data?ownershipControls"),
    );
    assert_eq!(with("preferred", "BucketOwnerPreferred").status, 200);
    recordings.hold(
        test,
        "get-ownership-at-creation",
        &caller.get("/preferred?ownershipControls"),
    );

    let test = "TestS3BucketOwnershipControls::test_bucket_ownership_controls_exc";
    create(&caller, "other", None);
    recordings.hold(test, "default-ownership", &caller.get("/other?ownershipControls"));
    recordings.hold(
        test,
        "ownership-wrong-value-at-creation",
        &with("wrong", "RandomValue"),
    );
    recordings.hold(test, "ownership-non-value-at-creation", &with("wrong", ""));
    recordings.hold(test, "put-ownership-empty-rule", &put("<OwnershipControls/>"));
    let rule = "<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>";
    let two = format!("<OwnershipControls>{rule}{rule}</OwnershipControls>");
    recordings.hold(test, "put-ownership-multiple-rules", &put(&two));
    recordings.hold(test, "put-ownership-wrong-value", &put(&ownership("RandomValue")));
}

fn recorded_encryption(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    create(&caller, "data", None);
    let rule = |by_default: &str, key: &str| {
        format!(
            "<Rule><ApplyServerSideEncryptionByDefault>{by_default}</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{key}</BucketKeyEnabled></Rule>"
        )
    };
    let put = |bucket: &str, rules: &str| {
        let body = format!("<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>");
        caller.put(&format!("/{bucket}?encryption"), &body)
    };
    let get = || caller.get("/data?encryption");
    let kms = "<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>1234</KMSMasterKeyID>";

    let test = "TestS3BucketEncryption::test_s3_default_bucket_encryption";
    recordings.hold(test, "default-bucket-encryption", &get());
    recordings.hold(
        test,
        "delete-bucket-encryption",
        &caller.delete("/data?encryption"),
    );
    recordings.hold(
        test,
        "delete-bucket-encryption-idempotent",
        &caller.delete("/data?encryption"),
    );
    recordings.hold(test, "get-bucket-no-encryption", &get());
    let test = "TestS3BucketEncryption::test_s3_bucket_encryption_sse_kms";
    recordings.hold(test, "put-bucket-enc", &put("data", &rule(kms, "true")));
    recordings.hold(test, "get-bucket-enc", &get());
    recordings.hold(
        test,
        "put-bucket-enc-bucket-key-disabled",
        &put("data", &rule(kms, "false")),
    );
    let test = "TestS3BucketEncryption::test_s3_bucket_encryption_sse_kms_aws_managed_key";
    let managed = "<SSEAlgorithm>aws:kms</SSEAlgorithm>";
    recordings.hold(test, "put-bucket-enc", &put("data", &rule(managed, "true")));
    recordings.hold(test, "get-bucket-enc", &get());
    let test = "TestS3BucketEncryption::test_s3_bucket_encryption_sse_s3";
    let s3 = rule("<SSEAlgorithm>AES256</SSEAlgorithm>", "false");
    recordings.hold(test, "put-bucket-enc", &put("data", &s3));

    let test = "TestS3BucketEncryption::test_s3_default_bucket_encryption_exc";
    recordings.hold(
        test,
        "get-bucket-enc-no-bucket",
        &caller.get("/nothing?encryption"),
    );
    recordings.hold(
        test,
        "delete-bucket-enc-no-bucket",
        &caller.delete("/nothing?encryption"),
    );
    recordings.hold(test, "put-bucket-enc-no-bucket", &put("nothing", &s3));
    recordings.hold(test, "put-bucket-encryption-no-rules", &put("data", ""));
    recordings.hold(
        test,
        "put-bucket-encryption-two-rules",
        &put("data", &format!("{s3}{s3}")),
    );
    let both = rule(
        "<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>1234</KMSMasterKeyID>",
        "false",
    );
    recordings.hold(test, "put-bucket-encryption-kms-with-aes", &put("data", &both));
}

fn recorded_lifecycle(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    create(&caller, "data", None);
    let put = |rules: &str| {
        caller.put(
            "/data?lifecycle",
            &format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>"),
        )
    };
    let get = || caller.get("/data?lifecycle");
    let rule = |id: &str, more: &str| format!("<Rule><ID>{id}</ID><Status>Enabled</Status>{more}</Rule>");
    let expire = "<Expiration><Days>7</Days></Expiration>";
    let hold = |test: &str, step: &str, reply: Reply| {
        recordings.hold(&format!("TestS3BucketLifecycle::{test}"), step, &reply)
    };
    let conf = |test: &str, rules: &str| {
        assert_eq!(put(rules).status, 200, "{rules}");
        hold(test, "get-bucket-lifecycle-conf", get());
    };

    let test = "test_delete_bucket_lifecycle_configuration";
    hold(test, "get-bucket-lifecycle-exc-1", get());
    hold(
        test,
        "delete-bucket-lifecycle-no-bucket",
        caller.delete("/data?lifecycle"),
    );
    let whole = rule(
        "wholebucket",
        &format!("<Filter><Prefix></Prefix></Filter>{expire}"),
    );
    conf(test, &whole);
    conf("test_delete_lifecycle_configuration_on_bucket_deletion", &whole);
    caller.delete("/data?lifecycle");
    hold(test, "get-bucket-lifecycle-exc-2", get());
    caller.delete("/data");
    create(&caller, "data", None);
    hold(
        "test_delete_lifecycle_configuration_on_bucket_deletion",
        "get-bucket-lifecycle-exc",
        get(),
    );

    let date = "<Filter/><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration>";
    conf(
        "test_bucket_lifecycle_configuration_date",
        &rule("rule_number_one", date),
    );
    let by_prefix =
        |id: &str, prefix: &str| rule(id, &format!("<Filter><Prefix>{prefix}</Prefix></Filter>{expire}"));
    let three = [
        by_prefix("rule_one", "testobject"),
        by_prefix("rule_two", "test"),
        by_prefix("rule_three", "t"),
    ];
    conf("test_bucket_lifecycle_multiple_rules", &three.concat());
    let sizes = [
        rule(
            "rule_one",
            &format!("<Filter><ObjectSizeGreaterThan>20</ObjectSizeGreaterThan></Filter>{expire}"),
        ),
        rule(
            "rule_two",
            &format!("<Filter><ObjectSizeLessThan>10</ObjectSizeLessThan></Filter>{expire}"),
        ),
    ];
    conf("test_bucket_lifecycle_object_size_rules", &sizes.concat());
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let (one, two) = (
        tag("testlifecycle", "positive"),
        tag("testlifecycletwo", "positive-two"),
    );
    let tags = [
        rule("rule_one", &format!("<Filter>{one}</Filter>{expire}")),
        rule(
            "rule_two",
            &format!("<Filter><And>{one}{two}</And></Filter>{expire}"),
        ),
    ];
    conf("test_bucket_lifecycle_tag_rules", &tags.concat());
    let marker =
        "<Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    conf(
        "test_lifecycle_expired_object_delete_marker",
        &rule("rule-marker", marker),
    );

    let test = "test_put_bucket_lifecycle_conf_exc";
    let wrong = |step: &str, rules: &str| hold(test, step, put(rules));
    wrong(
        "missing-id",
        &format!("<Rule><Status>Enabled</Status>{expire}</Rule>"),
    );
    wrong("missing-filter", &rule("wholebucket", expire));
    wrong(
        "missing-noncurrent-version-expiration-data",
        &rule("wholebucket", "<Filter/><NoncurrentVersionExpiration/>"),
    );
    let both = format!(
        "<Filter><And><Prefix>a</Prefix>{one}</And><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan></Filter>{expire}"
    );
    wrong("wrong-filter-and-and-object-size", &rule("wholebucket", &both));
    let both = format!("<Filter><And><Prefix>a</Prefix>{one}</And><Prefix>a</Prefix></Filter>{expire}");
    wrong("wrong-filter-and-plus-prefix", &rule("wholebucket", &both));
    wrong(
        "wrong-data-no-midnight",
        &rule(
            "wholebucket",
            "<Filter/><Expiration><Date>2027-01-01T07:30:00Z</Date></Expiration>",
        ),
    );
    let twice = format!("<Filter><And>{one}{one}</And></Filter>{expire}");
    wrong("duplicate-tag-keys", &rule("wholebucket", &twice));
    let marker = "<Filter/><Expiration><Days>7</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>";
    wrong("expired-delete-marker-and-days", &rule("wholebucket", marker));
}

fn recorded_object_lock(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    caller.ask(
        "PUT",
        "/locked",
        &[("x-amz-bucket-object-lock-enabled", "true")],
        "",
    );
    create(&caller, "plain", None);
    let put = |bucket: &str, content: &str| {
        caller.put(
            &format!("/{bucket}?object-lock"),
            &format!("<ObjectLockConfiguration>{content}</ObjectLockConfiguration>"),
        )
    };
    let get = |bucket: &str| caller.get(&format!("/{bucket}?object-lock"));
    let versioning = |bucket: &str, status: &str| {
        caller.put(
            &format!("/{bucket}?versioning"),
            &format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"),
        )
    };
    let on = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
    let retained = |content: &str| format!("{on}<Rule><DefaultRetention>{content}</DefaultRetention></Rule>");
    let hold = |test: &str, step: &str, reply: Reply| {
        recordings.hold(&format!("TestS3ObjectLock::{test}"), step, &reply)
    };

    let test = "test_get_put_object_lock_configuration";
    hold(test, "get-lock-config-start", get("locked"));
    hold(
        test,
        "put-lock-config",
        put("locked", &retained("<Mode>GOVERNANCE</Mode><Days>1</Days>")),
    );
    hold(test, "get-lock-config", get("locked"));
    hold(test, "put-lock-config-enabled", put("locked", on));
    hold(test, "get-lock-config-only-enabled", get("locked"));

    let test = "test_get_object_lock_configuration_exc";
    hold(test, "get-lock-config-no-enabled", get("plain"));
    hold(test, "get-lock-config-bucket-not-exists", get("nothing"));

    let test = "test_put_object_lock_configuration_exc";
    hold(test, "put-lock-config-empty", put("locked", ""));
    hold(
        test,
        "put-lock-config-no-enabled",
        put(
            "locked",
            "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>",
        ),
    );
    hold(
        test,
        "put-lock-config-empty-rule",
        put("locked", &format!("{on}<Rule/>")),
    );
    hold(
        test,
        "put-lock-config-empty-retention",
        put("locked", &retained("")),
    );
    hold(
        test,
        "put-lock-config-no-days",
        put("locked", &retained("<Mode>GOVERNANCE</Mode>")),
    );
    hold(
        test,
        "put-lock-config-both-days-years",
        put(
            "locked",
            &retained("<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>"),
        ),
    );
    hold(
        test,
        "put-lock-config-bad-mode",
        put("locked", &retained("<Mode>BAD</Mode><Days>1</Days>")),
    );

    let test = "test_put_object_lock_configuration_on_existing_bucket";
    hold(test, "get-object-lock-existing-bucket-no-config", get("plain"));
    hold(
        test,
        "put-object-lock-existing-bucket-no-versioning",
        put("plain", on),
    );
    hold(test, "suspended-versioning", versioning("plain", "Suspended"));
    hold(
        test,
        "put-object-lock-existing-bucket-versioning-disabled",
        put("plain", on),
    );
    hold(test, "enabled-versioning", versioning("plain", "Enabled"));
    hold(test, "put-object-lock-existing-bucket-enabled", put("plain", on));
    hold(test, "get-object-lock-existing-bucket-enabled", get("plain"));

    let test = "test_disable_versioning_on_locked_bucket";
    hold(
        test,
        "disable-versioning-on-locked-bucket",
        versioning("locked", "Suspended"),
    );
    hold(
        test,
        "enable-versioning-again-on-locked-bucket",
        versioning("locked", "Enabled"),
    );
}

fn recorded_public_access(recordings: &Recordings) {
    let sandbox = empty();
    let caller = Caller::of(&sandbox, MINE, "us-east-1");
    create(&caller, "data", None);
    let test = "TestS3PublicAccessBlock::test_crud_public_access_block";
    let get = || caller.get("/data?publicAccessBlock");
    let delete = || caller.delete("/data?publicAccessBlock");
    recordings.hold(test, "get-default-public-access-block", &get());
    recordings.hold(
        test,
        "put-public-access-block",
        &caller.put("/data?publicAccessBlock", PUBLIC_ACCESS),
    );
    recordings.hold(test, "get-public-access-block", &get());
    recordings.hold(test, "delete-public-access-block", &delete());
    recordings.hold(test, "get-public-access-block-after-delete", &get());
    recordings.hold(test, "idempotent-delete-public-access-block", &delete());
}

fn recorded_tags(recordings: &Recordings) {
    let sandbox = empty();
    let virginia = Caller::of(&sandbox, MINE, "us-east-1");
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let with = |name: &str, tags: &str| {
        virginia.put(
            &format!("/{name}"),
            &format!("<CreateBucketConfiguration>{tags}</CreateBucketConfiguration>"),
        )
    };
    let tags = |content: &str| format!("<Tags>{content}</Tags>");
    let one = tags(&tag("tag1", "value1"));
    let hold = |test: &str, step: &str, reply: Reply| {
        recordings.hold(&format!("TestS3BucketObjectTagging::{test}"), step, &reply)
    };

    let test = "test_create_bucket_with_tags";
    hold(test, "create-bucket-with-tags", with("tagged", &one));
    hold(test, "get-bucket-tags", virginia.get("/tagged?tagging"));
    let test = "test_create_bucket_with_empty_tags";
    hold(test, "create-bucket-with-empty-tags", with("untagged", "<Tags/>"));
    hold(test, "create-bucket-with-none-tags", with("untagged", ""));
    hold(test, "get-bucket-tags", virginia.get("/untagged?tagging"));

    let test = "test_create_bucket_with_tags_us_east_1_idempotency";
    hold(test, "create-bucket-with-tags", with("again", &one));
    hold(test, "get-bucket-tags", virginia.get("/again?tagging"));
    hold(test, "create-bucket-with-same-tags", with("again", &one));
    hold(
        test,
        "create-bucket-different-tags",
        with("again", &tags(&tag("tag2", "value2"))),
    );
    hold(
        test,
        "create-bucket-with-no-tags",
        create(&virginia, "again", None),
    );
    hold(
        test,
        "get-bucket-tags-after-re-create",
        virginia.get("/again?tagging"),
    );
    hold(test, "create-bucket-with-empty-tags", with("again", "<Tags/>"));
    hold(
        test,
        "get-bucket-tags-after-create-empty",
        virginia.get("/again?tagging"),
    );

    let test = "test_create_bucket_with_tags_exc";
    hold(
        test,
        "tags-key-none",
        with("wrong", "<Tags><Tag><Value>value</Value></Tag></Tags>"),
    );
    hold(
        test,
        "tags-value-none",
        with("wrong", "<Tags><Tag><Key>key</Key></Tag></Tags>"),
    );
    hold(
        test,
        "tags-key-aws-prefix",
        with("wrong", &tags(&tag("aws:tag", "value"))),
    );
    hold(
        test,
        "tags-key-aws-duplicated-key",
        with("wrong", &tags(&format!("{}{}", tag("a", "1"), tag("a", "2")))),
    );
    hold(
        test,
        "tags-key-aws-bad-key",
        with("wrong", &tags(&tag("test,test2", "value"))),
    );
    hold(
        test,
        "tags-key-aws-bad-value",
        with("wrong", &tags(&tag("test", "value1,value2"))),
    );
}
