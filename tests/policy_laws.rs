//! Laws of the policy decision, on policies made of the pieces that real ones are made of.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use s3log_lint::name::{AccountId, Region};
use s3log_lint::policy::{
    AclRoute, Decision, DefaultEncryption, Delivery, Facts, Grant, KeyLayout, Ownership, Prepared, Told,
    parse,
};
use serde_json::{Value, json};

const SOURCE: &str = "amzn-s3-demo-source";
const TARGET: &str = "amzn-s3-demo-logs";
const OTHER: &str = "amzn-s3-demo-other";
const ACCOUNT: &str = "111122223333";

fn principal() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"Principal": "*"}),
        json!({"Principal": {"AWS": "*"}}),
        json!({"Principal": {"Service": "logging.s3.amazonaws.com"}}),
        json!({"Principal": {"Service": ["delivery.logs.amazonaws.com", "logging.s3.amazonaws.com"]}}),
        json!({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}),
        json!({"Principal": {"AWS": "858827067514"}}),
        json!({"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}}),
        json!({"NotPrincipal": {"Service": "logging.s3.amazonaws.com"}}),
    ])
}

fn action() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"Action": "s3:PutObject"}),
        json!({"Action": ["s3:GetObject", "S3:Put*"]}),
        json!({"Action": "*"}),
        json!({"Action": "s3:GetObject"}),
        json!({"NotAction": "s3:PutObject"}),
        json!({"NotAction": ["s3:DeleteObject"]}),
    ])
}

fn resource() -> impl Strategy<Value = Value> {
    let arn = |rest: &str| format!("arn:aws:s3:::{rest}");
    select(vec![
        json!({"Resource": arn(&format!("{TARGET}/*"))}),
        json!({"Resource": arn(&format!("{TARGET}/logs/*"))}),
        json!({"Resource": arn(&format!("{TARGET}/logs*"))}),
        json!({"Resource": [arn(TARGET), arn(&format!("{TARGET}/other/*"))]}),
        json!({"Resource": arn(&format!("{TARGET}/*-00-*"))}),
        json!({"Resource": arn(&format!("{TARGET}/${{aws:SourceAccount}}/*"))}),
        json!({"Resource": arn(&format!("{TARGET}/${{aws:PrincipalTag/team}}/*"))}),
        json!({"Resource": arn(&format!("{TARGET}/${{aws:UserAgent}}*"))}),
        json!({"Resource": arn(&format!("{OTHER}/*"))}),
        json!({"NotResource": arn(&format!("{TARGET}/logs/*"))}),
        json!({"NotResource": arn(&format!("{TARGET}/${{aws:PrincipalTag/team}}/*"))}),
    ])
}

/// Keys of each kind, with values that may or may not be theirs.
const KEYS: &[(&str, &[&str])] = &[
    (
        "aws:SourceArn",
        &[
            "arn:aws:s3:::amzn-s3-demo-source",
            "arn:aws:s3:::*",
            "arn:aws:s3:::amzn-s3-demo-other",
            "*",
        ],
    ),
    (
        "aws:SourceAccount",
        &["111122223333", "444455556666", "${aws:SourceAccount}"],
    ),
    ("aws:SourceOrgID", &["o-exampleorgid", "o-another"]),
    ("aws:SourceOrgPaths", &["o-exampleorgid/*", "o-another/r-1/"]),
    ("aws:PrincipalOrgID", &["o-exampleorgid"]),
    (
        "aws:PrincipalServiceName",
        &["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"],
    ),
    (
        "aws:PrincipalServiceNamesList",
        &["logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"],
    ),
    ("aws:PrincipalIsAWSService", &["true", "false"]),
    ("aws:ViaAWSService", &["true", "false"]),
    ("aws:SecureTransport", &["true", "FALSE"]),
    ("aws:SourceVpce", &["vpce-1a2b3c4d"]),
    ("aws:SourceIp", &["203.0.113.0/24", "0.0.0.0/0", "10.0.0.0/8"]),
    (
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:role/admin",
            "*",
        ],
    ),
    ("aws:UserAgent", &["anything*", "curl"]),
    ("aws:MultiFactorAuthPresent", &["true", "false"]),
    ("aws:TokenIssueTime", &["2026-01-01T00:00:00Z"]),
    ("aws:CurrentTime", &["2026-01-01T00:00:00Z", "2030-01-01"]),
    ("aws:RequestedRegion", &["eu-west-1", "us-east-1"]),
    ("aws:TagKeys", &["team", "stage"]),
    ("s3:TlsVersion", &["1.2", "1.3"]),
    ("s3:x-amz-acl", &["bucket-owner-full-control", "private"]),
    ("s3:x-amz-server-side-encryption", &["AES256", "aws:kms"]),
    (
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        &["arn:aws:kms:eu-west-1:111122223333:key/1"],
    ),
    ("s3:x-amz-storage-class", &["STANDARD"]),
];

