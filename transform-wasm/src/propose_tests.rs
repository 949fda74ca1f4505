//! Proposals: columns and their order, growth of a live contract, the spec text that pins them.

use serde_json::{Value, json};

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin, PartitionColumn};
use crate::learn::{Kinds, Learned};
use crate::limits::Limits;
use crate::names::Naming;
use crate::propose::{Intent, Proposal, check_against_live, check_width, contract, finish, spec_text};
use crate::report::Warning;
use crate::spec::{Spec, Table};

/// Learns as the reader does, from parsed JSON.
pub(crate) fn learn(records: &[Value]) -> Learned {
    let mut learned = Learned::new(&Limits::default());
    records.iter().for_each(|record| see(&mut learned, 0, record, false));
    learned
}

fn see(learned: &mut Learned, node: u32, value: &Value, in_array: bool) {
    let kinds = match value {
        Value::Null => Kinds::NULL,
        Value::Bool(_) => Kinds::BOOLEAN,
        Value::Number(n) if n.is_f64() => Kinds::DOUBLE,
        Value::Number(_) => Kinds::INT53,
        Value::String(_) => Kinds::STRING,
        Value::Object(_) => Kinds::OBJECT,
        Value::Array(items) if items.iter().any(Value::is_object) => {
            Kinds::ARRAY.join(Kinds::ARRAY_OF_OBJECTS)
        }
        Value::Array(_) => Kinds::ARRAY,
    };
    learned.see(node, kinds);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let child = learned.child(node, key.as_bytes()).unwrap();
                see(learned, child, value, in_array);
            }
        }
        Value::Array(items) if !in_array => {
            let element = learned.element(node).unwrap();
            items.iter().for_each(|item| see(learned, element, item, true));
        }
        _ => {}
    }
}

/// A spec as the job has it: without any table there is one that learns everything.
fn spec(text: &str) -> (Spec, bool) {
    let mut spec = Spec::parse(text).unwrap();
    let no_spec = spec.tables.is_empty();
    if no_spec {
        spec.tables.push(Table { names: Naming::Leaf, ..Table::default() });
    }
    (spec, no_spec)
}

fn told(no_spec: bool) -> Intent {
    Intent { no_spec, propose: false }
}

pub(crate) fn propose(text: &str, live: Option<&Contract>, records: &[Value]) -> Proposal {
    let (spec, no_spec) = spec(text);
    contract(&spec, 0, "t", told(no_spec), live, &learn(records))
}

pub(crate) fn columns(contract: &Contract) -> Vec<String> {
    contract.columns.iter().map(|c| format!("{} {}", c.name, c.ty)).collect()
}

pub(crate) fn codes(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|w| &*w.code).collect()
}

fn order() -> Value {
    json!({
        "order_id": "o1", "order_date": "2025-01-01", "total_amount": 10.5,
        "customer": {"customer_id": "c1", "name": "n", "email": "e", "address": "a"},
        "products": [{"product_id": "p1", "name": "n", "category": "c", "price": 1.5, "quantity": 2}],
    })
}

#[test]
fn orders_have_their_twelve_columns() {
    let proposal = propose("", None, &[order()]);
    assert_eq!(proposal.contract.rows.as_deref(), Some("/products"));
    let names: Vec<&str> = proposal.contract.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "order_id",
            "order_date",
            "total_amount",
            "customer_id",
            "customer_name",
            "email",
            "address",
            "product_id",
            "product_name",
            "category",
            "price",
            "quantity"
        ]
    );
    assert_eq!(codes(&proposal.warnings), ["amount_repeats"]);
    assert!(proposal.warnings[0].message.contains("`total_amount`"));
}

#[test]
fn several_arrays_stay_json() {
    let proposal = propose("", None, &[json!({"a": [{"x": 1}], "b": {"c": [{"y": 1}]}, "d": [1]})]);
    assert_eq!(proposal.contract.rows, None);
    assert_eq!(columns(&proposal.contract), ["a json", "c json", "d json"]);
    assert_eq!(codes(&proposal.warnings), ["several_arrays"]);
    assert!(proposal.warnings[0].message.contains("/a, /b/c"));
}

