//! Source objects: JSON, CSV, gzip, zstd, bzip2 and zip.
//!
//! Each is run in one piece and in small ones. JSON lines are also judged by the reference's parser, CSV is read
//! in blocks and record by record, gzip is compared with what another reader makes of it.

use std::io::Read;

use crate::drive::{self, Ask};
use crate::judged::{self, ALL_MAY_FAIL};
use crate::reference::json::{Wrong, parse};
use crate::reference::names::Naming;
use crate::reference::{self, Rows};
use crate::ways::Native;

use super::{ask, in_pieces, outcome, setting, tables};

/// Tokens of JSON.
pub(super) const JSON: &[&str] = &[
    "{\"a\":",
    "\"a\"",
    "\"b\":",
    "[",
    "]",
    "{}",
    "}",
    "null",
    "true",
    "false",
    "-0",
    "1e400",
    "9007199254740993",
    "1.5",
    "\"\\ud800\"",
    "\\ud83d\\ude00",
    "\\u0000",
    "\n",
    "\r\n",
    "\u{feff}",
    "é",
    "\"items\":[{",
    "007",
    "\t",
    "NaN",
    "18446744073709551616",
    "/*",
    "'",
    "\\",
    "\"2025-01-31\"",
    ",",
    "\"data\":",
    "\"columns\":[\"a\",\"b\"]",
    "\"{\\\"a\\\":1}\"",
    "{\"$oid\":\"x\"}",
    "{\"$date\":1}",
    "{\"N\":\"1\"}",
    "\"M\":{",
    "\"payload\":{",
    "\"schema\":{\"fields\":[{\"field\":\"a\"}]}",
    "\"after\":",
    "\"op\":\"c\"",
    "[{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}}]",
    "\"value\":",
];

/// Tokens of CSV.
pub(super) const CSV: &[&str] = &[
    ",",
    ";",
    "\t",
    "\"",
    "\"\"",
    "'",
    "\n",
    "\r\n",
    "\r",
    "NA",
    "007",
    "1,5",
    "1.5",
    "-",
    "+1",
    "12345678",
    "123456789",
    "2025-02-29",
    "2024-02-29",
    "2025-01-31T23:59:59.999+02:00",
    "true",
    "FALSE",
    "1e5",
    ".5",
    "é",
    "\u{feff}",
    " ",
    "99999999999999999999",
    "#",
    "# x\n",
    "#Fields: a b\n",
    "sep=;\n",
    " \"a, b\" ",
    "^",
    "\u{1}",
    "a,b,c,d,e,f,g\n",
    "x,1,1.5,2025-01-01,true,1.25,2025-01-01T00:00:00Z\n",
];

/// Every type of column, by the names of the corpus.
const TYPED: &str = "
[[table.column]]
name = \"a\"
type = \"string\"
[[table.column]]
name = \"b\"
type = \"bigint\"
[[table.column]]
name = \"c\"
type = \"double\"
[[table.column]]
name = \"d\"
type = \"date\"
[[table.column]]
name = \"e\"
type = \"boolean\"
[[table.column]]
name = \"f\"
type = \"decimal(9,2)\"
[[table.column]]
name = \"g\"
type = \"timestamp\"
";

