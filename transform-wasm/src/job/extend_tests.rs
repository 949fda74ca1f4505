//! An extension in a job: its columns in the contract and the part files, its rejects, its mistakes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use arrow::datatypes::{Float64Type, Int64Type};

use crate::column::ColumnType;
use crate::contract::Contract;
use crate::extension::try_on;
use crate::{Changes, Extension, Failure, Job, Options, Rejects};

use super::job_tests::{Made, drive_job};

/// Masks `email`, and scores `total`: what it does wrong on demand is in `fault`.
#[derive(Clone, Copy, Default)]
struct Score {
    fault: &'static str,
}

impl Extension for Score {
    fn name(&self) -> &'static str {
        "score"
    }

    fn version(&self) -> &'static str {
        "1.2.3"
    }

    fn changes(&self, _: &str, columns: &[(String, ColumnType)]) -> Result<Changes, String> {
        let has = |name: &str| columns.iter().any(|(column, _)| column == name);
        if self.fault == "refuses" {
            return Err("it has no `weight`".into());
        }
        let ty = if self.fault == "bigint" { ColumnType::Bigint } else { ColumnType::Double };
        let name = if self.fault == "clash" { "id" } else { "score" };
        let changes = Changes::default().add(name, ty);
        Ok(if has("email") && self.fault != "undeclared" { changes.replace("email") } else { changes })
    }

    fn apply(&self, _: &str, rows: &RecordBatch, rejects: &mut Rejects) -> Result<RecordBatch, String> {
        let totals = rows.column_by_name("total").map(|array| array.as_primitive::<Int64Type>());
        let score = |row: usize| totals.filter(|t| t.is_valid(row)).map(|t| t.value(row) as f64 / 2.0);
        for row in 0..rows.num_rows() {
            if score(row) == Some(6.5) {
                rejects.row(row, "nobody scores thirteen");
            }
        }
        let scores: Float64Array = match self.fault {
            "infinite" => (0..rows.num_rows()).map(|_| Some(f64::INFINITY)).collect(),
            "short" => Float64Array::from(vec![1.0]),
            _ => (0..rows.num_rows()).map(score).collect(),
        };
        let mut made: Vec<(&str, ArrayRef)> = vec![("score", Arc::new(scores))];
        if let Some(emails) = rows.column_by_name("email") {
            let masked = emails.as_string::<i32>().iter().map(|text| text.map(|text| text.replace('o', "*")));
            made.push(("email", Arc::new(masked.collect::<StringArray>())));
        }
        match self.fault {
            "forgets" => drop(made.remove(0)),
            "wrong_type" => made[0].1 = Arc::new(StringArray::new_null(rows.num_rows())),
            _ => {}
        }
        RecordBatch::try_from_iter(made).map_err(|error| error.to_string())
    }
}

const SPEC: &str = "[output]\nmax_rejected = \"100%\"\n[[table]]\nname = \"t\"\nrows = \"items\"\n\
    partition_by = [\"CAST(round(score) AS bigint) AS band\"]\nfilter = \"score > 1\"\n\
    [[table.derive]]\nname = \"total\"\nsql = \"item_a * item_b\"\n\
    [[table.check]]\nname = \"sane\"\nsql = \"score < 40\"\non_fail = \"reject\"\n";

fn open(spec: &str, contracts: Vec<crate::TableContract>, extension: Option<Score>) -> Result<Job, Failure> {
    let options = Options {
        spec: spec.into(),
        table: Some("t".into()),
        final_pass: !contracts.is_empty(),
        contracts,
        ..Options::default()
    };
    match extension {
        Some(extension) => Job::open_with(options, extension),
        None => Job::open(options),
    }
}

/// Both passes.
fn run(spec: &str, data: &[u8], chunk: usize, extension: Option<Score>) -> Result<(Contract, Made), Failure> {
    let widened = drive_job(open(spec, Vec::new(), extension)?, data, chunk)?.unwrap_err();
    let contract = Contract::parse(&widened.contracts[0].text)?;
    let made = drive_job(open(spec, widened.contracts, extension)?, data, chunk)?.unwrap();
    Ok((contract, made))
}

fn orders(count: usize) -> Vec<u8> {
    let order = |i: usize| {
        format!(
            "{{\"id\":{i},\"email\":\"bo{}@x.com\",\"items\":[{{\"a\":{},\"b\":1}},{{\"a\":{},\"b\":2}}]}}\n",
            i % 5,
            i % 7 + 2,
            i % 3 + 1
        )
    };
    (0..count).flat_map(|i| order(i).into_bytes()).collect()
}

