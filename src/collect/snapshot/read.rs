//! A snapshot's text → an inventory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use miette::Diagnostic;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use super::answers::{self, Unasked};
use crate::inventory::{
    Account, Acl, Allowance, Bucket, BucketSettings, Call, Document, Encryption, Existence, Fact, Grant,
    Grantee, Inventory, KeyFormat, LifecycleRule, Listing, Logging, ObjectLock, ObjectOwnership, Payer,
    Place, PublicAccessBlock, Settings, TargetRef, Title, Versioning, Why,
};
use crate::name::{AccountId, Partition, Region};

/// Why a text is no snapshot that can be read.
#[derive(Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum SnapshotError {
    #[error("line {line}, column {column}: {reason}")]
    #[diagnostic(
        code(snapshot::malformed),
        help("record it again with `s3log-lint snapshot -o FILE`, or mend the file at this place")
    )]
    Malformed {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error(
        "this is a snapshot of version {found}; this program reads version {}",
        super::VERSION
    )]
    #[diagnostic(
        code(snapshot::version),
        help("use a release of s3log-lint that reads version {found}")
    )]
    Version { found: String },
    #[error("this JSON is no snapshot: it has no `version`")]
    #[diagnostic(
        code(snapshot::no_version),
        help(
            "a snapshot starts with {{\"version\": 1, \"accounts\": [...]}}; record one with `s3log-lint snapshot -o FILE`"
        )
    )]
    NoVersion,
}

/// Reads a snapshot. Every answer that is missing or refused becomes an unknown fact; nothing else is lost.
pub fn read(text: &str) -> Result<Inventory, SnapshotError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head: answers::Head = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    match head.version {
        None => return Err(SnapshotError::NoVersion),
        Some(version) if version.as_u64() == Some(super::VERSION) => {}
        Some(version) => {
            return Err(SnapshotError::Version {
                found: version.to_string(),
            });
        }
    }
    let file: answers::File<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let reader = Reader {
        text,
        unasked: file.unasked,
    };
    let mut accounts = file
        .accounts
        .into_iter()
        .map(|account| reader.account(account))
        .collect::<Result<Vec<_>, _>>()?;
    accounts.sort_by(|a, b| account_order(a).cmp(&account_order(b)));
    Ok(Inventory {
        accounts,
        api_calls: file.api_calls,
        taken_at: file.taken_at,
    })
}

fn account_order(account: &Account) -> Option<&str> {
    account.id.known().map(AccountId::as_str)
}

pub(super) fn malformed(error: &serde_json::Error) -> SnapshotError {
    // serde_json appends " at line L column C"; the place is said once, in front.
    let whole = error.to_string();
    let reason = whole
        .rsplit_once(" at line ")
        .map_or(whole.as_str(), |(reason, _)| reason);
    SnapshotError::Malformed {
        line: error.line(),
        column: error.column(),
        reason: reason.to_owned(),
    }
}

pub(super) struct Reader<'a> {
    text: &'a str,
    unasked: Unasked,
}

impl<'a> Reader<'a> {
    /// Reads a single bucket's answers; what isn't among them is unknown.
    pub(super) fn of_one_answer(text: &'a str) -> Self {
        Self {
            text,
            unasked: Unasked::Unknown,
        }
    }

