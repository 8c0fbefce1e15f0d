//! One more answer about a bucket that is known already: the planner's projections and its readings after a write.

use std::sync::Arc;

use super::answers;
use super::read::{Reader, SnapshotError, malformed};
use crate::inventory::{Bucket, BucketSettings, Call, Settings};

/// Takes this answer of AWS for what the bucket's call answers now. Everything else about the bucket stays.
///
/// Calls that say nothing of a bucket's configuration (the list, its head, its location) change nothing.
pub fn renew(bucket: &mut Bucket, call: Call, answer: &str) -> Result<(), SnapshotError> {
    let mut text = String::with_capacity(answer.len() + 32);
    text.push_str("{\"");
    text.push_str(call.key());
    text.push_str("\":");
    text.push_str(answer);
    text.push('}');
    let raw: answers::Bucket<'_> = serde_json::from_str(&text).map_err(|error| malformed(&error))?;
    let reader = Reader::of_one_answer(&text);
    if let Some(logging) = raw.logging {
        bucket.logging = reader.logging(logging, &bucket.label)?;
        return Ok(());
    }
    let BucketSettings::Read(mut read) = reader.settings(&raw, &bucket.label)? else {
        return Ok(());
    };
    let mut settings = bucket.settings().clone();
    take(&mut settings, &mut read, call);
    bucket.settings = BucketSettings::Read(Box::new(settings));
    Ok(())
}

fn take(settings: &mut Settings, read: &mut Settings, call: Call) {
    let place = read.places.remove(&call);
    match call {
        Call::Policy => settings.policy = read.policy.as_ref().map(Arc::clone),
        Call::Acl => std::mem::swap(&mut settings.acl, &mut read.acl),
        Call::OwnershipControls => std::mem::swap(&mut settings.object_ownership, &mut read.object_ownership),
        Call::Encryption => std::mem::swap(&mut settings.encryption, &mut read.encryption),
        Call::ObjectLock => std::mem::swap(&mut settings.object_lock, &mut read.object_lock),
        Call::RequestPayment => std::mem::swap(&mut settings.payer, &mut read.payer),
        Call::Lifecycle => std::mem::swap(&mut settings.lifecycle, &mut read.lifecycle),
        Call::Versioning => std::mem::swap(&mut settings.versioning, &mut read.versioning),
        Call::PublicAccessBlock => {
            std::mem::swap(&mut settings.public_access_block, &mut read.public_access_block);
        }
        Call::List | Call::Head | Call::Location | Call::Logging | Call::Tagging => return,
    }
    match place {
        Some(place) => settings.places.insert(call, place),
        None => settings.places.remove(&call),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::snapshot::read;
    use crate::inventory::{Fact, ObjectOwnership};

    #[test]
    fn one_answer_is_renewed_and_the_others_stay() {
        let text = r#"{"version": 1, "unasked": "absent", "accounts": [{"buckets": {"logs": {
            "encryption": {"ServerSideEncryptionConfiguration": {"Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}}}}}]}"#;
        let mut inventory = read(text).expect("a snapshot");
        let bucket = &mut inventory.accounts[0].buckets[0];
        renew(
            bucket,
            Call::OwnershipControls,
            r#"{"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}"#,
        )
        .expect("an answer");
        renew(
            bucket,
            Call::Logging,
            r#"{"LoggingEnabled": {"TargetBucket": "other", "TargetPrefix": "x/"}}"#,
        )
        .expect("an answer");
        assert_eq!(
            bucket.settings().object_ownership,
            Fact::Known(ObjectOwnership::ObjectWriter)
        );
        let encryption = bucket.settings().encryption.known().expect("it stays");
        assert_eq!(encryption.algorithm, "aws:kms");
        let logging = bucket.logging.known().expect("it is on");
        assert_eq!(logging.prefix, Fact::Known("x/".to_owned()));
        renew(bucket, Call::Logging, "{}").expect("an answer");
        assert_eq!(bucket.logging, Fact::Absent);
        assert!(renew(bucket, Call::Policy, "no JSON").is_err());
    }
}
