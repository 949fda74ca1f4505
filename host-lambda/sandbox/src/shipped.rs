//! Compiled code that came with the binary, so that a function's first start does not compile.
//!
//! Not the cache of this machine's own compilations (`cache`). Decisions to know:
//!
//! * It lies in `code` beside the binary, and is trusted as far as the binary is: it has the same owner, and
//!   nobody else may write it. Who can change it can change the program as well; who deploys signs for both.
//! * It is made for any processor of its kind, and loading checks each feature that it uses against the one
//!   that is here. Whatever is wrong with it, the answer is to compile.

use std::env;
use std::fs;
#[cfg(feature = "compile")]
use std::io;
use std::os::unix::fs::MetadataExt;
#[cfg(feature = "compile")]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

#[cfg(feature = "compile")]
use crate::engine;
use crate::engine::WASMTIME;
#[cfg(feature = "compile")]
use crate::engine::Whose;
#[cfg(feature = "compile")]
use lakegate_base::{Error, Result};

/// Beside the binary.
const FOLDER: &str = "code";

/// Loads the code of a component; `None` where none came along that may be trusted and fits.
pub(super) fn load(engine: &Engine, digest: &str) -> Option<Component> {
    let binary = env::current_exe().ok()?;
    load_from(&binary, engine, digest)
}

fn load_from(binary: &Path, engine: &Engine, digest: &str) -> Option<Component> {
    let folder = binary.parent()?.join(FOLDER);
    let path = folder.join(name(digest, env::consts::ARCH));
    let sum = fs::read_to_string(sum_path(&path)).ok()?;
    let owner = fs::metadata(binary).ok()?.uid();
    if !is_owned(&folder, owner) || !is_owned(&path, owner) {
        return None;
    }
    let bytes = fs::read(&path).ok()?;
    // Against a torn copy: forgers are kept out by who may write here.
    if sum.trim_end() != hex::encode(Sha256::digest(&bytes)) {
        return None;
    }
    drop(bytes);
    // SAFETY: who may write this file or its folder may write this program as well; its checksum was right
    // a moment ago; and wasmtime refuses code of another version, configuration, target or processor.
    unsafe { Component::deserialize_file(engine, &path) }.ok()
}

/// Compiles a component for any machine of a target and writes it into a folder; the path of the code.
///
/// # Errors
/// The compiler does not know the target, refuses the component, or the folder cannot be written.
#[cfg(feature = "compile")]
pub(super) fn write(folder: &Path, component: &[u8], target: &str) -> Result<PathBuf> {
    // What ships is this build's own.
    let code = engine::compile_whose(target, component, Whose::Ours)?;
    let arch = target.split('-').next().unwrap_or(target);
    let path = folder.join(name(&hex::encode(Sha256::digest(component)), arch));
    let put = |path: &Path, bytes: &[u8]| -> io::Result<()> {
        fs::write(path, bytes)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
    };
    let sum = format!("{}\n", hex::encode(Sha256::digest(&code)));
    fs::create_dir_all(folder)
        .and_then(|()| put(&sum_path(&path), sum.as_bytes()))
        .and_then(|()| put(&path, &code))
        .map_err(|error| Error::io(&path.display().to_string(), error))?;
    Ok(path)
}

/// The engine's configuration is not in it: wasmtime compares that by itself, and a refusal only compiles.
fn name(digest: &str, arch: &str) -> String {
    format!("{}-{WASMTIME}-{arch}.cwasm", digest.get(..24).unwrap_or(digest))
}

fn sum_path(path: &Path) -> PathBuf {
    path.with_extension("cwasm.sha256")
}

/// True if the path belongs to this owner and nobody else may write it.
fn is_owned(path: &Path, owner: u32) -> bool {
    fs::symlink_metadata(path).is_ok_and(|facts| {
        !facts.file_type().is_symlink() && facts.uid() == owner && facts.mode() & 0o022 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Sandbox};

    struct Deployed {
        folder: tempfile::TempDir,
        code: PathBuf,
        digest: String,
        sandbox: Sandbox,
    }

    impl Deployed {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("bootstrap"), "").unwrap();
            let component = wat::parse_str("(component)").unwrap();
            let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
            let code = write(&folder.path().join(FOLDER), &component, &target).unwrap();
            let digest = hex::encode(Sha256::digest(&component));
            let sandbox = Sandbox::new(Limits::default()).unwrap().trusting(&digest).unwrap();
            Self { folder, code, digest, sandbox }
        }

        fn loads(&self) -> bool {
            let (engine, _) = self.sandbox.engine_of(&self.digest);
            load_from(&self.folder.path().join("bootstrap"), engine, &self.digest).is_some()
        }
    }

    #[test]
    fn code_for_any_processor_is_taken_by_the_engine_of_this_one() {
        let deployed = Deployed::new();
        assert!(deployed.loads());
        fs::remove_file(sum_path(&deployed.code)).unwrap();
        assert!(!deployed.loads());
    }

    #[test]
    fn torn_code_is_not_loaded() {
        let deployed = Deployed::new();
        let bytes = fs::read(&deployed.code).unwrap();
        fs::write(&deployed.code, &bytes[..bytes.len() - 1]).unwrap();
        assert!(!deployed.loads());
    }

    #[test]
    fn code_that_others_may_write_is_not_loaded() {
        let deployed = Deployed::new();
        for path in [deployed.code.clone(), deployed.code.parent().unwrap().to_owned()] {
            let before = fs::metadata(&path).unwrap().permissions();
            fs::set_permissions(&path, fs::Permissions::from_mode(before.mode() | 0o020)).unwrap();
            assert!(!deployed.loads(), "{}", path.display());
            fs::set_permissions(&path, before).unwrap();
            assert!(deployed.loads());
        }
    }
}
