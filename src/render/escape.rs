//! Texts that come from an account or a file are shown, never obeyed.

use std::borrow::Cow;

/// Makes control characters visible, so that a name can't move the cursor, colour the screen or break a line.
/// Directional marks go too: they can make one name look like another. Nor can a name command the runner of a
/// pipeline, which obeys certain lines of what a program prints.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_harmless)
}

/// As [`visible`], but newlines and tabs stay: for texts of several lines.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_harmless(c) || matches!(c, '\n' | '\t'))
}

/// As [`visible_lines`], but every character keeps its length in bytes, so that spans into the text still hold.
pub fn visible_in_place(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| is_harmless(c) || matches!(c, '\n' | '\t');
    if text.chars().all(harmless) && commands(text).next().is_none() {
        return Cow::Borrowed(text);
    }
    let commands: Vec<usize> = commands(text).collect();
    let replaced = text
        .char_indices()
        .map(|(at, c)| match (harmless(c), c.len_utf8()) {
            (true, _) if commands.binary_search(&at).is_ok() => '?',
            (true, _) => c,
            (false, 1) => '?',
            (false, 2) => '\u{bf}',
            (false, _) => '\u{fffd}',
        });
    Cow::Owned(replaced.collect())
}

fn escaped(text: &str, harmless: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&harmless) && commands(text).next().is_none() {
        return Cow::Borrowed(text);
    }
    let commands: Vec<usize> = commands(text).collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        if harmless(c) && commands.binary_search(&at).is_err() {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

/// Where a runner would begin to obey: GitHub's `::` at the start of a line, which may come of wrapping at a space,
/// and the `##[` and `##vso[` of GitHub and Azure anywhere. In order, one byte each without which it is no command.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
/// <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>
fn commands(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let ends_with = |before: &[u8], sign: &[u8]| {
        before.len() >= sign.len() && before[before.len() - sign.len()..].eq_ignore_ascii_case(sign)
    };
    let begins = move |at: usize| match bytes[at] {
        b'[' => ends_with(&bytes[..at], b"##") || ends_with(&bytes[..at], b"##vso"),
        b':' => {
            bytes.get(at + 1) == Some(&b':')
                && at
                    .checked_sub(1)
                    .is_none_or(|before| bytes[before].is_ascii_whitespace())
        }
        _ => false,
    };
    (0..bytes.len()).filter(move |at| begins(*at))
}

fn is_harmless(c: char) -> bool {
    let directional =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(c.is_control()
        || directional
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_is_shown_not_obeyed() {
        assert_eq!(
            visible("a\u{1b}[31mred\nb\u{202e}c"),
            "a\\u{1b}[31mred\\u{a}b\\u{202e}c"
        );
        assert_eq!(visible_lines("a\n\u{7}b"), "a\n\\u{7}b");
        let hostile = "a\u{1b}\u{9b}\u{202e}\r\n";
        assert_eq!(visible_in_place(hostile), "a?\u{bf}\u{fffd}?\n");
        assert_eq!(visible_in_place(hostile).len(), hostile.len());
        assert_eq!(visible("bücket → ☃"), "bücket → ☃");
        assert_eq!(visible("arn:aws:s3:::logs"), "arn:aws:s3:::logs");
    }

    #[test]
    fn a_command_to_the_runner_is_shown_not_obeyed() {
        assert_eq!(visible("::error::x"), "\\u{3a}:error::x");
        assert_eq!(visible_lines("a\n ::error::x"), "a\n \\u{3a}:error::x");
        assert_eq!(visible("a##VSO[task.x]"), "a##VSO\\u{5b}task.x]");
        assert_eq!(visible("##[add-mask]a"), "##\\u{5b}add-mask]a");
        assert_eq!(visible_in_place("a ##vso[b]"), "a ##vso?b]");
    }
}
