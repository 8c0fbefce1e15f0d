//! What the sandbox answers: a status, headers, a body; and the errors of S3 and STS as they look on the wire.

use bytes::Bytes;
use serde_json::Value;

use super::xml;

/// An answer before it is sent.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub fn xml(root: &str, value: &Value) -> Self {
        Self::text(200, "application/xml", xml::write(root, value))
    }

    pub fn text(status: u16, kind: &str, text: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body: text.into(),
        }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An error of AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// The elements that the error has besides.
    pub details: Vec<(&'static str, String)>,
    pub headers: Vec<(&'static str, String)>,
}

impl Fault {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn access_denied() -> Self {
        Self::new(403, "AccessDenied", "Access Denied")
    }

    pub fn malformed_xml() -> Self {
        Self::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    pub fn no_such_bucket(bucket: &str) -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
    }

    pub fn slow_down() -> Self {
        Self::new(503, "SlowDown", "Please reduce your request rate.")
    }

    pub fn invalid_argument(name: &str, value: Option<&str>, message: impl Into<String>) -> Self {
        let fault = Self::new(400, "InvalidArgument", message).with("ArgumentName", name);
        match value {
            None => fault,
            Some(value) => fault.with("ArgumentValue", value),
        }
    }

    /// An error known by its code alone, as it is injected.
    pub fn of_code(code: &str, bucket: Option<&str>) -> Self {
        let bucket = bucket.unwrap_or("-");
        match code {
            "AccessDenied" => Self::access_denied(),
            "NoSuchBucket" => Self::no_such_bucket(bucket),
            "SlowDown" => Self::slow_down(),
            "ServiceUnavailable" => Self::new(503, code, "Service is unable to handle request."),
            "InternalError" => Self::new(500, code, "We encountered an internal error. Please try again."),
            "OperationAborted" => Self::new(
                409,
                code,
                "A conflicting conditional operation is currently in progress against this resource. Please try again.",
            ),
            "ExpiredToken" => Self::new(400, code, "The provided token has expired."),
            "RequestTimeTooSkewed" => Self::new(
                403,
                code,
                "The difference between the request time and the current time is too large.",
            ),
            "InvalidAccessKeyId" => Self::new(
                403,
                code,
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            "TooManyBuckets" => Self::new(
                400,
                code,
                "You have attempted to create more buckets than allowed",
            ),
            "MethodNotAllowed" => Self::new(
                405,
                code,
                "The specified method is not allowed against this resource.",
            ),
            other => Self::new(400, other, "The sandbox was told to answer this."),
        }
    }

    /// As S3 sends it. An answer to HEAD has no body, so that its code is lost.
    pub fn s3(&self, request_id: &str, head: bool) -> Answer {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        let mut push = |name: &str, value: &str| {
            text.push_str(&format!("<{name}>{}</{name}>", xml::escape(value)));
        };
        push("Code", &self.code);
        push("Message", &self.message);
        for (name, value) in &self.details {
            push(name, value);
        }
        push("RequestId", request_id);
        push("HostId", super::HOST_ID);
        text.push_str("</Error>");
        let mut answer = Answer::text(
            self.status,
            "application/xml",
            if head { String::new() } else { text },
        );
        answer.headers.extend(self.headers.iter().cloned());
        answer
    }

    /// As STS sends it.
    pub fn sts(&self, request_id: &str) -> Answer {
        let text = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            xml::escape(&self.code),
            xml::escape(&self.message)
        );
        Answer::text(self.status, "text/xml", text)
    }
}
