//! The condition keys, and what is known of each in the request by which S3 delivers a log.
//!
//! One table. Each row says what a delivery carries, how sure that is, and where it is said.

use std::borrow::Cow;

use super::compare::parse_instant;
use super::delivery::{DefaultEncryption, Delivery, Told};
use super::facts::Facts;
use super::syntax::LOG_SERVICE;
use super::words::{Class, Words};

/// How sure a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It follows from the edge itself.
    Given,
    /// The user says so.
    Told,
    /// AWS documents it.
    Documented,
    /// Seen in records or incidents.
    Evidence,
    /// Concluded from what AWS documents.
    Inferred,
    /// Nobody knows.
    Open,
}

impl Mark {
    pub fn words(self) -> &'static str {
        match self {
            Mark::Given => "from the edge",
            Mark::Told => "as you say",
            Mark::Documented => "documented",
            Mark::Evidence => "from evidence, not documented",
            Mark::Inferred => "inferred, not documented",
            Mark::Open => "not known",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub state: State,
    pub mark: Mark,
    /// Holds many values at once; needs `ForAllValues` or `ForAnyValue`.
    pub multivalued: bool,
    pub reference: &'static str,
}

/// What a delivery carries of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Absent,
    Is(&'static str),
    /// This value, and perhaps more.
    AtLeast(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Absent, or this value.
    AbsentOr(&'static str),
    /// Absent, or some value.
    AbsentOrAny,
    /// Absent, or a value that is of AWS and not of the customer.
    Foreign(Kind),
    /// Known from the delivery.
    Of(Dynamic),
}

/// A key whose value the delivery says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dynamic {
    SourceArn,
    SourceAccount,
    ResourceAccount,
    RequestedRegion,
    CurrentTime,
    EpochTime,
    SourceOrganizationId,
    SourceOrganizationPaths,
    ResourceOrganizationId,
    ResourceOrganizationPaths,
    KmsKeyId,
}

/// One way how it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum World<'a> {
    Absent,
    /// The values of the key.
    Values(Vec<Worth<'a>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worth<'a> {
    Words(Words<'a>),
    /// Of AWS, not of the customer.
    Foreign(Kind),
}

/// What a value of AWS's own is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An ARN, an account, a unique id.
    Identity,
    Address,
}

impl<'a> Worth<'a> {
    fn is(text: impl Into<Cow<'a, str>>) -> Self {
        Worth::Words(Words::one(text))
    }

    fn any() -> Self {
        Worth::Words(Words::default().then_some(Class::Anything, 0, None))
    }

    /// The text, where it can be said.
    pub fn known(&self) -> Option<&str> {
        match self {
            Worth::Words(words) => words.only(),
            Worth::Foreign(_) => None,
        }
    }
}

/// The ways how it may be that a state leaves open.
pub fn worlds<'a>(state: State, delivery: &'a Delivery) -> Vec<World<'a>> {
    let values = |worth: Worth<'a>| World::Values(vec![worth]);
    match state {
        State::Of(dynamic) => dynamic_worlds(dynamic, delivery),
        State::Absent => vec![World::Absent],
        State::Is(text) => vec![values(Worth::is(text))],
        State::AtLeast(text) => vec![
            values(Worth::is(text)),
            World::Values(vec![Worth::is(text), Worth::any()]),
        ],
        State::OneOf(texts) => texts.iter().map(|text| values(Worth::is(*text))).collect(),
        State::AbsentOr(text) => vec![World::Absent, values(Worth::is(text))],
        State::AbsentOrAny => vec![World::Absent, values(Worth::any())],
        State::Foreign(kind) => vec![World::Absent, values(Worth::Foreign(kind))],
    }
}

fn dynamic_worlds<'a>(dynamic: Dynamic, delivery: &'a Delivery) -> Vec<World<'a>> {
    let present = |worth: Worth<'a>| vec![World::Values(vec![worth])];
    let account = |account: Option<&'a crate::name::AccountId>| {
        present(match account {
            Some(account) => Worth::is(account.as_str()),
            None => Worth::Words(Words::default().then_account()),
        })
    };
    match dynamic {
        Dynamic::SourceArn => present(Worth::Words(delivery.source_arn())),
        Dynamic::SourceAccount => account(delivery.source_account.as_ref()),
        Dynamic::ResourceAccount => account(delivery.target_account.as_ref()),
        Dynamic::RequestedRegion => present(match &delivery.region {
            Some(region) => Worth::is(region.as_str()),
            None => Worth::Words(Words::default().then_some(Class::Name, 3, None)),
        }),
        Dynamic::CurrentTime => present(match &delivery.now {
            Some(now) => Worth::is(&**now),
            None => Worth::any(),
        }),
        // As a number, for operators on numbers.
        Dynamic::EpochTime => present(match delivery.now.as_deref().and_then(parse_instant) {
            Some(seconds) => Worth::is(seconds.to_string()),
            None => Worth::any(),
        }),
        Dynamic::SourceOrganizationId | Dynamic::ResourceOrganizationId => match &delivery.organization {
            Told::Known(id) => present(Worth::is(id.as_str())),
            Told::Absent => vec![World::Absent],
            Told::Unknown => vec![World::Absent, World::Values(vec![Worth::any()])],
        },
        // o-…/r-…/ou-…/: of which only the organization is known.
        Dynamic::SourceOrganizationPaths | Dynamic::ResourceOrganizationPaths => match &delivery.organization
        {
            Told::Known(id) => present(paths_in(id)),
            Told::Absent => vec![World::Absent],
            Told::Unknown => vec![World::Absent, World::Values(vec![Worth::any()])],
        },
        Dynamic::KmsKeyId => match delivery.default_encryption {
            Some(DefaultEncryption::SseS3) => vec![World::Absent],
            Some(DefaultEncryption::Kms) | None => vec![World::Absent, World::Values(vec![Worth::any()])],
        },
    }
}

