//! How the values of a column are spread, over the part files of a table.
//!
//! Not for exact extremes (`footer`). The one decision to know: a column is read once, up to a number of rows that
//! the page names, so that a picture of a large table comes as fast as one of a small table; numbers keep to
//! equal steps, texts are counted while they are few and measured by length when they are many or all different.

use std::collections::HashMap;

use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, FileReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::schema::types::ColumnDescriptor;
use serde::Serialize;

use crate::show::{Kind, double, signed};

/// Bars of a picture: what fits into a line of a table.
const BARS: usize = 24;
/// Different texts that are counted one by one: beyond, their lengths say more than a few of them.
const MOST_TEXTS: usize = 1_000;
/// Texts that have a bar of their own.
const TEXTS_SHOWN: usize = 8;
/// Rows read in one go.
const ROWS_AT_ONCE: usize = 8_192;

/// One column's picture in the making.
pub struct Histogram {
    column: usize,
    missing: usize,
    rows: usize,
    nulls: usize,
    whole: bool,
    numbers: Vec<f64>,
    texts: HashMap<Vec<u8>, usize>,
    lengths: Vec<f64>,
}

/// The picture.
#[derive(Debug, PartialEq, Serialize)]
pub struct Picture {
    /// Rows that were looked at.
    pub rows: usize,
    /// How many of them are null.
    pub nulls: usize,
    /// What a bar stands for: `steps` of numbers, `values` of texts, or `lengths` of texts in bytes.
    pub of: &'static str,
    /// Different texts; none where there are none, or too many to count.
    pub distinct: Option<usize>,
    /// The bars, in order of value, or the commonest text first.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, PartialEq, Serialize)]
pub struct Bar {
    /// The text, or the first value of a step.
    pub from: String,
    /// Where a step ends; none for texts and for steps of one value.
    pub to: Option<String>,
    /// Rows.
    pub rows: usize,
}

impl Histogram {
    /// Of column number `column`, over at most `rows` rows.
    pub fn new(column: usize, rows: usize) -> Self {
        Self {
            column,
            missing: rows,
            rows: 0,
            nulls: 0,
            whole: true,
            numbers: Vec::new(),
            texts: HashMap::new(),
            lengths: Vec::new(),
        }
    }

    /// Adds a part file; true while there is room for more rows.
    ///
    /// # Errors
    /// A page cannot be read.
    pub fn add<R: ChunkReader + 'static>(&mut self, reader: &SerializedFileReader<R>) -> Result<bool> {
        let descriptor = reader.metadata().file_metadata().schema_descr().column(self.column);
        let kind = Kind::of(&descriptor);
        for index in 0..reader.num_row_groups() {
            if self.missing == 0 {
                break;
            }
            let group = reader.get_row_group(index)?;
            match group.get_column_reader(self.column)? {
                ColumnReader::BoolColumnReader(column) => self.read(column, &descriptor, |this, value| {
                    this.text(if *value { b"true" } else { b"false" });
                })?,
                ColumnReader::Int32ColumnReader(column) => {
                    self.read(column, &descriptor, |this, value| this.numbers.push(f64::from(*value)))?;
                }
                // As near as a picture needs.
                #[allow(clippy::cast_precision_loss)]
                ColumnReader::Int64ColumnReader(column) => {
                    self.read(column, &descriptor, |this, value| this.numbers.push(*value as f64))?;
                }
                ColumnReader::FloatColumnReader(column) => {
                    self.fractions();
                    self.read(column, &descriptor, |this, value| this.numbers.push(f64::from(*value)))?;
                }
                ColumnReader::DoubleColumnReader(column) => {
                    self.fractions();
                    self.read(column, &descriptor, |this, value| this.numbers.push(*value))?;
                }
                #[allow(clippy::cast_precision_loss)]
                ColumnReader::FixedLenByteArrayColumnReader(column) if matches!(kind, Kind::Decimal(_)) => {
                    self.read(column, &descriptor, |this, value| {
                        this.numbers.push(signed(value.data()) as f64);
                    })?;
                }
                ColumnReader::FixedLenByteArrayColumnReader(column) => {
                    self.read(column, &descriptor, |this, value| this.text(value.data()))?;
                }
                ColumnReader::ByteArrayColumnReader(column) => {
                    self.read(column, &descriptor, |this, value| this.text(value.data()))?;
                }
                ColumnReader::Int96ColumnReader(_) => {}
            }
        }
        Ok(self.missing > 0)
    }

