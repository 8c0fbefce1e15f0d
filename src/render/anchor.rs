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
#[derive(Debug, Clone, Default)]
pub struct Occasion {
    /// The settings file, if there is one: as it was named.
    pub settings_path: Option<String>,
    /// The folder that paths are shown from: absolute, with `/`. The repository's, where the run is in one.
    pub folder: Option<String>,
    /// The working folder, seen from there: `infrastructure/aws`, or empty.
    pub within: String,
}

/// Where what stands in no file is put, where no settings file is in the repository.
const STAND_IN: &str = "s3log-lint.toml";

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
            path: self
                .settings_path
                .as_deref()
                .and_then(|path| self.in_repository(path))
                .unwrap_or_else(|| STAND_IN.to_owned()),
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
        let from_root = self.folder.as_deref().and_then(|folder| {
            let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
            rest.strip_prefix('/')
        });
        let (start, inside) = match from_root {
            Some(inside) => ("", inside),
            None if path.starts_with('/') => return None,
            None => (self.within.as_str(), path.as_str()),
        };
        let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
        for part in inside.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let inside = parts.join("/");
        let is_absolute = inside.chars().nth(1) == Some(':');
        // A tool could not find a file by the name that it is shown.
        let is_odd = visible(&inside) != inside;
        let is_file = !inside.is_empty() && !matches!(path.as_str(), "-" | "standard input");
        (is_file && !is_odd && !is_absolute).then_some(inside)
    }

    /// The same for a tool that knows itself where in the repository it runs.
    pub fn from_working_folder(&self) -> Self {
        let folder = self.folder.as_deref().map(|folder| match self.within.as_str() {
            "" => folder.to_owned(),
            within => format!("{}/{within}", folder.trim_end_matches('/')),
        });
        Self {
            settings_path: self.settings_path.clone(),
            folder,
            within: String::new(),
        }
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
    fn a_path_is_seen_from_the_repositorys_root() {
        let occasion = Occasion {
            folder: Some("/home/me/repository".to_owned()),
            within: "infrastructure/aws".to_owned(),
            settings_path: Some("/home/me/repository/s3log-lint.toml".to_owned()),
        };
        let inside = |path| occasion.in_repository(path);
        assert_eq!(inside("main.tf").as_deref(), Some("infrastructure/aws/main.tf"));
        assert_eq!(
            inside("../modules/main.tf").as_deref(),
            Some("infrastructure/modules/main.tf")
        );
        assert_eq!(inside("/home/me/repository/main.tf").as_deref(), Some("main.tf"));
        assert_eq!(inside("../../../main.tf"), None);
        assert_eq!(inside("/etc/main.tf"), None);
        assert_eq!(occasion.stand_in().path, "s3log-lint.toml");
        let here = occasion.from_working_folder();
        assert_eq!(here.in_repository("main.tf").as_deref(), Some("main.tf"));
        assert_eq!(
            here.in_repository("/home/me/repository/infrastructure/aws/a.tf")
                .as_deref(),
            Some("a.tf")
        );
    }

    #[test]
    fn what_stands_in_no_file_stands_in_the_repository_all_the_same() {
        for settings_path in ["/etc/s3log-lint.toml", "../s3log-lint.toml", "-"] {
            let occasion = Occasion {
                settings_path: Some(settings_path.to_owned()),
                folder: Some("/home/me/repository".to_owned()),
                within: String::new(),
            };
            assert_eq!(occasion.stand_in().path, "s3log-lint.toml");
        }
        let occasion = Occasion {
            settings_path: Some("ci/lint.toml".to_owned()),
            ..Occasion::default()
        };
        assert_eq!(occasion.stand_in().path, "ci/lint.toml");
    }

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
