//! What else the rules ask of a policy: grants without a source, grants to the public, conditions that mislead.

use super::decide::Prepared;
use super::delivery::Delivery;
use super::keys::{self, Spelling, State};
use super::names::is_account;
use super::open::{self, Open};
use super::parse::parse_network;
use super::pattern::{Atom, Pattern};
use super::prepare::{PreparedStatement, Request};
use super::syntax::{
    Condition, Effect, Item, LOG_SERVICE, Operator, Order, SetOperator, Statement, Test, Who,
};
use super::template::{Part, Wildcards, parts};
use super::truth::Truth;
use super::words::{Class, Words};

/// A condition that can't do what it says for log delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misleading {
    pub kind: MisleadingKind,
    /// The statement.
    pub statement: String,
    /// The element.
    pub element: String,
    /// What is written there, the key or the value.
    pub written: String,
    /// What it does in truth, half a sentence.
    pub because: String,
    /// What to write instead.
    pub edit: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MisleadingKind {
    WildcardInEquals,
    SourceArnOfObjects,
    SourceArnWithAccount,
    SourceAccountFormat,
    ForAllValuesOnSingleValue,
    PrivateAddress,
    ImpossibleOnGrant,
    ViaAwsServiceAsExemption,
    NoSuchKey,
}

impl Prepared {
    /// The allows that name the log service itself, whatever they ask for beside.
    pub fn log_delivery_grants(&self) -> Vec<&Statement> {
        self.about_log_delivery()
            .filter(|(statement, _)| statement.effect == Effect::Allow && names_log_service(statement))
            .map(|(statement, _)| statement)
            .collect()
    }

    /// Whether only the deploy tells if there is such an allow.
    pub fn is_log_delivery_granted_perhaps(&self) -> bool {
        self.all().any(|(statement, ready)| {
            statement.effect == Effect::Allow
                && ready.principal != Truth::False
                && ready.action != Truth::False
                && statement.hangs_on_the_deploy()
        })
    }

    /// The allows that let the log service write, for whichever source: the confused deputy.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>
    ///
    /// What else the request carries, this delivery to the same bucket says.
    pub fn unscoped_grants(&self, delivery: &Delivery) -> Vec<&Statement> {
        let strangers = self.strangers(delivery);
        self.about_log_delivery()
            .filter(is_unscoped_grant)
            .filter(|grant| strangers.iter().any(|stranger| self.lets_in(grant, stranger)))
            .map(|(statement, _)| statement)
            .collect()
    }

    /// Whether only the deploy tells if there is such an allow.
    pub fn is_unscoped_perhaps(&self, delivery: &Delivery) -> bool {
        let strangers = self.strangers(delivery);
        self.all()
            .filter(|grant| strangers.iter().any(|stranger| self.lets_in(grant, stranger)))
            .filter(|(statement, ready)| {
                ready.principal != Truth::False
                    && ready.action != Truth::False
                    && (ready.principal == Truth::Unknown
                        || ready.action == Truth::Unknown
                        || !statement.is_surely_there())
                    && statement.hangs_on_the_deploy()
            })
            .any(|(statement, ready)| {
                statement.effect == Effect::Allow
                    && !ready.is_dead
                    && !statement.conditions.iter().any(scopes_source)
            })
    }

