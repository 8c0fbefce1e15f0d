//! Plans made by hand, one oddity each, and what `check` says of them.

use std::path::Path;

use serde_json::{Value, json};

#[path = "program/mod.rs"]
mod program;

use program::{feed, program, stderr, stdout};

/// A plan, made resource by resource.
#[derive(Default)]
struct Plan {
    changes: Vec<Value>,
    resources: Vec<Value>,
    /// What else stands in the configuration's root module.
    root: serde_json::Map<String, Value>,
}

impl Plan {
    /// A resource that is created: its values, what of them is unknown, and its expressions.
    fn creates(mut self, address: &str, after: Value, unknown: Value, expressions: Value) -> Self {
        self.changes.push(change(address, "create", after, unknown));
        if !address.starts_with("module.") {
            self.resources.push(configured(address, expressions));
        }
        self
    }

    /// A bucket of a name, of which the deploy tells the rest.
    fn bucket(self, name: &str, bucket: &str) -> Self {
        let unknown = json!({"id": true, "arn": true, "logging": true});
        let address = format!("aws_s3_bucket.{name}");
        let expressions = json!({"bucket": {"constant_value": bucket}});
        self.creates(&address, json!({"bucket": bucket}), unknown, expressions)
    }

    /// Logging from and to what is referred to.
    fn logging(self, name: &str, bucket: &[&str], target: &[&str]) -> Self {
        self.creates(
            &format!("aws_s3_bucket_logging.{name}"),
            json!({"target_prefix": "app/"}),
            json!({"bucket": true, "target_bucket": true}),
            json!({"bucket": {"references": bucket}, "target_bucket": {"references": target}}),
        )
    }

    /// A policy that is a document which is read during the deploy.
    fn policy(self, statements: Value, unknown: Value, expressions: Value) -> Self {
        let document = "data.aws_iam_policy_document.logs";
        let mut plan = self.creates(
            "aws_s3_bucket_policy.logs",
            json!({}),
            json!({"bucket": true, "policy": true}),
            json!({
                "bucket": {"references": ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"]},
                "policy": {"references": [format!("{document}.json"), document]},
            }),
        );
        plan.changes.push(change(
            document,
            "read",
            json!({"statement": statements}),
            json!({"json": true, "statement": unknown}),
        ));
        plan.resources.push(configured(document, expressions));
        plan
    }

    fn text(self) -> String {
        let mut root = self.root;
        root.insert("resources".to_owned(), self.resources.into());
        json!({
            "format_version": "1.2",
            "resource_changes": self.changes,
            "configuration": {"root_module": root},
        })
        .to_string()
    }

    fn report(self) -> Value {
        check(&self.text(), &[])
    }
}

/// The kind and the name of an address without a module.
fn parts(address: &str) -> (&str, String, String) {
    let (mode, rest) = match address.strip_prefix("data.") {
        Some(rest) => ("data", rest),
        None => ("managed", address),
    };
    let mut rest = rest;
    while let Some(inside) = rest.strip_prefix("module.") {
        (_, rest) = inside.split_once('.').expect("a resource in a module");
    }
    let (kind, name) = rest.split_once('.').expect("a kind and a name");
    let name = name.split('[').next().expect("a name");
    (mode, kind.to_owned(), name.to_owned())
}

fn change(address: &str, action: &str, after: Value, unknown: Value) -> Value {
    let (mode, kind, name) = parts(address);
    json!({
        "address": address, "mode": mode, "type": kind, "name": name,
        "change": {"actions": [action], "before": null, "after": after, "after_unknown": unknown},
    })
}

fn configured(address: &str, expressions: Value) -> Value {
    let (mode, kind, name) = parts(address);
    json!({"mode": mode, "type": kind, "name": name, "expressions": expressions})
}

fn check(plan: &str, arguments: &[&str]) -> Value {
    let output = feed(
        program()
            .args(["check", "--isolated", "-", "--format", "json"])
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))),
        plan.as_bytes(),
    );
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
}

/// The only edge's grant, and the codes of the findings and of what is undecided.
fn told(report: &Value) -> (String, Vec<String>, Vec<String>) {
    let codes = |list: &str| -> Vec<String> {
        let all = report[list].as_array().expect("a list");
        all.iter()
            .map(|each| each["code"].as_str().expect("a code").to_owned())
            .collect()
    };
    let grant = report["edges"][0]["grant"].as_str().expect("a grant").to_owned();
    (grant, codes("findings"), codes("undecided"))
}

/// Two buckets, and logging from one to the other.
fn app_to_logs() -> Plan {
    Plan::default()
        .bucket("app", "app-data")
        .bucket("logs", "amzn-s3-demo-logs")
        .logging(
            "app",
            &["aws_s3_bucket.app.id", "aws_s3_bucket.app"],
            &["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"],
        )
}

/// A statement whose resource the deploy tells.
fn open_resource(service: &str, condition: Value) -> (Value, Value, Value) {
    let statement = json!([{
        "effect": "Allow", "actions": ["s3:PutObject"], "resources": [null],
        "principals": [{"type": "Service", "identifiers": [service]}], "condition": condition,
    }]);
    let unknown = json!([{"resources": [true], "principals": [{"identifiers": [false]}]}]);
    let references = ["aws_s3_bucket.logs.arn", "aws_s3_bucket.logs"];
    let expressions = json!({"statement": [{"resources": {"references": references}}]});
    (statement, unknown, expressions)
}

#[test]
fn a_resource_that_the_deploy_tells_leaves_the_grant_open_and_is_no_fault() {
    let account =
        json!([{"test": "ArnLike", "variable": "aws:SourceArn", "values": ["arn:aws:s3:::app-data"]}]);
    let (statement, unknown, expressions) = open_resource("logging.s3.amazonaws.com", account);
    let report = app_to_logs().policy(statement, unknown, expressions).report();
    let (grant, findings, undecided) = told(&report);
    assert_eq!(grant, "unknown");
    // The most usual way to write it right is not flagged.
    assert_eq!(findings, ["S3L206"], "{report}");
    assert!(undecided.contains(&"S3L101".to_owned()), "{report}");
}

#[test]
fn what_no_deploy_can_repair_is_told_before_it() {
    let (other, unknown, expressions) = open_resource("delivery.logs.amazonaws.com", json!([]));
    let (grant, findings, _) = told(&app_to_logs().policy(other, unknown, expressions).report());
    assert_eq!((grant.as_str(), findings[0].as_str()), ("not-granted", "S3L101"));

    let elsewhere =
        json!([{"test": "ArnLike", "variable": "aws:SourceArn", "values": ["arn:aws:s3:::another"]}]);
    let (statement, unknown, expressions) = open_resource("logging.s3.amazonaws.com", elsewhere);
    let (grant, findings, _) = told(&app_to_logs().policy(statement, unknown, expressions).report());
    assert_eq!((grant.as_str(), findings[0].as_str()), ("not-granted", "S3L101"));
}

