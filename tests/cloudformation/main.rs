//! CloudFormation: against the real templates of the corpus, and against small ones made up for a purpose.

mod change_sets;
mod conditions;
mod corpus;
mod decisions;
mod laws;
mod onto;
mod templates;
mod written;

use s3log_lint::collect::cloudformation::{self, Hints, Source, TemplateError};
use s3log_lint::collect::deployment::Deployment;

pub fn source(path: &str, text: impl Into<std::sync::Arc<str>>) -> Source {
    Source {
        path: path.to_owned(),
        text: text.into(),
    }
}

/// Reads files that are only in memory.
pub fn try_read(files: &[(&str, &str)], hints: &Hints) -> Result<Deployment, TemplateError> {
    let sources: Vec<Source> = files.iter().map(|(path, text)| source(path, *text)).collect();
    cloudformation::read(&sources, hints, &mut |_| None)
}

pub fn read(files: &[(&str, &str)]) -> Deployment {
    try_read(files, &Hints::default()).unwrap_or_else(|error| panic!("{error}"))
}
