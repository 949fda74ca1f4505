//! Which lakes are read and written, and what asking costs.

use std::fs;
use std::sync::Arc;

use crate::keys;
use crate::lake::{Lake, Texts};
use crate::storage::{LocalFolder, counting::Counting};

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::local(folder.path()).unwrap();
    (folder, lake)
}

fn write(folder: &tempfile::TempDir, key: &str, text: &str) {
    let path = folder.path().join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_first_write_marks_the_lake_and_no_read_does() {
    let (folder, lake) = lake();
    assert!(lake.tables().unwrap().is_empty() && lake.commits().unwrap().is_empty());
    lake.storage().delete("t/x").unwrap();
    assert!(!folder.path().join(keys::OWN).exists(), "reading leaves nothing");
    lake.keep_text(keys::spec_key, b"").unwrap();
    assert_eq!(fs::read_to_string(folder.path().join(keys::LAKE)).unwrap(), "{\"layout\":2}\n");
    let other = Lake::local(folder.path()).unwrap();
    assert!(other.tables().unwrap().is_empty());
    other.overwrite(&keys::host_key("p"), b"{}").unwrap();
}

#[test]
fn a_lake_of_another_version_is_refused_by_name() {
    for (key, text, says, hint) in [
        ("_lakegate/commits/t/0/000001.json", "{}", "has data and says of no layout", "anew"),
        (
            "orders/d=1/x-20250101T000000Z-0123456789ab-0.parquet",
            "",
            "has data and says of no layout",
            "anew",
        ),
        (keys::LAKE, "{\"layout\":1}", "has layout 1", "anew"),
        (keys::LAKE, "{\"layout\":3}", "has layout 3", "newer"),
        (keys::LAKE, "{", "has a marker that cannot be read", "anew"),
    ] {
        let (folder, lake) = lake();
        write(&folder, key, text);
        let read = lake.tables().unwrap_err();
        let written = lake.overwrite(&keys::host_key("p"), b"{}").unwrap_err();
        for error in [read, written] {
            assert_eq!(error.name(), "lake_layout", "{key}");
            assert!(error.to_string().contains(says) && error.hint().unwrap().contains(hint), "{error:?}");
        }
        let left = walkdir::WalkDir::new(folder.path()).into_iter().flatten();
        assert_eq!(left.filter(|entry| entry.file_type().is_file()).count(), 1, "{key}: nothing was written");
    }
}

#[test]
fn what_others_keep_beside_a_lake_is_no_lake() {
    let (folder, lake) = lake();
    write(&folder, "raw/2025/orders.json", "{}");
    write(&folder, "mine/a-b-c-0.parquet", "x");
    assert!(lake.tables().unwrap().is_empty());
    lake.overwrite(&keys::host_key("p"), b"{}").unwrap();
}

#[test]
fn a_lake_is_asked_for_its_layout_once() {
    let (folder, made) = lake();
    made.overwrite(&keys::host_key("p"), b"{}").unwrap();
    let storage = Arc::new(Counting::new(LocalFolder::new(folder.path()).unwrap()));
    let texts = Arc::<Texts>::default();
    let object = |before: u64| {
        // As a function does: a lake an object, one memory a pipeline.
        let lake = Lake::over(storage.clone()).remembering(texts.clone());
        lake.failure("p", "u").unwrap();
        lake.failure("p", "v").unwrap();
        storage.counted()[0] - before
    };
    assert_eq!(object(0), 3);
    assert_eq!(object(3), 2, "the second object does not ask again");
}

#[test]
fn two_first_writers_agree() {
    let (folder, _) = lake();
    std::thread::scope(|scope| {
        for name in 0..8 {
            let folder = &folder;
            scope.spawn(move || {
                let lake = Lake::local(folder.path()).unwrap();
                lake.tables().unwrap();
                lake.overwrite(&keys::host_key(&format!("p{name}")), b"{}").unwrap();
                lake.tables().unwrap();
            });
        }
    });
}
