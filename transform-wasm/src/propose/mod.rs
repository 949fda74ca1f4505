//! The contract that a spec, a live contract and what was learned ask for together.
//!
//! The decision to know: what is live stays as it is, to the letter; the proposal only adds. New
//! columns of a live contract come in the order of their pointers, so that the result does not
//! depend on which record happened to come first.

use std::collections::BTreeSet;

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin, PartitionColumn};
use crate::error::Failure;
use crate::learn::{Kinds, Learned};
use crate::names::{self, column_pointer, path_to_pointer, pointer_push};
use crate::report::Warning;
use crate::spec::{Mode, Naming, Spec, Table};

mod text;

pub use text::spec_text;

/// A contract and what the user should know of it.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The contract.
    pub contract: Contract,
    /// What was noticed on the way.
    pub warnings: Vec<Warning>,
}

/// One path that was learned.
struct Path {
    pointer: String,
    kinds: Kinds,
}

/// The columns that table `index` needs; derived and partition columns come with [`finish`].
///
/// # Errors
/// Fault `limit`, code `too_many_columns`.
pub fn contract(
    spec: &Spec,
    index: usize,
    table_name: &str,
    no_spec: bool,
    live: Option<&Contract>,
    learned: &Learned,
) -> Result<Proposal, Failure> {
    let table = &spec.tables[index];
    let mut warnings = Vec::new();
    let rows = match (live, &table.rows) {
        (Some(live), _) => live.rows.clone(),
        (None, Some(rows)) => Some(path_to_pointer(rows)),
        (None, None) if no_spec => only_array(learned, &mut warnings),
        (None, None) => None,
    };
    let declared = table
        .columns
        .iter()
        .filter(|c| c.ty.is_some())
        .map(|c| column_pointer(c.from.as_deref().unwrap_or(&c.name), rows.as_deref()))
        .collect();
    let mut walk = Walk {
        learned,
        rows: rows.as_deref(),
        declared,
        exploded: exploded(spec, no_spec),
        paths: Vec::new(),
        warnings,
    };
    walk.object(0, &mut String::new());
    let Walk { paths, mut warnings, .. } = walk;
    let mut contract = live.cloned().unwrap_or_else(|| Contract {
        table: table_name.to_owned(),
        rows: rows.clone(),
        columns: Vec::new(),
        nulls: Vec::new(),
        partition_by: Vec::new(),
    });
    add_declared(&mut contract, table, &paths);
    if table.mode == Mode::Evolve {
        add_learned(&mut contract, table, no_spec, live.is_some(), &paths, &mut warnings);
    }
    warn_of_repeats(&contract, &mut warnings);
    if contract.columns.len() > spec.limits.columns {
        return Err(Failure::limit(
            "too_many_columns",
            format!("table `{table_name}` would have {} columns, limits.columns is {}", contract.columns.len(), spec.limits.columns),
        )
        .hint("are ids or dates used as keys? declare the columns you want with mode = \"discard\", or raise limits.columns"));
    }
    Ok(Proposal { contract, warnings })
}

/// Adds derived columns that are not there yet, and partition columns to a new contract.
pub fn finish(
    contract: &mut Contract,
    live: Option<&Contract>,
    derived: &[ContractColumn],
    partition_by: Vec<PartitionColumn>,
) {
    for column in derived {
        if !contract.columns.iter().any(|c| c.name == column.name) {
            contract.columns.push(column.clone());
        }
    }
    if live.is_none() {
        contract.partition_by = partition_by;
    }
}

/// Refuses a spec that contradicts the live contract.
///
/// # Errors
/// Fault `spec`, code `contract_conflict`, with both sides.
pub fn check_against_live(table: &Table, live: &Contract) -> Result<(), Failure> {
    let conflict =
        |what: String| Failure::spec("contract_conflict", format!("table `{}`: {what}", live.table));
    let rows = table.rows.as_deref().map(path_to_pointer);
    if rows.is_some() && rows != live.rows {
        let live = live.rows.as_deref().unwrap_or("no array");
        return Err(conflict(format!("the spec explodes {}, the contract {live}", rows.unwrap_or_default()))
            .hint("rows of a table never change: write to a new table"));
    }
    for declared in &table.columns {
        let Some(column) = live.columns.iter().find(|c| c.name == declared.name) else { continue };
        let pointer =
            column_pointer(declared.from.as_deref().unwrap_or(&declared.name), live.rows.as_deref());
        if column.origin != Origin::Pointer(pointer.clone()) {
            return Err(conflict(format!(
                "column `{}` comes from {pointer} in the spec, but not in the contract",
                declared.name
            ))
            .hint("a column's source never changes: declare a new column"));
        }
        if let Some(ty) = declared.ty.map(|t| t.0).filter(|ty| *ty != column.ty) {
            return Err(conflict(format!(
                "column `{}` is {ty} in the spec, {} in the contract",
                declared.name, column.ty
            ))
            .hint(format!(
                "to change it: lakegate contract change {} {} '{ty}'",
                live.table, declared.name
            )));
        }
    }
    for derive in &table.derives {
        let Some(column) = live.columns.iter().find(|c| c.name == derive.name) else { continue };
        if column.origin != Origin::Sql(derive.sql.clone()) {
            return Err(conflict(format!("column `{}` is derived differently in the contract", derive.name))
                .hint("derive it under a new name"));
        }
    }
    let by: Vec<&str> = table.partition_by.iter().map(String::as_str).collect();
    let same = by.len() == live.partition_by.len()
        && by.iter().zip(&live.partition_by).all(|(text, live)| text.trim().starts_with(live.sql.as_str()));
    if !by.is_empty() && !same {
        let live: Vec<&str> = live.partition_by.iter().map(|p| p.sql.as_str()).collect();
        return Err(conflict(format!("the spec partitions by {by:?}, the contract by {live:?}"))
            .hint("partitions of a table never change: write to a new table"));
    }
    Ok(())
}

