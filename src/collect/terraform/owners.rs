//! Whose account a resource is deployed to, and where: what its provider's configuration tells.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::address::{Address, Call, Step, steps};
use super::references::Index;
use super::shape::Configuration;
use super::{TerraformError, Text};
use crate::collect::deployment::Owner;
use crate::inventory::{Fact, Why};
use crate::name::{AccountId, Arn, Partition, Region};

/// The arguments of a provider that choose its credentials.
const CREDENTIALS: [&str; 8] = [
    "profile",
    "assume_role",
    "assume_role_with_web_identity",
    "access_key",
    "shared_credentials_files",
    "shared_credentials_file",
    "shared_config_files",
    "allowed_account_ids",
];

pub(super) struct Owners {
    by_provider: BTreeMap<String, (Owner, Fact<Region>)>,
    /// Of resources that no provider is known of: what is destroyed is no longer in the configuration.
    otherwise: (Owner, Fact<Region>),
}

impl Owners {
    pub fn find(
        path: &str,
        text: &Text<'_>,
        index: &Index<'_, '_>,
        configuration: Option<&Configuration<'_>>,
    ) -> Result<Self, TerraformError> {
        let unknown = || (Owner::default(), Fact::Unknown(Why::NotRead));
        let mut by_provider = BTreeMap::new();
        for (key, provider) in configuration.iter().flat_map(|all| &all.provider_config) {
            let (mut owner, mut region) = unknown();
            let scope = provider
                .module_address
                .as_deref()
                .map(scope_of)
                .unwrap_or_default();
            if let Some(raw) = provider.expressions {
                let expressions: BTreeMap<String, Value> = text.parse_owned(raw)?;
                let constant = |expression: &Value| index.constant(text, expression, &scope);
                let text_of = |name: &str| match constant(expressions.get(name)?)? {
                    Value::String(text) => Some(text),
                    _ => None,
                };
                if let Some(given) = text_of("region")
                    && is_region(&given)
                    && let Ok(given) = Region::parse(&given)
                {
                    owner.partition = Some(given.partition());
                    region = Fact::Known(given);
                }
                owner.credentials = credentials(&expressions, path, key);
                owner.account = assumed(&expressions, &constant).or_else(|| allowed(&expressions, &constant));
            }
            by_provider.insert(key.to_string(), (owner, region));
        }
        let mut owners = Self {
            otherwise: unknown(),
            by_provider,
        };
        owners.learn(text, index)?;
        let all: BTreeSet<&Owner> = owners.by_provider.values().map(|(owner, _)| owner).collect();
        owners.otherwise = match (owners.by_provider.get("aws"), all.len()) {
            (Some((owner, region)), _) => (owner.clone(), region.clone()),
            (None, 1) => (
                all.first().map(|owner| (*owner).clone()).unwrap_or_default(),
                unknown().1,
            ),
            (None, _) => owners.otherwise,
        };
        Ok(owners)
    }

    /// `data.aws_caller_identity` and `data.aws_partition` were read with a provider, and tell whose it is.
    fn learn(&mut self, text: &Text<'_>, index: &Index<'_, '_>) -> Result<(), TerraformError> {
        for row in index.rows().iter().filter(|row| row.address.is_data) {
            let Some(side) = &row.after else { continue };
            let is_identity = row.address.kind == "aws_caller_identity";
            if !is_identity && row.address.kind != "aws_partition" {
                continue;
            }
            let loaded = side.load(text)?;
            let node = loaded.node();
            let key = index
                .configured(&row.address)
                .and_then(|resource| resource.provider_config_key.as_deref());
            let key = key.and_then(|key| provider_key(&self.by_provider, key));
            let credentials = match key.and_then(|key| self.by_provider.get(&key)) {
                Some((owner, _)) => Some(owner.credentials.clone()),
                None => self.only_credentials(),
            };
            let account = node.get("account_id").name();
            let account = account.known().and_then(|id| AccountId::parse(id).ok());
            let partition = node.get("partition").name();
            let partition = partition.known().and_then(|name| Partition::parse(name).ok());
            // The same credentials are the same account, whatever the region.
            let of_providers = self.by_provider.values_mut().map(|(owner, _)| owner);
            for owner in of_providers.chain([&mut self.otherwise.0]) {
                if credentials.as_ref() != Some(&owner.credentials) {
                    continue;
                }
                match is_identity {
                    true => owner.account = owner.account.take().or_else(|| account.clone()),
                    false => owner.partition = owner.partition.take().or_else(|| partition.clone()),
                }
            }
        }
        Ok(())
    }

