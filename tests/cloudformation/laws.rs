//! Laws: no text makes the reader panic or hang, and the language of a template doesn't matter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use s3log_lint::collect::cloudformation::{Hints, Parameter};
use s3log_lint::collect::overlay;
use s3log_lint::graph::LogGraph;
use s3log_lint::name::AccountId;
use s3log_lint::policy::open::Open;
use s3log_lint::policy::{AclRoute, Delivery, Facts, Grant, KeyLayout, Prepared, Unnamed};
use serde_json::{Value, json};

use crate::{read, try_read};

/// Values as they stand in templates: what is there and what isn't, right and wrong.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "A",
            "B",
            "C",
            "P",
            "Q",
            "Logs",
            "Enabled",
            "AWS::Region",
            "AWS::NoValue",
            "AWS::AccountId",
            "",
            "-",
            ":",
            "${A}",
            "${A.Arn}-${P}",
            "${",
            "${!x}",
            "arn:aws:s3:::a/*",
            "{{resolve:ssm:x}}",
            "2012-10-17",
            "true",
            "é\u{e000}"
        ])
        .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (0..20i64).prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let function = prop::sample::select(vec![
            "Ref",
            "Fn::GetAtt",
            "Fn::Sub",
            "Fn::Join",
            "Fn::Split",
            "Fn::Select",
            "Fn::FindInMap",
            "Fn::If",
            "Fn::ImportValue",
            "Fn::Equals",
            "Fn::And",
            "Fn::Or",
            "Fn::Not",
            "Condition",
            "Fn::Base64",
            "Fn::Cidr",
            "Fn::Length",
            "Fn::ToJsonString",
            "Fn::Transform",
            "Fn::ForEach::X",
        ]);
        let key = prop::sample::select(vec![
            "DestinationBucketName",
            "LogFilePrefix",
            "Rules",
            "Status",
            "Statement",
            "Effect",
            "Ref",
            "Fn::ForEach::Y",
            "Fn::Transform",
            "${X}",
        ]);
        prop_oneof![
            3 => (function, inner.clone()).prop_map(|(name, argument)| json!({ name: argument })),
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            1 => prop::collection::vec((key, inner), 0..3).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn template() -> impl Strategy<Value = Value> {
    (
        prop::array::uniform8(value()),
        prop::sample::select(vec!["AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::CloudFormation::Stack"]),
    )
        .prop_map(|([a, b, c, d, e, f, g, h], kind)| {
            json!({
                "Parameters": {"P": {"Type": "String", "Default": a}, "Q": {"Type": "CommaDelimitedList", "Default": "x,y"}},
                "Conditions": {"A": b, "B": {"Condition": "C"}, "C": {"Fn::Not": [{"Condition": "B"}]}},
                "Mappings": {"A": {"B": {"C": c}}},
                "Resources": {
                    "A": {"Type": "AWS::S3::Bucket", "Condition": "A", "Properties": {"BucketName": d, "LoggingConfiguration": e}},
                    "B": {"Type": kind, "Properties": {"Bucket": {"Ref": "A"}, "PolicyDocument": f, "LoggingConfiguration": {"DestinationBucketName": g}}},
                    "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": h.clone(), "OwnershipControls": h.clone(), "BucketEncryption": h.clone(), "ObjectLockConfiguration": h}},
                },
                "Outputs": {"O": {"Value": {"Ref": "A"}, "Export": {"Name": g}}},
            })
        })
}

/// YAML in block style, with short tags where a function has one.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "\n{pad}-");
                yaml(item, indent + 1, out);
            }
        }
        Value::Object(members) if !members.is_empty() => {
            if let Some((key, argument)) = members.iter().next()
                && members.len() == 1
                && let Some(tag) = short_tag(key)
                && !(key == "Fn::GetAtt" && argument.is_string())
                && (argument.is_string() || argument.is_array() || argument.is_object())
                // One node takes one tag.
                && !argument.as_object().is_some_and(|inner| inner.len() == 1 && inner.keys().all(|key| short_tag(key).is_some()))
            {
                let _ = write!(out, " !{tag}");
                yaml(argument, indent + 1, out);
                return;
            }
            for (key, value) in members {
                let _ = write!(out, "\n{pad}{}:", json!(key));
                yaml(value, indent + 1, out);
            }
        }
        other => {
            let _ = write!(out, " {other}");
        }
    }
}

