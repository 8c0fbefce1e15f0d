//! What every command that lints shares: how its report is made, where it goes, and how the run ends.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::Exit;
use super::arguments::FailArguments;
use super::config::{Config, ConfigArguments, rules_of};
use super::error::Error;
use super::file;
use super::output::Console;
use crate::graph::LogGraph;
use crate::inventory::Inventory;
use crate::policy::Facts;
use crate::render::anchor::Occasion;
use crate::render::{self, terminal::Style};
use crate::report::{Baseline, Conclusion, Fingerprinted, Report, Scale, Settings};
use crate::rules::{self, Rule};

#[derive(Debug, Args)]
pub struct ReportArguments {
    #[command(flatten)]
    pub fail: FailArguments,
    /// How to print the report on standard output
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Report"
    )]
    pub format: Format,
    /// Write the report to a file too, in a format of its own; repeatable
    #[arg(long, value_name = "FORMAT=PATH", value_parser = Output::parse, help_heading = "Report")]
    pub output: Vec<Output>,
    /// Show these rules alone: codes or their beginnings, names, or groups (graph, grant, target, trail, arrival,
    /// suppression); repeatable
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Report")]
    pub select: Vec<String>,
    /// Don't show these rules, named in the same ways; repeatable
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Report")]
    pub ignore: Vec<String>,
    /// Count the findings of this file, and don't report them
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub baseline: Option<String>,
    /// Write the findings of this run to a baseline, and don't fail on them
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub write_baseline: Option<String>,
}

impl ReportArguments {
    fn check_places(&self, inputs: &[&String]) -> Result<(), Error> {
        let outputs = self.output.iter().map(|output| &output.path);
        file::check_places(outputs.chain(&self.write_baseline), inputs)
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the text that each fault stands in
    #[default]
    Human,
    /// One line per finding
    Short,
    /// The versioned report for programs
    Json,
    /// The same in lines: a summary, then each edge, finding and undecided rule
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations of GitHub Actions, and a job summary
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// Diagnostics for reviewdog
    Rdjson,
    /// Logging commands of Azure Pipelines
    Azure,
    /// For a comment on a pull request
    Markdown,
    /// For spreadsheets
    Csv,
    /// Detection Findings of the Open Cybersecurity Schema Framework
    Ocsf,
    /// Findings for AWS Security Hub
    Asff,
}

/// One file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub format: Format,
    pub path: String,
}

impl Output {
    fn parse(given: &str) -> Result<Self, String> {
        let Some((format, path)) = given.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err("give a format and a path, such as `sarif=report.sarif`".to_owned());
        };
        let format = Format::from_str(format, true).map_err(|_| {
            let names: Vec<String> = Format::value_variants()
                .iter()
                .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
                .collect();
            format!("`{format}` is no format; there are {}", names.join(", "))
        })?;
        if path == "-" {
            return Err("standard output is what `--format` is for; give a path here".to_owned());
        }
        Ok(Self {
            format,
            path: path.to_owned(),
        })
    }
}

/// How the reports of this run are made: read once, before anything is asked or linted.
#[derive(Debug)]
pub struct Reporting<'a> {
    arguments: &'a ReportArguments,
    pub config: Config,
    pub settings: Settings,
    occasion: Occasion,
    /// RFC 3339.
    now: String,
}

impl<'a> Reporting<'a> {
    /// With the files that the run reads.
    pub fn new(
        arguments: &'a ReportArguments,
        config: &ConfigArguments,
        inputs: &[&String],
    ) -> Result<Self, Error> {
        arguments.check_places(inputs)?;
        let config = Config::read(config)?;
        let mut settings = config.settings.clone();
        arguments.fail.apply(&mut settings);
        if !arguments.select.is_empty() {
            settings.select(&codes(&arguments.select)?);
        }
        for word in &arguments.ignore {
            let ignored = codes(std::slice::from_ref(word))?;
            config.may_ignore(word, &ignored).map_err(Error::Config)?;
            settings.ignored.extend(ignored);
        }
        if let Some(path) = arguments.baseline.clone().or_else(|| config.baseline()) {
            settings.baseline = Some(read_baseline(&path, arguments.write_baseline.as_deref())?);
        }
        let now = jiff::Timestamp::now()
            .round(jiff::Unit::Second)
            .unwrap_or_default();
        settings.today = Some(jiff::tz::Offset::UTC.to_datetime(now).date());
        Ok(Self {
            arguments,
            settings,
            occasion: occasion(config.path.clone()),
            now: now.to_string(),
            config,
        })
    }

    /// Every rule over everything that was read.
    pub fn lint(&self, inventory: &Inventory) -> Report {
        lint_knowing(inventory, &self.settings, &self.config.facts)
    }

    /// When AWS was asked, where a recording says so: two reports of one recording are equal.
    fn time_of<'r>(&'r self, report: &'r Report) -> &'r str {
        let recorded = report.taken_at.as_deref();
        recorded
            .filter(|time| time.parse::<jiff::Timestamp>().is_ok())
            .unwrap_or(&self.now)
    }

