//! CloudFormation → what it declares: templates in JSON and YAML, cloud assemblies of the CDK, change sets.
//!
//! All the templates of a run are read together, because one may import what another exports, and one may be nested
//! in another. What the input doesn't tell (a parameter without a value, a lookup that only the deploy makes) stays
//! unknown, and what would tell it is said once.

mod allowance;
mod assembly;
mod bucket;
mod change_set;
mod evaluate;
mod exclusion;
mod parameters;
mod policy;
mod premises;
mod property;
mod stack;
mod text;
mod there;
mod tree;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use miette::Diagnostic;
use thiserror::Error;

use self::bucket::Properties;
use self::evaluate::{Name, Scope, World, is_bucket};
use self::exclusion::Conditional;
use self::property::Property;
use self::stack::{Environment, Parent, Resource, Stack, put_in};
use self::tree::Node;
use self::value::{Item, Resolved, Truth};
use super::deployment::{BucketKey, Declared, Deployment, Fate, Owner, Said};
use crate::inventory::{Call, Document, Fact, Place, TargetRef, Title, Why};
use crate::name::{AccountId, Partition, Region};

pub use self::parameters::{Parameter, ParameterError, argument as read_parameter, read as read_parameters};
pub use self::there::There;
pub use self::tree::Malformed;

/// Nested stacks and nested assemblies go no deeper.
const DEEPEST_NEST: usize = 12;

/// The one pseudo parameter that is given like a parameter: nothing else says it of a template alone.
const STACK_NAME: &str = "AWS::StackName";

/// One assembly may name a template many times.
const MOST_STACKS: usize = 5_000;

/// What a file of CloudFormation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Template,
    /// `manifest.json` of a `cdk.out` folder.
    Manifest,
    /// The answer of `aws cloudformation describe-change-set`.
    ChangeSet,
}

/// A file as the user named it, and its text.
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub text: Arc<str>,
}

/// What the user adds to the files.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    pub parameters: BTreeMap<String, Parameter>,
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    /// Fills in the account and the region where neither the files nor the user say them.
    pub there: There,
}

/// Gives the text of another file that one of the sources names, where there is one.
pub type Load<'l> = dyn FnMut(&str) -> Option<String> + 'l;

/// Why files of CloudFormation can't be read.
#[derive(Debug, Error, Diagnostic)]
pub enum TemplateError {
    #[error("{path}, {source}")]
    #[diagnostic(code(template::malformed))]
    Malformed {
        path: String,
        #[diagnostic_source]
        source: Malformed,
    },
    #[error("{path} is no CloudFormation template: it has no `Resources`")]
    #[diagnostic(
        code(template::other),
        help("give a template, a `cdk.out` folder, or the answer of `describe-change-set`")
    )]
    NotATemplate { path: String },
    #[error("no template has a parameter `{name}`")]
    #[diagnostic(code(template::parameter), help("{}", parameters_help(.known)))]
    NoSuchParameter { name: String, known: Vec<String> },
    #[error("{STACK_NAME} is given, and several templates are: a stack is made of one")]
    #[diagnostic(
        code(template::stack_name),
        help("check them one by one, or leave it out and what hangs on the stacks' names stays unknown")
    )]
    StackNameOfMany,
    #[error("`{name}` is no parameter that a template has")]
    #[diagnostic(code(template::pseudo_parameter), help("give `{option}`"))]
    PseudoParameter { name: String, option: &'static str },
    #[error("{path} names the template `{template}`, which can't be read")]
    #[diagnostic(
        code(template::assembly),
        help("run `cdk synth` again, or give the whole `cdk.out` folder")
    )]
    NoTemplate { path: String, template: String },
    #[error("{path} is no manifest of a cloud assembly that can be read: {reason}")]
    #[diagnostic(code(template::manifest), help("run `cdk synth` again"))]
    Manifest { path: String, reason: String },
    #[error("{path} is no change set with values: it has no `BeforeContext` and no `AfterContext`")]
    #[diagnostic(
        code(template::change_set),
        help("ask with values: `{}`", with_values(.named))
    )]
    NoValues {
        path: String,
        /// The change set and its stack.
        named: [Option<String>; 2],
    },
    #[error("{path} holds only a part of the change set: it has a `NextToken`")]
    #[diagnostic(
        code(template::change_set_page),
        help("let the AWS CLI page: leave `--no-paginate` and `--max-items` out")
    )]
    OnePage { path: String },
}

