//! Where nothing grants: the statement that comes nearest to it, and the first thing in it that misses.

use super::decide::Prepared;
use super::delivery::{Delivery, Ownership};
use super::keys::{self, World};
use super::open::Open;
use super::pattern::Pattern;
use super::prepare::{PreparedCondition, PreparedStatement, Request};
use super::syntax::{Effect, LOG_SERVICE, Statement, Who};
use super::trace::{keys_in_words, listed};
use super::truth::Truth;
use super::words::Words;

/// The nearest thing to a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest {
    /// The statement; empty for the ACL.
    pub statement: String,
    /// `Sid` or number, to be named by.
    pub name: String,
    pub misses: Miss,
    /// The element that misses; empty for the ACL.
    pub element: String,
    /// What is written there.
    pub written: String,
    /// What this edge needs.
    pub needed: String,
    /// The smallest change that would grant, as far as this miss goes.
    pub edit: String,
    /// What misses beside it, in the order of the statement.
    pub also: Vec<Miss>,
}

/// What can miss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    Principal,
    Action,
    Partition,
    /// The ARN names another bucket, or the bucket and none of its objects.
    Bucket,
    Prefix,
    SourceArn,
    SourceAccount,
    /// `aws:SourceOrgID` or `aws:SourceOrgPaths`.
    SourceOrganization,
    /// Another condition key.
    Condition(String),
    /// LogDelivery has the ACL grant, and the bucket's ownership setting switches ACLs off.
    DeadAcl,
}

impl Miss {
    /// What it is called.
    pub fn words(&self) -> String {
        match self {
            Miss::Principal => "the principal".to_owned(),
            Miss::Action => "the action".to_owned(),
            Miss::Partition => "the partition".to_owned(),
            Miss::Bucket => "the bucket".to_owned(),
            Miss::Prefix => "the prefix".to_owned(),
            Miss::SourceArn => "the source ARN".to_owned(),
            Miss::SourceAccount => "the source account".to_owned(),
            Miss::SourceOrganization => "the source organization".to_owned(),
            Miss::Condition(key) => format!("the condition on `{key}`"),
            Miss::DeadAcl => "a dead ACL".to_owned(),
        }
    }
}

/// How near a statement comes. Less is nearer.
type Distance = (usize, usize, usize);

pub fn nearest(prepared: &Prepared, request: &Request<'_>) -> Option<Nearest> {
    let best = prepared
        .policy()
        .statements
        .iter()
        .zip(prepared.prepared())
        .filter(|(statement, _)| statement.effect == Effect::Allow)
        .map(|(statement, ready)| (distance(statement, ready, request), statement, ready))
        .min_by_key(|(distance, ..)| *distance);
    let dead_acl = dead_acl(request.delivery);
    match best {
        // A statement that is meant for log delivery, or for a service like it.
        Some(((0 | 1, ..), statement, ready)) => Some(told(statement, ready, request)),
        Some((_, statement, ready)) => dead_acl.or_else(|| Some(told(statement, ready, request))),
        None => dead_acl,
    }
}

fn distance(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> Distance {
    let whom = match ready.principal {
        Truth::True | Truth::Unknown => 0,
        Truth::False if resembles_log_service(statement) => 1,
        Truth::False => 2,
    };
    let misses = usize::from(ready.principal == Truth::False)
        + usize::from(ready.action == Truth::False)
        + usize::from(request.resource(&ready.resource) == Truth::False)
        + ready
            .conditions
            .iter()
            .filter(|condition| request.condition(condition) == Truth::False)
            .count();
    // An object action tells more of the purpose than a list of buckets does.
    (whom, usize::from(ready.action == Truth::False), misses)
}

/// A service principal that people write in its place.
fn resembles_log_service(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|principals| {
        principals.listed.iter().any(|principal| match &principal.who {
            Who::Service(text) | Who::Malformed(text) => {
                let text = text.to_ascii_lowercase();
                text.contains("log") || text.starts_with("s3.")
            }
            Who::Everyone | Who::Aws(_) | Who::CanonicalUser(_) | Who::Federated(_) => false,
        })
    })
}

