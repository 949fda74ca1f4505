//! What is asked of Glue for a table, and what is made of its answers.

use super::*;
use crate::catalog::fixture;
use aws_sdk_glue::primitives::DateTime;

const NOW: i64 = 1_750_000_000;
const COLUMNS: &[&str] = &["id bigint", "price decimal(10,2)", "tags json"];
const KEYS: &[&str] = &["day date"];

fn wanted(lake: &Lake, columns: &[&str]) -> Wanted {
    let digest = fixture::contract(lake, "orders", columns, KEYS);
    let record = fixture::record("orders", &digest, &["day=2025-01-01/", "day=2025-01-02/"]);
    Wanted::read(lake, &record, ("orders", &digest), "p_", &BTreeMap::new()).unwrap()
}

/// What Glue keeps of an entry.
fn kept(wanted: &Wanted, seconds: i64) -> Table {
    let input = wanted.input("SNAPPY").unwrap();
    Table::builder()
        .name(input.name)
        .set_storage_descriptor(input.storage_descriptor)
        .set_partition_keys(input.partition_keys)
        .set_parameters(input.parameters)
        .set_table_type(input.table_type)
        .owner("somebody")
        .version_id("7")
        .update_time(DateTime::from_secs(seconds))
        .build()
        .unwrap()
}

