//! Values that do not fit, kept beside their rows.

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::job_tests::{Made, drive, run};
use crate::Options;

/// Rows of the only part file, as text.
fn rows(made: &Made) -> Vec<String> {
    let [(_, _, bytes)] = &made.parts[..] else { panic!("{} part files", made.parts.len()) };
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
}

const COLUMNS: &str =
    "[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n[[table.column]]\nname = \"n\"\ntype = \"bigint\"\n";

fn spec(table: &str, columns: &str) -> String {
    format!("[output]\nmax_rejected = \"100%\"\n[[table]]\non_misfit = \"rescue\"\n{table}\n{columns}")
}

#[test]
fn the_row_stays_and_the_value_beside_it() {
    let data = "{\"id\":1,\"n\":2}\n{\"id\":2,\"n\":\"x\\n\"}\n{\"id\":3,\"n\":{\"a\": [1, 2]}}\n{\"id\":4,\"n\":1.5}\n";
    for chunk in [3, 1 << 20] {
        let made = run(&spec("", COLUMNS), data.as_bytes(), chunk);
        let expected = [
            r#"{id: 1, n: 2, _rescued: null}"#,
            r#"{id: 2, n: null, _rescued: "{"/n":"x\n"}"}"#,
            r#"{id: 3, n: null, _rescued: "{"/n":{"a":[1,2]}}"}"#,
            r#"{id: 4, n: null, _rescued: "{"/n":1.5}"}"#,
        ];
        assert_eq!(rows(&made), expected);
        assert_eq!((made.report["accepted"].clone(), made.report["rescued"].clone()), (4.into(), 3.into()));
        assert_eq!(made.report["rescues"].to_string(), r#"{"fraction":1,"type_mismatch":2}"#);
        let told = made.report["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|told| told["code"] == "rescued")
            .unwrap();
        assert!(
            told["count"] == 3 && told["message"].to_string().contains("(fraction, type_mismatch)"),
            "{told}"
        );
    }
    let csv = run(&spec("", COLUMNS), b"id,n\n1,2\n2,n/a\n3,\n", 64);
    assert_eq!(rows(&csv)[1], r#"{id: 2, n: null, _rescued: "{"/n":"n/a"}"}"#);
}

#[test]
fn elements_have_their_own_and_the_records() {
    let columns = "[[table.column]]\nname = \"id\"\ntype = \"bigint\"\n[[table.column]]\nname = \"q\"\nfrom = \"items.q\"\ntype = \"bigint\"\n";
    let data = "{\"items\":[{\"q\":1},{\"q\":\"x\"},7],\"id\":true}\n{\"id\":2,\"items\":\"none\"}\n";
    let made = run(&spec("rows = \"items\"", columns), data.as_bytes(), 5);
    let expected = [
        r#"{id: null, q: 1, _rescued: "{"/id":true}"}"#,
        r#"{id: null, q: null, _rescued: "{"/id":true,"/items/1/q":"x"}"}"#,
        r#"{id: null, q: null, _rescued: "{"/id":true,"/items/2":7}"}"#,
        r#"{id: 2, q: null, _rescued: "{"/items":"none"}"}"#,
    ];
    assert_eq!(rows(&made), expected);
    assert_eq!(made.report["rescued"], 2);
}

#[test]
fn what_something_depends_on_rejects_its_record() {
    for table in [
        "drop_nulls = [\"n\"]",
        "filter = \"n > 0\"",
        "partition_by = [\"n\"]",
        "[[table.derive]]\nname = \"d\"\nsql = \"n + 1\"",
        "[[table.check]]\nname = \"c\"\nsql = \"n > 0\"\non_fail = \"warn\"",
    ] {
        let (keys, lists) = if table.starts_with("[[") { ("", table) } else { (table, "") };
        let made = run(
            &spec(keys, &format!("{COLUMNS}{lists}")),
            b"{\"id\":1,\"n\":2}\n{\"id\":2,\"n\":\"x\"}\n",
            64,
        );
        assert_eq!(
            (made.report["rejected"].clone(), made.report["rescued"].is_null()),
            (1.into(), true),
            "{table}"
        );
    }
}

#[test]
fn rescued_records_count_towards_what_is_too_many() {
    let spec = format!(
        "[output]\nmax_rejected = 1\n[[table]]\nname = \"t\"\nmode = \"freeze\"\non_misfit = \"rescue\"\n{COLUMNS}"
    );
    let options = Options { spec, ..Options::default() };
    let widened = drive(&options, b"", 64).unwrap().unwrap_err();
    let options = Options { contracts: widened.contracts, final_pass: true, ..options };
    let many = b"{\"id\":1,\"n\":\"x\"}\n{\"id\":2,\"n\":\"y\"}\n{\"id\":3}\n";
    let failure = drive(&options, many, 64).unwrap_err();
    assert_eq!(failure.code, "too_many_rejected");
    assert!(failure.message.contains("2 rescued (2 × type_mismatch)"), "{failure}");
    assert!(drive(&options, &many[17..], 64).unwrap().is_ok());
}
