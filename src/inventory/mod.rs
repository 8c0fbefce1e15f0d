//! What exists: accounts, their buckets, and what is known of each. Without a judgement.
//!
//! An inventory comes from the answers of AWS, from a plan or from a template; the rules can't tell which.

mod allowance;
mod call;
mod document;
mod fact;
mod places;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

pub use allowance::{Allowance, AllowanceFault};
pub use call::Call;
pub use document::{Document, Host, Place, Title};
pub use fact::{Fact, Why};
pub use places::Places;
pub use settings::{
    Acl, Encryption, Grant, Grantee, LifecycleRule, ObjectLock, ObjectOwnership, Payer, PublicAccessBlock,
    Settings, Versioning,
};

use crate::name::{AccountId, BucketName, NameError, Partition, Region};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Ordered by account id.
    pub accounts: Vec<Account>,
    /// How many calls it took to learn this, where AWS was asked.
    pub api_calls: Option<u64>,
    /// When AWS was asked, as it was recorded (RFC 3339).
    pub taken_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: Fact<AccountId>,
    pub partition: Partition,
    /// Absent: the account is known to be in no organization.
    pub organization: Fact<String>,
    pub listing: Listing,
    /// Ordered by name.
    pub buckets: Vec<Bucket>,
    /// Targets that the account doesn't list, by name.
    pub elsewhere: BTreeMap<String, Existence>,
    /// What a deploy takes away here, by the bucket's name; empty where no deploy was laid over the account.
    pub losses: BTreeMap<String, Vec<Loss>>,
}

impl Account {
    pub fn new(id: Fact<AccountId>) -> Self {
        Self {
            id,
            partition: Partition::default(),
            organization: Fact::Unknown(Why::NotRead),
            listing: Listing::Complete,
            buckets: Vec::new(),
            elsewhere: BTreeMap::new(),
            losses: BTreeMap::new(),
        }
    }

    pub fn bucket(&self, label: &str) -> Option<&Bucket> {
        self.bucket_index(label).map(|index| &self.buckets[index])
    }

    pub fn bucket_index(&self, label: &str) -> Option<usize> {
        self.buckets
            .binary_search_by(|bucket| bucket.label.as_ref().cmp(label))
            .ok()
    }
}

/// Something that a deploy takes away from a bucket, and with it perhaps the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    pub of: Lost,
    /// The bucket that is lost, where another name takes its place.
    pub old_name: Option<String>,
    /// The resource that is deleted or replaced.
    pub address: String,
    /// The file that says so.
    pub title: String,
    pub place: Option<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lost {
    /// The bucket is deleted.
    Bucket,
    /// The bucket is deleted and created again: in between nothing is delivered.
    BucketForAWhile,
    Policy,
    Logging,
}

/// Whether the list of buckets names every bucket of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// A bucket that is not in it is not this account's.
    Complete,
    /// A plan, a template, or names given by hand: what is not in it may exist all the same.
    Partial,
    /// AWS was asked and didn't answer.
    Unknown(Why),
}

impl Listing {
    /// Why there is no list, where AWS gave none.
    pub fn why(&self) -> Option<&Why> {
        match self {
            Listing::Complete | Listing::Partial => None,
            Listing::Unknown(why) => Some(why),
        }
    }
}

/// What is known of a target that the account doesn't list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existence {
    /// Nobody has a bucket of this name.
    Missing,
    /// Somebody has; the region where AWS told it.
    Exists {
        region: Option<Region>,
    },
    Unknown(Why),
}

/// A condition of a template that can't be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    pub condition: String,
    /// The buckets, by their labels, that log here and are never there without this one.
    pub there_with: BTreeSet<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name; its address (`aws_s3_bucket.logs[0]`) where the name isn't known before a deploy.
    pub label: Arc<str>,
    pub name_known: bool,
    pub region: Fact<Region>,
    /// Where the region isn't known: buckets with the same text here are in the same one, whichever it is.
    pub region_of: Option<Arc<str>>,
    /// Absent: server access logging is off.
    pub logging: Fact<Logging>,
    /// The run was asked to look at this bucket, not only past it.
    pub in_scope: bool,
    /// Where the bucket is declared, in a file.
    pub place: Option<Place>,
    /// What is allowed on it, where it is declared.
    pub allowances: Vec<Allowance>,
    /// Buckets of the same template that are never there together with this one, by their labels: their conditions
    /// exclude each other.
    pub never_with: Vec<Arc<str>>,
    /// The condition of its template on which it hangs whether the bucket is there, where that can't be told.
    pub hangs_on: Option<Arc<Hanging>>,
    pub settings: BucketSettings,
}

/// The settings, or why there are none. Most buckets are no log target and were not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketSettings {
    NotRead,
    Fresh,
    Read(Box<Settings>),
}

static NOT_READ: LazyLock<Settings> = LazyLock::new(|| Settings::unknown(&Why::NotRead));
static FRESH: LazyLock<Settings> = LazyLock::new(Settings::of_a_fresh_bucket);

impl Bucket {
    pub fn settings(&self) -> &Settings {
        match &self.settings {
            BucketSettings::NotRead => &NOT_READ,
            BucketSettings::Fresh => &FRESH,
            BucketSettings::Read(settings) => settings,
        }
    }
}

/// A logging configuration: the edge that leaves a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    pub target: Fact<TargetRef>,
    pub prefix: Fact<String>,
    pub key_format: Fact<KeyFormat>,
    pub target_grants: Vec<Grant>,
    pub place: Place,
    /// Where a file writes the prefix, if not at that place.
    pub prefix_place: Option<Box<Place>>,
}

/// How a logging configuration names its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetRef {
    /// As AWS or the file says it, good or bad.
    Name(String),
    /// A bucket of the same plan or template whose name isn't known yet.
    Address(String),
}

impl TargetRef {
    pub fn text(&self) -> &str {
        match self {
            TargetRef::Name(text) | TargetRef::Address(text) => text,
        }
    }

    /// Whether it can be the name of a bucket at all.
    pub fn check(&self) -> Result<(), NameError> {
        match self {
            TargetRef::Name(text) => BucketName::parse(text).map(|_| ()),
            TargetRef::Address(_) => Ok(()),
        }
    }
}

/// `TargetObjectKeyFormat`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetObjectKeyFormat.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyFormat {
    Simple,
    PartitionedByEventTime,
    PartitionedByDeliveryTime,
}

impl KeyFormat {
    pub fn is_partitioned(self) -> bool {
        match self {
            KeyFormat::Simple => false,
            KeyFormat::PartitionedByEventTime | KeyFormat::PartitionedByDeliveryTime => true,
        }
    }

    pub fn word(self) -> &'static str {
        if self.is_partitioned() {
            "partitioned"
        } else {
            "simple"
        }
    }
}
