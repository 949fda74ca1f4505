//! The report: what came of a source object, as JSON from the transform to its host.
//!
//! Names are borrowed where the transform makes a report and owned where one was read. Unknown keys are no
//! error, since a report grows while the interface stays still.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fix::{Edit, Fix};

/// A stable name: one of the transform's own words, or one that was read.
pub type Name = Cow<'static, str>;

/// Something a person should know; no record was lost by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Warning {
    /// Stable name.
    pub code: Name,
    /// One sentence; holds no values.
    pub message: String,
    /// How often.
    pub count: u64,
    /// Changes of the spec that answer it; more than one: a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

impl Warning {
    /// A warning that was met once.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into(), count: 1, fixes: Vec::new() }
    }

    /// With a change of the spec that answers it.
    #[must_use]
    pub fn fixed_by(mut self, fix: impl IntoIterator<Item = Edit>) -> Self {
        self.fixes.push(Fix(fix.into_iter().collect()));
        self
    }
}

/// One table's ledger: `rows_made = rows_out + filtered`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableReport {
    /// Table name.
    pub table: String,
    /// Digest of the contract its part files carry.
    pub contract: String,
    /// Rows made of accepted records.
    pub rows_made: u64,
    /// Rows in part files.
    pub rows_out: u64,
    /// Rows dropped by `filter`, `drop_nulls` and `empty = "drop"`.
    pub filtered: u64,
    /// Part files.
    pub parts: u64,
}

/// What a check of the spec found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// Table name.
    pub table: String,
    /// The check's name.
    pub check: String,
    /// What a failure does: `warn`, `reject` or `fail`.
    pub on_fail: Name,
    /// Rows that failed.
    pub failed: u64,
}

