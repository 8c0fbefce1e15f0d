//! S3L012: a prefix that is too long.

use super::context::place_of;
use super::{Check, EdgeContext, Effect, Rule};
use crate::finding::{Finding, Severity, Undecided, Verdict};
use crate::inventory::{Call, Fact};

pub const RULE: Rule = Rule {
    code: "S3L012",
    name: "overlong-prefix",
    severity: Severity::Warning,
    since: "0.1.0",
    summary: "a prefix that makes the log keys longer than S3 allows",
    effect: Effect::None,
    reads: &[],
    check: Check::Edge(check),
    document: include_str!("../../rules/overlong_prefix.md"),
};

/// The longest key of an object, in bytes.
const LONGEST_KEY: usize = 1024;
/// `YYYY-MM-DD-hh-mm-ss-` and sixteen characters.
const FILE_NAME: usize = 36;

fn check(context: &EdgeContext<'_, '_>) -> Verdict {
    let logging = context.edge.logging;
    let unknown = |why| Err(Undecided::without(Call::Logging, why));
    let prefix = match &logging.prefix {
        Fact::Unknown(why) => return unknown(why),
        Fact::Absent => return Ok(None),
        Fact::Known(prefix) => prefix.len(),
    };
    // ACCOUNT/REGION/BUCKET/YYYY/MM/DD/
    let source = context.edge.source;
    let region = source.region.known().map(|region| region.as_str().len());
    let folders = |region: usize, bucket: usize| 13 + region + 1 + bucket + 1 + 11;
    let bucket = source.name_known.then_some(source.label.len());
    let (shortest, longest) = (
        folders(region.unwrap_or(9), bucket.unwrap_or(3)),
        folders(region.unwrap_or(20), bucket.unwrap_or(63)),
    );
    let (least, most) = match &logging.key_format {
        Fact::Unknown(why)
            if prefix + FILE_NAME <= LONGEST_KEY && prefix + longest + FILE_NAME > LONGEST_KEY =>
        {
            return unknown(why);
        }
        Fact::Known(format) if format.is_partitioned() => (shortest, longest),
        Fact::Known(_) | Fact::Absent | Fact::Unknown(_) => (0, 0),
    };
    let least = prefix + least + FILE_NAME;
    if least <= LONGEST_KEY {
        return match source.region.why() {
            Some(why) if prefix + most + FILE_NAME > LONGEST_KEY => Err(Undecided::without(Call::Head, why)),
            Some(_) | None => Ok(None),
        };
    }
    let name = context.source();
    Ok(Some(
        Finding::new(format!(
            "the log keys of `{name}` would have {least} bytes, and S3 takes {LONGEST_KEY}: its prefix alone has {prefix}"
        ))
        .label(&place_of(logging, "/TargetPrefix"), format!("{prefix} bytes"))
        .help("shorten the prefix; the name of the source and a slash is enough"),
    ))
}
