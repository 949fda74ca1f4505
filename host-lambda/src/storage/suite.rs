//! What every storage must do, as tests: run them over each backend.

use std::sync::Arc;
use std::thread;

use super::{LocalFolder, Published, Storage};

fn folder() -> (tempfile::TempDir, LocalFolder) {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalFolder::new(&folder.path().join("lake")).unwrap();
    (folder, storage)
}

fn stage(storage: &dyn Storage, key: &str, bytes: &[u8]) -> super::Staged {
    let mut stage = storage.stage(key).unwrap();
    stage.write(bytes).unwrap();
    stage.finish().unwrap()
}

fn keys(storage: &dyn Storage, prefix: &str) -> Vec<String> {
    storage.list(prefix).unwrap().into_iter().map(|facts| facts.key).collect()
}

#[test]
fn staged_bytes_are_invisible_until_published() {
    let (_folder, storage) = folder();
    let staged = stage(&storage, "orders/d=1/a.parquet", b"rows");
    assert_eq!(keys(&storage, "orders/"), Vec::<String>::new());
    storage.settle(std::slice::from_ref(&staged)).unwrap();
    assert_eq!(storage.publish(&staged).unwrap(), Published::There);
    assert_eq!(storage.publish(&staged).unwrap(), Published::There, "publishing is idempotent");
    assert_eq!(keys(&storage, "orders/"), ["orders/d=1/a.parquet"]);
    storage.delete("orders/d=1/a.parquet").unwrap();
    assert_eq!(storage.publish(&staged).unwrap(), Published::Vanished);
    assert_eq!(keys(&storage, ""), Vec::<String>::new(), "locks are not listed");
}

#[test]
fn a_dropped_stage_leaves_nothing() {
    let (_folder, storage) = folder();
    let mut stage = storage.stage("t/a").unwrap();
    stage.write(b"x").unwrap();
    drop(stage);
    assert_eq!(keys(&storage, ""), Vec::<String>::new());
}

#[test]
fn put_if_absent_is_won_by_one() {
    let (_folder, storage) = folder();
    let storage = Arc::new(storage);
    let threads: Vec<_> = (0..8u8)
        .map(|n| {
            let storage = storage.clone();
            thread::spawn(move || storage.put_if_absent("_lakegate/commits/1.json", &[n; 4096]).unwrap())
        })
        .collect();
    let winners = threads.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).count();
    assert_eq!(winners, 1);
    let found = storage.get("_lakegate/commits/1.json").unwrap().unwrap().bytes;
    assert_eq!(found, vec![found[0]; 4096]);
}

#[test]
fn replace_if_unchanged_loses_no_update() {
    let (_folder, storage) = folder();
    let storage = Arc::new(storage);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let storage = storage.clone();
            thread::spawn(move || {
                for _ in 0..5 {
                    loop {
                        let now = storage.get("counter").unwrap();
                        let text =
                            now.as_ref().map_or("0".into(), |t| String::from_utf8(t.bytes.clone()).unwrap());
                        let next = (text.parse::<u32>().unwrap() + 1).to_string();
                        let tag = now.map(|tagged| tagged.tag);
                        if storage.replace_if_unchanged("counter", next.as_bytes(), tag.as_deref()).unwrap() {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(storage.get("counter").unwrap().unwrap().bytes, b"20");
}

#[test]
fn a_pinned_version_that_changed_is_not_read() {
    let (folder, storage) = folder();
    std::fs::create_dir_all(folder.path().join("lake")).unwrap();
    std::fs::write(folder.path().join("lake/in.json"), vec![b'x'; 3 << 20]).unwrap();
    let facts = storage.stat("in.json").unwrap().unwrap();
    let mut chunks = storage.open(&facts).unwrap();
    let mut total = 0;
    loop {
        let chunk = chunks.next().unwrap();
        assert!(chunk.len() <= 1 << 20);
        if chunk.is_empty() {
            break;
        }
        total += chunk.len() as u64;
    }
    assert_eq!(total, facts.bytes);
    std::fs::write(folder.path().join("lake/in.json"), b"other").unwrap();
    assert_eq!(storage.open(&facts).err().unwrap().code(), "source_changed");
}

#[test]
fn only_the_dead_leave_something_over() {
    let (folder, storage) = folder();
    let staged = stage(&storage, "t/a", b"rows");
    let other = LocalFolder::new(&folder.path().join("lake")).unwrap();
    assert!(other.left_overs().unwrap().is_empty(), "the first process still lives");
    // What a kill does: nothing is dropped in order, the kernel lets go of the lock.
    storage.forget_run();
    drop(storage);
    let found = other.left_overs().unwrap();
    assert!(found.iter().any(|left| left.token == staged.token));
    for left in found {
        other.abort(&left.token).unwrap();
    }
    assert!(other.left_overs().unwrap().is_empty());
}

#[test]
fn keys_cannot_leave_the_folder() {
    let (_folder, storage) = folder();
    for key in ["../x", "/etc/passwd", "a/../../x", "a//b", ""] {
        assert_eq!(storage.get(key).unwrap_err().code(), "storage_key", "{key}");
    }
}
