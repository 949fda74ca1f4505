//! Operators over rows: nulls, errors row by row, promotion, short cuts.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::Float64Type;

use super::{Batch, Env, Expr, RowErrors, SourceEnv};
use crate::column::ColumnType;
use crate::column_arrow::ArrowType as _;
use crate::value::time::{format_iso_date, format_iso_micros, format_iso_timestamp};

const DECIMAL: ColumnType = ColumnType::Decimal { precision: 10, scale: 2 };

/// Four rows; the last is null throughout.
fn table() -> (Vec<(String, ColumnType)>, Vec<Option<ArrayRef>>) {
    let decimals = Decimal128Array::from(vec![Some(1050), Some(-333), Some(0), None]);
    let columns: Vec<(&str, ColumnType, ArrayRef)> = vec![
        ("i", ColumnType::Bigint, Arc::new(Int64Array::from(vec![Some(7), Some(-2), Some(0), None]))),
        (
            "big",
            ColumnType::Bigint,
            Arc::new(Int64Array::from(vec![Some(i64::MAX), Some(i64::MIN), Some(1), None])),
        ),
        ("d", ColumnType::Double, Arc::new(Float64Array::from(vec![Some(2.5), Some(-0.5), Some(0.0), None]))),
        (
            "huge",
            ColumnType::Double,
            Arc::new(Float64Array::from(vec![Some(1e308), Some(1.0), Some(-1e308), None])),
        ),
        ("m", DECIMAL, Arc::new(decimals.with_precision_and_scale(10, 2).unwrap())),
        (
            "s",
            ColumnType::String,
            Arc::new(StringArray::from(vec![Some("Ab c"), Some("12"), Some(""), None])),
        ),
        ("b", ColumnType::Boolean, Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None]))),
        ("c", ColumnType::Boolean, Arc::new(BooleanArray::from(vec![Some(false), None, Some(true), None]))),
        ("day", ColumnType::Date, Arc::new(Date32Array::from(vec![Some(0), Some(20_089), Some(-1), None]))),
        (
            "at",
            ColumnType::Timestamp,
            Arc::new(TimestampMillisecondArray::from(vec![Some(0), Some(1_735_732_799_123), Some(-1), None])),
        ),
        (
            "fine",
            ColumnType::TimestampMicros,
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(123),
                Some(1_735_732_799_123_456),
                Some(-1),
                None,
            ])),
        ),
        ("unused", ColumnType::Bigint, Arc::new(Int64Array::from(vec![0; 4]))),
    ];
    let names = columns.iter().map(|(name, ty, _)| ((*name).to_owned(), *ty)).collect();
    let arrays = columns.into_iter().map(|(name, _, array)| (name != "unused").then_some(array)).collect();
    (names, arrays)
}

/// Each row as text: the value, `null`, or `!` and the error's code.
pub(super) fn rows(sql: &str) -> Vec<String> {
    let (names, arrays) = table();
    let source = SourceEnv {
        uri: "s3://raw/orders.json".into(),
        event_time: Some(86_400_000),
        load_time: Some(86_400_500),
        name: Some("orders.json".into()),
        size: Some(1 << 40),
        partitions: vec![("day".into(), "2025-01-02".into()), ("word".into(), "x".into())],
    };
    let env = Env { columns: &names, source: &source, tz_offset_ms: 3_600_000 };
    let expr = Expr::parse(sql, &env).unwrap_or_else(|error| panic!("{sql}: {error} ({:?})", error.hint));
    let mut errors = RowErrors::new();
    let records: ArrayRef = Arc::new(Int64Array::from(vec![7, 7, 8, 9]));
    let records = expr.uses_records().then_some(&records);
    let array = expr.evaluate(&Batch { rows: 4, columns: &arrays, records }, &mut errors);
    assert_eq!(array.len(), 4, "{sql}");
    assert_eq!(*array.data_type(), expr.ty().arrow_type(), "{sql}");
    for (row, _) in errors.iter() {
        assert!(array.is_null(row), "{sql}: a failed row is null");
    }
    (0..4)
        .map(|row| match errors.get(row) {
            Some(error) => format!("!{}", error.code),
            None if array.is_null(row) => "null".into(),
            None => show(&array, expr.ty(), row),
        })
        .collect()
}

