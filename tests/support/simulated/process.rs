//! One process's view of a bucket: takes its turns, and meets its fault.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lakegate_base::{Code, Error};
use lakegate_lake::storage::{
    Chunks, Facts, LeftOver, Page, Published, Stage, Staged, Storage, StorageError, Tagged,
};
use sha2::{Digest, Sha256};

use super::bucket::{Bucket, Held, Upload};
use super::schedule::Schedule;

type Result<T> = std::result::Result<T, StorageError>;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process is killed before it.
    KilledBefore,
    /// The process is killed after it was done.
    KilledAfter,
    /// It is done, and no answer comes.
    ReplyLost,
    /// It is not done: the service is busy.
    Refused,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::KilledBefore, Self::KilledAfter, Self::ReplyLost, Self::Refused];

    /// Whether the process ends by it.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }
}

/// One fault at one call of a process, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Which call.
    pub call: u64,
    /// What becomes of it.
    pub fault: Fault,
}

/// What all parts of a process share.
struct Life {
    number: usize,
    bucket: Bucket,
    schedule: Option<Arc<Schedule>>,
    strike: Option<Strike>,
    calls: AtomicU64,
    dead: AtomicBool,
    struck: AtomicBool,
    /// Small objects that wait to be published: they go with the process.
    memory: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Whether objects are staged there, or as uploads.
    small: bool,
}

/// A process; clones are the same one.
#[derive(Clone)]
pub struct Process {
    life: Arc<Life>,
}

impl Process {
    /// A process over a bucket, undisturbed. `small`: what it stages waits in its memory, else in uploads.
    #[must_use]
    pub fn new(bucket: &Bucket, small: bool) -> Self {
        Self::within(bucket, small, 0, None, None)
    }

    /// A process that takes its turns and meets a fault.
    #[must_use]
    pub fn within(
        bucket: &Bucket,
        small: bool,
        number: usize,
        schedule: Option<Arc<Schedule>>,
        strike: Option<Strike>,
    ) -> Self {
        let life = Life {
            number,
            bucket: bucket.clone(),
            schedule,
            strike,
            calls: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            struck: AtomicBool::new(false),
            memory: Mutex::default(),
            small,
        };
        Self { life: Arc::new(life) }
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.life.calls.load(Ordering::SeqCst)
    }

    /// Whether its fault has come.
    #[must_use]
    pub fn was_struck(&self) -> bool {
        self.life.struck.load(Ordering::SeqCst)
    }

    /// Whether it was killed.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.life.dead.load(Ordering::SeqCst)
    }
}

fn killed() -> StorageError {
    StorageError::Service(Box::new(Error::new(Code::StorageFailed, "the process was killed")))
}

fn silent() -> StorageError {
    StorageError::Service(Box::new(Error::new(Code::Unreachable, "no answer came")))
}