#[test]
fn a_role_that_the_deploy_makes_is_no_service() {
    let statement = json!([{
        "effect": "Allow", "actions": ["s3:*"], "resources": ["arn:aws:s3:::amzn-s3-demo-logs/*"],
        "principals": [{"type": "AWS", "identifiers": [null]}],
    }]);
    let unknown = json!([{"principals": [{"identifiers": [true]}]}]);
    let of = |reference: &str| {
        let expressions =
            json!({"statement": [{"principals": [{"identifiers": {"references": [reference]}}]}]});
        let report = app_to_logs()
            .policy(statement.clone(), unknown.clone(), expressions)
            .report();
        told(&report).0
    };
    assert_eq!(of("aws_iam_role.reader.arn"), "not-granted");
    assert_eq!(of("var.readers"), "unknown");
}

#[test]
fn a_grant_that_is_taken_up_perhaps_is_open() {
    let take_up = |parts: &[&str]| {
        let mut plan = app_to_logs().policy(json!([]), json!([]), json!({}));
        let names: Vec<String> = parts
            .iter()
            .map(|name| format!("data.aws_iam_policy_document.{name}[0].json"))
            .collect();
        for change in &mut plan.changes {
            if change["address"] == "data.aws_iam_policy_document.logs" {
                change["change"]["after_unknown"]["source_policy_documents"] = json!(true);
            }
        }
        for resource in &mut plan.resources {
            if resource["type"] == "aws_iam_policy_document" {
                resource["expressions"] = json!({"source_policy_documents": {"references": names}});
            }
        }
        for name in parts {
            let service = match *name {
                "grant" => "logging.s3.amazonaws.com",
                _ => "cloudtrail.amazonaws.com",
            };
            let (statement, unknown, _) = open_resource(service, json!([]));
            let address = format!("data.aws_iam_policy_document.{name}[0]");
            plan.changes.push(change(
                &address,
                "read",
                json!({"statement": statement}),
                json!({"json": true, "statement": unknown}),
            ));
            let mut resource = configured(&address, json!({}));
            resource["count_expression"] = json!({"constant_value": 1});
            plan.resources.push(resource);
        }
        told(&plan.report())
    };
    let (grant, findings, undecided) = take_up(&["grant", "trail"]);
    assert_eq!(grant, "unknown");
    // Nobody knows whether the statement without a source will be there.
    assert!(undecided.contains(&"S3L104".to_owned()), "{undecided:?}");
    assert_eq!(findings, ["S3L206"]);
    // Whichever of these is taken up, none grants.
    assert_eq!(take_up(&["trail", "config"]).0, "not-granted");
}

/// Where the only edge leads, if it is known.
fn target_of(report: &Value) -> Option<String> {
    let edges = report["edges"].as_array().expect("a list");
    assert_eq!(edges.len(), 1, "{report}");
    edges[0]["target"].as_str().map(str::to_owned)
}

#[test]
fn a_bucket_that_logs_to_itself_is_told_unless_another_is_named_after_it() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let bare = Plan::default()
        .bucket("app", "app-data")
        .logging("app", &own, &own);
    let report = bare.report();
    assert_eq!(target_of(&report).as_deref(), Some("app-data"));
    assert!(told(&report).1.contains(&"S3L001".to_owned()), "{report}");
    // `"${aws_s3_bucket.app.id}-logs"` has the same references.
    let named_after = Plan::default()
        .bucket("app", "app-data")
        .bucket("logs", "app-data-logs")
        .logging("app", &own, &own);
    let report = named_after.report();
    assert_eq!(target_of(&report), None);
    assert!(!told(&report).1.contains(&"S3L001".to_owned()), "{report}");
}

#[test]
fn the_source_tells_a_name_from_a_text_that_is_made_of_it() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let plan = || {
        let plan = Plan::default()
            .bucket("app", "app-data")
            .bucket("logs", "app-data-logs");
        plan.logging("app", &own, &own).text()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display().to_string();
    let written = |target: &str| {
        let text = format!("resource \"aws_s3_bucket_logging\" \"app\" {{\n  target_bucket = {target}\n}}\n");
        std::fs::write(folder.path().join("main.tf"), text).expect("a file");
        target_of(&check(&plan(), &["--source", &path]))
    };
    assert_eq!(written("aws_s3_bucket.app.id").as_deref(), Some("app-data"));
    assert_eq!(
        written("\"${aws_s3_bucket.app.id}\"").as_deref(),
        Some("app-data")
    );
    assert_ne!(
        written("\"${aws_s3_bucket.app.id}-logs\"").as_deref(),
        Some("app-data")
    );
}

