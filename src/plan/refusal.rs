//! Why nothing is planned, each with what to do. A refusal comes before anything is written.

use miette::Diagnostic;
use thiserror::Error;

use crate::inventory::{Call, Why};
use crate::name::{NameError, Region};

#[derive(Debug, Clone, Error, Diagnostic, PartialEq, Eq)]
pub enum Refusal {
    #[error("there is no bucket `{bucket}` in the account")]
    #[diagnostic(
        code(plan::no_source),
        help("check its name, and that the credentials are those of its account")
    )]
    NoSource { bucket: String },
    #[error("no bucket was named")]
    #[diagnostic(
        code(plan::no_sources),
        help("name the buckets whose access is to be logged, or say `--all-unlogged`")
    )]
    NoSources,
    #[error("the account's id is not known, and the grant is scoped by it")]
    #[diagnostic(
        code(plan::no_account),
        help("run it with credentials of the account, or record a snapshot that has the account's `id`")
    )]
    NoAccount,
    #[error("the buckets belong to {count} accounts")]
    #[diagnostic(code(plan::several_accounts), help("plan for one account at a time"))]
    SeveralAccounts { count: usize },
    #[error("{what} of `{bucket}` can't be read: {}", reason(why))]
    #[diagnostic(code(plan::unreadable), help("{}", settle(why, *call)))]
    Unreadable {
        bucket: String,
        what: &'static str,
        call: Call,
        why: Why,
    },
    #[error("`{source_bucket}` already logs to `{target}`")]
    #[diagnostic(
        code(plan::already_logged),
        help(
            "`--target {target}` completes and checks that setup, `--replace` moves the logs to `{wanted}`"
        )
    )]
    AlreadyLogged {
        source_bucket: String,
        target: String,
        wanted: String,
    },
    #[error("`{bucket}` would log to itself: every delivered log would cause another log")]
    #[diagnostic(
        code(plan::self_logging),
        help("choose another `--target`, one that holds nothing but logs")
    )]
    SelfLogging { bucket: String },
    #[error("it would close a cycle: {}", path.join(" → "))]
    #[diagnostic(
        code(plan::cycle),
        help("choose a `--target` whose own logs don't lead back, or switch its logging off first")
    )]
    Cycle { path: Vec<String> },
    #[error("there is no bucket `{target}` to log to")]
    #[diagnostic(
        code(plan::missing_target),
        help("`--create` makes it, or name an existing bucket with `--target`")
    )]
    MissingTarget { target: String },
    #[error("`{target}` belongs to another account, or s3:ListBucket on it is denied")]
    #[diagnostic(
        code(plan::foreign_target),
        help(
            "S3 delivers access logs within one account: choose another `--target`, or `--namespace account-regional` for a name that nobody else can take"
        )
    )]
    ForeignTarget { target: String },
    #[error("it is not known whether `{target}` exists, and whose it is")]
    #[diagnostic(code(plan::unknown_target), help("{}", settle(why, Call::Head)))]
    UnknownTarget { target: String, why: Why },
    #[error("`{target}` is no name for a bucket: {reason}")]
    #[diagnostic(
        code(plan::target_name),
        help(
            "see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html for what a name may be"
        )
    )]
    TargetName { target: String, reason: NameError },
    #[error("a name in the account-regional namespace ends with `{suffix}`, `{target}` does not")]
    #[diagnostic(code(plan::target_namespace), help("use `--target {example}`"))]
    TargetNamespace {
        target: String,
        suffix: String,
        example: String,
    },
    #[error(
        "`{source_bucket}` is in {source_region} and `{target}` in {target_region}: S3 delivers within a region"
    )]
    #[diagnostic(
        code(plan::other_region),
        help(
            "leave `--target` out for one log bucket per region, or run it for the buckets of {target_region} alone"
        )
    )]
    OtherRegion {
        source_bucket: String,
        source_region: Region,
        target: String,
        target_region: Region,
    },
    #[error("`{target}` encrypts with KMS ({algorithm}), through which S3 delivers no readable logs")]
    #[diagnostic(
        code(plan::encryption),
        help(
            "set its default encryption to SSE-S3 (`s3log-lint fix S3L201 S3L202`), or choose another `--target`"
        )
    )]
    Encryption { target: String, algorithm: String },
    #[error("`{target}` has Object Lock, which stops the delivery of logs")]
    #[diagnostic(
        code(plan::object_lock),
        help(
            "Object Lock can't be taken from a bucket: choose another `--target`, or let `--create` make one"
        )
    )]
    ObjectLock { target: String },
    #[error("`{target}` is a Requester Pays bucket, to which S3 delivers no logs")]
    #[diagnostic(
        code(plan::requester_pays),
        help("let its owner pay (`s3log-lint fix S3L205`), or choose another `--target`")
    )]
    RequesterPays { target: String },
    #[error("{message}")]
    #[diagnostic(
        code(plan::exposed),
        help(
            "block public access to `{target}`, which never stands in the way of log delivery (`s3log-lint explain S3L109`), or choose another `--target`"
        )
    )]
    Exposed { target: String, message: String },
    #[error(
        "whether anyone could read the logs in `{target}` can't be told: {}",
        reason(why)
    )]
    #[diagnostic(code(plan::perhaps_exposed), help("{}", match needs {
        Some(action) => format!("allow {action}, or record a snapshot with its answer, and run it again"),
        None => "block public access to it, or choose another `--target`".to_owned(),
    }))]
    PerhapsExposed {
        target: String,
        needs: Option<String>,
        why: Why,
    },
    #[error("the policy of `{bucket}` is malformed: {reason}")]
    #[diagnostic(
        code(plan::malformed_policy),
        help("mend the policy first: nothing can be merged into it without losing something")
    )]
    MalformedPolicy { bucket: String, reason: String },
    #[error("the policy of `{target}` denies the delivery of `{source_bucket}`'s logs, at {statement}")]
    #[diagnostic(
        code(plan::denied),
        help(
            "exempt the log service in that statement, with \"BoolIfExists\": {{\"aws:PrincipalIsAWSService\": \"false\"}} among its conditions, or choose another `--target`"
        )
    )]
    Denied {
        source_bucket: String,
        target: String,
        statement: String,
    },
    #[error(
        "whether the policy of `{target}` lets the logs of `{source_bucket}` in can't be told: it hangs on {keys}"
    )]
    #[diagnostic(
        code(plan::uncertain),
        help("exempt the log service in the statements that ask for it, or choose another `--target`")
    )]
    Uncertain {
        source_bucket: String,
        target: String,
        keys: String,
    },
    #[error(
        "the policy of `{bucket}` would hold {bytes} bytes; S3 allows {}",
        crate::policy::MOST_BYTES
    )]
    #[diagnostic(
        code(plan::policy_full),
        help("take statements out of it that nobody needs, or choose another `--target`")
    )]
    PolicyFull { bucket: String, bytes: usize },
    #[error("`{placeholder}` is no placeholder of a {what}")]
    #[diagnostic(
        code(plan::placeholder),
        help("the placeholders are {{source}} (in a prefix alone), {{account}} and {{region}}")
    )]
    Placeholder { what: &'static str, placeholder: String },
    #[error("the log keys of `{source_bucket}` would have {bytes} bytes; S3 allows 1024")]
    #[diagnostic(code(plan::long_prefix), help("choose a shorter `--prefix`"))]
    LongPrefix { source_bucket: String, bytes: usize },
}

fn reason(why: &Why) -> String {
    match why {
        Why::Denied { action } => format!("{action} was denied"),
        Why::NotRead => "it was not read".to_owned(),
        Why::AfterApply => "it is known only after a deploy".to_owned(),
        Why::LeftOut => "the template leaves it out".to_owned(),
        Why::Sensitive => "the input keeps it secret".to_owned(),
        Why::Failed { code } => format!("the call failed with {code}"),
    }
}

fn settle(why: &Why, call: Call) -> String {
    match why {
        Why::Denied { action } => {
            format!("allow {action}, and run it again; what isn't known is never overwritten")
        }
        Why::NotRead => format!(
            "read it live, or record a snapshot with {}; what isn't known is never overwritten",
            call.operation()
        ),
        Why::AfterApply | Why::LeftOut | Why::Sensitive | Why::Failed { .. } => {
            format!(
                "run it again when {} answers; what isn't known is never overwritten",
                call.operation()
            )
        }
    }
}
