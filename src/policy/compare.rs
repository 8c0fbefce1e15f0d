//! The condition operators: one test against what a request may carry.
//!
//! The result is found for every way how it may be; where they agree it is the answer, else it is unknown. So a
//! missing key, `IfExists`, `Null`, sets and negation need no cases of their own for keys that are half known.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use core::net::IpAddr;

use super::facts::{Facts, Question};
use super::keys::{Kind, World, Worth};
use super::names::is_account;
use super::parse::parse_network;
use super::pattern::{Atom, Pattern};
use super::syntax::{LEGACY_LOG_ACCOUNT, Operator, Order, SetOperator, Test};
use super::template::{Part, Wildcards, parts};
use super::truth::Truth;
use super::words::{Piece, Words};

/// A value of a condition, ready to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    Text(Pattern),
    /// In lower case.
    AnyCase(Pattern),
    Arn {
        /// The whole text, where it has no wildcard.
        whole: Option<Box<str>>,
        parts: Box<[Pattern; 6]>,
    },
    /// `*` where an ARN should stand.
    BareStar,
    /// Not an ARN: matches none.
    NoArn,
    Number(Number),
    Moment(i64),
    Bool(bool),
    Network(IpAddr, u8),
    /// A value with which nothing can be compared.
    Useless,
}

/// Finite, so that equality is an equivalence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(f64);

impl Eq for Number {}

/// A value of a condition: ready, or waiting for the variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Ready(Matcher, Foreignness),
    Template(Vec<Part>),
}

/// Whether a value that is AWS's own could be the one that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreignness {
    Never,
    Perhaps,
}

impl Value {
    pub fn new(test: Test, text: &str, variables: bool) -> Self {
        let wildcards = match test {
            Test::StringLike | Test::Arn => Wildcards::Yes,
            Test::StringEquals
            | Test::StringEqualsIgnoreCase
            | Test::Numeric(_)
            | Test::Date(_)
            | Test::Bool
            | Test::Binary
            | Test::IpAddress
            | Test::Null => Wildcards::No,
        };
        let variables = variables
            && matches!(
                test,
                Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn | Test::Bool
            );
        let parts = parts(text, wildcards, variables);
        let atoms = parts
            .iter()
            .map(|part| match part {
                Part::Atom(atom) => Some(*atom),
                Part::Variable { .. } | Part::Open(_) => None,
            })
            .collect::<Option<Vec<_>>>();
        match atoms {
            Some(atoms) => Value::Ready(Matcher::new(test, &atoms), foreignness(test, &atoms)),
            None => Value::Template(parts),
        }
    }
}

impl Matcher {
    pub fn new(test: Test, atoms: &[Atom]) -> Self {
        let text = || -> String {
            atoms
                .iter()
                .map(|atom| match atom {
                    Atom::Char(c) => *c,
                    Atom::One => '?',
                    Atom::Run => '*',
                })
                .collect()
        };
        match test {
            Test::StringEquals | Test::StringLike => Matcher::Text(Pattern::of(atoms.iter().copied())),
            Test::StringEqualsIgnoreCase => Matcher::AnyCase(Pattern::new_text(&text().to_lowercase())),
            Test::Arn => arn(atoms),
            Test::Numeric(_) => parse_number(&text()).map_or(Matcher::Useless, Matcher::Number),
            Test::Date(_) => parse_instant(&text()).map_or(Matcher::Useless, Matcher::Moment),
            Test::Bool | Test::Null => {
                let text = text();
                if text.eq_ignore_ascii_case("true") {
                    Matcher::Bool(true)
                } else if text.eq_ignore_ascii_case("false") {
                    Matcher::Bool(false)
                } else {
                    Matcher::Useless
                }
            }
            // No key of a request to S3 is binary.
            Test::Binary => Matcher::Useless,
            Test::IpAddress => match parse_network(&text()) {
                Some((address, length)) => Matcher::Network(address, length),
                None => Matcher::Useless,
            },
        }
    }