/// Three buckets by number, and as many resources that configure logging from one number to another.
fn counted(buckets: usize, loggings: usize) -> Vec<Option<String>> {
    let mut plan = Plan::default();
    for number in 0..buckets {
        let name = json!({"bucket": format!("amzn-s3-demo-{number}")});
        let address = format!("aws_s3_bucket.b[{number}]");
        plan.changes
            .push(change(&address, "create", name, json!({"id": true})));
        let name = json!({"bucket": format!("amzn-s3-demo-logs-{number}")});
        let address = format!("aws_s3_bucket.logs[{number}]");
        plan.changes
            .push(change(&address, "create", name, json!({"id": true})));
    }
    for number in 0..loggings {
        plan.changes.push(change(
            &format!("aws_s3_bucket_logging.l[{number}]"),
            "create",
            json!({"target_prefix": "p/"}),
            json!({"bucket": true, "target_bucket": true}),
        ));
    }
    for (address, expressions) in [
        ("aws_s3_bucket.b", json!({})),
        ("aws_s3_bucket.logs", json!({})),
        (
            "aws_s3_bucket_logging.l",
            json!({
                "bucket": {"references": ["aws_s3_bucket.b", "count.index"]},
                "target_bucket": {"references": ["aws_s3_bucket.logs", "count.index"]},
            }),
        ),
    ] {
        let mut resource = configured(address, expressions);
        resource["count_expression"] = json!({"references": ["var.how_many"]});
        plan.resources.push(resource);
    }
    let report = plan.report();
    let edges = report["edges"].as_array().expect("a list");
    edges
        .iter()
        .map(|edge| edge["target"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn an_index_is_the_own_number_where_there_are_as_many() {
    let named = |number: usize| Some(format!("amzn-s3-demo-logs-{number}"));
    assert_eq!(counted(2, 2), [named(0), named(1)]);
    // `[count.index + 1]` has the same references, and needs one more.
    assert!(counted(3, 2).iter().all(Option::is_none));
}

#[test]
fn a_key_beside_a_whole_reference_is_a_part_of_the_text() {
    let key_of = |beside: &str| {
        let plan = Plan::default()
            .bucket("app", "app-data")
            .bucket("logs", "amzn-s3-demo-logs");
        let target = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs", beside];
        let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
        target_of(&plan.logging("app", &own, &target).report())
    };
    for beside in ["each.key", "count.index", "terraform.workspace", "path.module"] {
        assert_eq!(key_of(beside), None, "{beside}");
    }
}

#[test]
fn an_output_that_the_index_hides_is_found_where_only_one_can_be_a_name() {
    let of = |outputs: Value| {
        let mut plan = Plan::default();
        for key in ["eu", "us"] {
            for name in ["this", "other"] {
                let address = format!("module.site[\"{key}\"].aws_s3_bucket.{name}");
                let bucket = json!({"bucket": format!("amzn-s3-demo-{name}-{key}")});
                plan = plan.creates(&address, bucket, json!({"id": true}), json!({}));
            }
            plan.changes.push(change(
                &format!("aws_s3_bucket_logging.site[\"{key}\"]"),
                "create",
                json!({"bucket": format!("app-data-{key}"), "target_prefix": ""}),
                json!({"target_bucket": true}),
            ));
        }
        let mut logging = configured(
            "aws_s3_bucket_logging.site",
            json!({"target_bucket": {"references": ["module.site", "each.key"]}}),
        );
        logging["for_each_expression"] = json!({});
        plan.resources.push(logging);
        let inside = [
            configured("aws_s3_bucket.this", json!({})),
            configured("aws_s3_bucket.other", json!({})),
        ];
        let call = json!({"site": {
            "for_each_expression": {},
            "module": {"outputs": outputs, "resources": inside},
        }});
        plan.root.insert("module_calls".to_owned(), call);
        let report = plan.report();
        let edges = report["edges"].as_array().expect("a list").clone();
        edges
            .iter()
            .map(|edge| edge["target"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let id = json!({"expression": {"references": ["aws_s3_bucket.this.id", "aws_s3_bucket.this"]}});
    let arn = json!({"expression": {"references": ["aws_s3_bucket.this.arn", "aws_s3_bucket.this"]}});
    let other = json!({"expression": {"references": ["aws_s3_bucket.other.id", "aws_s3_bucket.other"]}});
    let found = [
        Some("amzn-s3-demo-this-eu".to_owned()),
        Some("amzn-s3-demo-this-us".to_owned()),
    ];
    assert_eq!(of(json!({"id": id, "arn": arn})), found);
    assert_eq!(of(json!({"id": id, "other_id": other})), [None, None]);
}

#[test]
fn the_id_of_what_configures_a_bucket_is_its_name_only_without_an_owner() {
    let of = |kind: &str, after: Value, attribute: &str| {
        let address = format!("{kind}.logs");
        let plan = Plan::default()
            .bucket("app", "app-data")
            .bucket("logs", "amzn-s3-demo-logs");
        let plan = plan.creates(
            &address,
            after,
            json!({"bucket": true, "id": true}),
            json!({"bucket": {"references": ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"]}}),
        );
        let reference = format!("{address}.{attribute}");
        let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
        target_of(&plan.logging("app", &own, &[&reference, &address]).report())
    };
    let logs = Some("amzn-s3-demo-logs".to_owned());
    let owned = || json!({"expected_bucket_owner": "111122223333"});
    assert_eq!(of("aws_s3_bucket_versioning", json!({}), "id"), logs);
    assert_eq!(of("aws_s3_bucket_versioning", owned(), "bucket"), logs);
    assert_eq!(of("aws_s3_bucket_versioning", owned(), "id"), None);
    // `BUCKET,ACL`
    assert_eq!(of("aws_s3_bucket_acl", json!({}), "id"), None);
}

/// What `check` says of a plan beside the files that it was made of: each a path and a text.
fn beside(plan: &str, files: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let folder = folder.path().display().to_string();
    check(plan, &["--source", &folder])
}

#[test]
fn the_source_tells_how_a_target_is_put_together() {
    let mut plan = Plan::default().bucket("app", "app-data");
    let bucket = json!({"bucket": "amzn-s3-demo-logs"});
    plan = plan.creates("aws_s3_bucket.logs[0]", bucket, json!({"id": true}), json!({}));
    plan = plan.creates(
        "aws_s3_bucket.unnamed",
        json!({}),
        json!({"bucket": true, "id": true}),
        json!({}),
    );
    plan.resources[1]["count_expression"] = json!({"constant_value": 1});
    plan.root.insert(
        "variables".to_owned(),
        json!({"env": {"default": "prod"}, "hidden": {"default": "amzn-s3-demo-hidden", "sensitive": true},
            "names": {"default": ["z-bucket", "amzn-s3-demo-logs"]}, "list": {"default": ["amzn-s3-demo-logs", "a-bucket"]},
            "log": {"default": {"bucket": null}}}),
    );
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let plan = plan.logging("app", &own, &["local.anything"]).text();
    let target = |expression: &str| {
        let main = format!(
            "variable \"env\" {{}}
             variable \"hidden\" {{ sensitive = true }}
             variable \"names\" {{ type = set(string) }}
             variable \"list\" {{ type = list(string) }}
             variable \"log\" {{ type = object({{ bucket = optional(string, \"a-default\") }}) }}
             locals {{
               logs   = aws_s3_bucket.logs[0].id
               by_env = {{ prod = local.logs, dev = aws_s3_bucket.app.id }}
               round  = local.about
               about  = local.round
               twice  = 1
             }}
             locals {{ twice = 2 }}
             resource \"aws_s3_bucket_logging\" \"app\" {{
               bucket        = aws_s3_bucket.app.id
               target_bucket = {expression}
             }}"
        );
        target_of(&beside(&plan, &[("main.tf", &main)]))
    };
    let logs = Some("amzn-s3-demo-logs".to_owned());
    for expression in [
        "local.logs",
        "\"${local.logs}\"",
        "(local.by_env[var.env])",
        "local.by_env.prod",
        "lookup(local.by_env, var.env)",
        "var.env == \"prod\" ? local.logs : aws_s3_bucket.app.id",
        "one(aws_s3_bucket.logs[*].id)",
        "aws_s3_bucket.logs.*.id[0]",
        "element(concat(aws_s3_bucket.logs[*].id, [aws_s3_bucket.app.id]), 0)",
        "[for bucket in aws_s3_bucket.logs : bucket.id if var.env != \"dev\"][0]",
        "coalesce(null, local.logs)",
        "try(local.logs, \"\")",
        "format(\"%s-%s\", \"amzn-s3\", \"demo-logs\")",
        "\"amzn-s3-demo-${join(\"-\", [\"logs\"])}\"",
        "replace(\"amzn-s3-demo-app\", \"app\", \"logs\")",
        "tolist(var.names)[0]",
        "var.list[0]",
        "[for name in var.names : name][0]",
    ] {
        assert_eq!(target(expression), logs, "{expression}");
    }
    assert_eq!(
        target("aws_s3_bucket.unnamed.id").as_deref(),
        Some("aws_s3_bucket.unnamed")
    );
    // What isn't known, and what isn't understood.
    for expression in [
        "\"${aws_s3_bucket.unnamed.id}-logs\"",
        "local.round",
        "local.twice",
        "local.missing",
        "var.hidden",
        "coalesce(var.log.bucket, \"a-bucket\")",
        "[for number, name in var.names : number == 0 ? \"a-bucket\" : name][0]",
        "terraform.workspace",
        "sha1(local.logs)",
        "aws_s3_bucket.logs[1].id",
        "\"%{ if true }${local.logs}%{ endif }\"",
        "<<-EOT\n  ${aws_s3_bucket.unnamed.id}\nEOT\n",
    ] {
        assert_eq!(target(expression), None, "{expression}");
    }
}

#[test]
fn a_file_that_is_not_read_may_override_what_the_source_tells() {
    let logs = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"];
    let plan = app_to_logs()
        .creates(
            "aws_s3_bucket_policy.logs",
            json!({}),
            json!({"bucket": true, "policy": true}),
            json!({"bucket": {"references": logs}, "policy": {"references": ["local.grant"]}}),
        )
        .text();
    let main = "locals {
          grant = {
            Effect = \"Allow\", Principal = { Service = \"logging.s3.amazonaws.com\" }, Action = \"s3:PutObject\",
            Resource = \"arn:aws:s3:::amzn-s3-demo-logs/*\"
          }
        }
        resource \"aws_s3_bucket_policy\" \"logs\" {
          bucket = aws_s3_bucket.logs.id
          policy = jsonencode({ Version = \"2012-10-17\", Statement = [local.grant] })
        }";
    let grant = |name: &str, text: &str| told(&beside(&plan, &[("main.tf", main), (name, text)])).0;
    let overrides = r#"{"locals": {"grant": {"Effect": "Deny"}}}"#;
    assert_eq!(grant("other.tf", ""), "allowed");
    for (name, text) in [
        ("override.tf.json", overrides),
        ("override.tofu.json", overrides),
        ("override.tf", "locals { grant = ??? }"),
        ("override.tf", "locals { grant = { Effect = \"Deny\" } }"),
    ] {
        assert_eq!(grant(name, text), "unknown", "{name}: {text}");
    }
    // Neither of these is read by Terraform.
    assert_eq!(grant(".override.tf.json", overrides), "allowed");
    assert_eq!(grant("override.json", overrides), "allowed");
}

#[test]
fn a_value_is_what_its_declared_type_makes_of_it() {
    let logs = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"];
    let grant = |declared: &str, value: Value, condition: &str| {
        let mut plan = app_to_logs().creates(
            "aws_s3_bucket_policy.logs",
            json!({}),
            json!({"bucket": true, "policy": true}),
            json!({"bucket": {"references": logs}, "policy": {"references": ["var.of"]}}),
        );
        plan.root
            .insert("variables".to_owned(), json!({"of": {"default": value}}));
        let main = format!(
            "variable \"of\" {{ type = {declared} }}
             locals {{
               grant = {{
                 Effect = \"Allow\", Principal = {{ Service = \"logging.s3.amazonaws.com\" }}, Action = \"s3:PutObject\",
                 Resource = \"arn:aws:s3:::amzn-s3-demo-logs/*\"
               }}
               deny = {{ Effect = \"Deny\", Principal = \"*\", Action = \"s3:*\", Resource = local.grant.Resource }}
             }}
             resource \"aws_s3_bucket_policy\" \"logs\" {{
               bucket = aws_s3_bucket.logs.id
               policy = jsonencode({{
                 Version = \"2012-10-17\", Statement = [{condition} ? local.grant : local.deny]
               }})
             }}"
        );
        told(&beside(&plan.text(), &[("main.tf", &main)])).0
    };
    let many = json!({"a": "1", "b": "2"});
    let text = "var.of == \"5\"";
    for (declared, value, condition, expected) in [
        // An object loses what its type doesn't name.
        ("any", many.clone(), "length(var.of) > 1", "allowed"),
        ("map(string)", many.clone(), "length(var.of) > 1", "allowed"),
        (
            "object({ a = string })",
            many.clone(),
            "length(var.of) > 1",
            "denied",
        ),
        (
            "object({ a = string })",
            many.clone(),
            "var.of.a == \"1\"",
            "allowed",
        ),
        // A default may stand there.
        (
            "object({ a = string, c = optional(string, \"3\") })",
            many.clone(),
            "var.of.c == null",
            "unknown",
        ),
        (
            "object({ a = string, c = optional(string, \"3\") })",
            many,
            "length(var.of) == 2",
            "allowed",
        ),
        ("string", json!("5"), text, "allowed"),
        ("string", json!(5), text, "allowed"),
        ("number", json!("5"), text, "unknown"),
        ("number", json!(5), "var.of == 5", "allowed"),
        ("bool", json!("true"), "var.of", "unknown"),
        ("bool", json!(true), "var.of", "allowed"),
        ("list(string)", json!([9, "10"]), "var.of[0] == \"9\"", "allowed"),
        ("list(any)", json!([9, "10"]), "var.of[0] == 9", "unknown"),
        ("list(any)", json!(["9", "10"]), "var.of[0] == \"9\"", "allowed"),
        ("list(any)", json!([9, 10]), "tolist(var.of)[0] == 9", "allowed"),
        (
            "set(string)",
            json!([10, 9]),
            "tolist(var.of)[0] == \"10\"",
            "allowed",
        ),
        (
            "set(number)",
            json!([10, 9]),
            "tolist(var.of)[0] == \"10\"",
            "unknown",
        ),
        (
            "any",
            json!([10, 9]),
            "tolist(toset(var.of))[0] == \"10\"",
            "unknown",
        ),
        ("any", json!([10, "9"]), "tolist(var.of)[0] == 10", "unknown"),
        ("tuple([string])", json!(["9"]), "var.of[0] == \"9\"", "unknown"),
        (
            "list(object({ a = string }))",
            json!([{"a": 1, "b": 2}]),
            "length(var.of[0]) == 1",
            "allowed",
        ),
    ] {
        let told = grant(declared, value, condition);
        assert_eq!(told, expected, "{declared}: {condition}");
    }
}

#[test]
fn the_source_tells_which_instance_an_index_means() {
    let mut plan = Plan::default();
    for number in 0..3 {
        let name = json!({"bucket": format!("amzn-s3-demo-{number}")});
        let address = format!("aws_s3_bucket.b[{number}]");
        plan.changes
            .push(change(&address, "create", name, json!({"id": true})));
    }
    plan.changes.push(change(
        "aws_s3_bucket_logging.l[1]",
        "create",
        json!({"bucket": "app-data", "target_prefix": ""}),
        json!({"target_bucket": true}),
    ));
    let references = json!({"target_bucket": {"references": ["aws_s3_bucket.b", "count.index"]}});
    for (address, expressions) in [
        ("aws_s3_bucket.b", json!({})),
        ("aws_s3_bucket_logging.l", references),
    ] {
        let mut resource = configured(address, expressions);
        resource["count_expression"] = json!({});
        plan.resources.push(resource);
    }
    let plan = plan.text();
    let target = |index: &str| {
        let main = format!(
            "resource \"aws_s3_bucket_logging\" \"l\" {{\n  target_bucket = aws_s3_bucket.b[{index}].id\n}}\n"
        );
        target_of(&beside(&plan, &[("main.tf", &main)]))
    };
    assert_eq!(target("count.index").as_deref(), Some("amzn-s3-demo-1"));
    assert_eq!(target("count.index + 1").as_deref(), Some("amzn-s3-demo-2"));
    assert_eq!(target("(count.index + 2) % 3").as_deref(), Some("amzn-s3-demo-0"));
    assert_eq!(target("tonumber(file(\"number\"))"), None);
}

#[test]
fn the_source_leads_through_modules() {
    let mut plan = Plan::default();
    for key in ["eu", "us"] {
        let address = format!("module.site[\"{key}\"].aws_s3_bucket.this");
        plan.changes.push(change(
            &address,
            "create",
            json!({}),
            json!({"bucket": true, "id": true}),
        ));
        plan.changes.push(change(
            &format!("module.site[\"{key}\"].module.logging.aws_s3_bucket_logging.this"),
            "create",
            json!({}),
            json!({"bucket": true, "target_bucket": true, "target_prefix": true}),
        ));
    }
    let logging = configured(
        "aws_s3_bucket_logging.this",
        json!({
            "bucket": {"references": ["var.of"]}, "target_bucket": {"references": ["var.to"]},
        }),
    );
    let inner = json!({"logging": {"module": {"resources": [logging], "variables": {"of": {}, "to": {}, "key": {}}}}});
    let call = json!({"site": {"for_each_expression": {}, "module": {
        "resources": [configured("aws_s3_bucket.this", json!({}))],
        "module_calls": inner,
        "variables": {"to": {}, "key": {}},
    }}});
    plan.root.insert("module_calls".to_owned(), call);
    let report = beside(
        &plan.text(),
        &[
            (
                "main.tf",
                "module \"site\" {
                   source   = \"./site\"
                   for_each = { eu = \"us\", us = \"amzn-s3-demo-logs\" }
                   to       = each.value == \"us\" ? module.site[each.value].id : each.value
                   key      = each.key
                 }",
            ),
            (
                "site/main.tf",
                "variable \"to\" {}
                 variable \"key\" {}
                 resource \"aws_s3_bucket\" \"this\" {}
                 module \"logging\" {
                   source = \"../logging\"
                   of     = { name = aws_s3_bucket.this.id, more = [] }
                   to     = var.to
                   key    = var.key
                 }
                 output \"id\" { value = aws_s3_bucket.this.id }",
            ),
            (
                "logging/main.tf",
                "variable \"of\" { type = object({ name = string, more = list(string) }) }
                 variable \"to\" {}
                 variable \"key\" {}
                 resource \"aws_s3_bucket_logging\" \"this\" {
                   bucket        = var.of.name
                   target_bucket = var.to
                   target_prefix = \"${var.key}/\"
                 }",
            ),
        ],
    );
    let edges: Vec<[&str; 3]> = report["edges"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|edge| ["source", "target", "prefix"].map(|name| edge[name].as_str().unwrap_or_default()))
        .collect();
    let (eu, us) = (
        "module.site[\"eu\"].aws_s3_bucket.this",
        "module.site[\"us\"].aws_s3_bucket.this",
    );
    assert_eq!(edges, [[eu, us, "eu/"], [us, "amzn-s3-demo-logs", "us/"]]);
}

#[test]
fn the_source_tells_a_policy_that_is_put_together() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let mut plan = Plan::default().bucket("app", "app-data");
    let unnamed = json!({"bucket": true, "id": true, "arn": true});
    let logs = "aws_s3_bucket.logs[\"eu\"]";
    plan.changes.push(change(logs, "create", json!({}), unnamed));
    let mut many = configured("aws_s3_bucket.logs", json!({}));
    many["for_each_expression"] = json!({});
    plan.resources.push(many);
    let target = [
        "aws_s3_bucket.logs[\"eu\"].id",
        "aws_s3_bucket.logs[\"eu\"]",
        "aws_s3_bucket.logs",
    ];
    let plan = plan.logging("app", &own, &target).creates(
        "aws_s3_bucket_policy.logs",
        json!({}),
        json!({"bucket": true, "policy": true}),
        json!({"bucket": {"references": target}, "policy": {"references": ["aws_s3_bucket.logs"]}}),
    );
    let plan = plan.text();
    let grant = |policy: &str| {
        let main = format!(
            "locals {{ arn = aws_s3_bucket.logs[\"eu\"].arn }}
             resource \"aws_s3_bucket_policy\" \"logs\" {{\n  policy = {policy}\n}}"
        );
        told(&beside(&plan, &[("main.tf", &main)])).0
    };
    let statement = |resource: &str, more: &str| {
        format!(
            "{{ Effect = \"Allow\", Principal = {{ Service = \"logging.s3.amazonaws.com\" }}, Action = \"s3:PutObject\",
                Resource = {resource}{more} }}"
        )
    };
    let encoded =
        |statement: &str| format!("jsonencode({{ Version = \"2012-10-17\", Statement = [{statement}] }})");
    let whole = "\"${local.arn}/*\"";
    assert_eq!(grant(&encoded(&statement(whole, ""))), "allowed");
    assert_eq!(
        grant(&encoded(&statement("\"${local.arn}/app/*\"", ""))),
        "allowed"
    );
    assert_eq!(
        grant(&encoded(&statement("\"${local.arn}/other/*\"", ""))),
        "not-granted"
    );
    assert_eq!(grant(&encoded(&statement("local.arn", ""))), "not-granted");
    let source = |arn: &str| format!(", Condition = {{ ArnLike = {{ \"aws:SourceArn\" = {arn} }} }}");
    assert_eq!(
        grant(&encoded(&statement(whole, &source("aws_s3_bucket.app.arn")))),
        "allowed"
    );
    assert_eq!(
        grant(&encoded(&statement(whole, &source("local.arn")))),
        "not-granted"
    );
    // What isn't understood leaves open only what it stands for.
    for open in ["sha1(local.arn)", "[for each in var.sources : each.arn]"] {
        assert_eq!(
            grant(&encoded(&statement(whole, &source(open)))),
            "unknown",
            "{open}"
        );
        assert_eq!(
            grant(&encoded(&statement("\"${local.arn}/other/*\"", &source(open)))),
            "not-granted"
        );
    }
    assert_eq!(grant(&encoded("sha1(local.arn)")), "unknown");
    assert_eq!(
        grant("templatefile(\"policy.json\", { arn = local.arn })"),
        "unknown"
    );
    let heredoc = |resource: &str| {
        grant(&format!(
            "<<-EOT\n{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Principal\":{{\"Service\":
            \"logging.s3.amazonaws.com\"}},\"Action\":\"s3:PutObject\",\"Resource\":\"{resource}\"}}}}\nEOT\n"
        ))
    };
    assert_eq!(heredoc("${local.arn}/*"), "allowed");
    // A variable of IAM is none of Terraform.
    assert_eq!(heredoc("${local.arn}/$${aws:SourceAccount}/*"), "unknown");
    assert_eq!(heredoc("${local.arn}/b/*"), "not-granted");
}

#[test]
fn the_source_tells_the_leaves_of_a_document() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let logs = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"];
    let statements = json!([{
        "actions": ["s3:PutObject"], "resources": [null],
        "principals": [{"type": "Service", "identifiers": ["logging.s3.amazonaws.com"]}],
        // A set is in an order of its own.
        "condition": [
            {"test": "StringEquals", "variable": "aws:SourceAccount", "values": ["111122223333"]},
            {"test": "ArnLike", "variable": "aws:SourceArn", "values": [null]},
        ],
    }]);
    let unknown = json!([{"resources": [true], "condition": [{"values": [false]}, {"values": [true]}]}]);
    let plan = Plan::default()
        .bucket("app", "app-data")
        .bucket("logs", "amzn-s3-demo-logs")
        .logging("app", &own, &logs)
        .policy(statements, unknown, json!({}))
        .text();
    let grant = |resources: &str, source: &str| {
        let main = format!(
            "data \"aws_iam_policy_document\" \"logs\" {{
               statement {{
                 resources = {resources}
                 condition {{
                   test     = \"ArnLike\"
                   variable = \"aws:SourceArn\"
                   values   = {source}
                 }}
                 condition {{
                   test     = \"StringEquals\"
                   variable = \"aws:SourceAccount\"
                   values   = [var.account]
                 }}
               }}
             }}
             provider \"aws\" {{ allowed_account_ids = [\"111122223333\"] }}"
        );
        told(&beside(&plan, &[("main.tf", &main)])).0
    };
    let whole = "[\"${aws_s3_bucket.logs.arn}/*\"]";
    // Which account it is deployed to, this plan doesn't tell.
    assert_eq!(grant(whole, "[aws_s3_bucket.app.arn]"), "unknown");
    assert_eq!(grant(whole, "[aws_s3_bucket.logs.arn]"), "not-granted");
    assert_eq!(
        grant("[aws_s3_bucket.app.arn]", "[aws_s3_bucket.app.arn]"),
        "malformed"
    );
    assert_eq!(
        grant("[\"${aws_s3_bucket.logs.arn}/b/*\"]", "[sha1(\"x\")]"),
        "not-granted"
    );
}

