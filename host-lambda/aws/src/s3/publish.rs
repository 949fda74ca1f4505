//! What becomes of staged objects: published, or thrown away.
//!
//! Not for making them, or for finding those of others. Decisions to know:
//!
//! * Both kinds of token hold the key, so that whoever reads a commit record or a listing can act on them.
//! * Publishing is asked for again and again (a reply is lost, another process rolls forward): an upload
//!   that is gone is looked for under its key, and taken for the same by size and checksum.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::client::{Aws, AwsError, Fault};
use crate::s3::again::again;
use crate::s3::bucket::{Bucket, DIGEST, unique};
use crate::s3::pool::{Pool, Slot};
use lakegate_lake::storage::{Published, Result, Staged};

/// Tries while another process completes the same upload.
const CONFLICTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Publications at once: each is a round trip and little else. What is in memory is half of the staging
/// budget at most, and so are the copies on their way.
const LANES: usize = 16;
const COMPLETE: &str = "s3:CompleteMultipartUpload";

/// Where staged bytes are.
pub(super) enum Token<'a> {
    /// In parts of an upload.
    Upload {
        /// S3's name of it.
        id: &'a str,
        /// Relative to the prefix.
        key: &'a str,
    },
    /// In the memory of the process that made it.
    Inline,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        match text.split_once(' ')? {
            ("inline", _) => Some(Self::Inline),
            ("upload", rest) => rest.split_once(' ').map(|(id, key)| Self::Upload { id, key }),
            _ => None,
        }
    }

    pub(super) fn upload(id: &str, key: &str) -> String {
        format!("upload {id} {key}")
    }
}

/// Finished objects that wait in memory for their PUT.
#[derive(Clone, Default)]
pub(super) struct Inline {
    held: Arc<Mutex<BTreeMap<String, Slot>>>,
}

impl Inline {
    /// Keeps a buffer under a new token.
    pub(super) fn keep(&self, key: &str, slot: Slot) -> String {
        let token = format!("inline {} {key}", unique());
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), slot);
        token
    }

    fn slot(&self, token: &str) -> Option<Slot> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).get(token).copied()
    }

    pub(super) fn forget(&self, token: &str, pool: &Pool) {
        let slot = self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
        if let Some(slot) = slot {
            pool.close(slot);
        }
    }
}

/// Makes staged objects visible.
#[derive(Clone)]
pub(super) struct Publisher {
    pub(super) bucket: Bucket,
    pub(super) pool: Arc<Pool>,
    pub(super) inline: Inline,
    lanes: Arc<Semaphore>,
}

impl Publisher {
    pub(super) fn new(bucket: Bucket, pool: Arc<Pool>) -> Self {
        Self { bucket, pool, inline: Inline::default(), lanes: Arc::new(Semaphore::new(LANES)) }
    }

    /// The same, what it holds in memory included, for what is left to do when time is up.
    pub(super) fn cleaning_up(&self) -> Self {
        let bucket = Bucket { aws: self.bucket.aws.cleaning_up(), ..self.bucket.clone() };
        Self { bucket, ..self.clone() }
    }

    pub(super) async fn publish(&self, staged: &Staged) -> Result<Published> {
        // Never closed; were it, the requests would only not be counted.
        let _lane = self.lanes.acquire().await;
        let bucket = &self.bucket;
        if let Some(Token::Upload { id, key }) = Token::parse(&staged.token) {
            return complete(bucket, id, key, staged).await;
        }
        let Some(slot) = self.inline.slot(&staged.token) else { return look(bucket, staged).await };
        // A copy: somebody may publish the same at this moment, or has to try again.
        let Some(copy) = self.pool.copy(slot)? else { return look(bucket, staged).await };
        let request = bucket.put(&staged.key, copy.bytes.clone()).metadata(DIGEST, &staged.digest);
        bucket.aws.ask("s3:PutObject", &bucket.uri(&staged.key), request.send()).await?;
        self.inline.forget(&staged.token, &self.pool);
        Ok(Published::There)
    }

    /// All of them at once, the answers in order. The first failure ends it: publishing is tried again.
    pub(super) async fn publish_all(&self, staged: &[Staged]) -> Result<Vec<Published>> {
        let mut running = JoinSet::new();
        for (index, staged) in staged.iter().cloned().enumerate() {
            let publisher = self.clone();
            running.spawn(async move { (index, publisher.publish(&staged).await) });
        }
        let mut answers = vec![Published::Vanished; staged.len()];
        while let Some(ended) = running.join_next().await {
            let (index, answer) = ended.map_err(|ended| {
                AwsError::new(Fault::Unreachable, COMPLETE, &self.bucket.uri(""), ended.to_string())
            })?;
            answers[index] = answer?;
        }
        Ok(answers)
    }
}

async fn complete(bucket: &Bucket, id: &str, key: &str, staged: &Staged) -> Result<Published> {
    let parts = staged.pieces.iter().enumerate().map(|(index, piece)| {
        let (tag, checksum) = piece.split_once(' ').unwrap_or((piece, ""));
        CompletedPart::builder()
            .part_number(index as i32 + 1)
            .e_tag(tag)
            .set_checksum_sha256((!checksum.is_empty()).then(|| checksum.to_string()))
            .build()
    });
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    let ask = || async {
        // Parts were compared by checksum when they came, and are named by tag here.
        let request = bucket
            .client()
            .complete_multipart_upload()
            .bucket(&bucket.name)
            .key(bucket.full(key))
            .upload_id(id)
            .mpu_object_size(staged.bytes as i64)
            .multipart_upload(parts.clone());
        bucket.aws.ask(COMPLETE, &bucket.uri(key), request.send()).await
    };
    let busy = |error: &AwsError| error.fault == Fault::Conflict;
    match again(CONFLICTS, FIRST_PAUSE, busy, ask).await {
        Ok(_) => Ok(Published::There),
        Err(error) if error.fault == Fault::Missing => look(bucket, staged).await,
        Err(error) => Err(error.into()),
    }
}

/// Is the object there already?
async fn look(bucket: &Bucket, staged: &Staged) -> Result<Published> {
    let Some(head) = bucket.head(&staged.key, None).await? else { return Ok(Published::Vanished) };
    // An upload's metadata is made before its content is known: there S3's own checksum of the whole tells.
    // Where there is neither, the size must do: the name holds the digest of the source.
    let known = head.digest.or(head.crc64).unwrap_or_else(|| staged.digest.clone());
    let same = head.facts.bytes == staged.bytes && (staged.digest.is_empty() || known == staged.digest);
    Ok(if same { Published::There } else { Published::Vanished })
}

/// Throws an upload away; one that is gone is no error.
pub(super) async fn abort(bucket: &Bucket, aws: &Aws, id: &str, key: &str) -> Result<(), AwsError> {
    let request = aws.s3().abort_multipart_upload().bucket(&bucket.name).key(bucket.full(key)).upload_id(id);
    match aws.ask("s3:AbortMultipartUpload", &bucket.uri(key), request.send()).await {
        Ok(_) => Ok(()),
        Err(error) if error.fault == Fault::Missing => Ok(()),
        Err(error) => Err(error),
    }
}