impl Life {
    /// One call: waits for its turn, then does the work, or what the fault says.
    fn call<T>(&self, name: &str, key: &str, work: impl FnOnce(&mut Held) -> Result<T>) -> Result<T> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(killed());
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = self.strike.filter(|strike| strike.call == number).map(|strike| strike.fault);
        if let Some(schedule) = &self.schedule {
            schedule.enter(self.number, || {
                let struck = fault.map(|fault| format!(", {fault:?}")).unwrap_or_default();
                format!("{name} {key}{struck}")
            });
        }
        if fault.is_some() {
            self.struck.store(true, Ordering::SeqCst);
        }
        if fault.is_some_and(Fault::kills) {
            self.dead.store(true, Ordering::SeqCst);
        }
        match fault {
            None => work(&mut self.bucket.held()),
            Some(Fault::KilledBefore) => Err(killed()),
            Some(Fault::Refused) => Err(silent()),
            Some(Fault::KilledAfter) => {
                let _unheard = work(&mut self.bucket.held());
                Err(killed())
            }
            Some(Fault::ReplyLost) => {
                let _unheard = work(&mut self.bucket.held());
                Err(silent())
            }
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn facts(key: &str, object: &super::bucket::Object) -> Facts {
    Facts {
        key: key.into(),
        bytes: object.bytes.len() as u64,
        modified_ms: 0,
        version: format!("e:{}", object.tag),
        promised: None,
    }
}

impl Storage for Process {
    fn uri(&self) -> &str {
        "s3://simulated"
    }

    fn list(&self, prefix: &str) -> Result<Vec<Facts>> {
        self.life.call("list", prefix, |held| {
            let found = held.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(found.map(|(key, object)| facts(key, object)).collect())
        })
    }

    fn list_page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        self.life.call("list", prefix, |held| {
            let found = held.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            let found = found.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
            let mut found: Vec<Facts> =
                found.take(limit.saturating_add(1)).map(|(key, object)| facts(key, object)).collect();
            let more = found.len() > limit;
            found.truncate(limit);
            Ok(Page { found, more })
        })
    }

    fn stat(&self, key: &str) -> Result<Option<Facts>> {
        self.life.call("head", key, |held| Ok(held.objects.get(key).map(|object| facts(key, object))))
    }

    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>> {
        self.life.call("open", &object.key, |held| match held.objects.get(&object.key) {
            Some(found) if facts(&object.key, found).version == object.version => {
                Ok(Box::new(Whole { bytes: found.bytes.to_vec(), read: false }) as Box<dyn Chunks>)
            }
            _ => Err(StorageError::Changed { key: object.key.clone() }),
        })
    }

    fn get(&self, key: &str) -> Result<Option<Tagged>> {
        self.life.call("get", key, |held| {
            let found = held.objects.get(key);
            Ok(found.map(|object| Tagged { bytes: object.bytes.to_vec(), tag: object.tag.to_string() }))
        })
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        self.life.call("put if absent", key, |held| {
            let free = !held.objects.contains_key(key);
            if free {
                held.put(key, bytes);
            }
            Ok(free)
        })
    }

    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Result<bool> {
        self.life.call("replace if unchanged", key, |held| {
            let same = held.objects.get(key).map(|object| object.tag.to_string()).as_deref() == tag;
            if same {
                held.put(key, bytes);
            }
            Ok(same)
        })
    }

    fn delete(&self, key: &str) -> Result<()> {
        self.life.call("delete", key, |held| {
            held.objects.remove(key);
            Ok(())
        })
    }

    fn stage(&self, key: &str) -> Result<Box<dyn Stage>> {
        let token = if self.life.small {
            None
        } else {
            let upload = |held: &mut Held| {
                let token = format!("upload {}", held.number());
                held.uploads.insert(token.clone(), Upload { key: key.into(), bytes: Vec::new() });
                Ok(token)
            };
            Some(self.life.call("create upload", key, upload)?)
        };
        Ok(Box::new(Staging { life: self.life.clone(), key: key.into(), bytes: Vec::new(), token }))
    }

    fn settle(&self, _staged: &[Staged]) -> Result<()> {
        Ok(())
    }

    fn publish(&self, staged: &Staged) -> Result<Published> {
        let waiting = self.life.memory().get(&staged.token).cloned();
        if let Some(bytes) = waiting {
            self.life.call("put", &staged.key, |held| {
                held.put(&staged.key, &bytes);
                Ok(())
            })?;
            self.life.memory().remove(&staged.token);
            return Ok(Published::There);
        }
        let completed = self.life.call("complete", &staged.key, |held| {
            let Some(upload) = held.uploads.remove(&staged.token) else { return Ok(false) };
            held.put(&staged.key, &upload.bytes);
            Ok(true)
        })?;
        if completed {
            return Ok(Published::There);
        }
        self.life.call("head", &staged.key, |held| {
            let same =
                held.objects.get(&staged.key).is_some_and(|found| digest(&found.bytes) == staged.digest);
            Ok(if same { Published::There } else { Published::Vanished })
        })
    }

    fn seal(&self, _keys: &[String]) -> Result<()> {
        Ok(())
    }

    fn abort(&self, token: &str) -> Result<()> {
        if self.life.memory().remove(token).is_some() {
            return Ok(());
        }
        self.life.call("abort", token, |held| {
            held.uploads.remove(token);
            Ok(())
        })
    }

    fn sweep(&self, staged: &[Staged]) -> Result<()> {
        let Some(first) = staged.first().filter(|_| !self.life.small) else { return Ok(()) };
        let others = |token: &String, upload: &Upload| {
            let named = |one: &Staged| family(&one.key) == family(&upload.key);
            staged.iter().any(named) && staged.iter().all(|one| one.token != *token)
        };
        self.life.call("sweep", &first.key, |held| {
            held.uploads.retain(|token, upload| !others(token, upload));
            Ok(())
        })
    }

    fn left_overs(&self) -> Result<Vec<LeftOver>> {
        self.life.call("list uploads", "", |held| {
            let each = held.uploads.iter();
            Ok(each
                .map(|(token, upload)| LeftOver { token: token.clone(), bytes: upload.bytes.len() as u64 })
                .collect())
        })
    }
}

/// A table's or the quarantine's folder and what the names of one object and generation have in common, as S3's own
/// sweep sees them.
fn family(key: &str) -> (&str, &str) {
    let name = key.rsplit('/').next().unwrap_or(key);
    let folder = key.split('/').next().unwrap_or_default();
    (folder, name.rfind('-').map_or(name, |at| &name[..at]))
}

struct Whole {
    bytes: Vec<u8>,
    read: bool,
}

impl Chunks for Whole {
    fn next(&mut self) -> Result<&[u8]> {
        let all = if self.read { &[] } else { self.bytes.as_slice() };
        self.read = true;
        Ok(all)
    }
}

struct Staging {
    life: Arc<Life>,
    key: String,
    bytes: Vec<u8>,
    /// Of the upload; none where the bytes wait in memory.
    token: Option<String>,
}

impl Stage for Staging {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Staged> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut staged = Staged {
            key: self.key.clone(),
            bytes: bytes.len() as u64,
            digest: digest(&bytes),
            ..Staged::default()
        };
        match self.token.take() {
            None => {
                // No call: it stays in this process.
                staged.token = format!("inline {} {}", self.life.bucket.held().number(), self.key);
                self.life.memory().insert(staged.token.clone(), bytes);
            }
            Some(token) => {
                let sent = self.life.call("upload part", &self.key, |held| {
                    let Some(upload) = held.uploads.get_mut(&token) else { return Ok(false) };
                    upload.bytes = bytes;
                    Ok(true)
                });
                match sent {
                    Ok(true) => staged.token = token,
                    Ok(false) => {
                        let swept = Error::new(Code::UploadGone, "another run completed the object");
                        return Err(StorageError::Service(Box::new(swept)));
                    }
                    Err(error) => {
                        self.token = Some(token);
                        return Err(error);
                    }
                }
            }
        }
        Ok(staged)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            let _gone = self.life.call("abort", &self.key, |held| {
                held.uploads.remove(&token);
                Ok(())
            });
        }
    }
}
