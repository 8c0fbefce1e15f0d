//! `why`: explains one edge, or one that doesn't exist yet.

use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::AccountArguments;
use super::config::{Config, ConfigArguments};
use super::error::Error;
use super::facts::FactArguments;
use super::input;
use super::output::Console;
use super::rules::likeness;
use super::target;
use crate::graph::LogGraph;
use crate::inventory::{
    Account, Bucket, Call, Document, Fact, Inventory, KeyFormat, Logging, Place, TargetRef, Title,
};
use crate::render::why as render;
use crate::rules::{self, EdgeVerdict, Rule};

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the logs arrive, 1 they don't (or arrive unreadable, or loop), 3 it can't be told, 2 the run failed.

Examples:
  s3log-lint why app-data
  s3log-lint why app-data --target amzn-s3-demo-logs --prefix app-data/   an edge that isn't there yet
  s3log-lint why shop-payments --demo")]
pub struct WhyArguments {
    /// The bucket whose logs are asked about
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// Suppose that it logged to this bucket
    #[arg(long, value_name = "BUCKET")]
    pub target: Option<String>,
    /// Suppose that it logged under this prefix
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// Suppose that it wrote keys of this format
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub key_format: Option<Layout>,
    /// The account of the source, where several accounts have a bucket of its name
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: AnswerFormat,
    #[command(flatten)]
    pub facts: FactArguments,
    #[command(flatten)]
    pub from: AccountArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// For people, step by step
    #[default]
    Human,
    /// For programs
    Json,
}

/// `TargetObjectKeyFormat`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// The date and a unique end right after the prefix
    #[default]
    Simple,
    /// Account, region, source and day between them
    Partitioned,
}

pub fn run(arguments: &WhyArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    let config = Config::read(config)?;
    let facts = arguments.facts.add_to(config.facts.clone())?;
    let from = config.complete(&arguments.from);
    let mut inventory = input::read(&from, console)?;
    let (mut account, mut position) = find(&inventory, &arguments.source, arguments.account.as_deref())?;
    if let Some(name) = &arguments.target {
        let region = inventory.accounts[account].buckets[position]
            .region
            .known()
            .cloned();
        target::read_one(&from, &mut inventory, name, region)?;
        // What was asked may have put a bucket in before this one.
        (account, position) = find(&inventory, &arguments.source, arguments.account.as_deref())?;
    }
    for bucket in inventory
        .accounts
        .iter_mut()
        .flat_map(|account| &mut account.buckets)
    {
        bucket.in_scope = false;
    }
    let bucket = &mut inventory.accounts[account].buckets[position];
    bucket.in_scope = true;
    if arguments.target.is_some() || arguments.prefix.is_some() || arguments.key_format.is_some() {
        suppose(bucket, arguments)?;
    }
    let graph = LogGraph::new(&inventory);
    let every: Vec<&'static Rule> = rules::ALL.iter().collect();
    let outcome = rules::run_knowing(&graph, &every, &facts);
    let account = &inventory.accounts[account];
    let bucket = &account.buckets[position];
    let vertex = graph.vertex(account, bucket);
    let edge = vertex.and_then(|vertex| vertex.outgoing());
    let (Some((_, edge)), Some(linted)) = (edge, outcome.edges.first()) else {
        return no_edge(account, bucket, arguments, console);
    };
    let explanation = rules::explain(&graph, edge, linted, &outcome, &facts);
    console.write(|out| match arguments.format {
        AnswerFormat::Human => render::human(&explanation, console.style, out),
        AnswerFormat::Json => render::json(&explanation, out),
    })?;
    Ok(match explanation.verdict {
        EdgeVerdict::Delivers => Exit::Clean,
        EdgeVerdict::Blocked | EdgeVerdict::Unreadable | EdgeVerdict::Loops => Exit::Findings,
        EdgeVerdict::Unknown => Exit::Undecided,
    })
}

