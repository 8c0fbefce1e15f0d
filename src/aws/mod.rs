//! The real S3 API: questions out, raw answers in.
//!
//! [`fetch`] gives a [`Snapshot`](crate::collect::snapshot::Snapshot) and judges nothing. Every refusal of a single
//! call becomes a value in it; only what makes the whole run pointless is an [`Error`].

mod answer;
pub mod arrivals;
mod ask;
mod cloud;
mod error;
mod fetch;
mod foreign;
mod guard;
mod lanes;
mod listing;
mod meter;
mod refusal;
mod session;

pub use cloud::AwsCloud;
pub use error::Error;
pub use fetch::{Fetched, Outlook, Request, Status, fetch};
pub use meter::Meter;
pub use refusal::{Kind, Refusal};
pub use session::{Access, Identity, Keys, Options, Role, Session};
