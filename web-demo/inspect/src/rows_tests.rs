//! Any window of rows, over pages and row groups; the file that other tests read too.

use std::sync::Arc;

use bytes::Bytes;
use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::footer;

pub(crate) fn file() -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(bytes()).unwrap()
}

/// Two row groups of rows 0 to 99 and 100 to 199: `n` in hundredths, `day`, and `t` where `n` is even.
pub(crate) fn bytes() -> Bytes {
    let text =
        "message m { required int64 n (DECIMAL(9,2)); required int32 day (DATE); optional binary t (UTF8); }";
    let properties = WriterProperties::builder().set_data_page_row_count_limit(7).set_write_batch_size(7);
    let schema = Arc::new(parse_message_type(text).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build())).unwrap();
    for start in [0_i32, 100] {
        let rows = start..start + 100;
        let numbers: Vec<i64> = rows.clone().map(i64::from).collect();
        let days: Vec<i32> = rows.clone().collect();
        let texts: Vec<ByteArray> =
            rows.clone().step_by(2).map(|n| format!("t{n}").into_bytes().into()).collect();
        let levels: Vec<i16> = rows.map(|n| i16::from(n % 2 == 0)).collect();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&days, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    Bytes::from(writer.into_inner().unwrap())
}

#[test]
fn any_window_holds_its_rows() {
    let file = file();
    for (offset, count) in [(0, 5), (6, 9), (95, 10), (100, 1), (199, 1), (0, 200), (190, 50), (200, 5)] {
        let columns = read(&file, offset, count).unwrap();
        let rows: Vec<u64> = (offset..200).take(count).collect();
        let texts = |show: &dyn Fn(u64) -> Option<String>| rows.iter().map(|n| show(*n)).collect::<Vec<_>>();
        assert_eq!(columns[0], texts(&|n| Some(format!("{}.{:02}", n / 100, n % 100))), "{offset} {count}");
        assert_eq!(columns[2], texts(&|n| (n % 2 == 0).then(|| format!("t{n}"))), "{offset} {count}");
    }
    assert_eq!(read(&file, 31, 1).unwrap()[1], [Some("1970-02-01".to_owned())]);
}

#[test]
fn footers_merge_row_groups_by_value() {
    let footer = serde_json::to_value(footer::of(&file())).unwrap();
    let [number, _, text] = [0, 1, 2].map(|index| &footer["columns"][index]);
    assert_eq!([&number["min"], &number["max"]], ["0.00", "1.99"]);
    assert_eq!([&number["athena"], &number["parquet"]], ["decimal(9,2)", "INT64 DECIMAL(9,2)"]);
    assert_eq!([&text["nulls"], &footer["rows"]], [100, 200]);
    assert_eq!(footer["groups"].as_array().map(Vec::len), Some(2));
}
