//! The commit protocol without a transform: records written by hand, steps taken out of order.

use super::*;
use crate::keys::commit_key;
use crate::record::PartRecord;
use crate::storage::{Chunks, Facts, LeftOver, LocalFolder, Stage, Staged, Storage, StorageError, Tagged};
use std::sync::{Arc, Mutex};

const URI: &str = "/in/x.json";

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::local(&folder.path().join("lake")).unwrap();
    (folder, lake)
}

fn stage(lake: &Lake, key: &str) -> Staged {
    let mut stage = lake.storage().stage(key).unwrap();
    stage.write(b"rows").unwrap();
    stage.finish().unwrap()
}

/// Commits a generation with one staged part file, not yet published.
fn committed(lake: &Lake, generation: u32, replaces: &[u32]) -> (String, CommitRecord) {
    let key = format!("t/x-{generation}.parquet");
    let part = PartRecord { key: key.clone(), staged: stage(lake, &key), bytes: 4, ..PartRecord::default() };
    let mut record = CommitRecord { version: 1, pipeline: "t".into(), generation, ..CommitRecord::default() };
    record.source.uri = URI.into();
    record.replaces = replaces.to_vec();
    record.parts = vec![part];
    let commit = commit_key("t", URI, generation);
    assert!(lake.storage().put_if_absent(&commit, &to_json(&record).unwrap()).unwrap());
    (commit, record)
}

fn visible(lake: &Lake) -> Vec<String> {
    lake.storage().list("t/").unwrap().into_iter().map(|facts| facts.key).collect()
}

#[test]
fn completing_is_idempotent_and_replaces_the_old_generation() {
    let (_folder, lake) = lake();
    let (key, first) = committed(&lake, 1, &[]);
    assert!(visible(&lake).is_empty(), "a commit record alone makes nothing visible");
    for _ in 0..2 {
        complete(&lake, &key, &first, Means::default()).unwrap();
        assert_eq!(visible(&lake), ["t/x-1.parquet"]);
    }
    let (key, second) = committed(&lake, 2, &[1]);
    complete(&lake, &key, &second, Means::default()).unwrap();
    assert_eq!(visible(&lake), ["t/x-2.parquet"]);
    let states = lake.commits().unwrap();
    assert_eq!(states.iter().map(|s| (s.done, s.current)).collect::<Vec<_>>(), [(true, false), (true, true)]);
}

#[test]
fn a_slow_process_does_not_bring_back_what_was_replaced() {
    let (_folder, lake) = lake();
    let (first_key, first) = committed(&lake, 1, &[]);
    complete(&lake, &first_key, &first, Means::default()).unwrap();
    let (second_key, second) = committed(&lake, 2, &[1]);
    complete(&lake, &second_key, &second, Means::default()).unwrap();
    // The files of the first are gone, which a process that still completes it must take as it is.
    complete(&lake, &first_key, &first, Means::default()).unwrap();
    assert_eq!(visible(&lake), ["t/x-2.parquet"]);
    // Even if it has staged bytes of its own left to publish.
    let again = CommitRecord {
        parts: vec![PartRecord { staged: stage(&lake, "t/x-1.parquet"), ..first.parts[0].clone() }],
        ..first
    };
    complete(&lake, &first_key, &again, Means::default()).unwrap();
    assert_eq!(visible(&lake), ["t/x-2.parquet"]);
}

#[test]
fn what_vanished_and_cannot_be_made_again_is_said() {
    let (_folder, lake) = lake();
    let (key, record) = committed(&lake, 1, &[]);
    lake.storage().abort(&record.parts[0].staged.token).unwrap();
    let error = complete(&lake, &key, &record, Means::default()).unwrap_err();
    assert_eq!(error.name(), "cannot_make_again");
    assert!(!lake.is_done(&record).unwrap(), "it stays undone");
}

#[test]
fn a_source_that_is_gone_or_changed_is_refused() {
    let (folder, lake) = lake();
    let path = folder.path().join("x.json");
    let mut record = CommitRecord::default();
    record.source.uri = path.display().to_string();
    record.source.digest = sha256(b"{}");
    assert_eq!(source_of(&lake, &record).err().unwrap().name(), "source_gone");
    std::fs::write(&path, "{}").unwrap();
    assert!(source_of(&lake, &record).is_ok());
    std::fs::write(&path, "{ }").unwrap();
    assert_eq!(source_of(&lake, &record).err().unwrap().name(), "source_gone");
    record.source.uri = "stdin:00".into();
    assert_eq!(source_of(&lake, &record).err().unwrap().name(), "source_gone");
}

