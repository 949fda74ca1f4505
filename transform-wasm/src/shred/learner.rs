//! Learning: the same walk, that only remembers kinds.
//!
//! The decision to know: kinds are joined when the record is whole, so that a broken line teaches
//! nothing.

use crate::error::Failure;
use crate::json::cursor::unexpected;
use crate::json::skip::{Care, missing_comma, too_deep, trailing_comma};
use crate::json::{Cursor, Lost, NOWHERE, Reject, Skipper, Stop, Walk, unescape, walk_object};
use crate::keys::Keys;
use crate::learn::{Kinds, Learned};
use crate::value::{Misfit, NumberKind, learn_field, parse_boolean};

use super::fields::header_too_long;
use super::scope::{At, Scope};

/// Values of a record that are noted before they are joined.
const EVENTS: usize = 1 << 16;

/// Learns kinds from records.
#[derive(Debug)]
pub struct Learner {
    /// What is known so far.
    pub learned: Learned,
    scope: Scope,
    /// The place of each node of `learned`.
    places: Vec<At>,
    events: Vec<(u32, Kinds)>,
    in_array: bool,
    stamp: u32,
    depth: usize,
    skipper: Skipper,
    scratch: Vec<u8>,
    lost: Lost,
    /// Those of [`NOWHERE`]: none.
    no_keys: Keys,
}

impl Walk for Learner {
    fn keys(&mut self, node: u32) -> &mut Keys {
        self.learned.nodes.get_mut(node as usize).map_or(&mut self.no_keys, |node| &mut node.keys)
    }

    fn add_key(&mut self, node: u32, key: &[u8]) -> Result<Option<usize>, Failure> {
        if node == NOWHERE || !self.wants(node, key) || !self.learned.takes(node, key) {
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

    fn lost_value(&mut self, cursor: &Cursor<'_>, at: usize, byte: u8, depth: usize) -> Result<usize, Stop> {
        match byte {
            // Nobody wants it, however long its path.
            _ if !self.scope.is_free(self.places[self.lost.base() as usize]) => {
                self.skipper.skip(cursor, at, depth, Care::All)
            }
            b'n' => cursor.word(at, b"null"),
            b'{' => walk_object(self, cursor, at, NOWHERE, depth),
            _ => {
                self.skipper.skip(cursor, at, depth, Care::All)?;
                Err(Reject::at("path_too_long", "the path to a value is longer than a column's may be", at)
                    .into())
            }
        }
    }

    fn value(
        &mut self,
        cursor: &Cursor<'_>,
        at: usize,
        byte: u8,
        node: u32,
        depth: usize,
    ) -> Result<usize, Stop> {
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
                (Kinds::STRING, end)
            }
            b'-' | b'0'..=b'9' => {
                let (number, end) = cursor.number(at)?;
                let kind = number.kind(&cursor.input[at..end]);
                (number_kinds(kind.map_err(|m| Reject::at(m.code(), format!("the number {m}"), at))?), end)
            }
            b'{' if self.places[node as usize] == At::Closed => {
                (Kinds::OBJECT, self.skipper.skip(cursor, at, depth, Care::All)?)
            }
            b'{' => (Kinds::OBJECT, walk_object(self, cursor, at, node, depth)?),
            b'[' => return self.array(cursor, at, node, depth),
            _ => return Err(unexpected(cursor.input, at)),
        };
        self.note(node, kinds);
        Ok(end)
    }
}

impl Learner {
    /// Goes on from what is known; only what is in scope is learned.
    pub fn new(learned: Learned, scope: Scope, depth: usize) -> Self {
        let mut places = vec![scope.root(); learned.nodes.len()];
        for (number, node) in learned.nodes.iter().enumerate() {
            for (key, child) in node.keys.iter() {
                places[child as usize] = scope.child(places[number], key);
            }
            if let Some(element) = node.element {
                places[element as usize] = scope.element_of(places[number]);
            }
        }
        Self {
            learned,
            scope,
            places,
            events: Vec::new(),
            in_array: false,
            stamp: 0,
            depth,
            skipper: Skipper::default(),
            scratch: Vec::new(),
            lost: Lost::default(),
            no_keys: Keys::default(),
        }
    }

