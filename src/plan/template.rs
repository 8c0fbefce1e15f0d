//! Names from templates: `{account}-{region}-s3-access-logs`.

/// The template with its placeholders filled. One that is unknown is told instead, and never left standing.
pub fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let Some(end) = after.find('}') else {
            return Err(rest[start..].to_owned());
        };
        let name = &after[..end];
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => return Err(format!("{{{name}}}")),
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
            fill("{account}-{region}-logs", &values).expect("both are known"),
            "111122223333-eu-west-1-logs"
        );
        assert!(fill("{source}-logs", &values).is_err());
        assert!(fill("{account", &values).is_err());
    }
}