    /// Somebody of another organization, and somebody of none.
    fn strangers<'d>(&'d self, delivery: &'d Delivery) -> [Request<'d>; 2] {
        [true, false].map(|is_in_one| Request::of_a_stranger(delivery, self.facts(), is_in_one))
    }

    /// Whether an allow may hold for a stranger's logs, and no deny surely takes them out again.
    fn lets_in(&self, (grant, ready): &(&Statement, &PreparedStatement), stranger: &Request<'_>) -> bool {
        let hold = |ready: &PreparedStatement| {
            let conditions = ready
                .conditions
                .iter()
                .map(|condition| stranger.condition(condition));
            conditions.fold(ready.principal.and(ready.action), Truth::and)
        };
        let takes_out = |(deny, ready): (&Statement, &PreparedStatement)| {
            deny.effect == Effect::Deny
                && deny.is_surely_there()
                && hold(ready) == Truth::True
                && reaches_as_far(deny, grant)
        };
        hold(ready) != Truth::False && !self.all().any(takes_out)
    }

    /// The allows by which anyone can read objects that this edge writes, unless public access is blocked.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
    pub fn public_reads(&self, delivery: &Delivery) -> Vec<&Statement> {
        self.reads_of_everyone(delivery, Truth::True)
    }

    /// Whether only the deploy tells if there is such an allow.
    pub fn is_public_perhaps(&self, delivery: &Delivery) -> bool {
        !self.reads_of_everyone(delivery, Truth::Unknown).is_empty()
    }

    fn reads_of_everyone(&self, delivery: &Delivery, wanted: Truth) -> Vec<&Statement> {
        let request = Request::new(delivery, self.facts());
        // "To read a specific version" only the second is needed, and `null` is the version of an object that has
        // none: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        let [object, version] =
            ["s3:getobject", "s3:getobjectversion"].map(|action| self.public_by(action, &request));
        let statements = self
            .policy()
            .statements
            .iter()
            .zip(object.into_iter().zip(version));
        statements
            .filter(|(_, (object, version))| object.or(*version) == wanted)
            .map(|(statement, _)| statement)
            .collect()
    }

    /// For each statement, whether it lets everybody do this, and no deny holds them to a part of the world.
    fn public_by(&self, action: &str, request: &Request<'_>) -> Vec<Truth> {
        let reads = |(statement, ready): &(&Statement, &PreparedStatement)| {
            Truth::from(statement.is_surely_there())
                .or(Truth::Unknown)
                .and(is_about_everyone(statement))
                .and(covers(statement, action))
                .and(reaches(statement, request.resource(&ready.resource)))
        };
        let narrowed = self
            .all()
            .filter(|(statement, _)| statement.effect == Effect::Deny && narrows(statement))
            .map(|deny| reads(&deny))
            .fold(Truth::False, Truth::or);
        self.all()
            .map(|each| {
                let (statement, _) = each;
                match statement.effect == Effect::Allow && !statement.conditions.iter().any(restricts) {
                    true => reads(&each).and(!narrowed),
                    false => Truth::False,
                }
            })
            .collect()
    }

    /// Conditions of statements about log delivery that can't do what they say.
    pub fn misleading(&self) -> Vec<Misleading> {
        let mut found = Vec::new();
        for (statement, _) in self.about_log_delivery() {
            let exempts_services = statement.conditions.iter().any(|condition| {
                let key = condition.key.to_ascii_lowercase();
                matches!(
                    key.as_str(),
                    "aws:principalisawsservice"
                        | "aws:principalservicename"
                        | "aws:principalservicenameslist"
                )
            });
            for condition in &statement.conditions {
                if let Some(operator) = condition.parsed {
                    review(statement, condition, operator, exempts_services, &mut found);
                }
            }
        }
        found
    }

    fn all(&self) -> impl Iterator<Item = (&Statement, &PreparedStatement)> {
        self.policy().statements.iter().zip(self.prepared())
    }

    fn about_log_delivery(&self) -> impl Iterator<Item = (&Statement, &PreparedStatement)> {
        self.all().filter(|(statement, ready)| {
            ready.principal != Truth::False && ready.action == Truth::True && statement.is_surely_there()
        })
    }
}

fn is_unscoped_grant((statement, ready): &(&Statement, &PreparedStatement)) -> bool {
    statement.effect == Effect::Allow
        && ready.principal == Truth::True
        && !ready.is_dead
        && !statement.conditions.iter().any(scopes_source)
}

fn names_log_service(statement: &Statement) -> bool {
    statement.principal.as_ref().is_some_and(|principals| {
        !principals.negated
            && principals
                .listed
                .iter()
                .any(|principal| matches!(&principal.who, Who::Service(text) if text == LOG_SERVICE))
    })
}

/// Whether a statement is about everybody.
pub fn is_about_everyone(statement: &Statement) -> Truth {
    let Some(principals) = &statement.principal else {
        return Truth::False;
    };
    let any = principals
        .listed
        .iter()
        .map(|principal| match &principal.who {
            Who::Everyone => Truth::True,
            Who::Aws(text) if text == "*" => Truth::True,
            Who::Aws(text) | Who::Malformed(text) => Truth::from(may_be_everyone(text)).and(Truth::Unknown),
            Who::Service(_) | Who::CanonicalUser(_) | Who::Federated(_) => Truth::False,
        })
        .fold(Truth::False, Truth::or);
    // All but a few are everybody.
    if principals.negated { !any } else { any }
}

/// Whether the deploy may make a `*` of a text. What it makes itself is a role or a user.
fn may_be_everyone(text: &str) -> bool {
    let is_free = |part: &Part| match part {
        Part::Atom(atom) => *atom == Atom::Char('*'),
        Part::Open(open) => matches!(open, Open::Missing(_)),
        Part::Variable { .. } => false,
    };
    open::is_told_later(text) && parts(text, Wildcards::No, false).iter().all(is_free)
}

