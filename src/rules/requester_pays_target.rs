//! S3L205: Requester Pays on the target.

use super::context::{place_of, quoted};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Payer};

pub const RULE: Rule = Rule {
    code: "S3L205",
    name: "requester-pays-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "Requester Pays on the target: it stops delivery",
    effect: Effect::Blocks,
    reads: &[Call::RequestPayment],
    check: Check::Edge(check),
    document: include_str!("../../rules/requester_pays_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Some(target) = context.edge.reachable_target() else {
        return Ok(None);
    };
    let payer = target.settings().payer.answer();
    let payer = payer.map_err(|why| Undecided::without(Call::RequestPayment, why).on(&target.label))?;
    if payer != Some(&Payer::Requester) {
        return Ok(None);
    }
    let (source, name) = (context.source(), &target.label);
    let command = format!(
        "put-bucket-request-payment --bucket {} --request-payment-configuration Payer=BucketOwner",
        quoted(name)
    );
    Ok(Some(
        Finding::new(format!(
            "`{source}` logs to `{name}`, where the requester pays: S3 delivers no log there"
        ))
        .shared(
            format!("payer {name}"),
            format!("logs go to `{name}`, where the requester pays: S3 delivers no log there"),
        )
        .label_at(
            target.settings().places.get(&Call::RequestPayment),
            "Requester Pays must not be enabled on a log target",
        )
        .label(
            &place_of(context.edge.logging, "/TargetBucket"),
            format!("`{source}` logs to `{name}`"),
        )
        .help(context.advice_on(target, "let the bucket owner pay", &command))
        .fix(Goal::OwnerPays {
            target: name.to_string(),
        }),
    ))
}
