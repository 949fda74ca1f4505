//! Catalog: makes what was published queryable, by Glue directly or by a Glue crawler.
//!
//! Not for creating databases, crawlers or roles: those are deployed. Every step may be done again, and by
//! several processes at once. Decisions to know:
//!
//! * A table is written only when its entry must change: it is not there yet, columns came in, the way its
//!   partitions are found was changed, or the release did. Each update names the version that it was
//!   read at; a loser of that race reads again, merges and tries again, so no column is ever lost.
//! * Row counts are those of one commit (`lakegate.rows`, with its `lakegate.source`), written when
//!   the table is. A total would mean an `UpdateTable` per object, would run into Glue's 100,000 versions of
//!   a table, and would be wrong after each retry; `lakegate status TABLE` adds up commit records.
//! * Nothing is taken out of the catalog: a partition whose files were replaced or retracted stays registered.
//!   It yields no rows, and another object may be filling it at this moment.

mod contract;
mod crawler;
mod glue;
mod partition;
mod projection;
mod quarantine;
mod refusal;
mod table;

use serde::Serialize;

pub use crawler::{Crawled, Run, arrived, catch_up};

use crate::client::Aws;
use lakegate_base::Result;
use lakegate_config::{Catalog, CrawlerStart, Pipeline};
use lakegate_lake::lake::Lake;
use lakegate_lake::record::CommitRecord;

/// What registering came to, for the answer and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// One a table of the record, where the host writes the catalog itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableEntry>,
    /// The table of rejected records, where this commit had any, or made a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<TableEntry>,
    /// Where a crawler writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawler: Option<Crawled>,
    /// What a person should know: rows that queries will not find.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A table's entry in Glue, and what was done to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableEntry {
    /// Database.
    pub database: String,
    /// Name in Glue.
    pub table: String,
    /// Whether it was made now.
    pub created: bool,
    /// Whether it was changed now.
    pub updated: bool,
    /// Columns that came in now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns_added: Vec<String>,
    /// Columns whose type was changed now, after `lakegate contract change`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns_changed: Vec<String>,
    /// Partitions that were made now.
    pub partitions_created: u64,
    /// Partitions that were there and got the table's columns now.
    pub partitions_updated: u64,
    /// Partitions of the record; all of them are found by queries now.
    pub partitions: u64,
    /// Whether Athena works partitions out by itself.
    pub projected: bool,
}

impl Registered {
    /// Whether anything was changed.
    pub fn changed(&self) -> bool {
        let touched = |table: &TableEntry| {
            table.created || table.updated || table.partitions_created + table.partitions_updated > 0
        };
        self.tables.iter().chain(&self.quarantine).any(touched)
            || self.crawler.as_ref().is_some_and(|one| one.run == Run::Started)
    }
}

/// The crawler that is to be started once something of a pipeline was published.
pub(crate) fn started_when_published(pipeline: &Pipeline) -> Option<&str> {
    match &pipeline.catalog {
        Catalog::Crawler { crawler, start: CrawlerStart::Published, .. } => Some(crawler),
        _ => None,
    }
}

/// What it comes to where somebody else starts a crawler.
pub(crate) fn left(crawler: &str) -> Registered {
    let crawler = Crawled { crawler: crawler.into(), run: Run::Left, ready: false };
    Registered { crawler: Some(crawler), ..Registered::default() }
}

/// Name in Glue of the table of a pipeline's rejected records; none where there is none.
pub(crate) fn quarantine_name(pipeline: &Pipeline) -> Option<String> {
    quarantine::name(pipeline)
}

/// Registers all tables of a commit, as the pipeline says. The commit must be published.
///
/// # Errors
/// Own: the database or crawler is missing, a call is denied, or the catalog has another table of that name, other
/// partition keys, or a column of another type. Passing: the service's trouble, or too many writers.
pub fn register(aws: &Aws, pipeline: &Pipeline, lake: &Lake, record: &CommitRecord) -> Result<Registered> {
    match &pipeline.catalog {
        Catalog::None => Ok(Registered::default()),
        Catalog::Glue { database, table_prefix, projection, quarantine: _ } => {
            let mut registered = Registered::default();
            for (table, digest) in &record.contracts {
                let wanted = table::Wanted::read(lake, record, (table, digest), table_prefix, projection)?;
                registered.warnings.extend(wanted.warnings.iter().cloned());
                let glue = glue::Glue::new(aws, pipeline, database, &wanted.name);
                registered.tables.push(glue.register(lake, &wanted)?);
            }
            let due = record.quarantine.is_some() || registered.tables.iter().any(|table| table.created);
            if let Some(name) = quarantine::name(pipeline).filter(|_| due) {
                registered.quarantine = Some(quarantine::register(aws, pipeline, lake, database, &name)?);
            }
            Ok(registered)
        }
        Catalog::Crawler { crawler, wait, start, .. } => {
            let crawled = match start {
                CrawlerStart::Published => crawler::crawl(aws, lake, record, crawler, *wait)?,
                CrawlerStart::Arrival => crawler::watch(aws, crawler, *wait)?,
            };
            Ok(Registered { crawler: Some(crawled), ..Registered::default() })
        }
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
#[path = "catalog/peer_tests.rs"]
mod peer_tests;
