//! Masks: a secret planted in masked columns, in good records and bad ones, is in nothing that a job says.

use arrow::array::{Array, AsArray, RecordBatch};

use super::job_tests::{drive_job, run};
use super::values_tests::rows;
use crate::{Changes, Extension, Failure, Job, Options, Rejects, Step, TableContract};

/// What must be seen nowhere. It is in keys below masked paths too.
const SECRET: &str = "Geheim";

const COLUMNS: &str = r#"
[[table]]
mode = "freeze"
[[table.column]]
name = "n"
type = "bigint"
[[table.column]]
name = "ssn"
type = "string"
mask = "null"
[[table.column]]
name = "card"
type = "string"
mask = "last4"
trim = true
[[table.column]]
name = "pin"
type = "bigint"
mask = "drop"
[[table.column]]
name = "doc"
type = "json"
mask = "null"
[[table.column]]
name = "inner"
from = "doc.inner"
type = "bigint"
mask = "null"
[[table.column]]
name = "note"
type = "string"
output = false
[[table.derive]]
name = "shown"
sql = "coalesce(ssn, card) || note"
[[table.check]]
name = "positive"
sql = "n > 0"
"#;

const JSON: &str = r#"
{"n":1,"ssn":"Geheim-1","card":" Geheim-4111-1234 ","pin":12,"doc":{"inner":5},"note":"x"}
{"n":"x","ssn":"Geheim-1","card":"Geheim-1234","pin":12,"doc":["Geheim"],"note":"x"}
{"n":2,"ssn":"Geheim","card":"Geheim","pin":"Geheim","doc":null}
{"n":2,"ssn":{"Geheim":"Geheim"},"card":"c"}
{"n":2,"card":["Geheim"]}
{"n":2,"pin":99999999999999999999999,"ssn":"Geheim"}
{"n":2,"pin":1.5,"ssn":"Geheim"}
{"n":0,"ssn":"Geheim","card":"Geheim-1234"}
{"n":3,"ssn":"Geheim","doc":{"inner":"Geheim"}}
{"n":3,"ssn":"Geheim","doc":{"inner":{"Geheim":1}}}
{"n":3,"ssn":"Geheim","doc":{"inner":1,"Geheim":2}}
{"n":3,"ssn":"Geheim","doc":{"Geheim":1,"Geheim":2}}
{"n":3,"ssn":"Geheim","ssn":"Geheim"}
{"n":3,"ssn":"Geheim\ud800"}
{"n":3,"ssn":"Geheim","other":1}
{"n":3,"ssn":"Geheim",
"Geheim"
"#;

const CSV: &str = "n,ssn,card,pin,doc,note\n\
    1,Geheim-1,Geheim-4111-1234,12,\"{\"\"a\"\":\"\"Geheim\"\"}\",x\n\
    x,Geheim,Geheim-1234,12,,\n\
    2,Geheim,Geheim,Geheim,,\n\
    2,Geheim,\"Gehe\"\"im-Geheim\",7,Geheim,\n\
    2,Geheim,Geheim\n\
    3,Geheim,Geheim-9876,7,,\n\
    0,Geheim,,,,\n";

/// Everything that a job says, with the text of a failure.
fn said(job: Result<Job, Failure>, data: &[u8], chunk: usize) -> (Vec<u8>, Vec<TableContract>) {
    let mut said = Vec::new();
    let mut contracts = Vec::new();
    let mut end = |mut job: Job| -> Result<(), Failure> {
        let mut chunks = data.chunks(chunk);
        job.trace();
        loop {
            match job.step()? {
                Step::NeedInput => match chunks.next() {
                    Some(chunk) => job.push(chunk),
                    None => job.end(),
                },
                Step::PartBytes { id, bytes } => {
                    said.extend(job.take_trace(id));
                    said.extend(bytes);
                }
                Step::Quarantine(bytes) => said.extend(bytes),
                Step::Widen(widened) => {
                    said.extend(format!("{widened:?}").bytes());
                    contracts = widened.contracts;
                    return Ok(());
                }
                Step::Done(report) => {
                    said.extend(report.bytes());
                    return Ok(());
                }
                other => said.extend(format!("{other:?}").bytes()),
            }
        }
    };
    if let Err(failure) = job.and_then(&mut end) {
        said.extend(format!("{failure:?}").bytes());
    }
    (said, contracts)
}

fn options(spec: &str, contracts: Vec<TableContract>) -> Options {
    let final_pass = !contracts.is_empty();
    Options { spec: spec.into(), table: Some("t".into()), contracts, final_pass, ..Options::default() }
}

/// Looks at every row that it is given.
struct Reader;

impl Extension for Reader {
    fn name(&self) -> &'static str {
        "reader"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn changes(&self, _: &str, _: &[(String, crate::ColumnType)]) -> Result<Changes, String> {
        Ok(Changes::default())
    }

    fn apply(&self, _: &str, rows: &RecordBatch, _: &mut Rejects) -> Result<RecordBatch, String> {
        for column in rows.columns() {
            for text in column.as_string_opt::<i32>().into_iter().flatten().flatten() {
                assert!(!text.contains(SECRET), "{text}");
            }
            if let Some(pins) = column.as_primitive_opt::<arrow::datatypes::Int64Type>() {
                assert!((0..pins.len()).all(|row| pins.is_null(row) || pins.value(row) != 12), "a pin");
            }
        }
        RecordBatch::try_new_with_options(
            std::sync::Arc::new(arrow::datatypes::Schema::empty()),
            Vec::new(),
            &arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows())),
        )
        .map_err(|error| error.to_string())
    }
}

