//! Learning: the same walk, that only remembers kinds.
//!
//! The decision to know: kinds are joined when the record is whole, so that a broken line teaches
//! nothing.

use std::collections::BTreeMap;

use crate::error::Failure;
use crate::json::cursor::{Text, unexpected};
use crate::json::skip::{Care, missing_comma, too_deep, trailing_comma};
use crate::json::{Cursor, Lost, NOWHERE, Reject, Skipper, Stop, Walk, unescape, walk_members, walk_object};
use crate::keys::Keys;
use crate::learn::{Digits, Kinds, Learned};
use crate::value::time::{parse_iso_date, parse_iso_timestamp};
use crate::value::{Misfit, Number, NumberKind, digits, holds_text, learn_field, parse_boolean};

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

    fn lost_value(&mut self, cursor: &Cursor<'_>, at: usize, byte: u8, depth: usize) -> Result<usize, Stop> {
        match byte {
            // Nobody wants it, however long its path.
            _ if !self.scope.is_free(self.places[self.lost.base() as usize])
                || self.is_full(self.lost.base()) =>
            {
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
            b'{' if self.scope.is_rows(self.places[node as usize]) => {
                return self.lone_element(cursor, at, node, depth);
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
        let mut learner = Self {
            learned,
            scope,
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

    /// Finds the place of each node.
    fn place_all(&mut self) {
        let Self { learned, scope, places, nulls, .. } = self;
        nulls.clear();
        *places = vec![scope.root(); learned.nodes.len()];
        for (number, node) in learned.nodes.iter().enumerate() {
            for (key, child) in node.keys.iter() {
                add_nulls(nulls, child, scope.nulls(places[number], key));
                places[child as usize] = scope.child(places[number], key);
            }
            if let Some(element) = node.element {
                places[element as usize] = scope.element_of(places[number]);
            }
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
            let place = self.places[node as usize];
            add_nulls(&mut self.nulls, child, self.scope.nulls(place, key));
            self.places.push(self.scope.child(place, key));
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
            let (key, _) = cursor.next(at)?;
            at = walk_members(self, cursor, key, nodes[level], self.depth.saturating_sub(level))?;
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

    /// Learns a CSV record, field by field.
    pub fn field(&mut self, node: u32, text: &[u8], null: bool, decimal: u8) {
        let null = match self.nulls.get(&node) {
            Some(nulls) => text.is_empty() || nulls.iter().any(|null| null == text),
            None => null,
        };
        // As a column of either type reads it.
        let bare = text.trim_ascii();
        let kinds = if null {
            Kinds::NULL
        } else if let Some(kind) = learn_field(bare, decimal) {
            if let Ok(number) = Number::field(bare, decimal) {
                self.note_number(node, kind, &number, bare);
            }
            return;
        } else if parse_boolean(bare) != Err(Misfit::NotABoolean) {
            Kinds::BOOLEAN
        } else {
            text_kinds(bare)
        };
        self.note(node, kinds);
    }

    /// The object that stands where the array of the rows is looked for: its one element.
    fn lone_element(
        &mut self,
        cursor: &Cursor<'_>,
        at: usize,
        node: u32,
        depth: usize,
    ) -> Result<usize, Stop> {
        let Some(element) = self.element(node)?.filter(|_| !self.in_array) else {
            self.note(node, Kinds::ARRAY);
            return self.skipper.skip(cursor, at, depth, Care::All);
        };
        self.note(node, Kinds::ARRAY.join(Kinds::ARRAY_OF_OBJECTS));
        self.note(element, Kinds::OBJECT);
        self.in_array = true;
        let end = walk_object(self, cursor, at, element, depth)?;
        self.in_array = false;
        Ok(end)
    }

    /// What a string of JSON is, by the texts that are null at its node.
    fn text_kinds(&self, node: u32, text: Text<'_>) -> Kinds {
        let own = if text.escaped { &self.scratch } else { text.raw };
        match self.nulls.get(&node) {
            Some(nulls) if nulls.iter().any(|null| null == own) => Kinds::NULL,
            _ => text_kinds(own),
        }
    }

    fn note_number(&mut self, node: u32, kind: NumberKind, number: &Number, text: &[u8]) {
        let kinds = match kind {
            NumberKind::Int53(_) => Kinds::INT53,
            NumberKind::Int64(_) => Kinds::INT64,
            NumberKind::BigInteger => Kinds::BIG,
            NumberKind::Double if holds_text(number, text) => Kinds::DOUBLE,
            NumberKind::Double => Kinds::DOUBLE.join(Kinds::LONG),
        };
        self.note_seen(Seen { node, kinds, digits: digits_of(number, text) });
    }

    /// A kind that the record has at a node. A set for each node is all that it comes to: a record of millions
    /// of values is not remembered one by one.
    fn note(&mut self, node: u32, kinds: Kinds) {
        self.note_seen(Seen { node, kinds, digits: Digits::default() });
    }

    fn note_seen(&mut self, seen: Seen) {
        if self.events.len() >= EVENTS.max(4 * self.learned.nodes.len()) {
            self.events.sort_unstable_by_key(|seen| seen.node);
            self.events.dedup_by(|seen, before| {
                let same = seen.node == before.node;
                if same {
                    before.kinds = before.kinds.join(seen.kinds);
                    before.digits = before.digits.join(seen.digits);
                }
                same
            });
        }
        self.events.push(seen);
    }

    /// Whether an object has so many keys that further ones teach nothing: where nobody declared any of them.
    fn is_full(&mut self, node: u32) -> bool {
        self.places[node as usize] == At::Free && self.learned.is_full(node)
    }

    /// The record is whole.
    pub fn commit(&mut self) {
        for Seen { node, kinds, digits } in self.events.drain(..) {
            self.learned.see(node, kinds);
            self.learned.see_digits(node, digits);
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

/// Digits that a decimal needs for a number, or a few more.
fn digits_of(number: &Number, text: &[u8]) -> Digits {
    let (before, after) = if number.exact {
        let all = number.mantissa.checked_ilog10().map_or(1, |log| log as i32 + 1);
        ((all.saturating_add(number.exponent)).max(0) as u32, number.exponent.min(0).unsigned_abs())
    } else {
        digits(number, text)
    };
    Digits(before.min(255) as u8, after.min(255) as u8)
}

/// The forms of text that people may mean something by.
fn text_kinds(text: &[u8]) -> Kinds {
    match text {
        [_, _, _, _, b'-', _, _, b'-', _, _] if parse_iso_date(text).is_some() => Kinds::DATE,
        [_, _, _, _, b'-', _, _, b'-', _, _, _, ..] if parse_iso_timestamp(text, 0).is_some() => {
            let fraction = text.get(20..).unwrap_or_default();
            let below = fraction.iter().take_while(|byte| byte.is_ascii_digit()).skip(3);
            if below.into_iter().any(|&digit| digit != b'0') {
                Kinds::TIMESTAMP.join(Kinds::FINE)
            } else {
                Kinds::TIMESTAMP
            }
        }
        [b'0'..=b'9', ..] if is_day_month(text) => Kinds::DAY_MONTH,
        _ => Kinds::STRING,
    }
}

/// `01/02/2025`, `1.2.25`, `01-02-2025 10:00`: two small numbers and a year.
fn is_day_month(text: &[u8]) -> bool {
    let date = text.split(|&byte| byte == b' ' || byte == b'T').next().unwrap_or_default();
    let Some(&sign) = date.iter().find(|byte| !byte.is_ascii_digit()) else { return false };
    if !matches!(sign, b'/' | b'.' | b'-') || date.len() > 10 {
        return false;
    }
    let mut parts = date.split(|&byte| byte == sign);
    let number = |part: Option<&[u8]>| str::from_utf8(part?).ok()?.parse::<u16>().ok();
    let (first, second) = (number(parts.next()), number(parts.next()));
    let year = parts.next().filter(|year| matches!(year.len(), 2 | 4) && year.iter().all(u8::is_ascii_digit));
    let small = |number: Option<u16>| number.is_some_and(|number| (1..=31).contains(&number));
    small(first) && small(second) && year.is_some() && parts.next().is_none()
}

fn add_nulls(all: &mut BTreeMap<u32, Vec<Vec<u8>>>, node: u32, nulls: Option<&[String]>) {
    if let Some(nulls) = nulls {
        all.insert(node, nulls.iter().map(|text| text.clone().into_bytes()).collect());
    }
}