    fn account(&self, raw: answers::Account<'a>) -> Result<Account, SnapshotError> {
        let id = match raw.id {
            None => Fact::Unknown(Why::NotRead),
            Some(id) => Fact::Known(self.name(id, AccountId::parse)?),
        };
        let mut account = Account::new(id);
        account.partition = match raw.partition {
            None => Partition::default(),
            Some(partition) => self.name(partition, Partition::parse)?,
        };
        account.organization = match raw.organization_id {
            None => Fact::Unknown(Why::NotRead),
            Some(organization) => match self.parse::<Option<String>>(organization)? {
                None => Fact::Absent,
                Some(organization) => Fact::Known(organization),
            },
        };
        account.listing = match raw.list_buckets {
            None => Listing::Complete,
            Some(answer) => match self.answer::<answers::ListBuckets>(answer, Call::List)? {
                Fact::Unknown(why) => Listing::Unknown(why),
                Fact::Known(answer) if answer.partial => Listing::Partial,
                Fact::Known(_) | Fact::Absent => Listing::Complete,
            },
        };
        account.buckets = raw
            .buckets
            .into_iter()
            .map(|(name, bucket)| self.bucket(&name, &bucket))
            .collect::<Result<Vec<_>, _>>()?;
        account.elsewhere = raw
            .elsewhere
            .into_iter()
            .map(|(name, bucket)| Ok((name.into_owned(), self.existence(&bucket)?)))
            .collect::<Result<BTreeMap<_, _>, SnapshotError>>()?;
        Ok(account)
    }

    fn bucket(&self, name: &str, raw: &answers::Bucket<'a>) -> Result<Bucket, SnapshotError> {
        let label: Arc<str> = name.into();
        let logging = match raw.logging {
            None if self.unasked == Unasked::Absent => Fact::Absent,
            None => Fact::Unknown(Why::NotRead),
            Some(answer) => self.logging(answer, &label)?,
        };
        Ok(Bucket {
            name_known: true,
            region: self.region(raw)?,
            logging,
            in_scope: !raw.out_of_scope,
            place: None,
            allowances: self.allowances(raw, &label)?,
            never_with: Vec::new(),
            hangs_on: None,
            region_of: None,
            settings: self.settings(raw, &label)?,
            label,
        })
    }

    /// What the bucket's tags allow: `s3log-lint:allow:S3L003` with the reason as its value. A refusal allows nothing.
    fn allowances(
        &self,
        raw: &answers::Bucket<'a>,
        label: &Arc<str>,
    ) -> Result<Vec<Allowance>, SnapshotError> {
        const KEY: &str = "s3log-lint:allow:";
        let Some(answer) = raw.tagging else {
            return Ok(Vec::new());
        };
        let Fact::Known(tagging) = self.answer::<answers::BucketTagging>(answer, Call::Tagging)? else {
            return Ok(Vec::new());
        };
        let document = self.document(answer, label, Call::Tagging);
        let mut allowances = Vec::new();
        for (index, tag) in tagging.tag_set.iter().enumerate() {
            if let Some(rule) = tag.key.strip_prefix(KEY) {
                let place = Place::new(&document, format!("/TagSet/{index}"));
                // A rule has no blank in it; what has one is no rule, and is said to be none.
                let rule = rule.replace(char::is_whitespace, "_");
                allowances.extend(Allowance::listed(&format!("{rule} {}", tag.value), &place));
            }
        }
        Ok(allowances)
    }

    fn region(&self, raw: &answers::Bucket<'a>) -> Result<Fact<Region>, SnapshotError> {
        if let Some(region) = raw.region {
            return Ok(Fact::Known(self.name(region, Region::parse)?));
        }
        let named = |text: Option<String>| match text.map(|text| Region::parse(&text)) {
            Some(Ok(region)) => Fact::Known(region),
            Some(Err(_)) | None => Fact::Unknown(Why::NotRead),
        };
        if let Some(head) = raw.head {
            let answer = self.answer::<answers::HeadBucket>(head, Call::Head)?;
            return Ok(flatten(answer.map(|head| Some(head.bucket_region)), named));
        }
        let Some(location) = raw.location else {
            return Ok(Fact::Unknown(Why::NotRead));
        };
        let answer = self.answer::<answers::BucketLocation>(location, Call::Location)?;
        Ok(flatten(
            answer.map(|location| Some(location.constraint)),
            |text| match Region::from_location_constraint(text.as_deref()) {
                Ok(region) => Fact::Known(region),
                Err(_) => Fact::Unknown(Why::NotRead),
            },
        ))
    }

