//! Killed at each step of stage → commit → publish → done, then run again: the rows are the same.
//!
//! Two ways of dying: the shipped binary kills itself at a named step, and a storage stops working at
//! each single change, before or after that change is made.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use lakegate_lake::lake::Lake;
use lakegate_lake::run::{self, Plan};
use lakegate_lake::source::Source;
use lakegate_lake::storage::LocalFolder;
use lakegate_sandbox::{Limits, Sandbox, Transform};
use lakegate_tests::command::{lakegate, with};
use lakegate_tests::dying::Dying;
use lakegate_tests::{lake_rows, ways};

/// Three part files and a quarantine line, so that a crash can fall between any two of them.
const SPEC: &str = "[output]\nmax_rejected = \"50%\"\n\n[[table]]\nname = \"t\"\npartition_by = [\"day\"]\n";
const BEFORE: &str = "{\"id\":1,\"day\":\"a\"}\n{\"id\":2,\"day\":\"b\"}\n7\n{\"id\":3,\"day\":\"c\"}\n";
const AFTER: &str = "{\"id\":4,\"day\":\"a\",\"more\":true}\n{\"id\":5,\"day\":\"d\"}\n";
const ROWS_BEFORE: [&str; 3] = ["day=a id=1", "day=b id=2", "day=c id=3"];
const ROWS_AFTER: [&str; 2] = ["day=a id=4 more=true", "day=d id=5"];

/// Nothing half-written, and only rows of one generation or both.
fn only_whole_rows(lake: &Path) {
    for row in lake_rows::rows(lake, "t") {
        assert!(
            ROWS_BEFORE.contains(&row.as_str()) || ROWS_AFTER.contains(&row.as_str()),
            "a row from nowhere: {row}"
        );
    }
}

#[test]
fn the_binary_killed_at_each_step_is_completed_by_the_next_run() {
    if ways::required().is_none() {
        return;
    }
    for step in [
        "mid-stage",
        "after-stage",
        "before-commit",
        "after-commit",
        "mid-publish",
        "after-publish",
        "before-done",
        "after-done",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        fs::write(folder.path().join("t.toml"), SPEC).unwrap();
        let args = ["run", "t.ndjson", "--spec", "t.toml"];
        for (text, rows) in [(BEFORE, &ROWS_BEFORE[..]), (AFTER, &ROWS_AFTER[..])] {
            fs::write(folder.path().join("t.ndjson"), text).unwrap();
            let killed = with(folder.path(), &args, &[("LAKEGATE_CRASH_AT", step)]);
            assert_eq!(killed.code, None, "{step}: it dies: {killed:?}");
            only_whole_rows(&lake);
            let again = lakegate(folder.path(), &args);
            assert!(matches!(again.code, Some(0 | 3)), "{step}: {again:?}");
            assert_eq!(lake_rows::rows(&lake, "t"), rows, "{step}");
        }
        let fsck = lakegate(folder.path(), &["fsck", "lake"]);
        assert_eq!(fsck.code, Some(0), "{step}: {fsck:?}");
        let left: Vec<_> =
            walkdir::WalkDir::new(lake.join("_lakegate/staging")).into_iter().flatten().collect();
        let files = left
            .iter()
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| entry.path())
            .collect::<Vec<_>>();
        assert!(files.is_empty(), "{step}: staging is empty after fsck: {files:?}");
    }
}

#[test]
fn a_storage_that_dies_at_any_change_loses_and_doubles_nothing() {
    if ways::required().is_none() {
        return;
    }
    let transform = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()).unwrap();
    for last_works in [false, true] {
        let mut deaths = 0;
        while dies_once(&transform, deaths + 1, last_works) {
            deaths += 1;
            assert!(deaths < 200, "a run makes fewer changes than this");
        }
        assert!(deaths > 8, "only {deaths} changes: the storage does not die where it should");
    }
}

/// Runs both contents over a storage that dies at its `last` change each time; false if none died.
fn dies_once(transform: &Transform, last: u64, last_works: bool) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let input = folder.path().join("t.ndjson");
    let plan = Plan::new(SPEC, None).unwrap();
    let mut died = false;
    for (text, rows) in [(BEFORE, &ROWS_BEFORE[..]), (AFTER, &ROWS_AFTER[..])] {
        fs::write(&input, text).unwrap();
        let source = Source::file(&input).unwrap();
        let storage = Arc::new(Dying::new(LocalFolder::new(&root).unwrap(), last, last_works));
        let first = run::run(&Lake::over(storage.clone()), transform, &source, &plan, &mut |_| {});
        assert_eq!(storage.died(), first.is_err(), "change {last}: {:?}", first.err());
        died |= storage.died();
        only_whole_rows(&root);
        drop(storage);
        let lake = Lake::local(&root).unwrap();
        if let Err(error) = run::run(&lake, transform, &source, &plan, &mut |_| {}) {
            panic!("change {last} ({last_works}): the next run fails: {error}");
        }
        assert_eq!(lake_rows::rows(&root, "t"), rows, "change {last} ({last_works})");
        assert!(
            lake.commits().unwrap().iter().all(|commit| commit.done),
            "change {last}: every commit is done"
        );
    }
    died
}
