//! API → snapshot, in two stages that overlap: little is asked of every bucket, much of the few that are log targets.
//!
//! Nothing is judged here. Every refusal becomes a value; only what concerns every call alike ends the run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use super::ask::ask;
use super::lanes::{Landing, Lanes};
use super::listing::{ListingError, list};
use super::{Error, Identity, Kind, Refusal, Session};
use crate::collect::snapshot::{AccountAnswers, BucketAnswers, Snapshot};
use crate::inventory::Call;
use crate::name::{BucketName, Region};

/// How often a call is queued again after the SDK gave it up for throttling.
const THROTTLE_TRIES: u32 = 5;

/// What a run wants to know.
pub struct Request<'a> {
    /// Whether the run is about this bucket, in this region if it is known.
    pub selects: &'a (dyn Fn(&str, Option<&Region>) -> bool + Sync),
    /// The buckets, where the user named each: then the run can do without the list of buckets.
    pub names: Option<Vec<String>>,
    /// How many calls are on the way at once, at most.
    pub concurrency: usize,
    /// Ask for the tags of the buckets that the run is about.
    pub tags: bool,
    /// How many buckets a page of the list has.
    pub page_size: i32,
    /// What a change will make of the account.
    pub outlook: Outlook,
}

/// What no edge of today leads to, and a change will need.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    /// The log targets that it names.
    pub targets: BTreeSet<String>,
    /// The buckets that it may create, with their region where it is known. Others may log to such a name already.
    pub created: BTreeMap<String, Option<Region>>,
    /// The run is about those too that log to a bucket that it is about.
    pub sources: bool,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    pub buckets: usize,
    pub buckets_done: usize,
    pub targets: usize,
    pub calls: u64,
    pub throttles: u64,
}

/// What a run brought home.
#[derive(Debug)]
pub struct Fetched {
    pub snapshot: Snapshot,
    /// Why the account's id is unknown, if it is.
    pub no_identity: Option<Refusal>,
}

/// Asks all that the rules may need, and nothing else.
pub async fn fetch(
    session: &Session,
    request: &Request<'_>,
    watch: &mut dyn FnMut(&Status),
) -> Result<Fetched, Error> {
    let (identity, listing) = tokio::join!(session.identity(), list(session, request.page_size));
    let mut run = Run::new(session, request, identity.as_ref().ok());
    match (listing, &request.names) {
        (Ok(listed), _) => {
            for bucket in listed {
                run.take_in(bucket.name, bucket.region);
            }
        }
        (Err(ListingError::Denied(refusal)), Some(names)) => {
            run.listing = Some(refusal.answer());
            for name in names {
                run.take_in(name.clone(), None);
            }
        }
        (Err(ListingError::Denied(refusal)), None) => {
            return Err(Error::of(refusal, session.endpoint_text()));
        }
        (Err(ListingError::Fatal(error)), _) => return Err(error),
    }
    run.finish(watch).await?;
    let partition = match &identity {
        Ok(identity) => identity.partition.clone(),
        Err(_) => session.home().partition(),
    };
    let account = AccountAnswers {
        id: identity
            .as_ref()
            .ok()
            .map(|identity| identity.account.to_string()),
        partition: partition.to_string(),
        list_buckets: run.listing,
        buckets: run.buckets,
        elsewhere: run.elsewhere,
    };
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Ok(Fetched {
        snapshot: Snapshot::recorded(now, session.meter().calls(), vec![account]),
        no_identity: identity.err(),
    })
}

/// One call that is to be made.
#[derive(Debug, Clone)]
struct Question {
    bucket: Arc<str>,
    call: Call,
    /// About a bucket that the account doesn't list.
    elsewhere: bool,
    throttled: u32,
    rechecked: u32,
    /// Each of these is done once.
    redirected: bool,
    repeated: bool,
}

struct Run<'r> {
    session: &'r Session,
    request: &'r Request<'r>,
    owner: Option<String>,
    /// Why the list of buckets is missing.
    listing: Option<Value>,
    buckets: BTreeMap<String, BucketAnswers>,
    elsewhere: BTreeMap<String, BucketAnswers>,
    lanes: Lanes<Question>,
    on_the_way: JoinSet<(Region, Question, Result<Value, Refusal>)>,
    throttles_seen: BTreeMap<Region, u64>,
    /// Buckets whose region is still being asked for.
    unplaced: usize,
    logging_asked: BTreeSet<Arc<str>>,
    logging_done: usize,
    targets: BTreeSet<Arc<str>>,
    strangers: BTreeSet<Arc<str>>,
}

