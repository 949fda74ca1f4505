//! A guarded canary in a host: whether it was taken back, and whether it is to be.
//!
//! Not for the limits themselves (`guard`). The decision to know: nothing here fails an object. A lake that cannot be
//! read now is asked again with the next one.

use std::time::{Duration, Instant};

use crate::follow::{Event, Follower, LOOK, Serving, State, What};
use crate::guard::{Aborted, counted, mark_of};
use lakegate_base::Result;
use lakegate_base::time::rfc3339;
use lakegate_lake::lake::{Lake, to_json};
use lakegate_lake::record::ReleaseRecord;
use lakegate_lake::source::now_ms;

/// A judgement reads many records. A host makes its first ones at once, later ones at most once in this time.
const JUDGE: Duration = Duration::from_secs(10);
/// So many are made at once.
const FIRST: u32 = 8;

/// What a host knows of its guarded canary.
#[derive(Default)]
pub(super) struct Watch {
    /// Key of the mark of a canary that was taken back.
    aborted: Option<String>,
    looked: Option<Instant>,
    judged: Option<Instant>,
    judgements: u32,
}

impl Watch {
    /// Whether it is time to judge the canary.
    fn may_judge(&mut self) -> bool {
        let recent = self.judged.is_some_and(|at| at.elapsed() < JUDGE);
        if recent && self.judgements >= FIRST {
            return false;
        }
        self.judged = Some(Instant::now());
        self.judgements += 1;
        true
    }
}

impl Follower {
    /// The releases in use without a canary that hosts took back.
    pub(super) fn without_aborted(&self, serving: Serving) -> Serving {
        let guarded = serving.canary.as_ref().filter(|(_, canary)| canary.share.guard.is_some());
        let (Some((release, canary)), Some(lake)) = (guarded, &self.inner.loader.lake) else {
            return serving;
        };
        let (mark, id) = (mark_of(self.name(), canary), release.id());
        if self.is_aborted(lake, &mark, &id) { Serving { canary: None, ..serving } } else { serving }
    }

    fn is_aborted(&self, lake: &Lake, mark: &str, release: &str) -> bool {
        {
            let mut state = self.inner.lock();
            if state.watch.aborted.as_deref() == Some(mark) {
                return true;
            }
            if state.watch.looked.is_some_and(|at| at.elapsed() < LOOK) {
                return false;
            }
            state.watch.looked = Some(Instant::now());
        }
        let Ok(Some(found)) = lake.read_json::<Aborted>(mark) else { return false };
        self.aborted(mark, release, &found.why);
        true
    }

    /// From now on the canary takes nothing here.
    fn aborted(&self, mark: &str, release: &str, why: &str) {
        let mut state = self.inner.lock();
        if state.watch.aborted.as_deref() == Some(mark) {
            return;
        }
        state.watch.aborted = Some(mark.to_owned());
        let follow = &self.inner.follow;
        let event = follow.event(What::CanaryAborted, state.serving.sequence, &state);
        let hint = format!("`lakegate rollback {}` takes it back for good", follow.name);
        follow.tell(&Event {
            release: release.to_owned(),
            message: why.to_owned(),
            hint: Some(hint),
            ..event
        });
    }

    /// Judges the canary after an object of it that failed or had rejected records: over its limits it takes no object
    /// of this lake any more. `made_by` is the release that the object was given to.
    ///
    /// # Errors
    /// The storage's.
    pub fn judge(&self, lake: &Lake, pipeline: &str, made_by: Option<&ReleaseRecord>) -> Result<()> {
        let (release, canary) = {
            let mut state = self.inner.lock();
            let Some((release, canary)) = state.serving.canary.clone() else { return Ok(()) };
            let is_its = made_by.is_some_and(|by| by.manifest == release.pinned.manifest);
            if !is_its || canary.share.guard.is_none() || !state.watch.may_judge() {
                return Ok(());
            }
            (release, canary)
        };
        let counts = counted(lake, pipeline, self.name(), &canary)?;
        let Some(why) = canary.share.guard.and_then(|guard| guard.passed(&counts)) else { return Ok(()) };
        let (mark, id) = (mark_of(self.name(), &canary), release.id());
        let found = Aborted {
            version: 1,
            release: id.clone(),
            pipeline: pipeline.into(),
            why: why.clone(),
            counts,
            at: rfc3339(now_ms()),
        };
        // Another host may have been quicker: the mark is the same then.
        lake.storage().put_if_absent(&mark, &to_json(&found)?)?;
        self.aborted(&mark, &id, &why);
        Ok(())
    }
}

impl State {
    /// Whether the canary of the document in use was taken back by hosts.
    pub(super) fn has_aborted(&self, channel: &str) -> bool {
        let mark = self.serving.canary.as_ref().map(|(_, canary)| mark_of(channel, canary));
        mark.is_some() && mark == self.watch.aborted
    }
}
