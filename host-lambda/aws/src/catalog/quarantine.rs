//! The Glue table of a pipeline's rejected records, so that they can be queried like any other rows.
//!
//! Not for the lines themselves: the transform makes them, the lake says in each whose it is, and `lakegate quarantine`
//! shows and resubmits them.
//! Decisions to know:
//!
//! * The table is made once and never changed: a line has the same fields whatever the pipeline reads. It is
//!   looked for only by a commit that rejected something, or that made a table of rows.
//! * It lies below the lake's own folder. Athena passes over files and folders that begin with `_` or `.` where it
//!   meets them below a table's location, and none of these does: what leads to the location is not looked at by
//!   Trino or Hive. (AWS's guide advises against underscores in locations, and gives no reason.)
//! * A generation that is replaced takes its lines along. Those of an object that failed are in the table as well, with
//!   `failed`: until it fails again, or `fsck` finds that it is mended.

use std::collections::BTreeMap;

use aws_sdk_glue::types::{SerDeInfo, StorageDescriptor, Table, TableInput};

use crate::catalog::TableEntry;
use crate::catalog::contract::Typed;
use crate::catalog::glue::Glue;
use crate::catalog::table::{columns, same_place};
use crate::client::Aws;
use lakegate_base::{Code, Error, Result};
use lakegate_config::{Catalog, Pipeline, QuarantineTable};
use lakegate_lake::Lake;
use lakegate_lake::keys::quarantine_prefix;

const INPUT_FORMAT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
const SERDE: &str = "org.openx.data.jsonserde.JsonSerDe";
/// The fields of a line, in their order; see [`KeptLine`](lakegate_lake::record::KeptLine). A time is text as in the
/// load history: what a serde takes for a timestamp differs from engine to engine.
const COLUMNS: [(&str, &str); 15] = [
    ("record", "bigint"),
    ("line", "bigint"),
    ("offset", "bigint"),
    ("length", "bigint"),
    ("table", "string"),
    ("path", "string"),
    ("code", "string"),
    ("message", "string"),
    ("raw", "string"),
    ("truncated", "boolean"),
    ("id", "string"),
    ("source", "string"),
    ("generation", "bigint"),
    ("time", "string"),
    ("failed", "boolean"),
];

/// Name of the table in Glue; `None` where there is to be none.
pub(super) fn name(pipeline: &Pipeline) -> Option<String> {
    let Catalog::Glue { quarantine, .. } = &pipeline.catalog else { return None };
    match quarantine {
        QuarantineTable::None => None,
        QuarantineTable::Named(name) => Some(name.clone()),
        QuarantineTable::OfPipeline => pipeline.glue_name("quarantine"),
    }
}

/// Makes the table, unless it is there.
pub(super) fn register(
    aws: &Aws,
    pipeline: &Pipeline,
    lake: &Lake,
    database: &str,
    name: &str,
) -> Result<TableEntry> {
    let glue = Glue::new(aws, pipeline, database, name);
    let location = format!("{}/{}", lake.root().trim_end_matches('/'), quarantine_prefix(&pipeline.name));
    let mut entry = TableEntry { database: database.into(), table: name.into(), ..TableEntry::default() };
    let mut round = 0;
    loop {
        if let Some(found) = glue.get()? {
            check(&found, &pipeline.name, name, &location)?;
            return Ok(entry);
        }
        entry.created |= glue.create(input(&pipeline.name, name, &location)?)?;
        glue.pause(&mut round)?;
    }
}

fn input(pipeline: &str, name: &str, location: &str) -> Result<TableInput> {
    let typed = COLUMNS.map(|(name, ty)| Typed { name: name.into(), ty: ty.into() });
    let storage = StorageDescriptor::builder()
        .set_columns(Some(columns(&typed)?))
        .location(location)
        .input_format(INPUT_FORMAT)
        .output_format(OUTPUT_FORMAT)
        .serde_info(
            SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1").build(),
        );
    let parameters: BTreeMap<&str, &str> = [("EXTERNAL", "TRUE"), ("classification", "json")].into();
    TableInput::builder()
        .name(name)
        .description(format!("Records that the Lakegate pipeline {pipeline} rejected"))
        .table_type("EXTERNAL_TABLE")
        .storage_descriptor(storage.build())
        .set_parameters(Some(
            parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        ))
        .build()
        .map_err(|error| Error::new(Code::CatalogRequest, error.to_string()))
}

