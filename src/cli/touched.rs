//! What a change touches: of this AWS is asked, and of nothing else.
//!
//! Who logs to a bucket that a change takes something from is told by the sources alone, so each bucket of its region
//! is asked where it logs. Everything else is asked only of what is touched, and of its targets.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "aws")]
use crate::aws::Outlook;
use crate::collect::deployment::{BucketKey, Declared, Deployment, Fate, Said};
use crate::inventory::{Fact, Inventory, TargetRef};
use crate::name::{BucketName, Region};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// The buckets that are there already, as far as the files know.
    existing: BTreeSet<String>,
    /// The buckets that the files may create, with their region where they tell it.
    created: BTreeMap<String, Option<Region>>,
    /// The log targets that the files name.
    targets: BTreeSet<String>,
}

impl Touched {
    /// What the files speak of; with `changes_only` without what they leave as it is.
    pub fn of(deployments: &[Deployment], changes_only: bool) -> Self {
        let mut touched = Self::default();
        let declared = deployments.iter().flat_map(|deployment| &deployment.declared);
        for each in declared.filter(|each| !changes_only || changes(each)) {
            touched.add(&each.bucket, each);
            let logging = &*each.configuration.logging;
            if let Said::Sets(Fact::Known(logging)) | Said::Unchanged(Fact::Known(logging)) = logging
                && let Fact::Known(TargetRef::Name(name)) = &logging.target
                && BucketName::parse(name).is_ok()
            {
                touched.targets.insert(name.clone());
            }
        }
        // What one file creates and another one speaks of isn't there before the one.
        let created = &touched.created;
        touched.existing.retain(|name| !created.contains_key(name));
        touched
    }

    fn add(&mut self, bucket: &BucketKey, declared: &Declared) {
        match bucket {
            // What can't be a name can't be asked for.
            BucketKey::Name(name) if BucketName::parse(name).is_err() => {}
            BucketKey::Name(name) if declared.fate == Fate::Created => {
                let region = self.created.entry(name.clone()).or_default();
                *region = region.take().or_else(|| declared.region.known().cloned());
            }
            BucketKey::Name(name) => {
                self.existing.insert(name.clone());
            }
            // It has no name yet, so nobody can have it; or which it is can't be told.
            BucketKey::Address(_) | BucketKey::Any => {}
            BucketKey::OneOf(candidates) => {
                for candidate in candidates {
                    if let BucketKey::Name(name) = candidate
                        && BucketName::parse(name).is_ok()
                    {
                        self.existing.insert(name.clone());
                    }
                }
            }
        }
    }

    pub fn names(&self, bucket: &str) -> bool {
        self.existing.contains(bucket) || self.created.contains_key(bucket) || self.targets.contains(bucket)
    }

    pub fn names_all_of(&self, other: &Self) -> bool {
        let mut names = other
            .existing
            .iter()
            .chain(other.created.keys())
            .chain(&other.targets);
        names.all(|name| self.names(name))
    }

    /// The buckets that must be there.
    pub fn existing(&self) -> impl Iterator<Item = &str> {
        self.existing.iter().map(String::as_str)
    }

    #[cfg(feature = "aws")]
    pub fn outlook(&self) -> Outlook {
        Outlook {
            targets: self.targets.clone(),
            created: self.created.clone(),
            sources: true,
        }
    }

    /// The run is about the far ends of their edges too: the sources, whose logs a change may stop, and the targets of
    /// today, which it may leave. Else what is left behind would pass for repaired.
    pub fn widen(&self, inventory: &mut Inventory) {
        for account in &mut inventory.accounts {
            let mut ends = BTreeSet::new();
            for bucket in &account.buckets {
                let Some(target) = bucket.logging.known().and_then(|logging| logging.target.known()) else {
                    continue;
                };
                if self.names(target.text()) {
                    ends.insert(bucket.label.to_string());
                }
                let is_moved = self.existing.contains(bucket.label.as_ref())
                    || self.created.contains_key(bucket.label.as_ref());
                if is_moved {
                    ends.insert(target.text().to_owned());
                }
            }
            for bucket in &mut account.buckets {
                bucket.in_scope |= ends.contains(bucket.label.as_ref());
            }
        }
    }
}

/// Whether the bucket, or anything of it, is written or taken away.
fn changes(declared: &Declared) -> bool {
    match declared.fate {
        Fate::Created | Fate::Updated | Fate::Deleted | Fate::Replaced => true,
        // Forgotten is what Terraform manages no longer: nothing of it is touched.
        Fate::Kept | Fate::Forgotten | Fate::NotSaid => declared.configuration.is_written(),
    }
}
