//! Bounded work: over each kind of input that is made to cost much, the guest's work grows as the input does.
//!
//! Counted is fuel, about one a Wasm instruction, so that a slow machine fails nothing. A row says how an input of
//! a size is made; four times the size may take 4.8 times the fuel, which allows n log n and nothing worse. What an
//! object comes to is no matter here: a clear failure is an answer too, if it comes as cheaply.

use std::fmt::Write as _;
use std::io::Write as _;

use lakegate_sandbox::{JobOptions, Limits, Sandbox, Step, TableContract, Transform};
use lakegate_tests::worst::{
    ALL_REJECTED, closed, each, keys, keys_of_one_hash, keys_of_one_name, numbers_of_one_hash, object, times,
};

/// Four times the input may take so many times the fuel, in tenths.
const TENTHS: u64 = 48;
/// The same where an ordered map holds most: it grows deeper by steps.
const TENTHS_OF_A_TREE: u64 = 54;
/// Fuel that no comparison counts: opening a job and what is done once.
const ONCE: u64 = 1_000_000;
/// As the host hands bytes over.
const CHUNK: usize = 1 << 20;

/// A kind of input.
struct Row {
    name: &'static str,
    /// The smallest of its three sizes.
    size: usize,
    chunk: usize,
    tenths: u64,
    make: fn(usize) -> (String, Vec<u8>),
}

const fn row(name: &'static str, size: usize, make: fn(usize) -> (String, Vec<u8>)) -> Row {
    Row { name, size, chunk: CHUNK, tenths: TENTHS, make }
}

const fn tree(name: &'static str, size: usize, make: fn(usize) -> (String, Vec<u8>)) -> Row {
    Row { name, size, chunk: CHUNK, tenths: TENTHS_OF_A_TREE, make }
}

const fn bytewise(name: &'static str, size: usize, make: fn(usize) -> (String, Vec<u8>)) -> Row {
    Row { name, size, chunk: 1, tenths: TENTHS, make }
}

fn free(input: String) -> (String, Vec<u8>) {
    (ALL_REJECTED.to_owned(), input.into_bytes())
}

fn wide(input: String) -> (String, Vec<u8>) {
    (format!("{ALL_REJECTED}[limits]\ncolumns = 50000\n"), input.into_bytes())
}

fn one(ty: &str, more: &str, input: String) -> (String, Vec<u8>) {
    (closed(more, &[("a", ty)]), input.into_bytes())
}

const NDJSON: &str = "[input]\nformat = \"ndjson\"\n";
const CSV: &str = "[input]\nformat = \"csv\"\n";

/// Records that are not taken.
const REJECTS: &[Row] = &[
    row("JSON lines of another type", 2_000, |n| one("bigint", "", times(n, "{\"a\":\"x\"}\n"))),
    row("JSON lines that are broken", 2_000, |n| one("bigint", NDJSON, times(n, "{\"a\":\n"))),
    row("elements of another type", 2_000, |n| {
        one("bigint", "", format!("[{}{{}}]", times(n, "{\"a\":\"x\"},\n")))
    }),
    row("elements of another type on one line", 2_000, |n| {
        one("bigint", "", format!("[{}{{}}]", times(n, "{\"a\":\"x\"},")))
    }),
    row("many records on one line", 4_000, |n| one("bigint", NDJSON, times(n, "{\"a\":1}") + "\n")),
    row("many broken records on one line", 2_000, |n| {
        one("bigint", NDJSON, times(n, "{\"a\":\"x\"}") + "\n")
    }),
    row("CSV lines of too many fields", 2_000, |n| one("bigint", CSV, format!("a\n{}", times(n, "1,2\n")))),
    row("CSV lines of another type", 2_000, |n| one("bigint", CSV, format!("a\n{}", times(n, "1\nx\n")))),
    row("CSV text behind a quote", 2_000, |n| one("string", CSV, format!("a\n{}", times(n, "\"x\"y\n")))),
    row("CSV text behind a quote, lines ending in CR", 2_000, |n| {
        one("string", CSV, format!("a\r{}", times(n, "\"x\"y\r")))
    }),
    row("CSV that is not UTF-8 at the end of each block", 8_000, |n| {
        let (spec, mut input) = one("string", CSV, format!("a\n{}", times(n, "xyz\n")));
        input.iter_mut().skip(65 * 4).step_by(66 * 4).for_each(|byte| *byte = 0xff);
        (spec, input)
    }),
    row("a quote that is never closed", 30_000, |n| one("string", CSV, format!("a\n\"{}", times(n, "x,\n")))),
    row("a check that all fail", 2_000, |n| {
        let (spec, input) = one("bigint", "", times(n, "{\"a\":1}\n"));
        (spec + "[[table.check]]\nname = \"c\"\nsql = \"a > 1\"\n", input)
    }),
    row("keys that come twice", 2_000, |n| one("json", "", times(n, "{\"a\":1,\"a\":2}\n"))),
    row("keys that come twice further in", 2_000, |n| {
        one("json", "", times(n, "{\"a\":{\"b\":1,\"b\":2}}\n"))
    }),
];

