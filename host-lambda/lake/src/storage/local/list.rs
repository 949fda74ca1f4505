//! Listing a folder: all of it, a page of it, or the folders in it.
//!
//! Not for what a lake keeps where. Keys sort as object storage sorts them, by their bytes with the `/` in them: a
//! folder `a` comes after the file `a.json`. Locks and files that are being written are no objects.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::Path;

use walkdir::DirEntry;

use crate::storage::local::facts;
use crate::storage::{Facts, Page, Result, StorageError};

/// Everything in `folder`, which lies in `root`.
pub(super) fn all(root: &Path, folder: &Path, prefix: &str) -> Result<Vec<Facts>> {
    Ok(page(root, folder, prefix, None, usize::MAX)?.found)
}

/// The first `limit` objects after a key. Only folders that hold some of them are opened.
pub(super) fn page(
    root: &Path,
    folder: &Path,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Page> {
    let mut page = Page::default();
    if !folder.is_dir() {
        return Ok(page);
    }
    let key = |entry: &DirEntry| {
        entry.path().strip_prefix(root).map(|inside| inside.to_string_lossy().into_owned()).ok()
    };
    let reaches = |entry: &DirEntry| {
        let Some(after) = after.filter(|_| entry.depth() > 0 && entry.file_type().is_dir()) else {
            return true;
        };
        let inside = key(entry).unwrap_or_default() + "/";
        inside.as_str() > after || after.starts_with(&inside)
    };
    let walk = walkdir::WalkDir::new(folder).sort_by(order).into_iter();
    for entry in walk.filter_entry(reaches) {
        let entry = match entry {
            Ok(entry) => entry,
            // Somebody else's rename or sweep: what is gone is not listed.
            Err(error) if error.io_error().is_some_and(|e| e.kind() == io::ErrorKind::NotFound) => continue,
            Err(error) => return Err(StorageError::io("list", prefix)(error.into())),
        };
        if !entry.file_type().is_file() || is_hidden(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let Some(key) = key(&entry).filter(|key| after.is_none_or(|after| key.as_str() > after)) else {
            continue;
        };
        if page.found.len() == limit {
            page.more = true;
            break;
        }
        let Ok(meta) = entry.metadata() else { continue };
        page.found.push(facts(&key, &meta));
    }
    Ok(page)
}

/// Names of the folders in `folder`, sorted.
pub(super) fn folders(folder: &Path, prefix: &str) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(StorageError::io("list", prefix)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StorageError::io("list", prefix))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(".new-") || name.ends_with(".lock") || name == "lock"
}

/// Siblings by name, a folder's with the slash that follows it in keys.
fn order(a: &DirEntry, b: &DirEntry) -> Ordering {
    let bytes = |entry: &DirEntry| {
        let mut name = entry.file_name().as_encoded_bytes().to_vec();
        name.extend(entry.file_type().is_dir().then_some(b'/'));
        name
    };
    bytes(a).cmp(&bytes(b))
}
