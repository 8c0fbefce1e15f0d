//! Terraform and OpenTofu → what they declare: plans and states in JSON, and `terraform.tfstate`.
//!
//! What a plan doesn't know before the deploy stays unknown; which bucket is meant is followed through the references of
//! the configuration, and said only where a single one can be meant. Expressions aren't in a plan: they are evaluated
//! where the configuration's own files are given. What is marked as sensitive is compared, and never told.

mod address;
mod comments;
mod conversion;
mod evaluate;
mod functions;
mod namesakes;
mod owners;
mod policy_document;
mod references;
mod resource;
mod rows;
mod secrets;
mod shape;
mod source;
mod strict;
mod value;
mod worth;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use miette::Diagnostic;
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;

use self::evaluate::{Evaluator, Known};
use self::namesakes::Namesakes;
use self::owners::Owners;
use self::references::{Candidate, Found, Index, Want};
use self::resource::Behind;
use self::rows::{Loaded, Row, Side, Verb};
use self::secrets::Secrets;
pub use self::source::{Load, Sources};
use self::value::Node;
use self::worth::Worth;
use super::deployment::{BucketKey, Configuration, Declared, Deployment, Fate};
use super::kind::{self, Kind, KindError, Recognised};
use crate::inventory::{Call, Document, Fact, Host, Place, TargetRef, Title, Why};
use crate::name::{AccountId, Region};
use crate::policy::open::{self, Open};

/// Why a file of Terraform can't be read.
#[derive(Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum TerraformError {
    #[error("line {line}, column {column}: {reason}")]
    #[diagnostic(
        code(terraform::malformed),
        help("write it again: `terraform show -json tfplan > plan.json`")
    )]
    Malformed {
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("it is of format version {found}; this release reads 0 and 1")]
    #[diagnostic(
        code(terraform::version),
        help("use a release of s3log-lint that reads format version {found}")
    )]
    Version { found: String },
    #[error("it is a state of version {found}; this release reads version 4")]
    #[diagnostic(
        code(terraform::state_version),
        help("give its JSON instead: `terraform show -json > state.json`")
    )]
    StateVersion { found: String },
}

/// The text of a file, to place what is wrong with it.
pub(super) struct Text<'t> {
    whole: &'t str,
}

impl Text<'_> {
    fn misplaced(&self, raw: &RawValue, error: &serde_json::Error) -> TerraformError {
        let start = offset(self.whole, raw.get());
        malformed(kind::malformed(self.whole, start, error))
    }
}

fn malformed(error: KindError) -> TerraformError {
    match error {
        KindError::Malformed { line, column, reason } => TerraformError::Malformed { line, column, reason },
        other => TerraformError::Malformed {
            line: 1,
            column: 1,
            reason: other.to_string(),
        },
    }
}

/// Where a part of the text starts: it borrows from the text, so its address tells.
fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize)
        .saturating_sub(whole.as_ptr() as usize)
        .min(whole.len())
}

/// Reads a file of one of Terraform's kinds.
pub fn read(path: &str, text: &str, recognised: Recognised) -> Result<Deployment, TerraformError> {
    read_with(path, text, recognised, None)
}

