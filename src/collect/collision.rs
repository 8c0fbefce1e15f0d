//! Resources of one run that write the same setting of one bucket, each its own: the last one to be deployed wins, and
//! nobody knows which that is.

use std::collections::BTreeMap;

use super::deployment::{BucketKey, Configuration, Deployment, Fate, Said, alike_logging, alike_policy};
use crate::inventory::Fact;

/// Which resources collide, one sentence for each bucket and setting.
pub fn collisions(deployments: &[Deployment]) -> Vec<String> {
    let mut told = of_setting(deployments, "policy", |all| &all.policy, alike_policy);
    told.extend(of_setting(
        deployments,
        "logging configuration",
        |all| &all.logging,
        alike_logging,
    ));
    told
}

/// A name; or an address, which counts within its file.
type Bucket<'d> = (Option<usize>, &'d str);

fn of_setting<T>(
    deployments: &[Deployment],
    setting: &str,
    pick: impl Fn(&Configuration) -> &Said<T>,
    alike: impl Fn(&T, &T) -> bool,
) -> Vec<String> {
    let mut writers: BTreeMap<Bucket<'_>, Vec<(&str, &T)>> = BTreeMap::new();
    for (number, deployment) in deployments.iter().enumerate() {
        for declared in deployment
            .declared
            .iter()
            .filter(|each| each.fate == Fate::NotSaid)
        {
            let bucket = match &declared.bucket {
                BucketKey::Name(name) => (None, name.as_str()),
                BucketKey::Address(address) => (Some(number), address.as_str()),
                BucketKey::OneOf(_) | BucketKey::Any => continue,
            };
            if let Said::Sets(Fact::Known(value)) = pick(&declared.configuration) {
                writers
                    .entry(bucket)
                    .or_default()
                    .push((&declared.address, value));
            }
        }
    }
    let mut told = Vec::new();
    for ((_, bucket), all) in writers {
        let differs = |pair: &[(&str, &T)]| !alike(pair[0].1, pair[1].1);
        if all.windows(2).any(differs) {
            let addresses: Vec<String> = all.iter().map(|(address, _)| format!("`{address}`")).collect();
            told.push(format!(
                "{} each write the {setting} of `{bucket}`: they overwrite each other, and only the deploy tells which \
                 one stays; make them one",
                addresses.join(" and ")
            ));
        }
    }
    told
}