    /// Writes the report wherever it is wanted, and says how the run ends.
    pub fn emit(&self, report: &Report, console: &Console) -> Result<Exit, Error> {
        if let Some(path) = &self.arguments.write_baseline {
            let all = report.findings.iter().chain(&report.known);
            let baseline = Baseline::of(all.filter(|all| self.settings.may_be_known(all)));
            file::write(Path::new(path), baseline.to_text().as_bytes()).map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })?;
            console.remark(&format!("{} findings written to {path}", baseline.len()));
        }
        if !report.stale.is_empty() {
            console.remark(&stale(report));
        }
        for output in &self.arguments.output {
            let mut text = Vec::new();
            let failed = |source| Error::Write {
                path: output.path.clone(),
                source,
            };
            self.render(report, output.format, Style::default(), &mut text)
                .and_then(|()| file::write(Path::new(&output.path), &text))
                .map_err(failed)?;
        }
        let format = self.arguments.format;
        let mut formats = self.arguments.output.iter().map(|output| output.format);
        if format == Format::Asff || formats.any(|format| format == Format::Asff) {
            remark_on_what_security_hub_lacks(report, console);
        }
        if format == Format::Github {
            self.append_job_summary(report)?;
        }
        console.write(|out| self.render(report, format, console.style, out))?;
        Ok(match report.conclusion {
            _ if self.arguments.fail.exit_zero => Exit::Clean,
            Conclusion::Clean => Exit::Clean,
            // They are known from now on.
            Conclusion::Findings if self.arguments.write_baseline.is_some() => {
                let is_open = |all: &&Fingerprinted| all.fails && !self.settings.may_be_known(all);
                match report.findings.iter().any(|all| is_open(&all)) {
                    true => Exit::Findings,
                    false => Exit::Clean,
                }
            }
            Conclusion::Findings => Exit::Findings,
            Conclusion::Undecided => Exit::Undecided,
        })
    }

    fn render(&self, report: &Report, format: Format, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let occasion = &self.occasion;
        match format {
            Format::Human => render::terminal::render(report, style, out),
            Format::Short => render::short::render(report, out),
            Format::Json => render::json::render(report, out),
            Format::Jsonl => render::jsonl::render(report, out),
            Format::Sarif => render::sarif::render(report, occasion, out),
            Format::Junit => render::junit::render(report, occasion, out),
            Format::Github => render::github::render(report, occasion, out),
            Format::Gitlab => render::gitlab::render(report, occasion, out),
            Format::Rdjson => render::rdjson::render(report, occasion, out),
            Format::Azure => render::azure::render(report, occasion, out),
            Format::Markdown => render::markdown::render(report, out),
            Format::Csv => render::csv::render(report, out),
            Format::Ocsf => render::ocsf::render(report, self.time_of(report), out),
            Format::Asff => render::asff::render(report, self.time_of(report), out),
        }
    }

    /// GitHub shows what a step appends to this file, and drops all of it beyond a mebibyte.
    fn append_job_summary(&self, report: &Report) -> Result<(), Error> {
        let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
            return Ok(());
        };
        let mut text = Vec::new();
        render::markdown::render_within(report, render::markdown::SUMMARY_BYTES, &mut text)
            .and_then(|()| {
                let mut file = std::fs::OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(&path)?;
                file.write_all(&text)
            })
            .map_err(|source| Error::Write {
                path: Path::new(&path).display().to_string(),
                source,
            })
    }
}

/// Every rule over everything that was read, at the time of the run where it wasn't recorded at another.
pub fn lint(inventory: &Inventory, settings: &Settings) -> Report {
    lint_knowing(inventory, settings, &Config::none().facts)
}

/// The same, with what the user knows of the policies' open ends.
pub fn lint_knowing(inventory: &Inventory, settings: &Settings, facts: &Facts) -> Report {
    let graph = LogGraph::new(inventory);
    let rules: Vec<&'static Rule> = rules::ALL.iter().collect();
    Report::new(
        rules::run_knowing(&graph, &rules, facts),
        Scale::of(inventory),
        settings,
    )
}

/// Where the run is: tools that show a file look for it from the root of its repository.
fn occasion(settings_path: Option<String>) -> Occasion {
    let text = |path: &Path| Some(path.to_str()?.replace('\\', "/"));
    let working = std::env::current_dir().ok();
    let root = working.as_deref().and_then(|working| {
        let mut folders = working.ancestors();
        folders
            .find(|folder| folder.join(".git").exists())
            .or(Some(working))
    });
    let within = working
        .as_deref()
        .zip(root)
        .and_then(|(working, root)| text(working.strip_prefix(root).ok()?));
    Occasion {
        settings_path,
        folder: root.and_then(text),
        within: within.unwrap_or_default(),
    }
}

fn remark_on_what_security_hub_lacks(report: &Report, console: &Console) {
    let findings = report.findings.iter().map(|all| &all.finding.subject);
    let undecided = report.undecided.iter().map(|each| &each.subject);
    let left_out = findings
        .chain(undecided)
        .filter(|subject| !render::asff::can_hold(subject))
        .count();
    if left_out > 0 {
        console.remark(&format!(
            "{left_out} findings without a known account, region and name are not in the ASFF output: Security Hub \
             has no place for them"
        ));
    }
}

fn codes(words: &[String]) -> Result<BTreeSet<&'static str>, Error> {
    let mut codes = BTreeSet::new();
    for word in words {
        let rules = rules_of(word).ok_or_else(|| Error::NoRule {
            given: word.clone(),
            suggestion: super::rules::nearest(word),
        })?;
        codes.extend(rules.iter().map(|rule| rule.code));
    }
    Ok(codes)
}

/// A baseline that this very run is about to write need not be there yet.
fn read_baseline(path: &str, written: Option<&str>) -> Result<Baseline, Error> {
    if written == Some(path) && !Path::new(path).exists() {
        return Ok(Baseline::default());
    }
    Baseline::read(&super::input::read_text(path)?).map_err(|source| Error::Baseline {
        path: path.to_owned(),
        source,
    })
}

/// Says which entries of the baseline match nothing any more.
fn stale(report: &Report) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = report
        .stale
        .iter()
        .take(NAMED)
        .map(|entry| format!("{} {}", entry.code, entry.bucket))
        .collect();
    let more = match report.stale.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "{} entries of the baseline match no finding any more: {}{more}; `--write-baseline` drops them",
        report.stale.len(),
        named.join(", ")
    )
}
