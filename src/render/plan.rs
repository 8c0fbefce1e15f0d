//! A plan for people: each change with what was there and what will be, and what the lint says of the whole.

pub mod cloudformation;
pub mod commands;
pub mod terraform;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::Value;

use super::escape::visible;
use super::terminal::Style;
use super::terminal::numbers::{count, join_some};
use super::terminal::wrap::wrap;
use crate::finding::{Finding, Undecided};
use crate::inventory::Why;
use crate::plan::diff::{Line, difference};
use crate::plan::{Change, Consequences, Left, NewBucket, Plan, Put, Setting};
use crate::rules::{EdgeVerdict, Reported};

/// Lines that are the same, shown around those that differ.
const AROUND: usize = 2;

/// As many buckets whose logging changes in the same way are named.
const NAMED: usize = 8;

/// The changes, what the lint says after them, and what was asked for and stays as it is.
pub fn render(
    plan: &Plan,
    consequences: &Consequences,
    left: &[Left],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if plan.is_empty() && left.is_empty() {
        writeln!(out, "Nothing to change: it is so already.")?;
    } else if plan.is_empty() {
        writeln!(
            out,
            "Nothing is changed: what was found can't be repaired like this."
        )?;
    } else {
        writeln!(
            out,
            "{}",
            style.bold(&format!(
                "{} to account {}:",
                count(plan.changes.len(), "change"),
                plan.account
            ))
        )?;
        writeln!(out)?;
        render_changes(plan, style, out)?;
    }
    render_remarks(plan, style, out)?;
    render_consequences(consequences, style, out)?;
    render_left(left, style, out)
}

fn render_changes(plan: &Plan, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let is_new = |put: &Put| {
        plan.changes
            .iter()
            .any(|change| matches!(change, Change::CreateBucket(new) if new.bucket == put.bucket))
    };
    let mut unnamed = 0;
    let mut named = 0;
    for change in &plan.changes {
        match change {
            Change::CreateBucket(new) => render_new(new, style, out)?,
            Change::DeleteBucket(new) => writeln!(
                out,
                "{} bucket {} ({}), if it is empty",
                style.paint("- delete", "31"),
                new.bucket,
                new.region
            )?,
            Change::Put(put) if put.setting == Setting::Logging && named >= NAMED => unnamed += 1,
            Change::Put(put) => {
                named += usize::from(put.setting == Setting::Logging);
                render_put(put, is_new(put), style, out)?;
            }
        }
    }
    if unnamed > 0 {
        writeln!(
            out,
            "{} logging of {} (`--out FILE` writes them all)",
            style.paint("~ change", "33"),
            count(unnamed, "more bucket")
        )?;
    }
    writeln!(out)
}

fn render_new(new: &NewBucket, style: Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{} bucket {} ({})",
        style.paint("+ create", "32"),
        new.bucket,
        new.region
    )?;
    let tags: Vec<String> = new
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    writeln!(
        out,
        "    owner-enforced, encrypted with SSE-S3, tagged {}",
        tags.join(", ")
    )
}

fn render_put(put: &Put, is_of_new_bucket: bool, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mark = match (&put.before, &put.after) {
        (_, None) => style.paint("- remove", "31"),
        (None, Some(_)) => style.paint("+ set   ", "32"),
        (Some(_), Some(_)) => style.paint("~ change", "33"),
    };
    writeln!(out, "{mark} {} of {}", put.setting.title(), put.bucket)?;
    match put.setting {
        Setting::Policy | Setting::Lifecycle | Setting::Acl => {
            let (before, after) = (text(put.before.as_ref()), text(put.after.as_ref()));
            for line in difference(&before, &after, AROUND) {
                let (mark, line, colour) = match line {
                    Line::Both(line) => (' ', line.to_owned(), ""),
                    Line::Before(line) => ('-', line.to_owned(), "31"),
                    Line::After(line) => ('+', line.to_owned(), "32"),
                    Line::Skipped(lines) => (' ', format!("… {}", count(lines, "line")), "2"),
                };
                let line = format!("    {mark} {}", visible(&line));
                match colour {
                    "" => writeln!(out, "{line}")?,
                    colour => writeln!(out, "{}", style.paint(&line, colour))?,
                }
            }
            Ok(())
        }
        Setting::Logging
        | Setting::OwnershipControls
        | Setting::PublicAccessBlock
        | Setting::Encryption
        | Setting::RequestPayment => {
            let words = |document| in_words(put.setting, document);
            if is_of_new_bucket {
                // What stands in a bucket that isn't there yet is up to AWS, which blocks public access by itself.
                return writeln!(out, "    {}", visible(&words(put.after.as_ref())));
            }
            writeln!(
                out,
                "    {} → {}",
                visible(&words(put.before.as_ref())),
                visible(&words(put.after.as_ref()))
            )
        }
    }
}