    fn existence(&self, raw: &answers::Bucket<'a>) -> Result<Existence, SnapshotError> {
        let Some(head) = raw.head else {
            return Ok(Existence::Unknown(Why::NotRead));
        };
        let region = |text: Option<&str>| text.and_then(|text| Region::parse(text).ok());
        let refusal: answers::Refusal = self.parse(head)?;
        let Some(error) = refusal.error else {
            let answer: answers::HeadBucket = self.parse(head)?;
            return Ok(Existence::Exists {
                region: region(answer.bucket_region.as_deref()),
            });
        };
        let code = error.code.as_deref().unwrap_or_default();
        let status = error.status.or_else(|| code.parse().ok());
        Ok(match (status, code) {
            (Some(404), _) | (_, "NoSuchBucket" | "NotFound") => Existence::Missing,
            (Some(200 | 301 | 403), _) | (_, "PermanentRedirect" | "AccessDenied" | "Forbidden") => {
                Existence::Exists {
                    region: region(error.region.as_deref()),
                }
            }
            _ => Existence::Unknown(why(&error, Call::Head)),
        })
    }

    pub(super) fn logging(
        &self,
        raw: &'a RawValue,
        label: &Arc<str>,
    ) -> Result<Fact<Logging>, SnapshotError> {
        let answer = self.answer::<answers::BucketLogging>(raw, Call::Logging)?;
        let enabled = match answer {
            Fact::Unknown(why) => return Ok(Fact::Unknown(why)),
            Fact::Absent => return Ok(Fact::Absent),
            Fact::Known(answer) => answer.logging_enabled,
        };
        let Some(enabled) = enabled else {
            return Ok(Fact::Absent);
        };
        let key_format = match enabled
            .target_object_key_format
            .and_then(|format| format.partitioned_prefix)
        {
            None => KeyFormat::Simple,
            // "PartitionDateSource defaults to EventTime"
            Some(partitioned) => match partitioned.partition_date_source.as_deref() {
                Some("DeliveryTime") => KeyFormat::PartitionedByDeliveryTime,
                _ => KeyFormat::PartitionedByEventTime,
            },
        };
        let document = self.document(raw, label, Call::Logging);
        Ok(Fact::Known(Logging {
            target: Fact::Known(TargetRef::Name(enabled.target_bucket)),
            prefix: Fact::Known(enabled.target_prefix.unwrap_or_default()),
            key_format: Fact::Known(key_format),
            target_grants: grants(enabled.target_grants.unwrap_or_default()),
            place: Place::new(&document, "/LoggingEnabled"),
            prefix_place: None,
        }))
    }

    fn document(&self, raw: &'a RawValue, label: &Arc<str>, call: Call) -> Arc<Document> {
        Arc::new(Document {
            title: Title::Answer {
                bucket: Arc::clone(label),
                call,
            },
            text: raw.get().into(),
            host: None,
        })
    }

