//! What an applied plan leaves behind: the plan, written before the first change, then a line for each step. A run
//! that goes on with an interrupted one adds its own plan and its steps to the same file.
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

/// What one run planned, and how far it came.
#[derive(Debug)]
struct Run {
    plan: Plan,
    /// None where it wasn't come to.
    states: Vec<Option<State>>,
}

impl Run {
    #[cfg(feature = "aws")]
    fn is_finished(&self) -> bool {
        let is_done = |state: &Option<State>| matches!(state, Some(State::Written | State::Found));
        self.states.iter().all(is_done)
    }
}

/// The runs of a file: the first one, and those that went on with it after an interruption.
fn runs(path: &str, text: &str) -> Result<Vec<Run>, Error> {
    let wrong = |reason: String| Error::UndoFile {
        path: path.to_owned(),
        reason,
    };
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines() {
        match (serde_json::from_str::<Line>(line), runs.last_mut()) {
            (Ok(line), Some(run)) => {
                if let Some(state) = run.states.get_mut(line.change) {
                    *state = Some(line.state);
                }
            }
            (_, last) => match (Plan::parse(line), last) {
                (Ok(plan), _) => runs.push(Run {
                    states: vec![None; plan.changes.len()],
                    plan,
                }),
                // Only a line at which a run was killed can be cut, and a step that isn't there was not taken.
                (Err(_), Some(_)) => {}
                (Err(error), None) => return Err(wrong(error.to_string())),
            },
        }
    }
    let Some(first) = runs.first() else {
        return Err(wrong("it is empty".to_owned()));
    };
    match runs.iter().all(|run| run.plan.account == first.plan.account) {
        true => Ok(runs),
        false => Err(wrong("its runs are of several accounts".to_owned())),
    }
}

/// The plan of an applied plan's file, with the changes that were made and with no others.
pub fn read(path: &str) -> Result<Plan, Error> {
    let mut runs = runs(path, &input::read_text(path)?)?;
    let mut changes: Vec<Change> = Vec::new();
    for run in &runs {
        let made = run.plan.changes.iter().zip(&run.states);
        for (change, _) in made.filter(|(_, state)| matches!(state, Some(State::Writing | State::Written))) {
            add(&mut changes, change);
        }
    }
    let created: Vec<_> = changes
        .iter()
        .filter(|change| matches!(change, Change::CreateBucket(_)))
        .map(|change| change.bucket().clone())
        .collect();
    changes.retain(|change| match change {
        // A bucket that is deleted needs no other setting first; its policy is looked at, since others may rest on it.
        Change::Put(put) => !created.contains(&put.bucket) || put.setting == crate::plan::Setting::Policy,
        Change::CreateBucket(_) | Change::DeleteBucket(_) => true,
    });
    let first = runs.swap_remove(0).plan;
    Ok(Plan { changes, ..first })
}

/// Puts a change behind those of earlier runs. What a later run wrote over what an earlier one wrote is one change; a
/// write that a killed run left open, and that the next one repeated, was one.
fn add(changes: &mut Vec<Change>, change: &Change) {
    if changes.contains(change) {
        return;
    }
    if let Change::Put(put) = change {
        let earlier = changes.iter_mut().rev().find_map(|earlier| match earlier {
            Change::Put(earlier) if earlier.bucket == put.bucket && earlier.setting == put.setting => {
                Some(earlier)
            }
            Change::Put(_) | Change::CreateBucket(_) | Change::DeleteBucket(_) => None,
        });
        if let Some(earlier) = earlier
            && put.setting.same(earlier.after.as_ref(), put.before.as_ref())
        {
            earlier.after.clone_from(&put.after);
            return;
        }
    }
    changes.push(change.clone());
}

/// Only who can apply a plan writes one.
#[cfg(feature = "aws")]
mod written {
    use std::fs::{File, OpenOptions, TryLockError};
    use std::io::{ErrorKind, Read, Write};
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
        /// A new file, or the one of a run that was interrupted; never over another one.
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
            options.read(true).append(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let (mut file, mut line) = match options.open(&path) {
                Ok(file) => {
                    lock(&file, &path)?;
                    (file, String::new())
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => go_on(&path, plan)?,
                Err(error) => return Err(failed(error)),
            };
            line.push_str(&plan.to_line());
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

    /// The file of a run that was interrupted, and what ends its last line where that was cut.
    /// Its lines count from their own plan: two runs must not write between each other. A file system without locks has
    /// none to wait for.
    fn lock(file: &File, path: &Path) -> Result<(), Error> {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Error::UndoFileTaken {
                path: path.display().to_string(),
                reason: "another run writes to it",
            }),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    fn go_on(path: &Path, plan: &Plan) -> Result<(File, String), Error> {
        let shown = path.display().to_string();
        let failed = |source| Error::Write {
            path: shown.clone(),
            source,
        };
        let taken = |reason| Error::UndoFileTaken {
            path: shown.clone(),
            reason,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(path)
            .map_err(failed)?;
        lock(&file, path)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        if text.is_empty() {
            return Ok((file, String::new()));
        }
        let Ok(runs) = super::runs(&shown, &text) else {
            return Err(taken("it is no undo file"));
        };
        match runs.last() {
            Some(last) if last.plan.account != plan.account => Err(taken("it is of another account")),
            Some(last) if !last.is_finished() => {
                let end = if text.ends_with('\n') { "" } else { "\n" };
                Ok((file, end.to_owned()))
            }
            Some(_) | None => Err(taken("it is of a run that came to its end")),
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
