//! The list of the account's buckets, to its end.

use std::time::Duration;

use aws_sdk_s3::Client;

use super::{Error, Kind, Refusal, Session};
use crate::name::Region;

/// The most that AWS takes for `max-buckets`.
const LARGEST_PAGE: i32 = 10_000;
/// How often a page is asked for again when AWS wants fewer requests.
const PATIENCE: u32 = 5;

/// A bucket of the list, with its region where the server tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    pub region: Option<Region>,
}

/// Why there is no list: refused, which a run that names its buckets survives, or worse.
#[derive(Debug)]
pub enum ListingError {
    Denied(Refusal),
    Fatal(Error),
}

/// Every bucket, page by page.
pub async fn list(session: &Session, page_size: i32) -> Result<Vec<Listed>, ListingError> {
    let client = session.client(session.home());
    let mut listed = Vec::new();
    let mut token = None;
    loop {
        let page = page(&client, session, page_size, token).await?;
        let full = i32::try_from(page.buckets.len()).is_ok_and(|length| length >= page_size);
        listed.extend(page.buckets);
        token = page.token;
        if token.is_some() {
            continue;
        }
        // AWS tells the region of each bucket and gives a token while there is more. Servers that do neither may cut
        // the list short in silence.
        if !full || listed.iter().all(|bucket| bucket.region.is_some()) {
            return Ok(listed);
        }
        if page_size >= LARGEST_PAGE {
            return Err(ListingError::Fatal(Error::ListingCut {
                endpoint: session.endpoint_text(),
                listed: listed.len(),
            }));
        }
        return Box::pin(list(session, LARGEST_PAGE)).await;
    }
}

struct Page {
    buckets: Vec<Listed>,
    token: Option<String>,
}

async fn page(
    client: &Client,
    session: &Session,
    page_size: i32,
    token: Option<String>,
) -> Result<Page, ListingError> {
    let mut tries = 0;
    loop {
        let answer = client
            .list_buckets()
            // Without a parameter, AWS leaves the regions out.
            .max_buckets(page_size)
            .set_continuation_token(token.clone())
            .send()
            .await
            .map_err(|error| Refusal::of(&error));
        match answer {
            Ok(answer) => {
                let listed = |bucket: &aws_sdk_s3::types::Bucket| {
                    Some(Listed {
                        name: bucket.name()?.to_owned(),
                        region: bucket.bucket_region().and_then(|text| Region::parse(text).ok()),
                    })
                };
                return Ok(Page {
                    buckets: answer.buckets().iter().filter_map(listed).collect(),
                    token: answer
                        .continuation_token()
                        .filter(|token| !token.is_empty())
                        .map(str::to_owned),
                });
            }
            Err(refusal) if refusal.kind == Kind::Throttled && tries < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(500 << tries)).await;
                tries += 1;
            }
            Err(refusal) if refusal.kind == Kind::Answered && refusal.status == Some(403) => {
                return Err(ListingError::Denied(refusal));
            }
            Err(refusal) => {
                return Err(ListingError::Fatal(Error::of(refusal, session.endpoint_text())));
            }
        }
    }
}
