//! The intrinsic functions: what a part of a template comes to, as far as the input tells.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::premises::Premises;
use super::property::{Made, Property};
use super::stack::{Found, Loops, Parent, Resource, Stack, loop_parts, put_in, put_in_bare};
use super::text::{Text, Token};
use super::tree::{Node, Value};
use super::value::{Item, Resolved, Truth, Unknown};
use crate::collect::deployment::Declared;
use crate::name::Region;

/// References are followed no further: parameters into nested stacks, outputs out of them, imports, conditions.
const LONGEST_PATH: usize = 400;

/// Templates can be made to cost more than they are worth.
const MOST_STEPS: usize = 20_000_000;

/// What loops may make of one mapping.
const MOST_MEMBERS: usize = 10_000;

/// All the stacks, and what is known of them so far.
pub(super) struct World {
    pub stacks: Vec<Stack>,
    /// Where the resources outside of loops are found, for each stack.
    written: Vec<BTreeMap<String, Found>>,
    exports: Vec<Export>,
    /// Buckets whose name is known in part: that name, and the bucket's token.
    partial_names: BTreeMap<Text, Token>,
    parameters: RefCell<BTreeMap<(usize, String), Option<Resolved>>>,
    conditions: RefCell<BTreeMap<ConditionKey, Option<Truth>>>,
    /// What follows from a condition of a stack.
    pub(super) known_premises: RefCell<BTreeMap<(usize, String), Rc<Premises>>>,
    names: RefCell<BTreeMap<(usize, String), Option<Name>>>,
    /// Where the resources that loops make are found.
    made: RefCell<BTreeMap<usize, Rc<BTreeMap<String, Found>>>>,
    /// Stacks of which one imports what the other exports: they are in one region.
    together: RefCell<BTreeSet<(usize, usize)>>,
    /// What would have to be given for more to be known, one sentence each.
    needs: RefCell<BTreeSet<String>>,
    steps: Cell<usize>,
    /// The loops around resources are being unrolled: what they run over can't be a resource that they make.
    pub(super) unrolling: Cell<bool>,
}

/// A stack, its condition, and the condition that is taken to hold.
type ConditionKey = (usize, String, Option<String>);

struct Export {
    name: Text,
    stack: usize,
    output: String,
}

/// The name of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Known(String),
    /// CloudFormation or S3 makes one up.
    Generated,
    /// It is written, but not all of it is known.
    Partial(Text),
}

/// From where a part of a template is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    pub stack: usize,
    /// The condition of the resource that is looked at: while it matters, it holds.
    pub assumed: Option<&'s str>,
    pub loops: &'s Loops,
    depth: usize,
}

impl<'s> Scope<'s> {
    pub fn new(stack: usize, assumed: Option<&'s str>, loops: &'s Loops) -> Self {
        Self {
            stack,
            assumed,
            loops,
            depth: 0,
        }
    }

