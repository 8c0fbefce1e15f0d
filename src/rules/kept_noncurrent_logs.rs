//! S3L208: expired logs that stay as noncurrent versions.

use super::context::{place_of, setting_place};
use super::log_keys::{first_uncovered, lifecycle};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Versioning};

pub const RULE: Rule = Rule {
    code: "S3L208",
    name: "kept-noncurrent-logs",
    severity: Severity::Note,
    since: "0.1.0",
    summary: "a versioned target whose noncurrent versions never expire",
    effect: Effect::None,
    reads: &[Call::Lifecycle, Call::Versioning],
    check: Check::Target(check),
    document: include_str!("../../rules/kept_noncurrent_logs.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let edges = context.deliverable();
    if edges.is_empty() {
        return Ok(None);
    }
    let settings = context.bucket().settings();
    let versioning = settings.versioning.answer();
    // Each answer alone can settle it.
    if matches!(versioning, Ok(None | Some(Versioning::Suspended))) {
        return Ok(None);
    }
    let rules = lifecycle(context)?;
    // Where nothing expires, nothing becomes noncurrent; that is another rule's.
    if first_uncovered(&edges, rules, |rule| rule.expires)?.is_some() {
        return Ok(None);
    }
    let Some(edge) = first_uncovered(&edges, rules, |rule| rule.expires_noncurrent)? else {
        return Ok(None);
    };
    versioning.map_err(|why| Undecided::without(Call::Versioning, why))?;
    let (name, source) = (context.name(), &edge.source.label);
    Ok(Some(
        Finding::new(format!(
            "expired logs stay in `{name}` as noncurrent versions: it is versioned, and no lifecycle rule removes them"
        ))
        .label_at(setting_place(settings, Call::Versioning, "/Status").as_ref(), "versions are kept")
        .label_at(
            settings.places.get(&Call::Lifecycle),
            "an expiry here leaves a noncurrent version behind",
        )
        .label(&place_of(edge.logging, "/TargetBucket"), format!("`{source}` logs to `{name}`"))
        .help("add `NoncurrentVersionExpiration` to the rule that expires the logs, or suspend versioning")
        .fix(Goal::ExpireNoncurrentLogs {
            target: name.to_owned(),
        }),
    ))
}