impl<'r> Run<'r> {
    fn new(session: &'r Session, request: &'r Request<'r>, identity: Option<&Identity>) -> Self {
        Self {
            session,
            request,
            owner: identity.map(|identity| identity.account.to_string()),
            listing: None,
            buckets: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            lanes: Lanes::new(request.concurrency),
            on_the_way: JoinSet::new(),
            throttles_seen: BTreeMap::new(),
            unplaced: 0,
            logging_asked: BTreeSet::new(),
            logging_done: 0,
            targets: BTreeSet::new(),
            strangers: BTreeSet::new(),
        }
    }

    /// A bucket of the account.
    fn take_in(&mut self, name: String, region: Option<Region>) {
        if region.is_none() {
            self.unplaced += 1;
            self.put(&name, Call::Head, false);
        }
        let answers = BucketAnswers {
            region: region.map(|region| region.to_string()),
            ..BucketAnswers::default()
        };
        self.buckets.insert(name, answers);
    }

    async fn finish(&mut self, watch: &mut dyn FnMut(&Status)) -> Result<(), Error> {
        if self.unplaced == 0 {
            self.ask_logging();
        }
        loop {
            for (region, question) in self.lanes.take_lost() {
                let message = format!("{region} doesn't answer, so this was not asked");
                self.settle(&question, Err(Refusal::unasked("RegionUnreachable", message)));
            }
            let now = Instant::now();
            while let Some((region, question)) = self.lanes.next(now) {
                self.send(region, question);
            }
            watch(&self.status());
            match self.on_the_way.join_next().await {
                Some(Ok((region, question, answer))) => self.land(&region, question, answer)?,
                // A task is neither cancelled nor does it panic; if one does, what it asked stays unasked.
                Some(Err(_)) => {}
                None => match self.lanes.resumes_at() {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => break,
                },
            }
        }
        for (name, answers) in &mut self.buckets {
            let region = answers
                .region
                .as_deref()
                .and_then(|text| Region::parse(text).ok());
            answers.out_of_scope = !(self.request.selects)(name, region.as_ref());
        }
        Ok(())
    }

    fn status(&self) -> Status {
        Status {
            buckets: self.logging_asked.len(),
            buckets_done: self.logging_done,
            targets: self.targets.len(),
            calls: self.session.meter().calls(),
            throttles: self.session.meter().throttles(),
        }
    }

    /// Where the bucket is; where nobody knows, home is as good as any.
    fn region_of(&self, bucket: &str) -> Region {
        self.known_region(bucket)
            .unwrap_or_else(|| self.session.home().clone())
    }

    fn known_region(&self, bucket: &str) -> Option<Region> {
        let text = self.buckets.get(bucket)?.region.as_deref()?;
        Region::parse(text).ok()
    }

    fn in_scope(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
            && (self.request.selects)(bucket, self.known_region(bucket).as_ref())
    }

    /// Once every bucket has its region: the logging of all that the run is about, and of their neighbours.
    ///
    /// A bucket logs within its region. Whether a bucket is a log target, and who shares its prefixes, only the whole
    /// region can tell.
    fn ask_logging(&mut self) {
        let mut scope: BTreeSet<Region> = self
            .buckets
            .keys()
            .filter(|name| self.in_scope(name))
            .map(|name| self.region_of(name))
            .collect();
        let created = &self.request.outlook.created;
        let to_be = || {
            created
                .iter()
                .filter(|(name, _)| !self.buckets.contains_key(*name))
        };
        scope.extend(to_be().filter_map(|(_, region)| region.clone()));
        // A bucket that will be anywhere may be named by a bucket that is anywhere.
        let everywhere = to_be().any(|(_, region)| region.is_none());
        let names: Vec<String> = self
            .buckets
            .keys()
            .filter(|name| everywhere || scope.contains(&self.region_of(name)))
            .cloned()
            .collect();
        for name in names {
            self.ask_logging_of(&name);
        }
        self.ask_outlook();
    }

