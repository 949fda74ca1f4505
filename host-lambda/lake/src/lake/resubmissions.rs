//! Which commits submit rejected records of a source object again: claims, and what takes a commit's rows away again.
//!
//! Not for submitting them: see [`quarantine`](crate::operate::quarantine). How two who act at once never put a row in
//! twice, and never leave one whose source has changed:
//!
//! * A claim names a commit and the records that it resolves. Claims of one object have numbers, each put if absent, so
//!   that of two who claim the same record the second sees the first. A claim counts while its commit does. One whose
//!   commit is not there is taken over by putting a void record in that commit's place: whichever record is there first
//!   decides, so that a slow process finds its own place taken.
//! * A resubmission is withdrawn where a later generation of the source accepts its records, or has others. The
//!   generation looks for claims after its commit, and the resubmission looks at the source after its own; whoever
//!   looks second sees the other, and puts the marker that says so.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::keys;
use crate::lake::{Lake, to_json};
use crate::record::{CommitRecord, CommitState, Resolved};
use crate::source::now_ms;
use lakegate_base::time::rfc3339;
use lakegate_base::{Code, Error, Result};

/// Lost places in the row of an object's claims after which something else must be wrong.
const ATTEMPTS: u32 = 100;

/// What a claim says.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    version: u32,
    /// URI of the resubmission, and its generation: the commit.
    resubmission: String,
    generation: u32,
    /// Digest of the source's content, and the records of it.
    digest: String,
    records: Vec<u64>,
}

impl Claim {
    fn is_of(&self, record: &CommitRecord) -> bool {
        (self.resubmission.as_str(), self.generation) == (record.source.uri.as_str(), record.generation)
    }

    fn meets(&self, resolved: &Resolved) -> bool {
        self.digest == resolved.digest
            && resolved.records.iter().any(|number| self.records.binary_search(number).is_ok())
    }
}

impl Lake {
    /// Claims the records that a commit is about to submit again.
    ///
    /// # Errors
    /// `records_taken`: somebody else has submitted some of them, or their object has changed.
    pub(crate) fn claim(&self, record: &CommitRecord) -> Result<()> {
        for resolved in &record.resolves {
            if !self.is_open(&record.pipeline, resolved)? {
                return Err(taken(resolved));
            }
            self.claim_one(record, resolved)?;
        }
        Ok(())
    }

    fn claim_one(&self, record: &CommitRecord, resolved: &Resolved) -> Result<()> {
        let pipeline = &record.pipeline;
        for _ in 0..ATTEMPTS {
            let claims = self.claims(pipeline, &resolved.source)?;
            let mut mine = false;
            for (_, claim) in &claims {
                mine |= claim.is_of(record);
                let other = claim.resubmission != record.source.uri;
                if other && claim.meets(resolved) && self.counts(pipeline, claim, resolved)? {
                    return Err(taken(resolved));
                }
            }
            if mine {
                return Ok(());
            }
            let number = claims.last().map_or(1, |(number, _)| number + 1);
            let claim = Claim {
                version: 1,
                resubmission: record.source.uri.clone(),
                generation: record.generation,
                digest: resolved.digest.clone(),
                records: resolved.records.clone(),
            };
            let key = keys::resubmission_key(pipeline, &resolved.source, number);
            if self.storage().put_if_absent(&key, &to_json(&claim)?)? {
                return Ok(());
            }
        }
        Err(Error::new(
            Code::ObjectContended,
            format!("others claim records of {} over and over", resolved.source),
        ))
    }

    /// Claims on records of an object, by number.
    fn claims(&self, pipeline: &str, source: &str) -> Result<Vec<(u32, Claim)>> {
        let mut found = Vec::new();
        for facts in self.storage().list(&keys::resubmissions_prefix(pipeline, source))? {
            let Some(number) = keys::number_of_resubmission(&facts.key) else { continue };
            found.extend(self.read_json::<Claim>(&facts.key)?.map(|claim| (number, claim)));
        }
        Ok(found)
    }

