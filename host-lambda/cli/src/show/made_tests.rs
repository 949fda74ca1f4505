//! Tests of `made`: what is said of one source, of several, of failures.

use super::*;
use lakegate_base::{Code, Error};
use lakegate_lake::record::{CommitRecord, PartRecord};
use lakegate_model::report::{Report, TableReport, Warning};

fn outcome(state: State, table: &str, rejected: u64) -> run::Outcome {
    let report = Report {
        records: 10,
        accepted: 10 - rejected,
        rejected,
        format: "json".into(),
        compression: "gzip".into(),
        tables: vec![TableReport {
            table: table.into(),
            rows_made: 12,
            rows_out: 11,
            filtered: 1,
            ..Default::default()
        }],
        rejects: (rejected > 0).then(|| ("type_mismatch".into(), rejected)).into_iter().collect(),
        warnings: vec![Warning::new("repeats", "a sum would overcount")],
        ..Report::default()
    };
    let part = PartRecord { table: table.into(), rows: 11, bytes: 2048, ..PartRecord::default() };
    let commit =
        CommitRecord { generation: 2, parts: vec![part], report: report.clone(), ..CommitRecord::default() };
    let rejected = lakegate_model::Rejected::default();
    run::Outcome { state, commit, report, passes: 2, milliseconds: 5, warnings: Vec::new(), rejected }
}

fn answer(add: impl FnOnce(&mut Made), stems: bool) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let mut made = Made::new(Path::new("lake"), BTreeMap::new());
    add(&mut made);
    made.finish(
        &Lake::local(folder.path()).unwrap(),
        "c0ffee",
        Duration::from_millis(7),
        stems,
        Screen::default(),
    )
    .unwrap()
}

#[test]
fn a_lone_source_is_told_in_a_line_and_a_table() {
    let answer =
        answer(|made| made.add("orders.json", "/orders.json", &outcome(State::Made, "orders", 0)), true);
    let first = answer.text.lines().next().unwrap();
    assert_eq!(
        first,
        "orders.json: 10 records → 0 rejected → 1 filtered → 11 rows (json in gzip, two passes to agree on types, 7 ms)"
    );
    assert!(answer.text.contains("orders    11         1      1  2.0 KiB"), "{}", answer.text);
    assert!(answer.text.contains("! a sum would overcount"), "{}", answer.text);
    assert_eq!(answer.exit, Exit::Done);
}

#[test]
fn rejected_records_are_exit_three_with_their_reasons() {
    let answer =
        answer(|made| made.add("orders.json", "/orders.json", &outcome(State::Made, "orders", 2)), true);
    assert_eq!(answer.exit, Exit::Rejected);
    assert!(answer.text.contains("lakegate quarantine list orders"), "{}", answer.text);
    assert_eq!(answer.json["rejects"]["type_mismatch"], 2);
}

#[test]
fn nothing_to_do_adds_nothing() {
    let answer = answer(
        |made| made.add("orders.json", "/orders.json", &outcome(State::NothingToDo, "orders", 0)),
        true,
    );
    assert!(answer.text.starts_with("orders.json: nothing to do\n"), "{}", answer.text);
    assert_eq!((answer.json["records"].as_u64(), answer.json["unchanged"].as_u64()), (Some(0), Some(1)));
    assert_eq!(answer.json["sources"][0]["records"], 10);
}

#[test]
fn of_several_sources_sums_and_failures_are_told() {
    let fill = |made: &mut Made| {
        made.add("a.json", "/a.json", &outcome(State::Made, "a", 0));
        made.add("b.json", "/b.json", &outcome(State::Replaced, "b", 0));
        made.failed("c.json", Error::new(Code::SyntaxError, "a comma is missing"));
    };
    let answer = answer(fill, true);
    assert_eq!(answer.exit, Exit::Failed);
    assert!(answer.text.starts_with(
        "3 sources: 20 records → 0 rejected → 2 filtered → 22 rows in 2 tables · 1 source failed"
    ));
    assert!(answer.text.contains("--table NAME puts all into one"), "{}", answer.text);
    assert!(answer.text.contains("a sum would overcount (in 2 sources)"), "{}", answer.text);
    assert_eq!(answer.json["error"]["code"], "syntax_error");
    assert_eq!(answer.json["sources"][2]["state"], "failed");
}
