//! Two runs at once into one table: every row once, one contract, nothing half made.

use std::fs;
use std::process::{Child, Command, Stdio};

use lakegate_tests::command::binary;
use lakegate_tests::{lake_rows, ways};

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