#[test]
fn declared_come_first_and_win() {
    let text = "[[table]]\n[[table.column]]\nname = \"when\"\nfrom = \"b.at\"\ntype = \"date\"\n\
                [[table.column]]\nname = \"n\"\n[[table.column]]\nname = \"later\"\n";
    let proposal = propose(text, None, &[json!({"a": 1, "b": {"at": "2025-01-01", "x": true}, "n": 1.5})]);
    assert_eq!(columns(&proposal.contract), ["when date", "n double", "a bigint", "b_x boolean"]);
    assert_eq!(proposal.contract.nulls, [("later".to_owned(), "/later".to_owned())]);
}

#[test]
fn freeze_and_discard_learn_no_column() {
    for mode in ["freeze", "discard"] {
        let text = format!("[[table]]\nmode = \"{mode}\"\n[[table.column]]\nname = \"a\"\n");
        assert_eq!(columns(&propose(&text, None, &[json!({"a": 1, "b": 2})]).contract), ["a bigint"]);
    }
}

#[test]
fn declared_object_is_one_json_column() {
    let text = "[[table]]\n[[table.column]]\nname = \"a\"\n";
    assert_eq!(columns(&propose(text, None, &[json!({"a": {"b": 1}})]).contract), ["a json"]);
}

#[test]
fn live_contract_grows_at_its_end_by_pointer() {
    let live = propose("", None, &[json!({"m": 1, "n": null, "o": null})]).contract;
    let grown = propose("", Some(&live), &[json!({"z": 1, "n": "x", "m": "text", "b": 2})]).contract;
    assert_eq!(columns(&grown), ["m bigint", "b bigint", "n string", "z bigint"]);
    assert_eq!(grown.nulls, [("o".to_owned(), "/o".to_owned())]);
    assert_eq!(propose("", Some(&grown), &[json!({"o": null})]).contract, grown);
}

#[test]
fn remembered_null_keeps_its_name() {
    let mut live = propose("", None, &[json!({"n": null})]).contract;
    live.nulls[0].0 = "kept".into();
    assert_eq!(columns(&propose("", Some(&live), &[json!({"n": 1})]).contract), ["kept bigint"]);
}

#[test]
fn one_odd_record_does_not_change_what_is_settled() {
    let live = propose("", None, &[json!({"a": {"b": 1}, "s": "x", "p": [{"q": 1}]})]).contract;
    assert_eq!(live.rows.as_deref(), Some("/p"));
    let odd = json!({"a": 5, "s": {"deep": 1}, "p": {"r": 1}, "new": true});
    let grown = propose("", Some(&live), &[odd]).contract;
    assert_eq!(columns(&grown), ["b bigint", "s string", "q bigint", "new boolean"]);
    assert!(grown.nulls.is_empty());
    let null = propose("", Some(&live), &[json!({"a": null, "p": null})]).contract;
    assert_eq!(null, live);
}

#[test]
fn declared_rows_stand_although_one_record_has_an_object_there() {
    let text = "[[table]]\nrows = \"p\"\n";
    let proposal = propose(text, None, &[json!({"p": {"r": 1}}), json!({"p": [{"q": 1}]})]);
    assert_eq!(columns(&proposal.contract), ["p_q bigint"]);
}

#[test]
fn elements_of_rows_stay_objects_beside_scalars() {
    let proposal = propose("[[table]]\nrows = \"p\"\n", None, &[json!({"p": [{"b": 1}, 2]})]);
    assert_eq!(columns(&proposal.contract), ["p_b bigint"]);
    assert_eq!(codes(&proposal.warnings), ["object_and_scalar"]);
}

#[test]
fn arrays_of_other_tables_are_no_column() {
    let text = "[[table]]\nname = \"t\"\n[[table]]\nname = \"u\"\nrows = \"p\"\n";
    assert_eq!(
        columns(&propose(text, None, &[json!({"id": 1, "p": [{"q": 1}], "x": []})]).contract),
        ["id bigint", "x json"]
    );
}

