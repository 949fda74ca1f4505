//! What a line says at each stage.

use std::time::{Duration, Instant};

use lakegate_base::Code;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use super::*;
use crate::observe::log::tests::said;

/// Without the times, which are always there.
fn without_time(mut line: Value) -> Value {
    assert!(line.as_object_mut().unwrap().remove("timestamp").is_some());
    assert!(line.as_object_mut().unwrap().remove("milliseconds").unwrap().is_u64());
    line
}

#[test]
fn a_stage_has_who_what_and_the_counts_that_are_known() {
    let lines = said(LevelFilter::INFO, || {
        let _request = request("r-1").entered();
        let (object, begun) = (object("orders", "s3://raw/a.json"), Instant::now());
        object.in_scope(|| {
            reached(Stage::Received, begun, &Counts { bytes_in: Some(7), ..Counts::default() });
        });
        object.record("release", "sha256:ab");
        object.in_scope(|| {
            let counts = Counts { rows: Some(0), duplicate: Some(false), ..Counts::default() };
            reached(Stage::Done, begun, &counts);
        });
    });
    let lines: Vec<Value> = lines.into_iter().map(without_time).collect();
    assert_eq!(
        lines,
        [
            json!({"level": "INFO", "requestId": "r-1", "pipeline": "orders", "object": "s3://raw/a.json",
                "stage": "received", "bytesIn": 7, "message": "received"}),
            json!({"level": "INFO", "requestId": "r-1", "pipeline": "orders", "object": "s3://raw/a.json",
                "release": "sha256:ab", "stage": "done", "rows": 0, "duplicate": false,
                "message": "done"}),
        ]
    );
}

#[test]
fn a_failure_says_whose_fault_it_is_even_in_a_quiet_log() {
    let lines = said(LevelFilter::ERROR, || {
        let _request = request("r-1").entered();
        failed(&Error::new(Code::SyntaxError, "not JSON"), Instant::now());
        failed(&Error::new(Code::LakeDamaged, "a record is gone").with_hint("run fsck"), Instant::now());
    });
    let lines: Vec<Value> = lines.into_iter().map(without_time).collect();
    assert_eq!(
        lines,
        [
            json!({"level": "ERROR", "requestId": "r-1", "stage": "failed", "kind": "own", "code": "lake_damaged",
            "hint": "run fsck", "message": "a record is gone"})
        ]
    );
    let lines = said(LevelFilter::WARN, || {
        failed(&Error::new(Code::SyntaxError, "x"), Instant::now());
        failed(&Error::new(Code::Throttled, "x"), Instant::now());
        ignored(None, "a delete");
    });
    let kinds: Vec<&Value> = lines.iter().map(|line| &line["kind"]).collect();
    assert_eq!(kinds, ["input", "passing"]);
    assert!(lines.iter().all(|line| line["level"] == "WARN" && line.get("hint").is_none()));
}

#[test]
fn a_stage_says_when_it_was_reached_since_the_object_began() {
    let lines = said(LevelFilter::INFO, || {
        let begun = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        reached(Stage::Fetched, begun, &Counts::default());
        failed(&Error::new(Code::Throttled, "x"), begun);
        reached(Stage::Done, Instant::now(), &Counts::default());
    });
    let times = lines.iter().map(|line| line["milliseconds"].as_u64().unwrap() / 1000);
    assert_eq!(times.collect::<Vec<_>>(), [3, 3, 0]);
}

#[test]
fn lines_from_the_generation_on_have_the_run_s_id() {
    let begun = Instant::now();
    let lines = said(LevelFilter::INFO, || {
        let _object = object("orders", "s3://raw/a.json").entered();
        reached(Stage::Received, begun, &Counts::default());
        let span = Span::current();
        span.record("id", tracing::field::display("the-id"));
        span.record("source", "s3://raw/a.json");
        reached(Stage::Fetched, begun, &Counts::default());
        failed(&Error::new(Code::SyntaxError, "x"), begun);
    });
    assert!(lines[0].get("id").is_none());
    for line in &lines[1..] {
        assert_eq!((&line["id"], &line["source"]), (&json!("the-id"), &json!("s3://raw/a.json")));
    }
}

#[test]
fn what_is_ignored_is_said_with_its_reason() {
    let lines = said(LevelFilter::INFO, || {
        ignored(Some("s3://raw/x"), "no pipeline takes it");
        ignored(None, "s3:TestEvent");
    });
    assert_eq!(lines[0]["object"], "s3://raw/x");
    assert_eq!(lines[0]["why"], "no pipeline takes it");
    assert_eq!(lines[1]["stage"], "ignored");
    assert!(lines[1].get("object").is_none());
}

#[test]
fn names_of_stages_are_stable() {
    let all = [
        Stage::Received,
        Stage::Fetched,
        Stage::Transformed,
        Stage::Committed,
        Stage::Published,
        Stage::Catalogued,
        Stage::Notified,
        Stage::Done,
        Stage::Failed,
        Stage::Ignored,
    ];
    assert_eq!(
        all.map(Stage::name).join(" "),
        "received fetched transformed committed published catalogued notified done failed ignored"
    );
}
