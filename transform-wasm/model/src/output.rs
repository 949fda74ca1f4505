//! `[output]` of a spec, and what a host needs of a spec besides: the names of its tables.
//!
//! Not the whole spec: that is the transform's. A mistake is told with line and column, in the same words
//! whoever reads the text.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::code::Code;
use crate::failure::Failure;
use crate::max_rejected::MaxRejected;
use crate::place::Place;

/// Compression of part files.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PartCompression {
    /// Snappy: every reader has it and it is quick in a sandbox.
    #[default]
    Snappy,
    /// No compression.
    None,
}

/// What a new version of the same source object does to the rows of the old one; the host acts on it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnReupload {
    /// The new rows take the place of the old ones.
    #[default]
    Replace,
    /// The new rows are added.
    Append,
}

impl OnReupload {
    /// As specs and commit records write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Append => "append",
        }
    }
}

/// `[output]`, as the transform reads it: a key that it does not know is a mistake.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Output {
    /// More rejected records fail the whole object; see [`max_rejected`](crate::max_rejected).
    pub max_rejected: Option<MaxRejected>,
    /// What a re-upload does.
    pub on_reupload: OnReupload,
    /// Compression of part files.
    pub compression: PartCompression,
}

/// What a host needs of a spec. Unknown keys pass, so that a newer spec meets an older host: what is unknown
/// to the transform, it refuses itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Head {
    /// `[output]`, as far as hosts act on it.
    pub output: HeadOutput,
    /// The tables, as far as hosts need them.
    #[serde(rename = "table")]
    pub tables: Vec<HeadTable>,
}

/// `[output]` of a [`Head`].
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct HeadOutput {
    /// More rejected records fail the whole object.
    pub max_rejected: MaxRejected,
    /// What a re-upload does.
    pub on_reupload: OnReupload,
}

/// A table of a [`Head`].
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct HeadTable {
    /// Its name; a spec of one table may have none.
    pub name: Option<String>,
}

/// Reads a spec, or a part of one.
///
/// # Errors
/// Fault `spec`, code `spec_invalid`, with line and column.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| mistake(text, &error))
}

/// A mistake in a spec, with its place.
pub fn mistake(text: &str, error: &toml::de::Error) -> Failure {
    let mut place = Place::default();
    if let Some(span) = error.span() {
        let before = &text[..span.start.min(text.len())];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        place.line = Some(before.matches('\n').count() as u64 + 1);
        place.column = Some(before[line_start..].chars().count() as u64 + 1);
    }
    let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
    let of_rule = message.starts_with("max_rejected");
    let failure = Failure::spec(Code::SpecInvalid, message).at(place);
    if of_rule { failure.hint("write \"5%\" or a number of records such as 100") } else { failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_reads_what_it_needs_of_any_spec() {
        let head: Head =
            parse("later = 1\n[output]\nmax_rejected = 3\nlater = 2\n[[table]]\nname = 'a'\nx = 1").unwrap();
        assert_eq!(head.output.max_rejected, MaxRejected::Records(3));
        assert_eq!(head.tables, [HeadTable { name: Some("a".into()) }]);
        assert_eq!(parse::<Head>("").unwrap(), Head::default());
    }
}
