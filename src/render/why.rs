//! One edge, or one policy, explained: for people and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::visible;
use super::terminal::{Style, wrap_indented};
use crate::rules::{Explanation, PolicyExplanation, Sign, StatementStep, Step};

/// What `why` prints.
pub fn human(explanation: &Explanation, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let target = explanation.target.as_deref().unwrap_or("(not known)");
    let prefix = match &explanation.prefix {
        Some(prefix) => format!("prefix `{prefix}`"),
        None => "a prefix that isn't known".to_owned(),
    };
    let format = match explanation.key_format {
        Some("partitioned") => ", partitioned keys",
        _ => "",
    };
    let head = format!("{} → {target}, {prefix}{format}", explanation.source);
    writeln!(out, "{}", style.bold(&visible(&head)))?;
    writeln!(out)?;
    steps(&explanation.steps, 2, style, out)?;
    policy(&explanation.policy, style, out)?;
    writeln!(out)?;
    let causes = match explanation.causes.as_slice() {
        [] => String::new(),
        causes => format!(" ({})", causes.join(", ")),
    };
    let verdict = format!("verdict: {}{causes}", explanation.verdict.word());
    writeln!(out, "{}", style.bold(&verdict))
}

/// What `policy test` prints.
pub fn human_policy(
    title: &str,
    grant: &str,
    explanation: &PolicyExplanation,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&visible(title)))?;
    policy(explanation, style, out)?;
    writeln!(out)?;
    writeln!(out, "{}", style.bold(&format!("grant: {grant}")))
}

fn policy(explanation: &PolicyExplanation, style: Style, out: &mut dyn Write) -> io::Result<()> {
    for StatementStep {
        sign,
        headline,
        elements,
        ..
    } in &explanation.statements
    {
        writeln!(out)?;
        writeln!(out, "  {} {}", style.sign(*sign), visible(headline))?;
        steps(elements, 4, style, out)?;
    }
    if !explanation.conclusion.is_empty() {
        writeln!(out)?;
        steps(&explanation.conclusion, 2, style, out)?;
    }
    for caveat in &explanation.caveats {
        let step = Step {
            sign: Sign::Plain,
            name: "caveat".to_owned(),
            text: caveat.clone(),
        };
        steps(std::slice::from_ref(&step), 2, style, out)?;
    }
    Ok(())
}

fn steps(steps: &[Step], indent: usize, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let widest = steps
        .iter()
        .map(|step| step.name.chars().count())
        .filter(|width| *width <= 20)
        .max()
        .unwrap_or_default();
    for step in steps {
        let name = visible(&step.name);
        let start = format!("{name:widest$}  ");
        let hang = indent + 2 + start.chars().count().min(24);
        let text = wrap_indented(
            &format!("{start}{}", visible(&step.text)),
            style.width,
            indent + 2,
            hang,
        );
        writeln!(out, "{:indent$}{} {}", "", style.sign(step.sign), text)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    source: Option<&'a str>,
    target: Option<&'a str>,
    prefix: Option<&'a str>,
    key_format: Option<&'a str>,
    grant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a str>,
    statements: Vec<&'a str>,
    unknown_keys: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<&'a [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_evaluated_anyway: Option<&'a str>,
    steps: Vec<JsonStep<'a>>,
    policy: Vec<JsonStatement<'a>>,
    text: String,
}

#[derive(Serialize)]
struct JsonStep<'a> {
    step: &'a str,
    state: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonStatement<'a> {
    statement: &'a str,
    state: &'static str,
    text: &'a str,
    elements: Vec<JsonStep<'a>>,
}

/// `why --format json`, as the contract has it.
pub fn json(explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    human(explanation, Style::default(), &mut text)?;
    write_json(
        &Json {
            version: 1,
            account: explanation.account.as_deref(),
            source: Some(&explanation.source),
            target: explanation.target.as_deref(),
            prefix: explanation.prefix.as_deref(),
            key_format: explanation.key_format,
            grant: Some(explanation.grant),
            verdict: Some(explanation.verdict.word()),
            causes: Some(&explanation.causes),
            steps: explanation
                .steps
                .iter()
                .chain(&explanation.policy.conclusion)
                .map(json_step)
                .collect(),
            ..json_policy(&explanation.policy, String::from_utf8_lossy(&text).into_owned())
        },
        out,
    )
}

/// The ends of an edge that a policy was asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub source: Option<&'a str>,
    pub target: Option<&'a str>,
    pub prefix: Option<&'a str>,
    pub key_format: &'a str,
}

/// `policy test --format json`.
pub fn json_of_policy(
    asked: Asked<'_>,
    title: &str,
    grant: &str,
    explanation: &PolicyExplanation,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut text = Vec::new();
    human_policy(title, grant, explanation, Style::default(), &mut text)?;
    write_json(
        &Json {
            source: asked.source,
            target: asked.target,
            prefix: asked.prefix,
            key_format: Some(asked.key_format),
            grant: Some(grant),
            ..json_policy(explanation, String::from_utf8_lossy(&text).into_owned())
        },
        out,
    )
}

/// A bucket that logs nowhere, or of which nobody knows whether it does.
pub fn json_of_no_edge(
    source: &str,
    account: Option<&str>,
    verdict: Option<&str>,
    text: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_json(
        &Json {
            source: Some(source),
            account,
            verdict,
            ..json_policy(&PolicyExplanation::default(), text.to_owned())
        },
        out,
    )
}

fn json_policy(explanation: &PolicyExplanation, text: String) -> Json<'_> {
    Json {
        version: 1,
        account: None,
        source: None,
        target: None,
        prefix: None,
        key_format: None,
        grant: None,
        verdict: None,
        statements: explanation.deciding.iter().map(String::as_str).collect(),
        unknown_keys: explanation.unknown_keys.iter().map(String::as_str).collect(),
        causes: None,
        if_evaluated_anyway: explanation.if_evaluated_anyway,
        steps: explanation.conclusion.iter().map(json_step).collect(),
        policy: explanation
            .statements
            .iter()
            .map(|statement| JsonStatement {
                statement: &statement.pointer,
                state: state(statement.sign),
                text: &statement.headline,
                elements: statement.elements.iter().map(json_step).collect(),
            })
            .collect(),
        text,
    }
}

fn json_step(step: &Step) -> JsonStep<'_> {
    JsonStep {
        step: &step.name,
        state: state(step.sign),
        text: &step.text,
    }
}

fn state(sign: Sign) -> &'static str {
    match sign {
        Sign::Good => "good",
        Sign::Bad => "bad",
        Sign::Open => "unknown",
        Sign::Plain => "neutral",
        Sign::Advice => "advice",
    }
}

fn write_json(json: &Json<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, json)?;
    writeln!(out)
}

impl Style {
    /// A sign of one character.
    fn sign(self, sign: Sign) -> String {
        match sign {
            Sign::Good => self.paint("✓", "32"),
            Sign::Bad => self.paint("✗", "31"),
            Sign::Open => self.paint("?", "33"),
            Sign::Plain => "·".to_owned(),
            Sign::Advice => self.paint("→", "36"),
        }
    }
}
