//! What of a record can still teach something: paths that are declared, and those that may yet become columns.
//!
//! For: the learner. The decision to know: where no table takes new paths, and below what is one column
//! whatever is in it, keys are only bytes. They cost no node and no limit, as under an agreed contract.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::tree;

use crate::contract::{Contract, Origin};
use crate::keys::Keys;
use crate::names::{column_pointer, is_bare, plain_name, pointer_keys};
use crate::spec::{DeclaredColumn, Mode, Table};

/// A place in the tree of what is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Everything below may become a column.
    Free,
    /// Nothing below can.
    Closed,
    /// What the node says.
    Node(u32),
}

#[derive(Debug, Default)]
struct Node {
    keys: Keys,
    /// Keys of bare paths, as the naming rule writes them.
    plain: BTreeMap<String, u32>,
    element: Option<u32>,
    /// The element makes rows.
    rows: bool,
    /// Tables that have a column here.
    columns: Vec<usize>,
    /// Texts that are null in every declared column here, where these say so.
    nulls: Option<Vec<String>>,
    /// Some table declares a column here.
    declared: bool,
    /// Tables that explode the array here.
    exploding: Vec<usize>,
    /// A column takes in what is not among these keys.
    has_rest: bool,
    /// Keys that are not among these may become columns too.
    free: bool,
}

impl Node {
    /// The child below a key, or below what the naming rule makes of it.
    fn find(&self, key: &[u8]) -> Option<u32> {
        let plain = || self.plain.get(&plain_name(str::from_utf8(key).ok()?)).copied();
        self.keys.find(key).or_else(|| if self.plain.is_empty() { None } else { plain() })
    }
}

/// Declared and live columns of all tables, in one tree; node 0 is the record.
#[derive(Debug)]
pub struct Scope {
    nodes: Vec<Node>,
    /// Elements of every array may become rows.
    any_array: bool,
}

impl Scope {
    /// Of tables and their live contracts; `no_spec`: the one table takes what there is, rows included.
    pub fn new(tables: &[Table], live: &[Option<Contract>], no_spec: bool) -> Self {
        let any_array = no_spec && live.iter().all(Option::is_none);
        let mut scope = Self { nodes: vec![Node::default()], any_array };
        for (number, (table, live)) in tables.iter().zip(live).enumerate() {
            let rows = match live {
                Some(live) => live.rows.clone(),
                None => table.rows_pointer(),
            };
            let rows_keys = rows.as_deref().map(pointer_keys);
            if let Some(keys) = &rows_keys {
                let array = scope.insert(keys, None, false);
                scope.element(array);
                scope.nodes[array as usize].rows = true;
                scope.nodes[array as usize].exploding.push(number);
            }
            let declared: Vec<(String, bool)> = table
                .columns
                .iter()
                .map(|c| (column_pointer(c.path(), rows.as_deref()), is_bare(c.path())))
                .collect();
            for (column, (pointer, bare)) in table.columns.iter().zip(&declared) {
                let node = scope.insert(&pointer_keys(pointer), rows_keys.as_deref(), *bare);
                scope.add_nulls(node, column);
            }
            let held = live.iter().flat_map(|live| &live.columns).filter_map(|column| match &column.origin {
                Origin::Pointer(pointer) => Some((pointer.clone(), false)),
                Origin::Rest(_) | Origin::Rescued | Origin::Sql(_) | Origin::Transform(_) => None,
            });
            for (pointer, bare) in declared.into_iter().chain(held) {
                let node = scope.insert(&pointer_keys(&pointer), rows_keys.as_deref(), bare);
                scope.nodes[node as usize].columns.push(number);
            }
            for column in live.iter().flat_map(|live| &live.columns) {
                if let Origin::Rest(pointer) = &column.origin {
                    let node = scope.insert(&pointer_keys(pointer), rows_keys.as_deref(), false);
                    scope.nodes[node as usize].has_rest = true;
                }
            }
        }
        let evolving = tables.iter().enumerate().filter(|(_, table)| table.mode == Mode::Evolve);
        scope.settle(0, &mut tree(evolving.map(|(number, _)| number)));
        scope
    }

    /// The record.
    pub fn root(&self) -> At {
        self.at(0)
    }

    /// Whether keys below that nobody declared may become columns.
    pub fn is_free(&self, at: At) -> bool {
        match at {
            At::Free => true,
            At::Closed => false,
            At::Node(node) => self.nodes[node as usize].free,
        }
    }

    /// Whether a key is declared, or above one that is.
    pub fn has(&self, at: At, key: &[u8]) -> bool {
        matches!(at, At::Node(node) if self.nodes[node as usize].find(key).is_some())
    }

