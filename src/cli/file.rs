//! Writes a file whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::Error;

/// Whether each file can be written, as far as it can be told before there is anything to write: a long run must not
/// end with its report lost, nor with what it has read.
pub fn check_places<'p>(
    outputs: impl IntoIterator<Item = &'p String>,
    inputs: &[&String],
) -> Result<(), Error> {
    let read: BTreeSet<PathBuf> = inputs
        .iter()
        .filter_map(|path| Path::new(path).canonicalize().ok())
        .collect();
    let mut taken = BTreeSet::new();
    for path in outputs {
        let failed = |kind: io::ErrorKind| Error::Write {
            path: path.clone(),
            source: io::Error::from(kind),
        };
        let place = Path::new(path);
        if place.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory));
        }
        let (Some(name), Some(folder)) = (place.file_name(), place.parent()) else {
            return Err(failed(io::ErrorKind::IsADirectory));
        };
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let folder = folder.canonicalize().map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        if !folder.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory));
        }
        // What is no plain file, as a terminal, takes one after the other.
        let is_stream = place.metadata().is_ok_and(|metadata| !metadata.is_file());
        if is_stream {
            continue;
        }
        if place.canonicalize().is_ok_and(|place| read.contains(&place)) {
            return Err(Error::OverItsInput { path: path.clone() });
        }
        if !taken.insert(folder.join(name)) {
            return Err(Error::SamePath { path: path.clone() });
        }
    }
    Ok(())
}

/// For the owner alone: what AWS answered, and plans.
pub fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    write_with(path, text, Readers::Owner)
}

/// For whoever may read what the user writes, as a report.
pub fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    write_with(path, text, Readers::Usual)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    Owner,
    Usual,
}

/// Writes next to the file and then takes its place, so that a run that is cut short leaves what was there.
///
/// What is no plain file (`/dev/stdout`, a pipe) is written to as it is.
fn write_with(path: &Path, text: &[u8], readers: Readers) -> io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let there = fs::metadata(&place).ok();
    if there.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        return OpenOptions::new().write(true).open(&place)?.write_all(text);
    }
    if there
        .as_ref()
        .is_some_and(|metadata| metadata.permissions().readonly())
    {
        // To take its place would be to write to it all the same.
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let (draft, mut file) = match create_draft(&place, readers) {
        // The folder is closed, and the file in it is not.
        Err(error) if there.is_some() && error.kind() == io::ErrorKind::PermissionDenied => {
            return OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(&place)?
                .write_all(text);
        }
        draft => draft?,
    };
    let written = file
        .write_all(text)
        .and_then(|()| file.sync_all())
        .and_then(|()| match there.filter(|_| readers == Readers::Usual) {
            Some(there) => fs::set_permissions(&draft, there.permissions()),
            None => Ok(()),
        })
        .and_then(|()| fs::rename(&draft, &place));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn create_draft(place: &Path, readers: Readers) -> io::Result<(PathBuf, File)> {
    let Some(name) = place.file_name() else {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut number = std::process::id();
    loop {
        let mut draft_name = std::ffi::OsString::from(".");
        draft_name.push(name);
        draft_name.push(format!(".{number}.draft"));
        let draft = place.with_file_name(draft_name);
        match options.open(&draft) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number = number.wrapping_add(1),
            outcome => return outcome.map(|file| (draft, file)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("account.json");
        write_private(&path, b"first, and longer").expect("it is new");
        write_private(&path, b"second").expect("it is replaced");
        assert_eq!(fs::read(&path).expect("it is there"), b"second");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_it_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("account.json"), folder.path().join("link"));
        fs::write(&path, b"old").expect("a file");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        write_private(&link, b"new").expect("it is written");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        assert_eq!(fs::read(&path).expect("it is there"), b"new");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_report_keeps_the_readers_that_it_has() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let mode = || fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
        write(&path, b"first").expect("it is new");
        fs::write(folder.path().join("usual"), b"").expect("a file");
        let usual = fs::metadata(folder.path().join("usual")).expect("it is there");
        assert_eq!(mode(), usual.permissions().mode() & 0o777);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is mine");
        write(&path, b"second").expect("it is replaced");
        assert_eq!(
            (mode(), fs::read(&path).expect("it is there")),
            (0o640, b"second".to_vec())
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("it is mine");
        assert!(write(&path, b"third").is_err());
        assert_eq!(fs::read(&path).expect("it is there"), b"second");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(write_private(folder.path(), b"text").is_err());
        assert!(write_private(&folder.path().join("no/such/place"), b"text").is_err());
    }
}
