//! Patterns with `*` and `?`, held against one text or against a whole language.
//!
//! Cut at its stars, a pattern is a row of segments; each is looked for as far left as it can be, which is enough.
//! Inside a segment all candidates are followed at once, one bit each. So the time is that of reading the text, times
//! the words of a bit set: `*a*a*a*` costs no more than `*`.

use std::collections::BTreeSet;

use super::open::stand_in;
use super::truth::Truth;
use super::words::{Class, Piece, Words};

/// A pattern, ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// No wildcard.
    Text(Box<str>),
    /// A text, then anything.
    Start(Box<str>),
    General(General),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct General {
    /// What stands before the first wildcard.
    head: Box<str>,
    segments: Vec<Segment>,
}

/// A character of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Atom {
    Char(char),
    /// `?`
    One,
    /// `*`
    Run,
}

/// What stands between two stars.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    atoms: Vec<Atom>,
    /// For each character that the segment names, the atoms that take it, one bit each.
    takes: Vec<(char, Box<[u64]>)>,
    /// The atoms that take any other character.
    takes_any: Box<[u64]>,
}

impl Pattern {
    /// `*` and `?` as IAM reads them; every other character is itself.
    pub fn new(text: &str) -> Self {
        Self::of(text.chars().map(|c| match c {
            '*' => Atom::Run,
            '?' => Atom::One,
            c => Atom::Char(c),
        }))
    }

    /// This text and no other.
    pub fn new_text(text: &str) -> Self {
        Self::of(text.chars().map(Atom::Char))
    }

    pub fn of(atoms: impl IntoIterator<Item = Atom>) -> Self {
        let atoms: Vec<Atom> = atoms.into_iter().collect();
        let head: String = atoms
            .iter()
            .map_while(|atom| match atom {
                Atom::Char(c) => Some(*c),
                Atom::One | Atom::Run => None,
            })
            .collect();
        let wild = head.chars().count();
        let head = head.into_boxed_str();
        let shape = if wild == atoms.len() {
            Shape::Text(head)
        } else if atoms[wild..].iter().all(|atom| *atom == Atom::Run) {
            Shape::Start(head)
        } else {
            Shape::General(General {
                head,
                segments: atoms.split(|atom| *atom == Atom::Run).map(Segment::new).collect(),
            })
        };
        Self { shape }
    }

