//! What a run's id leads to: its commit record, and what is noted of a failure.
//!
//! Not for making ids: see [`RunId`]. The decision to know: the id holds what the keys are made of, so that the records
//! of one object are read and no others; only the names of pipelines are listed.

use crate::keys::{self, Named};
use crate::lake::Lake;
use crate::record::{CommitState, FailedRecord};
use crate::run_id::RunId;
use lakegate_base::Result;

impl Lake {
    /// The commit that a run made, whether it counts still or not.
    ///
    /// # Errors
    /// As [`Lake::commits`].
    pub fn commit_of_id(&self, id: RunId) -> Result<Option<CommitState>> {
        for pipeline in self.storage().folders(keys::COMMITS)? {
            if !id.may_be_of(&pipeline) {
                continue;
            }
            let states = self.commits_below(&keys::commits_prefix(&pipeline, &id.object()))?;
            let this = |state: &CommitState| !state.record.is_void() && state.record.run_id() == id;
            if let Some(state) = states.into_iter().find(this) {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    /// What is noted of a run that failed: the object's last failure while no commit came after it, or that the
    /// generation was committed and is lost.
    ///
    /// # Errors
    /// The storage's, or a record cannot be read.
    pub fn failure_of_id(&self, id: RunId) -> Result<Option<FailedRecord>> {
        for pipeline in self.storage().folders(keys::FAILURES)? {
            if !id.may_be_of(&pipeline) {
                continue;
            }
            let object = id.object();
            let named = Named { pipeline: &pipeline, object: &object, generation: id.generation() };
            for key in named.failure_keys() {
                let failed = self.read_json::<FailedRecord>(&key)?;
                if let Some(failed) = failed.filter(|failed| RunId::parse(&failed.id) == Some(id))
                    && !self.is_settled(&failed)?
                {
                    return Ok(Some(failed));
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{commit_key, failure_key, lost_key};
    use crate::lake::to_json;
    use crate::record::CommitRecord;

    const URI: &str = "s3://raw/x.json";

    fn lake() -> (tempfile::TempDir, Lake) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::local(folder.path()).unwrap();
        (folder, lake)
    }

    fn put<T: serde::Serialize>(lake: &Lake, key: &str, value: &T) {
        lake.overwrite(key, &to_json(value).unwrap()).unwrap();
    }

    fn committed(lake: &Lake, pipeline: &str, generation: u32) -> CommitRecord {
        let mut record = CommitRecord { pipeline: pipeline.into(), generation, ..CommitRecord::default() };
        record.source.uri = URI.into();
        record.replaces = (1..generation).collect();
        record.committed = format!("2025-01-0{generation}T00:00:00.000Z");
        put(lake, &commit_key(pipeline, URI, generation), &record);
        record
    }

    #[test]
    fn an_id_finds_its_commit_of_its_pipeline_and_generation() {
        let (_folder, lake) = lake();
        for (pipeline, generation) in [("orders", 1), ("orders", 2), ("other", 1)] {
            committed(&lake, pipeline, generation);
        }
        for (pipeline, generation, current) in [("orders", 1, false), ("orders", 2, true), ("other", 1, true)]
        {
            let found = lake.commit_of_id(RunId::of(pipeline, URI, generation)).unwrap().unwrap();
            assert_eq!((&*found.record.pipeline, found.record.generation), (pipeline, generation));
            assert_eq!(found.current, current, "it is found whether it counts or not");
        }
        for id in [RunId::of("orders", URI, 3), RunId::of("orders", "y", 1), RunId::of("third", URI, 1)] {
            assert_eq!(lake.commit_of_id(id).unwrap(), None);
            assert_eq!(lake.failure_of_id(id).unwrap(), None);
        }
    }

    #[test]
    fn an_id_finds_a_failure_until_it_is_mended() {
        let (_folder, lake) = lake();
        let id = RunId::of("orders", URI, 1);
        let mut failed = FailedRecord {
            id: id.to_string(),
            pipeline: "orders".into(),
            code: "syntax_error".into(),
            at: "2024-12-31T00:00:00.000Z".into(),
            ..FailedRecord::default()
        };
        failed.source.uri = URI.into();
        put(&lake, &failure_key("orders", URI), &failed);
        assert_eq!(lake.failure_of_id(id).unwrap(), Some(failed.clone()));
        assert_eq!(lake.failure_of_id(RunId::of("orders", URI, 2)).unwrap(), None, "of another run");
        // Mended and run again: the same run ended well.
        let record = committed(&lake, "orders", 1);
        put(&lake, &record.load_key(), &crate::lake::Load::of(&record));
        assert_eq!(lake.failure_of_id(id).unwrap(), None);
        assert!(lake.commit_of_id(id).unwrap().is_some());
        let lost = FailedRecord { code: "generation_lost".into(), ..failed };
        put(&lake, &lost_key("orders", URI, 1), &lost);
        assert_eq!(lake.failure_of_id(id).unwrap(), Some(lost));
    }
}
