//! `LIKE`: `%` is any text, `_` one character, an escape character takes either as it is.
//!
//! Not for: regular expressions; their crate would cost more than the rest of this module. The
//! decision to know: the matcher only ever goes back to the last `%`, so its time is at most
//! text × pattern, whatever the pattern.

use super::error::RowError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Exactly(char),
}

/// A pattern, ready to match.
#[derive(Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

impl Pattern {
    /// Fails when the escape character stands before anything but `%`, `_` or itself.
    pub(super) fn new(pattern: &str, escape: Option<char>) -> Result<Self, RowError> {
        let mut pieces = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let piece = if Some(c) == escape {
                match chars.next() {
                    Some(next) if matches!(next, '%' | '_') || Some(next) == escape => Piece::Exactly(next),
                    _ => {
                        return Err(RowError::cast(
                            "LIKE: ESCAPE must stand before %, _ or itself in the pattern",
                        ));
                    }
                }
            } else {
                match c {
                    '%' => Piece::Any,
                    '_' => Piece::One,
                    _ => Piece::Exactly(c),
                }
            };
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
        }
        Ok(Self { pieces })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut next = 0;
        // Where to go on when what follows the last `%` does not match: one character further.
        let mut retry = None;
        loop {
            let piece = self.pieces.get(next);
            if piece == Some(&Piece::Any) {
                next += 1;
                if next == self.pieces.len() {
                    return true;
                }
                retry = Some((rest.clone(), next));
                continue;
            }
            let fits = match (piece, rest.next()) {
                (None, None) => return true,
                (Some(Piece::One), Some(_)) => true,
                (Some(Piece::Exactly(wanted)), Some(found)) => *wanted == found,
                (Some(_), None) => return false,
                _ => false,
            };
            if fits {
                next += 1;
                continue;
            }
            let Some((from, piece)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            (rest, next) = (from.clone(), *piece);
        }
    }
}
