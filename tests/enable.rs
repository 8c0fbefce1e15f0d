//! `enable` and `fix` as a user sees them: shown, checked, written to a file, emitted; and, against the sandbox, applied,
//! verified and taken back.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s3log-lint"));
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME")
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null());
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

/// What a run that ended with exit code 0 printed.
fn succeeded(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn snapshot(buckets: &Value) -> String {
    json!({ "version": 1, "unasked": "absent", "accounts": [
        { "id": ACCOUNT, "organization_id": null, "buckets": buckets }] })
    .to_string()
}

fn recorded(folder: &Path, buckets: &Value) {
    std::fs::write(folder.join("account.json"), snapshot(buckets)).expect("it can be written");
}

fn two_sources() -> Value {
    json!({ "app-data": { "region": "eu-west-1" }, "web-assets": { "region": "eu-west-1" } })
}

fn on_the_recording(folder: &Path, arguments: &[&str]) -> Output {
    run(program(folder)
        .args(arguments)
        .args(["--snapshot", "account.json"]))
}

#[test]
fn the_settings_name_the_log_bucket_where_the_command_line_does_not() {
    let folder = folder();
    recorded(folder.path(), &two_sources());
    let settings = "[targets]\ntemplate = \"access-logs-{account}-{region}\"\nprefix = \"s3/{source}/\"\n";
    std::fs::write(folder.path().join("s3log-lint.toml"), settings).expect("a file");
    let shown = |arguments: &[&str]| {
        let output = on_the_recording(
            folder.path(),
            &[&["enable", "app-data", "--create"], arguments].concat(),
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let lies_at = |shown: &str, place: &str| shown.contains(&format!("off → {place} ("));
    let by_settings = shown(&[]);
    assert!(
        lies_at(&by_settings, "access-logs-111122223333-eu-west-1/s3/app-data/"),
        "{by_settings}"
    );
    let named = shown(&["--target", "my-logs"]);
    assert!(lies_at(&named, "my-logs/s3/app-data/"), "{named}");
    let template = shown(&["--target-template", "mine-{region}", "--prefix", "{source}/logs/"]);
    assert!(lies_at(&template, "mine-eu-west-1/app-data/logs/"), "{template}");
    let isolated = shown(&["--isolated"]);
    assert!(
        lies_at(&isolated, "111122223333-eu-west-1-s3-access-logs/app-data/"),
        "{isolated}"
    );
    // `fix` leads a source to the same place.
    let fixed = on_the_recording(folder.path(), &["fix", "S3L009", "--create"]);
    let fixed = text(&fixed.stdout);
    assert!(
        lies_at(&fixed, "access-logs-111122223333-eu-west-1/s3/web-assets/"),
        "{fixed}"
    );
}

#[test]
fn a_plan_is_shown_with_what_the_lint_says_after_it() {
    let folder = folder();
    recorded(folder.path(), &two_sources());
    let output = on_the_recording(
        folder.path(),
        &[
            "enable",
            "app-data",
            "web-assets",
            "--target",
            "my-logs",
            "--create",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for part in [
        "6 changes to account 111122223333",
        "bucket my-logs (eu-west-1)",
        "Logs of app-data and web-assets: will deliver",
        "Findings that disappear:",
        "S3L009",
        "\"aws:SourceAccount\": \"111122223333\"",
        "off → my-logs/app-data/ (keys partitioned by event time)",
    ] {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
    assert!(!shown.contains("Findings that come"), "{shown}");
    assert!(
        shown.lines().all(|line| line.chars().count() <= 80),
        "a line is wider than the terminal:\n{shown}"
    );
    assert!(
        text(&output.stderr).contains("nothing was changed"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_check_fails_exactly_where_something_is_to_be_changed() {
    let folder = folder();
    recorded(folder.path(), &two_sources());
    let goal = ["enable", "app-data", "--target", "my-logs", "--create", "--check"];
    assert_eq!(on_the_recording(folder.path(), &goal).status.code(), Some(1));
    recorded(
        folder.path(),
        &json!({
            "app-data": { "region": "eu-west-1", "logging": { "LoggingEnabled": {
                "TargetBucket": "my-logs", "TargetPrefix": "app-data/" } } },
            "my-logs": { "region": "eu-west-1",
                "lifecycle": { "Rules": [{ "ID": "all", "Status": "Enabled", "Filter": {}, "Expiration": { "Days": 90 } }] },
                "policy": { "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Principal": { "Service": "logging.s3.amazonaws.com" }, "Action": "s3:PutObject",
                    "Resource": "arn:aws:s3:::my-logs/*",
                    "Condition": { "StringEquals": { "aws:SourceAccount": ACCOUNT } } }] } },
        }),
    );
    let output = on_the_recording(folder.path(), &goal);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(
        text(&output.stdout).contains("Nothing to change"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn every_refusal_is_told_with_what_to_do() {
    let folder = folder();
    recorded(
        folder.path(),
        &json!({
            "app-data": { "region": "eu-west-1" }, "web-assets": { "region": "us-east-1" },
            "my-logs": { "region": "eu-west-1", "request_payment": { "Payer": "Requester" } },
        }),
    );
    let output = on_the_recording(
        folder.path(),
        &["enable", "app-data", "web-assets", "--target", "my-logs"],
    );
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("S3 delivers within a region"), "{told}");
    assert!(told.contains("Requester Pays"), "{told}");
    assert!(told.matches("help:").count() >= 2, "{told}");
    assert!(output.stdout.is_empty());
}

/// What `--emit` prints for a plan that makes a bucket and changes one that exists.
#[test]
fn a_choice_that_selects_nothing_is_an_error() {
    let folder = folder();
    recorded(folder.path(), &two_sources());
    for (arguments, sentence) in [
        (
            ["--all-unlogged", "--region", "eu-west-2", "--check"].as_slice(),
            "no bucket is selected: none of those that are asked for is in eu-west-2",
        ),
        (
            &["--all-unlogged", "--bucket", "api-*"],
            "no bucket matches `api-*`",
        ),
        (
            &["app-data", "--region", "us-east-1"],
            "`app-data` is in eu-west-1, which `--region` leaves out",
        ),
        (&["api-*"], "no bucket matches `api-*`"),
        (&["app"], "there is no bucket `app`"),
    ] {
        let output = on_the_recording(folder.path(), &[&["enable", "--create"], arguments].concat());
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(sentence), "{arguments:?}: {told}");
    }
}

#[test]
fn a_pattern_stands_for_the_buckets_that_match() {
    let folder = folder();
    recorded(folder.path(), &two_sources());
    let output = on_the_recording(folder.path(), &["enable", "app-*", "--create"]);
    let shown = succeeded(&output);
    assert!(shown.contains("logging of app-data"), "{shown}");
    assert!(!shown.contains("web-assets"), "{shown}");
}

/// Three buckets that the world can look into, and one that nobody knows enough of.
fn open_to_the_world() -> Value {
    let nothing_blocked = json!({ "PublicAccessBlockConfiguration": { "BlockPublicAcls": false,
        "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false } });
    let policy = |bucket: &str| {
        json!({ "Policy": json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*",
            "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*") }] }).to_string() })
    };
    json!({
        "app-data": { "region": "eu-west-1" },
        "by-policy": { "region": "eu-west-1", "policy": policy("by-policy"), "public_access_block": nothing_blocked },
        "by-acl": { "region": "eu-west-1", "public_access_block": nothing_blocked,
            "ownership_controls": { "OwnershipControls": { "Rules": [{ "ObjectOwnership": "ObjectWriter" }] } },
            "acl": { "Owner": { "ID": "exampleowner" }, "Grants": [{ "Permission": "READ", "Grantee": {
                "Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers" } }] } },
        "unread": { "region": "eu-west-1", "policy": policy("unread"),
            "public_access_block": { "error": { "code": "AccessDenied", "status": 403 } } },
        "blocked": { "region": "eu-west-1", "policy": policy("blocked"), "public_access_block": {
            "PublicAccessBlockConfiguration": { "BlockPublicAcls": true, "IgnorePublicAcls": true,
                "BlockPublicPolicy": true, "RestrictPublicBuckets": true } } },
    })
}

#[test]
fn no_logs_are_led_to_where_anyone_can_read_them() {
    let folder = folder();
    recorded(folder.path(), &open_to_the_world());
    for (target, sentence) in [
        ("by-policy", "anyone can read the logs in `by-policy`"),
        ("by-acl", "anyone can get at the logs in `by-acl`"),
        ("unread", "s3:GetBucketPublicAccessBlock was denied"),
    ] {
        for more in [[].as_slice(), &["--emit", "cli"]] {
            let arguments = [["enable", "app-data", "--target", target].as_slice(), more].concat();
            let output = on_the_recording(folder.path(), &arguments);
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{target}: {told}");
            assert!(told.contains(sentence), "{target}: {told}");
            assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        }
    }
    let blocked = on_the_recording(folder.path(), &["enable", "app-data", "--target", "blocked"]);
    assert_eq!(blocked.status.code(), Some(0), "{}", text(&blocked.stderr));
    // What stands already isn't refused, and isn't passed over either.
    let mut standing = open_to_the_world();
    standing["by-policy"]["policy"]["Policy"] = json!(json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::by-policy/*" },
        { "Effect": "Allow", "Principal": { "Service": "logging.s3.amazonaws.com" }, "Action": "s3:PutObject",
          "Resource": "arn:aws:s3:::by-policy/*", "Condition": { "StringEquals": { "aws:SourceAccount": ACCOUNT } } },
    ] }).to_string());
    standing["app-data"]["logging"] = json!({ "LoggingEnabled": { "TargetBucket": "by-policy", "TargetPrefix": "a/",
        "TargetObjectKeyFormat": { "PartitionedPrefix": { "PartitionDateSource": "EventTime" } } } });
    recorded(folder.path(), &standing);
    let so_already = on_the_recording(
        folder.path(),
        &[
            "enable",
            "app-data",
            "--target",
            "by-policy",
            "--expire-after",
            "never",
        ],
    );
    let shown = succeeded(&so_already);
    assert!(shown.contains("it is so already"), "{shown}");
    let expires = on_the_recording(folder.path(), &["enable", "app-data", "--target", "by-policy"]);
    let shown = text(&expires.stdout);
    assert!(
        shown.contains("Findings that remain:\n  error[S3L109]"),
        "{shown}"
    );
}

#[test]
fn a_rule_that_cannot_be_decided_is_named_with_what_would_tell() {
    let folder = folder();
    let mut buckets = two_sources();
    buckets["my-logs"] = json!({ "region": "eu-west-1",
        "lifecycle": { "error": { "code": "AccessDenied", "status": 403 } } });
    recorded(folder.path(), &buckets);
    let output = on_the_recording(
        folder.path(),
        &[
            "enable",
            "app-data",
            "--target",
            "my-logs",
            "--expire-after",
            "never",
        ],
    );
    let shown = succeeded(&output);
    assert!(
        shown.contains("S3L206 and S3L207 can't be decided: s3:GetLifecycleConfiguration was denied."),
        "{shown}"
    );
    assert!(!shown.contains("1 rule can't"), "{shown}");
}

#[test]
fn a_deny_behind_a_deny_is_mended_with_it() {
    let folder = folder();
    let deny = |key: &str| {
        json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::my-logs/*",
            "Condition": { "StringNotEquals": { key: "vpce-1" } } })
    };
    let policy =
        json!({ "Version": "2012-10-17", "Statement": [deny("aws:SourceVpce"), deny("aws:SourceVpc")] });
    recorded(
        folder.path(),
        &json!({
            "app-data": { "region": "eu-west-1", "logging": { "LoggingEnabled": {
                "TargetBucket": "my-logs", "TargetPrefix": "app-data/" } } },
            "my-logs": { "region": "eu-west-1", "policy": { "Policy": policy.to_string() } },
        }),
    );
    let output = on_the_recording(folder.path(), &["fix", "S3L102"]);
    let shown = succeeded(&output);
    assert_eq!(
        shown.matches("+           \"aws:PrincipalServiceName\"").count(),
        2,
        "{shown}"
    );
    assert!(shown.contains("Logs of app-data: will deliver"), "{shown}");
}

#[test]
fn logs_that_expired_expire_under_their_new_prefix_too() {
    let folder = folder();
    recorded(
        folder.path(),
        &json!({
            "app-data": { "region": "eu-west-1", "logging": { "LoggingEnabled": {
                "TargetBucket": "my-logs", "TargetPrefix": "app",
                "TargetObjectKeyFormat": { "PartitionedPrefix": { "PartitionDateSource": "EventTime" } } } } },
            "my-logs": { "region": "eu-west-1", "lifecycle": { "Rules": [{ "ID": "exact", "Status": "Enabled",
                "Filter": { "Prefix": "app111122223333/" }, "Expiration": { "Days": 30 } }] } },
        }),
    );
    let output = on_the_recording(folder.path(), &["fix", "S3L008"]);
    let shown = text(&output.stdout);
    assert!(
        shown.contains("\"Prefix\": \"app/111122223333/eu-west-1/app-data/\""),
        "{shown}"
    );
    assert!(!shown.contains("S3L206"), "{shown}");
}

#[test]
fn what_was_found_and_is_left_is_not_called_so_already() {
    let folder = folder();
    recorded(
        folder.path(),
        &json!({ "loop": { "region": "eu-west-1", "logging": { "LoggingEnabled": {
            "TargetBucket": "loop", "TargetPrefix": "" } } } }),
    );
    let output = on_the_recording(folder.path(), &["fix", "self-logging", "--check"]);
    let shown = text(&output.stdout);
    assert!(!shown.contains("so already"), "{shown}");
    for option in ["S3L001 loop", "`--create`", "`--target`", "`--disable-loops`"] {
        assert!(shown.contains(option), "`{option}` is missing in {shown}");
    }
}

fn emitted(folder: &Path, format: &str) -> String {
    let foreign = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::old-logs/${aws:username}/*"}]}"#;
    recorded(
        folder,
        &json!({
            "app-data": { "region": "eu-west-1" },
            "old-logs": { "region": "eu-west-1", "policy": { "Policy": foreign },
                "lifecycle": { "Rules": [{ "ID": "it's old", "Status": "Enabled", "Filter": { "And": { "Prefix": "tmp/",
                    "Tags": [{ "Key": "a", "Value": "b" }] } }, "Expiration": { "Days": 5 } }] } },
        }),
    );
    let mut all = String::new();
    for target in ["old-logs", "new-logs"] {
        let output = on_the_recording(
            folder,
            &[
                "enable", "app-data", "--target", target, "--create", "--emit", format,
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        std::fs::write(folder.join(format!("{target}.{format}")), &output.stdout).expect("it can be written");
        all.push_str(&text(&output.stdout));
        all.push('\u{0}');
    }
    all
}

#[test]
fn terraform_text_parses_and_is_formatted() {
    let folder = folder();
    for body in emitted(folder.path(), "terraform").split_terminator('\u{0}') {
        let parsed = hcl_edit::parser::parse_body(body);
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}\n{body}"));
        let blocks: Vec<&str> = parsed.blocks().map(|block| block.ident.as_str()).collect();
        assert!(
            blocks.iter().filter(|ident| **ident == "resource").count() >= 3,
            "{body}"
        );
        // The policy variable of somebody else is no template of Terraform.
        assert!(!body.contains(" ${aws:"), "{body}");
        let Ok(mut terraform) = Command::new("terraform")
            .args(["fmt", "-check", "-diff", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        else {
            eprintln!("skipped: there is no terraform here");
            continue;
        };
        let mut input = terraform.stdin.take().expect("it is piped");
        input.write_all(body.as_bytes()).expect("it reads");
        drop(input);
        let output = terraform.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}

#[test]
fn templates_are_json_and_pass_cfn_lint() {
    let folder = folder();
    for template in emitted(folder.path(), "cloudformation").split_terminator('\u{0}') {
        let template: Value = serde_json::from_str(template).expect("it is JSON");
        assert!(
            template["Resources"]
                .as_object()
                .is_some_and(|all| !all.is_empty())
        );
    }
    let Some(python) = std::env::var_os("S3LOG_LINT_PYTHON") else {
        eprintln!("skipped: S3LOG_LINT_PYTHON names no Python that has cfn-lint");
        return;
    };
    let has_it = Command::new(&python).args(["-c", "import cfnlint"]).output();
    if !has_it.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this Python has no cfn-lint");
        return;
    }
    for target in ["old-logs", "new-logs"] {
        let output = Command::new(&python)
            .args(["-c", "from cfnlint.runner import main; main()"])
            .args(["--non-zero-exit-code", "error", "-t"])
            .arg(folder.path().join(format!("{target}.cloudformation")))
            .output()
            .expect("it starts");
        assert!(
            output.status.success(),
            "{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }
}

#[test]
fn what_a_template_leaves_to_be_done_is_said() {
    let folder = folder();
    let mut buckets = two_sources();
    buckets["my-logs"] = json!({ "region": "eu-west-1", "policy": { "Policy": json!({ "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::444455556666:root" },
            "Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-logs/*" }] }).to_string() } });
    recorded(folder.path(), &buckets);
    let told = |target: &str| {
        let arguments = [
            "enable",
            "app-data",
            "--create",
            "--target",
            target,
            "--emit",
            "cloudformation",
        ];
        let output = on_the_recording(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("nothing but a template");
        text(&output.stderr)
    };
    let into_a_new_one = told("new-logs");
    assert!(
        into_a_new_one.contains("Not done by this template: the settings of app-data"),
        "{into_a_new_one}"
    );
    assert!(!into_a_new_one.contains("ImportFirst"), "{into_a_new_one}");
    let into_an_old_one = told("my-logs");
    assert!(
        into_an_old_one.contains("`ImportFirst`: my-logs has a policy already"),
        "{into_an_old_one}"
    );
}

#[test]
fn a_name_that_aws_keeps_for_itself_is_not_planned() {
    let folder = folder();
    recorded(folder.path(), &two_sources());
    for name in ["xn--logs", "logs-s3alias", "192.168.5.4"] {
        let output = on_the_recording(
            folder.path(),
            &["enable", "app-data", "--create", "--target", name],
        );
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(
            told.contains(&format!("`{name}` is no name for a bucket")),
            "{told}"
        );
    }
}

#[test]
fn commands_are_a_script_that_a_shell_reads() {
    let folder = folder();
    for script in emitted(folder.path(), "cli").split_terminator('\u{0}') {
        assert!(script.contains("set -eu"));
        // A shell that only reads, and an `aws` that says how it was called.
        let path = folder.path().join("aws");
        std::fs::write(
            &path,
            "#!/bin/sh\nfor argument in \"$@\"; do printf '%s\\n' \"$argument\"; done\n",
        )
        .expect("it can be written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        let before = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", script])
            .env("PATH", format!("{}:{before}", folder.path().display()))
            .output()
            .expect("a shell starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let heard = text(&output.stdout);
        assert!(heard.contains("put-bucket-logging"), "{heard}");
        let documents: Vec<&str> = heard
            .lines()
            .filter(|line| line.starts_with('{') && line.ends_with('}'))
            .collect();
        for document in documents {
            serde_json::from_str::<Value>(document).expect("a document arrives whole");
        }
    }
}

#[test]
fn repairs_are_planned_and_the_rest_is_explained() {
    let folder = folder();
    let grant = |condition: Value| {
        json!({ "Effect": "Allow", "Principal": { "Service": "logging.s3.amazonaws.com" }, "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::my-logs/*", "Condition": condition })
    };
    let to_logs = |prefix: &str| json!({ "region": "eu-west-1", "logging": { "LoggingEnabled": { "TargetBucket": "my-logs", "TargetPrefix": prefix } } });
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        grant(json!({ "StringEquals": { "aws:SourceAccount": ACCOUNT }, "ArnLike": { "aws:SourceArn": "arn:aws:s3:::nobody" } })),
        { "Sid": "Network", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::my-logs/*",
          "Condition": { "StringNotEquals": { "aws:SourceVpce": "vpce-1" } } },
    ] });
    recorded(
        folder.path(),
        &json!({
            "app-data": to_logs("app-data/"),
            "loop": { "region": "eu-west-1", "logging": { "LoggingEnabled": { "TargetBucket": "loop", "TargetPrefix": "" } } },
            "my-logs": { "region": "eu-west-1", "policy": policy,
                "request_payment": { "Payer": "Requester" },
                "encryption": { "ServerSideEncryptionConfiguration": { "Rules": [
                    { "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" } }] } } },
        }),
    );
    let output = on_the_recording(folder.path(), &["fix", "--disable-loops"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let shown = text(&output.stdout);
    for part in [
        "aws:kms → AES256",
        "Requester → BucketOwner",
        "lifecycle of my-logs",
        "\"aws:PrincipalServiceName\": \"logging.s3.amazonaws.com\"",
        "arn:aws:s3:::app-data",
        "loop/ (simple keys) → off",
        "Logs of app-data: will deliver",
    ] {
        assert!(shown.contains(part), "`{part}` is missing in\n{shown}");
    }
    // A loop that is switched off leaves a bucket without logging, and it is said so.
    assert!(
        shown.contains("Findings that come:\n  warning[S3L009] `loop`"),
        "{shown}"
    );
    let one = on_the_recording(folder.path(), &["fix", "requester-pays-target", "--check"]);
    assert_eq!(one.status.code(), Some(1));
    assert!(
        text(&one.stdout).contains("1 change to account"),
        "{}",
        text(&one.stdout)
    );
    let unknown = on_the_recording(folder.path(), &["fix", "nonsense"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[cfg(feature = "aws")]
#[path = "sandbox/mod.rs"]
mod sandbox;

#[cfg(feature = "aws")]
mod applied {
    use std::path::PathBuf;

    use super::sandbox::Sandbox;
    use super::sandbox::faults::Kind;
    use super::*;

    fn live(sandbox: &Sandbox, folder: &Path, arguments: &[&str]) -> Output {
        run(program(folder).envs(sandbox.environment()).args(arguments))
    }

    fn ok(output: Output) -> String {
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    #[test]
    fn from_nothing_to_a_clean_audit_and_back() {
        let sandbox = Sandbox::start(&snapshot(&two_sources()));
        let before = sandbox.dump();
        let folder = folder();
        let goal = ["enable", "--all-unlogged", "--create"];
        let shown = live(&sandbox, folder.path(), &goal);
        assert!(text(&shown.stderr).contains("`--yes`"), "{}", text(&shown.stderr));
        assert_eq!(sandbox.writes(), 0, "shown is not applied");
        let told = ok(live(
            &sandbox,
            folder.path(),
            &[
                "enable",
                "--all-unlogged",
                "--create",
                "--yes",
                "--undo-file",
                "undo.jsonl",
            ],
        ));
        assert!(
            told.contains("Verified: 2 of 2 touched logging edges will deliver"),
            "{told}"
        );
        let audit = live(&sandbox, folder.path(), &["audit", "--format", "json"]);
        assert_eq!(audit.status.code(), Some(0), "{}", text(&audit.stdout));
        let report: Value = serde_json::from_slice(&audit.stdout).expect("a report");
        assert_eq!(report["findings"], json!([]), "{report:#}");
        sandbox.forget_calls();
        ok(live(
            &sandbox,
            folder.path(),
            &["enable", "--all-unlogged", "--create", "--yes"],
        ));
        assert_eq!(sandbox.writes(), 0, "there is nothing left to do");
        ok(live(
            &sandbox,
            folder.path(),
            &["enable", "--undo", "undo.jsonl", "--yes"],
        ));
        assert_eq!(
            sandbox.dump()["accounts"],
            before["accounts"],
            "everything is as it was"
        );
    }

    #[test]
    fn a_plan_in_a_file_is_applied_as_it_was_shown_unless_the_account_moved() {
        let sandbox = Sandbox::start(&snapshot(&two_sources()));
        let folder = folder();
        ok(live(
            &sandbox,
            folder.path(),
            &[
                "enable",
                "app-data",
                "--target",
                "my-logs",
                "--create",
                "--out",
                "plan.json",
            ],
        ));
        assert_eq!(sandbox.writes(), 0);
        let theirs = json!({ "LoggingEnabled": { "TargetBucket": "web-assets", "TargetPrefix": "theirs/" } });
        sandbox.visit(|visitor| visitor.set("app-data", "logging", Some(theirs)));
        let moved = live(
            &sandbox,
            folder.path(),
            &["enable", "--plan", "plan.json", "--yes"],
        );
        assert_eq!(moved.status.code(), Some(2), "{}", text(&moved.stdout));
        assert!(
            text(&moved.stderr).contains("changed since it was planned"),
            "{}",
            text(&moved.stderr)
        );
        assert_eq!(sandbox.writes(), 0);
        sandbox.visit(|visitor| visitor.set("app-data", "logging", Some(json!({}))));
        ok(live(
            &sandbox,
            folder.path(),
            &["enable", "--plan", "plan.json", "--yes"],
        ));
        let logging = &sandbox.dump()["accounts"][0]["buckets"]["app-data"]["logging"];
        assert_eq!(logging["LoggingEnabled"]["TargetBucket"], "my-logs");
    }

    /// Sets up one source, and is stopped at its third write.
    fn interrupted(sandbox: &Sandbox, folder: &Path) -> Vec<&'static str> {
        let goal = vec![
            "enable",
            "app-data",
            "--target",
            "my-logs",
            "--create",
            "--yes",
            "--undo-file",
            "undo.jsonl",
        ];
        sandbox.fail_write(3, 1, Kind::Refused);
        let stopped = live(sandbox, folder, &goal);
        assert_eq!(stopped.status.code(), Some(2), "{}", text(&stopped.stdout));
        assert!(
            text(&stopped.stderr).contains("run the same command again: it does the rest"),
            "{}",
            text(&stopped.stderr)
        );
        goal
    }

    #[test]
    fn the_same_command_goes_on_in_its_own_undo_file() {
        for cut in [false, true] {
            let sandbox = Sandbox::start(&snapshot(&two_sources()));
            let (before, folder) = (sandbox.dump(), folder());
            let goal = interrupted(&sandbox, folder.path());
            let path = folder.path().join("undo.jsonl");
            if cut {
                // A process that is killed while it writes leaves a part of a line.
                let mut noted = std::fs::read_to_string(&path).expect("an undo file");
                noted.push_str("{\"change\":0,\"sta");
                std::fs::write(&path, noted).expect("it can be written");
            }
            ok(live(&sandbox, folder.path(), &goal));
            ok(live(
                &sandbox,
                folder.path(),
                &["enable", "--undo", "undo.jsonl", "--yes"],
            ));
            assert_eq!(sandbox.dump()["accounts"], before["accounts"]);
        }
    }

    #[test]
    fn an_undo_file_is_written_over_by_no_other_run() {
        let sandbox = Sandbox::start(&snapshot(&two_sources()));
        let folder = folder();
        let mut goal = interrupted(&sandbox, folder.path());
        ok(live(&sandbox, folder.path(), &goal));
        let writes = sandbox.writes();
        for (content, reason) in [
            (None, "it is of a run that came to its end"),
            (Some("a diary\n"), "it is no undo file"),
        ] {
            if let Some(content) = content {
                std::fs::write(folder.path().join("undo.jsonl"), content).expect("it can be written");
            }
            let before = std::fs::read(folder.path().join("undo.jsonl")).expect("the file");
            goal[1] = "web-assets";
            let output = live(&sandbox, folder.path(), &goal);
            assert_eq!(output.status.code(), Some(2));
            assert!(text(&output.stderr).contains(reason), "{}", text(&output.stderr));
            assert_eq!(
                std::fs::read(folder.path().join("undo.jsonl")).expect("the file"),
                before
            );
        }
        assert_eq!(sandbox.writes(), writes);
    }

    #[test]
    fn what_is_taken_back_is_taken_back_once_and_promises_nothing() {
        let sandbox = Sandbox::start(&snapshot(&two_sources()));
        let folder = folder();
        let goal = ["enable", "app-data", "--target", "my-logs", "--create"];
        let shown = ok(live(
            &sandbox,
            folder.path(),
            &[goal.as_slice(), &["--yes", "--undo-file", "undo.jsonl"]].concat(),
        ));
        assert!(
            !shown.contains("nothing blocked"),
            "AWS blocks public access by itself: {shown}"
        );
        assert!(shown.contains("everything public blocked"), "{shown}");
        let undo = [
            "enable",
            "--undo",
            "undo.jsonl",
            "--yes",
            "--undo-file",
            "redo.jsonl",
        ];
        let told = ok(live(&sandbox, folder.path(), &undo));
        assert!(told.contains("Verified: it is as it was before."), "{told}");
        assert!(!told.contains("deliver"), "{told}");
        std::fs::remove_file(folder.path().join("redo.jsonl")).expect("the undoing can be undone");
        let told = ok(live(&sandbox, folder.path(), &undo));
        assert!(told.contains("it is so already"), "{told}");
        assert!(!folder.path().join("redo.jsonl").exists());
        std::fs::write(folder.path().join("empty.jsonl"), "").expect("it can be written");
        let empty = live(
            &sandbox,
            folder.path(),
            &["enable", "--undo", "empty.jsonl", "--yes"],
        );
        let told = text(&empty.stderr);
        assert!(
            told.contains("empty.jsonl is no undo file: it is empty"),
            "{told}"
        );
        assert!(!told.contains("--out"), "{told}");
    }

    #[test]
    fn what_cannot_be_taken_back_is_not_said_to_be_planned_anew() {
        let sandbox = Sandbox::start(&snapshot(&two_sources()));
        let folder = folder();
        let goal = ["enable", "app-data", "--target", "my-logs", "--create"];
        ok(live(
            &sandbox,
            folder.path(),
            &[goal.as_slice(), &["--yes", "--undo-file", "undo.jsonl"]].concat(),
        ));
        let theirs = json!({ "LoggingEnabled": { "TargetBucket": "web-assets", "TargetPrefix": "theirs/" } });
        sandbox.visit(|visitor| visitor.set("app-data", "logging", Some(theirs)));
        let moved = live(
            &sandbox,
            folder.path(),
            &["enable", "--undo", "undo.jsonl", "--yes"],
        );
        let told = text(&moved.stderr);
        assert_eq!(moved.status.code(), Some(2), "{told}");
        assert!(
            told.contains("the logging of `app-data` changed since the plan was applied"),
            "{told}"
        );
        assert!(!told.contains("plans from what is there now"), "{told}");
    }

    #[test]
    fn everything_is_asked_of_an_existing_log_bucket_that_its_rules_read() {
        let mut buckets = two_sources();
        buckets["my-logs"] = json!({ "region": "eu-west-1" });
        buckets["with-acl"] = json!({ "region": "eu-west-1", "ownership_controls": { "OwnershipControls": {
            "Rules": [{ "ObjectOwnership": "ObjectWriter" }] } } });
        let sandbox = Sandbox::start(&snapshot(&buckets));
        let folder = folder();
        for target in ["my-logs", "with-acl"] {
            for days in ["365", "never"] {
                let goal = ["enable", "app-data", "--target", target, "--expire-after", days];
                let shown = ok(live(&sandbox, folder.path(), &goal));
                assert!(!shown.contains("can't be decided"), "{target}: {shown}");
            }
        }
    }

    #[test]
    fn a_bucket_that_is_open_to_the_world_is_no_target_live() {
        let sandbox = Sandbox::start(&snapshot(&open_to_the_world()));
        let folder = folder();
        for target in ["by-policy", "by-acl"] {
            let refused = live(
                &sandbox,
                folder.path(),
                &["enable", "app-data", "--target", target, "--yes"],
            );
            assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stdout));
            assert!(
                text(&refused.stderr).contains("anyone can"),
                "{}",
                text(&refused.stderr)
            );
        }
        assert_eq!(sandbox.writes(), 0);
    }

    #[test]
    fn a_bucket_that_holds_logs_is_not_taken_back() {
        let sandbox = Sandbox::start(&snapshot(&two_sources()));
        let folder = folder();
        ok(live(
            &sandbox,
            folder.path(),
            &[
                "enable",
                "app-data",
                "--target",
                "my-logs",
                "--create",
                "--yes",
                "--undo-file",
                "undo.jsonl",
            ],
        ));
        sandbox.visit(|visitor| visitor.put_object("my-logs", "app-data/log", "x", "2026-11-22T07:00:00Z"));
        let undo = live(
            &sandbox,
            folder.path(),
            &["enable", "--undo", "undo.jsonl", "--yes"],
        );
        assert_eq!(undo.status.code(), Some(2), "{}", text(&undo.stdout));
        assert!(
            text(&undo.stderr).contains("holds objects"),
            "{}",
            text(&undo.stderr)
        );
        let buckets = &sandbox.dump()["accounts"][0]["buckets"];
        assert!(buckets.get("my-logs").is_some());
        assert!(buckets["app-data"]["logging"].get("LoggingEnabled").is_none());
    }

    /// The AWS CLI that is installed beside the Python of the tests.
    fn aws_cli() -> Option<PathBuf> {
        let Some(python) = std::env::var_os("S3LOG_LINT_PYTHON") else {
            eprintln!("skipped: S3LOG_LINT_PYTHON names no Python that has the AWS CLI beside it");
            return None;
        };
        let programs = Path::new(&python).parent().expect("a program stands in a folder");
        if !programs.join("aws").is_file() {
            eprintln!("skipped: there is no `aws` beside {}", python.display());
            return None;
        }
        // Not resolved: it is the environment's folder that is meant, not where its Python comes from.
        Some(std::path::absolute(programs).expect("the folder has a path"))
    }

    /// A policy, a lifecycle and a source that somebody had before, with what makes quoting hard.
    fn what_was_there() -> Value {
        let foreign = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::old-logs/${aws:username}/it's/*"}]}"#;
        json!({
            "app-data": { "region": "eu-west-1" },
            "web-assets": { "region": "us-east-1" },
            "old-logs": { "region": "eu-west-1", "policy": { "Policy": foreign },
                "lifecycle": { "Rules": [{ "ID": "it's old", "Status": "Enabled", "Filter": { "And": { "Prefix": "tmp/",
                    "Tags": [{ "Key": "a", "Value": "b" }] } }, "Expiration": { "Days": 5 } }],
                    "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K" } },
        })
    }

    /// A log bucket that takes no logs, for three reasons.
    fn what_is_broken() -> Value {
        json!({
            "app-data": { "region": "eu-west-1", "logging": { "LoggingEnabled": {
                "TargetBucket": "my-logs", "TargetPrefix": "app-data/" } } },
            "loop": { "region": "eu-west-1", "logging": { "LoggingEnabled": { "TargetBucket": "loop", "TargetPrefix": "" } } },
            "my-logs": { "region": "eu-west-1",
                "request_payment": { "Payer": "Requester" },
                "encryption": { "ServerSideEncryptionConfiguration": { "Rules": [
                    { "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "aws:kms" }, "BucketKeyEnabled": false }] } } },
        })
    }

    #[test]
    fn emitted_commands_end_in_the_state_that_the_plan_ends_in() {
        let Some(programs) = aws_cli() else { return };
        let goals: [(Value, &[&str]); 4] = [
            (what_was_there(), &["enable", "app-data", "--target", "old-logs"]),
            (what_was_there(), &["enable", "web-assets", "--create"]),
            (
                what_was_there(),
                &["enable", "app-data", "--create", "--key-format", "simple"],
            ),
            (what_is_broken(), &["fix", "--disable-loops"]),
        ];
        for (seed, goal) in goals {
            let (applied, by_hand) = (Sandbox::start(&snapshot(&seed)), Sandbox::start(&snapshot(&seed)));
            let before = by_hand.dump();
            let folder = folder();
            let apply = [goal, &["--yes", "--undo-file", "undo.jsonl"]].concat();
            ok(live(&applied, folder.path(), &apply));
            let after = applied.dump();
            assert_ne!(before["accounts"], after["accounts"], "{goal:?}");

            let emit = [goal, &["--emit", "cli"]].concat();
            let script = ok(live(&by_hand, folder.path(), &emit));
            assert_eq!(by_hand.writes(), 0, "emitted is not applied");
            // Twice, since a script that stopped midway is run again.
            for _ in 0..2 {
                by_the_aws_cli(&script, &by_hand, &programs, folder.path());
                assert_eq!(
                    by_hand.dump()["accounts"],
                    after["accounts"],
                    "{goal:?}:\n{script}"
                );
            }

            let undo = ["enable", "--undo", "undo.jsonl", "--emit", "cli"];
            let script = ok(live(&by_hand, folder.path(), &undo));
            by_the_aws_cli(&script, &by_hand, &programs, folder.path());
            assert_eq!(
                by_hand.dump()["accounts"],
                before["accounts"],
                "{goal:?}:\n{script}"
            );
        }
    }

    fn by_the_aws_cli(script: &str, sandbox: &Sandbox, programs: &Path, folder: &Path) {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder)
            .stdin(Stdio::null())
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", folder)
            .envs(sandbox.environment())
            .env("AWS_CONFIG_FILE", "/nonexistent/config")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .expect("a shell starts");
        assert!(output.status.success(), "{}\n{script}", text(&output.stderr));
    }

    #[test]
    fn five_hundred_sources_take_one_policy_and_a_linear_number_of_calls() {
        let sources: serde_json::Map<String, Value> = (0..500)
            .map(|n| {
                (
                    format!("a-source-of-usual-length-{n:03}"),
                    json!({ "region": "eu-west-1" }),
                )
            })
            .collect();
        let sandbox = Sandbox::start(&snapshot(&Value::Object(sources)));
        let folder = folder();
        let told = ok(live(
            &sandbox,
            folder.path(),
            &[
                "enable",
                "--all-unlogged",
                "--target",
                "my-logs",
                "--create",
                "--yes",
            ],
        ));
        assert!(told.contains("for every bucket of account"), "{told}");
        assert!(told.contains("Verified: 500 of 500"), "{told}");
        let calls = sandbox.calls();
        assert_eq!(calls.get("PutBucketPolicy"), Some(&1));
        assert_eq!(calls.get("PutBucketLogging"), Some(&500));
        // Collected, looked at before, read back, collected again.
        assert!(sandbox.total() < 500 * 5 + 80, "{calls:?}");
        let policy = sandbox.dump()["accounts"][0]["buckets"]["my-logs"]["policy"]["Policy"]
            .as_str()
            .expect("a policy")
            .len();
        assert!(policy <= 20 * 1024, "{policy} bytes");
    }
}

#[test]
fn a_plan_is_not_written_over_what_it_was_made_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/unlogged.json");
    let account = folder.path().join("account.json");
    std::fs::copy(&seed, &account).expect("a copy");
    let mut command = program(folder.path());
    command.args([
        "enable",
        "--all-unlogged",
        "--create",
        "--snapshot",
        "account.json",
    ]);
    let output = run(command.args(["--out", "./account.json"]));
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let kept = std::fs::read(&account).expect("it is there");
    assert_eq!(kept, std::fs::read(seed).expect("it is there"));
}
