//! What many open part files hold together, by numbers that are small enough to see it.

use super::*;
use crate::column::Slots;

fn parts(memory: Memory) -> Parts {
    let columns = vec![("a".to_owned(), ColumnType::Bigint), ("b".to_owned(), ColumnType::Bigint)];
    let table = PartTable {
        name: "t".into(),
        schema: PartSchema::new(&columns).unwrap(),
        columns: columns.iter().map(|(_, ty)| (Level::Row, *ty)).collect(),
        key_values: Arc::new([]),
        codec: Codec::None,
    };
    Parts { memory, ..Parts::new(vec![table], 1000) }
}

fn numbers(rows: i64) -> Column {
    let mut column = Column::new(ColumnType::Bigint);
    let Slots::Bigint(mut slots) = column.slots() else { panic!("no bigints") };
    (0..rows).for_each(|value| slots.push(value));
    column
}

/// Adds `rows` rows to each of `partitions` partitions, as a batch does, and writes what is due.
fn add(parts: &mut Parts, partitions: usize, rows: i64, steps: &mut VecDeque<Step>) {
    let column = numbers(rows);
    for partition in 0..partitions {
        let columns = [&column, &column];
        parts.add(0, &format!("p={partition}/"), &columns, &[], &Rows::All, rows as usize).unwrap();
    }
    parts.keep_budget().unwrap();
    while parts.encode(steps).unwrap() {}
}

/// Part files opened, closed, and the rows in them.
fn told(steps: &VecDeque<Step>) -> (usize, usize, u64) {
    let count = |is: fn(&Step) -> bool| steps.iter().filter(|step| is(step)).count();
    let rows = steps.iter().map(|step| if let Step::PartClosed { rows, .. } = step { *rows } else { 0 });
    let opened = count(|step| matches!(step, Step::PartOpened { .. }));
    (opened, count(|step| matches!(step, Step::PartClosed { .. })), rows.sum())
}

#[test]
fn many_partitions_together_stay_below_the_ceiling() {
    let mut parts = parts(Memory { budget: 10_000, ceiling: 40_000, chunks: 1 << 20 });
    let mut steps = VecDeque::new();
    for _ in 0..100 {
        // 100 partitions of 18 bytes a row: each batch brings 18,000 bytes, and one row group takes few.
        add(&mut parts, 100, 10, &mut steps);
        assert!(parts.open.values().map(|part| part.waiting.stored_bytes).sum::<usize>() < 40_000);
    }
    parts.finish();
    while parts.encode(&mut steps).unwrap() {}
    assert_eq!(told(&steps), (100, 100, 100_000));
    assert_eq!((parts.counts(), parts.chunks), (vec![100], 0));
}

#[test]
fn a_part_file_is_closed_before_footers_take_too_much() {
    let mut parts = parts(Memory { budget: 1, ceiling: 1, chunks: 20 });
    let mut steps = VecDeque::new();
    for _ in 0..50 {
        add(&mut parts, 3, 10, &mut steps);
        assert!(parts.chunks <= 20);
    }
    parts.finish();
    while parts.encode(&mut steps).unwrap() {}
    let (opened, closed, rows) = told(&steps);
    assert!(opened == closed && opened > 3 && rows == 1500, "{opened} {closed} {rows}");
    assert_eq!((parts.counts(), parts.chunks), (vec![opened as u64], 0));
}

#[test]
fn the_columns_of_the_last_row_group_are_filled_again() {
    let mut parts = parts(Memory { budget: 10_000, ceiling: 40_000, chunks: 1 << 20 });
    let mut steps = VecDeque::new();
    let memory = |parts: &Parts| parts.spare[&0].columns[0].valid().as_ptr();
    add(&mut parts, 1, 600, &mut steps);
    let first = memory(&parts);
    for _ in 0..5 {
        add(&mut parts, 1, 600, &mut steps);
        assert_eq!(memory(&parts), first);
        assert!(parts.open.values().all(|part| part.waiting.columns.is_empty()));
    }
}

#[test]
fn room_for_a_row_group_is_taken_once_and_holds_it() {
    let mut parts = parts(Memory { budget: 64 << 20, ceiling: 256 << 20, chunks: 1 << 20 });
    let mut steps = VecDeque::new();
    let memory = |parts: &Parts| parts.open.values().next().unwrap().waiting.columns[0].valid().as_ptr();
    add(&mut parts, 1, 100_000, &mut steps);
    let room = memory(&parts);
    while parts.spare.is_empty() {
        assert_eq!(memory(&parts), room);
        add(&mut parts, 1, 100_000, &mut steps);
    }
    assert_eq!(told(&steps).0, 1);
    assert_eq!(parts.spare[&0].columns[0].valid().as_ptr(), room);
}
