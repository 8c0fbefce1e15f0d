//! `check`: lints what is about to be deployed, without credentials.

use clap::Args;

use super::Exit;
use super::config::ConfigArguments;
use super::emit::{ReportArguments, Reporting};
use super::error::Error;
use super::given::{self, Given};
use super::input;
use super::output::Console;
use super::template::TemplateArguments;
use crate::collect::overlay;
use crate::inventory::Inventory;
use crate::report::Unknown;

#[derive(Debug, Args)]
#[command(after_help = "\
Several files make one graph: a source in one, its target in another, the policy in a third.

Examples:
  terraform show -json tfplan | s3log-lint check -
  s3log-lint check plan.json --source .          findings point into the .tf files
  s3log-lint check plan.json --onto account.json --new-only
  s3log-lint check template.yaml --parameter Stage=prod
  s3log-lint check cdk.out")]
pub struct CheckArguments {
    /// Terraform plans and states in JSON, CloudFormation templates, change sets, `cdk.out` folders, snapshots; `-` is
    /// standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub change: ChangeArguments,
    /// What is there now: a snapshot or a Terraform state, onto which the files are laid; repeatable. What a template
    /// leaves out and a bucket has is unknown then: CloudFormation takes it away where the stack's last template had
    /// it, which a change set tells
    #[arg(long, value_name = "FILE", help_heading = "Change")]
    pub onto: Vec<String>,
    #[command(flatten)]
    pub template: TemplateArguments,
    #[command(flatten)]
    pub report: ReportArguments,
}

/// How a change is looked at.
#[derive(Debug, Clone, Default, Args)]
pub struct ChangeArguments {
    /// Report, and fail on, only what the change makes worse; what it repairs is listed. The time before is that of the
    /// account, or of `--onto`; without either, what a plan or a change set says of it
    #[arg(long, help_heading = "Change")]
    pub new_only: bool,
    /// The folder of the Terraform configuration: findings point into its files, and what a plan leaves open is read
    /// there; repeatable
    #[arg(long, value_name = "DIR", help_heading = "Change")]
    pub source: Vec<String>,
}

pub fn run(arguments: &CheckArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    let inputs: Vec<&String> = arguments.files.iter().chain(&arguments.onto).collect();
    let mut reporting = Reporting::new(&arguments.report, config, &inputs)?;
    let mut given = given::read(&arguments.files, &arguments.template, &arguments.change)?;
    if arguments.change.new_only && arguments.onto.is_empty() && !given.tells_before() {
        return Err(Error::NoBefore);
    }
    let base = match arguments.onto.as_slice() {
        [] => None,
        files => {
            let there = given::read(files, &TemplateArguments::default(), &ChangeArguments::default())?;
            there.say(console);
            Some(there.inventory())
        }
    };
    match &base {
        Some(base) => given.learn(base, &arguments.template)?,
        None if !given.snapshots.is_empty() => given.learn(&given.recorded(), &arguments.template)?,
        None => {}
    }
    given.say(console);
    // Files by themselves leave most things unknown. That alone is no reason to fail.
    let is_alone = base.is_none() && given.snapshots.is_empty();
    if is_alone && arguments.report.fail.unknown.is_none() && !reporting.config.says_unknown() {
        reporting.settings.unknown = Unknown::Warn;
    }
    let mut change = Change::of(given, base, arguments.change.new_only);
    if let Some(organization) = reporting.config.organization() {
        change.settle_organization(organization);
    }
    let alone = is_alone.then_some(&arguments.template);
    conclude(&reporting, change, alone, console)
}

/// The time before and the time after. The files themselves are let go: a large plan takes its memory once.
pub struct Change {
    /// Only where it is asked what is new.
    before: Option<Inventory>,
    after: Inventory,
}

impl Change {
    pub fn new(before: Option<Inventory>, after: Inventory) -> Self {
        Self { before, after }
    }

    fn of(given: Given, base: Option<Inventory>, new_only: bool) -> Self {
        let has_base = base.is_some() || !given.snapshots.is_empty();
        let mut there = base.unwrap_or_else(|| given.recorded());
        overlay::identify(&mut there, &given.deployments);
        if given.deployments.is_empty() {
            // A recording laid onto another one: what has changed between the two.
            return Self::new(new_only.then_some(there), given.recorded());
        }
        match has_base {
            true => {
                let after = overlay::onto(&there, &given.deployments);
                Self::new(new_only.then_some(there), after)
            }
            false => Self::new(
                new_only.then(|| overlay::before(&given.deployments)),
                overlay::alone(&given.deployments),
            ),
        }
    }

    fn settle_organization(&mut self, said: &str) {
        let organization = input::organization(said);
        for inventory in self.before.iter_mut().chain([&mut self.after]) {
            for account in &mut inventory.accounts {
                if account.organization.why().is_some() {
                    account.organization = organization.clone();
                }
            }
        }
    }
}

/// Reports on the time after, or on the difference. `alone` is what was said of files that are all there is.
pub fn conclude(
    reporting: &Reporting<'_>,
    change: Change,
    alone: Option<&TemplateArguments>,
    console: &Console,
) -> Result<Exit, Error> {
    let Change { before, after } = change;
    let mut report = reporting.lint(&after);
    drop(after);
    if let Some(before) = before {
        report = report.only_new(&reporting.lint(&before), &reporting.settings);
    }
    // Who asks for a failure is told of each.
    if let Some(said) = alone.filter(|_| reporting.settings.unknown != Unknown::Fail) {
        report = report.without_unread(&reporting.settings, said.account.is_some());
    }
    reporting.emit(&report, console)
}