/// The cells of one column over all parts, as the bytes of their file show them.
fn holds(made: &Made, text: &str) -> bool {
    made.parts.iter().any(|(_, _, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[test]
fn filters_checks_and_partitions_use_what_it_adds_however_the_input_is_cut() {
    let mut data = orders(9000);
    data.extend(b"{\"id\":1,\"email\":null,\"items\":[{\"a\":13,\"b\":1},{\"a\":4,\"b\":1}]}\n");
    data.extend(b"{\"id\":1,\"email\":\"o\",\"items\":[{\"a\":99,\"b\":1}]}\n");
    let (contract, whole) = run(SPEC, &data, data.len(), Some(Score::default())).unwrap();
    let names: Vec<&str> = contract.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "email", "item_a", "item_b", "total", "score"]);
    assert_eq!(whole.report["rejects"], serde_json::json!({"check_failed": 1, "extension_rejected": 1}));
    assert!(whole.quarantine.contains("score: nobody scores thirteen"), "{}", whole.quarantine);
    assert!(whole.report["tables"][0]["filtered"].as_u64() > Some(0), "{}", whole.report);
    assert!(whole.parts.iter().all(|(_, partition, _)| partition.starts_with("band=")));
    assert!(holds(&whole, "b*1@x.c*m") && !holds(&whole, "bo1@x.com"));
    assert!(holds(&whole, "\"score\":{\"transform\":\"score\"}"));
    for chunk in [997, 65_537] {
        assert_eq!(run(SPEC, &data, chunk, Some(Score::default())).unwrap().1, whole, "chunks of {chunk}");
    }
}

#[test]
fn a_transform_without_the_extension_keeps_its_column_and_writes_null() {
    let spec = "[[table]]\nname = \"t\"\n";
    let data = b"{\"id\":1}\n{\"id\":2}\n";
    let widened = drive_job(open(spec, Vec::new(), Some(Score::default())).unwrap(), data, 9);
    let contracts = widened.unwrap().unwrap_err().contracts;
    assert!(contracts[0].text.contains(r#"{"name":"score","type":"double","transform":"score"}"#));
    let made = drive_job(open(spec, contracts.clone(), None).unwrap(), data, 9).unwrap().unwrap();
    assert_eq!(made.report["tables"][0]["rows_out"], 2);
    assert!(holds(&made, "\"score\":{\"transform\":\"score\"}"));
    // `score > 1` is null for every row.
    let filtered = spec.to_owned() + "filter = \"score > 1\"\n";
    let made = drive_job(open(&filtered, contracts, None).unwrap(), data, 9).unwrap().unwrap();
    assert_eq!(made.report["tables"][0]["filtered"], 2);
}

#[test]
fn a_live_contract_grows_by_what_is_added_before_anything_is_read() {
    let spec = "[[table]]\nname = \"t\"\n";
    let live = drive_job(open(spec, Vec::new(), None).unwrap(), b"{\"id\":1}\n", 9).unwrap().unwrap_err();
    let options = Options { spec: spec.into(), contracts: live.contracts, ..Options::default() };
    let job = Job::open_with(options, Score::default()).unwrap();
    let grown = drive_job(job, b"no JSON at all", 9).unwrap().unwrap_err();
    let contract = Contract::parse(&grown.contracts[0].text).unwrap();
    assert_eq!(contract.columns.len(), 2);
    assert!(grown.spec.contains("# `score` (double) is added by the transform score."), "{}", grown.spec);
}

#[test]
fn a_derived_column_cannot_use_what_is_added() {
    let spec = "[[table]]\nname='t'\n[[table.derive]]\nname='twice'\nsql='score * 2'\n";
    let failure = run(spec, &orders(1), 99, Some(Score::default())).unwrap_err();
    assert_eq!(failure.code, "spec_invalid");
    assert!(failure.message.contains("there is no column `score`"), "{failure}");
}

#[test]
fn an_extension_that_breaks_its_word_fails_the_job_and_says_how() {
    for (fault, code, says) in [
        ("refuses", "extension_refused", "table `t`: score: it has no `weight`"),
        ("clash", "contract_conflict", "score adds `id`, which is a column already"),
        ("forgets", "extension_failed", "score 1.2.3: `score` is not in its answer"),
        ("undeclared", "extension_failed", "`email` came back as another array"),
        ("wrong_type", "extension_failed", "`score` came as Utf8, double is Float64"),
        ("bigint", "extension_failed", "`score` came as Float64, bigint is Int64"),
    ] {
        let failure = run("", &orders(2), 99, Some(Score { fault })).unwrap_err();
        assert_eq!(failure.code, code, "{fault}: {failure}");
        assert!(failure.message.contains(says), "{fault}: {failure}");
    }
    let failure = run("", &orders(2), 99, Some(Score { fault: "short" })).unwrap_err();
    assert_eq!(failure.code, "extension_failed");
}

#[test]
fn a_column_keeps_its_type_whoever_adds_it() {
    let widened = drive_job(open("", Vec::new(), Some(Score::default())).unwrap(), b"{\"id\":1}", 9);
    let contracts = widened.unwrap().unwrap_err().contracts;
    let failure = open("", contracts, Some(Score { fault: "bigint" })).err().unwrap();
    assert_eq!(failure.code, "contract_conflict");
    assert!(failure.message.contains("adds `score` as bigint, the contract has double"), "{failure}");
}

#[test]
fn a_number_that_is_not_finite_rejects_its_record() {
    let spec = "[output]\nmax_rejected = \"100%\"\n";
    let (_, made) = run(spec, b"{\"id\":1}\n{\"id\":2}\n", 9, Some(Score { fault: "infinite" })).unwrap();
    assert_eq!(made.report["rejects"]["extension_rejected"], 2);
    assert!(made.quarantine.contains("score: score: the number is not finite"), "{}", made.quarantine);
}

#[test]
fn try_on_makes_the_checks_of_a_job() {
    let totals: ArrayRef = Arc::new(Int64Array::from(vec![Some(4), Some(13), None]));
    let rows = RecordBatch::try_from_iter([("total", totals)]).unwrap();
    let (made, rejects) = try_on(&Score::default(), "t", &rows).unwrap();
    assert_eq!(made.schema().fields().len(), 1);
    assert_eq!(made.column(0).as_primitive::<Float64Type>().value(0), 2.0);
    assert!(made.column(0).is_null(2));
    assert_eq!(rejects.iter().collect::<Vec<_>>(), [(1, "nobody scores thirteen")]);
    let failure = try_on(&Score { fault: "forgets" }, "t", &rows).unwrap_err();
    assert_eq!(failure.code, "extension_failed");
}

/// Adds a date and a time that are beyond the years 1 to 9999 where `id` is 2.
struct FarAway;

impl Extension for FarAway {
    fn name(&self) -> &'static str {
        "far_away"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn changes(&self, _: &str, _: &[(String, ColumnType)]) -> Result<Changes, String> {
        Ok(Changes::default().add("day", ColumnType::Date).add("at", ColumnType::Timestamp))
    }

    fn apply(&self, _: &str, rows: &RecordBatch, _: &mut Rejects) -> Result<RecordBatch, String> {
        let ids = rows.column_by_name("id").ok_or("no id")?.as_primitive::<Int64Type>();
        let far = |row: usize| ids.value(row) == 2;
        let days: Date32Array =
            (0..rows.num_rows()).map(|row| Some(if far(row) { i32::MAX } else { 1 })).collect();
        let times: TimestampMillisecondArray =
            (0..rows.num_rows()).map(|row| Some(if far(row) { i64::MIN } else { 1 })).collect();
        let made: [(&str, ArrayRef); 2] = [("day", Arc::new(days)), ("at", Arc::new(times))];
        RecordBatch::try_from_iter(made).map_err(|error| error.to_string())
    }
}

#[test]
fn a_date_that_no_column_holds_rejects_its_record() {
    let spec = "[output]\nmax_rejected = \"100%\"\n[[table]]\nname = 't'\nmode = 'discard'\n\
                filter = \"date_trunc('week', day) <> day OR week(day) > 0 OR date_trunc('second', at) = at\"\n\
                [[table.column]]\nname = 'id'\ntype = 'bigint'\n";
    let options = Options { spec: spec.into(), ..Options::default() };
    let data = b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";
    let asked = drive_job(Job::open_with(options.clone(), FarAway).unwrap(), data, 99).unwrap().unwrap_err();
    let options = Options { contracts: asked.contracts, final_pass: true, ..options };
    let made = drive_job(Job::open_with(options, FarAway).unwrap(), data, 99).unwrap().unwrap();
    assert_eq!(
        (&made.report["accepted"], &made.report["rejects"]["extension_rejected"]),
        (&2.into(), &1.into())
    );
    assert!(made.quarantine.contains("beyond the years 1 to 9999"), "{}", made.quarantine);
}
