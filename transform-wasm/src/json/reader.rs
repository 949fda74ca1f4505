//! Where records begin in a JSON source object: NDJSON lines, an array, values one after the other,
//! or an array below a path.
//!
//! For: the state between records. Not for: what is inside a record. The decision to know: every
//! move is all or nothing, so that running into the end of the buffer changes no state and the same
//! call is made again when more bytes are there.

use crate::error::{Code, Failure};

use super::cursor::{Cursor, Stop, unexpected};
use super::skip::{Care, Skipper, missing_colon, missing_comma, not_a_key, trailing_comma};
use super::tape::Tape;
use super::text::unescape;

/// What stands next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A record's value begins here.
    Record(usize),
    /// Something beside the records, where the document was to be nothing but the way to them.
    Beside(Beside),
    /// The input is over.
    End,
}

/// What stands beside records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// A key, in the object at this level of the way.
    Key {
        /// 0 for the document itself.
        level: usize,
    },
    /// Another document.
    Document,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between top-level values.
    Top,
    /// After `[` of the records, or after a comma in it.
    Element { first: bool },
    /// After an element of the records.
    AfterElement,
    /// In the object on the path at a level, before a key (`first`: a closing bracket may come).
    Key { level: usize, first: bool },
    /// Before the object that is the one record at the path's end.
    Value { level: usize },
    /// Before the key of a record, whose value stands `value` bytes behind it.
    Member { level: usize, value: usize },
    /// In the object on the path at a level, after a value.
    AfterValue { level: usize },
}

/// Finds records in a document.
#[derive(Debug)]
pub struct DocumentReader {
    state: State,
    path: Vec<Vec<u8>>,
    depth: usize,
    /// Says what stands beside the records, instead of skipping it.
    alone: bool,
    /// Whether the path led to records.
    pub found: bool,
    /// Top-level values that were one record themselves.
    pub single: u64,
    /// Line ends between them that are written as a backslash and a letter.
    pub literal_ends: u64,
    /// Names of the values of records that are arrays, where the document has them; raw, as between quotes.
    pub names: Vec<Vec<u8>>,
    names_at: Option<NamesAt>,
    skipper: Skipper,
}

/// Where the names of values stand.
#[derive(Clone, Debug)]
pub struct NamesAt {
    /// Keys of the array that holds them.
    pub keys: Vec<String>,
    /// The key of each in its object, where they are no texts.
    pub key: Option<String>,
}

/// What stands for any key at the end of a path.
const ANY: &[u8] = b"*";

impl DocumentReader {
    /// Reads records at the top, or below `path` (keys).
    pub fn new(path: Vec<String>, depth: usize) -> Self {
        Self {
            state: State::Top,
            alone: false,
            found: path.is_empty(),
            path: path.into_iter().map(String::into_bytes).collect(),
            depth,
            single: 0,
            literal_ends: 0,
            names: Vec::new(),
            names_at: None,
            skipper: Skipper::default(),
        }
    }

    /// The same, for a document that is to be nothing but the way to its records.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The same, where the document has the names of its records' values.
    #[must_use]
    pub fn named(self, names_at: Option<NamesAt>) -> Self {
        Self { names_at, ..self }
    }

