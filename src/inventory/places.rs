//! Where the settings of one bucket are written: a few places, by the call that asks for each.

use std::sync::Arc;

use super::{Call, Place};

/// A map of the few settings that are written somewhere. An account has one for each bucket, so it takes no more room
/// than its places, and a copy takes none.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// In the order of the calls.
    all: Option<Arc<Vec<(Call, Place)>>>,
}

impl Places {
    pub fn get(&self, call: &Call) -> Option<&Place> {
        let position = self.position(call).ok()?;
        self.listed().get(position).map(|(_, place)| place)
    }

    pub fn contains_key(&self, call: &Call) -> bool {
        self.position(call).is_ok()
    }

    /// The place that stood there before, if one did.
    pub fn insert(&mut self, call: Call, place: Place) -> Option<Place> {
        let position = self.position(&call);
        let all = Arc::make_mut(self.all.get_or_insert_default());
        match position {
            Ok(position) => Some(std::mem::replace(&mut all[position].1, place)),
            Err(position) => {
                all.reserve_exact(1);
                all.insert(position, (call, place));
                None
            }
        }
    }

    pub fn remove(&mut self, call: &Call) -> Option<Place> {
        let position = self.position(call).ok()?;
        let all = Arc::make_mut(self.all.as_mut()?);
        Some(all.remove(position).1)
    }

    fn listed(&self) -> &[(Call, Place)] {
        self.all.as_ref().map_or(&[], |all| all.as_slice())
    }

    fn position(&self, call: &Call) -> Result<usize, usize> {
        self.listed().binary_search_by_key(call, |(other, _)| *other)
    }
}

impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        self.listed() == other.listed()
    }
}

impl Eq for Places {}