/// The command that prints a change set with its values.
fn with_values([change_set, stack]: &[Option<String>; 2]) -> String {
    let quoted = |name: &Option<String>, placeholder: &str| match name {
        Some(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => name.clone(),
        Some(_) | None => placeholder.to_owned(),
    };
    format!(
        "aws cloudformation describe-change-set --include-property-values --change-set-name {} --stack-name {}",
        quoted(change_set, "CHANGE-SET"),
        quoted(stack, "STACK")
    )
}

/// What says the same as a parameter of this name would.
fn option_for(name: &str) -> Option<&'static str> {
    match name {
        "AWS::AccountId" => Some("--account ID"),
        "AWS::Region" => Some("--region REGION"),
        _ => None,
    }
}

fn parameters_help(known: &[String]) -> String {
    match known {
        [] => "the given templates have no parameters".to_owned(),
        known => format!("their parameters are {}", known.join(", ")),
    }
}

/// What a text is, where it is one of CloudFormation's. A look at its outermost keys, as cheap as reading it.
pub fn recognise(text: &str) -> Result<Option<Kind>, Malformed> {
    let tree = tree::read(text)?;
    Ok(kind_of(&tree.root))
}

fn kind_of(root: &Node) -> Option<Kind> {
    if stack::is_template(root) {
        Some(Kind::Template)
    } else if root.get("artifacts").is_some() && root.get("version").is_some() {
        Some(Kind::Manifest)
    } else if root.get("Changes").is_some_and(|node| node.list().is_some()) {
        Some(Kind::ChangeSet)
    } else {
        None
    }
}

/// Reads all the files of CloudFormation of a run.
pub fn read(sources: &[Source], hints: &Hints, load: &mut Load<'_>) -> Result<Deployment, TemplateError> {
    let mut reader = Reader {
        hints,
        load,
        stacks: Vec::new(),
        names: BTreeSet::new(),
        templates: 0,
        assets: BTreeMap::new(),
        remarks: Vec::new(),
        change_sets: Vec::new(),
    };
    let mut files = Vec::with_capacity(sources.len());
    for source in sources {
        let file = File::parse(&source.path, Arc::clone(&source.text))?;
        reader.remarks.extend(file.oddities());
        files.push(file);
    }
    // A template that another one of them nests is read there, with what it is given there.
    let nested: BTreeSet<String> = files.iter().flat_map(File::nested_paths).collect();
    let is_alone =
        |file: &&File| kind_of(&file.root) == Some(Kind::Template) && !nested.contains(&tidy(&file.path));
    reader.templates = files.iter().filter(is_alone).count();
    for file in files {
        match kind_of(&file.root) {
            Some(Kind::Template) if nested.contains(&tidy(&file.path)) => {}
            Some(Kind::Template) => reader.add_alone(file)?,
            Some(Kind::Manifest) => reader.add_assembly(&file, 0)?,
            Some(Kind::ChangeSet) => {
                let change_set = change_set::read(&file, hints)?;
                reader.change_sets.push(change_set);
            }
            None => return Err(TemplateError::NotATemplate { path: file.path }),
        }
    }
    reader.check_parameters()?;
    Ok(reader.conclude(sources))
}

/// A file, read into a tree.
#[derive(Debug, Clone)]
struct File {
    path: String,
    document: Arc<Document>,
    root: Arc<Node>,
    comments: Arc<[tree::Comment]>,
    repeated: Vec<(String, std::ops::Range<usize>)>,
    octal: Vec<(String, std::ops::Range<usize>)>,
}

impl File {
    fn parse(path: &str, text: Arc<str>) -> Result<Self, TemplateError> {
        let tree = tree::read(&text).map_err(|source| TemplateError::Malformed {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            document: Arc::new(Document {
                title: Title::File {
                    path: path.to_owned(),
                },
                text,
                host: None,
            }),
            root: Arc::new(tree.root),
            comments: tree.comments.into(),
            repeated: tree.repeated,
            octal: tree.octal,
        })
    }

