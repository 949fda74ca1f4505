//! Reads one pinned version: ranges, the next two fetched while the last one is used.
//!
//! Not for small objects as a whole beyond [`fetch`]. Decisions to know:
//!
//! * Each range is asked for by version id, else by `If-Match`; the answer's own ETag is compared as well,
//!   since some S3s ignore the condition on reads. So an overwrite in between is found, never mixed in.
//! * The SDK tries a request again, not a body that breaks off: that is done here, for the range as a whole.

use std::collections::VecDeque;
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};
use bytes::{Buf, Bytes};
use tokio::task::JoinHandle;

use crate::client::{AwsError, Fault};
use crate::s3::again::again;
use crate::s3::bucket::{Bucket, RECEIPT, millis, of_version, version};
use lakegate_lake::lake::is_digest;
use lakegate_lake::storage::{CHUNK_BYTES, Chunks, Facts, Result, StorageError};

/// Ranges under way besides the one in use: with parts of 8 MiB 24 MiB of memory, and a network that
/// never waits for the sandbox.
const AHEAD: usize = 2;
/// Tries of a body that breaks off; the request itself is tried again by the SDK.
const BODIES: u32 = 4;
/// A body of one range, at about 70 KB/s: slower is taken for broken.
const BODY: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const GET: &str = "s3:GetObject";

/// What came of one GET.
pub(super) struct Fetched {
    pub(super) bytes: Bytes,
    pub(super) etag: String,
}

/// Which state of the object, and which of its bytes.
#[derive(Clone)]
pub(super) struct Range {
    /// As in [`Facts::version`].
    version: String,
    from: u64,
    bytes: u64,
    /// Of the whole object.
    total: u64,
}

/// Which object to read, and what of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    /// A range of a pinned version; the whole object if `None`.
    pub(super) range: Option<&'a Range>,
    pub(super) version_id: Option<&'a str>,
    /// Refused as [`Fault::Precondition`] while it still has this tag.
    pub(super) unless: Option<&'a str>,
}