fn dead_acl(delivery: &Delivery) -> Option<Nearest> {
    let acl = delivery.acl;
    if acl.ownership != Some(Ownership::BucketOwnerEnforced) || acl.write != Some(true) {
        return None;
    }
    Some(Nearest {
        statement: String::new(),
        name: "the ACL".to_owned(),
        misses: Miss::DeadAcl,
        element: String::new(),
        written: "WRITE for LogDelivery".to_owned(),
        needed: "a statement in the bucket policy: with `BucketOwnerEnforced`, ACLs have no effect"
            .to_owned(),
        edit: format!("grant `s3:PutObject` to `{{\"Service\": \"{LOG_SERVICE}\"}}` in the bucket policy"),
        also: Vec::new(),
    })
}

struct Missing {
    miss: Miss,
    element: String,
    written: String,
    needed: String,
    edit: String,
}

fn told(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> Nearest {
    let mut missing = Vec::new();
    missing.extend(principal(statement, ready));
    missing.extend(action(statement, ready));
    missing.extend(resource(statement, ready, request));
    missing.extend(conditions(statement, ready, request));
    let mut missing = missing.into_iter();
    let first = missing.next().unwrap_or_else(|| Missing {
        miss: Miss::Principal,
        element: statement.pointer.clone(),
        written: String::new(),
        needed: String::new(),
        edit: String::new(),
    });
    Nearest {
        statement: statement.pointer.clone(),
        name: statement.name(),
        misses: first.miss,
        element: first.element,
        written: first.written,
        needed: first.needed,
        edit: first.edit,
        also: missing.map(|missing| missing.miss).collect(),
    }
}

fn principal(statement: &Statement, ready: &PreparedStatement) -> Option<Missing> {
    if ready.principal != Truth::False {
        return None;
    }
    let (element, written, edit) = match &statement.principal {
        None => (
            statement.pointer.clone(),
            "no principal".to_owned(),
            format!("add `\"Principal\": {{\"Service\": \"{LOG_SERVICE}\"}}`"),
        ),
        Some(principals) => {
            let names = principals.listed.iter().map(|principal| match &principal.who {
                Who::Everyone => "*",
                Who::Aws(text)
                | Who::Service(text)
                | Who::CanonicalUser(text)
                | Who::Federated(text)
                | Who::Malformed(text) => text.as_str(),
            });
            let element = match principals.listed.as_slice() {
                [only] => only.pointer.clone(),
                _ => principals.pointer.clone(),
            };
            let names = listed(names);
            (
                element,
                if principals.negated {
                    format!("anyone but {names}")
                } else {
                    names
                },
                match resembles_log_service(statement) {
                    true => format!("write `{{\"Service\": \"{LOG_SERVICE}\"}}`"),
                    false => format!("add a statement for `{{\"Service\": \"{LOG_SERVICE}\"}}`"),
                },
            )
        }
    };
    Some(Missing {
        miss: Miss::Principal,
        element,
        written,
        needed: format!("the service `{LOG_SERVICE}`"),
        edit,
    })
}

fn action(statement: &Statement, ready: &PreparedStatement) -> Option<Missing> {
    if ready.action != Truth::False {
        return None;
    }
    let (element, written) = match &statement.action {
        None => (statement.pointer.clone(), "no action".to_owned()),
        Some(action) => (
            match action.items.as_slice() {
                [only] => only.pointer.clone(),
                _ => action.pointer.clone(),
            },
            listed(action.items.iter().map(|item| item.text.as_str())),
        ),
    };
    Some(Missing {
        miss: Miss::Action,
        element,
        written,
        needed: "`s3:PutObject`".to_owned(),
        edit: "add `s3:PutObject` to the actions".to_owned(),
    })
}

fn resource(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> Option<Missing> {
    if request.resource(&ready.resource) != Truth::False {
        return None;
    }
    let delivery = request.delivery;
    let needed = keys_in_words(delivery);
    let Some(resource) = &statement.resource else {
        return Some(Missing {
            miss: Miss::Bucket,
            element: statement.pointer.clone(),
            written: "no resource".to_owned(),
            edit: format!("add `\"Resource\"` with {needed}"),
            needed,
        });
    };
    // Of several resources, the one that misses least.
    let graded = resource
        .items
        .iter()
        .zip(&ready.resource.items)
        .map(|(item, _)| (how_it_misses(&item.text, delivery), item));
    let best = graded.min_by_key(|(miss, _)| match miss {
        Miss::Prefix => 0,
        Miss::Bucket => 1,
        _ => 2,
    });
    let (miss, item) = match best {
        Some((miss, item)) => (miss, Some(item)),
        None => (Miss::Bucket, None),
    };
    let bucket = delivery.target_shown();
    let prefix = delivery.prefix.as_deref().unwrap_or_default();
    let pattern = format!("arn:{}:s3:::{bucket}/{prefix}*", delivery.partition);
    let written = match item {
        Some(item) if !resource.negated => format!("`{}`", item.text),
        _ => listed(resource.items.iter().map(|item| item.text.as_str())),
    };
    Some(Missing {
        element: item
            .filter(|_| !resource.negated)
            .map_or(&resource.pointer, |item| &item.pointer)
            .clone(),
        edit: match (resource.negated, resource.items.len()) {
            (true, _) => format!("write `\"Resource\": \"{pattern}\"` in place of `NotResource`"),
            (false, 0 | 1) => format!("write `{pattern}`"),
            (false, _) => format!("add `{pattern}`"),
        },
        miss,
        written: if resource.negated {
            format!("any but {written}")
        } else {
            written
        },
        needed,
    })
}

fn how_it_misses(text: &str, delivery: &Delivery) -> Miss {
    let segments: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "s3", _, _, name] = segments.as_slice() else {
        return Miss::Bucket;
    };
    if !Pattern::new(partition).matches(delivery.partition.as_str()) {
        return Miss::Partition;
    }
    if let Some((Open::Bucket(label), after)) = Open::leading(name) {
        return match delivery.unnamed.target.as_deref() == Some(&*label) && after.starts_with('/') {
            true => Miss::Prefix,
            false => Miss::Bucket,
        };
    }
    let Some((bucket, _)) = name.split_once('/') else {
        return Miss::Bucket;
    };
    let names_bucket = match &delivery.target_bucket {
        Some(target) => Pattern::new(bucket).covers(&Words::one(&**target)) != Truth::False,
        None => true,
    };
    if names_bucket { Miss::Prefix } else { Miss::Bucket }
}

fn conditions(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> Vec<Missing> {
    let delivery = request.delivery;
    statement
        .conditions
        .iter()
        .zip(&ready.conditions)
        .filter(|(_, condition)| request.condition(condition) == Truth::False)
        .map(|(written, condition)| {
            let key = keys::proper_name(&written.key);
            let values = listed(written.values.iter().map(|value| value.text.as_str()));
            let element = match written.values.as_slice() {
                [only] => only.pointer.clone(),
                _ => written.pointer.clone(),
            };
            let (miss, edit) = match key.as_str() {
                "aws:SourceArn" => {
                    let arn = said(condition).unwrap_or_else(|| source_arn(delivery));
                    let edit = match written.values.as_slice() {
                        [only] if only.text.trim_end_matches("/*") == arn => {
                            format!("write `{arn}`, without `/*`: the source is the bucket, not its objects")
                        }
                        [] | [_] => format!("write `{arn}`, or a pattern that covers it"),
                        _ => format!("add `{arn}` to the list"),
                    };
                    (Miss::SourceArn, edit)
                }
                "aws:SourceAccount" => {
                    let known = delivery.source_account.as_ref().map(ToString::to_string);
                    let account = said(condition).or(known);
                    let account = account.as_deref().unwrap_or("ACCOUNT");
                    (Miss::SourceAccount, format!("write `{account}`"))
                }
                "aws:SourceOrgID" | "aws:SourceOrgPaths" => (
                    Miss::SourceOrganization,
                    format!("condition on `aws:SourceAccount` instead, or let `{key}` name the source's organization"),
                ),
                "aws:CurrentTime" | "aws:EpochTime" => (
                    Miss::Condition(key.clone()),
                    format!("let the condition on `{key}` hold for as long as logs are wanted, or take it out"),
                ),
                _ => (
                    Miss::Condition(key.clone()),
                    format!("take `{key}` out of the condition of this statement"),
                ),
            };
            Missing {
                miss,
                element,
                written: format!("{} {values}", written.operator),
                needed: format!(
                    "`{key}` of this delivery is {}{}",
                    request.carries(condition),
                    if condition.told.is_some() { ", as you say" } else { "" }
                ),
                edit,
            }
        })
        .collect()
}

/// The value that the user says a delivery carries of a condition's key.
fn said(condition: &PreparedCondition) -> Option<String> {
    match condition.told.as_deref()? {
        [World::Values(values)] => values.first()?.known().map(str::to_owned),
        _ => None,
    }
}

fn source_arn(delivery: &Delivery) -> String {
    let source = delivery.source_shown();
    format!("arn:{}:s3:::{source}", delivery.partition)
}
