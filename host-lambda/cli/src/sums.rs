//! What the tables of a lake hold in all, from its load history.

use lakegate_base::Error;
use lakegate_lake::lake::{Entry, History, Lake};
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

/// Rejected records, over the commits that count.
#[derive(Default)]
pub struct Rejected {
    /// All.
    pub all: u64,
    /// Those that were submitted again.
    pub resolved: u64,
}

impl Rejected {
    /// Those that wait for somebody.
    pub fn open(&self) -> u64 {
        self.all.saturating_sub(self.resolved)
    }
}

/// Sums by table and the rejected records, over the commits that count.
pub fn sums(lake: &Lake, history: &History) -> Result<(BTreeMap<String, Table>, Rejected), Error> {
    let mut tables: BTreeMap<String, Table> =
        lake.tables()?.into_iter().map(|name| (name, Table::default())).collect();
    let mut rejected = Rejected::default();
    for Entry { load, .. } in history.entries.iter().filter(|entry| entry.current) {
        rejected.all += load.rejected;
        rejected.resolved += load.resolved;
        for table in &load.tables {
            let sums = tables.entry(table.table.clone()).or_default();
            sums.sources.insert(load.source.clone());
            if sums.latest < load.committed {
                sums.latest.clone_from(&load.committed);
            }
            sums.rows += table.rows;
            sums.files += table.files;
            sums.bytes += table.bytes;
        }
    }
    Ok((tables, rejected))
}
