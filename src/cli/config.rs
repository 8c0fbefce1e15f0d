//! `s3log-lint.toml`: found upwards from the working folder, read, and shown.

mod file;
mod settle;
mod show;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceSpan};

use self::file::File;
use super::Exit;
use super::arguments::AccountArguments;
use super::error::Error;
use super::output::Console;
use crate::inventory::{Document, Place};
use crate::name::NameError;
use crate::policy::{Facts, SWITCHES};
use crate::render::position;
use crate::report::Settings;

pub use self::settle::rules_of;

/// How the file is called where nobody names it.
pub const FILE_NAME: &str = "s3log-lint.toml";

#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArguments {
    /// The settings file; without it, the `s3log-lint.toml` of this folder or the nearest above
    #[arg(long, value_name = "FILE", global = true, help_heading = "Settings")]
    pub config: Option<String>,
    /// Look for no settings file
    #[arg(long, global = true, conflicts_with = "config", help_heading = "Settings")]
    pub isolated: bool,
}

#[derive(Debug, Args)]
pub struct ConfigCommandArguments {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings that a run here would have, defaults included
    Show,
    /// Print the JSON schema of the settings file
    Schema,
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the file is, as it is shown; nothing where there is none.
    pub path: Option<String>,
    pub settings: Settings,
    pub facts: Facts,
    file: File,
    /// The text of the file, to point into.
    document: Option<Arc<Document>>,
}

impl Config {
    /// Whether the file says what an undecided rule does.
    pub fn says_unknown(&self) -> bool {
        self.file.unknown.is_some()
    }
}

/// What is wrong in a settings file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{0}")]
    Syntax(String),
    #[error("there is no rule or group `{given}`")]
    NoRule {
        given: String,
        suggestion: Option<&'static str>,
    },
    #[error("a suppression needs a reason")]
    NoReason,
    #[error("`{0}` is no day like 2027-01-31")]
    Date(String),
    #[error("`{given}` is no pattern for bucket names: {reason}")]
    Pattern { given: String, reason: String },
    #[error("`{0}` is no account: {1}")]
    Account(String, NameError),
    #[error("{0} is declared unsuppressible")]
    Unsuppressible(&'static str),
    #[error("`--ignore {given}` would silence {code}, which is declared unsuppressible")]
    IgnoredUnsuppressible { given: String, code: &'static str },
    #[error("between 1 and 512 calls can run at once")]
    Concurrency,
    #[error("AWS's documentation leaves no question open that is called `{0}`")]
    NoSwitch(String),
    #[error("there is nothing to put for `{placeholder}`")]
    Placeholder {
        placeholder: String,
        known: &'static [&'static str],
    },
    #[error("no bucket can have a name like `{name}`: {reason}")]
    TargetName { name: String, reason: NameError },
    #[error("`{0}` is no organization: {1}")]
    Organization(String, NameError),
}

/// An error in a settings file, with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}:{}:{}: {}", .0.path, .0.line, .0.column, .0.fault)]
pub struct ConfigError(Box<ConfigErrorDetails>);

#[derive(Debug)]
struct ConfigErrorDetails {
    path: String,
    line: usize,
    column: usize,
    fault: Fault,
    source_text: NamedSource<Arc<str>>,
    span: SourceSpan,
}

impl ConfigError {
    fn at(document: &Arc<Document>, span: Range<usize>, fault: Fault) -> Self {
        let mut place = Place::new(document, "");
        let end = document.text.len();
        place.span = Some(span.start.min(end)..span.end.min(end));
        let at = position::locate(&place);
        let path = document.title.to_string();
        Self(Box::new(ConfigErrorDetails {
            line: at.as_ref().map_or(1, |at| at.line),
            column: at.as_ref().map_or(1, |at| at.column),
            fault,
            source_text: NamedSource::new(&path, Arc::clone(&document.text)),
            path,
            span: (span.start.min(end), span.len().min(end)).into(),
        }))
    }
}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let help = match &self.0.fault {
            Fault::Syntax(_) => "`s3log-lint config schema` prints what the file may hold".to_owned(),
            Fault::NoRule {
                suggestion: Some(name),
                ..
            } => format!("did you mean `{name}`? `s3log-lint rules` lists them all"),
            Fault::NoRule { suggestion: None, .. } => {
                let groups: Vec<&str> = crate::rules::GROUPS.iter().map(|(name, _)| *name).collect();
                format!(
                    "`s3log-lint rules` lists the rules; the groups are {}",
                    groups.join(", ")
                )
            }
            Fault::NoReason => "say in `reason` why this is allowed".to_owned(),
            Fault::Date(_) => "write `expires = 2027-01-31`".to_owned(),
            Fault::Pattern { .. } => {
                "`*` stands for any characters, `?` for one, `[ab]` for one of these".to_owned()
            }
            Fault::Account(..) => "write `account = \"111122223333\"`".to_owned(),
            Fault::Unsuppressible(_) => {
                "take the suppression out, or the rule from `unsuppressible`".to_owned()
            }
            Fault::IgnoredUnsuppressible { .. } => {
                "leave the option out, or take the rule from `unsuppressible`".to_owned()
            }
            Fault::NoSwitch(_) => {
                let names: Vec<&str> = SWITCHES.iter().map(|switch| switch.name).collect();
                format!("the questions are {}", names.join(", "))
            }
            Fault::Placeholder { known, .. } => {
                let known: Vec<String> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
                format!("the placeholders here are {}", known.join(" and "))
            }
            Fault::TargetName { .. } => {
                "write a template like `template = \"{account}-{region}-s3-access-logs\"`".to_owned()
            }
            Fault::Concurrency | Fault::Organization(..) => return None,
        };
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.0.source_text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(
            Some("here".to_owned()),
            self.0.span,
        ))))
    }
}