    /// The whole text, where the pattern has no wildcard.
    pub fn literal(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(text) => Some(text),
            Shape::Start(_) | Shape::General(_) => None,
        }
    }

    /// What stands before the first wildcard.
    pub fn head(&self) -> &str {
        match &self.shape {
            Shape::Text(head) | Shape::Start(head) => head,
            Shape::General(general) => &general.head,
        }
    }

    pub fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Text(own) => **own == *text,
            Shape::Start(own) => text.starts_with(&**own),
            Shape::General(general) => {
                if !text.starts_with(&*general.head) {
                    return false;
                }
                let mut state = general.start();
                for c in text.chars() {
                    match general.step(&state, c) {
                        Next::Never => return false,
                        Next::Always => return true,
                        Next::State(next) => state = next,
                    }
                }
                general.accepts(&state)
            }
        }
    }

    /// True where it matches every word, False where it matches none, Unknown where it matches some: or where telling
    /// would take too long.
    pub fn covers(&self, words: &Words<'_>) -> Truth {
        let open = self.widened();
        if open.is_none() && !words.has_stand_in() {
            return self.covers_each(words);
        }
        // What holds with a name that only a star or the very same name can match holds with every name; what holds
        // neither so nor with any characters in its place holds with none.
        let told = self.covers_each(words);
        if told != Truth::False {
            return told;
        }
        let widest = open.as_ref().unwrap_or(self);
        let may_match = |words: &Words<'_>| widest.covers_each(words) != Truth::False;
        match (open.is_some() && may_match(words)) || may_match(&words.widened()) {
            true => Truth::Unknown,
            false => Truth::False,
        }
    }

    /// With any twelve characters for an account that isn't known; none where the pattern names no such account. Its
    /// digits may stand in a key by accident. A bucket's name is left: two buckets never have one name.
    fn widened(&self) -> Option<Self> {
        const DIGITS: usize = 12;
        let wide = |atom: Atom| match atom {
            Atom::Char(stand_in::ACCOUNT) => (Atom::One, DIGITS),
            atom => (atom, 1),
        };
        let segments = match &self.shape {
            Shape::Text(text) | Shape::Start(text) if !text.contains(stand_in::ACCOUNT) => return None,
            Shape::Text(_) | Shape::Start(_) => self.as_general().segments,
            Shape::General(general) => {
                let names_it = |segment: &Segment| segment.atoms.contains(&Atom::Char(stand_in::ACCOUNT));
                if !general.segments.iter().any(names_it) {
                    return None;
                }
                general.segments.clone()
            }
        };
        let mut atoms = Vec::new();
        for (number, segment) in segments.iter().enumerate() {
            if number > 0 {
                atoms.push(Atom::Run);
            }
            for (atom, times) in segment.atoms.iter().copied().map(wide) {
                atoms.extend(std::iter::repeat_n(atom, times));
            }
        }
        Some(Self::of(atoms))
    }

    fn covers_each(&self, words: &Words<'_>) -> Truth {
        if let Some(text) = words.only() {
            return self.matches(text).into();
        }
        let (own, known) = (self.head(), words.head());
        let common = own.len().min(known.len());
        if own.as_bytes()[..common] != known.as_bytes()[..common] {
            return Truth::False;
        }
        match &self.shape {
            Shape::Start(own) if known.starts_with(&**own) => Truth::True,
            Shape::Text(_) | Shape::Start(_) => self.as_general().covers(words),
            Shape::General(general) => general.covers(words),
        }
    }

    fn as_general(&self) -> General {
        let (head, star) = match &self.shape {
            Shape::General(general) => return general.clone(),
            Shape::Text(head) => (head, false),
            Shape::Start(head) => (head, true),
        };
        let atoms: Vec<Atom> = head.chars().map(Atom::Char).collect();
        let mut segments = vec![Segment::new(&atoms)];
        if star {
            segments.push(Segment::new(&[]));
        }
        General {
            head: head.clone(),
            segments,
        }
    }
}

/// Where a match stands: the segment, and how far each candidate has come in it, one bit each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    segment: usize,
    reached: Box<[u64]>,
}

enum Next {
    State(State),
    /// Whatever follows, it matches.
    Always,
    /// Whatever follows, it doesn't.
    Never,
}

impl General {
    fn start(&self) -> State {
        let segment = self.skip_empty(0);
        State {
            segment,
            reached: self.segments[segment].fresh(),
        }
    }

    /// A segment between two stars that is empty is found at once; so is the first, before a leading star.
    fn skip_empty(&self, mut segment: usize) -> usize {
        while segment + 1 < self.segments.len() && self.segments[segment].atoms.is_empty() {
            segment += 1;
        }
        segment
    }

    fn step(&self, state: &State, c: char) -> Next {
        let last = self.segments.len() - 1;
        let segment = &self.segments[state.segment];
        if state.segment == last && last > 0 && segment.atoms.is_empty() {
            return Next::Always;
        }
        let mut reached = segment.advance(&state.reached, c);
        if state.segment < last && bit(&reached, segment.atoms.len()) {
            let next = self.skip_empty(state.segment + 1);
            if next == last && self.segments[next].atoms.is_empty() {
                return Next::Always;
            }
            return Next::State(State {
                segment: next,
                reached: self.segments[next].fresh(),
            });
        }
        if state.segment > 0 {
            // After a star a segment can start anywhere.
            reached[0] |= 1;
        } else if reached.iter().all(|word| *word == 0) {
            return Next::Never;
        }
        Next::State(State {
            segment: state.segment,
            reached,
        })
    }

    fn accepts(&self, state: &State) -> bool {
        state.segment == self.segments.len() - 1
            && bit(&state.reached, self.segments[state.segment].atoms.len())
    }

