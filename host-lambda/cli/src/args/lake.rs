//! The lake that a verb works on, as a folder on the command line.

use clap::Args;
use lakegate_base::{Code, Error};
use lakegate_lake::Lake;
use lakegate_lake::keys::is_lake;
use std::path::{Path, PathBuf};

/// The lake to work on.
#[derive(Args, Clone, Debug)]
pub struct LakeArg {
    /// Folder of the lake
    #[arg(long, value_name = "DIR", default_value = "lake")]
    pub lake: PathBuf,
}

impl LakeArg {
    /// Opens the lake, which need not exist yet.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn open(&self) -> Result<Lake, Error> {
        open_lake(&self.lake)
    }

    /// Opens a lake that must exist.
    ///
    /// # Errors
    /// There is no such folder, or it holds no lake.
    pub fn existing(&self) -> Result<Lake, Error> {
        existing_lake(&self.lake)
    }
}

/// Opens the lake in `folder`, which need not exist yet.
pub fn open_lake(folder: &Path) -> Result<Lake, Error> {
    if folder.is_file() {
        return Err(Error::new(Code::NotAFolder, "a lake is a folder, and this is a file")
            .in_file(folder.display().to_string()));
    }
    Lake::local(folder).map_err(|error| error.in_file(folder.display().to_string()))
}

/// Opens the lake in `folder`, which must hold one: reading must not make an empty lake out of a typing error.
pub fn existing_lake(folder: &Path) -> Result<Lake, Error> {
    if !is_lake(folder) {
        let message = if folder.is_dir() { "this folder holds no lake" } else { "there is no lake here" };
        return Err(Error::new(Code::NoLake, message)
            .with_hint("`lakegate run INPUT --lake DIR` makes one; another lake is named with its folder")
            .in_file(folder.display().to_string()));
    }
    open_lake(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_is_no_lake() {
        let folder = tempfile::tempdir().unwrap();
        let refused = existing_lake(folder.path()).err().map(|error| error.code());
        assert_eq!(refused, Some(Code::NoLake));
    }
}
