//! Fifty files whose shapes drift, in any order, without a spec: one type a column in every file, every
//! record in the table or in quarantine with a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use lakegate_lake::lake::Lake;
use lakegate_lake::run::{self, Plan};
use lakegate_lake::source::Source;
use lakegate_sandbox::{Limits, Sandbox, Transform};
use lakegate_tests::{lake_rows, ways};

const FILES: usize = 50;
const RECORDS: usize = 20;
const SPEC: &str = "[output]\nmax_rejected = \"100%\"\n\n[[table]]\nname = \"t\"\n";

/// A small generator of its own: the files must be the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// One file: which keys it has and how it writes them drifts with its number.
fn file(number: usize, dice: &mut Dice) -> String {
    let price = ["9.5", "10", "\"12\"", "null"][dice.roll(4)];
    let extra = ["", ",\"note\":\"n\"", ",\"note\":7", ",\"tags\":[1,2]", ",\"tags\":\"x\""][dice.roll(5)];
    let customer = ["{\"name\":\"A\"}", "{\"name\":\"A\",\"vip\":true}", "null", "\"A\""][dice.roll(4)];
    let late =
        if number.is_multiple_of(7) { format!(",\"late{}\":{number}", number % 3) } else { String::new() };
    let record =
        |id: usize| format!("{{\"id\":{id},\"price\":{price},\"customer\":{customer}{extra}{late}}}\n");
    (0..RECORDS).map(|at| record(number * RECORDS + at)).collect()
}

#[test]
fn fifty_drifting_files_keep_one_type_a_column() {
    if ways::required().is_none() {
        return;
    }
    for seed in [1, 2] {
        one_order(seed);
    }
}

fn one_order(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let files: Vec<String> = (0..FILES).map(|number| file(number, &mut dice)).collect();
    let mut order: Vec<usize> = (0..FILES).collect();
    let mut dice = Dice(seed);
    (1..FILES).rev().for_each(|last| order.swap(last, dice.roll(last + 1)));

    let lake = Lake::local(&folder.path().join("lake")).unwrap();
    let transform = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()).unwrap();
    let plan = Plan::new(SPEC, Some("t".to_owned())).unwrap();
    let mut accepted = 0;
    for number in order {
        let path = folder.path().join(format!("f{number:02}.ndjson"));
        fs::write(&path, &files[number]).unwrap();
        let source = Source::file(&path).unwrap();
        let outcome = run::run(&lake, &transform, &source, &plan, &mut |_| {}).unwrap();
        accepted += outcome.report.accepted;
    }

    let parts = lake_rows::parts(&folder.path().join("lake"), "t");
    let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in parts.values() {
        for (name, ty) in &part.schema {
            types.entry(name.clone()).or_default().insert(ty.clone());
        }
    }
    assert!(types.values().all(|types| types.len() == 1), "one type a column: {types:#?}");
    let contract: serde_json::Value =
        serde_json::from_str(&lake.contract("t").unwrap().unwrap().text).unwrap();
    let last: BTreeSet<&str> = contract["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(last, types.keys().map(String::as_str).collect(), "the contract knows every column, no other");

    let mut ids: Vec<i64> = Vec::new();
    for part in parts.values() {
        let at = part.schema.iter().position(|(name, _)| name == "id").unwrap();
        ids.extend(part.rows.iter().map(|row| row[at].parse::<i64>().unwrap()));
    }
    assert_eq!(ids.len() as u64, accepted, "every accepted record is a row");
    for line in lake.quarantine("t").unwrap() {
        assert!(!line.line.code.is_empty() && !line.line.message.is_empty(), "a reject says why");
        let raw: serde_json::Value = serde_json::from_str(&line.line.raw).unwrap();
        ids.push(raw["id"].as_i64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(
        ids,
        (0..).take(FILES * RECORDS).collect::<Vec<i64>>(),
        "every record once, as row or in quarantine"
    );
}
