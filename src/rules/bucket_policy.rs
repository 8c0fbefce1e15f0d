//! What the rules of permission share: a target's policy to point into, and what is missing where it can't be told.

use std::sync::Arc;

use super::grants::TargetPolicy;
use super::{BucketContext, EdgeContext};
use crate::finding::Undecided;
use crate::graph::Edge;
use crate::inventory::{Bucket, Call, Document, Fact, Place, Why};
use crate::policy::{Decision, Grant, SettledBy, Truth};

/// The policy of a log bucket, and its text.
#[derive(Clone, Copy)]
pub struct BucketPolicy<'c> {
    pub bucket: &'c Bucket,
    pub policy: &'c TargetPolicy,
    document: Option<&'c Arc<Document>>,
}

impl<'c> BucketPolicy<'c> {
    pub fn new(bucket: &'c Bucket, policy: &'c TargetPolicy) -> Self {
        Self {
            bucket,
            policy,
            document: bucket.settings().policy.known(),
        }
    }

    /// Where this element stands.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        self.document.map(|document| Place::new(document, pointer))
    }

    pub fn has_statements(&self) -> bool {
        !self.policy.prepared.policy().statements.is_empty()
    }

    /// How people call this statement: by its `Sid`, else by its number.
    pub fn name(&self, pointer: &str) -> String {
        let mut statements = self.policy.prepared.policy().statements.iter();
        let found = statements.find(|statement| statement.pointer == pointer);
        found.map_or_else(|| pointer.to_owned(), |statement| statement.name())
    }

    /// What the statement says, however it is laid out: it outlives lines that move.
    pub fn content(&self, pointer: &str) -> String {
        let text = self.document.map_or("", |document| &document.text);
        let span = self
            .policy
            .parsed
            .as_ref()
            .and_then(|parsed| parsed.span(pointer));
        let text = span.and_then(|span| text.get(span)).unwrap_or(text);
        text.split_whitespace().collect()
    }
}

/// The target's policy and its decision about an edge. None where no log can come by anyway, and nothing is to be
/// decided; undecided where the policy couldn't be read.
pub fn decided<'c, 'a>(
    context: &EdgeContext<'c, 'a>,
) -> Result<Option<(BucketPolicy<'c>, &'c Decision)>, Undecided> {
    let Some(target) = context.edge.reachable_target() else {
        return Ok(None);
    };
    if let Fact::Unknown(why) = &target.settings().policy {
        return Err(Undecided::without(Call::Policy, why).on(&target.label));
    }
    let found = context.policy().zip(context.decision());
    Ok(found.map(|(policy, decision)| (BucketPolicy::new(target, policy), decision)))
}

/// As [`decided`], of a log bucket: its policy, and the decisions about the edges that may be delivered.
pub fn of_target<'c, 'a>(
    context: &BucketContext<'c, 'a>,
) -> Result<Option<TargetDecisions<'c, 'a>>, Undecided> {
    let edges = context.deliverable();
    if edges.is_empty() {
        return Ok(None);
    }
    let bucket = context.bucket();
    if let Fact::Unknown(why) = &bucket.settings().policy {
        return Err(Undecided::without(Call::Policy, why));
    }
    let mut policies = edges.iter().map(|(number, _)| context.tallies.policy(*number));
    let Some(policy) = policies.find_map(|policy| policy) else {
        return Ok(None);
    };
    Ok(Some(TargetDecisions {
        policy: BucketPolicy::new(bucket, policy),
        edges: edges
            .into_iter()
            .filter_map(|(number, edge)| Some((edge, context.tallies.decision(number)?)))
            .collect(),
    }))
}

/// The same of a policy that S3 takes: one that it would refuse grants nothing, and has nothing to say.
pub fn of_target_in_force<'c, 'a>(
    context: &BucketContext<'c, 'a>,
) -> Result<Option<TargetDecisions<'c, 'a>>, Undecided> {
    let target = of_target(context)?;
    Ok(target.filter(|target| target.policy.policy.prepared.faults().is_empty()))
}

