//! Kafka Connect's JSON, with the schema beside it, and Debezium's envelope of a change.
//!
//! Sources: Kafka's `JsonConverter` and its logical types
//! (<https://kafka.apache.org/documentation/#connect_converters>), and Debezium's event and its types
//! (<https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-change-event-values>).
//! The names of what stands beside the row are those of Debezium's own `ExtractNewRecordState`: `__op`, `__ts_ms`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::writer::Members;
use super::{Convention, Paths, Value, Writer, as_any_value, below};
use crate::json::Cursor;
use crate::json::tape::Tape;
use crate::limits::Limits;

pub static KAFKA_CONNECT: Convention = Convention {
    name: "kafka-connect",
    record: |record, writer| match unwrapped(record) {
        Some((payload, schema)) => typed(payload, schema, writer),
        None => as_any_value(record, writer),
    },
    value: |_, _| false,
    shows: |paths| {
        let is_one = has(paths, 0, &[b"schema", b"payload"]) && paths.children(0).len() == 2;
        (is_one && !is_change(paths, below(paths, 0, b"payload")?))
            .then(|| "each record has its schema beside it (schema, payload)".into())
    },
};

pub static DEBEZIUM: Convention = Convention {
    name: "debezium",
    record: change,
    value: |_, _| false,
    shows: |paths| {
        let is_one = is_change(paths, 0) || is_change(paths, below(paths, 0, b"payload")?);
        is_one.then(|| "each record is a change as Debezium writes it (before, after, op)".into())
    },
};

fn has(paths: &dyn Paths, node: u32, keys: &[&[u8]]) -> bool {
    keys.iter().all(|key| below(paths, node, key).is_some())
}

fn is_change(paths: &dyn Paths, node: u32) -> bool {
    has(paths, node, &[b"before", b"after", b"op"])
}

/// The payload and its schema, where a record is nothing else.
fn unwrapped(record: Value<'_>) -> Option<(Value<'_>, Option<Value<'_>>)> {
    let payload = record.get(b"payload")?;
    let schema = record.get(b"schema")?;
    (record.members().count() == 2).then(|| (payload, Some(schema).filter(Value::is_object)))
}

/// A change: the row behind it, or before it where it was deleted, and beside it what is said of the change.
fn change(record: Value<'_>, writer: &mut Writer<'_>) {
    let (payload, schema) = unwrapped(record).unwrap_or((record, None));
    let is_change =
        payload.get(b"op").is_some() && payload.get(b"after").or(payload.get(b"before")).is_some();
    if !is_change {
        // A message without a payload says that a key is gone: a record without values.
        return match payload.is_null() {
            true => writer.raw(b"{}"),
            false => typed(payload, schema, writer),
        };
    }
    let side = if payload.get(b"after").is_some_and(|after| !after.is_null()) { "after" } else { "before" };
    let row = payload.get(side.as_bytes());
    let row_schema = schema.and_then(|schema| field(schema, side.as_bytes()));
    writer.object(|members| {
        let mut tape = Tape::default();
        let mut text = Vec::new();
        match row {
            Some(row) if row.is_object() => typed_members(row, row_schema, members),
            // As the connector of MongoDB writes it.
            Some(row) if row.is_text() => match document(row, &mut text, &mut tape) {
                Some(document) => members.all_of(document),
                None => members.key(side.as_bytes()).raw(row.raw()),
            },
            Some(row) if !row.is_null() => members.key(side.as_bytes()).raw(row.raw()),
            _ => {}
        }
        for (key, value) in payload.members().filter(|(key, _)| !matches!(*key, b"before" | b"after")) {
            members.key(&[b"__", key].concat()).raw(value.raw());
        }
    });
}

/// The object that is written in a text.
fn document<'a>(value: Value<'_>, text: &'a mut Vec<u8>, tape: &'a mut Tape) -> Option<Value<'a>> {
    *text = value.text()?;
    let end = tape.read(&Cursor { input: text, complete: true }, 0, Limits::default().depth).ok()?;
    let document = tape.value(text);
    (document.is_object() && text[end..].trim_ascii().is_empty()).then_some(document)
}

