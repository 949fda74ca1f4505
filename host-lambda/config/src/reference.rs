//! Every key of `lakegate.toml`, for people: `lakegate config keys`, and the tables in `docs/aws.md`.
//!
//! Not for reading the text. The decision to know: it is made from the list that the reader and its complaints
//! follow, so a page that a test compares with it says what the program does.

use serde::Serialize;

use crate::keys::{Key, Kind, SECTIONS};
use crate::limits::shown;
use crate::stack::spoken;

/// A section of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeySection {
    /// `[pipeline.NAME.limits]`; that of the whole file is called `the configuration`.
    pub section: &'static str,
    /// Its keys.
    pub keys: Vec<KeyLine>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyLine {
    /// Its name.
    pub key: &'static str,
    /// What its value may be.
    pub value: String,
    /// What holds without it.
    pub absent: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

/// All sections with all keys, in the order in which a file has them.
pub fn reference() -> Vec<KeySection> {
    let line =
        |key: &Key| KeyLine { key: key.name, value: value(key.kind), absent: key.absent, meaning: key.means };
    let section = |keys: &'static crate::keys::Keys| KeySection {
        section: keys.title,
        keys: keys.keys.iter().map(line).collect(),
    };
    SECTIONS.into_iter().map(section).collect()
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Section => "section".to_owned(),
        Kind::Place => "`s3://BUCKET/PREFIX/`, or a folder".to_owned(),
        Kind::File => "`s3://BUCKET/KEY`, or a file".to_owned(),
        Kind::Files => "`s3://BUCKET/KEY`, a file or a key's base64 line; or a list".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Texts => "text, or a list of texts".to_owned(),
        Kind::Topic => "ARN or name of a standard SNS topic".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::FlagOrName => "a name, or true or false".to_owned(),
        Kind::FlagOrSeconds(most) => format!("true, false, or 1 to {most} seconds"),
        Kind::Words(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Kind::Count(least, most) if least == most => least.to_string(),
        Kind::Count(least, u32::MAX) => format!("number from {least}"),
        Kind::Count(least, most) => format!("{least} to {most}"),
        Kind::Sequence => "number from 0".to_owned(),
        Kind::Bytes(least, most) => format!("{} to {}", shown(least), shown(most)),
        Kind::ShareOrRecords => "`\"1%\"`, or a number".to_owned(),
        Kind::Span(least, most) => format!("`\"{}\"` to `\"{}\"`", spoken(least), spoken(most)),
        Kind::FlagOrSpan(least, most) => {
            format!("`\"{}\"` to `\"{}\"`, or false", spoken(least), spoken(most))
        }
        Kind::Pair => "list of two".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{SPILL_BYTES, STAGING_BYTES, size};
    use lakegate_sandbox::Limits;
    use std::path::Path;

    const BEGIN: &str =
        "<!-- keys: made from host-lambda/config/src/keys.rs; its test writes them with UPDATE=1 -->\n";
    const END: &str = "<!-- end of keys -->\n";

    fn page() -> String {
        let mut text = String::new();
        for section in reference() {
            let title = match section.section.strip_prefix('[') {
                Some(_) => format!("`{}`", section.section),
                None => "At the top".to_owned(),
            };
            text.push_str(&format!(
                "\n### {title}\n\n| key | value | when absent | |\n| --- | --- | --- | --- |\n"
            ));
            for KeyLine { key, value, absent, meaning } in section.keys {
                text.push_str(&format!("| `{key}` | {value} | {absent} | {meaning} |\n"));
            }
        }
        format!("{text}\n")
    }

    #[test]
    fn the_page_has_every_key_as_the_reader_knows_it() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/aws.md");
        let there = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = there.split_once(BEGIN).expect("docs/aws.md has the mark where keys begin");
        let (_, after) = rest.split_once(END).expect("docs/aws.md has the mark where keys end");
        let made = format!("{before}{BEGIN}{}{END}{after}", page());
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap();
        assert!(there == made, "docs/aws.md is not what the list of keys makes: run this test with UPDATE=1");
    }

    #[test]
    fn defaults_are_those_in_use() {
        let limits = reference().into_iter().find(|section| section.section.contains("limits")).unwrap();
        let said = |key: &str| {
            let line = limits.keys.iter().find(|line| line.key == key).unwrap();
            size(line.absent).unwrap_or_else(|_| panic!("{key}: {}", line.absent))
        };
        let guest = Limits::default();
        let used = [
            ("memory_bytes", guest.memory_bytes),
            ("step_seconds", guest.step_seconds.into()),
            ("object_seconds", guest.object_seconds.into()),
            ("output_bytes", guest.output_bytes),
            ("parts", guest.parts.into()),
            ("open_parts", guest.open_parts.into()),
            ("quarantine_bytes", guest.quarantine_bytes),
            ("staging_bytes", STAGING_BYTES),
            ("spill_bytes", SPILL_BYTES),
        ];
        for (key, bytes) in used {
            assert_eq!(said(key), bytes, "{key}");
        }
    }
}
