//! Text → inventory, without network, files or clocks.

pub mod cloudformation;
pub mod collision;
pub mod deployment;
pub mod encoding;
pub mod kind;
pub mod overlay;
pub mod snapshot;
pub mod terraform;
