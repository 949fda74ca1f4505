//! What a new generation of an object takes the place of, and why there is one.
//!
//! Not for making it: see [`run`](super). The decision to know: it follows from the records alone, so that whoever makes
//! the same generation says the same.

use std::collections::BTreeSet;

use crate::record::{CommitState, Resolved};
use crate::run::Run;
use lakegate_base::Result;

impl Run<'_> {
    /// Generations whose files go: all that count, or with `append` those of the same content.
    pub(super) fn replaces(&self) -> Vec<u32> {
        let goes = |state: &&CommitState| {
            state.current && (!self.plan.append || state.record.source.version() == self.source.version())
        };
        self.standing.states.iter().filter(goes).map(|state| state.record.generation).collect()
    }

    /// Resubmissions that this generation makes void: the records they mended are gone with their content,
    /// or are accepted now and would be in the tables twice. What such a one mended besides is open again.
    pub(super) fn withdraws(&self, rejected: &BTreeSet<u64>) -> Result<Vec<CommitState>> {
        let replaced = self.replaces();
        if replaced.is_empty() || self.source.uri().starts_with("resubmit:") {
            return Ok(Vec::new());
        }
        let goes = |digest: &str| {
            let mut old = self.standing.states.iter().map(|state| &state.record);
            old.any(|old| old.source.digest == digest && replaced.contains(&old.generation))
        };
        let void = |resolved: &Resolved| {
            resolved.source == self.source.uri()
                && goes(&resolved.digest)
                && (resolved.digest != self.source.digest()
                    || resolved.records.iter().any(|record| !rejected.contains(record)))
        };
        let had = |state: &CommitState| {
            replaced.contains(&state.record.generation) && state.record.quarantine.is_some()
        };
        if !self.standing.states.iter().any(had) {
            return Ok(Vec::new());
        }
        let mut found = self.lake.resubmissions_of(self.plan.pipeline(), self.source.uri())?;
        found.retain(|state| state.record.resolves.iter().any(void));
        Ok(found)
    }

    pub(super) fn reason(&self) -> &'static str {
        if let Some(reason) = self.cause.reason {
            return reason;
        }
        let Some(last) =
            self.standing.states.iter().rev().find(|state| state.current).map(|state| &state.record)
        else {
            return "new";
        };
        if last.source.version() != self.source.version() {
            "content"
        } else if last.spec != self.plan.spec_digest {
            "spec"
        } else if last.component != self.transform.digest() {
            "component"
        } else {
            "rerun"
        }
    }
}