#[test]
fn a_dynamic_block_is_seen_in_the_source_alone() {
    let plan = || {
        let unknown = json!({"id": true, "logging": true});
        Plan::default()
            .bucket("logs", "amzn-s3-demo-logs")
            .creates(
                "aws_s3_bucket.app",
                json!({"bucket": "app-data"}),
                unknown,
                json!({}),
            )
            .text()
    };
    let undecided = |for_each: &str| {
        let main = format!(
            "resource \"aws_s3_bucket\" \"app\" {{
               bucket = \"app-data\"
               dynamic \"logging\" {{
                 for_each = {for_each}
                 content {{ target_bucket = aws_s3_bucket.logs.id }}
               }}
             }}"
        );
        let report = beside(&plan(), &[("main.tf", &main)]);
        let list = report["undecided"].as_array().expect("a list").clone();
        let flagged = report["findings"].as_array().expect("a list").clone();
        let is_ours = |each: &&Value| each["code"] == "S3L009" && each["bucket"] == "app-data";
        (
            list.iter().filter(is_ours).count(),
            flagged.iter().filter(is_ours).count(),
        )
    };
    assert_eq!(undecided("aws_s3_bucket.logs[*].arn"), (1, 0));
    assert_eq!(undecided("sort(var.where)"), (1, 0));
    assert_eq!(undecided("[]"), (0, 1));
}

