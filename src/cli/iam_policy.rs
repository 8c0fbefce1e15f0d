//! `--print-iam-policy`: what a run must be allowed to do, and nothing more.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Exit;
use super::arguments::AccountArguments;
use super::change::Origin;
use super::error::Error;
use super::output::Console;
use crate::inventory::Call;
use crate::name::{Partition, Region};
use crate::plan::{Change, Plan, Setting};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: String,
}

/// `audit`, and `verify`, which asks nothing more: s3:ListBucket allows HeadBucket as well as the list of objects.
pub fn print(arguments: &AccountArguments, console: &Console) -> Result<Exit, Error> {
    write(&policy(&partition(arguments), arguments.bucket_tags), console)
}

fn partition(arguments: &AccountArguments) -> Partition {
    arguments
        .region
        .first()
        .and_then(|text| Region::parse(text).ok())
        .map_or_else(Partition::default, |region| region.partition())
}

fn write(policy: &Policy, console: &Console) -> Result<Exit, Error> {
    console.write(|out| {
        serde_json::to_writer_pretty(&mut *out, policy).map_err(std::io::Error::from)?;
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
        statement: vec![
            statement("ListTheBuckets", of_the_account, "*".to_owned()),
            statement("ReadTheirSettings", of_buckets, format!("arn:{partition}:s3:::*")),
        ],
    }
}

/// What the run does on buckets, beside the list of them.
fn doing(partition: &Partition, sid: &'static str, action: BTreeSet<&'static str>) -> Policy {
    Policy {
        version: "2012-10-17",
        statement: vec![
            Statement {
                sid: "ListTheBuckets",
                effect: "Allow",
                action: vec![Call::List.action()],
                resource: "*".to_owned(),
            },
            Statement {
                sid,
                effect: "Allow",
                action: action.into_iter().collect(),
                resource: format!("arn:{partition}:s3:::*"),
            },
        ],
    }
}

/// What making a log bucket takes.
const CREATION: [&str; 4] = [
    "s3:CreateBucket",
    "s3:TagResource",
    Setting::OwnershipControls.write_action(true),
    Setting::PublicAccessBlock.write_action(true),
];

/// `enable --print-iam-policy`: for a run with these options.
pub fn print_for_enable(
    arguments: &AccountArguments,
    creates: bool,
    expires: bool,
    console: &Console,
) -> Result<Exit, Error> {
    let mut action = BTreeSet::from([
        Call::Logging.action(),
        Call::Policy.action(),
        Call::Encryption.action(),
        Call::ObjectLock.action(),
        Call::RequestPayment.action(),
        // Whether anyone could read the logs.
        Call::OwnershipControls.action(),
        Call::PublicAccessBlock.action(),
        Call::Acl.action(),
        Setting::Logging.write_action(true),
        Setting::Policy.write_action(true),
    ]);
    let mut to_undo = vec![Setting::Policy.write_action(false)];
    if expires || creates {
        action.insert(Call::Versioning.action());
    }
    if expires {
        action.extend([Call::Lifecycle.action(), Setting::Lifecycle.write_action(true)]);
    }
    if creates {
        action.insert(Call::Head.action());
        action.extend(CREATION);
        to_undo.push("s3:DeleteBucket");
    }
    console.remark(&format!(
        "To take it back needs {} besides; `--undo FILE --print-iam-policy` prints what that file needs.",
        to_undo.join(" and ")
    ));
    write(
        &doing(&partition(arguments), "SetUpTheirLogging", action),
        console,
    )
}

/// `enable --plan FILE --print-iam-policy`, and the same with `--undo`: for these very changes.
pub fn print_for_plan(plan: &Plan, origin: Origin, console: &Console) -> Result<Exit, Error> {
    let mut action: BTreeSet<&str> = plan.changes.iter().flat_map(Change::actions).collect();
    action.insert(Call::Logging.action());
    let sid = match origin {
        Origin::UndoFile => "TakeBackWhatWasDone",
        Origin::Planned | Origin::PlanFile => {
            action.extend([
                Call::Policy.action(),
                Call::OwnershipControls.action(),
                Call::PublicAccessBlock.action(),
                Call::Acl.action(),
            ]);
            "ApplyThePlan"
        }
    };
    // Every bucket is named: nobody has to list them.
    let mut policy = doing(&plan.partition, sid, action);
    policy.statement.remove(0);
    write(&policy, console)
}

/// `fix --print-iam-policy`: for every repair.
pub fn print_for_fix(arguments: &AccountArguments, creates: bool, console: &Console) -> Result<Exit, Error> {
    let reads = Call::ALL.into_iter().filter(|call| call.is_about_a_bucket());
    let mut action: BTreeSet<&str> = reads.map(Call::action).collect();
    let written = [
        Setting::Encryption,
        Setting::RequestPayment,
        Setting::Lifecycle,
        Setting::Policy,
        Setting::Logging,
    ];
    action.extend(written.map(|setting| setting.write_action(true)));
    if creates {
        action.extend(CREATION);
    }
    write(
        &doing(&partition(arguments), "RepairTheirLogging", action),
        console,
    )
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