/// Whether the actions include one, which is given in lower case.
fn covers(statement: &Statement, action: &str) -> Truth {
    let Some(listed) = &statement.action else {
        return Truth::False;
    };
    let includes = |item: &Item| {
        let atoms = parts(&item.text.to_ascii_lowercase(), Wildcards::Yes, false)
            .into_iter()
            .map(|part| match part {
                Part::Atom(atom) => atom,
                Part::Open(_) | Part::Variable { .. } => Atom::Run,
            });
        let most = Truth::from(Pattern::of(atoms).matches(action));
        match open::is_in(&item.text) {
            true => most.and(Truth::Unknown),
            false => most,
        }
    };
    let any = listed.items.iter().map(includes).fold(Truth::False, Truth::or);
    if listed.negated { !any } else { any }
}

/// Whether a statement is about objects of the edge, by how far its resources cover them: about some is enough, but not
/// where it is the deploy that tells.
fn reaches(statement: &Statement, coverage: Truth) -> Truth {
    let mut items = statement.resource.iter().flat_map(|listed| &listed.items);
    match coverage {
        Truth::Unknown if !items.any(|item| open::is_told_later(&item.text)) => Truth::True,
        coverage => coverage,
    }
}

/// Whether a deny is about all objects that a grant is about: about every object, or about the same ones.
fn reaches_as_far(deny: &Statement, grant: &Statement) -> bool {
    let (Some(deny), Some(grant)) = (&deny.resource, &grant.resource) else {
        return false;
    };
    let covered = |item: &Item| {
        let names = all_names(&item.text);
        let covers = |deny: &Item| Pattern::new(&deny.text).covers(&names) == Truth::True;
        deny.items.iter().any(covers)
    };
    // The bucket itself is no object.
    let is_about_objects = |item: &&Item| item.text.contains(['/', '*', '?', '$']);
    !deny.negated && !grant.negated && grant.items.iter().filter(is_about_objects).all(covered)
}

/// Everything that a pattern stands for.
fn all_names(pattern: &str) -> Words<'_> {
    pattern
        .split_inclusive(['*', '?'])
        .fold(Words::default(), |words, part| {
            let (text, most) = match (part.strip_suffix('*'), part.strip_suffix('?')) {
                (Some(text), _) => (text, Some((0, None))),
                (None, Some(text)) => (text, Some((1, Some(1)))),
                (None, None) => (part, None),
            };
            let words = words.then(text);
            match most {
                Some((least, most)) => words.then_some(Class::Anything, least, most),
                None => words,
            }
        })
}

/// A condition that holds a grant to some sources.
fn scopes_source(condition: &Condition) -> bool {
    let Some(operator) = condition.parsed.filter(|operator| !operator.negated) else {
        return false;
    };
    let is_no_value = match operator.test {
        Test::Null | Test::Date(_) | Test::Bool | Test::Binary | Test::IpAddress => true,
        Test::Numeric(order) => order != Order::Equal,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::Arn => false,
    };
    if is_no_value {
        return false;
    }
    // With `IfExists` and `ForAllValues` too: a delivery always says whose logs it brings. But whoever is in no
    // organization passes then.
    let key = condition.key.to_ascii_lowercase();
    let passes_without = operator.if_exists || operator.set == Some(SetOperator::ForAllValues);
    if passes_without && key.starts_with("aws:sourceorg") {
        return false;
    }
    let says_something = |text: &str| text.chars().any(|c| !matches!(c, '*' | '?' | ':' | '/' | '-'));
    // What the deploy brings in is an account or a bucket, hardly everyone's: it is the others that let everybody in.
    let mut told = condition
        .values
        .iter()
        .map(|value| value.text.as_str())
        .filter(|text| !open::is_told_later(text));
    match key.as_str() {
        "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths" => told.all(says_something),
        // The ARN of a bucket has no account: `arn:aws:s3:::*` is every bucket of everybody.
        "aws:sourcearn" => told.all(|text| says_something(text.splitn(6, ':').nth(5).unwrap_or_default())),
        _ => false,
    }
}

