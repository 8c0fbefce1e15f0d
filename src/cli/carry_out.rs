//! A plan that was shown and confirmed: applied, then the account collected again and compared with it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Exit;
use super::arguments::AccountArguments;
use super::arguments::CONCURRENCY;
use super::change::{Conduct, Origin, refuse, stopped};
use super::error::Error;
use super::journal::Journal;
use super::output::Console;
use super::{account as session, input, target};
use crate::apply::Stop;
use crate::apply::{self as carry, Applied, Event, Observer, Outcome, Pace};
use crate::aws::{Access, AwsCloud};
use crate::inventory::Inventory;
use crate::plan::{Change, Consequences, Plan, current};
use crate::rules::EdgeVerdict;

pub fn apply(conduct: &Conduct<'_>, console: &Console) -> Result<Exit, Error> {
    let Conduct {
        plan,
        inventory,
        account,
        arguments,
        origin,
        ..
    } = *conduct;
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
        console.error(&stopped(stop, origin));
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
    verify(plan, inventory, account, origin, console)
}

/// Collects again, lints, and compares with what was shown.
fn verify(
    plan: &Plan,
    before: &Inventory,
    account: &AccountArguments,
    origin: Origin,
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
        if origin == Origin::UndoFile {
            // Nothing was set up, so nothing is promised.
            if open.is_empty() {
                writeln!(out, "Verified: it is as it was before.")?;
            }
        } else if !consequences.edges.is_empty() {
            writeln!(
                out,
                "Verified: {delivering} of {} touched logging edge{} will deliver.{}",
                consequences.edges.len(),
                if consequences.edges.len() == 1 { "" } else { "s" },
                if delivering > 0 {
                    " Logs arrive within hours."
                } else {
                    ""
                },
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
