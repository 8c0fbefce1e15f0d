//! A plan's changes as calls of S3. Every one of them names the bucket's owner, so that a bucket which somebody else
//! took over under the same name is never touched.

mod documents;

use std::time::Duration;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectOwnership, Tag,
};
use serde_json::Value;

use self::documents::DocumentError;
use super::ask::ask;
use super::{Kind, Refusal, Session};
use crate::apply::{Cloud, CloudError, Presence};
use crate::inventory::Call;
use crate::name::{AccountId, BucketName, Region};
use crate::plan::{Change, Namespace, NewBucket, Put, Setting};

/// One account, to be changed.
pub struct AwsCloud<'a> {
    session: &'a Session,
    owner: AccountId,
}

impl<'a> AwsCloud<'a> {
    pub fn new(session: &'a Session, owner: AccountId) -> Self {
        Self { session, owner }
    }

    /// AWS's answer to a question about a bucket, as a snapshot holds it; a refusal is an answer.
    pub async fn answer(&self, bucket: &str, region: &Region, call: Call) -> Value {
        let client = self.session.client(region);
        ask(&client, bucket, call, Some(self.owner.as_str()))
            .await
            .unwrap_or_else(|refusal| refusal.answer())
    }

    async fn create(&self, new: &NewBucket) -> Result<(), Failure> {
        let mut configuration = CreateBucketConfiguration::builder();
        // us-east-1 is the one region that may not be named.
        if new.region.as_str() != "us-east-1" {
            configuration =
                configuration.location_constraint(BucketLocationConstraint::from(new.region.as_str()));
        }
        for (key, value) in &new.tags {
            configuration = configuration.tags(
                Tag::builder()
                    .key(key)
                    .value(value)
                    .build()
                    .map_err(DocumentError::from)?,
            );
        }
        let mut request = self
            .session
            .client(&new.region)
            .create_bucket()
            .bucket(new.bucket.as_str())
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .create_bucket_configuration(configuration.build());
        if new.namespace == Namespace::AccountRegional {
            request = request.bucket_namespace(BucketNamespace::AccountRegional);
        }
        request.send().await.map_err(|error| Failure::of(&error))?;
        Ok(())
    }

    async fn put(&self, put: &Put) -> Result<(), Failure> {
        let client = self.session.client(&put.region);
        let owner = Some(self.owner.to_string());
        let bucket = put.bucket.as_str();
        macro_rules! send {
            ($request:expr) => {
                $request
                    .bucket(bucket)
                    .set_expected_bucket_owner(owner)
                    .send()
                    .await
                    .map(|_| ())
                    .map_err(|error: SdkError<_, _>| Failure::of(&error))
            };
        }
        match (put.setting, &put.after) {
            (Setting::Logging, after) => send!(
                client
                    .put_bucket_logging()
                    .bucket_logging_status(documents::logging(after.as_ref())?)
            ),
            (Setting::Policy, Some(Value::String(text))) => send!(client.put_bucket_policy().policy(text)),
            (Setting::Policy, Some(other)) => send!(client.put_bucket_policy().policy(other.to_string())),
            (Setting::Policy, None) => send!(client.delete_bucket_policy()),
            (Setting::Acl, Some(after)) => send!(
                client
                    .put_bucket_acl()
                    .access_control_policy(documents::acl(after)?)
            ),
            (Setting::Acl, None) => Err(Failure::Document(DocumentError::Shape(serde::de::Error::custom(
                "a bucket always has an ACL",
            )))),
            (Setting::OwnershipControls, Some(after)) => send!(
                client
                    .put_bucket_ownership_controls()
                    .ownership_controls(documents::ownership(after)?)
            ),
            (Setting::OwnershipControls, None) => send!(client.delete_bucket_ownership_controls()),
            (Setting::PublicAccessBlock, Some(after)) => send!(
                client
                    .put_public_access_block()
                    .public_access_block_configuration(documents::public_access_block(after)?)
            ),
            (Setting::PublicAccessBlock, None) => send!(client.delete_public_access_block()),
            (Setting::Encryption, Some(after)) => send!(
                client
                    .put_bucket_encryption()
                    .server_side_encryption_configuration(documents::encryption(after)?)
            ),
            (Setting::Encryption, None) => send!(client.delete_bucket_encryption()),
            (Setting::RequestPayment, after) => send!(
                client
                    .put_bucket_request_payment()
                    .request_payment_configuration(documents::request_payment(after.as_ref())?)
            ),
            (Setting::Lifecycle, Some(after)) => {
                let (rules, size) = documents::lifecycle(after)?;
                send!(
                    client
                        .put_bucket_lifecycle_configuration()
                        .lifecycle_configuration(rules)
                        .set_transition_default_minimum_object_size(size)
                )
            }
            (Setting::Lifecycle, None) => send!(client.delete_bucket_lifecycle()),
        }
    }

