//! A template as one tree, whether it was written in JSON or in YAML: every node knows its bytes in the file.
//!
//! The short tags of YAML (`!Ref`, `!GetAtt a.b`, …) stand here in their long form, so that only the readers know
//! that there are two ways to write them.

mod json;
mod yaml;

use std::collections::BTreeSet;
use std::ops::Range;

use miette::Diagnostic;
use thiserror::Error;

/// Deeper texts are refused. CloudFormation itself allows far less.
pub(super) const DEEPEST: usize = 128;

/// What aliases may add to a file, in nodes: a few lines of YAML can say a billion.
pub(super) const MOST_COPIED_NODES: usize = 200_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub value: Value,
    pub span: Range<usize>,
}

/// A number keeps its text: an account id is no quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A word of YAML 1.1 that is no word of JSON: `yes` is true where a value is wanted, and a name where a name is.
    Word {
        truth: bool,
        written: String,
    },
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Node,
}

/// A comment of a YAML file, without its `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub text: String,
    pub span: Range<usize>,
    /// It stands behind something on its line.
    pub trailing: bool,
}

/// What a file says, and its comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub root: Node,
    pub comments: Vec<Comment>,
    /// Keys that stand twice in one mapping, where they stand first. The last one counts, as it does for
    /// CloudFormation's own readers.
    pub repeated: Vec<(String, Range<usize>)>,
    /// What is written without quotes and is read as an octal number: the number, and where it stands.
    pub octal: Vec<(String, Range<usize>)>,
}

/// Why a text is neither JSON nor YAML that can be read.
#[derive(Debug, Clone, Error, Diagnostic, PartialEq, Eq)]
#[error("line {line}, column {column}: {reason}")]
#[diagnostic(
    code(template::malformed),
    help("a template is one JSON or YAML document; mend the file at this place")
)]
pub struct Malformed {
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

impl Malformed {
    pub(super) fn at(text: &str, offset: usize, reason: impl Into<String>) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason: reason.into(),
        }
    }
}

/// Reads JSON where the text starts like it, YAML otherwise. YAML's flow style starts like JSON too.
pub(super) fn read(text: &str) -> Result<Tree, Malformed> {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if !start.starts_with(['{', '[']) {
        return yaml::read(text);
    }
    match json::read(text) {
        Ok((root, repeated)) => Ok(Tree {
            root,
            comments: Vec::new(),
            repeated,
            octal: Vec::new(),
        }),
        Err(error) => match yaml::read(text) {
            Ok(tree) if matches!(tree.root.value, Value::Map(_)) => Ok(tree),
            Ok(_) | Err(_) => Err(error),
        },
    }
}

/// Drops each member whose key stands again later.
fn keep_last(members: Vec<Member>, repeated: &mut Vec<(String, Range<usize>)>) -> Vec<Member> {
    let mut seen = BTreeSet::new();
    let last: Vec<bool> = members
        .iter()
        .rev()
        .map(|member| seen.insert(member.key.as_str()))
        .collect();
    if last.iter().all(|last| *last) {
        return members;
    }
    let mut kept = Vec::with_capacity(members.len());
    for (member, last) in members.iter().zip(last.iter().rev()) {
        match last {
            true => kept.push(member.clone()),
            false => repeated.push((member.key.clone(), member.key_span.clone())),
        }
    }
    kept
}

