//! `enable`: plans a correct logging setup, shows it, and applies what was shown.

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
use super::change::{self, ChangeArguments, Conduct, Origin};
use super::config::{Config, ConfigArguments};
use super::error::Error;
use super::output::Console;
use super::{iam_policy, input, journal, target};
use crate::inventory::{Inventory, KeyFormat};
use crate::plan::{self, Change, Consequences, Enable, Namespace, Plan, Reach, Sources, TargetChoice};

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is written that was not shown; without a terminal and without `--yes`, nothing is written at all.

Examples:
  s3log-lint enable app-data web-assets --create       one log bucket per region, made if it is missing
  s3log-lint enable --all-unlogged --target my-logs
  s3log-lint enable app-data --out plan.json           for a review; then: enable --plan plan.json
  s3log-lint enable app-data --emit terraform          for your own pipeline
  s3log-lint enable --undo FILE                        takes an applied plan back")]
pub struct EnableArguments {
    /// The buckets whose access is to be logged: names, or patterns such as `app-*`
    #[arg(value_name = "SOURCE", required_unless_present_any = ["all_unlogged", "plan", "undo", "print_iam_policy"])]
    pub sources: Vec<String>,
    /// Every bucket that has no logging and is no log bucket
    #[arg(long, conflicts_with = "sources")]
    pub all_unlogged: bool,
    #[command(flatten)]
    pub account: AccountArguments,
    #[command(flatten)]
    pub goal: GoalArguments,
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Apply this plan, which `--out` wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sources", "all_unlogged", "undo", "out"])]
    pub plan: Option<String>,
    /// Take back what this file, which an applied plan left, says was done
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sources", "all_unlogged", "out"])]
    pub undo: Option<String>,
    /// Print the IAM policy that this run needs, and stop
    #[arg(long)]
    pub print_iam_policy: bool,
}

