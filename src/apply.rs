//! A plan, carried out: the very changes that were shown, and nothing after the first surprise.
//!
//! Each change reads its precondition again. What equals `after` is done already and left alone, what equals `before`
//! is written and read back, anything else stops the run with what was expected and what was found. So an interrupted
//! run is simply run again.

use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use miette::Diagnostic;
use serde_json::Value;
use thiserror::Error;

use crate::name::{BucketName, Region};
use crate::plan::{Change, NewBucket, Plan, Put, Setting};

/// Where a plan is carried out. Every call asks for the bucket of the plan's account and no other's.
pub trait Cloud {
    fn presence(
        &self,
        bucket: &BucketName,
        region: &Region,
    ) -> impl Future<Output = Result<Presence, CloudError>>;

    fn is_empty(
        &self,
        bucket: &BucketName,
        region: &Region,
    ) -> impl Future<Output = Result<bool, CloudError>>;

    /// The document that stands there now.
    fn read(
        &self,
        bucket: &BucketName,
        region: &Region,
        setting: Setting,
    ) -> impl Future<Output = Result<Option<Value>, CloudError>>;

    fn write(&self, change: &Change) -> impl Future<Output = Result<(), CloudError>>;

    fn pause(&self, time: Duration) -> impl Future<Output = ()>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Missing,
    Ours,
    /// Somebody else's, or in another region.
    Foreign,
}

/// What AWS said instead.
#[derive(Debug, Clone, Error, Diagnostic, PartialEq, Eq)]
pub enum CloudError {
    #[error("{operation} on `{bucket}` was denied")]
    #[diagnostic(help("allow {action}, and run the same command again: it does the rest"))]
    Denied {
        operation: &'static str,
        bucket: String,
        action: String,
    },
    /// A bucket that was made a moment ago is not known everywhere yet.
    #[error("{operation}: there is no bucket `{bucket}`")]
    #[diagnostic(help("look who deleted it, and run the same command again"))]
    NoBucket { operation: &'static str, bucket: String },
    #[error("{operation} on `{bucket}` failed with {code}: {message}")]
    #[diagnostic(help("{}", way_out(code)))]
    Failed {
        operation: &'static str,
        bucket: String,
        code: String,
        message: String,
    },
}

/// What to do about an answer of S3. The same call has the same answer where nothing else changes meanwhile.
fn way_out(code: &str) -> &'static str {
    match code {
        "BucketAlreadyExists" | "InvalidBucketName" => {
            "run it again with another `--target`; what is done already is found"
        }
        "TooManyBuckets" => {
            "raise the quota and run the same command again, or run it with a `--target` that is there"
        }
        "OperationAborted" => "wait a while, and run the same command again: it does the rest",
        "MalformedPolicy"
        | "MalformedXML"
        | "InvalidArgument"
        | "InvalidRequest"
        | "MethodNotAllowed"
        | "InvalidTargetBucketForLogging" => {
            "settle what S3 says, and run the same command again: it does the rest"
        }
        _ => "run the same command again: it does the rest",
    }
}

/// Why a run stopped before its end. What was written stays written, and is in the journal.
#[derive(Debug, Clone, Error, Diagnostic, PartialEq)]
pub enum Stop {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cloud(#[from] CloudError),
    #[error("the {} of `{bucket}` changed since it was planned", setting.title())]
    #[diagnostic(help(
        "nothing was written over it: run the command again, which plans from what is there now"
    ))]
    Moved {
        bucket: String,
        setting: Setting,
        expected: Option<Value>,
        found: Option<Value>,
    },
    #[error("somebody else wrote the {} of `{bucket}` at the same time", setting.title())]
    #[diagnostic(help(
        "look at it, and run the command again: it adds what is missing to what is there now"
    ))]
    Overwritten {
        bucket: String,
        setting: Setting,
        expected: Option<Value>,
        found: Option<Value>,
    },
    #[error("the {} of `{bucket}` was written and still reads as before", setting.title())]
    #[diagnostic(help("S3 may need a moment: run the command again, which finds what is done"))]
    NotVisible { bucket: String, setting: Setting },
    #[error("`{bucket}` belongs to another account, is in another region, or s3:ListBucket on it is denied")]
    #[diagnostic(help("choose another `--target`"))]
    Foreign { bucket: String },
    #[error("`{bucket}` is not there yet, although it was made")]
    #[diagnostic(help("a name that was just deleted is not free for a while: run the command again later"))]
    NotMade { bucket: String },
    #[error("`{bucket}` holds objects, and is left as it is")]
    #[diagnostic(help(
        "a bucket is taken back only while it is empty: delete what is in it yourself, if nobody needs it"
    ))]
    NotEmpty { bucket: String },
    #[error("the plan is for account {planned}, and these credentials are another's")]
    #[diagnostic(help("use the credentials of that account, or plan anew"))]
    OtherAccount { planned: String },
    #[error("interrupted")]
    #[diagnostic(help("run the same command again: it does the rest"))]
    Interrupted,
    #[error("can't note what is done in {path}: {reason}")]
    #[diagnostic(help("nothing is written that can't be taken back: give another `--undo-file`"))]
    Journal { path: String, reason: String },
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Written,
    /// It was so already.
    Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It is about to be written.
    Writing,
    Done(Outcome),
}

