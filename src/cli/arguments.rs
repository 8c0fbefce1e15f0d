//! What can be said on the command line.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::check::{ChangeArguments, CheckArguments};
use super::config::{ConfigArguments, ConfigCommandArguments};
use super::emit::ReportArguments;
use super::enable::EnableArguments;
use super::fix::FixArguments;
use super::policy::PolicyArguments;
use super::suppress_peers::SuppressPeersArguments;
use super::why::WhyArguments;
use crate::finding::Severity;
use crate::name::{NameError, check_organization};
use crate::report::{Settings, Unknown};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().bold())
    .usage(AnsiColor::Yellow.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing at or above the threshold, and everything needed could be read
  1  at least one finding at or above the threshold (--fail-on)
  2  wrong usage, unreadable input, or the run failed
  3  no such finding, but something could not be decided, since an answer is missing (--unknown)

What nobody outside can tell although everything was read is a warning: S3L103, S3L107, S3L204 (--fail-on warning).
`why` and `policy test` exit 3 for it.";

/// The command line as `clap` knows it, for completions, the manual and tests.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Will every S3 access log really arrive?
///
/// AWS accepts a logging configuration that can never deliver: the logs are simply absent. s3log-lint reads the
/// logging configurations, policies and settings of an account, follows every bucket to its log target, and says
/// which logs will not arrive, and why.
#[derive(Debug, Parser)]
#[command(name = "s3log-lint", version, styles = STYLES, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    pub console: ConsoleArguments,
    #[command(flatten)]
    pub config: ConfigArguments,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct ConsoleArguments {
    /// When to colour the output
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Console"
    )]
    pub color: ColorChoice,
    /// No progress and no remarks on standard error
    #[arg(long, short, global = true, help_heading = "Console")]
    pub quiet: bool,
    /// More remarks on standard error
    #[arg(
        long,
        short,
        global = true,
        conflicts_with = "quiet",
        help_heading = "Console"
    )]
    pub verbose: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lint the access logging of an account, or of a recorded snapshot
    Audit(AuditArguments),
    /// Lint what is about to be deployed: Terraform, CloudFormation, the CDK; without credentials
    Check(CheckArguments),
    /// Explain one logging edge: the verdict, each cause, the deciding statement
    Why(Box<WhyArguments>),
    /// Ask a bucket policy alone
    Policy(PolicyArguments),
    /// Draw the logging graph, its edges coloured by verdict
    Graph(GraphArguments),
    /// Record an account's raw answers to a file
    Snapshot(SnapshotArguments),
    /// Look whether log objects really arrive
    Verify(super::verify::VerifyArguments),
    /// Plan a correct logging setup, show it, and apply it after a yes
    Enable(EnableArguments),
    /// Plan the repairs of findings that have one, show them, and apply them after a yes
    Fix(FixArguments),
    /// List the rules
    Rules(RulesArguments),
    /// Print a rule's document: what it finds, why it matters, how to fix it
    Explain(ExplainArguments),
    /// Print what to tell other tools, which flag healthy log buckets
    SuppressPeers(SuppressPeersArguments),
    /// Print the settings of a run here, or the schema of the settings file
    Config(ConfigCommandArguments),
    /// Print the completions of a shell
    Completions(CompletionsArguments),
    /// Print the manual page
    Man,
}

/// How many calls run at once where nobody says it.
pub const CONCURRENCY: u16 = 32;

/// Which account is read, and how.
#[derive(Debug, Clone, Args)]
pub struct AccountArguments {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME", help_heading = "Account")]
    pub profile: Option<String>,
    /// Assume this role first, for example one of another account
    #[arg(long, value_name = "ARN", help_heading = "Account", conflicts_with_all = ["snapshot", "demo"])]
    pub role_arn: Option<String>,
    /// The external id that the role asks for
    #[arg(long, value_name = "ID", help_heading = "Account", requires = "role_arn")]
    pub external_id: Option<String>,
    /// Only the buckets of this region; repeatable
    #[arg(long, value_name = "REGION", help_heading = "Account")]
    pub region: Vec<String>,
    /// Report only on buckets whose name matches; repeatable
    #[arg(long, value_name = "GLOB", help_heading = "Account")]
    pub bucket: Vec<String>,
    /// Endpoint of S3 and STS, for example of a sandbox
    #[arg(long, value_name = "URL", help_heading = "Account")]
    pub endpoint_url: Option<String>,
    /// How many calls run at once, at most; throttling lowers it [default: 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512), help_heading = "Account")]
    pub concurrency: Option<u16>,
    /// Read this recorded snapshot instead of an account; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Account", conflicts_with_all = ["profile", "endpoint_url"])]
    pub snapshot: Option<String>,
    /// Read the built-in example account; needs no AWS account
    #[arg(long, help_heading = "Account", conflicts_with_all = ["profile", "endpoint_url", "snapshot"])]
    pub demo: bool,
    /// Read suppressions from the buckets' tags too: one more call for each bucket
    #[arg(long, help_heading = "Account")]
    pub bucket_tags: bool,
    /// The organization of the account (`o-…`, or `none`), which AWS doesn't tell to a reader of buckets
    #[arg(long, value_name = "ID", value_parser = organization, help_heading = "Account")]
    pub organization: Option<String>,
}

