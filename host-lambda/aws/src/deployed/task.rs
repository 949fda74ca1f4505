//! A state machine's task: what its execution is left to tell and to crawl by itself.
//!
//! Not for bad input, which the host records and tells as ever. Decisions to know:
//!
//! * The done mark decides who tells: it names the execution that completed the commit. That execution is told so
//!   whenever it asks, so that an answer that was lost loses no notice; every other one asks for a duplicate.
//! * An execution is about one version of an object. What else is completed on the way to it, an earlier version that
//!   somebody left undone or a newer one, the host tells itself: whoever brought it may never ask again.

use crate::catalog;
use crate::client::Aws;
use crate::event::ObjectAnswer;
use crate::notify;
use lakegate_base::Result;
use lakegate_config::Pipeline;
use lakegate_lake::lake::{Lake, Load};
use lakegate_lake::record::CommitRecord;
use lakegate_lake::run::{Outcome, State};

/// Where a done mark names the execution, in what was told.
pub(super) const EXECUTION: &str = "execution";

/// An execution, and the version of an object that it is about.
#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) arn: String,
    pub(super) version: String,
}

impl Execution {
    /// Whether a commit is left to it.
    pub(super) fn has(&self, record: &CommitRecord) -> bool {
        record.source.version() == self.version
    }
}

/// The answer about an object that is done, with what is left to the execution that asked, if one did.
///
/// # Errors
/// The lake's; a topic is a name, and the account cannot be told.
pub(super) fn answered(
    execution: Option<&str>,
    (pipeline, aws, lake): (&Pipeline, &Aws, &Lake),
    outcome: &Outcome,
    answer: ObjectAnswer,
) -> Result<ObjectAnswer> {
    let Some(execution) = execution else { return Ok(answer) };
    let ours = |mark: &Load| mark.told[EXECUTION].as_str() == Some(execution);
    if outcome.state == State::Superseded || !lake.load_of(&outcome.commit)?.as_ref().is_some_and(ours) {
        return Ok(answer);
    }
    let notices = Some(notify::of_commit(aws, pipeline, &outcome.commit)?);
    let crawler = catalog::started_when_published(pipeline).map(str::to_owned);
    Ok(ObjectAnswer { duplicate: false, notices, crawler, ..answer })
}
