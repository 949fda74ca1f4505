//! The shape of a table: which paths of a record become columns of their own, and which one JSON column.
//!
//! The decision to know: it follows from the *set* of paths alone. A rule that counted records would give the
//! same feed another shape from one day to the next. What a spec or a live contract has settled stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::fix::quote;

use crate::learn::{Kinds, Learned};
use crate::names::{dotted, pointer_push};
use crate::report::{Edit, Warning};
use crate::spec::Table;

use super::declared::Claims;
use super::keys::is_data;

/// Why an object is one JSON column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Some records have another kind of value there.
    Mixed,
    /// A key looks like an id or a date.
    Keys,
    /// It would make too many columns.
    Many,
    /// It lies deeper than `flatten_depth`.
    Deep,
}

/// Objects that are not flattened, or not wholly, by node.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// They are one JSON column each.
    pub(super) json: BTreeMap<u32, Why>,
    /// Their new keys are one JSON column together: the pointer of each.
    pub(super) rests: BTreeMap<u32, String>,
}

/// Decides for all objects of a record.
pub(super) fn shape(
    learned: &Learned,
    table: &Table,
    rows: Option<&str>,
    exploded: &BTreeSet<String>,
    claims: &Claims,
) -> Shape {
    let depth = table.flatten_depth.unwrap_or(usize::MAX);
    let shape = Shape::default();
    let mut measure = Measure { learned, rows, exploded, claims, depth, most: table.most_keys(), shape };
    measure.object(0, &mut String::new(), 0);
    measure.shape
}

struct Measure<'a> {
    learned: &'a Learned,
    rows: Option<&'a str>,
    exploded: &'a BTreeSet<String>,
    claims: &'a Claims,
    depth: usize,
    most: usize,
    shape: Shape,
}

impl Measure<'_> {
    /// Columns that the keys of an object make; its own level is `level`.
    fn object(&mut self, node: u32, pointer: &mut String, level: usize) -> usize {
        let learned = self.learned;
        let mut columns = 0;
        for (key, child) in learned.children(node) {
            let len = pointer.len();
            pointer_push(pointer, &String::from_utf8_lossy(key));
            columns += self.value(child, pointer, level + 1);
            pointer.truncate(len);
        }
        columns
    }

    fn value(&mut self, node: u32, pointer: &mut String, level: usize) -> usize {
        let learned = self.learned;
        if self.rows == Some(pointer.as_str()) {
            if let Some(element) = learned.nodes[node as usize].element {
                let len = pointer.len();
                pointer.push_str("/*");
                // Its keys are columns of rows, as the record's are.
                self.object(element, pointer, 0);
                pointer.truncate(len);
            }
            return 0;
        }
        let is_column = self.claims.columns.contains(pointer.as_str());
        let is_object = self.claims.objects.contains(pointer.as_str());
        if is_column || is_object || self.exploded.contains(pointer.as_str()) {
            // What is there already is counted where it is agreed: this input need not have all of it.
            return if is_object { self.agreed(node, pointer, level) } else { 0 };
        }
        if !learned.nodes[node as usize].kinds.any(Kinds::OBJECT) {
            return 1;
        }
        match self.columns_of(node, pointer, level) {
            // An object that is always empty counts too: what is counted is never less than its keys.
            Ok(columns) => columns.max(1),
            Err(why) => {
                self.shape.json.insert(node, why);
                1
            }
        }
    }

    /// New columns of an object that is flattened already.
    fn agreed(&mut self, node: u32, pointer: &mut String, level: usize) -> usize {
        let columns = self.object(node, pointer, level);
        let held = self.claims.below(pointer);
        let mut new = Vec::new();
        for (key, _) in self.learned.children(node) {
            let mut path = pointer.clone();
            pointer_push(&mut path, &String::from_utf8_lossy(key));
            if !self.claims.columns.contains(&path) && !self.claims.objects.contains(&path) {
                new.push(key);
            }
        }
        let is_rest = self.claims.rests.contains(pointer.as_str())
            || (self.claims.agreed.contains(pointer.as_str())
                && (held + columns > self.most || new.iter().any(|key| is_data(key))));
        if is_rest && !new.is_empty() {
            self.shape.rests.insert(node, pointer.clone());
        }
        columns
    }

    /// Columns that an object makes, or why it is one itself.
    fn columns_of(&mut self, node: u32, pointer: &mut String, level: usize) -> Result<usize, Why> {
        let learned = self.learned;
        let others = learned.nodes[node as usize].kinds.without(Kinds::OBJECT.join(Kinds::NULL));
        if !others.is_empty() {
            return Err(Why::Mixed);
        }
        if learned.children(node).iter().any(|(key, _)| is_data(key)) {
            return Err(Why::Keys);
        }
        if level >= self.depth {
            return Err(Why::Deep);
        }
        let columns = self.object(node, pointer, level);
        if columns > self.most { Err(Why::Many) } else { Ok(columns) }
    }
}

