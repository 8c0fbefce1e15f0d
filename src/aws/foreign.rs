//! Answers that AWS never gives and other servers do: a document of another name than the call's.
//!
//! The SDK takes them for garbage. Two of them say something all the same, and without them nobody could try this
//! program on a local server.

use serde_json::{Value, json};

use crate::inventory::Call;

/// What the body of a successful answer says that the SDK could not read.
pub fn answer(call: Call, body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    match (call, root(text)?) {
        // A server that doesn't know the question lists the bucket's objects: so its buckets have one payer only.
        (Call::RequestPayment, "ListBucketResult") => Some(json!({})),
        // The settings are there, in a document that is named after the call.
        (Call::Versioning, "GetBucketVersioningResponse") => {
            let status = text
                .split_once("<Status>")
                .and_then(|(_, rest)| rest.split_once("</Status>"))
                .map(|(status, _)| status);
            Some(match status {
                Some(status @ ("Enabled" | "Suspended")) => json!({ "Status": status }),
                Some(_) => return None,
                None => json!({}),
            })
        }
        _ => None,
    }
}

/// The name of the document's element.
fn root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    if rest.starts_with("<?xml") {
        rest = rest.split_once("?>")?.1.trim_start();
    }
    rest.strip_prefix('<')?
        .split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

    fn told(call: Call, document: &str) -> Option<Value> {
        answer(call, format!("{HEAD}{document}").as_bytes())
    }

    #[test]
    fn versioning_is_read_under_another_name() {
        let empty = "<GetBucketVersioningResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
        assert_eq!(told(Call::Versioning, empty), Some(json!({})));
        let enabled = "<GetBucketVersioningResponse><Status>Enabled</Status></GetBucketVersioningResponse>";
        assert_eq!(
            told(Call::Versioning, enabled),
            Some(json!({"Status": "Enabled"}))
        );
        let odd = "<GetBucketVersioningResponse><Status>Perhaps</Status></GetBucketVersioningResponse>";
        assert_eq!(told(Call::Versioning, odd), None);
    }

    #[test]
    fn nothing_else_is_taken_for_an_answer() {
        let listing = "<ListBucketResult><Name>logs</Name></ListBucketResult>";
        assert_eq!(told(Call::RequestPayment, listing), Some(json!({})));
        assert_eq!(told(Call::Policy, listing), None);
        assert_eq!(told(Call::RequestPayment, "<html>sign in first</html>"), None);
        assert_eq!(told(Call::Versioning, "<html>sign in first</html>"), None);
        assert_eq!(answer(Call::RequestPayment, b"\xff"), None);
        assert_eq!(answer(Call::RequestPayment, b"<?xml"), None);
    }
}
