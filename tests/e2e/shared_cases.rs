//! Small tricky files beside the checkout, without a spec: what the design wants of each.

use std::fs;

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::rows;
use lakegate_tests::ways::Native;

/// File; columns; rows as text; numbers of rejected records.
type Wanted = (&'static str, &'static str, &'static [&'static str], &'static [u64]);

const WANTED: [Wanted; 14] = [
    ("01_empty_array", "id:bigint a:bigint", &["1 | null", "2 | 1"], &[]),
    ("02_null_array", "id:bigint a:bigint", &["1 | null", "2 | 1"], &[]),
    ("03_missing_array", "id:bigint a:bigint", &["1 | null", "2 | 1"], &[]),
    ("04_all_arrays_empty", "id:bigint items:string", &["1 | \"[]\"", "2 | \"[]\""], &[]),
    (
        "05_scalar_array",
        "id:bigint items:string",
        &["1 | \"[\\\"x\\\",\\\"y\\\"]\"", "2 | \"[\\\"z\\\"]\""],
        &[],
    ),
    ("06_array_in_array", "id:bigint items:string", &["1 | \"[[1,2],[3]]\"", "2 | \"[[]]\""], &[]),
    (
        "07_nested_record_arrays",
        "id:bigint a:bigint subs:string",
        &["1 | 1 | \"[{\\\"s\\\":1},{\\\"s\\\":2}]\"", "1 | 2 | \"[]\""],
        &[],
    ),
    (
        "08_sibling_arrays",
        "id:bigint items:string coupons:string",
        &[
            "1 | \"[{\\\"a\\\":1},{\\\"a\\\":2}]\" | \"[{\\\"c\\\":\\\"x\\\"},{\\\"c\\\":\\\"y\\\"},{\\\"c\\\":\\\"z\\\"}]\"",
        ],
        &[],
    ),
    (
        "09_missing_customer",
        "id:bigint name:string a:bigint",
        &["1 | \"A\" | 1", "2 | null | 2", "3 | null | 3"],
        &[],
    ),
    (
        "10_mixed_number_string",
        "id:string p:string",
        &["\"1\" | \"1\"", "\"2\" | \"2.5\"", "\"3\" | \"3\"", "\"4\" | null"],
        &[],
    ),
    ("11_object_vs_scalar", "id:bigint name:string a:bigint", &["1 | \"A\" | 1"], &[2]),
    ("12_array_vs_object", "id:bigint a:bigint", &["2 | 2"], &[1]),
    ("13_null_element", "id:bigint a:bigint", &["1 | 1", "1 | null", "1 | 3"], &[]),
    ("14_mixed_elements", "", &[], &[1]),
];

#[test]
fn every_case_comes_out_as_designed() {
    let Some(folder) = crate::shared("cases") else { return };
    for (name, columns, expected, rejected) in WANTED {
        let input = fs::read(folder.join(format!("{name}.json"))).unwrap();
        let spec = "[output]\nmax_rejected = \"100%\"\n".to_owned();
        let ask = Ask { spec, table: Some("t".to_owned()), contracts: Vec::new() };
        let made = drive::run(&Native, &ask, &input, 3).unwrap_or_else(|failed| panic!("{name}: {failed:?}"));
        let numbers: Vec<u64> = made.quarantine.iter().map(|line| line["record"].as_u64().unwrap()).collect();
        assert_eq!(numbers, rejected, "{name}: rejected");
        let parts: Vec<_> = made.parts.iter().map(|part| rows::read(&part.bytes).unwrap()).collect();
        let schema = parts.first().map_or_else(String::new, |part| {
            part.schema.iter().map(|(name, ty)| format!("{name}:{ty}")).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(schema, columns, "{name}: columns");
        let got: Vec<String> = parts.iter().flat_map(|part| &part.rows).map(|row| row.join(" | ")).collect();
        assert_eq!(got, expected, "{name}: rows");
    }
}
