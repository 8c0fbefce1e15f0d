//! Who may import whom: the table of the architecture, checked on the source text.
//!
//! A pure module knows no network, no clock, no environment, no files and no terminal, and uses only the modules that
//! its row names. A module without a row fails, and so does a third-party type outside its home.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A top-level module: its name, the modules that it may use, and whether it is part of the edge.
struct Row {
    module: &'static str,
    may_use: &'static [&'static str],
    edge: bool,
}

const fn pure(module: &'static str, may_use: &'static [&'static str]) -> Row {
    Row {
        module,
        may_use,
        edge: false,
    }
}

const fn edge(module: &'static str, may_use: &'static [&'static str]) -> Row {
    Row {
        module,
        may_use,
        edge: true,
    }
}

/// Bottom up: a module uses only modules above it, and only those named.
const TABLE: &[Row] = &[
    pure("name", &[]),
    pure("policy", &["name"]),
    pure("inventory", &["name", "policy"]),
    pure("graph", &["name", "inventory"]),
    pure("finding", &["name", "inventory"]),
    pure("rules", &["name", "policy", "inventory", "graph", "finding"]),
    pure("report", &["name", "inventory", "finding", "rules"]),
    pure("collect", &["name", "policy", "inventory"]),
    // A plan's documents are read as AWS's answers are: one reader, one meaning.
    pure(
        "plan",
        &[
            "name",
            "policy",
            "inventory",
            "graph",
            "finding",
            "rules",
            "collect",
        ],
    ),
    pure(
        "render",
        &["name", "inventory", "graph", "finding", "rules", "report", "plan"],
    ),
    edge("apply", &["name", "inventory", "plan"]),
    edge(
        "aws",
        &["name", "policy", "inventory", "collect", "plan", "apply"],
    ),
    edge(
        "cli",
        &[
            "name",
            "policy",
            "inventory",
            "graph",
            "finding",
            "rules",
            "report",
            "plan",
            "collect",
            "render",
            "apply",
            "aws",
        ],
    ),
];

/// What a pure module must not say.
const IMPURE: &[(&str, &str)] = &[
    ("async", "the core is synchronous"),
    ("await", "the core is synchronous"),
    ("tokio", "the core is synchronous"),
    ("futures_util", "the core is synchronous"),
    ("std::fs", "files are read at the edge"),
    ("std::net", "the core knows no network"),
    ("std::process", "the core starts and ends nothing"),
    ("std::thread", "the core is synchronous"),
    ("std::env", "the core has no environment"),
    ("Instant", "the core has no clock"),
    ("SystemTime", "the core has no clock"),
    ("Timestamp::now", "the core has no clock"),
    ("Zoned::now", "the core has no clock"),
    ("println!", "a renderer writes to what it is given"),
    ("print!", "a renderer writes to what it is given"),
    ("eprintln!", "a renderer writes to what it is given"),
    ("eprint!", "a renderer writes to what it is given"),
    ("dbg!", "a renderer writes to what it is given"),
    ("io::stdout", "a renderer writes to what it is given"),
    ("io::stderr", "a renderer writes to what it is given"),
    ("io::stdin", "the core takes values"),
];

/// Third-party types and the only paths below `src` that may know them.
const HOMES: &[(&str, &[&str])] = &[
    ("petgraph", &["graph/"]),
    ("aws_config", &["aws/"]),
    ("aws_credential_types", &["aws/"]),
    ("aws_sdk_s3", &["aws/"]),
    ("aws_sdk_sts", &["aws/"]),
    ("aws_smithy_runtime_api", &["aws/"]),
    ("aws_smithy_types", &["aws/"]),
    ("aws_types", &["aws/"]),
    ("indicatif", &["cli/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("terminal_size", &["cli/"]),
    ("GraphicalReportHandler", &["render/terminal", "cli/"]),
    ("NarratableReportHandler", &["render/terminal", "cli/"]),
    ("JSONReportHandler", &["render/terminal", "cli/"]),
    ("MietteHandlerOpts", &["render/terminal", "cli/"]),
    ("miette::Report", &["cli/"]),
    ("anyhow", &[]),
];

/// A source file with its comments, strings and tests taken out.
struct Source {
    /// Below `src`, with `/`.
    path: String,
    module: String,
    /// How many `super`s lead from this file's module to the root of the crate.
    depth: usize,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(source(&root, &path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn source(root: &Path, path: &PathBuf) -> Source {
    let below = path.strip_prefix(root).expect("the file is below src");
    let below = below.to_str().expect("a path of ours is text").replace('\\', "/");
    let mut parts: Vec<&str> = below.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    let text = fs::read_to_string(path).expect("a source file can be read");
    Source {
        module: parts.first().copied().unwrap_or_default().to_owned(),
        depth: parts.len(),
        code: without_tests(&bare(&text)),
        path: below,
    }
}

/// The code without comments and without what stands in quotes.
fn bare(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let peek = |at: usize| characters.get(at).copied().unwrap_or('\0');
    while at < characters.len() {
        let c = characters[at];
        let in_word = at > 0 && (characters[at - 1].is_alphanumeric() || characters[at - 1] == '_');
        match c {
            '/' if peek(at + 1) == '/' => {
                while at < characters.len() && characters[at] != '\n' {
                    at += 1;
                }
            }
            '/' if peek(at + 1) == '*' => {
                at += 2;
                while at < characters.len() && !(characters[at] == '*' && peek(at + 1) == '/') {
                    at += 1;
                }
                at += 2;
            }
            'r' if !in_word && raw_hashes(&characters, at).is_some() => {
                let hashes = raw_hashes(&characters, at).expect("the arm says that there is an answer");
                at += hashes + 2;
                while at < characters.len()
                    && !(characters[at] == '"' && (1..=hashes).all(|n| peek(at + n) == '#'))
                {
                    at += 1;
                }
                at += hashes + 1;
                out.push_str("\"\"");
            }
            '"' => {
                at += 1;
                while at < characters.len() && characters[at] != '"' {
                    at += if characters[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
                out.push_str("\"\"");
            }
            // A character; a lifetime has no quote after it.
            '\'' if peek(at + 1) == '\\' => {
                at += 3;
                while at < characters.len() && characters[at] != '\'' {
                    at += 1;
                }
                at += 1;
            }
            '\'' if peek(at + 2) == '\'' => at += 3,
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    out
}

/// `r"`, `r#"`, …: how many hashes.
fn raw_hashes(characters: &[char], at: usize) -> Option<usize> {
    let hashes = characters[at + 1..].iter().take_while(|c| **c == '#').count();
    (characters.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Tests stand at the end of a file, and may use what they like.
fn without_tests(code: &str) -> String {
    let end = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\nmod tests;"]
        .iter()
        .filter_map(|start| code.find(start))
        .min();
    code[..end.unwrap_or(code.len())].to_owned()
}

/// Whether this path or word stands in the code as a whole.
fn says(code: &str, word: &str) -> bool {
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        let ends = word.ends_with('!') || !after.is_some_and(part_of_a_word);
        ends && !before.is_some_and(part_of_a_word)
    })
}

/// The top-level modules that are named after `crate::`, one by one or in braces.
fn used_modules(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut used = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(word(rest));
            continue;
        };
        let (mut depth, mut at_start) = (0, true);
        for (position, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_start = true,
                c if c.is_whitespace() => {}
                _ if at_start && depth == 0 => {
                    used.insert(word(&group[position..]));
                    at_start = false;
                }
                _ => {}
            }
        }
    }
    used.remove("");
    used
}

/// The longest run of `super::` in the code.
fn highest_super(code: &str) -> usize {
    let mut highest = 0;
    let mut rest = code;
    while let Some(at) = rest.find("super::") {
        let mut run = &rest[at..];
        let mut count = 0;
        while let Some(next) = run.strip_prefix("super::") {
            count += 1;
            run = next;
        }
        highest = highest.max(count);
        rest = run;
    }
    highest
}

fn is_root(source: &Source) -> bool {
    matches!(source.path.as_str(), "lib.rs" | "main.rs")
}

#[test]
fn every_module_has_a_row() {
    let rows: BTreeSet<&str> = TABLE.iter().map(|row| row.module).collect();
    assert_eq!(rows.len(), TABLE.len(), "a module has two rows");
    for source in sources() {
        assert!(
            is_root(&source) || rows.contains(source.module.as_str()),
            "src/{}: the module `{}` has no row in the table",
            source.path,
            source.module
        );
    }
}

#[test]
fn the_table_itself_points_down() {
    for (position, row) in TABLE.iter().enumerate() {
        for used in row.may_use {
            let at = TABLE.iter().position(|other| other.module == *used);
            // A renderer shows plans, so the edge may stand between; what is pure never uses the edge.
            let Some(at) = at else {
                panic!("`{}` may use `{used}`, which has no row", row.module)
            };
            assert!(
                at < position,
                "`{}` may use `{used}`, which stands below it",
                row.module
            );
            assert!(
                row.edge || !TABLE[at].edge,
                "`{}` is pure and may use the edge",
                row.module
            );
        }
    }
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_root(source)) {
        let Some(row) = TABLE.iter().find(|row| row.module == source.module) else {
            continue;
        };
        for used in used_modules(&source.code) {
            let is_module = TABLE.iter().any(|row| row.module == used);
            if is_module && used != row.module && !row.may_use.contains(&used.as_str()) {
                wrong.push(format!(
                    "src/{}: `{}` may not use `{used}`",
                    source.path, row.module
                ));
            }
        }
        if highest_super(&source.code) >= source.depth {
            wrong.push(format!(
                "src/{}: `super` leads to the root of the crate; say `crate::` there",
                source.path
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_root(source)) {
        if TABLE.iter().any(|row| row.module == source.module && row.edge) {
            continue;
        }
        for (word, why) in IMPURE {
            if says(&source.code, word) {
                wrong.push(format!("src/{}: `{word}`: {why}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn third_party_types_stay_at_home() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, homes) in HOMES {
            let at_home = homes.iter().any(|home| source.path.starts_with(home));
            if !at_home && says(&source.code, word) {
                wrong.push(format!("src/{}: `{word}` is not at home here", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_unwraps() {
    let mut wrong = Vec::new();
    for source in sources() {
        for word in [
            ".unwrap()",
            "panic!(",
            "todo!(",
            "unimplemented!(",
            "Box<dyn Error>",
        ] {
            if source.code.contains(word) {
                wrong.push(format!("src/{}: `{word}`", source.path));
            }
        }
        for (at, start) in source.code.match_indices(".expect(") {
            let rest = &source.code[at + start.len()..];
            if !rest.trim_start().starts_with('"') {
                wrong.push(format!("src/{}: an `expect` without a reason", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for source in sources() {
        let text = fs::read_to_string(root.join(&source.path)).expect("a source file can be read");
        assert!(
            text.starts_with("//!"),
            "src/{}: the first line says what the file is",
            source.path
        );
    }
}

#[test]
fn the_reader_of_sources_sees_code_and_nothing_else() {
    let code = bare(
        "use crate::{name::A, inventory::{B, C}}; // crate::cli\nlet a = \"crate::aws\"; r#\"x\"crate::plan\"#; '\"'; 'a: &'a str; crate::graph::X",
    );
    let used: Vec<String> = used_modules(&code).into_iter().collect();
    assert_eq!(used, ["graph", "inventory", "name"]);
    assert!(says("a println!(x)", "println!") && !says("a eprintln!(x)", "println!"));
    assert!(!says("asynchronous", "async"));
    assert_eq!(highest_super("super::super::x super::y"), 2);
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n b }"), "a\n");
}
