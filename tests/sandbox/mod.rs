//! A sandbox: S3's control plane and STS in memory, over HTTP on this machine, answering as real AWS does.
//!
//! For tests, benchmarks and newcomers (`cargo run --example sandbox -- --seed FILE`). It is seeded from a snapshot,
//! holds several accounts and regions, counts its calls, can be made to fail in many ways, and dumps its state as a
//! snapshot. Its answers are held against recorded answers of AWS in `tests/sandbox_recorded.rs`.
//!
//! It stands on `hyper` alone. The crate `s3s` would bring routing, types and SigV4, but its current release needs a
//! newer compiler than ours and 127 crates: this builds in seconds without the AWS SDK, and what matters here, the
//! exact refusals of the control plane, `s3s` leaves to its user anyway.
//!
//! What it is not: no signature is verified (the credential scope is read: whose key, which region), bucket policies
//! don't decide who may call, and no access log is ever delivered.
#![allow(
    dead_code,
    reason = "each test that includes the sandbox uses its own part of it"
)]

mod account;
mod acl;
mod answer;
pub mod client;
pub mod documents;
pub mod faults;
pub mod operation;
pub mod permission;
mod policy;
mod read;
mod request;
mod server;
mod setting;
mod sts;
mod tags;
mod world;
mod write;
pub mod xml;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use thiserror::Error;

use faults::{Faults, Kind, Planned, Reach};
use operation::Operation;
use permission::Permissions;
pub use permission::PolicyError;
pub use world::SeedError;
use world::World;

pub const HOST_ID: &str = "sandbox0host0id";

/// Why the sandbox doesn't start.
#[derive(Debug, Error)]
pub enum SandboxError {
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error("the sandbox can't listen on 127.0.0.1:{port}: {source}")]
    Listen { port: u16, source: std::io::Error },
}

/// One call that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub operation: &'static str,
    pub bucket: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub writes: bool,
    /// What was answered; none where the connection was reset.
    pub status: Option<u16>,
    /// The expected owner that the request named.
    pub expected_owner: Option<String>,
}

type Hook = Box<dyn FnOnce(&mut Visitor<'_>) + Send>;

/// Something that happens just before a call is looked at.
struct Before {
    operation: Option<&'static str>,
    bucket: Option<String>,
    writes_only: bool,
    left: u64,
    hook: Option<Hook>,
}

/// What the server and the handle share.
pub(crate) struct State {
    world: World,
    faults: Faults,
    planned: Vec<Planned>,
    before: Vec<Before>,
    permissions: Option<Permissions>,
    calls: Vec<Call>,
    number: u64,
}

/// Somebody else, who changes the account behind the back of the program.
pub struct Visitor<'a> {
    world: &'a mut World,
}

impl Visitor<'_> {
    /// Sets what a bucket answers to a call (`policy`, `logging`, …); `None` is "not configured".
    pub fn set(&mut self, bucket: &str, key: &str, answer: Option<Value>) {
        let setting = world::SETTINGS
            .iter()
            .find(|setting| **setting == key)
            .expect("a key of a snapshot");
        let bucket = self.world.buckets.get_mut(bucket).expect("a bucket that exists");
        bucket.put(setting, answer, 0);
    }

    /// What a bucket answers to a call.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Value> {
        self.world.buckets.get(bucket)?.get(key).cloned()
    }

    pub fn delete_bucket(&mut self, bucket: &str) {
        self.world.buckets.remove(bucket);
    }

    pub fn create_bucket(&mut self, bucket: &str, owner: &str, region: &str) {
        let canonical_id = self.world.canonical_id(owner);
        self.world.buckets.insert(
            bucket.to_owned(),
            world::Bucket::fresh(owner, region, &canonical_id),
        );
    }

    pub fn put_object(&mut self, bucket: &str, key: &str, body: &str, modified: &str) {
        let bucket = self.world.buckets.get_mut(bucket).expect("a bucket that exists");
        let object = world::Object {
            body: body.to_owned().into(),
            modified: modified.to_owned(),
            headers: Vec::new(),
        };
        bucket.objects.insert(key.to_owned(), object);
    }
}

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    server: Option<server::Running>,
}

impl Sandbox {
    /// Starts on a free port. The seed is a snapshot's text; a test's seed is right.
    pub fn start(seed: &str) -> Self {
        Self::start_on(seed, 0, Faults::default()).expect("the seed is a snapshot, and a port is free")
    }