    fn matches(&self, test: Test, words: &Words<'_>, facts: &Facts) -> Truth {
        let known = words.only();
        match self {
            Matcher::Text(pattern) => pattern.covers(words),
            Matcher::AnyCase(pattern) => match known {
                Some(text) => pattern.matches(&text.to_lowercase()).into(),
                None => Truth::Unknown,
            },
            Matcher::Arn {
                whole: Some(whole), ..
            } if known.is_some() => (known == Some(&**whole)).into(),
            Matcher::Arn { parts, .. } => arn_covers(parts, words),
            Matcher::BareStar => facts.to(Question::BareStarAsArn),
            Matcher::NoArn => Truth::False,
            Matcher::Useless => Truth::Unknown,
            Matcher::Bool(value) => match known {
                Some(text) => text
                    .eq_ignore_ascii_case(if *value { "true" } else { "false" })
                    .into(),
                None => Truth::Unknown,
            },
            Matcher::Number(number) => match (known.and_then(parse_number), test) {
                (Some(found), Test::Numeric(order)) => found
                    .0
                    .partial_cmp(&number.0)
                    .map_or(Truth::Unknown, |ordering| compared(order, ordering)),
                _ => Truth::Unknown,
            },
            Matcher::Moment(instant) => match (known.and_then(parse_instant), test) {
                (Some(found), Test::Date(order)) => compared(order, found.cmp(instant)),
                _ => Truth::Unknown,
            },
            Matcher::Network(network, length) => match known.map(str::parse::<IpAddr>) {
                Some(Ok(address)) => contains(*network, *length, address).into(),
                Some(Err(_)) | None => Truth::Unknown,
            },
        }
    }
}

fn compared(order: Order, ordering: std::cmp::Ordering) -> Truth {
    order.holds(ordering).into()
}

/// Whether a condition holds: agreed over all worlds.
///
/// `resolve` fills in a value's variables: a matcher; Absent where one has no value; Unknown with a pattern that is
/// wider than it may come to.
pub fn holds(
    operator: Operator,
    values: &[Value],
    worlds: &[World<'_>],
    multivalued: bool,
    facts: &Facts,
    resolve: &dyn Fn(Test, &[Part]) -> Resolved,
) -> Truth {
    let resolved: Vec<Resolved>;
    let ready: Vec<Candidate<'_>> = if values.iter().all(|value| matches!(value, Value::Ready(..))) {
        values
            .iter()
            .filter_map(|value| match value {
                Value::Ready(matcher, foreignness) => Some(Candidate::Ready(matcher, *foreignness)),
                Value::Template(_) => None,
            })
            .collect()
    } else {
        resolved = values
            .iter()
            .map(|value| match value {
                Value::Ready(matcher, foreignness) => Resolved::Is(matcher.clone(), *foreignness),
                Value::Template(parts) => resolve(operator.test, parts),
            })
            .collect();
        resolved
            .iter()
            .map(|resolved| match resolved {
                Resolved::Is(matcher, foreignness) => Candidate::Ready(matcher, *foreignness),
                Resolved::AtMost(matcher) => Candidate::AtMost(matcher),
                Resolved::NoValue => Candidate::Nothing,
            })
            .collect()
    };
    let mut worlds = worlds
        .iter()
        .map(|world| in_world(operator, &ready, world, multivalued, facts));
    let first = worlds.next().unwrap_or(Truth::Unknown);
    worlds.fold(first, Truth::agreed)
}

/// A value whose variables were filled in.
#[derive(Debug, Clone)]
pub enum Resolved {
    Is(Matcher, Foreignness),
    /// A variable can't be known; this is wider than it may come to.
    AtMost(Matcher),
    /// A variable has no value, so nothing matches.
    NoValue,
}

