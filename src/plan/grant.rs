//! The statement that lets S3 deliver logs, merged into a policy whose other statements keep their every byte.
//!
//! A statement of this shape is widened rather than doubled, whatever its `Sid` and whoever wrote it: Allow, the
//! logging service alone, `s3:PutObject` alone, scoped to the account and to sources.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;
use serde_json::value::RawValue;

use super::refusal::Refusal;
use crate::name::{AccountId, Partition};
use crate::policy::{LOG_SERVICE, MOST_BYTES};

const SID: &str = "S3ServerAccessLogs";

/// How far the grant reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// The sources by name, and the account where naming them would exceed S3's limit.
    #[default]
    Sources,
    /// Every bucket of the account.
    Account,
    /// Every bucket of the organization, by its id.
    Organization(String),
}

/// What the policy of a target must allow.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    pub partition: &'a Partition,
    pub account: &'a AccountId,
    pub target: &'a str,
    /// Each source that has no grant yet, with its prefix.
    pub sources: Vec<(&'a str, &'a str)>,
    pub reach: &'a Reach,
    /// A new bucket's policy also refuses requests without TLS. Log delivery comes with TLS.
    pub only_tls: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub text: String,
    /// Naming every source would have exceeded S3's limit: the grant is for the whole account.
    pub widened_to_account: bool,
}

/// The policy's text with the grant in it.
pub fn merge(text: Option<&str>, wanted: &Wanted<'_>) -> Result<Merged, Refusal> {
    let exact = attempt(text, wanted, wanted.reach)?;
    if exact.len() <= MOST_BYTES {
        return Ok(Merged {
            text: exact,
            widened_to_account: false,
        });
    }
    if *wanted.reach == Reach::Sources {
        let wide = attempt(text, wanted, &Reach::Account)?;
        if wide.len() <= MOST_BYTES {
            return Ok(Merged {
                text: wide,
                widened_to_account: true,
            });
        }
    }
    Err(Refusal::PolicyFull {
        bucket: wanted.target.to_owned(),
        bytes: exact.len(),
    })
}

fn attempt(text: Option<&str>, wanted: &Wanted<'_>, reach: &Reach) -> Result<String, Refusal> {
    let Some(text) = text else {
        return Ok(new_policy(wanted, reach));
    };
    let outline = Outline::read(text).ok_or_else(|| Refusal::MalformedPolicy {
        bucket: wanted.target.to_owned(),
        reason: "it is no JSON object with statements".to_owned(),
    })?;
    let layout = Layout::of(text);
    let ours = outline
        .statements
        .iter()
        .find_map(|statement| Ours::recognise(text, statement.clone(), wanted));
    match (ours, reach) {
        (Some(ours), Reach::Sources | Reach::Account) => Ok(ours.widen(text, wanted, reach, layout)),
        (Some(_), Reach::Organization(_)) | (None, _) => {
            let sid = free_sid(text);
            let statement = Statement::new(wanted, reach, &sid);
            Ok(outline.insert(text, &statement, layout))
        }
    }
}

// --- a policy of our own ---

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy<'a> {
    version: &'static str,
    statement: Vec<Written<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Grant(Statement<'a>),
    OnlyTls(OnlyTls),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    sid: &'a str,
    effect: &'static str,
    principal: BTreeMap<&'static str, &'static str>,
    action: &'static str,
    resource: String,
    condition: BTreeMap<&'static str, BTreeMap<&'static str, OneOrMore>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnlyTls {
    sid: &'static str,
    effect: &'static str,
    principal: &'static str,
    action: &'static str,
    resource: [String; 2],
    condition: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
}

/// A list of one is written as its value, as people do.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn new(mut all: Vec<String>) -> Self {
        match all.len() {
            1 => Self::One(all.remove(0)),
            _ => Self::More(all),
        }
    }
}

impl<'a> Statement<'a> {
    fn new(wanted: &Wanted<'_>, reach: &Reach, sid: &'a str) -> Self {
        let scope = match reach {
            Reach::Sources | Reach::Account => ("aws:SourceAccount", wanted.account.to_string()),
            Reach::Organization(id) => ("aws:SourceOrgID", id.clone()),
        };
        let sources = match reach {
            Reach::Sources => source_arns(wanted),
            Reach::Account | Reach::Organization(_) => vec![wanted.every_bucket()],
        };
        Self {
            sid,
            effect: "Allow",
            principal: BTreeMap::from([("Service", LOG_SERVICE)]),
            action: "s3:PutObject",
            resource: wanted.resource(reach),
            condition: BTreeMap::from([
                (
                    "ArnLike",
                    BTreeMap::from([("aws:SourceArn", OneOrMore::new(sources))]),
                ),
                (
                    "StringEquals",
                    BTreeMap::from([(scope.0, OneOrMore::One(scope.1))]),
                ),
            ]),
        }
    }
}

