//! What can be made to go wrong, and how it is decided for one call.

use std::time::Duration;

/// How the sandbox misbehaves all the time. Shares are fractions of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Waited before every answer.
    pub latency: Duration,
    /// Answered with 503 SlowDown.
    pub throttle: f64,
    /// The connection is reset before anything happened.
    pub reset: f64,
    /// The connection is reset after the effect, before the answer.
    pub reset_after: f64,
    /// NoSuchBucket of a bucket that exists, as AWS gives under load. Asked again, it is there.
    pub spurious_no_such_bucket: f64,
    /// AccessDenied; the same call on the same bucket is always refused, or never.
    pub denied: f64,
    /// Answers by the name of the operation and, where given, of the bucket.
    pub fail: Vec<Fail>,
    /// How many reads after a write still see what was there before.
    pub stale_reads: u32,
    /// A request for a bucket of another region: 400 AuthorizationHeaderMalformed instead of 301.
    pub malformed_scope: bool,
    /// Another sequence of the same shares.
    pub seed: u64,
}

/// One operation that always fails: `GetBucketPolicy:app-data=AccessDenied`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail {
    pub operation: String,
    pub bucket: Option<String>,
    pub code: String,
}

impl std::str::FromStr for Fail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` isn't CALL=CODE or CALL:BUCKET=CODE");
        let (call, code) = text.split_once('=').ok_or_else(wrong)?;
        let (operation, bucket) = match call.split_once(':') {
            None => (call, None),
            Some((operation, bucket)) => (operation, Some(bucket.to_owned())),
        };
        if super::operation::named(operation).is_none() {
            return Err(format!("the sandbox knows no call `{operation}`"));
        }
        if code.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            operation: operation.to_owned(),
            bucket,
            code: code.to_owned(),
        })
    }
}

/// How one call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 403 AccessDenied.
    Refused,
    /// The connection is reset, and nothing happened.
    ResetBefore,
    /// It happened, and the connection is reset before the answer.
    ResetAfter,
    /// 503 SlowDown.
    Throttled,
}

/// Which calls a planned failure hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every call.
    Calls,
    /// The calls that would change something.
    Writes,
}

/// A failure that waits for its call: the `at`-th from when it was planned, and the `lasting - 1` after it.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    pub reach: Reach,
    pub at: u64,
    pub lasting: u64,
    pub kind: Kind,
    /// After its call has come, every call fails, whatever it is.
    pub spread: bool,
}

impl Planned {
    /// Counts one call; whether the failure is due.
    pub fn due(&mut self, writes: bool) -> bool {
        if self.spread && self.at == 0 {
            return true;
        }
        if self.reach == Reach::Writes && !writes {
            return false;
        }
        if self.spread || self.at > 1 {
            self.at = self.at.saturating_sub(1);
            return false;
        }
        if self.lasting == 0 {
            return false;
        }
        self.lasting -= 1;
        true
    }
}

/// What becomes of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fate {
    /// Answered with this error code instead.
    pub code: Option<String>,
    pub reset_before: bool,
    pub reset_after: bool,
}

impl Faults {
    /// The fate of the `number`-th call.
    pub fn fate(&self, number: u64, operation: &str, bucket: Option<&str>) -> Fate {
        let mut fate = Fate::default();
        let failing = self.fail.iter().find(|fail| {
            fail.operation == operation && fail.bucket.as_deref().is_none_or(|name| bucket == Some(name))
        });
        if let Some(fail) = failing {
            fate.code = Some(fail.code.clone());
            return fate;
        }
        // Nobody needs a permission to ask who he is.
        let deniable = self.denied > 0.0 && operation != "GetCallerIdentity";
        if deniable && share(self.named(operation, bucket)) < self.denied {
            fate.code = Some("AccessDenied".to_owned());
            return fate;
        }
        let drawn = |salt: u64| share(mixed(self.seed ^ mixed(number ^ (salt << 48))));
        fate.reset_before = drawn(1) < self.reset;
        fate.reset_after = drawn(2) < self.reset_after;
        if drawn(3) < self.throttle {
            fate.code = Some("SlowDown".to_owned());
        } else if bucket.is_some() && drawn(4) < self.spurious_no_such_bucket {
            fate.code = Some("NoSuchBucket".to_owned());
        }
        fate
    }

    fn named(&self, operation: &str, bucket: Option<&str>) -> u64 {
        let text = operation.bytes().chain([0]).chain(bucket.unwrap_or("").bytes());
        text.fold(mixed(self.seed), |hash, byte| mixed(hash ^ u64::from(byte)))
    }
}

fn share(bits: u64) -> f64 {
    // The upper 32 bits, exactly.
    f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

/// SplitMix64, for numbers that look random and are the same in every run.
pub fn mixed(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
