//! What files say will be deployed, in one form for Terraform and CloudFormation.
//!
//! A [`Deployment`] is no inventory: it says what is *changed*, resource by resource, and is silent on the rest.

use std::ops::Deref;
use std::sync::Arc;

use crate::inventory::{
    Acl, Allowance, Call, Document, Encryption, Fact, LifecycleRule, Logging, ObjectLock, ObjectOwnership,
    Payer, Place, Places, PublicAccessBlock, Versioning, Why,
};
use crate::name::{AccountId, Partition, Region};

/// One file (a plan, a state), or one stack of a template or an assembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The file as the user named it; with several stacks in one file, the stack's name too.
    pub title: String,
    /// Whether the file says all that its stack holds. A targeted or failed plan doesn't: what it is silent on may
    /// be configured all the same.
    pub complete: bool,
    /// In the order of the file.
    pub declared: Vec<Declared>,
    /// The same of the time before, where the file tells it: everything kept, everything unchanged.
    pub before: Vec<Declared>,
    /// What a person should know about the reading of this file, one sentence each.
    pub remarks: Vec<String>,
}

/// What one resource says of one bucket. Several resources may speak of the same bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub bucket: BucketKey,
    /// The resource that says it: `aws_s3_bucket_logging.app[0]`, `module.a.aws_s3_bucket.x`, `StackName/LogicalId`.
    pub address: String,
    /// Where the resource is declared.
    pub place: Option<Place>,
    pub owner: Owner,
    pub region: Fact<Region>,
    /// Where the region isn't known: what has the same text here goes to the same one. The text counts within its file.
    pub region_of: Option<String>,
    pub fate: Fate,
    /// What its file allows on it: a comment or metadata of the resource.
    pub allowances: Vec<Allowance>,
    /// Buckets of the same file that are never deployed together with this one.
    pub never_with: Vec<BucketKey>,
    /// The condition on which it hangs whether the bucket is deployed, where that can't be told.
    pub hangs_on: Option<Hanging>,
    pub configuration: Configuration,
}

/// A condition that can't be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    pub condition: String,
    /// The buckets that log here and are never deployed without this one.
    pub there_with: Vec<BucketKey>,
}

/// Which bucket is meant. The readers follow references: a bucket of the same file whose name is known is meant by
/// its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BucketKey {
    Name(String),
    /// A bucket of the same file that gets its name with the deploy, by the address of its resource. The address
    /// counts within its file; two such buckets are never taken for one.
    Address(String),
    /// One of these; of no bucket in particular where the list is empty. What is set then is unknown for each of
    /// them on which nothing else is said.
    OneOf(Vec<BucketKey>),
    /// Any bucket of the file, or any that was there before: what would tell it isn't given.
    Any,
}

/// Whose account it is deployed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Owner {
    pub account: Option<AccountId>,
    pub partition: Option<Partition>,
    /// Stands for the credentials: empty for the default ones of the run. The same text means the same account;
    /// different texts may be one account or two.
    pub credentials: String,
}

/// What becomes of the bucket itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The resource is no bucket: it configures one.
    NotSaid,
    Kept,
    Created,
    Updated,
    Deleted,
    /// No longer managed; it stays in AWS as it is.
    Forgotten,
    /// Deleted and created again, empty and with nothing of its old configuration.
    Replaced,
}

/// What is said of one setting.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Said<T> {
    #[default]
    Silent,
    /// It stays as it is: what the file last read of it. What AWS answers is better.
    Unchanged(Fact<T>),
    /// The deploy writes it, the whole of it.
    Sets(Fact<T>),
    /// The deploy takes it away: what AWS falls back to.
    Removes,
    /// The template doesn't have it, and only the template that was deployed before tells what that means: what that
    /// one had is taken away, what none ever had stays as it is. A bucket that the deploy creates has what is said
    /// here, or what every new bucket has.
    LeftOut { on_a_new_bucket: Option<Fact<T>> },
}

/// What is said of one setting, kept small: most resources speak of one setting and are silent on the rest, and a
/// large plan holds hundreds of thousands of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<T>(Option<Arc<Said<T>>>);

impl<T> Default for Stated<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Stated<T> {
    type Target = Said<T>;

    fn deref(&self) -> &Said<T> {
        match &self.0 {
            Some(said) => said,
            None => &Said::Silent,
        }
    }
}

impl<T> From<Said<T>> for Stated<T> {
    fn from(said: Said<T>) -> Self {
        match said {
            Said::Silent => Self(None),
            said => Self(Some(Arc::new(said))),
        }
    }
}

impl<T: PartialEq> PartialEq<Said<T>> for Stated<T> {
    fn eq(&self, other: &Said<T>) -> bool {
        **self == *other
    }
}

impl<T: Clone> Stated<T> {
    fn take(&mut self) -> Said<T> {
        self.0.take().map_or(Said::Silent, Arc::unwrap_or_clone)
    }
}

/// What a resource says of a bucket's settings. See [`crate::inventory::Settings`] for what each means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    pub logging: Stated<Logging>,
    pub policy: Stated<Arc<Document>>,
    pub acl: Stated<Acl>,
    pub object_ownership: Stated<ObjectOwnership>,
    pub encryption: Stated<Encryption>,
    pub object_lock: Stated<ObjectLock>,
    pub payer: Stated<Payer>,
    pub lifecycle: Stated<Vec<LifecycleRule>>,
    pub versioning: Stated<Versioning>,
    pub public_access_block: Stated<PublicAccessBlock>,
    /// Where each of them is written.
    pub places: Places,
}

