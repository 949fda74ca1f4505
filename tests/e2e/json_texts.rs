//! RFC 8259, both sides: what the grammar allows is a record's value, what it forbids is refused. The texts
//! stand here; those of the public collection JSONTestSuite run too, where a folder with it is named.

use std::fs;

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::ways::Native;

/// Texts that RFC 8259 allows as a value; `\u` escapes and raw characters as they stand in the text.
const ALLOWED: [&str; 88] = [
    // Arrays and white space.
    "[]",
    "[ ]",
    "[[]   ]",
    "[[[[]]]]",
    "[\"\"]",
    "[null]",
    "[true, false]",
    "[7,null,null,8]",
    "[null, 7, \"7\", {}, []]",
    " [7]",
    "[7] ",
    "\t[ 7\t]",
    "[7\n]",
    "[\r\n7\r\n]\r\n",
    " [\n] ",
    // Objects.
    "{}",
    "{ }",
    "{\"\":7}",
    "{\"k\":[]}",
    "{\"k\":{\"k\":{}}}",
    "{\"k\":\"v\"}",
    "{\"k\":\"v\", \"l\":\"w\"}",
    "{\n\"k\"\n:\n\"v\"\n}",
    "{\"a\\u0000b\": 7}",
    "{\"k\\\"l\": 7}",
    "{\"low\": -2.5e+30, \"high\": 2.5e+30}",
    "{\"list\":[{\"name\": \"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"}], \"name\": \"yyyyyyyyyyyyyyyyyyyy\"}",
    "{\"name\":\"\\u0418\\u0432\\u0430\\u043d \\u0418\\u0432\\u0430\\u043d\\u043e\\u0432\" }",
    // Numbers.
    "[0]",
    "[-0]",
    "[-0.0]",
    "[0e1]",
    "[0E-0]",
    "[0e+1]",
    "[ 9]",
    "[-7]",
    "[-789]",
    "[789]",
    "[789.0125]",
    "[30e1]",
    "[4E20]",
    "[4E-3]",
    "[4E+3]",
    "[4e-3]",
    "[4e+3]",
    "[789e40]",
    "[789e64]",
    "[789.012e70]",
    "[-0.00000000000000000000000000000000000000000000000000000000000000000000000000000000009]",
    "[123456789012345678901234567890]",
    // Escapes.
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
    "[\"\\\\u0000\"]",
    "[\"\\\"\"]",
    "[\"\\\\b\"]",
    "[\"\\\\t\"]",
    "[\"\\u0000\"]",
    "[\"\\u001f\"]",
    "[\"\\u002f\"]",
    "[\"\\u0022\"]",
    "[\"\\u005C\"]",
    "[\"\\u000D\"]",
    "[\"\\u0062\\u30d1\\u30EA\"]",
    "[\"\\u0061\\u0153\\u20AC\"]",
    "[\"a\\u00A0b\"]",
    "[\"\\u200D\\u2063\"]",
    "[\"\\uFFFE\\uFFFF\\uFDD1\"]",
    "[\"\\uD83D\\uDe00\"]",
    "[\"\\ud83c\\udf0d\\ud83d\\udc1f\"]",
    "[\"\\uDBFF\\uDFFF\\uD83F\\uDFFE\"]",
    // Raw characters, up to the last one there is.
    "[\"ß\"]",
    "[\"€ \u{1d11e}\"]",
    "[\"図書館\"]",
    "[\"\u{7f}a\u{7f}\"]",
    "[\"\u{2028}\u{2029}\"]",
    "[\"\u{ffff}\u{1bffe}\"]",
    "[\"\u{10ffff}\"]",
    "[\"x/*y*/z//w #v\"]",
    "[\"end \"]",
    "[ \"start\"]",
    // A value of its own.
    "null",
    "true",
    "false",
    "7",
    "-0.5",
    "\"\"",
    "\" \"",
    "\"text\"",
    " \"text\" ",
];

#[test]
fn every_allowed_text_is_accepted_as_a_value() {
    for value in ALLOWED {
        let made = run(&as_value(value.as_bytes())).unwrap_or_else(|failed| panic!("{value}: {failed:?}"));
        assert_eq!(made.report["rejected"], 0, "{value}: {:?}", made.quarantine);
    }
}

/// Duplicate keys keep the grammar but lose data: the record is rejected.
const REJECTED: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

#[test]
fn every_valid_text_of_json_test_suite_is_accepted_as_a_value() {
    let Some(folder) = crate::collection("JSONTestSuite") else { return };
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("y_")));
    names.sort();
    assert!(names.len() > 90, "only {} texts", names.len());
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let made = run(&as_value(&fs::read(&path).unwrap()));
        let made = made.unwrap_or_else(|failed| panic!("{name}: {failed:?}"));
        let rejected = u64::from(REJECTED.contains(&name.as_str()));
        assert_eq!(made.report["rejected"], rejected, "{name}: {:?}", made.quarantine);
    }
}

