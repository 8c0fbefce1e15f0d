//! The comments of a Terraform file. What looks like one inside a string or a heredoc is none.

use std::ops::Range;

/// A comment, or a line of one that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// With the sign that starts it.
    pub whole: Range<usize>,
    pub text: Range<usize>,
}

/// Where in the text the reader is. It begins outside of everything.
enum Inside {
    Quotes,
    /// `${…}` within quotes, with its open braces.
    Template(usize),
}

pub fn find(text: &str) -> Vec<Comment> {
    let bytes = text.as_bytes();
    let mut comments = Vec::new();
    let mut inside: Vec<Inside> = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(Inside::Quotes) = inside.last() {
            at += match rest {
                [b'\\', _, ..] => 2,
                [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => 3,
                [b'$' | b'%', b'{', ..] => {
                    inside.push(Inside::Template(1));
                    2
                }
                // A string ends with its line, if only since it is broken.
                [b'"' | b'\n', ..] => {
                    inside.pop();
                    1
                }
                _ => 1,
            };
            continue;
        }
        at += match rest {
            [b'#', ..] => line_comment(text, at, 1, &mut comments),
            [b'/', b'/', ..] => line_comment(text, at, 2, &mut comments),
            [b'/', b'*', ..] => block_comment(text, at, &mut comments),
            [b'<', b'<', ..] => heredoc(&text[at..]),
            [b'"', ..] => {
                inside.push(Inside::Quotes);
                1
            }
            [b'{', ..] => {
                if let Some(Inside::Template(open)) = inside.last_mut() {
                    *open += 1;
                }
                1
            }
            [b'}', ..] => {
                if let Some(Inside::Template(open)) = inside.last_mut() {
                    *open -= 1;
                    if *open == 0 {
                        inside.pop();
                    }
                }
                1
            }
            _ => 1,
        };
    }
    comments
}

fn line_comment(text: &str, at: usize, sign: usize, comments: &mut Vec<Comment>) -> usize {
    let line = text[at..].lines().next().unwrap_or_default();
    let end = at + line.trim_end().len();
    comments.push(Comment {
        whole: at..end,
        text: (at + sign).min(end)..end,
    });
    line.len()
}

fn block_comment(text: &str, at: usize, comments: &mut Vec<Comment>) -> usize {
    let body = &text[at + 2..];
    let (body, length) = match body.find("*/") {
        Some(end) => (&body[..end], end + 4),
        None => (body, body.len() + 2),
    };
    let mut start = at + 2;
    for line in body.split_inclusive('\n') {
        let inner = line.trim_start().trim_start_matches('*').trim();
        let from = start + line.find(inner).unwrap_or_default();
        comments.push(Comment {
            whole: from..from + inner.len(),
            text: from..from + inner.len(),
        });
        start += line.len();
    }
    length
}

/// How long a heredoc is, its end included: a line with its name alone.
fn heredoc(text: &str) -> usize {
    let opening = text[2..].strip_prefix('-').unwrap_or(&text[2..]);
    let name: &str = opening
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')))
        .next()
        .unwrap_or_default();
    if name.is_empty() {
        return 2;
    }
    let mut length = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        length += line.len();
        if number > 0 && line.trim() == name {
            break;
        }
    }
    length
}

/// Where the comments begin that stand right above this offset, each on lines of its own.
pub fn start_above(text: &str, offset: usize) -> usize {
    let mut start = offset;
    while let Some(above) = text[..start].strip_suffix('\n') {
        let line_start = above.rfind('\n').map_or(0, |at| at + 1);
        let line = above[line_start..].trim();
        if line.starts_with('#') || line.starts_with("//") {
            start = line_start;
        } else if line.ends_with("*/")
            && let Some(open) = above.rfind("/*")
        {
            let line_start = above[..open].rfind('\n').map_or(0, |at| at + 1);
            if !above[line_start..open].trim().is_empty() {
                break;
            }
            start = line_start;
        } else {
            break;
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<&str> {
        find(text)
            .into_iter()
            .map(|comment| text[comment.text].trim())
            .collect()
    }

    #[test]
    fn a_comment_is_found_wherever_it_stands() {
        let text = "# one\na = 1 // two\n/* three */ b = 2 /*\n * four\n   five */\n#six\n//";
        assert_eq!(told(text), ["one", "two", "three", "", "four", "five", "six", ""]);
        for comment in find(text) {
            assert!(
                text[comment.whole.clone()].contains(&text[comment.text.clone()]),
                "{comment:?}"
            );
        }
    }

    #[test]
    fn a_text_is_no_comment() {
        for text in [
            "a = \"# no\"",
            "a = \"\\\"# no\"",
            "a = \"${b[\"# no\"]} # no\"",
            "a = \"$${ # no\"",
            "a = \"%{ if true }# no%{ endif }\"",
            "a = <<EOT\n# no\n  // no\nEOT\n",
            "a = <<-EOT\n  /* no */\n  EOT\n",
            "a = \"https://example.com\"",
        ] {
            assert_eq!(told(text), [""; 0], "{text}");
            let after = format!("{text}\n# yes\n");
            assert_eq!(told(&after), ["yes"], "{text}");
        }
    }

    #[test]
    fn no_text_is_too_odd() {
        for text in [
            "", "\"", "<<", "<<-", "<<EOT", "/*", "/*/", "#", "\"${", "\"${{", "}}}", "\\", "é#é", "<<é\né",
        ] {
            find(text);
            start_above(text, text.len());
        }
    }

    #[test]
    fn what_stands_above_is_on_lines_of_its_own() {
        let above = |text: &str| start_above(text, text.len());
        assert_eq!(above("a = 1\n# one\n// two\n"), 6);
        assert_eq!(above("a = 1\n/* one\n   two */\n"), 6);
        assert_eq!(above("a = 1 /* one\n two */\n"), 21);
        assert_eq!(above("a = 1 # one\n"), 12);
        assert_eq!(above("# one\n\n"), 7);
    }
}
