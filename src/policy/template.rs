//! Texts with variables: `${aws:SourceAccount}`, `${aws:PrincipalTag/team, 'none'}`, and the literal `${*}`.
//!
//! Variables exist only in policies of version 2012-10-17; before, `${…}` is text.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use super::open::{Open, stand_in};
use super::pattern::{Atom, Pattern};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Atom(Atom),
    Variable {
        /// In lower case.
        key: String,
        default: Option<String>,
    },
    /// What only a deploy tells; it stands in policies of any version.
    Open(Open),
}

/// Whether `*` and `?` stand for other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcards {
    Yes,
    No,
}

/// Cuts a text at its variables. What is broken stays text.
pub fn parts(text: &str, wildcards: Wildcards, variables: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((open, after)) = Open::leading(rest) {
            parts.push(Part::Open(open));
            rest = after;
            continue;
        }
        if variables
            && rest.starts_with("${")
            && let Some((part, after)) = variable(rest)
        {
            parts.push(part);
            rest = after;
            continue;
        }
        parts.push(Part::Atom(match (c, wildcards) {
            ('*', Wildcards::Yes) => Atom::Run,
            ('?', Wildcards::Yes) => Atom::One,
            // Nobody writes one; a text that has it all the same is not to pass for what it stands for.
            (c, _) if stand_in::is_one(c) => Atom::Char(char::REPLACEMENT_CHARACTER),
            (c, _) => Atom::Char(c),
        }));
        rest = &rest[c.len_utf8()..];
    }
    parts
}

fn variable(text: &str) -> Option<(Part, &str)> {
    let (inside, after) = text.strip_prefix("${")?.split_once('}')?;
    let part = match inside {
        "*" | "?" | "$" => Part::Atom(Atom::Char(inside.chars().next()?)),
        _ => {
            let (key, default) = match inside.split_once(',') {
                Some((key, default)) => (key, Some(unquoted(default.trim())?.to_owned())),
                None => (inside, None),
            };
            let key = key.trim();
            if key.is_empty() {
                return None;
            }
            Part::Variable {
                key: key.to_ascii_lowercase(),
                default,
            }
        }
    };
    Some((part, after))
}

fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('\'')?.strip_suffix('\'')
}

/// The pattern, where no variable is left.
pub fn pattern(parts: &[Part]) -> Option<Pattern> {
    parts
        .iter()
        .map(|part| match part {
            Part::Atom(atom) => Some(*atom),
            Part::Variable { .. } | Part::Open(_) => None,
        })
        .collect::<Option<Vec<_>>>()
        .map(Pattern::of)
}

/// What is wrong with a variable of this text.
pub fn check(text: &str) -> Option<&'static str> {
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("${") {
        if super::open::is_in(before)
            && let Some((_, after)) = from.split_once('}')
        {
            rest = after;
            continue;
        }
        let Some((inside, after)) = from.split_once('}') else {
            return Some("a variable ends with a brace: `${aws:SourceAccount}`");
        };
        if !matches!(inside, "*" | "?" | "$") {
            let (key, default) = match inside.split_once(',') {
                Some((key, default)) => (key.trim(), Some(default.trim())),
                None => (inside.trim(), None),
            };
            if key.is_empty() {
                return Some("a variable has a name: `${aws:SourceAccount}`");
            }
            if default.is_some_and(|default| unquoted(default).is_none()) {
                return Some(
                    "the default of a variable stands in single quotes: `${aws:username, 'nobody'}`",
                );
            }
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, variables: bool) -> String {
        parts(text, Wildcards::Yes, variables)
            .iter()
            .map(|part| match part {
                Part::Atom(Atom::Char(c)) => c.to_string(),
                Part::Atom(Atom::One) => "<?>".to_owned(),
                Part::Atom(Atom::Run) => "<*>".to_owned(),
                Part::Variable { key, default } => format!("<{key}={}>", default.as_deref().unwrap_or("-")),
                Part::Open(open) => format!("<{open:?}>"),
            })
            .collect()
    }

    #[test]
    fn a_variable_is_told_from_text_and_from_a_literal() {
        assert_eq!(shown("a${aws:SourceAccount}*", true), "a<aws:sourceaccount=-><*>");
        assert_eq!(shown("${*}${?}${$}?", true), "*?$<?>");
        assert_eq!(shown("${a:B, 'x y'}", true), "<a:b=x y>");
        assert_eq!(shown("${a}", false), "${a}");
        assert_eq!(shown("${a", true), "${a");
    }

    #[test]
    fn broken_variables_are_named() {
        assert!(check("${aws:SourceAccount").is_some());
        assert!(check("${}").is_some());
        assert!(check("${aws:username, nobody}").is_some());
        assert!(check("a${*}${aws:username, 'x'}$").is_none());
    }
}
