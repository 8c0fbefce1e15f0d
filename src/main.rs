//! Arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    s3log_lint::cli::run(std::env::args_os())
}