impl Node {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.value)
    }

    pub fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.key == key)
    }

    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            Value::Null
            | Value::Bool(_)
            | Value::Word { .. }
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_) => &[],
        }
    }

    pub fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            Value::Null
            | Value::Bool(_)
            | Value::Word { .. }
            | Value::Number(_)
            | Value::Text(_)
            | Value::Map(_) => None,
        }
    }

    /// A scalar as the name of something.
    pub fn name(&self) -> Option<&str> {
        match &self.value {
            Value::Word { written, .. } => Some(written),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => self.text(),
        }
    }

    /// The text of a scalar, however it was written.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) | Value::Word { truth: true, .. } => Some("true"),
            Value::Bool(false) | Value::Word { truth: false, .. } => Some("false"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Node {
        read(text).expect("a tree").root
    }

    /// The tree without its spans.
    fn shape(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) | Value::Word { truth: value, .. } => value.to_string(),
            Value::Number(text) => format!("#{text}"),
            Value::Text(text) => format!("{text:?}"),
            Value::List(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(",")),
            Value::Map(members) => format!(
                "{{{}}}",
                members
                    .iter()
                    .map(|member| format!("{}:{}", member.key, shape(&member.value)))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        }
    }

    #[test]
    fn json_and_yaml_of_one_template_are_one_tree() {
        let json = r#"{"A": {"Ref": "B"}, "C": {"Fn::GetAtt": ["D", "Outputs.X"]}, "E": [true, 7, null, "x"],
            "F": {"Fn::Sub": ["${a}", {"a": {"Condition": "G"}}]}}"#;
        let yaml = "A: !Ref B\nC: !GetAtt D.Outputs.X\nE: [true, 7, null, x]\nF: !Sub\n  - ${a}\n  - a: !Condition G\n";
        assert_eq!(shape(&root(json)), shape(&root(yaml)));
    }

    #[test]
    fn what_looks_like_a_date_or_an_account_stays_text() {
        let node = root(
            "Version: 2012-10-17\nAccount: 012345678901\nOn: 'on'\nLong: 111122223333\nText: '7'\nTag: !!str 7\n",
        );
        assert_eq!(
            shape(&node),
            r##"{Version:"2012-10-17",Account:"012345678901",On:"on",Long:#111122223333,Text:"7",Tag:"7"}"##
        );
    }

    #[test]
    fn what_yaml_1_1_takes_for_something_else_is_that() {
        let node = root("Account: 012345670123\nOn: on\nno: [YES, Off, y]\n");
        assert_eq!(
            shape(&node),
            r##"{Account:#1402433619,On:true,no:[true,false,"y"]}"##
        );
    }

    #[test]
    fn a_node_knows_its_bytes() {
        for text in [
            "Kopf: é\nResources:\n  Logs:\n    Name: !Ref  Other\n    Next: 1\n\n\nAfter: x\n",
            "{\"Kopf\": \"é\", \"Resources\": {\"Logs\": {\"Name\": {\"Ref\": \"Other\"}}}}",
        ] {
            let node = root(text);
            let logs = node
                .get("Resources")
                .and_then(|all| all.member("Logs"))
                .expect("a resource");
            assert!(text[logs.key_span.clone()].contains("Logs"));
            let name = logs.value.get("Name").expect("a name");
            assert!(text[name.span.clone()].contains("Other"));
            assert!(!text[name.span.clone()].contains("Next"));
            assert!(!text[logs.value.span.clone()].contains("After"));
            assert!(!text[logs.value.span.clone()].ends_with('\n'));
        }
    }

    #[test]
    fn aliases_and_merges_are_expanded_and_a_bomb_is_refused() {
        let node = root("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\n");
        assert_eq!(shape(&node), "{a:{x:#1,y:#2},b:{x:#1,y:#3},c:{x:#1,y:#2}}");
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let alias = format!("*a{}", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![alias; 10].join(", ")));
        }
        let error = read(&bomb).expect_err("a bomb");
        assert!(error.reason.contains("alias"), "{error}");
    }

    #[test]
    fn of_merged_keys_the_written_one_counts_and_the_first_mapping() {
        let node = root("b: {<<: [{x: 1, y: 2}, {x: 3, z: 4}], y: 5}\n");
        assert_eq!(shape(node.get("b").expect("it is there")), "{z:#4,x:#1,y:#5}");
    }

    #[test]
    fn depth_is_bounded_in_both_languages_and_through_aliases() {
        let deep = |open: &str, close: &str, times| format!("{}{}", open.repeat(times), close.repeat(times));
        for text in [
            deep("[", "]", 100_000),
            deep("{\"a\":", "}", 5_000) + "1",
            format!("{{\"a\":{}}}", deep("[", "]", 5_000)),
            "- ".repeat(5_000),
        ] {
            assert!(read(&text).is_err());
        }
        let mut ladder = "a0: &a0 [x]\n".to_owned();
        for n in 1..400 {
            ladder.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
        }
        assert!(read(&ladder).is_err());
    }

    #[test]
    fn an_error_says_where() {
        let error = read("{\n  \"é\": \"x\" \"y\"}\n").expect_err("no JSON");
        assert_eq!((error.line, error.column), (2, 12));
        let error = read("a: 1\nb: [1, 2\nc: 3\n").expect_err("no YAML");
        assert!(error.line >= 2, "{error}");
        assert!(read("a: *nowhere\n").is_err());
        assert!(read("a: 1\n---\nb: 2\n").is_err());
    }

    #[test]
    fn of_a_key_that_stands_twice_the_last_counts_and_the_first_is_told() {
        for text in [
            "a: 1\nb: {c: 1, c: 2}\na: 3\n",
            r#"{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}"#,
        ] {
            let tree = read(text).expect("a tree");
            assert_eq!(shape(&tree.root), "{b:{c:#2},a:#3}");
            assert_eq!(tree.repeated.len(), 2);
            for (key, span) in &tree.repeated {
                assert_eq!(text[span.clone()].trim_matches('"'), key);
                assert_eq!(
                    text.find(&text[span.clone()]),
                    Some(span.start),
                    "it is the first"
                );
            }
        }
    }

    #[test]
    fn comments_are_kept() {
        let tree = read("# above\na: 1 # behind\n").expect("a tree");
        let comments: Vec<_> = tree
            .comments
            .iter()
            .map(|comment| (comment.text.as_str(), comment.trailing))
            .collect();
        assert_eq!(comments, [(" above", false), (" behind", true)]);
    }
}