/// The same, with places in the files of the configuration.
pub fn read_with(
    path: &str,
    text: &str,
    recognised: Recognised,
    sources: Option<&Sources<'_>>,
) -> Result<Deployment, TerraformError> {
    let document = &text[recognised.start..recognised.end];
    let text = Text { whole: text };
    let whole = |error: serde_json::Error| malformed(kind::malformed(text.whole, recognised.start, &error));
    if recognised.kind == Kind::TerraformStateFile {
        let file: shape::StateFile<'_> = serde_json::from_str(document).map_err(whole)?;
        if file.version.as_u64() != Some(4) {
            return Err(TerraformError::StateVersion {
                found: file.version.to_string(),
            });
        }
        let mut secrets = Secrets::default();
        for output in file.outputs.values().filter(|output| output.sensitive) {
            secrets.add(&output.value);
        }
        let rows = rows::of_state_file(&text, &file.resources)?;
        let parts = Parts {
            path,
            text: &text,
            rows: &rows,
            configuration: None,
            variables: BTreeMap::new(),
            secrets,
            sources,
        };
        return parts.read(true, Vec::new());
    }
    let mut file: shape::Document<'_> = serde_json::from_str(document).map_err(whole)?;
    check_version(file.format_version.as_deref())?;
    let mut remarks = Vec::new();
    let (mut is_state, mut is_only_refreshed) = (true, false);
    let mut rows = Vec::new();
    if let Some(changes) = file.resource_changes.take() {
        is_state = false;
        rows = rows::of_changes(&text, changes)?;
    } else if let Some(root) = root_module(&text, file.planned_values)? {
        rows = rows::of_values(&text, &root, "/planned_values/root_module", true)?;
        // A plan that only looks again has nothing but the time before.
        is_only_refreshed = rows.is_empty() && file.prior_state.is_some();
        remarks.push(
            match is_only_refreshed {
                true => "it changes nothing but what Terraform knows: it is read as a state",
                false => "it holds no changes, only the values after them: what it creates can't be told",
            }
            .to_owned(),
        );
    } else if let Some(root) = root_module(&text, file.values)? {
        rows = rows::of_values(&text, &root, "/values/root_module", false)?;
    }
    let complete = file.complete.unwrap_or(true) && !file.errored.unwrap_or(false);
    // What was known before the plan was made: data sources, mostly; and what a plan of a few targets leaves as it is.
    let prior: Option<shape::PriorState<'_>> = read_if_any(&text, file.prior_state)?;
    if let Some(root) = root_module(&text, prior.and_then(|prior| prior.values))? {
        let known: BTreeSet<Cow<'_, str>> = rows.iter().map(|row| row.text.clone()).collect();
        let before = rows::of_values(&text, &root, "/prior_state/values/root_module", false)?;
        let stays = |row: &Row<'_>| row.address.is_data || !complete || is_only_refreshed;
        let more = before
            .into_iter()
            .filter(|row| stays(row) && !known.contains(&row.text));
        rows.extend(more);
    }
    if !complete {
        remarks.push(
            "it is incomplete (targeted, deferred or failed): what it doesn't name may be configured all the same"
                .to_owned(),
        );
    }
    let variables = variables(&text, &file)?;
    let mut secrets = Secrets::default();
    let root = file
        .configuration
        .as_ref()
        .and_then(|all| all.root_module.as_ref());
    for (name, value) in &variables {
        let is_sensitive = root
            .and_then(|root| root.variables.get(name.as_str()))
            .is_some_and(|variable| variable.sensitive);
        if is_sensitive {
            secrets.add(value);
        }
    }
    let parts = Parts {
        path,
        text: &text,
        rows: &rows,
        configuration: file.configuration.as_ref(),
        variables,
        secrets,
        sources,
    };
    let mut deployment = parts.read(is_state, remarks)?;
    deployment.complete = complete;
    Ok(deployment)
}

fn read_if_any<'a, T: serde::Deserialize<'a>>(
    text: &Text<'_>,
    raw: Option<&'a RawValue>,
) -> Result<Option<T>, TerraformError> {
    match raw {
        Some(raw) => text.parse(raw).map(Some),
        None => Ok(None),
    }
}

/// The outermost module of these values.
fn root_module<'a>(
    text: &Text<'_>,
    values: Option<&'a RawValue>,
) -> Result<Option<shape::StateModule<'a>>, TerraformError> {
    let values: Option<shape::Values<'a>> = read_if_any(text, values)?;
    Ok(values.and_then(|values| values.root_module))
}

/// A later minor version adds what can be passed over; another major one means something else.
fn check_version(version: Option<&str>) -> Result<(), TerraformError> {
    let found = version.unwrap_or_default();
    let major = found.split('.').next().unwrap_or_default();
    match major {
        "0" | "1" => Ok(()),
        _ => Err(TerraformError::Version {
            found: match found.is_empty() {
                true => "(none)".to_owned(),
                false => found.to_owned(),
            },
        }),
    }
}

fn variables(text: &Text<'_>, file: &shape::Document<'_>) -> Result<BTreeMap<String, Value>, TerraformError> {
    let Some(raw) = file.variables else {
        return Ok(BTreeMap::new());
    };
    let given: BTreeMap<String, shape::Given> = text.parse_owned(raw)?;
    Ok(given
        .into_iter()
        .map(|(name, given)| (name, given.value))
        .collect())
}

/// What a file was cut into.
struct Parts<'p, 'a> {
    path: &'p str,
    text: &'p Text<'p>,
    rows: &'p [Row<'a>],
    configuration: Option<&'p shape::Configuration<'a>>,
    variables: BTreeMap<String, Value>,
    secrets: Secrets,
    sources: Option<&'p Sources<'p>>,
}

