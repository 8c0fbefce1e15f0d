//! Looks whether log objects really arrive: lists what lies under an edge's keys, newest first.
//!
//! What it can't do: prove that nothing arrives. A bucket that nobody uses has no logs, and delivery takes its time.

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::{Refusal, Session};
use crate::name::Region;

/// Pages that are read of one window at most: enough to see that logs arrive, not to count them all.
const PAGES: usize = 3;

/// The keys of one edge, and where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub target: String,
    pub region: Region,
    pub prefix: String,
    /// The folders that the partitioned format puts behind the prefix, without the date.
    pub partition: Option<String>,
}

/// What lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrivals {
    Some {
        newest: Timestamp,
        /// Log objects that were listed; there may be more.
        objects: usize,
    },
    /// None in all the time that was looked at.
    None,
    Refused(Refusal),
}

/// Looks at each place, so many days back. The answers are in the order of the places.
pub async fn look(
    session: &Session,
    owner: Option<&str>,
    places: &[Place],
    now: Timestamp,
    days: u16,
    concurrency: usize,
) -> Vec<Arrivals> {
    stream::iter(places)
        .map(|place| look_at(session, owner, place, now, days))
        .buffered(concurrency.max(1))
        .collect()
        .await
}

async fn look_at(
    session: &Session,
    owner: Option<&str>,
    place: &Place,
    now: Timestamp,
    days: u16,
) -> Arrivals {
    let client = session.client(&place.region);
    for window in windows(place, now, days) {
        let mut found: Option<(Timestamp, usize)> = None;
        let mut token = None;
        for _ in 0..PAGES {
            let answer = client
                .list_objects_v2()
                .bucket(&place.target)
                .prefix(&window.prefix)
                .set_start_after(window.after.clone().filter(|_| token.is_none()))
                .set_continuation_token(token)
                .set_expected_bucket_owner(owner.map(str::to_owned))
                .send()
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => return Arrivals::Refused(Refusal::of(&error)),
            };
            for object in answer.contents() {
                let (Some(key), Some(modified)) = (object.key(), object.last_modified()) else {
                    continue;
                };
                let is_log = key.strip_prefix(&window.prefix).is_some_and(is_log_name);
                let Ok(modified) = Timestamp::new(modified.secs(), 0) else {
                    continue;
                };
                if is_log {
                    let (newest, objects) = found.unwrap_or((modified, 0));
                    found = Some((newest.max(modified), objects + 1));
                }
            }
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        if let Some((newest, objects)) = found {
            return Arrivals::Some { newest, objects };
        }
    }
    Arrivals::None
}

/// One listing.
#[derive(Debug, PartialEq, Eq)]
struct Window {
    prefix: String,
    after: Option<String>,
}

/// What is listed, the latest time first. The names of log objects begin with their time, so a bucket full of old logs
/// costs no more than an empty one.
fn windows(place: &Place, now: Timestamp, days: u16) -> Vec<Window> {
    let back = |hours: i64| {
        now.saturating_sub(SignedDuration::from_hours(hours))
            .unwrap_or(now)
    };
    let days = i64::from(days);
    match &place.partition {
        None => [1, 6, 24, days * 24]
            .into_iter()
            .filter(|hours| *hours <= days * 24)
            .map(|hours| Window {
                prefix: place.prefix.clone(),
                after: Some(format!(
                    "{}{}",
                    place.prefix,
                    back(hours).strftime("%Y-%m-%d-%H-%M-%S")
                )),
            })
            .collect(),
        Some(partition) => (0..=days)
            .map(|day| Window {
                prefix: format!(
                    "{}{partition}{}",
                    place.prefix,
                    back(day * 24).strftime("%Y/%m/%d/")
                ),
                after: None,
            })
            .collect(),
    }
}

/// `YYYY-mm-DD-HH-MM-SS-` and sixteen characters that nobody chose: what S3 calls a log. A prefix that holds other
/// things too proves nothing by these.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html>
fn is_log_name(name: &str) -> bool {
    let mut parts = name.split('-');
    let time = [4, 2, 2, 2, 2, 2].into_iter().all(|length| {
        parts
            .next()
            .is_some_and(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
    });
    let unique = parts.next().unwrap_or_default();
    time && parts.next().is_none()
        && !unique.is_empty()
        && unique
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Sends one harmless request to a bucket, so that there is something to log. Gives the id by which its record can be
/// found.
pub async fn probe(session: &Session, bucket: &str, region: &Region) -> Result<Option<String>, Refusal> {
    use aws_sdk_s3::operation::RequestId;
    let answer = session.client(region).head_bucket().bucket(bucket).send().await;
    match answer {
        Ok(answer) => Ok(answer.request_id().map(str::to_owned)),
        Err(error) => Err(Refusal::of(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(partition: Option<&str>) -> Place {
        Place {
            target: "amzn-s3-demo-logs".to_owned(),
            region: Region::parse("eu-west-1").expect("a region"),
            prefix: "logs/".to_owned(),
            partition: partition.map(str::to_owned),
        }
    }

    fn now() -> Timestamp {
        "2026-03-01T00:30:00Z".parse().expect("a time")
    }

    #[test]
    fn a_log_is_told_from_what_else_lies_under_its_prefix() {
        assert!(is_log_name("2026-03-01-00-12-59-AFE06B33E63A3E35"));
        for other in [
            "",
            "2026-03-01",
            "2026-03-01-00-12-59-",
            "2026-03-01-00-12-59-AFE0/part",
            "2026-03-01-00-12-59-AFE06B33-2",
            "2026-3-01-00-12-59-AFE06B33E63A3E35",
            "AWSLogs/111122223333/CloudTrail/x.json.gz",
        ] {
            assert!(!is_log_name(other), "{other}");
        }
    }

    #[test]
    fn simple_keys_are_listed_from_a_time_on() {
        let after: Vec<String> = windows(&place(None), now(), 2)
            .into_iter()
            .filter_map(|window| window.after)
            .collect();
        assert_eq!(
            after,
            [
                "logs/2026-02-28-23-30-00",
                "logs/2026-02-28-18-30-00",
                "logs/2026-02-28-00-30-00",
                "logs/2026-02-27-00-30-00",
            ]
        );
    }

    #[test]
    fn partitioned_keys_are_listed_day_by_day() {
        let prefixes: Vec<String> = windows(&place(Some("111122223333/eu-west-1/app-data/")), now(), 1)
            .into_iter()
            .map(|window| window.prefix)
            .collect();
        assert_eq!(
            prefixes,
            [
                "logs/111122223333/eu-west-1/app-data/2026/03/01/",
                "logs/111122223333/eu-west-1/app-data/2026/02/28/",
            ]
        );
    }
}
