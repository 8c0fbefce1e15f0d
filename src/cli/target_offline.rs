//! Nothing can be asked of a target here: this build knows recordings alone.

use super::arguments::AccountArguments;
use super::error::Error;
use crate::inventory::Inventory;
use crate::name::Region;
use crate::plan::{Enable, Plan};

pub fn read(_account: &AccountArguments, _inventory: &mut Inventory, goal: &mut Enable) -> Result<(), Error> {
    // A recording doesn't say what is in a bucket: one that is there counts as full.
    goal.empty.clear();
    Ok(())
}

pub fn read_touched(
    _account: &AccountArguments,
    _inventory: &mut Inventory,
    _plan: &Plan,
) -> Result<(), Error> {
    Ok(())
}

pub fn read_one(
    _account: &AccountArguments,
    _inventory: &mut Inventory,
    _target: &str,
    _region: Option<Region>,
) -> Result<(), Error> {
    Ok(())
}
