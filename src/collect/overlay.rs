//! Deployments laid over an inventory: what will be there after the deploy.
//!
//! A deploy speaks only of what it changes. What it is silent on stays as it is; with nothing underneath, it is not
//! known. What a file last read of AWS yields to what AWS itself answered.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::deployment::{
    BucketKey, Configuration, Declared, Deployment, Fate, Owner, Said, alike_logging, alike_policy,
};
use crate::inventory::{
    Account, Acl, Allowance, Bucket, BucketSettings, Call, Encryption, Existence, Fact, Grant, Grantee,
    Hanging, Inventory, LifecycleRule, Listing, Logging, Loss, Lost, ObjectLock, ObjectOwnership, Payer,
    PublicAccessBlock, Settings, TargetRef, Versioning, Why,
};
use crate::name::{AccountId, Region};

/// The files by themselves. What isn't in them is unknown; a bucket that they create starts as a fresh one.
pub fn alone(deployments: &[Deployment]) -> Inventory {
    onto(&Inventory::default(), deployments)
}

/// What the files themselves tell of the time before.
pub fn before(deployments: &[Deployment]) -> Inventory {
    let files: Vec<File<'_>> = deployments
        .iter()
        .map(|deployment| File::new(deployment, &deployment.before))
        .collect();
    lay(&Inventory::default(), &files)
}

/// What is there once the files are deployed onto it.
pub fn onto(base: &Inventory, deployments: &[Deployment]) -> Inventory {
    let files: Vec<File<'_>> = deployments
        .iter()
        .map(|deployment| File::new(deployment, &deployment.declared))
        .collect();
    lay(base, &files)
}

/// A state doesn't tell whose it is. What is laid onto the only account there is, and names one, does.
pub fn identify(base: &mut Inventory, deployments: &[Deployment]) {
    let [account] = base.accounts.as_mut_slice() else {
        return;
    };
    let declared = deployments.iter().flat_map(|deployment| &deployment.declared);
    let ids: BTreeSet<&AccountId> = declared.filter_map(|each| each.owner.account.as_ref()).collect();
    if account.id.known().is_none()
        && ids.len() == 1
        && let Some(id) = ids.first()
    {
        account.id = Fact::Known((*id).clone());
    }
}

/// One file, with the one of its two sides that is laid.
struct File<'a> {
    title: &'a str,
    complete: bool,
    declared: &'a [Declared],
    /// The names of the buckets that it deletes, by the addresses of their resources.
    deleted: BTreeMap<&'a str, &'a str>,
}

impl<'a> File<'a> {
    fn new(deployment: &'a Deployment, declared: &'a [Declared]) -> Self {
        Self {
            title: &deployment.title,
            complete: deployment.complete,
            declared,
            deleted: declared
                .iter()
                .filter(|each| each.fate == Fate::Deleted)
                .filter_map(|each| match &each.bucket {
                    BucketKey::Name(name) => Some((each.address.as_str(), name.as_str())),
                    BucketKey::Address(_) | BucketKey::OneOf(_) | BucketKey::Any => None,
                })
                .collect(),
        }
    }
}

