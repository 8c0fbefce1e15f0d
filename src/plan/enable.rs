//! From "these buckets are to be logged" to the changes that make it so, or to the reasons why not.
//!
//! Whatever is right already is left alone, so planning again after a part was applied gives the rest. Delivery is
//! allowed before logging is switched on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::delivery::{Delivery, Question, TargetPolicy};
use super::draft::Draft;
use super::grant::{self, Reach, Wanted};
use super::template::fill;
use super::{Namespace, NewBucket, Plan, Refusal, Setting, lifecycle};
use crate::inventory::{Account, Bucket, Call, Existence, Fact, Inventory, KeyFormat, Listing, Logging, Why};
use crate::name::{AccountId, BucketName, Region};

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct Enable {
    pub sources: Sources,
    pub target: TargetChoice,
    /// A target that doesn't exist may be made.
    pub create: bool,
    pub namespace: Namespace,
    /// A template; `{source}/` where none is given and none stands there.
    pub prefix: Option<String>,
    /// Partitioned by event time where none is given and none stands there.
    pub key_format: Option<KeyFormat>,
    /// Days after which delivered logs expire.
    pub expire_after: Option<u32>,
    /// A source that logs elsewhere may be moved.
    pub replace: bool,
    pub reach: Reach,
    /// Existing buckets in which no object was found: with `create`, as good as new ones.
    pub empty: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    Named(Vec<String>),
    /// Every bucket in scope that has no logging and is no log target.
    AllUnlogged,
}

impl Default for Sources {
    fn default() -> Self {
        Sources::Named(Vec::new())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TargetChoice {
    Named(String),
    Template(String),
    /// [`Namespace::default_template`].
    #[default]
    Default,
}

const DEFAULT_PREFIX: &str = "{source}/";

/// S3's limit of a key, in bytes.
const LONGEST_KEY: usize = 1024;

impl Namespace {
    pub fn default_template(self) -> &'static str {
        match self {
            Namespace::Global => "{account}-{region}-s3-access-logs",
            Namespace::AccountRegional => "s3-access-logs-{account}-{region}-an",
        }
    }
}

/// A source, and where its logs are to go.
struct Route {
    source: String,
    target: String,
    region: Region,
    prefix: String,
    key_format: KeyFormat,
    /// Nothing is written where this stands there already.
    document: Value,
    changes_logging: bool,
}

impl Route {
    fn question(&self) -> Question<'_> {
        Question {
            source: &self.source,
            region: &self.region,
            prefix: &self.prefix,
            key_format: self.key_format,
        }
    }

    /// What every delivered key starts with.
    fn key_start(&self, account: &AccountId) -> String {
        let Self {
            source,
            region,
            prefix,
            key_format,
            ..
        } = self;
        match key_format {
            KeyFormat::Simple => prefix.clone(),
            KeyFormat::PartitionedByEventTime | KeyFormat::PartitionedByDeliveryTime => {
                format!("{prefix}{account}/{region}/{source}/")
            }
        }
    }

    fn key_length(&self, account: &AccountId) -> usize {
        let date = match self.key_format.is_partitioned() {
            true => "YYYY/MM/DD/".len(),
            false => 0,
        };
        self.key_start(account).len() + date + "YYYY-MM-DD-hh-mm-ss-0123456789ABCDEF".len()
    }
}

