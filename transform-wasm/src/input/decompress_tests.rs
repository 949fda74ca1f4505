//! Decompression: however the input is cut, the same bytes or the same failure.

use super::{Compression, Decompressor, Progress};
use crate::error::{Failure, Fault};
use crate::input::encoding::{Encoding, TextReader};
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Crc, GzBuilder};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

/// Feeds `input` in chunks and reads in pieces of at most `max`.
fn decode(input: &[u8], chunk: usize, max: usize) -> Result<Vec<u8>, Failure> {
    decode_as(Compression::Auto, input, chunk, max)
}

fn decode_as(compression: Compression, input: &[u8], chunk: usize, max: usize) -> Result<Vec<u8>, Failure> {
    let mut decompressor = Decompressor::new(compression);
    let mut chunks = input.chunks(chunk);
    let mut out = Vec::new();
    loop {
        let before = out.len();
        let progress = decompressor.read(&mut out, max)?;
        assert!(out.len() - before <= max);
        match progress {
            Progress::Output => {}
            Progress::NeedInput => match chunks.next() {
                Some(chunk) => decompressor.push(chunk),
                None => decompressor.end(),
            },
            Progress::Finished => return Ok(out),
        }
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

fn skippable(length: u32) -> Vec<u8> {
    let mut frame = vec![0x5a, 0x2a, 0x4d, 0x18];
    frame.extend(length.to_le_bytes());
    frame.resize(8 + length as usize, 0xaa);
    frame
}

/// Text that compresses, with some that does not.
fn text(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.extend(format!("{{\"order_id\":\"A-{}\",\"total\":{}}}\n", state >> 20, state % 997).bytes());
    }
    out.truncate(length);
    out
}

#[test]
fn gzip_and_zstd_are_told_by_their_first_bytes() {
    let data = text(300_000);
    for (input, compression) in [
        (data.clone(), Compression::None),
        (gzip(&data), Compression::Gzip),
        (zstd(&data), Compression::Zstd),
    ] {
        let mut decompressor = Decompressor::new(Compression::Auto);
        assert_eq!(decompressor.compression(), Compression::Auto);
        decompressor.push(input);
        decompressor.end();
        let mut out = Vec::new();
        while decompressor.read(&mut out, 100_000).unwrap() != Progress::Finished {}
        assert_eq!(decompressor.compression(), compression);
        assert!(out == data);
    }
}

#[test]
fn inputs_too_short_for_a_magic_are_plain() {
    for input in [&b""[..], b"{", b"(", b"P", b"PK", b"PAR1,PAR2\n1,2\n", b"\x28\xb5", b"Z*M", b"BZh"] {
        for chunk in [1, 100] {
            assert_eq!(decode(input, chunk, 10).unwrap(), input);
        }
    }
    // One byte of gzip's magic is plain; both are a broken member.
    assert_eq!(decode(b"\x1f", 1, 10).unwrap(), b"\x1f");
    assert_eq!(decode(b"\x1f\x8b", 1, 10).unwrap_err().code, "gzip_truncated");
    for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
        assert_eq!(decode_as(compression, b"", 1, 10).unwrap(), b"");
    }
    assert_eq!(decode(b"PK\x03\x04rest", 3, 10).unwrap_err().code, "unsupported_format");
}

#[test]
fn gzip_members_empty_members_and_padding() {
    let mut input = gzip(b"one\n");
    input.extend(gzip(b""));
    input.extend(gzip(b"two\n"));
    input.extend([0; 700]);
    for chunk in [1, 7, 10_000] {
        assert_eq!(decode(&input, chunk, 3).unwrap(), b"one\ntwo\n");
    }
    input.extend(b"x");
    assert_eq!(decode(&input, 7, 3).unwrap_err().code, "gzip_corrupt");
    assert_eq!(decode(&[gzip(b"one"), b"garbage".to_vec()].concat(), 7, 3).unwrap_err().code, "gzip_corrupt");
    let padded_between = [gzip(b"one"), vec![0; 5], gzip(b"two")].concat();
    assert_eq!(decode(&padded_between, 7, 3).unwrap_err().code, "gzip_corrupt");
}

#[test]
fn gzip_headers_with_every_field() {
    let mut encoder = GzBuilder::new()
        .extra(vec![7; 300])
        .filename("orders.json")
        .comment("made by hand")
        .write(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"hello").unwrap();
    let input = encoder.finish().unwrap();
    for chunk in [1, 1000] {
        assert_eq!(decode(&input, chunk, 100).unwrap(), b"hello");
    }

    let mut header = vec![0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 255];
    let mut crc = Crc::new();
    crc.update(&header);
    header.extend((crc.sum() as u16).to_le_bytes());
    let mut body = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    body.write_all(b"hello").unwrap();
    let mut input = [header, body.finish().unwrap()].concat();
    crc.reset();
    crc.update(b"hello");
    input.extend([crc.sum().to_le_bytes(), 5_u32.to_le_bytes()].concat());
    assert_eq!(decode(&input, 1, 100).unwrap(), b"hello");
    input[10] ^= 1;
    assert_eq!(decode(&input, 1, 100).unwrap_err().code, "gzip_corrupt");
}

