"""Makes an account with every kind of logging fault in moto, an S3 implementation that is not ours.

moto refuses what AWS accepts (a target without a grant), so each fault is reached as it arises in life: a setup that
is right, and then something breaks it. Usage: seed.py ENDPOINT
"""

import json
import sys

import boto3

ACCOUNT = "123456789012"  # moto's own account
ENDPOINT = sys.argv[1]


def client(region):
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=ENDPOINT,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


CLIENTS = {region: client(region) for region in ("us-east-1", "eu-west-1")}


def create(bucket, region):
    if region == "us-east-1":
        CLIENTS[region].create_bucket(Bucket=bucket)
    else:
        CLIENTS[region].create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region}
        )
    # A fresh bucket of moto has no ownership controls and no encryption; a fresh bucket of AWS has these.
    CLIENTS[region].put_bucket_ownership_controls(
        Bucket=bucket,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    encrypt(bucket, region, "AES256")


def encrypt(bucket, region, algorithm, key=None):
    default = {"SSEAlgorithm": algorithm}
    if key:
        default["KMSMasterKeyID"] = key
    CLIENTS[region].put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )


def grant(bucket, region, *extra, source="*", account=ACCOUNT):
    statement = {
        "Sid": "S3LogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"},
        },
    }
    policy = {"Version": "2012-10-17", "Statement": [statement, *extra]}
    CLIENTS[region].put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def expire(bucket, region):
    CLIENTS[region].put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "expire",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": 365},
                }
            ]
        },
    )


def log_bucket(bucket, region="eu-west-1"):
    create(bucket, region)
    grant(bucket, region)
    expire(bucket, region)


def log(source, target, region="eu-west-1", prefix=None):
    CLIENTS[region].put_bucket_logging(
        Bucket=source,
        BucketLoggingStatus={
            "LoggingEnabled": {
                "TargetBucket": target,
                "TargetPrefix": f"{source}/" if prefix is None else prefix,
            }
        },
    )


def source(bucket, target, region="eu-west-1", prefix=None):
    create(bucket, region)
    log(bucket, target, region, prefix)


def deny(bucket, condition):
    return {
        "Sid": "Guard",
        "Effect": "Deny",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        **condition,
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }


eu, us = CLIENTS["eu-west-1"], CLIENTS["us-east-1"]

# What is right, in two regions.
log_bucket("good-logs")
source("good-one", "good-logs")
source("good-two", "good-logs")
log_bucket("good-logs-us", "us-east-1")
source("good-us", "good-logs-us", "us-east-1")

# Self-logging, and a cycle of two.
log_bucket("loop")
log("loop", "loop", prefix="logs/")
log_bucket("cycle-a")
log_bucket("cycle-b")
log("cycle-a", "cycle-b")
log("cycle-b", "cycle-a")

# A target that was deleted.
log_bucket("gone-logs")
source("gone-source", "gone-logs")
eu.delete_bucket_policy(Bucket="gone-logs")
eu.delete_bucket(Bucket="gone-logs")

# A target that was deleted and made again in another region.
log_bucket("moved-logs")
source("moved-source", "moved-logs")
eu.delete_bucket_policy(Bucket="moved-logs")
eu.delete_bucket(Bucket="moved-logs")
log_bucket("moved-logs", "us-east-1")

# A grant that was removed, one for another source, one for another account, and a deny.
log_bucket("ungranted-logs")
source("ungranted-source", "ungranted-logs")
eu.delete_bucket_policy(Bucket="ungranted-logs")
log_bucket("other-source-logs")
source("other-source", "other-source-logs")
grant("other-source-logs", "eu-west-1", source="somebody-else")
log_bucket("other-account-logs")
source("other-account", "other-account-logs")
grant("other-account-logs", "eu-west-1", account="444455556666")
log_bucket("denied-logs")
source("denied-source", "denied-logs")
grant(
    "denied-logs",
    "eu-west-1",
    deny(
        "denied-logs",
        {
            "Principal": "*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        },
    ),
)

# Encryption that the log service can't use.
log_bucket("aws-key-logs")
source("aws-key-source", "aws-key-logs")
encrypt("aws-key-logs", "eu-west-1", "aws:kms")
log_bucket("customer-key-logs")
source("customer-key-source", "customer-key-logs")
encrypt(
    "customer-key-logs",
    "eu-west-1",
    "aws:kms",
    f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
)

# Object Lock with a default retention.
us.create_bucket(Bucket="locked-logs", ObjectLockEnabledForBucket=True)
us.put_bucket_ownership_controls(
    Bucket="locked-logs",
    OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
)
encrypt("locked-logs", "us-east-1", "AES256")
grant("locked-logs", "us-east-1")
us.put_bucket_lifecycle_configuration(
    Bucket="locked-logs",
    LifecycleConfiguration={
        "Rules": [
            {
                "ID": "expire",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Expiration": {"Days": 365},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            }
        ]
    },
)
us.put_object_lock_configuration(
    Bucket="locked-logs",
    ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}},
    },
)
source("locked-source", "locked-logs", "us-east-1")

# No logging at all.
create("unlogged", "eu-west-1")
