//! The plan: contracts compiled into one tree of paths, so that a walk knows at each key what to do.
//!
//! The decision to know: all tables share one tree. A path that any table knows is known; a path
//! that none knows is handled by the strictest mode among the tables it would concern.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_model::tree;

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin};
use crate::error::{Code, Failure};
use crate::json::NOWHERE;
use crate::keys::Keys;
use crate::limits::{POINTER_BYTES, UNKNOWN_KEY_BYTES};
use crate::names::{column_pointer, is_bare, plain_name, pointer_bytes, pointer_keys, pointer_push};
use crate::spec::{DeclaredColumn, Empty, Mask, Mode, Table};
use crate::value::TimeFormat;

use super::batch::Level;
use super::clean::Clean;
use super::rescue::may_stay;

/// Bytes of a node, about.
const NODE_BYTES: usize = 256;

/// Spellings of declared keys that an object's node remembers; others are looked at each time they come.
const ALIKE: usize = 64;

/// Where a value goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// Table, by its number in the plan.
    pub table: usize,
    /// Column, by its number in the table's batch.
    pub column: usize,
    /// The column's type.
    pub ty: ColumnType,
    /// Form of dates and timestamps.
    pub format: Option<TimeFormat>,
    /// Whether texts are read as numbers and booleans.
    pub cast: bool,
    /// Offset of zone-less timestamps, in milliseconds.
    pub tz_offset_ms: i64,
    /// How values are written, where the spec says so for the column.
    pub clean: Option<Box<Clean>>,
    /// A value that does not fit may stay beside its row.
    pub rescue: bool,
    /// What of its values may be seen.
    pub mask: Option<Mask>,
}

/// What the input says of values whose column does not.
#[derive(Clone, Copy, Debug)]
pub struct Usual {
    /// Offset of zone-less timestamps, in milliseconds.
    pub tz_offset_ms: i64,
    /// The decimal sign of texts.
    pub decimal: char,
}

/// One path.
#[derive(Clone, Debug)]
pub struct PlanNode {
    parent: u32,
    key: Box<[u8]>,
    /// Bytes of its pointer.
    bytes: usize,
    /// Keys below.
    pub keys: Keys,
    /// Positions in `keys` of those that bare paths of a spec name, by what the naming rule makes of them.
    named: BTreeMap<String, usize>,
    /// Keys of records that were found to mean one of these, and its position.
    alike: Keys,
    /// Columns that take the value.
    pub targets: Vec<Target>,
    /// Columns that take in what of the object no other has.
    pub rest: Vec<Target>,
    /// There is one, and it takes a text or number as it is.
    pub plain: bool,
    /// One of them has keys of its own for how values are written.
    pub cleaned: bool,
    /// One of them is masked: what is below may tell as much as the value.
    pub masked: bool,
    /// Tables that explode the array here, and the element's node.
    pub rows: Option<(Vec<usize>, u32)>,
    /// Columns are below.
    pub object: bool,
    /// Some contract knows it.
    pub known: bool,
    /// What happens to unknown paths here.
    pub mode: Mode,
}

/// One table of the plan.
#[derive(Clone, Debug)]
pub struct PlanTable {
    /// JSON pointer of the exploded array.
    pub rows: Option<String>,
    /// What an empty array does.
    pub empty: Empty,
    /// Types of the columns that are read from records.
    pub columns: Vec<ColumnType>,
    /// Names of the same columns.
    pub names: Vec<String>,
    /// JSON pointers of the same columns.
    pub pointers: Vec<String>,
    /// Levels of the same columns.
    pub levels: Vec<Level>,
}

/// Where a declared column is looked for.
#[derive(Clone, Debug)]
pub struct DeclaredPath {
    /// Table, by its number in the plan.
    pub table: usize,
    /// Name of the column.
    pub name: String,
    /// Its node.
    pub node: u32,
}

/// All tables and their tree of paths; node 0 is the record.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The paths.
    pub nodes: Vec<PlanNode>,
    /// The tables.
    pub tables: Vec<PlanTable>,
    /// Where the columns that the spec declares are looked for.
    pub declared: Vec<DeclaredPath>,
    /// Bytes that keys of unknown paths may still take.
    room: usize,
}

