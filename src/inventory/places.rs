//! Where the settings of one bucket are written: a few places, by the call that asks for each.

use super::{Call, Place};

/// A map of the few settings that are written somewhere. An account has one for each bucket, so it takes no more room
/// than its places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// In the order of the calls.
    all: Vec<(Call, Place)>,
}

impl Places {
    pub fn get(&self, call: &Call) -> Option<&Place> {
        let position = self.position(call).ok()?;
        Some(&self.all[position].1)
    }

    pub fn contains_key(&self, call: &Call) -> bool {
        self.position(call).is_ok()
    }

    /// The place that stood there before, if one did.
    pub fn insert(&mut self, call: Call, place: Place) -> Option<Place> {
        match self.position(&call) {
            Ok(position) => Some(std::mem::replace(&mut self.all[position].1, place)),
            Err(position) => {
                self.all.reserve_exact(1);
                self.all.insert(position, (call, place));
                None
            }
        }
    }

    pub fn remove(&mut self, call: &Call) -> Option<Place> {
        let position = self.position(call).ok()?;
        Some(self.all.remove(position).1)
    }

    fn position(&self, call: &Call) -> Result<usize, usize> {
        self.all.binary_search_by_key(call, |(other, _)| *other)
    }
}
