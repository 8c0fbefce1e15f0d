//! The properties of `AWS::S3::Bucket` → what they say of its settings.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html>

use super::evaluate::{Scope, World};
use super::property::Property;
use super::stack::Resource;
use super::text::{Part, Text, Token};
use super::tree::Node;
use super::value::{Item, Resolved, Unknown};
use crate::collect::deployment::{Configuration, Said};
use crate::inventory::{
    Acl, Call, Encryption, Fact, Grant, Grantee, KeyFormat, LifecycleRule, Logging, ObjectLock,
    ObjectOwnership, Payer, Place, PublicAccessBlock, TargetRef, Versioning, Why,
};

/// A bucket's properties, one by one.
pub(super) struct Properties<'w, 'r> {
    pub world: &'w World,
    pub scope: Scope<'r>,
    pub resource: &'r Resource<'r>,
    /// Where the bucket is declared.
    pub place: Place,
    /// What the bucket itself is called: a name or an address.
    pub own: TargetRef,
}

impl Properties<'_, '_> {
    pub fn read(&self) -> Configuration {
        let mut configuration = Configuration {
            // There is no property for it: what is there stays.
            payer: Said::<Payer>::Silent.into(),
            // A policy is a resource of its own. Where no template of the run has one for this bucket, the one that is
            // there may have been a resource of the stack's last template, and goes with it.
            policy: left_out().into(),
            ..Configuration::default()
        };
        configuration.logging = self
            .said("LoggingConfiguration", |item| self.logging(item))
            .into();
        let acl = self.said("AccessControl", |item| acl(&item.value));
        let mut object_ownership = self.said("OwnershipControls", |item| ownership(&item.value));
        if let (Said::Sets(fact), Said::LeftOut { .. }) = (&acl, &object_ownership)
            && fact.known() != Some(&Acl::default())
        {
            // A new bucket without controls refuses it; one that is older than April 2023 honours it.
            object_ownership = Said::LeftOut {
                on_a_new_bucket: Some(Fact::Unknown(Why::NotRead)),
            };
            self.world.need(format!(
                "`{}` has `AccessControl` and no `OwnershipControls`: a new bucket refuses that, an old one is ruled \
                 by its ACL; say which it is with `OwnershipControls`",
                self.world.stacks[self.scope.stack].address(&self.resource.id)
            ));
        }
        configuration.object_ownership = object_ownership.into();
        configuration.acl = acl.into();
        configuration.encryption = self
            .said("BucketEncryption", |item| encryption(&item.value))
            .into();
        configuration.object_lock = self.object_lock().into();
        configuration.lifecycle = self
            .said("LifecycleConfiguration", |item| lifecycle(&item.value))
            .into();
        configuration.versioning = self
            .said("VersioningConfiguration", |item| {
                word(&item.value, "Status", |text| match text {
                    "Enabled" => Some(Versioning::Enabled),
                    "Suspended" => Some(Versioning::Suspended),
                    _ => None,
                })
            })
            .into();
        configuration.public_access_block = self
            .said("PublicAccessBlockConfiguration", |item| {
                public_access_block(&item.value)
            })
            .into();
        for (call, property) in [
            (Call::Logging, "LoggingConfiguration"),
            (Call::Acl, "AccessControl"),
            (Call::OwnershipControls, "OwnershipControls"),
            (Call::Encryption, "BucketEncryption"),
            (Call::ObjectLock, "ObjectLockConfiguration"),
            (Call::Lifecycle, "LifecycleConfiguration"),
            (Call::Versioning, "VersioningConfiguration"),
            (Call::PublicAccessBlock, "PublicAccessBlockConfiguration"),
        ] {
            let place = match self.written(property) {
                Property::Written(node, _) => self.place_of(node, property),
                Property::LeftOut | Property::Unknown(_) => self.place.clone(),
            };
            configuration.places.insert(call, place);
        }
        configuration
    }

