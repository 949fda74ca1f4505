//! Every field of a CSV file comes out as it was meant: quotes, line ends, empty fields, text that looks like a
//! number. Each case stands here; the public collection csv-spectrum runs too, where a folder with it is named.

use std::fs;

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::rows;
use lakegate_tests::ways::Native;
use serde_json::{Map, Value, json};

/// Name; file; its records, in the order of the columns.
fn cases() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("plain", "x,y,z\n7,8,9\n", json!([{"x": "7", "y": "8", "z": "9"}])),
        ("plain, CRLF", "x,y,z\r\n7,8,9\r\n", json!([{"x": "7", "y": "8", "z": "9"}])),
        (
            "a delimiter in quotes, a leading zero, no last line end",
            "name,street,town,code\nMia,7 Quay Rd.,\"Porto, PT\",04050",
            json!([{"name": "Mia", "street": "7 Quay Rd.", "town": "Porto, PT", "code": "04050"}]),
        ),
        (
            "quoted and empty",
            "x,y,z\n7,\"\",\"\"\n8,9,10",
            json!([{"x": "7", "y": "", "z": ""}, {"x": "8", "y": "9", "z": "10"}]),
        ),
        (
            "quoted and empty, CRLF",
            "x,y,z\r\n7,\"\",\"\"\r\n8,9,10",
            json!([{"x": "7", "y": "", "z": ""}, {"x": "8", "y": "9", "z": "10"}]),
        ),
        (
            "doubled quotes",
            "x,y\n7,\"she said \"\"no\"\" twice\"\n8,9\n",
            json!([{"x": "7", "y": "she said \"no\" twice"}, {"x": "8", "y": "9"}]),
        ),
        (
            "JSON in a field",
            "id,shape\n5,\"{\"\"kind\"\": \"\"line\"\", \"\"at\"\": [1.5, -2]}\"\n",
            json!([{"id": "5", "shape": "{\"kind\": \"line\", \"at\": [1.5, -2]}"}]),
        ),
        (
            "a line end in quotes",
            "x,y\nfirst,7\n\"two\nlines\",8\nlast,9\n",
            json!([{"x": "first", "y": "7"}, {"x": "two\nlines", "y": "8"}, {"x": "last", "y": "9"}]),
        ),
        (
            "a line end in quotes, CRLF",
            "x,y\r\nfirst,7\r\n\"two\r\nlines\",8\r\nlast,9\r\n",
            json!([{"x": "first", "y": "7"}, {"x": "two\r\nlines", "y": "8"}, {"x": "last", "y": "9"}]),
        ),
        (
            "quotes and line ends in quotes",
            "x,y\n7,\"one \n\"\"two\"\" \nthree\"\n8,9\n",
            json!([{"x": "7", "y": "one \n\"two\" \nthree"}, {"x": "8", "y": "9"}]),
        ),
        (
            "letters beyond ASCII",
            "x,y\n7,ł\n8,日本\n",
            json!([{"x": "7", "y": "ł"}, {"x": "8", "y": "日本"}]),
        ),
    ]
}

#[test]
fn every_field_is_read_as_it_was_meant() {
    for (name, input, records) in cases() {
        let records: Vec<Map<String, Value>> = serde_json::from_value(records).unwrap();
        assert_eq!(read(name, input.as_bytes()), wanted(&records), "{name}");
    }
}

#[test]
fn every_field_of_csv_spectrum_is_read_as_the_collection_says() {
    let Some(folder) = crate::collection("csv-spectrum") else { return };
    let mut files: Vec<_> =
        fs::read_dir(folder.join("csvs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    // Line ends of either file may have been changed by a checkout: they are compared as one.
    let unified = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| cell.replace("\r\n", "\n")).collect()).collect()
    };
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let records = fs::read(folder.join(format!("json/{name}.json"))).unwrap();
        let records: Vec<Map<String, Value>> = serde_json::from_slice(&records).unwrap();
        let got = read(&name, &fs::read(&path).unwrap());
        assert_eq!(unified(got), unified(wanted(&records)), "{name}");
    }
}

/// Fields of each record that are not empty: empty ones become null.
fn wanted(records: &[Map<String, Value>]) -> Vec<Vec<String>> {
    let texts = |record: &Map<String, Value>| -> Vec<String> {
        let texts = record.values().map(|value| value.as_str().unwrap().to_owned());
        texts.filter(|text| !text.is_empty()).collect()
    };
    records.iter().map(texts).collect()
}

/// Values of each row that are not null, as text.
fn read(name: &str, input: &[u8]) -> Vec<Vec<String>> {
    let spec = "[input]\nformat = \"csv\"\n".to_owned();
    let ask = Ask { spec, table: Some("t".to_owned()), contracts: Vec::new() };
    let made = drive::run(&Native, &ask, input, 5).unwrap_or_else(|failed| panic!("{name}: {failed:?}"));
    let rows = made.parts.iter().flat_map(|part| rows::read(&part.bytes).unwrap().rows);
    rows.map(|cells| cells.iter().filter(|cell| *cell != "null").map(|cell| bare(cell)).collect()).collect()
}

/// A cell without the quotes of a string.
fn bare(cell: &str) -> String {
    serde_json::from_str::<String>(cell).unwrap_or_else(|_| cell.to_owned())
}
