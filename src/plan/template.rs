//! Names from templates: `{account}-{region}-s3-access-logs`.

use super::Refusal;

/// The template with its placeholders filled; an unknown one is refused, never left standing.
pub(super) fn fill(template: &str, values: &[(&str, &str)], what: &'static str) -> Result<String, Refusal> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let Some(end) = after.find('}') else {
            return Err(Refusal::Placeholder {
                what,
                placeholder: rest[start..].to_owned(),
            });
        };
        let name = &after[..end];
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                return Err(Refusal::Placeholder {
                    what,
                    placeholder: format!("{{{name}}}"),
                });
            }
        }
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_unknown_ones_refused() {
        let values = [("account", "111122223333"), ("region", "eu-west-1")];
        assert_eq!(
            fill("{account}-{region}-logs", &values, "name").expect("both are known"),
            "111122223333-eu-west-1-logs"
        );
        assert!(fill("{source}-logs", &values, "name").is_err());
        assert!(fill("{account", &values, "name").is_err());
    }
}
