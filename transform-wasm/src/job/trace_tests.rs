//! The trace: right for every row, whole, and without effect on the bytes.

use std::collections::BTreeMap;

use super::job_tests::{Made, drive_job};
use crate::{Job, Options, Step};

/// Orders with 0, 1 or 2 items; every seventh is rejected, every eleventh has an item that is filtered.
fn orders() -> (String, BTreeMap<String, Vec<u64>>) {
    let (mut text, mut rows) = (String::new(), BTreeMap::<String, Vec<u64>>::new());
    for number in 1..=9_000_u64 {
        let id = if number % 7 == 0 { "\"no number\"".to_owned() } else { number.to_string() };
        let items: Vec<i64> = (0..number % 3).map(|_| if number % 11 == 0 { -1 } else { 1 }).collect();
        let list: Vec<String> = items.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
        text += &format!("{{\"id\":{id},\"day\":\"d{}\",\"items\":[{}]}}\n", number % 2, list.join(","));
        if number % 7 == 0 {
            continue;
        }
        // An order without items keeps its row, whose null passes no filter.
        for _ in items.iter().filter(|&&n| n > 0) {
            rows.entry(format!("day=d{}/", number % 2)).or_default().push(number);
        }
    }
    (text, rows)
}

const SPEC: &str = r#"
[output]
max_rejected = "100%"
[[table]]
name = "t"
rows = "items"
filter = "n > 0"
partition_by = ["day"]
mode = "freeze"
[[table.column]]
name = "id"
type = "bigint"
[[table.column]]
name = "day"
type = "string"
[[table.column]]
name = "n"
from = "items.n"
type = "bigint"
"#;

fn numbers(trace: &[u8]) -> Vec<u64> {
    let (mut numbers, mut last, mut delta, mut shift) = (Vec::new(), 0, 0, 0);
    for byte in trace {
        delta |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            last += delta;
            numbers.push(last);
            (delta, shift) = (0, 0);
        }
    }
    assert_eq!(shift, 0, "a number is cut");
    numbers
}

/// Partition and record numbers of each part; traces are taken as a host does, whenever bytes come.
fn traced(options: &Options, data: &[u8], chunk: usize) -> Vec<(String, Vec<u64>)> {
    let mut job = Job::open(options.clone()).unwrap();
    job.trace();
    let mut chunks = data.chunks(chunk);
    let mut parts: Vec<(String, Vec<u8>, u64)> = Vec::new();
    loop {
        match job.step().unwrap() {
            Step::NeedInput => match chunks.next() {
                Some(chunk) => job.push(chunk),
                None => job.end(),
            },
            Step::PartOpened { partition, .. } => parts.push((partition, Vec::new(), 0)),
            Step::PartBytes { id, .. } => parts[id as usize].1.extend(job.take_trace(id)),
            Step::PartClosed { id, rows, .. } => {
                parts[id as usize].1.extend(job.take_trace(id));
                parts[id as usize].2 = rows;
                assert!(job.take_trace(id).is_empty(), "it was taken");
            }
            Step::Done(_) => break,
            _ => {}
        }
    }
    let whole = |(partition, trace, rows): (String, Vec<u8>, u64)| {
        let numbers = numbers(&trace);
        assert_eq!(numbers.len() as u64, rows);
        (partition, numbers)
    };
    parts.into_iter().map(whole).collect()
}

fn options(spec: &str, data: &[u8]) -> Options {
    let options = Options { spec: spec.into(), table: Some("t".into()), ..Options::default() };
    let widened = drive_job(Job::open(options.clone()).unwrap(), data, 4096).unwrap().unwrap_err();
    Options { contracts: widened.contracts, final_pass: true, ..options }
}

#[test]
fn every_row_names_its_record() {
    let (text, expected) = orders();
    let options = options(SPEC, text.as_bytes());
    for chunk in [7, 4096, 1 << 20] {
        let found: BTreeMap<_, _> = traced(&options, text.as_bytes(), chunk).into_iter().collect();
        assert_eq!(found, expected, "chunks of {chunk}");
    }
}

#[test]
fn plain_tables_and_csv_too() {
    let csv = "a,b\n1,2\n3\n5,6\n\n7,8\n";
    let options = options("[output]\nmax_rejected = \"50%\"\n", csv.as_bytes());
    assert_eq!(traced(&options, csv.as_bytes(), 3), [(String::new(), vec![1, 3, 4])]);
}

#[test]
fn a_trace_changes_no_byte() {
    let (text, _) = orders();
    let options = options(SPEC, text.as_bytes());
    let made = |trace: bool| -> Made {
        let mut job = Job::open(options.clone()).unwrap();
        if trace {
            job.trace();
        }
        drive_job(job, text.as_bytes(), 4096).unwrap().unwrap()
    };
    assert_eq!(made(true), made(false));
    let mut untraced = Job::open(options.clone()).unwrap();
    assert!(untraced.take_trace(0).is_empty());
}
