//! Whether a release is whole: its signature, and every byte that it names.
//!
//! Not for using it. The decision to know: releases share blobs (mostly the component), so that what was read once is not
//! read again; what a listing costs is a handful of requests a release.

use std::collections::BTreeMap;

use crate::code::CodeStatement;
use crate::key::Trust;
use crate::manifest::{Blob, Manifest, Pinned};
use crate::registry::{Registry, Signed};
use lakegate_base::{Code, Error, Result};

/// Blobs that were looked at, by digest; what is wrong with them.
#[derive(Default)]
pub struct Checked(BTreeMap<String, Option<Error>>);

/// What a look at a release found.
pub struct Found {
    /// Its manifest, if that can be believed.
    pub manifest: Option<(Manifest, Pinned)>,
    /// Names of the keys that signed it.
    pub signers: Vec<String>,
    /// Engines that it has compiled code for.
    pub compiled: Vec<String>,
    /// What is wrong with it; empty where it is whole.
    pub wrong: Vec<Error>,
}

impl Registry {
    /// Looks at a release and every byte that it names.
    ///
    /// # Errors
    /// The storage's. What is wrong with the release is found and no error.
    pub fn check_release(
        &self,
        name: &str,
        version: &semver::Version,
        trust: &Trust,
        checked: &mut Checked,
    ) -> Result<Found> {
        let compiled = self.code_places(name, version)?;
        let (manifest, pinned) = match self.manifest(name, version, trust) {
            Ok(found) => found,
            Err(error) => {
                return Ok(Found { manifest: None, signers: Vec::new(), compiled, wrong: vec![error] });
            }
        };
        let id = manifest.id();
        let mut wrong = Vec::new();
        let component = (&manifest.component.blob, format!("the component of {id}"));
        let spec = (&manifest.spec, format!("the spec of {id}"));
        let samples = manifest.samples.iter();
        let samples = samples.map(|sample| (&sample.input, format!("the sample {} of {id}", sample.name)));
        for (blob, what) in [component, spec].into_iter().chain(samples) {
            wrong.extend(self.check_blob(blob, &what, checked)?);
        }
        for place in &compiled {
            wrong.extend(self.check_code(&manifest, place, trust, checked)?);
        }
        let signers = self.signers(name, &pinned)?;
        Ok(Found { manifest: Some((manifest, pinned)), signers, compiled, wrong })
    }

    fn check_blob(&self, blob: &Blob, what: &str, checked: &mut Checked) -> Result<Option<Error>> {
        if let Some(known) = checked.0.get(&blob.digest) {
            return Ok(known.clone());
        }
        let wrong = match self.blob(blob, what) {
            Ok(_) => None,
            Err(error) if matches!(error.code(), Code::BlobMissing | Code::BlobDamaged) => Some(error),
            Err(error) => return Err(error),
        };
        checked.0.insert(blob.digest.clone(), wrong.clone());
        Ok(wrong)
    }

    fn check_code(
        &self,
        manifest: &Manifest,
        place: &str,
        trust: &Trust,
        checked: &mut Checked,
    ) -> Result<Option<Error>> {
        let key = format!("releases/{}/{}/code/{place}.json", manifest.name, manifest.version);
        let Some(found) = self.storage().get(&key)? else { return Ok(None) };
        let what = format!("the compiled code of {}", manifest.id());
        let again = format!("`lakegate precompile {}` makes it again", manifest.id());
        let no_statement = |why: String| {
            Error::new(Code::CodeMismatch, format!("{what} cannot be used: {key} {why}"))
                .with_hint(again.clone())
        };
        let signed = match serde_json::from_slice::<Signed>(&found.bytes) {
            Ok(signed) => signed,
            Err(error) => return Ok(Some(no_statement(format!("is no signed text: {error}")))),
        };
        // Whatever is wrong with compiled code, it is made again from the component: one code for all of it.
        let unusable =
            |error: &Error| Error::new(Code::CodeMismatch, error.to_string()).with_hint(again.clone());
        if let Err(error) = trust.verify(&what, signed.payload.as_bytes(), &signed.signature) {
            return Ok(Some(unusable(&error)));
        }
        match serde_json::from_str::<CodeStatement>(&signed.payload) {
            Ok(statement) if statement.component == manifest.component.blob.digest => {
                let wrong = self.check_blob(&statement.code, &what, checked)?;
                Ok(wrong.as_ref().map(unusable))
            }
            Ok(statement) => {
                Ok(Some(no_statement(format!("is about the component {}", statement.component))))
            }
            Err(error) => Ok(Some(no_statement(format!("is no statement about code: {error}")))),
        }
    }
}
