//! A registry: releases and channels in a storage, a folder or a bucket.
//!
//! ```text
//! blobs/<sha256>                                     component, spec, sample, compiled code, browser bundle
//! releases/<name>/<version>.json                     manifest; these exact bytes are signed
//! releases/<name>/<version>/signatures/<sha256>-<key>.json   a detached signature of them
//! releases/<name>/<version>/code/<key>.json          which blob is its compiled code, signed
//! channels/<name>.json                               which releases are in use, signed
//! ```
//!
//! Not for what releases and channels mean. Decisions to know:
//!
//! * All but channels is written once, if absent. Reading verifies: a digest for a blob, a signature for a text.
//! * What is replaced must be read with its signature at once, so channel and code statements hold both in
//!   one object: the text as a JSON string, and the signature of exactly that text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, no_channel};
use crate::error::{channel_again, damaged_blob, damaged_channel, missing_blob};
use crate::key::{Signature, SigningKey, Trust};
use crate::keys::channel_key;
use crate::manifest::Blob;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{sha256, to_json};
use lakegate_lake::storage::{Fresh, Storage};

/// Lost races for one channel after which something else must be wrong.
const ATTEMPTS: u32 = 20;

/// A text and its signature in one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The exact text that is signed.
    pub payload: String,
    /// Its signature.
    #[serde(flatten)]
    pub signature: Signature,
}

impl Signed {
    /// Signs a text.
    pub fn new(payload: String, key: &SigningKey) -> Self {
        Self { signature: key.sign(payload.as_bytes()), payload }
    }
}

/// Releases and channels in a storage; clones share it.
#[derive(Clone)]
pub struct Registry {
    storage: Arc<dyn Storage>,
}

impl Registry {
    /// Over any storage.
    pub fn over(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Where it is.
    pub fn uri(&self) -> &str {
        self.storage.uri()
    }

    pub(super) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Keeps bytes under their digest.
    ///
    /// # Errors
    /// The storage's.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Blob> {
        let blob = Blob::of(bytes);
        let key = blob_key(&blob);
        // Looked at first: a large blob that is there already is not sent again, and a spoilt one is replaced.
        let there = self.storage.get(&key)?;
        if there.as_ref().is_none_or(|there| sha256(&there.bytes) != blob.digest) {
            let tag = there.map(|there| there.tag);
            self.storage.replace_if_unchanged(&key, bytes, tag.as_deref())?;
        }
        Ok(blob)
    }

    /// Bytes of a blob that a signed text names. `what` is for messages.
    ///
    /// # Errors
    /// `blob_missing`, `blob_damaged`, or the storage's.
    pub fn blob(&self, blob: &Blob, what: &str) -> Result<Vec<u8>> {
        let key = blob_key(blob);
        let found = self.storage.get(&key)?.ok_or_else(|| missing_blob(what, &key))?;
        let digest = sha256(&found.bytes);
        if digest == blob.digest { Ok(found.bytes) } else { Err(damaged_blob(what, &key, &digest)) }
    }

