//! Specs and the SQL in them.

use std::collections::BTreeMap;

use crate::drive::{self, Failed, Made};
use crate::judged::ALL_MAY_FAIL;
use crate::rows;
use crate::ways::Native;

use super::{ask, in_pieces, outcome, setting, sound};

/// Tokens of specs.
pub(super) const SPEC: &[&str] = &[
    "[input]\n",
    "[output]\n",
    "[limits]\n",
    "[[table]]\n",
    "[[table.column]]\n",
    "[[table.derive]]\n",
    "[[table.check]]\n",
    "name = \"a\"\n",
    "from = \"b.c\"\n",
    "type = \"bigint\"\n",
    "type = \"decimal(38,0)\"\n",
    "type = \"timestamp\"\n",
    "type = \"timestamp(6)\"\n",
    "type = \"double\"\nthousands = \".\"\ndecimal = \",\"\n",
    "type = \"boolean\"\ntrue_values = [\"1\"]\nfalse_values = [\"0\"]\n",
    "strip = [\"$\"]\n",
    "accounting = true\n",
    "trim = true\n",
    "null_values = [\"NA\", \"\"]\n",
    "mask = \"last4\"\n",
    "mask = \"drop\"\n",
    "output = false\n",
    "format = \"epoch_ms\"\n",
    "format = \"%d.%m.%Y\"\n",
    "sql = \"a * 2\"\n",
    "rows = \"items\"\n",
    "mode = \"freeze\"\n",
    "names = \"leaf\"\n",
    "partition_by = [\"a\"]\n",
    "drop_nulls = true\n",
    "filter = \"a > 1\"\n",
    "on_fail = \"warn\"\n",
    "max_rejected = \"100%\"\n",
    "records = \"data\"\n",
    "delimiter = \";\"\n",
    "depth = 2\n",
    "columns = 3\n",
    "partitions = 1\n",
    "record_bytes = 10\n",
    "cast = true\n",
    "empty = \"drop\"\n",
    "numbers = \"double\"\n",
    "header = false\n",
    "comment = \"#\"\n",
    "null_values = [\"x\"]\n",
    "%",
    "\"",
    "'''",
];

/// Tokens of SQL.
pub(super) const SQL: &[&str] = &[
    " AND ",
    " OR ",
    "NOT ",
    " IS NULL",
    " IN (1, 2)",
    " BETWEEN 1 AND 2",
    " LIKE '%a_'",
    " ESCAPE '!'",
    " || ",
    "CASE WHEN ",
    " THEN ",
    " ELSE ",
    " END",
    "CAST(",
    "TRY_CAST(",
    " AS bigint)",
    " AS decimal(38,10))",
    " AS double)",
    " AS string)",
    " AS date)",
    " AS timestamp)",
    "DATE '2024-02-29'",
    "TIMESTAMP '2025-01-31T00:00:00Z'",
    "NULL",
    "TRUE",
    "1e308",
    "9223372036854775807",
    "-",
    "*",
    "/",
    "%",
    "0",
    "'a'",
    "abs(",
    "round(",
    "substr(",
    "replace(",
    "length(",
    "coalesce(",
    "nullif(",
    "concat(",
    "date_trunc('month', ",
    "year(",
    "to_date(",
    "to_timestamp(",
    "source_uri()",
    "event_time()",
    "load_time()",
    "record_number()",
    "source_size()",
    "source_partition('ingest_date')",
    ")",
    "(",
    ",",
    "n",
    "m",
    "x",
    "y",
    "d",
    "s",
    "u",
    "o",
    "day",
    "at",
    "--",
    "\"n\"",
    "''",
];

const JSON_INPUT: &[u8] = b"{\"a\":1,\"b\":{\"c\":\"05.01.2025\"},\"items\":[{\"a\":1.5},{\"a\":2}]}\n{\"a\":\"x\",\"b\":null}\n{\"id\":7,\"items\":[]}\n";
const CSV_INPUT: &[u8] = b"a;b;c\n1;2,5;05.01.2025\nx;\"y\n\";\n\n007;;z;4\n";

/// A spec: it is refused, or two small files go through it.
pub(super) fn spec(data: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let ask = ask(text);
    let json = in_pieces(&ask, JSON_INPUT, 7);
    let csv = in_pieces(&ask, CSV_INPUT, 3);
    format!("{} | {}", outcome(&json), outcome(&csv))
}

const COLUMNS: [(&str, &str); 10] = [
    ("n", "bigint"),
    ("m", "bigint"),
    ("x", "double"),
    ("y", "double"),
    ("d", "decimal(20,2)"),
    ("s", "string"),
    ("u", "string"),
    ("o", "boolean"),
    ("day", "date"),
    ("at", "timestamp"),
];

