//! What a spec and a live contract have settled of a table's columns, before anything is learned.

use std::collections::BTreeSet;

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
        let mut columns: BTreeSet<String> = declared.iter().cloned().collect();
        for column in live.iter().flat_map(|live| &live.columns) {
            if let Origin::Pointer(pointer) = &column.origin {
                columns.insert(pointer.clone());
            }
        }
        let above = |pointer: &String| -> Vec<String> {
            pointer.match_indices('/').skip(1).map(|(at, _)| pointer[..at].to_owned()).collect()
        };
        let rows = rows.map(str::to_owned);
        let told: BTreeSet<String> = declared.iter().chain(&rows).flat_map(above).collect();
        let objects: BTreeSet<String> = columns.iter().chain(&rows).flat_map(above).collect();
        let agreed = objects.difference(&told).cloned().collect();
        let rest = |column: &ContractColumn| match &column.origin {
            Origin::Rest(pointer) => Some(pointer.clone()),
            _ => None,
        };
        let rests = live.iter().flat_map(|live| &live.columns).filter_map(rest).collect();
        Self { columns, objects, agreed, rests }
    }
}

/// Where the declared columns of a table come from, in their order.
pub(super) fn pointers(
    table: &Table,
    rows: Option<&str>,
    live: Option<&Contract>,
    learned: &Learned,
) -> Vec<String> {
    table.columns.iter().map(|column| pointer(column, rows, live, learned)).collect()
}

/// The pointer of a declared column. One that the contract has stays; else a bare path means the key that is there
/// to the letter, and if there is none, the one key that the naming rule makes the same.
fn pointer(
    column: &DeclaredColumn,
    rows: Option<&str>,
    live: Option<&Contract>,
    learned: &Learned,
) -> String {
    let told = column_pointer(column.path(), rows);
    if let Some(held) = live.and_then(|live| held(live, column, &told)) {
        return held.to_owned();
    }
    if !is_bare(column.path()) {
        return told;
    }
    met(learned, &told, rows).unwrap_or(told)
}

/// The pointer that a contract has for a column, where it is the one that the spec says.
fn held<'a>(live: &'a Contract, column: &DeclaredColumn, told: &str) -> Option<&'a str> {
    let held =
        live.columns.iter().find(|held| held.name == column.name).and_then(|held| held.origin.pointer());
    let null = live.nulls.iter().find(|(name, _)| name == &column.name).map(|(_, pointer)| pointer.as_str());
    held.or(null).filter(|held| means(column, told, held))
}

/// Whether a declared column, at the pointer `told`, may be the one that is read from `held`.
pub(super) fn means(column: &DeclaredColumn, told: &str, held: &str) -> bool {
    told == held || (is_bare(column.path()) && same_plainly(told, held))
}

/// The path that was met for a bare one.
fn met(learned: &Learned, told: &str, rows: Option<&str>) -> Option<String> {
    let elements = rows.map(|rows| pointer_keys(rows).len());
    let (mut node, mut pointer) = (0, String::new());
    for (level, key) in pointer_keys(told).iter().enumerate() {
        if key == "*" && Some(level) == elements {
            node = learned.nodes[node as usize].element?;
            pointer.push_str("/*");
            continue;
        }
        let children = learned.children(node);
        let exact = children.iter().find(|(found, _)| *found == key.as_bytes());
        let plain = plain_name(key);
        let mut alike = children
            .iter()
            .filter(|(found, _)| str::from_utf8(found).is_ok_and(|found| plain_name(found) == plain));
        let (found, child) = match (exact, alike.next(), alike.next()) {
            (Some(exact), ..) => exact,
            (None, Some(one), None) => one,
            _ => return None,
        };
        pointer_push(&mut pointer, &String::from_utf8_lossy(found));
        node = *child;
    }
    Some(pointer)
}