fn lay(base: &Inventory, files: &[File<'_>]) -> Inventory {
    let mut inventory = base.clone();
    let homes = Homes::find(&mut inventory, files);
    let labels = Labels::choose(&inventory, files);
    for ((home, label), topic) in gather(&inventory, files, &homes, &labels) {
        let account = &mut inventory.accounts[home];
        let known = account.bucket_index(&label);
        account.losses.extend(topic.losses(&label));
        if topic.is_gone() {
            if let Some(index) = known {
                account.buckets.remove(index);
            }
            forget_name(&mut inventory, home, &label);
            continue;
        }
        let bucket = topic.settle(label, known.map(|index| &account.buckets[index]), &labels);
        account.elsewhere.remove(bucket.label.as_ref());
        match account
            .buckets
            .binary_search_by(|other| other.label.cmp(&bucket.label))
        {
            Ok(index) => account.buckets[index] = bucket,
            Err(index) => account.buckets.insert(index, bucket),
        }
    }
    for account in inventory.accounts.iter_mut().skip(base.accounts.len()) {
        if let Some(region) = account.buckets.iter().find_map(|bucket| bucket.region.known()) {
            account.partition = region.partition();
        }
    }
    inventory.accounts.sort_by(|a, b| a.id.known().cmp(&b.id.known()));
    inventory
}

/// A name that was given up is nobody's: bucket names are unique in a partition.
fn forget_name(inventory: &mut Inventory, home: usize, name: &str) {
    let partition = inventory.accounts[home].partition.clone();
    for account in &mut inventory.accounts {
        if account.partition == partition && account.bucket(name).is_none() {
            account.elsewhere.insert(name.to_owned(), Existence::Missing);
        }
    }
}

/// In which account of the inventory each owner's buckets are.
struct Homes<'a> {
    of: BTreeMap<&'a Owner, usize>,
}

impl<'a> Homes<'a> {
    fn find(inventory: &mut Inventory, files: &[File<'a>]) -> Self {
        let declared = || files.iter().flat_map(|file| file.declared);
        let mut ids: BTreeMap<&str, BTreeSet<&AccountId>> = BTreeMap::new();
        for each in declared() {
            ids.entry(&each.owner.credentials)
                .or_default()
                .extend(&each.owner.account);
        }
        let known_id = |owner: &'a Owner| -> Option<&'a AccountId> {
            let same_credentials = ids.get(owner.credentials.as_str())?;
            let only = same_credentials
                .iter()
                .next()
                .filter(|_| same_credentials.len() == 1);
            owner.account.as_ref().or_else(|| only.copied())
        };
        // Without an id, a bucket that is there already tells whose the files are.
        let there: Vec<BTreeSet<String>> = inventory
            .accounts
            .iter()
            .map(|account| {
                account
                    .buckets
                    .iter()
                    .map(|bucket| bucket.label.to_string())
                    .collect()
            })
            .collect();
        let mut evidence: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        let mut unknown: BTreeSet<&str> = BTreeSet::new();
        for each in declared().filter(|each| known_id(&each.owner).is_none()) {
            unknown.insert(&each.owner.credentials);
            if let BucketKey::Name(name) = &each.bucket
                && each.fate != Fate::Created
            {
                let holders = there.iter().enumerate().filter(|(_, names)| names.contains(name));
                evidence
                    .entry(&each.owner.credentials)
                    .or_default()
                    .extend(holders.map(|(index, _)| index));
            }
        }
        let base_accounts = inventory.accounts.len();
        let is_any_known = ids.values().any(|ids| !ids.is_empty());
        let mut without_id: BTreeMap<&str, usize> = BTreeMap::new();
        let mut of = BTreeMap::new();
        for owner in declared().map(|each| &each.owner) {
            if of.contains_key(owner) {
                continue;
            }
            let home = match known_id(owner) {
                Some(id) => position_of(inventory, id, owner),
                None => {
                    let credentials = owner.credentials.as_str();
                    let seen = evidence.get(credentials).filter(|seen| !seen.is_empty());
                    let one = match seen {
                        Some(seen) if seen.len() == 1 => seen.first().copied(),
                        Some(_) => None,
                        // The user lays the files on this one account. Credentials of their own, beside others whose
                        // account is known, are rather another's.
                        None => (base_accounts == 1
                            && unknown.len() == 1
                            && (credentials.is_empty() || !is_any_known))
                            .then_some(0),
                    };
                    one.unwrap_or_else(|| {
                        *without_id.entry(credentials).or_insert_with(|| {
                            inventory
                                .accounts
                                .push(account_of(owner, Fact::Unknown(Why::NotRead)));
                            inventory.accounts.len() - 1
                        })
                    })
                }
            };
            of.insert(owner, home);
        }
        Self { of }
    }

    fn of(&self, owner: &Owner) -> Option<usize> {
        self.of.get(owner).copied()
    }
}

fn position_of(inventory: &mut Inventory, id: &AccountId, owner: &Owner) -> usize {
    let known = inventory
        .accounts
        .iter()
        .position(|account| account.id.known() == Some(id));
    known.unwrap_or_else(|| {
        inventory
            .accounts
            .push(account_of(owner, Fact::Known(id.clone())));
        inventory.accounts.len() - 1
    })
}

fn account_of(owner: &Owner, id: Fact<AccountId>) -> Account {
    let mut account = Account::new(id);
    account.listing = Listing::Partial;
    account.partition = owner.partition.clone().unwrap_or_default();
    account
}

/// What each bucket without a name is called: its address, with its file where another file has the same.
struct Labels<'a> {
    of: BTreeMap<usize, BTreeMap<&'a str, Arc<str>>>,
}

