//! `rules` and `explain`: what the rules are, and the document of one.

use serde::Serialize;

use super::Exit;
use super::arguments::{ExplainArguments, RulesArguments};
use super::error::Error;
use super::output::Console;
use crate::rules;

#[derive(Debug, Serialize)]
struct RuleJson {
    code: &'static str,
    name: &'static str,
    group: &'static str,
    severity: &'static str,
    since: &'static str,
    summary: &'static str,
    /// The IAM actions whose answers it reads, beyond the list of buckets and their logging.
    reads: Vec<&'static str>,
}

pub fn list(arguments: &RulesArguments, console: &Console) -> Result<Exit, Error> {
    if arguments.json {
        let rules: Vec<RuleJson> = rules::ALL
            .iter()
            .map(|rule| RuleJson {
                code: rule.code,
                name: rule.name,
                group: rule.group(),
                severity: rule.severity.word(),
                since: rule.since,
                summary: rule.summary,
                reads: rule.reads.iter().map(|call| call.action()).collect(),
            })
            .collect();
        console.write(|out| {
            serde_json::to_writer_pretty(&mut *out, &rules).map_err(std::io::Error::from)?;
            writeln!(out)
        })?;
        return Ok(Exit::Clean);
    }
    let widest = |word: fn(&rules::Rule) -> &'static str| {
        let widths = rules::ALL.iter().map(|rule| word(rule).len());
        widths.max().unwrap_or_default()
    };
    let (width, group_width) = (widest(|rule| rule.name), widest(rules::Rule::group));
    console.write(|out| {
        for rule in rules::ALL {
            writeln!(
                out,
                "{}  {:<width$}  {:<7}  {:<group_width$}  {}",
                rule.code,
                rule.name,
                rule.severity.word(),
                rule.group(),
                rule.summary
            )?;
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}

pub fn explain(arguments: &ExplainArguments, console: &Console) -> Result<Exit, Error> {
    let Some(rule) = rules::find(arguments.rule.trim()) else {
        return Err(Error::NoRule {
            given: arguments.rule.clone(),
            suggestion: nearest(&arguments.rule),
        });
    };
    console.write(|out| out.write_all(rule.document.as_bytes()))?;
    Ok(Exit::Clean)
}

/// The rule whose code or name has the most in common with what was given, if that is enough to be meant.
pub fn nearest(given: &str) -> Option<&'static str> {
    rules::ALL
        .iter()
        .flat_map(|rule| [rule.name, rule.code])
        .map(|name| (likeness(given, name), name))
        .max()
        .filter(|(likeness, _)| *likeness >= 50)
        .map(|(_, name)| name)
}

/// How alike two words are, in percent: by the pairs of letters that they share, in any case.
pub fn likeness(one: &str, other: &str) -> usize {
    let pairs = |text: &str| -> Vec<[u8; 2]> {
        let text = text.to_ascii_lowercase();
        text.as_bytes().windows(2).map(|w| [w[0], w[1]]).collect()
    };
    let (one, other) = (pairs(one), pairs(other));
    let common = other.iter().filter(|pair| one.contains(pair)).count();
    common * 2 * 100 / (one.len() + other.len()).max(1)
}
