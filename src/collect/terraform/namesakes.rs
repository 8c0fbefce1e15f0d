//! Which buckets of a file are named after another one: `"${aws_s3_bucket.app.id}-logs"`. Looked up once for the whole
//! file, as every bucket may be asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::Text;
use super::address::Scope;
use super::references::Index;
use super::rows::Row;

/// With more known names than this, one inside another is seen only at its start and at its end.
const MANY: usize = 2_000;

pub(super) struct Namesakes {
    names: BTreeSet<String>,
    /// Each of them from its end.
    reversed: BTreeSet<String>,
    /// What the names of the buckets of a scope are made of, and whether one without a known name is.
    references: BTreeMap<Scope, BTreeMap<String, bool>>,
}

impl Namesakes {
    pub fn find(text: &Text<'_>, index: &Index<'_, '_>) -> Self {
        let mut all = Self {
            names: BTreeSet::new(),
            reversed: BTreeSet::new(),
            references: BTreeMap::new(),
        };
        for row in index.rows().iter().filter(|row| row.is_managed("aws_s3_bucket")) {
            let name = name_of(row);
            if let Some(name) = name {
                all.names.insert(name.to_owned());
                all.reversed.insert(reverse(name));
            }
            let of_scope = all.references.entry(row.address.scope.clone()).or_default();
            for reference in index.names_in(text, &row.address, &["bucket"]) {
                *of_scope.entry(reference).or_default() |= name.is_none();
            }
        }
        all
    }

    /// Whether there is one that is named after this bucket.
    pub fn has(&self, row: &Row<'_>) -> bool {
        let name = name_of(row);
        name.is_some_and(|name| self.is_inside_another(name)) || self.is_referred_to(row, name.is_some())
    }

    fn is_inside_another(&self, name: &str) -> bool {
        let backwards = reverse(name);
        let starts = self
            .names
            .range(name.to_owned()..)
            .take_while(|other| other.starts_with(name));
        let ends = self.reversed.range(backwards.clone()..);
        starts.take(2).count() > 1
            || ends
                .take_while(|other| other.starts_with(&backwards))
                .take(2)
                .count()
                > 1
            || self.names.len() <= MANY
                && self
                    .names
                    .iter()
                    .any(|other| other.len() > name.len() && other.contains(name))
    }

    /// Of two known names the names themselves have told it.
    fn is_referred_to(&self, row: &Row<'_>, is_known: bool) -> bool {
        let own = format!("{}.{}.", row.address.kind, row.address.name);
        let of_scope = self.references.get(&row.address.scope);
        of_scope.is_some_and(|references| {
            references
                .range(own.clone()..)
                .take_while(|(reference, _)| reference.starts_with(&own))
                .any(|(_, by_unknown)| *by_unknown || !is_known)
        })
    }
}

fn name_of<'r>(row: &'r Row<'_>) -> Option<&'r str> {
    let side = row.after.as_ref()?;
    side.bucket.known().map(String::as_str)
}

fn reverse(name: &str) -> String {
    name.chars().rev().collect()
}
