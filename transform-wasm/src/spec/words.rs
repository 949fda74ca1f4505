//! Words of `[input]`: encodings, and what becomes of odd rows and fields of a CSV.

use serde::Deserialize;

use crate::conventions::{self, Convention};
use crate::input;

/// How the input's text is encoded where no byte order mark says it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Encoding(pub input::encoding::Encoding);

impl TryFrom<String> for Encoding {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let named = input::encoding::Encoding::named(&name);
        named.map(Self).map_err(|(what, hint)| format!("{what}: {hint}"))
    }
}

/// A value convention, by its name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct NamedConvention(pub &'static Convention);

impl TryFrom<String> for NamedConvention {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = conventions::ALL.into_iter().find(|convention| convention.name == name);
        let names = || conventions::ALL.map(|convention| convention.name).join(", ");
        found.map(Self).ok_or_else(|| format!("unknown convention `{name}`, expected one of {}", names()))
    }
}

/// What becomes of CSV records with fewer fields than the header.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ShortRows {
    /// They are rejected.
    #[default]
    Reject,
    /// The fields that are missing are null.
    Pad,
}

/// What becomes of CSV records with more fields than the header.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LongRows {
    /// They are rejected.
    #[default]
    Reject,
    /// What is too much is left out.
    Cut,
    /// It goes into columns of its own, `column_N`.
    Name,
}

/// What an empty CSV field in quotes is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum QuotedEmpty {
    /// Null, as one without quotes.
    #[default]
    Null,
    /// A text without characters.
    Text,
}