    /// A property: left out where it isn't written or comes to nothing.
    fn said<T>(&self, property: &str, read: impl FnOnce(&Item) -> Fact<T>) -> Said<T> {
        let item = match self.written(property) {
            Property::LeftOut => return left_out(),
            Property::Unknown(unknown) => return Said::Sets(Fact::Unknown(unknown.why())),
            Property::Written(node, loops) => Item {
                value: self.world.evaluate(self.scope.within(&loops), node),
                span: node.span.clone(),
            },
        };
        match &item.value {
            Resolved::Nothing | Resolved::Null => left_out(),
            Resolved::Unknown(unknown) => Said::Sets(Fact::Unknown(unknown.why())),
            Resolved::Map(_) => Said::Sets(read(&item)),
            Resolved::Text(_) | Resolved::Bool(_) | Resolved::Number(_) if is_scalar(property) => {
                Said::Sets(read(&item))
            }
            Resolved::Text(_) | Resolved::Bool(_) | Resolved::Number(_) | Resolved::List(_) => {
                let address = self.world.stacks[self.scope.stack].address(&self.resource.id);
                let shape = if is_scalar(property) { "text" } else { "mapping" };
                self.world.need(format!(
                    "`{property}` of `{address}` is no {shape}: CloudFormation refuses it"
                ));
                Said::Sets(Fact::Unknown(Why::NotRead))
            }
        }
    }

    fn written(&self, property: &str) -> Property<'_> {
        self.world.property(self.scope.stack, self.resource, property)
    }

    fn place_of(&self, node: &Node, property: &str) -> Place {
        Place {
            span: Some(node.span.clone()),
            ..self.place.inside(&format!("/Properties/{property}"))
        }
    }

    fn logging(&self, item: &Item) -> Fact<Logging> {
        let value = &item.value;
        let target = match value.get("DestinationBucketName").map(|item| &item.value) {
            // "If you enable logging, and don't say where, the bucket is its own target."
            None | Some(Resolved::Null | Resolved::Nothing) => Fact::Known(self.own.clone()),
            Some(value) => match value.as_text() {
                Some(text) => target(&self.world.recognise(&text)),
                None => Fact::Unknown(Why::NotRead),
            },
        };
        let prefix = match value.get("LogFilePrefix").map(|item| &item.value) {
            None | Some(Resolved::Null | Resolved::Nothing) => Fact::Known(String::new()),
            Some(value) => text(value),
        };
        let span = match self.written("LoggingConfiguration") {
            // The branch that was taken says it better than the choice around it.
            Property::Written(node, _) => branch(node, item).unwrap_or_else(|| item.span.clone()),
            Property::LeftOut | Property::Unknown(_) => item.span.clone(),
        };
        // A prefix from a parameter or a mapping is written elsewhere.
        let prefix_span = value
            .get("LogFilePrefix")
            .map(|item| item.span.clone())
            .filter(|inner| span.start <= inner.start && inner.end <= span.end);
        let place = Place {
            span: Some(span),
            ..self.place.inside("/Properties/LoggingConfiguration")
        };
        Fact::Known(Logging {
            target,
            prefix,
            key_format: key_format(value.get("TargetObjectKeyFormat").map(|item| &item.value)),
            target_grants: Vec::new(),
            prefix_place: prefix_span.map(|span| {
                Box::new(Place {
                    span: Some(span),
                    ..self
                        .place
                        .inside("/Properties/LoggingConfiguration/LogFilePrefix")
                })
            }),
            place,
        })
    }

    /// Two properties: whether it is on, and the default retention.
    fn object_lock(&self) -> Said<ObjectLock> {
        let enabled = self.said("ObjectLockEnabled", |item| truth(&item.value));
        let configured = self.said("ObjectLockConfiguration", |item| retention(&item.value));
        match (enabled, configured) {
            (Said::Sets(Fact::Unknown(why)), _) | (_, Said::Sets(Fact::Unknown(why))) => {
                Said::Sets(Fact::Unknown(why))
            }
            (enabled, Said::Sets(Fact::Known(lock))) => Said::Sets(Fact::Known(ObjectLock {
                enabled: lock.enabled || enabled == Said::Sets(Fact::Known(true)),
                ..lock
            })),
            // A default retention that an earlier template had may be taken away, or was never a template's.
            (Said::Sets(Fact::Known(true)), _) => Said::LeftOut {
                on_a_new_bucket: Some(Fact::Known(ObjectLock {
                    enabled: true,
                    default_retention: None,
                })),
            },
            (_, _) => left_out(),
        }
    }
}

/// The properties that are a word; all others are mappings.
fn is_scalar(property: &str) -> bool {
    matches!(property, "AccessControl" | "ObjectLockEnabled")
}

/// What isn't the mapping that it should be, which CloudFormation refuses.
fn is_misshapen(value: &Resolved) -> bool {
    matches!(
        value,
        Resolved::Text(_) | Resolved::Bool(_) | Resolved::Number(_) | Resolved::List(_)
    )
}

fn left_out<T>() -> Said<T> {
    Said::LeftOut {
        on_a_new_bucket: None,
    }
}

