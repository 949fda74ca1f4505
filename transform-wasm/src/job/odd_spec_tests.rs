//! Whatever a spec says: it is refused by name, or the job runs to its end; never a panic, which would be
//! a trap in the sandbox, and never an internal failure.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;

use crate::error::{Failure, Fault};
use crate::spec::Spec;
use crate::{Job, Options, Step, TableContract};

/// Small inputs of each form, none of them quite clean.
const INPUTS: [&[u8]; 6] = [
    b"{\"id\":1,\"a\":\"x\",\"b\":2.5,\"items\":[{\"sku\":\"k\",\"n\":1},{\"sku\":null,\"n\":2}],\"at\":\"2025-01-02\"}\n{\"id\":2,\"a\":null,\"items\":[]}\n",
    b"[{\"id\":1,\"a\":{\"b\":[1,2]},\"items\":null},{\"id\":9223372036854775807,\"a\":\"\\u00e9\"},3,null]",
    b"{\"data\":{\"orders\":[{\"id\":1,\"items\":[{\"n\":1}]}]}}",
    b"id,a,b,at\n1,\"x\"\"y\",2.5,2025-01-02\n2,,3,\n,'z',1;5,01-02-2025\n",
    b"a\tb\r\n1\t2\r\n\r\n3\t4\t5\r\n",
    b"",
];

const CHARS: [&str; 20] = [
    "\\u0000", "\\n", "\\r", "\\t", " ", "\\\"", "'", ",", ";", "|", ".", "a", "1", "-", "\\\\", "\u{e9}",
    "\u{20ac}", "\\u007f", "\\u0001", "",
];
const NUMBERS: [&str; 16] = [
    "0",
    "1",
    "2",
    "3",
    "64",
    "128",
    "511",
    "512",
    "513",
    "1000",
    "-1",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "1.5",
    "\"7\"",
];
const PATHS: [&str; 22] = [
    "",
    ".",
    "/",
    "//",
    "a",
    "b",
    "id",
    "items",
    "/items",
    "items.n",
    "/items/*",
    "/items/*/n",
    "items.*.n",
    "*",
    "/*",
    "~",
    "/~2",
    "/~0~1",
    "a..b",
    "data.orders",
    "/data/orders",
    "a.b",
];
const NAMES: [&str; 10] = ["id", "a", "b", "n", "items", "at", "t", "", "Id", "\u{e9}"];
const TYPES: [&str; 16] = [
    "boolean",
    "bigint",
    "double",
    "string",
    "date",
    "timestamp",
    "json",
    "decimal(1,0)",
    "decimal(38,38)",
    "decimal(38,0)",
    "decimal(0,0)",
    "decimal(39,1)",
    "decimal(255,255)",
    "decimal(1,2)",
    "decimal(,)",
    "int",
];
/// How values are written, with any sign for `?`.
const WRITTEN: [&str; 8] = [
    "type = \"double\"\nthousands = \".\"\ndecimal = \",\"\n",
    "type = \"decimal(9,2)\"\nthousands = \"?\"\nstrip = [\"?\"]\n",
    "type = \"bigint\"\nstrip = [\"$\", \"x\"]\naccounting = true\n",
    "type = \"boolean\"\ntrue_values = [\"1\", \"x\"]\nfalse_values = [\"?\"]\n",
    "type = \"boolean\"\nfalse_values = [\"2\"]\n",
    "type = \"string\"\ntrim = true\n",
    "type = \"timestamp\"\nformat = \"epoch_ms\"\ntrim = true\n",
    "type = \"string\"\naccounting = true\ndecimal = \"?\"\n",
];
const FORMATS: [&str; 16] = [
    "%Y-%m-%d",
    "epoch_ms",
    "epoch_s",
    "%d-%m-%Y",
    "%Y%m%d",
    "%s",
    "%s%f",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%",
    "%%",
    "%Q",
    "",
    "%.",
    "%:",
    "\u{e9}%Y",
    "%Y %j %p",
];
const SQL: [&str; 30] = [
    "a",
    "id",
    "b",
    "n",
    "id + 1",
    "id / 0",
    "id % 0",
    "-id",
    "9223372036854775807 + id",
    "-9223372036854775808 % -1",
    "abs(-9223372036854775808)",
    "round(b, 400)",
    "round(b, -400)",
    "CAST(a AS decimal(38,38))",
    "CAST(b AS decimal(1,0))",
    "CAST(id AS date)",
    "CAST(a AS timestamp)",
    "substr(a, -9223372036854775808, 9223372036854775807)",
    "substr(a, 0)",
    "replace(a, '', a)",
    "a LIKE '%_%\\\\%'",
    "parse_date(a, '%')",
    "parse_date(a, '%Y-%m-%d')",
    "year(at)",
    "NOT NOT (id > 0)",
    "CASE WHEN id > 1 THEN a END",
    "id BETWEEN 1 AND 0",
    "coalesce(a, a)",
    "",
    "(((((((((1",
];
const ZONES: [&str; 9] = ["UTC", "Z", "+02:00", "-23:59", "+99:99", "+2", "", "Europe/Berlin", "\u{e9}"];
const SHARES: [&str; 10] =
    ["0", "3", "\"5%\"", "\"100%\"", "\"0%\"", "\"101%\"", "\"%\"", "-1", "\"1e9%\"", "18446744073709551615"];

