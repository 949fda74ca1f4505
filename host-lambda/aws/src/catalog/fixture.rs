//! Lakes, pipelines and commits for the tests of the catalog and the notices.
//!
//! Not for running anything: commits are written by hand here. The decision to know: lakes are folders, since Glue
//! never looks at what a location holds.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::json;
use tokio::runtime::Runtime;

use crate::client::Aws;
use lakegate_config::{Config, Origin, Pipeline};
use lakegate_lake::keys::contract_key;
use lakegate_lake::lake::Lake;
use lakegate_lake::record::{CommitRecord, PartRecord, SourceRecord};

/// A lake in a folder that goes with it.
pub(crate) fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::local(&folder.path().join("lake")).unwrap();
    (folder, lake)
}

/// A pipeline `orders` with these lines in its sections.
pub(crate) fn pipeline(lines: &str) -> Pipeline {
    config(lines).pipelines["orders"].clone()
}

/// A configuration of that pipeline alone.
pub(crate) fn config(lines: &str) -> Config {
    let text = format!(
        "version = 1\n[pipeline.orders]\nsource = \"s3://raw-data/orders/\"\ncontract = \"learn\"\ntable = \"orders\"\nlake = \"s3://the-lake/sales/\"\n{lines}"
    );
    let origin = Origin::File(Path::new("/etc/lakegate.toml").to_owned());
    Config::parse(&text, &origin).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"))
}

/// Keeps a contract and returns its digest. Columns and keys are `name type`, the type up to the first blank.
pub(crate) fn contract(lake: &Lake, table: &str, columns: &[&str], keys: &[&str]) -> String {
    let entry = |text: &&str| {
        let (name, ty) = text.split_once(' ').unwrap();
        json!({"name": name, "type": ty, "pointer": format!("/{name}"), "sql": name})
    };
    let columns: Vec<_> = columns.iter().map(entry).collect();
    let keys: Vec<_> = keys.iter().map(entry).collect();
    let text = json!({"version": 1, "table": table, "rows": null, "columns": columns, "nulls": [], "partition_by": keys});
    lake.keep_text(contract_key, text.to_string().as_bytes()).unwrap()
}

/// A commit of `table` with one part of ten rows a partition.
pub(crate) fn record(table: &str, contract: &str, partitions: &[&str]) -> CommitRecord {
    let part = |partition: &&str| PartRecord {
        key: format!("{table}/{partition}x-1.parquet"),
        table: table.into(),
        partition: (*partition).into(),
        rows: 10,
        bytes: 1_000,
        ..PartRecord::default()
    };
    let uri = "s3://raw-data/orders/2025/first.json";
    CommitRecord {
        version: 1,
        pipeline: "orders".into(),
        source: SourceRecord { uri: uri.into(), digest: "d1".into(), ..SourceRecord::default() },
        generation: 1,
        run: "run-1".into(),
        reason: "new".into(),
        component: "c1".into(),
        spec: "s1".into(),
        contracts: [(table.to_string(), contract.to_string())].into(),
        parts: partitions.iter().map(part).collect(),
        committed: "2025-01-01T00:00:00.000Z".into(),
        ..CommitRecord::default()
    }
}

/// A peer of AWS, if the environment names one.
pub(crate) fn peer() -> Option<Aws> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let Ok(endpoint) = std::env::var("LAKEGATE_TEST_AWS") else {
        lakegate_skipped::skipped("LAKEGATE_TEST_AWS names no endpoint");
        return None;
    };
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    Some(Aws::of_tests(runtime.handle().clone(), &endpoint))
}

/// A name that no other test of no other run has.
pub(crate) fn fresh(what: &str) -> String {
    let name = tempfile::Builder::new().prefix("").rand_bytes(10).tempdir().unwrap();
    format!("{what}_{}", name.path().file_name().unwrap().to_string_lossy().to_lowercase())
}
