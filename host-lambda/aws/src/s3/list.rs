//! Listing a bucket: all of a prefix, a page of it, or the folders in it.
//!
//! Not for uploads that are not completed (`sweep`). S3 answers with up to 1,000 keys in the order of their bytes;
//! folders are what it makes of a delimiter, counted like keys.

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::types::EncodingType;

use crate::client::AwsError;
use crate::s3::bucket::{self, Bucket, millis};
use lakegate_lake::storage::{Facts, Page};

/// What S3 lists in one answer at most.
const MOST: usize = 1000;

impl Bucket {
    /// The first objects after a key; all of them without a limit.
    pub(super) async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Page, AwsError> {
        let mut page = Page::default();
        let mut next = None;
        loop {
            let left = limit.map(|limit| limit - page.found.len());
            if left == Some(0) {
                page.more = true;
                break;
            }
            let request = self
                .listing(prefix)
                .set_start_after(after.map(|key| self.full(key)))
                .set_max_keys(left.and_then(|left| i32::try_from(left.min(MOST)).ok()))
                .set_continuation_token(next.take());
            let answer = self.aws.ask("s3:ListObjectsV2", &self.uri(prefix), request.send()).await?;
            page.found.extend(self.objects(&answer));
            next = answer.next_continuation_token().map(str::to_string);
            if next.is_none() {
                break;
            }
        }
        page.found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(page)
    }

    /// Names of the folders directly below a prefix.
    pub(super) async fn folders(&self, prefix: &str) -> Result<Vec<String>, AwsError> {
        let mut names = Vec::new();
        let mut next = None;
        loop {
            let request = self.listing(prefix).delimiter("/").set_continuation_token(next.take());
            let answer = self.aws.ask("s3:ListObjectsV2", &self.uri(prefix), request.send()).await?;
            for folder in answer.common_prefixes().iter().filter_map(|folder| folder.prefix()) {
                let folder = decoded(&answer, folder);
                let name = folder.strip_prefix(&self.full(prefix)).and_then(|name| name.strip_suffix('/'));
                names.extend(name.map(str::to_owned));
            }
            next = answer.next_continuation_token().map(str::to_string);
            if next.is_none() {
                break;
            }
        }
        names.sort();
        Ok(names)
    }

    fn listing(&self, prefix: &str) -> ListObjectsV2FluentBuilder {
        let request = self.client().list_objects_v2().bucket(&self.name).prefix(self.full(prefix));
        // A key may hold characters that XML cannot.
        request.encoding_type(EncodingType::Url)
    }

    fn objects<'a>(&'a self, answer: &'a ListObjectsV2Output) -> impl Iterator<Item = Facts> + 'a {
        answer.contents().iter().filter_map(|object| {
            let key = decoded(answer, object.key().unwrap_or_default());
            // The folder marks that consoles make.
            let inside = key.strip_prefix(&self.prefix).filter(|key| !key.is_empty())?;
            Some(Facts {
                key: inside.into(),
                bytes: object.size().unwrap_or_default().unsigned_abs(),
                modified_ms: millis(object.last_modified()),
                version: format!("e:{}", object.e_tag().unwrap_or_default()),
                promised: None,
            })
        })
    }
}

fn decoded(answer: &ListObjectsV2Output, key: &str) -> String {
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    if encoded { bucket::decode(key) } else { key.to_string() }
}
