//! The walk over one object's keys, shared by all who read records.
//!
//! The decision to know: a key need not have a node. Whoever has no use for it, or no room, says so; its value
//! is looked at all the same, and keys of that kind that come twice are found when their object ends. So what
//! is held of them is bounded by the record, however many different ones an input has.

use crate::error::Failure;
use crate::keys::{Keys, hash};

use super::cursor::{Cursor, Stop};
use super::skip::{KeySpan, duplicate_key, missing_colon, missing_comma, not_a_key, repeated_key, too_deep};
use super::text::unescape;

/// The node of keys that have none.
pub const NOWHERE: u32 = u32::MAX;

/// A value that is to be read. It goes from function to function by reference: of a call's arguments compiled Wasm
/// has four in registers, and one that is written to the stack as 32 bits and read as 64 keeps the processor waiting,
/// which was a tenth of a run.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Where it begins.
    pub at: usize,
    /// Its first byte.
    pub byte: u8,
    /// Whose value it is.
    pub node: u32,
    /// How many levels of nesting it may have.
    pub depth: usize,
}

/// Who reads records: a tree of nodes, and what to do with a value at one.
pub trait Walk {
    /// The keys of an object node; none of [`NOWHERE`].
    fn keys(&mut self, node: u32) -> &mut Keys;
    /// Adds a key that the node does not have, in the object instance `stamp`; its position, which may be that of
    /// a key that means the same, or none if it gets no node. Below [`NOWHERE`] there is none.
    ///
    /// # Errors
    /// When there are too many.
    fn add_key(&mut self, node: u32, key: &[u8], stamp: u32) -> Result<Option<usize>, Failure>;
    /// A number that no object instance had before.
    fn next_stamp(&mut self) -> u32;
    /// The JSON pointer of a node.
    fn pointer(&self, node: u32) -> Option<String>;
    /// The keys that have no node.
    fn lost(&mut self) -> &mut Lost;
    /// Takes a value; the position after it.
    ///
    /// # Errors
    /// See [`Stop`].
    fn value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop>;
    /// Looks at the value of a key that has no node, the last of [`Lost::way`]; the position after it.
    ///
    /// # Errors
    /// See [`Stop`].
    fn lost_value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop>;
}

/// Keys without a node: those of the objects that are open, and the way to the value at hand.
#[derive(Debug, Default)]
pub struct Lost {
    seen: Vec<KeySpan>,
    base: u32,
    way: Vec<KeySpan>,
}

impl Lost {
    /// Another record begins.
    pub fn clear(&mut self) {
        self.seen.clear();
        self.way.clear();
    }

    /// The last node on the way.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// The keys from there on, unescaped.
    pub fn way(&self, input: &[u8]) -> Vec<Vec<u8>> {
        let key = |&(_, start, end): &KeySpan| {
            let mut key = Vec::new();
            // It was read before: its escapes are right.
            let _ = unescape(&input[start..end], start, &mut key);
            key
        };
        self.way.iter().map(key).collect()
    }

    /// The last key on the way, as it stands between its quotes.
    pub fn last<'a>(&self, input: &'a [u8]) -> &'a [u8] {
        self.way.last().map_or(&[], |&(_, start, end)| &input[start..end])
    }

    fn enter(&mut self, node: u32) {
        if node != NOWHERE {
            self.base = node;
            self.way.clear();
        }
        self.way.extend(self.seen.last());
    }
}

/// Walks the object at a spot; the position after it.
///
/// # Errors
/// See [`Stop`].
pub fn walk_object<W: Walk>(walk: &mut W, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
    if spot.depth == 0 {
        return Err(too_deep().into());
    }
    let (at, byte) = cursor.next(spot.at + 1)?;
    if byte == b'}' {
        return Ok(at + 1);
    }
    walk_members(walk, cursor, &Spot { at, byte, ..*spot })
}

/// The same from the key at a spot on, where the object was entered before.
///
/// # Errors
/// See [`Stop`].
#[inline]
pub fn walk_members<W: Walk>(walk: &mut W, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
    let Spot { mut at, node, depth, .. } = *spot;
    let stamp = walk.next_stamp();
    let mut lost = 0;
    let mut guess = 0;
    loop {
        let (position, end) = key(walk, cursor, at, node, (guess, stamp))?;
        let child = match position {
            Some(position) => {
                guess = position + 1;
                let keys = walk.keys(node);
                let child = keys.node(position);
                if !keys.mark(position, stamp) {
                    let mut reject = duplicate_key(at);
                    reject.path = walk.pointer(child);
                    return Err(reject.into());
                }
                child
            }
            None => {
                lost += 1;
                NOWHERE
            }
        };
        let (colon, byte) = cursor.next(end)?;
        if byte != b':' {
            return Err(missing_colon(colon));
        }
        let (value, byte) = cursor.next(colon + 1)?;
        let value = Spot { at: value, byte, node: child, depth: depth - 1 };
        let end = if child == NOWHERE {
            walk.lost().enter(node);
            let end = walk.lost_value(cursor, &value)?;
            walk.lost().way.pop();
            end
        } else {
            walk.value(cursor, &value)?
        };
        let (here, byte) = cursor.next(end)?;
        match byte {
            b',' => (at, _) = cursor.next(here + 1)?,
            b'}' => {
                if lost > 0 {
                    leave(walk.lost(), cursor, lost)?;
                }
                return Ok(here + 1);
            }
            _ => return Err(missing_comma(cursor.input, here)),
        }
    }
}

/// The object ends whose keys without a node are the last `count`.
#[cold]
fn leave(lost: &mut Lost, cursor: &Cursor<'_>, count: usize) -> Result<(), Stop> {
    let first = lost.seen.len() - count;
    if let Some(at) = repeated_key(cursor, &mut lost.seen[first..]) {
        return Err(duplicate_key(at).into());
    }
    lost.seen.truncate(first);
    Ok(())
}

/// The position of the key at `at` among the node's keys, none if it has no node, and the input's position
/// after it.
#[inline]
fn key<W: Walk>(
    walk: &mut W,
    cursor: &Cursor<'_>,
    at: usize,
    node: u32,
    (guess, stamp): (usize, u32),
) -> Result<(Option<usize>, usize), Stop> {
    if let Some(len) = walk.keys(node).matches(guess, &cursor.input[at..]) {
        return Ok((Some(guess), at + len));
    }
    if cursor.input.get(at) != Some(&b'"') {
        return Err(not_a_key(cursor.input, at));
    }
    let (text, end) = cursor.string(at)?;
    let mut unescaped = Vec::new();
    let mut key = text.raw;
    if text.escaped {
        unescape(text.raw, at + 1, &mut unescaped)?;
        key = &unescaped;
    }
    let position = match walk.keys(node).position(key) {
        Some(position) => Some(position),
        None => walk.add_key(node, key, stamp)?,
    };
    if position.is_none() {
        walk.lost().seen.push((hash(key), at + 1, end - 1));
    }
    Ok((position, end))
}