    /// Follows all words at once. The states that many words share are followed once.
    fn covers(&self, words: &Words<'_>) -> Truth {
        /// More states than any honest pattern comes to; beyond it the answer is open.
        const MOST: usize = 512;
        let mut states = BTreeSet::from([self.start()]);
        let (mut some_match, mut some_miss) = (false, false);
        let mut budget = 64 * MOST;
        for piece in &words.pieces {
            let mut buffer = [0; 4];
            match piece {
                Piece::Text(_) | Piece::StandIn { .. } => {
                    let text: &str = match piece {
                        Piece::Text(text) => text,
                        Piece::StandIn { stand_in, .. } => stand_in.encode_utf8(&mut buffer),
                        Piece::Some { .. } => "",
                    };
                    for c in text.chars() {
                        let mut next = BTreeSet::new();
                        for state in &states {
                            match self.step(state, c) {
                                Next::State(state) => _ = next.insert(state),
                                Next::Always => some_match = true,
                                Next::Never => some_miss = true,
                            }
                        }
                        states = next;
                        if states.is_empty() || (some_match && some_miss) {
                            return conclude(some_match, some_miss);
                        }
                    }
                }
                Piece::Some { class, least, most } => {
                    let mut step_all = |states: &BTreeSet<State>| {
                        let mut next = BTreeSet::new();
                        for state in states {
                            for c in self.telling(state, *class) {
                                budget = budget.saturating_sub(1);
                                match self.step(state, c) {
                                    Next::State(state) => _ = next.insert(state),
                                    Next::Always => some_match = true,
                                    Next::Never => some_miss = true,
                                }
                            }
                        }
                        (next, budget > 0)
                    };
                    for _ in 0..*least {
                        let (next, in_time) = step_all(&states);
                        states = next;
                        if states.len() > MOST || !in_time {
                            return Truth::Unknown;
                        }
                        if states.is_empty() {
                            break;
                        }
                    }
                    // What comes on top: as many steps as there may be, or as bring anything new.
                    let mut newest = states.clone();
                    let mut left = most.map_or(usize::MAX, |most| most.saturating_sub(*least));
                    while !newest.is_empty() && left > 0 {
                        left -= 1;
                        let (next, in_time) = step_all(&newest);
                        newest = next.difference(&states).cloned().collect();
                        states.extend(newest.iter().cloned());
                        if states.len() > MOST || !in_time {
                            return Truth::Unknown;
                        }
                    }
                    if some_match && some_miss {
                        return Truth::Unknown;
                    }
                }
            }
        }
        for state in &states {
            match self.accepts(state) || self.ends_open(state) {
                true => some_match = true,
                false => some_miss = true,
            }
        }
        conclude(some_match, some_miss)
    }

    /// The characters of a class that can make a difference here, and one for all the others.
    fn telling(&self, state: &State, class: Class) -> Vec<char> {
        let segment = &self.segments[state.segment];
        let mut telling: Vec<char> = segment
            .takes
            .iter()
            .filter(|(c, _)| class.holds(*c))
            .filter(|(_, takes)| takes.iter().zip(&state.reached).any(|(a, b)| a & b != 0))
            .map(|(c, _)| *c)
            .collect();
        telling.extend(class.another(&telling));
        telling
    }

    /// Nothing is left to match but a star.
    fn ends_open(&self, state: &State) -> bool {
        let last = self.segments.len() - 1;
        last > 0 && state.segment == last && self.segments[last].atoms.is_empty()
    }
}

fn conclude(some_match: bool, some_miss: bool) -> Truth {
    match (some_match, some_miss) {
        (true, true) => Truth::Unknown,
        (true, false) => Truth::True,
        (false, _) => Truth::False,
    }
}

