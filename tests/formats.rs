//! Every format on a fixed report, and on names that try to break out of it.

#[path = "formats/report.rs"]
mod report;

use proptest::prelude::*;
use serde_json::Value;

use self::report::{FORMATS, HOSTILE, fixed, hostile, render};

fn text(report: &s3log_lint::report::Report, format: &str) -> String {
    String::from_utf8(render(report, format)).expect("every format is text")
}

#[test]
fn every_format_is_as_it_was() {
    // What people read is polished more often than what programs read, and has tests of its own.
    for format in FORMATS
        .iter()
        .filter(|format| !["human", "short"].contains(format))
    {
        let mut shown = text(&fixed(), format);
        if *format == "sarif" {
            // The rules' documents have tests of their own, and each new rule would move this.
            let mut log: Value = serde_json::from_str(&shown).expect("SARIF is JSON");
            for run in log["runs"].as_array_mut().expect("runs") {
                let rules = run["tool"]["driver"]["rules"].take();
                for result in run["results"].as_array_mut().expect("results") {
                    let index = result["ruleIndex"].take();
                    let index = usize::try_from(index.as_u64().expect("an index")).expect("a small one");
                    assert_eq!(rules[index]["id"], result["ruleId"]);
                }
            }
            shown = serde_json::to_string_pretty(&log).expect("JSON is text");
        }
        insta::assert_snapshot!(*format, shown);
    }
}

#[test]
fn two_reports_are_equal_to_the_byte() {
    for format in FORMATS {
        assert_eq!(render(&fixed(), format), render(&fixed(), format), "{format}");
    }
}

#[test]
fn a_hostile_name_breaks_out_of_nothing() {
    for name in HOSTILE {
        hold(name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_breaks_out_of_anything(name in "\\PC{1,40}|[\\x00-\\x7f]{1,40}|[`|<>\\[\\]()!*:#;=@\\n\\r]{1,12}") {
        hold(&name);
    }
}

/// Reads every format back with a parser that is not ours, and finds what was put in and nothing more.
fn hold(name: &str) {
    let report = hostile(name);
    for format in ["human", "short", "github", "azure", "markdown", "junit", "csv"] {
        let shown = text(&report, format);
        let odd = shown
            .chars()
            .find(|c| (c.is_control() && !matches!(*c, '\n' | '\t')) || *c == '\u{202e}');
        assert_eq!(odd, None, "{format} obeys a control character: {shown:?}");
    }
    assert_eq!(text(&report, "short").lines().count(), 2, "{name:?}");
    hold_json(&report, name);
    hold_junit(&text(&report, "junit"), name);
    hold_csv(&text(&report, "csv"), name);
    hold_commands(&text(&report, "github"), "::", &["::error ", "::notice "], name);
    hold_commands(
        &text(&report, "azure"),
        "##vso[",
        &["##vso[task.logissue type="],
        name,
    );
}

fn hold_json(report: &s3log_lint::report::Report, name: &str) {
    let json = |format| -> Value { serde_json::from_slice(&render(report, format)).expect("JSON") };
    let plain = json("json");
    assert_eq!(plain["findings"][0]["bucket"], name);
    assert_eq!(plain["findings"].as_array().map(Vec::len), Some(1));
    let lines = text(report, "jsonl");
    let kinds: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON")["type"].to_string())
        .collect();
    assert_eq!(kinds, ["\"summary\"", "\"edge\"", "\"finding\"", "\"undecided\""]);
    let sarif = json("sarif");
    let result = &sarif["runs"][0]["results"][0];
    let said = result["message"]["text"].as_str().expect("a text");
    assert!(!said.contains("]("), "a link: {said}");
    let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        .as_str()
        .expect("every result has a file");
    assert!(
        !uri.is_empty() && !uri.starts_with('/') && !uri.contains([':', '\\', ' ', '?', '#']),
        "no relative URI: {uri}"
    );
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert!(region["startLine"].as_u64() >= Some(1), "{region}");
    for format in ["gitlab", "ocsf", "asff"] {
        assert_eq!(
            json(format).as_array().map(Vec::len),
            Some(2),
            "{format}: {name:?}"
        );
    }
    assert_eq!(json("rdjson")["diagnostics"].as_array().map(Vec::len), Some(2));
}

fn hold_junit(xml: &str, name: &str) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut tags = Vec::new();
    loop {
        match reader
            .read_event()
            .unwrap_or_else(|error| panic!("{error}: {name:?}: {xml}"))
        {
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    attribute.unwrap_or_else(|error| panic!("{error}: {name:?}"));
                }
                tags.push(tag.name().as_ref().to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(
        tags,
        [
            "testsuites",
            "testsuite",
            "testcase",
            "failure",
            "testcase",
            "skipped"
        ],
        "{name:?}"
    );
}

fn hold_csv(text: &str, name: &str) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader
        .records()
        .map(|row| row.unwrap_or_else(|error| panic!("{error}: {name:?}")))
        .collect();
    assert_eq!(rows.len(), 2, "{name:?}");
    for cell in rows.iter().flatten() {
        assert!(
            !cell.trim_start().starts_with(['=', '+', '-', '@']),
            "a formula: {cell}"
        );
    }
}

/// Runners obey every line that begins with this; Azure's even what stands within a line.
fn hold_commands(text: &str, sign: &str, known: &[&str], name: &str) {
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with(sign)).collect();
    assert_eq!(commands.len(), 2, "{name:?}: {text}");
    for command in commands {
        assert!(known.iter().any(|known| command.starts_with(known)), "{command}");
        if sign.starts_with('#') {
            assert_eq!(
                command.matches(sign).count(),
                1,
                "a command within a command: {command}"
            );
        }
    }
}
