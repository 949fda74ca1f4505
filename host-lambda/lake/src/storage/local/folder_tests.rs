//! The laws of storage on a folder, and what only a folder promises: whose process is gone, and keys that stay inside.

use crate::storage::laws::stage;
use crate::storage::laws::{self, Peer};
use crate::storage::{LocalFolder, Storage};

struct Folder(tempfile::TempDir);

impl Peer for Folder {
    fn storage(&self) -> Box<dyn Storage> {
        Box::new(LocalFolder::new(&self.0.path().join("lake")).unwrap())
    }

    fn no_left_overs(&self) {
        assert_eq!(self.storage().left_overs().unwrap(), []);
    }
}

/// Each law as a test of the folder.
macro_rules! on_a_folder {
    ($($law:ident),* $(,)?) => {
        mod laws_hold {
            $(#[test] fn $law() { super::laws::$law(&super::Folder(tempfile::tempdir().unwrap())); })*
        }
    };
}

crate::storage_laws!(on_a_folder);

fn folder() -> (tempfile::TempDir, LocalFolder) {
    let folder = tempfile::tempdir().unwrap();
    let storage = LocalFolder::new(&folder.path().join("lake")).unwrap();
    (folder, storage)
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
        assert_eq!(storage.get(key).unwrap_err().code().name(), "storage_key", "{key}");
    }
}
