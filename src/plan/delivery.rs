//! Whether a target's policy lets S3 write the logs of a source. The policy alone: an ACL may grant too, but a plan
//! doesn't rest on one.

use crate::inventory::{Account, Fact, KeyFormat};
use crate::name::Region;

/// The logs of one source, in this target.
pub(super) struct Question<'a> {
    pub source: &'a str,
    pub region: &'a Region,
    pub prefix: &'a str,
    pub key_format: KeyFormat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    Allowed,
    NotGranted,
    /// The pointer of the denying statement.
    Denied {
        statement: String,
    },
    /// It hangs on these keys.
    Uncertain {
        keys: String,
    },
    Malformed {
        reason: String,
    },
}

pub(super) fn decide(account: &Account, target: &str, question: &Question<'_>) -> Delivery {
    let Some(bucket) = account.bucket(target) else {
        return Delivery::NotGranted;
    };
    let text = match &bucket.settings().policy {
        Fact::Known(document) => document.text.to_string(),
        _ => return Delivery::NotGranted,
    };
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(&text) else {
        return Delivery::Malformed {
            reason: "it is no JSON".to_owned(),
        };
    };
    let _ = (question.region, question.key_format);
    let mut allowed = false;
    for (index, statement) in policy["Statement"].as_array().into_iter().flatten().enumerate() {
        let text = statement.to_string();
        if statement["Effect"] == "Deny" {
            // Only what provably spares delivery is passed over.
            if statement["Condition"].to_string().contains("aws:SourceVpce") {
                return Delivery::Denied {
                    statement: format!("/Statement/{index}"),
                };
            }
            if !text.contains("aws:SecureTransport") && text.contains("s3:PutObject") {
                return Delivery::Uncertain {
                    keys: format!("/Statement/{index}"),
                };
            }
        } else if text.contains(super::LOGGING_SERVICE)
            && (text.contains(&format!(":::{}\"", question.source)) || text.contains("\"arn:aws:s3:::*\""))
            && (text.contains(&format!("{target}/*\""))
                || text.contains(&format!("{target}/{}*", question.prefix)))
        {
            allowed = true;
        }
    }
    if allowed {
        Delivery::Allowed
    } else {
        Delivery::NotGranted
    }
}
