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
    /// By pipeline, of which the first is the one that everything else is done in.
    objects: BTreeMap<(u8, u8), Object>,
    /// Versions whose raw file is gone: their events are answered without a look.
    gone: BTreeSet<(u8, u8)>,
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
            Op::Load { key, version } | Op::Beside { key, version } | Op::Again { key, version }
                if self.gone.contains(&(key, version)) => {}
            Op::Overwrite { key, version } => {
                self.gone.insert((key, version));
            }
            Op::Load { key, version } => self.object(0, key).load(version, append),
            Op::Beside { key, version } => self.object(1, key).load(version, append),
            Op::Again { key, version } => self.object(0, key).make(version, append),
            Op::Retract { key } => self.object(0, key).retract(),
            Op::Resubmit { key, mended } => {
                let object = self.object(0, key);
                if !object.current.is_empty() {
                    object.mended.get_or_insert(mended);
                }
            }
            Op::Change | Op::Fsck => {}
        }
    }

    fn object(&mut self, pipeline: u8, key: u8) -> &mut Object {
        self.objects.entry((pipeline, key)).or_default()
    }

    /// The `id` of each row, sorted, and how many rejected records are open.
    pub fn seen(&self) -> (Vec<String>, usize) {
        let (mut ids, mut open) = (Vec::new(), 0);
        for ((_, key), object) in &self.objects {
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