impl<'a> Labels<'a> {
    fn choose(base: &Inventory, files: &[File<'a>]) -> Self {
        let mut addresses: BTreeSet<(usize, &'a str)> = BTreeSet::new();
        let mut taken: BTreeSet<String> = base
            .accounts
            .iter()
            .flat_map(|account| &account.buckets)
            .map(|bucket| bucket.label.to_string())
            .collect();
        for (number, declared) in numbered(files) {
            match &declared.bucket {
                BucketKey::Name(name) => {
                    taken.insert(name.clone());
                }
                BucketKey::Address(address) => {
                    addresses.insert((number, address));
                }
                BucketKey::OneOf(_) | BucketKey::Any => {
                    addresses.insert((number, &declared.address));
                }
            }
        }
        let mut of_address: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, address) in &addresses {
            *of_address.entry(address).or_default() += 1;
        }
        let mut of: BTreeMap<usize, BTreeMap<&'a str, Arc<str>>> = BTreeMap::new();
        for (number, address) in addresses {
            let mut label = match of_address.get(address) {
                Some(1) => address.to_owned(),
                _ => format!("{}:{address}", files[number].title),
            };
            while !taken.insert(label.clone()) {
                label.push('\'');
            }
            of.entry(number).or_default().insert(address, Arc::from(label));
        }
        Self { of }
    }

    fn of(&self, file: usize, address: &str) -> Option<&Arc<str>> {
        self.of.get(&file)?.get(address)
    }

    /// None for one of several.
    fn of_key(&self, file: usize, key: &BucketKey) -> Option<Arc<str>> {
        match key {
            BucketKey::Name(name) => Some(Arc::from(name.as_str())),
            BucketKey::Address(address) => self.of(file, address).cloned(),
            BucketKey::OneOf(_) | BucketKey::Any => None,
        }
    }
}

fn numbered<'f, 'a>(files: &'f [File<'a>]) -> impl Iterator<Item = (usize, &'a Declared)> + 'f {
    files
        .iter()
        .enumerate()
        .flat_map(|(number, file)| file.declared.iter().map(move |declared| (number, declared)))
}

/// A resource, and the file that holds it.
#[derive(Clone, Copy)]
struct Statement<'f, 'a> {
    number: usize,
    file: &'f File<'a>,
    declared: &'a Declared,
}

impl Statement<'_, '_> {
    /// A resource of its own that configures a bucket outweighs what the bucket's resource says of the same setting:
    /// that is mostly what was read back of it, and older.
    fn is_strong(&self) -> bool {
        self.declared.fate == Fate::NotSaid
    }

    fn writes(&self, call: Call) -> bool {
        self.declared.configuration.writes(call)
    }

    /// The name that a bucket had before it is made anew under another one.
    fn replaced_name(&self) -> Option<&str> {
        if self.declared.fate != Fate::Replaced {
            return None;
        }
        self.file.deleted.get(self.declared.address.as_str()).copied()
    }
}

/// Everything that is said of one bucket.
struct Topic<'f, 'a> {
    name_known: bool,
    clear: Vec<Statement<'f, 'a>>,
    /// Said of this bucket or of another one.
    unclear: Vec<Statement<'f, 'a>>,
}

fn gather<'f, 'a>(
    inventory: &Inventory,
    files: &'f [File<'a>],
    homes: &Homes<'a>,
    labels: &Labels<'a>,
) -> BTreeMap<(usize, Arc<str>), Topic<'f, 'a>> {
    let mut topics: BTreeMap<(usize, Arc<str>), Topic<'f, 'a>> = BTreeMap::new();
    let mut open = Vec::new();
    for (number, declared) in numbered(files) {
        let statement = Statement {
            number,
            file: &files[number],
            declared,
        };
        let Some(home) = homes.of(&declared.owner) else {
            continue;
        };
        let (label, name_known) = match &declared.bucket {
            BucketKey::Name(name) => (Some(Arc::from(name.as_str())), true),
            BucketKey::Address(address) => (labels.of(number, address).cloned(), false),
            BucketKey::OneOf(_) | BucketKey::Any => {
                open.push((statement, home));
                // Whichever it is, its logs go where this says: an edge that leaves nobody knows which bucket.
                let is_edge = matches!(*declared.configuration.logging, Said::Sets(Fact::Known(_)));
                let label = labels.of(number, &declared.address).filter(|_| is_edge);
                (label.cloned(), false)
            }
        };
        let Some(label) = label else { continue };
        topics
            .entry((home, label))
            .or_insert_with(|| Topic::new(name_known))
            .clear
            .push(statement);
    }
    let mut of_any: BTreeMap<(usize, usize), Vec<Statement<'f, 'a>>> = BTreeMap::new();
    for (statement, home) in open {
        let candidates = match &statement.declared.bucket {
            BucketKey::OneOf(candidates) => candidates.as_slice(),
            BucketKey::Name(_) | BucketKey::Address(_) | BucketKey::Any => &[],
        };
        if candidates.is_empty() {
            // Of many that may write the same settings of every bucket, one of each setting says it all.
            let all = of_any.entry((home, statement.number)).or_default();
            let is_new = |call| {
                statement.writes(call) && !all.iter().any(|other: &Statement<'_, '_>| other.writes(call))
            };
            if Call::ALL.into_iter().any(is_new) {
                all.push(statement);
            }
            continue;
        }
        let candidates: BTreeSet<Arc<str>> = candidates
            .iter()
            .filter_map(|candidate| match candidate {
                BucketKey::Name(name) => Some(Arc::from(name.as_str())),
                BucketKey::Address(address) => labels.of(statement.number, address).cloned(),
                BucketKey::OneOf(_) | BucketKey::Any => None,
            })
            .collect();
        for label in candidates {
            match topics.entry((home, label)) {
                Entry::Occupied(mut topic) => topic.get_mut().unclear.push(statement),
                // No file says anything else of it, and it is there.
                Entry::Vacant(place) if inventory.accounts[home].bucket(&place.key().1).is_some() => {
                    place.insert(Topic::new(true)).unclear.push(statement);
                }
                Entry::Vacant(_) => {}
            }
        }
    }
    for ((home, number), statements) in of_any {
        let is_of_account = |statement: &&Statement<'_, '_>| statement.declared.bucket == BucketKey::Any;
        let anywhere: Vec<Statement<'f, 'a>> = statements.iter().filter(is_of_account).copied().collect();
        for bucket in &inventory.accounts[home].buckets {
            if anywhere.is_empty() {
                break;
            }
            let topic = topics.entry((home, Arc::clone(&bucket.label)));
            topic
                .or_insert_with(|| Topic::new(true))
                .unclear
                .extend(&anywhere);
        }
        for ((at, _), topic) in &mut topics {
            if *at == home && topic.is_bucket_of(number) {
                topic.unclear.extend(&statements);
            }
        }
    }
    topics
}