/// A spec that is good, to be damaged.
const GOOD: [&str; 3] = [
    "version = 1\n[input]\nformat = \"csv\"\ndelimiter = \";\"\nquote = \"'\"\nheader = true\ndecimal = \",\"\nnull_values = [\"-\"]\ntimezone = \"+01:00\"\n",
    "[[table]]\nname = \"t\"\nrows = \"items\"\npartition_by = [\"year(at) AS y\"]\nfilter = \"n > 0\"\ndrop_nulls = [\"id\"]\n[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n[[table.column]]\nname = \"n\"\nfrom = \"items.n\"\ntype = \"decimal(10,2)\"\n[[table.column]]\nname = \"at\"\ntype = \"date\"\nformat = \"%Y-%m-%d\"\n[[table.derive]]\nname = \"twice\"\nsql = \"n * 2\"\n[[table.check]]\nname = \"c\"\nsql = \"id > 0\"\non_fail = \"warn\"\n",
    "[output]\nmax_rejected = \"100%\"\ncompression = \"none\"\n[limits]\ndepth = 5\ncolumns = 10\npartitions = 3\nrecord_bytes = 1000\n[[table]]\nname = \"a\"\nmode = \"discard\"\nnumbers = \"double\"\n[[table]]\nname = \"b\"\nrows = \"items\"\nempty = \"drop\"\nnames = \"leaf\"\n",
];

fn text(values: &'static [&'static str]) -> BoxedStrategy<String> {
    select(values).prop_map(|value| format!("\"{value}\"")).boxed()
}

/// One of those that are good nearly everywhere, and now and then any.
fn mostly(good: &'static [&'static str], any: &'static [&'static str]) -> BoxedStrategy<String> {
    prop_oneof![12 => text(good), 1 => text(any)].boxed()
}

fn plain(values: &'static [&'static str]) -> BoxedStrategy<String> {
    select(values).prop_map(str::to_owned).boxed()
}

fn list(values: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::collection::vec(text(values), 0..4).prop_map(|all| format!("[{}]", all.join(", "))).boxed()
}