/// What Terraform knew before: logging from one bucket to another, which allows it.
fn known_before() -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::app-data"}},
    }]});
    let values = |address: &str, values: Value| {
        let (mode, kind, name) = parts(address);
        json!({"address": address, "mode": mode, "type": kind, "name": name, "values": values})
    };
    json!({"values": {"root_module": {"resources": [
        values("aws_s3_bucket.app", json!({"bucket": "app-data", "policy": ""})),
        values("aws_s3_bucket.logs", json!({"bucket": "amzn-s3-demo-logs", "policy": ""})),
        values(
            "aws_s3_bucket_logging.app",
            json!({"bucket": "app-data", "target_bucket": "amzn-s3-demo-logs", "target_prefix": "app/"}),
        ),
        values("aws_s3_bucket_policy.logs", json!({"bucket": "amzn-s3-demo-logs", "policy": policy.to_string()})),
    ]}}})
}

#[test]
fn what_a_targeted_plan_does_not_name_stays_as_it_was() {
    let bucket = json!({"bucket": "amzn-s3-demo-logs", "policy": ""});
    let mut change = change("aws_s3_bucket.logs", "no-op", bucket.clone(), json!({}));
    change["change"]["before"] = bucket;
    let plan = json!({
        "format_version": "1.2",
        "complete": false,
        "resource_changes": [change],
        "prior_state": known_before(),
    });
    let report = check(&plan.to_string(), &[]);
    assert_eq!(told(&report), ("allowed".to_owned(), Vec::new(), Vec::new()));
    // And it is nothing new.
    let report = check(&plan.to_string(), &["--new-only"]);
    assert_eq!(report["findings"], json!([]));
}

