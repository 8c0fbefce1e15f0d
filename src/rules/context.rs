//! What a rule sees: a bucket, an edge or a cycle, and the graph around it.

use super::grants::{TargetPolicy, delivery, now};
use super::tallies::Tallies;
use crate::graph::{Cycle, Edge, EdgeNumber, LogGraph, Vertex};
use crate::inventory::{Account, Bucket, Call, Fact, KeyFormat, Logging, Place, Settings, TargetRef, Title};
use crate::name::Region;
use crate::policy::{Decision, Delivery};

/// A bucket, with what leads to it and from it.
#[derive(Clone, Copy)]
pub struct BucketContext<'c, 'a> {
    pub graph: &'c LogGraph<'a>,
    pub vertex: Vertex<'c, 'a>,
    /// Numbers over the whole inventory, counted once.
    pub tallies: &'c Tallies<'a>,
}

/// One edge.
#[derive(Clone, Copy)]
pub struct EdgeContext<'c, 'a> {
    pub graph: &'c LogGraph<'a>,
    pub edge: &'c Edge<'a>,
    pub number: EdgeNumber,
    pub tallies: &'c Tallies<'a>,
}

/// One cycle of two or more buckets.
#[derive(Clone, Copy)]
pub struct CycleContext<'c, 'a> {
    pub graph: &'c LogGraph<'a>,
    pub cycle: &'c Cycle<'a>,
}

impl<'c, 'a> BucketContext<'c, 'a> {
    pub fn bucket(&self) -> &'a Bucket {
        self.vertex.bucket
    }

    pub fn account(&self) -> &'a Account {
        self.vertex.account
    }

    pub fn name(&self) -> &'a str {
        &self.vertex.bucket.label
    }

    /// The edge that leaves the bucket.
    pub fn outgoing(&self) -> Option<&'c Edge<'a>> {
        self.vertex.outgoing().map(|(_, edge)| edge)
    }

    /// The edges whose logs may be delivered here, ordered by source.
    pub fn deliverable(&self) -> Vec<(EdgeNumber, &'c Edge<'a>)> {
        let mut edges = self.vertex.incoming();
        edges.retain(|(_, edge)| edge.reachable_target().is_some());
        edges
    }

    /// An edge that leads here, as a policy meets it.
    pub fn delivery(&self, edge: &Edge<'_>) -> Delivery {
        delivery(edge, now(self.graph, &self.tallies.facts))
    }

    /// A sentence, and under it a command that does it, where the bucket is one of an account and not of a file.
    pub fn advice(&self, sentence: &str, command: &str) -> String {
        advice(sentence, command, self.bucket())
    }
}

impl<'c, 'a> EdgeContext<'c, 'a> {
    /// The decision of the target's policy and ACL; none where there is no target, or its policy isn't known.
    pub fn decision(&self) -> Option<&'c Decision> {
        self.tallies.decision(self.number)
    }

    /// The target's policy, read and prepared; none where it isn't known.
    pub fn policy(&self) -> Option<&'c TargetPolicy> {
        self.tallies.policy(self.number)
    }

    /// The edge, as a policy meets it.
    pub fn delivery(&self) -> Delivery {
        delivery(self.edge, now(self.graph, &self.tallies.facts))
    }

    pub fn source(&self) -> &'a str {
        &self.edge.source.label
    }

    /// The target as it is written.
    pub fn target(&self) -> &'a str {
        self.edge.target_text().unwrap_or("(known after the deploy)")
    }

    /// A sentence, and under it a command that does it, where the source is a bucket of an account and not of a file.
    pub fn advice(&self, sentence: &str, command: &str) -> String {
        advice(sentence, command, self.edge.source)
    }

    /// As [`EdgeContext::advice`], about the target.
    pub fn advice_on(&self, target: &Bucket, sentence: &str, command: &str) -> String {
        advice(sentence, command, target)
    }

    /// Advice that gives the source another target.
    pub fn advice_to_retarget(&self, sentence: &str) -> String {
        let target = Logging {
            target: Fact::Known(TargetRef::Name("LOG-BUCKET".to_owned())),
            ..self.edge.logging.clone()
        };
        match put_logging(self.source(), &target) {
            Some(command) => self.advice(sentence, &command),
            None => sentence.to_owned(),
        }
    }

    pub fn advice_to_use_sse_s3(&self, target: &Bucket, sentence: &str) -> String {
        let command = format!(
            "put-bucket-encryption --bucket {} --server-side-encryption-configuration \
             '{{\"Rules\":[{{\"ApplyServerSideEncryptionByDefault\":{{\"SSEAlgorithm\":\"AES256\"}}}}]}}'",
            quoted(&target.label)
        );
        self.advice_on(target, sentence, &command)
    }
}

