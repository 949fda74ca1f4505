//! Where in the input, or in the spec, something is wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place; unknown parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column in characters, from 1.
    pub column: Option<u64>,
    /// Byte offset in the decompressed input, from 0.
    pub offset: Option<u64>,
    /// Record number, from 1.
    pub record: Option<u64>,
    /// JSON pointer or column name.
    pub path: Option<String>,
}

impl Place {
    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers =
            [("line", self.line), ("column", self.column), ("byte", self.offset), ("record", self.record)];
        let mut parts: Vec<String> =
            numbers.iter().filter_map(|(name, value)| value.map(|v| format!("{name} {v}"))).collect();
        parts.extend(self.path.clone());
        f.write_str(&parts.join(", "))
    }
}
