//! S3L101: a target that doesn't let the log service write.

use super::bucket_policy::{BucketPolicy, decided, missing_answer, recommended_statement};
use super::context::{place_of, quoted};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::inventory::Call;
use crate::policy::{Grant, LOG_SERVICE, Miss, Nearest};

pub const RULE: Rule = Rule {
    code: "S3L101",
    name: "delivery-not-granted",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "neither policy nor ACL lets the log service write this edge's keys",
    effect: Effect::Blocks,
    reads: &[Call::Policy, Call::Acl, Call::OwnershipControls, Call::Encryption],
    check: Check::Edge(check),
    document: include_str!("../../rules/delivery_not_granted.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some((policy, decision)) = decided(context)? else {
        return Ok(None);
    };
    if let Some(missing) = missing_answer(context.edge, policy.bucket, decision) {
        return Err(missing);
    }
    if decision.grant != Grant::NotGranted {
        return Ok(None);
    }
    let nearest = decision.nearest.as_ref().filter(|nearest| is_meant(nearest));
    let finding = match nearest {
        None => without_a_grant(context, policy),
        Some(nearest) if nearest.misses == Miss::DeadAcl => dead_acl(context, policy),
        Some(nearest) => missed(context, policy, nearest),
    };
    Ok(Some(finding.fix(Goal::Grant {
        source: context.source().to_owned(),
        target: policy.bucket.label.to_string(),
    })))
}

/// A statement for somebody else altogether is not near.
fn is_meant(nearest: &Nearest) -> bool {
    !(nearest.misses == Miss::Principal && nearest.edit.starts_with("add a statement"))
}

fn without_a_grant(context: &EdgeContext<'_, '_>, policy: BucketPolicy<'_>) -> Finding {
    let (source, target) = (context.source(), &policy.bucket.label);
    let statement = recommended_statement(context, policy.bucket);
    let finding = match policy.has_statements() {
        true => Finding::new(format!(
            "no statement of the policy of `{target}` lets S3 deliver the logs of `{source}`, nor does its ACL"
        ))
        .shared(
            format!("ungranted {target}"),
            format!("no statement of the policy of `{target}` lets S3 deliver logs, nor does its ACL"),
        )
        .label_at(
            policy.place("/Statement").as_ref(),
            format!("none of these is for `{LOG_SERVICE}`"),
        )
        .help(format!("add this statement to the policy of `{target}`:\n {statement}")),
        false => {
            let whole = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]});
            let command = format!(
                "put-bucket-policy --bucket {} --policy {}",
                quoted(target),
                quoted(&whole.to_string())
            );
            Finding::new(format!(
                "`{target}` has no bucket policy, and its ACL doesn't let S3 deliver the logs of `{source}`"
            ))
            .shared(
                format!("ungranted {target}"),
                format!("`{target}` has no bucket policy, and its ACL doesn't let S3 deliver logs"),
            )
            .help(context.advice_on(
                policy.bucket,
                &format!("give `{target}` a policy that lets the log service write, for example"),
                &command,
            ))
        }
    };
    finding.label(
        &place_of(context.edge.logging, "/TargetBucket"),
        format!("`{source}` logs to `{target}`, which grants it nothing"),
    )
}

fn dead_acl(context: &EdgeContext<'_, '_>, policy: BucketPolicy<'_>) -> Finding {
    let (source, target) = (context.source(), &policy.bucket.label);
    let settings = policy.bucket.settings();
    let statement = recommended_statement(context, policy.bucket);
    Finding::new(format!(
        "`{target}` lets S3 deliver the logs of `{source}` by its ACL alone, and its ACLs are switched off"
    ))
    .shared(
        format!("dead ACL {target}"),
        format!("`{target}` lets S3 deliver logs by its ACL alone, and its ACLs are switched off"),
    )
    .label_at(
        settings.places.get(&Call::OwnershipControls),
        "with `BucketOwnerEnforced`, ACLs have no effect",
    )
    .label_at(
        settings.places.get(&Call::Acl),
        "the grant to LogDelivery is dead",
    )
    .help(format!(
        "add this statement to the policy of `{target}`:\n {statement}"
    ))
}

fn missed(context: &EdgeContext<'_, '_>, policy: BucketPolicy<'_>, nearest: &Nearest) -> Finding {
    let (source, target) = (context.source(), &policy.bucket.label);
    let (what, statement) = (nearest.misses.words(), &nearest.name);
    let (needed, own) = match nearest.misses {
        Miss::Prefix => (format!("needed here: {}", nearest.needed), "/TargetPrefix"),
        Miss::Principal | Miss::Action | Miss::Partition | Miss::Bucket | Miss::DeadAcl => {
            (format!("needed here: {}", nearest.needed), "/TargetBucket")
        }
        // These say it as a sentence.
        Miss::SourceArn | Miss::SourceAccount | Miss::SourceOrganization | Miss::Condition(_) => {
            (nearest.needed.clone(), "/TargetBucket")
        }
    };
    let mut finding = Finding::new(format!(
        "the policy of `{target}` doesn't let S3 deliver the logs of `{source}`: {what} in `{statement}` doesn't match"
    ))
    .shared(
        format!("{target} {} {what}", nearest.statement),
        format!("the policy of `{target}` doesn't let S3 deliver these logs: {what} in `{statement}` doesn't match"),
    )
    .label_at(
        policy.place(&nearest.element).as_ref(),
        needed,
    )
    .evidence(policy.content(&nearest.statement));
    for also in &nearest.also {
        let what = also.words();
        finding = finding.label_at(
            policy.place(&nearest.statement).as_ref(),
            format!("{what} doesn't match either"),
        );
    }
    finding
        .label(
            &place_of(context.edge.logging, own),
            format!("`{source}` logs to `{target}`"),
        )
        .help(nearest.edit.clone())
}
