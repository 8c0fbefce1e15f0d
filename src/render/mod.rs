//! A report → a writer, one file per format. A renderer never filters, sorts or decides.

pub mod escape;
pub mod position;
pub mod short;
