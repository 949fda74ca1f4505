//! How the resources of two templates differ.
//!
//! The decision to know: values are compared, in one form and order, since a packager writes a template anew. That it
//! names the function's code by where it put it is no difference.

use std::collections::{BTreeMap, BTreeSet};

use lakegate_base::Result;
use serde_json::{Map, Value, json};

use crate::{read, yaml};

/// Where the function's code is, before and after packaging.
const CODE: &str = "CodeUri";

/// Values of resources by logical id, in one form whoever wrote the template.
///
/// # Errors
/// It is no template.
pub fn values(template: &str) -> Result<BTreeMap<String, Value>> {
    let read = read::value(template)?;
    let resources = read.get("Resources").and_then(Value::as_object);
    let one = |(id, value): (&String, &Value)| (id.clone(), in_order(value.clone()));
    Ok(resources.into_iter().flatten().map(one).collect())
}

/// How a resource differs between what is deployed and what is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Logical id.
    pub id: String,
    /// Type.
    pub kind: String,
    /// `new` where it is not deployed, `gone` where it is not rendered any more, else `changed`.
    pub change: &'static str,
    /// The first lines that are deployed and not rendered.
    pub deployed: Vec<String>,
    /// The first lines that are rendered and not deployed.
    pub rendered: Vec<String>,
}

/// What would change if a rendered template was deployed, by logical id.
///
/// # Errors
/// One of them is no template.
pub fn differences(deployed: &str, rendered: &str) -> Result<Vec<Difference>> {
    let (there, wanted) = (values(deployed)?, values(rendered)?);
    let ids: BTreeSet<&String> = there.keys().chain(wanted.keys()).collect();
    let mut found = Vec::new();
    for id in ids {
        let (old, new) = (there.get(id), wanted.get(id));
        let kind = new.or(old).and_then(|one| one["Type"].as_str()).unwrap_or_default().to_owned();
        let mut difference =
            Difference { id: id.clone(), kind, change: "new", deployed: Vec::new(), rendered: Vec::new() };
        match (old, new) {
            (Some(old), Some(new)) => {
                let (old, new) = (text(&packaged(old, new)), text(new));
                if old == new {
                    continue;
                }
                difference.change = "changed";
                (difference.deployed, difference.rendered) = first_lines(&old, &new);
            }
            (Some(_), None) => difference.change = "gone",
            _ => {}
        }
        found.push(difference);
    }
    Ok(found)
}

/// The deployed resource as if nobody had packaged it.
fn packaged(deployed: &Value, rendered: &Value) -> Value {
    let mut deployed = deployed.clone();
    // `sam build` writes down the id once more.
    if let Some(metadata) = deployed.get_mut("Metadata").and_then(Value::as_object_mut) {
        metadata.remove("SamResourceId");
        if metadata.is_empty() && rendered.get("Metadata").is_none() {
            deployed.as_object_mut().map(|deployed| deployed.remove("Metadata"));
        }
    }
    let Some(code) = deployed.get_mut("Properties").and_then(|properties| properties.get_mut(CODE)) else {
        return deployed;
    };
    let is_put = match &*code {
        Value::String(place) => place.starts_with("s3://"),
        Value::Object(place) => place.contains_key("Bucket"),
        _ => false,
    };
    if let (true, Some(own)) =
        (is_put, rendered.get("Properties").and_then(|properties| properties.get(CODE)))
    {
        *code = own.clone();
    }
    deployed
}

fn text(value: &Value) -> String {
    yaml::text(value)
}

/// Lines that each has and the other has not, from where they part.
fn first_lines(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    const SHOWN: usize = 3;
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[same..], &new[same..]);
    let ends = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let shown = |lines: &[&str]| {
        let own = &lines[..lines.len() - ends];
        own.iter().take(SHOWN).map(|line| line.trim().to_owned()).collect()
    };
    (shown(old), shown(new))
}

/// Keys sorted, and functions and lists of one in one of their forms.
fn in_order(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<String, Value> = map.into_iter().collect();
            let one = |(key, value): (String, Value)| {
                let value = match (key.as_str(), value) {
                    ("Fn::GetAtt", Value::Array(parts)) if parts.iter().all(Value::is_string) => {
                        let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
                        json!(parts.join("."))
                    }
                    ("DependsOn", Value::String(one)) => json!([one]),
                    (_, value) => in_order(value),
                };
                (key, value)
            };
            Value::Object(sorted.into_iter().map(one).collect::<Map<_, _>>())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(in_order).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packaged_template_is_the_rendered_one() {
        let rendered = "Resources:\n  Function:\n    Type: AWS::Serverless::Function\n    DependsOn: [Log]\n    Properties:\n      CodeUri: lakegate.zip\n      Role: !GetAtt FunctionRole.Arn\n";
        let packaged = "Resources:\n  Function:\n    Type: AWS::Serverless::Function\n    Properties:\n      Role:\n        Fn::GetAtt:\n        - FunctionRole\n        - Arn\n      CodeUri: s3://artifacts/0123\n    DependsOn: Log\n";
        assert_eq!(differences(packaged, rendered).unwrap(), []);
        let local = packaged.replace("s3://artifacts/0123", "other.zip");
        assert_eq!(differences(&local, rendered).unwrap()[0].deployed, ["CodeUri: other.zip"]);
    }

    #[test]
    fn new_changed_and_gone_are_told_apart() {
        let deployed =
            r#"{"Resources": {"A": {"Type": "T", "Properties": {"X": 1, "Y": 2}}, "B": {"Type": "U"}}}"#;
        let rendered =
            "Resources:\n  A:\n    Type: T\n    Properties:\n      Y: 2\n      X: 3\n  C:\n    Type: V\n";
        let found = differences(deployed, rendered).unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.kind.as_str(), one.change)).collect();
        assert_eq!(told, [("A", "T", "changed"), ("B", "U", "gone"), ("C", "V", "new")]);
        assert_eq!(
            (&found[0].deployed[..], &found[0].rendered[..]),
            (&["X: 1".to_owned()][..], &["X: 3".to_owned()][..])
        );
        assert!(differences("Resources: [", rendered).is_err());
    }
}
