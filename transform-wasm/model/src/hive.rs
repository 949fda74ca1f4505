//! Names and values in Hive's partition paths: `order_date=2025-01-01/city=a%2Fb/`.
//!
//! The escaping is Hive's own (`FileUtils.escapePathName`): the characters `" # % ' * / : = ? \ { [
//! ] ^` and control characters as upper-case %XX; null or empty is `__HIVE_DEFAULT_PARTITION__`.

use std::fmt::Write as _;

/// The value of a partition that has none.
pub const DEFAULT_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Longest `name=value` in bytes, as escaped: no file system of the homes takes a longer name of a folder.
pub const FOLDER_BYTES: usize = 255;

/// Longest path of all partition columns in bytes: S3 takes keys of 1,024, and the names of lake, table and
/// part file need room beside it.
pub const PATH_BYTES: usize = 512;

/// Whether a character cannot stand in a partition's path as it is. Hive's list ends with ASCII: the control
/// characters beyond it, such as U+0085, stay.
fn is_escaped(c: char) -> bool {
    c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c)
}

/// Whether the path of so many bytes may get a folder of so many.
pub fn fits(path_bytes: usize, folder_bytes: usize) -> bool {
    // With the slash behind the folder.
    folder_bytes <= FOLDER_BYTES && path_bytes + folder_bytes < PATH_BYTES
}

/// Whether a path is empty or `name=value/name=value/`, escaped and within the limits: nothing that climbs,
/// hides, or is one path here and another there.
pub fn is_path(path: &str) -> bool {
    let Some(inner) = path.strip_suffix('/') else { return path.is_empty() };
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let is_value = |value: &str| !value.is_empty() && !value.chars().any(|c| c != '%' && is_escaped(c));
    let is_folder = |folder: &str| {
        folder.len() <= FOLDER_BYTES
            && folder.split_once('=').is_some_and(|(name, value)| is_name(name) && is_value(value))
    };
    path.len() <= PATH_BYTES && inner.split('/').all(is_folder)
}

/// Escapes a partition value.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if is_escaped(c) {
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
    fn what_is_escaped_is_a_path_whatever_the_character() {
        let odd =
            ['\u{85}', '\u{9f}', '\u{a0}', '\u{2028}', '\u{feff}', '\u{fffe}', '\u{ffff}', '\u{10ffff}'];
        for c in (0..0x3000).filter_map(char::from_u32).chain(odd) {
            let value = format!("a{c}b");
            let path = format!("x={}/", escape(&value));
            assert!(is_path(&path), "{:x}", c as u32);
            assert_eq!(partitions(&path), [("x".to_owned(), Some(value))], "{:x}", c as u32);
        }
    }

    #[test]
    fn paths_cannot_climb_or_hide_and_end_before_a_file_system_does() {
        let long = |value: usize| format!("a={}/", "v".repeat(value));
        for good in ["", "a=1/", "d=2025-01-01/h=%3A/", "a=__HIVE_DEFAULT_PARTITION__/", "n=Zürich 1/"] {
            assert!(is_path(good), "{good}");
        }
        for bad in ["a", "/", "a=/", "=1/", "../", "a=1/../", "a=b=c/", "A=1/", "a=x\\y/", "a=1//", ".a=1/"] {
            assert!(!is_path(bad), "{bad}");
        }
        assert!(is_path(&long(FOLDER_BYTES - 2)) && !is_path(&long(FOLDER_BYTES - 1)));
        assert!(fits(0, FOLDER_BYTES) && !fits(0, FOLDER_BYTES + 1));
        let two = long(253) + &long(253);
        assert!(two.len() == PATH_BYTES && is_path(&two) && fits(256, 255));
        assert!(!is_path(&(long(253) + &long(252) + "b=1/")) && !fits(511, 3));
    }

    #[test]
    fn what_is_escaped_is_read_back() {
        let all: String = (0..0x250).filter_map(char::from_u32).collect();
        assert_eq!(unescape(&escape(&all)), all);
        assert_eq!(escape("a b/c=d%\u{1}ö"), "a b%2Fc%3Dd%25%01ö");
    }
}
