//! What a bucket shows of being a log bucket, even where no bucket logs to it.

use super::BucketContext;
use super::bucket_policy::BucketPolicy;
use super::grants::TargetPolicy;
use crate::finding::Undecided;
use crate::inventory::{Call, Fact, Listing, ObjectOwnership, Place, Why};

pub enum Sign {
    /// A statement for the log service.
    Policy { place: Option<Place>, content: String },
    /// A grant to the LogDelivery group.
    Acl,
}

/// Whether the bucket grants log delivery, as far as it was asked: most buckets are no log targets, and of these neither
/// policy nor ACL is read. Undecided where it was asked and not answered.
pub fn sign_of_log_bucket(context: &BucketContext<'_, '_>) -> Result<Option<Sign>, Undecided> {
    let bucket = context.bucket();
    let settings = bucket.settings();
    let mut open = None;
    match &settings.policy {
        Fact::Known(_) => {
            if let Some(policy) = TargetPolicy::of(bucket, &context.tallies.facts) {
                if let Some(statement) = policy.prepared.log_delivery_grants().first() {
                    let policy = BucketPolicy::new(bucket, &policy);
                    return Ok(Some(Sign::Policy {
                        place: policy.place(&statement.pointer),
                        content: policy.content(&statement.pointer),
                    }));
                }
                if policy.prepared.is_log_delivery_granted_perhaps() {
                    open = open.or(asked(Call::Policy, &Why::AfterApply));
                }
            }
        }
        Fact::Unknown(why) => open = open.or(asked(Call::Policy, why)),
        Fact::Absent => {}
    }
    match (&settings.acl, &settings.object_ownership) {
        (_, Fact::Known(ObjectOwnership::BucketOwnerEnforced)) => {}
        (Fact::Known(acl), ownership) if acl.lets_log_delivery("WRITE") => match ownership {
            Fact::Unknown(why) => open = open.or(asked(Call::OwnershipControls, why)),
            Fact::Known(_) | Fact::Absent => return Ok(Some(Sign::Acl)),
        },
        (Fact::Unknown(why), _) => open = open.or(asked(Call::Acl, why)),
        (Fact::Known(_) | Fact::Absent, _) => {}
    }
    open.map_or(Ok(None), Err)
}

fn asked(call: Call, why: &Why) -> Option<Undecided> {
    (*why != Why::NotRead).then(|| Undecided::without(call, why))
}

/// Undecided where a bucket that nobody listed, or whose target isn't known, may log here; and where one names this
/// bucket, and nobody knows whether their accounts are one.
pub fn no_hidden_source(context: &BucketContext<'_, '_>) -> Result<(), Undecided> {
    if let Listing::Unknown(why) = &context.account().listing {
        return Err(Undecided::without(Call::List, why));
    }
    if let Some(source) = context.tallies.named_perhaps(context.bucket()) {
        let whose = Undecided::without(Call::List, &Why::NotRead);
        return Err(Undecided { needs: None, ..whose }.on(&source.label));
    }
    match context.tallies.hidden_source(context.account(), context.bucket()) {
        Some(hidden) => Err(Undecided::without(Call::Logging, hidden.why).on(&hidden.bucket.label)),
        None => Ok(()),
    }
}