/// The whole object, or a range of a pinned version.
pub(super) async fn fetch(bucket: &Bucket, key: &str, wanted: Wanted<'_>) -> Result<Fetched, AwsError> {
    let broke_off = |error: &AwsError| error.fault == Fault::Unreachable;
    // The request's own error was tried again by the SDK already.
    let ask = || async move {
        match fetch_once(bucket, key, wanted).await {
            Ok(body) => body.map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    };
    again(BODIES - 1, FIRST_PAUSE * 2, broke_off, ask).await?
}

/// Some bytes of a pinned version.
pub(super) async fn fetch_range(
    bucket: &Bucket,
    object: &Facts,
    from: u64,
    bytes: u64,
) -> Result<Vec<u8>, AwsError> {
    let range = Range { version: object.version.clone(), from, bytes, total: object.bytes };
    let wanted = Wanted { range: Some(&range), version_id: object.version.strip_prefix("v:"), unless: None };
    fetch(bucket, &object.key, wanted).await.map(|found| found.bytes.to_vec())
}

/// What a look at an object would have told, together with all of it where it has at most `most` bytes.
pub(super) async fn fetch_with_facts(
    bucket: &Bucket,
    key: &str,
    version_id: Option<&str>,
    most: u64,
) -> Result<(Facts, Option<Bytes>), AwsError> {
    let uri = bucket.uri(key);
    let broke_off = |error: &AwsError| error.fault == Fault::Unreachable;
    let ask = || async {
        let request = bucket.client().get_object().bucket(&bucket.name).key(bucket.full(key));
        let request = request.set_version_id(version_id.map(str::to_string));
        let answer = match bucket.aws.ask(of_version(GET, version_id), &uri, request.send()).await {
            Ok(answer) => answer,
            Err(refused) => return Ok(Err(refused)),
        };
        let promised = answer.metadata().and_then(|all| all.get(RECEIPT)).cloned();
        let facts = Facts {
            key: key.into(),
            bytes: answer.content_length().unwrap_or_default().unsigned_abs(),
            modified_ms: millis(answer.last_modified()),
            version: version(answer.version_id(), answer.e_tag()),
            promised: promised.filter(|text| is_digest(text)),
        };
        if facts.bytes > most {
            return Ok(Ok((facts, None))); // its body is dropped unread
        }
        let limit = bucket.aws.time_left().map_or(BODY, |left| left.min(BODY));
        let body = tokio::time::timeout(limit, collect(answer.body, Some(facts.bytes), None)).await;
        let broken = |why: String| Err(AwsError::new(Fault::Unreachable, GET, &uri, why));
        match body {
            Err(_) => Ok(Err(AwsError::new(Fault::TimedOut, GET, &uri, "its body came too slowly"))),
            Ok(Err(error)) => broken(format!("its body broke off: {error}")),
            Ok(Ok(bytes)) if bytes.len() as u64 != facts.bytes => {
                broken(format!("{} bytes came of {}", bytes.len(), facts.bytes))
            }
            Ok(Ok(bytes)) => Ok(Ok((facts, Some(bytes.into())))),
        }
    };
    again(BODIES - 1, FIRST_PAUSE * 2, broke_off, ask).await?
}

/// The outer error is the request's, tried again already; the inner one is the body's.
async fn fetch_once(
    bucket: &Bucket,
    key: &str,
    Wanted { range, version_id, unless }: Wanted<'_>,
) -> Result<Result<Fetched, AwsError>, AwsError> {
    let uri = bucket.uri(key);
    let mut request = bucket.client().get_object().bucket(&bucket.name).key(bucket.full(key));
    request = request.set_version_id(version_id.map(str::to_string));
    request = request.set_if_none_match(unless.map(str::to_string));
    let tag = range.and_then(|range| range.version.strip_prefix("e:"));
    if let Some(range) = range {
        request = request.range(format!("bytes={}-{}", range.from, range.from + range.bytes - 1));
        request = request.set_if_match(tag.map(str::to_string));
    }
    let answer = bucket.aws.ask(of_version(GET, version_id), &uri, request.send()).await?;
    let etag = answer.e_tag().unwrap_or_default().to_string();
    // A server may ignore a range and answer with everything; some do so for old versions.
    let partial = answer.content_range().is_some();
    let total = match answer.content_range() {
        Some(range) => range.rsplit('/').next().and_then(|total| total.parse::<u64>().ok()),
        None => answer.content_length().map(i64::unsigned_abs),
    };
    if let Some(range) = range
        && (tag.is_some_and(|tag| tag != etag) || total.is_some_and(|total| total != range.total))
    {
        return Err(AwsError::new(Fault::Precondition, GET, &uri, "the object is not what it was"));
    }
    let limit = bucket.aws.time_left().map_or(BODY, |left| left.min(BODY));
    let expected = range.map(|range| range.bytes);
    let unasked = range.filter(|_| !partial).map(|range| range.from);
    let body = tokio::time::timeout(limit, collect(answer.body, expected, unasked)).await;
    let broken = |why: String| AwsError::new(Fault::Unreachable, GET, &uri, why);
    let bytes = match body {
        Err(_) => return Ok(Err(AwsError::new(Fault::TimedOut, GET, &uri, "its body came too slowly"))),
        Ok(Err(error)) => return Ok(Err(broken(format!("its body broke off: {error}")))),
        Ok(Ok(bytes)) => bytes,
    };
    Ok(match expected {
        Some(expected) if expected != bytes.len() as u64 => {
            Err(broken(format!("{} bytes came of {expected}", bytes.len())))
        }
        _ => Ok(Fetched { bytes: bytes.into(), etag }),
    })
}

/// A body in one piece, without a second copy of it in memory. With `unasked` it is the whole object,
/// of which so many bytes come before those that were asked for.
async fn collect(
    mut body: ByteStream,
    expected: Option<u64>,
    unasked: Option<u64>,
) -> Result<Vec<u8>, ByteStreamError> {
    let expected = expected.unwrap_or_default() as usize;
    let mut bytes = Vec::with_capacity(expected);
    let mut skip = unasked.unwrap_or_default() as usize;
    while let Some(piece) = body.try_next().await? {
        let start = skip.min(piece.len());
        skip -= start;
        bytes.extend_from_slice(&piece[start..]);
        if unasked.is_some() && bytes.len() >= expected {
            bytes.truncate(expected);
            break;
        }
    }
    Ok(bytes)
}

/// Reads an object's pinned version from its start to its end.
pub(super) struct S3Chunks {
    bucket: Bucket,
    object: Facts,
    /// Where the next request starts.
    asked: u64,
    ahead: VecDeque<JoinHandle<Result<Fetched, AwsError>>>,
    /// Starts with the chunk that was handed out last.
    current: Bytes,
    handed: usize,
}

impl S3Chunks {
    /// Waits for the first range, so that an object that changed is found when it is opened.
    pub(super) fn new(bucket: &Bucket, object: &Facts) -> Result<Self> {
        bucket.legal(&object.key)?;
        let mut chunks = Self {
            bucket: bucket.clone(),
            object: object.clone(),
            asked: 0,
            ahead: VecDeque::new(),
            current: Bytes::new(),
            handed: 0,
        };
        if object.bytes == 0 {
            chunks.empty_still()?;
        } else {
            chunks.refill()?;
        }
        Ok(chunks)
    }

    fn version_id(&self) -> Option<&str> {
        self.object.version.strip_prefix("v:")
    }

    /// There is no range in an empty object to ask for.
    fn empty_still(&self) -> Result<()> {
        let head = self.bucket.aws.wait(self.bucket.head(&self.object.key, self.version_id()))?;
        let same = head.is_some_and(|head| {
            head.facts.bytes == 0
                && (head.facts.version == self.object.version || self.version_id().is_some())
        });
        if same { Ok(()) } else { Err(StorageError::Changed { key: self.bucket.uri(&self.object.key) }) }
    }

    fn ask_ahead(&mut self) {
        while self.ahead.len() < AHEAD && self.asked < self.object.bytes {
            let bytes = (self.bucket.options.part_bytes as u64).min(self.object.bytes - self.asked);
            let range = Range {
                version: self.object.version.clone(),
                from: self.asked,
                bytes,
                total: self.object.bytes,
            };
            let (bucket, key) = (self.bucket.clone(), self.object.key.clone());
            let version_id = self.version_id().map(str::to_string);
            self.ahead.push_back(self.bucket.aws.runtime().spawn(async move {
                let wanted = Wanted { range: Some(&range), version_id: version_id.as_deref(), unless: None };
                fetch(&bucket, &key, wanted).await
            }));
            self.asked += bytes;
        }
    }

    /// The next range as the current one; an empty one at the end.
    fn refill(&mut self) -> Result<()> {
        self.ask_ahead();
        self.current = Bytes::new();
        let Some(next) = self.ahead.pop_front() else { return Ok(()) };
        let uri = self.bucket.uri(&self.object.key);
        let fetched = match self.bucket.aws.wait(next) {
            Ok(fetched) => fetched,
            Err(ended) => Err(AwsError::new(Fault::Unreachable, GET, &uri, ended.to_string())),
        };
        match fetched {
            Ok(fetched) => {
                self.current = fetched.bytes;
                self.ask_ahead();
                Ok(())
            }
            Err(error) => Err(match error.fault {
                Fault::Missing | Fault::Precondition | Fault::Range => StorageError::Changed { key: uri },
                _ => error.into(),
            }),
        }
    }
}

impl Chunks for S3Chunks {
    fn next(&mut self) -> Result<&[u8]> {
        self.current.advance(self.handed);
        self.handed = 0;
        if self.current.is_empty() {
            self.refill()?;
        }
        self.handed = self.current.len().min(CHUNK_BYTES);
        Ok(&self.current[..self.handed])
    }
}

impl Drop for S3Chunks {
    fn drop(&mut self) {
        for task in &self.ahead {
            task.abort();
        }
    }
}
