//! Why a statement is, or isn't, about a delivery: element by element.

use super::compare::Value;
use super::decide::{Prepared, SettledBy, UnknownKey, Unsaid};
use super::delivery::{Delivery, KeyLayout, Told};
use super::facts::Question;
use super::keys::{self, Mark, State};
use super::open::{self, Open};
use super::prepare::{
    ACTION, Coverage, PreparedCondition, PreparedStatement, Request, ResourceItem, covers_action,
    covers_log_service, is_legacy_account,
};
use super::syntax::{Condition, Effect, LOG_SERVICE, Principals, SetOperator, Statement, Test, Who};
use super::template::Part;
use super::truth::Truth;

/// A deciding statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    pub statement: String,
    pub effect: Effect,
    /// The element that tips it: the one to underline.
    pub element: String,
    /// What that element does here, in words.
    pub because: String,
    /// The smallest change of the policy that would change the verdict.
    pub edit: String,
}

/// A statement, weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementTrace {
    pub statement: String,
    pub name: String,
    pub effect: Effect,
    pub truth: Truth,
    pub elements: Vec<ElementTrace>,
}

/// An element of it, weighed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementTrace {
    pub kind: ElementKind,
    /// Its pointer.
    pub element: String,
    pub truth: Truth,
    /// What is written.
    pub wants: String,
    /// What the delivery carries.
    pub finds: String,
    pub mark: Mark,
    pub reference: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElementKind {
    Principal,
    Action,
    Resource,
    /// The key, as AWS spells it.
    Condition(String),
}

impl Prepared {
    /// Every statement, element by element.
    pub fn trace(&self, delivery: &Delivery) -> Vec<StatementTrace> {
        let request = Request::new(delivery, self.facts());
        (0..self.prepared().len())
            .map(|index| self.trace_statement(index, &request))
            .collect()
    }

    /// One line each, of what a verdict of "allowed" rests on that AWS doesn't document.
    pub fn caveats(&self, delivery: &Delivery) -> Vec<String> {
        let request = Request::new(delivery, self.facts());
        let mut caveats = Vec::new();
        for (statement, prepared) in self.policy().statements.iter().zip(self.prepared()) {
            let others_hold = |besides: usize| {
                prepared
                    .conditions
                    .iter()
                    .enumerate()
                    .filter(|(number, _)| *number != besides)
                    .all(|(_, condition)| request.condition(condition) != Truth::False)
                    && prepared
                        .principal
                        .and(prepared.action)
                        .and(request.resource(&prepared.resource))
                        != Truth::False
            };
            for (number, (condition, written)) in
                prepared.conditions.iter().zip(&statement.conditions).enumerate()
            {
                if !matches!(condition.mark(), Mark::Evidence | Mark::Inferred) || !others_hold(number) {
                    continue;
                }
                let matters = match statement.effect {
                    Effect::Allow => request.condition(condition) == Truth::True,
                    Effect::Deny => request.condition(condition) == Truth::False,
                    Effect::Neither => false,
                };
                if matters {
                    caveats.push(format!(
                        "`{}` in {}: a delivery carries {} ({}: {})",
                        keys::proper_name(&written.key),
                        statement.name(),
                        request.carries(condition),
                        condition.mark().words(),
                        condition.row.reference,
                    ));
                }
            }
        }
        caveats.dedup();
        caveats
    }

    /// One line each, of what the matching allows rest on for a time only.
    pub fn passing(&self, delivery: &Delivery) -> Vec<String> {
        let request = Request::new(delivery, self.facts());
        let is_of_time = |condition: &PreparedCondition| {
            matches!(
                condition.row.state,
                State::Of(keys::Dynamic::CurrentTime | keys::Dynamic::EpochTime)
            )
        };
        let mut passing = Vec::new();
        for (statement, ready) in self.policy().statements.iter().zip(self.prepared()) {
            let conditions = statement.conditions.iter().zip(&ready.conditions);
            let of_time = conditions.filter(|(_, condition)| is_of_time(condition));
            if statement.effect != Effect::Allow || request.statement(ready) != Truth::True {
                continue;
            }
            passing.extend(of_time.map(|(written, condition)| {
                format!(
                    "{} holds at {}, and only for a time: {} {}",
                    statement.name(),
                    request.carries(condition),
                    written.operator,
                    listed(written.values.iter().map(|value| value.text.as_str()))
                )
            }));
        }
        passing
    }

