//! Names and values in Hive's partition paths: `order_date=2025-01-01/city=a%2Fb/`.
//!
//! The escaping is Hive's own (`FileUtils.escapePathName`): the characters `" # % ' * / : = ? \ { [
//! ] ^` and control characters as upper-case %XX; null or empty is `__HIVE_DEFAULT_PARTITION__`.

use std::fmt::Write as _;

/// The value of a partition that has none.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Escapes a partition value.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            let _ = write!(out, "%{:02X}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// The value that [`escape`] was given. A `%` that begins no escape stays as it is.
pub fn unescape(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        match (bytes[i], digit(bytes.get(i + 1)), digit(bytes.get(i + 2))) {
            (b'%', Some(high), Some(low)) => {
                // Two digits of 16 are below 256.
                out.push((high * 16 + low) as u8);
                i += 3;
            }
            (byte, ..) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Names and values of a path, in its order; [`DEFAULT_PARTITION`] is null.
pub fn partitions(path: &str) -> Vec<(String, Option<String>)> {
    let value = |value: &str| (value != DEFAULT_PARTITION).then(|| unescape(value));
    let folders = path.split('/').filter_map(|folder| folder.split_once('='));
    folders.map(|(name, text)| (unescape(name), value(text))).collect()
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

    #[test]
    fn what_is_escaped_is_read_back() {
        let all: String = (0..0x250).filter_map(char::from_u32).collect();
        assert_eq!(unescape(&escape(&all)), all);
        assert_eq!(escape("a b/c=d%\u{1}ö"), "a b%2Fc%3Dd%25%01ö");
    }
}
