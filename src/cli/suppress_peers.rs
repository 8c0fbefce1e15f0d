//! `suppress-peers`: what to tell other tools about the log buckets, which they flag for being right.

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
use super::check::ChangeArguments;
use super::config::{Config, ConfigArguments};
use super::error::Error;
use super::output::Console;
use super::template::TemplateArguments;
use super::{given, input};
use crate::graph::LogGraph;
use crate::inventory::Inventory;
use crate::render::peers::{self, LogBucket, Peer};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  s3log-lint suppress-peers --snapshot account.json
  s3log-lint suppress-peers plan.json --source . --tool checkov
  s3log-lint suppress-peers storage.yaml logs.yaml --tool cfn-guard
  s3log-lint suppress-peers --tool prowler > mutelist.yaml
  s3log-lint suppress-peers --tool security-hub | jq '.[0]' > rule.json")]
pub struct SuppressPeersArguments {
    /// Read these plans, states, templates, `cdk.out` folders and snapshots instead of an account; `-` is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["profile", "role_arn", "endpoint_url", "snapshot", "demo", "bucket"])]
    pub files: Vec<String>,
    #[command(flatten)]
    pub account: AccountArguments,
    /// The suppressions of this tool alone, ready to be its file
    #[arg(long, value_enum, value_name = "TOOL")]
    pub tool: Option<Tool>,
    /// The folder of the Terraform configuration, so that the buckets are named by its files; repeatable
    #[arg(long, value_name = "DIR", requires = "files", help_heading = "Files")]
    pub source: Vec<String>,
    /// Value of a template's parameter; repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "files", help_heading = "Files")]
    pub parameter: Vec<String>,
    /// Values of a template's parameters; repeatable
    #[arg(long, value_name = "FILE", requires = "files", help_heading = "Files")]
    pub parameter_file: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Tool {
    Checkov,
    Trivy,
    CdkNag,
    CfnGuard,
    Prowler,
    SecurityHub,
}

impl From<Tool> for Peer {
    fn from(tool: Tool) -> Self {
        match tool {
            Tool::Checkov => Peer::Checkov,
            Tool::Trivy => Peer::Trivy,
            Tool::CdkNag => Peer::CdkNag,
            Tool::CfnGuard => Peer::CfnGuard,
            Tool::Prowler => Peer::Prowler,
            Tool::SecurityHub => Peer::SecurityHub,
        }
    }
}

pub fn run(
    arguments: &SuppressPeersArguments,
    config: &ConfigArguments,
    console: &Console,
) -> Result<Exit, Error> {
    let inventory = match arguments.files.is_empty() {
        true => input::read(&Config::read(config)?.complete(&arguments.account), console)?,
        false => of_files(arguments, console)?,
    };
    let buckets = LogBucket::of(&LogGraph::new(&inventory));
    if buckets.is_empty() {
        console.remark("no log bucket is known to be right to lack what these tools demand");
    }
    console.write(|out| match arguments.tool {
        Some(tool) => peers::render(&buckets, tool.into(), out),
        None => peers::render_all(&buckets, out),
    })?;
    Ok(Exit::Clean)
}

fn of_files(arguments: &SuppressPeersArguments, console: &Console) -> Result<Inventory, Error> {
    let template = TemplateArguments {
        parameter: arguments.parameter.clone(),
        parameter_file: arguments.parameter_file.clone(),
        region: arguments.account.region.first().cloned(),
        ..TemplateArguments::default()
    };
    let change = ChangeArguments {
        source: arguments.source.clone(),
        ..ChangeArguments::default()
    };
    let given = given::read(&arguments.files, &template, &change)?;
    given.say(console);
    Ok(given.inventory())
}