#[test]
fn elements_may_be_scalars_or_nested() {
    let text = "[[table]]\nrows = \"tags\"\n";
    assert_eq!(columns(&propose(text, None, &[json!({"tags": ["x", null]})]).contract), ["tags string"]);
    let nested = json!({"tags": [{"k": {"v": 1}, "l": [{"m": 1}]}]});
    assert_eq!(columns(&propose(text, None, &[nested]).contract), ["tag_k_v bigint", "tag_l json"]);
}

#[test]
fn warnings_name_paths_and_no_values() {
    let proposal = propose("", None, &[json!({"id": 1, "ID": 2, "m": "secret"}), json!({"m": 7})]);
    assert_eq!(codes(&proposal.warnings), ["name_clash", "mixed_types"]);
    assert!(proposal.warnings.iter().all(|w| !w.message.contains("secret")));
}

#[test]
fn only_whole_words_are_amounts() {
    let quiet = json!({"coffee_count": 1, "consumer_id": 2, "fees_paid": "x", "rows": [{"price": 1}]});
    assert!(propose("", None, &[quiet]).warnings.is_empty());
}

#[test]
fn width_is_limited() {
    let (spec, _) = spec("[limits]\ncolumns = 2\n[[table]]\n");
    let learned = learn(&[json!({"a": 1, "b": 1, "c": 1})]);
    let wide = contract(&spec, 0, "t", told(false), None, &learned).contract;
    assert_eq!(check_width(&wide, spec.limits.columns).unwrap_err().code, "too_many_columns");
}

#[test]
fn partition_alias_keeps_newcomers_off_unless_it_reads_them() {
    let text = |by: &str| format!("[[table]]\npartition_by = [\"{by}\"]\n");
    let named = |by: &str| propose(&text(by), None, &[json!({"day": "x"})]).contract.columns[0].name.clone();
    assert_eq!(named("CAST(day AS date) AS day"), "day");
    assert_eq!(named("CAST(day AS date)"), "day");
    assert!(named("lower(country) AS day").starts_with("day_"));
}

#[test]
fn derived_columns_and_partitions_come_last_and_once() {
    let derived = [ContractColumn {
        name: "d".into(),
        ty: ColumnType::Double,
        origin: Origin::Sql("a * 2".into()),
        hidden: false,
    }];
    let by = vec![PartitionColumn { name: "a".into(), ty: ColumnType::Bigint, sql: "a".into() }];
    let mut first = propose("", None, &[json!({"a": 1})]).contract;
    finish(&mut first, None, &derived, by);
    assert_eq!(columns(&first), ["a bigint", "d double"]);
    let mut second = first.clone();
    finish(&mut second, Some(&first), &derived, Vec::new());
    assert_eq!(second, first);
}

#[test]
fn contradictions_are_refused_with_both_sides() {
    let mut live = propose("[[table]]\nrows = \"p\"\n", None, &[json!({"a": 1, "p": [{"q": 1}]})]).contract;
    live.partition_by.push(PartitionColumn {
        name: "y".into(),
        ty: ColumnType::Bigint,
        sql: "year(a)".into(),
    });
    let check = |text: &str| check_against_live(&spec(text).0.tables[0], &live);
    for (text, part) in [
        ("[[table]]\nrows = \"o\"\n", "/o"),
        ("[[table]]\n[[table.column]]\nname = \"a\"\ntype = \"string\"\n", "string in the spec, bigint"),
        ("[[table]]\n[[table.column]]\nname = \"a\"\nfrom = \"b\"\n", "/b"),
        ("[[table]]\n[[table.derive]]\nname = \"a\"\nsql = \"1\"\n", "`a`"),
        ("[[table]]\npartition_by = [\"a\"]\n", "year(a)"),
        ("[[table]]\npartition_by = [\"year(a) AS z\"]\n", "year(a)"),
        ("[[table]]\npartition_by = [\"year(a)+b AS y\"]\n", "year(a)"),
    ] {
        let failure = check(text).unwrap_err();
        assert_eq!(failure.code, "contract_conflict", "{text}");
        assert!(failure.message.contains(part), "{}", failure.message);
        assert!(failure.hint.is_some());
    }
    let typed = check("[[table]]\n[[table.column]]\nname = \"a\"\ntype = \"string\"\n").unwrap_err();
    assert!(typed.hint.unwrap().contains("lakegate contract change t a"));
    check("[[table]]\nrows = \"p\"\npartition_by = [\"year(a) AS y\"]\n").unwrap();
    check("[[table]]\n").unwrap();
}

