//! A plan while it is made: each change starts from the inventory that the changes before it left.

use serde_json::Value;

use super::project::{current, project_into};
use super::{Change, NewBucket, Put, Refusal, Setting};
use crate::inventory::{Account, Bucket, Inventory};
use crate::name::{AccountId, BucketName};

pub(super) struct Draft {
    pub inventory: Inventory,
    /// The place of the account in the inventory; accounts don't move.
    position: usize,
    pub account: AccountId,
    pub changes: Vec<Change>,
}

impl Draft {
    pub fn new(inventory: &Inventory, position: usize, account: AccountId) -> Self {
        Self {
            inventory: inventory.clone(),
            position,
            account,
            changes: Vec::new(),
        }
    }

    pub fn account(&self) -> &Account {
        &self.inventory.accounts[self.position]
    }

    pub fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.account().bucket(name)
    }

    pub fn create(&mut self, new: NewBucket) {
        self.push(Change::CreateBucket(new));
    }

    /// What stands there now; a refusal where that isn't known.
    pub fn current(&self, name: &str, setting: Setting) -> Result<Option<Value>, Refusal> {
        let Some(bucket) = self.bucket(name) else {
            return Ok(None);
        };
        current(bucket, setting).map_err(|why| Refusal::Unreadable {
            bucket: name.to_owned(),
            what: match setting {
                Setting::Logging => "the logging configuration",
                Setting::Policy => "the policy",
                Setting::Acl => "the ACL",
                Setting::Lifecycle => "the lifecycle configuration",
                Setting::Encryption => "the default encryption",
                Setting::RequestPayment => "who pays for requests",
                Setting::OwnershipControls => "the object ownership",
                Setting::PublicAccessBlock => "the public access block",
            },
            call: setting.call(),
            why,
        })
    }

    /// Plans to write this document, unless what stands there means the same.
    pub fn put(&mut self, name: &str, setting: Setting, after: Option<Value>) -> Result<(), Refusal> {
        let before = self.current(name, setting)?;
        if setting.same(before.as_ref(), after.as_ref()) {
            return Ok(());
        }
        if let Some(at) = self.position_of(name, setting) {
            self.rewrite(at, after);
            return Ok(());
        }
        let Some(bucket) = self.bucket(name) else {
            return Ok(());
        };
        let region = bucket.region.answer().map_err(|why| Refusal::Unreadable {
            bucket: name.to_owned(),
            what: "the region",
            call: crate::inventory::Call::Head,
            why: why.clone(),
        })?;
        let (Some(region), Ok(bucket)) = (region.cloned(), BucketName::parse(name)) else {
            return Err(Refusal::NoSource {
                bucket: name.to_owned(),
            });
        };
        self.push(Change::Put(Put {
            bucket,
            region,
            setting,
            before,
            after,
        }));
        Ok(())
    }

    /// The change that puts this setting already: it is put once, with all that is wanted of it.
    fn position_of(&self, name: &str, setting: Setting) -> Option<usize> {
        self.changes.iter().position(|change| match change {
            Change::Put(put) => put.setting == setting && put.bucket.as_str() == name,
            Change::CreateBucket(_) | Change::DeleteBucket(_) => false,
        })
    }

    fn rewrite(&mut self, at: usize, after: Option<Value>) {
        let Some(Change::Put(put)) = self.changes.get_mut(at) else {
            return;
        };
        put.after = after;
        let change = Change::Put(put.clone());
        let is_void = put.setting.same(put.before.as_ref(), put.after.as_ref());
        project_into(&mut self.inventory, &self.account, &change);
        if is_void {
            self.changes.remove(at);
        }
    }

    fn push(&mut self, change: Change) {
        project_into(&mut self.inventory, &self.account, &change);
        self.changes.push(change);
    }
}
