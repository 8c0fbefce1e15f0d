//! What S3 checks of a bucket policy before it takes it.
//!
//! The first two messages are recorded from AWS. The others are as people have pasted them; whether S3 checks more is
//! not known, so a policy that passes here may still be refused there.

use serde_json::{Map, Value, json};

use super::answer::Fault;
use super::permission::matches;
use super::request::Request;
use super::world::World;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html>
const LARGEST: usize = 20 * 1024;

fn malformed(message: &str) -> Fault {
    Fault::new(400, "MalformedPolicy", message)
}

/// The answer that GetBucketPolicy would give after this PutBucketPolicy.
pub fn checked(world: &World, request: &Request, bucket: &str, account: &str) -> Result<Value, Fault> {
    let body = request.payload();
    let text = String::from_utf8_lossy(&body).into_owned();
    let Ok(Value::Object(policy)) = serde_json::from_str::<Value>(&text) else {
        return Err(malformed(
            "Policies must be valid JSON and the first byte must be '{'",
        ));
    };
    if !text.starts_with('{') {
        return Err(malformed(
            "Policies must be valid JSON and the first byte must be '{'",
        ));
    }
    // AWS measures the policy without the blanks between its parts.
    if Value::Object(policy.clone()).to_string().len() > LARGEST {
        return Err(malformed(
            "Normalized policy document exceeds the maximum allowed size of 20480 bytes.",
        ));
    }
    known_fields(&policy, &["Version", "Id", "Statement"])?;
    let statements = match policy.get("Statement") {
        None => return Err(malformed("Missing required field Statement")),
        Some(Value::Array(statements)) => statements.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        Some(_) => return Err(malformed("Statement must be an object or a list of objects")),
    };
    if statements.is_empty() {
        return Err(malformed("Could not parse the policy: Statement is empty!"));
    }
    let partition = world.partition(account);
    for statement in &statements {
        check_statement(statement, bucket, partition)?;
    }
    let blocks = world.buckets[bucket].blocks("BlockPublicPolicy");
    if blocks && statements.iter().any(is_public) {
        return Err(Fault::new(
            403,
            "AccessDenied",
            format!(
                "User: arn:{partition}:iam::{account}:user/sandbox is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:{partition}:s3:::{bucket}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
            ),
        ));
    }
    Ok(json!({"Policy": text}))
}

fn known_fields(object: &Map<String, Value>, known: &[&str]) -> Result<(), Fault> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(malformed(&format!("Unknown field {unknown}"))),
    }
}

fn check_statement(statement: &Value, bucket: &str, partition: &str) -> Result<(), Fault> {
    let Value::Object(fields) = statement else {
        return Err(malformed("Statement must be an object or a list of objects"));
    };
    known_fields(
        fields,
        &[
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;
    match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow" | "Deny") => {}
        Some(other) => return Err(malformed(&format!("Invalid effect: {other}"))),
        None => return Err(malformed("Missing required field Effect")),
    }
    let Some(principal) = fields.get("Principal").or_else(|| fields.get("NotPrincipal")) else {
        return Err(malformed("Missing required field Principal"));
    };
    check_principal(principal)?;
    let Some(actions) = fields.get("Action").or_else(|| fields.get("NotAction")) else {
        return Err(malformed("Missing required field Action"));
    };
    let actions = texts(actions);
    let is_s3 = |action: &String| action == "*" || action.to_ascii_lowercase().starts_with("s3:");
    if actions.is_empty() || !actions.iter().all(is_s3) {
        return Err(malformed("Policy has invalid action"));
    }
    let Some(resources) = fields.get("Resource").or_else(|| fields.get("NotResource")) else {
        return Err(malformed("Missing required field Resource"));
    };
    let resources = texts(resources);
    let here = |resource: &String| is_here(resource, bucket, partition);
    if resources.is_empty() || !resources.iter().all(here) {
        return Err(malformed("Policy has invalid resource"));
    }
    let fits = actions
        .iter()
        .any(|action| resources.iter().any(|resource| applies(action, resource)));
    if !fits {
        return Err(malformed("Action does not apply to any resource(s) in statement"));
    }
    match fields.get("Condition") {
        None => Ok(()),
        Some(Value::Object(operators)) if operators.values().all(Value::is_object) => Ok(()),
        Some(_) => Err(malformed("Policy has invalid condition")),
    }
}

fn check_principal(principal: &Value) -> Result<(), Fault> {
    let invalid = || malformed("Invalid principal in policy");
    match principal {
        Value::String(text) if text == "*" => Ok(()),
        Value::Object(kinds) if !kinds.is_empty() => {
            for (kind, members) in kinds {
                let members = texts(members);
                let valid = |member: &String| match kind.as_str() {
                    "AWS" => {
                        member == "*"
                            || (member.len() == 12 && member.bytes().all(|byte| byte.is_ascii_digit()))
                            || (member.starts_with("arn:") && !member.contains('*'))
                            || member.starts_with("AIDA")
                            || member.starts_with("AROA")
                    }
                    "Service" => member == "*" || member.contains(".amazonaws.") || member.ends_with(".aws"),
                    "CanonicalUser" | "Federated" => !member.is_empty(),
                    _ => false,
                };
                if members.is_empty() || !members.iter().all(valid) {
                    return Err(invalid());
                }
            }
            Ok(())
        }
        _ => Err(invalid()),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether the resource can be in this bucket.
fn is_here(resource: &str, bucket: &str, partition: &str) -> bool {
    if resource == "*" {
        return true;
    }
    let Some(rest) = resource.strip_prefix(&format!("arn:{partition}:s3:::")) else {
        return false;
    };
    let name = rest.split_once('/').map_or(rest, |(name, _)| name);
    matches(name, bucket)
}

/// An action on objects needs a resource with a key, an action on the bucket one without. Only the common actions are
/// known here; any other is taken to apply.
fn applies(action: &str, resource: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let anywhere = resource == "*" || (resource.ends_with('*') && !resource.contains('/'));
    match action.as_str() {
        "s3:putobject" | "s3:getobject" | "s3:deleteobject" | "s3:putobjectacl" | "s3:getobjectacl" => {
            anywhere || resource.contains('/')
        }
        "s3:listbucket" | "s3:getbucketacl" | "s3:getbucketlocation" | "s3:getbucketpolicy" => {
            anywhere || !resource.contains('/')
        }
        _ => true,
    }
}

/// Obviously public: anyone is allowed, and no condition holds it to a fixed caller.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
fn is_public(statement: &Value) -> bool {
    let everyone = match &statement["Principal"] {
        Value::String(text) => text == "*",
        Value::Object(kinds) => kinds
            .get("AWS")
            .is_some_and(|members| texts(members).iter().any(|member| member == "*")),
        _ => false,
    };
    statement["Effect"] == "Allow" && everyone && !is_held(&statement["Condition"])
}

fn is_held(condition: &Value) -> bool {
    const FIXED: &[&str] = &[
        "aws:sourceip",
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:userid",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "s3:dataaccesspointaccount",
    ];
    condition
        .as_object()
        .into_iter()
        .flatten()
        .any(|(operator, keys)| {
            let negated = operator.contains("Not") || operator.contains("IfExists") || operator == "Null";
            !negated
                && keys.as_object().into_iter().flatten().any(|(key, values)| {
                    let values = texts(values);
                    FIXED.contains(&key.to_ascii_lowercase().as_str())
                        && !values.is_empty()
                        && values
                            .iter()
                            .all(|value| !matches!(value.as_str(), "*" | "0.0.0.0/0" | "::/0"))
                })
        })
}
