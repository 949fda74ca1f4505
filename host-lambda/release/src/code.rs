//! Compiled code of a release: which blob it is, for exactly which engine.
//!
//! Not for compiling (`sandbox`). The decision to know: compiled code runs as it is, outside of the sandbox
//! that the component would run in. So its digest stands in a signed text, that text names component, engine
//! version, target, processor preset and configuration, and each of them must be this host's own.

use serde::{Deserialize, Serialize};

use crate::key::{SigningKey, Trust};
use crate::manifest::{Blob, Manifest};
use crate::registry::{Registry, Signed};
use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::to_json;
use lakegate_sandbox as sandbox;

/// What the text says that it is.
pub const KIND: &str = "lakegate.code/1";

/// What compiled code is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeKey {
    /// Exact version of wasmtime.
    pub wasmtime: String,
    /// For example `x86_64-unknown-linux-gnu`.
    pub target: String,
    /// Processor features that it may use, for example `x86-64-v3`.
    pub cpu: String,
    /// Hash of the engine's configuration.
    pub configuration: String,
}

impl CodeKey {
    /// What this build would compile for a target; `None`: for this machine.
    pub fn of_target(target: Option<&str>) -> Self {
        let target = target.map_or_else(sandbox::native_target, str::to_string);
        let (cpu, configuration) = sandbox::code_configuration(&target);
        Self { wasmtime: sandbox::WASMTIME.into(), target, cpu: cpu.into(), configuration }
    }

    fn place(&self, manifest: &Manifest) -> String {
        let Self { wasmtime, target, cpu, configuration } = self;
        let (name, version) = (&manifest.name, &manifest.version);
        format!("releases/{name}/{version}/code/{wasmtime}-{target}-{cpu}-{configuration}.json")
    }
}

impl std::fmt::Display for CodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wasmtime {} on {} ({}, {})", self.wasmtime, self.target, self.cpu, self.configuration)
    }
}

/// The signed text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeStatement {
    /// [`KIND`].
    pub kind: String,
    /// Digest of the component that was compiled.
    pub component: String,
    /// What for.
    #[serde(flatten)]
    pub key: CodeKey,
    /// The compiled code.
    pub code: Blob,
}

impl Registry {
    /// Keeps compiled code of a release.
    ///
    /// # Errors
    /// The storage's.
    pub fn put_code(
        &self,
        manifest: &Manifest,
        key: CodeKey,
        code: &[u8],
        signer: &SigningKey,
    ) -> Result<CodeStatement> {
        let place = key.place(manifest);
        let component = manifest.component.blob.digest.clone();
        let statement = CodeStatement { kind: KIND.into(), component, key, code: self.put_blob(code)? };
        let payload = String::from_utf8(to_json(&statement)?)
            .map_err(|error| Error::new(Code::Json, error.to_string()))?;
        self.put_signed(&place, payload, signer)?;
        Ok(statement)
    }

    /// Compiled code for exactly this engine; `None` if there is none.
    ///
    /// # Errors
    /// `code_mismatch`: what lies there is for another component or engine. The signature's, the blob's, the
    /// storage's.
    pub fn code(&self, manifest: &Manifest, key: &CodeKey, trust: &Trust) -> Result<Option<Vec<u8>>> {
        let place = key.place(manifest);
        let Some(found) = self.storage().get(&place)? else { return Ok(None) };
        let what = format!("the compiled code of {}", manifest.id());
        let again = format!("`lakegate precompile {}` makes it again", manifest.id());
        let mismatch = |why: String| {
            Error::new(Code::CodeMismatch, format!("{what} cannot be used: {why}")).with_hint(again.clone())
        };
        // Damaged code is not brought back: it is made of the component.
        let damaged = |error: Error| match error.code() {
            Code::SignatureWrong | Code::BlobMissing | Code::BlobDamaged => error.with_hint(again.clone()),
            _ => error,
        };
        let signed: Signed = serde_json::from_slice(&found.bytes)
            .map_err(|error| mismatch(format!("{place} is no signed text: {error}")))?;
        trust.verify(&what, signed.payload.as_bytes(), &signed.signature).map_err(damaged)?;
        let statement: CodeStatement = serde_json::from_str(&signed.payload)
            .map_err(|error| mismatch(format!("{place} is no statement about code: {error}")))?;
        if statement.kind != KIND || statement.component != manifest.component.blob.digest {
            return Err(mismatch(format!("it was compiled from the component {}", statement.component)));
        }
        if statement.key != *key {
            return Err(mismatch(format!("it is for {}, this host is {key}", statement.key)));
        }
        self.blob(&statement.code, &what).map_err(damaged).map(Some)
    }

    /// Engines that a release has compiled code for, as far as the keys tell; nothing is verified.
    ///
    /// # Errors
    /// The storage's.
    pub fn code_places(&self, name: &str, version: &semver::Version) -> Result<Vec<String>> {
        let prefix = format!("releases/{name}/{version}/code/");
        let listed = self.storage().list(&prefix)?;
        let places = listed.iter().filter_map(|facts| facts.key.strip_prefix(&prefix)?.strip_suffix(".json"));
        Ok(places.map(str::to_string).collect())
    }
}
