//! Values as people write them: by the keys of a column, alike in JSON and CSV, one by one and in blocks,
//! however the input is cut.

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::job_tests::{LENIENT, Made, drive};
use crate::Options;

/// Rows of the one part, as texts, null as `null`.
pub(super) fn rows(made: &Made) -> Vec<Vec<String>> {
    let Some((_, _, part)) = made.parts.first() else { return Vec::new() };
    let reader = SerializedFileReader::new(parquet_bytes(part)).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_column_iter().map(|(_, field)| shown(field)).collect()).collect()
}

fn shown(field: &Field) -> String {
    match field {
        Field::Double(value) => format!("{value:?}"),
        other => other.to_string(),
    }
}

fn parquet_bytes(part: &[u8]) -> impl parquet::file::reader::ChunkReader + 'static {
    fn shared<T: From<Vec<u8>>>(_: impl Fn(&mut parquet::data_type::ByteArray, T), bytes: Vec<u8>) -> T {
        bytes.into()
    }
    shared(parquet::data_type::ByteArray::set_data, part.to_vec())
}

pub(super) fn run(spec: &str, data: &[u8], chunk: usize) -> Made {
    let mut options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
    if let Err(widened) = drive(&options, data, chunk).unwrap() {
        options.contracts = widened.contracts;
        options.final_pass = true;
        return drive(&options, data, chunk).unwrap().unwrap();
    }
    panic!("a job without contract must ask for one");
}

/// What each value of one column comes to: its text in the table, or the code it is rejected with.
fn outcomes(made: &Made, values: usize) -> Vec<String> {
    let mut all = vec![String::new(); values];
    for line in made.quarantine.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let record = line["record"].as_u64().unwrap() as usize;
        all[record - 1] = line["code"].as_str().unwrap().to_owned();
    }
    for row in rows(made) {
        let number: usize = row[0].parse().unwrap();
        all[number - 1] = row[1].clone();
    }
    all
}

fn spec(column: &str) -> String {
    let id = "[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n";
    format!("{LENIENT}[[table]]\nmode = \"discard\"\n{id}[[table.column]]\nname = \"v\"\n{column}")
}

/// As CSV fields, in quotes, cut in several ways, alone and among others.
fn by_csv(spec: &str, values: &[&str]) -> Vec<String> {
    let mut csv = String::from("id,v\n");
    for (number, value) in values.iter().enumerate() {
        csv += &format!("{},\"{}\"\n", number + 1, value.replace('"', "\"\""));
    }
    let whole = run(spec, csv.as_bytes(), csv.len());
    for chunk in [1, 7] {
        assert_eq!(run(spec, csv.as_bytes(), chunk), whole, "chunks of {chunk}");
    }
    let all = outcomes(&whole, values.len());
    for (value, outcome) in values.iter().zip(&all) {
        let one = format!("id,v\n1,\"{}\"\n", value.replace('"', "\"\""));
        assert_eq!(&outcomes(&run(spec, one.as_bytes(), 4096), 1)[0], outcome, "{value:?} alone");
    }
    all
}

/// As values of JSON, written as they stand.
fn by_json(spec: &str, values: &[&str]) -> Vec<String> {
    let lines = values.iter().enumerate().map(|(n, value)| format!("{{\"id\":{},\"v\":{value}}}\n", n + 1));
    let json: String = lines.collect();
    outcomes(&run(spec, json.as_bytes(), json.len()), values.len())
}