    /// Moves to the next record.
    ///
    /// # Errors
    /// `Incomplete`, `Syntax`, and `Fail` where the top level is no object or array.
    pub fn next(&mut self, cursor: &Cursor<'_>, at: &mut usize) -> Result<Next, Stop> {
        loop {
            match self.state {
                State::Top => {
                    let Some(next) = self.top(cursor, at)? else { continue };
                    return Ok(next);
                }
                State::Element { first } => {
                    let (here, byte) = cursor.next(*at)?;
                    if byte == b']' {
                        if !first {
                            return Err(trailing_comma(here));
                        }
                        self.leave_array(here, at);
                        continue;
                    }
                    if byte == b'[' && self.names.is_empty() && self.names_at.is_some() {
                        return Err(names_missing().into());
                    }
                    *at = here;
                    return Ok(Next::Record(here));
                }
                State::Value { .. } => return Ok(Next::Record(*at)),
                State::Member { value, .. } => return Ok(Next::Record(*at + value)),
                State::AfterElement => {
                    let (here, byte) = cursor.next(*at)?;
                    match byte {
                        b',' => {
                            *at = here + 1;
                            self.state = State::Element { first: false };
                        }
                        b']' => self.leave_array(here, at),
                        _ => return Err(missing_comma(cursor.input, here)),
                    }
                }
                State::Key { level, first } => {
                    if let Some(next) = self.key(cursor, at, level, first)? {
                        return Ok(next);
                    }
                }
                State::AfterValue { level } => {
                    let (here, byte) = cursor.next(*at)?;
                    *at = here + 1;
                    self.state = match byte {
                        b',' if self.alone => return Ok(Next::Beside(Beside::Key { level })),
                        b',' => State::Key { level, first: false },
                        b'}' if level == 0 => State::Top,
                        b'}' => State::AfterValue { level: level - 1 },
                        _ => return Err(missing_comma(cursor.input, here)),
                    };
                }
            }
        }
    }

    /// Says where the record that `next` found ended.
    pub fn done(&mut self) {
        self.state = match self.state {
            State::Element { .. } => State::AfterElement,
            State::Value { level } | State::Member { level, .. } => State::AfterValue { level },
            other => {
                self.single += 1;
                other
            }
        };
    }

    fn leave_array(&mut self, here: usize, at: &mut usize) {
        *at = here + 1;
        self.state =
            if self.path.is_empty() { State::Top } else { State::AfterValue { level: self.path.len() - 1 } };
    }

