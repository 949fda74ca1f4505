//! Two runs at once into one table: every row once, one contract, nothing half made.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lakegate_tests::command::{Ran, binary, lakegate};
use lakegate_tests::{lake_rows, ways};
use serde_json::Value;

#[test]
fn two_runs_at_once_lose_and_double_nothing() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for file in 0..6 {
        // Each file brings a column of its own, so that every run wants to grow the contract.
        let lines: Vec<String> =
            (0..50).map(|id| format!("{{\"id\":{},\"only{file}\":{id}}}", file * 100 + id)).collect();
        expected.extend((0..50).map(|id| format!("id={} only{file}={id}", file * 100 + id)));
        fs::write(folder.path().join(format!("f{file}.ndjson")), lines.join("\n")).unwrap();
    }
    expected.sort();
    let start = |files: &[&str]| -> Child {
        let mut command = Command::new(binary());
        command.arg("run").args(files).args(["--table", "t"]).current_dir(folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // The middle files are in both runs: who comes second has nothing to do.
    let runs = [
        start(&["f0.ndjson", "f1.ndjson", "f2.ndjson", "f3.ndjson"]),
        start(&["f3.ndjson", "f2.ndjson", "f4.ndjson", "f5.ndjson"]),
    ];
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(lake_rows::rows(&folder.path().join("lake"), "t"), expected);
}

/// What a run says of the lake `lake`, less what no two runs share.
fn told(ran: &Ran, lake: &str) -> Value {
    let mut json: Value = serde_json::from_str(&ran.out.replace(lake, "LAKE")).unwrap();
    json["milliseconds"] = Value::Null;
    for source in json["sources"].as_array_mut().unwrap() {
        source["milliseconds"] = Value::Null;
    }
    json
}

/// The table's contracts, one after the other, and who they are by.
fn contracts(lake: &Path) -> Value {
    let text = fs::read(lake.join("_lakegate/tables/t/schema.json")).unwrap();
    let mut schema: Value = serde_json::from_slice(&text).unwrap();
    for version in schema["history"].as_array_mut().unwrap() {
        version["at"] = Value::Null;
    }
    schema
}

/// Types and columns are learned file by file, one file fails and one has a record that does not fit: whatever the
/// number of inputs at once, all comes out as if they had come one after the other.
#[test]
fn files_at_once_are_files_one_after_the_other() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for file in 0..12 {
        let line = |id: usize| match file {
            3 => format!("{{\"id\":{id},\"v\":{id}.5}}"),
            5 => format!("{{\"id\":{id},\"only{file}\":\"x\",\"v\":{id}}}"),
            7 if id == 0 => "{\"id\":{}}".to_owned(),
            8 => format!("{{\"id\":{id},\"only{file}\":{id},\"v\":\"n/a\"}}"),
            10 if id > 100 => "{\"id\":".to_owned(),
            _ => format!("{{\"id\":{id},\"v\":{id}}}"),
        };
        // The first ones are the largest, so that those behind them are ready before.
        let lines: Vec<String> = (0..200 * (13 - file)).map(line).collect();
        let name = format!("f{file:02}.ndjson");
        fs::write(folder.path().join(&name), lines.join("\n")).unwrap();
        files.push(name);
    }
    let run = |jobs: &str| {
        let name = format!("lake-{jobs}");
        let mut words = vec!["run", "--table", "t", "--lake", &name, "--jobs", jobs];
        words.extend(files.iter().map(String::as_str));
        let first = lakegate(folder.path(), &[&words[..], &["--json"]].concat());
        let again = lakegate(folder.path(), &[&words[..], &["--again"]].concat());
        let lake = folder.path().join(&name);
        let said = [told(&first, &name), again.err.replace(&name, "LAKE").into(), contracts(&lake)];
        ((first.code, again.code), said, lake_rows::rows(&lake, "t"))
    };
    let (codes, said, rows) = run("1");
    assert_eq!(codes, (Some(1), Some(1)), "some files fail");
    assert!(rows.len() > 10_000, "{} rows", rows.len());
    for jobs in ["2", "3", "12"] {
        let side_by_side = run(jobs);
        assert_eq!((side_by_side.0, &side_by_side.1), (codes, &said), "{jobs} at once");
        assert!(side_by_side.2 == rows, "rows of {jobs} at once");
    }
}

#[test]
fn a_file_that_is_named_twice_is_taken_once() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..400).map(|id| format!("{{\"id\":{id}}}")).collect();
    fs::write(folder.path().join("a.ndjson"), lines.join("\n")).unwrap();
    for number in 0..8 {
        let lake = format!("lake-{number}");
        let run = |more: &[&str]| {
            let words =
                ["run", "a.ndjson", "./a.ndjson", "--table", "t", "--lake", &lake, "--jobs", "2", "--json"];
            let json = lakegate(folder.path(), &[&words[..], more].concat()).json();
            let of =
                |key: &str| json["sources"].as_array().unwrap().iter().map(|one| one[key].clone()).collect();
            let (states, generations): (Vec<Value>, Vec<Value>) = (of("state"), of("generation"));
            (states, generations, json["records"].clone())
        };
        let states = |states: [&str; 2]| states.map(Value::from).to_vec();
        let generations = |numbers: [u64; 2]| numbers.map(Value::from).to_vec();
        assert_eq!(run(&[]), (states(["made", "nothing_to_do"]), generations([1, 1]), 400.into()));
        assert_eq!(run(&["--again"]), (states(["replaced", "replaced"]), generations([2, 3]), 800.into()));
    }
}
