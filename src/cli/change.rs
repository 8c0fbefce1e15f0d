//! What every command that changes something shares: the plan is shown, the question asked, the very plan applied.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
#[cfg(feature = "aws")]
use super::carry_out::apply;
use super::error::Error;
use super::file;
use super::output::Console;
use crate::apply::Stop;
use crate::inventory::Inventory;
use crate::plan::{Change, Consequences, Left, Plan, current};
use crate::render;

#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Apply without a question
    #[arg(long, short, help_heading = "Plan")]
    pub yes: bool,
    /// Exit 1 if there is something to change, and change nothing
    #[arg(long, conflicts_with = "yes", help_heading = "Plan")]
    pub check: bool,
    /// Write the plan to this file, and change nothing
    #[arg(long, value_name = "FILE", conflicts_with = "yes", help_heading = "Plan")]
    pub out: Option<String>,
    /// Print the plan in another language, and change nothing
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        conflicts_with = "yes",
        help_heading = "Plan"
    )]
    pub emit: Option<Emit>,
    /// Where to note what is done, for `enable --undo` [default: a new file in the state folder]
    #[arg(long, value_name = "FILE", help_heading = "Plan")]
    pub undo_file: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// HCL for the AWS provider, version 6
    Terraform,
    /// A template of one region. It switches on no logging of buckets that are there: what to add to them stands in
    /// its metadata
    Cloudformation,
    /// Commands of the AWS CLI
    Cli,
}

/// Tells every reason why nothing is planned.
pub fn refuse<E>(refusals: &[E], console: &Console) -> Exit
where
    E: Clone + Into<Error>,
{
    for refusal in refusals {
        console.error(&refusal.clone().into());
    }
    Exit::Failed
}

/// Why a run stopped, in the words that hold for where its plan comes from.
pub fn stopped(stop: Stop, origin: Origin) -> Error {
    match (stop, origin) {
        (Stop::Moved { bucket, setting, .. }, Origin::PlanFile) => Error::MovedSincePlanned {
            bucket,
            setting: setting.title(),
        },
        (Stop::Moved { bucket, setting, .. }, Origin::UndoFile) => Error::MovedSinceApplied {
            bucket,
            setting: setting.title(),
        },
        (stop, Origin::Planned | Origin::PlanFile | Origin::UndoFile) => stop.into(),
    }
}

/// What stands in the account neither as the plan found it nor as it leaves it.
pub fn moved(plan: &Plan, inventory: &Inventory) -> Vec<Stop> {
    let account = inventory
        .accounts
        .iter()
        .find(|account| account.id.known() == Some(&plan.account));
    let Some(account) = account else {
        return vec![Stop::OtherAccount {
            planned: plan.account.to_string(),
        }];
    };
    plan.changes
        .iter()
        .filter_map(|change| {
            let Change::Put(put) = change else { return None };
            let bucket = account.bucket(put.bucket.as_str())?;
            let found = current(bucket, put.setting).ok()?;
            let is = |document: &Option<_>| put.setting.same(document.as_ref(), found.as_ref());
            (!is(&put.before) && !is(&put.after)).then(|| Stop::Moved {
                bucket: put.bucket.to_string(),
                setting: put.setting,
                expected: put.before.clone(),
                found: found.clone(),
            })
        })
        .collect()
}

/// Where a plan comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was made a moment ago, and would be made anew from whatever is there then.
    Planned,
    /// A file of `--out`.
    PlanFile,
    /// An undo file, of which it is the inverse.
    UndoFile,
}

/// A plan, with what it is shown and applied with.
pub struct Conduct<'a> {
    pub plan: &'a Plan,
    pub consequences: &'a Consequences,
    /// What was asked for and isn't planned.
    pub left: &'a [Left],
    #[cfg_attr(
        not(feature = "aws"),
        expect(dead_code, reason = "only what was applied is compared with it")
    )]
    pub inventory: &'a Inventory,
    pub account: &'a AccountArguments,
    pub arguments: &'a ChangeArguments,
    pub origin: Origin,
}

/// Shows a plan, asks, applies it.
pub fn conduct(conduct: &Conduct<'_>, console: &Console) -> Result<Exit, Error> {
    let Conduct {
        plan,
        consequences,
        account,
        arguments,
        ..
    } = *conduct;
    // What stood there before may be put back there.
    if conduct.origin != Origin::UndoFile {
        let exposures = consequences.exposures(plan);
        if !exposures.is_empty() {
            return Ok(refuse(&exposures, console));
        }
    }
    let exit = match arguments.check && !plan.is_empty() {
        true => Exit::Findings,
        false => Exit::Clean,
    };
    if let Some(format) = arguments.emit {
        emit(plan, format, console)?;
        return Ok(exit);
    }
    console.write(|out| render::plan::render(plan, consequences, conduct.left, console.style, out))?;
    if let Some(path) = &arguments.out {
        let inputs: Vec<&String> = account.snapshot.iter().collect();
        file::check_places([path], &inputs)?;
        file::write_private(Path::new(path), plan.to_text().as_bytes()).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        console.remark(&format!(
            "the plan is in {path}; `s3log-lint enable --plan {path}` applies it"
        ));
        return Ok(exit);
    }
    if arguments.check || plan.is_empty() {
        return Ok(exit);
    }
    if account.snapshot.is_some() || account.demo {
        console.remark("This is a recording: nothing was changed.");
        return Ok(exit);
    }
    if !arguments.yes {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            console.remark("Nothing was changed; `--yes` applies it.");
            return Ok(exit);
        }
        if !is_confirmed(plan)? {
            console.remark("Nothing was changed.");
            return Ok(exit);
        }
    }
    apply(conduct, console)
}

fn is_confirmed(plan: &Plan) -> Result<bool, Error> {
    let mut answer = String::new();
    let asked = write!(io::stderr(), "\nApply to account {}? [y/N] ", plan.account)
        .and_then(|()| io::stdin().lock().read_line(&mut answer));
    asked.map_err(Error::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}

fn emit(plan: &Plan, format: Emit, console: &Console) -> Result<(), Error> {
    match format {
        Emit::Terraform => console.write(|out| render::plan::terraform::render(plan, out)),
        Emit::Cli => console.write(|out| render::plan::commands::render(plan, out)),
        Emit::Cloudformation => {
            let regions = render::plan::cloudformation::regions(plan);
            match regions.as_slice() {
                [] => Ok(()),
                [region] => {
                    console.write(|out| render::plan::cloudformation::render(plan, region, out))?;
                    for remark in render::plan::cloudformation::remarks(plan, region) {
                        console.remark(&remark);
                    }
                    Ok(())
                }
                several => Err(Error::SeveralRegions {
                    regions: several.iter().map(ToString::to_string).collect(),
                }),
            }
        }
    }
}

#[cfg(not(feature = "aws"))]
fn apply(_conduct: &Conduct<'_>, _console: &Console) -> Result<Exit, Error> {
    Err(Error::NoAws)
}
