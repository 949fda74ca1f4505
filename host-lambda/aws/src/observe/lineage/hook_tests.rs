//! What lies in the lineage's folder after a commit and after a failure.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::observe::lineage::{EventType, RunEvent};
use lakegate_config::{Config, Origin};
use lakegate_lake::keys::{commit_key, contract_key};
use lakegate_lake::lake::{sha256, to_json};
use lakegate_lake::source::Source;
use lakegate_lake::storage::LocalFolder;

const CONTRACT: &str = r#"{"version":1,"table":"orders","rows":null,"columns":[{"name":"id","type":"bigint","pointer":"/id"}],"nulls":[],"partition_by":[]}"#;

struct Scene {
    folder: tempfile::TempDir,
    lake: Lake,
    pipeline: Pipeline,
    lineage: LocalFolder,
    source: Source,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "[pipeline.orders]\nsource = 'raw/'\nlake = 'lake/'\ntable = 'orders'\ncontract = 'learn'\n";
        let origin = Origin::File(folder.path().join("lakegate.toml"));
        let config = Config::parse(text, &origin).unwrap();
        let file = folder.path().join("a.json");
        std::fs::write(&file, "{\"id\":1}").unwrap();
        Self {
            lake: Lake::local(&folder.path().join("lake")).unwrap(),
            pipeline: config.pipelines["orders"].clone(),
            lineage: LocalFolder::new(&folder.path().join("lineage")).unwrap(),
            source: Source::file(&file).unwrap(),
            folder,
        }
    }

    /// A commit of the source object, in the lake.
    fn commit(&self) -> CommitRecord {
        let digest = sha256(CONTRACT.as_bytes());
        let record = CommitRecord {
            pipeline: "orders".into(),
            source: self.source.record(),
            generation: 1,
            contracts: BTreeMap::from([("orders".into(), digest.clone())]),
            started: "2025-01-01T11:59:50.000Z".into(),
            committed: "2025-01-01T11:59:59.999Z".into(),
            ..CommitRecord::default()
        };
        let storage = self.lake.storage();
        storage.put_if_absent(&contract_key(&digest), CONTRACT.as_bytes()).unwrap();
        let key = commit_key("orders", self.source.uri(), 1);
        storage.put_if_absent(&key, &to_json(&record).unwrap()).unwrap();
        record
    }

    /// All events there are, by run and time.
    fn told(&self) -> Vec<RunEvent> {
        let read = |path: &Path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let files = walkdir::WalkDir::new(self.folder.path().join("lineage/orders")).into_iter().flatten();
        let json = files.filter(|file| file.path().extension().is_some_and(|end| end == "json"));
        let mut events: Vec<RunEvent> = json.map(|file| read(file.path())).collect();
        events.sort_by_key(|event| (event.run.run_id.clone(), event.event_type != EventType::Start));
        events
    }
}

#[test]
fn a_commit_is_told_once_however_often_it_is_completed() {
    let scene = Scene::new();
    let record = scene.commit();
    complete(&scene.lineage, &scene.pipeline, &scene.lake, &record).unwrap();
    complete(&scene.lineage, &scene.pipeline, &scene.lake, &record).unwrap();
    let [start, end] = &scene.told()[..] else { panic!("two events") };
    assert_eq!((start.event_type, end.event_type), (EventType::Start, EventType::Complete));
    assert_eq!((&start.event_time, &end.event_time), (&record.started, &record.committed));
    assert_eq!(start.run.run_id, end.run.run_id);
    assert_eq!(end.outputs[0].name, scene.folder.path().join("lake/orders").to_str().unwrap());
    assert_eq!(end.inputs[0].name, scene.source.uri());
}

#[test]
fn a_contract_that_is_lost_tells_nothing() {
    let scene = Scene::new();
    let mut record = scene.commit();
    record.contracts = BTreeMap::from([("orders".into(), "0".repeat(64))]);
    let error = complete(&scene.lineage, &scene.pipeline, &scene.lake, &record).unwrap_err();
    assert_eq!(error.name(), "contract_unreadable");
    assert!(scene.told().is_empty());
}

#[test]
fn a_failure_is_of_the_generation_that_it_would_have_become() {
    let scene = Scene::new();
    let failed = |generation| FailedRecord {
        id: RunId::of("orders", scene.source.uri(), generation).to_string(),
        source: scene.source.record(),
        code: "syntax_error".into(),
        message: "not JSON".into(),
        at: "2025-01-01T11:59:59.999Z".into(),
        ..FailedRecord::default()
    };
    let fail = |generation| fail(&scene.lineage, &scene.pipeline, &failed(generation)).unwrap();
    let told = |kind| {
        let events = scene.told();
        let of_kind = events.into_iter().filter(|event| event.event_type == kind);
        of_kind.map(|event| event.run.run_id).collect::<Vec<_>>()
    };
    fail(1);
    fail(1);
    let first = told(EventType::Fail);
    assert_eq!((first.len(), told(EventType::Start)), (1, first.clone()));
    // Mended and run again: the same run ends well.
    complete(&scene.lineage, &scene.pipeline, &scene.lake, &scene.commit()).unwrap();
    assert_eq!(told(EventType::Complete), first);
    // A failure after that is of the next generation.
    fail(2);
    assert_eq!(told(EventType::Fail).len(), 2);
    let message =
        &scene.told().into_iter().find_map(|event| event.run.facets.error_message).unwrap().body.message;
    assert_eq!(message, "syntax_error: not JSON");
}

#[test]
fn a_failure_that_does_not_say_of_which_run_it_is_tells_nothing() {
    let scene = Scene::new();
    let failed = FailedRecord { source: scene.source.record(), ..FailedRecord::default() };
    let error = fail(&scene.lineage, &scene.pipeline, &failed).unwrap_err();
    assert_eq!(error.name(), "lake_damaged");
    assert!(scene.told().is_empty());
}
