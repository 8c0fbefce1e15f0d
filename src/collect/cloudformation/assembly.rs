//! A cloud assembly: the `cdk.out` folder that `cdk synth` writes.
//!
//! `manifest.json` names the stacks, where they go, and the assemblies of the stages inside.
//! <https://docs.aws.amazon.com/cdk/v2/guide/deploy.html>

use std::collections::BTreeMap;

use super::stack::Environment;
use super::tree::{Node, Value};
use super::value::Resolved;
use super::{DEEPEST_NEST, File, Reader, TemplateError, beside};
use crate::name::{AccountId, Region};

impl Reader<'_, '_> {
    pub(super) fn add_assembly(&mut self, manifest: &File, depth: usize) -> Result<(), TemplateError> {
        let wrong = |reason: &str| TemplateError::Manifest {
            path: manifest.path.clone(),
            reason: reason.to_owned(),
        };
        let Some(artifacts) = manifest.root.get("artifacts") else {
            return Err(wrong("it has no `artifacts`"));
        };
        self.add_assets(manifest, artifacts);
        for artifact in artifacts.members() {
            let property = |name: &str| artifact.value.get("properties").and_then(|all| all.get(name));
            match artifact.value.get("type").and_then(Node::text) {
                Some("aws:cloudformation:stack") => {
                    let Some(template) = property("templateFile").and_then(Node::text) else {
                        return Err(wrong(&format!(
                            "the stack `{}` has no `templateFile`",
                            artifact.key
                        )));
                    };
                    let file = self.open(manifest, &beside(&manifest.path, template))?;
                    let stack_name = property("stackName")
                        .and_then(Node::text)
                        .unwrap_or(&artifact.key);
                    let environment = self.environment(&artifact.value, stack_name);
                    let mut given = passed(property("parameters"));
                    given.extend(self.given());
                    let made_at = self.creation_places(manifest, &artifact.value);
                    self.add(file, stack_name.to_owned(), environment, given, None, made_at, 0)?;
                }
                Some("cdk:cloud-assembly") => {
                    let Some(folder) = property("directoryName").and_then(Node::text) else {
                        return Err(wrong(&format!(
                            "the assembly `{}` has no `directoryName`",
                            artifact.key
                        )));
                    };
                    if depth >= DEEPEST_NEST {
                        return Err(wrong("assemblies are nested in assemblies without end"));
                    }
                    let path = beside(&manifest.path, &format!("{folder}/manifest.json"));
                    let inner = self.open(manifest, &path)?;
                    self.add_assembly(&inner, depth + 1)?;
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// What the assembly uploads, and so where the templates of nested stacks are: without the metadata that `cdk synth`
    /// adds, only their hashes name them.
    fn add_assets(&mut self, manifest: &File, artifacts: &Node) {
        for artifact in artifacts.members() {
            let is_list = artifact.value.get("type").and_then(Node::text) == Some("cdk:asset-manifest");
            let file = artifact
                .value
                .get("properties")
                .and_then(|all| all.get("file")?.text())
                .filter(|_| is_list)
                .and_then(|name| (self.load)(&beside(&manifest.path, name)))
                .and_then(|text| super::tree::read(&text).ok());
            let files = file.as_ref().and_then(|tree| tree.root.get("files"));
            for asset in files.map(Node::members).unwrap_or_default() {
                let path = asset
                    .value
                    .get("source")
                    .and_then(|source| source.get("path")?.text())
                    // A file of the assembly; never one from anywhere.
                    .filter(|path| !path.starts_with(['/', '~']));
                let uploads = asset
                    .value
                    .get("destinations")
                    .map(Node::members)
                    .unwrap_or_default();
                for upload in uploads {
                    if let (Some(path), Some(key)) =
                        (path, upload.value.get("objectKey").and_then(Node::text))
                    {
                        let path = beside(&manifest.path, path);
                        self.assets.insert(key.to_owned(), path);
                    }
                }
            }
        }
    }

    /// The file that a nested stack's URL ends with.
    pub(super) fn asset(&self, resource: &Node) -> Option<String> {
        if self.assets.is_empty()
            || resource.get("Type").and_then(Node::text) != Some("AWS::CloudFormation::Stack")
        {
            return None;
        }
        let mut open = vec![resource.get("Properties")?.get("TemplateURL")?];
        while let Some(node) = open.pop() {
            match &node.value {
                Value::Text(text) => {
                    let found = text.rsplit('/').next().and_then(|key| self.assets.get(key));
                    if let Some(path) = found {
                        return Some(path.clone());
                    }
                }
                Value::List(items) => open.extend(items),
                Value::Map(members) => open.extend(members.iter().map(|member| &member.value)),
                Value::Null | Value::Bool(_) | Value::Word { .. } | Value::Number(_) => {}
            }
        }
        None
    }

    fn open(&mut self, manifest: &File, path: &str) -> Result<File, TemplateError> {
        match (self.load)(path) {
            Some(text) => File::parse(path, text.into()),
            None => Err(TemplateError::NoTemplate {
                path: manifest.path.clone(),
                template: path.to_owned(),
            }),
        }
    }

    /// `aws://111122223333/eu-west-1`, or `aws://unknown-account/unknown-region`; what the user says fills the gaps.
    fn environment(&self, artifact: &Node, stack_name: &str) -> Environment {
        let written = artifact
            .get("environment")
            .and_then(Node::text)
            .unwrap_or_default();
        let (account, region) = written
            .strip_prefix("aws://")
            .and_then(|rest| rest.split_once('/'))
            .unwrap_or_default();
        let account = AccountId::parse(account)
            .ok()
            .or_else(|| self.hints.account.clone());
        let region = Some(region)
            .filter(|region| !region.starts_with("unknown"))
            .and_then(|region| Region::parse(region).ok())
            .or_else(|| self.hints.region.clone());
        Environment {
            account: account.map(|account| account.to_string()),
            region: region.map(|region| region.to_string()),
            partition: None,
            stack_name: Some(stack_name.to_owned()),
        }
    }

    /// Where the program made each resource. It stands in the manifest, or since 2025 in a file beside it.
    fn creation_places(&mut self, manifest: &File, artifact: &Node) -> BTreeMap<String, String> {
        let extra = artifact
            .get("additionalMetadataFile")
            .and_then(Node::text)
            .and_then(|name| (self.load)(&beside(&manifest.path, name)))
            .and_then(|text| super::tree::read(&text).ok());
        let mut places = BTreeMap::new();
        let sections = [extra.as_ref().map(|tree| &tree.root), artifact.get("metadata")];
        for entries in sections.into_iter().flatten().flat_map(Node::members) {
            let entries = entries.value.list().unwrap_or_default();
            let of_type = |kind: &str| {
                let is = |entry: &&Node| entry.get("type").and_then(Node::text) == Some(kind);
                entries.iter().find(is)
            };
            let id = of_type("aws:cdk:logicalId").and_then(|entry| entry.get("data")?.text());
            let trace = of_type("aws:cdk:creationStack")
                .and_then(|entry| entry.get("data")?.list())
                .or_else(|| of_type("aws:cdk:logicalId")?.get("trace")?.list());
            if let (Some(id), Some(trace)) = (id, trace)
                && let Some(place) = trace.iter().filter_map(Node::text).find_map(user_frame)
            {
                places.insert(id.to_owned(), place.to_owned());
            }
        }
        places
    }
}

/// `new Logs (app.js:3:75)` → `app.js:3:75`, where it is the user's code and no library's.
fn user_frame(frame: &str) -> Option<&str> {
    let inside = frame
        .rsplit_once('(')
        .map_or(frame, |(_, inside)| inside)
        .trim_end_matches(')');
    let is_place = inside.rsplit(':').take(2).all(|part| part.parse::<u32>().is_ok())
        && inside.matches(':').count() >= 2;
    (is_place && !inside.contains("node_modules") && !inside.starts_with("node:")).then_some(inside)
}

fn passed(parameters: Option<&Node>) -> BTreeMap<String, Resolved> {
    let members = parameters.map(Node::members).unwrap_or_default();
    members
        .iter()
        .filter_map(|member| {
            let Value::Text(text) = &member.value.value else {
                return None;
            };
            Some((member.key.clone(), Resolved::text(text)))
        })
        .collect()
}
