//! What a template allows on a bucket: comments next to a resource, and the resource's `Metadata`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::stack::{Resource, Stack};
use super::tree::{Comment, Node};
use crate::inventory::{Allowance, Place};

#[derive(Debug, Default)]
pub(super) struct Allowances {
    /// By the resource's logical id.
    pub of: BTreeMap<String, Vec<Allowance>>,
    /// Comments that mean us and stand at no resource, a sentence each.
    pub loose: Vec<String>,
}

pub(super) fn find(stack: &Stack, resources: &[Resource<'_>]) -> Allowances {
    let mut found = Allowances::default();
    for resource in resources {
        let all = in_metadata(stack, resource);
        if !all.is_empty() {
            found.of.entry(resource.id.clone()).or_default().extend(all);
        }
    }
    for comment in stack.comments.iter() {
        let place = at(stack, comment.span.clone());
        let said = Allowance::in_comment(&comment.text, &place);
        if said.is_empty() {
            continue;
        }
        let meant: Vec<&Resource<'_>> = resources
            .iter()
            .filter(|resource| stands_at(&stack.document.text, comment, resource))
            .collect();
        if meant.is_empty() {
            let line = stack.document.text[..comment.span.start].matches('\n').count() + 1;
            found.loose.push(format!(
                "{}:{line}: this comment stands at no resource: put it above or into the one that it is about",
                stack.document.path().unwrap_or(&stack.name)
            ));
        }
        // A resource in a loop is made many times, and is allowed the same each time.
        for resource in meant {
            found
                .of
                .entry(resource.id.clone())
                .or_default()
                .extend(said.clone());
        }
    }
    found
}

fn at(stack: &Stack, span: Range<usize>) -> Place {
    Place {
        document: Arc::clone(&stack.document),
        pointer: String::new(),
        span: Some(span),
        made_at: None,
    }
}

/// Inside the resource, behind it on its last line, or above it with nothing between but other comments.
fn stands_at(text: &str, comment: &Comment, resource: &Resource<'_>) -> bool {
    let whole = resource.key_span.start..resource.node.span.end.max(resource.key_span.end);
    if whole.contains(&comment.span.start) {
        return true;
    }
    let between = |from: usize, to: usize| text.get(from..to).unwrap_or("x\nx");
    if comment.span.start >= whole.end {
        return comment.trailing && !between(whole.end, comment.span.start).contains('\n');
    }
    !comment.trailing
        && between(comment.span.end, whole.start)
            .lines()
            .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// `Metadata: {s3log-lint: {allow: [{rule: S3L003, reason: …, until: 2027-01-31}]}}`
fn in_metadata(stack: &Stack, resource: &Resource<'_>) -> Vec<Allowance> {
    let Some(allow) = resource
        .node
        .get("Metadata")
        .and_then(|metadata| metadata.get("s3log-lint")?.get("allow"))
    else {
        return Vec::new();
    };
    let one = std::slice::from_ref(allow);
    let entries = allow.list().unwrap_or(one);
    entries
        .iter()
        .flat_map(|entry| {
            let place = Place {
                pointer: format!("/Resources/{}/Metadata/s3log-lint/allow", resource.id),
                ..at(stack, entry.span.clone())
            };
            let part = |key: &str| entry.get(key).and_then(Node::text);
            match entry.text() {
                // `S3L003 reason`, as in a comment.
                Some(text) => Allowance::listed(text, &place),
                None => vec![Allowance::new(
                    part("rule").unwrap_or_default(),
                    part("reason").unwrap_or_default(),
                    part("until").or_else(|| part("expires")),
                    place,
                )],
            }
        })
        .collect()
}