/// Where the source is: by account and bucket.
fn find(inventory: &Inventory, source: &str, wanted: Option<&str>) -> Result<(usize, usize), Error> {
    let id = |account: &Account| {
        account
            .id
            .known()
            .map_or("(unknown)", |id| id.as_str())
            .to_owned()
    };
    let accounts: Vec<(usize, &Account)> = inventory
        .accounts
        .iter()
        .enumerate()
        .filter(|(_, account)| wanted.is_none_or(|wanted| id(account) == wanted))
        .collect();
    let found: Vec<(usize, usize)> = accounts
        .iter()
        .filter_map(|(number, account)| Some((*number, account.bucket_index(source)?)))
        .collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            let mut names: Vec<(usize, &str)> = accounts
                .iter()
                .flat_map(|(_, account)| &account.buckets)
                .map(|bucket| (likeness(source, &bucket.label), bucket.label.as_ref()))
                .filter(|(likeness, _)| *likeness >= 40)
                .collect();
            names.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
            Err(Error::NoSource {
                given: source.to_owned(),
                similar: names.iter().take(3).map(|(_, name)| (*name).to_owned()).collect(),
            })
        }
        several => Err(Error::SeveralAccounts {
            given: source.to_owned(),
            accounts: several
                .iter()
                .map(|(number, _)| id(&inventory.accounts[*number]))
                .collect(),
        }),
    }
}

/// Lays the edge that is asked about over what is configured.
fn suppose(bucket: &mut Bucket, arguments: &WhyArguments) -> Result<(), Error> {
    let current = bucket.logging.known().cloned();
    let target = match (&arguments.target, &current) {
        (Some(target), _) => TargetRef::Name(target.clone()),
        (
            None,
            Some(Logging {
                target: Fact::Known(target),
                ..
            }),
        ) => target.clone(),
        (None, _) => {
            return Err(Error::NoTarget {
                given: bucket.label.to_string(),
            });
        }
    };
    let prefix = match (&arguments.prefix, &current) {
        (Some(prefix), _) => Fact::Known(prefix.clone()),
        (None, Some(logging)) => logging.prefix.clone(),
        (None, None) => Fact::Known(format!("{}/", bucket.label)),
    };
    let key_format = match (arguments.key_format, &current) {
        (Some(Layout::Simple), _) => Fact::Known(KeyFormat::Simple),
        (Some(Layout::Partitioned), _) => Fact::Known(KeyFormat::PartitionedByEventTime),
        (None, Some(logging)) => logging.key_format.clone(),
        (None, None) => Fact::Known(KeyFormat::Simple),
    };
    let text = serde_json::json!({"LoggingEnabled": {
        "TargetBucket": target.text(),
        "TargetPrefix": prefix.known(),
    }});
    let document = Arc::new(Document {
        title: Title::Answer {
            bucket: Arc::clone(&bucket.label),
            call: Call::Logging,
        },
        text: text.to_string().into(),
        host: None,
    });
    bucket.logging = Fact::Known(Logging {
        target: Fact::Known(target),
        prefix,
        key_format,
        target_grants: current.map(|logging| logging.target_grants).unwrap_or_default(),
        place: Place::new(&document, "/LoggingEnabled"),
        prefix_place: None,
    });
    Ok(())
}

fn no_edge(
    account: &Account,
    bucket: &Bucket,
    arguments: &WhyArguments,
    console: &Console,
) -> Result<Exit, Error> {
    let name = &bucket.label;
    let (verdict, text, exit) = match &bucket.logging {
        Fact::Unknown(_) => (
            Some("unknown"),
            format!("nobody told whether `{name}` logs: s3:GetBucketLogging would"),
            Exit::Undecided,
        ),
        Fact::Known(_) | Fact::Absent => (
            None,
            format!(
                "`{name}` has no server access logging: no log is written, and none can arrive\n\
                 ask about an edge that isn't there yet with `why {name} --target LOG-BUCKET`"
            ),
            Exit::Findings,
        ),
    };
    let id = account.id.known().map(|id| id.as_str());
    console.write(|out| match arguments.format {
        AnswerFormat::Human => writeln!(out, "{}", crate::render::escape::visible_lines(&text)),
        AnswerFormat::Json => render::json_of_no_edge(name, id, verdict, &text, out),
    })?;
    Ok(exit)
}
