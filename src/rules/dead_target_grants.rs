//! S3L108: target grants without an effect.

use super::context::{place_of, put_logging};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Fact, Grantee, ObjectOwnership};

pub const RULE: Rule = Rule {
    code: "S3L108",
    name: "dead-target-grants",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "target grants that S3 no longer honours",
    effect: Effect::None,
    reads: &[Call::OwnershipControls],
    check: Check::Edge(check),
    document: include_str!("../../rules/dead_target_grants.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let logging = context.edge.logging;
    if logging.target_grants.is_empty() {
        return Ok(None);
    }
    let (source, target) = (context.source(), context.target());
    let by_mail = logging
        .target_grants
        .iter()
        .any(|grant| grant.grantee == Grantee::Email);
    let why = match context
        .edge
        .reachable_target()
        .map(|target| &target.settings().object_ownership)
    {
        Some(Fact::Known(ObjectOwnership::BucketOwnerEnforced)) => {
            format!("`{target}` has `BucketOwnerEnforced`, with which ACLs have no effect")
        }
        _ if by_mail => "S3 takes no grants by e-mail address since October 2025".to_owned(),
        Some(Fact::Unknown(why)) => {
            return Err(Undecided::without(Call::OwnershipControls, why).on(target));
        }
        Some(Fact::Known(_) | Fact::Absent) | None => return Ok(None),
    };
    let mut without = logging.clone();
    without.target_grants.clear();
    let sentence = "take the target grants out, and let readers in by the target's bucket policy; as it is, S3 would \
                    refuse this logging configuration if it were written again";
    let help = match put_logging(source, &without) {
        Some(command) => context.advice(sentence, &command),
        None => sentence.to_owned(),
    };
    Ok(Some(
        Finding::new(format!("the target grants of `{source}` are dead: {why}"))
            .label(
                &place_of(logging, "/TargetGrants"),
                "who is named here gets nothing",
            )
            .help(help)
            .fix(Goal::DropTargetGrants {
                bucket: source.to_owned(),
            }),
    ))
}
