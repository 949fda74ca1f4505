//! The report of a job, and the lines of a quarantine, as the transform writes them.
//!
//! Not for checking: the sandbox's ledger does that. The decision to know: unknown keys are kept out
//! but no error, since a report grows while the interface stays still.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a job says of itself when it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Version of this text.
    pub version: u32,
    /// Records read: always `accepted + rejected`.
    pub records: u64,
    /// Records whose rows are in the tables.
    pub accepted: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Decoded bytes of input.
    pub bytes: u64,
    /// Format that was read, for example `ndjson`.
    pub format: String,
    /// Compression that was read, for example `gzip`.
    pub compression: String,
    /// One entry a table.
    pub tables: Vec<TableReport>,
    /// Rejected records by code.
    pub rejects: BTreeMap<String, u64>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// Checks that failed.
    pub checks: Vec<Check>,
    /// False if outputs hold where or when the input came from.
    pub comparable: bool,
}

/// One table of a [`Report`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableReport {
    /// Table name.
    pub table: String,
    /// Digest of its contract.
    pub contract: String,
    /// Rows made: always `rows_out + filtered`.
    pub rows_made: u64,
    /// Rows in part files.
    pub rows_out: u64,
    /// Rows that filters dropped.
    pub filtered: u64,
    /// Part files.
    pub parts: u64,
}

/// Something a person should know; no record was lost by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Warning {
    /// Stable name.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// A check of the spec that failed at least once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// Table name.
    pub table: String,
    /// Name of the check.
    pub check: String,
    /// `warn`, `reject` or `fail`.
    pub on_fail: String,
    /// Rows or records that failed it.
    pub failed: u64,
}

/// One rejected record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuarantineLine {
    /// Record number, from 1.
    pub record: u64,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Byte offset in the decoded input.
    pub offset: Option<u64>,
    /// Bytes of the record.
    pub length: Option<u64>,
    /// Table that could not take it.
    pub table: Option<String>,
    /// JSON pointer or column name.
    pub path: Option<String>,
    /// Stable name of the reason.
    pub code: String,
    /// The reason.
    pub message: String,
    /// The record as it came.
    pub raw: String,
    /// True if `raw` is not all of it.
    pub truncated: bool,
}
