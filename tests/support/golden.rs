//! What an object came to, as the text of an `expected.txt`.
//!
//! For: the corpus. The decision to know: one line a fact, in an order that does not depend on the
//! code, and with everything a reader of the lake could see: contract, rows per part file, rejects
//! with their place, counts, warnings.

use std::fmt::Write;

use serde_json::Value;

use crate::drive::{Failed, Made};
use crate::rows;

/// The text of a success.
///
/// # Panics
/// Where a part file cannot be read, or its schema is not its contract's.
#[must_use]
pub fn made(made: &Made) -> String {
    let report = &made.report;
    let mut out = format!(
        "{} records, {} accepted, {} rejected, {}, {}, {}\n",
        report["records"],
        report["accepted"],
        report["rejected"],
        report["format"].as_str().unwrap_or("?"),
        report["compression"].as_str().unwrap_or("?"),
        if made.passes == 1 { "1 pass" } else { "2 passes" },
    );
    for (table, text) in &made.contracts {
        let contract: Value = serde_json::from_str(text).expect("a contract is JSON");
        table_text(&mut out, made, table, &contract);
    }
    for line in &made.quarantine {
        let _ = writeln!(out, "rejected {}", reject(line));
    }
    for check in report["checks"].as_array().into_iter().flatten() {
        let _ = writeln!(
            out,
            "check {}",
            plain(&[&check["table"], &check["check"], &check["on_fail"], &check["failed"]])
        );
    }
    let later = report["warnings"].as_array().cloned().unwrap_or_default();
    let earlier = made.first_warnings.iter().filter(|warning| !later.contains(warning));
    for warning in earlier.chain(&later) {
        let _ =
            writeln!(out, "warning {}", plain(&[&warning["code"], &warning["count"], &warning["message"]]));
    }
    if report["comparable"] == Value::Bool(false) {
        out.push_str("not comparable\n");
    }
    out
}

/// The text of a failure.
#[must_use]
pub fn failed(failed: &Failed) -> String {
    let mut out = format!("failed: {}, {}\n{}\n", failed.fault, failed.code, failed.message);
    if let Some(hint) = &failed.hint {
        let _ = writeln!(out, "hint: {hint}");
    }
    out
}

fn table_text(out: &mut String, made: &Made, table: &str, contract: &Value) {
    let _ = writeln!(out, "\ntable {table}{}", rows_path(contract));
    let columns = list(contract, "columns");
    for column in &columns {
        let origin = match (&column["pointer"], &column["rest"], &column["transform"], &column["sql"]) {
            (Value::String(pointer), ..) => pointer.clone(),
            (_, Value::String(pointer), ..) => format!("rest of {pointer}"),
            (_, _, Value::String(transform), _) => format!("by {transform}"),
            (.., Value::String(sql)) => format!("= {sql}"),
            _ => "what did not fit".to_owned(),
        };
        let hidden = if column["output"] == false { ", not written" } else { "" };
        let _ = writeln!(out, "  {} {} {origin}{hidden}", bare(&column["name"]), bare(&column["type"]));
    }
    for null in list(contract, "nulls") {
        let _ = writeln!(out, "  {} only null {}", bare(&null["name"]), bare(&null["pointer"]));
    }
    for partition in list(contract, "partition_by") {
        let _ = writeln!(out, "  by {}", plain(&[&partition["name"], &partition["type"], &partition["sql"]]));
    }
    for counts in list(&made.report, "tables").iter().filter(|counts| counts["table"] == table) {
        let _ = writeln!(
            out,
            "  {} rows made, {} out, {} filtered, {} parts",
            counts["rows_made"], counts["rows_out"], counts["filtered"], counts["parts"]
        );
    }
    let mut parts: Vec<_> = made.parts.iter().filter(|part| part.table == table).collect();
    parts.sort_by_key(|part| &part.partition);
    for part in parts {
        let text =
            rows::read(&part.bytes).unwrap_or_else(|error| panic!("{table}/{}: {error:#}", part.partition));
        let wanted: Vec<(String, String)> = columns
            .iter()
            .filter(|column| column["output"] != false)
            .filter(|column| !list(contract, "partition_by").iter().any(|by| by["name"] == column["name"]))
            .map(|column| (bare(&column["name"]), physical(&column["type"])))
            .collect();
        assert_eq!(text.schema, wanted, "schema of {table}/{} and its contract", part.partition);
        assert_eq!(text.rows.len() as u64, part.rows, "rows told and rows read");
        let _ = writeln!(out, "part {table}/{}", part.partition);
        for row in text.rows {
            let _ = writeln!(out, "  {}", row.join(" | "));
        }
    }
}

/// JSON is text in the file.
fn physical(ty: &Value) -> String {
    bare(ty).replace("json", "string")
}

fn rows_path(contract: &Value) -> String {
    let said = |key: &str| contract[key].as_str().map_or_else(String::new, |path| format!(", {key} {path}"));
    format!("{}{}", said("records"), said("rows"))
}

fn reject(line: &Value) -> String {
    let place = |key: &str| if line[key].is_null() { String::new() } else { format!(" {key} {}", line[key]) };
    let mut out = format!("{} {}", line["record"], bare(&line["code"]));
    if let Some(path) = line["path"].as_str().filter(|path| !path.is_empty()) {
        let _ = write!(out, " at {path}");
    }
    if let Some(table) = line["table"].as_str() {
        let _ = write!(out, " of {table}");
    }
    let places = format!("{}{}{}", place("line"), place("offset"), place("length"));
    let cut = if line["truncated"] == Value::Bool(true) { " (cut)" } else { "" };
    let raw: String = bare(&line["raw"]).chars().take(120).collect();
    let _ = write!(out, ",{places}\n  {}\n  {}{cut}", bare(&line["message"]), crate::cells::text(&raw));
    out
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn plain(values: &[&Value]) -> String {
    values.iter().map(|value| bare(value)).collect::<Vec<_>>().join(" ")
}
