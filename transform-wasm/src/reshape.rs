//! Records that are rewritten before anything looks at them: value conventions, JSON within texts, arrays as objects,
//! rows that lie several levels down.
//!
//! For: forms of a record that a spec names. Not for: what a value becomes (`shred`). The decision to know: what comes
//! out is the text of a record as somebody would have written it plainly, so that columns, types, learning and every
//! option mean the same as ever, and a record that is not rewritten pays nothing. Steps follow one another: names and
//! keys that stand outside the record, texts that hold JSON (at the paths as they came), conventions, and last what
//! is said of paths as they are by then.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::conventions::{Convention, Writer};
use crate::error::Failure;
use crate::json::tape::{Tape, Value};
use crate::json::{Cursor, Reject, Stop};
use crate::limits::Limits;
use crate::names::path_to_pointer;
use crate::spec::{RowsPath, Spec, Widths, positions};

mod paths;

use paths::{Act, Paths};

/// What stands outside a record and belongs to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The key under which it stands, raw as between quotes.
    pub key: Option<&'a [u8]>,
    /// Names of its values where it is an array, raw as well.
    pub names: &'a [Vec<u8>],
}

/// How records are rewritten.
#[derive(Debug)]
pub struct Reshape {
    steps: Vec<Step>,
    /// Name of the column that the key of a record makes, raw.
    key: Vec<u8>,
    widths: Widths,
    /// Values that the record had which was rewritten last, and names for them, where it was an array.
    width: Option<(usize, usize)>,
    tape: Tape,
    text: Vec<u8>,
    spare: Vec<u8>,
}

#[derive(Debug)]
enum Step {
    Paths(Paths),
    Convention(&'static Convention),
}

/// What a spec says that cannot be had together.
#[derive(Debug)]
pub struct Conflict {
    /// The key that says it, as `table.0.rows`.
    pub key: String,
    /// Why it cannot be had.
    pub message: String,
}

impl Reshape {
    /// As a spec says; none where records are read as they come.
    ///
    /// # Errors
    /// What cannot be had together.
    pub fn new(spec: &Spec) -> Result<Option<Self>, Conflict> {
        let input = &spec.input;
        let most = spec.limits.record_bytes.saturating_mul(2);
        let mut steps = Vec::new();
        let mut texts = Paths::new(most);
        for path in &input.parse_json {
            texts.add(&path_to_pointer(path), &Act::Parse);
        }
        if !texts.is_empty() {
            steps.push(Step::Paths(texts));
        }
        steps.extend(input.conventions.iter().map(|named| Step::Convention(named.0)));
        let shape = shape(spec, most)?;
        if !shape.is_empty() {
            steps.push(Step::Paths(shape));
        }
        if steps.is_empty() && !input.has_beside() {
            return Ok(None);
        }
        Ok(Some(Self {
            steps,
            key: raw(input.key.as_deref().unwrap_or("key")),
            widths: Widths::new(input),
            width: None,
            tape: Tape::default(),
            text: Vec::new(),
            spare: Vec::new(),
        }))
    }

    /// The record as it was rewritten last.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Values that it had and names for them, where it was an array.
    pub fn width(&self) -> Option<(usize, usize)> {
        self.width
    }

    /// What becomes of arrays of another length than their names.
    pub fn widths(&self) -> Widths {
        self.widths
    }