/// A column's keys, its values, and what they come to: as CSV fields and as texts of JSON.
const WRITTEN: [(&str, &[(&str, &str)]); 14] = [
    (
        "type = \"double\"\nthousands = \".\"\ndecimal = \",\"\n",
        &[
            ("1.299,99", "1299.99"),
            ("265,64", "265.64"),
            ("12.000", "12000.0"),
            ("-1.234.567,5", "-1234567.5"),
            ("12000", "12000.0"),
            ("+5", "5.0"),
            ("1.299.99", "not_a_number"),
            ("12.34", "not_a_number"),
            ("1234.567", "not_a_number"),
            (".123", "not_a_number"),
            ("1.", "not_a_number"),
            ("0.123", "leading_zero"),
            ("1,234.567", "not_a_number"),
            ("--1", "not_a_number"),
            ("-", "not_a_number"),
            ("1e3", "1000.0"),
        ],
    ),
    (
        "type = \"decimal(12,2)\"\nthousands = \"'\"\n",
        &[("1'234.50", "1234.50"), ("1'23.50", "not_a_number"), ("1234.505", "too_many_digits")],
    ),
    (
        "type = \"bigint\"\nthousands = \"\u{202f}\"\n",
        &[("1\u{202f}234\u{202f}567", "1234567"), (" 7\u{a0}", "7"), ("1 234", "not_a_number")],
    ),
    ("type = \"double\"\ndecimal = \",\"\n", &[("1,5", "1.5"), ("1.5", "not_a_number"), ("3", "3.0")]),
    (
        "type = \"decimal(12,2)\"\nthousands = \",\"\nstrip = [\"$\", \"USD\", \"US$\", \"%\"]\naccounting = true\n",
        &[
            ("$1,234.50", "1234.50"),
            ("-$1.20", "-1.20"),
            ("$-1.20", "-1.20"),
            ("US$ 5", "5.00"),
            ("5 USD", "5.00"),
            ("(45.00)", "-45.00"),
            ("($45.00)", "-45.00"),
            ("$ ( 45.00 ) USD", "-45.00"),
            ("(-45.00)", "not_a_number"),
            ("(45.00", "not_a_number"),
            ("-(45.00)", "not_a_number"),
            ("()", "not_a_number"),
            ("12.5%", "12.50"),
            ("12.5 %", "12.50"),
            ("$", "not_a_number"),
            ("EUR 5", "not_a_number"),
            ("$$5", "not_a_number"),
        ],
    ),
    ("type = \"double\"\naccounting = true\n", &[("(45.5)", "-45.5"), ("10", "10.0"), ("-10", "-10.0")]),
    ("type = \"double\"\nstrip = [\"EUR\"]\n", &[("5EUR", "5.0"), ("EUR\u{a0}5.5", "5.5"), ("5e2", "500.0")]),
    (
        "type = \"boolean\"\ntrue_values = [\"Y\", \"1\"]\nfalse_values = [\"N\", \"0\"]\n",
        &[
            ("Y", "true"),
            ("1", "true"),
            ("N", "false"),
            ("0", "false"),
            ("y", "not_a_boolean"),
            ("true", "not_a_boolean"),
        ],
    ),
    (
        "type = \"boolean\"\ntrue_values = [\"ja\"]\n",
        &[("ja", "true"), ("false", "false"), ("true", "not_a_boolean"), ("nein", "not_a_boolean")],
    ),
    (
        "type = \"bigint\"\nnull_values = [\"NA\", \"n/a\", \"a\\\"b\"]\n",
        &[("NA", "null"), ("n/a", "null"), ("a\"b", "null"), ("na", "not_a_number"), ("12", "12")],
    ),
    (
        "type = \"string\"\ntrim = true\nnull_values = [\"-\"]\n",
        &[
            (" a b\t", "\"a b\""),
            ("\u{3000}x\u{a0}", "\"x\""),
            (" - ", "null"),
            ("-", "null"),
            ("--", "\"--\""),
        ],
    ),
    ("type = \"string\"\nnull_values = []\n", &[("NA", "\"NA\""), (" ", "\" \"")]),
    ("type = \"date\"\ntrim = true\n", &[("\u{a0}2025-01-31 ", "2025-01-31"), ("x", "not_a_date")]),
    (
        "type = \"double\"\nthousands = \",\"\nnull_values = [\"1,000\"]\ntrim = true\n",
        &[("1,000", "null"), (" 1,000 ", "null"), ("2,000", "2000.0")],
    ),
];

#[test]
fn columns_are_read_as_their_keys_say() {
    for (column, values) in WRITTEN {
        let spec = spec(column);
        let (given, expected): (Vec<&str>, Vec<&str>) = values.iter().copied().unzip();
        assert_eq!(by_csv(&spec, &given), expected, "CSV: {column}");
        let texts: Vec<String> = given.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(by_json(&spec, &texts), expected, "JSON: {column}");
    }
}

