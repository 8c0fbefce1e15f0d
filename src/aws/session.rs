//! Who asks, and with which clients: one per region, all from one configuration.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;

use super::guard::ReadOnly;
use super::meter::{Counter, Meter};
use super::{Error, Refusal};
use crate::name::{AccountId, Arn, Partition, Region};

/// Where requests go that no region claims.
const FALLBACK_REGION: &str = "us-east-1";

const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// What the user said about the account.
#[derive(Debug, Clone)]
pub struct Options {
    pub profile: Option<String>,
    /// The region whose endpoint lists the buckets, before the configured one.
    pub region: Option<Region>,
    /// Of S3 and of STS.
    pub endpoint_url: Option<String>,
    /// Whose credentials are used instead of the caller's own.
    pub role: Option<Role>,
    pub access: Access,
    /// These, instead of what the environment and the configuration files hold.
    pub keys: Option<Keys>,
    /// How often the SDK sends a request before it gives up.
    pub attempts: u32,
    /// How long it waits for each.
    pub attempt_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: None,
            region: None,
            endpoint_url: None,
            role: None,
            access: Access::ReadOnly,
            keys: None,
            attempts: 4,
            attempt_timeout: Duration::from_secs(10),
        }
    }
}

/// Whether this session may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A guard stops every request that isn't a read.
    ReadOnly,
    ReadWrite,
}

/// A role to assume.
#[derive(Debug, Clone)]
pub struct Role {
    pub arn: String,
    pub external_id: Option<String>,
}

/// Credentials that are given outright.
#[derive(Clone)]
pub struct Keys {
    pub id: String,
    pub secret: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

/// Whose credentials they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub account: AccountId,
    pub partition: Partition,
}

/// One account, seen through one set of credentials.
#[derive(Debug)]
pub struct Session {
    config: SdkConfig,
    home: Region,
    /// The endpoint of S3, where it is not AWS's own.
    endpoint: Option<String>,
    access: Access,
    meter: Arc<Meter>,
    clients: Mutex<BTreeMap<Region, RegionClient>>,
}

#[derive(Debug, Clone)]
struct RegionClient {
    client: Client,
    throttles: Arc<AtomicU64>,
}

impl Session {
    /// Reads the configuration. Sends nothing to S3 yet.
    pub async fn open(options: &Options) -> Result<Self, Error> {
        if let Some(given) = &options.endpoint_url {
            check_endpoint(given)?;
        }
        if options.keys.is_none() {
            check_profile(options.profile.as_deref()).await?;
        }
        let home = home_region(options).await;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(sdk_region(&home))
            .retry_config(
                // The SDK's adaptive mode crawls for half a minute after a single burst of throttling.
                RetryConfig::standard()
                    .with_max_attempts(options.attempts)
                    .with_initial_backoff(Duration::from_millis(200)),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(options.attempt_timeout)
                    .build(),
            );
        if let Some(keys) = &options.keys {
            let credentials = Credentials::new(&keys.id, &keys.secret, None, None, "given");
            loader = loader.credentials_provider(credentials);
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &options.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        let mut config = loader.load().await;
        if let Some(role) = &options.role {
            config = assuming(config, role).await?;
        }
        let endpoint = options
            .endpoint_url
            .clone()
            .or_else(|| s3_endpoint(&config))
            .or_else(|| config.endpoint_url().map(str::to_owned));
        if let Some(endpoint) = &endpoint {
            check_endpoint(endpoint)?;
        }
        Ok(Self {
            config,
            home,
            endpoint,
            access: options.access,
            meter: Arc::default(),
            clients: Mutex::default(),
        })
    }

    /// The client of a region.
    pub fn client(&self, region: &Region) -> Client {
        self.region_client(region).client
    }

    /// How often this region asked for fewer requests.
    pub(super) fn throttles(&self, region: &Region) -> u64 {
        self.region_client(region).throttles.load(Ordering::Relaxed)
    }

    pub fn home(&self) -> &Region {
        &self.home
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// What is told of where requests go.
    pub fn endpoint_text(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("Amazon S3 in {}", self.home),
        }
    }

    /// `GetCallerIdentity`, which needs no permission.
    pub async fn identity(&self) -> Result<Identity, Refusal> {
        let counter = Counter {
            meter: Arc::clone(&self.meter),
            throttles: Arc::default(),
        };
        let config = aws_sdk_sts::config::Builder::from(&self.config)
            .interceptor(counter)
            .build();
        let answer = aws_sdk_sts::Client::from_conf(config)
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| Refusal::of(&error))?;
        let arn = answer.arn().and_then(|arn| Arn::parse(arn).ok());
        let account = answer.account().and_then(|id| AccountId::parse(id).ok());
        let Some(account) = account else {
            return Err(Refusal::broken("the answer names no account"));
        };
        Ok(Identity {
            account,
            partition: arn
                .and_then(|arn| Partition::parse(&arn.partition).ok())
                .unwrap_or_else(|| self.home.partition()),
        })
    }

