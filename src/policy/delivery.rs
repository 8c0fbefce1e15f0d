//! What is asked: the delivery of one source's logs to one target, with everything that may be unknown.

use std::sync::Arc;

use super::open::stand_in;
use super::syntax::LOG_SERVICE;
use super::truth::Truth;
use super::words::{Class, Words, joined};
use crate::name::{AccountId, Partition, Region};

/// One edge, as the policy meets it. `None` is always "not known".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub partition: Partition,
    pub source_bucket: Option<Arc<str>>,
    /// The owner of the source. A delivery that works has the same owner at both ends.
    pub source_account: Option<AccountId>,
    pub target_bucket: Option<Arc<str>>,
    pub target_account: Option<AccountId>,
    /// What a template calls the ends that get their names with the deploy.
    pub unnamed: Unnamed,
    /// Of both ends.
    pub region: Option<Region>,
    pub prefix: Option<Arc<str>>,
    pub layout: Option<KeyLayout>,
    pub organization: Told<String>,
    pub default_encryption: Option<DefaultEncryption>,
    /// For conditions on the time, RFC 3339.
    pub now: Option<Arc<str>>,
    pub acl: AclRoute,
}

/// The labels of buckets that have no name yet; policies of the same deploy speak of them by these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unnamed {
    pub source: Option<Arc<str>>,
    pub target: Option<Arc<str>>,
}

impl Unnamed {
    /// What stands for the name of the bucket with this label.
    pub fn stand_in(&self, label: &str) -> char {
        if self.target.as_deref() == Some(label) {
            stand_in::TARGET
        } else if self.source.as_deref() == Some(label) {
            stand_in::SOURCE
        } else {
            stand_in::OTHER
        }
    }
}

/// What somebody told: a value, that there is none, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<T> {
    Known(T),
    Absent,
    Unknown,
}

/// How keys are made after the prefix.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetObjectKeyFormat.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLayout {
    /// `YYYY-MM-DD-hh-mm-ss-` and sixteen hexadecimal digits.
    Simple,
    /// `account/region/source/YYYY/MM/DD/` before that.
    Partitioned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultEncryption {
    SseS3,
    Kms,
}

/// The way past the policy: the LogDelivery group in the target's ACL.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AclRoute {
    pub ownership: Option<Ownership>,
    /// LogDelivery holds WRITE.
    pub write: Option<bool>,
    /// LogDelivery holds READ_ACP.
    pub read_acp: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// ACLs have no effect.
    BucketOwnerEnforced,
    /// Any other setting, and none: ACLs count.
    AclsCount,
}

impl AclRoute {
    /// Owner-enforced, as every bucket made since April 2023 is.
    pub const CLOSED: Self = Self {
        ownership: Some(Ownership::BucketOwnerEnforced),
        write: Some(false),
        read_acp: Some(false),
    };

    pub fn enforced(self) -> Truth {
        match self.ownership {
            Some(Ownership::BucketOwnerEnforced) => Truth::True,
            Some(Ownership::AclsCount) => Truth::False,
            None => Truth::Unknown,
        }
    }

    /// LogDelivery may write, were ACLs to count.
    pub fn would_grant(self) -> Truth {
        known(self.write)
    }

    /// `partial` is the answer for WRITE without READ_ACP, on which AWS's pages disagree.
    pub fn grants(self, partial: Truth) -> Truth {
        let read_acp = match self.read_acp {
            Some(true) => Truth::True,
            Some(false) => partial,
            None => Truth::Unknown,
        };
        (!self.enforced()).and(known(self.write)).and(read_acp)
    }
}

fn known(fact: Option<bool>) -> Truth {
    fact.map_or(Truth::Unknown, Truth::from)
}

impl Delivery {
    /// An edge of which only its ends are known.
    pub fn between(source: &str, target: &str) -> Self {
        Self {
            partition: Partition::default(),
            source_bucket: Some(source.into()),
            source_account: None,
            target_bucket: Some(target.into()),
            target_account: None,
            unnamed: Unnamed::default(),
            region: None,
            prefix: None,
            layout: Some(KeyLayout::Simple),
            organization: Told::Unknown,
            default_encryption: None,
            now: None,
            acl: AclRoute {
                ownership: None,
                write: None,
                read_acp: None,
            },
        }
    }

