//! A bucket, or a prefix in one, as storage: the lake on AWS.
//!
//! Not for directory buckets (another API for conditions) nor for buckets that ignore conditional writes.
//! Decisions to know:
//!
//! * Staged is what S3 calls an uncompleted multipart upload: durable, invisible, completed in one request by
//!   whoever has its id. Objects below one part stay in this process's memory until they are published by
//!   one PUT, a third of the requests. If the process dies before that, publishing finds them
//!   [`Published::Vanished`] and the flow makes them again from the pinned source.
//! * A write that is conditional carries an id of its own: when the reply is lost, the SDK's second attempt
//!   is refused by the first, and only the id on the object tells that from losing to somebody else.
//! * Storage and [`Aws`] are cheap to make: one for each invocation, so that each has its deadline.

mod again;
mod bucket;
mod list;
mod options;
mod pool;
mod publish;
mod put;
mod read;
mod stage;
#[cfg(test)]
pub(crate) mod suite;
mod sweep;
mod tags;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::client::{Aws, AwsError, Fault};
use bucket::Bucket;
use lakegate_lake::storage::{
    Chunks, Facts, Fresh, LeftOver, Page, Published, Result, Stage, Staged, Storage, Tagged,
};
pub use options::{Checksum, Encryption, MIN_PART_BYTES, S3Options};
use pool::Pool;
use publish::{Publisher, Token};
pub use tags::TagState;

/// A bucket, or a prefix in one, as storage.
pub struct S3Storage {
    bucket: Bucket,
    uri: String,
    publisher: Publisher,
    /// Parts on their way at once, over all stages.
    lanes: Arc<Semaphore>,
}

impl S3Storage {
    /// Over `s3://bucket/prefix`; the prefix may be empty. Nothing is asked of S3 yet.
    pub fn new(aws: Aws, bucket: &str, prefix: &str, options: S3Options) -> Self {
        let options = options.legal();
        let prefix = prefix.trim_matches('/');
        let uri = format!("s3://{bucket}{}{prefix}", if prefix.is_empty() { "" } else { "/" });
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let pool = Pool::new(options.staging_bytes, options.spill_bytes, options.spill_folder.clone());
        let lanes = Arc::new(Semaphore::new(options.lanes()));
        let bucket = Bucket { aws, name: bucket.into(), prefix, options: Arc::new(options) };
        Self { publisher: Publisher::new(bucket.clone(), Arc::new(pool)), bucket, uri, lanes }
    }

    /// Facts of one version of an object (`None`: the current one); `None` if it is not there.
    ///
    /// # Errors
    /// The service's.
    pub fn stat_version(&self, key: &str, version_id: Option<&str>) -> Result<Option<Facts>> {
        let object = self.bucket.aws.wait(self.bucket.head(key, version_id))?;
        Ok(object.map(|object| object.facts))
    }

    /// The same together with all of its bytes, in one request, where it has at most `most` of them.
    ///
    /// # Errors
    /// The service's.
    pub fn read_version(
        &self,
        key: &str,
        version_id: Option<&str>,
        most: u64,
    ) -> Result<Option<(Facts, Option<bytes::Bytes>)>> {
        self.bucket.legal(key)?;
        match self.bucket.aws.wait(read::fetch_with_facts(&self.bucket, key, version_id, most)) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.fault == Fault::Missing => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives one version of an object, named as in its source's record, a tag beside those
    /// that it has.
    ///
    /// # Errors
    /// The service's.
    pub fn tag_version(&self, key: &str, version: &str, (name, value): (&str, &str)) -> Result<TagState> {
        self.bucket.aws.wait(tags::tag(&self.bucket, key, version, name, value))
    }
}

impl Storage for S3Storage {
    fn uri(&self) -> &str {
        &self.uri
    }

    fn list(&self, prefix: &str) -> Result<Vec<Facts>> {
        Ok(self.bucket.aws.wait(self.bucket.page(prefix, None, None))?.found)
    }

    fn list_page(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        Ok(self.bucket.aws.wait(self.bucket.page(prefix, after, Some(limit)))?)
    }

    fn folders(&self, prefix: &str) -> Result<Vec<String>> {
        Ok(self.bucket.aws.wait(self.bucket.folders(prefix))?)
    }

    fn stat(&self, key: &str) -> Result<Option<Facts>> {
        self.stat_version(key, None)
    }

    fn open(&self, object: &Facts) -> Result<Box<dyn Chunks>> {
        Ok(Box::new(read::S3Chunks::new(&self.bucket, object)?))
    }

    fn read_range(&self, object: &Facts, from: u64, bytes: u64) -> Result<Vec<u8>> {
        self.bucket.legal(&object.key)?;
        if bytes == 0 {
            return Ok(Vec::new());
        }
        Ok(self.bucket.aws.wait(read::fetch_range(&self.bucket, object, from, bytes))?)
    }