fn paths_in(organization: &str) -> Worth<'static> {
    Worth::Words(Words::one(format!("{organization}/")).then_some(Class::Anything, 1, None))
}

/// What the delivery of a stranger's logs carries of a key, where that differs: a bucket, an account and an
/// organization of which no policy speaks.
pub fn stranger_worlds(
    dynamic: Dynamic,
    delivery: &Delivery,
    is_in_one: bool,
) -> Option<Vec<World<'static>>> {
    /// Characters for private use: no name, no id, and equal to nothing that is written.
    const NOBODY: &str = "\u{e000}";
    const OWN: &str = "\u{e001}";
    let partition = &delivery.partition;
    let present = |worth: Worth<'static>| vec![World::Values(vec![worth])];
    let organization = format!("o-{}", NOBODY.repeat(10));
    Some(match (dynamic, is_in_one) {
        (Dynamic::SourceArn, _) => present(Worth::is(format!("arn:{partition}:s3:::{}", NOBODY.repeat(12)))),
        (Dynamic::SourceAccount, _) => present(Worth::is(NOBODY.repeat(12))),
        (Dynamic::SourceOrganizationId, true) => present(Worth::is(organization)),
        (Dynamic::SourceOrganizationPaths, true) => present(paths_in(&organization)),
        (Dynamic::SourceOrganizationId | Dynamic::SourceOrganizationPaths, false) => vec![World::Absent],
        // Whichever the own one is, it is another one.
        (Dynamic::ResourceOrganizationId, _) if delivery.organization == Told::Unknown => {
            present(Worth::is(format!("o-{}", OWN.repeat(10))))
        }
        (
            Dynamic::ResourceAccount
            | Dynamic::RequestedRegion
            | Dynamic::CurrentTime
            | Dynamic::EpochTime
            | Dynamic::ResourceOrganizationId
            | Dynamic::ResourceOrganizationPaths
            | Dynamic::KmsKeyId,
            _,
        ) => return None,
    })
}

/// What the user says of a key, in place of the table.
pub fn told(facts: &Facts, key: &str) -> Option<Vec<World<'static>>> {
    Some(match facts.about(key)? {
        Told::Known(values) => {
            vec![World::Values(
                values.iter().map(|value| Worth::is(value.clone())).collect(),
            )]
        }
        Told::Absent => vec![World::Absent],
        Told::Unknown => return None,
    })
}

/// Whether there is a key of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    Known,
    /// A key of another service, or of an identity provider: never present here.
    Elsewhere,
    NoSuchAwsKey,
    NoSuchS3Key,
    NoPrefix,
}

