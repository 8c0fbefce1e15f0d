//! A text of which a part may be known only later: `logs-` and the account id, the name that a bucket will get.
//!
//! What isn't known stands in the text as a token between two private characters, with an identity of its own: two
//! texts with the same token are the same text, whatever it turns out to be.

use std::collections::BTreeMap;
use std::fmt;

const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Longer texts are given up: a template that passes text on and on can double it in each step.
const LONGEST: usize = 1 << 20;

/// A name that is longer, with all that stands for what isn't known of it, is not looked for within other texts.
const LONGEST_NAME: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Text(String);

/// What isn't known yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Token {
    /// The name that a bucket gets with the deploy, by the bucket's address.
    BucketName(String),
    Account,
    /// Two stacks may go to two regions: the stack that it is the region of.
    Region(String),
    Partition,
    /// A parameter without a value, an import, … : what would tell it is missing from the input.
    Missing(String),
    /// Only the deploy makes it: the ARN of a role.
    Made(String),
}

impl Token {
    fn encode(&self) -> String {
        let (kind, id) = match self {
            Token::BucketName(address) => ('b', address.as_str()),
            Token::Account => ('a', "AWS::AccountId"),
            Token::Region(stack) => ('r', stack.as_str()),
            Token::Partition => ('p', "AWS::Partition"),
            Token::Missing(id) => ('m', id.as_str()),
            Token::Made(id) => ('d', id.as_str()),
        };
        format!("{OPEN}{kind}{id}{CLOSE}")
    }

    fn decode(inside: &str) -> Self {
        let mut characters = inside.chars();
        let kind = characters.next();
        let id = characters.as_str().to_owned();
        match kind {
            Some('b') => Token::BucketName(id),
            Some('a') => Token::Account,
            Some('r') => Token::Region(id),
            Some('p') => Token::Partition,
            Some('d') => Token::Made(id),
            Some(_) | None => Token::Missing(id),
        }
    }

