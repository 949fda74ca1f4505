//! Learning: the same walk, that only remembers kinds.
//!
//! The decisions to know: kinds are joined when the record is whole, so that a broken line teaches nothing, and most
//! values are no news, for which nothing is written down. A record is sent to the judge of what is known already only
//! where the kind of some value leaves doubt (`sure`).

use std::collections::BTreeMap;

use crate::error::Failure;
use crate::json::cursor::unexpected;
use crate::json::skip::{Care, missing_comma, too_deep, trailing_comma};
use crate::json::{
    Cursor, Lost, NOWHERE, Reject, Skipper, Spot, Stop, Walk, unescape, walk_members, walk_object,
};
use crate::keys::Keys;
use crate::learn::{Digits, Kinds, Learned};

use super::Shredder;
use super::fields::header_too_long;
use super::scope::{At, Scope};

mod places;
mod values;

use places::Place;

/// Learns kinds from records.
#[derive(Debug)]
pub struct Learner {
    /// What is known so far.
    pub learned: Learned,
    scope: Scope,
    /// Rejects what could not be taken whatever is learned; none where nothing is known yet.
    judge: Option<Shredder>,
    /// Some value of the record may be one that the judge rejects.
    doubt: bool,
    /// Values are the fields of a CSV.
    fields: bool,
    /// The place of each node of `learned`.
    places: Vec<Place>,
    /// Texts that are null at a node, instead of those of the input.
    nulls: BTreeMap<u32, Vec<Vec<u8>>>,
    events: Vec<Seen>,
    in_array: bool,
    stamp: u32,
    depth: usize,
    skipper: Skipper,
    scratch: Vec<u8>,
    lost: Lost,
    /// Those of [`NOWHERE`]: none.
    no_keys: Keys,
}

/// What a record has at a node.
#[derive(Clone, Copy, Debug)]
struct Seen {
    node: u32,
    kinds: Kinds,
    digits: Digits,
}

impl Walk for Learner {
    fn keys(&mut self, node: u32) -> &mut Keys {
        self.learned.nodes.get_mut(node as usize).map_or(&mut self.no_keys, |node| &mut node.keys)
    }

    fn add_key(&mut self, node: u32, key: &[u8], _stamp: u32) -> Result<Option<usize>, Failure> {
        if node == NOWHERE || !self.wants(node, key) || !self.learned.takes(node, key) || self.is_full(node) {
            return Ok(None);
        }
        self.child(node, key)?;
        Ok(Some(self.learned.nodes[node as usize].keys.len() - 1))
    }

    fn next_stamp(&mut self) -> u32 {
        self.stamp = self.stamp.wrapping_add(1);
        self.stamp
    }

    fn pointer(&self, _node: u32) -> Option<String> {
        None
    }

    fn lost(&mut self) -> &mut Lost {
        &mut self.lost
    }

    fn lost_value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, byte, depth, .. } = *spot;
        match byte {
            // Nobody wants it, however long its path.
            _ if !self.scope.is_free(self.places[self.lost.base() as usize].at)
                || self.is_full(self.lost.base()) =>
            {
                self.skipper.skip(cursor, at, depth, Care::All)
            }
            b'n' => cursor.word(at, b"null"),
            b'{' => walk_object(self, cursor, spot),
            _ => {
                self.skipper.skip(cursor, at, depth, Care::All)?;
                Err(Reject::at("path_too_long", "the path to a value is longer than a column's may be", at)
                    .into())
            }
        }
    }

    fn value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, byte, node, depth } = *spot;
        let (kinds, end) = match byte {
            b'n' => (Kinds::NULL, cursor.word(at, b"null")?),
            b't' => (Kinds::BOOLEAN, cursor.word(at, b"true")?),
            b'f' => (Kinds::BOOLEAN, cursor.word(at, b"false")?),
            b'"' => {
                let (text, end) = cursor.string(at)?;
                if text.escaped {
                    self.scratch.clear();
                    unescape(text.raw, at + 1, &mut self.scratch)?;
                }
                (self.text_kinds(node, text), end)
            }
            b'-' | b'0'..=b'9' => {
                let (number, end) = cursor.number(at)?;
                let text = &cursor.input[at..end];
                let kind = number.kind(text);
                let kind = kind.map_err(|m| Reject::at(m.code(), format!("the number {m}"), at))?;
                self.note_number(node, kind, &number, text);
                return Ok(end);
            }
            b'{' if self.scope.is_rows(self.places[node as usize].at) => {
                return self.lone_element(cursor, spot);
            }
            b'{' if self.places[node as usize].at == At::Closed => {
                (Kinds::OBJECT, self.skipper.skip(cursor, at, depth, Care::All)?)
            }
            b'{' => (Kinds::OBJECT, walk_object(self, cursor, spot)?),
            b'[' => return self.array(cursor, spot),
            _ => return Err(unexpected(cursor.input, at)),
        };
        self.note(node, kinds);
        Ok(end)
    }
}