#[test]
fn a_masked_value_is_in_nothing_that_a_job_says() {
    let holds = |said: &[u8]| said.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    for rule in ["max_rejected = \"100%\"\n", "max_rejected = 1\n"] {
        let spec = format!("[output]\ncompression = \"none\"\n{rule}{COLUMNS}");
        for data in [JSON.trim_start(), CSV, &format!("[{}", JSON.trim().replace('\n', ","))] {
            for chunk in [1, 50, data.len()] {
                // What the spec declares is agreed before any input; without types it is learned.
                let learned = spec.replace("type = \"bigint\"\n", "");
                for spec in [&spec, &learned] {
                    let (first, contracts) =
                        said(Job::open(options(spec, Vec::new())), data.as_bytes(), chunk);
                    assert!(!holds(&first), "{}", String::from_utf8_lossy(&first));
                    if contracts.is_empty() {
                        continue;
                    }
                    let plain = Job::open(options(spec, contracts.clone()));
                    let (second, _) = said(plain, data.as_bytes(), chunk);
                    assert!(!holds(&second), "{}", String::from_utf8_lossy(&second));
                    let read = Job::open_with(options(spec, contracts), Reader);
                    assert!(!holds(&said(read, data.as_bytes(), chunk).0));
                }
            }
        }
    }
}

#[test]
fn what_is_not_masked_is_there_and_rejected_records_keep_their_place() {
    let spec = format!("[output]\ncompression = \"none\"\nmax_rejected = \"100%\"\n{COLUMNS}");
    let made = run(&spec, JSON.trim_start().as_bytes(), 4096);
    // n, ssn, card, doc, inner, shown; pin and note are not written.
    assert_eq!(rows(&made)[0], ["1", "null", "\"****1234\"", "null", "null", "\"****1234x\""]);
    let lines: Vec<serde_json::Value> =
        made.quarantine.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 10);
    for line in &lines {
        assert_eq!(
            (&line["raw"], &line["truncated"], &line["masked"]),
            (&"".into(), &true.into(), &true.into())
        );
        assert!(line["length"].as_u64().unwrap() > 5 && line["offset"].is_u64(), "{line}");
    }
    let told = |record: u64| {
        let line = lines.iter().find(|line| line["record"] == record).unwrap();
        (line["code"].as_str().unwrap().to_owned(), line["path"].as_str().map(str::to_owned))
    };
    for (record, code, path) in [
        (2, "type_mismatch", Some("/n")),
        (3, "type_mismatch", Some("/pin")),
        (4, "type_mismatch", Some("/ssn")),
        (5, "type_mismatch", Some("/card")),
        (8, "check_failed", None),
        // Below a masked path nothing is named.
        (9, "type_mismatch", Some("/doc")),
        (11, "unknown_column", Some("/doc")),
        (15, "unknown_column", Some("/other")),
    ] {
        assert_eq!(told(record), (code.to_owned(), path.map(str::to_owned)), "record {record}");
    }
    let csv = run(&spec, CSV.as_bytes(), 4096);
    assert_eq!(rows(&csv)[0], ["1", "null", "\"****1234\"", "null", "null", "\"****1234x\""]);
    assert_eq!(rows(&csv)[1][2], "\"****9876\"");
}

