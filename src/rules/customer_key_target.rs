//! S3L202: a target that encrypts with a customer managed key.

use super::context::{place_of, setting_place};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Why};

pub const RULE: Rule = Rule {
    code: "S3L202",
    name: "customer-key-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a target whose default encryption uses a customer managed key: not supported by AWS",
    effect: Effect::Blocks,
    reads: &[Call::Encryption],
    check: Check::Edge(check),
    document: include_str!("../../rules/customer_key_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some(target) = context.edge.reachable_target() else {
        return Ok(None);
    };
    let encryption = target.settings().encryption.answer();
    let encryption = encryption.map_err(|why| Undecided::without(Call::Encryption, why).on(&target.label))?;
    let Some(encryption) = encryption.filter(|encryption| !encryption.is_sse_s3()) else {
        return Ok(None);
    };
    let (source, name, algorithm) = (context.source(), &target.label, &encryption.algorithm);
    if !encryption.is_kms() {
        // AWS may add algorithms; what they do to log delivery is not ours to guess.
        let code = format!("default encryption `{algorithm}`");
        return Err(Undecided {
            needs: None,
            ..Undecided::without(Call::Encryption, &Why::Failed { code }).on(name)
        });
    }
    if encryption.uses_aws_managed_key() {
        return Ok(None);
    }
    Ok(Some(
        Finding::new(format!(
            "`{source}` logs to `{name}`, which encrypts with a customer managed key: AWS doesn't support that"
        ))
        .shared(
            format!("encryption {name}"),
            format!("logs go to `{name}`, which encrypts with a customer managed key: AWS doesn't support that"),
        )
        .label_at(
            setting_place(target.settings(), Call::Encryption, "/SSEAlgorithm").as_ref(),
            "a log target must use SSE-S3 (`AES256`)",
        )
        .label(&place_of(context.edge.logging, "/TargetBucket"), format!("`{source}` logs to `{name}`"))
        .help(context.advice_to_use_sse_s3(
            target,
            "only SSE-S3 works for a log target (suppress Security Hub S3.17 there, which doesn't know that)",
        ))
        .fix(Goal::SseS3 {
            target: name.to_string(),
        }),
    ))
}
