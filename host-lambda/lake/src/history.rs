//! A pipeline's history as SQL sees it: its tables over the lines and records of the lake, and what people ask them.
//!
//! Not for calling a catalog, and not for the lines themselves ([`Load`](crate::lake::Load),
//! [`FailedRecord`](crate::record::FailedRecord)). Decisions to know:
//!
//! * A table a pipeline, since its lines have a folder of their own: who may read one pipeline's tables may read its
//!   history too, and a query scans no other's.
//! * Nothing has to be registered: Athena works out the days itself (partition projection), so that whoever makes the
//!   tables makes them once, and no host has to write to the catalog for them.
//! * Lines are many small objects. A second table has the days that were rolled into a file each
//!   ([`maintain`](crate::operate::maintain)): either is whole by itself, so that no question has to put both together.
//! * What failed is no load. It has a table of its own over the records of failures, of which there is one an object:
//!   those that a later load has settled are left out by the question, as `lakegate status` does.
//! * Moments are text, RFC 3339 in UTC, as in the lines: what a serde takes for a timestamp differs from engine to engine.

mod questions;

use std::collections::BTreeMap;

use serde::Serialize;

pub use questions::{Asked, Prices, Question, questions};

use crate::keys;

/// The first day that Athena looks at: no lake is older.
pub const FIRST_DAY: &str = "2025-01-01";

/// Classification, and the classes that read files, would write files and read rows.
type Format = [&'static str; 4];

const JSON: Format = [
    "json",
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.openx.data.jsonserde.JsonSerDe",
];
const PARQUET: Format = [
    "parquet",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
];

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Athena's type.
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// Whether every row has a value.
    pub filled: bool,
    /// What it says.
    pub comment: &'static str,
}

/// An external table as Glue wants it, without its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExternalTable {
    /// What it holds.
    pub description: String,
    /// Folder of its files, with a trailing slash.
    pub location: String,
    /// Columns in the files.
    pub columns: Vec<Column>,
    /// Columns in the paths.
    pub partition_keys: Vec<Column>,
    /// Parameters of the table, partition projection among them.
    pub parameters: BTreeMap<&'static str, String>,
    /// Class that reads files.
    pub input_format: &'static str,
    /// Class that would write files.
    pub output_format: &'static str,
    /// Class that reads rows.
    pub serde: &'static str,
    /// Its parameters.
    pub serde_parameters: BTreeMap<&'static str, &'static str>,
}

/// The load history of a pipeline, a row for each commit that is done. `lake` is the lake's URI.
pub fn loads_table(lake: &str, pipeline: &str) -> ExternalTable {
    let description = format!("What the Lakegate pipeline {pipeline} loaded: the lake's load history");
    by_day(description, format!("{}/{}", lake.trim_end_matches('/'), keys::days_prefix(pipeline)), JSON)
}

/// The same of the days that `lakegate maintain` has rolled, a file each: for questions over months and years.
pub fn rolled_table(lake: &str, pipeline: &str) -> ExternalTable {
    let description = format!("What the Lakegate pipeline {pipeline} loaded, of the days that are rolled");
    by_day(description, format!("{}/{}", lake.trim_end_matches('/'), keys::rolled_prefix(pipeline)), PARQUET)
}

