//! What several formats say in the same words.

use super::escape::visible;
use crate::finding::{Severity, Subject, Undecided};
use crate::inventory::{Call, Why};
use crate::report::Report;
use crate::rules::Reported;

/// `app-data -> logs`, control characters made visible.
pub fn edge(subject: &Subject) -> String {
    let mut text = visible(&subject.bucket).into_owned();
    if let Some(target) = &subject.target {
        text.push_str(" -> ");
        text.push_str(&visible(target));
    }
    text
}

/// `111122223333/eu-west-1`, as far as it is known.
pub fn part(subject: &Subject) -> String {
    let account = subject.account.as_ref().map(|account| account.as_str());
    let region = subject.region.as_ref().map(|region| region.as_str());
    let parts: Vec<&str> = account.into_iter().chain(region).collect();
    parts.join("/")
}

/// What is missing, in words: `the policy of acme-logs`.
fn missing(said: &Undecided) -> String {
    let what = said.call.map_or("it", Call::tells);
    match &said.on {
        Some(bucket) => format!("{what} of {bucket}"),
        None => what.to_owned(),
    }
}

/// Why a rule could not decide, and what would settle it, as one sentence.
pub fn undecided(each: &Reported<Undecided>) -> String {
    let why = match &each.said.why {
        Why::Denied { action } => format!("{action} was denied"),
        Why::NotRead => "it was not in the input".to_owned(),
        Why::AfterApply => format!("{} is known only after the deploy", missing(&each.said)),
        Why::LeftOut => format!(
            "the template leaves out {}, and the one before may have had it",
            missing(&each.said)
        ),
        Why::Sensitive => format!("{} is marked as sensitive in its file", missing(&each.said)),
        Why::Failed { code } => format!("the call failed with {code}"),
    };
    let needs = match (&each.said.needs, &each.said.why) {
        (Some(needs), Why::Denied { action }) if needs == action => String::new(),
        (Some(needs), _) => format!("; {needs} would tell"),
        (None, _) => String::new(),
    };
    let text = format!("could not be decided: {why}{needs}");
    visible(&text).into_owned()
}

/// What is said of buckets without an edge: `none with server access logging`, unless that isn't known.
pub fn unlogged(report: &Report) -> String {
    match report.summary.open_logging {
        0 => "none with server access logging".to_owned(),
        n => format!("none known to have server access logging, and of {n} that can't be told"),
    }
}

/// That edges can't be judged, or whether there are any, where nothing else says so.
pub fn unjudged(report: &Report) -> Option<String> {
    let summary = &report.summary;
    // Of a change, what was unknown before is no news.
    if summary.edges == 0 && summary.open_logging > 0 && report.repaired.is_none() {
        return Some(match summary.open_logging {
            1 => "where 1 bucket logs can't be told".to_owned(),
            n => format!("where {n} buckets log can't be told"),
        });
    }
    let from = match report.summary.unread {
        0 => "",
        _ => " from these files",
    };
    let edges = match report.summary.edges {
        1 => "logging edge",
        _ => "logging edges",
    };
    match report.silently_unknown() {
        0 => None,
        n => Some(format!(
            "{n} of {} {edges} can't be judged{from}",
            report.summary.edges
        )),
    }
}

/// `2 errors, 1 warning, 3 undecided`; nothing to report says so, but not where an edge can't be judged.
pub fn sums(report: &Report) -> String {
    let summary = &report.summary;
    let mut parts = Vec::new();
    let counted = [
        (Severity::Error, summary.error),
        (Severity::Warning, summary.warning),
        (Severity::Note, summary.note),
    ];
    for (severity, n) in counted {
        match n {
            0 => {}
            1 => parts.push(format!("1 {severity}")),
            n => parts.push(format!("{n} {severity}s")),
        }
    }
    let others = [
        (summary.undecided, "undecided"),
        (summary.suppressed, "suppressed"),
        (summary.baseline, "in the baseline"),
    ];
    parts.extend(
        others
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{n} {word}")),
    );
    parts.extend(unjudged(report));
    match parts.is_empty() {
        true => "nothing to report".to_owned(),
        false => parts.join(", "),
    }
}
