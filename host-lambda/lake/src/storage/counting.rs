//! A storage that counts what it is asked, for tests of what things cost.
//!
//! Calls, and what listings bring: a listing of everything is one call and costs as much as there is.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::storage::{
    Chunks, Facts, LeftOver, LocalFolder, Page, Published, Result, Stage, Staged, Storage, Tagged,
};

/// A folder that counts.
pub(crate) struct Counting {
    folder: LocalFolder,
    calls: AtomicU64,
    listed: AtomicU64,
}

impl Counting {
    pub(crate) fn new(folder: LocalFolder) -> Self {
        Self { folder, calls: AtomicU64::new(0), listed: AtomicU64::new(0) }
    }

    /// Calls and listed names so far.
    pub(crate) fn counted(&self) -> [u64; 2] {
        [self.calls.load(Ordering::Relaxed), self.listed.load(Ordering::Relaxed)]
    }

    fn inner(&self) -> &LocalFolder {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &self.folder
    }

    fn listed(&self, names: usize) {
        self.listed.fetch_add(names as u64, Ordering::Relaxed);
    }
}

impl Storage for Counting {
    fn uri(&self) -> &str {
        self.folder.uri()
    }
    fn list(&self, prefix: &str) -> Result<Vec<Facts>> {
        let found = self.inner().list(prefix)?;
        self.listed(found.len());
        Ok(found)
    }
    fn list_page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let page = self.inner().list_page(prefix, after, limit)?;
        self.listed(page.found.len());
        Ok(page)
    }
    fn folders(&self, prefix: &str) -> Result<Vec<String>> {
        let names = self.inner().folders(prefix)?;
        self.listed(names.len());
        Ok(names)
    }
    fn stat(&self, key: &str) -> Result<Option<Facts>> {
        self.inner().stat(key)
    }
    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>> {
        self.inner().open(object)
    }
    fn get(&self, key: &str) -> Result<Option<Tagged>> {
        self.inner().get(key)
    }
    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        self.inner().put_if_absent(key, bytes)
    }
    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Result<bool> {
        self.inner().replace_if_unchanged(key, bytes, tag)
    }
    fn delete(&self, key: &str) -> Result<()> {
        self.inner().delete(key)
    }
    fn stage(&self, key: &str) -> Result<Box<dyn Stage>> {
        self.inner().stage(key)
    }
    fn settle(&self, staged: &[Staged]) -> Result<()> {
        self.inner().settle(staged)
    }
    fn publish(&self, staged: &Staged) -> Result<Published> {
        self.inner().publish(staged)
    }
    fn seal(&self, keys: &[String]) -> Result<()> {
        self.inner().seal(keys)
    }
    fn abort(&self, token: &str) -> Result<()> {
        self.inner().abort(token)
    }
    fn left_overs(&self) -> Result<Vec<LeftOver>> {
        self.inner().left_overs()
    }
}
