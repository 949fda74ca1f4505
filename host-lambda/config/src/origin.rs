//! Where a configuration comes from, and what its relative paths start at.
//!
//! Not for fetching it. The decision to know: a relative path starts at the file that says it, not at the
//! folder a command was run in; so the zip, a bucket and a checkout hold the same text.

use std::path::{Path, PathBuf};

use crate::location::{Address, absolute, address};
use crate::mistake::Wrong;
use crate::{ENVIRONMENT, FILE_NAME};
use lakegate_base::{Code, Error, Result};

/// Where a configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// An object in S3.
    Object {
        /// Bucket.
        bucket: String,
        /// Key.
        key: String,
    },
    /// The text itself, in the environment.
    Inline {
        /// The text.
        text: String,
        /// The folder that its paths start at: where the zip was unpacked.
        folder: PathBuf,
    },
}

impl Origin {
    /// How messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Object { bucket, key } => format!("s3://{bucket}/{key}"),
            Self::Inline { .. } => ENVIRONMENT.to_owned(),
        }
    }

    /// As the environment variable says, else the file in `folder`, where the binary is.
    pub(super) fn deployed(variable: Option<&str>, folder: &Path) -> Result<Self> {
        let Some(said) = variable.map(str::trim).filter(|said| !said.is_empty()) else {
            let path = folder.join(FILE_NAME);
            return if path.is_file() { Ok(Self::File(path)) } else { Err(missing(folder)) };
        };
        // No path and no URI has a line break, or opens a section.
        if said.contains('\n') || said.contains("[pipeline") {
            return Ok(Self::Inline { text: said.to_owned(), folder: folder.to_owned() });
        }
        match address(said, &Self::File(folder.join(FILE_NAME))) {
            Ok(Address::Local(path)) => Ok(Self::File(path)),
            Ok(Address::S3 { bucket, key }) if !key.is_empty() && !key.ends_with('/') => {
                Ok(Self::Object { bucket, key })
            }
            Ok(_) => Err(unfit(said, "it names no object")),
            Err(wrong) => Err(unfit(said, &wrong.message)),
        }
    }

    /// A relative path below the folder or prefix that the configuration is in; an absolute one as it is.
    pub(super) fn resolve(&self, path: &str) -> std::result::Result<Address, Wrong> {
        let folder = match self {
            Self::Inline { folder, .. } => Some(folder.as_path()),
            Self::File(file) => file.parent(),
            Self::Object { .. } => None,
        };
        let path = path.strip_prefix("./").unwrap_or(path);
        match (self, Path::new(path).is_absolute()) {
            (Self::Object { bucket, key }, false) => {
                let prefix = key.rfind('/').map_or("", |end| &key[..=end]);
                address(&format!("s3://{bucket}/{prefix}{path}"), self)
            }
            _ => Ok(Address::Local(absolute(&folder.unwrap_or(Path::new("")).join(path)))),
        }
    }
}

fn missing(folder: &Path) -> Error {
    Error::new(Code::ConfigMissing, format!("there is no {FILE_NAME} in {}", folder.display())).with_hint(
        format!("put one into the zip, or set {ENVIRONMENT} to a path, an s3:// URI or the text itself"),
    )
}

fn unfit(said: &str, why: &str) -> Error {
    Error::new(Code::ConfigMissing, format!("{ENVIRONMENT} is {said}: {why}"))
        .with_hint("write s3://BUCKET/KEY of the file")
}
