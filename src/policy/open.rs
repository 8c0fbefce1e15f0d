//! What a policy leaves open that a template makes: the name that a bucket gets with the deploy, the account that it is
//! deployed to, a parameter without a value.
//!
//! Such a part is written `${…}` behind a character that nobody sees and nobody types; only what reads templates
//! writes it. It is no variable of IAM, which S3 would fill in itself.
//!
//! Where it stands as a whole condition key, the condition is open: nobody knows whether it is there, nor what it says.

use std::borrow::Cow;

const BUCKET: char = '\u{2061}';
const ACCOUNT: char = '\u{2062}';
const MISSING: char = '\u{2063}';
const MADE: char = '\u{2064}';

const MARKS: [char; 4] = [BUCKET, ACCOUNT, MISSING, MADE];

/// A part of a text that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// The name of a bucket that has none yet, by the bucket's label.
    Bucket(String),
    /// The account that the policy is deployed to.
    Account,
    /// The input doesn't tell it.
    Missing(String),
    /// Only the deploy makes it: the ARN of a role.
    Made(String),
}

impl Open {
    /// How it stands in the text of a policy.
    pub fn written(&self) -> String {
        let (mark, inside) = match self {
            Open::Bucket(label) => (BUCKET, label.as_str()),
            Open::Account => (ACCOUNT, "AWS::AccountId"),
            Open::Missing(what) => (MISSING, what.as_str()),
            Open::Made(what) => (MADE, what.as_str()),
        };
        format!("{mark}${{{}}}", inside.replace(['{', '}'], " "))
    }

    /// The key of a condition of which only the deploy tells anything.
    pub fn condition() -> String {
        Open::Missing("a condition that only the deploy tells".to_owned()).written()
    }

    /// The one at the start of a text, and what follows it.
    pub fn leading(text: &str) -> Option<(Self, &str)> {
        let mark = text.chars().next().filter(|c| MARKS.contains(c))?;
        let (inside, after) = text[mark.len_utf8()..].strip_prefix("${")?.split_once('}')?;
        let inside = inside.to_owned();
        let open = match mark {
            BUCKET => Open::Bucket(inside),
            ACCOUNT => Open::Account,
            MADE => Open::Made(inside),
            _ => Open::Missing(inside),
        };
        Some((open, after))
    }
}

/// Where the first one stands in a text.
pub fn position(text: &str) -> Option<usize> {
    text.find(MARKS)
}

pub fn is_in(text: &str) -> bool {
    position(text).is_some()
}

/// Whether a part is told only by the deploy, or not at all: it may be anything. A bucket or an account without a
/// name is not meant.
pub fn is_told_later(text: &str) -> bool {
    text.contains([MISSING, MADE])
}

/// A text to show: the marks are for the machine.
pub fn shown(text: &str) -> Cow<'_, str> {
    match is_in(text) {
        true => Cow::Owned(text.replace(MARKS, "")),
        false => Cow::Borrowed(text),
    }
}

/// What stands for a name or an id that isn't known, in a request and in the patterns held against it.
pub mod stand_in {
    pub const TARGET: char = '\u{f0000}';
    pub const SOURCE: char = '\u{f0001}';
    /// A bucket of the same deploy that is neither: two buckets never have one name.
    pub const OTHER: char = '\u{f0002}';
    pub const ACCOUNT: char = '\u{f0003}';

    pub fn is_one(c: char) -> bool {
        (TARGET..=ACCOUNT).contains(&c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_shown_without_its_mark() {
        for open in [
            Open::Bucket("stack/Logs".to_owned()),
            Open::Account,
            Open::Missing("P of stack".to_owned()),
            Open::Made("stack/Role.Arn".to_owned()),
        ] {
            let text = format!("{}/*", open.written());
            assert_eq!(Open::leading(&text), Some((open, "/*")));
            assert!(is_in(&text) && shown(&text).starts_with("${"), "{text}");
        }
        assert_eq!(Open::leading("${aws:username}"), None);
        assert!(!is_in("${aws:username}"));
    }
}
