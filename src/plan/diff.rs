//! The difference of two texts, line by line.

/// A line, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    Both(&'a str),
    Before(&'a str),
    After(&'a str),
    /// Lines of both that are left out.
    Skipped(usize),
}

/// The lines that differ, with a few around them. Texts of a size that S3 allows; larger ones are shown whole.
pub fn difference<'a>(before: &'a str, after: &'a str, around: usize) -> Vec<Line<'a>> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let end = a[start..]
        .iter()
        .rev()
        .zip(b[start..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut lines: Vec<Line<'a>> = a[..start].iter().map(|line| Line::Both(line)).collect();
    lines.extend(middle(&a[start..a.len() - end], &b[start..b.len() - end]));
    lines.extend(a[a.len() - end..].iter().map(|line| Line::Both(line)));
    fold(lines, around)
}

/// The table of the longest common part grows with the product of both.
const LARGEST: usize = 4_000_000;

fn middle<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<Line<'a>> {
    let whole = || {
        let before = a.iter().map(|line| Line::Before(line));
        before.chain(b.iter().map(|line| Line::After(line))).collect()
    };
    if a.is_empty() || b.is_empty() || a.len().saturating_mul(b.len()) > LARGEST {
        return whole();
    }
    let width = b.len() + 1;
    let mut common = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = match a[i] == b[j] {
                true => common[(i + 1) * width + j + 1] + 1,
                false => common[(i + 1) * width + j].max(common[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            lines.push(Line::Both(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            lines.push(Line::Before(a[i]));
            i += 1;
        } else {
            lines.push(Line::After(b[j]));
            j += 1;
        }
    }
    lines
}

/// Leaves out what is far from every difference. A single line is never left out: it costs a line to say so.
fn fold(lines: Vec<Line<'_>>, around: usize) -> Vec<Line<'_>> {
    let mut near = vec![false; lines.len()];
    for (index, line) in lines.iter().enumerate() {
        if !matches!(line, Line::Both(_)) {
            let (from, to) = (
                index.saturating_sub(around),
                (index + around + 1).min(lines.len()),
            );
            near[from..to].fill(true);
        }
    }
    let mut folded = Vec::new();
    let mut index = 0;
    while index < lines.len() {
        let far = near[index..].iter().take_while(|near| !**near).count();
        match far {
            0 | 1 => {
                folded.push(lines[index]);
                index += 1;
            }
            far => {
                folded.push(Line::Skipped(far));
                index += far;
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_differs_is_shown() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8";
        assert_eq!(
            difference(before, after, 1),
            [
                Line::Skipped(3),
                Line::Both("4"),
                Line::Before("5"),
                Line::After("five"),
                Line::Both("6"),
                Line::Skipped(2),
            ]
        );
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_their_difference(a in "[abc\n]{0,30}", b in "[abc\n]{0,30}") {
            let lines = difference(&a, &b, usize::MAX / 4);
            let side = |keep: fn(&Line<'_>) -> bool| -> Vec<String> {
                lines.iter().filter(|line| keep(line)).map(|line| match line {
                    Line::Both(text) | Line::Before(text) | Line::After(text) => (*text).to_owned(),
                    Line::Skipped(_) => "skipped".to_owned(),
                }).collect()
            };
            // Without a difference everything is left out.
            if a.lines().eq(b.lines()) {
                return Ok(());
            }
            prop_assert_eq!(side(|line| !matches!(line, Line::After(_))), a.lines().map(str::to_owned).collect::<Vec<_>>());
            prop_assert_eq!(side(|line| !matches!(line, Line::Before(_))), b.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