fn short_tag(key: &str) -> Option<&str> {
    match key {
        "Ref" | "Condition" => Some(key),
        "Fn::ForEach::X" => None,
        _ => key.strip_prefix("Fn::"),
    }
}

/// What a template comes to, without its places.
fn outcome(text: &str) -> Vec<String> {
    let deployment = read(&[("t.template", text)]);
    let mut all: Vec<String> = deployment
        .declared
        .iter()
        .map(|declared| {
            let settings = &declared.configuration;
            format!(
                "{} {:?} {:?} {:?} {:?} {:?}",
                declared.address,
                declared.bucket,
                declared.fate,
                settings.lifecycle,
                settings.encryption,
                settings.object_lock,
            )
        })
        .collect();
    let inventory = overlay::alone(&[deployment]);
    for (_, edge) in LogGraph::new(&inventory).edges() {
        all.push(format!(
            "{} {:?} {:?}",
            edge.source.label, edge.logging.target, edge.logging.prefix
        ));
    }
    for bucket in inventory.accounts.iter().flat_map(|account| &account.buckets) {
        let policy = bucket
            .settings()
            .policy
            .as_ref()
            .map(|document| document.text.to_string());
        all.push(format!("{policy:?}"));
    }
    // A function that isn't followed is known by where it stands.
    all.iter().map(|line| without_bytes(line)).collect()
}

fn without_bytes(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("at byte ") {
        out.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out + rest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 3000 }))]

    #[test]
    fn json_and_yaml_of_one_template_come_to_the_same(template in template()) {
        let mut text = String::new();
        yaml(&template, 0, &mut text);
        prop_assert_eq!(outcome(&template.to_string()), outcome(&text), "{}", text);
    }

    #[test]
    fn no_template_is_a_reason_to_panic(template in template(), region in any::<bool>(), at in any::<prop::sample::Index>(), with in ".{0,3}") {
        let hints = Hints {
            parameters: BTreeMap::from([("P".to_owned(), Parameter::Value(with.clone()))]),
            region: region.then(|| s3log_lint::name::Region::parse("eu-west-1").expect("a region")),
            ..Hints::default()
        };
        let mut text = String::new();
        yaml(&template, 0, &mut text);
        for text in [template.to_string(), text] {
            // The text as it is, and with a piece of it replaced.
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let cut = places[at.index(places.len())];
            let end = text[cut..].char_indices().nth(with.len()).map_or(text.len(), |(next, _)| cut + next);
            let broken = format!("{}{with}{}", &text[..cut], &text[end..]);
            let cut_off = text[..cut].to_owned();
            for text in [text.clone(), broken, cut_off] {
                if let Ok(deployment) = try_read(&[("t.yaml", &text), ("u.json", &text)], &hints) {
                    let inventory = overlay::alone(&[deployment]);
                    let _ = LogGraph::new(&inventory).cycles();
                }
            }
        }
    }
}

#[test]
fn what_grows_in_every_step_ends() {
    // Conditions that ask each other twice, a hundred deep.
    let mut text = "Conditions:\n  C0: !Equals [!Ref AWS::Region, x]\n".to_owned();
    for n in 1..100 {
        let _ = writeln!(text, "  C{n}: !And [!Condition C{0}, !Condition C{0}]", n - 1);
    }
    text.push_str("Resources: {A: {Type: 'AWS::S3::Bucket', Condition: C99}}\n");
    assert_eq!(read(&[("t.yaml", &text)]).declared.len(), 1);
    // Texts that are doubled in each stack that nests the next one.
    let stack = "Parameters: {P: {Type: String, Default: xxxxxxxxxxxxxxxx}}\nResources:\n  N: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: next.yaml, Parameters: {P: !Sub '${P}${P}${P}${P}'}}}\n  B: {Type: 'AWS::S3::Bucket', Properties: {BucketName: !Ref P}}\n";
    let sources = [crate::source("t.yaml", stack)];
    let mut load = |_: &str| Some(stack.to_owned());
    let deployment =
        s3log_lint::collect::cloudformation::read(&sources, &Hints::default(), &mut load).expect("templates");
    assert!(deployment.declared.len() > 5);
    // Loops in loops.
    let mut text = "Transform: AWS::LanguageExtensions\nResources:\n".to_owned();
    let ten = "[a, b, c, d, e, f, g, h, i, j]";
    for n in 0..6 {
        let pad = "    ".repeat(n);
        let _ = writeln!(
            text,
            "{pad}  Fn::ForEach::L{n}:\n{pad}  - X{n}\n{pad}  - {ten}\n{pad}  -"
        );
    }
    let _ = writeln!(
        text,
        "{}  B${{X0}}${{X1}}${{X2}}${{X3}}${{X4}}${{X5}}: {{Type: 'AWS::S3::Bucket'}}",
        "    ".repeat(6)
    );
    let deployment = read(&[("t.yaml", &text)]);
    assert!(!deployment.complete);
    // A mapping whose loops multiply.
    let mut body = "{'${A}': 1}".to_owned();
    for name in ["B", "C", "D", "E", "F", "G", "H", "I"] {
        body = format!("{{'Fn::ForEach::{name}': [{name}, {ten}, {body}]}}");
    }
    let text = format!(
        "Resources: {{A: {{Type: 'AWS::S3::Bucket', Properties: {{LoggingConfiguration: {body}}}}}}}"
    );
    assert_eq!(read(&[("t.yaml", &text)]).declared.len(), 1);
}

