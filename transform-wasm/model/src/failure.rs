//! Why a job of the transform ended without result: whose fault, where, what to do.
//!
//! A rejected record is no failure: see [`quarantine`](crate::quarantine). No message holds a value from the
//! input, since messages go to logs and notices.

use std::fmt;

use crate::code::{Code, Fault};
use crate::place::Place;

/// Whose fault a failure is, as a transform can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestFault {
    /// The input is broken or breaks a rule of the spec.
    Input,
    /// The spec or a contract is wrong.
    Spec,
    /// A named limit was passed.
    Limit,
    /// The transform itself is at fault.
    Internal,
}

impl From<GuestFault> for Fault {
    fn from(fault: GuestFault) -> Self {
        match fault {
            GuestFault::Input => Self::Input,
            GuestFault::Spec => Self::Spec,
            GuestFault::Limit => Self::Limit,
            GuestFault::Internal => Self::Transform,
        }
    }
}

/// Why a job ended without result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault.
    pub fault: GuestFault,
    /// Stable name: that of a [`Code`], or one of a transform of one's own.
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
    pub fn input(code: Code, message: impl Into<String>) -> Self {
        Self::named(GuestFault::Input, code.name(), message)
    }

    /// The spec or a contract is at fault.
    pub fn spec(code: Code, message: impl Into<String>) -> Self {
        Self::named(GuestFault::Spec, code.name(), message)
    }

    /// A named limit was passed.
    pub fn limit(code: Code, message: impl Into<String>) -> Self {
        Self::named(GuestFault::Limit, code.name(), message)
    }

    /// The transform is at fault: a bug.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::named(GuestFault::Internal, Code::Internal.name(), message)
    }

    /// For transforms of one's own, whose failures have names of their own.
    pub fn named(fault: GuestFault, code: &'static str, message: impl Into<String>) -> Self {
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

impl std::error::Error for Failure {}
