//! Whatever the keys are called, and however often a contract grows: no two columns of one name.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::contract::{Contract, digest};
use crate::learn::{Kinds, Learned};
use crate::limits::Limits;
use crate::names::{Naming, pointer_push, snake_case};
use crate::propose::{Intent, check_against_live, contract};
use crate::spec::{Spec, Table};

/// Keys that clash with one another, and keys that are called as their clashes would be.
fn keys() -> impl Strategy<Value = Vec<String>> {
    let plain = prop::sample::select(vec!["a", "A", "_a", "a_", "a-a", "aA", "b", "B", "é", "日", "a.b"]);
    let suffixed = (plain.clone(), plain.clone(), 5_usize..=9, any::<bool>()).prop_map(
        |(name, of, digits, upper): (&str, &str, usize, bool)| {
            let mut pointer = String::new();
            pointer_push(&mut pointer, of);
            let name = snake_case(name).unwrap_or_default();
            let key = format!("{name}_{}", &digest(pointer.as_bytes())[..digits]);
            if upper { key.to_uppercase() } else { key }
        },
    );
    prop::collection::vec(prop_oneof![plain.prop_map(str::to_owned), suffixed], 1..10)
}

/// Some of the keys, on top or below another one, with a value or only null.
fn objects() -> impl Strategy<Value = Vec<Vec<(String, bool, bool)>>> {
    let members = |keys: Vec<String>| {
        let member = (prop::sample::select(keys), any::<bool>(), any::<bool>());
        prop::collection::vec(prop::collection::vec(member, 1..8), 1..5)
    };
    keys().prop_flat_map(members)
}

fn learn(object: &[(String, bool, bool)]) -> Learned {
    let mut learned = Learned::new(&Limits::default());
    for (key, nested, null) in object {
        let mut node = 0;
        if *nested {
            node = learned.child(0, b"b").unwrap();
            learned.see(node, Kinds::OBJECT);
        }
        let child = learned.child(node, key.as_bytes()).unwrap();
        learned.see(child, if *null { Kinds::NULL } else { Kinds::INT53 });
    }
    learned
}

/// Specs that name columns themselves, the one after the other.
const SPECS: [&str; 4] = [
    "",
    "[[table]]\n",
    "[[table]]\nnames = \"leaf\"\n[[table.column]]\nname = \"b\"\nfrom = \"A\"\n",
    "[[table]]\n[[table.derive]]\nname = \"a\"\nsql = \"1\"\n",
];

/// What the job does with a live contract: proposes another, and adds what is derived.
fn widen(text: &str, live: Option<&Contract>, learned: &Learned) -> Contract {
    let mut spec = Spec::parse(text).unwrap();
    let no_spec = spec.tables.is_empty();
    if no_spec {
        spec.tables.push(Table { names: Naming::Leaf, ..Table::default() });
    }
    let mut proposed = contract(&spec, 0, "t", Intent { no_spec, propose: false }, live, learned).contract;
    let derived: Vec<crate::contract::ContractColumn> = spec.tables[0]
        .derives
        .iter()
        .map(|derive| crate::contract::ContractColumn {
            name: derive.name.clone(),
            ty: crate::column::ColumnType::Bigint,
            origin: crate::contract::Origin::Sql(derive.sql.clone()),
            hidden: false,
        })
        .collect();
    crate::propose::finish(&mut proposed, live, &derived, Vec::new());
    proposed
}

proptest! {
    #[test]
    fn no_contract_has_two_columns_of_one_name(
        objects in objects(),
        specs in prop::collection::vec(0..SPECS.len(), 5),
    ) {
        let mut live: Option<Contract> = None;
        for (object, spec) in objects.iter().zip(specs) {
            let mut text = SPECS[spec];
            if let Some(live) = &live
                && let Some(table) = Spec::parse(text).unwrap().tables.first()
                && check_against_live(table, live).is_err()
            {
                // The job refuses such a spec.
                text = "";
            }
            let next = widen(text, live.as_ref(), &learn(object));
            next.check().map_err(|failure| TestCaseError::fail(failure.message))?;
            let names = next.columns.iter().map(|c| &c.name).chain(next.nulls.iter().map(|(name, _)| name));
            let folded: BTreeSet<String> = names.clone().map(|name| name.to_lowercase()).collect();
            prop_assert_eq!(folded.len(), names.count());
            if let Some(live) = &live {
                prop_assert!(next.holds(live));
            }
            // The order in which the keys came is nothing to the names.
            let mut backwards = object.clone();
            backwards.reverse();
            let again = widen(text, live.as_ref(), &learn(&backwards));
            let by_pointer = |contract: &Contract| -> BTreeSet<(String, String)> {
                let columns = contract.columns.iter().map(|c| (c.origin.text().to_owned(), c.name.clone()));
                let nulls = contract.nulls.iter().map(|(name, pointer)| (pointer.clone(), name.clone()));
                columns.chain(nulls).collect()
            };
            prop_assert_eq!(by_pointer(&again), by_pointer(&next));
            live = Some(next);
        }
    }
}
