//! The contract that a spec, a live contract and what was learned ask for together.
//!
//! The decision to know: what is live stays as it is, to the letter; the proposal only adds. New
//! columns of a live contract come in the order of their pointers, so that the result does not
//! depend on which record happened to come first.

use std::collections::{BTreeMap, BTreeSet};

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin, PartitionColumn};
use crate::error::{Code, Failure};
use crate::learn::{Kinds, Learned, column_type};
use crate::names::Naming;
use crate::names::{self, column_pointer, path_to_pointer, pointer_push};
use crate::report::Warning;
use crate::spec::{Mode, Spec, Table};

mod conflict;
mod settings;
mod text;

use conflict::split_alias;
pub use conflict::{check_against_live, derived_type_conflict};
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
    let claims = Claims::new(table, rows.as_deref(), live);
    let mut walk = Walk {
        learned,
        rows: rows.as_deref(),
        exploded: exploded(spec, no_spec),
        claims: &claims,
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
    // The name is a column's from here on; the path gets another one when it is met again.
    let derived: BTreeSet<&str> = table.derives.iter().map(|derive| derive.name.as_str()).collect();
    contract.nulls.retain(|(name, _)| !derived.contains(name.as_str()));
    add_declared(&mut contract, table, &paths);
    if table.mode == Mode::Evolve {
        add_learned(&mut contract, table, no_spec, live.is_some(), &paths, &mut warnings);
    }
    warn_of_repeats(&contract, live.map_or(0, |live| live.columns.len()), &mut warnings);
    if contract.columns.len() > spec.limits.columns {
        return Err(Failure::limit(
            Code::TooManyColumns,
            format!("table `{table_name}` would have {} columns, limits.columns is {}", contract.columns.len(), spec.limits.columns),
        )
        .hint("are ids or dates used as keys? declare the columns you want with mode = \"discard\", or raise limits.columns"));
    }
    Ok(Proposal { contract, warnings })
}

/// Adds derived columns and those of an extension that are not there yet, and partition columns to a new contract.
pub fn finish(
    contract: &mut Contract,
    live: Option<&Contract>,
    made: &[ContractColumn],
    partition_by: Vec<PartitionColumn>,
) {
    let mut held: BTreeSet<String> = contract.columns.iter().map(|c| c.name.clone()).collect();
    for column in made {
        if held.insert(column.name.clone()) {
            contract.columns.push(column.clone());
        }
    }
    if live.is_none() {
        contract.partition_by = partition_by;
    }
}

/// What is settled before anything is learned: those paths keep their shape, whatever else came.
struct Claims {
    /// Paths that are columns: nothing below them is learned.
    columns: BTreeSet<String>,
    /// Paths above columns: objects, never columns themselves.
    objects: BTreeSet<String>,
}

impl Claims {
    fn new(table: &Table, rows: Option<&str>, live: Option<&Contract>) -> Self {
        let mut columns: BTreeSet<String> = table
            .columns
            .iter()
            .map(|c| column_pointer(c.from.as_deref().unwrap_or(&c.name), rows))
            .collect();
        for column in live.iter().flat_map(|live| &live.columns) {
            if let Origin::Pointer(pointer) = &column.origin {
                columns.insert(pointer.clone());
            }
        }
        let above = |pointer: &String| -> Vec<String> {
            pointer.match_indices('/').skip(1).map(|(at, _)| pointer[..at].to_owned()).collect()
        };
        let rows = rows.map(str::to_owned);
        let objects = columns.iter().chain(&rows).flat_map(above).collect();
        Self { columns, objects }
    }
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
    exploded: BTreeSet<String>,
    claims: &'a Claims,
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
        // What is settled comes first: one record with another shape must not change it.
        if self.rows == Some(pointer.as_str()) {
            if let Some(element) = self.learned.nodes[node as usize].element {
                let len = pointer.len();
                pointer.push_str("/*");
                self.value(element, pointer);
                pointer.truncate(len);
            }
            return;
        }
        if self.exploded.contains(pointer.as_str()) {
            return;
        }
        let is_column = self.claims.columns.contains(pointer.as_str());
        let is_object = self.claims.objects.contains(pointer.as_str());
        if is_column {
            self.paths.push(Path { pointer: pointer.clone(), kinds });
            if is_object {
                self.object(node, pointer);
            }
            return;
        }
        if is_object || kinds.any(Kinds::OBJECT) {
            let others = kinds.0 & !(Kinds::OBJECT.0 | Kinds::NULL.0) != 0;
            if others && kinds.any(Kinds::OBJECT) {
                self.warnings.push(Warning::new(
                    "object_and_scalar",
                    format!(
                        "{pointer} is an object in some records and not in others: the others are rejected"
                    ),
                ));
            }
            return self.object(node, pointer);
        }
        if kinds != Kinds::default() {
            self.paths.push(Path { pointer: pointer.clone(), kinds });
        }
    }
}

