//! Documents that tests send, and one that they send most.

use super::client::{Caller, Reply};

/// Creates a bucket, at the place that the constraint names.
pub fn create(caller: &Caller, name: &str, constraint: Option<&str>) -> Reply {
    let body = constraint.map_or(String::new(), |constraint| {
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{constraint}</LocationConstraint></CreateBucketConfiguration>"
        )
    });
    caller.put(&format!("/{name}"), &body)
}

/// A logging configuration.
pub fn logging(target: &str, prefix: &str, more: &str) -> String {
    format!(
        "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LoggingEnabled><TargetBucket>{target}</TargetBucket><TargetPrefix>{prefix}</TargetPrefix>{more}</LoggingEnabled></BucketLoggingStatus>"
    )
}

/// Ownership controls with one rule.
pub fn ownership(value: &str) -> String {
    format!("<OwnershipControls><Rule><ObjectOwnership>{value}</ObjectOwnership></Rule></OwnershipControls>")
}

/// A public access block that blocks nothing.
pub const PUBLIC_ACCESS: &str = "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
