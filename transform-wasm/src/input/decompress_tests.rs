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

fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// How a member of a zip is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Stored,
    Deflated,
    /// Stored, and sizes behind the data too.
    StoredTwice,
    /// Sizes behind the data, with a sign before them or without, of eight bytes or four.
    Streamed {
        sign: bool,
        wide: bool,
    },
    Wide,
}

/// A zip of these members.
fn zip(members: &[(&str, &[u8], How)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data, how) in members {
        let mut crc = Crc::new();
        crc.update(data);
        let stored = match how {
            How::Stored | How::StoredTwice => data.to_vec(),
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
        };
        let streamed = matches!(how, How::Streamed { .. } | How::StoredTwice);
        let known = |number: usize| if matches!(how, How::Streamed { .. }) { 0_u32 } else { number as u32 };
        let (size, extra) = match how {
            How::Wide => {
                let sizes = [data.len() as u64, stored.len() as u64].map(u64::to_le_bytes).concat();
                ([u32::MAX; 2], [&b"\x99\x99\x01\x00x\x01\x00\x10\x00"[..], &sizes].concat())
            }
            _ => ([known(stored.len()), known(data.len())], Vec::new()),
        };
        let head = |central: bool| {
            let mut head = Vec::new();
            head.extend_from_slice(if central { b"PK\x01\x02\x14\x00" } else { b"PK\x03\x04" });
            head.extend_from_slice(&20_u16.to_le_bytes());
            head.extend_from_slice(&(if streamed { 8_u16 } else { 0 }).to_le_bytes());
            head.extend_from_slice(
                &(if matches!(how, How::Stored | How::StoredTwice) { 0_u16 } else { 8 }).to_le_bytes(),
            );
            head.extend_from_slice(&[0; 4]);
            head.extend_from_slice(&(if streamed { 0 } else { crc.sum() }).to_le_bytes());
            size.iter().for_each(|size| head.extend_from_slice(&size.to_le_bytes()));
            head.extend_from_slice(&(name.len() as u16).to_le_bytes());
            head.extend_from_slice(&(extra.len() as u16).to_le_bytes());
            head.extend_from_slice(if central { &[0; 14] } else { &[] });
            [head, name.as_bytes().to_vec(), extra.clone()].concat()
        };
        out.extend(head(false));
        directory.extend(head(true));
        out.extend_from_slice(&stored);
        if streamed {
            let (sign, wide) = match how {
                How::Streamed { sign, wide } => (sign, wide),
                _ => (&true, &false),
            };
            out.extend_from_slice(if *sign { b"PK\x07\x08" } else { b"" });
            out.extend_from_slice(&crc.sum().to_le_bytes());
            for size in [stored.len(), data.len()] {
                let bytes = (size as u64).to_le_bytes();
                out.extend_from_slice(&bytes[..if *wide { 8 } else { 4 }]);
            }
        }
    }
    out.extend(directory);
    out.extend_from_slice(b"PK\x05\x06");
    out.extend_from_slice(&[0; 18]);
    out
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
    assert_eq!(decode(b"PK\x03\x04rest", 3, 10).unwrap_err().code, "zip_truncated");
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

#[test]
fn gzip_within_gzip_and_lines_between_members_are_read() {
    let text = text(70_000);
    let twice = gzip(&[gzip(&text), gzip(b"more")].concat());
    let tight = gzip(&gzip(b""));
    for (chunk, max) in [(1, 3), (7, 1 << 16), (1 << 20, 1 << 20)] {
        assert!(decode(&twice, chunk, max).unwrap() == [text.as_slice(), b"more"].concat());
        assert_eq!(decode(&tight, chunk, max).unwrap(), b"");
        let lines =
            [gzip(b"a,b"), b"\r\n".to_vec(), gzip(b"1,2"), b"\n\n".to_vec(), gzip(b"3,4"), b"\n".to_vec()];
        assert_eq!(decode(&lines.concat(), chunk, max).unwrap(), b"a,b\r\n1,2\n\n3,4\n");
        // As far as that, and no further.
        let thrice = gzip(&gzip(&gzip(b"x")));
        assert_eq!(decode(&thrice, chunk, max).unwrap(), gzip(b"x"));
    }
    assert_eq!(decode(&gzip(&gzip(&text)[..900]), 100, 100).unwrap_err().code, "gzip_truncated");
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
fn marks_decide_and_other_encodings_become_utf8() {
    for chunk in [1, 2, 100] {
        let utf8 = |input: &[u8]| read_text(Compression::Auto, Encoding::Utf8, input, chunk);
        assert_eq!(utf8(b"").unwrap(), b"");
        assert_eq!(utf8(b"a").unwrap(), b"a");
        assert_eq!(utf8(b"\xef\xbb\xbf").unwrap(), b"");
        assert_eq!(utf8(b"\xef\xbb\xbfid,name\n1,\xc3\xa9\n").unwrap(), "id,name\n1,é\n".as_bytes());
        assert_eq!(utf8(b"\xef\xbb").unwrap(), b"\xef\xbb");
        assert_eq!(utf8(&gzip(b"\xef\xbb\xbf{}")).unwrap(), b"{}");
        for wide in [&b"{\x00}\x00"[..], b"\x00{", b"\xff\xfe\0\0a\0\0\0", b"\0\0\xfe\xff"] {
            assert_eq!(utf8(wide).unwrap_err().code, "utf16_input");
        }
        let named = |name: &str, input: &[u8]| {
            read_text(Compression::Auto, Encoding::named(name).unwrap(), input, chunk)
        };
        assert_eq!(named("latin1", b"Espa\xf1a;\x80\x81\xe9\n").unwrap(), "España;€\u{81}é\n".as_bytes());
        assert_eq!(named("KOI8-R", b"\xf4\xf5\n").unwrap(), "ТУ\n".as_bytes());
        assert_eq!(named("windows-1253", b"a\xaab").unwrap(), b"a\xffb");
        assert_eq!(named("latin1", b"\xef\xbb\xbfid").unwrap_err().code, "encoding_conflict");
        assert_eq!(named("latin1", b"\xff\xfei\0").unwrap_err().code, "encoding_conflict");
        assert!(Encoding::named("Shift_JIS").unwrap_err().1.contains("iconv -f SHIFT_JIS"));
        assert!(Encoding::named("utf-7").is_err());
        // A mark decides, whatever the name says of the order of bytes.
        for (name, input) in [
            ("utf-8", &b"\xff\xfea\0\xe9\0\x3d\xd8\x00\xde"[..]),
            ("utf-8", b"\xfe\xff\0a\0\xe9\xd8\x3d\xde\x00"),
            ("utf-16", b"\xfe\xff\0a\0\xe9\xd8\x3d\xde\x00"),
            ("utf-16le", b"a\0\xe9\0\x3d\xd8\x00\xde"),
            ("utf-16be", b"\0a\0\xe9\xd8\x3d\xde\x00"),
        ] {
            assert_eq!(named(name, input).unwrap(), "aé\u{1f600}".as_bytes(), "{name}");
        }
        for half in [&b"a\0\x3d\xd8"[..], b"a\0\x3d"] {
            assert_eq!(named("utf-16le", half).unwrap(), b"a\xff", "{half:?}");
        }
        assert_eq!(named("utf-16le", b"\x3d\xd8a\0\x00\xdeb\0").unwrap(), b"\xffa\xffb");
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

#[test]
fn bzip2_streams_are_read_one_after_the_other() {
    let data = text(300_000);
    let twice = [bzip2(&data), bzip2(b""), bzip2(b"more")].concat();
    for (chunk, max) in [(1, 1000), (7, 3), (1 << 20, 1 << 20)] {
        let data = if max == 3 { &data[..2000] } else { &data[..] };
        assert_eq!(decode(&bzip2(data), chunk, max).unwrap(), data);
    }
    assert_eq!(decode(&twice, 1000, 1 << 16).unwrap(), [&data[..], b"more"].concat());
    for cut in [1, 100, 1000] {
        let all = bzip2(&data);
        assert_eq!(decode(&all[..all.len() - cut], 100, 1 << 16).unwrap_err().code, "bzip2_truncated");
    }
    assert_eq!(decode(&[bzip2(b"a"), b"garbage".to_vec()].concat(), 7, 3).unwrap_err().code, "bzip2_corrupt");
    let mut broken = bzip2(&data);
    broken[5000] ^= 1;
    assert_eq!(decode(&broken, 1000, 1 << 16).unwrap_err().code, "bzip2_corrupt");
    assert_eq!(decode_as(Compression::Bzip2, b"", 1, 1).unwrap(), b"");
}

#[test]
fn the_members_of_a_zip_are_one_text() {
    let data = text(200_000);
    let hows = [
        How::Stored,
        How::StoredTwice,
        How::Deflated,
        How::Wide,
        How::Streamed { sign: true, wide: false },
        How::Streamed { sign: false, wide: false },
        How::Streamed { sign: true, wide: true },
    ];
    for how in hows {
        for (chunk, max) in [(1, 1), (7, 3), (1 << 20, 1 << 20)] {
            let data = if max <= 3 { &data[..2001] } else { &data[..] };
            assert_eq!(decode(&zip(&[("a.json", data, how)]), chunk, max).unwrap(), data, "{how:?}");
        }
        let several: [(&str, &[u8], How); 8] = [
            ("day/", b"", if how == How::Stored { How::Stored } else { How::StoredTwice }),
            ("day/1.csv", b"\xef\xbb\xbfa,b\n1,2", how),
            ("__MACOSX/day/._1.csv", b"xyz", how),
            ("day/empty.csv", b"", how),
            ("day/.DS_Store", b"xyz", How::Deflated),
            ("day/2.csv", b"\xef\xbb\xbfa,b\n3,4\n", How::Deflated),
            ("day/3.csv", b"5", how),
            ("day/4.csv", b"6", how),
        ];
        for chunk in [1, 5, 1 << 20] {
            let read = decode(&zip(&several), chunk, 2).unwrap();
            let read = String::from_utf8_lossy(&read);
            assert_eq!(read, "\u{feff}a,b\n1,2\na,b\n3,4\n5\n6", "{how:?}");
        }
    }
    assert_eq!(decode(&zip(&[]), 1, 1).unwrap(), b"");
    // As it is once more in a gzip, and a gzip within it.
    assert_eq!(decode(&zip(&[("a.gz", &gzip(b"one"), How::Stored)]), 3, 10).unwrap(), b"one");
}

#[test]
fn what_is_wrong_with_a_zip_is_said() {
    let data = text(5000);
    let whole =
        zip(&[("a.csv", &data, How::Deflated), ("b.csv", &data, How::Streamed { sign: true, wide: false })]);
    for cut in 1..whole.len() {
        let cut = &whole[..whole.len() - cut];
        // The end of the directory says that all was there.
        if cut.len() + 18 >= whole.len() || cut.len() < 4 {
            continue;
        }
        let code = decode(cut, 1 << 20, 1 << 20).unwrap_err().code;
        assert_eq!(code, "zip_truncated", "{}", cut.len());
    }
    let code = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut zip = whole.clone();
        change(&mut zip);
        decode(&zip, 100, 1000).unwrap_err()
    };
    assert_eq!(code(&|zip| zip[14] ^= 1).code, "zip_corrupt");
    assert_eq!(code(&|zip| zip[100] ^= 0x55).code, "zip_corrupt");
    assert_eq!(code(&|zip| zip[22] ^= 1).code, "zip_corrupt");
    assert!(code(&|zip| zip[6] |= 1).message.contains("encrypted"));
    assert!(code(&|zip| zip[8] = 14).message.contains("lzma"));
    let mut endless = zip(&[("a.csv", b"1,2\n", How::StoredTwice)]);
    endless[18..26].fill(0);
    assert!(decode(&endless, 9, 9).unwrap_err().message.contains("without its size"));
    assert!(code(&|zip| zip.extend_from_slice(&whole)).message.contains("behind its end"));
    assert!(code(&|zip| zip.push(b'\n')).message.contains("behind its end"));
    let mut commented = zip(&[("a.csv", b"1,2\n", How::Stored)]);
    let end = commented.len() - 22;
    commented[end + 20] = 3;
    commented.extend_from_slice(b"PK\x05");
    assert_eq!(decode(&commented, 1, 9).unwrap(), b"1,2\n");
    let wide =
        [b"PK\x06\x06\x2c\0\0\0\0\0\0\0".to_vec(), vec![0; 44], b"PK\x06\x07".to_vec(), vec![0; 16]].concat();
    commented.splice(end..end, wide);
    assert_eq!(decode(&commented, 1, 9).unwrap(), b"1,2\n");
    commented[end + 8] = 1;
    assert_eq!(decode(&commented, 9, 9).unwrap_err().code, "zip_corrupt");
    let office = zip(&[("[Content_Types].xml", b"<x/>", How::Deflated)]);
    assert!(decode(&office, 9, 9).unwrap_err().message.contains("office document"));
    let gone = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let entry = 46 + "a.csv".len();
    assert_eq!(code(&|zip| drop(zip.drain(gone..gone + entry))).code, "zip_corrupt");
}
