//! What a job learns of the types at each path.
//!
//! For: the tree of paths with the kinds of value seen at each, its join, and its text form that
//! crosses from job to job. Not for: names or contracts (see `propose`).
//! The decision to know: a path's knowledge is the *set* of kinds seen there, so joining is set
//! union: commutative, associative and idempotent by construction. The column type is a function of
//! the set alone.

use serde_json::{Map, Value, json};

use crate::column::ColumnType;
use crate::error::Failure;
use crate::keys::Keys;
use crate::limits::Limits;
use crate::spec::Numbers;

/// A set of kinds of value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub u16);

impl Kinds {
    /// `null`, or an empty CSV field.
    pub const NULL: Self = Self(1);
    /// `true` or `false`.
    pub const BOOLEAN: Self = Self(1 << 1);
    /// An integer within 2^53: exact as a double too.
    pub const INT53: Self = Self(1 << 2);
    /// An integer within 64 bits, beyond 2^53.
    pub const INT64: Self = Self(1 << 3);
    /// An integer beyond 64 bits.
    pub const BIG: Self = Self(1 << 4);
    /// A number with a fraction or an exponent.
    pub const DOUBLE: Self = Self(1 << 5);
    /// A text.
    pub const STRING: Self = Self(1 << 6);
    /// An object.
    pub const OBJECT: Self = Self(1 << 7);
    /// An array.
    pub const ARRAY: Self = Self(1 << 8);
    /// An array that held an object.
    pub const ARRAY_OF_OBJECTS: Self = Self(1 << 9);

    /// Union.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any kind of `other` is in the set.
    pub fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The type of a column that must hold these; None while only nulls (or nothing) were seen, and
    /// for objects, which are no column.
    pub fn column_type(self, numbers: Numbers) -> Option<ColumnType> {
        let numeric = Self(Self::INT53.0 | Self::INT64.0 | Self::BIG.0 | Self::DOUBLE.0);
        let seen = Self(self.0 & !Self::NULL.0);
        if seen.any(Self::OBJECT) || seen.0 == 0 {
            return None;
        }
        if seen.any(Self::ARRAY) {
            return Some(ColumnType::Json);
        }
        if seen == Self::BOOLEAN {
            return Some(ColumnType::Boolean);
        }
        if seen.0 & !numeric.0 != 0 || seen.any(Self::BIG) {
            return Some(ColumnType::String);
        }
        if numbers == Numbers::Double
            || seen.0 & !(Self::DOUBLE.0 | Self::INT53.0) == 0 && seen.any(Self::DOUBLE)
        {
            return Some(ColumnType::Double);
        }
        if seen.any(Self::DOUBLE) {
            return Some(ColumnType::String);
        }
        Some(ColumnType::Bigint)
    }
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
}

/// The tree of paths; node 0 is the record.
#[derive(Clone, Debug)]
pub struct Learned {
    /// All nodes.
    pub nodes: Vec<Node>,
    limit: usize,
}

impl Learned {
    /// Knows nothing yet.
    pub fn new(limits: &Limits) -> Self {
        // Objects on the way to a column are nodes too: four times the columns is generous.
        Self { nodes: vec![Node::default()], limit: limits.columns.saturating_mul(4) }
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
        let child = self.add()?;
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
        let element = self.add()?;
        self.nodes[node as usize].element = Some(element);
        Ok(element)
    }

    fn add(&mut self) -> Result<u32, Failure> {
        if self.nodes.len() >= self.limit {
            let columns = self.limit / 4;
            return Err(Failure::limit(
                "too_many_columns",
                format!("the input has more distinct paths than a table of {columns} columns can hold"),
            )
            .hint("are ids or dates used as keys? declare the columns you want with mode = \"discard\", or raise limits.columns"));
        }
        self.nodes.push(Node::default());
        Ok(self.nodes.len() as u32 - 1)
    }

    /// The text form, for another job.
    pub fn to_text(&self) -> String {
        json!({"version": 1, "root": self.node_value(0)}).to_string()
    }

    fn node_value(&self, id: u32) -> Value {
        let node = &self.nodes[id as usize];
        let mut map = Map::new();
        map.insert("k".into(), json!(node.kinds.0));
        if !node.keys.is_empty() {
            let children = node
                .keys
                .iter()
                .map(|(key, child)| (String::from_utf8_lossy(key).into_owned(), self.node_value(child)));
            map.insert("c".into(), Value::Object(children.collect()));
        }
        if let Some(element) = node.element {
            map.insert("e".into(), self.node_value(element));
        }
        Value::Object(map)
    }

    /// Joins what another job learned.
    ///
    /// # Errors
    /// Fault `spec` when the text is not one of [`Learned::to_text`]; fault `limit` as `child`.
    pub fn join_text(&mut self, text: &str) -> Result<(), Failure> {
        let bad = || Failure::spec("learned_invalid", "the learned types are not readable");
        let value: Value = serde_json::from_str(text).map_err(|_| bad())?;
        if value["version"] != 1 {
            return Err(bad());
        }
        self.join_value(0, &value["root"]).map_err(|f| f.unwrap_or_else(bad))
    }

    fn join_value(&mut self, id: u32, value: &Value) -> Result<(), Option<Failure>> {
        let kinds = value["k"].as_u64().ok_or(None)?;
        self.see(id, Kinds(kinds as u16));
        if let Some(children) = value["c"].as_object() {
            for (key, child) in children {
                let node = self.child(id, key.as_bytes()).map_err(Some)?;
                self.join_value(node, child)?;
            }
        }
        if value["e"].is_object() {
            let node = self.element(id).map_err(Some)?;
            self.join_value(node, &value["e"])?;
        }
        Ok(())
    }
}
