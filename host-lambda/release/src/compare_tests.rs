//! Differences between two specs over the same input are found, and nothing else is.

use super::*;
use lakegate_sandbox::{Limits, Sandbox};

/// Two specs over the same orders: what differs is what was changed.
#[test]
fn what_a_spec_changes_is_found_and_nothing_else() {
    let Ok(transform) = Transform::shipped(&Sandbox::new(Limits::default()).unwrap()) else {
        lakegate_skipped::skipped("this build carries no component");
        return;
    };
    let spec = |price: &str, more: &str| {
        format!(
            "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
             [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n\
             [[table.column]]\nname = \"price\"\ntype = \"{price}\"\n{more}"
        )
    };
    let plan = |text: String| Plan::new(text, None).unwrap();
    let input = b"{\"id\":1,\"price\":2}\n{\"id\":2,\"price\":null}\n{\"id\":3,\"price\":4}\n";
    let source = Source::reader(&input[..], "orders").unwrap();
    let run = |a: &Plan, b: &Plan| {
        let side = |plan| Side { transform: &transform, plan };
        compare(side(a), side(b), &source, None).unwrap()
    };
    let one = plan(spec("bigint", ""));
    let same = run(&one, &one);
    assert!(same.same(), "{same:?}");
    assert_eq!(
        (same.tables[0].rows.clone(), same.tables[0].columns[1].nulls.clone()),
        (Pair(3, 3), Pair(1, 1))
    );

    let derived = "[[table.derive]]\nname = \"twice\"\nsql = \"price * 2\"\n";
    let other = run(&one, &plan(spec("double", derived)));
    assert!(!other.same());
    let columns = &other.tables[0].columns;
    assert!(columns[0].same(), "{:?}", columns[0]);
    assert_eq!(columns[1].types, Pair(Some("bigint".into()), Some("double".into())));
    assert_eq!(columns[1].changed, Some(2));
    assert_eq!(columns[1].example, Some(Pair("2".into(), "2.0".into())));
    assert_eq!((columns[2].column.as_str(), columns[2].types.0.clone()), ("twice", None));
    assert_eq!(columns[2].changed, None);
}

#[test]
fn a_checksum_does_not_depend_on_order() {
    let columns = |values: &[Option<&str>]| {
        Columns(vec![("c".into(), values.iter().map(|value| value.map(str::to_string)).collect())])
    };
    let sum = |values: &[Option<&str>]| {
        let mut sums = Sums::default();
        sums.add(&columns(values));
        (sums.text("c"), sums.nulls("c"))
    };
    assert_eq!(sum(&[Some("a"), None, Some("b")]), sum(&[None, Some("b"), Some("a")]));
    assert_ne!(sum(&[Some("a"), Some("a")]), sum(&[Some("a"), Some("b")]));
    assert_ne!(sum(&[None]), sum(&[Some("null")]));
}