impl CycleContext<'_, '_> {
    /// A sentence, and under it a command for the first bucket.
    pub fn advice(&self, sentence: &str, command: &str) -> String {
        match self.cycle.buckets.first() {
            Some(bucket) => advice(sentence, command, bucket),
            None => sentence.to_owned(),
        }
    }
}

/// Where a logging configuration says this: in an answer of AWS the member itself, in a file what is known of it.
pub fn place_of(logging: &Logging, member: &str) -> Place {
    match &logging.prefix_place {
        Some(place) if member == "/TargetPrefix" => (**place).clone(),
        Some(_) | None => further(&logging.place, member),
    }
}

/// Where a setting is written, as exactly as that is known.
pub fn setting_place(settings: &Settings, call: Call, member: &str) -> Option<Place> {
    settings.places.get(&call).map(|place| further(place, member))
}

fn further(place: &Place, member: &str) -> Place {
    match place.document.title {
        Title::Answer { .. } => place.inside(member),
        Title::File { .. } | Title::Embedded { .. } => place.clone(),
    }
}

/// The command that switches a bucket's logging off.
pub fn stop_logging(bucket: &str) -> String {
    format!(
        "put-bucket-logging --bucket {} --bucket-logging-status '{{}}'",
        quoted(bucket)
    )
}

/// The command that writes this logging configuration. None where a part isn't known, or where it has target grants,
/// which the command would have to repeat: S3 replaces the whole.
pub fn put_logging(bucket: &str, logging: &Logging) -> Option<String> {
    if !logging.target_grants.is_empty() {
        return None;
    }
    let mut enabled = serde_json::json!({
        "TargetBucket": logging.target.known()?.text(),
        "TargetPrefix": logging.prefix.known()?,
    });
    let date_source = match logging.key_format.known()? {
        KeyFormat::Simple => None,
        KeyFormat::PartitionedByEventTime => Some("EventTime"),
        KeyFormat::PartitionedByDeliveryTime => Some("DeliveryTime"),
    };
    if let Some(source) = date_source {
        enabled["TargetObjectKeyFormat"] =
            serde_json::json!({"PartitionedPrefix": {"PartitionDateSource": source}});
    }
    let status = serde_json::json!({ "LoggingEnabled": enabled }).to_string();
    Some(format!(
        "put-bucket-logging --bucket {} --bucket-logging-status {}",
        quoted(bucket),
        quoted(&status)
    ))
}

/// A text as one word of a shell command: names come from an account or a file, and are never obeyed.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    match !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn advice(sentence: &str, command: &str, bucket: &Bucket) -> String {
    // What a file declares is changed in the file: there is no command to give an example of.
    if bucket.place.is_some() || !bucket.name_known {
        let alone = sentence.strip_suffix("for example").unwrap_or(sentence);
        return alone.trim_end_matches([',', ' ']).to_owned();
    }
    format!(
        "{sentence}:\naws s3api {command}{}",
        region(bucket.region.known())
    )
}

fn region(region: Option<&Region>) -> String {
    match region {
        Some(region) => format!(" --region {region}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_word_of_the_command() {
        assert_eq!(quoted("app-data"), "app-data");
        assert_eq!(quoted("a; rm -rf ~"), "'a; rm -rf ~'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("--endpoint-url"), "'--endpoint-url'");
        assert_eq!(quoted(""), "''");
    }
}
