//! Compiled code on disk, so that a second start does not compile.
//!
//! Not a registry: only this user's own compilations are kept here. The decision to know: loading
//! compiled code runs it as it is, so a file is used only if it and its folder belong to this user, nobody
//! else may write them or put another in the place of any folder above, and its checksum is the one written
//! beside it. Whatever is wrong with a file, the answer is to compile again.

use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::engine::WASMTIME;
use lakegate_model::digest::hex;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Digests what a value feeds to a hasher: the standard one may change with the compiler.
struct Fed(Sha256);

impl Hasher for Fed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0 // nobody asks: the whole digest is taken
    }
}

/// Where compiled code of one component and one engine configuration is kept.
pub(super) struct CodeCache {
    folder: PathBuf,
    name: String,
}

impl CodeCache {
    /// The cache entry of a component; `None` where there is no home folder to put it in.
    pub(super) fn of(engine: &Engine, digest: &str) -> Option<Self> {
        Some(Self::inside(default_folder()?, engine, digest))
    }

    pub(super) fn inside(folder: PathBuf, engine: &Engine, digest: &str) -> Self {
        // Wasmtime's hash covers configuration, target and the processor features it compiles for.
        let mut fed = Fed(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut fed);
        let configuration = hex(&fed.0.finalize()[..8]);
        let short = digest.get(..24).unwrap_or(digest);
        let arch = env::consts::ARCH;
        Self { folder, name: format!("{short}-{WASMTIME}-{arch}-{configuration}.cwasm") }
    }

    /// Loads the compiled code; `None` when there is none that may be trusted.
    pub(super) fn load(&self, engine: &Engine) -> Option<Component> {
        // The path without links: what is checked below is then what is opened.
        let folder = fs::canonicalize(&self.folder).ok()?;
        let path = folder.join(&self.name);
        if !is_private(&folder) || !is_private(&path) || !folder.ancestors().skip(1).all(keeps_its_entries) {
            return None;
        }
        let sum = fs::read_to_string(sum_path(&path)).ok()?;
        let bytes = fs::read(&path).ok()?;
        if checksum(&bytes) != sum {
            return None;
        }
        drop(bytes);
        // SAFETY: the file was written by this user with `store` below, for exactly this version,
        // target and configuration (all in its name); nobody else may write it or its folder, or move
        // either; its checksum was right a moment ago; and files here are replaced by rename, never rewritten.
        unsafe { Component::deserialize_file(engine, &path) }.ok()
    }

    /// Keeps compiled code. A failure costs the next start a compilation and nothing else.
    pub(super) fn store(&self, component: &Component) -> io::Result<()> {
        let bytes = component.serialize().map_err(|error| io::Error::other(format!("{error:#}")))?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.folder.join(&self.name);
        // The sum goes first: code without its sum is never loaded, a sum without code does no harm.
        self.put(&sum_path(&path), checksum(&bytes).as_bytes())?;
        self.put(&path, &bytes)
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o400))?;
        file.persist(path)?;
        Ok(())
    }
}

/// `$LAKEGATE_CACHE_DIR`, else `$XDG_CACHE_HOME/lakegate`, else `~/.cache/lakegate`; code lies in `code` below.
fn default_folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("LAKEGATE_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("lakegate")))
        .or_else(|| set("HOME").map(|path| path.join(".cache").join("lakegate")))?;
    Some(base.join("code"))
}

/// True if the path belongs to this user and nobody else may write it.
fn is_private(path: &Path) -> bool {
    let me = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path)
        .is_ok_and(|facts| !facts.file_type().is_symlink() && facts.uid() == me && facts.mode() & 0o022 == 0)
}

/// Where the checksum of some code is.
fn sum_path(code: &Path) -> PathBuf {
    code.with_extension("cwasm.sum")
}

/// True if nobody but this user and root can rename or replace what lies in a folder that is not their own: it is
/// owned by one of the two, and others may not write it, or it is sticky, as `/tmp` is.
fn keeps_its_entries(folder: &Path) -> bool {
    let me = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|facts| {
        let mode = facts.mode();
        (facts.uid() == me || facts.uid() == 0) && (mode & 0o022 == 0 || mode & 0o1000 != 0)
    })
}

/// Against rot and torn writes, not against forgers: whoever can write here is this user already.
/// Four lanes of multiply and rotate read 10 MB in some 2 ms; SHA-256 would take up the whole bar.
fn checksum(bytes: &[u8]) -> String {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut lanes = [1u64, 2, 3, 4];
    let mut blocks = bytes.chunks_exact(32);
    for block in &mut blocks {
        for (lane, word) in lanes.iter_mut().zip(block.chunks_exact(8)) {
            let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
            *lane = (*lane ^ word).wrapping_mul(PRIME).rotate_left(29);
        }
    }
    let mut rest = bytes.len() as u64;
    for &byte in blocks.remainder() {
        rest = (rest ^ u64::from(byte)).wrapping_mul(PRIME).rotate_left(29);
    }
    let [a, b, c, d] = lanes;
    format!("{} {a:016x}{b:016x}{c:016x}{d:016x}{rest:016x}\n", bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Sandbox};

    fn small(engine: &Engine) -> Component {
        Component::new(engine, wat::parse_str("(component)").unwrap()).unwrap()
    }

    #[test]
    fn code_is_loaded_again_until_a_bit_flips() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(Limits::default()).unwrap();
        let cache = CodeCache::inside(folder.path().join("code"), sandbox.engine(), "aa");
        assert!(cache.load(sandbox.engine()).is_none());
        cache.store(&small(sandbox.engine())).unwrap();
        assert!(cache.load(sandbox.engine()).is_some());

        let path = cache.folder.join(&cache.name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        assert!(cache.load(sandbox.engine()).is_none());
        fs::remove_file(&path).unwrap();
        cache.store(&small(sandbox.engine())).unwrap();
        assert!(cache.load(sandbox.engine()).is_some());
    }

    #[test]
    fn code_that_others_may_write_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::new(Limits::default()).unwrap();
        let cache = CodeCache::inside(folder.path().join("code"), sandbox.engine(), "aa");
        cache.store(&small(sandbox.engine())).unwrap();
        let path = cache.folder.join(&cache.name);
        let with = |path: &Path, mode: u32| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            cache.load(sandbox.engine()).is_some()
        };
        assert!(with(&path, 0o400));
        assert!(!with(&path, 0o666));
        assert!(with(&path, 0o400));
        // Whoever may write a folder above can put another in its place, unless it is sticky.
        for folder in [&cache.folder, folder.path()] {
            assert!(!with(folder, 0o770) && !with(folder, 0o777), "{}", folder.display());
            assert!(with(folder, 0o700), "{}", folder.display());
        }
        assert!(with(folder.path(), 0o1777));
    }

    #[test]
    fn a_link_is_followed_to_where_it_leads_and_judged_there() {
        let [folder, open] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let sandbox = Sandbox::new(Limits::default()).unwrap();
        let real = CodeCache::inside(open.path().join("code"), sandbox.engine(), "aa");
        real.store(&small(sandbox.engine())).unwrap();
        let link = folder.path().join("code");
        std::os::unix::fs::symlink(&real.folder, &link).unwrap();
        let linked = CodeCache::inside(link, sandbox.engine(), "aa");
        assert!(linked.load(sandbox.engine()).is_some());
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(linked.load(sandbox.engine()).is_none());
    }
}