    /// The targets to be. Where the list was refused, what may be created may be there already.
    fn ask_outlook(&mut self) {
        let outlook = &self.request.outlook;
        for target in &outlook.targets {
            if self.buckets.contains_key(target) {
                self.ask_logging_of(target);
                self.ask_settings_of(target);
            } else if !outlook.created.contains_key(target) {
                self.ask_stranger(target, self.session.home());
            }
        }
        if self.listing.is_some() {
            for (name, region) in &outlook.created {
                self.ask_stranger(name, region.as_ref().unwrap_or(self.session.home()));
            }
        }
    }

    fn ask_stranger(&mut self, bucket: &str, region: &Region) {
        if self.strangers.insert(bucket.into()) {
            self.put_in(region, bucket, Call::Head, true);
        }
    }

    fn ask_logging_of(&mut self, bucket: &str) {
        if self.logging_asked.insert(bucket.into()) {
            self.put(bucket, Call::Logging, false);
            if self.request.tags && self.in_scope(bucket) {
                self.put(bucket, Call::Tagging, false);
            }
        }
    }

    fn put(&mut self, bucket: &str, call: Call, elsewhere: bool) {
        let region = self.region_of(bucket);
        self.put_in(&region, bucket, call, elsewhere);
    }

    fn put_in(&mut self, region: &Region, bucket: &str, call: Call, elsewhere: bool) {
        let question = Question {
            bucket: bucket.into(),
            call,
            elsewhere,
            throttled: 0,
            rechecked: 0,
            redirected: false,
            repeated: false,
        };
        self.lanes.push(region, question);
    }

    fn send(&mut self, region: Region, question: Question) {
        let client = self.session.client(&region);
        // Of a bucket of the list nothing is proven by it, and a stranger's bucket would hide behind the refusal.
        let listed = self.listing.is_none();
        let owner = match question.call {
            Call::Head | Call::Location if listed => None,
            Call::Logging if listed => None,
            _ => self.owner.clone(),
        };
        self.on_the_way.spawn(async move {
            let answer = ask(&client, &question.bucket, question.call, owner.as_deref()).await;
            (region, question, answer)
        });
    }

    /// A call came back: it is settled, or asked again.
    fn land(
        &mut self,
        region: &Region,
        mut question: Question,
        answer: Result<Value, Refusal>,
    ) -> Result<(), Error> {
        let kind = answer.as_ref().err().map(|refusal| refusal.kind);
        self.lanes.land(
            region,
            match kind {
                Some(kind) if kind.is_silence() => Landing::Silent,
                Some(Kind::Throttled) => Landing::Throttled,
                _ => Landing::Answered,
            },
        );
        let throttles = self.session.throttles(region);
        let seen = self.throttles_seen.entry(region.clone()).or_default();
        if throttles > *seen {
            *seen = throttles;
            self.lanes.throttle(region);
        }
        let Err(refusal) = &answer else {
            self.settle(&question, answer);
            return Ok(());
        };
        // A key that could list the buckets is good: whoever refuses it now means this one request.
        if refusal.kind.is_fatal() && refusal.kind != Kind::InvalidKey {
            return Err(Error::of(refusal.clone(), self.session.endpoint_text()));
        }
        let gone =
            refusal.code == "NoSuchBucket" || (question.call == Call::Head && refusal.status == Some(404));
        match &refusal.region {
            Some(told) if refusal.kind == Kind::Elsewhere && told != region && !question.redirected => {
                question.redirected = true;
                if let Some(answers) = self.buckets.get_mut(question.bucket.as_ref()) {
                    answers.region = Some(told.to_string());
                }
                self.lanes.push(told, question);
            }
            _ if refusal.kind == Kind::Throttled && question.throttled < THROTTLE_TRIES => {
                let pause = Duration::from_millis(500 << question.throttled);
                self.lanes.rest(region, Instant::now(), pause);
                question.throttled += 1;
                self.lanes.push(region, question);
            }
            _ if refusal.kind.is_silence() && !question.repeated => {
                question.repeated = true;
                self.lanes.push(region, question);
            }
            // S3 has been seen to deny buckets that exist when it is asked much at once. One that it has just listed
            // deserves more doubt than one that it has not.
            _ if gone && question.rechecked < if question.elsewhere { 1 } else { 2 } => {
                question.rechecked += 1;
                self.lanes.push(region, question);
            }
            _ => self.settle(&question, answer),
        }
        Ok(())
    }