impl Parts<'_, '_> {
    fn read(self, is_state: bool, remarks: Vec<String>) -> Result<Deployment, TerraformError> {
        let mut secrets = self.secrets;
        for row in self.rows {
            secrets.add_row(self.text, row)?;
        }
        let index = Index::new(self.rows, self.configuration, self.variables);
        let owners = Owners::find(self.path, self.text, &index, self.configuration)?;
        let lines = Lines::new(self.text.whole);
        let file = Arc::new(Document {
            title: Title::File {
                path: self.path.to_owned(),
            },
            text: lines.blank(self.text.whole).into(),
            host: None,
        });
        let reader = Reader {
            path: self.path,
            text: self.text,
            file: &file,
            lines: &lines,
            index: &index,
            owners: &owners,
            secrets: &secrets,
            sources: self.sources,
            known: &Known::default(),
            namesakes: &OnceCell::new(),
        };
        let mut deployment = reader.read(is_state, remarks)?;
        deployment.remarks.extend(self.sources.and_then(Sources::remark));
        Ok(deployment)
    }
}

/// A larger file is placed by its lines alone: its text is too much to keep for a column that nobody reads.
const LARGE: usize = 4 << 20;

/// A file of more resources is placed by its lines too: a copy of each resource, to be shown with what is found in it,
/// would be the file once more.
const MANY: usize = 20_000;

/// Where things stand in a file whose text isn't kept: a plan holds passwords, and only its places are wanted.
struct Lines {
    /// Where each line ends, in a large file.
    ends: Option<Vec<usize>>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let is_large = text.len() > LARGE;
        Self {
            ends: is_large.then(|| text.match_indices('\n').map(|(at, _)| at).collect()),
        }
    }

    /// The text with nothing in it: of a large file, its line ends.
    fn blank(&self, text: &str) -> String {
        let hidden = |character: char| match character.len_utf8() {
            _ if character == '\n' => '\n',
            1 => ' ',
            2 => '\u{a0}',
            3 => '\u{2003}',
            _ => '\u{1d159}',
        };
        match &self.ends {
            Some(ends) => "\n".repeat(ends.len()),
            None => text.chars().map(hidden).collect(),
        }
    }

    /// A part of the file, in the blank text.
    fn span(&self, start: usize, length: usize) -> std::ops::Range<usize> {
        match &self.ends {
            Some(ends) => {
                let line = |at: usize| ends.partition_point(|end| *end < at);
                line(start)..line(start + length)
            }
            None => start..start + length,
        }
    }
}

