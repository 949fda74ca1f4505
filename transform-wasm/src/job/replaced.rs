//! Names of columns as expressions see them, where a derived column replaces the one that it reads.
//!
//! The decision to know: `[[table.derive]] name = "price"`, `sql = "price * 2"` reads the column of the input, and every
//! other expression sees the derived one. Both are in the contract, and the one that is read is not written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::tree;

use crate::column::ColumnType;
use crate::contract::{ContractColumn, Origin};
use crate::spec::Table;

/// What no expression can say.
const UNSPEAKABLE: char = '\0';

/// Columns by their names, in the contract's order.
pub struct Names {
    /// As all expressions see them but that of a column which replaces another.
    visible: Vec<(String, ColumnType)>,
    /// The places of those that are read and replaced, and of those that replace them.
    replaced: BTreeMap<String, (usize, Option<usize>)>,
    held: BTreeSet<String>,
}

impl Names {
    /// Of these columns of a table.
    pub fn new<'a>(columns: impl Iterator<Item = &'a ContractColumn> + Clone, table: &Table) -> Self {
        let held = columns.clone().filter(|column| column.origin.sql().is_some()).map(|column| &column.name);
        let derived: BTreeSet<&String> = tree(held.chain(table.derives.iter().map(|derive| &derive.name)));
        let (visible, replaced, held) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let mut names = Self { visible, replaced, held };
        for column in columns {
            let is_read = column.hidden && matches!(column.origin, Origin::Pointer(_));
            if is_read && derived.contains(&column.name) {
                names.replaced.insert(column.name.clone(), (names.visible.len(), None));
                names.visible.push((hidden(&column.name), column.ty));
            } else {
                names.push(column.name.clone(), column.ty);
            }
        }
        names
    }

    /// As all expressions see them but that of a column which replaces another.
    pub fn visible(&self) -> &[(String, ColumnType)] {
        &self.visible
    }

    /// As the expression of the derived column `name` sees them.
    pub fn of_derive(&self, name: &str) -> Cow<'_, [(String, ColumnType)]> {
        let Some(&(read, by)) = self.replaced.get(name) else { return Cow::Borrowed(&self.visible) };
        let mut columns = self.visible.clone();
        name.clone_into(&mut columns[read].0);
        if let Some(by) = by {
            columns[by].0 = hidden(name);
        }
        Cow::Owned(columns)
    }

    /// Whether some column has the name, one that is replaced left out.
    pub fn has(&self, name: &str) -> bool {
        self.held.contains(name)
    }

    /// Adds a column behind the others.
    pub fn push(&mut self, name: String, ty: ColumnType) {
        if let Some((_, by)) = self.replaced.get_mut(&name) {
            *by = Some(self.visible.len());
        }
        self.held.insert(name.clone());
        self.visible.push((name, ty));
    }
}

/// The name of a column that an expression does not see.
fn hidden(name: &str) -> String {
    format!("{UNSPEAKABLE}{name}")
}
