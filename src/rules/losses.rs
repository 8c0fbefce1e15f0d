//! What a deploy takes away, named in the findings that it causes.

use super::Reported;
use crate::finding::Finding;
use crate::graph::LogGraph;
use crate::inventory::{Loss, Lost};

/// Says of each finding which resource of the deploy brings it about, where one does.
pub(super) fn name_causes(findings: &mut [Reported<Finding>], graph: &LogGraph<'_>) {
    let accounts = &graph.inventory().accounts;
    if accounts.iter().all(|account| account.losses.is_empty()) {
        return;
    }
    for finding in findings {
        let subject = &finding.subject;
        let target = subject.target.as_deref();
        let (of, bucket) = match finding.rule.code {
            "S3L004" => (Lost::Bucket, target),
            "S3L101" => (Lost::Policy, target),
            "S3L009" => (Lost::Logging, Some(subject.bucket.as_str())),
            _ => continue,
        };
        let loss = accounts
            .iter()
            .filter(|account| account.id.known() == subject.account.as_ref())
            .flat_map(|account| account.losses.get(bucket?))
            .flatten()
            .find(|loss| loss.of == of);
        if let (Some(loss), Some(bucket)) = (loss.cloned(), bucket.map(str::to_owned)) {
            name_cause(&mut finding.said, &loss, &bucket);
        }
    }
}

fn name_cause(said: &mut Finding, loss: &Loss, bucket: &str) {
    let (cause, label) = match loss.of {
        Lost::Bucket => ("deletes it", format!("this deploy deletes `{bucket}`")),
        Lost::BucketForAWhile => ("replaces it", format!("this deploy replaces `{bucket}`")),
        Lost::Policy => (
            "removes the policy",
            format!("this deploy removes the policy of `{bucket}`"),
        ),
        Lost::Logging => (
            "switches it off",
            format!("this deploy switches the logging of `{bucket}` off"),
        ),
    };
    let told = format!("; this deploy {cause} (`{}`)", loss.address);
    said.message.push_str(&told);
    if let Some(shared) = &mut said.shared {
        shared.message.push_str(&told);
    }
    if let Some(place) = &loss.place {
        let finding = std::mem::replace(said, Finding::new(""));
        *said = finding.label(place, label);
    }
}
