//! A change set: what CloudFormation itself says it will do, macros and parameters and imports resolved.
//!
//! `aws cloudformation describe-change-set --include-property-values` gives for each resource its properties before
//! and after, as JSON in a string. What only the deploy makes is `{{changeSet:KNOWN_AFTER_APPLY}}` there.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluate::World;
use super::stack::{Environment, Stack};
use super::tree::{Member, Node, Value};
use super::{File, Hints, TemplateError, declare_bucket, declare_policy, owner, region};
use crate::collect::deployment::{BucketKey, Configuration, Declared, Fate, Said, Stated};
use crate::inventory::{Document, Host, Place, Title};
use crate::name::{AccountId, Arn, Region};

pub(super) struct ChangeSet {
    pub declared: Vec<Declared>,
    pub before: Vec<Declared>,
    pub remarks: Vec<String>,
}

pub(super) fn read(file: &File, hints: &Hints) -> Result<ChangeSet, TemplateError> {
    if file.root.get("NextToken").and_then(Node::text).is_some() {
        return Err(TemplateError::OnePage {
            path: file.path.clone(),
        });
    }
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let arn = text(&file.root, "StackId").and_then(|id| Arn::parse(&id).ok());
    let part = |pick: fn(&Arn) -> &str| arn.as_ref().map(pick).filter(|part| !part.is_empty());
    let environment = Environment {
        account: part(|arn| &arn.account)
            .and_then(|id| AccountId::parse(id).ok())
            .or_else(|| hints.account.clone())
            .map(|id| id.to_string()),
        region: part(|arn| &arn.region)
            .and_then(|region| Region::parse(region).ok())
            .or_else(|| hints.region.clone())
            .map(|region| region.to_string()),
        partition: part(|arn| &arn.partition).map(str::to_owned),
        stack_name: text(&file.root, "StackName"),
    };
    let stack_name = environment
        .stack_name
        .clone()
        .unwrap_or_else(|| "stack".to_owned());
    let mut reader = Reader {
        file,
        environment,
        stack_name,
        said: ChangeSet {
            declared: Vec::new(),
            before: Vec::new(),
            remarks: Vec::new(),
        },
    };
    let changes: Vec<&Node> = file
        .root
        .get("Changes")
        .and_then(Node::list)
        .unwrap_or_default()
        .iter()
        .filter_map(|change| change.get("ResourceChange"))
        .collect();
    let valued =
        |change: &&&Node| change.get("BeforeContext").is_some() || change.get("AfterContext").is_some();
    let ours = |change: &&&Node| is_ours(&text(change, "ResourceType").unwrap_or_default());
    if changes.iter().filter(ours).count() > 0 && changes.iter().filter(valued).count() == 0 {
        return Err(TemplateError::NoValues {
            path: file.path.clone(),
            named: ["ChangeSetName", "StackName"].map(|key| text(&file.root, key)),
        });
    }
    for change in changes {
        reader.change(change)?;
    }
    Ok(reader.said)
}

fn is_ours(kind: &str) -> bool {
    matches!(kind, "AWS::S3::Bucket" | "AWS::S3::BucketPolicy")
}

struct Reader<'f> {
    file: &'f File,
    environment: Environment,
    stack_name: String,
    said: ChangeSet,
}