impl Segment {
    fn new(atoms: &[Atom]) -> Self {
        let words = atoms.len() / 64 + 1;
        let mut takes_any = vec![0u64; words];
        for (number, atom) in atoms.iter().enumerate() {
            if *atom == Atom::One {
                takes_any[number / 64] |= 1 << (number % 64);
            }
        }
        let mut named: Vec<char> = atoms
            .iter()
            .filter_map(|atom| match atom {
                Atom::Char(c) => Some(*c),
                Atom::One | Atom::Run => None,
            })
            .collect();
        named.sort_unstable();
        named.dedup();
        let mut takes: Vec<(char, Box<[u64]>)> = named
            .into_iter()
            .map(|c| (c, takes_any.clone().into_boxed_slice()))
            .collect();
        for (number, atom) in atoms.iter().enumerate() {
            if let Atom::Char(c) = atom
                && let Ok(at) = takes.binary_search_by_key(c, |(c, _)| *c)
            {
                takes[at].1[number / 64] |= 1 << (number % 64);
            }
        }
        Self {
            atoms: atoms.to_vec(),
            takes,
            takes_any: takes_any.into_boxed_slice(),
        }
    }

    /// One candidate, at the beginning.
    fn fresh(&self) -> Box<[u64]> {
        let mut reached = vec![0u64; self.atoms.len() / 64 + 1];
        reached[0] = 1;
        reached.into_boxed_slice()
    }

    fn advance(&self, reached: &[u64], c: char) -> Box<[u64]> {
        let takes = match self.takes.binary_search_by_key(&c, |(c, _)| *c) {
            Ok(at) => &self.takes[at].1,
            // A name has more than one character.
            Err(_) if stand_in::is_one(c) => return vec![0; reached.len()].into_boxed_slice(),
            Err(_) => &self.takes_any,
        };
        let mut carry = 0;
        reached
            .iter()
            .zip(takes)
            .map(|(reached, takes)| {
                let taken = reached & takes;
                let moved = taken << 1 | carry;
                carry = taken >> 63;
                moved
            })
            .collect()
    }
}

fn bit(bits: &[u64], number: usize) -> bool {
    bits.get(number / 64)
        .is_some_and(|word| word >> (number % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same by the book: slow, and plain to see.
    fn by_the_book(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|at| by_the_book(rest, &text[at..])),
            Some(('?', rest)) => !text.is_empty() && by_the_book(rest, &text[1..]),
            Some((c, rest)) => text.first() == Some(c) && by_the_book(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn matches_by_the_book(pattern in "[ab*?]{0,8}", text in "[abc]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(Pattern::new(&pattern).matches(&text), by_the_book(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn covers_what_all_its_words_agree_on(
            pattern in "[01x*?]{0,6}",
            head in "[x01]{0,2}",
            least in 0..3usize,
            more in 0..2usize,
            tail in "[x0]{0,2}",
        ) {
            let words = Words::one(head.clone())
                .then_some(Class::Digit, least, Some(least + more))
                .then(tail.clone());
            let mut digits = vec![String::new()];
            let mut all = Vec::new();
            for length in 0..=least + more {
                if length >= least {
                    all.extend(digits.iter().map(|d| format!("{head}{d}{tail}")));
                }
                digits = digits
                    .iter()
                    .flat_map(|d| "0123456789".chars().map(move |c| format!("{d}{c}")))
                    .collect();
            }
            let pattern = Pattern::new(&pattern);
            let matching = all.iter().filter(|word| pattern.matches(word)).count();
            let expected = conclude(matching > 0, matching < all.len());
            prop_assert_eq!(pattern.covers(&words), expected);
        }
    }

    #[test]
    fn a_segment_longer_than_a_word_of_bits_is_found() {
        let long = "ab".repeat(100);
        let pattern = Pattern::new(&format!("*{long}?{long}*"));
        assert!(pattern.matches(&format!("b{long}-{long}ab")));
        assert!(!pattern.matches(&format!("b{long}{long}")));
    }

    #[test]
    fn many_stars_cost_no_more_than_one() {
        let pattern = Pattern::new(&"*a".repeat(10_000));
        assert!(pattern.matches(&"a".repeat(20_000)));
        assert!(!pattern.matches(&"a".repeat(9_999)));
        let words = Words::one("a".repeat(1_000)).then_some(Class::Hexadecimal, 16, Some(16));
        assert_eq!(pattern.covers(&words), Truth::False);
        let pattern = Pattern::new(&format!("{}b", "*a?".repeat(5_000)));
        assert!(!pattern.matches(&"a".repeat(100_000)));
    }
}
