//! What a storage can answer that is no result.

use std::io;

use lakegate_base::{Code, Error, Kind};

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
    /// A service said no, or did not answer.
    #[error(transparent)]
    Service(Box<Error>),
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
    /// What the system said when it was asked to `action` (a verb, as `read`) the key or path.
    pub fn io(action: &'static str, key: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
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
            Self::Key { .. } | Self::Layout { .. } => Kind::Own,
            Self::Service(error) => error.kind(),
            Self::SpillLimit { .. } | Self::TooManyParts { .. } => Kind::Input,
        }
    }

    /// Stable name.
    pub fn code(&self) -> Code {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Code::StorageDenied,
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StorageFull,
                _ => Code::StorageFailed,
            },
            Self::Changed { .. } => Code::SourceChanged,
            Self::Key { .. } => Code::StorageKey,
            Self::Layout { .. } => Code::LakeLayout,
            Self::Service(error) => error.code(),
            Self::SpillLimit { .. } => Code::SpillLimit,
            Self::TooManyParts { .. } => Code::TooManyParts,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Changed { .. } => Some("run it again once nobody writes it any more"),
            Self::Service(error) => error.hint(),
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

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        if let StorageError::Service(error) = error {
            return *error;
        }
        let made = Self::new(error.code(), error.to_string()).of_kind(error.kind());
        let made = match error.hint() {
            Some(hint) => made.with_hint(hint),
            None => made,
        };
        made.because(error)
    }
}
