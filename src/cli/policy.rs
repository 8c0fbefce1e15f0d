//! `policy test`: asks a policy file alone whether it lets S3 deliver.

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Exit;
use super::config::{Config, ConfigArguments};
use super::error::Error;
use super::facts::FactArguments;
use super::output::Console;
use super::why::{AnswerFormat, Layout};
use super::{input, region};
use crate::name::{AccountId, Partition};
use crate::policy::{
    self, AclRoute, Decision, DefaultEncryption, Delivery, Facts, Grant, KeyLayout, Prepared, SettledBy,
    Told, Unnamed, Unsaid,
};
use crate::render::why as render;
use crate::rules;

#[derive(Debug, Args)]
pub struct PolicyArguments {
    #[command(subcommand)]
    pub command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Ask a bucket policy whether it lets S3 deliver the logs of one source
    Test(Box<TestArguments>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The file is a bucket policy, or AWS's answer that holds one: {\"Policy\": \"...\"}. ACLs are taken to be switched off,
and the target to encrypt with SSE-S3.

Exit codes: 0 allowed, 1 denied, not granted or malformed, 3 it can't be told, 2 the run failed.

Examples:
  s3log-lint policy test policy.json --source app-data --source-account 111122223333 \\
    --target amzn-s3-demo-logs --prefix app-data/
  aws s3api get-bucket-policy --bucket amzn-s3-demo-logs | s3log-lint policy test - --source app-data \\
    --target amzn-s3-demo-logs --prefix app-data/")]
pub struct TestArguments {
    /// The policy; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The bucket whose logs are to be delivered
    #[arg(long, value_name = "BUCKET")]
    pub source: String,
    /// The bucket that has the policy
    #[arg(long, value_name = "BUCKET")]
    pub target: String,
    /// The account of both buckets; without it, conditions on it stay open
    #[arg(long, value_name = "ID")]
    pub source_account: Option<String>,
    /// The prefix of the log keys; without it, the policy must cover every key
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// How the log keys are made
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub key_format: Layout,
    /// The organization of the account (`o-…`, or `none`)
    #[arg(long, value_name = "ID", value_parser = super::arguments::organization)]
    pub organization: Option<String>,
    /// The region of both buckets
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The partition, where the region doesn't tell it [default: aws]
    #[arg(long, value_name = "PARTITION")]
    pub partition: Option<String>,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: AnswerFormat,
    #[command(flatten)]
    pub facts: FactArguments,
}

pub fn run(arguments: &PolicyArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    match &arguments.command {
        PolicyCommand::Test(arguments) => test(arguments, config, console),
    }
}

fn test(arguments: &TestArguments, config: &ConfigArguments, console: &Console) -> Result<Exit, Error> {
    let config = Config::read(config)?;
    let facts = arguments.facts.add_to(config.facts.clone())?;
    let delivery = delivery(arguments, config.organization())?;
    let text = input::read_text(&arguments.file)?;
    let (text, facts) = unwrapped(text, facts);
    let prepared = Prepared::new(&policy::parse(&text), &facts);
    let mut decision = prepared.decide(&delivery);
    advise_options(&mut decision);
    let explanation = rules::explain_policy(&prepared, &delivery, &decision);
    let title = format!(
        "{} → {}, {}",
        arguments.source,
        arguments.target,
        match &arguments.prefix {
            Some(prefix) => format!("prefix `{prefix}`"),
            None => "whatever the prefix".to_owned(),
        }
    );
    let grant = decision.grant.word();
    let asked = render::Asked {
        source: Some(&arguments.source),
        target: Some(&arguments.target),
        prefix: arguments.prefix.as_deref(),
        key_format: match arguments.key_format {
            Layout::Simple => "simple",
            Layout::Partitioned => "partitioned",
        },
    };
    console.write(|out| match arguments.format {
        AnswerFormat::Human => render::human_policy(&title, grant, &explanation, console.style, out),
        AnswerFormat::Json => render::json_of_policy(asked, &title, grant, &explanation, out),
    })?;
    Ok(match decision.grant {
        Grant::Allowed => Exit::Clean,
        Grant::Denied | Grant::NotGranted | Grant::Malformed => Exit::Findings,
        Grant::Unknown => Exit::Undecided,
    })
}

/// Where an option of this command tells what is open, nothing has to be done to the policy.
fn advise_options(decision: &mut Decision) {
    let option = |unsaid: Unsaid| {
        Some(match unsaid {
            Unsaid::SourceAccount | Unsaid::TargetAccount => "--source-account",
            Unsaid::Region => "--region",
            Unsaid::Prefix => "--prefix",
            Unsaid::Organization => "--organization",
            Unsaid::Source
            | Unsaid::Target
            | Unsaid::KeyFormat
            | Unsaid::Encryption
            | Unsaid::Ownership
            | Unsaid::Acl
            | Unsaid::Time => return None,
        })
    };
    for decider in &mut decision.deciders {
        let mut options: Vec<&str> = Vec::new();
        for unknown in &decision.unknown {
            if unknown.statement == decider.statement
                && let SettledBy::Input(unsaid) = unknown.settled_by
                && let Some(option) = option(unsaid)
                && !options.contains(&option)
            {
                options.push(option);
            }
        }
        if !options.is_empty() {
            decider.edit = format!("give `{}`, which would tell", options.join("` and `"));
        }
    }
}

fn delivery(arguments: &TestArguments, configured: Option<&str>) -> Result<Delivery, Error> {
    let account = match &arguments.source_account {
        None => None,
        Some(given) => Some(AccountId::parse(given).map_err(|error| Error::Account {
            given: given.clone(),
            reason: error.to_string(),
        })?),
    };
    let region = match &arguments.region {
        None => None,
        Some(given) => Some(region::parse(given)?),
    };
    let partition = match (&arguments.partition, &region) {
        (Some(given), _) => Partition::parse(given).map_err(|error| Error::Partition {
            given: given.clone(),
            reason: error.to_string(),
        })?,
        (None, Some(region)) => region.partition(),
        (None, None) => Partition::default(),
    };
    Ok(Delivery {
        partition,
        source_bucket: Some(arguments.source.as_str().into()),
        target_bucket: Some(arguments.target.as_str().into()),
        target_account: account.clone(),
        unnamed: Unnamed::default(),
        source_account: account,
        region,
        prefix: arguments.prefix.as_deref().map(Into::into),
        layout: Some(match arguments.key_format {
            Layout::Simple => KeyLayout::Simple,
            Layout::Partitioned => KeyLayout::Partitioned,
        }),
        organization: match arguments.organization.as_deref().or(configured) {
            None => Told::Unknown,
            Some("none") => Told::Absent,
            Some(id) => Told::Known(id.to_owned()),
        },
        default_encryption: Some(DefaultEncryption::SseS3),
        now: Some(jiff::Timestamp::now().to_string().into()),
        acl: AclRoute::CLOSED,
    })
}

/// What AWS answers to the question for a policy.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "Policy", borrow)]
    policy: &'a RawValue,
    /// Then it is a policy after all, with an element that there isn't.
    #[serde(rename = "Statement")]
    statement: Option<serde::de::IgnoredAny>,
}

/// The policy's own text, taken out of AWS's answer where it stands in one: then S3 has accepted it.
fn unwrapped(text: String, facts: Facts) -> (String, Facts) {
    let plain = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let Ok(Answer {
        policy,
        statement: None,
    }) = serde_json::from_str::<Answer<'_>>(plain)
    else {
        return (text, facts);
    };
    match serde_json::from_str::<String>(policy.get()) {
        Ok(inner) => (inner, facts.stored()),
        Err(_) => (policy.get().to_owned(), facts),
    }
}
