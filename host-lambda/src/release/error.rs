//! What can be wrong with a release or a channel, each by its own name.
//!
//! The decision to know: all of these are errors of kind input: somebody gave a wrong release, and trying
//! again changes nothing. A host that follows a channel keeps its last known good release and tells them.

use crate::error::Error;

/// All codes of this module, for those who sort errors by whose fault they are.
pub const CODES: &[&str] = &[
    "blob_damaged",
    "blob_missing",
    "channel_damaged",
    "channel_missing",
    "channel_replayed",
    "code_mismatch",
    "code_missing",
    "code_refused",
    "manifest_damaged",
    "key_unreadable",
    "release_conflicts",
    "release_exists",
    "release_missing",
    "release_name",
    "release_unsigned",
    "sample_differs",
    "sample_fails",
    "samples_limit",
    "signature_unknown_key",
    "signature_wrong",
];

pub(super) fn damaged_blob(what: &str, key: &str, found: &str) -> Error {
    Error::input("blob_damaged", format!("{what}: {key} holds bytes of digest {found}"))
        .with_hint("the registry was changed by hand or its storage is failing; publish the release again")
}

pub(super) fn missing_blob(what: &str, key: &str) -> Error {
    Error::input("blob_missing", format!("{what}: {key} is not in the registry"))
        .with_hint("publish the release again; blobs are never removed by Lakegate")
}

pub(super) fn damaged_manifest(key: &str, why: impl std::fmt::Display) -> Error {
    Error::input("manifest_damaged", format!("{key} is not the manifest that it should be: {why}"))
        .with_hint("manifests never change once published; publish a new version")
}

pub(super) fn damaged_channel(key: &str, why: impl std::fmt::Display) -> Error {
    Error::input("channel_damaged", format!("{key} is no channel document: {why}"))
        .with_hint("`lakegate promote` writes a new one")
}
