//! What a job learned of the types at each path, as text from job to job.
//!
//! For: the sets of kinds and their JSON. Not for: the tree that a job learns into, which is made for speed
//! (`learn` of the transform). A path's knowledge is the set of kinds seen there, so that joining is set
//! union: commutative, associative and idempotent by construction.

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::failure::Failure;

/// A set of kinds of value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
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
    #[inline]
    pub fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any kind of `other` is in the set.
    #[inline]
    pub fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One path: the kinds seen there, the number of the path above it, and its key there; none for the element of
/// an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node(pub Kinds, pub usize, pub Option<String>);

/// Paths, each after the one above it; the first is the record. A list, so that a record may nest as deep as it
/// likes: readers of JSON give up on a tree at some depth of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    version: u64,
    /// The paths.
    pub nodes: Vec<Node>,
}

const VERSION: u64 = 2;

impl Nodes {
    /// Of paths that are in order.
    pub fn new(nodes: Vec<Node>) -> Self {
        Self { version: VERSION, nodes }
    }

    /// The keys at the top of a record.
    pub fn top_keys(&self) -> impl Iterator<Item = &String> {
        self.nodes.iter().skip(1).filter(|node| node.1 == 0).filter_map(|node| node.2.as_ref())
    }

    /// The text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The paths of a text.
    ///
    /// # Errors
    /// Fault `spec`, code `learned_invalid`, when it is not one of [`Nodes::to_text`].
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::spec(Code::LearnedInvalid, "the learned types are not readable");
        let told: Self = serde_json::from_str(text).map_err(|_| bad())?;
        let in_order = told.nodes.iter().enumerate().all(|(number, node)| node.1 < number.max(1));
        if told.version == VERSION && in_order && !told.nodes.is_empty() { Ok(told) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_types_are_written_as_they_were_read() {
        let text = r#"{"version":2,"nodes":[[128,0,null],[4,0,"b"],[768,0,"a"],[128,2,null],[65,3,"x"]]}"#;
        let told = Nodes::parse(text).unwrap();
        assert_eq!(told.to_text(), text);
        assert_eq!(told.top_keys().collect::<Vec<_>>(), ["b", "a"]);
        assert!(told.nodes[0].0.any(Kinds::OBJECT) && !told.nodes[0].0.any(Kinds::ARRAY));
        for wrong in [
            "",
            "{}",
            r#"{"version":1,"root":{"k":0}}"#,
            r#"{"version":3,"nodes":[[0,0,null]]}"#,
            r#"{"version":2,"nodes":[]}"#,
            r#"{"version":2,"nodes":[[0,1,null]]}"#,
            r#"{"version":2,"nodes":[[0,0,null],[0,1,"a"]]}"#,
        ] {
            assert_eq!(Nodes::parse(wrong).unwrap_err().code, "learned_invalid", "{wrong}");
        }
    }
}