impl Config {
    /// Reads the file that these arguments mean, if there is one, and the clock.
    pub fn read(arguments: &ConfigArguments) -> Result<Self, Error> {
        let mut config = Self::read_file(arguments)?;
        config.facts = config.facts.at(clock());
        Ok(config)
    }

    fn read_file(arguments: &ConfigArguments) -> Result<Self, Error> {
        let path = match (&arguments.config, arguments.isolated) {
            (Some(path), _) => Some(PathBuf::from(path)),
            (None, true) => None,
            (None, false) => find(),
        };
        let Some(path) = path else {
            return Ok(Self::none());
        };
        let shown = shown(&path);
        let text = super::input::read_text(path.to_str().unwrap_or(&shown))?;
        Self::parse(&shown, &text).map_err(Error::Config)
    }

    /// The settings of nobody.
    pub fn none() -> Self {
        Self {
            path: None,
            settings: Settings::default(),
            facts: Facts::default().at(clock()),
            file: File::default(),
            document: None,
        }
    }

    /// The settings in this text, which stands in the file of this name.
    pub fn parse(path: &str, text: &str) -> Result<Self, ConfigError> {
        let document = settle::document(path, text.strip_prefix('\u{feff}').unwrap_or(text));
        let file: File = toml::from_str(&document.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            ConfigError::at(&document, span, Fault::Syntax(error.message().to_owned()))
        })?;
        let settings = file.settle(&document)?;
        let facts = file.knowledge(&document)?;
        Ok(Self {
            path: Some(path.to_owned()),
            settings,
            facts,
            file,
            document: Some(document),
        })
    }

    /// Refuses to ignore what the file declares unsuppressible, and points at where it does.
    pub fn may_ignore(&self, given: &str, codes: &BTreeSet<&'static str>) -> Result<(), ConfigError> {
        let is_meant = |word: &&toml::Spanned<String>| {
            let rules = rules_of(word.get_ref()).unwrap_or_default();
            rules.iter().any(|rule| codes.contains(rule.code))
        };
        let code = codes.intersection(&self.settings.unsuppressible).next();
        let word = self.file.unsuppressible.iter().find(is_meant);
        match (&self.document, code, word) {
            (Some(document), Some(code), Some(word)) => {
                let given = given.to_owned();
                let fault = Fault::IgnoredUnsuppressible { given, code };
                Err(ConfigError::at(document, word.span(), fault))
            }
            _ => Ok(()),
        }
    }

    /// The baseline that the file names, seen from the file's folder.
    pub fn baseline(&self) -> Option<String> {
        let named = self.file.baseline.as_deref()?;
        let folder = Path::new(self.path.as_deref()?).parent()?;
        Some(folder.join(named).display().to_string())
    }

    /// How log buckets are expected to be named: a template.
    pub fn target_template(&self) -> Option<&str> {
        self.file
            .targets
            .template
            .as_ref()
            .map(|template| template.get_ref().as_str())
    }

    /// How the prefix of a source's logs is expected to be made: a template.
    pub fn prefix_template(&self) -> Option<&str> {
        self.file
            .targets
            .prefix
            .as_ref()
            .map(|template| template.get_ref().as_str())
    }

    /// The organization that the file names, `none` for none.
    pub fn organization(&self) -> Option<&str> {
        self.file
            .facts
            .organization
            .as_ref()
            .map(|organization| organization.get_ref().as_str())
    }

    /// The arguments, with what the file says where they say nothing.
    pub fn complete(&self, account: &AccountArguments) -> AccountArguments {
        let mut account = account.clone();
        let organization = self.file.facts.organization.as_ref();
        account.organization = account
            .organization
            .or_else(|| organization.map(|organization| organization.get_ref().clone()));
        account.bucket_tags |= self.file.bucket_tags;
        let concurrency = self.file.concurrency.as_ref();
        account.concurrency = account
            .concurrency
            .or_else(|| concurrency.map(|concurrency| *concurrency.get_ref()));
        account
    }
}

/// The time of the run.
fn clock() -> String {
    jiff::Timestamp::now().to_string()
}

/// The nearest file of the name, from the working folder upwards.
fn find() -> Option<PathBuf> {
    let folder = std::env::current_dir().ok()?;
    folder
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file())
}