#[test]
fn a_plan_that_only_looks_again_is_a_state() {
    let plan = json!({
        "format_version": "1.2",
        "planned_values": {"root_module": {}},
        "prior_state": known_before(),
    });
    let (grant, findings, _) = told(&check(&plan.to_string(), &[]));
    assert_eq!((grant.as_str(), findings), ("allowed", Vec::new()));
    let report = check(&plan.to_string(), &["--new-only"]);
    assert_eq!(report["findings"], json!([]));
}

#[test]
fn the_name_of_a_sensitive_bucket_is_hidden_in_what_is_made_of_it() {
    let mut state = known_before()["values"].clone();
    for (number, resource) in state["root_module"]["resources"]
        .as_array_mut()
        .expect("a list")
        .iter_mut()
        .enumerate()
    {
        resource["values"]["arn"] = json!("arn:aws:s3:::amzn-s3-demo-logs");
        if number == 1 {
            resource["sensitive_values"] = json!({"bucket": true});
            resource["values"]["request_payer"] = json!("Requester");
        }
    }
    let state = json!({"format_version": "1.0", "values": state}).to_string();
    let report = check(&state, &[]);
    assert!(!report.to_string().contains("amzn-s3-demo-logs"), "{report}");
    // It is compared all the same.
    assert_eq!(report["edges"][0]["target"], "aws_s3_bucket.logs");
    assert_eq!(report["edges"][0]["grant"], "allowed");
    let shown = stdout(&feed(
        program().args(["check", "--isolated", "-"]),
        state.as_bytes(),
    ));
    assert!(
        shown.contains("S3L205") && !shown.contains("amzn-s3-demo-logs"),
        "{shown}"
    );
}

