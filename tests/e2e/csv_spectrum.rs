//! The csv-spectrum collection: every field comes out as its JSON says.

use std::fs;

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::rows;
use lakegate_tests::ways::Native;
use serde_json::Value;

#[test]
fn every_field_is_read_as_the_collection_says() {
    let Some(folder) = crate::shared("csv-spectrum") else { return };
    let mut cases: Vec<_> =
        fs::read_dir(folder.join("csvs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    for path in cases {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = fs::read(folder.join(format!("json/{name}.json"))).unwrap();
        let expected: Vec<serde_json::Map<String, Value>> = serde_json::from_slice(&expected).unwrap();
        let spec = "[input]\nformat = \"csv\"\n".to_owned();
        let ask = Ask { spec, table: Some("t".to_owned()), contracts: Vec::new() };
        let made = drive::run(&Native, &ask, &fs::read(&path).unwrap(), 5)
            .unwrap_or_else(|failed| panic!("{name}: {failed:?}"));
        let got: Vec<Vec<String>> =
            made.parts.iter().flat_map(|part| rows::read(&part.bytes).unwrap().rows).collect();
        assert_eq!(got.len(), expected.len(), "{name}: rows");
        for (cells, record) in got.iter().zip(&expected) {
            // Line ends of either file may have been changed by a checkout: they are compared as one.
            let wanted = record.values().map(|value| value.as_str().unwrap().replace("\r\n", "\n"));
            let wanted: Vec<String> = wanted.filter(|text| !text.is_empty()).collect();
            let cells =
                cells.iter().filter(|cell| *cell != "null").map(|cell| bare(cell).replace("\r\n", "\n"));
            let cells: Vec<String> = cells.collect();
            assert_eq!(cells, wanted, "{name}");
        }
    }
}

/// A cell without the quotes of a string.
fn bare(cell: &str) -> String {
    serde_json::from_str::<String>(cell).unwrap_or_else(|_| cell.to_owned())
}
