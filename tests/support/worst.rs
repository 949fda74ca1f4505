//! Inputs made to cost a transform as much as possible: each of a kind, of any size.
//!
//! For: tests of how work grows with the input. The decision to know: whoever sends such an input has read the
//! source, so the hashes that stand there are turned around here.

use std::fmt::Write as _;

/// Pieces of a key of [`keys_of_one_hash`]: always as many, so that more keys are no longer ones.
const PIECES: usize = 14;

/// Keys of one value of the hash that keys are found by (FNV-1a, 32 bits): pairs of pieces that lead from one
/// value to one other are found by their birthdays; any choice of one of each pair has the hash of all others.
#[must_use]
pub fn keys_of_one_hash(count: usize) -> Vec<String> {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let piece = |n: u32| -> [u8; 8] {
        let mixed = n.wrapping_mul(0x9E37_79B1);
        std::array::from_fn(|i| b'a' + (mixed >> (4 * i) & 15) as u8)
    };
    let mut state = 0x811c_9dc5;
    let mut pairs: Vec<[[u8; 8]; 2]> = Vec::new();
    for _ in 0..PIECES {
        let found = (16..24).find_map(|bits| {
            let mut made: Vec<(u32, u32)> =
                (0..1 << bits).map(|n| (piece(n).into_iter().fold(state, step), n)).collect();
            made.sort_unstable();
            made.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0], pair[1].1))
        });
        let ((after, one), other) = found.expect("there are far more pieces than values");
        pairs.push([piece(one), piece(other)]);
        state = after;
    }
    let key = |n: usize| -> Vec<u8> {
        pairs.iter().enumerate().flat_map(|(bit, pair)| pair[n >> bit & 1]).collect()
    };
    (0..count).map(|n| String::from_utf8(key(n)).expect("they are letters")).collect()
}

/// Numbers of one value of the hash that a dictionary finds them by.
pub fn numbers_of_one_hash(count: usize) -> impl Iterator<Item = i64> {
    let (first, second) = (inverse(0x9E37_79B9_7F4A_7C15), inverse(0xD6E8_FEB8_6659_FD93));
    (0..count as u64).map(move |low| {
        let mixed = (7 << 32 | low).wrapping_mul(second);
        (mixed ^ mixed >> 32).wrapping_mul(first) as i64
    })
}

/// What an odd factor is undone by, modulo 2^64 (Newton).
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |so_far, _| so_far.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(so_far))))
}

/// Something for each number, one after the other.
pub fn each(count: usize, mut write: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::new();
    (0..count).for_each(|n| write(&mut text, n));
    text
}

/// So many times the same.
#[must_use]
pub fn times(count: usize, text: &str) -> String {
    text.repeat(count)
}

/// One object with such members.
#[must_use]
pub fn object<K: AsRef<str>>(keys: &[K], value: &str) -> String {
    let members: Vec<String> = keys.iter().map(|key| format!("\"{}\":{value}", key.as_ref())).collect();
    format!("{{{}}}\n", members.join(","))
}

/// Keys that all become one name: `a` behind signs that say the number.
#[must_use]
pub fn keys_of_one_name(count: usize) -> Vec<String> {
    let key = |n: usize| (0..12).map(|bit| if n >> bit & 1 == 1 { '-' } else { '_' }).chain(['a']).collect();
    (0..count).map(key).collect()
}

/// Numbered keys.
#[must_use]
pub fn keys(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("k{n}")).collect()
}

/// A spec of one table `t` that takes columns of these types and nothing else; `more` goes before the columns.
#[must_use]
pub fn closed(more: &str, columns: &[(&str, &str)]) -> String {
    let mut spec = format!("{ALL_REJECTED}{more}[[table]]\nname = \"t\"\nmode = \"freeze\"\n");
    for (name, ty) in columns {
        let _ = write!(spec, "[[table.column]]\nname = \"{name}\"\ntype = \"{ty}\"\n");
    }
    spec
}

/// All records may be rejected.
pub const ALL_REJECTED: &str = "[output]\nmax_rejected = \"100%\"\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_collide_and_differ() {
        let keys = keys_of_one_hash(300);
        let hash = |key: &String| {
            key.bytes().fold(0x811c_9dc5, |h: u32, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
        };
        assert!(keys.iter().all(|key| hash(key) == hash(&keys[0])));
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), 300);
        let word = |value: i64| {
            let x = (value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (x ^ x >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 32
        };
        let numbers: std::collections::BTreeSet<i64> = numbers_of_one_hash(300).collect();
        assert_eq!(numbers.len(), 300);
        assert!(numbers.iter().all(|number| word(*number) == 7));
    }
}
