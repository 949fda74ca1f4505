//! What a storage can answer that is no result.

use std::io;

use crate::aws::AwsError;
use crate::error::Kind;

/// A storage failed; the key is named, contents never are.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The system or service said no.
    #[error("cannot {action} {key}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Key or path.
        key: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A pinned version is not there any more.
    #[error("{key} changed while it was read")]
    Changed {
        /// Key or path.
        key: String,
    },
    /// A key that would leave the storage.
    #[error("{key} is no legal key")]
    Key {
        /// The key.
        key: String,
    },
    /// Another version of this program made the lake that is kept here, and reads it in another way.
    #[error("the lake at {lake} {}; this version reads and writes layout {known}", layout(.found))]
    Layout {
        /// Where it is.
        lake: String,
        /// The number it says; `None` if it says none.
        found: Option<u64>,
        /// The number this version knows.
        known: u64,
    },
    /// S3 said no, or did not answer.
    #[error(transparent)]
    Aws(Box<AwsError>),
    /// More staged bytes than may lie on disk.
    #[error("staged bytes beyond the memory budget would pass the spill limit of {limit} bytes in {folder}")]
    SpillLimit {
        /// Where they spill to.
        folder: String,
        /// Bytes.
        limit: u64,
    },
    /// An object that S3 would not take for its size.
    #[error("{key} would have more than {parts} parts")]
    TooManyParts {
        /// Key or URI.
        key: String,
        /// S3's limit.
        parts: usize,
    },
}

fn layout(found: &Option<u64>) -> String {
    match found {
        None => "has data and says of no layout".into(),
        Some(0) => "has a marker that cannot be read".into(),
        Some(number) => format!("has layout {number}"),
    }
}

impl StorageError {
    pub(super) fn io(action: &'static str, key: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let key = key.into();
        move |source| Self::Io { action, key, source }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::InvalidFilename
                | io::ErrorKind::NotADirectory => Kind::Input,
                _ => Kind::Passing,
            },
            Self::Changed { .. } => Kind::Passing,
            Self::Key { .. } => Kind::Own,
            Self::Aws(error) => error.kind(),
            Self::SpillLimit { .. } | Self::TooManyParts { .. } | Self::Layout { .. } => Kind::Input,
        }
    }

    /// True if a service said no for a reason that lies in the set-up: no object is to blame for it.
    pub(crate) fn is_of_set_up(&self) -> bool {
        matches!(self, Self::Layout { .. }) || matches!(self, Self::Aws(error) if error.kind() == Kind::Own)
    }

    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "storage_denied",
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "storage_full",
                _ => "storage_failed",
            },
            Self::Changed { .. } => "source_changed",
            Self::Key { .. } => "storage_key",
            Self::Layout { .. } => "lake_layout",
            Self::Aws(error) => error.code(),
            Self::SpillLimit { .. } => "spill_limit",
            Self::TooManyParts { .. } => "too_many_parts",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Changed { .. } => Some("run it again once nobody writes it any more"),
            Self::Aws(error) => error.hint(),
            Self::Layout { found: Some(found), known, .. } if found > known => Some("use a newer lakegate"),
            Self::Layout { .. } => Some(
                "an earlier development version made it: load its sources anew into a new lake; nothing was changed here",
            ),
            Self::SpillLimit { .. } => Some(
                "raise spill_bytes and the room below it (a function's ephemeral storage), or partition by a column with fewer values",
            ),
            Self::TooManyParts { .. } => Some("raise part_bytes, or partition by a column with more values"),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room and run it again; nothing half-written is visible")
            }
            _ => None,
        }
    }
}
