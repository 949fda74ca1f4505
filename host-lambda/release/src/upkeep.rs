//! Keeping a registry: bringing blobs back, writing a lost channel again, copying, yanking, removing.
//!
//! Not for finding what is wrong (`check`). Decisions to know:
//!
//! * Nothing is made up: a blob comes back only as the bytes of its digest, and a channel only with a signature.
//! * A release goes manifest first and comes manifest last, so that what is listed is whole at every moment.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::code::CodeStatement;
use crate::error::{damaged_blob, damaged_manifest};
use crate::key::{SigningKey, Trust};
use crate::keys::{channel_key, manifest_key};
use crate::manifest::{Blob, Manifest, Pinned};
use crate::registry::{Registry, Signed, blob_key};
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{sha256, to_json};

/// What the text says that it is.
const YANK: &str = "lakegate.yank/1";

/// Says, signed, that a release must not be promoted any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yank {
    /// What kind of text this is.
    pub kind: String,
    /// Which release.
    #[serde(flatten)]
    pub release: Pinned,
    /// When, RFC 3339.
    pub at: String,
    /// Why, as its author said.
    pub reason: Option<String>,
}

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Versions.
    pub versions: Vec<semver::Version>,
    /// Blobs that no other release names.
    pub blobs: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// The blobs that a manifest names.
fn blobs_of(manifest: &Manifest) -> Vec<Blob> {
    let samples = manifest.samples.iter().map(|sample| sample.input.clone());
    let own = [manifest.component.blob.clone(), manifest.spec.clone()];
    own.into_iter().chain(samples).chain(manifest.bundle.clone()).collect()
}

fn folder(name: &str, version: &semver::Version) -> String {
    format!("releases/{name}/{version}/")
}

fn yank_key(name: &str, version: &semver::Version) -> String {
    format!("{}yanked.json", folder(name, version))
}

impl Registry {
    /// Brings back, from another registry, blobs of a release that are missing or spoilt here; how many.
    ///
    /// # Errors
    /// Either storage's. What the other one does not have whole stays as it is.
    pub fn mend_blobs(&self, manifest: &Manifest, from: &Self) -> Result<u64> {
        let mut mended = 0;
        for blob in blobs_of(manifest) {
            let what = format!("a blob of {}", manifest.id());
            if self.blob(&blob, &what).is_ok() {
                continue;
            }
            let Ok(bytes) = from.blob(&blob, &what) else { continue };
            self.put_over(&blob_key(&blob), &bytes)?;
            mended += 1;
        }
        Ok(mended)
    }

    fn put_over(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let tag = self.storage().get(key)?.map(|there| there.tag);
        if self.storage().replace_if_unchanged(key, bytes, tag.as_deref())? {
            return Ok(());
        }
        Err(Error::new(Code::RegistryContended, format!("somebody else changes {key}"))
            .with_hint("try again"))
    }

    /// Writes a channel in the place of one that cannot be read any more.
    ///
    /// # Errors
    /// The storage's.
    pub fn restore_channel(&self, channel: &Channel, key: &SigningKey) -> Result<Channel> {
        let channel = channel.clone().named(&self.named(), "", &key.id());
        let payload = String::from_utf8(to_json(&channel)?)
            .map_err(|error| Error::new(Code::Json, error.to_string()))?;
        self.put_signed(&channel_key(&channel.name), payload, key)?;
        Ok(channel)
    }

    /// Copies a release that is whole from another registry, with its signatures and compiled code; false if it is here
    /// already.
    ///
    /// # Errors
    /// What is wrong with it there; `release_exists`: another release has its version here; either storage's.
    pub fn copy_release(
        &self,
        from: &Self,
        name: &str,
        version: &semver::Version,
        trust: &Trust,
    ) -> Result<bool> {
        let found = from.check_release(name, version, trust, &mut crate::check::Checked::default())?;
        let (manifest, pinned) = match (found.manifest, found.wrong.into_iter().next()) {
            (Some(found), None) => found,
            (_, Some(error)) => return Err(error),
            (None, None) => return Err(damaged_manifest(&format!("{name}@{version}"), "it has no manifest")),
        };
        let place = manifest_key(name, version);
        // What is spoilt here is not another release.
        let here = self.manifest(name, version, trust).ok();
        if here.as_ref().is_some_and(|(_, here)| *here != pinned) {
            let what = format!("{} is another release here", manifest.id());
            return Err(Error::new(Code::ReleaseExists, what)
                .with_hint("a version never changes: the two registries have different histories"));
        }
        let mut blobs = blobs_of(&manifest);
        let mut texts = Vec::new();
        for facts in from.storage().list(&folder(name, version))? {
            let Some(text) = from.storage().get(&facts.key)? else { continue };
            blobs.extend(code_blob(&text.bytes));
            texts.push((facts.key, text.bytes));
        }
        for blob in &blobs {
            let bytes = from.blob(blob, &format!("a blob of {}", manifest.id()))?;
            self.put_blob(&bytes)?;
        }
        for (key, bytes) in &texts {
            self.put_over(key, bytes)?;
        }
        if here.is_some() {
            return Ok(false);
        }
        self.put_over(&place, &manifest_bytes(from, &place, &pinned)?)?;
        Ok(true)
    }

