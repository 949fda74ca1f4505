//! What a job learns of the types at each path.
//!
//! For: the tree of paths with the kinds of value seen at each, and its join. Not for: the text that crosses
//! from job to job (`lakegate_model::learned`), names or contracts (see `propose`). A path's knowledge is the
//! *set* of kinds seen there, its first place and its most digits, so joining is union, minimum and maximum:
//! commutative, associative and idempotent by construction. The column type is a function of the set alone.

pub use lakegate_model::learned::{Digits, Kinds};
use lakegate_model::learned::{Node as Told, Nodes};

use crate::column::ColumnType;
use crate::conventions::Paths;
use crate::error::{Code, Failure};
use crate::keys::Keys;
use crate::limits::{Limits, POINTER_BYTES};
use crate::names::pointer_bytes;
use crate::spec::Numbers;

/// The type of a column that must hold these; None while only nulls (or nothing) were seen.
pub fn column_type(kinds: Kinds, numbers: Numbers) -> Option<ColumnType> {
    let seen = kinds.without(Kinds::NULL);
    if seen.is_empty() {
        return None;
    }
    if seen.any(Kinds::OBJECT) || seen.any(Kinds::ARRAY) {
        return Some(ColumnType::Json);
    }
    if seen == Kinds::BOOLEAN {
        return Some(ColumnType::Boolean);
    }
    if !seen.without(Kinds::NUMBERS).is_empty() || seen.any(Kinds::BIG) {
        return Some(ColumnType::String);
    }
    if numbers == Numbers::Double || (seen.any(Kinds::DOUBLE) && !seen.any(Kinds::INT64)) {
        return Some(ColumnType::Double);
    }
    if seen.any(Kinds::DOUBLE) {
        return Some(ColumnType::String);
    }
    Some(ColumnType::Bigint)
}

/// The type that somebody who knows the values would declare: beside [`column_type`], dates and times where every
/// text is one, and a decimal where a double does not hold the numbers.
pub fn declared_type(kinds: Kinds, digits: Digits, numbers: Numbers) -> Option<ColumnType> {
    let seen = kinds.without(Kinds::NULL);
    let moments = Kinds(Kinds::DATE.0 | Kinds::TIMESTAMP.0 | Kinds::FINE.0);
    if seen == Kinds::DATE {
        return Some(ColumnType::Date);
    }
    if seen.any(moments) && seen.without(moments).is_empty() {
        return Some(ColumnType::Timestamp);
    }
    let has_long = seen.any(Kinds::LONG) || (seen.any(Kinds::DOUBLE) && seen.any(Kinds::INT64));
    if has_long && numbers == Numbers::Exact && seen.without(Kinds::NUMBERS).is_empty() {
        return decimal(digits).or_else(|| column_type(kinds, numbers));
    }
    column_type(kinds, numbers)
}

/// The decimal that holds numbers of so many digits, if there is one.
pub fn decimal(digits: Digits) -> Option<ColumnType> {
    let Digits(before, after) = digits;
    let precision = before.checked_add(after)?.max(1);
    (precision <= 38).then_some(ColumnType::Decimal { precision, scale: after })
}

/// One path.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Kinds seen here.
    pub kinds: Kinds,
    /// Most digits of its numbers.
    pub digits: Digits,
    /// Keys below, when objects were seen.
    pub keys: Keys,
    /// The element node, when arrays were seen outside any other array.
    pub element: Option<u32>,
    /// Its first place among its siblings, in any source object.
    rank: u32,
    /// An array's element: its keys are columns of rows, however many there are.
    is_element: bool,
    /// Found to be full.
    full: bool,
    /// Bytes of the node's pointer.
    bytes: usize,
}

/// The tree of paths; node 0 is the record.
#[derive(Clone, Debug)]
pub struct Learned {
    /// All nodes.
    pub nodes: Vec<Node>,
    /// The keys on the way to the records, where they were found below a path that nobody told.
    pub records: Option<Vec<String>>,
    limit: usize,
    /// Bytes that the pointers of further nodes may have together: contracts spell each of them out.
    room: usize,
    most_keys: usize,
}

impl Learned {
    /// Knows nothing yet.
    pub fn new(limits: &Limits) -> Self {
        // Objects on the way to a column are nodes too: four times the columns is generous.
        Self {
            nodes: vec![Node::default()],
            records: None,
            limit: limits.columns.saturating_mul(4),
            room: limits.columns.saturating_mul(POINTER_BYTES),
            most_keys: usize::MAX,
        }
    }

    /// Objects with more keys than that become one column whatever the keys are: further ones need no node.
    #[must_use]
    pub fn with_most_keys(self, most_keys: usize) -> Self {
        Self { most_keys, ..self }
    }

    /// Joins a kind into a node.
    #[inline]
    pub fn see(&mut self, node: u32, kinds: Kinds) {
        let node = &mut self.nodes[node as usize];
        node.kinds = node.kinds.join(kinds);
    }