    /// Whether what it stands for can contain this text.
    fn may_contain(&self, text: &str) -> bool {
        let only = |allowed: fn(char) -> bool| text.chars().all(allowed);
        match self {
            Token::BucketName(_) => only(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            Token::Account => only(|c| c.is_ascii_digit()),
            Token::Region(_) | Token::Partition => {
                only(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            }
            Token::Missing(_) | Token::Made(_) => true,
        }
    }
}

/// How a person would write it.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::BucketName(address) => f.write_str(address),
            Token::Account => f.write_str("${AWS::AccountId}"),
            Token::Region(_) => f.write_str("${AWS::Region}"),
            Token::Partition => f.write_str("${AWS::Partition}"),
            Token::Missing(id) | Token::Made(id) => write!(f, "${{{id}}}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Literal(&'a str),
    Token(Token),
}

impl Text {
    /// A text as it was written. The private characters can't stand in it.
    pub fn literal(text: &str) -> Self {
        match text.contains([OPEN, CLOSE]) {
            false => Self(text.to_owned()),
            true => Self(text.replace([OPEN, CLOSE], "\u{fffd}")),
        }
    }

    pub fn token(token: &Token) -> Self {
        Self(token.encode())
    }

    /// Appends; a text that would grow beyond all measure is given up and becomes one token.
    pub fn push(&mut self, other: &Text) {
        if self.0.len() + other.0.len() > LONGEST {
            *self = Self::token(&Token::Missing("a text of more than 1 MiB".to_owned()));
        } else {
            self.0.push_str(&other.0);
        }
    }

    pub fn is_known(&self) -> bool {
        !self.0.contains(OPEN)
    }

    pub fn known(&self) -> Option<&str> {
        self.is_known().then_some(self.0.as_str())
    }

    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (part, after) = match rest.strip_prefix(OPEN) {
                Some(inside) => {
                    let (inside, after) = inside.split_once(CLOSE).unwrap_or((inside, ""));
                    (Part::Token(Token::decode(inside)), after)
                }
                None => {
                    let end = rest.find(OPEN).unwrap_or(rest.len());
                    (Part::Literal(&rest[..end]), &rest[end..])
                }
            };
            rest = after;
            Some(part)
        })
    }

    pub fn tokens(&self) -> impl Iterator<Item = Token> + '_ {
        self.parts().filter_map(|part| match part {
            Part::Token(token) => Some(token),
            Part::Literal(_) => None,
        })
    }

    /// The text with one token for the region, whichever stack it is the region of.
    pub fn of_one_region(&self) -> Self {
        let mut whole = Self::default();
        for part in self.parts() {
            whole.push(&match part {
                Part::Literal(text) => Self::literal(text),
                Part::Token(Token::Region(_)) => Self::token(&Token::Region(String::new())),
                Part::Token(token) => Self::token(&token),
            });
        }
        whole
    }

    /// The token that the whole text is, where it is one.
    pub fn as_token(&self) -> Option<Token> {
        let mut parts = self.parts();
        match (parts.next(), parts.next()) {
            (Some(Part::Token(token)), None) => Some(token),
            _ => None,
        }
    }

    /// Replaces names, tokens and all, where they stand alone between boundaries: a bucket's name within an ARN. Of two
    /// that fit, the longer one is meant.
    pub fn names_replaced(&self, names: &BTreeMap<Text, Token>) -> Self {
        if names.is_empty() {
            return self.clone();
        }
        let mut out = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        loop {
            let ends = boundaries(rest, &['/', '.']).chain([rest.len()]);
            let longest = ends
                .take_while(|end| *end <= LONGEST_NAME)
                .filter_map(|end| Some((end, names.get(&Self(rest[..end].to_owned()))?)))
                .last();
            if let Some((end, token)) = longest {
                out.push_str(&token.encode());
                rest = &rest[end..];
            }
            // The next name starts behind three colons.
            let next = boundaries(rest, &[':']).find(|at| rest[*at..].starts_with(":::"));
            let Some(next) = next else {
                out.push_str(rest);
                return Self(out);
            };
            out.push_str(&rest[..next + 3]);
            rest = &rest[next + 3..];
        }
    }

    /// Cuts at a delimiter. From the first token on that may hold the delimiter too, nothing is certain: the pieces
    /// before it, and whether these are all.
    pub fn split(&self, delimiter: &str) -> (Vec<Text>, bool) {
        let mut pieces = vec![String::new()];
        for part in self.parts() {
            match part {
                Part::Literal(text) if delimiter.is_empty() => push_last(&mut pieces, text),
                Part::Literal(text) => {
                    for (position, piece) in text.split(delimiter).enumerate() {
                        if position > 0 {
                            pieces.push(String::new());
                        }
                        push_last(&mut pieces, piece);
                    }
                }
                Part::Token(token) if token.may_contain(delimiter) => {
                    pieces.pop();
                    return (pieces.into_iter().map(Text).collect(), false);
                }
                Part::Token(token) => push_last(&mut pieces, &token.encode()),
            }
        }
        (pieces.into_iter().map(Text).collect(), true)
    }
}

/// Where one of these characters stands, outside of tokens.
fn boundaries<'t>(text: &'t str, characters: &'t [char]) -> impl Iterator<Item = usize> + 't {
    let mut inside = false;
    text.char_indices().filter_map(move |(at, character)| {
        match character {
            OPEN => inside = true,
            CLOSE => inside = false,
            _ => {}
        }
        (!inside && characters.contains(&character)).then_some(at)
    })
}

fn push_last(pieces: &mut [String], text: &str) {
    if let Some(last) = pieces.last_mut() {
        last.push_str(text);
    }
}