impl Learner {
    /// Goes on from what is known; only what is in scope is learned, and of the records that `judge` takes.
    pub fn new(learned: Learned, scope: Scope, judge: Option<Shredder>, depth: usize) -> Self {
        let mut learner = Self {
            learned,
            scope,
            judge,
            doubt: false,
            fields: false,
            places: Vec::new(),
            nulls: BTreeMap::new(),
            events: Vec::new(),
            in_array: false,
            stamp: 0,
            depth,
            skipper: Skipper::default(),
            scratch: Vec::new(),
            lost: Lost::default(),
            no_keys: Keys::default(),
        };
        learner.place_all();
        learner
    }

    /// The node of a CSV column, by its header.
    ///
    /// # Errors
    /// Fault `limit`: there are too many, or the name is longer than a path may be.
    pub fn csv_column(&mut self, header: &[u8]) -> Result<u32, Failure> {
        if !self.fields {
            self.fields = true;
            self.place_all();
        }
        if !self.wants(0, header) {
            return Ok(NOWHERE);
        }
        if !self.learned.takes(0, header) {
            return Err(header_too_long());
        }
        self.child(0, header)
    }

    /// Whether a key can teach something: declared, or new where a table takes new paths.
    fn wants(&self, node: u32, key: &[u8]) -> bool {
        let Place { at, .. } = self.places[node as usize];
        self.scope.is_free(at) || self.scope.has(at, key)
    }

    fn child(&mut self, node: u32, key: &[u8]) -> Result<u32, Failure> {
        let child = self.learned.child(node, key)?;
        if child as usize == self.places.len() {
            let place = self.place_below(node, key, child);
            self.places.push(place);
        }
        Ok(child)
    }

    /// The node of an array's elements, if they can teach something.
    fn element(&mut self, node: u32) -> Result<Option<u32>, Failure> {
        let Place { at, .. } = self.places[node as usize];
        if self.scope.element_of(at) == At::Closed && !self.scope.has_element(at) {
            return Ok(None);
        }
        let element = self.learned.element(node)?;
        if element as usize == self.places.len() {
            self.places.push(self.place_of_element(node));
        }
        Ok(Some(element))
    }