/// A table of that name may be somebody else's.
fn check(found: &Table, pipeline: &str, name: &str, location: &str) -> Result<()> {
    let storage = found.storage_descriptor();
    let there = storage.and_then(StorageDescriptor::location).unwrap_or_default();
    let serde = storage.and_then(StorageDescriptor::serde_info);
    let serde = serde.and_then(SerDeInfo::serialization_library).unwrap_or_default();
    let what = if !same_place(there, location) {
        format!("its files are in {there}")
    } else if !serde.to_lowercase().contains("json") {
        format!("its rows are read by `{serde}`, not as JSON")
    } else {
        return Ok(());
    };
    let message = format!("table {name} in Glue is not the quarantine of {location}: {what}");
    Err(Error::new(Code::CatalogTableDiffers, message).with_hint(format!(
        "drop it there (files stay, and Lakegate makes it anew), or set `quarantine` in [pipeline.{pipeline}.catalog] to another name or to false"
    )))
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use lakegate_lake::record::KeptLine;

    #[test]
    fn the_columns_are_the_fields_of_a_line() {
        let line = serde_json::to_string(&KeptLine::default()).unwrap();
        let at = |name: &str| line.find(&format!("\"{name}\":"));
        let places: Vec<_> = COLUMNS.map(|(name, _)| at(name)).to_vec();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{line}");
        assert_eq!(line.matches("\":").count(), COLUMNS.len());
    }

    #[test]
    fn the_table_reads_json_where_the_quarantine_lies() {
        let input = input("orders", "orders_quarantine", "s3://lake/_lakegate/quarantine/orders/").unwrap();
        assert_eq!((input.name(), input.table_type()), ("orders_quarantine", Some("EXTERNAL_TABLE")));
        let storage = input.storage_descriptor().unwrap();
        assert_eq!(storage.location(), Some("s3://lake/_lakegate/quarantine/orders/"));
        assert_eq!(storage.serde_info().unwrap().serialization_library(), Some(SERDE));
        assert_eq!(storage.columns()[0].name(), "record");
        assert_eq!(storage.columns()[9].r#type(), Some("boolean"));
        assert!(input.partition_keys().is_empty());
    }

    #[test]
    fn it_is_named_after_the_pipeline_or_as_configured_or_not_made() {
        let name_of = |line: &str| {
            let text = format!("[pipeline.orders.catalog]\nkind = \"glue\"\ndatabase = \"d\"\n{line}");
            let pipeline = Pipeline { name: "web-orders".into(), ..fixture::pipeline(&text) };
            name(&pipeline)
        };
        assert_eq!(name_of("").as_deref(), Some("web_orders_quarantine"));
        assert_eq!(name_of("table_prefix = \"lg_\"").as_deref(), Some("lg_web_orders_quarantine"));
        assert_eq!(name_of("quarantine = \"rejects\"").as_deref(), Some("rejects"));
        assert_eq!(name_of("quarantine = true").as_deref(), Some("web_orders_quarantine"));
        assert_eq!(name_of("quarantine = false"), None);
    }

    #[test]
    fn another_table_of_that_name_is_told_apart() {
        let (own, other) = ("s3://lake/_lakegate/quarantine/orders/", "s3://lake/orders/");
        let table = |location: &str, serde: &str| {
            let serde = SerDeInfo::builder().serialization_library(serde).build();
            let storage = StorageDescriptor::builder().location(location).serde_info(serde).build();
            Table::builder().name("q").storage_descriptor(storage).build().unwrap()
        };
        assert!(check(&table(own.trim_end_matches('/'), SERDE), "orders", "q", own).is_ok());
        let error = check(&table(other, SERDE), "orders", "q", own).unwrap_err();
        assert_eq!(error.name(), "catalog_table_differs");
        assert!(error.to_string().ends_with("its files are in s3://lake/orders/"), "{error}");
        assert!(error.hint().unwrap().contains("[pipeline.orders.catalog]"));
        let error = check(&table(own, "a.b.ParquetHiveSerDe"), "orders", "q", own).unwrap_err();
        assert!(error.to_string().contains("not as JSON"), "{error}");
    }
}
