//! Embeds the shipped component, the browser page, and the sources of the transform library into the host.
//!
//! Not for building them: that is `cargo xtask build`, which writes both where this script looks. Without them
//! the script embeds nothing, so that `cargo check`, clippy and IDEs pass on a fresh checkout; using the
//! shipped transform, or the page, is then a clear error at run time.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

mod library;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=LAKEGATE_COMPONENT");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=library.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    library::write(&crate_folder.join(".."), &out.join("library.gz"))?;
    let root = target_folder(&out);
    let component = match env::var_os("LAKEGATE_COMPONENT") {
        Some(path) => Some(PathBuf::from(path)),
        None => root.as_ref().map(|root| root.join("component").join("lakegate.wasm")),
    };
    page(&root.map_or_else(|| out.join("no-page"), |root| root.join("page-files")), &out)?;
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

/// Writes the table of the page's files, which lie compressed in `folder`: path without `.gz`, and bytes.
fn page(folder: &Path, out: &Path) -> io::Result<()> {
    // Made where it is missing: Cargo runs this script with every build for as long as a named path is not there.
    fs::create_dir_all(folder)?;
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, folder, &mut files)?;
    files.sort();
    let mut table = String::from(
        "/// The page's files, each compressed with gzip, by path; empty where this build has no page.\n\
         pub static FILES: &[(&str, &[u8])] = &[\n",
    );
    for (number, name) in files.iter().enumerate() {
        // Copied, as the component is.
        let copy = format!("page-{number}.gz");
        fs::copy(folder.join(format!("{name}.gz")), out.join(&copy))?;
        table.push_str(&format!("    ({name:?}, include_bytes!({copy:?})),\n"));
    }
    table.push_str("];\n");
    fs::write(out.join("page.rs"), table)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.extend(name.strip_suffix(".gz").map(|name| name.replace('\\', "/")));
        }
    }
    Ok(())
}

/// The target folder: OUT_DIR is `<target>/[<triple>/]<profile>/build/<crate>/out`.
fn target_folder(out: &Path) -> Option<PathBuf> {
    let build = out.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "build"))?;
    let profile = build.parent()?;
    let target = profile.parent()?;
    // With `--target` there is one more folder; the target folder is the one that holds CACHEDIR.TAG.
    let root = if target.join("CACHEDIR.TAG").exists() { target } else { target.parent().unwrap_or(target) };
    let root = if root.join("CACHEDIR.TAG").exists() { root } else { target };
    Some(root.to_owned())
}
