//! New folders: what `new` and `stack init` write into.
//!
//! The decision to know: nothing is ever written over.

use lakegate_base::{Code, Error, Result};
use std::fs;
use std::path::Path;

/// Refuses a place in which there is something already.
///
/// # Errors
/// `exists`.
pub fn is_free(folder: &Path) -> Result<()> {
    if folder.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Error::new(Code::Exists, "there is something in this place already")
        .with_hint("choose another folder with --path")
        .in_file(folder.display().to_string()))
}

/// Writes a file, and the folders that it is in.
///
/// # Errors
/// The system's.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, bytes)).map_err(|error| Error::io(&path.display().to_string(), error))
}
