//! `audit --print-iam-policy`: what a run must be allowed to do, and nothing more.

use serde::Serialize;

use super::Exit;
use super::arguments::AccountArguments;
use super::error::Error;
use super::output::Console;
use crate::inventory::Call;
use crate::name::{Partition, Region};
use crate::plan::Setting;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: [Statement; 2],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: String,
}

pub fn print(arguments: &AccountArguments, console: &Console) -> Result<Exit, Error> {
    let partition = arguments
        .region
        .first()
        .and_then(|text| Region::parse(text).ok())
        .map_or_else(Partition::default, |region| region.partition());
    let policy = policy(&partition, arguments.bucket_tags);
    console.write(|out| {
        serde_json::to_writer_pretty(&mut *out, &policy).map_err(std::io::Error::from)?;
        writeln!(out)
    })?;
    Ok(Exit::Clean)
}

/// GetCallerIdentity is missing on purpose: it needs no permission.
fn policy(partition: &Partition, tags: bool) -> Policy {
    let (of_buckets, of_the_account): (Vec<Call>, Vec<Call>) = Call::ALL
        .into_iter()
        .chain(tags.then_some(Call::Tagging))
        .partition(|call| call.is_about_a_bucket());
    let statement = |sid, calls: Vec<Call>, resource| {
        let mut action: Vec<&str> = calls.into_iter().map(Call::action).collect();
        action.sort_unstable();
        Statement {
            sid,
            effect: "Allow",
            action,
            resource,
        }
    };
    Policy {
        version: "2012-10-17",
        statement: [
            statement("ListTheBuckets", of_the_account, "*".to_owned()),
            statement("ReadTheirSettings", of_buckets, format!("arn:{partition}:s3:::*")),
        ],
    }
}

/// `enable --print-iam-policy`: for a run with these options.
pub fn print_for_enable(
    arguments: &AccountArguments,
    creates: bool,
    expires: bool,
    console: &Console,
) -> Result<Exit, Error> {
    let partition = arguments
        .region
        .first()
        .and_then(|text| Region::parse(text).ok())
        .map_or_else(Partition::default, |region| region.partition());
    let mut action = vec![
        Call::Logging.action(),
        Call::Policy.action(),
        Call::Encryption.action(),
        Call::ObjectLock.action(),
        Call::RequestPayment.action(),
        Setting::Logging.write_action(true),
        Setting::Policy.write_action(true),
    ];
    if expires || creates {
        action.push(Call::Versioning.action());
    }
    if expires {
        action.extend([Call::Lifecycle.action(), Setting::Lifecycle.write_action(true)]);
    }
    if creates {
        action.extend([
            Call::Head.action(),
            "s3:CreateBucket",
            "s3:TagResource",
            Call::OwnershipControls.action(),
            Setting::OwnershipControls.write_action(true),
            Call::PublicAccessBlock.action(),
            Setting::PublicAccessBlock.write_action(true),
        ]);
    }
    action.sort_unstable();
    let policy = Policy {
        version: "2012-10-17",
        statement: [
            Statement {
                sid: "ListTheBuckets",
                effect: "Allow",
                action: vec![Call::List.action()],
                resource: "*".to_owned(),
            },
            Statement {
                sid: "SetUpTheirLogging",
                effect: "Allow",
                action,
                resource: format!("arn:{partition}:s3:::*"),
            },
        ],
    };
    console.write(|out| {
        serde_json::to_writer_pretty(&mut *out, &policy).map_err(std::io::Error::from)?;
        writeln!(out)
    })?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_reads_of_buckets_alone() {
        let policy = policy(&Partition::default(), false);
        let actions: Vec<&str> = policy
            .statement
            .iter()
            .flat_map(|statement| statement.action.iter().copied())
            .collect();
        assert_eq!(actions.len(), Call::ALL.len());
        for action in actions {
            assert!(
                action.starts_with("s3:Get") || action.starts_with("s3:List"),
                "{action}"
            );
            assert!(
                !action.contains("Object") || action == "s3:GetBucketObjectLockConfiguration",
                "{action}"
            );
        }
        assert_eq!(policy.statement[0].action, ["s3:ListAllMyBuckets"]);
    }

    #[test]
    fn each_partition_has_its_own_arns() {
        let partition = Region::parse("us-gov-west-1").expect("a region").partition();
        assert_eq!(
            policy(&partition, true).statement[1].resource,
            "arn:aws-us-gov:s3:::*"
        );
    }
}
