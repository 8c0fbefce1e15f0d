//! The decisions of the targets' policies and ACLs, each policy read and prepared once.

use std::collections::BTreeMap;

use crate::graph::{Edge, EdgeNumber, LogGraph, Target};
use crate::inventory::{Account, Bucket, Encryption, Fact, KeyFormat, ObjectOwnership, Title};
use crate::policy::{
    self, AclRoute, Decision, DefaultEncryption, Delivery, Facts, KeyLayout, Ownership, Parsed, Prepared,
    Told, Unnamed,
};

/// A bucket's policy, read and prepared. A bucket without one is prepared too: its ACL may grant.
#[derive(Debug)]
pub struct TargetPolicy {
    /// None where there is no policy.
    pub parsed: Option<Parsed>,
    pub prepared: Prepared,
}

impl TargetPolicy {
    /// None where the policy isn't known.
    pub fn of(bucket: &Bucket, facts: &Facts) -> Option<Self> {
        Some(match &bucket.settings().policy {
            Fact::Known(document) => {
                let parsed = policy::parse(&document.text);
                let facts = match document.title {
                    Title::Answer { .. } => &facts.clone().stored(),
                    Title::File { .. } | Title::Embedded { .. } => facts,
                };
                Self {
                    prepared: Prepared::new(&parsed, facts),
                    parsed: Some(parsed),
                }
            }
            Fact::Absent => Self {
                parsed: None,
                prepared: Prepared::without_policy(facts),
            },
            Fact::Unknown(_) => return None,
        })
    }
}

/// What the policies come to, edge by edge.
#[derive(Debug, Default)]
pub struct Grants {
    policies: Vec<Option<TargetPolicy>>,
    /// By the number of the edge: which policy, and what it decides.
    edges: Vec<(Option<usize>, Option<Decision>)>,
}

impl Grants {
    pub fn decide(graph: &LogGraph<'_>, facts: &Facts) -> Self {
        let mut grants = Self::default();
        let mut seen: BTreeMap<*const Bucket, usize> = BTreeMap::new();
        let now = now(graph, facts);
        for (_, edge) in graph.edges() {
            let Some((_, target)) = target(edge) else {
                grants.edges.push((None, None));
                continue;
            };
            // Nothing is asked about an edge between two buckets that the run is not about.
            if !edge.source.in_scope && !target.in_scope {
                grants.edges.push((None, None));
                continue;
            }
            let position = *seen.entry(target).or_insert_with(|| {
                grants.policies.push(TargetPolicy::of(target, facts));
                grants.policies.len() - 1
            });
            let decision = grants.policies[position]
                .as_ref()
                .map(|policy| policy.prepared.decide(&delivery(edge, now)));
            grants.edges.push((Some(position), decision));
        }
        grants
    }

    pub fn policy(&self, edge: EdgeNumber) -> Option<&TargetPolicy> {
        let (position, _) = self.edges.get(edge.index())?;
        self.policies.get((*position)?)?.as_ref()
    }

    pub fn decision(&self, edge: EdgeNumber) -> Option<&Decision> {
        self.edges.get(edge.index())?.1.as_ref()
    }
}

/// The bucket at the far end and its account, as far as they were read.
fn target<'a>(edge: &Edge<'a>) -> Option<(&'a Account, &'a Bucket)> {
    match &edge.target {
        Target::Bucket(bucket) => Some((edge.account, bucket)),
        Target::Foreign { owner, .. } => *owner,
        Target::Missing | Target::NotABucket(_) | Target::Unknown(_) => None,
    }
}

/// The time at which a delivery is weighed: that of the recording, so that it can be read again with the same result;
/// where there is none, that of the run.
pub fn now<'g>(graph: &'g LogGraph<'_>, facts: &'g Facts) -> Option<&'g str> {
    graph.inventory().taken_at.as_deref().or(facts.now.as_deref())
}

/// The edge, as a policy meets it.
pub fn delivery(edge: &Edge<'_>, now: Option<&str>) -> Delivery {
    let name = |bucket: &Bucket| bucket.name_known.then(|| bucket.label.clone());
    let label = |bucket: &Bucket| (!bucket.name_known).then(|| bucket.label.clone());
    let far = target(edge);
    let settings = far.map(|(_, bucket)| bucket.settings());
    let logging = edge.logging;
    Delivery {
        partition: edge.account.partition.clone(),
        source_bucket: name(edge.source),
        source_account: edge.account.id.known().cloned(),
        target_bucket: far.and_then(|(_, bucket)| name(bucket)),
        target_account: far.and_then(|(account, _)| account.id.known().cloned()),
        unnamed: Unnamed {
            source: label(edge.source),
            target: far.and_then(|(_, bucket)| label(bucket)),
        },
        region: edge.source.region.known().cloned(),
        prefix: match &logging.prefix {
            Fact::Known(prefix) => Some(prefix.as_str().into()),
            Fact::Absent => Some("".into()),
            Fact::Unknown(_) => None,
        },
        layout: match &logging.key_format {
            Fact::Known(KeyFormat::Simple) | Fact::Absent => Some(KeyLayout::Simple),
            Fact::Known(KeyFormat::PartitionedByEventTime | KeyFormat::PartitionedByDeliveryTime) => {
                Some(KeyLayout::Partitioned)
            }
            Fact::Unknown(_) => None,
        },
        organization: match &edge.account.organization {
            Fact::Known(id) => Told::Known(id.clone()),
            Fact::Absent => Told::Absent,
            Fact::Unknown(_) => Told::Unknown,
        },
        default_encryption: settings.and_then(|settings| match &settings.encryption {
            Fact::Absent => Some(DefaultEncryption::SseS3),
            Fact::Known(encryption) => default_encryption(encryption),
            Fact::Unknown(_) => None,
        }),
        now: now.map(Into::into),
        acl: AclRoute {
            ownership: settings.and_then(|settings| match &settings.object_ownership {
                Fact::Known(ObjectOwnership::BucketOwnerEnforced) => Some(Ownership::BucketOwnerEnforced),
                Fact::Known(ObjectOwnership::BucketOwnerPreferred | ObjectOwnership::ObjectWriter)
                | Fact::Absent => Some(Ownership::AclsCount),
                Fact::Unknown(_) => None,
            }),
            write: far.and_then(|(_, bucket)| acl_permission(bucket, "WRITE")),
            read_acp: far.and_then(|(_, bucket)| acl_permission(bucket, "READ_ACP")),
        },
    }
}

fn acl_permission(bucket: &Bucket, permission: &str) -> Option<bool> {
    match &bucket.settings().acl {
        Fact::Known(acl) => Some(acl.lets_log_delivery(permission)),
        Fact::Absent => Some(false),
        Fact::Unknown(_) => None,
    }
}

fn default_encryption(encryption: &Encryption) -> Option<DefaultEncryption> {
    if encryption.is_sse_s3() {
        Some(DefaultEncryption::SseS3)
    } else {
        encryption.is_kms().then_some(DefaultEncryption::Kms)
    }
}