/// A condition for which S3 doesn't call a grant to everyone public.
fn restricts(condition: &Condition) -> bool {
    let Some(operator) = condition
        .parsed
        .filter(|operator| !operator.negated && !operator.if_exists)
    else {
        return false;
    };
    if operator.set == Some(SetOperator::ForAllValues) || condition.values.is_empty() {
        return false;
    }
    let fixed = |text: &str| !text.starts_with(['*', '?']);
    match condition.key.to_ascii_lowercase().as_str() {
        "aws:sourceip" | "aws:vpcsourceip" => condition.values.iter().all(|value| {
            parse_network(&value.text).is_none_or(|(address, length)| match address.is_ipv4() {
                true => length >= 8,
                false => length >= 32,
            })
        }),
        "aws:sourcearn" | "aws:principalarn" => condition.values.iter().all(|value| {
            let account = value.text.split(':').nth(4).unwrap_or_default();
            fixed(&value.text) && !account.contains(['*', '?'])
        }),
        "aws:sourcevpc"
        | "aws:sourcevpce"
        | "aws:sourcevpcarn"
        | "aws:sourceowner"
        | "aws:sourceaccount"
        | "aws:sourceorgid"
        | "aws:sourceorgpaths"
        | "aws:userid"
        | "aws:username"
        | "aws:principalaccount"
        | "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:principalservicename"
        | "aws:principalservicenameslist"
        | "aws:vpceaccount"
        | "aws:vpceorgid"
        | "aws:vpceorgpaths"
        | "aws:federatedprovider"
        | "s3:dataaccesspointaccount"
        | "s3:dataaccesspointarn"
        | "s3:x-amz-server-side-encryption-aws-kms-key-id" => {
            condition.values.iter().all(|value| fixed(&value.text))
        }
        "aws:principalisawsservice" | "aws:viaawsservice" => condition
            .values
            .iter()
            .all(|value| value.text.eq_ignore_ascii_case("true")),
        // Whoever has a tag of a given value has an identity; S3 calls it public, a reader without one is none.
        key => {
            key.starts_with("aws:principaltag/") && condition.values.iter().all(|value| fixed(&value.text))
        }
    }
}

/// A deny that keeps part of the world out: one on more than the transport.
fn narrows(statement: &Statement) -> bool {
    !statement.conditions.iter().all(|condition| {
        matches!(
            condition.key.to_ascii_lowercase().as_str(),
            "aws:securetransport" | "s3:tlsversion" | "s3:signatureversion"
        )
    }) || statement.conditions.is_empty()
}

fn review(
    statement: &Statement,
    condition: &Condition,
    operator: Operator,
    exempts_services: bool,
    found: &mut Vec<Misleading>,
) {
    let key = condition.key.to_ascii_lowercase();
    let proper = keys::proper_name(&condition.key);
    let mut push = |kind, element: &str, written: &str, because: String, edit: String| {
        found.push(Misleading {
            kind,
            statement: statement.pointer.clone(),
            element: element.to_owned(),
            written: written.to_owned(),
            because,
            edit,
        });
    };
    if matches!(operator.test, Test::StringEquals | Test::StringEqualsIgnoreCase) {
        review_wildcards(condition, &mut push);
    }
    match key.as_str() {
        "aws:sourcearn" => review_source_arn(condition, &mut push),
        "aws:sourceaccount" if operator.test != Test::Null => {
            review_source_account(condition, operator, &mut push);
        }
        "aws:sourceip" => review_source_address(condition, &mut push),
        "aws:viaawsservice" if statement.effect == Effect::Deny && !exempts_services => {
            review_via_service(condition, operator, &proper, &mut push);
        }
        _ => {}
    }
    let is_grant = statement.effect == Effect::Allow && names_log_service(statement);
    review_key(condition, operator, is_grant, &mut push);
}

/// Takes what is misleading: its kind, the element, what is written there, what it does, and what to write instead.
type Push<'p> = &'p mut dyn FnMut(MisleadingKind, &str, &str, String, String);

fn review_wildcards(condition: &Condition, push: Push<'_>) {
    for value in &condition.values {
        let plain = value.text.replace("${*}", "").replace("${?}", "");
        if plain.contains(['*', '?']) && !plain.contains("${") {
            push(
                MisleadingKind::WildcardInEquals,
                &value.pointer,
                &value.text,
                format!(
                    "`{}` compares letter by letter: here `*` and `?` are characters",
                    condition.operator
                ),
                format!("write `{}`", with_wildcards(&condition.operator)),
            );
        }
    }
}

fn review_source_arn(condition: &Condition, push: Push<'_>) {
    for value in &condition.values {
        let account = value.text.split(':').nth(4).unwrap_or_default();
        if let Some(bucket) = value.text.strip_suffix("/*") {
            push(
                MisleadingKind::SourceArnOfObjects,
                &value.pointer,
                &value.text,
                "the source of a log is a bucket, not its objects".to_owned(),
                format!("write `{bucket}`"),
            );
        } else if is_account(account) && value.text.contains(":s3:") {
            push(
                MisleadingKind::SourceArnWithAccount,
                &value.pointer,
                &value.text,
                "the ARN of a bucket has no account in it".to_owned(),
                format!(
                    "write `{}`, and the account in a condition on `aws:SourceAccount`",
                    value.text.replacen(account, "", 1)
                ),
            );
        }
    }
}