/// What one file says, resource by resource.
#[derive(Clone, Copy)]
struct Reader<'r, 'a> {
    path: &'r str,
    text: &'r Text<'r>,
    file: &'r Arc<Document>,
    lines: &'r Lines,
    index: &'r Index<'r, 'a>,
    owners: &'r Owners,
    secrets: &'r Secrets,
    sources: Option<&'r Sources<'r>>,
    known: &'r Known,
    namesakes: &'r OnceCell<Namesakes>,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn read(self, is_state: bool, mut remarks: Vec<String>) -> Result<Deployment, TerraformError> {
        let speaking = || self.index.rows().iter().filter(|row| speaks(row));
        let mut deployment = Deployment {
            title: self.path.to_owned(),
            complete: true,
            // Of a large plan, twice the room for a moment is much.
            declared: Vec::with_capacity(speaking().count()),
            before: Vec::with_capacity(match is_state {
                true => 0,
                false => speaking().filter(|row| row.before.is_some()).count(),
            }),
            remarks: Vec::new(),
        };
        let mut unclear = Vec::new();
        for row in speaking() {
            let declared = match row.is_managed("aws_s3_bucket") {
                true => self.bucket(row)?,
                false => self.configuring(row)?,
            };
            for each in &declared {
                if matches!(each.bucket, BucketKey::OneOf(_)) {
                    unclear.push(each.address.clone());
                }
            }
            let earlier = match is_state {
                true => None,
                // What the plan doesn't name is after it what it was before.
                false if row.verb == Verb::Keep => row.before.as_ref().or(row.after.as_ref()),
                false => row.before.as_ref(),
            };
            match earlier {
                // The same values, read once and shared.
                Some(_) if row.is_kept_as_it_was() => deployment.before.extend(declared.iter().cloned()),
                Some(side) => deployment.before.extend(self.as_it_was(row, side)?),
                None => {}
            }
            deployment.declared.extend(declared);
        }
        if is_state {
            deployment.before = deployment.declared.clone();
        }
        if let Some(told) = told_unclear(&unclear) {
            remarks.push(told);
        }
        deployment.remarks = remarks;
        Ok(deployment)
    }

    /// The bucket's own resource.
    fn bucket(self, row: &'r Row<'a>) -> Result<Vec<Declared>, TerraformError> {
        let mut all = Vec::new();
        let before = row.before.as_ref().map(|side| (side, self.key(row, side)));
        let after = row.after.as_ref().map(|side| (side, self.key(row, side)));
        match (row.verb, before, after) {
            (Verb::Keep | Verb::Read, _, Some((side, key))) => {
                all.push(self.declare(row, side, key, Fate::Kept, Configuration::as_unchanged)?);
            }
            (Verb::Create, _, Some((side, key))) => {
                all.push(self.declare(row, side, key, Fate::Created, Configuration::without_absent)?);
            }
            (Verb::Update, None, Some((side, key))) => {
                all.push(self.declare(row, side, key, Fate::Updated, Configuration::without_absent)?);
            }
            (Verb::Update, Some((old, _)), Some((side, key))) => {
                let old = self.look(row, old)?.configuration();
                let changed = |new: Configuration| new.changed_from(&old);
                all.push(self.declare(row, side, key, Fate::Updated, changed)?);
            }
            (Verb::Delete, Some((side, key)), _) => {
                all.push(self.declare(row, side, key, Fate::Deleted, |_| Configuration::default())?);
            }
            (Verb::Forget, Some((side, key)), _) => {
                all.push(self.declare(row, side, key, Fate::Forgotten, Configuration::as_unchanged)?);
            }
            (Verb::Replace { .. }, Some((old, old_key)), Some((side, key))) => {
                if old_key != key {
                    all.push(self.declare(row, old, old_key, Fate::Deleted, |_| Configuration::default())?);
                }
                all.push(self.declare(row, side, key, Fate::Replaced, Configuration::without_absent)?);
            }
            (Verb::Succeed, Some((old, old_key)), Some((side, key))) => {
                all.push(self.declare(row, old, old_key, Fate::Forgotten, Configuration::as_unchanged)?);
                all.push(self.declare(row, side, key, Fate::Created, Configuration::without_absent)?);
            }
            // A row without the values that its actions speak of says nothing.
            (_, _, _) => {}
        }
        Ok(all)
    }

    /// A resource that configures a bucket.
    fn configuring(self, row: &'r Row<'a>) -> Result<Vec<Declared>, TerraformError> {
        let mut all = Vec::new();
        let before = row.before.as_ref().map(|side| (side, self.key(row, side)));
        let after = row.after.as_ref().map(|side| (side, self.key(row, side)));
        let kind = row.address.kind.as_str();
        let removed = |_| resource::removes(kind).unwrap_or_default();
        let sets = |configuration| configuration;
        match (row.verb, before, after) {
            (Verb::Keep | Verb::Read, _, Some((side, key))) => {
                all.push(self.declare(row, side, key, Fate::NotSaid, Configuration::as_unchanged)?);
            }
            (Verb::Create | Verb::Update, _, Some((side, key))) => {
                all.push(self.declare(row, side, key, Fate::NotSaid, sets)?);
            }
            (Verb::Delete, Some((side, key)), _) if self.is_skipped(row, side)? => {
                all.push(self.declare(row, side, key, Fate::NotSaid, Configuration::as_unchanged)?);
            }
            (Verb::Delete, Some((side, key)), _) => {
                all.push(self.declare(row, side, key, Fate::NotSaid, removed)?);
            }
            (Verb::Forget, Some((side, key)), _) => {
                all.push(self.declare(row, side, key, Fate::NotSaid, Configuration::as_unchanged)?);
            }
            (Verb::Replace { create_first }, Some((old, old_key)), Some((side, key))) => {
                let same = old_key == key;
                if !same || create_first {
                    // Of the same bucket, what was created first is taken away again when the old one is destroyed.
                    all.push(self.declare(row, old, old_key, Fate::NotSaid, removed)?);
                }
                if !same || !create_first {
                    all.push(self.declare(row, side, key, Fate::NotSaid, sets)?);
                }
            }
            (Verb::Succeed, _, Some((side, key))) => {
                all.push(self.declare(row, side, key, Fate::NotSaid, sets)?);
            }
            (_, _, _) => {}
        }
        Ok(all)
    }

    /// A public access block that is to be left in place when its resource is destroyed.
    fn is_skipped(self, row: &Row<'a>, side: &Side<'a>) -> Result<bool, TerraformError> {
        Ok(row.is_managed("aws_s3_bucket_public_access_block")
            && side.load(self.text)?.node().get("skip_destroy").flag() == Fact::Known(true))
    }

    /// The time before the deploy.
    fn as_it_was(self, row: &'r Row<'a>, side: &'r Side<'a>) -> Result<Option<Declared>, TerraformError> {
        let fate = match row.is_managed("aws_s3_bucket") {
            true => Fate::Kept,
            false => Fate::NotSaid,
        };
        let key = self.key(row, side);
        self.declare(row, side, key, fate, Configuration::as_unchanged)
            .map(Some)
    }

    fn declare(
        self,
        row: &'r Row<'a>,
        side: &'r Side<'a>,
        key: BucketKey,
        fate: Fate,
        change: impl FnOnce(Configuration) -> Configuration,
    ) -> Result<Declared, TerraformError> {
        let look = self.look(row, side)?;
        let mut declared = Declared::new(key, row.text.as_ref(), fate);
        (declared.owner, declared.region) = self.owners.of(self.index, &row.address);
        let node = look.loaded.node();
        for name in ["region", "bucket_region"] {
            if let Fact::Known(text) = node.get(name).name()
                && let Ok(region) = Region::parse(&text)
            {
                declared.region = Fact::Known(region);
                break;
            }
        }
        // The deploy fails where the bucket is another account's: so it is this one's.
        if declared.owner.account.is_none()
            && let Fact::Known(owner) = node.get("expected_bucket_owner").name()
        {
            declared.owner.account = AccountId::parse(&owner).ok();
        }
        declared.place = Some(look.place(""));
        declared.allowances = look
            .written
            .as_ref()
            .map(source::Found::allowances)
            .unwrap_or_default();
        declared.configuration = change(look.configuration());
        Ok(declared)
    }

    fn look(self, row: &'r Row<'a>, side: &'r Side<'a>) -> Result<Look<'r, 'a>, TerraformError> {
        Ok(Look {
            reader: self,
            row,
            side,
            loaded: side.load(self.text)?,
            written: self.sources.and_then(|sources| sources.find(&row.address)),
            document: OnceCell::new(),
        })
    }

    /// The bucket that a resource is, or that it configures.
    fn key(self, row: &Row<'a>, side: &Side<'a>) -> BucketKey {
        let is_bucket = row.is_managed("aws_s3_bucket");
        match &side.bucket {
            Fact::Known(name) if self.secrets.holds(name) => match self.secrets.bucket(name) {
                Some(address) => BucketKey::Address(address.to_owned()),
                None if is_bucket => BucketKey::Address(row.text.to_string()),
                None => BucketKey::OneOf(Vec::new()),
            },
            Fact::Known(name) => BucketKey::Name(name.clone()),
            // The files may tell a name that is made of others.
            Fact::Unknown(Why::AfterApply) if is_bucket => match self.named(row) {
                Some(BucketKey::Name(name)) => BucketKey::Name(name),
                Some(BucketKey::Address(_) | BucketKey::OneOf(_) | BucketKey::Any) | None => {
                    BucketKey::Address(row.text.to_string())
                }
            },
            _ if is_bucket => BucketKey::Address(row.text.to_string()),
            Fact::Unknown(Why::Sensitive) => match self.secrets.bucket_of(self.text, side) {
                Some(address) => BucketKey::Address(address),
                None => BucketKey::OneOf(Vec::new()),
            },
            Fact::Absent | Fact::Unknown(_) => {
                if let Some(key) = self.named(row) {
                    return key;
                }
                if self.is_built(row) {
                    return BucketKey::OneOf(Vec::new());
                }
                let found = self
                    .index
                    .follow(self.text, &row.address, &["bucket"], Want::Bucket);
                let keys: BTreeSet<BucketKey> = found
                    .candidates
                    .iter()
                    .map(|candidate| self.key_of(candidate))
                    .collect();
                let mut keys: Vec<BucketKey> = keys.into_iter().collect();
                match keys.len() {
                    _ if !found.is_clear() => BucketKey::OneOf(Vec::new()),
                    1 => keys.swap_remove(0),
                    _ => BucketKey::OneOf(keys),
                }
            }
        }
    }

    /// The bucket that the argument `bucket` names, where the files tell more of it than the plan.
    fn named(self, row: &Row<'a>) -> Option<BucketKey> {
        self.sources?;
        let number = self.index.number_of(row)?;
        self.known.once(number, || {
            let value = self.evaluated(row, &["bucket"])?;
            self.key_in(&value)
        })
    }

    /// What an argument comes to, where the files tell more of it than the plan.
    fn evaluated(self, row: &Row<'a>, path: &[&str]) -> Option<Worth> {
        let value = Evaluator::new(self)?.argument(&row.address, path)?;
        (value != Worth::Unknown).then_some(value)
    }

    /// The bucket that a text names; one of many where more stands around an open name. None for what is no text.
    fn key_in(self, value: &Worth) -> Option<BucketKey> {
        let text = value.text()?;
        Some(match Open::leading(&text) {
            Some((Open::Bucket(address), "")) => BucketKey::Address(address),
            _ if open::is_in(&text) => BucketKey::OneOf(Vec::new()),
            _ => match self.secrets.bucket(&text) {
                Some(address) => BucketKey::Address(address.to_owned()),
                None if self.secrets.holds(&text) => BucketKey::OneOf(Vec::new()),
                None => BucketKey::Name(text),
            },
        })
    }

    /// Whether the source adds text to what the bucket's name is made of.
    fn is_built(self, row: &Row<'a>) -> bool {
        let written = self.sources.and_then(|sources| sources.find(&row.address));
        written.is_some_and(|written| written.is_built("/bucket"))
    }

    fn key_of(self, candidate: &Candidate) -> BucketKey {
        match candidate {
            Candidate::Text(name) => match self.secrets.bucket(name) {
                Some(address) => BucketKey::Address(address.to_owned()),
                None if self.secrets.holds(name) => BucketKey::OneOf(Vec::new()),
                None => BucketKey::Name(name.clone()),
            },
            Candidate::Row(number) => {
                let row = &self.index.rows()[*number];
                match row.after.as_ref().or(row.before.as_ref()) {
                    Some(side) => self.key(row, side),
                    None => BucketKey::Address(row.text.to_string()),
                }
            }
        }
    }
}

