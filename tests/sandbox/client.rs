//! A caller without an SDK: one request to a connection, so that a test sees just what is on the wire.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Sandbox;
use super::xml::{self, Node};

/// Someone with a key, in a region.
#[derive(Debug, Clone)]
pub struct Caller {
    address: String,
    access_key: String,
    region: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Caller {
    /// The owner of this account.
    pub fn of(sandbox: &Sandbox, account: &str, region: &str) -> Self {
        Self::with_key(sandbox, &super::account::access_key(account), region)
    }

    pub fn with_key(sandbox: &Sandbox, access_key: &str, region: &str) -> Self {
        Self::at(&sandbox.endpoint(), access_key, region)
    }

    pub fn at(endpoint: &str, access_key: &str, region: &str) -> Self {
        Self {
            address: endpoint.trim_start_matches("http://").to_owned(),
            access_key: access_key.to_owned(),
            region: region.to_owned(),
        }
    }

    pub fn get(&self, target: &str) -> Reply {
        self.ask("GET", target, &[], "")
    }

    pub fn head(&self, target: &str) -> Reply {
        self.ask("HEAD", target, &[], "")
    }

    pub fn put(&self, target: &str, body: &str) -> Reply {
        self.ask("PUT", target, &[], body)
    }

    pub fn delete(&self, target: &str) -> Reply {
        self.ask("DELETE", target, &[], "")
    }

    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.try_ask(method, target, headers, body)
            .expect("the sandbox answers")
    }

    /// The same, where the connection may break.
    pub fn try_ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Reply> {
        let host = headers
            .iter()
            .find(|(name, _)| *name == "host")
            .map_or(self.address.as_str(), |(_, host)| host);
        let service = if method == "POST" { "sts" } else { "s3" };
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\nauthorization: AWS4-HMAC-SHA256 Credential={}/20261124/{}/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n",
            body.len(),
            self.access_key,
            self.region,
        );
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?;
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .expect("a status line");
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Reply {
            status,
            headers,
            body: body.to_owned(),
        })
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn xml(&self) -> Node {
        xml::read(&self.body).unwrap_or_else(|| panic!("no XML: {}", self.body))
    }

    /// The code of the error, or an empty text.
    pub fn code(&self) -> String {
        self.text("Code")
    }

    pub fn message(&self) -> String {
        self.text("Message")
    }

    pub fn text(&self, name: &str) -> String {
        xml::read(&self.body)
            .and_then(|node| node.text_of(name).map(str::to_owned))
            .unwrap_or_default()
    }
}