/// The path from the working folder, where it is in it.
fn shown(path: &Path) -> String {
    let inside = std::env::current_dir()
        .ok()
        .and_then(|folder| path.strip_prefix(folder).ok().map(Path::to_path_buf));
    inside.as_deref().unwrap_or(path).display().to_string()
}

pub fn run(
    arguments: &ConfigCommandArguments,
    config: &ConfigArguments,
    console: &Console,
) -> Result<Exit, Error> {
    let text = match arguments.command {
        ConfigCommand::Show => show::settings(&Config::read(config)?),
        ConfigCommand::Schema => show::schema(),
    };
    console.write(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::rules;

    fn fault(text: &str) -> (usize, usize, Fault) {
        let error = Config::parse(FILE_NAME, text).expect_err("it is wrong");
        (error.0.line, error.0.column, error.0.fault.clone())
    }

    #[test]
    fn an_empty_file_changes_nothing() {
        let config = Config::parse(FILE_NAME, "").expect("nothing is right");
        assert_eq!(config.settings.fail_on, Settings::default().fail_on);
        assert!(config.settings.ignored.is_empty());
    }

    #[test]
    fn a_narrow_word_goes_before_a_wide_one() {
        let text = "[severity]\ngraph = \"note\"\nself-logging = \"warning\"\n";
        let config = Config::parse(FILE_NAME, text).expect("good settings");
        assert_eq!(config.settings.severities.get("S3L001"), Some(&Severity::Warning));
        assert_eq!(config.settings.severities.get("S3L002"), Some(&Severity::Note));
    }

    #[test]
    fn select_and_ignore_know_codes_names_and_groups() {
        let text = "select = [\"S3L0\", \"suppression\"]\nignore = [\"Self-Logging\"]\n";
        let config = Config::parse(FILE_NAME, text).expect("good settings");
        let shown: Vec<&str> = rules::ALL
            .iter()
            .map(|rule| rule.code)
            .filter(|code| !config.settings.ignored.contains(code))
            .collect();
        assert!(
            shown.contains(&"S3L002") && shown.contains(&"S3L901"),
            "{shown:?}"
        );
        assert!(
            !shown.contains(&"S3L001") && !shown.contains(&"S3L201"),
            "{shown:?}"
        );
        assert_eq!(rules_of("all").map(|rules| rules.len()), Some(rules::ALL.len()));
        assert!(rules_of("").is_none() && rules_of("S3LX").is_none() && rules_of("S").is_none());
    }

    #[test]
    fn an_error_points_into_the_file() {
        assert_eq!(
            fault("fail-on = \"error\"\nignore = [\"self-loging\"]\n"),
            (
                2,
                11,
                Fault::NoRule {
                    given: "self-loging".to_owned(),
                    suggestion: Some("self-logging")
                }
            )
        );
        let allow = "[[allow]]\nrule = \"S3L001\"\nbucket = \"a\"\n";
        assert_eq!(
            fault(&format!("{allow}reason = \" \"\n")),
            (4, 10, Fault::NoReason)
        );
        assert_eq!(
            fault(&format!("{allow}reason = \"x\"\nexpires = \"soon\"\n")),
            (5, 11, Fault::Date("soon".to_owned()))
        );
        let guarded = format!("unsuppressible = [\"graph\"]\n{allow}reason = \"x\"\n");
        assert_eq!(fault(&guarded), (3, 8, Fault::Unsuppressible("S3L001")));
        assert_eq!(
            fault("[facts.switches]\naws-star = true\n"),
            (2, 1, Fault::NoSwitch("aws-star".to_owned()))
        );
        let (line, column, _) = fault("failon = 1\n");
        assert_eq!((line, column), (1, 1));
        let (line, _, _) = fault("[[allow]]\nrule = \"S3L001\"\nreason = \"x\"\n");
        assert_eq!(line, 1, "the suppression without a bucket");
        let (line, column, _) = fault("a = \n");
        assert_eq!((line, column), (1, 5));
    }

    #[test]
    fn what_the_user_knows_of_policies_is_handed_on() {
        let text = "[facts.condition-keys]\n\"aws:SourceVpc\" = []\n\"s3:x-amz-acl\" = \"private\"\n[facts.switches]\n\
                    aws-star-matches-services = true\n";
        let facts = Config::parse(FILE_NAME, text).expect("good settings").facts;
        let expected = Facts::default()
            .know_absent("aws:SourceVpc")
            .know("s3:x-amz-acl", ["private".to_owned()])
            .answer(crate::policy::Question::AwsStar, crate::policy::Truth::True);
        assert_eq!(facts, expected);
    }

    #[test]
    fn a_day_may_be_written_in_both_ways() {
        for day in ["2027-01-31", "\"2027-01-31\""] {
            let text =
                format!("[[allow]]\nrule = \"S3L001\"\nbucket = \"a*\"\nreason = \"x\"\nexpires = {day}\n");
            let config = Config::parse(FILE_NAME, &text).expect("good settings");
            let expires = config.settings.suppressions[0].expires.map(|day| day.to_string());
            assert_eq!(expires.as_deref(), Some("2027-01-31"));
        }
    }
}
