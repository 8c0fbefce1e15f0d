//! What makes a whole run pointless, in one sentence each, with what to do about it.

use miette::Diagnostic;
use thiserror::Error;

use super::{Kind, Refusal};

#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    #[error("there are no AWS credentials")]
    #[diagnostic(help(
        "name a profile with `--profile` or AWS_PROFILE, sign in with `aws sso login`, or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY; a recording needs none: `--snapshot FILE`"
    ))]
    NoCredentials,
    #[error("the AWS credentials could not be obtained: {reason}")]
    #[diagnostic(help(
        "sign in again (`aws sso login`), and try `aws sts get-caller-identity` with the same profile; a role has to trust the caller"
    ))]
    CredentialsFailed { reason: String },
    #[error("there is no AWS profile `{given}`")]
    #[diagnostic(help("{}", match known.as_slice() {
        [] => "the configuration files name no profile; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say where they are".to_owned(),
        names => format!("the configuration files name these: {}", names.join(", ")),
    }))]
    NoProfile { given: String, known: Vec<String> },
    #[error("the AWS configuration files can't be read: {reason}")]
    #[diagnostic(help("mend the file at the place named, usually ~/.aws/config or ~/.aws/credentials"))]
    Configuration { reason: String },
    #[error("the AWS credentials have expired ({code})")]
    #[diagnostic(help("sign in again, for example with `aws sso login`, and start anew"))]
    Expired { code: String },
    #[error("AWS doesn't accept these credentials ({code})")]
    #[diagnostic(help(
        "the key is unknown, disabled or mistyped: try `aws sts get-caller-identity` with the same profile"
    ))]
    InvalidKey { code: String },
    #[error("AWS refuses the requests because the clock of this machine is wrong ({code})")]
    #[diagnostic(help("set the clock, best by NTP, and start anew"))]
    ClockSkew { code: String },
    #[error("`{given}` is no ARN of a role")]
    #[diagnostic(help("it looks like arn:aws:iam::111122223333:role/NAME"))]
    Role { given: String },
    #[error("`{given}` is no address of an endpoint: {reason}")]
    #[diagnostic(help("give a URL such as http://127.0.0.1:4566"))]
    Endpoint { given: String, reason: &'static str },
    #[error("nothing answers at {endpoint}{}", .reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    #[diagnostic(help(
        "look at the network, the proxy (HTTPS_PROXY, NO_PROXY) and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL)"
    ))]
    Unreachable {
        endpoint: String,
        reason: Option<String>,
    },
    #[error("the name of {endpoint} can't be resolved")]
    #[diagnostic(help(
        "look at the network and at the region's spelling (`--region`, AWS_REGION) or the endpoint's (`--endpoint-url`, AWS_ENDPOINT_URL)"
    ))]
    NameNotFound { endpoint: String },
    #[error("the certificate of {endpoint} is not trusted{}", .reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default())]
    #[diagnostic(help(
        "a machine without a CA bundle needs one (the package ca-certificates); behind a proxy that opens TLS, name its bundle with SSL_CERT_FILE (AWS_CA_BUNDLE is not read)"
    ))]
    Certificate {
        endpoint: String,
        reason: Option<String>,
    },
    #[error("no answer from {endpoint} in time")]
    #[diagnostic(help("look at the network and the proxy, and try again"))]
    TimedOut { endpoint: String },
    #[error("the account's buckets can't be listed: s3:ListAllMyBuckets is denied")]
    #[diagnostic(help(
        "allow the action (`s3log-lint audit --print-iam-policy` prints all that are needed), or name each bucket with `--bucket`, without a wildcard"
    ))]
    ListingDenied,
    #[error("the account's buckets can't be listed: {code}{}", .message.as_ref().map(|m| format!(" ({m})")).unwrap_or_default())]
    #[diagnostic(help(
        "try `aws s3api list-buckets` with the same profile and region; if it works, try again"
    ))]
    ListingFailed { code: String, message: Option<String> },
    #[error("{endpoint} lists {listed} buckets and doesn't say how to go on")]
    #[diagnostic(help(
        "this endpoint doesn't know pages of buckets; name each bucket with `--bucket`, without a wildcard"
    ))]
    ListingCut { endpoint: String, listed: usize },
}

impl Error {
    /// A failure of the listing, or one that concerns every call.
    pub(super) fn of(refusal: Refusal, endpoint: String) -> Self {
        let Refusal {
            code,
            message,
            status,
            kind,
            ..
        } = refusal;
        match kind {
            Kind::NoCredentials => Self::NoCredentials,
            Kind::CredentialsFailed => Self::CredentialsFailed {
                reason: message.unwrap_or(code),
            },
            Kind::Expired => Self::Expired { code },
            Kind::InvalidKey => Self::InvalidKey { code },
            Kind::ClockSkew => Self::ClockSkew { code },
            Kind::Connection => Self::Unreachable {
                endpoint,
                reason: message,
            },
            Kind::Name => Self::NameNotFound { endpoint },
            Kind::Certificate => Self::Certificate {
                endpoint,
                reason: message,
            },
            Kind::TimedOut => Self::TimedOut { endpoint },
            Kind::Answered if status == Some(403) && code == "AccessDenied" => Self::ListingDenied,
            Kind::Answered | Kind::Throttled | Kind::Elsewhere | Kind::Broken => {
                Self::ListingFailed { code, message }
            }
        }
    }
}
