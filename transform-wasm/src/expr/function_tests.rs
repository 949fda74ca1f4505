//! Functions and casts, row by row.

use super::eval_tests::check;

#[test]
fn casts() {
    check(&[
        ("CAST(s AS bigint)", "!cast_failed 12 !cast_failed null"),
        ("CAST(s AS double)", "!cast_failed 12.0 !cast_failed null"),
        ("CAST(s AS decimal(3,1))", "!cast_failed 12.0 !cast_failed null"),
        ("CAST(s AS decimal(2,1))", "!cast_failed !cast_failed !cast_failed null"),
        ("CAST(s AS boolean)", "!cast_failed !cast_failed !cast_failed null"),
        ("CAST(i AS double)", "7.0 -2.0 0.0 null"),
        ("CAST(big AS double)", "!cast_failed !cast_failed 1.0 null"),
        ("CAST(i AS decimal(3,2))", "7.00 -2.00 0.00 null"),
        ("CAST(i AS decimal(2,2))", "!cast_failed !cast_failed 0.00 null"),
        ("CAST(i AS boolean)", "true true false null"),
        ("CAST(i AS string)", "'7' '-2' '0' null"),
        ("CAST(d AS bigint)", "!cast_failed !cast_failed 0 null"),
        ("CAST(huge AS bigint)", "!cast_failed 1 !cast_failed null"),
        ("CAST(d AS decimal(5,0))", "3 -1 0 null"),
        ("CAST(d * 1.1 AS decimal(10,2))", "2.75 -0.55 0.00 null"),
        ("CAST(huge AS decimal(38,2))", "!cast_failed 1.00 !cast_failed null"),
        ("CAST(d / 1e30 AS decimal(10,2))", "0.00 0.00 0.00 null"),
        ("CAST(d AS string)", "'2.5' '-0.5' '0.0' null"),
        ("CAST(huge AS string)", "'1e308' '1.0' '-1e308' null"),
        ("CAST(m AS bigint)", "!cast_failed !cast_failed 0 null"),
        ("CAST(m AS double)", "10.5 -3.33 0.0 null"),
        ("CAST(m AS decimal(3,0))", "11 -3 0 null"),
        ("CAST(m AS decimal(20,4))", "10.5000 -3.3300 0.0000 null"),
        ("CAST(m AS string)", "'10.50' '-3.33' '0.00' null"),
        ("CAST(1.25 AS decimal(3,2))", "1.25 1.25 1.25 1.25"),
        ("CAST(b AS string)", "'true' 'false' null null"),
        ("CAST(b AS bigint)", "1 0 null null"),
        ("CAST('TRUE' AS boolean)", "true true true true"),
        ("CAST(day AS string)", "'1970-01-01' '2025-01-01' '1969-12-31' null"),
        ("CAST(at AS date)", "1970-01-01 2025-01-01 1969-12-31 null"),
        ("CAST(CAST(at AS string) AS timestamp) = at", "true true true null"),
        ("CAST(day AS timestamp) <= at", "true true true null"),
        ("CAST('2025-01-02' AS date)", "2025-01-02 2025-01-02 2025-01-02 2025-01-02"),
        ("date('2025-01-02T03:04:05Z')", "2025-01-02 2025-01-02 2025-01-02 2025-01-02"),
        ("TRY_CAST(d AS bigint)", "null null 0 null"),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("lower(s)", "'ab c' '12' '' null"),
        ("upper(s)", "'AB C' '12' '' null"),
        ("upper('äß')", "'ÄSS' 'ÄSS' 'ÄSS' 'ÄSS'"),
        ("trim('  a ')", "'a' 'a' 'a' 'a'"),
        ("ltrim('  a ')", "'a ' 'a ' 'a ' 'a '"),
        ("rtrim('  a ')", "'  a' '  a' '  a' '  a'"),
        ("length(s)", "4 2 0 null"),
        ("length('äö')", "2 2 2 2"),
        ("replace(s, 'b', 'xy')", "'Axy c' '12' '' null"),
        ("replace(s, '', 'x')", "'Ab c' '12' '' null"),
        ("s || '-' || s", "'Ab c-Ab c' '12-12' '-' null"),
        ("s || NULL", "null null null null"),
        ("concat(s, '.')", "'Ab c.' '12.' '.' null"),
        ("substr(s, 2)", "'b c' '2' '' null"),
        ("substr(s, 1, 1)", "'A' '1' '' null"),
        ("substring(s, -1)", "'c' '2' '' null"),
        ("substr(s, -3, 2)", "'b ' '' '' null"),
        ("substr(s, 0)", "'' '' '' null"),
        ("substr(s, 2, -1)", "'' '' '' null"),
        ("substr(s, i, 1)", "'' '1' '' null"),
        ("substr('aäöb', 2, 2)", "'äö' 'äö' 'äö' 'äö'"),
        ("substr(s, 9223372036854775807)", "'' '' '' null"),
        ("substr(s, -9223372036854775808)", "'' '' '' null"),
    ]);
}

#[test]
fn rounding() {
    check(&[
        ("abs(i)", "7 2 0 null"),
        ("abs(big)", "9223372036854775807 !numeric_overflow 1 null"),
        ("abs(d)", "2.5 0.5 0.0 null"),
        ("abs(m)", "10.50 3.33 0.00 null"),
        ("round(d)", "3.0 -1.0 0.0 null"),
        ("round(d, 1)", "2.5 -0.5 0.0 null"),
        ("round(d * 1.234, 2)", "3.09 -0.62 0.0 null"),
        ("round(huge, 5)", "1e308 1.0 -1e308 null"),
        ("round(huge, -38)", "1e308 0.0 -1e308 null"),
        ("round(m)", "11 -3 0 null"),
        ("round(m, 1)", "10.5 -3.3 0.0 null"),
        ("round(m, 5)", "10.50 -3.33 0.00 null"),
        ("round(m, -1)", "10 0 0 null"),
        ("round(i, -1)", "10 0 0 null"),
        ("round(big, -1)", "!numeric_overflow !numeric_overflow 0 null"),
        ("round(i, 2)", "7 -2 0 null"),
        ("floor(d)", "2.0 -1.0 0.0 null"),
        ("ceil(d)", "3.0 -0.0 0.0 null"),
        ("ceiling(m)", "11 -3 0 null"),
        ("floor(m)", "10 -4 0 null"),
        ("floor(i)", "7 -2 0 null"),
    ]);
}