/// Who is told of each step, before it is taken; an error stops the run.
pub trait Observer {
    fn note(&self, change: usize, event: Event) -> Result<(), Stop>;

    /// Whether the person asked to stop.
    fn is_interrupted(&self) -> bool;
}

#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many changes run at once where none depends on another.
    pub concurrency: usize,
    /// How often a reading that isn't there yet is repeated.
    pub patience: u32,
    /// The pause before the first repetition; it doubles.
    pub pause: Duration,
    /// How long another writer is waited for, before a policy is believed to stay.
    pub settle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            concurrency: 16,
            patience: 8,
            pause: Duration::from_millis(200),
            settle: Duration::from_millis(1500),
        }
    }
}

#[derive(Debug)]
pub struct Applied {
    /// For each change; none where it wasn't come to.
    pub outcomes: Vec<Option<Outcome>>,
    pub stop: Option<Stop>,
}

impl Applied {
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes
            .iter()
            .filter(|found| **found == Some(outcome))
            .count()
    }
}

/// Carries the plan out.
pub async fn apply(plan: &Plan, cloud: &impl Cloud, observer: &impl Observer, pace: Pace) -> Applied {
    let mut applied = Applied {
        outcomes: vec![None; plan.changes.len()],
        stop: None,
    };
    let work = Work {
        cloud,
        observer,
        pace,
    };
    let mut from = 0;
    while from < plan.changes.len() && applied.stop.is_none() {
        let stage = stage_from(&plan.changes, from);
        work.stage(&plan.changes, stage.clone(), &mut applied).await;
        from = stage.end;
    }
    if applied.stop.is_none() {
        applied.stop = work.check_policies(plan, &applied.outcomes).await.err();
    }
    applied
}

/// The changes from here on that may run at once: the logging of different buckets.
fn stage_from(changes: &[Change], from: usize) -> std::ops::Range<usize> {
    let is_logging = |change: &Change| matches!(change, Change::Put(put) if put.setting == Setting::Logging);
    let mut buckets = std::collections::BTreeSet::new();
    let together = changes[from..]
        .iter()
        .take_while(|change| is_logging(change) && buckets.insert(change.bucket()))
        .count();
    from..from + together.max(1)
}

struct Work<'a, C, O> {
    cloud: &'a C,
    observer: &'a O,
    pace: Pace,
}

