//! Real policies, and what each must be decided as. Skipped where the corpus isn't there.

use std::path::PathBuf;

use s3log_lint::name::{AccountId, Partition, Region};
use s3log_lint::policy::{
    AclRoute, Decision, DefaultEncryption, Delivery, Facts, Grant, KeyLayout, Ownership, Prepared, Told,
    Unnamed, parse,
};
use serde_json::Value;

fn lines(name: &str) -> Option<Vec<Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/corpus/policies")
        .join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no corpus of policies");
        return None;
    };
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect(),
    )
}

fn delivery(request: &Value) -> Delivery {
    let text = |key: &str| request[key].as_str();
    let acl = request["acl_log_delivery"].as_bool();
    Delivery {
        partition: Partition::parse(text("partition").expect("a partition")).expect("a partition"),
        source_bucket: text("source_bucket").map(Into::into),
        source_account: text("source_account").map(|id| AccountId::parse(id).expect("an account")),
        target_bucket: text("target_bucket").map(Into::into),
        target_account: text("target_account").map(|id| AccountId::parse(id).expect("an account")),
        unnamed: Unnamed::default(),
        region: text("region").map(|region| Region::parse(region).expect("a region")),
        prefix: text("prefix").map(Into::into),
        layout: Some(match text("key_format") {
            Some("partitioned") => KeyLayout::Partitioned,
            _ => KeyLayout::Simple,
        }),
        organization: match request.get("org_id") {
            None => Told::Unknown,
            Some(Value::Null) => Told::Absent,
            Some(id) => Told::Known(id.as_str().expect("an organization").to_owned()),
        },
        default_encryption: Some(match text("default_encryption") {
            Some("SSE-S3") | None => DefaultEncryption::SseS3,
            Some(_) => DefaultEncryption::Kms,
        }),
        now: text("now").map(Into::into),
        acl: AclRoute {
            ownership: Some(match text("ownership") {
                Some("BucketOwnerEnforced") => Ownership::BucketOwnerEnforced,
                _ => Ownership::AclsCount,
            }),
            write: acl,
            read_acp: acl,
        },
    }
}

fn word(grant: Grant) -> &'static str {
    match grant {
        Grant::Allowed => "Allowed",
        Grant::Denied => "Denied",
        Grant::NotGranted => "NotGranted",
        Grant::Unknown => "Unknown",
        Grant::Malformed => "Malformed",
    }
}

fn decide(policy: &Value, request: usize) -> Decision {
    let parsed = parse(policy["policy_text"].as_str().expect("a policy"));
    Prepared::new(&parsed, &Facts::default()).decide(&delivery(&policy["requests"][request]))
}

#[test]
fn every_known_answer_is_given() {
    let (Some(policies), Some(answers)) = (lines("policies.jsonl"), lines("expected.jsonl")) else {
        return;
    };
    let mut wrong = Vec::new();
    for answer in &answers {
        let id = answer["id"].as_str().expect("an id");
        let number = answer["request"].as_u64().expect("a number");
        let policy = policies
            .iter()
            .find(|policy| policy["id"] == answer["id"])
            .expect("the policy is there");
        let decision = decide(policy, usize::try_from(number).expect("small"));
        let given = word(decision.grant);
        let expected = answer["expected"].as_str().expect("an answer");
        let accepted = answer["accept"].as_array().expect("a list");
        let is_high = answer["confidence"] == "high";
        if given != expected && (is_high || !accepted.iter().any(|other| other == given)) {
            wrong.push(format!("{id}.{number}: {given}, not {expected}"));
            continue;
        }
        let texts = |key: &str| -> Vec<&str> {
            answer[key]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(Value::as_str)
                .collect()
        };
        if given == expected && given != "Malformed" && decision.statements() != texts("statements") {
            wrong.push(format!(
                "{id}.{number}: {given} by {:?}, not by {:?}",
                decision.statements(),
                texts("statements")
            ));
        }
        if given == expected {
            let mut keys: Vec<&str> = decision.unknown.iter().map(|key| key.key.as_str()).collect();
            keys.dedup();
            if keys != texts("unknown") {
                wrong.push(format!(
                    "{id}.{number}: hangs on {keys:?}, not on {:?}",
                    texts("unknown")
                ));
            }
        }
        if let Some(anyway) = decision.if_evaluated_anyway
            && answer["if_evaluated_anyway"] != word(anyway)
        {
            wrong.push(format!(
                "{id}.{number}: anyway {}, not {}",
                word(anyway),
                answer["if_evaluated_anyway"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        answers.len(),
        wrong.join("\n")
    );
}

/// The decisions of all policies, to be read: `SHOW_DECISIONS=1 cargo test --test policy_corpus -- --nocapture`.
#[test]
fn every_policy_is_decided_and_every_pointer_leads_somewhere() {
    let Some(policies) = lines("policies.jsonl") else {
        return;
    };
    for policy in &policies {
        let text = policy["policy_text"].as_str().expect("a policy");
        let parsed = parse(text);
        for (number, request) in policy["requests"].as_array().expect("a list").iter().enumerate() {
            let delivery = delivery(request);
            let prepared = Prepared::new(&parsed, &Facts::default());
            let decision = prepared.decide(&delivery);
            for decider in &decision.deciders {
                assert!(parsed.span(&decider.statement).is_some(), "{}", policy["id"]);
                assert!(parsed.span(&decider.element).is_some(), "{}", decider.element);
            }
            if let Some(nearest) = decision
                .nearest
                .as_ref()
                .filter(|nearest| !nearest.statement.is_empty())
            {
                assert!(parsed.span(&nearest.element).is_some(), "{}", nearest.element);
            }
            for trace in prepared.trace(&delivery) {
                for element in &trace.elements {
                    assert!(parsed.span(&element.element).is_some(), "{}", element.element);
                }
            }
            if std::env::var_os("SHOW_DECISIONS").is_some() {
                println!(
                    "{}.{number} {} anyway {:?}\n  by {:?}\n  hangs on {:?}\n  nearest {:?}\n  faults {:?}",
                    policy["id"].as_str().unwrap_or_default(),
                    word(decision.grant),
                    decision.if_evaluated_anyway,
                    decision.deciders,
                    decision.unknown,
                    decision.nearest,
                    parsed
                        .faults
                        .iter()
                        .map(|fault| (&fault.message, &fault.pointer))
                        .collect::<Vec<_>>(),
                );
            }
        }
    }
}
