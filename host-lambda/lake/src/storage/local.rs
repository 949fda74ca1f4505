//! A folder as storage: the lake on a laptop.
//!
//! Not for folders on network file systems without working locks and hard links. Decisions to know:
//!
//! * Staged files lie in a folder of their run's own below [`STAGING`], on the same file system as what they become.
//!   The process that stages holds a lock on `<run>/lock`: a folder whose lock is free is a left-over.
//! * Durable are exactly three things: staged files before the commit record names them (`settle`), the
//!   small records themselves, and renames before the done mark (`seal`). A kill needs none of that, a
//!   power cut all of it. Beyond [`SYNC_EACH`] files one `syncfs` is cheaper than a sync a file.

mod list;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use crate::keys::{OWN, STAGING};
use crate::storage::{
    CHUNK_BYTES, Chunks, Facts, LeftOver, Page, Published, Result, Stage, Staged, Storage, StorageError,
    Tagged,
};

/// Up to so many files are synced one by one.
const SYNC_EACH: usize = 16;

/// A folder as storage.
pub struct LocalFolder {
    root: PathBuf,
    uri: String,
    run: Mutex<Option<Run>>,
    next: AtomicU64,
}

/// This process's folder below staging; the lock tells others that it is alive.
struct Run {
    name: String,
    _lock: File,
}

impl LocalFolder {
    /// A storage over `root`, which need not exist yet: the first write makes it.
    ///
    /// # Errors
    /// The path cannot be made absolute.
    pub fn new(root: &Path) -> Result<Self> {
        let shown = root.display().to_string();
        let absolute = match fs::canonicalize(root) {
            Ok(path) => path,
            Err(_) => std::path::absolute(root).map_err(StorageError::io("find", shown))?,
        };
        let uri = absolute.display().to_string();
        Ok(Self { root: absolute, uri, run: Mutex::new(None), next: AtomicU64::new(0) })
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        let legal = !key.is_empty()
            && !key.starts_with('/')
            && key
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'));
        if legal { Ok(self.root.join(key)) } else { Err(StorageError::Key { key: key.into() }) }
    }

    fn folder(&self, prefix: &str) -> Result<PathBuf> {
        if prefix.is_empty() { Ok(self.root.clone()) } else { self.path(prefix.trim_end_matches('/')) }
    }

    /// Name of this process's staging folder, made and locked on first use.
    fn run_name(&self) -> Result<String> {
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = run.as_ref() {
            return Ok(run.name.clone());
        }
        let staging = self.root.join(STAGING);
        make_folder(&staging)?;
        // A sweeper may take the folder away between its creation and the lock: then make another.
        loop {
            let made = tempfile::Builder::new().prefix("run-").rand_bytes(10).tempdir_in(&staging);
            let path = made.map_err(StorageError::io("make a folder in", STAGING))?.keep();
            let lock_path = path.join("lock");
            let Ok(lock) = File::create(&lock_path) else { continue };
            let locked = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            if locked && lock_path.exists() {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                *run = Some(Run { name: name.clone(), _lock: lock });
                return Ok(name);
            }
        }
    }

    /// Writes a whole file beside its place, durable, still under a name of its own.
    fn write_beside(&self, key: &str, bytes: &[u8]) -> Result<(tempfile::TempPath, PathBuf)> {
        let path = self.path(key)?;
        let folder = path.parent().unwrap_or(&self.root);
        make_folder(folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(folder)
            .map_err(StorageError::io("write in", folder.display().to_string()))?;
        file.write_all(bytes)
            .and_then(|()| file.as_file().sync_data())
            .map_err(StorageError::io("write", key))?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(StorageError::io("write", key))?;
        Ok((file.into_temp_path(), path))
    }

    /// Lets go of the lock and keeps the files, as a kill does.
    #[cfg(test)]
    pub(super) fn forget_run(&self) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn sync_all(&self) -> Result<()> {
        let root = File::open(&self.root).map_err(StorageError::io("open", self.uri.clone()))?;
        rustix::fs::syncfs(&root).map_err(|error| StorageError::io("sync", self.uri.clone())(error.into()))
    }
}

impl Drop for LocalFolder {
    fn drop(&mut self) {
        let run = self.run.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(run) = run.take() {
            let folder = self.root.join(STAGING).join(&run.name);
            remove_run_folder(&folder);
        }
    }
}

/// Takes a staging folder away if nothing but its lock is in it.
fn remove_run_folder(folder: &Path) {
    let only_lock = fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "lock")));
    if only_lock {
        // Left behind, they are found by the next sweep.
        let _lock = fs::remove_file(folder.join("lock"));
        let _folder = fs::remove_dir(folder);
    }
}

fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(StorageError::io("make the folder", path.display().to_string()))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn tag(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn facts(key: &str, meta: &fs::Metadata) -> Facts {
    Facts {
        key: key.into(),
        bytes: meta.len(),
        modified_ms: meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000,
        version: version(meta),
        promised: None,
    }
}

/// Any write to a file moves its change time, which nobody can set back.
fn version(meta: &fs::Metadata) -> String {
    format!("{}-{}-{}-{}.{:09}", meta.dev(), meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec())
}

impl Storage for LocalFolder {
    fn uri(&self) -> &str {
        &self.uri
    }

    fn list(&self, prefix: &str) -> Result<Vec<Facts>> {
        list::all(&self.root, &self.folder(prefix)?, prefix)
    }

    fn list_page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        list::page(&self.root, &self.folder(prefix)?, prefix, after, limit)
    }

    fn folders(&self, prefix: &str) -> Result<Vec<String>> {
        list::folders(&self.folder(prefix)?, prefix)
    }

    fn stat(&self, key: &str) -> Result<Option<Facts>> {
        match fs::metadata(self.path(key)?) {
            Ok(meta) if meta.is_file() => Ok(Some(facts(key, &meta))),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StorageError::io("look at", key)(error)),
        }
    }

    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>> {
        let key = object.key.clone();
        let file = match File::open(self.path(&key)?) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StorageError::Changed { key });
            }
            Err(error) => return Err(StorageError::io("open", key)(error)),
        };
        let reader = FileChunks { file, object: object.clone(), buffer: Vec::new() };
        reader.unchanged()?;
        Ok(Box::new(reader))
    }

    fn get(&self, key: &str) -> Result<Option<Tagged>> {
        match fs::read(self.path(key)?) {
            Ok(bytes) => Ok(Some(Tagged { tag: tag(&bytes), bytes })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StorageError::io("read", key)(error)),
        }
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        let (temporary, path) = self.write_beside(key, bytes)?;
        // A hard link fails if the name is taken and never shows a half-written file.
        match fs::hard_link(&temporary, &path) {
            Ok(()) => {
                let folder = path.parent().unwrap_or(&self.root);
                sync_folder(folder).map_err(StorageError::io("sync", key))?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(StorageError::io("write", key)(error)),
        }
    }

    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], expected: Option<&str>) -> Result<bool> {
        let (temporary, path) = self.write_beside(key, bytes)?;
        let lock_path = path.with_extension("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(StorageError::io("lock", key))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| StorageError::io("lock", key)(error.into()))?;
        if self.get(key)?.map(|found| found.tag).as_deref() != expected {
            return Ok(false);
        }
        temporary.persist(&path).map_err(|error| StorageError::io("replace", key)(error.error))?;
        sync_folder(path.parent().unwrap_or(&self.root)).map_err(StorageError::io("sync", key))?;
        Ok(true)
    }

    fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StorageError::io("delete", key)(error)),
        }
        // Empty partition folders would be listed as partitions; one that is not empty stays.
        let mut folder = path.parent();
        while let Some(path) = folder.filter(|path| *path != self.root && path.starts_with(&self.root)) {
            if path.starts_with(self.root.join(OWN)) || fs::remove_dir(path).is_err() {
                break;
            }
            folder = path.parent();
        }
        Ok(())
    }

    fn stage(&self, key: &str) -> Result<Box<dyn Stage>> {
        self.path(key)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let token = format!("{STAGING}/{}/{number}", self.run_name()?);
        let path = self.root.join(&token);
        let file = OpenOptions::new().create_new(true).write(true).open(&path);
        let file = file.map_err(StorageError::io("stage", key))?;
        Ok(Box::new(FileStage {
            file,
            path,
            staged: Some(Staged { key: key.into(), token, ..Staged::default() }),
        }))
    }

    fn settle(&self, staged: &[Staged]) -> Result<()> {
        if staged.len() > SYNC_EACH {
            return self.sync_all();
        }
        for one in staged {
            let path = self.path(&one.token)?;
            File::open(path)
                .and_then(|file| file.sync_data())
                .map_err(StorageError::io("sync", one.key.clone()))?;
        }
        Ok(())
    }

    fn publish(&self, staged: &Staged) -> Result<Published> {
        let from = self.path(&staged.token)?;
        let to = self.path(&staged.key)?;
        for _ in 0..3 {
            make_folder(to.parent().unwrap_or(&self.root))?;
            let whole = fs::metadata(&from).is_ok_and(|meta| meta.len() == staged.bytes);
            if whole {
                match fs::rename(&from, &to) {
                    Ok(()) => return Ok(Published::There),
                    // Somebody else published it, or took the empty partition folder away: look again.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(StorageError::io("publish", staged.key.clone())(error)),
                }
            }
            let there = fs::metadata(&to).is_ok_and(|meta| meta.len() == staged.bytes);
            return Ok(if there { Published::There } else { Published::Vanished });
        }
        Ok(Published::Vanished)
    }

    fn seal(&self, keys: &[String]) -> Result<()> {
        let mut folders = BTreeSet::new();
        for key in keys {
            if let Some(folder) = self.path(key)?.parent() {
                folders.insert(folder.to_path_buf());
            }
        }
        if folders.len() > SYNC_EACH {
            return self.sync_all();
        }
        for folder in folders {
            match sync_folder(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StorageError::io("sync", folder.display().to_string())(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn abort(&self, token: &str) -> Result<()> {
        let path = self.path(token)?;
        if !path.starts_with(self.root.join(STAGING)) {
            return Err(StorageError::Key { key: token.into() });
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StorageError::io("remove", token)(error));
            }
            _ => {}
        }
        // Only of processes that are gone: the living remove their own when they end.
        if let Some(folder) = path.parent().filter(|folder| is_free(folder)) {
            remove_run_folder(folder);
        }
        Ok(())
    }

    fn left_overs(&self) -> Result<Vec<LeftOver>> {
        let mut found = Vec::new();
        let Ok(runs) = fs::read_dir(self.root.join(STAGING)) else { return Ok(found) };
        for folder in runs.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            if !is_free(&folder) {
                continue;
            }
            let Ok(files) = fs::read_dir(&folder) else { continue };
            for file in files.flatten() {
                let Ok(inside) = file.path().strip_prefix(&self.root).map(Path::to_path_buf) else {
                    continue;
                };
                let bytes = file.metadata().map_or(0, |meta| meta.len());
                found.push(LeftOver { token: inside.to_string_lossy().into_owned(), bytes });
            }
        }
        found.sort_by(|a, b| a.token.cmp(&b.token));
        Ok(found)
    }
}