pub fn spelling(key: &str) -> Spelling {
    let lower = key.to_ascii_lowercase();
    if entry(&lower).is_some() {
        return Spelling::Known;
    }
    match lower.split_once(':') {
        Some(("aws", _)) => Spelling::NoSuchAwsKey,
        Some(("s3", _)) => Spelling::NoSuchS3Key,
        Some((prefix, name)) if !prefix.is_empty() && !name.is_empty() => Spelling::Elsewhere,
        Some(_) | None => Spelling::NoPrefix,
    }
}

/// What a delivery carries of a key, in lower case. A key that there isn't is never present.
pub fn row(key: &str) -> Row {
    if let Some((_, row)) = entry(key) {
        return row;
    }
    match spelling(key) {
        Spelling::NoSuchS3Key => Row {
            state: State::AbsentOrAny,
            mark: Mark::Open,
            multivalued: false,
            reference: "S3 has no such key, as far as this program knows",
        },
        Spelling::Known | Spelling::Elsewhere | Spelling::NoSuchAwsKey | Spelling::NoPrefix => Row {
            state: State::Absent,
            mark: Mark::Evidence,
            multivalued: false,
            reference: "there is no such key in a request to S3",
        },
    }
}

/// The key as AWS spells it.
pub fn proper_name(key: &str) -> String {
    match entry(&key.to_ascii_lowercase()) {
        Some((name, _)) if name.ends_with('/') => {
            format!("{name}{}", key.get(name.len()..).unwrap_or_default())
        }
        Some((name, _)) => name.to_owned(),
        None => super::open::shown(key).into_owned(),
    }
}

fn entry(key: &str) -> Option<(&'static str, Row)> {
    TABLE
        .iter()
        .find(|(name, _)| match name.strip_suffix('/') {
            // `aws:PrincipalTag/` stands for every tag.
            Some(_) => {
                key.len() > name.len() && key.as_bytes()[..name.len()].eq_ignore_ascii_case(name.as_bytes())
            }
            None if name.ends_with("grant-") => key
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name)),
            None => name.eq_ignore_ascii_case(key),
        })
        .copied()
}

const LOGGING: &str =
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html";
const GLOBAL: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html";
const S3_KEYS: &str = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys";
const EXAMPLES: &str = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html";
const QUICKSTART: &str = "https://github.com/aws-quickstart/quickstart-compliance-common/issues/29";

const fn one(state: State, mark: Mark, reference: &'static str) -> Row {
    Row {
        state,
        mark,
        multivalued: false,
        reference,
    }
}

const fn many(state: State, mark: Mark, reference: &'static str) -> Row {
    Row {
        state,
        mark,
        multivalued: true,
        reference,
    }
}