/// Read as the settings read it: a mistyped one would make a grant that nobody meets.
pub fn organization(given: &str) -> Result<String, NameError> {
    check_organization(given).map(|()| given.to_owned())
}

/// What makes a run fail.
#[derive(Debug, Args)]
pub struct FailArguments {
    /// The least severity that makes the run fail [default: error]
    #[arg(long, value_name = "SEVERITY", value_enum, help_heading = "Outcome")]
    pub fail_on: Option<FailOn>,
    /// What an undecided rule does: fail with exit 3, be shown, or be hidden [default: fail; of `check` without
    /// `--onto`: warn, and what isn't in the files is counted and not listed]
    #[arg(long, value_name = "HOW", value_enum, help_heading = "Outcome")]
    pub unknown: Option<UnknownArgument>,
    /// Exit 0 whatever is found; a run that itself fails still exits 2
    #[arg(long, help_heading = "Outcome")]
    pub exit_zero: bool,
}

impl FailArguments {
    /// What is said here goes before what the settings file says.
    pub fn apply(&self, settings: &mut Settings) {
        if let Some(fail_on) = self.fail_on {
            settings.fail_on = match fail_on {
                FailOn::Error => Some(Severity::Error),
                FailOn::Warning => Some(Severity::Warning),
                FailOn::Note => Some(Severity::Note),
                FailOn::Never => None,
            };
        }
        if let Some(unknown) = self.unknown {
            settings.unknown = match unknown {
                UnknownArgument::Fail => Unknown::Fail,
                UnknownArgument::Warn => Unknown::Warn,
                UnknownArgument::Ignore => Unknown::Ignore,
            };
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UnknownArgument {
    Fail,
    Warn,
    Ignore,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  s3log-lint audit                              the account of your credentials
  s3log-lint audit --profile prod --region eu-west-1 --region eu-central-1
  s3log-lint audit --snapshot account.json      a recording, without credentials
  s3log-lint audit --demo                       a built-in example
  s3log-lint audit --format json > report.json
  s3log-lint audit --output sarif=report.sarif --output junit=report.xml
  s3log-lint audit --with plan.json --new-only  what a change would make worse
  s3log-lint audit --print-iam-policy           the permissions that a run needs")]
pub struct AuditArguments {
    #[command(flatten)]
    pub account: AccountArguments,
    #[command(flatten)]
    pub report: ReportArguments,
    /// Lay this change over the account and lint what is there after it; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Change")]
    pub with: Vec<String>,
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Value of a template's parameter; repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "with", help_heading = "Change")]
    pub parameter: Vec<String>,
    /// Values of a template's parameters; repeatable
    #[arg(long, value_name = "FILE", requires = "with", help_heading = "Change")]
    pub parameter_file: Vec<String>,
    /// Print the minimal read-only IAM policy that a run needs, and stop
    #[arg(long)]
    pub print_iam_policy: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  s3log-lint graph | dot -Tsvg > logging.svg
  s3log-lint graph --format mermaid --snapshot account.json")]
pub struct GraphArguments {
    #[command(flatten)]
    pub account: AccountArguments,
    /// How to draw
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: GraphFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz
    #[default]
    Dot,
    /// For Markdown on GitHub and GitLab
    Mermaid,
    /// For programs, nothing folded
    Json,
    /// A page that needs nothing else
    Html,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The file holds what AWS answered, refusals included, and no credentials: bucket names, policies, ACLs, settings.

Examples:
  s3log-lint snapshot -o account.json
  s3log-lint audit --snapshot account.json")]
pub struct SnapshotArguments {
    #[command(flatten)]
    pub account: AccountArguments,
    /// Where to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub output: String,
}

#[derive(Debug, Args)]
pub struct RulesArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  s3log-lint explain S3L001
  s3log-lint explain self-logging")]
pub struct ExplainArguments {
    /// The rule's code or name
    pub rule: String,
}

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