/// Arrays that any table explodes: they are no JSON columns elsewhere.
fn exploded(spec: &Spec, no_spec: bool) -> BTreeSet<String> {
    if no_spec {
        return BTreeSet::new();
    }
    spec.tables.iter().filter_map(|t| t.rows.as_deref()).map(path_to_pointer).collect()
}

/// The one array of objects of a record, if there is just one.
fn only_array(learned: &Learned, warnings: &mut Vec<Warning>) -> Option<String> {
    let mut found = Vec::new();
    find_arrays(learned, 0, &mut String::new(), &mut found);
    if found.len() > 1 {
        let choices = found.join(", ");
        warnings.push(Warning::new(
            "several_arrays",
            format!("several arrays could make rows ({choices}): none does, they stay JSON text; choose one with rows in a spec"),
        ));
        return None;
    }
    found.pop()
}

fn find_arrays(learned: &Learned, node: u32, pointer: &mut String, found: &mut Vec<String>) {
    for (key, child) in learned.nodes[node as usize].keys.iter() {
        let len = pointer.len();
        pointer_push(pointer, &String::from_utf8_lossy(key));
        let kinds = learned.nodes[child as usize].kinds;
        if kinds.any(Kinds::OBJECT) {
            find_arrays(learned, child, pointer, found);
        } else if kinds.any(Kinds::ARRAY_OF_OBJECTS) {
            found.push(pointer.clone());
        }
        pointer.truncate(len);
    }
}

/// Collects the paths that can be columns, in document order.
struct Walk<'a> {
    learned: &'a Learned,
    rows: Option<&'a str>,
    /// Pointers of columns with a declared type.
    declared: BTreeSet<String>,
    exploded: BTreeSet<String>,
    paths: Vec<Path>,
    warnings: Vec<Warning>,
}

impl Walk<'_> {
    fn object(&mut self, node: u32, pointer: &mut String) {
        let learned = self.learned;
        for (key, child) in learned.nodes[node as usize].keys.iter() {
            let len = pointer.len();
            pointer_push(pointer, &String::from_utf8_lossy(key));
            self.value(child, pointer);
            pointer.truncate(len);
        }
    }

    fn value(&mut self, node: u32, pointer: &mut String) {
        let kinds = self.learned.nodes[node as usize].kinds;
        if self.rows == Some(pointer.as_str()) {
            if let Some(element) = self.learned.nodes[node as usize].element {
                let len = pointer.len();
                pointer.push_str("/*");
                self.value(element, pointer);
                pointer.truncate(len);
            }
            return;
        }
        if self.declared.contains(pointer.as_str()) {
            // The declared type is the contract, whatever the value is.
            self.paths.push(Path { pointer: pointer.clone(), kinds });
            return;
        }
        if kinds.any(Kinds::OBJECT) {
            if kinds.0 & !(Kinds::OBJECT.0 | Kinds::NULL.0) != 0 {
                self.warnings.push(Warning::new(
                    "object_and_scalar",
                    format!(
                        "{pointer} is an object in some records and not in others: the others are rejected"
                    ),
                ));
            }
            return self.object(node, pointer);
        }
        if kinds == Kinds::default() || self.exploded.contains(pointer.as_str()) {
            return;
        }
        self.paths.push(Path { pointer: pointer.clone(), kinds });
    }
}