    fn top(&mut self, cursor: &Cursor<'_>, at: &mut usize) -> Result<Option<Next>, Stop> {
        let (here, byte) = match cursor.next(*at) {
            Ok(found) => found,
            Err(_) if cursor.complete => return Ok(Some(Next::End)),
            Err(stop) => return Err(stop),
        };
        if self.alone && self.found {
            *at = here;
            return Ok(Some(Next::Beside(Beside::Document)));
        }
        match byte {
            // No value begins with a backslash: two characters where somebody meant a line end.
            b'\\' if self.single > 0 => match cursor.input.get(here + 1) {
                Some(b'n' | b'r') => {
                    self.literal_ends += 1;
                    *at = here + 2;
                }
                Some(_) => return Err(unexpected(cursor.input, here)),
                None => return Err(cursor.end(here + 1)),
            },
            b'{' if self.path.is_empty() => {
                *at = here;
                return Ok(Some(Next::Record(here)));
            }
            b'{' => {
                *at = here + 1;
                // Names are those of their own document.
                self.names.clear();
                self.found |= self.path.len() == 1 && self.path[0] == ANY;
                self.state = State::Key { level: 0, first: true };
            }
            b'[' if self.path.is_empty() => {
                *at = here + 1;
                self.state = State::Element { first: true };
            }
            b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                // Words and numbers must be whole before the message can be trusted.
                self.skipper.skip(cursor, here, self.depth, Care::Grammar)?;
                return Err(self.not_records(byte).into());
            }
            _ => return Err(unexpected(cursor.input, here)),
        }
        Ok(None)
    }

    fn not_records(&self, byte: u8) -> Failure {
        if byte == b'[' {
            return Failure::input(
                Code::RecordsNotFound,
                "the input is an array, so it has no path to records",
            )
            .hint("remove records from [input]");
        }
        Failure::input(
            Code::NotRecords,
            "the top level of the input is a scalar, but records must be objects",
        )
    }

    fn key(
        &mut self,
        cursor: &Cursor<'_>,
        at: &mut usize,
        level: usize,
        first: bool,
    ) -> Result<Option<Next>, Stop> {
        let (here, byte) = cursor.next(*at)?;
        if byte == b'}' && first {
            *at = here + 1;
            self.state = if level == 0 { State::Top } else { State::AfterValue { level: level - 1 } };
            return Ok(None);
        }
        if byte != b'"' {
            return Err(not_a_key(cursor.input, here));
        }
        let end = self.skipper.text(cursor, here, Care::Grammar)?;
        let mut key = Vec::new();
        let last = level + 1 == self.path.len();
        let any = last && self.path[level] == ANY;
        // Only records are judged by more than the grammar: a key that is no text is none of the path's.
        let on_path = match unescape(&cursor.input[here + 1..end - 1], here + 1, &mut key) {
            Err(Stop::Reject(_)) => any,
            other => other.map(|()| any || key == self.path[level])?,
        };
        let (colon, byte) = cursor.next(end)?;
        if byte != b':' {
            return Err(missing_colon(colon));
        }
        let (value, byte) = cursor.next(colon + 1)?;
        if any {
            *at = here;
            self.state = State::Member { level, value: value - here };
            return Ok(Some(Next::Record(value)));
        }
        if !on_path || byte == b'n' {
            let end = self.skipper.skip(cursor, value, self.depth, Care::Grammar)?;
            self.take_names(cursor, value, level, &key);
            *at = end;
            self.state = State::AfterValue { level };
            return Ok(None);
        }
        self.enter(at, value, byte, level)
    }

    /// Goes into the value of a key of the path.
    fn enter(&mut self, at: &mut usize, value: usize, byte: u8, level: usize) -> Result<Option<Next>, Stop> {
        let last = level + 1 == self.path.len();
        self.found |= last;
        match (byte, last) {
            (b'[', true) => {
                *at = value + 1;
                self.state = State::Element { first: true };
                Ok(None)
            }
            (b'{', true) => {
                // One record where others are in an array: taken as one.
                *at = value;
                self.state = State::Value { level };
                Ok(Some(Next::Record(value)))
            }
            (b'{', false) => {
                *at = value + 1;
                self.found |= level + 2 == self.path.len() && self.path[level + 1] == ANY;
                self.state = State::Key { level: level + 1, first: true };
                Ok(None)
            }
            _ => Err(Failure::input(
                Code::RecordsNotFound,
                "the path of records does not lead to an array of objects",
            )
            .hint("check records in [input]")
            .into()),
        }
    }

    /// Takes the names of values, if they stand below a key that is none of the way to the records.
    fn take_names(&mut self, cursor: &Cursor<'_>, at: usize, level: usize, key: &[u8]) {
        let Some(NamesAt { keys, key: of }) = &self.names_at else { return };
        let way = keys.iter().zip(&self.path).take(level);
        let is_way = keys.get(level).is_some_and(|wanted| wanted.as_bytes() == key)
            && way.clone().count() == level
            && way.into_iter().all(|(one, other)| one.as_bytes() == other);
        let mut tape = Tape::default();
        if !is_way || tape.read(cursor, at, self.depth).is_err() {
            return;
        }
        let value = tape.value(cursor.input);
        let array = keys[level + 1..].iter().try_fold(value, |value, key| value.get(key.as_bytes()));
        let names = array.into_iter().flat_map(|array| array.elements()).map(|element| {
            let name = of.as_ref().map_or(Some(element), |of| element.get(of.as_bytes()));
            name.and_then(|name| name.quoted()).map(<[u8]>::to_vec)
        });
        // One that is no text would shift those behind it.
        self.names = names.collect::<Option<_>>().unwrap_or_default();
    }
}

/// The failure of rows whose names have not come.
#[cold]
fn names_missing() -> Failure {
    let message = "the rows come before the names of their values, or columns_at does not lead to names";
    Failure::input(Code::RecordsNotFound, message)
        .hint("check columns_at in [input]; where the names come last, name them with columns")
}
