//! Generated records through the transform and through the plain reference: the same tables.

use lakegate_tests::drive::{self, Ask, Made};
use lakegate_tests::reference::names::Naming;
use lakegate_tests::reference::{self, Outcome, Rows, Table, learn};
use lakegate_tests::ways::Native;
use lakegate_tests::{generate, rows};
use proptest::prelude::*;
use serde_json::Value;

const ALL_MAY_FAIL: &str = "[output]\nmax_rejected = \"100%\"\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    /// No spec: the only array of objects is exploded, leaf names.
    #[test]
    fn without_tables(records in generate::records()) {
        let ask = table("t", Rows::Guess, Naming::Leaf);
        check(&records, ALL_MAY_FAIL, &[ask])?;
    }

    /// A spec: path names, every number a double, inner explode, rows with nulls dropped.
    #[test]
    fn with_rows(records in generate::records(), doubles: bool, keep_empty: bool) {
        let spec = format!(
            "{ALL_MAY_FAIL}\n[[table]]\nname = \"t\"\nrows = \"items\"\nempty = \"{}\"\nnumbers = \"{}\"\n",
            if keep_empty { "keep" } else { "drop" },
            if doubles { "double" } else { "exact" },
        );
        let ask = table("t", Rows::At(vec!["items".to_owned()]), Naming::Path);
        check(&records, &spec, &[reference::Ask { doubles, keep_empty, ..ask }])?;
    }

    /// Two tables from one source object: a record counts in both or in none.
    #[test]
    fn two_tables(records in generate::records()) {
        let spec = format!(
            "{ALL_MAY_FAIL}\n[[table]]\nname = \"heads\"\n\n[[table]]\nname = \"items\"\nrows = \"items\"\nnames = \"leaf\"\n"
        );
        let heads = table("heads", Rows::Record, Naming::Path);
        let items = table("items", Rows::At(vec!["items".to_owned()]), Naming::Leaf);
        check(&records, &spec, &[heads, items])?;
    }

    /// Declared types only: the value → column table, with `mode = "discard"`.
    #[test]
    fn declared_types(records in generate::records(), types in proptest::collection::vec(declared_type(), 4)) {
        let keys = ["id", "name", "customer.name", "tags"];
        let mut spec = format!("{ALL_MAY_FAIL}\n[[table]]\nname = \"t\"\nmode = \"discard\"\n");
        let mut ask = reference::Ask { discard: true, ..table("t", Rows::Record, Naming::Path) };
        for (at, (key, ty)) in keys.iter().zip(&types).enumerate() {
            spec += &format!("\n[[table.column]]\nname = \"c{at}\"\nfrom = \"{key}\"\ntype = \"{ty}\"\n");
            let path = key.split('.').map(str::to_owned).collect();
            ask.declared.push((format!("c{at}"), path, Some(ty.clone())));
        }
        check(&records, &spec, &[ask])?;
    }
}

fn declared_type() -> impl Strategy<Value = String> {
    let names = ["boolean", "bigint", "double", "string", "json", "decimal(20,2)", "decimal(3,0)", "date"];
    proptest::sample::select(names.map(str::to_owned).to_vec())
}

fn table(name: &str, rows: Rows, naming: Naming) -> reference::Ask {
    reference::Ask {
        name: name.to_owned(),
        rows,
        keep_empty: true,
        naming,
        declared: Vec::new(),
        discard: false,
        doubles: false,
        drop_nulls: Vec::new(),
    }
}

fn check(records: &[String], spec: &str, asks: &[reference::Ask]) -> Result<(), TestCaseError> {
    let expected = reference::transform(records, asks);
    let ask = Ask { spec: spec.to_owned(), table: Some("t".to_owned()), contracts: Vec::new() };
    let forms = [records.join("\n"), format!("[{}]", records.join(",\n "))];
    for input in forms {
        let made = drive::run(&Native, &ask, input.as_bytes(), 1 << 20)
            .map_err(|failed| TestCaseError::fail(format!("{failed:?}\n{input}")))?;
        prop_assert_eq!(text_of_made(&made), text_of_outcome(&expected), "input:\n{}", input);
    }
    Ok(())
}

fn text_of_made(made: &Made) -> String {
    let mut out = String::new();
    for line in &made.quarantine {
        out += &format!("rejected {}\n", line["record"]);
    }
    for (name, text) in &made.contracts {
        let contract: Value = serde_json::from_str(text).unwrap();
        let rows = contract["rows"].as_str().map(str::to_owned);
        let columns = contract["columns"].as_array().unwrap().iter().map(|column| {
            let text = |key: &str| column[key].as_str().unwrap_or("?").to_owned();
            (text("name"), text("type"), text("pointer"))
        });
        let parts = made.parts.iter().filter(|part| part.table == *name);
        let cells = parts.flat_map(|part| rows::read(&part.bytes).unwrap().rows);
        out += &table_text(name, rows, columns, cells);
    }
    out
}

fn text_of_outcome(outcome: &Outcome) -> String {
    let mut out: String = outcome.rejected.iter().map(|(record, _)| format!("rejected {record}\n")).collect();
    for table in &outcome.tables {
        let columns = table
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.ty.clone(), learn::pointer(&column.path)));
        out += &table_text(&table.name, rows_pointer(table), columns, table.cells.iter().cloned());
    }
    out
}

fn rows_pointer(table: &Table) -> Option<String> {
    table.rows.as_deref().map(learn::pointer)
}

fn table_text(
    name: &str,
    rows: Option<String>,
    columns: impl Iterator<Item = (String, String, String)>,
    cells: impl Iterator<Item = Vec<String>>,
) -> String {
    let columns: String = columns.map(|(name, ty, pointer)| format!("  {name} {ty} {pointer}\n")).collect();
    let cells: String = cells.map(|row| format!("  {}\n", row.join(" | "))).collect();
    format!("table {name} {}\n{columns}{cells}", rows.unwrap_or_default())
}