    /// The credentials of every provider, where they all have the same.
    fn only_credentials(&self) -> Option<String> {
        let mut all = self.by_provider.values().map(|(owner, _)| &owner.credentials);
        let first = all.next().map_or(&self.otherwise.0.credentials, |first| first);
        all.all(|other| other == first).then(|| first.clone())
    }

    pub fn of(&self, index: &Index<'_, '_>, address: &Address) -> (Owner, Fact<Region>) {
        index
            .configured(address)
            .and_then(|resource| resource.provider_config_key.as_deref())
            .and_then(|key| provider_key(&self.by_provider, key))
            .and_then(|key| self.by_provider.get(&key))
            .unwrap_or(&self.otherwise)
            .clone()
    }
}

/// The provider under this key. Terraform 1.0 writes `module.child:aws` where the module only hands on its caller's.
fn provider_key(providers: &BTreeMap<String, (Owner, Fact<Region>)>, key: &str) -> Option<String> {
    let short = key.rsplit_once(':').map(|(_, short)| short);
    [Some(key), short]
        .into_iter()
        .flatten()
        .find(|key| providers.contains_key(*key))
        .map(str::to_owned)
}

/// The module of a provider: `module.a.module.b`.
fn scope_of(address: &str) -> Vec<Call> {
    let steps = steps(address).unwrap_or_default();
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Name(name) if name != "module" => Some(Call {
                name: name.clone(),
                key: None,
            }),
            Step::Name(_) | Step::Key(_) => None,
        })
        .collect()
}

/// The same arguments are the same credentials. A plan tells of an expression only what it refers to:
/// `"arn:aws:iam::111122223333:role/${var.role}"` and the same of another account are one there. So each provider that
/// has such an argument has credentials of its own. They are compared, and never told.
fn credentials(expressions: &BTreeMap<String, Value>, path: &str, key: &str) -> String {
    let chosen = || {
        let value = |name: &&'static str| Some((*name, expressions.get(*name)?));
        CREDENTIALS.iter().filter_map(value)
    };
    let mut texts: Vec<String> = chosen().map(|(name, value)| format!("{name}={value}")).collect();
    if !chosen().all(|(_, value)| is_constant(value)) {
        texts.push(format!("provider={key} of {path}"));
    }
    texts.join(" ")
}

/// Whether an argument, or everything in blocks, is written out. The recursion is bounded by the depth that the reader of
/// JSON allows.
fn is_constant(value: &Value) -> bool {
    match value {
        Value::Object(members) if members.contains_key("constant_value") => true,
        // An expression that refers to nothing is a call: `file("role")`.
        Value::Object(members) if members.is_empty() || members.contains_key("references") => false,
        Value::Object(members) => members.values().all(is_constant),
        Value::Array(blocks) => blocks.iter().all(is_constant),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The account of a role that is assumed.
fn assumed(
    expressions: &BTreeMap<String, Value>,
    constant: &dyn Fn(&Value) -> Option<Value>,
) -> Option<AccountId> {
    let role = expressions.get("assume_role")?.get(0)?.get("role_arn")?;
    let arn = constant(role)?;
    let arn = Arn::parse(arn.as_str()?).ok()?;
    AccountId::parse(&arn.account).ok()
}

/// The only account in which the provider may be used.
fn allowed(
    expressions: &BTreeMap<String, Value>,
    constant: &dyn Fn(&Value) -> Option<Value>,
) -> Option<AccountId> {
    let ids = constant(expressions.get("allowed_account_ids")?)?;
    match ids.as_array()?.as_slice() {
        [only] => AccountId::parse(only.as_str()?).ok(),
        _ => None,
    }
}

/// `eu-west-1`, and not a part of it: a plan doesn't tell what is done with a variable.
fn is_region(text: &str) -> bool {
    let number = text
        .rsplit_once('-')
        .map(|(_, number)| number)
        .unwrap_or_default();
    text.matches('-').count() >= 2 && number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())
}
