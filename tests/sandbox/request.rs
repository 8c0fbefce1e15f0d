//! A request, taken apart: which bucket and key, which query, and whose signature in which region.

use bytes::Bytes;

use super::operation::Level;

/// Who signed, for where: the credential scope of `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub access_key: String,
    pub region: String,
    pub service: String,
}

/// A request before it is known what it asks.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub host: String,
    pub path: String,
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    /// Both addresses of a bucket are understood: `/bucket/key` and `bucket.host/key`.
    pub fn new(method: &str, host: &str, target: &str, headers: Vec<(String, String)>, body: Bytes) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let (bucket, key) = match virtual_host(name) {
            Some(bucket) => (bucket.to_owned(), path.trim_start_matches('/').to_owned()),
            None => {
                let path = path.strip_prefix('/').unwrap_or(path);
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decoded(bucket, false), key.to_owned())
            }
        };
        let filled = |text: String| (!text.is_empty()).then_some(text);
        Self {
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            bucket: filled(bucket),
            key: filled(decoded(&key, false)),
            query: pairs(query),
            headers,
            body,
        }
    }

    pub fn level(&self) -> Level {
        match (&self.bucket, &self.key) {
            (None, _) => Level::Account,
            (Some(_), None) => Level::Bucket,
            (Some(_), Some(_)) => Level::Object,
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The credential scope. The signature itself isn't looked at.
    pub fn scope(&self) -> Option<Scope> {
        let (_, rest) = self.header("authorization")?.split_once("Credential=")?;
        let credential = rest.split([',', ' ']).next()?;
        let mut parts = credential.split('/');
        let access_key = parts.next()?.to_owned();
        let _date = parts.next()?;
        Some(Scope {
            access_key,
            region: parts.next()?.to_owned(),
            service: parts.next()?.to_owned(),
        })
    }

    /// The form of a request to STS.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The body as it was meant, without the frames of a streamed upload.
    pub fn payload(&self) -> Bytes {
        let framed = self
            .header("content-encoding")
            .is_some_and(|encoding| encoding.contains("aws-chunked"))
            || self
                .header("x-amz-content-sha256")
                .is_some_and(|hash| hash.starts_with("STREAMING-"));
        if framed {
            unframed(&self.body)
        } else {
            self.body.clone()
        }
    }
}

fn virtual_host(host: &str) -> Option<&str> {
    if let Some(bucket) = host.strip_suffix(".localhost") {
        return Some(bucket);
    }
    let (bucket, rest) = host.split_once(".s3")?;
    (rest.contains("amazonaws.com") && !bucket.is_empty()).then_some(bucket)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        })
        .collect()
}

fn decoded(text: &str, form: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if form => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `SIZE[;extension]\r\nBYTES\r\n … 0\r\n trailers`.
fn unframed(body: &[u8]) -> Bytes {
    let mut rest = body;
    let mut out = Vec::with_capacity(body.len());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let line = String::from_utf8_lossy(&rest[..end]);
        let size = line.split(';').next().unwrap_or_default();
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        let start = end + 2;
        let Some(chunk) = rest.get(start..start.saturating_add(size)) else {
            break;
        };
        if size == 0 {
            break;
        }
        out.extend_from_slice(chunk);
        rest = rest.get(start + size + 2..).unwrap_or_default();
    }
    Bytes::from(out)
}
