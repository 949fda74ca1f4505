//! Guards a lake's storage: only a lake of this layout is read or written.
//!
//! Not for what the layout is: see [`keys`](crate::keys). How it works:
//!
//! * `_lakegate/lake.json` is put, if absent, before the first write, and never by a read; so whatever else lies
//!   below `_lakegate/` came after it, and a lake that has data and no such file was made by another version.
//! * Once a lake is known it is never asked for again: one request for each [`Lake`](crate::Lake) that is opened, or
//!   for each [`Texts`](crate::lake::Texts) where lakes of one place share them, as a deployed pipeline's do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::Deserialize;

use crate::keys;
use crate::storage::{
    Chunks, Facts, Fresh, LeftOver, Page, Published, Result, Stage, Staged, Storage, StorageError, Tagged,
};

const UNKNOWN: u8 = 0;
/// There was nothing when it was looked at: it may be read, and is marked before it is written.
const EMPTY: u8 = 1;
const KNOWN: u8 = 2;
/// Keys looked through for part files where there is nothing of the lake's own.
const LOOKED_THROUGH: usize = 1000;

/// What is known of a lake's layout.
#[derive(Debug, Default)]
pub(super) struct Layout(AtomicU8);

#[derive(Deserialize)]
struct Marker {
    layout: u64,
}

/// A storage that is asked only once its lake is known to have this layout. Counts its calls.
pub(super) struct Guarded {
    inner: Arc<dyn Storage>,
    layout: Arc<Layout>,
    calls: AtomicU64,
}

impl Guarded {
    pub(super) fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, layout: Arc::default(), calls: AtomicU64::new(0) }
    }

    /// The same place, with what others know of it.
    pub(super) fn sharing(&self, layout: Arc<Layout>) -> Self {
        Self { inner: self.inner.clone(), layout, calls: AtomicU64::new(0) }
    }

    /// The same place, for what is left to do when time is up.
    pub(super) fn cleaning_up(&self) -> Option<Self> {
        let inner = self.inner.cleaning_up()?;
        Some(Self { inner, layout: self.layout.clone(), calls: AtomicU64::new(0) })
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn count(&self, calls: usize) {
        self.calls.fetch_add(calls as u64, Ordering::Relaxed);
    }

    fn read(&self) -> Result<&dyn Storage> {
        self.count(1);
        if self.layout.0.load(Ordering::Acquire) == UNKNOWN {
            let state = if self.is_marked()? { KNOWN } else { EMPTY };
            self.layout.0.store(state, Ordering::Release);
        }
        Ok(&*self.inner)
    }

    fn write(&self) -> Result<&dyn Storage> {
        self.count(1);
        if self.layout.0.load(Ordering::Acquire) != KNOWN {
            // Who loses has met somebody who knows the lake, and looks at what they wrote.
            let text = format!("{{\"layout\":{}}}\n", keys::LAYOUT);
            if !self.is_marked()? && !self.inner.put_if_absent(keys::LAKE, text.as_bytes())? {
                self.is_marked()?;
            }
            self.layout.0.store(KNOWN, Ordering::Release);
        }
        Ok(&*self.inner)
    }

    /// False if there is nothing yet.
    fn is_marked(&self) -> Result<bool> {
        if self.marker()? {
            return Ok(true);
        }
        if !self.has_data()? {
            return Ok(false);
        }
        // Made while this one looked: the marker comes before all else.
        if self.marker()? { Ok(true) } else { Err(self.refused(None)) }
    }

    fn marker(&self) -> Result<bool> {
        let Some(found) = self.inner.get(keys::LAKE)? else { return Ok(false) };
        let layout = serde_json::from_slice::<Marker>(&found.bytes).ok().map(|marker| marker.layout);
        if layout == Some(keys::LAYOUT) { Ok(true) } else { Err(self.refused(Some(layout.unwrap_or(0)))) }
    }

    fn has_data(&self) -> Result<bool> {
        if !self.inner.list_page(keys::OWN, None, 1)?.found.is_empty() {
            return Ok(true);
        }
        // Tables without records: somebody took those away, and every object would be loaded a second time.
        let some = self.inner.list_page("", None, LOOKED_THROUGH)?;
        Ok(some.found.iter().any(|facts| is_part(&facts.key)))
    }

    fn refused(&self, found: Option<u64>) -> StorageError {
        StorageError::Layout { lake: self.inner.uri().into(), found, known: keys::LAYOUT }
    }
}

/// `…-<modified>-<digest>-<n>.parquet`, as no other program names its files.
fn is_part(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    let mut words = name.strip_suffix(".parquet").unwrap_or_default().rsplit('-');
    let (number, digest, modified) = (words.next(), words.next(), words.next());
    let hex = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let time = |text: &str| text.len() == 16 && text.as_bytes()[8] == b'T' && text.ends_with('Z');
    number.is_some_and(|text| text.parse::<u32>().is_ok())
        && digest.is_some_and(hex)
        && modified.is_some_and(time)
}

impl Storage for Guarded {
    fn uri(&self) -> &str {
        self.inner.uri()
    }

    fn list(&self, prefix: &str) -> Result<Vec<Facts>> {
        self.read()?.list(prefix)
    }

    fn list_page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        self.read()?.list_page(prefix, after, limit)
    }

    fn folders(&self, prefix: &str) -> Result<Vec<String>> {
        self.read()?.folders(prefix)
    }

    fn stat(&self, key: &str) -> Result<Option<Facts>> {
        self.read()?.stat(key)
    }

    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>> {
        self.read()?.open(object)
    }

    fn get(&self, key: &str) -> Result<Option<Tagged>> {
        self.read()?.get(key)
    }

    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Tagged>>> {
        self.count(keys.len().saturating_sub(1));
        self.read()?.get_all(keys)
    }

    fn get_unless(&self, key: &str, tag: &str) -> Result<Fresh> {
        self.read()?.get_unless(key, tag)
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        self.write()?.put_if_absent(key, bytes)
    }

    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Result<bool> {
        self.write()?.replace_if_unchanged(key, bytes, tag)
    }

    /// Takes something away where there is something: no write that makes a lake.
    fn delete(&self, key: &str) -> Result<()> {
        self.read()?.delete(key)
    }

    fn stage(&self, key: &str) -> Result<Box<dyn Stage>> {
        self.write()?.stage(key)
    }

    fn settle(&self, staged: &[Staged]) -> Result<()> {
        self.write()?.settle(staged)
    }

    fn publish(&self, staged: &Staged) -> Result<Published> {
        self.write()?.publish(staged)
    }

    fn publish_all(&self, staged: &[Staged]) -> Result<Vec<Published>> {
        self.count(staged.len().saturating_sub(1));
        self.write()?.publish_all(staged)
    }

    fn seal(&self, keys: &[String]) -> Result<()> {
        self.write()?.seal(keys)
    }

    /// Cleaning up asks nothing: what a token names is this version's own.
    fn abort(&self, token: &str) -> Result<()> {
        self.count(1);
        self.inner.abort(token)
    }

    fn sweep(&self, staged: &[Staged]) -> Result<()> {
        self.write()?.sweep(staged)
    }

    fn left_overs(&self) -> Result<Vec<LeftOver>> {
        self.read()?.left_overs()
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