#[derive(Clone, Copy)]
enum Candidate<'m> {
    Ready(&'m Matcher, Foreignness),
    AtMost(&'m Matcher),
    Nothing,
}

fn in_world(
    operator: Operator,
    values: &[Candidate<'_>],
    world: &World<'_>,
    multivalued: bool,
    facts: &Facts,
) -> Truth {
    if operator.test == Test::Null {
        return match operator.set {
            Some(SetOperator::ForAllValues) => Truth::True,
            Some(SetOperator::ForAnyValue) => Truth::False,
            None => null(values, world, facts),
        };
    }
    if values.is_empty() {
        return facts.to(Question::EmptyValues);
    }
    let found = match world {
        World::Absent => {
            return match (operator.if_exists, operator.set) {
                (true, _) | (false, Some(SetOperator::ForAllValues)) => Truth::True,
                (false, Some(SetOperator::ForAnyValue)) => Truth::False,
                // A key that is missing is not the value: negated operators hold.
                (false, None) => operator.negated.into(),
            };
        }
        World::Values(found) => found,
    };
    let holds_for = |worth: &Worth<'_>| {
        let any = values
            .iter()
            .map(|value| matches(operator.test, *value, worth, facts))
            .fold(Truth::False, Truth::or);
        if operator.negated { !any } else { any }
    };
    match operator.set {
        Some(SetOperator::ForAllValues) => found.iter().map(holds_for).fold(Truth::True, Truth::and),
        Some(SetOperator::ForAnyValue) => found.iter().map(holds_for).fold(Truth::False, Truth::or),
        None if multivalued => facts.to(Question::MultivaluedWithoutSet),
        None => match found.as_slice() {
            [worth] => holds_for(worth),
            _ => facts.to(Question::MultivaluedWithoutSet),
        },
    }
}

fn null(values: &[Candidate<'_>], world: &World<'_>, facts: &Facts) -> Truth {
    if values.is_empty() {
        return facts.to(Question::EmptyValues);
    }
    let missing = matches!(world, World::Absent);
    values
        .iter()
        .map(|value| match value {
            Candidate::Ready(Matcher::Bool(wanted), _) => Truth::from(*wanted == missing),
            Candidate::Ready(..) | Candidate::AtMost(_) | Candidate::Nothing => Truth::Unknown,
        })
        .fold(Truth::False, Truth::or)
}

fn matches(test: Test, value: Candidate<'_>, worth: &Worth<'_>, facts: &Facts) -> Truth {
    match (value, worth) {
        (Candidate::Nothing, _) => Truth::False,
        (Candidate::Ready(matcher, _), Worth::Words(words)) => matcher.matches(test, words, facts),
        (Candidate::AtMost(matcher), Worth::Words(words)) => {
            matcher.matches(test, words, facts).and(Truth::Unknown)
        }
        (Candidate::Ready(Matcher::NoArn, _), Worth::Foreign(_)) => Truth::False,
        (Candidate::Ready(_, foreignness), Worth::Foreign(kind)) => match (foreignness, kind, test) {
            (Foreignness::Perhaps, ..) | (Foreignness::Never, Kind::Identity, Test::IpAddress) => {
                Truth::Unknown
            }
            (Foreignness::Never, Kind::Identity | Kind::Address, _) => Truth::False,
        },
        (Candidate::AtMost(_), Worth::Foreign(_)) => Truth::Unknown,
    }
}

/// Whether a value that is AWS's own could match: not where one of the customer's is named.
fn foreignness(test: Test, atoms: &[Atom]) -> Foreignness {
    let text: String = atoms
        .iter()
        .map(|atom| match atom {
            Atom::Char(c) => *c,
            Atom::One => '?',
            Atom::Run => '*',
        })
        .collect();
    let wild = atoms.iter().position(|atom| !matches!(atom, Atom::Char(_)));
    let yours = match test {
        Test::IpAddress => match parse_network(&text) {
            Some((address, length)) => !is_perhaps_of_aws(address, length),
            None => false,
        },
        Test::Arn | Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike => {
            let head: String = text.chars().take(wild.unwrap_or(usize::MAX)).collect();
            !text.contains(LEGACY_LOG_ACCOUNT) && names_one_of_yours(&text, &head)
        }
        Test::Numeric(_) | Test::Date(_) | Test::Bool | Test::Binary | Test::Null => false,
    };
    if yours {
        Foreignness::Never
    } else {
        Foreignness::Perhaps
    }
}

/// An ARN with an account id, an account id, or a unique id of IAM.
fn names_one_of_yours(text: &str, head: &str) -> bool {
    if let Some(account) = text.split(':').nth(4)
        && text.starts_with("arn:")
    {
        return is_account(account);
    }
    let id: String = head.chars().take_while(|c| *c != ':').collect();
    let unique = id.len() >= 5
        && ["AROA", "AIDA", "AKIA", "ASIA", "AGPA", "ANPA"]
            .iter()
            .any(|start| id.starts_with(start));
    unique || is_account(&id)
}

/// Ranges so wide that they hold addresses of AWS, and the one from which its log service was seen to come.
fn is_perhaps_of_aws(address: IpAddr, length: u8) -> bool {
    match address {
        IpAddr::V4(address) => {
            let ten = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 0));
            length < 8 || contains(ten, 8, IpAddr::V4(address))
        }
        IpAddr::V6(_) => length < 16,
    }
}

