//! Writes a file whole or not at all, for its owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes next to the file and then takes its place, so that a run that is cut short leaves what was there.
///
/// What is no plain file (`/dev/stdout`, a pipe) is written to as it is.
pub fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&place).is_ok_and(|metadata| !metadata.is_file()) {
        return OpenOptions::new().write(true).open(&place)?.write_all(text);
    }
    let (draft, mut file) = create_draft(&place)?;
    let written = file
        .write_all(text)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, &place));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn create_draft(place: &Path) -> io::Result<(PathBuf, File)> {
    let Some(name) = place.file_name() else {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
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

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(write_private(folder.path(), b"text").is_err());
        assert!(write_private(&folder.path().join("no/such/place"), b"text").is_err());
    }
}
