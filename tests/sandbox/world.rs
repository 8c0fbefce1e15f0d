//! What exists in the sandbox: accounts, and buckets in one namespace of names. Seeded from a snapshot, and dumped as one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// The owner of buckets of which a snapshot knows only that they are somebody else's.
pub const SOMEBODY_ELSE: &str = "999999999999";

/// Why a snapshot can't be the beginning of a sandbox.
#[derive(Debug, Error)]
pub enum SeedError {
    #[error("the seed is no snapshot: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the seed has version {0}; the sandbox reads version 1")]
    Version(u64),
    #[error("the bucket {0} is in the seed twice; the names of buckets are unique in the whole of S3")]
    TwoOwners(String),
    #[error("the bucket {bucket} has no region, neither from the list nor from `location` or `head`")]
    NoRegion { bucket: String },
    #[error("the seed has no account")]
    NoAccount,
}

/// What a bucket's setting is, and what reads still see of it.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// `None`: nothing is configured.
    value: Option<Value>,
    /// The value before the last write, for this many reads more.
    stale: Option<(Option<Value>, u32)>,
}

/// The settings of a bucket, by their keys in a snapshot.
pub const SETTINGS: &[&str] = &[
    "logging",
    "policy",
    "acl",
    "ownership_controls",
    "encryption",
    "object_lock",
    "request_payment",
    "lifecycle",
    "versioning",
    "public_access_block",
    "tagging",
];

/// What a bucket holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub body: bytes::Bytes,
    pub modified: String,
    /// The headers that come back with it.
    pub headers: Vec<(String, String)>,
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    pub owner: String,
    pub region: String,
    /// `EU` where it was made with that old name of eu-west-1.
    pub location: Option<String>,
    pub created: String,
    pub objects: BTreeMap<String, Object>,
    /// Answers of the seed that are errors, by the key of the call: they are given again.
    pub refusals: BTreeMap<String, Value>,
    cells: BTreeMap<&'static str, Cell>,
}

impl Bucket {
    /// As AWS makes a bucket since April 2023.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html>
    pub fn fresh(owner: &str, region: &str, canonical_id: &str) -> Self {
        let mut bucket = Self {
            owner: owner.to_owned(),
            region: region.to_owned(),
            location: None,
            created: now(),
            objects: BTreeMap::new(),
            refusals: BTreeMap::new(),
            cells: BTreeMap::new(),
        };
        bucket.put("acl", Some(private_acl(canonical_id)), 0);
        bucket.put(
            "ownership_controls",
            Some(json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}})),
            0,
        );
        bucket.put("encryption", Some(default_encryption()), 0);
        bucket.put(
            "public_access_block",
            Some(json!({"PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true, "IgnorePublicAcls": true,
                "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
            }})),
            0,
        );
        bucket
    }

    /// The setting as it is.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.cells.get(key).and_then(|cell| cell.value.as_ref())
    }

    /// The setting as a read sees it: for a while, the one before.
    pub fn read(&mut self, key: &str) -> Option<Value> {
        let cell = self.cells.get_mut(key)?;
        match &mut cell.stale {
            Some((old, left)) if *left > 0 => {
                *left -= 1;
                old.clone()
            }
            _ => cell.value.clone(),
        }
    }

    pub fn put(&mut self, key: &'static str, value: Option<Value>, stale_reads: u32) {
        let cell = self.cells.entry(key).or_default();
        cell.stale = (stale_reads > 0).then(|| (cell.value.take(), stale_reads));
        cell.value = value;
    }

    pub fn object_ownership(&self) -> Option<&str> {
        self.get("ownership_controls")?
            .pointer("/OwnershipControls/Rules/0/ObjectOwnership")?
            .as_str()
    }

    pub fn is_owner_enforced(&self) -> bool {
        self.object_ownership() == Some("BucketOwnerEnforced")
    }

    /// One of the four switches of the public access block.
    pub fn blocks(&self, switch: &str) -> bool {
        self.get("public_access_block")
            .and_then(|block| {
                block
                    .get("PublicAccessBlockConfiguration")?
                    .get(switch)?
                    .as_bool()
            })
            .unwrap_or(false)
    }

    pub fn has_object_lock(&self) -> bool {
        self.get("object_lock").is_some()
    }

    pub fn is_versioned(&self) -> bool {
        self.get("versioning")
            .and_then(|versioning| versioning.get("Status")?.as_str())
            == Some("Enabled")
    }

    /// Every answer as a snapshot holds it.
    fn dump(&self, canonical_id: &str) -> Value {
        let mut answers = Map::new();
        answers.insert("region".to_owned(), self.region.as_str().into());
        for key in SETTINGS {
            let answer = match (*key, self.get(key)) {
                ("acl", _) if self.is_owner_enforced() => private_acl(canonical_id),
                ("tagging", None) => continue,
                (_, Some(value)) => value.clone(),
                ("policy", None) => absent("NoSuchBucketPolicy"),
                ("ownership_controls", None) => absent("OwnershipControlsNotFoundError"),
                ("object_lock", None) => absent("ObjectLockConfigurationNotFoundError"),
                ("lifecycle", None) => absent("NoSuchLifecycleConfiguration"),
                ("public_access_block", None) => absent("NoSuchPublicAccessBlockConfiguration"),
                ("request_payment", None) => json!({"Payer": "BucketOwner"}),
                _ => json!({}),
            };
            answers.insert((*key).to_owned(), answer);
        }
        for (key, refusal) in &self.refusals {
            answers.insert(key.clone(), json!({"error": refusal}));
        }
        if !self.objects.is_empty() {
            let objects = self.objects.iter().map(|(key, object)| {
                json!({"Key": key, "LastModified": object.modified, "Size": object.body.len()})
            });
            answers.insert("objects".to_owned(), objects.collect());
        }
        Value::Object(answers)
    }
}

