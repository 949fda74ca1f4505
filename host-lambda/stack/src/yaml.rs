//! Templates as YAML: maps and lists in blocks, CloudFormation's functions in their short form, remarks.
//!
//! Not a YAML library: it writes what templates hold and reads nothing. The decision to know: texts stand in quotes
//! unless every reader takes them for the same text without, and what is in quotes is written as JSON writes it, which
//! YAML is a superset of. The maintained crates write neither tags of this kind nor remarks.

use serde_json::Value;

/// Key of a remark: it stands before what follows it in the map.
pub const REMARK: &str = "#";

/// Functions with a short form, by their long names.
const SHORT: [(&str, &str); 4] =
    [("Ref", "!Ref"), ("Fn::GetAtt", "!GetAtt"), ("Fn::Sub", "!Sub"), ("Fn::Join", "!Join")];

/// The text of a template.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// A value in lines of its own, indented.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key.starts_with(REMARK) {
                    remark(value, indent, out);
                    continue;
                }
                pad(indent, out);
                out.push_str(&scalar(key));
                out.push(':');
                below(value, indent, out);
            }
        }
        Value::Array(list) => {
            for value in list {
                pad(indent, out);
                out.push('-');
                item(value, indent, out);
            }
        }
        other => {
            pad(indent, out);
            out.push_str(&plain(other));
            out.push('\n');
        }
    }
}

/// What follows `key:`.
fn below(value: &Value, indent: usize, out: &mut String) {
    match value {
        _ if is_inline(value) => {
            out.push(' ');
            out.push_str(&plain(value));
            out.push('\n');
        }
        Value::Object(map) => match short(map) {
            Some((tag, of)) => {
                out.push_str(&format!(" {tag}\n"));
                block(of, indent + 1, out);
            }
            None => {
                out.push('\n');
                block(value, indent + 1, out);
            }
        },
        _ => {
            out.push('\n');
            block(value, indent + 1, out);
        }
    }
}

/// What follows `-`: a map begins on the same line.
fn item(value: &Value, indent: usize, out: &mut String) {
    if is_inline(value) {
        out.push(' ');
        out.push_str(&plain(value));
        out.push('\n');
        return;
    }
    if let Value::Object(map) = value
        && let Some((tag, of)) = short(map)
    {
        out.push_str(&format!(" {tag}\n"));
        block(of, indent + 1, out);
        return;
    }
    let mut inner = String::new();
    block(value, indent + 1, &mut inner);
    out.push(' ');
    out.push_str(inner.trim_start());
}

fn short(map: &serde_json::Map<String, Value>) -> Option<(&'static str, &Value)> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    SHORT.iter().find(|(long, _)| long == key).map(|(_, tag)| (*tag, value))
}

/// Whether a value goes onto the line of its key.
fn is_inline(value: &Value) -> bool {
    match value {
        Value::Object(map) if map.is_empty() => true,
        Value::Object(map) => short(map).is_some_and(|(_, of)| of.is_string()),
        Value::Array(list) => list.is_empty() || list.iter().all(is_short_list_item) && list.len() <= 4,
        _ => true,
    }
}

/// Numbers and short words may stand beside each other.
fn is_short_list_item(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= 24 && !text.contains('$'),
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => match short(map) {
            Some((tag, Value::String(text))) => format!("{tag} {}", scalar(text)),
            _ => "{}".to_owned(),
        },
        other => other.to_string(),
    }
}

/// A text, in quotes where it must be.
fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/');
    let sign = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    // Words that YAML 1.1 takes for something else than text.
    let word = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let safe = first
        && text.chars().all(sign)
        && !text.ends_with(':')
        && !text.contains(": ")
        && !word.contains(&text.to_ascii_lowercase().as_str());
    if safe { text.to_owned() } else { Value::from(text).to_string() }
}

fn remark(value: &Value, indent: usize, out: &mut String) {
    for line in value.as_str().unwrap_or_default().lines() {
        if line.is_empty() {
            out.push('\n');
            continue;
        }
        pad(indent, out);
        out.push_str(&format!("# {line}\n"));
    }
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", indent));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_lists_functions_and_remarks() {
        let value = json!({
            "#1": "A remark.\n\nTwo lines.",
            "Version": "2012-10-17",
            "Role": {"Fn::GetAtt": "Role.Arn"},
            "Name": {"Fn::Sub": "${AWS::StackName}-x"},
            "Empty": {}, "None": [],
            "Few": [1, 2], "Words": ["a", "b"],
            "List": [{"A": 1, "B": {"C": "yes"}}, {"Ref": "Topic"}, "arn:${AWS::Partition}:s3:::raw/*"],
            "Join": {"Fn::Join": ["", ["a", {"Ref": "B"}]]},
        });
        let expected = "\
# A remark.

# Two lines.
Version: \"2012-10-17\"
Role: !GetAtt Role.Arn
Name: !Sub \"${AWS::StackName}-x\"
Empty: {}
None: []
Few: [1, 2]
Words: [a, b]
List:
  - A: 1
    B:
      C: \"yes\"
  - !Ref Topic
  - \"arn:${AWS::Partition}:s3:::raw/*\"
Join: !Join
  - \"\"
  -
    - a
    - !Ref B
";
        assert_eq!(text(&value), expected.replace("  -\n    - a\n    - !Ref B\n", "  - - a\n    - !Ref B\n"));
    }

    #[test]
    fn texts_that_yaml_would_read_otherwise_stand_in_quotes() {
        for text in ["", "on", "No", "1", "2012-10-17", "a: b", "a #b", "*", "!x", "a'b", "a:", "-"] {
            assert_eq!(scalar(text), Value::from(text).to_string(), "{text}");
        }
        for text in ["arn:aws:s3", "states:StartExecution", "/aws/lambda/x", "provided.al2023"] {
            assert_eq!(scalar(text), text);
        }
    }
}