    /// What came of it; `descriptor` is the column's.
    pub fn picture(mut self, descriptor: &ColumnDescriptor) -> Picture {
        let kind = Kind::of(descriptor);
        let (rows, nulls) = (self.rows, self.nulls);
        let texts = matches!(
            descriptor.physical_type(),
            Type::BOOLEAN | Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY
        ) && self.numbers.is_empty();
        if texts {
            let distinct = self.lengths.is_empty().then_some(self.texts.len());
            if distinct.is_some() && !self.all_different() {
                return Picture { rows, nulls, of: "values", distinct, bars: commonest(self.texts, &kind) };
            }
            self.measure();
            let bars = steps(&mut self.lengths, true, |value| whole(value).to_string());
            return Picture { rows, nulls, of: "lengths", distinct, bars };
        }
        let show = |value: f64| match descriptor.physical_type() {
            Type::FLOAT | Type::DOUBLE => double(value),
            _ => kind.wide_integer(whole(value)),
        };
        let bars = steps(&mut self.numbers, self.whole, show);
        Picture { rows, nulls, of: "steps", distinct: None, bars }
    }

    fn fractions(&mut self) {
        self.whole = false;
    }

    fn text(&mut self, value: &[u8]) {
        if !self.lengths.is_empty() {
            self.lengths.push(length(value.len()));
            return;
        }
        match self.texts.get_mut(value) {
            Some(count) => *count += 1,
            None => {
                self.texts.insert(value.to_vec(), 1);
            }
        }
        if self.texts.len() > MOST_TEXTS {
            self.measure();
        }
    }

    /// No text is commoner than another, and there is not a bar for each.
    fn all_different(&self) -> bool {
        self.texts.len() > TEXTS_SHOWN && self.texts.values().all(|&rows| rows == 1)
    }

    /// Goes over from counts to lengths.
    fn measure(&mut self) {
        for (text, count) in self.texts.drain() {
            self.lengths.extend(std::iter::repeat_n(length(text.len()), count));
        }
    }

    fn read<T: DataType>(
        &mut self,
        mut column: ColumnReaderImpl<T>,
        descriptor: &ColumnDescriptor,
        each: impl Fn(&mut Self, &T::T),
    ) -> Result<()> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        while self.missing > 0 {
            values.clear();
            levels.clear();
            let wanted = self.missing.min(ROWS_AT_ONCE);
            let (rows, present, _) = column.read_records(wanted, Some(&mut levels), None, &mut values)?;
            if rows == 0 {
                break;
            }
            self.missing -= rows;
            self.rows += rows;
            if descriptor.max_def_level() > 0 {
                self.nulls += rows - present;
            }
            values.iter().for_each(|value| each(self, value));
        }
        Ok(())
    }
}

/// Lengths are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn length(bytes: usize) -> f64 {
    bytes as f64
}

/// The integer that a number stands for; numbers that came from integers only.
#[allow(clippy::cast_possible_truncation)]
fn whole(value: f64) -> i128 {
    value as i128
}

fn commonest(texts: HashMap<Vec<u8>, usize>, kind: &Kind) -> Vec<Bar> {
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    texts.truncate(TEXTS_SHOWN);
    texts.into_iter().map(|(text, rows)| Bar { from: kind.bytes(&text), to: None, rows }).collect()
}

