//! A notice's body: versioned JSON, the same for the same thing whoever sends it.
//!
//! Not for sending. The decision to know: lists are cut to fit, tables before partitions are looked at, the
//! longest lists first; each list that was cut stands beside a number that says how many are lacking.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::notify::Event;
use lakegate_config::Pipeline;
use lakegate_lake::lake::sha256;
use lakegate_lake::record::{CommitRecord, FailedRecord, ReleaseRecord, SourceRecord};

/// Well below SNS's 256 KiB: attributes and subject count as well, and so may envelopes on the way.
pub(super) const MAX_BYTES: usize = 200 << 10;
/// Enough for any pipeline that a person made; more are cut.
const MAX_TABLES: usize = 200;
/// Prefixes over all tables. Who needs every one reads the commit record.
const MAX_PREFIXES: usize = 400;
/// Texts from an error: long enough for a sentence with a path in it.
const MAX_TEXT: usize = 4_000;
/// Codes of warnings and rejects; there are a few dozen in all.
const MAX_CODES: usize = 100;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub(super) version: u32,
    /// Of the run, as everywhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    /// The same whenever this is told.
    pub(super) notice_id: String,
    pub(super) event: Event,
    pub(super) pipeline: String,
    pub(super) source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generation: Option<u32>,
    /// Why there is this generation, or what failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) reason: String,
    pub(super) records: u64,
    pub(super) rejected: u64,
    pub(super) rows: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tables: Vec<Table>,
    #[serde(skip_serializing_if = "is_zero")]
    tables_cut: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rejects: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    warnings: BTreeMap<String, u64>,
    /// Where the rejected records are.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<String>,
    release: Release,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// When it was committed, or failed.
    at: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Source {
    pub(super) uri: String,
    bytes: u64,
    modified: String,
    digest: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    /// `orders@1.3.0`, of a published one.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    component: String,
    spec: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    table: String,
    contract: String,
    location: String,
    rows: u64,
    files: u64,
    bytes: u64,
    /// Of the part files, each partition once; the table's location where it has no partitions.
    prefixes: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    prefixes_cut: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands out references
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Body {
    pub(super) fn of_commit(event: Event, pipeline: &Pipeline, record: &CommitRecord) -> Self {
        let lake = pipeline.lake.uri();
        let tables = tables(&lake, record);
        let generation = record.generation.to_string();
        let report = &record.report;
        let mut warnings = BTreeMap::new();
        for warning in &report.warnings {
            *warnings.entry(warning.code.to_string()).or_insert(0) += warning.count;
        }
        Self {
            version: 1,
            id: record.run_id().to_string(),
            notice_id: notice_id(event, pipeline, &record.source, &[&generation]),
            event,
            pipeline: pipeline.name.clone(),
            source: source(&record.source),
            generation: Some(record.generation),
            reason: record.reason.clone(),
            records: report.records,
            rejected: report.rejected,
            rows: record.parts.iter().map(|part| part.rows).sum(),
            files: record.parts.len() as u64,
            bytes: record.parts.iter().map(|part| part.bytes).sum(),
            tables,
            tables_cut: 0,
            rejects: report.rejects.iter().take(MAX_CODES).map(|(code, n)| (code.to_string(), *n)).collect(),
            warnings: warnings.into_iter().take(MAX_CODES).collect(),
            quarantine: record.quarantine.as_ref().map(|kept| format!("{lake}{}", kept.key)),
            release: Release {
                version: record.release.as_ref().map(ReleaseRecord::id),
                component: record.component.clone(),
                spec: record.spec.clone(),
            },
            code: None,
            message: None,
            hint: None,
            place: None,
            at: record.committed.clone(),
        }
    }

    pub(super) fn of_failure(pipeline: &Pipeline, failed: &FailedRecord) -> Self {
        let why = [failed.component.as_str(), &failed.spec, &failed.code];
        Self {
            version: 1,
            id: failed.id.clone(),
            notice_id: notice_id(Event::Failure, pipeline, &failed.source, &why),
            event: Event::Failure,
            pipeline: pipeline.name.clone(),
            source: source(&failed.source),
            generation: None,
            reason: String::new(),
            records: failed.records,
            rejected: failed.rejected,
            rows: 0,
            files: 0,
            bytes: 0,
            tables: Vec::new(),
            tables_cut: 0,
            rejects: BTreeMap::new(),
            warnings: BTreeMap::new(),
            quarantine: failed.quarantine.as_ref().map(|key| format!("{}{key}", pipeline.lake.uri())),
            release: Release {
                version: None,
                component: failed.component.clone(),
                spec: failed.spec.clone(),
            },
            code: Some(cut(&failed.code)),
            message: Some(cut(&failed.message)),
            hint: failed.hint.as_deref().map(cut),
            place: failed.place.as_deref().map(cut),
            at: failed.at.clone(),
        }
    }

    /// Of those that are listed.
    pub(super) fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.table.as_str())
    }

    pub(super) fn tables_in_all(&self) -> usize {
        self.tables.len() + self.tables_cut
    }

    /// JSON of at most `max_bytes`; the lists of a body that would be longer are cut in halves until it fits.
    pub(super) fn to_text(&self, max_bytes: usize) -> String {
        let (mut tables, mut prefixes) = (MAX_TABLES, MAX_PREFIXES);
        loop {
            let text = self.cut_to(tables, prefixes);
            if text.len() <= max_bytes || tables + prefixes == 0 {
                return text;
            }
            (tables, prefixes) = if prefixes > 0 { (tables, prefixes / 2) } else { (tables / 2, 0) };
        }
    }

    fn cut_to(&self, tables: usize, prefixes: usize) -> String {
        let mut left = prefixes;
        let cut = |table: &Table| {
            let keep = table.prefixes.len().min(left);
            left -= keep;
            Table {
                table: table.table.clone(),
                contract: table.contract.clone(),
                location: table.location.clone(),
                prefixes: table.prefixes[..keep].to_vec(),
                prefixes_cut: table.prefixes.len() - keep,
                ..*table
            }
        };
        let kept: Vec<Table> = self.tables.iter().take(tables).map(cut).collect();
        let mut value = serde_json::json!(self);
        value["tables"] = serde_json::json!(kept);
        let lacking = self.tables_in_all() - kept.len();
        if lacking > 0 {
            value["tablesCut"] = lacking.into();
        }
        value.to_string()
    }
}

