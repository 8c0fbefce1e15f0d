//! The rules: a visible list, and the runner that walks it.
//!
//! A rule is one file, one document and one line in [`ALL`]. Its scope says what the runner loops over, so no rule
//! has a loop of its own; the runner stamps code, name and subject on what it finds.

mod bucket_policy;
mod context;
mod explain;
mod grants;
mod log_bucket;
mod log_keys;
mod losses;
mod run;
mod tallies;

mod acl_only_grant;
mod aws_key_target;
mod cross_account_target;
mod cross_region_target;
mod customer_key_target;
mod dead_target_grants;
mod delivery_denied;
mod delivery_not_granted;
mod delivery_uncertain;
pub mod expired_suppression;
pub mod invalid_suppression;
mod kept_noncurrent_logs;
mod logged_log_bucket;
mod logging_cycle;
mod malformed_policy;
mod malformed_target;
mod misleading_condition;
mod missing_target;
mod object_lock_retention;
mod object_lock_target;
mod orphan_log_bucket;
mod overlong_prefix;
mod partial_acl_grant;
mod public_log_bucket;
mod replaced_target;
mod requester_pays_target;
mod self_logging;
mod shared_prefix;
mod transition_only_lifecycle;
mod unexpired_logs;
mod unlogged_bucket;
mod unscoped_grant;
mod unseparated_prefix;
pub mod unused_suppression;

use crate::finding::{Severity, Verdict};
use crate::inventory::Call;

pub use context::{BucketContext, CycleContext, EdgeContext};
pub use explain::{Explanation, PolicyExplanation, Sign, StatementStep, Step, explain, explain_policy};
pub use grants::{TargetPolicy, delivery};
pub use run::{EdgeVerdict, LintedEdge, Outcome, Reported, run, run_knowing};

/// A rule: a plain value and a function.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub code: &'static str,
    /// Says the fault, and reads well after "allow".
    pub name: &'static str,
    pub severity: Severity,
    /// The release that brought it.
    pub since: &'static str,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// What a finding means for the delivery of the edges it touches.
    pub effect: Effect,
    /// Whose answers it reads, beyond the list of buckets and their logging.
    pub reads: &'static [Call],
    pub check: Check,
    /// What `explain` prints; its examples are run by the tests.
    pub document: &'static str,
}

/// The groups, by how their codes begin: a group may be named wherever a rule may.
pub const GROUPS: &[(&str, &str)] = &[
    ("graph", "S3L0"),
    ("grant", "S3L1"),
    ("target", "S3L2"),
    ("trail", "S3L3"),
    ("arrival", "S3L4"),
    ("suppression", "S3L9"),
];

impl Rule {
    /// The group that it belongs to.
    pub fn group(&self) -> &'static str {
        let group = GROUPS.iter().find(|(_, start)| self.code.starts_with(start));
        group.map_or("", |(name, _)| name)
    }

    /// The page of AWS that its document rests on.
    pub fn aws_page(&self) -> Option<&'static str> {
        let start = self.document.find("https://docs.aws.amazon.com/")?;
        let rest = &self.document[start..];
        rest.split([')', '>', ' ', '\n']).next()
    }
}

/// What a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Each bucket.
    Bucket(fn(&BucketContext<'_, '_>) -> Verdict),
    /// Each bucket that is a log target.
    Target(fn(&BucketContext<'_, '_>) -> Verdict),
    /// Each edge.
    Edge(fn(&EdgeContext<'_, '_>) -> Verdict),
    /// Each cycle of two or more buckets.
    Cycle(fn(&CycleContext<'_, '_>) -> Verdict),
    /// Nothing: the report says it, of what the user allowed.
    Report,
}

/// What a finding says of the logs of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the logs arrive all the same.
    None,
    /// They don't arrive.
    Blocks,
    /// They arrive and can't be read.
    Unreadable,
    /// They arrive, and cause more of themselves.
    Loops,
    /// Nobody can tell.
    Uncertain,
}

/// Every rule, ordered by code.
pub const ALL: &[Rule] = &[
    self_logging::RULE,
    logging_cycle::RULE,
    logged_log_bucket::RULE,
    missing_target::RULE,
    cross_region_target::RULE,
    cross_account_target::RULE,
    shared_prefix::RULE,
    unseparated_prefix::RULE,
    unlogged_bucket::RULE,
    orphan_log_bucket::RULE,
    malformed_target::RULE,
    overlong_prefix::RULE,
    replaced_target::RULE,
    delivery_not_granted::RULE,
    delivery_denied::RULE,
    delivery_uncertain::RULE,
    unscoped_grant::RULE,
    acl_only_grant::RULE,
    malformed_policy::RULE,
    partial_acl_grant::RULE,
    dead_target_grants::RULE,
    public_log_bucket::RULE,
    misleading_condition::RULE,
    aws_key_target::RULE,
    customer_key_target::RULE,
    object_lock_retention::RULE,
    object_lock_target::RULE,
    requester_pays_target::RULE,
    unexpired_logs::RULE,
    transition_only_lifecycle::RULE,
    kept_noncurrent_logs::RULE,
    unused_suppression::RULE,
    expired_suppression::RULE,
    invalid_suppression::RULE,
];

/// A rule by its code or its name, in any case.
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| {
        rule.code.eq_ignore_ascii_case(code_or_name) || rule.name.eq_ignore_ascii_case(code_or_name)
    })
}
