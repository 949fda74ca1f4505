//! The load history: one JSON line for each commit that is done, which is its done mark at the same time.
//!
//! Not for what a commit needs to be completed: that is in its record. A line is for people and SQL, holds numbers
//! and names and no values, and is written once, put if absent, by whoever completes the commit; its key follows
//! from the record, so that all who complete it at once mean the same object.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::keys::commit_key;
use crate::record::{CommitRecord, ReleaseRecord};
use crate::run_id::RunId;
use crate::source::now_ms;
use lakegate_base::time::{parse, rfc3339};

/// One generation of one source object that is in the tables, or was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Version of this text: 1. (`version` is the source object's.)
    pub line: u32,
    /// Id of the run; empty in lines from before there were ids, see [`Load::run_id`].
    #[serde(default)]
    pub id: String,
    /// Pipeline.
    pub pipeline: String,
    /// URI of the source object.
    pub source: String,
    /// What names its version: a version id, an ETag with size and time, or a digest.
    pub version: String,
    /// From 1.
    pub generation: u32,
    /// Why there is this generation, as in the commit record.
    pub reason: String,
    /// `name@version` of the release, where one was used.
    pub release: Option<String>,
    /// Number of the channel document that picked the release, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<u64>,
    /// Digest of the component.
    pub component: String,
    /// Digest of the spec.
    pub spec: String,
    /// Start of the run, RFC 3339.
    pub started: String,
    /// Time of the commit, RFC 3339: later than that of every generation it replaces.
    pub committed: String,
    /// When all was published and told, RFC 3339.
    pub done: String,
    /// From `started` to `done`; with the wait where another process completed it.
    pub milliseconds: u64,
    /// Calls of the lake's storage by the run that made it; `None` where another process completed it.
    pub requests: Option<u64>,
    /// Bytes of the source object as stored.
    pub bytes_in: u64,
    /// Records read.
    pub records: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Records of quarantines that it submitted again.
    #[serde(default)]
    pub resolved: u64,
    /// Rows in part files.
    pub rows: u64,
    /// Rows that filters dropped.
    pub filtered: u64,
    /// Part files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Whether it is what its preview promised, where something was promised.
    pub as_previewed: Option<bool>,
    /// The same by table.
    pub tables: Vec<LoadedTable>,
    /// Generations of the same object that went with it.
    pub replaces: Vec<u32>,
    /// Keys of the commits of resubmitted records that went with it.
    pub withdraws: Vec<String>,
    /// Why none of it counts although it was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<Void>,
    /// Catalog, notices and lineage, where the lake is connected to any.
    pub told: Value,
}

/// Why a generation was given up after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Void {
    /// Its files were lost before they were visible, and its source was gone.
    Lost,
    /// A type was changed while it was made: the next generation is of the new one.
    Contract,
}

/// One table of a [`Load`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedTable {
    /// Table.
    pub table: String,
    /// Digest of its contract.
    pub contract: String,
    /// Rows in part files.
    pub rows: u64,
    /// Rows that filters dropped.
    pub filtered: u64,
    /// Part files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

impl Load {
    /// The line of a commit that was done just now.
    pub(crate) fn now(record: &CommitRecord, requests: Option<u64>, told: Value) -> Self {
        let now = now_ms();
        let begun = parse(&record.started).unwrap_or(now);
        let milliseconds = u64::try_from(now - begun).unwrap_or_default();
        Self { done: rfc3339(now), milliseconds, requests, told, ..Self::of(record) }
    }

    /// The line of a commit that is given up: it has no rows and no files, and replaces nothing.
    pub(crate) fn given_up(record: &CommitRecord, why: Void) -> Self {
        let nothing = CommitRecord {
            parts: Vec::new(),
            quarantine: None,
            replaces: Vec::new(),
            withdraws: Vec::new(),
            resolves: Vec::new(),
            report: lakegate_model::report::Report::default(),
            ..record.clone()
        };
        Self { void: Some(why), as_previewed: None, ..Self::now(&nothing, None, Value::Null) }
    }

    /// What the record alone says.
    pub(crate) fn of(record: &CommitRecord) -> Self {
        let tables: Vec<LoadedTable> =
            record.contracts.iter().map(|(table, contract)| of_table(record, table, contract)).collect();
        Self {
            line: 1,
            id: record.run_id().to_string(),
            pipeline: record.pipeline.clone(),
            source: record.source.uri.clone(),
            version: record.source.version().into(),
            generation: record.generation,
            reason: record.reason.clone(),
            release: record.release.as_ref().map(ReleaseRecord::id),
            document: record.release.as_ref().and_then(|release| release.sequence),
            component: record.component.clone(),
            spec: record.spec.clone(),
            started: record.started.clone(),
            committed: record.committed.clone(),
            bytes_in: record.source.bytes,
            records: record.report.records,
            rejected: record.report.rejected,
            resolved: record.resolves.iter().map(|resolved| resolved.records.len() as u64).sum(),
            rows: record.parts.iter().map(|part| part.rows).sum(),
            filtered: tables.iter().map(|table| table.filtered).sum(),
            files: record.parts.len() as u64,
            bytes: record.parts.iter().map(|part| part.bytes).sum(),
            as_previewed: record.as_previewed(),
            tables,
            replaces: record.replaces.clone(),
            withdraws: record.withdraws.clone(),
            ..Self::default()
        }
    }

    /// The id of its run, which every line has.
    pub fn run_id(&self) -> RunId {
        RunId::of(&self.pipeline, &self.source, self.generation)
    }

    /// Key of the commit record.
    pub fn commit_key(&self) -> String {
        commit_key(&self.pipeline, &self.source, self.generation)
    }
}

fn of_table(record: &CommitRecord, table: &str, contract: &str) -> LoadedTable {
    let reported = record.report.tables.iter().find(|reported| reported.table == table);
    let parts = || record.parts.iter().filter(|part| part.table == table);
    LoadedTable {
        table: table.into(),
        contract: contract.into(),
        rows: parts().map(|part| part.rows).sum(),
        filtered: reported.map_or(0, |reported| reported.filtered),
        files: parts().count() as u64,
        bytes: parts().map(|part| part.bytes).sum(),
    }
}
