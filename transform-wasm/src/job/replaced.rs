//! Names of columns as expressions see them, where a derived column replaces the one that it reads.
//!
//! The decision to know: `[[table.derive]] name = "price"`, `sql = "price * 2"` reads the column of the input, and every
//! other expression sees the derived one. Both are in the contract, and the one that is read is not written.

use std::collections::BTreeSet;

use crate::column::ColumnType;
use crate::contract::{ContractColumn, Origin};
use crate::spec::Table;

/// What no expression can say.
const UNSPEAKABLE: char = '\0';

/// Columns by their names, in the contract's order.
pub struct Names {
    columns: Vec<(String, ColumnType)>,
    /// Those that are read and replaced.
    replaced: BTreeSet<usize>,
}

impl Names {
    /// Of these columns of a table.
    pub fn new<'a>(columns: impl Iterator<Item = &'a ContractColumn> + Clone, table: &Table) -> Self {
        let held = columns.clone().filter(|column| column.origin.sql().is_some()).map(|column| &column.name);
        let derived: BTreeSet<&String> =
            held.chain(table.derives.iter().map(|derive| &derive.name)).collect();
        let is_replaced = |column: &ContractColumn| {
            column.hidden && matches!(column.origin, Origin::Pointer(_)) && derived.contains(&column.name)
        };
        let replaced =
            columns.clone().enumerate().filter(|(_, column)| is_replaced(column)).map(|(at, _)| at);
        let replaced = replaced.collect();
        Self { columns: columns.map(|column| (column.name.clone(), column.ty)).collect(), replaced }
    }

    /// As all expressions see them but that of the column which replaces another.
    pub fn visible(&self) -> Vec<(String, ColumnType)> {
        self.seen_by(None)
    }

    /// As the expression of the derived column `name` sees them.
    pub fn of_derive(&self, name: &str) -> Vec<(String, ColumnType)> {
        self.seen_by(Some(name))
    }

    fn seen_by(&self, derived: Option<&str>) -> Vec<(String, ColumnType)> {
        let twice: BTreeSet<&str> = self.replaced.iter().map(|&at| self.columns[at].0.as_str()).collect();
        let each = self.columns.iter().enumerate().map(|(at, (name, ty))| {
            let reads = self.replaced.contains(&at);
            let is_seen = !twice.contains(name.as_str()) || reads == (derived == Some(name.as_str()));
            (if is_seen { name.clone() } else { format!("{UNSPEAKABLE}{name}") }, *ty)
        });
        each.collect()
    }

    /// Whether some column has the name, one that is replaced left out.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().enumerate().any(|(at, (held, _))| held == name && !self.replaced.contains(&at))
    }

    /// Adds a column behind the others.
    pub fn push(&mut self, name: String, ty: ColumnType) {
        self.columns.push((name, ty));
    }
}