/// A part of a resource: with the bucket's name open, and with a name put in.
fn resource_part() -> impl Strategy<Value = (String, &'static str)> {
    let literal = prop::sample::select(vec!["*", "?", "/", "app/", "web/", "prod-", "a", "logs", "2"]);
    prop_oneof![
        4 => literal.prop_map(|text| (text.to_owned(), text)),
        2 => Just((Open::Bucket("t/Logs".to_owned()).written(), "LOGS")),
        1 => Just((Open::Bucket("t/App".to_owned()).written(), "APP")),
        1 => Just((Open::Account.written(), "ACCOUNT")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What is decided while names are open is what is decided for every name that they may get.
    #[test]
    fn no_name_turns_a_decision(
        resource in prop::collection::vec(resource_part(), 0..6),
        source in prop::collection::vec(resource_part(), 0..3),
        deny in any::<bool>(),
        names in prop::sample::subsequence(vec!["prod-logs", "abc", "a-2", "logs", "app2", "prod-", "aaaaa"], 2),
        account in prop::sample::select(vec!["111122223333", "222222222222"]),
        layout in prop::sample::select(vec![KeyLayout::Simple, KeyLayout::Partitioned]),
    ) {
        let text = |open: bool| {
            let put = |parts: &[(String, &str)]| -> String {
                parts
                    .iter()
                    .map(|(marked, plain)| match (open, *plain) {
                        (true, _) => marked.as_str(),
                        (false, "LOGS") => names[0],
                        (false, "APP") => names[1],
                        (false, "ACCOUNT") => account,
                        (false, plain) => plain,
                    })
                    .collect()
            };
            let mut statements = vec![json!({
                "Effect": if deny { "Deny" } else { "Allow" },
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": format!("arn:aws:s3:::{}", put(&resource)),
                "Condition": {"ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{}", put(&source))}},
            })];
            // Where nothing grants, a deny decides nothing: only what it would take away shows whether it is told right.
            if deny {
                statements.push(json!({
                    "Effect": "Allow",
                    "Principal": {"Service": "logging.s3.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": "arn:aws:s3:::*",
                }));
            }
            json!({"Version": "2012-10-17", "Statement": statements}).to_string()
        };
        let mut delivery = Delivery::between("t/App", "t/Logs");
        delivery.prefix = Some("app/".into());
        delivery.layout = Some(layout);
        delivery.acl = AclRoute::CLOSED;
        let mut open = delivery.clone();
        open.source_bucket = None;
        open.target_bucket = None;
        open.unnamed = Unnamed { source: Some("t/App".into()), target: Some("t/Logs".into()) };
        let mut known = delivery;
        known.target_bucket = Some(names[0].into());
        known.source_bucket = Some(names[1].into());
        known.source_account = AccountId::parse(account).ok();
        known.target_account = known.source_account.clone();
        let decide = |text: &str, delivery: &Delivery| {
            let decision = Prepared::new(&s3log_lint::policy::parse(text), &Facts::default().stored()).decide(delivery);
            decision.if_evaluated_anyway.unwrap_or(decision.grant)
        };
        let (before, after) = (decide(&text(true), &open), decide(&text(false), &known));
        prop_assert!(before == after || before == Grant::Unknown, "{before:?} {after:?}\n{}\n{}", text(true), text(false));
    }
}
