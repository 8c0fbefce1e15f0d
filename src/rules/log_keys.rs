//! The keys that an edge writes, as far as lifecycle rules can tell them apart.

use super::BucketContext;
use crate::finding::Undecided;
use crate::graph::{Edge, EdgeNumber};
use crate::inventory::{Call, Fact, LifecycleRule};

/// No log object is smaller: a record names the bucket's owner in 64 characters, and more.
const SMALLEST_LOG: u64 = 128;
/// The most that one request can write: no log object is larger.
const LARGEST_LOG: u64 = 5 * 1024 * 1024 * 1024;

/// The rules of a log bucket's lifecycle: none where it has none.
pub fn lifecycle<'a>(context: &BucketContext<'_, 'a>) -> Result<&'a [LifecycleRule], Undecided> {
    let rules = context.bucket().settings().lifecycle.answer();
    let rules = rules.map_err(|why| Undecided::without(Call::Lifecycle, why))?;
    Ok(rules.map_or(&[], Vec::as_slice))
}

/// The first edge of which some keys never expire, and the rules that leave them.
pub fn first_kept<'c, 'a>(
    context: &BucketContext<'c, 'a>,
) -> Result<Option<(&'c Edge<'a>, &'a [LifecycleRule])>, Undecided> {
    let edges = context.deliverable();
    if edges.is_empty() {
        return Ok(None);
    }
    let rules = lifecycle(context)?;
    let kept = first_uncovered(&edges, rules, |rule| rule.expires)?;
    Ok(kept.map(|edge| (edge, rules)))
}

/// The first edge of which some keys are met by no enabled rule that does this. Undecided where only an unknown prefix
/// stands between an edge and a rule.
pub fn first_uncovered<'c, 'a>(
    edges: &[(EdgeNumber, &'c Edge<'a>)],
    rules: &[LifecycleRule],
    does: impl Fn(&LifecycleRule) -> bool,
) -> Result<Option<&'c Edge<'a>>, Undecided> {
    let rules: Vec<&LifecycleRule> = rules
        .iter()
        // Delivered logs carry no tags.
        .filter(|rule| rule.enabled && !rule.needs_tag && does(rule))
        .collect();
    let mut open = None;
    for (_, edge) in edges {
        match stem(edge) {
            Some(stem) if covers_all_sizes(rules.iter().filter(|rule| stem.starts_with(&rule.prefix))) => {}
            None if covers_all_sizes(rules.iter().filter(|rule| rule.prefix.is_empty())) => {}
            // No rule could cover it, whatever its prefix is.
            None if covers_all_sizes(rules.iter()) => open = open.or(Some(*edge)),
            Some(_) | None => return Ok(Some(*edge)),
        }
    }
    match open.and_then(|edge| Some((edge, edge.logging.prefix.why()?))) {
        Some((edge, why)) => Err(Undecided::without(Call::Logging, why).on(&edge.source.label)),
        None => Ok(None),
    }
}

/// Whether a rule may meet keys of this edge at all.
pub fn meets(rule: &LifecycleRule, edge: &Edge<'_>) -> bool {
    !rule.needs_tag
        && stem(edge).is_none_or(|stem| stem.starts_with(&rule.prefix) || rule.prefix.starts_with(&stem))
}

/// Whether some prefix is known, so that it can be shown.
pub fn some_known(edges: &[(EdgeNumber, &Edge<'_>)]) -> bool {
    edges
        .iter()
        .any(|(_, edge)| edge.logging.prefix.known().is_some())
}

/// What all keys of an edge start with: its prefix, the folders of the partitioned format, the century.
fn stem(edge: &Edge<'_>) -> Option<String> {
    let mut stem = match &edge.logging.prefix {
        Fact::Known(prefix) => prefix.clone(),
        Fact::Absent => String::new(),
        Fact::Unknown(_) => return None,
    };
    match edge.logging.key_format.known() {
        Some(format) if format.is_partitioned() => {
            let folders = [
                edge.account.id.known().map(|id| id.as_str()),
                edge.source.region.known().map(|region| region.as_str()),
                Some(edge.source.label.as_ref()).filter(|_| edge.source.name_known),
                Some("20"),
            ];
            for folder in folders {
                let Some(folder) = folder else { break };
                stem.push_str(folder);
                if folder != "20" {
                    stem.push('/');
                }
            }
        }
        Some(_) => stem.push_str("20"),
        None => {}
    }
    Some(stem)
}

/// Whether these rules together meet objects of every size that a log can have.
fn covers_all_sizes<'r>(rules: impl Iterator<Item = &'r &'r LifecycleRule>) -> bool {
    // A rule meets sizes above one bound and below another; both are exclusive.
    let mut ranges: Vec<(u64, u64)> = rules
        .map(|rule| {
            (
                rule.larger_than.map_or(0, |bound| bound.saturating_add(1)),
                rule.smaller_than.unwrap_or(u64::MAX),
            )
        })
        .collect();
    ranges.sort_unstable();
    let mut met_below = SMALLEST_LOG;
    for (from, below) in ranges {
        if from > met_below {
            return false;
        }
        met_below = met_below.max(below);
    }
    met_below > LARGEST_LOG
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(larger_than: Option<u64>, smaller_than: Option<u64>) -> LifecycleRule {
        LifecycleRule {
            larger_than,
            smaller_than,
            ..LifecycleRule::default()
        }
    }

    fn covers(rules: &[LifecycleRule]) -> bool {
        let rules: Vec<&LifecycleRule> = rules.iter().collect();
        covers_all_sizes(rules.iter())
    }

    #[test]
    fn size_filters_cover_together_what_none_covers_alone() {
        assert!(covers(&[rule(None, None)]));
        assert!(covers(&[rule(Some(0), None)]));
        assert!(!covers(&[rule(Some(131_072), None)]));
        assert!(!covers(&[rule(None, Some(131_072))]));
        assert!(covers(&[rule(None, Some(131_072)), rule(Some(131_071), None)]));
        assert!(!covers(&[rule(None, Some(131_072)), rule(Some(131_072), None)]));
        assert!(!covers(&[]));
    }
}
