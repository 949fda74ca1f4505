//! The bytes that are staged and not yet sent: in memory up to a budget, beyond it in temporary files.
//!
//! Not for talking to S3. Decisions to know:
//!
//! * One budget for all open stages of a storage, since 365 partitions with a part of 8 MiB each would be
//!   3 GB. Beyond it the largest buffers go to disk until a quarter of the budget is free again: few large
//!   writes instead of many small ones.
//! * Disk is bounded as well: a function's `/tmp` is small, and a full one fails worse than a named limit.
//! * Spill files have no name (unlinked when made), so that a killed process leaves none.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lakegate_lake::storage::{Result, StorageError};

/// Names a buffer.
pub(super) type Slot = u64;

#[derive(Default)]
struct Buffer {
    memory: Vec<u8>,
    file: Option<File>,
    in_file: u64,
}

#[derive(Default)]
struct State {
    buffers: BTreeMap<Slot, Buffer>,
    /// Bytes in buffers and in parts on their way.
    memory: usize,
    spilled: u64,
    next: Slot,
}

pub(super) struct Pool {
    state: Mutex<State>,
    budget: usize,
    spill_limit: u64,
    folder: PathBuf,
}

/// Bytes taken out of the pool; they count until this is dropped.
pub(super) struct Taken {
    pub(super) bytes: bytes::Bytes,
    pool: Arc<Pool>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.pool.lock().memory -= self.bytes.len();
    }
}