/// The same columns, their values as people write them.
const WRITTEN: &str = "
[[table.column]]
name = \"a\"
type = \"string\"
trim = true
null_values = [\"NA\", \"-\"]
[[table.column]]
name = \"b\"
type = \"bigint\"
thousands = \"'\"
[[table.column]]
name = \"c\"
type = \"double\"
decimal = \",\"
strip = [\"$\", \"é\"]
accounting = true
[[table.column]]
name = \"d\"
type = \"date\"
trim = true
[[table.column]]
name = \"e\"
type = \"boolean\"
true_values = [\"true\", \"1\"]
[[table.column]]
name = \"f\"
type = \"decimal(9,2)\"
thousands = \" \"
null_values = []
[[table.column]]
name = \"g\"
type = \"timestamp(6)\"
mask = \"null\"
";

/// A table that takes no row and whose array keeps CSV from coming in blocks.
const SLOW: &str = "
[[table]]
name = \"slow\"
rows = \"no_such_column\"
empty = \"drop\"
mode = \"discard\"
[[table.column]]
name = \"x\"
from = \"no_such_column.x\"
type = \"string\"
";

/// The first byte is the spec, the second the size of the pieces.
pub(super) fn json(data: &[u8]) -> String {
    let (number, rest) = setting(data);
    let (chunk, input) = setting(rest);
    if number == 0 {
        return grammar(input, chunk + 1);
    }
    let ask = ask(&json_spec(number));
    let ran = in_pieces(&ask, input, chunk + 1);
    if let Ok(made) = &ran
        && let Some(proposal) = &made.proposal
    {
        pinned(proposal, made, input);
    }
    format!("{number} {}", outcome(&ran))
}

/// The specs of [`json`], and those of the target `component`.
pub(super) fn json_spec(number: usize) -> String {
    let table = "[[table]]\nname = \"t\"\n";
    let more = match number {
        1 => String::new(),
        2 => "[input]\nformat = \"json\"\n".to_owned(),
        3 => format!("{table}rows = \"items\"\nempty = \"drop\"\n"),
        4 => format!("{table}mode = \"freeze\"\n{TYPED}"),
        5 => "[input]\nrecords = \"data\"\n".to_owned(),
        6 => format!("{table}numbers = \"double\"\nnames = \"leaf\"\npartition_by = [\"a\"]\n"),
        8 => "[input]\nrecords = \"data.*\"\nkey = \"id\"\n".to_owned(),
        9 => "[input]\nconventions = [\"mongodb\", \"dynamodb\", \"otlp\"]\nparse_json = [\"a\", \"b.a\"]\n".to_owned(),
        10 => format!("[input]\nconventions = [\"debezium\"]\n{table}rows = \"items[].a\"\n"),
        11 => format!("[input]\nconventions = [\"kafka-connect\"]\n{table}rows = \"a.*\"\n"),
        12 => "[input]\nformat = \"json\"\nrecords = \"data\"\ncolumns_at = \"columns\"\nshort_rows = \"pad\"\nlong_rows = \"name\"\n".to_owned(),
        13 => "[input]\nheader = false\ncolumns = [\"a\", \"b\"]\n".to_owned(),
        14 => format!("{table}[[table.column]]\nname = \"x\"\nfrom = \"a[0]\"\n[[table.column]]\nname = \"y\"\nfrom = \"items[1].a[0]\"\n"),
        _ => {
            format!("[input]\nformat = \"ndjson\"\n{table}rows = \"items\"\n[[table]]\nname = \"u\"\n{TYPED}")
        }
    };
    format!("{ALL_MAY_FAIL}{more}")
}

/// The spec that a first pass proposes pins what it learned: with it, one pass makes the same rows.
fn pinned(proposal: &str, made: &drive::Made, input: &[u8]) {
    let contracts = made.contracts.clone();
    let again = Ask { spec: proposal.to_owned(), table: Some("t".to_owned()), contracts };
    match drive::run(&Native, &again, input, 1 << 20) {
        Ok(second) => assert_eq!(tables(&second), tables(made), "with the proposed spec:\n{proposal}"),
        Err(failed) => {
            // What the first spec lets pass, the proposal may count as too many.
            assert_eq!(failed.code, "too_many_rejected", "{failed:?}, by the proposed spec:\n{proposal}");
        }
    }
}

/// Lines of JSON under one column of JSON text: the transform and the reference reject the same ones.
fn grammar(input: &[u8], chunk: usize) -> String {
    let spec = format!(
        "{ALL_MAY_FAIL}[input]\nformat = \"ndjson\"\ncompression = \"none\"\n[[table]]\nname = \"t\"\nmode = \"discard\"\n\
         [[table.column]]\nname = \"a\"\nfrom = \"/a\"\ntype = \"json\"\n"
    );
    let ran = in_pieces(&ask(&spec), input, chunk);
    let text =
        std::str::from_utf8(input).ok().filter(|text| !text.starts_with('\u{feff}') && !text.contains('\0'));
    if let (Some(text), Ok(made)) = (text, &ran) {
        let records: Vec<String> = text.split('\n').flat_map(values).collect();
        let column = ("a".to_owned(), vec!["a".to_owned()], Some("json".to_owned()));
        let table = judged::table("t", Rows::Record, Naming::Path);
        let asked = reference::Ask { discard: true, declared: vec![column], ..table };
        let expected = judged::text_of_outcome(&reference::transform(&records, &[asked]));
        assert_eq!(judged::text_of_made(made), expected, "the transform and the reference");
    }
    format!("0 {}", outcome(&ran))
}

/// The values of a line: usually one, but each may be followed by another. What is broken is the line's last one.
fn values(line: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        let end = match parse(rest) {
            // A number or a word must end before the brace.
            Err(Wrong::Syntax(at)) if rest[at..].starts_with('{') && !rest[..at].ends_with(is_word) => at,
            _ => rest.len(),
        };
        // Where the text before the brace is no value either, the brace is not where the next one begins.
        let whole = end == 0 || matches!(parse(&rest[..end]), Err(Wrong::Syntax(_)));
        let (value, after) = if whole { (rest, "") } else { rest.split_at(end) };
        found.push(value.to_owned());
        rest = after;
    }
    found
}

/// The first byte is the dialect, the second the size of the pieces; all but the last two have the header before.
pub(super) fn csv(data: &[u8]) -> String {
    let (number, rest) = setting(data);
    let (chunk, body) = setting(rest);
    let (input, delimiter) = match number {
        0 => ("format = \"csv\"\ndelimiter = \",\"", ","),
        1 => ("format = \"csv\"\ndelimiter = \",\"\nnull_values = [\"NA\", \"-\"]\nquote = \"'\"", ","),
        2 => ("format = \"csv\"\ndelimiter = \";\"\ndecimal = \",\"\ntimezone = \"+02:00\"", ";"),
        3 => ("format = \"tsv\"\nencoding = \"latin1\"", "\t"),
        4 => ("format = \"csv\"\ndelimiter = \"|\"", "|"),
        5 => ("format = \"csv\"\nheader = false", ""),
        6 => ("format = \"csv\"\ndelimiter = \"||\"\nescape = \"\\\\\"\nquoted_empty = \"text\"", "||"),
        7 => (
            "format = \"csv\"\ndelimiter = \"|\"\nquote = \"none\"\nshort_rows = \"pad\"\nlong_rows = \"cut\"",
            "|",
        ),
        8 => (
            "format = \"csv\"\ndelimiter = \",\"\nfooter_lines = 2\nfooter_at = \"***\"\ntrailing_delimiter = true\nshort_rows = \"pad\"\nlong_rows = \"name\"\nencoding = \"windows-1251\"",
            ",",
        ),
        _ => return format!("{number} {}", outcome(&in_pieces(&ask(ALL_MAY_FAIL), body, chunk + 1))),
    };
    if delimiter.is_empty() {
        let ask = ask(&format!("{ALL_MAY_FAIL}[input]\n{input}\n"));
        return format!("{number} {}", outcome(&in_pieces(&ask, body, chunk + 1)));
    }
    let mode = if chunk % 2 == 0 { "freeze" } else { "discard" };
    let columns = if chunk % 3 == 1 { WRITTEN } else { TYPED };
    let spec =
        format!("{ALL_MAY_FAIL}[input]\n{input}\n[[table]]\nname = \"t\"\nmode = \"{mode}\"\n{columns}");
    let header = ["a", "b", "c", "d", "e", "f", "g"].join(delimiter) + "\n";
    let input = [header.as_bytes(), body].concat();
    let ran = in_pieces(&ask(&spec), &input, chunk + 1);
    let slow = drive::run(&Native, &ask(&format!("{spec}{SLOW}")), &input, 1 << 20);
    match (&ran, &slow) {
        (Ok(quick), Ok(slow)) => {
            assert_eq!(quick.quarantine, slow.quarantine, "rejected in blocks and record by record");
            assert_eq!(quick.report["accepted"], slow.report["accepted"]);
            assert_eq!(tables(quick), tables(slow), "in blocks and record by record");
        }
        (Err(quick), Err(slow)) => assert_eq!(quick.code, slow.code),
        (quick, slow) => panic!("in blocks {}, record by record {}", outcome(quick), outcome(slow)),
    }
    format!("{number} {}", outcome(&ran))
}

/// What the transform reads of a gzip is what another reader reads of it.
pub(super) fn gzip(data: &[u8]) -> String {
    let (chunk, input) = setting(data);
    let spec = |compression| format!("{ALL_MAY_FAIL}[input]\ncompression = \"{compression}\"\n");
    let ran = in_pieces(&ask(&spec("gzip")), input, chunk + 1);
    if let Ok(made) = &ran {
        let mut plain = Vec::new();
        // The other reader takes the padding behind the last member for a broken one: what came before counts.
        let _ = flate2::read::MultiGzDecoder::new(input).read_to_end(&mut plain);
        let other = drive::run(&Native, &ask(&spec("none")), &plain, 1 << 20);
        assert_eq!(other.as_ref().map(tables), Ok(tables(made)), "as gzip and as what is in it");
    }
    outcome(&ran)
}

/// A zstd, of which there is no second reader here.
pub(super) fn zstd(data: &[u8]) -> String {
    let (chunk, input) = setting(data);
    let ran = in_pieces(&ask(&format!("{ALL_MAY_FAIL}[input]\ncompression = \"zstd\"\n")), input, chunk + 1);
    outcome(&ran)
}

/// A bzip2, of which there is no second reader here.
pub(super) fn bzip2(data: &[u8]) -> String {
    let (chunk, input) = setting(data);
    let ran = in_pieces(&ask(&format!("{ALL_MAY_FAIL}[input]\ncompression = \"bzip2\"\n")), input, chunk + 1);
    outcome(&ran)
}

/// Tokens of zip.
pub(super) const ZIP: &[&str] =
    &["PK\u{3}\u{4}", "PK\u{1}\u{2}", "PK\u{5}\u{6}", "PK\u{6}\u{6}", "PK\u{7}\u{8}", "\0\0\0\0", "a.json"];

/// A zip, of which there is no second reader here: the oracles have one.
pub(super) fn zip(data: &[u8]) -> String {
    let (chunk, input) = setting(data);
    let ran = in_pieces(&ask(&format!("{ALL_MAY_FAIL}[input]\ncompression = \"zip\"\n")), input, chunk + 1);
    outcome(&ran)
}
