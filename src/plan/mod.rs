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
use crate::name::{AccountId, Partition};

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

    /// The plan that takes this one back.
    pub fn inverse(&self) -> Self {
        Self {
            changes: self.changes.iter().rev().map(Change::inverse).collect(),
            remarks: Vec::new(),
            ..self.clone()
        }
    }
}
