//! What a value may read: one text, or every text of a language.
//!
//! The keys that an edge writes are a language: `logs/2026-11-22-07-30-00-0123456789ABCDEF` and all its like. A name
//! that only a deploy will tell is one too.

use std::borrow::Cow;

use super::open::stand_in;

/// A sequence of pieces; every text that fits them in turn is a word of the language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words<'a> {
    pub pieces: Vec<Piece<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(Cow<'a, str>),
    /// So many characters of a class; without an upper end where `most` is none.
    Some {
        class: Class,
        least: usize,
        most: Option<usize>,
    },
    /// A name or an id that isn't known, as one character; in truth so many characters of a class. The same
    /// character is the same name.
    StandIn {
        stand_in: char,
        class: Class,
        least: usize,
        most: Option<usize>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Digit,
    /// Upper-case hexadecimal, of which the unique end of a key is made.
    Hexadecimal,
    /// What stands in the name of a bucket or a region.
    Name,
    Anything,
}

impl Class {
    pub fn holds(self, c: char) -> bool {
        match self {
            Class::Digit => c.is_ascii_digit(),
            Class::Hexadecimal => c.is_ascii_digit() || ('A'..='F').contains(&c),
            Class::Name => c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'),
            Class::Anything => true,
        }
    }

    /// A character of the class that is none of these, where there is one.
    pub fn another(self, than: &[char]) -> Option<char> {
        let candidates: &str = match self {
            Class::Digit => "0123456789",
            Class::Hexadecimal => "0123456789ABCDEF",
            Class::Name => "abcdefghijklmnopqrstuvwxyz0123456789.-_ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            // A private character that no policy holds, and another one for those that do.
            Class::Anything => "\u{e000}\u{e001}\u{e002}\u{e003}\u{e004}\u{e005}\u{e006}\u{e007}",
        };
        candidates.chars().find(|c| !than.contains(c))
    }
}

impl<'a> Words<'a> {
    pub fn one(text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            pieces: vec![Piece::Text(text.into())],
        }
    }

    pub fn then(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.pieces.push(Piece::Text(text.into()));
        self
    }

    pub fn then_some(mut self, class: Class, least: usize, most: Option<usize>) -> Self {
        self.pieces.push(Piece::Some { class, least, most });
        self
    }

    /// A bucket's name that isn't known.
    pub fn then_name(mut self, stand_in: char) -> Self {
        self.pieces.push(Piece::StandIn {
            stand_in,
            class: Class::Name,
            least: 3,
            most: Some(63),
        });
        self
    }

    /// An account's id that isn't known.
    pub fn then_account(mut self) -> Self {
        self.pieces.push(Piece::StandIn {
            stand_in: stand_in::ACCOUNT,
            class: Class::Digit,
            least: 12,
            most: Some(12),
        });
        self
    }

    pub fn has_stand_in(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::StandIn { .. }))
    }

    /// The same with everything that a stand-in may turn out to be.
    pub fn widened(&self) -> Self {
        let widened = |piece: &Piece<'a>| match piece {
            Piece::StandIn {
                class, least, most, ..
            } => Piece::Some {
                class: *class,
                least: *least,
                most: *most,
            },
            piece => piece.clone(),
        };
        Self {
            pieces: self.pieces.iter().map(widened).collect(),
        }
    }

    /// The text, where it can be said in full.
    pub fn only(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// What every word starts with.
    pub fn head(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            Some(Piece::Some { .. } | Piece::StandIn { .. }) | None => "",
        }
    }
}

/// Text that stands next to text is one piece, so that what is known is seen at once.
pub fn joined<'a>(words: Words<'a>) -> Words<'a> {
    let mut pieces: Vec<Piece<'a>> = Vec::with_capacity(words.pieces.len());
    for piece in words.pieces {
        match (pieces.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.to_mut().push_str(&text),
            (_, piece) => pieces.push(piece),
        }
    }
    Words { pieces }
}
