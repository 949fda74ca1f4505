//! A folder of CloudTrail's logs without a spec: every event in one table, named after the folder, of few columns.

use lakegate_tests::command::lakegate;
use lakegate_tests::{peers, ways};
use serde_json::Value;

/// Events that the generator writes, and its files.
const EVENTS: u64 = 2_900;
const FILES: usize = 55;

/// Columns that the table may have: what differs from call to call is in columns of JSON.
const COLUMNS: usize = 60;

#[test]
fn a_folder_of_logs_is_one_table_of_few_columns() {
    if ways::required().is_none() || peers::prepared("LAKEGATE_PYTHON").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("cloudtrail");
    peers::judge("cloudtrail.py", &[logs.as_os_str()]);
    assert_eq!(std::fs::read_dir(&logs).unwrap().count(), FILES);
    let ran = lakegate(folder.path(), &["run", "cloudtrail", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let json = ran.json();
    let tables = json["tables"].as_array().unwrap();
    let names: Vec<&str> = tables.iter().filter_map(|table| table["table"].as_str()).collect();
    assert_eq!(names, ["cloudtrail"], "{json}");
    assert_eq!((&json["records"], &json["rejected"]), (&Value::from(EVENTS), &Value::from(0)), "{json}");
    assert_eq!(tables[0]["rows_out"], EVENTS, "{json}");
    let shown = lakegate(folder.path(), &["contract", "show", "cloudtrail", "--json"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let columns = shown.json()["columns"].as_array().map_or(0, Vec::len);
    assert!((20..=COLUMNS).contains(&columns), "{columns} columns: {}", shown.out);
}