const TESTS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "ArnLike",
    "ArnNotEquals",
    "Bool",
    "NumericLessThan",
    "NumericGreaterThanEquals",
    "DateLessThan",
    "DateGreaterThan",
    "IpAddress",
    "NotIpAddress",
    "Null",
];

fn condition() -> impl Strategy<Value = (String, String, Value)> {
    let key = select(KEYS)
        .prop_flat_map(|(key, values)| (Just(key), subsequence(values.to_vec(), 1..=values.len())));
    let operator = (
        select(vec!["", "ForAllValues:", "ForAnyValue:"]),
        select(TESTS),
        any::<bool>(),
    );
    (key, operator).prop_map(|((key, values), (set, test, if_exists))| {
        let suffix = if if_exists && test != "Null" {
            "IfExists"
        } else {
            ""
        };
        let values = match test {
            "Null" => json!(if values.len() > 1 { "true" } else { "false" }),
            "IpAddress" | "NotIpAddress" if key != "aws:SourceIp" => json!("203.0.113.7"),
            _ => json!(values),
        };
        (format!("{set}{test}{suffix}"), key.to_owned(), values)
    })
}

fn statement() -> impl Strategy<Value = Value> {
    (
        select(vec!["Allow", "Deny"]),
        principal(),
        action(),
        resource(),
        prop::collection::vec(condition(), 0..3),
    )
        .prop_map(|(effect, principal, action, resource, conditions)| {
            let mut statement = json!({"Effect": effect});
            for part in [principal, action, resource] {
                for (key, value) in part.as_object().expect("an object") {
                    statement[key] = value.clone();
                }
            }
            for (operator, key, values) in conditions {
                statement["Condition"][operator][key] = values;
            }
            statement
        })
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(statement(), 0..5)
}