const RECORDS: [&str; 6] = [
    r#"{"n":1,"m":7,"x":1.5,"y":-0.25,"d":"12.50","s":"abc","u":"Ärger 1","o":true,"day":"2024-02-29","at":"2025-01-31T23:59:59.999Z"}"#,
    r#"{"n":null,"m":null}"#,
    r#"{"n":0,"m":0,"x":0.0,"y":-0.0,"d":"0","s":"","u":"%_","o":false,"day":"1970-01-01","at":"1970-01-01"}"#,
    r#"{"n":9223372036854775807,"m":-9223372036854775808,"x":1e308,"y":5e-324,"d":"999999999999999999.99","s":"12","u":"2025-01-31","o":true,"day":"9999-12-31","at":"9999-12-31T23:59:59Z"}"#,
    r#"{"n":-1,"m":3,"x":9007199254740993.5,"y":2.5,"d":"-0.01","s":"😀é","u":"1e3","o":null,"day":"0001-01-01","at":"0001-01-01T00:00:00Z"}"#,
    r#"{"n":2,"m":2,"x":2.5,"y":2.5,"d":"2.5","s":"a!b","u":" x ","o":true,"day":null,"at":"1969-12-31T23:59:59.999Z"}"#,
];

/// An expression, over six records together and over each alone: a record comes to the same in any
/// company, unless it is asked for its place.
pub(super) fn sql(data: &[u8]) -> String {
    let (number, rest) = setting(data);
    let Ok(text) = std::str::from_utf8(rest) else { return "no text".to_owned() };
    let spec = sql_spec(number, text);
    let together = in_pieces(&ask(&spec), RECORDS.join("\n").as_bytes(), 1 << 10);
    // Where a record stands is nothing that it brings along.
    let by_place = text.to_ascii_lowercase().contains("record_number");
    if let Ok(made) = together.as_ref()
        && !by_place
    {
        let mut apart = Came::default();
        for (at, record) in RECORDS.iter().enumerate() {
            let alone = drive::run(&Native, &ask(&spec), record.as_bytes(), 1 << 20);
            sound(&alone);
            apart.add(&alone, at);
        }
        let mut all = Came::default();
        all.add(&together, 0);
        assert_eq!(all, apart, "together and alone, of {} records", made.report["records"]);
    }
    format!("{number} {}", outcome(&together))
}

fn sql_spec(number: usize, text: &str) -> String {
    // A string of JSON is one of TOML.
    let sql = |text: &str| serde_json::Value::from(text).to_string();
    let columns =
        COLUMNS.map(|(name, ty)| format!("[[table.column]]\nname = \"{name}\"\ntype = \"{ty}\"\n")).concat();
    let head = format!("{ALL_MAY_FAIL}[[table]]\nname = \"t\"\nmode = \"freeze\"\n");
    match number {
        1 => format!("{head}filter = {}\n{columns}", sql(text)),
        2 => format!(
            "{head}{columns}[[table.check]]\nname = \"k\"\nsql = {}\non_fail = \"reject\"\n",
            sql(text)
        ),
        3 => format!("{head}partition_by = [{}]\n{columns}", sql(&format!("{text} AS p"))),
        4 => format!(
            "{head}{columns}[[table.derive]]\nname = \"v\"\ntype = \"decimal(30,4)\"\nsql = {}\n",
            sql(text)
        ),
        5 => {
            let (first, second) = text.split_once(';').unwrap_or((text, "v"));
            let derive = |name, text| format!("[[table.derive]]\nname = \"{name}\"\nsql = {}\n", sql(text));
            format!("{head}{columns}{}{}", derive("v", first), derive("w", second))
        }
        _ => format!("{head}{columns}[[table.derive]]\nname = \"v\"\nsql = {}\n", sql(text)),
    }
}

/// What records came to, whichever run they were in.
#[derive(Debug, Default, PartialEq, Eq)]
struct Came {
    /// By partition, in the order of the records.
    rows: BTreeMap<String, Vec<Vec<String>>>,
    /// Number and reason.
    rejected: Vec<(u64, String)>,
}

impl Came {
    /// Adds a run whose first record has the number `at`.
    fn add(&mut self, ran: &Result<Made, Failed>, at: usize) {
        let made = ran.as_ref().unwrap_or_else(|failed| panic!("alone it fails: {failed:?}"));
        for part in &made.parts {
            let rows = rows::read(&part.bytes).unwrap().rows;
            self.rows.entry(part.partition.clone()).or_default().extend(rows);
        }
        for line in &made.quarantine {
            let number = line["record"].as_u64().unwrap() + at as u64;
            self.rejected.push((number, line["code"].to_string()));
        }
    }
}
