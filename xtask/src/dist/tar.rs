//! Writes a `.tar.gz`: files with fixed times, owners and modes, in the order given.
//!
//! Not for reading one, nor for names beyond 100 bytes. Layout: POSIX.1-2017, `pax`, the ustar format.

use std::io::Write;

use anyhow::{Result, bail};
use flate2::{Compression, GzBuilder};

/// A header, and what contents are filled up to.
const BLOCK: usize = 512;
/// Longest name of the plain format.
const NAME_BYTES: usize = 100;

/// One file.
pub struct Entry {
    /// Path in the archive, with `/`.
    pub name: String,
    /// Whether it can be started.
    pub program: bool,
    pub bytes: Vec<u8>,
}

/// The archive, compressed; its gzip header has neither a name nor a time.
pub fn write_gz(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    for entry in entries {
        encoder.write_all(&header(entry)?)?;
        encoder.write_all(&entry.bytes)?;
        let over = entry.bytes.len() % BLOCK;
        encoder.write_all(&vec![0; if over == 0 { 0 } else { BLOCK - over }])?;
    }
    // Two empty blocks are the end.
    encoder.write_all(&[0; 2 * BLOCK])?;
    Ok(encoder.finish()?)
}

fn header(entry: &Entry) -> Result<[u8; BLOCK]> {
    if entry.name.len() > NAME_BYTES {
        bail!("{} is too long a name for an archive", entry.name);
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, entry.name.as_bytes());
    put(100, if entry.program { b"0000755\0" } else { b"0000644\0" });
    // Owner and group.
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", entry.bytes.len()).as_bytes());
    // Time of change.
    put(136, b"00000000000\0");
    // The checksum is made over blanks in its own place.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_tar_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let entries = [
            Entry { name: "a/run".into(), program: true, bytes: vec![7; BLOCK] },
            Entry { name: "a/LICENSE".into(), program: false, bytes: b"text".to_vec() },
        ];
        let bytes = write_gz(&entries).unwrap();
        assert_eq!(bytes, write_gz(&entries).unwrap());
        std::fs::write(folder.path().join("a.tar.gz"), bytes).unwrap();
        let tar = std::process::Command::new("tar")
            .args(["-xzf", "a.tar.gz"])
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(tar.success());
        assert_eq!(std::fs::read(folder.path().join("a/run")).unwrap(), vec![7; BLOCK]);
        assert_eq!(std::fs::read(folder.path().join("a/LICENSE")).unwrap(), b"text");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode("a/run"), mode("a/LICENSE")), (0o755, 0o644));
        }
    }

    #[test]
    fn a_long_name_is_refused() {
        let entry = Entry { name: "x".repeat(101), program: false, bytes: Vec::new() };
        assert!(write_gz(&[entry]).is_err());
    }
}
