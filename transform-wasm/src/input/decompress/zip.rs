//! The members of a zip, one after the other, as one text.
//!
//! For: archives of data files, as APPNOTE.TXT 6.3 has them (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>):
//! stored or deflated, zip64 too. Not for: other methods, encryption, office documents, which are named. Decisions to
//! know: it is read from its beginning, so that memory stays bounded, and the directory at its end is held against what
//! was read; a member that does not end its last line gets a line end, so that files do not run into each other.

use super::inflate::{Inflate, Inflated};
use super::{PIECE, Pending, Progress};
use crate::error::{Code, Failure};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
/// Of the directory's end, of zip64's, and of where that one is.
const END: &[u8] = b"PK\x05\x06";
const WIDE_END: &[u8] = b"PK\x06\x06";
const WIDE_LOCATOR: &[u8] = b"PK\x06\x07";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// Bytes of what the directory begins with at most: it is held whole.
const LISTED: usize = 1 << 20;
/// Sizes that stand elsewhere.
const ELSEWHERE: u64 = u32::MAX as u64;

/// Decoder state: where in the archive we are.
#[derive(Default)]
pub(super) struct Zip {
    stage: Stage,
    inflate: Inflate,
    member: Member,
    /// Members that were read, and entries of the directory.
    members: u64,
    entries: u64,
    /// The last byte of the text so far.
    last: Option<u8>,
    /// What was before the member ended in the middle of a line.
    line_was_open: bool,
    /// Some text was read.
    has_text: bool,
    /// A member's first bytes.
    begin: Vec<u8>,
    /// Text that goes out first.
    waiting: Vec<u8>,
    piece: Vec<u8>,
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    /// Before a member, an entry of the directory, or its end.
    #[default]
    Between,
    Body,
    /// Behind the data, where its sizes and checksum follow.
    Descriptor,
    /// Behind the end, where nothing may follow.
    Over,
}

/// What a member's header says.
#[derive(Clone, Copy, Default)]
struct Member {
    is_deflated: bool,
    /// Sizes and checksum follow behind the data.
    is_streamed: bool,
    /// No data: a folder, or what a file system put there.
    is_aside: bool,
    crc: u32,
    /// Bytes of its data, and those that were read.
    stored: u64,
    size: u64,
    read: u64,
    made: u64,
    /// Its first bytes are still to come.
    at_begin: bool,
}

impl Zip {
    /// See [`super::Decompressor::read`].
    pub(super) fn read(
        &mut self,
        input: &mut Pending,
        out: &mut Vec<u8>,
        max: usize,
    ) -> Result<Progress, Failure> {
        let end = out.len() + max;
        loop {
            if out.len() >= end {
                return Ok(Progress::Output);
            }
            if !self.waiting.is_empty() {
                let length = self.waiting.len().min(end - out.len());
                out.extend(self.waiting.drain(..length));
                continue;
            }
            if self.stage == Stage::Over {
                return match input.starved() {
                    Some(progress) => Ok(progress),
                    None => Err(corrupt(input, "there are bytes behind its end")),
                };
            }
            let went_on = match self.stage {
                Stage::Between => self.between(input)?,
                Stage::Body => self.body(input, out, end)?,
                _ => self.descriptor(input)?,
            };
            if !went_on && input.ended {
                let end = input.offset + input.rest().len() as u64;
                let message = format!("the zip input ends too soon, after byte {end}");
                return Err(Failure::input(Code::ZipTruncated, message)
                    .hint("the upload or the writer stopped early: send the whole file again"));
            }
            if !went_on {
                return Ok(Progress::NeedInput);
            }
        }
    }