impl Declared {
    /// A resource of which nothing is said yet.
    pub fn new(bucket: BucketKey, address: impl Into<String>, fate: Fate) -> Self {
        Self {
            bucket,
            address: address.into(),
            place: None,
            owner: Owner::default(),
            region: Fact::Unknown(Why::NotRead),
            region_of: None,
            fate,
            allowances: Vec::new(),
            never_with: Vec::new(),
            hangs_on: None,
            configuration: Configuration::default(),
        }
    }
}

/// Each setting of a configuration in turn, whatever its type.
macro_rules! each_setting {
    ($configuration:expr, |$said:ident| $body:expr) => {
        each_setting!(@ $configuration, $said, $body, logging, policy, acl, object_ownership, encryption, object_lock,
            payer, lifecycle, versioning, public_access_block)
    };
    (@ $configuration:expr, $said:ident, $body:expr, $($field:ident),*) => {
        $({
            let $said = &mut $configuration.$field;
            $body
        })*
    };
}

/// Whether a setting is only read, or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    Read,
    Written,
}

impl Configuration {
    /// What is written, taken for what is there already.
    pub fn as_unchanged(mut self) -> Self {
        each_setting!(self, |said| *said = Stated::from(match said.take() {
            Said::Sets(fact) => Said::Unchanged(fact),
            other => other,
        }));
        self
    }

    /// Whether it says anything of what this call asks for.
    pub fn says(&self, call: Call) -> bool {
        self.saying(call).is_some()
    }

    /// Whether the deploy writes what this call asks for, or takes it away.
    pub fn writes(&self, call: Call) -> bool {
        self.saying(call) == Some(Saying::Written)
    }

    fn saying(&self, call: Call) -> Option<Saying> {
        fn of<T>(said: &Said<T>) -> Option<Saying> {
            match said {
                Said::Silent | Said::LeftOut { .. } => None,
                Said::Unchanged(_) => Some(Saying::Read),
                Said::Sets(_) | Said::Removes => Some(Saying::Written),
            }
        }
        match call {
            Call::Logging => of(&self.logging),
            Call::Policy => of(&self.policy),
            Call::Acl => of(&self.acl),
            Call::OwnershipControls => of(&self.object_ownership),
            Call::Encryption => of(&self.encryption),
            Call::ObjectLock => of(&self.object_lock),
            Call::RequestPayment => of(&self.payer),
            Call::Lifecycle => of(&self.lifecycle),
            Call::Versioning => of(&self.versioning),
            Call::PublicAccessBlock => of(&self.public_access_block),
            Call::List | Call::Head | Call::Location | Call::Tagging => None,
        }
    }

    /// Where both sides of a change are at hand, what is left out hangs on nothing more.
    pub fn without_left_out(mut self) -> Self {
        each_setting!(self, |said| *said = Stated::from(match said.take() {
            Said::LeftOut {
                on_a_new_bucket: Some(fact @ Fact::Known(_)),
            } => Said::Sets(fact),
            Said::LeftOut { .. } => Said::Silent,
            other => other,
        }));
        self
    }

    /// Whether it writes anything, or takes anything away. What it leaves out isn't written.
    pub fn is_written(&self) -> bool {
        Call::ALL.into_iter().any(|call| self.writes(call))
    }

    /// Without what sets nothing: a bucket that is created has nothing.
    pub fn without_absent(mut self) -> Self {
        each_setting!(self, |said| if matches!(&**said, Said::Sets(Fact::Absent)) {
            *said = Stated::default();
        });
        self
    }

    /// What is written as it was before is not written.
    pub fn changed_from(mut self, before: &Self) -> Self {
        macro_rules! compare {
            ($($field:ident: $alike:expr),*) => {$(
                let same = match (&*self.$field, &*before.$field) {
                    (Said::Sets(Fact::Known(a)), Said::Sets(Fact::Known(b))) => $alike(a, b),
                    (Said::Sets(Fact::Absent), Said::Sets(Fact::Absent)) => true,
                    _ => false,
                };
                if same && let Said::Sets(fact) = self.$field.take() {
                    self.$field = Said::Unchanged(fact).into();
                }
            )*};
        }
        compare!(
            logging: alike_logging,
            policy: alike_policy,
            acl: PartialEq::eq,
            object_ownership: PartialEq::eq,
            encryption: PartialEq::eq,
            object_lock: PartialEq::eq,
            payer: PartialEq::eq,
            lifecycle: PartialEq::eq,
            versioning: PartialEq::eq,
            public_access_block: PartialEq::eq
        );
        self
    }
}

/// The same logging, wherever it is written.
pub fn alike_logging(a: &Logging, b: &Logging) -> bool {
    (&a.target, &a.prefix, &a.key_format, &a.target_grants)
        == (&b.target, &b.prefix, &b.key_format, &b.target_grants)
}

/// The same policy, wherever it is written.
pub fn alike_policy(a: &Arc<Document>, b: &Arc<Document>) -> bool {
    a.text == b.text
}