#[test]
fn the_source_tells_the_leaves_of_dynamic_statements() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let logs = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"];
    let statement = |service: &str| {
        json!({
            "actions": ["s3:PutObject"], "resources": [null],
            "principals": [{"type": "Service", "identifiers": [service]}],
        })
    };
    let statements = json!([
        statement("cloudtrail.amazonaws.com"),
        statement("logging.s3.amazonaws.com")
    ]);
    let unknown = json!([{"resources": [true]}, {"resources": [true]}]);
    let plan = Plan::default()
        .bucket("app", "app-data")
        .bucket("logs", "amzn-s3-demo-logs")
        .creates(
            "aws_s3_bucket_versioning.logs",
            json!({}),
            json!({"bucket": true, "id": true}),
            json!({"bucket": {"references": logs}}),
        )
        .logging("app", &own, &logs)
        .policy(statements, unknown, json!({}))
        .text();
    let grant = |prefix: &str| {
        let main = format!(
            "locals {{ where = {{ b = \"{prefix}\", a = \"trail/\" }} }}
             resource \"aws_s3_bucket_versioning\" \"logs\" {{ bucket = aws_s3_bucket.logs.id }}
             data \"aws_iam_policy_document\" \"logs\" {{
               dynamic \"statement\" {{
                 for_each = local.where
                 iterator = each_of
                 content {{
                   resources = [\"arn:aws:s3:::${{aws_s3_bucket_versioning.logs.id}}/${{each_of.value}}*\"]
                 }}
               }}
             }}"
        );
        told(&beside(&plan, &[("main.tf", &main)])).0
    };
    // The elements of a map are in the order of its keys.
    assert_eq!(grant("app/"), "allowed");
    assert_eq!(grant("other/"), "not-granted");
}

#[test]
fn no_source_makes_it_run_away() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let mut plan = Plan::default().bucket("app", "app-data");
    for number in 0..30 {
        let address = format!("aws_s3_bucket.chain{number}");
        plan = plan.creates(
            &address,
            json!({}),
            json!({"bucket": true, "id": true}),
            json!({}),
        );
    }
    let plan = plan.logging("app", &own, &["local.l0"]).text();
    let target = |locals: String, expression: &str| {
        let chain: String = (0..30)
            .map(|number| {
                let next = (number + 1) % 30;
                format!(
                    "resource \"aws_s3_bucket\" \"chain{number}\" {{
                       bucket = [for a in [1, 2, 3, 4, 5, 6] : \"${{aws_s3_bucket.chain{next}.id}}-${{a}}\"][0]
                     }}\n"
                )
            })
            .collect();
        let main = format!(
            "{chain}\nlocals {{\n{locals}\n}}\nresource \"aws_s3_bucket_logging\" \"app\" {{
               bucket = aws_s3_bucket.app.id
               target_bucket = {expression}
             }}"
        );
        target_of(&beside(&plan, &[("main.tf", &main)]))
    };
    let levels = |each: fn(usize) -> String| (0..60).map(each).collect::<Vec<_>>().join("\n");
    let doubled = levels(|n| format!("l{n} = [local.l{0}, local.l{0}]", n + 1)) + "\nl60 = [1, 2]";
    assert_eq!(target(doubled, "join(\"\", flatten(local.l20))"), None);
    let texts = levels(|n| format!("l{n} = \"${{local.l{0}}}${{local.l{0}}}\"", n + 1)) + "\nl60 = \"xy\"";
    assert_eq!(target(texts, "local.l22"), None);
    let wide = (0..2_000).map(|n| format!("{n},")).collect::<String>();
    let loops = "[for a in local.l0 : [for b in local.l0 : [for c in local.l0 : local.l0]]][0]";
    assert_eq!(target(format!("l0 = [{wide}]"), loops), None);
    assert_eq!(
        target("l0 = 1".to_owned(), "aws_s3_bucket.chain0.id").as_deref(),
        Some("aws_s3_bucket.chain0")
    );
    let deep = format!("{}local.l0{}", "(".repeat(60), ")".repeat(60));
    assert_eq!(target("l0 = \"a-bucket\"".to_owned(), &deep), None);
    let shallow = format!("{}local.l0{}", "(".repeat(20), ")".repeat(20));
    assert_eq!(
        target("l0 = \"a-bucket\"".to_owned(), &shallow).as_deref(),
        Some("a-bucket")
    );
}

