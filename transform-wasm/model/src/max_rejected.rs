//! How many rejected records an object may have: `max_rejected` in `[output]` of a spec.
//!
//! Judged here for the transform, for hosts and for the page, in whole numbers: a share that is held as a
//! float says otherwise at 29 % of 100 records than the same share times 100.
//!
//! An object fails when more than a share (5 %) **and** more than a floor (10) of its records are rejected, or
//! more than half of them, which all of them are. The floor is for small files: one bad record of three does
//! not keep the other two out of the table, and a small file that drifted wholly still fails.
//!
//! | `max_rejected =` | fails when rejected are |
//! | --- | --- |
//! | nothing, `"5%"`, `{ share = "5%", floor = 10 }` | more than 5 % and more than 10; or more than half |
//! | `{ share = "5%", floor = 0 }` | more than 5 % |
//! | `{ floor = 100 }` | more than 5 % and more than 100; or more than half |
//! | `"80%"` | more than 80 %: a share of half or more is the last word, the floor excuses nothing beyond half |
//! | `"100%"` | never |
//! | `"0%"` | more than none: who says none means none, so that the floor is 0 unless it is said too |
//! | `3`, `"3"` | more than three, and nothing else: three of three pass |
//!
//! A share has at most four decimals and is at most 100 %.

use std::fmt;

use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::code::Code;
use crate::failure::Failure;

/// All records, in the unit of shares.
const WHOLE: u32 = 1_000_000;

/// The share that may be rejected, unless the spec says otherwise.
const SHARE: u32 = 50_000;

/// As many rejected records pass whatever their share, up to half of all, unless the spec says otherwise.
const FLOOR: u64 = 10;

/// The bound on rejected records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRejected {
    /// A share of the records, with a floor below which it does not count.
    Share {
        /// The share, in millionths: 0 to 1,000,000.
        millionths: u32,
        /// As many rejected records pass whatever their share, up to half of all.
        floor: u64,
    },
    /// So many, whatever their share.
    Records(u64),
}

impl Default for MaxRejected {
    fn default() -> Self {
        Self::Share { millionths: SHARE, floor: FLOOR }
    }
}

impl MaxRejected {
    /// Whether an object with so many rejected of so many records may pass.
    pub fn allows(self, rejected: u64, records: u64) -> bool {
        match self {
            Self::Records(most) => rejected <= most,
            Self::Share { millionths, floor } => {
                let (rejected, records) = (u128::from(rejected), u128::from(records));
                let in_share = rejected * u128::from(WHOLE) <= u128::from(millionths) * records;
                in_share || (rejected <= u128::from(floor) && rejected * 2 <= records)
            }
        }
    }

    /// The same, as whoever has only a report says it: a transform names the reasons too.
    ///
    /// # Errors
    /// Fault `input`, code `too_many_rejected`.
    pub fn check(self, rejected: u64, records: u64) -> Result<(), Failure> {
        if self.allows(rejected, records) {
            return Ok(());
        }
        let what =
            format!("{rejected} of {records} records were rejected, more than max_rejected = {self} allows");
        Err(Failure::input(Code::TooManyRejected, what).hint(Self::HINT))
    }

    /// What to do about too many.
    pub const HINT: &str = "see the quarantine for each record's reason; if this share is expected, raise max_rejected in [output]";

    /// Reads the short form: `5%`, or a number of records.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().strip_suffix('%') {
            Some(_) => Ok(Self::share(share(text)?, None)),
            None => match whole(text.trim()) {
                Some(most) => Ok(Self::Records(most)),
                None => Err(format!("max_rejected = \"{text}\" is neither a share nor a number of records")),
            },
        }
    }

    fn share(millionths: u32, floor: Option<u64>) -> Self {
        Self::Share { millionths, floor: floor.unwrap_or(if millionths == 0 { 0 } else { FLOOR }) }
    }
}

/// The value as a spec has it: `"5%"`, `3`, `{ share = "5%", floor = 0 }`.
impl fmt::Display for MaxRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Records(most) => write!(f, "{most}"),
            Self::Share { millionths, .. } if Self::share(millionths, None) == *self => {
                write!(f, "\"{}\"", Percent(millionths))
            }
            Self::Share { millionths, floor } => {
                write!(f, "{{ share = \"{}\", floor = {floor} }}", Percent(millionths))
            }
        }
    }
}

/// Millionths as `5.25%`.
struct Percent(u32);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:04}", self.0 % 10_000);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        write!(f, "{}{point}{decimals}%", self.0 / 10_000)
    }
}

/// `5.25%` in millionths.
fn share(text: &str) -> Result<u32, String> {
    let number = text.trim().strip_suffix('%').map(str::trim).unwrap_or_default();
    let (percent, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let no_share = || format!("max_rejected: \"{text}\" is no share, write for example \"5%\"");
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) || decimals.is_empty() {
        return Err(no_share());
    }
    if decimals.len() > 4 {
        return Err(format!("max_rejected: the share \"{text}\" has more than four decimals"));
    }
    let percent = whole(percent).ok_or_else(no_share)?;
    let decimals = whole(&format!("{decimals:0<4}")).ok_or_else(no_share)?;
    let millionths = percent.checked_mul(10_000).and_then(|all| all.checked_add(decimals));
    millionths
        .and_then(|millionths| u32::try_from(millionths).ok())
        .filter(|&millionths| millionths <= WHOLE)
        .ok_or_else(|| format!("max_rejected: the share \"{text}\" is more than 100%"))
}

/// Digits and nothing else.
fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl<'de> Deserialize<'de> for MaxRejected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = MaxRejected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share such as \"5%\", a number of records, or { share = \"5%\", floor = 10 }")
    }

    fn visit_u64<E: Error>(self, most: u64) -> Result<MaxRejected, E> {
        Ok(MaxRejected::Records(most))
    }

    fn visit_i64<E: Error>(self, most: i64) -> Result<MaxRejected, E> {
        let wrong = |_| E::invalid_value(Unexpected::Signed(most), &self);
        u64::try_from(most).map(MaxRejected::Records).map_err(wrong)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<MaxRejected, E> {
        MaxRejected::parse(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<MaxRejected, A::Error> {
        let (mut millionths, mut floor) = (SHARE, None);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Share => millionths = map.next_value::<Share>()?.0,
                Key::Floor => floor = Some(map.next_value::<u64>()?),
            }
        }
        Ok(MaxRejected::share(millionths, floor))
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Share,
    Floor,
}

/// A share alone: a number of records is none.
struct Share(u32);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        share(&text).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[path = "max_rejected_tests.rs"]
mod tests;
