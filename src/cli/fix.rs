//! `fix`: repairs what has a safe repair, through the same plans as `enable`, and says why the rest has none.

use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use super::Exit;
use super::arguments::AccountArguments;
use super::change::{self, ChangeArguments, Conduct, Origin};
use super::config::{Config, ConfigArguments};
use super::enable::GoalArguments;
use super::error::Error;
use super::output::Console;
use super::{iam_policy, input, target};
use crate::finding::{Finding, Goal};
use crate::graph::LogGraph;
use crate::inventory::Inventory;
use crate::name::AccountId;
use crate::plan::{self, Consequences, Left, Repair, Repairs, Sources};
use crate::render;
use crate::rules::{self, Reported, Rule};

#[derive(Debug, Args)]
#[command(after_help = "\
What has no safe repair is listed with what a person must decide. A bucket without logging is repaired only where its
rule is named: `enable` is the command for it.

Examples:
  s3log-lint fix                                   every repair, shown first
  s3log-lint fix S3L101 --bucket 'app-*'
  s3log-lint fix self-logging --disable-loops
  s3log-lint fix --interactive")]
pub struct FixArguments {
    /// Repair the findings of these rules alone: codes or names
    #[arg(value_name = "RULE")]
    pub rules: Vec<String>,
    /// The same, as an option; repeatable
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Ask for each finding
    #[arg(long, short, conflicts_with = "yes")]
    pub interactive: bool,
    /// Switch the logging of loops off instead of leading it elsewhere
    #[arg(long)]
    pub disable_loops: bool,
    #[command(flatten)]
    pub account: AccountArguments,
    #[command(flatten)]
    pub goal: GoalArguments,
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Print the IAM policy that every repair together needs, and stop
    #[arg(long)]
    pub print_iam_policy: bool,
}

pub fn run(arguments: &FixArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    let config = Config::read(config)?;
    let account = config.complete(&arguments.account);
    let selected = select(arguments)?;
    if arguments.print_iam_policy {
        return iam_policy::print_for_fix(&account, arguments.goal.create, console);
    }
    let mut inventory = input::read(&account, console)?;
    let mut findings = lint(&inventory);
    findings.retain(|finding| match selected.is_empty() {
        // To switch logging on is another decision than to repair it.
        true => finding.rule.code != "S3L009",
        false => selected.contains(finding.rule.code),
    });
    if arguments.interactive {
        findings = chosen(findings)?;
    }
    let Some(id) = account_of(&findings)? else {
        return nothing(console);
    };
    let repairs = repairs(&findings);
    let mut how = Repairs {
        setup: arguments
            .goal
            .goal(Sources::Named(moved_sources(&repairs)), &account, &config)?,
        disable_loops: arguments.disable_loops,
    };
    if !moved_sources(&repairs).is_empty() {
        target::read(&account, &mut inventory, &mut how.setup)?;
    }
    let (mut plan, mut left) = plan::repair(&inventory, &id, &repairs, &how);
    plan.remarks.dedup();
    let consequences = Consequences::of(&plan, &inventory);
    if let Some(worse) = consequences.worse() {
        return Err(Error::Worse {
            code: worse.rule.code,
            message: worse.said.message.clone(),
        });
    }
    left.extend(
        findings
            .iter()
            .filter(|finding| finding.said.fix.is_none())
            .map(|finding| Left {
                code: finding.rule.code,
                bucket: finding.subject.bucket.clone(),
                why: plan::why_not(finding.rule.code).to_owned(),
            }),
    );
    let conduct = Conduct {
        plan: &plan,
        consequences: &consequences,
        left: &left,
        inventory: &inventory,
        account: &account,
        arguments: &arguments.change,
        origin: Origin::Planned,
    };
    change::conduct(&conduct, console)
}

fn nothing(console: &Console) -> Result<Exit, Error> {
    console.write(|out| writeln!(out, "Nothing to repair."))?;
    Ok(Exit::Clean)
}

fn select(arguments: &FixArguments) -> Result<BTreeSet<&'static str>, Error> {
    arguments
        .rules
        .iter()
        .chain(&arguments.select)
        .map(|given| {
            rules::find(given.trim())
                .map(|rule| rule.code)
                .ok_or_else(|| Error::NoRule {
                    given: given.clone(),
                    suggestion: None,
                })
        })
        .collect()
}

fn lint(inventory: &Inventory) -> Vec<Reported<Finding>> {
    let graph = LogGraph::new(inventory);
    let all: Vec<&'static Rule> = rules::ALL.iter().collect();
    rules::run_knowing(&graph, &all, &Config::none().facts).findings
}

/// The findings that a person says yes to.
fn chosen(findings: Vec<Reported<Finding>>) -> Result<Vec<Reported<Finding>>, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let mut chosen = Vec::new();
    for finding in findings {
        if finding.said.fix.is_none() {
            chosen.push(finding);
            continue;
        }
        let mut answer = String::new();
        let message = render::escape::visible(&finding.said.message).into_owned();
        let asked = write!(
            io::stderr(),
            "{}[{}] {message}\n  repair it? [y/N/q] ",
            finding.rule.severity,
            finding.rule.code
        )
        .and_then(|()| io::stdin().lock().read_line(&mut answer));
        match asked.map_err(Error::Output)? {
            0 => break,
            _ => match answer.trim() {
                "y" | "Y" | "yes" => chosen.push(finding),
                "q" | "Q" => break,
                _ => {}
            },
        }
    }
    Ok(chosen)
}

/// Plans are made for one account at a time.
fn account_of(findings: &[Reported<Finding>]) -> Result<Option<AccountId>, Error> {
    let accounts: BTreeSet<&AccountId> = findings
        .iter()
        .filter_map(|finding| finding.subject.account.as_ref())
        .collect();
    match accounts.len() {
        0 if findings.is_empty() => Ok(None),
        0 => Err(plan::Refusal::NoAccount.into()),
        1 => Ok(accounts.first().map(|id| (*id).clone())),
        count => Err(plan::Refusal::SeveralAccounts { count }.into()),
    }
}

/// Each repair once: a log bucket that many log to has the same finding many times.
fn repairs(findings: &[Reported<Finding>]) -> Vec<Repair> {
    let mut repairs: Vec<Repair> = Vec::new();
    let mut seen = BTreeSet::new();
    for finding in findings {
        // Every bucket of a cycle logs; one that is led elsewhere ends it.
        if let Some(goal) = &finding.said.fix
            && seen.insert(goal.clone())
        {
            repairs.push(Repair {
                code: finding.rule.code,
                goal: goal.clone(),
            });
        }
    }
    repairs
}

fn moved_sources(repairs: &[Repair]) -> Vec<String> {
    repairs
        .iter()
        .filter_map(|repair| match &repair.goal {
            Goal::ProperTarget { bucket } => Some(bucket.clone()),
            _ => None,
        })
        .collect()
}
