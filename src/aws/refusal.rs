//! What a call that gave no answer says about itself, without the SDK's words.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use crate::collect::snapshot::error_answer;
use crate::name::Region;

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// AWS's code; the status where AWS sent no body; a word of ours where AWS wasn't reached.
    pub code: String,
    pub message: Option<String>,
    pub status: Option<u16>,
    /// `x-amz-bucket-region`: where the bucket is, which S3 tells even to who may not read it.
    pub region: Option<Region>,
    pub kind: Kind,
}

/// What kind of failure it is: what is to be done differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AWS answered, and this is its answer.
    Answered,
    /// AWS asked for fewer requests.
    Throttled,
    /// The bucket is in another region.
    Elsewhere,
    /// No answer in time.
    TimedOut,
    /// The connection was refused, or broke.
    Connection,
    /// The name of the endpoint leads nowhere.
    Name,
    /// The endpoint's certificate is not trusted.
    Certificate,
    /// There are no credentials.
    NoCredentials,
    /// There are, and they could not be obtained: a profile that is wrong, a login that has ended.
    CredentialsFailed,
    /// The credentials are over.
    Expired,
    /// AWS doesn't know the key, or the secret doesn't fit it.
    InvalidKey,
    /// The clock of this machine is wrong.
    ClockSkew,
    /// The request could not be built or its answer not be read: a fault of this program or of the server.
    Broken,
}

impl Kind {
    /// Concerns every call alike: to go on is pointless.
    pub fn is_fatal(self) -> bool {
        match self {
            Kind::NoCredentials
            | Kind::CredentialsFailed
            | Kind::Expired
            | Kind::InvalidKey
            | Kind::ClockSkew => true,
            Kind::Answered
            | Kind::Throttled
            | Kind::Elsewhere
            | Kind::TimedOut
            | Kind::Connection
            | Kind::Name
            | Kind::Certificate
            | Kind::Broken => false,
        }
    }

    /// AWS was not reached at all.
    pub fn is_silence(self) -> bool {
        matches!(
            self,
            Kind::TimedOut | Kind::Connection | Kind::Name | Kind::Certificate
        )
    }
}

impl Refusal {
    /// What stands in the snapshot.
    pub fn answer(&self) -> Value {
        let mut answer = error_answer(&self.code, self.message.as_deref(), self.status);
        if let (Some(region), Some(error)) = (
            &self.region,
            answer.get_mut("error").and_then(Value::as_object_mut),
        ) {
            error.insert("region".to_owned(), region.as_str().into());
        }
        answer
    }

    /// A call that was given up before it was sent.
    pub fn unasked(code: &str, message: String) -> Self {
        Self {
            code: code.to_owned(),
            message: Some(message),
            status: None,
            region: None,
            kind: Kind::Connection,
        }
    }

    /// An answer that can't be used.
    pub fn broken(message: &str) -> Self {
        Self {
            kind: Kind::Broken,
            ..Self::unasked(code_of(Kind::Broken), message.to_owned())
        }
    }

    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let response = error.raw_response();
        let status = response.map(|response| response.status().as_u16());
        let region = response
            .and_then(|response| response.headers().get("x-amz-bucket-region"))
            .and_then(|text| Region::parse(text).ok());
        if let (SdkError::ServiceError(_), Some(status)) = (error, status) {
            if response.is_some_and(|response| response.status().is_success()) {
                return Self {
                    status: Some(status),
                    ..Self::broken("the answer is not what S3 answers to this call")
                };
            }
            let code = match error.code() {
                // HEAD has no body: the AWS CLI prints the status, and the SDK a name it made from it.
                None | Some("NotFound") => status.to_string(),
                Some(code) => code.to_owned(),
            };
            return Self {
                kind: kind_of_answer(&code, status, region.is_some()),
                message: error
                    .message()
                    .filter(|text| !text.is_empty())
                    .map(without_caller),
                status: Some(status),
                region,
                code,
            };
        }
        let (kind, message) = match error {
            SdkError::TimeoutError(_) => (Kind::TimedOut, None),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => (Kind::TimedOut, None),
            SdkError::ResponseError(_) => match find::<std::io::Error>(error) {
                Some(_) => (Kind::Connection, None),
                None => (Kind::Broken, Some(deepest(error))),
            },
            _ => kind_of_failure(error),
        };
        Self {
            code: code_of(kind).to_owned(),
            message,
            status,
            region,
            kind,
        }
    }
}

