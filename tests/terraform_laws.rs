//! Laws of a policy document that is known only in part before the deploy.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use s3log_lint::collect::deployment::Said;
use s3log_lint::collect::{kind, terraform};
use s3log_lint::inventory::Fact;
use s3log_lint::name::AccountId;
use s3log_lint::policy::{AclRoute, Decision, Delivery, Facts, Grant, Prepared, parse};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";

/// A text of a document: known before the deploy, or only after it.
#[derive(Debug, Clone)]
struct Leaf {
    text: &'static str,
    is_open: bool,
}

/// A list of texts: its length, too, may be known only after the deploy.
#[derive(Debug, Clone)]
struct Listed {
    leaves: Vec<Leaf>,
    is_open: bool,
}

impl Listed {
    fn value(&self, is_deployed: bool) -> Value {
        let leaf = |leaf: &Leaf| match leaf.is_open && !is_deployed {
            true => Value::Null,
            false => leaf.text.into(),
        };
        match self.is_open && !is_deployed {
            true => Value::Null,
            false => self.leaves.iter().map(leaf).collect(),
        }
    }

    fn unknown(&self, is_deployed: bool) -> Value {
        match (is_deployed, self.is_open) {
            (true, _) => json!(false),
            (false, true) => json!(true),
            (false, false) => self.leaves.iter().map(|leaf| Value::from(leaf.is_open)).collect(),
        }
    }
}

#[derive(Debug, Clone)]
struct Statement {
    effect: &'static str,
    actions: Listed,
    resources: Listed,
    principal: &'static str,
    identifiers: Listed,
    condition: Option<(&'static str, &'static str, Listed, bool)>,
}

impl Statement {
    fn value(&self, is_deployed: bool) -> Value {
        let condition = self
            .condition
            .iter()
            .filter(|(.., is_open)| is_deployed || !is_open);
        let conditions: Vec<Value> = condition
            .map(|(test, variable, values, _)| {
                json!({"test": test, "variable": variable, "values": values.value(is_deployed)})
            })
            .collect();
        json!({
            "effect": self.effect,
            "actions": self.actions.value(is_deployed),
            "resources": self.resources.value(is_deployed),
            "principals": [{"type": self.principal, "identifiers": self.identifiers.value(is_deployed)}],
            "condition": conditions,
        })
    }

    fn unknown(&self, is_deployed: bool) -> Value {
        let conditions = match &self.condition {
            None => json!([]),
            Some((.., true)) if !is_deployed => json!(true),
            Some((_, _, values, _)) => json!([{"values": values.unknown(is_deployed)}]),
        };
        json!({
            "actions": self.actions.unknown(is_deployed),
            "resources": self.resources.unknown(is_deployed),
            "principals": [{"identifiers": self.identifiers.unknown(is_deployed)}],
            "condition": conditions,
        })
    }
}

fn listed(texts: &'static [&'static str], least: usize) -> impl Strategy<Value = Listed> {
    let leaf = (select(texts), any::<bool>()).prop_map(|(text, is_open)| Leaf { text, is_open });
    (vec(leaf, least..3), prop::bool::weighted(0.2)).prop_map(|(leaves, is_open)| Listed { leaves, is_open })
}

/// An operator, a key, and values that may be compared with it.
type Compared = (&'static str, &'static str, &'static [&'static str]);

const CONDITIONS: &[Compared] = &[
    (
        "StringEquals",
        "aws:SourceAccount",
        &["111122223333", "444455556666"],
    ),
    (
        "StringNotEquals",
        "aws:SourceAccount",
        &["111122223333", "444455556666"],
    ),
    ("StringLike", "aws:SourceAccount", &["1111*", "*"]),
    (
        "ArnLike",
        "aws:SourceArn",
        &[
            "arn:aws:s3:::amzn-s3-demo-app",
            "arn:aws:s3:::*",
            "arn:aws:s3:::other",
        ],
    ),
    (
        "ArnNotLike",
        "aws:SourceArn",
        &["arn:aws:s3:::amzn-s3-demo-app", "arn:aws:s3:::other"],
    ),
    ("Bool", "aws:SecureTransport", &["false", "true"]),
    ("Null", "aws:SourceArn", &["false", "true"]),
    ("StringNotEquals", "aws:PrincipalOrgID", &["o-exampleorgid"]),
    ("StringEqualsIfExists", "aws:PrincipalTag/team", &["logs"]),
    ("ForAllValues:StringEquals", "aws:TagKeys", &["a"]),
];

fn statement() -> impl Strategy<Value = Statement> {
    let identifiers = prop_oneof![
        listed(&["logging.s3.amazonaws.com", "delivery.logs.amazonaws.com"], 1)
            .prop_map(|identifiers| ("Service", identifiers)),
        listed(&["111122223333", "*", "arn:aws:iam::111122223333:root"], 1)
            .prop_map(|identifiers| ("AWS", identifiers)),
        listed(&["*"], 1).prop_map(|identifiers| ("*", identifiers)),
    ];
    let condition = select(CONDITIONS).prop_flat_map(|(test, variable, values): Compared| {
        (listed(values, 0), prop::bool::weighted(0.1))
            .prop_map(move |(values, is_open)| (test, variable, values, is_open))
    });
    (
        select(vec!["Allow", "Allow", "Deny"]),
        listed(&["s3:PutObject", "s3:*", "s3:GetObject"], 1),
        listed(
            &[
                "arn:aws:s3:::amzn-s3-demo-logs/*",
                "arn:aws:s3:::amzn-s3-demo-logs/app/*",
                "arn:aws:s3:::amzn-s3-demo-logs",
                "arn:aws:s3:::amzn-s3-demo-logs/*/other",
                "arn:aws:s3:::other/*",
            ],
            1,
        ),
        identifiers,
        prop::option::of(condition),
    )
        .prop_map(
            |(effect, actions, resources, (principal, identifiers), condition)| Statement {
                effect,
                actions,
                resources,
                principal,
                identifiers,
                condition,
            },
        )
}

