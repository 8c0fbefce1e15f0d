//! Which IAM actions the caller has, where that is to be enforced.

use serde_json::Value;
use thiserror::Error;

/// Why a policy can't be enforced.
#[derive(Debug, Error)]
pub enum PolicyError {
    #[error("the policy is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the policy has no statement")]
    NoStatement,
    #[error("statement {0} has what the sandbox doesn't evaluate: `{1}`")]
    NotEvaluated(usize, String),
    #[error("statement {0} doesn't allow")]
    NoAllow(usize),
}

/// What an identity is allowed: actions on resources.
#[derive(Debug, Clone)]
pub struct Permissions {
    allowed: Vec<(Vec<String>, Vec<String>)>,
}

impl Permissions {
    pub fn of_actions(actions: Vec<String>) -> Self {
        Self {
            allowed: vec![(actions, vec!["*".to_owned()])],
        }
    }

    /// An identity policy of `Allow` statements with actions and resources.
    pub fn of_policy(policy: &str) -> Result<Self, PolicyError> {
        let policy: Value = serde_json::from_str(policy)?;
        let statements = match policy.get("Statement") {
            Some(Value::Array(statements)) => statements.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => return Err(PolicyError::NoStatement),
        };
        let mut allowed = Vec::new();
        for (index, statement) in statements.iter().enumerate() {
            for key in statement
                .as_object()
                .into_iter()
                .flat_map(|members| members.keys())
            {
                if !matches!(key.as_str(), "Sid" | "Effect" | "Action" | "Resource") {
                    return Err(PolicyError::NotEvaluated(index, key.clone()));
                }
            }
            if statement.get("Effect").and_then(Value::as_str) != Some("Allow") {
                return Err(PolicyError::NoAllow(index));
            }
            allowed.push((texts(statement.get("Action")), texts(statement.get("Resource"))));
        }
        Ok(Self { allowed })
    }

    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.allowed.iter().any(|(actions, resources)| {
            actions
                .iter()
                .any(|pattern| matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
                && resources.iter().any(|pattern| matches(pattern, resource))
        })
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// `*` is any text, `?` any character.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                None => return false,
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}