const TABLE: &[(&str, Row)] = &[
    // What a delivery is about.
    (
        "aws:SourceArn",
        one(State::Of(Dynamic::SourceArn), Mark::Given, LOGGING),
    ),
    (
        "aws:SourceAccount",
        one(State::Of(Dynamic::SourceAccount), Mark::Given, LOGGING),
    ),
    (
        "aws:ResourceAccount",
        one(State::Of(Dynamic::ResourceAccount), Mark::Given, GLOBAL),
    ),
    (
        "s3:ResourceAccount",
        one(State::Of(Dynamic::ResourceAccount), Mark::Given, S3_KEYS),
    ),
    (
        "aws:RequestedRegion",
        one(State::Of(Dynamic::RequestedRegion), Mark::Given, GLOBAL),
    ),
    (
        "aws:CurrentTime",
        one(State::Of(Dynamic::CurrentTime), Mark::Given, GLOBAL),
    ),
    (
        "aws:EpochTime",
        one(State::Of(Dynamic::EpochTime), Mark::Given, GLOBAL),
    ),
    // Who delivers.
    (
        "aws:PrincipalServiceName",
        one(State::Is(LOG_SERVICE), Mark::Documented, GLOBAL),
    ),
    (
        "aws:PrincipalIsAWSService",
        one(State::Is("true"), Mark::Documented, GLOBAL),
    ),
    (
        "aws:PrincipalServiceNamesList",
        many(State::AtLeast(LOG_SERVICE), Mark::Documented, EXAMPLES),
    ),
    // "True when a service uses the credentials of an IAM principal": log delivery uses its own.
    (
        "aws:ViaAWSService",
        one(State::Is("false"), Mark::Documented, GLOBAL),
    ),
    (
        "aws:SecureTransport",
        one(
            State::Is("true"),
            Mark::Evidence,
            "AWS prescribes TLS-only policies for log buckets, and logs arrive in them",
        ),
    ),
    (
        "s3:TlsVersion",
        one(
            State::OneOf(&["1.2", "1.3"]),
            Mark::Inferred,
            "AWS's endpoints take TLS 1.2 or later",
        ),
    ),
    // The organization.
    (
        "aws:SourceOrgID",
        one(State::Of(Dynamic::SourceOrganizationId), Mark::Documented, GLOBAL),
    ),
    (
        "aws:SourceOrgPaths",
        many(
            State::Of(Dynamic::SourceOrganizationPaths),
            Mark::Documented,
            GLOBAL,
        ),
    ),
    (
        "aws:ResourceOrgID",
        one(
            State::Of(Dynamic::ResourceOrganizationId),
            Mark::Documented,
            GLOBAL,
        ),
    ),
    (
        "aws:ResourceOrgPaths",
        many(
            State::Of(Dynamic::ResourceOrganizationPaths),
            Mark::Documented,
            GLOBAL,
        ),
    ),
    // "Only if the principal is a member of an organization": a service is none.
    ("aws:PrincipalOrgID", one(State::Absent, Mark::Documented, GLOBAL)),
    (
        "aws:PrincipalOrgPaths",
        many(State::Absent, Mark::Documented, GLOBAL),
    ),
    // The way of the request.
    ("aws:SourceVpc", one(State::Absent, Mark::Documented, GLOBAL)),
    ("aws:SourceVpcArn", one(State::Absent, Mark::Documented, GLOBAL)),
    ("aws:SourceVpce", one(State::Absent, Mark::Documented, GLOBAL)),
    ("aws:VpcSourceIp", one(State::Absent, Mark::Documented, GLOBAL)),
    ("aws:VpceAccount", one(State::Absent, Mark::Documented, GLOBAL)),
    ("aws:VpceOrgID", one(State::Absent, Mark::Documented, GLOBAL)),
    ("aws:VpceOrgPaths", many(State::Absent, Mark::Documented, GLOBAL)),
    (
        "aws:Ec2InstanceSourceVpc",
        one(State::Absent, Mark::Inferred, GLOBAL),
    ),
    (
        "aws:Ec2InstanceSourcePrivateIPv4",
        one(State::Absent, Mark::Inferred, GLOBAL),
    ),
    (
        "aws:SourceIp",
        one(
            State::Foreign(Kind::Address),
            Mark::Inferred,
            "AWS's own records show the log service with addresses of its own network",
        ),
    ),
    ("aws:UserAgent", one(State::AbsentOrAny, Mark::Open, GLOBAL)),
    ("aws:Referer", one(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:CalledVia", many(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:CalledViaFirst", one(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:CalledViaLast", one(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:ChatbotSourceArn", one(State::Absent, Mark::Inferred, GLOBAL)),
    // The caller's identity, which is AWS's.
    (
        "aws:PrincipalArn",
        one(State::Foreign(Kind::Identity), Mark::Inferred, GLOBAL),
    ),
    (
        "aws:PrincipalAccount",
        one(State::Foreign(Kind::Identity), Mark::Inferred, GLOBAL),
    ),
    (
        "aws:userid",
        one(State::Foreign(Kind::Identity), Mark::Inferred, GLOBAL),
    ),
    ("aws:PrincipalType", one(State::AbsentOrAny, Mark::Open, GLOBAL)),
    ("aws:username", one(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:PrincipalTag/", one(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:SourceIdentity", one(State::Absent, Mark::Inferred, GLOBAL)),
    (
        "aws:FederatedProvider",
        one(State::Absent, Mark::Inferred, GLOBAL),
    ),
    (
        "aws:MultiFactorAuthAge",
        one(State::Absent, Mark::Inferred, GLOBAL),
    ),
    (
        "aws:MultiFactorAuthPresent",
        one(State::AbsentOr("false"), Mark::Inferred, GLOBAL),
    ),
    (
        "aws:TokenIssueTime",
        one(State::AbsentOrAny, Mark::Inferred, GLOBAL),
    ),
    ("aws:AssumedRoot", one(State::Absent, Mark::Inferred, GLOBAL)),
    ("aws:SignInSessionArn", one(State::Absent, Mark::Inferred, GLOBAL)),
    // Tags.
    ("aws:ResourceTag/", one(State::AbsentOrAny, Mark::Open, GLOBAL)),
    ("aws:RequestTag/", one(State::AbsentOrAny, Mark::Open, GLOBAL)),
    ("aws:TagKeys", many(State::AbsentOrAny, Mark::Open, GLOBAL)),
    ("s3:BucketTag/", one(State::AbsentOrAny, Mark::Open, S3_KEYS)),
    (
        "s3:ExistingObjectTag/",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:RequestObjectTag/",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:RequestObjectTagKeys",
        many(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    ("s3:AccessPointTag/", one(State::Absent, Mark::Inferred, S3_KEYS)),
    // Headers of the PutObject.
    (
        "s3:x-amz-server-side-encryption",
        one(State::Absent, Mark::Evidence, QUICKSTART),
    ),
    (
        "s3:x-amz-server-side-encryption-customer-algorithm",
        one(State::Absent, Mark::Evidence, QUICKSTART),
    ),
    (
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        one(State::Of(Dynamic::KmsKeyId), Mark::Inferred, EXAMPLES),
    ),
    (
        "s3:x-amz-acl",
        one(
            State::AbsentOrAny,
            Mark::Open,
            "the only record that was found shows a grant header and no x-amz-acl",
        ),
    ),
    ("s3:x-amz-grant-", one(State::AbsentOrAny, Mark::Open, S3_KEYS)),
    (
        "s3:x-amz-storage-class",
        one(State::AbsentOrAny, Mark::Open, S3_KEYS),
    ),
    ("s3:if-none-match", one(State::AbsentOrAny, Mark::Open, S3_KEYS)),
    ("s3:if-match", one(State::AbsentOrAny, Mark::Open, S3_KEYS)),
    (
        "s3:signatureversion",
        one(State::AbsentOrAny, Mark::Open, S3_KEYS),
    ),
    ("s3:signatureAge", one(State::AbsentOrAny, Mark::Open, S3_KEYS)),
    ("s3:authType", one(State::AbsentOrAny, Mark::Open, S3_KEYS)),
    (
        "s3:x-amz-content-sha256",
        one(State::AbsentOrAny, Mark::Open, S3_KEYS),
    ),
    (
        "s3:ObjectCreationOperation",
        one(State::AbsentOrAny, Mark::Open, S3_KEYS),
    ),
    (
        "s3:x-amz-copy-source",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:x-amz-metadata-directive",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:x-amz-website-redirect-location",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:x-amz-object-ownership",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    ("s3:object-lock-mode", one(State::Absent, Mark::Inferred, S3_KEYS)),
    (
        "s3:object-lock-retain-until-date",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:object-lock-remaining-retention-days",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:object-lock-legal-hold",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    // Keys of other calls and other ways in.
    ("s3:prefix", one(State::Absent, Mark::Inferred, S3_KEYS)),
    ("s3:delimiter", one(State::Absent, Mark::Inferred, S3_KEYS)),
    ("s3:max-keys", one(State::Absent, Mark::Inferred, S3_KEYS)),
    ("s3:VersionId", one(State::Absent, Mark::Inferred, S3_KEYS)),
    (
        "s3:LocationConstraint",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:destinationRegion",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:isReplicationPauseRequest",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:InventoryAccessibleOptionalFields",
        many(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:AccessPointNetworkOrigin",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:DataAccessPointAccount",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:DataAccessPointArn",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:AccessGrantsInstanceArn",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:ExistingJobOperation",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:ExistingJobPriority",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:RequestJobOperation",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:RequestJobPriority",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
    (
        "s3:JobSuspendedCause",
        one(State::Absent, Mark::Inferred, S3_KEYS),
    ),
];
