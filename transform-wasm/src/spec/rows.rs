//! The way to a table's rows: `products`, or through several levels, `resourceLogs[].scopeLogs[].logRecords`.
//!
//! `[]` says that a key holds an array whose elements the way goes through; a last `*`, that each member of an object
//! makes a row of its key and its value. In a JSON pointer both are `*`, as in the pointers of a contract.

use crate::names::{last_index, path_to_pointer, pointer_keys, pointer_push};

/// What makes rows on the way to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// The keys to it, from the record or from what makes rows above it.
    pub keys: Vec<String>,
    /// Members of an object make rows, and not elements of an array.
    pub map: bool,
}

/// The way to a table's rows, level by level; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsPath(pub Vec<Level>);

impl RowsPath {
    /// As a spec writes it.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let mut levels = vec![Level::default()];
        let is_pointer = path.starts_with('/');
        let keys = if is_pointer { pointer_keys(path) } else { path.split('.').map(str::to_owned).collect() };
        let count = keys.len();
        for (number, key) in keys.into_iter().enumerate() {
            let (last, level) = (number + 1 == count, levels.len() - 1);
            let array = key.strip_suffix("[]").filter(|_| !is_pointer);
            let is_any = key == "*";
            if is_any {
                // Within a pointer it is any element of an array, as in the pointers of a contract.
                levels[level].map = last || !is_pointer;
            } else {
                levels[level].keys.push(array.unwrap_or(&key).to_owned());
            }
            if (is_any || array.is_some()) && !last {
                levels.push(Level::default());
            }
        }
        Self(levels)
    }

    /// JSON pointer of the first that makes rows: the array that the table explodes.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.0[0].keys.iter().for_each(|key| pointer_push(&mut pointer, key));
        pointer
    }

    /// Whether it is more than one array, which a record has as it is.
    #[must_use]
    pub fn is_reshaped(&self) -> bool {
        self.0.len() > 1 || self.0[0].map
    }
}

/// Where a path goes into arrays by position (`coordinates[0]`): pointers of these arrays, without the elements of
/// arrays that make rows.
#[must_use]
pub fn positions(path: &str) -> Vec<String> {
    if path.starts_with('/') {
        return Vec::new();
    }
    let mut pointer = String::new();
    let mut found = Vec::new();
    for key in path.split('.') {
        let mut rest = key;
        let mut indexes = Vec::new();
        while let Some((before, index)) = last_index(rest) {
            indexes.push(index);
            rest = before;
        }
        pointer_push(&mut pointer, rest);
        for index in indexes.into_iter().rev().flatten() {
            found.push(pointer.clone());
            pointer_push(&mut pointer, index);
        }
    }
    found
}

/// The pointer of an array of texts, or of objects one of whose keys is the text: `columns`, `meta.columns[].name`.
#[must_use]
pub fn texts(path: &str) -> (Vec<String>, Option<String>) {
    match path.rsplit_once("[].") {
        Some((array, key)) => (pointer_keys(&path_to_pointer(array)), Some(key.to_owned())),
        None => (pointer_keys(&path_to_pointer(path)), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(path: &str) -> Vec<String> {
        let RowsPath(levels) = RowsPath::parse(path);
        levels
            .iter()
            .map(|level| format!("{}{}", level.keys.join("."), if level.map { ".*" } else { "" }))
            .collect()
    }

    #[test]
    fn ways_to_rows_are_read_level_by_level() {
        for (path, expected) in [
            ("products", vec!["products"]),
            ("order.products", vec!["order.products"]),
            ("/order/products", vec!["order.products"]),
            ("products[]", vec!["products"]),
            ("a[].b[].c", vec!["a", "b", "c"]),
            ("a.b[].c.d[].e[]", vec!["a.b", "c.d", "e"]),
            ("/a/*/b/*/c", vec!["a", "b", "c"]),
            ("prices.*", vec!["prices.*"]),
            ("/prices/*", vec!["prices.*"]),
            ("shops.*.items", vec!["shops.*", "items"]),
            ("a[].prices.*", vec!["a", "prices.*"]),
        ] {
            assert_eq!(levels(path), expected, "{path}");
        }
        assert_eq!(RowsPath::parse("a.b[].c").pointer(), "/a/b");
        assert!(!RowsPath::parse("a.b").is_reshaped());
        assert!(RowsPath::parse("a.*").is_reshaped());
    }

    #[test]
    fn positions_are_found_in_dotted_paths_alone() {
        for (path, expected) in [
            ("a.b", vec![]),
            ("coordinates[0]", vec!["/coordinates"]),
            ("geometry.coordinates[12].x", vec!["/geometry/coordinates"]),
            ("a[0][1]", vec!["/a", "/a/0"]),
            ("a[].b[0]", vec!["/a/b"]),
            ("a[x]", vec![]),
            ("a[01]", vec![]),
            ("[0]", vec![]),
            ("/a[0]", vec![]),
        ] {
            assert_eq!(positions(path), expected, "{path}");
        }
    }

    #[test]
    fn names_stand_in_texts_or_in_objects() {
        let keys = |path| texts(path).0;
        assert_eq!(keys("columns"), ["columns"]);
        assert_eq!(texts("meta.view.columns[].fieldName").1.as_deref(), Some("fieldName"));
        assert_eq!(keys("meta.view.columns[].fieldName"), ["meta", "view", "columns"]);
    }
}