fn policy(statements: &[Value]) -> String {
    let numbered: Vec<Value> = statements
        .iter()
        .enumerate()
        .map(|(number, statement)| {
            let mut statement = statement.clone();
            if statement.get("Sid").is_none() {
                statement["Sid"] = json!(format!("S{number}"));
            }
            statement
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": numbered}).to_string()
}

fn delivery() -> impl Strategy<Value = Delivery> {
    (
        select(vec![
            Some("logs/"),
            Some("logs"),
            Some(""),
            Some("111122223333/"),
            None,
        ]),
        select(vec![Some(KeyLayout::Simple), Some(KeyLayout::Partitioned), None]),
        select(vec![
            Told::Known("o-exampleorgid".to_owned()),
            Told::Absent,
            Told::Unknown,
        ]),
        any::<(bool, bool, bool, bool)>(),
        select(vec![
            Some(Ownership::BucketOwnerEnforced),
            Some(Ownership::AclsCount),
            None,
        ]),
        any::<(Option<bool>, Option<bool>)>(),
    )
        .prop_map(
            |(prefix, layout, organization, (account, region, now, kms), ownership, (write, read_acp))| {
                let mut delivery = Delivery::between(SOURCE, TARGET);
                delivery.prefix = prefix.map(Into::into);
                delivery.layout = layout;
                delivery.organization = organization;
                delivery.source_account = account.then(|| AccountId::parse(ACCOUNT).expect("an account"));
                delivery.target_account = delivery.source_account.clone();
                delivery.region = region.then(|| Region::parse("eu-west-1").expect("a region"));
                delivery.now = now.then(|| "2026-06-01T00:00:00Z".into());
                delivery.default_encryption = (!kms).then_some(DefaultEncryption::SseS3);
                delivery.acl = AclRoute {
                    ownership,
                    write,
                    read_acp,
                };
                delivery
            },
        )
}

fn decide(text: &str, delivery: &Delivery, facts: &Facts) -> Decision {
    Prepared::new(&parse(text), facts).decide(delivery)
}

fn grant(statements: &[Value], delivery: &Delivery) -> Grant {
    decide(&policy(statements), delivery, &Facts::default()).grant
}

/// A deny that is about every delivery, for one reason or another.
fn matching_deny() -> impl Strategy<Value = Value> {
    select(vec![
        json!({}),
        json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}),
        json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
        json!({"Null": {"s3:x-amz-server-side-encryption": "true"}}),
        json!({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorgid/*"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "true", "aws:SecureTransport": "true"}}),
        json!({"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "logging.s3.amazonaws.com"}}),
        json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin"}}),
    ])
    .prop_map(|condition| {
        json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:Put*",
            "Resource": format!("arn:aws:s3:::{TARGET}/*"),
            "Condition": condition,
        })
    })
}

/// The answers that an unknown leaves open. Where nothing grants, a deny that may match changes nothing of it.
fn left_open(decision: &Decision) -> Vec<Grant> {
    match decision.grant {
        Grant::Unknown => vec![Grant::Allowed, Grant::Denied, Grant::NotGranted, Grant::Unknown],
        Grant::NotGranted => vec![Grant::NotGranted, Grant::Denied],
        known => vec![known],
    }
}

/// Every key of which nobody knows what a delivery carries, and what it may be.
const OPEN_KEYS: &[(&str, &[&str])] = &[
    ("aws:UserAgent", &["", "curl", "anything at all"]),
    ("aws:MultiFactorAuthPresent", &["", "false"]),
    (
        "aws:TokenIssueTime",
        &["", "2020-01-01T00:00:00Z", "2026-05-01T00:00:00Z"],
    ),
    ("s3:x-amz-acl", &["", "private", "bucket-owner-full-control"]),
    ("s3:x-amz-storage-class", &["", "STANDARD"]),
    ("s3:TlsVersion", &["1.2", "1.3"]),
    (
        "aws:PrincipalArn",
        &[
            "",
            "arn:aws:iam::858827067514:root",
            "arn:aws:sts::777788889999:assumed-role/a/b",
        ],
    ),
    ("aws:SourceIp", &["", "10.32.219.38", "52.95.0.1"]),
    ("aws:TagKeys", &["", "team"]),
];

/// The keys of an organization that nobody told.
const ORGANIZATION_KEYS: &[(&str, &[&str])] = &[
    ("aws:SourceOrgID", &["", "o-exampleorgid"]),
    ("aws:SourceOrgPaths", &["", "o-exampleorgid/r-1/ou-2/"]),
];

fn told(choices: &[(&str, &str)]) -> Facts {
    choices
        .iter()
        .fold(Facts::default(), |facts, (key, value)| match *value {
            "" => facts.know_absent(key),
            value => facts.know(key, [value.to_owned()]),
        })
}

fn choices(
    keys: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    keys.iter()
        .map(|(key, values)| (Just(*key), select(*values)))
        .collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deny_that_matches_wins(before in statements(), deny in matching_deny(), after in statements(), delivery in delivery()) {
        prop_assert_eq!(grant(std::slice::from_ref(&deny), &delivery), Grant::Denied);
        let all: Vec<Value> = before.into_iter().chain([deny]).chain(after).collect();
        prop_assert_eq!(grant(&all, &delivery), Grant::Denied);
    }

    #[test]
    fn an_allow_more_never_takes_anything_away(statements in statements(), allow in statement(), delivery in delivery()) {
        let mut allow = allow;
        allow["Effect"] = json!("Allow");
        let before = grant(&statements, &delivery);
        let mut more = statements.clone();
        more.push(allow);
        let after = grant(&more, &delivery);
        let fine = match before {
            Grant::Allowed => after == Grant::Allowed,
            Grant::Denied => after == Grant::Denied,
            Grant::Unknown => matches!(after, Grant::Unknown | Grant::Allowed),
            Grant::NotGranted => matches!(after, Grant::NotGranted | Grant::Unknown | Grant::Allowed),
            // An empty policy is none; with a statement it is one.
            Grant::Malformed => statements.is_empty(),
        };
        prop_assert!(fine, "{before:?} became {after:?}");
    }

    #[test]
    fn a_deny_more_never_grants_anything(statements in statements(), deny in statement(), delivery in delivery()) {
        let mut deny = deny;
        deny["Effect"] = json!("Deny");
        let before = grant(&statements, &delivery);
        let mut more = statements.clone();
        more.push(deny);
        let after = grant(&more, &delivery);
        let fine = match before {
            Grant::Allowed => matches!(after, Grant::Allowed | Grant::Unknown | Grant::Denied),
            Grant::Denied => after == Grant::Denied,
            Grant::Unknown => matches!(after, Grant::Unknown | Grant::Denied),
            Grant::NotGranted => matches!(after, Grant::NotGranted | Grant::Denied),
            Grant::Malformed => statements.is_empty(),
        };
        prop_assert!(fine, "{before:?} became {after:?}");
    }

    #[test]
    fn the_order_of_statements_does_not_matter(statements in statements().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())), delivery in delivery()) {
        let (one, other) = statements;
        let name = |all: &[Value]| -> Vec<Value> { all.to_vec() };
        let told = |all: &[Value]| {
            let text = policy(&name(all));
            let decision = decide(&text, &delivery, &Facts::default());
            let document: Value = serde_json::from_str(&text).expect("it is JSON");
            let mut deciding: Vec<String> = decision
                .deciders
                .iter()
                .map(|decider| {
                    let mut statement = document.pointer(&decider.statement).expect("it is there").clone();
                    statement.as_object_mut().expect("an object").remove("Sid");
                    statement.to_string()
                })
                .collect();
            deciding.sort();
            (decision.grant, deciding)
        };
        prop_assert_eq!(told(&one), told(&other));
    }

    #[test]
    fn names_are_only_names(statements in statements(), delivery in delivery()) {
        let text = policy(&statements);
        let renamed = text.replace(TARGET, "zz.new-target").replace(SOURCE, "aa.new-source").replace(OTHER, "mm.new-other");
        let mut other = delivery.clone();
        other.source_bucket = Some("aa.new-source".into());
        other.target_bucket = Some("zz.new-target".into());
        let (one, two) = (decide(&text, &delivery, &Facts::default()), decide(&renamed, &other, &Facts::default()));
        prop_assert_eq!(one.grant, two.grant);
        prop_assert_eq!(one.statements(), two.statements());
    }

    #[test]
    fn what_is_told_of_a_key_gives_an_answer_that_was_open(
        statements in statements(),
        delivery in delivery(),
        known in choices(OPEN_KEYS),
        organization in choices(ORGANIZATION_KEYS),
    ) {
        let text = policy(&statements);
        let before = decide(&text, &delivery, &Facts::default());
        let mut known = known;
        if delivery.organization == Told::Unknown {
            known.extend(organization);
        }
        let after = decide(&text, &delivery, &told(&known));
        prop_assert!(left_open(&before).contains(&after.grant), "{:?} became {:?} by {known:?}", before.grant, after.grant);
    }

    #[test]
    fn what_is_told_of_an_edge_gives_an_answer_that_was_open(statements in statements(), delivery in delivery()) {
        let text = policy(&statements);
        let before = decide(&text, &delivery, &Facts::default());
        let mut told = delivery.clone();
        told.source_account.get_or_insert_with(|| AccountId::parse(ACCOUNT).expect("an account"));
        told.target_account.clone_from(&told.source_account);
        told.region.get_or_insert_with(|| Region::parse("eu-west-1").expect("a region"));
        told.prefix.get_or_insert_with(|| "logs/".into());
        told.layout.get_or_insert(KeyLayout::Partitioned);
        told.now.get_or_insert_with(|| "2026-06-01T00:00:00Z".into());
        told.default_encryption.get_or_insert(DefaultEncryption::SseS3);
        told.acl.ownership.get_or_insert(Ownership::AclsCount);
        told.acl.write.get_or_insert(true);
        told.acl.read_acp.get_or_insert(true);
        let after = decide(&text, &told, &Facts::default());
        prop_assert!(left_open(&before).contains(&after.grant), "{:?} became {:?}", before.grant, after.grant);
    }

    #[test]
    fn an_unknown_says_what_it_hangs_on(statements in statements(), delivery in delivery()) {
        let decision = decide(&policy(&statements), &delivery, &Facts::default());
        let grant = decision.if_evaluated_anyway.unwrap_or(decision.grant);
        prop_assert_eq!(grant == Grant::Unknown, !decision.unknown.is_empty());
        prop_assert!(decision.unknown.iter().all(|unknown| !unknown.settle.is_empty()));
        if grant == Grant::Denied {
            prop_assert!(!decision.deciders.is_empty());
            prop_assert!(decision.deciders.iter().all(|decider| !decider.edit.is_empty()));
        }
    }

    #[test]
    fn a_grant_is_unscoped_where_it_lets_a_stranger_in(statements in statements(), delivery in delivery()) {
        let text = policy(&statements);
        // A key compared with itself looks like a condition, and is none.
        let compares_with_itself = text.contains("${aws:SourceAccount}");
        let prepared = Prepared::new(&parse(&text), &Facts::default());
        let strangers = [Told::Known("o-strangers".to_owned()), Told::Absent].map(|organization| {
            let mut stranger = delivery.clone();
            stranger.source_bucket = Some("strangers-bucket".into());
            stranger.source_account = AccountId::parse("999988887777").ok();
            stranger.organization = organization;
            stranger
        });
        let unscoped = prepared.unscoped_grants(&delivery);
        let is_let_in = |stranger: &Delivery| {
            let decision = prepared.decide(stranger);
            decision.grant == Grant::Allowed && !decision.via_acl
        };
        if !compares_with_itself && strangers.iter().any(is_let_in) {
            prop_assert!(!unscoped.is_empty());
        }
        let is_kept_out = |stranger: &Delivery| {
            let mut stranger = stranger.clone();
            (stranger.prefix, stranger.layout) = (None, None);
            prepared.decide(&stranger).grant == Grant::Denied
        };
        // Nor does S3 take a policy about another bucket.
        let is_odd = text.contains("NotResource") || text.contains(OTHER);
        if !is_odd && strangers.iter().all(is_kept_out) {
            prop_assert!(unscoped.is_empty(), "{:?}", unscoped);
        }
    }

    #[test]
    fn where_nothing_grants_the_nearest_statement_misses_somewhere(statements in statements(), delivery in delivery()) {
        let parsed = parse(&policy(&statements));
        let decision = Prepared::new(&parsed, &Facts::default()).decide(&delivery);
        if let Some(nearest) = &decision.nearest {
            prop_assert_eq!(decision.if_evaluated_anyway.unwrap_or(decision.grant), Grant::NotGranted);
            prop_assert!(nearest.statement.is_empty() || parsed.span(&nearest.element).is_some());
            prop_assert!(!nearest.edit.is_empty());
        }
    }

    #[test]
    fn what_is_printed_reads_the_same(statements in statements(), indented in any::<bool>()) {
        let text = policy(&statements);
        let once = parse(&text);
        let printed = once.print(indented).expect("it is JSON");
        let twice = parse(&printed);
        prop_assert_eq!(&once.policy, &twice.policy);
        prop_assert_eq!(twice.print(indented).expect("it is JSON"), printed);
    }

    #[test]
    fn no_text_is_a_reason_to_panic(text in "\\PC{0,60}", delivery in delivery()) {
        exercise(&text, &delivery);
    }

    #[test]
    fn no_broken_policy_is_a_reason_to_panic(statements in statements(), delivery in delivery(), cut in any::<prop::sample::Index>(), put in "[\\[\\]{}\",:*?$\\\\ -~]{0,3}") {
        let text = policy(&statements);
        let at = cut.index(text.len());
        if text.is_char_boundary(at) {
            exercise(&format!("{}{put}{}", &text[..at], &text[at..]), &delivery);
            exercise(&text[..at], &delivery);
        }
    }
}

/// Asks everything that can be asked.
fn exercise(text: &str, delivery: &Delivery) {
    let parsed = parse(text);
    let prepared = Prepared::new(&parsed, &Facts::default());
    let decision = prepared.decide(delivery);
    assert!(parsed.policy.is_some() || decision.grant == Grant::Malformed);
    for fault in &parsed.faults {
        assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
    }
    prepared.trace(delivery);
    prepared.caveats(delivery);
    prepared.misleading();
    prepared.public_reads(delivery);
    prepared.unscoped_grants(delivery);
    prepared.is_unscoped_perhaps(delivery);
}
