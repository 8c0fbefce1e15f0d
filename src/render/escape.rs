//! Texts that come from an account or a file are shown, never obeyed.

use std::borrow::Cow;

/// Makes control characters visible, so that a name can't move the cursor, colour the screen or break a line.
/// Directional marks go too: they can make one name look like another.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

/// As [`visible`], but newlines and tabs stay: for texts of several lines.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| is_harmless(c) || matches!(c, '\n' | '\t');
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmless(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

/// As [`visible_lines`], but every character keeps its length in bytes, so that spans into the text still hold.
pub fn visible_in_place(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| is_harmless(c) || matches!(c, '\n' | '\t');
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|c| match (harmless(c), c.len_utf8()) {
        (true, _) => c,
        (false, 1) => '?',
        (false, 2) => '\u{bf}',
        (false, _) => '\u{fffd}',
    });
    Cow::Owned(replaced.collect())
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
    }
}
