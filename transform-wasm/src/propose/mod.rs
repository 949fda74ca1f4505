//! The contract that a spec, a live contract and what was learned ask for together.
//!
//! The decision to know: what is live stays as it is, to the letter; the proposal only adds. New
//! columns of a live contract come in the order of their pointers, so that the result does not
//! depend on which record happened to come first.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::contract::RESCUED;
use lakegate_model::tree;

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin, PartitionColumn};
use crate::error::{Code, Failure};
use crate::learn::{Digits, Kinds, Learned, column_type, declared_type};
use crate::names::Naming;
use crate::names::{self, pointer_push};
use crate::report::Warning;
use crate::spec::{Mode, OnMisfit, Spec, Table, TypeName, reads};

mod conflict;
mod declared;
mod doubts;
pub mod forms;
mod keys;
mod settings;
mod shape;
mod text;

use conflict::split_alias;
use declared::Claims;
use doubts::{At, Moments};
use shape::Shape;

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

/// What a proposal is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Intent {
    /// No spec says anything: the one table takes what there is.
    pub no_spec: bool,
    /// A person will read it, and edit it: it has all that somebody who knows the values would declare.
    pub propose: bool,
}

impl Intent {
    fn type_of(self, path: &Path, table: &Table) -> Option<ColumnType> {
        if self.propose {
            declared_type(path.kinds, path.digits, table.numbers)
        } else {
            column_type(path.kinds, table.numbers)
        }
    }
}

/// One path that was learned.
struct Path {
    pointer: String,
    kinds: Kinds,
    digits: Digits,
}

/// The columns that table `index` needs; derived and partition columns come with [`finish`].
pub fn contract(
    spec: &Spec,
    index: usize,
    table_name: &str,
    intent: Intent,
    live: Option<&Contract>,
    learned: &Learned,
) -> Proposal {
    let table = &spec.tables[index];
    let mut warnings = Vec::new();
    let rows = match (live, &table.rows) {
        (Some(live), _) => live.rows.clone(),
        (None, Some(_)) => table.rows_pointer(),
        (None, None) if intent.no_spec => {
            shape::only_array(learned, table_name, intent.propose, &mut warnings)
        }
        (None, None) => None,
    };
    let declared = declared::pointers(table, rows.as_deref(), live, learned);
    let claims = Claims::new(&declared, rows.as_deref(), live);
    let exploded = exploded(spec, intent.no_spec);
    let shape = shape::shape(learned, table, rows.as_deref(), &exploded, &claims);
    let mut walk = Walk {
        learned,
        table,
        rows: rows.as_deref(),
        exploded,
        claims: &claims,
        shape,
        paths: Vec::new(),
        warnings,
    };
    walk.object(0, &mut String::new());
    let Walk { paths, mut warnings, shape, .. } = walk;
    let mut contract = live.cloned().unwrap_or_else(|| Contract {
        table: table_name.to_owned(),
        records: if intent.no_spec { learned.records.as_deref().map(records_pointer) } else { None },
        rows: rows.clone(),
        columns: Vec::new(),
        nulls: Vec::new(),
        partition_by: Vec::new(),
    });
    // The name is a column's from here on; the path gets another one when it is met again.
    let derived: BTreeSet<&str> = tree(table.derives.iter().map(|derive| derive.name.as_str()));
    contract.nulls.retain(|(name, _)| !derived.contains(name.as_str()));
    add_declared(&mut contract, table, &declared, intent, &paths);
    if table.mode == Mode::Evolve {
        let newcomers =
            Newcomers { table, intent, is_live: live.is_some(), declared: &declared, paths: &paths };
        newcomers.add(&mut contract, &mut warnings);
        add_rests(&mut contract, table, shape.rests.values(), &mut warnings);
    }
    if table.on_misfit == OnMisfit::Rescue && !contract.columns.iter().any(|c| c.origin == Origin::Rescued) {
        let (name, ty) = (RESCUED.to_owned(), ColumnType::Json);
        contract.columns.push(ContractColumn { name, ty, origin: Origin::Rescued, hidden: false });
    }
    doubts::of_repeats(&contract, live.map_or(0, |live| live.columns.len()), &mut warnings);
    Proposal { contract, warnings }
}

fn records_pointer(keys: &[String]) -> String {
    let mut pointer = String::new();
    keys.iter().for_each(|key| pointer_push(&mut pointer, key));
    pointer
}

/// The columns of a table that need nothing to be learned: those of its contract, and those that the spec gives a type.
pub fn known(table: &Table, name: &str, live: Option<&Contract>, nothing: &Learned) -> Contract {
    let rows = live.map_or_else(|| table.rows_pointer(), |live| live.rows.clone());
    let mut contract = live.cloned().unwrap_or_else(|| Contract {
        table: name.to_owned(),
        records: None,
        rows: rows.clone(),
        columns: Vec::new(),
        nulls: Vec::new(),
        partition_by: Vec::new(),
    });
    let held: BTreeSet<String> = tree(contract.columns.iter().map(|column| column.name.clone()));
    let pointers = declared::pointers(table, rows.as_deref(), live, nothing);
    for (declared, pointer) in table.columns.iter().zip(pointers) {
        if let Some(TypeName(ty)) = declared.ty.filter(|_| !held.contains(&declared.name)) {
            let name = declared.name.clone();
            let hidden = declared.is_hidden() || table.replaces(&declared.name);
            let origin = Origin::Pointer(pointer);
            contract.columns.push(ContractColumn { name, ty, origin, hidden });
        }
    }
    contract
}

