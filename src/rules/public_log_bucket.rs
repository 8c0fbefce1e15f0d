//! S3L109: logs that anyone can read.

use super::context::{place_of, quoted};
use super::{BucketContext, Check, Effect, Rule, bucket_policy::BucketPolicy};
use crate::finding::{Finding, Severity, Undecided, Verdict};
use crate::inventory::{Acl, Call, Fact, Grant, ObjectOwnership, Place, PublicAccessBlock, Why};
use crate::policy::{self, Statement, Truth};

pub const RULE: Rule = Rule {
    code: "S3L109",
    name: "public-log-bucket",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "anyone can read the logs, through policy, ACL or target grants",
    effect: Effect::None,
    reads: &[
        Call::Policy,
        Call::Acl,
        Call::OwnershipControls,
        Call::PublicAccessBlock,
    ],
    check: Check::Target(check),
    document: include_str!("../../rules/public_log_bucket.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let settings = context.bucket().settings();
    let mut open = None;
    for way in [by_policy, by_acl, by_target_grants] {
        match way(context) {
            Ok(None) => {}
            Ok(Some((way, place))) => match blocked(&settings.public_access_block, way) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(finding(context, way, place.as_ref()))),
                Err(undecided) => open = open.or(Some(undecided)),
            },
            Err(undecided) => open = open.or(Some(undecided)),
        }
    }
    match open {
        // Where public access is blocked in every way, it doesn't matter what isn't known.
        Some(undecided) if !is_closed(&settings.public_access_block) => Err(undecided),
        Some(_) | None => Ok(None),
    }
}

/// How the world comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Policy,
    Acl,
    TargetGrants,
}

type Found = Result<Option<(Way, Option<Place>)>, Undecided>;

fn by_policy(context: &BucketContext<'_, '_>) -> Found {
    if let Fact::Unknown(why) = &context.bucket().settings().policy {
        return Err(Undecided::without(Call::Policy, why));
    }
    let mut is_public_perhaps = false;
    for (number, edge) in context.deliverable() {
        let policy = context.tallies.policy(number);
        let Some(policy) =
            policy.filter(|policy| policy.prepared.policy().statements.iter().any(is_for_everybody))
        else {
            return Ok(None);
        };
        let delivery = context.delivery(edge);
        let public = policy.prepared.public_reads(&delivery);
        if let Some(statement) = public.first() {
            let element = statement
                .principal
                .as_ref()
                .map_or(&statement.pointer, |principal| &principal.pointer);
            let place = BucketPolicy::new(context.bucket(), policy).place(element);
            return Ok(Some((Way::Policy, place)));
        }
        is_public_perhaps |= policy.prepared.is_public_perhaps(&delivery);
    }
    match is_public_perhaps {
        true => Err(Undecided::without(Call::Policy, &Why::AfterApply)),
        false => Ok(None),
    }
}

/// The most of policies have no such statement, and need no second look for each source.
fn is_for_everybody(statement: &Statement) -> bool {
    statement.effect == policy::Effect::Allow && policy::is_about_everyone(statement) != Truth::False
}

fn by_acl(context: &BucketContext<'_, '_>) -> Found {
    let settings = context.bucket().settings();
    // An ACL that names nobody else lets nobody in, whether it counts or not.
    let names_the_world = |acl: &Acl| acl.grants.iter().any(lets_the_world_in);
    if settings.acl.known().is_some_and(|acl| !names_the_world(acl)) || !acls_count(context)? {
        return Ok(None);
    }
    let acl = settings
        .acl
        .answer()
        .map_err(|why| Undecided::without(Call::Acl, why))?;
    let public = acl.is_some_and(names_the_world);
    Ok(public.then(|| (Way::Acl, settings.places.get(&Call::Acl).cloned())))
}

fn by_target_grants(context: &BucketContext<'_, '_>) -> Found {
    let edges = context.deliverable();
    let public = edges
        .iter()
        .find(|(_, edge)| edge.logging.target_grants.iter().any(lets_the_world_in));
    let Some((_, edge)) = public else {
        return Ok(None);
    };
    if !acls_count(context)? {
        return Ok(None);
    }
    Ok(Some((
        Way::TargetGrants,
        Some(place_of(edge.logging, "/TargetGrants")),
    )))
}

fn acls_count(context: &BucketContext<'_, '_>) -> Result<bool, Undecided> {
    match context.bucket().settings().object_ownership.answer() {
        Ok(ownership) => Ok(ownership != Some(&ObjectOwnership::BucketOwnerEnforced)),
        Err(why) => Err(Undecided::without(Call::OwnershipControls, why)),
    }
}

/// Reading, or what comes to it: who may write the ACL may give themselves the rest.
fn lets_the_world_in(grant: &Grant) -> bool {
    grant.grantee.is_public() && matches!(grant.permission.as_str(), "READ" | "FULL_CONTROL" | "WRITE_ACP")
}

fn blocked(block: &Fact<PublicAccessBlock>, way: Way) -> Result<bool, Undecided> {
    let block = block
        .answer()
        .map_err(|why| Undecided::without(Call::PublicAccessBlock, why))?;
    Ok(block.is_some_and(|block| match way {
        Way::Policy => block.restrict_public_buckets,
        Way::Acl | Way::TargetGrants => block.ignore_public_acls,
    }))
}

fn is_closed(block: &Fact<PublicAccessBlock>) -> bool {
    block
        .known()
        .is_some_and(|block| block.restrict_public_buckets && block.ignore_public_acls)
}

fn finding(context: &BucketContext<'_, '_>, way: Way, place: Option<&Place>) -> Finding {
    let name = context.name();
    let (message, label) = match way {
        Way::Policy => (
            format!("anyone can read the logs in `{name}`: its policy lets everybody in"),
            "this is everybody",
        ),
        Way::Acl => (
            format!("anyone can get at the logs in `{name}`: its ACL lets everybody in"),
            "a public group is among these",
        ),
        Way::TargetGrants => (
            format!("anyone can read logs in `{name}`: they are delivered with a grant to everybody"),
            "a public group is among these",
        ),
    };
    let command = format!(
        "put-public-access-block --bucket {} --public-access-block-configuration \
         BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        quoted(name)
    );
    Finding::new(message).label_at(place, label).help(context.advice(
        "block public access to the bucket: it never stands in the way of log delivery",
        &command,
    ))
}