#[test]
fn values_of_json_that_are_no_texts_keep_their_kind() {
    for (column, values) in [
        (
            "type = \"boolean\"\ntrue_values = [\"1\", \"Y\"]\nfalse_values = [\"0\", \"N\"]\n",
            &[
                ("1", "true"),
                ("0", "false"),
                ("true", "true"),
                ("false", "false"),
                ("1.0", "not_a_boolean"),
                ("[]", "type_mismatch"),
            ][..],
        ),
        (
            "type = \"boolean\"\ntrue_values = [\"false\"]\nfalse_values = [\"true\"]\n",
            &[("true", "false"), ("\"true\"", "false")],
        ),
        (
            "type = \"double\"\ndecimal = \",\"\nthousands = \".\"\n",
            &[("1.5", "1.5"), ("\"1,5\"", "1.5"), ("true", "type_mismatch")],
        ),
        (
            "type = \"bigint\"\nnull_values = [\"-999\", \"\"]\n",
            &[("-999", "null"), ("\"\"", "null"), ("-999.0", "-999"), ("null", "null")],
        ),
        (
            "type = \"string\"\nnull_values = [\"\"]\ntrim = true\n",
            &[("\"\"", "null"), ("\"  \"", "null"), ("12", "\"12\""), ("true", "\"true\"")],
        ),
        (
            "type = \"json\"\nnull_values = [\"NA\"]\n",
            &[("\"NA\"", "null"), ("\"x\"", "\"\\\"x\\\"\""), ("[\"NA\"]", "\"[\\\"NA\\\"]\"")],
        ),
    ] {
        let (given, expected): (Vec<&str>, Vec<&str>) = values.iter().copied().unzip();
        let got = by_json(&spec(column), &given);
        let got: Vec<&str> = got.iter().map(String::as_str).collect();
        let expected: Vec<String> = expected.iter().map(|text| text.replace("\\\"", "\"")).collect();
        assert_eq!(got, expected, "{column}");
    }
}

#[test]
fn null_values_of_a_column_stand_instead_of_those_of_the_input() {
    let input = format!("{LENIENT}[input]\nnull_values = [\"NA\", \"-\"]\n");
    let csv = "country,value,note\nDE,NA,NA\nNA,5,x\n-,1,\n";
    // Learned as well as declared.
    for ty in ["", "type = \"string\"\n"] {
        let spec =
            format!("{input}[[table]]\n[[table.column]]\nname = \"country\"\nnull_values = [\"-\"]\n{ty}");
        let made = run(&spec, csv.as_bytes(), csv.len());
        assert_eq!(
            rows(&made),
            [["\"DE\"", "null", "null"], ["\"NA\"", "5", "\"x\""], ["null", "1", "null"]],
            "{ty}"
        );
    }
    let spec = format!("{LENIENT}[[table]]\n[[table.column]]\nname = \"value\"\nnull_values = [\"NA\"]\n");
    let rows_of = |data: &str| rows(&run(&spec, data.as_bytes(), data.len()));
    assert_eq!(rows_of("country,value\nNA,NA\nDE,5\n"), [["null", "\"NA\""], ["5", "\"DE\""]]);
    assert_eq!(rows_of("{\"value\":\"NA\"}\n{\"value\":5}\n"), [["null"], ["5"]]);
}

/// Two tables read the same path, each by its own keys.
#[test]
fn keys_belong_to_the_column_of_one_table() {
    let spec = "[[table]]\nname = \"a\"\nmode = \"discard\"\n[[table.column]]\nname = \"v\"\ntype = \"string\"\n[[table]]\nname = \"b\"\nmode = \"discard\"\n[[table.column]]\nname = \"v\"\ntype = \"double\"\nthousands = \",\"\nnull_values = [\"x\"]\n";
    for data in ["v\n\"1,234\"\nx\n", "{\"v\":\"1,234\"}\n{\"v\":\"x\"}\n"] {
        let mut options = Options { spec: spec.into(), ..Options::default() };
        options.contracts = drive(&options, data.as_bytes(), 99).unwrap().unwrap_err().contracts;
        options.final_pass = true;
        let mut made = drive(&options, data.as_bytes(), 99).unwrap().unwrap();
        made.parts.sort();
        assert_eq!(rows(&made), [["\"1,234\""], ["\"x\""]]);
        made.parts.remove(0);
        assert_eq!(rows(&made), [["1234.0"], ["null"]]);
    }
}

fn warnings(made: &Made) -> Vec<(String, u64)> {
    let all = made.report["warnings"].as_array().unwrap();
    all.iter().map(|w| (w["message"].as_str().unwrap().to_owned(), w["count"].as_u64().unwrap())).collect()
}

