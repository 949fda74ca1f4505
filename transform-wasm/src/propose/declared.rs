//! What a spec and a live contract have settled of a table's columns, before anything is learned.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::tree;

use crate::contract::{Contract, ContractColumn, Origin};
use crate::learn::Learned;
use crate::names::{column_pointer, is_bare, plain_name, pointer_keys, pointer_push, same_plainly};
use crate::spec::{DeclaredColumn, Table};

/// Paths that keep their shape, whatever else came.
pub(super) struct Claims {
    /// Paths that are columns: nothing below them is learned.
    pub(super) columns: BTreeSet<String>,
    /// Paths above columns: objects, never columns themselves.
    pub(super) objects: BTreeSet<String>,
    /// Those of them that a live contract alone has: they are not to grow without end.
    pub(super) agreed: BTreeSet<String>,
    /// Objects that have a column for the rest of their keys.
    pub(super) rests: BTreeSet<String>,
}

impl Claims {
    /// Of the spec's columns at `declared`, and of a live contract.
    pub(super) fn new(declared: &[String], rows: Option<&str>, live: Option<&Contract>) -> Self {
        let mut columns: BTreeSet<String> = tree(declared.iter().cloned());
        for column in live.iter().flat_map(|live| &live.columns) {
            if let Origin::Pointer(pointer) = &column.origin {
                columns.insert(pointer.clone());
            }
        }
        let above = |pointer: &String| -> Vec<String> {
            pointer.match_indices('/').skip(1).map(|(at, _)| pointer[..at].to_owned()).collect()
        };
        let rows = rows.map(str::to_owned);
        let told: BTreeSet<String> = tree(declared.iter().chain(&rows).flat_map(above));
        let objects: BTreeSet<String> = tree(columns.iter().chain(&rows).flat_map(above));
        let agreed = tree(objects.difference(&told).cloned());
        let rest = |column: &ContractColumn| match &column.origin {
            Origin::Rest(pointer) => Some(pointer.clone()),
            _ => None,
        };
        let rests = tree(live.iter().flat_map(|live| &live.columns).filter_map(rest));
        Self { columns, objects, agreed, rests }
    }
}

impl Claims {
    /// How many columns there are below an object; those of rows in it are none of its own.
    pub(super) fn below(&self, object: &str) -> usize {
        let first = format!("{object}/");
        let all = self.columns.range(first.clone()..).map_while(|pointer| pointer.strip_prefix(&first));
        all.filter(|rest| rest.split('/').all(|key| key != "*")).count()
    }
}

/// Where the declared columns of a table come from, in their order. One that the contract has stays; else a bare path
/// means the key that is there to the letter, and if there is none, the one key that the naming rule makes the same.
pub(super) fn pointers(
    table: &Table,
    rows: Option<&str>,
    live: Option<&Contract>,
    learned: &Learned,
) -> Vec<String> {
    let mut held: BTreeMap<&str, &str> = BTreeMap::new();
    for column in live.iter().flat_map(|live| &live.columns) {
        if let Some(pointer) = column.origin.pointer() {
            held.entry(&column.name).or_insert(pointer);
        }
    }
    for (name, pointer) in live.iter().flat_map(|live| &live.nulls) {
        held.entry(name).or_insert(pointer);
    }
    let mut met =
        Met { learned, elements: rows.map(|rows| pointer_keys(rows).len()), plain: BTreeMap::new() };
    let mut pointer = |column: &DeclaredColumn| {
        let told = column_pointer(column.path(), rows);
        match held.get(column.name.as_str()) {
            Some(held) if means(column, &told, held) => (*held).to_owned(),
            _ if is_bare(column.path()) => met.path(&told).unwrap_or(told),
            _ => told,
        }
    };
    table.columns.iter().map(&mut pointer).collect()
}

/// Whether a declared column, at the pointer `told`, may be the one that is read from `held`.
pub(super) fn means(column: &DeclaredColumn, told: &str, held: &str) -> bool {
    told == held || (is_bare(column.path()) && same_plainly(told, held))
}

/// What was met, for bare paths.
struct Met<'a> {
    learned: &'a Learned,
    /// Level of the elements that make rows.
    elements: Option<usize>,
    /// Keys of the nodes that were looked at, by what the naming rule makes of them; none where several are one then.
    plain: BTreeMap<u32, BTreeMap<String, Option<(String, u32)>>>,
}

impl Met<'_> {
    /// The path that was met for a bare one.
    fn path(&mut self, told: &str) -> Option<String> {
        let (mut node, mut pointer) = (0, String::new());
        for (level, key) in pointer_keys(told).iter().enumerate() {
            if key == "*" && Some(level) == self.elements {
                node = self.learned.nodes[node as usize].element?;
                pointer.push_str("/*");
                continue;
            }
            let exact = self.learned.nodes[node as usize].keys.find(key.as_bytes());
            let (found, child) = match exact.filter(|&child| self.learned.is_seen(child)) {
                Some(child) => (key.clone(), child),
                None => self.alike(node).get(&plain_name(key)).cloned().flatten()?,
            };
            pointer_push(&mut pointer, &found);
            node = child;
        }
        Some(pointer)
    }

    fn alike(&mut self, node: u32) -> &BTreeMap<String, Option<(String, u32)>> {
        let learned = self.learned;
        self.plain.entry(node).or_insert_with(|| {
            let mut plain = BTreeMap::new();
            for (key, child) in learned.children(node) {
                let key = String::from_utf8_lossy(key).into_owned();
                let one = Some((key.clone(), child));
                plain.entry(plain_name(&key)).and_modify(|several| *several = None).or_insert(one);
            }
            plain
        })
    }
}
