//! Where the inventory comes from: an account, a recording, or the built-in example.

use std::io::Read;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::arguments::AccountArguments;
use super::error::Error;
use super::output::Console;
use super::region;
use super::touched::Touched;
use crate::collect::snapshot;
use crate::inventory::{Fact, Inventory, Why};
use crate::name::Region;

const DEMO: &str = include_str!("../../testdata/demo.json");

/// Reads what the arguments name, and marks the buckets that the run is about.
pub fn read(arguments: &AccountArguments, console: &Console) -> Result<Inventory, Error> {
    read_in(&Scope::new(arguments)?, arguments, console)
}

/// The same for a change: what it touches, where the arguments name no buckets.
pub fn read_for(
    touched: Touched,
    arguments: &AccountArguments,
    console: &Console,
) -> Result<Inventory, Error> {
    let scope = Scope {
        touched: Some(touched),
        ..Scope::new(arguments)?
    };
    let mut inventory = read_in(&scope, arguments, console)?;
    if let Some(touched) = scope.narrowing() {
        touched.widen(&mut inventory);
        scope.place(&mut inventory);
        for name in touched.existing() {
            let mut accounts = inventory.accounts.iter();
            if !accounts.any(|account| account.bucket(name).is_some()) {
                console.remark(&format!(
                    "there is no bucket `{name}`, which the change takes for one that is there: is it meant for another \
                     account?"
                ));
            }
        }
    }
    Ok(inventory)
}

fn read_in(scope: &Scope, arguments: &AccountArguments, console: &Console) -> Result<Inventory, Error> {
    let (path, text) = match (&arguments.snapshot, arguments.demo) {
        (Some(path), _) => (shown_path(path), read_text(path)?),
        (None, true) => ("the built-in example".to_owned(), DEMO.to_owned()),
        (None, false) => (
            "the account's answers".to_owned(),
            recorded(scope, arguments, console)?,
        ),
    };
    let mut inventory = snapshot::read(&text).map_err(|source| Error::Snapshot { path, source })?;
    scope.mark(&mut inventory);
    scope.check_names(&inventory, console)?;
    scope.check_regions(&inventory, console);
    let in_scope =
        |account: &crate::inventory::Account| account.buckets.iter().filter(|bucket| bucket.in_scope).count();
    for account in &inventory.accounts {
        console.detail(&format!(
            "account {}: {} buckets, {} of them in scope",
            account.id.known().map_or("(unknown)", |id| id.as_str()),
            account.buckets.len(),
            in_scope(account)
        ));
    }
    Ok(inventory)
}

/// Asks AWS, and gives its answers as the text of a recording.
#[cfg(feature = "aws")]
pub fn record(arguments: &AccountArguments, console: &Console) -> Result<String, Error> {
    recorded(&Scope::new(arguments)?, arguments, console)
}

#[cfg(feature = "aws")]
fn recorded(scope: &Scope, arguments: &AccountArguments, console: &Console) -> Result<String, Error> {
    let recording = super::account::fetch(arguments, scope, console)?;
    let mut text = serde_json::to_string_pretty(&recording).map_err(|error| Error::Output(error.into()))?;
    text.push('\n');
    Ok(text)
}

#[cfg(not(feature = "aws"))]
pub fn record(_arguments: &AccountArguments, _console: &Console) -> Result<String, Error> {
    Err(Error::NoAws)
}

#[cfg(not(feature = "aws"))]
fn recorded(_scope: &Scope, arguments: &AccountArguments, console: &Console) -> Result<String, Error> {
    record(arguments, console)
}

/// The bytes of a file, or of standard input.
pub fn read_bytes(path: &str) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        path: shown_path(path),
        source,
    };
    let mut bytes = Vec::new();
    if path == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    } else {
        bytes = std::fs::read(path).map_err(failed)?;
    }
    Ok(bytes)
}

/// The text of a file, or of standard input.
pub fn read_text(path: &str) -> Result<String, Error> {
    String::from_utf8(read_bytes(path)?).map_err(|error| Error::NotText {
        path: shown_path(path),
        offset: error.utf8_error().valid_up_to(),
    })
}

pub fn shown_path(path: &str) -> String {
    match path {
        "-" => "standard input".to_owned(),
        path => path.to_owned(),
    }
}

/// Which buckets the run is about. The others are looked past, not away from: they may be targets, or close a cycle.
pub struct Scope {
    buckets: Option<GlobSet>,
    /// The patterns as they were given.
    patterns: Vec<String>,
    regions: Vec<Region>,
    organization: Fact<String>,
    /// What the change touches that the run is about.
    touched: Option<Touched>,
}