/// Adds derived columns and those of an extension that are not there yet, and partition columns to a new contract.
pub fn finish(
    contract: &mut Contract,
    live: Option<&Contract>,
    made: &[ContractColumn],
    partition_by: Vec<PartitionColumn>,
) {
    let mut held: BTreeSet<String> = BTreeSet::new();
    for column in &contract.columns {
        // One that is read and replaced has its name a second time.
        if !column.hidden || made.iter().all(|made| made.name != column.name) {
            held.insert(column.name.clone());
        }
    }
    for column in made {
        if held.insert(column.name.clone()) {
            contract.columns.push(column.clone());
        }
    }
    if live.is_none() {
        contract.partition_by = partition_by;
    }
}

/// Refuses a contract of more columns than a table may have, derived ones among them.
///
/// # Errors
/// Fault `limit`, code `too_many_columns`.
pub fn check_width(contract: &Contract, most: usize) -> Result<(), Failure> {
    let (table, columns) = (&contract.table, contract.columns.len());
    if columns <= most {
        return Ok(());
    }
    let what = format!("table `{table}` would have {columns} columns, limits.columns is {most}");
    Err(Failure::limit(Code::TooManyColumns, what).hint("are ids or dates used as keys? declare the columns you want with mode = \"discard\", or raise limits.columns"))
}

/// Arrays that any table explodes: they are no JSON columns elsewhere.
fn exploded(spec: &Spec, no_spec: bool) -> BTreeSet<String> {
    if no_spec {
        return BTreeSet::new();
    }
    tree(spec.tables.iter().filter_map(Table::rows_pointer))
}

/// Collects the paths that can be columns, in document order.
struct Walk<'a> {
    learned: &'a Learned,
    table: &'a Table,
    rows: Option<&'a str>,
    exploded: BTreeSet<String>,
    claims: &'a Claims,
    shape: Shape,
    paths: Vec<Path>,
    warnings: Vec<Warning>,
}

impl Walk<'_> {
    fn object(&mut self, node: u32, pointer: &mut String) {
        let learned = self.learned;
        let is_rest = self.shape.rests.contains_key(&node);
        for (key, child) in learned.children(node) {
            let len = pointer.len();
            pointer_push(pointer, &String::from_utf8_lossy(key));
            let path = pointer.as_str();
            if !is_rest || self.claims.columns.contains(path) || self.claims.objects.contains(path) {
                self.value(child, pointer);
            }
            pointer.truncate(len);
        }
    }

    fn value(&mut self, node: u32, pointer: &mut String) {
        let learned = self.learned;
        let here = &learned.nodes[node as usize];
        // What is settled comes first: one record with another shape must not change it.
        if self.rows == Some(pointer.as_str()) {
            if let Some(element) = here.element {
                let len = pointer.len();
                pointer.push_str("/*");
                self.element(element, pointer);
                pointer.truncate(len);
            }
            return;
        }
        if self.exploded.contains(pointer.as_str()) {
            return;
        }
        let is_column = self.claims.columns.contains(pointer.as_str());
        let is_object = self.claims.objects.contains(pointer.as_str());
        if is_column || is_object {
            if is_column {
                self.push(node, pointer);
            }
            if is_object {
                self.object(node, pointer);
            }
            return;
        }
        match self.shape.json.get(&node) {
            Some(&why) => {
                self.warnings.push(shape::warning(pointer, why, self.table.most_keys()));
                self.push(node, pointer);
            }
            None if here.kinds.any(Kinds::OBJECT) => self.object(node, pointer),
            None => self.push(node, pointer),
        }
    }

    /// The elements that make rows: objects, or values of one column.
    fn element(&mut self, node: u32, pointer: &mut String) {
        let kinds = self.learned.nodes[node as usize].kinds;
        let is_object = kinds.any(Kinds::OBJECT) || self.claims.objects.contains(pointer.as_str());
        if self.claims.columns.contains(pointer.as_str()) || (!is_object && !kinds.is_empty()) {
            self.push(node, pointer);
        }
        if !is_object {
            return;
        }
        if !kinds.without(Kinds::OBJECT.join(Kinds::NULL)).is_empty() {
            self.warnings.push(Warning::new(
                "object_and_scalar",
                format!("{pointer} is an object in some elements and not in others: the others' records are rejected"),
            ));
        }
        self.object(node, pointer);
    }

    fn push(&mut self, node: u32, pointer: &str) {
        let node = &self.learned.nodes[node as usize];
        self.paths.push(Path { pointer: pointer.to_owned(), kinds: node.kinds, digits: node.digits });
    }
}