fn absent(code: &str) -> Value {
    json!({"error": {"code": code, "status": 404}})
}

/// The ACL that gives the owner everything and nobody else anything.
pub fn private_acl(canonical_id: &str) -> Value {
    json!({
        "Owner": {"ID": canonical_id},
        "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": canonical_id}, "Permission": "FULL_CONTROL"}],
    })
}

fn default_encryption() -> Value {
    json!({"ServerSideEncryptionConfiguration": {"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": false},
    ]}})
}

pub fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.000Z")
        .to_string()
}

/// One account.
#[derive(Debug, Clone)]
pub struct Account {
    pub partition: String,
    pub canonical_id: String,
    organization: Option<Value>,
    /// The seed's refusal of the list of buckets.
    pub list_refusal: Option<Value>,
}

/// Everything that exists.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub accounts: BTreeMap<String, Account>,
    pub buckets: BTreeMap<String, Bucket>,
}

#[derive(Deserialize)]
struct Seed<'a> {
    version: u64,
    #[serde(borrow, default)]
    accounts: Vec<SeedAccount<'a>>,
}

#[derive(Deserialize)]
struct SeedAccount<'a> {
    id: Option<String>,
    partition: Option<String>,
    #[serde(default, deserialize_with = "present")]
    organization_id: Option<Value>,
    list_buckets: Option<Value>,
    #[serde(borrow, default)]
    buckets: BTreeMap<String, BTreeMap<String, &'a RawValue>>,
    #[serde(borrow, default)]
    elsewhere: BTreeMap<String, BTreeMap<String, &'a RawValue>>,
}

