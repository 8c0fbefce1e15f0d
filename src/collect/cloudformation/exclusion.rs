//! Resources that are never deployed together: their conditions exclude each other.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::World;
use super::value::Truth;
use crate::collect::deployment::{BucketKey, Configuration, Declared, Fate, Hanging, Said};
use crate::inventory::{Fact, TargetRef, Why};

/// So many buckets with the same keys are not compared with each other.
const MOST_TWINS: usize = 500;

/// The conditions that a bucket's resource hangs on and that can't be told: its own, and those of the nested stacks that
/// it is in. Each with its stack.
type Conditions = BTreeSet<(usize, String)>;

/// The buckets that hang on conditions, by their position among what is declared.
#[derive(Debug, Default)]
pub(super) struct Conditional {
    of: BTreeMap<usize, Conditions>,
}

impl Conditional {
    pub fn note(&mut self, world: &World, stack: usize, condition: Option<&str>, position: usize) {
        let mut all = Conditions::new();
        let mut add = |stack: usize, name: Option<&str>| {
            if let Some(name) = name
                && matches!(world.condition(stack, None, name, 0), Truth::Unknown(_))
            {
                all.insert((stack, name.to_owned()));
            }
        };
        add(stack, condition);
        for parent in world.around(stack) {
            add(parent.stack, parent.condition.as_deref());
        }
        if !all.is_empty() {
            self.of.insert(position, all);
        }
    }

    /// Tells each bucket which others are never there with it. It matters where they would write the same keys.
    pub fn mark(&self, world: &World, declared: &mut [Declared]) {
        let mut twins: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for position in self.of.keys() {
            if let Said::Sets(Fact::Known(logging)) = &*declared[*position].configuration.logging
                && let (Some(target), Some(prefix)) = (logging.target.known(), logging.prefix.known())
            {
                twins.entry((target.text(), prefix)).or_default().push(*position);
            }
        }
        let mut never: BTreeMap<usize, Vec<BucketKey>> = BTreeMap::new();
        for positions in twins.values().filter(|twins| twins.len() <= MOST_TWINS) {
            for one in positions {
                let others = positions
                    .iter()
                    .filter(|other| self.exclude(world, *one, **other));
                let keys = others.map(|other| declared[*other].bucket.clone()).collect();
                never.insert(*one, keys);
            }
        }
        for (position, keys) in never {
            declared[position].never_with = keys;
        }
    }

    /// Tells each bucket which of those that log to it are never there without it. Of two for one name, one may be there
    /// whatever holds.
    pub fn hang(&self, world: &World, declared: &mut [Declared]) {
        let mut times: BTreeMap<&BucketKey, usize> = BTreeMap::new();
        for each in declared.iter().filter(|each| each.fate == Fate::Created) {
            *times.entry(&each.bucket).or_default() += 1;
        }
        let alone = self
            .of
            .keys()
            .filter(|position| times.get(&declared[**position].bucket) == Some(&1));
        let mut hanging: BTreeMap<BucketKey, (usize, Vec<BucketKey>)> = alone
            .map(|position| (declared[*position].bucket.clone(), (*position, Vec::new())))
            .collect();
        for source in self.of.keys() {
            let each = &declared[*source];
            if let Said::Sets(Fact::Known(logging)) = &*each.configuration.logging
                && let Some(target) = logging.target.known()
                && let Some((position, there_with)) = hanging.get_mut(&key(target))
                && self.demands(world, *source, *position)
            {
                there_with.push(each.bucket.clone());
            }
        }
        for (position, there_with) in hanging.into_values() {
            let first = self.of.get(&position).and_then(BTreeSet::first);
            declared[position].hangs_on = first.map(|(_, condition)| Hanging {
                condition: condition.clone(),
                there_with,
            });
        }
    }

    /// Whether all that a resource hangs on holds wherever another one is there.
    fn demands(&self, world: &World, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.of.get(&one), self.of.get(&other)) else {
            return false;
        };
        other.iter().all(|(stack, name)| {
            let own = one.iter().filter(|(its, _)| its == stack);
            own.into_iter()
                .any(|(_, own)| own == name || world.condition(*stack, Some(own), name, 0) == Truth::True)
        })
    }

    fn exclude(&self, world: &World, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.of.get(&one), self.of.get(&other)) else {
            return false;
        };
        let denies = |(a, one): &(usize, String), (b, other): &(usize, String)| {
            a == b && world.condition(*a, Some(one), other, 0) == Truth::False
        };
        one.iter()
            .any(|one| other.iter().any(|other| denies(one, other) || denies(other, one)))
    }
}

fn key(target: &TargetRef) -> BucketKey {
    match target {
        TargetRef::Name(name) => BucketKey::Name(name.clone()),
        TargetRef::Address(address) => BucketKey::Address(address.clone()),
    }
}

/// Two resources for one name can't both be deployed: which one is, and so what it says, isn't known.
pub(super) fn exclude_each_other(declared: &mut [Declared]) {
    let mut seen: BTreeMap<BucketKey, usize> = BTreeMap::new();
    for each in declared.iter().filter(|each| each.fate == Fate::Created) {
        *seen.entry(each.bucket.clone()).or_default() += 1;
    }
    let unknown = || Why::NotRead;
    for each in declared {
        if each.fate == Fate::Created && seen.get(&each.bucket).is_some_and(|times| *times > 1) {
            each.configuration = Configuration {
                logging: Said::Sets(Fact::Unknown(unknown())).into(),
                policy: Said::LeftOut {
                    on_a_new_bucket: None,
                }
                .into(),
                acl: Said::Sets(Fact::Unknown(unknown())).into(),
                object_ownership: Said::Sets(Fact::Unknown(unknown())).into(),
                encryption: Said::Sets(Fact::Unknown(unknown())).into(),
                object_lock: Said::Sets(Fact::Unknown(unknown())).into(),
                payer: Said::Silent.into(),
                lifecycle: Said::Sets(Fact::Unknown(unknown())).into(),
                versioning: Said::Sets(Fact::Unknown(unknown())).into(),
                public_access_block: Said::Sets(Fact::Unknown(unknown())).into(),
                places: std::mem::take(&mut each.configuration.places),
            };
        }
    }
}