#[test]
fn a_column_that_is_hidden_is_in_the_contract_and_in_no_file() {
    let spec = "[[table]]\npartition_by = [\"day\"]\ndrop_nulls = true\n[[table.column]]\nname = \"a\"\noutput = false\n[[table.column]]\nname = \"day\"\noutput = false\n[[table.derive]]\nname = \"b\"\nsql = \"a * 2\"\n";
    let data = b"{\"a\":1,\"day\":\"x\",\"c\":1}\n{\"a\":null,\"day\":\"y\",\"c\":2}\n";
    let (_, contracts) = said(Job::open(options(spec, Vec::new())), data, 99);
    assert!(contracts[0].text.contains(r#"{"name":"a","type":"bigint","pointer":"/a","output":false}"#));
    assert!(contracts[0].text.contains(r#""pointer":"/c"}"#));
    let made = drive_job(Job::open(options(spec, contracts.clone())).unwrap(), data, 99).unwrap().unwrap();
    // A null in what is not written drops no row; one in what is made of it does.
    assert_eq!(made.parts.iter().map(|(_, path, _)| path.as_str()).collect::<Vec<_>>(), ["day=x/"]);
    assert_eq!(rows(&made), [["1", "2"]]);
    for (column, told) in [
        ("output = false\n", None),
        ("", Some("is written by the spec, and not by the contract")),
        ("mask = \"null\"\noutput = false\n", None),
        ("mask = \"null\"\n", Some("is written by the spec")),
    ] {
        let other = format!("[[table]]\n[[table.column]]\nname = \"a\"\n{column}");
        let failure = Job::open(options(&other, contracts.clone())).err();
        assert_eq!(failure.as_ref().map(|f| f.code), told.map(|_| "contract_conflict"), "{column}");
        assert!(failure.is_none_or(|f| f.message.contains(told.unwrap()) && f.hint.is_some()));
    }
    let drop = "[[table]]\n[[table.column]]\nname = \"c\"\nmask = \"drop\"\n";
    let failure = Job::open(options(drop, contracts)).err().unwrap();
    assert!(failure.hint.is_some_and(|hint| hint.contains("mask = \"null\"")), "{}", failure.message);
}

#[test]
fn no_column_shows_what_another_masks_and_no_expression_reads_what_is_dropped() {
    let masked = |more: &str| {
        format!(
            "[[table]]\nname = \"a\"\nrows = \"xs\"\n[[table.column]]\nname = \"ssn\"\nfrom = \"xs.ssn\"\ntype = \"string\"\nmask = \"drop\"\n{more}"
        )
    };
    let data = b"{\"id\":1,\"xs\":[{\"ssn\":\"Geheim\",\"b\":2}]}\n";
    for (more, told) in [
        ("", None),
        (
            "[[table.column]]\nname = \"same\"\nfrom = \"xs.ssn\"\ntype = \"string\"\n",
            Some("the column `same` of table"),
        ),
        ("[[table.column]]\nname = \"same\"\nfrom = \"xs.ssn\"\ntype = \"string\"\nmask = \"last4\"\n", None),
        ("[[table.column]]\nname = \"part\"\nfrom = \"xs.ssn.x\"\n", Some("the column `part` of table")),
        (
            "[[table]]\nname = \"b\"\nmode = \"discard\"\n[[table.column]]\nname = \"xs\"\ntype = \"json\"\n",
            Some("the column `xs` of table `b` would show"),
        ),
        (
            "[[table]]\nname = \"b\"\nmode = \"discard\"\n[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n",
            None,
        ),
        ("[[table]]\nname = \"b\"\nrows = \"xs\"\n", Some("table `b` would show")),
        (
            "[[table.derive]]\nname = \"d\"\nsql = \"length(ssn)\"\n",
            Some("column `d` reads the column `ssn`, which is dropped"),
        ),
        (
            "[[table.check]]\nname = \"c\"\nsql = \"ssn IS NOT NULL\"\n",
            Some("check `c` reads the column `ssn`"),
        ),
    ] {
        let spec = masked(more).replace("name = \"a\"\nrows", "name = \"a\"\nmode = \"discard\"\nrows");
        let (mut told_by, contracts) = said(Job::open(options(&spec, Vec::new())), data, 99);
        if !contracts.is_empty() {
            told_by.extend(said(Job::open(options(&spec, contracts)), data, 99).0);
        }
        let text = String::from_utf8_lossy(&told_by);
        assert!(!text.contains(SECRET));
        assert_eq!(text.contains("spec_invalid"), told.is_some(), "{more}: {text}");
        assert!(told.is_none_or(|told| text.contains(told)), "{more}: {text}");
    }
    for (table, told) in [
        ("filter = \"ssn = 'x'\"\n", "filter reads the column `ssn`"),
        ("drop_nulls = [\"ssn\"]\n", "drop_nulls names `ssn`, which is masked"),
    ] {
        let spec = format!(
            "[[table]]\nmode = \"discard\"\n{table}[[table.column]]\nname = \"n\"\ntype = \"bigint\"\n[[table.column]]\nname = \"ssn\"\ntype = \"string\"\nmask = \"drop\"\n"
        );
        let (_, contracts) = said(Job::open(options(&spec, Vec::new())), b"{}", 9);
        let failure = Job::open(options(&spec, contracts)).err().unwrap();
        assert!(failure.message.contains(told), "{}", failure.message);
    }
    let last4 = "[[table]]\n[[table.column]]\nname = \"pin\"\ntype = \"bigint\"\nmask = \"last4\"\n";
    let failure = crate::spec::Spec::parse(last4).unwrap_err();
    assert!(failure.message.contains("column `pin` is bigint: mask is for columns of type string"));
}
