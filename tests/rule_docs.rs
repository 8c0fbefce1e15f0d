//! Every rule's document is executed: all rules run on each of its examples, and say exactly what is shown.
//!
//! An example is a fenced `json` block with a snapshot, perhaps after a `toml` block with a settings file. Under **Fails** a fenced `text` block follows with the
//! exact report in the short format; under **Passes** the report is empty.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::date;
use s3log_lint::cli::Config;
use s3log_lint::collect::kind::{self, Kind};
use s3log_lint::collect::{overlay, snapshot, terraform};
use s3log_lint::graph::LogGraph;
use s3log_lint::inventory::Inventory;
use s3log_lint::render::short;
use s3log_lint::report::{Report, Scale, Settings};
use s3log_lint::rules::{self, Check, Rule};

fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

fn stem(rule: &Rule) -> String {
    rule.name.replace('-', "_")
}

/// The settings file of an example, and a day on which to read it.
fn settings(text: Option<&str>) -> Settings {
    let config =
        Config::parse("s3log-lint.toml", text.unwrap_or_default()).unwrap_or_else(|error| panic!("{error}"));
    Settings {
        today: Some(date(2026, 11, 22)),
        ..config.settings
    }
}

/// A snapshot, or a plan of Terraform where it takes a change to show the fault.
fn read(example: &str) -> Inventory {
    let recognised = kind::recognise(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
    match recognised.kind {
        Kind::TerraformPlan => {
            let deployment = terraform::read("plan.json", example, recognised)
                .unwrap_or_else(|error| panic!("{error}\n{example}"));
            overlay::alone(&[deployment])
        }
        _ => snapshot::read(example).unwrap_or_else(|error| panic!("{error}\n{example}")),
    }
}

fn lint(snapshot: &str, config: Option<&str>) -> String {
    let inventory = read(snapshot);
    let graph = LogGraph::new(&inventory);
    let all: Vec<&Rule> = rules::ALL.iter().collect();
    let report = Report::new(rules::run(&graph, &all), Scale::of(&inventory), &settings(config));
    let mut out = Vec::new();
    short::render(&report, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("the report is text")
}

/// The fenced blocks of a Markdown text with the heading they stand under: (heading, language, content).
fn blocks(markdown: &str) -> Vec<(String, String, String)> {
    let (mut heading, mut found, mut open) = (String::new(), Vec::new(), None::<(String, String)>);
    for line in markdown.lines() {
        match &mut open {
            Some((_, content)) if !line.starts_with("```") => {
                content.push_str(line);
                content.push('\n');
            }
            Some(_) => {
                let (language, content) = open.take().expect("the arm says that a block is open");
                found.push((heading.clone(), language, content));
            }
            None => {
                if let Some(language) = line.strip_prefix("```") {
                    open = Some((language.to_owned(), String::new()));
                } else if let Some(text) = line.strip_prefix("## ") {
                    heading = text.trim().to_owned();
                }
            }
        }
    }
    assert!(open.is_none(), "a block is left open");
    found
}

#[test]
fn every_rule_has_a_document_and_every_document_a_rule() {
    let rules: BTreeSet<String> = rules::ALL.iter().map(stem).collect();
    let written: BTreeSet<String> = fs::read_dir(documents())
        .expect("the folder is there")
        .filter_map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_str()?
                .strip_suffix(".md")
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(rules, written);
    for rule in rules::ALL {
        let code = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src/rules")
            .join(format!("{}.rs", stem(rule)));
        assert!(
            code.is_file(),
            "{} has no file of its own in src/rules",
            rule.name
        );
    }
}

#[test]
fn every_document_says_what_it_must() {
    for rule in rules::ALL {
        let text = fs::read_to_string(documents().join(stem(rule) + ".md")).expect("a document");
        let title = format!("# {} {}\n", rule.code, rule.name);
        assert!(text.starts_with(&title), "{}: the title is {title:?}", rule.code);
        for heading in [
            "## What it finds",
            "## Why it matters",
            "## Fails",
            "## Passes",
            "## How to fix it",
            "## When to allow it",
        ] {
            assert!(
                text.contains(&format!("\n{heading}\n")),
                "{}: {heading} is missing",
                rule.code
            );
        }
        assert!(
            text.contains("https://docs.aws.amazon.com/"),
            "{}: the AWS page that says so is missing",
            rule.code
        );
        assert!(
            text.lines().all(|line| line.len() <= 1000),
            "{}: a line is too long",
            rule.code
        );
    }
}

#[test]
fn every_example_gives_exactly_what_is_shown() {
    let update = std::env::var_os("UPDATE_RULE_DOCS").is_some();
    let mut wrong = Vec::new();
    // What the report says of the settings has no snapshot as its example.
    let shown_by_snapshots = |rule: &&Rule| !matches!(rule.check, Check::Report);
    for rule in rules::ALL.iter().filter(shown_by_snapshots) {
        let path = documents().join(stem(rule) + ".md");
        let mut text = fs::read_to_string(&path).expect("a document");
        let blocks = blocks(&text);
        let (mut fails, mut passes) = (0, 0);
        for (position, (heading, language, content)) in blocks.iter().enumerate() {
            if language != "json" {
                continue;
            }
            // A settings file may stand before the account.
            let config = position
                .checked_sub(1)
                .and_then(|before| blocks.get(before))
                .filter(|(_, language, _)| language == "toml")
                .map(|(_, _, config)| config.as_str());
            match heading.as_str() {
                "Fails" => {
                    fails += 1;
                    let shown = blocks
                        .get(position + 1)
                        .filter(|(_, language, _)| language == "text");
                    let (_, _, shown) =
                        shown.unwrap_or_else(|| panic!("{}: an example without its report", rule.code));
                    let said = lint(content, config);
                    assert!(
                        said.lines().any(|line| line.contains(rule.code)) || (update && shown.is_empty()),
                        "{}: a Fails example that this rule passes:\n{said}",
                        rule.code
                    );
                    if said != *shown {
                        if update {
                            let old = format!("{content}```\n\n```text\n{shown}```");
                            assert!(
                                text.contains(&old),
                                "{}: one blank line between example and report",
                                rule.code
                            );
                            text = text.replacen(&old, &format!("{content}```\n\n```text\n{said}```"), 1);
                        }
                        wrong.push(format!("{}: shown:\n{shown}said:\n{said}", rule.code));
                    }
                }
                "Passes" => {
                    passes += 1;
                    let said = lint(content, config);
                    if !said.is_empty() {
                        wrong.push(format!("{}: a Passes example is not clean:\n{said}", rule.code));
                    }
                }
                _ => {}
            }
        }
        assert!(
            fails > 0 && passes > 0,
            "{}: at least one example that fails and one that passes",
            rule.code
        );
        if update {
            fs::write(&path, text).expect("the document can be written");
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n(UPDATE_RULE_DOCS=1 writes what was said; read the difference)",
        wrong.join("\n\n")
    );
}
