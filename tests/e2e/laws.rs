//! Properties that hold for every input: chunks, joins, names, partition paths.
//!
//! The two ledgers (`records = accepted + rejected`, `rows_made = rows_out + filtered`) are checked by
//! the driver in every run of every test.

use std::collections::BTreeSet;

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::ways::{self, Native};
use lakegate_tests::{generate, rows};
use lakegate_transform as native;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) }
}

fn ask(spec: &str) -> Ask {
    let spec = format!("[output]\nmax_rejected = \"100%\"\n{spec}");
    Ask { spec, table: Some("t".to_owned()), contracts: Vec::new() }
}

proptest! {
    #![proptest_config(config())]

    /// The same bytes come out however the input is cut.
    #[test]
    fn chunks_do_not_matter(records in generate::records(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        let input = records.join("\n").into_bytes();
        let pieces = pieces(&input, cuts.iter().map(|cut| cut.index(input.len() + 1)).collect());
        let whole = came_to(drive::run(&Native, &ask(""), &input, 1 << 20));
        prop_assert_eq!(&came_to(drive::run_pieces(&Native, &ask(""), &pieces)), &whole);
        if let Some(component) = ways::component() {
            prop_assert_eq!(&came_to(drive::run_pieces(component, &ask(""), &pieces)), &whole);
        }
    }

    /// Learning joins: in any order, grouped in any way, twice as well as once.
    #[test]
    fn joins_are_commutative_associative_idempotent(
        a in generate::records(), b in generate::records(), c in generate::records(),
    ) {
        let abc = types(&learn(&[&a, &b, &c]));
        prop_assert_eq!(&types(&learn(&[&c, &b, &a])), &abc);
        prop_assert_eq!(&types(&learn(&[&b, &a, &c])), &abc);
        prop_assert_eq!(&types(&learn(&[&a, &b, &c, &a, &b])), &abc);
        let together: Vec<String> = [a, b, c].concat();
        prop_assert_eq!(&types(&learn(&[&together])), &abc);
    }

    /// Names are legal and unique, and the pointer leads back to the key.
    #[test]
    fn names_are_legal_unique_and_lead_back(keys in prop::collection::btree_set("\\PC{0,12}|[a-cA-C_. ]{1,5}", 1..12)) {
        let members: Vec<String> = keys.iter().map(|key| format!("{}:1", Value::from(key.as_str()))).collect();
        let input = format!("{{{}}}", members.join(","));
        let made = drive::run(&Native, &ask(""), input.as_bytes(), 1 << 20)
            .map_err(|failed| TestCaseError::fail(format!("{failed:?}")))?;
        let contract: Value = serde_json::from_str(&made.contracts[0].1).unwrap();
        let columns = contract["columns"].as_array().unwrap();
        let names: BTreeSet<&str> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
        prop_assert_eq!(names.len(), keys.len(), "unique: {}", contract);
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        prop_assert!(names.iter().all(|name| (1..=255).contains(&name.len()) && name.bytes().all(legal)), "{:?}", names);
        let back: BTreeSet<String> = columns.iter().map(|column| key_of(column["pointer"].as_str().unwrap())).collect();
        prop_assert_eq!(back, keys);
    }

    /// A partition path names its value exactly, and stays one folder.
    #[test]
    fn partition_paths_lead_back(values in vec("\\PC{1,8}|[ -~]{1,6}|[\\x00-\\x1f%/=]{1,3}", 1..8)) {
        let lines: Vec<String> = values.iter().map(|value| format!("{{\"id\":1,\"k\":{}}}", Value::from(value.as_str()))).collect();
        let spec = "\n[[table]]\nname = \"t\"\npartition_by = [\"k\"]\n";
        let made = drive::run(&Native, &ask(spec), lines.join("\n").as_bytes(), 1 << 20)
            .map_err(|failed| TestCaseError::fail(format!("{failed:?}")))?;
        let mut back: Vec<String> = Vec::new();
        for part in &made.parts {
            let escaped = part.partition.strip_prefix("k=").and_then(|rest| rest.strip_suffix('/')).expect("k=…/");
            prop_assert!(!escaped.contains('/') && !escaped.chars().any(char::is_control), "{}", escaped);
            back.extend(rows::read(&part.bytes).unwrap().rows.iter().map(|_| unescape(escaped)));
        }
        back.sort();
        let mut values = values;
        values.sort();
        prop_assert_eq!(back, values);
    }
}

/// What a run came to; the host tells whose fault a failure is in its own words, so only the code counts.
fn came_to(ran: Result<drive::Made, drive::Failed>) -> Result<drive::Made, String> {
    ran.map_err(|failed| failed.code)
}

/// The input cut at these places.
fn pieces(input: &[u8], mut cuts: Vec<usize>) -> Vec<&[u8]> {
    cuts.extend([0, input.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect()
}

/// Learns one set of records after the other, as `init` does over files.
fn learn(sets: &[&[String]]) -> native::Widened {
    let mut learned = None;
    let mut last = None;
    for records in sets {
        let options = native::Options {
            table: Some("t".to_owned()),
            learned,
            propose: true,
            ..native::Options::default()
        };
        let mut job = native::Job::open(options).unwrap();
        job.push(records.join("\n").as_bytes());
        job.end();
        let widened = loop {
            match job.step().unwrap() {
                native::Step::Widen(widened) => break widened,
                native::Step::Done(_) => panic!("propose ends with widen"),
                _ => {}
            }
        };
        learned = Some(widened.learned.clone());
        last = Some(widened);
    }
    last.unwrap()
}

/// Pointer and type of every column: what the join decides (the order of columns is the order of arrival).
fn types(widened: &native::Widened) -> BTreeSet<String> {
    let contract: Value = serde_json::from_str(&widened.contracts[0].text).unwrap();
    let columns = contract["columns"].as_array().unwrap().iter();
    columns.map(|column| format!("{} {} {}", column["pointer"], column["type"], column["name"])).collect()
}

fn key_of(pointer: &str) -> String {
    pointer.strip_prefix('/').unwrap().replace("~1", "/").replace("~0", "~")
}

/// Hive's `%XX`.
fn unescape(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