impl Scope {
    fn new(arguments: &AccountArguments) -> Result<Self, Error> {
        let regions = arguments
            .region
            .iter()
            .map(|given| region::parse(given))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            buckets: globs(&arguments.bucket)?,
            patterns: arguments.bucket.clone(),
            regions,
            organization: arguments
                .organization
                .as_deref()
                .map_or(Fact::Unknown(Why::NotRead), organization),
            touched: None,
        })
    }

    /// What the change touches, where no pattern says which buckets the run is about.
    fn narrowing(&self) -> Option<&Touched> {
        self.touched.as_ref().filter(|_| self.patterns.is_empty())
    }

    /// Whether the run is about this bucket. One whose region can't be told may be in any.
    pub fn selects(&self, name: &str, region: Option<&Region>) -> bool {
        let named = match self.narrowing() {
            Some(touched) => touched.names(name),
            None => self.buckets.as_ref().is_none_or(|globs| globs.is_match(name)),
        };
        let placed = region.is_none_or(|region| self.regions.is_empty() || self.regions.contains(region));
        named && placed
    }

    /// The buckets, where each is named and none by a pattern.
    #[cfg(feature = "aws")]
    pub fn names(&self) -> Option<Vec<String>> {
        if let Some(touched) = self.narrowing() {
            return Some(touched.existing().map(str::to_owned).collect());
        }
        let named = !self.patterns.is_empty() && self.patterns.iter().all(|pattern| is_name(pattern));
        named.then(|| self.patterns.clone())
    }

    /// What the change needs to know that no edge of today leads to.
    #[cfg(feature = "aws")]
    pub fn outlook(&self) -> crate::aws::Outlook {
        self.touched.as_ref().map(Touched::outlook).unwrap_or_default()
    }

    /// A bucket that was named and isn't there would otherwise pass for a bucket without a fault.
    fn check_names(&self, inventory: &Inventory, console: &Console) -> Result<(), Error> {
        for pattern in &self.patterns {
            let globs = globs(std::slice::from_ref(pattern))?;
            let mut buckets = inventory.accounts.iter().flat_map(|account| &account.buckets);
            let matched =
                globs.is_none_or(|globs| buckets.any(|bucket| globs.is_match(bucket.label.as_ref())));
            match (matched, is_name(pattern)) {
                (true, _) => {}
                (false, true) => {
                    return Err(Error::NoBucket {
                        name: pattern.clone(),
                    });
                }
                (false, false) => console.remark(&format!("no bucket matches `{pattern}`")),
            }
        }
        Ok(())
    }

    /// A region without a bucket would otherwise pass for one without a fault.
    fn check_regions(&self, inventory: &Inventory, console: &Console) {
        for region in &self.regions {
            let mut buckets = inventory.accounts.iter().flat_map(|account| &account.buckets);
            // One whose region isn't known may be there.
            if !buckets.any(|bucket| bucket.region.known().is_none_or(|known| known == region)) {
                console.remark(&format!(
                    "no bucket that was read is in `{region}`, which `--region` names"
                ));
            }
        }
    }

    fn mark(&self, inventory: &mut Inventory) {
        for account in &mut inventory.accounts {
            if account.organization.why().is_some() {
                account.organization = self.organization.clone();
            }
            for bucket in &mut account.buckets {
                bucket.in_scope &= self.selects(&bucket.label, bucket.region.known());
            }
        }
    }

    /// Whatever the run is about besides, it is about these regions alone.
    fn place(&self, inventory: &mut Inventory) {
        for bucket in inventory
            .accounts
            .iter_mut()
            .flat_map(|account| &mut account.buckets)
        {
            let region = bucket.region.known();
            bucket.in_scope &=
                region.is_none_or(|region| self.regions.is_empty() || self.regions.contains(region));
        }
    }
}

/// The organization that the user gives; `none` says that the account is in none.
pub fn organization(given: &str) -> Fact<String> {
    match given {
        "none" => Fact::Absent,
        id => Fact::Known(id.to_owned()),
    }
}

/// Not a pattern.
pub fn is_name(given: &str) -> bool {
    !given.contains(['*', '?', '[', '{', '\\'])
}

pub fn globs(given: &[String]) -> Result<Option<GlobSet>, Error> {
    if given.is_empty() {
        return Ok(None);
    }
    let wrong = |glob: &str, error: &globset::Error| Error::Glob {
        glob: glob.to_owned(),
        reason: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for glob in given {
        set.add(Glob::new(glob).map_err(|error| wrong(glob, &error))?);
    }
    set.build()
        .map(Some)
        .map_err(|error| wrong(&given.join(", "), &error))
}