/// Names of keys, headers and columns.
const NAMES: &[Row] = &[
    row("a header that repeats", 300, |n| wide(times(n, "a,") + "a\n" + &times(n, "1,") + "1\n")),
    row("a header that repeats, and what it would be called then", 250, |n| {
        wide(each(n, |text, i| write!(text, "a,a_{i},").unwrap()) + "a\n" + &times(2 * n, "1,") + "1\n")
    }),
    row("many headers, to the limit", 12_500, |n| {
        free(keys(n).join(",") + "\n" + &times(n - 1, "1,") + "1\n")
    }),
    row("many headers", 300, |n| wide(keys(n).join(",") + "\n" + &times(n - 1, "1,") + "1\n")),
    row("many columns", 400, |n| free(object(&keys(n), "1"))),
    row("more columns than the limit", 10_000, |n| free(object(&keys(n), "1"))),
    row("many columns that are null", 500, |n| free(object(&keys(n), "null"))),
    row("many columns of two types", 300, |n| free(object(&keys(n), "1") + &object(&keys(n), "\"x\""))),
    row("columns of one name", 300, |n| free(object(&keys_of_one_name(n), "1"))),
    row("leaves of one name", 300, |n| free(object(&keys(n), "{\"x\":{\"y\":{\"z\":1}}}"))),
    tree("columns whose keys have one hash", 400, |n| wide(object(&keys_of_one_hash(n), "1"))),
    row("records whose keys have one hash", 500, |n| {
        let mut keys = keys_of_one_hash(200);
        let first = object(&keys, "1");
        keys.reverse();
        free(first + &times(n / 20, &object(&keys, "1")))
    }),
    tree("unknown keys of one hash", 1_000, |n| one("json", "", object(&keys_of_one_hash(n), "1"))),
    tree("unknown keys of one hash that are dropped", 1_000, |n| {
        let (spec, input) = one("json", "", object(&keys_of_one_hash(n), "1") + "{\"a\":1}\n");
        (spec.replace("freeze", "discard"), input)
    }),
    tree("keys of one hash in a JSON column", 1_000, |n| {
        one("json", "", format!("{{\"a\":{}}}\n", object(&keys_of_one_hash(n), "1").trim_end()))
    }),
    row("keys in a JSON column", 4_000, |n| {
        one("json", "", format!("{{\"a\":{}}}\n", object(&keys(n), "1").trim_end()))
    }),
    row("keys with escapes in a JSON column", 2_000, |n| {
        let keys: Vec<String> = keys(n).iter().map(|key| format!("\\u0061{key}")).collect();
        one("json", "", format!("{{\"a\":{}}}\n", object(&keys, "1").trim_end()))
    }),
];