    /// A member's header, an entry of the directory, or its end; false if it is not all there.
    fn between(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        let rest = input.rest();
        let Some(sign) = rest.get(..4) else { return Ok(false) };
        if [CENTRAL, END, WIDE_END, WIDE_LOCATOR].contains(&sign) {
            let length = listed(rest);
            if length.is_some_and(|length| length > LISTED) {
                return Err(corrupt(input, "its directory is too large to be one"));
            }
            let Some(length) = length.filter(|length| rest.len() >= *length) else { return Ok(false) };
            if sign == END {
                if self.entries != self.members {
                    let (members, entries) = (self.members, self.entries);
                    return Err(corrupt(input, &format!("it holds {members} members and lists {entries}")));
                }
                self.stage = Stage::Over;
            }
            self.entries += u64::from(sign == CENTRAL);
            input.take(length);
            return Ok(true);
        }
        if sign != LOCAL || self.entries > 0 {
            return Err(corrupt(input, "no member and no directory stands where one must"));
        }
        let Some(head) = rest.first_chunk::<30>() else { return Ok(false) };
        let (name, extra) = (usize::from(short(head, 26)), usize::from(short(head, 28)));
        let Some(more) = rest.get(30..30 + name + extra) else { return Ok(false) };
        let (name, extra) = more.split_at(name);
        self.member = member(head, name, extra, input)?;
        input.take(30 + more.len());
        self.inflate.begin();
        self.line_was_open = self.last.is_some_and(|last| last != b'\n');
        self.members += 1;
        self.stage = Stage::Body;
        Ok(true)
    }

    /// A piece of a member's data; false if that takes more input.
    fn body(&mut self, input: &mut Pending, out: &mut Vec<u8>, end: usize) -> Result<bool, Failure> {
        let Member { is_aside, at_begin, .. } = self.member;
        self.piece.clear();
        // What is dropped is read in pieces all the same, and a member's first bytes by themselves.
        let (to, end) = match (is_aside, at_begin) {
            (true, _) => (&mut self.piece, PIECE),
            (false, true) => (&mut self.piece, MARK.len() - self.begin.len()),
            (false, false) => (out, end),
        };
        let (before, offset) = (to.len(), input.offset);
        let ended = if self.member.stored == 0 && !(self.member.is_streamed && self.member.is_deflated) {
            true
        } else if self.member.is_deflated {
            match self.inflate.piece(input, to, end) {
                Inflated::End => true,
                Inflated::More => false,
                Inflated::Starved => return Ok(false),
                Inflated::Broken => return Err(corrupt(input, "its compressed data is broken")),
            }
        } else {
            let left = usize::try_from(self.member.stored - self.member.read).unwrap_or(usize::MAX);
            let length = left.min(input.rest().len()).min(end - to.len());
            if length == 0 {
                return Ok(false);
            }
            to.extend_from_slice(&input.rest()[..length]);
            self.inflate.stored(&input.rest()[..length]);
            input.take(length);
            length == left
        };
        self.member.read += input.offset - offset;
        self.member.made += (to.len() - before) as u64;
        if !is_aside {
            self.last = to[before..].last().copied().or(self.last);
        }
        if at_begin && !is_aside {
            self.begin.extend_from_slice(&self.piece);
            if ended || self.begin.len() == MARK.len() {
                self.begin_text();
            }
        }
        if ended {
            self.stage = Stage::Descriptor;
        }
        Ok(true)
    }

    /// A member's first bytes are there: they follow what was read before in a line of their own, without the mark that
    /// only the first text may have.
    fn begin_text(&mut self) {
        let has_text = self.has_text;
        if has_text && self.line_was_open && !self.begin.is_empty() {
            self.waiting.push(b'\n');
        }
        self.has_text |= !self.begin.is_empty();
        if !has_text || self.begin != MARK {
            self.waiting.extend_from_slice(&self.begin);
        }
        self.begin.clear();
        self.member.at_begin = false;
    }

    /// Holds what was read against what the archive says of it.
    fn descriptor(&mut self, input: &mut Pending) -> Result<bool, Failure> {
        let Member { read, made, .. } = self.member;
        if self.member.is_streamed {
            let rest = input.rest();
            // With or without a sign of its own, and with sizes of four or of eight bytes (APPNOTE 4.3.9): what was
            // read tells which it is.
            let fits = |sign: usize, width: usize| {
                let whole = rest.get(sign..sign + 4 + 2 * width)?;
                let number = |at: usize| {
                    let bytes = &whole[at..at + width];
                    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
                };
                let crc = u32::from_le_bytes(*whole.first_chunk()?);
                (crc == self.inflate.sum() && number(4) == read && number(4 + width) == made)
                    .then_some(sign + whole.len())
            };
            // A directory follows: so many bytes there always are.
            if rest.len() < 24 {
                return Ok(false);
            }
            let sign = if rest.starts_with(DESCRIPTOR) { 4 } else { 0 };
            let length = fits(sign, 8).or_else(|| fits(sign, 4)).or_else(|| fits(0, 4));
            match length {
                Some(length) => input.take(length),
                // Nothing says where its data ends.
                None if !self.member.is_deflated && made == 0 => return Err(endless()),
                None => return Err(corrupt(input, "the checksum or a size of a member is wrong")),
            }
        } else if self.member.crc != self.inflate.sum()
            || self.member.stored != read
            || self.member.size != made
        {
            return Err(corrupt(input, "the checksum or a size of a member is wrong"));
        }
        self.stage = Stage::Between;
        Ok(true)
    }
}

