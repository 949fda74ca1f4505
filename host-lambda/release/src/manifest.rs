//! The manifest of a release: what it is made of, and what its samples must become.
//!
//! Not for where things lie (`registry`). The decision to know: the stored bytes are what is signed, so a
//! manifest is written once and never parsed and written again; fields that an older host does not know
//! are ignored by it, and still signed.

use serde::{Deserialize, Serialize};

use crate::error::damaged_manifest;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::sha256;
use lakegate_lake::record::Output;
use lakegate_sandbox::Limits;

/// What the text says that it is.
pub const KIND: &str = "lakegate.release/1";

/// Longest name of a release: it stands in keys, logs and metrics.
const NAME_BYTES: usize = 64;

/// A release that a signed text names: its manifest is pinned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pinned {
    /// Version.
    pub version: semver::Version,
    /// SHA-256 of its manifest.
    pub manifest: String,
}

/// Bytes in the registry, by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256, lower-case hex.
    pub digest: String,
    /// How many.
    pub bytes: u64,
}

impl Blob {
    /// The blob that these bytes are.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: sha256(bytes), bytes: bytes.len() as u64 }
    }
}

/// The component and what it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentEntry {
    /// The bytes.
    #[serde(flatten)]
    pub blob: Blob,
    /// Name of the transform.
    pub name: String,
    /// Version of its code.
    pub version: String,
    /// Version of the interface that it exports.
    pub wit: String,
}

/// Limits of each source object under this release; a pipeline may lower them, not raise them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseLimits {
    /// See [`Limits::memory_bytes`].
    pub memory_bytes: u64,
    /// See [`Limits::output_bytes`].
    pub output_bytes: u64,
    /// See [`Limits::parts`].
    pub parts: u32,
    /// See [`Limits::open_parts`].
    pub open_parts: u32,
    /// See [`Limits::quarantine_bytes`].
    pub quarantine_bytes: u64,
}

impl ReleaseLimits {
    /// What of these limits a manifest holds.
    pub fn of(limits: &Limits) -> Self {
        let Limits { memory_bytes, output_bytes, parts, open_parts, quarantine_bytes, .. } = *limits;
        Self { memory_bytes, output_bytes, parts, open_parts, quarantine_bytes }
    }

    /// The smaller of each.
    pub fn within(&self, limits: Limits) -> Limits {
        Limits {
            memory_bytes: limits.memory_bytes.min(self.memory_bytes),
            output_bytes: limits.output_bytes.min(self.output_bytes),
            parts: limits.parts.min(self.parts),
            open_parts: limits.open_parts.min(self.open_parts),
            quarantine_bytes: limits.quarantine_bytes.min(self.quarantine_bytes),
            ..limits
        }
    }
}

/// A small input, and what the release must make of it without any contract from before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its file name, for messages and part file names.
    pub name: String,
    /// Its bytes.
    pub input: Blob,
    /// Records rejected.
    pub rejected: u64,
    /// Every part file, in order.
    pub outputs: Vec<Output>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`KIND`].
    pub kind: String,
    /// Name of the release, which is that of its channel.
    pub name: String,
    /// Semantic version.
    pub version: semver::Version,
    /// When, RFC 3339.
    pub published: String,
    /// What runs.
    pub component: ComponentEntry,
    /// What it is told.
    pub spec: Blob,
    /// Tables that it makes.
    pub tables: Vec<String>,
    /// What one source object may cost.
    pub limits: ReleaseLimits,
    /// What a host tries before it swaps.
    pub samples: Vec<Sample>,
    /// The component transpiled for browsers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Blob>,
}

impl Manifest {
    /// The bytes that are stored and signed.
    ///
    /// # Errors
    /// None that input decides.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(Code::Json, format!("the manifest cannot be written: {error}")))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads stored bytes. `key` is for messages.
    ///
    /// # Errors
    /// `manifest_damaged`.
    pub fn parse(key: &str, bytes: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| damaged_manifest(key, error))?;
        if manifest.kind != KIND {
            return Err(damaged_manifest(key, format!("its kind is {}, not {KIND}", manifest.kind)));
        }
        Ok(manifest)
    }

    /// `orders@1.3.0`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// True if both make the same of every input: what differs is when they were published.
    pub fn is_same_as(&self, other: &Self) -> bool {
        *self == Self { published: self.published.clone(), ..other.clone() }
    }
}

/// Whether a text can name a release: it stands in keys and command lines.
pub fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    text.len() <= NAME_BYTES
        && text.bytes().all(inner)
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn manifest() -> Manifest {
        Manifest {
            kind: KIND.into(),
            name: "orders".into(),
            version: semver::Version::new(1, 3, 0),
            published: "2025-01-01T00:00:00Z".into(),
            component: ComponentEntry::default(),
            spec: Blob::of(b"spec"),
            tables: vec!["orders".into()],
            limits: ReleaseLimits::of(&Limits::default()),
            samples: Vec::new(),
            bundle: None,
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let manifest = manifest();
        let bytes = manifest.to_bytes().unwrap();
        assert_eq!(Manifest::parse("m", &bytes).unwrap(), manifest);
        assert_eq!(manifest.id(), "orders@1.3.0");
        let text = String::from_utf8(bytes).unwrap();
        for wrong in [&text[1..], &text.replace(KIND, "lakegate.channel/1"), &text.replace("1.3.0", "1.3")] {
            assert_eq!(Manifest::parse("m", wrong.as_bytes()).unwrap_err().name(), "manifest_damaged");
        }
        // A newer publisher may say more.
        let more = text.replacen('{', "{\"provenance\": {},", 1);
        assert_eq!(Manifest::parse("m", more.as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn a_release_only_lowers_limits() {
        let small = Limits { parts: 10, memory_bytes: 1 << 40, ..Limits::default() };
        let limits = ReleaseLimits::of(&small).within(Limits::default());
        assert_eq!(limits, Limits { parts: 10, ..Limits::default() });
    }

    #[test]
    fn names_are_plain() {
        for name in ["orders", "o", "my-orders_2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Orders", "2orders", "a/b", "..", "a b", "-a", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