/// Values, nesting, and how the bytes come.
const VALUES: &[Row] = &[
    row("numbers of one hash", 4_000, |n| {
        let lines: Vec<String> =
            numbers_of_one_hash(n).map(|number| format!("{{\"a\":{number}}}\n")).collect();
        one("bigint", "", lines.concat())
    }),
    row("few numbers of one hash", 4_000, |n| {
        let lines: Vec<String> =
            numbers_of_one_hash(200).map(|number| format!("{{\"a\":{number}}}\n")).collect();
        one("bigint", "", times(n / 200, &lines.concat()))
    }),
    row("long texts that differ at their ends", 500, |n| {
        one(
            "string",
            "",
            each(n, |text, i| writeln!(text, "{{\"a\":\"{}{i}\"}}", times(40, "xxxxx")).unwrap()),
        )
    }),
    row("one long text with escapes", 20_000, |n| {
        one("string", "", format!("{{\"a\":\"{}\"}}\n", times(n, "\\u00e9\\n\\\"")))
    }),
    row("one long number", 20_000, |n| {
        one("decimal(38,2)", "", format!("{{\"a\":{}}}\n", times(n, "12345")))
    }),
    row("nesting to the limit and beyond", 10_000, |n| {
        one("json", "", format!("{{\"a\":{}{}}}\n", times(n, "["), times(n, "]")))
    }),
    row("many records nested deeply", 200, |n| {
        free(times(n, &format!("{{\"a\":{}1{}}}\n", times(100, "{\"b\":"), times(100, "}"))))
    }),
    row("one array of many elements", 4_000, |n| {
        let (spec, input) = free(format!("{{\"a\":[{}{{}}]}}\n", times(n, "{\"b\":1},")));
        (spec + "[[table]]\nname = \"t\"\nrows = \"a\"\n", input)
    }),
    row("white space", 40_000, |n| one("bigint", "", format!("[{}{{\"a\":1}}]", times(n, " \n")))),
    row("blank lines of CSV", 20_000, |n| one("bigint", CSV, format!("a\n{}1\n", times(n, "\n")))),
    row("quotes in one field", 20_000, |n| one("string", CSV, format!("a\n\"{}\"\n", times(n, "\"\"")))),
    row("fields with quotes", 4_000, |n| {
        one("string", CSV, format!("a\n{}", times(n, "\"x\"\"y\n\"\"\"\n")))
    }),
    row("CSV with blanks before quotes", 3_000, |n| {
        one("string", CSV, format!("a\n{}", times(n, " \"x\" \n")))
    }),
    row("CSV with a quote behind a blank that is never closed", 4_000, |n| {
        one("string", CSV, format!("a\n{}", times(n, " \"x\n")))
    }),
    row("CSV with one quote behind a blank, far from the next", 4_000, |n| {
        one("string", CSV, format!("a\n{}\n{}", " \"x", times(n, " \"\"\"\"\n")))
    }),
    row("CSV that is all comments and headers", 1_500, |n| {
        let (spec, input) = one(
            "string",
            "[input]\nformat = \"csv\"\ncomment = \"#\"\n",
            format!("a,b\n{}", times(n, "#,\n1,2\na,b\n")),
        );
        (spec.replace("freeze", "discard"), input)
    }),
    row("CSV whose dialect is hard to tell", 500, |n| free(times(n, "#a b\n\"x:~ ^ y\" : ~ ^ | ; ,\n"))),
    row("empty gzip members", 500, gzip),
    bytewise("JSON byte by byte", 3_000, |n| one("bigint", "", times(n / 8, "{\"a\":1}\n"))),
    bytewise("CSV byte by byte", 3_000, |n| {
        one("string", CSV, format!("a\n\"{}\"\n", times(n / 4, "x\"\"\n")))
    }),
    bytewise("gzip byte by byte", 100, gzip),
];

/// Many gzip members with nothing in them, and one with a record.
fn gzip(members: usize) -> (String, Vec<u8>) {
    let member = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut input = member(b"").repeat(members);
    input.extend(member(b"{\"a\":1}\n"));
    (one("bigint", "", String::new()).0, input)
}

