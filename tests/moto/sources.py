"""Makes unlogged buckets in moto, each as a fresh bucket of AWS is. Usage: sources.py ENDPOINT BUCKET..."""

import sys

import boto3

REGION = "eu-west-1"
S3 = boto3.client(
    "s3",
    region_name=REGION,
    endpoint_url=sys.argv[1],
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
)

for bucket in sys.argv[2:]:
    S3.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    # A fresh bucket of moto has no ownership controls and no encryption; a fresh bucket of AWS has these.
    S3.put_bucket_ownership_controls(
        Bucket=bucket,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    S3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
