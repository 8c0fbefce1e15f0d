//! Access keys, and the list of an account's buckets.

use serde_json::{Value, json};

use super::answer::{Answer, Fault};
use super::request::Request;
use super::world::World;

/// The access key of an account: any account's key can be known from its id.
pub fn access_key(account: &str) -> String {
    format!("AKIASAND{account}")
}

/// The access key of a session in a role of that account.
pub fn session_key(account: &str) -> String {
    format!("ASIASAND{account}")
}

/// Whose key it is.
pub fn account_of<'a>(world: &World, access_key: &'a str) -> Result<&'a str, Fault> {
    if access_key.to_ascii_lowercase().contains("expired") {
        return Err(Fault::of_code("ExpiredToken", None));
    }
    access_key
        .strip_prefix("AKIASAND")
        .or_else(|| access_key.strip_prefix("ASIASAND"))
        .filter(|account| world.accounts.contains_key(*account))
        .ok_or_else(|| Fault::of_code("InvalidAccessKeyId", None).with("AWSAccessKeyId", access_key))
}

/// AWS's regions, by partition.
#[rustfmt::skip]
pub const REGIONS: &[&str] = &[
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    "cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1", "eusc-de-east-1",
];

const PAGE: usize = 10_000;

/// ListBuckets. `BucketRegion` is there only if the request has at least one parameter.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
pub fn list_buckets(world: &World, request: &Request, account: &str, region: &str) -> Result<Answer, Fault> {
    if let Some(refusal) = world
        .accounts
        .get(account)
        .and_then(|account| account.list_refusal.as_ref())
    {
        return Err(super::read::recorded(refusal));
    }
    let parameters = ["max-buckets", "continuation-token", "prefix", "bucket-region"];
    let has_parameter = parameters.iter().any(|name| request.parameter(name).is_some());
    let most = match request.parameter("max-buckets") {
        None if has_parameter => PAGE,
        None => usize::MAX,
        Some(text) => match text.parse::<usize>() {
            Ok(most) if (1..=PAGE).contains(&most) => most,
            _ => {
                return Err(Fault::invalid_argument(
                    "max-buckets",
                    Some(text),
                    "Argument max-buckets must be an integer between 1 and 10000",
                ));
            }
        },
    };
    let prefix = request.parameter("prefix").unwrap_or("");
    let wanted = request.parameter("bucket-region");
    if let Some(wanted) = wanted {
        if !REGIONS.contains(&wanted) {
            return Err(Fault::invalid_argument(
                "bucket-region",
                None,
                format!("Argument value {wanted} is not a valid AWS Region"),
            ));
        }
        if wanted != region {
            return Err(Fault::invalid_argument(
                "bucket-region",
                Some(wanted),
                "Requests with the bucket-region parameter must be sent to an endpoint of that Region",
            ));
        }
    }
    let after = match request
        .parameter("continuation-token")
        .filter(|token| !token.is_empty())
    {
        None => "",
        Some(token) => token.strip_prefix("after:").ok_or_else(|| {
            Fault::invalid_argument(
                "continuation-token",
                Some(token),
                "The continuation token provided is incorrect",
            )
        })?,
    };
    let own = world.buckets.values().filter(|bucket| bucket.owner == account);
    if !has_parameter && own.count() > PAGE {
        // <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; the words are not known.
        return Err(Fault::new(
            400,
            "InvalidRequest",
            "Unpaginated ListBuckets requests are only supported for AWS accounts with up to 10,000 buckets",
        ));
    }
    let partition = world.partition(account);
    let mut matching = world.buckets.iter().filter(|(name, bucket)| {
        bucket.owner == account
            && name.as_str() > after
            && name.starts_with(prefix)
            && wanted.is_none_or(|wanted| wanted == bucket.region)
    });
    let mut buckets = Vec::new();
    for (name, bucket) in matching.by_ref().take(most) {
        let mut told = json!({"Name": name, "CreationDate": bucket.created});
        if has_parameter {
            told["BucketRegion"] = bucket.region.as_str().into();
            told["BucketArn"] = format!("arn:{partition}:s3:::{name}").into();
        }
        buckets.push(told);
    }
    let mut answer = json!({"Owner": {"ID": world.canonical_id(account)}});
    if matching.next().is_some()
        && let Some(last) = buckets.last().and_then(|bucket| bucket["Name"].as_str())
    {
        answer["ContinuationToken"] = format!("after:{last}").into();
    }
    answer["Buckets"] = Value::Array(buckets);
    if request.parameter("prefix").is_some() {
        answer["Prefix"] = prefix.into();
    }
    Ok(Answer::xml("ListAllMyBucketsResult", &answer))
}