/// As a person would write it: what isn't known in the form `${Name}`.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.parts() {
            match part {
                Part::Literal(text) => f.write_str(text)?,
                Part::Token(token) => write!(f, "{token}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parts: &[Part<'_>]) -> Text {
        let mut whole = Text::default();
        for part in parts {
            whole.push(&match part {
                Part::Literal(text) => Text::literal(text),
                Part::Token(token) => Text::token(token),
            });
        }
        whole
    }

    #[test]
    fn a_text_gives_back_its_parts() {
        let parts = [
            Part::Literal("logs-"),
            Part::Token(Token::Account),
            Part::Literal("-x"),
            Part::Token(Token::BucketName("Stack/Logs".to_owned())),
        ];
        let whole = text(&parts);
        assert_eq!(whole.parts().collect::<Vec<_>>(), parts);
        assert_eq!(whole.to_string(), "logs-${AWS::AccountId}-xStack/Logs");
        assert!(!whole.is_known());
    }

    #[test]
    fn what_was_written_can_never_be_a_token() {
        let forged = Text::literal("\u{e000}aAWS::AccountId\u{e001}");
        assert!(forged.is_known());
        assert_eq!(forged.tokens().count(), 0);
    }

    #[test]
    fn an_arn_is_cut_up_to_what_may_hold_the_delimiter() {
        let name = Token::BucketName("Stack/Logs".to_owned());
        let arn = text(&[
            Part::Literal("arn:"),
            Part::Token(Token::Partition),
            Part::Literal(":s3:::"),
            Part::Token(name.clone()),
        ]);
        let (pieces, all) = arn.split(":");
        assert!(all);
        assert_eq!(pieces[5], Text::token(&name));
        let mut uncertain = arn.clone();
        uncertain.push(&Text::literal("/a:"));
        uncertain.push(&Text::token(&Token::Missing("P".to_owned())));
        let (pieces, all) = uncertain.split(":");
        assert!(!all);
        assert_eq!(pieces.len(), 6);
    }

    #[test]
    fn a_name_is_recognised_within_an_arn_and_only_whole() {
        let name = text(&[Part::Literal("logs-"), Part::Token(Token::Account)]);
        let names = BTreeMap::from([(name.clone(), Token::BucketName("Stack/Logs".to_owned()))]);
        let arn = |before: &str, after: &str| {
            let mut arn = Text::literal(before);
            arn.push(&name);
            arn.push(&Text::literal(after));
            arn.names_replaced(&names).to_string()
        };
        assert_eq!(arn("arn:aws:s3:::", "/a/*"), "arn:aws:s3:::Stack/Logs/a/*");
        assert_eq!(arn("", ""), "Stack/Logs");
        assert_eq!(
            arn("arn:aws:s3:::my-", "/a"),
            "arn:aws:s3:::my-logs-${AWS::AccountId}/a"
        );
        assert_eq!(
            arn("arn:aws:s3:::", "-eu"),
            "arn:aws:s3:::logs-${AWS::AccountId}-eu"
        );
    }

    #[test]
    fn of_two_names_the_longer_one_is_meant_and_what_a_token_is_called_has_no_boundaries() {
        let account = Text::token(&Token::Missing("t.a/b:::c".to_owned()));
        let mut short = Text::literal("logs-");
        short.push(&account);
        let mut long = short.clone();
        long.push(&Text::literal(".archive"));
        let bucket = |id: &str| Token::BucketName(id.to_owned());
        let names = BTreeMap::from([(short.clone(), bucket("Short")), (long.clone(), bucket("Long"))]);
        let replaced = |text: &Text| text.names_replaced(&names).to_string();
        assert_eq!(
            (replaced(&short), replaced(&long)),
            ("Short".to_owned(), "Long".to_owned())
        );
        let mut arns = Text::literal("arn:aws:s3:::");
        arns.push(&long);
        arns.push(&Text::literal("/x arn:aws:s3:::"));
        arns.push(&short);
        arns.push(&Text::literal("/*"));
        assert_eq!(replaced(&arns), "arn:aws:s3:::Long/x arn:aws:s3:::Short/*");
        assert_eq!(replaced(&account), "${t.a/b:::c}");
    }

    #[test]
    fn doubling_ends() {
        let mut doubled = Text::literal("x");
        for _ in 0..200 {
            let copy = doubled.clone();
            doubled.push(&copy);
        }
        assert!(doubled.0.len() <= LONGEST);
    }
}
