//! Breaks prose at spaces.

use unicode_width::UnicodeWidthStr;

use super::command::{fold, is_command};

/// Lines no wider than this. A word that is longer stands alone.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split(' ') {
        let wide = word.width();
        match lines.last_mut() {
            Some(line) if used + 1 + wide <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + wide;
            }
            Some(_) | None => {
                lines.push(word.to_owned());
                used = wide;
            }
        }
    }
    lines
}

/// Wraps each line that is prose, and folds each that is a command.
pub fn wrap_prose(text: &str, width: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines() {
        if is_command(line) {
            out.extend(fold(line, width));
        } else if line.starts_with(' ') {
            out.push(line.to_owned());
        } else {
            out.extend(wrap(line, width));
        }
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_a_command_is_folded() {
        let text = "one two three\naws s3api put-bucket-logging --bucket x";
        assert_eq!(
            wrap_prose(text, 8),
            "one two\nthree\naws s3api put-bucket-logging \\\n  --bucket x"
        );
    }
}
