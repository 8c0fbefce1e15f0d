//! A policy's text → what it says, and everything for which S3 would refuse it.
//!
//! What is refused is read as far as it can be, so that it can still be said what it would do. Linear in the text.

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::ops::Range;

use super::fault::{Fault, FaultKind, Warning, WarningKind};
use super::json::{Json, Member, NodeId, Value};
use super::keys;
use super::names;
use super::open;
use super::syntax::{
    Condition, Effect, Item, Listed, Operator, Policy, Principal, Principals, Statement, Test, Version, Who,
    step,
};

/// S3 stores no larger policy.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html>
pub const MOST_BYTES: usize = 20 * 1024;

/// Beyond this not even what it would do is of interest.
const MOST_READ: usize = 256 * 1024;

/// A text that was meant to be a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// None where the text is no JSON object. Of keys that stand twice, the last one counts.
    pub policy: Option<Policy>,
    /// The same with the first of keys that stand twice, where there are such.
    pub first_wins: Option<Policy>,
    /// In the order of the text.
    pub faults: Vec<Fault>,
    pub warnings: Vec<Warning>,
    json: Option<Json>,
}

impl Parsed {
    /// The bytes behind a pointer.
    pub fn span(&self, pointer: &str) -> Option<Range<usize>> {
        self.json.as_ref()?.find(pointer)
    }

    /// The policy's text in another layout, nothing lost: not even a key that stands twice. None where it is no JSON.
    pub fn print(&self, indented: bool) -> Option<String> {
        Some(self.json.as_ref()?.print(indented))
    }
}

/// Reads a policy.
pub fn parse(text: &str) -> Parsed {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    // A byte order mark is no reason to say nothing about the rest; positions count from its start.
    let mark = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let first = text[mark..].trim_start();
    if mark > 0 || !first.starts_with('{') {
        let at = if mark > 0 { 0 } else { text.len() - first.len() };
        faults.push(Fault {
            kind: FaultKind::NotJson,
            message: "Policies must be valid JSON and the first byte must be '{'".to_owned(),
            pointer: String::new(),
            span: at..next_boundary(text, at),
            other: None,
            help: match mark {
                0 => "a policy is one JSON object: `{\"Version\": \"2012-10-17\", \"Statement\": [...]}`"
                    .to_owned(),
                _ => "save the file without a byte order mark".to_owned(),
            },
        });
        if mark == 0 {
            return Parsed {
                policy: None,
                first_wins: None,
                faults,
                warnings,
                json: Json::read(text).ok(),
            };
        }
    } else if first.len() < text.len() {
        warnings.push(Warning {
            kind: WarningKind::LeadingSpace,
            pointer: String::new(),
            span: 0..text.len() - first.len(),
            message: "white space stands before the first brace".to_owned(),
        });
    }
    // Kept in place by spaces, so that every position is one of the given text.
    let spaced = format!("{}{}", " ".repeat(mark), &text[mark..]);
    let json = match Json::read(&spaced) {
        Ok(json) => json,
        Err(error) => {
            faults.push(Fault {
                kind: FaultKind::NotJson,
                message: "This policy contains invalid Json".to_owned(),
                pointer: String::new(),
                span: error.at..next_boundary(text, error.at),
                other: None,
                help: error.reason.to_owned(),
            });
            return Parsed {
                policy: None,
                first_wins: None,
                faults,
                warnings,
                json: None,
            };
        }
    };
    if text.len() > MOST_READ {
        faults.push(Fault {
            kind: FaultKind::TooLarge,
            message: format!(
                "Bucket policies are limited to 20KB: this text has {} bytes",
                text.len()
            ),
            pointer: String::new(),
            span: 0..next_boundary(text, 0),
            other: None,
            help: "this is no bucket policy".to_owned(),
        });
        return Parsed {
            policy: None,
            first_wins: None,
            faults,
            warnings,
            json: Some(json),
        };
    }
    let mut reader = Reader {
        json: &json,
        keep: Keep::Last,
        spans: BTreeMap::new(),
        faults,
        warnings,
    };
    reader.check_size(text);
    let doubled = reader.check_duplicates();
    let policy = reader.policy();
    let (mut faults, warnings) = (reader.faults, reader.warnings);
    let first_wins = doubled.then(|| {
        let mut reader = Reader {
            json: &json,
            keep: Keep::First,
            spans: BTreeMap::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        reader.policy()
    });
    faults.sort_by_key(|fault| (fault.span.start, fault.kind));
    Parsed {
        policy: Some(policy),
        first_wins,
        faults,
        warnings,
        json: Some(json),
    }
}

fn next_boundary(text: &str, at: usize) -> usize {
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    at + next.map_or(0, char::len_utf8)
}

/// Which of two equal keys counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    First,
    Last,
}

