//! Breaks prose at spaces, and leaves commands whole.

use unicode_width::UnicodeWidthStr;

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

/// Wraps each line that is prose. What starts with a program's name or a blank is copied, not read.
pub fn wrap_prose(text: &str, width: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines() {
        match ["aws ", "s3log-lint ", " "]
            .iter()
            .any(|start| line.starts_with(start))
        {
            true => out.push(line.to_owned()),
            false => out.extend(wrap(line, width)),
        }
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_and_a_command_is_not() {
        let text = "one two three\naws s3api put-bucket-logging --bucket x";
        assert_eq!(
            wrap_prose(text, 8),
            "one two\nthree\naws s3api put-bucket-logging --bucket x"
        );
    }
}
