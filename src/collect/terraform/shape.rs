//! The shapes of Terraform's JSON: only what is read, the rest skipped where it stands.
//! <https://developer.hashicorp.com/terraform/internals/json-format>

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A plan, or a state as `terraform show -json` prints it.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub format_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub variables: Option<&'a RawValue>,
    /// What is large, and wanted only where something else is missing, is read when it is wanted.
    #[serde(borrow)]
    pub planned_values: Option<&'a RawValue>,
    #[serde(borrow)]
    pub resource_changes: Option<Vec<ResourceChange<'a>>>,
    #[serde(borrow)]
    pub prior_state: Option<&'a RawValue>,
    #[serde(borrow)]
    pub configuration: Option<Configuration<'a>>,
    /// Of a state.
    #[serde(borrow)]
    pub values: Option<&'a RawValue>,
    pub complete: Option<bool>,
    pub errored: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct PriorState<'a> {
    #[serde(borrow)]
    pub values: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Values<'a> {
    #[serde(borrow)]
    pub root_module: Option<StateModule<'a>>,
}

/// Modules nest; the depth guard of serde_json bounds the recursion.
#[derive(Deserialize)]
pub(super) struct StateModule<'a> {
    #[serde(borrow, default)]
    pub resources: Vec<StateResource<'a>>,
    #[serde(borrow, default)]
    pub child_modules: Vec<StateModule<'a>>,
}

#[derive(Deserialize)]
pub(super) struct StateResource<'a> {
    #[serde(borrow)]
    pub address: Cow<'a, str>,
    #[serde(borrow, default)]
    pub mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub sensitive_values: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct ResourceChange<'a> {
    #[serde(borrow)]
    pub address: Cow<'a, str>,
    #[serde(borrow, default)]
    pub mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub change: &'a RawValue,
    /// An object that a failed replacement left behind: to be deleted, next to its successor.
    #[serde(borrow, default)]
    pub deposed: Option<Cow<'a, str>>,
}

/// Of a change, what it does alone.
#[derive(Deserialize)]
pub(super) struct Actions<'a> {
    #[serde(borrow, default)]
    pub actions: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct Change<'a> {
    #[serde(default)]
    pub actions: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    pub before: Option<&'a RawValue>,
    #[serde(borrow)]
    pub after: Option<&'a RawValue>,
    #[serde(borrow)]
    pub after_unknown: Option<&'a RawValue>,
    #[serde(borrow)]
    pub before_sensitive: Option<&'a RawValue>,
    #[serde(borrow)]
    pub after_sensitive: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Configuration<'a> {
    #[serde(borrow, default)]
    pub provider_config: BTreeMap<Cow<'a, str>, ProviderConfig<'a>>,
    #[serde(borrow)]
    pub root_module: Option<ConfigModule<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ProviderConfig<'a> {
    #[serde(borrow, default)]
    pub module_address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub expressions: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct ConfigModule<'a> {
    #[serde(borrow, default)]
    pub resources: Vec<ConfigResource<'a>>,
    #[serde(borrow, default)]
    pub module_calls: BTreeMap<Cow<'a, str>, ModuleCall<'a>>,
    #[serde(borrow, default)]
    pub outputs: BTreeMap<Cow<'a, str>, Output<'a>>,
    #[serde(borrow, default)]
    pub variables: BTreeMap<Cow<'a, str>, Variable<'a>>,
}

#[derive(Deserialize)]
pub(super) struct ConfigResource<'a> {
    #[serde(borrow, default)]
    pub mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub provider_config_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub expressions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub count_expression: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub for_each_expression: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct ModuleCall<'a> {
    #[serde(borrow, default)]
    pub expressions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub count_expression: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub for_each_expression: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub module: Option<ConfigModule<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Output<'a> {
    #[serde(borrow, default)]
    pub expression: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Variable<'a> {
    #[serde(borrow, default)]
    pub default: Option<&'a RawValue>,
    #[serde(default)]
    pub sensitive: bool,
}

/// A value of `variables`.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    pub value: Value,
}

/// `terraform.tfstate`, version 4.
#[derive(Deserialize)]
pub(super) struct StateFile<'a> {
    pub version: serde_json::Number,
    #[serde(borrow, default)]
    pub resources: Vec<StateFileResource<'a>>,
    #[serde(borrow, default)]
    pub outputs: BTreeMap<Cow<'a, str>, StateFileOutput>,
}

#[derive(Deserialize)]
pub(super) struct StateFileOutput {
    #[serde(default)]
    pub value: Value,
    #[serde(default)]
    pub sensitive: bool,
}

#[derive(Deserialize)]
pub(super) struct StateFileResource<'a> {
    #[serde(borrow, default)]
    pub module: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub mode: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub instances: Vec<StateFileInstance<'a>>,
}

#[derive(Deserialize)]
pub(super) struct StateFileInstance<'a> {
    #[serde(default)]
    pub index_key: Option<Value>,
    #[serde(borrow, default)]
    pub attributes: Option<&'a RawValue>,
    #[serde(default)]
    pub sensitive_attributes: Vec<Vec<PathStep>>,
    /// Left behind by a failed replacement.
    #[serde(borrow, default)]
    pub deposed: Option<Cow<'a, str>>,
}

/// A step of a path: `{"type": "get_attr", "value": "target_bucket"}`.
#[derive(Deserialize)]
pub(super) struct PathStep {
    #[serde(default)]
    pub value: Value,
}
