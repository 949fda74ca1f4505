//! Encodings by their names.

use std::fmt;

use super::single;

/// How the input's text is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    Utf8,
    /// One byte a character: the table's number.
    Single(u8),
    /// Two bytes a unit.
    Utf16 {
        /// The first of them is the higher one.
        big: bool,
    },
}

/// Encodings whose tables would be as large as all the rest of the transform.
const EAST_ASIAN: [&str; 15] = [
    "big5",
    "big5-hkscs",
    "cp932",
    "cp936",
    "cp949",
    "euc-jp",
    "euc-kr",
    "gb2312",
    "gb18030",
    "gbk",
    "iso-2022-jp",
    "ms932",
    "shift-jis",
    "shift_jis",
    "sjis",
];

impl Encoding {
    /// The encoding of that name, in capitals or not: those of the Encoding Standard and what people write for them.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn named(name: &str) -> Result<Self, (String, String)> {
        let label = name.trim().to_ascii_lowercase();
        Ok(match label.as_str() {
            "utf-8" | "utf8" => Self::Utf8,
            "utf-16" | "utf16" | "utf-16le" | "utf16le" | "ucs-2" => Self::Utf16 { big: false },
            "utf-16be" | "utf16be" => Self::Utf16 { big: true },
            label => match single::named(label) {
                Some(table) => Self::Single(table),
                None if EAST_ASIAN.contains(&label) => {
                    let hint = format!(
                        "convert it before: iconv -f {} -t UTF-8 FILE > FILE.utf8",
                        label.to_uppercase()
                    );
                    return Err((format!("{name} is not read"), hint));
                }
                None => {
                    let hint =
                        "utf-8, utf-16le, utf-16be, or a single-byte one such as windows-1252 or iso-8859-15";
                    return Err((format!("{name:?} is no encoding that is read"), hint.into()));
                }
            },
        })
    }

    /// Its name, as a spec pins it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Single(table) => single::name(table),
            Self::Utf16 { big: false } => "utf-16le",
            Self::Utf16 { big: true } => "utf-16be",
        }
    }

    /// Bytes that a text took before it was UTF-8.
    #[must_use]
    pub fn bytes_of(self, text: &[u8]) -> u64 {
        let characters = || text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u64;
        let pairs = || text.iter().filter(|byte| (0xf0..super::BROKEN).contains(*byte)).count() as u64;
        match self {
            Self::Utf8 => text.len() as u64,
            Self::Single(_) => characters(),
            // A character of four bytes is a pair of units.
            Self::Utf16 { .. } => 2 * (characters() + pairs()),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
