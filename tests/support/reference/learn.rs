//! What a set of records teaches: for every path the join of all kinds of value seen there.
//!
//! For: the reference. The decision to know: everything is learned, also below arrays (`/items/*/price`);
//! which array is exploded is chosen afterwards, so the order of the records cannot matter except for
//! the order of columns: objects in the order in which their keys are first seen, depth first.

use super::convert::{is_exact_integer, is_integer_text};
use super::json::{Kind, Value};

/// A JSON pointer's segments, unescaped; [`ELEMENT`] stands for any element of an array.
pub type Path = Vec<String>;

/// The segment of an array's elements.
pub const ELEMENT: &str = "*";

/// What has been seen at one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// An object; beside anything else the path is one JSON column.
    pub object: bool,
    /// An array.
    pub array: bool,
    /// Every kind of scalar, once.
    pub scalars: Vec<Scalar>,
}

/// The lattice of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `true`, `false`
    Boolean,
    /// Integer that a double holds exactly.
    Int53,
    /// Other integer of 64 bits.
    Int64,
    /// Number with fraction or exponent.
    Double,
    /// Text, integers beyond 64 bits, and every mixture that has no better home.
    String,
}

impl Scalar {
    /// The type that holds both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        use Scalar::{Double, Int53, Int64, String};
        match (self, other) {
            (a, b) if a == b => a,
            (Int53, Int64) | (Int64, Int53) => Int64,
            (Int53, Double) | (Double, Int53) => Double,
            _ => String,
        }
    }

    /// The column type's name.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int53 | Self::Int64 => "bigint",
            Self::Double => "double",
            Self::String => "string",
        }
    }
}

/// All paths, depth first, siblings in the order in which they were first seen.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// Path and what was seen there.
    pub paths: Vec<(Path, Seen)>,
}

impl Learned {
    /// Adds one record.
    pub fn observe(&mut self, record: &Value) {
        self.walk(&Vec::new(), record);
    }

    /// What was seen at a path.
    #[must_use]
    pub fn at(&self, path: &[String]) -> Option<&Seen> {
        self.paths.iter().find(|(known, _)| known == path).map(|(_, seen)| seen)
    }

    fn walk(&mut self, path: &Path, value: &Value) {
        let seen = self.entry(path);
        match &value.kind {
            Kind::Null => {}
            Kind::Object(members) => {
                seen.object = true;
                for (key, member) in members {
                    self.walk(&child(path, key), member);
                }
            }
            Kind::Array(items) => {
                seen.array = true;
                for item in items {
                    self.walk(&child(path, ELEMENT), item);
                }
            }
            Kind::Boolean(_) => seen.add(Scalar::Boolean),
            Kind::Text(_) => seen.add(Scalar::String),
            Kind::Number => seen.add(number(&value.source)),
        }
    }

    fn entry(&mut self, path: &Path) -> &mut Seen {
        let at = self.paths.iter().position(|(known, _)| known == path).unwrap_or_else(|| {
            let parent = &path[..path.len().saturating_sub(1)];
            let after =
                self.paths.iter().rposition(|(known, _)| known.starts_with(parent)).map_or(0, |at| at + 1);
            self.paths.insert(after, (path.clone(), Seen::default()));
            after
        });
        &mut self.paths[at].1
    }
}

impl Seen {
    /// Whether values of different shapes were seen.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.object && (self.array || !self.scalars.is_empty())
    }

    fn add(&mut self, scalar: Scalar) {
        if !self.scalars.contains(&scalar) {
            self.scalars.push(scalar);
        }
    }
}

fn number(source: &str) -> Scalar {
    if !is_integer_text(source) {
        Scalar::Double
    } else if is_exact_integer(source) {
        Scalar::Int53
    } else if source.parse::<i64>().is_ok() {
        Scalar::Int64
    } else {
        Scalar::String
    }
}

/// `path` with one more segment.
#[must_use]
pub fn child(path: &[String], key: &str) -> Path {
    path.iter().cloned().chain([key.to_owned()]).collect()
}

/// A path as JSON pointer (RFC 6901).
#[must_use]
pub fn pointer(path: &[String]) -> String {
    path.iter().map(|segment| format!("/{}", segment.replace('~', "~0").replace('/', "~1"))).collect()
}
