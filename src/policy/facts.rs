//! What the user knows and AWS's pages don't say: values of condition keys, and one switch for each open question.

use std::collections::BTreeMap;

use super::delivery::Told;
use super::truth::Truth;

/// What is taken as known beside the delivery itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Condition keys in lower case, and what the user says that a delivery carries.
    keys: BTreeMap<String, Told<Vec<String>>>,
    /// Answers to open questions, where the user has one.
    answers: BTreeMap<Question, Truth>,
    /// The time of the run, RFC 3339: for what was recorded without one, and for what is yet to be.
    pub now: Option<String>,
    /// The policy comes from AWS, which has accepted it: what only a list of this program refuses is no fault.
    pub stored: bool,
}

/// A question that AWS's documentation leaves open. Each is one switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    AwsStar,
    LegacyAccount,
    EmptyValues,
    MultivaluedWithoutSet,
    BareStarAsArn,
    NotResourceWithoutValue,
    WriteWithoutReadAcp,
}

/// A switch, as it is shown and set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    pub question: Question,
    /// How it is named in a configuration.
    pub name: &'static str,
    pub asks: &'static str,
    /// What is assumed where nobody knows better.
    pub default: Truth,
    /// What is known about it, and from where.
    pub reference: &'static str,
}

/// Every switch.
pub const SWITCHES: &[Switch] = &[
    Switch {
        question: Question::AwsStar,
        name: "aws-star-matches-services",
        asks: "does `\"Principal\": {\"AWS\": \"*\"}` match a service principal?",
        default: Truth::Unknown,
        reference: "AWS documents `\"*\"` alone as everyone, and `{\"AWS\": \"*\"}` as every account; its own samples \
                    moved from the second to the first in July 2024 \
                    (https://github.com/aws-samples/data-perimeter-policy-examples, commit 95a3cae)",
    },
    Switch {
        question: Question::LegacyAccount,
        name: "legacy-account-delivers",
        asks: "does a grant to account 858827067514, once \"AWS ID for Log Delivery service\", still work?",
        default: Truth::Unknown,
        reference: "today's pages know only the service principal \
                    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html)",
    },
    Switch {
        question: Question::EmptyValues,
        name: "empty-values-match",
        asks: "does a condition with an empty list of values hold?",
        default: Truth::Unknown,
        reference: "AWS's policy checks contradict each other \
                    (https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html)",
    },
    Switch {
        question: Question::MultivaluedWithoutSet,
        name: "multivalued-key-without-set-operator-matches",
        asks: "does a condition on a key of many values hold without `ForAllValues` or `ForAnyValue`?",
        default: Truth::Unknown,
        reference: "an error of AWS's policy checks; what S3 does is not documented \
                    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html)",
    },
    Switch {
        question: Question::BareStarAsArn,
        name: "bare-star-matches-arns",
        asks: "does `*` alone match an ARN under `ArnLike`?",
        default: Truth::Unknown,
        reference: "an ARN operator compares six parts, of which `*` has one \
                    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN)",
    },
    Switch {
        question: Question::NotResourceWithoutValue,
        name: "not-resource-without-value-matches",
        asks: "does a `NotResource` hold when its variable has no value?",
        default: Truth::Unknown,
        reference: "the page says that a resource with such a variable matches none, and is silent on NotResource \
                    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value)",
    },
    Switch {
        question: Question::WriteWithoutReadAcp,
        name: "acl-write-without-read-acp-delivers",
        asks: "are logs delivered when the LogDelivery group has WRITE but not READ_ACP?",
        default: Truth::Unknown,
        reference: "one page asks for both permissions \
                    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html), \
                    another says that WRITE is enough (https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html)",
    },
];

impl Question {
    pub fn switch(self) -> &'static Switch {
        match self {
            Question::AwsStar => &SWITCHES[0],
            Question::LegacyAccount => &SWITCHES[1],
            Question::EmptyValues => &SWITCHES[2],
            Question::MultivaluedWithoutSet => &SWITCHES[3],
            Question::BareStarAsArn => &SWITCHES[4],
            Question::NotResourceWithoutValue => &SWITCHES[5],
            Question::WriteWithoutReadAcp => &SWITCHES[6],
        }
    }
}

impl Facts {
    /// A delivery carries this key with these values.
    pub fn know(mut self, key: &str, values: impl IntoIterator<Item = String>) -> Self {
        let values = values.into_iter().collect();
        self.keys.insert(key.to_ascii_lowercase(), Told::Known(values));
        self
    }

    /// A delivery doesn't carry this key.
    pub fn know_absent(mut self, key: &str) -> Self {
        self.keys.insert(key.to_ascii_lowercase(), Told::Absent);
        self
    }

    /// The run takes place at this time.
    pub fn at(mut self, now: String) -> Self {
        self.now = Some(now);
        self
    }

    /// The user has the answer to an open question.
    pub fn answer(mut self, question: Question, answer: Truth) -> Self {
        self.answers.insert(question, answer);
        self
    }

    /// The policy was read from AWS.
    pub fn stored(mut self) -> Self {
        self.stored = true;
        self
    }

    pub fn to(&self, question: Question) -> Truth {
        let own = self.answers.get(&question).copied();
        own.unwrap_or(question.switch().default)
    }

    /// What the user says of a key, which is given in lower case.
    pub fn about(&self, key: &str) -> Option<&Told<Vec<String>>> {
        self.keys.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_its_switch() {
        for switch in SWITCHES {
            assert_eq!(switch.question.switch(), switch);
            assert!(switch.reference.contains("https://"), "{}", switch.name);
        }
    }
}
