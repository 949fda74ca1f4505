//! What the done mark tells where lineage cannot be written.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;

use super::*;
use crate::deployed::task;
use crate::event::ObjectAnswer;
use crate::observe::log::tests::said;
use lakegate_config::{Catalog, Config, CrawlerStart, Origin, Wait};
use lakegate_lake::keys::commit_key;
use lakegate_lake::lake::{Load, to_json};
use lakegate_lake::operate::fsck::fsck;
use lakegate_lake::run::{Outcome, State};
use lakegate_model::Rejected;

/// A lake in a folder, with one commit whose files are all there and that nobody has marked, and its pipeline, whose
/// lineage goes to `events`.
fn undone(folder: &Path) -> (Lake, CommitRecord) {
    let (runtime, pipeline) = of("", folder);
    let lake = connected(folder, Around::new(&pipeline, &silent(&runtime), None, false, Instant::now()));
    let record = committed(&lake, folder);
    (lake, record)
}

const TOLD: &str = "notify.success = 'arn:aws:sns:us-east-1:111122223333:done'\n";

/// AWS that does not answer.
fn silent(runtime: &Runtime) -> Aws {
    Aws::of_tests(runtime.handle().clone(), "http://127.0.0.1:9")
}

/// What calls wait on, and a pipeline whose lineage goes to `events`.
fn of(more: &str, folder: &Path) -> (Runtime, Pipeline) {
    let text = format!(
        "[pipeline.orders]\nsource = 'raw/'\nlake = 'lake/'\ntable = 'orders'\ncontract = 'learn'\n{more}\
         [pipeline.orders.lineage]\nwrite_to = 'events/'\n"
    );
    let config = Config::parse(&text, &Origin::File(folder.join("lakegate.toml"))).unwrap();
    let runtime = Runtime::new().unwrap();
    (runtime, config.pipelines["orders"].clone())
}

fn connected(folder: &Path, around: Around) -> Lake {
    Lake::local(&folder.join("lake")).unwrap().within(Arc::new(around))
}

fn committed(lake: &Lake, folder: &Path) -> CommitRecord {
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
    record.source.version = "v:1".into();
    let record = record.with_id();
    let key = commit_key("orders", &record.source.uri, 1);
    assert!(lake.storage().put_if_absent(&key, &to_json(&record).unwrap()).unwrap());
    record
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

/// What a task is told of a commit that is there.
fn asked(
    execution: &str,
    aws: &Aws,
    pipeline: &Pipeline,
    lake: &Lake,
    record: &CommitRecord,
) -> ObjectAnswer {
    let outcome = Outcome {
        state: State::NothingToDo,
        commit: record.clone(),
        report: record.report.clone(),
        passes: 0,
        milliseconds: 0,
        warnings: Vec::new(),
        rejected: Rejected::default(),
    };
    let before = ObjectAnswer { duplicate: true, ..ObjectAnswer::default() };
    task::answered(Some(execution), (pipeline, aws, lake), &outcome, before).unwrap()
}

#[test]
fn an_execution_is_left_its_own_commit_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    // Whoever called SNS or Glue here would fail.
    let (runtime, mut pipeline) = of(TOLD, folder.path());
    let aws = silent(&runtime);
    let start = CrawlerStart::Published;
    pipeline.catalog =
        Catalog::Crawler { crawler: "c".into(), database: None, start, wait: Wait::WhileTimeLasts };
    let execution = |version: &str| Execution { arn: "arn:e".into(), version: version.into() };
    let around =
        |version: &str| Around::new(&pipeline, &aws, None, false, Instant::now()).left_to(execution(version));
    let lake = connected(folder.path(), around("v:1"));
    let record = committed(&lake, folder.path());
    let (load, lines) = completed(&lake, &record);
    assert_eq!(load.told["execution"], "arn:e");
    assert_eq!(load.told["notices"], serde_json::json!([]));
    let crawler = serde_json::json!({"crawler": "c", "run": "left", "ready": false});
    assert_eq!(load.told["catalog"]["crawler"], crawler);
    assert!(lines.iter().all(|line| line["stage"] != "notified"), "{lines:?}");

    // Its answer may be lost: asked again, it is told the same; every other one asks for a duplicate.
    for _ in 0..2 {
        let again = asked("arn:e", &aws, &pipeline, &lake, &record);
        assert_eq!((again.duplicate, again.crawler.as_deref()), (false, Some("c")));
        let notices = again.notices.unwrap();
        assert_eq!(notices[0].topic_arn, "arn:aws:sns:us-east-1:111122223333:done");
        assert_eq!(notices.len(), 1);
    }
    let other = asked("arn:f", &aws, &pipeline, &lake, &record);
    assert_eq!((other.duplicate, other.crawler, other.notices), (true, None, None));
    assert_eq!(aws.calls().len(), 0);
}

#[test]
fn what_an_execution_completes_of_another_version_the_host_tells() {
    let folder = tempfile::tempdir().unwrap();
    let (runtime, pipeline) = of(TOLD, folder.path());
    let aws = silent(&runtime);
    let execution = Execution { arn: "arn:e".into(), version: "v:2".into() };
    let around = Around::new(&pipeline, &aws, None, false, Instant::now()).left_to(execution);
    let lake = connected(folder.path(), around);
    let record = committed(&lake, folder.path());
    fsck(&lake, None, true).unwrap();
    assert_eq!(aws.calls().into_iter().collect::<Vec<_>>(), [("sns:Publish".to_owned(), 1)]);
    assert!(lake.load_of(&record).unwrap().is_none(), "it stays undone until it is told");
}
