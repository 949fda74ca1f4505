//! Where texts lie in a registry.
//!
//! Not for blobs, which lie at their digest (`registry`).

/// A release's manifest.
pub(crate) fn manifest_key(name: &str, version: &semver::Version) -> String {
    format!("releases/{name}/{version}.json")
}

/// A channel's document.
pub(crate) fn channel_key(name: &str) -> String {
    format!("channels/{name}.json")
}

/// The name of the channel that has this key; of anything else, the key.
pub(crate) fn channel_of(key: &str) -> &str {
    key.strip_prefix("channels/").and_then(|rest| rest.strip_suffix(".json")).unwrap_or(key)
}