/// Some of the options of a section, each once, in the order given.
fn section(options: Vec<(&'static str, BoxedStrategy<String>)>) -> impl Strategy<Value = String> {
    let options: Vec<_> = options
        .into_iter()
        .map(|(key, value)| {
            let line = value.prop_map(move |value| format!("{key} = {value}\n"));
            prop_oneof![5 => Just(String::new()), 2 => line]
        })
        .collect();
    options.prop_map(|lines| lines.concat())
}

fn input() -> impl Strategy<Value = String> {
    section(vec![
        ("format", mostly(&["auto", "json", "ndjson", "csv", "tsv"], &["xml", ""])),
        ("compression", text(&["auto", "none", "gzip"])),
        ("encoding", mostly(&["utf-8", "latin1", "utf-16", "windows-1251", "iso-8859-15"], &["gbk", ""])),
        ("escape", mostly(&["\\\\", "~"], &CHARS)),
        ("skip_lines", plain(&["0", "1", "3", "1001"])),
        ("header_at", mostly(&["a", "id", "x,y"], &CHARS)),
        ("footer_lines", plain(&["0", "1", "2"])),
        ("footer_at", mostly(&["***", "x"], &CHARS)),
        ("trailing_delimiter", plain(&["true", "false"])),
        ("short_rows", text(&["reject", "pad"])),
        ("long_rows", text(&["reject", "cut", "name"])),
        ("quoted_empty", text(&["null", "text"])),
        ("records", mostly(&["data.orders", "/data/orders", "items"], &PATHS)),
        ("delimiter", mostly(&[",", ";", "|", "\\t", "\\u0001", " ", "||", "~|~"], &CHARS)),
        ("quote", mostly(&["'", "\\\"", "|", "a", "\\u0001", "none"], &CHARS)),
        ("comment", mostly(&["#", "//", "none"], &CHARS)),
        ("header", plain(&["true", "false"])),
        ("columns", list(&NAMES)),
        ("decimal", mostly(&[".", ","], &CHARS)),
        ("null_values", list(&CHARS)),
        ("timezone", mostly(&ZONES[..4], &ZONES)),
    ])
}

fn table() -> impl Strategy<Value = String> {
    let column = section(vec![
        ("name", mostly(&NAMES[..7], &NAMES)),
        (
            "from",
            mostly(&["a", "b", "id", "/items", "items.n", "/items/*/n", "items.*.n", "/*", "/~0~1"], &PATHS),
        ),
        ("type", mostly(&TYPES[..10], &TYPES)),
        ("format", mostly(&FORMATS[..8], &FORMATS)),
        ("cast", plain(&["true", "false"])),
    ]);
    let keys = section(vec![
        ("name", mostly(&NAMES[..7], &NAMES)),
        ("from", mostly(&["a", "b", "id", "items.n"], &PATHS)),
        ("null_values", list(&CHARS)),
    ]);
    let written = (keys, select(&WRITTEN[..]), select(&CHARS[..]))
        .prop_map(|(keys, written, sign)| format!("{keys}{}", written.replace('?', sign)));
    let column = prop_oneof![4 => column, 1 => written];
    let derive = section(vec![
        ("name", mostly(&NAMES[..7], &NAMES)),
        ("sql", mostly(&SQL[..26], &SQL)),
        ("type", mostly(&TYPES[..10], &TYPES)),
    ]);
    let check = section(vec![
        ("name", mostly(&NAMES[..7], &NAMES)),
        ("sql", mostly(&["id > 1", "a IS NOT NULL", "n + id < 3"], &SQL)),
        ("on_fail", text(&["warn", "reject", "fail"])),
    ]);
    let options = section(vec![
        ("name", mostly(&NAMES[..7], &NAMES)),
        ("rows", mostly(&["items", "/items", "a.b", "b"], &PATHS)),
        ("empty", text(&["keep", "drop"])),
        ("mode", text(&["evolve", "freeze", "discard"])),
        ("names", text(&["path", "leaf"])),
        ("numbers", text(&["exact", "double"])),
        ("partition_by", list(&["id", "a", "at", "n % 2 AS y", "a AS a", "", "1 AS é", "b"])),
        ("drop_nulls", prop_oneof![plain(&["true", "false"]), list(&NAMES)].boxed()),
        ("filter", mostly(&["id > 1", "a LIKE '%'", "NOT (n IS NULL)", "b = 2.5"], &SQL)),
    ]);
    let below = |head: &'static str, body: BoxedStrategy<String>| {
        let one = body.prop_map(move |body| format!("{head}\n{body}"));
        proptest::collection::vec(one, 0..3).prop_map(|all| all.concat())
    };
    // Names are mostly there: a spec that lacks one says nothing about what comes after it.
    let named = |body: BoxedStrategy<String>| {
        (body, select(&NAMES[..7])).prop_map(|(body, name)| {
            if body.contains("name =") { body } else { format!("name = \"{name}\"\n{body}") }
        })
    };
    (
        named(options.boxed()),
        below("[[table.column]]", named(column.boxed()).boxed()),
        below("[[table.derive]]", named(derive.boxed()).boxed()),
        below("[[table.check]]", named(check.boxed()).boxed()),
    )
        .prop_map(|(options, columns, derives, checks)| {
            format!("[[table]]\n{options}{columns}{derives}{checks}")
        })
}

