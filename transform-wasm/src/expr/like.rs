//! `LIKE`: `%` is any text, `_` one character, an escape character takes either as it is.
//!
//! Not for: regular expressions; their crate would cost more than the rest of this module. The
//! decision to know: patterns may come out of the input as texts do, so the time must not be
//! text × pattern. What stands between two `%` is looked for once, from where the piece before it ended: plain
//! text by the standard library's search, which is linear, text with `_` in it by one bit a character.

use std::collections::BTreeMap;

use super::error::RowError;

/// Most characters of a piece between two `%` that has a `_`: each character of the text costs a step for every
/// 64 of them.
const MOST_WITH_ONE: usize = 1024;

/// One character of a piece; none: any.
type Wanted = Option<char>;

/// A pattern, ready to match.
#[derive(Debug)]
pub(super) struct Pattern {
    /// What the text begins with; all of it where there is no `%`.
    first: Vec<Wanted>,
    /// What comes behind it in this order, each after a `%`.
    middle: Vec<Piece>,
    /// What it ends with, behind the last `%`.
    last: Option<Vec<Wanted>>,
}

/// What is looked for between two `%`.
#[derive(Debug)]
enum Piece {
    Plain(String),
    WithOne(Bits),
}

impl Pattern {
    /// Fails when the escape character stands before anything but `%`, `_` or itself.
    pub(super) fn new(pattern: &str, escape: Option<char>) -> Result<Self, RowError> {
        let mut pieces: Vec<Vec<Wanted>> = vec![Vec::new()];
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let wanted = match c {
                _ if Some(c) == escape => match chars.next() {
                    Some(next) if matches!(next, '%' | '_') || Some(next) == escape => Some(next),
                    _ => {
                        return Err(RowError::cast(
                            "LIKE: ESCAPE must stand before %, _ or itself in the pattern",
                        ));
                    }
                },
                '%' => {
                    pieces.push(Vec::new());
                    continue;
                }
                '_' => None,
                _ => Some(c),
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(wanted);
            }
        }
        let last = if pieces.len() > 1 { pieces.pop() } else { None };
        let mut pieces = pieces.into_iter();
        let first = pieces.next().unwrap_or_default();
        let middle = pieces
            .filter(|piece| !piece.is_empty())
            .map(|piece| Piece::new(&piece))
            .collect::<Result<_, _>>()?;
        Ok(Self { first, middle, last })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let mut chars = text.chars();
        if !self.first.iter().all(|wanted| fits(*wanted, chars.next())) {
            return false;
        }
        let Some(last) = &self.last else { return chars.next().is_none() };
        if !last.iter().rev().all(|wanted| fits(*wanted, chars.next_back())) {
            return false;
        }
        // Each piece where it comes first: that leaves most for the others.
        let mut rest = chars.as_str();
        self.middle.iter().all(|piece| match piece.end_in(rest) {
            Some(end) => {
                rest = &rest[end..];
                true
            }
            None => false,
        })
    }
}

fn fits(wanted: Wanted, found: Option<char>) -> bool {
    found.is_some_and(|found| wanted.is_none_or(|wanted| wanted == found))
}

impl Piece {
    fn new(wanted: &[Wanted]) -> Result<Self, RowError> {
        match wanted.iter().copied().collect::<Option<String>>() {
            Some(plain) => Ok(Self::Plain(plain)),
            None if wanted.len() > MOST_WITH_ONE => Err(RowError::too_long(
                "LIKE: what stands between two % may have at most 1,024 characters where a _ is among them",
            )),
            None => Ok(Self::WithOne(Bits::new(wanted))),
        }
    }

    /// The byte after the first place where it stands.
    fn end_in(&self, text: &str) -> Option<usize> {
        match self {
            Self::Plain(plain) => text.find(plain.as_str()).map(|at| at + plain.len()),
            Self::WithOne(bits) => bits.end_in(text),
        }
    }
}

/// Shift-And (Baeza-Yates and Gonnet, 1992): bit `i` of the state says that the first `i + 1` characters of the
/// piece end here.
#[derive(Debug)]
struct Bits {
    length: usize,
    /// Positions that take a character, for those that the piece names.
    named: BTreeMap<char, Vec<u64>>,
    /// Positions that take any other.
    any: Vec<u64>,
}

impl Bits {
    fn new(wanted: &[Wanted]) -> Self {
        let mut any = vec![0; wanted.len().div_ceil(64)];
        for (i, _) in wanted.iter().enumerate().filter(|(_, wanted)| wanted.is_none()) {
            any[i / 64] |= 1 << (i % 64);
        }
        let mut named = BTreeMap::new();
        for (i, wanted) in wanted.iter().enumerate() {
            if let Some(c) = wanted {
                named.entry(*c).or_insert_with(|| any.clone())[i / 64] |= 1 << (i % 64);
            }
        }
        Self { length: wanted.len(), named, any }
    }

    fn end_in(&self, text: &str) -> Option<usize> {
        let mut state = vec![0_u64; self.any.len()];
        let (word, bit) = ((self.length - 1) / 64, (self.length - 1) % 64);
        for (at, c) in text.char_indices() {
            // A piece may begin at every character.
            let mut carry = 1;
            for (state, taken) in state.iter_mut().zip(self.named.get(&c).unwrap_or(&self.any)) {
                let next = *state >> 63;
                *state = (*state << 1 | carry) & taken;
                carry = next;
            }
            if state[word] >> bit & 1 == 1 {
                return Some(at + c.len_utf8());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the standard says it, with all the time in the world.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
            Some((&c, rest)) => {
                text.split_first().is_some_and(|(&found, text)| (c == '_' || c == found) && slow(rest, text))
            }
        }
    }

    proptest! {
        #[test]
        fn matches_as_the_standard_says(pattern in "[abä%_]{0,9}", text in "[abä]{0,12}") {
            let wanted = slow(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Pattern::new(&pattern, None).unwrap().matches(&text), wanted);
        }

        #[test]
        fn long_pieces_are_found_where_they_stand(
            before in "[ab]{0,90}", piece in "[ab_]{60,140}", after in "[ab]{0,90}",
        ) {
            let pattern = Pattern::new(&format!("%{piece}%"), None).unwrap();
            let text = format!("{before}{}{after}", piece.replace('_', "c"));
            prop_assert!(pattern.matches(&text));
            let other = text.replace('c', "");
            let wanted = slow_find(&piece, &other);
            prop_assert_eq!(pattern.matches(&other), wanted);
        }
    }

    fn slow_find(piece: &str, text: &str) -> bool {
        let (piece, text) = (piece.as_bytes(), text.as_bytes());
        text.windows(piece.len()).any(|at| at.iter().zip(piece).all(|(a, b)| *b == b'_' || a == b))
    }

    #[test]
    fn a_piece_with_any_character_has_a_bound() {
        let piece = "a_".repeat(MOST_WITH_ONE / 2);
        assert!(Pattern::new(&format!("%{piece}%"), None).is_ok());
        let error = Pattern::new(&format!("%{piece}a%"), None).unwrap_err();
        assert_eq!(error.code, "text_too_long");
        // At the ends nothing is searched for.
        assert!(Pattern::new(&format!("{piece}a%{piece}a"), None).is_ok());
        assert!(Pattern::new(&piece.replace('_', "b").repeat(3), None).is_ok());
    }
}