/// What a spec adds.
const SPECS: &[Row] = &[
    row("many partitions", 100, |n| {
        let input = each(2 * n, |text, i| writeln!(text, "{{\"a\":{},\"b\":{i}}}", i % n).unwrap());
        let (spec, input) = free(input);
        (spec + "[[table]]\nname = \"t\"\npartition_by = [\"a\"]\n", input)
    }),
    row("a text like another", 1_000, |n| {
        like(format!("{{\"t\":\"{}\",\"p\":\"%{}b%\"}}\n", times(2 * n, "a"), times(n, "a")))
    }),
    row("a text like another with any characters", 4_000, |n| {
        like(format!("{{\"t\":\"{}\",\"p\":\"%{}b%\"}}\n", times(n, "a"), times(500, "a_")))
    }),
    row("a text like many pieces", 2_000, |n| {
        like(format!("{{\"t\":\"{}\",\"p\":\"{}b\"}}\n", times(2 * n, "a"), times(n, "%a")))
    }),
    row("a long condition", 500, |n| {
        let (spec, input) = one("bigint", "", "{\"a\":1}\n".into());
        (format!("{spec}[[table.check]]\nname = \"c\"\nsql = \"a > 0{}\"\n", times(n, " or a = 1")), input)
    }),
    row("many declared columns", 250, |n| {
        let names = keys(n);
        let columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "bigint")).collect();
        (closed("", &columns), object(&names, "1").into_bytes())
    }),
    row("many columns that the spec names and the input types", 250, |n| {
        let columns =
            each(n, |text, i| write!(text, "[[table.column]]\nname = \"c{i}\"\nfrom = \"k{i}\"\n").unwrap());
        (format!("{ALL_REJECTED}[[table]]\nname = \"t\"\n{columns}"), object(&keys(n), "1").into_bytes())
    }),
    row("many derived columns", 100, |n| {
        let (spec, input) = one("bigint", "", "{\"a\":1}\n".into());
        (
            spec + &each(n, |text, i| {
                write!(text, "[[table.derive]]\nname = \"d{i}\"\nsql = \"a + {i}\"\n").unwrap()
            }),
            input,
        )
    }),
];

fn like(record: String) -> (String, Vec<u8>) {
    let spec = closed("", &[("t", "string"), ("p", "string")]);
    (spec + "[[table.derive]]\nname = \"same\"\nsql = \"t like p\"\n", record.into_bytes())
}

/// Fuel of an object: of both passes where there are two, or up to its failure.
fn fuel(transform: &Transform, spec: &str, input: &[u8], chunk: usize) -> (u64, String) {
    let (mut contracts, mut used) = (Vec::new(), 0);
    for last in [false, true] {
        let options = JobOptions {
            spec: spec.to_owned(),
            table: Some("t".to_owned()),
            contracts,
            final_pass: last,
            ..JobOptions::default()
        };
        let (fuel, end) = pass(transform, options, input, chunk);
        used += fuel;
        match end {
            End::Over(what) => return (used, what),
            End::Widened(widened) => contracts = widened,
        }
    }
    (used, "widened twice".into())
}

enum End {
    Over(String),
    Widened(Vec<TableContract>),
}

fn pass(transform: &Transform, options: JobOptions, input: &[u8], chunk: usize) -> (u64, End) {
    let mut chunks = input.chunks(chunk);
    let mut session = match transform.open(options) {
        Ok(session) => session,
        Err(error) => return (0, End::Over(error.to_string())),
    };
    loop {
        let end = match session.step() {
            Ok(Step::NeedInput) => {
                match chunks.next() {
                    Some(chunk) => session.push(chunk).unwrap(),
                    None => session.end().unwrap(),
                }
                continue;
            }
            Ok(Step::Widen(widened)) => End::Widened(widened.contracts),
            Ok(Step::Done(_)) => End::Over("done".into()),
            Ok(_) => continue,
            Err(error) => End::Over(error.name().to_owned()),
        };
        return (session.fuel().expect("it is counted"), end);
    }
}

/// What is wrong with a row, if anything is; all its numbers go to standard output.
fn judge(transform: &Transform, row: &Row) -> Option<String> {
    let measure = |size: usize| {
        let (spec, input) = (row.make)(size);
        let (fuel, end) = fuel(transform, &spec, &input, row.chunk);
        (input.len() + spec.len(), fuel, end)
    };
    let sizes = [1, 2, 4].map(|times| measure(row.size * times));
    let [(_, small, _), (_, middle, _), (bytes, large, end)] = &sizes;
    let line = format!(
        "{:55} {bytes:8} bytes {small:>12} {middle:>12} {large:>12}  x{:.2}  {end}",
        row.name,
        *large as f64 / *small as f64
    );
    println!("{line}");
    (*large > small / 10 * row.tenths + ONCE).then_some(line)
}

#[test]
fn work_grows_as_the_input_does() {
    if lakegate_tests::ways::required().is_none() {
        return;
    }
    let sandbox = Sandbox::counting_fuel(Limits::default()).unwrap();
    let transform = Transform::shipped(&sandbox).unwrap();
    let rows = [REJECTS, NAMES, VALUES, SPECS].into_iter().flatten();
    let wrong: Vec<String> = rows.filter_map(|row| judge(&transform, row)).collect();
    assert!(wrong.is_empty(), "four times the input takes too much fuel:\n{}", wrong.join("\n"));
}
