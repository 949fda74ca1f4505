//! What a storage can answer that is no result.

use std::io;

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
        }
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
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Changed { .. } => Some("run it again once nobody writes it any more"),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room and run it again; nothing half-written is visible")
            }
            _ => None,
        }
    }
}