    fn get(&self, key: &str) -> Result<Option<Tagged>> {
        self.bucket.legal(key)?;
        match self.bucket.aws.wait(read::fetch(&self.bucket, key, read::Wanted::default())) {
            Ok(found) => Ok(Some(Tagged { bytes: found.bytes.to_vec(), tag: found.etag })),
            Err(error) if error.fault == Fault::Missing => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Tagged>>> {
        for key in keys {
            self.bucket.legal(key)?;
        }
        let fetched = |key: String| {
            let bucket = self.bucket.clone();
            async move { read::fetch(&bucket, &key, read::Wanted::default()).await }
        };
        let all = async {
            let running: Vec<_> =
                keys.iter().map(|key| self.bucket.aws.runtime().spawn(fetched(key.clone()))).collect();
            let mut answers = Vec::new();
            for (key, one) in keys.iter().zip(running) {
                let ended = one.await.map_err(|ended| {
                    AwsError::new(
                        Fault::Unreachable,
                        "s3:GetObject",
                        &self.bucket.uri(key),
                        ended.to_string(),
                    )
                });
                answers.push(ended.and_then(|answer| answer));
            }
            answers
        };
        let mut found = Vec::new();
        for answer in self.bucket.aws.wait(all) {
            match answer {
                Ok(got) => found.push(Some(Tagged { bytes: got.bytes.to_vec(), tag: got.etag })),
                Err(error) if error.fault == Fault::Missing => found.push(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    fn get_unless(&self, key: &str, tag: &str) -> Result<Fresh> {
        self.bucket.legal(key)?;
        let unless = Some(tag).filter(|tag| !tag.is_empty());
        let wanted = read::Wanted { unless, ..read::Wanted::default() };
        match self.bucket.aws.wait(read::fetch(&self.bucket, key, wanted)) {
            // Some S3s ignore the condition.
            Ok(found) if found.etag == tag => Ok(Fresh::Unchanged),
            Ok(found) => Ok(Fresh::Changed(Tagged { bytes: found.bytes.to_vec(), tag: found.etag })),
            Err(error) if error.fault == Fault::Precondition => Ok(Fresh::Unchanged),
            Err(error) if error.fault == Fault::Missing => Ok(Fresh::Gone),
            Err(error) => Err(error.into()),
        }
    }

    fn put_if_absent(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        put::put_if(&self.bucket, key, bytes, put::Condition::Absent)
    }

    fn replace_if_unchanged(&self, key: &str, bytes: &[u8], tag: Option<&str>) -> Result<bool> {
        let condition = tag.map_or(put::Condition::Absent, put::Condition::Tag);
        put::put_if(&self.bucket, key, bytes, condition)
    }

    fn delete(&self, key: &str) -> Result<()> {
        self.bucket.legal(key)?;
        let request =
            self.bucket.client().delete_object().bucket(&self.bucket.name).key(self.bucket.full(key));
        let uri = self.bucket.uri(key);
        let answer = self.bucket.aws.ask("s3:DeleteObject", &uri, request.send());
        match self.bucket.aws.wait(answer) {
            Ok(_) => Ok(()),
            Err(error) if error.fault == Fault::Missing => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn stage(&self, key: &str) -> Result<Box<dyn Stage>> {
        self.bucket.legal(key)?;
        Ok(Box::new(stage::S3Stage::new(&self.publisher, self.lanes.clone(), key)))
    }

    /// Nothing to do: parts are durable when S3 has answered, and what is still in memory is made again
    /// when it is lost.
    fn settle(&self, _staged: &[Staged]) -> Result<()> {
        Ok(())
    }

    fn publish(&self, staged: &Staged) -> Result<Published> {
        self.bucket.aws.wait(self.publisher.publish(staged))
    }

    fn publish_all(&self, staged: &[Staged]) -> Result<Vec<Published>> {
        self.bucket.aws.wait(self.publisher.publish_all(staged))
    }

    /// Nothing to do: S3 answers a write or a deletion once it is durable.
    fn seal(&self, _keys: &[String]) -> Result<()> {
        Ok(())
    }

    fn abort(&self, token: &str) -> Result<()> {
        match Token::parse(token) {
            Some(Token::Upload { id, key }) => {
                Ok(self.bucket.aws.wait(publish::abort(&self.bucket, &self.bucket.aws, id, key))?)
            }
            _ => {
                self.publisher.inline.forget(token, &self.publisher.pool);
                Ok(())
            }
        }
    }

    fn sweep(&self, staged: &[Staged]) -> Result<()> {
        Ok(self.bucket.aws.wait(sweep::sweep(&self.bucket, staged))?)
    }

    fn cleaning_up(&self) -> Option<Arc<dyn Storage>> {
        let (publisher, lanes) = (self.publisher.cleaning_up(), self.lanes.clone());
        let bucket = publisher.bucket.clone();
        Some(Arc::new(Self { bucket, publisher, uri: self.uri.clone(), lanes }))
    }

    /// S3 does not tell whose process is gone: uploads older than [`S3Options::run_limit`] are. Their
    /// sizes are not asked for (a call and a permission more for each).
    fn left_overs(&self) -> Result<Vec<LeftOver>> {
        Ok(self.bucket.aws.wait(sweep::left_overs(&self.bucket))?)
    }
}