/// A grant to the log service on the logs bucket, from one bucket.
fn granted_to(source: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::amzn-s3-demo-logs/*",
            "Condition": {"ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{source}")}},
        }],
    })
}

#[test]
fn providers_are_of_one_account_only_where_their_credentials_are_written_out() {
    let report = |role: fn(&str) -> Value, known: Option<&str>| {
        let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
        let logs = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"];
        let mut plan = Plan::default()
            .bucket("app", "app-data")
            .bucket("logs", "amzn-s3-demo-logs")
            .logging("app", &own, &logs)
            .creates(
                "aws_s3_bucket_policy.logs",
                json!({"bucket": "amzn-s3-demo-logs", "policy": granted_to("app-data").to_string()}),
                json!({}),
                json!({}),
            );
        for resource in &mut plan.resources {
            let is_of_logs = resource["name"] == "logs";
            resource["provider_config_key"] = if is_of_logs { "aws.logs" } else { "aws" }.into();
        }
        let identity = "data.aws_caller_identity.own";
        let mut configured = configured(identity, json!({}));
        configured["provider_config_key"] = "aws".into();
        plan.resources.push(configured);
        if let Some(account) = known {
            let read = change(identity, "read", json!({"account_id": account}), json!({}));
            plan.changes.push(read);
        }
        plan.root
            .insert("variables".to_owned(), json!({"role": {"default": "deployer"}}));
        let mut whole: Value = serde_json::from_str(&plan.text()).expect("a plan");
        let provider = |key: &str| {
            let region = json!({"constant_value": "eu-west-1"});
            json!({"name": "aws", "expressions": {"region": region, "assume_role": [{"role_arn": role(key)}]}})
        };
        whole["configuration"]["provider_config"] =
            json!({"aws": provider("aws"), "aws.logs": provider("aws.logs")});
        check(&whole.to_string(), &[])
    };
    let verdict = |role: fn(&str) -> Value, known: Option<&str>| {
        let report = report(role, known);
        let verdict = report["edges"][0]["verdict"].as_str().expect("a verdict");
        verdict.to_owned()
    };
    // `"arn:aws:iam::111122223333:role/${var.role}"` and the same of another account.
    let open = |_: &str| json!({"references": ["var.role"]});
    let called = |_: &str| json!({});
    let same = |_: &str| json!({"constant_value": "arn:aws:iam::111122223333:role/deployer"});
    let differing = |key: &str| match key {
        "aws" => json!({"constant_value": "arn:aws:iam::111122223333:role/deployer"}),
        _ => json!({"constant_value": "arn:aws:iam::444455556666:role/deployer"}),
    };
    for known in [None, Some("111122223333")] {
        assert_eq!(verdict(open, known), "unknown");
        assert_eq!(verdict(called, known), "unknown");
        assert_eq!(verdict(same, known), "delivers");
        assert_eq!(verdict(differing, known), "blocked");
        // Nobody can say that no bucket logs to the one that a bucket names.
        let (_, findings, _) = told(&report(open, known));
        assert!(!findings.contains(&"S3L010".to_owned()), "{findings:?}");
    }
}

#[test]
fn what_the_deploy_deletes_is_no_instance() {
    let own = ["aws_s3_bucket.app.id", "aws_s3_bucket.app"];
    let logs = ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"];
    let verdicts = |statements: &str, more: &str| {
        let mut plan = Plan::default()
            .bucket("app", "app-data")
            .bucket("logs", "amzn-s3-demo-logs")
            .logging("app", &own, &logs)
            .creates(
                "aws_s3_bucket_policy.logs",
                json!({}),
                json!({"bucket": true, "policy": true}),
                json!({"bucket": {"references": logs}, "policy": {"references": ["local.all"]}}),
            );
        for (address, action) in [
            ("aws_s3_bucket.extra[\"a\"]", "no-op"),
            ("aws_s3_bucket.extra[\"b\"]", "delete"),
            ("aws_sqs_queue.extra[0]", "delete"),
            ("module.made[\"a\"].aws_s3_bucket.own", "no-op"),
            ("module.made[\"b\"].aws_s3_bucket.own", "delete"),
        ] {
            let after = match action {
                "delete" => Value::Null,
                _ => json!({"bucket": "app-extra", "tags": {}}),
            };
            let mut change = change(address, action, after, json!({"tags": {"team": true}}));
            change["change"]["before"] = json!({"bucket": "app-extra"});
            plan.changes.push(change);
        }
        for (address, many) in [
            ("aws_s3_bucket.extra", "for_each_expression"),
            ("aws_sqs_queue.extra", "count_expression"),
        ] {
            let mut configured = configured(address, json!({}));
            configured[many] = json!({});
            plan.resources.push(configured);
        }
        let inner = json!({"resources": [configured("aws_s3_bucket.own", json!({}))]});
        let call = json!({"source": "./made", "for_each_expression": {}, "module": inner});
        plan.root.insert("module_calls".to_owned(), json!({"made": call}));
        let main = format!(
            "locals {{
               grant = {{
                 Effect = \"Allow\", Principal = {{ Service = \"logging.s3.amazonaws.com\" }}, Action = \"s3:PutObject\",
                 Resource = \"arn:aws:s3:::amzn-s3-demo-logs/*\"
               }}
               other = merge(local.grant, {{ Principal = {{ Service = \"cloudtrail.amazonaws.com\" }} }})
               deny = {{ Effect = \"Deny\", Principal = \"*\", Action = \"s3:*\", Resource = local.grant.Resource }}
             }}
             resource \"aws_s3_bucket_policy\" \"logs\" {{
               policy = jsonencode({{ Version = \"2012-10-17\", Statement = concat([local.other], {statements}) }})
             }}
             {more}"
        );
        told(&beside(&plan.text(), &[("main.tf", &main)])).0
    };
    let grant = |statements: &str| verdicts(statements, "");
    assert_eq!(grant("[local.grant]"), "allowed");
    for (key, expected) in [("a", "allowed"), ("b", "not-granted")] {
        let of_key = format!("[for k, v in aws_s3_bucket.extra : local.grant if k == \"{key}\"]");
        assert_eq!(grant(&of_key), expected);
    }
    assert_eq!(
        grant("length(aws_s3_bucket.extra) > 1 ? [local.grant] : []"),
        "not-granted"
    );
    assert_eq!(
        grant("length(aws_sqs_queue.extra) > 0 ? [local.grant] : []"),
        "not-granted"
    );
    let of_module = "[for k, v in module.made : local.grant if k == \"b\"]";
    let made =
        |for_each: &str| format!("module \"made\" {{\n source = \"./made\"\n for_each = {for_each}\n}}");
    assert_eq!(verdicts(of_module, &made("toset([\"a\"])")), "not-granted");
    assert_eq!(verdicts(of_module, &made("toset([\"a\", \"b\"])")), "allowed");
    // What it is made for isn't understood: whether the module itself stays isn't said.
    assert_eq!(verdicts(of_module, &made("sort(var.names)")), "unknown");
    // A member that the deploy tells is missing in the value.
    assert_eq!(
        grant("concat([local.grant], [for k, v in aws_s3_bucket.extra[\"a\"].tags : local.deny])"),
        "denied"
    );
    assert_eq!(
        grant("concat([local.grant], length(aws_s3_bucket.extra[\"a\"].tags) > 0 ? [local.deny] : [])"),
        "denied"
    );
}

#[test]
fn a_splat_may_be_of_another_attribute() {
    let target = |references: &[&str]| {
        let plan = Plan::default()
            .bucket("app", "app-data")
            .bucket("logs", "amzn-s3-demo-logs")
            .logging("app", &["aws_s3_bucket.app.id", "aws_s3_bucket.app"], references);
        target_of(&check(&plan.text(), &[]))
    };
    let logs = Some("amzn-s3-demo-logs".to_owned());
    assert_eq!(target(&["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"]), logs);
    // `aws_s3_bucket.logs[*].id`, or `aws_s3_bucket.logs[*].arn`.
    assert_eq!(target(&["aws_s3_bucket.logs"]), None);
}

#[test]
fn documents_are_put_together_as_the_provider_does() {
    let grant = |documents: &[Value]| {
        let (statement, unknown, expressions) = open_resource("cloudtrail.amazonaws.com", json!([]));
        let mut plan = app_to_logs().policy(statement, unknown, expressions);
        let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
        let document = plan.changes.last_mut().expect("the document");
        document["change"]["after"]["override_policy_documents"] = texts.into();
        told(&plan.report()).0
    };
    let document = |version: &str, sid: &str, effect: &str, resource: &str| {
        json!({
            "Version": version,
            "Statement": [{
                "Sid": sid, "Effect": effect, "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::amzn-s3-demo-logs/{resource}"),
            }],
        })
    };
    let with = |sid: &str, effect: &str| document("2012-10-17", sid, effect, "*");
    assert_eq!(grant(&[with("", "Allow")]), "allowed");
    // A statement without a name of its own replaces none.
    assert_eq!(grant(&[with("", "Deny"), with("", "Allow")]), "denied");
    assert_eq!(grant(&[with("Logs", "Deny"), with("Logs", "Allow")]), "allowed");
    // No document takes the version back: what was a variable stays one.
    let mut denied = document("2008-10-17", "", "Deny", "*");
    denied["Statement"][0]["Condition"] =
        json!({"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}});
    assert_eq!(grant(&[with("", "Allow"), denied]), "unknown");
}