/// What a person should know of an object that is one JSON column.
pub(super) fn warning(pointer: &str, why: Why, most: usize) -> Warning {
    match why {
        Why::Mixed => Warning::new(
            "mixed_shapes",
            format!("{pointer} is an object in some records and not in others: it becomes one JSON column"),
        ),
        Why::Keys => Warning::new(
            "keys_are_data",
            format!("{pointer} has keys that look like ids or dates: it becomes one JSON column"),
        ),
        Why::Many => Warning::new(
            "many_keys",
            format!(
                "{pointer} would make more columns than flatten_keys = {most}: it becomes one JSON \
                 column; declare a column below it to have all of them"
            ),
        ),
        Why::Deep => Warning::new(
            "deep_object",
            format!("{pointer} lies deeper than flatten_depth: it becomes one JSON column"),
        ),
    }
}

/// What a person should know of new keys that share a column.
pub(super) fn rest_warning(pointer: &str, name: &str, most: usize) -> Warning {
    let message = format!(
        "{pointer} has more keys than flatten_keys = {most} or such as look like ids: its new ones go into the JSON \
         column `{name}` together"
    );
    Warning::new("keys_in_rest", message)
}

/// Arrays that a warning names.
const NAMED: usize = 5;

/// The array that makes rows where nobody says which: the one array of objects of the record, if it is a direct
/// child and nothing beside it is as deep. `told`: the choice is worth a word.
pub(super) fn only_array(
    learned: &Learned,
    table: &str,
    told: bool,
    warnings: &mut Vec<Warning>,
) -> Option<String> {
    let rows = |pointer: &str| Edit::table(table, "rows", quote(&dotted(pointer)));
    let mut found = Vec::new();
    find_arrays(learned, 0, &mut String::new(), &mut found);
    let choices = || {
        let more = if found.len() > NAMED { " and others" } else { "" };
        let named: Vec<&str> = found.iter().take(NAMED).map(|(pointer, _)| pointer.as_str()).collect();
        format!("{}{more}", named.join(", "))
    };
    let [(pointer, array)] = found.as_slice() else {
        if found.len() > 1 {
            let choices = choices();
            let warning = Warning::new(
                "several_arrays",
                format!(
                    "several arrays could make rows ({choices}): none does, they stay JSON text; choose one with rows in a spec"
                ),
            );
            let named = found.iter().take(NAMED);
            warnings.push(named.fold(warning, |warning, (pointer, _)| warning.fixed_by([rows(pointer)])));
        }
        return None;
    };
    let kept = |why: String| {
        let message = format!(
            "{pointer} could make rows, but {why}: it stays JSON text; choose it with rows in a spec"
        );
        Warning::new("array_kept", message).fixed_by([rows(pointer)])
    };
    let children = learned.children(0);
    if !children.iter().any(|(_, child)| child == array) {
        warnings.push(kept("it is not directly in the record".to_owned()));
        return None;
    }
    let elements = learned.nodes[*array as usize].element.map_or(0, |element| levels(learned, element));
    if let Some((key, _)) = children.iter().find(|(_, child)| levels(learned, *child) > elements) {
        let mut deeper = String::new();
        pointer_push(&mut deeper, &String::from_utf8_lossy(key));
        warnings.push(kept(format!("{deeper} is nested more deeply than its elements")));
        return None;
    }
    if told {
        let message = format!(
            "{pointer} makes one row per element: it is the one array of objects, directly in the record, and \
             nothing beside it is nested more deeply"
        );
        warnings.push(Warning::new("exploded", message));
    }
    Some(pointer.clone())
}

/// Arrays whose elements are objects wherever they are there, outside other arrays.
fn find_arrays(learned: &Learned, node: u32, pointer: &mut String, found: &mut Vec<(String, u32)>) {
    for (key, child) in learned.children(node) {
        let len = pointer.len();
        pointer_push(pointer, &String::from_utf8_lossy(key));
        let kinds = learned.nodes[child as usize].kinds;
        let array = Kinds(Kinds::ARRAY.0 | Kinds::ARRAY_OF_OBJECTS.0 | Kinds::NULL.0);
        if kinds.any(Kinds::OBJECT) {
            find_arrays(learned, child, pointer, found);
        } else if kinds.any(Kinds::ARRAY_OF_OBJECTS) && kinds.without(array).is_empty() {
            found.push((pointer.clone(), child));
        }
        pointer.truncate(len);
    }
}

/// Levels of objects from a value down: none for a scalar or an array.
fn levels(learned: &Learned, node: u32) -> usize {
    if !learned.nodes[node as usize].kinds.any(Kinds::OBJECT) {
        return 0;
    }
    1 + learned.children(node).iter().map(|(_, child)| levels(learned, *child)).max().unwrap_or(0)
}
