//! S3L005: a target in another region.

use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Bucket, Call};

pub const RULE: Rule = Rule {
    code: "S3L005",
    name: "cross-region-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a log target in another region",
    effect: Effect::Blocks,
    reads: &[Call::Head],
    check: Check::Edge(check),
    document: include_str!("../../rules/cross_region_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let edge = context.edge;
    // A target that isn't this account's, or that isn't there, is told by other rules.
    let Some(target) = edge.target_bucket().filter(|_| !edge.is_self_loop()) else {
        return Ok(None);
    };
    let same = |bucket: &Bucket| bucket.region_of.clone().filter(|_| bucket.region.why().is_some());
    if same(edge.source).is_some_and(|one| same(target) == Some(one)) {
        return Ok(None);
    }
    for bucket in [edge.source, target] {
        if let Some(why) = bucket.region.why() {
            return Err(Undecided::without(Call::Head, why).on(&bucket.label));
        }
    }
    let Some((from, to)) = edge.crossing() else {
        return Ok(None);
    };
    let (source, target) = (context.source(), context.target());
    Ok(Some(
        Finding::new(format!(
            "`{source}` is in {from}, and its log target `{target}` in {to}"
        ))
        .shared(
            format!("region {from} {target}"),
            format!("buckets in {from} log to `{target}`, which is in {to}"),
        )
        .label(
            &place_of(edge.logging, "/TargetBucket"),
            format!("S3 delivers within a region: nothing of {from} reaches `{target}` in {to}"),
        )
        .help(context.advice_to_retarget(&format!("name a log bucket in {from}, for example")))
        .fix(Goal::ProperTarget {
            bucket: source.to_owned(),
        }),
    ))
}
