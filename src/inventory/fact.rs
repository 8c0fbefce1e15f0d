//! What is known of one thing: an answer, the answer "there is none", or no answer.

/// A value that may be missing in two very different ways.
///
/// `Absent` is an answer: AWS says that nothing is configured. `Unknown` is a missing answer. A rule that meets
/// one is undecided; it never guesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    Known(T),
    Absent,
    Unknown(Why),
}

/// Why an answer is missing, and so what would settle it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// AWS refused the call: this IAM action is missing.
    Denied { action: &'static str },
    /// The question was not asked, or this input doesn't hold the answer.
    NotRead,
    /// The value exists only once the change is applied.
    AfterApply,
    /// Something is there, and the template is silent on it: the deploy takes it away where the template that was
    /// deployed before has it, and leaves it alone where none ever had.
    LeftOut,
    /// The file holds it and marks it as sensitive: it may not be told, and what it decides neither.
    Sensitive,
    /// The call failed in another way; the code is AWS's, or names what happened on the way.
    Failed { code: String },
}

impl Why {
    /// One word for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Why::Denied { .. } => "denied",
            Why::NotRead => "not-read",
            Why::AfterApply => "after-apply",
            Why::LeftOut => "left-out",
            Why::Sensitive => "sensitive",
            Why::Failed { .. } => "failed",
        }
    }
}

impl<T> Fact<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Absent | Fact::Unknown(_) => None,
        }
    }

    /// The answer: `Some` for a value, `None` for "there is none". `?` on the rest leaves a rule undecided.
    pub fn answer(&self) -> Result<Option<&T>, &Why> {
        match self {
            Fact::Known(value) => Ok(Some(value)),
            Fact::Absent => Ok(None),
            Fact::Unknown(why) => Err(why),
        }
    }

    pub fn why(&self) -> Option<&Why> {
        match self {
            Fact::Unknown(why) => Some(why),
            Fact::Known(_) | Fact::Absent => None,
        }
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known(value) => Fact::Known(f(value)),
            Fact::Absent => Fact::Absent,
            Fact::Unknown(why) => Fact::Unknown(why),
        }
    }

    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Fact::Known(value) => Fact::Known(value),
            Fact::Absent => Fact::Absent,
            Fact::Unknown(why) => Fact::Unknown(why.clone()),
        }
    }
}
