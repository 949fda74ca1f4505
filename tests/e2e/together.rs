//! A folder without a spec: one table of its name, learned from all of its files before any is written.

use std::fs;
use std::path::Path;

use lakegate_tests::command::{Ran, lakegate, with};
use lakegate_tests::{lake_rows, ways};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use tempfile::TempDir;

const DRIFTING: [(&str, &str); 3] = [
    ("a.ndjson", "{\"id\":1,\"v\":10}\n{\"id\":2,\"v\":20}\n"),
    ("b.ndjson", "{\"id\":3,\"v\":10.5}\n{\"id\":4,\"v\":7}\n"),
    ("c.ndjson", "{\"id\":5,\"v\":\"n/a\"}\n{\"id\":6,\"v\":3}\n"),
];

/// Files below the folder `Web Orders`; none where this build has no component.
fn folder(files: &[(&str, &str)]) -> Option<TempDir> {
    ways::required()?;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join("Web Orders").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Some(folder)
}

fn first(ran: &Ran) -> &str {
    ran.out.lines().next().unwrap_or_default()
}

#[test]
fn a_folder_is_one_table_whose_types_all_files_decide() {
    let Some(folder) = folder(&DRIFTING) else { return };
    let ran = lakegate(folder.path(), &["run", "Web Orders"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(first(&ran).starts_with("3 sources: 6 records → 0 rejected → 0 filtered → 6 rows ("), "{ran:?}");
    assert!(ran.out.contains("  web_orders: learned together from 3 files, 6 records\n"), "{ran:?}");
    assert!(ran.out.contains("/v has values of different kinds: it becomes a string"), "{ran:?}");
    assert_eq!(lake_rows::rows(&folder.path().join("lake"), "web_orders").len(), 6);
    // The table is there now: what comes later grows it, and what was taken is left alone.
    fs::write(folder.path().join("Web Orders/d.ndjson"), "{\"id\":7,\"w\":true}\n").unwrap();
    let again = lakegate(folder.path(), &["run", "Web Orders", "--json"]);
    let json = again.json();
    assert_eq!((&json["unchanged"], &json["records"]), (&3.into(), &1.into()), "{json}");
    assert!(json["learned_together"].is_null(), "{json}");
    assert_eq!(json["tables"][0]["contract_changes"][0]["column"], "w", "{json}");
}

#[test]
fn what_was_learned_together_is_told_to_programs() {
    let files = [DRIFTING[0], DRIFTING[2], ("broken.json", "[{\"id\":1},"), ("empty.json", "[]")];
    let Some(folder) = folder(&files) else { return };
    let ran = lakegate(folder.path(), &["run", "Web Orders", "--json"]);
    assert_eq!(ran.code, Some(1), "the broken file fails in its own turn: {ran:?}");
    let json = ran.json();
    let learned = &json["learned_together"][0];
    let told =
        ["files", "looked_at", "of_files", "records", "failed"].map(|key| learned[key].as_u64().unwrap());
    assert_eq!((learned["table"].as_str(), told), (Some("web_orders"), [2, 4, 4, 4, 1]), "{learned}");
    assert_eq!((&json["records"], &json["failed"]), (&4.into(), &1.into()), "{json}");
}

#[test]
fn a_table_may_be_named_and_single_files_stay_sources_of_their_own() {
    let Some(folder) = folder(&DRIFTING) else { return };
    fs::write(folder.path().join("x.ndjson"), "{\"other\":1}\n").unwrap();
    let ran = lakegate(folder.path(), &["run", "Web Orders", "x.ndjson"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rows = |lake: &str, table: &str| lake_rows::rows(&folder.path().join(lake), table);
    assert_eq!((rows("lake", "web_orders").len(), rows("lake", "x").len()), (6, 1));
    let ran = lakegate(folder.path(), &["run", "Web Orders", "--table", "t", "--lake", "named"]);
    assert_eq!((ran.code, rows("named", "t").len()), (Some(0), 6), "{ran:?}");
}

#[test]
fn files_of_different_kinds_are_named_and_nothing_is_written() {
    let csv = ("people/p.csv", "name,mail\nAnn,a@example.com\n");
    let files = [DRIFTING[0], DRIFTING[1], csv, ("empty.json", "[]"), ("z.json", "{\"foo\":[1]}")];
    let Some(folder) = folder(&files) else { return };
    let ran = lakegate(folder.path(), &["run", "Web Orders"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains(
            "3 kinds that have no key in common: 2 files (Web Orders/a.ndjson, Web Orders/b.ndjson)"
        ),
        "{ran:?}"
    );
    assert!(ran.err.contains("--table NAME"), "{ran:?}");
    assert!(!folder.path().join("lake/_lakegate/contracts").exists(), "nothing was written");
    assert_eq!(
        lakegate(folder.path(), &["run", "Web Orders", "--json"]).json()["error"]["code"],
        "kinds_differ"
    );
    // Whoever names a table wants all of it there.
    let ran = lakegate(folder.path(), &["run", "Web Orders", "--table", "t"]);
    assert_eq!((ran.code, lake_rows::rows(&folder.path().join("lake"), "t").len()), (Some(0), 6), "{ran:?}");
}

#[test]
fn a_run_that_was_cut_off_after_it_agreed_goes_on() {
    let Some(folder) = folder(&DRIFTING) else { return };
    let killed = with(folder.path(), &["run", "Web Orders"], &[("LAKEGATE_CRASH_AT", "before-commit")]);
    assert_eq!(killed.code, None, "it dies: {killed:?}");
    let ran = lakegate(folder.path(), &["run", "Web Orders"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(lake_rows::rows(&folder.path().join("lake"), "web_orders").len(), 6);
}

/// Text of the live contract.
fn contract(folder: &Path, lake: &str) -> String {
    let path = folder.join(lake).join("_lakegate/tables/t/schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    schema["contract"].as_str().unwrap_or_else(|| panic!("{schema}")).to_owned()
}

/// A record whose shapes and types drift.
fn record() -> impl Strategy<Value = String> {
    let price = select(vec!["1", "2.5", "\"3\"", "null", "1152921504606846976"]);
    let note = select(vec!["", ",\"note\":\"a\"", ",\"note\":7", ",\"note\":[1]", ",\"note\":{\"x\":1}"]);
    let customer =
        select(vec!["", ",\"customer\":{\"name\":\"A\"}", ",\"customer\":null", ",\"Customer Name\":\"z\""]);
    let late = select(vec!["", ",\"a\":1", ",\"b\":true", ",\"B\":\"x\""]);
    (price, note, customer, late)
        .prop_map(|(price, note, customer, late)| format!("{{\"price\":{price}{note}{customer}{late}}}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// The order of files does not matter: neither by their names, nor by that of the arguments.
    #[test]
    fn the_order_of_files_does_not_matter(
        files in prop::collection::vec(prop::collection::vec(record(), 1..4).prop_map(|lines| lines.concat()), 2..5),
        seed in any::<u64>(),
    ) {
        if ways::required().is_none() {
            return Ok(());
        }
        let folder = tempfile::tempdir().unwrap();
        let mut shuffled = files.clone();
        for last in (1..shuffled.len()).rev() {
            shuffled.swap(last, usize::try_from(seed >> (last * 7) & 0xFF).unwrap() % (last + 1));
        }
        for (name, files) in [("one", &files), ("two", &shuffled)] {
            for (number, text) in files.iter().enumerate() {
                let part = folder.path().join(name).join(format!("part{}", number % 2));
                fs::create_dir_all(&part).unwrap();
                fs::write(part.join(format!("{number}.ndjson")), text).unwrap();
            }
        }
        let run = |lake: &str, places: &[&str]| {
            let args = [&["run", "--table", "t", "--lake", lake][..], places].concat();
            let ran = lakegate(folder.path(), &args);
            assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
            contract(folder.path(), lake)
        };
        let agreed = run("lake1", &["one"]);
        prop_assert_eq!(&run("lake2", &["one/part1", "one/part0"]), &agreed);
        prop_assert_eq!(&run("lake3", &["two"]), &agreed);
    }
}