/// Whether it is a bucket, or configures one.
fn speaks(row: &Row<'_>) -> bool {
    !row.address.is_data
        && (row.address.kind == "aws_s3_bucket" || resource::removes(&row.address.kind).is_some())
}

fn told_unclear(addresses: &[String]) -> Option<String> {
    let first = addresses.first()?;
    Some(match addresses.len() - 1 {
        0 => format!("which bucket {first} configures is known only after the deploy"),
        more => format!(
            "which buckets {first} and {more} more resources configure is known only after the deploy"
        ),
    })
}

/// One resource at one time.
struct Look<'r, 'a> {
    reader: Reader<'r, 'a>,
    row: &'r Row<'a>,
    side: &'r Side<'a>,
    loaded: Loaded,
    written: Option<source::Found>,
    document: OnceCell<Arc<Document>>,
}

impl Look<'_, '_> {
    fn configuration(&self) -> Configuration {
        let kind = self.row.address.kind.as_str();
        let node = self.loaded.node();
        let mut all = match kind {
            "aws_s3_bucket" => resource::bucket(node, self),
            kind => resource::configures(kind, node, self).unwrap_or_default(),
        };
        for (call, argument) in arguments(kind) {
            if all.says(*call) {
                all.places.insert(*call, self.place(argument));
            }
        }
        if let super::deployment::Said::Sets(Fact::Known(policy)) = &*all.policy {
            all.places.insert(Call::Policy, Place::new(policy, ""));
        }
        all
    }

