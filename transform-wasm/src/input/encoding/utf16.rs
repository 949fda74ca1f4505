//! UTF-16 to UTF-8 by push: a unit, or a pair of them, may be cut anywhere.

use super::BROKEN;

/// What is left of the bytes before.
#[derive(Debug, Default)]
pub(super) struct Utf16 {
    /// Half a unit.
    byte: Option<u8>,
    /// The first unit of a pair.
    high: Option<u16>,
}

impl Utf16 {
    /// Appends `bytes` as UTF-8; a unit that is half a pair becomes a byte that is none.
    pub(super) fn append(&mut self, big: bool, bytes: &[u8], out: &mut Vec<u8>) {
        let mut bytes = bytes;
        if let (Some(first), Some((second, rest))) = (self.byte, bytes.split_first()) {
            self.byte = None;
            self.unit(unit(big, [first, *second]), out);
            bytes = rest;
        }
        let (pairs, rest) = bytes.as_chunks::<2>();
        for pair in pairs {
            self.unit(unit(big, *pair), out);
        }
        if let [byte] = rest {
            self.byte = Some(*byte);
        }
    }

    /// Nothing follows.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        let broken = usize::from(self.high.take().is_some()) + usize::from(self.byte.take().is_some());
        out.extend(std::iter::repeat_n(BROKEN, broken));
    }

    #[inline]
    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        if self.high.is_none() && unit < 0x80 {
            return out.push(unit as u8);
        }
        let units = [self.high.take(), Some(unit)];
        for decoded in char::decode_utf16(units.into_iter().flatten()) {
            match decoded {
                Ok(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                Err(error)
                    if (0xd800..0xdc00).contains(&error.unpaired_surrogate())
                        && error.unpaired_surrogate() == unit =>
                {
                    self.high = Some(unit);
                }
                Err(_) => out.push(BROKEN),
            }
        }
    }
}

fn unit(big: bool, bytes: [u8; 2]) -> u16 {
    if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
}