    pub(super) fn trace_statement(&self, index: usize, request: &Request<'_>) -> StatementTrace {
        let (statement, prepared) = (&self.policy().statements[index], &self.prepared()[index]);
        let mut elements = vec![
            principal(statement, prepared),
            action(statement, prepared),
            resource(statement, prepared, request),
        ];
        for (written, condition) in statement.conditions.iter().zip(&prepared.conditions) {
            elements.push(ElementTrace {
                kind: ElementKind::Condition(keys::proper_name(&written.key)),
                element: written.pointer.clone(),
                truth: request.condition(condition),
                wants: format!(
                    "{} {}",
                    written.operator,
                    listed(written.values.iter().map(|v| v.text.as_str()))
                ),
                finds: request.carries(condition),
                mark: condition.mark(),
                reference: condition.row.reference,
            });
        }
        let truth = elements
            .iter()
            .map(|element| element.truth)
            .fold(Truth::True, Truth::and);
        StatementTrace {
            statement: statement.pointer.clone(),
            name: statement.name(),
            effect: statement.effect,
            truth,
            elements,
        }
    }
}

/// A few values, the rest counted.
pub fn listed<'t>(values: impl Iterator<Item = &'t str>) -> String {
    const MOST: usize = 3;
    let mut text = String::new();
    let mut more = 0;
    for (number, value) in values.enumerate() {
        if number >= MOST {
            more += 1;
            continue;
        }
        if number > 0 {
            text.push_str(", ");
        }
        text.push('`');
        text.push_str(&open::shown(value));
        text.push('`');
    }
    match (text.is_empty(), more) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => text,
        (false, more) => format!("{text} and {more} more"),
    }
}

fn principal(statement: &Statement, prepared: &PreparedStatement) -> ElementTrace {
    let (element, wants) = match &statement.principal {
        None => (statement.pointer.clone(), "no principal".to_owned()),
        Some(principals) => (principals.pointer.clone(), principals_in_words(principals)),
    };
    ElementTrace {
        kind: ElementKind::Principal,
        element,
        truth: prepared.principal,
        wants,
        finds: format!("the service `{LOG_SERVICE}`"),
        mark: Mark::Documented,
        reference: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
    }
}

fn principals_in_words(principals: &Principals) -> String {
    let names: Vec<String> = principals
        .listed
        .iter()
        .map(|principal| match &principal.who {
            Who::Everyone => "*".to_owned(),
            Who::Aws(text) if text == "*" => "{\"AWS\":\"*\"}".to_owned(),
            Who::Aws(text)
            | Who::Service(text)
            | Who::CanonicalUser(text)
            | Who::Federated(text)
            | Who::Malformed(text) => text.clone(),
        })
        .collect();
    let names = listed(names.iter().map(String::as_str));
    if principals.negated {
        format!("anyone but {names}")
    } else {
        names
    }
}

fn action(statement: &Statement, prepared: &PreparedStatement) -> ElementTrace {
    let (element, wants) = match &statement.action {
        None => (statement.pointer.clone(), "no action".to_owned()),
        Some(action) => {
            let names = listed(action.items.iter().map(|item| item.text.as_str()));
            let deciding = action
                .items
                .iter()
                .find(|item| covers_action(&item.text) == Truth::True);
            (
                deciding.map_or(&action.pointer, |item| &item.pointer).clone(),
                if action.negated {
                    format!("any but {names}")
                } else {
                    names
                },
            )
        }
    };
    ElementTrace {
        kind: ElementKind::Action,
        element,
        truth: prepared.action,
        wants,
        finds: format!("`{ACTION}`"),
        mark: Mark::Documented,
        reference: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html",
    }
}

fn resource(statement: &Statement, prepared: &PreparedStatement, request: &Request<'_>) -> ElementTrace {
    let (element, wants) = match &statement.resource {
        None => (statement.pointer.clone(), "no resource".to_owned()),
        Some(resource) => {
            let names = listed(resource.items.iter().map(|item| item.text.as_str()));
            let deciding = resource
                .items
                .iter()
                .zip(&prepared.resource.items)
                .max_by_key(|(_, item)| match request.resource_item(item) {
                    Coverage::Is(truth) => truth,
                    Coverage::NoValue => Truth::False,
                })
                .filter(|_| {
                    request.resource(&prepared.resource) != Truth::False || resource.items.len() == 1
                });
            (
                deciding
                    .map_or(&resource.pointer, |(item, _)| &item.pointer)
                    .clone(),
                if resource.negated {
                    format!("any but {names}")
                } else {
                    names
                },
            )
        }
    };
    ElementTrace {
        kind: ElementKind::Resource,
        element,
        truth: request.resource(&prepared.resource),
        wants,
        finds: keys_in_words(request.delivery),
        mark: Mark::Given,
        reference: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetObjectKeyFormat.html",
    }
}

