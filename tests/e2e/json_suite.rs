//! RFC 8259, both sides: what the grammar allows is a record's value, what it forbids is refused.

use std::fs;

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::ways::Native;

/// Duplicate keys keep the grammar but lose data: the record is rejected, as the design says.
const REJECTED: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

#[test]
fn every_valid_text_is_accepted_as_a_value() {
    let Some(folder) = crate::shared("JSONTestSuite") else { return };
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 90, "only {} texts", names.len());
    for path in names {
        let value = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A second record keeps the table from having no column at all (`{}` and `null`).
        let input = [b"[{\"v\": ", value.as_slice(), b"}, {\"id\": 1}]"].concat();
        let made = run(&input).unwrap_or_else(|failed| panic!("{name}: {failed:?}"));
        let rejected = u64::from(REJECTED.contains(&name.as_str()));
        assert_eq!(made.report["rejected"], rejected, "{name}: {:?}", made.quarantine);
    }
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
