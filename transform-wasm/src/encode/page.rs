//! Pages: Thrift headers, compression, and where each page lies.
//!
//! Not for values. Rule source: parquet-format `parquet.thrift` (PageHeader), Thrift compact
//! protocol. The decision to know: data pages are version 1, which every reader knows, and carry no
//! statistics of their own, since the column index has them.

use super::bits::varint;
use super::out::Out;
use crate::error::{Code, Failure};

/// How pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Snappy: what Athena reads quickest.
    Snappy,
    /// As they are.
    None,
}

/// Numbers of parquet.thrift that headers need.
const DATA_PAGE: i32 = 0;
const DICTIONARY_PAGE: i32 = 2;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const RLE_DICTIONARY: i32 = 8;

/// Compact protocol: a field one further than the last, of type i32.
const NEXT_I32: u8 = 0x15;
/// Compact protocol: a struct two fields further (5, data page) or four (7, dictionary page).
const DATA_HEADER: u8 = 0x2C;
const DICTIONARY_HEADER: u8 = 0x4C;
const STOP: u8 = 0;

/// Where a page lies in the file.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Offset of its header in the file.
    pub offset: u64,
    /// Bytes of header and compressed body.
    pub size: u32,
}

/// Working space of compression, shared by all part files.
pub(super) struct Press {
    encoder: snap::raw::Encoder,
    packed: Vec<u8>,
    header: Vec<u8>,
}

impl Default for Press {
    fn default() -> Self {
        Self { encoder: snap::raw::Encoder::new(), packed: Vec::new(), header: Vec::new() }
    }
}

/// Appends pages of one column chunk to a part file.
pub(super) struct Pages<'a> {
    out: &'a mut Out,
    codec: Codec,
    press: &'a mut Press,
    /// Bytes of the chunk before compression, headers included.
    pub uncompressed: u64,
    /// Bytes of the chunk as written, headers included.
    pub compressed: u64,
}

impl<'a> Pages<'a> {
    pub fn new(out: &'a mut Out, codec: Codec, press: &'a mut Press) -> Self {
        Self { out, codec, press, uncompressed: 0, compressed: 0 }
    }

    /// A dictionary page of `entries` values in PLAIN.
    pub fn dictionary(&mut self, body: &[u8], entries: usize) -> Result<Place, Failure> {
        self.page(body, DICTIONARY_PAGE, DICTIONARY_HEADER, &[entries as i32, PLAIN])
    }

    /// A data page of `rows` rows, nulls included: levels and values.
    pub fn data(&mut self, body: &[u8], rows: usize, indexed: bool) -> Result<Place, Failure> {
        let encoding = if indexed { RLE_DICTIONARY } else { PLAIN };
        self.page(body, DATA_PAGE, DATA_HEADER, &[rows as i32, encoding, RLE, RLE])
    }

    /// `fields` are those of the struct that `tag` opens.
    fn page(&mut self, body: &[u8], kind: i32, tag: u8, fields: &[i32]) -> Result<Place, Failure> {
        let too_large = || Failure::limit(Code::PageBytes, "a page of a part file is larger than 2 GiB");
        let length = i32::try_from(body.len()).map_err(|_| too_large())?;
        let Press { encoder, packed, header } = &mut *self.press;
        let stored = match self.codec {
            Codec::None => body,
            Codec::Snappy => {
                let room = snap::raw::max_compress_len(body.len());
                if packed.len() < room {
                    packed.resize(room, 0);
                }
                let written = encoder.compress(body, packed).map_err(|_| too_large())?;
                &packed[..written]
            }
        };
        let stored_length = i32::try_from(stored.len()).map_err(|_| too_large())?;
        header.clear();
        i32_fields(&[kind, length, stored_length], header);
        header.push(tag);
        i32_fields(fields, header);
        header.extend_from_slice(&[STOP, STOP]);
        let offset = self.out.bytes();
        self.out.last.extend_from_slice(header);
        self.out.last.extend_from_slice(stored);
        self.out.end_piece();
        let size = header.len() + stored.len();
        self.compressed += size as u64;
        self.uncompressed += (header.len() + body.len()) as u64;
        Ok(Place { offset, size: size as u32 })
    }
}

/// Fields of type i32, numbered on from the struct's last field by one each.
fn i32_fields(values: &[i32], out: &mut Vec<u8>) {
    for &value in values {
        out.push(NEXT_I32);
        varint(u64::from(((value << 1) ^ (value >> 31)) as u32), out);
    }
}
