//! What is written is read back: every layout, null and not, over row groups.

use ::bytes::Bytes;

use super::*;
use crate::batches::Batches;
use crate::rows;

/// A column of one value and one null.
fn column(layout: Layout, value: &[u8]) -> Buffers {
    let mut buffers = Buffers::new(layout, 2);
    buffers.values.extend_from_slice(value);
    buffers.values.resize(value.len() + layout.width().unwrap_or(0), 0);
    buffers.count(true);
    buffers.count(false);
    if !buffers.ends.is_empty() {
        let end = i32::try_from(value.len()).unwrap();
        buffers.ends.extend([end, end]);
    }
    buffers
}

fn written(columns: &[(Layout, &[u8])], groups: usize) -> Bytes {
    let named: Vec<_> =
        columns.iter().enumerate().map(|(index, (layout, _))| (format!("c{index} ü"), *layout)).collect();
    let values: Vec<_> = columns.iter().map(|(layout, value)| column(*layout, value)).collect();
    let mut file = ResultFile::new(&named).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..groups {
        for (index, values) in values.iter().enumerate() {
            file.add(index, values).unwrap();
        }
        file.write().unwrap();
        bytes.extend(file.take());
    }
    file.finish().unwrap();
    bytes.extend(file.take());
    Bytes::from(bytes)
}

#[test]
fn every_layout_is_read_back() {
    let columns: [(Layout, &[u8], &str); 17] = [
        (Layout::Boolean, &[1], "true"),
        (Layout::Integer(8, true), &(-3_i8).to_le_bytes(), "-3"),
        (Layout::Integer(8, false), &[253], "253"),
        (Layout::Integer(16, true), &(-300_i16).to_le_bytes(), "-300"),
        (Layout::Integer(32, true), &i32::MIN.to_le_bytes(), "-2147483648"),
        (Layout::Integer(64, true), &9_007_199_254_740_993_i64.to_le_bytes(), "9007199254740993"),
        (Layout::Float, &1.5_f32.to_le_bytes(), "1.5"),
        (Layout::Double, &0.1_f64.to_le_bytes(), "0.1"),
        (Layout::Date, &20_000_i32.to_le_bytes(), "2024-10-04"),
        (Layout::Timestamp(3), &(-1_i64).to_le_bytes(), "1969-12-31T23:59:59.999Z"),
        (Layout::Timestamp(6), &1_i64.to_le_bytes(), "1970-01-01T00:00:00.000001Z"),
        (Layout::Instant, &1_i64.to_le_bytes(), "1970-01-01T00:00:00.000001Z"),
        (Layout::Decimal(9, 2), &(-5_i128).to_le_bytes(), "-0.05"),
        (Layout::Decimal(18, 0), &(1_i128 << 50).to_le_bytes(), "1125899906842624"),
        (Layout::Decimal(38, 2), &(-12_345_678_901_234_567_890_i128).to_le_bytes(), "-123456789012345678.90"),
        (Layout::Text, "é \"q\"".as_bytes(), "é \"q\""),
        (Layout::Text, b"", ""),
    ];
    let file = written(&columns.map(|(layout, value, _)| (layout, value)), 2);
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let read = rows::read(&reader, 0, 10).unwrap();
    for ((layout, _, shown), values) in columns.iter().zip(read) {
        let pair = [Some((*shown).to_owned()), None];
        assert_eq!(values, [pair.clone(), pair].concat(), "{layout:?}");
    }
}

#[test]
fn what_the_engine_took_comes_back_as_it_was() {
    let columns: [(Layout, &[u8]); 4] = [
        (Layout::Decimal(20, 2), &(-7_i128).to_le_bytes()),
        (Layout::Timestamp(6), &77_i64.to_le_bytes()),
        (Layout::Binary, &[0, 255]),
        (Layout::Boolean, &[1]),
    ];
    let mut batches = Batches::new(written(&columns, 1)).unwrap();
    assert_eq!(batches.layouts(), columns.map(|(layout, _)| layout));
    let read = batches.next(10).unwrap().unwrap();
    for ((layout, value), read) in columns.iter().zip(read) {
        let mut expected = column(*layout, value);
        expected.values.truncate(read.values.len());
        assert_eq!(read, expected, "{layout:?}");
    }
    assert_eq!(batches.next(10).unwrap(), None);
}

#[test]
fn values_are_added_to_those_before() {
    for (layout, value) in [
        (Layout::Boolean, &[1][..]),
        (Layout::Integer(16, true), &[1, 2]),
        (Layout::Text, b"abc"),
        (Layout::Decimal(38, 0), &[7; 16]),
    ] {
        let mut file = ResultFile::new(&[("a".to_owned(), layout)]).unwrap();
        for _ in 0..9 {
            file.add(0, &column(layout, value)).unwrap();
        }
        let all = &file.group[0];
        assert_eq!((all.rows, all.nulls), (18, 9));
        for row in 0..18 {
            assert_eq!(all.is_valid(row), row % 2 == 0, "{layout:?} {row}");
            match layout {
                Layout::Boolean => assert_eq!(bit(&all.values, row), row % 2 == 0),
                Layout::Text => assert_eq!(bytes(all, row).unwrap(), if row % 2 == 0 { value } else { b"" }),
                _ if row % 2 == 0 => assert_eq!(&all.values[row * value.len()..][..value.len()], value),
                _ => {}
            }
        }
        file.write().unwrap();
        assert_eq!(file.group[0].rows, 0);
    }
}

#[test]
fn columns_that_are_cut_off_are_refused() {
    let named = [("a".to_owned(), Layout::Integer(64, true)), ("b".to_owned(), Layout::Text)];
    let whole = [column(named[0].1, &[0; 8]), column(named[1].1, b"x")];
    let mut file = ResultFile::new(&named).unwrap();
    assert!(file.add(0, &Buffers { values: vec![0; 8], ..whole[0].clone() }).is_err());
    assert!(file.add(1, &Buffers { ends: Vec::new(), ..whole[1].clone() }).is_err());
    assert!(file.add(1, &Buffers { ends: vec![0, 1, i32::MAX], ..whole[1].clone() }).is_err());
    assert!(file.add(2, &whole[1]).is_err());
    let mut file = ResultFile::new(&named).unwrap();
    file.add(0, &whole[0]).unwrap();
    assert!(file.write().is_err());
}