    /// Joins the digits of a number into a node.
    #[inline]
    pub fn see_digits(&mut self, node: u32, digits: Digits) {
        let node = &mut self.nodes[node as usize];
        node.digits = node.digits.join(digits);
    }

    /// The child below a key, made when new.
    ///
    /// # Errors
    /// Fault `limit`, code `too_many_columns`.
    pub fn child(&mut self, node: u32, key: &[u8]) -> Result<u32, Failure> {
        if let Some(child) = self.nodes[node as usize].keys.find(key) {
            return Ok(child);
        }
        let child = self.add(node, key)?;
        self.nodes[child as usize].rank = self.nodes[node as usize].keys.len() as u32;
        self.nodes[node as usize].keys.insert(key, child);
        Ok(child)
    }

    /// The element node of an array's node, made when new.
    ///
    /// # Errors
    /// Fault `limit`, code `too_many_columns`.
    pub fn element(&mut self, node: u32) -> Result<u32, Failure> {
        if let Some(element) = self.nodes[node as usize].element {
            return Ok(element);
        }
        let element = self.add(node, b"*")?;
        self.nodes[element as usize].is_element = true;
        self.nodes[node as usize].element = Some(element);
        Ok(element)
    }

    /// Whether the path of a key below a node is no longer than one may be.
    pub fn takes(&self, node: u32, key: &[u8]) -> bool {
        self.nodes[node as usize].bytes + pointer_bytes(key) <= POINTER_BYTES
    }

    /// Whether the object here has so many keys that it is one column for certain: of records that were taken,
    /// since a rejected one decides nothing. Records and elements of arrays are no columns.
    pub fn is_full(&mut self, node: u32) -> bool {
        let keys = &self.nodes[node as usize].keys;
        if node == 0 || self.nodes[node as usize].is_element || keys.len() <= self.most_keys {
            return false;
        }
        if self.nodes[node as usize].full {
            return true;
        }
        let full = keys.iter().filter(|&(_, child)| self.is_seen(child)).count() > self.most_keys;
        self.nodes[node as usize].full = full;
        full
    }

    /// Whether a record that was taken had the path.
    pub fn is_seen(&self, node: u32) -> bool {
        !self.nodes[node as usize].kinds.is_empty()
    }

    /// Keys below a node that records had, in the order of their first places.
    pub fn children(&self, node: u32) -> Vec<(&[u8], u32)> {
        let seen = self.nodes[node as usize].keys.iter().filter(|&(_, child)| self.is_seen(child));
        let mut children: Vec<(&[u8], u32)> = seen.collect();
        children.sort_by_key(|&(key, child)| (self.nodes[child as usize].rank, key));
        children
    }

