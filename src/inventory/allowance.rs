//! What a file allows on a bucket that it declares: a comment, metadata, or a tag, next to the bucket.

use jiff::civil::Date;

use super::Place;

/// How a comment begins that means us: with a colon behind it.
const MARK: &str = "s3log-lint";

/// One rule that is allowed on one bucket, as it is written. Whether there is such a rule is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The rule's code or name.
    pub rule: String,
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Date>,
    /// Why it can't be obeyed.
    pub fault: Option<AllowanceFault>,
    pub place: Place,
}

/// What is wrong with an allowance, whatever the rules are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowanceFault {
    #[error("`{0}` is not `allow`")]
    Verb(String),
    #[error("the colon is missing: `s3log-lint: allow …`")]
    NoColon,
    #[error("it names no rule")]
    NoRule,
    #[error("it gives no reason")]
    NoReason,
    #[error("`{0}` is no date like 2027-01-31")]
    Date(String),
}

impl Allowance {
    /// From its parts, as metadata gives them.
    pub fn new(rule: &str, reason: &str, expires: Option<&str>, place: Place) -> Self {
        let (rule, reason) = (rule.trim(), reason.trim());
        let date = expires.map(|text| (text, text.trim().parse::<Date>()));
        let fault = match (&date, rule.is_empty(), reason.is_empty()) {
            (_, true, _) => Some(AllowanceFault::NoRule),
            (Some((text, Err(_))), ..) => Some(AllowanceFault::Date((*text).to_owned())),
            (_, _, true) => Some(AllowanceFault::NoReason),
            _ => None,
        };
        Self {
            rule: rule.to_owned(),
            reason: reason.to_owned(),
            expires: date.and_then(|(_, date)| date.ok()),
            fault,
            place,
        }
    }

    /// The text of a comment, without the sign that starts it: `s3log-lint: allow S3L003 until 2027-01-31 reason`.
    /// Several rules are parted by commas. Nothing where the comment doesn't mean us.
    pub fn in_comment(text: &str, place: &Place) -> Vec<Self> {
        let Some(said) = text.trim().strip_prefix(MARK) else {
            return Vec::new();
        };
        let unread = |fault: AllowanceFault| {
            vec![Self {
                fault: Some(fault),
                ..Self::new("", "", None, place.clone())
            }]
        };
        let Some(said) = said.trim_start().strip_prefix(':') else {
            // Prose may begin with our name; what goes on like a suppression is meant as one.
            let (verb, _) = word(said);
            let is_meant = said.starts_with(char::is_whitespace) && matches!(verb, "allow" | "allow:");
            return match is_meant {
                true => unread(AllowanceFault::NoColon),
                false => Vec::new(),
            };
        };
        let (verb, rest) = word(said);
        match verb {
            "allow" => Self::listed(rest, place),
            verb => unread(AllowanceFault::Verb(verb.to_owned())),
        }
    }

    /// What follows `allow`, and the whole value of a tag: `S3L003 until 2027-01-31 reason`.
    pub fn listed(text: &str, place: &Place) -> Vec<Self> {
        let mut rules = Vec::new();
        let mut rest = text.trim_start();
        // `S3L003, S3L007 reason`: a comma says that another rule follows.
        loop {
            let (rule, after) = word(rest);
            let more = rule.ends_with(',') || after.starts_with(',');
            rules.extend(rule.split(',').filter(|rule| !rule.is_empty()));
            rest = after.trim_start_matches(',').trim_start();
            if !more || rest.is_empty() {
                break;
            }
        }
        let (expires, reason) = match word(rest) {
            ("until", after) => {
                let (date, reason) = word(after);
                (Some(date), reason)
            }
            _ => (None, rest),
        };
        if rules.is_empty() {
            rules.push("");
        }
        rules
            .into_iter()
            .map(|rule| Self::new(rule, reason, expires, place.clone()))
            .collect()
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inventory::{Document, Title};

    fn read(text: &str) -> Vec<(String, String, Option<String>, Option<AllowanceFault>)> {
        let document = Arc::new(Document {
            title: Title::File {
                path: "main.tf".to_owned(),
            },
            text: text.into(),
            host: None,
        });
        Allowance::in_comment(text, &Place::new(&document, ""))
            .into_iter()
            .map(|a| (a.rule, a.reason, a.expires.map(|date| date.to_string()), a.fault))
            .collect()
    }

    fn good(
        rule: &str,
        reason: &str,
        expires: Option<&str>,
    ) -> (String, String, Option<String>, Option<AllowanceFault>) {
        (
            rule.to_owned(),
            reason.to_owned(),
            expires.map(str::to_owned),
            None,
        )
    }

    #[test]
    fn a_comment_names_rules_a_reason_and_perhaps_a_last_day() {
        assert_eq!(
            read(" s3log-lint: allow S3L003 it is archived"),
            [good("S3L003", "it is archived", None)]
        );
        assert_eq!(
            read("s3log-lint: allow S3L003,self-logging until 2027-01-31 moves then "),
            [
                good("S3L003", "moves then", Some("2027-01-31")),
                good("self-logging", "moves then", Some("2027-01-31"))
            ]
        );
        assert_eq!(
            read("s3log-lint:allow S3L003, S3L007 , S3L008 because"),
            [
                good("S3L003", "because", None),
                good("S3L007", "because", None),
                good("S3L008", "because", None)
            ]
        );
        assert_eq!(read("TODO: s3log-lint: allow S3L003 not ours"), []);
        assert_eq!(read("checkov:skip=CKV_AWS_18:not ours"), []);
    }

    #[test]
    fn what_cannot_be_obeyed_says_why() {
        let fault = |text: &str| read(text).remove(0).3;
        assert_eq!(fault("s3log-lint: allow S3L003"), Some(AllowanceFault::NoReason));
        assert_eq!(fault("s3log-lint: allow"), Some(AllowanceFault::NoRule));
        assert_eq!(
            fault("s3log-lint: alow S3L003 x"),
            Some(AllowanceFault::Verb("alow".to_owned()))
        );
        for text in ["s3log-lint allow S3L003 x", "s3log-lint allow: S3L003 x"] {
            assert_eq!(fault(text), Some(AllowanceFault::NoColon));
        }
        assert_eq!(read("s3log-lint allows nothing here"), []);
        assert_eq!(read("s3log-lint's findings are in the wiki"), []);
        assert_eq!(read("s3log-linter: allow it"), []);
        assert_eq!(
            fault("s3log-lint: allow S3L003 until tomorrow x"),
            Some(AllowanceFault::Date("tomorrow".to_owned()))
        );
        assert_eq!(
            fault("s3log-lint: allow S3L003 until 2027-02-30 x"),
            Some(AllowanceFault::Date("2027-02-30".to_owned()))
        );
    }
}
