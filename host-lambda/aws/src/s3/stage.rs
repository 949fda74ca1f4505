//! Takes the bytes of one object and sends full parts while the caller goes on.
//!
//! Not for publishing. Decisions to know:
//!
//! * The upload is created with its first part: most part files are smaller than one and need none.
//! * A finished object below one part stays in memory only while there is room; otherwise it becomes an
//!   upload of a single part, which S3 takes at any size.
//! * Dropped unfinished, it waits for what is on its way, then aborts: a part that arrives after the
//!   abort would stay, and be paid for. All of that within [`CLEAN_UP`](crate::client::CLEAN_UP).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::client::{AwsError, Fault};
use crate::s3::bucket::Bucket;
use crate::s3::options::{MAX_PARTS, MIN_PART_BYTES};
use crate::s3::pool::{Pool, Slot, Taken};
use crate::s3::publish::{Inline, Publisher, Token, abort};
use lakegate_lake::storage::{Result, Stage, Staged, StorageError};

/// What parts on their way get to arrive before their upload is aborted.
const ARRIVAL: Duration = Duration::from_secs(3);
const PART: &str = "s3:UploadPart";

type Sent = JoinHandle<Result<String, AwsError>>;

struct Upload {
    id: String,
    sent: VecDeque<Sent>,
    pieces: Vec<String>,
}

pub(super) struct S3Stage {
    bucket: Bucket,
    pool: Arc<Pool>,
    lanes: Arc<Semaphore>,
    inline: Inline,
    key: String,
    /// `None` once the buffer is somebody else's.
    slot: Option<Slot>,
    upload: Option<Upload>,
    hash: Digest,
    bytes: u64,
}

impl S3Stage {
    pub(super) fn new(publisher: &Publisher, lanes: Arc<Semaphore>, key: &str) -> Self {
        Self {
            bucket: publisher.bucket.clone(),
            slot: Some(publisher.pool.open()),
            pool: publisher.pool.clone(),
            lanes,
            inline: publisher.inline.clone(),
            key: key.into(),
            upload: None,
            hash: Digest::new(CrcAlgorithm::Crc64Nvme),
            bytes: 0,
        }
    }

    fn lane(&self) -> Result<OwnedSemaphorePermit> {
        let late = || AwsError::new(Fault::Deadline, PART, &self.bucket.uri(&self.key), "no time is left");
        let lanes = self.lanes.clone();
        let aws = &self.bucket.aws;
        let left = aws.time_left().unwrap_or(Duration::MAX);
        // Each request on a lane ends in time, so that waiting for one does too.
        let lane = aws.wait(async { tokio::time::timeout(left, lanes.acquire_owned()).await });
        match lane {
            Ok(Ok(lane)) => Ok(lane),
            _ => Err(late().into()),
        }
    }

    fn upload(&mut self) -> Result<&mut Upload> {
        if self.upload.is_none() {
            let request = self.bucket.create_upload(&self.key);
            let uri = self.bucket.uri(&self.key);
            let answer = self.bucket.aws.ask("s3:CreateMultipartUpload", &uri, request.send());
            let id = self.bucket.aws.wait(answer)?.upload_id.unwrap_or_default();
            self.upload = Some(Upload { id, sent: VecDeque::new(), pieces: Vec::new() });
        }
        // Just set; the arm is for the compiler.
        self.upload.as_mut().ok_or_else(|| StorageError::Key { key: self.key.clone() })
    }

    /// Sends what the buffer holds as the next part, once a lane is free.
    fn send(&mut self, slot: Slot) -> Result<()> {
        let lane = self.lane()?;
        let taken = self.pool.take(slot)?;
        let (bucket, key) = (self.bucket.clone(), self.key.clone());
        let upload = self.upload()?;
        // A part that failed ends the object now, not after all the others.
        while upload.sent.front().is_some_and(Sent::is_finished) {
            arrived(&bucket, &key, upload)?;
        }
        let number = upload.pieces.len() + upload.sent.len() + 1;
        if number > MAX_PARTS {
            return Err(StorageError::TooManyParts { key: bucket.uri(&key), parts: MAX_PARTS });
        }
        let id = upload.id.clone();
        let task = bucket.aws.runtime().clone();
        upload.sent.push_back(task.spawn(async move {
            let _lane = lane;
            send_part(&bucket, &key, &id, number as i32, taken).await
        }));
        Ok(())
    }
}

