//! Whatever the input is: records are taken or rejected by name, or the job ends with a failure that is somebody's
//! fault; never a panic, which would be a trap in the sandbox, and the books are right.

use lakegate_model::hive;
use proptest::prelude::*;
use proptest::sample::select;

use super::job_tests::{Made, drive};
use crate::error::{Failure, Fault};
use crate::limits::POINTER_BYTES;
use crate::{Options, Widened};

/// Texts as they stand between quotes.
const TEXTS: [&str; 22] = [
    "",
    "a",
    "eu",
    "2025-01-02",
    "0000-01-01",
    "9999-12-31T23:59:59-01:00",
    "999999999999",
    "-62135596801",
    "1e999",
    "true",
    "\u{85}",
    "\u{2028}",
    "\u{a0}",
    "\u{ffff}",
    "\\u0000",
    "\\ud800",
    "a/b=c",
    "..",
    "%41",
    "__HIVE_DEFAULT_PARTITION__",
    "\\n",
    "\u{10ffff}",
];
const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "007",
    "9007199254740993",
    "9223372036854775808",
    "-9223372036854775808",
    "1e308",
    "1e309",
    "-1e-400",
    "1.5",
    "0.1e-2147483649",
    "1e99999999999",
    "-",
    "1.",
    "253402300800",
];
const KEYS: [&str; 14] =
    ["n", "j", "text", "day", "at", "items", "x", "o", "N", "", "*", "~", "a/b", "\\u0078"];
const SPECS: [&str; 5] = [
    "",
    "[[table]]\nname = 't'\nrows = 'items'\npartition_by = [\"concat(text, '/', text) AS folder\"]\n[[table.column]]\nname = 'text'\ntype = 'string'\n",
    "[[table]]\nname = 't'\nmode = 'discard'\npartition_by = ['day', 'n']\n[[table.column]]\nname = 'day'\ntype = 'date'\nformat = '%s'\n\
     [[table.column]]\nname = 'n'\n[[table.column]]\nname = 'j'\ntype = 'json'\n[[table.derive]]\nname = 'later'\nsql = \"day + 1000000\"\n",
    "[[table]]\nname = 't'\nmode = 'freeze'\n[[table.column]]\nname = 'at'\ntype = 'timestamp'\n[[table.column]]\nname = 'n'\ntype = 'decimal(38,10)'\n\
     [[table]]\nname = 'u'\nrows = 'items'\nempty = 'drop'\n[[table.column]]\nname = 'x'\nfrom = 'items.x'\n",
    "[limits]\ndepth = 6\nrecord_bytes = 3000\ncolumns = 8\npartitions = 3\n[[table]]\nname = 't'\npartition_by = ['text']\n\
     [[table.column]]\nname = 'text'\ntype = 'string'\n[[table.column]]\nname = 'j'\ntype = 'json'\n",
];

fn text() -> impl Strategy<Value = String> {
    (select(&TEXTS[..]), select(vec![1_usize, 1, 1, 40, 130, 700]))
        .prop_map(|(text, times)| text.repeat(times))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(&KEYS[..]).prop_map(str::to_owned), 1 => text(), 1 => "[a-z]{1,3}".prop_map(|k| k.repeat(400))]
}

fn value() -> impl Strategy<Value = String> {
    let digits = (select(vec![18_usize, 20, 39, 310, 5000]), select(vec!["", ".5", "e-310"]));
    let leaf = prop_oneof![
        4 => text().prop_map(|text| format!("\"{text}\"")),
        4 => select(&NUMBERS[..]).prop_map(str::to_owned),
        1 => digits.prop_map(|(digits, end)| "9".repeat(digits) + end),
        2 => select(vec!["null", "true", "{}", "[]", "nul", "", "\"open", "[1,]", "'x'"]).prop_map(str::to_owned),
        1 => (select(vec!["[", "{\"a\":", "[{\"x\":"]), select(vec![5_usize, 7, 126, 127, 128, 129, 5000]))
            .prop_map(|(open, times)| open.repeat(times)),
        1 => select(vec![5_usize, 7, 126, 127, 128, 129])
            .prop_map(|times| format!("{}1{}", "[".repeat(times), "]".repeat(times))),
    ];
    leaf.prop_recursive(3, 24, 5, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..5).prop_map(|values| format!("[{}]", values.join(","))),
            object(inside),
        ]
    })
}

fn object(inside: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((key(), inside), 0..6).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", pairs.join(","))
    })
}

fn input() -> impl Strategy<Value = String> {
    let records = || prop::collection::vec(prop_oneof![6 => object(value()), 1 => value()], 0..6);
    let line = prop::collection::vec(prop_oneof![text(), select(&NUMBERS[..]).prop_map(str::to_owned)], 1..5);
    prop_oneof![
        records().prop_map(|records| records.join("\n")),
        records().prop_map(|records| format!("[{}]", records.join(","))),
        prop::collection::vec(line, 1..6).prop_map(|lines| {
            let lines: Vec<String> = lines.iter().map(|fields| fields.join(",")).collect();
            format!("text,n,day,j\n{}", lines.join("\n"))
        }),
    ]
}

/// A failure is somebody's fault; what comes out is what the books say.
fn check(end: &Result<Result<Made, Widened>, Failure>) -> Result<(), TestCaseError> {
    match end {
        Err(failure) => {
            prop_assert!(failure.fault != Fault::Internal, "{failure:?}");
            prop_assert!(failure.message.len() < 5000);
        }
        Ok(Err(_)) => {}
        Ok(Ok(made)) => {
            let count = |key: &str| made.report[key].as_u64().unwrap_or_default();
            prop_assert_eq!(count("records"), count("accepted") + count("rejected"));
            prop_assert_eq!(made.quarantine.lines().count() as u64, count("rejected"));
            for line in made.quarantine.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                prop_assert!(line["path"].as_str().is_none_or(|path| path.len() <= POINTER_BYTES + 3));
            }
            for (_, partition, _) in &made.parts {
                prop_assert!(hive::is_path(partition), "{partition}");
            }
            for table in made.report["tables"].as_array().into_iter().flatten() {
                let rows = |key: &str| table[key].as_u64().unwrap_or_default();
                prop_assert_eq!(rows("rows_made"), rows("rows_out") + rows("filtered"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_input_is_taken_rejected_or_refused_by_name(
        data in input(), spec in select(&SPECS[..]), chunk in select(vec![1_usize, 64, 1 << 20]), propose in any::<bool>(),
    ) {
        let table = spec.is_empty().then(|| "t".to_owned());
        let spec = format!("{spec}[output]\nmax_rejected = \"100%\"\n");
        let options = Options { spec, table, propose, ..Options::default() };
        let first = drive(&options, data.as_bytes(), chunk);
        check(&first)?;
        if let Ok(Err(widened)) = first {
            let live = Options { contracts: widened.contracts.clone(), propose: false, ..options.clone() };
            let (streamed, last) = (
                drive(&live, data.as_bytes(), chunk),
                drive(&Options { final_pass: true, ..live.clone() }, data.as_bytes(), 1 << 20),
            );
            check(&streamed)?;
            check(&last)?;
            // Nothing new is in what was learned from.
            if let (Ok(Ok(streamed)), Ok(Ok(last))) = (&streamed, &last) {
                prop_assert_eq!(streamed, last);
            }
            let again = Options { learned: Some(widened.learned), propose: true, ..options };
            check(&drive(&again, data.as_bytes(), chunk))?;
        }
    }
}