impl<C: Cloud, O: Observer> Work<'_, C, O> {
    async fn stage(&self, changes: &[Change], stage: std::ops::Range<usize>, applied: &mut Applied) {
        // What is under way is finished, nothing new is begun.
        let stopped = Cell::new(false);
        let stopped = &stopped;
        let mut running = stream::iter(stage)
            .map(|index| async move {
                if stopped.get() {
                    return None;
                }
                let done = self.carry_out(index, &changes[index]).await;
                stopped.set(stopped.get() || done.is_err());
                Some((index, done))
            })
            .buffer_unordered(self.pace.concurrency.max(1));
        while let Some(done) = running.next().await {
            match done {
                None => {}
                Some((index, Ok(outcome))) => applied.outcomes[index] = Some(outcome),
                Some((_, Err(stop))) => {
                    applied.stop.get_or_insert(stop);
                }
            }
        }
    }

    async fn carry_out(&self, index: usize, change: &Change) -> Result<Outcome, Stop> {
        if self.observer.is_interrupted() {
            return Err(Stop::Interrupted);
        }
        let outcome = match change {
            Change::CreateBucket(new) => self.create(index, change, new).await?,
            Change::DeleteBucket(new) => self.delete(index, change, new).await?,
            Change::Put(put) => self.put(index, change, put).await?,
        };
        self.observer.note(index, Event::Done(outcome))?;
        Ok(outcome)
    }

    /// Looks first: in us-east-1, to create a bucket of one's own again answers 200 and resets its ACL.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    async fn create(&self, index: usize, change: &Change, new: &NewBucket) -> Result<Outcome, Stop> {
        match self.cloud.presence(&new.bucket, &new.region).await? {
            Presence::Ours => return Ok(Outcome::Found),
            Presence::Foreign => {
                return Err(Stop::Foreign {
                    bucket: new.bucket.to_string(),
                });
            }
            Presence::Missing => {}
        }
        self.observer.note(index, Event::Writing)?;
        let written = self.cloud.write(change).await;
        for pause in self.pauses() {
            match self.cloud.presence(&new.bucket, &new.region).await? {
                Presence::Ours => return Ok(Outcome::Written),
                Presence::Foreign => {
                    return Err(Stop::Foreign {
                        bucket: new.bucket.to_string(),
                    });
                }
                Presence::Missing => {
                    // The answer may have been lost on the way back; a refusal is one.
                    written.clone()?;
                    self.cloud.pause(pause).await;
                }
            }
        }
        Err(Stop::NotMade {
            bucket: new.bucket.to_string(),
        })
    }

    async fn delete(&self, index: usize, change: &Change, new: &NewBucket) -> Result<Outcome, Stop> {
        match self.cloud.presence(&new.bucket, &new.region).await? {
            Presence::Missing => return Ok(Outcome::Found),
            Presence::Foreign => {
                return Err(Stop::Foreign {
                    bucket: new.bucket.to_string(),
                });
            }
            Presence::Ours => {}
        }
        if !self.cloud.is_empty(&new.bucket, &new.region).await? {
            return Err(Stop::NotEmpty {
                bucket: new.bucket.to_string(),
            });
        }
        self.observer.note(index, Event::Writing)?;
        let written = self.cloud.write(change).await;
        match (self.cloud.presence(&new.bucket, &new.region).await?, written) {
            (Presence::Missing, _) | (_, Ok(())) => Ok(Outcome::Written),
            (Presence::Ours | Presence::Foreign, Err(error)) => Err(error.into()),
        }
    }

    async fn put(&self, index: usize, change: &Change, put: &Put) -> Result<Outcome, Stop> {
        let (before, after) = (put.before.as_ref(), put.after.as_ref());
        let is = |document: Option<&Value>, found: &Option<Value>| put.setting.same(document, found.as_ref());
        let found = self.read_patiently(put).await?;
        if is(after, &found) {
            return Ok(Outcome::Found);
        }
        if !is(before, &found) {
            return Err(Stop::Moved {
                bucket: put.bucket.to_string(),
                setting: put.setting,
                expected: put.before.clone(),
                found,
            });
        }
        self.observer.note(index, Event::Writing)?;
        let written = self.cloud.write(change).await;
        for pause in self.pauses() {
            let found = self.cloud.read(&put.bucket, &put.region, put.setting).await?;
            if is(after, &found) {
                return Ok(Outcome::Written);
            }
            if !is(before, &found) {
                return Err(Stop::Overwritten {
                    bucket: put.bucket.to_string(),
                    setting: put.setting,
                    expected: put.after.clone(),
                    found,
                });
            }
            written.clone()?;
            self.cloud.pause(pause).await;
        }
        Err(Stop::NotVisible {
            bucket: put.bucket.to_string(),
            setting: put.setting,
        })
    }

    /// A bucket that was made a moment ago may not be there for every reader.
    async fn read_patiently(&self, put: &Put) -> Result<Option<Value>, CloudError> {
        let mut last = None;
        for pause in self.pauses() {
            match self.cloud.read(&put.bucket, &put.region, put.setting).await {
                Err(error @ CloudError::NoBucket { .. }) => last = Some(error),
                answer => return answer,
            }
            self.cloud.pause(pause).await;
        }
        match last {
            Some(error) => Err(error),
            None => self.cloud.read(&put.bucket, &put.region, put.setting).await,
        }
    }

    /// S3 has no conditional put for policies: who wrote at the same moment is seen only afterwards.
    async fn check_policies(&self, plan: &Plan, outcomes: &[Option<Outcome>]) -> Result<(), Stop> {
        let written: Vec<&Put> = plan
            .changes
            .iter()
            .zip(outcomes)
            .filter(|(_, outcome)| **outcome == Some(Outcome::Written))
            .filter_map(|(change, _)| match change {
                Change::Put(put) if put.setting == Setting::Policy => Some(put),
                _ => None,
            })
            .collect();
        if written.is_empty() {
            return Ok(());
        }
        self.cloud.pause(self.pace.settle).await;
        for put in written {
            let gone = plan
                .changes
                .iter()
                .any(|change| matches!(change, Change::DeleteBucket(new) if new.bucket == put.bucket));
            if gone {
                continue;
            }
            let found = self.cloud.read(&put.bucket, &put.region, put.setting).await?;
            if !put.setting.same(put.after.as_ref(), found.as_ref()) {
                return Err(Stop::Overwritten {
                    bucket: put.bucket.to_string(),
                    setting: put.setting,
                    expected: put.after.clone(),
                    found,
                });
            }
        }
        Ok(())
    }

    fn pauses(&self) -> impl Iterator<Item = Duration> + use<C, O> {
        let first = self.pace.pause;
        (0..self.pace.patience.max(1)).map(move |n| first * 2u32.saturating_pow(n.min(6)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_fail_again_is_not_said_to_be_run_again_as_it_is() {
        let help = |code: &str| {
            let error = CloudError::Failed {
                operation: "CreateBucket",
                bucket: "logs".to_owned(),
                code: code.to_owned(),
                message: String::new(),
            };
            error.help().map(|help| help.to_string()).unwrap_or_default()
        };
        assert!(help("BucketAlreadyExists").contains("another `--target`"));
        assert!(!help("BucketAlreadyExists").contains("the same command"));
        assert!(help("SlowDown").contains("the same command"));
    }
}