/// The span of the mapping that a choice came to: of the one whose members stand in it.
fn branch(node: &Node, item: &Item) -> Option<std::ops::Range<usize>> {
    let Resolved::Map(members) = &item.value else {
        return None;
    };
    let (_, first) = members.first()?;
    let mut inner = node;
    loop {
        let children: Vec<&Node> = match inner.list() {
            Some(items) => items.iter().collect(),
            None => inner.members().iter().map(|member| &member.value).collect(),
        };
        let next = children
            .into_iter()
            .find(|child| child.span.start <= first.span.start && first.span.end <= child.span.end);
        match next {
            Some(next) if next.span != first.span => inner = next,
            Some(_) => return Some(inner.span.clone()),
            None => return None,
        }
    }
}

/// A bucket that a text names.
pub(super) fn target(text: &Text) -> Fact<TargetRef> {
    match (text.known(), text.as_token()) {
        (Some(name), _) => Fact::Known(TargetRef::Name(name.to_owned())),
        (None, Some(Token::BucketName(address))) => Fact::Known(TargetRef::Address(address)),
        // Whatever the rest turns out to be: an ARN, a URL, a path are no names.
        (None, _) if text.parts().any(|part| is_no_name(&part)) => {
            Fact::Known(TargetRef::Name(text.to_string()))
        }
        (None, _) => Fact::Unknown(why(text)),
    }
}

/// Whether what is written can't stand in a bucket's name, old ones included.
fn is_no_name(part: &Part<'_>) -> bool {
    match part {
        Part::Literal(text) => text.contains([':', '/', '*', ' ', '\n']),
        Part::Token(_) => false,
    }
}

/// Why a text isn't known.
fn why(text: &Text) -> Why {
    text.tokens()
        .map(|token| Unknown::of_token(token).why())
        .min_by_key(|why| *why == Why::AfterApply)
        .unwrap_or(Why::NotRead)
}

fn text(value: &Resolved) -> Fact<String> {
    match value.as_text() {
        Some(text) => match text.known() {
            Some(known) => Fact::Known(known.to_owned()),
            None => Fact::Unknown(why(&text)),
        },
        None => Fact::Unknown(Why::NotRead),
    }
}

