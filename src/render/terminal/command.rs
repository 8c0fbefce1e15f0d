//! A shell command over several lines, so that it fits the screen and can still be copied.

use unicode_width::UnicodeWidthStr;

/// Whether a line of a help is a command: to be copied, not to be read.
pub fn is_command(line: &str) -> bool {
    ["aws ", "s3log-lint "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Broken before options, with a backslash at the end of each line but the last. What stands in quotes stays whole.
pub fn fold(command: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts(command) {
        match lines.last_mut() {
            // A blank and a backslash follow, unless it is the last.
            Some(line) if line.width() + 1 + part.width() + 2 <= width => {
                line.push(' ');
                line.push_str(part);
            }
            Some(_) => lines.push(format!("  {part}")),
            None => lines.push(part.to_owned()),
        }
    }
    let last = lines.len().saturating_sub(1);
    for line in &mut lines[..last] {
        line.push_str(" \\");
    }
    lines
}

/// The command and its subcommand, then each option with its value.
fn parts(command: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in command.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted && command[at..].starts_with(" --") => {
                parts.push(&command[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&command[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_broken_before_options_and_never_in_quotes() {
        let command = "aws s3api put-bucket-logging --bucket app-data --bucket-logging-status '{\"a --b\": 1}' --region eu-west-1";
        assert_eq!(
            fold(command, 50),
            [
                "aws s3api put-bucket-logging --bucket app-data \\",
                "  --bucket-logging-status '{\"a --b\": 1}' \\",
                "  --region eu-west-1"
            ]
        );
        assert_eq!(fold("aws s3 ls", 50), ["aws s3 ls"]);
    }

    #[test]
    fn what_is_folded_is_the_same_command() {
        let command = "aws s3api x --one 'a  --b' --two --three c";
        for width in 1..60 {
            let whole = fold(command, width).join("\n").replace(" \\\n  ", " ");
            assert_eq!(whole, command);
        }
    }
}
