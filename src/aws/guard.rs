//! The guard of the reading commands: no request that could write ever leaves the process.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;

/// Refuses every request of S3 that is not a GET or a HEAD, after it is built and before it is sent.
#[derive(Debug)]
pub struct ReadOnly;

/// What the guard says. Nobody should ever read it: it means that this program has a fault.
#[derive(Debug, thiserror::Error)]
#[error("a command that only reads tried to send a {method} request")]
pub struct WriteRefused {
    method: String,
}

impl Intercept for ReadOnly {
    fn name(&self) -> &'static str {
        "ReadOnly"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match context.request().method() {
            "GET" | "HEAD" => Ok(()),
            method => Err(Box::new(WriteRefused {
                method: method.to_owned(),
            })),
        }
    }
}