struct Reader<'j> {
    json: &'j Json,
    keep: Keep,
    /// Where the strings of lists stand, so that none has to be looked for.
    spans: BTreeMap<String, Range<usize>>,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl<'j> Reader<'j> {
    fn fault(
        &mut self,
        kind: FaultKind,
        pointer: &str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.faults.push(Fault {
            kind,
            message: message.into(),
            pointer: pointer.to_owned(),
            span,
            other: None,
            help: help.into(),
        });
    }

    fn warning(&mut self, kind: WarningKind, pointer: &str, span: Range<usize>, message: impl Into<String>) {
        self.warnings.push(Warning {
            kind,
            pointer: pointer.to_owned(),
            span,
            message: message.into(),
        });
    }

    fn check_size(&mut self, text: &str) {
        if text.len() <= MOST_BYTES {
            return;
        }
        let least = self.json.print(false).len();
        let span = self.json.span(self.json.root());
        if least > MOST_BYTES {
            self.fault(
                FaultKind::TooLarge,
                "",
                span,
                format!("Bucket policies are limited to 20KB: this one has {least} bytes without white space"),
                "name the account with `aws:SourceAccount` and the sources with a pattern, in place of one entry each",
            );
        } else {
            self.warning(
                WarningKind::Large,
                "",
                span,
                format!(
                    "the text has {} bytes, over the limit of 20 KB, and {least} without white space",
                    text.len()
                ),
            );
        }
    }

    /// Keys that stand twice in one object, anywhere.
    fn check_duplicates(&mut self) -> bool {
        let mut found = false;
        let mut open = vec![(self.json.root(), String::new())];
        while let Some((id, pointer)) = open.pop() {
            match self.json.value(id) {
                Value::Object(members) => {
                    let mut seen: BTreeMap<&str, Range<usize>> = BTreeMap::new();
                    for member in members {
                        let own = step(&pointer, &member.key);
                        if let Some(first) = seen.insert(&member.key, member.key_span.clone()) {
                            found = true;
                            self.faults.push(Fault {
                                kind: FaultKind::DuplicateKey,
                                message: format!("the key `{}` stands twice in one object", member.key),
                                pointer: own.clone(),
                                span: member.key_span.clone(),
                                other: Some(first),
                                help: "keep one of them; put their values into one list if both are meant"
                                    .to_owned(),
                            });
                        }
                        if self.holds_more(member.value) {
                            open.push((member.value, own));
                        }
                    }
                }
                Value::List(items) => {
                    for (number, item) in items.iter().enumerate() {
                        if self.holds_more(*item) {
                            open.push((*item, step(&pointer, &number.to_string())));
                        }
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
            }
        }
        found
    }

    fn holds_more(&self, id: NodeId) -> bool {
        matches!(self.json.value(id), Value::Object(_) | Value::List(_))
    }

    /// The members of an object, each key once.
    fn members(&self, id: NodeId) -> Vec<&'j Member> {
        let Value::Object(members) = self.json.value(id) else {
            return Vec::new();
        };
        let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, member) in members.iter().enumerate() {
            match self.keep {
                Keep::First => _ = kept.entry(&member.key).or_insert(number),
                Keep::Last => _ = kept.insert(&member.key, number),
            }
        }
        members
            .iter()
            .enumerate()
            .filter(|(number, member)| kept.get(member.key.as_str()) == Some(number))
            .map(|(_, member)| member)
            .collect()
    }

    fn policy(&mut self) -> Policy {
        let root = self.json.root();
        let mut policy = Policy {
            version: Version::Missing,
            id: None,
            statements: Vec::new(),
        };
        let mut has_statement = false;
        for member in self.members(root) {
            let pointer = step("", &member.key);
            match member.key.as_str() {
                "Version" => policy.version = self.version(member),
                "Id" => policy.id = self.text(member.value, &pointer),
                "Statement" => {
                    has_statement = true;
                    self.statements(member, &mut policy);
                }
                other => self.unknown_element(other, &pointer, member),
            }
        }
        let span = self.json.span(root);
        if !has_statement {
            self.fault(
                FaultKind::NoStatement,
                "",
                span.clone(),
                "Missing required field Statement",
                "a policy has a list `Statement` with at least one statement",
            );
        }
        if policy.version == Version::Missing {
            self.warning(
                WarningKind::NoVersion,
                "",
                span,
                "without `\"Version\": \"2012-10-17\"`, variables like `${aws:SourceAccount}` are plain text",
            );
        }
        self.check_variables(&policy);
        policy
    }

    fn version(&mut self, member: &Member) -> Version {
        match self.json.value(member.value) {
            Value::Text(text) if text == "2012-10-17" => Version::Of2012,
            Value::Text(text) if text == "2008-10-17" => Version::Of2008,
            _ => {
                let span = self.json.span(member.value);
                self.fault(
                    FaultKind::Version,
                    "/Version",
                    span,
                    "The policy must contain a valid version string",
                    "write `\"Version\": \"2012-10-17\"`",
                );
                Version::Other
            }
        }
    }

    fn unknown_element(&mut self, name: &str, pointer: &str, member: &Member) {
        let known = [
            "Version",
            "Id",
            "Statement",
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        let meant = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        self.fault(
            FaultKind::UnknownElement,
            pointer,
            member.key_span.clone(),
            format!("Unknown field {name}"),
            match meant {
                Some(meant) => format!("write `{meant}` here if it is meant; else remove it"),
                None => "remove it".to_owned(),
            },
        );
    }

    fn statements(&mut self, member: &Member, policy: &mut Policy) {
        match self.json.value(member.value) {
            Value::Object(_) => {
                let statement = self.statement(member.value, "/Statement".to_owned());
                policy.statements.push(statement);
            }
            Value::List(items) if !items.is_empty() => {
                for (number, item) in items.iter().enumerate() {
                    let pointer = format!("/Statement/{number}");
                    if matches!(self.json.value(*item), Value::Object(_)) {
                        let statement = self.statement(*item, pointer);
                        policy.statements.push(statement);
                    } else {
                        let (span, kind) = (self.json.span(*item), self.json.value(*item).kind());
                        self.fault(
                            FaultKind::Syntax,
                            &pointer,
                            span,
                            "Invalid policy syntax.",
                            format!("a statement is an object, not {kind}"),
                        );
                    }
                }
            }
            Value::List(_) => {
                let span = self.json.span(member.value);
                self.fault(
                    FaultKind::NoStatement,
                    "/Statement",
                    span,
                    "Could not parse the policy: Statement is empty!",
                    "a policy has at least one statement; to have none, delete the policy",
                );
            }
            other => {
                let (span, kind) = (self.json.span(member.value), other.kind());
                self.fault(
                    FaultKind::Syntax,
                    "/Statement",
                    span,
                    "Invalid policy syntax.",
                    format!("`Statement` is a list of objects, not {kind}"),
                );
            }
        }
    }

    fn statement(&mut self, id: NodeId, pointer: String) -> Statement {
        let span = self.json.span(id);
        let mut statement = Statement {
            sid: None,
            effect: Effect::Neither,
            principal: None,
            action: None,
            resource: None,
            conditions: Vec::new(),
            pointer: pointer.clone(),
        };
        let mut has_effect = false;
        for member in self.members(id) {
            let own = step(&pointer, &member.key);
            match member.key.as_str() {
                "Sid" => statement.sid = self.text(member.value, &own),
                "Effect" => {
                    has_effect = true;
                    statement.effect = self.effect(member, &own);
                }
                "Principal" | "NotPrincipal" => {
                    let principals = self.principals(member, own.clone());
                    self.once(statement.principal.is_some(), member, &own, "Principal");
                    statement.principal = Some(principals);
                }
                "Action" | "NotAction" => {
                    let listed = self.listed(member, own.clone());
                    self.once(statement.action.is_some(), member, &own, "Action");
                    self.check_actions(&listed);
                    statement.action = Some(listed);
                }
                "Resource" | "NotResource" => {
                    let listed = self.listed(member, own.clone());
                    self.once(statement.resource.is_some(), member, &own, "Resource");
                    self.check_resources(&listed);
                    statement.resource = Some(listed);
                }
                "Condition" => statement.conditions = self.conditions(member, &own),
                other => self.unknown_element(other, &own, member),
            }
        }
        if !has_effect {
            self.fault(
                FaultKind::Effect,
                &pointer,
                span.clone(),
                "Missing required field Effect",
                "write `\"Effect\": \"Allow\"` or `\"Effect\": \"Deny\"`",
            );
        }
        let is_empty = |listed: &Option<Listed>| listed.as_ref().is_none_or(|listed| listed.items.is_empty());
        if statement
            .principal
            .as_ref()
            .is_none_or(|principal| principal.listed.is_empty())
        {
            self.fault(
                FaultKind::NoPrincipal,
                &pointer,
                span.clone(),
                "Missing required field Principal cannot be empty!",
                "a bucket policy says whom a statement is about: `\"Principal\": {\"Service\": \"logging.s3.amazonaws.com\"}`",
            );
        }
        if is_empty(&statement.action) {
            self.fault(
                FaultKind::NoAction,
                &pointer,
                span.clone(),
                "Missing required field Action",
                "log delivery needs `\"Action\": \"s3:PutObject\"`",
            );
        }
        if is_empty(&statement.resource) {
            self.fault(
                FaultKind::NoResource,
                &pointer,
                span.clone(),
                "Missing required field Resource",
                "the objects of a bucket are `arn:aws:s3:::BUCKET/*`",
            );
        }
        self.check_agreement(&statement, span);
        statement
    }

    fn once(&mut self, again: bool, member: &Member, pointer: &str, name: &str) {
        if again {
            self.fault(
                FaultKind::BothForms,
                pointer,
                member.key_span.clone(),
                format!("Invalid policy syntax: both {name} and Not{name}"),
                format!("a statement has either `{name}` or `Not{name}`"),
            );
        }
    }

    fn effect(&mut self, member: &Member, pointer: &str) -> Effect {
        let written = match self.json.value(member.value) {
            Value::Text(text) => text.as_str(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => "",
        };
        let effect = if written.eq_ignore_ascii_case("Allow") {
            Effect::Allow
        } else if written.eq_ignore_ascii_case("Deny") {
            Effect::Deny
        } else {
            Effect::Neither
        };
        if !matches!(written, "Allow" | "Deny") {
            let span = self.json.span(member.value);
            self.fault(
                FaultKind::Effect,
                pointer,
                span,
                format!("Invalid effect: {written}"),
                "an effect is `Allow` or `Deny`, in this spelling",
            );
        }
        effect
    }

    fn principals(&mut self, member: &Member, pointer: String) -> Principals {
        let mut principals = Principals {
            negated: member.key == "NotPrincipal",
            listed: Vec::new(),
            pointer: pointer.clone(),
        };
        let span = self.json.span(member.value);
        match self.json.value(member.value) {
            Value::Text(text) if text == "*" => principals.listed.push(Principal {
                pointer,
                who: Who::Everyone,
            }),
            Value::Text(text) => {
                principals.listed.push(Principal {
                    pointer: pointer.clone(),
                    who: Who::Malformed(text.clone()),
                });
                self.fault(
                    FaultKind::Principal,
                    &pointer,
                    span,
                    "Invalid policy syntax.",
                    "the only bare string is `\"*\"`; write `{\"AWS\": \"...\"}` or `{\"Service\": \"...\"}`",
                );
            }
            Value::Object(_) => {
                for kind in self.members(member.value) {
                    let own = step(&pointer, &kind.key);
                    for item in self.items(kind.value, &own) {
                        let who = self.who(kind, &item);
                        principals.listed.push(Principal {
                            pointer: item.pointer,
                            who,
                        });
                    }
                }
            }
            other => {
                let kind = other.kind();
                self.fault(
                    FaultKind::Principal,
                    &pointer,
                    span,
                    "Invalid policy syntax.",
                    format!("a principal is `\"*\"` or an object, not {kind}"),
                );
            }
        }
        principals
    }

    fn who(&mut self, kind: &Member, item: &Item) -> Who {
        let text = item.text.clone();
        let (who, complaint) = match kind.key.as_str() {
            "AWS" => (Who::Aws(text), names::check_aws_principal(&item.text)),
            "Service" => (Who::Service(text), names::check_service_principal(&item.text)),
            "CanonicalUser" => (Who::CanonicalUser(text), None),
            "Federated" => (Who::Federated(text), None),
            _ => (
                Who::Malformed(text),
                Some((
                    FaultKind::Principal,
                    "the types are `AWS`, `Service`, `CanonicalUser` and `Federated`",
                )),
            ),
        };
        if let Some((fault, help)) = complaint {
            let span = self.span_of(&item.pointer, &kind.key_span);
            self.fault(fault, &item.pointer, span, "Invalid principal in policy", help);
        }
        who
    }

    fn span_of(&self, pointer: &str, otherwise: &Range<usize>) -> Range<usize> {
        self.spans
            .get(pointer)
            .cloned()
            .unwrap_or_else(|| otherwise.clone())
    }

    fn listed(&mut self, member: &Member, pointer: String) -> Listed {
        Listed {
            negated: member.key.starts_with("Not"),
            items: self.items(member.value, &pointer),
            pointer,
        }
    }

    /// A string, or a list of them. Numbers and booleans are taken as text.
    fn items(&mut self, id: NodeId, pointer: &str) -> Vec<Item> {
        match self.json.value(id) {
            Value::List(items) => items
                .iter()
                .enumerate()
                .filter_map(|(number, item)| self.item(*item, step(pointer, &number.to_string())))
                .collect(),
            _ => self.item(id, pointer.to_owned()).into_iter().collect(),
        }
    }

    fn item(&mut self, id: NodeId, pointer: String) -> Option<Item> {
        let (text, is_number) = match self.json.value(id) {
            Value::Text(text) => (text.clone(), false),
            Value::Number(number) => (number.clone(), true),
            Value::Bool(value) => (value.to_string(), false),
            other => {
                let (span, kind) = (self.json.span(id), other.kind());
                self.fault(
                    FaultKind::Syntax,
                    &pointer,
                    span,
                    "Invalid policy syntax.",
                    format!("a string or a list of strings stands here, not {kind}"),
                );
                return None;
            }
        };
        self.spans.insert(pointer.clone(), self.json.span(id));
        Some(Item {
            pointer,
            text,
            is_number,
        })
    }

    fn text(&mut self, id: NodeId, pointer: &str) -> Option<String> {
        match self.json.value(id) {
            Value::Text(text) => Some(text.clone()),
            other => {
                let (span, kind) = (self.json.span(id), other.kind());
                self.fault(
                    FaultKind::Syntax,
                    pointer,
                    span,
                    "Invalid policy syntax.",
                    format!("a string stands here, not {kind}"),
                );
                None
            }
        }
    }

    fn check_actions(&mut self, listed: &Listed) {
        for item in &listed.items {
            let complaint = names::check_action(&item.text);
            let Some((kind, help)) = complaint else { continue };
            let span = self.span_of(&item.pointer, &(0..0));
            self.fault(kind, &item.pointer, span, "Policy has invalid action", help);
        }
    }

    fn check_resources(&mut self, listed: &Listed) {
        for item in &listed.items {
            if let Some(help) = names::check_resource(&item.text) {
                let span = self.span_of(&item.pointer, &(0..0));
                self.fault(
                    FaultKind::Resource,
                    &item.pointer,
                    span,
                    "Policy has invalid resource",
                    help,
                );
            }
        }
    }

    fn conditions(&mut self, member: &Member, pointer: &str) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if !matches!(self.json.value(member.value), Value::Object(_)) {
            let (span, kind) = (self.json.span(member.value), self.json.value(member.value).kind());
            self.fault(
                FaultKind::Syntax,
                pointer,
                span,
                "Invalid policy syntax.",
                format!("a condition is an object of operators, not {kind}"),
            );
        }
        for operator in self.members(member.value) {
            let own = step(pointer, &operator.key);
            let parsed = Operator::parse(&operator.key);
            if parsed.is_none() {
                self.fault(
                    FaultKind::Operator,
                    &own,
                    operator.key_span.clone(),
                    format!("Invalid Condition type : {}", operator.key),
                    names::operator_help(&operator.key),
                );
            }
            if !matches!(self.json.value(operator.value), Value::Object(_)) {
                let (span, kind) = (
                    self.json.span(operator.value),
                    self.json.value(operator.value).kind(),
                );
                self.fault(
                    FaultKind::Syntax,
                    &own,
                    span,
                    "Invalid policy syntax.",
                    format!("under an operator stands an object of keys, not {kind}"),
                );
            }
            let mut cases: BTreeMap<String, &Member> = BTreeMap::new();
            for key in self.members(operator.value) {
                let pointer = step(&own, &key.key);
                if let Some(other) = cases.insert(key.key.to_ascii_lowercase(), key) {
                    self.faults.push(Fault {
                        kind: FaultKind::DuplicateConditionKey,
                        message: format!("`{}` and `{}` are one condition key", other.key, key.key),
                        pointer: pointer.clone(),
                        span: key.key_span.clone(),
                        other: Some(other.key_span.clone()),
                        help: "put their values into one list".to_owned(),
                    });
                }
                let values = self.items(key.value, &pointer);
                self.check_condition(parsed, key, &pointer, &values);
                conditions.push(Condition {
                    pointer,
                    operator: operator.key.clone(),
                    parsed,
                    key: key.key.clone(),
                    values,
                });
            }
        }
        conditions
    }

    fn check_condition(&mut self, operator: Option<Operator>, key: &Member, pointer: &str, values: &[Item]) {
        if open::is_in(&key.key) {
            return;
        }
        match keys::spelling(&key.key) {
            keys::Spelling::Known | keys::Spelling::Elsewhere => {}
            keys::Spelling::NoSuchAwsKey => self.warning(
                WarningKind::NoSuchKey,
                pointer,
                key.key_span.clone(),
                format!(
                    "there is no key `{}`: S3 accepts it, and it is never present",
                    key.key
                ),
            ),
            keys::Spelling::NoSuchS3Key => self.fault(
                FaultKind::UnknownConditionKey,
                pointer,
                key.key_span.clone(),
                "Policy has an invalid condition key",
                format!("S3 has no condition key `{}`", key.key),
            ),
            keys::Spelling::NoPrefix => self.fault(
                FaultKind::ConditionKey,
                pointer,
                key.key_span.clone(),
                "Policy has an invalid condition key",
                "a condition key has a prefix: `aws:` or `s3:`",
            ),
        }
        if operator.is_some_and(|operator| operator.test == Test::IpAddress) {
            for item in values {
                if parse_network(&item.text).is_none() && !item.text.contains("${") {
                    let span = self.span_of(&item.pointer, &key.key_span);
                    self.fault(
                        FaultKind::IpAddress,
                        &item.pointer,
                        span,
                        "Invalid IP address in Conditions",
                        "write an address or a range, like `203.0.113.0/24` or `2001:db8::/32`",
                    );
                }
            }
        }
        if key.key.to_ascii_lowercase().ends_with("account") {
            let lacks_digits = |item: &&Item| item.is_number && !names::is_account(&item.text);
            for item in values.iter().filter(lacks_digits) {
                let span = self.span_of(&item.pointer, &key.key_span);
                self.warning(
                    WarningKind::NumberAsAccount,
                    &item.pointer,
                    span,
                    "an account id as a number, which has lost its leading zeros",
                );
            }
        }
    }

    /// Actions, resources and conditions that have nothing to do with each other.
    fn check_agreement(&mut self, statement: &Statement, span: Range<usize>) {
        let (Some(action), Some(resource)) = (&statement.action, &statement.resource) else {
            return;
        };
        if action.negated {
            return;
        }
        let reaches_objects = |item: &Item| {
            let name = item.text.splitn(6, ':').nth(5).unwrap_or(&item.text);
            name.contains(['/', '*', '?', '$'])
        };
        if !resource.negated && !resource.items.is_empty() && !resource.items.iter().any(reaches_objects) {
            let lonely = action
                .items
                .iter()
                .find(|item| names::is_object_action(&item.text));
            if let Some(lonely) = lonely {
                let bucket = resource
                    .items
                    .first()
                    .map_or("arn:aws:s3:::BUCKET", |item| &item.text);
                self.fault(
                    FaultKind::ActionWithoutResource,
                    &lonely.pointer,
                    self.span_of(&lonely.pointer, &span),
                    "Action does not apply to any resource(s) in statement",
                    format!(
                        "`{}` is about objects: add `{bucket}/*` to the resources",
                        lonely.text
                    ),
                );
            }
        }
        for condition in &statement.conditions {
            let Some(needed) = names::only_with(&condition.key) else {
                continue;
            };
            let fits = |item: &Item| open::is_in(&item.text) || names::could_be_one_of(&item.text, needed);
            if !action.items.is_empty() && !action.items.iter().any(fits) {
                self.fault(
                    FaultKind::ConditionWithoutAction,
                    &condition.pointer,
                    self.span_of(&condition.pointer, &span),
                    "Conditions do not apply to combination of actions and resources in statement",
                    format!("`{}` goes only with {}", condition.key, needed.join(", ")),
                );
            }
        }
    }

    /// Variables that are not closed, not named, or stand where none may.
    fn check_variables(&mut self, policy: &Policy) {
        if !policy.version.has_variables() {
            return;
        }
        for statement in &policy.statements {
            let resources = statement.resource.iter().flat_map(|listed| &listed.items);
            let values = statement
                .conditions
                .iter()
                .filter(|condition| {
                    condition.parsed.is_some_and(|operator| {
                        matches!(
                            operator.test,
                            Test::StringEquals
                                | Test::StringEqualsIgnoreCase
                                | Test::StringLike
                                | Test::Arn
                                | Test::Bool
                        )
                    })
                })
                .flat_map(|condition| &condition.values);
            for item in resources.chain(values) {
                if let Some(help) = super::template::check(&item.text) {
                    let span = self.span_of(&item.pointer, &(0..0));
                    self.fault(
                        FaultKind::Variable,
                        &item.pointer,
                        span,
                        "Invalid policy syntax: a broken variable",
                        help,
                    );
                }
            }
        }
    }
}

/// An address or a range of them; no length means one address.
pub fn parse_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => longest,
        Some(length) => length
            .parse::<u8>()
            .ok()
            .filter(|_| length.bytes().all(|b| b.is_ascii_digit()))?,
    };
    (length <= longest).then_some((address, length))
}
