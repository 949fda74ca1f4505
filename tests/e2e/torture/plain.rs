//! What operations come to, one after the other, in a page of plain code that shares nothing with the flow.
//!
//! Not for what happens when they meet: that is compared with what they come to in some order. This holds that order
//! itself to account, so that a rule that is lost everywhere alike is found too.

use std::collections::{BTreeMap, BTreeSet};

use super::world::Op;

/// Objects by key.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    append: bool,
    objects: BTreeMap<u8, Object>,
}

#[derive(Clone, Debug, Default)]
struct Object {
    /// Versions whose rows count.
    current: BTreeSet<u8>,
    /// Versions that were taken out: an event of theirs comes late.
    retracted: BTreeSet<u8>,
    /// How its rejected record was mended, if it was.
    mended: Option<u8>,
}

impl Object {
    fn load(&mut self, version: u8, append: bool) {
        let late = self.retracted.contains(&version) || self.current.contains(&version);
        if !late {
            self.make(version, append);
        }
    }

    fn make(&mut self, version: u8, append: bool) {
        if append {
            self.current.insert(version);
        } else if self.current.iter().all(|current| *current <= version) {
            if !self.current.contains(&version) {
                self.mended = None;
            }
            self.current = BTreeSet::from([version]);
        }
    }

    fn retract(&mut self) {
        self.retracted.append(&mut self.current);
        self.mended = None;
    }
}

impl Plain {
    /// A lake where the versions of an object are added to each other, or replace each other.
    pub fn new(append: bool) -> Self {
        Self { append, ..Self::default() }
    }

    pub fn act(&mut self, op: Op) {
        let append = self.append;
        match op {
            Op::Load { key, version } => self.objects.entry(key).or_default().load(version, append),
            Op::Again { key, version } => self.objects.entry(key).or_default().make(version, append),
            Op::Retract { key } => self.objects.entry(key).or_default().retract(),
            Op::Resubmit { key, mended } => {
                let object = self.objects.entry(key).or_default();
                if !object.current.is_empty() {
                    object.mended.get_or_insert(mended);
                }
            }
            Op::Change | Op::Fsck => {}
        }
    }

    /// The `id` of each row, sorted, and how many rejected records are open.
    pub fn seen(&self) -> (Vec<String>, usize) {
        let (mut ids, mut open) = (Vec::new(), 0);
        for (key, object) in &self.objects {
            for version in &object.current {
                ids.extend(['a', 'b'].map(|letter| format!("{key}-{version}-{letter}")));
            }
            match object.mended {
                Some(mended) => ids.push(mended_id(*key, mended)),
                None => open += object.current.len(),
            }
        }
        ids.sort();
        (ids, open)
    }
}

/// The `id` of a mended record; from 9 on it does not tell whose it was.
pub fn mended_id(key: u8, mended: u8) -> String {
    if mended < 9 { format!("{key}-mended-{mended}") } else { format!("mended-{mended}") }
}
