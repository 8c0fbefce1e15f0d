//! `check` as its users meet it: plans by themselves, laid onto what is there, and compared with the time before.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

#[path = "program/mod.rs"]
mod program;

use program::{code, feed, stderr, stdout};

fn program() -> Command {
    let mut command = program::program();
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn check(arguments: &[&str]) -> Output {
    program()
        .args(["check", "--isolated"])
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn check_text(text: &[u8], arguments: &[&str]) -> Output {
    feed(program().args(["check", "--isolated", "-"]).args(arguments), text)
}

fn plan(name: &str) -> String {
    format!("testdata/terraform/{name}.plan.json")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", stdout(output), stderr(output)))
}

#[test]
fn a_plan_that_removes_a_grant_names_every_edge_that_needs_it() {
    let output = check(&[&plan("removes-the-grant"), "--new-only", "--format", "short"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let told = stdout(&output);
    assert_eq!(told.lines().count(), 2, "{told}");
    for source in ["app-data", "images"] {
        let line = told.lines().find(|line| line.contains(&format!("/{source} -> ")));
        let line = line.unwrap_or_else(|| panic!("{source}: {told}"));
        assert!(line.starts_with("error[S3L101]"), "{line}");
        assert!(
            line.contains("this deploy removes the policy (`aws_s3_bucket_policy.logs`)"),
            "{line}"
        );
    }
    let human = stdout(&check(&[&plan("removes-the-grant"), "--new-only"]));
    assert!(human.contains("(2 buckets: app-data and images)"), "{human}");
}

#[test]
fn a_template_that_holds_a_configuration_of_terraform_is_a_template() {
    let template = "Resources:
  App: {Type: 'AWS::S3::Bucket'}
  Host:
    Type: AWS::EC2::Instance
    Properties:
      UserData: |
        terraform {
        }
        provider \"aws\" {}
";
    let output = check_text(template.as_bytes(), &["--format", "short"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let configuration = "terraform {\n}\nresource \"aws_s3_bucket\" \"app\" {\n}\n";
    let output = check_text(configuration.as_bytes(), &[]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("a configuration of Terraform"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_remark_on_a_line_names_its_file_once() {
    let template = "Resources:
  App: {Type: 'AWS::S3::Bucket', Properties: {BucketName: 012345670123}}
  App: {Type: 'AWS::S3::Bucket', Properties: {BucketName: app-data}}
";
    let told = stderr(&check_text(template.as_bytes(), &["--format", "short"]));
    let remarks: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("stands twice") || line.contains("octal"))
        .collect();
    assert_eq!(remarks.len(), 2, "{told}");
    for remark in remarks {
        assert_eq!(
            remark.matches("stdin").count() + remark.matches("-:").count(),
            1,
            "{remark}"
        );
    }
}

#[test]
fn a_plan_that_deletes_a_target_names_every_edge_that_dangles() {
    let output = check(&[&plan("deletes-the-target"), "--new-only", "--format", "json"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let report = report(&output);
    let told: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().expect("a text");
            assert!(text("message").contains("this deploy deletes it"), "{finding}");
            (text("code"), text("bucket"))
        })
        .collect();
    assert_eq!(told, [("S3L004", "app-data"), ("S3L004", "images")]);
}

#[test]
fn a_plan_without_changes_brings_nothing() {
    let output = check(&[&plan("changes-nothing"), "--new-only"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stdout(&output).contains("The change brings nothing to report."),
        "{}",
        stdout(&output)
    );
}

#[test]
fn what_a_change_repairs_is_listed() {
    let output = check(&[&plan("restores-the-grant"), "--new-only", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let json = report(&output);
    assert_eq!(json["summary"]["repaired"], 2);
    assert_eq!(json["repaired"][0]["code"], "S3L101");
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(0));
    let human = stdout(&check(&[&plan("restores-the-grant"), "--new-only"]));
    assert!(human.contains("Repaired by this change:"), "{human}");
}

#[test]
fn three_files_make_one_graph() {
    let (source, target, policy) = (plan("stack-source"), plan("stack-target"), plan("stack-policy"));
    let whole = check(&[&source, &target, &policy, "--format", "json"]);
    assert_eq!(code(&whole), 0, "{}", stdout(&whole));
    let whole = report(&whole);
    assert_eq!(whole["edges"][0]["verdict"], "delivers", "{}", whole["edges"]);
    let without = check(&[&source, &target, "--format", "json"]);
    assert_eq!(code(&without), 1);
    assert_eq!(report(&without)["edges"][0]["verdict"], "blocked");
    // What is in no file is unknown, said once, and no failure.
    let alone = check(&[&source]);
    assert_eq!(code(&alone), 0, "{}", stdout(&alone));
    assert!(
        stdout(&alone).contains("on what is not in these files"),
        "{}",
        stdout(&alone)
    );
    assert!(
        !stdout(&alone).contains("Could not be decided"),
        "{}",
        stdout(&alone)
    );
    assert_eq!(code(&check(&[&source, "--unknown", "ignore"])), 0);
}

/// Another stack's bucket logs to the bucket that the plans manage.
const ACCOUNT: &str = r#"{"version":1,"unasked":"absent","accounts":[{"id":"111122223333","buckets":{
            "elsewhere-declared":{"region":"eu-west-1","logging":{"LoggingEnabled":{"TargetBucket":"amzn-s3-demo-logs","TargetPrefix":"e/"}}},
            "amzn-s3-demo-logs":{"region":"eu-west-1","logging":{},
              "lifecycle":{"Rules":[{"Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":9}}]},
              "policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},
                "Action":"s3:PutObject","Resource":"arn:aws:s3:::amzn-s3-demo-logs/*",
                "Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}}}}]}"#;

#[test]
fn a_plan_is_laid_onto_a_recorded_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let account = folder.path().join("account.json");
    std::fs::write(&account, ACCOUNT).expect("a file");
    let account = account.display().to_string();
    let output = check(&[
        &plan("deletes-the-target"),
        "--onto",
        &account,
        "--new-only",
        "--format",
        "json",
    ]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    let buckets: Vec<Value> = report(&output)["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["code"] == "S3L004")
        .map(|finding| finding["bucket"].clone())
        .collect();
    // A bucket of another stack logs there too, and only the account knows.
    assert_eq!(buckets, ["app-data", "elsewhere-declared", "images"]);
    let audit = program()
        .args([
            "audit",
            "--isolated",
            "--snapshot",
            &account,
            "--new-only",
            "--format",
            "json",
        ])
        .args(["--with", &plan("deletes-the-target")])
        .output()
        .expect("the program starts");
    assert_eq!(report(&audit)["findings"], report(&output)["findings"]);
}

#[test]
fn what_is_sensitive_reaches_no_output() {
    for format in [
        "human", "short", "json", "jsonl", "sarif", "junit", "github", "gitlab", "rdjson", "azure",
        "markdown", "csv", "ocsf", "asff",
    ] {
        let output = check(&[&plan("sensitive"), "--format", format]);
        assert!([0, 1].contains(&code(&output)), "{format}: {}", stderr(&output));
        let told = stdout(&output) + &stderr(&output);
        assert!(!told.contains("hush"), "{format}: {told}");
    }
    let json = report(&check(&[&plan("sensitive"), "--format", "json"]));
    // It is compared all the same: the edge leads to the bucket of that name.
    assert_eq!(json["edges"][0]["target"], "aws_s3_bucket.logs");
    assert_eq!(json["edges"][0]["name_known"], false);
}

#[test]
fn findings_point_into_the_configuration() {
    let arguments = [
        "testdata/terraform/source/plan.json",
        "--source",
        "testdata/terraform/source",
    ];
    let output = check(&[&arguments[..], &["--format", "json"]].concat());
    let json = report(&output);
    let places: Vec<(&str, &str, u64)> = json["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            let place = &finding["places"][0];
            let text = |value: &Value| value.as_u64().unwrap_or_default();
            (
                finding["code"].as_str().expect("a code"),
                place["document"].as_str().expect("a document"),
                text(&place["line"]),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("S3L101", "testdata/terraform/source/main.tf", 7),
            ("S3L201", "testdata/terraform/source/logs/main.tf", 9),
        ]
    );
    assert_eq!(json["summary"]["suppressed"], 1, "{}", json["summary"]);
    let without = report(&check(&[arguments[0], "--format", "json"]));
    let document = without["findings"][0]["places"][0]["document"].as_str();
    assert_eq!(
        document,
        Some("testdata/terraform/source/plan.json#aws_s3_bucket_logging.app")
    );
}

#[test]
fn the_wrong_file_is_answered_with_the_way_to_the_right_one() {
    let cases: [(&[u8], &str, &str); 6] = [
        (b"PK\x03\x04rest", "binary plan", "terraform show -json"),
        (
            b"{\"@level\":\"info\",\"type\":\"version\"}\n{\"@level\":\"info\"}\n",
            "stream of events",
            "terraform plan -out=tfplan",
        ),
        (
            b"{\"format_version\":\"1.2\"}\n{\"format_version\":\"1.2\"}\n",
            "several JSON documents",
            "terragrunt",
        ),
        (
            b"{\"format_version\":\"2.0\",\"planned_values\":{}}",
            "format version 2.0",
            "release",
        ),
        (
            b"{\"version\":3,\"serial\":1,\"lineage\":\"x\"}",
            "version 3",
            "show -json",
        ),
        (
            b"{\"format_version\":\"1.2\",\n \"resource_changes\": 7}",
            "line 2",
            "terraform show -json",
        ),
    ];
    for (text, sentence, help) in cases {
        let output = check_text(text, &[]);
        assert_eq!(code(&output), 2, "{}", stdout(&output));
        let told = stderr(&output);
        assert!(told.contains(sentence), "{told}");
        assert!(told.contains(help), "{told}");
    }
}

#[test]
fn a_wrapper_a_mark_and_utf_16_are_no_hindrance() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(plan("removes-the-grant"));
    let text = std::fs::read_to_string(path).expect("a plan");
    let plain = stdout(&check_text(text.as_bytes(), &["--format", "short"]));
    assert!(plain.contains("S3L101"), "{plain}");
    let wrapped = format!("[command]/opt/terraform-bin show -json tfplan\n{text}\n::debug::exit 0\n");
    let marked = format!("\u{feff}{text}");
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [wrapped.as_bytes(), marked.as_bytes(), &wide] {
        assert_eq!(stdout(&check_text(bytes, &["--format", "short"])), plain);
    }
}

#[test]
fn the_update_scenarios_report_what_the_change_introduces() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/terraform/generated");
    if !corpus.is_dir() {
        eprintln!("skipped: the corpus is not there");
        return;
    }
    let cases: [(&str, &[&str]); 6] = [
        ("u01-remove-logging", &["S3L009 u-data", "S3L009 u-logs"]),
        ("u02-change-format", &[]),
        ("u03-destroy-target", &["S3L004 u-data"]),
        (
            "u04-replace-target",
            &["S3L013 u-logs-renamed", "S3L101 u-data", "S3L206 u-logs-renamed"],
        ),
        ("u05-moved", &[]),
        ("u06-forget", &[]),
    ];
    for (name, expected) in cases {
        let file = |kind: &str| corpus.join(format!("{name}.{kind}")).display().to_string();
        let (plan, state, raw) = (file("v2.plan.json"), file("v1.state.json"), file("v1.tfstate"));
        for onto in [None, Some(state), Some(raw)] {
            let mut arguments = vec![plan.as_str(), "--new-only", "--format", "json"];
            if let Some(onto) = &onto {
                arguments.extend(["--onto", onto]);
            }
            let output = check(&arguments);
            let mut told: Vec<String> = report(&output)["findings"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|finding| {
                    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
                    format!("{} {}", text("code"), text("bucket"))
                })
                .collect();
            told.sort();
            assert_eq!(told, expected, "{name} onto {onto:?}");
        }
    }
}

#[test]
fn what_the_user_gives_wrongly_is_told() {
    let folder: PathBuf = tempfile::tempdir().expect("a folder").keep();
    let path = folder.display().to_string();
    let source = plan("stack-source");
    let cases: [(&[&str], &str); 3] = [
        (&[&path], "is a folder without a `manifest.json`"),
        (&[&source, "--parameter", "A=b"], "says something of a template"),
        (
            &[&source, "--source", "/no/such/folder"],
            "can't read /no/such/folder",
        ),
    ];
    for (arguments, sentence) in cases {
        let output = check(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stdout(&output));
        assert!(
            stderr(&output).contains(sentence),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    std::fs::remove_dir(&folder).expect("it is empty");
    let audit = program()
        .args(["audit", "--demo", "--new-only"])
        .output()
        .expect("the program starts");
    assert_eq!(code(&audit), 2);
    assert!(
        stderr(&audit).contains("no change is given"),
        "{}",
        stderr(&audit)
    );
}

#[test]
fn a_file_is_named_as_its_repository_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("infrastructure");
    std::fs::create_dir_all(folder.path().join(".git")).expect("a repository");
    std::fs::create_dir_all(&inside).expect("a folder");
    let template = "Resources:\n  Loop:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: app-data\n      \
                    LoggingConfiguration: {}\n";
    std::fs::write(inside.join("template.yaml"), template).expect("a file");
    let told = |format: &str| {
        let output = program()
            .current_dir(&inside)
            .args(["check", "--isolated", "template.yaml", "--format", format])
            .output()
            .expect("the program starts");
        stdout(&output)
    };
    let github = told("github");
    assert!(
        github.contains("file=infrastructure/template.yaml,line="),
        "{github}"
    );
    let gitlab: Value = serde_json::from_str(&told("gitlab")).expect("JSON");
    assert_eq!(gitlab[0]["location"]["path"], "infrastructure/template.yaml");
    // Reviewdog looks for it from where it runs itself.
    let rdjson: Value = serde_json::from_str(&told("rdjson")).expect("JSON");
    assert_eq!(rdjson["diagnostics"][0]["location"]["path"], "template.yaml");
}

#[test]
fn other_tools_are_told_of_the_log_buckets_of_files_where_they_are_declared() {
    let told = |arguments: &[&str]| {
        let output = program()
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/one-setup"))
            .args(["--isolated", "suppress-peers"])
            .args(arguments)
            .output()
            .expect("the program starts");
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
    };
    // Each in its language, the logged buckets and the one with a key of its own in none.
    let hcl = told(&["plan.json", "--source", ".", "--tool", "checkov"]);
    assert!(
        hcl.contains("# amzn-s3-demo-logs: main.tf:29\n# checkov:skip=CKV_AWS_18:"),
        "{hcl}"
    );
    assert_eq!(hcl.matches("CKV_AWS_145").count(), 1, "{hcl}");
    assert!(!hcl.contains("amzn-s3-demo-app"), "{hcl}");
    let planned = told(&["plan.json", "--tool", "checkov"]);
    assert!(
        planned.contains("# amzn-s3-demo-logs: aws_s3_bucket.logs in plan.json\n# checkov:skip="),
        "{planned}"
    );
    let template = ["template.yaml", "--region", "eu-west-1", "--tool"];
    let checkov = told(&[&template[..], &["checkov"]].concat());
    assert!(
        checkov.contains(
            "# amzn-s3-demo-logs: Logs in template.yaml:10\nMetadata:\n  checkov:\n    skip:\n      - id: CKV_AWS_18\n"
        ),
        "{checkov}"
    );
    let guard = told(&[&template[..], &["cfn-guard"]].concat());
    assert!(
        guard.contains(
            "# amzn-s3-demo-logs: Logs in template.yaml:10\nMetadata:\n  guard:\n    SuppressedRules:\n      - S3_BUCKET_LOGGING_ENABLED"
        ),
        "{guard}"
    );
    // What reads templates alone never meets a bucket of Terraform.
    for tool in ["cfn-guard", "cdk-nag"] {
        assert_eq!(told(&["plan.json", "--tool", tool]), "");
    }
    let nag = told(&["cdk.out", "--tool", "cdk-nag"]);
    assert!(
        nag.contains("made at lib/storage.ts:5:5\nValidations.of("),
        "{nag}"
    );
    let trivy = told(&["plan.json", "--source", ".", "--tool", "trivy"]);
    assert!(trivy.contains("paths: [\"main.tf\"]"), "{trivy}");
}

/// A template whose log bucket is elsewhere.
const SOURCE_ALONE: &str = "Resources:\n  Data:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: app-data\n      \
                            LoggingConfiguration:\n        DestinationBucketName: amzn-s3-demo-logs\n";

#[test]
fn no_format_lets_one_believe_that_an_unknown_edge_delivers() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = folder.path().join("template.yaml");
    std::fs::write(&template, SOURCE_ALONE).expect("a file");
    let template = template.display().to_string();
    for format in ["human", "short", "markdown", "github", "azure"] {
        let output = check(&[&template, "--format", format]);
        assert_eq!(code(&output), 0, "{format}: {}", stderr(&output));
        let told = stdout(&output);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            told.contains("1 of 1 logging edge can't be judged from these files"),
            "{format}: {told}"
        );
        assert!(
            !told.to_lowercase().contains("nothing to report"),
            "{format}: {told}"
        );
        if format != "azure" {
            assert!(told.contains("--onto SNAPSHOT"), "{format}: {told}");
        }
    }
    // Who hides what is undecided is told of the edge all the same.
    let hidden = stdout(&check(&[&template, "--unknown", "ignore"]));
    assert!(hidden.contains("1 of 1 logging edge can't be judged"), "{hidden}");
}

#[test]
fn the_account_is_asked_for_where_it_would_tell() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = folder.path().join("template.yaml");
    let bucket = |name: &str| json!({"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}});
    let mut resources = json!({"Data": bucket("app-data"), "Logs": bucket("amzn-s3-demo-logs"), "Policy": {
        "Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Logs"}, "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
                "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}]}}}});
    resources["Data"]["Properties"]["LoggingConfiguration"] =
        json!({"DestinationBucketName": {"Ref": "Logs"}});
    std::fs::write(&template, json!({"Resources": resources}).to_string()).expect("a file");
    let template = template.display().to_string();
    let told = |more: &[&str]| {
        let output = check(&[&[template.as_str()], more].concat());
        stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let open = told(&[]);
    assert!(
        open.contains("1 of 1 logging edge can't be judged from these files"),
        "{open}"
    );
    assert!(open.contains("`--account ID` would tell"), "{open}");
    assert!(!open.contains("--onto"), "{open}");
    let right = told(&["--account", "111122223333"]);
    assert!(
        right.contains("1 deliver") && !right.contains("can't be judged"),
        "{right}"
    );
    let wrong = told(&["--account", "444455556666"]);
    assert!(wrong.contains("S3L101"), "{wrong}");
}

#[test]
fn files_alone_fail_on_the_unknown_only_where_that_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = folder.path().join("template.yaml");
    std::fs::write(&template, SOURCE_ALONE).expect("a file");
    let template = template.display().to_string();
    assert_eq!(code(&check(&[&template])), 0);
    assert_eq!(code(&check(&[&template, "--unknown", "warn"])), 0);
    let output = check(&[&template, "--unknown", "fail"]);
    assert_eq!(code(&output), 3, "{}", stdout(&output));
    assert!(
        stdout(&output).contains("Could not be decided"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn what_is_new_is_told_only_of_what_tells_the_time_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let (template, account) = (
        folder.path().join("template.yaml"),
        folder.path().join("account.json"),
    );
    std::fs::write(&template, SOURCE_ALONE).expect("a file");
    std::fs::write(&account, ACCOUNT).expect("a file");
    let (template, account) = (template.display().to_string(), account.display().to_string());
    for alone in [&template, &account] {
        let output = check(&[alone, "--new-only"]);
        assert_eq!(code(&output), 2, "{}", stdout(&output));
        assert!(
            stderr(&output).contains("`--onto SNAPSHOT`"),
            "{}",
            stderr(&output)
        );
    }
    for known in [
        vec![template.as_str(), "--onto", &account, "--new-only"],
        vec![&template, &account, "--new-only"],
    ] {
        let output = check(&known);
        assert_ne!(code(&output), 2, "{}", stderr(&output));
    }
}

#[test]
fn a_configuration_of_terraform_is_told_from_its_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["main.tf", "copied.txt"] {
        let path = folder.path().join(name);
        std::fs::write(
            &path,
            "resource \"aws_s3_bucket\" \"logs\" {\n  bucket = \"amzn-s3-demo-logs\"\n}\n",
        )
        .expect("a file");
        let output = check(&[&path.display().to_string()]);
        assert_eq!(code(&output), 2);
        assert!(
            stderr(&output).contains("terraform show -json"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn what_only_the_deploy_tells_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(plan("stack-policy")).expect("the plan is there");
    let mut open: Value = serde_json::from_str(&text).expect("JSON");
    let change = &mut open["resource_changes"][0]["change"];
    change["after"]
        .as_object_mut()
        .expect("an object")
        .remove("policy");
    change["after_unknown"] = json!({"policy": true});
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, open.to_string()).expect("a file");
    let policy = policy.display().to_string();
    let files = [&*plan("stack-source"), &plan("stack-target"), &policy];
    let human = stdout(&check(&files));
    assert!(
        human.contains("known only after the deploy: the policy of amzn-s3-demo-logs"),
        "{human}"
    );
    let markdown = stdout(&check(&[files.as_slice(), &["--format", "markdown"]].concat()));
    assert!(
        markdown.contains("the policy of amzn-s3-demo-logs is known only after the deploy"),
        "{markdown}"
    );
}

/// A plan whose providers have keys of their own, with a grant for the account 444455556666.
fn plan_with_keys(prior_state: Value) -> Vec<u8> {
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "444455556666"}},
    }]});
    let create = |kind: &str, name: &str, after: Value| {
        json!({
            "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "change": {"actions": ["create"], "before": null, "after": after, "after_unknown": {"id": true}},
        })
    };
    let provider = |region: &str| {
        json!({"name": "aws", "expressions": {
            "region": {"constant_value": region}, "access_key": {"constant_value": "made-up"},
        }})
    };
    json!({
        "format_version": "1.2",
        "resource_changes": [
            create("aws_s3_bucket", "logs", json!({"bucket": "amzn-s3-demo-logs"})),
            create("aws_s3_bucket", "app", json!({"bucket": "app-data"})),
            create("aws_s3_bucket_policy", "logs", json!({"bucket": "amzn-s3-demo-logs", "policy": policy.to_string()})),
            create("aws_s3_bucket_logging", "app",
                json!({"bucket": "app-data", "target_bucket": "amzn-s3-demo-logs", "target_prefix": "app/"})),
        ],
        "prior_state": prior_state,
        "configuration": {
            "provider_config": {"aws": provider("eu-west-1"), "aws.us": provider("us-east-1")},
            "root_module": {},
        },
    })
    .to_string()
    .into_bytes()
}

#[test]
fn the_account_is_the_one_that_is_given_or_that_the_credentials_are_of() {
    let is_found = |plan: &[u8], arguments: &[&str]| {
        let output = check_text(plan, &[arguments, &["--format", "short"]].concat());
        let told = stdout(&output);
        assert_eq!(code(&output), i32::from(told.contains("error[S3L101]")), "{told}");
        told.contains("error[S3L101]")
    };
    let plan = plan_with_keys(Value::Null);
    assert!(!is_found(&plan, &[]));
    assert!(is_found(&plan, &["--account", "111122223333"]));
    assert!(!is_found(&plan, &["--account", "444455556666"]));
    let identity = |id: &str| {
        let row = json!({
            "address": "data.aws_caller_identity.me", "mode": "data", "type": "aws_caller_identity", "name": "me",
            "values": {"account_id": id},
        });
        plan_with_keys(json!({"values": {"root_module": {"resources": [row]}}}))
    };
    assert!(is_found(&identity("111122223333"), &[]));
    assert!(!is_found(&identity("444455556666"), &[]));
}

#[test]
fn a_plan_in_which_an_argument_stands_twice_is_refused_with_its_place() {
    let text = String::from_utf8(plan_with_keys(Value::Null)).expect("it is text");
    let twice = text.replace(
        r#""bucket":"app-data""#,
        r#""bucket":"app-data","bucket":"app-other""#,
    );
    assert_ne!(twice, text);
    let output = check_text(twice.as_bytes(), &[]);
    assert_eq!(code(&output), 2, "{}", stdout(&output));
    let told = stderr(&output);
    assert!(told.contains("the key `bucket` stands twice"), "{told}");
    assert!(told.contains("line 1, column "), "{told}");
}

#[test]
fn resources_that_overwrite_each_other_are_named() {
    let plan = |policies: &[&str]| {
        let changes: Vec<Value> = policies
            .iter()
            .zip(["one", "two"])
            .map(|(sid, name)| {
                let policy = json!({"Version": "2012-10-17", "Statement": [{
                    "Sid": sid, "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
                    "Action": "s3:PutObject", "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
                    "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
                }]});
                json!({
                    "address": format!("aws_s3_bucket_policy.{name}"), "mode": "managed",
                    "type": "aws_s3_bucket_policy", "name": name,
                    "change": {"actions": ["create"], "before": null, "after_unknown": {"id": true},
                        "after": {"bucket": "amzn-s3-demo-logs", "policy": policy.to_string()}},
                })
            })
            .collect();
        json!({"format_version": "1.2", "resource_changes": changes}).to_string()
    };
    let told = |policies: &[&str]| stderr(&check_text(plan(policies).as_bytes(), &[]));
    let both = "`aws_s3_bucket_policy.one` and `aws_s3_bucket_policy.two` each write the policy of `amzn-s3-demo-logs`";
    assert!(told(&["A", "B"]).contains(both), "{}", told(&["A", "B"]));
    assert_eq!(told(&["A", "A"]), "");
    assert_eq!(told(&["A"]), "");
}

/// One log bucket, a source that its policy names, and one that it doesn't.
fn onto_of(statement: &Value) -> String {
    let source = |name: &str| {
        json!({"region": "eu-west-1", "logging": {"LoggingEnabled": {
        "TargetBucket": "amzn-s3-demo-logs", "TargetPrefix": format!("{name}/")}}})
    };
    json!({"version": 1, "unasked": "absent", "accounts": [{"id": "111122223333", "buckets": {
        "app-a": source("app-a"), "app-broken": source("app-broken"),
        "amzn-s3-demo-logs": {"region": "eu-west-1", "logging": {},
            "policy": {"Version": "2012-10-17", "Statement": [statement]}},
    }}]})
    .to_string()
}

fn grant_to(sid: &str, sources: &[&str]) -> Value {
    let arns: Vec<String> = sources
        .iter()
        .map(|name| format!("arn:aws:s3:::{name}"))
        .collect();
    json!({"Sid": sid, "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
        "Condition": {"ArnLike": {"aws:SourceArn": arns}, "StringEquals": {"aws:SourceAccount": "111122223333"}}})
}

/// A plan that gives the log bucket this statement as its policy.
fn plan_of_policy(statement: &Value) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let row = json!({
        "address": "aws_s3_bucket_policy.logs", "mode": "managed", "type": "aws_s3_bucket_policy", "name": "logs",
        "change": {"actions": ["create"], "before": null, "after_unknown": {"id": true},
            "after": {"bucket": "amzn-s3-demo-logs", "policy": policy}},
    });
    json!({"format_version": "1.2", "resource_changes": [row]}).to_string()
}

#[test]
fn an_old_fault_whose_statement_is_edited_is_neither_new_nor_repaired() {
    let folder = tempfile::tempdir().expect("a folder");
    let account = folder.path().join("account.json");
    std::fs::write(&account, onto_of(&grant_to("A", &["app-a"]))).expect("a file");
    let account = account.display().to_string();
    let told = |sid: &str, sources: &[&str]| {
        let plan = plan_of_policy(&grant_to(sid, sources));
        let output = check_text(
            plan.as_bytes(),
            &["--onto", &account, "--new-only", "--format", "json"],
        );
        let report = report(&output);
        let about = |key: &str| -> Vec<String> {
            let all = report[key].as_array().expect("a list").iter();
            all.map(|each| format!("{} {}", each["code"], each["bucket"]).replace('"', ""))
                .collect()
        };
        (about("findings"), about("repaired"))
    };
    let none = Vec::<String>::new();
    assert_eq!(told("A", &["app-a", "app-b"]), (none.clone(), none.clone()));
    assert_eq!(told("Renamed", &["app-a"]), (none.clone(), none.clone()));
    assert_eq!(
        told("A", &["app-a", "app-broken"]),
        (none.clone(), vec!["S3L101 app-broken".to_owned()])
    );
    assert_eq!(
        told("A", &["app-broken"]),
        (
            vec!["S3L101 app-a".to_owned()],
            vec!["S3L101 app-broken".to_owned()]
        )
    );
}

#[test]
fn a_bucket_that_may_log_is_not_said_to_log_nowhere() {
    let template = "
Parameters: {Audited: {Type: String}}
Conditions: {Audit: !Equals [!Ref Audited, 'true']}
Resources:
  App:
    Type: AWS::S3::Bucket
    Properties:
      LoggingConfiguration: !If [Audit, {DestinationBucketName: amzn-s3-demo-logs}, !Ref AWS::NoValue]
";
    for format in ["human", "markdown"] {
        let told = stdout(&check_text(template.as_bytes(), &["--format", format]));
        assert!(
            told.contains("none known to have server access logging"),
            "{told}"
        );
        assert!(told.contains("where 1 bucket logs can't be told"), "{told}");
        assert!(!told.to_lowercase().contains("nothing to report"), "{told}");
        let off = stdout(&check_text(
            template.as_bytes(),
            &["--format", format, "--parameter", "Audited=no"],
        ));
        assert!(off.contains("none with server access logging"), "{off}");
    }
}

#[test]
fn a_bucket_that_another_name_replaces_is_named_as_the_one_that_is_lost() {
    let row = |kind: &str, name: &str, actions: Value, before: Value, after: Value| {
        json!({"address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "change": {"actions": actions, "before": before, "after": after, "after_unknown": {}}})
    };
    let logging =
        |target: &str| json!({"bucket": "app-data", "target_bucket": target, "target_prefix": "app/"});
    let (old, new) = ("amzn-s3-demo-logs", "amzn-s3-demo-logs-eu");
    let plan = json!({"format_version": "1.2", "resource_changes": [
        row("aws_s3_bucket", "logs", json!(["delete", "create"]), json!({"bucket": old}), json!({"bucket": new})),
        row("aws_s3_bucket_logging", "app", json!(["update"]), logging(old), logging(new)),
    ]});
    let output = check_text(plan.to_string().as_bytes(), &["--new-only", "--format", "short"]);
    let told = stdout(&output);
    assert!(
        told.contains(&format!("this deploy replaces `{old}` by `{new}`")),
        "{told}"
    );
    assert!(told.contains(&format!("the logs in `{old}` are gone")), "{told}");
}

#[test]
fn a_fault_of_the_prefix_points_at_the_prefix() {
    let template = "
Resources:
  App:
    Type: AWS::S3::Bucket
    Properties:
      LoggingConfiguration:
        DestinationBucketName: amzn-s3-demo-logs
        LogFilePrefix: app
";
    let place = |text: &str| {
        let output = check_text(text.as_bytes(), &["--select", "S3L008", "--format", "json"]);
        let place = report(&output)["findings"][0]["places"][0].clone();
        (place["line"].clone(), place["column"].clone())
    };
    assert_eq!(place(template), (json!(8), json!(24)));
    let row = json!({"address": "aws_s3_bucket_logging.app", "mode": "managed", "type": "aws_s3_bucket_logging",
        "name": "app", "change": {"actions": ["create"], "before": null, "after_unknown": {},
        "after": {"bucket": "app-data", "target_bucket": "amzn-s3-demo-logs", "target_prefix": "app"}}});
    let plan = json!({"format_version": "1.2", "resource_changes": [row]}).to_string();
    // In the values as they are shown, one a line.
    assert_eq!(place(&plan).0, json!(4));
}
