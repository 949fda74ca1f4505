//! Manifests and the signatures beside them: several keys may sign the same bytes.
//!
//! Not for what a manifest says. Decisions to know:
//!
//! * A signature is named by the digest of what it signs and by its key. So whoever reads asks for those of the keys that
//!   it trusts, two publishers of one version never touch each other's, and signing once more adds one.
//! * The manifest is written last, when all that it names and its signature are there: what is listed is whole.

use crate::error::damaged_manifest;
use crate::key::{Signature, SigningKey, Trust};
use crate::keys::manifest_key;
use crate::manifest::{Manifest, Pinned};
use crate::registry::Registry;
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::{sha256, to_json};

impl Registry {
    /// Stores a signature of a manifest, and then the manifest; false if exactly this release is there already, which is
    /// then signed by this key as well.
    ///
    /// # Errors
    /// `release_exists`: the version is taken by something else.
    pub fn put_manifest(&self, manifest: &Manifest, key: &SigningKey) -> Result<(Pinned, bool)> {
        let place = manifest_key(&manifest.name, &manifest.version);
        let pinned = |bytes: &[u8]| Pinned { version: manifest.version.clone(), manifest: sha256(bytes) };
        if self.storage().stat(&place)?.is_none() {
            let bytes = manifest.to_bytes()?;
            self.sign_manifest(manifest, &bytes, key)?;
            if self.storage().put_if_absent(&place, &bytes)? {
                return Ok((pinned(&bytes), true));
            }
        }
        let there = self.storage().get(&place)?.map(|there| there.bytes).unwrap_or_default();
        let bytes = same(manifest, &place, there)?;
        self.sign_manifest(manifest, &bytes, key)?;
        Ok((pinned(&bytes), false))
    }

    /// Signs exactly these bytes of a manifest.
    fn sign_manifest(&self, manifest: &Manifest, bytes: &[u8], key: &SigningKey) -> Result<()> {
        let signature = key.sign(bytes);
        let place = signature_key(&manifest.name, &manifest.version, &sha256(bytes), &signature.key);
        let text = to_json(&signature)?;
        if self.storage().put_if_absent(&place, &text)? {
            return Ok(());
        }
        // What is there may be cut or spoilt; of the same bytes a key always makes the same signature.
        let there = self.storage().get(&place)?;
        if there.as_ref().is_some_and(|there| there.bytes == text) {
            return Ok(());
        }
        let tag = there.map(|there| there.tag);
        self.storage().replace_if_unchanged(&place, &text, tag.as_deref())?;
        Ok(())
    }

    /// Signs a release that is there with a further key; `trust` must hold one that has signed it.
    ///
    /// # Errors
    /// As [`Registry::manifest`].
    pub fn add_signature(
        &self,
        name: &str,
        version: &semver::Version,
        trust: &Trust,
        key: &SigningKey,
    ) -> Result<Pinned> {
        let (manifest, pinned) = self.manifest(name, version, trust)?;
        let found = self.storage().get(&manifest_key(name, version))?;
        let bytes = found.map(|found| found.bytes).filter(|bytes| sha256(bytes) == pinned.manifest);
        let bytes = bytes.ok_or_else(|| damaged_manifest(&manifest.id(), "it was changed a moment ago"))?;
        self.sign_manifest(&manifest, &bytes, key)?;
        Ok(pinned)
    }

    /// A manifest that a trusted key signed.
    ///
    /// # Errors
    /// `release_missing`, `release_unsigned`, `manifest_damaged`, the signature's, or the storage's.
    pub fn manifest(
        &self,
        name: &str,
        version: &semver::Version,
        trust: &Trust,
    ) -> Result<(Manifest, Pinned)> {
        let place = manifest_key(name, version);
        let id = format!("{name}@{version}");
        let Some(found) = self.storage().get(&place)? else {
            let there: Vec<String> = self.versions(name)?.iter().map(ToString::to_string).collect();
            let there = if there.is_empty() { "none".into() } else { there.join(", ") };
            return Err(Error::new(Code::ReleaseMissing, format!("{} has no release {id}", self.uri()))
                .with_hint(format!("versions of {name} there: {there}; {}", from_another(&id))));
        };
        let digest = sha256(&found.bytes);
        self.check_signed(name, version, &found.bytes, &digest, trust)?;
        let manifest = Manifest::parse(&place, &found.bytes)?;
        if manifest.name != name || manifest.version != *version {
            return Err(damaged_manifest(&place, format!("it is that of {}", manifest.id())));
        }
        Ok((manifest, Pinned { version: version.clone(), manifest: digest }))
    }

