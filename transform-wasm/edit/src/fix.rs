//! A fix in a spec's text.

use lakegate_model::{Edit, Fix};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};

use crate::document::{entries, no_toml, push, separate, set, text};

/// The spec with the edits of a fix in it.
///
/// # Errors
/// In one sentence: the spec is no TOML, or has no place for an edit.
pub fn apply(spec: &str, fix: &Fix) -> Result<String, String> {
    let mut document: DocumentMut = spec.parse().map_err(no_toml)?;
    for edit in &fix.0 {
        one(&mut document, edit)?;
    }
    Ok(document.to_string())
}

fn one(document: &mut DocumentMut, edit: &Edit) -> Result<(), String> {
    let value: Value =
        edit.value.parse().map_err(|_| format!("`{}` is no value that a spec can have", edit.value))?;
    let Some(table) = &edit.table else {
        set(input(document)?, &edit.key, value);
        return Ok(());
    };
    let table = table_of(document, table)?;
    let Some(column) = &edit.column else {
        set(table, &edit.key, value);
        return Ok(());
    };
    set(column_of(table, column, edit.from.as_deref())?, &edit.key, value);
    Ok(())
}

/// `[input]`, which is made before the first table where there is none.
fn input(document: &mut DocumentMut) -> Result<&mut dyn TableLike, String> {
    if !document.contains_key("input") {
        let is_first = document.iter().all(|(_, item)| !item.is_table() && !item.is_array_of_tables());
        let mut table = Table::new();
        if !is_first || !document.is_empty() {
            table.decor_mut().set_prefix("\n");
        }
        document.insert("input", Item::Table(table));
    }
    document["input"].as_table_like_mut().ok_or_else(|| "`input` is no table in the spec".to_owned())
}

/// The table of that name; the only one, where it has no name; a new one where there is none.
fn table_of<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut dyn TableLike, String> {
    if !document.contains_key("table") {
        let table = separate(document.is_empty());
        document.insert("table", Item::ArrayOfTables(ArrayOfTables::from_iter([table])));
    }
    let entries =
        entries(&mut document["table"]).ok_or_else(|| "`table` is no list in the spec".to_owned())?;
    let names: Vec<Option<String>> = entries.iter().map(|table| text(&**table, "name")).collect();
    let at = match &names[..] {
        [None] => Some(0),
        names => names.iter().position(|other| other.as_deref() == Some(name)),
    };
    let table = at.and_then(|at| entries.into_iter().nth(at));
    table.ok_or_else(|| format!("the spec has no table `{name}`"))
}

/// The column of that name, or of that path; a new one where it is not declared.
fn column_of<'a>(
    table: &'a mut dyn TableLike,
    name: &str,
    from: Option<&str>,
) -> Result<&'a mut dyn TableLike, String> {
    if !table.contains_key("column") {
        table.insert("column", Item::ArrayOfTables(ArrayOfTables::new()));
    }
    let no_list = || "`column` is no list in the spec".to_owned();
    let item = table.get_mut("column").ok_or_else(no_list)?;
    let known = entries(item).ok_or_else(no_list)?;
    let is_of = |column: &dyn TableLike, key, value: &str| text(column, key).as_deref() == Some(value);
    let named = known.iter().position(|column| is_of(&**column, "name", name));
    let at = named
        .or_else(|| known.iter().position(|column| from.is_some_and(|from| is_of(&**column, "from", from))));
    let at = at.unwrap_or_else(|| {
        let from = from.filter(|from| *from != name);
        push(item, [("name", Some(name)), ("from", from)]);
        usize::MAX
    });
    let mut all = entries(item).ok_or_else(no_list)?;
    if at == usize::MAX { all.pop() } else { all.into_iter().nth(at) }.ok_or_else(no_list)
}

#[cfg(test)]
#[path = "laws.rs"]
mod laws;
