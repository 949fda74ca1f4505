//! Forms of records that a spec would name, as far as the paths that were met show them.
//!
//! The decision to know: a hint, never a guess that is acted upon; what a record is stays as it is until a spec says so.

use lakegate_model::fix::quote;

use crate::conventions;
use crate::learn::{Kinds, Learned};
use crate::names::{dotted, pointer_push};
use crate::report::{Edit, Warning};
use crate::spec::Input;

/// Members of an object that may be records: fewer could be parts of one.
const MEMBERS: usize = 3;

/// What is worth a word of the `count` records that were met.
pub fn of_records(input: &Input, learned: &Learned, count: u64) -> Vec<Warning> {
    let mut warnings: Vec<Warning> =
        if input.conventions.is_empty() { of_values(learned) } else { Vec::new() };
    if count == 1 && input.records.is_none() && learned.records.is_none() {
        warnings.extend(of_named_rows(learned).or_else(|| of_members(learned)));
    }
    warnings
}

/// Values that are written by a convention.
fn of_values(learned: &Learned) -> Vec<Warning> {
    let shown = |convention: &&'static conventions::Convention| {
        let why = (convention.shows)(learned)?;
        let name = convention.name;
        let message = format!(
            "{why}: with conventions = [\"{name}\"] in [input] the values are read as what they mean"
        );
        let list = format!("[{}]", quote(name));
        Some(Warning::new("value_convention", message).fixed_by([Edit::input("conventions", list)]))
    };
    conventions::ALL.iter().find_map(shown).into_iter().collect()
}

/// One record whose members are all alike: they may be the records, and their keys a column.
fn of_members(learned: &Learned) -> Option<Warning> {
    let members = learned.children(0);
    let keys = |node: u32| learned.children(node).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    let first = keys(members.first()?.1);
    let is_alike = |&(_, node): &(&[u8], u32)| {
        let others = learned.nodes[node as usize].kinds.without(Kinds::OBJECT);
        let keys = keys(node);
        others.is_empty() && keys.iter().any(|key| first.contains(key))
    };
    if members.len() < MEMBERS || !members.iter().all(is_alike) {
        return None;
    }
    let message = format!(
        "the input is one record of {} members that are alike: to read each as a record, its key in a column, set \
         records = \"*\" in [input]",
        members.len()
    );
    Some(Warning::new("records_are_members", message).fixed_by([Edit::input("records", quote("*"))]))
}

/// One record that has names on one side, and rows of values on the other.
fn of_named_rows(learned: &Learned) -> Option<Warning> {
    let mut names = None;
    let mut rows = None;
    let mut open = vec![(0, String::new())];
    while let Some((node, pointer)) = open.pop() {
        for (key, child) in learned.children(node).into_iter().rev() {
            let mut below = pointer.clone();
            pointer_push(&mut below, &String::from_utf8_lossy(key));
            let element = learned.nodes[child as usize].element;
            if let Some(element) = element.filter(|_| learned.nodes[child as usize].kinds.any(Kinds::ARRAY)) {
                let kinds = learned.nodes[element as usize].kinds.without(Kinds::NULL);
                let is_rows = kinds.any(Kinds::ARRAY) && kinds.without(Kinds::ARRAY).is_empty();
                if is_rows {
                    rows = rows.or(Some(below.clone()));
                } else if let Some(key) = name_of(learned, element).filter(|_| may_name(key)) {
                    names = names.or(Some(format!("{}{key}", dotted(&below))));
                }
            }
            open.push((child, below));
        }
    }
    let (names, rows) = (names?, dotted(&rows?));
    let message = format!(
        "the input is one record with names at {names} and arrays of values at {rows}: to read each array as a record, \
         set records = {} and columns_at = {} in [input]",
        quote(&rows),
        quote(&names)
    );
    let edits = [Edit::input("records", quote(&rows)), Edit::input("columns_at", quote(&names))];
    Some(Warning::new("named_rows", message).fixed_by(edits))
}

/// Whether an array under a key may be the names of columns.
fn may_name(key: &[u8]) -> bool {
    let key = String::from_utf8_lossy(key).to_lowercase();
    ["columns", "cols", "fields", "header", "headers", "names", "schema"].contains(&key.as_str())
}

/// What follows on the path of an array whose elements may be names; nothing where they are texts themselves.
fn name_of(learned: &Learned, element: u32) -> Option<&'static str> {
    let is_text = |node: u32| {
        let kinds = learned.nodes[node as usize].kinds;
        kinds.any(Kinds::TEXTS) && kinds.without(Kinds::TEXTS).is_empty()
    };
    if is_text(element) {
        return Some("");
    }
    let keys: [(&[u8], &str); 4] =
        [(b"fieldName", "[].fieldName"), (b"name", "[].name"), (b"field", "[].field"), (b"id", "[].id")];
    let found = |key: &[u8]| learned.children(element).into_iter().find(|(known, _)| *known == key);
    keys.into_iter().find(|(key, _)| found(key).is_some_and(|(_, node)| is_text(node))).map(|(_, path)| path)
}