/// A deferred document of a plan, with what it takes up: the texts of others, or their places.
fn document(name: &str, statements: &[Statement], is_deployed: bool, taken_up: Option<&[String]>) -> Value {
    let all = |part: fn(&Statement, bool) -> Value| -> Value {
        statements.iter().map(|each| part(each, is_deployed)).collect()
    };
    let mut change = json!({
        "actions": ["read"],
        "before": null,
        "after": {"statement": all(Statement::value)},
        "after_unknown": {"json": true, "statement": all(Statement::unknown)},
    });
    match taken_up {
        Some(texts) => change["after"]["source_policy_documents"] = texts.into(),
        None => change["after_unknown"]["source_policy_documents"] = json!(true),
    }
    json!({
        "address": format!("data.aws_iam_policy_document.{name}"), "mode": "data",
        "type": "aws_iam_policy_document", "name": name, "change": change,
    })
}

/// The policy that a plan with these documents tells, which takes the first.
fn policy(documents: Vec<Value>) -> Fact<String> {
    let reference = |name: &str| json!(format!("data.aws_iam_policy_document.{name}.json"));
    let names: Vec<&str> = documents
        .iter()
        .filter_map(|each| each["name"].as_str())
        .collect();
    let first = names[0];
    let others: Value = names[1..].iter().map(|name| reference(name)).collect();
    let mut changes = documents.clone();
    changes.push(json!({
        "address": "aws_s3_bucket_policy.logs", "mode": "managed", "type": "aws_s3_bucket_policy", "name": "logs",
        "change": {
            "actions": ["create"], "before": null, "after": {"bucket": "amzn-s3-demo-logs"},
            "after_unknown": {"policy": true},
        },
    }));
    let mut resources = vec![json!({
        "mode": "managed", "type": "aws_s3_bucket_policy", "name": "logs",
        "expressions": {"policy": {"references": [reference(first)]}},
    })];
    resources.extend(names.iter().map(|name| {
        let expressions = match *name == first {
            true => json!({"source_policy_documents": {"references": others}}),
            false => json!({}),
        };
        json!({"mode": "data", "type": "aws_iam_policy_document", "name": name, "expressions": expressions})
    }));
    let plan = json!({
        "format_version": "1.2",
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": resources}},
    });
    let text = plan.to_string();
    let recognised = kind::recognise(&text).expect("a plan");
    let deployment = terraform::read("plan.json", &text, recognised).expect("a plan");
    match &*deployment.declared[0].configuration.policy {
        Said::Sets(policy) => policy.clone().map(|document| document.text.to_string()),
        other => panic!("{other:?}"),
    }
}

fn decide(policy: &str) -> Decision {
    let delivery = Delivery {
        source_account: AccountId::parse(ACCOUNT).ok(),
        target_account: AccountId::parse(ACCOUNT).ok(),
        prefix: Some("app/".into()),
        acl: AclRoute::CLOSED,
        ..Delivery::between("amzn-s3-demo-app", "amzn-s3-demo-logs")
    };
    Prepared::new(&parse(policy), &Facts::default()).decide(&delivery)
}

fn agrees(open: &Decision, completed: &Decision) -> bool {
    match (open.grant, completed.grant) {
        (Grant::Unknown, _) => true,
        // Without a grant it doesn't matter whether a deny comes on top.
        (Grant::NotGranted, Grant::Denied) => true,
        // A completion may be one that S3 refuses.
        (_, Grant::Malformed) => true,
        (open, completed) => open == completed,
    }
}

proptest! {
    #[test]
    fn what_is_decided_before_the_deploy_is_so_after_it(statements in vec(statement(), 1..4)) {
        let of = |is_deployed| policy(vec![document("logs", &statements, is_deployed, Some(&[]))]);
        let (Fact::Known(before), Fact::Known(after)) = (of(false), of(true)) else {
            panic!("it is rendered");
        };
        let (open, completed) = (decide(&before), decide(&after));
        prop_assert!(agrees(&open, &completed), "{before}\n{after}\n{open:?}\n{completed:?}");
    }

    #[test]
    fn a_document_that_is_taken_up_perhaps_decides_only_what_is_so_either_way(
        own in vec(statement(), 0..2),
        others in vec((vec(statement(), 1..3), any::<bool>()), 1..3),
    ) {
        let name = |number: usize| format!("part{number}");
        let mut before = vec![document("logs", &own, false, None)];
        let mut taken_up = Vec::new();
        for (number, (statements, is_taken_up)) in others.iter().enumerate() {
            before.push(document(&name(number), statements, false, Some(&[])));
            if *is_taken_up {
                let alone = policy(vec![document(&name(number), statements, true, Some(&[]))]);
                taken_up.extend(alone.known().cloned());
            }
        }
        let before = policy(before);
        let after = policy(vec![document("logs", &own, true, Some(&taken_up))]);
        let (Fact::Known(before), Fact::Known(after)) = (before, after) else {
            panic!("it is rendered");
        };
        let (open, completed) = (decide(&before), decide(&after));
        prop_assert!(agrees(&open, &completed), "{before}\n{after}\n{open:?}\n{completed:?}");
    }
}
