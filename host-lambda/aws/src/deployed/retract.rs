//! Taking a bad object's rows out again, and its quarantine.
//!
//! Not for deleting the source object. The decision to know: it is a generation like any other, with no
//! files, so that it is crash-safe, leaves a trace, and an event delivered again does not bring the rows
//! back. A new version of the object, or `lakegate run --again`, does.

use crate::deployed::{Deployed, Ready};
use lakegate_base::{Code, Error, Result};
use lakegate_lake::operate::retract;
use lakegate_lake::record::CommitRecord;

impl Deployed {
    /// Takes the rows of a source object out of a pipeline's tables; the record of it.
    ///
    /// # Errors
    /// `nothing_to_retract`: nothing of it is in the tables.
    pub fn retract(&self, ready: &Ready, uri: &str) -> Result<CommitRecord> {
        let lake = self.lake(ready, &self.aws)?;
        retract(&lake, &ready.pipeline.name, uri)?.ok_or_else(|| {
            Error::new(
                Code::NothingToRetract,
                format!("nothing of {uri} is in the tables of {}", ready.pipeline.name),
            )
            .with_hint("`lakegate status` shows what is")
        })
    }
}
