//! A bucket policy as it is written: what its elements are, not what they mean.
//!
//! Positions are pointers; the bytes behind one are found with [`super::Parsed::span`].

use super::open;

/// What S3 calls the service that delivers server access logs.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>
pub const LOG_SERVICE: &str = "logging.s3.amazonaws.com";

/// The account that old grants name as "AWS ID for Log Delivery service".
pub const LEGACY_LOG_ACCOUNT: &str = "858827067514";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub version: Version,
    pub id: Option<String>,
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2012-10-17`: `${…}` is a variable.
    Of2012,
    /// `2008-10-17`, and what a missing version means: `${…}` is text.
    Of2008,
    Missing,
    /// What S3 would refuse; read as the newest.
    Other,
}

impl Version {
    pub fn has_variables(self) -> bool {
        match self {
            Version::Of2012 | Version::Other => true,
            Version::Of2008 | Version::Missing => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `/Statement/0`; `/Statement` where a single one stands without a list.
    pub pointer: String,
    pub sid: Option<String>,
    pub effect: Effect,
    pub principal: Option<Principals>,
    pub action: Option<Listed>,
    pub resource: Option<Listed>,
    pub conditions: Vec<Condition>,
}

impl Statement {
    /// How people call it: by its `Sid`, else by its number.
    pub fn name(&self) -> String {
        match &self.sid {
            Some(sid) if !sid.is_empty() => sid.clone(),
            _ => self.pointer.trim_start_matches('/').replace('/', " "),
        }
    }

    /// Whether it doesn't hang on the deploy that the statement is there, with no condition but those written.
    pub fn is_surely_there(&self) -> bool {
        !self
            .conditions
            .iter()
            .any(|condition| open::is_in(&condition.key))
    }

    /// Whether only the deploy tells one of those whom the statement is about.
    pub fn names_somebody_later(&self) -> bool {
        let listed = self.principal.iter().flat_map(|all| &all.listed);
        listed.into_iter().any(|principal| match &principal.who {
            Who::Aws(text) | Who::Service(text) => open::is_told_later(text),
            Who::Everyone | Who::CanonicalUser(_) | Who::Federated(_) | Who::Malformed(_) => false,
        })
    }

    /// Whether the statement leaves open until the deploy whom, what or which objects it is about.
    pub fn hangs_on_the_deploy(&self) -> bool {
        let listed = [&self.action, &self.resource].into_iter().flatten();
        let mut items = listed.flat_map(|listed| &listed.items);
        !self.is_surely_there()
            || self.names_somebody_later()
            || items.any(|item| open::is_told_later(&item.text))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
    /// What S3 would refuse.
    Neither,
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principals {
    pub negated: bool,
    pub pointer: String,
    pub listed: Vec<Principal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub pointer: String,
    pub who: Who,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// `"*"`
    Everyone,
    Aws(String),
    Service(String),
    CanonicalUser(String),
    Federated(String),
    /// A string in place of the object, or a type that there isn't; S3 would refuse it.
    Malformed(String),
}

/// `Action`, `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub negated: bool,
    pub pointer: String,
    pub items: Vec<Item>,
}

/// A string of a list, or the string in place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub pointer: String,
    pub text: String,
    /// Written as a number, which has no leading zero.
    pub is_number: bool,
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `/Statement/0/Condition/StringEquals/aws:SourceAccount`
    pub pointer: String,
    /// As it is written.
    pub operator: String,
    /// None for an operator that there isn't.
    pub parsed: Option<Operator>,
    pub key: String,
    pub values: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator {
    pub set: Option<SetOperator>,
    pub if_exists: bool,
    pub test: Test,
    pub negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

/// What an operator compares, its negation taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress,
    /// `ArnEquals` and `ArnLike` are the same.
    Arn,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Order::Equal => ordering.is_eq(),
            Order::Less => ordering.is_lt(),
            Order::LessOrEqual => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Operator {
    /// Reads an operator's name. Case is not looked at: AWS doesn't document it, and every tool does so.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (set, rest) = if let Some(rest) = lower.strip_prefix("forallvalues:") {
            (Some(SetOperator::ForAllValues), rest)
        } else if let Some(rest) = lower.strip_prefix("foranyvalue:") {
            (Some(SetOperator::ForAnyValue), rest)
        } else {
            (None, lower.as_str())
        };
        let (if_exists, rest) = match rest.strip_suffix("ifexists") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (test, negated) = match rest {
            "stringequals" => (Test::StringEquals, false),
            "stringnotequals" => (Test::StringEquals, true),
            "stringequalsignorecase" => (Test::StringEqualsIgnoreCase, false),
            "stringnotequalsignorecase" => (Test::StringEqualsIgnoreCase, true),
            "stringlike" => (Test::StringLike, false),
            "stringnotlike" => (Test::StringLike, true),
            "numericequals" => (Test::Numeric(Order::Equal), false),
            "numericnotequals" => (Test::Numeric(Order::Equal), true),
            "numericlessthan" => (Test::Numeric(Order::Less), false),
            "numericlessthanequals" => (Test::Numeric(Order::LessOrEqual), false),
            "numericgreaterthan" => (Test::Numeric(Order::Greater), false),
            "numericgreaterthanequals" => (Test::Numeric(Order::GreaterOrEqual), false),
            "dateequals" => (Test::Date(Order::Equal), false),
            "datenotequals" => (Test::Date(Order::Equal), true),
            "datelessthan" => (Test::Date(Order::Less), false),
            "datelessthanequals" => (Test::Date(Order::LessOrEqual), false),
            "dategreaterthan" => (Test::Date(Order::Greater), false),
            "dategreaterthanequals" => (Test::Date(Order::GreaterOrEqual), false),
            "bool" => (Test::Bool, false),
            "binaryequals" => (Test::Binary, false),
            "ipaddress" => (Test::IpAddress, false),
            "notipaddress" => (Test::IpAddress, true),
            "arnequals" | "arnlike" => (Test::Arn, false),
            "arnnotequals" | "arnnotlike" => (Test::Arn, true),
            "null" if !if_exists => (Test::Null, false),
            _ => return None,
        };
        Some(Self {
            set,
            if_exists,
            test,
            negated,
        })
    }
}

/// A pointer one step further (RFC 6901). One that is longer than any honest one ends where it is: a pointer of a
/// hundred thousand bytes for each of a hundred thousand values would fill the memory.
pub fn step(pointer: &str, segment: &str) -> String {
    const LONGEST: usize = 1024;
    if pointer.len() + segment.len() > LONGEST {
        return pointer.to_owned();
    }
    let mut whole = String::with_capacity(pointer.len() + segment.len() + 1);
    whole.push_str(pointer);
    whole.push('/');
    for c in segment.chars() {
        match c {
            '~' => whole.push_str("~0"),
            '/' => whole.push_str("~1"),
            c => whole.push(c),
        }
    }
    whole
}
