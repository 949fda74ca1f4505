//! A template that is deployed, read: YAML with CloudFormation's short forms, or JSON.
//!
//! For comparing it with one that is rendered. Not for templates that somebody wrote with more of YAML than tools do: an
//! anchor is refused. The decision to know: whoever packages a template writes it anew, with other quotes, folds and long
//! forms of functions; so what is compared are values, and never texts.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use serde_json::{Map, Number, Value, json};

use lakegate_base::{Code, Error, Result};

/// Levels in each other: templates have a dozen, state machines in them as many more.
const DEPTH: usize = 100;

/// The value of a template's text.
///
/// # Errors
/// It is neither YAML as templates have it nor JSON.
pub fn value(text: &str) -> Result<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| broken(&error.to_string()));
    }
    let mut events = Events { parser: Parser::new_from_str(text) };
    loop {
        match events.next()? {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd => return Ok(Value::Null),
            event => return events.value(event, 0),
        }
    }
}

fn broken(what: &str) -> Error {
    Error::new(Code::RequestRefused, format!("the deployed template cannot be read: {what}"))
}

struct Events<'t> {
    parser: Parser<'t, StrInput<'t>>,
}

impl<'t> Events<'t> {
    fn next(&mut self) -> Result<Event<'t>> {
        match self.parser.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(broken(&error.to_string())),
            None => Err(broken("it ends too early")),
        }
    }

    fn value(&mut self, event: Event<'t>, depth: usize) -> Result<Value> {
        if depth > DEPTH {
            return Err(broken("it is nested too deeply"));
        }
        match event {
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value = if plain { scalar(&text) } else { Value::from(text.as_ref()) };
                Ok(function(tag.as_ref(), value))
            }
            Event::SequenceStart(_, tag) => {
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => return Ok(function(tag.as_ref(), Value::Array(list))),
                        event => list.push(self.value(event, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(_, tag) => {
                let mut map = Map::new();
                loop {
                    let key = match self.next()? {
                        Event::MappingEnd => return Ok(function(tag.as_ref(), Value::Object(map))),
                        Event::Scalar(text, ..) => text.into_owned(),
                        _ => return Err(broken("a key that is no text")),
                    };
                    let event = self.next()?;
                    map.insert(key, self.value(event, depth + 1)?);
                }
            }
            Event::Alias(_) => Err(broken("it has aliases, which no tool writes")),
            _ => Err(broken("it ends too early")),
        }
    }
}

/// A value that stands without quotes, as YAML 1.1 and 1.2 both take it.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        // `012` is a text to some and a number to others; nobody renders it without quotes.
        _ if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Value::from(text),
        _ => text.parse::<Number>().map_or_else(|_| Value::from(text), Value::Number),
    }
}

/// A short form, written out.
fn function(tag: Option<&Cow<'_, Tag>>, value: Value) -> Value {
    let Some(tag) = tag.filter(|tag| tag.handle == "!") else { return value };
    match tag.suffix.as_str() {
        "" => value,
        name @ ("Ref" | "Condition") => json!({name: value}),
        name => json!({format!("Fn::{name}"): value}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn what_is_rendered_is_read_back() {
        let given = json!({
            "A": {"Ref": "B"}, "C": {"Fn::GetAtt": "D.Arn"}, "E": [1, 2.5, true, "2012-10-17", "a: b", "", "no"],
            "F": {"Fn::Sub": "x ${Y} \"z\"\nnext"}, "G": {}, "H": [], "I": {"Fn::Join": ["", ["a", {"Ref": "B"}]]},
        });
        assert_eq!(value(&yaml::text(&given)).unwrap(), given);
        assert_eq!(value(&given.to_string()).unwrap(), given);
    }

    #[test]
    fn what_a_packager_writes_is_read() {
        let text = "A:\n  Fn::GetAtt:\n  - D\n  - Arn\nB: 'it''s a long text\n  that is folded'\nC: |-\n  SELECT 1\n  FROM x\n";
        let wanted = json!({
            "A": {"Fn::GetAtt": ["D", "Arn"]}, "B": "it's a long text that is folded", "C": "SELECT 1\nFROM x",
        });
        assert_eq!(value(text).unwrap(), wanted);
        for wrong in ["a: [", "a: &x 1\nb: *x\n", "? [a]\n: 1\n"] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(value(&deep).is_err());
    }
}
