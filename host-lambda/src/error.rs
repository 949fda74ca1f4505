//! What can go wrong in the host: whose fault, where, what to do.
//!
//! Not for rejected records: those are data and go to the quarantine. The decision to know: every
//! error has one of three [`Kind`]s and only [`Kind::Passing`] is worth trying again. No message holds
//! a value from the input, since messages go to logs and notices.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use crate::sandbox::SandboxError;
use crate::storage::StorageError;

/// Result with the host's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The input, spec, component or command is wrong: the same again fails the same way.
    Input,
    /// Passing trouble: throttling, time-outs, a full disk. Worth trying again.
    Passing,
    /// The host's or the transform's own fault: fails loudly.
    Own,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Passing => "passing",
            Self::Own => "own",
        })
    }
}

/// Where in the input, or in the spec, something is wrong; unknown parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column in characters, from 1.
    pub column: Option<u64>,
    /// Byte offset in the decompressed input, from 0.
    pub offset: Option<u64>,
    /// Record number, from 1.
    pub record: Option<u64>,
    /// JSON pointer or column name.
    pub path: Option<String>,
}

impl Place {
    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers =
            [("line", self.line), ("column", self.column), ("byte", self.offset), ("record", self.record)];
        let mut parts: Vec<String> =
            numbers.iter().filter_map(|(name, value)| value.map(|v| format!("{name} {v}"))).collect();
        parts.extend(self.path.clone());
        f.write_str(&parts.join(", "))
    }
}

/// Whose fault a transform says its failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input is broken or breaks a rule of the spec.
    Input,
    /// The spec or a contract is wrong.
    Spec,
    /// A named limit was passed.
    Limit,
    /// The transform itself is at fault.
    Internal,
}

/// A failure that the transform reported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", in_place(.place))]
pub struct GuestFailure {
    /// Whose fault.
    pub fault: Fault,
    /// Stable name, for example `syntax_error`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where.
    pub place: Place,
}

fn in_place(place: &Place) -> String {
    if place.is_empty() { String::new() } else { format!(" ({place})") }
}

/// What the shared readers of specs and contracts say, in the transform's own words.
impl From<lakegate_model::Failure> for Error {
    fn from(said: lakegate_model::Failure) -> Self {
        use lakegate_model::GuestFault;
        let fault = match said.fault {
            GuestFault::Input => Fault::Input,
            GuestFault::Spec => Fault::Spec,
            GuestFault::Limit => Fault::Limit,
            GuestFault::Internal => Fault::Internal,
        };
        let lakegate_model::Place { line, column, offset, record, path } = said.place;
        let place = Place { line, column, offset, record, path };
        GuestFailure { fault, code: said.code.into(), message: said.message, hint: said.hint, place }.into()
    }
}

/// Something this host found wrong by itself, with its stable name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// What a caller can do.
    pub kind: Kind,
    /// Stable name, for example `too_many_rejected`.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Any error of the host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transform refused the input or the spec.
    #[error(transparent)]
    Guest(#[from] GuestFailure),
    /// The component is unfit, or did what a transform must not do.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The lake's storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A rule of the flow was broken.
    #[error(transparent)]
    Flow(#[from] Trouble),
    /// A source object cannot be read.
    #[error("cannot {action} {what}: {source}")]
    Read {
        /// What was tried, for example `read`.
        action: &'static str,
        /// Path or name.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// The input, spec or command is at fault.
    pub fn input(code: &'static str, message: impl Into<String>) -> Self {
        Trouble { kind: Kind::Input, code, message: message.into(), hint: None }.into()
    }

    /// This project's own fault, or a lake that was changed by hand.
    pub fn own(code: &'static str, message: impl Into<String>) -> Self {
        Trouble { kind: Kind::Own, code, message: message.into(), hint: None }.into()
    }

    /// Worth trying again.
    pub fn passing(code: &'static str, message: impl Into<String>) -> Self {
        Trouble { kind: Kind::Passing, code, message: message.into(), hint: None }.into()
    }

    /// Of a kind that only shows at run time, for example another error's.
    pub fn of_kind(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Trouble { kind, code, message: message.into(), hint: None }.into()
    }

    /// Adds what to do about it; only the flow's own errors take one.
    #[must_use]
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Flow(trouble) = &mut self {
            trouble.hint = Some(text.into());
        }
        self
    }

    /// A source object cannot be read.
    pub fn read(action: &'static str, what: impl Into<String>, source: io::Error) -> Self {
        Self::Read { action, what: what.into(), source }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Guest(failure) if failure.fault == Fault::Internal => Kind::Own,
            Self::Guest(_) => Kind::Input,
            Self::Sandbox(error) => error.kind(),
            Self::Storage(error) => error.kind(),
            Self::Flow(trouble) => trouble.kind,
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::StorageFull => Kind::Passing,
                _ => Kind::Input,
            },
        }
    }

    /// Stable name for scripts, logs and Catch clauses.
    pub fn code(&self) -> &str {
        match self {
            Self::Guest(failure) => &failure.code,
            Self::Sandbox(error) => error.code(),
            Self::Storage(error) => error.code(),
            Self::Flow(trouble) => trouble.code,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => "source_missing",
            Self::Read { .. } => "source_unreadable",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Guest(failure) => failure.hint.as_deref(),
            Self::Sandbox(error) => error.hint(),
            Self::Storage(error) => error.hint(),
            Self::Flow(trouble) => trouble.hint.as_deref(),
            Self::Read { .. } => None,
        }
    }

    /// Where in the input or spec, if the transform told.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Guest(failure) if !failure.place.is_empty() => Some(&failure.place),
            _ => None,
        }
    }
}
