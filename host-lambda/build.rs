//! Embeds the shipped component into the host.
//!
//! Not for building it: that is `cargo xtask build`, which writes the component where this script looks.
//! Without one the script embeds nothing, so that `cargo check`, clippy and IDEs pass on a fresh
//! checkout; using the shipped transform is then a clear error at run time.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=LAKEGATE_COMPONENT");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let component = match env::var_os("LAKEGATE_COMPONENT") {
        Some(path) => Some(PathBuf::from(path)),
        None => default_path(&out),
    };
    let mut bytes = Vec::new();
    if let Some(path) = &component {
        // Named even while it is missing: Cargo then runs this script again once it appears.
        println!("cargo:rerun-if-changed={}", path.display());
        if path.is_file() {
            bytes = fs::read(path)?;
        }
    }
    let digest: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    // Copied, so that a build in progress never sees the file change under it.
    fs::write(out.join("lakegate.wasm"), &bytes)?;
    fs::write(
        out.join("component.rs"),
        format!(
            "/// The shipped component; empty when this build has none.\n\
             pub static BYTES: &[u8] = include_bytes!(\"lakegate.wasm\");\n\
             /// SHA-256 of it, worked out once at build time.\n\
             pub const DIGEST: &str = \"{digest}\";\n"
        ),
    )
}

/// `<target>/component/lakegate.wasm`: OUT_DIR is `<target>/[<triple>/]<profile>/build/<crate>/out`.
fn default_path(out: &Path) -> Option<PathBuf> {
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"))?;
    let profile = build.parent()?;
    let target = profile.parent()?;
    // With `--target` there is one more folder; the target folder is the one that holds CACHEDIR.TAG.
    let root = if target.join("CACHEDIR.TAG").exists() { target } else { target.parent().unwrap_or(target) };
    let root = if root.join("CACHEDIR.TAG").exists() { root } else { target };
    Some(root.join("component").join("lakegate.wasm"))
}