    /// Says that a release must not be promoted any more. Hosts that have it in use keep it.
    ///
    /// # Errors
    /// As [`Registry::manifest`].
    pub fn yank(
        &self,
        name: &str,
        version: &semver::Version,
        trust: &Trust,
        key: &SigningKey,
        reason: Option<&str>,
        at: &str,
    ) -> Result<Yank> {
        let (_, release) = self.manifest(name, version, trust)?;
        let reason = reason.map(str::to_owned);
        let yank = Yank { kind: YANK.into(), release, at: at.into(), reason };
        let payload =
            String::from_utf8(to_json(&yank)?).map_err(|error| Error::new(Code::Json, error.to_string()))?;
        self.put_signed(&yank_key(name, version), payload, key)?;
        Ok(yank)
    }

    /// Takes back that a release must not be promoted.
    ///
    /// # Errors
    /// The storage's.
    pub fn unyank(&self, name: &str, version: &semver::Version) -> Result<()> {
        Ok(self.storage().delete(&yank_key(name, version))?)
    }

    /// What says that a release must not be promoted, if a trusted key says so.
    ///
    /// # Errors
    /// The storage's.
    pub fn yanked(&self, name: &str, release: &Pinned, trust: &Trust) -> Result<Option<Yank>> {
        let Some(found) = self.storage().get(&yank_key(name, &release.version))? else { return Ok(None) };
        let Ok(signed) = serde_json::from_slice::<Signed>(&found.bytes) else { return Ok(None) };
        if trust.verify("a yank", signed.payload.as_bytes(), &signed.signature).is_err() {
            return Ok(None);
        }
        let yank = serde_json::from_str::<Yank>(&signed.payload).ok();
        Ok(yank.filter(|yank| yank.kind == YANK && yank.release == *release))
    }

    /// Removes versions of a release, and the blobs that nothing else in the registry names; with `dry`, only says what
    /// that would be.
    ///
    /// # Errors
    /// The storage's; `manifest_damaged`: what else is there cannot be read, so that nothing is known to be unneeded.
    pub fn remove(&self, name: &str, versions: &BTreeSet<semver::Version>, dry: bool) -> Result<Pruned> {
        let mut pruned = Pruned { versions: versions.iter().cloned().collect(), ..Pruned::default() };
        let (mut gone, mut needed) = (BTreeSet::new(), BTreeSet::new());
        for other in self.names()? {
            for version in self.versions(&other)? {
                let goes = other == name && versions.contains(&version);
                let named = self.named_blobs(&other, &version)?;
                if goes { &mut gone } else { &mut needed }.extend(named);
            }
        }
        let unneeded: Vec<&String> = gone.difference(&needed).collect();
        for digest in &unneeded {
            let facts = self.storage().stat(&blob_key(&Blob { digest: (*digest).clone(), bytes: 0 }))?;
            pruned.blobs += u64::from(facts.is_some());
            pruned.bytes += facts.map_or(0, |facts| facts.bytes);
        }
        if dry {
            return Ok(pruned);
        }
        for version in versions {
            self.storage().delete(&manifest_key(name, version))?;
            for facts in self.storage().list(&folder(name, version))? {
                self.storage().delete(&facts.key)?;
            }
        }
        for digest in unneeded {
            self.storage().delete(&blob_key(&Blob { digest: digest.clone(), bytes: 0 }))?;
        }
        Ok(pruned)
    }

    /// Digests that a release names, as its bytes say; nothing is verified.
    fn named_blobs(&self, name: &str, version: &semver::Version) -> Result<Vec<String>> {
        let place = manifest_key(name, version);
        let Some(found) = self.storage().get(&place)? else { return Ok(Vec::new()) };
        let manifest = Manifest::parse(&place, &found.bytes)?;
        let mut named: Vec<String> = blobs_of(&manifest).into_iter().map(|blob| blob.digest).collect();
        for facts in self.storage().list(&folder(name, version))? {
            let text = self.storage().get(&facts.key)?;
            named.extend(text.and_then(|text| code_blob(&text.bytes)).map(|blob| blob.digest));
        }
        Ok(named)
    }
}

/// The blob of a statement about compiled code; none if the text is another.
fn code_blob(text: &[u8]) -> Option<Blob> {
    let signed: Signed = serde_json::from_slice(text).ok()?;
    serde_json::from_str::<CodeStatement>(&signed.payload).ok().map(|statement| statement.code)
}

fn manifest_bytes(from: &Registry, place: &str, pinned: &Pinned) -> Result<Vec<u8>> {
    let found = from.storage().get(place)?.map(|found| found.bytes).unwrap_or_default();
    let digest = sha256(&found);
    if digest == pinned.manifest { Ok(found) } else { Err(damaged_blob("the manifest", place, &digest)) }
}
