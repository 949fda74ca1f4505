//! The sources of the library `lakegate-transform` that this command carries; the build script packs them.

use std::io::{self, Read};

use flate2::read::GzDecoder;

/// Path, line end, length, line end, bytes, for each file, as gzip; empty where the build had no sources.
static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.gz"));

/// Every file with its path in a checkout.
///
/// # Errors
/// This build carries none.
pub(super) fn files() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    GzDecoder::new(ARCHIVE).read_to_end(&mut bytes)?;
    let mut rest = bytes.as_slice();
    let mut files = Vec::new();
    while !rest.is_empty() {
        let name = line(&mut rest)?;
        let length: usize = line(&mut rest)?.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        let (bytes, after) = rest.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        files.push((name, bytes.to_vec()));
        rest = after;
    }
    Ok(files)
}

fn line(rest: &mut &[u8]) -> io::Result<String> {
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(io::ErrorKind::UnexpectedEof)?;
    let text = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 1..];
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_whole_and_has_no_tests() {
        let files = files().unwrap();
        let has = |name: &str| files.iter().any(|(path, _)| path == name);
        for name in
            ["Cargo.toml", "Cargo.lock", "transform-wasm/src/lib.rs", "transform-wasm/wit/transform.wit"]
        {
            assert!(has(name), "{name}");
        }
        assert!(files.iter().all(|(path, _)| !path.ends_with("_tests.rs") && !path.starts_with('/')));
        assert!(ARCHIVE.len() < 400_000, "{} bytes", ARCHIVE.len());
    }
}