pub struct TargetDecisions<'c, 'a> {
    pub policy: BucketPolicy<'c>,
    pub edges: Vec<(&'c Edge<'a>, &'c Decision)>,
}

/// For a decision that is open: the answer that is missing, where it is one that the input could hold. What only a
/// condition key would tell, which nobody outside AWS can know, is no missing answer.
pub fn missing_answer(edge: &Edge<'_>, target: &Bucket, decision: &Decision) -> Option<Undecided> {
    if decision.grant != Grant::Unknown {
        return None;
    }
    if let Some(undecided) = missing_acl(target, decision) {
        return Some(undecided);
    }
    if decision
        .unknown
        .iter()
        .any(|unknown| unknown.settled_by == SettledBy::Deploy)
    {
        return Some(Undecided::without(Call::Policy, &Why::AfterApply).on(&target.label));
    }
    let (source, logging) = (edge.source, edge.logging);
    let settings = target.settings();
    let after_apply = |name_known: bool| (!name_known).then_some(&Why::AfterApply);
    let missing = [
        (logging.prefix.why(), Call::Logging, &["the prefix"][..]),
        (logging.key_format.why(), Call::Logging, &["the key format"]),
        (
            after_apply(source.name_known),
            Call::Logging,
            &["the source's name", "aws:SourceArn", "a variable in Resource"],
        ),
        (
            after_apply(target.name_known),
            Call::Logging,
            &["the target's name"],
        ),
        (
            edge.account.id.why(),
            Call::List,
            &[
                "the source's account",
                "aws:SourceAccount",
                "aws:ResourceAccount",
                "s3:ResourceAccount",
                "a variable in Resource",
            ],
        ),
        (
            source.region.why(),
            Call::Head,
            &[
                "the source's region",
                "aws:RequestedRegion",
                "a variable in Resource",
            ],
        ),
        (
            settings.encryption.why(),
            Call::Encryption,
            &["s3:x-amz-server-side-encryption-aws-kms-key-id"],
        ),
    ];
    for (why, call, keys) in missing {
        let Some(why) = why else { continue };
        let open = decision
            .unknown
            .iter()
            .any(|unknown| keys.contains(&unknown.key.as_str()));
        if !open {
            continue;
        }
        let undecided = Undecided::without(call, why);
        return Some(match call {
            // Which account it is, no action of S3 tells.
            Call::List => Undecided {
                needs: None,
                ..undecided
            },
            Call::Encryption => undecided.on(&target.label),
            _ => undecided,
        });
    }
    None
}

/// The ACL would decide, and wasn't read.
pub fn missing_acl(target: &Bucket, decision: &Decision) -> Option<Undecided> {
    let settings = target.settings();
    let hangs_on_acl = decision.acl == Truth::Unknown
        && decision
            .unknown
            .iter()
            .any(|unknown| unknown.statement.is_empty());
    if decision.grant != Grant::Unknown || !hangs_on_acl {
        return None;
    }
    let missing = [
        (settings.object_ownership.why(), Call::OwnershipControls),
        (settings.acl.why(), Call::Acl),
    ];
    let (why, call) = missing.into_iter().find_map(|(why, call)| Some((why?, call)))?;
    Some(Undecided::without(call, why).on(&target.label))
}

/// WRITE without READ_ACP: known, and AWS's pages disagree on what it comes to.
pub fn hangs_on_partial_acl(target: &Bucket, decision: &Decision) -> bool {
    decision.grant == Grant::Unknown
        && decision.acl == Truth::Unknown
        && missing_acl(target, decision).is_none()
        && decision
            .unknown
            .iter()
            .any(|unknown| unknown.statement.is_empty())
}

/// The statement that AWS recommends for these keys, for the policy of a log bucket.
pub fn recommended_statement(context: &EdgeContext<'_, '_>, target: &Bucket) -> serde_json::Value {
    let partition = &context.edge.account.partition;
    let account = context
        .edge
        .account
        .id
        .known()
        .map_or("ACCOUNT-ID", |id| id.as_str());
    let prefix = context.edge.logging.prefix.known().map_or("", String::as_str);
    serde_json::json!({
        "Sid": "S3ServerAccessLogsPolicy",
        "Effect": "Allow",
        "Principal": {"Service": crate::policy::LOG_SERVICE},
        "Action": "s3:PutObject",
        "Resource": format!("arn:{partition}:s3:::{}/{prefix}*", target.label),
        "Condition": {
            "ArnLike": {"aws:SourceArn": format!("arn:{partition}:s3:::{}", context.source())},
            "StringEquals": {"aws:SourceAccount": account},
        },
    })
}