impl Wanted<'_> {
    fn every_bucket(&self) -> String {
        format!("arn:{}:s3:::*", self.partition)
    }

    fn keys(&self, prefix: &str) -> String {
        format!("arn:{}:s3:::{}/{prefix}*", self.partition, self.target)
    }

    /// One source writes under its prefix; several write anywhere in the log bucket.
    fn resource(&self, reach: &Reach) -> String {
        match (reach, self.sources.as_slice()) {
            (Reach::Sources, [(_, prefix)]) => self.keys(prefix),
            _ => self.keys(""),
        }
    }
}

fn source_arns(wanted: &Wanted<'_>) -> Vec<String> {
    wanted
        .sources
        .iter()
        .map(|(source, _)| format!("arn:{}:s3:::{source}", wanted.partition))
        .collect()
}

fn new_policy(wanted: &Wanted<'_>, reach: &Reach) -> String {
    let mut statement = vec![Written::Grant(Statement::new(wanted, reach, SID))];
    if wanted.only_tls {
        let bucket = format!("arn:{}:s3:::{}", wanted.partition, wanted.target);
        statement.push(Written::OnlyTls(OnlyTls {
            sid: "OnlyTls",
            effect: "Deny",
            principal: "*",
            action: "s3:*",
            resource: [bucket.clone(), format!("{bucket}/*")],
            condition: BTreeMap::from([("Bool", BTreeMap::from([("aws:SecureTransport", "false")]))]),
        }));
    }
    let policy = Policy {
        version: "2012-10-17",
        statement,
    };
    serde_json::to_string_pretty(&policy).expect("because it is made of texts and lists of texts alone")
}

fn free_sid(text: &str) -> String {
    let mut sid = SID.to_owned();
    let mut number = 2;
    while text.contains(&format!("\"{sid}\"")) {
        sid = format!("{SID}{number}");
        number += 1;
    }
    sid
}

// --- somebody's policy ---

/// Where the statements stand in a policy's text.
struct Outline {
    /// The value of `Statement`.
    whole: Range<usize>,
    statements: Vec<Range<usize>>,
    is_list: bool,
}

/// The bytes of a value that borrows from this text.
fn span(text: &str, raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + raw.get().len()
}