/// Proposes, writes the spec, proposes from that again.
fn round_trip(text: &str, records: &[Value]) -> (Contract, Contract, String) {
    let learned = learn(records);
    let (first, no_spec) = spec(text);
    let proposal = contract(&first, 0, "t", told(no_spec), None, &learned);
    let written =
        spec_text(&first, &first.input, std::slice::from_ref(&proposal.contract), &proposal.warnings);
    let (second, no_spec) = spec(&written);
    let again = contract(&second, 0, "t", told(no_spec), None, &learned);
    (proposal.contract, again.contract, written)
}

#[test]
fn proposed_spec_gives_the_same_contract() {
    let odd = json!({
        "a.b": 1, "a": {"b": 2, "": 3}, "Größe": 1, "日": "x", "sp ace": 1, "q\"\\": 1, "/": 1, "~": 1, "*": 1,
        "del\u{7f}\u{1}": 1, "n": null, "p": [{"x.y": 1, "z": [1], "": 2, "o": {"name": 1}}], "o": {"name": "x"},
    });
    for (text, records) in [
        ("", vec![order()]),
        ("", vec![odd.clone()]),
        ("[[table]]\nrows = \"/p\"\n", vec![odd.clone()]),
        ("[[table]]\n", vec![odd]),
        ("[[table]]\nrows = \"tags\"\n", vec![json!({"tags": [1], "tags_x": 2})]),
    ] {
        let (first, again, written) = round_trip(text, &records);
        assert_eq!(again, first, "{written}");
    }
}

#[test]
fn keys_of_the_input_cannot_write_the_spec() {
    let key = "x\n[output]\nmax_rejected = 1000000\n#\u{1}";
    let (_, _, written) =
        round_trip("", &[json!({key: 1}), json!({key: "s"}), json!({"n\nmode = \"discard\"": null})]);
    let (spec, _) = spec(&written);
    assert!(spec.output.max_rejected.is_none(), "{written}");
    assert_eq!(spec.tables[0].mode, crate::spec::Mode::Evolve);
}

/// A spec that says a little of everything.
const SAID: &str = r#"
[input]
format = "csv"
encoding = "latin1"
delimiter = ";"
comment = "//"
decimal = ","
header = false
columns = ["a", "b", "day"]
null_values = ["NA", "\\N"]
timezone = "+02:00"
[output]
max_rejected = "7%"
on_reupload = "append"
compression = "none"
[limits]
columns = 77
[[table]]
mode = "freeze"
empty = "drop"
numbers = "double"
drop_nulls = ["a"]
filter = "a > 0"
partition_by = ["day"]
[[table.column]]
name = "a"
type = "bigint"
cast = true
[[table.column]]
name = "day"
type = "date"
format = "%d-%m-%Y"
[[table.column]]
name = "paid"
type = "boolean"
null_values = ["?", ""]
true_values = ["Y", "1"]
false_values = ["N"]
[[table.column]]
name = "total"
type = "decimal(12,2)"
thousands = "\u00a0"
decimal = "."
strip = ["$", "US\"D"]
accounting = true
trim = true
[[table.column]]
name = "card"
type = "string"
mask = "last4"
output = false
[[table.column]]
name = "ssn"
type = "bigint"
mask = "drop"
[[table.column]]
name = "later"
null_values = []
mask = "null"
[[table.check]]
name = "positive"
sql = "a > 0"
on_fail = "warn"
"#;

#[test]
fn proposed_spec_keeps_what_the_spec_says() {
    let text = SAID;
    let (first, again, written) = round_trip(text, &[json!({"a": "1", "day": "01-02-2025"})]);
    assert_eq!(again, first);
    let plain = |spec: &Spec| {
        let mut spec = spec.clone();
        spec.tables[0].name = None;
        spec.tables[0].columns.iter_mut().for_each(|c| c.from = None);
        format!("{spec:?}")
    };
    assert_eq!(plain(&Spec::parse(&written).unwrap()), plain(&Spec::parse(text).unwrap()), "{written}");
}