fn any_spec() -> impl Strategy<Value = String> {
    let output = section(vec![
        ("max_rejected", prop_oneof![6 => plain(&SHARES[..5]), 1 => plain(&SHARES)].boxed()),
        ("on_reupload", text(&["replace", "append"])),
        ("compression", text(&["snappy", "none", "zstd"])),
    ]);
    let limits = section(vec![
        ("record_bytes", prop_oneof![3 => plain(&NUMBERS[1..10]), 1 => plain(&NUMBERS)].boxed()),
        ("depth", plain(&NUMBERS[1..7])),
        ("columns", plain(&NUMBERS[..10])),
        ("partitions", plain(&NUMBERS[..10])),
    ]);
    let tables = proptest::collection::vec(table(), 0..3).prop_map(|all| all.concat());
    (input(), output, limits, tables).prop_map(|(input, output, limits, tables)| {
        format!("[input]\n{input}[output]\n{output}[limits]\n{limits}{tables}")
    })
}

/// A good spec with a few pieces cut out, doubled or overwritten.
fn damaged_spec() -> impl Strategy<Value = String> {
    let cut = (any::<Index>(), any::<Index>(), select(&CHARS[..]), 0..3_u8);
    (select(&GOOD[..]), proptest::collection::vec(cut, 1..4)).prop_map(|(good, cuts)| {
        let mut chars: Vec<char> = good.chars().collect();
        for (from, length, put, how) in cuts {
            let from = from.index(chars.len());
            let to = from + length.index(8).min(chars.len() - from);
            let piece: Vec<char> = chars[from..to].to_vec();
            let put: Vec<char> = match how {
                0 => put.chars().collect(),
                1 => [piece.clone(), piece].concat(),
                _ => Vec::new(),
            };
            chars.splice(from..to, put);
            if chars.is_empty() {
                break;
            }
        }
        chars.into_iter().collect()
    })
}

/// Both passes of a job; the failure, if it comes to one.
fn run(spec: &str, data: &[u8]) -> Result<(), Failure> {
    let mut contracts: Vec<TableContract> = Vec::new();
    for final_pass in [false, true] {
        let mut job = Job::open(Options {
            spec: spec.to_owned(),
            table: Some("t".into()),
            contracts: std::mem::take(&mut contracts),
            final_pass,
            ..Options::default()
        })?;
        let mut rest = Some(data);
        for steps in 0.. {
            assert!(steps < 10_000, "the job does not end");
            match job.step()? {
                Step::NeedInput => match rest.take() {
                    Some(data) => job.push(data),
                    None => job.end(),
                },
                Step::Done(_) => return Ok(()),
                Step::Widen(widened) => {
                    Spec::parse(&widened.spec)
                        .unwrap_or_else(|failure| panic!("proposed: {failure}\n{}", widened.spec));
                    contracts = widened.contracts;
                    break;
                }
                _ => {}
            }
        }
    }
    panic!("the final pass widens")
}

/// What may come of any spec.
fn judge(spec: &str) {
    for data in INPUTS {
        if let Err(failure) = run(spec, data) {
            assert_ne!(failure.fault, Fault::Internal, "{}: {}\n{spec}", failure.code, failure.message);
        }
    }
}

#[test]
fn good_specs_are_taken() {
    for spec in GOOD {
        assert!(
            Job::open(Options { spec: spec.into(), table: Some("t".into()), ..Options::default() }).is_ok(),
            "{spec}"
        );
    }
}

/// Specs that are all refused would prove little.
#[test]
fn many_odd_specs_are_taken() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let taken = (0..500).filter(|_| {
        let spec = any_spec().new_tree(&mut runner).unwrap().current();
        Job::open(Options { spec, table: Some("t".into()), ..Options::default() }).is_ok()
    });
    let taken = taken.count();
    assert!(taken > 25, "{taken} of 500");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spec_of_any_options_never_traps(spec in any_spec()) {
        judge(&spec);
    }

    #[test]
    fn a_damaged_spec_never_traps(spec in damaged_spec()) {
        judge(&spec);
    }
}
