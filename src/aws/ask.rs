//! One question about one bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use super::{Refusal, answer, foreign};
use crate::inventory::Call;

/// Asks, and gives AWS's answer as a snapshot holds it. With `owner`, S3 refuses to answer about a bucket that another
/// account took over under this name.
pub async fn ask(client: &Client, bucket: &str, call: Call, owner: Option<&str>) -> Result<Value, Refusal> {
    let owner = owner.map(str::to_owned);
    // The builders of the SDK differ in type and agree in these three methods.
    macro_rules! answered {
        ($operation:ident) => {
            match client
                .$operation()
                .bucket(bucket)
                .set_expected_bucket_owner(owner)
                .send()
                .await
            {
                Ok(answer) => answer,
                Err(error) => return unread(call, &error).ok_or_else(|| Refusal::of(&error)),
            }
        };
    }
    Ok(match call {
        // Asks about no bucket: `Session::list` does.
        Call::List => Value::Null,
        Call::Head => answer::head(&answered!(head_bucket)),
        Call::Location => {
            let output = answered!(get_bucket_location);
            answer::location(output.location_constraint().map(|constraint| constraint.as_str()))
        }
        Call::Logging => answer::logging(&answered!(get_bucket_logging)),
        Call::Policy => answer::policy(answered!(get_bucket_policy).policy()),
        Call::Acl => answer::acl(&answered!(get_bucket_acl)),
        Call::OwnershipControls => {
            answer::ownership_controls(answered!(get_bucket_ownership_controls).ownership_controls())
        }
        Call::Encryption => {
            answer::encryption(answered!(get_bucket_encryption).server_side_encryption_configuration())
        }
        Call::ObjectLock => {
            answer::object_lock(answered!(get_object_lock_configuration).object_lock_configuration())
        }
        Call::RequestPayment => {
            let output = answered!(get_bucket_request_payment);
            answer::request_payment(output.payer().map(|payer| payer.as_str()))
        }
        Call::Lifecycle => answer::lifecycle(&answered!(get_bucket_lifecycle_configuration)),
        Call::Versioning => answer::versioning(&answered!(get_bucket_versioning)),
        Call::PublicAccessBlock => answer::public_access_block(
            answered!(get_public_access_block).public_access_block_configuration(),
        ),
        Call::Tagging => answer::tagging(&answered!(get_bucket_tagging)),
    })
}

/// What a success says that the SDK could not read.
fn unread<E>(call: Call, error: &SdkError<E, HttpResponse>) -> Option<Value> {
    let response = error.raw_response()?;
    let body = response
        .body()
        .bytes()
        .filter(|_| response.status().is_success())?;
    foreign::answer(call, body)
}