    /// Walks the record that begins at `at`; the position after it.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn walk(&mut self, cursor: &Cursor<'_>, at: usize) -> Result<usize, Stop> {
        let walked = self.learn(cursor, at);
        if let Some(judge) = &mut self.judge
            && (self.doubt || walked.as_ref().map_or(true, |&end| judge.may_be_too_large(end - at)))
        {
            judge.begin();
            let judged = judge.walk(cursor, at);
            judge.rollback();
            judged?;
        }
        walked
    }

    /// Who judges the record, where a kind of its values leaves doubt.
    pub fn judge_in_doubt(&mut self) -> Option<&mut Shredder> {
        self.judge.as_mut().filter(|_| self.doubt)
    }

    /// Who judges records.
    pub fn judge(&mut self) -> Option<&mut Shredder> {
        self.judge.as_mut()
    }

    fn learn(&mut self, cursor: &Cursor<'_>, at: usize) -> Result<usize, Stop> {
        self.lost.clear();
        let (at, byte) = cursor.next(at)?;
        if byte != b'{' {
            self.skipper.skip(cursor, at, self.depth, Care::All)?;
            return Err(Reject::at("not_an_object", "the record is no object", at).into());
        }
        walk_object(self, cursor, &Spot { at, byte, node: 0, depth: self.depth })
    }

    /// Goes on with a record whose array at `path` was read as records: with the keys that stand beside it, from those
    /// of the object at `level` outwards. The position after the record.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn walk_rest(
        &mut self,
        cursor: &Cursor<'_>,
        mut at: usize,
        path: &[String],
        mut level: usize,
    ) -> Result<usize, Stop> {
        self.lost.clear();
        let mut nodes = vec![0];
        for key in path.iter().take(level) {
            nodes.push(self.child(nodes[nodes.len() - 1], key.as_bytes())?);
        }
        loop {
            let (key, byte) = cursor.next(at)?;
            let depth = self.depth.saturating_sub(level);
            at = walk_members(self, cursor, &Spot { at: key, byte, node: nodes[level], depth })?;
            loop {
                if level == 0 {
                    return Ok(at);
                }
                level -= 1;
                let (here, byte) = cursor.next(at)?;
                at = here + 1;
                match byte {
                    b',' => break,
                    b'}' => {}
                    _ => return Err(missing_comma(cursor.input, here)),
                }
            }
        }
    }

    /// Records that were found below a path are one record from here on.
    ///
    /// # Errors
    /// Fault `limit`: there are too many paths.
    pub fn as_one_record(&mut self) -> Result<(), Failure> {
        self.learned.as_one_record()?;
        self.place_all();
        Ok(())
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        self.rollback();
        self.learned.forget();
        self.place_all();
    }

    /// The object that stands where the array of the rows is looked for: its one element.
    fn lone_element(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, node, depth, .. } = *spot;
        let Some(element) = self.element(node)?.filter(|_| !self.in_array) else {
            self.note(node, Kinds::ARRAY);
            return self.skipper.skip(cursor, at, depth, Care::All);
        };
        self.note(node, Kinds::ARRAY.join(Kinds::ARRAY_OF_OBJECTS));
        self.note(element, Kinds::OBJECT);
        self.in_array = true;
        let end = walk_object(self, cursor, &Spot { node: element, ..*spot })?;
        self.in_array = false;
        Ok(end)
    }

    /// Whether an object has so many keys that further ones teach nothing: where nobody declared any of them.
    fn is_full(&mut self, node: u32) -> bool {
        self.places[node as usize].at == At::Free && self.learned.is_full(node)
    }

    /// The record is whole.
    pub fn commit(&mut self) {
        for Seen { node, kinds, digits } in self.events.drain(..) {
            self.learned.see(node, kinds);
            self.learned.see_digits(node, digits);
        }
        self.in_array = false;
        self.doubt = false;
    }

    /// The record teaches nothing.
    pub fn rollback(&mut self) {
        self.events.clear();
        self.in_array = false;
        self.doubt = false;
    }

    fn array(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, node, depth, .. } = *spot;
        self.note(node, Kinds::ARRAY);
        if self.in_array {
            return self.skipper.skip(cursor, at, depth, Care::All);
        }
        if depth == 0 {
            return Err(too_deep().into());
        }
        let (mut at, mut byte) = cursor.next(at + 1)?;
        if byte == b']' {
            return Ok(at + 1);
        }
        let element = self.element(node)?;
        self.in_array = true;
        let mut objects = false;
        loop {
            if byte == b'{' && !objects {
                objects = true;
                self.note(node, Kinds::ARRAY_OF_OBJECTS);
            }
            let end = match element {
                Some(element) => self.value(cursor, &Spot { at, byte, node: element, depth: depth - 1 })?,
                None => self.skipper.skip(cursor, at, depth - 1, Care::All)?,
            };
            let (here, next) = cursor.next(end)?;
            match next {
                b',' => (at, byte) = cursor.next(here + 1)?,
                b']' => {
                    self.in_array = false;
                    return Ok(here + 1);
                }
                _ => return Err(missing_comma(cursor.input, here)),
            }
            if byte == b']' {
                return Err(trailing_comma(at));
            }
        }
    }
}
