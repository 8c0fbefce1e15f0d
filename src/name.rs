//! The names of AWS: buckets, accounts, regions, partitions, ARNs. Parsed once, never assumed.
//!
//! A value of one of these types has passed its syntax check. What failed it stays a plain string next to the
//! error, so that a rule can show it.

use std::fmt;
use std::sync::Arc;

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a bucket name is not empty")]
    EmptyBucket,
    #[error("a bucket name is a plain name, not an ARN")]
    ArnAsBucket,
    #[error("a bucket name is a plain name, not a URL")]
    UrlAsBucket,
    #[error("a bucket name has 3 to 63 characters (255 for old ones in us-east-1), this one has {0}")]
    BucketLength(usize),
    #[error("a bucket name holds lower-case letters, digits, dots and hyphens; {0:?} is none of them")]
    BucketCharacter(char),
    #[error("a new bucket's name begins and ends with a letter or a digit, and has no two dots in a row")]
    BucketShape,
    #[error("a new bucket's name doesn't look like an IP address")]
    BucketAddress,
    #[error("a new bucket's name doesn't begin with `{0}`, which AWS keeps for itself")]
    BucketPrefix(&'static str),
    #[error("a new bucket's name doesn't end with `{0}`, which AWS keeps for itself")]
    BucketSuffix(&'static str),
    #[error("an account id is 12 digits")]
    Account,
    #[error("a region holds lower-case letters, digits and hyphens, like `eu-west-1`")]
    Region,
    #[error("a partition is `aws`, or starts with `aws-`, like `aws-us-gov`")]
    Partition,
    #[error("the id of an organization starts with `o-`, like `o-exampleorgid`; `none` stands for none")]
    Organization,
    #[error("an ARN has six parts, like `arn:aws:s3:::amzn-s3-demo-bucket`")]
    Arn,
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The name of a general purpose bucket.
///
/// Buckets made in us-east-1 before March 2018 may carry upper-case letters, underscores and up to 255
/// characters; they still exist and still log, so they are names too.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Arc<str>);
text_newtype!(BucketName);

impl BucketName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::EmptyBucket);
        }
        if text.starts_with("arn:") {
            return Err(NameError::ArnAsBucket);
        }
        if text.contains("://") {
            return Err(NameError::UrlAsBucket);
        }
        if let Some(odd) = text
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')))
        {
            return Err(NameError::BucketCharacter(odd));
        }
        if !(3..=255).contains(&text.len()) {
            return Err(NameError::BucketLength(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// Whether a bucket of this name could be created today: the strict rules.
    pub fn check_new(&self) -> Result<(), NameError> {
        if self.0.len() > 63 {
            return Err(NameError::BucketLength(self.0.len()));
        }
        if let Some(odd) = self.0.chars().find(|c| c.is_ascii_uppercase() || *c == '_') {
            return Err(NameError::BucketCharacter(odd));
        }
        let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !self.0.starts_with(is_edge) || !self.0.ends_with(is_edge) || self.0.contains("..") {
            return Err(NameError::BucketShape);
        }
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if self.0.split('.').count() == 4 && self.0.split('.').all(is_number) {
            return Err(NameError::BucketAddress);
        }
        if let Some(prefix) = RESERVED_PREFIXES
            .into_iter()
            .find(|prefix| self.0.starts_with(prefix))
        {
            return Err(NameError::BucketPrefix(prefix));
        }
        match RESERVED_SUFFIXES
            .into_iter()
            .find(|suffix| self.0.ends_with(suffix))
        {
            Some(suffix) => Err(NameError::BucketSuffix(suffix)),
            None => Ok(()),
        }
    }
}

/// `amzn-s3-demo-` is reserved too, for examples: and in examples it is used.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const RESERVED_PREFIXES: [&str; 2] = ["xn--", "sthree-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// The twelve digits of an AWS account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);
text_newtype!(AccountId);

impl AccountId {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Account)
        }
    }
}

/// What a user says of an account's organization: its id, or `none`. Ids have ten to 32 letters and digits after `o-`;
/// that isn't held against a shorter one, which examples have.
/// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html>
pub fn check_organization(text: &str) -> Result<(), NameError> {
    let is_id = text.strip_prefix("o-").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    match is_id || text == "none" {
        true => Ok(()),
        false => Err(NameError::Organization),
    }
}

/// The code of an AWS Region, like `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);
text_newtype!(Region);

impl Region {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (3..=32).contains(&text.len()) && text.bytes().all(good) && text.as_bytes()[0].is_ascii_lowercase()
        {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Region)
        }
    }

    /// What `GetBucketLocation` means: nothing is us-east-1, `EU` is eu-west-1.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
    pub fn from_location_constraint(constraint: Option<&str>) -> Result<Self, NameError> {
        match constraint {
            None | Some("") => Self::parse("us-east-1"),
            Some("EU") => Self::parse("eu-west-1"),
            Some(other) => Self::parse(other),
        }
    }

    /// The partition that this region belongs to, by its name.
    pub fn partition(&self) -> Partition {
        let known = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("eusc-", "aws-eusc"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-iso-", "aws-iso"),
        ];
        let name = known
            .iter()
            .find(|(prefix, _)| self.0.starts_with(prefix))
            .map_or("aws", |(_, name)| name);
        Partition(name.into())
    }
}

