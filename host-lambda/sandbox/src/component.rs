//! A transform that was loaded, checked and linked, ready for any number of source objects.
//!
//! Not for running: see `session`. The decision to know: a component that imports anything is refused
//! by name before it is linked, since "imports nothing" is what makes a transform safe and reproducible.

use std::fs;
use std::path::Path;
#[cfg(feature = "compile")]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::component::{Component, Linker};

use crate::bindings::LakegateTransformPre;
#[cfg(feature = "compile")]
use crate::cache::CodeCache;
use crate::engine::{Sandbox, Whose};
use crate::error::{SandboxError, first_line};
use crate::job::{Description, JobOptions};
use crate::limits::Limits;
use crate::session::{Guest, GuestTime, Session, Start, State};
use crate::{embedded, shipped};
use lakegate_base::Result;

/// The interface that this host speaks; any 1.x of it answers.
const INTERFACE: &str = "lakegate:transform/transform@1";

/// A loaded component; clones share it.
#[derive(Clone)]
pub struct Transform {
    inner: Arc<Inner>,
}

struct Inner {
    sandbox: Sandbox,
    limits: Limits,
    linked: LakegateTransformPre<State>,
    whose: Whose,
    digest: String,
    size: u64,
    wit_version: String,
    load_time: Duration,
    from_cache: bool,
    time: GuestTime,
}

impl Transform {
    /// The component that this build carries.
    ///
    /// # Errors
    /// This build has none, or the engine refuses it.
    pub fn shipped(sandbox: &Sandbox) -> Result<Self> {
        Self::load(sandbox, "the shipped component", Self::shipped_bytes()?, embedded::DIGEST.to_string())
    }