    pub(super) fn settings(
        &self,
        raw: &answers::Bucket<'a>,
        label: &Arc<str>,
    ) -> Result<BucketSettings, SnapshotError> {
        let asked = [
            raw.policy,
            raw.acl,
            raw.ownership_controls,
            raw.encryption,
            raw.object_lock,
            raw.request_payment,
            raw.lifecycle,
            raw.versioning,
            raw.public_access_block,
        ];
        let mut settings = match self.unasked {
            Unasked::Absent => Settings::of_a_fresh_bucket(),
            Unasked::Unknown => Settings::unknown(&Why::NotRead),
        };
        if asked.iter().all(Option::is_none) {
            return Ok(match self.unasked {
                Unasked::Absent => BucketSettings::Fresh,
                Unasked::Unknown => BucketSettings::NotRead,
            });
        }
        for (call, answer) in Call::OF_TARGETS.into_iter().zip(asked) {
            let Some(answer) = answer else { continue };
            let document = self.document(answer, label, call);
            let pointer = match call {
                Call::OwnershipControls => "/OwnershipControls/Rules/0/ObjectOwnership",
                Call::Encryption => {
                    "/ServerSideEncryptionConfiguration/Rules/0/ApplyServerSideEncryptionByDefault"
                }
                Call::ObjectLock => "/ObjectLockConfiguration",
                Call::RequestPayment => "/Payer",
                Call::Acl => "/Grants",
                Call::Lifecycle => "/Rules",
                _ => "",
            };
            settings.places.insert(call, Place::new(&document, pointer));
        }
        if let Some(answer) = raw.policy {
            settings.policy = self.policy(answer, label)?;
            if let Fact::Known(document) = &settings.policy {
                settings.places.insert(Call::Policy, Place::new(document, ""));
            }
        }
        if let Some(answer) = raw.acl {
            settings.acl = self
                .answer::<answers::BucketAcl>(answer, Call::Acl)?
                .map(|acl| Acl {
                    owner: acl.owner.and_then(|owner| owner.id),
                    grants: grants(acl.grants),
                });
        }
        if let Some(answer) = raw.ownership_controls {
            settings.object_ownership = flatten(
                self.answer::<answers::Ownership>(answer, Call::OwnershipControls)?
                    .map(|ownership| {
                        ownership
                            .controls
                            .and_then(|controls| controls.rules.into_iter().find_map(|r| r.object_ownership))
                    }),
                |text| match ObjectOwnership::parse(&text) {
                    Some(ownership) => Fact::Known(ownership),
                    None => Fact::Unknown(Why::Failed {
                        code: format!("unknown ObjectOwnership {text}"),
                    }),
                },
            );
        }
        if let Some(answer) = raw.encryption {
            settings.encryption = flatten(
                self.answer::<answers::BucketEncryption>(answer, Call::Encryption)?
                    .map(|encryption| {
                        encryption
                            .configuration
                            .and_then(|all| all.rules.into_iter().find_map(|rule| rule.by_default))
                    }),
                |rule| {
                    Fact::Known(Encryption {
                        algorithm: rule.algorithm,
                        key: rule.key,
                    })
                },
            );
        }
        if let Some(answer) = raw.object_lock {
            settings.object_lock = flatten(
                self.answer::<answers::ObjectLockAnswer>(answer, Call::ObjectLock)?
                    .map(|lock| lock.configuration),
                |lock| Fact::Known(object_lock(lock)),
            );
        }
        if let Some(answer) = raw.request_payment {
            settings.payer = self
                .answer::<answers::RequestPayment>(answer, Call::RequestPayment)?
                .map(|payment| {
                    if payment.payer.as_deref() == Some("Requester") {
                        Payer::Requester
                    } else {
                        Payer::BucketOwner
                    }
                });
        }
        if let Some(answer) = raw.lifecycle {
            settings.lifecycle =
                self.answer::<answers::Lifecycle>(answer, Call::Lifecycle)?
                    .map(|lifecycle| {
                        let varies = lifecycle.minimum_size.as_deref() == Some("varies_by_storage_class");
                        let rules = lifecycle.rules.into_iter();
                        rules.map(|rule| lifecycle_rule(rule, varies)).collect()
                    });
        }
        if let Some(answer) = raw.versioning {
            settings.versioning = flatten(
                self.answer::<answers::BucketVersioning>(answer, Call::Versioning)?
                    .map(|versioning| versioning.status),
                |status| match status.as_str() {
                    "Enabled" => Fact::Known(Versioning::Enabled),
                    "Suspended" => Fact::Known(Versioning::Suspended),
                    _ => Fact::Absent,
                },
            );
        }
        if let Some(answer) = raw.public_access_block {
            settings.public_access_block = flatten(
                self.answer::<answers::PublicAccess>(answer, Call::PublicAccessBlock)?
                    .map(|all| all.configuration),
                |block| {
                    Fact::Known(PublicAccessBlock {
                        block_public_acls: block.block_public_acls,
                        ignore_public_acls: block.ignore_public_acls,
                        block_public_policy: block.block_public_policy,
                        restrict_public_buckets: block.restrict_public_buckets,
                    })
                },
            );
        }
        Ok(BucketSettings::Read(Box::new(settings)))
    }

