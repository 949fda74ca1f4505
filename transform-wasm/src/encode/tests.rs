//! Round trips through the `parquet` crate's reader, and the page index against the rows.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{AsBytes, ByteArray, DataType};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData as Index;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;
use parquet::file::statistics::Statistics;
use proptest::prelude::*;

use super::{Codec, PartSchema, PartWriter, Scratch};
use crate::column::{Column, ColumnType, Texts, Values};

const TYPES: [ColumnType; 11] = [
    ColumnType::Boolean,
    ColumnType::Bigint,
    ColumnType::Double,
    ColumnType::Decimal { precision: 9, scale: 2 },
    ColumnType::Decimal { precision: 18, scale: 2 },
    ColumnType::Decimal { precision: 38, scale: 2 },
    ColumnType::String,
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::TimestampMicros,
    ColumnType::Json,
];

/// A value as the tests compare it.
#[derive(Clone, Debug, PartialOrd)]
enum Cell {
    Null,
    Int(i128),
    Real(f64),
    Text(Vec<u8>),
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Real(a), Self::Real(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

/// A fixed sequence of numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
}

/// `distinct` values at most; `nulls` of 100 slots are null.
fn column(ty: ColumnType, slots: usize, distinct: u64, nulls: u64, seed: u64) -> Column {
    let mut numbers = Numbers(seed);
    let valid: Vec<u8> = (0..slots).map(|_| u8::from(numbers.next() % 100 >= nulls)).collect();
    let picks: Vec<u64> = (0..slots).map(|_| Numbers(numbers.next() % distinct).next()).collect();
    let pick = |i: usize| if valid[i] == 1 { picks[i] } else { 0 };
    let all = 0..slots;
    let values = match ty {
        ColumnType::Boolean => Values::Boolean(all.map(|i| (pick(i) & 1) as u8).collect()),
        ColumnType::Bigint => Values::Bigint(all.map(|i| pick(i) as i64).collect()),
        ColumnType::Timestamp => Values::Timestamp(all.map(|i| pick(i) as i64).collect()),
        ColumnType::TimestampMicros => Values::TimestampMicros(all.map(|i| pick(i) as i64).collect()),
        ColumnType::Double => Values::Double(
            all.map(|i| match pick(i) % 50 {
                0 => -0.0,
                1 => 0.0,
                _ => (pick(i) as i64 >> 20) as f64 / 64.0,
            })
            .collect(),
        ),
        ColumnType::Decimal { precision, scale } => {
            let limit = 10i128.pow(u32::from(precision));
            let wide = |x: u64| i128::from(x as i64).wrapping_mul(i128::from(x) << 40) % limit;
            Values::Decimal { precision, scale, unscaled: all.map(|i| wide(pick(i))).collect() }
        }
        ColumnType::Date => Values::Date(all.map(|i| pick(i) as i32).collect()),
        ColumnType::String | ColumnType::Json => {
            let mut texts = Texts::default();
            for i in all {
                let filler = [
                    "",
                    "é",
                    "a long shared prefix of more than sixteen bytes ",
                    "日本語日本語日本語日本語日本語",
                ];
                let filler = filler[(picks[i] % 4) as usize];
                let text = format!("{filler}{:x}", picks[i] >> (picks[i] % 60));
                texts.push(if valid[i] == 1 { &text } else { "" }).unwrap();
            }
            if ty == ColumnType::Json { Values::Json(texts) } else { Values::String(texts) }
        }
    };
    Column::from_values(valid, values).unwrap()
}

fn expected(column: &Column, repeats: Option<&[u32]>) -> Vec<Cell> {
    let cell = |i: usize| match (column.values(), column.valid()[i]) {
        (_, 0) => Cell::Null,
        (Values::Boolean(v), _) => Cell::Int(v[i].into()),
        (Values::Bigint(v) | Values::Timestamp(v) | Values::TimestampMicros(v), _) => Cell::Int(v[i].into()),
        (Values::Date(v), _) => Cell::Int(v[i].into()),
        (Values::Double(v), _) => Cell::Real(v[i]),
        (Values::Decimal { unscaled, .. }, _) => Cell::Int(unscaled[i]),
        (Values::String(texts) | Values::Json(texts), _) => Cell::Text(texts.get(i).to_vec()),
    };
    let times = |i: usize| repeats.map_or(1, |r| r[i] as usize);
    (0..column.len()).flat_map(|i| std::iter::repeat_n(cell(i), times(i))).collect()
}

type Repeated<'a> = (&'a Column, Option<&'a [u32]>);

/// Writes row groups of columns; bytes are taken after each column.
fn write(groups: &[&[Repeated<'_>]], codec: Codec) -> Vec<u8> {
    let names = groups[0].iter().enumerate().map(|(i, (c, _))| (format!("c{i}"), c.ty()));
    let schema = PartSchema::new(&names.collect::<Vec<_>>()).unwrap();
    let mut part = PartWriter::new(&schema, [("k".into(), "v".into())], codec);
    let (mut scratch, mut bytes) = (Scratch::new(), Vec::new());
    for group in groups {
        part.begin_row_group();
        for (column, repeats) in *group {
            part.write_column(column, *repeats, &mut scratch).unwrap();
            bytes.append(&mut part.take_bytes().concat());
        }
        part.end_row_group().unwrap();
    }
    part.finish().unwrap();
    bytes.append(&mut part.take_bytes().concat());
    assert_eq!(part.bytes(), bytes.len() as u64);
    bytes
}

fn open(bytes: Vec<u8>) -> impl FileReader {
    /// The reader wants `Bytes` of a crate that is none of ours: let a setter say the type.
    fn shared<T: From<Vec<u8>>>(_: impl Fn(&mut ByteArray, T), bytes: Vec<u8>) -> T {
        T::from(bytes)
    }
    let options = ReadOptionsBuilder::new().with_page_index().build();
    SerializedFileReader::new_with_options(shared(ByteArray::set_data, bytes), options).unwrap()
}

fn cells<T: DataType>(mut reader: ColumnReaderImpl<T>, cell: impl Fn(&T::T) -> Cell) -> Vec<Cell> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    while reader.read_records(usize::MAX, Some(&mut levels), None, &mut values).unwrap().0 > 0 {}
    let mut values = values.iter();
    levels.iter().map(|&level| if level == 0 { Cell::Null } else { cell(values.next().unwrap()) }).collect()
}

fn signed(bytes: &[u8]) -> i128 {
    let sign = if bytes[0] >= 0x80 { -1 } else { 0 };
    bytes.iter().fold(sign, |x, &b| (x << 8) | i128::from(b))
}

fn read(reader: &impl FileReader, group: usize, column: usize) -> Vec<Cell> {
    match reader.get_row_group(group).unwrap().get_column_reader(column).unwrap() {
        ColumnReader::BoolColumnReader(r) => cells(r, |v| Cell::Int((*v).into())),
        ColumnReader::Int32ColumnReader(r) => cells(r, |v| Cell::Int((*v).into())),
        ColumnReader::Int64ColumnReader(r) => cells(r, |v| Cell::Int((*v).into())),
        ColumnReader::DoubleColumnReader(r) => cells(r, |v| Cell::Real(*v)),
        ColumnReader::ByteArrayColumnReader(r) => cells(r, |v| Cell::Text(v.data().to_vec())),
        ColumnReader::FixedLenByteArrayColumnReader(r) => cells(r, |v| Cell::Int(signed(v.as_bytes()))),
        _ => unreachable!(),
    }
}

/// Bounds of a column's page; texts may be cut.
fn page_bounds(index: &Index, page: usize) -> Option<(Cell, Cell)> {
    let ints = |min: i128, max: i128| (Cell::Int(min), Cell::Int(max));
    match index {
        Index::BOOLEAN(i) => {
            i.min_value(page).zip(i.max_value(page)).map(|(a, b)| ints((*a).into(), (*b).into()))
        }
        Index::INT32(i) => {
            i.min_value(page).zip(i.max_value(page)).map(|(a, b)| ints((*a).into(), (*b).into()))
        }
        Index::INT64(i) => {
            i.min_value(page).zip(i.max_value(page)).map(|(a, b)| ints((*a).into(), (*b).into()))
        }
        Index::DOUBLE(i) => {
            i.min_value(page).zip(i.max_value(page)).map(|(a, b)| (Cell::Real(*a), Cell::Real(*b)))
        }
        Index::BYTE_ARRAY(i) => i
            .min_value(page)
            .zip(i.max_value(page))
            .map(|(a, b)| (Cell::Text(a.to_vec()), Cell::Text(b.to_vec()))),
        Index::FIXED_LEN_BYTE_ARRAY(i) => {
            i.min_value(page).zip(i.max_value(page)).map(|(a, b)| ints(signed(a), signed(b)))
        }
        _ => None,
    }
}

/// `bounds` must enclose `rows`, and be tight where nothing was cut.
fn check_bounds(bounds: Option<(Cell, Cell)>, rows: &[Cell], place: &str) {
    let mut values = rows.iter().filter(|c| !matches!(c, Cell::Null));
    let Some(first) = values.next() else {
        assert!(bounds.is_none(), "{place}: bounds of nulls");
        return;
    };
    let (low, high) = values.fold((first, first), |(low, high), v| {
        (if v < low { v } else { low }, if v > high { v } else { high })
    });
    let (min, max) = bounds.unwrap_or_else(|| panic!("{place}: no bounds"));
    match (&low, &high, &min, &max) {
        (Cell::Text(low), Cell::Text(high), Cell::Text(min), Cell::Text(max)) => {
            assert!(low.starts_with(min) && (min == low || low.len() > 64), "{place}: minimum");
            assert!(max == high || (high.len() > 64 && max > high && max.len() <= 64), "{place}: maximum");
        }
        (Cell::Real(low), Cell::Real(high), Cell::Real(min), Cell::Real(max)) => {
            assert!(low == min && high == max, "{place}: bounds");
            assert!(*min != 0.0 || min.is_sign_negative(), "{place}: zero minimum");
            assert!(*max != 0.0 || max.is_sign_positive(), "{place}: zero maximum");
        }
        _ => assert!(*low == min && *high == max, "{place}: bounds {low:?} {high:?} {min:?} {max:?}"),
    }
}

fn chunk_bounds(statistics: &Statistics) -> Option<(Cell, Cell)> {
    let (min, max) = statistics.min_bytes_opt().zip(statistics.max_bytes_opt())?;
    Some(match statistics {
        Statistics::Boolean(s) => (Cell::Int((*s.min_opt()?).into()), Cell::Int((*s.max_opt()?).into())),
        Statistics::Int32(s) => (Cell::Int((*s.min_opt()?).into()), Cell::Int((*s.max_opt()?).into())),
        Statistics::Int64(s) => (Cell::Int((*s.min_opt()?).into()), Cell::Int((*s.max_opt()?).into())),
        Statistics::Double(s) => (Cell::Real(*s.min_opt()?), Cell::Real(*s.max_opt()?)),
        Statistics::FixedLenByteArray(_) => (Cell::Int(signed(min)), Cell::Int(signed(max))),
        _ => (Cell::Text(min.to_vec()), Cell::Text(max.to_vec())),
    })
}

/// Reads everything back and holds statistics, column index and offset index against the rows.
fn check(groups: &[&[Repeated<'_>]], codec: Codec) {
    let reader = open(write(groups, codec));
    let metadata: &ParquetMetaData = reader.metadata();
    let pages = metadata.page_index().unwrap();
    for (g, group) in groups.iter().enumerate() {
        for (c, (column, repeats)) in group.iter().enumerate() {
            let place = format!("{} group {g} column {c}", column.ty());
            let rows = expected(column, *repeats);
            assert!(read(&reader, g, c) == rows, "{place}: rows differ");
            let chunk = metadata.row_group(g).column(c);
            let statistics = chunk.statistics().unwrap();
            let nulls = |rows: &[Cell]| rows.iter().filter(|c| matches!(c, Cell::Null)).count() as u64;
            assert_eq!(statistics.null_count_opt(), Some(nulls(&rows)), "{place}");
            check_bounds(chunk_bounds(statistics), &rows, &place);
            let (index, offsets) = (pages.column_index(g, c).unwrap(), pages.offset_index(g, c).unwrap());
            let starts: Vec<usize> =
                offsets.page_locations().iter().map(|p| p.first_row_index as usize).collect();
            let ends = starts[1..].iter().copied().chain([rows.len()]);
            for (page, (start, end)) in starts.iter().copied().zip(ends).enumerate() {
                let (place, rows) = (format!("{place} page {page}"), &rows[start..end]);
                assert_eq!(index.null_count(page), Some(nulls(rows) as i64), "{place}");
                check_bounds(page_bounds(index, page), rows, &place);
                assert!(!rows.is_empty() && rows.len() <= 20_000, "{place}");
            }
            let data = chunk.dictionary_page_offset().is_none().then(|| chunk.data_page_offset());
            let first = data.or(chunk.dictionary_page_offset()).unwrap();
            let last = offsets.page_locations().last().unwrap();
            assert_eq!(first + chunk.compressed_size(), last.offset + i64::from(last.compressed_page_size));
        }
    }
}

fn repeats(slots: usize, mean: u64, seed: u64) -> Vec<u32> {
    let mut numbers = Numbers(seed);
    (0..slots).map(|_| (numbers.next() % (2 * mean + 1)) as u32).collect()
}

#[test]
fn every_type_with_and_without_nulls_repeats_and_dictionary() {
    for ty in TYPES {
        for nulls in [0, 30, 100] {
            for distinct in [1, 2, 300, u64::MAX] {
                let a = column(ty, 45_000, distinct, nulls, 1);
                check(&[&[(&a, None)]], Codec::Snappy);
                let counts = repeats(45_000, 1, 2);
                check(&[&[(&a, Some(&counts))]], Codec::None);
            }
        }
    }
}

#[test]
fn one_slot_may_fill_many_pages_and_none_is_no_row() {
    for ty in TYPES {
        let a = column(ty, 4, 100, 0, 3);
        check(&[&[(&a, Some(&[0, 100_000, 0, 7]))], &[(&a, Some(&[20_000, 0, 20_000, 0]))]], Codec::Snappy);
    }
}

#[test]
fn long_texts_are_bounded_by_page_and_statistics() {
    let text = |c: char, n: usize| c.to_string().repeat(n);
    let texts =
        [text('é', 700_000), text('\u{10FFFF}', 40), text('z', 65), text('a', 64), text('\u{D7FF}', 22)];
    for keep in 1..=texts.len() {
        let mut values = Texts::default();
        texts[..keep].iter().for_each(|text| values.push(text).unwrap());
        let column = Column::from_values(vec![1; keep], Values::String(values)).unwrap();
        let bytes = write(&[&[(&column, None)]], Codec::Snappy);
        assert_eq!(read(&open(bytes), 0, 0), expected(&column, None));
    }
}

#[test]
fn a_part_file_without_rows_is_readable() {
    let empty = column(ColumnType::String, 0, 1, 0, 1);
    let reader = open(write(&[&[(&empty, None)]], Codec::Snappy));
    assert_eq!((reader.metadata().num_row_groups(), reader.metadata().file_metadata().num_rows()), (0, 0));
}

/// Readers of before 2026 ignore statistics under an order they do not know.
#[test]
fn columns_have_the_order_of_their_type() {
    use parquet::basic::ColumnOrder;
    let (a, b) = (column(ColumnType::Double, 9, 5, 0, 1), column(ColumnType::String, 9, 5, 0, 1));
    let reader = open(write(&[&[(&a, None), (&b, None)]], Codec::Snappy));
    let orders = reader.metadata().file_metadata().column_orders().unwrap().clone();
    assert!(orders.iter().all(|order| matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_))), "{orders:?}");
}

/// Values found by search: their hashes begin at one place of any table up to 64 Ki places.
#[test]
fn values_chosen_to_collide_end_in_plain_pages() {
    let collide = (0i64..).filter(|&i| super::hash::word(i as u64) & 0xFFFF == 0).take(400);
    let values: Vec<i64> = collide.flat_map(|i| [i; 50]).collect();
    let valid = vec![1; values.len()];
    let column = Column::from_values(valid, Values::Bigint(values)).unwrap();
    check(&[&[(&column, None)]], Codec::Snappy);
    let reader = open(write(&[&[(&column, None)]], Codec::Snappy));
    assert!(reader.metadata().row_group(0).column(0).dictionary_page_offset().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_is_written_is_read(
        kinds in proptest::collection::vec((0..TYPES.len(), 1u64..2000, 0u64..130), 1..4),
        slots in 0usize..3000, mean in 0u64..40, seed: u64, repeated: bool, snappy: bool,
    ) {
        let columns: Vec<Column> =
            kinds.iter().map(|&(ty, distinct, nulls)| column(TYPES[ty], slots, distinct, nulls, seed)).collect();
        let counts = repeats(slots, mean, seed);
        let counts = repeated.then_some(counts.as_slice());
        let group: Vec<Repeated<'_>> = columns.iter().map(|column| (column, counts)).collect();
        let codec = if snappy { Codec::Snappy } else { Codec::None };
        let rows = expected(&columns[0], counts).len();
        if rows > 0 {
            check(&[&group, &group], codec);
        }
        // The same again: the same bytes.
        prop_assert_eq!(write(&[&group], codec), write(&[&group], codec));
    }
}
