//! Lists and tables of a spec, however they are written: `[[table]]` or `table = [{ … }]`.

use toml_edit::{Array, InlineTable, Item, Table, TableLike, Value};

#[allow(clippy::needless_pass_by_value)] // as `map_err` gives it
pub(crate) fn no_toml(error: toml_edit::TomlError) -> String {
    format!("the spec cannot be changed before its mistake is mended: {}", error.message())
}

/// Adds an entry with these texts to a list of tables, in the way in which it is written.
pub(crate) fn push(list: &mut Item, texts: [(&str, Option<&str>); 2]) {
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text?)));
    match list {
        Item::ArrayOfTables(tables) => {
            let mut table = separate(false);
            texts.for_each(|(key, text)| set(&mut table, key, text.into()));
            tables.push(table);
        }
        Item::Value(Value::Array(array)) => {
            let mut table = InlineTable::new();
            texts.for_each(|(key, text)| set(&mut table, key, text.into()));
            push_inline(array, table);
        }
        _ => {}
    }
}

/// Adds a table to an array, in a line of its own where the others are.
fn push_inline(array: &mut Array, table: InlineTable) {
    let prefix = array.iter().last().and_then(|last| last.decor().prefix()?.as_str());
    let prefix = prefix.filter(|prefix| prefix.contains('\n')).unwrap_or(" ").to_owned();
    let prefix = if array.is_empty() { String::new() } else { prefix };
    let mut value = Value::InlineTable(table);
    value.decor_mut().set_prefix(prefix);
    array.push_formatted(value);
}

/// A table with a line before it, unless it is the first.
pub(crate) fn separate(first: bool) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix(if first { "" } else { "\n" });
    table
}

/// The tables of a list, however it is written.
pub(crate) fn entries(item: &mut Item) -> Option<Vec<&mut dyn TableLike>> {
    match item {
        Item::ArrayOfTables(tables) => {
            Some(tables.iter_mut().map(|table| table as &mut dyn TableLike).collect())
        }
        Item::Value(Value::Array(array)) => array
            .iter_mut()
            .map(|value| value.as_inline_table_mut().map(|table| table as &mut dyn TableLike))
            .collect(),
        _ => None,
    }
}

pub(crate) fn text(table: &dyn TableLike, key: &str) -> Option<String> {
    table.get(key)?.as_str().map(str::to_owned)
}

/// Sets a key; what stands around its value stays.
pub(crate) fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        _ => {
            table.insert(key, Item::Value(value));
        }
    }
}
