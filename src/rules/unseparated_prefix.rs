//! S3L008: a prefix without a slash at its end.

use super::context::{place_of, put_logging};
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Goal, Severity, Undecided, Verdict};
use crate::inventory::{Call, Fact};

pub const RULE: Rule = Rule {
    code: "S3L008",
    name: "unseparated-prefix",
    severity: Severity::Note,
    since: "0.1.0",
    summary: "a prefix that is glued to what follows (no trailing `/`)",
    effect: Effect::None,
    reads: &[],
    check: Check::Edge(check),
    document: include_str!("../../rules/unseparated_prefix.md"),
};

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let logging = context.edge.logging;
    let prefix = match &logging.prefix {
        Fact::Unknown(why) => return Err(Undecided::without(Call::Logging, why)),
        Fact::Absent => return Ok(None),
        Fact::Known(prefix) => prefix,
    };
    // What ends in a mark, like `app-data-`, is the stem of a name, and meant so.
    if !prefix.chars().next_back().is_some_and(char::is_alphanumeric) {
        return Ok(None);
    }
    let account = context
        .edge
        .account
        .id
        .known()
        .map_or("ACCOUNT", |id| id.as_str());
    let key = match logging.key_format.known() {
        Some(format) if format.is_partitioned() => format!("{prefix}{account}/…"),
        Some(_) | None => format!("{prefix}YYYY-MM-DD-…"),
    };
    let source = context.source();
    let mut separate = logging.clone();
    separate.prefix = Fact::Known(format!("{prefix}/"));
    let sentence = format!("end the prefix with a slash: `{prefix}/`");
    let help = match put_logging(source, &separate) {
        Some(command) => context.advice(&sentence, &command),
        None => sentence,
    };
    Ok(Some(
        Finding::new(format!(
            "the log keys of `{source}` are `{key}`: its prefix `{prefix}` is glued to what follows"
        ))
        .label(&place_of(logging, "/TargetPrefix"), "no `/` at the end")
        .help(help)
        .fix(Goal::SeparatePrefix {
            bucket: source.to_owned(),
        }),
    ))
}
