//! What the tables of a lake hold in all, from its commit records.

use lakegate_base::Error;
use lakegate_lake::Lake;
use lakegate_lake::record::CommitState;
use std::collections::{BTreeMap, BTreeSet};

/// Sums of one table over the commits that count.
#[derive(Default)]
pub struct Table {
    /// URIs of the source objects with rows in it.
    pub sources: BTreeSet<String>,
    /// Rows.
    pub rows: u64,
    /// Part files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Its last commit, RFC 3339; empty where there is none.
    pub latest: String,
}

/// Sums by table and the number of rejected records, over the commits that count.
pub fn sums(lake: &Lake, commits: &[CommitState]) -> Result<(BTreeMap<String, Table>, u64), Error> {
    let mut tables: BTreeMap<String, Table> =
        lake.tables()?.into_iter().map(|name| (name, Table::default())).collect();
    let mut rejected = 0;
    for commit in commits.iter().filter(|commit| commit.current) {
        let record = &commit.record;
        rejected += record.quarantine.as_ref().map_or(0, |quarantine| quarantine.records);
        for table in record.contracts.keys() {
            let sums = tables.entry(table.clone()).or_default();
            sums.sources.insert(record.source.uri.clone());
            if sums.latest < record.committed {
                sums.latest.clone_from(&record.committed);
            }
        }
        for part in &record.parts {
            let sums = tables.entry(part.table.clone()).or_default();
            sums.rows += part.rows;
            sums.files += 1;
            sums.bytes += part.bytes;
        }
    }
    Ok((tables, rejected))
}
