//! What single values teach: fields, texts, numbers.

use super::super::forms::{digits_of, text_kinds};
use super::{Learner, Seen};
use crate::json::cursor::Text;
use crate::learn::{Digits, Kinds};
use crate::value::{
    Number, NumberKind, has_no_more_digits, holds_text, learn_field, parse_boolean, plain_number,
};

/// Values of a record that are noted before they are joined.
const EVENTS: usize = 1 << 16;

impl Learner {
    /// Learns a CSV record, field by field.
    pub fn field(&mut self, node: u32, text: &[u8], null: bool, decimal: u8) {
        let null = match self.nulls_of(node) {
            Some(nulls) => text.is_empty() || nulls.iter().any(|null| null == text),
            None => null,
        };
        // As a column of either type reads it.
        let bare = match text {
            [first, .., last] if *first > b' ' && *last > b' ' => text,
            _ => text.trim_ascii(),
        };
        let kinds = match bare.first() {
            _ if null => Kinds::NULL,
            // No number has a minus there, and most dates do.
            Some(b'0'..=b'9') if bare.get(4) == Some(&b'-') => self.forms(node, bare),
            Some(b'0'..=b'9' | b'-' | b'.' | b',') => {
                if self.is_known_number(node, bare, decimal) {
                    return;
                }
                if let Some((number, kind)) = learn_field(bare, decimal) {
                    return self.note_number(node, kind, &number, bare);
                }
                self.forms(node, bare)
            }
            Some(b't' | b'T' | b'f' | b'F') if parse_boolean(bare).is_ok() => Kinds::BOOLEAN,
            _ => Kinds::STRING,
        };
        self.note(node, kinds);
    }

    /// Texts that are null at a node, where its columns say so.
    #[inline]
    fn nulls_of(&self, node: u32) -> Option<&Vec<Vec<u8>>> {
        if self.nulls.is_empty() { None } else { self.nulls.get(&node) }
    }

    /// Whether a field is a plain number that is no news and leaves no doubt.
    fn is_known_number(&self, node: u32, text: &[u8], decimal: u8) -> bool {
        let Some((before, after)) = plain_number(text, decimal) else { return false };
        let kinds = if after > 0 { Kinds::DOUBLE } else { Kinds::INT53 };
        let known = &self.learned.nodes[node as usize];
        let Digits(most_before, most_after) = known.digits;
        known.kinds.has(kinds)
            && before <= most_before
            && after <= most_after
            && self.places[node as usize].sure.has(kinds)
    }

    /// What a string of JSON is, by the texts that are null at its node.
    pub(super) fn text_kinds(&self, node: u32, text: Text<'_>) -> Kinds {
        let own = if text.escaped { &self.scratch } else { text.raw };
        match self.nulls_of(node) {
            Some(nulls) if nulls.iter().any(|null| null == own) => Kinds::NULL,
            _ => self.forms(node, own),
        }
    }

    /// The form of a text, as long as it matters at its node.
    fn forms(&self, node: u32, text: &[u8]) -> Kinds {
        if self.learned.nodes[node as usize].kinds.any(Kinds::STRING) {
            Kinds::STRING
        } else {
            text_kinds(text)
        }
    }

    pub(super) fn note_number(&mut self, node: u32, kind: NumberKind, number: &Number, text: &[u8]) {
        let kinds = match kind {
            NumberKind::Int53(_) => Kinds::INT53,
            NumberKind::Int64(_) => Kinds::INT64,
            NumberKind::BigInteger => Kinds::BIG,
            NumberKind::Double if holds_text(number, text) => Kinds::DOUBLE,
            NumberKind::Double => Kinds::DOUBLE.join(Kinds::LONG),
        };
        self.doubt |= !self.places[node as usize].sure.has(kinds);
        let known = &self.learned.nodes[node as usize];
        let Digits(before, after) = known.digits;
        if !known.kinds.has(kinds) || !has_no_more_digits(number, before, after) {
            self.note_news(Seen { node, kinds, digits: digits_of(number, text) });
        }
    }

    /// A kind that the record has at a node.
    #[inline]
    pub(super) fn note(&mut self, node: u32, kinds: Kinds) {
        self.doubt |= !self.places[node as usize].sure.has(kinds);
        if !self.learned.nodes[node as usize].kinds.has(kinds) {
            self.note_news(Seen { node, kinds, digits: Digits::default() });
        }
    }

    /// What no record before it had. A set for each node is all that it comes to: a record of millions of values is
    /// not remembered one by one.
    fn note_news(&mut self, seen: Seen) {
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
}
