//! What is asked of files of CloudFormation beyond the files themselves, and how they are read from a disk.

use std::fs;
use std::path::Path;

use clap::Args;

use super::error::Error;
use super::{input, region};
use crate::collect::cloudformation::{self, Hints, Source, There};
use crate::collect::deployment::Deployment;
use crate::collect::encoding;
use crate::name::AccountId;

/// A file that a template names is read up to this size. CloudFormation itself takes 1 MB.
const LARGEST: u64 = 16 << 20;

/// What a template can't tell by itself.
#[derive(Debug, Clone, Default, Args)]
pub struct TemplateArguments {
    /// Value of a template's parameter; repeatable. `AWS::StackName=NAME` names the stack
    #[arg(long, value_name = "NAME=VALUE", help_heading = "CloudFormation")]
    pub parameter: Vec<String>,
    /// Values of parameters: the list of the AWS CLI, the map of CodePipeline, or a plain map; repeatable
    #[arg(long, value_name = "FILE", help_heading = "CloudFormation")]
    pub parameter_file: Vec<String>,
    /// The account that the files are deployed to, where they don't say
    #[arg(long, value_name = "ID", help_heading = "CloudFormation")]
    pub account: Option<String>,
    /// The region that the templates are deployed to, where they don't say
    #[arg(long, value_name = "REGION", help_heading = "CloudFormation")]
    pub region: Option<String>,
}

impl TemplateArguments {
    fn hints(&self, there: There) -> Result<Hints, Error> {
        let mut parameters = std::collections::BTreeMap::new();
        for path in &self.parameter_file {
            let text = input::read_text(path)?;
            let read = cloudformation::read_parameters(&text).map_err(|source| Error::ParameterFile {
                path: path.clone(),
                source,
            })?;
            parameters.extend(read);
        }
        for given in &self.parameter {
            let (name, value) = cloudformation::read_parameter(given).map_err(Error::Parameter)?;
            parameters.insert(name, value);
        }
        let region = self.region.as_deref().map(region::parse);
        Ok(Hints {
            parameters,
            account: self.account()?,
            region: region.transpose()?,
            there,
        })
    }

    pub fn account(&self) -> Result<Option<AccountId>, Error> {
        let account = self.account.as_deref().map(|given| {
            AccountId::parse(given).map_err(|error| Error::Account {
                given: given.to_owned(),
                reason: error.to_string(),
            })
        });
        account.transpose()
    }

    /// The first option that was given, which means nothing without a template.
    pub fn given(&self) -> Option<&'static str> {
        if !self.parameter.is_empty() {
            Some("--parameter")
        } else if !self.parameter_file.is_empty() {
            Some("--parameter-file")
        } else {
            None
        }
    }
}

/// Reads all the files of CloudFormation of a run, and what they name.
pub fn read(sources: &[Source], arguments: &TemplateArguments, there: There) -> Result<Deployment, Error> {
    cloudformation::read(sources, &arguments.hints(there)?, &mut load).map_err(Error::Template)
}

/// The manifest of a `cdk.out` folder, where the path is one.
pub fn manifest_in(path: &str) -> Option<String> {
    let manifest = Path::new(path).join("manifest.json");
    manifest.is_file().then(|| manifest.display().to_string())
}

/// A file that another one names. What is no plain file, or too large, isn't there.
fn load(path: &str) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    match metadata.is_file() && metadata.len() <= LARGEST {
        true => encoding::decode(fs::read(path).ok()?).ok(),
        false => None,
    }
}