/// A record with the text as its value. A second one keeps the table from having no column at all (`{}` and
/// `null`).
fn as_value(text: &[u8]) -> Vec<u8> {
    [b"[{\"v\": ", text, b"}, {\"id\": 1}]"].concat()
}

/// Texts that RFC 8259 forbids as a value.
const FORBIDDEN: [&str; 78] = [
    "",
    ",",
    "]",
    "}",
    "[",
    "{",
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    "[1;2]",
    "[1",
    "[1}",
    "[\"a\"",
    "[[1]",
    "[1]]",
    "{\"a\":1,}",
    "{,\"a\":1}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\":1 \"b\":2}",
    "{\"a\" 1}",
    "{\"a\":}",
    "{\"a\"}",
    "{\"a\":1",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{null:1}",
    "{\"a\":1]",
    "{\"a\":1}}",
    "{\"a\"::1}",
    "{\"a\":1:2}",
    "'x'",
    "\"x",
    "x\"",
    "\"\n\"",
    "\"\t\"",
    "\"\u{1}\"",
    "\"\u{1f}\"",
    "\"\\\"",
    "\"\\x41\"",
    "\"\\a\"",
    "\"\\'\"",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u123g\"",
    "\"\\U0041\"",
    "\"\\ \"",
    "`x`",
    "NaN",
    "nan",
    "Infinity",
    "-Infinity",
    "inf",
    "undefined",
    "None",
    "True",
    "TRUE",
    "nul",
    "nulll",
    "tru",
    "falsee",
    "01",
    "-01",
    "007",
    "+1",
    "1.",
    ".5",
    "-.5",
    "-",
    "--1",
    "1e",
    "1e+",
    "1.e2",
    "0x1F",
    "1_000",
    "1 000",
    "\u{feff}1",
];

/// Comments and raw bytes that no text may hold.
const FORBIDDEN_BYTES: [&[u8]; 7] =
    [b"1 // one", b"1 /* one */", b"1 # one", b"\0", b"\x0b1", b"\xc2\xa01", b"[1\xe2\x80\xa8]"];

#[test]
fn every_forbidden_text_fails_an_array_and_costs_a_line_of_ndjson() {
    let texts = FORBIDDEN.iter().map(|text| text.as_bytes()).chain(FORBIDDEN_BYTES);
    for value in texts {
        let shown = String::from_utf8_lossy(value).into_owned();
        let array = [b"[{\"v\": ", value, b"}]"].concat();
        let failed = run(&array).map(|made| made.report).expect_err(&shown);
        assert_eq!(failed.code, "syntax_error", "{shown}: {failed:?}");
        assert!(failed.message.contains("line ") && failed.message.contains("byte "), "{shown}: {failed:?}");
        if value.contains(&b'\n') {
            continue;
        }
        let lines = [b"{\"id\":1}\n{\"v\": ", value, b"}\n{\"id\":2}\n"].concat();
        let made = run(&lines).unwrap_or_else(|failed| panic!("{shown}: {failed:?}"));
        assert_eq!(made.report["accepted"], 2, "{shown}: {}", made.report);
        assert_eq!(made.quarantine[0]["code"], "syntax_error", "{shown}");
        assert_eq!(made.quarantine[0]["line"], 2, "{shown}");
    }
}

/// Values that keep the grammar but that no table can hold as they are: their record is rejected, in
/// an array too.
const REJECTED_VALUES: [&[u8]; 12] = [
    b"\"\\ud800\"",
    b"\"\\udc00\"",
    b"\"\\ud800\\ud800\"",
    b"\"\\ud800x\"",
    b"\"\\udc00\\ud800\"",
    b"\"\xff\"",
    b"\"\xc0\x80\"",
    b"\"\xed\xa0\x80\"",
    b"1e999",
    b"-1e400",
    b"{\"a\":1,\"a\":1}",
    b"{\"a\":1,\"\\u0061\":2}",
];

#[test]
fn values_that_cannot_be_held_reject_their_record_only() {
    for value in REJECTED_VALUES {
        let shown = String::from_utf8_lossy(value).into_owned();
        for (before, after) in
            [("[{\"id\":1},{\"v\":", "},{\"id\":2}]"), ("{\"id\":1}\n{\"v\":", "}\n{\"id\":2}")]
        {
            let input = [before.as_bytes(), value, after.as_bytes()].concat();
            let made = run(&input).unwrap_or_else(|failed| panic!("{shown}: {failed:?}"));
            assert_eq!(made.report["accepted"], 2, "{shown}: {}", made.report);
            assert_eq!(made.quarantine[0]["record"], 2, "{shown}");
        }
    }
}

fn run(input: &[u8]) -> Result<drive::Made, drive::Failed> {
    // A table of its own: without one, an array that holds an object would be exploded.
    let spec = "[output]\nmax_rejected = \"100%\"\n\n[[table]]\nname = \"t\"\n".to_owned();
    drive::run(&Native, &Ask { spec, table: Some("t".to_owned()), contracts: Vec::new() }, input, 1 << 20)
}
