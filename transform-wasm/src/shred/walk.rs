//! The walk over one JSON record.
//!
//! The decision to know: keys are guessed (the successor of the last one) before they are looked
//! up, and a plain string goes from the input to its column in one copy.

use crate::column::Slots;
use crate::error::Failure;

use crate::json::cursor::unexpected;
use crate::json::skip::{Care, missing_comma, too_deep, trailing_comma};
use crate::json::{Cursor, Lost, Reject, Spot, Stop, Text, Walk, unescape, walk_object};
use crate::keys::Keys;
use crate::names::pointer_push;
use crate::spec::Mode;

use super::Shredder;
use super::convert::Token;
use super::plan::Target;
use super::rescue::Raw;

impl Walk for Shredder {
    fn keys(&mut self, node: u32) -> &mut Keys {
        self.plan.nodes.get_mut(node as usize).map_or(&mut self.no_keys, |node| &mut node.keys)
    }

    fn add_key(&mut self, node: u32, key: &[u8], stamp: u32) -> Result<Option<usize>, Failure> {
        match self.plan.alike(node, key) {
            Some(position) if self.plan.nodes[node as usize].keys.is_marked(position, stamp) => Ok(None),
            Some(position) => Ok(Some(position)),
            None if self.has_rest(node) => Ok(None),
            None => Ok(self.plan.add_unknown(node, key)),
        }
    }

    fn next_stamp(&mut self) -> u32 {
        self.stamp = self.stamp.wrapping_add(1);
        self.stamp
    }

    fn pointer(&self, node: u32) -> Option<String> {
        Some(self.plan.pointer(node, self.element))
    }

    fn lost(&mut self) -> &mut Lost {
        &mut self.lost
    }

    fn lost_value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, byte, depth, .. } = *spot;
        match byte {
            b'n' => cursor.word(at, b"null"),
            // Nothing below it is walked, so it is the key after the node.
            _ if self.has_rest(self.lost.base()) => self.keep_rest(cursor, at, depth),
            b'{' => walk_object(self, cursor, spot),
            _ => {
                let end = self.skipper.skip(cursor, at, depth, Care::All)?;
                let lost = std::mem::take(&mut self.lost);
                let known = self.unknown_below(lost.base(), at, || lost.way(cursor.input));
                self.lost = lost;
                known.map(|()| end)
            }
        }
    }

    #[inline]
    fn value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        self.any_value(cursor, spot)
    }
}

impl Shredder {
    /// Shreds the record that begins at `at`; the position after it.
    ///
    /// # Errors
    /// See [`Stop`]; after any of them the caller rolls the record back.
    pub fn walk(&mut self, cursor: &Cursor<'_>, at: usize) -> Result<usize, Stop> {
        let (at, byte) = cursor.next(at)?;
        if byte == b'{' {
            return walk_object(self, cursor, &Spot { at, byte, node: 0, depth: self.depth });
        }
        self.skipper.skip(cursor, at, self.depth, Care::All)?;
        Err(self.reject("not_an_object", "the record is no object", 0, at))
    }