fn code_of(kind: Kind) -> &'static str {
    match kind {
        Kind::TimedOut => "Timeout",
        Kind::Connection => "ConnectionFailed",
        Kind::Name => "NameNotFound",
        Kind::Certificate => "CertificateNotTrusted",
        Kind::NoCredentials => "NoCredentials",
        Kind::CredentialsFailed => "CredentialsFailed",
        Kind::Answered
        | Kind::Throttled
        | Kind::Elsewhere
        | Kind::Expired
        | Kind::InvalidKey
        | Kind::ClockSkew
        | Kind::Broken => "UnreadableAnswer",
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn kind_of_answer(code: &str, status: u16, tells_region: bool) -> Kind {
    match code {
        "SlowDown"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "503"
        | "429" => Kind::Throttled,
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => Kind::Expired,
        "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "InvalidSecurity"
        | "UnrecognizedClientException"
        | "IncompleteSignature" => Kind::InvalidKey,
        "RequestTimeTooSkewed" => Kind::ClockSkew,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "Redirect"
        | "AuthorizationHeaderMalformed"
        | "IncorrectEndpoint"
        | "IllegalLocationConstraintException"
        | "301"
        | "307"
        | "400"
            if tells_region =>
        {
            Kind::Elsewhere
        }
        _ if status == 503 || status == 429 => Kind::Throttled,
        _ => Kind::Answered,
    }
}

/// AWS was not asked, or not reached. The SDK says why only deep in the chain of causes.
fn kind_of_failure(error: &(dyn StdError + 'static)) -> (Kind, Option<String>) {
    if let Some(credentials) = find::<CredentialsError>(error) {
        return match credentials {
            CredentialsError::CredentialsNotLoaded(_) => (Kind::NoCredentials, None),
            // The last resort of the search: there is a metadata service, and it gives out nothing.
            other if causes(other).any(|cause| cause.to_string().contains("IMDS")) => {
                (Kind::NoCredentials, None)
            }
            other => {
                let refused = find::<AssumeRoleError>(other).map(|refused| {
                    let code = refused.code().unwrap_or("refused");
                    let message = refused.message().unwrap_or_default();
                    format!("AssumeRole gave {code} ({})", without_caller(message))
                });
                (
                    Kind::CredentialsFailed,
                    Some(refused.unwrap_or_else(|| deepest(other))),
                )
            }
        };
    }
    if let Some(refused) = find::<super::guard::WriteRefused>(error) {
        return (Kind::Broken, Some(refused.to_string()));
    }
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    let says = |words: &[&str]| {
        texts
            .iter()
            .any(|text| words.iter().any(|word| text.contains(word)))
    };
    if says(&["dns error", "failed to lookup address"]) {
        (Kind::Name, None)
    } else if says(&["certificate", "UnknownIssuer"]) {
        (Kind::Certificate, Some(certificate_fault(&deepest(error))))
    } else if find::<std::io::Error>(error).is_some() || says(&["connection", "connect error"]) {
        (Kind::Connection, Some(deepest(error)))
    } else {
        (Kind::Broken, Some(deepest(error)))
    }
}

/// The words of the TLS library, in ours.
fn certificate_fault(text: &str) -> String {
    let known = [
        ("UnknownIssuer", "nobody that this machine trusts has issued it"),
        ("NotValidForName", "it is for another name"),
        ("NotValidYet", "it is not valid yet"),
        ("Expired", "it has expired"),
    ];
    let told = known.iter().find(|(word, _)| text.contains(word));
    told.map_or_else(
        || text.trim_start_matches("invalid peer certificate: ").to_owned(),
        |(_, words)| (*words).to_owned(),
    )
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        (*error).source()
    })
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The first cause of all, in its own words.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// S3 names the caller in its refusals. Who it was is nobody's business in a recording that goes into a bug report.
fn without_caller(message: &str) -> String {
    let words: Vec<&str> = message
        .split(' ')
        .map(|word| {
            let arn = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            let callers = [":user/", ":assumed-role/", ":federated-user/", ":root"];
            if arn.starts_with("arn:") && callers.iter().any(|kind| arn.contains(kind)) {
                "(the caller)"
            } else {
                word
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_reason_and_loses_the_caller() {
        assert_eq!(
            without_caller(
                "User: arn:aws:sts::111122223333:assumed-role/Audit/jane@example.com is not authorized to perform: \
                 s3:GetBucketPolicy on resource: \"arn:aws:s3:::amzn-s3-demo-logs\" because no identity-based policy \
                 allows the s3:GetBucketPolicy action"
            ),
            "User: (the caller) is not authorized to perform: s3:GetBucketPolicy on resource: \
             \"arn:aws:s3:::amzn-s3-demo-logs\" because no identity-based policy allows the s3:GetBucketPolicy action"
        );
        assert_eq!(without_caller("Access Denied"), "Access Denied");
    }

    #[test]
    fn a_redirect_is_one_only_where_it_says_where_to() {
        assert_eq!(kind_of_answer("PermanentRedirect", 301, true), Kind::Elsewhere);
        assert_eq!(kind_of_answer("PermanentRedirect", 301, false), Kind::Answered);
        assert_eq!(kind_of_answer("400", 400, true), Kind::Elsewhere);
        assert_eq!(kind_of_answer("InvalidRequest", 400, true), Kind::Answered);
        assert_eq!(kind_of_answer("AccessDenied", 403, true), Kind::Answered);
        assert_eq!(kind_of_answer("SlowDown", 503, true), Kind::Throttled);
    }
}