    /// The node of a CSV column, by its header.
    ///
    /// # Errors
    /// Fault `limit`: there are too many, or the name is longer than a path may be.
    pub fn csv_column(&mut self, header: &[u8]) -> Result<u32, Failure> {
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
        let place = self.places[node as usize];
        self.scope.is_free(place) || self.scope.has(place, key)
    }

    fn child(&mut self, node: u32, key: &[u8]) -> Result<u32, Failure> {
        let child = self.learned.child(node, key)?;
        if child as usize == self.places.len() {
            self.places.push(self.scope.child(self.places[node as usize], key));
        }
        Ok(child)
    }

    /// The node of an array's elements, if they can teach something.
    fn element(&mut self, node: u32) -> Result<Option<u32>, Failure> {
        let place = self.scope.element_of(self.places[node as usize]);
        if place == At::Closed && !self.scope.has_element(self.places[node as usize]) {
            return Ok(None);
        }
        let element = self.learned.element(node)?;
        if element as usize == self.places.len() {
            self.places.push(place);
        }
        Ok(Some(element))
    }

    /// Walks the record that begins at `at`; the position after it.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn walk(&mut self, cursor: &Cursor<'_>, at: usize) -> Result<usize, Stop> {
        self.lost.clear();
        let (at, byte) = cursor.next(at)?;
        if byte != b'{' {
            self.skipper.skip(cursor, at, self.depth, Care::All)?;
            return Err(Reject::at("not_an_object", "the record is no object", at).into());
        }
        walk_object(self, cursor, at, 0, self.depth)
    }

    /// Learns a CSV record, field by field.
    pub fn field(&mut self, node: u32, text: &[u8], null: bool, decimal: u8) {
        // As a column of either type reads it.
        let bare = text.trim_ascii();
        let kinds = if null {
            Kinds::NULL
        } else if let Some(kind) = learn_field(bare, decimal) {
            number_kinds(kind)
        } else if parse_boolean(bare) != Err(Misfit::NotABoolean) {
            Kinds::BOOLEAN
        } else {
            Kinds::STRING
        };
        self.note(node, kinds);
    }

    /// A kind that the record has at a node. A set for each node is all that it comes to: a record of millions
    /// of values is not remembered one by one.
    fn note(&mut self, node: u32, kinds: Kinds) {
        if self.events.len() >= EVENTS.max(4 * self.learned.nodes.len()) {
            self.events.sort_unstable_by_key(|(node, _)| *node);
            self.events.dedup_by(|(node, kinds), (before, all)| {
                let same = node == before;
                if same {
                    *all = all.join(*kinds);
                }
                same
            });
        }
        self.events.push((node, kinds));
    }

    /// The record is whole.
    pub fn commit(&mut self) {
        for (node, kinds) in self.events.drain(..) {
            self.learned.see(node, kinds);
        }
        self.in_array = false;
    }

    /// The record teaches nothing.
    pub fn rollback(&mut self) {
        self.events.clear();
        self.in_array = false;
    }

    fn array(&mut self, cursor: &Cursor<'_>, at: usize, node: u32, depth: usize) -> Result<usize, Stop> {
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
                Some(element) => self.value(cursor, at, byte, element, depth - 1)?,
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

fn number_kinds(kind: NumberKind) -> Kinds {
    match kind {
        NumberKind::Int53(_) => Kinds::INT53,
        NumberKind::Int64(_) => Kinds::INT64,
        NumberKind::BigInteger => Kinds::BIG,
        NumberKind::Double => Kinds::DOUBLE,
    }
}
