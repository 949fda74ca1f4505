//! Hive partition paths read back: `a=1/b=x%2Fy/`.
//!
//! Not for making them: the transform does. The decision to know: Hive's name for a value that is not there is
//! null here, and a `%` that begins no escape stays as it is.

use percent_encoding::percent_decode_str;

/// What Hive writes for a null or empty value.
const DEFAULT: &str = "__HIVE_DEFAULT_PARTITION__";

/// Names and values of a path, in its order.
pub fn partitions(path: &str) -> Vec<(String, Option<String>)> {
    let value = |value: &str| (value != DEFAULT).then(|| unescape(value));
    let folders = path.split('/').filter_map(|folder| folder.split_once('='));
    folders.map(|(name, text)| (unescape(name), value(text))).collect()
}

/// Hive's escaping undone.
pub fn unescape(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_back() {
        assert_eq!(
            partitions("day=2025-01-01/city=K%C3%B6ln%2FDeutz/code=__HIVE_DEFAULT_PARTITION__/"),
            [
                ("day".to_owned(), Some("2025-01-01".to_owned())),
                ("city".to_owned(), Some("Köln/Deutz".to_owned())),
                ("code".to_owned(), None)
            ]
        );
        assert!(partitions("").is_empty());
        assert_eq!([unescape("100%"), unescape("%+1"), unescape("%zz")], ["100%", "%+1", "%zz"]);
    }
}
