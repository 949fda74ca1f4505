//! The walk over one object's keys, shared by all who read records.

use crate::error::Failure;
use crate::keys::Keys;

use super::cursor::{Cursor, Stop};
use super::skip::{duplicate_key, missing_colon, missing_comma, not_a_key, too_deep};
use super::text::unescape;

/// Who reads records: a tree of nodes, and what to do with a value at one.
pub trait Walk {
    /// The keys of an object node.
    fn keys(&mut self, node: u32) -> &mut Keys;
    /// Adds a key that the node does not have; its position.
    ///
    /// # Errors
    /// When there are too many.
    fn add_key(&mut self, node: u32, key: &[u8]) -> Result<usize, Failure>;
    /// A number that no object instance had before.
    fn next_stamp(&mut self) -> u32;
    /// The JSON pointer of a node.
    fn pointer(&self, node: u32) -> Option<String>;
    /// Takes the value that begins with `byte` at `at`; the position after it.
    ///
    /// # Errors
    /// See [`Stop`].
    fn value(
        &mut self,
        cursor: &Cursor<'_>,
        at: usize,
        byte: u8,
        node: u32,
        depth: usize,
    ) -> Result<usize, Stop>;
}

/// Walks the object whose bracket stands at `at`; the position after it.
///
/// # Errors
/// See [`Stop`].
pub fn walk_object<W: Walk>(
    walk: &mut W,
    cursor: &Cursor<'_>,
    at: usize,
    node: u32,
    depth: usize,
) -> Result<usize, Stop> {
    if depth == 0 {
        return Err(too_deep().into());
    }
    let stamp = walk.next_stamp();
    let mut guess = 0;
    let (mut at, byte) = cursor.next(at + 1)?;
    if byte == b'}' {
        return Ok(at + 1);
    }
    loop {
        let (position, end) = key(walk, cursor, at, node, guess)?;
        guess = position + 1;
        let keys = walk.keys(node);
        let child = keys.node(position);
        if !keys.mark(position, stamp) {
            let mut reject = duplicate_key(at);
            reject.path = walk.pointer(child);
            return Err(reject.into());
        }
        let (colon, byte) = cursor.next(end)?;
        if byte != b':' {
            return Err(missing_colon(colon));
        }
        let (value, byte) = cursor.next(colon + 1)?;
        let end = walk.value(cursor, value, byte, child, depth - 1)?;
        let (here, byte) = cursor.next(end)?;
        match byte {
            b',' => (at, _) = cursor.next(here + 1)?,
            b'}' => return Ok(here + 1),
            _ => return Err(missing_comma(cursor.input, here)),
        }
    }
}

/// The position of the key at `at` among the node's keys, and the input's position after it.
#[inline]
fn key<W: Walk>(
    walk: &mut W,
    cursor: &Cursor<'_>,
    at: usize,
    node: u32,
    guess: usize,
) -> Result<(usize, usize), Stop> {
    if let Some(len) = walk.keys(node).matches(guess, &cursor.input[at..]) {
        return Ok((guess, at + len));
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
    match walk.keys(node).position(key) {
        Some(position) => Ok((position, end)),
        None => Ok((walk.add_key(node, key)?, end)),
    }
}
