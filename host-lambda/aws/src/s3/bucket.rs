//! One bucket and prefix: names, and the requests that the other files share.
//!
//! Not for the order of requests. The decision to know: keys of the trait are relative to the prefix; only
//! this file joins them, and every message shows the whole URI.

use std::sync::Arc;

use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, ServerSideEncryption, StorageClass};
use percent_encoding::percent_decode_str;

use crate::client::{Aws, Fault};
use crate::s3::options::{Checksum, Encryption, S3Options};
use lakegate_lake::lake::is_digest;
use lakegate_lake::storage::{Facts, Result, StorageError};

/// S3's longest key.
const MAX_KEY_BYTES: usize = 1024;
/// Metadata: id of the write that made the object.
pub(super) const WRITE: &str = "lakegate-write";
/// Metadata: checksum of the content, as in [`Staged::digest`](super::super::Staged::digest).
pub(super) const DIGEST: &str = "lakegate-digest";
/// Metadata of a raw file: digest of the receipt that its preview showed (`x-amz-meta-lakegate-receipt`).
pub(super) const RECEIPT: &str = "lakegate-receipt";

#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) aws: Aws,
    pub(super) name: String,
    /// Empty, or with a `/` at its end.
    pub(super) prefix: String,
    pub(super) options: Arc<S3Options>,
}

/// An object's facts with what tells whose it is.
pub(super) struct Head {
    pub(super) facts: Facts,
    pub(super) write: Option<String>,
    pub(super) digest: Option<String>,
    /// CRC64-NVME of the whole object, where S3 knows it.
    pub(super) crc64: Option<String>,
}

impl Bucket {
    pub(super) fn client(&self) -> &aws_sdk_s3::Client {
        self.aws.s3()
    }

    pub(super) fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(super) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{}{key}", self.name, self.prefix)
    }

    /// S3 has no folders to leave: any name will do that it takes.
    pub(super) fn legal(&self, key: &str) -> Result<()> {
        let legal = !key.is_empty() && self.prefix.len() + key.len() <= MAX_KEY_BYTES;
        if legal { Ok(()) } else { Err(StorageError::Key { key: key.into() }) }
    }

    pub(super) async fn head(&self, key: &str, version_id: Option<&str>) -> Result<Option<Head>> {
        self.legal(key)?;
        let request = self
            .client()
            .head_object()
            .bucket(&self.name)
            .key(self.full(key))
            .set_version_id(version_id.map(str::to_string))
            .checksum_mode(ChecksumMode::Enabled);
        let found =
            match self.aws.ask(of_version("s3:HeadObject", version_id), &self.uri(key), request.send()).await
            {
                Ok(found) => found,
                Err(error) if error.fault == Fault::Missing => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        let metadata = |name: &str| found.metadata().and_then(|all| all.get(name)).cloned();
        let whole = found.checksum_type() != Some(&ChecksumType::Composite);
        Ok(Some(Head {
            facts: Facts {
                key: key.into(),
                bytes: found.content_length().unwrap_or_default().unsigned_abs(),
                modified_ms: millis(found.last_modified()),
                version: version(found.version_id(), found.e_tag()),
                promised: metadata(RECEIPT).filter(|text| is_digest(text)),
            },
            write: metadata(WRITE),
            digest: metadata(DIGEST),
            crc64: found.checksum_crc64_nvme().filter(|_| whole).map(str::to_string),
        }))
    }

    /// A PUT of these bytes, with encryption, class and checksum as configured.
    pub(super) fn put(&self, key: &str, bytes: bytes::Bytes) -> PutObjectFluentBuilder {
        let (encryption, key_id) = self.encryption();
        self.client()
            .put_object()
            .bucket(&self.name)
            .key(self.full(key))
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(key_id)
            .set_storage_class(self.class())
            .checksum_algorithm(self.algorithm())
            .body(ByteStream::from(bytes))
    }

    pub(super) fn create_upload(&self, key: &str) -> CreateMultipartUploadFluentBuilder {
        let (encryption, key_id) = self.encryption();
        self.client()
            .create_multipart_upload()
            .bucket(&self.name)
            .key(self.full(key))
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(key_id)
            .set_storage_class(self.class())
            .checksum_algorithm(self.algorithm())
            .set_checksum_type((self.options.checksum == Checksum::Crc64).then_some(ChecksumType::FullObject))
    }

    pub(super) fn algorithm(&self) -> ChecksumAlgorithm {
        match self.options.checksum {
            Checksum::Crc64 => ChecksumAlgorithm::Crc64Nvme,
            Checksum::Sha256 => ChecksumAlgorithm::Sha256,
        }
    }

    fn encryption(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match &self.options.encryption {
            Encryption::Bucket => (None, None),
            Encryption::S3 => (Some(ServerSideEncryption::Aes256), None),
            Encryption::Kms(key) => (Some(ServerSideEncryption::AwsKms), key.clone()),
        }
    }

    fn class(&self) -> Option<StorageClass> {
        self.options.storage_class.as_deref().map(StorageClass::from)
    }
}

/// A call about an object, by the name that its permission has where a version is named.
pub(super) fn of_version(call: &'static str, version_id: Option<&str>) -> &'static str {
    version_id.map_or(call, |_| "s3:GetObjectVersion")
}

/// As in [`Facts::version`]. The version `null` is what a bucket without versions overwrites: it pins nothing.
pub(super) fn version(id: Option<&str>, tag: Option<&str>) -> String {
    match id.filter(|id| *id != "null") {
        Some(id) => format!("v:{id}"),
        None => format!("e:{}", tag.unwrap_or_default()),
    }
}

pub(super) fn millis(time: Option<&DateTime>) -> i64 {
    time.and_then(|time| time.to_millis().ok()).unwrap_or_default()
}

/// Undoes the encoding that listings were asked for: `+` is a space, `%XX` a byte.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A name that no other process and no other call has.
pub(super) fn unique() -> String {
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    // Each state has keys of its own, from the system's random numbers.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_keys_are_decoded_once() {
        assert_eq!(decode("a+b%2Bc%3Dd%25/%C3%A9"), "a b+c=d%/é");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }

    #[test]
    fn unique_names_differ() {
        let names: std::collections::BTreeSet<_> = (0..1000).map(|_| unique()).collect();
        assert_eq!(names.len(), 1000);
    }
}
