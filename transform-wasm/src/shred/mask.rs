//! What of a masked column's values may be seen: they are replaced as soon as they are in their column.
//!
//! For: `mask` of a column. The decision to know: a value is judged by its column's type first, and masked in the
//! batch itself, so that no expression, no extension, no statistic and no part file ever meets it.

use crate::column::{Column, Values};
use crate::spec::Mask;

/// Characters of a text that `last4` shows.
const SHOWN: usize = 4;

/// Texts of fewer characters show none: the last four would be half of them, or all.
const SHORT: usize = 8;

/// Masks the slots of a column from `from` on.
#[cold]
pub(super) fn apply(mask: Mask, column: &mut Column, from: usize) {
    let slots = column.len();
    let shown: Vec<Option<String>> = match (mask, column.values()) {
        (Mask::Last4, Values::String(texts)) => {
            let is_there = |&slot: &usize| column.valid()[slot] == 1;
            let shown = |slot: usize| last_four(&String::from_utf8_lossy(texts.get(slot)));
            (from..slots).map(|slot| Some(slot).filter(is_there).map(shown)).collect()
        }
        _ => vec![None; slots.saturating_sub(from)],
    };
    column.truncate(from);
    for text in shown {
        match (text, column.slots()) {
            (Some(text), crate::column::Slots::String(mut slots)) => slots.push(text.as_bytes()),
            _ => column.push_null(),
        }
    }
}

fn last_four(text: &str) -> String {
    let characters = text.chars().count();
    if characters < SHORT {
        return "*".repeat(characters);
    }
    let shown: String = text.chars().skip(characters - SHOWN).collect();
    format!("****{shown}")
}

#[cfg(test)]
mod tests {
    use super::last_four;

    #[test]
    fn four_characters_of_at_least_eight_are_shown() {
        for (text, shown) in [
            ("4111111111111111", "****1111"),
            ("12345678", "****5678"),
            ("1234567", "*******"),
            ("", ""),
            ("ä", "*"),
            ("ääääöööö", "****öööö"),
        ] {
            assert_eq!(last_four(text), shown);
        }
    }
}