fn review_source_account(condition: &Condition, operator: Operator, push: Push<'_>) {
    let pattern = operator.test == Test::StringLike;
    for value in &condition.values {
        let odd = pattern && value.text.contains(['*', '?']) || value.text.contains("${");
        if odd || is_account(&value.text) || open::is_in(&value.text) {
            continue;
        }
        // A number is compared as its text, so one with all its digits is right.
        let because = match value.is_number {
            true => "an account id is twelve digits; a number loses its leading zeros",
            false => "an account id is twelve digits; this is none",
        };
        push(
            MisleadingKind::SourceAccountFormat,
            &value.pointer,
            &value.text,
            because.to_owned(),
            "write the twelve digits in quotes, leading zeros too".to_owned(),
        );
    }
}

fn review_source_address(condition: &Condition, push: Push<'_>) {
    for value in condition.values.iter().filter(|value| is_private(&value.text)) {
        push(
            MisleadingKind::PrivateAddress,
            &value.pointer,
            &value.text,
            "`aws:SourceIp` is a public address; a private one comes only through a VPC endpoint, as \
             `aws:VpcSourceIp`"
                .to_owned(),
            "name the public addresses, or condition on `aws:SourceVpce`".to_owned(),
        );
    }
}

fn review_via_service(condition: &Condition, operator: Operator, proper: &str, push: Push<'_>) {
    let exempts = condition
        .values
        .iter()
        .all(|value| value.text.eq_ignore_ascii_case("false"));
    if operator.test == Test::Bool && exempts && !condition.values.is_empty() {
        push(
            MisleadingKind::ViaAwsServiceAsExemption,
            &condition.pointer,
            proper,
            "it is true only when a service acts with somebody's credentials; the log service acts with its \
             own"
            .to_owned(),
            "add `\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}`".to_owned(),
        );
    }
}

/// Whether the key, by itself and under its operator, can do anything.
fn review_key(condition: &Condition, operator: Operator, is_grant: bool, push: Push<'_>) {
    let key = condition.key.to_ascii_lowercase();
    let proper = keys::proper_name(&condition.key);
    let row = keys::row(&key);
    if operator.set == Some(SetOperator::ForAllValues)
        && !row.multivalued
        && keys::spelling(&key) == Spelling::Known
        && operator.test != Test::Null
    {
        push(
            MisleadingKind::ForAllValuesOnSingleValue,
            &condition.pointer,
            &proper,
            format!("`{proper}` has one value, and `ForAllValues` also holds when it is missing"),
            format!(
                "write `{}`",
                condition.operator.split_once(':').map_or("", |(_, rest)| rest)
            ),
        );
    }
    if keys::spelling(&key) == Spelling::NoSuchAwsKey {
        push(
            MisleadingKind::NoSuchKey,
            &condition.pointer,
            &condition.key,
            "there is no such key, so it is never present".to_owned(),
            "look the key up in the list of global condition keys".to_owned(),
        );
    } else if is_grant
        && self_defeating(operator)
        && matches!(row.state, State::Absent | State::Foreign(_))
        && keys::spelling(&key) == Spelling::Known
    {
        push(
            MisleadingKind::ImpossibleOnGrant,
            &condition.pointer,
            &proper,
            match row.state {
                State::Foreign(_) => format!("`{proper}` of the log service is none of yours"),
                _ => format!("the log service sends no `{proper}`, so this never holds"),
            },
            "take it out; condition on `aws:SourceAccount` and `aws:SourceArn`".to_owned(),
        );
    }
}

/// A test that a missing key fails.
fn self_defeating(operator: Operator) -> bool {
    !operator.negated
        && !operator.if_exists
        && operator.test != Test::Null
        && operator.set != Some(SetOperator::ForAllValues)
}

fn with_wildcards(operator: &str) -> String {
    let (set, name) = match operator.split_once(':') {
        Some((set, name)) => (format!("{set}:"), name),
        None => (String::new(), operator),
    };
    let name = name.replace("IgnoreCase", "");
    match name.strip_prefix("StringNotEquals") {
        Some(rest) => format!("{set}StringNotLike{rest}"),
        None => format!("{set}{}", name.replacen("StringEquals", "StringLike", 1)),
    }
}

fn is_private(text: &str) -> bool {
    match parse_network(text) {
        Some((core::net::IpAddr::V4(address), length)) => address.is_private() && length >= 8,
        Some((core::net::IpAddr::V6(_), _)) | None => false,
    }
}