fn by_day(description: String, location: String, format: Format) -> ExternalTable {
    let projection: [(&'static str, String); 7] = [
        ("projection.enabled", "true".into()),
        ("projection.day.type", "date".into()),
        ("projection.day.format", "yyyy-MM-dd".into()),
        // A clock that is ahead of Athena's makes loads of tomorrow.
        ("projection.day.range", format!("{FIRST_DAY},NOW+1DAYS")),
        ("projection.day.interval", "1".into()),
        ("projection.day.interval.unit", "DAYS".into()),
        ("storage.location.template", format!("{location}{}${{day}}/", keys::DAY)),
    ];
    ExternalTable {
        partition_keys: vec![always("day", "string", "UTC day of the commit, as in the path")],
        ..external(description, location, LOADS.to_vec(), format, projection)
    }
}

/// What failed in a pipeline, a row for each object, whether a later load has settled it or not; and each generation that
/// was committed and is lost. `lake` is the lake's URI.
pub fn failures_table(lake: &str, pipeline: &str) -> ExternalTable {
    let location = format!("{}/{}", lake.trim_end_matches('/'), keys::failures_prefix(pipeline));
    let description = format!("Objects that failed in the Lakegate pipeline {pipeline}");
    external(description, location, FAILURES.to_vec(), JSON, [])
}

fn external<const N: usize>(
    description: String,
    location: String,
    columns: Vec<Column>,
    [classification, input_format, output_format, serde]: Format,
    more: [(&'static str, String); N],
) -> ExternalTable {
    let fixed = [("EXTERNAL", "TRUE".to_owned()), ("classification", classification.to_owned())];
    ExternalTable {
        description,
        location,
        columns,
        partition_keys: Vec::new(),
        parameters: fixed.into_iter().chain(more).collect(),
        input_format,
        output_format,
        serde,
        serde_parameters: [("serialization.format", "1")].into(),
    }
}

const fn always(name: &'static str, ty: &'static str, comment: &'static str) -> Column {
    Column { name, ty, filled: true, comment }
}

const fn sometimes(name: &'static str, ty: &'static str, comment: &'static str) -> Column {
    Column { name, ty, filled: false, comment }
}

/// The fields of a line, in their order.
const LOADS: [Column; 30] = [
    always("line", "int", "version of this text"),
    always("id", "string", "id of the run, the same in log, lineage, notices and quarantine"),
    always("pipeline", "string", "pipeline"),
    always("source", "string", "URI of the source object"),
    always("version", "string", "what names its version"),
    always("generation", "bigint", "which processing of the object this is, from 1"),
    always("reason", "string", "new, content, spec, component, rerun, contract, resubmit, replay, retract"),
    sometimes("release", "string", "NAME@VERSION of the release, where one was used"),
    sometimes("document", "bigint", "number of the channel document that picked the release"),
    always("component", "string", "digest of the component"),
    always("spec", "string", "digest of the spec"),
    always("started", "string", "start of the run, RFC 3339"),
    always("committed", "string", "the commit, RFC 3339"),
    always("done", "string", "all was published and told, RFC 3339"),
    always("milliseconds", "bigint", "from started to done"),
    sometimes("requests", "bigint", "calls of the lake's storage; null where another process completed it"),
    always("bytes_in", "bigint", "bytes of the source object as stored"),
    always("records", "bigint", "records read"),
    always("rejected", "bigint", "records in quarantine"),
    always("resolved", "bigint", "rejected records of other loads that it submitted again"),
    always("rows", "bigint", "rows written, over all tables"),
    always("filtered", "bigint", "rows that filters dropped"),
    always("files", "bigint", "part files"),
    always("bytes", "bigint", "bytes of them"),
    sometimes("as_previewed", "boolean", "whether it is what its preview promised"),
    always(
        "tables",
        "array<struct<table:string,contract:string,rows:bigint,filtered:bigint,files:bigint,bytes:bigint>>",
        "the same by table",
    ),
    always("replaces", "array<bigint>", "generations of the same object whose rows went with it"),
    always("withdraws", "array<string>", "keys of other commits whose rows went with it"),
    sometimes("void", "string", "why a committed generation was given up: lost, contract"),
    // Depends on what the pipeline is connected to: the text of a JSON object.
    sometimes("told", "string", "catalog, notices and lineage, as JSON"),
];

/// The fields of a failure that SQL needs, in their order.
const FAILURES: [Column; 12] = [
    always("id", "string", "id of the run: of the generation that it would have become, or that is lost"),
    always("pipeline", "string", "pipeline"),
    always("source", "struct<uri:string,version:string,bytes:bigint,modified:string>", "what failed"),
    always("component", "string", "digest of the component"),
    always("spec", "string", "digest of the spec"),
    always("code", "string", "stable name of the reason"),
    always("message", "string", "the reason"),
    sometimes("hint", "string", "what to do about it"),
    sometimes("place", "string", "where in the object"),
    always("records", "bigint", "records read, as far as known"),
    always("rejected", "bigint", "records rejected, as far as known"),
    always("at", "string", "when, RFC 3339"),
];

#[cfg(test)]
#[path = "history/history_tests.rs"]
mod tests;
