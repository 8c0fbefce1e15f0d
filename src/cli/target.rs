//! What is asked of log buckets that nobody logs to yet: the targets of a plan, before and after it is applied.

use std::collections::BTreeMap;

use serde_json::Value;

use super::account as session;
use super::arguments::AccountArguments;
use super::error::Error;
use crate::apply::{Cloud, Stop};
use crate::aws::{Access, AwsCloud};
use crate::collect::snapshot;
use crate::inventory::Inventory;
use crate::inventory::{Bucket, BucketSettings, Call, Existence, Fact, ObjectOwnership, Why};
use crate::name::{BucketName, Region};
use crate::plan::{self, Change, Enable, Plan, Setting};

/// What decides whether a bucket can be a target, and what a plan would change of it.
const OF_A_TARGET: [Call; 10] = [
    Call::Logging,
    Call::Policy,
    Call::OwnershipControls,
    Call::Encryption,
    Call::ObjectLock,
    Call::RequestPayment,
    Call::Lifecycle,
    Call::Versioning,
    Call::PublicAccessBlock,
    // After the ownership, which may make it void.
    Call::Acl,
];

/// Asks about the targets that a goal names.
pub fn read(account: &AccountArguments, inventory: &mut Inventory, goal: &mut Enable) -> Result<(), Error> {
    if account.snapshot.is_some() || account.demo {
        return Ok(());
    }
    let regions = plan::targets(inventory, goal);
    let questions: BTreeMap<String, Vec<Call>> = regions
        .keys()
        .map(|target| (target.clone(), OF_A_TARGET.to_vec()))
        .collect();
    let empty = ask(account, inventory, &questions, goal.create, &regions)?;
    goal.empty = empty.into_iter().collect();
    Ok(())
}

/// Asks about every bucket that a plan touches, and about the targets that it names.
pub fn read_touched(account: &AccountArguments, inventory: &mut Inventory, plan: &Plan) -> Result<(), Error> {
    if account.snapshot.is_some() || account.demo {
        return Ok(());
    }
    let mut questions: BTreeMap<String, Vec<Call>> = BTreeMap::new();
    let mut regions: BTreeMap<String, Region> = BTreeMap::new();
    for change in &plan.changes {
        regions.insert(change.bucket().to_string(), change.region().clone());
        let Change::Put(put) = change else { continue };
        let calls = questions.entry(put.bucket.to_string()).or_default();
        calls.push(put.setting.call());
        let target = put
            .after
            .as_ref()
            .filter(|_| put.setting == Setting::Logging)
            .and_then(|after| after.pointer("/LoggingEnabled/TargetBucket"))
            .and_then(Value::as_str);
        if let Some(target) = target {
            let calls = questions.entry(target.to_owned()).or_default();
            calls.extend(OF_A_TARGET);
            regions
                .entry(target.to_owned())
                .or_insert_with(|| put.region.clone());
        }
    }
    for calls in questions.values_mut() {
        calls.sort_unstable_by_key(|call| (*call == Call::Acl, *call));
        calls.dedup();
    }
    ask(account, inventory, &questions, false, &regions)?;
    Ok(())
}

/// Asks everything about one bucket that somebody thinks of logging to.
pub fn read_one(
    account: &AccountArguments,
    inventory: &mut Inventory,
    target: &str,
    region: Option<Region>,
) -> Result<(), Error> {
    if account.snapshot.is_some() || account.demo {
        return Ok(());
    }
    let mut calls = vec![Call::Logging];
    calls.extend(Call::OF_TARGETS);
    let questions = BTreeMap::from([(target.to_owned(), calls)]);
    let regions = region
        .map(|region| (target.to_owned(), region))
        .into_iter()
        .collect();
    ask(account, inventory, &questions, false, &regions)?;
    Ok(())
}

/// Puts the answers into the inventory; names the buckets that hold nothing.
fn ask(
    account: &AccountArguments,
    inventory: &mut Inventory,
    questions: &BTreeMap<String, Vec<Call>>,
    looks_inside: bool,
    regions: &BTreeMap<String, Region>,
) -> Result<Vec<String>, Error> {
    let Some(known) = inventory
        .accounts
        .iter_mut()
        .find(|account| account.id.known().is_some())
    else {
        return Ok(Vec::new());
    };
    let Fact::Known(id) = known.id.clone() else {
        return Ok(Vec::new());
    };
    session::block_on(async {
        let session = session::open(account, Access::ReadOnly).await?;
        let cloud = AwsCloud::new(&session, id);
        let mut empty = Vec::new();
        for (name, calls) in questions {
            let region = match known.bucket(name).map(|bucket| &bucket.region) {
                Some(Fact::Known(region)) => region.clone(),
                _ => match regions.get(name) {
                    Some(region) => region.clone(),
                    None => continue,
                },
            };
            if known.bucket(name).is_none() && !settle_existence(&cloud, known, name, &region).await {
                continue;
            }
            let Some(index) = known.bucket_index(name) else {
                continue;
            };
            let bucket = &mut known.buckets[index];
            for call in calls {
                if is_read(bucket, *call) || (*call == Call::Acl && is_without_acl(bucket)) {
                    continue;
                }
                let answer = cloud.answer(name, &region, *call).await.to_string();
                // What S3 answered is JSON of the shape that the reader knows; if not, it stays unknown.
                let _ = snapshot::renew(bucket, *call, &answer);
            }
            if looks_inside
                && let Ok(parsed) = BucketName::parse(name)
                && cloud.is_empty(&parsed, &region).await.map_err(Stop::from)?
            {
                empty.push(name.clone());
            }
        }
        Ok(empty)
    })
}

fn is_read(bucket: &Bucket, call: Call) -> bool {
    match call {
        Call::Logging => bucket.logging.why() != Some(&Why::NotRead),
        call => bucket.settings().places.contains_key(&call),
    }
}

/// Where the owner owns every object, no ACL counts.
fn is_without_acl(bucket: &Bucket) -> bool {
    bucket.settings().object_ownership.known() == Some(&ObjectOwnership::BucketOwnerEnforced)
}

/// Whether the account has a bucket of this name, which its list lacks.
async fn settle_existence(
    cloud: &AwsCloud<'_>,
    account: &mut crate::inventory::Account,
    name: &str,
    region: &Region,
) -> bool {
    let answer = cloud.answer(name, region, Call::Head).await;
    let error = answer.get("error");
    let status = error
        .and_then(|error| error.get("status"))
        .and_then(Value::as_u64);
    let told = error
        .and_then(|error| error.get("region"))
        .and_then(Value::as_str)
        .and_then(|region| Region::parse(region).ok());
    let existence = match (error, status) {
        (None, _) => {
            // The request named the account as the owner, and S3 answered it.
            let bucket = Bucket {
                label: name.into(),
                name_known: true,
                region: Fact::Known(region.clone()),
                logging: Fact::Unknown(Why::NotRead),
                in_scope: false,
                place: None,
                allowances: Vec::new(),
                never_with: Vec::new(),
                hangs_on: None,
                region_of: None,
                settings: BucketSettings::NotRead,
            };
            let position = account
                .buckets
                .partition_point(|other| other.label.as_ref() < name);
            account.buckets.insert(position, bucket);
            return true;
        }
        (Some(_), Some(404)) => Existence::Missing,
        (Some(_), Some(301 | 403)) => Existence::Exists { region: told },
        (Some(error), _) => Existence::Unknown(Why::Failed {
            code: error
                .get("code")
                .and_then(Value::as_str)
                .unwrap_or("an error without a code")
                .to_owned(),
        }),
    };
    account.elsewhere.insert(name.to_owned(), existence);
    false
}