    fn explain(
        &self,
        operation: &'static str,
        action: &str,
        bucket: &BucketName,
        failure: Failure,
    ) -> CloudError {
        let bucket = bucket.to_string();
        match failure {
            Failure::Document(error) => CloudError::Failed {
                operation,
                bucket,
                code: "a document that can't be written back".to_owned(),
                message: error.to_string(),
            },
            Failure::Refused(refusal) => match (refusal.code.as_str(), refusal.status) {
                ("NoSuchBucket", _) => CloudError::NoBucket { operation, bucket },
                ("AccessDenied" | "403", _) => CloudError::Denied {
                    operation,
                    bucket,
                    action: action.to_owned(),
                },
                _ => CloudError::Failed {
                    operation,
                    bucket,
                    message: words_for(&refusal),
                    code: refusal.code,
                },
            },
        }
    }
}

/// What a code means here, where AWS's own words don't tell what to do.
fn words_for(refusal: &Refusal) -> String {
    match refusal.code.as_str() {
        "BucketAlreadyExists" => "the name belongs to another account; choose another `--target`".to_owned(),
        "OperationAborted" => {
            "the name is being made or was just deleted; it is free again after a while".to_owned()
        }
        "TooManyBuckets" => "the account holds as many buckets as its quota allows".to_owned(),
        "InvalidBucketName" => "S3 allows no such name; choose another `--target`".to_owned(),
        _ => refusal
            .message
            .clone()
            .unwrap_or_else(|| "no reason was given".to_owned()),
    }
}

enum Failure {
    Refused(Refusal),
    Document(DocumentError),
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl Failure {
    fn of<E>(error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>) -> Self
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + 'static,
    {
        Self::Refused(Refusal::of(error))
    }
}

impl Cloud for AwsCloud<'_> {
    async fn presence(&self, bucket: &BucketName, region: &Region) -> Result<Presence, CloudError> {
        let client = self.session.client(region);
        match ask(&client, bucket.as_str(), Call::Head, Some(self.owner.as_str())).await {
            Ok(answer) => {
                let told = answer.get("BucketRegion").and_then(Value::as_str);
                Ok(match told {
                    Some(other) if other != region.as_str() => Presence::Foreign,
                    Some(_) | None => Presence::Ours,
                })
            }
            Err(refusal) if refusal.status == Some(404) => Ok(Presence::Missing),
            Err(refusal) if refusal.status == Some(403) || refusal.kind == Kind::Elsewhere => {
                Ok(Presence::Foreign)
            }
            Err(refusal) => {
                Err(self.explain("HeadBucket", "s3:ListBucket", bucket, Failure::Refused(refusal)))
            }
        }
    }

    async fn is_empty(&self, bucket: &BucketName, region: &Region) -> Result<bool, CloudError> {
        let listed = self
            .session
            .client(region)
            .list_objects_v2()
            .bucket(bucket.as_str())
            .max_keys(1)
            .expected_bucket_owner(self.owner.as_str())
            .send()
            .await
            .map_err(|error| self.explain("ListObjectsV2", "s3:ListBucket", bucket, Failure::of(&error)))?;
        Ok(listed.contents().is_empty())
    }

    async fn read(
        &self,
        bucket: &BucketName,
        region: &Region,
        setting: Setting,
    ) -> Result<Option<Value>, CloudError> {
        let call = setting.call();
        let client = self.session.client(region);
        match ask(&client, bucket.as_str(), call, Some(self.owner.as_str())).await {
            Ok(answer) if setting == Setting::Policy => Ok(answer.get("Policy").cloned()),
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if Some(refusal.code.as_str()) == call.absent_code() => Ok(None),
            Err(refusal) => {
                Err(self.explain(call.operation(), call.action(), bucket, Failure::Refused(refusal)))
            }
        }
    }

    async fn write(&self, change: &Change) -> Result<(), CloudError> {
        let written = match change {
            Change::CreateBucket(new) => self.create(new).await,
            Change::DeleteBucket(new) => {
                let request = self.session.client(&new.region).delete_bucket();
                request
                    .bucket(new.bucket.as_str())
                    .expected_bucket_owner(self.owner.as_str())
                    .send()
                    .await
                    .map(|_| ())
                    .map_err(|error| Failure::of(&error))
            }
            Change::Put(put) => self.put(put).await,
        };
        written.map_err(|failure| {
            let action = match change {
                Change::CreateBucket(_) => {
                    "s3:CreateBucket, s3:TagResource and s3:PutBucketOwnershipControls"
                }
                Change::DeleteBucket(_) => "s3:DeleteBucket",
                Change::Put(put) => put.setting.write_action(put.after.is_some()),
            };
            self.explain(change.operation(), action, change.bucket(), failure)
        })
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