/// A document in lines; a policy in its own, where it has more than one.
fn text(document: Option<&Value>) -> String {
    match document {
        None => String::new(),
        Some(Value::String(text)) if text.trim().contains('\n') => text.clone(),
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(policy) => pretty(&policy),
            Err(_) => text.clone(),
        },
        Some(other) => pretty(other),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

fn in_words(setting: Setting, document: Option<&Value>) -> String {
    let at = |pointer: &str| {
        document
            .and_then(|document| document.pointer(pointer))
            .and_then(Value::as_str)
    };
    match setting {
        Setting::Logging => match at("/LoggingEnabled/TargetBucket") {
            None => "off".to_owned(),
            Some(target) => {
                let prefix = at("/LoggingEnabled/TargetPrefix").unwrap_or_default();
                let format = "/LoggingEnabled/TargetObjectKeyFormat/PartitionedPrefix";
                let partitioned = document.is_some_and(|document| document.pointer(format).is_some());
                let keys = match (partitioned, at(&format!("{format}/PartitionDateSource"))) {
                    (false, _) => "simple keys",
                    (true, Some("DeliveryTime")) => "keys partitioned by delivery time",
                    (true, _) => "keys partitioned by event time",
                };
                let grants = document
                    .and_then(|document| document.pointer("/LoggingEnabled/TargetGrants"))
                    .and_then(Value::as_array)
                    .filter(|grants| !grants.is_empty())
                    .map(|grants| format!(", {}", count(grants.len(), "target grant")));
                format!("{target}/{prefix} ({keys}{})", grants.unwrap_or_default())
            }
        },
        Setting::OwnershipControls => at("/OwnershipControls/Rules/0/ObjectOwnership")
            .unwrap_or("none (ACLs count)")
            .to_owned(),
        Setting::Encryption => {
            let rule = "/ServerSideEncryptionConfiguration/Rules/0/ApplyServerSideEncryptionByDefault";
            let algorithm = at(&format!("{rule}/SSEAlgorithm")).unwrap_or("AES256");
            match at(&format!("{rule}/KMSMasterKeyID")) {
                Some(key) => format!("{algorithm} with {key}"),
                None => algorithm.to_owned(),
            }
        }
        Setting::RequestPayment => at("/Payer").unwrap_or("BucketOwner").to_owned(),
        Setting::PublicAccessBlock => {
            let block = document.and_then(|document| document.get("PublicAccessBlockConfiguration"));
            let names = [
                "BlockPublicAcls",
                "IgnorePublicAcls",
                "BlockPublicPolicy",
                "RestrictPublicBuckets",
            ];
            let on: Vec<&str> = names
                .into_iter()
                .filter(|name| block.and_then(|block| block.get(name)).and_then(Value::as_bool) == Some(true))
                .collect();
            match on.len() {
                0 => "nothing blocked".to_owned(),
                4 => "everything public blocked".to_owned(),
                _ => on.join(", "),
            }
        }
        Setting::Policy | Setting::Lifecycle | Setting::Acl => text(document),
    }
}

fn render_remarks(plan: &Plan, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for remark in &plan.remarks {
        write_wrapped(&format!("Note: {remark}."), style, out)?;
    }
    if !plan.remarks.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

fn write_wrapped(text: &str, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for (index, line) in wrap(&visible(text), style.width.saturating_sub(2))
        .iter()
        .enumerate()
    {
        writeln!(out, "{}{line}", if index == 0 { "" } else { "  " })?;
    }
    Ok(())
}

/// What the lint says once it is applied.
fn render_consequences(consequences: &Consequences, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let Consequences {
        gone,
        remaining,
        new,
        undecided,
        edges,
    } = consequences;
    let mut by_verdict: Vec<(EdgeVerdict, Vec<&str>)> = Vec::new();
    for edge in edges {
        let source = edge.subject.bucket.as_str();
        match by_verdict
            .iter_mut()
            .find(|(verdict, _)| *verdict == edge.verdict)
        {
            Some((_, sources)) => sources.push(source),
            None => by_verdict.push((edge.verdict, vec![source])),
        }
    }
    by_verdict.sort_by_key(|(verdict, _)| *verdict);
    for (verdict, sources) in by_verdict {
        let (words, colour) = match verdict {
            EdgeVerdict::Delivers => ("will deliver", "32"),
            EdgeVerdict::Blocked => ("will be blocked", "31"),
            EdgeVerdict::Unreadable => ("will arrive unreadable", "31"),
            EdgeVerdict::Loops => ("will loop", "31"),
            EdgeVerdict::Unknown => ("can't be told", "33"),
        };
        let names = join_some(sources.iter().copied(), 3);
        write_wrapped(
            &format!("Logs of {names}: {}", style.paint(words, colour)),
            style,
            out,
        )?;
    }
    for (title, findings, colour) in [
        ("Findings that disappear:", gone, "32"),
        ("Findings that come:", new, "33"),
        ("Findings that remain:", remaining, "33"),
    ] {
        if !findings.is_empty() {
            writeln!(out, "{}", style.paint(title, colour))?;
            render_findings(findings, style, out)?;
        }
    }
    render_undecided(undecided, style, out)
}

/// Which rules, and without what: one line for what the same answer would settle.
fn render_undecided(undecided: &[Reported<Undecided>], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for each in undecided {
        let why = match (&each.said.needs, &each.said.why) {
            (_, Why::Denied { action }) => format!(": {action} was denied"),
            (_, Why::Failed { code }) => format!(": the call failed with {code}"),
            (Some(needs), _) => format!(" without {needs}, which wasn't asked"),
            (None, _) => String::new(),
        };
        groups.entry(why).or_default().insert(each.rule.code);
    }
    for (why, codes) in groups {
        let codes = join_some(codes.into_iter(), 6);
        write_wrapped(&format!("{codes} can't be decided{why}."), style, out)?;
    }
    Ok(())
}

/// What is left as it is, and what a person must decide.
fn render_left(left: &[Left], style: Style, out: &mut dyn Write) -> io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let mut groups: Vec<(&Left, Vec<&str>)> = Vec::new();
    for one in left {
        let same = groups
            .iter_mut()
            .find(|(first, _)| first.code == one.code && first.why == one.why);
        match same {
            Some((_, buckets)) => buckets.push(&one.bucket),
            None => groups.push((one, vec![&one.bucket])),
        }
    }
    writeln!(out, "\n{}", style.bold("Left as it is:"))?;
    for (first, mut buckets) in groups {
        buckets.sort_unstable();
        buckets.dedup();
        let text = format!(
            "{} {}: {}",
            first.code,
            join_some(buckets.iter().copied(), 3),
            first.why
        );
        for (index, line) in wrap(&visible(&text), style.width.saturating_sub(4))
            .iter()
            .enumerate()
        {
            writeln!(out, "{}{line}", if index == 0 { "  " } else { "    " })?;
        }
    }
    Ok(())
}

/// One line per rule where many buckets have the same finding.
fn render_findings(findings: &[Reported<Finding>], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: Vec<(&Reported<Finding>, Vec<&str>)> = Vec::new();
    for finding in findings {
        let same = groups.iter_mut().find(|(first, _)| {
            first.rule.code == finding.rule.code && first.subject.target == finding.subject.target
        });
        match same {
            Some((_, buckets)) => buckets.push(&finding.subject.bucket),
            None => groups.push((finding, vec![&finding.subject.bucket])),
        }
    }
    for (first, buckets) in groups {
        let told = match (buckets.as_slice(), &first.said.shared) {
            ([_], _) => first.said.message.clone(),
            (many, Some(shared)) => format!("{} ({})", shared.message, join_some(many.iter().copied(), 3)),
            (many, None) => format!("{} ({})", first.rule.summary, join_some(many.iter().copied(), 3)),
        };
        let text = format!("{}[{}] {told}", first.rule.severity, first.rule.code);
        for (index, line) in wrap(&visible(&text), style.width.saturating_sub(4))
            .iter()
            .enumerate()
        {
            writeln!(out, "{}{line}", if index == 0 { "  " } else { "    " })?;
        }
    }
    Ok(())
}