impl Reader<'_> {
    fn change(&mut self, change: &Node) -> Result<(), TemplateError> {
        let text = |key: &str| change.get(key).and_then(Node::text).unwrap_or_default();
        let (id, kind, action) = (text("LogicalResourceId"), text("ResourceType"), text("Action"));
        if kind == "AWS::CloudFormation::Stack" && change.get("ChangeSetId").is_some() {
            self.said.remarks.push(format!(
                "the nested stack `{}/{id}` has a change set of its own: give it too",
                self.stack_name
            ));
        }
        if !is_ours(kind) {
            return Ok(());
        }
        let physical = Some(text("PhysicalResourceId")).filter(|name| !name.is_empty());
        let replaced = text("Replacement") == "True";
        if text("Replacement") == "Conditional" {
            self.said.remarks.push(format!(
                "whether `{}/{id}` is replaced, only the deploy will tell; it is read as if it stays",
                self.stack_name
            ));
        }
        let keeps = text("PolicyAction").contains("Retain");
        let before = self
            .resource(change, "BeforeContext", id, kind, physical)?
            .map(|before| Declared {
                configuration: before.configuration.without_left_out(),
                ..before
            });
        let kept_name = physical.filter(|_| !replaced && action != "Add");
        let after = self.resource(change, "AfterContext", id, kind, kept_name)?;
        // A bucket's physical id is its name, so what is removed is known without its properties.
        if let ("Remove", "AWS::S3::Bucket", None, Some(name)) = (action, kind, &before, physical) {
            let fate = if keeps { Fate::Forgotten } else { Fate::Deleted };
            let key = BucketKey::Name(name.to_owned());
            let mut removed = Declared::new(key, format!("{}/{id}", self.stack_name), fate);
            removed.owner = owner(&self.environment);
            removed.region = region(&self.environment);
            self.said.before.push(Declared {
                fate: Fate::Kept,
                ..removed.clone()
            });
            self.said.declared.push(removed);
            return Ok(());
        }
        let gone = |fate: Fate, declared: &Declared| Declared {
            fate,
            configuration: Configuration::default(),
            ..declared.clone()
        };
        if let Some(before) = &before {
            let mut there = before.clone();
            if there.fate == Fate::Created {
                there.fate = Fate::Kept;
            }
            self.said.before.push(there);
        }
        match (action, before, after) {
            ("Remove", Some(mut before), _) => {
                before = match (before.fate, keeps) {
                    (Fate::NotSaid, false) => Declared {
                        configuration: Configuration {
                            policy: Said::Removes.into(),
                            places: before.configuration.places.clone(),
                            ..Configuration::default()
                        },
                        ..before
                    },
                    (Fate::NotSaid, true) => return Ok(()),
                    (_, true) => gone(Fate::Forgotten, &before),
                    (_, false) => gone(Fate::Deleted, &before),
                };
                self.said.declared.push(before);
            }
            (_, Some(before), Some(after)) if replaced => {
                if before.fate != Fate::NotSaid && before.bucket != after.bucket {
                    let fate = if keeps { Fate::Forgotten } else { Fate::Deleted };
                    self.said.declared.push(gone(fate, &before));
                }
                self.said.declared.push(after);
            }
            (_, Some(before), Some(after)) => self.said.declared.push(updated(&before, after)),
            (_, None, Some(mut after)) => {
                if action != "Add" && after.fate == Fate::Created {
                    after.fate = Fate::Updated;
                }
                // A resource that the stack adopts is taken over as it is; only a later update writes it.
                if action == "Import" {
                    after.configuration = after.configuration.without_left_out().as_unchanged();
                }
                self.said.declared.push(after);
            }
            (_, _, None) => self.said.remarks.push(format!(
                "what becomes of `{}/{id}` isn't said in the change set",
                self.stack_name
            )),
        }
        Ok(())
    }

    /// One side of a change, read as a template with this one resource.
    fn resource(
        &self,
        change: &Node,
        side: &str,
        id: &str,
        kind: &str,
        physical: Option<&str>,
    ) -> Result<Option<Declared>, TemplateError> {
        let Some(context) = change.get(side) else {
            return Ok(None);
        };
        let text: Arc<str> = match (&context.value, self.file.document.text.get(context.span.clone())) {
            (Value::Text(text), _) => text.as_str().into(),
            (Value::Map(_), Some(text)) => text.into(),
            (_, _) => return Ok(None),
        };
        let tree = super::tree::read(&text).map_err(|source| TemplateError::Malformed {
            path: format!("{}: {side} of {id}", self.file.path),
            source,
        })?;
        let mut properties = match tree.root.get("Properties") {
            Some(properties) => properties.clone(),
            None => Node {
                value: Value::Map(Vec::new()),
                span: tree.root.span.clone(),
            },
        };
        let named = properties.get("BucketName").and_then(Node::text).is_some();
        if let (Some(name), Value::Map(members), false, "AWS::S3::Bucket") =
            (physical, &mut properties.value, named, kind)
        {
            members.retain(|member| member.key != "BucketName");
            members.push(member("BucketName", Value::Text(name.to_owned()), &tree.root));
        }
        let resource = Value::Map(vec![
            member("Type", Value::Text(kind.to_owned()), &tree.root),
            member("Properties", properties.value.clone(), &properties),
        ]);
        let resources = Value::Map(vec![member(id, resource, &tree.root)]);
        let root = Node {
            value: Value::Map(vec![member("Resources", resources, &tree.root)]),
            span: tree.root.span.clone(),
        };
        let document = Arc::new(Document {
            title: Title::Embedded {
                path: self.file.path.clone(),
                address: format!("{}/{id}", self.stack_name),
            },
            text,
            host: Some(Host {
                place: Place {
                    document: Arc::clone(&self.file.document),
                    pointer: String::new(),
                    span: Some(context.span.clone()),
                    made_at: None,
                },
                origins: BTreeMap::new(),
            }),
        });
        let world = World::new(vec![Stack {
            name: self.stack_name.clone(),
            document,
            is_one_resource: true,
            root: Arc::new(root),
            comments: Arc::from([]),
            environment: self.environment.clone(),
            given: BTreeMap::new(),
            parent: None,
            nested: BTreeMap::new(),
            made_at: BTreeMap::new(),
        }]);
        let Some(resource) = world.find_resource(0, id) else {
            return Ok(None);
        };
        Ok(Some(match kind {
            "AWS::S3::Bucket" => declare_bucket(&world, 0, &resource),
            _ => declare_policy(&world, 0, &resource),
        }))
    }
}

