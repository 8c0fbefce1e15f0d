//! S3L006: a target of another account.

use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::graph::Target;
use crate::inventory::{Call, Existence};

pub const RULE: Rule = Rule {
    code: "S3L006",
    name: "cross-account-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a log target that belongs to another account",
    effect: Effect::Blocks,
    reads: &[Call::Head],
    check: Check::Edge(check),
    document: include_str!("../../rules/cross_account_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let edge = context.edge;
    let owner = match &edge.target {
        Target::Foreign { owner: None, .. } => "is no bucket of this account".to_owned(),
        Target::Foreign {
            owner: Some((owner, _)),
            ..
        } => match (edge.account.id.answer(), owner.id.answer()) {
            (Ok(Some(own)), Ok(Some(other))) if own == other => return Ok(None),
            (Ok(_), Ok(Some(other))) if edge.account.id.known().is_some() => {
                format!("belongs to account {other}")
            }
            // Two files may be about one account.
            (Err(why), _) | (_, Err(why)) => {
                return Err(Undecided {
                    needs: None,
                    ..Undecided::without(Call::List, why)
                });
            }
            (Ok(_), Ok(_)) => return Ok(None),
        },
        Target::Unknown(why) => {
            let known = edge.account.elsewhere.get(context.target());
            return match known {
                // Without a list of the account's own buckets nothing is said of a stranger's.
                Some(Existence::Missing) if edge.account.listing.why().is_none() => Ok(None),
                Some(Existence::Missing) => Err(Undecided::without(Call::List, why)),
                Some(Existence::Exists { .. } | Existence::Unknown(_)) | None => {
                    Err(Undecided::without(Call::Head, why))
                }
            };
        }
        Target::Bucket(_) | Target::Missing | Target::NotABucket(_) => return Ok(None),
    };
    let (source, target) = (context.source(), context.target());
    Ok(Some(
        Finding::new(format!("`{source}` logs to `{target}`, which {owner}"))
            .shared(
                format!("account {target}"),
                format!("logs go to `{target}`, which {owner}"),
            )
            .label(
                &place_of(edge.logging, "/TargetBucket"),
                format!("S3 delivers within an account: `{target}` {owner}"),
            )
            .help(context.advice_to_retarget(
                "if this was a bucket of yours, it was deleted and somebody else took its name; name a log bucket of this \
                 account and region, for example",
            ))
            .fix(Goal::ProperTarget {
                bucket: source.to_owned(),
            }),
    ))
}
