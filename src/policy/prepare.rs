//! A policy made ready: all that doesn't depend on the edge is decided once.

use super::compare::{Foreignness, Matcher, Resolved, Value, holds};
use super::delivery::Delivery;
use super::facts::{Facts, Question};
use super::keys::{self, Dynamic, Mark, Row, State, World, Worth};
use super::open::{self, Open, stand_in};
use super::pattern::{Atom, Pattern};
use super::syntax::{
    Condition, Effect, LEGACY_LOG_ACCOUNT, LOG_SERVICE, Listed, Operator, Policy, Principal, Statement, Test,
    Who,
};
use super::template::{Part, Wildcards, parts};
use super::truth::Truth;
use super::words::Words;

/// What S3 asks leave for.
pub const ACTION: &str = "s3:PutObject";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedStatement {
    /// Its place in the policy's list.
    pub number: usize,
    pub effect: Effect,
    pub principal: Truth,
    pub action: Truth,
    pub resource: PreparedResource,
    pub conditions: Vec<PreparedCondition>,
    /// Some part is false whatever the edge.
    pub is_dead: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedResource {
    pub negated: bool,
    pub items: Vec<ResourceItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceItem {
    Arn {
        /// The ARN of no bucket whatsoever.
        is_of_s3: bool,
        partition: Pattern,
        name: Name,
    },
    /// `*`, which S3 refuses.
    Everything,
    /// No ARN.
    Nothing,
    /// Its first parts are told only by a deploy.
    Open,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Pattern(Pattern),
    Template(Vec<Part>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedCondition {
    /// In lower case.
    pub key: String,
    pub operator: Option<Operator>,
    pub values: Vec<Value>,
    pub row: Row,
    /// What the user says of the key, in place of the row.
    pub told: Option<Vec<World<'static>>>,
    /// The answer, where it is the same for every edge.
    pub fixed: Option<Truth>,
}

impl PreparedCondition {
    pub fn mark(&self) -> Mark {
        match self.told {
            Some(_) => Mark::Told,
            None => self.row.mark,
        }
    }
}

pub fn statements(policy: &Policy, facts: &Facts) -> Vec<PreparedStatement> {
    let variables = policy.version.has_variables();
    policy
        .statements
        .iter()
        .enumerate()
        .map(|(number, statement)| prepare(number, statement, variables, facts))
        .collect()
}

fn prepare(number: usize, statement: &Statement, variables: bool, facts: &Facts) -> PreparedStatement {
    let conditions: Vec<PreparedCondition> = statement
        .conditions
        .iter()
        .map(|condition| prepare_condition(condition, variables, facts))
        .collect();
    let principal = match &statement.principal {
        None => Truth::False,
        Some(principals) => {
            let any = principals
                .listed
                .iter()
                .map(|principal| covers_log_service(principal, facts))
                .fold(Truth::False, Truth::or);
            if principals.negated { !any } else { any }
        }
    };
    let action = covers(statement.action.as_ref());
    let is_dead = principal == Truth::False
        || action == Truth::False
        || conditions
            .iter()
            .any(|condition| condition.fixed == Some(Truth::False));
    PreparedStatement {
        number,
        effect: statement.effect,
        principal,
        action,
        resource: resource(statement.resource.as_ref(), variables),
        conditions,
        is_dead,
    }
}

/// Whether a principal is, or includes, the service that delivers logs.
pub fn covers_log_service(principal: &Principal, facts: &Facts) -> Truth {
    match &principal.who {
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalisawsservice
        // denies `"*"` and takes services out of it: they are in.
        Who::Everyone => Truth::True,
        // Whatever a deploy makes is a role or a user; what it is given may be anything.
        Who::Aws(text) if open::is_in(text) => match Open::leading(text) {
            Some((Open::Missing(_), "")) => Truth::Unknown,
            Some(_) | None => Truth::False,
        },
        Who::Service(text) if open::is_in(text) => {
            let atoms = parts(text, Wildcards::No, false)
                .into_iter()
                .map(|part| match part {
                    Part::Atom(atom) => atom,
                    Part::Open(_) | Part::Variable { .. } => Atom::Run,
                });
            Truth::from(Pattern::of(atoms).matches(LOG_SERVICE)).and(Truth::Unknown)
        }
        Who::Aws(text) if text == "*" => facts.to(Question::AwsStar),
        Who::Aws(text) if is_legacy_account(text) => facts.to(Question::LegacyAccount),
        Who::Service(text) if text == LOG_SERVICE => Truth::True,
        Who::Service(text) if text.contains(['*', '?']) && Pattern::new(text).matches(LOG_SERVICE) => {
            Truth::Unknown
        }
        Who::Malformed(text) if text == LOG_SERVICE => Truth::Unknown,
        Who::Aws(_) | Who::Service(_) | Who::CanonicalUser(_) | Who::Federated(_) | Who::Malformed(_) => {
            Truth::False
        }
    }
}

pub fn is_legacy_account(text: &str) -> bool {
    text == LEGACY_LOG_ACCOUNT
        || text
            .strip_prefix("arn:")
            .and_then(|rest| rest.split_once(":iam::"))
            .is_some_and(|(_, rest)| rest.split_once(':') == Some((LEGACY_LOG_ACCOUNT, "root")))
}

fn covers(listed: Option<&Listed>) -> Truth {
    let Some(listed) = listed else {
        return Truth::False;
    };
    let any = listed
        .items
        .iter()
        .map(|item| covers_action(&item.text))
        .fold(Truth::False, Truth::or);
    if listed.negated { !any } else { any }
}

/// Whether an action is, or includes, what S3 asks leave for.
pub fn covers_action(text: &str) -> Truth {
    if open::is_in(text) {
        return Truth::Unknown;
    }
    Truth::from(Pattern::new(&text.to_ascii_lowercase()).matches("s3:putobject"))
}

fn resource(listed: Option<&Listed>, variables: bool) -> PreparedResource {
    PreparedResource {
        negated: listed.is_some_and(|listed| listed.negated),
        items: listed
            .iter()
            .flat_map(|listed| &listed.items)
            .map(|item| resource_item(&item.text, variables))
            .collect(),
    }
}

fn resource_item(text: &str, variables: bool) -> ResourceItem {
    if text == "*" {
        return ResourceItem::Everything;
    }
    if open::position(text).is_some_and(|at| text[..at].matches(':').count() < 5) {
        return ResourceItem::Open;
    }
    let segments: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, name] = segments.as_slice() else {
        return ResourceItem::Nothing;
    };
    let empty = |segment: &str| Pattern::new(segment).matches("");
    let parts = parts(name, Wildcards::Yes, variables);
    ResourceItem::Arn {
        is_of_s3: Pattern::new(service).matches("s3") && empty(region) && empty(account),
        partition: Pattern::new(partition),
        name: match super::template::pattern(&parts) {
            Some(pattern) => Name::Pattern(pattern),
            None => Name::Template(parts),
        },
    }
}

fn prepare_condition(condition: &Condition, variables: bool, facts: &Facts) -> PreparedCondition {
    let key = condition.key.to_ascii_lowercase();
    let row = keys::row(&key);
    let told = keys::told(facts, &key);
    let values: Vec<Value> = match condition.parsed {
        Some(operator) => condition
            .values
            .iter()
            .map(|value| Value::new(operator.test, &value.text, variables))
            .collect(),
        None => Vec::new(),
    };
    let mut prepared = PreparedCondition {
        key,
        operator: condition.parsed,
        values,
        row,
        told,
        fixed: None,
    };
    prepared.fixed = fixed(&prepared, facts);
    prepared
}

fn fixed(condition: &PreparedCondition, facts: &Facts) -> Option<Truth> {
    if open::is_in(&condition.key) {
        return Some(Truth::Unknown);
    }
    let Some(operator) = condition.operator else {
        return Some(Truth::Unknown);
    };
    if condition
        .values
        .iter()
        .any(|value| matches!(value, Value::Template(_)))
    {
        return None;
    }
    let nowhere = Delivery::between("", "");
    let own;
    let worlds = match (&condition.told, condition.row.state) {
        (Some(told), _) => told,
        (None, State::Of(_)) => return None,
        (None, state) => {
            own = keys::worlds(state, &nowhere);
            &own
        }
    };
    let unresolved = |_: Test, _: &[Part]| Resolved::NoValue;
    Some(holds(
        operator,
        &condition.values,
        worlds,
        condition.row.multivalued,
        facts,
        &unresolved,
    ))
}

/// One edge, with what the statements of a policy will ask of it.
pub struct Request<'d> {
    pub delivery: &'d Delivery,
    pub facts: &'d Facts,
    pub names: Words<'d>,
    /// By the number of a [`Dynamic`].
    dynamic: [Vec<World<'d>>; 11],
}

const DYNAMIC: [Dynamic; 11] = [
    Dynamic::SourceArn,
    Dynamic::SourceAccount,
    Dynamic::ResourceAccount,
    Dynamic::RequestedRegion,
    Dynamic::CurrentTime,
    Dynamic::EpochTime,
    Dynamic::SourceOrganizationId,
    Dynamic::SourceOrganizationPaths,
    Dynamic::ResourceOrganizationId,
    Dynamic::ResourceOrganizationPaths,
    Dynamic::KmsKeyId,
];

impl<'d> Request<'d> {
    pub fn new(delivery: &'d Delivery, facts: &'d Facts) -> Self {
        Self {
            delivery,
            facts,
            names: delivery.object_names(),
            dynamic: DYNAMIC.map(|dynamic| keys::worlds(State::Of(dynamic), delivery)),
        }
    }

    /// The same edge's target, asked by somebody of whom no policy speaks.
    pub fn of_a_stranger(delivery: &'d Delivery, facts: &'d Facts, is_in_an_organization: bool) -> Self {
        Self {
            dynamic: DYNAMIC.map(|dynamic| {
                keys::stranger_worlds(dynamic, delivery, is_in_an_organization)
                    .unwrap_or_else(|| keys::worlds(State::Of(dynamic), delivery))
            }),
            ..Self::new(delivery, facts)
        }
    }

    fn dynamic(&self, dynamic: Dynamic) -> &[World<'d>] {
        &self.dynamic[dynamic as usize]
    }

    pub fn condition(&self, condition: &PreparedCondition) -> Truth {
        if let Some(fixed) = condition.fixed {
            return fixed;
        }
        let Some(operator) = condition.operator else {
            return Truth::Unknown;
        };
        let resolve = |test: Test, parts: &[Part]| self.resolve(test, parts);
        let own;
        let worlds: &[World<'_>] = match (&condition.told, condition.row.state) {
            (Some(told), _) => told,
            (None, State::Of(dynamic)) => self.dynamic(dynamic),
            (None, state) => {
                own = keys::worlds(state, self.delivery);
                &own
            }
        };
        holds(
            operator,
            &condition.values,
            worlds,
            condition.row.multivalued,
            self.facts,
            &resolve,
        )
    }

    fn resolve(&self, test: Test, parts: &[Part]) -> Resolved {
        if test == Test::Arn && opens_early(parts) {
            return Resolved::AtMost(Matcher::Useless);
        }
        match self.fill(parts) {
            Filled::Is(atoms) => Resolved::Is(Matcher::new(test, &atoms), Foreignness::Perhaps),
            // A star in a test without stars is taken as one all the same: wider is what is wanted.
            Filled::AtMost(atoms) => Resolved::AtMost(match test {
                Test::StringEqualsIgnoreCase | Test::Bool => Matcher::Useless,
                _ => Matcher::new(test, &atoms),
            }),
            Filled::NoValue => Resolved::NoValue,
        }
    }

    /// Puts the values of variables into a text.
    fn fill(&self, parts: &[Part]) -> Filled {
        let mut atoms = Vec::new();
        let mut open = false;
        for part in parts {
            match part {
                Part::Atom(atom) => atoms.push(*atom),
                Part::Open(Open::Bucket(label)) => {
                    atoms.push(Atom::Char(self.delivery.unnamed.stand_in(label)));
                }
                Part::Open(Open::Account) => match &self.delivery.target_account {
                    Some(id) => atoms.extend(id.as_str().chars().map(Atom::Char)),
                    None => atoms.push(Atom::Char(stand_in::ACCOUNT)),
                },
                Part::Open(Open::Missing(_) | Open::Made(_)) => {
                    open = true;
                    atoms.push(Atom::Run);
                }
                Part::Variable { key, default } => match self.variable(key) {
                    Variable::Known(text) => atoms.extend(text.chars().map(Atom::Char)),
                    Variable::Absent => match default {
                        Some(text) => atoms.extend(text.chars().map(Atom::Char)),
                        None => return Filled::NoValue,
                    },
                    Variable::Unknown => {
                        open = true;
                        atoms.push(Atom::Run);
                    }
                },
            }
        }
        if open {
            Filled::AtMost(atoms)
        } else {
            Filled::Is(atoms)
        }
    }

    fn variable(&self, key: &str) -> Variable {
        let row = keys::row(key);
        let told = keys::told(self.facts, key);
        let own;
        let worlds: &[World<'_>] = match (&told, row.state) {
            (Some(told), _) => told,
            (None, State::Of(dynamic)) => self.dynamic(dynamic),
            (None, state) => {
                own = keys::worlds(state, self.delivery);
                &own
            }
        };
        match worlds {
            [World::Absent] => Variable::Absent,
            [World::Values(found)] if !row.multivalued => match found.as_slice() {
                [worth] => worth
                    .known()
                    .map_or(Variable::Unknown, |text| Variable::Known(text.to_owned())),
                _ => Variable::Unknown,
            },
            _ => Variable::Unknown,
        }
    }

    pub fn resource_item(&self, item: &ResourceItem) -> Coverage {
        match item {
            ResourceItem::Everything => Coverage::Is(Truth::True),
            ResourceItem::Nothing => Coverage::Is(Truth::False),
            ResourceItem::Open => Coverage::Is(Truth::Unknown),
            ResourceItem::Arn {
                is_of_s3,
                partition,
                name,
            } => {
                if !is_of_s3 || !partition.matches(self.delivery.partition.as_str()) {
                    return Coverage::Is(Truth::False);
                }
                match name {
                    Name::Pattern(pattern) => Coverage::Is(pattern.covers(&self.names)),
                    Name::Template(parts) => match self.fill(parts) {
                        Filled::Is(atoms) => Coverage::Is(Pattern::of(atoms).covers(&self.names)),
                        Filled::AtMost(atoms) => {
                            Coverage::Is(Pattern::of(atoms).covers(&self.names).and(Truth::Unknown))
                        }
                        Filled::NoValue => Coverage::NoValue,
                    },
                }
            }
        }
    }

    /// Whether the resources cover all keys of the edge: False for none of them, Unknown for some.
    pub fn resource(&self, resource: &PreparedResource) -> Truth {
        if resource.items.is_empty() {
            return Truth::False;
        }
        let mut any = Truth::False;
        for item in &resource.items {
            any = any.or(match self.resource_item(item) {
                Coverage::Is(truth) => truth,
                Coverage::NoValue if resource.negated => !self.facts.to(Question::NotResourceWithoutValue),
                Coverage::NoValue => Truth::False,
            });
            if any == Truth::True {
                break;
            }
        }
        if resource.negated { !any } else { any }
    }

    /// Whether a statement is about this delivery.
    pub fn statement(&self, statement: &PreparedStatement) -> Truth {
        if statement.is_dead {
            return Truth::False;
        }
        let mut truth = statement.principal.and(statement.action);
        for condition in &statement.conditions {
            if truth == Truth::False {
                return truth;
            }
            truth = truth.and(self.condition(condition));
        }
        if truth == Truth::False {
            return truth;
        }
        truth.and(self.resource(&statement.resource))
    }
}

/// Whether a part that only a deploy tells stands before the sixth part of an ARN: it may hold colons.
fn opens_early(parts: &[Part]) -> bool {
    let open = |part: &Part| matches!(part, Part::Open(Open::Missing(_) | Open::Made(_)));
    let colons = |parts: &[Part]| {
        let colon = |part: &&Part| **part == Part::Atom(Atom::Char(':'));
        parts.iter().filter(colon).count()
    };
    parts
        .iter()
        .position(open)
        .is_some_and(|at| colons(&parts[..at]) < 5)
}

pub enum Coverage {
    Is(Truth),
    /// A variable in it has no value.
    NoValue,
}

enum Filled {
    Is(Vec<Atom>),
    AtMost(Vec<Atom>),
    NoValue,
}

enum Variable {
    Known(String),
    Absent,
    Unknown,
}

/// The value that a request carries, in words.
pub fn carried(worlds: &[World<'_>]) -> String {
    let value = |worth: &Worth<'_>| match worth {
        Worth::Foreign(_) => "a value of AWS's own".to_owned(),
        Worth::Words(words) => match words.only() {
            Some(text) => format!("`{text}`"),
            None if words.head().is_empty() => "some value".to_owned(),
            None => format!("`{}…`", words.head()),
        },
    };
    let world = |world: &World<'_>| match world {
        World::Absent => "nothing".to_owned(),
        World::Values(found) => found.iter().map(value).collect::<Vec<_>>().join(" with "),
    };
    worlds.iter().map(world).collect::<Vec<_>>().join(" or ")
}

impl Request<'_> {
    /// What a delivery carries of a condition's key, in words.
    pub fn carries(&self, condition: &PreparedCondition) -> String {
        match (&condition.told, condition.row.state) {
            (Some(told), _) => carried(told),
            // To the day: two runs of one day say the same.
            (None, State::Of(Dynamic::CurrentTime | Dynamic::EpochTime)) => match self.delivery.day() {
                Some(day) => format!("the time of `{day}`"),
                None => "some time".to_owned(),
            },
            (None, State::Of(dynamic)) => carried(self.dynamic(dynamic)),
            (None, state) => carried(&keys::worlds(state, self.delivery)),
        }
    }
}
