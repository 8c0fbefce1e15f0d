//! The writes, and what AWS refuses of them.

use super::answer::{Answer, Fault};
use super::operation::Operation;
use super::request::Request;
use super::world::World;

pub fn actions_of_create(_request: &Request) -> Vec<&'static str> {
    vec!["s3:CreateBucket"]
}

pub fn create_bucket(
    _world: &mut World,
    _request: &Request,
    _name: &str,
    _account: &str,
    _region: &str,
) -> Result<Answer, Fault> {
    Err(not_yet())
}

pub fn apply(
    _world: &mut World,
    _operation: &Operation,
    _request: &Request,
    _name: &str,
    _account: &str,
    _stale_reads: u32,
) -> Result<Answer, Fault> {
    Err(not_yet())
}

fn not_yet() -> Fault {
    Fault::new(501, "NotImplemented", "The sandbox does not write yet")
}