    fn is_built(&self, path: &[&str]) -> bool {
        let pointer = path
            .iter()
            .map(|segment| format!("/{segment}"))
            .collect::<String>();
        self.written
            .as_ref()
            .is_some_and(|written| written.is_built(&pointer))
    }

    /// Whether more must stand around the reference than a plan tells. A bucket that seems to log to itself is a fault
    /// that people make; but where the key of the instance chose it (`[count.index + 1]`), or another bucket is named
    /// like it with more text (`"${aws_s3_bucket.app.id}-logs"`), it is more likely that other one. The source tells.
    fn is_hardly_meant(&self, key: &BucketKey, found: &Found) -> bool {
        let reader = self.reader;
        // What is written was seen to be no text with more in it.
        if self.written.as_ref().is_some_and(|written| !written.is_outside()) {
            return false;
        }
        if *key != reader.key(self.row, self.side) {
            return false;
        }
        let [Candidate::Row(number)] = found.candidates.iter().collect::<Vec<_>>()[..] else {
            return false;
        };
        let namesakes = || {
            reader
                .namesakes
                .get_or_init(|| Namesakes::find(reader.text, reader.index))
        };
        found.by_own_key || namesakes().has(&reader.index.rows()[*number])
    }

    fn is_one_of_many(&self) -> bool {
        self.reader.index.rows().len() > MANY
    }

