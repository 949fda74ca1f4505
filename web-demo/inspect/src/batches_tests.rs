//! Batches hold what the rows of a file hold, null or not; and a result is read back as it was written.

use super::*;
use crate::layout::bit;
use crate::rows;

fn all(file: bytes::Bytes, count: usize) -> Vec<Vec<Buffers>> {
    let mut batches = Batches::new(file).unwrap();
    std::iter::from_fn(|| batches.next(count).unwrap()).collect()
}

fn text(values: &Buffers, row: usize) -> Option<&str> {
    let ends = [values.ends[row], values.ends[row + 1]].map(|end| usize::try_from(end).unwrap());
    values.is_valid(row).then(|| std::str::from_utf8(&values.values[ends[0]..ends[1]]).unwrap())
}

#[test]
fn batches_end_with_their_row_group_and_hold_each_row_once() {
    for (count, sizes) in [(1000, vec![100, 100]), (64, vec![64, 36, 64, 36]), (1, vec![1; 200])] {
        let found = all(rows::tests::bytes(), count);
        assert_eq!(found.iter().map(|batch| batch[0].rows).collect::<Vec<_>>(), sizes);
        let mut row: i32 = 0;
        for [number, day, word] in found.iter().map(|batch| [&batch[0], &batch[1], &batch[2]]) {
            let first = row;
            for at in 0..number.rows {
                assert_eq!(number.values[at * 16..][..16], i128::from(row).to_le_bytes());
                assert_eq!(day.values[at * 4..][..4], row.to_le_bytes());
                assert_eq!(text(word, at).map(str::to_owned), (row % 2 == 0).then(|| format!("t{row}")));
                row += 1;
            }
            let odd = (first..row).filter(|row| row % 2 == 1).count();
            assert_eq!([number.nulls, word.nulls], [0, odd]);
        }
        assert_eq!(row, 200);
    }
}

#[test]
fn layouts_are_named() {
    let file = Batches::new(rows::tests::bytes()).unwrap();
    let names: Vec<String> = file.layouts().iter().map(|layout| layout.name()).collect();
    assert_eq!(names, ["decimal(9,2)", "date", "text"]);
    for layout in file.layouts() {
        assert_eq!(Layout::named(&layout.name()), Some(*layout));
    }
    for wrong in
        ["", "decimal", "decimal(39,2)", "decimal(3,4)", "integer(7,1)", "text(", "float(1)", "timestamp(0)"]
    {
        assert_eq!(Layout::named(wrong), None, "{wrong}");
    }
}

#[test]
fn bits_are_as_many_as_rows() {
    let mut bits = Vec::new();
    set(&mut bits, 9);
    assert_eq!(bits, [0, 2]);
    assert!(bit(&bits, 9) && !bit(&bits, 8) && !bit(&bits, 99));
}

#[test]
fn texts_are_of_utf_8_and_end_between_characters() {
    let texts = |values: &[u8], ends: &[i32]| {
        valid_text(&Buffers { values: values.to_vec(), ends: ends.to_vec(), ..Buffers::default() }).is_ok()
    };
    assert!(texts("aé".as_bytes(), &[0, 1, 3]));
    assert!(!texts("aé".as_bytes(), &[0, 2, 3]));
    assert!(!texts(&[0xff], &[0, 1]));
}

#[test]
fn nulls_are_counted_from_the_first_on() {
    for presents in [
        &[true, true, false, true][..],
        &[false],
        &[true; 17],
        &[true, true, true, true, true, true, true, true, false],
    ] {
        let mut buffers = Buffers::new(Layout::Double, presents.len());
        presents.iter().for_each(|present| buffers.count(*present));
        assert!(presents.iter().enumerate().all(|(row, present)| buffers.is_valid(row) == *present));
        assert_eq!(buffers.nulls, presents.iter().filter(|present| !**present).count());
        assert_eq!(buffers.valid.is_empty(), buffers.nulls == 0);
    }
}
