//! Learning: the laws of the join, and the type that follows from a set of kinds.

use proptest::prelude::*;

use crate::column::ColumnType;
use crate::learn::{Kinds, Learned, column_type};
use crate::limits::Limits;
use crate::spec::Numbers;

const ALL: [Kinds; 15] = [
    Kinds::NULL,
    Kinds::BOOLEAN,
    Kinds::INT53,
    Kinds::INT64,
    Kinds::BIG,
    Kinds::DOUBLE,
    Kinds::STRING,
    Kinds::OBJECT,
    Kinds::ARRAY,
    Kinds::ARRAY_OF_OBJECTS,
    Kinds::DATE,
    Kinds::TIMESTAMP,
    Kinds::FINE,
    Kinds::DAY_MONTH,
    Kinds::LONG,
];

fn ty(kinds: &[Kinds], numbers: Numbers) -> Option<ColumnType> {
    column_type(kinds.iter().fold(Kinds::default(), |all, k| all.join(*k)), numbers)
}

#[test]
fn types_follow_from_kinds() {
    use ColumnType::{Bigint, Boolean, Double, Json, String};
    for (kinds, exact, double) in [
        (&[Kinds::NULL][..], None, None),
        (&[], None, None),
        (&[Kinds::BOOLEAN, Kinds::NULL], Some(Boolean), Some(Boolean)),
        (&[Kinds::INT53], Some(Bigint), Some(Double)),
        (&[Kinds::INT53, Kinds::INT64], Some(Bigint), Some(Double)),
        (&[Kinds::INT53, Kinds::DOUBLE], Some(Double), Some(Double)),
        (&[Kinds::INT64, Kinds::DOUBLE], Some(String), Some(Double)),
        (&[Kinds::BIG], Some(String), Some(String)),
        (&[Kinds::BOOLEAN, Kinds::INT53], Some(String), Some(String)),
        (&[Kinds::INT53, Kinds::STRING], Some(String), Some(String)),
        (&[Kinds::ARRAY, Kinds::ARRAY_OF_OBJECTS], Some(Json), Some(Json)),
        (&[Kinds::ARRAY, Kinds::STRING], Some(Json), Some(Json)),
        (&[Kinds::OBJECT, Kinds::STRING], Some(Json), Some(Json)),
        (&[Kinds::DATE, Kinds::TIMESTAMP, Kinds::FINE, Kinds::DAY_MONTH], Some(String), Some(String)),
        (&[Kinds::DOUBLE, Kinds::LONG, Kinds::INT53], Some(Double), Some(Double)),
    ] {
        assert_eq!(ty(kinds, Numbers::Exact), exact, "{kinds:?}");
        assert_eq!(ty(kinds, Numbers::Double), double, "{kinds:?}");
    }
}

/// Paths (keys; `*` is an array's element) and what was seen at each.
type Seen = Vec<(Vec<String>, usize)>;

fn seen() -> impl Strategy<Value = Seen> {
    let key = prop_oneof![Just("a"), Just("b"), Just("é\"\\"), Just("*")].prop_map(str::to_owned);
    proptest::collection::vec((proptest::collection::vec(key, 1..4), 0..ALL.len()), 0..12)
}

fn learn(seen: &Seen) -> Learned {
    let mut learned = Learned::new(&Limits::default());
    for (path, kind) in seen {
        let node = path.iter().fold(0, |node, key| match key.as_str() {
            "*" => learned.element(node).unwrap(),
            key => learned.child(node, key.as_bytes()).unwrap(),
        });
        learned.see(node, ALL[*kind]);
    }
    learned
}

fn join(parts: &[&Learned]) -> Learned {
    let mut all = Learned::new(&Limits::default());
    parts.iter().for_each(|part| all.join_text(&part.to_text()).unwrap());
    all
}

/// Everything learned but the order of keys, which is the order they came in.
fn facts(learned: &Learned) -> Vec<(String, u32)> {
    fn walk(learned: &Learned, node: u32, path: &str, out: &mut Vec<(String, u32)>) {
        let here = &learned.nodes[node as usize];
        out.push((path.to_owned(), here.kinds.0));
        for (key, child) in here.keys.iter() {
            walk(learned, child, &format!("{path}/{}", String::from_utf8_lossy(key)), out);
        }
        if let Some(element) = here.element {
            walk(learned, element, &format!("{path}/[]"), out);
        }
    }
    let mut out = Vec::new();
    walk(learned, 0, "", &mut out);
    out.sort();
    out
}

proptest! {
    #[test]
    fn join_is_commutative(a in seen(), b in seen()) {
        let (a, b) = (learn(&a), learn(&b));
        prop_assert_eq!(facts(&join(&[&a, &b])), facts(&join(&[&b, &a])));
    }

    #[test]
    fn join_is_associative(a in seen(), b in seen(), c in seen()) {
        let (a, b, c) = (learn(&a), learn(&b), learn(&c));
        prop_assert_eq!(facts(&join(&[&join(&[&a, &b]), &c])), facts(&join(&[&a, &join(&[&b, &c])])));
    }

    #[test]
    fn join_is_idempotent(a in seen()) {
        let a = learn(&a);
        prop_assert_eq!(join(&[&a, &a]).to_text(), a.to_text());
    }

    #[test]
    fn files_apart_teach_what_they_teach_together(a in seen(), b in seen()) {
        let together: Seen = a.iter().chain(&b).cloned().collect();
        prop_assert_eq!(facts(&join(&[&learn(&a), &learn(&b)])), facts(&learn(&together)));
    }
}

#[test]
fn too_many_paths_are_refused() {
    let mut learned = Learned::new(&Limits { columns: 2, ..Limits::default() });
    let failure = (0..9).find_map(|i| learned.child(0, format!("k{i}").as_bytes()).err()).unwrap();
    assert_eq!(failure.code, "too_many_columns");
}

#[test]
fn unreadable_texts_are_refused() {
    for text in ["", "{}", "{\"version\":2,\"root\":{\"k\":0}}", "{\"version\":1}", "{\"version\":2}"] {
        assert_eq!(Learned::new(&Limits::default()).join_text(text).unwrap_err().code, "learned_invalid");
    }
}
