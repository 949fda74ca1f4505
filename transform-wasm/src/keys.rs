//! The keys of one object shape: key → node, found fast when records repeat their key order.
//!
//! For: the shredder and the learner, which look up every key of every record. The decision to
//! know: producers write keys in a stable order, so the successor of the last key is tried first by
//! comparing raw bytes (quotes included); only a miss goes to the hash table.
//!
//! The hash has no secret: the output must be the same on every host, and a seed that stands in a public
//! component is known to whoever would choose keys that collide. So a probe is bounded instead, and a key
//! that finds no place within it goes into an ordered map: chosen keys cost a logarithm, and the others
//! what they always did.

use std::collections::BTreeMap;

use crate::bytes::equal;

/// Keys in the order they came, with an open-addressing index above a few.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    entries: Vec<Entry>,
    /// Entry number + 1 by hash; empty while a linear search is quicker.
    slots: Vec<u32>,
    /// Entry numbers of the keys for which [`PROBES`] slots were taken.
    crowded: BTreeMap<Box<[u8]>, u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// `"key"` as most writers put it, or empty when the key needs escapes.
    quoted: Box<[u8]>,
    head: Head,
    key: Box<[u8]>,
    node: u32,
    /// Object instance that saw this key last: how duplicates are found.
    stamp: u32,
}

/// The first bytes of a quoted key and which of them count: compared without a look at its length, which is as good as random
/// from key to key.
#[derive(Clone, Copy, Debug)]
struct Head {
    word: u128,
    mask: u128,
}

impl Head {
    const BYTES: usize = 16;

    fn of(quoted: &[u8]) -> Self {
        let first = &quoted[..quoted.len().min(Self::BYTES)];
        let (mut word, mut mask) = ([0; Self::BYTES], [0; Self::BYTES]);
        word[..first.len()].copy_from_slice(first);
        mask[..first.len()].fill(0xff);
        Self { word: u128::from_le_bytes(word), mask: u128::from_le_bytes(mask) }
    }

    #[inline(always)]
    fn begins(self, input: &[u8; Self::BYTES]) -> bool {
        (u128::from_le_bytes(*input) ^ self.word) & self.mask == 0
    }
}

const LINEAR: usize = 8;

/// Slots that a key is looked for in. At a load of at most one half, keys that nobody chose need more only
/// where thousands stand together, and are found in the map then.
const PROBES: usize = 32;

impl Entry {
    /// Whether the input begins with a long key, or ends soon.
    #[inline(never)]
    fn begins(&self, input: &[u8]) -> Option<usize> {
        let head = input.get(..self.quoted.len())?;
        (!self.quoted.is_empty() && equal(head, &self.quoted)).then_some(head.len())
    }
}

impl Keys {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and nodes, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.entries.iter().map(|e| (&*e.key, e.node))
    }

    /// The node below an unescaped key.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.position(key).map(|i| self.entries[i].node)
    }

    /// Position of an unescaped key.
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        if self.slots.is_empty() {
            return self.entries.iter().position(|e| equal(&e.key, key));
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash(key) as usize & mask;
        for _ in 0..PROBES {
            if self.slots[slot] == 0 {
                return None;
            }
            let i = self.slots[slot] as usize - 1;
            if equal(&self.entries[i].key, key) {
                return Some(i);
            }
            slot = (slot + 1) & mask;
        }
        self.crowded.get(key).map(|&i| i as usize)
    }

    /// Whether the raw input at `at` begins with the quoted key at `position`; its length then.
    #[inline(always)]
    pub fn matches(&self, position: usize, input: &[u8]) -> Option<usize> {
        let entry = self.entries.get(position)?;
        let length = entry.quoted.len();
        match input.first_chunk::<{ Head::BYTES }>() {
            Some(first) if length <= Head::BYTES => {
                (entry.head.begins(first) && length > 0).then_some(length)
            }
            _ => entry.begins(input),
        }
    }

    /// The node at a position.
    #[inline]
    pub fn node(&self, position: usize) -> u32 {
        self.entries[position].node
    }

    /// Marks the key at a position as seen in object instance `stamp`; false when it was already.
    #[inline]
    pub fn mark(&mut self, position: usize, stamp: u32) -> bool {
        let entry = &mut self.entries[position];
        let first = entry.stamp != stamp;
        entry.stamp = stamp;
        first
    }

    /// Whether object instance `stamp` had the key at a position.
    pub fn is_marked(&self, position: usize, stamp: u32) -> bool {
        self.entries[position].stamp == stamp
    }

    /// Whether any object had the key at a position.
    pub fn was_met(&self, position: usize) -> bool {
        self.entries[position].stamp != 0
    }

    /// Whether any object had any of the keys.
    pub fn any_met(&self) -> bool {
        self.entries.iter().any(|entry| entry.stamp != 0)
    }

    /// Adds a key that is not there yet.
    pub fn insert(&mut self, key: &[u8], node: u32) {
        let plain = key.iter().all(|&b| b >= 0x20 && b != b'"' && b != b'\\');
        let quoted = if plain { [b"\"", key, b"\""].concat() } else { Vec::new() };
        let head = Head::of(&quoted);
        self.entries.push(Entry { quoted: quoted.into(), head, key: key.into(), node, stamp: 0 });
        if self.entries.len() > LINEAR {
            self.index();
        }
    }

    fn index(&mut self) {
        let wanted = (self.entries.len() * 2).next_power_of_two();
        let rebuild = self.slots.len() < wanted;
        let first = if rebuild { 0 } else { self.entries.len() - 1 };
        if rebuild {
            self.slots = vec![0; wanted * 2];
            self.crowded.clear();
        }
        for i in first..self.entries.len() {
            self.place(i);
        }
    }

    /// Gives an entry its slot, or its place in the map.
    fn place(&mut self, i: usize) {
        let mask = self.slots.len() - 1;
        let key = &self.entries[i].key;
        let home = hash(key) as usize & mask;
        let free = (0..PROBES).map(|probe| (home + probe) & mask).find(|&slot| self.slots[slot] == 0);
        match free {
            Some(slot) => self.slots[slot] = i as u32 + 1,
            None => {
                self.crowded.insert(key.clone(), i as u32);
            }
        }
    }
}

