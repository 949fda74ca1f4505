//! MongoDB extended JSON, canonical and relaxed, versions 1 and 2: values whose types JSON lacks, in objects whose
//! keys begin with `$`.
//!
//! Source: <https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/> and the specification beside it.

use super::{Convention, Value, Writer, as_any_value, object_where};

pub static MONGODB: Convention = Convention {
    name: "mongodb",
    record: as_any_value,
    value,
    shows: |paths| {
        let signs: [&[u8]; 7] = [
            b"$oid",
            b"$date",
            b"$numberLong",
            b"$numberDecimal",
            b"$numberInt",
            b"$numberDouble",
            b"$binary",
        ];
        let at = object_where(paths, |children| children.iter().any(|(key, _)| signs.contains(key)))?;
        Some(format!("{at} is written as MongoDB writes types that JSON lacks ($oid, $date, $numberLong …)"))
    },
};

fn value(value: Value<'_>, writer: &mut Writer<'_>) -> bool {
    if !value.members().next().is_some_and(|(key, _)| key.starts_with(b"$")) {
        return false;
    }
    match value.only() {
        Some((key, of)) => one(key, of, writer),
        None => several(value, writer),
    }
}

fn one(key: &[u8], of: Value<'_>, writer: &mut Writer<'_>) -> bool {
    match key {
        b"$oid" | b"$symbol" | b"$code" | b"$uuid" if of.is_text() => writer.raw(of.raw()),
        b"$numberInt" | b"$numberLong" | b"$numberDouble" | b"$numberDecimal" if of.is_text() => {
            writer.number_or_text(of);
        }
        b"$date" if of.is_text() => writer.raw(of.raw()),
        b"$date" => match milliseconds(of) {
            Some(count) => writer.moment(count, 1000),
            None => return false,
        },
        b"$timestamp" => match of.get(b"t").and_then(integer) {
            Some(seconds) => writer.moment(seconds, 1),
            None => return false,
        },
        b"$binary" => match of.get(b"base64").filter(Value::is_text) {
            Some(base64) => writer.raw(base64.raw()),
            None => return false,
        },
        b"$regularExpression" => match of.get(b"pattern").filter(Value::is_text) {
            Some(pattern) => writer.raw(pattern.raw()),
            None => return false,
        },
        b"$undefined" => writer.raw(b"null"),
        b"$minKey" => writer.raw(b"\"MinKey\""),
        b"$maxKey" => writer.raw(b"\"MaxKey\""),
        _ => return false,
    }
    true
}

/// Those of version 1 that have a second key.
fn several(value: Value<'_>, writer: &mut Writer<'_>) -> bool {
    let pair = |key: &[u8], second: &[u8]| value.get(key).filter(|_| value.get(second).is_some());
    let of = pair(b"$binary", b"$type").or_else(|| pair(b"$regex", b"$options"));
    match of.filter(|of| of.is_text() && value.members().count() == 2) {
        Some(of) => writer.raw(of.raw()),
        None => return false,
    }
    true
}

/// `{"$numberLong": "…"}`, or a number as version 1 has it.
fn milliseconds(date: Value<'_>) -> Option<i64> {
    integer(date.get(b"$numberLong").unwrap_or(date))
}

fn integer(value: Value<'_>) -> Option<i64> {
    std::str::from_utf8(value.quoted().unwrap_or(value.raw())).ok()?.parse().ok()
}