fn show(array: &ArrayRef, ty: ColumnType, row: usize) -> String {
    use arrow::datatypes::{
        Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    };
    match ty {
        ColumnType::Boolean => array.as_boolean().value(row).to_string(),
        ColumnType::Bigint => array.as_primitive::<Int64Type>().value(row).to_string(),
        ColumnType::Double => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        ColumnType::Decimal { .. } => array.as_primitive::<Decimal128Type>().value_as_string(row),
        ColumnType::String | ColumnType::Json => format!("'{}'", array.as_string::<i32>().value(row)),
        ColumnType::Date => format_iso_date(array.as_primitive::<Date32Type>().value(row)),
        ColumnType::Timestamp => {
            format_iso_timestamp(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        ColumnType::TimestampMicros => {
            format_iso_micros(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
    }
}

/// Checks many expressions against their four rows, written with blanks between.
pub(super) fn check(cases: &[(&str, &str)]) {
    for (sql, expected) in cases {
        let found = rows(sql).join(" ");
        assert_eq!(found, *expected, "{sql}");
    }
}

#[test]
fn microseconds_meet_milliseconds_and_days() {
    check(&[
        ("fine", "1970-01-01T00:00:00.000123Z 2025-01-01T11:59:59.123456Z 1969-12-31T23:59:59.999999Z null"),
        ("fine = at", "false false false null"),
        ("fine > at", "true true true null"),
        ("at < fine AND at IS NOT NULL", "true true true false"),
        ("fine > day", "true true true null"),
        ("CAST(fine AS timestamp) = at", "true true true null"),
        ("CAST(fine AS timestamp(3)) = at", "true true true null"),
        ("CAST(at AS timestamp(6)) = at", "true true true null"),
        ("CAST(day AS timestamp(6)) = day", "true true true null"),
        ("CAST(fine AS date)", "1970-01-01 2025-01-01 1969-12-31 null"),
        ("CAST(fine AS string) LIKE '%56Z'", "false true false null"),
        ("CAST(CAST(fine AS string) AS timestamp(6)) = fine", "true true true null"),
        (
            "CAST('2025-01-01T00:00:00.0000019' AS timestamp(6))",
            "2024-12-31T23:00:00.000001Z 2024-12-31T23:00:00.000001Z 2024-12-31T23:00:00.000001Z 2024-12-31T23:00:00.000001Z",
        ),
        ("TRY_CAST(s AS timestamp(6)) IS NULL", "true true true true"),
        ("fine = TIMESTAMP '1970-01-01T00:00:00.000123Z'", "true false false null"),
        ("fine = '1970-01-01T00:00:00.000123Z'", "true false false null"),
        ("at BETWEEN day AND fine", "true true true null"),
        ("coalesce(at, fine)", "1970-01-01T00:00:00Z 2025-01-01T11:59:59.123Z 1969-12-31T23:59:59.999Z null"),
        (
            "CASE WHEN i > 0 THEN fine ELSE at END",
            "1970-01-01T00:00:00.000123Z 2025-01-01T11:59:59.123Z 1969-12-31T23:59:59.999Z null",
        ),
        ("date_trunc('second', fine)", "1970-01-01T00:00:00Z 2025-01-01T11:59:59Z 1969-12-31T23:59:59Z null"),
        ("date_trunc('month', fine)", "1970-01-01T00:00:00Z 2025-01-01T00:00:00Z 1969-12-01T00:00:00Z null"),
        ("year(fine) * 100 + second(fine)", "197000 202559 196959 null"),
        ("nullif(fine, fine) IS NULL", "true true true true"),
    ]);
}

#[test]
fn arithmetic() {
    check(&[
        ("i + 1", "8 -1 1 null"),
        ("1 - i", "-6 3 1 null"),
        ("i * i", "49 4 0 null"),
        ("i / 2", "3.5 -1.0 0.0 null"),
        ("i / 0", "null null null null"),
        ("10 / i", "1.4285714285714286 -5.0 null null"),
        ("i % 4", "3 -2 0 null"),
        ("5 % i", "5 1 null null"),
        ("big % -1", "0 0 0 null"),
        ("big + 1", "!numeric_overflow -9223372036854775807 2 null"),
        ("big - 1", "9223372036854775806 !numeric_overflow 0 null"),
        ("big * 2", "!numeric_overflow !numeric_overflow 2 null"),
        ("-big", "-9223372036854775807 !numeric_overflow -1 null"),
        ("- -i + +i", "14 -4 0 null"),
        ("d * i", "17.5 1.0 0.0 null"),
        ("d / d", "1.0 1.0 null null"),
        ("d / 0", "null null null null"),
        ("1 / d", "0.4 -2.0 null null"),
        ("d % 2", "0.5 -0.5 0.0 null"),
        ("d % d", "0.0 -0.0 null null"),
        ("huge * 10", "!numeric_overflow 10.0 !numeric_overflow null"),
        ("huge + huge", "!numeric_overflow 2.0 !numeric_overflow null"),
        ("d + NULL", "null null null null"),
        ("i + 2 * 3 - 4 / 2", "11.0 2.0 4.0 null"),
        ("2 + 3", "5 5 5 5"),
        ("-d", "-2.5 0.5 -0.0 null"),
    ]);
}

#[test]
fn decimals_are_exact() {
    check(&[
        ("m + 0.1", "10.60 -3.23 0.10 null"),
        ("m - i", "3.50 -1.33 0.00 null"),
        ("m * m", "110.2500 11.0889 0.0000 null"),
        ("m / 3", "3.500000 -1.110000 0.000000 null"),
        ("m / 7", "1.500000 -0.475714 0.000000 null"),
        ("1.00 / m", "0.095238 -0.300300 null null"),
        ("m % 3", "1.50 -0.33 0.00 null"),
        ("m % m", "0.00 0.00 null null"),
        ("-m", "-10.50 3.33 0.00 null"),
        ("m = 10.5", "true false false null"),
        ("m > d", "true false false null"),
        ("m < 10.501", "true true true null"),
        ("m BETWEEN -4 AND 0", "false true true null"),
        (
            "CAST(m AS decimal(38,2)) * CAST('999999999999999999999999999999999999' AS decimal(38,0))",
            "!numeric_overflow !numeric_overflow 0.00 null",
        ),
        (
            "CAST(m AS decimal(38,20)) / CAST(m AS decimal(38,20))",
            "1.00000000000000000000 1.00000000000000000000 null null",
        ),
    ]);
}

#[test]
fn comparisons() {
    check(&[
        ("i = 7", "true false false null"),
        ("i <> 7", "false true true null"),
        ("i != 7.0", "false true true null"),
        ("0 < i", "true false false null"),
        ("0 >= i", "false true true null"),
        ("i <= d", "false true true null"),
        ("i > d", "true false false null"),
        ("i = NULL", "null null null null"),
        ("NULL = NULL", "null null null null"),
        ("s < 'a'", "true true true null"),
        ("s >= 'Ab'", "true false false null"),
        ("'12' = s", "false true false null"),
        ("b = TRUE", "true false null null"),
        ("b < c", "false null null null"),
        ("day >= '2025-01-01'", "false true false null"),
        ("day = DATE '1970-01-01'", "true false false null"),
        ("at < day", "false false false null"),
        ("at = TIMESTAMP '1970-01-01T01:00:00'", "true false false null"),
        ("i BETWEEN -2 AND 0", "false true true null"),
        ("i NOT BETWEEN -2 AND d", "true false false null"),
        ("i BETWEEN 8 AND NULL", "false false false null"),
        ("1 BETWEEN 0 AND 2", "true true true true"),
        ("d = -0.0", "false false true null"),
    ]);
}

#[test]
fn three_valued_logic() {
    let values = ["TRUE", "FALSE", "CAST(NULL AS boolean)"];
    for (i, left) in values.iter().enumerate() {
        for (j, right) in values.iter().enumerate() {
            let and =
                ["true", "false", "null", "false", "false", "false", "null", "false", "null"][i * 3 + j];
            let or = ["true", "true", "true", "true", "false", "null", "true", "null", "null"][i * 3 + j];
            // Once folded, once with the left side from a column.
            let column = format!("(CASE WHEN i = 7 THEN {left} END)");
            for left in [*left, column.as_str()] {
                assert_eq!(rows(&format!("{left} AND {right}"))[0], and, "{left} AND {right}");
                assert_eq!(rows(&format!("{left} OR {right}"))[0], or, "{left} OR {right}");
            }
        }
    }
    check(&[
        ("NOT b", "false true null null"),
        ("b AND c", "false false null null"),
        ("b OR c", "true null true null"),
        ("b AND NULL", "null false null null"),
        ("b OR c AND NOT b", "true null null null"),
        ("b IS NULL", "false false true true"),
        ("b IS NOT NULL", "true true false false"),
        ("b IS TRUE", "true false false false"),
        ("b IS NOT TRUE", "false true true true"),
        ("b IS FALSE", "false true false false"),
        ("b IS NOT FALSE", "true false true true"),
        ("NULL IS NULL", "true true true true"),
        ("NOT i = 7", "false true true null"),
    ]);
}

#[test]
fn in_and_like() {
    check(&[
        ("i IN (7, 0)", "true false true null"),
        ("i IN (7, NULL)", "true null null null"),
        ("i NOT IN (7, NULL)", "false null null null"),
        ("i NOT IN (1, 2.5)", "true true true null"),
        ("s IN ('12', lower('AB C'), s)", "true true true null"),
        ("day IN ('1970-01-01', '2025-01-01')", "true true false null"),
        ("s LIKE 'A%'", "true false false null"),
        ("s NOT LIKE 'A%'", "false true true null"),
        ("s LIKE '__'", "false true false null"),
        ("s LIKE '%b%c'", "true false false null"),
        ("s LIKE s", "true true true null"),
        ("s LIKE '%'", "true true true null"),
        ("s LIKE NULL", "null null null null"),
        ("'50%' LIKE '%!%' ESCAPE '!'", "true true true true"),
        ("s LIKE '1!2' ESCAPE '!'", "!cast_failed !cast_failed !cast_failed null"),
        ("'aXbXc' LIKE '%X_'", "true true true true"),
        ("'ääb' LIKE '_äb'", "true true true true"),
    ]);
}

#[test]
fn case_and_its_relatives() {
    check(&[
        ("CASE WHEN i > 0 THEN 'pos' WHEN i < 0 THEN 'neg' ELSE s END", "'pos' 'neg' '' null"),
        ("CASE WHEN i > 0 THEN 1 END", "1 null null null"),
        ("CASE i WHEN 7 THEN 1 WHEN 0 THEN 2.5 ELSE i END", "1.0 -2.0 2.5 null"),
        ("CASE s WHEN NULL THEN 1 ELSE 2 END", "2 2 2 2"),
        ("COALESCE(i, 0)", "7 -2 0 0"),
        ("COALESCE(NULL, b, c)", "true false true null"),
        ("COALESCE(m, 1)", "10.50 -3.33 0.00 1.00"),
        ("COALESCE(day, '2025-01-01')", "1970-01-01 2025-01-01 1969-12-31 2025-01-01"),
        ("NULLIF(i, 0)", "7 -2 null null"),
        ("NULLIF(s, '')", "'Ab c' '12' null null"),
        ("NULLIF(NULL, 1)", "null null null null"),
    ]);
}

#[test]
fn rows_that_did_not_need_it_are_not_rejected() {
    check(&[
        ("CASE WHEN s = '12' THEN CAST(s AS bigint) ELSE 0 END", "0 12 0 0"),
        ("s = '12' AND CAST(s AS bigint) > 1", "false true false null"),
        ("s <> '12' OR CAST(s AS bigint) > 1", "true true true null"),
        ("CAST(s AS bigint) > 1 AND s = '12'", "!cast_failed true !cast_failed null"),
        ("CAST(s AS bigint) IS NULL", "!cast_failed false !cast_failed true"),
        ("COALESCE(i, CAST(source_partition('word') AS bigint))", "7 -2 0 !cast_failed"),
        ("COALESCE(CAST(s AS bigint), 5)", "!cast_failed 12 !cast_failed 5"),
        ("CASE WHEN CAST(s AS bigint) = 12 THEN 1 ELSE 2 END", "!cast_failed 1 !cast_failed 2"),
        ("CASE CAST(s AS bigint) WHEN 12 THEN 1 ELSE 2 END", "!cast_failed 1 !cast_failed 2"),
        ("TRY_CAST(s AS bigint)", "null 12 null null"),
        ("TRY_CAST(big + 1 AS string)", "!numeric_overflow '-9223372036854775807' '2' null"),
    ]);
}

#[test]
fn dates_count_days() {
    check(&[
        ("day - '1970-01-01'", "0 20089 -1 null"),
        ("day + 1", "1970-01-02 2025-01-02 1970-01-01 null"),
        ("day - i", "1969-12-25 2025-01-03 1969-12-31 null"),
        ("2 + day", "1970-01-03 2025-01-03 1970-01-02 null"),
        ("day + big", "!date_out_of_range !date_out_of_range 1970-01-01 null"),
        ("CAST(at AS date) - day", "0 0 0 null"),
    ]);
}

#[test]
fn rubbish_of_kernels_does_not_leave() {
    let columns = vec![("a".to_owned(), ColumnType::Double)];
    let source = SourceEnv::default();
    let env = Env { columns: &columns, source: &source, tz_offset_ms: 0 };
    let array: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
    let expr = Expr::parse("a + 1", &env).unwrap();
    let result =
        expr.evaluate(&Batch { rows: 2, columns: &[Some(array)], records: None }, &mut RowErrors::new());
    assert_eq!(result.as_primitive::<Float64Type>().values().to_vec(), [2.0, 0.0]);
    // No rows at all, with and without columns.
    for sql in ["a + 1", "1 + 1", "CASE WHEN a > 0 THEN 'x' END", "COALESCE(a, 1)"] {
        let array: ArrayRef = Arc::new(Float64Array::from(Vec::<f64>::new()));
        let expr = Expr::parse(sql, &env).unwrap();
        assert_eq!(
            expr.evaluate(&Batch { rows: 0, columns: &[Some(array)], records: None }, &mut RowErrors::new())
                .len(),
            0
        );
    }
}

#[test]
fn errors_of_other_expressions_stand() {
    let columns = vec![("a".to_owned(), ColumnType::Bigint)];
    let source = SourceEnv::default();
    let env = Env { columns: &columns, source: &source, tz_offset_ms: 0 };
    let array: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 1]));
    let batch = Batch { rows: 2, columns: &[Some(array)], records: None };
    let mut errors = RowErrors::new();
    Expr::parse("a + 1", &env).unwrap().evaluate(&batch, &mut errors);
    let second = Expr::parse("CAST(a AS double)", &env).unwrap().evaluate(&batch, &mut errors);
    assert_eq!((errors.iter().count(), second.null_count()), (1, 1));
    assert_eq!(errors.get(0).unwrap().code, "numeric_overflow", "a row keeps its first error");
    // What failed before does not make a later result null.
    let third = Expr::parse("a - 1", &env).unwrap().evaluate(&batch, &mut errors);
    assert_eq!(third.null_count(), 0);
}

#[test]
fn declared_types() {
    let columns = vec![("a".to_owned(), ColumnType::Bigint)];
    let source = SourceEnv::default();
    let env = Env { columns: &columns, source: &source, tz_offset_ms: 0 };
    let parse = || Expr::parse("a * 2", &env).unwrap();
    assert_eq!(parse().cast_to(ColumnType::Double).unwrap().ty(), ColumnType::Double);
    assert_eq!(parse().cast_to(ColumnType::Json).unwrap().ty(), ColumnType::String);
    assert_eq!(parse().cast_to(ColumnType::Date).err().unwrap().message, "a bigint cannot be cast to date");
}