#[test]
fn fsck_completes_and_sweeps_but_keeps_what_is_not_ours() {
    let (folder, lake) = lake();
    committed(&lake, 1, &[]);
    std::fs::create_dir_all(folder.path().join("lake/t")).unwrap();
    std::fs::write(folder.path().join("lake/t/mine.parquet"), "x").unwrap();
    let found = crate::operate::fsck::fsck(&lake, None, false).unwrap();
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["commit_undone", "file_without_commit"]);
    crate::operate::fsck::fsck(&lake, None, true).unwrap();
    assert_eq!(visible(&lake), ["t/mine.parquet", "t/x-1.parquet"]);
    let found = crate::operate::fsck::fsck(&lake, None, true).unwrap();
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["file_without_commit"]);
}

type Said<T> = crate::storage::Result<T>;

/// A folder that notes what it is asked to sweep, and cannot.
struct Noting {
    folder: LocalFolder,
    swept: Arc<Mutex<Vec<Staged>>>,
}

impl Storage for Noting {
    fn uri(&self) -> &str {
        self.folder.uri()
    }
    fn list(&self, prefix: &str) -> Said<Vec<Facts>> {
        self.folder.list(prefix)
    }
    fn stat(&self, key: &str) -> Said<Option<Facts>> {
        self.folder.stat(key)
    }
    fn open(&self, object: &Facts) -> Said<Box<dyn Chunks>> {
        self.folder.open(object)
    }
    fn get(&self, key: &str) -> Said<Option<Tagged>> {
        self.folder.get(key)
    }
    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Said<bool> {
        self.folder.put_if_absent(key, bytes)
    }
    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Said<bool> {
        self.folder.replace_if_unchanged(key, bytes, tag)
    }
    fn delete(&self, key: &str) -> Said<()> {
        self.folder.delete(key)
    }
    fn stage(&self, key: &str) -> Said<Box<dyn Stage>> {
        self.folder.stage(key)
    }
    fn settle(&self, staged: &[Staged]) -> Said<()> {
        self.folder.settle(staged)
    }
    fn publish(&self, staged: &Staged) -> Said<Published> {
        self.folder.publish(staged)
    }
    fn seal(&self, keys: &[String]) -> Said<()> {
        self.folder.seal(keys)
    }
    fn abort(&self, token: &str) -> Said<()> {
        self.folder.abort(token)
    }
    fn sweep(&self, staged: &[Staged]) -> Said<()> {
        let staged: Vec<Staged> = staged.iter().filter(|one| !one.token.is_empty()).cloned().collect();
        assert!(staged.iter().all(|staged| self.stat(&staged.key).unwrap().is_some()), "published before");
        self.swept.lock().unwrap().extend(staged);
        Err(StorageError::Key { key: "swept".into() })
    }
    fn left_overs(&self) -> Said<Vec<LeftOver>> {
        self.folder.left_overs()
    }
}

#[test]
fn what_others_staged_under_these_names_is_swept_before_the_commit_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let swept = Arc::<Mutex<Vec<Staged>>>::default();
    let storage = Noting { folder: LocalFolder::new(folder.path()).unwrap(), swept: swept.clone() };
    let lake = Lake::over(Arc::new(storage));
    let (key, record) = committed(&lake, 1, &[]);
    complete(&lake, &key, &record, Means::default()).unwrap();
    assert_eq!(*swept.lock().unwrap(), [record.parts[0].staged.clone()], "exactly what the record names");
    assert!(lake.is_done(&record).unwrap(), "a sweep that fails holds nothing up");
}

#[test]
fn files_made_again_hold_the_times_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{}").unwrap();
    let first = Source::file(&path).unwrap().arrived(Some(5), None);
    let mut record = CommitRecord { source: first.record(), ..CommitRecord::default() };
    assert!(record.source.loaded_ms.is_some_and(|at| (at - now_ms()).abs() < 60_000));
    assert_eq!(facts(&first, &record), first.facts(), "the first pass is told what is recorded");
    record.source.loaded_ms = Some(7);
    // The event is delivered again, later; or nobody has it any more.
    let again = Source::file(&path).unwrap().arrived(Some(6), None);
    for source in [again, Source::file(&path).unwrap().with_record(&record.source)] {
        let told = facts(&source, &record);
        assert_eq!((told.event_time_ms, told.loaded_ms), (Some(5), Some(7)));
        assert_eq!((told.bytes, told.name.as_deref()), (Some(2), Some("x.json")));
        assert_eq!(SourceFacts { loaded_ms: first.facts().loaded_ms, ..told }, first.facts());
    }
    let mended = Source::file(&path).unwrap().with_record(&record.source).record();
    assert_eq!(mended.loaded_ms, Some(7), "a replay keeps it");
}
