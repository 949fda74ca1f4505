//! What can be wrong with a release or a channel, each by its own name.
//!
//! The decision to know: all of these are errors of kind input: somebody gave a wrong release, and trying
//! again changes nothing. A host that follows a channel keeps its last known good release and tells them.

use crate::keys::channel_of;
use lakegate_base::{Code, Error};

pub(super) fn damaged_blob(what: &str, key: &str, found: &str) -> Error {
    Error::new(Code::BlobDamaged, format!("{what}: {key} holds bytes of digest {found}"))
        .with_hint(bring("NAME"))
}

pub(super) fn missing_blob(what: &str, key: &str) -> Error {
    Error::new(Code::BlobMissing, format!("{what}: {key} is not in the registry")).with_hint(bring("NAME"))
}

/// What is wrong with a blob that a release of this name needs, with the command that mends it.
pub(super) fn with_repair(error: Error, name: &str) -> Error {
    match error.code() {
        Code::BlobMissing | Code::BlobDamaged => error.with_hint(bring(name)),
        _ => error,
    }
}

/// The command that brings a blob back.
fn bring(name: &str) -> String {
    format!(
        "`lakegate registry check {name} --repair --from REGISTRY` brings it back from another registry that has it; \
         publishing the same release again does too"
    )
}

pub(super) fn damaged_manifest(key: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Code::ManifestDamaged, format!("{key} is not the manifest that it should be: {why}"))
        .with_hint("`lakegate registry copy NAME@VERSION --from REGISTRY` brings it back from another registry; else publish a new version")
}

pub(super) fn damaged_channel(key: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Code::ChannelDamaged, format!("{key} is no channel document: {why}"))
        .with_hint(channel_again(channel_of(key)))
}

/// The command that writes a damaged channel again.
pub(super) fn channel_again(name: &str) -> String {
    format!(
        "`lakegate registry check {name} --repair` writes it again; `--lake DIR` names a lake in a folder"
    )
}
