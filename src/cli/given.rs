//! The files that a user gives: each told by what it is, and read by who reads that kind.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use super::check::ChangeArguments;
use super::error::Error;
use super::input;
use super::output::Console;
use super::template::{self, TemplateArguments};
use crate::collect::cloudformation::{self, Source, TemplateError, There};
use crate::collect::collision::collisions;
use crate::collect::deployment::{Deployment, Owner};
use crate::collect::kind::{self, Kind, KindError};
use crate::collect::terraform::{self, Sources};
use crate::collect::{encoding, overlay, snapshot};
use crate::inventory::{Account, Inventory};
use crate::name::AccountId;

/// A file of a configuration is read up to this size.
const LARGEST_SOURCE: u64 = 16 << 20;

/// What the files hold.
#[derive(Debug, Default)]
pub struct Given {
    pub snapshots: Vec<Inventory>,
    pub deployments: Vec<Deployment>,
    /// The files of CloudFormation, which are the last deployment.
    templates: Vec<Source>,
    /// One of them says what was there before its change.
    has_plan: bool,
}

impl Given {
    /// Whether the files say what was there before: a plan and a change set do, and a recording does for what is laid
    /// over it.
    pub fn tells_before(&self) -> bool {
        self.has_plan || (!self.snapshots.is_empty() && !self.deployments.is_empty())
    }

    /// Everything that was recorded, as one inventory.
    pub fn recorded(&self) -> Inventory {
        let mut whole = Inventory::default();
        for snapshot in &self.snapshots {
            let snapshot = snapshot.clone();
            whole.api_calls = whole.api_calls.or(snapshot.api_calls);
            whole.taken_at = whole.taken_at.or(snapshot.taken_at);
            for account in snapshot.accounts {
                let known = |other: &Account| other.id.known().is_some() && other.id == account.id;
                // Of two recordings of one account the first is taken.
                if !whole.accounts.iter().any(known) {
                    whole.accounts.push(account);
                }
            }
        }
        whole.accounts.sort_by(|a, b| {
            a.id.known()
                .map(AccountId::as_str)
                .cmp(&b.id.known().map(AccountId::as_str))
        });
        whole
    }

    /// Everything, the deployments laid over the recordings.
    pub fn inventory(&self) -> Inventory {
        overlay::onto(&self.recorded(), &self.deployments)
    }

    /// What is there tells where the templates go: they are read again with it.
    pub fn learn(&mut self, there: &Inventory, template: &TemplateArguments) -> Result<(), Error> {
        if !self.templates.is_empty() {
            self.deployments.pop();
            let read = template::read(&self.templates, template, There::of(there))?;
            self.deployments.push(read);
        }
        self.adopt(template)
    }

    /// Whoever deploys with the credentials of the run deploys to the account that the user names.
    fn adopt(&mut self, template: &TemplateArguments) -> Result<(), Error> {
        if let Some(account) = template.account()? {
            adopt(&mut self.deployments, &account);
        }
        Ok(())
    }

    /// What a person should know of the reading of the files.
    pub fn say(&self, console: &Console) {
        for deployment in &self.deployments {
            for remark in &deployment.remarks {
                console.remark(&placed(&deployment.title, remark));
            }
        }
        for collision in collisions(&self.deployments) {
            console.remark(&collision);
        }
    }
}

/// A remark behind the name of its file, unless it begins with that itself, as one with a line does.
fn placed<'r>(title: &str, remark: &'r str) -> Cow<'r, str> {
    match remark.strip_prefix(title) {
        Some(rest) if rest.starts_with(':') => Cow::Borrowed(remark),
        Some(_) | None => Cow::Owned(format!("{title}: {remark}")),
    }
}