fn add_declared(contract: &mut Contract, table: &Table, paths: &[Path]) {
    let held: BTreeSet<String> = contract.columns.iter().map(|c| c.name.clone()).collect();
    let nulls: BTreeSet<String> = contract.nulls.iter().map(|(name, _)| name.clone()).collect();
    let kinds: BTreeMap<&str, Kinds> = paths.iter().map(|p| (p.pointer.as_str(), p.kinds)).collect();
    let mut typed = BTreeSet::new();
    for declared in table.columns.iter().filter(|declared| !held.contains(&declared.name)) {
        let pointer =
            column_pointer(declared.from.as_deref().unwrap_or(&declared.name), contract.rows.as_deref());
        let learned = || {
            let kinds = *kinds.get(pointer.as_str())?;
            // Whoever declares an object as one column wants its JSON.
            if kinds.any(Kinds::OBJECT) { Some(ColumnType::Json) } else { column_type(kinds, table.numbers) }
        };
        match declared.ty.map(|t| t.0).or_else(learned) {
            Some(ty) => {
                typed.insert(declared.name.as_str());
                contract.columns.push(ContractColumn {
                    name: declared.name.clone(),
                    ty,
                    origin: Origin::Pointer(pointer),
                    hidden: declared.is_hidden(),
                });
            }
            None if nulls.contains(&declared.name) => {}
            None => contract.nulls.push((declared.name.clone(), pointer)),
        }
    }
    contract.nulls.retain(|(name, _)| !typed.contains(name.as_str()));
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
    let agreed: BTreeSet<&str> = contract.columns.iter().filter_map(|c| c.origin.pointer()).collect();
    let mut new: Vec<&Path> = paths
        .iter()
        .filter(|p| !agreed.contains(p.pointer.as_str()) && !declared.contains(&p.pointer))
        .collect();
    if is_live {
        new.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    }
    let known: BTreeMap<String, String> =
        contract.nulls.iter().map(|(name, pointer)| (pointer.clone(), name.clone())).collect();
    let unnamed: Vec<String> =
        new.iter().filter(|p| !known.contains_key(&p.pointer)).map(|p| p.pointer.clone()).collect();
    let naming = if no_spec { Naming::Leaf } else { table.names };
    let (chosen, renamed) =
        names::choose(&unnamed, contract.rows.as_deref(), naming, &held_names(contract, table));
    for clash in renamed {
        warnings.push(Warning::new(
            "name_clash",
            format!("{} is named `{}`: its plain name is another column's", clash.pointer, clash.name),
        ));
    }
    let mut chosen = chosen.into_iter();
    let mut typed = BTreeSet::new();
    for path in new {
        let held = known.get(&path.pointer);
        let name = held.cloned().or_else(|| chosen.next()).unwrap_or_default();
        match column_type(path.kinds, table.numbers) {
            Some(ty) => {
                warn_of_mix(path, ty, warnings);
                typed.insert(&path.pointer);
                contract.columns.push(ContractColumn {
                    name,
                    ty,
                    origin: Origin::Pointer(path.pointer.clone()),
                    hidden: false,
                });
            }
            None if held.is_none() => contract.nulls.push((name, path.pointer.clone())),
            None => {}
        }
    }
    contract.nulls.retain(|(_, pointer)| !typed.contains(pointer));
}

/// Names that newcomers must not take.
fn held_names(contract: &Contract, table: &Table) -> BTreeSet<String> {
    let aliases = table.partition_by.iter().filter_map(|text| {
        let (sql, alias) = split_alias(text);
        // `date(day) AS day` reads the column of that name: it must get the name.
        alias.filter(|alias| !reads(sql, alias)).map(str::to_owned)
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

/// Whether an expression has `name` as a word.
fn reads(sql: &str, name: &str) -> bool {
    sql.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == name)
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
fn warn_of_repeats(contract: &Contract, known: usize, warnings: &mut Vec<Warning>) {
    let Some(rows) = &contract.rows else { return };
    const AMOUNTS: [&str; 9] =
        ["amount", "total", "price", "sum", "cost", "tax", "fee", "revenue", "discount"];
    for column in &contract.columns[known..] {
        let Origin::Pointer(pointer) = &column.origin else { continue };
        let numeric =
            matches!(column.ty, ColumnType::Bigint | ColumnType::Double | ColumnType::Decimal { .. });
        let amount = column.name.split('_').any(|word| AMOUNTS.contains(&word.trim_end_matches('s')));
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
