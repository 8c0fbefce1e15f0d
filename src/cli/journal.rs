//! What an applied plan leaves behind: the plan, written before the first change, then a line for each step.
//!
//! Lines are only ever added, so that a process that is killed leaves what it did. A last line that is cut is no line.

#[cfg(feature = "aws")]
pub use self::written::Journal;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::input;
use crate::plan::{Change, Plan};

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    change: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Writing,
    Written,
    Found,
}

/// The plan of an applied plan's file, with the changes that were made and with no others.
pub fn read(path: &str) -> Result<Plan, Error> {
    let text = input::read_text(path)?;
    let mut lines = text.lines();
    let plan = Plan::parse(lines.next().unwrap_or_default()).map_err(|source| Error::PlanFile {
        path: path.to_owned(),
        source,
    })?;
    let mut made = vec![false; plan.changes.len()];
    for line in lines {
        // Only the last line can be cut, and a step that isn't there was not taken.
        let Ok(line) = serde_json::from_str::<Line>(line) else {
            continue;
        };
        if let Some(made) = made.get_mut(line.change) {
            *made = line.state != State::Found;
        }
    }
    let created: Vec<_> = plan
        .changes
        .iter()
        .zip(&made)
        .filter(|(change, made)| **made && matches!(change, Change::CreateBucket(_)))
        .map(|(change, _)| change.bucket().clone())
        .collect();
    let is_taken_back = |change: &Change| match change {
        // A bucket that is deleted needs no other setting first; its policy is looked at, since others may rest on it.
        Change::Put(put) => !created.contains(&put.bucket) || put.setting == crate::plan::Setting::Policy,
        Change::CreateBucket(_) | Change::DeleteBucket(_) => true,
    };
    Ok(Plan {
        changes: plan
            .changes
            .iter()
            .zip(made)
            .filter(|(change, made)| *made && is_taken_back(change))
            .map(|(change, _)| change.clone())
            .collect(),
        ..plan
    })
}

/// Only who can apply a plan writes one.
#[cfg(feature = "aws")]
mod written {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, PoisonError};

    use super::{Error, Line, Plan, State};
    use crate::apply::{Event, Outcome, Stop};

    #[derive(Debug)]
    pub struct Journal {
        path: PathBuf,
        file: Mutex<File>,
    }

    impl Journal {
        /// A new file, never over another one.
        pub fn begin(given: Option<&str>, plan: &Plan) -> Result<Self, Error> {
            let path = match given {
                Some(path) => PathBuf::from(path),
                None => default_path()?,
            };
            let failed = |source| Error::Write {
                path: path.display().to_string(),
                source,
            };
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&path).map_err(failed)?;
            let mut line = plan.to_line();
            line.push('\n');
            file.write_all(line.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(failed)?;
            Ok(Self {
                path,
                file: Mutex::new(file),
            })
        }

        pub fn path(&self) -> &Path {
            &self.path
        }

        pub fn note(&self, change: usize, event: Event) -> Result<(), Stop> {
            let state = match event {
                Event::Writing => State::Writing,
                Event::Done(Outcome::Written) => State::Written,
                Event::Done(Outcome::Found) => State::Found,
            };
            let failed = |reason: String| Stop::Journal {
                path: self.path.display().to_string(),
                reason,
            };
            let mut line =
                serde_json::to_string(&Line { change, state }).map_err(|error| failed(error.to_string()))?;
            line.push('\n');
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(line.as_bytes())
                .map_err(|error| failed(error.to_string()))
        }
    }

    /// `$XDG_STATE_HOME/s3log-lint/applied-….jsonl`; here, where there is no home.
    fn default_path() -> Result<PathBuf, Error> {
        let folder = std::env::var_os("XDG_STATE_HOME")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| {
                let home = std::env::var_os("HOME").filter(|path| !path.is_empty())?;
                Some(PathBuf::from(home).join(".local").join("state"))
            })
            .map(|state| state.join("s3log-lint"));
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
        // Two runs may begin in the same moment.
        let name = format!("applied-{now}-{}.jsonl", std::process::id());
        let Some(folder) = folder else {
            return Ok(PathBuf::from(format!("s3log-lint-{name}")));
        };
        std::fs::create_dir_all(&folder).map_err(|source| Error::Write {
            path: folder.display().to_string(),
            source,
        })?;
        Ok(folder.join(name))
    }
}