/// Keys of one hash for tests: pairs of pieces that lead from one value to one other are found by their
/// birthdays; any choice of one of each pair has the hash of all others.
#[cfg(test)]
pub(crate) fn colliding(count: usize) -> Vec<String> {
    let piece = |n: u32| -> [u8; 8] {
        let mixed = n.wrapping_mul(0x9E37_79B1);
        std::array::from_fn(|i| b'a' + (mixed >> (4 * i) & 15) as u8)
    };
    let mut state = 0x811c_9dc5;
    let mut pairs: Vec<[[u8; 8]; 2]> = Vec::new();
    for _ in 0..count.next_power_of_two().trailing_zeros() {
        let found = (16..24).find_map(|bits| {
            let mut made: Vec<(u32, u32)> =
                (0..1 << bits).map(|n| (piece(n).into_iter().fold(state, step), n)).collect();
            made.sort_unstable();
            made.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0], pair[1].1))
        });
        let Some(((after, one), other)) = found else { break };
        pairs.push([piece(one), piece(other)]);
        state = after;
    }
    let key = |n: usize| -> Vec<u8> {
        pairs.iter().enumerate().flat_map(|(bit, pair)| pair[n >> bit & 1]).collect()
    };
    (0..count).map(|n| String::from_utf8_lossy(&key(n)).into_owned()).collect()
}

/// FNV-1a: keys are short, and the same value on every host matters more than speed here.
pub fn hash(key: &[u8]) -> u32 {
    key.iter().copied().fold(0x811c_9dc5, step)
}

#[inline(always)]
fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_hash_are_all_found_and_no_others() {
        let keys = colliding(2_000);
        assert!(keys.iter().all(|key| hash(key.as_bytes()) == hash(keys[0].as_bytes())));
        let mut held = Keys::default();
        for (node, key) in keys.iter().enumerate().step_by(2) {
            assert_eq!(held.find(key.as_bytes()), None);
            held.insert(key.as_bytes(), node as u32);
        }
        assert!(held.crowded.len() > 900, "{}", held.crowded.len());
        for (node, key) in keys.iter().enumerate() {
            assert_eq!(held.find(key.as_bytes()), (node % 2 == 0).then_some(node as u32), "{key}");
        }
        let order: Vec<u32> = held.iter().map(|(_, node)| node).collect();
        assert!(order.is_sorted());
    }

    #[test]
    fn a_key_is_matched_by_all_of_its_bytes_wherever_the_input_ends() {
        for length in 0..40 {
            let key: Vec<u8> = (0..length).map(|i| b'a' + i as u8 % 26).collect();
            let mut held = Keys::default();
            held.insert(&key, 0);
            let quoted = [b"\"", &key[..], b"\""].concat();
            for more in 0..20 {
                let input = [&quoted[..], &vec![b':'; more]].concat();
                assert_eq!(held.matches(0, &input), Some(quoted.len()), "{length} and {more}");
                assert_eq!(held.matches(1, &input), None);
                for at in 0..quoted.len() {
                    let mut other = input.clone();
                    other[at] ^= 1;
                    assert_eq!(held.matches(0, &other), None, "byte {at} of {length}");
                }
                assert_eq!(held.matches(0, &input[..quoted.len() - 1]), None);
            }
        }
        let mut held = Keys::default();
        held.insert(b"a\nb", 0);
        assert_eq!(
            held.matches(0, b"a\nb\": 1, and sixteen bytes"),
            None,
            "what needs escapes is not guessed"
        );
    }

    #[test]
    fn ordinary_keys_need_no_map() {
        let mut held = Keys::default();
        for node in 0..8_000 {
            held.insert(format!("column_{node}").as_bytes(), node);
        }
        assert_eq!(held.find(b"column_7999"), Some(7_999));
        assert!(held.crowded.len() < 100, "{}", held.crowded.len());
    }
}
