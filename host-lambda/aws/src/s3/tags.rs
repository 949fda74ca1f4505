//! A tag on one version of an object, beside those that it has.
//!
//! Not for what is written: nothing that Lakegate makes is tagged. The decision to know: S3 has no condition on tags. Where
//! a bucket keeps versions the version is named, and no other is touched. Where it keeps none, the object is looked at
//! before and after: a tag that an overwrite may have got between is taken away again, since whoever reads tags may
//! delete by them.

use aws_sdk_s3::types::{Tag, Tagging};

use crate::client::{AwsError, Fault};
use crate::s3::bucket::Bucket;
use lakegate_lake::source::version_of;
use lakegate_lake::storage::Result;

/// S3 takes no more of one object.
const MOST: usize = 10;

/// What became of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagState {
    /// The object has it now, or had it already.
    There,
    /// It has as many others as S3 takes.
    Full,
    /// That version is not there any more.
    Gone,
}

/// Gives a version of an object a tag. `version` is as [`version_of`] has it.
pub(super) async fn tag(
    bucket: &Bucket,
    key: &str,
    version: &str,
    name: &str,
    value: &str,
) -> Result<TagState> {
    bucket.legal(key)?;
    let id = version.strip_prefix("v:");
    if id.is_none() && !is_still(bucket, key, version).await? {
        return Ok(TagState::Gone);
    }
    let before = match tags_of(bucket, key, id).await {
        Ok(before) => before,
        Err(error) if error.fault == Fault::Missing => return Ok(TagState::Gone),
        Err(error) => return Err(error.into()),
    };
    let Some(wanted) = with(&before, name, value)? else { return Ok(TagState::There) };
    if wanted.len() > MOST {
        return Ok(TagState::Full);
    }
    match put(bucket, key, id, wanted).await {
        Ok(()) => {}
        Err(error) if error.fault == Fault::Missing => return Ok(TagState::Gone),
        Err(error) => return Err(error.into()),
    }
    if id.is_none() && !is_still(bucket, key, version).await? {
        let mut left = tags_of(bucket, key, None).await?;
        left.retain(|tag| tag.key != name);
        put(bucket, key, None, left).await?;
        return Ok(TagState::Gone);
    }
    Ok(TagState::There)
}

/// The tags with this one among them; `None` where it is there.
fn with(before: &[Tag], name: &str, value: &str) -> Result<Option<Vec<Tag>>> {
    if before.iter().any(|tag| tag.key == name && tag.value == value) {
        return Ok(None);
    }
    let own = Tag::builder().key(name).value(value).build();
    let own = own.map_err(|error| AwsError::new(Fault::Refused, PUT, name, error.to_string()))?;
    Ok(Some(before.iter().filter(|tag| tag.key != name).cloned().chain([own]).collect()))
}

const GET: &str = "s3:GetObjectTagging";
const PUT: &str = "s3:PutObjectTagging";

async fn is_still(bucket: &Bucket, key: &str, version: &str) -> Result<bool> {
    Ok(bucket.head(key, None).await?.is_some_and(|head| version_of(&head.facts) == version))
}

async fn tags_of(bucket: &Bucket, key: &str, id: Option<&str>) -> std::result::Result<Vec<Tag>, AwsError> {
    let call = id.map_or(GET, |_| "s3:GetObjectVersionTagging");
    let request = bucket.client().get_object_tagging().bucket(&bucket.name).key(bucket.full(key));
    let request = request.set_version_id(id.map(str::to_owned));
    Ok(bucket.aws.ask(call, &bucket.uri(key), request.send()).await?.tag_set)
}

async fn put(
    bucket: &Bucket,
    key: &str,
    id: Option<&str>,
    tags: Vec<Tag>,
) -> std::result::Result<(), AwsError> {
    let call = id.map_or(PUT, |_| "s3:PutObjectVersionTagging");
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build();
    let tagging =
        tagging.map_err(|error| AwsError::new(Fault::Refused, call, &bucket.uri(key), error.to_string()))?;
    let request = bucket.client().put_object_tagging().bucket(&bucket.name).key(bucket.full(key));
    let request = request.set_version_id(id.map(str::to_owned)).tagging(tagging);
    bucket.aws.ask(call, &bucket.uri(key), request.send()).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
        pairs.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap()).collect()
    }

    #[test]
    fn other_tags_stay_and_nothing_is_asked_for_twice() {
        let wanted = |before: &[(&str, &str)]| with(&tags(before), "lakegate", "done").unwrap();
        assert_eq!(wanted(&[]), Some(tags(&[("lakegate", "done")])));
        assert_eq!(wanted(&[("a", "1")]), Some(tags(&[("a", "1"), ("lakegate", "done")])));
        let old = [("lakegate", "seen"), ("a", "1")];
        assert_eq!(wanted(&old), Some(tags(&[("a", "1"), ("lakegate", "done")])), "its value is ours");
        assert_eq!(wanted(&[("a", "1"), ("lakegate", "done")]), None);
    }
}
