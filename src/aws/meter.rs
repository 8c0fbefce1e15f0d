//! Counts what is sent: every attempt, by operation, and every answer that says "slower".

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

/// The counts of one session.
#[derive(Debug, Default)]
pub struct Meter {
    calls: Mutex<BTreeMap<String, u64>>,
    throttles: AtomicU64,
}

impl Meter {
    /// Every request that was sent, repetitions included.
    pub fn calls(&self) -> u64 {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.values().sum()
    }

    /// How often AWS asked for fewer requests.
    pub fn throttles(&self) -> u64 {
        self.throttles.load(Ordering::Relaxed)
    }

    /// The same by the name of the operation.
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, operation: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        match calls.get_mut(operation) {
            Some(count) => *count += 1,
            None => {
                calls.insert(operation.to_owned(), 1);
            }
        }
    }
}

/// Stands in one client and tells the session's meter. The SDK repeats refused calls by itself; only from in here can
/// its repetitions be seen.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    pub meter: Arc<Meter>,
    /// How often this client, so this region, was throttled.
    pub throttles: Arc<AtomicU64>,
}

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.meter
            .count(config.load::<Metadata>().map_or("(unknown)", Metadata::name));
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if matches!(context.response().status().as_u16(), 429 | 503) {
            self.throttles.fetch_add(1, Ordering::Relaxed);
            self.meter.throttles.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
