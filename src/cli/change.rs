//! What every command that changes something shares: the plan is shown, the question asked, the very plan applied.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
use super::error::Error;
use super::output::Console;
use crate::apply::Stop;
use crate::inventory::Inventory;
use crate::plan::{Change, Consequences, Plan, current};
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
    /// A template of one region
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

/// Shows a plan, asks, applies it.
pub fn conduct(
    plan: &Plan,
    inventory: &Inventory,
    account: &AccountArguments,
    arguments: &ChangeArguments,
    console: &Console,
) -> Result<Exit, Error> {
    let exit = match arguments.check && !plan.is_empty() {
        true => Exit::Findings,
        false => Exit::Clean,
    };
    if let Some(format) = arguments.emit {
        emit(plan, format, console)?;
        return Ok(exit);
    }
    let consequences = Consequences::of(plan, inventory);
    console.write(|out| render::plan::render(plan, &consequences, console.style, out))?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, plan.to_text()).map_err(|source| Error::Write {
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
    apply(plan, inventory, account, arguments, console)
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
                [region] => console.write(|out| render::plan::cloudformation::render(plan, region, out)),
                several => Err(Error::SeveralRegions {
                    regions: several.iter().map(ToString::to_string).collect(),
                }),
            }
        }
    }
}

#[cfg(not(feature = "aws"))]
fn apply(
    _plan: &Plan,
    _inventory: &Inventory,
    _account: &AccountArguments,
    _arguments: &ChangeArguments,
    _console: &Console,
) -> Result<Exit, Error> {
    Err(Error::NoAws)
}

#[cfg(feature = "aws")]
use self::live::apply;

#[cfg(feature = "aws")]
mod live {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

    use super::super::arguments::CONCURRENCY;
    use super::super::journal::Journal;
    use super::super::{account as session, input, target};
    use super::*;
    use crate::apply::{self as carry, Applied, Event, Observer, Outcome, Pace};
    use crate::aws::{Access, AwsCloud};
    use crate::rules::EdgeVerdict;

    pub fn apply(
        plan: &Plan,
        inventory: &Inventory,
        account: &AccountArguments,
        arguments: &ChangeArguments,
        console: &Console,
    ) -> Result<Exit, Error> {
        let journal = Journal::begin(arguments.undo_file.as_deref(), plan)?;
        let watcher = Watcher::new(&journal, plan.changes.len(), console);
        let applied = session::block_on_to_the_end(&watcher.interrupted, async {
            let session = session::open(account, Access::ReadWrite).await?;
            let identity = session
                .identity()
                .await
                .map_err(|refusal| Error::NoIdentity { code: refusal.code })?;
            if identity.account != plan.account {
                return Ok(Applied {
                    outcomes: vec![None; plan.changes.len()],
                    stop: Some(Stop::OtherAccount {
                        planned: plan.account.to_string(),
                    }),
                });
            }
            let cloud = AwsCloud::new(&session, identity.account);
            let pace = Pace {
                concurrency: usize::from(account.concurrency.unwrap_or(CONCURRENCY)),
                ..Pace::default()
            };
            Ok(carry::apply(plan, &cloud, &watcher, pace).await)
        });
        watcher.bar.finish_and_clear();
        let applied = applied?;
        let undo = format!("s3log-lint enable --undo {}", journal.path().display());
        let written = applied.count(Outcome::Written);
        if let Some(stop) = applied.stop {
            console.error(&stop.into());
            console.remark(&format!(
                "{} of {} changes are done ({written} by this run).",
                written
                    + applied
                        .outcomes
                        .iter()
                        .filter(|one| **one == Some(Outcome::Found))
                        .count(),
                plan.changes.len(),
            ));
            if written > 0 {
                console.remark(&format!("To take back what was written: {undo}"));
            }
            return Ok(Exit::Failed);
        }
        console.write(|out| {
            writeln!(
                out,
                "\nApplied: {} written, {} found done.",
                written,
                applied.count(Outcome::Found)
            )
        })?;
        console.remark(&format!("To take it back: {undo}"));
        verify(plan, inventory, account, console)
    }

    /// Collects again, lints, and compares with what was shown.
    fn verify(
        plan: &Plan,
        before: &Inventory,
        account: &AccountArguments,
        console: &Console,
    ) -> Result<Exit, Error> {
        // Deleted buckets can't be asked for any more.
        let mut account = account.clone();
        account.bucket.retain(|name| {
            !plan
                .changes
                .iter()
                .any(|change| matches!(change, Change::DeleteBucket(new) if new.bucket.as_str() == name))
        });
        let account = &account;
        let mut tries = 0;
        let (now, open) = loop {
            let mut now = input::read(account, console)?;
            target::read_touched(account, &mut now, plan)?;
            let open = not_as_planned(plan, &now);
            tries += 1;
            if open.is_empty() || tries == 4 {
                break (now, open);
            }
            std::thread::sleep(Duration::from_millis(500 << tries));
        };
        let consequences = Consequences::between(plan, before, &now);
        let delivering = consequences
            .edges
            .iter()
            .filter(|edge| edge.verdict == EdgeVerdict::Delivers)
            .count();
        console.write(|out| {
            if !consequences.edges.is_empty() {
                writeln!(
                    out,
                    "Verified: {delivering} of {} touched logging edge{} will deliver. Logs arrive within hours.",
                    consequences.edges.len(),
                    if consequences.edges.len() == 1 { "" } else { "s" },
                )?;
            }
            Ok(())
        })?;
        match open.is_empty() {
            true => Ok(Exit::Clean),
            false => Ok(refuse(&open, console)),
        }
    }

    fn not_as_planned(plan: &Plan, now: &Inventory) -> Vec<Stop> {
        let account = now
            .accounts
            .iter()
            .find(|account| account.id.known() == Some(&plan.account));
        plan.changes
            .iter()
            .filter_map(|change| {
                let Change::Put(put) = change else { return None };
                let bucket = account?.bucket(put.bucket.as_str())?;
                // What may not be read now was read back when it was written.
                let found = current(bucket, put.setting).ok()?;
                (!put.setting.same(put.after.as_ref(), found.as_ref())).then(|| Stop::Overwritten {
                    bucket: put.bucket.to_string(),
                    setting: put.setting,
                    expected: put.after.clone(),
                    found,
                })
            })
            .collect()
    }

    struct Watcher<'a> {
        journal: &'a Journal,
        bar: ProgressBar,
        done: AtomicUsize,
        interrupted: AtomicBool,
    }

    impl<'a> Watcher<'a> {
        fn new(journal: &'a Journal, changes: usize, console: &Console) -> Self {
            // It hides itself where standard error is no terminal.
            let draw = match console.quiet {
                true => ProgressDrawTarget::hidden(),
                false => ProgressDrawTarget::stderr_with_hz(10),
            };
            let length = u64::try_from(changes).unwrap_or(u64::MAX);
            let bar = ProgressBar::with_draw_target(Some(length), draw).with_message("changes");
            if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            Self {
                journal,
                bar,
                done: AtomicUsize::new(0),
                interrupted: AtomicBool::new(false),
            }
        }
    }

    impl Observer for Watcher<'_> {
        fn note(&self, change: usize, event: Event) -> Result<(), Stop> {
            self.journal.note(change, event)?;
            if let Event::Done(_) = event {
                self.done.fetch_add(1, Ordering::Relaxed);
                self.bar.inc(1);
            }
            Ok(())
        }

        fn is_interrupted(&self) -> bool {
            self.interrupted.load(Ordering::SeqCst)
        }
    }
}