    #[inline]
    fn any_value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, byte, node, .. } = *spot;
        let plan = &self.plan.nodes[node as usize];
        if byte == b'n' {
            return cursor.word(at, b"null");
        }
        // What most values are: a scalar for one column.
        if plan.plain {
            match byte {
                b'"' => {
                    let (text, end) = cursor.string(at)?;
                    if !text.escaped {
                        self.put_text(spot, cursor.input, at + 1..end - 1)?;
                        return Ok(end);
                    }
                    if self.put_escaped(spot, &text)? {
                        return Ok(end);
                    }
                }
                b'-' | b'0'..=b'9' => {
                    let (number, end) = cursor.number(at)?;
                    self.put(spot, Token::Number(number, &cursor.input[at..end]))?;
                    return Ok(end);
                }
                b't' | b'f' => {
                    let end = cursor.word(at, if byte == b't' { b"true" } else { b"false" })?;
                    self.put(spot, Token::Boolean(byte == b't'))?;
                    return Ok(end);
                }
                _ => {}
            }
        }
        match byte {
            b'{' => self.object_value(cursor, spot),
            b'[' => self.array_value(cursor, spot),
            b'"' | b'-' | b'0'..=b'9' | b't' | b'f' => self.scalar(cursor, spot),
            _ => Err(unexpected(cursor.input, at)),
        }
    }

    fn object_value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, node, depth, .. } = *spot;
        let plan = &self.plan.nodes[node as usize];
        if let (false, Some((_, element))) = (plan.object, &plan.rows) {
            let element = *element;
            return self.lone_element(cursor, spot, element);
        }
        // Where no column is (an unknown path, elements that were only ever empty), objects are walked
        // too: only what is in them can be new.
        let walked = plan.object || (plan.targets.is_empty() && plan.rows.is_none());
        let end = if walked {
            walk_object(self, cursor, spot)?
        } else {
            self.skipper.skip(cursor, at, depth, Care::All)?
        };
        if !self.rest.is_empty() {
            self.put_rest(node);
        }
        self.put_nested(spot, "an object", walked, &cursor.input[at..end])?;
        Ok(end)
    }

    /// The object that stands where the array of the rows is looked for: its one element.
    fn lone_element(&mut self, cursor: &Cursor<'_>, spot: &Spot, element: u32) -> Result<usize, Stop> {
        let Spot { at, node, .. } = *spot;
        self.element = Some(0);
        let end = self.object_value(cursor, &Spot { node: element, ..*spot })?;
        self.end_row(node, at)?;
        self.element = None;
        self.put_nested(spot, "an object", true, &cursor.input[at..end])?;
        Ok(end)
    }

    fn array_value(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, node, depth, .. } = *spot;
        let plan = &self.plan.nodes[node as usize];
        let walked = plan.rows.is_some();
        let known = plan.known;
        let end = if walked {
            self.elements(cursor, spot)?
        } else {
            self.skipper.skip(cursor, at, depth, Care::All)?
        };
        if known {
            self.put_nested(spot, "an array", walked, &cursor.input[at..end])?;
        } else {
            self.unknown(node, at)?;
        }
        Ok(end)
    }

    /// An object or array goes as text into JSON columns; for any other column it is a misfit.
    #[inline]
    fn put_nested(&mut self, spot: &Spot, found: &'static str, walked: bool, raw: &[u8]) -> Result<(), Stop> {
        if walked && self.plan.nodes[spot.node as usize].targets.is_empty() {
            return Ok(());
        }
        self.put_raw(spot, found, raw)
    }

    #[inline(never)]
    fn put_raw(&mut self, spot: &Spot, found: &'static str, raw: &[u8]) -> Result<(), Stop> {
        let Spot { at, node, .. } = *spot;
        let targets = &self.plan.nodes[node as usize].targets;
        let copies = targets.len();
        if copies == 0 || !targets.iter().all(Target::is_json) {
            let stop = self.mismatch(node, found, at);
            return self.rescue_whole(stop, node, Raw::Json(raw));
        }
        if copies > 1 {
            self.spread_by((copies - 1).saturating_mul(raw.len()), node, at)?;
        }
        self.put_json(node, None, raw);
        Ok(())
    }

    /// Unescapes a text into the column of a node that has one, where that is a column of texts.
    fn put_escaped(&mut self, spot: &Spot, text: &Text<'_>) -> Result<bool, Stop> {
        let own = &self.plan.nodes[spot.node as usize].targets[0];
        match self.batch.tables[own.table].columns[own.column].slots() {
            Slots::String(mut slots) => {
                slots.try_push_with(|out| unescape(text.raw, spot.at + 1, out)).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn scalar(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, byte, node, .. } = *spot;
        let mut scratch = std::mem::take(&mut self.scratch);
        let (token, end) = match byte {
            b'"' => {
                let (text, end) = cursor.string(at)?;
                if text.escaped {
                    scratch.clear();
                    unescape(text.raw, at + 1, &mut scratch)?;
                    (Token::Text(&scratch), end)
                } else {
                    (Token::Text(text.raw), end)
                }
            }
            b't' => (Token::Boolean(true), cursor.word(at, b"true")?),
            b'f' => (Token::Boolean(false), cursor.word(at, b"false")?),
            _ => {
                let (number, end) = cursor.number(at)?;
                (Token::Number(number, &cursor.input[at..end]), end)
            }
        };
        let targets = self.plan.nodes[node as usize].targets.len();
        if let Token::Number(number, text) = token
            && self.plan.nodes[node as usize].targets.iter().all(Target::is_json)
            && let Err(misfit) = number.check_finite(text)
        {
            // Where no column's type asks for it: what is kept as text or dropped is held to the rule too.
            return Err(self.reject(misfit.code(), format!("the number {misfit}"), node, at));
        }
        if targets > 1 {
            self.spread_by((targets - 1).saturating_mul(end - at), node, at)?;
        }
        for target in 0..targets {
            self.put_any(spot, target, token)?;
        }
        self.put_json(node, Some(token), &cursor.input[at..end]);
        let plan = &self.plan.nodes[node as usize];
        if targets == 0 {
            if !plan.known {
                self.unknown(node, at)?;
            } else if plan.object || plan.rows.is_some() {
                let stop = self.mismatch(node, "a scalar", at);
                self.rescue_whole(stop, node, token.into())?;
            }
        }
        self.scratch = scratch;
        Ok(end)
    }

    /// Walks the array that tables explode.
    fn elements(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, node, depth, .. } = *spot;
        if depth == 0 {
            return Err(too_deep().into());
        }
        let Some((_, element)) = self.plan.nodes[node as usize].rows else { return Ok(at) };
        let (mut at, mut byte) = cursor.next(at + 1)?;
        if byte == b']' {
            return Ok(at + 1);
        }
        let mut index = 0;
        loop {
            self.element = Some(index);
            let spot = Spot { at, byte, node: element, depth: depth - 1 };
            let end = if byte == b'{' {
                self.object_value(cursor, &spot)?
            } else if byte == b'n' {
                cursor.word(at, b"null")?
            } else {
                self.element_scalar(cursor, &spot)?
            };
            self.end_row(node, at)?;
            index += 1;
            let (here, next) = cursor.next(end)?;
            match next {
                b',' => (at, byte) = cursor.next(here + 1)?,
                b']' => {
                    self.element = None;
                    return Ok(here + 1);
                }
                _ => return Err(missing_comma(cursor.input, here)),
            }
            if byte == b']' {
                return Err(trailing_comma(at));
            }
        }
    }

    fn element_scalar(&mut self, cursor: &Cursor<'_>, spot: &Spot) -> Result<usize, Stop> {
        let Spot { at, node: element, depth, .. } = *spot;
        let plan = &self.plan.nodes[element as usize];
        if plan.targets.is_empty() && !plan.object {
            // The array was empty or null wherever the contract learned it: an element is news.
            let end = self.skipper.skip(cursor, at, depth, Care::All)?;
            self.unknown(element, at)?;
            return Ok(end);
        }
        self.any_value(cursor, spot)
    }

    fn end_row(&mut self, node: u32, at: usize) -> Result<(), Stop> {
        let Some((tables, _)) = &self.plan.nodes[node as usize].rows else { return Ok(()) };
        for &table in tables {
            let table = &mut self.batch.tables[table];
            table.elements += 1;
            table.rows += 1;
            table.fill_rows();
            self.rows_bytes += table.row_bytes;
        }
        self.check_rows(node, at)
    }

    /// A value where no contract knows the path.
    pub(super) fn unknown(&mut self, node: u32, at: usize) -> Result<(), Stop> {
        self.unknown_below(node, at, Vec::new)
    }

    /// The same, where keys follow on the node that have none.
    pub(super) fn unknown_below(
        &mut self,
        node: u32,
        at: usize,
        way: impl FnOnce() -> Vec<Vec<u8>>,
    ) -> Result<(), Stop> {
        let mode = self.plan.nodes[node as usize].mode;
        if mode == Mode::Discard {
            self.dropped += 1;
            return Ok(());
        }
        let way = way();
        let is_too_long = mode == Mode::Evolve && !self.plan.takes(node, &way);
        if mode == Mode::Evolve && !is_too_long && !self.final_pass {
            return Err(Stop::NewPath);
        }
        let (code, message) = if is_too_long {
            ("path_too_long", "the path to a value is longer than a column's may be")
        } else {
            ("unknown_column", "the contract has no column for this path")
        };
        let mut path = self.plan.pointer(node, self.element);
        if !self.plan.is_masked(node) {
            for key in way {
                pointer_push(&mut path, &String::from_utf8_lossy(&key));
            }
        }
        let reject = Reject { path: Some(path), ..Reject::at(code, message, at) };
        if mode == Mode::Evolve && !is_too_long {
            // Its record taught nothing since it has another fault: that one is told where it follows.
            self.unlearned.get_or_insert(reject);
            return Ok(());
        }
        Err(reject.into())
    }

    fn mismatch(&self, node: u32, found: &str, at: usize) -> Stop {
        let plan = &self.plan.nodes[node as usize];
        let wanted = match plan.targets.first() {
            Some(target) => target.ty.to_string(),
            None if plan.rows.is_some() => "array".to_owned(),
            None => "object".to_owned(),
        };
        self.reject(
            "type_mismatch",
            format!("the value is {found}, but the contract has {wanted} here"),
            node,
            at,
        )
    }
}
