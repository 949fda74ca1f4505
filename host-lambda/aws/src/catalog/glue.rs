//! Glue's entry of one table: made, grown, and its partitions registered, beside any number of other writers.
//!
//! Not for what the entry should be (`table`). Decisions to know: an object of a table and of partitions that are known
//! already costs two reads and no write. And a partition holds a copy of the table's columns, since
//! readers differ in which of the two they believe; the copy follows when the table grew.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, Column, Partition, PartitionInput, PartitionValueList,
    StorageDescriptor, Table, TableInput,
};

use crate::catalog::TableEntry;
use crate::catalog::contract::same_type;
use crate::catalog::refusal;
use crate::catalog::table::{Change, Wanted, columns_of, compression, same_place};
use crate::client::{Aws, AwsError, Fault};
use lakegate_base::{Code, Error, Result};
use lakegate_config::Pipeline;
use lakegate_lake::lake::Lake;
use lakegate_lake::source::now_ms;

/// Glue's limit of a batch that creates or updates; reads take more, in answers that grow with the columns.
const BATCH: usize = 100;
/// Writers of one table at the same moment that all change it: each round lets one of them win.
const ROUNDS: u32 = 40;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// One table in Glue.
pub(super) struct Glue<'a> {
    aws: &'a Aws,
    pipeline: &'a Pipeline,
    database: &'a str,
    table: &'a str,
    /// For messages.
    resource: String,
}

impl<'a> Glue<'a> {
    pub(super) fn new(aws: &'a Aws, pipeline: &'a Pipeline, database: &'a str, table: &'a str) -> Self {
        Self { aws, pipeline, database, table, resource: format!("Glue table {database}.{table}") }
    }

    /// The table and the partitions, as wanted.
    pub(super) fn register(&self, lake: &Lake, wanted: &Wanted) -> Result<TableEntry> {
        let mut entry = TableEntry {
            database: self.database.into(),
            table: self.table.into(),
            partitions: wanted.partitions.len() as u64,
            projected: !wanted.projection.is_empty(),
            ..TableEntry::default()
        };
        let mut table = self.settle(lake, wanted, &mut entry)?;
        let mut round = 0;
        while self.partitions(wanted, &table, &mut entry)? {
            // A slower writer that knew fewer columns may have written the same partitions last: each looks once
            // more at the table after it wrote, so the last of them wrote what the table has.
            let again = self.get()?.ok_or_else(|| self.vanished())?;
            if same_columns(columns_of(&again), columns_of(&table)) {
                break;
            }
            table = again;
            self.pause(&mut round)?;
        }
        Ok(entry)
    }

    /// Makes or changes the table until it is as wanted.
    fn settle(&self, lake: &Lake, wanted: &Wanted, entry: &mut TableEntry) -> Result<Table> {
        let mut round = 0;
        loop {
            let Some(found) = self.get()? else {
                entry.created |= self.create(wanted.input(compression(lake, &wanted.spec)?)?)?;
                self.pause(&mut round)?;
                continue;
            };
            let Some(change) = wanted.change(&found, lake, now_ms() / 1000)? else { return Ok(found) };
            if self.update(wanted, &found, &change)? {
                entry.updated = true;
                entry.columns_added.extend(change.added);
                entry.columns_changed.extend(change.retyped);
            }
            self.pause(&mut round)?;
        }
    }

    pub(super) fn get(&self) -> Result<Option<Table>> {
        let call = self.aws.glue().get_table().database_name(self.database).name(self.table).send();
        match self.aws.wait(self.aws.ask("glue:GetTable", &self.resource, call)) {
            Ok(answer) => Ok(answer.table),
            // The table or the database: making the table tells.
            Err(error) if error.fault == Fault::Missing => Ok(None),
            Err(error) => Err(self.refused(&error)),
        }
    }

    /// True if this call made it.
    pub(super) fn create(&self, input: TableInput) -> Result<bool> {
        let call = self.aws.glue().create_table().database_name(self.database).table_input(input);
        let call = async {
            match call.send().await {
                Err(error)
                    if error.as_service_error().is_some_and(|error| error.is_already_exists_exception()) =>
                {
                    Ok(false)
                }
                answer => answer.map(|_| true),
            }
        };
        match self.aws.wait(self.aws.ask("glue:CreateTable", &self.resource, call)) {
            Err(error) if error.fault == Fault::Missing => {
                Err(refusal::no_database(self.pipeline, self.database, &error))
            }
            Err(error) if error.fault == Fault::Conflict => Ok(false),
            answer => answer.map_err(|error| self.refused(&error)),
        }
    }

