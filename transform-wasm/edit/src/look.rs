//! Specs to look by, never for a table: no number of rejected records is too many under them.
//!
//! One whose filters reject: what they drop without a trace can be seen then, with its record and the rule; checks are left
//! out, since they judge only rows that no filter drops. And one that says no more than how the input is read.

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::document::{entries, no_toml, push, set, text};

/// The spec with `filter` and `drop_nulls` of each table as checks, named as the rule is written. `columns` answers with the
/// columns of a table by its name; none: of the one that has no name.
///
/// # Errors
/// In one sentence: the spec is no TOML.
pub fn as_checks(spec: &str, columns: impl Fn(Option<&str>) -> Vec<String>) -> Result<String, String> {
    let mut document: DocumentMut = spec.parse().map_err(no_toml)?;
    for table in document.get_mut("table").and_then(entries).unwrap_or_default() {
        let rules = rules(table, &columns);
        for gone in ["filter", "drop_nulls", "check"] {
            table.remove(gone);
        }
        table.insert("check", Item::ArrayOfTables(toml_edit::ArrayOfTables::new()));
        let Some(checks) = table.get_mut("check") else { continue };
        for (name, sql) in &rules {
            push(checks, [("name", Some(name)), ("sql", Some(sql))]);
        }
    }
    never_too_many(&mut document);
    Ok(document.to_string())
}

/// What the spec says of the input, and nothing else.
///
/// # Errors
/// In one sentence: the spec is no TOML.
pub fn input_alone(spec: &str) -> Result<String, String> {
    let mut document: DocumentMut = spec.parse().map_err(no_toml)?;
    document.retain(|key, _| key == "input");
    never_too_many(&mut document);
    Ok(document.to_string())
}

fn never_too_many(document: &mut DocumentMut) {
    let output = document.entry("output").or_insert_with(toml_edit::table);
    if let Some(output) = output.as_table_like_mut() {
        set(output, "max_rejected", Value::from("100%"));
    }
}

/// Name and condition of what a row must hold to stay.
fn rules(table: &dyn TableLike, columns: &impl Fn(Option<&str>) -> Vec<String>) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    let named: Vec<String> = match table.get("drop_nulls") {
        Some(Item::Value(Value::Array(array))) => {
            array.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        }
        Some(all) if all.as_bool() == Some(true) => columns(text(table, "name").as_deref()),
        _ => Vec::new(),
    };
    for column in named {
        let sql = format!("\"{}\" IS NOT NULL", column.replace('"', "\"\""));
        rules.push((format!("drop_nulls: {column}"), sql));
    }
    if let Some(filter) = text(table, "filter") {
        // Null drops a row as well; and a comment may end the condition.
        rules.push((format!("filter: {filter}"), format!("({filter}\n) IS TRUE")));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_checks_and_checks_go() {
        let spec = "[output]\nmax_rejected = 3\n\n[[table]]\nname = \"t\"\nfilter = \"a > 0\"\ndrop_nulls = [\"b\"]\n\n[[table.check]]\nname = \"c\"\nsql = \"b > 0\"\non_fail = \"fail\"\n";
        let inline = "table = [{ drop_nulls = true, filter = 'a > 0' }]\n";
        let columns = |table: Option<&str>| {
            assert_eq!(table, None);
            vec!["a".to_owned(), "odd \" name".to_owned()]
        };
        let checks = |text: &str| {
            let spec: toml::Table = text.parse().unwrap();
            assert_eq!(spec["output"]["max_rejected"].as_str(), Some("100%"));
            let table = &spec["table"][0];
            assert!(table.get("filter").is_none() && table.get("drop_nulls").is_none());
            let check = |check: &toml::Value| {
                assert!(check.get("on_fail").is_none());
                (check["name"].as_str().unwrap().to_owned(), check["sql"].as_str().unwrap().to_owned())
            };
            table["check"].as_array().unwrap().iter().map(check).collect::<Vec<_>>()
        };
        let filter = ("filter: a > 0".to_owned(), "(a > 0\n) IS TRUE".to_owned());
        let nulls =
            |name: &str, quoted: &str| (format!("drop_nulls: {name}"), format!("{quoted} IS NOT NULL"));
        assert_eq!(checks(&as_checks(spec, |_| Vec::new()).unwrap()), [nulls("b", "\"b\""), filter.clone()]);
        let both = [nulls("a", "\"a\""), nulls("odd \" name", "\"odd \"\" name\""), filter];
        assert_eq!(checks(&as_checks(inline, columns).unwrap()), both);
        assert!(as_checks("[input", |_| Vec::new()).is_err());
        assert_eq!(as_checks("", |_| Vec::new()).unwrap(), "[output]\nmax_rejected = \"100%\"\n");
        let of_input =
            "# all\n[input]\nformat = 'csv' # so\n\n[limits]\ndepth = 3\n[[table]]\nname = \"t\"\n";
        let alone: toml::Table = input_alone(of_input).unwrap().parse().unwrap();
        assert_eq!(alone.keys().collect::<Vec<_>>(), ["input", "output"]);
        assert_eq!(alone["input"]["format"].as_str(), Some("csv"));
    }
}
