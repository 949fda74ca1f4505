//! Functions that look into a JSON text: `json_extract_scalar`, `json_array_length`.
//!
//! For: one value below a constant path, found without building the document. Not for: JSON columns, which are texts here.
//! The decisions to know, all of them Athena's (Trino's): a text that is no JSON, a path that leads nowhere and, for a scalar,
//! an object or an array are null; a number comes as it is written; of a key that stands twice the first is taken.

use arrow::datatypes::Int64Type;

use super::error::RowErrors;
use super::vector::{Cell, Shape, Value};
use crate::column::ColumnType;
use crate::json::skip::Care;

use crate::json::{Cursor, Skipper, Stop, unescape};

/// Levels of a document that are looked into.
const DEPTH: usize = 512;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JsonStep {
    Key(String),
    Place(usize),
}

/// A path, `$.a["b c"][0]`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn path(text: &str) -> Result<Vec<JsonStep>, &'static str> {
    let mut rest = text.strip_prefix('$').ok_or("a JSON path begins with $")?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let (key, behind) = quoted.split_once("\"]").ok_or("[\" is never closed in the JSON path")?;
            steps.push(JsonStep::Key(key.to_owned()));
            rest = behind;
        } else if let Some(place) = rest.strip_prefix('[') {
            let (place, behind) = place.split_once(']').ok_or("[ is never closed in the JSON path")?;
            steps.push(JsonStep::Place(
                place.parse().map_err(|_| "[ ] of a JSON path holds a number or a text in \"\"")?,
            ));
            rest = behind;
        } else {
            let name = rest.strip_prefix('.').ok_or("a step of a JSON path begins with . or [")?;
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (key, behind) = name.split_at(end);
            if key.is_empty() || key.contains(['*', '?', '(', '@', ' ']) {
                return Err("a step of a JSON path is a plain name, or [\"any text\"]");
            }
            steps.push(JsonStep::Key(key.to_owned()));
            rest = behind;
        }
    }
    Ok(steps)
}

/// The scalar at a path as text.
pub(super) fn extract_scalar(
    shape: Shape,
    path: &[JsonStep],
    value: &Value,
    errors: &mut RowErrors,
) -> Value {
    let texts = value.texts();
    let mut reader = Reader::default();
    shape.texts(errors, |row, pen| {
        let Some(found) = texts.get(row).and_then(|text| reader.scalar(text.as_bytes(), path).ok().flatten())
        else {
            return Ok(None);
        };
        match str::from_utf8(found) {
            Ok(text) => pen.write(text).map(Some),
            Err(_) => Ok(None),
        }
    })
}

/// Elements of an array.
pub(super) fn array_length(shape: Shape, value: &Value, errors: &mut RowErrors) -> Value {
    let texts = value.texts();
    let mut reader = Reader::default();
    shape.numbers::<Int64Type>(ColumnType::Bigint, errors, |row| -> Cell<i64> {
        Ok(texts.get(row).and_then(|text| reader.length(text.as_bytes()).ok().flatten()))
    })
}

#[derive(Default)]
struct Reader {
    skipper: Skipper,
    text: Vec<u8>,
}

impl Reader {
    fn scalar<'a>(&'a mut self, text: &'a [u8], path: &[JsonStep]) -> Result<Option<&'a [u8]>, Stop> {
        let cursor = Cursor { input: text, complete: true };
        self.check(&cursor)?;
        let mut at = 0;
        for step in path {
            let Some(below) = self.step(&cursor, at, step)? else { return Ok(None) };
            at = below;
        }
        let (at, byte) = cursor.next(at)?;
        Ok(match byte {
            b'{' | b'[' | b'n' => None,
            b'"' => {
                let (string, _) = cursor.string(at)?;
                if !string.escaped {
                    return Ok(Some(string.raw));
                }
                self.text.clear();
                unescape(string.raw, at, &mut self.text)?;
                Some(&self.text)
            }
            _ => {
                let end = self.skipper.skip(&cursor, at, DEPTH, Care::Grammar)?;
                Some(&text[at..end])
            }
        })
    }

    fn length(&mut self, text: &[u8]) -> Result<Option<i64>, Stop> {
        let cursor = Cursor { input: text, complete: true };
        self.check(&cursor)?;
        let (at, byte) = cursor.next(0)?;
        if byte != b'[' {
            return Ok(None);
        }
        let mut count = 0;
        self.elements(&cursor, at, |_, _| {
            count += 1;
            false
        })?;
        Ok(Some(count))
    }