    /// Whether a claim of somebody else holds. One whose commit is not there is ended here.
    fn counts(&self, pipeline: &str, claim: &Claim, resolved: &Resolved) -> Result<bool> {
        let key = keys::commit_key(pipeline, &claim.resubmission, claim.generation);
        if self.storage().stat(&key)?.is_none() {
            let now = rfc3339(now_ms());
            let void = CommitRecord::void(pipeline, &claim.resubmission, claim.generation, now);
            if self.storage().put_if_absent(&key, &to_json(&void)?)? {
                return Ok(false);
            }
        }
        let state = self.state_of(pipeline, &claim.resubmission, claim.generation)?;
        Ok(state.is_some_and(|state| {
            state.current && state.record.resolves.iter().any(|other| other.source == resolved.source)
        }))
    }

    fn state_of(&self, pipeline: &str, uri: &str, generation: u32) -> Result<Option<CommitState>> {
        let states = self.commits_below(&keys::object_prefix(pipeline, uri))?;
        // A later generation of a resubmission resolves the same records: its contract was changed.
        let found = states.iter().position(|state| state.record.generation == generation);
        let Some(found) = found else { return Ok(None) };
        let later = states[found..].iter().find(|state| state.current);
        Ok(later.or(states.get(found)).cloned())
    }

    /// Commits that count and submitted records of an object again.
    pub(crate) fn resubmissions_of(&self, pipeline: &str, uri: &str) -> Result<Vec<CommitState>> {
        let claims = self.claims(pipeline, uri)?;
        let objects: BTreeSet<String> =
            claims.iter().map(|(_, claim)| keys::object_key(&claim.resubmission)).collect();
        let mut found = Vec::new();
        for object in objects {
            for state in self.commits_below(&keys::commits_prefix(pipeline, &object))? {
                let concerns = state.record.resolves.iter().any(|resolved| resolved.source == uri);
                if state.current && concerns {
                    found.push(state);
                }
            }
        }
        Ok(found)
    }

    /// Whether a commit of resubmitted records was made void by a later generation of their object.
    pub(crate) fn is_withdrawn(&self, record: &CommitRecord) -> Result<bool> {
        Ok(!record.resolves.is_empty() && self.storage().stat(&record.withdrawn_key())?.is_some())
    }

    /// Says that a commit of resubmitted records counts no more.
    pub(crate) fn withdraw(&self, record: &CommitRecord) -> Result<()> {
        self.storage().put_if_absent(&record.withdrawn_key(), b"{\"version\":1}\n")?;
        Ok(())
    }

    /// Whether records that were picked from a quarantine are rejected still: the generation counts, or one that does
    /// has the same content and rejects all of them.
    pub(crate) fn is_open(&self, pipeline: &str, resolved: &Resolved) -> Result<bool> {
        let states = self.commits_below(&keys::object_prefix(pipeline, &resolved.source))?;
        let same = |state: &&CommitState| state.current && state.record.source.digest == resolved.digest;
        for state in states.iter().filter(same) {
            if state.record.generation == resolved.generation {
                return Ok(true);
            }
            let rejected = self.rejected_of(&state.record)?;
            if resolved.records.iter().all(|number| rejected.contains(number)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Numbers of the records that a generation rejected; none while its quarantine is not published.
    pub(crate) fn rejected_of(&self, record: &CommitRecord) -> Result<BTreeSet<u64>> {
        let Some(kept) = &record.quarantine else { return Ok(BTreeSet::new()) };
        let Some(text) = self.storage().get(&kept.key)? else { return Ok(BTreeSet::new()) };
        Ok(text.bytes.split(|&byte| byte == b'\n').filter_map(record_number).collect())
    }
}

/// The number of a quarantine line, which begins with it.
pub(crate) fn record_number(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"record\":")?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

fn taken(resolved: &Resolved) -> Error {
    let what = format!(
        "rejected records of {} were submitted again, or their object changed, meanwhile",
        resolved.source
    );
    Error::new(Code::RecordsTaken, what)
        .with_hint("look at what is open with `lakegate quarantine list`, and pick anew")
}