    /// The same with other loops around it.
    pub fn within<'t>(self, loops: &'t Loops) -> Scope<'t>
    where
        's: 't,
    {
        Scope { loops, ..self }
    }

    fn deeper(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

const NO_LOOPS: &Loops = &Vec::new();

impl World {
    pub fn new(stacks: Vec<Stack>) -> Self {
        let mut world = Self {
            written: stacks.iter().map(Stack::written).collect(),
            stacks,
            exports: Vec::new(),
            partial_names: BTreeMap::new(),
            parameters: RefCell::default(),
            conditions: RefCell::default(),
            known_premises: RefCell::default(),
            names: RefCell::default(),
            made: RefCell::default(),
            together: RefCell::default(),
            needs: RefCell::default(),
            steps: Cell::new(0),
            unrolling: Cell::new(false),
        };
        world.exports = world.find_exports();
        world.partial_names = world.find_partial_names();
        // What these searches lacked is no matter where nobody asks for it, and is said again where somebody does.
        world.needs.borrow_mut().clear();
        world.parameters.borrow_mut().clear();
        world.conditions.borrow_mut().clear();
        world.known_premises.borrow_mut().clear();
        world.names.borrow_mut().clear();
        world
    }

    pub fn needs(&self) -> Vec<String> {
        self.needs.borrow().iter().cloned().collect()
    }

    pub fn need(&self, sentence: String) {
        self.needs.borrow_mut().insert(sentence);
    }

    /// The resources of a stack, loops unrolled.
    pub fn resources(&self, stack: usize) -> super::stack::Resources<'_> {
        let collection = |over: &Node, loops: &Loops| self.collection(Scope::new(stack, None, loops), over);
        self.stacks[stack].resources(&collection)
    }

    /// The values that a loop runs over, where all of them are known.
    pub fn collection(&self, scope: Scope<'_>, over: &Node) -> Option<Vec<String>> {
        let Resolved::List(items) = self.evaluate(scope, over) else {
            return None;
        };
        items.iter().map(|item| item.value.known_text()).collect()
    }

    /// Stacks that must be in one region go by the name of the first of them.
    pub fn join_regions(&self, declared: &mut [Declared]) {
        let mut first: Vec<usize> = (0..self.stacks.len()).collect();
        let together = self.together.borrow();
        // Each turn makes a number smaller, so this ends.
        while together.iter().any(|(a, b)| first[*a] != first[*b]) {
            for (a, b) in together.iter() {
                let least = first[*a].min(first[*b]);
                (first[*a], first[*b]) = (least, least);
            }
        }
        let names: BTreeMap<&str, &str> = first
            .iter()
            .enumerate()
            .map(|(number, first)| {
                (
                    self.stacks[number].name.as_str(),
                    self.stacks[*first].name.as_str(),
                )
            })
            .collect();
        for each in declared {
            let joined = each.region_of.as_deref().and_then(|name| names.get(name));
            each.region_of = joined.map(|name| (*name).to_owned());
        }
    }

    fn find_exports(&self) -> Vec<Export> {
        let mut found = Vec::new();
        for (number, stack) in self.stacks.iter().enumerate() {
            let written = stack.section("Outputs").map(Node::members).unwrap_or_default();
            let written = written.iter().map(|member| Made {
                key: member.key.clone(),
                node: &member.value,
                loops: Loops::new(),
            });
            for output in written.chain(self.made_in(number, "Outputs")) {
                let Some(name) = output.node.get("Export").and_then(|export| export.get("Name")) else {
                    continue;
                };
                let condition = output.node.get("Condition").and_then(Node::name);
                let condition = condition.map(|name| put_in(name, &output.loops));
                if condition.is_some_and(|name| self.condition(number, None, &name, 0) == Truth::False) {
                    continue;
                }
                if let Some(name) = self
                    .evaluate(Scope::new(number, None, &output.loops), name)
                    .as_text()
                {
                    found.push(Export {
                        name,
                        stack: number,
                        output: output.key,
                    });
                }
            }
        }
        found
    }

    /// A name that two buckets share names neither: they exclude each other, or one of them can't be made.
    fn find_partial_names(&self) -> BTreeMap<Text, Token> {
        let mut found: BTreeMap<Text, Option<Token>> = BTreeMap::new();
        for (number, stack) in self.stacks.iter().enumerate() {
            for resource in self
                .resources(number)
                .all
                .iter()
                .filter(|resource| is_bucket(resource))
            {
                if let Name::Partial(name) = self.bucket_name(number, resource, 0) {
                    let token = Token::BucketName(stack.address(&resource.id));
                    found
                        .entry(name)
                        .and_modify(|shared| *shared = None)
                        .or_insert(Some(token));
                }
            }
        }
        let only = |(name, token): (Text, Option<Token>)| Some((name, token?));
        found.into_iter().filter_map(only).collect()
    }

    /// A text in which the names of buckets that are known in part stand as these buckets' tokens.
    pub fn recognise(&self, text: &Text) -> Text {
        if text.is_known() {
            return text.clone();
        }
        text.names_replaced(&self.partial_names)
    }

    /// The name of a bucket of a stack.
    pub fn bucket_name(&self, stack: usize, resource: &Resource<'_>, depth: usize) -> Name {
        let key = (stack, resource.id.clone());
        if let Some(known) = self.names.borrow().get(&key) {
            // A name that is made of itself.
            return known.clone().unwrap_or(Name::Generated);
        }
        self.names.borrow_mut().insert(key.clone(), None);
        let written = match self.property(stack, resource, "BucketName") {
            Property::LeftOut => Resolved::Nothing,
            Property::Unknown(unknown) => Resolved::Unknown(unknown),
            Property::Written(node, loops) => {
                let scope = Scope {
                    depth,
                    ..Scope::new(stack, resource.condition(), &loops)
                };
                self.evaluate(scope.deeper(), node)
            }
        };
        let name = match written.as_text() {
            None => Name::Generated,
            Some(text) => match text.known() {
                Some("") => Name::Generated,
                Some(known) => Name::Known(known.to_owned()),
                None => Name::Partial(text),
            },
        };
        self.names.borrow_mut().insert(key, Some(name.clone()));
        name
    }

    /// What a bucket is called where it is referred to.
    fn bucket_text(&self, stack: usize, resource: &Resource<'_>, depth: usize) -> Text {
        match self.bucket_name(stack, resource, depth) {
            Name::Known(name) => Text::literal(&name),
            Name::Generated | Name::Partial(_) => {
                Text::token(&Token::BucketName(self.stacks[stack].address(&resource.id)))
            }
        }
    }

    /// What this part of a template comes to.
    pub fn evaluate(&self, scope: Scope<'_>, node: &Node) -> Resolved {
        self.steps.set(self.steps.get() + 1);
        if scope.depth > LONGEST_PATH || self.steps.get() > MOST_STEPS {
            return Resolved::missing("references that lead on and on");
        }
        let scope = scope.deeper();
        match &node.value {
            Value::Null => Resolved::Null,
            Value::Bool(truth) | Value::Word { truth, .. } => Resolved::Bool(*truth),
            Value::Number(text) => Resolved::Number(text.clone()),
            Value::Text(text) => Resolved::Text(self.dynamic(text)),
            Value::List(items) => Resolved::List(self.items(scope, items)),
            Value::Map(members) => {
                if let [member] = members.as_slice()
                    && is_function(&member.key)
                {
                    return self.function(scope, &member.key, &member.value, node);
                }
                let mut all = Vec::with_capacity(members.len());
                if let Some(unknown) = self.members(scope, node, &mut all) {
                    return Resolved::Unknown(unknown);
                }
                Resolved::Map(all)
            }
        }
    }

    fn items(&self, scope: Scope<'_>, items: &[Node]) -> Vec<Item> {
        items
            .iter()
            .map(|item| Item {
                value: self.evaluate(scope, item),
                span: item.span.clone(),
            })
            .filter(|item| item.value != Resolved::Nothing)
            .collect()
    }

    /// The members of a mapping, loops unrolled; unknown as a whole where a macro may add to them.
    fn members(&self, scope: Scope<'_>, node: &Node, all: &mut Vec<(String, Item)>) -> Option<Unknown> {
        for member in node.members() {
            if member.key == "Fn::Transform" {
                return Some(self.opaque_macro(scope, &member.value));
            }
            if member.key.starts_with("Fn::ForEach::") {
                let Some((identifier, over, body)) = loop_parts(&member.value) else {
                    return Some(Unknown::Missing(member.key.clone()));
                };
                let Resolved::List(values) = self.evaluate(scope, over) else {
                    return Some(Unknown::Missing(member.key.clone()));
                };
                for value in values {
                    let Some(value) = value.value.known_text() else {
                        return Some(Unknown::Missing(member.key.clone()));
                    };
                    let mut loops = scope.loops.clone();
                    loops.push((identifier.to_owned(), value));
                    let inner = Scope {
                        loops: &loops,
                        ..scope
                    }
                    .deeper();
                    if inner.depth > LONGEST_PATH || all.len() > MOST_MEMBERS {
                        return Some(Unknown::Missing(member.key.clone()));
                    }
                    if let Some(unknown) = self.members(inner, body, all) {
                        return Some(unknown);
                    }
                }
                continue;
            }
            let value = self.evaluate(scope, &member.value);
            if value != Resolved::Nothing {
                all.push((
                    put_in(&member.key, scope.loops),
                    Item {
                        value,
                        span: member.value.span.clone(),
                    },
                ));
            }
        }
        None
    }

    /// A text, in which `{{resolve:…}}` is looked up only by the deploy.
    fn dynamic(&self, text: &str) -> Text {
        if text.contains("{{changeSet:KNOWN_AFTER_APPLY}}") {
            return Text::token(&Token::Made(text.to_owned()));
        }
        let mut whole = Text::default();
        let mut rest = text;
        while let Some(start) = rest.find("{{resolve:") {
            let Some(length) = rest[start..].find("}}") else {
                break;
            };
            let reference = &rest[start + 2..start + length];
            whole.push(&Text::literal(&rest[..start]));
            whole.push(&Text::token(&Token::Missing(reference.to_owned())));
            self.need(format!("`{{{{{reference}}}}}` is looked up only by the deploy"));
            rest = &rest[start + length + 2..];
        }
        whole.push(&Text::literal(rest));
        whole
    }

    fn function(&self, scope: Scope<'_>, name: &str, argument: &Node, whole: &Node) -> Resolved {
        match name {
            "Ref" => match self.name_argument(scope, argument) {
                Some(name) => self.reference(scope, &name),
                None => self.opaque(scope, name, whole),
            },
            "Fn::GetAtt" => self.attribute(scope, argument, whole),
            "Fn::Sub" => self.substitute(scope, argument, whole),
            "Fn::Join" => self.join(scope, argument, whole),
            "Fn::Split" => self.split(scope, argument, whole),
            "Fn::Select" => self.select(scope, argument, whole),
            "Fn::FindInMap" => self.find_in_map(scope, argument, whole),
            "Fn::If" => self.choose(scope, argument, whole),
            "Fn::ImportValue" => match self.evaluate(scope, argument).as_text() {
                Some(name) => self.import(scope, &name),
                None => self.opaque(scope, name, whole),
            },
            "Fn::Length" => match self.evaluate(scope, argument) {
                Resolved::List(items) if !items.iter().any(|item| item.value.is_maybe()) => {
                    Resolved::Number(items.len().to_string())
                }
                _ => self.opaque(scope, name, whole),
            },
            "Fn::ToJsonString" => {
                let value = self.evaluate(scope, argument);
                match super::policy::print_known(&value) {
                    Some(text) => Resolved::text(&text),
                    None => self.opaque(scope, name, whole),
                }
            }
            "Fn::Base64" => match self.evaluate(scope, argument).known_text() {
                Some(text) => Resolved::text(&base64(text.as_bytes())),
                None => self.opaque(scope, name, whole),
            },
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => match self.truth(scope, whole) {
                Truth::True => Resolved::Bool(true),
                Truth::False => Resolved::Bool(false),
                Truth::Unknown(unknown) => Resolved::Unknown(unknown),
            },
            "Fn::Transform" => Resolved::Unknown(self.opaque_macro(scope, argument)),
            _ => self.opaque(scope, name, whole),
        }
    }

    /// What a function comes to that isn't followed. Each place is a value of its own.
    fn opaque(&self, scope: Scope<'_>, name: &str, whole: &Node) -> Resolved {
        let stack = &self.stacks[scope.stack].name;
        Resolved::missing(format!("{name} in {stack} at byte {}", whole.span.start))
    }

    pub fn opaque_macro(&self, scope: Scope<'_>, argument: &Node) -> Unknown {
        let stack = &self.stacks[scope.stack].name;
        let name = argument.get("Name").and_then(Node::text).unwrap_or("a macro");
        self.need(format!(
            "`{stack}`: what the macro `{name}` makes of the template isn't known here; give the processed template \
             (`aws cloudformation get-template --template-stage Processed`) or the change set"
        ));
        Unknown::Missing(format!("{name} in {stack} at byte {}", argument.span.start))
    }

    /// A name, which a loop's value may be part of.
    fn name_argument(&self, scope: Scope<'_>, argument: &Node) -> Option<String> {
        match argument.name() {
            Some(text) => Some(put_in(text, scope.loops)),
            None => self.evaluate(scope, argument).known_text(),
        }
    }

    /// What a name stands for. What the condition of the resource says of it goes before that it isn't known.
    fn reference(&self, scope: Scope<'_>, name: &str) -> Resolved {
        let value = self.stands_for(scope, name);
        let token = value.as_text().and_then(|text| text.as_token());
        let premises = self.premises(scope.stack, scope.assumed);
        match (token, premises) {
            (Some(token), Some(premises)) => premises.value(&token).map_or(value, Resolved::text),
            (_, _) => value,
        }
    }

    fn stands_for(&self, scope: Scope<'_>, name: &str) -> Resolved {
        if let Some((_, value)) = scope
            .loops
            .iter()
            .rev()
            .find(|(identifier, _)| identifier == name)
        {
            return Resolved::text(value);
        }
        let stack = &self.stacks[scope.stack];
        if let Some(value) = self.pseudo_parameter(scope.stack, name) {
            return value;
        }
        if let Some(declared) = stack.section("Parameters").and_then(|all| all.get(name)) {
            return self.parameter(scope, name, declared);
        }
        let resources = self.find_resource(scope.stack, name);
        match resources {
            Some(resource) if is_bucket(&resource) => {
                Resolved::Text(self.bucket_text(scope.stack, &resource, scope.depth))
            }
            Some(_) => Resolved::Unknown(Unknown::Made(stack.address(name))),
            None => {
                self.need(format!(
                    "`{}` refers to `{name}`, which it doesn't declare",
                    stack.name
                ));
                Resolved::missing(format!("{name} of {}", stack.name))
            }
        }
    }

    /// A resource of a stack by its logical id.
    pub fn find_resource(&self, stack: usize, id: &str) -> Option<Resource<'_>> {
        let here = &self.stacks[stack];
        if let Some(found) = self.written[stack].get(id) {
            return here.resource(found);
        }
        let members = here.section("Resources")?.members();
        if !members.iter().any(|member| member.key.starts_with("Fn::ForEach")) {
            return None;
        }
        here.resource(self.made_by_loops(stack)?.get(id)?)
    }

    /// The resources that the loops of a stack make. What they run over can't be a resource that they make.
    fn made_by_loops(&self, stack: usize) -> Option<Rc<BTreeMap<String, Found>>> {
        if let Some(known) = self.made.borrow().get(&stack) {
            return Some(Rc::clone(known));
        }
        if self.unrolling.replace(true) {
            return None;
        }
        let mut found = BTreeMap::new();
        for resource in self.resources(stack).all {
            found
                .entry(resource.id.clone())
                .or_insert_with(|| Found::at(&resource));
        }
        self.unrolling.set(false);
        let found = Rc::new(found);
        self.made.borrow_mut().insert(stack, Rc::clone(&found));
        Some(found)
    }

    fn pseudo_parameter(&self, number: usize, name: &str) -> Option<Resolved> {
        let stack = &self.stacks[number];
        let environment = &stack.environment;
        let partition = environment.partition.clone().or_else(|| {
            let region = Region::parse(environment.region.as_deref()?).ok()?;
            Some(region.partition().to_string())
        });
        let known = |value: Option<&str>, token: Token| match value {
            Some(text) => Resolved::text(text),
            None => Resolved::Text(Text::token(&token)),
        };
        Some(match name {
            "AWS::NoValue" => Resolved::Nothing,
            "AWS::AccountId" => {
                if environment.account.is_none() {
                    self.need("the account isn't known: give `--account ID`".to_owned());
                }
                known(environment.account.as_deref(), Token::Account)
            }
            "AWS::Region" => {
                if environment.region.is_none() {
                    self.need("the region isn't known: give `--region REGION`".to_owned());
                }
                known(
                    environment.region.as_deref(),
                    Token::Region(self.outermost(number).name.clone()),
                )
            }
            "AWS::Partition" => known(partition.as_deref(), Token::Partition),
            "AWS::URLSuffix" => match partition.as_deref() {
                Some("aws" | "aws-us-gov") => Resolved::text("amazonaws.com"),
                Some("aws-cn") => Resolved::text("amazonaws.com.cn"),
                Some("aws-eusc") => Resolved::text("amazonaws.eu"),
                Some(_) => Resolved::missing("AWS::URLSuffix"),
                // The usual partition, where nobody said which.
                None => Resolved::text("amazonaws.com"),
            },
            "AWS::StackName" => match (&environment.stack_name, &stack.parent) {
                (Some(name), _) => Resolved::text(name),
                (None, None) => {
                    self.need(format!(
                        "the name of the stack of `{}` isn't known: give `--parameter AWS::StackName=NAME`",
                        stack.name
                    ));
                    Resolved::missing(format!("AWS::StackName of {}", stack.name))
                }
                // CloudFormation makes up the name of a nested stack.
                (None, Some(_)) => {
                    Resolved::Unknown(Unknown::Made(format!("AWS::StackName of {}", stack.name)))
                }
            },
            "AWS::StackId" | "AWS::NotificationARNs" => {
                Resolved::Unknown(Unknown::Made(format!("{name} of {}", stack.name)))
            }
            _ => return None,
        })
    }

    pub fn outermost(&self, number: usize) -> &Stack {
        &self.stacks[self.outermost_number(number)]
    }

    pub fn outermost_number(&self, number: usize) -> usize {
        self.around(number).last().map_or(number, |parent| parent.stack)
    }

    /// The resources that a nested stack is in, the innermost first. Each parent was there before its child, so this
    /// ends.
    pub fn around(&self, number: usize) -> impl Iterator<Item = &Parent> {
        std::iter::successors(self.stacks[number].parent.as_ref(), |parent| {
            self.stacks[parent.stack].parent.as_ref()
        })
    }

    fn parameter(&self, scope: Scope<'_>, name: &str, declared: &Node) -> Resolved {
        let key = (scope.stack, name.to_owned());
        if let Some(known) = self.parameters.borrow().get(&key) {
            let circle = || Resolved::missing(format!("{name}, which is made of itself"));
            return known.clone().unwrap_or_else(circle);
        }
        self.parameters.borrow_mut().insert(key.clone(), None);
        let value = self.parameter_value(scope, name, declared);
        self.parameters.borrow_mut().insert(key, Some(value.clone()));
        value
    }

    fn parameter_value(&self, scope: Scope<'_>, name: &str, declared: &Node) -> Resolved {
        let stack = &self.stacks[scope.stack];
        let kind = declared.get("Type").and_then(Node::text).unwrap_or("String");
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        let unknown = || Resolved::missing(format!("{}.{name}", stack.name));
        if declared
            .get("NoEcho")
            .and_then(Node::text)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
        {
            self.need(format!(
                "the parameter `{name}` of `{}` is a secret (`NoEcho`) and isn't read",
                stack.name
            ));
            return unknown();
        }
        if kind.starts_with("AWS::SSM::Parameter::Value<") {
            self.need(format!(
                "the parameter `{name}` of `{}` is looked up in the SSM Parameter Store by the deploy",
                stack.name
            ));
            return unknown();
        }
        let passed = stack.parent.as_ref().and_then(|parent| {
            let node = parent.parameters.as_ref()?.get(name)?;
            let scope = Scope {
                depth: scope.depth,
                ..Scope::new(parent.stack, parent.condition.as_deref(), NO_LOOPS)
            };
            Some(self.evaluate(scope.deeper(), node))
        });
        let value = match passed.or_else(|| stack.given.get(name).cloned()) {
            Some(value) => value,
            None => match declared.get("Default") {
                Some(default) => match default.text() {
                    Some(text) => Resolved::Text(self.dynamic(text)),
                    None => return unknown(),
                },
                None => {
                    self.need(format!(
                        "the parameter `{name}` of `{}` has no value: give `--parameter {name}=VALUE`",
                        stack.name
                    ));
                    return unknown();
                }
            },
        };
        match value.as_text() {
            Some(text) if is_list => {
                let (pieces, all) = text.split(",");
                match all {
                    true => Resolved::List(
                        pieces
                            .into_iter()
                            .map(|piece| Item {
                                value: match piece.known() {
                                    Some(known) => Resolved::text(known.trim()),
                                    None => Resolved::Text(piece),
                                },
                                span: declared.span.clone(),
                            })
                            .collect(),
                    ),
                    false => unknown(),
                }
            }
            Some(_) | None => value,
        }
    }

    fn attribute(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        let (id, attribute) = match (&argument.value, argument.list()) {
            (_, Some([id, attribute])) => {
                match (
                    self.name_argument(scope, id),
                    self.name_argument(scope, attribute),
                ) {
                    (Some(id), Some(attribute)) => (id, attribute),
                    _ => return self.opaque(scope, "Fn::GetAtt", whole),
                }
            }
            (_, None) => match self.name_argument(scope, argument) {
                Some(text) => match text.split_once('.') {
                    Some((id, attribute)) => (id.to_owned(), attribute.to_owned()),
                    None => return self.opaque(scope, "Fn::GetAtt", whole),
                },
                None => return self.opaque(scope, "Fn::GetAtt", whole),
            },
            (_, Some(_)) => return self.opaque(scope, "Fn::GetAtt", whole),
        };
        self.attribute_of(scope, &id, &attribute)
    }

    fn attribute_of(&self, scope: Scope<'_>, id: &str, attribute: &str) -> Resolved {
        let stack = &self.stacks[scope.stack];
        if let (Some(nested), Some(output)) = (stack.nested.get(id), attribute.strip_prefix("Outputs.")) {
            return self.output(*nested, output, scope.depth);
        }
        match self.find_resource(scope.stack, id) {
            Some(resource) if is_bucket(&resource) && attribute == "Arn" => {
                let mut arn = Text::literal("arn:");
                let partition = self.pseudo_parameter(scope.stack, "AWS::Partition");
                arn.push(&partition.and_then(|value| value.as_text()).unwrap_or_default());
                arn.push(&Text::literal(":s3:::"));
                arn.push(&self.bucket_text(scope.stack, &resource, scope.depth));
                Resolved::Text(arn)
            }
            Some(resource) if is_bucket(&resource) && attribute == "DomainName" => {
                let mut name = self.bucket_text(scope.stack, &resource, scope.depth);
                name.push(&Text::literal(".s3.amazonaws.com"));
                Resolved::Text(name)
            }
            Some(_) | None => Resolved::Unknown(Unknown::Made(format!("{}.{attribute}", stack.address(id)))),
        }
    }

    /// An output of a stack.
    fn output(&self, stack: usize, output: &str, depth: usize) -> Resolved {
        let found = self.member_of(stack, "Outputs", output);
        match found
            .as_ref()
            .and_then(|(node, loops)| Some((node.get("Value")?, loops)))
        {
            Some((value, loops)) => {
                let scope = Scope {
                    depth,
                    ..Scope::new(stack, None, loops)
                };
                self.evaluate(scope.deeper(), value)
            }
            None => Resolved::missing(format!("the output {output} of {}", self.stacks[stack].name)),
        }
    }

    /// What another stack exports, where one of those given does.
    fn import(&self, scope: Scope<'_>, name: &Text) -> Resolved {
        let here = &self.stacks[scope.stack].environment;
        let apart = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        // A stack imports from its own region, so the region is the same on both sides.
        let wanted = name.of_one_region();
        let mut candidates = self.exports.iter().filter(|export| {
            let there = &self.stacks[export.stack].environment;
            export.name.of_one_region() == wanted
                && !apart(&here.account, &there.account)
                && !apart(&here.region, &there.region)
        });
        match (candidates.next(), candidates.next()) {
            (Some(export), None) => {
                let together = (
                    self.outermost_number(scope.stack),
                    self.outermost_number(export.stack),
                );
                self.together.borrow_mut().insert(together);
                self.output(export.stack, &export.output, scope.depth)
            }
            (None, _) => {
                self.need(format!(
                    "`{name}` is imported, and no given template exports it: give the template that does"
                ));
                Resolved::missing(format!("import {name}"))
            }
            (Some(_), Some(_)) => {
                self.need(format!(
                    "`{name}` is imported, and several of the given templates export it"
                ));
                Resolved::missing(format!("import {name}"))
            }
        }
    }

    fn substitute(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        let (template, variables) = match (argument.text(), argument.list()) {
            (Some(text), _) => (text, None),
            (None, Some([template, variables])) => match template.text() {
                Some(text) => (text, Some(variables)),
                None => return self.opaque(scope, "Fn::Sub", whole),
            },
            (None, _) => return self.opaque(scope, "Fn::Sub", whole),
        };
        let template = put_in_bare(template, scope.loops);
        let mut out = Text::default();
        let mut rest = template.as_str();
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            let name = &rest[start + 2..start + length];
            out.push(&self.dynamic(&rest[..start]));
            rest = &rest[start + length + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                out.push(&Text::literal(&format!("${{{literal}}}")));
                continue;
            }
            let name = name.trim();
            let value = match variables.and_then(|all| all.get(name)) {
                Some(node) => self.evaluate(scope, node),
                None => match name.split_once('.') {
                    Some((id, attribute)) => self.attribute_of(scope, id, attribute),
                    None => self.reference(scope, name),
                },
            };
            match value.as_text() {
                Some(text) => out.push(&text),
                None => return self.opaque(scope, "Fn::Sub", whole),
            }
        }
        out.push(&self.dynamic(rest));
        Resolved::Text(out)
    }

    fn join(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        let Some([delimiter, items]) = argument.list() else {
            return self.opaque(scope, "Fn::Join", whole);
        };
        let Some(delimiter) = self.evaluate(scope, delimiter).as_text() else {
            return self.opaque(scope, "Fn::Join", whole);
        };
        let Resolved::List(items) = self.evaluate(scope, items) else {
            return self.opaque(scope, "Fn::Join", whole);
        };
        let mut out = Text::default();
        for (position, item) in items.iter().enumerate() {
            let Some(text) = item.value.as_text().filter(|_| !item.value.is_maybe()) else {
                return self.opaque(scope, "Fn::Join", whole);
            };
            if position > 0 {
                out.push(&delimiter);
            }
            out.push(&text);
        }
        Resolved::Text(out)
    }

    fn split(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        match self.pieces(scope, argument) {
            Some((pieces, true)) => Resolved::List(
                pieces
                    .into_iter()
                    .map(|piece| Item {
                        value: Resolved::Text(piece),
                        span: whole.span.clone(),
                    })
                    .collect(),
            ),
            Some((_, false)) | None => self.opaque(scope, "Fn::Split", whole),
        }
    }

    /// The pieces of a split, and whether these are all.
    fn pieces(&self, scope: Scope<'_>, argument: &Node) -> Option<(Vec<Text>, bool)> {
        let [delimiter, text] = argument.list()? else {
            return None;
        };
        let delimiter = self.evaluate(scope, delimiter).known_text()?;
        Some(self.evaluate(scope, text).as_text()?.split(&delimiter))
    }

    fn select(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        let Some([index, list]) = argument.list() else {
            return self.opaque(scope, "Fn::Select", whole);
        };
        let index = self
            .evaluate(scope, index)
            .known_text()
            .and_then(|text| text.parse::<usize>().ok());
        let Some(index) = index else {
            return self.opaque(scope, "Fn::Select", whole);
        };
        // Of a split whose end isn't known, the start may be.
        if let Value::Map(members) = &list.value
            && let [member] = members.as_slice()
            && member.key == "Fn::Split"
            && let Some((pieces, _)) = self.pieces(scope, &member.value)
        {
            return match pieces.into_iter().nth(index) {
                Some(piece) => Resolved::Text(piece),
                None => self.opaque(scope, "Fn::Select", whole),
            };
        }
        match self.evaluate(scope, list) {
            // One that may be left out shifts those behind it.
            Resolved::List(items) if !items.iter().take(index + 1).any(|item| item.value.is_maybe()) => {
                match items.into_iter().nth(index) {
                    Some(item) => item.value,
                    None => self.opaque(scope, "Fn::Select", whole),
                }
            }
            _ => self.opaque(scope, "Fn::Select", whole),
        }
    }

    fn find_in_map(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        let unknown = || self.opaque(scope, "Fn::FindInMap", whole);
        let Some([map, first, second, more @ ..]) = argument.list() else {
            return unknown();
        };
        let key = |node| self.evaluate(scope, node).known_text();
        let (Some(map), Some(first), Some(second)) = (key(map), key(first), key(second)) else {
            return unknown();
        };
        let found = self.stacks[scope.stack]
            .section("Mappings")
            .and_then(|all| all.get(&map)?.get(&first)?.get(&second));
        let default = || more.first().and_then(|options| options.get("DefaultValue"));
        match found.or_else(default) {
            Some(node) => self.evaluate(scope, node),
            None => unknown(),
        }
    }

    fn choose(&self, scope: Scope<'_>, argument: &Node, whole: &Node) -> Resolved {
        let Some([condition, then, otherwise]) = argument.list() else {
            return self.opaque(scope, "Fn::If", whole);
        };
        let (name, truth) = match condition.name() {
            Some(name) => (
                name,
                self.condition(scope.stack, scope.assumed, name, scope.depth),
            ),
            None => ("a condition", self.truth(scope, condition)),
        };
        match truth {
            Truth::True => self.evaluate(scope, then),
            Truth::False => self.evaluate(scope, otherwise),
            Truth::Unknown(_) => {
                let (then, otherwise) = (self.evaluate(scope, then), self.evaluate(scope, otherwise));
                // The same choice in two places is the same text.
                let stack = &self.stacks[scope.stack].name;
                let unknown = match (then.as_text(), otherwise.as_text(), condition.text()) {
                    (Some(a), Some(b), Some(_)) => {
                        Unknown::Missing(format!("{a} or {b}, by the condition {name} of {stack}"))
                    }
                    _ => Unknown::Missing(format!("{name} of {stack} at byte {}", whole.span.start)),
                };
                self.need(format!(
                    "what hangs on the condition `{name}` of `{stack}` isn't known"
                ));
                then.either(otherwise, &unknown)
            }
        }
    }

    /// Whether a condition of a stack holds.
    pub fn condition(&self, stack: usize, assumed: Option<&str>, name: &str, depth: usize) -> Truth {
        if let Some(known) = self.premises(stack, assumed).and_then(|all| all.condition(name)) {
            return known;
        }
        let key = (stack, name.to_owned(), assumed.map(str::to_owned));
        let open = || Truth::Unknown(Unknown::Missing(format!("{name} of {}", self.stacks[stack].name)));
        if let Some(known) = self.conditions.borrow().get(&key) {
            return known.clone().unwrap_or_else(open);
        }
        self.conditions.borrow_mut().insert(key.clone(), None);
        let truth = self
            .member_of(stack, "Conditions", name)
            .map_or_else(open, |(node, loops)| {
                let scope = Scope {
                    depth,
                    ..Scope::new(stack, assumed, &loops)
                };
                self.truth(scope.deeper(), node)
            });
        self.conditions.borrow_mut().insert(key, Some(truth.clone()));
        truth
    }

    pub fn truth(&self, scope: Scope<'_>, node: &Node) -> Truth {
        self.steps.set(self.steps.get() + 1);
        let open = || {
            let stack = &self.stacks[scope.stack].name;
            Truth::Unknown(Unknown::Missing(format!(
                "a condition in {stack} at byte {}",
                node.span.start
            )))
        };
        if scope.depth > LONGEST_PATH || self.steps.get() > MOST_STEPS {
            return open();
        }
        let scope = scope.deeper();
        let [member] = node.members() else {
            return match node.text() {
                Some(text) if text.eq_ignore_ascii_case("true") => Truth::True,
                Some(text) if text.eq_ignore_ascii_case("false") => Truth::False,
                Some(_) | None => open(),
            };
        };
        let list = member.value.list();
        match (member.key.as_str(), list) {
            ("Condition", _) => match member.value.name() {
                Some(name) => {
                    let name = put_in(name, scope.loops);
                    self.condition(scope.stack, scope.assumed, &name, scope.depth)
                }
                None => open(),
            },
            ("Fn::Equals", Some([a, b])) => self.are_equal(scope, a, b).unwrap_or_else(open),
            ("Fn::And", Some(parts)) => Truth::all(parts.iter().map(|part| self.truth(scope, part))),
            ("Fn::Or", Some(parts)) => Truth::any(parts.iter().map(|part| self.truth(scope, part))),
            ("Fn::Not", Some([part])) => self.truth(scope, part).not(),
            _ => open(),
        }
    }

    fn are_equal(&self, scope: Scope<'_>, a: &Node, b: &Node) -> Option<Truth> {
        let (left, right) = (self.evaluate(scope, a), self.evaluate(scope, b));
        if left.is_same(&right) {
            return Some(Truth::True);
        }
        if left.is_wholly_known() && right.is_wholly_known() {
            return Some(Truth::False);
        }
        let (left, right) = (left.as_text()?, right.as_text()?);
        if self
            .premises(scope.stack, scope.assumed)
            .is_some_and(|premises| premises.are_apart(&left, &right))
        {
            return Some(Truth::False);
        }
        for (node, other) in [(a, &right), (b, &left)] {
            if let (Some(allowed), Some(other)) = (self.allowed(scope, node), other.known()) {
                match allowed.contains(other) {
                    false => return Some(Truth::False),
                    true if allowed.len() == 1 => return Some(Truth::True),
                    true => {}
                }
            }
        }
        None
    }
}

pub(super) fn is_bucket(resource: &Resource<'_>) -> bool {
    resource.kind() == "AWS::S3::Bucket"
}

fn is_function(key: &str) -> bool {
    key == "Ref" || (key.starts_with("Fn::") && !key.starts_with("Fn::ForEach"))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            out.push(match position <= chunk.len() {
                true => char::from(DIGITS[(group >> (18 - 6 * position) & 63) as usize]),
                false => '=',
            });
        }
    }
    out
}
