//! From an inventory and a goal to a plan: changes that are shown, and the very same changes applied.
//!
//! Pure. A plan is made, projected and shown without a call; `apply` carries it out. There is no dry run inside: not
//! applying is the dry run.

mod change;
mod consequence;
mod delivery;
pub mod diff;
mod draft;
mod enable;
mod file;
mod grant;
mod lifecycle;
mod normal;
mod project;
mod refusal;
mod repair;
mod statement;
mod template;

pub use change::{Change, Namespace, NewBucket, Put, Setting};
pub use consequence::Consequences;
pub use enable::{Enable, Sources, TargetChoice, enable, targets};
pub use file::PlanFileError;
pub use grant::Reach;
pub use project::{current, project, project_into};
pub use refusal::Refusal;
pub use repair::{Left, Repair, Repairs, repair, why_not};
pub use template::fill;

use crate::inventory::Inventory;
use crate::name::{AccountId, BucketName, Partition};

/// Changes to one account, in the order in which they are applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub account: AccountId,
    pub partition: Partition,
    pub changes: Vec<Change>,
    /// What a person should know before saying yes.
    pub remarks: Vec<String>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The inventory once every change is applied.
    pub fn project(&self, inventory: &Inventory) -> Inventory {
        let mut projected = inventory.clone();
        for change in &self.changes {
            project_into(&mut projected, &self.account, change);
        }
        projected
    }

    /// The changes that aren't so already, as far as that is known.
    pub fn undone(&self, inventory: &Inventory) -> Vec<Change> {
        let account = inventory
            .accounts
            .iter()
            .find(|account| account.id.known() == Some(&self.account));
        let is_so = |change: &Change| account.is_some_and(|account| project::is_so_already(account, change));
        let gone: Vec<&BucketName> = self
            .changes
            .iter()
            .filter(|change| matches!(change, Change::DeleteBucket(_)) && is_so(change))
            .map(Change::bucket)
            .collect();
        // With a bucket, everything that stood in it is taken back.
        let is_done = |change: &Change| is_so(change) || gone.contains(&change.bucket());
        self.changes
            .iter()
            .filter(|change| !is_done(change))
            .cloned()
            .collect()
    }

    /// The plan that takes this one back.
    pub fn inverse(&self) -> Self {
        Self {
            changes: self.changes.iter().rev().map(Change::inverse).collect(),
            remarks: Vec::new(),
            ..self.clone()
        }
    }
}