    /// False if somebody else changed the table since it was read.
    pub(super) fn update(&self, wanted: &Wanted, found: &Table, change: &Change) -> Result<bool> {
        let call = self
            .aws
            .glue()
            .update_table()
            .database_name(self.database)
            .table_input(wanted.changed(found, change)?)
            .skip_archive(true)
            .set_version_id(found.version_id.clone())
            .send();
        match self.aws.wait(self.aws.ask("glue:UpdateTable", &self.resource, call)) {
            Ok(_) => Ok(true),
            // Gone since it was read: made again in the next round.
            Err(error) if matches!(error.fault, Fault::Conflict | Fault::Missing) => Ok(false),
            Err(error) => Err(self.refused(&error)),
        }
    }

    /// Registers the record's partitions with the table's columns; true if one that was there got other columns.
    fn partitions(&self, wanted: &Wanted, table: &Table, entry: &mut TableEntry) -> Result<bool> {
        let all: Vec<(&String, &Vec<String>)> = wanted.partitions.iter().collect();
        let mut updated = false;
        for batch in all.chunks(BATCH) {
            let (there, created) = self.get_or_create(wanted, table, batch)?;
            entry.partitions_created += created;
            let mut stale = Vec::new();
            for (path, values) in batch {
                let Some(found) = there.get(*values) else { continue };
                let storage = found.storage_descriptor();
                let location = storage.and_then(StorageDescriptor::location).unwrap_or_default();
                if !same_place(location, &format!("{}{path}", wanted.location)) {
                    return Err(self.elsewhere(path, location, &wanted.location));
                }
                let copied = storage.map(StorageDescriptor::columns).unwrap_or_default();
                if !columns_of(table).iter().all(|column| has(copied, column)) {
                    stale.push(partition_input(wanted, table, path, values, Some(found)));
                }
            }
            updated |= !stale.is_empty();
            entry.partitions_updated += stale.len() as u64;
            self.update_partitions(stale)?;
        }
        Ok(updated)
    }

    /// Those of a batch that were there already, and how many were made now.
    fn get_or_create(
        &self,
        wanted: &Wanted,
        table: &Table,
        batch: &[(&String, &Vec<String>)],
    ) -> Result<(BTreeMap<Vec<String>, Partition>, u64)> {
        let mut there = self.get_partitions(batch)?;
        let (mut created, mut round) = (0, 0);
        let mut missing = batch.to_vec();
        missing.retain(|(_, values)| !there.contains_key(*values));
        while !missing.is_empty() {
            let input =
                |(path, values): &(&String, &Vec<String>)| partition_input(wanted, table, path, values, None);
            let taken = self.create_partitions(missing.iter().map(input).collect())?;
            created += (missing.len() - taken.len()) as u64;
            missing.retain(|(_, values)| taken.contains(values));
            if !missing.is_empty() {
                self.pause(&mut round)?;
                there.extend(self.get_partitions(&missing)?);
                missing.retain(|(_, values)| !there.contains_key(*values));
            }
        }
        Ok((there, created))
    }

    fn get_partitions(&self, batch: &[(&String, &Vec<String>)]) -> Result<BTreeMap<Vec<String>, Partition>> {
        let mut wanted = Vec::new();
        for (_, values) in batch {
            wanted.push(built(PartitionValueList::builder().set_values(Some((*values).clone())).build())?);
        }
        let call = self.aws.glue().batch_get_partition().database_name(self.database).table_name(self.table);
        let call = call.set_partitions_to_get(Some(wanted)).send();
        let answer = self.aws.wait(self.aws.ask("glue:BatchGetPartition", &self.resource, call));
        // `UnprocessedKeys` lists those that it had no time for and those that are not there alike: making them tells.
        let found = answer.map_err(|error| self.refused(&error))?.partitions.unwrap_or_default();
        Ok(found.into_iter().map(|partition| (partition.values().to_vec(), partition)).collect())
    }

    /// Values of those that somebody else made meanwhile.
    fn create_partitions(&self, inputs: Vec<PartitionInput>) -> Result<Vec<Vec<String>>> {
        let call =
            self.aws.glue().batch_create_partition().database_name(self.database).table_name(self.table);
        let call = call.set_partition_input_list(Some(inputs)).send();
        let answer = self.aws.wait(self.aws.ask("glue:BatchCreatePartition", &self.resource, call));
        let mut taken = Vec::new();
        for error in answer.map_err(|error| self.refused(&error))?.errors.unwrap_or_default() {
            let detail = error.error_detail();
            let code = detail.and_then(|detail| detail.error_code()).unwrap_or_default();
            if code != "AlreadyExistsException" {
                let said = detail.and_then(|detail| detail.error_message()).unwrap_or_default();
                return Err(self.failed("glue:BatchCreatePartition", code, said));
            }
            taken.push(error.partition_values.unwrap_or_default());
        }
        Ok(taken)
    }

