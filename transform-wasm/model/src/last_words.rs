//! Where a transform leaves the text of its last panic, and how a host finds it there.
//!
//! A transform imports nothing, so it can tell nobody that it panics; and a component that crashed cannot be asked
//! any more. So it keeps the text in its own memory behind a mark, and the host, which may read that memory, looks
//! for the mark. Not for anything that a host decides by: a guest writes there what it likes.

use std::fmt::{self, Write};

/// What stands before the length. It is in a guest once, at a multiple of its own length.
const MARK: [u8; 16] = *b"\0lakegate-panic\0";

/// Bytes of text that are kept.
pub const MOST: usize = 1000;

/// Where the length stands, in four bytes, the lowest first.
const LENGTH: usize = MARK.len();

const TEXT: usize = LENGTH + 4;

/// Memory of a guest for the text of its last panic.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct LastWords {
    bytes: [u8; TEXT + MOST],
}

impl LastWords {
    /// Nothing was said so far.
    #[must_use]
    pub const fn none() -> Self {
        let mut bytes = [0; TEXT + MOST];
        let mut at = 0;
        while at < MARK.len() {
            bytes[at] = MARK[at];
            at += 1;
        }
        Self { bytes }
    }

    /// Keeps the beginning of what is said. Asks for no memory: there may be none left.
    pub fn keep(&mut self, said: &dyn fmt::Display) {
        let mut text = Text { place: &mut self.bytes[TEXT..], length: 0 };
        // What does not fit is left out.
        let _full = write!(text, "{said}");
        let length = u32::try_from(text.length).unwrap_or(0);
        self.bytes[LENGTH..TEXT].copy_from_slice(&length.to_le_bytes());
    }
}

/// A place of fixed size that is written to until it is full.
struct Text<'a> {
    place: &'a mut [u8],
    length: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let free = &mut self.place[self.length..];
        let fits = more.len().min(free.len());
        free[..fits].copy_from_slice(&more.as_bytes()[..fits]);
        self.length += fits;
        if fits == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// What a guest with this memory said last, in one line without control characters; `None` if it said nothing.
#[must_use]
pub fn find(memory: &[u8]) -> Option<String> {
    let at = memory.chunks_exact(MARK.len()).position(|piece| piece == MARK)? * MARK.len();
    let length: [u8; 4] = memory.get(at + LENGTH..at + TEXT)?.try_into().ok()?;
    let length =
        usize::try_from(u32::from_le_bytes(length)).ok().filter(|length| (1..=MOST).contains(length))?;
    let said =
        String::from_utf8_lossy(memory.get(at + TEXT..at + TEXT + length)?).replace(char::is_control, " ");
    Some(said.trim().to_owned()).filter(|said| !said.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A guest's memory that holds this somewhere.
    fn around(words: &LastWords) -> Vec<u8> {
        [&[7; 4096][..], &words.bytes, &[7; 40]].concat()
    }

    #[test]
    fn what_was_said_is_found_in_one_line() {
        let mut words = LastWords::none();
        assert_eq!(find(&around(&words)), None);
        words.keep(&"panicked at src/lib.rs:7:9:\nno scale for €\u{1b}[31m");
        assert_eq!(find(&around(&words)).unwrap(), "panicked at src/lib.rs:7:9: no scale for € [31m");
        words.keep(&"shorter");
        assert_eq!(find(&around(&words)).unwrap(), "shorter");
    }

    #[test]
    fn a_long_text_is_cut() {
        let mut words = LastWords::none();
        // Its last character is cut in two.
        words.keep(&format_args!("{}€", "x".repeat(MOST - 1)));
        assert_eq!(find(&around(&words)).unwrap(), format!("{}\u{fffd}", "x".repeat(MOST - 1)));
    }

    #[test]
    fn a_memory_may_hold_anything() {
        let mut forged = LastWords::none();
        for length in [0, 1001, u32::MAX] {
            forged.bytes[LENGTH..TEXT].copy_from_slice(&length.to_le_bytes());
            assert_eq!(find(&around(&forged)), None, "{length}");
        }
        forged.keep(&"there");
        let whole = around(&forged);
        for end in 0..4096 + TEXT {
            assert_eq!(find(&whole[..end]), None, "{end}");
        }
        assert_eq!(find(&[]), None);
    }
}
