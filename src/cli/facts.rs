//! What the user knows beside what AWS answers, said on the command line.

use clap::Args;

use super::error::Error;
use crate::policy::Facts;

#[derive(Debug, Clone, Default, Args)]
pub struct FactArguments {
    /// What a log delivery carries of a condition key, nothing after `=` for no such key; repeatable
    #[arg(long = "fact", value_name = "KEY=VALUE")]
    pub facts: Vec<String>,
}

impl FactArguments {
    /// What is said here goes before what is known already.
    pub fn add_to(&self, mut facts: Facts) -> Result<Facts, Error> {
        let mut said: Vec<(&str, Vec<String>)> = Vec::new();
        for given in &self.facts {
            let Some((key, value)) = given.split_once('=').filter(|(key, _)| key.contains(':')) else {
                return Err(Error::Fact { given: given.clone() });
            };
            let values = match said.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
                Some((_, values)) => values,
                None => {
                    said.push((key, Vec::new()));
                    let Some((_, values)) = said.last_mut() else {
                        continue;
                    };
                    values
                }
            };
            if !value.is_empty() {
                values.push(value.to_owned());
            }
        }
        for (key, values) in said {
            facts = match values.is_empty() {
                true => facts.know_absent(key),
                false => facts.know(key, values),
            };
        }
        Ok(facts)
    }
}
