//! Tests of `output`: exit codes, the JSON of a failure, what an error reads like.

use super::*;
use lakegate_base::{Code, Place};

fn shown(outcome: &Outcome, json: bool) -> (String, String, Exit) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = finish(outcome, json, &mut out, &mut err, Screen::default());
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), exit)
}

fn syntax_error() -> Error {
    let place =
        Place { line: Some(3), column: Some(14), offset: Some(96), record: Some(2), ..Place::default() };
    Error::new(Code::SyntaxError, "a comma is missing")
        .with_hint("mend the file")
        .in_file("orders.json")
        .at(place)
}

#[test]
fn an_error_says_whose_fault_where_and_what_to_do() {
    let (out, err, exit) = shown(&Err(syntax_error()), false);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "error in the input: a comma is missing\n  --> orders.json:3:14 (record 2, byte 96)\n  hint: mend the file\n"
    );
    assert_eq!(exit.code(), 1);
}

#[test]
fn json_is_one_object_also_for_a_failure() {
    let (out, err, exit) = shown(&Err(syntax_error()), true);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["error"]["fault"], "input");
    assert_eq!(value["error"]["code"], "syntax_error");
    assert_eq!(value["error"]["place"]["line"], 3);
    assert_eq!(value["error"]["place"]["path"], Value::Null);
    assert_eq!(out.lines().count(), 1);
    assert!(err.starts_with("error in the input"));
    assert_eq!(exit, Exit::Failed);
}

#[test]
fn an_answer_is_text_or_json_and_never_both() {
    let answer = Answer { text: "made it\n".into(), json: json!({"rows": 1}), exit: Exit::Rejected };
    assert_eq!(shown(&Ok(answer.clone()), false), ("made it\n".into(), String::new(), Exit::Rejected));
    assert_eq!(shown(&Ok(answer), true), ("{\"rows\":1}\n".into(), String::new(), Exit::Rejected));
    assert_eq!(Exit::Rejected.code(), 3);
}

#[test]
fn usage_errors_exit_with_two() {
    assert_eq!(shown(&Err(Error::usage("no")), false).2.code(), 2);
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let answer = Answer { text: "long\n".into(), ..Answer::default() };
    assert_eq!(finish(&Ok(answer), false, &mut Gone, &mut Vec::new(), Screen::default()), Exit::Done);
}

#[test]
fn a_missing_file_has_a_hint() {
    let problem = Error::io("orders.json", io::ErrorKind::NotFound.into());
    assert_eq!((problem.name(), exit_of(&problem)), ("not_found", Exit::Failed));
    assert!(problem.hint().is_some());
}
