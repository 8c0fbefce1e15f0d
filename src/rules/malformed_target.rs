//! S3L011: a target that is not a bucket name.

use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::graph::Target;
use crate::name::{Arn, BucketName};

pub const RULE: Rule = Rule {
    code: "S3L011",
    name: "malformed-target",
    severity: Severity::Error,
    since: "0.1.0",
    summary: "a log target that is not a bucket name (an ARN, a URL, empty)",
    effect: Effect::Blocks,
    reads: &[],
    check: Check::Edge(check),
    document: include_str!("../../rules/malformed_target.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let Target::NotABucket(error) = &context.edge.target else {
        return Ok(None);
    };
    let (source, target) = (context.source(), context.target());
    let message = match target {
        "" => format!("the log target of `{source}` is empty"),
        target => format!("`{source}` logs to `{target}`, which is no bucket name: {error}"),
    };
    let sentence = match meant(target) {
        Some(name) => format!("write the name alone: `{name}`"),
        None => "write the plain name of a bucket, like `amzn-s3-demo-logs`".to_owned(),
    };
    Ok(Some(
        Finding::new(message)
            .label(
                &place_of(context.edge.logging, "/TargetBucket"),
                error.to_string(),
            )
            .help(sentence)
            .fix(Goal::ProperTarget {
                bucket: source.to_owned(),
            }),
    ))
}

/// The bucket that an ARN or an `s3://` address means.
fn meant(target: &str) -> Option<BucketName> {
    let resource = Arn::parse(target)
        .ok()
        .filter(|arn| arn.service == "s3")
        .map(|arn| arn.resource);
    let name = resource.as_deref().or_else(|| target.strip_prefix("s3://"))?;
    BucketName::parse(name.split('/').next()?).ok()
}