    /// Whether the elements of the array here make rows.
    pub fn is_rows(&self, at: At) -> bool {
        matches!(at, At::Node(node) if self.nodes[node as usize].rows)
    }

    /// Texts that are null below a key, instead of those of the input; none where nobody declared any.
    pub fn nulls(&self, at: At, key: &[u8]) -> Option<&[String]> {
        let At::Node(node) = at else { return None };
        let child = self.nodes[node as usize].find(key)?;
        self.nodes[child as usize].nulls.as_deref()
    }

    /// Whether the elements of an array are declared, or rows.
    pub fn has_element(&self, at: At) -> bool {
        matches!(at, At::Node(node) if self.nodes[node as usize].element.is_some())
    }

    /// The place below a key.
    pub fn child(&self, at: At, key: &[u8]) -> At {
        let At::Node(node) = at else { return at };
        let node = &self.nodes[node as usize];
        match node.find(key) {
            Some(child) => self.at(child),
            None if node.free => At::Free,
            None => At::Closed,
        }
    }

    /// The place of an array's elements.
    pub fn element_of(&self, at: At) -> At {
        let element = match at {
            At::Node(node) => self.nodes[node as usize].element,
            At::Free | At::Closed => None,
        };
        match element {
            Some(element) => self.at(element),
            None if self.any_array => at,
            None => At::Closed,
        }
    }

    fn at(&self, node: u32) -> At {
        let Node { keys, element, free, .. } = &self.nodes[node as usize];
        match (keys.is_empty() && element.is_none(), free) {
            (true, true) => At::Free,
            (true, false) => At::Closed,
            (false, _) => At::Node(node),
        }
    }

    /// The node of a path, made with all above it; `*` below the exploded array is its element.
    /// `bare`: keys of records match it through the naming rule too.
    fn insert(&mut self, keys: &[String], rows: Option<&[String]>, bare: bool) -> u32 {
        let mut node = 0;
        for (number, key) in keys.iter().enumerate() {
            let before = node;
            let is_element = key == "*" && rows.is_some_and(|rows| rows == &keys[..number]);
            node = match self.nodes[node as usize].keys.find(key.as_bytes()) {
                _ if is_element => self.element(node),
                Some(child) => child,
                None => {
                    let child = self.add();
                    self.nodes[node as usize].keys.insert(key.as_bytes(), child);
                    child
                }
            };
            if bare && !is_element {
                self.nodes[before as usize].plain.entry(plain_name(key)).or_insert(node);
            }
        }
        node
    }

    /// A path may be declared by several tables: a text is null here if none of them keeps it.
    fn add_nulls(&mut self, node: u32, column: &DeclaredColumn) {
        let node = &mut self.nodes[node as usize];
        let own = column.null_values.clone();
        node.nulls = match (std::mem::take(&mut node.declared), own, node.nulls.take()) {
            (false, own, _) => own,
            (true, Some(own), Some(before)) => {
                Some(own.into_iter().filter(|text| before.contains(text)).collect())
            }
            // One of them goes by the input.
            (true, ..) => None,
        };
        node.declared = true;
    }

    fn element(&mut self, node: u32) -> u32 {
        if let Some(element) = self.nodes[node as usize].element {
            return element;
        }
        let element = self.add();
        self.nodes[node as usize].element = Some(element);
        element
    }

    fn add(&mut self) -> u32 {
        self.nodes.push(Node::default());
        self.nodes.len() as u32 - 1
    }

    /// Finds out what is free; `evolving` are the tables that may get new columns here.
    fn settle(&mut self, node: u32, evolving: &mut BTreeSet<usize>) {
        let Node { columns, exploding, .. } = &mut self.nodes[node as usize];
        let (columns, exploding) = (std::mem::take(columns), std::mem::take(exploding));
        // The elements are the rows of those tables that explode them, and of no other.
        let mut of_rows: BTreeSet<usize> = tree(exploding.into_iter().filter(|t| evolving.contains(t)));
        let closed: Vec<usize> = columns.into_iter().filter(|table| evolving.remove(table)).collect();
        self.nodes[node as usize].free = !evolving.is_empty() && !self.nodes[node as usize].has_rest;
        let children: Vec<u32> = self.nodes[node as usize].keys.iter().map(|(_, child)| child).collect();
        for child in children {
            self.settle(child, evolving);
        }
        if let Some(element) = self.nodes[node as usize].element {
            self.settle(element, &mut of_rows);
        }
        evolving.extend(closed);
    }
}
