//! STS: who am I, and becoming someone in another account.

use super::account::{account_of, session_key};
use super::answer::{Answer, Fault};
use super::request::Request;
use super::world::World;
use super::xml::escape;

/// The operation that the form names.
pub fn asked(request: &Request) -> Option<&'static super::operation::Operation> {
    let action = value(&request.form(), "Action")?;
    super::operation::named(&action).filter(|operation| operation.level == super::operation::Level::Sts)
}

fn value(form: &[(String, String)], name: &str) -> Option<String> {
    form.iter()
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.clone())
}

/// Who the holder of a key is: a user, or a session in a role.
pub fn identity(world: &World, access_key: &str) -> Result<(String, String), Fault> {
    let account = account_of(world, access_key).map_err(|fault| match fault.code.as_str() {
        "ExpiredToken" => Fault::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ),
        _ => Fault::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
    })?;
    let partition = world.partition(account);
    let arn = if access_key.starts_with("ASIA") {
        format!("arn:{partition}:sts::{account}:assumed-role/sandbox/session")
    } else {
        format!("arn:{partition}:iam::{account}:user/sandbox")
    };
    Ok((account.to_owned(), arn))
}

pub fn get_caller_identity(world: &World, access_key: &str, request_id: &str) -> Result<Answer, Fault> {
    let (account, arn) = identity(world, access_key)?;
    Ok(result(
        "GetCallerIdentity",
        &format!("<Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>{account}</Account>"),
        request_id,
    ))
}

/// Any role of an account that exists may be assumed, except one that is called `forbidden`.
pub fn assume_role(
    world: &World,
    request: &Request,
    access_key: &str,
    request_id: &str,
) -> Result<Answer, Fault> {
    let (_, caller) = identity(world, access_key)?;
    let form = request.form();
    let (Some(role), Some(session)) = (value(&form, "RoleArn"), value(&form, "RoleSessionName")) else {
        return Err(Fault::new(
            400,
            "ValidationError",
            "RoleArn and RoleSessionName are required",
        ));
    };
    let mut parts = role.splitn(6, ':').skip(4);
    let account = parts.next().unwrap_or_default();
    let name = parts.next().unwrap_or_default().trim_start_matches("role/");
    if !world.accounts.contains_key(account) || name.is_empty() || name == "forbidden" {
        return Err(Fault::new(
            403,
            "AccessDenied",
            format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {}",
                escape(&role)
            ),
        ));
    }
    let partition = world.partition(account);
    Ok(result(
        "AssumeRole",
        &format!(
            "<AssumedRoleUser><AssumedRoleId>AROASANDBOX:{session}</AssumedRoleId><Arn>arn:{partition}:sts::{account}:assumed-role/{name}/{session}</Arn></AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>sandbox</SecretAccessKey><SessionToken>sandbox</SessionToken><Expiration>{expiration}</Expiration></Credentials>",
            session = escape(&session),
            name = escape(name),
            key = session_key(account),
            expiration = in_an_hour(),
        ),
        request_id,
    ))
}

fn in_an_hour() -> String {
    let now = jiff::Timestamp::now();
    now.checked_add(jiff::SignedDuration::from_hours(1))
        .unwrap_or(now)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn result(operation: &str, content: &str, request_id: &str) -> Answer {
    Answer::text(
        200,
        "text/xml",
        format!(
            "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>{content}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
        ),
    )
}