fn add_declared(contract: &mut Contract, table: &Table, paths: &[Path]) {
    for declared in &table.columns {
        if contract.columns.iter().any(|c| c.name == declared.name) {
            continue;
        }
        let pointer =
            column_pointer(declared.from.as_deref().unwrap_or(&declared.name), contract.rows.as_deref());
        let learned =
            || paths.iter().find(|p| p.pointer == pointer).and_then(|p| p.kinds.column_type(table.numbers));
        match declared.ty.map(|t| t.0).or_else(learned) {
            Some(ty) => {
                contract.nulls.retain(|(name, _)| name != &declared.name);
                contract.columns.push(ContractColumn {
                    name: declared.name.clone(),
                    ty,
                    origin: Origin::Pointer(pointer),
                });
            }
            None if contract.nulls.iter().any(|(name, _)| name == &declared.name) => {}
            None => contract.nulls.push((declared.name.clone(), pointer)),
        }
    }
}

fn add_learned(
    contract: &mut Contract,
    table: &Table,
    no_spec: bool,
    is_live: bool,
    paths: &[Path],
    warnings: &mut Vec<Warning>,
) {
    let declared: BTreeSet<String> = table
        .columns
        .iter()
        .map(|c| column_pointer(c.from.as_deref().unwrap_or(&c.name), contract.rows.as_deref()))
        .collect();
    let mut new: Vec<&Path> = paths
        .iter()
        .filter(|p| contract.by_pointer(&p.pointer).is_none() && !declared.contains(&p.pointer))
        .collect();
    if is_live {
        new.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    }
    let unnamed: Vec<String> = new
        .iter()
        .filter(|p| !contract.nulls.iter().any(|(_, pointer)| pointer == &p.pointer))
        .map(|p| p.pointer.clone())
        .collect();
    let naming = if no_spec { Naming::Leaf } else { table.names };
    let (chosen, renamed) =
        names::choose(&unnamed, contract.rows.as_deref(), naming, &held_names(contract, table));
    for clash in renamed {
        warnings.push(Warning::new(
            "name_clash",
            format!("{} is named `{}`: its plain name is another column's", clash.pointer, clash.name),
        ));
    }
    for path in new {
        let known = contract.nulls.iter().position(|(_, pointer)| pointer == &path.pointer);
        let name = match known {
            Some(i) => contract.nulls[i].0.clone(),
            None => {
                unnamed.iter().position(|p| p == &path.pointer).map(|i| chosen[i].clone()).unwrap_or_default()
            }
        };
        match path.kinds.column_type(table.numbers) {
            Some(ty) => {
                warn_of_mix(path, ty, warnings);
                if let Some(i) = known {
                    contract.nulls.remove(i);
                }
                contract.columns.push(ContractColumn {
                    name,
                    ty,
                    origin: Origin::Pointer(path.pointer.clone()),
                });
            }
            None if known.is_none() => contract.nulls.push((name, path.pointer.clone())),
            None => {}
        }
    }
}

/// Names that newcomers must not take.
fn held_names(contract: &Contract, table: &Table) -> BTreeSet<String> {
    let aliases = table.partition_by.iter().filter_map(|text| {
        let at = text.to_ascii_lowercase().rfind(" as ")?;
        Some(text[at + 4..].trim().to_owned())
    });
    let columns = contract.columns.iter().map(|c| c.name.clone());
    let nulls = contract.nulls.iter().map(|(name, _)| name.clone());
    let declared = table.columns.iter().map(|c| c.name.clone());
    columns
        .chain(nulls)
        .chain(declared)
        .chain(table.derives.iter().map(|d| d.name.clone()))
        .chain(aliases)
        .collect()
}

fn warn_of_mix(path: &Path, ty: ColumnType, warnings: &mut Vec<Warning>) {
    let kinds = path.kinds.0 & !Kinds::NULL.0;
    if ty == ColumnType::String && kinds != Kinds::STRING.0 {
        let why =
            if kinds.count_ones() > 1 { "values of different kinds" } else { "integers beyond 64 bits" };
        warnings
            .push(Warning::new("mixed_types", format!("{} has {why}: it becomes a string", path.pointer)));
    }
}

/// Amounts of the parent stand on each of its rows: summing them counts them several times.
fn warn_of_repeats(contract: &Contract, warnings: &mut Vec<Warning>) {
    let Some(rows) = &contract.rows else { return };
    const AMOUNTS: [&str; 9] =
        ["amount", "total", "price", "sum", "cost", "tax", "fee", "revenue", "discount"];
    for column in &contract.columns {
        let Origin::Pointer(pointer) = &column.origin else { continue };
        let numeric =
            matches!(column.ty, ColumnType::Bigint | ColumnType::Double | ColumnType::Decimal { .. });
        let amount = AMOUNTS.iter().any(|word| column.name.contains(word));
        if numeric && amount && !crate::shred::below(pointer, rows) {
            warnings.push(Warning::new(
                "amount_repeats",
                format!(
                    "`{0}` belongs to the parent and repeats on each row of {rows}: SUM({0}) overcounts",
                    column.name
                ),
            ));
        }
    }
}
