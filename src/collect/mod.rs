//! Text → inventory, without network, files or clocks.

pub mod snapshot;