fn member(key: &str, value: Value, at: &Node) -> Member {
    Member {
        key: key.to_owned(),
        key_span: at.span.clone(),
        value: Node {
            value,
            span: at.span.clone(),
        },
    }
}

/// An update in place: what was there before and isn't any more is taken away; what stays as it was isn't written.
fn updated(before: &Declared, mut after: Declared) -> Declared {
    fn settled<T: PartialEq + Clone>(before: &Said<T>, after: Stated<T>) -> Stated<T> {
        match (before, &*after) {
            (Said::Sets(_), Said::Silent) => Said::Removes.into(),
            (Said::Sets(old), Said::Sets(new)) if old == new && new.why().is_none() => {
                Said::Unchanged(new.clone()).into()
            }
            (_, _) => after,
        }
    }
    if after.fate == Fate::Created {
        after.fate = Fate::Updated;
    }
    let (old, new) = (&before.configuration, after.configuration.without_left_out());
    after.configuration = Configuration {
        // Places differ, and so would every logging configuration: what is written again is written.
        logging: match (&*old.logging, &*new.logging) {
            (Said::Sets(_), Said::Silent) => Said::Removes.into(),
            (_, _) => new.logging,
        },
        policy: new.policy,
        acl: settled(&old.acl, new.acl),
        object_ownership: settled(&old.object_ownership, new.object_ownership),
        encryption: settled(&old.encryption, new.encryption),
        object_lock: settled(&old.object_lock, new.object_lock),
        payer: new.payer,
        lifecycle: settled(&old.lifecycle, new.lifecycle),
        versioning: settled(&old.versioning, new.versioning),
        public_access_block: settled(&old.public_access_block, new.public_access_block),
        places: new.places,
    };
    if let (BucketKey::Address(_), BucketKey::Name(_)) = (&after.bucket, &before.bucket) {
        after.bucket = before.bucket.clone();
    }
    after
}