    /// What is hardly meant as it is written: keys that stand twice, and octal numbers. A sentence each; the first few
    /// tell enough.
    fn oddities(&self) -> Vec<String> {
        let place = |span: &std::ops::Range<usize>| {
            let Malformed { line, column, .. } = Malformed::at(&self.document.text, span.start, "");
            format!("{}:{line}:{column}", self.path)
        };
        let repeated = self.repeated.iter().take(10).map(|(key, span)| {
            let place = place(span);
            format!("{place}: `{key}` stands twice here; the last one counts")
        });
        let octal = self.octal.iter().take(10).map(|(number, span)| {
            let place = place(span);
            let written = self.document.text.get(span.clone()).unwrap_or_default();
            format!(
                "{place}: CloudFormation reads `{written}` without quotes as the octal number {number}; write \
                 `\"{written}\"`"
            )
        });
        repeated.chain(octal).collect()
    }

    /// The templates that this one nests, as paths.
    fn nested_paths(&self) -> Vec<String> {
        let resources = self.root.get("Resources").map(Node::members).unwrap_or_default();
        resources
            .iter()
            .filter_map(|member| nested_path(&self.path, &member.value))
            .collect()
    }
}

/// Where a nested stack's template is, where that is a file: the CDK says it in the metadata, `aws cloudformation
/// package` takes it from the property.
fn nested_path(path: &str, resource: &Node) -> Option<String> {
    let property = match resource.get("Type")?.text()? {
        "AWS::CloudFormation::Stack" => "TemplateURL",
        "AWS::Serverless::Application" => "Location",
        _ => return None,
    };
    let asset = resource
        .get("Metadata")
        .and_then(|metadata| metadata.get("aws:asset:path"))
        .and_then(Node::text);
    let written = || resource.get("Properties")?.get(property)?.text();
    let relative = asset.or_else(written)?;
    // A file of this folder or of one around it; never one from anywhere.
    let is_relative = !relative.contains("://") && !relative.starts_with(['/', '~']) && !relative.is_empty();
    is_relative.then(|| beside(path, relative))
}

/// A path that is written in a file, seen from where the file is.
fn beside(path: &str, relative: &str) -> String {
    if relative.starts_with('/') {
        return tidy(relative);
    }
    match path.rsplit_once('/') {
        Some((folder, _)) => tidy(&format!("{folder}/{relative}")),
        None => tidy(relative),
    }
}

/// A path without `.` and `..`, as far as that goes.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

struct Reader<'r, 'l> {
    hints: &'r Hints,
    load: &'r mut Load<'l>,
    stacks: Vec<Stack>,
    names: BTreeSet<String>,
    /// Templates that are given by themselves.
    templates: usize,
    /// The files of assemblies, by what they are called where the CDK uploads them to.
    assets: BTreeMap<String, String>,
    remarks: Vec<String>,
    change_sets: Vec<change_set::ChangeSet>,
}

impl Reader<'_, '_> {
    /// A template by itself: its file's name stands for the stack's.
    fn add_alone(&mut self, file: File) -> Result<(), TemplateError> {
        let whole = tidy(&file.path);
        let stem = |path: &str| {
            let path = path.trim_end_matches('/');
            let known = [
                ".template.json",
                ".template.yaml",
                ".template.yml",
                ".json",
                ".yaml",
                ".yml",
                ".template",
            ];
            let cut = known.iter().find_map(|ending| path.strip_suffix(ending));
            cut.filter(|cut| !cut.is_empty() && !cut.ends_with('/'))
                .unwrap_or(path)
                .to_owned()
        };
        let short = stem(whole.rsplit('/').next().unwrap_or(&whole));
        let name = match self.names.contains(&short) {
            false => short,
            true => stem(&whole),
        };
        let stack_name = self.stack_name()?;
        let name = stack_name.clone().unwrap_or(name);
        let environment = Environment {
            account: self.hints.account.as_ref().map(AccountId::to_string),
            region: self.hints.region.as_ref().map(Region::to_string),
            partition: None,
            stack_name,
        };
        let given = self.given();
        self.add(file, name, environment, given, None, BTreeMap::new(), 0)
    }

