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
pub struct Kinds(pub u32);

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
    /// A text that is none of the forms below.
    pub const STRING: Self = Self(1 << 6);
    /// An object.
    pub const OBJECT: Self = Self(1 << 7);
    /// An array.
    pub const ARRAY: Self = Self(1 << 8);
    /// An array that held an object.
    pub const ARRAY_OF_OBJECTS: Self = Self(1 << 9);
    /// A text that is an ISO 8601 date.
    pub const DATE: Self = Self(1 << 10);
    /// A text that is an ISO 8601 date and time.
    pub const TIMESTAMP: Self = Self(1 << 11);
    /// Such a text with digits below a millisecond that are not zero; always beside `TIMESTAMP`.
    pub const FINE: Self = Self(1 << 12);
    /// A text such as `01/02/2025`: a date whose day and month nobody can tell apart for certain.
    pub const DAY_MONTH: Self = Self(1 << 13);
    /// A number whose text a double does not hold; always beside `DOUBLE`.
    pub const LONG: Self = Self(1 << 14);

    /// Every kind.
    pub const ALL: Self = Self(u32::MAX);
    /// Objects and arrays.
    pub const NESTED: Self = Self(Self::OBJECT.0 | Self::ARRAY.0 | Self::ARRAY_OF_OBJECTS.0);
    /// Texts that have a form.
    pub const FORMS: Self = Self(Self::DATE.0 | Self::TIMESTAMP.0 | Self::FINE.0 | Self::DAY_MONTH.0);
    /// Texts of every kind.
    pub const TEXTS: Self = Self(Self::STRING.0 | Self::FORMS.0);
    /// Numbers of every form.
    pub const NUMBERS: Self =
        Self(Self::INT53.0 | Self::INT64.0 | Self::BIG.0 | Self::DOUBLE.0 | Self::LONG.0);

    /// Union. A text of no form takes in those that have one: what they would say no longer matters.
    #[must_use]
    #[inline]
    pub fn join(self, other: Self) -> Self {
        let all = Self(self.0 | other.0);
        if all.any(Self::STRING) { all.without(Self::FORMS) } else { all }
    }

    /// Intersection.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set has every kind of `other`.
    #[must_use]
    #[inline]
    pub fn has(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The set without the kinds of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any kind of `other` is in the set.
    #[inline]
    pub fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Most digits that the numbers at a path have, cut at 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digits(
    /// Before the point.
    pub u8,
    /// After it.
    pub u8,
);

impl Digits {
    /// What holds both.
    #[must_use]
    #[inline]
    pub fn join(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.max(other.1))
    }
}

/// One path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node(
    /// The kinds seen there.
    pub Kinds,
    /// The number of the path above it.
    pub usize,
    /// Its key there; none for the element of an array.
    pub Option<String>,
    /// Its first place among the keys there, from 0, in any source object.
    pub u32,
    /// The digits of its numbers.
    pub Digits,
);

/// Paths, each after the one above it; the first is the record. A list, so that a record may nest as deep as it
/// likes: readers of JSON give up on a tree at some depth of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    version: u64,
    /// The keys on the way to the array whose elements are the records, where it was found and not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<String>>,
    /// The paths.
    pub nodes: Vec<Node>,
}

const VERSION: u64 = 3;

impl Nodes {
    /// Of paths that are in order.
    pub fn new(records: Option<Vec<String>>, nodes: Vec<Node>) -> Self {
        Self { version: VERSION, records, nodes }
    }

    /// The keys at the top of a record; none where all there is leads to empty arrays.
    pub fn top_keys(&self) -> impl Iterator<Item = &String> {
        let empty = Kinds(Kinds::NULL.0 | Kinds::OBJECT.0 | Kinds::ARRAY.0);
        let has_values = self.nodes.iter().any(|node| !node.0.without(empty).is_empty());
        let top = self.nodes.iter().skip(1).filter(move |node| has_values && node.1 == 0);
        top.filter_map(|node| node.2.as_ref())
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
        let text = r#"{"version":3,"nodes":[[128,0,null,0,[0,0]],[4,0,"b",0,[3,0]],[768,0,"a",1,[0,0]],[128,2,null,0,[0,0]],[65,3,"x",0,[0,0]]]}"#;
        let told = Nodes::parse(text).unwrap();
        assert_eq!(told.to_text(), text);
        let found = text.replace(r#""nodes""#, r#""records":["data","items"],"nodes""#);
        assert_eq!(Nodes::parse(&found).unwrap().to_text(), found);
        assert!(told.nodes[0].0.any(Kinds::OBJECT) && !told.nodes[0].0.any(Kinds::ARRAY));
        for wrong in [
            "",
            "{}",
            r#"{"version":1,"root":{"k":0}}"#,
            r#"{"version":2,"nodes":[[0,0,null]]}"#,
            r#"{"version":3,"nodes":[]}"#,
            r#"{"version":3,"nodes":[[0,1,null,0,[0,0]]]}"#,
            r#"{"version":3,"nodes":[[0,0,null,0,[0,0]],[0,1,"a",0,[0,0]]]}"#,
        ] {
            assert_eq!(Nodes::parse(wrong).unwrap_err().code, "learned_invalid", "{wrong}");
        }
    }
}