/// The changes, in the order in which they are to be applied; every reason against it, where there is one.
pub fn enable(inventory: &Inventory, goal: &Enable) -> Result<Plan, Vec<Refusal>> {
    let (position, account) = account_of(inventory, goal).map_err(|refusal| vec![refusal])?;
    let mut refusals = Vec::new();
    let mut draft = Draft::new(inventory, position, account);
    let mut remarks = Vec::new();

    let mut routes = Vec::new();
    for source in source_names(draft.account(), &draft.account, goal).map_err(|refusal| vec![refusal])? {
        match route(&draft, goal, &source, &mut remarks) {
            Ok(route) => routes.push(route),
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.extend(cycles(draft.account(), &routes));

    let mut by_target: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in &routes {
        by_target.entry(&route.target).or_default().push(route);
    }
    for (target, routes) in &by_target {
        if let Err(found) = prepare_target(&mut draft, goal, target, routes, &mut remarks) {
            refusals.extend(found);
        }
    }
    for route in in_order(draft.account(), &routes) {
        if let Err(refusal) = draft.put(&route.source, Setting::Logging, Some(route.document.clone())) {
            refusals.push(refusal);
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let partition = draft.account().partition.clone();
    Ok(Plan {
        account: draft.account,
        partition,
        changes: draft.changes,
        remarks,
    })
}

/// The sources whose logging changes, each after those that log to it now: so none is a link of a chain on the way.
fn in_order<'r>(account: &Account, routes: &'r [Route]) -> Vec<&'r Route> {
    let logs_to = |source: &str| account.bucket(source)?.logging.known()?.target.known();
    let changing: BTreeMap<&str, &Route> = routes
        .iter()
        .filter(|route| route.changes_logging)
        .map(|route| (route.source.as_str(), route))
        .collect();
    let mut waiting_for: BTreeMap<&str, usize> = changing.keys().map(|source| (*source, 0)).collect();
    for source in changing.keys() {
        if let Some(count) = logs_to(source).and_then(|target| waiting_for.get_mut(target.text())) {
            *count += 1;
        }
    }
    // The first by name of those that are ready: the rest of a plan that was interrupted has the same order.
    let mut ready: BTreeSet<&str> = waiting_for
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(source, _)| *source)
        .collect();
    let mut ordered = Vec::new();
    while let Some(source) = ready.pop_first() {
        waiting_for.remove(source);
        ordered.extend(changing.get(source));
        if let Some(target) = logs_to(source)
            && let Some((target, count)) = waiting_for
                .get_key_value(target.text())
                .map(|(target, count)| (*target, *count))
        {
            waiting_for.insert(target, count - 1);
            if count == 1 {
                ready.insert(target);
            }
        }
    }
    // What is left logs in a circle: any order is as good.
    ordered.extend(waiting_for.keys().filter_map(|source| changing.get(source)));
    ordered
}

/// The names that targets would have, and where: whoever reads the account reads these too.
pub fn targets(inventory: &Inventory, goal: &Enable) -> BTreeMap<String, Region> {
    let Ok((position, id)) = account_of(inventory, goal) else {
        return BTreeMap::new();
    };
    let account = &inventory.accounts[position];
    let Ok(sources) = source_names(account, &id, goal) else {
        return BTreeMap::new();
    };
    sources
        .iter()
        .filter_map(|source| account.bucket(source)?.region.known())
        .filter_map(|region| Some((target_name(goal, &id, region).ok()?, region.clone())))
        .collect()
}

fn account_of(inventory: &Inventory, goal: &Enable) -> Result<(usize, AccountId), Refusal> {
    let holding: Vec<usize> = match &goal.sources {
        Sources::Named(names) => (0..inventory.accounts.len())
            .filter(|position| {
                let account = &inventory.accounts[*position];
                names.iter().any(|name| account.bucket(name).is_some())
            })
            .collect(),
        Sources::AllUnlogged => (0..inventory.accounts.len()).collect(),
    };
    let position = match (holding.as_slice(), inventory.accounts.len()) {
        ([one], _) => *one,
        ([], 1) => 0,
        ([], _) => {
            return Err(match &goal.sources {
                Sources::Named(names) if !names.is_empty() => Refusal::NoSource {
                    bucket: names[0].clone(),
                },
                Sources::Named(_) | Sources::AllUnlogged => Refusal::NoSources,
            });
        }
        (several, _) => return Err(Refusal::SeveralAccounts { count: several.len() }),
    };
    match &inventory.accounts[position].id {
        Fact::Known(id) => Ok((position, id.clone())),
        Fact::Absent | Fact::Unknown(_) => Err(Refusal::NoAccount),
    }
}

fn source_names(account: &Account, id: &AccountId, goal: &Enable) -> Result<Vec<String>, Refusal> {
    match &goal.sources {
        Sources::Named(names) if names.is_empty() => Err(Refusal::NoSources),
        Sources::Named(names) => {
            let mut seen = BTreeSet::new();
            Ok(names
                .iter()
                .filter(|name| seen.insert(name.as_str()))
                .cloned()
                .collect())
        }
        Sources::AllUnlogged => {
            let logged_to: BTreeSet<&str> = account
                .buckets
                .iter()
                .filter_map(|bucket| Some(bucket.logging.known()?.target.known()?.text()))
                .collect();
            let unlogged = |bucket: &&Bucket| {
                let will_be_target = bucket
                    .region
                    .known()
                    .and_then(|region| target_name(goal, id, region).ok())
                    .is_some_and(|target| target == bucket.label.as_ref());
                bucket.in_scope
                    && bucket.logging.known().is_none()
                    && !logged_to.contains(bucket.label.as_ref())
                    && !will_be_target
            };
            Ok(account
                .buckets
                .iter()
                .filter(unlogged)
                .map(|bucket| bucket.label.to_string())
                .collect())
        }
    }
}

fn target_name(goal: &Enable, account: &AccountId, region: &Region) -> Result<String, Refusal> {
    let template = match &goal.target {
        TargetChoice::Named(name) => return Ok(name.clone()),
        TargetChoice::Template(template) => template.as_str(),
        TargetChoice::Default => goal.namespace.default_template(),
    };
    fill(
        template,
        &[("account", account.as_str()), ("region", region.as_str())],
    )
    .map_err(|placeholder| Refusal::Placeholder {
        what: "name",
        placeholder,
    })
}

fn route(draft: &Draft, goal: &Enable, source: &str, remarks: &mut Vec<String>) -> Result<Route, Refusal> {
    let Some(bucket) = draft.bucket(source) else {
        return Err(Refusal::NoSource {
            bucket: source.to_owned(),
        });
    };
    let unreadable = |what, call, why: &Why| Refusal::Unreadable {
        bucket: source.to_owned(),
        what,
        call,
        why: why.clone(),
    };
    let region = match &bucket.region {
        Fact::Known(region) => region.clone(),
        Fact::Absent => return Err(unreadable("the region", Call::Head, &Why::NotRead)),
        Fact::Unknown(why) => return Err(unreadable("the region", Call::Head, why)),
    };
    let logging = bucket
        .logging
        .answer()
        .map_err(|why| unreadable("the logging configuration", Call::Logging, why))?;
    let target = target_name(goal, &draft.account, &region)?;
    if target == source {
        return Err(Refusal::SelfLogging {
            bucket: source.to_owned(),
        });
    }
    let stands = logging.map(|logging| Standing::new(logging, &target));
    if let Some(Standing {
        target: other,
        is_wanted: false,
        ..
    }) = &stands
        && !goal.replace
    {
        return Err(Refusal::AlreadyLogged {
            source_bucket: source.to_owned(),
            target: other.clone(),
            wanted: target,
        });
    }
    let kept_prefix = stands
        .as_ref()
        .filter(|stands| stands.is_wanted || !stands.prefix.is_empty())
        .map(|stands| stands.prefix.clone());
    let prefix = match (&goal.prefix, kept_prefix) {
        (None, Some(kept)) => kept,
        (template, _) => fill(
            template.as_deref().unwrap_or(DEFAULT_PREFIX),
            &[
                ("source", source),
                ("account", draft.account.as_str()),
                ("region", region.as_str()),
            ],
        )
        .map_err(|placeholder| Refusal::Placeholder {
            what: "prefix",
            placeholder,
        })?,
    };
    let key_format = goal
        .key_format
        .or(stands.as_ref().map(|stands| stands.key_format))
        .unwrap_or(KeyFormat::PartitionedByEventTime);
    let document = logging_document(&target, &prefix, key_format);
    let is_same = stands
        .as_ref()
        .is_some_and(|stands| stands.is_wanted && stands.prefix == prefix && stands.key_format == key_format);
    if let Some(stands) = stands.filter(|stands| !is_same && stands.grants > 0) {
        remarks.push(format!(
            "the {} target grants of `{source}` are not kept: S3 gives the objects to the owner of `{target}`",
            stands.grants
        ));
    }
    let route = Route {
        source: source.to_owned(),
        target,
        region,
        prefix,
        key_format,
        document,
        changes_logging: !is_same,
    };
    match route.key_length(&draft.account) {
        bytes if bytes > LONGEST_KEY => Err(Refusal::LongPrefix {
            source_bucket: source.to_owned(),
            bytes,
        }),
        _ => Ok(route),
    }
}

/// The logging that stands there already.
struct Standing {
    target: String,
    is_wanted: bool,
    prefix: String,
    key_format: KeyFormat,
    grants: usize,
}

impl Standing {
    fn new(logging: &Logging, wanted: &str) -> Self {
        let target = logging.target.known().map_or("", |target| target.text());
        Self {
            target: target.to_owned(),
            is_wanted: target == wanted,
            prefix: logging.prefix.known().cloned().unwrap_or_default(),
            key_format: logging.key_format.known().copied().unwrap_or(KeyFormat::Simple),
            grants: logging.target_grants.len(),
        }
    }
}

/// The logging configuration, in the AWS CLI's form. Target grants are never sent.
pub(super) fn logging_document(target: &str, prefix: &str, key_format: KeyFormat) -> Value {
    let key_format = match key_format {
        KeyFormat::Simple => json!({ "SimplePrefix": {} }),
        KeyFormat::PartitionedByEventTime => {
            json!({ "PartitionedPrefix": { "PartitionDateSource": "EventTime" } })
        }
        KeyFormat::PartitionedByDeliveryTime => {
            json!({ "PartitionedPrefix": { "PartitionDateSource": "DeliveryTime" } })
        }
    };
    json!({ "LoggingEnabled": {
        "TargetBucket": target,
        "TargetPrefix": prefix,
        "TargetObjectKeyFormat": key_format,
    } })
}

/// Every wanted edge is there at once: does one lead back to its source?
fn cycles(account: &Account, routes: &[Route]) -> Vec<Refusal> {
    let wanted: BTreeMap<&str, &str> = routes
        .iter()
        .map(|route| (route.source.as_str(), route.target.as_str()))
        .collect();
    let mut refusals = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for route in routes {
        let mut path = vec![route.source.as_str(), route.target.as_str()];
        let mut seen = BTreeSet::from([route.target.as_str()]);
        let mut at = route.target.as_str();
        loop {
            let next = match wanted.get(at) {
                Some(next) => *next,
                None => match account.bucket(at).map(|bucket| &bucket.logging) {
                    Some(Fact::Known(logging)) => match logging.target.known() {
                        Some(target) => target.text(),
                        None => break,
                    },
                    Some(Fact::Unknown(why)) => {
                        // Its own logs may lead back.
                        if told.insert(at) {
                            refusals.push(Refusal::Unreadable {
                                bucket: at.to_owned(),
                                what: "the logging configuration",
                                call: Call::Logging,
                                why: why.clone(),
                            });
                        }
                        break;
                    }
                    Some(Fact::Absent) | None => break,
                },
            };
            path.push(next);
            if next == route.source {
                if !path.iter().any(|bucket| told.contains(bucket)) {
                    told.extend(&path);
                    refusals.push(Refusal::Cycle {
                        path: path.iter().map(|bucket| (*bucket).to_owned()).collect(),
                    });
                }
                break;
            }
            if !seen.insert(next) {
                break;
            }
            at = next;
        }
    }
    refusals
}

/// Makes the target, or the bucket that is there, one to which S3 delivers these logs.
fn prepare_target(
    draft: &mut Draft,
    goal: &Enable,
    target: &str,
    routes: &[&Route],
    remarks: &mut Vec<String>,
) -> Result<(), Vec<Refusal>> {
    let Some(first) = routes.first() else {
        return Ok(());
    };
    let is_new = draft.bucket(target).is_none();
    if is_new {
        let new = new_bucket(draft.account(), &draft.account, goal, target, &first.region)
            .map_err(|refusal| vec![refusal])?;
        draft.create(new);
    }
    // A bucket that was ever versioned may hold what no list of objects shows.
    let was_versioned = draft
        .bucket(target)
        .is_none_or(|bucket| !matches!(bucket.settings().versioning, Fact::Absent));
    let as_new = is_new || (goal.create && goal.empty.contains(target) && !was_versioned);
    let unfit = unfit(draft, target, routes);
    if !unfit.is_empty() {
        return Err(unfit);
    }
    let one = |refusal| vec![refusal];
    // First of all: nothing is ever delivered that would stay for ever.
    expire(draft, goal, target, routes, as_new, remarks).map_err(one)?;
    if as_new {
        draft
            .put(target, Setting::OwnershipControls, Some(owner_enforced()))
            .map_err(one)?;
        draft
            .put(
                target,
                Setting::PublicAccessBlock,
                Some(all_public_access_blocked()),
            )
            .map_err(one)?;
    }
    grant_delivery(draft, goal, target, routes, as_new, remarks).map_err(one)?;
    let policy = TargetPolicy::of(draft.account(), target);
    let refusals: Vec<Refusal> = routes
        .iter()
        .filter_map(|route| why_not_delivered(&policy, target, route))
        .collect();
    match refusals.is_empty() {
        true => Ok(()),
        false => Err(refusals),
    }
}

fn new_bucket(
    account: &Account,
    id: &AccountId,
    goal: &Enable,
    target: &str,
    region: &Region,
) -> Result<NewBucket, Refusal> {
    let unknown = |why: &Why| Refusal::UnknownTarget {
        target: target.to_owned(),
        why: why.clone(),
    };
    match (account.elsewhere.get(target), &account.listing) {
        (Some(Existence::Missing), _) | (None, Listing::Complete) => {}
        // Without the list of buckets, a bucket that hides may be the account's own.
        (_, Listing::Unknown(why)) | (Some(Existence::Unknown(why)), _) => return Err(unknown(why)),
        (Some(Existence::Exists { .. }), _) => {
            return Err(Refusal::ForeignTarget {
                target: target.to_owned(),
            });
        }
        (None, Listing::Partial) => return Err(unknown(&Why::NotRead)),
    }
    let named = |reason| Refusal::TargetName {
        target: target.to_owned(),
        reason,
    };
    let bucket = BucketName::parse(target).map_err(named)?;
    if !goal.create {
        return Err(Refusal::MissingTarget {
            target: target.to_owned(),
        });
    }
    bucket.check_new().map_err(named)?;
    let suffix = format!("-{id}-{region}-an");
    if goal.namespace == Namespace::AccountRegional && !target.ends_with(&suffix) {
        return Err(Refusal::TargetNamespace {
            target: target.to_owned(),
            example: format!("{target}{suffix}"),
            suffix,
        });
    }
    Ok(NewBucket {
        bucket,
        region: region.clone(),
        namespace: goal.namespace,
        tags: BTreeMap::from([("purpose".to_owned(), "s3-access-logs".to_owned())]),
    })
}

fn owner_enforced() -> Value {
    json!({ "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] } })
}

fn all_public_access_blocked() -> Value {
    json!({ "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": true,
        "IgnorePublicAcls": true,
        "BlockPublicPolicy": true,
        "RestrictPublicBuckets": true,
    } })
}

/// What AWS accepts without a word and never delivers to.
fn unfit(draft: &Draft, target: &str, routes: &[&Route]) -> Vec<Refusal> {
    let Some(bucket) = draft.bucket(target) else {
        return Vec::new();
    };
    let settings = bucket.settings();
    let unreadable = |what, call, why: &Why| Refusal::Unreadable {
        bucket: target.to_owned(),
        what,
        call,
        why: why.clone(),
    };
    let mut refusals = Vec::new();
    match &bucket.region {
        Fact::Known(region) => refusals.extend(routes.iter().filter(|route| route.region != *region).map(
            |route| Refusal::OtherRegion {
                source_bucket: route.source.clone(),
                source_region: route.region.clone(),
                target: target.to_owned(),
                target_region: region.clone(),
            },
        )),
        Fact::Absent => refusals.push(unreadable("the region", Call::Head, &Why::NotRead)),
        Fact::Unknown(why) => refusals.push(unreadable("the region", Call::Head, why)),
    }
    match settings.encryption.answer() {
        Ok(Some(encryption)) if !encryption.is_sse_s3() => refusals.push(Refusal::Encryption {
            target: target.to_owned(),
            algorithm: encryption.algorithm.clone(),
        }),
        Ok(_) => {}
        Err(why) => refusals.push(unreadable("the default encryption", Call::Encryption, why)),
    }
    match settings.object_lock.answer() {
        Ok(Some(lock)) if lock.enabled || lock.default_retention.is_some() => {
            refusals.push(Refusal::ObjectLock {
                target: target.to_owned(),
            });
        }
        Ok(_) => {}
        Err(why) => refusals.push(unreadable("the Object Lock configuration", Call::ObjectLock, why)),
    }
    match settings.payer.answer() {
        Ok(Some(crate::inventory::Payer::Requester)) => refusals.push(Refusal::RequesterPays {
            target: target.to_owned(),
        }),
        Ok(_) => {}
        Err(why) => refusals.push(unreadable("who pays for requests", Call::RequestPayment, why)),
    }
    if let Fact::Unknown(why) = &settings.policy {
        refusals.push(unreadable("the policy", Call::Policy, why));
    }
    refusals
}

fn expire(
    draft: &mut Draft,
    goal: &Enable,
    target: &str,
    routes: &[&Route],
    as_new: bool,
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    let Some(days) = goal.expire_after else {
        return Ok(());
    };
    let mut document = draft.current(target, Setting::Lifecycle)?;
    let Some(bucket) = draft.bucket(target) else {
        return Ok(());
    };
    let rules = bucket.settings().lifecycle.known().cloned().unwrap_or_default();
    let versioning = bucket.settings().versioning.clone();
    let mut key_starts: BTreeSet<String> = routes
        .iter()
        .map(|route| route.key_start(&draft.account))
        .filter(|start| !lifecycle::expires(&rules, start))
        .collect();
    if key_starts.is_empty() {
        return Ok(());
    }
    if as_new {
        // Nothing but logs is in it.
        key_starts = BTreeSet::from([String::new()]);
    } else if key_starts.remove("") {
        remarks.push(format!(
            "logs in `{target}` won't expire: without a prefix of their own, a rule for them would expire everything else too"
        ));
    }
    if lifecycle::rule_count(document.as_ref()) + key_starts.len() > lifecycle::MOST_RULES {
        remarks.push(format!(
            "logs in `{target}` won't expire: it can't hold {} more lifecycle rules",
            key_starts.len()
        ));
        return Ok(());
    }
    if key_starts.is_empty() {
        return Ok(());
    }
    if !as_new {
        remarks.push(format!(
            "the new lifecycle rule{} of `{target}` also expire{} what is there already under the same keys",
            if key_starts.len() == 1 { "" } else { "s" },
            if key_starts.len() == 1 { "s" } else { "" },
        ));
    }
    let is_versioned = match &versioning {
        Fact::Known(_) => true,
        Fact::Absent => false,
        Fact::Unknown(why) => {
            return Err(Refusal::Unreadable {
                bucket: target.to_owned(),
                what: "the versioning",
                call: Call::Versioning,
                why: why.clone(),
            });
        }
    };
    for start in &key_starts {
        let rule = lifecycle::rule(document.as_ref(), start, days, is_versioned);
        document = Some(lifecycle::with_rule(document.as_ref(), rule));
    }
    draft.put(target, Setting::Lifecycle, document)
}

fn grant_delivery(
    draft: &mut Draft,
    goal: &Enable,
    target: &str,
    routes: &[&Route],
    as_new: bool,
    remarks: &mut Vec<String>,
) -> Result<(), Refusal> {
    let before = match draft.current(target, Setting::Policy)? {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let mut missing = Vec::new();
    let policy = TargetPolicy::of(draft.account(), target);
    for route in routes {
        match policy.decide(&route.question()) {
            Delivery::Allowed => {}
            Delivery::Malformed { reason } => {
                return Err(Refusal::MalformedPolicy {
                    bucket: target.to_owned(),
                    reason,
                });
            }
            Delivery::NotGranted | Delivery::Denied { .. } | Delivery::Uncertain { .. } => {
                missing.push((route.source.as_str(), route.prefix.as_str()));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let account = draft.account.clone();
    let partition = draft.account().partition.clone();
    let merged = grant::merge(
        before.as_deref(),
        &Wanted {
            partition: &partition,
            account: &account,
            target,
            sources: missing,
            reach: &goal.reach,
            only_tls: as_new,
        },
    )?;
    if merged.widened_to_account {
        remarks.push(format!(
            "the grant in `{target}` is for every bucket of account {account}: to name each source would exceed \
             S3's {} bytes for a policy",
            crate::policy::MOST_BYTES
        ));
    }
    draft.put(target, Setting::Policy, Some(Value::String(merged.text)))
}

/// What the policy still says against it, with the grant in it.
fn why_not_delivered(policy: &TargetPolicy<'_>, target: &str, route: &Route) -> Option<Refusal> {
    let (source_bucket, target_name) = (route.source.clone(), target.to_owned());
    match policy.decide(&route.question()) {
        Delivery::Allowed => None,
        Delivery::Denied { statement } => Some(Refusal::Denied {
            source_bucket,
            target: target_name,
            statement,
        }),
        Delivery::Uncertain { keys } => Some(Refusal::Uncertain {
            source_bucket,
            target: target_name,
            keys,
        }),
        // A grant that was merged and grants nothing: S3 would read the policy in another way than this program.
        Delivery::NotGranted => Some(Refusal::MalformedPolicy {
            bucket: target_name,
            reason: "a grant in it would have no effect".to_owned(),
        }),
        Delivery::Malformed { reason } => Some(Refusal::MalformedPolicy {
            bucket: target_name,
            reason,
        }),
    }
}