fn add_declared(contract: &mut Contract, table: &Table, pointers: &[String], intent: Intent, paths: &[Path]) {
    let held: BTreeSet<String> = tree(contract.columns.iter().map(|c| c.name.clone()));
    let nulls: BTreeSet<String> = tree(contract.nulls.iter().map(|(name, _)| name.clone()));
    let met: BTreeMap<&str, &Path> = tree(paths.iter().map(|p| (p.pointer.as_str(), p)));
    let mut typed = BTreeSet::new();
    for (declared, pointer) in table.columns.iter().zip(pointers) {
        if held.contains(&declared.name) {
            continue;
        }
        let learned = || intent.type_of(met.get(pointer.as_str())?, table);
        match declared.ty.map(|t| t.0).or_else(learned) {
            Some(ty) => {
                typed.insert(declared.name.as_str());
                contract.columns.push(ContractColumn {
                    name: declared.name.clone(),
                    ty,
                    origin: Origin::Pointer(pointer.clone()),
                    hidden: declared.is_hidden() || table.replaces(&declared.name),
                });
            }
            None if nulls.contains(&declared.name) => {}
            None => contract.nulls.push((declared.name.clone(), pointer.clone())),
        }
    }
    contract.nulls.retain(|(name, _)| !typed.contains(name.as_str()));
}

/// Paths that a table takes in by itself.
struct Newcomers<'a> {
    table: &'a Table,
    intent: Intent,
    is_live: bool,
    /// Where its declared columns come from.
    declared: &'a [String],
    /// All that was met.
    paths: &'a [Path],
}

impl Newcomers<'_> {
    fn add(&self, contract: &mut Contract, warnings: &mut Vec<Warning>) {
        let agreed: BTreeSet<&str> = tree(contract.columns.iter().filter_map(|c| c.origin.pointer()));
        let declared: BTreeSet<&String> = tree(self.declared.iter());
        let is_new =
            |path: &&Path| !agreed.contains(path.pointer.as_str()) && !declared.contains(&path.pointer);
        let mut new: Vec<&Path> = self.paths.iter().filter(is_new).collect();
        if self.is_live {
            new.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        }
        let known: BTreeMap<String, String> =
            tree(contract.nulls.iter().map(|(name, pointer)| (pointer.clone(), name.clone())));
        let unnamed: Vec<String> =
            new.iter().filter(|p| !known.contains_key(&p.pointer)).map(|p| p.pointer.clone()).collect();
        let naming = if self.intent.no_spec { Naming::Leaf } else { self.table.names };
        let (chosen, renamed) =
            names::choose(&unnamed, contract.rows.as_deref(), naming, &held_names(contract, self.table));
        for clash in renamed {
            warnings.push(Warning::new(
                "name_clash",
                format!("{} is named `{}`: its plain name is another column's", clash.pointer, clash.name),
            ));
        }
        let mut chosen = chosen.into_iter();
        let mut typed = BTreeSet::new();
        let mut moments = Moments::default();
        let (table, rows) = (contract.table.clone(), contract.rows.clone());
        for path in new {
            let held = known.get(&path.pointer);
            let name = held.cloned().or_else(|| chosen.next()).unwrap_or_default();
            match self.intent.type_of(path, self.table) {
                Some(ty) => {
                    let from = text::path(&path.pointer, rows.as_deref());
                    let at = At { table: &table, column: &name, from };
                    doubts::of_values(&at, path, ty, self.intent, warnings);
                    moments.note(&at, path, ty);
                    typed.insert(&path.pointer);
                    let origin = Origin::Pointer(path.pointer.clone());
                    let hidden = self.table.replaces(&name);
                    contract.columns.push(ContractColumn { name, ty, origin, hidden });
                }
                None if held.is_none() => contract.nulls.push((name, path.pointer.clone())),
                None => {}
            }
        }
        contract.nulls.retain(|(_, pointer)| !typed.contains(pointer));
        if self.intent.no_spec && !self.intent.propose && !self.is_live {
            warnings.extend(moments.warning());
        }
    }
}

/// Columns for the new keys of objects that have enough of them.
fn add_rests<'a>(
    contract: &mut Contract,
    table: &Table,
    rests: impl Iterator<Item = &'a String>,
    warnings: &mut Vec<Warning>,
) {
    let mut rests: Vec<&String> = rests.collect();
    rests.sort();
    for pointer in rests {
        if contract.columns.iter().any(|column| column.origin == Origin::Rest(pointer.clone())) {
            continue;
        }
        let path = [format!("{pointer}/rest")];
        let (names, _) =
            names::choose(&path, contract.rows.as_deref(), Naming::Path, &held_names(contract, table));
        let name = names.into_iter().next().unwrap_or_default();
        warnings.push(shape::rest_warning(pointer, &name, table.most_keys()));
        let (ty, origin) = (ColumnType::Json, Origin::Rest(pointer.clone()));
        contract.columns.push(ContractColumn { name, ty, origin, hidden: false });
    }
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
    tree(
        columns
            .chain(nulls)
            .chain(declared)
            .chain(table.derives.iter().map(|d| d.name.clone()).filter(|name| !table.replaces(name)))
            .chain(aliases),
    )
}
