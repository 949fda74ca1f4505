//! One column chunk: dictionary or PLAIN, then page after page.
//!
//! Not for the footer. The decision to know: whether a dictionary is used is settled for the whole
//! chunk before the first page is written, so all its data pages have one encoding.

use super::bits;
use super::dictionary::{Distinct, DistinctFixed, DistinctStrings, TextKey, index_width};
use super::element::Element;
use super::out::Out;
use super::page::{Codec, Pages, Place, Press};
use super::rows::{Cursor, Rows, Span, expand};
use super::schema::{Field, Kind};
use super::source::{Booleans, IndexedFixed, IndexedStrings, Indexes, PlainFixed, PlainStrings, Source};
use super::stats::{self, Bounds, Order};
use super::strings::Strings;
use super::table::Table;
use crate::column::{Column, Values};
use crate::error::Failure;

/// Working space of encoding. One serves all part files, one after the other: its size is that of
/// the largest column chunk's indexes and table, not of the number of files.
#[derive(Default)]
pub struct Scratch {
    lookup: Lookup,
    press: Press,
    space: Space,
}

impl Scratch {
    /// Empty; grows to what it needs.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Working space of dictionaries.
#[derive(Default)]
struct Lookup {
    table: Table,
    texts: Vec<TextKey>,
    /// The dictionary page.
    plain: Vec<u8>,
    /// One a slot.
    indexes: Vec<u32>,
    /// One a row of a page.
    expanded: Vec<u32>,
}

/// Working space of a page.
#[derive(Default)]
struct Space {
    counts: Vec<u32>,
    body: Vec<u8>,
    levels: Vec<u8>,
    bits: Vec<u8>,
}

/// A page as the page index knows it.
pub(super) struct PageFacts {
    /// Where it lies.
    pub place: Place,
    /// Rows, nulls included.
    pub rows: u64,
    /// Rows that are null.
    pub nulls: u64,
    /// `None`: only nulls.
    pub bounds: Option<Bounds>,
    /// Bytes of its texts without lengths; `None` for other types.
    pub text_bytes: Option<u64>,
}

/// A column chunk as the footer knows it.
pub(super) struct ChunkFacts {
    /// Rows, nulls included.
    pub rows: u64,
    /// Rows that are null.
    pub nulls: u64,
    /// The dictionary page, if there is one.
    pub dictionary: Option<Place>,
    /// The data pages; there is at least one.
    pub pages: Vec<PageFacts>,
    /// `None`: only nulls.
    pub bounds: Option<Bounds>,
    /// How the bounds of pages follow each other.
    pub order: Order,
    /// Bytes before compression, headers included.
    pub uncompressed: u64,
    /// Bytes as written, headers included.
    pub compressed: u64,
}

/// Appends the chunk of one column to `out`.
///
/// # Errors
/// The values are not those of the field's type, or not slot-aligned: a bug of the caller.
pub(super) fn encode(
    field: &Field,
    column: &Column,
    repeats: Option<&[u32]>,
    codec: Codec,
    scratch: &mut Scratch,
    out: &mut Out,
) -> Result<ChunkFacts, Failure> {
    let Scratch { lookup, press, space } = scratch;
    let rows = Rows::new(column.valid(), repeats)?;
    let chunk = Chunk { rows, pages: Pages::new(out, codec, press), space };
    match (field.kind, column.values()) {
        (Kind::Boolean, Values::Boolean(values)) => {
            chunk.write(&mut Booleans { values, expanded: Vec::new() }, None)
        }
        (Kind::Int32, Values::Date(values)) => chunk.fixed(values, 4, lookup),
        (
            Kind::Int64,
            Values::Bigint(values) | Values::Timestamp(values) | Values::TimestampMicros(values),
        ) => chunk.fixed(values, 8, lookup),
        (Kind::Double, Values::Double(values)) => chunk.fixed(values, 8, lookup),
        (Kind::Int32, Values::Decimal { unscaled, .. }) => {
            chunk.fixed(&narrow::<i32>(unscaled, field)?, 4, lookup)
        }
        (Kind::Int64, Values::Decimal { unscaled, .. }) => {
            chunk.fixed(&narrow::<i64>(unscaled, field)?, 8, lookup)
        }
        (Kind::Fixed(width), Values::Decimal { unscaled, .. }) => {
            chunk.fixed(unscaled, usize::from(width), lookup)
        }
        (Kind::Bytes, Values::String(texts) | Values::Json(texts)) => {
            chunk.strings(Strings { data: texts.data(), ends: texts.ends() }, lookup)
        }
        _ => Err(misfit(field)),
    }
}

fn misfit(field: &Field) -> Failure {
    Failure::internal(format!("encode: the values of column {} are not those of its type", field.name))
}

/// Decimals of few digits are INT32 or INT64 in Parquet.
fn narrow<T: TryFrom<i128>>(values: &[i128], field: &Field) -> Result<Vec<T>, Failure> {
    let narrowed: Option<Vec<T>> = values.iter().map(|&value| T::try_from(value).ok()).collect();
    narrowed.ok_or_else(|| misfit(field))
}

/// The state of one chunk while it is written.
struct Chunk<'a> {
    rows: Rows<'a>,
    pages: Pages<'a>,
    space: &'a mut Space,
}