/// True if no living process holds the staging folder. One without a lock file is free as well:
/// the lock is the first file made in it.
fn is_free(folder: &Path) -> bool {
    match File::open(folder.join("lock")) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound && folder.is_dir(),
    }
}

struct FileChunks {
    file: File,
    object: Facts,
    buffer: Vec<u8>,
}

impl FileChunks {
    fn unchanged(&self) -> Result<()> {
        let meta = self.file.metadata().map_err(StorageError::io("read", self.object.key.clone()))?;
        let same = version(&meta) == self.object.version;
        if same { Ok(()) } else { Err(StorageError::Changed { key: self.object.key.clone() }) }
    }
}

impl Chunks for FileChunks {
    fn next(&mut self) -> Result<&[u8]> {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.next_into(&mut buffer)?;
        self.buffer = buffer;
        Ok(&self.buffer)
    }

    fn next_into(&mut self, piece: &mut Vec<u8>) -> Result<()> {
        piece.clear();
        piece.reserve_exact(CHUNK_BYTES);
        let read = (&self.file).take(CHUNK_BYTES as u64).read_to_end(piece);
        read.map_err(StorageError::io("read", self.object.key.clone()))?;
        if piece.is_empty() {
            // Looked at after the last byte: a writer in between moved the change time.
            self.unchanged()?;
        }
        Ok(())
    }
}

struct FileStage {
    file: File,
    path: PathBuf,
    staged: Option<Staged>,
}

impl Stage for FileStage {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(staged) = &mut self.staged else { return Ok(()) };
        staged.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(StorageError::io("write", staged.key.clone()))
    }

    fn finish(mut self: Box<Self>) -> Result<Staged> {
        Ok(self.staged.take().unwrap_or_default())
    }
}

impl Drop for FileStage {
    fn drop(&mut self) {
        if self.staged.is_some() {
            // Left behind, it is found as a left-over once this process is gone.
            let _gone = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
#[path = "local/folder_tests.rs"]
mod tests;