fn flat(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| format!("{} {}", column.name, column.r#type().unwrap())).collect()
}

#[test]
fn a_new_table_is_what_athena_reads() {
    let (_folder, lake) = fixture::lake();
    let wanted = wanted(&lake, COLUMNS);
    let input = wanted.input("SNAPPY").unwrap();
    assert_eq!(input.name, "p_orders");
    assert_eq!(input.table_type(), Some("EXTERNAL_TABLE"));
    let storage = input.storage_descriptor().unwrap();
    assert_eq!(flat(storage.columns()), ["id bigint", "price decimal(10,2)", "tags string"]);
    assert_eq!(flat(input.partition_keys()), ["day date"]);
    assert_eq!(storage.location(), Some(format!("{}/orders/", lake.root()).as_str()));
    assert_eq!(storage.serde_info().unwrap().serialization_library(), Some(SERDE));
    let parameters = input.parameters().unwrap();
    let shown =
        ["classification", "parquet.compression", "lakegate.component", "lakegate.spec", "lakegate.rows"];
    assert_eq!(shown.map(|name| parameters[name].as_str()), ["parquet", "SNAPPY", "c1", "s1", "20"]);
    assert!(wanted.change(&kept(&wanted, NOW), &lake, NOW).unwrap().is_none());
}

#[test]
fn growing_adds_at_the_end_and_takes_nothing_away() {
    let (_folder, lake) = fixture::lake();
    let mut found = kept(&wanted(&lake, COLUMNS), NOW);
    let other = Column::builder().name("by_hand").r#type("int").build().unwrap();
    found.storage_descriptor.as_mut().unwrap().columns.as_mut().unwrap().insert(0, other);
    found.parameters.as_mut().unwrap().insert("owner.note".into(), "kept".into());
    let grown = wanted(&lake, &["id bigint", "price decimal(10,2)", "tags json", "more double"]);
    let change = grown.change(&found, &lake, NOW).unwrap().unwrap();
    assert_eq!(change.added, ["more"]);
    let input = grown.changed(&found, &change).unwrap();
    assert_eq!(
        flat(input.storage_descriptor().unwrap().columns()),
        ["by_hand int", "id bigint", "price decimal(10,2)", "tags string", "more double"]
    );
    assert_eq!(input.parameters().unwrap()["owner.note"], "kept");
    assert_eq!(input.owner(), Some("somebody"));
    // The commit of an older contract changes nothing.
    assert!(wanted(&lake, &["id bigint"]).change(&found, &lake, NOW).unwrap().is_none());
}

#[test]
fn another_release_is_named_now_and_then() {
    let (_folder, lake) = fixture::lake();
    let mut wanted = wanted(&lake, COLUMNS);
    let found = kept(&wanted, NOW);
    wanted.parameters.insert("lakegate.component".into(), "c2".into());
    assert!(wanted.change(&found, &lake, NOW + RELEASE_SECONDS - 1).unwrap().is_none());
    let change = wanted.change(&found, &lake, NOW + RELEASE_SECONDS).unwrap().unwrap();
    assert_eq!(wanted.changed(&found, &change).unwrap().parameters().unwrap()["lakegate.component"], "c2");
    // Rows alone are no reason.
    wanted.parameters.insert("lakegate.component".into(), "c1".into());
    wanted.parameters.insert("lakegate.rows".into(), "21".into());
    assert!(wanted.change(&found, &lake, NOW + 10 * RELEASE_SECONDS).unwrap().is_none());
}

#[test]
fn projection_is_switched_on_and_never_off() {
    let (_folder, lake) = fixture::lake();
    let plain = wanted(&lake, COLUMNS);
    let mut projected = wanted(&lake, COLUMNS);
    projected.projection.insert("projection.enabled".into(), "true".into());
    let found = kept(&plain, NOW);
    let change = projected.change(&found, &lake, NOW).unwrap().unwrap();
    assert_eq!(
        projected.changed(&found, &change).unwrap().parameters().unwrap()["projection.enabled"],
        "true"
    );
    assert!(plain.change(&kept(&projected, NOW), &lake, NOW).unwrap().is_none());
}

#[test]
fn a_type_of_somebody_else_is_an_error() {
    let (_folder, lake) = fixture::lake();
    let mut found = kept(&wanted(&lake, COLUMNS), NOW);
    found.storage_descriptor.as_mut().unwrap().columns.as_mut().unwrap()[0].r#type = Some("int".into());
    let error = wanted(&lake, COLUMNS).change(&found, &lake, NOW).err().unwrap();
    assert_eq!(error.name(), "catalog_type_differs");
    assert_eq!(error.to_string(), "column id of table p_orders is int in Glue, and bigint in its contract");
}

#[test]
fn a_type_that_was_changed_by_command_follows_the_live_contract() {
    let (_folder, lake) = fixture::lake();
    let (old, new) = (&["id bigint"][..], &["id string"][..]);
    let digests = [old, new].map(|columns| fixture::contract(&lake, "orders", columns, KEYS));
    let history: Vec<_> =
        digests.iter().map(|digest| serde_json::json!({"digest": digest, "at": "", "why": ""})).collect();
    let schema =
        serde_json::json!({"version": 1, "table": "orders", "contract": digests[1], "history": history});
    lake.overwrite(&lakegate_lake::keys::schema_key("orders"), schema.to_string().as_bytes()).unwrap();

    let found = kept(&wanted(&lake, old), NOW);
    let change = wanted(&lake, new).change(&found, &lake, NOW).unwrap().unwrap();
    assert_eq!(
        (change.retyped.as_slice(), flat(&change.columns)),
        (&["id".to_string()][..], vec!["id string".into()])
    );
    // A commit from before the change, completed after it, does not bring the old type back.
    let found = kept(&wanted(&lake, new), NOW);
    assert!(wanted(&lake, old).change(&found, &lake, NOW).unwrap().is_none());
}

#[test]
fn another_table_of_that_name_is_told_apart() {
    let (_folder, lake) = fixture::lake();
    let wanted = wanted(&lake, COLUMNS);
    let told = |change: &dyn Fn(&mut Table)| {
        let mut found = kept(&wanted, NOW);
        change(&mut found);
        let error = wanted.change(&found, &lake, NOW).err().unwrap();
        assert_eq!(error.name(), "catalog_table_differs");
        error.to_string()
    };
    let text = told(&|table| table.storage_descriptor = None);
    assert!(text.contains("not Parquet's"), "{text}");
    let text = told(&|table| table.storage_descriptor.as_mut().unwrap().location = Some("s3://x/y/".into()));
    assert!(text.contains("its files are in s3://x/y/"), "{text}");
    let text = told(&|table| table.partition_keys = Some(Vec::new()));
    assert!(text.contains("partitioned by (), the contract by (day date)"), "{text}");
}

#[test]
fn projected_partitions_are_not_registered_and_odd_ones_told() {
    let (_folder, lake) = fixture::lake();
    let digest = fixture::contract(&lake, "orders", COLUMNS, &["hour bigint"]);
    let record = fixture::record("orders", &digest, &["hour=7/", "hour=24/"]);
    let hours = Projection::Integer { from: 0, to: 23, interval: None, digits: None };
    let projection = BTreeMap::from([("hour".to_string(), hours)]);
    let wanted = Wanted::read(&lake, &record, ("orders", &digest), "", &projection).unwrap();
    assert!(wanted.partitions.is_empty());
    assert_eq!(wanted.projection["projection.hour.range"], "0,23");
    let told = "orders has rows that no query will find: their hour is outside of its partition projection";
    assert_eq!(wanted.warnings, [told]);
}

#[test]
fn compression_is_the_spec_s() {
    let (_folder, lake) = fixture::lake();
    let keep = |text: &str| lake.keep_text(lakegate_lake::keys::spec_key, text.as_bytes()).unwrap();
    let (none, other) = (keep("[output]\ncompression = \"none\"\n"), keep("version = 1\n"));
    let named = [none.as_str(), &other, "missing"].map(|digest| compression(&lake, digest).unwrap());
    assert_eq!(named, ["UNCOMPRESSED", "SNAPPY", "SNAPPY"]);
}