    fn update_partitions(&self, inputs: Vec<PartitionInput>) -> Result<()> {
        if inputs.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::new();
        for input in inputs {
            let entry =
                BatchUpdatePartitionRequestEntry::builder().set_partition_value_list(input.values.clone());
            entries.push(built(entry.partition_input(input).build())?);
        }
        let call =
            self.aws.glue().batch_update_partition().database_name(self.database).table_name(self.table);
        let call = call.set_entries(Some(entries)).send();
        let answer = self.aws.wait(self.aws.ask("glue:BatchUpdatePartition", &self.resource, call));
        let errors = answer.map_err(|error| self.refused(&error))?.errors.unwrap_or_default();
        let Some(detail) = errors.first().and_then(|error| error.error_detail()) else { return Ok(()) };
        let (code, said) =
            (detail.error_code().unwrap_or_default(), detail.error_message().unwrap_or_default());
        Err(self.failed("glue:BatchUpdatePartition", code, said))
    }

    /// A moment of random length, longer each round, so that writers that met do not meet again.
    pub(super) fn pause(&self, round: &mut u32) -> Result<()> {
        *round += 1;
        let most = FIRST_PAUSE.saturating_mul(1 << (*round).min(10)).min(LAST_PAUSE);
        let pause = most.mul_f64(random_share());
        if *round > ROUNDS || self.aws.time_left().is_some_and(|left| left <= pause) {
            let message = format!("{} is being changed by too many writers at once", self.resource);
            return Err(
                Error::new(Code::CatalogBusy, message).with_hint("try again; the files are published")
            );
        }
        // The first round follows a write of this process's own: nobody to give way to.
        if *round > 1 {
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn refused(&self, error: &AwsError) -> Error {
        refusal::of_table(self.aws, error, self.database, self.table)
    }

    fn vanished(&self) -> Error {
        Error::new(Code::CatalogBusy, format!("{} was dropped while it was written", self.resource))
    }

    /// Of one partition in a batch. Most are passing: the batch was taken, and this one in it was not.
    fn failed(&self, call: &str, code: &str, said: &str) -> Error {
        let message = format!("{call} on {} failed for a partition: {said} ({code})", self.resource);
        match code {
            "InvalidInputException" | "ResourceNumberLimitExceededException" | "AccessDeniedException" => {
                Error::new(Code::RequestRefused, message)
            }
            _ => Error::new(Code::CatalogPartition, message).with_hint("try again; the files are published"),
        }
    }

    fn elsewhere(&self, path: &str, there: &str, location: &str) -> Error {
        let message = format!(
            "a partition of {} is registered for {there}, and its files are in {location}{path}",
            self.resource
        );
        Error::new(Code::CatalogPartitionDiffers, message)
            .with_hint("drop the partition in Glue and run the object again; its files stay")
    }
}

fn partition_input(
    wanted: &Wanted,
    table: &Table,
    path: &str,
    values: &[String],
    found: Option<&Partition>,
) -> PartitionInput {
    let mut storage = table.storage_descriptor().cloned();
    if let Some(storage) = &mut storage {
        storage.location = Some(format!("{}{path}", wanted.location));
        let mut columns = columns_of(table).to_vec();
        let copied = found.and_then(Partition::storage_descriptor).map(StorageDescriptor::columns);
        let own = copied.unwrap_or_default().iter().filter(|own| !columns.iter().any(|c| c.name == own.name));
        let own: Vec<Column> = own.cloned().collect();
        columns.extend(own);
        storage.columns = Some(columns);
    }
    PartitionInput::builder()
        .set_values(Some(values.to_vec()))
        .set_storage_descriptor(storage)
        .set_parameters(found.and_then(|found| found.parameters.clone()))
        .set_last_access_time(found.and_then(|found| found.last_access_time))
        .set_last_analyzed_time(found.and_then(|found| found.last_analyzed_time))
        .build()
}

fn has(columns: &[Column], wanted: &Column) -> bool {
    let same = |column: &Column| {
        column.name == wanted.name
            && same_type(column.r#type().unwrap_or_default(), wanted.r#type().unwrap_or_default())
    };
    columns.iter().any(same)
}

fn same_columns(one: &[Column], other: &[Column]) -> bool {
    one.len() == other.len() && one.iter().all(|column| has(other, column))
}

fn built<T, E: std::fmt::Display>(built: std::result::Result<T, E>) -> Result<T> {
    built.map_err(|error| Error::new(Code::CatalogRequest, error.to_string()))
}

/// From a half to one: the process's own seed of hashing, so no generator is needed.
fn random_share() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    0.5 + f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX) / 2.0
}