#[test]
fn digits_that_are_not_kept_are_counted_once_for_each_value_taken() {
    let cut = "`v`: values had digits below a millisecond, which were cut: type = \"timestamp(6)\" keeps microseconds";
    let lost =
        |ty: &str| format!("`v`: numbers have more digits than a double holds: type = \"{ty}\" keeps them");
    for (column, values, expected) in [
        (
            "type = \"timestamp\"\n",
            &[
                "\"2025-01-01T00:00:00.123\"",
                "\"2025-01-01T00:00:00.123000\"",
                "\"2025-01-01T00:00:00.1234Z\"",
                "\"2025-01-01T00:00:00.0000001Z\"",
                "\"x\"",
            ][..],
            vec![(cut.to_owned(), 2)],
        ),
        (
            "type = \"timestamp\"\nformat = \"%F %T%.f\"\n",
            &["\"2025-01-01 00:00:00.123\"", "\"2025-01-01 00:00:00.1239\""],
            vec![(cut.to_owned(), 1)],
        ),
        (
            "type = \"timestamp\"\nformat = \"epoch_us\"\n",
            &["1700000000123456", "\"1700000000123456\"", "1700000000123000"],
            vec![(cut.to_owned(), 2)],
        ),
        ("type = \"date\"\nformat = \"epoch_us\"\n", &["1700000000123456"], vec![]),
        (
            "type = \"double\"\n",
            &["1.5", "0.1", "0.30000000000000004", "12345678901234567.25"],
            vec![(lost("decimal(19,2)"), 1)],
        ),
        (
            "type = \"double\"\ncast = true\n",
            &["\"9999999999999999.99\"", "0.12345678901234567890123"],
            vec![(lost("string"), 2)],
        ),
        (
            "type = \"double\"\nstrip = [\"$\"]\n",
            &["\"$9999999999999999.99\"", "9999999999999999.5"],
            vec![(lost("decimal(18,2)"), 2)],
        ),
        ("type = \"string\"\n", &["9999999999999999.99"], vec![]),
        ("type = \"json\"\n", &["9999999999999999.99"], vec![]),
    ] {
        let spec = spec(column);
        let json: String = values.iter().map(|value| format!("{{\"id\":1,\"v\":{value}}}\n")).collect();
        assert_eq!(warnings(&run(&spec, json.as_bytes(), 5)), expected, "JSON: {column}");
        let mut csv = String::from("id,v\n");
        values.iter().for_each(|value| csv += &format!("1,{value}\n"));
        assert_eq!(warnings(&run(&spec, csv.as_bytes(), 5)), expected, "CSV: {column}");
        assert_eq!(warnings(&run(&spec, csv.as_bytes(), csv.len())), expected, "CSV: {column}");
    }
}

#[test]
fn values_of_records_that_are_rejected_are_not_counted() {
    let spec = format!(
        "{LENIENT}[[table]]\nmode = \"freeze\"\nrows = \"xs\"\n[[table.column]]\nname = \"v\"\nfrom = \"xs.v\"\ntype = \"double\"\n[[table.column]]\nname = \"w\"\nfrom = \"xs.w\"\ntype = \"bigint\"\n"
    );
    let lost = "9999999999999999.99";
    let json = format!(
        "{{\"xs\":[{{\"v\":{lost}}},{{\"v\":{lost},\"w\":1}}]}}\n{{\"xs\":[{{\"v\":{lost}}},{{\"v\":{lost},\"w\":\"x\"}}]}}\n"
    );
    for chunk in [1, 1000] {
        let told = warnings(&run(&spec, json.as_bytes(), chunk));
        assert_eq!(told.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2]);
    }
    // A block that is taken back comes again record by record.
    let spec = format!(
        "{LENIENT}[[table]]\nmode = \"discard\"\n[[table.column]]\nname = \"v\"\ntype = \"double\"\n[[table.column]]\nname = \"w\"\ntype = \"bigint\"\n"
    );
    let mut csv = String::from("v,w\n");
    (0..200).for_each(|n| csv += &format!("{lost},{}\n", if n == 150 { "x".into() } else { n.to_string() }));
    let told = warnings(&run(&spec, csv.as_bytes(), csv.len()));
    assert_eq!(told.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [199]);
}