impl Plan {
    /// Compiles contracts; `tables[i]` is the spec of `contracts[i]`, `usual` what the input says.
    ///
    /// # Errors
    /// Fault `spec` for a date format that does not exist.
    pub fn new(tables: &[Table], contracts: &[Contract], usual: Usual) -> Result<Self, Failure> {
        let all: Vec<usize> = (0..tables.len()).collect();
        let mode = strictest(tables, &all);
        let room = UNKNOWN_KEY_BYTES;
        let mut plan = Self { nodes: Vec::new(), tables: Vec::new(), declared: Vec::new(), room };
        plan.nodes.push(PlanNode::new(0, b"", mode));
        plan.nodes[0].known = true;
        plan.nodes[0].object = true;
        for (t, contract) in contracts.iter().enumerate() {
            if let Some(rows) = &contract.rows {
                plan.add_rows(t, rows, tables);
            }
        }
        for (t, contract) in contracts.iter().enumerate() {
            plan.add_table(t, &tables[t], contract, usual)?;
        }
        for node in &mut plan.nodes {
            node.plain = matches!(&node.targets[..], [target] if target.is_plain());
            node.masked |= node.targets.iter().any(|target| target.mask.is_some());
            node.cleaned = node.targets.iter().any(|target| target.clean.is_some());
        }
        Ok(plan)
    }

    fn add_rows(&mut self, table: usize, pointer: &str, tables: &[Table]) {
        let node = self.path(&pointer_keys(pointer));
        let (mut who, element) = match self.nodes[node as usize].rows.take() {
            Some(rows) => rows,
            None => (Vec::new(), self.add(node, b"*", Mode::Evolve)),
        };
        who.push(table);
        self.nodes[element as usize].mode = strictest(tables, &who);
        self.nodes[element as usize].known = true;
        self.nodes[node as usize].rows = Some((who, element));
    }

    fn add_table(
        &mut self,
        table: usize,
        spec: &Table,
        contract: &Contract,
        usual: Usual,
    ) -> Result<(), Failure> {
        let mut plan = PlanTable {
            rows: contract.rows.clone(),
            empty: spec.empty,
            columns: Vec::new(),
            names: Vec::new(),
            pointers: Vec::new(),
            levels: Vec::new(),
        };
        let declared: BTreeMap<&str, &DeclaredColumn> =
            tree(spec.columns.iter().map(|column| (column.name.as_str(), column)));
        for column in &contract.columns {
            let (Origin::Pointer(pointer) | Origin::Rest(pointer)) = &column.origin else { continue };
            let inside = contract.rows.as_ref().is_none_or(|rows| below(pointer, rows));
            let declared = declared.get(column.name.as_str());
            let format = match declared.and_then(|c| c.format.as_deref()) {
                Some(format) => Some(TimeFormat::parse(format).map_err(|why| {
                    Failure::spec(Code::SpecInvalid, format!("the format of column `{}`: {why}", column.name))
                })?),
                None => None,
            };
            let clean = declared.and_then(|c| Clean::of(c, usual.decimal));
            let target = Target {
                table,
                column: plan.columns.len(),
                ty: column.ty,
                format,
                cast: declared.is_some_and(|c| c.cast) || clean.is_some(),
                tz_offset_ms: usual.tz_offset_ms,
                clean,
                rescue: may_stay(spec, contract, &column.name),
                mask: declared.and_then(|c| c.mask),
            };
            plan.columns.push(column.ty);
            plan.names.push(column.name.clone());
            plan.pointers.push(pointer.clone());
            plan.levels.push(if inside { Level::Row } else { Level::Record });
            let node = self.column_path(pointer, contract.rows.as_deref());
            if matches!(column.origin, Origin::Rest(_)) {
                self.nodes[node as usize].object = true;
                self.nodes[node as usize].rest.push(target);
                continue;
            }
            self.nodes[node as usize].targets.push(target);
            if let Some(declared) = declared {
                self.declare(table, declared, node);
            }
        }
        if contract.columns.iter().any(|column| matches!(column.origin, Origin::Rest(_))) {
            let held: BTreeSet<&String> = tree(plan.names.iter());
            for column in spec.columns.iter().filter(|column| !held.contains(&column.name)) {
                self.add_awaited(table, column, contract);
            }
        }
        self.tables.push(plan);
        Ok(())
    }

