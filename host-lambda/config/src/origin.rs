//! Where a configuration comes from, and what its relative paths start at.
//!
//! Not for fetching it. The decision to know: a relative path starts at the file that says it, not at the
//! folder a command was run in; so the zip, a bucket and a checkout hold the same text.

use std::path::PathBuf;

use crate::ENVIRONMENT;
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
}
