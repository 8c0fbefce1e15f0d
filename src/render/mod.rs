//! A report → a writer, one file per format. A renderer never filters, sorts or decides.

pub mod escape;
pub mod graph;
pub mod json;
pub mod position;
pub mod short;
pub mod terminal;