/// Keeps `null` apart from a missing key.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl World {
    /// What a snapshot tells of. A call that it has no answer for answers as on a fresh bucket.
    pub fn seeded(text: &str) -> Result<Self, SeedError> {
        let seed: Seed<'_> = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
        if seed.version != 1 {
            return Err(SeedError::Version(seed.version));
        }
        if seed.accounts.is_empty() {
            return Err(SeedError::NoAccount);
        }
        let mut world = Self::default();
        for account in &seed.accounts {
            let id = account.id.as_deref().unwrap_or("123456789012");
            let list_refusal = account
                .list_buckets
                .as_ref()
                .and_then(|answer| answer.get("error"))
                .cloned();
            world.add_account(
                id,
                Account {
                    partition: account.partition.clone().unwrap_or_else(|| "aws".to_owned()),
                    canonical_id: canonical_id(id, account)?,
                    organization: account.organization_id.clone(),
                    list_refusal,
                },
            );
            for (name, answers) in &account.buckets {
                let bucket = world.seeded_bucket(id, name, answers)?;
                if world.buckets.insert(name.clone(), bucket).is_some() {
                    return Err(SeedError::TwoOwners(name.clone()));
                }
            }
        }
        for account in &seed.accounts {
            for (name, answers) in &account.elsewhere {
                world.add_elsewhere(name, answers)?;
            }
        }
        Ok(world)
    }

    pub fn add_account(&mut self, id: &str, account: Account) {
        self.accounts.insert(id.to_owned(), account);
    }

    /// Another account without buckets.
    pub fn add_empty_account(&mut self, id: &str) {
        self.accounts.entry(id.to_owned()).or_insert_with(|| Account {
            partition: "aws".to_owned(),
            canonical_id: derived_canonical_id(id),
            organization: None,
            list_refusal: None,
        });
    }

    pub fn canonical_id(&self, account: &str) -> String {
        self.accounts.get(account).map_or_else(
            || derived_canonical_id(account),
            |account| account.canonical_id.clone(),
        )
    }

    pub fn partition(&self, account: &str) -> &str {
        self.accounts
            .get(account)
            .map_or("aws", |account| account.partition.as_str())
    }

    fn seeded_bucket(
        &self,
        owner: &str,
        name: &str,
        answers: &BTreeMap<String, &RawValue>,
    ) -> Result<Bucket, SeedError> {
        let mut region = None;
        let mut location = None;
        for key in ["head", "location", "region"] {
            let Some(answer) = answers.get(key) else { continue };
            let answer: Value = serde_json::from_str(answer.get())?;
            region = match (&answer, key) {
                (Value::String(region), _) => Some(region.clone()),
                (answer, "location") => {
                    answer
                        .get("LocationConstraint")
                        .map(|constraint| match constraint.as_str() {
                            None | Some("") => "us-east-1".to_owned(),
                            Some("EU") => {
                                location = Some("EU".to_owned());
                                "eu-west-1".to_owned()
                            }
                            Some(region) => region.to_owned(),
                        })
                }
                (answer, _) => answer
                    .get("BucketRegion")
                    .or_else(|| answer.get("error")?.get("region"))
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            }
            .or(region);
        }
        let region = region.ok_or_else(|| SeedError::NoRegion {
            bucket: name.to_owned(),
        })?;
        let mut bucket = Bucket::fresh(owner, &region, &self.canonical_id(owner));
        bucket.location = location;
        for (key, answer) in answers {
            let answer = *answer;
            let parsed: Value = serde_json::from_str(answer.get())?;
            if let Some(error) = parsed.get("error") {
                match SETTINGS.iter().find(|setting| *setting == key) {
                    Some(setting) if error.get("status").and_then(Value::as_u64) == Some(404) => {
                        bucket.put(setting, None, 0);
                    }
                    _ => {
                        bucket.refusals.insert(key.clone(), error.clone());
                    }
                }
                continue;
            }
            if key == "objects" {
                bucket.objects = seeded_objects(&parsed);
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|setting| *setting == key) else {
                continue;
            };
            bucket.put(setting, seeded_setting(setting, answer, parsed)?, 0);
        }
        Ok(bucket)
    }

    /// What is known of a bucket that the account doesn't list.
    fn add_elsewhere(&mut self, name: &str, answers: &BTreeMap<String, &RawValue>) -> Result<(), SeedError> {
        if self.buckets.contains_key(name) {
            return Ok(());
        }
        let Some(head) = answers.get("head") else {
            return Ok(());
        };
        let head: Value = serde_json::from_str(head.get())?;
        let error = head.get("error");
        let status = error.and_then(|error| error.get("status")?.as_u64());
        if error.is_some() && !matches!(status, Some(200 | 301 | 403)) {
            return Ok(());
        }
        let region = error
            .and_then(|error| error.get("region"))
            .or_else(|| head.get("BucketRegion"))
            .and_then(Value::as_str)
            .unwrap_or("us-east-1");
        self.buckets.insert(
            name.to_owned(),
            Bucket::fresh(SOMEBODY_ELSE, region, &derived_canonical_id(SOMEBODY_ELSE)),
        );
        Ok(())
    }

    /// The state as a snapshot: the same state gives the same text.
    pub fn dump(&self) -> Value {
        let accounts = self.accounts.iter().map(|(id, account)| {
            let mut told = Map::new();
            told.insert("id".to_owned(), id.as_str().into());
            told.insert("partition".to_owned(), account.partition.as_str().into());
            if let Some(organization) = &account.organization {
                told.insert("organization_id".to_owned(), organization.clone());
            }
            if let Some(refusal) = &account.list_refusal {
                told.insert("list_buckets".to_owned(), json!({"error": refusal}));
            }
            let buckets = self
                .buckets
                .iter()
                .filter(|(_, bucket)| bucket.owner == *id)
                .map(|(name, bucket)| (name.clone(), bucket.dump(&account.canonical_id)))
                .collect::<Map<_, _>>();
            told.insert("buckets".to_owned(), buckets.into());
            let elsewhere = self.elsewhere_of(id);
            if !elsewhere.is_empty() {
                told.insert("elsewhere".to_owned(), elsewhere.into());
            }
            Value::Object(told)
        });
        json!({"version": 1, "unasked": "unknown", "accounts": accounts.collect::<Vec<_>>()})
    }

    /// The targets that the account's buckets log to and that aren't its own.
    fn elsewhere_of(&self, id: &str) -> Map<String, Value> {
        self.buckets
            .values()
            .filter(|bucket| bucket.owner == id)
            .filter_map(|bucket| {
                bucket
                    .get("logging")?
                    .pointer("/LoggingEnabled/TargetBucket")?
                    .as_str()
            })
            .filter(|target| self.buckets.get(*target).is_none_or(|bucket| bucket.owner != id))
            .map(|target| {
                let head = match self.buckets.get(target) {
                    None => json!({"code": "404", "status": 404}),
                    Some(bucket) => json!({"code": "403", "status": 403, "region": bucket.region}),
                };
                (target.to_owned(), json!({"head": {"error": head}}))
            })
            .collect()
    }
}