    /// The values of the resource, as they are shown: without what is sensitive.
    fn document(&self) -> &Arc<Document> {
        self.document.get_or_init(|| {
            let text = secrets::shown(&self.loaded, self.reader.secrets).to_string();
            Arc::new(Document {
                title: Title::Embedded {
                    path: self.reader.path.to_owned(),
                    address: self.row.text.to_string(),
                },
                text: text.into(),
                host: Some(self.host(self.side.value, "")),
            })
        })
    }

    fn host(&self, part: &RawValue, pointer: &str) -> Host {
        let start = offset(self.reader.text.whole, part.get());
        Host {
            place: Place {
                document: Arc::clone(self.reader.file),
                pointer: format!("{}{pointer}", self.side.pointer()),
                span: Some(self.reader.lines.span(start, part.get().len())),
                made_at: None,
            },
            origins: BTreeMap::new(),
        }
    }

    /// The document of a policy that stands in an argument of this resource.
    fn policy_document(&self, text: String) -> Arc<Document> {
        let renamed = self.reader.secrets.renamed(&text, |address| {
            let quoted = serde_json::Value::from(Open::Bucket(address.to_owned()).written()).to_string();
            quoted.trim_matches('"').to_owned()
        });
        let text = renamed.unwrap_or(text);
        let arguments: BTreeMap<&str, &RawValue> =
            serde_json::from_str(self.side.value.get()).unwrap_or_default();
        let written = self.written.as_ref().and_then(|written| written.place("/policy"));
        let host = match (written, arguments.get("policy")) {
            (Some(place), _) => Host {
                place,
                origins: BTreeMap::new(),
            },
            (None, Some(policy)) => self.host(policy, "/policy"),
            (None, None) => self.host(self.side.value, ""),
        };
        let path = host.place.document.path().unwrap_or(self.reader.path).to_owned();
        Arc::new(Document {
            title: Title::Embedded {
                path,
                address: self.row.text.to_string(),
            },
            text: text.into(),
            host: Some(host),
        })
    }
}

/// Where the settings are written in each kind of resource.
fn arguments(kind: &str) -> &'static [(Call, &'static str)] {
    match kind {
        "aws_s3_bucket" => &[
            (Call::Acl, "/acl"),
            (Call::Encryption, "/server_side_encryption_configuration/0/rule/0"),
            (Call::ObjectLock, "/object_lock_configuration"),
            (Call::RequestPayment, "/request_payer"),
            (Call::Lifecycle, "/lifecycle_rule"),
            (Call::Versioning, "/versioning"),
        ],
        "aws_s3_bucket_acl" => &[(Call::Acl, "/acl")],
        "aws_s3_bucket_ownership_controls" => &[(Call::OwnershipControls, "/rule/0/object_ownership")],
        "aws_s3_bucket_server_side_encryption_configuration" => &[(
            Call::Encryption,
            "/rule/0/apply_server_side_encryption_by_default",
        )],
        "aws_s3_bucket_object_lock_configuration" => &[(Call::ObjectLock, "/rule/0/default_retention")],
        "aws_s3_bucket_request_payment_configuration" => &[(Call::RequestPayment, "/payer")],
        "aws_s3_bucket_lifecycle_configuration" => &[(Call::Lifecycle, "/rule")],
        "aws_s3_bucket_versioning" => &[(Call::Versioning, "/versioning_configuration")],
        "aws_s3_bucket_public_access_block" => &[(Call::PublicAccessBlock, "")],
        _ => &[],
    }
}