/// The schema of a struct's field.
fn field<'a>(schema: Value<'a>, name: &[u8]) -> Option<Value<'a>> {
    let is_named =
        |field: &Value<'_>| field.get(b"field").and_then(|text| text.text()).is_some_and(|text| text == name);
    schema.get(b"fields")?.elements().find(is_named)
}

fn typed_members(object: Value<'_>, schema: Option<Value<'_>>, members: &mut Members<'_, '_>) {
    let mut fields =
        schema.and_then(|schema| schema.get(b"fields")).into_iter().flat_map(|fields| fields.elements());
    for (key, value) in object.members() {
        // Fields come in the order of the schema: the next one is the one, or it is looked for.
        let is_named = |field: &Value<'_>| field.get(b"field").and_then(|text| text.quoted()) == Some(key);
        let of = fields.next().filter(is_named).or_else(|| schema.and_then(|schema| field(schema, key)));
        typed(value, of, members.key(key));
    }
}

/// A value as its schema has it.
fn typed(value: Value<'_>, schema: Option<Value<'_>>, writer: &mut Writer<'_>) {
    let Some(schema) = schema.filter(|_| !value.is_null()) else { return writer.raw(value.raw()) };
    let name = schema.get(b"name").and_then(|name| name.text()).unwrap_or_default();
    if logical(value, &name, schema, writer) {
        return;
    }
    if value.is_object() && schema.get(b"fields").is_some() {
        return writer.object(|members| typed_members(value, Some(schema), members));
    }
    let items = schema.get(b"items").filter(Value::is_object);
    match items {
        Some(items) if value.is_array() => {
            writer.array_of(value.elements(), |writer, element| typed(element, Some(items), writer));
        }
        _ => writer.raw(value.raw()),
    }
}

/// A value whose schema says what it means; false where it is nothing but what it is.
fn logical(value: Value<'_>, name: &[u8], schema: Value<'_>, writer: &mut Writer<'_>) -> bool {
    let count = || std::str::from_utf8(value.raw()).ok()?.parse::<i64>().ok();
    let number = |value: Option<Value<'_>>| {
        let value = value?;
        std::str::from_utf8(value.quoted().unwrap_or(value.raw())).ok()?.parse::<i64>().ok()
    };
    let written = match name {
        b"org.apache.kafka.connect.data.Date" | b"io.debezium.time.Date" => {
            count().map(|days| writer.date(days))
        }
        b"org.apache.kafka.connect.data.Timestamp" | b"io.debezium.time.Timestamp" => {
            count().map(|ms| writer.moment(ms, 1000))
        }
        b"io.debezium.time.MicroTimestamp" => count().map(|us| writer.moment(us, 1_000_000)),
        b"io.debezium.time.NanoTimestamp" => count().map(|ns| writer.moment(ns, 1_000_000_000)),
        b"org.apache.kafka.connect.data.Time" | b"io.debezium.time.Time" => {
            count().map(|ms| writer.time(ms, 1000))
        }
        b"io.debezium.time.MicroTime" => count().map(|us| writer.time(us, 1_000_000)),
        b"io.debezium.time.NanoTime" => count().map(|ns| writer.time(ns, 1_000_000_000)),
        b"org.apache.kafka.connect.data.Decimal" => {
            let scale = number(schema.get(b"parameters").and_then(|parameters| parameters.get(b"scale")));
            decimal(value, scale).map(|decimal| writer.raw(decimal.as_bytes()))
        }
        b"io.debezium.data.VariableScaleDecimal" => {
            let digits = value.get(b"value");
            let scale = number(value.get(b"scale"));
            digits.and_then(|digits| decimal(digits, scale)).map(|decimal| writer.raw(decimal.as_bytes()))
        }
        _ => None,
    };
    written.is_some()
}

/// A number whose digits are a big-endian integer of two's complement in base64; none beyond 128 bits.
fn decimal(value: Value<'_>, scale: Option<i64>) -> Option<String> {
    let scale = usize::try_from(scale?).ok().filter(|scale| *scale <= 1000)?;
    let bytes = STANDARD.decode(value.text()?).ok()?;
    let (first, mut wide) = (*bytes.first()?, [0; 16]);
    if first >= 0x80 {
        wide.fill(0xff);
    }
    let from = wide.len().checked_sub(bytes.len())?;
    wide[from..].copy_from_slice(&bytes);
    let unscaled = i128::from_be_bytes(wide);
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}