    /// The text is one JSON value and nothing else.
    fn check(&mut self, cursor: &Cursor<'_>) -> Result<(), Stop> {
        let end = self.skipper.skip(cursor, 0, DEPTH, Care::Grammar)?;
        if cursor.input[end..].trim_ascii().is_empty() { Ok(()) } else { Err(cursor.end(end)) }
    }

    /// Where the value begins that is a step below the one at `at`.
    fn step(&mut self, cursor: &Cursor<'_>, at: usize, step: &JsonStep) -> Result<Option<usize>, Stop> {
        let (at, byte) = cursor.next(at)?;
        match (byte, step) {
            (b'[', JsonStep::Place(place)) => self.elements(cursor, at, |number, _| number == *place),
            (b'{', JsonStep::Key(key)) => self.member(cursor, at, key),
            _ => Ok(None),
        }
    }

    /// Where the first element begins that is `wanted`, by its number and place.
    fn elements(
        &mut self,
        cursor: &Cursor<'_>,
        at: usize,
        mut wanted: impl FnMut(usize, usize) -> bool,
    ) -> Result<Option<usize>, Stop> {
        let (mut at, mut byte) = cursor.next(at + 1)?;
        let mut number = 0;
        while byte != b']' {
            if wanted(number, at) {
                return Ok(Some(at));
            }
            number += 1;
            let end = self.skipper.skip(cursor, at, DEPTH, Care::Grammar)?;
            (at, byte) = cursor.next(end)?;
            if byte == b',' {
                (at, byte) = cursor.next(at + 1)?;
            }
        }
        Ok(None)
    }

    fn member(&mut self, cursor: &Cursor<'_>, at: usize, key: &str) -> Result<Option<usize>, Stop> {
        let (mut at, mut byte) = cursor.next(at + 1)?;
        while byte != b'}' {
            let (name, behind) = cursor.string(at)?;
            let is_it = if name.escaped {
                self.text.clear();
                unescape(name.raw, at, &mut self.text)?;
                self.text == key.as_bytes()
            } else {
                name.raw == key.as_bytes()
            };
            let (colon, _) = cursor.next(behind)?;
            let (value, _) = cursor.next(colon + 1)?;
            if is_it {
                return Ok(Some(value));
            }
            let end = self.skipper.skip(cursor, value, DEPTH, Care::Grammar)?;
            (at, byte) = cursor.next(end)?;
            if byte == b',' {
                (at, byte) = cursor.next(at + 1)?;
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_or_refused() {
        let key = |text: &str| JsonStep::Key(text.into());
        assert_eq!(path("$"), Ok(vec![]));
        assert_eq!(
            path("$.a.b-c[0][\"d e\"]"),
            Ok(vec![key("a"), key("b-c"), JsonStep::Place(0), key("d e")])
        );
        for wrong in ["", "a", "$a", "$.", "$..a", "$.*", "$[", "$[x]", "$[-1]", "$[\"a]", "$.a b"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn scalars_come_as_they_are_written() {
        let text =
            r#" {"a": {"b": [1.10, "x\u00e9\n", true, null, {}]}, "a\u0062": 1e3, "twice": 1, "twice": 2} "#;
        for (steps, found) in [
            ("$.a.b[0]", Some("1.10")),
            ("$.a.b[1]", Some("x\u{e9}\n")),
            ("$.a.b[2]", Some("true")),
            ("$.a.b[3]", None),
            ("$.a.b[4]", None),
            ("$.a.b[5]", None),
            ("$.a.b", None),
            ("$.a.c", None),
            ("$.ab", Some("1e3")),
            ("$[\"twice\"]", Some("1")),
            ("$.a.b[0].c", None),
        ] {
            let mut reader = Reader::default();
            let told = reader.scalar(text.as_bytes(), &path(steps).unwrap()).unwrap();
            assert_eq!(told.map(|told| str::from_utf8(told).unwrap()), found, "{steps}");
        }
        let mut reader = Reader::default();
        for broken in ["", "{", "{\"a\":1} x", "[1,]", "nope"] {
            assert!(reader.scalar(broken.as_bytes(), &[]).is_err(), "{broken}");
            assert!(reader.length(broken.as_bytes()).is_err(), "{broken}");
        }
        for (text, length) in
            [("[]", Some(0)), (" [1, [2, 3], {\"a\": [4]}]", Some(3)), ("{}", None), ("\"[]\"", None)]
        {
            assert_eq!(reader.length(text.as_bytes()).unwrap(), length, "{text}");
        }
    }
}
