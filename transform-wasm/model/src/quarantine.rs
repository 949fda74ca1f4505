//! A line of a quarantine: one rejected record with its reason, its place and its raw text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What kind of value did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Found {
    /// An object.
    Object,
    /// An array.
    Array,
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// What a later transform may tell.
    #[serde(other)]
    Other,
}

/// One rejected record. The transform writes it of what it has at hand, hosts read one that lives by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuarantineLine<'a> {
    /// Record number, from 1.
    pub record: u64,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Byte offset in the decoded input, from 0.
    pub offset: Option<u64>,
    /// Bytes of the record.
    pub length: Option<u64>,
    /// Table whose rule was broken, where it is one table's.
    pub table: Option<Cow<'a, str>>,
    /// JSON pointer or column name.
    pub path: Option<Cow<'a, str>>,
    /// Stable name of the reason.
    pub code: Cow<'a, str>,
    /// The reason; holds no values.
    pub message: Cow<'a, str>,
    /// The record as it came, as far as it was kept.
    pub raw: Cow<'a, str>,
    /// True if `raw` is not all of it.
    pub truncated: bool,
    /// True if nothing of it is kept, because columns are masked: it stands in the source alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
    /// What kind of value came, where it is one of another kind than its column holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_as_it_was_read() {
        let text = r#"{"record":3,"line":3,"offset":20,"length":5,"table":null,"path":"/a","code":"c","message":"m","raw":"[1]","truncated":false}"#;
        let line: QuarantineLine<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&line).unwrap(), text);
        let masked = text.replace("\"[1]\",\"truncated\":false", "\"\",\"truncated\":true,\"masked\":true");
        let line: QuarantineLine<'_> = serde_json::from_str(&masked).unwrap();
        assert!(line.masked && serde_json::to_string(&line).unwrap() == masked);
        let told = text.replace('}', ",\"found\":\"array\"}");
        let line: QuarantineLine<'_> = serde_json::from_str(&told).unwrap();
        assert_eq!((line.found, serde_json::to_string(&line).unwrap()), (Some(Found::Array), told));
        let later: QuarantineLine<'_> = serde_json::from_str("{\"found\":\"planet\"}").unwrap();
        assert_eq!(later.found, Some(Found::Other));
        assert_eq!(
            serde_json::from_str::<QuarantineLine<'_>>("{\"new\":1}").unwrap(),
            QuarantineLine::default()
        );
    }
}