impl Behind for Look<'_, '_> {
    fn target(&self, path: &[&str], node: Node<'_>) -> Fact<TargetRef> {
        let reader = self.reader;
        let meant = |key: BucketKey| match key {
            BucketKey::Name(name) => Fact::Known(TargetRef::Name(name)),
            BucketKey::Address(address) => Fact::Known(TargetRef::Address(address)),
            BucketKey::OneOf(_) | BucketKey::Any => Fact::Unknown(Why::AfterApply),
        };
        match node.text() {
            Fact::Known(name) if reader.secrets.holds(&name) => match reader.secrets.bucket(&name) {
                Some(address) => Fact::Known(TargetRef::Address(address.to_owned())),
                None => Fact::Unknown(Why::Sensitive),
            },
            Fact::Known(name) => Fact::Known(TargetRef::Name(name)),
            // A block without a target is refused by AWS as an empty name.
            Fact::Absent => Fact::Known(TargetRef::Name(String::new())),
            Fact::Unknown(Why::Sensitive) => {
                match node.raw().as_str().and_then(|name| reader.secrets.bucket(name)) {
                    Some(address) => Fact::Known(TargetRef::Address(address.to_owned())),
                    None => Fact::Unknown(Why::Sensitive),
                }
            }
            Fact::Unknown(_) => {
                let value = reader.evaluated(self.row, path);
                if let Some(key) = value.and_then(|value| reader.key_in(&value)) {
                    return meant(key);
                }
                // The plan tells what it refers to, and not that more is added to it. The source does.
                if self.is_built(path) {
                    return Fact::Unknown(Why::AfterApply);
                }
                let found = reader
                    .index
                    .follow(reader.text, &self.row.address, path, Want::Bucket);
                let keys: BTreeSet<BucketKey> = found
                    .candidates
                    .iter()
                    .map(|candidate| reader.key_of(candidate))
                    .collect();
                let mut keys: Vec<BucketKey> = keys.into_iter().collect();
                match keys.len() {
                    1 if found.is_clear() && !self.is_hardly_meant(&keys[0], &found) => {
                        meant(keys.swap_remove(0))
                    }
                    _ => Fact::Unknown(Why::AfterApply),
                }
            }
        }
    }

    fn customer_key(&self, path: &[&str]) -> Option<String> {
        let reader = self.reader;
        let found = reader
            .index
            .follow(reader.text, &self.row.address, path, Want::KmsKey);
        match found.only()? {
            Candidate::Row(number) => Some(reader.index.rows()[*number].text.to_string()),
            Candidate::Text(_) => None,
        }
    }

    fn is_configured(&self, path: &[&str]) -> bool {
        let reader = self.reader;
        let is_told = reader
            .index
            .argument(reader.text, &self.row.address, path)
            .is_some();
        // A plan says nothing of a dynamic block.
        is_told
            || path.first().is_some_and(|name| {
                Evaluator::new(reader)
                    .is_some_and(|evaluator| evaluator.may_have_blocks(&self.row.address, name))
            })
    }

    fn prefix(&self, path: &[&str], node: Node<'_>) -> Fact<String> {
        match node.text() {
            Fact::Absent => Fact::Known(String::new()),
            Fact::Unknown(Why::AfterApply) => {
                let value = self.reader.evaluated(self.row, path);
                match value.and_then(|value| value.text()) {
                    Some(text) if !open::is_in(&text) && !self.reader.secrets.holds(&text) => {
                        Fact::Known(text)
                    }
                    Some(_) | None => Fact::Unknown(Why::AfterApply),
                }
            }
            other => other,
        }
    }

    fn policy(&self, node: Node<'_>) -> Fact<Arc<Document>> {
        let reader = self.reader;
        match node.name() {
            Fact::Known(text) => Fact::Known(self.policy_document(text)),
            Fact::Absent => Fact::Absent,
            Fact::Unknown(Why::AfterApply) => {
                let written = match reader.evaluated(self.row, &["policy"]) {
                    Some(Worth::Document(number)) => {
                        Some(policy_document::render(reader, &reader.index.rows()[number]))
                    }
                    Some(value) => policy_document::of_value(&value).map(Fact::Known),
                    None => None,
                };
                if let Some(written) = written {
                    return written.map(|text| self.policy_document(text));
                }
                let found = reader
                    .index
                    .follow(reader.text, &self.row.address, &["policy"], Want::Policy);
                let Some(Candidate::Row(number)) = found.only() else {
                    return Fact::Unknown(Why::AfterApply);
                };
                if self.is_built(&["policy"]) {
                    return Fact::Unknown(Why::AfterApply);
                }
                let only = &reader.index.rows()[*number];
                policy_document::render(reader, only).map(|text| self.policy_document(text))
            }
            Fact::Unknown(why) => Fact::Unknown(why),
        }
    }

    fn place(&self, pointer: &str) -> Place {
        let written = self.written.as_ref().and_then(|written| written.place(pointer));
        written.unwrap_or_else(|| match self.is_one_of_many() {
            true => self.host(self.side.value, pointer).place,
            false => Place::new(self.document(), pointer),
        })
    }

    fn further_place(&self, pointer: &str) -> Option<Place> {
        (!self.is_one_of_many()).then(|| self.place(pointer))
    }
}
