//! Small tricky inputs without a spec: what becomes of each.

use lakegate_tests::drive::{self, Ask};
use lakegate_tests::rows;
use lakegate_tests::ways::Native;

/// Name; input; columns; rows as text; numbers of rejected records.
type Wanted = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [u64]);

const WANTED: [Wanted; 14] = [
    (
        "empty_array",
        r#"[{"id":1,"items":[]},{"id":2,"items":[{"a":1}]}]"#,
        "id:bigint a:bigint",
        &["1 | null", "2 | 1"],
        &[],
    ),
    (
        "null_array",
        r#"[{"id":1,"items":null},{"id":2,"items":[{"a":1}]}]"#,
        "id:bigint a:bigint",
        &["1 | null", "2 | 1"],
        &[],
    ),
    (
        "missing_array",
        r#"[{"id":1},{"id":2,"items":[{"a":1}]}]"#,
        "id:bigint a:bigint",
        &["1 | null", "2 | 1"],
        &[],
    ),
    (
        "all_arrays_empty",
        r#"[{"id":1,"items":[]},{"id":2,"items":[]}]"#,
        "id:bigint items:string",
        &["1 | \"[]\"", "2 | \"[]\""],
        &[],
    ),
    (
        "scalar_array",
        r#"[{"id":1,"items":["x","y"]},{"id":2,"items":["z"]}]"#,
        "id:bigint items:string",
        &["1 | \"[\\\"x\\\",\\\"y\\\"]\"", "2 | \"[\\\"z\\\"]\""],
        &[],
    ),
    (
        "array_in_array",
        r#"[{"id":1,"items":[[1,2],[3]]},{"id":2,"items":[[]]}]"#,
        "id:bigint items:string",
        &["1 | \"[[1,2],[3]]\"", "2 | \"[[]]\""],
        &[],
    ),
    (
        "nested_record_arrays",
        r#"[{"id":1,"items":[{"a":1,"subs":[{"s":1},{"s":2}]},{"a":2,"subs":[]}]}]"#,
        "id:bigint a:bigint subs:string",
        &["1 | 1 | \"[{\\\"s\\\":1},{\\\"s\\\":2}]\"", "1 | 2 | \"[]\""],
        &[],
    ),
    (
        "sibling_arrays",
        r#"[{"id":1,"items":[{"a":1},{"a":2}],"coupons":[{"c":"x"},{"c":"y"},{"c":"z"}]}]"#,
        "id:bigint items:string coupons:string",
        &[
            "1 | \"[{\\\"a\\\":1},{\\\"a\\\":2}]\" | \"[{\\\"c\\\":\\\"x\\\"},{\\\"c\\\":\\\"y\\\"},{\\\"c\\\":\\\"z\\\"}]\"",
        ],
        &[],
    ),
    (
        "missing_customer",
        r#"[{"id":1,"customer":{"name":"A"},"items":[{"a":1}]},{"id":2,"items":[{"a":2}]},{"id":3,"customer":null,"items":[{"a":3}]}]"#,
        "id:bigint name:string a:bigint",
        &["1 | \"A\" | 1", "2 | null | 2", "3 | null | 3"],
        &[],
    ),
    (
        "mixed_number_string",
        r#"[{"id":1,"items":[{"p":1}]},{"id":2,"items":[{"p":2.5}]},{"id":3,"items":[{"p":"3"}]},{"id":"4","items":[{"p":null}]}]"#,
        "id:string p:string",
        &["\"1\" | \"1\"", "\"2\" | \"2.5\"", "\"3\" | \"3\"", "\"4\" | null"],
        &[],
    ),
    (
        "object_vs_scalar",
        r#"[{"id":1,"customer":{"name":"A"},"items":[{"a":1}]},{"id":2,"customer":"B","items":[{"a":2}]}]"#,
        "id:bigint customer:string a:bigint",
        &["1 | \"{\\\"name\\\":\\\"A\\\"}\" | 1", "2 | \"\\\"B\\\"\" | 2"],
        &[],
    ),
    (
        "array_vs_object",
        r#"[{"id":1,"items":[{"a":1}]},{"id":2,"items":{"a":2}}]"#,
        "id:bigint items:string",
        &["1 | \"[{\\\"a\\\":1}]\"", "2 | \"{\\\"a\\\":2}\""],
        &[],
    ),
    (
        "null_element",
        r#"[{"id":1,"items":[{"a":1},null,{"a":3}]}]"#,
        "id:bigint a:bigint",
        &["1 | 1", "1 | null", "1 | 3"],
        &[],
    ),
    ("mixed_elements", r#"[{"id":1,"items":[{"a":1},2,"x"]}]"#, "", &[], &[1]),
];

#[test]
fn every_case_comes_out_as_designed() {
    for (name, input, columns, expected, rejected) in WANTED {
        let spec = "[output]\nmax_rejected = \"100%\"\n".to_owned();
        let ask = Ask { spec, table: Some("t".to_owned()), contracts: Vec::new() };
        let made = drive::run(&Native, &ask, input.as_bytes(), 3)
            .unwrap_or_else(|failed| panic!("{name}: {failed:?}"));
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
