//! What an inventory is like once a change is applied. Pure: a projection is shown before anything is written.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, NewBucket, Put, Setting};
use crate::collect::snapshot;
use crate::inventory::{
    Account, Bucket, BucketSettings, Call, Existence, Fact, Inventory, Listing, ObjectOwnership, Payer,
    Settings, Why,
};
use crate::name::AccountId;

/// The inventory after this change to a bucket of this account.
pub fn project(inventory: &Inventory, account: &AccountId, change: &Change) -> Inventory {
    let mut projected = inventory.clone();
    project_into(&mut projected, account, change);
    projected
}

/// As [`project`], in place: a plan of many changes copies the inventory once.
pub fn project_into(inventory: &mut Inventory, account: &AccountId, change: &Change) {
    let Some(account) = inventory
        .accounts
        .iter_mut()
        .find(|other| other.id.known() == Some(account))
    else {
        return;
    };
    match change {
        Change::CreateBucket(new) => create(account, new),
        Change::DeleteBucket(new) => account
            .buckets
            .retain(|bucket| bucket.label.as_ref() != new.bucket.as_str()),
        Change::Put(put) => {
            if let Some(bucket) = bucket_mut(account, put.bucket.as_str()) {
                write(bucket, put);
            }
        }
    }
}

/// Whether the account is known to be as this change would leave it.
pub(super) fn is_so_already(account: &Account, change: &Change) -> bool {
    let name = change.bucket().as_str();
    match change {
        Change::CreateBucket(_) => account.bucket(name).is_some(),
        Change::DeleteBucket(_) => {
            account.bucket(name).is_none()
                && match account.elsewhere.get(name) {
                    Some(existence) => *existence == Existence::Missing,
                    None => account.listing == Listing::Complete,
                }
        }
        Change::Put(put) => account.bucket(name).is_some_and(|bucket| {
            current(bucket, put.setting)
                .is_ok_and(|found| put.setting.same(put.after.as_ref(), found.as_ref()))
        }),
    }
}

fn bucket_mut<'a>(account: &'a mut Account, name: &str) -> Option<&'a mut Bucket> {
    let index = account.bucket_index(name)?;
    account.buckets.get_mut(index)
}

fn create(account: &mut Account, new: &NewBucket) {
    let label: Arc<str> = new.bucket.as_str().into();
    let Err(position) = account
        .buckets
        .binary_search_by(|bucket| bucket.label.as_ref().cmp(&label))
    else {
        return;
    };
    let mut settings = Settings::of_a_fresh_bucket();
    // AWS blocks public access to every new bucket, other servers of its API don't: it is planned, and found done.
    settings.public_access_block = Fact::Absent;
    let bucket = Bucket {
        label,
        name_known: true,
        region: Fact::Known(new.region.clone()),
        logging: Fact::Absent,
        // The run is about the sources; a log bucket is judged by what leads to it.
        in_scope: false,
        place: None,
        allowances: Vec::new(),
        never_with: Vec::new(),
        hangs_on: None,
        region_of: None,
        settings: BucketSettings::Read(Box::new(settings)),
    };
    account.buckets.insert(position, bucket);
}

fn write(bucket: &mut Bucket, put: &Put) {
    let answer = put.setting.answer(put.after.as_ref()).to_string();
    if snapshot::renew(bucket, put.setting.call(), &answer).is_err() {
        // Only a document that AWS would refuse can't be read back.
        mark_unreadable(bucket, put.setting);
    }
}

fn mark_unreadable(bucket: &mut Bucket, setting: Setting) {
    let unreadable = || Why::Failed {
        code: format!("an unreadable {}", setting.title()),
    };
    let mut settings = bucket.settings().clone();
    match setting {
        Setting::Logging => {
            bucket.logging = Fact::Unknown(unreadable());
            return;
        }
        Setting::OwnershipControls => settings.object_ownership = Fact::Unknown(unreadable()),
        Setting::PublicAccessBlock => settings.public_access_block = Fact::Unknown(unreadable()),
        Setting::Encryption => settings.encryption = Fact::Unknown(unreadable()),
        Setting::RequestPayment => settings.payer = Fact::Unknown(unreadable()),
        Setting::Lifecycle => settings.lifecycle = Fact::Unknown(unreadable()),
        Setting::Policy => settings.policy = Fact::Unknown(unreadable()),
        Setting::Acl => settings.acl = Fact::Unknown(unreadable()),
    }
    bucket.settings = BucketSettings::Read(Box::new(settings));
}

/// The document that stands there now, as it was read. A change starts from nothing else.
pub fn current(bucket: &Bucket, setting: Setting) -> Result<Option<Value>, Why> {
    let settings = bucket.settings();
    let why = match setting {
        Setting::Logging => bucket.logging.why(),
        Setting::OwnershipControls => settings.object_ownership.why(),
        Setting::PublicAccessBlock => settings.public_access_block.why(),
        Setting::Encryption => settings.encryption.why(),
        Setting::RequestPayment => settings.payer.why(),
        Setting::Lifecycle => settings.lifecycle.why(),
        Setting::Policy => settings.policy.why(),
        Setting::Acl => settings.acl.why(),
    };
    if let Some(why) = why {
        return Err(why.clone());
    }
    match setting {
        Setting::Policy => {
            let text = settings.policy.known().map(|document| document.text.to_string());
            Ok(text.map(Value::String))
        }
        Setting::Logging => match &bucket.logging {
            Fact::Known(logging) => whole_answer(&logging.place.document.text),
            Fact::Absent | Fact::Unknown(_) => Ok(None),
        },
        _ => match settings.places.get(&setting.call()) {
            Some(place) => whole_answer(&place.document.text),
            None => Ok(of_a_fact(settings, setting.call())),
        },
    }
}

fn whole_answer(text: &str) -> Result<Option<Value>, Why> {
    let answer: Value = serde_json::from_str(text).map_err(|_| Why::Failed {
        code: "an answer that is no JSON".to_owned(),
    })?;
    Ok(match answer.get("error") {
        Some(_) => None,
        None => Some(answer),
    })
}

/// Where the fact was assumed and never answered: what AWS says of a fresh bucket.
fn of_a_fact(settings: &Settings, call: Call) -> Option<Value> {
    match call {
        Call::OwnershipControls => settings.object_ownership.known().map(|ownership| {
            let word = match ownership {
                ObjectOwnership::BucketOwnerEnforced => "BucketOwnerEnforced",
                ObjectOwnership::BucketOwnerPreferred => "BucketOwnerPreferred",
                ObjectOwnership::ObjectWriter => "ObjectWriter",
            };
            json!({ "OwnershipControls": { "Rules": [{ "ObjectOwnership": word }] } })
        }),
        Call::PublicAccessBlock => settings.public_access_block.known().map(|block| {
            json!({ "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": block.block_public_acls,
                "IgnorePublicAcls": block.ignore_public_acls,
                "BlockPublicPolicy": block.block_public_policy,
                "RestrictPublicBuckets": block.restrict_public_buckets,
            } })
        }),
        Call::RequestPayment => match settings.payer.known() {
            Some(Payer::Requester) => Some(json!({ "Payer": "Requester" })),
            Some(Payer::BucketOwner) | None => None,
        },
        _ => None,
    }
}
