//! What a job learns of the types at each path.
//!
//! For: the tree of paths with the kinds of value seen at each, and its join. Not for: the text that crosses
//! from job to job (`lakegate_model::learned`), names or contracts (see `propose`). A path's knowledge is the
//! *set* of kinds seen there, so joining is set union: commutative, associative and idempotent by
//! construction. The column type is a function of the set alone.

pub use lakegate_model::learned::Kinds;
use lakegate_model::learned::{Node as Told, Nodes};

use crate::column::ColumnType;
use crate::error::{Code, Failure};
use crate::keys::Keys;
use crate::limits::{Limits, POINTER_BYTES};
use crate::names::pointer_bytes;
use crate::spec::Numbers;

/// The type of a column that must hold these; None while only nulls (or nothing) were seen, and
/// for objects, which are no column.
pub fn column_type(kinds: Kinds, numbers: Numbers) -> Option<ColumnType> {
    let numeric = Kinds(Kinds::INT53.0 | Kinds::INT64.0 | Kinds::BIG.0 | Kinds::DOUBLE.0);
    let seen = Kinds(kinds.0 & !Kinds::NULL.0);
    if seen.any(Kinds::OBJECT) || seen.0 == 0 {
        return None;
    }
    if seen.any(Kinds::ARRAY) {
        return Some(ColumnType::Json);
    }
    if seen == Kinds::BOOLEAN {
        return Some(ColumnType::Boolean);
    }
    if seen.0 & !numeric.0 != 0 || seen.any(Kinds::BIG) {
        return Some(ColumnType::String);
    }
    if numbers == Numbers::Double
        || seen.0 & !(Kinds::DOUBLE.0 | Kinds::INT53.0) == 0 && seen.any(Kinds::DOUBLE)
    {
        return Some(ColumnType::Double);
    }
    if seen.any(Kinds::DOUBLE) {
        return Some(ColumnType::String);
    }
    Some(ColumnType::Bigint)
}

/// One path.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Kinds seen here.
    pub kinds: Kinds,
    /// Keys below, when objects were seen.
    pub keys: Keys,
    /// The element node, when arrays were seen outside any other array.
    pub element: Option<u32>,
    /// Bytes of the node's pointer.
    bytes: usize,
}

/// The tree of paths; node 0 is the record.
#[derive(Clone, Debug)]
pub struct Learned {
    /// All nodes.
    pub nodes: Vec<Node>,
    limit: usize,
    /// Bytes that the pointers of further nodes may have together: contracts spell each of them out.
    room: usize,
}

impl Learned {
    /// Knows nothing yet.
    pub fn new(limits: &Limits) -> Self {
        // Objects on the way to a column are nodes too: four times the columns is generous.
        Self {
            nodes: vec![Node::default()],
            limit: limits.columns.saturating_mul(4),
            room: limits.columns.saturating_mul(POINTER_BYTES),
        }
    }

    /// Joins a kind into a node.
    #[inline]
    pub fn see(&mut self, node: u32, kinds: Kinds) {
        let node = &mut self.nodes[node as usize];
        node.kinds = node.kinds.join(kinds);
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
        self.nodes[node as usize].element = Some(element);
        Ok(element)
    }

    /// Whether the path of a key below a node is no longer than one may be.
    pub fn takes(&self, node: u32, key: &[u8]) -> bool {
        self.nodes[node as usize].bytes + pointer_bytes(key) <= POINTER_BYTES
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
        let mut told: Vec<Told> = self.nodes.iter().map(|node| Told(node.kinds, 0, None)).collect();
        for (parent, node) in self.nodes.iter().enumerate() {
            for (key, child) in node.keys.iter() {
                told[child as usize].1 = parent;
                told[child as usize].2 = Some(String::from_utf8_lossy(key).into_owned());
            }
            if let Some(element) = node.element {
                told[element as usize].1 = parent;
            }
        }
        // A node is made after the one above it, and keys in the order they came.
        Nodes::new(told).to_text()
    }

    /// Joins what another job learned.
    ///
    /// # Errors
    /// Fault `spec` when the text is not one of [`Learned::to_text`]; fault `limit` as `child`.
    pub fn join_text(&mut self, text: &str) -> Result<(), Failure> {
        let mut own: Vec<u32> = Vec::new();
        for (number, Told(kinds, parent, key)) in Nodes::parse(text)?.nodes.into_iter().enumerate() {
            let node = match key {
                _ if number == 0 => 0,
                Some(key) => self.child(own[parent], key.as_bytes())?,
                None => self.element(own[parent])?,
            };
            self.see(node, kinds);
            own.push(node);
        }
        Ok(())
    }
}