    /// The names of all objects that this edge writes: the bucket, a slash, the key.
    pub fn object_names(&self) -> Words<'_> {
        let words = Words::default();
        let words = match &self.target_bucket {
            Some(name) => words.then(&**name),
            None => unnamed(words, self.unnamed.target.as_deref(), &self.unnamed),
        };
        let words = words.then("/");
        let words = match &self.prefix {
            Some(prefix) => words.then(&**prefix),
            None => words.then_some(Class::Anything, 0, None),
        };
        joined(match self.layout {
            Some(KeyLayout::Simple) => simple_key(words),
            Some(KeyLayout::Partitioned) => {
                let words = match &self.source_account {
                    Some(account) => words.then(account.as_str()),
                    None => words.then_account(),
                };
                let words = words.then("/");
                let words = match &self.region {
                    Some(region) => words.then(region.as_str()),
                    None => words.then_some(Class::Name, 3, None),
                };
                let words = words.then("/");
                let words = match &self.source_bucket {
                    Some(source) => words.then(&**source),
                    None => unnamed(words, self.unnamed.source.as_deref(), &self.unnamed),
                };
                simple_key(day(words.then("/")).then("/"))
            }
            None => words.then_some(Class::Anything, 37, None),
        })
    }

    /// The source's ARN.
    pub fn source_arn(&self) -> Words<'_> {
        let arn = Words::one(format!("arn:{}:s3:::", self.partition));
        joined(match &self.source_bucket {
            Some(name) => arn.then(&**name),
            None => unnamed(arn, self.unnamed.source.as_deref(), &self.unnamed),
        })
    }

    /// The source, to show.
    pub fn source_shown(&self) -> &str {
        let label = self.source_bucket.as_deref().or(self.unnamed.source.as_deref());
        label.unwrap_or("SOURCE")
    }

    /// The target, to show.
    pub fn target_shown(&self) -> &str {
        let label = self.target_bucket.as_deref().or(self.unnamed.target.as_deref());
        label.unwrap_or("TARGET")
    }

    /// One of these keys, to show.
    pub fn example_key(&self) -> String {
        let prefix = self.prefix.as_deref().unwrap_or("PREFIX");
        let time = "2026-11-22-07-30-00-0123456789ABCDEF";
        match self.layout {
            Some(KeyLayout::Partitioned) => format!(
                "{prefix}{}/{}/{}/2026/11/22/{time}",
                self.source_account.as_ref().map_or("ACCOUNT", |id| id.as_str()),
                self.region.as_ref().map_or("REGION", |region| region.as_str()),
                self.source_shown(),
            ),
            Some(KeyLayout::Simple) | None => format!("{prefix}{time}"),
        }
    }

    /// The day of `now`.
    pub fn day(&self) -> Option<jiff::civil::Date> {
        let seconds = super::compare::parse_instant(self.now.as_deref()?)?;
        let instant = jiff::Timestamp::from_second(seconds).ok()?;
        Some(jiff::tz::Offset::UTC.to_datetime(instant).date())
    }

    pub fn service(&self) -> &'static str {
        LOG_SERVICE
    }
}

fn unnamed<'a>(words: Words<'a>, label: Option<&str>, all: &Unnamed) -> Words<'a> {
    match label {
        Some(label) => words.then_name(all.stand_in(label)),
        None => words.then_some(Class::Name, 3, None),
    }
}

/// A year of this century: a pattern like `20*` covers every log until the next one.
fn year(words: Words<'_>) -> Words<'_> {
    words.then("20").then_some(Class::Digit, 2, Some(2))
}

/// `YYYY/MM/DD`
fn day(words: Words<'_>) -> Words<'_> {
    let mut words = year(words);
    for _ in 0..2 {
        words = words.then("/").then_some(Class::Digit, 2, Some(2));
    }
    words
}

/// `YYYY-MM-DD-hh-mm-ss-` and the unique end.
fn simple_key(words: Words<'_>) -> Words<'_> {
    let mut words = year(words);
    for _ in 0..5 {
        words = words.then("-").then_some(Class::Digit, 2, Some(2));
    }
    words.then("-").then_some(Class::Hexadecimal, 16, Some(16))
}
