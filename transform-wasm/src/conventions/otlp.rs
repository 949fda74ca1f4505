//! OpenTelemetry as JSON: values in objects whose key is their type, and attributes as lists of keys and values.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding> (AnyValue, KeyValue).

use super::{Convention, Value, Writer, as_any_value};

pub static OTLP: Convention = Convention {
    name: "otlp",
    record: as_any_value,
    value,
    shows: |paths| {
        let kinds: [&[u8]; 4] = [b"resourceLogs", b"resourceSpans", b"resourceMetrics", b"scopeLogs"];
        let found = paths.children(0).into_iter().map(|(key, _)| key).find(|key| kinds.contains(key))?;
        let found = String::from_utf8_lossy(found);
        Some(format!("{found} is what OpenTelemetry writes: attributes are lists of keys and typed values"))
    },
};

fn value(value: Value<'_>, writer: &mut Writer<'_>) -> bool {
    if value.is_array() {
        return attributes(value, writer);
    }
    let Some((key, of)) = value.only() else { return false };
    match key {
        b"stringValue" | b"bytesValue" if of.is_text() => writer.raw(of.raw()),
        b"boolValue" if matches!(of.raw(), b"true" | b"false") => writer.raw(of.raw()),
        b"intValue" | b"doubleValue" if of.is_number() || of.is_text() => writer.number_or_text(of),
        b"arrayValue" => match of.get(b"values") {
            Some(values) if values.is_array() => writer.array(values.elements()),
            None if of.is_object() => writer.raw(b"[]"),
            _ => return false,
        },
        b"kvlistValue" => match of.get(b"values") {
            Some(values) if attributes(values, writer) => {}
            None if of.is_object() => writer.raw(b"{}"),
            _ => return false,
        },
        _ => return false,
    }
    true
}

/// A list of keys and values as the object that it means.
fn attributes(list: Value<'_>, writer: &mut Writer<'_>) -> bool {
    let pair = |element: Value<'_>| {
        let key = element.get(b"key").filter(Value::is_text);
        let others = element.members().filter(|(key, _)| !matches!(*key, b"key" | b"value")).count();
        key.is_some() && others == 0
    };
    if list.elements().next().is_none() || !list.elements().all(pair) {
        return false;
    }
    writer.object(|members| {
        for element in list.elements() {
            let Some(key) = element.get(b"key").and_then(|key| key.quoted()) else { continue };
            let value = members.key(key);
            match element.get(b"value") {
                // An AnyValue that is not set.
                Some(of) if of.raw() != b"{}" => value.value(of),
                _ => value.raw(b"null"),
            }
        }
    });
    true
}
