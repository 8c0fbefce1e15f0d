//! Settings, suppressions and baselines as a user meets them: files in a folder, and the program run in it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const LOOPS: &str = r#"{"version":1,"unasked":"absent","taken_at":"2026-11-22T07:00:00Z","accounts":[{"id":"111122223333",
  "buckets":{
    "app-a":{"region":"eu-west-1","logging":{"LoggingEnabled":{"TargetBucket":"app-a","TargetPrefix":"a/"}}},
    "app-b":{"region":"eu-west-1","logging":{"LoggingEnabled":{"TargetBucket":"app-b","TargetPrefix":"b/"}}}}}]}"#;

#[path = "program/mod.rs"]
mod program;

use program::{code, program, stderr};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(settings: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        folder.write("account.json", LOOPS);
        folder.write("s3log-lint.toml", settings);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect("the file is there")
    }

    fn run_in(&self, inside: &str, arguments: &[&str]) -> Output {
        let output = program()
            .args(arguments)
            .current_dir(self.path().join(inside))
            .output();
        output.expect("the program starts")
    }

    /// Audits the recording.
    fn audit(&self, arguments: &[&str]) -> Output {
        let own = ["audit", "--snapshot", "account.json"];
        self.run_in("", &[&own[..], arguments].concat())
    }

    fn report(&self, arguments: &[&str]) -> Value {
        let output = self.audit(&[&["--format", "json"], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)))
    }
}

/// The codes and buckets of the findings about loops and suppressions.
fn told(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("a list");
    findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                text(&finding["severity"]),
                text(&finding["code"]),
                text(&finding["bucket"])
            )
        })
        .filter(|line| line.contains("S3L001") || line.contains("S3L9"))
        .collect()
}

fn verdict_of(report: &Value, source: &str) -> String {
    let edges = report["edges"].as_array().expect("a list");
    let edge = edges
        .iter()
        .find(|edge| edge["source"] == source)
        .expect("the edge");
    edge["causes"].to_string()
}

#[test]
fn a_suppressed_finding_is_counted_and_its_edge_stays_as_it_is() {
    let plain = Folder::new("").report(&[]);
    assert_eq!(told(&plain), ["error S3L001 app-a", "error S3L001 app-b"]);
    let folder =
        Folder::new("[[allow]]\nrule = \"self-logging\"\nbucket = \"app-a\"\nreason = \"moves soon\"\n");
    let report = folder.report(&[]);
    assert_eq!(told(&report), ["error S3L001 app-b"]);
    assert_eq!(report["summary"]["suppressed"], 1);
    assert_eq!(verdict_of(&report, "app-a"), verdict_of(&plain, "app-a"));
    assert_eq!(report["summary"]["verdicts"], plain["summary"]["verdicts"]);
}

#[test]
fn a_suppression_that_is_over_holds_nothing_back() {
    let allow = |expires| {
        format!(
            "[[allow]]\nrule = \"S3L001\"\nbucket = \"*\"\nreason = \"moves soon\"\nexpires = {expires}\n"
        )
    };
    assert_eq!(told(&Folder::new(&allow("9999-12-31")).report(&[])), [""; 0]);
    assert_eq!(
        told(&Folder::new(&allow("2000-01-01")).report(&[])),
        ["error S3L001 app-a", "error S3L001 app-b", "warning S3L902 *"]
    );
}

#[test]
fn an_unused_suppression_is_said_only_by_who_can_know() {
    let folder = Folder::new("[[allow]]\nrule = \"S3L001\"\nbucket = \"gone-*\"\nreason = \"moves soon\"\n");
    let unused = "note S3L901 gone-*".to_owned();
    assert!(told(&folder.report(&[])).contains(&unused));
    // A part of the account can't tell what is in the rest of it.
    assert!(!told(&folder.report(&["--bucket", "app-a"])).contains(&unused));
    let other =
        "[[allow]]\nrule = \"S3L001\"\nbucket = \"gone-*\"\naccount = \"444455556666\"\nreason = \"x\"\n";
    assert!(!told(&Folder::new(other).report(&[])).contains(&unused));
}

