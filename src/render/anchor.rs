//! Where a finding stands for tools that know only files of a repository.
//!
//! A fault of a live account stands in no file. GitHub refuses a whole upload for one result without a file, so such
//! a finding stands at the first line of the settings file, there or not: a name that doesn't change.

use std::sync::Arc;

use super::escape::visible;
use super::position::Positions;
use crate::finding::Label;
use crate::inventory::{Document, Place};
use crate::report::Fingerprinted;

/// Documents stand in documents; a policy in a string in a plan is the deepest that there is.
const DEEPEST: usize = 8;

/// What a renderer must know of the run beyond the report.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// The settings file, found or not, as the repository names it.
    pub settings_path: String,
    /// The folder that paths are shown in: absolute, with `/`.
    pub folder: Option<String>,
}

impl Default for Occasion {
    fn default() -> Self {
        Self {
            settings_path: "s3log-lint.toml".to_owned(),
            folder: None,
        }
    }
}

/// A file of the repository and a part of it. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
    /// The columns counted in bytes of UTF-8.
    pub byte_columns: (usize, usize),
    /// The finding stands in no file; this is where it is put all the same.
    pub is_stand_in: bool,
}

impl Occasion {
    /// The first file that a label of the finding leads to.
    pub fn anchor(&self, all: &Fingerprinted, positions: &mut Positions) -> Anchor {
        let labels = &all.finding.said.labels;
        let found = labels
            .iter()
            .find_map(|label| self.of_place(&label.place, positions));
        found.unwrap_or_else(|| self.stand_in())
    }

    pub fn of_label(&self, label: &Label, positions: &mut Positions) -> Anchor {
        self.of_place(&label.place, positions)
            .unwrap_or_else(|| self.stand_in())
    }

    pub fn stand_in(&self) -> Anchor {
        Anchor {
            path: self.settings_path.clone(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            byte_columns: (1, 1),
            is_stand_in: true,
        }
    }

    fn of_place(&self, place: &Place, positions: &mut Positions) -> Option<Anchor> {
        let mut place = place;
        // A text inside another is shown where the other holds it.
        for _ in 0..DEEPEST {
            match &place.document.host {
                Some(host) => place = &host.place,
                None => break,
            }
        }
        let path = self.in_repository(place.document.path()?)?;
        let at = positions.locate(place)?;
        let byte_columns = byte_columns(&place.document, &at.span, positions)?;
        Some(Anchor {
            path,
            line: at.line,
            column: at.column,
            end_line: at.end_line,
            end_column: at.end_column,
            byte_columns,
            is_stand_in: false,
        })
    }

    /// The path within the repository; nothing for a path that leads out of it, or to no file.
    fn in_repository(&self, path: &str) -> Option<String> {
        let path = path.replace('\\', "/");
        let inside = match &self.folder {
            Some(folder) => path
                .strip_prefix(folder.trim_end_matches('/'))
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(&path),
            None => &path,
        };
        let mut parts = Vec::new();
        for part in inside.split('/') {
            match part {
                "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let inside = parts.join("/");
        let is_absolute = inside.starts_with('/') || inside.chars().nth(1) == Some(':');
        // A tool could not find a file by the name that it is shown.
        let is_odd = visible(&inside) != inside;
        (!is_odd && !inside.is_empty() && inside != "-" && inside != "standard input" && !is_absolute)
            .then_some(inside)
    }
}

fn byte_columns(
    document: &Arc<Document>,
    span: &std::ops::Range<usize>,
    positions: &mut Positions,
) -> Option<(usize, usize)> {
    let lines = positions.line_starts(document);
    let column = |at: usize| {
        let line = lines.partition_point(|start| *start <= at);
        lines.get(line.checked_sub(1)?).map(|start| at - start + 1)
    };
    Some((column(span.start)?, column(span.end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_repositorys_or_none() {
        let occasion = Occasion {
            folder: Some("/home/me/repository".to_owned()),
            ..Occasion::default()
        };
        let inside = |path| occasion.in_repository(path);
        assert_eq!(inside("main.tf").as_deref(), Some("main.tf"));
        assert_eq!(inside("./a/../b/main.tf").as_deref(), Some("b/main.tf"));
        assert_eq!(
            inside("/home/me/repository/a/main.tf").as_deref(),
            Some("a/main.tf")
        );
        assert_eq!(inside("a\\b.yaml").as_deref(), Some("a/b.yaml"));
        for outside in [
            "/tmp/plan.json",
            "../plan.json",
            "a/../../plan.json",
            "-",
            "standard input",
            "C:\\plan.json",
            "/home/me/repository-2/a",
        ] {
            assert_eq!(inside(outside), None, "{outside}");
        }
    }
}
