//! S3L206: logs that are kept for ever.

use super::context::{place_of, quoted};
use super::log_keys::{first_kept, some_known};
use super::{BucketContext, Check, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Verdict};
use crate::inventory::Call;

pub const RULE: Rule = Rule {
    code: "S3L206",
    name: "unexpired-logs",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "no enabled lifecycle rule ever expires the delivered keys",
    effect: Effect::None,
    reads: &[Call::Lifecycle],
    check: Check::Target(check),
    document: include_str!("../../rules/unexpired_logs.md"),
};

fn check(context: &BucketContext<'_, '_>) -> Verdict {
    let Some((edge, rules)) = first_kept(context)? else {
        return Ok(None);
    };
    let settings = context.bucket().settings();
    let (name, source) = (context.name(), &edge.source.label);
    let prefix = edge.logging.prefix.known().map_or("", String::as_str);
    let message = match (rules.iter().any(|rule| rule.enabled && rule.expires), prefix) {
        (false, _) => {
            format!("the logs in `{name}` never expire: no lifecycle rule that is enabled expires anything")
        }
        (true, "") => {
            format!("the logs of `{source}` in `{name}` never expire: no enabled lifecycle rule covers them")
        }
        (true, prefix) => format!(
            "the logs of `{source}` in `{name}` never expire: no enabled lifecycle rule covers all keys under `{prefix}`"
        ),
    };
    let command = format!(
        "put-bucket-lifecycle-configuration --bucket {} --lifecycle-configuration \
         '{{\"Rules\":[{{\"ID\":\"expire-access-logs\",\"Status\":\"Enabled\",\"Filter\":{{\"Prefix\":{}}},\
         \"Expiration\":{{\"Days\":365}}}}]}}'",
        quoted(name),
        serde_json::json!(prefix).to_string().replace('\'', r"'\''")
    );
    let sentence =
        "S3 never deletes logs by itself; add a rule that expires them when nobody must keep them any longer";
    let finding = Finding::new(message)
        .label_at(
            settings.places.get(&Call::Lifecycle),
            match rules {
                [] => "there is no rule",
                _ => "none of these rules expires them all",
            },
        )
        .label(
            &place_of(edge.logging, "/TargetBucket"),
            format!("`{source}` logs to `{name}`"),
        );
    // The command replaces every rule: shown only where there is none to lose.
    let finding = match rules.is_empty() && some_known(&context.deliverable()) {
        true => finding.help(context.advice(&format!("{sentence}, for example"), &command)),
        false => finding.help(sentence),
    };
    Ok(Some(finding.fix(Goal::ExpireLogs {
        target: name.to_owned(),
    })))
}