#[test]
fn calendar() {
    check(&[
        ("year(day)", "1970 2025 1969 null"),
        ("month(day)", "1 1 12 null"),
        ("day(day)", "1 1 31 null"),
        ("quarter(day)", "1 1 4 null"),
        ("week(day)", "1 1 1 null"),
        ("hour(at)", "0 11 23 null"),
        ("minute(at)", "0 59 59 null"),
        ("second(at)", "0 59 59 null"),
        ("date_trunc('week', day)", "1969-12-29 2024-12-30 1969-12-29 null"),
        ("date_trunc('MONTH', day)", "1970-01-01 2025-01-01 1969-12-01 null"),
        ("date_trunc('quarter', day)", "1970-01-01 2025-01-01 1969-10-01 null"),
        ("date_trunc('year', day)", "1970-01-01 2025-01-01 1969-01-01 null"),
        ("date_trunc('day', at) = CAST(CAST(at AS date) AS timestamp)", "true true true null"),
    ]);
    check(&[
        ("CAST(date_trunc('hour', at) AS string) LIKE '2025-01-01_11:00:00%'", "false true false null"),
        ("CAST(date_trunc('minute', at) AS string) LIKE '%:59:00%'", "false true true null"),
        ("second(date_trunc('second', at))", "0 59 59 null"),
        ("to_date('02-01-2025', '%d-%m-%Y')", "2025-01-02 2025-01-02 2025-01-02 2025-01-02"),
        ("to_date(s, '%d-%m-%Y')", "!cast_failed !cast_failed !cast_failed null"),
        ("to_date('2025-01-02')", "2025-01-02 2025-01-02 2025-01-02 2025-01-02"),
        ("hour(to_timestamp('02.01.2025 03:04:05', '%d.%m.%Y %H:%M:%S'))", "2 2 2 2"),
        ("hour(to_timestamp('2025-01-02T03:04:05Z'))", "3 3 3 3"),
        ("hour(TIMESTAMP '2025-01-02 03:04:05')", "2 2 2 2"),
        ("day(CAST(NULL AS date))", "null null null null"),
    ]);
}

#[test]
fn source_facts() {
    check(&[
        ("source_uri() LIKE '%orders.json'", "true true true true"),
        ("CAST(event_time() AS date)", "1970-01-02 1970-01-02 1970-01-02 1970-01-02"),
        ("CAST(source_partition('day') AS date)", "2025-01-02 2025-01-02 2025-01-02 2025-01-02"),
        ("source_partition('none')", "null null null null"),
        ("source_name()", "'orders.json' 'orders.json' 'orders.json' 'orders.json'"),
        ("source_size() / 1024 / 1024 / 1024", "1024.0 1024.0 1024.0 1024.0"),
        ("date_trunc('second', load_time()) = event_time()", "true true true true"),
        ("record_number()", "7 7 8 9"),
        ("record_number() * 10 + i", "77 68 80 null"),
        ("CASE WHEN record_number() = 7 THEN s END", "'Ab c' '12' null null"),
        ("CAST(source_partition('word') AS bigint)", "!cast_failed !cast_failed !cast_failed !cast_failed"),
        ("source_partition('word') || s", "'xAb c' 'x12' 'x' null"),
    ]);
}

#[test]
fn json_texts() {
    check(&[
        ("json_extract_scalar('{\"a\": [1.50, \"x\"]}', '$.a[0]')", "'1.50' '1.50' '1.50' '1.50'"),
        ("json_extract_scalar('{\"a\": {}}', '$.a')", "null null null null"),
        ("json_extract_scalar(s, '$')", "null '12' null null"),
        ("json_array_length('[' || s || ']')", "null 1 0 null"),
        ("CAST(json_extract_scalar('{\"n\": ' || s || '}', '$.n') AS bigint)", "null 12 null null"),
    ]);
}

#[test]
fn patterns() {
    check(&[
        ("regexp_like(s, '^[A-Z]')", "true false false null"),
        ("regexp_like(s, '')", "true true true null"),
        ("regexp_extract(s, '[0-9]')", "null '1' null null"),
        ("regexp_extract(s, '(\\w)(\\w)', 2)", "'b' '2' null null"),
        ("regexp_extract(s, '(x)?2', 1)", "null null null null"),
        ("regexp_replace(s, '[a-z ]')", "'A' '12' '' null"),
        ("regexp_replace(s, '(\\w)(?P<last>\\w)', '${last}$1\\$')", "'bA$ c' '21$' '' null"),
        ("regexp_replace(s, '', '-')", "'-A-b- -c-' '-1-2-' '-' null"),
        ("split_part(s, ' ', 1)", "'Ab' '12' '' null"),
        ("split_part(s, ' ', 2)", "'c' null null null"),
        ("split_part(s, '', 2)", "'b' '2' null null"),
        ("split_part(s, ' ', i - 6)", "'Ab' !cast_failed !cast_failed null"),
        (
            "sha256('')",
            ["'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'"; 4].join(" ").as_str(),
        ),
    ]);
}
