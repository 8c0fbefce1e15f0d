//! Text → inventory, without network, files or clocks.

pub mod deployment;
pub mod overlay;
pub mod snapshot;
