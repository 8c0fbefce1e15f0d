//! What S3 would refuse in a policy, with S3's own words, and what it accepts but can't mean what it says.

use std::ops::Range;

/// Something for which S3 refuses to store the policy (`MalformedPolicy`, 400), or that can be read in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// S3's message, as far as it is known; else what is wrong.
    pub message: String,
    pub pointer: String,
    /// Bytes of the policy's text.
    pub span: Range<usize>,
    /// Another place that belongs to it: the first of two equal keys.
    pub other: Option<Range<usize>>,
    pub help: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    NotJson,
    NoStatement,
    Version,
    DuplicateKey,
    /// One condition key, written in two cases.
    DuplicateConditionKey,
    Effect,
    NoPrincipal,
    Principal,
    /// A value of `AWS` or `Service` that looks like none: often the placeholder of a template.
    OddPrincipal,
    NoAction,
    Action,
    /// An action of S3 that this program doesn't know: it may be younger than the program.
    UnknownAction,
    NoResource,
    Resource,
    ActionWithoutResource,
    ConditionWithoutAction,
    ConditionKey,
    /// An `s3:` key that this program doesn't know: it may be younger than the program.
    UnknownConditionKey,
    Operator,
    IpAddress,
    UnknownElement,
    /// An element and its negation.
    BothForms,
    Syntax,
    Variable,
    TooLarge,
}

impl FaultKind {
    /// Rests on a list that ages: for a policy that S3 has stored, it is this program that is behind.
    pub fn rests_on_a_list(self) -> bool {
        matches!(
            self,
            FaultKind::UnknownAction | FaultKind::UnknownConditionKey | FaultKind::OddPrincipal
        )
    }

    /// Tells nothing of log delivery where the statement isn't about it. S3 refuses such a policy aloud; nobody is
    /// left without logs and without a word.
    pub fn counts_only_for_log_delivery(self) -> bool {
        matches!(
            self,
            FaultKind::UnknownAction
                | FaultKind::UnknownConditionKey
                | FaultKind::OddPrincipal
                | FaultKind::ActionWithoutResource
                | FaultKind::ConditionWithoutAction
        )
    }
}

/// Something that S3 accepts and that is worth a word all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub kind: WarningKind,
    pub pointer: String,
    pub span: Range<usize>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WarningKind {
    /// Without a version, `${…}` is text.
    NoVersion,
    /// White space before the first brace.
    LeadingSpace,
    /// An `aws:` key that there isn't: never present.
    NoSuchKey,
    /// An account id as a number that has lost its leading zeros.
    NumberAsAccount,
    /// The text is over 20 KB, but not once its white space is gone.
    Large,
}
