//! What a job learned of the types at each path, as text from job to job.
//!
//! For: the sets of kinds and their JSON. Not for: the tree that a job learns into, which is made for speed
//! (`learn` of the transform). A path's knowledge is the set of kinds seen there, so that joining is set
//! union: commutative, associative and idempotent by construction.

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// One path and what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Kinds seen here.
    #[serde(rename = "k")]
    pub kinds: Kinds,
    /// Keys below, when objects were seen, in the order they came.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    #[serde(serialize_with = "write_keys", deserialize_with = "read_keys")]
    pub keys: Vec<(String, Node)>,
    /// The element, when arrays were seen.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub element: Option<Box<Node>>,
}

#[derive(Serialize, Deserialize)]
struct Text<N> {
    version: u64,
    root: N,
}

impl Node {
    /// The text that has this node as its root, the record.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&Text { version: 1, root: self }).unwrap_or_default()
    }

    /// The root of a text.
    ///
    /// # Errors
    /// Fault `spec`, code `learned_invalid`, when it is not one of [`Node::to_text`].
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::spec(Code::LearnedInvalid, "the learned types are not readable");
        let text: Text<Self> = serde_json::from_str(text).map_err(|_| bad())?;
        if text.version == 1 { Ok(text.root) } else { Err(bad()) }
    }
}

fn write_keys<S: Serializer>(keys: &[(String, Node)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(keys.len()))?;
    for (key, node) in keys {
        map.serialize_entry(key, node)?;
    }
    map.end()
}

fn read_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Node)>, D::Error> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<(String, Node)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of keys")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = Vec::new();
            while let Some(entry) = map.next_entry().map_err(A::Error::custom)? {
                keys.push(entry);
            }
            Ok(keys)
        }
    }
    deserializer.deserialize_map(Keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learned_types_are_written_as_they_were_read() {
        let text = r#"{"version":1,"root":{"k":128,"c":{"b":{"k":4},"a":{"k":768,"e":{"k":128,"c":{"x":{"k":65}}}}}}}"#;
        let root = Node::parse(text).unwrap();
        assert_eq!(root.to_text(), text);
        assert!(root.kinds.any(Kinds::OBJECT) && !root.kinds.any(Kinds::ARRAY));
        for wrong in ["", "{}", r#"{"version":2,"root":{"k":0}}"#, r#"{"version":1,"root":{}}"#] {
            assert_eq!(Node::parse(wrong).unwrap_err().code, "learned_invalid", "{wrong}");
        }
    }
}
