//! What is there already tells where a stack goes: a bucket that its template names is in the stack's account and
//! region, or the deploy fails.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::{Name, World, is_bucket};
use super::stack::Stack;
use super::value::Truth;
use crate::inventory::Inventory;
use crate::name::{AccountId, Region};

/// The accounts that the templates are laid onto.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    buckets: BTreeMap<String, Home>,
    account: Option<AccountId>,
    region: Option<Region>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Home {
    account: Option<AccountId>,
    region: Option<Region>,
}

impl There {
    pub fn of(inventory: &Inventory) -> Self {
        let mut buckets = BTreeMap::new();
        for account in &inventory.accounts {
            for bucket in account.buckets.iter().filter(|bucket| bucket.name_known) {
                let home = Home {
                    account: account.id.known().cloned(),
                    region: bucket.region.known().cloned(),
                };
                buckets.insert(bucket.label.to_string(), home);
            }
        }
        let account = match inventory.accounts.as_slice() {
            [only] => only.id.known().cloned(),
            _ => None,
        };
        // A bucket whose region isn't known may be in any.
        let regions: Option<BTreeSet<&Region>> = buckets.values().map(|home| home.region.as_ref()).collect();
        let region = regions.and_then(only).cloned();
        Self {
            buckets,
            account,
            region,
        }
    }

    /// Fills what nobody said of the stacks' accounts and regions; the sentences tell what was only taken to be so.
    pub(super) fn fill(&self, stacks: &mut [Stack]) -> Vec<String> {
        let is_open =
            |stack: &Stack| stack.environment.account.is_none() || stack.environment.region.is_none();
        if self.buckets.is_empty() && self.account.is_none() || !stacks.iter().any(is_open) {
            return Vec::new();
        }
        let named = self.named_by(stacks);
        let mut remarks = Vec::new();
        for number in 0..stacks.len() {
            // A nested stack goes where the one around it goes, which stands before it.
            if let Some(parent) = &stacks[number].parent {
                let outer = stacks[parent.stack].environment.clone();
                let inner = &mut stacks[number].environment;
                inner.account = inner.account.take().or(outer.account);
                inner.region = inner.region.take().or(outer.region);
                continue;
            }
            let homes: Vec<&Home> = named
                .iter()
                .filter(|(outermost, _)| *outermost == number)
                .map(|(_, home)| *home)
                .collect();
            let accounts = homes.iter().filter_map(|home| home.account.as_ref()).collect();
            let regions: BTreeSet<&Region> = homes.iter().filter_map(|home| home.region.as_ref()).collect();
            let is_told = !regions.is_empty();
            let Stack {
                name, environment, ..
            } = &mut stacks[number];
            let account = only(accounts).or(self.account.as_ref());
            if environment.account.is_none() {
                environment.account = account.map(AccountId::to_string);
            }
            if environment.region.is_none() {
                let region = if is_told {
                    only(regions)
                } else {
                    self.region.as_ref()
                };
                environment.region = region.map(Region::to_string);
                if let (Some(region), false) = (region, is_told) {
                    remarks.push(format!(
                        "`{name}` is taken to go to {region}, where all of the account's buckets are; `check --region` says \
                         otherwise"
                    ));
                }
            }
        }
        remarks
    }

    /// The buckets that are there and that a template declares by their names, each with the outermost stack.
    fn named_by(&self, stacks: &[Stack]) -> Vec<(usize, &Home)> {
        let world = World::new(stacks.to_vec());
        let mut named = Vec::new();
        for number in 0..stacks.len() {
            for resource in world.resources(number).all.iter().filter(|each| is_bucket(each)) {
                let condition = resource.condition();
                let is_deployed =
                    condition.is_none_or(|name| world.condition(number, None, name, 0) == Truth::True);
                if let (true, Name::Known(name)) = (is_deployed, world.bucket_name(number, resource, 0))
                    && let Some(home) = self.buckets.get(&name)
                {
                    named.push((world.outermost_number(number), home));
                }
            }
        }
        named
    }
}

fn only<T: Ord>(all: BTreeSet<T>) -> Option<T> {
    let mut all = all.into_iter();
    match (all.next(), all.next()) {
        (Some(one), None) => Some(one),
        (_, _) => None,
    }
}