/// Bytes of what the directory begins with (APPNOTE 4.3.12 to 4.3.16); none where too little of it is there.
fn listed(rest: &[u8]) -> Option<usize> {
    let fields = |head: usize, lengths: &[usize]| {
        rest.get(..head)
            .map(|rest| head + lengths.iter().map(|at| usize::from(short(rest, *at))).sum::<usize>())
    };
    match rest.get(..4)? {
        CENTRAL => fields(46, &[28, 30, 32]),
        END => fields(22, &[20]),
        WIDE_LOCATOR => Some(20),
        // Its size counts from behind itself.
        _ => usize::try_from(u64::from_le_bytes(*rest.get(4..)?.first_chunk()?)).ok()?.checked_add(12),
    }
}

/// What a local header says (APPNOTE 4.3.7).
fn member(head: &[u8; 30], name: &[u8], extra: &[u8], input: &Pending) -> Result<Member, Failure> {
    let (flags, method) = (short(head, 6), short(head, 8));
    let name = String::from_utf8_lossy(name);
    let unsupported = |what: String, hint: &str| Failure::input(Code::UnsupportedFormat, what).hint(hint);
    if name == "[Content_Types].xml" || name == "mimetype" {
        return Err(unsupported(
            "the input is an office document, such as a spreadsheet".into(),
            "export its table as CSV",
        ));
    }
    if flags & 1 != 0 {
        return Err(unsupported("the zip input is encrypted".into(), "give it without a password"));
    }
    if !matches!(method, 0 | 8) {
        let method = match method {
            9 => "deflate64",
            12 => "bzip2",
            14 => "lzma",
            93 => "zstd",
            95 => "xz",
            _ => "another method than deflate",
        };
        return Err(unsupported(
            format!("the zip input has a member that is compressed with {method}"),
            "only what is stored or deflated is read: zip it again with the usual settings",
        ));
    }
    let [mut stored, mut size] = [18, 22].map(|at| u64::from(long(head, at)));
    if stored == ELSEWHERE || size == ELSEWHERE {
        (stored, size) =
            wide_sizes(extra, stored, size).ok_or_else(|| corrupt(input, "its zip64 sizes are missing"))?;
    }
    let is_streamed = flags & 8 != 0;
    let file = name.rsplit('/').next().unwrap_or_default();
    Ok(Member {
        is_deflated: method == 8,
        is_streamed,
        is_aside: name.ends_with('/') || name.starts_with("__MACOSX/") || file.starts_with('.'),
        crc: long(head, 14),
        stored,
        size,
        at_begin: true,
        ..Member::default()
    })
}

/// The sizes of zip64 (APPNOTE 4.5.3): of those that stand elsewhere, the whole one first.
fn wide_sizes(mut extra: &[u8], mut stored: u64, mut size: u64) -> Option<(u64, u64)> {
    while let Some(head) = extra.first_chunk::<4>() {
        let length = usize::from(short(head, 2));
        let field = extra.get(4..4 + length)?;
        if short(head, 0) == 1 {
            let mut numbers =
                field.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
            if size == ELSEWHERE {
                size = numbers.next()?;
            }
            if stored == ELSEWHERE {
                stored = numbers.next()?;
            }
            return Some((stored, size));
        }
        extra = &extra[4 + length..];
    }
    None
}

fn short(head: &[u8], at: usize) -> u16 {
    u16::from(head[at]) | u16::from(head[at + 1]) << 8
}

fn long(head: &[u8], at: usize) -> u32 {
    u32::from(short(head, at)) | u32::from(short(head, at + 2)) << 16
}

fn endless() -> Failure {
    let message = "the zip input has a member that is stored without its size before it";
    Failure::input(Code::UnsupportedFormat, message).hint("zip it again into a file, not into a pipe")
}

fn corrupt(input: &Pending, what: &str) -> Failure {
    let message = format!("the zip input is broken: {what} (byte {})", input.offset);
    Failure::input(Code::ZipCorrupt, message).hint("check the file with `unzip -t`")
}
