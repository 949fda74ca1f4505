//! What things cost in a lake of many commits: as much as in one of few. Counted, not timed.
//!
//! For the folder's tests below, and those of backends in other crates (feature `laws`).
#![allow(clippy::unwrap_used)] // a lake that cannot be made has failed

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::keys;
use crate::lake::{Lake, Load, to_json};
use crate::record::{CommitRecord, PartRecord, QuarantineRecord, Resolved};
use crate::run::{Plan, run};
use crate::source::Source;
use lakegate_base::time::rfc3339;
use lakegate_sandbox::{Limits, Sandbox, Transform};

/// 2025-01-01, and a commit each half a second: 100,000 are one day's.
const BEGIN: i64 = 1_735_689_600_000;
const PAGE: usize = 50;

fn put<T: serde::Serialize>(root: &Path, key: &str, value: &T) {
    let path = root.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, to_json(value).unwrap()).unwrap();
}

fn commit(root: &Path, record: &CommitRecord) {
    put(root, &keys::commit_key("orders", &record.source.uri, record.generation), record);
    put(root, &record.load_key(), &Load::of(record));
}

/// Commits as the flow leaves them, some with rejected records, some of those submitted again.
pub fn fill(root: &Path, commits: usize) {
    put(root, keys::LAKE, &serde_json::json!({"layout": keys::LAYOUT}));
    for number in 0..commits {
        let at = BEGIN + number as i64 * 500;
        let key = format!("orders/x-{number}.parquet");
        let mut record = CommitRecord {
            version: 1,
            pipeline: "orders".into(),
            generation: 1,
            reason: "new".into(),
            contracts: BTreeMap::from([("orders".into(), "0".repeat(64))]),
            parts: vec![PartRecord {
                key,
                table: "orders".into(),
                rows: 10,
                bytes: 99,
                ..PartRecord::default()
            }],
            started: rfc3339(at),
            committed: rfc3339(at),
            ..CommitRecord::default()
        };
        record.source.uri = format!("/in/{number}.json");
        record.source.digest = format!("{number:064}");
        if number % 3 == 0 {
            let key = keys::quarantine_key("orders", &record.source.uri, 1, "0");
            fs::create_dir_all(root.join(&key).parent().unwrap()).unwrap();
            fs::write(root.join(&key), "{\"record\":1,\"code\":\"x\",\"message\":\"x\",\"raw\":\"7\"}\n")
                .unwrap();
            record.quarantine = Some(QuarantineRecord { key, records: 1, ..QuarantineRecord::default() });
        }
        commit(root, &record);
        if number % 9 == 0 {
            let (source, digest) = (record.source.uri.clone(), record.source.digest.clone());
            record.source.uri = format!("resubmit:{number:064}");
            let resolved =
                Resolved { source: source.clone(), digest: digest.clone(), records: vec![1], generation: 1 };
            record.resolves = vec![resolved];
            record.quarantine = None;
            let claim = serde_json::json!({
                "version": 1, "resubmission": record.source.uri, "generation": 1, "digest": digest, "records": [1],
            });
            put(root, &keys::resubmission_key("orders", &source, 1), &claim);
            commit(root, &record);
        }
    }
}

/// Names of what is done, and what each costs: `counted` tells what was asked so far.
pub fn costs(open: &dyn Fn() -> Lake, counted: &dyn Fn() -> Vec<u64>) -> Vec<(&'static str, Vec<u64>)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.ndjson");
    let transform = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()).ok();
    let taken = || {
        let Some(transform) = &transform else { return };
        let plan = Plan::new("", Some("orders".into())).unwrap();
        let source = Source::file(&file).unwrap();
        run(&open(), transform, &source, &plan, &mut |_| {}).unwrap();
    };
    let mut costs = Vec::new();
    let mut measure = |name: &'static str, work: &dyn Fn()| {
        let before = counted();
        work();
        costs.push((name, counted().iter().zip(before).map(|(now, before)| now - before).collect()));
    };
    let next = || open().history(None, PAGE).unwrap().next;
    let after = next();
    measure("the first page", &|| assert_eq!(open().history(None, PAGE).unwrap().entries.len(), PAGE));
    measure("the second page", &|| {
        assert!(!open().history(after.as_deref(), PAGE).unwrap().entries.is_empty());
    });
    measure("status of one object", &|| {
        let lake = open();
        let found = lake.commits_of_source("/in/9.json").unwrap();
        assert_eq!((found.len(), lake.failures_of_source("/in/9.json").unwrap().len()), (1, 0));
        assert!(lake.load_of(&found[0].record).unwrap().is_some());
    });
    measure("status of what is not there", &|| {
        assert!(open().commits_of_source("/in/none.json").unwrap().is_empty());
    });
    measure("a page of the quarantine", &|| {
        let page = open().quarantine_page(Some("orders"), None, 10).unwrap();
        assert_eq!(page.records.len(), 10);
    });
    fs::write(&file, "{\"id\":1}\n").unwrap();
    measure("a new object", &taken);
    fs::write(&file, "{\"id\":2}\n").unwrap();
    measure("a re-upload", &taken);
    measure("a second delivery", &taken);
    costs
}

#[cfg(test)]
#[path = "scale_tests.rs"]
mod tests;