    /// Whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.children(0).is_empty()
    }

    fn add(&mut self, parent: u32, key: &[u8]) -> Result<u32, Failure> {
        let bytes = self.nodes[parent as usize].bytes + pointer_bytes(key);
        if self.nodes.len() >= self.limit || bytes > self.room {
            let columns = self.limit / 4;
            return Err(Failure::limit(
                Code::TooManyColumns,
                format!("the input has more distinct paths than a table of {columns} columns can hold"),
            )
            .hint("are ids or dates used as keys? declare the columns you want with mode = \"discard\", or raise limits.columns"));
        }
        self.room -= bytes;
        self.nodes.push(Node { bytes, ..Node::default() });
        Ok(self.nodes.len() as u32 - 1)
    }

    /// The text form, for another job.
    pub fn to_text(&self) -> String {
        Nodes::new(self.records.clone(), self.told()).to_text()
    }

    fn told(&self) -> Vec<Told> {
        let tell = |node: &Node| Told(node.kinds, 0, None, node.rank, node.digits);
        let mut told: Vec<Told> = self.nodes.iter().map(tell).collect();
        for (parent, node) in self.nodes.iter().enumerate() {
            for (key, child) in node.keys.iter() {
                told[child as usize].1 = parent;
                told[child as usize].2 = Some(String::from_utf8_lossy(key).into_owned());
            }
            if let Some(element) = node.element {
                told[element as usize].1 = parent;
            }
        }
        // A node is made after the one above it.
        told
    }

    /// Joins what another job learned.
    ///
    /// # Errors
    /// Fault `spec` when the text is not one of [`Learned::to_text`]; fault `limit` as `child`.
    pub fn join_text(&mut self, text: &str) -> Result<(), Failure> {
        let Nodes { records, nodes, .. } = Nodes::parse(text)?;
        self.join(records, &nodes)
    }

    /// Joins a tree whose records are found below `records`.
    ///
    /// # Errors
    /// Fault `limit` as `child`.
    pub fn join(&mut self, records: Option<Vec<String>>, told: &[Told]) -> Result<(), Failure> {
        if self.is_empty() && self.records.is_none() {
            self.records.clone_from(&records);
        }
        if self.records == records {
            return self.graft(told, 0, false);
        }
        // One of both has its records at the top. Where that is nothing but the way to an empty array, there
        // were no records to disagree about.
        match (self.records.clone(), records) {
            (None, Some(path)) if self.is_way_to_none(&path) => {
                self.clear(Some(path));
                self.graft(told, 0, false)
            }
            (Some(path), None) if self.of_told(told)?.is_way_to_none(&path) => Ok(()),
            (own, other) => {
                self.unframe(own)?;
                match other {
                    Some(path) => self.graft_below(told, &path),
                    None => self.graft(told, 0, false),
                }
            }
        }
    }

    /// Where records were found below a path, the same as seen from the top: one record with an array.
    ///
    /// # Errors
    /// Fault `limit` as `child`.
    pub fn as_one_record(&mut self) -> Result<(), Failure> {
        let records = self.records.clone();
        self.unframe(records)
    }

    fn unframe(&mut self, records: Option<Vec<String>>) -> Result<(), Failure> {
        let Some(path) = records else { return Ok(()) };
        let told = self.told();
        self.clear(None);
        self.graft_below(&told, &path)
    }

    /// Knows nothing any more.
    pub fn forget(&mut self) {
        self.clear(None);
    }

    fn clear(&mut self, records: Option<Vec<String>>) {
        *self = Self { records, ..self.empty() };
    }

    /// Knows nothing, within the same limits.
    fn empty(&self) -> Self {
        let room = self.limit / 4 * POINTER_BYTES;
        Self {
            nodes: vec![Node::default()],
            records: None,
            limit: self.limit,
            room,
            most_keys: self.most_keys,
        }
    }

    fn of_told(&self, told: &[Told]) -> Result<Self, Failure> {
        let mut other = self.empty();
        other.graft(told, 0, false)?;
        Ok(other)
    }

    /// Whether all that is known is the way to an array without elements.
    fn is_way_to_none(&self, path: &[String]) -> bool {
        let mut node = 0;
        for (level, key) in path.iter().enumerate() {
            let [(found, child)] = self.children(node)[..] else { return false };
            let expected = if level + 1 == path.len() { Kinds::ARRAY } else { Kinds::OBJECT };
            if found != key.as_bytes() || self.nodes[child as usize].kinds != expected {
                return false;
            }
            node = child;
        }
        self.nodes[node as usize].element.is_none_or(|element| !self.is_seen(element))
    }

    /// Adds a tree of records as the elements of the array at `path`.
    fn graft_below(&mut self, told: &[Told], path: &[String]) -> Result<(), Failure> {
        let mut node = 0;
        for (level, key) in path.iter().enumerate() {
            node = self.child(node, key.as_bytes())?;
            // It was the first there, as the only one.
            self.nodes[node as usize].rank = 0;
            let last = level + 1 == path.len();
            self.see(node, if last { Kinds::ARRAY.join(Kinds::ARRAY_OF_OBJECTS) } else { Kinds::OBJECT });
        }
        let element = self.element(node)?;
        self.see(element, Kinds::OBJECT);
        self.graft(told, element, true)
    }

    /// Joins a tree into the one below `root`; `in_array`: arrays in it are arrays within an array.
    fn graft(&mut self, told: &[Told], root: u32, in_array: bool) -> Result<(), Failure> {
        let mut own: Vec<Option<u32>> = Vec::new();
        for (number, Told(kinds, parent, key, rank, digits)) in told.iter().enumerate() {
            let node = match (own.get(*parent).copied().flatten(), key) {
                _ if number == 0 => Some(root),
                (None, _) => None,
                (Some(parent), Some(key)) => self.room_for(parent, key.as_bytes())?,
                (Some(_), None) if in_array => None,
                (Some(parent), None) => Some(self.element(parent)?),
            };
            if let Some(node) = node.filter(|_| number > 0) {
                self.see(node, if in_array { kinds.without(Kinds::ARRAY_OF_OBJECTS) } else { *kinds });
                self.see_digits(node, *digits);
                let held = &mut self.nodes[node as usize].rank;
                *held = (*held).min(*rank);
            } else if number == 0 {
                self.see(root, *kinds);
            }
            own.push(node);
        }
        Ok(())
    }

    /// The child below a key that comes with another tree; none where there are too many already.
    fn room_for(&mut self, parent: u32, key: &[u8]) -> Result<Option<u32>, Failure> {
        let known = self.nodes[parent as usize].keys.find(key);
        if known.is_none() && self.is_full(parent) {
            return Ok(None);
        }
        let new = known.is_none();
        let child = self.child(parent, key)?;
        if new {
            // Its place is the other tree's.
            self.nodes[child as usize].rank = u32::MAX;
        }
        Ok(Some(child))
    }
}

impl Paths for Learned {
    fn children(&self, node: u32) -> Vec<(&[u8], u32)> {
        Self::children(self, node)
    }

    fn element(&self, node: u32) -> Option<u32> {
        self.nodes[node as usize].element
    }
}
