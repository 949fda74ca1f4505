//! What a configuration may say about an S3 storage.
//!
//! Not for where it is. The decision to know: sizes out of S3's limits are brought within them, since they
//! have no meaning beyond; everything that S3 itself judges (class names, key ids) is left to S3.

use std::path::PathBuf;
use std::time::Duration;

use lakegate_config::{SPILL_BYTES, STAGING_BYTES};

/// S3's least size of a part that is not the last.
pub const MIN_PART_BYTES: usize = 5 << 20;
/// S3's most parts of an upload.
pub(super) const MAX_PARTS: usize = 10_000;
/// Default of [`S3Options::part_bytes`]: above S3's least, so that throughput does not hang on round trips;
/// no more, since memory is a part times [`MAX_LANES`].
const PART_BYTES: usize = 8 << 20;
/// Default of [`S3Options::run_limit`]: a function lives 15 minutes, a laptop's run rarely an hour.
const RUN_LIMIT: Duration = Duration::from_secs(6 * 3600);
/// Requests with a body at once: fills a function's network with parts of 8 MiB, and more only costs memory.
const MAX_LANES: usize = 4;

/// How objects are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket says.
    #[default]
    Bucket,
    /// SSE-S3.
    S3,
    /// SSE-KMS; `None`: with the account's key for S3.
    Kms(Option<String>),
}

/// The checksum that S3 verifies and keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Of the whole object, also of an upload in parts; costs next to nothing.
    #[default]
    Crc64,
    /// Where a rule asks for it; of an upload in parts it is one of the parts' checksums.
    Sha256,
}

/// Named settings; `S3Options::default()` is what runs without a configuration.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// How objects are encrypted.
    pub encryption: Encryption,
    /// Storage class of what is written, by S3's name; `None`: the bucket's.
    pub storage_class: Option<String>,
    /// The checksum sent with every write.
    pub checksum: Checksum,
    /// Memory for staged bytes over all open stages. What is on its way may pass it by some parts.
    pub staging_bytes: usize,
    /// Disk for staged bytes beyond that; passing it fails the object with `spill_limit`.
    pub spill_bytes: u64,
    /// Where they spill to.
    pub spill_folder: PathBuf,
    /// Size of a part and of a read, at least [`MIN_PART_BYTES`].
    pub part_bytes: usize,
    /// Uploads older than this belong to no living run.
    pub run_limit: Duration,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            encryption: Encryption::default(),
            storage_class: None,
            checksum: Checksum::default(),
            staging_bytes: usize::try_from(STAGING_BYTES).unwrap_or(usize::MAX),
            spill_bytes: SPILL_BYTES,
            spill_folder: std::env::temp_dir(),
            part_bytes: PART_BYTES,
            run_limit: RUN_LIMIT,
        }
    }
}

impl S3Options {
    pub(super) fn legal(mut self) -> Self {
        self.part_bytes = self.part_bytes.max(MIN_PART_BYTES);
        self
    }

    /// Requests with a body at once: half of the budget may be on its way.
    pub(super) fn lanes(&self) -> usize {
        (self.staging_bytes / 2 / self.part_bytes).clamp(1, MAX_LANES)
    }
}
