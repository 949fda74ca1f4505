//! Which files a command line means: files, folders, standard input.
//!
//! For: one rule of walking for all commands. Not for: opening anything. The decision to know: hidden
//! files and those that start with `_` are skipped inside folders, as Athena and Spark do, but a file
//! named outright is always taken.

use lakegate_base::Error;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// `path` itself when it is a file; when it is a folder, every file below it that `wanted` accepts,
/// sorted by name folder by folder.
///
/// # Errors
/// The path does not exist, or a folder cannot be read.
pub fn walk(path: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::io(&path.display().to_string(), error))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let entries = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    for entry in entries.filter_entry(|entry| entry.depth() == 0 || !skipped(entry)) {
        let entry = entry.map_err(|error| {
            let place = error.path().unwrap_or(path).display().to_string();
            let message = error.to_string();
            let cause = error.into_io_error().unwrap_or_else(|| std::io::Error::other(message));
            Error::io(&place, cause)
        })?;
        if entry.file_type().is_file() && wanted(entry.path()) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_encoded_bytes();
    name.starts_with(b".") || name.starts_with(b"_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_are_walked_in_order_without_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["b.json", "a/2.json", "a/1.json", ".hidden", "_SUCCESS", "_lakegate/x.json", "a/.x/y.json"]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        let names: Vec<String> = walk(folder.path(), &|_| true)
            .unwrap()
            .iter()
            .map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["a/1.json", "a/2.json", "b.json"]);
        let named = folder.path().join("_SUCCESS");
        assert_eq!(walk(&named, &|_| true).unwrap(), [named]);
    }

    #[test]
    fn a_missing_path_is_a_clear_failure() {
        assert_eq!(walk(Path::new("/no/such/file"), &|_| true).unwrap_err().name(), "not_found");
    }
}
