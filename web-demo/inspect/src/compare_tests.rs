//! Two sides, row by row and by content: counts, examples, alignment.

use std::sync::Arc;

use bytes::Bytes;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

/// `n` and an optional `t`, one row group for each slice.
fn file(groups: &[&[(i64, Option<&str>)]]) -> Bytes {
    let schema = parse_message_type("message m { required int64 n; optional binary t (UTF8); }").unwrap();
    let properties = Arc::new(WriterProperties::builder().set_data_page_row_count_limit(3).build());
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).unwrap();
    for rows in groups {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
        column.typed::<Int64Type>().write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let texts: Vec<ByteArray> = rows.iter().filter_map(|row| row.1).map(ByteArray::from).collect();
        let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.1.is_some())).collect();
        column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.into_inner().unwrap().into()
}

/// One column `n` of doubles.
fn doubles(values: &[f64]) -> Bytes {
    let schema = parse_message_type("message m { required double n; }").unwrap();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap().into()
}

fn side(files: Vec<Bytes>) -> Side<Bytes> {
    let mut side = Side::new();
    for (index, bytes) in files.into_iter().enumerate() {
        side.add(bytes, vec![("day".into(), Some(format!("{index}")))]).unwrap();
    }
    side
}

const ROWS: [(i64, Option<&str>); 7] =
    [(1, Some("a")), (2, None), (3, Some("")), (4, Some("d")), (5, Some("e")), (6, None), (7, Some("g"))];

#[test]
fn rows_pair_whatever_the_row_groups_and_files_are() {
    let whole = side(vec![file(&[&ROWS])]);
    let mut other = ROWS;
    other[1].1 = Some("b");
    other[2].1 = None;
    other[5].0 = 60;
    for cut in 1..7 {
        let (head, tail) = other.split_at(cut);
        for other in [side(vec![file(&[head, tail])]), side(vec![file(&[head]), file(&[tail])])] {
            let numbers = column(&whole, &other, "n").unwrap();
            let example = Example { row: 5, a: Some("6".into()), b: Some("60".into()) };
            assert_eq!(numbers, ColumnDiff { changed: 1, examples: vec![example] }, "{cut}");
            let texts = column(&whole, &other, "t").unwrap();
            let examples = vec![
                Example { row: 1, a: None, b: Some("b".into()) },
                Example { row: 2, a: Some(String::new()), b: None },
            ];
            assert_eq!(texts, ColumnDiff { changed: 2, examples }, "{cut}");
        }
    }
}

#[test]
fn the_same_chunks_are_skipped_and_the_rest_keeps_its_row_numbers() {
    let mut other = ROWS;
    other[6].0 = 70;
    let a = side(vec![file(&[&ROWS[..3], &ROWS[3..5], &ROWS[5..]])]);
    let b = side(vec![file(&[&other[..3], &other[3..5], &other[5..]])]);
    let (mut left, mut right) = (Cursor::new(&a, "n", false), Cursor::new(&b, "n", false));
    assert_eq!(skip_same(&mut left, &mut right).unwrap(), 5);
    let found = column(&a, &b, "n").unwrap();
    assert_eq!((found.changed, found.examples[0].row), (1, 6));
    assert_eq!(column(&a, &b, "t").unwrap(), ColumnDiff::default());
}

#[test]
fn other_types_are_compared_as_text() {
    let (integers, doubles) = (side(vec![file(&[&ROWS[..2]])]), side(vec![doubles(&[1.0, 2.5])]));
    let found = column(&integers, &doubles, "n").unwrap();
    assert_eq!(found.changed, 2);
    assert_eq!(found.examples[1], Example { row: 1, a: Some("2".into()), b: Some("2.5".into()) });
}

#[test]
fn columns_of_the_path_are_values_too() {
    let a = side(vec![file(&[&ROWS[..2]]), file(&[&ROWS[2..]])]);
    let b = side(vec![file(&[&ROWS[..4]]), file(&[&ROWS[4..]])]);
    let found = column(&a, &b, "day").unwrap();
    assert_eq!((found.changed, found.examples[0].row), (2, 2));
    assert_eq!(found.examples[0].a.as_deref(), Some("1"));
}

fn hashes(side: &Side<Bytes>) -> Hashes {
    let mut hashes = Hashes::new(vec![("n".into(), false), ("t".into(), false)]);
    for group in side.groups() {
        hashes.add(side, group).unwrap();
    }
    hashes
}

#[test]
fn by_content_rows_count_as_often_as_they_stand() {
    let twice = [ROWS[0], ROWS[1], ROWS[0]];
    let once = [ROWS[1], ROWS[0], ROWS[4], ROWS[3]];
    let (a, b) = (hashes(&side(vec![file(&[&twice])])), hashes(&side(vec![file(&[&once[..1], &once[1..]])])));
    let only = a.only(&b);
    assert_eq!(only[0], Only { rows: 1, examples: vec![0] });
    assert_eq!(only[1], Only { rows: 2, examples: vec![2, 3] });
    assert_eq!(a.same_columns(&b), [false, false]);
    assert_eq!(b.only(&b), [Only::default(), Only::default()]);
}

#[test]
fn by_content_the_order_of_rows_does_not_count() {
    let mut turned = ROWS;
    turned.reverse();
    let (a, b) = (hashes(&side(vec![file(&[&ROWS])])), hashes(&side(vec![file(&[&turned])])));
    assert_eq!(a.only(&b), [Only::default(), Only::default()]);
    assert_eq!(a.same_columns(&b), [true, true]);
}

#[test]
fn long_values_are_cut_for_the_screen() {
    assert_eq!(short("é".repeat(500)).chars().count(), SHOWN + 1);
    assert_eq!(short("abc".into()), "abc");
}