/// The ARN of the keys that an edge writes.
pub fn keys_in_words(delivery: &Delivery) -> String {
    let bucket = delivery.target_shown();
    let prefix = delivery.prefix.as_deref().unwrap_or("PREFIX");
    let more = match delivery.layout {
        Some(KeyLayout::Simple) => "YYYY-MM-DD-hh-mm-ss-…".to_owned(),
        Some(KeyLayout::Partitioned) => format!(
            "{}/{}/{}/YYYY/MM/DD/…",
            delivery
                .source_account
                .as_ref()
                .map_or("ACCOUNT", |id| id.as_str()),
            delivery
                .region
                .as_ref()
                .map_or("REGION", |region| region.as_str()),
            delivery.source_shown(),
        ),
        None => "…".to_owned(),
    };
    format!("`arn:{}:s3:::{bucket}/{prefix}{more}`", delivery.partition)
}

/// The element that tips a statement, and what would turn the verdict.
pub fn decider(prepared: &Prepared, index: usize, request: &Request<'_>) -> Decider {
    let (statement, ready) = (&prepared.policy().statements[index], &prepared.prepared()[index]);
    let truth = request.statement(ready);
    let (element, because) = match truth {
        Truth::Unknown => first_open(statement, ready, request),
        Truth::True | Truth::False => tipping(statement, ready, request),
    };
    Decider {
        statement: statement.pointer.clone(),
        effect: statement.effect,
        element,
        because,
        edit: edit(statement, ready, request, truth),
    }
}

