//! Writes a zip: deflated files with fixed times and modes, in order of their names.
//!
//! Not for reading one, and not for files beyond 4 GiB (Lambda takes 250 MB). The decision to know: our own
//! over flate2, which is here already; the `zip` crate would bring some ten more for these hundred lines, and
//! its times and modes had to be pinned just the same. Layout: PKWARE's APPNOTE, 4.3.

use std::io::Write;

use anyhow::{Context, Result};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// 1980-01-01 00:00, the first moment that the format knows, as its date and time.
const DAY: u16 = 0x0021;
const TIME: u16 = 0;
/// Deflate; version 2.0 of the format has it.
const DEFLATE: u16 = 8;
const VERSION: u16 = 20;
/// Made on Unix: the upper half of the external attributes is the mode.
const UNIX: u16 = 3 << 8;
const FILE: u32 = 0o100_000;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;

/// One file.
pub struct Entry {
    name: String,
    mode: u32,
    bytes: Vec<u8>,
}

impl Entry {
    /// A file that everybody may read.
    pub fn file(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), mode: FILE | 0o644, bytes }
    }

    /// A file that everybody may start.
    pub fn program(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), mode: FILE | 0o755, bytes }
    }
}

/// The zip of these files.
pub fn write(mut entries: Vec<Entry>) -> Result<Vec<u8>> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for entry in &entries {
        let mut crc = Crc::new();
        crc.update(&entry.bytes);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&entry.bytes)?;
        let packed = encoder.finish()?;
        let offset = size(zip.len())?;
        // What both headers say, in the same order.
        let mut common = Vec::new();
        for half in [VERSION, UTF8, DEFLATE, TIME, DAY] {
            common.extend(half.to_le_bytes());
        }
        for word in [crc.sum(), size(packed.len())?, size(entry.bytes.len())?] {
            common.extend(word.to_le_bytes());
        }
        common.extend(u16::try_from(entry.name.len())?.to_le_bytes());
        common.extend(0u16.to_le_bytes()); // no extra field
        zip.extend(b"PK\x03\x04");
        zip.extend(&common);
        zip.extend(entry.name.as_bytes());
        zip.extend(packed);
        directory.extend(b"PK\x01\x02");
        directory.extend((UNIX | VERSION).to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 6]); // no comment, first disk, not text
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let (from, length, count) = (size(zip.len())?, size(directory.len())?, u16::try_from(entries.len())?);
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\0\0\0\0");
    zip.extend([count, count].map(u16::to_le_bytes).concat());
    zip.extend(length.to_le_bytes());
    zip.extend(from.to_le_bytes());
    zip.extend(0u16.to_le_bytes()); // no comment
    Ok(zip)
}

fn size(length: usize) -> Result<u32> {
    u32::try_from(length).context("a zip for Lambda is far smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::{Entry, write};

    #[test]
    fn the_order_of_files_does_not_matter() {
        let one = || Entry::program("bootstrap", b"#!/bin/true\n".repeat(100));
        let two = || Entry::file("code/a", vec![7; 10]);
        let zip = write(vec![one(), two()]).unwrap();
        assert_eq!(zip, write(vec![two(), one()]).unwrap());
        assert!(zip.starts_with(b"PK\x03\x04"));
        // Local header, central header, and the offset of the central directory in the closing record.
        let end = &zip[zip.len() - 22..];
        let offset = u32::from_le_bytes(end[16..20].try_into().unwrap()) as usize;
        assert!(zip[offset..].starts_with(b"PK\x01\x02"));
        assert_eq!(u16::from_le_bytes(end[10..12].try_into().unwrap()), 2);
    }
}