fn truth(value: &Resolved) -> Fact<bool> {
    match text(value) {
        Fact::Known(text) if text.eq_ignore_ascii_case("true") => Fact::Known(true),
        Fact::Known(text) if text.eq_ignore_ascii_case("false") => Fact::Known(false),
        Fact::Known(_) | Fact::Absent => Fact::Unknown(Why::NotRead),
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

/// A known word below a key; unknown where it is none of those that are understood.
fn word<T>(value: &Resolved, key: &str, read: impl FnOnce(&str) -> Option<T>) -> Fact<T> {
    let Some(item) = value.get(key) else {
        return Fact::Absent;
    };
    match text(&item.value) {
        Fact::Known(text) => match read(&text) {
            Some(value) => Fact::Known(value),
            None => Fact::Unknown(Why::Failed {
                code: format!("unknown {key} {text}"),
            }),
        },
        Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

fn key_format(value: Option<&Resolved>) -> Fact<KeyFormat> {
    match value {
        None | Some(Resolved::Null | Resolved::Nothing) => Fact::Known(KeyFormat::Simple),
        Some(Resolved::Unknown(unknown)) => Fact::Unknown(unknown.why()),
        Some(value) if is_misshapen(value) => Fact::Unknown(Why::NotRead),
        Some(value) => match value.get("PartitionedPrefix").map(|item| &item.value) {
            None | Some(Resolved::Null | Resolved::Nothing) => Fact::Known(KeyFormat::Simple),
            Some(Resolved::Unknown(unknown)) => Fact::Unknown(unknown.why()),
            Some(partitioned) if is_misshapen(partitioned) => Fact::Unknown(Why::NotRead),
            Some(partitioned) => {
                let source = word(partitioned, "PartitionDateSource", |text| match text {
                    "EventTime" => Some(KeyFormat::PartitionedByEventTime),
                    "DeliveryTime" => Some(KeyFormat::PartitionedByDeliveryTime),
                    _ => None,
                });
                match source {
                    // "PartitionDateSource defaults to EventTime"
                    Fact::Absent => Fact::Known(KeyFormat::PartitionedByEventTime),
                    source => source,
                }
            }
        },
    }
}

/// What a canned ACL grants beyond the owner's own.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>
fn acl(value: &Resolved) -> Fact<Acl> {
    text(value).map(|canned| {
        let grants: &[(&str, &str)] = match canned.as_str() {
            "LogDeliveryWrite" => &[
                (Grantee::LOG_DELIVERY, "WRITE"),
                (Grantee::LOG_DELIVERY, "READ_ACP"),
            ],
            "PublicRead" => &[(Grantee::ALL_USERS, "READ")],
            "PublicReadWrite" => &[(Grantee::ALL_USERS, "READ"), (Grantee::ALL_USERS, "WRITE")],
            "AuthenticatedRead" => &[(Grantee::AUTHENTICATED_USERS, "READ")],
            _ => &[],
        };
        Acl {
            owner: None,
            grants: grants
                .iter()
                .map(|(uri, permission)| Grant {
                    grantee: Grantee::Group {
                        uri: (*uri).to_owned(),
                    },
                    permission: (*permission).to_owned(),
                })
                .collect(),
        }
    })
}

fn ownership(value: &Resolved) -> Fact<ObjectOwnership> {
    match first_rule(value, "Rules") {
        Fact::Known(rule) => word(&rule, "ObjectOwnership", ObjectOwnership::parse),
        Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

/// The first of the rules below a key.
fn first_rule(value: &Resolved, key: &str) -> Fact<Resolved> {
    match value.get(key).map(|item| &item.value) {
        None | Some(Resolved::Null | Resolved::Nothing) => Fact::Absent,
        Some(Resolved::List(rules)) => match rules.first() {
            Some(rule) => match &rule.value {
                Resolved::Unknown(unknown) => Fact::Unknown(unknown.why()),
                rule if is_misshapen(rule) => Fact::Unknown(Why::NotRead),
                rule => Fact::Known(rule.clone()),
            },
            None => Fact::Absent,
        },
        // A single rule is taken for a list of one.
        Some(rule @ Resolved::Map(_)) => Fact::Known(rule.clone()),
        Some(Resolved::Unknown(unknown)) => Fact::Unknown(unknown.why()),
        Some(Resolved::Text(_) | Resolved::Bool(_) | Resolved::Number(_)) => Fact::Unknown(Why::NotRead),
    }
}

fn encryption(value: &Resolved) -> Fact<Encryption> {
    let rule = match first_rule(value, "ServerSideEncryptionConfiguration") {
        Fact::Known(rule) => rule,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    let default = match rule.get("ServerSideEncryptionByDefault").map(|item| &item.value) {
        None | Some(Resolved::Null | Resolved::Nothing) => return Fact::Absent,
        Some(Resolved::Unknown(unknown)) => return Fact::Unknown(unknown.why()),
        Some(default) if is_misshapen(default) => return Fact::Unknown(Why::NotRead),
        Some(default) => default,
    };
    let algorithm = match default.get("SSEAlgorithm").map(|item| text(&item.value)) {
        None | Some(Fact::Absent) => return Fact::Absent,
        Some(Fact::Unknown(why)) => return Fact::Unknown(why),
        Some(Fact::Known(algorithm)) => algorithm,
    };
    let key = match default.get("KMSMasterKeyID").map(|item| &item.value) {
        None | Some(Resolved::Null | Resolved::Nothing) => None,
        Some(value) => match value.as_text() {
            Some(key) if key.is_known() => Some(key.to_string()),
            // Any key of this template is the customer's; which text names it doesn't matter.
            Some(key) if key.tokens().all(|token| matches!(token, Token::Made(_))) => Some(key.to_string()),
            Some(key) if algorithm != "AES256" => return Fact::Unknown(why(&key)),
            Some(_) | None => None,
        },
    };
    Fact::Known(Encryption { algorithm, key })
}

fn retention(value: &Resolved) -> Fact<ObjectLock> {
    let enabled = match word(value, "ObjectLockEnabled", |text| Some(text == "Enabled")) {
        Fact::Known(enabled) => enabled,
        Fact::Absent => false,
        Fact::Unknown(why) => return Fact::Unknown(why),
    };
    let default = match value.get("Rule").map(|item| &item.value) {
        None | Some(Resolved::Null | Resolved::Nothing) => None,
        Some(Resolved::Unknown(unknown)) => return Fact::Unknown(unknown.why()),
        Some(rule) if is_misshapen(rule) => return Fact::Unknown(Why::NotRead),
        Some(rule) => match rule.get("DefaultRetention").map(|item| &item.value) {
            None | Some(Resolved::Null | Resolved::Nothing) => None,
            Some(Resolved::Unknown(unknown)) => return Fact::Unknown(unknown.why()),
            Some(default) => Some(default),
        },
    };
    let default_retention = default.map(|default| {
        let part = |key| default.get(key).and_then(|item| item.value.as_text());
        let mode = part("Mode").map_or_else(|| "retention".to_owned(), |mode| mode.to_string());
        match (part("Days"), part("Years")) {
            (Some(days), _) => format!("{mode}, {days} days"),
            (None, Some(years)) => format!("{mode}, {years} years"),
            (None, None) => mode,
        }
    });
    Fact::Known(ObjectLock {
        enabled: enabled || default_retention.is_some(),
        default_retention,
    })
}

/// What isn't written in the block is off.
fn public_access_block(value: &Resolved) -> Fact<PublicAccessBlock> {
    let mut block = PublicAccessBlock::default();
    for (key, field) in [
        ("BlockPublicAcls", &mut block.block_public_acls),
        ("IgnorePublicAcls", &mut block.ignore_public_acls),
        ("BlockPublicPolicy", &mut block.block_public_policy),
        ("RestrictPublicBuckets", &mut block.restrict_public_buckets),
    ] {
        match value.get(key).map(|item| truth(&item.value)) {
            None | Some(Fact::Absent) => {}
            Some(Fact::Known(value)) => *field = value,
            Some(Fact::Unknown(why)) => return Fact::Unknown(why),
        }
    }
    Fact::Known(block)
}

fn lifecycle(value: &Resolved) -> Fact<Vec<LifecycleRule>> {
    // What can't be told apart from the default by its text may move small objects.
    let varies = match value
        .get("TransitionDefaultMinimumObjectSize")
        .map(|item| &item.value)
    {
        None | Some(Resolved::Null | Resolved::Nothing) => false,
        Some(value) => text(value)
            .known()
            .is_none_or(|text| text != "all_storage_classes_128K"),
    };
    match value.get("Rules").map(|item| &item.value) {
        None | Some(Resolved::Null | Resolved::Nothing) => Fact::Absent,
        Some(Resolved::List(rules)) => {
            let mut all = Vec::with_capacity(rules.len());
            for rule in rules {
                match lifecycle_rule(&rule.value) {
                    Ok(mut rule) => {
                        rule.transitions_small |= varies;
                        all.push(rule);
                    }
                    Err(why) => return Fact::Unknown(why),
                }
            }
            Fact::Known(all)
        }
        Some(Resolved::Unknown(unknown)) => Fact::Unknown(unknown.why()),
        Some(_) => Fact::Unknown(Why::NotRead),
    }
}

fn lifecycle_rule(rule: &Resolved) -> Result<LifecycleRule, Why> {
    let known = |key: &str| -> Result<Option<String>, Why> {
        match rule.get(key).map(|item| &item.value) {
            None | Some(Resolved::Null | Resolved::Nothing) => Ok(None),
            Some(value) => match text(value) {
                Fact::Known(text) => Ok(Some(text)),
                Fact::Absent => Ok(None),
                Fact::Unknown(why) => Err(why),
            },
        }
    };
    // Whether it is written; not what: a number of days that is a parameter is a number of days.
    let written = |key: &str| match rule.get(key).map(|item| &item.value) {
        None | Some(Resolved::Null | Resolved::Nothing) => Ok(false),
        Some(Resolved::Unknown(unknown @ Unknown::Maybe(_))) => Err(unknown.why()),
        Some(Resolved::List(items)) => Ok(!items.is_empty()),
        Some(_) => Ok(true),
    };
    if let Resolved::Unknown(unknown) = rule {
        return Err(unknown.why());
    }
    if is_misshapen(rule) {
        return Err(Why::NotRead);
    }
    let size = |key: &str| known(key).map(|text| text.and_then(|text| text.parse().ok()));
    Ok(LifecycleRule {
        id: known("Id").unwrap_or_default(),
        enabled: known("Status")?.as_deref() == Some("Enabled"),
        prefix: known("Prefix")?.unwrap_or_default(),
        needs_tag: written("TagFilters")?,
        larger_than: size("ObjectSizeGreaterThan")?,
        transitions_small: written("ObjectSizeGreaterThan")?,
        smaller_than: size("ObjectSizeLessThan")?,
        expires: written("ExpirationInDays")? || written("ExpirationDate")?,
        expires_noncurrent: written("NoncurrentVersionExpiration")?
            || written("NoncurrentVersionExpirationInDays")?,
        transitions: written("Transition")? || written("Transitions")?,
        aborts_uploads: written("AbortIncompleteMultipartUpload")?,
    })
}
