//! S3L104: a grant for whichever source.

use super::bucket_policy::of_target_in_force;
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Why};

pub const RULE: Rule = Rule {
    code: "S3L104",
    name: "unscoped-grant",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a grant with no source account, source ARN or organization condition",
    effect: Effect::None,
    reads: &[Call::Policy],
    check: Check::Target(check),
    document: include_str!("../../rules/unscoped_grant.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some(target) = of_target_in_force(context)? else {
        return Ok(None);
    };
    let policy = target.policy;
    let Some((edge, _)) = target.edges.first() else {
        return Ok(None);
    };
    let delivery = context.delivery(edge);
    let grants = policy.policy.prepared.unscoped_grants(&delivery);
    let Some(first) = grants.first() else {
        return match policy.policy.prepared.is_unscoped_perhaps(&delivery) {
            true => Err(Undecided::without(Call::Policy, &Why::AfterApply)),
            false => Ok(None),
        };
    };
    let (name, statement) = (context.name(), first.name());
    let account = context
        .account()
        .id
        .known()
        .map_or("ACCOUNT-ID", |id| id.as_str());
    let mut finding = Finding::new(format!(
        "`{statement}` in the policy of `{name}` lets S3 deliver logs of any bucket of any account"
    ))
    .evidence(policy.content(&first.pointer))
    .help(format!(
        "add to the statement: `\"Condition\": {{\"StringEquals\": {{\"aws:SourceAccount\": \"{account}\"}}}}`"
    ))
    .fix(Goal::ScopeGrant {
        target: name.to_owned(),
        statement: first.pointer.clone(),
    });
    for grant in grants {
        let place = grant
            .principal
            .as_ref()
            .map_or(&grant.pointer, |principal| &principal.pointer);
        finding = finding.label_at(
            policy.place(place).as_ref(),
            "no condition says whose logs: neither `aws:SourceAccount` nor `aws:SourceArn` nor `aws:SourceOrgID`",
        );
    }
    Ok(Some(finding))
}
