//! Embeds the browser page, and the sources of the transform library, into the command.
//!
//! Not for building it: that is `cargo xtask build`, which writes it where this script looks. Without it the
//! script embeds nothing, so that `cargo check`, clippy and IDEs pass on a fresh checkout; asking for the page
//! is then a clear error at run time.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[path = "build/library.rs"]
mod library;
#[path = "../sandbox/build/target.rs"]
mod target;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build/library.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let checkout = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    library::write(&checkout, &out.join("library.gz"))?;
    let root = target::target_folder(&out);
    page(&root.map_or_else(|| out.join("no-page"), |root| root.join("page-files")), &out)
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
