//! A failure as it is shown: some lines for people, one object for programs; with the records that were rejected.
//!
//! Not for deciding anything by it. Commands and `lakegate serve` show the same failure in the same words.

use crate::show::reasons::Reasons;
use crate::show::render::{Screen, Tone, visible};
use lakegate_base::{Error, Fault};
use serde_json::{Value, json};
use std::path::Path;

/// For people: one to four lines, and which records were rejected.
pub fn render(error: &Error, screen: Screen) -> String {
    let mut text = lines(error, screen);
    if let Some(rejected) = error.rejected() {
        text.push_str(&Reasons::of(rejected).table("Rejected records", false, screen));
    }
    text
}

fn lines(error: &Error, screen: Screen) -> String {
    let mut text = format!("{}: {}\n", screen.paint(Tone::Bad, opening(error.fault())), error.message());
    let place = place(error);
    if !place.is_empty() {
        text.push_str(&format!("  {} {place}\n", screen.paint(Tone::Dim, "-->")));
    }
    if let Some(panic) = error.panic() {
        text.push_str(&format!("  {} {}\n", screen.paint(Tone::Dim, "it said:"), visible(panic)));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  {} {hint}\n", screen.paint(Tone::Good, "hint:")));
    }
    text
}

/// For logs: the lines of [`render`] without records, colours and a last line's end.
pub fn plain(error: &Error) -> String {
    lines(error, Screen::default()).trim_end().to_owned()
}

/// The `error` object of `--json`.
pub fn json(error: &Error) -> Value {
    let place = error.place();
    let known = error.file().is_some() || place.is_some();
    let place = place.cloned().unwrap_or_default();
    let mut object = json!({
        "fault": error.fault().name(), "code": error.name(), "message": error.message(), "hint": error.hint(),
        "place": known.then(|| json!({
            "file": error.file(), "line": place.line, "column": place.column,
            "offset": place.offset, "record": place.record, "path": place.path,
        })),
    });
    if let (Some(object), Some(panic)) = (object.as_object_mut(), error.panic()) {
        object.insert("panic".to_owned(), panic.into());
    }
    if let (Some(object), Some(rejected)) = (object.as_object_mut(), error.rejected()) {
        let reasons = Reasons::of(rejected);
        object.insert("reasons".to_owned(), reasons.reasons_json());
        object.insert("drift".to_owned(), reasons.drift_json(""));
    }
    object
}

/// Says in which file `error` is: in the spec when the spec is at fault, else in the input.
pub fn in_input_or_spec(error: Error, input: &str, spec: Option<&Path>) -> Error {
    match (error.fault(), spec) {
        (Fault::Spec, Some(spec)) => error.in_file(spec.display().to_string()),
        (Fault::Input | Fault::Limit | Fault::Transform, _) if error.file().is_none() => error.in_file(input),
        _ => error,
    }
}

/// `orders.json:3:14 (record 2, byte 96, at /products/0/price)`; empty when nothing is known.
fn place(error: &Error) -> String {
    let place = error.place().cloned().unwrap_or_default();
    let mut shown = error.file().unwrap_or_default().to_owned();
    if let Some(line) = place.line {
        shown.push_str(&if shown.is_empty() { format!("line {line}") } else { format!(":{line}") });
        if let Some(column) = place.column {
            shown.push_str(&format!(":{column}"));
        }
    }
    let mut more = Vec::new();
    more.extend(place.record.map(|record| format!("record {record}")));
    more.extend(place.offset.map(|offset| format!("byte {offset}")));
    more.extend(place.path.filter(|path| !path.is_empty()).map(|path| format!("at {path}")));
    match (shown.is_empty(), more.is_empty()) {
        (_, true) => shown,
        (true, false) => more.join(", "),
        (false, false) => format!("{shown} ({})", more.join(", ")),
    }
}

fn opening(fault: Fault) -> &'static str {
    match fault {
        Fault::Usage => "usage error",
        Fault::Input => "error in the input",
        Fault::Spec => "error in the spec",
        Fault::Limit => "error: a limit was passed",
        Fault::Environment => "error",
        Fault::Transform => "error in the transform",
        Fault::Release => "error in the release",
        Fault::Internal => "error in Lakegate itself",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_base::{Code, Place};

    #[test]
    fn a_place_shows_what_is_known() {
        let at = |known| place(&Error::new(Code::SyntaxError, "no").at(known));
        assert_eq!(at(Place::default()), "");
        assert_eq!(at(Place { line: Some(2), ..Place::default() }), "line 2");
        let known = Place { path: Some("/a".into()), record: Some(7), ..Place::default() };
        assert_eq!(at(known), "record 7, at /a");
    }
}