    /// The policy's exact text: AWS's answer holds it in a string; an example written by hand may be the policy itself.
    fn policy(&self, raw: &'a RawValue, label: &Arc<str>) -> Result<Fact<Arc<Document>>, SnapshotError> {
        #[derive(serde::Deserialize)]
        struct Answer<'a> {
            #[serde(rename = "Policy", borrow)]
            policy: Option<&'a RawValue>,
        }
        if !raw.get().starts_with('{') {
            return Err(self.misplaced(raw, "a policy is an object"));
        }
        if let Fact::Unknown(why) = self.answer::<serde::de::IgnoredAny>(raw, Call::Policy)? {
            return Ok(Fact::Unknown(why));
        }
        let refusal: answers::Refusal = self.parse(raw)?;
        if refusal.error.is_some() {
            return Ok(Fact::Absent);
        }
        let answer: Answer<'a> = self.parse(raw)?;
        let text = match answer.policy {
            None => raw.get().to_owned(),
            Some(policy) if policy.get().starts_with('"') => self.parse::<String>(policy)?,
            Some(policy) => policy.get().to_owned(),
        };
        let title = Title::Answer {
            bucket: Arc::clone(label),
            call: Call::Policy,
        };
        Ok(Fact::Known(Arc::new(Document {
            title,
            text: text.into(),
            host: None,
        })))
    }

    /// AWS's answer, or what its error means.
    fn answer<T: DeserializeOwned>(&self, raw: &'a RawValue, call: Call) -> Result<Fact<T>, SnapshotError> {
        let refusal: answers::Refusal = self.parse(raw)?;
        match refusal.error {
            None => Ok(Fact::Known(self.parse(raw)?)),
            Some(error) if error.code.is_some() && error.code.as_deref() == call.absent_code() => {
                Ok(Fact::Absent)
            }
            Some(error) => Ok(Fact::Unknown(why(&error, call))),
        }
    }

    fn parse<T: serde::Deserialize<'a>>(&self, raw: &'a RawValue) -> Result<T, SnapshotError> {
        serde_json::from_str(raw.get()).map_err(|error| {
            // The error counts from the start of this answer: count on from where it stands in the file.
            let SnapshotError::Malformed { line, column, reason } = malformed(&error) else {
                return malformed(&error);
            };
            let (start_line, start_column) = self.position(raw);
            let column = if line <= 1 {
                start_column + column.saturating_sub(1)
            } else {
                column
            };
            SnapshotError::Malformed {
                line: start_line + line.saturating_sub(1),
                column,
                reason,
            }
        })
    }

    fn name<T>(
        &self,
        raw: &'a RawValue,
        parse: impl Fn(&str) -> Result<T, crate::name::NameError>,
    ) -> Result<T, SnapshotError> {
        let text: Cow<'a, str> = self.parse(raw)?;
        parse(&text).map_err(|error| self.misplaced(raw, &error.to_string()))
    }

    fn misplaced(&self, raw: &'a RawValue, reason: &str) -> SnapshotError {
        let (line, column) = self.position(raw);
        SnapshotError::Malformed {
            line,
            column,
            reason: reason.to_owned(),
        }
    }

    /// Line and column of a value, counted from 1. A raw value borrows from the text, so its address is its offset.
    fn position(&self, raw: &'a RawValue) -> (usize, usize) {
        let offset = (raw.get().as_ptr() as usize)
            .saturating_sub(self.text.as_ptr() as usize)
            .min(self.text.len());
        let before = &self.text.as_bytes()[..offset];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        (line, column)
    }
}