    /// Rewrites the record that begins at `at`; the position after it, where it came from.
    ///
    /// # Errors
    /// See [`Stop`]; places are those of the record as it came.
    pub fn apply(
        &mut self,
        cursor: &Cursor<'_>,
        at: usize,
        depth: usize,
        beside: Beside<'_>,
    ) -> Result<usize, Stop> {
        let Self { steps, key, widths, width, tape, text, spare } = self;
        let end = tape.read(cursor, at, depth)?;
        let record = tape.value(&cursor.input[..end]);
        text.clear();
        *width = None;
        let mut steps = steps.iter_mut();
        if record.is_array() && !beside.names.is_empty() {
            let found = as_object(record, beside.names, *widths, text);
            let found = found.map_err(|why| Reject::at("field_count", why, at))?;
            *width = Some((found, beside.names.len()));
        } else if !record.is_object() {
            return Err(Reject::at("not_an_object", "the record is no object", at).into());
        } else if let Some(of) = beside.key {
            with_key(record, key, of, text);
        } else {
            match steps.next() {
                Some(step) => step.write(record, text).map_err(|stop| of_record(stop, at))?,
                None => text.extend_from_slice(record.raw()),
            }
        }
        for step in steps {
            let cursor = Cursor { input: text, complete: true };
            let read = tape.read(&cursor, 0, Limits::DEPTH_CEILING);
            spare.clear();
            read.and_then(|_| step.write(tape.value(text), spare)).map_err(|stop| of_record(stop, at))?;
            std::mem::swap(text, spare);
        }
        Ok(end)
    }
}

impl Step {
    fn write(&mut self, record: Value<'_>, out: &mut Vec<u8>) -> Result<(), Stop> {
        match self {
            Self::Paths(paths) => paths.write(record, out)?,
            Self::Convention(convention) => (convention.record)(record, &mut Writer::new(out, convention)),
        }
        Ok(())
    }
}

/// A stop at a record that was rewritten, as one of the record that came.
///
/// Where in its text the value stood that is wrong, nobody knows any more: its path tells.
pub fn of_record(stop: Stop, at: usize) -> Stop {
    match stop {
        Stop::Reject(reject) => Reject { at: None, ..*reject }.into(),
        Stop::Syntax { message, .. } => {
            Failure::internal(format!("the record at byte {at} was rewritten as no JSON: {message}")).into()
        }
        Stop::Incomplete => Failure::internal("a record was rewritten as half of one").into(),
        other => other,
    }
}

/// What is done at paths, once conventions are read.
fn shape(spec: &Spec, most: usize) -> Result<Paths, Conflict> {
    let mut paths = Paths::new(most);
    let mut exploded: Vec<(String, bool)> = Vec::new();
    for (number, table) in spec.tables.iter().enumerate() {
        let Some(rows) = &table.rows else { continue };
        let path = RowsPath::parse(rows);
        let (pointer, reshaped) = (path.pointer(), path.is_reshaped());
        let within = |one: &str, other: &str| one == other || one.starts_with(&format!("{other}/"));
        let clashes = exploded.iter().any(|(other, other_reshaped)| {
            let alike = reshaped == *other_reshaped && pointer == *other;
            (reshaped || *other_reshaped) && !alike && (within(&pointer, other) || within(other, &pointer))
        });
        if clashes || (reshaped && !paths.add(&pointer, &Act::Rows(Arc::new(path)))) {
            return Err(Conflict {
                key: format!("table.{number}.rows"),
                message: format!("rows = \"{rows}\" goes through what makes other rows in another table"),
            });
        }
        exploded.push((pointer, reshaped));
    }
    for (number, table) in spec.tables.iter().enumerate() {
        for (column, declared) in table.columns.iter().enumerate() {
            for pointer in positions(declared.path()) {
                if exploded.iter().any(|(rows, _)| *rows == pointer) || !paths.add(&pointer, &Act::Position) {
                    return Err(Conflict {
                        key: format!("table.{number}.column.{column}.from"),
                        message: format!("{pointer} makes rows: it is not read by position too"),
                    });
                }
            }
        }
    }
    Ok(paths)
}

/// A text as it stands between quotes.
pub fn raw(text: &str) -> Vec<u8> {
    let quoted = Json::from(text).to_string();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

/// An array of values as the object that its names make of it; how many it has.
fn as_object(
    array: Value<'_>,
    names: &[Vec<u8>],
    widths: Widths,
    out: &mut Vec<u8>,
) -> Result<usize, String> {
    let (found, wanted) = (array.elements().count(), names.len());
    let taken = if widths.names_more() && found > wanted { Some(found) } else { None };
    let taken = taken.or_else(|| widths.taken(found, wanted, false)).ok_or_else(|| {
        let way = Widths::way(found, wanted);
        format!("the record has {found} values, {wanted} are named: {way} in [input] takes such records")
    })?;
    out.push(b'{');
    for (number, value) in array.elements().take(taken).enumerate() {
        out.extend_from_slice(if number > 0 { b",\"" } else { b"\"" });
        match names.get(number) {
            Some(name) => out.extend_from_slice(name),
            None => out.extend_from_slice(format!("column_{}", number + 1).as_bytes()),
        }
        out.extend_from_slice(b"\":");
        out.extend_from_slice(value.raw());
    }
    out.push(b'}');
    Ok(found)
}

/// A record with the key under which it stood.
fn with_key(record: Value<'_>, name: &[u8], key: &[u8], out: &mut Vec<u8>) {
    for piece in [b"{\"", name, b"\":\"", key, b"\""] {
        out.extend_from_slice(piece);
    }
    if record.members().next().is_some() {
        out.push(b',');
    }
    out.extend_from_slice(&record.raw()[1..]);
}