/// Reads the files.
pub fn read(
    paths: &[String],
    template: &TemplateArguments,
    change: &ChangeArguments,
) -> Result<Given, Error> {
    let modules: Vec<Option<String>> = change
        .source
        .iter()
        .map(|folder| modules_of(folder))
        .collect::<Result<_, _>>()?;
    let sources: Vec<Sources<'_>> = change
        .source
        .iter()
        .zip(&modules)
        .map(|(folder, modules)| {
            Sources::new(
                folder.trim_end_matches('/'),
                modules.as_deref(),
                &configuration_in,
            )
        })
        .collect();
    let mut given = Given::default();
    for path in paths {
        let path = match Path::new(path).is_dir() {
            false => path.clone(),
            true => template::manifest_in(path).ok_or_else(|| Error::Folder { path: path.clone() })?,
        };
        let shown = input::shown_path(&path);
        let text = encoding::decode(input::read_bytes(&path)?).map_err(|source| Error::Encoding {
            path: shown.clone(),
            source,
        })?;
        let recognised = kind::recognise(&text).map_err(|source| Error::Kind {
            path: shown.clone(),
            source,
        })?;
        given.has_plan |= matches!(
            recognised.kind,
            Kind::TerraformPlan | Kind::CloudFormationChangeSet
        );
        match recognised.kind {
            Kind::Snapshot => {
                let inventory =
                    snapshot::read(&text).map_err(|source| Error::Snapshot { path: shown, source })?;
                given.snapshots.push(inventory);
            }
            Kind::TerraformPlan | Kind::TerraformState | Kind::TerraformStateFile => {
                // With several files and as many folders, each has its own.
                let number = given.deployments.len().min(sources.len().saturating_sub(1));
                let deployment = terraform::read_with(&shown, &text, recognised, sources.get(number))
                    .map_err(|source| Error::Terraform { path: shown, source })?;
                given.deployments.push(deployment);
            }
            Kind::CloudFormationTemplate | Kind::CloudFormationChangeSet | Kind::CloudAssembly => {
                given.templates.push(Source {
                    path,
                    text: text.into(),
                });
            }
            // No JSON: a template in YAML, or nothing.
            Kind::NotJson => match cloudformation::recognise(&text) {
                Ok(Some(_)) => given.templates.push(Source {
                    path,
                    text: text.into(),
                }),
                Ok(None) | Err(_) if is_configuration(&path, &text) => {
                    return Err(Error::Kind {
                        path: shown,
                        source: KindError::Configuration,
                    });
                }
                Ok(None) => return Err(Error::Template(TemplateError::NotATemplate { path: shown })),
                Err(source) if is_yaml(&path) => {
                    return Err(Error::Template(TemplateError::Malformed { path: shown, source }));
                }
                Err(_) => {
                    return Err(Error::Kind {
                        path: shown,
                        source: KindError::Unrecognised,
                    });
                }
            },
        }
    }
    if !given.templates.is_empty() {
        let read = template::read(&given.templates, template, There::default())?;
        given.deployments.push(read);
    } else if let Some(option) = template.given() {
        return Err(Error::NoTemplate { given: option });
    }
    given.adopt(template)?;
    Ok(given)
}

/// The text of a configuration's list of modules, which `terraform init` writes.
fn modules_of(folder: &str) -> Result<Option<String>, Error> {
    let path = Path::new(folder);
    std::fs::read_dir(path).map_err(|source| Error::Read {
        path: folder.to_owned(),
        source,
    })?;
    Ok(std::fs::read_to_string(path.join(".terraform/modules/modules.json")).ok())
}

/// The files of a folder that Terraform and OpenTofu read, without the text of those in JSON and of those that are too
/// large or can't be had.
fn configuration_in(folder: &str) -> Vec<(String, Option<String>)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        let is_json = ends(&[".tf.json", ".tofu.json"]);
        // What an editor keeps beside a file is none of Terraform's.
        let is_hidden = name.starts_with('.') || name.starts_with('#');
        if is_hidden || path.is_dir() || !(is_json || ends(&[".tf", ".tofu"])) {
            continue;
        }
        let is_small = std::fs::metadata(&path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST_SOURCE);
        let text = match is_small && !is_json {
            true => std::fs::read_to_string(&path).ok(),
            false => None,
        };
        let shown = path.display().to_string();
        files.push((shown.strip_prefix("./").unwrap_or(&shown).to_owned(), text));
    }
    files
}

/// Terraform's own language: by its name, or by how a line begins. A line that is indented may be anything's.
fn is_configuration(path: &str, text: &str) -> bool {
    let begins = |line: &str| {
        let blocks = [
            "resource \"",
            "data \"",
            "module \"",
            "provider \"",
            "variable \"",
            "terraform {",
        ];
        blocks.iter().any(|block| line.starts_with(block))
    };
    path.ends_with(".tf") || path.ends_with(".tofu") || text.lines().any(begins)
}

/// By its name, which is all there is to go by when it can't be read.
fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml", ".template"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// Whoever deploys with the credentials of the run deploys to this account; so does everybody where the files name one
/// set of credentials and no account.
fn adopt(deployments: &mut [Deployment], account: &AccountId) {
    let mut owners: Vec<&mut Owner> = deployments
        .iter_mut()
        .flat_map(|deployment| deployment.declared.iter_mut().chain(&mut deployment.before))
        .map(|declared| &mut declared.owner)
        .collect();
    let credentials: BTreeSet<String> = owners.iter().map(|owner| owner.credentials.clone()).collect();
    let is_one = credentials.len() == 1 && owners.iter().all(|owner| owner.account.is_none());
    for owner in &mut owners {
        if owner.account.is_none() && (is_one || owner.credentials.is_empty()) {
            owner.account = Some(account.clone());
        }
    }
}
