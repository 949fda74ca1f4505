//! What a part file's footer says of how it was made: names of the keys, and where each column comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::contract::Origin;

/// Digest of the component.
pub const COMPONENT: &str = "lakegate.component";
/// Digest of the spec.
pub const SPEC: &str = "lakegate.spec";
/// Digest of the contract.
pub const CONTRACT: &str = "lakegate.contract";
/// Where each column comes from, as [`origins_text`] writes it.
pub const POINTERS: &str = "lakegate.pointers";

/// Column → origin as JSON: a text is a pointer, `{"rest": …}` what else an object has, `{"rescued": true}`
/// values that did not fit, `{"sql": …}` an expression, `{"transform": …}` an extension.
pub fn origins_text<'a>(columns: impl IntoIterator<Item = (&'a str, &'a Origin)>) -> String {
    let value = |origin: &Origin| match origin {
        Origin::Pointer(pointer) => Value::from(pointer.as_str()),
        Origin::Rest(pointer) => json!({ "rest": pointer }),
        Origin::Rescued => json!({ "rescued": true }),
        Origin::Sql(sql) => json!({ "sql": sql }),
        Origin::Transform(name) => json!({ "transform": name }),
    };
    let map: Map<String, Value> =
        columns.into_iter().map(|(name, origin)| (name.to_owned(), value(origin))).collect();
    Value::Object(map).to_string()
}

/// Reads what [`origins_text`] wrote. An origin of a kind that is not known here is left out, and of a text
/// that is no such thing nothing is known: files of strangers are shown too.
pub fn origins(text: &str) -> BTreeMap<String, Origin> {
    let map: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let origin = |value: &Value| {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let pointer = value.as_str().map(|pointer| Origin::Pointer(pointer.to_owned()));
        let made = text("sql").map(Origin::Sql).or_else(|| text("transform").map(Origin::Transform));
        let rescued = value.get("rescued").map(|_| Origin::Rescued);
        pointer.or(made).or_else(|| text("rest").map(Origin::Rest)).or(rescued)
    };
    map.iter().filter_map(|(name, value)| Some((name.clone(), origin(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_back() {
        let all = [
            ("b", Origin::Pointer("/b".into())),
            ("a", Origin::Sql("b * 2".into())),
            ("c", Origin::Transform("mask".into())),
            ("d", Origin::Rest("/d".into())),
        ];
        let text = origins_text(all.iter().map(|(name, origin)| (*name, origin)));
        assert_eq!(text, r#"{"b":"/b","a":{"sql":"b * 2"},"c":{"transform":"mask"},"d":{"rest":"/d"}}"#);
        let read = origins(&text);
        assert!(all.iter().all(|(name, origin)| read.get(*name) == Some(origin)) && read.len() == 4);
        assert!(origins("no JSON").is_empty() && origins("{\"a\":7}").is_empty());
    }
}
