//! `snapshot`: records what AWS answers.

use std::path::Path;

use super::Exit;
use super::arguments::SnapshotArguments;
use super::error::Error;
use super::file::write_private;
use super::input;
use super::output::Console;

pub fn run(arguments: &SnapshotArguments, console: &Console) -> Result<Exit, Error> {
    if arguments.account.snapshot.is_some() {
        return Err(Error::NothingToRecord { given: "--snapshot" });
    }
    if arguments.account.demo {
        return Err(Error::NothingToRecord { given: "--demo" });
    }
    let text = input::record(&arguments.account, console)?;
    if arguments.output == "-" {
        console.write(|out| out.write_all(text.as_bytes()))?;
    } else {
        write_private(Path::new(&arguments.output), text.as_bytes()).map_err(|source| Error::Write {
            path: arguments.output.clone(),
            source,
        })?;
        console.remark(&format!("recorded to {}", arguments.output));
    }
    Ok(Exit::Clean)
}
