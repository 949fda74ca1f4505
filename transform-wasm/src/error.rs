//! Failures: whose fault, where, what to do.
//!
//! A [`Failure`] ends the job. A rejected record is not a failure: see `quarantine`. No message
//! holds a value from the input, since messages go to logs and notices.

use std::fmt;

/// Whose fault a failure is.
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

/// Where something is wrong; unknown parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

/// Why a job ended without result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// Whose fault.
    pub fault: Fault,
    /// Stable name, for example `syntax_error`.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where.
    pub place: Place,
}

impl Failure {
    /// The input is at fault.
    pub fn input(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Fault::Input, code, message)
    }

    /// The spec or a contract is at fault.
    pub fn spec(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Fault::Spec, code, message)
    }

    /// A named limit was passed.
    pub fn limit(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Fault::Limit, code, message)
    }

    /// The transform is at fault: a bug.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Fault::Internal, "internal", message)
    }

    fn new(fault: Fault, code: &'static str, message: impl Into<String>) -> Self {
        Self { fault, code, message: message.into(), hint: None, place: Place::default() }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let (Some(line), Some(column)) = (self.place.line, self.place.column) {
            write!(f, " at line {line}, column {column}")?;
        }
        if let Some(offset) = self.place.offset {
            write!(f, " (byte {offset})")?;
        }
        if let Some(record) = self.place.record {
            write!(f, ", record {record}")?;
        }
        Ok(())
    }
}
