//! Will every S3 access log really arrive?

pub mod name;

pub mod inventory;

pub mod collect;