/// A fact before the deploy.
struct Start<T> {
    fact: Fact<T>,
    /// The bucket was there. Else it is what a new one has, or nothing is known.
    is_there: bool,
}

fn is_absent<T>(there: &Fact<T>) -> bool {
    matches!(there, Fact::Absent)
}

/// Nobody but the owner is named.
fn is_private(there: &Fact<Acl>) -> bool {
    let of_owner = |acl: &Acl, grant: &Grant| match &grant.grantee {
        Grantee::CanonicalUser { id } => acl.owner.as_ref() == Some(id),
        Grantee::Group { .. } | Grantee::Email | Grantee::Other => false,
    };
    there
        .known()
        .is_none_or(|acl| acl.grants.iter().all(|grant| of_owner(acl, grant)))
}

/// A fact after the deploy, and who says it, where the deploy does.
struct Settled<'f, 'a, T> {
    fact: Fact<T>,
    by: Option<Statement<'f, 'a>>,
}

impl<'f, 'a> Topic<'f, 'a> {
    fn new(name_known: bool) -> Self {
        Self {
            name_known,
            clear: Vec::new(),
            unclear: Vec::new(),
        }
    }

    fn has(&self, fate: Fate) -> bool {
        self.clear.iter().any(|statement| statement.declared.fate == fate)
    }

