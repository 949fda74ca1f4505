//! Contract and spec texts that were read already, by the digest that names them.
//!
//! Not for records. A text is its digest's for ever, so that no text is ever out of date; when there are too many, all go, since the next object of each pipeline
//! brings back the one or two that are in use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::lake::LiveContract;
use crate::lake::layout::Layout;

/// Bytes of all texts: a contract of the widest table that a spec may make (2,000 columns) has a quarter of a
/// MiB, and a deployed pipeline works with a few.
const MOST_BYTES: usize = 8 << 20;

/// Texts by key. Made once a pipeline, kept from one invocation to the next.
#[derive(Debug, Default)]
pub struct Texts {
    known: Mutex<BTreeMap<String, String>>,
    /// Live contracts as they were last read. These may be out of date, and are good for a beginning: a run asks for
    /// the live one after its commit.
    live: Mutex<BTreeMap<String, LiveContract>>,
    layout: Arc<Layout>,
}

impl Texts {
    /// What lakes that share this memory know of the layout of their one place.
    pub(super) fn layout(&self) -> Arc<Layout> {
        self.layout.clone()
    }

    pub(super) fn live(&self, table: &str) -> Option<LiveContract> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned()
    }

    pub(super) fn keep_live(&self, contract: &LiveContract) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(contract.table.clone(), contract.clone());
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn keep(&self, key: &str, text: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: usize = known.values().map(String::len).sum();
        if bytes + text.len() > MOST_BYTES {
            known.clear();
        }
        if text.len() <= MOST_BYTES {
            known.insert(key.into(), text.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Lake, contract_key, sha256};
    use super::*;

    #[test]
    fn a_text_is_read_once_and_checked_when_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let bare = Lake::local(folder.path()).unwrap();
        let digest = bare.keep_text(contract_key, b"{}").unwrap();
        let lake = bare.clone().remembering(Arc::default());
        assert_eq!(lake.contract_text(&digest).unwrap().as_deref(), Some("{}"));
        // Whatever happens to the object: the text is known, and a lake without a memory looks again.
        bare.overwrite(&contract_key(&digest), b"{damaged}").unwrap();
        assert_eq!(lake.contract_text(&digest).unwrap().as_deref(), Some("{}"));
        assert_eq!(bare.contract_text(&digest).unwrap_err().name(), "lake_damaged");
        let other = bare.remembering(Arc::default());
        assert_eq!(other.contract_text(&digest).unwrap_err().name(), "lake_damaged", "never kept unchecked");
        assert_eq!(other.contract_text(&sha256(b"no")).unwrap(), None, "what is missing may come");
    }

    #[test]
    fn the_memory_is_bounded() {
        let texts = Texts::default();
        let text = "x".repeat(MOST_BYTES / 4);
        for key in ["a", "b", "c", "d"] {
            texts.keep(key, &text);
        }
        assert!(texts.get("a").is_some());
        texts.keep("e", &text);
        assert_eq!((texts.get("a"), texts.get("e").is_some()), (None, true));
        texts.keep("f", &"x".repeat(MOST_BYTES + 1));
        assert_eq!(texts.get("f"), None);
    }
}