impl Chunk<'_> {
    fn fixed<T: Element>(
        mut self,
        values: &[T],
        width: usize,
        lookup: &mut Lookup,
    ) -> Result<ChunkFacts, Failure> {
        let Lookup { table, plain, indexes, expanded, .. } = lookup;
        let mut distinct = DistinctFixed::new(values, width);
        if distinct.build(&self.rows, table, indexes).is_err() {
            return self.write(&mut PlainFixed { values, width, expanded: Vec::new() }, None);
        }
        plain.clear();
        T::put_all(&distinct.entries, width, plain);
        let place = self.pages.dictionary(plain, distinct.len())?;
        let indexes = Indexes { slots: indexes, width: index_width(distinct.len()), expanded };
        self.write(&mut IndexedFixed { values, width, indexes }, Some(place))
    }

    fn strings(mut self, strings: Strings<'_>, lookup: &mut Lookup) -> Result<ChunkFacts, Failure> {
        let Lookup { table, texts, plain, indexes, expanded } = lookup;
        let mut distinct = DistinctStrings::new(strings, texts, plain);
        if distinct.build(&self.rows, table, indexes).is_err() {
            return self.write(&mut PlainStrings { strings }, None);
        }
        let entries = distinct.into_entries();
        let place = self.pages.dictionary(entries.plain, entries.len())?;
        let indexes = Indexes { slots: indexes, width: index_width(entries.len()), expanded };
        let pages = vec![0; entries.len()];
        self.write(&mut IndexedStrings { strings, indexes, entries, pages, page: 0 }, Some(place))
    }

    /// Writes all data pages.
    fn write<S: Source>(self, source: &mut S, dictionary: Option<Place>) -> Result<ChunkFacts, Failure> {
        let Self { rows, mut pages, space } = self;
        let Space { counts, body, levels, bits } = space;
        let mut cursor = Cursor::new(rows);
        let (mut facts, mut extremes) = (Vec::new(), Vec::new());
        loop {
            let limit = source.page_rows(&cursor);
            let Some(span) = cursor.take(limit, counts) else { break };
            body.clear();
            put_levels(&span, rows.valid, levels, bits, body);
            if span.filled() > 0 {
                source.put(&span, body);
            } else if S::INDEXED {
                // Readers take the width of indexes from the first byte even where none follow.
                body.push(1);
            }
            let found = source.extremes(&span);
            extremes.push(found);
            facts.push(PageFacts {
                place: pages.data(body, span.rows, S::INDEXED)?,
                rows: span.rows as u64,
                nulls: span.nulls as u64,
                bounds: found.map(|found| source.bounds(found)),
                text_bytes: source.text_bytes(&span),
            });
        }
        Ok(ChunkFacts {
            rows: rows.rows,
            nulls: rows.nulls,
            dictionary,
            pages: facts,
            bounds: stats::join(&extremes).map(|found| source.bounds(found)),
            order: Order::of(&extremes),
            uncompressed: pages.uncompressed,
            compressed: pages.compressed,
        })
    }
}

/// Definition levels of a page: 1 is a value, 0 is null.
fn put_levels(
    span: &Span<'_>,
    valid: Option<&[u8]>,
    levels: &mut Vec<u8>,
    work: &mut Vec<u8>,
    body: &mut Vec<u8>,
) {
    match valid {
        Some(valid) if span.nulls > 0 && span.filled() > 0 => {
            let all = span.live.with_nulls();
            bits::levels(expand(&valid[span.slots.clone()], all, span.rows, levels), work, body);
        }
        _ => bits::uniform_levels(u8::from(span.nulls == 0), span.rows, body),
    }
}
