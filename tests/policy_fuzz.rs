//! A minute of fuzzing on stable Rust: the seeds of the fuzz target, mutated. Always the same way, for as long as
//! `S3LOG_LINT_FUZZ_SECONDS` says (a second without it).

use std::path::Path;
use std::time::{Duration, Instant};

use s3log_lint::name::{AccountId, Region};
use s3log_lint::policy::{Delivery, Facts, Grant, KeyLayout, Prepared, parse};

/// A generator of numbers that gives the same ones every time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits fit") % sides.max(1)
    }
}

fn seeds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/policy");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the seeds are there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a seed is text"))
        .collect()
}

/// Words that mean something to the reader, to be put in anywhere.
const WORDS: &[&str] = &[
    "*",
    "?",
    "${",
    "}",
    "${aws:SourceAccount}",
    "${*}",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e9",
    "-0",
    "IfExists",
    "ForAllValues:",
    "ForAnyValue:",
    "Not",
    "Null",
    "arn:aws:s3:::",
    "\u{feff}",
    "\u{e000}",
    "é",
    "0.0.0.0/0",
    "::/0",
    "aws:SourceArn",
    "s3:x-amz-acl",
    "StringNotLike",
    "NumericLessThan",
    "2012-10-17",
];

fn mutate(text: &str, other: &str, dice: &mut Dice) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(characters.len() + 1);
        let end = (at + dice.roll(12)).min(characters.len());
        match dice.roll(6) {
            0 => drop(characters.drain(at..end)),
            1 => {
                let word = WORDS[dice.roll(WORDS.len())];
                characters.splice(at..at, word.chars());
            }
            2 => {
                let word = WORDS[dice.roll(WORDS.len())];
                characters.splice(at..end, word.chars());
            }
            3 => {
                let copy: Vec<char> = characters[at..end].to_vec();
                for _ in 0..=dice.roll(30) {
                    characters.splice(at..at, copy.iter().copied());
                }
            }
            4 => {
                let others: Vec<char> = other.chars().collect();
                let from = dice.roll(others.len() + 1);
                let to = (from + dice.roll(80)).min(others.len());
                characters.splice(at..at, others[from..to].iter().copied());
            }
            _ => {
                let to = dice.roll(characters.len().max(1));
                if at < characters.len() {
                    characters.swap(at, to);
                }
            }
        }
        characters.truncate(30_000);
    }
    characters.into_iter().collect()
}

fn deliveries() -> Vec<Delivery> {
    let open = Delivery::between("amzn-s3-demo-source", "amzn-s3-demo-logs");
    let mut known = open.clone();
    known.prefix = Some("logs/".into());
    known.source_account = AccountId::parse("111122223333").ok();
    known.target_account.clone_from(&known.source_account);
    known.region = Region::parse("eu-west-1").ok();
    let mut partitioned = known.clone();
    partitioned.layout = Some(KeyLayout::Partitioned);
    vec![open, known, partitioned]
}

fn exercise(text: &str, deliveries: &[Delivery]) {
    let parsed = parse(text);
    for fault in &parsed.faults {
        assert!(text.get(fault.span.clone()).is_some(), "{fault:?} in {text}");
    }
    let facts = Facts::default();
    let prepared = Prepared::new(&parsed, &facts);
    for delivery in deliveries {
        let decision = prepared.decide(delivery);
        if decision.grant == Grant::Allowed {
            assert!(!decision.deciders.is_empty(), "allowed by nothing: {text}");
        }
        if parsed.policy.is_none() {
            assert_eq!(decision.grant, Grant::Malformed, "{text}");
        }
        prepared.trace(delivery);
        prepared.caveats(delivery);
        prepared.public_reads(delivery);
        prepared.unscoped_grants(delivery);
    }
    prepared.misleading();
    if let Some(printed) = parsed.print(true) {
        let again = parse(&printed);
        if parsed.policy.is_some() && again.policy.is_some() {
            assert_eq!(parsed.policy, again.policy, "{text}");
        }
    }
}

#[test]
fn a_minute_of_mutated_policies() {
    let seconds = std::env::var("S3LOG_LINT_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let deliveries = deliveries();
    let mut pool = seeds();
    assert!(pool.len() >= 10, "{} seeds", pool.len());
    for seed in &pool {
        exercise(seed, &deliveries);
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut count = 0;
    while Instant::now() < end {
        let (one, other) = (dice.roll(pool.len()), dice.roll(pool.len()));
        let text = mutate(&pool[one], &pool[other], &mut dice);
        exercise(&text, &deliveries);
        count += 1;
        // A mutant now and then is mutated further.
        if dice.roll(20) == 0 {
            if pool.len() < 200 {
                pool.push(text);
            } else {
                let place = dice.roll(pool.len());
                pool[place] = text;
            }
        }
    }
    println!("{count} policies");
}