/// Of a statement that matches: the condition that is least to be expected, else the principal.
fn tipping(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> (String, String) {
    if statement.effect == Effect::Allow {
        return (
            statement.pointer.clone(),
            "every element of it matches".to_owned(),
        );
    }
    let surprising = |condition: &PreparedCondition| match condition.row.state {
        _ if condition.told.is_some() => 1,
        State::Absent | State::Foreign(_) => 3,
        State::Of(_) => 2,
        State::Is(_) | State::AtLeast(_) | State::OneOf(_) | State::AbsentOr(_) | State::AbsentOrAny => 1,
    };
    let conditions = statement.conditions.iter().zip(&ready.conditions);
    // The first of the greatest: `max_by_key` would give the last.
    let found = conditions
        .rev()
        .max_by_key(|(_, condition)| surprising(condition));
    if let Some((written, condition)) = found {
        return (
            written.pointer.clone(),
            condition_because(written, condition, request),
        );
    }
    let Some(principals) = &statement.principal else {
        return (statement.pointer.clone(), "it is about log delivery".to_owned());
    };
    let because = if principals.negated {
        format!("`{LOG_SERVICE}` is not among those that are taken out")
    } else {
        match statement.effect {
            Effect::Deny => format!("this includes `{LOG_SERVICE}`, and no condition takes it out"),
            Effect::Allow | Effect::Neither => format!("this is, or includes, `{LOG_SERVICE}`"),
        }
    };
    (principals.pointer.clone(), because)
}

/// What a condition does to a delivery, in words.
fn condition_because(written: &Condition, condition: &PreparedCondition, request: &Request<'_>) -> String {
    let key = keys::proper_name(&written.key);
    let carried = request.carries(condition);
    let Some(operator) = written.parsed else {
        return format!("there is no operator `{}`", written.operator);
    };
    let why = match condition.row.state {
        _ if condition.told.is_some() => format!("a delivery carries {carried} as `{key}`, as you say"),
        State::Absent if operator.test == Test::Null => format!("a delivery carries no `{key}`"),
        State::Absent if operator.set == Some(SetOperator::ForAllValues) => {
            format!("a delivery carries no `{key}`, and for no values the condition holds")
        }
        State::Absent if operator.if_exists => {
            format!("a delivery carries no `{key}`, and `IfExists` then holds")
        }
        State::Absent => format!("a delivery carries no `{key}`, and a negated condition then holds"),
        State::Foreign(_) => format!("`{key}` of a delivery is none of yours, if it has one"),
        State::Is(_) | State::AtLeast(_) | State::OneOf(_) | State::Of(_) => {
            format!("`{key}` of this delivery is {carried}")
        }
        State::AbsentOr(_) | State::AbsentOrAny => format!("a delivery carries {carried} as `{key}`"),
    };
    match condition.mark() {
        Mark::Evidence | Mark::Inferred => format!("{why} ({})", condition.mark().words()),
        Mark::Given | Mark::Told | Mark::Documented | Mark::Open => why,
    }
}

fn first_open(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> (String, String) {
    let unknown = open_elements(statement, ready, request);
    match unknown.into_iter().next() {
        Some(first) => {
            let because = match first.settled_by {
                SettledBy::Keys => first.settle,
                SettledBy::Deploy | SettledBy::Input(_) | SettledBy::Nobody => {
                    format!("hangs on {}: {}", first.key, first.settle)
                }
            };
            (first.element, because)
        }
        None => (statement.pointer.clone(), "it can't be told".to_owned()),
    }
}

pub fn unknown_keys(prepared: &Prepared, index: usize, request: &Request<'_>) -> Vec<UnknownKey> {
    open_elements(
        &prepared.policy().statements[index],
        &prepared.prepared()[index],
        request,
    )
}

fn open_elements(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>) -> Vec<UnknownKey> {
    let mut open = Vec::new();
    let mut push = |key: String, element: &str, (settle, settled_by): Settled| {
        open.push(UnknownKey {
            key,
            statement: statement.pointer.clone(),
            element: element.to_owned(),
            settle,
            settled_by,
        });
    };
    if ready.principal == Truth::Unknown
        && let Some(principals) = &statement.principal
    {
        for principal in &principals.listed {
            if covers_log_service(principal, request.facts) != Truth::Unknown {
                continue;
            }
            let (key, question) = match &principal.who {
                Who::Aws(text) | Who::Service(text) if open::is_in(text) => {
                    push("Principal".to_owned(), &principal.pointer, only_the_deploy());
                    continue;
                }
                Who::Aws(text) if is_legacy_account(text) => (
                    "legacy log-delivery account principal".to_owned(),
                    Some(Question::LegacyAccount),
                ),
                Who::Aws(_) => ("Principal {\"AWS\":\"*\"}".to_owned(), Some(Question::AwsStar)),
                Who::Everyone
                | Who::Service(_)
                | Who::CanonicalUser(_)
                | Who::Federated(_)
                | Who::Malformed(_) => ("Principal".to_owned(), None),
            };
            let settle = match question {
                Some(question) => asks(question),
                None => ("S3 would refuse this principal".to_owned(), SettledBy::Nobody),
            };
            push(key, &principal.pointer, settle);
        }
    }
    if ready.action == Truth::Unknown
        && let Some(action) = &statement.action
    {
        push("Action".to_owned(), &action.pointer, only_the_deploy());
    }
    if request.resource(&ready.resource) == Truth::Unknown
        && let Some(resource) = &statement.resource
    {
        for (item, prepared) in resource.items.iter().zip(&ready.resource.items) {
            match request.resource_item(prepared) {
                Coverage::Is(Truth::Unknown) => {
                    let (key, settle) = resource_settle(prepared, request);
                    push(key, &item.pointer, settle);
                }
                Coverage::NoValue if resource.negated => push(
                    "NotResource with a variable that has no value".to_owned(),
                    &item.pointer,
                    asks(Question::NotResourceWithoutValue),
                ),
                Coverage::Is(Truth::True | Truth::False) | Coverage::NoValue => {}
            }
        }
    }
    for (written, condition) in statement.conditions.iter().zip(&ready.conditions) {
        if request.condition(condition) == Truth::Unknown {
            push(
                match written.parsed {
                    _ if open::is_in(&written.key) => "the statement".to_owned(),
                    Some(_) => keys::proper_name(&written.key),
                    None => written.operator.clone(),
                },
                &written.pointer,
                condition_settle(written, condition, request),
            );
        }
    }
    open
}

/// What would settle it, in words, and who knows that.
type Settled = (String, SettledBy);

/// Of a part that the policy leaves open.
fn only_the_deploy() -> Settled {
    let words = "what stands in it is told only by the deploy";
    (words.to_owned(), SettledBy::Deploy)
}

/// Of something that wasn't said about the edge.
fn would_tell(unsaid: Unsaid) -> Settled {
    let by = match unsaid {
        Unsaid::Organization => " (`--organization`)",
        _ => "",
    };
    (
        format!("{} would tell{by}", unsaid.words()),
        SettledBy::Input(unsaid),
    )
}

/// Whether a part of a text is told only by the deploy, or not at all.
fn is_made(parts: &[Part]) -> bool {
    parts
        .iter()
        .any(|part| matches!(part, Part::Open(Open::Missing(_) | Open::Made(_))))
}

fn asks(question: Question) -> Settled {
    let switch = question.switch();
    let words = format!(
        "{} Not documented; {}",
        capitalised(switch.asks),
        switch.reference
    );
    (words, SettledBy::Nobody)
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

fn resource_settle(item: &ResourceItem, request: &Request<'_>) -> (String, Settled) {
    let delivery = request.delivery;
    let is_partitioned = delivery.layout == Some(KeyLayout::Partitioned);
    let missing = [
        (
            delivery.target_bucket.is_none() && delivery.unnamed.target.is_none(),
            "the target's name",
            Unsaid::Target,
        ),
        (delivery.prefix.is_none(), "the prefix", Unsaid::Prefix),
        (delivery.layout.is_none(), "the key format", Unsaid::KeyFormat),
        (
            is_partitioned && delivery.source_account.is_none(),
            "the source's account",
            Unsaid::SourceAccount,
        ),
        (
            is_partitioned && delivery.region.is_none(),
            "the source's region",
            Unsaid::Region,
        ),
        (
            is_partitioned && delivery.source_bucket.is_none() && delivery.unnamed.source.is_none(),
            "the source's name",
            Unsaid::Source,
        ),
    ];
    if let Some((_, what, unsaid)) = missing.iter().find(|(missing, ..)| *missing) {
        return ((*what).to_owned(), would_tell(*unsaid));
    }
    match item {
        ResourceItem::Open => ("Resource".to_owned(), only_the_deploy()),
        ResourceItem::Arn {
            name: super::prepare::Name::Template(parts),
            ..
        } if is_made(parts) => ("Resource".to_owned(), only_the_deploy()),
        ResourceItem::Arn {
            name: super::prepare::Name::Template(_),
            ..
        } => (
            "a variable in Resource".to_owned(),
            (
                "the value of the variable would tell".to_owned(),
                SettledBy::Nobody,
            ),
        ),
        ResourceItem::Arn { .. } | ResourceItem::Everything | ResourceItem::Nothing => (
            "Resource".to_owned(),
            (
                format!(
                    "it covers some of the keys and not others; a key is like `{}`",
                    delivery.example_key()
                ),
                SettledBy::Keys,
            ),
        ),
    }
}

fn condition_settle(written: &Condition, condition: &PreparedCondition, request: &Request<'_>) -> Settled {
    let key = keys::proper_name(&written.key);
    if open::is_in(&written.key) {
        let words = "only the deploy tells whether it is there, and under which conditions";
        return (words.to_owned(), SettledBy::Deploy);
    }
    let nobody = |words: String| (words, SettledBy::Nobody);
    let Some(operator) = written.parsed else {
        return nobody(format!("there is no operator `{}`", written.operator));
    };
    if condition.values.is_empty() {
        return asks(Question::EmptyValues);
    }
    if condition.row.multivalued && operator.set.is_none() && operator.test != Test::Null {
        return asks(Question::MultivaluedWithoutSet);
    }
    let is_bare_star = |value: &Value| matches!(value, Value::Ready(super::compare::Matcher::BareStar, _));
    if condition.values.iter().any(is_bare_star) {
        return asks(Question::BareStarAsArn);
    }
    let is_useless = |value: &Value| matches!(value, Value::Ready(super::compare::Matcher::Useless, _));
    if condition.values.iter().any(is_useless) {
        return nobody(format!(
            "nothing can be compared with {}",
            listed(written.values.iter().map(|v| v.text.as_str()))
        ));
    }
    let is_made = |value: &Value| matches!(value, Value::Template(parts) if is_made(parts));
    if condition.values.iter().any(is_made) {
        return only_the_deploy();
    }
    match unsaid(condition.row.state, request.delivery) {
        Some(unsaid) => would_tell(unsaid),
        None => nobody(format!(
            "AWS doesn't say whether a delivery carries `{key}`, nor with which value ({})",
            condition.row.reference
        )),
    }
}

/// What about the edge would tell the value of a key, where it wasn't said.
fn unsaid(state: State, delivery: &Delivery) -> Option<Unsaid> {
    let State::Of(dynamic) = state else {
        return None;
    };
    let (unsaid, is_missing) = match dynamic {
        keys::Dynamic::SourceArn => (Unsaid::Source, delivery.source_bucket.is_none()),
        keys::Dynamic::SourceAccount => (Unsaid::SourceAccount, delivery.source_account.is_none()),
        keys::Dynamic::ResourceAccount => (Unsaid::TargetAccount, delivery.target_account.is_none()),
        keys::Dynamic::RequestedRegion => (Unsaid::Region, delivery.region.is_none()),
        keys::Dynamic::CurrentTime | keys::Dynamic::EpochTime => (Unsaid::Time, delivery.day().is_none()),
        // Of the paths nothing is known but the organization.
        keys::Dynamic::SourceOrganizationId
        | keys::Dynamic::SourceOrganizationPaths
        | keys::Dynamic::ResourceOrganizationId
        | keys::Dynamic::ResourceOrganizationPaths => {
            (Unsaid::Organization, delivery.organization == Told::Unknown)
        }
        keys::Dynamic::KmsKeyId => (Unsaid::Encryption, delivery.default_encryption.is_none()),
    };
    is_missing.then_some(unsaid)
}

pub fn unknown_acl(delivery: &Delivery) -> UnknownKey {
    let acl = delivery.acl;
    let read = |unsaid: Unsaid, action: &str| {
        let settled = (format!("{action} would tell"), SettledBy::Input(unsaid));
        (unsaid.words(), settled)
    };
    let (key, (settle, settled_by)) = if acl.ownership.is_none() {
        read(Unsaid::Ownership, "s3:GetBucketOwnershipControls")
    } else if acl.write.is_none() || acl.read_acp.is_none() {
        read(Unsaid::Acl, "s3:GetBucketAcl")
    } else {
        (
            "LogDelivery has WRITE without READ_ACP",
            asks(Question::WriteWithoutReadAcp),
        )
    };
    UnknownKey {
        key: key.to_owned(),
        statement: String::new(),
        element: String::new(),
        settle,
        settled_by,
    }
}

/// What to change, in one sentence.
fn edit(statement: &Statement, ready: &PreparedStatement, request: &Request<'_>, truth: Truth) -> String {
    let open = match truth {
        Truth::Unknown => open_elements(statement, ready, request),
        Truth::True | Truth::False => Vec::new(),
    };
    // Where the question is what lacks, nothing is wrong with the statement.
    let unsaid = open.iter().find_map(|key| match key.settled_by {
        SettledBy::Input(unsaid) => Some(unsaid),
        SettledBy::Deploy | SettledBy::Keys | SettledBy::Nobody => None,
    });
    if let Some(unsaid) = unsaid {
        return ask(unsaid);
    }
    match (statement.effect, truth) {
        (Effect::Deny, _) => exempt(statement),
        (Effect::Allow, Truth::Unknown) => {
            let conditions = open.iter().filter(|key| key.element.contains("/Condition/"));
            let names: Vec<&str> = conditions.map(|key| key.key.as_str()).collect();
            if !names.is_empty() {
                format!(
                    "take {} out of the condition of this statement",
                    listed(names.into_iter())
                )
            } else if ready.principal == Truth::Unknown {
                format!("write `\"Principal\": {{\"Service\": \"{LOG_SERVICE}\"}}`")
            } else {
                format!("let `Resource` cover {}", keys_in_words(request.delivery))
            }
        }
        (Effect::Allow | Effect::Neither, _) => String::new(),
    }
}

/// How to say what is asked about.
fn ask(unsaid: Unsaid) -> String {
    let words = unsaid.words();
    match unsaid {
        Unsaid::Organization => format!(
            "say which is {words}: `--organization o-…`, or `organization` under `[facts]` in the settings file"
        ),
        Unsaid::Source
        | Unsaid::SourceAccount
        | Unsaid::Target
        | Unsaid::TargetAccount
        | Unsaid::Region
        | Unsaid::Prefix
        | Unsaid::KeyFormat
        | Unsaid::Encryption
        | Unsaid::Ownership
        | Unsaid::Acl
        | Unsaid::Time => format!("say which is {words}"),
    }
}

/// How to take the log service out of a deny.
fn exempt(statement: &Statement) -> String {
    match &statement.principal {
        Some(principals) if principals.negated => {
            format!(
                "add `{{\"Service\": \"{LOG_SERVICE}\"}}` to `NotPrincipal`, or replace it by a condition"
            )
        }
        _ if statement.conditions.is_empty() => format!(
            "add `\"Condition\": {{\"StringNotEquals\": {{\"aws:PrincipalServiceName\": \"{LOG_SERVICE}\"}}}}`"
        ),
        _ => {
            "add `\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}` to its `Condition`".to_owned()
        }
    }
}