    /// A declared column that was only ever null is none yet. Its path is no rest of the object that it is in, and
    /// where it is masked, no part of one.
    fn add_awaited(&mut self, table: usize, column: &DeclaredColumn, contract: &Contract) {
        let rows = contract.rows.as_deref();
        let null = contract.nulls.iter().find(|(name, _)| *name == column.name);
        let pointer =
            null.map_or_else(|| column_pointer(column.path(), rows), |(_, pointer)| pointer.clone());
        let is_rest = |held: &ContractColumn| match &held.origin {
            Origin::Rest(object) => {
                pointer.strip_prefix(object.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }
            _ => false,
        };
        if !contract.columns.iter().any(is_rest) {
            return;
        }
        let before = self.nodes.len() as u32;
        let node = self.column_path(&pointer, rows);
        if node >= before {
            self.nodes[node as usize].known = false;
        }
        self.nodes[node as usize].masked |= column.mask.is_some();
        self.declare(table, column, node);
    }

    /// Remembers where a column that the spec declares is looked for, and what keys mean it.
    fn declare(&mut self, table: usize, column: &DeclaredColumn, node: u32) {
        self.declared.push(DeclaredPath { table, name: column.name.clone(), node });
        if !is_bare(column.path()) {
            return;
        }
        for at in self.way(node) {
            let (parent, key) = (self.nodes[at as usize].parent, self.nodes[at as usize].key.clone());
            let parent = &mut self.nodes[parent as usize];
            if let (Some(position), Ok(key)) = (parent.keys.position(&key), str::from_utf8(&key)) {
                parent.named.entry(plain_name(key)).or_insert(position);
            }
        }
    }

    /// A node and those above it that have a key, from the inside out; elements of arrays have none.
    pub fn way(&self, node: u32) -> Vec<u32> {
        let mut way = Vec::new();
        let mut at = node;
        while at != 0 {
            if !self.is_element(at) {
                way.push(at);
            }
            at = self.parent(at);
        }
        way
    }

    /// The position of a node's key among those of its parent; none of an array's element.
    pub fn position(&self, node: u32) -> Option<usize> {
        let PlanNode { parent, key, .. } = &self.nodes[node as usize];
        self.nodes[*parent as usize].keys.position(key)
    }

    /// The node above.
    pub fn parent(&self, node: u32) -> u32 {
        self.nodes[node as usize].parent
    }

    /// Whether a node is the element of an array that makes rows.
    pub fn is_element(&self, node: u32) -> bool {
        let array = &self.nodes[self.parent(node) as usize];
        array.rows.as_ref().is_some_and(|(_, element)| *element == node)
    }

    /// Whether any record had the key of a node.
    pub fn was_met(&self, node: u32) -> bool {
        let keys = &self.nodes[self.nodes[node as usize].parent as usize].keys;
        self.position(node).is_some_and(|position| keys.was_met(position))
    }

    /// The position of the declared key that a key means through the naming rule.
    pub fn alike(&mut self, node: u32, key: &[u8]) -> Option<usize> {
        let PlanNode { named, alike, .. } = self.nodes.get_mut(node as usize)?;
        if named.is_empty() {
            return None;
        }
        if let Some(position) = alike.find(key) {
            return Some(position as usize);
        }
        let position = *named.get(&plain_name(str::from_utf8(key).ok()?))?;
        if alike.len() < ALIKE {
            alike.insert(key, position as u32);
        }
        Some(position)
    }

    /// The node of a column's pointer, made with all above it.
    fn column_path(&mut self, pointer: &str, rows: Option<&str>) -> u32 {
        let Some(rows) = rows.filter(|rows| below(pointer, rows)) else {
            return self.path(&pointer_keys(pointer));
        };
        let array = self.path(&pointer_keys(rows));
        let element = self.nodes[array as usize].rows.as_ref().map_or(array, |(_, element)| *element);
        let rest = &pointer[rows.len() + 2..];
        self.below(element, &pointer_keys(rest))
    }

    fn path(&mut self, keys: &[String]) -> u32 {
        self.below(0, keys)
    }

    fn below(&mut self, mut node: u32, keys: &[String]) -> u32 {
        for key in keys {
            self.nodes[node as usize].object = true;
            node = match self.nodes[node as usize].keys.find(key.as_bytes()) {
                Some(child) => child,
                None => self.add_key(node, key.as_bytes()),
            };
            self.nodes[node as usize].known = true;
        }
        node
    }

    fn add_key(&mut self, node: u32, key: &[u8]) -> u32 {
        let mode = self.nodes[node as usize].mode;
        let child = self.add(node, key, mode);
        self.nodes[node as usize].keys.insert(key, child);
        child
    }

    fn add(&mut self, parent: u32, key: &[u8], mode: Mode) -> u32 {
        let mut node = PlanNode::new(parent, key, mode);
        node.bytes = self.nodes[parent as usize].bytes + pointer_bytes(key);
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    /// Adds a path that no contract knows, so that its key is found quickly when it comes again; none where
    /// there is no room, or where the path is longer than one may be. What becomes of a value is the same.
    pub fn add_unknown(&mut self, node: u32, key: &[u8]) -> Option<usize> {
        // A node, and the key in it and twice among the keys; the same on every host, whatever its words are.
        let cost = NODE_BYTES + 3 * key.len();
        if node == NOWHERE || cost > self.room || !self.takes(node, &[key]) {
            return None;
        }
        self.room -= cost;
        self.add_key(node, key);
        Some(self.nodes[node as usize].keys.len() - 1)
    }

    /// Whether the path of these keys below a node is no longer than one may be.
    pub fn takes(&self, node: u32, keys: &[impl AsRef<[u8]>]) -> bool {
        let below: usize = keys.iter().map(|key| pointer_bytes(key.as_ref())).sum();
        self.nodes[node as usize].bytes + below <= POINTER_BYTES
    }

    /// The JSON pointer of a node, with the number of the element where there is one, for people: nothing below
    /// a masked path is shown.
    pub fn pointer(&self, node: u32, element: Option<usize>) -> String {
        let mut chain = Vec::new();
        let mut at = node;
        while at != 0 {
            if self.nodes[at as usize].masked {
                chain.clear();
            }
            chain.push(at);
            at = self.nodes[at as usize].parent;
        }
        let mut pointer = String::new();
        for id in chain.into_iter().rev() {
            let node = &self.nodes[id as usize];
            let parent = &self.nodes[node.parent as usize];
            if parent.rows.as_ref().is_some_and(|(_, element)| *element == id) {
                pointer_push(&mut pointer, &element.map_or_else(|| "*".to_owned(), |e| e.to_string()));
            } else {
                pointer_push(&mut pointer, &String::from_utf8_lossy(&node.key));
            }
        }
        pointer
    }
}

impl Plan {
    /// Whether a node is masked, or below one that is.
    pub fn is_masked(&self, mut node: u32) -> bool {
        while node != 0 && !self.nodes[node as usize].masked {
            node = self.nodes[node as usize].parent;
        }
        node != 0
    }
}

impl PlanNode {
    /// Whether some contract has the path.
    pub fn is_known(&self) -> bool {
        self.known || !self.targets.is_empty()
    }

    fn new(parent: u32, key: &[u8], mode: Mode) -> Self {
        Self {
            parent,
            key: key.into(),
            bytes: 0,
            keys: Keys::default(),
            named: BTreeMap::new(),
            alike: Keys::default(),
            targets: Vec::new(),
            rest: Vec::new(),
            plain: false,
            cleaned: false,
            masked: false,
            rows: None,
            object: false,
            known: false,
            mode,
        }
    }
}

/// Whether a column's pointer is the element of the exploded array or below it.
pub fn below(pointer: &str, rows: &str) -> bool {
    pointer.strip_prefix(rows).is_some_and(|rest| rest == "/*" || rest.starts_with("/*/"))
}

fn strictest(tables: &[Table], who: &[usize]) -> Mode {
    let has = |mode| who.iter().any(|&t| tables[t].mode == mode);
    if has(Mode::Freeze) {
        Mode::Freeze
    } else if has(Mode::Evolve) {
        Mode::Evolve
    } else {
        Mode::Discard
    }
}