    /// The name that the user gives to the stack of the one template.
    fn stack_name(&self) -> Result<Option<String>, TemplateError> {
        match self.hints.parameters.get(STACK_NAME) {
            Some(Parameter::Value(_)) if self.templates > 1 => Err(TemplateError::StackNameOfMany),
            Some(Parameter::Value(name)) => Ok(Some(name.clone())),
            Some(Parameter::Previous) | None => Ok(None),
        }
    }

    fn given(&self) -> BTreeMap<String, Resolved> {
        let hints = &self.hints.parameters;
        hints
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Parameter::Value(text) => Resolved::text(text),
                    Parameter::Previous => Resolved::missing(format!("the previous value of {name}")),
                };
                (name.clone(), value)
            })
            .collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call for each way in which a stack comes about"
    )]
    fn add(
        &mut self,
        file: File,
        name: String,
        environment: Environment,
        given: BTreeMap<String, Resolved>,
        parent: Option<Parent>,
        made_at: BTreeMap<String, String>,
        depth: usize,
    ) -> Result<(), TemplateError> {
        if self.stacks.len() >= MOST_STACKS {
            self.remarks
                .push(format!("more than {MOST_STACKS} stacks: `{name}` is not read"));
            return Ok(());
        }
        let mut unique = name;
        while !self.names.insert(unique.clone()) {
            unique.push('\'');
        }
        let number = self.stacks.len();
        if let Some(parent) = &parent {
            self.stacks[parent.stack].nested.insert(parent.id.clone(), number);
        }
        self.stacks.push(Stack {
            name: unique.clone(),
            document: Arc::clone(&file.document),
            is_one_resource: false,
            root: Arc::clone(&file.root),
            comments: Arc::clone(&file.comments),
            environment: environment.clone(),
            given,
            parent,
            nested: BTreeMap::new(),
            made_at,
        });
        for member in file.root.get("Resources").map(Node::members).unwrap_or_default() {
            let named = nested_path(&file.path, &member.value);
            let Some(path) = named.or_else(|| self.asset(&member.value)) else {
                continue;
            };
            let text = match depth < DEEPEST_NEST {
                true => (self.load)(&path),
                false => None,
            };
            let Some(text) = text else {
                self.remarks.push(format!(
                    "the nested stack `{unique}/{}` is not read: there is no file {path}",
                    member.key
                ));
                continue;
            };
            let inner = File::parse(&path, text.into())?;
            let parameters = member
                .value
                .get("Properties")
                .and_then(|properties| properties.get("Parameters"))
                .cloned();
            let environment = Environment {
                stack_name: None,
                ..environment.clone()
            };
            self.add(
                inner,
                format!("{unique}/{}", member.key),
                environment,
                BTreeMap::new(),
                Some(Parent {
                    stack: number,
                    id: member.key.clone(),
                    parameters,
                    condition: member
                        .value
                        .get("Condition")
                        .and_then(Node::text)
                        .map(str::to_owned),
                }),
                BTreeMap::new(),
                depth + 1,
            )?;
        }
        Ok(())
    }

    /// A parameter that no template has is a slip of the pen.
    fn check_parameters(&self) -> Result<(), TemplateError> {
        let declared = |stack: &Stack| -> Vec<String> {
            let section = stack.section("Parameters").map(Node::members).unwrap_or_default();
            section.iter().map(|member| member.key.clone()).collect()
        };
        let known: BTreeSet<String> = self.stacks.iter().flat_map(declared).collect();
        let has_templates = !self.stacks.is_empty();
        let is_known = |name: &str| known.contains(name) || (name == STACK_NAME && self.templates > 0);
        match self.hints.parameters.keys().find(|name| !is_known(name)) {
            Some(name) if let Some(option) = option_for(name) => Err(TemplateError::PseudoParameter {
                name: name.clone(),
                option,
            }),
            Some(name) if has_templates => Err(TemplateError::NoSuchParameter {
                name: name.clone(),
                known: known.into_iter().collect(),
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn conclude(mut self, sources: &[Source]) -> Deployment {
        self.remarks.extend(self.hints.there.fill(&mut self.stacks));
        let world = World::new(self.stacks);
        let mut deployment = Deployment {
            title: title(sources),
            complete: true,
            declared: Vec::new(),
            before: Vec::new(),
            remarks: self.remarks,
        };
        let mut conditional = Conditional::default();
        for number in 0..world.stacks.len() {
            declare(&world, number, &mut deployment, &mut conditional);
        }
        conditional.mark(&world, &mut deployment.declared);
        world.join_regions(&mut deployment.declared);
        conditional.hang(&world, &mut deployment.declared);
        exclusion::exclude_each_other(&mut deployment.declared);
        for change_set in self.change_sets {
            deployment.declared.extend(change_set.declared);
            deployment.before.extend(change_set.before);
            deployment.remarks.extend(change_set.remarks);
        }
        deployment.remarks.extend(world.needs());
        deployment
    }
}

fn title(sources: &[Source]) -> String {
    match sources {
        [] => String::new(),
        [only] => only.path.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.path, rest.len()),
    }
}

/// Everything that one stack says of buckets.
fn declare(world: &World, number: usize, deployment: &mut Deployment, conditional: &mut Conditional) {
    let stack = &world.stacks[number];
    if is_left_out(world, number) {
        return;
    }
    if let Some(parent) = &stack.parent
        && let Some(name) = &parent.condition
        && matches!(world.condition(parent.stack, None, name, 0), Truth::Unknown(_))
    {
        let remark = read_as_if(name, std::slice::from_ref(&stack.name));
        deployment.remarks.push(remark);
    }
    let resources_macro = stack
        .section("Resources")
        .and_then(|section| section.get("Fn::Transform"))
        .map(|argument| {
            argument
                .get("Name")
                .and_then(Node::text)
                .unwrap_or("(unnamed)")
                .to_owned()
        });
    for name in opaque_macros(stack).into_iter().chain(resources_macro) {
        deployment.complete = false;
        deployment.remarks.push(format!(
            "`{}`: what the macro `{name}` makes of the template isn't known here; give the processed template \
             (`aws cloudformation get-template --template-stage Processed`) or the change set",
            stack.name
        ));
    }
    let resources = world.resources(number);
    for name in &resources.opaque {
        deployment.complete = false;
        deployment.remarks.push(format!(
            "`{}`: what the loop `{name}` makes isn't known here; it runs over values that the input doesn't tell",
            stack.name
        ));
    }
    let mut hanging: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let notes = allowance::find(stack, &resources.all);
    deployment.remarks.extend(notes.loose);
    for resource in &resources.all {
        let condition = resource
            .condition()
            .map(|name| (name, world.condition(number, None, name, 0)));
        if matches!(condition, Some((_, Truth::False))) {
            continue;
        }
        let mut declared = match resource.kind() {
            "AWS::S3::Bucket" => declare_bucket(world, number, resource),
            "AWS::S3::BucketPolicy" => declare_policy(world, number, resource),
            kind => {
                deployment.remarks.extend(unread(stack, resource, kind));
                continue;
            }
        };
        if let Some((name, Truth::Unknown(_))) = condition {
            let hanging = hanging.entry(name.to_owned()).or_default();
            hanging.push(declared.address.clone());
        }
        declared.allowances = notes.of.get(&resource.id).cloned().unwrap_or_default();
        if declared.fate == Fate::Created {
            conditional.note(world, number, resource.condition(), deployment.declared.len());
        }
        deployment.declared.push(declared);
    }
    for (condition, addresses) in hanging {
        deployment.remarks.push(read_as_if(&condition, &addresses));
    }
}

/// A resource that makes others, which nobody here sees.
fn unread(stack: &Stack, resource: &Resource<'_>, kind: &str) -> Option<String> {
    let address = stack.address(&resource.id);
    match kind {
        "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
            // Where there should have been a file, that is said already.
            let path = nested_path(stack.document.path().unwrap_or_default(), resource.node);
            let is_told = path.is_some() && resource.loops.is_empty();
            (!is_told && !stack.nested.contains_key(&resource.id)).then(|| {
                format!(
                    "the nested stack `{address}` is not read: its template is no file that is named here"
                )
            })
        }
        "AWS::CloudFormation::StackSet" => Some(format!("the stacks that `{address}` makes are not read")),
        kind if kind.ends_with("::MODULE") => Some(format!(
            "`{address}`: what the module `{kind}` makes isn't known here; give the processed template \
             (`aws cloudformation get-template --template-stage Processed`) or the change set"
        )),
        _ => None,
    }
}

fn read_as_if(condition: &str, addresses: &[String]) -> String {
    let names = |addresses: &[String]| -> String {
        let quoted: Vec<String> = addresses.iter().map(|address| format!("`{address}`")).collect();
        quoted.join(", ")
    };
    let hangs = format!("hangs on the condition `{condition}`, which can't be told here");
    match addresses {
        [only] => format!("whether `{only}` is deployed {hangs}; it is read as if it was"),
        [few @ .., last] if few.len() < 4 => {
            let few = names(few);
            format!("whether {few} and `{last}` are deployed {hangs}; they are read as if they were")
        }
        many => {
            let (first, rest) = (names(&many[..3.min(many.len())]), many.len().saturating_sub(3));
            format!("whether {first} and {rest} more are deployed {hangs}; they are read as if they were")
        }
    }
}

/// A nested stack whose resource isn't deployed, or is in one that isn't.
fn is_left_out(world: &World, number: usize) -> bool {
    world.around(number).any(|parent| {
        let condition = parent.condition.as_deref();
        condition.is_some_and(|name| world.condition(parent.stack, None, name, 0) == Truth::False)
    })
}

/// Macros that may rewrite the whole template, and that nobody here knows.
fn opaque_macros(stack: &Stack) -> Vec<String> {
    const KNOWN: [&str; 6] = [
        "AWS::LanguageExtensions",
        "AWS::Serverless",
        "AWS::CodeDeploy",
        "AWS::SecretsManager",
        "AWS::ServiceCatalog",
        "AWS::CodeStar",
    ];
    let mut names = Vec::new();
    let Some(transform) = stack
        .section("Transform")
        .or_else(|| stack.section("Fn::Transform"))
    else {
        return names;
    };
    let one = std::slice::from_ref(transform);
    for part in transform.list().unwrap_or(one) {
        let name = part.text().or_else(|| part.get("Name").and_then(Node::text));
        let name = name.unwrap_or("(unnamed)");
        if !KNOWN.iter().any(|known| name.starts_with(known)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Where a resource is declared: at its logical id.
fn place_of(stack: &Stack, resource: &Resource<'_>) -> Place {
    Place {
        document: Arc::clone(&stack.document),
        pointer: match stack.is_one_resource {
            true => String::new(),
            false => format!("/Resources/{}", resource.id.replace('~', "~0").replace('/', "~1")),
        },
        span: Some(resource.key_span.clone()),
        made_at: stack.made_at.get(&resource.id).map(|place| place.as_str().into()),
    }
}

fn owner(environment: &Environment) -> Owner {
    let account = environment.account.as_deref();
    let partition = environment
        .partition
        .as_deref()
        .and_then(|text| Partition::parse(text).ok());
    Owner {
        account: account.and_then(|text| AccountId::parse(text).ok()),
        partition: partition.or_else(|| region(environment).known().map(Region::partition)),
        credentials: String::new(),
    }
}

fn region(environment: &Environment) -> Fact<Region> {
    match environment.region.as_deref().map(Region::parse) {
        Some(Ok(region)) => Fact::Known(region),
        Some(Err(_)) | None => Fact::Unknown(Why::NotRead),
    }
}

fn declare_bucket(world: &World, number: usize, resource: &Resource<'_>) -> Declared {
    let stack = &world.stacks[number];
    let address = stack.address(&resource.id);
    let (key, own) = match world.bucket_name(number, resource, 0) {
        Name::Known(name) => (BucketKey::Name(name.clone()), TargetRef::Name(name)),
        Name::Generated | Name::Partial(_) => (
            BucketKey::Address(address.clone()),
            TargetRef::Address(address.clone()),
        ),
    };
    let place = place_of(stack, resource);
    let mut declared = Declared::new(key, address, Fate::Created);
    declared.owner = owner(&stack.environment);
    declared.region = region(&stack.environment);
    declared.region_of = Some(world.outermost(number).name.clone());
    declared.configuration = Properties {
        world,
        scope: Scope::new(number, resource.condition(), &resource.loops),
        resource,
        place: place.clone(),
        own,
    }
    .read();
    declared.place = Some(place);
    declared
}

fn declare_policy(world: &World, number: usize, resource: &Resource<'_>) -> Declared {
    let stack = &world.stacks[number];
    let address = stack.address(&resource.id);
    let scope = Scope::new(number, resource.condition(), &resource.loops);
    let place = place_of(stack, resource);
    let bucket = match world.property(number, resource, "Bucket") {
        Property::Written(node, loops) => world.evaluate(scope.within(&loops), node).as_text(),
        Property::LeftOut | Property::Unknown(_) => None,
    };
    let bucket = bucket.map(|text| bucket::target(&world.recognise(&text)));
    let key = match bucket {
        Some(Fact::Known(TargetRef::Name(name))) => BucketKey::Name(name),
        Some(Fact::Known(TargetRef::Address(address))) => BucketKey::Address(address),
        Some(Fact::Absent | Fact::Unknown(_)) | None => BucketKey::Any,
    };
    let policy = match world.property(number, resource, "PolicyDocument") {
        Property::LeftOut => Fact::Unknown(Why::NotRead),
        Property::Unknown(unknown) => Fact::Unknown(unknown.why()),
        Property::Written(node, loops) => {
            let item = Item {
                value: world.evaluate(scope.within(&loops), node),
                span: node.span.clone(),
            };
            let place = Place {
                span: Some(node.span.clone()),
                ..place.inside("/Properties/PolicyDocument")
            };
            match &item.value {
                Resolved::Nothing | Resolved::Null => Fact::Unknown(Why::NotRead),
                Resolved::Unknown(unknown) => Fact::Unknown(unknown.why()),
                Resolved::Bool(_)
                | Resolved::Number(_)
                | Resolved::Text(_)
                | Resolved::List(_)
                | Resolved::Map(_) => policy::document(world, &item, &place, &address),
            }
        }
    };
    let policy = match may_be_missing(world, number, resource) {
        true => Fact::Unknown(Why::NotRead),
        false => policy,
    };
    let mut declared = Declared::new(key, address, Fate::NotSaid);
    declared.owner = owner(&stack.environment);
    declared.region = region(&stack.environment);
    let written = policy
        .known()
        .map_or_else(|| place.clone(), |document| Place::new(document, ""));
    declared.configuration.places.insert(Call::Policy, written);
    declared.configuration.policy = Said::Sets(policy).into();
    declared.place = Some(place);
    declared
}

/// Whether the bucket may be deployed without this policy: the policy hangs on a condition that the bucket doesn't.
fn may_be_missing(world: &World, number: usize, policy: &Resource<'_>) -> bool {
    let is_open = |stack: usize, condition: Option<&str>| {
        condition.is_some_and(|name| matches!(world.condition(stack, None, name, 0), Truth::Unknown(_)))
    };
    let id = match world.property(number, policy, "Bucket") {
        Property::Written(node, loops) => {
            let name = node.get("Ref").and_then(Node::name);
            name.map(|name| put_in(name, &loops))
        }
        Property::LeftOut | Property::Unknown(_) => None,
    };
    let bucket = id
        .and_then(|id| world.find_resource(number, &id))
        .filter(is_bucket);
    match (bucket, policy.condition()) {
        // Where the bucket's condition holds, does the policy's?
        (Some(bucket), Some(condition)) => {
            is_open(number, Some(condition))
                && world.condition(number, bucket.condition(), condition, 0) != Truth::True
        }
        (Some(_), None) => false,
        // The bucket is elsewhere, and this stack or the one around it may not be there.
        (None, condition) => {
            is_open(number, condition)
                || world
                    .around(number)
                    .any(|parent| is_open(parent.stack, parent.condition.as_deref()))
        }
    }
}