fn tables(lake: &str, record: &CommitRecord) -> Vec<Table> {
    let mut found: BTreeMap<&str, Table> = BTreeMap::new();
    for (table, contract) in &record.contracts {
        let location = format!("{lake}{table}/");
        found.insert(
            table,
            Table { table: table.clone(), contract: contract.clone(), location, ..Table::default() },
        );
    }
    let mut seen = BTreeSet::new();
    for part in &record.parts {
        let Some(table) = found.get_mut(part.table.as_str()) else { continue };
        let prefix = format!("{}{}", table.location, part.partition);
        if seen.insert((&part.table, &part.partition)) {
            table.prefixes.push(prefix);
        }
        table.rows += part.rows;
        table.files += 1;
        table.bytes += part.bytes;
    }
    found.into_values().collect()
}

fn source(record: &SourceRecord) -> Source {
    Source {
        uri: record.uri.clone(),
        bytes: record.bytes,
        modified: record.modified.clone(),
        digest: record.digest.clone(),
    }
}

/// The same for the same thing told twice. Lengths stand between the parts, so that no two lists read alike.
fn notice_id(event: Event, pipeline: &Pipeline, source: &SourceRecord, more: &[&str]) -> String {
    let parts = [event.name(), &pipeline.name, &source.uri, &source.digest];
    let text: String = parts.iter().chain(more).map(|part| format!("{}:{part}\n", part.len())).collect();
    sha256(text.as_bytes())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}