/// The ID of the owner as the seed has it, or one like AWS's.
fn canonical_id(id: &str, account: &SeedAccount<'_>) -> Result<String, SeedError> {
    for answers in account.buckets.values() {
        if let Some(acl) = answers.get("acl") {
            let acl: Value = serde_json::from_str(acl.get())?;
            if let Some(owner) = acl.pointer("/Owner/ID").and_then(Value::as_str) {
                return Ok(owner.to_owned());
            }
        }
    }
    Ok(derived_canonical_id(id))
}

fn derived_canonical_id(account: &str) -> String {
    let mut state = account.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut id = String::with_capacity(64);
    for _ in 0..4 {
        state = super::faults::mixed(state);
        id.push_str(&format!("{state:016x}"));
    }
    id
}

/// A setting as the sandbox keeps it: `None` where the answer says that nothing is configured.
fn seeded_setting(key: &str, raw: &RawValue, answer: Value) -> Result<Option<Value>, SeedError> {
    #[derive(Deserialize)]
    struct Policy<'a> {
        #[serde(rename = "Policy", borrow)]
        policy: Option<&'a RawValue>,
    }
    if key == "policy" {
        // The exact text counts: a policy that was written by hand as an object keeps the order of its keys.
        let answer: Policy<'_> = serde_json::from_str(raw.get())?;
        let text = match answer.policy {
            None => raw.get().to_owned(),
            Some(text) if text.get().starts_with('"') => serde_json::from_str(text.get())?,
            Some(policy) => policy.get().to_owned(),
        };
        return Ok(Some(json!({"Policy": text})));
    }
    let is_empty = answer.as_object().is_some_and(Map::is_empty);
    Ok((!is_empty).then_some(answer))
}

fn seeded_objects(answer: &Value) -> BTreeMap<String, Object> {
    let text = |object: &Value, name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    answer
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|object| {
            let size = object.get("Size").and_then(Value::as_u64).unwrap_or(0);
            let body = match text(object, "Body") {
                Some(body) => body.into_bytes(),
                None => vec![b'.'; usize::try_from(size.min(1 << 20)).unwrap_or(0)],
            };
            let kept = Object {
                body: body.into(),
                modified: text(object, "LastModified").unwrap_or_else(now),
                headers: Vec::new(),
            };
            Some((text(object, "Key")?, kept))
        })
        .collect()
}
