//! An extension's place among a table's rows: what it is given, where its columns go.
//!
//! Not for what an extension may do (`crate::extension` checks that). The decision to know: a column that
//! is added stays in the contract for ever, so a transform without the extension writes it as null, as it
//! does with a path that no longer comes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;

use crate::column::{Column, ColumnType};
use crate::contract::{Contract, ContractColumn, Origin};
use crate::error::{Code, Failure};
use crate::extension::{Bound, Extension, Rejects};
use crate::json::Reject;

use super::{Job, Options};

/// One table's share of an extension.
pub struct TableExtension {
    extension: Arc<dyn Extension>,
    bound: Bound,
    /// Contract columns it is given.
    pub given: Vec<usize>,
    /// Contract columns it makes, in the order of its answer.
    pub makes: Vec<usize>,
}

impl Job {
    /// As [`Job::open`], with a function that works on the rows between `derive` and `filter`.
    ///
    /// # Errors
    /// As [`Job::open`]; and when the extension cannot work on a table.
    pub fn open_with(options: Options, extension: impl Extension) -> Result<Self, Failure> {
        Self::open_any(options, Some(Arc::new(extension)))
    }
}

/// The columns that an extension adds to a table with the columns of `contract` and `derived`.
///
/// # Errors
/// The extension refuses the table, or the contract has such a column already.
pub fn added(
    extension: &dyn Extension,
    contract: &Contract,
    derived: &[ContractColumn],
) -> Result<Vec<ContractColumn>, Failure> {
    let mut given = given(contract);
    for column in derived {
        if !given.iter().any(|(name, _)| name == &column.name) {
            given.push((column.name.clone(), column.ty));
        }
    }
    let bound = Bound::new(extension, &contract.table, given)?;
    let added = |(name, ty): &(String, ColumnType)| ContractColumn {
        name: name.clone(),
        ty: *ty,
        origin: Origin::Transform(extension.name().to_owned()),
        hidden: false,
    };
    let added: Vec<ContractColumn> = bound.adds().iter().map(added).collect();
    added.iter().try_for_each(|column| check_against(contract, column))?;
    Ok(added)
}

fn is_given(column: &ContractColumn) -> bool {
    !matches!(column.origin, Origin::Transform(_))
}

fn given(contract: &Contract) -> Vec<(String, ColumnType)> {
    contract.columns.iter().filter(|c| is_given(c)).map(|c| (c.name.clone(), c.ty)).collect()
}

/// A column that is live keeps its type, whoever adds it.
fn check_against(contract: &Contract, added: &ContractColumn) -> Result<(), Failure> {
    let (table, name) = (&contract.table, &added.name);
    let conflict = |what: String| {
        Failure::spec(Code::ContractConflict, format!("table `{table}`: {what}"))
            .hint("what a contract holds never changes by itself: add the column under another name")
    };
    if contract.nulls.iter().any(|(held, _)| held == name) {
        return Err(conflict(format!("the name `{name}` is held for a path that was only ever null")));
    }
    match contract.columns.iter().find(|column| &column.name == name) {
        Some(live) if live.ty != added.ty => Err(conflict(format!(
            "the transform adds `{name}` as {}, the contract has {}",
            added.ty, live.ty
        ))),
        _ => Ok(()),
    }
}

impl TableExtension {
    /// Binds an extension to an agreed contract.
    ///
    /// # Errors
    /// The extension refuses the table, or the contract was agreed without it.
    pub fn bind(extension: &Arc<dyn Extension>, contract: &Contract) -> Result<Self, Failure> {
        let bound = Bound::new(extension.as_ref(), &contract.table, given(contract))?;
        for (name, ty) in bound.adds() {
            let held = contract.columns.iter().find(|column| &column.name == name);
            if held.is_none_or(|column| column.ty != *ty) {
                let message = format!("the contract of `{}` has no {ty} column `{name}`", contract.table);
                return Err(Failure::spec(Code::ContractConflict, message)
                    .hint(format!("{} adds it: the contract must be agreed with it", extension.name())));
            }
        }
        let at = |(name, _): (&str, ColumnType)| contract.columns.iter().position(|c| c.name == name);
        let makes = bound.changed().filter_map(at).collect();
        let given = (0..contract.columns.len()).filter(|&i| is_given(&contract.columns[i])).collect();
        Ok(Self { extension: extension.clone(), bound, given, makes })
    }

    /// Runs the extension over a batch; the values of [`TableExtension::makes`], and beside them the
    /// records that it rejects.
    pub fn apply(
        &self,
        table: &Contract,
        number: usize,
        arrays: Vec<ArrayRef>,
        row_records: &[u32],
        rejected: &mut BTreeMap<u32, Reject>,
    ) -> Result<Vec<Column>, Failure> {
        let mut rejects = Rejects::default();
        let extension = self.extension.as_ref();
        let made = self.bound.apply(extension, &table.table, arrays, row_records.len(), &mut rejects)?;
        for (row, why) in rejects.iter() {
            rejected.entry(row_records[row]).or_insert_with(|| Reject {
                code: "extension_rejected",
                message: format!("{}: {why}", extension.name()),
                path: None,
                table: Some(number),
                at: None,
            });
        }
        Ok(made)
    }
}
