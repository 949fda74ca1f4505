//! DynamoDB JSON: each value in an object whose key is its type.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>, and the export
//! to S3, whose records have the item below `Item`.

use super::{Convention, Value, Writer, object_where};

pub static DYNAMODB: Convention = Convention {
    name: "dynamodb",
    record,
    value,
    shows: |paths| {
        let types: [&[u8]; 10] = [b"S", b"N", b"B", b"BOOL", b"NULL", b"M", b"L", b"SS", b"NS", b"BS"];
        let is_typed = |node: u32| {
            let keys = paths.children(node);
            !keys.is_empty() && keys.iter().all(|(key, _)| types.contains(key))
        };
        // One attribute of a type could be anything: an item has its key, and more.
        let at =
            object_where(paths, |children| children.len() > 1 && children.iter().all(|&(_, c)| is_typed(c)))?;
        Some(format!("{at} has its values in objects whose keys are types (S, N, M …)"))
    },
};

fn record(record: Value<'_>, writer: &mut Writer<'_>) {
    // The names of an item's attributes are its own: none of them is a type.
    match record.only() {
        Some((b"Item", item)) if item.is_object() => writer.within(item),
        _ => writer.within(record),
    }
}

fn value(value: Value<'_>, writer: &mut Writer<'_>) -> bool {
    let Some((key, of)) = value.only() else { return false };
    match key {
        b"S" | b"B" if of.is_text() => writer.raw(of.raw()),
        b"N" if of.is_text() => writer.number_or_text(of),
        b"BOOL" if matches!(of.raw(), b"true" | b"false") => writer.raw(of.raw()),
        b"NULL" if of.raw() == b"true" => writer.raw(b"null"),
        b"M" if of.is_object() => writer.within(of),
        b"L" if of.is_array() => writer.within(of),
        b"SS" | b"BS" if of.is_array() => writer.raw(of.raw()),
        b"NS" if of.is_array() => writer.array_of(of.elements(), |writer, one| writer.number_or_text(one)),
        _ => return false,
    }
    true
}