    /// Bytes of the component that this build carries.
    ///
    /// # Errors
    /// This build has none.
    pub fn shipped_bytes() -> Result<&'static [u8]> {
        if embedded::BYTES.is_empty() { Err(SandboxError::NoComponent.into()) } else { Ok(embedded::BYTES) }
    }

    /// Digest of the component that this build carries, without loading it; `None` if it carries none.
    pub fn shipped_digest() -> Option<&'static str> {
        (!embedded::BYTES.is_empty()).then_some(embedded::DIGEST)
    }

    /// Compiles the component that this build carries for any machine of `target`, into `folder`: what a
    /// function loads from `code` beside its binary. The path of the code.
    ///
    /// # Errors
    /// This build has no component, its compiler does not know the target, or the folder cannot be written.
    #[cfg(feature = "compile")]
    pub fn precompile_shipped(target: &str, folder: &Path) -> Result<PathBuf> {
        shipped::write(folder, Self::shipped_bytes()?, target)
    }

    /// A component from a file.
    ///
    /// # Errors
    /// It cannot be read, is no component, imports something or exports another interface.
    pub fn from_file(sandbox: &Sandbox, path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let bytes =
            fs::read(path).map_err(|source| SandboxError::Unreadable { path: name.clone(), source })?;
        Self::from_bytes(sandbox, &name, &bytes)
    }

    /// A component from memory; `name` is for messages.
    ///
    /// # Errors
    /// As [`Transform::from_file`].
    pub fn from_bytes(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> Result<Self> {
        Self::load(sandbox, name, bytes, hex::encode(Sha256::digest(bytes)))
    }

    /// A component whose compiled code is here already: beside the binary, or in the cache; else `None`.
    ///
    /// # Errors
    /// As [`Transform::from_bytes`].
    pub fn from_known_code(sandbox: &Sandbox, name: &str, size: u64, digest: &str) -> Result<Option<Self>> {
        let started = Instant::now();
        let Some(component) = known_code(sandbox, digest) else { return Ok(None) };
        let (_, whose) = sandbox.engine_of(digest);
        Self::link(sandbox, name, (&component, whose), digest.into(), size, true, started).map(Some)
    }

    /// A component with code that was compiled elsewhere.
    ///
    /// # Safety
    /// The code runs as it is, outside of any sandbox. It must come from [`compile_for`](super::compile_for), by
    /// somebody who is trusted with this whole process.
    ///
    /// # Errors
    /// [`SandboxError::Code`]: it is for another version, target, processor or configuration of the engine. Else
    /// as [`Transform::from_bytes`].
    pub unsafe fn from_code(
        sandbox: &Sandbox,
        name: &str,
        bytes: &[u8],
        digest: &str,
        code: &[u8],
    ) -> Result<Self> {
        let started = Instant::now();
        // SAFETY: the caller's promise.
        // Signed code is made for anybody's engine, whatever component it is of.
        let component = unsafe { Component::deserialize(sandbox.engine(), code) }.map_err(|error| {
            SandboxError::Code { name: name.into(), reason: first_line(&format!("{error:#}")) }
        })?;
        let code = (&component, Whose::Anybodys);
        Self::link(sandbox, name, code, digest.into(), bytes.len() as u64, true, started)
    }

    /// The same, whose every call ends by a moment: the time of whoever waits is up then.
    #[must_use]
    pub fn until(self, moment: Option<Instant>) -> Self {
        let limits = Limits { until: moment, ..self.inner.limits };
        if moment.is_some() { self.limited(limits) } else { self }
    }

    /// The same, whose calls from now on are added up here.
    #[must_use]
    pub fn timed(self, time: &GuestTime) -> Self {
        let limits = self.inner.limits;
        self.with(limits, time.clone())
    }

    /// The same with other limits for each source object.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        let time = self.inner.time.clone();
        self.with(limits, time)
    }

    fn with(self, limits: Limits, time: GuestTime) -> Self {
        let Inner { sandbox, linked, digest, wit_version, .. } = &*self.inner;
        let inner = Inner {
            sandbox: sandbox.clone(),
            limits,
            linked: linked.clone(),
            digest: digest.clone(),
            wit_version: wit_version.clone(),
            time,
            ..*self.inner
        };
        Self { inner: Arc::new(inner) }
    }

    fn load(sandbox: &Sandbox, name: &str, bytes: &[u8], digest: String) -> Result<Self> {
        let started = Instant::now();
        let known = known_code(sandbox, &digest);
        let from_cache = known.is_some();
        let component = match known {
            Some(component) => component,
            None => compile(sandbox, name, bytes, &digest)?,
        };
        let (_, whose) = sandbox.engine_of(&digest);
        Self::link(sandbox, name, (&component, whose), digest, bytes.len() as u64, from_cache, started)
    }

    fn link(
        sandbox: &Sandbox,
        name: &str,
        (component, whose): (&Component, Whose),
        digest: String,
        size: u64,
        from_cache: bool,
        started: Instant,
    ) -> Result<Self> {
        refuse_imports(name, component)?;
        let wit_version = exported_version(name, component)?;
        let linked = Linker::new(component.engine())
            .instantiate_pre(component)
            .and_then(LakegateTransformPre::new)
            .map_err(|error| SandboxError::Invalid { name: name.into(), reason: format!("{error:#}") })?;
        let inner = Inner {
            sandbox: sandbox.clone(),
            limits: *sandbox.limits(),
            linked,
            whose,
            digest,
            size,
            wit_version,
            load_time: started.elapsed(),
            from_cache,
            time: GuestTime::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// SHA-256 of the component, lower-case hex.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Bytes of the component.
    pub fn size(&self) -> u64 {
        self.inner.size
    }

    /// Version of the interface that it exports, for example `1.0.0`.
    pub fn wit_version(&self) -> &str {
        &self.inner.wit_version
    }

    /// Names of its imports: none, or it would not have been loaded.
    pub fn imports(&self) -> &[String] {
        &[]
    }

    /// How long loading took, compilation included.
    pub fn load_time(&self) -> Duration {
        self.inner.load_time
    }

    /// True if compiled code was found on disk.
    pub fn from_cache(&self) -> bool {
        self.inner.from_cache
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// The guest crashes or runs over a limit.
    pub fn describe(&self) -> Result<Description> {
        self.guest(false)?.describe()
    }

    /// Opens a job in a fresh store.
    ///
    /// # Errors
    /// The guest refuses spec or contracts, crashes or runs over a limit.
    pub fn open(&self, options: JobOptions) -> Result<Session> {
        Session::open(self.guest(options.source.is_large())?, options)
    }

    /// A guest; `large`: it will use much memory.
    fn guest(&self, large: bool) -> Result<Guest> {
        let Inner { sandbox, linked, whose, limits, digest, time, .. } = &*self.inner;
        // A panic of the shipped one is for us to mend, and what it says might hold what it worked on.
        let tells_panics = Self::shipped_digest() != Some(digest);
        Guest::start(sandbox, (linked, *whose), *limits, Start { tells_panics, large }, time.clone())
    }
}

/// Compiled code that this host has already: what came with the binary, or was compiled here before.
fn known_code(sandbox: &Sandbox, digest: &str) -> Option<Component> {
    let (engine, _) = sandbox.engine_of(digest);
    let shipped = shipped::load(engine, digest);
    #[cfg(feature = "compile")]
    if shipped.is_none() && sandbox.compiles() {
        return CodeCache::of(engine, digest)?.load(engine);
    }
    shipped
}

/// Compiles, and keeps the code for the next start.
#[cfg(feature = "compile")]
fn compile(sandbox: &Sandbox, name: &str, bytes: &[u8], digest: &str) -> Result<Component> {
    if !sandbox.compiles() {
        return Err(SandboxError::NoCompiler { name: name.into() }.into());
    }
    let (engine, _) = sandbox.engine_of(digest);
    let component = Component::new(engine, bytes).map_err(|error| SandboxError::Invalid {
        name: name.into(),
        reason: first_line(&format!("{error:#}")),
    })?;
    refuse_imports(name, &component)?;
    exported_version(name, &component)?;
    if let Some(cache) = CodeCache::of(engine, digest) {
        // A read-only home is no reason to fail: the next start compiles again.
        let _kept = cache.store(&component);
    }
    Ok(component)
}

#[cfg(not(feature = "compile"))]
fn compile(_: &Sandbox, name: &str, _: &[u8], _: &str) -> Result<Component> {
    Err(SandboxError::NoCompiler { name: name.into() }.into())
}

fn refuse_imports(name: &str, component: &Component) -> Result<()> {
    let kind = component.component_type();
    let imports: Vec<String> =
        kind.imports(component.engine()).map(|(import, _)| import.to_string()).collect();
    if imports.is_empty() { Ok(()) } else { Err(SandboxError::Imports { name: name.into(), imports }.into()) }
}

fn exported_version(name: &str, component: &Component) -> Result<String> {
    let kind = component.component_type();
    let found: Vec<String> = kind.exports(component.engine()).map(|(export, _)| export.to_string()).collect();
    let version = found.iter().find_map(|export| {
        let rest = export.strip_prefix(INTERFACE)?;
        rest.starts_with('.').then(|| format!("1{rest}"))
    });
    version.ok_or_else(|| {
        SandboxError::Interface { name: name.into(), wanted: "lakegate:transform/transform@1.0.0", found }
            .into()
    })
}