    /// Versions of a release, the oldest first.
    ///
    /// # Errors
    /// The storage's.
    pub fn versions(&self, name: &str) -> Result<Vec<semver::Version>> {
        let prefix = format!("releases/{name}/");
        let mut found: Vec<semver::Version> = Vec::new();
        for facts in self.storage.list(&prefix)? {
            let version = facts.key.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".json"));
            found.extend(version.and_then(|version| version.parse::<semver::Version>().ok()));
        }
        found.sort();
        Ok(found)
    }

    /// Names of all releases.
    ///
    /// # Errors
    /// The storage's.
    pub fn names(&self) -> Result<Vec<String>> {
        let listed = self.storage.list("releases/")?;
        let names = listed.iter().filter_map(|facts| facts.key.strip_prefix("releases/")?.split('/').next());
        let mut names: Vec<String> = names.map(str::to_string).collect();
        names.dedup();
        Ok(names)
    }

    /// A channel whose signature is right.
    ///
    /// # Errors
    /// `channel_missing`, `channel_damaged`, the signature's, or the storage's.
    pub fn channel(&self, name: &str, trust: &Trust) -> Result<Channel> {
        match self.channel_unless(name, "", trust)? {
            Some((channel, _)) => Ok(channel),
            None => Err(no_channel(name)),
        }
    }

    /// The same with its tag; `None` if it has the tag that is known already.
    pub(super) fn channel_unless(
        &self,
        name: &str,
        known: &str,
        trust: &Trust,
    ) -> Result<Option<(Channel, String)>> {
        let place = channel_key(name);
        match self.storage.get_unless(&place, known)? {
            Fresh::Unchanged => Ok(None),
            Fresh::Gone => Err(no_channel(name)),
            Fresh::Changed(found) => {
                let channel = verified_channel(&place, name, &found.bytes, trust)?;
                if channel.registry != self.named() {
                    return Err(foreign(&channel, &self.named()));
                }
                Ok(Some((channel, found.tag)))
            }
        }
    }

    /// What a channel's document calls this registry. A folder is known by other paths elsewhere, a bucket is not.
    pub(super) fn named(&self) -> String {
        let uri = self.storage.uri();
        if uri.starts_with("s3://") { uri.into() } else { "folder".into() }
    }

    /// Changes a channel once, also while others do, and where an answer is lost: the change has a name in the
    /// document, so that one that was taken is recognised behind those of others.
    ///
    /// # Errors
    /// Those of `change`; the document that is there is damaged or not signed by a trusted key; the storage's.
    pub fn change_channel<T>(
        &self,
        name: &str,
        key: &SigningKey,
        trust: &Trust,
        change: impl Fn(Option<&Channel>) -> Result<(Channel, T)>,
    ) -> Result<(Channel, T)> {
        let place = channel_key(name);
        let id = change_id(name);
        let mut tried: Option<(Channel, T)> = None;
        for _ in 0..ATTEMPTS {
            let found = self.storage.get(&place)?;
            let before = match &found {
                Some(found) => Some(verified_channel(&place, name, &found.bytes, trust)?),
                None => None,
            };
            if let (Some(before), Some(made)) = (&before, tried.take())
                && before.has_change(&id)
            {
                return Ok(made);
            }
            let (channel, more) = change(before.as_ref())?;
            let channel = channel.named(&self.named(), &id, &key.id());
            let payload = String::from_utf8(to_json(&channel)?)
                .map_err(|error| Error::new(Code::Json, error.to_string()))?;
            let text = to_json(&Signed::new(payload, key))?;
            let tag = found.as_ref().map(|found| found.tag.as_str());
            match self.storage.replace_if_unchanged(&place, &text, tag) {
                Ok(true) => return Ok((channel, more)),
                Ok(false) => {}
                // Unknown whether it was taken: looked up once, since it may have been.
                Err(error) => match self.storage.get(&place) {
                    Ok(Some(now))
                        if verified_channel(&place, name, &now.bytes, trust)
                            .is_ok_and(|now| now.has_change(&id)) =>
                    {
                        return Ok((channel, more));
                    }
                    _ => return Err(error.into()),
                },
            }
            tried = Some((channel, more));
        }
        Err(Error::new(Code::ChannelContended, format!("others changed the channel {name} over and over")))
    }

    /// Stores a signed text, in place of what is there.
    pub(super) fn put_signed(&self, place: &str, payload: String, key: &SigningKey) -> Result<()> {
        let text = to_json(&Signed::new(payload, key))?;
        for _ in 0..ATTEMPTS {
            let tag = self.storage.get(place)?.map(|there| there.tag);
            if self.storage.replace_if_unchanged(place, &text, tag.as_deref())? {
                return Ok(());
            }
        }
        Err(Error::new(Code::RegistryContended, format!("others changed {place} over and over")))
    }
}

fn verified_channel(place: &str, name: &str, bytes: &[u8], trust: &Trust) -> Result<Channel> {
    let signed: Signed = serde_json::from_slice(bytes).map_err(|error| damaged_channel(place, error))?;
    let verified = trust.verify(&format!("the channel {name}"), signed.payload.as_bytes(), &signed.signature);
    verified.map_err(|error| match error.code() {
        // A promotion would refuse what lies there, too.
        Code::SignatureWrong => error.with_hint(channel_again(name)),
        _ => error,
    })?;
    let channel = Channel::parse(place, signed.payload.as_bytes())?;
    if channel.name != name {
        return Err(damaged_channel(place, format!("it is that of {}", channel.name)));
    }
    Ok(channel)
}

/// Names a change: unique enough that two never share one.
fn change_id(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let text = format!("{name} {} {count} {}", std::process::id(), clock.as_nanos());
    sha256(text.as_bytes())[..16].to_string()
}

/// A document that was copied here: the promotion of one place is none of another's.
fn foreign(channel: &Channel, here: &str) -> Error {
    let there = if channel.registry.is_empty() { "no registry" } else { &channel.registry };
    let what = format!("the channel {} was signed for {there}, and this is {here}", channel.name);
    Error::new(Code::ChannelForeign, what).with_hint(format!(
        "`lakegate promote {} VERSION` here, if that release is to be in use",
        channel.name
    ))
}

pub(super) fn blob_key(blob: &Blob) -> String {
    format!("blobs/{}", blob.digest)
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