impl Pool {
    pub(super) fn new(budget: usize, spill_limit: u64, folder: PathBuf) -> Self {
        Self { state: Mutex::default(), budget, spill_limit, folder }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new, empty buffer.
    pub(super) fn open(&self) -> Slot {
        let mut state = self.lock();
        state.next += 1;
        let slot = state.next;
        state.buffers.insert(slot, Buffer::default());
        slot
    }

    /// Bytes in a buffer, wherever they are.
    pub(super) fn len(&self, slot: Slot) -> usize {
        self.lock().buffers.get(&slot).map_or(0, |buffer| buffer.memory.len() + buffer.in_file as usize)
    }

    /// True once buffers had to go to disk, or soon will: then what can be sent should be.
    pub(super) fn is_tight(&self) -> bool {
        let state = self.lock();
        state.spilled > 0 || state.memory > self.budget / 2
    }

    /// Adds bytes to a buffer; others may go to disk for it.
    pub(super) fn append(&self, slot: Slot, bytes: &[u8]) -> Result<()> {
        let mut state = self.lock();
        let Some(buffer) = state.buffers.get_mut(&slot) else { return Ok(()) };
        buffer.memory.extend_from_slice(bytes);
        state.memory += bytes.len();
        if state.memory > self.budget { self.relieve(&mut state) } else { Ok(()) }
    }

    /// Moves the largest buffers to disk until a quarter of the budget is free.
    fn relieve(&self, state: &mut State) -> Result<()> {
        while state.memory > self.budget / 4 * 3 {
            let largest = state.buffers.values_mut().max_by_key(|buffer| buffer.memory.len());
            let Some(buffer) = largest.filter(|buffer| !buffer.memory.is_empty()) else {
                return Ok(()); // the rest is on its way already
            };
            let bytes = buffer.memory.len();
            if state.spilled + bytes as u64 > self.spill_limit {
                return Err(StorageError::SpillLimit {
                    folder: self.folder.display().to_string(),
                    limit: self.spill_limit,
                });
            }
            let failed = || StorageError::io("spill to", self.folder.display().to_string());
            let file = match &mut buffer.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile_in(&self.folder).map_err(failed())?),
            };
            file.write_all(&buffer.memory).map_err(failed())?;
            buffer.in_file += bytes as u64;
            buffer.memory = Vec::new();
            state.memory -= bytes;
            state.spilled += bytes as u64;
        }
        Ok(())
    }

    /// Takes a buffer's bytes; it stays open, and empty. Those on disk come back into memory for it, so
    /// that the budget may be passed by what is on its way.
    pub(super) fn take(self: &Arc<Self>, slot: Slot) -> Result<Taken> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(buffer) = state.buffers.get_mut(&slot) else {
            return Ok(Taken { bytes: bytes::Bytes::new(), pool: self.clone() });
        };
        let memory = std::mem::take(&mut buffer.memory);
        let bytes = self.whole(buffer, memory)?;
        if let Some(file) = &mut buffer.file {
            let failed = StorageError::io("spill to", self.folder.display().to_string());
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(failed)?;
        }
        state.spilled -= buffer.in_file;
        state.memory += buffer.in_file as usize;
        buffer.in_file = 0;
        Ok(Taken { bytes: bytes.into(), pool: self.clone() })
    }

    /// A copy of a buffer's bytes; `None` if it was closed.
    pub(super) fn copy(self: &Arc<Self>, slot: Slot) -> Result<Option<Taken>> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let Some(buffer) = state.buffers.get_mut(&slot) else { return Ok(None) };
        let memory = buffer.memory.clone();
        let bytes = self.whole(buffer, memory)?;
        state.memory += bytes.len();
        Ok(Some(Taken { bytes: bytes.into(), pool: self.clone() }))
    }

    /// What is on disk, followed by `memory`; the file's position is at its end again.
    fn whole(&self, buffer: &mut Buffer, mut memory: Vec<u8>) -> Result<Vec<u8>> {
        let Some(file) = buffer.file.as_mut().filter(|_| buffer.in_file > 0) else { return Ok(memory) };
        let failed = StorageError::io("read back from", self.folder.display().to_string());
        let mut whole = Vec::with_capacity(buffer.in_file as usize + memory.len());
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut whole)).map_err(failed)?;
        whole.append(&mut memory);
        Ok(whole)
    }

    /// Throws a buffer away.
    pub(super) fn close(&self, slot: Slot) {
        let mut state = self.lock();
        if let Some(buffer) = state.buffers.remove(&slot) {
            state.memory -= buffer.memory.len();
            state.spilled -= buffer.in_file;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(budget: usize, limit: u64) -> Arc<Pool> {
        Arc::new(Pool::new(budget, limit, std::env::temp_dir()))
    }

    #[test]
    fn the_largest_goes_to_disk_and_comes_back_whole() {
        let pool = pool(1000, 10_000);
        let (large, small) = (pool.open(), pool.open());
        let mut expected = Vec::new();
        for n in 0..30u8 {
            pool.append(large, &[n; 90]).unwrap();
            expected.extend_from_slice(&[n; 90]);
            pool.append(small, &[n]).unwrap();
            assert!(pool.lock().memory <= 1000);
        }
        assert!(pool.is_tight());
        assert_eq!(pool.len(large), 2700);
        let taken = pool.take(large).unwrap();
        assert_eq!(&taken.bytes[..], &expected[..]);
        assert_eq!((pool.len(large), pool.lock().memory), (0, 2730), "counted while on its way");
        drop(taken);
        pool.append(large, b"again").unwrap();
        assert_eq!(&pool.copy(large).unwrap().unwrap().bytes[..], b"again", "a copy takes nothing away");
        assert_eq!(&pool.take(large).unwrap().bytes[..], b"again", "the file is used anew");
        pool.close(large);
        pool.close(small);
        assert!(pool.copy(small).unwrap().is_none());
        let state = pool.lock();
        assert_eq!((state.memory, state.spilled), (0, 0));
    }

    #[test]
    fn the_spill_limit_is_named() {
        let pool = pool(100, 1000);
        let slot = pool.open();
        let error = (0..100).find_map(|_| pool.append(slot, &[7; 50]).err()).unwrap();
        assert_eq!(error.code().name(), "spill_limit");
        assert!(error.to_string().contains("1000 bytes"), "{error}");
        assert!(pool.lock().spilled <= 1000);
    }
}