#[test]
fn severities_and_selections_are_the_users() {
    let folder = Folder::new("[severity]\nself-logging = \"note\"\n");
    assert_eq!(
        told(&folder.report(&[])),
        ["note S3L001 app-a", "note S3L001 app-b"]
    );
    let none = [""; 0];
    assert_eq!(told(&folder.report(&["--ignore", "self-logging"])), none);
    assert_eq!(told(&folder.report(&["--select", "grant,suppression"])), none);
    // The command line goes before the file, and --isolated before both.
    let strict = Folder::new("fail-on = \"never\"\nunknown = \"ignore\"\n");
    assert_eq!(code(&strict.audit(&[])), 0);
    assert_eq!(code(&strict.audit(&["--fail-on", "error"])), 1);
    assert_eq!(code(&strict.audit(&["--isolated"])), 1);
}

#[test]
fn the_file_is_found_upwards_and_errors_point_into_it() {
    let folder = Folder::new("fail-on = \"never\"\nunknown = \"ignore\"\n");
    std::fs::create_dir_all(folder.path().join("a/b")).expect("folders");
    let inside = ["audit", "--snapshot", "../../account.json"];
    assert_eq!(code(&folder.run_in("a/b", &inside)), 0);
    folder.write(
        "a/s3log-lint.toml",
        "fail-on = \"never\"\n\nignore = [\"self-loging\"]\n",
    );
    let output = folder.run_in("a/b", &inside);
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    assert!(
        said.contains("s3log-lint.toml:3:11: there is no rule or group `self-loging`"),
        "{said}"
    );
    assert!(said.contains("did you mean `self-logging`?"), "{said}");
    let missing = folder.audit(&["--config", "nowhere.toml"]);
    assert_eq!(code(&missing), 2);
    assert!(
        stderr(&missing).contains("can't read nowhere.toml"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn a_baseline_holds_back_what_it_knows_and_says_what_is_gone() {
    let folder = Folder::new("");
    let first = folder.audit(&["--write-baseline", "known.json", "--unknown", "ignore"]);
    assert_eq!(code(&first), 0, "{}", stderr(&first));
    let written = folder.read("known.json");
    let again = folder.report(&["--baseline", "known.json"]);
    assert_eq!(told(&again), [""; 0]);
    assert!(again["summary"]["baseline"].as_u64() >= Some(2));
    assert_eq!(again["summary"]["error"], 0);
    // A repaired bucket leaves its entry behind.
    folder.write(
        "account.json",
        &LOOPS.replace(
            "{\"LoggingEnabled\":{\"TargetBucket\":\"app-b\",\"TargetPrefix\":\"b/\"}}",
            "{}",
        ),
    );
    let repaired = folder.audit(&["--baseline", "known.json"]);
    assert!(
        stderr(&repaired).contains(
            "3 entries of the baseline match no finding any more: S3L101 app-b, S3L001 app-b, S3L206 app-b"
        ),
        "{}",
        stderr(&repaired)
    );
    // Writing it anew drops the entry; writing it twice changes nothing.
    folder.audit(&["--baseline", "known.json", "--write-baseline", "known.json"]);
    let renewed = folder.read("known.json");
    assert!(
        written.contains("\"bucket\": \"app-b\",\n      \"target\": \"app-b\""),
        "{written}"
    );
    assert!(!renewed.contains("\"target\": \"app-b\""), "{renewed}");
    folder.audit(&["--baseline", "known.json", "--write-baseline", "known.json"]);
    assert_eq!(folder.read("known.json"), renewed);
    folder.write("broken.json", "{\"version\": 1,\n");
    let broken = folder.audit(&["--baseline", "broken.json"]);
    assert_eq!(code(&broken), 2);
    assert!(
        stderr(&broken).contains("broken.json is no baseline: line 2"),
        "{}",
        stderr(&broken)
    );
}

#[test]
fn several_reports_are_written_at_once() {
    let folder = Folder::new("");
    let output = folder.audit(&[
        "--format",
        "short",
        "--output",
        "sarif=report.sarif",
        "--output",
        "json=report.json",
        "--output",
        "asff=findings.json",
    ]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let sarif: Value = serde_json::from_str(&folder.read("report.sarif")).expect("JSON");
    let json: Value = serde_json::from_str(&folder.read("report.json")).expect("JSON");
    let asff: Value = serde_json::from_str(&folder.read("findings.json")).expect("JSON");
    assert_eq!(
        sarif["runs"][0]["automationDetails"]["id"],
        "s3log-lint/111122223333/eu-west-1/"
    );
    assert_eq!(json, folder.report(&[]));
    // A recording says when it was made, so its reports don't change with the clock.
    assert_eq!(asff[0]["CreatedAt"], "2026-11-22T07:00:00Z");
    for wrong in ["sarif", "sarif=", "yaml=x"] {
        let output = folder.audit(&["--output", wrong]);
        assert_eq!(code(&output), 2, "{wrong}");
    }
    let unwritable = folder.audit(&["--output", "json=no/such/folder/report.json"]);
    assert_eq!(code(&unwritable), 2);
    assert!(stderr(&unwritable).contains("can't write no/such/folder/report.json"));
}

#[test]
fn a_report_that_has_no_place_is_refused_before_anything_is_written() {
    let folder = Folder::new("");
    let refused = |arguments: &[&str], said: &str| {
        let output = folder.audit(&[&["--output", "short=first.txt"], arguments].concat());
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(
            stderr(&output).contains(said),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(!folder.path().join("first.txt").exists(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    };
    let twice = "two reports are to be written to ";
    refused(&["--output", "json=first.txt"], twice);
    refused(&["--output", "json=./first.txt"], twice);
    refused(&["--write-baseline", "first.txt"], twice);
    refused(
        &["--output", "json=-"],
        "standard output is what `--format` is for",
    );
    refused(&["--output", "json=."], "can't write .:");
    refused(
        &["--output", "json=nowhere/report.json"],
        "can't write nowhere/report.json",
    );
    refused(
        &["--output", "json=account.json/report.json"],
        "can't write account.json/report.json",
    );
    refused(
        &["--output", "json=no\u{1b}[31mwhere/x"],
        "can't write no\\u{1b}[31mwhere/x",
    );
    let recording = folder.read("account.json");
    refused(
        &["--output", "json=./account.json"],
        "written to ./account.json, which the run reads",
    );
    assert_eq!(folder.read("account.json"), recording);
    // A name may be odd as long as it names a file.
    let odd = "-=a b\u{fc}\n.json";
    let output = folder.audit(&["--output", &format!("json={odd}"), "--output", "csv=/dev/stderr"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let written: Value = serde_json::from_str(&folder.read(odd)).expect("JSON");
    assert_eq!(written, folder.report(&[]));
    assert!(
        stderr(&output).contains("code,rule,severity"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn github_gets_a_summary_beside_its_annotations() {
    let folder = Folder::new("");
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, "before\n").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_s3log-lint"))
        .args(["audit", "--snapshot", "account.json", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .current_dir(folder.path())
        .output()
        .expect("the program starts");
    assert_eq!(code(&output), 1);
    let text = folder.read("summary.md");
    assert!(
        text.starts_with("before\n<!-- s3log-lint -->\n## Access logging: "),
        "{text}"
    );
}

#[test]
fn the_names_of_log_buckets_are_shown_and_their_errors_placed() {
    let folder = Folder::new("");
    let show = |settings: &str| {
        folder.write("s3log-lint.toml", settings);
        folder.run_in("", &["config", "show"])
    };
    let targets = |output: &Output| {
        let text = String::from_utf8(output.stdout.clone()).expect("text");
        let shown: toml::Table = text.parse().expect("what is shown is a settings file");
        shown["targets"].clone()
    };
    let usual = targets(&show(""));
    assert_eq!(
        usual["template"].as_str(),
        Some("{account}-{region}-s3-access-logs")
    );
    assert!(usual.get("prefix").is_none());
    let own = "[targets]\ntemplate = \"logs-{account}-{region}\"\nprefix = \"{source}/s3/\"\n";
    let shown = show(own);
    assert_eq!(
        targets(&shown)["template"].as_str(),
        Some("logs-{account}-{region}")
    );
    assert_eq!(targets(&shown)["prefix"].as_str(), Some("{source}/s3/"));
    // Read again, it says the same.
    let text = String::from_utf8(shown.stdout.clone()).expect("text");
    assert_eq!(show(&text).stdout, shown.stdout);
    for (wrong, said) in [
        (
            "[targets]\ntemplate = \"logs-{source}\"\n",
            "s3log-lint.toml:2:12: there is nothing to put for `{source}`",
        ),
        (
            "[targets]\nprefix = \"{bucket}/\"\n",
            "s3log-lint.toml:2:10: there is nothing to put for `{bucket}`",
        ),
        (
            "[targets]\ntemplate = \"s3://{account}\"\n",
            "s3log-lint.toml:2:12: no bucket can have a name like",
        ),
    ] {
        let output = show(wrong);
        assert_eq!(code(&output), 2, "{wrong}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn what_nobody_may_suppress_nothing_silences() {
    let declared = "unsuppressible = [\"S3L001\"]\n";
    let folder = Folder::new(declared);
    let loops = ["error S3L001 app-a", "error S3L001 app-b"];
    // By an option: the error points into the settings.
    for ignored in ["S3L001", "self-logging", "graph", "S3L0", "all"] {
        let output = folder.audit(&["--ignore", ignored]);
        assert_eq!(code(&output), 2, "{ignored}");
        let told = stderr(&output);
        assert!(told.contains("s3log-lint.toml:1:19"), "{told}");
        assert!(
            told.contains(&format!("`--ignore {ignored}` would silence S3L001")),
            "{told}"
        );
    }
    assert_eq!(code(&folder.audit(&["--ignore", "S3L206"])), 1);
    // By the settings themselves.
    for ignored in ["S3L001", "graph"] {
        let output = Folder::new(&format!("{declared}ignore = [\"S3L206\", \"{ignored}\"]\n")).audit(&[]);
        assert_eq!(code(&output), 2);
        let told = stderr(&output);
        assert!(
            told.contains("s3log-lint.toml:2:21: S3L001 is declared unsuppressible"),
            "{told}"
        );
    }
    // By leaving it out of a selection.
    assert_eq!(told(&folder.report(&["--select", "S3L202"])), loops);
    let selects = Folder::new(&format!("{declared}select = [\"S3L202\"]\n"));
    assert_eq!(told(&selects.report(&[])), loops);
    // By a baseline, whoever wrote it, and with the writing of one.
    Folder::new("").audit(&["--write-baseline", "known.json", "--unknown", "ignore"]);
    let open = Folder::new("");
    open.audit(&["--write-baseline", "known.json", "--unknown", "ignore"]);
    folder.write("known.json", &open.read("known.json"));
    let output = folder.audit(&["--baseline", "known.json", "--unknown", "ignore"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(
        !stderr(&output).contains("match no finding"),
        "{}",
        stderr(&output)
    );
    let report = folder.report(&["--baseline", "known.json"]);
    assert_eq!(told(&report), loops);
    assert!(report["summary"]["baseline"].as_u64() >= Some(1));
    let output = folder.audit(&["--write-baseline", "own.json", "--unknown", "ignore"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(!folder.read("own.json").contains("S3L001"));
}
