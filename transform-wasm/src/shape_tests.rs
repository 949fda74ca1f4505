//! The shape of a table: it follows from the set of paths, whatever came first and how often.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::learn::{Kinds, Learned};
use crate::limits::Limits;
use crate::propose::{Intent, contract};
use crate::propose_tests::{codes, columns, learn, propose};
use crate::spec::Spec;

#[test]
fn shapes_that_conflict_are_one_json_column() {
    for (records, expected, warned) in [
        (vec![json!({"a": 1}), json!({"a": {"b": 1}})], "a json", "mixed_shapes"),
        (vec![json!({"a": {"b": 1}}), json!({"a": "x"}), json!({"a": null})], "a json", "mixed_shapes"),
        (vec![json!({"a": {"b": 1}}), json!({"a": [1]})], "a json", "mixed_shapes"),
        (vec![json!({"a": [{"b": 1}]}), json!({"a": {"b": 1}})], "a json", "mixed_shapes"),
        (vec![json!({"a": [1]}), json!({"a": true})], "a json", "mixed_shapes"),
    ] {
        let mut backwards = records.clone();
        backwards.reverse();
        for records in [records, backwards] {
            let proposal = propose("", None, &records);
            assert_eq!(columns(&proposal.contract), [expected], "{records:?}");
            assert_eq!(codes(&proposal.warnings), [warned], "{records:?}");
            assert_eq!(proposal.contract.rows, None);
        }
    }
    let null = propose("", None, &[json!({"a": null}), json!({"a": {"b": 1}})]);
    assert_eq!((columns(&null.contract), null.warnings.len()), (vec!["b bigint".to_owned()], 0));
    let deeper = propose("", None, &[json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": {"d": 1}}})]);
    assert_eq!(columns(&deeper.contract), ["b json", "c bigint"]);
}

#[test]
fn keys_that_are_data_make_no_columns() {
    let by_day = json!({"id": 1, "sales": {"2025-01-01": {"n": 1}, "2025-01-02": {"n": 2}}, "x": {"y": 1}});
    let proposal = propose("", None, &[by_day]);
    assert_eq!(columns(&proposal.contract), ["id bigint", "sales json", "y bigint"]);
    assert_eq!(codes(&proposal.warnings), ["keys_are_data"]);
    assert!(proposal.warnings[0].message.contains("/sales"));
}

fn wide(keys: usize) -> Value {
    Value::Object((0..keys).map(|i| (format!("k{i}x"), json!(i))).collect())
}

#[test]
fn many_keys_make_one_column() {
    let columns_of = |text: &str, record: Value| propose(text, None, &[record]).contract.columns.len();
    assert_eq!(columns_of("", json!({"a": wide(64)})), 64);
    assert_eq!(columns_of("", json!({"a": wide(65)})), 1);
    assert_eq!(columns_of("", wide(300)), 300, "the record itself is no column");
    assert_eq!(columns_of("", json!({"p": [wide(300)]})), 300, "nor are rows");
    assert_eq!(columns_of("", json!({"a": {"b": wide(40), "c": wide(40)}})), 1, "they count together");
    assert_eq!(columns_of("", json!({"a": {"b": wide(70), "c": 1}})), 2, "what is JSON itself counts once");
    assert_eq!(columns_of("[[table]]\nflatten_keys = 65\n", json!({"a": wide(65)})), 65);
    let declared = "[[table]]\n[[table.column]]\nname = \"first\"\nfrom = \"a.k0x\"\n";
    assert_eq!(columns_of(declared, json!({"a": wide(65)})), 65, "who declares one wants them all");
    let proposal = propose("", None, &[json!({"a": wide(65)})]);
    assert_eq!(codes(&proposal.warnings), ["many_keys"]);
}

#[test]
fn depth_can_be_bounded() {
    let record = json!({"a": {"b": {"c": 1}, "d": 2}, "e": 3});
    for (depth, expected) in [
        (1, vec!["a json", "e bigint"]),
        (2, vec!["a_b json", "a_d bigint", "e bigint"]),
        (3, vec!["a_b_c bigint", "a_d bigint", "e bigint"]),
    ] {
        let text = format!("[[table]]\nflatten_depth = {depth}\n");
        assert_eq!(columns(&propose(&text, None, std::slice::from_ref(&record)).contract), expected);
    }
}

#[test]
fn only_an_array_that_is_no_deeper_than_the_rest_makes_rows() {
    for (record, rows, warned) in [
        (json!({"id": 1, "p": [{"q": 1}]}), Some("/p"), None),
        (json!({"id": 1, "c": {"d": 1}, "p": [{"q": 1}]}), Some("/p"), None),
        (json!({"id": 1, "c": {"d": {"e": 1}}, "p": [{"q": 1}]}), None, Some("array_kept")),
        (json!({"id": 1, "c": {"d": {"e": 1}}, "p": [{"q": {"r": 1}}]}), Some("/p"), None),
        (json!({"schema": {"fields": [{"t": 1}]}, "payload": {"a": 1}}), None, Some("array_kept")),
        (json!({"p": [{"q": 1}], "o": [{"q": 1}]}), None, Some("several_arrays")),
        (json!({"p": [{"q": 1}], "o": {"x": [{"q": 1}]}}), None, Some("several_arrays")),
        (json!({"p": [1, 2]}), None, None),
    ] {
        let proposal = propose("", None, std::slice::from_ref(&record));
        assert_eq!(proposal.contract.rows.as_deref(), rows, "{record}");
        let told = codes(&proposal.warnings).first().copied();
        assert_eq!(told, warned, "{record}");
    }
}

/// A flattened object stays so; what goes beyond the bound shares one column, whichever of it came first.
#[test]
fn an_agreed_object_does_not_grow_without_end() {
    let live = propose("", None, &[json!({"id": 1, "a": wide(60)})]).contract;
    let mut few = wide(60);
    few["new"] = json!(1);
    let grown = propose("", Some(&live), &[json!({"a": few})]);
    assert_eq!(columns(&grown.contract)[61..], ["new bigint"]);
    let mut many = wide(60);
    for i in 0..9 {
        many[format!("other{i}")] = json!(i);
    }
    let grown = propose("", Some(&live), &[json!({"a": many})]);
    assert_eq!(columns(&grown.contract)[61..], ["a_rest json"]);
    assert_eq!(codes(&grown.warnings), ["keys_in_rest"]);
    let apart = propose("", Some(&live), &[json!({"a": {"p": 1, "q": 1, "r": 1, "s": 1, "t": 1}})]);
    assert_eq!(columns(&apart.contract)[61..], ["a_rest json"], "whichever of the others this input has");
    let again = propose("", Some(&grown.contract), &[json!({"a": {"more": 1}, "b": 1})]);
    assert_eq!(columns(&again.contract)[61..], ["a_rest json", "b bigint"]);
    assert!(again.warnings.is_empty(), "it is said once");
    let dated = propose("", Some(&live), &[json!({"a": {"2025-01-01": 1}})]);
    assert_eq!(columns(&dated.contract)[61..], ["a_rest json"]);
}

#[test]
fn a_bare_name_means_the_key_that_is_there() {
    let text = |column: &str| format!("[[table]]\n[[table.column]]\n{column}\n");
    let pointer = |column: &str, record: Value| {
        let contract = propose(&text(column), None, &[record]).contract;
        (contract.columns.len(), contract.columns[0].origin.text().to_owned())
    };
    for (column, record, expected) in [
        ("name = \"betrag\"", json!({"Betrag": 1}), (1, "/Betrag")),
        ("name = \"order_id\"", json!({"Order ID": 1}), (1, "/Order ID")),
        ("name = \"order_id\"", json!({"order_id": 1, "orderId": 2}), (2, "/order_id")),
        ("name = \"n\"\nfrom = \"customer.id\"", json!({"Customer": {"ID": 1}}), (1, "/Customer/ID")),
        ("name = \"n\"\nfrom = \"Order ID\"\ntype = \"bigint\"", json!({"orderId": 1}), (1, "/orderId")),
        ("name = \"n\"\nfrom = \"/betrag\"\ntype = \"bigint\"", json!({"Betrag": 1}), (2, "/betrag")),
        ("name = \"n\"\nfrom = \"id\"\ntype = \"bigint\"", json!({"ID": 1, "Id": 2}), (3, "/id")),
    ] {
        assert_eq!(pointer(column, record.clone()), (expected.0, expected.1.to_owned()), "{column} {record}");
    }
    let live = propose(&text("name = \"betrag\""), None, &[json!({"Betrag": 1})]).contract;
    let again = propose(&text("name = \"betrag\""), Some(&live), &[json!({"betrag": 2})]).contract;
    assert_eq!(again.columns[0].origin.text(), "/Betrag");
}

#[test]
fn what_is_proposed_to_a_person_has_dates_and_decimals() {
    let mut learned = Learned::new(&Limits::default());
    let spec = Spec::parse("[[table]]\n").unwrap();
    for (key, kinds) in [
        ("day", Kinds::DATE),
        ("at", Kinds::DATE.join(Kinds::TIMESTAMP).join(Kinds::FINE).join(Kinds::NULL)),
        ("text", Kinds::DATE.join(Kinds::STRING)),
        ("either", Kinds::DAY_MONTH),
        ("long", Kinds::DOUBLE.join(Kinds::LONG).join(Kinds::INT64)),
        ("plain", Kinds::DOUBLE.join(Kinds::INT53)),
    ] {
        let node = learned.child(0, key.as_bytes()).unwrap();
        learned.see(node, kinds);
        learned.see_digits(node, crate::learn::Digits(16, 2));
    }
    let of = |propose: bool| {
        let intent = Intent { no_spec: false, propose };
        contract(&spec, 0, "t", intent, None, &learned)
    };
    assert_eq!(
        columns(&of(true).contract),
        ["day date", "at timestamp", "text string", "either string", "long decimal(18,2)", "plain double"]
    );
    assert_eq!(codes(&of(true).warnings), ["day_month"]);
    assert_eq!(
        columns(&of(false).contract),
        ["day string", "at string", "text string", "either string", "long string", "plain double"]
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9..9_i64).prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!("x")),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let key =
            prop_oneof![Just("a"), Just("b"), Just("Ab"), Just("2025-01-01"), Just("user_1234"), Just("é")];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::vec((key, inner), 0..4).prop_map(|members| {
                Value::Object(
                    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

fn records() -> impl Strategy<Value = Vec<Value>> {
    let record = value().prop_map(|value| json!({"a": value, "id": 1}));
    proptest::collection::vec(record, 1..5)
}

fn join(parts: &[(Option<&str>, &[Value])]) -> Learned {
    let mut all = Learned::new(&Limits::default());
    for (records, values) in parts {
        let mut part = learn(values);
        part.records = records.map(|key| vec![key.to_owned()]);
        all.join_text(&part.to_text()).unwrap();
    }
    all
}

fn agreed(learned: &Learned) -> String {
    let mut spec = Spec::parse("").unwrap();
    spec.tables.push(crate::spec::Table { names: crate::names::Naming::Leaf, ..Default::default() });
    let intent = Intent { no_spec: true, propose: false };
    contract(&spec, 0, "t", intent, None, learned).contract.to_text()
}

proptest! {
    #[test]
    fn the_order_of_files_does_not_matter(a in records(), b in records(), c in records()) {
        let whole = agreed(&join(&[(None, &a), (None, &b), (None, &c)]));
        prop_assert_eq!(&agreed(&join(&[(None, &c), (None, &b), (None, &a)])), &whole);
        prop_assert_eq!(&agreed(&join(&[(None, &b), (None, &a), (None, &c), (None, &a)])), &whole);
    }

    /// Also where some have their records below a path and some do not.
    #[test]
    fn nor_does_where_their_records_are(a in records(), b in records(), c in records()) {
        let whole = agreed(&join(&[(Some("r"), &a), (None, &b), (Some("s"), &c)]));
        prop_assert_eq!(&agreed(&join(&[(Some("s"), &c), (Some("r"), &a), (None, &b)])), &whole);
        prop_assert_eq!(&agreed(&join(&[(None, &b), (Some("s"), &c), (Some("r"), &a)])), &whole);
        let none = [json!({"r": []})];
        let found = agreed(&join(&[(Some("r"), &a), (None, &none)]));
        prop_assert_eq!(&agreed(&join(&[(None, &none), (Some("r"), &a)])), &found);
        prop_assert_eq!(found, agreed(&join(&[(Some("r"), &a)])));
    }
}