    fn is_bucket_of(&self, number: usize) -> bool {
        self.clear
            .iter()
            .any(|statement| statement.number == number && !statement.is_strong())
    }

    /// Deleted and created by two resources is a replacement too.
    fn is_replaced(&self) -> bool {
        self.has(Fate::Replaced) || (self.has(Fate::Deleted) && self.has(Fate::Created))
    }

    fn is_gone(&self) -> bool {
        self.has(Fate::Deleted) && !self.is_replaced()
    }

    fn losses(&self, label: &Arc<str>) -> Option<(String, Vec<Loss>)> {
        let mut losses = Vec::new();
        for statement in &self.clear {
            let declared = statement.declared;
            let mut lose = |of| {
                losses.push(Loss {
                    of,
                    old_name: statement
                        .replaced_name()
                        .filter(|old| *old != label.as_ref())
                        .map(str::to_owned),
                    address: declared.address.clone(),
                    title: statement.file.title.to_owned(),
                    place: declared.place.clone(),
                });
            };
            match declared.fate {
                Fate::Deleted if self.is_gone() => lose(Lost::Bucket),
                Fate::Deleted | Fate::Replaced => lose(Lost::BucketForAWhile),
                Fate::NotSaid | Fate::Kept | Fate::Created | Fate::Updated | Fate::Forgotten => {}
            }
            if declared.configuration.policy == Said::Removes {
                lose(Lost::Policy);
            }
            if declared.configuration.logging == Said::Removes {
                lose(Lost::Logging);
            }
        }
        (!losses.is_empty()).then(|| (label.to_string(), losses))
    }