/// The whole report; the ledger of records is `records = accepted + rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Version of this form, 1.
    pub version: u32,
    /// Records met.
    pub records: u64,
    /// Records whose rows are in the part files.
    pub accepted: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Decompressed bytes read.
    pub bytes: u64,
    /// Form of the input, detected or pinned, for example `ndjson`.
    pub format: Name,
    /// Compression of the input, detected or pinned, for example `gzip`.
    pub compression: Name,
    /// Bytes of text before the first record, byte order mark not counted: of CSV, the header and what stands
    /// before it, without which no record can be read alone.
    #[serde(skip_serializing_if = "is_none")]
    pub lead: u64,
    /// Encoding of the input, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Name>,
    /// Delimiter of a CSV, detected or pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// One a table.
    pub tables: Vec<TableReport>,
    /// Rejected records by code.
    pub rejects: BTreeMap<Name, u64>,
    /// Accepted records with values that did not fit and are kept beside their rows.
    #[serde(skip_serializing_if = "is_none")]
    pub rescued: u64,
    /// Such values by code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rescues: BTreeMap<Name, u64>,
    /// Warnings, in the order they were met.
    pub warnings: Vec<Warning>,
    /// Checks, in the spec's order.
    pub checks: Vec<Check>,
    /// False when an output depends on where the input came from.
    pub comparable: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Report {
    /// Records that are not all in their rows: what `max_rejected` and alarms judge.
    pub fn misfits(&self) -> u64 {
        self.rejected.saturating_add(self.rescued)
    }

    /// The JSON text.
    pub fn to_text(&self) -> String {
        // A structure of strings and numbers always has a JSON text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the JSON text.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Counts a rejected record.
    pub fn reject(&mut self, code: &'static str) {
        self.rejected += 1;
        *self.rejects.entry(Cow::Borrowed(code)).or_default() += 1;
    }

    /// Adds a warning, or counts one that is there.
    pub fn warn(&mut self, warning: Warning) {
        self.warn_all([warning]);
    }

    /// As [`Report::warn`], of many: there may be one for each column.
    pub fn warn_all(&mut self, warnings: impl IntoIterator<Item = Warning>) {
        let key = |warning: &Warning| (warning.code.clone(), warning.message.clone());
        let mut known: BTreeMap<(Name, String), usize> =
            crate::tree(self.warnings.iter().enumerate().map(|(at, warning)| (key(warning), at)));
        for warning in warnings {
            match known.get(&key(&warning)) {
                Some(&at) => self.warnings[at].count += warning.count,
                None => {
                    known.insert(key(&warning), self.warnings.len());
                    self.warnings.push(warning);
                }
            }
        }
    }
}

/// Reasons of records that were read whole, and learned from, before what is made of their values was refused: by a check,
/// an expression, the place of a partition or a transform of one's own.
const LEARNED_FROM: [&str; 7] = [
    "cast_failed",
    "check_failed",
    "date_out_of_range",
    "extension_rejected",
    "numeric_overflow",
    "partition_too_long",
    "text_too_long",
];

/// What a person should know where types were learned from records that were rejected afterwards. Of records that were
/// rejected for what they are, before anything was learned from them, there is nothing to say.
pub fn learned_from(rejects: &BTreeMap<Name, u64>) -> Option<Warning> {
    let records: u64 = LEARNED_FROM.iter().filter_map(|code| rejects.get(*code)).sum();
    let (what, their) = match records {
        0 => return None,
        1 => ("1 record that a check or an expression rejected was", "its"),
        _ => ("records that a check or an expression rejected were", "their"),
    };
    let count = if records == 1 { String::new() } else { format!("{records} ") };
    Some(Warning::new(
        "learned_from_rejected",
        format!("{count}{what} learned from: {their} values had a say in types and columns"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version":1,"records":3,"accepted":2,"rejected":1,"bytes":40,"format":"ndjson","compression":"none","tables":[{"table":"t","contract":"d","rows_made":2,"rows_out":1,"filtered":1,"parts":1}],"rejects":{"syntax_error":1},"warnings":[{"code":"discarded","message":"m","count":2}],"checks":[{"table":"t","check":"c","on_fail":"warn","failed":1}],"comparable":true}"#;

    #[test]
    fn a_warning_stands_once_with_its_count() {
        let mut report = Report::parse(TEXT).unwrap();
        report.warn_all(["m", "n", "m"].map(|message| Warning::new("discarded", message)));
        report.warn(Warning::new("other", "m"));
        let told: Vec<(&str, &str, u64)> =
            report.warnings.iter().map(|w| (w.code.as_ref(), w.message.as_str(), w.count)).collect();
        assert_eq!(told, [("discarded", "m", 4), ("discarded", "n", 1), ("other", "m", 1)]);
    }

    #[test]
    fn rejected_records_that_were_learned_from_are_said() {
        let of = |rejects: &[(&'static str, u64)]| {
            let rejects = rejects.iter().map(|(code, records)| (Name::from(*code), *records)).collect();
            learned_from(&rejects).map(|warning| warning.message)
        };
        assert_eq!(of(&[("type_mismatch", 3), ("duplicate_key", 1), ("field_count", 2)]), None);
        for code in LEARNED_FROM {
            assert!(of(&[(code, 1)]).is_some(), "{code}");
        }
        assert_eq!(
            of(&[("check_failed", 2), ("cast_failed", 1), ("syntax_error", 9)]).unwrap(),
            "3 records that a check or an expression rejected were learned from: their values had a say in types and \
             columns"
        );
        assert_eq!(
            of(&[("check_failed", 1)]).unwrap(),
            "1 record that a check or an expression rejected was learned from: its values had a say in types and \
             columns"
        );
    }

    #[test]
    fn a_report_is_written_as_it_was_read_and_may_grow() {
        assert_eq!(Report::parse(TEXT).unwrap().to_text(), TEXT);
        let newer = TEXT.replacen('{', r#"{"news":4,"#, 1);
        assert_eq!(Report::parse(&newer).unwrap(), Report::parse(TEXT).unwrap());
        let rescued = TEXT.replace(r#""warnings""#, r#""rescued":4,"rescues":{"fraction":5},"warnings""#);
        let read = Report::parse(&rescued).unwrap();
        assert_eq!((read.to_text(), read.misfits()), (rescued, 5));
        assert!(Report::parse("[").is_err());
    }
}