/// Equal steps from the smallest to the largest number.
fn steps(numbers: &mut Vec<f64>, whole: bool, show: impl Fn(f64) -> String) -> Vec<Bar> {
    numbers.retain(|number| number.is_finite());
    let Some(first) = numbers.first().copied() else { return Vec::new() };
    let (least, most) = numbers.iter().fold((first, first), |(least, most), &n| (least.min(n), most.max(n)));
    // Halved, so that the widest range of doubles does not overflow.
    let half = most / 2.0 - least / 2.0;
    #[allow(clippy::cast_precision_loss)]
    let bars = BARS as f64;
    // Whole numbers have whole steps, so that each bar stands for as many of them.
    let width = if whole { ((half * 2.0 + 1.0) / bars).ceil() } else { half * 2.0 / bars };
    let count = match (whole, width > 0.0 && width.is_finite()) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most BARS
        (true, true) => (((half * 2.0 + 1.0) / width).ceil() as usize).clamp(1, BARS),
        (false, true) => BARS,
        _ => 1,
    };
    let mut rows = vec![0; count];
    for number in numbers {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not below 0, bounded next
        let bar = if count == 1 { 0 } else { ((*number - least) / width) as usize };
        rows[bar.min(count - 1)] += 1;
    }
    let bar = |(index, rows): (usize, usize)| {
        #[allow(clippy::cast_precision_loss)]
        let from = least + width * index as f64;
        let to = if index + 1 == count {
            most
        } else if whole {
            from + width - 1.0
        } else {
            from + width
        };
        let to = (to > from && count > 1).then(|| show(to));
        Bar { from: show(from), to: to.or_else(|| (count == 1 && most > least).then(|| show(most))), rows }
    };
    rows.into_iter().enumerate().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bars: &[Bar]) -> Vec<(&str, Option<&str>, usize)> {
        bars.iter().map(|bar| (bar.from.as_str(), bar.to.as_deref(), bar.rows)).collect()
    }

    /// The picture of a column of the rows' test file, over both of its row groups.
    fn picture(column: usize, rows: usize) -> Picture {
        let file = crate::rows::tests::file();
        let mut histogram = Histogram::new(column, rows);
        assert_eq!(histogram.add(&file).unwrap(), rows > 200);
        histogram.picture(&file.metadata().file_metadata().schema_descr().column(column))
    }

    #[test]
    fn columns_are_read_by_their_types() {
        let hundredths = picture(0, 1_000);
        assert_eq!((hundredths.rows, hundredths.nulls, hundredths.of), (200, 0, "steps"));
        assert_eq!(hundredths.bars[0], Bar { from: "0.00".into(), to: Some("0.08".into()), rows: 9 });
        let days = picture(1, 1_000);
        assert_eq!(days.bars[1].from, "1970-01-10");
        let texts = picture(2, 1_000);
        assert_eq!((texts.nulls, texts.of, texts.distinct), (100, "lengths", Some(100)));
        assert_eq!(shown(&texts.bars), [("2", None, 5), ("3", None, 45), ("4", None, 50)]);
        let cut = picture(0, 120);
        assert_eq!((cut.rows, cut.bars.iter().map(|bar| bar.rows).sum()), (120, 120));
    }

    #[test]
    fn few_integers_have_a_bar_each() {
        let bars = steps(&mut vec![3.0, 1.0, 3.0, 4.0], true, |n| whole(n).to_string());
        assert_eq!(shown(&bars), [("1", None, 1), ("2", None, 0), ("3", None, 2), ("4", None, 1)]);
    }

    #[test]
    fn many_numbers_fall_into_equal_steps_and_none_is_lost() {
        for (whole_numbers, last) in [(true, 999.0), (false, 999.0)] {
            let mut numbers: Vec<f64> = (0..1_000).map(f64::from).collect();
            numbers.extend([f64::INFINITY, f64::NAN]);
            let bars = steps(&mut numbers, whole_numbers, |n| n.to_string());
            assert!(bars.len() > 20 && bars.len() <= BARS, "{}", bars.len());
            assert_eq!(bars.iter().map(|bar| bar.rows).sum::<usize>(), 1_000);
            assert_eq!(bars.last().unwrap().to, Some(last.to_string()));
        }
    }

    #[test]
    fn one_value_is_one_bar_and_the_widest_range_does_not_overflow() {
        assert_eq!(shown(&steps(&mut vec![2.5, 2.5], false, double)), [("2.5", None, 2)]);
        let bars = steps(&mut vec![f64::MIN, f64::MAX, 0.0], false, double);
        assert_eq!(bars.iter().map(|bar| bar.rows).sum::<usize>(), 3);
        assert_eq!(steps(&mut vec![], false, double), []);
    }

    #[test]
    fn texts_are_counted_until_they_are_many() {
        let mut histogram = Histogram::new(0, 10);
        for text in ["b", "a", "b", "c"] {
            histogram.text(text.as_bytes());
        }
        let bars = commonest(histogram.texts.clone(), &Kind::Text);
        assert_eq!(shown(&bars), [("b", None, 2), ("a", None, 1), ("c", None, 1)]);
        assert!(!histogram.all_different());
        for number in 0..MOST_TEXTS {
            histogram.text(format!("text {number}").as_bytes());
        }
        assert_eq!(histogram.lengths.len(), MOST_TEXTS + 4, "every row has its length");
    }
}
