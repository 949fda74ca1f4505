//! What a reader of a local lake sees: every part file below a table, as text.
//!
//! For: comparing lakes after crashes, re-runs and parallel runs. The decision to know: it looks at
//! the files only, as a query engine would, never at `_lakegate`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::rows::{self, PartText};

/// Every visible part file of a table: path below the table, content.
///
/// # Panics
/// Where a visible file cannot be read: nothing half-written may ever be seen.
#[must_use]
pub fn parts(lake: &Path, table: &str) -> BTreeMap<String, PartText> {
    let root = lake.join(table);
    walkdir::WalkDir::new(&root)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && visible(entry.path(), &root))
        .map(|entry| {
            let name = entry.path().strip_prefix(&root).expect("below the table").display().to_string();
            let bytes = std::fs::read(entry.path()).expect("a visible file");
            let text = rows::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error:#}"));
            (name, text)
        })
        .collect()
}

/// All rows of a table as `name=cell` texts, sorted.
#[must_use]
pub fn rows(lake: &Path, table: &str) -> Vec<String> {
    let mut all: Vec<String> = parts(lake, table)
        .into_iter()
        .flat_map(|(name, part)| {
            let partition = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder} "));
            let names: Vec<String> = part.schema.into_iter().map(|(name, _)| name).collect();
            part.rows
                .into_iter()
                .map(move |row| partition.clone() + &labelled(&names, &row))
                .collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all
}

/// Nulls are left out: a file written before a column came has none of it.
fn labelled(names: &[String], row: &[String]) -> String {
    let cells = names.iter().zip(row).filter(|(_, cell)| *cell != "null");
    cells.map(|(name, cell)| format!("{name}={cell}")).collect::<Vec<_>>().join(" ")
}

/// As Athena sees it: names that start with `_` or `.` are hidden.
fn visible(path: &Path, root: &Path) -> bool {
    let below = path.strip_prefix(root).expect("below the table");
    below.components().all(|part| {
        let name = part.as_os_str().to_string_lossy();
        !name.starts_with('_') && !name.starts_with('.')
    })
}