    fn settle(&self, label: Arc<str>, base: Option<&Bucket>, labels: &Labels<'_>) -> Bucket {
        let starts_fresh = self.is_replaced() || (self.has(Fate::Created) && base.is_none());
        let complete = self.clear.iter().all(|statement| statement.file.complete);
        let unread = Settings::unknown(&Why::NotRead);
        let fresh = Settings::of_a_fresh_bucket();
        let (start, start_logging, is_there) = match base {
            Some(base) if !starts_fresh => (base.settings(), base.logging.clone(), true),
            _ if starts_fresh && complete => (&fresh, Fact::Absent, false),
            _ => (&unread, Fact::Unknown(Why::NotRead), false),
        };
        let logging = self.settle_logging(
            Start {
                fact: start_logging,
                is_there,
            },
            labels,
        );
        let settings = self.settle_settings(start, is_there);
        let unchanged = base.filter(|base| *base.settings() == settings);
        let region = self.region(base.filter(|_| !starts_fresh));
        Bucket {
            name_known: self.name_known,
            region_of: self.region_of().filter(|_| region.why().is_some()),
            region,
            logging,
            in_scope: base.is_none_or(|base| base.in_scope),
            place: self
                .clear
                .iter()
                .filter(|statement| !statement.is_strong())
                .find_map(|statement| statement.declared.place.clone())
                .or_else(|| base.and_then(|base| base.place.clone())),
            allowances: self.allowances(base),
            never_with: self.never_with(labels),
            hangs_on: self.hangs_on(labels),
            settings: match unchanged {
                Some(base) => base.settings.clone(),
                // Most buckets are no log target, and a large plan creates many.
                None if settings == fresh => BucketSettings::Fresh,
                None if settings == unread => BucketSettings::NotRead,
                None => BucketSettings::Read(Box::new(settings)),
            },
            label,
        }
    }

    /// What stands on the bucket itself, and what the resources that configure it say.
    fn allowances(&self, base: Option<&Bucket>) -> Vec<Allowance> {
        let declared = self
            .clear
            .iter()
            .flat_map(|statement| &statement.declared.allowances);
        let mut all: Vec<Allowance> = base.map(|base| base.allowances.clone()).unwrap_or_default();
        for allowance in declared {
            if !all.contains(allowance) {
                all.push(allowance.clone());
            }
        }
        all
    }

    /// A bucket of a stack is in the stack's region. Who only configures a bucket doesn't say where it is.
    fn region_of(&self) -> Option<Arc<str>> {
        let of = |statement: &Statement<'f, 'a>| {
            let text = statement.declared.region_of.as_ref()?;
            Some(Arc::from(format!("{}/{text}", statement.number)))
        };
        let mut own = self.clear.iter().filter(|statement| !statement.is_strong());
        own.find_map(of)
    }

