//! S3L013: a log target that a deploy deletes and creates again.

use super::context::place_of;
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Severity, Verdict};
use crate::inventory::Lost;

pub const RULE: Rule = Rule {
    code: "S3L013",
    name: "replaced-target",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a log target that a deploy deletes and creates again",
    effect: Effect::None,
    reads: &[],
    check: Check::Target(check),
    document: include_str!("../../rules/replaced_target.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let name = context.name();
    let losses = context.account().losses.get(name);
    let Some(loss) = losses
        .into_iter()
        .flatten()
        .find(|loss| loss.of == Lost::BucketForAWhile)
    else {
        return Ok(None);
    };
    let message = match &loss.old_name {
        None => format!(
            "this deploy replaces `{name}`, and buckets log to it: the logs in it are gone, and until it and its \
             policy are there again nothing is delivered"
        ),
        Some(old) => format!(
            "this deploy replaces `{old}` by `{name}`, and buckets log to it: the logs in `{old}` are gone, and until \
             `{name}` and its policy are there nothing is delivered"
        ),
    };
    let mut finding = Finding::new(message)
    .label_at(loss.place.as_ref(), format!("`{}` is deleted and created again", loss.address))
    .help(
        "keep the bucket: take back what makes it a new one (its name, its prefix, its address without a `moved` block), \
         or make a second log bucket first, turn the sources to it, and delete the old one in a later deploy",
    );
    for (_, edge) in context.vertex.incoming() {
        let text = format!("`{}` logs to `{name}`", edge.source.label);
        finding = finding.label(&place_of(edge.logging, "/TargetBucket"), text);
    }
    Ok(Some(finding))
}
