//! Bits: the RLE/bit-packing hybrid of definition levels and dictionary indexes, and plain bits.
//!
//! Not for byte-aligned values. Rule source: parquet-format `Encodings.md`, "Run Length Encoding /
//! Bit-Packing Hybrid". The decision to know: runs are looked for in groups of eight only, since a
//! bit-packed run holds whole groups; shorter repeats stay packed.

/// Appends dictionary indexes as the hybrid, `width` bits each (1 to 32).
pub(super) fn hybrid(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let shortest = shortest_run(width);
    let (mut start, mut at) = (0, 0);
    while let Some(group) = values[at..].first_chunk::<8>() {
        let value = group[0];
        if group.iter().fold(0, |d, v| d | (v ^ value)) != 0 {
            at += 8;
            continue;
        }
        let run = 8 + values[at + 8..].iter().take_while(|&&v| v == value).count();
        if run < shortest {
            at += run & !7;
            continue;
        }
        packed(&values[start..at], width, out);
        repeated(value, run, width, out);
        at += run;
        start = at;
    }
    packed(&values[start..], width, out);
}

/// Appends dictionary indexes as RLE runs only: each index as often as its count says, not at all
/// where its valid byte is 0.
pub(super) fn runs<'a>(
    values: impl Iterator<Item = ((&'a u32, &'a u32), &'a u8)>,
    width: u8,
    out: &mut Vec<u8>,
) {
    let (mut last, mut run) = (0, 0);
    for ((&value, &count), &valid) in values {
        let count = count * u32::from(valid);
        if value == last || count == 0 {
            run += count;
            continue;
        }
        run_of(last, run, width, out);
        (last, run) = (value, count);
    }
    run_of(last, run, width, out);
}

/// One run; short ones with narrow indexes, by far the most, in one write.
#[inline(always)]
fn run_of(value: u32, run: u32, width: u8, out: &mut Vec<u8>) {
    if run < 64 {
        let bytes = (u64::from(value) << 8 | u64::from(run << 1)).to_le_bytes();
        let length = if run == 0 { 0 } else { 1 + usize::from(width).div_ceil(8) };
        let end = out.len() + length;
        out.extend_from_slice(&bytes);
        out.truncate(end);
    } else {
        repeated(value, run as usize, width, out);
    }
}

/// From how many equal values on an RLE run is smaller than packing them: a run costs its header
/// of two bytes, the value, and a byte for the next packed run's header.
fn shortest_run(width: u8) -> usize {
    let bits = 8 * (3 + usize::from(width).div_ceil(8));
    bits.div_ceil(usize::from(width)).next_multiple_of(8).max(8)
}

fn repeated(value: u32, run: usize, width: u8, out: &mut Vec<u8>) {
    varint((run as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
}

fn packed(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint(((values.len().div_ceil(8) as u64) << 1) | 1, out);
    macro_rules! by_width {
        ($($w:literal)*) => { match width { $($w => pack::<$w>(values, out),)* _ => pack::<32>(values, out) } };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22);
}

/// Packs whole groups of eight, the last one padded with zeros: `W` bytes a group.
fn pack<const W: usize>(values: &[u32], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + values.len().div_ceil(8) * W, 0);
    let (groups, rest) = values.as_chunks::<8>();
    let mut packed = out[start..].chunks_exact_mut(W);
    for (group, bytes) in groups.iter().zip(&mut packed) {
        pack_group::<W>(group, bytes);
    }
    if let Some(bytes) = packed.next() {
        let mut group = [0; 8];
        group[..rest.len()].copy_from_slice(rest);
        pack_group::<W>(&group, bytes);
    }
}

/// All shifts are constants once the loops are unrolled.
#[inline(always)]
fn pack_group<const W: usize>(group: &[u32; 8], bytes: &mut [u8]) {
    let (mut word, mut filled, mut at) = (0u64, 0, 0);
    for &value in group {
        word |= u64::from(value) << filled;
        filled += W;
        if filled >= 32 {
            bytes[at..at + 4].copy_from_slice(&(word as u32).to_le_bytes());
            word >>= 32;
            filled -= 32;
            at += 4;
        }
    }
    let rest = W - at;
    bytes[at..].copy_from_slice(&word.to_le_bytes()[..rest]);
}

/// Appends definition levels of a page (maximum level 1) with their length in front; `rows` is one
/// byte a row, 0 or 1. `work` is working space.
pub(super) fn levels(rows: &[u8], work: &mut Vec<u8>, out: &mut Vec<u8>) {
    work.clear();
    plain_bits(rows, work);
    let length = out.len();
    out.extend_from_slice(&[0; 4]);
    // The last byte may be padding in part: it is packed, never part of an RLE run.
    let whole = rows.len() / 8;
    let (mut start, mut at) = (0, 0);
    while at < whole {
        let byte = work[at];
        let run = work[at..whole].iter().take_while(|&&b| b == byte).count();
        if (byte == 0 || byte == 0xFF) && run * 8 >= shortest_run(1) {
            packed_levels(&work[start..at], out);
            repeated(u32::from(byte & 1), run * 8, 1, out);
            start = at + run;
        }
        at += run;
    }
    packed_levels(&work[start..], out);
    close_levels(length, out);
}

/// Appends definition levels that are all the same.
pub(super) fn uniform_levels(level: u8, rows: usize, out: &mut Vec<u8>) {
    let length = out.len();
    out.extend_from_slice(&[0; 4]);
    repeated(u32::from(level), rows, 1, out);
    close_levels(length, out);
}

fn packed_levels(bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        varint(((bytes.len() as u64) << 1) | 1, out);
        out.extend_from_slice(bytes);
    }
}

fn close_levels(length: usize, out: &mut [u8]) {
    let bytes = (out.len() - length - 4) as u32;
    out[length..length + 4].copy_from_slice(&bytes.to_le_bytes());
}

/// Appends one bit a value, least significant first; each value is a byte 0 or 1.
pub(super) fn plain_bits(values: &[u8], out: &mut Vec<u8>) {
    // Multiplying moves bit 0 of byte i to bit 56 + i; no two products meet, so nothing carries.
    let gather = |eight: [u8; 8]| (u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8;
    let (whole, rest) = values.as_chunks::<8>();
    out.extend(whole.iter().map(|&eight| gather(eight)));
    if !rest.is_empty() {
        let mut eight = [0; 8];
        eight[..rest.len()].copy_from_slice(rest);
        out.push(gather(eight));
    }
}

/// Appends an unsigned LEB128 number.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
