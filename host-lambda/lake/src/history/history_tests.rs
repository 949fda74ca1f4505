//! The tables against what is really written, and the file that other readers test them with (`UPDATE=1` writes it).

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::lake::{Load, Void};
use crate::record::FailedRecord;

/// What tests/python reads: the tables and questions of a pipeline `p` of a lake at `LAKE`.
const GOLDEN: &str = "tests/python/history.json";

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_columns_are_the_fields_of_a_line() {
    let load = Load { document: Some(7), void: Some(Void::Lost), ..Load::default() };
    let text = serde_json::to_string(&load).unwrap();
    let at = |name: &str| text.find(&format!("\"{name}\":"));
    let columns = loads_table("s3://lake", "p").columns;
    let places: Vec<_> = columns.iter().map(|column| at(column.name)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    assert_eq!(fields(&serde_json::from_str(&text).unwrap()).len(), columns.len());
}

#[test]
fn the_columns_of_failures_are_fields_of_a_record() {
    let record = serde_json::to_value(FailedRecord { id: "x".into(), ..FailedRecord::default() }).unwrap();
    let columns = failures_table("s3://lake", "p").columns;
    assert!(columns.iter().all(|column| record.get(column.name).is_some()), "{record}");
    // What a transform says when it panics may hold values of the input: SQL does not get it.
    assert!(columns.iter().all(|column| column.name != "panic"));
}

#[test]
fn a_day_is_a_folder_that_nobody_registers() {
    let table = loads_table("s3://lake/tables/", "web-orders");
    assert_eq!(table.location, "s3://lake/tables/_lakegate/loads/pipeline=web-orders/");
    assert_eq!(
        table.parameters["storage.location.template"],
        "s3://lake/tables/_lakegate/loads/pipeline=web-orders/day=${day}/"
    );
    let key = keys::load_key("web-orders", "2025-01-01T11:59:59.999Z", "u", 1);
    assert!(format!("s3://lake/tables/{key}").starts_with(&format!("{}day=2025-01-01/", table.location)));
    assert_eq!(table.partition_keys[0].name, "day");
    let rolled = rolled_table("s3://lake/tables", "web-orders");
    assert!(
        format!("s3://lake/tables/{}", keys::rolled_key("web-orders", "2025-01-01"))
            .starts_with(&rolled.location)
    );
    assert_eq!((&rolled.columns, &rolled.partition_keys), (&table.columns, &table.partition_keys));
    assert_eq!(rolled.parameters["classification"], "parquet");
    let failures = failures_table("s3://lake", "p");
    assert_eq!(failures.location, "s3://lake/_lakegate/failures/p/");
    assert!(keys::failure_key("p", "u").starts_with("_lakegate/failures/p/"));
    assert!(failures.partition_keys.is_empty() && !failures.parameters.contains_key("projection.enabled"));
}

#[test]
fn names_are_quoted_and_prices_are_doubles() {
    let asked = Asked {
        database: "sales",
        loads: "a\"b",
        prices: Prices { memory_mib: 1536, gib_second: 0.000_016_666_7, ..Prices::default() },
        ..Asked::default()
    };
    let all = questions(&asked);
    assert!(all[0].sql.contains("FROM \"sales\".\"a\"\"b\"\n"), "{}", all[0].sql);
    assert!(all[3].sql.contains(" * 1.5e0 * 1.66667e-5 AS compute_dollars"), "{}", all[3].sql);
    assert!(all[2].sql.contains("false AS overdue"), "nothing is due where nobody says when");
}

#[test]
fn other_readers_test_what_is_made_here() {
    let asked = Asked {
        database: "d",
        loads: "p_loads",
        failures: "p_failures",
        expect_every: Some(3_600),
        prices: Prices {
            memory_mib: 1024,
            gib_second: 0.000_016_666_7,
            thousand_requests: 0.005,
            gib_month: 0.023,
        },
    };
    let made = json!({
        "loads": loads_table("LAKE", "p"),
        "rolled": rolled_table("LAKE", "p"),
        "failures": failures_table("LAKE", "p"),
        "questions": questions(&asked),
    });
    let made = serde_json::to_string_pretty(&made).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(GOLDEN);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "{GOLDEN} is not what this makes: run this test with UPDATE=1");
}
