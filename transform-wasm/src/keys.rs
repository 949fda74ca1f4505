//! The keys of one object shape: key → node, found fast when records repeat their key order.
//!
//! For: the shredder and the learner, which look up every key of every record. The decision to
//! know: producers write keys in a stable order, so the successor of the last key is tried first by
//! comparing raw bytes (quotes included); only a miss goes to the hash table.

use crate::bytes::equal;

/// Keys in the order they came, with an open-addressing index above a few.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    entries: Vec<Entry>,
    /// Entry number + 1 by hash; empty while a linear search is quicker.
    slots: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// `"key"` as most writers put it, or empty when the key needs escapes.
    quoted: Box<[u8]>,
    key: Box<[u8]>,
    node: u32,
    /// Object instance that saw this key last: how duplicates are found.
    stamp: u32,
}

const LINEAR: usize = 8;

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
        while self.slots[slot] != 0 {
            let i = self.slots[slot] as usize - 1;
            if equal(&self.entries[i].key, key) {
                return Some(i);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// Whether the raw input at `at` begins with the quoted key at `position`; its length then.
    #[inline]
    pub fn matches(&self, position: usize, input: &[u8]) -> Option<usize> {
        let quoted = &self.entries.get(position)?.quoted;
        let head = input.get(..quoted.len())?;
        (!quoted.is_empty() && equal(head, quoted)).then_some(quoted.len())
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

    /// Adds a key that is not there yet.
    pub fn insert(&mut self, key: &[u8], node: u32) {
        let plain = key.iter().all(|&b| b >= 0x20 && b != b'"' && b != b'\\');
        let quoted = if plain { [b"\"", key, b"\""].concat() } else { Vec::new() };
        self.entries.push(Entry { quoted: quoted.into(), key: key.into(), node, stamp: 0 });
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
        }
        let mask = self.slots.len() - 1;
        for i in first..self.entries.len() {
            let mut slot = hash(&self.entries[i].key) as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = i as u32 + 1;
        }
    }
}

/// FNV-1a: keys are short, and the same value on every host matters more than speed here.
pub fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0x811c_9dc5, |h: u32, &b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}
