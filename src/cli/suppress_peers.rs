//! `suppress-peers`: what to tell other tools about the log buckets, which they flag for being right.

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
use super::config::{Config, ConfigArguments};
use super::error::Error;
use super::input;
use super::output::Console;
use crate::graph::LogGraph;
use crate::render::peers::{self, LogBucket, Peer};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  s3log-lint suppress-peers --snapshot account.json
  s3log-lint suppress-peers --tool prowler > mutelist.yaml
  s3log-lint suppress-peers --tool security-hub | jq '.[0]' > rule.json")]
pub struct SuppressPeersArguments {
    #[command(flatten)]
    pub account: AccountArguments,
    /// The suppressions of this tool alone, ready to be its file
    #[arg(long, value_enum, value_name = "TOOL")]
    pub tool: Option<Tool>,
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
    let account = Config::read(config)?.complete(&arguments.account);
    let inventory = input::read(&account, console)?;
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