fn contains(network: IpAddr, length: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32 - u32::from(length.min(32));
            let cut = |ip: core::net::Ipv4Addr| u32::from(ip).checked_shr(shift).unwrap_or(0);
            cut(network) == cut(address)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128 - u32::from(length.min(128));
            let cut = |ip: core::net::Ipv6Addr| u128::from(ip).checked_shr(shift).unwrap_or(0);
            cut(network) == cut(address)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

fn arn(atoms: &[Atom]) -> Matcher {
    if atoms == [Atom::Run] {
        return Matcher::BareStar;
    }
    let segments: Vec<&[Atom]> = atoms.splitn(6, |atom| *atom == Atom::Char(':')).collect();
    let [arn, partition, service, region, account, resource] = segments.as_slice() else {
        return Matcher::NoArn;
    };
    let pattern = |atoms: &&[Atom]| Pattern::of(atoms.iter().copied());
    let whole = Pattern::of(atoms.iter().copied());
    Matcher::Arn {
        whole: whole.literal().map(Box::from),
        parts: Box::new([
            pattern(arn),
            pattern(partition),
            pattern(service),
            pattern(region),
            pattern(account),
            pattern(resource),
        ]),
    }
}

/// Part by part: a star doesn't reach over a colon.
fn arn_covers(parts: &[Pattern; 6], words: &Words<'_>) -> Truth {
    let head = words.head();
    let segments: Vec<&str> = head.splitn(6, ':').collect();
    let [first @ .., last] = segments.as_slice() else {
        return Truth::Unknown;
    };
    if first.len() < 5 {
        return match words.only() {
            // Not an ARN.
            Some(_) => Truth::False,
            None => Truth::Unknown,
        };
    }
    let mut truth = Truth::True;
    for (pattern, segment) in parts.iter().zip(first) {
        truth = truth.and(pattern.matches(segment).into());
    }
    if truth == Truth::False {
        return truth;
    }
    if words.pieces.len() <= 1 {
        return truth.and(parts[5].matches(last).into());
    }
    let mut rest = Words::one(*last);
    rest.pieces
        .extend(words.pieces.iter().skip(1).cloned().collect::<Vec<Piece<'_>>>());
    truth.and(parts[5].covers(&rest))
}

fn parse_number(text: &str) -> Option<Number> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let number: f64 = text.parse().ok().filter(|_| plain)?;
    number.is_finite().then_some(Number(number))
}

/// Seconds since 1970, of a date of ISO 8601 or of a number of seconds.
pub fn parse_instant(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_second());
    }
    let civil = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|date| date.at(0, 0, 0, 0)));
    // A date without a zone is one of UTC.
    let timestamp = jiff::tz::TimeZone::UTC.to_timestamp(civil.ok()?).ok()?;
    Some(timestamp.as_second())
}
