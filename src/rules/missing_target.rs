//! S3L004: a target that does not exist.

use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::graph::Target;
use crate::inventory::{Call, Existence, Why};

pub const RULE: Rule = Rule {
    code: "S3L004",
    name: "missing-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a log target that does not exist",
    effect: Effect::Blocks,
    reads: &[Call::Head],
    check: Check::Edge(check),
    document: include_str!("../../rules/missing_target.md"),
};

/// The template says when it makes the target, and not whether that is now.
fn open(context: &EdgeContext<'_, '_>, condition: &str) -> Undecided {
    Undecided {
        why: Why::NotRead,
        call: None,
        needs: Some(format!(
            "a `--parameter` that decides the condition `{condition}`"
        )),
        on: Some(context.target().to_owned()),
    }
}

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    match &context.edge.target {
        Target::Missing => {}
        Target::Unknown(why) => {
            let known = context.edge.account.elsewhere.get(context.target());
            return match known {
                // Whose it is may be open; that it is there isn't.
                Some(Existence::Exists { .. }) if context.edge.account.listing.why().is_none() => Ok(None),
                Some(Existence::Exists { .. }) => Err(Undecided::without(Call::List, why)),
                Some(Existence::Missing | Existence::Unknown(_)) | None => {
                    Err(Undecided::without(Call::Head, why))
                }
            };
        }
        Target::Bucket(_) => {
            return context
                .edge
                .hangs_on()
                .map_or(Ok(None), |condition| Err(open(context, condition)));
        }
        Target::Foreign { .. } | Target::NotABucket(_) => return Ok(None),
    }
    let (source, target) = (context.source(), context.target());
    Ok(Some(
        Finding::new(format!("`{source}` logs to `{target}`, which does not exist"))
            .shared(
                format!("missing {target}"),
                format!("logs go to `{target}`, which does not exist"),
            )
            .label(&place_of(context.edge.logging, "/TargetBucket"), format!("there is no bucket `{target}`"))
            .help(context.advice_to_retarget(
                "anybody may create a bucket of this name now; name one that exists in the same region and account, \
                 for example",
            ))
            .fix(Goal::ProperTarget {
                bucket: source.to_owned(),
            }),
    ))
}