#[test]
fn epochs_are_taken_as_numbers_texts_and_fields() {
    for (column, values) in [
        (
            "type = \"timestamp\"\nformat = \"epoch_ms\"\n",
            &[
                ("1700000000123", "2023-11-14 22:13:20.123 +00:00"),
                ("-1000", "1969-12-31 23:59:59.000 +00:00"),
                ("1e300", "bad_format"),
            ][..],
        ),
        (
            "type = \"timestamp\"\nformat = \"epoch_s\"\n",
            &[("1700000000.123", "2023-11-14 22:13:20.123 +00:00"), ("253402300800", "bad_format")],
        ),
        (
            "type = \"timestamp\"\nformat = \"%s\"\n",
            &[("1700000000", "2023-11-14 22:13:20.000 +00:00"), ("1700000000.5", "bad_format")],
        ),
        ("type = \"timestamp\"\nformat = \"%s%.f\"\n", &[("-0.5", "1969-12-31 23:59:59.500 +00:00")]),
        ("type = \"date\"\nformat = \"epoch_d\"\n", &[("19262", "2022-09-27"), ("-1", "1969-12-31")]),
        ("type = \"date\"\nformat = \"epoch_s\"\n", &[("1700000000", "2023-11-14"), ("-1", "1969-12-31")]),
    ] {
        let spec = spec(column);
        let (given, expected): (Vec<&str>, Vec<&str>) = values.iter().copied().unzip();
        assert_eq!(by_json(&spec, &given), expected, "JSON numbers: {column}");
        let texts: Vec<String> = given.iter().map(|text| format!("\"{text}\"")).collect();
        assert_eq!(
            by_json(&spec, &texts.iter().map(String::as_str).collect::<Vec<_>>()),
            expected,
            "{column}"
        );
        assert_eq!(by_csv(&spec, &given), expected, "CSV: {column}");
    }
    // Other formats and none take texts only.
    for column in ["type = \"timestamp\"\n", "type = \"date\"\nformat = \"%Y%m%d\"\n"] {
        assert_eq!(by_json(&spec(column), &["20250131"]), ["type_mismatch"], "{column}");
    }
}

#[test]
fn keys_that_make_no_sense_are_refused_with_their_place() {
    for (column, told, hint) in [
        (
            "type = \"string\"\nthousands = \".\"\n",
            "column `v` is string: thousands is for columns of type bigint",
            "add type",
        ),
        ("decimal = \",\"\n", "column `v` has no type: decimal is for", "add type"),
        (
            "type = \"bigint\"\ntrue_values = [\"1\"]\n",
            "column `v` is bigint: true_values is for columns of type boolean",
            "add type = \"boolean\"",
        ),
        ("type = \"boolean\"\nstrip = [\"$\"]\n", "column `v` is boolean: strip", "add type"),
        ("type = \"json\"\ntrim = true\n", "column `v` is json: trim", "add the column's type"),
        ("type = \"date\"\naccounting = true\n", "column `v` is date: accounting", "add type"),
        (
            "type = \"string\"\nformat = \"%F\"\n",
            "column `v` is string: format is for columns of type date",
            "add type = \"date\"",
        ),
        (
            "type = \"double\"\nthousands = \".\"\n",
            "the thousands of column `v`: it is the decimal sign too",
            "decimal = \",\"",
        ),
        ("type = \"double\"\nthousands = \"0\"\n", "the thousands of column `v`", "usual ones"),
        ("type = \"double\"\nthousands = \"e\"\n", "the thousands of column `v`", "usual ones"),
        ("type = \"double\"\ndecimal = \"x\"\n", "the decimal of column `v`", ""),
        ("type = \"double\"\nstrip = [\"a\", \" \"]\n", "the strip of column `v`: a text is empty", "blanks"),
        (
            "type = \"double\"\nstrip = [\"-\"]\n",
            "the strip of column `v`: \"-\" may be part of a number",
            "name what",
        ),
        ("type = \"double\"\nstrip = [\".\"]\n", "the strip of column `v`: \".\" may be part", "name what"),
        ("type = \"double\"\nstrip = [\"$1\"]\n", "the strip of column `v`: \"$1\" may be part", "name what"),
        ("type = \"boolean\"\ntrue_values = []\n", "the true_values of column `v`: it is empty", ""),
        (
            "type = \"boolean\"\ntrue_values = [\"false\"]\n",
            "the true_values of column `v`: it has the text \"false\"",
            "give both",
        ),
        (
            "type = \"boolean\"\ntrue_values = [\"1\"]\nfalse_values = [\"1\"]\n",
            "\"1\" is among false_values too",
            "",
        ),
        ("type = \"timestamp\"\nformat = \"epoch\"\n", "one of epoch_d, epoch_s, epoch_ms", ""),
    ] {
        let failure = crate::spec::Spec::parse(&spec(column)).unwrap_err();
        assert_eq!(failure.code, "spec_invalid", "{column}");
        assert!(failure.message.contains(told), "{column}: {}", failure.message);
        assert!(failure.hint.clone().unwrap_or_default().contains(hint), "{column}: {:?}", failure.hint);
        assert!(failure.place.line.is_some_and(|line| line > 8), "{column}: {:?}", failure.place);
    }
}
