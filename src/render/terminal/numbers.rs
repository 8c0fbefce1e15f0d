//! Numbers and lists as people write them.

/// `1,204`.
pub fn number(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 bucket`, `1,204 buckets`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

/// `a, b, c and 997 more`.
pub fn join_some<'a>(names: impl ExactSizeIterator<Item = &'a str>, shown: usize) -> String {
    let total = names.len();
    // To hide a single name behind "1 more" saves nothing.
    let shown = if total <= shown + 1 { total } else { shown };
    let listed: Vec<&str> = names.take(shown).collect();
    match (listed.split_last(), total - shown) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => (*last).to_owned(),
        (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
        (Some(_), more) => format!("{} and {} more", listed.join(", "), number(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 1234567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        assert_eq!(join_some(["a"].into_iter(), 3), "a");
        assert_eq!(join_some(["a", "b", "c", "d"].into_iter(), 3), "a, b, c and d");
        assert_eq!(
            join_some(["a", "b", "c", "d", "e"].into_iter(), 3),
            "a, b, c and 2 more"
        );
    }
}
