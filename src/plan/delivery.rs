//! Whether a target's policy lets S3 write the logs of a source. The policy alone: an ACL may grant too, but a plan
//! doesn't rest on one.

use crate::inventory::{Account, Fact, KeyFormat};
use crate::name::Region;
use crate::policy::{self, AclRoute, DefaultEncryption, Facts, Grant, KeyLayout, Prepared, Told};

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

/// The policy of a target, read once and asked about many sources.
pub(super) struct TargetPolicy<'a> {
    account: &'a Account,
    target: &'a str,
    prepared: Prepared,
    fault: Option<String>,
}

impl<'a> TargetPolicy<'a> {
    pub fn of(account: &'a Account, target: &'a str) -> Self {
        // It was accepted by AWS once, or is about to be merged from one that was.
        let facts = Facts::default().stored();
        let policy = account.bucket(target).map(|bucket| &bucket.settings().policy);
        let (prepared, fault) = match policy {
            Some(Fact::Known(document)) => {
                let parsed = policy::parse(&document.text);
                let fault = parsed.faults.first().map(|fault| fault.message.clone());
                (Prepared::new(&parsed, &facts), fault)
            }
            Some(Fact::Absent | Fact::Unknown(_)) | None => (Prepared::without_policy(&facts), None),
        };
        Self {
            account,
            target,
            prepared,
            fault,
        }
    }

    pub fn decide(&self, question: &Question<'_>) -> Delivery {
        let id = self.account.id.known().cloned();
        let decision = self.prepared.decide(&policy::Delivery {
            partition: self.account.partition.clone(),
            source_bucket: Some(question.source.into()),
            source_account: id.clone(),
            target_bucket: Some(self.target.into()),
            target_account: id,
            // A plan is made for buckets that are there.
            unnamed: policy::Unnamed::default(),
            region: Some(question.region.clone()),
            prefix: Some(question.prefix.into()),
            layout: Some(match question.key_format.is_partitioned() {
                true => KeyLayout::Partitioned,
                false => KeyLayout::Simple,
            }),
            organization: match &self.account.organization {
                Fact::Known(id) => Told::Known(id.clone()),
                Fact::Absent => Told::Absent,
                Fact::Unknown(_) => Told::Unknown,
            },
            // No other is planned for.
            default_encryption: Some(DefaultEncryption::SseS3),
            now: None,
            acl: AclRoute::CLOSED,
        });
        match decision.grant {
            Grant::Allowed => Delivery::Allowed,
            Grant::NotGranted => Delivery::NotGranted,
            Grant::Denied => Delivery::Denied {
                statement: decision
                    .deciders
                    .first()
                    .map_or("a statement of it", |decider| decider.element.as_str())
                    .to_owned(),
            },
            Grant::Unknown => Delivery::Uncertain {
                keys: {
                    let mut keys: Vec<&str> = decision
                        .unknown
                        .iter()
                        .map(|unknown| unknown.key.as_str())
                        .collect();
                    keys.dedup();
                    keys.join(", ")
                },
            },
            Grant::Malformed => Delivery::Malformed {
                reason: self
                    .fault
                    .clone()
                    .unwrap_or_else(|| "S3 would refuse it".to_owned()),
            },
        }
    }
}
