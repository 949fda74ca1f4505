//! Embeds the shipped component into the sandbox.
//!
//! Not for building it: that is `cargo xtask build`, which writes it where this script looks. Without it the
//! script embeds nothing, so that `cargo check`, clippy and IDEs pass on a fresh checkout; using the shipped
//! transform is then a clear error at run time.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

#[path = "build/target.rs"]
mod target;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=LAKEGATE_COMPONENT");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let root = target::target_folder(&out);
    let component = match env::var_os("LAKEGATE_COMPONENT") {
        Some(path) => Some(PathBuf::from(path)),
        None => root.map(|root| root.join("component").join("lakegate.wasm")),
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