fn members(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

impl Outline {
    fn read(text: &str) -> Option<Self> {
        let policy = members(text)?;
        let statement = policy.get("Statement")?;
        let whole = span(text, statement);
        let inner = statement.get();
        let is_list = inner.starts_with('[');
        let statements = match is_list {
            true => serde_json::from_str::<Vec<&RawValue>>(inner)
                .ok()?
                .into_iter()
                .map(|one| span(text, one))
                .collect(),
            false => vec![whole.clone()],
        };
        Some(Self {
            whole,
            statements,
            is_list,
        })
    }

    fn insert(&self, text: &str, statement: &Statement<'_>, layout: Layout) -> String {
        let Some(last) = self.statements.last() else {
            let written = layout.write(statement, 0);
            return spliced(text, self.whole.clone(), &format!("[{written}]"));
        };
        let depth = layout.depth_at(text, last.start);
        let written = layout.write(statement, depth);
        let starts_line = text[..last.start].trim_end_matches([' ', '\t']).ends_with('\n');
        let separator = match (layout, starts_line) {
            (Layout::Lines { .. }, true) => format!(",\n{}", layout.indent(depth)),
            (Layout::Lines { .. }, false) => ", ".to_owned(),
            (Layout::OneLine, _) => ",".to_owned(),
        };
        match self.is_list {
            true => spliced(text, last.end..last.end, &format!("{separator}{written}")),
            false => spliced(
                text,
                self.whole.clone(),
                &format!("[{}{separator}{written}]", &text[self.whole.clone()]),
            ),
        }
    }
}

fn spliced(text: &str, at: Range<usize>, with: &str) -> String {
    let mut out = String::with_capacity(text.len() + with.len());
    out.push_str(&text[..at.start]);
    out.push_str(with);
    out.push_str(&text[at.end..]);
    out
}

/// A statement of our shape, and the places of its two lists.
struct Ours {
    resource: (Range<usize>, Vec<String>),
    sources: (Range<usize>, Vec<String>),
}

impl Ours {
    fn recognise(text: &str, statement: Range<usize>, wanted: &Wanted<'_>) -> Option<Self> {
        let parts = members(&text[statement])?;
        let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
        if parts.keys().any(|key| !known.contains(&key.as_str())) {
            return None;
        }
        let is = |key: &str, value: &str| {
            parts
                .get(key)
                .and_then(|raw| texts(raw))
                .is_some_and(|all| all == [value])
        };
        let principal = members(parts.get("Principal")?.get())?;
        let service = principal.get("Service").and_then(|raw| texts(raw))?;
        if !is("Effect", "Allow")
            || principal.len() != 1
            || service != [LOG_SERVICE]
            || !is("Action", "s3:PutObject")
        {
            return None;
        }
        let resource_raw = parts.get("Resource")?;
        let resource = texts(resource_raw)?;
        let of_target = wanted.keys("");
        let of_target = of_target.trim_end_matches('*');
        if !resource.iter().all(|one| one.starts_with(of_target)) {
            return None;
        }
        let condition = parts.get("Condition")?;
        let operators = members(condition.get())?;
        let (mut account, mut sources) = (false, None);
        for (name, raw) in &operators {
            let keys = members(raw.get())?;
            for (key, value) in &keys {
                let values = texts(value)?;
                if key.eq_ignore_ascii_case("aws:SourceAccount")
                    && name == "StringEquals"
                    && values == [wanted.account.as_str()]
                {
                    account = true;
                } else if key.eq_ignore_ascii_case("aws:SourceArn")
                    // Each of these takes wildcards, so that it can be widened to the account.
                    && matches!(name.as_str(), "ArnLike" | "ArnEquals" | "StringLike")
                    && sources.is_none()
                {
                    sources = Some((span(text, value), values));
                } else {
                    return None;
                }
            }
        }
        match account {
            true => Some(Self {
                resource: (span(text, resource_raw), resource),
                sources: sources?,
            }),
            false => None,
        }
    }

    fn widen(self, text: &str, wanted: &Wanted<'_>, reach: &Reach, layout: Layout) -> String {
        let (resource_at, mut resource) = self.resource;
        let (sources_at, mut sources) = self.sources;
        match reach {
            Reach::Sources => {
                for arn in source_arns(wanted) {
                    if !sources.contains(&arn) {
                        sources.push(arn);
                    }
                }
                let covered = |prefix: &str| {
                    let keys = wanted.keys(prefix);
                    let start = keys.trim_end_matches('*');
                    resource
                        .iter()
                        .any(|one| one.strip_suffix('*').is_some_and(|stem| start.starts_with(stem)))
                };
                if !wanted.sources.iter().all(|(_, prefix)| covered(prefix)) {
                    resource = vec![wanted.keys("")];
                }
            }
            Reach::Account | Reach::Organization(_) => {
                sources = vec![wanted.every_bucket()];
                resource = vec![wanted.keys("")];
            }
        }
        let mut edits = vec![(resource_at, resource), (sources_at, sources)];
        // From behind, so that the places before stay where they are.
        edits.sort_by_key(|(at, _)| std::cmp::Reverse(at.start));
        let mut out = text.to_owned();
        for (at, values) in edits {
            if texts_of(&text[at.clone()]).as_ref() != Some(&values) {
                let written = layout.write_list(text, at.start, values);
                out = spliced(&out, at, &written);
            }
        }
        out
    }
}

fn texts(raw: &RawValue) -> Option<Vec<String>> {
    texts_of(raw.get())
}

fn texts_of(text: &str) -> Option<Vec<String>> {
    match text.starts_with('[') {
        true => serde_json::from_str(text).ok(),
        false => serde_json::from_str(text).ok().map(|one| vec![one]),
    }
}

/// How a policy is written: what is put in is written so too.
#[derive(Debug, Clone, Copy)]
enum Layout {
    OneLine,
    Lines { unit: usize, tab: bool },
}

impl Layout {
    fn of(text: &str) -> Self {
        let indented = text
            .lines()
            .skip(1)
            .map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()])
            .find(|indent| !indent.is_empty());
        match (text.trim().contains('\n'), indented) {
            (false, _) => Layout::OneLine,
            (true, Some(indent)) => Layout::Lines {
                unit: indent.len(),
                tab: indent.starts_with('\t'),
            },
            (true, None) => Layout::Lines { unit: 2, tab: false },
        }
    }

    /// How many characters the line of this place is indented by.
    fn depth_at(self, text: &str, at: usize) -> usize {
        let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        text[line..]
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    }

    fn indent(self, depth: usize) -> String {
        match self {
            Layout::OneLine => String::new(),
            Layout::Lines { tab: true, .. } => "\t".repeat(depth),
            Layout::Lines { tab: false, .. } => " ".repeat(depth),
        }
    }

    fn write<T: Serialize>(self, value: &T, depth: usize) -> String {
        match self {
            Layout::OneLine => {
                serde_json::to_string(value).expect("because it is made of texts and lists of texts alone")
            }
            Layout::Lines { unit, .. } => {
                let unit = self.indent(unit);
                let mut out = Vec::new();
                let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
                let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
                value
                    .serialize(&mut serializer)
                    .expect("because it is made of texts and lists of texts alone");
                let text = String::from_utf8(out).expect("because serde_json writes UTF-8");
                text.replace('\n', &format!("\n{}", self.indent(depth)))
            }
        }
    }

    fn write_list(self, text: &str, at: usize, values: Vec<String>) -> String {
        self.write(&OneOrMore::new(values), self.depth_at(text, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(text: Option<&str>, sources: &[(&str, &str)], reach: &Reach) -> Merged {
        let (partition, account) = (
            Partition::default(),
            AccountId::parse("111122223333").expect("an account"),
        );
        let wanted = Wanted {
            partition: &partition,
            account: &account,
            target: "logs",
            sources: sources.to_vec(),
            reach,
            only_tls: text.is_none(),
        };
        merge(text, &wanted).expect("it can be merged")
    }

    #[test]
    fn a_new_policy_grants_and_asks_for_tls() {
        let merged = merged(None, &[("app-data", "app-data/")], &Reach::Sources);
        assert_eq!(
            merged.text,
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "S3ServerAccessLogs",
      "Effect": "Allow",
      "Principal": {
        "Service": "logging.s3.amazonaws.com"
      },
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::logs/app-data/*",
      "Condition": {
        "ArnLike": {
          "aws:SourceArn": "arn:aws:s3:::app-data"
        },
        "StringEquals": {
          "aws:SourceAccount": "111122223333"
        }
      }
    },
    {
      "Sid": "OnlyTls",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": [
        "arn:aws:s3:::logs",
        "arn:aws:s3:::logs/*"
      ],
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "false"
        }
      }
    }
  ]
}"#
        );
    }

    #[test]
    fn a_statement_of_our_shape_is_widened_in_place() {
        let first = merged(None, &[("app-data", "app-data/")], &Reach::Sources).text;
        let second = merged(Some(&first), &[("web-assets", "web-assets/")], &Reach::Sources).text;
        let expected = first
            .replace(
                r#""aws:SourceArn": "arn:aws:s3:::app-data""#,
                "\"aws:SourceArn\": [\n            \"arn:aws:s3:::app-data\",\n            \"arn:aws:s3:::web-assets\"\n          ]",
            )
            .replace("logs/app-data/*", "logs/*");
        assert_eq!(second, expected);
        let again = merged(Some(&second), &[("web-assets", "web-assets/")], &Reach::Sources).text;
        assert_eq!(again, second);
    }

    #[test]
    fn other_statements_keep_their_bytes() {
        let odd = "{ \"Version\" : \"2012-10-17\",\n   \"Statement\":[ {\"Effect\":\"Deny\" ,\"Principal\":\"*\",\
                   \"Action\":\"s3:DeleteObject\",\"Resource\":\"arn:aws:s3:::logs/*\"} ] }";
        let text = merged(Some(odd), &[("app", "app/")], &Reach::Sources).text;
        let statement =
            &odd[odd.find("{\"Effect").expect("it is there")..odd.find("} ]").expect("it is there")];
        assert!(text.contains(statement), "{text}");
        let policy: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(policy["Statement"][1]["Action"], "s3:PutObject");

        let one = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::logs/x"}}"#;
        let text = merged(Some(one), &[("app", "app/")], &Reach::Sources).text;
        let policy: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(policy["Statement"][0]["Effect"], "Deny");
        assert_eq!(policy["Statement"][1]["Effect"], "Allow");
        assert!(!text.contains('\n'), "one line stays one line: {text}");
    }

    #[test]
    fn five_hundred_sources_fit_and_it_says_so() {
        let names: Vec<String> = (0..500)
            .map(|n| format!("a-bucket-with-a-name-of-usual-length-{n}"))
            .collect();
        let sources: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x/")).collect();
        let merged = merged(None, &sources, &Reach::Sources);
        assert!(merged.widened_to_account);
        assert!(merged.text.len() < MOST_BYTES);
        assert!(merged.text.contains(r#""aws:SourceArn": "arn:aws:s3:::*""#));
        assert!(merged.text.contains(r#""aws:SourceAccount": "111122223333""#));
    }

    #[test]
    fn an_organization_is_granted_on_request() {
        let reach = Reach::Organization("o-exampleorgid".to_owned());
        let text = merged(None, &[("app", "app/")], &reach).text;
        assert!(text.contains(r#""aws:SourceOrgID": "o-exampleorgid""#), "{text}");
        assert!(!text.contains("SourceAccount"), "{text}");
    }
}
