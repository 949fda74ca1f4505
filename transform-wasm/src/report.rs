//! The report: what came of a source object, as JSON for the host.

use std::collections::BTreeMap;

use serde::Serialize;

/// Something the user should know that is no error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable name.
    pub code: &'static str,
    /// One sentence; holds no values.
    pub message: String,
    /// How often.
    pub count: u64,
}

impl Warning {
    /// A warning that was met once.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), count: 1 }
    }
}

/// One table's ledger: `rows_made = rows_out + filtered`.
#[derive(Clone, Debug, Default, Serialize)]
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

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Table name.
    pub table: String,
    /// The check's name.
    pub check: String,
    /// What a failure does.
    pub on_fail: &'static str,
    /// Rows that failed.
    pub failed: u64,
}

/// The whole report; the ledger of records is `records = accepted + rejected`.
#[derive(Clone, Debug, Default, Serialize)]
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
    /// Form of the input, detected or pinned.
    pub format: &'static str,
    /// Compression of the input, detected or pinned.
    pub compression: &'static str,
    /// One a table.
    pub tables: Vec<TableReport>,
    /// Rejected records by code.
    pub rejects: BTreeMap<&'static str, u64>,
    /// Warnings, in the order they were met.
    pub warnings: Vec<Warning>,
    /// Checks, in the spec's order.
    pub checks: Vec<CheckReport>,
    /// False when an output depends on where the input came from.
    pub comparable: bool,
}

impl Report {
    /// The JSON text.
    pub fn to_text(&self) -> String {
        // A structure of strings and numbers always has a JSON text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds a warning, or counts one that is there.
    pub fn warn(&mut self, warning: Warning) {
        match self.warnings.iter_mut().find(|w| w.code == warning.code && w.message == warning.message) {
            Some(known) => known.count += warning.count,
            None => self.warnings.push(warning),
        }
    }
}