/// How the logging is to be.
#[derive(Debug, Args)]
pub struct GoalArguments {
    /// The log bucket
    #[arg(long, value_name = "NAME", help_heading = "Setup")]
    pub target: Option<String>,
    /// The log bucket's name, of {account} and {region} [default: the settings', or {account}-{region}-s3-access-logs]
    #[arg(
        long,
        value_name = "TEMPLATE",
        conflicts_with = "target",
        help_heading = "Setup"
    )]
    pub target_template: Option<String>,
    /// Make the log bucket where it doesn't exist
    #[arg(long, help_heading = "Setup")]
    pub create: bool,
    /// Where a new log bucket's name lives; in `account-regional` nobody else can ever take it
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "NAMESPACE",
        help_heading = "Setup"
    )]
    pub namespace: NamespaceArgument,
    /// The keys' prefix, of {source}, {account} and {region} [default: the settings', or {source}/]
    #[arg(long, value_name = "TEMPLATE", help_heading = "Setup")]
    pub prefix: Option<String>,
    /// How keys are made after the prefix [default: partitioned]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Setup")]
    pub key_format: Option<KeyFormatArgument>,
    /// Which date the partitions are of [default: event-time]
    #[arg(long, value_enum, value_name = "DATE", help_heading = "Setup")]
    pub date_source: Option<DateSource>,
    /// Days after which delivered logs expire, or `never`
    #[arg(long, value_name = "DAYS", default_value = "365", value_parser = ExpireAfter::parse, help_heading = "Setup")]
    pub expire_after: ExpireAfter,
    /// Move sources that log elsewhere
    #[arg(long, help_heading = "Setup")]
    pub replace: bool,
    /// How far the grant in the log bucket's policy reaches
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "REACH",
        help_heading = "Setup"
    )]
    pub grant: GrantArgument,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum NamespaceArgument {
    #[default]
    Global,
    AccountRegional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyFormatArgument {
    Partitioned,
    Simple,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DateSource {
    EventTime,
    DeliveryTime,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GrantArgument {
    /// Each source by name
    #[default]
    Sources,
    /// Every bucket of the account
    Account,
    /// Every bucket of the organization that `--organization` names
    Organization,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpireAfter {
    Days(u32),
    Never,
}

impl ExpireAfter {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            // S3's largest number of days.
            days => match days.parse::<u32>() {
                Ok(days @ 1..=2_147_483_647) => Ok(Self::Days(days)),
                _ => Err("a number of days, or `never`".to_owned()),
            },
        }
    }
}

impl GoalArguments {
    /// What is said here goes before what the settings say, and that before what is usual.
    pub fn goal(
        &self,
        sources: Sources,
        account: &AccountArguments,
        config: &Config,
    ) -> Result<Enable, Error> {
        let key_format = match (self.key_format, self.date_source) {
            (None, None) => None,
            (Some(KeyFormatArgument::Simple), None) => Some(KeyFormat::Simple),
            (Some(KeyFormatArgument::Simple), Some(_)) => return Err(Error::DateOfSimpleKeys),
            (_, Some(DateSource::DeliveryTime)) => Some(KeyFormat::PartitionedByDeliveryTime),
            (_, Some(DateSource::EventTime) | None) => Some(KeyFormat::PartitionedByEventTime),
        };
        Ok(Enable {
            sources,
            target: match (
                &self.target,
                self.target_template.as_deref().or(config.target_template()),
            ) {
                (Some(name), _) => TargetChoice::Named(name.clone()),
                (None, Some(template)) => TargetChoice::Template(template.to_owned()),
                (None, None) => TargetChoice::Default,
            },
            create: self.create,
            namespace: match self.namespace {
                NamespaceArgument::Global => Namespace::Global,
                NamespaceArgument::AccountRegional => Namespace::AccountRegional,
            },
            prefix: self
                .prefix
                .as_deref()
                .or(config.prefix_template())
                .map(str::to_owned),
            key_format,
            expire_after: match self.expire_after {
                ExpireAfter::Days(days) => Some(days),
                ExpireAfter::Never => None,
            },
            replace: self.replace,
            reach: match (self.grant, account.organization.as_deref()) {
                (GrantArgument::Sources, _) => Reach::Sources,
                (GrantArgument::Account, _) => Reach::Account,
                (GrantArgument::Organization, Some(id)) if id != "none" => Reach::Organization(id.to_owned()),
                (GrantArgument::Organization, _) => return Err(Error::NoOrganization),
            },
            empty: Default::default(),
        })
    }
}

pub fn run(arguments: &EnableArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    let config = Config::read(config)?;
    let account = config.complete(&arguments.account);
    if let Some((plan, origin)) = given(arguments)? {
        return match arguments.print_iam_policy {
            true => iam_policy::print_for_plan(&plan, origin, console),
            false => written(plan, origin, &account, &arguments.change, console),
        };
    }
    if arguments.print_iam_policy {
        let never = arguments.goal.expire_after == ExpireAfter::Never;
        return iam_policy::print_for_enable(&account, arguments.goal.create, !never, console);
    }
    let sources = match arguments.all_unlogged {
        true => Sources::AllUnlogged,
        false => Sources::Named(arguments.sources.clone()),
    };
    let mut goal = arguments.goal.goal(sources, &account, &config)?;
    let account = about(&account, &goal.sources);
    let mut inventory = input::read(&account, console)?;
    goal.sources = selected(goal.sources, &account, &inventory)?;
    target::read(&account, &mut inventory, &mut goal)?;
    match plan::enable(&inventory, &goal) {
        Ok(plan) => {
            let about = match &goal.sources {
                Sources::Named(names) => names.as_slice(),
                Sources::AllUnlogged => &[],
            };
            let conduct = Conduct {
                left: &[],
                consequences: &Consequences::about(about, &plan, &inventory),
                plan: &plan,
                inventory: &inventory,
                account: &account,
                arguments: &arguments.change,
                origin: Origin::Planned,
            };
            change::conduct(&conduct, console)
        }
        Err(refusals) => Ok(change::refuse(&refusals, console)),
    }
}

/// The plan of a file.
fn given(arguments: &EnableArguments) -> Result<Option<(Plan, Origin)>, Error> {
    Ok(match (&arguments.undo, &arguments.plan) {
        (Some(path), _) => Some((journal::read(path)?.inverse(), Origin::UndoFile)),
        (None, Some(path)) => {
            let plan = Plan::parse(&input::read_text(path)?).map_err(|source| Error::PlanFile {
                path: path.clone(),
                source,
            })?;
            Some((plan, Origin::PlanFile))
        }
        (None, None) => None,
    })
}

/// The run is about the sources that are named; of an account's others little is asked.
fn about(account: &AccountArguments, sources: &Sources) -> AccountArguments {
    let mut account = account.clone();
    if let Sources::Named(names) = sources {
        account.bucket = names.clone();
    }
    account
}

/// The buckets that the names and patterns stand for. A choice that selects nothing would pass for a setup that is so
/// already.
fn selected(sources: Sources, account: &AccountArguments, inventory: &Inventory) -> Result<Sources, Error> {
    let buckets = || inventory.accounts.iter().flat_map(|account| &account.buckets);
    let Sources::Named(given) = sources else {
        let is_some = buckets().any(|bucket| bucket.in_scope);
        return match (account.bucket.is_empty(), account.region.is_empty()) {
            _ if is_some => Ok(sources),
            (_, false) => Err(Error::NothingSelected {
                regions: account.region.clone(),
            }),
            (false, true) => Err(Error::NoMatch {
                pattern: account.bucket.join(", "),
            }),
            (true, true) => Ok(sources),
        };
    };
    let mut names = Vec::new();
    for given in given {
        if !input::is_name(&given) {
            let pattern = input::globs(std::slice::from_ref(&given))?;
            let matches = |name: &str| pattern.as_ref().is_some_and(|pattern| pattern.is_match(name));
            let before = names.len();
            names.extend(
                buckets()
                    .filter(|bucket| bucket.in_scope && matches(&bucket.label))
                    .map(|bucket| bucket.label.to_string()),
            );
            if names.len() == before {
                return Err(Error::NoMatch { pattern: given });
            }
            continue;
        }
        let found = buckets().find(|bucket| *bucket.label == *given);
        let region = found.and_then(|bucket| bucket.region.known());
        if let Some(region) = region
            && !account.region.is_empty()
            && !account.region.iter().any(|wanted| wanted == region.as_str())
        {
            return Err(Error::OtherRegion {
                bucket: given,
                region: region.to_string(),
            });
        }
        names.push(given);
    }
    Ok(Sources::Named(names))
}

/// A plan that is there already: shown against the account as it is now, without what is done already.
fn written(
    mut plan: Plan,
    origin: Origin,
    account: &AccountArguments,
    arguments: &ChangeArguments,
    console: &Console,
) -> Result<Exit, Error> {
    let mut account = account.clone();
    let comes_or_goes = |bucket: &str| {
        plan.changes
            .iter()
            .any(|change| !matches!(change, Change::Put(_)) && change.bucket().as_str() == bucket)
    };
    account.bucket = plan
        .changes
        .iter()
        .map(|change| change.bucket().to_string())
        .filter(|bucket| !comes_or_goes(bucket))
        .collect();
    account.bucket.dedup();
    let mut inventory = input::read(&account, console)?;
    target::read_touched(&account, &mut inventory, &plan)?;
    let moved = change::moved(&plan, &inventory);
    if !moved.is_empty() {
        for stop in moved {
            console.error(&change::stopped(stop, origin));
        }
        return Ok(Exit::Failed);
    }
    plan.changes = plan.undone(&inventory);
    let conduct = Conduct {
        left: &[],
        consequences: &Consequences::of(&plan, &inventory),
        plan: &plan,
        inventory: &inventory,
        account: &account,
        arguments,
        origin,
    };
    change::conduct(&conduct, console)
}
