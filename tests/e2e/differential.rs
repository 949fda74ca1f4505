//! Generated records through the transform and through the plain reference: the same tables.

use lakegate_tests::generate;
use lakegate_tests::judged::{self, ALL_MAY_FAIL, table};
use lakegate_tests::reference::names::Naming;
use lakegate_tests::reference::{self, Rows};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    /// No spec: the only array of objects is exploded, leaf names.
    #[test]
    fn without_tables(records in generate::records()) {
        let ask = table("t", Rows::Guess, Naming::Leaf);
        check(&records, ALL_MAY_FAIL, &[ask])?;
    }

    /// A spec: path names, every number a double, inner explode, rows with nulls dropped.
    #[test]
    fn with_rows(records in generate::records(), doubles: bool, keep_empty: bool) {
        let spec = format!(
            "{ALL_MAY_FAIL}\n[[table]]\nname = \"t\"\nrows = \"items\"\nempty = \"{}\"\nnumbers = \"{}\"\n",
            if keep_empty { "keep" } else { "drop" },
            if doubles { "double" } else { "exact" },
        );
        let ask = table("t", Rows::At(vec!["items".to_owned()]), Naming::Path);
        check(&records, &spec, &[reference::Ask { doubles, keep_empty, ..ask }])?;
    }

    /// Two tables from one source object: a record counts in both or in none.
    #[test]
    fn two_tables(records in generate::records()) {
        let spec = format!(
            "{ALL_MAY_FAIL}\n[[table]]\nname = \"heads\"\n\n[[table]]\nname = \"items\"\nrows = \"items\"\nnames = \"leaf\"\n"
        );
        let heads = table("heads", Rows::Record, Naming::Path);
        let items = table("items", Rows::At(vec!["items".to_owned()]), Naming::Leaf);
        check(&records, &spec, &[heads, items])?;
    }

    /// Declared types only: the value → column table, with `mode = "discard"`.
    #[test]
    fn declared_types(records in generate::records(), types in proptest::collection::vec(declared_type(), 4)) {
        // Pointers mean keys to the letter.
        let keys = ["/id", "/name", "/customer/name", "/tags"];
        let mut spec = format!("{ALL_MAY_FAIL}\n[[table]]\nname = \"t\"\nmode = \"discard\"\n");
        let mut ask = reference::Ask { discard: true, ..table("t", Rows::Record, Naming::Path) };
        for (at, (key, ty)) in keys.iter().zip(&types).enumerate() {
            spec += &format!("\n[[table.column]]\nname = \"c{at}\"\nfrom = \"{key}\"\ntype = \"{ty}\"\n");
            let path = key.split('/').skip(1).map(str::to_owned).collect();
            ask.declared.push((format!("c{at}"), path, Some(ty.clone())));
        }
        check(&records, &spec, &[ask])?;
    }
}

fn declared_type() -> impl Strategy<Value = String> {
    let names = ["boolean", "bigint", "double", "string", "json", "decimal(20,2)", "decimal(3,0)", "date"];
    proptest::sample::select(names.map(str::to_owned).to_vec())
}

fn check(records: &[String], spec: &str, asks: &[reference::Ask]) -> Result<(), TestCaseError> {
    judged::check(records, spec, asks).map_err(TestCaseError::fail)
}