    fn never_with(&self, labels: &Labels<'_>) -> Vec<Arc<str>> {
        let of = |statement: &'_ Statement<'f, 'a>| {
            let all = &statement.declared.never_with;
            all.iter()
                .filter_map(|key| labels.of_key(statement.number, key))
                .collect::<Vec<_>>()
        };
        self.clear.iter().flat_map(of).collect()
    }

    fn hangs_on(&self, labels: &Labels<'_>) -> Option<Arc<Hanging>> {
        self.clear.iter().find_map(|statement| {
            let hangs_on = statement.declared.hangs_on.as_ref()?;
            let there_with = hangs_on.there_with.iter();
            Some(Arc::new(Hanging {
                condition: hangs_on.condition.clone(),
                there_with: there_with
                    .filter_map(|key| labels.of_key(statement.number, key))
                    .collect(),
            }))
        })
    }

    /// What is there is where it is; else what the bucket's resource says, else who configures it: S3 takes a
    /// configuration only in the bucket's own region.
    fn region(&self, base: Option<&Bucket>) -> Fact<Region> {
        let said = |strong: bool| {
            self.clear
                .iter()
                .filter(move |statement| statement.is_strong() == strong)
                .map(|statement| &statement.declared.region)
                .find(|region| region.known().is_some())
        };
        base.map(|base| &base.region)
            .filter(|region| region.known().is_some())
            .or_else(|| said(false))
            .or_else(|| said(true))
            .or_else(|| base.map(|base| &base.region))
            .or_else(|| self.clear.first().map(|statement| &statement.declared.region))
            .cloned()
            .unwrap_or(Fact::Unknown(Why::NotRead))
    }

    fn settle_logging(&self, start: Start<Logging>, labels: &Labels<'_>) -> Fact<Logging> {
        let settled = self.one(start, |all| &all.logging, Fact::Absent, is_absent, alike_logging);
        let Some(by) = settled.by else {
            return settled.fact;
        };
        settled.fact.map(|mut logging| {
            if let Fact::Known(TargetRef::Address(address)) = &logging.target {
                logging.target = match labels.of(by.number, address) {
                    Some(label) => Fact::Known(TargetRef::Address(label.to_string())),
                    None => Fact::Unknown(Why::AfterApply),
                };
            }
            logging
        })
    }

    fn settle_settings(&self, start: &Settings, is_there: bool) -> Settings {
        let mut places = start.places.clone();
        macro_rules! settled {
            ($field:ident, $call:expr, $removed:expr, $at_rest:expr, $alike:expr) => {{
                let start = Start {
                    fact: start.$field.clone(),
                    is_there,
                };
                let settled = self.one(start, |all| &all.$field, $removed, $at_rest, $alike);
                if let Some(by) = settled.by {
                    match by.declared.configuration.places.get(&$call) {
                        Some(place) => places.insert($call, place.clone()),
                        None => places.remove(&$call),
                    };
                }
                settled.fact
            }};
        }
        Settings {
            policy: settled!(policy, Call::Policy, Fact::Absent, is_absent, alike_policy),
            // A stack that gives up its canned ACL leaves a private one.
            acl: settled!(
                acl,
                Call::Acl,
                Fact::Known(Acl::default()),
                is_private,
                PartialEq::eq
            ),
            object_ownership: settled!(
                object_ownership,
                Call::OwnershipControls,
                Fact::Absent,
                |there: &Fact<ObjectOwnership>| there.known() != Some(&ObjectOwnership::BucketOwnerEnforced),
                PartialEq::eq
            ),
            encryption: settled!(
                encryption,
                Call::Encryption,
                Fact::Absent,
                |there: &Fact<Encryption>| there.known().is_none_or(Encryption::is_sse_s3),
                PartialEq::eq
            ),
            // Object Lock can't be switched off; only its default retention can be taken away.
            object_lock: self.locked(settled!(
                object_lock,
                Call::ObjectLock,
                Fact::Known(ObjectLock {
                    enabled: true,
                    default_retention: None
                }),
                |there: &Fact<ObjectLock>| there.known().is_none_or(|lock| lock.default_retention.is_none()),
                PartialEq::eq
            )),
            payer: settled!(
                payer,
                Call::RequestPayment,
                Fact::Known(Payer::BucketOwner),
                |there: &Fact<Payer>| there.known() != Some(&Payer::Requester),
                PartialEq::eq
            ),
            lifecycle: settled!(
                lifecycle,
                Call::Lifecycle,
                Fact::Absent,
                |there: &Fact<Vec<LifecycleRule>>| there.known().is_none_or(Vec::is_empty),
                PartialEq::eq
            ),
            // A bucket that was versioned once is never unversioned again.
            versioning: settled!(
                versioning,
                Call::Versioning,
                Fact::Known(Versioning::Suspended),
                |there: &Fact<Versioning>| there.known() != Some(&Versioning::Enabled),
                PartialEq::eq
            ),
            public_access_block: settled!(
                public_access_block,
                Call::PublicAccessBlock,
                Fact::Absent,
                |there: &Fact<PublicAccessBlock>| there
                    .known()
                    .is_none_or(|block| *block == PublicAccessBlock::default()),
                PartialEq::eq
            ),
            places,
        }
    }

    /// A bucket that was there without Object Lock, and for which the template switches it on.
    fn locked(&self, settled: Fact<ObjectLock>) -> Fact<ObjectLock> {
        if settled.why().is_some() || settled.known().is_some_and(|lock| lock.enabled) {
            return settled;
        }
        let switched_on =
            self.clear
                .iter()
                .find_map(|statement| match &*statement.declared.configuration.object_lock {
                    Said::LeftOut { on_a_new_bucket } => on_a_new_bucket.clone(),
                    Said::Silent | Said::Unchanged(_) | Said::Sets(_) | Said::Removes => None,
                });
        switched_on.unwrap_or(settled)
    }

    /// One setting. A deploy that writes outweighs what was read; two that write different things at once leave open
    /// which of them comes last. `at_rest` tells of what is there whether AWS falls back to the same.
    fn one<T: Clone>(
        &self,
        start: Start<T>,
        pick: impl Fn(&Configuration) -> &Said<T>,
        removed: Fact<T>,
        at_rest: impl Fn(&Fact<T>) -> bool,
        alike: impl Fn(&T, &T) -> bool,
    ) -> Settled<'f, 'a, T> {
        let said = |statement: &Statement<'f, 'a>| pick(&statement.declared.configuration);
        let written = |statement: &Statement<'f, 'a>| match said(statement) {
            Said::Sets(fact) => Some((fact.clone(), *statement)),
            Said::Removes => Some((removed.clone(), *statement)),
            Said::Silent | Said::Unchanged(_) | Said::LeftOut { .. } => None,
        };
        let writes = |strong: bool| -> Vec<(Fact<T>, Statement<'f, 'a>)> {
            self.clear
                .iter()
                .filter(|statement| statement.is_strong() == strong)
                .filter_map(written)
                .collect()
        };
        let open = || Settled {
            fact: Fact::Unknown(Why::AfterApply),
            by: None,
        };
        let agree = |writes: Vec<(Fact<T>, Statement<'f, 'a>)>| -> Option<Settled<'f, 'a, T>> {
            let mut writes = writes.into_iter();
            let (fact, by) = writes.next()?;
            let same = |other: &Fact<T>| match (&fact, other) {
                (Fact::Known(a), Fact::Known(b)) => alike(a, b),
                (Fact::Absent, Fact::Absent) => true,
                _ => false,
            };
            Some(match writes.all(|(other, _)| same(&other)) {
                true => Settled { fact, by: Some(by) },
                false => open(),
            })
        };
        let unchanged = |strong: bool| {
            self.clear
                .iter()
                .filter(|statement| statement.is_strong() == strong)
                .find_map(|statement| match said(statement) {
                    Said::Unchanged(fact) => Some((fact, *statement)),
                    Said::Silent | Said::Sets(_) | Said::Removes | Said::LeftOut { .. } => None,
                })
        };
        let left_out = || {
            self.clear.iter().find_map(|statement| match said(statement) {
                Said::LeftOut { on_a_new_bucket } => Some((on_a_new_bucket.as_ref(), *statement)),
                Said::Silent | Said::Sets(_) | Said::Removes | Said::Unchanged(_) => None,
            })
        };
        if let Some(settled) = agree(writes(true)) {
            return settled;
        }
        let kept = unchanged(true);
        if kept.is_none() && self.unclear.iter().any(|statement| written(statement).is_some()) {
            return open();
        }
        if let Some(settled) = agree(writes(false)) {
            return settled;
        }
        let Start {
            fact: start,
            is_there,
        } = start;
        if kept.is_none()
            && let Some((on_a_new_bucket, by)) = left_out()
        {
            return match (on_a_new_bucket, is_there) {
                (Some(fact), false) => Settled {
                    fact: fact.clone(),
                    by: Some(by),
                },
                (None, false) => Settled {
                    fact: start,
                    by: None,
                },
                (_, true) => Settled {
                    fact: match start.why().is_some() || at_rest(&start) {
                        true => start,
                        false => Fact::Unknown(Why::LeftOut),
                    },
                    by: None,
                },
            };
        }
        match (kept.or_else(|| unchanged(false)), start.why()) {
            (Some((fact, by)), Some(_)) if fact.why() != Some(&Why::NotRead) => Settled {
                fact: fact.clone(),
                by: Some(by),
            },
            (Some(_) | None, _) => Settled {
                fact: start,
                by: None,
            },
        }
    }
}
