//! What a bucket holds, and its conditional writes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An object as it is now.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) bytes: Arc<[u8]>,
    pub(super) tag: u64,
}

/// An upload that is not completed yet.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
    next: u64,
}

impl Held {
    /// A number that nothing else has: of a tag, or of an upload.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn put(&mut self, key: &str, bytes: &[u8]) {
        let tag = self.number();
        self.objects.insert(key.to_owned(), Object { bytes: bytes.into(), tag });
    }
}

/// A bucket; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    held: Arc<Mutex<Held>>,
}

impl Bucket {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys and bytes of all objects, as a reader sees them.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Arc<[u8]>> {
        self.held().objects.iter().map(|(key, object)| (key.clone(), object.bytes.clone())).collect()
    }

    /// Keys of uploads that nobody completed or aborted.
    #[must_use]
    pub fn open_uploads(&self) -> Vec<String> {
        self.held().uploads.values().map(|upload| upload.key.clone()).collect()
    }

    /// Another bucket that holds the same.
    #[must_use]
    pub fn copied(&self) -> Self {
        let held = self.held();
        let same = Held { objects: held.objects.clone(), uploads: held.uploads.clone(), next: held.next };
        Self { held: Arc::new(Mutex::new(same)) }
    }
}