fn why(error: &answers::AwsError, call: Call) -> Why {
    let code = error.code.as_deref().unwrap_or_default();
    if error.status == Some(403) || matches!(code, "AccessDenied" | "403" | "Forbidden" | "AllAccessDisabled")
    {
        // An expired or wrong key is a 403 too, but no missing permission.
        if !matches!(
            code,
            "ExpiredToken"
                | "InvalidAccessKeyId"
                | "InvalidToken"
                | "RequestTimeTooSkewed"
                | "SignatureDoesNotMatch"
        ) {
            return Why::Denied {
                action: call.action(),
            };
        }
    }
    let code = match (code, error.status) {
        ("", Some(status)) => status.to_string(),
        ("", None) => "an error without a code".to_owned(),
        (code, _) => code.to_owned(),
    };
    Why::Failed { code }
}

fn flatten<T, U>(fact: Fact<Option<T>>, known: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
    match fact {
        Fact::Known(Some(value)) => known(value),
        Fact::Known(None) | Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why),
    }
}

fn grants(raw: Vec<answers::Grant>) -> Vec<Grant> {
    let grantee = |raw: Option<answers::Grantee>| match raw {
        None => Grantee::Other,
        Some(answers::Grantee { uri: Some(uri), .. }) => Grantee::Group { uri },
        Some(answers::Grantee {
            email_address: Some(_),
            ..
        }) => Grantee::Email,
        Some(answers::Grantee {
            r#type: Some(kind), ..
        }) if kind == "AmazonCustomerByEmail" => Grantee::Email,
        Some(answers::Grantee { id: Some(id), .. }) => Grantee::CanonicalUser { id },
        Some(_) => Grantee::Other,
    };
    raw.into_iter()
        .map(|grant| Grant {
            grantee: grantee(grant.grantee),
            permission: grant.permission,
        })
        .collect()
}

fn object_lock(raw: answers::ObjectLockConfiguration) -> ObjectLock {
    let retention = raw.rule.and_then(|rule| rule.default_retention).map(|retention| {
        let mode = retention.mode.unwrap_or_else(|| "retention".to_owned());
        match (retention.days, retention.years) {
            (Some(days), _) => format!("{mode}, {days} days"),
            (None, Some(years)) => format!("{mode}, {years} years"),
            (None, None) => mode,
        }
    });
    ObjectLock {
        enabled: raw.object_lock_enabled.as_deref() == Some("Enabled") || retention.is_some(),
        default_retention: retention,
    }
}

fn lifecycle_rule(raw: answers::LifecycleRule, varies_by_class: bool) -> LifecycleRule {
    let filter = raw.filter.unwrap_or(answers::LifecycleFilter {
        prefix: None,
        tag: None,
        object_size_greater_than: None,
        object_size_less_than: None,
        and: None,
    });
    let and = filter.and.unwrap_or(answers::LifecycleAnd {
        prefix: None,
        tags: Vec::new(),
        object_size_greater_than: None,
        object_size_less_than: None,
    });
    let larger_than = filter.object_size_greater_than.or(and.object_size_greater_than);
    let to_glacier = |transition: &answers::Transition| {
        matches!(
            transition.storage_class.as_deref(),
            Some("GLACIER" | "DEEP_ARCHIVE")
        )
    };
    LifecycleRule {
        transitions_small: larger_than.is_some()
            || (varies_by_class && raw.transitions.iter().chain(&raw.transition).any(to_glacier)),
        id: raw.id,
        enabled: raw.status.as_deref() == Some("Enabled"),
        prefix: raw.prefix.or(filter.prefix).or(and.prefix).unwrap_or_default(),
        needs_tag: filter.tag.is_some() || !and.tags.is_empty(),
        larger_than,
        smaller_than: filter.object_size_less_than.or(and.object_size_less_than),
        expires: raw
            .expiration
            .is_some_and(|e| e.days.is_some() || e.date.is_some()),
        expires_noncurrent: raw.noncurrent_version_expiration.is_some(),
        transitions: !raw.transitions.is_empty() || raw.transition.is_some(),
        aborts_uploads: raw.abort_incomplete_multipart_upload.is_some(),
    }
}
