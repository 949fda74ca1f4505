//! Conditional writes: the two compare-and-swaps that the commit protocol stands on.
//!
//! Not for part files. Decisions to know:
//!
//! * Each write carries an id in its metadata. A refusal (412) may come from the caller's own earlier
//!   attempt whose reply was lost; the object then holds that id, and the write has won. Comparing bytes
//!   would not do: two writers may count from 5 to 6 at once.
//! * 409 means that another write to the key was under way: nothing is decided, and it is tried again.

use std::time::Duration;

use crate::client::{AwsError, Fault};
use crate::s3::again::again;
use crate::s3::bucket::{Bucket, WRITE, unique};
use lakegate_lake::storage::Result;

/// Tries while others write the same key; the pauses grow to about six seconds in all.
const CONFLICTS: u32 = 7;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

pub(super) enum Condition<'a> {
    /// There must be no such object.
    Absent,
    /// It must have this ETag.
    Tag(&'a str),
}

pub(super) fn put_if(bucket: &Bucket, key: &str, bytes: &[u8], condition: Condition<'_>) -> Result<bool> {
    bucket.legal(key)?;
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    bucket.aws.wait(put(bucket, key, bytes, condition))
}

async fn put(bucket: &Bucket, key: &str, bytes: bytes::Bytes, condition: Condition<'_>) -> Result<bool> {
    let write = unique();
    let busy = |error: &AwsError| error.fault == Fault::Conflict;
    let put = || put_once(bucket, key, bytes.clone(), &condition, &write);
    match again(CONFLICTS, FIRST_PAUSE, busy, put).await {
        Ok(()) => Ok(true),
        Err(error) => match (error.fault, &condition) {
            (Fault::Precondition, _) => {
                let found = bucket.head(key, None).await?;
                Ok(found.is_some_and(|found| found.write.as_ref() == Some(&write)))
            }
            // What was to be replaced is gone.
            (Fault::Missing, Condition::Tag(_)) => Ok(false),
            _ => Err(error.into()),
        },
    }
}

async fn put_once(
    bucket: &Bucket,
    key: &str,
    bytes: bytes::Bytes,
    condition: &Condition<'_>,
    write: &str,
) -> Result<(), AwsError> {
    let request = bucket.put(key, bytes).metadata(WRITE, write);
    let request = match condition {
        Condition::Absent => request.if_none_match("*"),
        Condition::Tag(tag) => request.if_match(*tag),
    };
    bucket.aws.ask("s3:PutObject", &bucket.uri(key), request.send()).await?;
    Ok(())
}
