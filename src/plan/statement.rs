//! Edits inside a statement of a policy: a condition is put in, every other byte stays.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

use crate::policy::LOG_SERVICE;

/// The deny at this pointer, no longer for the log service: its other conditions still hold for everyone else.
///
/// `StringNotEqualsIfExists` is true where the key is missing, which it is for everyone but services.
pub(super) fn exempt_log_service(text: &str, pointer: &str) -> Option<String> {
    let statement = find(text, pointer)?;
    let parts = members(&text[statement.clone()])?;
    let condition = parts.get("Condition")?;
    // Only these hit a request that lacks the key. What hits the log service by a value, is meant to.
    let hits_without_key = members(condition.get())?.keys().any(|operator| {
        let operator = operator.to_ascii_lowercase();
        operator.contains("not") || operator == "null" || operator.ends_with("ifexists")
    });
    if !hits_without_key {
        return None;
    }
    put_key(
        text,
        span(text, condition),
        "StringNotEqualsIfExists",
        "aws:PrincipalServiceName",
        &format!("\"{LOG_SERVICE}\""),
    )
}

/// The grant at this pointer, for these sources of this account alone. None where it grants to others too.
pub(super) fn scope(text: &str, pointer: &str, account: &str, sources: &[String]) -> Option<String> {
    let statement = find(text, pointer)?;
    let parts = members(&text[statement.clone()])?;
    let principal = members(parts.get("Principal")?.get())?;
    let service = principal.get("Service")?.get();
    let alone = serde_json::from_str::<String>(service).is_ok_and(|one| one == LOG_SERVICE)
        || serde_json::from_str::<Vec<String>>(service).is_ok_and(|all| all == [LOG_SERVICE]);
    if principal.len() != 1 || !alone {
        return None;
    }
    let arns = match sources {
        [one] => serde_json::to_string(one).ok()?,
        many => serde_json::to_string(many).ok()?,
    };
    let account = serde_json::to_string(account).ok()?;
    let Some(condition) = parts.get("Condition") else {
        let condition = format!(
            r#", "Condition": {{"StringEquals": {{"aws:SourceAccount": {account}}}, "ArnLike": {{"aws:SourceArn": {arns}}}}}"#
        );
        let end = statement.start + text[statement].trim_end().strip_suffix('}')?.trim_end().len();
        return Some(spliced(text, end..end, &condition));
    };
    let scoped = put_key(text, span(text, condition), "ArnLike", "aws:SourceArn", &arns)?;
    // The text has grown, so that the places are looked up again.
    let statement = find(&scoped, pointer)?;
    let parts = members(&scoped[statement])?;
    let condition = span(&scoped, parts.get("Condition")?);
    put_key(&scoped, condition, "StringEquals", "aws:SourceAccount", &account)
}

/// Puts a key under an operator. None where the key stands there already: what it says, nobody overwrites.
fn put_key(text: &str, condition: Range<usize>, operator: &str, key: &str, value: &str) -> Option<String> {
    let operators = members(&text[condition.clone()])?;
    match operators.get(operator) {
        Some(inner) => {
            let keys = members(inner.get())?;
            if keys.keys().any(|other| other.eq_ignore_ascii_case(key)) {
                return None;
            }
            let comma = if keys.is_empty() { "" } else { ", " };
            let at = span(text, inner).start + 1;
            Some(spliced(text, at..at, &format!("\"{key}\": {value}{comma}")))
        }
        None => {
            let comma = if operators.is_empty() { "" } else { ", " };
            let at = condition.start + 1;
            Some(spliced(
                text,
                at..at,
                &format!("\"{operator}\": {{\"{key}\": {value}}}{comma}"),
            ))
        }
    }
}

/// `/Statement/2`, or an element of it.
fn find(text: &str, pointer: &str) -> Option<Range<usize>> {
    let rest = pointer.strip_prefix("/Statement")?;
    let policy = members(text)?;
    let statement = policy.get("Statement")?;
    if !statement.get().starts_with('[') {
        return Some(span(text, statement));
    }
    let index: usize = rest.strip_prefix('/')?.split('/').next()?.parse().ok()?;
    let statements: Vec<&RawValue> = serde_json::from_str(statement.get()).ok()?;
    Some(span(text, statements.get(index)?))
}

fn members(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

fn span(text: &str, raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + raw.get().len()
}

fn spliced(text: &str, at: Range<usize>, with: &str) -> String {
    let mut out = String::with_capacity(text.len() + with.len());
    out.push_str(&text[..at.start]);
    out.push_str(with);
    out.push_str(&text[at.end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deny_spares_the_log_service_and_keeps_its_words() {
        let text = r#"{"Statement": [{"Effect": "Allow"}, {"Effect":"Deny",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}]}"#;
        let edited = exempt_log_service(text, "/Statement/1").expect("it has a condition");
        assert_eq!(
            edited,
            text.replace(
                r#""Condition": {"#,
                r#""Condition": {"StringNotEqualsIfExists": {"aws:PrincipalServiceName": "logging.s3.amazonaws.com"}, "#
            )
        );
        assert_eq!(exempt_log_service(text, "/Statement/0"), None);
        assert_eq!(exempt_log_service(&edited, "/Statement/1"), None);
    }

    #[test]
    fn a_grant_is_scoped_to_its_sources() {
        let text = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject"}}"#;
        let sources = ["arn:aws:s3:::app-data".to_owned()];
        let scoped =
            scope(text, "/Statement", "111122223333", &sources).expect("it is for the service alone");
        let policy: serde_json::Value = serde_json::from_str(&scoped).expect("it is JSON");
        assert_eq!(
            policy["Statement"]["Condition"]["ArnLike"]["aws:SourceArn"],
            "arn:aws:s3:::app-data"
        );
        assert_eq!(
            policy["Statement"]["Condition"]["StringEquals"]["aws:SourceAccount"],
            "111122223333"
        );
        let everyone = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:PutObject"}}"#;
        assert_eq!(scope(everyone, "/Statement", "111122223333", &sources), None);
    }
}
