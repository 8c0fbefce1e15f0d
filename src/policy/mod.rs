//! The policy decision: may the log service write this edge's keys?
//!
//! A bucket policy is parsed once ([`parse`]), prepared once ([`Prepared`]) and asked about many deliveries
//! ([`Prepared::decide`]). Everything is three-valued: what depends on a key that nobody outside AWS can know stays
//! unknown, and what doesn't depend on it doesn't. What is known of each condition key is one table (`keys`); what
//! AWS's pages leave open is one switch each ([`SWITCHES`]).

mod compare;
mod decide;
mod delivery;
mod facts;
mod fault;
mod json;
mod keys;
mod names;
mod nearest;
pub mod open;
mod parse;
mod pattern;
mod prepare;
mod review;
mod syntax;
mod template;
mod trace;
mod truth;
mod words;

pub use decide::{Decision, Grant, Prepared, SettledBy, UnknownKey, Unsaid};
pub use delivery::{AclRoute, DefaultEncryption, Delivery, KeyLayout, Ownership, Told, Unnamed};
pub use facts::{Facts, Question, SWITCHES, Switch};
pub use fault::{Fault, FaultKind, Warning, WarningKind};
pub use keys::{Mark, proper_name};
pub use nearest::{Miss, Nearest};
pub use parse::{MOST_BYTES, Parsed, parse};
pub use pattern::Pattern;
pub use review::{Misleading, MisleadingKind, is_about_everyone};
pub use syntax::{
    Condition, Effect, Item, LOG_SERVICE, Listed, Operator, Policy, Principal, Principals, Statement, Test,
    Version, Who,
};
pub use trace::{Decider, ElementKind, ElementTrace, StatementTrace};
pub use truth::Truth;
