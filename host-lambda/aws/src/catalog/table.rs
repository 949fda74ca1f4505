//! A table's entry in Glue: what a commit wants of it, and how one that is there must change.
//!
//! Not for calling Glue. Decisions to know: columns are only ever added, at the end; another column of the
//! entry is kept, whoever added it. A type that differs is an error, unless Lakegate itself wrote it and
//! `lakegate contract change` changed it since: then the live contract's type holds.

use std::collections::BTreeMap;

use aws_sdk_glue::types::{Column, SerDeInfo, StorageDescriptor, Table, TableInput};

use crate::catalog::contract::{Columns, Typed, same_type};
use crate::catalog::{partition, projection};
use lakegate_base::{Code, Error, Result};
use lakegate_config::Projection;
use lakegate_lake::lake::Lake;
use lakegate_lake::record::CommitRecord;

/// A promotion shows in the table's parameters after this long at the latest, and a canary beside a stable
/// release, each with its objects in turn, updates the table no more often than this.
const RELEASE_SECONDS: i64 = 600;
const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
const RELEASE: [&str; 2] = ["lakegate.component", "lakegate.spec"];

/// What a commit wants of one table.
pub(super) struct Wanted {
    /// Name in Glue.
    pub(super) name: String,
    /// Name in the lake.
    pub(super) table: String,
    /// With a slash at its end.
    pub(super) location: String,
    pub(super) columns: Columns,
    /// Values by Hive path; empty where Athena projects them.
    pub(super) partitions: BTreeMap<String, Vec<String>>,
    pub(super) projection: BTreeMap<String, String>,
    pub(super) warnings: Vec<String>,
    /// Digest of the commit's spec.
    pub(super) spec: String,
    /// Of the release and the commit.
    parameters: BTreeMap<String, String>,
    description: String,
}

impl Wanted {
    pub(super) fn read(
        lake: &Lake,
        record: &CommitRecord,
        (table, digest): (&str, &str),
        prefix: &str,
        projection: &BTreeMap<String, Projection>,
    ) -> Result<Self> {
        let text = lake.contract_text(digest)?.ok_or_else(|| {
            Error::new(Code::LakeDamaged, format!("the contract {digest} of table {table} is missing"))
        })?;
        let columns = Columns::parse(table, &text)?;
        let mut partitions = partition::of_table(table, &columns.keys, &record.parts)?;
        let parameters = projection::parameters(table, &columns.keys, projection)?;
        let mut warnings = Vec::new();
        if !parameters.is_empty() {
            let outside = projection::outside(&columns.keys, projection, &partitions);
            warnings.extend(outside.iter().map(|column| {
                format!("{table} has rows that no query will find: their {column} is outside of its partition projection")
            }));
            partitions.clear();
        }
        Ok(Self {
            name: format!("{prefix}{table}"),
            table: table.into(),
            location: format!("{}/{table}/", lake.root().trim_end_matches('/')),
            columns,
            partitions,
            projection: parameters,
            warnings,
            spec: record.spec.clone(),
            parameters: release(record, table, digest),
            description: format!("Made by the Lakegate pipeline {}", record.pipeline),
        })
    }

    /// The entry of a table that is not there yet.
    pub(super) fn input(&self, compression: &str) -> Result<TableInput> {
        let serde = SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1");
        let storage = StorageDescriptor::builder()
            .set_columns(Some(columns(&self.columns.columns)?))
            .location(&self.location)
            .input_format(INPUT_FORMAT)
            .output_format(OUTPUT_FORMAT)
            .serde_info(serde.build());
        let fixed =
            [("EXTERNAL", "TRUE"), ("classification", "parquet"), ("parquet.compression", compression)];
        let mut parameters: BTreeMap<String, String> =
            fixed.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        parameters.extend(self.own_parameters());
        TableInput::builder()
            .name(&self.name)
            .description(&self.description)
            .table_type("EXTERNAL_TABLE")
            .storage_descriptor(storage.build())
            .set_partition_keys(Some(columns(&self.columns.keys)?))
            .set_parameters(Some(parameters.into_iter().collect()))
            .build()
            .map_err(|error| Error::new(Code::CatalogRequest, error.to_string()))
    }

    fn own_parameters(&self) -> impl Iterator<Item = (String, String)> {
        let all = self.parameters.iter().chain(&self.projection);
        all.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>().into_iter()
    }