    /// Starts on this port (0: any) of 127.0.0.1.
    pub fn start_on(seed: &str, port: u16, faults: Faults) -> Result<Self, SandboxError> {
        let state = Arc::new(Mutex::new(State {
            world: World::seeded(seed)?,
            faults,
            planned: Vec::new(),
            before: Vec::new(),
            permissions: None,
            calls: Vec::new(),
            number: 0,
        }));
        let (address, server) = server::start(port, Arc::clone(&state))
            .map_err(|source| SandboxError::Listen { port, source })?;
        Ok(Self {
            state,
            address,
            server: Some(server),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The accounts' ids.
    pub fn accounts(&self) -> Vec<String> {
        self.state().world.accounts.keys().cloned().collect()
    }

    /// One more account, with nothing in it.
    pub fn add_account(&self, id: &str) {
        self.state().world.add_empty_account(id);
    }

    /// The environment that points the AWS SDK, and so this program, at the first account and at nothing else.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let account = self.accounts().into_iter().next().expect("a seed has an account");
        self.environment_of(&account)
    }

    /// The same for another account.
    pub fn environment_of(&self, account: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", account::access_key(account)),
            ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// How often each operation was called, faults included.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for call in &self.state().calls {
            *counts.entry(call.operation).or_insert(0) += 1;
        }
        counts
    }

    /// Every call in the order of its coming.
    pub fn log(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub fn total(&self) -> u64 {
        self.state().calls.len() as u64
    }

    /// How many calls would have changed something.
    pub fn writes(&self) -> u64 {
        self.state().calls.iter().filter(|call| call.writes).count() as u64
    }

    /// Starts the counting anew.
    pub fn forget_calls(&self) {
        self.state().calls.clear();
    }

    /// The whole state as a snapshot.
    pub fn dump(&self) -> Value {
        self.state().world.dump()
    }

    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// The `k`-th call from now fails, and the ones after it up to `lasting` in all.
    pub fn fail_call(&self, k: u64, lasting: u64, kind: Kind) {
        self.plan(Reach::Calls, k, lasting, kind);
    }

    /// The same, counting only calls that would change something.
    pub fn fail_write(&self, k: u64, lasting: u64, kind: Kind) {
        self.plan(Reach::Writes, k, lasting, kind);
    }

    /// The network is gone from the `k`-th call or write on: before its effect, or after it.
    pub fn lose(&self, writes: bool, k: u64, after_the_effect: bool) {
        let reach = if writes { Reach::Writes } else { Reach::Calls };
        let first = if after_the_effect {
            Kind::ResetAfter
        } else {
            Kind::ResetBefore
        };
        self.plan(reach, k, 1, first);
        self.spread(reach, k, Kind::ResetBefore);
    }

    /// From the `k`-th call or write on, everything is answered with 503.
    pub fn storm(&self, writes: bool, k: u64) {
        let reach = if writes { Reach::Writes } else { Reach::Calls };
        self.plan(reach, k, 1, Kind::Throttled);
        self.spread(reach, k, Kind::Throttled);
    }

    /// Every call after the one that the reach and the number name fails.
    fn spread(&self, reach: Reach, after: u64, kind: Kind) {
        self.state().planned.push(Planned {
            reach,
            at: after,
            lasting: 0,
            kind,
            spread: true,
        });
    }

    fn plan(&self, reach: Reach, at: u64, lasting: u64, kind: Kind) {
        self.state().planned.push(Planned {
            reach,
            at,
            lasting,
            kind,
            spread: false,
        });
    }

    /// No planned failure and no hook remains.
    pub fn clear_plans(&self) {
        let mut state = self.state();
        state.planned.clear();
        state.before.clear();
    }

    /// Runs something just before the `k`-th call from now is looked at.
    pub fn before_call(&self, k: u64, hook: impl FnOnce(&mut Visitor<'_>) + Send + 'static) {
        self.state().before.push(Before {
            operation: None,
            bucket: None,
            writes_only: false,
            left: k,
            hook: Some(Box::new(hook)),
        });
    }

    /// The same for the `k`-th call that would change something.
    pub fn before_write(&self, k: u64, hook: impl FnOnce(&mut Visitor<'_>) + Send + 'static) {
        self.state().before.push(Before {
            operation: None,
            bucket: None,
            writes_only: true,
            left: k,
            hook: Some(Box::new(hook)),
        });
    }

    /// The same for the `k`-th call of one operation, on one bucket or on any.
    pub fn before_operation(
        &self,
        k: u64,
        operation: &str,
        bucket: Option<&str>,
        hook: impl FnOnce(&mut Visitor<'_>) + Send + 'static,
    ) {
        let operation = operation::named(operation).expect("an operation that the sandbox knows");
        self.state().before.push(Before {
            operation: Some(operation.name),
            bucket: bucket.map(str::to_owned),
            writes_only: false,
            left: k,
            hook: Some(Box::new(hook)),
        });
    }

    /// Changes the account now, behind the back of the program.
    pub fn visit<T>(&self, change: impl FnOnce(&mut Visitor<'_>) -> T) -> T {
        change(&mut Visitor {
            world: &mut self.state().world,
        })
    }

    /// From now on only these IAM actions are allowed; `*` stands for anything.
    pub fn allow_only<S: Into<String>>(&self, actions: impl IntoIterator<Item = S>) {
        let actions = actions.into_iter().map(Into::into).collect();
        self.state().permissions = Some(Permissions::of_actions(actions));
    }

    /// From now on only what this identity policy allows.
    pub fn allow_policy(&self, policy: &str) -> Result<(), PolicyError> {
        let permissions = Permissions::of_policy(policy)?;
        self.state().permissions = Some(permissions);
        Ok(())
    }

    pub fn allow_everything(&self) {
        self.state().permissions = None;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

/// The state, even after a hook panicked with the lock held: the test fails by its own assertion then.
pub(crate) fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl State {
    /// Runs the hooks that are due before this call.
    fn visit(&mut self, operation: &Operation, bucket: Option<&str>) {
        for index in 0..self.before.len() {
            let before = &mut self.before[index];
            let meant = before.operation.is_none_or(|name| name == operation.name)
                && before.bucket.as_deref().is_none_or(|name| bucket == Some(name))
                && (operation.writes() || !before.writes_only);
            if !meant || before.hook.is_none() {
                continue;
            }
            if before.left > 1 {
                before.left -= 1;
                continue;
            }
            if let Some(hook) = before.hook.take() {
                hook(&mut Visitor {
                    world: &mut self.world,
                });
            }
        }
    }
}