/// A partition of AWS: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(Arc<str>);
text_newtype!(Partition);

impl Partition {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let good = text == "aws"
            || (text.starts_with("aws-") && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        if good {
            Ok(Self(text.into()))
        } else {
            Err(NameError::Partition)
        }
    }
}

impl Default for Partition {
    fn default() -> Self {
        Self("aws".into())
    }
}

/// An Amazon Resource Name, cut into its six parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    pub partition: String,
    pub service: String,
    pub region: String,
    pub account: String,
    pub resource: String,
}

impl Arn {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().map(str::to_owned).ok_or(NameError::Arn);
        if next()? != "arn" {
            return Err(NameError::Arn);
        }
        Ok(Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        })
    }

    /// The ARN of a bucket; it carries neither region nor account.
    pub fn of_bucket(partition: &Partition, bucket: &str) -> Self {
        Self {
            partition: partition.to_string(),
            service: "s3".to_owned(),
            region: String::new(),
            account: String::new(),
            resource: bucket.to_owned(),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            service,
            region,
            account,
            resource,
        } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_name_is_told_from_what_people_write_instead() {
        assert!(BucketName::parse("amzn-s3-demo-bucket").is_ok());
        assert!(BucketName::parse("Old_Bucket.Name").is_ok());
        assert_eq!(BucketName::parse(""), Err(NameError::EmptyBucket));
        assert_eq!(
            BucketName::parse("arn:aws:s3:::logs"),
            Err(NameError::ArnAsBucket)
        );
        assert_eq!(BucketName::parse("s3://logs"), Err(NameError::UrlAsBucket));
        assert_eq!(
            BucketName::parse("logs/app"),
            Err(NameError::BucketCharacter('/'))
        );
        assert_eq!(BucketName::parse("ab"), Err(NameError::BucketLength(2)));
        assert_eq!(BucketName::parse("lögs"), Err(NameError::BucketCharacter('ö')));
    }

    #[test]
    fn an_old_name_can_exist_but_not_be_made() {
        let old = BucketName::parse("Old_Bucket").expect("an old name is a name");
        assert_eq!(old.check_new(), Err(NameError::BucketCharacter('O')));
    }

    #[test]
    fn a_name_that_aws_refuses_can_not_be_made() {
        let check = |name| {
            BucketName::parse(name)
                .expect("a name that may be old")
                .check_new()
        };
        for right in [
            "amzn-s3-demo-logs",
            "logs.example.com",
            "1-2",
            "10.0.0.1-logs",
            "s3alias",
            "my-xn--logs",
        ] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for (wrong, error) in [
            ("xn--logs", NameError::BucketPrefix("xn--")),
            ("sthree-configurator", NameError::BucketPrefix("sthree-")),
            ("logs-s3alias", NameError::BucketSuffix("-s3alias")),
            ("logs--ol-s3", NameError::BucketSuffix("--ol-s3")),
            ("logs.mrap", NameError::BucketSuffix(".mrap")),
            ("logs--x-s3", NameError::BucketSuffix("--x-s3")),
            ("logs--table-s3", NameError::BucketSuffix("--table-s3")),
            ("-logs", NameError::BucketShape),
            ("logs.", NameError::BucketShape),
            ("my..logs", NameError::BucketShape),
            ("192.168.5.4", NameError::BucketAddress),
        ] {
            assert_eq!(check(wrong), Err(error), "{wrong}");
        }
    }

    #[test]
    fn an_organization_is_told_from_what_people_write_instead() {
        for right in ["o-exampleorgid", "o-a1b2c3d4e5", "none"] {
            assert_eq!(check_organization(right), Ok(()), "{right}");
        }
        for wrong in [
            "exampleorgid",
            "foo",
            "",
            "o-",
            "O-EXAMPLEORGID",
            "o-example/r-ab12",
            "r-ab12",
            "None",
        ] {
            assert_eq!(check_organization(wrong), Err(NameError::Organization), "{wrong}");
        }
    }

    #[test]
    fn a_location_constraint_has_two_odd_values() {
        let region = |text| {
            Region::from_location_constraint(text)
                .expect("a region")
                .to_string()
        };
        assert_eq!(region(None), "us-east-1");
        assert_eq!(region(Some("EU")), "eu-west-1");
        assert_eq!(region(Some("ap-southeast-2")), "ap-southeast-2");
    }

    #[test]
    fn a_region_knows_its_partition() {
        let partition = |text| Region::parse(text).expect("a region").partition().to_string();
        assert_eq!(partition("eu-west-1"), "aws");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("eusc-de-east-1"), "aws-eusc");
        assert_eq!(partition("us-isob-east-1"), "aws-iso-b");
    }

    #[test]
    fn an_arn_prints_as_it_was_read() {
        for text in [
            "arn:aws:s3:::logs",
            "arn:aws:s3:::logs/a:b",
            "arn:aws:iam::111122223333:role/x",
        ] {
            assert_eq!(Arn::parse(text).expect("an ARN").to_string(), text);
        }
        assert_eq!(Arn::parse("logs"), Err(NameError::Arn));
        assert_eq!(Arn::parse("arn:aws:s3"), Err(NameError::Arn));
    }
}
