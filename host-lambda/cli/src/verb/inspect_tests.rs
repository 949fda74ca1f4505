//! Tests of `inspect`: what is said of a file and of a folder, over files made here.

use super::*;
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    let pairs = vec![
        KeyValue::new("lakegate.contract".to_owned(), "0123456789abcdef0123".to_owned()),
        KeyValue::new(
            "lakegate.pointers".to_owned(),
            r#"{"id":"/order/id","total":{"sql":"a * b"}}"#.to_owned(),
        ),
    ];
    let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ids = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
    write(&folder.path().join("day=1/a.parquet"), vec![("id", ids(vec![Some(9), None, Some(10)]))]);
    write(
        &folder.path().join("day=2/b.parquet"),
        vec![
            ("id", ids(vec![Some(-3)])),
            ("name", Arc::new(StringArray::from(vec!["Zoë"]))),
            ("total", Arc::new(Float64Array::from(vec![1.5]))),
        ],
    );
    folder
}

fn look(path: &Path) -> Outcome {
    run(&InspectArgs { path: Place::Local(path.to_owned()), files: 20 }, &Context::default())
}

#[test]
fn a_folder_is_one_table() {
    let folder = lake();
    let answer = look(folder.path()).unwrap();
    assert_eq!(answer.json["rows"], 4);
    let id = &answer.json["columns"][0];
    assert_eq!(
        (id["min"].as_str(), id["max"].as_str()),
        (Some("-3"), Some("10")),
        "by value and not by text"
    );
    assert_eq!((id["nulls"].as_u64(), id["athena"].as_str()), (Some(1), Some("bigint")));
    assert_eq!(answer.json["columns"][2]["from"], "a * b");
    assert_eq!(answer.json["partitions"][0]["values"], json!(["1", "2"]));
    for part in [
        "4 rows in 2 files",
        "in 1 of 2 files",
        "(partition)",
        "/order/id",
        "day=2/b.parquet",
        "0123456789ab",
    ] {
        assert!(answer.text.contains(part), "{part} is missing in\n{}", answer.text);
    }
}

#[test]
fn instants_are_shown_in_utc() {
    let folder = tempfile::tempdir().unwrap();
    let instants = TimestampMillisecondArray::from(vec![Some(1_735_689_600_123), None]).with_timezone("UTC");
    write(&folder.path().join("a.parquet"), vec![("at", Arc::new(instants))]);
    assert_eq!(look(folder.path()).unwrap().json["columns"][0]["min"], "2025-01-01T00:00:00.123Z");
}

#[test]
fn types_that_differ_stand_out() {
    let folder = lake();
    write(&folder.path().join("c.parquet"), vec![("id", Arc::new(StringArray::from(vec!["x"])))]);
    let answer = look(folder.path()).unwrap();
    assert!(answer.text.contains("types differ: BYTE_ARRAY STRING, INT64"), "{}", answer.text);
}

#[test]
fn one_file_shows_row_groups_and_lineage() {
    let folder = lake();
    let answer = look(&folder.path().join("day=2/b.parquet")).unwrap();
    for part in ["Row groups", "Lineage", "0123456789abcdef0123", "Zoë"] {
        assert!(answer.text.contains(part), "{part} is missing in\n{}", answer.text);
    }
}

#[test]
fn what_is_no_parquet_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(look(folder.path()).unwrap_err().name(), "no_parquet");
    let path = folder.path().join("orders.json");
    std::fs::write(&path, "[]").unwrap();
    assert_eq!(look(&path).unwrap_err().name(), "not_parquet");
}
