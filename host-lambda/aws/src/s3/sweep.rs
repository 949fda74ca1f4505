//! Uploads that a killed process left: found by their age, or by the key that somebody else filled since.
//!
//! Not for aborting one's own: stages do that. Decisions to know:
//!
//! * S3 tells neither whose an upload is nor whether its process lives. A sweep needs no such answer: once the
//!   commit record of an object and generation is won, whatever else is staged under its names is void, since
//!   a name holds the digest of source object and generation. A run that is still staging there has lost.
//! * A sweep costs one listing a table, and only where there may be uploads: an object that is smaller than
//!   one part as a whole never made any.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::client::AwsError;
use crate::s3::bucket::{Bucket, millis};
use crate::s3::options::MIN_PART_BYTES;
use crate::s3::publish::{Token, abort};
use lakegate_lake::storage::{LeftOver, Staged};

/// Pages of a thousand uploads that a sweep looks through: more are open only where many objects are staged
/// at once, and what lies beyond them is found by age.
const SWEEP_PAGES: usize = 5;

/// An upload that is open.
struct Open {
    /// Relative to the prefix.
    key: String,
    id: String,
    began_ms: i64,
}

/// Throws away what is staged under the names of these and is none of them.
pub(super) async fn sweep(bucket: &Bucket, staged: &[Staged]) -> Result<(), AwsError> {
    let keep: BTreeSet<&str> = staged.iter().map(|staged| staged.token.as_str()).collect();
    for (folder, families) in by_folder(staged) {
        for open in uploads(bucket, folder, SWEEP_PAGES).await? {
            let token = Token::upload(&open.id, &open.key);
            if families.contains(family(&open.key)) && !keep.contains(token.as_str()) {
                abort(bucket, &bucket.aws, &open.id, &open.key).await?;
            }
        }
    }
    Ok(())
}

/// All uploads that are older than a run can be.
pub(super) async fn left_overs(bucket: &Bucket) -> Result<Vec<LeftOver>, AwsError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let latest = now.saturating_sub(bucket.options.run_limit).as_millis() as i64;
    let mut open = uploads(bucket, "", usize::MAX).await?;
    open.retain(|open| open.began_ms <= latest);
    let token = |open: Open| LeftOver { token: Token::upload(&open.id, &open.key), bytes: 0 };
    let mut found: Vec<LeftOver> = open.into_iter().map(token).collect();
    found.sort_by(|a, b| a.token.cmp(&b.token));
    Ok(found)
}

async fn uploads(bucket: &Bucket, prefix: &str, pages: usize) -> Result<Vec<Open>, AwsError> {
    let mut found = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    for _ in 0..pages {
        let request = bucket
            .client()
            .list_multipart_uploads()
            .bucket(&bucket.name)
            .prefix(bucket.full(prefix))
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker);
        let page = bucket.aws.ask("s3:ListMultipartUploads", &bucket.uri(prefix), request.send()).await?;
        for upload in page.uploads() {
            let key = upload.key().and_then(|key| key.strip_prefix(&bucket.prefix));
            let (Some(key), Some(id)) = (key, upload.upload_id()) else { continue };
            found.push(Open { key: key.into(), id: id.into(), began_ms: millis(upload.initiated()) });
        }
        if page.is_truncated() != Some(true) {
            break;
        }
        key_marker = page.next_key_marker().map(str::to_string);
        id_marker = page.next_upload_id_marker().map(str::to_string);
    }
    Ok(found)
}

/// What the names of one object and generation have in common, whatever their partition: the file's name up to the
/// number of the part, or to the run that made the quarantine.
fn family(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.rfind('-').map_or(name, |at| &name[..=at])
}

/// The folder of a table, or of a pipeline's quarantine: all up to the first folder that is a partition.
fn folder(key: &str) -> &str {
    let name = key.rfind('/').map_or(0, |at| at + 1);
    let partition = key[..name].find('=').map(|at| key[..at].rfind('/').map_or(0, |at| at + 1));
    &key[..partition.unwrap_or(name)]
}

/// The families of staged objects, by table. One whose objects are together below one part is left out.
fn by_folder(staged: &[Staged]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for staged in staged {
        let folder = folder(&staged.key);
        *bytes.entry(folder).or_default() += staged.bytes;
        found.entry(folder).or_default().insert(family(&staged.key));
    }
    found.retain(|folder, _| bytes.get(folder).is_some_and(|bytes| *bytes >= MIN_PART_BYTES as u64));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(key: &str, bytes: usize) -> Staged {
        Staged { key: key.into(), bytes: bytes as u64, ..Staged::default() }
    }

    #[test]
    fn a_sweep_looks_where_uploads_may_be_and_nowhere_else() {
        let all = [
            staged("orders/day=1/x-20250101T000000Z-ab12-0.parquet", MIN_PART_BYTES),
            staged("orders/day=2/x-20250101T000000Z-ab12-1.parquet", 10),
            staged("items/x-20250101T000000Z-ab12-2.parquet", MIN_PART_BYTES / 2),
            staged("items/x-20250101T000000Z-ab12-3.parquet", MIN_PART_BYTES / 2),
            staged("_lakegate/quarantine/p/77-000001-cafe.jsonl", MIN_PART_BYTES - 1),
        ];
        let found = by_folder(&all);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["items/", "orders/"]);
        assert_eq!(found["orders/"].len(), 1, "whatever the partition");
        assert!(by_folder(&all[1..2]).is_empty(), "a small object asks for nothing");
    }

    #[test]
    fn names_of_another_generation_are_another_family() {
        assert_eq!(family("t/d=1-2/x-y-0011aa-12.parquet"), "x-y-0011aa-");
        assert_eq!(folder("t/d=1-2/h=3/x-y-0011aa-12.parquet"), "t/");
        assert_eq!(folder("_lakegate/quarantine/p/77-000001-cafe.jsonl"), "_lakegate/quarantine/p/");
        assert_eq!(folder("x.parquet"), "");
        assert_ne!(family("t/x-y-0011aa-0.parquet"), family("t/x-y-0022bb-0.parquet"));
        assert_eq!(family("q/77-000001-cafe.jsonl"), family("q/77-000001-beef.jsonl"));
        assert_ne!(family("q/77-000001-cafe.jsonl"), family("q/77-000002-cafe.jsonl"));
    }
}
