//! What the done mark tells where lineage cannot be written.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tracing::level_filters::LevelFilter;

use super::*;
use crate::observe::log::tests::said;
use lakegate_config::{Config, Origin};
use lakegate_lake::keys::commit_key;
use lakegate_lake::lake::{Load, to_json};
use lakegate_lake::operate::fsck::fsck;

/// A lake in a folder, with one commit whose files are all there and that nobody has marked, and its pipeline, whose
/// lineage goes to `events`.
fn undone(folder: &Path) -> (Lake, CommitRecord) {
    let text = "[pipeline.orders]\nsource = 'raw/'\nlake = 'lake/'\ntable = 'orders'\ncontract = 'learn'\n\
                [pipeline.orders.lineage]\nwrite_to = 'events/'\n";
    let config = Config::parse(text, &Origin::File(folder.join("lakegate.toml"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let aws = Aws::of_tests(runtime.handle().clone(), "http://127.0.0.1:9");
    let around = Around::new(&config.pipelines["orders"], &aws, None, false, Instant::now());
    let lake = Lake::local(&folder.join("lake")).unwrap().within(Arc::new(around));
    let mut record = CommitRecord {
        version: 1,
        pipeline: "orders".into(),
        generation: 1,
        contracts: BTreeMap::new(),
        started: "2025-01-01T11:59:50.000Z".into(),
        committed: "2025-01-01T11:59:59.999Z".into(),
        ..CommitRecord::default()
    };
    record.source.uri = folder.join("raw/a.json").display().to_string();
    let record = record.with_id();
    let key = commit_key("orders", &record.source.uri, 1);
    assert!(lake.storage().put_if_absent(&key, &to_json(&record).unwrap()).unwrap());
    (lake, record)
}

fn completed(lake: &Lake, record: &CommitRecord) -> (Load, Vec<Value>) {
    let lines = said(LevelFilter::INFO, || {
        fsck(lake, None, true).unwrap();
    });
    (lake.load_of(record).unwrap().expect("the commit is done"), lines)
}

#[test]
fn a_commit_whose_lineage_cannot_be_written_is_done_and_says_so_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("events"), "a file where the folder should be").unwrap();
    let (lake, record) = undone(folder.path());
    let (load, lines) = completed(&lake, &record);
    let code = load.told["lineage"]["failed"].as_str().unwrap();
    let failed: Vec<&Value> = lines.iter().filter(|line| line["stage"] == "lineage_failed").collect();
    let [line] = &failed[..] else { panic!("{lines:?}") };
    assert_eq!((&line["code"], &line["id"]), (&Value::from(code), &Value::from(record.id.as_str())));
    assert_eq!(line["source"], record.source.uri.as_str());
    // It is done: nothing is told a second time.
    let (again, lines) = completed(&lake, &record);
    assert_eq!((again, lines), (load, Vec::new()));
}

#[test]
fn lineage_that_is_written_has_the_id_of_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (lake, record) = undone(folder.path());
    let (load, lines) = completed(&lake, &record);
    assert_eq!(load.told.get("lineage"), None);
    assert_eq!(load.id, record.id);
    assert!(folder.path().join("events/orders").join(&record.id).join("complete.json").is_file());
    assert!(!lines.is_empty() && lines.iter().all(|line| line["id"] == record.id.as_str()), "{lines:?}");
}
