//! The commit protocol without a transform: records written by hand, steps taken out of order.

use super::*;
use crate::lake::{PartRecord, commit_key};
use crate::storage::Staged;

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
    assert_eq!(error.code(), "cannot_make_again");
    assert!(lake.storage().stat(&done_key(&key)).unwrap().is_none(), "it stays undone");
}

#[test]
fn a_source_that_is_gone_or_changed_is_refused() {
    let (folder, lake) = lake();
    let path = folder.path().join("x.json");
    let mut record = CommitRecord::default();
    record.source.uri = path.display().to_string();
    record.source.digest = sha256(b"{}");
    assert_eq!(source_of(&lake, &record).err().unwrap().code(), "source_gone");
    std::fs::write(&path, "{}").unwrap();
    assert!(source_of(&lake, &record).is_ok());
    std::fs::write(&path, "{ }").unwrap();
    assert_eq!(source_of(&lake, &record).err().unwrap().code(), "source_gone");
    record.source.uri = "stdin:00".into();
    assert_eq!(source_of(&lake, &record).err().unwrap().code(), "source_gone");
}

#[test]
fn fsck_completes_and_sweeps_but_keeps_what_is_not_ours() {
    let (folder, lake) = lake();
    committed(&lake, 1, &[]);
    std::fs::create_dir_all(folder.path().join("lake/t")).unwrap();
    std::fs::write(folder.path().join("lake/t/mine.parquet"), "x").unwrap();
    let found = crate::lake::fsck::fsck(&lake, None, false).unwrap();
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["commit_undone", "file_without_commit"]);
    crate::lake::fsck::fsck(&lake, None, true).unwrap();
    assert_eq!(visible(&lake), ["t/mine.parquet", "t/x-1.parquet"]);
    let found = crate::lake::fsck::fsck(&lake, None, true).unwrap();
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["file_without_commit"]);
}
