//! A storage whose process dies: after a number of writes nothing works any more.
//!
//! For: the crash test. Not for: passing trouble (each call fails for ever). The decision to know: a
//! call counts when it changes something; the last one either does its work and is not heard of, or
//! does nothing, since both happen to a killed process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lakegate_lake::storage::{
    Chunks, Facts, LeftOver, LocalFolder, Published, Stage, Staged, Storage, StorageError, Tagged,
};

type Result<T> = std::result::Result<T, StorageError>;

/// How many changes are left to a process, shared by all it holds.
#[derive(Debug)]
struct Life {
    done: AtomicU64,
    last: u64,
    last_works: bool,
}

impl Life {
    fn dead(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.last
    }

    /// Does a change, if the process lives.
    fn change<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let number = self.done.fetch_add(1, Ordering::SeqCst) + 1;
        match number.cmp(&self.last) {
            std::cmp::Ordering::Less => work(),
            std::cmp::Ordering::Equal => {
                self.done.fetch_add(1, Ordering::SeqCst);
                if self.last_works {
                    work()?;
                }
                Err(gone())
            }
            std::cmp::Ordering::Greater => Err(gone()),
        }
    }

    fn look<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.dead() { Err(gone()) } else { work() }
    }
}

fn gone() -> StorageError {
    let source = std::io::Error::other("killed by the test");
    StorageError::Io { action: "reach", key: "the folder".to_owned(), source }
}

/// A folder seen by a process that dies.
pub struct Dying {
    folder: LocalFolder,
    life: Arc<Life>,
}

impl Dying {
    /// The process dies at its `last` change, before or after that change is made.
    #[must_use]
    pub fn new(folder: LocalFolder, last: u64, last_works: bool) -> Self {
        Self { folder, life: Arc::new(Life { done: AtomicU64::new(0), last, last_works }) }
    }

    /// Whether it died already.
    #[must_use]
    pub fn died(&self) -> bool {
        self.life.dead()
    }
}

struct DyingStage {
    /// None once the process is dead: it must not tidy up either.
    inner: Option<Box<dyn Stage>>,
    life: Arc<Life>,
}

impl Stage for DyingStage {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(inner) = &mut self.inner else { return Err(gone()) };
        self.life.change(|| inner.write(bytes))
    }

    fn finish(mut self: Box<Self>) -> Result<Staged> {
        let inner = self.inner.take().ok_or_else(gone)?;
        let life = Arc::clone(&self.life);
        if life.dead() {
            std::mem::forget(inner);
            return Err(gone());
        }
        life.change(|| inner.finish())
    }
}

impl Drop for DyingStage {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take().filter(|_| self.life.dead()) {
            std::mem::forget(inner);
        }
    }
}

impl Storage for Dying {
    fn uri(&self) -> &str {
        self.folder.uri()
    }

    fn list(&self, prefix: &str) -> Result<Vec<Facts>> {
        self.life.look(|| self.folder.list(prefix))
    }

    fn stat(&self, key: &str) -> Result<Option<Facts>> {
        self.life.look(|| self.folder.stat(key))
    }

    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>> {
        self.life.look(|| self.folder.open(object))
    }

    fn get(&self, key: &str) -> Result<Option<Tagged>> {
        self.life.look(|| self.folder.get(key))
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        self.life.change(|| self.folder.put_if_absent(key, bytes))
    }

    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Result<bool> {
        self.life.change(|| self.folder.replace_if_unchanged(key, bytes, tag))
    }

    fn delete(&self, key: &str) -> Result<()> {
        self.life.change(|| self.folder.delete(key))
    }

    fn stage(&self, key: &str) -> Result<Box<dyn Stage>> {
        let inner = self.life.change(|| self.folder.stage(key))?;
        Ok(Box::new(DyingStage { inner: Some(inner), life: Arc::clone(&self.life) }))
    }

    fn settle(&self, staged: &[Staged]) -> Result<()> {
        self.life.change(|| self.folder.settle(staged))
    }

    fn publish(&self, staged: &Staged) -> Result<Published> {
        self.life.change(|| self.folder.publish(staged))
    }

    fn seal(&self, keys: &[String]) -> Result<()> {
        self.life.change(|| self.folder.seal(keys))
    }

    fn abort(&self, token: &str) -> Result<()> {
        self.life.change(|| self.folder.abort(token))
    }

    fn left_overs(&self) -> Result<Vec<LeftOver>> {
        self.life.look(|| self.folder.left_overs())
    }
}
