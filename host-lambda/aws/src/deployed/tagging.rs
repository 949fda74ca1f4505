//! The tag on a source object that is done, for lifecycle rules.
//!
//! Decisions to know:
//!
//! * It comes after the done mark, never before: whoever deletes by the tag deletes nothing that a roll-forward needs.
//! * A tag that cannot be set is said and counted, and no more: the object is in the tables. Who finds that there is nothing
//!   to do asks for no tag, so that a redelivery costs what it did; who rolls a commit forward sets it.
//! * Only the version that was taken gets it. What took an object out of the tables tags nothing.

use std::time::Duration;

use crate::client::Aws;
use crate::deployed::Deployed;
use crate::observe::metrics::Metrics;
use crate::observe::stage;
use crate::s3::{S3Options, S3Storage, TagState};
use lakegate_base::Result;
use lakegate_config::{Pipeline, SourceAfter};
use lakegate_lake::run::{Outcome, State};
use lakegate_lake::source::Source;

/// The tag.
const TAG: (&str, &str) = ("lakegate", "done");
/// How long it may take, with the client's retries.
const TAGGING: Duration = Duration::from_secs(8);

impl Deployed {
    /// Tags a source object, if its pipeline wants that and the outcome is that it is done now.
    pub(super) fn tag(&self, pipeline: &Pipeline, source: &Source, outcome: &Outcome, aws: &Aws) {
        if pipeline.source_after != SourceAfter::Tag || !is_done_now(outcome, source.version()) {
            return;
        }
        match tag(source, &aws.within(TAGGING)) {
            // Of what was deleted or overwritten since there is nothing to tag.
            Ok(TagState::There | TagState::Gone) => return,
            Ok(TagState::Full) => stage::tags_full(),
            Err(error) => stage::tagging_failed(&error),
        }
        self.tell(&pipeline.name, &Metrics { tag_failures: Some(1), ..Metrics::default() });
    }
}

/// Whether this very version came into the tables by this run, or its commit was completed by it.
fn is_done_now(outcome: &Outcome, version: &str) -> bool {
    let commit = &outcome.commit;
    matches!(outcome.state, State::Made | State::Replaced | State::RolledForward)
        && commit.source.version() == version
        && !commit.is_retraction()
}

fn tag(source: &Source, aws: &Aws) -> Result<TagState> {
    let place = source.uri().strip_prefix("s3://").and_then(|place| place.split_once('/'));
    let Some((bucket, key)) = place else { return Ok(TagState::Gone) };
    let raw = S3Storage::new(aws.clone(), bucket, "", S3Options::default());
    Ok(raw.tag_version(key, source.version(), TAG)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_lake::record::CommitRecord;
    use lakegate_model::Rejected;

    #[test]
    fn only_the_version_that_was_taken_is_done() {
        let mut commit = CommitRecord { reason: "new".into(), ..CommitRecord::default() };
        commit.source.version = "v:1".into();
        let report = lakegate_model::report::Report::default();
        let (state, warnings, rejected) = (State::Made, Vec::new(), Rejected::default());
        let mut outcome = Outcome { state, commit, report, passes: 1, milliseconds: 1, warnings, rejected };
        for (state, done) in [
            (State::Made, true),
            (State::Replaced, true),
            (State::RolledForward, true),
            (State::NothingToDo, false),
            (State::Superseded, false),
        ] {
            outcome.state = state;
            assert_eq!(is_done_now(&outcome, "v:1"), done, "{state:?}");
            assert!(!is_done_now(&outcome, "v:2"), "another version's commit");
        }
        outcome.state = State::RolledForward;
        outcome.commit.reason = "retract".into();
        assert!(!is_done_now(&outcome, "v:1"), "it was taken out of the tables");
    }
}