    fn region_client(&self, region: &Region) -> RegionClient {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(region) {
            return client.clone();
        }
        let throttles = Arc::default();
        let counter = Counter {
            meter: Arc::clone(&self.meter),
            throttles: Arc::clone(&throttles),
        };
        let mut config = aws_sdk_s3::config::Builder::from(&self.config)
            .region(sdk_region(region))
            .interceptor(counter);
        if self.endpoint.is_some() {
            // Other servers rarely answer at `bucket.host`, and `bucket.localhost` has no address.
            config = config.force_path_style(true);
        }
        if self.access == Access::ReadOnly {
            config = config.interceptor(ReadOnly);
        }
        let client = RegionClient {
            client: Client::from_conf(config.build()),
            throttles,
        };
        clients.insert(region.clone(), client.clone());
        client
    }
}

fn sdk_region(region: &Region) -> aws_config::Region {
    aws_config::Region::new(region.as_str().to_owned())
}

/// The same configuration, with the credentials of a role. They are fetched with the first call.
async fn assuming(config: SdkConfig, role: &Role) -> Result<SdkConfig, Error> {
    let is_role = Arn::parse(&role.arn).is_ok_and(|arn| {
        arn.service == "iam" && arn.resource.starts_with("role/") && !arn.account.is_empty()
    });
    if !is_role {
        return Err(Error::Role {
            given: role.arn.clone(),
        });
    }
    let mut provider = AssumeRoleProvider::builder(&role.arn)
        .session_name("s3log-lint")
        .configure(&config);
    if let Some(id) = &role.external_id {
        provider = provider.external_id(id);
    }
    let provider = SharedCredentialsProvider::new(provider.build().await);
    Ok(config.into_builder().credentials_provider(provider).build())
}

async fn home_region(options: &Options) -> Region {
    if let Some(region) = &options.region {
        return region.clone();
    }
    let mut chain = DefaultRegionChain::builder();
    if let Some(profile) = &options.profile {
        chain = chain.profile_name(profile);
    }
    let configured = chain.build().region().await;
    configured
        .and_then(|region| Region::parse(region.as_ref()).ok())
        .or_else(|| Region::parse(FALLBACK_REGION).ok())
        .expect("because the fallback is a region")
}

/// The endpoint that `AWS_ENDPOINT_URL_S3` or a profile's `services` section names. The SDK uses it and doesn't show it.
fn s3_endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// The SDK panics on some of what isn't a URL, and explains the rest badly.
fn check_endpoint(given: &str) -> Result<(), Error> {
    let wrong = |reason| Error::Endpoint {
        given: given.to_owned(),
        reason,
    };
    let Some((scheme, rest)) = given.split_once("://") else {
        return Err(wrong("it does not begin with http:// or https://"));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(wrong("it does not begin with http:// or https://"));
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        return Err(wrong("it names no host"));
    }
    if host.contains('@') {
        return Err(wrong("it holds a user name or a password"));
    }
    if given.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("it holds a blank"));
    }
    Ok(())
}

/// A profile that doesn't exist is said so; the SDK would quietly look for credentials elsewhere.
async fn check_profile(given: Option<&str>) -> Result<(), Error> {
    let selected = given.map(|name| name.to_owned().into());
    let profiles = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), selected)
        .await
        .map_err(|error| Error::Configuration {
            reason: error.to_string(),
        })?;
    let name = profiles.selected_profile();
    // Nobody needs to have a profile called "default".
    if profiles.get_profile(name).is_some() || (given.is_none() && name == "default") {
        return Ok(());
    }
    let mut known: Vec<String> = profiles.profiles().map(str::to_owned).collect();
    known.sort();
    Err(Error::NoProfile {
        given: name.to_owned(),
        known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_without_secrets() {
        for good in ["http://127.0.0.1:4566", "https://s3.example.com/base"] {
            assert!(check_endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "127.0.0.1:4566",
            "ftp://host",
            "http://",
            "http://a:b@host",
            "http://a b",
        ] {
            assert!(
                matches!(check_endpoint(bad), Err(Error::Endpoint { .. })),
                "{bad}"
            );
        }
    }
}
