//! Text to value: what a JSON number, a JSON string or a CSV field is worth under a column's type.
//!
//! For: exact, deterministic conversion of source text. Not for: SQL casts (see `expr`), and not for
//! deciding which type a column has. The decision to know: a text that does not fit is a [`Misfit`],
//! never a null and never a rounded value; whoever calls adds record, path and line to it.

use std::fmt;

pub mod digits;
mod directive;
pub mod epoch;
pub mod format;
mod glance;
pub mod number;
mod quotient;
pub mod time;

#[cfg(test)]
mod digits_tests;
#[cfg(test)]
mod number_tests;
#[cfg(test)]
mod time_tests;

pub use digits::{digits, has_no_more_digits, holds_text, holds_value, learn_field};
pub use epoch::Epoch;
pub use format::TimeFormat;
pub use glance::{is_plain_moment, plain_number};
pub use number::{Number, NumberKind, NumberSyntax};
pub use number::{parse_bigint, parse_decimal, parse_double, short_bigint, short_double};

/// Why a text does not fit its column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misfit {
    /// Not a number at all, or a number with something around it.
    NotANumber,
    /// `007`: a number to a machine, an identifier to its owner.
    LeadingZero,
    /// `3.7` for a whole number.
    Fraction,
    /// Beyond 64 bits.
    OutOfRange,
    /// An integer beyond 2^53 for a double, which could not hold it exactly.
    Inexact,
    /// More digits than `decimal(p,s)` holds, before or after the point.
    TooManyDigits,
    /// No finite double: `1e999`.
    NotFinite,
    /// Neither `true` nor `false`.
    NotABoolean,
    /// Not a date `YYYY-MM-DD` of the calendar.
    NotADate,
    /// Not an ISO 8601 date and time.
    NotATimestamp,
    /// Not as the spec's `format` says, or no date of the calendar.
    BadFormat,
}

impl Misfit {
    /// Stable name, for quarantine lines and counts.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::LeadingZero => "leading_zero",
            Self::Fraction => "fraction",
            Self::OutOfRange => "out_of_range",
            Self::Inexact => "inexact",
            Self::TooManyDigits => "too_many_digits",
            Self::NotFinite => "not_finite",
            Self::NotABoolean => "not_a_boolean",
            Self::NotADate => "not_a_date",
            Self::NotATimestamp => "not_a_timestamp",
            Self::BadFormat => "bad_format",
        }
    }

    /// What is wrong, for people; to be read after "the value".
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotANumber => "is not a number",
            Self::LeadingZero => "has leading zeros, which a number would lose",
            Self::Fraction => "has a fraction, the column holds whole numbers",
            Self::OutOfRange => "is beyond 64 bits",
            Self::Inexact => "is an integer beyond 2^53, which a double cannot hold exactly",
            Self::TooManyDigits => "has more digits than the decimal type holds",
            Self::NotFinite => "is no finite double",
            Self::NotABoolean => "is neither true nor false",
            Self::NotADate => "is not a date such as 2025-01-31",
            Self::NotATimestamp => "is not a timestamp such as 2025-01-31T23:59:00Z",
            Self::BadFormat => "does not match the column's format",
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

/// `true` or `false`, in any case: spreadsheets and pandas write `TRUE` and `True`.
///
/// # Errors
/// [`Misfit::NotABoolean`]; `1`, `yes` and the like are never guessed.
pub fn parse_boolean(text: &[u8]) -> Result<bool, Misfit> {
    if text.eq_ignore_ascii_case(b"true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Ok(false)
    } else {
        Err(Misfit::NotABoolean)
    }
}
