//! S3L007: sources that write the same keys.

use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::graph::Target;
use crate::inventory::{Call, Fact, KeyFormat, Why};

pub const RULE: Rule = Rule {
    code: "S3L007",
    name: "shared-prefix",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "sources whose log keys can't be told apart in one target",
    effect: Effect::None,
    reads: &[],
    check: Check::Edge(check),
    document: include_str!("../../rules/shared_prefix.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let edge = context.edge;
    let logging = edge.logging;
    // Where no log arrives, none can be mistaken for another.
    let arrives = match &edge.target {
        Target::Bucket(_) => edge.crossing().is_none(),
        Target::Unknown(_) => edge.target_text().is_some(),
        Target::Foreign { .. } | Target::Missing | Target::NotABucket(_) => false,
    };
    if !arrives || !context.tallies.shares_target(edge) {
        return Ok(None);
    }
    let undecided = |why| Err(Undecided::without(Call::Logging, why));
    match &logging.key_format {
        Fact::Unknown(why) => return undecided(why),
        // These keys name the bucket.
        Fact::Known(KeyFormat::PartitionedByEventTime | KeyFormat::PartitionedByDeliveryTime) => {
            return Ok(None);
        }
        Fact::Known(KeyFormat::Simple) | Fact::Absent => {}
    }
    let prefix = match &logging.prefix {
        Fact::Unknown(why) => return undecided(why),
        Fact::Known(prefix) => prefix.as_str(),
        Fact::Absent => "",
    };
    let Some(other) = context.tallies.same_keys(context.number) else {
        return match context.tallies.is_same_keys_perhaps(context.number) {
            true => Err(Undecided {
                why: Why::AfterApply,
                call: None,
                needs: None,
                on: None,
            }),
            false => Ok(None),
        };
    };
    let other = context.graph.edge(other);
    let (source, target) = (context.source(), context.target());
    let twin = &other.source.label;
    let how = match prefix {
        "" => "without a prefix".to_owned(),
        prefix => format!("with the same prefix `{prefix}`"),
    };
    let mut finding = Finding::new(format!(
        "`{source}` and `{twin}` log to `{target}` {how}: their log keys can't be told apart"
    ))
    .shared(
        format!("prefix {prefix:?} {target}"),
        format!("these buckets log to `{target}` {how}: their log keys can't be told apart"),
    )
    .label(
        &place_of(logging, "/TargetBucket"),
        format!("`{source}` writes these keys"),
    )
    .label(
        &place_of(other.logging, "/TargetBucket"),
        format!("`{twin}` writes the same"),
    );
    let mut own = logging.clone();
    own.prefix = Fact::Known(format!("{source}/"));
    let sentence =
        "give each source a prefix of its own, or the partitioned key format, which names the bucket";
    finding = finding.help(match super::context::put_logging(source, &own) {
        Some(command) => context.advice(&format!("{sentence}, for example"), &command),
        None => sentence.to_owned(),
    });
    Ok(Some(finding.fix(Goal::SeparatePrefix {
        bucket: source.to_owned(),
    })))
}