#[test]
fn zstd_frames_and_skippable_frames() {
    let data = text(400_000);
    let input = [skippable(0), zstd(&data), skippable(70_000), zstd(b""), zstd(b"end")].concat();
    let expected = [&data[..], b"end"].concat();
    for chunk in [1, 4_099, 1 << 20] {
        assert!(decode(&input, chunk, 30_000).unwrap() == expected);
    }
    assert_eq!(decode(&[zstd(b"one"), b"garbage".to_vec()].concat(), 7, 3).unwrap_err().code, "zstd_corrupt");
    assert_eq!(
        decode(&[zstd(b"one"), skippable(9)[..12].to_vec()].concat(), 7, 3).unwrap_err().code,
        "zstd_truncated"
    );
}

#[test]
fn a_window_beyond_the_limit_is_refused() {
    // Window descriptor 0x98: 2^29 bytes.
    let failure = decode(b"\x28\xb5\x2f\xfd\x00\x98\x01\x00\x00", 100, 100).unwrap_err();
    assert_eq!((failure.fault, failure.code), (Fault::Limit, "zstd_window"));
    let failure = decode(b"\x28\xb5\x2f\xfd\x01\x58\x07\x01\x00\x00", 100, 100).unwrap_err();
    assert_eq!(failure.code, "zstd_dictionary");
}

#[test]
fn every_truncation_fails() {
    let data = text(2_000);
    for (input, code) in [(gzip(&data), "gzip_truncated"), (zstd(&data), "zstd_truncated")] {
        for length in 4..input.len() {
            assert_eq!(decode(&input[..length], 64, 500).unwrap_err().code, code, "at {length}");
        }
    }
}

#[test]
fn a_bomb_comes_in_pieces() {
    // 128 KiB of one byte a block, 2,000 times: 10 KB stand for 256 MB.
    let mut input = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    for _ in 0..2_000 {
        input.extend([0x02, 0x00, 0x10, b'x']);
    }
    input.extend([1, 0, 0]);
    let mut decompressor = Decompressor::new(Compression::Auto);
    decompressor.push(input);
    decompressor.end();
    let (mut total, mut out) = (0, Vec::new());
    while decompressor.read(&mut out, 1 << 20).unwrap() != Progress::Finished {
        assert!(out.len() <= 1 << 20);
        total += out.len();
        out.clear();
    }
    assert_eq!(total + out.len(), 2_000 << 17);
}

fn read_text(
    compression: Compression,
    encoding: Encoding,
    input: &[u8],
    chunk: usize,
) -> Result<Vec<u8>, Failure> {
    let mut reader = TextReader::new(compression, encoding);
    let mut chunks = input.chunks(chunk);
    let mut out = Vec::new();
    loop {
        match reader.read(&mut out, 5)? {
            Progress::Output => {}
            Progress::NeedInput => match chunks.next() {
                Some(chunk) => reader.push(chunk),
                None => reader.end(),
            },
            Progress::Finished => return Ok(out),
        }
    }
}

#[test]
fn marks_are_stripped_and_latin1_is_widened() {
    for chunk in [1, 2, 100] {
        let utf8 = |input: &[u8]| read_text(Compression::Auto, Encoding::Utf8, input, chunk);
        assert_eq!(utf8(b"").unwrap(), b"");
        assert_eq!(utf8(b"a").unwrap(), b"a");
        assert_eq!(utf8(b"\xef\xbb\xbf").unwrap(), b"");
        assert_eq!(utf8(b"\xef\xbb\xbfid,name\n1,\xc3\xa9\n").unwrap(), "id,name\n1,é\n".as_bytes());
        assert_eq!(utf8(b"\xef\xbb").unwrap(), b"\xef\xbb");
        assert_eq!(utf8(&gzip(b"\xef\xbb\xbf{}")).unwrap(), b"{}");
        for utf16 in [&b"\xff\xfea\x00"[..], b"\xfe\xff\x00a", b"{\x00}\x00", b"\x00{"] {
            assert_eq!(utf8(utf16).unwrap_err().code, "utf16_input");
        }
        let latin1 = |input: &[u8]| read_text(Compression::Auto, Encoding::Latin1, input, chunk);
        assert_eq!(latin1(b"Espa\xf1a;\x80\xff\xe9\n").unwrap(), "España;\u{80}ÿé\n".as_bytes());
        assert_eq!(latin1(b"\xef\xbb\xbfid").unwrap_err().code, "encoding_conflict");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_changes_nothing(
        parts in prop::collection::vec((0_usize..60_000, any::<bool>()), 0..4),
        zstd_input in any::<bool>(),
        chunk in prop_oneof![1_usize..20, 1_000_usize..100_000],
        max in prop_oneof![1_usize..50, 1_000_usize..100_000],
    ) {
        let mut input = Vec::new();
        let mut expected = Vec::new();
        for (length, random) in parts {
            let mut data = text(length);
            if random {
                data.iter_mut().fold(7_u32, |state, byte| { *byte = (state >> 24) as u8; state.wrapping_mul(134_775_813).wrapping_add(1) });
            }
            input.extend(if zstd_input { zstd(&data) } else { gzip(&data) });
            expected.extend(data);
        }
        prop_assert!(decode(&input, chunk, max).unwrap() == expected);
    }

    #[test]
    fn damage_is_found_or_harmless(at in 0.0_f64..1.0, bit in 0_u8..8, chunk in 1_usize..5_000) {
        let data = text(20_000);
        let mut input = gzip(&data);
        let at = (at * input.len() as f64) as usize;
        input[at] ^= 1 << bit;
        // The checksum covers the data; the header's time, system and level mean nothing.
        match decode(&input, chunk, 1 << 16) {
            Ok(out) => prop_assert!(out == data || at < 10),
            Err(failure) => prop_assert_eq!(failure.fault, Fault::Input),
        }
    }
}
