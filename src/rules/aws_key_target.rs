//! S3L201: a target that encrypts with the AWS managed key of KMS.

use super::context::{place_of, setting_place};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L201",
    name: "aws-key-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a target whose default encryption uses the AWS managed key `aws/s3`: logs arrive unreadable",
    effect: Effect::Unreadable,
    reads: &[Call::Encryption],
    check: Check::Edge(check),
    document: include_str!("../../rules/aws_key_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some(target) = context.edge.reachable_target() else {
        return Ok(None);
    };
    let encryption = target.settings().encryption.answer();
    let encryption = encryption.map_err(|why| Undecided::without(Call::Encryption, why).on(&target.label))?;
    let Some(encryption) = encryption.filter(|e| e.is_kms() && e.uses_aws_managed_key()) else {
        return Ok(None);
    };
    let (source, target_name, algorithm) = (context.source(), &target.label, &encryption.algorithm);
    Ok(Some(
        Finding::new(format!(
            "the logs of `{source}` arrive in `{target_name}` encrypted with a key that nobody of this account can use"
        ))
        .shared(
            format!("encryption {target_name}"),
            format!("logs arrive in `{target_name}` encrypted with a key that nobody of this account can use"),
        )
        .label_at(
            setting_place(target.settings(), Call::Encryption, "/SSEAlgorithm").as_ref(),
            format!("`{algorithm}` without a key is the AWS managed key, and that of the log service's own account"),
        )
        .label(&place_of(context.edge.logging, "/TargetBucket"), format!("`{source}` logs to `{target_name}`"))
        .help(context.advice_to_use_sse_s3(
            target,
            "only SSE-S3 works for a log target (suppress Security Hub S3.17 there, which doesn't know that)",
        ))
        .fix(Goal::SseS3 { target: target_name.to_string() }),
    ))
}