    /// The last word on a question.
    fn settle(&mut self, question: &Question, answer: Result<Value, Refusal>) {
        let bucket = question.bucket.as_ref();
        match question.call {
            Call::Head if question.elsewhere => self.settle_stranger(bucket, answer),
            Call::Head | Call::Location => self.settle_region(bucket, question.call, answer),
            call => {
                let target = answer
                    .as_ref()
                    .ok()
                    .filter(|_| call == Call::Logging)
                    .and_then(|answer| answer.pointer("/LoggingEnabled/TargetBucket"))
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                self.logging_done += usize::from(call == Call::Logging);
                if let Some(answers) = self.buckets.get_mut(bucket) {
                    answers.record(call, answer.unwrap_or_else(|refusal| refusal.answer()));
                }
                if let Some(target) = target {
                    self.follow(bucket, &target);
                }
            }
        }
    }

    /// An edge was found: to a bucket of the account, or out of it.
    fn follow(&mut self, source: &str, target: &str) {
        if BucketName::parse(target).is_err() {
            return;
        }
        let source_in_scope = self.in_scope(source);
        if self.buckets.contains_key(target) {
            // The next edge of a chain, or of a cycle that leaves the scope and comes back.
            self.ask_logging_of(target);
            let target_in_scope = self.in_scope(target);
            if source_in_scope || target_in_scope {
                self.ask_settings_of(target);
            }
            if self.request.tags && self.request.outlook.sources && target_in_scope && !source_in_scope {
                self.put(source, Call::Tagging, false);
            }
        } else if source_in_scope || self.request.outlook.created.contains_key(target) {
            // A target has to be in its source's region, so that is where to ask first.
            self.ask_stranger(target, &self.region_of(source));
        }
    }

    fn ask_settings_of(&mut self, target: &str) {
        if self.targets.insert(target.into()) {
            for call in Call::OF_TARGETS {
                self.put(target, call, false);
            }
        }
    }

    /// A target that the list of buckets lacks. Where there is no list, it may be the account's own all the same: S3
    /// answered a request that named the account as the owner.
    fn settle_stranger(&mut self, bucket: &str, answer: Result<Value, Refusal>) {
        let own = self.listing.is_some() && self.owner.is_some();
        match answer {
            Ok(answer) if own => {
                let region = answer.get("BucketRegion").and_then(Value::as_str);
                let answers = BucketAnswers {
                    region: region.map(str::to_owned),
                    ..BucketAnswers::default()
                };
                self.buckets.insert(bucket.to_owned(), answers);
                self.ask_logging_of(bucket);
                self.ask_settings_of(bucket);
            }
            answer => {
                let answer = answer.unwrap_or_else(|refusal| refusal.answer());
                self.elsewhere
                    .entry(bucket.to_owned())
                    .or_default()
                    .record(Call::Head, answer);
            }
        }
    }

    /// Where a bucket of the account is. HeadBucket tells it even to who may not read the bucket.
    fn settle_region(&mut self, bucket: &str, call: Call, answer: Result<Value, Refusal>) {
        let region = match &answer {
            Ok(answer) if call == Call::Location => {
                let constraint = answer.get("LocationConstraint").and_then(Value::as_str);
                Region::from_location_constraint(constraint).ok()
            }
            Ok(answer) => answer
                .get("BucketRegion")
                .and_then(Value::as_str)
                .and_then(|text| Region::parse(text).ok()),
            Err(refusal) => refusal.region.clone(),
        };
        let Some(answers) = self.buckets.get_mut(bucket) else {
            return;
        };
        match region {
            Some(region) => answers.region = Some(region.to_string()),
            None if call == Call::Head => {
                self.put(bucket, Call::Location, false);
                return;
            }
            None => answers.record(call, answer.unwrap_or_else(|refusal| refusal.answer())),
        }
        self.unplaced -= 1;
        if self.unplaced == 0 {
            self.ask_logging();
        }
    }
}