    /// What must change of the entry that is there; `None` if nothing. `now` is in seconds since 1970.
    pub(super) fn change(&self, found: &Table, lake: &Lake, now: i64) -> Result<Option<Change>> {
        self.same_table(found)?;
        let mut change = Change { columns: columns_of(found).to_vec(), ..Change::default() };
        for column in &self.columns.columns {
            match change.columns.iter_mut().find(|there| there.name == column.name) {
                None => {
                    change.columns.push(glue_column(column)?);
                    change.added.push(column.name.clone());
                }
                Some(there) if !same_type(there.r#type().unwrap_or_default(), &column.ty) => {
                    let ty = self.type_now(lake, column, there.r#type().unwrap_or_default())?;
                    if !same_type(there.r#type().unwrap_or_default(), &ty) {
                        there.r#type = Some(ty);
                        change.retyped.push(column.name.clone());
                    }
                }
                Some(_) => {}
            }
        }
        let parameter = |name: &str| found.parameters().and_then(|all| all.get(name));
        let projected = self.projection.iter().all(|(name, value)| parameter(name) == Some(value));
        let released = RELEASE.iter().all(|name| parameter(name) == self.parameters.get(*name));
        let written = found.update_time().or(found.create_time()).map_or(0, |time| time.secs());
        let stale = !released && now - written >= RELEASE_SECONDS;
        let needed = !change.added.is_empty() || !change.retyped.is_empty() || !projected || stale;
        Ok(needed.then_some(change))
    }

    /// The whole entry with the change in it: Glue takes away what an update does not repeat.
    pub(super) fn changed(&self, found: &Table, change: &Change) -> Result<TableInput> {
        let mut parameters = found.parameters().cloned().unwrap_or_default();
        parameters.extend(self.own_parameters());
        let mut storage = found.storage_descriptor().cloned();
        if let Some(storage) = &mut storage {
            storage.columns = Some(change.columns.clone());
        }
        TableInput::builder()
            .name(&self.name)
            .set_description(found.description.clone())
            .set_owner(found.owner.clone())
            .set_last_access_time(found.last_access_time)
            .set_last_analyzed_time(found.last_analyzed_time)
            .retention(found.retention)
            .set_storage_descriptor(storage)
            .set_partition_keys(found.partition_keys.clone())
            .set_table_type(found.table_type.clone())
            .set_target_table(found.target_table.clone())
            .set_parameters(Some(parameters))
            .build()
            .map_err(|error| Error::new(Code::CatalogRequest, error.to_string()))
    }

    /// A table of that name may be somebody else's.
    fn same_table(&self, found: &Table) -> Result<()> {
        let other = |what: String| {
            let message = format!("table {} in Glue is not the one of {}: {what}", self.name, self.location);
            Err(Error::new(Code::CatalogTableDiffers, message)
                .with_hint("drop it there (files stay, and Lakegate makes it anew), or set another `table_prefix` or `database`"))
        };
        let storage = found.storage_descriptor();
        let format = storage.and_then(StorageDescriptor::input_format).unwrap_or_default();
        if !format.to_lowercase().contains("parquet") {
            return other(format!("its input format is `{format}`, not Parquet's"));
        }
        let location = storage.and_then(StorageDescriptor::location).unwrap_or_default();
        if !same_place(location, &self.location) {
            return other(format!("its files are in {location}"));
        }
        let keys = found.partition_keys();
        let same = |(there, here): (&Column, &Typed)| {
            there.name == here.name && same_type(there.r#type().unwrap_or_default(), &here.ty)
        };
        if keys.len() == self.columns.keys.len() && keys.iter().zip(&self.columns.keys).all(same) {
            return Ok(());
        }
        let there = keys.iter().map(|key| format!("{} {}", key.name, key.r#type().unwrap_or_default()));
        let here = self.columns.keys.iter().map(|key| format!("{} {}", key.name, key.ty));
        let (there, here): (Vec<String>, Vec<String>) = (there.collect(), here.collect());
        other(format!("it is partitioned by ({}), the contract by ({})", there.join(", "), here.join(", ")))
    }

    /// The type that a column should have where catalog and contract differ.
    fn type_now(&self, lake: &Lake, column: &Typed, there: &str) -> Result<String> {
        if let Some(live) = lake.contract(&self.table)? {
            let now = Columns::parse(&self.table, &live.text)?;
            for version in live.history.iter().rev() {
                let Some(text) = lake.contract_text(&version.digest)? else { continue };
                let then = Columns::parse(&self.table, &text)?;
                if then.type_of(&column.name).is_some_and(|then| same_type(then, there)) {
                    return Ok(now.type_of(&column.name).unwrap_or(&column.ty).into());
                }
            }
        }
        let message = format!(
            "column {} of table {} is {there} in Glue, and {} in its contract",
            column.name, self.name, column.ty
        );
        Err(Error::new(Code::CatalogTypeDiffers, message).with_hint(
            "queries would fail or read wrong values: change the column in Glue, or drop the table there (files stay, and Lakegate makes it anew)",
        ))
    }
}

/// What must change of an entry.
#[derive(Default)]
pub(super) struct Change {
    /// All columns, as they shall be.
    pub(super) columns: Vec<Column>,
    pub(super) added: Vec<String>,
    pub(super) retyped: Vec<String>,
}

pub(super) fn columns_of(table: &Table) -> &[Column] {
    table.storage_descriptor().map(StorageDescriptor::columns).unwrap_or_default()
}

/// Glue keeps locations as they were written.
pub(super) fn same_place(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// Compression of part files, as Athena names it; asked for only when a table is made.
pub(super) fn compression(lake: &Lake, spec: &str) -> Result<&'static str> {
    let text = lake.spec_text(spec)?.unwrap_or_default();
    let spec: toml::Table = toml::from_str(&text).unwrap_or_default();
    let named = spec.get("output").and_then(|output| output.get("compression")).and_then(toml::Value::as_str);
    Ok(if named == Some("none") { "UNCOMPRESSED" } else { "SNAPPY" })
}

fn release(record: &CommitRecord, table: &str, contract: &str) -> BTreeMap<String, String> {
    let rows: u64 = record.parts.iter().filter(|part| part.table == table).map(|part| part.rows).sum();
    let all = [
        ("lakegate.component", record.component.clone()),
        ("lakegate.spec", record.spec.clone()),
        ("lakegate.contract", contract.into()),
        ("lakegate.source", record.source.uri.clone()),
        ("lakegate.generation", record.generation.to_string()),
        ("lakegate.rows", rows.to_string()),
    ];
    // Of a published release its name and version as well.
    let published = record.release.as_ref().map(|release| ("lakegate.release", release.id()));
    all.into_iter().chain(published).map(|(name, value)| (name.into(), value)).collect()
}

pub(super) fn columns(typed: &[Typed]) -> Result<Vec<Column>> {
    typed.iter().map(glue_column).collect()
}

fn glue_column(typed: &Typed) -> Result<Column> {
    let column = Column::builder().name(&typed.name).r#type(&typed.ty).build();
    column.map_err(|error| Error::new(Code::CatalogRequest, error.to_string()))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