    /// Checks that one of the trusted keys signed these bytes.
    fn check_signed(
        &self,
        name: &str,
        version: &semver::Version,
        bytes: &[u8],
        digest: &str,
        trust: &Trust,
    ) -> Result<()> {
        let id = format!("{name}@{version}");
        let mut wrong = None;
        for key in trust.ids() {
            let place = signature_key(name, version, digest, &key);
            let Some(there) = self.storage().get(&place)? else { continue };
            let checked = serde_json::from_slice::<Signature>(&there.bytes)
                .map_err(|_| unsigned(&id))
                .and_then(|signature| trust.verify(&id, bytes, &signature))
                .map_err(|error| match error.code() {
                    Code::SignatureWrong => error.with_hint(changed(&id)),
                    _ => error,
                });
            match checked {
                Ok(()) => return Ok(()),
                Err(error) => wrong = Some(error),
            }
        }
        match wrong {
            Some(error) => Err(error),
            None => Err(self.why_unsigned(name, version, digest, trust)?),
        }
    }

    /// Names of the keys that signed a release's present bytes, as far as their names tell; nothing is verified.
    ///
    /// # Errors
    /// The storage's.
    pub fn signers(&self, name: &str, pinned: &Pinned) -> Result<Vec<String>> {
        let signed = self.signatures(name, &pinned.version)?;
        Ok(signed.into_iter().filter(|(of, _)| *of == pinned.manifest).map(|(_, key)| key).collect())
    }

    /// Digest and key of each signature of a version.
    fn signatures(&self, name: &str, version: &semver::Version) -> Result<Vec<(String, String)>> {
        let prefix = signatures_prefix(name, version);
        let listed = self.storage().list(&prefix)?;
        let named = listed.iter().filter_map(|facts| facts.key.strip_prefix(&prefix)?.strip_suffix(".json"));
        let parts = named.filter_map(|named| named.split_once('-'));
        Ok(parts.map(|(digest, key)| (digest.to_owned(), key.to_owned())).collect())
    }

    fn why_unsigned(
        &self,
        name: &str,
        version: &semver::Version,
        digest: &str,
        trust: &Trust,
    ) -> Result<Error> {
        let (id, there) = (format!("{name}@{version}"), self.signatures(name, version)?);
        let ids = trust.ids();
        if let Some((_, key)) = there.iter().find(|(of, key)| of != digest && ids.contains(key)) {
            let what = format!("{id} is not what the key {key} signed");
            return Ok(Error::new(Code::SignatureWrong, what).with_hint(changed(&id)));
        }
        let Some((_, key)) = there.iter().find(|(of, _)| of == digest) else { return Ok(unsigned(&id)) };
        let known = if ids.is_empty() { "none".into() } else { ids.join(", ") };
        let what = format!("{id} is signed by the key {key}, which is not trusted (trusted: {known})");
        Ok(Error::new(Code::SignatureUnknownKey, what).with_hint(
            "give the public key file of whoever publishes with --trust, or in `trust` of lakegate.toml",
        ))
    }
}

/// The bytes that are there, if they are this very release: what is signed may hold nothing that this publisher does not
/// know.
fn same(manifest: &Manifest, place: &str, there: Vec<u8>) -> Result<Vec<u8>> {
    let is_same =
        |found: Manifest| found.is_same_as(manifest) && found.to_bytes().is_ok_and(|bytes| bytes == there);
    if Manifest::parse(place, &there).is_ok_and(is_same) {
        return Ok(there);
    }
    Err(Error::new(Code::ReleaseExists, format!("{} is published already", manifest.id()))
        .with_hint("a version never changes: publish under the next one"))
}

fn unsigned(id: &str) -> Error {
    Error::new(Code::ReleaseUnsigned, format!("{id} has no signature that can be read"))
        .with_hint(format!("publish it again: the same release is completed; or {}", from_another(id)))
}

/// What to do about a manifest and a signature that do not fit.
fn changed(id: &str) -> String {
    format!("one of the two was changed: {}; else publish the next version", from_another(id))
}

/// The command that brings a manifest and its signatures back.
fn from_another(id: &str) -> String {
    format!("`lakegate registry copy {id} --from REGISTRY` brings it back from another registry")
}

fn signatures_prefix(name: &str, version: &semver::Version) -> String {
    format!("releases/{name}/{version}/signatures/")
}

pub(super) fn signature_key(name: &str, version: &semver::Version, digest: &str, key: &str) -> String {
    format!("{}{digest}-{key}.json", signatures_prefix(name, version))
}
