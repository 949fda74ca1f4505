//! Part of the build script: the sources of `lakegate-transform` as one compressed archive, for `lakegate new`.
//!
//! What comes along is a checkout cut down to the library: the workspace's manifest with fewer members, its lock
//! file and toolchain, and the crates below `transform-wasm` that the library is made of, without their tests.
//! The same sources make the same archive.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};

/// Files of the checkout's top; the licence is there in a release.
const TOP: [&str; 4] = ["Cargo.lock", "Cargo.toml", "LICENSE", "rust-toolchain.toml"];
/// Crates of the library, and what of them is needed.
const CRATES: [&str; 2] = ["transform-wasm", "transform-wasm/model"];
const PARTS: [&str; 4] = ["Cargo.toml", "benches", "src", "wit"];

/// Writes the archive, which is empty where the checkout is not whole: for each file its path, a line end, its
/// length in decimal, a line end, its bytes; all of it as gzip.
pub fn write(checkout: &Path, to: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for name in TOP {
        println!("cargo:rerun-if-changed={}", checkout.join(name).display());
        collect(checkout, name, &mut files)?;
    }
    for name in CRATES.iter().flat_map(|folder| PARTS.map(|part| format!("{folder}/{part}"))) {
        println!("cargo:rerun-if-changed={}", checkout.join(&name).display());
        collect(checkout, &name, &mut files)?;
    }
    files.sort();
    files.dedup();
    let whole = |name: &str| files.iter().any(|(path, _)| path == name);
    if !whole("Cargo.toml") || !whole("transform-wasm/Cargo.toml") {
        return fs::write(to, []);
    }
    let mut archive = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    for (path, bytes) in &files {
        archive.write_all(format!("{path}\n{}\n", bytes.len()).as_bytes())?;
        archive.write_all(bytes)?;
    }
    fs::write(to, archive.finish()?)
}

/// Adds a file, or all files below a folder; nothing where there is neither.
fn collect(checkout: &Path, name: &str, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let path = checkout.join(name);
    if path.is_dir() {
        for entry in fs::read_dir(&path)? {
            if let Some(below) = entry?.file_name().to_str() {
                collect(checkout, &format!("{name}/{below}"), files)?;
            }
        }
    } else if path.is_file() && !name.ends_with("_tests.rs") && !name.ends_with("/tests.rs") {
        let bytes = fs::read(&path)?;
        files.push((name.to_owned(), if name == "Cargo.toml" { cut_down(&bytes) } else { bytes }));
    }
    Ok(())
}

/// The workspace's manifest with the library's crates as its only members.
fn cut_down(manifest: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(manifest);
    // `members = [...]`, on one line or several.
    let Some((head, rest)) = text.split_once("members = [") else { return manifest.to_vec() };
    let tail = rest.split_once(']').map_or("", |(_, tail)| tail);
    let members = CRATES.map(|name| format!("\"{name}\"")).join(", ");
    format!("{head}members = [{members}]{tail}").into_bytes()
}