async fn send_part(
    bucket: &Bucket,
    key: &str,
    id: &str,
    number: i32,
    taken: Taken,
) -> Result<String, AwsError> {
    let request = bucket
        .client()
        .upload_part()
        .bucket(&bucket.name)
        .key(bucket.full(key))
        .upload_id(id)
        .part_number(number)
        .checksum_algorithm(bucket.algorithm())
        .body(ByteStream::from(taken.bytes.clone()));
    let answer = bucket.aws.ask(PART, &bucket.uri(key), request.send()).await.map_err(swept)?;
    let tag = answer.e_tag.unwrap_or_default();
    // SHA-256 is kept part by part and must be said again on completion.
    Ok(match answer.checksum_sha256 {
        Some(checksum) => format!("{tag} {checksum}"),
        None => tag,
    })
}

/// An upload that vanishes while it is written was swept: another run of the same object has completed it.
fn swept(error: AwsError) -> AwsError {
    match error.fault {
        Fault::Missing => AwsError::new(Fault::Swept, PART, &error.resource, error.message),
        _ => error,
    }
}

/// Takes in the oldest part on its way.
fn arrived(bucket: &Bucket, key: &str, upload: &mut Upload) -> Result<()> {
    let Some(sent) = upload.sent.pop_front() else { return Ok(()) };
    let piece = match bucket.aws.wait(sent) {
        Ok(piece) => piece?,
        Err(ended) => {
            return Err(AwsError::new(Fault::Unreachable, PART, &bucket.uri(key), ended.to_string()).into());
        }
    };
    upload.pieces.push(piece);
    Ok(())
}

impl Stage for S3Stage {
    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let Some(slot) = self.slot else { return Ok(()) };
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        let part = self.bucket.options.part_bytes;
        while !bytes.is_empty() {
            let room = part.saturating_sub(self.pool.len(slot));
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.pool.append(slot, now)?;
            bytes = rest;
            let held = self.pool.len(slot);
            if held >= part || (held >= MIN_PART_BYTES && self.pool.is_tight()) {
                self.send(slot)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Staged> {
        let digest = STANDARD.encode(self.hash.finalize().to_be_bytes());
        let mut staged = Staged { key: self.key.clone(), bytes: self.bytes, digest, ..Staged::default() };
        let Some(slot) = self.slot else { return Ok(staged) };
        let held = self.pool.len(slot);
        if held > 0 && (self.upload.is_some() || self.pool.is_tight()) {
            self.send(slot)?;
        }
        if let Some(upload) = &mut self.upload {
            while !upload.sent.is_empty() {
                arrived(&self.bucket, &self.key, upload)?;
            }
            staged.token = Token::upload(&upload.id, &self.key);
            staged.pieces = std::mem::take(&mut upload.pieces);
            self.upload = None;
        } else {
            staged.token = self.inline.keep(&self.key, slot);
            self.slot = None;
        }
        Ok(staged)
    }
}

impl Drop for S3Stage {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.pool.close(slot);
        }
        let Some(upload) = self.upload.take() else { return };
        let aws = self.bucket.aws.cleaning_up();
        aws.wait(async {
            let (handles, tasks): (Vec<_>, Vec<_>) =
                upload.sent.into_iter().map(|sent| (sent.abort_handle(), sent)).unzip();
            let all = async {
                for task in tasks {
                    let _came_to = task.await;
                }
            };
            if tokio::time::timeout(ARRIVAL, all).await.is_err() {
                handles.iter().for_each(tokio::task::AbortHandle::abort);
            }
            // What cannot be aborted now is found as a left-over later.
            let _gone = abort(&self.bucket, &aws, &upload.id, &self.key).await;
        });
    }
}
